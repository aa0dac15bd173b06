//! Short texts from the outside of a request: ids, page tokens, times. Each has one spelling, or reads back as the same.
#![no_main]

use base::id::{Id, base32, from_base32, kind};
use base::{PageToken, Time};
use proof::credential::parse_time;

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = fuzz::texts(&[
        "cred_01hgw2bbg0000000000000000r",
        "7zzzzzzzzzzzzzzzzzzzzzzzzz",
        "2026-07-20T09:00:00Z",
        "2026-07-20T09:00:00.123456789+01:30",
        "-009999-01-01T00:00:00Z",
        "9999-12-31T23:59:60-23:59",
    ]);
    seeds.push(PageToken(vec!["é".into(), "cred_1".into()]).encode().into_bytes());
    seeds.push(PageToken(vec![String::new()]).encode().into_bytes());
    seeds
}

fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(id) = text.parse::<Id<kind::Credential>>() {
        assert_eq!(id.to_string(), text);
    }
    if let Some(value) = from_base32(text) {
        assert_eq!(base32(value), text);
    }
    for parts in 0..4 {
        if let Ok(token) = PageToken::decode(text, parts) {
            assert_eq!(token.0.len(), parts);
            assert_eq!(token.encode(), text, "a token is ours, letter for letter");
        }
    }
    if let Some(time) = Time::parse(text) {
        assert_eq!(Time::parse(&time.rfc3339()), Some(time));
        assert_eq!(Time::parse(&time.sortable()), Some(time));
    }
    let _ = parse_time(text);
}

fuzz::target!(seeds, check);
