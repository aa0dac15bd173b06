//! A person's own key: seals what is the person's, names the person in log leaves, and is destroyed to forget.

use aws_lc_rs::hmac;
use base::{
    Chance, Id, Result,
    id::kind::{Person, Tenant},
};
use events::SealedPart;

use crate::seal::{Aad, SealingKey};

/// The domain separator of commitments, `SELO` and a version (audit leaf, `commit`).
const COMMIT_DOMAIN: &[u8] = &[0x53, 0x45, 0x4C, 0x4F, 0x01];

/// A person's key, unwrapped.
#[derive(Clone)]
pub struct PersonKey {
    pub(crate) tenant: Id<Tenant>,
    pub(crate) person: Id<Person>,
    pub(crate) key: SealingKey,
}

impl PersonKey {
    /// Whose it is.
    pub const fn person(&self) -> Id<Person> {
        self.person
    }

    /// Seals a value of a row that is the person's.
    ///
    /// # Errors
    /// See [`SealingKey::seal`].
    pub fn seal<K: base::id::IdKind>(
        &self,
        table: &str,
        column: &str,
        row: Id<K>,
        plain: &[u8],
        chance: &dyn Chance,
    ) -> Result<Vec<u8>> {
        self.key.seal(&self.aad(table, column, row), plain, chance)
    }

    /// Opens a value of a row that is the person's.
    ///
    /// # Errors
    /// `KEYS_UNSEAL`.
    pub fn open<K: base::id::IdKind>(
        &self,
        table: &str,
        column: &str,
        row: Id<K>,
        sealed: &[u8],
    ) -> Result<Vec<u8>> {
        self.key.open(&self.aad(table, column, row), sealed)
    }

    fn aad<'a, K: base::id::IdKind>(&self, table: &'a str, column: &'a str, row: Id<K>) -> Aad<'a> {
        Aad { tenant: self.tenant.uuid(), table, column, row: row.uuid(), version: 1 }
    }

    /// The personal part of a fact: sealed, bound by a salted commitment, named by the person's pseudonym.
    ///
    /// # Errors
    /// See [`SealingKey::seal`].
    pub fn part(
        &self,
        fact: Id<base::id::kind::Event>,
        payload: &[u8],
        chance: &dyn Chance,
    ) -> Result<SealedPart> {
        let salt: [u8; 32] = chance.bytes();
        let mut bound = COMMIT_DOMAIN.to_vec();
        bound.extend_from_slice(&salt);
        bound.extend_from_slice(payload);
        let commit = proof::crypto::sha256(&bound);
        let mut plain = salt.to_vec();
        plain.extend_from_slice(payload);
        let bytes = self.seal("events_fact", "sealed", fact, &plain, chance)?;
        Ok(SealedPart { commit, bytes, subject: self.pseudonym(), person: self.person })
    }

    /// The person's name in log leaves; nobody can compute it once the key is gone.
    pub fn pseudonym(&self) -> [u8; 16] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.key.bytes());
        cut16(hmac::sign(&key, b"selo/subject").as_ref())
    }
}

/// The first 16 bytes of a MAC.
pub(crate) fn cut16(mac: &[u8]) -> [u8; 16] {
    mac.first_chunk::<16>().copied().unwrap_or_default()
}
