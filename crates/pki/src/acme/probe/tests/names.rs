//! dns-01 and CAA: what the name server says, and what its silence means.

use super::*;
use crate::acme::{ChallengeKind::Dns01, ProbeFaultKind as Kind};

/// base64url of SHA-256 of the key authorization, computed by another program.
const DIGEST: &str = "lCM7cZyQXcVHK2nnW3jjAhNT3Fvm18UN-kWZZknKoYM";

async fn probed(names: &NameServer) -> Outcome<()> {
    let house = house(&[names.setting()], LIMITS);
    house.probe(Dns01, &name("a.example"), TOKEN, KEY_AUTHORIZATION).await
}

fn saying(data: Vec<RData>) -> NameServer {
    NameServer::start(false, move |_, kind, _| match kind {
        RecordType::TXT => Reply::Records(data.clone()),
        _ => Reply::Records(Vec::new()),
    })
}

#[tokio::test]
async fn any_text_of_the_set_may_be_the_digest_whole_or_in_pieces() {
    let (head, tail) = DIGEST.split_at(7);
    for data in [
        vec![text(&[DIGEST])],
        vec![text(&["another"]), text(&[DIGEST]), text(&[""])],
        vec![text(&[head, tail])],
    ] {
        let names = saying(data);
        assert_eq!(probed(&names).await, Ok(()));
        assert_eq!(names.asked(RecordType::TXT), ["_acme-challenge.a.example"]);
    }
}

#[tokio::test]
async fn an_alias_is_followed() {
    let names = NameServer::start(false, |_, _, _| Reply::Alias("proofs.b.example.", vec![text(&[DIGEST])]));
    assert_eq!(probed(&names).await, Ok(()));
    let in_two_steps = NameServer::start(false, |name, _, _| match name {
        "proofs.b.example" => Reply::Records(vec![text(&[DIGEST])]),
        _ => Reply::Alias("proofs.b.example.", Vec::new()),
    });
    assert_eq!(probed(&in_two_steps).await, Ok(()));
}

#[tokio::test]
async fn an_answer_too_long_for_a_packet_comes_over_tcp() {
    let filler = "x".repeat(200);
    let names = NameServer::start(true, move |_, _, _| {
        Reply::Records((0..50).map(|_| text(&[&filler])).chain([text(&[DIGEST])]).collect())
    });
    assert_eq!(probed(&names).await, Ok(()));
}

#[tokio::test]
async fn other_texts_are_no_proof_and_absence_may_pass() {
    for data in [vec![text(&["another"])], vec![text(&[DIGEST, "x"])], vec![text(&[&DIGEST.to_lowercase()])]]
    {
        let fault = probed(&saying(data)).await.unwrap_err();
        assert_eq!((fault.kind, fault.retry), (Kind::IncorrectResponse, false));
    }
    for reply in [Reply::Records(Vec::new()), Reply::Code(ResponseCode::NXDomain)] {
        let names = NameServer::start(false, move |_, _, _| reply.clone());
        let fault = probed(&names).await.unwrap_err();
        assert_eq!((fault.kind, fault.retry), (Kind::Dns, true));
    }
}

#[tokio::test]
async fn an_error_of_the_name_server_is_no_absence() {
    for code in [ResponseCode::ServFail, ResponseCode::Refused] {
        let names = NameServer::start(false, move |_, _, _| Reply::Code(code));
        let fault = probed(&names).await.unwrap_err();
        assert_eq!((fault.kind, fault.retry), (Kind::Dns, true), "{code}");
        assert_eq!(asked_caa(&names, false).await.map_err(|fault| fault.retry), Err(true), "{code}");
    }
}

#[tokio::test]
async fn nothing_is_kept_from_one_probe_to_the_next() {
    let names = NameServer::start(false, |_, _, before| {
        Reply::Records(vec![text(&[if before == 0 { "not yet" } else { DIGEST }])])
    });
    let house = house(&[names.setting()], LIMITS);
    let identifier = name("a.example");
    assert!(house.probe(Dns01, &identifier, TOKEN, KEY_AUTHORIZATION).await.is_err());
    assert_eq!(house.probe(Dns01, &identifier, TOKEN, KEY_AUTHORIZATION).await, Ok(()));
}

#[tokio::test]
async fn an_address_has_no_texts() {
    let names = saying(Vec::new());
    let house = house(&[names.setting()], LIMITS);
    let address = Identifier::Ip("127.0.0.1".parse().unwrap());
    let outcome = house.probe(Dns01, &address, TOKEN, KEY_AUTHORIZATION).await;
    assert_eq!(kind(outcome), Some(Kind::RejectedIdentifier));
    assert!(names.asked(RecordType::TXT).is_empty());
}

async fn asked_caa(names: &NameServer, wildcard: bool) -> std::result::Result<(), CaaFault> {
    let house = house(&[names.setting(), (CAA_IDENTITY, "ca.example".to_owned())], LIMITS);
    let name = DnsName::parse("www.shop.example").unwrap();
    house.permits(CaaQuestion { name: &name, wildcard, account: "https://ca.example/7", method: Dns01 }).await
}

fn caa(tag: &str, value: &str) -> RData {
    let mut property = rdata::CAA::new_issue(false, None, Vec::new());
    property.tag = tag.to_owned();
    property.value = value.as_bytes().to_vec();
    RData::CAA(property)
}

#[tokio::test]
async fn the_nearest_set_of_caa_records_counts() {
    let names = NameServer::start(false, |name, _, _| match name {
        "shop.example" => Reply::Records(vec![caa("issue", "ca.example"), caa("issuewild", ";")]),
        "example" => Reply::Records(vec![caa("issue", ";")]),
        _ => Reply::Code(ResponseCode::NXDomain),
    });
    assert_eq!(asked_caa(&names, false).await, Ok(()));
    assert_eq!(names.asked(RecordType::CAA), ["www.shop.example", "shop.example"]);
    let fault = asked_caa(&names, true).await.unwrap_err();
    assert!(!fault.retry && fault.detail.contains("shop.example"), "{fault:?}");
    let top = NameServer::start(false, |name, _, _| match name {
        "example" => Reply::Records(vec![caa("issue", "other.example")]),
        _ => Reply::Records(Vec::new()),
    });
    assert!(asked_caa(&top, false).await.is_err());
    let nowhere = NameServer::here();
    assert_eq!(asked_caa(&nowhere, false).await, Ok(()));
    assert_eq!(nowhere.asked(RecordType::CAA), ["www.shop.example", "shop.example", "example"]);
}

#[tokio::test]
async fn an_authority_without_a_domain_does_not_ask() {
    let names = NameServer::start(false, |_, _, _| Reply::Records(vec![caa("issue", ";")]));
    let house = house(&[names.setting()], LIMITS);
    let name = DnsName::parse("a.example").unwrap();
    let question = CaaQuestion { name: &name, wildcard: false, account: "", method: Dns01 };
    assert_eq!(house.permits(question).await, Ok(()));
    assert!(names.asked(RecordType::CAA).is_empty());
}
