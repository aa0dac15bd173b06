//! What the pages of the authority show: the overview, what happened to a certificate, what was refused.

use axum::extract::{Path, State};
use base::{Lang, Time};
use http_kit::{Admin, Caller, ErrorReply, Failure, Items, Paging, Reply, ZoneRouter};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::{AuthorityBody, Doors, tenant_of};
use crate::{
    model::reason_name,
    service::{Counts, Environment, Happening, ListState, Overview, Refusal},
};

pub(super) fn overview_routes() -> ZoneRouter<Admin, Doors> {
    ZoneRouter::new().routes(routes!(overview)).routes(routes!(timeline)).routes(routes!(refusals))
}

/// The authority at a glance.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OverviewBody {
    /// By name; none before the first ceremony.
    environments: Vec<EnvironmentBody>,
    log: LogBody,
}

/// The evidence log of the authority.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LogBody {
    #[schema(example = "ca")]
    name: &'static str,
    /// How many leaves it has.
    size: u64,
}

/// An environment.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct EnvironmentBody {
    #[schema(example = "dev")]
    name: String,
    /// The root first.
    authorities: Vec<AuthorityBody>,
    counts: CountsBody,
    /// By authority and shard.
    lists: Vec<ListBody>,
}

/// How the certificates of services stand; those of authorities and OCSP responders are not counted.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CountsBody {
    /// Ever issued.
    issued: i64,
    /// Valid now.
    in_force: i64,
    revoked: i64,
    /// Past two thirds of their life, and none of the same names follows.
    overdue: i64,
    /// In force, ending within 30 days.
    within30_days: i64,
    /// In force, ending within 14 days.
    within14_days: i64,
    /// In force, ending within 7 days.
    within7_days: i64,
    /// In force, ending within a day.
    within1_day: i64,
}

/// A revocation list as it was signed last.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ListBody {
    /// `ca_…`
    authority: String,
    shard: u16,
    /// 0 until somebody asks for the list the first time.
    number: i64,
    #[schema(value_type = Option<String>, format = DateTime)]
    this_update: Option<Time>,
    #[schema(value_type = Option<String>, format = DateTime)]
    next_update: Option<Time>,
}

impl From<Counts> for CountsBody {
    fn from(counts: Counts) -> Self {
        let [month, fortnight, week, day] = counts.ending;
        Self {
            issued: counts.issued,
            in_force: counts.in_force,
            revoked: counts.revoked,
            overdue: counts.overdue,
            within30_days: month,
            within14_days: fortnight,
            within7_days: week,
            within1_day: day,
        }
    }
}

impl From<ListState> for ListBody {
    fn from(list: ListState) -> Self {
        Self {
            authority: list.authority.to_string(),
            shard: list.shard,
            number: list.number,
            this_update: list.this_update,
            next_update: list.next_update,
        }
    }
}

impl From<Environment> for EnvironmentBody {
    fn from(one: Environment) -> Self {
        Self {
            name: one.name,
            authorities: one.authorities.into_iter().map(AuthorityBody::from).collect(),
            counts: one.counts.into(),
            lists: one.lists.into_iter().map(ListBody::from).collect(),
        }
    }
}

impl From<Overview> for OverviewBody {
    fn from(one: Overview) -> Self {
        Self {
            environments: one.environments.into_iter().map(EnvironmentBody::from).collect(),
            log: LogBody { name: events::Log::Ca.name(), size: one.log_size },
        }
    }
}

/// Each environment with its authorities, how its certificates stand, its lists, and the size of the log `ca`.
#[utoipa::path(get, path = "/api/v1/pki/overview", tag = "pki",
    responses((status = 200, body = inline(Reply<OverviewBody>)), (status = 403, body = ErrorReply)))]
async fn overview(State(doors): State<Doors>, caller: Caller) -> Result<Reply<OverviewBody>, Failure> {
    caller.may("pki.read")?;
    Ok(Reply::ok(doors.pki.overview(tenant_of(&caller)).await?.into()))
}

/// Something that happened to a certificate.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct HappeningBody {
    /// `planned`, `issued`, `revoked`, `abandoned`
    what: &'static str,
    #[schema(value_type = String, format = DateTime)]
    at: Time,
    actor: String,
    /// `evt_…`; absent for a plan, which is no fact.
    fact: Option<String>,
    /// Its index in the log `ca`; absent until it has one.
    index: Option<u64>,
    /// Where its proof is (C2SP tlog-proof).
    #[schema(example = "/api/v1/audit/proof/evt_00000000000000000000000000")]
    proof: Option<String>,
    /// Why it was revoked.
    reason: Option<&'static str>,
}

impl From<Happening> for HappeningBody {
    fn from(one: Happening) -> Self {
        Self {
            what: one.what,
            at: one.at,
            actor: one.actor,
            fact: one.fact.map(|fact| fact.to_string()),
            index: one.index,
            proof: one.fact.map(|fact| format!("/api/v1/audit/proof/{fact}")),
            reason: one.reason.map(reason_name),
        }
    }
}

/// What happened to a certificate, oldest first, each fact with its place in the log `ca` and its proof.
#[utoipa::path(get, path = "/api/v1/pki/certificates/{id}/timeline", tag = "pki",
    params(("id" = String, Path, description = "`cert_…` or the serial number, hexadecimal")),
    responses((status = 200, body = inline(Reply<Items<HappeningBody>>)), (status = 404, body = ErrorReply)))]
async fn timeline(
    State(doors): State<Doors>,
    caller: Caller,
    Path(named): Path<String>,
) -> Result<Reply<Items<HappeningBody>>, Failure> {
    caller.may("pki.read")?;
    let all = doors.pki.timeline(tenant_of(&caller), &named).await?;
    Ok(Reply::ok(Items { items: all.into_iter().map(HappeningBody::from).collect(), next_page_token: None }))
}

/// A certificate that somebody asked for and did not get. What was asked for is not kept, so the sentences have a mark
/// where a name stood.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RefusalBody {
    /// `evt_…`
    fact: String,
    #[schema(value_type = String, format = DateTime)]
    at: Time,
    actor: String,
    #[schema(example = "PKI_NAME_FORBIDDEN")]
    code: String,
    /// What happened, in the caller's language.
    message: String,
    /// What to do.
    remedy: String,
    profile: Option<String>,
    /// `req_…`
    request: String,
    /// Its index in the log `ca`; absent until it has one.
    index: Option<u64>,
}

impl RefusalBody {
    fn of(one: Refusal, lang: Lang) -> Self {
        let [message, remedy] = one.sentences(lang);
        Self {
            fact: one.fact.to_string(),
            at: one.at,
            actor: one.actor,
            code: one.code,
            message,
            remedy,
            profile: one.profile,
            request: one.request,
            index: one.index,
        }
    }
}

/// What was refused, newest first, with the reason and what to do.
#[utoipa::path(get, path = "/api/v1/pki/refusals", tag = "pki", params(Paging),
    responses((status = 200, body = inline(Reply<Items<RefusalBody>>)), (status = 403, body = ErrorReply)))]
async fn refusals(
    State(doors): State<Doors>,
    caller: Caller,
    paging: Paging,
) -> Result<Reply<Items<RefusalBody>>, Failure> {
    caller.may("pki.read")?;
    let lang = caller.call.lang;
    let page = doors.pki.refusals(tenant_of(&caller), paging.limit, paging.page_token.as_deref()).await?;
    Ok(Reply::ok(page.map(|one| RefusalBody::of(one, lang)).into()))
}
