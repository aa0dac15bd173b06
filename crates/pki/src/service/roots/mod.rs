//! What the house asks of its offline root after the ceremony: the next issuing authority, the next revocation list,
//! the end of an authority.
//!
//! The bytes are planned and durable before they leave in a file; what comes back must be those bytes under the root's
//! signature, and then everything that follows from them happens in one transaction. A root has one open request at a
//! time, so its lists follow one another.
//! Never here: a root's key; an authority that issues before its certificate was checked.

mod accept;
mod plan;

use base::{Call, Error, Id, Page, PageToken, Result, Time, id::kind::RootRequest as RequestKind};
use events::{Fact, Record};
use proof::x509::{Profile, crl::Reason};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Pki, authority::NewAuthority, issue::abandoned_fact};
use crate::{
    error,
    exchange::{PartKind, RootRequest},
    facts,
    model::{Authority, AuthorityId, AuthorityKind, AuthorityState, CertificateId, State, TenantId},
    repo::{self, RequestRow},
};

/// Characters of the reason of a request.
const REASON_CHARACTERS_MAX: usize = 200;
/// Authorities that one request withdraws.
const REVOKED_MAX: usize = 16;

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
    /// Authorities to be withdrawn, each with its reason: by their ids, or by the id or number of their certificate where
    /// the authority was lost with a database.
    pub revoke: Vec<(String, Reason)>,
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
    /// Authorities that were withdrawn; one that was lost with a database is named by its certificate.
    pub revoked: Vec<String>,
}

/// What is kept between plan and answer, beside the bytes.
#[derive(Clone, Serialize, Deserialize)]
struct Plan {
    issuing: Option<NewAuthority>,
    number: Option<i64>,
    revoke: Vec<Withdrawn>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Withdrawn {
    /// None when the authority was lost with a database and its certificate alone is known.
    authority: Option<AuthorityId>,
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

/// An authority that is to be withdrawn, as it was found.
struct Meant {
    root: Option<AuthorityId>,
    authority: Option<AuthorityId>,
    certificate: CertificateId,
    is_revoked: bool,
}

fn wrong(reason: &str) -> Error {
    error::ROOT_ORDER.error().with("reason", reason)
}

fn unknown_authority(named: &str) -> Error {
    let short: String = named.chars().filter(|letter| !letter.is_control()).take(64).collect();
    error::AUTHORITY_UNKNOWN.error().with("id", short)
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
        let withdrawn = self.withdrawn(&hierarchy, &order).await?;
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
            Some((named, _)) => {
                let root = self.meant(tenant, &all, named).await?.root;
                Some(root.ok_or_else(|| unknown_authority(named))?)
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

    /// Finds an authority by its id; one that was lost with a database by its certificate, which the log gave back.
    async fn meant(&self, tenant: TenantId, all: &[Authority], named: &str) -> Result<Meant> {
        let of = |one: &Authority| Meant {
            root: one.parent,
            authority: Some(one.id),
            certificate: one.certificate,
            is_revoked: one.state == AuthorityState::Revoked,
        };
        if let Ok(id) = named.parse::<AuthorityId>() {
            return all.iter().find(|one| one.id == id).map(of).ok_or_else(|| unknown_authority(named));
        }
        let certificate = match self.certificate(tenant, named).await {
            Ok(found) if found.profile == Profile::Issuing => found,
            Err(failure) if !failure.is(&error::NOT_FOUND) => return Err(failure),
            _ => return Err(unknown_authority(named)),
        };
        if let Some(one) = all.iter().find(|one| one.certificate == certificate.id) {
            return Ok(of(one));
        }
        Ok(Meant {
            root: Some(certificate.authority),
            authority: None,
            certificate: certificate.id,
            is_revoked: certificate.state != State::Issued,
        })
    }

    async fn withdrawn(&self, hierarchy: &Hierarchy, order: &RootOrder) -> Result<Vec<Withdrawn>> {
        if order.revoke.len() > REVOKED_MAX {
            return Err(wrong("too many authorities at once"));
        }
        let at = self.house.now().whole_second();
        let mut found: Vec<Withdrawn> = Vec::new();
        for (named, reason) in &order.revoke {
            let one = self.meant(hierarchy.root.tenant, &hierarchy.below, named).await?;
            if one.root != Some(hierarchy.root.id) {
                return Err(unknown_authority(named));
            }
            if one.is_revoked || found.iter().any(|other| other.certificate == one.certificate) {
                return Err(wrong("an authority is revoked already, or named twice"));
            }
            let (authority, certificate) = (one.authority, one.certificate);
            found.push(Withdrawn { authority, certificate, reason: reason.code(), at });
        }
        Ok(found)
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

fn requested(row: RequestRow, root: &Authority) -> Result<Requested> {
    let parts = [(PartKind::Issuing, row.issuing_tbs), (PartKind::Crl, row.crl_tbs)];
    let parts = parts.into_iter().filter_map(|(kind, tbs)| Some((kind, tbs?)));
    let file =
        RootRequest::new(row.id.to_string(), row.environment, row.reason, row.planned_at, &root.der, parts);
    Ok(Requested { id: row.id, state: row.state, asked_by: row.asked_by, ended_at: row.ended_at, file })
}
