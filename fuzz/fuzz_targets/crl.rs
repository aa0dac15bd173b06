//! Revocation lists: one that is released was signed by us, and another reader finds the same certificates on it.
//!
//! An input is a list, or `sign ` and the bytes of one that the issuing CA signs.
#![no_main]

use std::sync::LazyLock;

use fuzz::authority::{self, HOUSE};
use proof::x509::crl::Crl;
use proof::x509::lint;
use x509_parser::prelude::FromDer as _;
use x509_parser::revocation_list::CertificateRevocationList;

static SIGNED: LazyLock<Vec<Vec<u8>>> = LazyLock::new(authority::lists);

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for tbs in SIGNED.iter() {
        let list = authority::signed_list(tbs);
        let findings = lint::crl(&list, &HOUSE.issuing.certificate());
        assert!(findings.is_empty(), "{findings:?}");
        seeds.push(list);
        seeds.push(authority::signing(tbs));
    }
    seeds
}

fn list(bytes: &[u8], signed: Option<&[u8]>) {
    let passes = lint::crl(bytes, &HOUSE.issuing.certificate()).is_empty();
    let Ok(ours) = Crl::parse(bytes) else {
        assert!(!passes, "what is not read is not released");
        return;
    };
    let _ = (ours.number(), ours.delta_base(), ours.authority_key_id(), ours.distribution_point());
    let holds = ours.verify(HOUSE.issuing.signer.key()).is_ok();
    assert!(holds || !passes, "what is released is signed");
    let known = signed == Some(ours.tbs) || SIGNED.iter().any(|tbs| tbs == ours.tbs);
    assert!(known || !holds, "the issuing CA did not sign this");
    let entries: Result<Vec<_>, _> = ours.entries().collect();
    if let Ok(entries) = &entries {
        for entry in entries.iter().take(8) {
            assert!(
                ours.find(&entry.serial).is_ok_and(|found| found.is_some()),
                "{} is not found",
                entry.serial
            );
        }
    }
    match CertificateRevocationList::from_der(bytes) {
        Ok((rest, theirs)) => {
            assert!(rest.is_empty());
            assert_eq!(theirs.issuer().as_raw(), ours.issuer.der());
            assert_eq!(theirs.last_update().timestamp(), ours.this_update.seconds());
            let next = theirs.next_update().map(|next| next.timestamp());
            assert_eq!(next, ours.next_update.map(|next| next.seconds()));
            let Ok(entries) = entries else {
                assert!(!passes, "a list is released that cannot be read to its end");
                return;
            };
            let theirs: Vec<_> = theirs.iter_revoked_certificates().collect();
            assert_eq!(theirs.len(), entries.len());
            for (theirs, ours) in theirs.iter().zip(&entries) {
                assert_eq!(theirs.raw_serial(), ours.serial.content());
                assert_eq!(theirs.revocation_date.timestamp(), ours.revoked_at.seconds());
            }
        }
        Err(refusal) => assert!(!passes, "another reader refuses what the lint releases: {refusal}"),
    }
}

fn check(bytes: &[u8]) {
    match authority::to_sign(bytes) {
        Some(tbs) => list(&authority::signed_list(tbs), Some(tbs)),
        None => list(bytes, None),
    }
}

fuzz::target!(seeds, check);
