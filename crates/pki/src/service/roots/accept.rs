//! What a root answered: the planned bytes under its signature, and everything that follows from them in one transaction.

use base::{
    Call, Id, Result, Time,
    id::kind::{Event, RootRequest as RequestKind, SigningKey},
};
use events::{Fact, Record};
use proof::{
    crypto::sha256,
    x509::{
        self, Profile,
        crl::{Crl, Reason},
        lint,
    },
};
use serde_json::json;
use store::Tx;

use super::{Accepted, Plan, Withdrawn, wrong};
use crate::{
    error,
    exchange::{PartKind, RootResponse},
    facts,
    model::{Authority, AuthorityId, AuthorityKind, AuthorityState, Certificate, State, TenantId, time},
    repo::{self, ListRow, RequestRow},
    service::{
        Pki,
        authority::{NewAuthority, created_fact},
        issue::issued_fact,
        parsed,
        revoke::revoked_fact,
    },
};

impl Pki {
    /// Takes a root's answer in: it must be the planned bytes under the root's signature. The new authority issues from
    /// then on, those it follows are retired, those on the list are revoked; one transaction.
    ///
    /// # Errors
    /// `PKI_EXCHANGE_UNREADABLE`, `PKI_ROOT_REQUEST_GONE`, `PKI_SIGNATURE_WRONG`; the store's.
    pub async fn accept_root(
        &self,
        call: &Call,
        tenant: TenantId,
        response: &RootResponse,
    ) -> Result<Accepted> {
        let signed = response.open()?;
        let id = response.id.parse::<Id<RequestKind>>().map_err(|_| error::REQUEST_GONE.error())?;
        let row = self.open_request(tenant, id).await?;
        let plan: Plan = serde_json::from_str(&row.plan).map_err(|e| base::error::INTERNAL.because(e))?;
        let all = self.authorities(tenant).await?;
        let root =
            all.iter().find(|one| one.id == row.root).cloned().ok_or_else(|| error::ROOT_NONE.error())?;
        let [issuing, list] = planned_bytes_signed(&row, &root, signed)?;
        let now = self.house.now();
        let made = match (&plan.issuing, issuing, row.key) {
            (Some(part), Some(der), Some(key)) => Some(self.new_authority(&row, part, key, der, now).await?),
            _ => None,
        };
        let list = match (list, plan.number) {
            (Some(der), Some(number)) => Some(list_row(der, number)?),
            _ => None,
        };
        self.take_in(call, row, plan, all, made, list, now).await
    }

    async fn new_authority(
        &self,
        row: &RequestRow,
        part: &NewAuthority,
        key: Id<SigningKey>,
        der: Vec<u8>,
        now: Time,
    ) -> Result<(Certificate, Authority)> {
        let (tenant, id) = (row.tenant, part.certificate);
        let mut certificate = self
            .house
            .db
            .tenant(tenant.uuid())
            .read("pki.by_id", move |rx| repo::by_id(rx, tenant, id))
            .await?
            .ok_or_else(|| error::REQUEST_GONE.error())?;
        certificate.der = Some(der.clone());
        let authority = Authority {
            tenant,
            id: part.authority,
            environment: row.environment.clone(),
            kind: AuthorityKind::Issuing,
            handle: part.handle.clone(),
            name: certificate.subject.clone(),
            certificate: certificate.id,
            der,
            spki_sha256: certificate.spki_sha256,
            key: Some(key),
            parent: Some(row.root),
            state: AuthorityState::Active,
            shards: self.settings.shards,
            not_before: certificate.not_before,
            not_after: certificate.not_after,
            created_at: now,
        };
        Ok((certificate, authority))
    }

    #[expect(clippy::too_many_arguments, reason = "everything that one transaction makes true")]
    async fn take_in(
        &self,
        call: &Call,
        row: RequestRow,
        plan: Plan,
        all: Vec<Authority>,
        made: Option<(Certificate, Authority)>,
        list: Option<ListRow>,
        now: Time,
    ) -> Result<Accepted> {
        let tenant = row.tenant;
        let call = call.for_tenant(tenant);
        // Facts have their ids before the closure: three for each authority that there is, and three for what is new.
        let events: Vec<Id<Event>> = (0..3 * (all.len() + 1)).map(|_| self.house.id()).collect();
        let accepted = self
            .house
            .db
            .tenant(tenant.uuid())
            .write("pki.accept_root", move |tx| {
                let mut ids = events.iter().copied();
                let mut id = || ids.next().ok_or_else(|| base::error::INTERNAL.error());
                if !repo::end_request(tx, tenant, row.id, "accepted", now)? {
                    return Err(error::REQUEST_GONE.error());
                }
                let mut accepted = Accepted::default();
                if let Some(list) = &list {
                    repo::save_list(tx, tenant, row.root, 0, list)?;
                    tx.record(&call, &list_fact(tenant, row.root, list, id()?, now))?;
                    accepted.list = list.der.clone();
                }
                for withdrawn in &plan.revoke {
                    let (revoked, name) = (withdraw(tx, tenant, withdrawn)?, withdrawn.authority);
                    tx.record(&call, &revoked_fact(&revoked, false, id()?, now))?;
                    if let Some(authority) = name {
                        let fact = withdrawn_fact(authority, &revoked, plan.number, id()?, now);
                        tx.record(&call, &fact)?;
                    }
                    accepted.revoked.push(name.map_or_else(|| revoked.id.to_string(), |id| id.to_string()));
                }
                if let Some((certificate, authority)) = &made {
                    for before in all.iter().filter(|one| one.parent == Some(row.root)) {
                        let (active, retired) = (AuthorityState::Active, AuthorityState::Retired);
                        if !repo::move_authority(tx, tenant, before.id, active, retired)? {
                            continue;
                        }
                        let payload = json!({"authority": before.id, "successor": authority.id});
                        let fact = Fact::new(&facts::AUTHORITY_RETIRED, id()?, now, before.id, payload);
                        tx.record(&call, &fact.of(tenant))?;
                        accepted.retired.push(before.id);
                    }
                    insert_new(tx, certificate, authority, now)?;
                    tx.record(&call, &issued_fact(certificate, id()?, now, &authority.der))?;
                    tx.record(&call, &created_fact(authority, id()?, now))?;
                    accepted.issuing = Some(authority.clone());
                }
                Ok(accepted)
            })
            .await?;
        if accepted.issuing.is_some() {
            self.figures.issued(Profile::Issuing);
        }
        Ok(accepted)
    }
}

/// Compares an answer with what was planned, byte for byte, and checks every signature: the certificate, the list.
fn planned_bytes_signed(
    row: &RequestRow,
    root: &Authority,
    signed: Vec<(PartKind, Vec<u8>)>,
) -> Result<[Option<Vec<u8>>; 2]> {
    let above = parsed(&root.der)?;
    let key = above.key().map_err(|e| base::error::INTERNAL.because(e))?;
    let (mut issuing, mut list) = (None, None);
    for (kind, der) in signed {
        let (field, planned, slot) = match kind {
            PartKind::Issuing => ("issuing", &row.issuing_tbs, &mut issuing),
            PartKind::Crl => ("crl", &row.crl_tbs, &mut list),
        };
        let bad = || error::SIGNATURE.at(field);
        let planned = planned.as_deref().ok_or_else(bad)?;
        let holds = match kind {
            PartKind::Issuing => {
                let read = x509::Certificate::parse(&der).map_err(|_| bad())?;
                let clean = !lint::refuses(&lint::certificate(&der, Profile::Issuing, Some(&above)));
                read.tbs == planned && read.verify(&key).is_ok() && clean
            }
            PartKind::Crl => {
                let read = Crl::parse(&der).map_err(|_| bad())?;
                read.tbs == planned && read.verify(&key).is_ok() && !lint::refuses(&lint::crl(&der, &above))
            }
        };
        if !holds || slot.is_some() {
            return Err(bad());
        }
        *slot = Some(der);
    }
    for (field, planned, found) in [("issuing", &row.issuing_tbs, &issuing), ("crl", &row.crl_tbs, &list)] {
        if planned.is_some() != found.is_some() {
            return Err(error::SIGNATURE.at(field));
        }
    }
    Ok([issuing, list])
}

fn list_row(der: Vec<u8>, number: i64) -> Result<ListRow> {
    let read = Crl::parse(&der).map_err(|e| base::error::INTERNAL.because(e))?;
    let (this_update, next_update) = (time(read.this_update), read.next_update.map(time));
    Ok(ListRow {
        version: 0,
        signed_version: 0,
        number,
        this_update: Some(this_update),
        next_update,
        der: Some(der),
    })
}

/// Withdraws an authority and its certificate, as this transaction finds them.
fn withdraw(tx: &mut Tx<'_>, tenant: TenantId, withdrawn: &Withdrawn) -> Result<Certificate> {
    let gone = || wrong("an authority is revoked already");
    if let Some(id) = withdrawn.authority {
        let before = repo::authority_by_id(tx, tenant, id)?.ok_or_else(gone)?.state;
        let to = AuthorityState::Revoked;
        if before == to || !repo::move_authority(tx, tenant, id, before, to)? {
            return Err(gone());
        }
    }
    let mut certificate = repo::by_id(tx, tenant, withdrawn.certificate)?.ok_or_else(gone)?;
    certificate.state = State::Revoked;
    certificate.revoked_at = Some(withdrawn.at);
    certificate.reason = Some(withdrawn.reason());
    if repo::revoke(tx, &certificate)? { Ok(certificate) } else { Err(gone()) }
}

fn withdrawn_fact(
    authority: AuthorityId,
    certificate: &Certificate,
    number: Option<i64>,
    id: Id<Event>,
    now: Time,
) -> Fact {
    let payload = json!({
        "authority": authority, "certificate": certificate.id, "serial": certificate.serial.to_string(),
        "reason": i64::from(certificate.reason.unwrap_or(Reason::Unspecified).code()),
        "number": number.unwrap_or_default(),
    });
    Fact::new(&facts::AUTHORITY_REVOKED, id, now, authority, payload).of(certificate.tenant)
}

fn insert_new(tx: &mut Tx<'_>, certificate: &Certificate, authority: &Authority, now: Time) -> Result<()> {
    let tenant = certificate.tenant;
    if !repo::finish(tx, tenant, certificate.id, &authority.der, now)? {
        return Err(error::REQUEST_GONE.error());
    }
    repo::insert_authority(tx, authority)?;
    repo::bar(tx, tenant, &authority.spki_sha256, "authority", now)?;
    (0..authority.shards).try_for_each(|shard| repo::insert_list(tx, tenant, authority.id, shard))
}

fn list_fact(tenant: TenantId, root: AuthorityId, list: &ListRow, id: Id<Event>, now: Time) -> Fact {
    let payload = json!({
        "authority": root, "number": list.number, "nextUpdate": list.next_update.unwrap_or(now),
    });
    Fact::new(&facts::AUTHORITY_LIST_SIGNED, id, now, root, payload)
        .of(tenant)
        .fixing("x509-crl", sha256(list.der.as_deref().unwrap_or_default()))
}
