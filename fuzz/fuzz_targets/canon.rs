//! Canonical JSON (RFC 8785): the canonical text is JSON again, and its canonical text is itself.
#![no_main]

use proof::canon::{self, CanonError};
use proof::json;
use serde_json::Value;

fn seeds() -> Vec<Vec<u8>> {
    fuzz::texts(&[
        "[1e21,1e-7,0.000001,5e-324,1.7976931348623157e308,-0.0,4.50,9007199254740992,333333333.33333329]",
        "{\"\u{fb33}\":1,\"\u{1f600}\":2,\"a\":\"\\u0001\\n\\\"\\\\\",\"\":[{},[]]}",
        "[9007199254740994.0,-9223372036854775808,18446744073709551615]",
    ])
}

fn check(bytes: &[u8]) {
    let Ok(value) = json::parse_default(bytes) else { return };
    let Ok(text) = canon::canonicalize(&value) else { return };
    let back: Value = serde_json::from_str(&text).expect("the canonical text is JSON");
    match canon::canonicalize(&back) {
        Ok(again) => assert_eq!(again, text),
        // A double beyond 2^53 prints without a fraction, and is refused as an integer when it comes from outside.
        Err(error) => assert!(matches!(error, CanonError::Integer(_))),
    }
    if text.len() <= json::BYTES_MAX {
        json::parse_default(text.as_bytes()).expect("our reader accepts what we sign");
    }
}

fuzz::target!(seeds, check);
