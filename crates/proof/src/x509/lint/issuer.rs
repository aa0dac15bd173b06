//! Rules about a certificate and the one that signed it.

use super::{Case, Rule, Verdict, demand, rule};
use crate::x509::extension::KEY_CERT_SIGN;
use crate::x509::oid;

pub(super) const RULES: &[Rule] = &[
    rule("selo.aki.present", "RFC 5280 §4.2.1.1", present),
    rule("selo.aki.critical", "RFC 5280 §4.2.1.1", critical),
    rule("selo.aki.form", "spec pki §3", form),
    rule("selo.aki.equal", "RFC 5280 §4.2.1.1", equal),
    rule("selo.issuer.self", "RFC 5280 §3.2", itself),
    rule("selo.issuer.name", "RFC 5280 §6.1.3", name),
    rule("selo.issuer.is_ca", "RFC 5280 §6.1.4", is_ca),
    rule("selo.issuer.path_length", "RFC 5280 §4.2.1.9", path_length),
    rule("selo.issuer.algorithm", "RFC 5758 §3.2, spec pki §3", algorithm),
    rule("selo.issuer.validity", "spec pki §2", validity),
    rule("selo.issuer.constraints", "RFC 5280 §4.2.1.10", constraints),
    rule("selo.issuer.key", "spec pki §3", key),
];

fn present(case: &Case<'_>) -> Verdict {
    let there = case.certificate.extension(oid::AUTHORITY_KEY_ID).is_some();
    demand(there != case.kind.is_root(), || {
        if there { "a root names an issuer's key".into() } else { "the issuer's key is not named".into() }
    })
}

fn critical(case: &Case<'_>) -> Verdict {
    let critical =
        case.certificate.extension(oid::AUTHORITY_KEY_ID).is_some_and(|extension| extension.critical);
    demand(!critical, || "authorityKeyIdentifier is critical".into())
}

fn form(case: &Case<'_>) -> Verdict {
    let Some(found) = case.certificate.authority_key_id().map_err(|fault| fault.to_string())? else {
        return Ok(());
    };
    let named = found.key_id.is_some_and(|id| !id.is_empty());
    demand(named && !found.has_issuer, || "authorityKeyIdentifier is not a key identifier alone".into())
}

fn equal(case: &Case<'_>) -> Verdict {
    let Some(issuer) = case.issuer else { return Ok(()) };
    let found = case.certificate.authority_key_id().ok().flatten().and_then(|found| found.key_id);
    let expected = issuer.subject_key_id().ok().flatten();
    demand(case.kind.is_root() || found == expected, || "the issuer's key is another".into())
}

fn itself(case: &Case<'_>) -> Verdict {
    demand(case.kind.is_root() == case.certificate.is_self_issued(), || {
        "a root, and nothing else, names itself as its issuer".into()
    })
}

fn name(case: &Case<'_>) -> Verdict {
    let Some(issuer) = case.issuer else { return Ok(()) };
    demand(case.certificate.issuer == issuer.subject, || format!("the issuer is {}", issuer.subject))
}

fn is_ca(case: &Case<'_>) -> Verdict {
    let Some(issuer) = case.issuer else { return Ok(()) };
    let says_so = issuer.basic_constraints().ok().flatten().is_some_and(|basic| basic.ca);
    let may_sign = issuer.key_usage().ok().flatten().is_none_or(|usage| usage & KEY_CERT_SIGN != 0);
    demand(says_so && may_sign, || "the issuer may not sign certificates".into())
}

fn path_length(case: &Case<'_>) -> Verdict {
    let Some(issuer) = case.issuer.filter(|_| case.is_ca() && !case.kind.is_root()) else { return Ok(()) };
    let below = issuer.basic_constraints().ok().flatten().and_then(|basic| basic.path_length);
    let own = case.basic().and_then(|basic| basic.path_length);
    let fits = below.is_none_or(|below| own.is_some_and(|own| own < below));
    demand(fits, || "the issuer allows no CA at this depth".into())
}

fn algorithm(case: &Case<'_>) -> Verdict {
    let Some(Ok(key)) = case.issuer.map(|issuer| issuer.key()) else { return Ok(()) };
    let found = case.certificate.algorithm().map_err(|fault| fault.to_string())?;
    demand(found == key.issuing_algorithm(), || format!("the issuer's key signs otherwise than {found:?}"))
}

fn validity(case: &Case<'_>) -> Verdict {
    let Some(issuer) = case.issuer else { return Ok(()) };
    let (Ok(own), Ok(above)) = (case.certificate.validity(), issuer.validity()) else {
        return Err("a validity is malformed".into());
    };
    demand(above.not_before <= own.not_before && own.not_after <= above.not_after, || {
        "it begins before its issuer or outlives it".into()
    })
}

fn constraints(case: &Case<'_>) -> Verdict {
    let Some(issuer) = case.issuer else { return Ok(()) };
    let Some(constraints) = issuer.name_constraints().map_err(|fault| fault.to_string())? else {
        return Ok(());
    };
    for name in case.certificate.names().unwrap_or_default() {
        constraints.check(&name).map_err(|fault| fault.to_string())?;
    }
    Ok(())
}

fn key(case: &Case<'_>) -> Verdict {
    let Some(issuer) = case.issuer else { return Ok(()) };
    demand(case.kind.is_root() || issuer.spki != case.certificate.spki, || {
        "the key is the issuer's own".into()
    })
}
