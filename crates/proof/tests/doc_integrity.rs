//! Data Integrity proofs against the vectors of vc-di-eddsa: every intermediate file, byte for byte.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail by panic, measures time and reads the environment"
)]

mod doc_support;

use doc_support::{TestKey, contexts_with_examples, json, read, vectors};
use proof::crypto::{self, PublicKey, hex};
use proof::did;
use proof::integrity::{self, Problem, ProofOptions, Suite};
use proof::ld::{self, Contexts, LdErrorKind, Options};
use serde_json::Value;

fn without_proof(document: &Value) -> Value {
    let mut document = document.clone();
    document.as_object_mut().unwrap().remove("proof");
    document
}

fn key_of(proof: &Value) -> PublicKey {
    did::resolve_did_key(proof["verificationMethod"].as_str().unwrap()).unwrap()
}

fn options_of(config: &Value) -> ProofOptions {
    let text = |name: &str| config[name].as_str().map(str::to_owned);
    ProofOptions {
        suite: Suite::of(config).unwrap(),
        verification_method: text("verificationMethod").unwrap(),
        proof_purpose: text("proofPurpose").unwrap(),
        created: text("created").unwrap(),
        expires: None,
        domain: None,
        challenge: None,
        nonce: None,
        id: text("id"),
        previous_proof: match &config["previousProof"] {
            Value::String(one) => vec![one.clone()],
            Value::Array(several) => several.iter().map(|id| id.as_str().unwrap().to_owned()).collect(),
            _ => Vec::new(),
        },
    }
}

#[test]
fn eddsa_rdfc_2022_reproduces_every_intermediate_file() {
    let Some(folder) = vectors("vc-di-eddsa/TestVectors") else { return };
    let contexts = contexts_with_examples();
    let pair = json(folder.join("keyPair.json"));
    let key = TestKey::from_multikey(pair["privateKeyMultibase"].as_str().unwrap());
    assert_eq!(key.public().to_multikey(), pair["publicKeyMultibase"]);
    let unsigned = json(folder.join("unsigned.json"));
    let suite = folder.join("eddsa-rdfc-2022");
    let config = json(suite.join("proofConfigDataInt.json"));

    let document = ld::canonical_document(&unsigned, &contexts, &Options::default()).unwrap();
    assert_eq!(document, read(suite.join("canonDocDataInt.txt")));
    let proof = ld::canonical_document(&config, &contexts, &Options::default()).unwrap();
    assert_eq!(proof, read(suite.join("proofCanonDataInt.txt")));
    assert_eq!(hex(&crypto::sha256(document.as_bytes())), read(suite.join("docHashDataInt.txt")));
    assert_eq!(hex(&crypto::sha256(proof.as_bytes())), read(suite.join("proofHashDataInt.txt")));

    let prepared = integrity::prepare_with(&unsigned, &options_of(&config), &contexts).unwrap();
    assert_eq!(hex(&prepared.hash_data), read(suite.join("combinedHashDataInt.txt")));
    let signature = key.sign(&prepared.hash_data);
    assert_eq!(hex(&signature), read(suite.join("sigHexDataInt.txt")));
    assert_eq!(crypto::multibase_base58(&signature), read(suite.join("sigBTC58DataInt.txt")));
    let signed = integrity::finish(&unsigned, prepared, &signature);
    assert_eq!(signed, json(suite.join("signedDataInt.json")));
}

#[test]
fn the_employment_vector_holds_as_far_as_its_context_is_known() {
    let Some(folder) = vectors("vc-di-eddsa/TestVectors") else { return };
    let suite = folder.join("eddsa-rdfc-2022/employ");
    // Its citizenship context is not bundled: the document is refused, and the rest is checked from the given text.
    let signed = json(suite.join("signedDataInt.json"));
    let refused =
        ld::canonical_document(&without_proof(&signed), &contexts_with_examples(), &Options::default());
    assert!(matches!(refused.unwrap_err().kind, LdErrorKind::ContextUnknown(_)));
    let document = crypto::sha256(read(suite.join("canonDocDataInt.txt")).as_bytes());
    let proof = crypto::sha256(read(suite.join("proofCanonDataInt.txt")).as_bytes());
    let combined = format!("{}{}", hex(&proof), hex(&document));
    assert_eq!(combined, read(suite.join("combinedHashDataInt.txt")));
    let signature = crypto::multibase_decode(signed["proof"]["proofValue"].as_str().unwrap()).unwrap();
    let message = [proof, document].concat();
    assert_eq!(key_of(&signed["proof"]).verify(&message, &signature), Ok(()));
}

#[test]
fn eddsa_jcs_2022_reproduces_every_intermediate_file() {
    let Some(folder) = vectors("vc-di-eddsa/TestVectors") else { return };
    let pair = json(folder.join("keyPair.json"));
    let key = TestKey::from_multikey(pair["privateKeyMultibase"].as_str().unwrap());
    let unsigned = json(folder.join("unsigned.json"));
    let suite = folder.join("eddsa-jcs-2022");
    let config = json(suite.join("proofConfigJCS.json"));
    assert_eq!(proof::canon::canonicalize(&unsigned).unwrap(), read(suite.join("canonDocJCS.txt")));
    assert_eq!(proof::canon::canonicalize(&config).unwrap(), read(suite.join("proofCanonJCS.txt")));
    let prepared = integrity::prepare(&unsigned, &options_of(&config)).unwrap();
    assert_eq!(hex(&prepared.hash_data), read(suite.join("combinedHashJCS.txt")));
    let signature = key.sign(&prepared.hash_data);
    let signed = integrity::finish(&unsigned, prepared, &signature);
    assert_eq!(signed, json(suite.join("signedJCS.json")));
}

#[test]
fn proof_sets_and_chains_are_made_as_the_vectors_show() {
    let Some(folder) = vectors("vc-di-eddsa/TestVectors/proof-set-chain") else { return };
    let contexts = contexts_with_examples();
    let keys = json(folder.join("multiKeyPairs.json"));
    let key = |name: &str| TestKey::from_multikey(keys[name]["privateKeyMultibase"].as_str().unwrap());
    let mut document = json(folder.join("unsigned.json"));
    for (config, pair, signed) in [
        ("proofSetConfig1.json", "keyPair1", "signedProofSet1.json"),
        ("proofSetConfig2.json", "keyPair2", "signedProofSet2.json"),
        ("proofChainConfig1.json", "keyPair3", "signedProofChain1.json"),
        ("proofChainConfig2.json", "keyPair4", "signedProofChain2.json"),
    ] {
        let options = options_of(&json(folder.join(config)));
        let prepared = integrity::prepare_with(&document, &options, &contexts).unwrap();
        let signature = key(pair).sign(&prepared.hash_data);
        let mut finished = integrity::finish(&document, prepared, &signature);
        let expected = json(folder.join(signed));
        if expected["proof"].as_array().is_some_and(|list| list.len() == 1) {
            let one = finished["proof"].take();
            finished["proof"] = Value::Array(vec![one]);
        }
        assert_eq!(finished, expected, "{signed}");
        document = expected;
    }
}

#[test]
fn every_signed_vector_verifies_and_no_changed_one_does() {
    let Some(folder) = vectors("vc-di-eddsa/TestVectors") else { return };
    let contexts = contexts_with_examples();
    let mut proofs_seen = 0;
    for file in [
        "eddsa-rdfc-2022/signedDataInt.json",
        "eddsa-jcs-2022/signedJCS.json",
        "Ed25519Signature2020/signedEdSig.json",
        "proof-set-chain/signedProofSet1.json",
        "proof-set-chain/signedProofSet2.json",
        "proof-set-chain/signedProofChain1.json",
        "proof-set-chain/signedProofChain2.json",
    ] {
        let signed = json(folder.join(file));
        for proof in integrity::proofs(&signed).unwrap() {
            let key = key_of(proof);
            assert_eq!(integrity::verify_proof(&signed, proof, &key, &contexts), Ok(()), "{file}");
            proofs_seen += 1;
            let mut changed = signed.clone();
            changed["credentialSubject"]["alumniOf"] = "The School of Exampies".into();
            let outcome = integrity::verify_proof(&changed, proof, &key, &contexts);
            assert_eq!(outcome, Err(Problem::Signature), "{file}");
            let mut later = proof.clone();
            later["created"] = "2023-02-24T23:36:39Z".into();
            let outcome = integrity::verify_proof(&signed, &later, &key, &contexts);
            assert_eq!(outcome, Err(Problem::Signature), "{file}");
        }
    }
    assert_eq!(proofs_seen, 3 + 1 + 2 + 3 + 4);
}

#[test]
fn the_product_does_not_know_the_examples_context() {
    let Some(folder) = vectors("vc-di-eddsa/TestVectors") else { return };
    let unsigned = json(folder.join("unsigned.json"));
    let options = ProofOptions::assertion("did:key:z6Mk#z6Mk", "2026-01-01T00:00:00Z");
    let refused = integrity::prepare(&unsigned, &options).unwrap_err();
    let Problem::Ld(error) = refused else { panic!("{refused}") };
    assert!(matches!(error.kind, LdErrorKind::ContextUnknown(_)));
    assert_eq!(error.pointer, "/@context/1");
    assert!(!Contexts::bundled().knows("https://www.w3.org/ns/credentials/examples/v2"));
}

#[test]
fn ecdsa_rdfc_2019_with_p256_is_made_and_checked() {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).unwrap();
    let key = PublicKey::p256_from_sec1(pair.public_key().as_ref()).unwrap();
    let document = doc_support::badge(3).to_json().unwrap();
    let options = ProofOptions {
        suite: Suite::EcdsaRdfc2019,
        ..ProofOptions::assertion(did::did_key_method(&key), "2026-07-20T09:00:00Z")
    };
    let prepared = integrity::prepare(&document, &options).unwrap();
    let signature = pair.sign(&random, &prepared.hash_data).unwrap();
    let signed = integrity::finish(&document, prepared, signature.as_ref());
    let check = |document: &Value| {
        let proof = &document["proof"];
        integrity::verify_proof(document, proof, &key_of(proof), Contexts::bundled())
    };
    assert_eq!(check(&signed), Ok(()));
    let mut changed = signed.clone();
    changed["name"] = "Outro".into();
    assert_eq!(check(&changed), Err(Problem::Signature));
    // a key of the wrong kind is never tried
    let other = TestKey::from_seed(&[1; 32]).public();
    let outcome = integrity::verify_proof(&signed, &signed["proof"], &other, Contexts::bundled());
    assert_eq!(outcome, Err(Problem::KeyKind));
}

#[test]
fn a_malformed_proof_value_is_refused_before_any_hashing() {
    let document = doc_support::badge(1).to_json().unwrap();
    let key = TestKey::from_seed(&[1; 32]);
    let options = ProofOptions::assertion(did::did_key_method(&key.public()), "2026-07-20T09:00:00Z");
    let prepared = integrity::prepare(&document, &options).unwrap();
    let signed = integrity::finish(&document, prepared, &[0; 64]);
    for bad in ["", "z", "zzz", "u".repeat(88).as_str(), "z0OIl", &"z1".repeat(2_000)] {
        let mut signed = signed.clone();
        signed["proof"]["proofValue"] = bad.into();
        let outcome = integrity::verify_proof(&signed, &signed["proof"], &key.public(), Contexts::bundled());
        assert_eq!(outcome, Err(Problem::ProofValue), "{bad}");
    }
    for suite in [Suite::Eddsa2022, Suite::Ed25519Signature2020] {
        let legacy = ProofOptions { suite, ..options.clone() };
        assert_eq!(integrity::prepare(&document, &legacy), Err(Problem::Suite));
    }
}
