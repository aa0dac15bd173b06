//! The doors of ACME, for whichever zone the house opens them in. A handler lets the request in, calls one verb and
//! presents what came of it.
//!
//! Never here: a client treated otherwise for what it calls itself.

mod answer;
mod external;
mod posted;

use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use base::Result;
use http_kit::{Rules, Zone, ZoneRouter};
use proof::{jws::JWS_BYTES_MAX, x509::pem};
use serde_json::{Value, json};

use answer::Answer;
pub(crate) use external::external_routes;
use posted::Posted;

use super::{
    error,
    model::{Account, Authorization, AuthorizationState, OrderId, OrderStatus},
    prober::ChallengeKind,
    problem, rules,
    service::{Acme, Placed},
};

/// How long a directory may be kept on the way.
const DIRECTORY_SECONDS: u32 = 60;
/// How long renewal information may be kept on the way.
const RENEWAL_SECONDS: u32 = 60;
/// When a client asks for renewal information again.
const RENEWAL_AGAIN_SECONDS: u32 = 6 * 3_600;
/// When a client looks again at what is not finished.
const LOOK_AGAIN_SECONDS: u32 = 1;

/// The routes, in the zone that the house opens them in.
pub fn acme_routes<Z: Zone>(acme: Acme) -> ZoneRouter<Z> {
    // Most posts are looks (POST-as-GET), so they draw from the allowance of looks; orders have quotas of their own.
    let signed = Rules::read().body_bytes(JWS_BYTES_MAX).in_dialect(answer::refused);
    let looked_up = Rules::check().in_dialect(answer::refused);
    ZoneRouter::new()
        .page("/acme/directory", signed, get(directory_unnamed).post(directory_unnamed_signed))
        .page("/acme/{environment}/directory", signed, get(directory).post(directory_signed))
        .page("/acme/{environment}/new-nonce", signed, get(nonce_get).head(nonce_head).post(nonce_signed))
        .page("/acme/{environment}/new-account", signed, post(new_account))
        .page("/acme/{environment}/account/{handle}", signed, post(account))
        .page("/acme/{environment}/account/{handle}/orders", signed, post(orders))
        .page("/acme/{environment}/key-change", signed, post(key_change))
        .page("/acme/{environment}/new-order", signed, post(new_order))
        .page("/acme/{environment}/order/{handle}", signed, post(order))
        .page("/acme/{environment}/order/{handle}/finalize", signed, post(finalize))
        .page("/acme/{environment}/order/{handle}/certificate", signed, post(certificate))
        .page("/acme/{environment}/authorization/{handle}", signed, post(authorization))
        .page("/acme/{environment}/challenge/{handle}/{kind}", signed, post(challenge))
        .page("/acme/{environment}/revoke", signed, post(revoke))
        // Outside of every quota of an account, since renewal must not fail because somebody orders too often; each answer
        // asks the store, so the door counts it as a check.
        .page("/acme/{environment}/renewal-info/{id}", looked_up, get(renewal))
        .with_state(acme)
}

// ---- what anybody may ask

async fn directory_unnamed(State(acme): State<Acme>) -> Response {
    answer::open(directory_of(&acme, None).await)
}

async fn directory(State(acme): State<Acme>, Path(environment): Path<String>) -> Response {
    answer::open(directory_of(&acme, Some(&environment)).await)
}

async fn directory_unnamed_signed(State(acme): State<Acme>, posted: Posted) -> Response {
    match acme.directory(None).await {
        Ok(found) => directory_signed(State(acme), Path(found.environment), posted).await,
        Err(failure) => answer::open(Err(failure)),
    }
}

async fn directory_signed(
    State(acme): State<Acme>,
    Path(environment): Path<String>,
    posted: Posted,
) -> Response {
    let done = async {
        look(&acme, &environment, &posted).await?;
        directory_of(&acme, Some(&environment)).await
    };
    answer::signed(&acme, &environment, done.await)
}

/// A look of an account at what anybody may ask (RFC 8555 §6.3).
async fn look(acme: &Acme, environment: &str, posted: &Posted) -> Result<()> {
    let admitted = posted.admit(acme, environment).await?;
    admitted.account()?;
    admitted.only_looks()
}

async fn directory_of(acme: &Acme, environment: Option<&str>) -> Result<Answer> {
    let found = acme.directory(environment).await?;
    let url = |rest: &str| acme.url(&found.environment, rest);
    let profiles: serde_json::Map<String, Value> = found
        .profiles
        .iter()
        .map(|profile| {
            let days = profile.shape().lifetime_s_max / 86_400;
            (profile.as_str().to_owned(), json!(format!("{} certificates of {days} days", profile.as_str())))
        })
        .collect();
    let mut meta = json!({"externalAccountRequired": acme.settings.external, "profiles": profiles});
    if let Some(members) = meta.as_object_mut() {
        if let Some(terms) = &acme.settings.terms {
            members.insert("termsOfService".into(), json!(terms));
        }
        if let Some(domain) = &acme.settings.caa_identity {
            members.insert("caaIdentities".into(), json!([domain]));
        }
    }
    let body = json!({
        "newNonce": url("new-nonce"), "newAccount": url("new-account"), "newOrder": url("new-order"),
        "revokeCert": url("revoke"), "keyChange": url("key-change"), "renewalInfo": url("renewal-info"),
        "meta": meta,
    });
    Ok(Answer::json(StatusCode::OK, body).kept(DIRECTORY_SECONDS))
}

async fn nonce_get(State(acme): State<Acme>, Path(environment): Path<String>) -> Response {
    answer::signed(&acme, &environment, Ok(Answer::empty(StatusCode::NO_CONTENT)))
}

async fn nonce_head(State(acme): State<Acme>, Path(environment): Path<String>) -> Response {
    answer::signed(&acme, &environment, Ok(Answer::empty(StatusCode::OK)))
}

async fn nonce_signed(State(acme): State<Acme>, Path(environment): Path<String>, posted: Posted) -> Response {
    let done = async {
        look(&acme, &environment, &posted).await?;
        Ok(Answer::empty(StatusCode::OK))
    };
    answer::signed(&acme, &environment, done.await)
}

async fn renewal(State(acme): State<Acme>, Path((environment, id)): Path<(String, String)>) -> Response {
    let window = acme.renewal(&environment, &id).await.map(|(start, end)| {
        let body = json!({"suggestedWindow": {"start": start, "end": end}});
        Answer::json(StatusCode::OK, body).kept(RENEWAL_SECONDS).retry_after(RENEWAL_AGAIN_SECONDS)
    });
    answer::open(window)
}

// ---- accounts

async fn new_account(State(acme): State<Acme>, Path(environment): Path<String>, posted: Posted) -> Response {
    let done = async {
        let admitted = posted.admit(&acme, &environment).await?;
        let (account, is_new) = acme.new_account(&posted.call, &environment, &admitted).await?;
        let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
        Ok(Answer::json(status, account_json(&acme, &account)?).location(acme.account_url(&account)))
    };
    answer::signed(&acme, &environment, done.await)
}

async fn account(
    State(acme): State<Acme>,
    Path((environment, handle)): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let done = async {
        let admitted = posted.admit(&acme, &environment).await?;
        own(admitted.account()?, &handle)?;
        let account = acme.update_account(&posted.call, &admitted).await?;
        Ok(Answer::json(StatusCode::OK, account_json(&acme, &account)?).location(acme.account_url(&account)))
    };
    answer::signed(&acme, &environment, done.await)
}

/// Another account's address answers as one that does not exist.
fn own(account: &Account, handle: &str) -> Result<()> {
    if account.handle == handle { Ok(()) } else { Err(error::NOTHING.error()) }
}

fn account_json(acme: &Acme, account: &Account) -> Result<Value> {
    let mut body = json!({
        "status": account.status.name(),
        "orders": acme.url(&account.environment, &format!("account/{}/orders", account.handle)),
    });
    let contact = acme.contacts(account)?;
    if let Some(members) = body.as_object_mut().filter(|_| !contact.is_empty()) {
        members.insert("contact".into(), json!(contact));
    }
    Ok(body)
}

/// Where a page of orders begins.
#[derive(Debug, serde::Deserialize)]
struct Before {
    before: Option<String>,
}

async fn orders(
    State(acme): State<Acme>,
    Path((environment, handle)): Path<(String, String)>,
    Query(query): Query<Before>,
    posted: Posted,
) -> Response {
    let done = async {
        let admitted = posted.admit(&acme, &environment).await?;
        let account = admitted.account()?;
        own(account, &handle)?;
        admitted.only_looks()?;
        let before = query.before.map(|text| text.parse::<OrderId>()).transpose();
        let before = before.map_err(|_| error::NOTHING.error())?;
        let (handles, next) = acme.orders(account, before).await?;
        let all: Vec<String> =
            handles.iter().map(|handle| acme.url(&environment, &format!("order/{handle}"))).collect();
        let mut answer = Answer::json(StatusCode::OK, json!({"orders": all}));
        if let Some(next) = next {
            let rest = format!("account/{}/orders?before={next}", account.handle);
            answer = answer.link(&acme.url(&environment, &rest), "next");
        }
        Ok(answer)
    };
    answer::signed(&acme, &environment, done.await)
}

async fn key_change(State(acme): State<Acme>, Path(environment): Path<String>, posted: Posted) -> Response {
    let done = async {
        let admitted = posted.admit(&acme, &environment).await?;
        let account = acme.change_key(&posted.call, &admitted).await?;
        Ok(Answer::json(StatusCode::OK, account_json(&acme, &account)?).location(acme.account_url(&account)))
    };
    answer::signed(&acme, &environment, done.await)
}

// ---- orders

async fn new_order(State(acme): State<Acme>, Path(environment): Path<String>, posted: Posted) -> Response {
    let done = async {
        let admitted = posted.admit(&acme, &environment).await?;
        let placed = acme.new_order(&posted.call, &admitted).await?;
        Ok(order_answer(&acme, &environment, &placed, StatusCode::CREATED))
    };
    answer::signed(&acme, &environment, done.await)
}

async fn order(
    State(acme): State<Acme>,
    Path((environment, handle)): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let done = async {
        let admitted = posted.admit(&acme, &environment).await?;
        admitted.only_looks()?;
        let placed = acme.order(admitted.account()?, &handle).await?;
        Ok(order_answer(&acme, &environment, &placed, StatusCode::OK))
    };
    answer::signed(&acme, &environment, done.await)
}

async fn finalize(
    State(acme): State<Acme>,
    Path((environment, handle)): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let done = async {
        let admitted = posted.admit(&acme, &environment).await?;
        let placed = acme.finalize(&posted.call, &admitted, &handle).await?;
        Ok(order_answer(&acme, &environment, &placed, StatusCode::OK))
    };
    answer::signed(&acme, &environment, done.await)
}

fn order_answer(acme: &Acme, environment: &str, placed: &Placed, status: StatusCode) -> Answer {
    let Placed { order, parts } = placed;
    let url = |rest: String| acme.url(environment, &rest);
    let standing = order.status(parts, acme.pki.house.now());
    let identifiers: Vec<Value> = order
        .names
        .iter()
        .map(|name| json!({"type": name.identifier.kind(), "value": name.value()}))
        .collect();
    let authorizations: Vec<String> =
        parts.iter().map(|part| url(format!("authorization/{}", part.handle))).collect();
    let mut body = json!({
        "status": standing.name(),
        "expires": order.expires_at,
        "identifiers": identifiers,
        "authorizations": authorizations,
        "profile": order.profile.as_str(),
        "finalize": url(format!("order/{}/finalize", order.handle)),
    });
    if let Some(members) = body.as_object_mut() {
        if let Some(replaces) = &order.replaces {
            members.insert("replaces".into(), json!(replaces));
        }
        if let Some(end) = order.not_after {
            members.insert("notAfter".into(), json!(end));
        }
        if standing == OrderStatus::Valid {
            let certificate = url(format!("order/{}/certificate", order.handle));
            members.insert("certificate".into(), json!(certificate));
        }
        if standing == OrderStatus::Invalid
            && let Some(problem) = order_problem(placed)
        {
            members.insert("error".into(), problem);
        }
    }
    let answer = Answer::json(status, body).location(url(format!("order/{}", order.handle)));
    if standing == OrderStatus::Processing { answer.retry_after(LOOK_AGAIN_SECONDS) } else { answer }
}

/// Why nothing will come of an order.
fn order_problem(placed: &Placed) -> Option<Value> {
    if placed.order.certificate.is_some() {
        return Some(problem::document(&error::GIVEN_UP.error()).1);
    }
    let failed: Vec<&Value> = placed.parts.iter().filter_map(|part| part.error.as_ref()).collect();
    match failed.as_slice() {
        [] => None,
        [only] => Some((*only).clone()),
        several => {
            let mut problem = problem::document(&error::IDENTIFIERS.error()).1;
            if let Some(members) = problem.as_object_mut() {
                members.insert("subproblems".into(), json!(several));
            }
            Some(problem)
        }
    }
}

async fn certificate(
    State(acme): State<Acme>,
    Path((environment, handle)): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let done = async {
        let admitted = posted.admit(&acme, &environment).await?;
        admitted.only_looks()?;
        let chain = acme.certificate(admitted.account()?, &handle).await?;
        if posted.wants_der {
            let leaf = chain.into_iter().next().unwrap_or_default();
            return Ok(Answer::bytes("application/pkix-cert", leaf));
        }
        let text = pem::encode_chain(chain.iter().map(Vec::as_slice));
        Ok(Answer::bytes("application/pem-certificate-chain", text.into_bytes()))
    };
    answer::signed(&acme, &environment, done.await)
}

// ---- authorizations

async fn authorization(
    State(acme): State<Acme>,
    Path((environment, handle)): Path<(String, String)>,
    posted: Posted,
) -> Response {
    let done = async {
        let admitted = posted.admit(&acme, &environment).await?;
        let found = acme.update_authorization(&posted.call, &admitted, &handle).await?;
        let answer = Answer::json(StatusCode::OK, authorization_json(&acme, &environment, &found));
        let looking = found.state == AuthorizationState::Pending && found.challenge.is_some();
        Ok(if looking { answer.retry_after(LOOK_AGAIN_SECONDS) } else { answer })
    };
    answer::signed(&acme, &environment, done.await)
}

fn authorization_json(acme: &Acme, environment: &str, one: &Authorization) -> Value {
    // What is over shows the challenge that decided it; before, every one that could.
    let over = one.state != AuthorizationState::Pending;
    let challenges: Vec<Value> = rules::challenges(&one.ordered)
        .iter()
        .filter(|kind| !over || one.challenge.is_none_or(|chosen| chosen == **kind))
        .map(|kind| challenge_json(acme, environment, one, *kind))
        .collect();
    let identifier = &one.ordered.identifier;
    let mut body = json!({
        "status": one.status(acme.pki.house.now()),
        "expires": one.expires_at,
        "identifier": {"type": identifier.kind(), "value": identifier.value()},
        "challenges": challenges,
    });
    if let Some(members) = body.as_object_mut().filter(|_| one.ordered.wildcard) {
        members.insert("wildcard".into(), json!(true));
    }
    body
}

fn challenge_json(acme: &Acme, environment: &str, one: &Authorization, kind: ChallengeKind) -> Value {
    let chosen = one.challenge == Some(kind);
    let status = match one.state {
        AuthorizationState::Valid if chosen => "valid",
        AuthorizationState::Invalid if chosen => "invalid",
        AuthorizationState::Pending if chosen => "processing",
        _ => "pending",
    };
    let mut body = json!({
        "type": kind.name(),
        "status": status,
        "url": acme.url(environment, &format!("challenge/{}/{}", one.handle, kind.name())),
        "token": one.token,
    });
    if let Some(members) = body.as_object_mut() {
        if let Some(at) = one.validated_at.filter(|_| status == "valid") {
            members.insert("validated".into(), json!(at.whole_second()));
        }
        if let Some(problem) = one.error.as_ref().filter(|_| status == "invalid") {
            members.insert("error".into(), problem.clone());
        }
    }
    body
}

async fn challenge(
    State(acme): State<Acme>,
    Path((environment, handle, kind)): Path<(String, String, String)>,
    posted: Posted,
) -> Response {
    let done = async {
        let admitted = posted.admit(&acme, &environment).await?;
        let kind = ChallengeKind::parse(&kind).ok_or_else(|| error::NOTHING.error())?;
        let found = acme.answer_challenge(&admitted, &handle, kind).await?;
        let body = challenge_json(&acme, &environment, &found, kind);
        let looking = body.get("status").and_then(Value::as_str) == Some("processing");
        let above = acme.url(&environment, &format!("authorization/{handle}"));
        let answer = Answer::json(StatusCode::OK, body).link(&above, "up");
        Ok(if looking { answer.retry_after(LOOK_AGAIN_SECONDS) } else { answer })
    };
    answer::signed(&acme, &environment, done.await)
}

// ---- revoking

async fn revoke(State(acme): State<Acme>, Path(environment): Path<String>, posted: Posted) -> Response {
    let done = async {
        let admitted = posted.admit(&acme, &environment).await?;
        acme.revoke(&posted.call, &environment, &admitted).await?;
        Ok(Answer::empty(StatusCode::OK))
    };
    answer::signed(&acme, &environment, done.await)
}
