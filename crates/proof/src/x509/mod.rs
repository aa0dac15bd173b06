//! The pure part of a certificate authority (RFC 5280 and its neighbours): names, keys, requests, profiles, the exact
//! bytes that are signed, reading what was signed, linting it, CRLs and OCSP.
//!
//! The order of issuing: [`Csr`] says what is asked for, a room decides, a [`Draft`] becomes TBS bytes, a throw-away
//! key signs them for the [`lint`], the key ring signs the same bytes, [`assemble`] puts both together.
//! Never here: a private key, a clock, randomness. Serial numbers, times and signatures come in with the call.

pub mod constraints;
pub mod crl;
pub mod der;
pub mod extension;
pub mod lint;
pub mod names;
pub mod ocsp;
pub mod oid;
pub mod pem;

mod algorithm;
mod certificate;
mod csr;
mod draft;
mod key;
mod profile;
mod serial;
mod time;

pub use algorithm::ecdsa_der;
pub use certificate::{CERTIFICATE_BYTES_MAX, Certificate};
pub use constraints::{ConstraintFault, NameConstraints, Subtree};
pub use csr::{CSR_BYTES_MAX, Csr, CsrFault};
pub use draft::{Draft, DraftFault, Issuer, Pointers, STATUS_REQUEST, assemble};
pub use extension::Extension;
pub use key::{KeyId, SPKI_BYTES_MAX};
pub use names::{
    Attribute, DnsFault, DnsName, Email, GeneralName, GeneralNameFault, NAMES_MAX, Name, NameFault,
    SpiffeFault, SpiffeId, Uri, UriFault,
};
pub use oid::Oid;
pub use profile::{ExtendedUsage, NameRule, Profile, Revocation, Shape};
pub use serial::{SERIAL_BYTES_MAX, Serial};
pub use time::{Moment, Validity};
