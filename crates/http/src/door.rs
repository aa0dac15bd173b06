//! The door of a zone: everything that happens to every request before and after its handler, in one place.
//!
//! In: request id, context of the call, allowances, proof of our own page, limits. Out: one of the agreed shapes,
//! the headers every response carries, one log line, one observation. A change runs in a task of its own, so that a
//! client that goes away cancels nothing half way. Never here: a word about what a handler does.

use std::{
    net::IpAddr,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use base::{
    Actor, Call, Chance, Clock, Error, Id, Lang,
    id::{from_base32, kind},
    telemetry::{Counters, Gauge, Histograms, Metrics, SECONDS_BUCKETS},
};
use futures_util::FutureExt;
use http_body_util::Limited;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::{
    Failure, OwnShape,
    caller::{Authenticate, Gatekeeper, LANGUAGE_COOKIE, Peer, cookie, recognise},
    config::DoorSettings,
    envelope::{self, ErrorPage, Shape},
    error::{BODY_TOO_LARGE, OVERLOADED, REQUEST_TIMEOUT, is_ours, of_status},
    headers,
    health::Checks,
    idempotency::{IdempotencyStore, once},
    limit::{Limits, Verdict},
    zone::{Class, RuleBook, Rules, Zone, ZoneRouter},
};

const AGENT_CHARS_MAX: usize = 256;
const FORWARDED_MAX: usize = 16;
const SOURCE_DEPTH_MAX: usize = 8;
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What the house lends to its doors.
#[derive(Clone)]
pub struct Fittings {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Gives random bytes for request ids.
    pub chance: Arc<dyn Chance>,
    /// Where figures are kept.
    pub metrics: Metrics,
    /// The house's tasks; stopping waits for them.
    pub tasks: TaskTracker,
    /// Recognises callers; none in a zone without callers.
    pub authenticate: Option<Arc<dyn Authenticate>>,
    /// Keeps `Idempotency-Key`s; none ignores the header.
    pub idempotency: Option<Arc<dyn IdempotencyStore>>,
    /// Renders errors for browsers of the public zone; none answers JSON.
    pub error_page: Option<ErrorPage>,
    /// What `/readyz` looks at.
    pub checks: Checks,
}

impl Fittings {
    /// The least a door needs; the rest is filled in by the house.
    pub fn new(clock: Arc<dyn Clock>, chance: Arc<dyn Chance>) -> Self {
        Self {
            clock,
            chance,
            metrics: Metrics::new(),
            tasks: TaskTracker::new(),
            authenticate: None,
            idempotency: None,
            error_page: None,
            checks: Checks::default(),
        }
    }
}

/// A zone ready to be served: every request goes through its door. Only a listener of the same zone takes it.
pub struct App<Z> {
    router: axum::Router,
    zone: std::marker::PhantomData<fn() -> Z>,
}

impl<Z> Clone for App<Z> {
    fn clone(&self) -> Self {
        Self { router: self.router.clone(), zone: std::marker::PhantomData }
    }
}

impl<Z: Zone> App<Z> {
    /// The service itself, for listeners and for tests that need no socket.
    pub fn service(&self) -> axum::Router {
        self.router.clone()
    }
}

impl<Z: Zone> ZoneRouter<Z> {
    /// Puts the door in front of the routes and adds `/livez` and `/readyz`, in a zone that is not open `/metrics` too.
    pub fn open(self, fittings: &Fittings, settings: &DoorSettings) -> App<Z> {
        let with_health = self.merge(crate::health::routes(fittings));
        let (router, _, rules) = with_health.split();
        let door = Arc::new(Door::new::<Z>(fittings, settings, rules));
        App { router: router.layer(from_fn_with_state(door, pass)), zone: std::marker::PhantomData }
    }
}

struct Figures {
    durations: Histograms,
    in_flight: Gauge,
    refused: Counters,
}

struct Door {
    zone: &'static str,
    open: bool,
    known: bool,
    fittings: Fittings,
    settings: DoorSettings,
    rules: RuleBook,
    security: Vec<(HeaderName, HeaderValue)>,
    limits: Limits,
    room: Arc<Semaphore>,
    figures: Figures,
}

impl Door {
    fn new<Z: Zone>(fittings: &Fittings, settings: &DoorSettings, rules: RuleBook) -> Self {
        let metrics = &fittings.metrics;
        let figures = Figures {
            durations: metrics.histograms(
                "selo_http_request_duration_seconds",
                "Time from the head of a request to the head of its answer, in seconds.",
                &["zone", "method", "route", "status"],
                SECONDS_BUCKETS,
            ),
            in_flight: metrics
                .gauges("selo_http_requests_in_flight", "Requests in hand.", &["zone"])
                .with(&[Z::NAME]),
            refused: metrics.counters(
                "selo_http_refused_total",
                "Requests that the door refused before a handler saw them.",
                &["zone", "code"],
            ),
        };
        Self {
            zone: Z::NAME,
            open: Z::OPEN,
            known: Z::KNOWN,
            fittings: fittings.clone(),
            settings: settings.clone(),
            rules,
            security: headers::security(settings.https),
            limits: Limits::new(settings.rates),
            room: Arc::new(Semaphore::new(settings.requests_max.max(1))),
            figures,
        }
    }
}

/// Counts a request in hand, also when its future is dropped.
struct InHand(Gauge);
impl InHand {
    fn new(gauge: &Gauge) -> Self {
        gauge.add(1.0);
        Self(gauge.clone())
    }
}
impl Drop for InHand {
    fn drop(&mut self) {
        self.0.add(-1.0);
    }
}

/// What the end of a request needs to know about its beginning.
struct Visit {
    method: Method,
    route: Option<MatchedPath>,
    rules: Rules,
    shape: Shape,
    lang: Lang,
    request_id: String,
    origin: Option<HeaderValue>,
    started: Instant,
}

impl Visit {
    fn path(&self) -> &str {
        self.route.as_ref().map_or("unmatched", MatchedPath::as_str)
    }
}

async fn pass(State(door): State<Arc<Door>>, mut request: Request, next: Next) -> Response {
    let _in_hand = InHand::new(&door.figures.in_flight);
    let started = Instant::now();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let asked = headers::preflight(request.method(), request.headers());
    let rules =
        door.rules.find(route.as_ref().map(MatchedPath::as_str), asked.as_ref().unwrap_or(request.method()));
    let peer = request.extensions().get::<Peer>().copied();
    let address = address_of(peer, request.headers(), &door.settings);
    let call = door.call(&request, address);
    let visit = Visit {
        method: request.method().clone(),
        route,
        rules,
        shape: Shape::asked(request.headers()),
        lang: call.lang,
        request_id: call.request.to_string(),
        origin: request.headers().get(header::ORIGIN).cloned(),
        started,
    };
    let span =
        tracing::info_span!("request", correlationId = call.correlation_id(), requestId = visit.request_id);
    let verdict = match peer {
        Some(Peer::Owner) => None,
        _ => door.limits.take(address, rules.class, door.fittings.clock.now()),
    };
    request.extensions_mut().insert(call);
    let response = if let Some(asked) = asked {
        door.preflight(&visit, &asked)
    } else {
        match door.admit(&request, &visit, verdict.as_ref()) {
            Ok(permit) => door.run(request, next, &visit, permit, &span).await,
            Err(error) => {
                door.figures.refused.with(&[door.zone, error.code().name]).increment();
                Failure(error).into_response()
            }
        }
    };
    span.in_scope(|| door.finish(response, &visit, verdict.as_ref()))
}

impl Door {
    fn call(&self, request: &Request, address: Option<IpAddr>) -> Call {
        let headers = request.headers();
        let id = Id::new(self.fittings.clock.now(), self.fittings.chance.as_ref());
        let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        Call {
            request: id,
            correlation: correlation_of(headers).unwrap_or(id),
            tenant: None,
            actor: Actor::anonymous(),
            lang: lang_of(request.uri(), headers),
            address: address.map(|address| address.to_canonical().to_string()),
            agent: agent.map(|agent| agent.chars().take(AGENT_CHARS_MAX).collect()),
        }
    }

    /// What can be said about a request without its handler; a permit to hold while it is in hand.
    fn admit(
        &self,
        request: &Request,
        visit: &Visit,
        verdict: Option<&Verdict>,
    ) -> Result<Option<OwnedSemaphorePermit>, Error> {
        if let Some(refusal) = verdict.and_then(Verdict::refusal) {
            return Err(refusal);
        }
        // Strangers' pages may post to the public zone as long as no cookie is in play: it does nothing in a name.
        if !self.open || request.headers().contains_key(header::COOKIE) {
            headers::own_page(request.method(), request.headers(), &self.settings.cors_origins)?;
        }
        let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        let announced = announced.and_then(|length| length.parse::<u64>().ok()).unwrap_or(0);
        if announced > visit.rules.body_bytes_max as u64 {
            return Err(BODY_TOO_LARGE.error().with("limit", visit.rules.body_bytes_max));
        }
        if visit.rules.class == Class::Free {
            return Ok(None);
        }
        let permit = Arc::clone(&self.room).try_acquire_owned();
        permit.map(Some).map_err(|_| OVERLOADED.error().retry_after(1))
    }

    async fn run(
        &self,
        request: Request,
        next: Next,
        visit: &Visit,
        permit: Option<OwnedSemaphorePermit>,
        span: &tracing::Span,
    ) -> Response {
        let rules = visit.rules;
        let mut request = request.map(|body| Body::new(Limited::new(body, rules.body_bytes_max)));
        if let Some(authenticate) = &self.fittings.authenticate {
            request.extensions_mut().insert(Gatekeeper(Arc::clone(authenticate)));
        }
        let store = self.fittings.idempotency.clone().filter(|_| rules.idempotent);
        let changes = !matches!(visit.method, Method::GET | Method::HEAD);
        let known = self.known;
        let work = async move {
            let _permit = permit;
            if known {
                let (mut parts, body) = request.into_parts();
                if let Err(refusal) = recognise(&mut parts).await {
                    return Failure(refusal).into_response();
                }
                request = Request::from_parts(parts, body);
            }
            let handled = AssertUnwindSafe(once(store.as_deref(), rules.body_bytes_max, request, next));
            handled.catch_unwind().await.unwrap_or_else(|_| panicked())
        };
        let work = work.instrument(span.clone());
        let within: Duration = rules.answer_time;
        let answered = if changes {
            let task = self.fittings.tasks.spawn(work);
            tokio::time::timeout(within, task).await.map(|ended| ended.unwrap_or_else(|_| panicked()))
        } else {
            tokio::time::timeout(within, work).await
        };
        answered.unwrap_or_else(|_| {
            Failure(REQUEST_TIMEOUT.error().with("seconds", within.as_secs()).retry_after(5)).into_response()
        })
    }

    fn preflight(&self, visit: &Visit, asked: &Method) -> Response {
        let mut response = StatusCode::NO_CONTENT.into_response();
        let origin = visit.origin.as_ref();
        let listed = &self.settings.cors_origins;
        if headers::cross_origin(origin, asked, &visit.rules, listed, response.headers_mut()) {
            headers::preflight_answer(response.headers_mut());
        }
        response
    }

    /// Gives the answer its shape and headers, writes the line and counts.
    fn finish(&self, response: Response, visit: &Visit, verdict: Option<&Verdict>) -> Response {
        let (mut response, code) = self.shaped(response, visit);
        let status = response.status();
        let headers = response.headers_mut();
        for (name, value) in &self.security {
            headers.insert(name, value.clone());
        }
        headers::by_route(headers, &visit.rules);
        if visit.method != Method::OPTIONS {
            let listed = &self.settings.cors_origins;
            headers::cross_origin(visit.origin.as_ref(), &visit.method, &visit.rules, listed, headers);
        }
        if let Some(verdict) = verdict {
            verdict.headers(headers);
        }
        if let Ok(id) = HeaderValue::try_from(visit.request_id.as_str()) {
            headers.insert(REQUEST_ID, id);
        }
        let took = visit.started.elapsed();
        let labels = [self.zone, method_label(&visit.method), visit.path(), status_label(status)];
        self.figures.durations.with(&labels).observe(took.as_secs_f64());
        self.log(visit, status, code, took);
        response
    }

    fn log(&self, visit: &Visit, status: StatusCode, code: Option<&'static str>, took: Duration) {
        let duration = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let (method, path, zone) = (method_label(&visit.method), visit.path(), self.zone);
        let status = status.as_u16();
        match (visit.rules.class, code) {
            (Class::Free, _) => {
                tracing::debug!(method, path, statusCode = status, duration, zone, "Request processed");
            }
            (_, None) => {
                tracing::info!(method, path, statusCode = status, duration, zone, "Request processed")
            }
            (_, Some(code)) => {
                tracing::info!(method, path, statusCode = status, duration, zone, code, "Request processed");
            }
        }
    }

    /// Renders a failure, or the framework's own refusal, in the shape that was asked for.
    fn shaped(&self, mut response: Response, visit: &Visit) -> (Response, Option<&'static str>) {
        let status = response.status();
        let error = match response.extensions_mut().remove::<Failure>() {
            Some(Failure(error)) => error,
            None if status.as_u16() < 400 || response.extensions().get::<OwnShape>().is_some() => {
                return (response, None);
            }
            None => of_status(status, visit.rules.body_bytes_max),
        };
        if is_ours(error.kind()) {
            report(&error);
        }
        let page = self.fittings.error_page.filter(|_| self.open);
        let mut rendered = match visit.rules.dialect {
            Some(dialect) => dialect(&error, status),
            None => envelope::render(&error, status, visit.shape, visit.lang, &visit.request_id, page),
        };
        for (name, value) in response.headers() {
            if !matches!(*name, header::CONTENT_TYPE | header::CONTENT_LENGTH | header::RETRY_AFTER) {
                rendered.headers_mut().append(name, value.clone());
            }
        }
        if visit.method == Method::HEAD {
            *rendered.body_mut() = Body::empty();
        }
        (rendered, Some(error.code().name))
    }
}

/// A failure of our own is written once, here, with what caused it. Only the first line of each cause: a database
/// puts values of rows into the further ones.
fn report(error: &Error) {
    let mut causes = Vec::new();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next.filter(|_| causes.len() < SOURCE_DEPTH_MAX) {
        causes.push(cause.to_string().lines().next().unwrap_or_default().to_owned());
        next = cause.source();
    }
    let source = causes.join(": ");
    match error.kind() {
        base::Kind::Unavailable => tracing::warn!(code = error.code().name, source, "Request refused"),
        _ => tracing::error!(code = error.code().name, source, "Request failed"),
    }
}

fn panicked() -> Response {
    #[derive(Debug)]
    struct Panicked;
    impl std::fmt::Display for Panicked {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a handler panicked")
        }
    }
    impl std::error::Error for Panicked {}
    Failure(base::error::INTERNAL.because(Panicked)).into_response()
}

/// `?lang=`, else the cookie, else `Accept-Language`, else English.
fn lang_of(uri: &Uri, headers: &HeaderMap) -> Lang {
    let asked =
        uri.query().and_then(|query| query.split('&').take(64).find_map(|pair| pair.strip_prefix("lang=")));
    let accepted = || headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    asked
        .and_then(Lang::negotiate)
        .or_else(|| cookie(headers, LANGUAGE_COOKIE).and_then(Lang::negotiate))
        .or_else(|| accepted().and_then(Lang::negotiate))
        .unwrap_or_default()
}

/// The chain that a request belongs to: ours as `corr_…`, or the trace id of W3C Trace Context (§3.2.2.3). Both are 128
/// bits; anything else is as if nothing were said.
fn correlation_of(headers: &HeaderMap) -> Option<Id<kind::Request>> {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(number) = text(&CORRELATION_ID).and_then(|text| from_base32(text.strip_prefix("corr_")?)) {
        return id_of(number);
    }
    let mut parts = text(&TRACE_PARENT)?.split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |text: &str, length: usize| {
        text.len() == length
            && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let formed = hex(version, 2) && version != "ff" && hex(trace, 32) && hex(parent, 16) && hex(flags, 2);
    let number = u128::from_str_radix(trace, 16).ok().filter(|number| formed && *number != 0)?;
    id_of(number)
}

/// A correlation is any 128 bits, so it goes by way of the id's text.
fn id_of(number: u128) -> Option<Id<kind::Request>> {
    format!("req_{}", base::id::base32(number)).parse().ok()
}

/// The socket's address, or what a trusted proxy says: the last address that is not a trusted proxy's own.
fn address_of(peer: Option<Peer>, headers: &HeaderMap, settings: &DoorSettings) -> Option<IpAddr> {
    let Some(Peer::Network(peer)) = peer else { return None };
    let trusted = |address: IpAddr| settings.trusted_proxies.iter().any(|network| network.contains(address));
    let mut address = peer.ip();
    let values: Vec<&str> =
        headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok()).collect();
    let hops = values.iter().rev().flat_map(|value| value.rsplit(','));
    for hop in hops.take(FORWARDED_MAX) {
        if !trusted(address) {
            break;
        }
        let Ok(next) = hop.trim().parse() else { break };
        address = next;
    }
    Some(address)
}

fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}

fn status_label(status: StatusCode) -> &'static str {
    match status.as_u16() {
        200 => "200",
        201 => "201",
        202 => "202",
        204 => "204",
        206 => "206",
        301 => "301",
        302 => "302",
        303 => "303",
        304 => "304",
        400 => "400",
        401 => "401",
        403 => "403",
        404 => "404",
        405 => "405",
        409 => "409",
        413 => "413",
        415 => "415",
        422 => "422",
        429 => "429",
        500 => "500",
        503 => "503",
        507 => "507",
        other => match other / 100 {
            1 => "1xx",
            2 => "2xx",
            3 => "3xx",
            4 => "4xx",
            _ => "5xx",
        },
    }
}
