//! Where `Idempotency-Key` answers are kept: in the database, so that a retry after a crash does not issue twice.
//!
//! Scope and key stand there only as a hash, the answer sealed under the house's own key. When a person is forgotten
//! every kept answer goes, since one of them might name the person; that the request was carried out stays known.

use std::sync::Arc;

use base::{Id, Result, Time, id::kind::Tenant};
use events::{Event, House, Log, Subscription};
use http_kit::{
    Boxed,
    idempotency::{CLAIM_TIME_MAX, Claim, IdempotencyStore, Kept, REPLY_TIME},
};
use keys::{Aad, Keys};
use serde_json::{Value, json};
use store::{Migration, Tx, sql, values};

/// The roof's one table.
pub const MIGRATIONS: &[Migration] = &[store::migration!("selo", "0001_idempotency")];
/// It belongs to no tenant.
pub const TABLES_WITHOUT_TENANT: &[(&str, &str)] =
    &[("selo_idempotency", "keys of requests over all tenants, as hashes; answers sealed")];

const HOUSE: Id<Tenant> = Id::NIL;
/// What stands in place of an answer that had to go; no sealed value is empty.
const FORGOTTEN: &[u8] = &[];

/// The kept answers of a house.
pub struct Idempotency {
    house: House,
    keys: Keys,
}

impl Idempotency {
    /// The answers of a house.
    pub fn new(house: House, keys: Keys) -> Self {
        Self { house, keys }
    }

    /// The subscription that lets answers go when a person is forgotten.
    pub fn forgetting() -> Subscription {
        Subscription {
            consumer: "selo.idempotency",
            log: Log::Audit,
            types: &["person.erased"],
            handler: Arc::new(|tx: &mut Tx<'_>, _: &Event| {
                tx.execute(
                    sql!(
                        "-- selo.idempotency_forget
                        update selo_idempotency set reply_sealed = $1 where reply_sealed is not null"
                    ),
                    &values![FORGOTTEN],
                )
                .map(drop)
            }),
        }
    }

    async fn claim_now(&self, scope: &str, key: &str, digest: [u8; 32]) -> Result<Claim> {
        let (id, now) = (id_of(scope, key), self.house.now());
        let found = self
            .house
            .db
            .write("selo.idempotency_claim", move |tx| {
                forget_old(tx, now)?;
                let fresh = tx.execute(
                    sql!(
                        "-- selo.idempotency_claim
                        insert into selo_idempotency (id, digest, claimed_at) values ($1, $2, $3)
                        on conflict (id) do nothing"
                    ),
                    &values![id.as_slice(), digest.as_slice(), now],
                )?;
                if fresh == 1 {
                    return Ok(None);
                }
                tx.optional(
                    sql!(
                        "-- selo.idempotency_find
                        select digest, reply_sealed from selo_idempotency where id = $1"
                    ),
                    &values![id.as_slice()],
                    |row| Ok((row.get::<Vec<u8>>(0)?, row.get::<Option<Vec<u8>>>(1)?)),
                )
            })
            .await?;
        Ok(match found {
            None => Claim::Fresh,
            Some((known, _)) if known != digest => Claim::Mismatch,
            Some((_, None)) => Claim::InFlight,
            Some((_, Some(sealed))) if sealed == FORGOTTEN => Claim::Forgotten,
            Some((_, Some(sealed))) => {
                let plain = self.keys.tenant_key(HOUSE).open(&aad(&id), &sealed)?;
                kept(&plain).map_or(Claim::InFlight, Claim::Replay)
            }
        })
    }

    async fn finish_now(&self, scope: &str, key: &str, reply: Option<Kept>) -> Result<()> {
        let id = id_of(scope, key);
        let sealed = match reply {
            None => None,
            Some(reply) => {
                let body = String::from_utf8_lossy(&reply.body).into_owned();
                let plain =
                    json!({"status": reply.status, "headers": reply.headers, "body": body}).to_string();
                Some(self.keys.tenant_key(HOUSE).seal(&aad(&id), plain.as_bytes(), &*self.house.chance)?)
            }
        };
        self.house
            .db
            .write("selo.idempotency_finish", move |tx| {
                match &sealed {
                    Some(sealed) => tx.execute(
                        sql!(
                            "-- selo.idempotency_keep
                            update selo_idempotency set reply_sealed = $2 where id = $1"
                        ),
                        &values![id.as_slice(), sealed.as_slice()],
                    ),
                    None => tx.execute(
                        sql!(
                            "-- selo.idempotency_free
                            delete from selo_idempotency where id = $1"
                        ),
                        &values![id.as_slice()],
                    ),
                }
                .map(drop)
            })
            .await
    }
}

impl IdempotencyStore for Idempotency {
    fn claim<'a>(&'a self, scope: &'a str, key: &'a str, digest: [u8; 32]) -> Boxed<'a, Result<Claim>> {
        Box::pin(self.claim_now(scope, key, digest))
    }

    fn finish<'a>(&'a self, scope: &'a str, key: &'a str, kept: Option<Kept>) -> Boxed<'a, Result<()>> {
        Box::pin(self.finish_now(scope, key, kept))
    }
}

fn forget_old(tx: &mut Tx<'_>, now: Time) -> Result<()> {
    tx.execute(
        sql!(
            "-- selo.idempotency_expire
            delete from selo_idempotency
            where claimed_at < $1 or (claimed_at < $2 and reply_sealed is null)"
        ),
        &values![now.minus(REPLY_TIME), now.minus(CLAIM_TIME_MAX)],
    )
    .map(drop)
}

fn id_of(scope: &str, key: &str) -> [u8; 32] {
    proof::crypto::sha256(format!("{}\n{scope}\n{key}", scope.len()).as_bytes())
}

fn aad(id: &[u8; 32]) -> Aad<'static> {
    let row = id.first_chunk::<16>().copied().unwrap_or_default();
    Aad {
        tenant: HOUSE.uuid(),
        table: "selo_idempotency",
        column: "reply_sealed",
        row: uuid::Uuid::from_bytes(row),
        version: 1,
    }
}

fn kept(plain: &[u8]) -> Option<Kept> {
    let value: Value = serde_json::from_slice(plain).ok()?;
    Some(Kept {
        status: u16::try_from(value.get("status")?.as_u64()?).ok()?,
        headers: serde_json::from_value(value.get("headers")?.clone()).ok()?,
        body: value.get("body")?.as_str()?.to_owned().into(),
    })
}
