//! OCSP: a question is written again as the same bytes unless it has what we leave out; an answer that holds is one that
//! our responder signed.
//!
//! An input is a question, an answer, or `sign ` and the bytes of an answer that the responder signs.
#![no_main]

use std::sync::LazyLock;

use fuzz::authority::{self, HOUSE, NOW_S, moment};
use proof::x509::lint;
use proof::x509::ocsp::{NONCE_BYTES_MAX, OcspRequest, OcspResponse, REQUESTS_MAX};

static SIGNED: LazyLock<Vec<Vec<u8>>> = LazyLock::new(authority::answers);

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = authority::questions();
    assert!(seeds.iter().all(|seed| OcspRequest::parse(seed).is_ok_and(|read| read.write() == *seed)));
    for tbs in SIGNED.iter() {
        let answer = authority::signed_answer(tbs);
        let findings = lint::ocsp_response(&answer, &HOUSE.issuing.certificate(), moment(NOW_S));
        assert!(findings.is_empty(), "{findings:?}");
        seeds.push(answer);
        seeds.push(authority::signing(tbs));
    }
    seeds
}

fn answer(bytes: &[u8], signed: Option<&[u8]>) {
    let issuing = HOUSE.issuing.certificate();
    let passes = lint::ocsp_response(bytes, &issuing, moment(NOW_S)).is_empty();
    let Ok(response) = OcspResponse::parse(bytes) else {
        assert!(!passes, "what is not read is not released");
        return;
    };
    assert!(response.singles.len() <= REQUESTS_MAX && response.certificates.len() <= REQUESTS_MAX);
    let holds = response.verify(HOUSE.responder.signer.key()).is_ok();
    assert!(holds || !passes, "what is released is signed");
    let ours = signed == Some(response.tbs) || SIGNED.iter().any(|tbs| tbs == response.tbs);
    assert!(ours || !holds, "our responder did not sign this");
    if passes {
        assert!(response.singles.iter().all(|single| single.next_update > moment(NOW_S)));
    }
}

fn check(bytes: &[u8]) {
    if let Some(tbs) = authority::to_sign(bytes) {
        answer(&authority::signed_answer(tbs), Some(tbs));
        return;
    }
    if let Ok(request) = OcspRequest::parse(bytes) {
        assert!((1..=REQUESTS_MAX).contains(&request.ids.len()));
        assert!(request.nonce.as_ref().is_none_or(|nonce| (1..=NONCE_BYTES_MAX).contains(&nonce.len())));
        // a requestor's name, a signature and extensions that are not critical are left out
        let again = request.write();
        assert_eq!(OcspRequest::parse(&again).as_ref(), Ok(&request));
        assert!(again.len() <= bytes.len());
    }
    answer(bytes, None);
}

fuzz::target!(seeds, check);
