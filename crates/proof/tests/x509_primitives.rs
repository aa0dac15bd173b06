//! The primitives below certificates and ACME, each against its file of Wycheproof.
//!
//! `acceptable` is refused; RSA's one such case (a DigestInfo without NULL) is refused as well.
#![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

mod x509_support;

use proof::crypto::{KeyRefusal, MacAlgorithm, SignatureAlgorithm, SubjectKey};
use serde_json::Value;
use x509_support::*;

/// Runs all cases of a file and returns how many were valid and how many not.
fn run(file: &str, holds: impl Fn(&Value, &Value) -> bool) -> Option<(usize, usize)> {
    let vectors = wycheproof(file)?;
    let mut counts = (0, 0);
    for group in vectors["testGroups"].as_array().unwrap() {
        for test in group["tests"].as_array().unwrap() {
            let expected = test["result"] == "valid";
            assert_eq!(holds(group, test), expected, "{file} {}: {}", test["tcId"], test["comment"]);
            if expected { counts.0 += 1 } else { counts.1 += 1 }
        }
    }
    Some(counts)
}

fn bytes(value: &Value, name: &str) -> Vec<u8> {
    unhex(value[name].as_str().unwrap())
}

fn holds_der(algorithm: SignatureAlgorithm) -> impl Fn(&Value, &Value) -> bool {
    move |group, test| {
        let key = SubjectKey::from_spki(&bytes(group, "publicKeyDer")).unwrap();
        key.verify(algorithm, &bytes(test, "msg"), &bytes(test, "sig")).is_ok()
    }
}

fn holds_fixed(algorithm: SignatureAlgorithm) -> impl Fn(&Value, &Value) -> bool {
    move |group, test| {
        let key = SubjectKey::from_spki(&bytes(group, "publicKeyDer")).unwrap();
        key.verify_fixed(algorithm, &bytes(test, "msg"), &bytes(test, "sig")).is_ok()
    }
}

#[test]
fn ecdsa_in_der_holds_exactly_where_it_should() {
    let p256 = run("ecdsa_secp256r1_sha256_test.json", holds_der(SignatureAlgorithm::EcdsaSha256));
    assert!(p256.is_none_or(|counts| counts == (174, 310)), "{p256:?}");
    let p384 = run("ecdsa_secp384r1_sha384_test.json", holds_der(SignatureAlgorithm::EcdsaSha384));
    assert!(p384.is_none_or(|counts| counts == (194, 310)), "{p384:?}");
}

#[test]
fn ecdsa_of_fixed_width_holds_exactly_where_it_should() {
    let p256 = run("ecdsa_secp256r1_sha256_p1363_test.json", holds_fixed(SignatureAlgorithm::EcdsaSha256));
    assert!(p256.is_none_or(|counts| counts == (173, 89)), "{p256:?}");
    let p384 = run("ecdsa_secp384r1_sha384_p1363_test.json", holds_fixed(SignatureAlgorithm::EcdsaSha384));
    assert!(p384.is_none_or(|counts| counts == (193, 87)), "{p384:?}");
}

#[test]
fn ed25519_holds_exactly_where_it_should() {
    let counts = run("ed25519_test.json", holds_der(SignatureAlgorithm::Ed25519));
    assert!(counts.is_none_or(|counts| counts == (88, 63)), "{counts:?}");
}

#[test]
fn rsa_holds_exactly_where_it_should() {
    let counts = run("rsa_signature_2048_sha256_test.json", |group, test| {
        match SubjectKey::from_spki(&bytes(group, "publicKeyDer")) {
            Ok(key) => {
                key.verify(SignatureAlgorithm::RsaSha256, &bytes(test, "msg"), &bytes(test, "sig")).is_ok()
            }
            // groups with small exponents: the key is refused before its signature is looked at
            Err(refusal) => {
                assert_eq!(refusal, KeyRefusal::RsaExponent);
                test["result"] == "valid"
            }
        }
    });
    assert!(counts.is_none_or(|counts| counts == (9, 250)), "{counts:?}");
}

#[test]
fn hmac_holds_exactly_where_it_should() {
    let mut untruncated = 0;
    let counts = run("hmac_sha256_test.json", |group, test| {
        let whole = group["tagSize"] == 256;
        let code = bytes(test, "tag");
        let held = MacAlgorithm::HmacSha256.verify(&bytes(test, "key"), &bytes(test, "msg"), &code).is_ok();
        // truncated codes are refused here, also where they are right
        assert!(whole || !held);
        if whole { held } else { test["result"] == "valid" }
    });
    untruncated += counts.map_or(0, |counts| counts.0);
    assert!(counts.is_none() || untruncated == 66);
}

#[test]
fn longer_macs_hold_and_changed_ones_do_not() {
    // RFC 4231 §4.3
    let (key, message) = (b"Jefe", b"what do ya want for nothing?");
    let sha384 = unhex(
        "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
    );
    let sha512 = unhex(
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
    );
    for (algorithm, code) in [(MacAlgorithm::HmacSha384, sha384), (MacAlgorithm::HmacSha512, sha512)] {
        assert_eq!(algorithm.verify(key, message, &code), Ok(()));
        assert!(algorithm.verify(key, message, &code[1..]).is_err());
        assert!(algorithm.verify(key, b"other", &code).is_err());
    }
}

#[test]
fn keys_that_are_not_accepted_have_a_named_reason() {
    let Some(vectors) = wycheproof("ecdh_secp256r1_test.json") else { return };
    let mut reasons = std::collections::BTreeMap::new();
    for test in
        vectors["testGroups"].as_array().unwrap().iter().flat_map(|group| group["tests"].as_array().unwrap())
    {
        let flags: Vec<&str> =
            test["flags"].as_array().unwrap().iter().map(|flag| flag.as_str().unwrap()).collect();
        let found = SubjectKey::from_spki(&bytes(test, "public"));
        // a key on P-384 is wrong for that file's agreement, and a good key here
        let other_good = test["comment"] == "Public key uses wrong curve: secp384r1";
        if other_good || (test["result"] == "valid" && !flags.contains(&"CompressedPoint")) {
            assert!(found.is_ok(), "{}: {}", test["tcId"], test["comment"]);
        } else if let Err(refusal) = found {
            *reasons.entry(format!("{refusal:?}")).or_insert(0) += 1;
        } else {
            panic!("{} is accepted: {} {flags:?}", test["tcId"], test["comment"]);
        }
    }
    println!("{reasons:?}");
    for reason in ["ExplicitCurve", "Point", "Form"] {
        assert!(reasons.contains_key(reason), "{reason}");
    }
}

#[test]
fn weak_rsa_keys_are_found() {
    let exponent = [1, 0, 1];
    let judge = |modulus: &[u8]| SubjectKey::rsa(modulus, &exponent).unwrap().judge();

    // a modulus that is 1 modulo all the primes of the mark is a power of 65537 modulo each
    let primes = [11_u128, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];
    let product: u128 = primes.iter().product();
    let mut found = Vec::new();
    for factor in (0..4000).step_by(2) {
        let mut modulus = (product << product.leading_zeros()).to_be_bytes().to_vec();
        modulus.extend([0; 224]);
        modulus.extend((product * factor + 1).to_be_bytes());
        found.push(judge(&modulus));
    }
    assert!(found.contains(&Err(KeyRefusal::RsaRoca)) && found.contains(&Err(KeyRefusal::RsaFactor)));
    assert!(found.iter().all(Result::is_err));

    // (2^1024 - c)(2^1024 - d) = 2^2048 - (c + d) 2^1024 + cd
    let mut found = Vec::new();
    for c in (1..4000_u64).step_by(2) {
        let d = c + 6;
        let mut modulus = vec![0xff; 128];
        modulus[120..].copy_from_slice(&(u64::MAX - (c + d) + 1).to_be_bytes());
        modulus.extend([0; 120]);
        modulus.extend((c * d).to_be_bytes());
        found.push(judge(&modulus));
    }
    assert!(found.contains(&Err(KeyRefusal::RsaCloseFactors)) && found.contains(&Err(KeyRefusal::RsaFactor)));
    assert!(found.iter().all(Result::is_err));
}

#[test]
fn rsa_keys_of_the_wrong_size_are_refused_by_name() {
    let modulus = |bytes: usize, first: u8| {
        let mut modulus = vec![0x55; bytes];
        modulus[0] = first;
        modulus
    };
    let refusal =
        |bytes, first, exponent: &[u8]| SubjectKey::rsa(&modulus(bytes, first), exponent).unwrap_err();
    let good = [1, 0, 1];
    assert_eq!(refusal(128, 0x80, &good), KeyRefusal::RsaSmall { bits: 1024 });
    assert_eq!(refusal(256, 0x7f, &good), KeyRefusal::RsaSmall { bits: 2047 });
    assert_eq!(refusal(257, 0x01, &good), KeyRefusal::RsaLength { bits: 2049 });
    assert_eq!(refusal(1025, 0x80, &good), KeyRefusal::RsaLarge { bits: 8200 });
    assert_eq!(refusal(256, 0x00, &good), KeyRefusal::Form);
    for exponent in [&[3][..], &[1, 0, 0], &[1, 0, 2], &[1, 0, 0, 0, 1]] {
        assert_eq!(refusal(256, 0x80, exponent), KeyRefusal::RsaExponent, "{exponent:?}");
    }
}
