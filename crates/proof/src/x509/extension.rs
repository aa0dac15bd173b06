//! Extensions of certificates (RFC 5280 §4.2): what they say, written and read.
//!
//! Reading is strict and each value stands alone; whether a certificate may have it is the lint's question.
//! Never here: a decision about a profile.

use super::der::{DerError, OCTET_STRING, Reader, SEQUENCE, Writer, context, context_constructed};
use super::key::KeyId;
use super::names::URI_TAG;
use super::{Oid, oid};

/// digitalSignature.
pub const DIGITAL_SIGNATURE: u16 = 1 << 15;
/// keyEncipherment.
pub const KEY_ENCIPHERMENT: u16 = 1 << 13;
/// dataEncipherment.
pub const DATA_ENCIPHERMENT: u16 = 1 << 12;
/// keyAgreement.
pub const KEY_AGREEMENT: u16 = 1 << 11;
/// keyCertSign.
pub const KEY_CERT_SIGN: u16 = 1 << 10;
/// cRLSign.
pub const CRL_SIGN: u16 = 1 << 9;

/// Most entries of a list inside an extension that is read.
const ENTRIES_MAX: usize = 64;

/// An extension of a certificate, request, CRL or OCSP message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extension<'a> {
    /// Which.
    pub oid: Oid,
    /// Whether a reader that does not know it must refuse.
    pub critical: bool,
    /// The content of its OCTET STRING.
    pub value: &'a [u8],
}

/// Most extensions that one certificate, request or message may have.
pub const EXTENSIONS_MAX: usize = 64;

impl<'a> Extension<'a> {
    /// Reads the SEQUENCE OF Extension; it may not be empty. Duplicates are kept for the lint to find.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn read_all(reader: &mut Reader<'a>) -> Result<Vec<Self>, DerError> {
        let mut list = reader.sequence()?;
        if list.is_empty() {
            return Err(DerError::Value("list of extensions"));
        }
        let mut extensions = Vec::new();
        while !list.is_empty() {
            if extensions.len() == EXTENSIONS_MAX {
                return Err(DerError::Large);
            }
            let mut one = list.sequence()?;
            let oid = one.oid()?;
            let critical = one.boolean_default_false()?;
            let value = one.octet_string()?;
            one.finish()?;
            extensions.push(Self { oid, critical, value });
        }
        Ok(extensions)
    }

    /// The value as acmeIdentifier (RFC 8737 §3): SHA-256 of a key authorization.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn acme_identifier(&self) -> Result<[u8; 32], DerError> {
        let digest = whole(self.value, Reader::octet_string)?;
        digest.try_into().map_err(|_| DerError::Value("acmeIdentifier"))
    }
}

/// Writes one extension.
pub fn write(out: &mut Writer, oid: &Oid, critical: bool, value: impl FnOnce(&mut Writer)) {
    out.sequence(|out| {
        out.oid(oid);
        if critical {
            out.yes();
        }
        out.nested(OCTET_STRING, value);
    });
}

/// basicConstraints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BasicConstraints {
    /// Whether the subject is a CA.
    pub ca: bool,
    /// How many CAs may follow below.
    pub path_length: Option<u64>,
}

impl BasicConstraints {
    /// Writes the value.
    pub fn write(&self, out: &mut Writer) {
        out.sequence(|out| {
            if self.ca {
                out.yes();
            }
            if let Some(length) = self.path_length {
                out.small(length);
            }
        });
    }

    /// Reads the value.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn read(value: &[u8]) -> Result<Self, DerError> {
        whole(value, |reader| {
            let mut inner = reader.sequence()?;
            let ca = inner.boolean_default_false()?;
            let path_length = if inner.is_empty() { None } else { Some(inner.small()?) };
            inner.finish()?;
            Ok(Self { ca, path_length })
        })
    }
}

/// authorityKeyIdentifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AuthorityKeyId<'a> {
    /// The issuer's key.
    pub key_id: Option<&'a [u8]>,
    /// Whether issuer or serial number are there as well, which nobody needs.
    pub has_issuer: bool,
}

impl<'a> AuthorityKeyId<'a> {
    /// Writes the value with the key's identifier alone.
    pub fn write(key_id: &KeyId, out: &mut Writer) {
        out.sequence(|out| out.put(context(0), &key_id.0));
    }

    /// Reads the value.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn read(value: &'a [u8]) -> Result<Self, DerError> {
        whole(value, |reader| {
            let mut inner = reader.sequence()?;
            let key_id = inner.optional(context(0))?;
            let issuer = inner.optional(context_constructed(1))?;
            let serial = inner.optional(context(2))?;
            inner.finish()?;
            Ok(Self { key_id, has_issuer: issuer.is_some() || serial.is_some() })
        })
    }
}

/// Reads keyUsage: the bits, the first as the highest of 16.
///
/// # Errors
/// [`DerError`].
pub fn read_key_usage(value: &[u8]) -> Result<u16, DerError> {
    whole(value, Reader::named_bits)
}

/// Reads subjectKeyIdentifier.
///
/// # Errors
/// [`DerError`].
pub fn read_key_id(value: &[u8]) -> Result<&[u8], DerError> {
    whole(value, Reader::octet_string)
}

/// Reads extKeyUsage, which may not be empty.
///
/// # Errors
/// [`DerError`].
pub fn read_extended_key_usage(value: &[u8]) -> Result<Vec<Oid>, DerError> {
    list(value, Reader::oid)
}

/// Reads the policies of certificatePolicies; their qualifiers are checked for form and left aside.
///
/// # Errors
/// [`DerError`].
pub fn read_policies(value: &[u8]) -> Result<Vec<Oid>, DerError> {
    list(value, |reader| {
        let mut information = reader.sequence()?;
        let policy = information.oid()?;
        if !information.is_empty() {
            information.sequence()?;
        }
        information.finish()?;
        Ok(policy)
    })
}

/// Writes certificatePolicies.
pub fn write_policies(policies: &[Oid], out: &mut Writer) {
    out.sequence(|out| policies.iter().for_each(|policy| out.sequence(|out| out.oid(policy))));
}

/// Writes cRLDistributionPoints or freshestCRL with one address.
pub fn write_distribution_point(url: &str, out: &mut Writer) {
    out.sequence(|out| {
        out.sequence(|out| {
            out.nested(context_constructed(0), |out| write_full_name(url, out));
        });
    });
}

/// Writes the fullName of a DistributionPointName.
pub(crate) fn write_full_name(url: &str, out: &mut Writer) {
    out.nested(context_constructed(0), |out| out.put(URI_TAG, url.as_bytes()));
}

/// Reads the addresses of cRLDistributionPoints or freshestCRL; points without an address are left out.
///
/// # Errors
/// [`DerError`].
pub fn read_distribution_points(value: &[u8]) -> Result<Vec<&str>, DerError> {
    let points = list(value, |reader| {
        let mut point = reader.sequence()?;
        let name = point.tagged(0)?;
        point.optional(context(1))?;
        point.optional(context_constructed(2))?;
        point.finish()?;
        name.map_or(Ok(Vec::new()), read_full_name)
    })?;
    Ok(points.into_iter().flatten().collect())
}

/// Reads the addresses of a DistributionPointName.
pub(crate) fn read_full_name(mut name: Reader<'_>) -> Result<Vec<&str>, DerError> {
    let mut addresses = Vec::new();
    let Some(mut full) = name.tagged(0)? else {
        name.optional(context_constructed(1))?;
        name.finish()?;
        return Ok(addresses);
    };
    name.finish()?;
    while !full.is_empty() {
        let one = full.any()?;
        if one.tag == URI_TAG {
            addresses.push(ascii(one.body)?);
        }
    }
    Ok(addresses)
}

/// Writes authorityInfoAccess.
pub fn write_authority_info_access(ocsp: Option<&str>, issuers: Option<&str>, out: &mut Writer) {
    let access = |out: &mut Writer, method: &Oid, url: Option<&str>| {
        if let Some(url) = url {
            out.sequence(|out| {
                out.oid(method);
                out.put(URI_TAG, url.as_bytes());
            });
        }
    };
    out.sequence(|out| {
        access(out, &oid::ACCESS_OCSP, ocsp);
        access(out, &oid::ACCESS_CA_ISSUERS, issuers);
    });
}

/// Reads authorityInfoAccess: method and address; other names than URIs are left out.
///
/// # Errors
/// [`DerError`].
pub fn read_authority_info_access(value: &[u8]) -> Result<Vec<(Oid, &str)>, DerError> {
    let found = list(value, |reader| {
        let mut description = reader.sequence()?;
        let method = description.oid()?;
        let location = description.any()?;
        description.finish()?;
        if location.tag & 0xc0 != 0x80 {
            return Err(DerError::Value("GeneralName"));
        }
        Ok(if location.tag == URI_TAG { Some((method, ascii(location.body)?)) } else { None })
    })?;
    Ok(found.into_iter().flatten().collect())
}

/// Reads the TLS features (RFC 7633): numbers of TLS extensions.
///
/// # Errors
/// [`DerError`].
pub fn read_tls_features(value: &[u8]) -> Result<Vec<u64>, DerError> {
    list(value, Reader::small)
}

fn ascii(body: &[u8]) -> Result<&str, DerError> {
    std::str::from_utf8(body).ok().filter(|text| text.is_ascii()).ok_or(DerError::Value("IA5String"))
}

/// Reads one value and nothing behind it.
pub(crate) fn whole<'a, T>(
    value: &'a [u8],
    read: impl FnOnce(&mut Reader<'a>) -> Result<T, DerError>,
) -> Result<T, DerError> {
    let mut reader = Reader::new(value);
    let found = read(&mut reader)?;
    reader.finish()?;
    Ok(found)
}

/// Reads a SEQUENCE OF with at least one entry.
pub(crate) fn list<'a, T>(
    value: &'a [u8],
    read: impl Fn(&mut Reader<'a>) -> Result<T, DerError>,
) -> Result<Vec<T>, DerError> {
    let mut entries = Reader::new(whole(value, |reader| reader.take(SEQUENCE))?);
    let mut found = Vec::new();
    while !entries.is_empty() {
        if found.len() == ENTRIES_MAX {
            return Err(DerError::Large);
        }
        found.push(read(&mut entries)?);
    }
    if found.is_empty() { Err(DerError::Value("list")) } else { Ok(found) }
}
