//! Every SQL text of facts, leaves, cursors and the inbox.

use base::{
    Call, Id, Result, Time,
    id::kind::{Event, Tenant},
};
use serde_json::Value;
use store::{Row, Rx, Sql, Tx, sql, values};

use crate::fact::{Fact, FactType, Log};

/// A fact as it was recorded.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Its id.
    pub id: Id<Event>,
    /// Its tenant; the nil tenant is the house.
    pub tenant: Id<Tenant>,
    /// The log's name.
    pub log: String,
    /// Its type's name.
    pub kind: String,
    /// When it happened.
    pub time: Time,
    /// `user`, `institution`, `system`, `anonymous`.
    pub actor_kind: String,
    /// Who did it.
    pub actor_id: String,
    /// What sort of thing it is about.
    pub resource_type: String,
    /// The thing.
    pub resource_id: String,
    /// `corr_…`
    pub correlation: String,
    /// The public part.
    pub payload: Value,
    /// Address and agent, sealed; absent when there were none or their time is over.
    pub origin_sealed: Option<Vec<u8>>,
}

/// A place in a log.
#[derive(Debug, Clone)]
pub struct Leaf {
    /// From 0 without gaps.
    pub index: u64,
    /// The fact that stands there.
    pub fact: Id<Event>,
    /// RFC 6962 leaf hash of `entry`.
    pub hash: [u8; 32],
    /// The leaf's bytes.
    pub entry: Vec<u8>,
}

/// A stretch of a log.
#[derive(Debug, Clone, Copy)]
pub struct LogRange {
    /// The first index.
    pub from: u64,
    /// At most so many leaves.
    pub limit: u32,
}

pub(crate) fn insert_fact(
    tx: &mut Tx<'_>,
    fact: &Fact,
    call: &Call,
    tenant: Id<Tenant>,
    entry: &[u8],
    origin_sealed: Option<Vec<u8>>,
) -> Result<()> {
    tx.execute(
        sql!(
            "-- events.insert_fact
            insert into events_fact (tenant, id, log, type, time, actor_kind, actor_id, resource_type,
                resource_id, correlation, payload, entry, person, sealed, origin_sealed)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
        ),
        &values![
            tenant,
            fact.id,
            fact.kind.log.name(),
            fact.kind.name,
            fact.time,
            call.actor.kind.name(),
            call.actor.id.as_str(),
            fact.kind.resource,
            fact.resource.as_str(),
            call.correlation_id(),
            Value::Object(fact.payload.clone()),
            entry,
            fact.sealed.as_ref().map(|sealed| sealed.person),
            fact.sealed.as_ref().map(|sealed| sealed.bytes.clone()),
            origin_sealed,
        ],
    )?;
    Ok(())
}

pub(crate) fn insert_pending(tx: &mut Tx<'_>, log: Log, fact: Id<Event>) -> Result<()> {
    tx.execute(
        sql!(
            "-- events.insert_pending
            insert into events_pending (fact, log) values ($1, $2)"
        ),
        &values![fact, log.name()],
    )?;
    Ok(())
}

pub(crate) fn insert_leaf(
    tx: &mut Tx<'_>,
    log: Log,
    index: i64,
    fact: Id<Event>,
    hash: &[u8; 32],
) -> Result<()> {
    tx.execute(
        sql!(
            "-- events.insert_leaf
            insert into events_leaf (log, idx, fact, hash) values ($1, $2, $3, $4)"
        ),
        &values![log.name(), index, fact, hash.as_slice()],
    )?;
    Ok(())
}

const NEXT_INDEX: fn() -> &'static Sql = || {
    sql!(
        "-- events.next_index
        select coalesce(max(idx), -1) + 1 as next from events_leaf where log = $1"
    )
};

pub(crate) fn next_index(tx: &mut Tx<'_>, log: Log) -> Result<i64> {
    tx.one(NEXT_INDEX(), &values![log.name()], |row| row.get(0))
}

/// How many leaves a log has.
pub fn log_size(rx: &mut Rx<'_>, log: Log) -> Result<u64> {
    let next: i64 = rx.one(NEXT_INDEX(), &values![log.name()], |row| row.get(0))?;
    Ok(u64::try_from(next).unwrap_or(0))
}

/// How many facts of a log stand at `from` or later, or wait for their place.
pub fn waiting_from(rx: &mut Rx<'_>, log: Log, from: u64) -> Result<u64> {
    let pending: i64 = rx.one(
        sql!(
            "-- events.count_pending
            select count(*) as pending from events_pending where log = $1"
        ),
        &values![log.name()],
        |row| row.get(0),
    )?;
    Ok(log_size(rx, log)?.saturating_sub(from) + u64::try_from(pending).unwrap_or(0))
}

pub(crate) fn fact_exists(tx: &mut Tx<'_>, id: Id<Event>) -> Result<bool> {
    let found: Option<i64> = tx.optional(
        sql!(
            "-- events.fact_exists
            select cast(1 as bigint) as found from events_fact where id = $1"
        ),
        &values![id],
        |row| row.get(0),
    )?;
    Ok(found.is_some())
}

/// Takes up to `limit` facts that wait for their place, oldest first, with the hash of their leaf.
pub(crate) fn take_pending(tx: &mut Tx<'_>, log: Log, limit: u32) -> Result<Vec<(Id<Event>, Vec<u8>)>> {
    let waiting = tx.all(
        sql!(
            "-- events.pending
            select p.fact, f.entry from events_pending p join events_fact f on f.id = p.fact
            where p.log = $1
            order by p.fact
            limit $2"
        ),
        &values![log.name(), i64::from(limit)],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    for (fact, _) in &waiting {
        delete_pending(tx, *fact)?;
    }
    Ok(waiting)
}

/// Takes a fact from those that wait for their place.
pub(crate) fn delete_pending(tx: &mut Tx<'_>, fact: Id<Event>) -> Result<()> {
    tx.execute(
        sql!(
            "-- events.delete_pending
            delete from events_pending where fact = $1"
        ),
        &values![fact],
    )?;
    Ok(())
}

/// The leaf's bytes of a fact, if it is there.
pub(crate) fn entry_of(tx: &mut Tx<'_>, fact: Id<Event>) -> Result<Option<Vec<u8>>> {
    tx.optional(
        sql!(
            "-- events.entry_of
            select entry from events_fact where id = $1"
        ),
        &values![fact],
        |row| row.get(0),
    )
}

/// A fact as far as its leaf tells of it.
pub(crate) struct RestoredFact<'a> {
    pub(crate) tenant: Id<Tenant>,
    pub(crate) id: Id<Event>,
    pub(crate) kind: &'a FactType,
    pub(crate) time: Time,
    /// Kind and pseudonym.
    pub(crate) actor: (&'a str, &'a str),
    pub(crate) resource: &'a str,
    pub(crate) correlation: String,
    pub(crate) payload: Value,
    pub(crate) entry: &'a [u8],
}

pub(crate) fn insert_restored(tx: &mut Tx<'_>, fact: &RestoredFact<'_>) -> Result<()> {
    tx.execute(
        sql!(
            "-- events.insert_restored
            insert into events_fact (tenant, id, log, type, time, actor_kind, actor_id, resource_type,
                resource_id, correlation, payload, entry)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
        ),
        &values![
            fact.tenant,
            fact.id,
            fact.kind.log.name(),
            fact.kind.name,
            fact.time,
            fact.actor.0,
            fact.actor.1,
            fact.kind.resource,
            fact.resource,
            fact.correlation.as_str(),
            fact.payload.clone(),
            fact.entry
        ],
    )?;
    Ok(())
}

/// A stretch of a log, in order.
pub fn leaves(rx: &mut Rx<'_>, log: Log, range: LogRange) -> Result<Vec<Leaf>> {
    rx.all(
        sql!(
            "-- events.leaves
            select l.idx, l.fact, l.hash, f.entry from events_leaf l join events_fact f on f.id = l.fact
            where l.log = $1 and l.idx >= $2
            order by l.idx
            limit $3"
        ),
        &values![log.name(), i64::try_from(range.from).unwrap_or(i64::MAX), i64::from(range.limit)],
        |row| {
            let index: i64 = row.get(0)?;
            Ok(Leaf {
                index: u64::try_from(index).unwrap_or(0),
                fact: row.get(1)?,
                hash: row.get(2)?,
                entry: row.get(3)?,
            })
        },
    )
}

/// A leaf beside the fact it was made of, for the self-audit.
pub struct Audited {
    /// The leaf.
    pub leaf: Leaf,
    /// The fact's type.
    pub kind: String,
    /// The fact's time.
    pub time: Time,
    /// The fact's public part.
    pub payload: Value,
}

/// A stretch of a log with the facts behind it, in order.
pub fn audited(rx: &mut Rx<'_>, log: Log, range: LogRange) -> Result<Vec<Audited>> {
    rx.all(
        sql!(
            "-- events.audited
            select l.idx, l.fact, l.hash, f.entry, f.type, f.time, f.payload
            from events_leaf l join events_fact f on f.id = l.fact
            where l.log = $1 and l.idx >= $2
            order by l.idx
            limit $3"
        ),
        &values![log.name(), i64::try_from(range.from).unwrap_or(i64::MAX), i64::from(range.limit)],
        |row| {
            let index: i64 = row.get(0)?;
            Ok(Audited {
                leaf: Leaf {
                    index: u64::try_from(index).unwrap_or(0),
                    fact: row.get(1)?,
                    hash: row.get(2)?,
                    entry: row.get(3)?,
                },
                kind: row.get(4)?,
                time: row.get(5)?,
                payload: row.get(6)?,
            })
        },
    )
}

/// How many facts there are and how many of them have a place in a log or wait for one.
pub fn census(rx: &mut Rx<'_>) -> Result<(u64, u64)> {
    rx.one(
        sql!(
            "-- events.census
            select (select count(*) from events_fact) as facts,
                (select count(*) from events_leaf) + (select count(*) from events_pending) as placed"
        ),
        &values![],
        |row| {
            let (facts, placed): (i64, i64) = (row.get(0)?, row.get(1)?);
            Ok((u64::try_from(facts).unwrap_or(0), u64::try_from(placed).unwrap_or(0)))
        },
    )
}

/// Where a fact stands: log name and index; absent until it is sequenced.
pub fn leaf_of(rx: &mut Rx<'_>, fact: Id<Event>) -> Result<Option<(String, u64)>> {
    rx.optional(
        sql!(
            "-- events.leaf_of
            select log, idx from events_leaf where fact = $1"
        ),
        &values![fact],
        |row| {
            let index: i64 = row.get(1)?;
            Ok((row.get(0)?, u64::try_from(index).unwrap_or(0)))
        },
    )
}

fn recorded(row: &Row<'_>) -> Result<Recorded> {
    Ok(Recorded {
        id: row.get(0)?,
        tenant: row.get(1)?,
        log: row.get(2)?,
        kind: row.get(3)?,
        time: row.get(4)?,
        actor_kind: row.get(5)?,
        actor_id: row.get(6)?,
        resource_type: row.get(7)?,
        resource_id: row.get(8)?,
        correlation: row.get(9)?,
        payload: row.get(10)?,
        origin_sealed: row.get(11)?,
    })
}

/// A fact by its id.
pub fn fact_by_id(rx: &mut Rx<'_>, id: Id<Event>) -> Result<Option<Recorded>> {
    rx.optional(
        sql!(
            "-- events.fact_by_id
            select id, tenant, log, type, time, actor_kind, actor_id, resource_type, resource_id, correlation,
                payload, origin_sealed
            from events_fact where id = $1"
        ),
        &values![id],
        recorded,
    )
}

/// Everything that happened to a thing, oldest first, at most 200.
pub fn payloads_of_resource(rx: &mut Rx<'_>, tenant: Id<Tenant>, resource: &str) -> Result<Vec<Recorded>> {
    rx.all(
        sql!(
            "-- events.facts_of_resource
            select id, tenant, log, type, time, actor_kind, actor_id, resource_type, resource_id, correlation,
                payload, origin_sealed
            from events_fact where tenant = $1 and resource_id = $2
            order by id
            limit 200"
        ),
        &values![tenant, resource],
        recorded,
    )
}

/// The first fact of a type about a thing, in whichever tenant.
pub fn first_of_resource(rx: &mut Rx<'_>, kind: &str, resource: &str) -> Result<Option<Recorded>> {
    rx.optional(
        sql!(
            "-- events.first_of_resource
            select id, tenant, log, type, time, actor_kind, actor_id, resource_type, resource_id, correlation,
                payload, origin_sealed
            from events_fact where resource_id = $1 and type = $2
            order by id
            limit 1"
        ),
        &values![resource, kind],
        recorded,
    )
}

/// A tenant's facts of a type that are older than `before`, newest first.
pub fn of_type(
    rx: &mut Rx<'_>,
    tenant: Id<Tenant>,
    kind: &str,
    before: Id<Event>,
    limit: u32,
) -> Result<Vec<Recorded>> {
    rx.all(
        sql!(
            "-- events.of_type
            select id, tenant, log, type, time, actor_kind, actor_id, resource_type, resource_id, correlation,
                payload, origin_sealed
            from events_fact where tenant = $1 and type = $2 and id < $3
            order by id desc
            limit $4"
        ),
        &values![tenant, kind, before, i64::from(limit)],
        recorded,
    )
}

/// A page of facts in a tenant, newest first. Empty texts do not filter; `before` is the id after which to go on.
pub struct Search<'a> {
    /// The tenant.
    pub tenant: Id<Tenant>,
    /// Who did it, or empty.
    pub actor: &'a str,
    /// The thing it is about, or empty.
    pub resource: &'a str,
    /// `corr_…`, or empty.
    pub correlation: &'a str,
    /// Not before.
    pub from: Time,
    /// Before.
    pub to: Time,
    /// Older than this fact.
    pub before: Option<Id<Event>>,
    /// At most so many.
    pub limit: u32,
}

/// The facts that a search finds.
pub fn search(rx: &mut Rx<'_>, search: &Search<'_>) -> Result<Vec<Recorded>> {
    let before = search.before.unwrap_or(Id::LAST);
    rx.all(
        sql!(
            "-- events.search
            select id, tenant, log, type, time, actor_kind, actor_id, resource_type, resource_id, correlation,
                payload, origin_sealed
            from events_fact
            where tenant = $1 and id < $2 and time >= $3 and time < $4
                and ($5 = '' or actor_id = $5)
                and ($6 = '' or resource_id = $6)
                and ($7 = '' or correlation = $7)
            order by id desc
            limit $8"
        ),
        &values![
            search.tenant,
            before,
            search.from,
            search.to,
            search.actor,
            search.resource,
            search.correlation,
            i64::from(search.limit)
        ],
        recorded,
    )
}

/// Destroys what is sealed of facts before `before`; their leaves stay. Returns how many.
pub(crate) fn forget_sealed(tx: &mut Tx<'_>, before: Time, limit: u32) -> Result<u64> {
    tx.execute(
        sql!(
            "-- events.forget_sealed
            update events_fact set sealed = null, origin_sealed = null
            where id in (select id from events_fact
                where time < $1 and (sealed is not null or origin_sealed is not null)
                order by time limit $2)"
        ),
        &values![before, i64::from(limit)],
    )
}

/// Destroys what is sealed of a person's facts; part of the person's erasure.
pub fn forget_person(tx: &mut Tx<'_>, tenant: Id<Tenant>, person: Id<base::id::kind::Person>) -> Result<u64> {
    tx.execute(
        sql!(
            "-- events.forget_person
            update events_fact set sealed = null where tenant = $1 and person = $2"
        ),
        &values![tenant, person],
    )
}

pub(crate) fn cursor(rx: &mut Rx<'_>, consumer: &str, log: Log) -> Result<u64> {
    let next: Option<i64> = rx.optional(
        sql!(
            "-- events.cursor
            select next from events_cursor where consumer = $1 and log = $2"
        ),
        &values![consumer, log.name()],
        |row| row.get(0),
    )?;
    Ok(next.and_then(|next| u64::try_from(next).ok()).unwrap_or(0))
}

pub(crate) fn save_cursor(tx: &mut Tx<'_>, consumer: &str, log: Log, next: u64) -> Result<()> {
    tx.execute(
        sql!(
            "-- events.save_cursor
            insert into events_cursor (consumer, log, next) values ($1, $2, $3)
            on conflict (consumer, log) do update set next = excluded.next"
        ),
        &values![consumer, log.name(), i64::try_from(next).unwrap_or(i64::MAX)],
    )?;
    Ok(())
}

/// Marks a fact as handled by a consumer; false when it already was.
pub(crate) fn mark_handled(tx: &mut Tx<'_>, consumer: &str, fact: Id<Event>, now: Time) -> Result<bool> {
    let rows = tx.execute(
        sql!(
            "-- events.mark_handled
            insert into events_inbox (consumer, fact, time) values ($1, $2, $3)
            on conflict (consumer, fact) do nothing"
        ),
        &values![consumer, fact, now],
    )?;
    Ok(rows == 1)
}

pub(crate) fn bury(
    tx: &mut Tx<'_>,
    consumer: &str,
    fact: Id<Event>,
    now: Time,
    attempts: u32,
    code: &str,
) -> Result<()> {
    tx.execute(
        sql!(
            "-- events.bury
            insert into events_dead (consumer, fact, time, attempts, code) values ($1, $2, $3, $4, $5)
            on conflict (consumer, fact) do nothing"
        ),
        &values![consumer, fact, now, i64::from(attempts), code],
    )?;
    Ok(())
}
