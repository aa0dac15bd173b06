//! Sealing of columns: AES-256-GCM-SIV (RFC 8452) with the place as associated data.
//!
//! A sealed value is `format (1) ‖ key id (4) ‖ nonce (12) ‖ ciphertext and tag`. The associated data names tenant,
//! table, column, row and version, so a value that is moved to another place does not open.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad as Associated, LessSafeKey, Nonce, UnboundKey};
use base::{Chance, Result, Secret};
use uuid::Uuid;

use crate::error;

const FORMAT: u8 = 1;
const NONCE_BYTES: usize = 12;
const HEADER_BYTES: usize = 1 + 4 + NONCE_BYTES;

/// The place of a sealed value.
#[derive(Debug, Clone, Copy)]
pub struct Aad<'a> {
    /// Whose row.
    pub tenant: Uuid,
    /// Which table.
    pub table: &'a str,
    /// Which column.
    pub column: &'a str,
    /// Which row.
    pub row: Uuid,
    /// Which version of the row.
    pub version: u32,
}

impl Aad<'_> {
    fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        out.extend_from_slice(b"selo/1");
        out.extend_from_slice(self.tenant.as_bytes());
        for text in [self.table, self.column] {
            out.extend_from_slice(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
            out.extend_from_slice(text.as_bytes());
        }
        out.extend_from_slice(self.row.as_bytes());
        out.extend_from_slice(&self.version.to_be_bytes());
        out
    }

    fn place(&self) -> String {
        format!("{}.{}", self.table, self.column)
    }
}

/// A key that seals values.
#[derive(Clone)]
pub struct SealingKey {
    id: [u8; 4],
    key: Secret<[u8; 32]>,
}

impl SealingKey {
    /// A key with its id.
    pub fn new(id: u32, key: [u8; 32]) -> Self {
        Self { id: id.to_be_bytes(), key: Secret::new(key) }
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        self.key.expose()
    }

    fn cipher(&self) -> Result<LessSafeKey> {
        let unbound = UnboundKey::new(&AES_256_GCM_SIV, self.key.expose())
            .map_err(|e| base::error::INTERNAL.because(e))?;
        Ok(LessSafeKey::new(unbound))
    }

    /// Seals `plain` for its place.
    ///
    /// # Errors
    /// `INTERNAL_ERROR` when the cipher fails, which it does not on lengths below 64 GiB.
    pub fn seal(&self, aad: &Aad<'_>, plain: &[u8], chance: &dyn Chance) -> Result<Vec<u8>> {
        let nonce: [u8; NONCE_BYTES] = chance.bytes();
        let mut body = plain.to_vec();
        self.cipher()?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Associated::from(aad.bytes()),
                &mut body,
            )
            .map_err(|e| base::error::INTERNAL.because(e))?;
        let mut out = Vec::with_capacity(HEADER_BYTES + body.len());
        out.push(FORMAT);
        out.extend_from_slice(&self.id);
        out.extend_from_slice(&nonce);
        out.append(&mut body);
        Ok(out)
    }

    /// Opens a value sealed for this place.
    ///
    /// # Errors
    /// `KEYS_UNSEAL` when it was altered, moved, or sealed with another key.
    pub fn open(&self, aad: &Aad<'_>, sealed: &[u8]) -> Result<Vec<u8>> {
        let wrong = || error::UNSEAL.error().with("place", aad.place());
        let (&format, rest) = sealed.split_first().ok_or_else(wrong)?;
        let (id, rest) = rest.split_first_chunk::<4>().ok_or_else(wrong)?;
        let (nonce, body) = rest.split_first_chunk::<NONCE_BYTES>().ok_or_else(wrong)?;
        if format != FORMAT || *id != self.id {
            return Err(wrong());
        }
        let mut body = body.to_vec();
        let plain = self
            .cipher()?
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Associated::from(aad.bytes()), &mut body)
            .map_err(|_| wrong())?
            .len();
        body.truncate(plain);
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::SeededChance;

    fn aad(row: u128, column: &str) -> Aad<'_> {
        Aad { tenant: Uuid::from_u128(1), table: "credential", column, row: Uuid::from_u128(row), version: 1 }
    }

    #[test]
    fn a_value_opens_only_in_its_place_and_unaltered() {
        let (key, chance) = (SealingKey::new(3, [7; 32]), SeededChance::new(1));
        let sealed = key.seal(&aad(5, "body"), b"Ana", &chance).unwrap();
        assert_eq!(key.open(&aad(5, "body"), &sealed).unwrap(), b"Ana");
        assert!(key.open(&aad(6, "body"), &sealed).is_err(), "another row");
        assert!(key.open(&aad(5, "plan"), &sealed).is_err(), "another column");
        for position in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[position] ^= 1;
            assert!(key.open(&aad(5, "body"), &altered).is_err(), "byte {position}");
        }
        assert!(SealingKey::new(4, [7; 32]).open(&aad(5, "body"), &sealed).is_err(), "another key id");
    }
}
