//! The nouns of who is who.

use base::{Id, Time, id::kind};

/// A tenant.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// Its id.
    pub id: Id<kind::Tenant>,
    /// The institution's name, as it stands on what it issues.
    pub name: String,
    /// Its issuer identifier.
    pub did: String,
    /// When it was made.
    pub created_at: Time,
}

/// An administrator.
#[derive(Debug, Clone)]
pub struct User {
    /// Its id.
    pub id: Id<kind::User>,
    /// What to call them.
    pub name: String,
    /// Their roles.
    pub roles: Vec<String>,
}

/// An entry of an administrator's browser.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its id, for facts.
    pub id: Id<kind::Session>,
    /// Whose.
    pub user: User,
    /// Until when.
    pub expires_at: Time,
}

/// A key for programs; the key itself is shown once.
#[derive(Debug, Clone)]
pub struct ApiKey {
    /// Its tenant.
    pub tenant: Id<kind::Tenant>,
    /// Its id.
    pub id: Id<kind::ApiKey>,
    /// What it is for.
    pub name: String,
    /// Its roles.
    pub roles: Vec<String>,
    /// When it was made.
    pub created_at: Time,
    /// When it was revoked.
    pub revoked_at: Option<Time>,
}

/// A person as another room refers to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PersonRef {
    /// The person.
    pub id: Id<kind::Person>,
    /// Whether the person is forgotten.
    pub erased: bool,
}
