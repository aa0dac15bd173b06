//! External keys (RFC 8555 §7.3.4): an administrator makes one, hands it to somebody, and takes it back.

use std::time::Duration;

use base::{Call, Id, Page, PageToken, Result, Secret, Time};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use events::{Fact, Record};
use keys::Aad;
use proof::x509::{DnsName, Profile};
use serde_json::json;

use super::{Acme, HOUSE};
use crate::{
    acme::{
        error, facts,
        model::{ExternalKey, ExternalKeyId, Grant},
        repo,
    },
    settings::{issuable, network},
};

/// Accounts that one key may open.
const USES_MAX: i64 = 1_000_000;
/// How long a key may open accounts.
const DAYS_MAX: i64 = 3_650;
/// As long as the longest MAC that a client may choose (HS512).
const SECRET_BYTES: usize = 64;
/// Entries of each list of a key.
const ENTRIES_MAX: usize = 100;

/// What an external key is to allow.
#[derive(Debug, Clone, Default)]
pub struct NewExternalKey {
    /// For whose hierarchy; the only one when nobody says.
    pub environment: Option<String>,
    /// Profiles; none for those of the settings.
    pub profiles: Vec<String>,
    /// DNS suffixes; none for those of the settings.
    pub dns: Vec<String>,
    /// Networks; none for those of the settings.
    pub ip: Vec<String>,
    /// How many accounts it opens.
    pub uses: i64,
    /// For how many days.
    pub days: i64,
}

/// An external key as it is shown once.
#[derive(Debug, Clone)]
pub struct MadeExternalKey {
    /// What stands in the store.
    pub key: ExternalKey,
    /// The shared key, base64url, as clients take it.
    pub secret: Secret<String>,
}

impl Acme {
    /// Makes an external key. Its secret is given once and is sealed in the store.
    ///
    /// # Errors
    /// `ACME_EXTERNAL_KEY_INVALID`, `PKI_SETTING`, `PKI_AUTHORITY_NOT_FOUND`, `PKI_ENVIRONMENT_NEEDED`; the store's.
    pub async fn make_external_key(&self, call: &Call, wanted: NewExternalKey) -> Result<MadeExternalKey> {
        let grant = read_grant(&wanted)?;
        within("uses", wanted.uses, USES_MAX)?;
        within("days", wanted.days, DAYS_MAX)?;
        let authority = self.pki.issuing(HOUSE, wanted.environment.as_deref()).await?;
        let (id, now) = (self.pki.house.id(), self.pki.house.now());
        let shared: Secret<[u8; SECRET_BYTES]> = Secret::new(self.pki.house.chance.bytes());
        let seal = self.pki.keys.tenant_key(HOUSE);
        let days = u64::try_from(wanted.days).unwrap_or_default();
        let key = ExternalKey {
            id,
            environment: authority.environment,
            secret: seal.seal(&secret_place(id), shared.expose(), &*self.pki.house.chance)?,
            grant,
            uses_left: wanted.uses,
            expires_at: now.plus(Duration::from_secs(days * 86_400)),
            revoked_at: None,
            made_by: call.actor.id.clone(),
            created_at: now,
        };
        let payload = json!({
            "externalKey": id, "environment": key.environment, "uses": key.uses_left, "expiresAt": key.expires_at,
        });
        let fact = Fact::new(&facts::EXTERNAL_KEY_CREATED, self.pki.house.id(), now, id, payload).of(HOUSE);
        let (call, copy) = (call.for_tenant(HOUSE), key.clone());
        self.db()
            .write("pki.acme.make_external_key", move |tx| {
                repo::insert_external_key(tx, HOUSE, &copy)?;
                tx.record(&call, &fact)
            })
            .await?;
        Ok(MadeExternalKey { key, secret: Secret::new(URL_SAFE_NO_PAD.encode(shared.expose())) })
    }

    /// A page of external keys, newest first.
    ///
    /// # Errors
    /// `PAGE_TOKEN_INVALID`; the store's.
    pub async fn external_keys(&self, limit: u32, token: Option<&str>) -> Result<Page<ExternalKey>> {
        let before = match token {
            None => Id::LAST,
            Some(text) => PageToken::decode(text, 1)?.0.first().map_or(Ok(Id::LAST), |id| id.parse())?,
        };
        let found = self
            .db()
            .read("pki.acme.external_keys", move |rx| repo::external_keys(rx, HOUSE, before, limit + 1))
            .await?;
        Ok(Page::cut(found, limit, |one| PageToken(vec![one.id.to_string()])))
    }

    /// Takes an external key back: it opens nothing more, and the accounts that it opened are closed.
    ///
    /// # Errors
    /// `ACME_EXTERNAL_KEY_NOT_FOUND`, `ACME_EXTERNAL_KEY_REVOKED`; the store's.
    pub async fn revoke_external_key(&self, call: &Call, id: ExternalKeyId) -> Result<ExternalKey> {
        let now = self.pki.house.now();
        let fact =
            Fact::new(&facts::EXTERNAL_KEY_REVOKED, self.pki.house.id(), now, id, json!({"externalKey": id}))
                .of(HOUSE);
        let call = call.for_tenant(HOUSE);
        self.db()
            .write("pki.acme.revoke_external_key", move |tx| {
                let found = repo::external_key(tx, HOUSE, id)?
                    .ok_or_else(|| error::EXTERNAL_NONE.error().with("id", id))?;
                if !repo::revoke_external_key(tx, HOUSE, id, now)? {
                    return Err(error::EXTERNAL_REVOKED.error());
                }
                tx.record(&call, &fact)?;
                Ok(ExternalKey { revoked_at: Some(now), ..found })
            })
            .await
    }

    /// The shared key of an external key.
    pub(super) fn open_secret(&self, key: &ExternalKey) -> Result<Secret<Vec<u8>>> {
        self.pki.keys.tenant_key(HOUSE).open(&secret_place(key.id), &key.secret).map(Secret::new)
    }
}

fn secret_place(id: ExternalKeyId) -> Aad<'static> {
    let (table, column) = ("pki_acme_external_key", "secret");
    Aad { tenant: HOUSE.uuid(), table, column, row: id.uuid(), version: 1 }
}

fn wrong(field: &'static str, value: impl ToString, reason: impl ToString) -> base::Error {
    let short: String = value.to_string().chars().filter(|c| !c.is_control()).take(80).collect();
    error::EXTERNAL_WRONG.at(field).with("value", short).with("reason", reason.to_string())
}

fn within(field: &'static str, value: i64, max: i64) -> Result<()> {
    if (1..=max).contains(&value) { Ok(()) } else { Err(wrong(field, value, format!("1 to {max}"))) }
}

fn read_grant(wanted: &NewExternalKey) -> Result<Grant> {
    for (field, list) in [("profiles", &wanted.profiles), ("dns", &wanted.dns), ("ip", &wanted.ip)] {
        if list.len() > ENTRIES_MAX {
            return Err(wrong(field, list.len(), format!("at most {ENTRIES_MAX}")));
        }
    }
    for name in &wanted.profiles {
        let _: Profile = issuable("profiles", name)?;
    }
    for name in &wanted.dns {
        DnsName::parse(name).map_err(|e| wrong("dns", name, e))?;
    }
    for text in &wanted.ip {
        network(text).ok_or_else(|| wrong("ip", text, "it is no network"))?;
    }
    let given = |list: &Vec<String>| Some(list.clone()).filter(|list| !list.is_empty());
    Ok(Grant { profiles: given(&wanted.profiles), dns: given(&wanted.dns), ip: given(&wanted.ip) })
}

impl ExternalKey {
    /// The word of its standing.
    pub fn state(&self, now: Time) -> &'static str {
        if self.revoked_at.is_some() {
            "revoked"
        } else if self.expires_at <= now {
            "expired"
        } else if self.uses_left < 1 {
            "used_up"
        } else {
            "open"
        }
    }
}
