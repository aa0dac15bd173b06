//! The nouns of credentials.

use base::{Error, Id, Result, Time, id::kind};

use crate::error;

/// Where a credential stands. `Expired` is not here: it follows from the document and the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The bytes to be signed are durable; nobody has the credential yet.
    Planned,
    /// In force.
    Issued,
    /// Paused; can be lifted.
    Suspended,
    /// Withdrawn for good.
    Revoked,
    /// Planned and given up.
    Abandoned,
}

/// A change of status that a person asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// For good.
    Revoke,
    /// For now.
    Suspend,
    /// Back in force.
    Reinstate,
}

impl Change {
    /// The word in errors and addresses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Revoke => "revoke",
            Self::Suspend => "suspend",
            Self::Reinstate => "reinstate",
        }
    }
}

impl State {
    /// The word in SQL and API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Issued => "issued",
            Self::Suspended => "suspended",
            Self::Revoked => "revoked",
            Self::Abandoned => "abandoned",
        }
    }

    /// The state of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Planned, Self::Issued, Self::Suspended, Self::Revoked, Self::Abandoned]
            .into_iter()
            .find(|state| state.name() == name)
    }

    /// The state after a change.
    ///
    /// # Errors
    /// `CREDENTIAL_NOT_ISSUED`, `CREDENTIAL_REVOKED` (revoked is final), `CREDENTIAL_STATE`.
    pub fn change(self, change: Change) -> Result<Self, Error> {
        match (self, change) {
            (Self::Planned, _) => Err(error::NOT_ISSUED.error()),
            (Self::Revoked, _) => Err(error::REVOKED_FINAL.error()),
            (Self::Issued | Self::Suspended, Change::Revoke) => Ok(Self::Revoked),
            (Self::Issued, Change::Suspend) => Ok(Self::Suspended),
            (Self::Suspended, Change::Reinstate) => Ok(Self::Issued),
            (state, change) => {
                Err(error::STATE.error().with("state", state.name()).with("verb", change.name()))
            }
        }
    }
}

/// A credential as it stands in the store; what is sealed stays sealed.
#[derive(Debug, Clone)]
pub struct Credential {
    /// Its tenant.
    pub tenant: Id<kind::Tenant>,
    /// Its id.
    pub id: Id<kind::Credential>,
    /// Whose it is.
    pub person: Id<kind::Person>,
    /// The template's name.
    pub template: String,
    /// SHA-256 of the template's bytes.
    pub template_digest: [u8; 32],
    /// Where it stands.
    pub state: State,
    /// The status list.
    pub list: Id<kind::StatusList>,
    /// The place in the list.
    pub index: u32,
    /// The key that signs it.
    pub key: Id<kind::SigningKey>,
    /// The public page's handle.
    pub handle: String,
    /// The recipient page's handle.
    pub recipient_handle: String,
    /// The plan, sealed.
    pub plan_sealed: Option<Vec<u8>>,
    /// The signed credential, sealed.
    pub body_sealed: Option<Vec<u8>>,
    /// Why its status changed, sealed.
    pub reason_sealed: Option<Vec<u8>>,
    /// The job it came from, and its line there.
    pub job: Option<(Id<kind::Job>, u32)>,
    /// When it was issued.
    pub issued_at: Option<Time>,
    /// When its status last changed.
    pub status_at: Option<Time>,
    /// When its person was forgotten.
    pub erased_at: Option<Time>,
}

/// A status list.
#[derive(Debug, Clone)]
pub struct List {
    /// Its tenant.
    pub tenant: Id<kind::Tenant>,
    /// Its id.
    pub id: Id<kind::StatusList>,
    /// Its public handle.
    pub handle: String,
    /// How many places it has.
    pub size: u32,
    /// How many are taken.
    pub used: u32,
    /// The seed of the order in which places are taken, sealed.
    pub seed_sealed: Vec<u8>,
    /// Grows with every change of a status.
    pub version: i64,
    /// The signed list, if there is one.
    pub signed: Option<Vec<u8>>,
    /// The version that was signed.
    pub signed_version: i64,
    /// When it was signed.
    pub signed_at: Option<Time>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revoked_is_final_and_suspended_can_be_lifted() {
        assert_eq!(State::Issued.change(Change::Suspend).unwrap(), State::Suspended);
        assert_eq!(State::Suspended.change(Change::Reinstate).unwrap(), State::Issued);
        assert_eq!(State::Suspended.change(Change::Revoke).unwrap(), State::Revoked);
        for change in [Change::Revoke, Change::Suspend, Change::Reinstate] {
            assert!(State::Revoked.change(change).unwrap_err().is(&error::REVOKED_FINAL));
            assert!(State::Planned.change(change).is_err());
        }
        assert!(State::Issued.change(Change::Reinstate).unwrap_err().is(&error::STATE));
    }
}
