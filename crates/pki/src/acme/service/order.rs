//! Orders (RFC 8555 §7.4): names are judged before anything is to be proved, so that nobody proves in vain.

use std::time::Duration;

use base::{Call, Chance, Error, Id, Result, Time};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use proof::{
    jws::acme::RenewalId,
    x509::{Issuer, Profile},
};
use serde_json::Value;

use super::{Acme, Admitted, HOUSE, malformed, still_open};
use crate::{
    acme::{
        error,
        model::{Account, Authorization, AuthorizationState, Order, OrderId, Ordered},
        quota::Counted,
        repo, rules,
    },
    error as pki,
    model::{Authority, State},
    rules::{Grade, objections},
    service::parsed,
    settings::Allowance,
};

/// An order can be finalized so long.
const ORDER_LIFE: Duration = Duration::from_secs(7 * 24 * 3_600);
/// A proof that ends sooner is not used for a new order.
const PROOF_LEFT_MIN: Duration = Duration::from_secs(3_600);
/// Orders of one page of an account's list.
const ORDERS_PAGE: u32 = 100;

/// A token of 128 bits. Clients decode it and write it again (RFC 8555 §8.3 has base64url), so only a spelling that comes
/// back as it was can be found under its address.
fn token(chance: &dyn Chance) -> String {
    URL_SAFE_NO_PAD.encode(chance.bytes::<16>())
}

/// An order with what is to be proved for it.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) order: Order,
    pub(crate) parts: Vec<Authorization>,
}

/// What a newOrder request asks for.
struct Wanted {
    names: Vec<Ordered>,
    profile: Option<String>,
    replaces: Option<String>,
    not_after: Option<Time>,
}

impl Acme {
    /// Places an order. What the account has proved lately need not be proved again.
    ///
    /// # Errors
    /// `ACME_MALFORMED`, `ACME_IDENTIFIER…`, `ACME_PROFILE`, `ACME_ALREADY_REPLACED`, `ACME_TOO_OFTEN`, those of this room
    /// about names and lifetimes; the store's.
    pub(crate) async fn new_order(&self, call: &Call, admitted: &Admitted) -> Result<Placed> {
        let account = admitted.account()?.clone();
        let wanted = read_wanted(&admitted.object()?)?;
        let allowance = rules::allowance(&account, &self.settings.allowance);
        let profile = choose_profile(wanted.profile.as_deref(), &allowance)?;
        let authority = self.pki.issuing(HOUSE, Some(&account.environment)).await?;
        self.judge_names(&wanted.names, profile, allowance, &authority)?;
        let now = self.pki.house.now();
        self.judge_end(wanted.not_after, profile, &authority, now)?;
        let is_due = match &wanted.replaces {
            Some(replaces) => self.judge_replaced(&account, replaces, &wanted.names, now).await?,
            None => false,
        };
        if !is_due {
            let per_hour = self.settings.orders_per_hour;
            self.quotas.take(Counted::Orders, &account.id.to_string(), per_hour, now)?;
        }
        let order = Order {
            id: self.pki.house.id(),
            handle: self.pki.house.chance.handle(),
            account: account.id,
            names: wanted.names,
            profile,
            replaces: wanted.replaces,
            not_after: wanted.not_after,
            csr_sha256: None,
            certificate: None,
            expires_at: now.plus(ORDER_LIFE).whole_second(),
            created_at: now,
        };
        tracing::debug!(account = %account.id, order = %order.id, request = %call.request, "an order is placed");
        self.place(order, now).await
    }

    async fn place(&self, order: Order, now: Time) -> Result<Placed> {
        let fresh: Vec<Authorization> = order
            .names
            .iter()
            .map(|ordered| Authorization {
                id: self.pki.house.id(),
                handle: self.pki.house.chance.handle(),
                account: order.account,
                ordered: ordered.clone(),
                token: token(&*self.pki.house.chance),
                state: AuthorizationState::Pending,
                challenge: None,
                error: None,
                attempts: 0,
                validated_at: None,
                expires_at: order.expires_at,
            })
            .collect();
        let pending_max = self.settings.pending_max;
        self.db()
            .write("pki.acme.new_order", move |tx| {
                // The account may have been closed since it was let in.
                still_open(tx, order.account)?;
                if let Some(replaces) = &order.replaces
                    && repo::is_replaced(tx, HOUSE, replaces)?
                {
                    return Err(error::REPLACED.error());
                }
                let mut parts = Vec::with_capacity(fresh.len());
                let mut pending = 0;
                for one in &fresh {
                    let until = now.plus(PROOF_LEFT_MIN);
                    match repo::proof_of(tx, HOUSE, order.account, &one.ordered.text(), until)? {
                        Some(proved) => parts.push(proved),
                        None => {
                            repo::insert_authorization(tx, HOUSE, one)?;
                            pending += 1;
                            parts.push(one.clone());
                        }
                    }
                }
                if pending > 0 {
                    let all = repo::count_pending(tx, HOUSE, order.account, now, pending_max + 1)?;
                    if all > pending_max {
                        let wait = error::OFTEN.error().with("setting", "acme.pending_max");
                        return Err(wait.retry_after(60));
                    }
                }
                // An order lasts no longer than what it stands on.
                let shortest = parts.iter().map(|part| part.expires_at).fold(order.expires_at, Time::min);
                let order = Order { expires_at: shortest, ..order.clone() };
                repo::insert_order(tx, HOUSE, &order, shortest)?;
                for (position, part) in parts.iter().enumerate() {
                    repo::insert_part(tx, HOUSE, order.id, position, part.id)?;
                }
                Ok(Placed { order, parts })
            })
            .await
    }

    /// An order of an account with what it stands on.
    ///
    /// # Errors
    /// `ACME_NOT_FOUND`; the store's.
    pub(crate) async fn order(&self, account: &Account, handle: &str) -> Result<Placed> {
        let (account, handle) = (account.id, handle.to_owned());
        let found = self
            .db()
            .read("pki.acme.order", move |rx| {
                let Some(order) = repo::order_by_handle(rx, HOUSE, account, &handle)? else {
                    return Ok(None);
                };
                let parts = repo::authorizations_of(rx, HOUSE, order.id)?;
                Ok(Some(Placed { order, parts }))
            })
            .await?;
        found.ok_or_else(|| error::NOTHING.error())
    }

    /// A page of an account's orders, newest first: their handles, and where the next page begins.
    ///
    /// # Errors
    /// `ACME_NOT_FOUND` for another account's list; the store's.
    pub(crate) async fn orders(
        &self,
        account: &Account,
        before: Option<OrderId>,
    ) -> Result<(Vec<String>, Option<OrderId>)> {
        let (account, now, before) = (account.id, self.pki.house.now(), before.unwrap_or(Id::LAST));
        let mut found = self
            .db()
            .read("pki.acme.orders", move |rx| {
                repo::orders_of(rx, HOUSE, account, before, now, ORDERS_PAGE + 1)
            })
            .await?;
        let more = found.len() > ORDERS_PAGE as usize;
        found.truncate(ORDERS_PAGE as usize);
        let next = if more { found.last().map(|(id, _)| *id) } else { None };
        Ok((found.into_iter().map(|(_, handle)| handle).collect(), next))
    }

    /// Whether the account may have these names, and the authority may give them.
    fn judge_names(
        &self,
        names: &[Ordered],
        profile: Profile,
        allowance: Allowance,
        authority: &Authority,
    ) -> Result<()> {
        let issuing = parsed(&authority.der)?;
        let issuer = Issuer::from_certificate(&issuing).map_err(|e| base::error::INTERNAL.because(e))?;
        let grade = Grade::Acme(std::sync::Arc::new(allowance));
        let mut against = Vec::new();
        for ordered in names {
            let place = rules::shown(&ordered.text());
            let Some(name) = ordered.general_name() else {
                let refused = error::IDENTIFIER.at(place).with("name", ordered.value());
                against.push(refused.with("reason", "a wildcard over a public suffix"));
                continue;
            };
            let constrained =
                issuer.constraints.as_ref().and_then(|constraints| constraints.check(&name).err());
            let ours = objections(&self.pki.settings, &grade, profile, std::slice::from_ref(&name));
            against.extend(ours.into_iter().map(|refusal| refusal.at(place.clone())));
            against.extend(constrained.map(|reason| pki::CONSTRAINED.at(place).with("reason", reason)));
        }
        rules::refuse_all(against)
    }

    /// Whether a certificate may end when the client asks for it.
    fn judge_end(
        &self,
        not_after: Option<Time>,
        profile: Profile,
        authority: &Authority,
        now: Time,
    ) -> Result<()> {
        let Some(end) = not_after else { return Ok(()) };
        let longest = now.seconds().saturating_add(profile.shape().lifetime_s_max);
        let refused = |reason: &str| Err(pki::LIFETIME.error().with("reason", reason));
        if end <= now {
            return refused("notAfter is not in the future");
        }
        if end.seconds() >= longest {
            return refused("notAfter is beyond what the profile allows");
        }
        if end > authority.not_after {
            return refused("notAfter is beyond the end of the issuer");
        }
        Ok(())
    }

    /// Judges whether an order may replace a certificate (RFC 9773 §5): one that this account ordered, of at least one same
    /// name. True when it is due to be replaced and no other order is about to: such a renewal is never held back, and once
    /// is enough.
    async fn judge_replaced(
        &self,
        account: &Account,
        replaces: &str,
        names: &[Ordered],
        now: Time,
    ) -> Result<bool> {
        let unknown = || malformed("replaces names no certificate that this account ordered");
        let id = RenewalId::parse(replaces).ok_or_else(unknown)?;
        let old = self.certificate_of(&account.environment, id).await?.ok_or_else(unknown)?;
        let (certificate, text) = (old.id, replaces.to_owned());
        let (owner, is_replaced, is_underway) = self
            .db()
            .read("pki.acme.account_of", move |rx| {
                let owner = repo::account_of(rx, HOUSE, certificate)?;
                let is_replaced = repo::is_replaced(rx, HOUSE, &text)?;
                Ok((owner, is_replaced, repo::is_being_replaced(rx, HOUSE, &text, now)?))
            })
            .await?;
        if owner != Some(account.id) {
            return Err(unknown());
        }
        if !names.iter().any(|name| old.names.contains(&name.text())) {
            return Err(malformed("the order shares no name with the certificate that it replaces"));
        }
        if is_replaced {
            return Err(error::REPLACED.error());
        }
        let revoked = old.state == State::Revoked;
        let (begins, _) = rules::renewal_window(old.not_before, old.not_after, revoked, now);
        Ok(begins <= now && !is_underway)
    }
}

/// What tests need to stand between the look at an account and what it orders. Only in builds with debug assertions.
#[cfg(debug_assertions)]
impl Acme {
    /// Places an order of an account that was let in, whatever became of it since; the order's handle.
    ///
    /// # Errors
    /// As placing an order.
    pub async fn place_only_for_test(&self, kid: &str, names: &Value) -> Result<String> {
        let environment = self.directory(None).await?.environment;
        let account = self.account_at(&environment, kid).await?;
        let now = self.pki.house.now();
        let order = Order {
            id: self.pki.house.id(),
            handle: self.pki.house.chance.handle(),
            account: account.id,
            names: rules::read_identifiers(Some(names))?,
            profile: Profile::Server,
            replaces: None,
            not_after: None,
            csr_sha256: None,
            certificate: None,
            expires_at: now.plus(ORDER_LIFE).whole_second(),
            created_at: now,
        };
        self.place(order, now).await.map(|placed| placed.order.handle)
    }
}

fn choose_profile(asked: Option<&str>, allowance: &Allowance) -> Result<Profile> {
    let found = match asked {
        None => allowance.profiles.first().copied(),
        Some(name) => allowance.profiles.iter().copied().find(|profile| profile.as_str() == name),
    };
    found.ok_or_else(|| {
        let known: Vec<&str> = allowance.profiles.iter().map(|profile| profile.as_str()).collect();
        let shown = rules::shown(asked.unwrap_or_default());
        error::PROFILE.error().with("profile", shown).with("known", known.join(", "))
    })
}

fn read_wanted(payload: &Value) -> Result<Wanted> {
    let text = |name: &str| match payload.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if text.len() <= 256 => Ok(Some(text.clone())),
        Some(_) => Err(malformed(&format!("{name} is no text, or too long"))),
    };
    if payload.get("notBefore").is_some() {
        return Err(malformed("notBefore cannot be chosen: certificates begin when they are issued"));
    }
    let not_after = match text("notAfter")? {
        None => None,
        Some(end) => {
            let read = Time::parse(&end).map(Time::whole_second);
            Some(read.ok_or_else(|| -> Error { malformed("notAfter is no moment of RFC 3339") })?)
        }
    };
    Ok(Wanted {
        names: rules::read_identifiers(payload.get("identifiers"))?,
        profile: text("profile")?,
        replaces: text("replaces")?,
        not_after,
    })
}

#[cfg(test)]
mod tests {
    use base::SystemChance;

    use super::*;

    #[test]
    fn a_token_comes_back_as_it_was_when_a_client_decodes_it() {
        for _ in 0..64 {
            let token = token(&SystemChance);
            assert_eq!(token.len(), 22, "128 bits");
            assert_eq!(URL_SAFE_NO_PAD.encode(URL_SAFE_NO_PAD.decode(&token).unwrap()), token);
        }
    }
}
