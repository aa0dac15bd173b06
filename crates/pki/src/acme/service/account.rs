//! Accounts: opened by a key, changed and closed by it (RFC 8555 §7.3).

use std::net::{IpAddr, Ipv6Addr};

use base::{Call, Error, Result};
use events::{Fact, Record};
use keys::Aad;
use proof::{
    crypto::{SubjectKey, hex},
    jws::{
        self,
        acme::{ExternalBinding, key_change},
    },
};
use serde_json::{Value, json};

use super::{Acme, Admitted, By, HOUSE, malformed};
use crate::acme::{
    error, facts,
    model::{Account, AccountId, AccountStatus, ExternalKeyId, Grant},
    problem::refused_message,
    quota::Counted,
    repo, rules,
};

/// What a newAccount request asks for.
struct Wanted {
    contact: Option<Vec<String>>,
    agrees: bool,
    only_existing: bool,
    binding: Option<Value>,
}

impl Acme {
    /// Opens an account for the key that signed, or gives the one that it has; whether it is new.
    ///
    /// # Errors
    /// `ACME_MALFORMED`, `ACME_CONTACT`, `ACME_CONTACT_SCHEME`, `ACME_TERMS`, `ACME_ACCOUNT_NOT_FOUND`,
    /// `ACME_ACCOUNT_CLOSED`, `ACME_EXTERNAL_KEY_NEEDED`, `ACME_EXTERNAL_KEY_REFUSED`, `ACME_TOO_OFTEN`; the store's.
    pub(crate) async fn new_account(
        &self,
        call: &Call,
        environment: &str,
        admitted: &Admitted,
    ) -> Result<(Account, bool)> {
        let By::Key(key) = &admitted.by else {
            return Err(malformed("an account is opened by a key, with jwk"));
        };
        let wanted = read_wanted(&admitted.object()?)?;
        let thumbprint = jws::thumbprint(key);
        if let Some(found) = self.account_of_key(environment, &thumbprint).await? {
            return existing(found);
        }
        if wanted.only_existing {
            return Err(error::ACCOUNT_NONE.error());
        }
        if let Some(terms) = self.settings.terms.as_deref().filter(|_| !wanted.agrees) {
            return Err(error::TERMS.error().with("terms", terms));
        }
        self.pki.issuing(HOUSE, Some(environment)).await?;
        let external = match &wanted.binding {
            Some(binding) => Some(self.bound(environment, binding, admitted.message.url(), key).await?),
            None if self.settings.external => return Err(error::EXTERNAL_NEEDED.error()),
            None => None,
        };
        let (now, asker) = (self.pki.house.now(), household(call.address.as_deref()));
        self.quotas.take(Counted::Accounts, &asker, self.settings.accounts_per_hour, now)?;
        let id = self.pki.house.id();
        let account = Account {
            id,
            environment: environment.to_owned(),
            handle: self.pki.house.chance.handle(),
            key: key.clone(),
            contact: self.seal_contact(id, wanted.contact.as_deref())?,
            status: AccountStatus::Valid,
            external_key: external.as_ref().map(|(id, _)| *id),
            grant: external.map(|(_, grant)| grant).unwrap_or_default(),
        };
        self.open(call, account, thumbprint).await
    }

    async fn open(&self, call: &Call, account: Account, thumbprint: [u8; 32]) -> Result<(Account, bool)> {
        let now = self.pki.house.now();
        let call = Self::call_of(call, &account);
        let created = Fact::new(
            &facts::ACCOUNT_CREATED,
            self.pki.house.id(),
            now,
            account.id,
            json!({
                "account": account.id, "environment": account.environment,
                "thumbprint": hex(&thumbprint), "externalKey": account.external_key,
            }),
        )
        .of(HOUSE);
        let used = account.external_key.map(|key| {
            let payload = json!({"externalKey": key, "account": account.id});
            (key, Fact::new(&facts::EXTERNAL_KEY_USED, self.pki.house.id(), now, key, payload).of(HOUSE))
        });
        let copy = account.clone();
        let before = self
            .db()
            .write("pki.acme.new_account", move |tx| {
                // The same key at the same time: one of the two is the existing one.
                if let Some(found) = repo::account_by_key(tx, HOUSE, &copy.environment, &thumbprint)? {
                    return Ok(Some(found));
                }
                if let Some((key, fact)) = &used {
                    if !repo::use_external_key(tx, HOUSE, *key, now)? {
                        return Err(error::EXTERNAL_REFUSED.error());
                    }
                    tx.record(&call, fact)?;
                }
                repo::insert_account(tx, HOUSE, &copy, &thumbprint, now)?;
                tx.record(&call, &created)?;
                Ok(None)
            })
            .await?;
        before.map_or(Ok((account, true)), existing)
    }

    async fn account_of_key(&self, environment: &str, thumbprint: &[u8; 32]) -> Result<Option<Account>> {
        let (environment, thumbprint) = (environment.to_owned(), *thumbprint);
        self.db()
            .read("pki.acme.account_by_key", move |rx| {
                repo::account_by_key(rx, HOUSE, &environment, &thumbprint)
            })
            .await
    }

    /// The external key that a binding was made with, and what it allows. Whatever is wrong, the answer is the same.
    async fn bound(
        &self,
        environment: &str,
        binding: &Value,
        url: &str,
        key: &SubjectKey,
    ) -> Result<(ExternalKeyId, Grant)> {
        let refused = || error::EXTERNAL_REFUSED.error();
        let binding = ExternalBinding::parse(binding).map_err(refused_message)?;
        let id: ExternalKeyId = binding.key_id().parse().map_err(|_| refused())?;
        let found =
            self.db().read("pki.acme.external_key", move |rx| repo::external_key(rx, HOUSE, id)).await?;
        let found = found.filter(|one| one.environment == environment).ok_or_else(refused)?;
        let secret = self.open_secret(&found)?;
        binding.verify(secret.expose(), url, key).map_err(|_| refused())?;
        Ok((found.id, found.grant))
    }

    /// Changes the contacts of an account, or closes it, as the payload says; a look changes nothing.
    ///
    /// # Errors
    /// `ACME_MALFORMED`, `ACME_CONTACT`, `ACME_CONTACT_SCHEME`; the store's.
    pub(crate) async fn update_account(&self, call: &Call, admitted: &Admitted) -> Result<Account> {
        let account = admitted.account()?.clone();
        if admitted.message.payload().is_post_as_get() {
            return Ok(account);
        }
        let payload = admitted.object()?;
        match payload.get("status").map(Value::as_str) {
            None => {}
            Some(Some("deactivated")) => return self.deactivate_account(call, account).await,
            Some(_) => return Err(malformed("an account's status can only become deactivated")),
        }
        let Some(contact) = payload.get("contact") else { return Ok(account) };
        let contact = rules::read_contacts(contact)?;
        if self.contacts(&account)? == contact {
            return Ok(account);
        }
        let sealed = self.seal_contact(account.id, Some(&contact))?;
        let fact = self.fact_of(&facts::ACCOUNT_CHANGED, account.id, json!({"account": account.id}));
        let (call, id, copy) = (Self::call_of(call, &account), account.id, sealed.clone());
        self.db()
            .write("pki.acme.set_contact", move |tx| {
                if !repo::set_contact(tx, HOUSE, id, copy.as_ref())? {
                    return Err(closed(AccountStatus::Deactivated));
                }
                tx.record(&call, &fact)
            })
            .await?;
        Ok(Account { contact: sealed, ..account })
    }

    async fn deactivate_account(&self, call: &Call, account: Account) -> Result<Account> {
        let fact = self.fact_of(&facts::ACCOUNT_DEACTIVATED, account.id, json!({"account": account.id}));
        let (call, id) = (Self::call_of(call, &account), account.id);
        self.db()
            .write("pki.acme.deactivate_account", move |tx| {
                // Twice is once.
                if repo::deactivate_account(tx, HOUSE, id)? {
                    tx.record(&call, &fact)?;
                }
                Ok(())
            })
            .await?;
        Ok(Account { status: AccountStatus::Deactivated, contact: None, ..account })
    }

    /// Gives an account another key, which signed inside (RFC 8555 §7.3.5).
    ///
    /// # Errors
    /// `ACME_MALFORMED`, `ACME_KEY`, `ACME_KEY_TAKEN` with the account's `location`; the store's.
    pub(crate) async fn change_key(&self, call: &Call, admitted: &Admitted) -> Result<Account> {
        let account = admitted.account()?.clone();
        let address = self.account_url(&account);
        let payload = admitted.message.payload();
        let key =
            key_change(payload, admitted.message.url(), &address, &account.key).map_err(refused_message)?;
        let (old, new) = (jws::thumbprint(&account.key), jws::thumbprint(&key));
        let payload = json!({"account": account.id, "thumbprint": hex(&new)});
        let fact = self.fact_of(&facts::ACCOUNT_KEY_CHANGED, account.id, payload);
        let call = Self::call_of(call, &account);
        let (this, copy, installed) = (self.clone(), account.clone(), key.clone());
        self.db()
            .write("pki.acme.change_key", move |tx| {
                if let Some(taken) = repo::account_by_key(tx, HOUSE, &copy.environment, &new)? {
                    return Err(error::KEY_TAKEN.error().with("location", this.account_url(&taken)));
                }
                if !repo::change_key(tx, HOUSE, copy.id, &old, &installed, &new)? {
                    return Err(error::SIGNATURE.error());
                }
                tx.record(&call, &fact)
            })
            .await?;
        Ok(Account { key, ..account })
    }

    /// The address of an account, its `kid`.
    pub(crate) fn account_url(&self, account: &Account) -> String {
        self.url(&account.environment, &format!("account/{}", account.handle))
    }

    fn fact_of(&self, kind: &'static events::FactType, resource: impl ToString, payload: Value) -> Fact {
        Fact::new(kind, self.pki.house.id(), self.pki.house.now(), resource, payload).of(HOUSE)
    }

    fn seal_contact(&self, account: AccountId, contact: Option<&[String]>) -> Result<Option<Vec<u8>>> {
        let Some(contact) = contact.filter(|list| !list.is_empty()) else { return Ok(None) };
        let plain = serde_json::to_vec(contact).map_err(|e| base::error::INTERNAL.because(e))?;
        let key = self.pki.keys.tenant_key(HOUSE);
        key.seal(&contact_place(account), &plain, &*self.pki.house.chance).map(Some)
    }

    /// The contacts of an account.
    ///
    /// # Errors
    /// `KEYS_UNSEAL`.
    pub(crate) fn contacts(&self, account: &Account) -> Result<Vec<String>> {
        let Some(sealed) = &account.contact else { return Ok(Vec::new()) };
        let plain = self.pki.keys.tenant_key(HOUSE).open(&contact_place(account.id), sealed)?;
        serde_json::from_slice(&plain).map_err(|e| base::error::INTERNAL.because(e))
    }
}

/// An address as it is counted: IPv4 by itself, IPv6 by /64, of which one household has a whole one.
fn household(address: Option<&str>) -> String {
    match address.and_then(|text| text.parse().ok()) {
        Some(IpAddr::V6(six)) => Ipv6Addr::from(u128::from(six) & !u128::from(u64::MAX)).to_string(),
        Some(IpAddr::V4(four)) => four.to_string(),
        None => String::new(),
    }
}

fn contact_place(account: AccountId) -> Aad<'static> {
    Aad {
        tenant: HOUSE.uuid(),
        table: "pki_acme_account",
        column: "contact",
        row: account.uuid(),
        version: 1,
    }
}

fn closed(status: AccountStatus) -> Error {
    error::ACCOUNT_CLOSED.error().with("state", status.name())
}

fn existing(account: Account) -> Result<(Account, bool)> {
    match account.status {
        AccountStatus::Valid => Ok((account, false)),
        status => Err(closed(status)),
    }
}

fn read_wanted(payload: &Value) -> Result<Wanted> {
    let flag = |name: &str| match payload.get(name) {
        None => Ok(false),
        Some(value) => value.as_bool().ok_or_else(|| malformed(&format!("{name} is neither true nor false"))),
    };
    Ok(Wanted {
        contact: payload.get("contact").map(rules::read_contacts).transpose()?,
        agrees: flag("termsOfServiceAgreed")?,
        only_existing: flag("onlyReturnExisting")?,
        binding: payload.get("externalAccountBinding").cloned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_household_is_counted_once_whatever_its_addresses() {
        assert_eq!(household(Some("192.0.2.7")), "192.0.2.7");
        assert_eq!(household(Some("2001:db8::1")), household(Some("2001:db8::ffff:2")));
        assert_ne!(household(Some("2001:db8::1")), household(Some("2001:db8:0:1::1")));
        assert_eq!(household(None), "");
    }
}
