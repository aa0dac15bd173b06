//! The line to a real PostgreSQL over TLS: the server is checked, the house shows a certificate of its own, and nothing
//! goes in clear where TLS was asked for. The server's configuration is changed meanwhile and put back.

#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::{os::unix::fs::PermissionsExt, path::Path};

use base::Secret;
use common::{postgres_url, run};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, Issuer, KeyPair};
use store::{Db, Settings, bootstrap, sql, values};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "Test authority");
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate and its key as PEM.
fn certified(authority: &Issuer<'_, KeyPair>, common_name: &str, hosts: &[&str]) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params =
        CertificateParams::new(hosts.iter().map(|host| (*host).to_owned()).collect::<Vec<_>>()).unwrap();
    params.distinguished_name.push(DnType::CommonName, common_name);
    (params.signed_by(&key, authority).unwrap().pem(), key.serialize_pem())
}

/// Writes a file as the server's own user, readable by nobody else.
fn give(server: &mut postgres::Client, path: &str, text: &str) {
    let text = text.replace('\'', "''");
    server
        .batch_execute(&format!(
            "do $give$ begin
               execute format('copy (select line from regexp_split_to_table(%L, E''\\n'') as line) to program %L',
                 '{text}', 'umask 077; cat > {path}');
             end $give$"
        ))
        .unwrap();
}

fn write(file: &Path, text: &str) {
    std::fs::write(file, text).unwrap();
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// Turns TLS on at the test's server, with a door of its own for one database: only who shows a certificate enters.
/// What undoes it is given back: the rules as they were.
fn open_door(
    server: &mut postgres::Client,
    database: &str,
    root: &str,
    pair: &(String, String),
) -> (String, String) {
    let folder: String = server.query_one("show data_directory", &[]).unwrap().get(0);
    let file = |name: &str| format!("{folder}/{database}-{name}.pem");
    give(server, &file("root"), root);
    give(server, &file("server"), &pair.0);
    give(server, &file("key"), &pair.1);
    let rules: String = server.query_one("show hba_file", &[]).unwrap().get(0);
    let old: String = server.query_one("select pg_read_file($1)", &[&rules]).unwrap().get(0);
    give(
        server,
        &rules,
        &format!("hostssl {database} selo_app all cert\nhostnossl {database} all all reject\n{old}"),
    );
    for (name, value) in [
        ("ssl_ca_file", file("root")),
        ("ssl_cert_file", file("server")),
        ("ssl_key_file", file("key")),
        ("ssl", "on".to_owned()),
    ] {
        server.batch_execute(&format!("alter system set {name} = '{value}'")).unwrap();
    }
    server.batch_execute("select pg_reload_conf()").unwrap();
    // The postmaster reads its files a moment after it was told.
    for _ in 0..200 {
        let on: String = server.query_one("show ssl", &[]).unwrap().get(0);
        let read: i64 = server
            .query_one(
                "select count(*) from pg_hba_file_rules where database = array[$1::text] and error is null",
                &[&database],
            )
            .unwrap()
            .get(0);
        if on == "on" && read == 2 {
            return (rules, old);
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("the server did not take the settings");
}

#[test]
fn the_house_and_the_server_know_each_other_by_certificate_and_nothing_goes_in_clear() {
    let Some(administrator) = postgres_url() else {
        eprintln!("SELO_TEST_POSTGRES is not set: this test did not run");
        return;
    };
    let database = format!("selo_tls_{}", std::process::id());
    bootstrap::create(&Secret::new(administrator.clone()), &database, &bootstrap::Passwords::default())
        .unwrap();
    let mut server = administrator.parse::<postgres::Config>().unwrap().connect(postgres::NoTls).unwrap();
    let (known, stranger) = (authority(), authority());
    let (rules, old) = open_door(
        &mut server,
        &database,
        &known.pem(),
        &certified(&known, "server", &["localhost", "127.0.0.1"]),
    );

    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let path = |name: &str| place(name).to_str().unwrap().to_owned();
    write(&place("root.pem"), &known.pem());
    write(&place("stranger.pem"), &stranger.pem());
    for (name, signer, role) in
        [("app", &known, "selo_app"), ("other", &known, "selo_system"), ("foreign", &stranger, "selo_app")]
    {
        let (certificate, key) = certified(signer, role, &[]);
        write(&place(&format!("{name}.pem")), &certificate);
        write(&place(&format!("{name}.key")), &key);
    }
    let port = administrator.parse::<postgres::Config>().unwrap().get_ports()[0];
    let address = |host: &str, root: &str, pair: Option<&str>| {
        let mut url = format!(
            "postgres://selo_app@{host}:{port}/{database}?sslmode=verify-full&sslrootcert={}",
            path(root)
        );
        if let Some(pair) = pair {
            let (certificate, key) = (path(&format!("{pair}.pem")), path(&format!("{pair}.key")));
            url.push_str(&format!("&sslcert={certificate}&sslkey={key}"));
        }
        Secret::new(url)
    };
    let open = |url: Secret<String>| Db::open(&Settings::postgres(url.clone(), url, None), None);

    let db = open(address("127.0.0.1", "root.pem", Some("app"))).unwrap();
    let (encrypted, shown) = run(async {
        db.read("test.line", |rx| {
            rx.one(
                sql!("-- test.line\nselect cast(version as text), cast(client_dn as text) from pg_stat_ssl where pid = pg_backend_pid()"),
                &values![],
                |row| Ok((row.get::<String>(0)?, row.get::<String>(1)?)),
            )
        })
        .await
        .unwrap()
    });
    assert_eq!((encrypted.as_str(), shown.as_str()), ("TLSv1.3", "/CN=selo_app"));

    for (why, url) in [
        ("an authority that is not ours", address("127.0.0.1", "stranger.pem", Some("app"))),
        ("a name that is not the server's", address("127.0.0.2", "root.pem", Some("app"))),
        ("no certificate of ours", address("127.0.0.1", "root.pem", None)),
        ("another role's certificate", address("127.0.0.1", "root.pem", Some("other"))),
        ("a stranger's certificate", address("127.0.0.1", "root.pem", Some("foreign"))),
        ("in clear", Secret::new(format!("postgres://selo_app@127.0.0.1:{port}/{database}"))),
    ] {
        assert!(open(url).is_err(), "{why}");
    }
    std::fs::set_permissions(place("app.key"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let refused = open(address("127.0.0.1", "root.pem", Some("app"))).err().unwrap();
    assert!(refused.cause(base::Lang::En).contains("may read this key"), "{refused:?}");

    drop(db);
    give(&mut server, &rules, &old);
    for text in ["ssl", "ssl_key_file", "ssl_cert_file", "ssl_ca_file"] {
        server.batch_execute(&format!("alter system reset {text}")).unwrap();
    }
    server.batch_execute("select pg_reload_conf()").unwrap();
    server.batch_execute(&format!("drop database {database} with (force)")).unwrap();
}
