//! What is shipped to watch a house by: every figure that an alert or the dashboard names is one that a house shows.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::{collections::BTreeSet, path::PathBuf, sync::Arc, time::Duration};

use axum::http::Method;
use base::{Id, SystemChance};
use keys::{Algorithm, OfflineKey, Token, TokenSettings};
use pki::{Asked, CeremonyOrder, Grade, RootSignatures, WantedNames};
use proof::x509::{
    Certificate,
    crl::Reason,
    ocsp::{CertId, IdHash, OcspRequest},
};
use testkit::TestHouse;

const ALERTS: &str = include_str!("../../../deploy/prometheus/selo-alerts.yml");
const TRIALS: &str = include_str!("../../../deploy/prometheus/selo-alerts.test.yml");
const DASHBOARD: &str = include_str!("../../../deploy/grafana/selo-pki.json");

/// The figures that a text names. A histogram is named by its parts.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words
        .filter(|word| word.starts_with("selo_"))
        .map(|word| word.strip_suffix("_bucket").unwrap_or(word).to_owned())
        .collect()
}

/// A house in which everything happened once that a figure counts.
async fn eventful() -> TestHouse {
    let house = TestHouse::new().await;
    let (pki, call) = (house.rooms.pki.clone(), house.rooms.house.system("test"));
    let root = OfflineKey::generate(Algorithm::P384, &SystemChance).unwrap();
    let spki = pki::root_spki(root.public()).unwrap();
    let planned = pki.plan_ceremony(&call, Id::NIL, CeremonyOrder::default(), &spki).await.unwrap();
    let sign = |bytes: &[u8]| root.sign(bytes).unwrap().x509();
    let signatures = RootSignatures {
        root: sign(&planned.root_tbs),
        issuing: sign(&planned.issuing_tbs),
        crl: sign(&planned.crl_tbs),
        shares: Vec::new(),
    };
    let held = pki.finish_ceremony(&call, Id::NIL, planned.id.unwrap(), signatures).await.unwrap();
    let asked = |profile: &str| Asked {
        profile: profile.to_owned(),
        names: WantedNames { dns: vec!["a.test".to_owned()], ..WantedNames::default() },
        csr: Some(proof::x509::pem::encode(
            proof::x509::pem::Label::CertificateRequest,
            &pki::request_der(&pki::local_key().unwrap(), &[]).unwrap(),
        )),
        ..Asked::default()
    };
    let one = pki.issue(&call, Id::NIL, Grade::Admin, asked("server")).await.unwrap().certificate;
    pki.issue(&call, Id::NIL, Grade::Admin, asked("root")).await.unwrap_err();
    pki.issue(&call, Id::NIL, Grade::Admin, asked("client")).await.unwrap();
    let serial = one.serial.to_string();
    pki.revoke(&call, Id::NIL, &serial, Reason::Superseded, None).await.unwrap();
    pki.issue(&call, Id::NIL, Grade::Admin, asked("server")).await.unwrap();
    let authorities = pki.authorities(Id::NIL).await.unwrap();
    let issuing = authorities.iter().find(|one| one.parent.is_some()).unwrap();
    pki.list(&issuing.handle, Some(0)).await.unwrap().unwrap();
    let certificate = Certificate::parse(&held.issuing).unwrap();
    let id =
        CertId::new(IdHash::Sha256, &certificate.subject, &certificate.key().unwrap(), one.serial).unwrap();
    pki.answer(&OcspRequest { ids: vec![id], nonce: None }.write()).await;
    house.clock.advance(Duration::from_secs(70 * 86_400));
    pki.look_up_figures().await.unwrap();
    // A token shows its figures from the moment it is configured, whether it can be reached or not.
    let settings = TokenSettings {
        library: PathBuf::new(),
        label: String::new(),
        pin_file: PathBuf::new(),
        sessions: 1,
    };
    let _token = Token::new(settings, Arc::new(base::SystemClock), &house.rooms.metrics);
    house
}

#[tokio::test]
async fn a_house_shows_every_figure_that_an_alert_or_the_dashboard_names() {
    let house = eventful().await;
    let shown = named(&house.rooms.metrics.expose());
    for (file, text) in [("selo-alerts.yml", ALERTS), ("selo-pki.json", DASHBOARD)] {
        let named = named(text);
        assert!(named.len() >= 10, "{file} names {named:?}");
        let unknown: Vec<&String> = named.difference(&shown).collect();
        assert!(unknown.is_empty(), "{file} names figures that no house shows: {unknown:?}");
    }
    let tried: Vec<&str> = ALERTS
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "))
        .filter(|name| TRIALS.matches(&format!("alertname: {name}")).count() < 2)
        .collect();
    assert!(tried.is_empty(), "no trial in which they speak and one in which they are silent: {tried:?}");
}

#[tokio::test]
async fn lists_are_signed_again_before_anybody_asks_and_their_age_is_shown() {
    let house = eventful().await;
    let pki = &house.rooms.pki;
    let line = |name: &str| {
        let figures = house.rooms.metrics.expose();
        let found = figures.lines().find(|line| line.starts_with(name)).map(str::to_owned);
        found.unwrap_or_else(|| panic!("no {name} in\n{figures}"))
    };
    assert!(line("selo_crl_age_seconds").ends_with(" 6048000"), "{}", line("selo_crl_age_seconds"));
    assert_eq!(line("selo_cert_overdue_days_left{le=\"30\"}"), "selo_cert_overdue_days_left{le=\"30\"} 2");
    assert_eq!(line("selo_cert_overdue_days_left{le=\"14\"}"), "selo_cert_overdue_days_left{le=\"14\"} 0");
    pki.renew_lists().await.unwrap();
    pki.look_up_figures().await.unwrap();
    assert!(line("selo_crl_age_seconds").ends_with(" 0"), "{}", line("selo_crl_age_seconds"));
    let answer = house.admin(Method::GET, "/metrics", "", "").await;
    assert!(answer.text().contains("selo_pki_issue_seconds_bucket{stage=\"sign\""), "{}", answer.text());
}
