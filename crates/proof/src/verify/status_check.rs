//! Asks the issuer's list whether a credential was withdrawn (spec credentials §11, spec verify §2 family status).
//!
//! The list is a credential of its own: its signature must hold and its issuer be the credential's.
//! Never here: an answer from a list that is not in order counted as "not withdrawn".

use serde_json::Value;

use super::Context;
use super::code::{Code, Result};
use super::proofs::{self, check, check_with};
use super::report::{Check, StatusState, StatusView};
use super::resolve::Answer;
use crate::credential::{self, parse_time};
use crate::did;
use crate::json::{self, Limits};
use crate::status::{Entry, LIST_DOCUMENT_BYTES_MAX, List, StatusError};

/// Entries of one credential that are asked.
pub const ENTRIES_PER_CREDENTIAL_MAX: usize = 4;

/// Checks every status entry of a proven credential.
pub(super) fn ask(
    document: &Value,
    issuer: Option<&str>,
    context: &Context<'_>,
    checks: &mut Vec<Check>,
) -> StatusView {
    const POINTER: &str = "/credentialStatus";
    let mut view = StatusView { state: StatusState::None, age: None, list: None, index: None };
    let Some(value) = document.get("credentialStatus") else {
        checks.push(check(Code::StatusMissing, Result::Warn, POINTER));
        return view;
    };
    let entries = match value {
        Value::Array(items) => items.as_slice(),
        single => std::slice::from_ref(single),
    };
    if entries.len() > ENTRIES_PER_CREDENTIAL_MAX {
        checks.push(check_with(Code::ShapeStatus, Result::Fail, POINTER, POINTER));
        view.state = StatusState::Unknown;
        return view;
    }
    for (index, entry) in entries.iter().enumerate() {
        let pointer = if value.is_array() { format!("{POINTER}/{index}") } else { POINTER.to_owned() };
        let one = One { document, entry, pointer, issuer, context };
        let state = one.ask(checks, &mut view);
        view.state = worse(view.state, state);
    }
    view
}

fn worse(a: StatusState, b: StatusState) -> StatusState {
    let rank = |state: StatusState| match state {
        StatusState::None | StatusState::NotChecked => 0,
        StatusState::Active => 1,
        StatusState::Unknown => 2,
        StatusState::Suspended => 3,
        StatusState::Revoked => 4,
    };
    if rank(b) > rank(a) { b } else { a }
}

struct One<'s> {
    document: &'s Value,
    entry: &'s Value,
    pointer: String,
    issuer: Option<&'s str>,
    context: &'s Context<'s>,
}

impl One<'_> {
    fn ask(&self, checks: &mut Vec<Check>, view: &mut StatusView) -> StatusState {
        let is = |kind: &str| match self.entry.get("type") {
            Some(Value::String(one)) => one == kind,
            Some(Value::Array(items)) => items.iter().any(|item| item == kind),
            _ => false,
        };
        if is("BitstringStatusListEntry") || is("StatusList2021Entry") {
            self.bit(checks, view)
        } else if is("1EdTechRevocationList") {
            self.revocation_list(checks, view)
        } else {
            let kind = self.entry.get("type").map(Value::to_string).unwrap_or_default();
            checks.push(self.check(Code::StatusUnreachable, Result::Unknown, kind));
            StatusState::Unknown
        }
    }

    fn check(&self, code: Code, result: Result, arg: impl Into<String>) -> Check {
        check_with(code, result, &*self.pointer, arg)
    }

    fn fetch(&self, address: &str, checks: &mut Vec<Check>, view: &mut StatusView) -> Option<Value> {
        if !address.starts_with("https://") && !address.starts_with("http://") {
            checks.push(self.check(Code::StatusUnreachable, Result::Unknown, address));
            return None;
        }
        view.list = Some(address.to_owned());
        let (bytes, age) = match self.context.resolver.status_list(address) {
            Answer::Found { bytes, age } => (bytes, age),
            Answer::NotFound | Answer::Unreachable => {
                checks.push(self.check(Code::StatusUnreachable, Result::Unknown, address));
                return None;
            }
        };
        view.age = Some(view.age.unwrap_or(0).max(age));
        let limits = Limits { bytes: LIST_DOCUMENT_BYTES_MAX, ..Limits::default() };
        match json::parse(&bytes, &limits) {
            Ok(list) => Some(list),
            Err(error) => {
                checks.push(self.check(Code::StatusListInvalid, Result::Fail, error.to_string()));
                None
            }
        }
    }

    fn bit(&self, checks: &mut Vec<Check>, view: &mut StatusView) -> StatusState {
        let entry = match Entry::read(self.entry) {
            Ok(entry) => entry,
            Err(error) => {
                checks.push(self.check(Code::ShapeStatus, Result::Fail, error.to_string()));
                return StatusState::Unknown;
            }
        };
        view.index = Some(entry.index);
        if entry.index_was_number {
            let field = format!("{}/statusListIndex", self.pointer);
            checks.push(check_with(Code::ShapeStatus, Result::Warn, field.clone(), field));
        }
        let Some(list) = self.fetch(&entry.list, checks, view) else {
            return StatusState::Unknown;
        };
        let Some(in_order) = self.list_in_order(&list, &entry, checks) else {
            return StatusState::Unknown;
        };
        let value = List::read(&list).and_then(|list| {
            self.age(view.age, list.ttl_ms, checks);
            list.value(&entry)
        });
        match value {
            Ok(set) => self.answer(set, in_order, &entry.purpose, checks),
            Err(error) => {
                let code = match error {
                    StatusError::Range => Code::StatusIndexRange,
                    StatusError::Purpose => Code::StatusPurpose,
                    _ => Code::StatusListInvalid,
                };
                checks.push(self.check(code, Result::Fail, error.to_string()));
                StatusState::Unknown
            }
        }
    }

    fn answer(&self, set: bool, in_order: bool, purpose: &str, checks: &mut Vec<Check>) -> StatusState {
        let (code, state) = match purpose {
            "revocation" => (Code::StatusRevoked, StatusState::Revoked),
            "suspension" => (Code::StatusSuspended, StatusState::Suspended),
            // "message" and "refresh" do not withdraw anything
            _ => return StatusState::Active,
        };
        if set {
            checks.push(check(code, Result::Fail, &*self.pointer));
            return state;
        }
        if !in_order {
            return StatusState::Unknown;
        }
        checks.push(check(code, Result::Pass, &*self.pointer));
        StatusState::Active
    }

    fn age(&self, age: Option<u64>, ttl_ms: Option<u64>, checks: &mut Vec<Check>) {
        let allowed =
            ttl_ms.map_or(self.context.status_age_max, |ttl| (ttl / 1000).max(self.context.status_age_max));
        if let Some(age) = age
            && age > allowed
        {
            let hours = format!("{} h", age / 3600);
            checks.push(self.check(Code::StatusStale, Result::Warn, hours));
        }
    }

    /// Signature, issuer, rules and dates of the list itself. None when it cannot be used at all; false when it can only
    /// speak against the credential.
    fn list_in_order(&self, list: &Value, entry: &Entry, checks: &mut Vec<Check>) -> Option<bool> {
        let issuer =
            list.get("issuer").and_then(|issuer| issuer.as_str().or_else(|| issuer.get("id")?.as_str()));
        // place and session concern what is presented, not the issuer's list
        let context = Context { domain: None, challenge: None, ..*self.context };
        let judged = proofs::judge(list, issuer, &context);
        if judged.undecided {
            let arg = did::without_fragment(&entry.list);
            checks.push(self.check(Code::StatusUnreachable, Result::Unknown, arg));
            return None;
        }
        let mut wrong = |what: &str| {
            checks.push(self.check(Code::StatusListInvalid, Result::Fail, what));
        };
        if !judged.proven {
            wrong("proof");
            return None;
        }
        if issuer.is_none() || issuer != self.issuer {
            wrong("issuer");
            return None;
        }
        let mut in_order = true;
        if let Some(breach) = credential::check(list).breaches.first() {
            wrong(&breach.pointer);
            in_order = false;
        }
        let moment = |name: &str| list.get(name).and_then(Value::as_str).and_then(parse_time);
        if moment("validUntil").is_some_and(|until| until < self.context.now) {
            wrong("validUntil");
            in_order = false;
        }
        if list.get("id").and_then(Value::as_str).is_some_and(|id| id != entry.list) {
            wrong("id");
            in_order = false;
        }
        Some(in_order)
    }

    /// The earlier list of 1EdTech: JSON without a signature, at the address in `id`.
    fn revocation_list(&self, checks: &mut Vec<Check>, view: &mut StatusView) -> StatusState {
        let address = self.entry.get("id").and_then(Value::as_str).unwrap_or_default();
        let Some(list) = self.fetch(address, checks, view) else {
            return StatusState::Unknown;
        };
        let revoked =
            ["revokedCredential", "revokedCredentials"].iter().find_map(|name| list.get(*name)?.as_array());
        let Some(revoked) = revoked else {
            checks.push(self.check(Code::StatusListInvalid, Result::Fail, "revokedCredential"));
            return StatusState::Unknown;
        };
        self.age(view.age, None, checks);
        let own = self.document.get("id").and_then(Value::as_str);
        let listed = revoked.iter().any(|entry| {
            let id = entry.as_str().or_else(|| entry.get("id")?.as_str());
            id == own && own.is_some() && entry.get("revoked") != Some(&Value::Bool(false))
        });
        let result = if listed { Result::Fail } else { Result::Pass };
        checks.push(check(Code::StatusRevoked, result, &*self.pointer));
        if listed { StatusState::Revoked } else { StatusState::Active }
    }
}
