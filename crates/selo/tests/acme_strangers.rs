//! Clients that we did not write get their certificates from a served house: certbot, acme-tiny, dehydrated, instant-acme.
//!
//! Each registers, proves its names by every challenge that it knows, renews, and revokes, on loopback, with TLS by the
//! house's own authority. A client that is absent says so and is not run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
#![allow(
    clippy::disallowed_methods,
    reason = "the served house lives by the machine's clock, and its clients where it is told"
)]

#[path = "acme_support/mod.rs"]
mod acme_support;
mod common;

use std::path::{Path, PathBuf};

use acme_support::{World, program};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use common::Ran;
use instant_acme::{
    Account, AuthorizationStatus, CertificateIdentifier, ChallengeHandle, ChallengeType, ExternalAccountKey,
    Identifier, NewAccount, NewOrder, OrderStatus, RetryPolicy, RevocationReason, RevocationRequest,
};
use proof::x509::{Certificate, pem};
use rustls::pki_types::CertificateDer;

/// An external key, as `selo pki eab new` prints it: its id and its secret in base64url.
fn external_key(world: &World) -> (String, String) {
    let made = world.ground.run(&["--json", "pki", "eab", "new"]).ends(0).json();
    let text = |name: &str| made[name].as_str().unwrap_or_else(|| panic!("no {name}: {made}")).to_owned();
    (text("id"), text("hmacKey"))
}

/// Asserts that a chain holds below the root, names what it should, and that the house knows it.
#[track_caller]
fn issued(world: &World, chain: &Path, names: &[&str]) -> String {
    let said = world.judged(chain);
    assert!(said.contains(": OK"), "{said}");
    let shown =
        world.openssl(&["x509", "-in", &chain.display().to_string(), "-noout", "-ext", "subjectAltName"]);
    for name in names {
        assert!(shown.contains(name), "{name} is not in {shown}");
    }
    let serial = world.serial(chain);
    assert_eq!(world.state(&serial), "issued");
    serial
}

struct Certbot<'a> {
    world: &'a World,
    program: PathBuf,
}

impl Certbot<'_> {
    fn run(&self, words: &[&str]) -> Ran {
        let folders: Vec<String> =
            ["config", "work", "logs"].map(|name| self.world.ground.arg(&format!("certbot-{name}"))).into();
        let mut all = words.to_vec();
        all.extend(["-n", "--config-dir", &folders[0], "--work-dir", &folders[1], "--logs-dir", &folders[2]]);
        let directory = self.world.directory();
        all.extend(["--server", &directory]);
        self.world.client(&self.program, &[("REQUESTS_CA_BUNDLE", &self.world.root())], &all)
    }

    /// Orders a certificate under a name of its own; its chain.
    #[track_caller]
    fn order(&self, name: &str, words: &[&str]) -> PathBuf {
        self.run(&[&["certonly", "--cert-name", name][..], words].concat()).ends(0);
        self.chain(name)
    }

    fn chain(&self, name: &str) -> PathBuf {
        self.world.ground.file(&format!("certbot-config/live/{name}/fullchain.pem"))
    }
}

#[test]
fn certbot_registers_with_an_external_key_issues_renews_by_ari_and_revokes() {
    let Some(program) = program("certbot") else { return };
    let world = World::new(&["acme.require_external_account=true"]);
    let certbot = Certbot { world: &world, program };
    let bare = certbot.run(&["register", "--agree-tos", "--register-unsafely-without-email"]).ends(1);
    assert!(bare.err.contains("eab") || bare.err.contains("external"), "{}", bare.err);
    let (kid, key) = external_key(&world);
    let mut register = vec!["register", "--agree-tos", "--register-unsafely-without-email"];
    register.extend(["--eab-kid", &kid, "--eab-hmac-key", &key]);
    certbot.run(&register).ends(0);
    let shown = certbot.run(&["show_account"]).ends(0);
    assert!(shown.out.contains("/acme/"), "{}", shown.out);

    let port = world.http.to_string();
    let alone = ["--standalone", "--http-01-port", &port, "--http-01-address", "127.0.0.1"];
    let first = certbot.order("alone", &[&alone[..], &["-d", "a.test", "-d", "b.test"]].concat());
    let first = issued(&world, &first, &["a.test", "b.test"]);
    certbot.order(
        "rsa",
        &[&alone[..], &["-d", "c.test", "--key-type", "rsa", "--rsa-key-size", "2048"]].concat(),
    );
    let curve = [&alone[..], &["-d", "c.test", "--elliptic-curve", "secp384r1"]].concat();
    let serial = issued(&world, &certbot.order("curve", &curve), &["c.test"]);
    let short =
        certbot.order("short", &[&alone[..], &["-d", "c.test", "--required-profile", "shortlived"]].concat());
    issued(&world, &short, &["c.test"]);
    let address = certbot.order("address", &[&alone[..], &["--ip-address", "127.0.0.1"]].concat());
    issued(&world, &address, &["127.0.0.1"]);

    let webroot = world.folder("webroot");
    let web = world.web(&webroot.join(".well-known/acme-challenge"));
    let root = webroot.display().to_string();
    issued(&world, &certbot.order("webroot", &["--webroot", "-w", &root, "-d", "d.test"]), &["d.test"]);
    drop(web);

    let records = world.records.display().to_string();
    let add = world.script(
        "add.sh",
        &format!("echo \"$CERTBOT_VALIDATION\" >> \"{records}/_acme-challenge.$CERTBOT_DOMAIN\"\n"),
    );
    let clean = world.script("clean.sh", &format!("rm -f \"{records}/_acme-challenge.$CERTBOT_DOMAIN\"\n"));
    let by_names = ["--manual", "--preferred-challenges", "dns", "--manual-auth-hook", &add];
    let by_names =
        [&by_names[..], &["--manual-cleanup-hook", &clean, "-d", "e.test", "-d", "f.test"]].concat();
    issued(&world, &certbot.order("dns", &by_names), &["e.test", "f.test"]);

    // nothing is due, and ARI says so; of a revoked one it says that it is. Once asked, the client waits for hours
    let quiet = certbot.run(&["renew", "--cert-name", "alone", "--no-random-sleep-on-renew"]).ends(0);
    assert!(
        format!("{}{}", quiet.out, quiet.err).contains("not due for renewal"),
        "{} {}",
        quiet.out,
        quiet.err
    );
    assert_eq!(world.serial(&certbot.chain("alone")), first);
    world.ground.run(&["pki", "revoke", &serial, "--reason", "superseded"]).ends(0);
    certbot.run(&["renew", "--cert-name", "curve", "--no-random-sleep-on-renew"]).ends(0);
    let renewed = issued(&world, &certbot.chain("curve"), &["c.test"]);
    assert_ne!(renewed, serial, "the revoked certificate was replaced without being forced");

    let revoke = ["revoke", "--cert-name", "curve", "--reason", "keycompromise", "--no-delete-after-revoke"];
    certbot.run(&revoke).ends(0);
    assert_eq!(world.state(&renewed), "revoked");
    let by_key = world.serial(&certbot.chain("rsa"));
    let live = |file: &str| world.ground.arg(&format!("certbot-config/live/rsa/{file}"));
    let (chain, key) = (live("fullchain.pem"), live("privkey.pem"));
    certbot.run(&["revoke", "--cert-path", &chain, "--key-path", &key, "--no-delete-after-revoke"]).ends(0);
    assert_eq!(world.state(&by_key), "revoked");
    certbot.run(&["unregister"]).ends(0);
}

#[test]
fn acme_tiny_registers_with_an_rsa_key_and_issues_twice() {
    let Some(program) = program("acme-tiny") else { return };
    let world = World::new(&[]);
    let folder = world.folder("challenges");
    let _web = world.web(&folder);
    let [account, key, csr] = ["account.key", "name.key", "name.csr"].map(|name| world.ground.arg(name));
    world.openssl(&["genrsa", "-out", &account, "4096"]);
    let mut request = vec!["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    request.extend(["-keyout", &key, "-out", &csr, "-subj", "/CN=a.test", "-addext"]);
    request.push("subjectAltName=DNS:a.test,DNS:b.test");
    world.openssl(&request);
    let (directory, root, answers) = (world.directory(), world.root(), folder.display().to_string());
    let mut words = vec!["--account-key", &account, "--csr", &csr, "--acme-dir", &answers, "--disable-check"];
    words.extend(["--directory-url", &directory, "--contact", "mailto:ana@a.test"]);
    let mut serials = Vec::new();
    for round in ["one", "two"] {
        let ran = world.client(&program, &[("SSL_CERT_FILE", &root)], &words).ends(0);
        let chain = world.ground.file(&format!("{round}.pem"));
        std::fs::write(&chain, &ran.out).unwrap();
        serials.push(issued(&world, &chain, &["a.test", "b.test"]));
    }
    assert_ne!(serials[0], serials[1]);
}

#[test]
fn dehydrated_registers_issues_by_all_three_challenges_renews_and_revokes() {
    let Some(program) = program("dehydrated") else { return };
    let world = World::new(&["acme.require_external_account=true"]);
    let (kid, key) = external_key(&world);
    let (well_known, handshakes) = (world.folder("well-known"), world.folder("handshakes"));
    let base = world.folder("dehydrated");
    let config = world.ground.arg("dehydrated.conf");
    let lines = [
        format!("CA={}", world.directory()),
        format!("CURL_OPTS=\"--cacert {}\"", world.root()),
        format!("BASEDIR={}", base.display()),
        format!("WELLKNOWN={}", well_known.display()),
        format!("EAB_KID={kid}"),
        format!("EAB_HMAC_KEY={key}"),
        "CONTACT_EMAIL=ana@a.test".to_owned(),
    ];
    std::fs::write(&config, lines.join("\n")).unwrap();
    let run = |words: &[&str]| world.client(&program, &[], &[&["-f", &config][..], words].concat());
    run(&["--register", "--accept-terms"]).ends(0);
    run(&["--account"]).ends(0);

    let records = world.records.display().to_string();
    let hook = world.script(
        "hook.sh",
        &format!(
            "case \"$1\" in\n\
             deploy_challenge) echo \"$4\" >> \"{records}/_acme-challenge.$2\" ;;\n\
             clean_challenge) rm -f \"{records}/_acme-challenge.$2\" ;;\n\
             esac\n"
        ),
    );
    let chain = |name: &str| base.join(format!("certs/{name}/fullchain.pem"));
    let web = world.web(&well_known);
    run(&["-c", "-d", "a.test b.test", "-t", "http-01", "-a", "prime256v1"]).ends(0);
    let first = issued(&world, &chain("a.test"), &["a.test", "b.test"]);
    run(&["-c", "-d", "r.test", "-t", "http-01", "-a", "rsa"]).ends(0);
    issued(&world, &chain("r.test"), &["r.test"]);
    run(&["-c", "-d", "a.test b.test", "-t", "http-01", "-a", "prime256v1", "-x"]).ends(0);
    let second = issued(&world, &chain("a.test"), &["a.test", "b.test"]);
    assert_ne!(first, second, "it was renewed");
    drop(web);
    // the default key of this client is on P-384
    run(&["-c", "-d", "c.test", "-t", "dns-01", "-k", &hook]).ends(0);
    issued(&world, &chain("c.test"), &["c.test"]);
    let tls = world.handshakes(&handshakes);
    run(&["-c", "-d", "d.test", "-t", "tls-alpn-01", "--alpn", &handshakes.display().to_string()]).ends(0);
    issued(&world, &chain("d.test"), &["d.test"]);
    drop(tls);

    run(&["-r", &base.join("certs/a.test/cert.pem").display().to_string()]).ends(0);
    assert_eq!(world.state(&second), "revoked");
}

/// How a name is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Http,
    Dns,
    Handshake,
}

struct Library<'a> {
    world: &'a World,
    account: Account,
    web: PathBuf,
    handshakes: PathBuf,
}

impl Library<'_> {
    /// Makes the answer to a challenge where the house will look.
    fn answer(&self, by: By, challenge: &ChallengeHandle<'_>) {
        let authorization = challenge.key_authorization();
        let (token, name) = (challenge.token.clone(), challenge.identifier().identifier.clone());
        match (by, name) {
            (By::Http, _) => std::fs::write(self.web.join(token), authorization.as_str()).unwrap(),
            (By::Dns, Identifier::Dns(name)) => {
                let record = self.world.records.join(format!("_acme-challenge.{name}"));
                let before = std::fs::read_to_string(&record).unwrap_or_default();
                std::fs::write(record, format!("{before}{}\n", authorization.dns_value())).unwrap();
            }
            (By::Handshake, name) => {
                let (subject, asked) = match name {
                    Identifier::Ip(address) => (address.to_string(), "1.0.0.127.in-addr.arpa".to_owned()),
                    Identifier::Dns(name) => (name.clone(), name),
                    other => panic!("{other:?}"),
                };
                let key = rcgen::KeyPair::generate().unwrap();
                let mut shown = rcgen::CertificateParams::new(vec![subject]).unwrap();
                let digest = authorization.digest();
                shown.custom_extensions = vec![rcgen::CustomExtension::new_acme_identifier(digest.as_ref())];
                let shown = shown.self_signed(&key).unwrap();
                std::fs::write(self.handshakes.join(format!("{asked}.crt.pem")), shown.pem()).unwrap();
                std::fs::write(self.handshakes.join(format!("{asked}.key.pem")), key.serialize_pem())
                    .unwrap();
            }
            (By::Dns, other) => panic!("{other:?} has no record"),
        }
    }

    /// From the order to the chain, in a file.
    async fn issue(&self, order: &NewOrder<'_>, by: By, file: &str) -> PathBuf {
        let mut placed = self.account.new_order(order).await.unwrap();
        let mut authorizations = placed.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization.unwrap();
            if authorization.status == AuthorizationStatus::Valid {
                continue;
            }
            let kind = match by {
                By::Http => ChallengeType::Http01,
                By::Dns => ChallengeType::Dns01,
                By::Handshake => ChallengeType::TlsAlpn01,
            };
            let mut challenge = authorization.challenge(kind).expect("the challenge is offered");
            self.answer(by, &challenge);
            challenge.set_ready().await.unwrap();
        }
        let status = placed.poll_ready(&RetryPolicy::default()).await;
        assert!(matches!(status, Ok(OrderStatus::Ready)), "{by:?} {:?}: {status:?}", order.identifiers());
        let names: Vec<String> =
            order.identifiers().iter().map(|one| one.authorized(false).to_string()).collect();
        let mut request = rcgen::CertificateParams::new(names).unwrap();
        request.distinguished_name = rcgen::DistinguishedName::new();
        let request = request.serialize_request(&rcgen::KeyPair::generate().unwrap()).unwrap();
        placed.finalize_csr(request.der()).await.unwrap();
        let chain = placed.poll_certificate(&RetryPolicy::default()).await.unwrap();
        let file = self.world.ground.file(file);
        std::fs::write(&file, chain).unwrap();
        file
    }
}

fn first_of(chain: &Path) -> Vec<u8> {
    pem::all(&std::fs::read(chain).unwrap(), pem::Label::Certificate).unwrap().remove(0)
}

/// The name by which ARI knows a certificate.
fn renewal_id(certificate: &[u8]) -> CertificateIdentifier<'static> {
    let certificate = Certificate::parse(certificate).unwrap();
    let authority = certificate.authority_key_id().unwrap().unwrap().key_id.unwrap();
    CertificateIdentifier {
        authority_key_identifier: URL_SAFE_NO_PAD.encode(authority).into(),
        serial: URL_SAFE_NO_PAD.encode(certificate.serial_content).into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn instant_acme_issues_by_all_three_challenges_replaces_rolls_its_key_and_revokes() {
    let world = World::new(&["acme.require_external_account=true"]);
    let (kid, key) = external_key(&world);
    let external = ExternalAccountKey::new(kid, &URL_SAFE_NO_PAD.decode(key).unwrap());
    let wanted = NewAccount {
        contact: &["mailto:ana@a.test"],
        terms_of_service_agreed: true,
        only_return_existing: false,
    };
    let builder = || Account::builder_with_root(world.root()).unwrap();
    let refused = builder().create(&wanted, world.directory(), None).await.map(|_| ()).unwrap_err();
    assert!(refused.to_string().contains("externalAccountRequired"), "{refused}");
    let (account, _) = builder().create(&wanted, world.directory(), Some(&external)).await.unwrap();
    let (web, handshakes) = (world.folder("web"), world.folder("handshakes"));
    let (_web, _handshakes) = (world.web(&web), world.handshakes(&handshakes));
    let _other = world.web_at("127.0.0.2", &web);
    let mut library = Library { world: &world, account, web, handshakes };

    let dns = |name: &str| Identifier::Dns(name.to_owned());
    let address = Identifier::Ip("127.0.0.1".parse().unwrap());
    let (two, one) = ([dns("a.test"), dns("b.test")], [dns("c.test")]);
    let first = library.issue(&NewOrder::new(&two), By::Http, "http.pem").await;
    issued(&world, &first, &["a.test", "b.test"]);
    issued(&world, &library.issue(&NewOrder::new(&one), By::Dns, "dns.pem").await, &["c.test"]);
    let handshake = [dns("d.test"), address.clone()];
    let by_handshake = library.issue(&NewOrder::new(&handshake), By::Handshake, "handshake.pem").await;
    issued(&world, &by_handshake, &["d.test", "127.0.0.1"]);
    let alone = [Identifier::Ip("127.0.0.2".parse().unwrap())];
    issued(&world, &library.issue(&NewOrder::new(&alone), By::Http, "address.pem").await, &["127.0.0.2"]);
    assert!(library.account.profiles().any(|profile| profile.name == "shortlived"));
    let short = NewOrder::new(&one).profile("shortlived");
    issued(&world, &library.issue(&short, By::Dns, "short.pem").await, &["c.test"]);

    let id = renewal_id(&first_of(&first));
    let (told, _) = library.account.renewal_info(&id).await.unwrap();
    assert!(told.suggested_window.start < told.suggested_window.end);
    let again = NewOrder::new(&two).replaces(id.clone());
    let second = library.issue(&again, By::Http, "second.pem").await;
    issued(&world, &second, &["a.test", "b.test"]);
    let twice = library.account.new_order(&again).await.map(|_| ()).unwrap_err();
    assert!(twice.to_string().contains("alreadyReplaced"), "{twice}");

    let credentials = library.account.update_key().await.unwrap();
    library.account = builder().from_credentials(credentials).await.unwrap();
    library.account.update_contacts(&[]).await.unwrap();
    let third = library.issue(&NewOrder::new(&one), By::Dns, "third.pem").await;
    issued(&world, &third, &["c.test"]);

    let der = CertificateDer::from(first_of(&second));
    let revoked = RevocationRequest { certificate: &der, reason: Some(RevocationReason::Superseded) };
    library.account.revoke(&revoked).await.unwrap();
    assert_eq!(world.state(&world.serial(&second)), "revoked");
    let twice = library.account.revoke(&revoked).await.unwrap_err();
    assert!(twice.to_string().contains("alreadyRevoked"), "{twice}");
    let (told, _) = library.account.renewal_info(&renewal_id(&der)).await.unwrap();
    let now = std::time::SystemTime::now();
    assert!(told.suggested_window.end < now, "a revoked one is to be renewed at once");
    library.account.deactivate().await.unwrap();
}
