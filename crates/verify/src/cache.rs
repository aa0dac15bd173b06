//! Rendered pages of handles, kept until something about them changes.
//!
//! A page is found only under the version that the issuer's side reports at this very moment, or, without asking, while
//! nothing at all was committed since it last did. So a revocation shows at once.
//! Never here: an answer that could not be decided, or what somebody handed in.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base::{Lang, Time};
use bytes::Bytes;

/// Handles whose pages are kept at once; at most two pages of 50 kB each.
const HANDLES_MAX: usize = 512;
/// A page is rendered anew after this time even if nothing changed (spec verify §8 allows 5 minutes).
const KEPT_MAX: Duration = Duration::from_secs(60);

/// A rendered page.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) html: Bytes,
    /// The version of what it shows.
    pub(crate) version: String,
    pub(crate) rendered_at: Time,
    /// When the document's own dates change the answer.
    pub(crate) changes_at: Option<Time>,
    /// The house's mark when the version was last seen to be this one.
    pub(crate) mark: Option<u64>,
}

impl Kept {
    fn holds(&self, now: Time) -> bool {
        let young = now >= self.rendered_at && now.since(self.rendered_at) < KEPT_MAX;
        young && self.changes_at.is_none_or(|moment| now < moment)
    }
}

/// The pages of one handle, by language.
type Languages = [Option<Kept>; 2];

/// The pages of a process, by handle.
#[derive(Debug, Default)]
pub(crate) struct Pages(Mutex<HashMap<String, Languages>>);

impl Pages {
    /// The page of a house in which nothing at all was changed since the page was last known to hold.
    pub(crate) fn unchanged(&self, handle: &str, lang: Lang, mark: Option<u64>, now: Time) -> Option<Bytes> {
        let mark = mark?;
        let pages = self.lock();
        let kept = pages.get(handle)?.get(lang as usize)?.as_ref()?;
        (kept.mark == Some(mark) && kept.holds(now)).then(|| kept.html.clone())
    }

    /// The page under the version that was reported just now. `mark` is the house's, taken before it was asked.
    pub(crate) fn current(
        &self,
        handle: &str,
        lang: Lang,
        version: &str,
        mark: Option<u64>,
        now: Time,
    ) -> Option<Bytes> {
        let mut pages = self.lock();
        let kept = pages.get_mut(handle)?.get_mut(lang as usize)?.as_mut()?;
        if kept.version != version || !kept.holds(now) {
            return None;
        }
        kept.mark = mark;
        Some(kept.html.clone())
    }

    pub(crate) fn keep(&self, handle: &str, lang: Lang, kept: Kept) {
        let mut pages = self.lock();
        if pages.len() >= HANDLES_MAX && !pages.contains_key(handle) {
            let now = kept.rendered_at;
            pages.retain(|_, languages| languages.iter().flatten().any(|old| old.holds(now)));
            if pages.len() >= HANDLES_MAX {
                pages.clear();
            }
        }
        let languages = pages.entry(handle.to_owned()).or_default();
        // An older version of the same page would only hold memory, and after an erasure it must not be held.
        for other in languages.iter_mut() {
            if other.as_ref().is_some_and(|old| old.version != kept.version) {
                *other = None;
            }
        }
        if let Some(place) = languages.get_mut(lang as usize) {
            *place = Some(kept);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Languages>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(version: &str, seconds: i64, changes_at: Option<i64>) -> Kept {
        Kept {
            html: Bytes::from_static(b"page"),
            version: version.to_owned(),
            rendered_at: Time::from_seconds(seconds),
            changes_at: changes_at.map(Time::from_seconds),
            mark: Some(7),
        }
    }

    fn found(pages: &Pages, lang: Lang, version: &str, seconds: i64) -> bool {
        pages.current("h", lang, version, Some(7), Time::from_seconds(seconds)).is_some()
    }

    #[test]
    fn a_page_is_found_under_its_own_version_while_it_is_young() {
        let pages = Pages::default();
        pages.keep("h", Lang::En, kept("1", 100, None));
        assert!(found(&pages, Lang::En, "1", 159));
        assert!(!found(&pages, Lang::En, "1", 160), "too old");
        assert!(!found(&pages, Lang::En, "1", 99), "a clock that was set back");
        assert!(!found(&pages, Lang::En, "2", 101), "another version");
        assert!(!found(&pages, Lang::Pt, "1", 101), "another language");
    }

    #[test]
    fn a_page_ends_when_the_document_expires_and_a_new_version_drives_out_the_old() {
        let pages = Pages::default();
        pages.keep("h", Lang::En, kept("1", 100, Some(110)));
        pages.keep("h", Lang::Pt, kept("1", 100, Some(110)));
        assert!(found(&pages, Lang::En, "1", 109));
        assert!(!found(&pages, Lang::En, "1", 110));
        pages.keep("h", Lang::En, kept("2", 101, None));
        assert!(!found(&pages, Lang::Pt, "1", 105), "the old version in another language");
    }

    #[test]
    fn without_a_question_a_page_is_found_only_while_nothing_was_committed() {
        let pages = Pages::default();
        let asked =
            |mark, seconds| pages.unchanged("h", Lang::En, mark, Time::from_seconds(seconds)).is_some();
        pages.keep("h", Lang::En, kept("1", 100, None));
        assert!(asked(Some(7), 101));
        assert!(!asked(Some(8), 101), "something was committed");
        assert!(!asked(None, 101), "a house that cannot tell");
        assert!(!asked(Some(7), 160), "too old");
        pages.current("h", Lang::En, "1", Some(8), Time::from_seconds(102));
        assert!(asked(Some(8), 103), "seen again after the commit");
        assert!(!asked(Some(7), 103));
    }

    #[test]
    fn memory_is_bounded() {
        let pages = Pages::default();
        for number in 0..3 * HANDLES_MAX {
            pages.keep(&number.to_string(), Lang::En, kept("1", 100, None));
        }
        assert!(pages.lock().len() <= HANDLES_MAX);
    }
}
