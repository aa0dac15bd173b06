//! The in-process bus: facts go out in the order of their log, as events of the agreed shape, to every subscription,
//! each at least once and, by its inbox, with one effect.
//!
//! A subscription's handler gets the transaction in which its inbox row is written, so its effect and "handled" commit
//! together. What fails is tried again with jitter and, after its last attempt, buried in `events_dead` where the
//! operator sees it; the others go on.

use std::{sync::Arc, time::Duration};

use base::{Result, Time};
use serde_json::{Value, json};
use store::Tx;

use crate::{
    House,
    fact::{FACT_TYPES, Log},
    repo::{self, Recorded},
};

/// So many facts are read at once.
const BATCH_FACTS_MAX: u32 = 256;
/// A handler fails so often before its fact is buried.
const ATTEMPTS_MAX: u32 = 5;
/// The first wait between attempts; doubled each time, with jitter.
const BACKOFF: Duration = Duration::from_millis(100);

/// An event as it goes onto the bus: exactly `eventId, eventType, timestamp, payload, metadata`.
#[derive(Debug, Clone)]
pub struct Event {
    /// The fact behind it.
    pub fact: Recorded,
    /// Its topic.
    pub topic: &'static str,
    /// The version of its payload.
    pub version: &'static str,
}

impl Event {
    fn of(fact: Recorded) -> Option<Self> {
        let kind = FACT_TYPES.iter().find(|kind| kind.name == fact.kind)?;
        Some(Self { fact, topic: kind.topic, version: kind.version })
    }

    /// The value: the agreed event, nothing more.
    pub fn value(&self) -> Value {
        json!({
            "eventId": self.fact.id,
            "eventType": self.fact.kind,
            "timestamp": self.fact.time,
            "payload": self.fact.payload,
            "metadata": {"correlationId": self.fact.correlation, "version": self.version},
        })
    }

    /// CloudEvents 1.0 attributes (Kafka binding, binary mode) that ride as headers.
    pub fn headers(&self, source: &str) -> Vec<(&'static str, String)> {
        vec![
            ("ce_specversion", "1.0".to_owned()),
            ("ce_id", self.fact.id.to_string()),
            ("ce_type", self.fact.kind.clone()),
            ("ce_source", source.to_owned()),
            ("ce_subject", self.fact.resource_id.clone()),
            ("ce_time", self.fact.time.rfc3339()),
            ("ce_datacontenttype", "application/json".to_owned()),
        ]
    }
}

/// What a handler does with an event, inside the transaction that marks it as handled.
pub type Handler = Arc<dyn Fn(&mut Tx<'_>, &Event) -> Result<()> + Send + Sync>;

/// Somebody who wants to know.
#[derive(Clone)]
pub struct Subscription {
    /// Its name; with it the inbox and the cursor stand in the database, so it never changes.
    pub consumer: &'static str,
    /// The log it follows.
    pub log: Log,
    /// The fact types it wants; empty for all.
    pub types: &'static [&'static str],
    /// What it does.
    pub handler: Handler,
}

/// Delivers facts to subscriptions.
pub struct Bus {
    house: House,
    subscriptions: Vec<Subscription>,
}

impl Bus {
    /// A bus with its subscriptions.
    pub fn new(house: House, subscriptions: Vec<Subscription>) -> Self {
        Self { house, subscriptions }
    }

    /// Delivers what is new to every subscription; returns how many deliveries were made.
    ///
    /// # Errors
    /// The store's; a handler's failure is not an error of the bus.
    pub async fn run_once(&self) -> Result<u64> {
        let mut delivered = 0;
        for subscription in &self.subscriptions {
            delivered += self.deliver(subscription).await?;
        }
        Ok(delivered)
    }

    async fn deliver(&self, subscription: &Subscription) -> Result<u64> {
        let (consumer, log) = (subscription.consumer, subscription.log);
        let (events, next) = self
            .house
            .db
            .read("events.relay", move |rx| {
                let from = repo::cursor(rx, consumer, log)?;
                let leaves = repo::leaves(rx, log, repo::LogRange { from, limit: BATCH_FACTS_MAX })?;
                let next = leaves.last().map_or(from, |leaf| leaf.index + 1);
                let mut events = Vec::with_capacity(leaves.len());
                for leaf in leaves {
                    events.extend(repo::fact_by_id(rx, leaf.fact)?.and_then(Event::of));
                }
                Ok((events, next))
            })
            .await?;
        let mut delivered = 0;
        for event in events {
            let wanted =
                subscription.types.is_empty() || subscription.types.contains(&event.fact.kind.as_str());
            if wanted && self.hand_over(subscription, event).await? {
                delivered += 1;
            }
        }
        self.house.db.write("events.cursor", move |tx| repo::save_cursor(tx, consumer, log, next)).await?;
        Ok(delivered)
    }

    async fn hand_over(&self, subscription: &Subscription, event: Event) -> Result<bool> {
        let consumer = subscription.consumer;
        let event = Arc::new(event);
        for attempt in 1..=ATTEMPTS_MAX {
            let (handler, delivery, now) =
                (Arc::clone(&subscription.handler), Arc::clone(&event), self.house.now());
            let outcome = self
                .house
                .db
                .write("events.deliver", move |tx| {
                    if !repo::mark_handled(tx, consumer, delivery.fact.id, now)? {
                        return Ok(false);
                    }
                    handler(tx, &delivery)?;
                    Ok(true)
                })
                .await;
            match outcome {
                Ok(fresh) => return Ok(fresh),
                Err(failure) if attempt == ATTEMPTS_MAX => {
                    tracing::error!(
                        code = failure.code().name,
                        consumer,
                        "a fact could not be handled and was put aside"
                    );
                    let (fact, code) = (event.fact.id, failure.code().name);
                    self.house
                        .db
                        .write("events.bury", move |tx| {
                            repo::bury(tx, consumer, fact, now, ATTEMPTS_MAX, code)
                        })
                        .await?;
                }
                Err(_) => tokio::time::sleep(backoff(attempt, BACKOFF, &self.house)).await,
            }
        }
        Ok(false)
    }
}

/// The wait before the next attempt: doubled each time, then anything between half and all of it.
pub(crate) fn backoff(attempt: u32, first: Duration, house: &House) -> Duration {
    let full = first.saturating_mul(1 << attempt.min(16));
    let half = u64::try_from(full.as_millis() / 2).unwrap_or(u64::MAX / 2).max(1);
    Duration::from_millis(half + house.chance.below(half))
}

/// Destroys the sealed parts of facts older than `keep`; the leaves stay. Returns how many facts.
///
/// # Errors
/// The store's.
pub async fn forget_older_than(house: &House, keep: Duration) -> Result<u64> {
    let before: Time = house.now().minus(keep);
    house.db.write("events.forget_sealed", move |tx| repo::forget_sealed(tx, before, 1_000)).await
}
