//! The lint: what a certificate, a list or an answer must be before it is released.
//!
//! It reads finished bytes, as a relying party does, and knows nothing of how they were made. One small function is
//! one rule, with a stable id, a severity and the paragraph it follows. A certificate is linted with a throw-away
//! signature, so signatures are no rule for certificates; for lists and answers, which are linted before release, they
//! are.
//! Never here: a repair, an exception for a profile that a rule does not name.

mod answer;
mod form;
mod issuer;
mod list;
mod names;
mod profile;
mod usage;

use super::certificate::Certificate;
use super::extension::BasicConstraints;
use super::profile::Profile;
use super::time::Moment;

pub use answer::RULES as ANSWER_RULES;
pub use list::RULES as LIST_RULES;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Recorded.
    Warning,
    /// Refused.
    Error,
}

/// What a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule: `selo.<area>.<rule>`.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The paragraph that the rule follows.
    pub citation: &'static str,
    /// What was found.
    pub detail: String,
}

/// Whether findings forbid the release.
#[must_use]
pub fn refuses(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.severity >= Severity::Error)
}

/// What a certificate claims to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A CA that signed itself.
    Root,
    /// A CA that another one signed.
    Ca,
    /// Everything else.
    EndEntity,
}

impl From<Profile> for Kind {
    fn from(profile: Profile) -> Self {
        match profile {
            Profile::Root => Self::Root,
            Profile::Issuing => Self::Ca,
            _ => Self::EndEntity,
        }
    }
}

/// A certificate under the lint, with what is known about it.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The certificate.
    pub certificate: &'a Certificate<'a>,
    /// What it claims to be.
    pub kind: Kind,
    /// Its profile, when it is one of ours.
    pub profile: Option<Profile>,
    /// Its issuer's certificate, when there is one.
    pub issuer: Option<&'a Certificate<'a>>,
}

impl Case<'_> {
    fn is_ca(&self) -> bool {
        self.kind != Kind::EndEntity
    }

    fn basic(&self) -> Option<BasicConstraints> {
        self.certificate.basic_constraints().ok().flatten()
    }
}

/// Nothing, or what is wrong.
type Verdict = Result<(), String>;

/// A rule about certificates.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// `selo.<area>.<rule>`.
    pub id: &'static str,
    /// How bad it is to break it.
    pub severity: Severity,
    /// The paragraph it follows.
    pub citation: &'static str,
    check: fn(&Case<'_>) -> Verdict,
}

const fn rule(id: &'static str, citation: &'static str, check: fn(&Case<'_>) -> Verdict) -> Rule {
    Rule { id, severity: Severity::Error, citation, check }
}

fn demand(good: bool, detail: impl FnOnce() -> String) -> Verdict {
    if good { Ok(()) } else { Err(detail()) }
}

const FORM: (&str, &str) = ("selo.form.der", "RFC 5280 §4.1");

/// All rules about certificates.
pub fn certificate_rules() -> impl Iterator<Item = &'static Rule> {
    [form::RULES, names::RULES, usage::RULES, issuer::RULES, profile::RULES].into_iter().flatten()
}

/// Lints a certificate of one of our profiles.
#[must_use]
pub fn certificate(der: &[u8], profile: Profile, issuer: Option<&Certificate<'_>>) -> Vec<Finding> {
    run(der, Kind::from(profile), Some(profile), issuer)
}

/// Lints any certificate by the rules that hold without a profile.
#[must_use]
pub fn foreign_certificate(der: &[u8], kind: Kind, issuer: Option<&Certificate<'_>>) -> Vec<Finding> {
    run(der, kind, None, issuer)
}

fn run(der: &[u8], kind: Kind, profile: Option<Profile>, issuer: Option<&Certificate<'_>>) -> Vec<Finding> {
    let certificate = match Certificate::parse(der) {
        Ok(certificate) => certificate,
        Err(fault) => return vec![broken(&fault)],
    };
    let case = Case { certificate: &certificate, kind, profile, issuer };
    certificate_rules()
        .filter_map(|rule| {
            let detail = (rule.check)(&case).err()?;
            Some(Finding { id: rule.id, severity: rule.severity, citation: rule.citation, detail })
        })
        .collect()
}

fn broken(fault: &super::der::DerError) -> Finding {
    let (id, citation) = FORM;
    Finding { id, severity: Severity::Error, citation, detail: fault.to_string() }
}

/// Lints a CRL with its issuer's certificate.
#[must_use]
pub fn crl(der: &[u8], issuer: &Certificate<'_>) -> Vec<Finding> {
    list::run(der, issuer)
}

/// Lints an OCSP response with the certificate of the issuer it speaks for, at the moment of its release.
#[must_use]
pub fn ocsp_response(der: &[u8], issuer: &Certificate<'_>, now: Moment) -> Vec<Finding> {
    answer::run(der, issuer, now)
}
