//! OCSP responses: the bytes that a responder signs, the whole answer, the unsigned errors, and reading them again.
//!
//! The responder names itself by its key and encloses its certificate; each certificate asked about has its own answer.
//! Never here: a signature being made, a status that was not given.

use super::request::{CertId, read_extensions, read_nonce, write_nonce};
use crate::crypto::{self, CryptoError, SignatureAlgorithm, SubjectKey};
use crate::x509::crl::Reason;
use crate::x509::der::{
    DerError, ENUMERATED, OCTET_STRING, Reader, SEQUENCE, Writer, context, context_constructed,
};
use crate::x509::extension;
use crate::x509::names::Name;
use crate::x509::oid;
use crate::x509::time::Moment;

/// Longest response that is read.
pub const OCSP_RESPONSE_BYTES_MAX: usize = 64 * 1024;
/// Longest time an answer may be used.
const FRESH_SECONDS_MAX: i64 = 7 * 86_400;

/// An answer without content (RFC 6960 §4.2.1): five octets, unsigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OcspError {
    /// The request is no request.
    MalformedRequest,
    /// Our trouble.
    InternalError,
    /// Our trouble, and it will pass.
    TryLater,
    /// The issuer is none of ours.
    Unauthorized,
}

impl OcspError {
    /// The response.
    #[must_use]
    pub fn response(self) -> [u8; 5] {
        let code = match self {
            Self::MalformedRequest => 1,
            Self::InternalError => 2,
            Self::TryLater => 3,
            Self::Unauthorized => 6,
        };
        [SEQUENCE, 3, ENUMERATED, 1, code]
    }
}

/// How a responder names itself: by the SHA-1 of its key, as RFC 6960 §4.2.1 has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ResponderId(pub [u8; 20]);

impl ResponderId {
    /// The name of a responder with this key.
    ///
    /// # Errors
    /// [`CryptoError::KeyKind`] on wasm32.
    pub fn of(key: &SubjectKey) -> Result<Self, CryptoError> {
        crypto::sha1(&crate::x509::key::key_octets(key)).map(Self)
    }
}

/// What is known of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Issued and not revoked.
    Good,
    /// Revoked.
    Revoked {
        /// Since when.
        at: Moment,
        /// Why.
        reason: Reason,
    },
    /// Never issued.
    Unknown,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Single {
    /// Which certificate, in the words of the request.
    pub id: CertId,
    /// What is known.
    pub status: Status,
    /// When this was known.
    pub this_update: Moment,
    /// Until when the answer may be used.
    pub next_update: Moment,
}

/// An answer before its signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResponseDraft<'a> {
    /// Who answers.
    pub responder: ResponderId,
    /// When the answer is signed.
    pub produced_at: Moment,
    /// The last second of the responder's certificate: no answer may be used longer.
    pub responder_ends: Moment,
    /// The answers.
    pub singles: &'a [Single],
    /// The nonce of the request.
    pub nonce: Option<&'a [u8]>,
}

/// Why an answer cannot be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ResponseFault {
    /// No answer, or more than one request may ask for.
    #[error("the response has no answer or too many")]
    Count,
    /// Usable no time, too long, or longer than the responder's certificate.
    #[error("the answer would be usable no time, too long, or longer than the responder's certificate")]
    Lifetime,
    /// A nonce of no or too many octets.
    #[error("the nonce has no or too many octets")]
    Nonce,
}

impl ResponseDraft<'_> {
    /// The exact bytes to be signed.
    ///
    /// # Errors
    /// [`ResponseFault`].
    pub fn tbs(&self) -> Result<Vec<u8>, ResponseFault> {
        if self.singles.is_empty() || self.singles.len() > super::REQUESTS_MAX {
            return Err(ResponseFault::Count);
        }
        for single in self.singles {
            let seconds = single.next_update.seconds() - single.this_update.seconds();
            if !(1..=FRESH_SECONDS_MAX).contains(&seconds) || single.next_update > self.responder_ends {
                return Err(ResponseFault::Lifetime);
            }
        }
        if self.nonce.is_some_and(|nonce| nonce.is_empty() || nonce.len() > super::NONCE_BYTES_MAX) {
            return Err(ResponseFault::Nonce);
        }
        let mut out = Writer::with_capacity(256);
        out.sequence(|out| {
            out.nested(context_constructed(2), |out| out.octet_string(&self.responder.0));
            self.produced_at.write_generalized(out);
            out.sequence(|out| self.singles.iter().for_each(|single| single.write(out)));
            if let Some(nonce) = self.nonce {
                out.nested(context_constructed(1), |out| out.sequence(|out| write_nonce(nonce, out)));
            }
        });
        Ok(out.finish())
    }
}

impl Single {
    fn write(&self, out: &mut Writer) {
        out.sequence(|out| {
            self.id.write(out);
            match self.status {
                Status::Good => out.put(context(0), &[]),
                Status::Unknown => out.put(context(2), &[]),
                Status::Revoked { at, reason } => out.nested(context_constructed(1), |out| {
                    at.write_generalized(out);
                    if reason != Reason::Unspecified {
                        out.nested(context_constructed(0), |out| out.enumerated(reason.code()));
                    }
                }),
            }
            self.this_update.write_generalized(out);
            out.nested(context_constructed(0), |out| self.next_update.write_generalized(out));
        });
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DerError> {
        let mut single = reader.sequence()?;
        let id = CertId::read(&mut single)?;
        let element = single.any()?;
        let status = match (element.tag, element.body) {
            (tag, []) if tag == context(0) => Status::Good,
            (tag, []) if tag == context(2) => Status::Unknown,
            (tag, body) if tag == context_constructed(1) => {
                let mut inner = Reader::new(body);
                let at = Moment::read_generalized(&mut inner)?;
                let reason = match inner.tagged(0)? {
                    None => Reason::Unspecified,
                    Some(mut code) => {
                        let found = Reason::from_code(code.enumerated()?);
                        code.finish()?;
                        found.unwrap_or(Reason::Unspecified)
                    }
                };
                inner.finish()?;
                Status::Revoked { at, reason }
            }
            _ => return Err(DerError::Value("certificate status")),
        };
        let this_update = Moment::read_generalized(&mut single)?;
        let mut next = single.tagged(0)?.ok_or(DerError::Value("nextUpdate"))?;
        let next_update = Moment::read_generalized(&mut next)?;
        next.finish()?;
        read_nonce(&read_extensions(single.tagged(1)?)?)?;
        single.finish()?;
        Ok(Self { id, status, this_update, next_update })
    }
}

/// Puts signed bytes, signature and the responder's certificate together.
#[must_use]
pub fn assemble_response(
    tbs: &[u8],
    algorithm: SignatureAlgorithm,
    signature: &[u8],
    responder_certificate: &[u8],
) -> Vec<u8> {
    let mut out = Writer::with_capacity(tbs.len() + signature.len() + responder_certificate.len() + 96);
    out.sequence(|out| {
        out.enumerated(0);
        out.nested(context_constructed(0), |out| {
            out.sequence(|out| {
                out.oid(&oid::OCSP_BASIC);
                out.nested(OCTET_STRING, |out| {
                    out.sequence(|out| {
                        out.raw(tbs);
                        algorithm.write(out);
                        out.bit_string(signature);
                        out.nested(context_constructed(0), |out| {
                            out.sequence(|out| out.raw(responder_certificate));
                        });
                    });
                });
            });
        });
    });
    out.finish()
}

/// A successful response, borrowed from its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OcspResponse<'a> {
    /// What was signed.
    pub tbs: &'a [u8],
    /// Who answers, when it names itself by its key.
    pub responder: Option<ResponderId>,
    /// When the answer was signed.
    pub produced_at: Moment,
    /// The answers.
    pub singles: Vec<Single>,
    /// The nonce.
    pub nonce: Option<Vec<u8>>,
    /// The algorithm of the signature.
    pub algorithm: SignatureAlgorithm,
    /// The signature.
    pub signature: &'a [u8],
    /// The certificates enclosed.
    pub certificates: Vec<&'a [u8]>,
}

impl<'a> OcspResponse<'a> {
    /// Reads a successful response with a nextUpdate in each answer, as Selo makes them.
    ///
    /// # Errors
    /// [`DerError`]; also for an error response.
    pub fn parse(der: &'a [u8]) -> Result<Self, DerError> {
        if der.len() > OCSP_RESPONSE_BYTES_MAX {
            return Err(DerError::Large);
        }
        let mut outer = Reader::new(der);
        let mut response = outer.sequence()?;
        outer.finish()?;
        if response.enumerated()? != 0 {
            return Err(DerError::Value("status of a response"));
        }
        let mut bytes = response.tagged(0)?.ok_or(DerError::End)?;
        response.finish()?;
        let mut typed = bytes.sequence()?;
        bytes.finish()?;
        if typed.oid()? != oid::OCSP_BASIC {
            return Err(DerError::Value("type of a response"));
        }
        let basic = typed.octet_string()?;
        typed.finish()?;
        Self::read_basic(basic)
    }

    fn read_basic(basic: &'a [u8]) -> Result<Self, DerError> {
        let mut reader = extension::whole(basic, Reader::sequence)?;
        let data = reader.element(SEQUENCE)?;
        let algorithm = SignatureAlgorithm::read(reader.sequence()?)?;
        let signature = reader.bit_string()?;
        let mut certificates = Vec::new();
        if let Some(mut tagged) = reader.tagged(0)? {
            let mut list = tagged.sequence()?;
            tagged.finish()?;
            while !list.is_empty() {
                if certificates.len() == super::REQUESTS_MAX {
                    return Err(DerError::Large);
                }
                certificates.push(list.element(SEQUENCE)?.whole);
            }
        }
        reader.finish()?;

        let mut tbs = Reader::new(data.body);
        let responder = match tbs.tagged(2)? {
            Some(mut key_hash) => {
                let hash = key_hash.octet_string()?;
                key_hash.finish()?;
                Some(ResponderId(hash.try_into().map_err(|_| DerError::Value("responder"))?))
            }
            None => {
                let mut by_name = tbs.tagged(1)?.ok_or(DerError::Value("responder"))?;
                Name::read(by_name.any()?)?;
                by_name.finish()?;
                None
            }
        };
        let produced_at = Moment::read_generalized(&mut tbs)?;
        let mut list = tbs.sequence()?;
        let nonce = read_nonce(&read_extensions(tbs.tagged(1)?)?)?;
        tbs.finish()?;
        let mut singles = Vec::new();
        while !list.is_empty() {
            if singles.len() == super::REQUESTS_MAX {
                return Err(DerError::Large);
            }
            singles.push(Single::read(&mut list)?);
        }
        Ok(Self {
            tbs: data.whole,
            responder,
            produced_at,
            singles,
            nonce,
            algorithm,
            signature,
            certificates,
        })
    }

    /// Checks the signature by the responder's key.
    ///
    /// # Errors
    /// [`CryptoError`].
    pub fn verify(&self, responder: &SubjectKey) -> Result<(), CryptoError> {
        responder.verify(self.algorithm, self.tbs, self.signature)
    }
}
