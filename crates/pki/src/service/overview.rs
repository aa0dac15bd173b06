//! What an operator sees at a glance: each environment with its authorities, counts and lists; what happened to one
//! certificate; what was refused.

use std::time::Duration;

use base::{Id, Lang, Page, PageToken, Result, Time, error::Code, id::kind::Event};
use events::{Log, Recorded};
use proof::x509::crl::Reason;

use super::Pki;
use crate::{
    facts,
    model::{Authority, AuthorityId, TenantId},
    repo::{self, CountsRow, OverdueRow, SignedRow},
};

/// Certificates that end so soon are counted.
pub(super) const ENDING_DAYS: [u32; 4] = [30, 14, 7, 1];
const DAY: Duration = Duration::from_secs(86_400);
/// What stands in a sentence where the record keeps nothing.
const NOT_KEPT: &str = "…";

/// The authority at a glance.
#[derive(Debug, Clone)]
pub struct Overview {
    /// By name.
    pub environments: Vec<Environment>,
    /// How many leaves the log `ca` has.
    pub log_size: u64,
}

/// One environment.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// The root first.
    pub authorities: Vec<Authority>,
    /// How its certificates stand.
    pub counts: Counts,
    /// Its revocation lists, by authority and shard.
    pub lists: Vec<ListState>,
}

/// How the certificates of services stand. Those of authorities and responders are not counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Ever issued.
    pub issued: i64,
    /// Valid now.
    pub in_force: i64,
    /// Revoked.
    pub revoked: i64,
    /// Past two thirds of their life, and none of the same names follows.
    pub overdue: i64,
    /// In force and ending within 30, 14, 7 and 1 days.
    pub ending: [i64; 4],
}

/// A revocation list as it was signed last.
#[derive(Debug, Clone, Copy)]
pub struct ListState {
    /// Whose it is.
    pub authority: AuthorityId,
    /// Which of its lists.
    pub shard: u16,
    /// The number of the one that was signed last; 0 before the first.
    pub number: i64,
    /// When it was signed; never, until somebody asks.
    pub this_update: Option<Time>,
    /// Until when it may be used.
    pub next_update: Option<Time>,
}

/// Something that happened to a certificate.
#[derive(Debug, Clone)]
pub struct Happening {
    /// `planned`, `issued`, `revoked`, `abandoned`.
    pub what: &'static str,
    /// When.
    pub at: Time,
    /// Who did it.
    pub actor: String,
    /// The fact; a plan is none.
    pub fact: Option<Id<Event>>,
    /// Its index in the log `ca`, once it has one.
    pub index: Option<u64>,
    /// Why it was revoked.
    pub reason: Option<Reason>,
}

/// A certificate that somebody asked for and did not get. What was asked for is not kept.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The fact.
    pub fact: Id<Event>,
    /// When.
    pub at: Time,
    /// Who asked.
    pub actor: String,
    /// The code of the reason.
    pub code: String,
    /// The profile, when there is one of that name.
    pub profile: Option<String>,
    /// The request: `req_…`.
    pub request: String,
    /// Its index in the log `ca`, once it has one.
    pub index: Option<u64>,
}

impl Refusal {
    /// What happened and what to do, with a mark where the record keeps nothing; empty for a code of another release.
    pub fn sentences(&self, lang: Lang) -> [String; 2] {
        let known = base::error::CODES.iter().find(|code| code.name == self.code);
        known.map_or_else(Default::default, |code| sentences(code, lang))
    }
}

fn sentences(code: &Code, lang: Lang) -> [String; 2] {
    let text = code.text(lang);
    [text.cause, text.remedy].map(without_arguments)
}

/// A sentence without its arguments: what stood there was never recorded.
fn without_arguments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        out.push_str(NOT_KEPT);
        rest = after.split_once('}').map_or("", |(_, tail)| tail);
    }
    out.push_str(rest);
    out
}

impl Pki {
    /// Each environment with its authorities, how its certificates stand, and its lists.
    ///
    /// # Errors
    /// The store's.
    pub async fn overview(&self, tenant: TenantId) -> Result<Overview> {
        let now = self.house.now();
        let before = ending(now);
        let db = self.house.db.tenant(tenant.uuid());
        let (authorities, counts, overdue, lists) = db
            .read("pki.overview", move |rx| {
                Ok((
                    repo::authorities(rx, tenant)?,
                    repo::counts(rx, tenant, now, before)?,
                    repo::count_overdue(rx, tenant, now, before)?,
                    repo::signed_lists(rx, tenant)?,
                ))
            })
            .await?;
        let log_size = self.house.db.read("pki.log_size", |rx| events::log_size(rx, Log::Ca)).await?;
        let mut environments: Vec<Environment> = Vec::new();
        for authority in authorities {
            let counted = counts_of(authority.id, &counts, &overdue);
            let signed = lists.iter().filter(|one| one.authority == authority.id).map(ListState::from);
            match environments.last_mut().filter(|one| one.name == authority.environment) {
                Some(known) => {
                    known.counts = known.counts.plus(counted);
                    known.lists.extend(signed);
                    known.authorities.push(authority);
                }
                None => environments.push(Environment {
                    name: authority.environment.clone(),
                    counts: counted,
                    lists: signed.collect(),
                    authorities: vec![authority],
                }),
            }
        }
        Ok(Overview { environments, log_size })
    }

    /// What happened to a certificate, oldest first.
    ///
    /// # Errors
    /// `PKI_CERTIFICATE_NOT_FOUND`; the store's.
    pub async fn timeline(&self, tenant: TenantId, named: &str) -> Result<Vec<Happening>> {
        let certificate = self.certificate(tenant, named).await?;
        let resource = certificate.id.to_string();
        let recorded = self
            .house
            .db
            .read("pki.timeline", move |rx| {
                let facts = events::payloads_of_resource(rx, tenant, &resource)?;
                facts.into_iter().map(|fact| Ok((index_of(rx, &fact)?, fact))).collect::<Result<Vec<_>>>()
            })
            .await?;
        let mut all = vec![Happening {
            what: "planned",
            at: certificate.planned_at,
            actor: certificate.asked_by,
            fact: None,
            index: None,
            reason: None,
        }];
        all.extend(recorded.into_iter().filter_map(|(index, fact)| {
            let what = match fact.kind.as_str() {
                kind if kind == facts::CERTIFICATE_ISSUED.name => "issued",
                kind if kind == facts::CERTIFICATE_REVOKED.name => "revoked",
                kind if kind == facts::CERTIFICATE_ABANDONED.name => "abandoned",
                _ => return None,
            };
            let reason = fact.payload["reason"].as_u64().and_then(|code| u8::try_from(code).ok());
            Some(Happening {
                what,
                at: fact.time,
                actor: fact.actor_id,
                fact: Some(fact.id),
                index,
                reason: reason.and_then(Reason::from_code),
            })
        }));
        Ok(all)
    }

    /// A page of what was refused, newest first.
    ///
    /// # Errors
    /// `PAGE_TOKEN_INVALID`; the store's.
    pub async fn refusals(&self, tenant: TenantId, limit: u32, token: Option<&str>) -> Result<Page<Refusal>> {
        let before = match token {
            None => Id::LAST,
            Some(text) => PageToken::decode(text, 1)?.0.first().map_or(Ok(Id::LAST), |id| id.parse())?,
        };
        let found = self
            .house
            .db
            .read("pki.refusals", move |rx| {
                let facts = events::of_type(rx, tenant, facts::CERTIFICATE_REFUSED.name, before, limit + 1)?;
                facts.into_iter().map(|fact| Ok((index_of(rx, &fact)?, fact))).collect::<Result<Vec<_>>>()
            })
            .await?;
        let page = Page::cut(found, limit, |(_, fact)| PageToken(vec![fact.id.to_string()]));
        Ok(page.map(|(index, fact)| {
            let word = |name: &str| fact.payload[name].as_str().map(str::to_owned);
            Refusal {
                code: word("code").unwrap_or_default(),
                profile: word("profile"),
                fact: fact.id,
                at: fact.time,
                actor: fact.actor_id,
                request: fact.resource_id,
                index,
            }
        }))
    }
}

fn index_of(rx: &mut store::Rx<'_>, fact: &Recorded) -> Result<Option<u64>> {
    Ok(events::leaf_of(rx, fact.id)?.map(|(_, index)| index))
}

/// The moments before which certificates that end are counted.
pub(super) fn ending(now: Time) -> [Time; 4] {
    ENDING_DAYS.map(|days| now.plus(DAY * days))
}

fn counts_of(id: AuthorityId, counts: &[CountsRow], overdue: &[OverdueRow]) -> Counts {
    let late = overdue.iter().filter(|row| row.authority == id).map(|row| row.overdue).sum();
    counts.iter().find(|row| row.authority == id).map_or_else(Counts::default, |row| Counts {
        issued: row.issued,
        in_force: row.in_force,
        revoked: row.revoked,
        overdue: late,
        ending: row.ending,
    })
}

impl Counts {
    fn plus(self, other: Self) -> Self {
        let [a, b, c, d] = self.ending;
        let [e, f, g, h] = other.ending;
        Self {
            issued: self.issued + other.issued,
            in_force: self.in_force + other.in_force,
            revoked: self.revoked + other.revoked,
            overdue: self.overdue + other.overdue,
            ending: [a + e, b + f, c + g, d + h],
        }
    }
}

impl From<&SignedRow> for ListState {
    fn from(row: &SignedRow) -> Self {
        Self {
            authority: row.authority,
            shard: row.shard,
            number: row.number,
            this_update: row.this_update,
            next_update: row.next_update,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error;

    #[test]
    fn a_refusal_is_told_again_without_what_was_asked_for() {
        assert_eq!(
            sentences(&error::NAME_FORBIDDEN, Lang::En),
            ["The name … is not for this asker.", "The operator decides this with …."]
        );
        assert_eq!(
            sentences(&error::KEY_BARRED, Lang::Pt)[1],
            "Crie uma nova chave; esta nunca mais será certificada."
        );
        assert_eq!(without_arguments("a {b} c {"), "a … c …");
    }
}
