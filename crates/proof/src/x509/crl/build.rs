//! Building the bytes of a CRL that are signed.
//!
//! Entries are written as they come, into one buffer.
//! Never here: sorting, a copy of the entries, a clock.

use super::{Entry, Reason};
use crate::x509::der::{ENUMERATED, Writer, context, context_constructed};
use crate::x509::draft::Issuer;
use crate::x509::extension::{self, AuthorityKeyId};
use crate::x509::names::Uri;
use crate::x509::oid;
use crate::x509::time::Moment;

/// A shard's list, for end entities: ten days (CA/B Baseline Requirements §4.9.7).
const SHARD_SECONDS_MAX: i64 = 10 * 86_400;
/// A root's list: twelve months.
const EVERYTHING_SECONDS_MAX: i64 = 366 * 86_400;
/// Bytes of an entry with a reason, to make room before writing.
const ENTRY_BYTES_TYPICAL: usize = 50;

/// Which certificates a list speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope<'a> {
    /// All that the issuer signed: the list of a root.
    Everything,
    /// The end entities that point to this address.
    Shard(&'a Uri),
}

/// A CRL without its entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrlDraft<'a> {
    /// Who signs.
    pub issuer: &'a Issuer,
    /// The list's number; it only grows.
    pub number: u64,
    /// When the list was made.
    pub this_update: Moment,
    /// When the next one will be there at the latest.
    pub next_update: Moment,
    /// Which certificates it speaks of.
    pub scope: Scope<'a>,
    /// Where deltas to this list are (freshestCRL); a full list alone has it.
    pub freshest: Option<&'a Uri>,
    /// The number of the full list that this delta changes.
    pub delta_base: Option<u64>,
}

/// Why a CRL cannot be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum CrlFault {
    /// Ends before it begins, or lasts longer than its scope allows.
    #[error("the list would end before it begins or last too long")]
    Lifetime,
    /// A delta of a list that is not older, or one that points to deltas of its own.
    #[error("a delta changes an older list and has no delta itself")]
    Delta,
    /// removeFromCRL outside a delta.
    #[error("removeFromCRL stands in deltas only")]
    Remove,
    /// An address that does not begin with `http://`.
    #[error("an address does not begin with http://")]
    Address,
}

impl CrlDraft<'_> {
    /// The exact bytes to be signed.
    ///
    /// # Errors
    /// [`CrlFault`].
    pub fn tbs(&self, entries: impl IntoIterator<Item = Entry>) -> Result<Vec<u8>, CrlFault> {
        self.check()?;
        let mut entries = entries.into_iter().peekable();
        let room =
            entries.size_hint().0.min(super::CRL_BYTES_MAX / ENTRY_BYTES_TYPICAL) * ENTRY_BYTES_TYPICAL;
        let mut out = Writer::with_capacity(room + 512);
        out.sequence(|out| {
            out.small(1);
            self.issuer.algorithm.write(out);
            out.raw(self.issuer.name.der());
            self.this_update.write(out);
            self.next_update.write(out);
            // the list is absent when it is empty
            if entries.peek().is_some() {
                out.sequence(|out| entries.try_for_each(|entry| self.write_entry(&entry, out)))?;
            }
            out.nested(context_constructed(0), |out| out.sequence(|out| self.write_extensions(out)));
            Ok(())
        })?;
        Ok(out.finish())
    }

    fn check(&self) -> Result<(), CrlFault> {
        let seconds = self.next_update.seconds() - self.this_update.seconds();
        let seconds_max = match self.scope {
            Scope::Everything => EVERYTHING_SECONDS_MAX,
            Scope::Shard(_) => SHARD_SECONDS_MAX,
        };
        if !(1..=seconds_max).contains(&seconds) {
            return Err(CrlFault::Lifetime);
        }
        if self.delta_base.is_some_and(|base| base >= self.number || self.freshest.is_some()) {
            return Err(CrlFault::Delta);
        }
        let shard = match self.scope {
            Scope::Everything => None,
            Scope::Shard(url) => Some(url),
        };
        if shard.into_iter().chain(self.freshest).any(|url| !url.as_str().starts_with("http://")) {
            return Err(CrlFault::Address);
        }
        Ok(())
    }

    fn write_entry(&self, entry: &Entry, out: &mut Writer) -> Result<(), CrlFault> {
        if entry.reason == Reason::RemoveFromCrl && self.delta_base.is_none() {
            return Err(CrlFault::Remove);
        }
        out.sequence(|out| {
            entry.serial.write(out);
            entry.revoked_at.write(out);
            if entry.reason == Reason::Unspecified && entry.invalid_since.is_none() {
                return;
            }
            out.sequence(|out| {
                if entry.reason != Reason::Unspecified {
                    extension::write(out, &oid::REASON_CODE, false, |out| {
                        out.put(ENUMERATED, &[entry.reason.code()]);
                    });
                }
                if let Some(moment) = entry.invalid_since {
                    extension::write(out, &oid::INVALIDITY_DATE, false, |out| moment.write_generalized(out));
                }
            });
        });
        Ok(())
    }

    fn write_extensions(&self, out: &mut Writer) {
        extension::write(out, &oid::AUTHORITY_KEY_ID, false, |out| {
            AuthorityKeyId::write(&self.issuer.key_id, out)
        });
        extension::write(out, &oid::CRL_NUMBER, false, |out| out.small(self.number));
        if let Some(base) = self.delta_base {
            extension::write(out, &oid::DELTA_CRL_INDICATOR, true, |out| out.small(base));
        }
        if let Scope::Shard(url) = self.scope {
            extension::write(out, &oid::ISSUING_DISTRIBUTION_POINT, true, |out| {
                out.sequence(|out| {
                    out.nested(context_constructed(0), |out| extension::write_full_name(url.as_str(), out));
                    // onlyContainsUserCerts
                    out.put(context(1), &[0xff]);
                });
            });
        }
        if let Some(url) = self.freshest {
            extension::write(out, &oid::FRESHEST_CRL, false, |out| {
                extension::write_distribution_point(url.as_str(), out);
            });
        }
    }
}
