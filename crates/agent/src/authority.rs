//! The conversation with an authority: the account, an order from names to a chain, and the window it suggests.
//!
//! The protocol itself is the library's; the transport, the limits and what is shown to prove control are ours.
//! Never here: a decision when to renew, a key that goes out, a chain that is trusted.

use std::{
    borrow::Cow,
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use base::{Chance, Result, Time};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use instant_acme::{
    AccountCredentials, AuthorizationStatus, CertificateIdentifier, Error, ExternalAccountKey, Identifier,
    NewAccount, NewOrder, Order, OrderStatus, RetryPolicy,
};
use tokio::time::timeout;

use crate::{
    challenge::Stage,
    config::{Account, Challenge, Wanted},
    error, files,
    plan::Window,
    transport::Transport,
};

/// An order, whole.
const ORDER: Duration = Duration::from_secs(300);
/// How long the authority may look for what was shown, and how long it may sign.
const WAIT: Duration = Duration::from_secs(120);
const ACCOUNT_FILE: &str = "account.json";
const ACCOUNT_BYTES_MAX: u64 = 64 * 1024;
const SECRET_BYTES_MAX: u64 = 4_096;
const SECRET_MODE: u32 = 0o600;

/// What is kept about an account, the key included: a file of its owner alone.
#[derive(serde::Serialize, serde::Deserialize)]
struct Kept {
    directory: String,
    credentials: AccountCredentials,
}

/// An account at an authority.
pub struct Authority {
    account: instant_acme::Account,
    transport: Transport,
    /// Where the account is kept.
    file: PathBuf,
}

impl Authority {
    /// Opens the account that is kept in the agent's folder, or a new one.
    ///
    /// # Errors
    /// `AGENT_AUTHORITY_REFUSED`, `AGENT_STATE_BROKEN`.
    pub async fn open(state: &Path, wanted: &Account) -> Result<Self> {
        let transport = Transport::new(wanted.ca.as_deref())?;
        let file = state.join(ACCOUNT_FILE);
        let broken =
            |reason: String| error::STATE.error().with("file", file.display()).with("reason", reason);
        let builder = || instant_acme::Account::builder_with_http(Box::new(transport.clone()));
        let directory = wanted.directory.as_str();
        if file.exists() {
            let bytes = files::read(&file, ACCOUNT_BYTES_MAX).map_err(|e| broken(e.to_string()))?;
            let kept: Kept = serde_json::from_slice(&bytes).map_err(|e| broken(e.to_string()))?;
            if kept.directory == directory {
                let account = builder().from_credentials(kept.credentials).await;
                return Ok(Self { account: account.map_err(|e| refused(&transport, &e))?, transport, file });
            }
        }
        let external = wanted.external.as_ref().map(|external| {
            let place = |reason: String| {
                error::STATE.error().with("file", external.key_file.display()).with("reason", reason)
            };
            let text = files::read(&external.key_file, SECRET_BYTES_MAX).map_err(|e| place(e.to_string()))?;
            let text = text.trim_ascii();
            let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
            let key = URL_SAFE_NO_PAD
                .decode(text.get(..text.len() - padding).unwrap_or_default())
                .map_err(|_| place("it is no base64url".to_owned()))?;
            Result::Ok(ExternalAccountKey::new(external.key_id.clone(), &key))
        });
        let external = external.transpose()?;
        let new = NewAccount { contact: &[], terms_of_service_agreed: true, only_return_existing: false };
        let (account, credentials) = builder()
            .create(&new, directory.to_owned(), external.as_ref())
            .await
            .map_err(|e| refused(&transport, &e))?;
        let kept = Kept { directory: directory.to_owned(), credentials };
        let text = serde_json::to_vec(&kept).map_err(|e| broken(e.to_string()))?;
        files::replace(&file, &text, SECRET_MODE, SECRET_MODE).map_err(|e| broken(e.to_string()))?;
        Ok(Self { account, transport, file })
    }

    /// Orders a certificate for a request, shows control of its names, and brings the chain as PEM.
    ///
    /// # Errors
    /// `AGENT_AUTHORITY_REFUSED`, `AGENT_CHALLENGE_FAILED`.
    pub async fn certificate(
        &self,
        wanted: &Wanted,
        challenge: &Challenge,
        request: &[u8],
        replaces: Option<&(String, String)>,
    ) -> Result<String> {
        let mut stage = Stage::new(challenge);
        let listener = stage.listener().await?;
        let order = async {
            let whole = timeout(ORDER, self.order(wanted, &mut stage, request, replaces)).await;
            whole.unwrap_or_else(|_| Err(self.said("the order took too long")))
        };
        let outcome = match listener {
            None => order.await,
            Some(listener) => tokio::select! {
                outcome = order => outcome,
                never = listener.serve() => match never {},
            },
        };
        stage.clear().await;
        outcome
    }

    async fn order(
        &self,
        wanted: &Wanted,
        stage: &mut Stage<'_>,
        request: &[u8],
        replaces: Option<&(String, String)>,
    ) -> Result<String> {
        let identifiers: Vec<Identifier> = wanted
            .names
            .iter()
            .map(|name| match name.parse::<IpAddr>() {
                Ok(address) => Identifier::Ip(address),
                Err(_) => Identifier::Dns(name.clone()),
            })
            .collect();
        let mut order = self.begin(&identifiers, wanted.profile.as_deref(), replaces).await?;
        self.prove(&mut order, stage).await?;
        let patience = RetryPolicy::new().timeout(WAIT);
        let status = order.poll_ready(&patience).await.map_err(|e| self.refused(&e))?;
        if status == OrderStatus::Invalid {
            return Err(self.reason(&mut order).await);
        }
        order.finalize_csr(request).await.map_err(|e| self.refused(&e))?;
        order.poll_certificate(&patience).await.map_err(|e| self.refused(&e))
    }

    /// Begins an order; when the authority does not take it as a replacement, as one of its own.
    async fn begin(
        &self,
        identifiers: &[Identifier],
        profile: Option<&str>,
        replaces: Option<&(String, String)>,
    ) -> Result<Order> {
        let new = || {
            let new = NewOrder::new(identifiers);
            profile.map_or_else(|| NewOrder::new(identifiers), |profile| new.profile(profile))
        };
        if let Some(replaces) = replaces {
            match self.account.new_order(&new().replaces(renewal_id(replaces))).await {
                Ok(order) => return Ok(order),
                Err(failed) => tracing::debug!(%failed, "not taken as a replacement"),
            }
        }
        self.account.new_order(&new()).await.map_err(|e| self.forgotten(&e))
    }

    /// An authority that does not know the account (it was begun anew, or closed the account) gets another one next time,
    /// opened by the external key when it wants one.
    fn forgotten(&self, failed: &Error) -> base::Error {
        let unknown = |kind: &str| kind.ends_with(":accountDoesNotExist") || kind.ends_with(":unauthorized");
        if let Error::Api(problem) = failed
            && problem.r#type.as_deref().is_some_and(unknown)
        {
            tracing::warn!(
                "the authority does not know the account any more; another one is opened next time"
            );
            if let Err(failed) = std::fs::remove_file(&self.file) {
                tracing::error!(file = %self.file.display(), %failed, "the account cannot be forgotten");
            }
        }
        self.refused(failed)
    }

    async fn prove(&self, order: &mut Order, stage: &mut Stage<'_>) -> Result<()> {
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization.map_err(|e| self.refused(&e))?;
            match authorization.status {
                AuthorizationStatus::Valid => continue,
                AuthorizationStatus::Pending => {}
                other => return Err(self.said(&format!("an authorization is {other:?}"))),
            }
            let name = match authorization.identifier().identifier {
                Identifier::Dns(name) => name.clone(),
                Identifier::Ip(address) => address.to_string(),
                _ => return Err(self.said("it asks for names of another kind")),
            };
            let Some(mut challenge) = authorization.challenge(stage.kind()) else {
                return Err(self.said(&format!("it does not offer {:?} for {name}", stage.kind())));
            };
            let shown = challenge.key_authorization();
            let token = challenge.token.clone();
            stage.place(&name, &token, shown.as_str(), &shown.dns_value()).await?;
            challenge.set_ready().await.map_err(|e| self.refused(&e))?;
        }
        Ok(())
    }

    /// Why an order became invalid: the first problem of its challenges.
    async fn reason(&self, order: &mut Order) -> base::Error {
        let mut authorizations = order.authorizations();
        while let Some(Ok(mut authorization)) = authorizations.next().await {
            let Ok(state) = authorization.refresh().await else { break };
            let problem = state.challenges.iter().find_map(|challenge| challenge.error.clone());
            if let Some(problem) = problem {
                return self.refused(&Error::Api(problem));
            }
        }
        self.said("the order became invalid")
    }

    /// The window that the authority suggests for a certificate, and when to ask again.
    ///
    /// # Errors
    /// `AGENT_AUTHORITY_REFUSED`, also for an authority that suggests nothing.
    pub async fn window(
        &self,
        of: &(String, String),
        chance: &dyn Chance,
    ) -> Result<(Option<Window>, Duration)> {
        let (info, again) = self.account.renewal_info(&renewal_id(of)).await.map_err(|e| self.refused(&e))?;
        let at = |seconds: i64| Time::from_seconds(seconds);
        let window = info.suggested_window;
        let drawn = Window::draw(at(window.start.unix_timestamp()), at(window.end.unix_timestamp()), chance);
        Ok((drawn, again))
    }

    fn refused(&self, failed: &Error) -> base::Error {
        refused(&self.transport, failed)
    }

    fn said(&self, reason: &str) -> base::Error {
        error::AUTHORITY.error().with("reason", reason)
    }
}

fn refused(transport: &Transport, failed: &Error) -> base::Error {
    let reason = match failed {
        Error::Api(problem) => {
            let kind = problem.r#type.as_deref().unwrap_or_default();
            let kind = kind.strip_prefix("urn:ietf:params:acme:error:").unwrap_or(kind);
            let mut reason = format!("{kind}: {}", problem.detail.as_deref().unwrap_or_default());
            for below in &problem.subproblems {
                reason.push_str(&format!("; {}", below.detail.as_deref().unwrap_or_default()));
            }
            reason
        }
        other => other.to_string(),
    };
    let reason: String = reason.chars().filter(|letter| !letter.is_control()).take(500).collect();
    let refused = error::AUTHORITY.error().with("reason", reason);
    match transport.asked() {
        Some(pause) => refused.retry_after(u32::try_from(pause.as_secs()).unwrap_or(u32::MAX)),
        None => refused,
    }
}

fn renewal_id((key, serial): &(String, String)) -> CertificateIdentifier<'_> {
    CertificateIdentifier { authority_key_identifier: Cow::Borrowed(key), serial: Cow::Borrowed(serial) }
}
