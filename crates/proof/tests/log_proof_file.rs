//! Proof files: an entry's place in a log, checked under a policy.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod log_support;

use log_support::{Signer, entry, leaves};
use proof::checkpoint::{Checkpoint, CheckpointError};
use proof::merkle::{MemoryTree, MerkleError, leaf_hash};
use proof::tlog_proof::{HEADER, LogPolicy, ProofError, TlogProof, refuse_future};

const ORIGIN: &str = "log.example.gov.st/prod/cred";
const TIME: u64 = 1_700_000_000;

struct Log {
    signer: Signer,
    witnesses: [Signer; 3],
    tree: MemoryTree,
}

impl Log {
    fn new() -> Self {
        let witness = |n| Signer::witness(&format!("witness.example/w{n}"), n);
        Self {
            signer: Signer::log(ORIGIN, 1),
            witnesses: [witness(2), witness(3), witness(4)],
            tree: MemoryTree::from_leaves(&leaves(1000)),
        }
    }

    fn policy(&self, quorum: usize) -> LogPolicy {
        let keys = self.witnesses.each_ref().map(|w| w.key.clone());
        LogPolicy::new(ORIGIN, std::slice::from_ref(&self.signer.key), &keys, quorum).unwrap()
    }

    fn prove(&self, index: u64, cosigned: usize) -> TlogProof {
        let checkpoint = Checkpoint::new(ORIGIN, 1000, self.tree.root()).unwrap();
        let text = checkpoint.to_text();
        let mut lines = vec![self.signer.sign(&text)];
        for witness in self.witnesses.iter().take(cosigned) {
            lines.push(witness.cosign(&text, TIME));
        }
        TlogProof {
            extra: None,
            index,
            hashes: self.tree.inclusion_proof(index, 1000).unwrap(),
            checkpoint: checkpoint.assemble(&lines).unwrap(),
        }
    }
}

#[test]
fn every_tenth_entry_of_a_log_is_proven_by_its_file() {
    let log = Log::new();
    let policy = log.policy(2);
    for index in (0..1000).step_by(10) {
        let file = log.prove(index, 2).to_bytes().unwrap();
        let proof = TlogProof::parse(&file).unwrap();
        let opened = proof.verify(&entry(index), &policy).unwrap();
        assert_eq!(opened.checkpoint.size(), 1000);
        assert_eq!(opened.cosignatures.len(), 2);
        assert_eq!(
            proof.verify(&entry(index + 1), &policy),
            Err(ProofError::Merkle(MerkleError::RootMismatch))
        );
    }
}

#[test]
fn the_file_reads_as_the_standard_shows_it() {
    let log = Log::new();
    let mut proof = log.prove(5, 1);
    let file = String::from_utf8(proof.to_bytes().unwrap()).unwrap();
    assert!(file.starts_with("c2sp.org/tlog-proof@v1\nindex 5\n"));
    assert!(file.contains("\n\nlog.example.gov.st/prod/cred\n1000\n"));
    proof.extra = Some(b"salt".to_vec());
    let file = String::from_utf8(proof.to_bytes().unwrap()).unwrap();
    assert!(file.starts_with("c2sp.org/tlog-proof@v1\nextra c2FsdA==\nindex 5\n"));
    assert_eq!(TlogProof::parse(file.as_bytes()).unwrap(), proof);
    proof.extra = Some(Vec::new());
    let file = proof.to_bytes().unwrap();
    assert_eq!(TlogProof::parse(&file).unwrap().extra, Some(Vec::new()));
    // A proof in a log of one leaf has no hashes.
    proof.hashes = Vec::new();
    let file = proof.to_bytes().unwrap();
    assert_eq!(TlogProof::parse(&file).unwrap(), proof);
}

#[test]
fn too_few_witnesses_do_not_make_a_quorum() {
    let log = Log::new();
    let proof = log.prove(5, 1);
    proof.verify(&entry(5), &log.policy(1)).unwrap();
    assert_eq!(proof.verify(&entry(5), &log.policy(2)), Err(ProofError::Quorum { found: 1, required: 2 }));
}

#[test]
fn a_witness_that_cosigns_twice_counts_once() {
    let log = Log::new();
    let mut proof = log.prove(5, 1);
    let mut note = proof::note::Note::parse(&proof.checkpoint).unwrap();
    let again = log.witnesses[0].cosign(note.text(), TIME + 1);
    note.add(vec![again]).unwrap();
    proof.checkpoint = note.to_bytes();
    assert_eq!(proof.verify(&entry(5), &log.policy(2)), Err(ProofError::Quorum { found: 1, required: 2 }));
}

#[test]
fn a_checkpoint_of_another_log_proves_nothing_here() {
    let log = Log::new();
    let proof = log.prove(5, 0);
    let elsewhere = "log.example.gov.st/prod/audit";
    let key = Signer::log(elsewhere, 1).key;
    let policy = LogPolicy::new(elsewhere, &[key], &[], 0).unwrap();
    assert!(matches!(
        proof.verify(&entry(5), &policy),
        Err(ProofError::Checkpoint(CheckpointError::Origin { .. }))
    ));
}

#[test]
fn an_inner_node_is_no_entry() {
    let log = Log::new();
    let proof = log.prove(4, 0);
    let pair = [leaf_hash(&entry(4)), leaf_hash(&entry(5))].concat();
    let mut shorter = proof;
    shorter.hashes.remove(0);
    assert!(shorter.verify(&pair, &log.policy(0)).is_err());
}

#[test]
fn a_date_in_the_future_is_noticed_when_the_clock_is_given() {
    let log = Log::new();
    let opened = log.prove(5, 1).verify(&entry(5), &log.policy(1)).unwrap();
    refuse_future(&opened, TIME - 300).unwrap();
    assert!(matches!(refuse_future(&opened, TIME - 301), Err(ProofError::Future(_))));
}

#[test]
fn policies_that_contradict_themselves_are_refused() {
    let log = Signer::log(ORIGIN, 1).key;
    let other = Signer::log("elsewhere", 2).key;
    let witness = Signer::witness("w", 3).key;
    let twin = Signer::witness("w2", 3).key;
    let new = |logs: &[_], witnesses: &[_], quorum| LogPolicy::new(ORIGIN, logs, witnesses, quorum);
    new(std::slice::from_ref(&log), std::slice::from_ref(&witness), 1).unwrap();
    assert!(new(&[], &[], 0).is_err());
    assert!(new(&[other], &[], 0).is_err());
    assert!(new(std::slice::from_ref(&witness), &[], 0).is_err());
    assert!(new(std::slice::from_ref(&log), std::slice::from_ref(&log), 1).is_err());
    assert!(new(std::slice::from_ref(&log), std::slice::from_ref(&witness), 2).is_err());
    assert!(new(&[log], &[witness, twin], 1).is_err());
}

#[test]
fn files_that_are_not_exactly_formed_are_refused() {
    let log = Log::new();
    let good = String::from_utf8(log.prove(5, 1).to_bytes().unwrap()).unwrap();
    let hash = good.lines().nth(2).unwrap().to_owned();
    let bad = [
        String::new(),
        good.replace(HEADER, "c2sp.org/tlog-proof@v2"),
        good.replace("index 5", "index 05"),
        good.replace("index 5", "index +5"),
        good.replace("index 5", "index  5"),
        good.replace("index 5", "index 5 "),
        good.replace("index 5", "Index 5"),
        good.replace("index 5\n", ""),
        good.replace("index 5", "index 5\nindex 5"),
        good.replace("index 5", "extra !\nindex 5"),
        good.replace("index 5", "extra c2FsdA\nindex 5"),
        good.replace("index 5", "extra\nindex 5"),
        good.replace("index 5", "index 5\nextra c2FsdA=="),
        good.replace("index 5", "extra c2FsdA==\nextra c2FsdA==\nindex 5"),
        good.replace(&hash, "AAAA"),
        good.replace(&hash, &format!(" {hash}")),
        good.replace(&hash, &[hash.as_str(); 64].join("\n")),
        good.replace('\n', "\r\n"),
        good.split("\n\n").next().unwrap().to_owned(),
        format!("{}\n\n", good.split("\n\n").next().unwrap()),
        good.replace("index 5", &format!("extra {}\nindex 5", "A".repeat(100_000))),
        "x".repeat(1_000_000),
    ];
    for file in &bad {
        assert!(TlogProof::parse(file.as_bytes()).is_err(), "{file:.300?}");
    }
    TlogProof::parse(good.replace(&hash, &[hash.as_str(); 54].join("\n")).as_bytes()).unwrap();
    // What follows the empty line is the checkpoint's own matter, and is examined there.
    let odd = TlogProof::parse(format!("{good}odd").as_bytes()).unwrap();
    assert!(odd.verify(&entry(5), &log.policy(1)).is_err());
}
