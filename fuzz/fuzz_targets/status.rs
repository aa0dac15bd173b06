//! Status lists: packed text within its limits, the same bits after packing again; an entry reads back as it is written.
#![no_main]

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::write::GzEncoder;
use fuzz::papers;
use proof::json::{self, Limits};
use proof::status::{
    BitString, ENTRIES_DEFAULT, ENTRIES_MIN, Entry, LIST_DOCUMENT_BYTES_MAX, List, UNPACKED_BYTES_MAX,
};

/// Lists up to this long are packed again; longer ones would take the time of many inputs.
const PACKED_AGAIN_BYTES_MAX: usize = 256 * 1024;

fn seeds() -> Vec<Vec<u8>> {
    let mut bits = BitString::new(ENTRIES_DEFAULT).expect("the usual list");
    (0..ENTRIES_DEFAULT).step_by(977).for_each(|index| bits.set(index, true).expect("within the list"));
    let entry =
        Entry { list: papers::LIST.into(), index: 3, purpose: "revocation".into(), index_was_number: false };
    let text = |bits: &BitString| bits.encode().expect("a list of ours").into_bytes();
    vec![
        text(&bits),
        text(&BitString::new(0).expect("the smallest list")),
        papers::status_list().to_string().into_bytes(),
        entry.to_json().to_string().into_bytes(),
        packed(1, UNPACKED_BYTES_MAX),
        packed(1, UNPACKED_BYTES_MAX + 1),
        packed(0, 0),
    ]
}

/// A packed list that is nothing but `length` bytes `byte`.
fn packed(byte: u8, length: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let piece = vec![byte; 1 << 20];
    let mut left = length;
    while left > 0 {
        let part = left.min(piece.len());
        encoder.write_all(&piece[..part]).expect("memory does not fail");
        left -= part;
    }
    let packed = encoder.finish().expect("memory does not fail");
    format!("u{}", URL_SAFE_NO_PAD.encode(packed)).into_bytes()
}

fn bits(text: &str) {
    let Ok(bits) = BitString::decode(text) else { return };
    assert!(bits.entries() >= ENTRIES_MIN && bits.as_bytes().len() <= UNPACKED_BYTES_MAX);
    assert!(bits.get(bits.entries() - 1).is_ok() && bits.get(bits.entries()).is_err());
    if bits.as_bytes().len() <= PACKED_AGAIN_BYTES_MAX {
        let again = bits.encode().expect("a list of ours");
        assert_eq!(BitString::decode(&again), Ok(bits));
    }
}

fn check(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        bits(text);
    }
    // What the alphabet would keep out: any bytes as the packed ones.
    bits(&format!("u{}", URL_SAFE_NO_PAD.encode(bytes)));
    let limits = Limits { bytes: LIST_DOCUMENT_BYTES_MAX, ..Limits::default() };
    let Ok(document) = json::parse(bytes, &limits) else { return };
    if let Ok(entry) = Entry::read(&document) {
        let written = Entry { index_was_number: false, ..entry.clone() };
        assert_eq!(Entry::read(&entry.to_json()), Ok(written));
    }
    if let Ok(list) = List::read(&document) {
        assert!(list.bits.entries() >= ENTRIES_MIN);
    }
}

fuzz::target!(seeds, check);
