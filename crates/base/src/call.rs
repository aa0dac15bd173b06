//! The context of a call: who asks, for which tenant, under which request id, in which language.
//!
//! It is made once at the door (HTTP, socket, job) and handed down; a fact copies from it who did it.

use crate::{
    chance::Chance,
    id::{Id, kind},
    lang::Lang,
    time::Time,
};

/// What sort of actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActorKind {
    /// An administrator or operator.
    User,
    /// A program of an institution.
    Institution,
    /// The house itself: jobs, the command line of its owner.
    System,
    /// Nobody we know.
    Anonymous,
}

impl ActorKind {
    /// The word in SQL, events and pages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Institution => "institution",
            Self::System => "system",
            Self::Anonymous => "anonymous",
        }
    }
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// What sort.
    pub kind: ActorKind,
    /// Its public id (`user_…`, `key_…`), or the job's or command's name.
    pub id: String,
}

impl Actor {
    /// The house itself, in the role of `name`.
    pub fn system(name: &str) -> Self {
        Self { kind: ActorKind::System, id: name.to_owned() }
    }

    /// Nobody we know.
    pub fn anonymous() -> Self {
        Self { kind: ActorKind::Anonymous, id: "anonymous".to_owned() }
    }
}

/// The context of a call.
#[derive(Debug, Clone)]
pub struct Call {
    /// This request.
    pub request: Id<kind::Request>,
    /// The first request of the chain, `corr_…` outside.
    pub correlation: Id<kind::Request>,
    /// The tenant it is about, once that is known.
    pub tenant: Option<Id<kind::Tenant>>,
    /// Who acts.
    pub actor: Actor,
    /// The language of the answer.
    pub lang: Lang,
    /// The network address it came from; sealed wherever it is stored.
    pub address: Option<String>,
    /// The user agent; sealed wherever it is stored.
    pub agent: Option<String>,
}

impl Call {
    /// A call by the house itself.
    pub fn system(name: &str, now: Time, chance: &dyn Chance) -> Self {
        let request = Id::new(now, chance);
        Self {
            request,
            correlation: request,
            tenant: None,
            actor: Actor::system(name),
            lang: Lang::En,
            address: None,
            agent: None,
        }
    }

    /// The correlation id as it stands in logs and events.
    pub fn correlation_id(&self) -> String {
        format!("corr_{}", self.correlation.bare())
    }

    /// The same call, about a tenant.
    #[must_use]
    pub fn for_tenant(&self, tenant: Id<kind::Tenant>) -> Self {
        Self { tenant: Some(tenant), ..self.clone() }
    }
}
