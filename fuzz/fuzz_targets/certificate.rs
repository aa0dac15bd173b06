//! Certificates: two readers that accept one see the same in it, and what the lint releases another reader understands.
#![no_main]

use fuzz::authority::{self, CERTIFICATES, HOUSE};
use proof::x509::lint::{self, Kind};
use proof::x509::{Certificate, GeneralName, NameConstraints, Profile, pem};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = CERTIFICATES.clone();
    let (root, issuing) = (HOUSE.root.certificate(), HOUSE.issuing.certificate());
    assert!(lint::certificate(&seeds[0], Profile::Root, Some(&root)).is_empty());
    assert!(lint::certificate(&seeds[1], Profile::Issuing, Some(&root)).is_empty());
    let released = |seed: &Vec<u8>| {
        Profile::ALL.into_iter().any(|profile| lint::certificate(seed, profile, Some(&issuing)).is_empty())
    };
    assert!(seeds[2..].iter().all(released), "certificates of ours pass the lint");
    seeds.push(authority::pem_of(pem::Label::Certificate, &seeds[1]));
    seeds
}

/// Reads everything in a certificate: whatever it is, nothing panics.
fn whole(certificate: &Certificate<'_>) {
    let _ = (certificate.serial(), certificate.validity(), certificate.algorithm(), certificate.key());
    let _ = (certificate.basic_constraints(), certificate.key_usage(), certificate.extended_key_usage());
    let _ = (certificate.subject_key_id(), certificate.authority_key_id(), certificate.names());
    let _ = (certificate.crl_addresses(), certificate.access(), certificate.policies());
    let _ =
        (certificate.name_constraints(), certificate.subject.to_string(), certificate.issuer.common_name());
    for extension in &certificate.extensions {
        let _ = (NameConstraints::read(extension.value), GeneralName::read_all(extension.value));
    }
}

fn agree(ours: &Certificate<'_>, theirs: &X509Certificate<'_>) {
    assert_eq!(theirs.raw_serial(), ours.serial_content);
    assert_eq!(theirs.subject().as_raw(), ours.subject.der());
    assert_eq!(theirs.issuer().as_raw(), ours.issuer.der());
    // where something follows inside the key, the other reader stops before it; we refuse such a key when it is asked for
    assert!(ours.key().is_err() || theirs.public_key().raw == ours.spki);
    assert_eq!(theirs.signature_value.data.as_ref(), ours.signature);
    assert_eq!(theirs.extensions().len(), ours.extensions.len());
    for (theirs, ours) in theirs.extensions().iter().zip(&ours.extensions) {
        assert_eq!(
            (theirs.oid.as_bytes(), theirs.critical, theirs.value),
            (ours.oid.body(), ours.critical, ours.value)
        );
    }
    if let Ok(validity) = ours.validity() {
        assert_eq!(theirs.validity().not_before.timestamp(), validity.not_before.seconds());
        assert_eq!(theirs.validity().not_after.timestamp(), validity.not_after.seconds());
    }
}

fn check(bytes: &[u8]) {
    let text = pem::one(bytes, pem::Label::Certificate);
    if let Ok(der) = &text {
        assert_eq!(
            pem::one(&authority::pem_of(pem::Label::Certificate, der), pem::Label::Certificate).as_ref(),
            Ok(der)
        );
    }
    let der = text.as_deref().unwrap_or(bytes);
    let issuing = HOUSE.issuing.certificate();
    let mut released = false;
    for profile in Profile::ALL {
        released |= lint::certificate(der, profile, Some(&issuing)).is_empty();
    }
    for kind in [Kind::Root, Kind::Ca, Kind::EndEntity] {
        let _ = lint::foreign_certificate(der, kind, Some(&issuing));
    }
    let theirs = X509Certificate::from_der(der);
    let Ok(ours) = Certificate::parse(der) else {
        assert!(!released, "what is not read is not released");
        return;
    };
    whole(&ours);
    assert!(
        ours.verify(HOUSE.issuing.signer.key()).is_err()
            || CERTIFICATES.iter().any(|one| authority::tbs_of(one) == ours.tbs)
            || ours.tbs == authority::tbs_of(&HOUSE.responder.der),
        "nobody signed this"
    );
    match theirs {
        Ok((rest, theirs)) => {
            assert!(rest.is_empty());
            agree(&ours, &theirs);
            let wrong = theirs.extensions().iter().find_map(|extension| extension.parsed_extension().error());
            assert!(
                !released || wrong.is_none(),
                "another reader does not understand an extension: {wrong:?}"
            );
        }
        Err(refusal) => assert!(!released, "another reader refuses what the lint releases: {refusal}"),
    }
}

fuzz::target!(seeds, check);
