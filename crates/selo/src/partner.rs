//! The partner zone: programs of partners, each behind a client certificate of this house.
//!
//! The handshake asks for a certificate of the configured environment's authority, and for its key. Each request then asks
//! the tables: whether the certificate is in force now, which account it enters as, and whether that account may come from
//! there. So what is revoked or closed is shut out at its next request, on whatever connection.
//! Never here: an API key, a session, a word to the asker about what was wrong.

use std::{net::IpAddr, sync::Arc, time::Duration};

use base::{Call, Result};
use http_kit::{Authenticate, Boxed, Caller, Clients, Credentials};
use proof::x509::Profile;
use tokio_util::sync::CancellationToken;

use crate::rooms::Rooms;

/// Whose clients enter is looked at so often.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Recognises the programs of partners.
pub struct Entry {
    rooms: Rooms,
    environment: Option<String>,
}

impl Entry {
    /// The entry of a house; `environment` as in `house.environment`.
    pub fn new(rooms: &Rooms, environment: &str) -> Self {
        Self {
            rooms: rooms.clone(),
            environment: Some(environment.to_owned()).filter(|name| !name.is_empty()),
        }
    }

    async fn recognise(&self, call: &Call, credentials: Credentials) -> Result<Caller> {
        let Credentials::Certificate(shown) = credentials else { return Err(refused("no certificate", "")) };
        let environment = self.environment.as_deref();
        let known = self.rooms.pki.shown_by_client(&shown, Profile::Partner, environment).await?;
        let certificate = known.ok_or_else(|| refused("not a partner's certificate in force", ""))?;
        let serial = certificate.serial.to_string();
        let account = self.rooms.identity.account_of(certificate.id).await?;
        let account = account.ok_or_else(|| refused("the certificate is no open account's", &serial))?;
        let address: Option<IpAddr> = call.address.as_deref().and_then(|address| address.parse().ok());
        if !account.may_come_from(address) {
            return Err(refused("the account may not come from there", &serial));
        }
        Ok(account.caller(call))
    }
}

/// The operator reads why; the asker does not.
fn refused(reason: &'static str, serial: &str) -> base::Error {
    tracing::warn!(reason, serial, "a partner's program was refused");
    http_kit::error::UNAUTHENTICATED.error()
}

impl Authenticate for Entry {
    fn authenticate<'a>(&'a self, call: &'a Call, credentials: Credentials) -> Boxed<'a, Result<Caller>> {
        Box::pin(self.recognise(call, credentials))
    }
}

/// Lets in the clients of the authorities as they stand; while there are none, nobody.
///
/// # Errors
/// The store's.
pub async fn admit(rooms: &Rooms, environment: &str, clients: &Clients) -> Result<()> {
    let environment = Some(environment).filter(|name| !name.is_empty());
    clients.replace(&rooms.pki.anchors(environment).await?)
}

/// Does so until the house stops. After an error those who were let in still are.
pub async fn follow(rooms: Rooms, environment: String, clients: Clients, stop: CancellationToken) {
    let clients = Arc::new(clients);
    loop {
        if let Err(failure) = admit(&rooms, &environment, &clients).await {
            tracing::error!(code = failure.code().name, "partners' authorities cannot be read: {failure:?}");
        }
        if tokio::time::timeout(LOOK_EVERY, stop.cancelled()).await.is_ok() {
            return;
        }
    }
}
