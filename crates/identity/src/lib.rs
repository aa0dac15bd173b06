//! Who is who: tenants, the people they know, the administrators who act, the keys of programs.
//!
//! A person is (tenant, kind, normalised identifier), found by a blind index; what is known of a person is sealed under
//! the person's own key, and forgetting a person is destroying that key. Whoever acts becomes a `Caller` here.
//! Never here: a token in clear in the database, a person found by another tenant, a role that is not in the table.

mod account;
pub mod error;
pub mod facts;
mod http;
mod model;
mod repo;
mod rules;
mod service;

pub use account::{Account, NewAccount};
pub use http::{Entry, admin_routes, contract};
pub use model::{ApiKey, PersonRef, Session, Tenant, User};
pub use repo::{forget_person, insert_person, person_erased_at, persons_by_index};
pub use rules::{PERMISSIONS, Role, normalise_email};
pub use service::{Identity, ONCE_MINUTES};

use store::Migration;

/// This room's tables.
pub const MIGRATIONS: &[Migration] =
    &[store::migration!("identity", "0001_identity"), store::migration!("identity", "0002_account")];

/// Tables that belong to no tenant: none.
pub const TABLES_WITHOUT_TENANT: &[(&str, &str)] = &[];
