//! Writes one certificate of each profile and kind of key, a CRL of each scope and an OCSP response of each status, by
//! issuers of each kind, into a folder, for linters that we did not write. Without a folder it says how fast each step is.
//!
//!     cargo run --example pki_artefacts -p proof -- FOLDER
//!     cargo run --release --example pki_artefacts -p proof
//!
//! `FOLDER/artefacts.txt` lists them, a line each: kind, file, and the certificate of who signed it.
//! Never here: a check; the tests and the linters check.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a measurement may fail by panic, measures time and is told its folder by the command line"
)]

#[path = "../tests/x509_support/mod.rs"]
mod x509_support;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use proof::x509::crl::{CrlDraft, Entry, Reason, Scope};
use proof::x509::ocsp::{
    CertId, IdHash, OcspRequest, ResponderId, ResponseDraft, Single, Status, assemble_response,
};
use proof::x509::{Profile, Serial, Uri, assemble, lint, pem};
use x509_support::*;

/// Entries of the large CRL.
const ENTRIES: u32 = 1_000_000;
/// Rounds of each measurement.
const ROUNDS: u32 = 5_000;

fn main() {
    match std::env::args().nth(1) {
        Some(folder) => Desk::new(&folder).fill(),
        None => speed(&Hierarchy::new()),
    }
}

/// The folder, and the lines that say what is in it.
struct Desk {
    folder: PathBuf,
    listed: String,
}

impl Desk {
    fn new(folder: &str) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        Self { folder: folder.into(), listed: String::new() }
    }

    fn fill(mut self) {
        let house = Hierarchy::new();
        self.authorities(&house, "");
        self.leaves(&house);
        // an issuing key of another kind than the root's, so that both sign once with each
        let below = all_kinds().iter().cycle().skip(1);
        for ((root_kind, root), (kind, issuing)) in all_kinds().iter().zip(below) {
            let house = Hierarchy::of(Arc::clone(root), Arc::clone(issuing), Some(&constraints()));
            self.authorities(&house, &format!("-{root_kind}-{kind}"));
        }
        std::fs::write(self.folder.join("artefacts.txt"), self.listed).unwrap();
    }

    fn put(&mut self, kind: &str, file: &str, by: &str, bytes: &[u8]) {
        std::fs::write(self.folder.join(file), bytes).unwrap();
        self.listed.push_str(&format!("{kind} {file} {by}\n"));
    }

    fn put_certificate(&mut self, name: &str, by: &str, der: &[u8]) {
        let text = pem::encode(pem::Label::Certificate, der);
        self.put("certificate", &format!("{name}.pem"), &format!("{by}.pem"), text.as_bytes());
    }

    /// A hierarchy, and what its authorities say: lists and answers.
    fn authorities(&mut self, house: &Hierarchy, mark: &str) {
        let (root, issuing) = (format!("root{mark}"), format!("issuing{mark}"));
        self.put_certificate(&root, &root, &house.root.der);
        self.put_certificate(&issuing, &root, &house.issuing.der);
        self.put_certificate(&format!("responder{mark}"), &issuing, &house.responder.der);
        let shard = Uri::parse_http("http://pki.dev.example/crl/issuing-1/3.crl").unwrap();
        let (root, issuing) = (format!("{root}.pem"), format!("{issuing}.pem"));
        self.put("arl", &format!("root{mark}.crl"), &root, &list(house, Scope::Everything, []));
        let entries = (0..12).map(entry);
        self.put("crl", &format!("shard{mark}.crl"), &issuing, &list(house, Scope::Shard(&shard), entries));
        self.put("crl", &format!("shard-empty{mark}.crl"), &issuing, &list(house, Scope::Shard(&shard), []));
        let revoked = Status::Revoked { at: moment(NOW_S - 60), reason: Reason::KeyCompromise };
        for (name, status) in [("good", Status::Good), ("revoked", revoked), ("unknown", Status::Unknown)] {
            for (hash, word, nonce) in
                [(IdHash::Sha1, "sha1", None), (IdHash::Sha256, "sha256", Some(&[7; 32]))]
            {
                let bytes = answer(house, status, hash, nonce.map(<[u8; 32]>::as_slice));
                self.put("answer", &format!("ocsp-{name}-{word}{mark}.der"), &issuing, &bytes);
            }
        }
    }

    fn leaves(&mut self, house: &Hierarchy) {
        for (kind, signer) in all_kinds() {
            for profile in end_entities().filter(|profile| profile.key_usage(signer.key()).is_some()) {
                let mut parts = Parts::of(profile);
                // some linters do not know wildcards, which RFC 5280 leaves to others
                parts.names.retain(|name| !name.text().starts_with('*'));
                let der = house.issuing.issue(&parts.draft(profile, signer.key())).unwrap();
                self.put_certificate(&format!("leaf-{}-{kind}", profile.as_str()), "issuing", &der);
            }
        }
    }
}

fn list(house: &Hierarchy, scope: Scope<'_>, entries: impl IntoIterator<Item = Entry>) -> Vec<u8> {
    let holder = if scope == Scope::Everything { &house.root } else { &house.issuing };
    let issuer = holder.issuer();
    let freshest = Uri::parse_http("http://pki.dev.example/crl/issuing-1/3-delta.crl").unwrap();
    let draft = CrlDraft {
        issuer: &issuer,
        number: 9,
        this_update: moment(NOW_S),
        next_update: moment(NOW_S + DAY_S),
        scope,
        freshest: (scope != Scope::Everything).then_some(&freshest),
        delta_base: None,
    };
    let tbs = draft.tbs(entries).unwrap();
    assemble(&tbs, issuer.algorithm, &holder.signer.sign(&tbs))
}

fn entry(number: u32) -> Entry {
    let mut random = [7; 16];
    random[12..].copy_from_slice(&number.to_be_bytes());
    let reasons = [Reason::Unspecified, Reason::KeyCompromise, Reason::Superseded];
    Entry {
        serial: Serial::from_random(random),
        revoked_at: moment(NOW_S - 60),
        reason: reasons[number as usize % 3],
        invalid_since: number.is_multiple_of(2).then(|| moment(NOW_S - 90)),
    }
}

fn answer(house: &Hierarchy, status: Status, hash: IdHash, nonce: Option<&[u8]>) -> Vec<u8> {
    let issuing = house.issuing.certificate();
    let id = CertId::new(hash, &issuing.subject, house.issuing.signer.key(), serial(4)).unwrap();
    let single = Single { id, status, this_update: moment(NOW_S), next_update: moment(NOW_S + DAY_S) };
    let draft = ResponseDraft {
        responder: ResponderId::of(house.responder.signer.key()).unwrap(),
        produced_at: moment(NOW_S),
        responder_ends: house.responder.certificate().validity().unwrap().not_after,
        singles: &[single],
        nonce,
    };
    let tbs = draft.tbs().unwrap();
    let signature = house.responder.signer.sign(&tbs);
    assemble_response(&tbs, house.responder.signer.algorithm(), &signature, &house.responder.der)
}

fn measure(what: &str, mut step: impl FnMut()) {
    let started = Instant::now();
    (0..ROUNDS).for_each(|_| step());
    let rate = f64::from(ROUNDS) / started.elapsed().as_secs_f64();
    println!("{what:<52} {rate:>9.0} per second");
}

fn speed(house: &Hierarchy) {
    let signer = Signer::p256();
    let parts = Parts::of(Profile::Service);
    let issuer = house.issuing.issuer();
    let issuing = house.issuing.certificate();
    measure("draft, TBS", || {
        parts.draft(Profile::Service, signer.key()).tbs(&issuer).unwrap();
    });
    let der = house.issuing.issue(&parts.draft(Profile::Service, signer.key())).unwrap();
    measure("lint with the issuer's certificate", || {
        assert!(lint::certificate(&der, Profile::Service, Some(&issuing)).is_empty());
    });
    measure("draft, throw-away signature, lint, signature, verify", || {
        let tbs = parts.draft(Profile::Service, signer.key()).tbs(&issuer).unwrap();
        let trial = assemble(&tbs, issuer.algorithm, &signer.sign(&tbs));
        assert!(lint::certificate(&trial, Profile::Service, Some(&issuing)).is_empty());
        let der = assemble(&tbs, issuer.algorithm, &house.issuing.signer.sign(&tbs));
        let certificate = proof::x509::Certificate::parse(&der).unwrap();
        assert!(certificate.tbs == tbs && certificate.verify(house.issuing.signer.key()).is_ok());
    });
    measure("OCSP response with its P-256 signature", || {
        answer(house, Status::Good, IdHash::Sha1, Some(&[7; 32]));
    });
    let id = CertId::new(IdHash::Sha1, &issuing.subject, house.issuing.signer.key(), serial(4)).unwrap();
    let request = OcspRequest { ids: vec![id], nonce: Some(vec![1; 32]) }.write();
    measure("OCSP request, parsed", || {
        OcspRequest::parse(&request).unwrap();
    });
    for (kind, signer) in all_kinds() {
        let started = Instant::now();
        (0..20).for_each(|_| signer.key().judge().unwrap());
        println!("judge a key: {kind:<39} {:>9.0} µs", started.elapsed().as_secs_f64() * 1e6 / 20.0);
    }
    let shard = Uri::parse_http("http://pki.dev.example/crl/issuing-1/3.crl").unwrap();
    let started = Instant::now();
    let crl = list(house, Scope::Shard(&shard), (0..ENTRIES).map(entry));
    println!("CRL of {ENTRIES} entries, {} bytes: {} ms", crl.len(), started.elapsed().as_millis());
    let started = Instant::now();
    assert!(lint::crl(&crl, &issuing).is_empty());
    println!("lint of that CRL: {} ms", started.elapsed().as_millis());
}
