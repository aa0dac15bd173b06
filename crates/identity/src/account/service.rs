//! The verbs of accounts.

use base::{Call, Id, Result, id::kind};
use events::{Fact, Record};
use serde_json::json;

use super::{Account, repo, rules};
use crate::{Identity, error, facts};

/// What an account is to be.
#[derive(Debug, Clone, Default)]
pub struct NewAccount {
    /// What the operator calls it.
    pub name: String,
    /// What it may do.
    pub permissions: Vec<String>,
    /// Addresses and networks it may come from.
    pub networks: Vec<String>,
}

impl Identity {
    /// Makes an account of a partner's program. It enters nowhere until a certificate is bound to it.
    ///
    /// # Errors
    /// `ACCOUNT_NAME_INVALID`, `ACCOUNT_NAME_TAKEN`, `ACCOUNT_PERMISSION_INVALID`, `ACCOUNT_NETWORK_INVALID`; the
    /// store's.
    pub async fn create_account(
        &self,
        call: &Call,
        tenant: Id<kind::Tenant>,
        wanted: &NewAccount,
    ) -> Result<Account> {
        let account = Account {
            tenant,
            id: self.house.id(),
            name: rules::name(&wanted.name)?,
            permissions: rules::permissions(&wanted.permissions)?,
            networks: rules::networks(&wanted.networks)?,
            created_at: self.house.now(),
            closed_at: None,
        };
        let payload = json!({"account": account.id});
        let fact =
            Fact::new(&facts::ACCOUNT_CREATED, self.house.id(), account.created_at, account.id, payload)
                .of(tenant);
        let (made, call) = (account.clone(), call.for_tenant(tenant));
        self.house
            .db
            .tenant(tenant.uuid())
            .write("identity.create_account", move |tx| {
                if !repo::insert(tx, &made)? {
                    return Err(error::ACCOUNT_TAKEN.at("name").with("name", &made.name));
                }
                tx.record(&call, &fact)
            })
            .await?;
        Ok(account)
    }

    /// A tenant's accounts, newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn accounts(&self, tenant: Id<kind::Tenant>) -> Result<Vec<Account>> {
        let db = self.house.db.tenant(tenant.uuid());
        db.read("identity.accounts", move |rx| repo::all(rx, tenant)).await
    }

    /// Binds a certificate to an account: whoever shows it enters as this account, as long as it is in force.
    ///
    /// # Errors
    /// `ACCOUNT_NOT_FOUND`, also for a closed one; `ACCOUNT_CERTIFICATE_TAKEN`; the store's.
    pub async fn bind_certificate(
        &self,
        call: &Call,
        tenant: Id<kind::Tenant>,
        account: Id<kind::Account>,
        certificate: Id<kind::Certificate>,
    ) -> Result<()> {
        let now = self.house.now();
        let payload = json!({"account": account, "certificate": certificate});
        let fact = Fact::new(&facts::ACCOUNT_CERTIFIED, self.house.id(), now, account, payload).of(tenant);
        let call = call.for_tenant(tenant);
        self.house
            .db
            .tenant(tenant.uuid())
            .write("identity.bind_certificate", move |tx| {
                let known = repo::by_id(tx, tenant, account)?.filter(|known| known.closed_at.is_none());
                known.ok_or_else(|| error::ACCOUNT_NOT_FOUND.error())?;
                if !repo::bind(tx, tenant, account, certificate, now)? {
                    return Err(error::ACCOUNT_CERTIFICATE.at("certificate"));
                }
                tx.record(&call, &fact)
            })
            .await
    }

    /// Closes an account at once and for good; its certificates enter nowhere any more.
    ///
    /// # Errors
    /// `ACCOUNT_NOT_FOUND`; the store's.
    pub async fn close_account(
        &self,
        call: &Call,
        tenant: Id<kind::Tenant>,
        account: Id<kind::Account>,
    ) -> Result<()> {
        let now = self.house.now();
        let payload = json!({"account": account});
        let fact = Fact::new(&facts::ACCOUNT_CLOSED, self.house.id(), now, account, payload).of(tenant);
        let call = call.for_tenant(tenant);
        self.house
            .db
            .tenant(tenant.uuid())
            .write("identity.close_account", move |tx| {
                if !repo::close(tx, tenant, account, now)? {
                    return Err(error::ACCOUNT_NOT_FOUND.error());
                }
                tx.record(&call, &fact)
            })
            .await
    }

    /// The open account that a certificate enters as. Whether the certificate is in force is another room's to say.
    ///
    /// # Errors
    /// The store's.
    pub async fn account_of(&self, certificate: Id<kind::Certificate>) -> Result<Option<Account>> {
        self.house.db.read("identity.account_of", move |rx| repo::by_certificate(rx, certificate)).await
    }
}
