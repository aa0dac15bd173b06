//! Rules about what a key may be used for, and about where revocation is found.

use super::{Case, Rule, Verdict, demand, rule};
use crate::crypto::SubjectKey;
use crate::x509::extension::{CRL_SIGN, DATA_ENCIPHERMENT, KEY_CERT_SIGN, KEY_ENCIPHERMENT};
use crate::x509::{Oid, Uri, oid};

pub(super) const RULES: &[Rule] = &[
    rule("selo.basic.ca", "RFC 5280 §4.2.1.9", basic_in_ca),
    rule("selo.basic.critical", "RFC 5280 §4.2.1.9", basic_critical),
    rule("selo.basic.leaf", "RFC 5280 §4.2.1.9", basic_in_leaf),
    rule("selo.ku.present", "RFC 5280 §4.2.1.3", usage_present),
    rule("selo.ku.critical", "RFC 5280 §4.2.1.3", usage_critical),
    rule("selo.ku.ca", "RFC 5280 §4.2.1.3", usage_of_ca),
    rule("selo.ku.leaf", "RFC 5280 §4.2.1.3", usage_of_leaf),
    rule("selo.ku.key", "RFC 8813 §3, RFC 8410 §5", usage_fits_key),
    rule("selo.eku.present", "CA/B BR §7.1.2.7.10", extended_present),
    rule("selo.eku.root", "CA/B BR §7.1.2.1.2", extended_in_root),
    rule("selo.eku.critical", "CA/B BR §7.1.2.7.10", extended_critical),
    rule("selo.eku.any", "CA/B BR §7.1.2.7.10", extended_any),
    rule("selo.eku.form", "RFC 5280 §4.2.1.12", extended_form),
    rule("selo.aia.critical", "RFC 5280 §4.2.2.1", access_critical),
    rule("selo.aia.form", "RFC 5280 §4.2.2.1", access_form),
    rule("selo.crldp.form", "RFC 5280 §4.2.1.13", lists_form),
    rule("selo.revocation.none", "RFC 9608 §2", no_revocation),
    rule("selo.policies.form", "RFC 5280 §4.2.1.4", policies),
    rule("selo.extensions.not_critical", "RFC 5280 §4.2, RFC 6960 §4.2.2.2.1, RFC 7633 §4", not_critical),
];

fn basic_in_ca(case: &Case<'_>) -> Verdict {
    demand(!case.is_ca() || case.basic().is_some_and(|basic| basic.ca), || {
        "a CA does not say that it is one".into()
    })
}

fn basic_critical(case: &Case<'_>) -> Verdict {
    let extension = case.certificate.extension(oid::BASIC_CONSTRAINTS);
    demand(extension.is_none_or(|extension| extension.critical), || {
        "basicConstraints are not critical".into()
    })
}

fn basic_in_leaf(case: &Case<'_>) -> Verdict {
    let basic = case.certificate.basic_constraints().map_err(|fault| fault.to_string())?;
    let plain = basic.is_none_or(|basic| !basic.ca && basic.path_length.is_none());
    demand(case.is_ca() || plain, || "an end entity says that it is a CA".into())
}

fn usage_present(case: &Case<'_>) -> Verdict {
    let usage = case.certificate.key_usage().map_err(|fault| fault.to_string())?;
    demand(usage.is_some_and(|usage| usage != 0), || "there is no keyUsage".into())
}

fn usage_critical(case: &Case<'_>) -> Verdict {
    let extension = case.certificate.extension(oid::KEY_USAGE);
    demand(extension.is_none_or(|extension| extension.critical), || "keyUsage is not critical".into())
}

fn usage(case: &Case<'_>) -> u16 {
    case.certificate.key_usage().ok().flatten().unwrap_or(0)
}

fn usage_of_ca(case: &Case<'_>) -> Verdict {
    let both = KEY_CERT_SIGN | CRL_SIGN;
    demand(!case.is_ca() || usage(case) & both == both, || "a CA may not sign certificates or CRLs".into())
}

fn usage_of_leaf(case: &Case<'_>) -> Verdict {
    let either = KEY_CERT_SIGN | CRL_SIGN;
    demand(case.is_ca() || usage(case) & either == 0, || "an end entity may sign certificates or CRLs".into())
}

fn usage_fits_key(case: &Case<'_>) -> Verdict {
    let Ok(key) = case.certificate.key() else { return Ok(()) };
    let is_rsa = matches!(key, SubjectKey::Rsa(_));
    demand(is_rsa || usage(case) & (KEY_ENCIPHERMENT | DATA_ENCIPHERMENT) == 0, || {
        "a key that cannot encrypt has an encrypting usage".into()
    })
}

fn extended(case: &Case<'_>) -> Vec<Oid> {
    case.certificate.extended_key_usage().unwrap_or_default()
}

fn extended_present(case: &Case<'_>) -> Verdict {
    demand(case.is_ca() || !extended(case).is_empty(), || "an end entity has no extended key usage".into())
}

fn extended_in_root(case: &Case<'_>) -> Verdict {
    let there = case.certificate.extension(oid::EXTENDED_KEY_USAGE).is_some();
    demand(!(case.kind.is_root() && there), || "a root has an extended key usage".into())
}

fn extended_critical(case: &Case<'_>) -> Verdict {
    let extension = case.certificate.extension(oid::EXTENDED_KEY_USAGE);
    let time_stamping = extended(case) == [oid::TIME_STAMPING];
    demand(extension.is_none_or(|extension| extension.critical == time_stamping), || {
        "extended key usage is critical exactly for time stamping".into()
    })
}

fn extended_any(case: &Case<'_>) -> Verdict {
    demand(!extended(case).contains(&oid::ANY_EXTENDED_KEY_USAGE), || {
        "any extended key usage is allowed".into()
    })
}

fn extended_form(case: &Case<'_>) -> Verdict {
    let usages = case.certificate.extended_key_usage().map_err(|fault| fault.to_string())?;
    let twice =
        usages.iter().enumerate().any(|(at, usage)| usages.iter().take(at).any(|earlier| earlier == usage));
    demand(!twice, || "an extended key usage stands twice".into())
}

fn access_critical(case: &Case<'_>) -> Verdict {
    let extension = case.certificate.extension(oid::AUTHORITY_INFO_ACCESS);
    demand(extension.is_none_or(|extension| !extension.critical), || "authorityInfoAccess is critical".into())
}

fn access_form(case: &Case<'_>) -> Verdict {
    for (_, address) in case.certificate.access().map_err(|fault| fault.to_string())? {
        Uri::parse_http(address).map_err(|fault| format!("{address}: {fault}"))?;
    }
    Ok(())
}

fn lists_form(case: &Case<'_>) -> Verdict {
    let there = case.certificate.extension(oid::CRL_DISTRIBUTION_POINTS);
    demand(there.is_none_or(|extension| !extension.critical), || {
        "cRLDistributionPoints are critical".into()
    })?;
    let addresses = case.certificate.crl_addresses().map_err(|fault| fault.to_string())?;
    demand(there.is_none() || !addresses.is_empty(), || "a distribution point has no address".into())?;
    for address in addresses {
        Uri::parse_http(address).map_err(|fault| format!("{address}: {fault}"))?;
    }
    Ok(())
}

fn no_revocation(case: &Case<'_>) -> Verdict {
    if case.certificate.extension(oid::NO_REV_AVAIL).is_none() {
        return Ok(());
    }
    let answers =
        case.certificate.access().unwrap_or_default().iter().any(|(method, _)| *method == oid::ACCESS_OCSP);
    let lists = [oid::CRL_DISTRIBUTION_POINTS, oid::FRESHEST_CRL];
    let lists = lists.into_iter().any(|kind| case.certificate.extension(kind).is_some());
    demand(!answers && !lists && !case.is_ca(), || {
        "noRevAvail stands beside a place to ask, or in a CA".into()
    })
}

fn policies(case: &Case<'_>) -> Verdict {
    let policies = case.certificate.policies().map_err(|fault| fault.to_string())?;
    let twice = policies
        .iter()
        .enumerate()
        .any(|(at, policy)| policies.iter().take(at).any(|earlier| earlier == policy));
    demand(!twice, || "a policy stands twice".into())
}

fn not_critical(case: &Case<'_>) -> Verdict {
    let never = [
        oid::NO_REV_AVAIL,
        oid::OCSP_NO_CHECK,
        oid::TLS_FEATURE,
        oid::FRESHEST_CRL,
        oid::CERTIFICATE_POLICIES,
    ];
    let mut critical =
        case.certificate.extensions.iter().filter(|one| one.critical && never.contains(&one.oid));
    critical.next().map_or(Ok(()), |extension| Err(format!("{} is critical", extension.oid)))
}
