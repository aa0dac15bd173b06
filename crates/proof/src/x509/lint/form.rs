//! Rules about what every certificate is: version, number, algorithm, validity, key, and the list of its extensions.

use super::{Case, Kind, Rule, Verdict, demand, rule};
use crate::crypto::{SignatureAlgorithm, SubjectKey};
use crate::x509::extension;
use crate::x509::key::KeyId;
use crate::x509::oid;

pub(super) const RULES: &[Rule] = &[
    rule("selo.form.version", "RFC 5280 §4.1.2.1", version),
    rule("selo.form.unique_ids", "RFC 5280 §4.1.2.8", unique_ids),
    rule("selo.form.algorithms_equal", "RFC 5280 §4.1.1.2", algorithms_equal),
    rule("selo.form.algorithm", "RFC 5758 §3.2, RFC 8410 §3", algorithm),
    rule("selo.serial.form", "RFC 5280 §4.1.2.2", serial),
    rule("selo.validity.form", "RFC 5280 §4.1.2.5", validity),
    rule("selo.key.accepted", "RFC 5480 §2.1.1, CA/B BR §6.1.6", key),
    rule("selo.extensions.unique", "RFC 5280 §4.2", extensions_unique),
    rule("selo.extensions.known", "RFC 5280 §4.2", extensions_known),
    rule("selo.ski.present", "RFC 5280 §4.2.1.2", ski_present),
    rule("selo.ski.critical", "RFC 5280 §4.2.1.2", ski_critical),
    rule("selo.ski.form", "RFC 7093 §2", ski_form),
];

fn version(case: &Case<'_>) -> Verdict {
    demand(case.certificate.version == 3, || format!("the version is {}", case.certificate.version))
}

fn unique_ids(case: &Case<'_>) -> Verdict {
    demand(!case.certificate.has_unique_ids, || "a unique identifier is there".into())
}

fn algorithms_equal(case: &Case<'_>) -> Verdict {
    demand(case.certificate.inner_algorithm == case.certificate.outer_algorithm, || {
        "the algorithm that was signed is not the one beside the signature".into()
    })
}

fn algorithm(case: &Case<'_>) -> Verdict {
    let found = case.certificate.algorithm().map_err(|fault| fault.to_string())?;
    demand(found != SignatureAlgorithm::EcdsaSha512, || "ECDSA with SHA-512".into())
}

fn serial(case: &Case<'_>) -> Verdict {
    demand(case.certificate.serial().is_some(), || {
        let length = case.certificate.serial_content.len();
        format!("the serial number ({length} octets) is zero, negative or longer than 20 octets")
    })
}

fn validity(case: &Case<'_>) -> Verdict {
    let validity = case.certificate.validity().map_err(|fault| fault.to_string())?;
    demand(validity.not_before <= validity.not_after, || "it ends before it begins".into())
}

fn key(case: &Case<'_>) -> Verdict {
    case.certificate.key().and_then(|key| key.judge()).map_err(|refusal| refusal.to_string())
}

fn extensions_unique(case: &Case<'_>) -> Verdict {
    let extensions = &case.certificate.extensions;
    let mut twice = extensions
        .iter()
        .enumerate()
        .filter(|(at, extension)| extensions.iter().take(*at).any(|earlier| earlier.oid == extension.oid));
    twice.next().map_or(Ok(()), |(_, extension)| Err(format!("{} stands twice", extension.oid)))
}

fn extensions_known(case: &Case<'_>) -> Verdict {
    let known = [
        oid::BASIC_CONSTRAINTS,
        oid::KEY_USAGE,
        oid::EXTENDED_KEY_USAGE,
        oid::SUBJECT_KEY_ID,
        oid::AUTHORITY_KEY_ID,
        oid::SUBJECT_ALT_NAME,
        oid::NAME_CONSTRAINTS,
        oid::CERTIFICATE_POLICIES,
        oid::CRL_DISTRIBUTION_POINTS,
        oid::AUTHORITY_INFO_ACCESS,
        oid::FRESHEST_CRL,
        oid::NO_REV_AVAIL,
        oid::OCSP_NO_CHECK,
        oid::TLS_FEATURE,
    ];
    // what we never issue is unknown here, critical or not
    let mut unknown = case.certificate.extensions.iter().filter(|extension| !known.contains(&extension.oid));
    unknown.next().map_or(Ok(()), |extension| Err(format!("{} is not issued here", extension.oid)))
}

fn ski_present(case: &Case<'_>) -> Verdict {
    demand(case.certificate.extension(oid::SUBJECT_KEY_ID).is_some(), || "there is no key identifier".into())
}

fn ski_critical(case: &Case<'_>) -> Verdict {
    let critical =
        case.certificate.extension(oid::SUBJECT_KEY_ID).is_some_and(|extension| extension.critical);
    demand(!critical, || "the key identifier is critical".into())
}

fn ski_form(case: &Case<'_>) -> Verdict {
    let Some(extension) = case.certificate.extension(oid::SUBJECT_KEY_ID) else { return Ok(()) };
    let found = extension::read_key_id(extension.value).map_err(|fault| fault.to_string())?;
    let Ok(key) = SubjectKey::from_spki(case.certificate.spki) else { return Ok(()) };
    // others may use another method; ours is one for all
    let ours = case.profile.is_none() || found == KeyId::of(&key).0;
    demand(ours && !found.is_empty(), || "the key identifier is not that of the key".into())
}

impl Kind {
    pub(super) fn is_root(self) -> bool {
        self == Self::Root
    }
}
