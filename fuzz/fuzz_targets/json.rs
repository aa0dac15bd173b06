//! Strict JSON: what our reader accepts, another reader takes for the same value; what it refuses has a place.
#![no_main]

use proof::json::{self, BYTES_MAX};
use serde_json::Value;

fn seeds() -> Vec<Vec<u8>> {
    fuzz::texts(&[
        r#" {"a":[1,-2,3.5e-3,true,false,null,""],"b":{"c":"\u00e9\ud83d\ude00\n\/"},"d":-0,"e":18446744073709551615} "#,
        r#"{"a":1,"\u0061":2}"#,
        r#"["\ud800","\udc00\ud800"]"#,
        "[1e308,1e-400,-9223372036854775809,123456789012345678901234567890.5]",
        &"[".repeat(65),
        &format!("[{}0]", r#"{"":0},"#.repeat(200)),
    ])
}

fn check(bytes: &[u8]) {
    let value = match json::parse_default(bytes) {
        Ok(value) => value,
        Err(error) => {
            assert!(error.line > 0 && error.column > 0);
            return;
        }
    };
    let theirs: Value = serde_json::from_slice(bytes).expect("another reader accepts it too");
    assert_eq!(value, theirs);
    let written = value.to_string();
    if written.len() <= BYTES_MAX {
        assert_eq!(json::parse_default(written.as_bytes()), Ok(value));
    }
}

fuzz::target!(seeds, check);
