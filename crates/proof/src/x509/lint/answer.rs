//! Rules about OCSP responses, with the certificate of the issuer they speak for.

use super::{Finding, Severity, Verdict, broken, demand};
use crate::x509::certificate::Certificate;
use crate::x509::crl::Reason;
use crate::x509::ocsp::{CertId, OcspResponse, ResponderId, Status};
use crate::x509::oid;
use crate::x509::time::Moment;

/// A response, the responder's certificate inside it, and the certificate of the issuer.
struct Case<'a> {
    response: &'a OcspResponse<'a>,
    responder: &'a Certificate<'a>,
    issuer: &'a Certificate<'a>,
    now: Moment,
}

type Check = fn(&Case<'_>) -> Verdict;

/// The rules: id, citation; all are errors.
pub const RULES: &[(&str, &str)] = &[
    ("selo.ocsp.responder", "RFC 6960 §4.2.2.2"),
    ("selo.ocsp.by_key", "RFC 6960 §4.2.1, RFC 5019 §2.2.3"),
    ("selo.ocsp.times", "RFC 6960 §4.2.2.1"),
    ("selo.ocsp.issuer", "RFC 6960 §4.1.1"),
    ("selo.ocsp.reason", "RFC 5280 §5.3.1"),
    ("selo.ocsp.signature", "RFC 6960 §3.2"),
];

const CHECKS: [Check; 6] = [responder, by_key, times, issuer, reason, signature];
/// Seven days.
const FRESH_SECONDS_MAX: i64 = 7 * 86_400;

pub(super) fn run(der: &[u8], issuer: &Certificate<'_>, now: Moment) -> Vec<Finding> {
    let response = match OcspResponse::parse(der) {
        Ok(response) => response,
        Err(fault) => return vec![broken(&fault)],
    };
    let [enclosed] = response.certificates[..] else {
        let (id, citation) = ("selo.ocsp.responder", "RFC 6960 §4.2.2.2");
        let detail = "the response has not one certificate".into();
        return vec![Finding { id, severity: Severity::Error, citation, detail }];
    };
    let responder = match Certificate::parse(enclosed) {
        Ok(responder) => responder,
        Err(fault) => return vec![broken(&fault)],
    };
    let case = Case { response: &response, responder: &responder, issuer, now };
    let checked = RULES.iter().zip(CHECKS);
    checked
        .filter_map(|((id, citation), check)| {
            let detail = check(&case).err()?;
            Some(Finding { id, severity: Severity::Error, citation, detail })
        })
        .collect()
}

fn responder(case: &Case<'_>) -> Verdict {
    let usages = case.responder.extended_key_usage().map_err(|fault| fault.to_string())?;
    demand(usages == [oid::OCSP_SIGNING], || "the responder's certificate is not for OCSP".into())?;
    demand(case.responder.extension(oid::OCSP_NO_CHECK).is_some(), || "ocsp-nocheck is absent".into())?;
    let issuer = case.issuer.key().map_err(|refusal| refusal.to_string())?;
    case.responder.verify(&issuer).map_err(|_| "the issuer did not sign the responder's certificate")?;
    let validity = case.responder.validity().map_err(|fault| fault.to_string())?;
    demand(validity.contains(case.now), || "the responder's certificate is not valid now".into())
}

fn by_key(case: &Case<'_>) -> Verdict {
    let key = case.responder.key().map_err(|refusal| refusal.to_string())?;
    let id = ResponderId::of(&key).map_err(|fault| fault.to_string())?;
    demand(case.response.responder == Some(id), || "the responder is not named by its key".into())
}

fn times(case: &Case<'_>) -> Verdict {
    let ends = case.responder.validity().map_err(|fault| fault.to_string())?.not_after;
    demand(case.response.produced_at <= case.now, || "it was produced in the future".into())?;
    for single in &case.response.singles {
        let seconds = single.next_update.seconds() - single.this_update.seconds();
        let good = (1..=FRESH_SECONDS_MAX).contains(&seconds)
            && single.this_update <= case.response.produced_at
            && single.next_update > case.now
            && single.next_update <= ends;
        demand(good, || format!("the answer for {} has wrong times", single.id.serial))?;
    }
    Ok(())
}

fn issuer(case: &Case<'_>) -> Verdict {
    let key = case.issuer.key().map_err(|refusal| refusal.to_string())?;
    demand(!case.response.singles.is_empty(), || "there is no answer".into())?;
    for single in &case.response.singles {
        let ours = CertId::new(single.id.hash, &case.issuer.subject, &key, single.id.serial);
        let same = ours.is_ok_and(|ours| ours.has_issuer_of(&single.id));
        demand(same, || format!("the answer for {} speaks of another issuer", single.id.serial))?;
    }
    Ok(())
}

fn reason(case: &Case<'_>) -> Verdict {
    let removed = case.response.singles.iter().find(|single| {
        matches!(single.status, Status::Revoked { at, reason } if reason == Reason::RemoveFromCrl || at > case.now)
    });
    demand(removed.is_none(), || "a certificate is revoked in the future or removed".into())
}

fn signature(case: &Case<'_>) -> Verdict {
    let key = case.responder.key().map_err(|refusal| refusal.to_string())?;
    case.response.verify(&key).map_err(|fault| fault.to_string())
}
