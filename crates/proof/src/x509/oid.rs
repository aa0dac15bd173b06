//! Object identifiers: a small copyable value, and the ones that this crate knows by name.
//!
//! An organisation's own identifiers (policies, extended key usages) come from its configuration as text.
//! Never here: an arc that we invented.

use std::fmt;

use super::der::DerError;

/// Longest content of an identifier that is read.
pub const OID_BYTES_MAX: usize = 39;

/// An object identifier.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid {
    length: u8,
    body: [u8; OID_BYTES_MAX],
}

impl Oid {
    /// An identifier from its arcs; for constants.
    ///
    /// # Panics
    /// At compile time when the arcs make no identifier.
    #[must_use]
    pub const fn known(arcs: &[u32]) -> Self {
        match Self::from_arcs(arcs) {
            Some(oid) => oid,
            None => panic!("the arcs make no identifier"),
        }
    }

    /// An identifier from its arcs; None when they make none, or one that is too long.
    #[must_use]
    pub const fn from_arcs(arcs: &[u32]) -> Option<Self> {
        if arcs.len() < 2 || arcs[0] > 2 || (arcs[0] < 2 && arcs[1] > 39) || arcs[1] > u32::MAX - 80 {
            return None;
        }
        let mut oid = Self { length: 0, body: [0; OID_BYTES_MAX] };
        let mut at = 1;
        while at < arcs.len() {
            let arc = if at == 1 { arcs[0] * 40 + arcs[1] } else { arcs[at] };
            let mut octets = 1;
            while octets < 5 && arc >> (7 * octets) > 0 {
                octets += 1;
            }
            while octets > 0 {
                octets -= 1;
                if oid.length as usize == OID_BYTES_MAX {
                    return None;
                }
                let more = if octets > 0 { 0x80 } else { 0 };
                oid.body[oid.length as usize] = (arc >> (7 * octets) & 0x7f) as u8 | more;
                oid.length += 1;
            }
            at += 1;
        }
        Some(oid)
    }

    /// Reads dotted decimal, as `1.3.6.1.4.1.99999.1`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut arcs = Vec::new();
        for part in text.split('.') {
            let plain = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            if !plain || (part.len() > 1 && part.starts_with('0')) || arcs.len() >= OID_BYTES_MAX {
                return None;
            }
            arcs.push(part.parse().ok()?);
        }
        Self::from_arcs(&arcs)
    }

    /// Takes the content of an encoded identifier.
    ///
    /// # Errors
    /// [`DerError`] when it is none, or longer than [`OID_BYTES_MAX`].
    pub fn from_body(body: &[u8]) -> Result<Self, DerError> {
        if body.len() > OID_BYTES_MAX {
            return Err(DerError::Large);
        }
        let wrong = DerError::Value("OBJECT IDENTIFIER");
        if body.last().is_none_or(|last| *last >= 0x80) {
            return Err(wrong);
        }
        let mut begins = true;
        for octet in body {
            if begins && *octet == 0x80 {
                return Err(wrong);
            }
            begins = *octet < 0x80;
        }
        let mut oid = Self { length: 0, body: [0; OID_BYTES_MAX] };
        for (place, octet) in oid.body.iter_mut().zip(body) {
            *place = *octet;
            oid.length += 1;
        }
        Ok(oid)
    }

    /// The identifier one step below; None when it would be too long.
    #[must_use]
    pub fn child(&self, arc: u32) -> Option<Self> {
        let mut below = *self;
        let octets = (arc.max(1).ilog2() / 7) + 1;
        for place in (0..octets).rev() {
            let more = if place > 0 { 0x80 } else { 0 };
            let octet = u8::try_from(arc >> (7 * place) & 0x7f).ok()? | more;
            *below.body.get_mut(usize::from(below.length))? = octet;
            below.length += 1;
        }
        Some(below)
    }

    /// The last arc; None when there are only two, which share their octets, or when it is beyond any use.
    #[must_use]
    pub fn last_arc(&self) -> Option<u32> {
        let (last, before) = self.body().split_last()?;
        let begin = before.iter().rposition(|octet| *octet < 0x80)? + 1;
        let high = before.get(begin..)?.iter().map(|octet| octet & 0x7f);
        high.chain([*last]).try_fold(0_u32, |arc, octet| Some(arc.checked_mul(128)? | u32::from(octet)))
    }

    /// The content of the encoding.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.body.get(..usize::from(self.length)).unwrap_or_default()
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut arc = 0_u128;
        let mut first = true;
        for octet in self.body() {
            // a foreign identifier may have arcs beyond any use; what does not fit is cut and only shown
            arc = arc.wrapping_shl(7) | u128::from(octet & 0x7f);
            if *octet >= 0x80 {
                continue;
            }
            if first {
                let root = (arc / 40).min(2);
                write!(out, "{root}.{}", arc - root * 40)?;
                first = false;
            } else {
                write!(out, ".{arc}")?;
            }
            arc = 0;
        }
        Ok(())
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Oid({self})")
    }
}

// A dot between literals would read as a floating point number.
macro_rules! names {
    ($($(#[$doc:meta])* $name:ident = $($arc:literal)/+;)*) => {
        $($(#[$doc])* pub const $name: Oid = Oid::known(&[$($arc),+]);)*
    };
}

names! {
    /// id-at-commonName.
    COMMON_NAME = 2/5/4/3;
    /// id-at-serialNumber.
    SERIAL_NUMBER = 2/5/4/5;
    /// id-at-countryName.
    COUNTRY = 2/5/4/6;
    /// id-at-localityName.
    LOCALITY = 2/5/4/7;
    /// id-at-stateOrProvinceName.
    STATE = 2/5/4/8;
    /// id-at-organizationName.
    ORGANIZATION = 2/5/4/10;
    /// id-at-organizationalUnitName.
    ORGANIZATIONAL_UNIT = 2/5/4/11;
    /// id-domainComponent.
    DOMAIN_COMPONENT = 0/9/2342/19200300/100/1/25;

    /// rsaEncryption.
    RSA_ENCRYPTION = 1/2/840/113549/1/1/1;
    /// sha256WithRSAEncryption.
    RSA_SHA256 = 1/2/840/113549/1/1/11;
    /// sha384WithRSAEncryption.
    RSA_SHA384 = 1/2/840/113549/1/1/12;
    /// sha512WithRSAEncryption.
    RSA_SHA512 = 1/2/840/113549/1/1/13;
    /// id-dsa.
    DSA = 1/2/840/10040/4/1;
    /// id-ecPublicKey.
    EC_PUBLIC_KEY = 1/2/840/10045/2/1;
    /// secp256r1.
    P256 = 1/2/840/10045/3/1/7;
    /// secp384r1.
    P384 = 1/3/132/0/34;
    /// ecdsa-with-SHA256.
    ECDSA_SHA256 = 1/2/840/10045/4/3/2;
    /// ecdsa-with-SHA384.
    ECDSA_SHA384 = 1/2/840/10045/4/3/3;
    /// ecdsa-with-SHA512.
    ECDSA_SHA512 = 1/2/840/10045/4/3/4;
    /// id-Ed25519.
    ED25519 = 1/3/101/112;
    /// id-sha1.
    SHA1 = 1/3/14/3/2/26;
    /// id-sha256.
    SHA256 = 2/16/840/1/101/3/4/2/1;

    /// id-ce-subjectKeyIdentifier.
    SUBJECT_KEY_ID = 2/5/29/14;
    /// id-ce-keyUsage.
    KEY_USAGE = 2/5/29/15;
    /// id-ce-subjectAltName.
    SUBJECT_ALT_NAME = 2/5/29/17;
    /// id-ce-basicConstraints.
    BASIC_CONSTRAINTS = 2/5/29/19;
    /// id-ce-cRLNumber.
    CRL_NUMBER = 2/5/29/20;
    /// id-ce-cRLReasons.
    REASON_CODE = 2/5/29/21;
    /// id-ce-invalidityDate.
    INVALIDITY_DATE = 2/5/29/24;
    /// id-ce-deltaCRLIndicator.
    DELTA_CRL_INDICATOR = 2/5/29/27;
    /// id-ce-issuingDistributionPoint.
    ISSUING_DISTRIBUTION_POINT = 2/5/29/28;
    /// id-ce-nameConstraints.
    NAME_CONSTRAINTS = 2/5/29/30;
    /// id-ce-cRLDistributionPoints.
    CRL_DISTRIBUTION_POINTS = 2/5/29/31;
    /// id-ce-certificatePolicies.
    CERTIFICATE_POLICIES = 2/5/29/32;
    /// id-ce-policyMappings.
    POLICY_MAPPINGS = 2/5/29/33;
    /// id-ce-authorityKeyIdentifier.
    AUTHORITY_KEY_ID = 2/5/29/35;
    /// id-ce-policyConstraints.
    POLICY_CONSTRAINTS = 2/5/29/36;
    /// id-ce-extKeyUsage.
    EXTENDED_KEY_USAGE = 2/5/29/37;
    /// anyExtendedKeyUsage.
    ANY_EXTENDED_KEY_USAGE = 2/5/29/37/0;
    /// id-ce-freshestCRL.
    FRESHEST_CRL = 2/5/29/46;
    /// id-ce-inhibitAnyPolicy.
    INHIBIT_ANY_POLICY = 2/5/29/54;
    /// id-ce-noRevAvail (RFC 9608).
    NO_REV_AVAIL = 2/5/29/56;
    /// id-pe-authorityInfoAccess.
    AUTHORITY_INFO_ACCESS = 1/3/6/1/5/5/7/1/1;
    /// id-pe-tlsfeature (RFC 7633).
    TLS_FEATURE = 1/3/6/1/5/5/7/1/24;
    /// id-pe-acmeIdentifier (RFC 8737).
    ACME_IDENTIFIER = 1/3/6/1/5/5/7/1/31;
    /// id-ad-ocsp.
    ACCESS_OCSP = 1/3/6/1/5/5/7/48/1;
    /// id-ad-caIssuers.
    ACCESS_CA_ISSUERS = 1/3/6/1/5/5/7/48/2;
    /// id-kp-serverAuth.
    SERVER_AUTH = 1/3/6/1/5/5/7/3/1;
    /// id-kp-clientAuth.
    CLIENT_AUTH = 1/3/6/1/5/5/7/3/2;
    /// id-kp-timeStamping.
    TIME_STAMPING = 1/3/6/1/5/5/7/3/8;
    /// id-kp-OCSPSigning.
    OCSP_SIGNING = 1/3/6/1/5/5/7/3/9;
    /// id-pkix-ocsp-basic.
    OCSP_BASIC = 1/3/6/1/5/5/7/48/1/1;
    /// id-pkix-ocsp-nonce.
    OCSP_NONCE = 1/3/6/1/5/5/7/48/1/2;
    /// id-pkix-ocsp-nocheck.
    OCSP_NO_CHECK = 1/3/6/1/5/5/7/48/1/5;
    /// extensionRequest (PKCS #9).
    EXTENSION_REQUEST = 1/2/840/113549/1/9/14;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_encoding_agree() {
        for (text, body) in [
            ("2.5.29.19", &[0x55, 0x1d, 0x13][..]),
            ("1.2.840.113549", &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d]),
            ("2.999.3", &[0x88, 0x37, 3]),
            ("0.9.2342.19200300.100.1.25", &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25]),
        ] {
            let oid = Oid::parse(text).unwrap();
            assert_eq!(oid.body(), body);
            assert_eq!(oid.to_string(), text);
            assert_eq!(Oid::from_body(body), Ok(oid));
        }
    }

    #[test]
    fn a_step_below_is_found_again() {
        let arc = Oid::parse("1.3.6.1.4.1.32473").unwrap();
        for last in [0, 1, 127, 128, 16_383, 16_384, u32::MAX] {
            let below = arc.child(last).unwrap();
            assert_eq!(below.to_string(), format!("{arc}.{last}"));
            assert_eq!((below.last_arc(), Oid::from_body(below.body())), (Some(last), Ok(below)));
        }
        assert_eq!(Oid::parse("2.999").unwrap().last_arc(), None);
        let long = (0..OID_BYTES_MAX).try_fold(arc, |oid, _| oid.child(1));
        assert_eq!(long, None);
    }

    #[test]
    fn what_is_no_identifier_is_refused() {
        for text in ["", "1", "3.1", "1.40", "1.2.", ".1.2", "1.02", "1.2.x", "1.2.-1", "1.2.99999999999"] {
            assert_eq!(Oid::parse(text), None, "{text}");
        }
        for body in [&[][..], &[0x80, 1], &[0x2a, 0x80, 1], &[0x2a, 0x86], &[1; 40]] {
            assert!(Oid::from_body(body).is_err(), "{body:?}");
        }
    }
}
