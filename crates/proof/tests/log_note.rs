//! Signed notes and checkpoints: the published vector, strictness, and a foreign reader.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod log_support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use log_support::Signer;
use proof::checkpoint::{self, Checkpoint, CheckpointError};
use proof::merkle::{EMPTY_ROOT, leaf_hash};
use proof::note::{
    KeyKind, MAX_SIGNATURES, Note, NoteError, SignatureLine, VerifierKey, assemble, cosignature_message,
    to_sign,
};
use signed_note::{StandardVerifier, VerifierList};

const VKEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const TEXT: &str = "This is an example message.\n";
const SIGNATURE: &str =
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=";
const ORIGIN: &str = "log.example.gov.st/prod/cred";

fn example() -> String {
    format!("{TEXT}\n\u{2014} example.com/foo {SIGNATURE}\n")
}

#[test]
fn the_published_note_opens_and_is_written_back_byte_for_byte() {
    let key = VerifierKey::parse(VKEY).unwrap();
    assert_eq!(key.to_string(), VKEY);
    assert_eq!((key.name(), key.id(), key.kind()), ("example.com/foo", 0x530d_903a, KeyKind::Ed25519));
    let note = Note::parse(example().as_bytes()).unwrap();
    assert_eq!(note.text(), TEXT);
    assert_eq!(to_sign(TEXT).unwrap(), TEXT.as_bytes());
    let verified = note.verify(std::slice::from_ref(&key)).unwrap();
    assert_eq!((verified[0].key, verified[0].time), (&key, None));
    assert_eq!(note.to_bytes(), example().as_bytes());
    assert_eq!(assemble(TEXT, note.signatures()).unwrap(), example().as_bytes());
}

#[test]
fn a_changed_text_a_changed_signature_and_a_stranger_are_refused_differently() {
    let key = [VerifierKey::parse(VKEY).unwrap()];
    let changed = example().replace("example message", "example massage");
    let verdict = Note::parse(changed.as_bytes()).unwrap().verify(&key);
    assert_eq!(verdict, Err(NoteError::WrongSignature("example.com/foo".to_owned())));
    let stranger = [Signer::log("example.com/foo", 9).key];
    let verdict = Note::parse(example().as_bytes()).unwrap().verify(&stranger);
    assert_eq!(verdict, Err(NoteError::NoKnownSignature));
}

#[test]
fn a_wrong_signature_of_a_known_key_refuses_the_note_even_beside_a_right_one() {
    let key = VerifierKey::parse(VKEY).unwrap();
    let other = Signer::log("other.example", 3);
    let mut note = Note::parse(example().as_bytes()).unwrap();
    note.add(vec![other.sign("Another text.\n")]).unwrap();
    assert!(note.verify(std::slice::from_ref(&key)).is_ok());
    let both = [key, other.key.clone()];
    let verdict = note.verify(&both);
    assert_eq!(verdict, Err(NoteError::WrongSignature("other.example".to_owned())));
}

#[test]
fn a_key_that_signs_twice_counts_once() {
    let signer = Signer::log(ORIGIN, 1);
    let lines = [signer.sign("text\n"), signer.sign("text\n")];
    let note = Note::parse(&assemble("text\n", &lines).unwrap()).unwrap();
    assert_eq!(note.verify(&[signer.key]).unwrap().len(), 1);
}

#[test]
fn the_text_may_hold_empty_lines_and_keeps_them() {
    let signer = Signer::log(ORIGIN, 1);
    let text = "\none\n\n\ntwo\n";
    let bytes = assemble(text, &[signer.sign(text)]).unwrap();
    let note = Note::parse(&bytes).unwrap();
    assert_eq!(note.text(), text);
    note.verify(&[signer.key]).unwrap();
}

#[test]
fn notes_that_are_not_exactly_formed_are_refused() {
    let good = example();
    let line = format!("\u{2014} example.com/foo {SIGNATURE}");
    let bad = [
        String::new(),
        "\n".to_owned(),
        "\n\n".to_owned(),
        TEXT.to_owned(),
        format!("{TEXT}\n"),
        format!("{TEXT}{line}\n"),
        format!("\n{line}\n"),
        good.trim_end().to_owned(),
        format!("{good}\n"),
        format!("{good}trailing"),
        format!("{good}trailing\n"),
        good.replace('\n', "\r\n"),
        good.replace("example message", "example\tmessage"),
        good.replace("example message", "example\u{0}message"),
        good.replace('\u{2014}', "-"),
        good.replace('\u{2014}', "\u{2014} "),
        good.replace("example.com/foo", ""),
        good.replace("example.com/foo", "example.com+foo"),
        good.replace("example.com/foo", "example.com\u{a0}foo"),
        good.replace("QM=", "QM"),
        good.replace("QM=", "QN="),
        good.replace("QM=", "QM= "),
        good.replace("Uw2Q", "-w2Q"),
        good.replace(SIGNATURE, ""),
        good.replace(SIGNATURE, "Uw2QOg=="),
        good.replace(&line, &[line.as_str(); MAX_SIGNATURES + 1].join("\n")),
        good.replace("example message", &"x".repeat(300_000)),
    ];
    for note in &bad {
        assert!(Note::parse(note.as_bytes()).is_err(), "{note:.200?}");
    }
    assert!(Note::parse(b"caf\xe9\n\n").is_err());
    let most = good.replace(&line, &[line.as_str(); MAX_SIGNATURES].join("\n"));
    Note::parse(most.as_bytes()).unwrap();
}

#[test]
fn verifier_keys_that_are_not_exactly_formed_are_refused() {
    let (_, key) = VKEY.rsplit_once('+').unwrap();
    let bad = [
        String::new(),
        "example.com/foo".to_owned(),
        VKEY.replace("530d903a", "530D903A"),
        VKEY.replace("530d903a", "530d903b"),
        VKEY.replace("530d903a", "0530d903a"),
        VKEY.replace("example.com/foo", ""),
        VKEY.replace("example.com/foo", "example.com foo"),
        VKEY.replace(key, "AQ=="),
        VKEY.replace(key, ""),
        format!("{VKEY}="),
        format!("{VKEY}\n"),
    ];
    for vkey in &bad {
        assert!(VerifierKey::parse(vkey).is_err(), "{vkey:?}");
    }
    let unknown = format!("a+00000000+{}", STANDARD.encode([6; 33]));
    assert_eq!(VerifierKey::parse(&unknown), Err(NoteError::UnsupportedKey(6)));
}

#[test]
fn malformed_parts_cannot_be_assembled() {
    let good = Signer::log(ORIGIN, 1).sign("text\n");
    assert!(assemble("no newline", std::slice::from_ref(&good)).is_err());
    assert!(assemble("tab\t\n", std::slice::from_ref(&good)).is_err());
    assert_eq!(assemble("text\n", &[]), Err(NoteError::NoSignatures));
    for (name, signature) in [("", vec![1]), ("a b", vec![1]), ("a", vec![])] {
        let line = SignatureLine { name: name.to_owned(), key_id: 1, signature };
        assert!(assemble("text\n", &[line]).is_err(), "{name}");
    }
    assert_eq!(cosignature_message(1 << 63, "text\n"), Err(NoteError::Time));
}

#[test]
fn a_foreign_reader_opens_our_checkpoint_and_we_open_its_key() {
    let signer = Signer::log(ORIGIN, 1);
    let checkpoint = Checkpoint::new(ORIGIN, 7, leaf_hash(b"root")).unwrap();
    let bytes = checkpoint.assemble(&[signer.sign(&checkpoint.to_text())]).unwrap();
    let verifier = StandardVerifier::new(&signer.key.to_string()).unwrap();
    let known = VerifierList::new(vec![Box::new(verifier)]);
    let foreign = signed_note::Note::from_bytes(&bytes).unwrap();
    let (verified, unverified) = foreign.verify(&known).unwrap();
    assert_eq!((verified.len(), unverified.len()), (1, 0));
    assert_eq!(foreign.text(), checkpoint.to_text().as_bytes());
    assert_eq!(foreign.to_bytes(), bytes);
}

#[test]
fn a_checkpoint_with_cosignatures_opens_and_names_its_witnesses_once() {
    let log = Signer::log(ORIGIN, 1);
    let witness = Signer::witness("witness.example/w1", 2);
    let unknown = Signer::witness("witness.example/w2", 3);
    let checkpoint = Checkpoint::new(ORIGIN, 70_000, leaf_hash(b"root")).unwrap();
    let text = checkpoint.to_text();
    assert!(text.starts_with("log.example.gov.st/prod/cred\n70000\n"));
    let lines = [
        log.sign(&text),
        witness.cosign(&text, 1_700_000_000),
        witness.cosign(&text, 1_700_000_100),
        unknown.cosign(&text, 1_700_000_000),
    ];
    let bytes = checkpoint.assemble(&lines).unwrap();
    let keys = [log.key.clone(), witness.key.clone()];
    let opened = checkpoint::open(&bytes, &keys, ORIGIN).unwrap();
    assert_eq!(opened.checkpoint, checkpoint);
    assert_eq!(opened.log_keys, keys[..1]);
    assert_eq!(opened.cosignatures.len(), 1);
    assert_eq!(opened.cosignatures[0].key, witness.key);
    assert_eq!(opened.cosignatures[0].time, 1_700_000_000);
    let both = [log.key, witness.key, unknown.key];
    let opened = checkpoint::open(&bytes, &both, ORIGIN).unwrap();
    assert_eq!(opened.cosignatures.len(), 2);
}

#[test]
fn a_cosignature_with_another_time_is_wrong() {
    let log = Signer::log(ORIGIN, 1);
    let witness = Signer::witness("witness.example/w1", 2);
    let checkpoint = Checkpoint::new(ORIGIN, 1, leaf_hash(b"root")).unwrap();
    let text = checkpoint.to_text();
    let mut line = witness.cosign(&text, 1_700_000_000);
    line.signature[7] ^= 1;
    let bytes = checkpoint.assemble(&[log.sign(&text), line]).unwrap();
    let verdict = checkpoint::open(&bytes, &[log.key, witness.key], ORIGIN);
    assert!(matches!(verdict, Err(CheckpointError::Note(NoteError::WrongSignature(_)))));
}

#[test]
fn a_key_opens_only_the_checkpoints_of_its_own_log() {
    let ours = Signer::log(ORIGIN, 1);
    let other = Signer::log("log.example.gov.st/prod/audit", 2);
    let witness = Signer::witness("witness.example/w1", 3);
    let checkpoint = Checkpoint::new(ORIGIN, 1, leaf_hash(b"root")).unwrap();
    let text = checkpoint.to_text();
    let all = [ours.key.clone(), other.key.clone(), witness.key.clone()];

    let by_other = checkpoint.assemble(&[other.sign(&text)]).unwrap();
    let verdict = checkpoint::open(&by_other, &all, ORIGIN);
    assert_eq!(verdict, Err(CheckpointError::NotSignedByLog(ORIGIN.to_owned())));

    let by_witness = checkpoint.assemble(&[witness.cosign(&text, 1)]).unwrap();
    let verdict = checkpoint::open(&by_witness, &all, ORIGIN);
    assert_eq!(verdict, Err(CheckpointError::NotSignedByLog(ORIGIN.to_owned())));

    let good = checkpoint.assemble(&[ours.sign(&text)]).unwrap();
    let verdict = checkpoint::open(&good, &all, other.key.name());
    assert!(matches!(verdict, Err(CheckpointError::Origin { .. })));
}

#[test]
fn checkpoint_texts_that_are_not_exactly_formed_are_refused() {
    let root = STANDARD.encode(EMPTY_ROOT);
    let good = format!("{ORIGIN}\n12\n{root}\n");
    Checkpoint::parse(&good).unwrap();
    for size in ["", "012", "+12", "-1", " 12", "12 ", "0x1", "1e3", "9223372036854775808", "１"] {
        let text = good.replace("\n12\n", &format!("\n{size}\n"));
        assert!(Checkpoint::parse(&text).is_err(), "{size:?}");
    }
    for hash in ["", "AAAA", &root[..43], &root.replace('/', "_"), &root.replace("FU=", "FV=")] {
        let text = good.replace(&root, hash);
        assert!(Checkpoint::parse(&text).is_err(), "{hash:?}");
    }
    for text in [
        "",
        "\n",
        &good[..good.len() - 1],
        &good.replace(ORIGIN, ""),
        &good.replace(ORIGIN, "two words"),
        &good.replace('\n', "\r\n"),
        &format!("{good}\n"),
        &format!("{good}\nextension\n"),
        &format!("{ORIGIN}\n12\n"),
    ] {
        assert!(Checkpoint::parse(text).is_err(), "{text:?}");
    }
    let extended = Checkpoint::parse(&format!("{good}one\ntwo\n")).unwrap();
    assert_eq!(extended.extensions(), ["one", "two"]);
    assert_eq!(extended.to_text(), format!("{good}one\ntwo\n"));
    assert!(Checkpoint::parse(&format!("{good}{}", "x\n".repeat(17))).is_err());
}

#[test]
fn an_empty_log_has_one_root() {
    let log = Signer::log(ORIGIN, 1);
    let open = |root| {
        let checkpoint = Checkpoint::new(ORIGIN, 0, root).unwrap();
        let bytes = checkpoint.assemble(&[log.sign(&checkpoint.to_text())]).unwrap();
        checkpoint::open(&bytes, std::slice::from_ref(&log.key), ORIGIN).map(|_| ())
    };
    assert_eq!(open(EMPTY_ROOT), Ok(()));
    assert_eq!(open([1; 32]), Err(CheckpointError::EmptyRoot));
}
