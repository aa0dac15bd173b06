//! Certificate requests: what is accepted was signed by the key that it asks a certificate for, and asks for nothing that
//! is not named here.
//!
//! An input is a request, or `sign N` and attributes: the key N signs a request with them.
#![no_main]

use std::sync::LazyLock;

use fuzz::authority::{self, KEYS};
use proof::x509::der::{Reader, Writer};
use proof::x509::{Csr, GeneralName, NAMES_MAX, pem};

/// What our keys signed before any input.
static SIGNED: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let wanted = &authority::CERTIFICATES[2..];
    let both = |(at, certificate): (usize, &Vec<u8>)| {
        authority::request_information(&KEYS[at % KEYS.len()], &authority::attributes_like(certificate))
    };
    wanted.iter().enumerate().map(both).collect()
});

fn seeds() -> Vec<Vec<u8>> {
    let requests = SIGNED.iter().enumerate();
    let mut seeds: Vec<Vec<u8>> =
        requests.map(|(at, information)| authority::request(&KEYS[at % KEYS.len()], information)).collect();
    assert!(seeds.iter().all(|seed| Csr::from_der(seed).is_ok()), "requests of ours hold");
    let text = authority::pem_of(pem::Label::CertificateRequest, &seeds[0]);
    assert!(Csr::from_pem(&text).is_ok(), "a request of ours holds as text");
    for (at, certificate) in authority::CERTIFICATES.iter().enumerate() {
        let attributes = authority::attributes_like(certificate);
        seeds.push(authority::signing(&[&[b'0' + (at % 3) as u8][..], &attributes].concat()));
    }
    seeds.push(text);
    seeds
}

/// Nothing stands in an accepted request that would surprise who grants it.
fn sound(csr: &Csr) {
    assert!(csr.key.judge().is_ok() && csr.names.len() <= NAMES_MAX);
    for (at, name) in csr.names.iter().enumerate() {
        assert!(!csr.names[..at].contains(name), "{name} stands twice");
        let der = Writer::build(|out| out.sequence(|out| name.write(out)));
        assert_eq!(GeneralName::read_all(&der).as_deref(), Ok(std::slice::from_ref(name)));
    }
}

fn check(bytes: &[u8]) {
    if let Some((number, attributes)) = authority::to_sign(bytes).and_then(<[u8]>::split_first) {
        // RSA signatures are slow, and the attributes are the same to all keys
        let signer = &KEYS[usize::from(*number) % 3];
        let request = authority::request(signer, &authority::request_information(signer, attributes));
        if let Ok(csr) = Csr::from_der(&request) {
            assert_eq!(csr.key, *signer.key());
            sound(&csr);
        }
        return;
    }
    for csr in [Csr::from_der(bytes), Csr::from_pem(bytes)].into_iter().flatten() {
        sound(&csr);
        let ours = KEYS.iter().any(|signer| *signer.key() == csr.key);
        let der = pem::one(bytes, pem::Label::CertificateRequest).unwrap_or_else(|_| bytes.to_vec());
        let information =
            Reader::new(&der).sequence().and_then(|mut inside| inside.any().map(|one| one.whole));
        let signed = information.is_ok_and(|information| SIGNED.iter().any(|one| one == information));
        assert!(!ours || signed, "our key did not sign this request");
    }
}

fuzz::target!(seeds, check);
