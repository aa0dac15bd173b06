//! Proving control of a name (RFC 8555 §7.5.1): a client chooses a challenge, and the house looks, at once and then twice
//! more within a minute.
//!
//! Looking takes a place, and no account has more than a few: whose names answer slowly holds up nobody else, and what is
//! due goes before what has just been chosen.
//!
//! An attempt belongs to whoever wrote its number; it has [`ATTEMPT_TIME`] to say what came of it. What a crash left is
//! taken up after that by [`Acme::prove_due`], also by another process. No transaction is open while anybody looks.

use std::{sync::Arc, time::Duration};

use base::{Call, Result, Time, id::kind};
use events::{Fact, Record};
use proof::{crypto::SubjectKey, jws::key_authorization};
use serde_json::{Value, json};
use tokio::sync::OwnedSemaphorePermit;

use super::{Acme, Admitted, HOUSE, PROBES_PER_ACCOUNT_MAX, malformed};
use crate::acme::{
    error, facts,
    model::{Account, AccountId, AccountStatus, Authorization, AuthorizationId, AuthorizationState},
    place,
    prober::{ChallengeKind, ProbeFault},
    problem,
    quota::Counted,
    repo, rules,
};

/// Who has an attempt and says nothing has lost it after this time; longer than any probe takes.
const ATTEMPT_TIME: Duration = Duration::from_secs(30);
/// A proof counts so long.
const PROOF_LIFE: Duration = Duration::from_secs(7 * 3_600);
/// Attempts that are taken up at once.
const DUE_AT_ONCE: u32 = 64;
/// What ended is kept so long, for clients that come back late, and then forgotten.
const KEEP_ENDED: Duration = Duration::from_secs(90 * 24 * 3_600);
const FORGET_AT_ONCE: u32 = 500;

/// Where somebody looks: one place among those of all, and one of the account's.
struct Place {
    _all: OwnedSemaphorePermit,
    _own: place::Place<kind::AcmeAuthorization>,
}

/// One look at a name.
struct Attempt {
    authorization: Authorization,
    challenge: ChallengeKind,
    key: SubjectKey,
    /// Its number.
    number: i64,
}

impl Acme {
    /// An authorization of an account.
    ///
    /// # Errors
    /// `ACME_NOT_FOUND`; the store's.
    pub(crate) async fn authorization(&self, account: &Account, handle: &str) -> Result<Authorization> {
        let (account, handle) = (account.id, handle.to_owned());
        let found = self
            .db()
            .read("pki.acme.authorization", move |rx| {
                repo::authorization_by_handle(rx, HOUSE, account, &handle)
            })
            .await?;
        found.ok_or_else(|| error::NOTHING.error())
    }

    /// Gives an authorization back, as the payload says; a look changes nothing.
    ///
    /// # Errors
    /// `ACME_NOT_FOUND`, `ACME_MALFORMED`; the store's.
    pub(crate) async fn update_authorization(
        &self,
        call: &Call,
        admitted: &Admitted,
        handle: &str,
    ) -> Result<Authorization> {
        let account = admitted.account()?;
        let found = self.authorization(account, handle).await?;
        if admitted.message.payload().is_post_as_get() {
            return Ok(found);
        }
        if admitted.object()?.get("status").and_then(Value::as_str) != Some("deactivated") {
            return Err(malformed("an authorization's status can only become deactivated"));
        }
        let payload = json!({"authorization": found.id, "account": account.id});
        let fact = self.fact(&facts::AUTHORIZATION_DEACTIVATED, found.id, payload);
        let (call, id) = (Self::call_of(call, account), found.id);
        self.db()
            .write("pki.acme.deactivate_authorization", move |tx| {
                if repo::deactivate_authorization(tx, HOUSE, id)? {
                    tx.record(&call, &fact)?;
                }
                Ok(())
            })
            .await?;
        self.authorization(account, handle).await
    }

    /// Chooses a challenge, and begins to look. Choosing again changes nothing.
    ///
    /// # Errors
    /// `ACME_NOT_FOUND`, `ACME_TOO_OFTEN`; the store's.
    pub(crate) async fn answer_challenge(
        &self,
        admitted: &Admitted,
        handle: &str,
        challenge: ChallengeKind,
    ) -> Result<Authorization> {
        let account = admitted.account()?;
        let found = self.authorization(account, handle).await?;
        if !rules::challenges(&found.ordered).contains(&challenge) {
            return Err(error::NOTHING.error());
        }
        let now = self.pki.house.now();
        let open = found.status(now) == AuthorizationState::Pending.name() && found.challenge.is_none();
        if admitted.message.payload().is_post_as_get() || !open {
            return Ok(found);
        }
        let failed_per_hour = self.settings.failed_per_hour;
        self.quotas.check(Counted::Failures, &account.id.to_string(), failed_per_hour, now)?;
        admitted.object()?;
        let id = found.id;
        // Without a free place the first attempt is due, and whoever looks after those takes it. Nobody overtakes them.
        let due = self.pki.house.db.read("pki.acme.is_due", move |rx| repo::is_due(rx, now)).await?;
        let place = if due { None } else { self.place_for(account.id, id) };
        let number = i64::from(place.is_some());
        let next = if place.is_some() { now.plus(ATTEMPT_TIME) } else { now };
        let chosen = self
            .db()
            .write("pki.acme.choose_challenge", move |tx| {
                repo::choose_challenge(tx, HOUSE, id, challenge, number, next)
            })
            .await?;
        if !chosen {
            return self.authorization(account, handle).await;
        }
        let answered = Authorization { challenge: Some(challenge), attempts: number, ..found };
        if let Some(place) = place {
            let key = account.key.clone();
            self.look(Attempt { authorization: answered.clone(), challenge, key, number }, place);
        }
        Ok(answered)
    }

    /// A place to look at an authorization, if there is one and the account may have it.
    fn place_for(&self, account: AccountId, id: AuthorizationId) -> Option<Place> {
        let own = self.proving.take(account, id)?;
        let all = Arc::clone(&self.probes).try_acquire_owned().ok()?;
        Some(Place { _all: all, _own: own })
    }

    /// Takes up attempts that are due; how many.
    ///
    /// # Errors
    /// The store's.
    pub async fn prove_due(&self) -> Result<u64> {
        let now = self.pki.house.now();
        let per_account = i64::try_from(PROBES_PER_ACCOUNT_MAX).unwrap_or(i64::MAX);
        let read = move |rx: &mut store::Rx<'_>| repo::due(rx, now, per_account, DUE_AT_ONCE);
        let due = self.pki.house.db.read("pki.acme.due", read).await?;
        let mut taken = 0;
        for (id, account) in due {
            // An account that has its places waits; the others do not wait for it.
            let Some(place) = self.place_for(account, id) else { continue };
            if let Some(attempt) = self.take_up(id, now).await? {
                self.look(attempt, place);
            }
            taken += 1;
        }
        Ok(taken)
    }

    /// The attempt that is due, if it can still be made; otherwise the authorization has failed by now.
    async fn take_up(&self, id: AuthorizationId, now: Time) -> Result<Option<Attempt>> {
        let found = self
            .db()
            .read("pki.acme.take_up", move |rx| {
                let Some(one) = repo::authorization_by_id(rx, HOUSE, id)? else { return Ok(None) };
                let account = repo::account_by_id(rx, HOUSE, one.account)?;
                Ok(account.map(|account| (one, account)))
            })
            .await?;
        let Some((authorization, account)) = found else { return Ok(None) };
        let Some(challenge) = authorization.challenge else { return Ok(None) };
        let attempts = authorization.attempts;
        let failed = if account.status != AccountStatus::Valid {
            Some(("unauthorized", "The account was closed."))
        } else if authorization.expires_at <= now {
            Some(("malformed", "The authorization has expired."))
        } else if attempts >= rules::ATTEMPTS_MAX {
            Some(("serverInternal", "The house stopped while it looked; order again."))
        } else {
            None
        };
        if let Some((kind, detail)) = failed {
            let problem = problem::failed(kind, detail, &authorization.ordered.text());
            self.fail(&authorization, &account, challenge, attempts, (kind, problem)).await?;
            return Ok(None);
        }
        let until = now.plus(ATTEMPT_TIME);
        let taken = self
            .db()
            .write("pki.acme.take_attempt", move |tx| repo::take_attempt(tx, HOUSE, id, attempts, until))
            .await?;
        let number = attempts + 1;
        Ok(taken.then_some(Attempt { authorization, challenge, key: account.key, number }))
    }

    /// Looks in a task of its own: a client does not wait for it, and a client that goes away does not end it.
    fn look(&self, attempt: Attempt, place: Place) {
        let this = self.clone();
        let work = async move {
            let _place = place;
            if let Err(failure) = this.look_here(&attempt).await {
                let id = attempt.authorization.id;
                tracing::warn!(
                    code = failure.code().name, authorization = %id,
                    "what came of a proof could not be written, it will be tried again: {failure:?}"
                );
            }
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "a probe ends by itself; what a stop cuts off is taken up at the next start"
        )]
        drop(tokio::spawn(work));
    }

    async fn look_here(&self, attempt: &Attempt) -> Result<()> {
        let Attempt { authorization, challenge, key, number } = attempt;
        let answer = key_authorization(&authorization.token, key);
        let identifier = &authorization.ordered.identifier;
        let seen = self.prober().probe(*challenge, identifier, &authorization.token, &answer).await;
        self.count(authorization.account, *number, &seen);
        let account = self.account_for(authorization).await?;
        match seen {
            Ok(()) => self.prove(authorization, &account, *challenge, *number).await,
            Err(fault) => self.judge_fault(authorization, &account, *challenge, *number, &fault).await,
        }
    }

    async fn account_for(&self, authorization: &Authorization) -> Result<Account> {
        let id = authorization.account;
        let found =
            self.db().read("pki.acme.account_for", move |rx| repo::account_by_id(rx, HOUSE, id)).await?;
        found.ok_or_else(|| error::ACCOUNT_NONE.error())
    }

    async fn prove(
        &self,
        authorization: &Authorization,
        account: &Account,
        challenge: ChallengeKind,
        number: i64,
    ) -> Result<()> {
        let (id, now) = (authorization.id, self.pki.house.now());
        let payload = json!({"authorization": id, "account": account.id, "challenge": challenge.name()});
        let fact = self.fact(&facts::AUTHORIZATION_VALID, id, payload);
        let call = Self::call_of(&self.pki.house.system("pki.acme.prove"), account);
        let until = now.plus(PROOF_LIFE).whole_second();
        self.db()
            .write("pki.acme.set_valid", move |tx| {
                // Somebody took this attempt for lost, or the authorization was given back: nothing is proved here.
                if repo::set_valid(tx, HOUSE, id, number, now, until)? {
                    tx.record(&call, &fact)?;
                }
                Ok(())
            })
            .await
    }

    async fn judge_fault(
        &self,
        authorization: &Authorization,
        account: &Account,
        challenge: ChallengeKind,
        number: i64,
        fault: &ProbeFault,
    ) -> Result<()> {
        if let Some(wait) = rules::wait_after(number).filter(|_| fault.retry) {
            let (id, at) = (authorization.id, self.pki.house.now().plus(wait));
            return self
                .db()
                .write("pki.acme.try_again", move |tx| repo::try_again(tx, HOUSE, id, number, at))
                .await
                .map(drop);
        }
        let problem = problem::of_fault(fault, &authorization.ordered.text());
        self.fail(authorization, account, challenge, number, problem).await
    }

    async fn fail(
        &self,
        authorization: &Authorization,
        account: &Account,
        challenge: ChallengeKind,
        number: i64,
        (kind, problem): (&'static str, Value),
    ) -> Result<()> {
        let id = authorization.id;
        let payload = json!({
            "authorization": id, "account": account.id, "challenge": challenge.name(), "code": kind,
        });
        let fact = self.fact(&facts::AUTHORIZATION_FAILED, id, payload);
        let call = Self::call_of(&self.pki.house.system("pki.acme.prove"), account);
        let text = problem.to_string();
        self.db()
            .write("pki.acme.set_invalid", move |tx| {
                if repo::set_invalid(tx, HOUSE, id, number, &text)? {
                    tx.record(&call, &fact)?;
                }
                Ok(())
            })
            .await
    }

    /// Counts a proof as failed with its first look that fails, whatever becomes of its authorization; a later look that
    /// succeeds takes it back. What is too much is said when the next challenge is chosen.
    fn count(&self, account: AccountId, number: i64, seen: &std::result::Result<(), ProbeFault>) {
        let (asker, per_hour) = (account.to_string(), self.settings.failed_per_hour);
        match seen {
            Err(_) if number == 1 => {
                let _ = self.quotas.take(Counted::Failures, &asker, per_hour, self.pki.house.now());
            }
            Ok(()) if number > 1 => self.quotas.give_back(Counted::Failures, &asker, per_hour),
            _ => {}
        }
    }

    fn fact(&self, kind: &'static events::FactType, resource: AuthorizationId, payload: Value) -> Fact {
        Fact::new(kind, self.pki.house.id(), self.pki.house.now(), resource, payload).of(HOUSE)
    }

    /// Forgets orders and authorizations that ended long ago; how many. Certificates stay.
    ///
    /// # Errors
    /// The store's.
    pub async fn forget_ended(&self) -> Result<u64> {
        let before = self.pki.house.now().minus(KEEP_ENDED);
        let (orders, authorizations) = self
            .pki
            .house
            .db
            .read("pki.acme.ended", move |rx| {
                let orders = repo::ended_orders(rx, before, FORGET_AT_ONCE)?;
                Ok((orders, repo::ended_authorizations(rx, before, FORGET_AT_ONCE)?))
            })
            .await?;
        let count = orders.len() + authorizations.len();
        if count > 0 {
            self.db()
                .write("pki.acme.forget", move |tx| {
                    for (tenant, id) in &orders {
                        repo::delete_order(tx, *tenant, *id)?;
                    }
                    for (tenant, id) in &authorizations {
                        repo::delete_authorization(tx, *tenant, *id)?;
                    }
                    Ok(())
                })
                .await?;
        }
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }
}
