//! PEM (RFC 7468), strict: nothing but blocks, blank lines between them, lines of 64 characters.
//!
//! Never here: text around the blocks, headers inside them, a label that was not asked for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Most blocks in one text.
pub const BLOCKS_MAX: usize = 32;
/// Longest text that is read: a CRL of half a megabyte fits, and some.
pub const PEM_BYTES_MAX: usize = 1024 * 1024;
const LINE: usize = 64;

/// What a block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Label {
    /// `CERTIFICATE`.
    Certificate,
    /// `CERTIFICATE REQUEST`.
    CertificateRequest,
    /// `X509 CRL`.
    Crl,
    /// `PUBLIC KEY`.
    PublicKey,
    /// `PRIVATE KEY`.
    PrivateKey,
}

impl Label {
    const ALL: [Self; 5] =
        [Self::Certificate, Self::CertificateRequest, Self::Crl, Self::PublicKey, Self::PrivateKey];

    /// The words of the label.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Certificate => "CERTIFICATE",
            Self::CertificateRequest => "CERTIFICATE REQUEST",
            Self::Crl => "X509 CRL",
            Self::PublicKey => "PUBLIC KEY",
            Self::PrivateKey => "PRIVATE KEY",
        }
    }
}

/// Why a text is no PEM that is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum PemFault {
    /// Longer than [`PEM_BYTES_MAX`], or more than [`BLOCKS_MAX`] blocks.
    #[error("the text is too long")]
    TooLarge,
    /// Something else than blocks, or a block that does not end.
    #[error("the text is no sequence of PEM blocks")]
    Form,
    /// A label that is not known.
    #[error("the text has a block of another kind")]
    Label,
    /// The lines are no base64 of RFC 7468.
    #[error("a block is no base64")]
    Base64,
    /// Not exactly the blocks that were asked for.
    #[error("the text has not exactly the blocks that were asked for")]
    Count,
}

/// Writes one block.
#[must_use]
pub fn encode(label: Label, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let name = label.as_str();
    let mut text = String::with_capacity(base64.len() + base64.len() / LINE + 2 * name.len() + 34);
    text.push_str(&format!("-----BEGIN {name}-----\n"));
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(&format!("-----END {name}-----\n"));
    text
}

/// Writes a chain of certificates, the leaf first.
#[must_use]
pub fn encode_chain<'a>(certificates: impl IntoIterator<Item = &'a [u8]>) -> String {
    certificates.into_iter().map(|der| encode(Label::Certificate, der)).collect()
}

/// Reads all blocks.
///
/// # Errors
/// [`PemFault`].
pub fn decode(text: &[u8]) -> Result<Vec<(Label, Vec<u8>)>, PemFault> {
    if text.len() > PEM_BYTES_MAX {
        return Err(PemFault::TooLarge);
    }
    let text = std::str::from_utf8(text).map_err(|_| PemFault::Form)?;
    let mut lines = text.lines();
    let mut blocks = Vec::new();
    while let Some(line) = lines.next() {
        if line.is_empty() {
            continue;
        }
        let name = line.strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_suffix("-----"));
        let name = name.ok_or(PemFault::Form)?;
        let label = Label::ALL.into_iter().find(|label| label.as_str() == name).ok_or(PemFault::Label)?;
        if blocks.len() == BLOCKS_MAX {
            return Err(PemFault::TooLarge);
        }
        blocks.push((label, body(&mut lines, name)?));
    }
    Ok(blocks)
}

fn body<'a>(lines: &mut impl Iterator<Item = &'a str>, name: &str) -> Result<Vec<u8>, PemFault> {
    let mut base64 = String::new();
    let mut is_last = false;
    loop {
        let line = lines.next().ok_or(PemFault::Form)?;
        if let Some(end) = line.strip_prefix("-----END ").and_then(|rest| rest.strip_suffix("-----")) {
            if end != name {
                return Err(PemFault::Form);
            }
            return STANDARD.decode(&base64).map_err(|_| PemFault::Base64);
        }
        // only the last line is shorter
        if is_last || line.is_empty() || line.len() > LINE {
            return Err(PemFault::Base64);
        }
        is_last = line.len() < LINE;
        base64.push_str(line);
    }
}

/// Reads exactly one block of one kind.
///
/// # Errors
/// [`PemFault`].
pub fn one(text: &[u8], label: Label) -> Result<Vec<u8>, PemFault> {
    let mut blocks = all(text, label)?;
    match (blocks.pop(), blocks.is_empty()) {
        (Some(block), true) => Ok(block),
        _ => Err(PemFault::Count),
    }
}

/// Reads one or more blocks of one kind.
///
/// # Errors
/// [`PemFault`].
pub fn all(text: &[u8], label: Label) -> Result<Vec<Vec<u8>>, PemFault> {
    let blocks = decode(text)?;
    if blocks.is_empty() || blocks.iter().any(|(found, _)| *found != label) {
        return Err(PemFault::Count);
    }
    Ok(blocks.into_iter().map(|(_, der)| der).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_every_length_read_back() {
        for length in 0..200 {
            let der = vec![7; length];
            let text = encode(Label::Crl, &der);
            assert_eq!(one(text.as_bytes(), Label::Crl), Ok(der.clone()));
            assert_eq!(one(text.replace('\n', "\r\n").as_bytes(), Label::Crl), Ok(der));
        }
        let chain = encode_chain([&[1_u8, 2][..], &[3]]);
        assert_eq!(all(chain.as_bytes(), Label::Certificate), Ok(vec![vec![1, 2], vec![3]]));
    }

    #[test]
    fn everything_else_is_refused() {
        let block = encode(Label::Certificate, &[1; 100]);
        for (text, fault) in [
            (String::new(), PemFault::Count),
            (format!("subject=x\n{block}"), PemFault::Form),
            (block.replace("END CERTIFICATE", "END X509 CRL"), PemFault::Form),
            (block.replace("CERTIFICATE", "TRUSTED CERTIFICATE"), PemFault::Label),
            (block.replace("-----END CERTIFICATE-----\n", ""), PemFault::Form),
            (block.replace("AQEB\n", "AQEB \n"), PemFault::Base64),
            (block.replace("-----\nAQ", "-----\nProc-Type: 4,ENCRYPTED\n\nAQ"), PemFault::Base64),
            (format!("{block}{block}"), PemFault::Count),
            (encode(Label::PrivateKey, &[1]), PemFault::Count),
        ] {
            assert_eq!(one(text.as_bytes(), Label::Certificate), Err(fault), "{text}");
        }
    }
}
