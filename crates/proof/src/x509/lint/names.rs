//! Rules about names: subject, issuer, subjectAltName, name constraints.

use super::{Case, Rule, Verdict, demand, rule};
use crate::x509::constraints::NameConstraints;
use crate::x509::der::{PRINTABLE_STRING, UTF8_STRING};
use crate::x509::oid;

pub(super) const RULES: &[Rule] = &[
    rule("selo.name.issuer", "RFC 5280 §4.1.2.4", issuer),
    rule("selo.name.subject", "RFC 5280 §4.1.2.6", subject),
    rule("selo.name.encoding", "RFC 5280 §4.1.2.4, appendix A", encoding),
    rule("selo.name.common", "CA/B BR §7.1.4.3", common),
    rule("selo.san.present", "RFC 9525 §3, CA/B BR §7.1.2.7.12", present),
    rule("selo.san.form", "RFC 5280 §4.2.1.6", form),
    rule("selo.san.unique", "spec pki §3", unique),
    rule("selo.san.critical", "RFC 5280 §4.2.1.6", critical),
    rule("selo.nc.leaf", "RFC 5280 §4.2.1.10", constraints_in_leaf),
    rule("selo.nc.critical", "RFC 5280 §4.2.1.10", constraints_critical),
    rule("selo.nc.form", "RFC 5280 §4.2.1.10", constraints_form),
];

fn issuer(case: &Case<'_>) -> Verdict {
    demand(!case.certificate.issuer.is_empty(), || "the issuer has no name".into())
}

fn subject(case: &Case<'_>) -> Verdict {
    let named = case.certificate.extension(oid::SUBJECT_ALT_NAME).is_some();
    demand(!case.certificate.subject.is_empty() || (!case.is_ca() && named), || {
        "the subject has no name".into()
    })
}

fn encoding(case: &Case<'_>) -> Verdict {
    for part in case.certificate.subject.parts().iter().chain(case.certificate.issuer.parts()) {
        let is_printable = matches!(part.kind, oid::COUNTRY | oid::SERIAL_NUMBER);
        let good = match part.tag {
            PRINTABLE_STRING => is_printable || case.profile.is_none(),
            UTF8_STRING => !is_printable,
            _ => part.kind == oid::DOMAIN_COMPONENT,
        };
        let is_country = part.text.len() == 2 && part.text.bytes().all(|byte| byte.is_ascii_uppercase());
        demand(good && (is_country || part.kind != oid::COUNTRY), || format!("{part:?} is of a wrong form"))?;
        demand(!part.text.trim().is_empty(), || format!("{part:?} is empty"))?;
    }
    Ok(())
}

fn common(case: &Case<'_>) -> Verdict {
    let free = case.profile.is_some_and(|profile| profile.shape().names.free_common_name);
    if case.is_ca() || free {
        return Ok(());
    }
    let Some(common) = case.certificate.subject.common_name() else { return Ok(()) };
    let names = case.certificate.names().unwrap_or_default();
    demand(names.iter().any(|name| name.text() == common), || format!("{common:?} is none of the names"))
}

fn present(case: &Case<'_>) -> Verdict {
    let required = case.profile.is_none_or(|profile| profile.shape().names.required);
    let there = case.certificate.extension(oid::SUBJECT_ALT_NAME).is_some();
    demand(there || case.is_ca() || !required, || "there is no subjectAltName".into())
}

fn form(case: &Case<'_>) -> Verdict {
    case.certificate.names().map(|_| ()).map_err(|fault| fault.to_string())
}

fn unique(case: &Case<'_>) -> Verdict {
    let names = case.certificate.names().unwrap_or_default();
    let twice =
        names.iter().enumerate().find(|(at, name)| names.iter().take(*at).any(|earlier| earlier == *name));
    twice.map_or(Ok(()), |(_, name)| Err(format!("{name} stands twice")))
}

fn critical(case: &Case<'_>) -> Verdict {
    let Some(extension) = case.certificate.extension(oid::SUBJECT_ALT_NAME) else { return Ok(()) };
    demand(extension.critical == case.certificate.subject.is_empty(), || {
        "subjectAltName is critical exactly when the subject is empty".into()
    })
}

fn constraints_in_leaf(case: &Case<'_>) -> Verdict {
    let there = case.certificate.extension(oid::NAME_CONSTRAINTS).is_some();
    demand(case.is_ca() || !there, || "an end entity has name constraints".into())
}

fn constraints_critical(case: &Case<'_>) -> Verdict {
    let extension = case.certificate.extension(oid::NAME_CONSTRAINTS);
    demand(extension.is_none_or(|extension| extension.critical), || {
        "name constraints are not critical".into()
    })
}

fn constraints_form(case: &Case<'_>) -> Verdict {
    let Some(extension) = case.certificate.extension(oid::NAME_CONSTRAINTS) else { return Ok(()) };
    let read = NameConstraints::read(extension.value).map_err(|fault| fault.to_string())?;
    demand(!read.has_unknown(), || "a name constraint has a form that is not judged here".into())
}
