//! Rules about CRLs, with their issuer's certificate.

use super::{Finding, Severity, Verdict, broken, demand};
use crate::x509::certificate::Certificate;
use crate::x509::crl::{Crl, Reason, read_raw_entry};
use crate::x509::der::Reader;
use crate::x509::extension::CRL_SIGN;
use crate::x509::{Serial, Uri, oid};

/// A CRL and the certificate of its issuer.
struct Case<'a> {
    crl: &'a Crl<'a>,
    issuer: &'a Certificate<'a>,
}

type Check = fn(&Case<'_>) -> Verdict;

const DAY_S: i64 = 86_400;

/// The rules: id, citation; all are errors.
pub const RULES: &[(&str, &str)] = &[
    ("selo.crl.version", "RFC 5280 §5.1.2.1"),
    ("selo.crl.algorithm", "RFC 5280 §5.1.1.2"),
    ("selo.crl.issuer", "RFC 5280 §5.1.2.3"),
    ("selo.crl.times", "RFC 5280 §5.1.2.5, CA/B BR §4.9.7"),
    ("selo.crl.aki", "RFC 5280 §5.2.1"),
    ("selo.crl.number", "RFC 5280 §5.2.3"),
    ("selo.crl.delta", "RFC 5280 §5.2.4"),
    ("selo.crl.scope", "RFC 5280 §5.2.5"),
    ("selo.crl.extensions", "RFC 5280 §5.2"),
    ("selo.crl.entries", "RFC 5280 §5.1.2.6, §5.3"),
    ("selo.crl.signature", "RFC 5280 §6.3.3"),
];

const CHECKS: [Check; 11] =
    [version, algorithm, issuer, times, aki, number, delta, scope, extensions, entries, signature];

pub(super) fn run(der: &[u8], issuer: &Certificate<'_>) -> Vec<Finding> {
    let crl = match Crl::parse(der) {
        Ok(crl) => crl,
        Err(fault) => return vec![broken(&fault)],
    };
    let case = Case { crl: &crl, issuer };
    let checked = RULES.iter().zip(CHECKS);
    checked
        .filter_map(|((id, citation), check)| {
            let detail = check(&case).err()?;
            Some(Finding { id, severity: Severity::Error, citation, detail })
        })
        .collect()
}

fn version(case: &Case<'_>) -> Verdict {
    demand(case.crl.version == 2, || format!("the version is {}", case.crl.version))
}

fn algorithm(case: &Case<'_>) -> Verdict {
    demand(case.crl.inner_algorithm == case.crl.outer_algorithm, || "the algorithms differ".into())
}

fn issuer(case: &Case<'_>) -> Verdict {
    demand(case.crl.issuer == case.issuer.subject, || "the issuer's name is another".into())?;
    let may_sign = case.issuer.key_usage().ok().flatten().is_some_and(|usage| usage & CRL_SIGN != 0);
    demand(may_sign, || "the issuer may not sign CRLs".into())
}

fn times(case: &Case<'_>) -> Verdict {
    let next = case.crl.next_update.ok_or("there is no nextUpdate")?;
    let seconds = next.seconds() - case.crl.this_update.seconds();
    let shard = case.crl.extension(oid::ISSUING_DISTRIBUTION_POINT).is_some();
    let days_max = if shard { 10 } else { 366 };
    demand((1..=days_max * DAY_S).contains(&seconds), || format!("it lasts {seconds} seconds"))
}

fn aki(case: &Case<'_>) -> Verdict {
    let found = case.crl.authority_key_id().map_err(|fault| fault.to_string())?;
    let critical = case.crl.extension(oid::AUTHORITY_KEY_ID).is_some_and(|extension| extension.critical);
    let equal = found.is_some_and(|found| {
        !found.has_issuer && found.key_id == case.issuer.subject_key_id().ok().flatten()
    });
    demand(equal && !critical, || "authorityKeyIdentifier is absent, critical or another".into())
}

fn number(case: &Case<'_>) -> Verdict {
    let found = case.crl.number().map_err(|fault| fault.to_string())?;
    let critical = case.crl.extension(oid::CRL_NUMBER).is_some_and(|extension| extension.critical);
    demand(found.is_some() && !critical, || "cRLNumber is absent or critical".into())
}

fn delta(case: &Case<'_>) -> Verdict {
    let Some(extension) = case.crl.extension(oid::DELTA_CRL_INDICATOR) else { return Ok(()) };
    let base = case.crl.delta_base().map_err(|fault| fault.to_string())?;
    demand(extension.critical && base < case.crl.number().ok().flatten(), || {
        "deltaCRLIndicator is not critical or not older".into()
    })?;
    demand(case.crl.extension(oid::FRESHEST_CRL).is_none(), || "a delta points to deltas".into())
}

fn scope(case: &Case<'_>) -> Verdict {
    let Some(extension) = case.crl.extension(oid::ISSUING_DISTRIBUTION_POINT) else { return Ok(()) };
    let point =
        case.crl.distribution_point().map_err(|fault| fault.to_string())?.ok_or("the scope is malformed")?;
    let plain = point.only_user_certificates && !point.only_ca_certificates && !point.has_other_limits;
    demand(extension.critical && plain, || "the scope is not critical or not end entities alone".into())?;
    let [address] = point.addresses[..] else { return Err("the scope has not one address".into()) };
    Uri::parse_http(address).map(|_| ()).map_err(|fault| format!("{address}: {fault}"))
}

fn extensions(case: &Case<'_>) -> Verdict {
    let known = [
        oid::AUTHORITY_KEY_ID,
        oid::CRL_NUMBER,
        oid::DELTA_CRL_INDICATOR,
        oid::ISSUING_DISTRIBUTION_POINT,
        oid::FRESHEST_CRL,
    ];
    for (at, extension) in case.crl.extensions.iter().enumerate() {
        demand(known.contains(&extension.oid), || format!("{} is not issued here", extension.oid))?;
        let twice = case.crl.extensions.iter().take(at).any(|earlier| earlier.oid == extension.oid);
        demand(!twice, || format!("{} stands twice", extension.oid))?;
    }
    Ok(())
}

fn entries(case: &Case<'_>) -> Verdict {
    let Some(body) = case.crl.entries else { return Ok(()) };
    demand(!body.is_empty(), || "an empty list of entries is written".into())?;
    let is_delta = case.crl.extension(oid::DELTA_CRL_INDICATOR).is_some();
    let mut reader = Reader::new(body);
    let mut serials: Vec<Serial> = Vec::new();
    while !reader.is_empty() {
        let entry = read_raw_entry(&mut reader).map_err(|fault| fault.to_string())?;
        let reason = entry.reason_code.map(Reason::from_code);
        let good = match reason {
            None => true,
            Some(None | Some(Reason::Unspecified)) => false,
            Some(Some(reason)) => reason != Reason::RemoveFromCrl || is_delta,
        };
        demand(good && !entry.has_critical, || format!("the entry of {} has a wrong reason", entry.serial))?;
        demand(entry.revoked_at <= case.crl.this_update, || {
            format!("{} is revoked in the future", entry.serial)
        })?;
        serials.push(entry.serial);
    }
    serials.sort_unstable();
    let twice = serials.windows(2).find(|pair| pair.first() == pair.last());
    demand(twice.is_none(), || format!("{twice:?} stands twice"))
}

fn signature(case: &Case<'_>) -> Verdict {
    let key = case.issuer.key().map_err(|refusal| refusal.to_string())?;
    case.crl.verify(&key).map_err(|fault| fault.to_string())
}
