//! The attachment of a PDF: never larger than its limit, and the same wherever in the file the PDF begins.
#![no_main]

use fuzz::carriers;
use proof::pdf::{self, MAX_ATTACHMENT_BYTES};

const JSON: &[u8] = b"{\"type\":[\"VerifiableCredential\"]}";

fn seeds() -> Vec<Vec<u8>> {
    let sound = [carriers::pdf(JSON), carriers::packed_pdf(JSON)];
    sound.iter().for_each(|file| assert_eq!(pdf::extract(file).as_deref(), Ok(JSON)));
    let [plain, packed] = sound;
    vec![
        plain,
        packed,
        carriers::pdf(&vec![b' '; 60_000]),
        carriers::packed_pdf(&vec![b' '; MAX_ATTACHMENT_BYTES + 1]),
        b"%PDF-1.7\nxref\n0 0\ntrailer << /Root 1 0 R /Prev 9 /XRefStm 9 >>\nstartxref\n9\n%%EOF".to_vec(),
    ]
}

fn check(bytes: &[u8]) {
    let found = pdf::extract(bytes);
    assert!(found.as_ref().is_ok_and(|file| file.len() <= MAX_ATTACHMENT_BYTES) || found.is_err());
    if bytes.starts_with(b"%PDF-") {
        assert_eq!(pdf::extract(&[b"\n\n", bytes].concat()), found);
    }
}

fuzz::target!(seeds, check);
