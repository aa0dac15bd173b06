//! The verbs of checking: gather what a document needs, then let the pure verifier judge.
//!
//! Only what this house publishes is gathered; a foreign list or key stays unknown, and no request is made on behalf of
//! a document from outside. Never here: a green answer for what could not be decided, a document that is kept.

use std::{sync::Arc, time::Duration};

use base::{Clock, Lang, Result, Time};
use proof::{
    credential::parse_time,
    picture::is_picture,
    verify::{
        Answer, Context, Gathered, KnownHolder, Lang as ProofLang, Outcome, Report, TrustList, Want, verify,
    },
};
use tokio::sync::Semaphore;

use crate::{
    cache::{Kept, Pages},
    error, pages,
    port::{Document, Documents, Standing},
};

/// A check may ask for more after it got something; so often.
const ROUNDS_MAX: usize = 4;
/// How long gathering and judging may take together (spec verify §1).
const CHECK_TIME_MAX: Duration = Duration::from_secs(5);
/// From this size on a document is judged beside the tasks that answer requests; a picture is, whatever its size.
const LARGE_BYTES: usize = 128 * 1024;
/// Large documents judged at once; further ones wait for [`CHECK_TIME_MAX`].
const LARGE_AT_ONCE_MAX: usize = 4;
/// A link is no longer than this.
const LINK_BYTES_MAX: usize = 512;
/// Characters of a handle: 128 bits in base32.
const HANDLE_CHARS: usize = 26;

/// What the asker wants beyond the usual check.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// An issuer who is not on the list makes the document invalid instead of giving a warning.
    pub require_trust: bool,
    /// What the asker knows of the holder; then the document must be this holder's.
    pub holder: Option<KnownHolder>,
}

/// What a check came to.
#[derive(Debug, Clone)]
pub enum Shown {
    /// A document was judged.
    Checked {
        /// What came out.
        report: Box<Report>,
        /// The handle, for a document of a public page.
        handle: Option<String>,
        /// What the house adds about a document of its own.
        standing: Option<Standing>,
        /// When it was judged.
        at: Time,
    },
    /// The holder asked to be forgotten.
    Erased {
        /// When.
        at: Time,
    },
}

/// Checks for a house; cheap to clone.
#[derive(Clone)]
pub struct Verifier {
    documents: Arc<dyn Documents>,
    clock: Arc<dyn Clock>,
    public_url: Arc<str>,
    pages: Arc<Pages>,
    large: Arc<Semaphore>,
}

/// The verifier's language.
pub(crate) const fn lang(lang: Lang) -> ProofLang {
    match lang {
        Lang::En => ProofLang::En,
        Lang::Pt => ProofLang::Pt,
    }
}

impl Verifier {
    /// A verifier over a port. `public_url` is the house's public address, with or without a slash at its end.
    pub fn new(documents: Arc<dyn Documents>, clock: Arc<dyn Clock>, public_url: &str) -> Self {
        Self {
            documents,
            clock,
            public_url: Arc::from(public_url.trim_end_matches('/')),
            pages: Arc::default(),
            large: Arc::new(Semaphore::new(LARGE_AT_ONCE_MAX)),
        }
    }

    /// Judges bytes: JSON, a PNG, SVG or PDF that carries a credential, or a picture that shows its QR code.
    ///
    /// # Errors
    /// Those of the port, `CHECK_TOO_SLOW`; a document that is wrong is no error but a report.
    pub async fn verify_bytes(&self, bytes: &[u8], options: &Options) -> Result<Report> {
        let judged = self.gather_and_judge(bytes, options);
        let slow = |_| error::TOO_SLOW.error().retry_after(1);
        tokio::time::timeout(CHECK_TIME_MAX, judged).await.map_err(slow)?
    }

    /// Judges what stands behind a handle, now.
    ///
    /// # Errors
    /// `CREDENTIAL_PAGE_NOT_FOUND`, the same for every handle that is not there; those of [`Verifier::verify_bytes`].
    pub async fn verify_handle(&self, handle: &str) -> Result<Shown> {
        let handle = formed(handle)?;
        let standing = self.documents.standing(handle).await?;
        self.behind(handle, standing, &Options::default()).await
    }

    /// Judges what somebody handed in: a link of ours, the document itself, or a picture whose QR code holds either. A
    /// link of another house in a picture is not followed: the report names it, and its outcome is unknown.
    ///
    /// # Errors
    /// `NOTHING_TO_CHECK`, `LINK_OF_ANOTHER_HOUSE`, those of [`Verifier::verify_handle`].
    pub async fn verify_handed_in(&self, bytes: &[u8], options: &Options) -> Result<Shown> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Err(error::NOTHING.error());
        }
        if let Some(link) = link(bytes) {
            let handle = self.handle_of(link)?;
            let standing = self.documents.standing(handle).await?;
            return self.behind(handle, standing, options).await;
        }
        let report = Box::new(self.verify_bytes(bytes, options).await?);
        if let Some(handle) = report.link.as_ref().and_then(|link| link.handle_at(&self.public_url)) {
            let standing = self.documents.standing(handle).await?;
            return self.behind(handle, standing, options).await;
        }
        Ok(Shown::Checked { report, handle: None, standing: None, at: self.clock.now() })
    }

    /// The page of a handle as HTML, from memory when nothing has changed since it was rendered.
    ///
    /// # Errors
    /// Those of [`Verifier::verify_handle`].
    pub(crate) async fn page(&self, handle: &str, lang: Lang) -> Result<bytes::Bytes> {
        let handle = formed(handle)?;
        let now = self.clock.now();
        // Taken before the question, so that what is committed meanwhile makes the answer old, never young.
        let mark = self.documents.mark();
        if let Some(kept) = self.pages.unchanged(handle, lang, mark, now) {
            return Ok(kept);
        }
        let standing = self.documents.standing(handle).await?;
        let version = standing.as_ref().map(|standing| standing.version.clone());
        let kept = version.as_ref().and_then(|version| self.pages.current(handle, lang, version, mark, now));
        if let Some(kept) = kept {
            return Ok(kept);
        }
        let shown = self.behind(handle, standing, &Options::default()).await?;
        let html = bytes::Bytes::from(pages::checked(&shown, lang, &self.host(), &format!("/v/{handle}")));
        if let Some(version) = version
            && let Some(changes_at) = holds_until(&shown)
        {
            let kept = Kept { html: html.clone(), version, rendered_at: now, changes_at, mark };
            self.pages.keep(handle, lang, kept);
        }
        Ok(html)
    }

    /// The picture of a public page.
    ///
    /// # Errors
    /// `CREDENTIAL_PAGE_NOT_FOUND`.
    pub async fn picture(&self, handle: &str) -> Result<Arc<Vec<u8>>> {
        self.documents.picture(formed(handle)?).await?.ok_or_else(|| error::NOT_FOUND.error())
    }

    /// The proof that the issuing of a public page's document stands in the public evidence log.
    ///
    /// # Errors
    /// `CREDENTIAL_PAGE_NOT_FOUND`; those of the port, among them that no checkpoint covers it yet.
    pub async fn evidence(&self, handle: &str) -> Result<Vec<u8>> {
        self.documents.evidence(formed(handle)?).await?.ok_or_else(|| error::NOT_FOUND.error())
    }

    /// The host of the public address, shown on every page so that nobody is fooled by a look-alike.
    pub(crate) fn host(&self) -> String {
        host_of(&self.public_url).to_owned()
    }

    async fn behind(&self, handle: &str, standing: Option<Standing>, options: &Options) -> Result<Shown> {
        match self.documents.document(handle).await? {
            None => Err(error::NOT_FOUND.error()),
            Some(Document::Erased { at }) => Ok(Shown::Erased { at }),
            Some(Document::Live { bytes }) => {
                let report = Box::new(self.verify_bytes(&bytes, options).await?);
                Ok(Shown::Checked { report, handle: Some(handle.to_owned()), standing, at: self.clock.now() })
            }
        }
    }

    async fn gather_and_judge(&self, bytes: &[u8], options: &Options) -> Result<Report> {
        let trust = Arc::new(self.documents.trust().await?);
        let now = self.clock.now().seconds();
        let is_large = bytes.len() > LARGE_BYTES || is_picture(bytes);
        let large = if is_large { self.large.acquire().await.ok() } else { None };
        let shared: Option<Arc<[u8]>> = large.as_ref().map(|_| Arc::from(bytes));
        let mut gathered = Gathered::new();
        let mut rounds = 0;
        loop {
            let (report, missing);
            (report, missing, gathered) = match &shared {
                None => judge(bytes, gathered, &trust, options, now),
                Some(shared) => {
                    let (shared, trust, options) = (Arc::clone(shared), Arc::clone(&trust), options.clone());
                    tokio::task::spawn_blocking(move || judge(&shared, gathered, &trust, &options, now))
                        .await
                        .map_err(|failed| base::error::INTERNAL.because(failed))?
                }
            };
            rounds += 1;
            if missing.is_empty() || rounds >= ROUNDS_MAX {
                return Ok(report);
            }
            for want in missing {
                let found = match &want {
                    Want::StatusList(address) => self.documents.status_list(address).await?,
                    Want::KeyDocument(did) => self.documents.controller(did).await?,
                };
                let answer = found.map_or(Answer::Unreachable, |bytes| Answer::Found { bytes, age: 0 });
                gathered.insert(want, answer);
            }
        }
    }

    /// The handle in a link of ours.
    fn handle_of<'a>(&self, link: &'a str) -> Result<&'a str> {
        let plain = link.split(['?', '#']).next().unwrap_or(link).trim_end_matches('/');
        match plain.strip_prefix(&*self.public_url).and_then(|rest| rest.strip_prefix("/v/")) {
            Some(rest) => formed(rest.strip_suffix("/picture.png").unwrap_or(rest)),
            None if host_of(plain) == host_of(&self.public_url) => Err(error::NOT_FOUND.error()),
            None => Err(error::FOREIGN_LINK.error().with("host", host_of(plain))),
        }
    }
}

fn judge(
    bytes: &[u8],
    gathered: Gathered,
    trust: &TrustList,
    options: &Options,
    now: i64,
) -> (Report, Vec<Want>, Gathered) {
    let mut context = Context::new(now, &gathered, trust);
    context.require_trust = options.require_trust;
    context.holder = options.holder.as_ref();
    let report = verify(bytes, &context);
    let missing = gathered.take_missing();
    (report, missing, gathered)
}

/// A handle of our form. Others are refused as unknown ones are, without a look.
fn formed(handle: &str) -> Result<&str> {
    let right =
        handle.len() == HANDLE_CHARS && handle.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase());
    if right { Ok(handle) } else { Err(error::NOT_FOUND.error()) }
}

/// The link that was handed in instead of a document.
fn link(bytes: &[u8]) -> Option<&str> {
    if bytes.len() > LINK_BYTES_MAX {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?.trim();
    let is_link =
        (text.starts_with("https://") || text.starts_with("http://")) && !text.contains(char::is_whitespace);
    is_link.then_some(text)
}

fn host_of(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    authority.rsplit('@').next().unwrap_or(authority)
}

/// Until when an answer holds if no status changes; nothing for one that must not be kept.
fn holds_until(shown: &Shown) -> Option<Option<Time>> {
    match shown {
        Shown::Erased { .. } => Some(None),
        Shown::Checked { report, .. } if report.outcome == Outcome::Unknown => None,
        Shown::Checked { report, at, .. } => {
            let moments = [&report.validity.from, &report.validity.until];
            let coming =
                moments.into_iter().flatten().filter_map(|text| parse_time(text)).map(Time::from_seconds);
            Some(coming.filter(|moment| moment > at).min())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_128_bits_of_base32_and_nothing_else() {
        assert!(formed("0123456789abcdefghjkmnpqrs").is_ok());
        for wrong in [
            "",
            "short",
            "0123456789ABCDEFGHJKMNPQRS",
            "0123456789abcdefghjkmnpq/.",
            "../../../../../../etc/pass",
        ] {
            assert!(formed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_host_is_read_past_names_that_pretend() {
        assert_eq!(host_of("https://selo.example@evil.example/v/x"), "evil.example");
        assert_eq!(host_of("http://localhost:8080"), "localhost:8080");
        assert_eq!(link(b"  https://a.example/v/x \n"), Some("https://a.example/v/x"));
        assert_eq!(link(b"{\"a\": \"https://a.example\"}"), None);
    }
}
