//! Keyset paging: a page of items and an opaque, versioned token that says where the next begins.
//!
//! A token holds the sort key of the last item, never an offset, so a page costs the same at row 10 and at row 10 M.

use crate::error::{self, Result};

/// The longest page anybody may ask for.
pub const PAGE_ITEMS_MAX: u32 = 200;
/// The page when nobody asks.
pub const PAGE_ITEMS_DEFAULT: u32 = 50;
const VERSION: u8 = 1;
const TOKEN_BYTES_MAX: usize = 512;

/// A page of a list.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// Where the next page begins; absent on the last page.
    pub next_page_token: Option<String>,
}

impl<T> Page<T> {
    /// Cuts a list that was read with one item too many into a page; `key` gives the sort key of an item.
    pub fn cut(mut items: Vec<T>, limit: u32, key: impl Fn(&T) -> PageToken) -> Self {
        let limit = limit as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        let next_page_token = if more { items.last().map(|item| key(item).encode()) } else { None };
        Self { items, next_page_token }
    }

    /// The same page with its items turned into something else.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(f).collect(), next_page_token: self.next_page_token }
    }
}

/// The sort key of the last item of a page, as its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageToken(pub Vec<String>);

impl PageToken {
    /// The opaque text.
    pub fn encode(&self) -> String {
        let mut bytes = vec![VERSION];
        for part in &self.0 {
            bytes.extend_from_slice(&u16::try_from(part.len()).unwrap_or(u16::MAX).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Reads a token of `parts` parts.
    ///
    /// # Errors
    /// `PAGE_TOKEN_INVALID` for anything we did not make.
    pub fn decode(text: &str, parts: usize) -> Result<Self> {
        Self::read(text, parts).ok_or_else(|| error::PAGE_TOKEN.at("pageToken"))
    }

    fn read(text: &str, parts: usize) -> Option<Self> {
        if text.len() > TOKEN_BYTES_MAX * 2 || !text.is_ascii() {
            return None;
        }
        let bytes: Vec<u8> = text
            .as_bytes()
            .chunks(2)
            .map(|pair| std::str::from_utf8(pair).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok()))
            .collect::<Option<_>>()?;
        let (&version, mut rest) = bytes.split_first()?;
        let mut found = Vec::new();
        while !rest.is_empty() {
            let (length, tail) = rest.split_first_chunk::<2>()?;
            let (part, tail) = tail.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            found.push(String::from_utf8(part.to_vec()).ok()?);
            rest = tail;
        }
        let token = Self(found);
        // Digits have capitals, signs and halves; a token of ours has one spelling.
        (version == VERSION && token.0.len() == parts && token.encode() == text).then_some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_knows_whether_there_is_another() {
        let page = Page::cut(vec![1, 2, 3], 2, |n| PageToken(vec![n.to_string()]));
        assert_eq!(page.items, [1, 2]);
        assert_eq!(PageToken::decode(&page.next_page_token.unwrap(), 1).unwrap().0, ["2"]);
        assert!(Page::cut(vec![1, 2], 2, |n| PageToken(vec![n.to_string()])).next_page_token.is_none());
    }

    /// Fuzzing found tokens that we did not write and that were read all the same: with capitals, with half a digit pair,
    /// with a plus sign.
    #[test]
    fn a_token_has_one_spelling() {
        let token = PageToken(vec!["\u{ab}\u{1}".into()]);
        let text = token.encode();
        assert_eq!(PageToken::decode(&text, 1).unwrap(), token);
        for other in [text.to_uppercase(), text.replacen("01", "+1", 1), text.replacen("01", "1", 1)] {
            assert!(other != text && PageToken::decode(&other, 1).is_err(), "{other}");
        }
        assert!(PageToken::decode("01000", 1).is_err(), "half a pair at the end");
    }

    #[test]
    fn strangers_tokens_are_refused() {
        for text in ["", "zz", "02", "01ffff", "é", &"0".repeat(5_000)] {
            assert!(PageToken::decode(text, 1).is_err(), "{text}");
        }
    }
}
