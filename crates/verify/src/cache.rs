//! Rendered pages of handles, kept until something about them changes.
//!
//! A page is found only under the version that the issuer's side reports at this very moment, so a revocation shows at
//! once. Never here: an answer that could not be decided, or what somebody handed in.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use base::{Lang, Time};
use bytes::Bytes;

/// Pages kept at once; at most 50 kB each.
const PAGES_MAX: usize = 1_024;
/// A page is rendered anew after this time even if nothing changed (spec verify §8 allows 5 minutes).
const KEPT_MAX: Duration = Duration::from_secs(60);

/// What a page depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    handle: String,
    lang: Lang,
    version: String,
}

impl Key {
    pub(crate) fn new(handle: &str, lang: Lang, version: &str) -> Self {
        Self { handle: handle.to_owned(), lang, version: version.to_owned() }
    }
}

/// A rendered page.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) html: Bytes,
    pub(crate) rendered_at: Time,
    /// When the document's own dates change the answer.
    pub(crate) changes_at: Option<Time>,
}

/// The pages of a process.
#[derive(Debug, Default)]
pub(crate) struct Pages(Mutex<HashMap<Key, Kept>>);

impl Pages {
    pub(crate) fn get(&self, key: &Key, now: Time) -> Option<Bytes> {
        let pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = pages.get(key)?;
        let young = now >= kept.rendered_at && now.since(kept.rendered_at) < KEPT_MAX;
        let same = kept.changes_at.is_none_or(|moment| now < moment);
        (young && same).then(|| kept.html.clone())
    }

    pub(crate) fn keep(&self, key: Key, kept: Kept) {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if pages.len() >= PAGES_MAX {
            let now = kept.rendered_at;
            pages.retain(|_, old| now.since(old.rendered_at) < KEPT_MAX);
            if pages.len() >= PAGES_MAX {
                pages.clear();
            }
        }
        // An older version of the same page would only hold memory, and after an erasure it must not be held.
        pages.retain(|old, _| old.handle != key.handle || old.version == key.version);
        pages.insert(key, kept);
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(seconds: i64, changes_at: Option<i64>) -> Kept {
        Kept {
            html: Bytes::from_static(b"page"),
            rendered_at: Time::from_seconds(seconds),
            changes_at: changes_at.map(Time::from_seconds),
        }
    }

    #[test]
    fn a_page_is_found_under_its_own_version_while_it_is_young() {
        let pages = Pages::default();
        let key = Key::new("h", Lang::En, "1");
        pages.keep(key.clone(), kept(100, None));
        assert!(pages.get(&key, Time::from_seconds(159)).is_some());
        assert!(pages.get(&key, Time::from_seconds(160)).is_none(), "too old");
        assert!(pages.get(&key, Time::from_seconds(99)).is_none(), "a clock that was set back");
        assert!(
            pages.get(&Key::new("h", Lang::En, "2"), Time::from_seconds(101)).is_none(),
            "another version"
        );
        assert!(
            pages.get(&Key::new("h", Lang::Pt, "1"), Time::from_seconds(101)).is_none(),
            "another language"
        );
    }

    #[test]
    fn a_page_ends_when_the_document_expires_and_a_new_version_drives_out_the_old() {
        let pages = Pages::default();
        let (old, new) = (Key::new("h", Lang::En, "1"), Key::new("h", Lang::En, "2"));
        pages.keep(old.clone(), kept(100, Some(110)));
        assert!(pages.get(&old, Time::from_seconds(109)).is_some());
        assert!(pages.get(&old, Time::from_seconds(110)).is_none());
        pages.keep(new, kept(101, None));
        assert!(pages.get(&old, Time::from_seconds(105)).is_none());
    }

    #[test]
    fn memory_is_bounded() {
        let pages = Pages::default();
        for number in 0..3 * PAGES_MAX {
            pages.keep(Key::new(&number.to_string(), Lang::En, "1"), kept(100, None));
        }
        assert!(pages.0.lock().unwrap().len() <= PAGES_MAX);
    }
}
