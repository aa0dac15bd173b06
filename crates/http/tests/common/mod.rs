//! A small house with one room, for the tests of the door.

#![allow(dead_code, reason = "each test file uses its part of it")]

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, Request, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base::{Actor, ActorKind, Call, Id, MockClock, SeededChance, Time, config::Config, id::kind};
use bytes::Bytes;
use http_kit::{
    Admin, App, Authenticate, Boxed, Caller, Checks, Context, Credentials, DoorSettings, Fittings, Items,
    Json, MemoryIdempotency, Outcome, OwnShape, Paging, PathId, Permissions, Public, Query, Reply, Rules,
    SETTINGS, UNAUTHENTICATED, ZoneRouter, routes,
};
use tower::ServiceExt;

pub const GOOD: &str = "key_good";
pub const READER: &str = "key_reader";
pub const AWAY: &str = "key_away";

/// How often the handler that makes things ran.
#[derive(Clone, Default)]
pub struct Shop {
    pub made: Arc<AtomicU32>,
    pub finished: Arc<AtomicU32>,
}

#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Thing {
    pub number: u32,
    pub actor: String,
    pub lang: String,
    pub correlation: String,
    pub address: Option<String>,
}

fn thing(number: u32, call: &Call) -> Thing {
    Thing {
        number,
        actor: call.actor.id.clone(),
        lang: call.lang.tag().to_owned(),
        correlation: call.correlation_id(),
        address: call.address.clone(),
    }
}

#[derive(Debug, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewThing {
    pub name: String,
    pub rows: Option<Vec<Row>>,
}
#[derive(Debug, serde::Deserialize, utoipa::ToSchema)]
pub struct Row {
    pub size: u32,
}

/// Lists things.
#[utoipa::path(get, path = "/api/v1/things", params(Paging), responses((status = 200, body = Reply<Items<Thing>>)))]
async fn list(caller: Caller, paging: Paging) -> Outcome<Reply<Items<Thing>>> {
    caller.may("thing.read")?;
    paging.token(1)?;
    let items = (0..paging.limit.min(3)).map(|number| thing(number, &caller.call)).collect();
    Ok(Reply::ok(Items { items, next_page_token: None }))
}

/// Makes a thing.
#[utoipa::path(post, path = "/api/v1/things", request_body = NewThing, responses((status = 201, body = Reply<Thing>)))]
async fn make(State(shop): State<Shop>, caller: Caller, Json(new): Json<NewThing>) -> Outcome<Reply<Thing>> {
    caller.may("thing.make")?;
    let made = shop.made.fetch_add(1, Ordering::SeqCst) + 1;
    match new.name.as_str() {
        "refuse" => return Err(base::error::VALIDATION.at("/name").into()),
        "panic" => panic!("on purpose"),
        "slow" => {
            tokio::time::sleep(Duration::from_millis(150)).await;
            shop.finished.fetch_add(1, Ordering::SeqCst);
        }
        _ => {}
    }
    Ok(Reply::created(thing(made, &caller.call)).header("location", format!("/api/v1/things/{made}")))
}

/// Shows a thing.
#[utoipa::path(get, path = "/api/v1/things/{id}", params(("id" = String, Path)), responses((status = 200, body = Reply<String>)))]
async fn show(caller: Caller, PathId(id): PathId<kind::Credential>) -> Outcome<Reply<String>> {
    caller.may_see("thing.read")?;
    Ok(Reply::ok(id.to_string()))
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Search {
    text: String,
    size: Option<u32>,
}

async fn search(Query(search): Query<Search>) -> Reply<String> {
    Reply::ok(format!("{} {:?}", search.text, search.size))
}

async fn who(Context(call): Context) -> Reply<Thing> {
    Reply::ok(thing(0, &call))
}

async fn trouble() -> Outcome<Reply<()>> {
    let source = std::io::Error::other("disk on fire\nDETAIL: maria@example.org");
    Err(base::error::INTERNAL.because(source).into())
}

async fn upload(body: Bytes) -> Reply<usize> {
    Reply::ok(body.len())
}

async fn own_shape() -> Response {
    let mut response = (StatusCode::NOT_FOUND, "<!doctype html><p>gone").into_response();
    response.extensions_mut().insert(OwnShape);
    response
}

/// A protocol that says no in its own words, and always with 200.
fn foreign(failure: &base::Error, status: StatusCode) -> Response {
    format!("{} {}", status.as_u16(), failure.code().name).into_response()
}

async fn boom() -> Response {
    panic!("on purpose")
}

pub fn admin_routes(shop: Shop) -> ZoneRouter<Admin> {
    ZoneRouter::<Admin, Shop>::new()
        .routes(routes!(list, make))
        .routes(routes!(show))
        .page("/trouble", Rules::read(), get(trouble))
        .page("/boom", Rules::read(), get(boom))
        .page(
            "/slow",
            Rules::read().answer_within(Duration::from_millis(30)),
            get(async || tokio::time::sleep(Duration::from_secs(5)).await),
        )
        .page("/slow-change", Rules::write().answer_within(Duration::from_millis(30)), post(make))
        .with_state(shop)
}

pub fn public_routes() -> ZoneRouter<Public> {
    ZoneRouter::new()
        .page("/search", Rules::read().indexable(), get(search))
        .page("/who", Rules::read(), get(who).post(who))
        .page("/status/{handle}", Rules::read().open_to_every_origin(), get(async || "list"))
        .page("/upload", Rules::heavy().body_bytes(100), post(upload))
        .page("/own", Rules::read(), get(own_shape))
        .page("/entry", Rules::entry(), post(who))
        .page("/foreign", Rules::check().body_bytes(10).in_dialect(foreign), post(upload))
        .page("/kept", Rules::read(), get(async || ([("cache-control", "public, max-age=60")], "kept")))
}

/// Knows two keys, one session and the owner.
pub struct Doorman {
    pub asked: Arc<AtomicU32>,
}

impl Authenticate for Doorman {
    fn authenticate<'a>(
        &'a self,
        call: &'a Call,
        credentials: Credentials,
    ) -> Boxed<'a, base::Result<Caller>> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let token = match &credentials {
                Credentials::Owner => return Ok(Caller::owner(call.clone())),
                Credentials::ApiKey(token) | Credentials::Session(token) => token.expose().clone(),
                Credentials::Certificate(_) | Credentials::None => return Err(UNAUTHENTICATED.error()),
            };
            let permissions: &[&str] = match token.as_str() {
                GOOD => &["thing.read", "thing.make"],
                READER => &["thing.read"],
                "key_expired" => return Err(http_kit::FORBIDDEN.error().with("permission", "to live")),
                "key_deleted" => return Err(http_kit::NOT_FOUND.error()),
                AWAY => return Err(http_kit::OVERLOADED.error()),
                _ => return Err(UNAUTHENTICATED.error()),
            };
            let mut call = call.clone();
            call.actor = Actor { kind: ActorKind::Institution, id: token };
            let tenant = Id::new(Time::from_seconds(1), &SeededChance::new(5));
            call.tenant = Some(tenant);
            Ok(Caller {
                call,
                tenant: Some(tenant),
                roles: vec!["clerk".to_owned()],
                permissions: Permissions::Some(
                    permissions.iter().map(|p| (*p).to_owned()).collect::<BTreeSet<_>>(),
                ),
            })
        })
    }
}

pub struct House {
    pub clock: Arc<MockClock>,
    pub fittings: Fittings,
    pub settings: DoorSettings,
    pub shop: Shop,
    pub asked: Arc<AtomicU32>,
}

impl House {
    pub fn new() -> Self {
        Self::with(&[])
    }

    pub fn with(flags: &[(&str, &str)]) -> Self {
        let flags: Vec<_> = flags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let config = Config::load(&[SETTINGS], None, std::iter::empty(), &flags).unwrap();
        let clock = Arc::new(MockClock::at(Time::from_seconds(1_790_000_000)));
        let mut fittings = Fittings::new(clock.clone(), Arc::new(SeededChance::new(1)));
        let asked = Arc::new(AtomicU32::new(0));
        fittings.authenticate = Some(Arc::new(Doorman { asked: asked.clone() }));
        fittings.idempotency = Some(Arc::new(MemoryIdempotency::new(clock.clone())));
        fittings.checks = Checks::default();
        fittings.error_page = Some(|error, lang, request| {
            Some(format!(
                "<!doctype html><title>{}</title>{} {request}",
                error.code().name,
                error.cause(lang)
            ))
        });
        let settings = DoorSettings::from_config(&config, "https://selo.example").unwrap();
        Self { clock, fittings, settings, shop: Shop::default(), asked }
    }

    pub fn admin(&self) -> App<Admin> {
        admin_routes(self.shop.clone()).open(&self.fittings, &self.settings)
    }

    pub fn public(&self) -> App<Public> {
        public_routes().open(&self.fittings, &self.settings)
    }
}

/// An answer, read to its end.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
    pub fn field(&self) -> String {
        self.json()["error"]["details"][0]["field"].as_str().unwrap_or_default().to_owned()
    }
}

pub fn request(method: &str, target: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.into()).unwrap()
}

pub async fn answer(service: axum::Router, request: Request<Body>) -> Answer {
    let response = service.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap().to_vec();
    Answer { status: parts.status.as_u16(), headers: parts.headers, body }
}

/// GET in the zone.
pub async fn fetch<Z: http_kit::Zone>(app: &App<Z>, target: &str, headers: &[(&str, &str)]) -> Answer {
    answer(app.service(), request("GET", target, headers, Body::empty())).await
}

/// POST of JSON with the good key.
pub async fn send<Z: http_kit::Zone>(
    app: &App<Z>,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let key = format!("Bearer {GOOD}");
    let mut all = vec![("content-type", "application/json"), ("authorization", key.as_str())];
    all.extend_from_slice(headers);
    answer(app.service(), request("POST", target, &all, body.to_owned())).await
}
