//! The report: outcome, what was read, and every check with its reason and remedy.
//!
//! One shape for API, page and command line (spec verify §10).
//! Never here: a sentence that is not in the catalogue of [`super::Code`].

use serde::ser::{Serialize, Serializer};
use serde_json::{Value, json};

use super::code::{Code, Lang, Result};
use super::link::PageLink;
use super::recognise::{Carrier, Format};
use crate::credential::Field;

/// The answer in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Every check passed or gave a warning.
    Valid,
    /// A check failed.
    Invalid,
    /// None failed, but one could not be decided.
    Unknown,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was checked; passing checks name their family by its main code.
    pub code: Code,
    /// What came out.
    pub result: Result,
    /// RFC 6901 pointer to the member concerned; none for the whole document.
    pub field: Option<String>,
    /// What the sentences need: a date, a name, a pointer.
    pub args: Vec<String>,
}

impl Check {
    /// What came out, in a sentence without jargon.
    #[must_use]
    pub fn reason(&self, lang: Lang) -> String {
        self.code.reason(self.result, &self.args, lang)
    }

    /// What to do about it; empty where nothing is to be done.
    #[must_use]
    pub fn remedy(&self, lang: Lang) -> &'static str {
        self.code.remedy(self.result, lang)
    }
}

/// Who issued it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IssuerView {
    /// The identifier in the document.
    pub id: String,
    /// The name from the trust list; none for strangers and for documents whose signature does not hold.
    pub name: Option<String>,
    /// The name the document claims, which a stranger can choose freely.
    pub claimed_name: Option<String>,
    /// The issuer is on the trust list, for this type, and the signature is the issuer's.
    pub trusted: bool,
}

/// Whom it is about.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SubjectView {
    /// The identifier in the document.
    pub id: Option<String>,
    /// The name that is signed in the document.
    pub name: Option<String>,
}

/// From when until when, as the document says.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Validity {
    /// `validFrom` (1.1: `issuanceDate`).
    pub from: Option<String>,
    /// `validUntil` (1.1: `expirationDate`).
    pub until: Option<String>,
}

/// What the issuer says now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StatusState {
    /// Not withdrawn.
    Active,
    /// Withdrawn for good.
    Revoked,
    /// Withdrawn for the time being.
    Suspended,
    /// The document says nothing of a list.
    None,
    /// The list could not be asked or is not in order.
    Unknown,
    /// Not asked, because the answer no longer mattered.
    NotChecked,
}

/// The status and how old the answer is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct StatusView {
    /// What the issuer says.
    pub state: StatusState,
    /// Age of the answer in seconds.
    pub age: Option<u64>,
    /// Address of the list.
    pub list: Option<String>,
    /// Index in the list.
    pub index: Option<u64>,
}

/// Everything one check of a document found out.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The answer in one word.
    pub outcome: Outcome,
    /// `outcome` is valid.
    pub valid: bool,
    /// What kind of credential it is, when recognised.
    pub format: Option<Format>,
    /// What it came in, when recognised.
    pub carrier: Option<Carrier>,
    /// Who issued it.
    pub issuer: Option<IssuerView>,
    /// Whom it is about.
    pub subject: Option<SubjectView>,
    /// Every signed field; empty unless the signature holds.
    pub fields: Vec<Field>,
    /// From when until when.
    pub validity: Validity,
    /// What the issuer says now.
    pub status: StatusView,
    /// Every check, in the order of spec verify §2.
    pub checks: Vec<Check>,
    /// The credential as it was read.
    pub credential: Option<Value>,
    /// The page that a picture's QR code leads to; whoever runs its house can say more.
    pub link: Option<PageLink>,
}

impl Report {
    /// The first check with this code.
    #[must_use]
    pub fn check(&self, code: Code) -> Option<&Check> {
        self.checks.iter().find(|check| check.code == code)
    }

    /// The codes of the checks that failed.
    #[must_use]
    pub fn failures(&self) -> Vec<Code> {
        self.with(Result::Fail)
    }

    /// The codes of the checks with this result.
    #[must_use]
    pub fn with(&self, result: Result) -> Vec<Code> {
        self.checks.iter().filter(|check| check.result == result).map(|check| check.code).collect()
    }

    /// The issuer is on the trust list and the signature is the issuer's.
    #[must_use]
    pub fn trusted(&self) -> bool {
        self.issuer.as_ref().is_some_and(|issuer| issuer.trusted)
    }

    /// The report in one language, ready to be serialised.
    #[must_use]
    pub fn view(&self, lang: Lang) -> View<'_> {
        View { report: self, lang }
    }

    /// The report as JSON in one language: `{outcome, valid, trusted, format, carrier, issuer, subject, fields, validity,
    /// status, checks: [{code, result, reason, remedy, field}], credential, link: {address, host}}`.
    #[must_use]
    pub fn to_json(&self, lang: Lang) -> Value {
        let checks: Vec<Value> = self
            .checks
            .iter()
            .map(|check| {
                json!({
                    "code": check.code,
                    "result": check.result,
                    "reason": check.reason(lang),
                    "remedy": check.remedy(lang),
                    "field": check.field,
                })
            })
            .collect();
        json!({
            "outcome": self.outcome,
            "valid": self.valid,
            "trusted": self.trusted(),
            "format": self.format,
            "carrier": self.carrier,
            "issuer": self.issuer,
            "subject": self.subject,
            "fields": self.fields,
            "validity": self.validity,
            "status": self.status,
            "checks": checks,
            "credential": self.credential,
            "link": self.link.as_ref().map(PageLink::to_json),
        })
    }
}

/// A report in one language.
#[derive(Debug, Clone, Copy)]
pub struct View<'r> {
    report: &'r Report,
    lang: Lang,
}

impl Serialize for View<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.report.to_json(self.lang).serialize(serializer)
    }
}
