//! Names in certificates, each a checked type: DNS names, addresses, URIs, mail addresses, SPIFFE ids, distinguished
//! names.
//!
//! A name that exists is in the one form that may be issued; a reader of foreign certificates gets the fault instead.
//! Never here: a name repaired by guessing, a look-up.

mod distinguished;
mod dns;
mod email;
mod general;
mod punycode;
mod spiffe;
mod uri;

pub use distinguished::{Attribute, Name, NameFault, PARTS_MAX, Part};
pub use dns::{DNS_BYTES_MAX, DnsFault, DnsName, LABEL_BYTES_MAX};
pub use email::Email;
pub use general::{GeneralName, GeneralNameFault, NAMES_MAX};
pub use spiffe::{SPIFFE_BYTES_MAX, SpiffeFault, SpiffeId};
pub use uri::{URI_BYTES_MAX, Uri, UriFault};

pub(crate) use general::{DNS_TAG, EMAIL_TAG, IP_TAG, URI_TAG};
