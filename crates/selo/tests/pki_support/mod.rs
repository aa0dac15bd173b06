//! What the tests of the authority share: a ceremony, requests, and openssl as the judge of what comes of them.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::path::Path;

use axum::http::Method;
use base::SystemChance;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use keys::{Algorithm, OfflineKey};
use proof::x509::{
    Certificate, DnsName, GeneralName, Serial,
    ocsp::{CertId, IdHash, OcspRequest, OcspResponse, Status},
    pem::{self, Label},
};
use serde_json::{Value, json};
use testkit::{Answer, TestHouse};

use crate::common::openssl;

pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

/// A request for these names with a fresh key, PEM.
pub fn request(names: &[&str]) -> String {
    request_with(&pki::local_key().unwrap(), names)
}

pub fn request_with(key: &pki::LocalKey, names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| GeneralName::Dns(DnsName::parse(name).unwrap())).collect();
    pem::encode(Label::CertificateRequest, &pki::request_der(key, &names).unwrap())
}

/// Holds a ceremony as the command line does: what the root signed is answered by the house.
pub async fn ceremony(house: &TestHouse, order: Value) -> Answer {
    let root = OfflineKey::generate(Algorithm::P384, &SystemChance).unwrap();
    let spki = STANDARD.encode(pki::root_spki(root.public()).unwrap());
    let planned = house.post("/api/v1/pki/init", json!({"order": order, "rootPublicKey": spki})).await;
    if planned.status != 201 {
        return planned;
    }
    let planned = planned.data();
    let sign = |name: &str| {
        let tbs = STANDARD.decode(text(&planned, name)).unwrap();
        STANDARD.encode(root.sign(&tbs).unwrap().x509())
    };
    let signed = json!({"root": sign("root"), "issuing": sign("issuing"), "crl": sign("crl"),
        "shareFingerprints": ["a", "b", "c"]});
    house.post(&format!("/api/v1/pki/init/{}/finish", text(&planned, "id")), signed).await
}

/// A house with a hierarchy; root and issuing certificate.
pub async fn hierarchy(house: &TestHouse) -> (Vec<u8>, Vec<u8>) {
    let made = ceremony(house, json!({})).await.data();
    let der = |name: &str| pem::one(text(&made, name).as_bytes(), Label::Certificate).unwrap();
    (der("root"), der("issuing"))
}

pub async fn issue(house: &TestHouse, profile: &str, name: &str) -> Value {
    let body = json!({"profile": profile, "csr": request(&[name])});
    let answer = house.post("/api/v1/pki/certificates", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.data()
}

pub fn der(certificate: &Value) -> Vec<u8> {
    pem::one(text(certificate, "certificate").as_bytes(), Label::Certificate).unwrap()
}

pub fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) -> String {
    let file = folder.join(name);
    std::fs::write(&file, bytes).unwrap();
    file.display().to_string()
}

/// The moment of the house's clock, for openssl.
pub fn at(house: &TestHouse) -> String {
    house.rooms.house.now().seconds().to_string()
}

/// Every list of the house as one PEM text, from the public zone.
pub async fn lists(house: &TestHouse) -> String {
    let mut all = String::new();
    for one in house.get("/api/v1/pki/authorities").await.data()["items"].as_array().unwrap() {
        let handle = text(one, "handle");
        if one["kind"] == "root" {
            let answer = house.public_get(&format!("/crl/{handle}.crl")).await;
            all.push_str(&pem::encode(Label::Crl, &answer.body));
            continue;
        }
        for shard in 0..one["shards"].as_u64().unwrap() {
            let answer = house.public_get(&format!("/crl/{handle}/{shard}.crl")).await;
            assert_eq!(answer.header("content-type"), Some("application/pkix-crl"));
            all.push_str(&pem::encode(Label::Crl, &answer.body));
        }
    }
    all
}

/// Whether openssl accepts a chain with all its lists, at the moment of the house.
pub async fn judged(house: &TestHouse, root: &[u8], issuing: &[u8], leaf: &[u8]) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let pem = |der: &[u8]| pem::encode(Label::Certificate, der);
    let files = [
        write(folder.path(), "root.pem", pem(root)),
        write(folder.path(), "issuing.pem", pem(issuing)),
        write(folder.path(), "crls.pem", lists(house).await),
        write(folder.path(), "leaf.pem", pem(leaf)),
    ];
    openssl(&[
        "verify",
        "-x509_strict",
        "-crl_check_all",
        "-attime",
        &at(house),
        "-CAfile",
        &files[0],
        "-untrusted",
        &files[1],
        "-CRLfile",
        &files[2],
        &files[3],
    ])
}

/// What OCSP says of a number, after openssl accepted the answer's signature.
pub async fn asked(house: &TestHouse, root: &[u8], issuing: &[u8], serial: Serial, hash: IdHash) -> Status {
    let certificate = Certificate::parse(issuing).unwrap();
    let id = CertId::new(hash, &certificate.subject, &certificate.key().unwrap(), serial).unwrap();
    let request = OcspRequest { ids: vec![id], nonce: None }.write();
    let answer = house.public(Method::POST, "/ocsp", "application/ocsp-request", request.clone()).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/ocsp-response")));
    let folder = tempfile::tempdir().unwrap();
    let pem = |der: &[u8]| pem::encode(Label::Certificate, der);
    let files = [
        write(folder.path(), "answer.der", &answer.body),
        write(folder.path(), "request.der", request),
        write(folder.path(), "root.pem", pem(root)),
        write(folder.path(), "issuing.pem", pem(issuing)),
    ];
    let (good, said) = openssl(&[
        "ocsp",
        "-respin",
        &files[0],
        "-reqin",
        &files[1],
        "-CAfile",
        &files[2],
        "-verify_other",
        &files[3],
        "-attime",
        &at(house),
        "-no_nonce",
    ]);
    assert!(good && said.contains("Response verify OK"), "{said}");
    OcspResponse::parse(&answer.body).unwrap().singles[0].status
}

pub fn serial_of(der: &[u8]) -> Serial {
    Certificate::parse(der).unwrap().serial().unwrap()
}
