//! What the house asks of its offline root after the ceremony: the next issuing authority, the next revocation list,
//! the end of an authority.
//!
//! The bytes are planned and durable before they leave in a file; what comes back must be those bytes under the root's
//! signature, and then everything that follows from them happens in one transaction. A root has one open request at a
//! time, so its lists follow one another.
//! Never here: a root's key; an authority that issues before its certificate was checked.

use std::time::Duration;

use base::{
    Call, Error, Id, Page, PageToken, Result, Time,
    id::kind::{Event, RootRequest as RequestKind},
};
use events::{Fact, Record};
use keys::{Algorithm, PreparedKey, Purpose, Succession};
use proof::{
    crypto::sha256,
    x509::{
        self, Attribute, Draft, Issuer, Name, Pointers, Profile, Serial, Validity,
        crl::{Crl, CrlDraft, Entry, Reason, Scope},
        lint,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Pki,
    ceremony::ROOT_LIST_S,
    issue::{BACKDATE_S, abandoned_fact, issued_fact},
    parsed, refuse,
    revoke::revoked_fact,
};
use crate::{
    error,
    exchange::{PartKind, RootRequest, RootResponse},
    facts,
    model::{
        Authority, AuthorityId, AuthorityKind, AuthorityState, Certificate, CertificateId, State, TenantId,
        moment, renew_at, time,
    },
    repo::{self, ListRow, RequestRow},
    request::subject_key,
};

/// Characters of the reason of a request.
const REASON_CHARACTERS_MAX: usize = 200;
/// Authorities that one request withdraws.
const REVOKED_MAX: usize = 16;
/// Entries of a root's list.
const ROOT_ENTRIES_MAX: usize = 10_000;

/// What is asked of a root.
#[derive(Debug, Clone, Default)]
pub struct RootOrder {
    /// The environment; the only one when none is named.
    pub environment: Option<String>,
    /// The root; the one of the environment that is in use when none is named.
    pub root: Option<AuthorityId>,
    /// The next issuing authority, in place of the one that issues now.
    pub issuing: bool,
    /// The next revocation list; always when an authority is withdrawn.
    pub list: bool,
    /// Authorities to be withdrawn, each with its reason.
    pub revoke: Vec<(AuthorityId, Reason)>,
    /// Whether the key of a new authority is made on the token; as the settings say when nobody does.
    pub on_token: Option<bool>,
    /// Why, in words, for whoever holds the root's shares.
    pub reason: String,
}

/// A request to a root.
#[derive(Debug, Clone)]
pub struct Requested {
    /// Its id.
    pub id: Id<RequestKind>,
    /// `planned`, `accepted`, `abandoned`.
    pub state: String,
    /// Who asked.
    pub asked_by: String,
    /// When it was answered or given up.
    pub ended_at: Option<Time>,
    /// The file.
    pub file: RootRequest,
}

/// What a root's answer made.
#[derive(Debug, Clone, Default)]
pub struct Accepted {
    /// The new authority.
    pub issuing: Option<Authority>,
    /// The root's new list: DER.
    pub list: Option<Vec<u8>>,
    /// Authorities that issue no more and still answer.
    pub retired: Vec<AuthorityId>,
    /// Authorities that were withdrawn.
    pub revoked: Vec<AuthorityId>,
}

/// What is kept between plan and answer, beside the bytes.
#[derive(Clone, Serialize, Deserialize)]
struct Plan {
    issuing: Option<NewAuthority>,
    number: Option<i64>,
    revoke: Vec<Withdrawn>,
}

#[derive(Clone, Serialize, Deserialize)]
struct NewAuthority {
    authority: AuthorityId,
    handle: String,
    certificate: CertificateId,
}

#[derive(Clone, Serialize, Deserialize)]
struct Withdrawn {
    authority: AuthorityId,
    certificate: CertificateId,
    reason: u8,
    at: Time,
}

impl Withdrawn {
    fn reason(&self) -> Reason {
        Reason::from_code(self.reason).unwrap_or(Reason::Unspecified)
    }
}

/// A hierarchy as it stands: its root, and those below it.
struct Hierarchy {
    root: Authority,
    below: Vec<Authority>,
}

fn wrong(reason: &str) -> Error {
    error::ROOT_ORDER.error().with("reason", reason)
}

impl Pki {
    /// Plans what a root is asked for; the file goes to whoever holds its shares.
    ///
    /// # Errors
    /// `PKI_ROOT_ORDER_INVALID`, `PKI_ROOT_NOT_FOUND`, `PKI_ENVIRONMENT_NEEDED`, `PKI_AUTHORITY_UNKNOWN`,
    /// `PKI_ROOT_REQUEST_OPEN`, `PKI_LINT`; the token's; the store's.
    pub async fn ask_root(&self, call: &Call, tenant: TenantId, order: RootOrder) -> Result<Requested> {
        let reason = order.reason.trim().to_owned();
        if reason.chars().count() > REASON_CHARACTERS_MAX || reason.chars().any(char::is_control) {
            return Err(wrong("a reason has at most 200 characters and no control characters"));
        }
        if !order.issuing && !order.list && order.revoke.is_empty() {
            return Err(wrong("nothing is asked for"));
        }
        let hierarchy = self.hierarchy(tenant, &order).await?;
        let withdrawn = self.withdrawn(&hierarchy, &order)?;
        let issuing = if order.issuing {
            let on_token = order.on_token.unwrap_or(self.settings.on_token);
            let prepared = self.prepare_issuing_key(tenant, on_token).await?;
            match self.draw_issuing(call, &hierarchy, &prepared).await {
                Ok((certificate, part)) => Some((certificate, part, prepared)),
                Err(failure) => {
                    self.keys.discard(prepared).await?;
                    return Err(failure);
                }
            }
        } else {
            None
        };
        let prepared = issuing.as_ref().map(|(_, _, prepared)| prepared.clone());
        let planned = self.plan_request(call, &hierarchy, &order, reason, issuing, withdrawn).await;
        match (planned, prepared) {
            (Ok(row), _) => requested(row, &hierarchy.root),
            (Err(failure), prepared) => {
                if let Some(prepared) = prepared {
                    self.keys.discard(prepared).await?;
                }
                Err(failure)
            }
        }
    }

    async fn hierarchy(&self, tenant: TenantId, order: &RootOrder) -> Result<Hierarchy> {
        let all = self.authorities(tenant).await?;
        let named = order.environment.clone().filter(|name| !name.is_empty());
        // Whoever withdraws an authority asks the root that signed it, also one that was followed by another.
        let parent = match order.revoke.first() {
            None => order.root,
            Some((id, _)) => {
                let found = all.iter().find(|one| one.id == *id).and_then(|one| one.parent);
                Some(found.ok_or_else(|| error::AUTHORITY_UNKNOWN.error().with("id", id))?)
            }
        };
        let mut roots: Vec<Authority> = all
            .iter()
            .filter(|one| one.kind == AuthorityKind::Root)
            .filter(|one| match parent {
                Some(parent) => one.id == parent,
                None => one.state == AuthorityState::Active,
            })
            .filter(|one| named.as_ref().is_none_or(|name| one.environment == *name))
            .cloned()
            .collect();
        if roots.len() > 1 {
            let known: Vec<&str> = roots.iter().map(|one| one.environment.as_str()).collect();
            return Err(error::AUTHORITY_NEEDED.at("environment").with("known", known.join(", ")));
        }
        let root = roots.pop().ok_or_else(|| error::ROOT_NONE.error())?;
        if order.issuing && root.state != AuthorityState::Active {
            return Err(wrong("another root took its place, and that one is asked for authorities"));
        }
        let below = all.into_iter().filter(|one| one.parent == Some(root.id)).collect();
        Ok(Hierarchy { root, below })
    }

    fn withdrawn(&self, hierarchy: &Hierarchy, order: &RootOrder) -> Result<Vec<Withdrawn>> {
        if order.revoke.len() > REVOKED_MAX {
            return Err(wrong("too many authorities at once"));
        }
        let at = self.house.now().whole_second();
        let mut found: Vec<Withdrawn> = Vec::new();
        for (id, reason) in &order.revoke {
            let authority = hierarchy
                .below
                .iter()
                .find(|one| one.id == *id)
                .ok_or_else(|| error::AUTHORITY_UNKNOWN.error().with("id", id))?;
            if authority.state == AuthorityState::Revoked || found.iter().any(|one| one.authority == *id) {
                return Err(wrong("an authority is revoked already, or named twice"));
            }
            found.push(Withdrawn {
                authority: *id,
                certificate: authority.certificate,
                reason: reason.code(),
                at,
            });
        }
        Ok(found)
    }

    async fn prepare_issuing_key(&self, tenant: TenantId, on_token: bool) -> Result<PreparedKey> {
        let (purpose, algorithm) = (Purpose::CaIssuing, Algorithm::P256);
        if on_token {
            self.keys.prepare_on_token(tenant, purpose, algorithm, &self.house).await
        } else {
            self.keys.prepare_signing(tenant, purpose, algorithm, &self.house)
        }
    }

    /// Draws the next issuing authority: the constraints and the organisation of the last one, a number more.
    async fn draw_issuing(
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
        let subject = next_name(&before.subject, hierarchy.below.len() + 1)?;
        let key = subject_key(&prepared.info.public)?;
        let now = self.house.now();
        let not_before = moment(now)?.after(-BACKDATE_S).ok_or_else(|| error::MOMENT.error())?;
        // An authority lasts no longer than its root.
        let left = issuer.validity.not_after.seconds() - not_before.seconds() + 1;
        let validity = Validity::lasting(not_before, Profile::Issuing.shape().lifetime_s_max.min(left))
            .ok_or_else(|| wrong("the root has ended"))?;
        let pointers = Pointers {
            crl: Some(self.address(&format!("crl/{}.crl", root.handle))?),
            ocsp: None,
            issuer: Some(self.address(&format!("ca/{}.cer", root.handle))?),
        };
        let serial = Serial::from_random(self.house.chance.bytes());
        let draft = Draft {
            profile: Profile::Issuing,
            serial,
            validity,
            subject: &subject,
            names: &[],
            key: &key,
            pointers: &pointers,
            policies: &[],
            own_usage: None,
            constraints: constraints.as_ref(),
            must_staple: false,
        };
        let tbs = draft.tbs(&issuer).map_err(|e| wrong(&e.to_string()))?;
        refuse(&self.lint(&tbs, issuer.algorithm, Profile::Issuing, Some(&above)).await?)?;
        let part = NewAuthority {
            authority: self.house.id(),
            handle: self.house.chance.handle(),
            certificate: self.house.id(),
        };
        let (not_before, not_after) = (time(validity.not_before), time(validity.not_after));
        let certificate = Certificate {
            tenant: root.tenant,
            id: part.certificate,
            authority: root.id,
            serial,
            shard: 0,
            profile: Profile::Issuing,
            subject: subject.common_name().unwrap_or_default().to_owned(),
            names: Vec::new(),
            spki_sha256: key.spki_sha256(),
            not_before,
            renew_at: renew_at(not_before, not_after),
            not_after,
            state: State::Planned,
            tbs,
            der: None,
            owner: String::new(),
            source: "ceremony".to_owned(),
            asked_by: call.actor.id.clone(),
            planned_at: now,
            issued_at: None,
            revoked_at: None,
            reason: None,
            invalid_since: None,
        };
        Ok((certificate, part))
    }

    /// One transaction: the request with its bytes, the planned certificate, the new key, the number of the list.
    async fn plan_request(
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

    /// A page of the requests to roots, newest first.
    ///
    /// # Errors
    /// `PAGE_TOKEN_INVALID`; the store's.
    pub async fn root_requests(
        &self,
        tenant: TenantId,
        limit: u32,
        token: Option<&str>,
    ) -> Result<Page<Requested>> {
        let before = match token {
            None => Id::LAST,
            Some(text) => PageToken::decode(text, 1)?.0.first().map_or(Ok(Id::LAST), |id| id.parse())?,
        };
        let all = self.authorities(tenant).await?;
        let rows = self
            .house
            .db
            .tenant(tenant.uuid())
            .read("pki.root_requests", move |rx| repo::requests(rx, tenant, before, limit + 1))
            .await?;
        let found = rows
            .into_iter()
            .map(|row| {
                let root =
                    all.iter().find(|one| one.id == row.root).ok_or_else(|| error::ROOT_NONE.error())?;
                requested(row, root)
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(found, limit, |one| PageToken(vec![one.id.to_string()])))
    }

    async fn open_request(&self, tenant: TenantId, id: Id<RequestKind>) -> Result<RequestRow> {
        self.house
            .db
            .tenant(tenant.uuid())
            .read("pki.root_request", move |rx| repo::request(rx, tenant, id))
            .await?
            .filter(|row| row.state == "planned")
            .ok_or_else(|| error::REQUEST_GONE.error())
    }

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
        key: Id<base::id::kind::SigningKey>,
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
                    let before = all.iter().find(|one| one.id == withdrawn.authority);
                    let state = before.map_or(AuthorityState::Active, |one| one.state);
                    repo::move_authority(tx, tenant, withdrawn.authority, state, AuthorityState::Revoked)?;
                    let Some(mut certificate) = repo::by_id(tx, tenant, withdrawn.certificate)? else {
                        return Err(error::REQUEST_GONE.error());
                    };
                    certificate.state = State::Revoked;
                    certificate.revoked_at = Some(withdrawn.at);
                    certificate.reason = Some(withdrawn.reason());
                    repo::revoke(tx, &certificate)?;
                    tx.record(&call, &revoked_fact(&certificate, id()?, now))?;
                    let payload = json!({
                        "authority": withdrawn.authority, "certificate": certificate.id,
                        "serial": certificate.serial.to_string(), "reason": i64::from(withdrawn.reason),
                        "number": plan.number.unwrap_or_default(),
                    });
                    let fact = Fact::new(&facts::AUTHORITY_REVOKED, id()?, now, withdrawn.authority, payload);
                    tx.record(&call, &fact.of(tenant))?;
                    accepted.revoked.push(withdrawn.authority);
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

    /// Gives an open request up. What it planned may have been signed, so its number counts as revoked, and the root's
    /// next list says so.
    ///
    /// # Errors
    /// `PKI_ROOT_REQUEST_GONE`; the store's.
    pub async fn abandon_root(&self, call: &Call, tenant: TenantId, id: Id<RequestKind>) -> Result<()> {
        let row = self.open_request(tenant, id).await?;
        let plan: Plan = serde_json::from_str(&row.plan).map_err(|e| base::error::INTERNAL.because(e))?;
        let (now, events) = (self.house.now(), [(); 3].map(|()| self.house.id()));
        let (call, keys, house) = (call.for_tenant(tenant), self.keys.clone(), self.house.clone());
        self.house
            .db
            .tenant(tenant.uuid())
            .write("pki.abandon_root", move |tx| {
                let [ended, retired, abandoned] = events;
                if !repo::end_request(tx, tenant, id, "abandoned", now)? {
                    return Err(error::REQUEST_GONE.error());
                }
                if let Some(key) = row.key {
                    keys.retire_signing(tx, &call, tenant, key, retired, &house)?;
                }
                if let Some(part) = &plan.issuing
                    && let Some(certificate) = repo::by_id(tx, tenant, part.certificate)?
                    && repo::abandon(tx, tenant, part.certificate, now)?
                {
                    tx.record(&call, &abandoned_fact(&certificate, abandoned, now))?;
                }
                let payload = json!({"rootRequest": id, "environment": row.environment});
                tx.record(
                    &call,
                    &Fact::new(&facts::ROOT_REQUEST_ABANDONED, ended, now, id, payload).of(tenant),
                )
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
    tx: &mut store::Tx<'_>,
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
            .ok_or_else(|| error::AUTHORITY_UNKNOWN.error().with("id", one.authority))?;
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

fn requested(row: RequestRow, root: &Authority) -> Result<Requested> {
    let parts = [(PartKind::Issuing, row.issuing_tbs), (PartKind::Crl, row.crl_tbs)];
    let parts = parts.into_iter().filter_map(|(kind, tbs)| Some((kind, tbs?)));
    let file =
        RootRequest::new(row.id.to_string(), row.environment, row.reason, row.planned_at, &root.der, parts);
    Ok(Requested { id: row.id, state: row.state, asked_by: row.asked_by, ended_at: row.ended_at, file })
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

fn insert_new(
    tx: &mut store::Tx<'_>,
    certificate: &Certificate,
    authority: &Authority,
    now: Time,
) -> Result<()> {
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

/// The fact that an authority begins; it fixes its certificate.
pub(super) fn created_fact(authority: &Authority, id: Id<Event>, now: Time) -> Fact {
    let payload = json!({
        "authority": authority.id, "kind": authority.kind.name(), "environment": authority.environment,
        "certificate": authority.certificate, "parent": authority.parent.map(|parent| parent.to_string()),
    });
    Fact::new(&facts::AUTHORITY_CREATED, id, now, authority.id, payload)
        .of(authority.tenant)
        .fixing("x509", sha256(&authority.der))
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
