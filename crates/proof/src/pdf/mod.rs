//! The credential attached to a PDF: finds the embedded file `credential.json` (or `credential.jwt`) and gives its bytes.
//!
//! Why our own reader: general ones build the whole document before one may ask anything, and a hostile file decides how
//! large that is. This one follows only the few objects on the way to the attachment, and every step draws on a budget.
//! It repairs nothing: a file whose cross-references do not hold is refused.
//! Never here: pages, fonts, scripts, decryption, a recursion that the file controls.

mod file;
mod syntax;

use thiserror::Error;

use file::File;
use syntax::{Dictionary, Object};

/// The largest PDF that is read: 25 MiB.
pub const MAX_PDF_BYTES: usize = 25 * 1024 * 1024;

/// The largest attachment that is taken out: 1 MiB.
pub const MAX_ATTACHMENT_BYTES: usize = 1024 * 1024;

/// Names of the attachment, in order of preference.
pub const ATTACHMENT_NAMES: [&str; 2] = ["credential.json", "credential.jwt"];

/// The largest number of nodes of the name tree, and of associated files, that are looked at.
const MAX_NODES: usize = 1024;

/// The largest number of attachments that are looked at.
const MAX_ATTACHMENTS: usize = 1024;

/// Why a PDF was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PdfError {
    /// Damaged, encrypted, or built in a way that is not read here.
    #[error("the PDF cannot be read: {0}")]
    Pdf(&'static str),
    /// The PDF is sound and has no such attachment.
    #[error("the PDF has no attached credential")]
    NoCredential,
    /// The file, the attachment or the work to find it exceeds a limit.
    #[error("the PDF or the credential in it is too large: {0}")]
    TooLarge(&'static str),
}

impl PdfError {
    /// The stable code: `PARSE_PDF`, `FORMAT_UNKNOWN` (no credential inside) or `FORMAT_TOO_LARGE`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Pdf(_) => "PARSE_PDF",
            Self::NoCredential => "FORMAT_UNKNOWN",
            Self::TooLarge(_) => "FORMAT_TOO_LARGE",
        }
    }
}

/// Takes the attached credential out of a PDF (ISO 32000-2 §7.11.4): looked for by name in the catalog's `EmbeddedFiles`,
/// then among its associated files (`AF`). The bytes have been judged by nobody.
/// Errors: `PARSE_PDF` (damaged, encrypted, a filter other than Flate), `FORMAT_TOO_LARGE`, `FORMAT_UNKNOWN` (no such attachment).
pub fn extract(pdf: &[u8]) -> Result<Vec<u8>, PdfError> {
    if pdf.len() > MAX_PDF_BYTES {
        return Err(PdfError::TooLarge("the file exceeds 25 MiB"));
    }
    let mut file = File::open(pdf)?;
    let catalog = file.catalog()?;
    let mut attachments = embedded_files(&mut file, &catalog)?;
    attachments.extend(associated_files(&mut file, &catalog)?);
    for wanted in ATTACHMENT_NAMES {
        for attachment in &attachments {
            if attachment.names.iter().any(|name| name == wanted) {
                return file.stream(&attachment.stream, MAX_ATTACHMENT_BYTES);
            }
        }
    }
    Err(PdfError::NoCredential)
}

struct Attachment {
    names: Vec<String>,
    stream: Object,
}

/// The leaves of the name tree `Names/EmbeddedFiles`, walked without recursion.
fn embedded_files(file: &mut File<'_>, catalog: &Dictionary) -> Result<Vec<Attachment>, PdfError> {
    let mut attachments = Vec::new();
    let Some(names) = file.dictionary(catalog.get("Names"))? else {
        return Ok(attachments);
    };
    let Some(root) = names.get("EmbeddedFiles") else {
        return Ok(attachments);
    };
    let mut open = vec![root.clone()];
    let mut seen = 0;
    while let Some(node) = open.pop() {
        seen += 1;
        if seen > MAX_NODES {
            return Err(PdfError::TooLarge("its list of attachments is too long"));
        }
        let Some(node) = file.dictionary(Some(&node))? else {
            continue;
        };
        let kids = file.array(node.get("Kids"))?;
        if open.len() + kids.len() > MAX_NODES {
            return Err(PdfError::TooLarge("its list of attachments is too long"));
        }
        open.extend(kids.into_iter().rev());
        let leaves = file.array(node.get("Names"))?;
        let (pairs, _) = leaves.as_chunks::<2>();
        for [key, value] in pairs {
            let key = text_of(&file.resolve(key)?);
            add(file, &mut attachments, value, key)?;
        }
    }
    Ok(attachments)
}

fn associated_files(file: &mut File<'_>, catalog: &Dictionary) -> Result<Vec<Attachment>, PdfError> {
    let mut attachments = Vec::new();
    for value in file.array(catalog.get("AF"))? {
        add(file, &mut attachments, &value, None)?;
    }
    Ok(attachments)
}

/// Adds what a file specification dictionary describes, if it has an embedded stream.
fn add(
    file: &mut File<'_>,
    attachments: &mut Vec<Attachment>,
    value: &Object,
    key: Option<String>,
) -> Result<(), PdfError> {
    if attachments.len() == MAX_ATTACHMENTS {
        return Err(PdfError::TooLarge("it has too many attachments"));
    }
    let Some(specification) = file.dictionary(Some(value))? else {
        return Ok(());
    };
    let Some(embedded) = file.dictionary(specification.get("EF"))? else {
        return Ok(());
    };
    let Some(stream) = embedded.get("F").or(embedded.get("UF")) else {
        return Ok(());
    };
    let mut names: Vec<String> = key.into_iter().collect();
    for field in ["UF", "F"] {
        if let Some(name) = specification.get(field) {
            names.extend(text_of(&file.resolve(name)?));
        }
    }
    attachments.push(Attachment { names, stream: stream.clone() });
    Ok(())
}

/// A text string: UTF-16 with its mark, UTF-8 with its mark, or ASCII (what names of ours are in any encoding).
fn text_of(object: &Object) -> Option<String> {
    let Object::String(bytes) = object else {
        return None;
    };
    if let Some(body) = bytes.strip_prefix(&[0xfe, 0xff]) {
        let (pairs, _) = body.as_chunks::<2>();
        let units = pairs.iter().map(|pair| u16::from_be_bytes(*pair));
        return char::decode_utf16(units).collect::<Result<_, _>>().ok();
    }
    let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}
