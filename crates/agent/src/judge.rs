//! What an authority sent is judged before anything is touched: the key, the names, the times, the chain.
//!
//! Pure. Never here: a path to a root, which is the business of those who rely on the certificate.

use std::collections::BTreeSet;

use base::Time;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use proof::{
    crypto::SubjectKey,
    x509::{
        Certificate, GeneralName,
        pem::{self, Label},
    },
};

use crate::plan::Life;

/// How far ahead of ours the authority's clock may be.
const AHEAD_SECONDS_MAX: i64 = 300;
/// Most issuers that are taken.
const ISSUERS_MAX: usize = 8;

/// A certificate with its issuers, read.
#[derive(Debug, Clone)]
pub struct Read {
    /// The certificate alone, DER.
    pub leaf: Vec<u8>,
    /// Its issuers, DER, the nearest first.
    pub issuers: Vec<Vec<u8>>,
    /// The serial number in hexadecimal.
    pub serial: String,
    /// From and until when.
    pub life: Life,
    /// Its names.
    pub names: BTreeSet<GeneralName>,
    /// How renewal information names it: key of the issuer and serial number (RFC 9773 §4.1).
    pub renewal_id: Option<(String, String)>,
}

impl Read {
    /// The certificate alone as PEM.
    pub fn cert_pem(&self) -> String {
        pem::encode_chain([self.leaf.as_slice()])
    }

    /// Its issuers as PEM.
    pub fn chain_pem(&self) -> String {
        pem::encode_chain(self.issuers.iter().map(Vec::as_slice))
    }
}

/// Reads a certificate with its issuers.
///
/// # Errors
/// What is wrong with it.
pub fn read(text: &[u8]) -> Result<Read, String> {
    let mut blocks = pem::all(text, Label::Certificate).map_err(|fault| fault.to_string())?.into_iter();
    let leaf = blocks.next().ok_or("there is no certificate")?;
    let issuers: Vec<Vec<u8>> = blocks.collect();
    if issuers.len() > ISSUERS_MAX {
        return Err(format!("there are more than {ISSUERS_MAX} issuers"));
    }
    let certificate =
        Certificate::parse(&leaf).map_err(|fault| format!("the certificate cannot be read: {fault}"))?;
    let serial = certificate.serial().ok_or("its serial number is not allowed")?;
    let validity = certificate.validity().map_err(|fault| format!("its times cannot be read: {fault}"))?;
    let names = certificate.names().map_err(|fault| format!("its names cannot be read: {fault}"))?;
    let issuer_key = certificate.authority_key_id().ok().flatten().and_then(|id| id.key_id);
    let renewal_id =
        issuer_key.map(|key| (URL_SAFE_NO_PAD.encode(key), URL_SAFE_NO_PAD.encode(serial.content())));
    Ok(Read {
        serial: serial.content().iter().map(|octet| format!("{octet:02x}")).collect(),
        life: Life {
            not_before: Time::from_seconds(validity.not_before.seconds()),
            not_after: Time::from_seconds(validity.not_after.seconds()),
        },
        names: names.into_iter().collect(),
        renewal_id,
        leaf,
        issuers,
    })
}

/// Judges what came for this key and these names.
///
/// # Errors
/// Why it is not installed.
pub fn judge(
    text: &[u8],
    names: &BTreeSet<GeneralName>,
    key: &SubjectKey,
    now: Time,
) -> Result<Read, String> {
    let read = read(text)?;
    let certificate = Certificate::parse(&read.leaf).map_err(|fault| fault.to_string())?;
    if certificate.key().as_ref() != Ok(key) {
        return Err("it is for another key".to_owned());
    }
    if read.names != *names {
        let list = |names: &BTreeSet<GeneralName>| {
            names.iter().map(GeneralName::text).collect::<Vec<_>>().join(", ")
        };
        return Err(format!("it is for {}, and {} was ordered", list(&read.names), list(names)));
    }
    if read.life.not_before.seconds() > now.seconds() + AHEAD_SECONDS_MAX {
        return Err(format!("it holds only from {}", read.life.not_before));
    }
    if read.life.not_after <= now {
        return Err(format!("it ended on {}", read.life.not_after));
    }
    if read.issuers.is_empty() {
        return Err("it came without its issuer".to_owned());
    }
    let mut below = certificate;
    for (index, issuer) in read.issuers.iter().enumerate() {
        let place = index + 1;
        let issuer = Certificate::parse(issuer).map_err(|fault| format!("issuer {place}: {fault}"))?;
        let key = issuer.key().map_err(|fault| format!("issuer {place}: {fault}"))?;
        let is_authority =
            issuer.basic_constraints().ok().flatten().is_some_and(|constraints| constraints.ca);
        let validity = issuer.validity().map_err(|fault| format!("issuer {place}: {fault}"))?;
        if !is_authority || below.issuer != issuer.subject || below.verify(&key).is_err() {
            return Err(format!("issuer {place} did not issue what stands before it"));
        }
        if validity.not_after.seconds() <= now.seconds() {
            return Err(format!("issuer {place} has ended"));
        }
        below = issuer;
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use keys::{LocalKey, local_key};
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};

    use super::*;

    struct Trial {
        key: LocalKey,
        pair: KeyPair,
    }

    fn trial() -> Trial {
        let key = local_key().unwrap();
        let pair = KeyPair::from_pem(key.pem.expose()).unwrap();
        Trial { key, pair }
    }

    fn authority(name: &str) -> (CertificateParams, KeyPair) {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        (params, KeyPair::generate().unwrap())
    }

    fn leaf(names: &[&str]) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.subject_alt_names =
            names.iter().map(|name| SanType::DnsName((*name).try_into().unwrap())).collect();
        params.not_before = rcgen::date_time_ymd(2026, 1, 1);
        params.not_after = rcgen::date_time_ymd(2026, 4, 1);
        params.use_authority_key_identifier_extension = true;
        params
    }

    fn names(names: &[&str]) -> BTreeSet<GeneralName> {
        names.iter().map(|name| GeneralName::Dns(proof::x509::DnsName::parse(name).unwrap())).collect()
    }

    fn day(text: &str) -> Time {
        Time::parse(&format!("{text}T00:00:00Z")).unwrap()
    }

    #[test]
    fn a_chain_that_was_ordered_is_taken_and_each_difference_is_named() {
        let trial = trial();
        let (root, root_key) = authority("root");
        let (other, other_key) = authority("root");
        let root_pem = root.self_signed(&root_key).unwrap().pem();
        let stranger_pem = other.self_signed(&other_key).unwrap().pem();
        let issuer = Issuer::from_params(&root, &root_key);
        let made = leaf(&["a.example", "b.example"]).signed_by(&trial.pair, &issuer).unwrap().pem();
        let good = format!("{made}{root_pem}");
        let ordered = names(&["b.example", "a.example"]);
        let ask = |text: &str, names: &BTreeSet<GeneralName>, now: &str| {
            judge(text.as_bytes(), names, &trial.key.public, day(now))
        };
        let read = ask(&good, &ordered, "2026-02-01").unwrap();
        assert_eq!(read.life, Life { not_before: day("2026-01-01"), not_after: day("2026-04-01") });
        assert_eq!(
            format!("{}{}", read.cert_pem(), read.chain_pem()).replace("\r", ""),
            good.replace("\r", "")
        );
        assert!(read.renewal_id.is_some());

        for (text, asked, now, reason) in [
            (good.as_str(), &names(&["a.example"]), "2026-02-01", "ordered"),
            (&good, &names(&["a.example", "b.example", "c.example"]), "2026-02-01", "ordered"),
            (&good, &ordered, "2025-12-31", "only from"),
            (&good, &ordered, "2026-04-01", "ended"),
            (&made, &ordered, "2026-02-01", "without its issuer"),
            (&format!("{made}{stranger_pem}"), &ordered, "2026-02-01", "issuer 1 did not issue"),
            (&format!("{made}{root_pem}{stranger_pem}"), &ordered, "2026-02-01", "issuer 2 did not issue"),
            (&format!("{made}{made}"), &ordered, "2026-02-01", "issuer 1 did not issue"),
            ("", &ordered, "2026-02-01", "no"),
            ("hello", &ordered, "2026-02-01", "PEM"),
        ] {
            let refused = ask(text, asked, now).unwrap_err();
            assert!(refused.contains(reason), "{reason}: {refused}");
        }
        let other_key = local_key().unwrap();
        let refused = judge(good.as_bytes(), &ordered, &other_key.public, day("2026-02-01")).unwrap_err();
        assert_eq!(refused, "it is for another key");
    }
}
