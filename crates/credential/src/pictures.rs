//! What a holder takes home: JSON, PNG and PDF, each carrying the signed credential itself.
//!
//! Drawn from the signed document and its template, never from a row. Nothing drawn is written to disk: a PDF takes a
//! few milliseconds, and pictures of public pages are kept in memory until the person is forgotten or memory is needed.

use std::sync::Arc;

use base::{Result, Time};
use render::{Attachment, Language, Links, Page, PdfMeta};
use serde_json::Value;

use crate::{
    error,
    model::Credential,
    service::Credentials,
    template::{Template, drawing_error},
};

/// The width of a picture that is taken home: A4 at 144 dots per inch.
const PICTURE_PX: u32 = 1_684;
/// The width of the picture on a page.
pub(crate) const PAGE_PICTURE_PX: u32 = 842;

/// A form in which a credential is taken home.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// The document itself.
    Json,
    /// A picture with the document baked in.
    Png,
    /// A page with the document attached.
    Pdf,
}

impl Form {
    /// The form of a file name of ours.
    pub(crate) fn parse(file: &str) -> Option<Self> {
        match file {
            "credential.json" => Some(Self::Json),
            "diploma.png" => Some(Self::Png),
            "diploma.pdf" => Some(Self::Pdf),
            _ => None,
        }
    }

    /// How a browser keeps it.
    pub(crate) const fn disposition(self) -> &'static str {
        match self {
            Self::Json => "attachment; filename=\"credential.json\"",
            Self::Png => "attachment; filename=\"diploma.png\"",
            Self::Pdf => "attachment; filename=\"diploma.pdf\"",
        }
    }

    /// Its media type.
    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/vc",
            Self::Png => "image/png",
            Self::Pdf => "application/pdf",
        }
    }
}

impl Credentials {
    /// A signed credential in a form, with the document inside.
    ///
    /// # Errors
    /// `RENDER_IMPOSSIBLE` when it cannot be drawn any more, which issuing rules out.
    pub(crate) async fn form(&self, credential: &Credential, bytes: Vec<u8>, form: Form) -> Result<Vec<u8>> {
        if form == Form::Json {
            return Ok(bytes);
        }
        let (template, verify) = (Template::find(&credential.template)?, self.page_url(&credential.handle));
        let created = credential.issued_at;
        tokio::task::spawn_blocking(move || draw(template, &verify, created, &bytes, form))
            .await
            .map_err(|e| base::error::INTERNAL.because(e))?
    }

    /// The picture of a public page, without the document inside; kept in memory.
    ///
    /// # Errors
    /// As [`Credentials::form`].
    pub async fn page_picture(&self, credential: &Credential, bytes: Vec<u8>) -> Result<Arc<Vec<u8>>> {
        let key = format!("picture:{}", credential.id);
        let (template, verify) = (Template::find(&credential.template)?, self.page_url(&credential.handle));
        self.pictures
            .get_or_draw(&key, async move {
                tokio::task::spawn_blocking(move || {
                    let document = super::service::parse(&bytes)?;
                    let page = lay_out(template, &document, &verify)?;
                    render::png(&page, PAGE_PICTURE_PX).map_err(|wrong| drawing_error(&wrong))
                })
                .await
                .map_err(|e| base::error::INTERNAL.because(e))?
            })
            .await
    }
}

fn lay_out(template: &Template, document: &Value, verify: &str) -> Result<Page> {
    template.drawing()?.fill(document, &Links { verify }).map_err(|wrong| drawing_error(&wrong))
}

fn draw(
    template: &Template,
    verify: &str,
    created: Option<Time>,
    bytes: &[u8],
    form: Form,
) -> Result<Vec<u8>> {
    let document = super::service::parse(bytes)?;
    let page = lay_out(template, &document, verify)?;
    if form == Form::Png {
        let png = render::png(&page, PICTURE_PX).map_err(|wrong| drawing_error(&wrong))?;
        return proof::bake::png_bake(&png, bytes).map_err(|e| base::error::INTERNAL.because(e));
    }
    let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let title = format!("{} — {}", text("/name"), text("/credentialSubject/identifier/0/identityHash"));
    let meta = PdfMeta {
        title: &title,
        author: text("/issuer/name"),
        language: Language::Portuguese,
        credential_id: text("/id"),
        created: created.map_or(0, Time::seconds),
        attachment: Some(Attachment { name: "credential.json", media_type: "application/vc", bytes }),
    };
    render::pdf(&page, &meta).map_err(|wrong| drawing_error(&wrong))
}

/// Pictures in memory, bounded in bytes; the oldest go first.
#[derive(Default)]
pub(crate) struct Pictures(std::sync::Mutex<Kept>);

#[derive(Default)]
struct Kept {
    order: std::collections::VecDeque<String>,
    by_key: std::collections::HashMap<String, Arc<Vec<u8>>>,
    bytes: usize,
}

/// Pictures take at most so much memory.
const PICTURES_BYTES_MAX: usize = 16 * 1024 * 1024;

impl Pictures {
    async fn get_or_draw(
        &self,
        key: &str,
        drawing: impl Future<Output = Result<Vec<u8>>>,
    ) -> Result<Arc<Vec<u8>>> {
        if let Some(known) = self.lock().by_key.get(key) {
            return Ok(Arc::clone(known));
        }
        let picture = Arc::new(drawing.await?);
        let mut kept = self.lock();
        if kept.by_key.insert(key.to_owned(), Arc::clone(&picture)).is_none() {
            kept.bytes += picture.len();
            kept.order.push_back(key.to_owned());
        }
        while kept.bytes > PICTURES_BYTES_MAX {
            let Some(oldest) = kept.order.pop_front() else { break };
            if let Some(gone) = kept.by_key.remove(&oldest) {
                kept.bytes -= gone.len();
            }
        }
        Ok(picture)
    }

    /// Forgets all of them; a person was forgotten.
    pub(crate) fn clear(&self) {
        *self.lock() = Kept::default();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A file of a credential that nobody has.
pub(crate) fn no_such_form() -> base::Error {
    error::NOT_FOUND.error().with("id", "file")
}
