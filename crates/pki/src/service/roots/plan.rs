//! What a root is asked to sign: the next authority's certificate and the next list, byte for byte, made durable before
//! they leave.

use std::time::Duration;

use base::{Call, Result, Time};
use keys::{Algorithm, PreparedKey, Purpose, Succession};
use proof::x509::{
    self, Attribute, Draft, Issuer, Name, Profile, Serial, Validity,
    crl::{CrlDraft, Entry, Scope},
};
use store::Tx;

use super::{Hierarchy, Plan, RootOrder, Withdrawn, wrong};
use crate::{
    error,
    model::{Authority, Certificate, TenantId, moment},
    repo::{self, RequestRow},
    request::subject_key,
    service::{Pki, authority::NewAuthority, ceremony::ROOT_LIST_S, issue::BACKDATE_S, parsed, refuse},
};

/// Entries of a root's list.
const ROOT_ENTRIES_MAX: usize = 10_000;

impl Pki {
    pub(super) async fn prepare_issuing_key(&self, tenant: TenantId, on_token: bool) -> Result<PreparedKey> {
        let (purpose, algorithm) = (Purpose::CaIssuing, Algorithm::P256);
        if on_token {
            self.keys.prepare_on_token(tenant, purpose, algorithm, &self.house).await
        } else {
            self.keys.prepare_signing(tenant, purpose, algorithm, &self.house)
        }
    }

    /// Draws the next issuing authority: constraints, policies and organisation of the last one, a number more.
    pub(super) async fn draw_issuing(
        &self,
        call: &Call,
        hierarchy: &Hierarchy,
        prepared: &PreparedKey,
    ) -> Result<(Certificate, NewAuthority)> {
        let root = &hierarchy.root;
        let last = hierarchy.below.last().ok_or_else(|| error::AUTHORITY_NONE.error())?;
        let (above, before) = (parsed(&root.der)?, parsed(&last.der)?);
        let issuer = Issuer::from_certificate(&above).map_err(|e| base::error::INTERNAL.because(e))?;
        let constraints = before.name_constraints().map_err(|e| base::error::INTERNAL.because(e))?;
        // Whoever issues under a policy asserts what its authority names: a successor names the same.
        let policies = before.policies().map_err(|e| base::error::INTERNAL.because(e))?;
        let subject = next_name(&before.subject, hierarchy.below.len() + 1)?;
        let key = subject_key(&prepared.info.public)?;
        let now = self.house.now();
        let not_before = moment(now)?.after(-BACKDATE_S).ok_or_else(|| error::MOMENT.error())?;
        // An authority lasts no longer than its root.
        let left = issuer.validity.not_after.seconds() - not_before.seconds() + 1;
        let validity = Validity::lasting(not_before, Profile::Issuing.shape().lifetime_s_max.min(left))
            .ok_or_else(|| wrong("the root has ended"))?;
        let pointers = self.below(&root.handle)?;
        let serial = Serial::from_random(self.house.chance.bytes());
        let draft = Draft {
            profile: Profile::Issuing,
            serial,
            validity,
            subject: &subject,
            names: &[],
            key: &key,
            pointers: &pointers,
            policies: &policies,
            own_usage: None,
            constraints: constraints.as_ref(),
            must_staple: false,
        };
        let tbs = draft.tbs(&issuer).map_err(|e| wrong(&e.to_string()))?;
        refuse(&self.lint(&tbs, issuer.algorithm, Profile::Issuing, Some(&above)).await?)?;
        let part = NewAuthority::new(&self.house);
        let origin = part.origin(root.tenant, root.id, &call.actor.id, now);
        let certificate = Certificate::planned(&draft, tbs, origin);
        Ok((certificate, part))
    }

    /// One transaction: the request with its bytes, the planned certificate, the new key, the number of the list.
    pub(super) async fn plan_request(
        &self,
        call: &Call,
        hierarchy: &Hierarchy,
        order: &RootOrder,
        reason: String,
        issuing: Option<(Certificate, NewAuthority, PreparedKey)>,
        withdrawn: Vec<Withdrawn>,
    ) -> Result<RequestRow> {
        let tenant = hierarchy.root.tenant;
        let (call, keys, house) = (call.for_tenant(tenant), self.keys.clone(), self.house.clone());
        let (root, now) = (hierarchy.root.clone(), self.house.now());
        let wants_list = order.list || !withdrawn.is_empty();
        let (certificate, part, prepared) = match issuing {
            Some((certificate, part, prepared)) => (Some(certificate), Some(part), Some(prepared)),
            None => (None, None, None),
        };
        let request = RequestRow {
            tenant,
            id: self.house.id(),
            environment: root.environment.clone(),
            root: root.id,
            state: "planned".to_owned(),
            reason,
            plan: String::new(),
            issuing_tbs: certificate.as_ref().map(|certificate| certificate.tbs.clone()),
            crl_tbs: None,
            key: prepared.as_ref().map(|prepared| prepared.info.id),
            asked_by: call.actor.id.clone(),
            planned_at: now,
            ended_at: None,
        };
        self.house
            .db
            .tenant(tenant.uuid())
            .write("pki.ask_root", move |tx| {
                let mut row = request.clone();
                let mut plan = Plan { issuing: part.clone(), number: None, revoke: withdrawn.clone() };
                if wants_list {
                    let number = repo::take_number(tx, tenant, root.id, 0)?;
                    row.crl_tbs = Some(root_list(tx, &root, number, &withdrawn, now)?);
                    plan.number = Some(number);
                }
                row.plan = serde_json::to_string(&plan).map_err(|e| base::error::INTERNAL.because(e))?;
                if !repo::insert_request(tx, &row)? {
                    return Err(error::REQUEST_OPEN.error());
                }
                if let (Some(certificate), Some(prepared)) = (&certificate, &prepared) {
                    repo::insert_planned(tx, certificate)?;
                    keys.install_signing(tx, &call, prepared, Succession::Beside, &house)?;
                }
                Ok(row)
            })
            .await
    }
}

/// The next name of an issuing authority: that of the last one with its number, or with a number added.
fn next_name(before: &Name, number: usize) -> Result<Name> {
    let common = before.common_name().unwrap_or_default();
    let stem = match common.rsplit_once(' ') {
        Some((stem, last)) if last.bytes().all(|byte| byte.is_ascii_digit()) => stem,
        _ => common,
    };
    let common = format!("{stem} {number}");
    let value = |kind| before.values(kind).next().map(str::to_owned);
    let kept = [
        (Attribute::Country, value(x509::oid::COUNTRY)),
        (Attribute::Organization, value(x509::oid::ORGANIZATION)),
    ];
    let mut parts: Vec<(Attribute, &str)> =
        kept.iter().filter_map(|(kind, text)| Some((*kind, text.as_deref()?))).collect();
    parts.push((Attribute::CommonName, &common));
    Name::new(&parts).map_err(|e| wrong(&e.to_string()))
}

/// The bytes of a root's next list: what its table says, and those who are to be withdrawn.
fn root_list(
    tx: &mut Tx<'_>,
    root: &Authority,
    number: i64,
    withdrawn: &[Withdrawn],
    now: Time,
) -> Result<Vec<u8>> {
    let mut entries: Vec<Entry> = Vec::new();
    // One that has ended stays for one list more.
    let ended_after = now.minus(Duration::from_secs(ROOT_LIST_S.unsigned_abs()));
    repo::revoked(tx, root.tenant, root.id, 0, ended_after, |serial, at, reason, since| {
        let invalid_since = since.map(moment).transpose()?;
        entries.push(Entry { serial, revoked_at: moment(at)?, reason, invalid_since });
        if entries.len() > ROOT_ENTRIES_MAX { Err(wrong("its list would be too long")) } else { Ok(()) }
    })?;
    for one in withdrawn {
        let certificate = repo::by_id(tx, root.tenant, one.certificate)?
            .ok_or_else(|| error::AUTHORITY_UNKNOWN.error().with("id", one.certificate))?;
        entries.push(Entry {
            serial: certificate.serial,
            revoked_at: moment(one.at)?,
            reason: one.reason(),
            invalid_since: None,
        });
    }
    let certificate = parsed(&root.der)?;
    let issuer = Issuer::from_certificate(&certificate).map_err(|e| base::error::INTERNAL.because(e))?;
    let this_update = moment(now)?;
    let next_update = this_update.after(ROOT_LIST_S).ok_or_else(|| error::MOMENT.error())?;
    CrlDraft {
        issuer: &issuer,
        number: u64::try_from(number).map_err(|e| base::error::INTERNAL.because(e))?,
        this_update,
        next_update,
        scope: Scope::Everything,
        freshest: None,
        delta_base: None,
    }
    .tbs(entries)
    .map_err(|e| base::error::INTERNAL.because(e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_authority_has_the_next_number_and_the_same_organisation() {
        let parts = [
            (Attribute::Country, "PT"),
            (Attribute::Organization, "Universidade"),
            (Attribute::CommonName, "Universidade prod Issuing 1"),
        ];
        let next = next_name(&Name::new(&parts).unwrap(), 2).unwrap();
        assert_eq!(next.to_string(), "C=PT, O=Universidade, CN=Universidade prod Issuing 2");
        let named = Name::new(&[(Attribute::CommonName, "Emissora")]).unwrap();
        assert_eq!(next_name(&named, 3).unwrap().common_name(), Some("Emissora 3"));
    }
}
