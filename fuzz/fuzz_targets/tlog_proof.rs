//! Proof files: read and written again they are the same bytes, and a proof that holds is the one of its entry.
#![no_main]

use std::sync::LazyLock;

use fuzz::papers::Signer;
use proof::checkpoint::Checkpoint;
use proof::merkle::{MemoryTree, leaf_hash};
use proof::note::KeyKind;
use proof::tlog_proof::{LogPolicy, TlogProof};

const LOG: &str = "log.example.gov.st/prod/cred";
const WITNESS: &str = "witness.example/w1";
const INDEX: u64 = 42;

struct Signed {
    proof: TlogProof,
    policy: LogPolicy,
}

fn entry(index: u64) -> Vec<u8> {
    format!("entry {index}").into_bytes()
}

static SIGNED: LazyLock<Signed> = LazyLock::new(|| {
    let (log, witness) = (Signer::new(1), Signer::new(2));
    let leaves: Vec<_> = (0..100).map(|index| leaf_hash(&entry(index))).collect();
    let tree = MemoryTree::from_leaves(&leaves);
    let checkpoint = Checkpoint::new(LOG, 100, tree.root()).expect("a checkpoint of ours");
    let text = checkpoint.to_text();
    let lines = [log.sign_note(LOG, &text), witness.cosign_note(WITNESS, &text, 1_700_000_000)];
    let log_key = log.note_key(LOG, KeyKind::Ed25519);
    let witness_key = witness.note_key(WITNESS, KeyKind::CosignatureEd25519);
    Signed {
        proof: TlogProof {
            extra: Some(b"salt".to_vec()),
            index: INDEX,
            hashes: tree.inclusion_proof(INDEX, 100).expect("within the tree"),
            checkpoint: checkpoint.assemble(&lines).expect("a note of ours"),
        },
        policy: LogPolicy::new(LOG, &[log_key], &[witness_key], 1).expect("a policy of ours"),
    }
});

fn seeds() -> Vec<Vec<u8>> {
    SIGNED.proof.verify(&entry(INDEX), &SIGNED.policy).expect("a proof of ours");
    let without = TlogProof { extra: None, ..SIGNED.proof.clone() };
    let written = |proof: &TlogProof| proof.to_bytes().expect("a proof of ours");
    vec![written(&SIGNED.proof), written(&without)]
}

fn check(bytes: &[u8]) {
    let Ok(proof) = TlogProof::parse(bytes) else { return };
    assert_eq!(proof.to_bytes().as_deref(), Ok(bytes));
    if proof.verify(&entry(INDEX), &SIGNED.policy).is_ok() {
        assert_eq!((proof.index, proof.hashes), (SIGNED.proof.index, SIGNED.proof.hashes.clone()));
    }
}

fuzz::target!(seeds, check);
