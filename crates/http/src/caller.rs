//! Who is asking: [`Context`] for everybody, [`Caller`] for somebody the house knows.
//!
//! The room that knows people plugs in [`Authenticate`]; the kit only collects what the request carries and makes
//! every refusal look the same. Never here: a look at a token's inside, or a reason in a refusal.

use std::{collections::BTreeSet, future::Future, pin::Pin, sync::Arc};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use base::{Call, Error, Id, Kind, Result, Secret, id::kind};

use crate::{
    Failure,
    clients::ClientCertificate,
    error::{FORBIDDEN, NOT_FOUND, UNAUTHENTICATED},
};

/// The cookie that holds a session's token.
pub const SESSION_COOKIE: &str = "__Host-selo-session";
/// The cookie that holds the chosen language.
pub const LANGUAGE_COOKIE: &str = "selo-lang";
const TOKEN_BYTES_MAX: usize = 512;

/// A future in a box, for ports.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a request shows to be recognised.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// Nothing.
    None,
    /// The token of a session cookie.
    Session(Secret<String>),
    /// `Authorization: Bearer …`: an API key.
    ApiKey(Secret<String>),
    /// A client certificate that was shown in the handshake, DER. Nothing else that the request shows counts then.
    Certificate(Arc<[u8]>),
    /// The local socket: the operating system says that it is the owner of the home.
    Owner,
}

/// How the other end of the connection is known to the listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// A network address.
    Network(std::net::SocketAddr),
    /// The owner of the home, over the local socket.
    Owner,
}

/// Recognises callers; written by the room that knows people.
pub trait Authenticate: Send + Sync + 'static {
    /// Says who it is, with the call's actor and tenant filled in.
    ///
    /// Look a token up by its hash, once, whatever is wrong with it: an unknown, an expired and a revoked one must
    /// cost the same. Every error but one of the house's own trouble becomes `UNAUTHENTICATED`.
    fn authenticate<'a>(&'a self, call: &'a Call, credentials: Credentials) -> Boxed<'a, Result<Caller>>;
}

/// The context of the request: every handler may ask for it.
#[derive(Debug, Clone)]
pub struct Context(pub Call);

/// What a caller may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permissions {
    /// Everything: the owner of the home.
    All,
    /// These.
    Some(BTreeSet<String>),
}

/// Somebody the house knows.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The context, with actor and tenant filled in.
    pub call: Call,
    /// The tenant whose things are seen; none for the owner of the home and for operators of the whole house.
    pub tenant: Option<Id<kind::Tenant>>,
    /// The names of the roles, for show.
    pub roles: Vec<String>,
    /// What the roles permit.
    pub permissions: Permissions,
}

impl Caller {
    /// The owner of the home, who may do everything.
    pub fn owner(call: Call) -> Self {
        let tenant = call.tenant;
        Self { call, tenant, roles: vec!["owner".to_owned()], permissions: Permissions::All }
    }

    /// Whether a permission is there.
    pub fn has(&self, permission: &str) -> bool {
        match &self.permissions {
            Permissions::All => true,
            Permissions::Some(known) => known.contains(permission),
        }
    }

    /// Lets pass who has the permission.
    ///
    /// # Errors
    /// `FORBIDDEN`, naming the permission.
    pub fn may(&self, permission: &str) -> Result<()> {
        if self.has(permission) { Ok(()) } else { Err(FORBIDDEN.error().with("permission", permission)) }
    }

    /// As [`Caller::may`], for things whose very existence is hidden from others.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub fn may_see(&self, permission: &str) -> Result<()> {
        if self.has(permission) { Ok(()) } else { Err(NOT_FOUND.error()) }
    }

    /// The tenant, for verbs that need one.
    ///
    /// # Errors
    /// `NOT_FOUND` when the caller stands outside of every tenant.
    pub fn tenant(&self) -> Result<Id<kind::Tenant>> {
        self.tenant.ok_or_else(|| NOT_FOUND.error())
    }
}

/// The port, as the door puts it into the request.
#[derive(Clone)]
pub(crate) struct Gatekeeper(pub(crate) Arc<dyn Authenticate>);

impl<S: Sync> FromRequestParts<S> for Context {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        parts
            .extensions
            .get::<Call>()
            .cloned()
            .map(Self)
            .ok_or_else(|| Failure(base::error::INTERNAL.error()))
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        Ok(recognise(parts).await?)
    }
}

/// `Option<Caller>`: nobody when nothing is shown; what is shown must still be right.
impl<S: Sync> axum::extract::OptionalFromRequestParts<S> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Failure> {
        if matches!(shown(parts), Credentials::None) {
            return Ok(None);
        }
        Ok(Some(recognise(parts).await?))
    }
}

/// Recognises the caller once per request; the second extractor gets the first one's result.
pub(crate) async fn recognise(parts: &mut Parts) -> Result<Caller> {
    if let Some(known) = parts.extensions.get::<Caller>() {
        return Ok(known.clone());
    }
    let credentials = shown(parts);
    let (Some(gate), Some(call)) = (parts.extensions.get::<Gatekeeper>(), parts.extensions.get::<Call>())
    else {
        return Err(UNAUTHENTICATED.error());
    };
    if matches!(credentials, Credentials::None) {
        return Err(UNAUTHENTICATED.error());
    }
    let caller = gate.0.authenticate(call, credentials).await.map_err(alike)?;
    parts.extensions.insert(caller.clone());
    Ok(caller)
}

/// Whatever was wrong with the token, the answer is one and the same.
fn alike(error: Error) -> Error {
    match error.kind() {
        Kind::Unavailable | Kind::Internal | Kind::Full | Kind::TooMany => error,
        _ => UNAUTHENTICATED.error(),
    }
}

fn shown(parts: &Parts) -> Credentials {
    if parts.extensions.get::<Peer>() == Some(&Peer::Owner) {
        return Credentials::Owner;
    }
    if let Some(ClientCertificate(certificate)) = parts.extensions.get() {
        return Credentials::Certificate(Arc::clone(certificate));
    }
    let mut values = parts.headers.get_all(header::AUTHORIZATION).iter();
    if let Some(value) = values.next() {
        // Two of them are one too many: whoever reads the other one would decide differently.
        let text = value.to_str().ok().filter(|_| values.next().is_none()).unwrap_or_default();
        let token = text.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        return match token.map(|(_, token)| token.trim()) {
            Some(token) if token.len() <= TOKEN_BYTES_MAX => {
                Credentials::ApiKey(Secret::new(token.to_owned()))
            }
            // Something was shown, so it is judged, and fails like any other wrong token.
            _ => Credentials::ApiKey(Secret::new(String::new())),
        };
    }
    match cookie(&parts.headers, SESSION_COOKIE) {
        Some(token) if token.len() <= TOKEN_BYTES_MAX => Credentials::Session(Secret::new(token.to_owned())),
        Some(_) => Credentials::Session(Secret::new(String::new())),
        None => Credentials::None,
    }
}

/// The value of a cookie (RFC 6265 §5.4).
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';').take(64))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value)
}

/// The header that sets the session's cookie: for this host only, not for scripts, not sent along by other sites.
pub fn session_cookie(token: &Secret<String>, seconds_max: u64) -> String {
    format!(
        "{SESSION_COOKIE}={}; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age={seconds_max}",
        token.expose()
    )
}

/// The header that takes the session's cookie away.
pub fn session_cookie_gone() -> String {
    format!("{SESSION_COOKIE}=; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=0")
}
