//! `/livez`, `/readyz` and, where no stranger comes, `/metrics`.
//!
//! Alive means that the process answers; ready means that everything it needs answers too. Checks look at our own
//! dependencies, never at the internet, and never at something slow.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    extract::{RawQuery, State},
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use base::{Result, telemetry::Metrics};

use crate::{
    Failure,
    caller::Boxed,
    door::Fittings,
    error::NOT_READY,
    zone::{Rules, Zone, ZoneRouter},
};

/// How long one check may take.
pub const CHECK_TIME_MAX: Duration = Duration::from_secs(2);
const TEXT: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];

type Check = Arc<dyn Fn() -> Boxed<'static, Result<()>> + Send + Sync>;

/// What must work before the house takes work; cheap to clone, all clones are one.
#[derive(Clone, Default)]
pub struct Checks(Arc<Mutex<Vec<(&'static str, Check)>>>);

impl Checks {
    /// Adds a check under a short name (`store`, `keys`).
    pub fn add<F>(&self, name: &'static str, check: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let check: Check = Arc::new(move || Box::pin(check()));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((name, check));
    }

    /// Runs all at once; the names with what they say.
    pub async fn run(&self) -> Vec<(&'static str, Result<()>)> {
        let checks = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let looks = checks.into_iter().map(|(name, check)| async move {
            let outcome = tokio::time::timeout(CHECK_TIME_MAX, check()).await;
            (name, outcome.unwrap_or_else(|_| Err(NOT_READY.error().with("checks", name))))
        });
        futures_util::future::join_all(looks).await
    }
}

#[derive(Clone)]
struct Health {
    checks: Checks,
    metrics: Metrics,
    open: bool,
}

pub(crate) fn routes<Z: Zone>(fittings: &Fittings) -> ZoneRouter<Z> {
    let health = Health { checks: fittings.checks.clone(), metrics: fittings.metrics.clone(), open: Z::OPEN };
    let router = ZoneRouter::<Z, Health>::new()
        .page("/livez", Rules::free(), get(async || (TEXT, "alive\n")))
        .page("/readyz", Rules::free(), get(ready));
    let router = if Z::OPEN { router } else { router.page("/metrics", Rules::free(), get(figures)) };
    router.with_state(health)
}

/// 200 when all is well, else 503; `?verbose` names every check where no stranger comes.
async fn ready(State(health): State<Health>, RawQuery(query): RawQuery) -> Response {
    let outcomes = health.checks.run().await;
    let failed: Vec<&str> =
        outcomes.iter().filter(|(_, outcome)| outcome.is_err()).map(|(name, _)| *name).collect();
    if !failed.is_empty() {
        let names = if health.open { "-".to_owned() } else { failed.join(", ") };
        return Failure(NOT_READY.error().with("checks", names).retry_after(1)).into_response();
    }
    let verbose = !health.open && query.is_some_and(|query| query.split('&').any(|part| part == "verbose"));
    let names = outcomes.iter().filter(|_| verbose).map(|(name, _)| format!("{name}: ok\n"));
    (TEXT, format!("{}ready\n", names.collect::<String>())).into_response()
}

async fn figures(State(health): State<Health>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], health.metrics.expose())
        .into_response()
}
