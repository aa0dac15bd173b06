//! What a check needs from outside, as a port: key documents and status lists.
//!
//! The check itself never waits. A caller that fetches asynchronously runs the check with [`Gathered`], fetches what it
//! reports as missing, and runs it again.
//! Never here: a socket.

use std::cell::RefCell;
use std::collections::HashMap;

/// Documents that one check may ask for (spec verify §1).
pub const FETCHES_MAX: usize = 8;

/// An answer from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The document, and how old this copy is in seconds.
    Found {
        /// The document's bytes.
        bytes: Vec<u8>,
        /// Age of the copy in seconds.
        age: u64,
    },
    /// The place answers, and has no such document.
    NotFound,
    /// No answer.
    Unreachable,
}

/// Gives documents from outside. Implementations guard against addresses inside the house (SSRF), redirects and size.
pub trait Resolver {
    /// The document of a key's controller: `address` is a did:web or an https address without fragment.
    fn key_document(&self, address: &str) -> Answer;
    /// The list credential (or 1EdTech revocation list) at an https address.
    fn status_list(&self, address: &str) -> Answer;
}

/// Reaches nothing: for documents whose keys are did:key, and for tests.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoNetwork;

impl Resolver for NoNetwork {
    fn key_document(&self, _address: &str) -> Answer {
        Answer::Unreachable
    }

    fn status_list(&self, _address: &str) -> Answer {
        Answer::Unreachable
    }
}

/// Something a check asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Want {
    /// A controller document: a did:web or https address without fragment.
    KeyDocument(String),
    /// A status list by its address.
    StatusList(String),
}

/// Answers that were gathered beforehand, and a note of what was asked for in vain.
#[derive(Debug, Default)]
pub struct Gathered {
    answers: HashMap<Want, Answer>,
    missing: RefCell<Vec<Want>>,
}

impl Gathered {
    /// Nothing gathered yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an answer.
    pub fn insert(&mut self, want: Want, answer: Answer) {
        self.answers.insert(want, answer);
    }

    /// What was asked for in vain since the last call, each once. When it is empty the report is final.
    pub fn take_missing(&self) -> Vec<Want> {
        std::mem::take(&mut *self.missing.borrow_mut())
    }

    fn ask(&self, want: Want) -> Answer {
        if let Some(answer) = self.answers.get(&want) {
            return answer.clone();
        }
        let mut missing = self.missing.borrow_mut();
        if !missing.contains(&want) && missing.len() + self.answers.len() < FETCHES_MAX {
            missing.push(want);
        }
        Answer::Unreachable
    }
}

impl Resolver for Gathered {
    fn key_document(&self, address: &str) -> Answer {
        self.ask(Want::KeyDocument(address.to_owned()))
    }

    fn status_list(&self, address: &str) -> Answer {
        self.ask(Want::StatusList(address.to_owned()))
    }
}
