//! CRLs and OCSP: what is built is what is read, the lint passes it and finds each change, and requests keep to their
//! bounds.
#![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

mod x509_support;

use std::collections::BTreeSet;

use proof::crypto::CryptoError;
use proof::x509::crl::{Crl, CrlDraft, CrlFault, Entry, Reason, Scope};
use proof::x509::der::{Reader, Writer, context_constructed};
use proof::x509::ocsp::{
    CertId, IdHash, NONCE_BYTES_MAX, OcspError, OcspRequest, OcspResponse, ResponderId, ResponseDraft,
    ResponseFault, Single, Status, assemble_response,
};
use proof::x509::{Certificate, Issuer, Moment, Uri, assemble, lint};
use x509_support::*;

fn shard() -> Uri {
    Uri::parse_http("http://pki.dev.example/crl/issuing-1/3.crl").unwrap()
}

fn entry(number: u8, reason: Reason) -> Entry {
    Entry { serial: serial(number), revoked_at: moment(NOW_S - DAY_S), reason, invalid_since: None }
}

fn crl_draft<'a>(issuer: &'a Issuer, scope: Scope<'a>) -> CrlDraft<'a> {
    CrlDraft {
        issuer,
        number: 7,
        this_update: moment(NOW_S),
        next_update: moment(NOW_S + DAY_S),
        scope,
        freshest: None,
        delta_base: None,
    }
}

fn sign(holder: &Holder, tbs: &[u8]) -> Vec<u8> {
    assemble(tbs, holder.signer.algorithm(), &holder.signer.sign(tbs))
}

#[test]
fn a_shard_reads_as_it_was_built() {
    let house = Hierarchy::new();
    let issuer = house.issuing.issuer();
    let url = shard();
    let reasons = [
        Reason::Unspecified,
        Reason::KeyCompromise,
        Reason::AffiliationChanged,
        Reason::Superseded,
        Reason::CessationOfOperation,
        Reason::PrivilegeWithdrawn,
    ];
    let mut entries: Vec<Entry> =
        reasons.iter().zip(1..).map(|(reason, number)| entry(number, *reason)).collect();
    entries[0].invalid_since = Some(moment(NOW_S - 9 * DAY_S));
    entries[1].invalid_since = Some(moment(NOW_S - 9 * DAY_S));
    let tbs = crl_draft(&issuer, Scope::Shard(&url)).tbs(entries.iter().copied()).unwrap();
    let der = sign(&house.issuing, &tbs);
    assert_eq!(lint::crl(&der, &house.issuing.certificate()), []);
    let crl = Crl::parse(&der).unwrap();
    assert_eq!(crl.entries().collect::<Result<Vec<_>, _>>().as_ref(), Ok(&entries));
    assert_eq!((crl.this_update, crl.next_update), (moment(NOW_S), Some(moment(NOW_S + DAY_S))));
    assert_eq!((crl.number(), crl.delta_base()), (Ok(Some(7)), Ok(None)));
    let point = crl.distribution_point().unwrap().unwrap();
    assert_eq!((point.addresses, point.only_user_certificates), (vec![url.as_str()], true));
    assert_eq!(crl.verify(house.issuing.signer.key()), Ok(()));
    assert_eq!(crl.verify(house.responder.signer.key()), Err(CryptoError::Signature));
    assert_eq!(crl.find(&entries[3].serial), Ok(Some(entries[3])));
    assert_eq!(crl.find(&serial(99)), Ok(None));
    // an entry without a reason has no extensions at all
    let bare = crl_draft(&issuer, Scope::Everything).tbs([entry(1, Reason::Unspecified)]).unwrap();
    let with = crl_draft(&issuer, Scope::Everything).tbs([entry(1, Reason::Superseded)]).unwrap();
    assert_eq!(with.len() - bare.len(), 14);
}

#[test]
fn an_empty_list_has_no_entries_and_a_root_speaks_of_everything() {
    let house = Hierarchy::new();
    let issuer = house.root.issuer();
    let draft =
        CrlDraft { next_update: moment(NOW_S + 365 * DAY_S), ..crl_draft(&issuer, Scope::Everything) };
    let der = sign(&house.root, &draft.tbs([]).unwrap());
    assert_eq!(lint::crl(&der, &house.root.certificate()), []);
    let crl = Crl::parse(&der).unwrap();
    assert_eq!(crl.entries().count(), 0);
    assert_eq!(crl.distribution_point(), Ok(None));
}

#[test]
fn a_delta_names_its_base_and_a_full_list_names_its_deltas() {
    let house = Hierarchy::new();
    let issuer = house.issuing.issuer();
    let (url, deltas) =
        (shard(), Uri::parse_http("http://pki.dev.example/crl/issuing-1/3-delta.crl").unwrap());
    let full = CrlDraft { freshest: Some(&deltas), ..crl_draft(&issuer, Scope::Shard(&url)) };
    let der = sign(&house.issuing, &full.tbs([]).unwrap());
    assert_eq!(lint::crl(&der, &house.issuing.certificate()), []);
    let delta = CrlDraft { number: 8, delta_base: Some(7), ..crl_draft(&issuer, Scope::Shard(&url)) };
    let der = sign(&house.issuing, &delta.tbs([entry(1, Reason::RemoveFromCrl)]).unwrap());
    assert_eq!(lint::crl(&der, &house.issuing.certificate()), []);
    assert_eq!(Crl::parse(&der).unwrap().delta_base(), Ok(Some(7)));

    assert_eq!(full.tbs([entry(1, Reason::RemoveFromCrl)]), Err(CrlFault::Remove));
    assert_eq!(CrlDraft { freshest: Some(&deltas), ..delta }.tbs([]), Err(CrlFault::Delta));
    assert_eq!(CrlDraft { number: 7, ..delta }.tbs([]), Err(CrlFault::Delta));
    for seconds in [0, -1, 10 * DAY_S + 1] {
        assert_eq!(
            CrlDraft { next_update: moment(NOW_S + seconds), ..full }.tbs([]),
            Err(CrlFault::Lifetime)
        );
    }
    let secure = Uri::parse("https://pki.dev.example/1.crl").unwrap();
    assert_eq!(crl_draft(&issuer, Scope::Shard(&secure)).tbs([]), Err(CrlFault::Address));
}

#[test]
fn each_fault_of_a_list_is_found_by_its_rule() {
    let house = Hierarchy::new();
    let issuer = house.issuing.issuer();
    let url = shard();
    let draft = crl_draft(&issuer, Scope::Shard(&url));
    let tbs = draft.tbs([entry(1, Reason::Superseded)]).unwrap();
    let found = |tbs: &[u8]| -> BTreeSet<&str> {
        let der = sign(&house.issuing, tbs);
        lint::crl(&der, &house.issuing.certificate()).iter().map(|finding| finding.id).collect()
    };
    let replaced = |from: &[u8], to: &[u8]| {
        let at = tbs.windows(from.len()).position(|window| window == from).unwrap();
        [&tbs[..at], to, &tbs[at + from.len()..]].concat()
    };
    assert_eq!(found(&tbs), BTreeSet::new());
    let other = Issuer { name: name("Other"), ..issuer.clone() };
    assert!(found(&CrlDraft { issuer: &other, ..draft }.tbs([]).unwrap()).contains("selo.crl.issuer"));
    let other = Issuer { key_id: proof::x509::KeyId([1; 20]), ..issuer.clone() };
    assert!(found(&CrlDraft { issuer: &other, ..draft }.tbs([]).unwrap()).contains("selo.crl.aki"));
    assert!(found(&draft.tbs([entry(1, Reason::Superseded); 2]).unwrap()).contains("selo.crl.entries"));
    let future = Entry { revoked_at: moment(NOW_S + 1), ..entry(1, Reason::Superseded) };
    assert!(found(&draft.tbs([future]).unwrap()).contains("selo.crl.entries"));
    let times = replaced(b"261121000000Z", b"261120000000Z");
    assert!(found(&times).contains("selo.crl.times"));
    // version 1, IDP as an unknown extension, IDP not for end entities, a reason that is not in the product
    assert!(found(&replaced(&[2, 1, 1, 0x30], &[2, 1, 0, 0x30])).contains("selo.crl.version"));
    assert!(found(&replaced(&[0x55, 0x1d, 28], &[0x55, 0x1d, 99])).contains("selo.crl.extensions"));
    assert!(found(&replaced(&[0x81, 1, 0xff], &[0x82, 1, 0xff])).contains("selo.crl.scope"));
    assert!(found(&replaced(&[0x0a, 1, 4], &[0x0a, 1, 6])).contains("selo.crl.entries"));
    assert!(found(&replaced(&[0x0a, 1, 4], &[0x0a, 1, 0])).contains("selo.crl.entries"));
    assert!(found(&replaced(&[0x55, 0x1d, 20], &[0x55, 0x1d, 99])).contains("selo.crl.number"));
    let delta = CrlDraft { delta_base: Some(6), ..draft }.tbs([]).unwrap();
    let at = delta.windows(3).position(|window| window == [0x55, 0x1d, 27]).unwrap();
    // critical becomes false, written out, which is not DER
    let mut wrong = delta.clone();
    wrong[at + 5] = 0;
    assert!(found(&wrong).contains("selo.form.der"));
    let newer = [&delta[..at + 10], &[9], &delta[at + 11..]].concat();
    assert!(found(&newer).contains("selo.crl.delta"));

    let unsigned = assemble(&tbs, house.issuing.signer.algorithm(), &house.responder.signer.sign(&tbs));
    let findings = lint::crl(&unsigned, &house.issuing.certificate());
    assert_eq!(findings.iter().map(|finding| finding.id).collect::<Vec<_>>(), ["selo.crl.signature"]);
    let other = assemble(&tbs, proof::crypto::SignatureAlgorithm::EcdsaSha384, &[1]);
    let findings = lint::crl(&other, &house.issuing.certificate());
    assert!(findings.iter().any(|finding| finding.id == "selo.crl.algorithm"));
}

#[test]
fn a_hundred_thousand_entries_are_written_and_read() {
    let house = Hierarchy::new();
    let issuer = house.issuing.issuer();
    let entries = |count: u32| {
        (0..count).map(|number| {
            let mut random = [7; 16];
            random[12..].copy_from_slice(&number.to_be_bytes());
            Entry { serial: proof::x509::Serial::from_random(random), ..entry(1, Reason::Superseded) }
        })
    };
    let tbs = crl_draft(&issuer, Scope::Everything).tbs(entries(100_000)).unwrap();
    let der = sign(&house.issuing, &tbs);
    assert_eq!(lint::crl(&der, &house.issuing.certificate()), []);
    let crl = Crl::parse(&der).unwrap();
    assert_eq!(crl.entries().filter(Result::is_ok).count(), 100_000);
    // spec: an entry with a reason is of 49 octets or so
    assert!(tbs.len() < 100_000 * 52, "{}", tbs.len());
}

fn cert_id(house: &Hierarchy, hash: IdHash) -> CertId {
    let key = house.issuing.signer.key();
    CertId::new(hash, &house.issuing.certificate().subject, key, serial(9)).unwrap()
}

fn answer(house: &Hierarchy, singles: &[Single], nonce: Option<&[u8]>) -> Result<Vec<u8>, ResponseFault> {
    let draft = ResponseDraft {
        responder: ResponderId::of(house.responder.signer.key()).unwrap(),
        produced_at: moment(NOW_S),
        responder_ends: house.responder.certificate().validity().unwrap().not_after,
        singles,
        nonce,
    };
    let tbs = draft.tbs()?;
    let signature = house.responder.signer.sign(&tbs);
    Ok(assemble_response(&tbs, house.responder.signer.algorithm(), &signature, &house.responder.der))
}

fn single(id: CertId, status: Status) -> Single {
    Single { id, status, this_update: moment(NOW_S), next_update: moment(NOW_S + DAY_S) }
}

#[test]
fn a_request_reads_as_it_was_written() {
    let house = Hierarchy::new();
    for hash in [IdHash::Sha1, IdHash::Sha256] {
        for nonce in [None, Some(vec![1]), Some(vec![7; NONCE_BYTES_MAX])] {
            let request = OcspRequest { ids: vec![cert_id(&house, hash); 3], nonce };
            assert_eq!(OcspRequest::parse(&request.write()), Ok(request));
        }
    }
    let id = cert_id(&house, IdHash::Sha1);
    for request in [
        OcspRequest { ids: vec![], nonce: None },
        OcspRequest { ids: vec![id.clone(); 11], nonce: None },
        OcspRequest { ids: vec![id.clone()], nonce: Some(vec![]) },
        OcspRequest { ids: vec![id.clone()], nonce: Some(vec![0; NONCE_BYTES_MAX + 1]) },
    ] {
        assert!(OcspRequest::parse(&request.write()).is_err());
    }
    let mut longer = OcspRequest { ids: vec![id], nonce: None }.write();
    longer.push(0);
    assert!(OcspRequest::parse(&longer).is_err());
}

#[test]
fn answers_of_each_status_read_as_they_were_built() {
    let house = Hierarchy::new();
    let revoked = |reason| Status::Revoked { at: moment(NOW_S - 5), reason };
    let statuses = [
        Status::Good,
        Status::Unknown,
        revoked(Reason::Unspecified),
        revoked(Reason::KeyCompromise),
        revoked(Reason::PrivilegeWithdrawn),
    ];
    for hash in [IdHash::Sha1, IdHash::Sha256] {
        let singles: Vec<Single> =
            statuses.iter().map(|status| single(cert_id(&house, hash), *status)).collect();
        for nonce in [None, Some(&[9; 32][..])] {
            let der = answer(&house, &singles, nonce).unwrap();
            assert_eq!(lint::ocsp_response(&der, &house.issuing.certificate(), moment(NOW_S)), []);
            let read = OcspResponse::parse(&der).unwrap();
            assert_eq!(read.singles, singles);
            assert_eq!(read.nonce.as_deref(), nonce);
            assert_eq!(read.certificates, [&house.responder.der[..]]);
            assert_eq!(read.verify(house.responder.signer.key()), Ok(()));
            assert!(read.verify(house.issuing.signer.key()).is_err());
        }
    }
}

#[test]
fn an_answer_repeats_the_form_in_which_the_request_names_its_hash() {
    let house = Hierarchy::new();
    let id = cert_id(&house, IdHash::Sha256);
    let request = OcspRequest { ids: vec![id], nonce: None }.write();
    // without the NULL parameter: two octets less in four lengths
    let null = request.windows(2).position(|window| window == [5, 0]).unwrap();
    let mut bare = request.clone();
    bare.drain(null..null + 2);
    let parsed = {
        let algorithm = null - 12;
        bare[algorithm] -= 2;
        for length in [1, 3, 5, 7, 9] {
            bare[length] -= 2;
        }
        OcspRequest::parse(&bare).unwrap()
    };
    let der = answer(&house, &[single(parsed.ids[0].clone(), Status::Good)], None).unwrap();
    let written = Writer::build(|out| parsed.ids[0].write(out));
    assert!(!written.windows(2).any(|window| window == [5, 0]));
    assert!(der.windows(written.len()).any(|window| window == written));
    assert_eq!(lint::ocsp_response(&der, &house.issuing.certificate(), moment(NOW_S)), []);
}

#[test]
fn an_answer_that_would_last_too_long_is_not_built() {
    let house = Hierarchy::new();
    let good = single(cert_id(&house, IdHash::Sha1), Status::Good);
    let lasting = |seconds: i64| {
        let next_update = moment(NOW_S + seconds);
        answer(&house, &[Single { next_update, ..good.clone() }], None)
    };
    assert!(lasting(5 * DAY_S).is_ok());
    // the responder's certificate ends in six days
    for seconds in [0, 6 * DAY_S, 8 * DAY_S] {
        assert_eq!(lasting(seconds), Err(ResponseFault::Lifetime), "{seconds}");
    }
    assert_eq!(answer(&house, &[], None), Err(ResponseFault::Count));
    assert_eq!(answer(&house, &vec![good.clone(); 11], None), Err(ResponseFault::Count));
    assert_eq!(answer(&house, &[good], Some(&[])), Err(ResponseFault::Nonce));
}

#[test]
fn each_fault_of_an_answer_is_found_by_its_rule() {
    let house = Hierarchy::new();
    let other = Hierarchy::new();
    let good = single(cert_id(&house, IdHash::Sha1), Status::Good);
    let ids = |der: &[u8], now: Moment| -> Vec<&str> {
        let findings = lint::ocsp_response(der, &house.issuing.certificate(), now);
        findings.iter().map(|finding| finding.id).collect()
    };
    let now = moment(NOW_S);
    let der = answer(&house, std::slice::from_ref(&good), None).unwrap();
    assert_eq!(ids(&der, moment(NOW_S - 1)), ["selo.ocsp.times"]);
    assert_eq!(ids(&der, moment(NOW_S + DAY_S)), ["selo.ocsp.times"]);
    assert_eq!(ids(&der, moment(NOW_S + 30 * DAY_S)), ["selo.ocsp.responder", "selo.ocsp.times"]);
    let foreign = single(cert_id(&other, IdHash::Sha1), Status::Good);
    assert_eq!(ids(&answer(&house, &[foreign], None).unwrap(), now), ["selo.ocsp.issuer"]);
    let removed = Status::Revoked { at: now, reason: Reason::RemoveFromCrl };
    let removed = single(good.id.clone(), removed);
    assert_eq!(ids(&answer(&house, &[removed], None).unwrap(), now), ["selo.ocsp.reason"]);
    let read = OcspResponse::parse(&der).unwrap();
    let algorithm = house.responder.signer.algorithm();
    let wrong =
        assemble_response(read.tbs, algorithm, &house.issuing.signer.sign(read.tbs), &house.responder.der);
    assert_eq!(ids(&wrong, now), ["selo.ocsp.signature"]);
    let stranger = assemble_response(read.tbs, algorithm, read.signature, &other.responder.der);
    assert_eq!(ids(&stranger, now), ["selo.ocsp.responder", "selo.ocsp.by_key", "selo.ocsp.signature"]);
    let issuer = assemble_response(read.tbs, algorithm, read.signature, &house.issuing.der);
    assert!(ids(&issuer, now).contains(&"selo.ocsp.responder"));
    let seen = ["responder", "by_key", "times", "issuer", "reason", "signature"];
    let all: Vec<&str> = lint::ANSWER_RULES.iter().map(|(id, _)| id.rsplit('.').next().unwrap()).collect();
    assert_eq!(all, seen);
}

#[test]
fn a_responder_that_names_itself_by_its_name_gives_one_name_and_nothing_behind_it() {
    let house = Hierarchy::new();
    let single = single(cert_id(&house, IdHash::Sha1), Status::Good);
    let by_key = answer(&house, &[single], None).unwrap();
    let parsed = OcspResponse::parse(&by_key).unwrap();
    let mut inside = Reader::new(parsed.tbs).sequence().unwrap();
    inside.any().unwrap();
    let rest = std::iter::from_fn(|| inside.any().ok()).map(|one| one.whole).collect::<Vec<_>>().concat();
    let named = |responder: &[u8]| {
        let tbs = Writer::build(|out| {
            out.sequence(|out| {
                out.put(context_constructed(1), responder);
                out.raw(&rest);
            });
        });
        assemble_response(&tbs, parsed.algorithm, parsed.signature, &house.responder.der)
    };
    let name = name("Selo Dev OCSP");
    let read = named(name.der());
    assert_eq!(OcspResponse::parse(&read).unwrap().responder, None);
    let behind = [name.der(), &[0x05, 0x00]].concat();
    for wrong in [&behind[..], &[0x30, 0x02, 0x05, 0x00], &[]] {
        assert!(OcspResponse::parse(&named(wrong)).is_err(), "{wrong:?}");
    }
}

#[test]
fn errors_are_five_octets() {
    let all =
        [OcspError::MalformedRequest, OcspError::InternalError, OcspError::TryLater, OcspError::Unauthorized];
    let codes: Vec<[u8; 5]> = all.into_iter().map(OcspError::response).collect();
    let expected =
        [[0x30, 3, 0x0a, 1, 1], [0x30, 3, 0x0a, 1, 2], [0x30, 3, 0x0a, 1, 3], [0x30, 3, 0x0a, 1, 6]];
    assert_eq!(codes, expected);
    for response in codes {
        assert!(OcspResponse::parse(&response).is_err());
    }
}

#[test]
fn a_requester_may_give_six_reasons() {
    let given: Vec<u8> = (0..=12).filter(|code| Reason::from_requester(*code).is_some()).collect();
    assert_eq!(given, [0, 1, 3, 4, 5, 9]);
    assert!(Certificate::parse(&[]).is_err());
}
