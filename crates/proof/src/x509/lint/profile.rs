//! Rules that a profile sets: the shape of its row, seen from the finished bytes.

use super::{Case, Rule, Severity, Verdict, demand, rule};
use crate::x509::names::{GeneralName, SpiffeId};
use crate::x509::profile::{ExtendedUsage, Profile, Revocation, Shape};
use crate::x509::{Oid, oid};

const CITATION: &str = "spec pki §3";

pub(super) const RULES: &[Rule] = &[
    rule("selo.profile.lifetime", CITATION, lifetime),
    rule("selo.profile.serial", CITATION, serial),
    rule("selo.profile.basic", CITATION, basic),
    rule("selo.profile.key_usage", CITATION, key_usage),
    rule("selo.profile.extended_usage", CITATION, extended_usage),
    rule("selo.profile.names", CITATION, names),
    rule("selo.profile.revocation", CITATION, revocation),
    rule("selo.profile.order", CITATION, order),
    Rule { severity: Severity::Warning, ..rule("selo.profile.policies", CITATION, policies) },
];

fn shape(case: &Case<'_>) -> Option<(Profile, Shape)> {
    case.profile.map(|profile| (profile, profile.shape()))
}

fn lifetime(case: &Case<'_>) -> Verdict {
    let Some((profile, shape)) = shape(case) else { return Ok(()) };
    let seconds = case.certificate.validity().map_err(|fault| fault.to_string())?.seconds();
    demand(seconds <= shape.lifetime_s_max, || {
        format!("{seconds} seconds are too long for {}", profile.as_str())
    })
}

fn serial(case: &Case<'_>) -> Verdict {
    let content = case.certificate.serial_content;
    let random = content.len() == 16 && content.first().is_some_and(|first| first >> 6 == 1);
    demand(case.profile.is_none() || random, || {
        "the serial number has not sixteen octets that begin with 01".into()
    })
}

fn basic(case: &Case<'_>) -> Verdict {
    let good = match case.profile {
        None => true,
        Some(Profile::Root) => case.basic().is_some_and(|basic| basic.path_length.is_none()),
        Some(Profile::Issuing) => case.basic().is_some_and(|basic| basic.path_length == Some(0)),
        Some(_) => case.certificate.extension(oid::BASIC_CONSTRAINTS).is_none(),
    };
    demand(good, || "basicConstraints are not those of the profile".into())
}

fn key_usage(case: &Case<'_>) -> Verdict {
    let (Some((profile, _)), Ok(key)) = (shape(case), case.certificate.key()) else { return Ok(()) };
    let found = case.certificate.key_usage().ok().flatten();
    demand(found.is_some() && found == profile.key_usage(&key), || {
        "keyUsage is not that of the profile".into()
    })
}

fn extended_usage(case: &Case<'_>) -> Verdict {
    let Some((_, shape)) = shape(case) else { return Ok(()) };
    let found = case.certificate.extended_key_usage().map_err(|fault| fault.to_string())?;
    let good = match shape.extended_usage {
        ExtendedUsage::None => found.is_empty(),
        ExtendedUsage::These(usages) => found == usages,
        ExtendedUsage::Own => found.len() == 1,
    };
    demand(good, || "extended key usage is not that of the profile".into())
}

fn names(case: &Case<'_>) -> Verdict {
    let Some((profile, shape)) = shape(case) else { return Ok(()) };
    let names = case.certificate.names().map_err(|fault| fault.to_string())?;
    for name in &names {
        let taken = match name {
            GeneralName::Dns(_) => shape.names.dns,
            GeneralName::Ip(_) => shape.names.ip,
            GeneralName::Uri(_) => shape.names.uri,
            GeneralName::Email(_) => shape.names.email,
        };
        demand(taken, || format!("{} does not take {name}", profile.as_str()))?;
    }
    if profile == Profile::Svid {
        let is_spiffe =
            |name: &GeneralName| SpiffeId::parse(&name.text()).is_ok_and(|id| !id.path().is_empty());
        demand(names.len() == 1 && names.iter().all(is_spiffe), || "not exactly one SPIFFE id".into())?;
    }
    let role = case.certificate.subject.common_name();
    demand(profile != Profile::DbClient || role.is_some(), || "there is no common name".into())
}

fn revocation(case: &Case<'_>) -> Verdict {
    let Some((_, shape)) = shape(case) else { return Ok(()) };
    let has = |kind: Oid| case.certificate.extension(kind).is_some();
    let access = case.certificate.access().map_err(|fault| fault.to_string())?;
    let found = (
        has(oid::CRL_DISTRIBUTION_POINTS),
        access.iter().any(|(method, _)| *method == oid::ACCESS_OCSP),
        has(oid::NO_REV_AVAIL),
        has(oid::OCSP_NO_CHECK),
    );
    let expected = match shape.revocation {
        Revocation::Root | Revocation::Silent => (false, false, false, false),
        Revocation::List => (true, false, false, false),
        Revocation::ListAndAnswers => (true, true, false, false),
        Revocation::NotAvailable => (false, false, true, false),
        Revocation::NoCheck => (false, false, false, true),
    };
    demand(found == expected, || "where revocation is found is not what the profile says".into())
}

/// The order in which drafts are written, so that equal drafts give equal bytes.
fn order(case: &Case<'_>) -> Verdict {
    const ORDER: [Oid; 13] = [
        oid::BASIC_CONSTRAINTS,
        oid::KEY_USAGE,
        oid::EXTENDED_KEY_USAGE,
        oid::SUBJECT_KEY_ID,
        oid::AUTHORITY_KEY_ID,
        oid::SUBJECT_ALT_NAME,
        oid::NAME_CONSTRAINTS,
        oid::CERTIFICATE_POLICIES,
        oid::CRL_DISTRIBUTION_POINTS,
        oid::AUTHORITY_INFO_ACCESS,
        oid::NO_REV_AVAIL,
        oid::OCSP_NO_CHECK,
        oid::TLS_FEATURE,
    ];
    let places = case.certificate.extensions.iter().map(|one| ORDER.iter().position(|kind| *kind == one.oid));
    demand(case.profile.is_none() || places.is_sorted(), || "the extensions stand in another order".into())
}

/// Whose certificate it is, by the hierarchy's own policies: wanted, and possible only with an arc of one's own.
fn policies(case: &Case<'_>) -> Verdict {
    let Some((_, shape)) = shape(case) else { return Ok(()) };
    let wanted = matches!(shape.revocation, Revocation::List | Revocation::ListAndAnswers);
    let there = case.certificate.extension(oid::CERTIFICATE_POLICIES).is_some();
    demand(there || !wanted, || "no policy of the hierarchy is named".into())
}
