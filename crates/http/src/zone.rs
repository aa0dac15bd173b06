//! Zones as types: a route belongs to a zone, a listener serves a zone, and the compiler keeps them apart.
//!
//! A room gives one [`ZoneRouter`] per zone it speaks in. Each route carries its [`Rules`]: how often, how large, how
//! long, who may read it across origins. Two zones cannot be merged:
//!
//! ```compile_fail,E0308
//! use http_kit::{Admin, Public, ZoneRouter};
//! let outside: ZoneRouter<Public> = ZoneRouter::new();
//! let inside: ZoneRouter<Admin> = ZoneRouter::new();
//! let both = outside.merge(inside);
//! ```
//!
//! Nor can anything of the public zone come to stand where there is no TLS:
//!
//! ```compile_fail,E0308
//! use http_kit::{Plain, Public, ZoneRouter};
//! let open: ZoneRouter<Plain> = ZoneRouter::new();
//! let both = open.merge(ZoneRouter::<Public>::new());
//! ```
//!
//! Two routers of one zone can:
//!
//! ```
//! use http_kit::{Public, ZoneRouter};
//! let both: ZoneRouter<Public> = ZoneRouter::new().merge(ZoneRouter::new());
//! ```

use std::{collections::HashMap, convert::Infallible, marker::PhantomData, time::Duration};

use axum::{
    extract::{DefaultBodyLimit, Request},
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
    routing::MethodRouter,
};
use base::Error;
use utoipa::openapi::{OpenApi, OpenApiBuilder, PathItem};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

/// The body that an address takes when nobody says otherwise.
pub const BODY_BYTES_DEFAULT: usize = 1 << 20;
/// How long an answer may take when nobody says otherwise.
pub const ANSWER_TIME_DEFAULT: Duration = Duration::from_secs(30);

/// A zone of the network.
pub trait Zone: Send + Sync + 'static {
    /// Its word in settings, logs and figures.
    const NAME: &'static str;
    /// Whether strangers reach it; pages for browsers instead of JSON errors, no details of our inside.
    const OPEN: bool;
    /// Whether nobody is answered who is not recognised, whatever the route.
    const KNOWN: bool = false;
}

/// The internet.
#[derive(Debug, Clone, Copy)]
pub struct Public;
impl Zone for Public {
    const NAME: &'static str = "public";
    const OPEN: bool = true;
}

/// Administrators: behind an allow-list or VPN, and the local socket.
#[derive(Debug, Clone, Copy)]
pub struct Admin;
impl Zone for Admin {
    const NAME: &'static str = "admin";
    const OPEN: bool = false;
}

/// The internet in clear, beside a public listener that speaks TLS: what a check of revocation needs, and the way to
/// the public address.
#[derive(Debug, Clone, Copy)]
pub struct Plain;
impl Zone for Plain {
    const NAME: &'static str = "plain";
    const OPEN: bool = true;
}

/// Programs of partners, each behind a client certificate of this house.
#[derive(Debug, Clone, Copy)]
pub struct Partner;
impl Zone for Partner {
    const NAME: &'static str = "partner";
    // Partners are outside of the house: none of its figures is theirs to read.
    const OPEN: bool = true;
    const KNOWN: bool = true;
}

/// Which allowance of requests a route draws from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Looking something up.
    Read,
    /// Changing something.
    Write,
    /// Work that costs us: uploads, verification, pictures.
    Heavy,
    /// Where a secret could be guessed.
    Entry,
    /// Whether something still holds: revocation lists, OCSP, renewal information. Machines ask it often, and for many
    /// others behind one address.
    Check,
    /// Not counted: health, files of the page.
    Free,
}

impl Class {
    /// The word in headers and settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Heavy => "heavy",
            Self::Entry => "entry",
            Self::Check => "check",
            Self::Free => "free",
        }
    }
}

/// Who may read the answers from a page of another origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cors {
    /// The origins that the operator listed (nobody by default).
    Listed,
    /// Everybody, `*`, without credentials: status lists, tiles, public keys. Only for GET.
    Open,
}

/// What the door asks of a request before a handler sees it.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    pub(crate) class: Class,
    pub(crate) body_bytes_max: usize,
    pub(crate) answer_time: Duration,
    pub(crate) cors: Cors,
    pub(crate) idempotent: bool,
    pub(crate) indexable: bool,
    pub(crate) dialect: Option<Dialect>,
}

/// How a standard protocol says no: the failure and its status become an answer of that protocol.
pub type Dialect = fn(&Error, StatusCode) -> Response;

impl Rules {
    const fn of(class: Class) -> Self {
        Self {
            class,
            body_bytes_max: BODY_BYTES_DEFAULT,
            answer_time: ANSWER_TIME_DEFAULT,
            cors: Cors::Listed,
            idempotent: false,
            indexable: false,
            dialect: None,
        }
    }
    /// Looking something up: the default of GET.
    pub const fn read() -> Self {
        Self::of(Class::Read)
    }
    /// Changing something, with `Idempotency-Key`: the default of the other methods.
    pub const fn write() -> Self {
        Self { idempotent: true, ..Self::of(Class::Write) }
    }
    /// Work that costs us.
    pub const fn heavy() -> Self {
        Self::of(Class::Heavy)
    }
    /// Where a secret could be guessed.
    pub const fn entry() -> Self {
        Self::of(Class::Entry)
    }
    /// Whether something still holds.
    pub const fn check() -> Self {
        Self::of(Class::Check)
    }
    /// Not counted and not logged.
    pub const fn free() -> Self {
        Self::of(Class::Free)
    }
    /// Takes bodies of up to so many bytes.
    #[must_use]
    pub const fn body_bytes(mut self, max: usize) -> Self {
        self.body_bytes_max = max;
        self
    }
    /// May take so long to answer.
    #[must_use]
    pub const fn answer_within(mut self, time: Duration) -> Self {
        self.answer_time = time;
        self
    }
    /// Every page of the web may read it.
    #[must_use]
    pub const fn open_to_every_origin(mut self) -> Self {
        self.cors = Cors::Open;
        self
    }
    /// Takes `Idempotency-Key`; the whole body is read before the handler runs.
    #[must_use]
    pub const fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }
    /// Does not take `Idempotency-Key`: for bodies that stream.
    #[must_use]
    pub const fn not_idempotent(mut self) -> Self {
        self.idempotent = false;
        self
    }
    /// Failures have the form of a standard protocol, those of the door as well.
    #[must_use]
    pub const fn in_dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = Some(dialect);
        self
    }
    /// Search engines may list it.
    #[must_use]
    pub const fn indexable(mut self) -> Self {
        self.indexable = true;
        self
    }
    fn by_default(method: &Method) -> Self {
        if method == Method::GET || method == Method::HEAD { Self::read() } else { Self::write() }
    }
}

/// The rules of every route, found by the route's pattern and the method.
#[derive(Debug, Clone, Default)]
pub(crate) struct RuleBook(HashMap<String, Vec<(Option<Method>, Rules)>>);

impl RuleBook {
    fn put(&mut self, path: &str, method: Option<Method>, rules: Rules) {
        self.0.entry(path.to_owned()).or_default().push((method, rules));
    }
    fn extend(&mut self, other: Self) {
        for (path, rules) in other.0 {
            self.0.entry(path).or_default().extend(rules);
        }
    }
    /// The rules of a route; HEAD has those of GET. A path that nobody mounted is looked up like any other.
    pub(crate) fn find(&self, path: Option<&str>, method: &Method) -> Rules {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        path.and_then(|path| self.0.get(path))
            .and_then(|rules| {
                rules
                    .iter()
                    .find(|(known, _)| known.as_ref().is_none_or(|known| known == method))
                    .map(|(_, rules)| *rules)
            })
            .unwrap_or_else(|| Rules { idempotent: false, ..Rules::by_default(method) })
    }
}

/// Routes of one zone with their contract.
pub struct ZoneRouter<Z, S = ()> {
    pub(crate) inner: OpenApiRouter<S>,
    pub(crate) rules: RuleBook,
    zone: PhantomData<fn() -> Z>,
}

impl<Z: Zone, S: Clone + Send + Sync + 'static> Default for ZoneRouter<Z, S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<Z: Zone, S: Clone + Send + Sync + 'static> ZoneRouter<Z, S> {
    /// No routes yet.
    pub fn new() -> Self {
        let empty = OpenApiBuilder::new().build();
        Self { inner: OpenApiRouter::with_openapi(empty), rules: RuleBook::default(), zone: PhantomData }
    }

    /// Adds handlers with their contract (`routes!(list, issue)`, one path per call), under the default rules of
    /// their methods.
    #[must_use]
    pub fn routes(self, routes: UtoipaMethodRouter<S>) -> Self {
        self.add(None, routes)
    }

    /// Adds handlers with their contract under rules of their own.
    #[must_use]
    pub fn routes_with(self, rules: Rules, routes: UtoipaMethodRouter<S>) -> Self {
        self.add(Some(rules), routes)
    }

    fn add(mut self, rules: Option<Rules>, routes: UtoipaMethodRouter<S>) -> Self {
        for (path, item) in &routes.1.paths {
            for method in methods(item) {
                let rules = rules.unwrap_or_else(|| Rules::by_default(&method));
                self.rules.put(path, Some(method), rules);
            }
        }
        Self { inner: self.inner.routes(routes), ..self }
    }

    /// Adds a route that is no part of the contract: pages and files. The rules count for every method of it.
    #[must_use]
    pub fn page(mut self, path: &str, rules: Rules, handlers: MethodRouter<S>) -> Self {
        self.rules.put(path, None, rules);
        Self { inner: self.inner.route(path, handlers), ..self }
    }

    /// Answers what no route takes, e.g. with the web app's first page. One per zone.
    #[must_use]
    pub fn fallback_service<T>(self, service: T) -> Self
    where
        T: tower::Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        T::Response: IntoResponse,
        T::Future: Send + 'static,
    {
        Self { inner: self.inner.fallback_service(service), ..self }
    }

    /// Joins the routes of another room in the same zone.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.rules.extend(other.rules);
        Self { inner: self.inner.merge(other.inner), ..self }
    }

    /// Gives the handlers what they need.
    pub fn with_state<T: Clone + Send + Sync + 'static>(self, state: S) -> ZoneRouter<Z, T> {
        ZoneRouter { inner: self.inner.with_state(state), rules: self.rules, zone: PhantomData }
    }

    /// The contract of these routes.
    pub fn contract(&self) -> &OpenApi {
        self.inner.get_openapi()
    }

    /// Every route: method (none for all methods of a page), pattern, rules. For tests that walk them.
    pub fn list(&self) -> Vec<(Option<Method>, String, Rules)> {
        let all = self.rules.0.iter();
        let mut list: Vec<_> = all
            .flat_map(|(path, rules)| {
                rules.iter().map(move |(method, rules)| (method.clone(), path.clone(), *rules))
            })
            .collect();
        list.sort_by(|a, b| {
            (&a.1, a.0.as_ref().map(Method::as_str)).cmp(&(&b.1, b.0.as_ref().map(Method::as_str)))
        });
        list
    }

    pub(crate) fn split(self) -> (axum::Router<S>, OpenApi, RuleBook) {
        let (router, contract) = self.inner.split_for_parts();
        // The door limits every body by the route's rules, so the framework's own limit would only be a second word.
        (router.layer(DefaultBodyLimit::disable()), contract, self.rules)
    }
}

fn methods(item: &PathItem) -> Vec<Method> {
    [
        (&item.get, Method::GET),
        (&item.put, Method::PUT),
        (&item.post, Method::POST),
        (&item.delete, Method::DELETE),
        (&item.patch, Method::PATCH),
        (&item.head, Method::HEAD),
        (&item.options, Method::OPTIONS),
        (&item.trace, Method::TRACE),
    ]
    .into_iter()
    .filter(|(operation, _)| operation.is_some())
    .map(|(_, method)| method)
    .collect()
}
