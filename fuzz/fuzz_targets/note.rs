//! Signed notes, checkpoints and verifier keys: read and written again they are the same bytes, and what opens was signed.
#![no_main]

use std::sync::LazyLock;

use fuzz::papers::Signer;
use proof::checkpoint::{self, Checkpoint};
use proof::merkle::leaf_hash;
use proof::note::{KeyKind, Note, SignatureLine, VerifierKey};

const LOG: &str = "log.example.gov.st/prod/cred";
const WITNESS: &str = "witness.example/w1";
const TIME: u64 = 1_700_000_000;

struct Signed {
    text: String,
    note: Vec<u8>,
    keys: [VerifierKey; 2],
}

static SIGNED: LazyLock<Signed> = LazyLock::new(|| {
    let (log, witness) = (Signer::new(1), Signer::new(2));
    let statement = Checkpoint::new(LOG, 100, leaf_hash(b"root")).expect("a checkpoint of ours");
    let text = statement.to_text();
    let lines = [log.sign_note(LOG, &text), witness.cosign_note(WITNESS, &text, TIME)];
    Signed {
        note: statement.assemble(&lines).expect("a note of ours"),
        text,
        keys: [log.note_key(LOG, KeyKind::Ed25519), witness.note_key(WITNESS, KeyKind::CosignatureEd25519)],
    }
});

fn seeds() -> Vec<Vec<u8>> {
    checkpoint::open(&SIGNED.note, &SIGNED.keys, LOG).expect("a checkpoint of ours");
    let text = |key: &VerifierKey| key.to_string().into_bytes();
    vec![
        SIGNED.note.clone(),
        SIGNED.text.clone().into_bytes(),
        format!("{}extension 1\nextension 2\n", SIGNED.text).into_bytes(),
        text(&SIGNED.keys[0]),
        text(&SIGNED.keys[1]),
        format!("a\n\nb\n\n\u{2014} x AAAAAAA=\n\u{2014} {LOG} AAAAAAA=\n").into_bytes(),
    ]
}

fn check(bytes: &[u8]) {
    if let Ok(note) = Note::parse(bytes) {
        assert_eq!(note.to_bytes(), bytes);
        if note.verify(&SIGNED.keys).is_ok() {
            assert_eq!(note.text(), SIGNED.text);
        }
    }
    if let Ok(opened) = checkpoint::open(bytes, &SIGNED.keys, LOG) {
        assert_eq!(opened.checkpoint.to_text(), SIGNED.text);
        assert!(opened.cosignatures.iter().all(|line| line.time == TIME));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(checkpoint) = Checkpoint::parse(text) {
        assert_eq!(checkpoint.to_text(), text);
    }
    if let Ok(key) = VerifierKey::parse(text) {
        assert_eq!(key.to_string(), text);
    }
    if let Some(line) = SignatureLine::parse(text) {
        assert_eq!(line.to_string(), text);
    }
}

fuzz::target!(seeds, check);
