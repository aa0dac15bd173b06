//! The house signs in to a real PostgreSQL that lets nobody in without a certificate of the house's own authority. It
//! renews its certificates while verbs run. The server's configuration is changed meanwhile and put back.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod common;

use std::{
    os::unix::fs::PermissionsExt as _,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use base::{Clock, Secret, SystemClock};
use common::Ground;
use proof::x509::pem;
use selo::own::{Keeper, Looked, Order, Place};
use serde_json::{Value, json};
use store::{Db, Settings, sql, values};
use testkit::TestHouse;

/// One test at a time changes the server.
static SERVER: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
const SOON: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// Writes a file as the server's own user, readable by nobody else.
fn give(server: &mut postgres::Client, path: &str, text: &str) {
    let text = text.replace('\'', "''");
    let order = format!(
        "do $give$ begin
           execute format('copy (select line from regexp_split_to_table(%L, E''\\n'') as line) to program %L',
             '{text}', 'umask 077; cat > {path}');
         end $give$"
    );
    server.batch_execute(&order).unwrap();
}

/// A server whose door to one database opens to certificates alone; what undoes it.
struct Door {
    server: postgres::Client,
    rules: String,
    old: String,
}

impl Door {
    fn open(administrator: &str, database: &str, root: &str, server_pair: (&str, &str)) -> Self {
        let mut server = administrator.parse::<postgres::Config>().unwrap().connect(postgres::NoTls).unwrap();
        let text = |server: &mut postgres::Client, query: &str| -> String {
            server.query_one(query, &[]).unwrap().get(0)
        };
        let folder = text(&mut server, "show data_directory");
        let file = |name: &str| format!("{folder}/{database}-{name}.pem");
        give(&mut server, &file("root"), root);
        give(&mut server, &file("server"), server_pair.0);
        give(&mut server, &file("key"), server_pair.1);
        let rules = text(&mut server, "show hba_file");
        let old: String = server.query_one("select pg_read_file($1)", &[&rules]).unwrap().get(0);
        let door = Self::demanding(database, &old);
        give(&mut server, &rules, &door);
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
        for _ in 0..500 {
            if text(&mut server, "show ssl") == "on" {
                return Self { server, rules, old };
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the server did not take the settings");
    }

    /// Whoever comes over TLS shows a certificate. The house of the first test stays on its own line in clear.
    fn demanding(database: &str, old: &str) -> String {
        let role = |role: &str| format!("hostssl {database} {role} all trust clientcert=verify-full\n");
        format!("{}{}{old}", role("selo_app"), role("selo_system"))
    }

    /// Lets anybody in again, as a server that has not been changed yet.
    fn relent(&mut self) {
        let old = self.old.clone();
        self.rewrite(&old);
    }

    fn demand(&mut self, database: &str) {
        let door = Self::demanding(database, &self.old);
        self.rewrite(&door);
    }

    fn rewrite(&mut self, text: &str) {
        give(&mut self.server, &self.rules, text);
        self.server.batch_execute("select pg_reload_conf()").unwrap();
        let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')).count();
        for _ in 0..500 {
            let read =
                self.server.query_one("select count(*) from pg_hba_file_rules where error is null", &[]);
            if usize::try_from(read.unwrap().get::<_, i64>(0)).unwrap() == lines {
                // The file is there; new connections are judged by it once the postmaster has read it, too.
                std::thread::sleep(Duration::from_millis(200));
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the server did not take the rules");
    }

    fn close(mut self) {
        give(&mut self.server, &self.rules, &self.old);
        for text in ["ssl", "ssl_key_file", "ssl_cert_file", "ssl_ca_file"] {
            self.server.batch_execute(&format!("alter system reset {text}")).unwrap();
        }
        self.server.batch_execute("select pg_reload_conf()").unwrap();
    }
}

async fn server_pair(house: &TestHouse) -> (String, String) {
    let key = pki::local_key().unwrap();
    let csr = pem::encode(pem::Label::CertificateRequest, &pki::request_der(&key, &[]).unwrap());
    let body = json!({"profile": "server", "dns": ["localhost"], "ip": ["127.0.0.1"], "csr": csr});
    let issued = house.post("/api/v1/pki/certificates", body).await.data();
    (issued["chain"].as_str().unwrap().to_owned(), key.pem.expose().clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_house_signs_in_by_its_own_certificates_and_renews_them_while_verbs_run() {
    let Some(administrator) = base::config::variable("SELO_TEST_POSTGRES") else {
        eprintln!("SELO_TEST_POSTGRES is not set: this test did not run");
        return;
    };
    let _alone = SERVER.lock().await;
    let house = TestHouse::on_postgres(&administrator).await;
    // PostgreSQL has a clock of its own, so what is made here must be good by that one too.
    let now = SystemClock.now();
    house.clock.set(now.minus(HOUR * (5 * 24 - 3)));
    let (root, _) = house.hierarchy(json!({})).await;
    let root = pem::encode(pem::Label::Certificate, &root);
    let pair = server_pair(&house).await;
    let database: String = house
        .rooms
        .house
        .db
        .read("test.database", |rx| {
            rx.one(sql!("-- test.database\nselect cast(current_database() as text)"), &values![], |row| {
                row.get(0)
            })
        })
        .await
        .unwrap();
    let (url, name) = (administrator.clone(), database.clone());
    let (authority, shown) = (root.clone(), pair.clone());
    let door = tokio::task::spawn_blocking(move || Door::open(&url, &name, &authority, (&shown.0, &shown.1)))
        .await
        .unwrap();

    let folder = tempfile::tempdir().unwrap();
    let root_file = folder.path().join("root.pem");
    std::fs::write(&root_file, &root).unwrap();
    let port = administrator.parse::<postgres::Config>().unwrap().get_ports()[0];
    let role = |name: &str| {
        let file = folder.path().join(format!("postgres-{name}.pem"));
        let url = format!(
            "postgres://{name}@127.0.0.1:{port}/{database}?sslmode=verify-full&sslrootcert={}&{}={}",
            root_file.display(),
            store::OWN_CERTIFICATE,
            file.display()
        );
        (file, Secret::new(url))
    };
    let (app_file, app) = role("selo_app");
    let (_, system) = role("selo_system");
    let blocking = |url: &Secret<String>| {
        let url = url.clone();
        tokio::task::spawn_blocking(move || store::certificate_shown(&url))
    };
    assert!(blocking(&app).await.unwrap().is_err(), "nobody enters without a certificate");

    let keeper = |name: &str| {
        let (file, url) = role(name);
        let order = Order::database(name, "localhost", "");
        Keeper::new(house.rooms.clone(), order, Place::Database { file, url })
    };
    let mut keepers = [keeper("selo_app"), keeper("selo_system")];
    for keeper in &mut keepers {
        assert_eq!(keeper.look().await.unwrap(), Looked::Renewed);
    }
    assert_eq!(std::fs::metadata(&app_file).unwrap().permissions().mode() & 0o777, 0o600);
    let first = blocking(&app).await.unwrap().unwrap().expect("a certificate is shown");

    // Verbs on a store that signs in so, each round on lines of its own, while the certificates are renewed.
    let (over, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let settings = Settings::postgres(app.clone(), system.clone(), None);
    let (ended, counted) = (Arc::clone(&over), Arc::clone(&done));
    let verbs = tokio::spawn(async move {
        while !ended.load(Ordering::Relaxed) {
            let fresh = settings.clone();
            let db = tokio::task::spawn_blocking(move || Db::open(&fresh, None)).await.unwrap().unwrap();
            for _ in 0..5 {
                db.read("test.verb", |rx| {
                    rx.one(sql!("-- test.verb\nselect count(*) from identity_tenant"), &values![], |row| {
                        row.get::<i64>(0)
                    })
                })
                .await
                .unwrap();
                counted.fetch_add(1, Ordering::Relaxed);
            }
            db.close().await;
        }
    });
    let enough = |more: usize| {
        let done = Arc::clone(&done);
        async move {
            let from = done.load(Ordering::Relaxed);
            while done.load(Ordering::Relaxed) < from + more {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    };
    enough(10).await;
    for keeper in &mut keepers {
        assert_eq!(keeper.look().await.unwrap(), Looked::Kept, "not before its time");
    }
    house.clock.advance(HOUR * (5 * 24 - 6));
    for keeper in &mut keepers {
        assert_eq!(keeper.look().await.unwrap(), Looked::Renewed, "two thirds of seven days");
    }
    enough(10).await;
    let second = blocking(&app).await.unwrap().unwrap().unwrap();
    assert_ne!(second, first, "new connections show the new one");
    // Revoked: replaced at the next look, whoever revoked it.
    let list = house.get("/api/v1/pki/certificates?profile=db-client&state=issued").await.data();
    for one in list["items"].as_array().unwrap() {
        let path = format!("/api/v1/pki/certificates/{}/revoke", one["id"].as_str().unwrap());
        house.post(&path, json!({"reason": "superseded"})).await.data();
    }
    for keeper in &mut keepers {
        assert_eq!(keeper.look().await.unwrap(), Looked::Renewed);
    }
    enough(10).await;
    let third = blocking(&app).await.unwrap().unwrap().unwrap();
    assert!(third != second && third != first);
    over.store(true, Ordering::Relaxed);
    verbs.await.unwrap();

    // A process that starts anew takes up what it finds, and nobody else's.
    let mut again = keeper("selo_app");
    assert_eq!(again.look().await.unwrap(), Looked::Kept);
    let (before, subject): (_, Vec<Value>) = {
        let all = house.get("/api/v1/pki/certificates?profile=db-client&state=issued").await.data();
        let items = all["items"].as_array().unwrap().clone();
        (items.len(), items.into_iter().map(|one| one["subject"].clone()).collect())
    };
    assert_eq!(before, 2, "one for each role");
    assert!(subject.contains(&json!("selo_app")) && subject.contains(&json!("selo_system")));
    std::fs::copy(role("selo_system").0, &app_file).unwrap();
    let mut misled = keeper("selo_app");
    assert_eq!(misled.look().await.unwrap(), Looked::Renewed, "another role's certificate is not taken up");
    // One that cannot be read opens nothing, and is replaced.
    std::fs::write(&app_file, "broken").unwrap();
    assert!(blocking(&app).await.unwrap().is_err());
    let mut mended = keeper("selo_app");
    assert_eq!(mended.look().await.unwrap(), Looked::Renewed);
    assert!(blocking(&app).await.unwrap().unwrap().is_some());

    tokio::task::spawn_blocking(move || door.close()).await.unwrap();
}

#[test]
fn a_house_that_entered_by_its_address_alone_soon_enters_by_certificate_alone() {
    let Some(administrator) = base::config::variable("SELO_TEST_POSTGRES") else {
        eprintln!("SELO_TEST_POSTGRES is not set: this test did not run");
        return;
    };
    let _alone = SERVER.blocking_lock();
    let database = format!("selo_own_{}", std::process::id());
    let passwords = store::bootstrap::Passwords::default();
    store::bootstrap::create(&Secret::new(administrator.clone()), &database, &passwords).unwrap();
    let port = administrator.parse::<postgres::Config>().unwrap().get_ports()[0];
    let mut ground = Ground::new();
    let address = |role: &str, more: &str| format!("postgres://{role}@127.0.0.1:{port}/{database}{more}");
    let set = |ground: &mut Ground, name: &str, value: String| {
        ground.environment.insert(format!("SELO_STORE_{name}"), value);
    };
    set(&mut ground, "ENGINE", "postgres".to_owned());
    set(&mut ground, "POSTGRES_MIGRATION", address("selo_migrate", ""));
    for (name, role) in [("POSTGRES_APPLICATION", "selo_app"), ("POSTGRES_SYSTEM", "selo_system")] {
        set(&mut ground, name, address(role, ""));
    }
    ground.make_house();
    ground.run(&["pki", "init", "--out", &ground.arg("ca")]).ends(0);
    let server = ["pki", "issue", "--profile", "server", "--ip", "127.0.0.1", "--out", &ground.arg("server")];
    ground.run(&server).ends(0);
    let read = |name: &str| std::fs::read_to_string(ground.file(name)).unwrap();
    let (root, chain, key) = (read("ca/root.pem"), read("server/chain.pem"), read("server/key.pem"));
    let mut door = Door::open(&administrator, &database, &root, (&chain, &key));
    door.relent();

    // The first time the address alone opens the door, over TLS; then the house keeps certificates of its own.
    let tls = format!("?sslmode=verify-full&sslrootcert={}", ground.arg("ca/root.pem"));
    for (name, role) in [("POSTGRES_APPLICATION", "selo_app"), ("POSTGRES_SYSTEM", "selo_system")] {
        set(&mut ground, name, address(role, &tls));
    }
    set(&mut ground, "POSTGRES_CERTIFICATE", "own".to_owned());
    let served = ground.serve(&[]);
    let files =
        ["selo_app", "selo_system"].map(|role| ground.home().join(format!("keys/postgres-{role}.pem")));
    let begun = std::time::Instant::now();
    while !files.iter().all(|file| file.is_file()) {
        assert!(
            begun.elapsed() < SOON,
            "no certificates: {}",
            std::fs::read_to_string(ground.file("serve.log")).unwrap()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    for file in &files {
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    drop(served);

    // From now on nobody enters without one, and the house does.
    door.demand(&database);
    let plain = Secret::new(address("selo_app", &tls));
    assert!(store::certificate_shown(&plain).is_err(), "the door is closed to everybody else");
    let served = ground.serve(&[]);
    ground.run(&["tenant", "create", "Outra"]).ends(0);
    let tenants = ground.run(&["--json", "tenant", "list"]).ends(0).json();
    assert_eq!(tenants["items"].as_array().unwrap().len(), 2);
    let listed = ["--json", "pki", "list", "--profile", "db-client", "--state", "issued"];
    let all = ground.run(&listed).ends(0).json();
    assert_eq!(all["items"].as_array().unwrap().len(), 2, "what the process before left was taken up: {all}");
    drop(served);
    door.close();
}
