//! Finalizing (RFC 8555 §7.4): the request is compared with the order, the order is bound to the certificate in the
//! transaction that plans it, and the authority issues as it does for everybody else.
//!
//! The same request again gives the same certificate; another one finds the order taken. An order is finalized by one
//! request after the other, and an account has few at once: whoever answers for its names slowly holds up nobody else.

use std::{sync::Arc, time::Duration};

use base::{Call, Result};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http_kit::Boxed;
use proof::{
    crypto::sha256,
    x509::{
        Csr, CsrFault,
        pem::{self, Label},
    },
};
use serde_json::Value;
use tokio::time::{Instant, timeout, timeout_at};

use super::{Acme, Admitted, HOUSE, malformed, order::Placed, still_open};
use crate::{
    acme::{
        error,
        model::{Account, Authorization, Order, OrderStatus},
        prober::{CaaFault, CaaQuestion, Identifier, Prober},
        quota::Counted,
        repo, rules,
    },
    error as pki,
    model::Certificate,
    rules::{Grade, WantedNames},
    service::{Asked, InPlan, is_refusal, refused_request},
};

/// When records that could not be read are read again.
const CAA_AGAIN_SECONDS: u32 = 10;
/// The holders of all names of an order answer within this time.
const CAA_TIME: Duration = Duration::from_secs(20);
/// So many of them are asked at once.
const CAA_AT_ONCE: usize = 8;
/// A request waits so long for another one that finalizes the same order.
const TURN_TIME: Duration = Duration::from_secs(20);
/// When an account that has all its places taken tries again.
const PLACE_AGAIN_SECONDS: u32 = 5;

impl Acme {
    /// Finalizes an order with a request; gives the order as it stands then.
    ///
    /// # Errors
    /// `ACME_NOT_FOUND`, `ACME_ORDER_NOT_READY`, `ACME_ORDER_CLAIMED`, `ACME_TOO_OFTEN`, `ACME_CSR_NAMES`, `ACME_CSR_KEY`,
    /// `ACME_CAA`, those of issuing; the store's.
    pub(crate) async fn finalize(&self, call: &Call, admitted: &Admitted, handle: &str) -> Result<Placed> {
        let account = admitted.account()?;
        let payload = admitted.object()?;
        let text = payload.get("csr").and_then(Value::as_str).ok_or_else(|| malformed("csr is no text"))?;
        let der = URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| pki::REQUEST.at("csr").with("reason", "it is no base64url without padding"))?;
        let mut placed = self.order(account, handle).await?;
        let Some(place) = self.finalizing.take(account.id, placed.order.id) else {
            let often = error::OFTEN.error().with("setting", "finalize");
            return Err(often.retry_after(PLACE_AGAIN_SECONDS));
        };
        let _turn = match place.turn_now() {
            Some(turn) => turn,
            None => {
                let claimed = |_| error::CLAIMED.error().retry_after(1);
                let turn = timeout(TURN_TIME, place.turn()).await.map_err(claimed)?;
                placed = self.order(account, handle).await?;
                turn
            }
        };
        let digest = sha256(&der);
        let status = placed.order.status(&placed.parts, self.pki.house.now());
        match status {
            OrderStatus::Ready => {}
            OrderStatus::Processing | OrderStatus::Valid if placed.order.csr_sha256 == Some(digest) => {
                return Ok(placed);
            }
            other => return Err(error::NOT_READY.error().with("state", other.name())),
        }
        let csr = Csr::from_der(&der).map_err(refused_csr)?;
        if csr.key == account.key {
            return Err(error::CSR_KEY.at("csr"));
        }
        rules::names_match(&csr, &placed.order.names)?;
        // A refusal stays in the log for ever, and holders were asked for it: it counts as a failed proof does.
        let (asker, per_hour) = (account.id.to_string(), self.settings.failed_per_hour);
        self.quotas.check(Counted::Failures, &asker, per_hour, self.pki.house.now())?;
        match self.ask_and_issue(call, account, &placed, &der, digest).await {
            Ok(()) => {}
            // The same request came twice at once, to two processes: both hear what came of the first.
            Err(failure) if failure.is(&error::CLAIMED) => {
                let now = self.order(account, handle).await?;
                return if now.order.csr_sha256 == Some(digest) { Ok(now) } else { Err(failure) };
            }
            Err(failure) => {
                if is_refusal(&failure) {
                    // Only counted: what is too much is said the next time.
                    let _ = self.quotas.take(Counted::Failures, &asker, per_hour, self.pki.house.now());
                }
                return Err(failure);
            }
        }
        self.order(account, handle).await
    }

    async fn ask_and_issue(
        &self,
        call: &Call,
        account: &Account,
        placed: &Placed,
        der: &[u8],
        digest: [u8; 32],
    ) -> Result<()> {
        let (address, until) = (self.account_url(account), Instant::now() + CAA_TIME);
        ask_holders(self.prober(), &address, &placed.parts, until).await?;
        self.issue_for(call, account, &placed.order, der, digest).await
    }

    async fn issue_for(
        &self,
        call: &Call,
        account: &Account,
        order: &Order,
        der: &[u8],
        digest: [u8; 32],
    ) -> Result<()> {
        let allowance = rules::allowance(account, &self.settings.allowance);
        let grade = Grade::Acme(Arc::new(allowance));
        let (asked, claim) = (asked_for(account, order, der), claim(order, digest));
        let call = Self::call_of(call, account);
        self.pki.issue_along(&call, HOUSE, grade, asked, Some(claim)).await.map(drop)
    }

    /// The certificate of an order with its chain, leaf first, DER.
    ///
    /// # Errors
    /// `ACME_NOT_FOUND` while there is none; the store's.
    pub(crate) async fn certificate(&self, account: &Account, handle: &str) -> Result<Vec<Vec<u8>>> {
        let (account, handle) = (account.id, handle.to_owned());
        let found: Option<Certificate> = self
            .db()
            .read("pki.acme.certificate", move |rx| {
                let order = repo::order_by_handle(rx, HOUSE, account, &handle)?;
                let Some((id, _)) = order.and_then(|order| order.certificate) else { return Ok(None) };
                crate::repo::by_id(rx, HOUSE, id)
            })
            .await?;
        let found = found.ok_or_else(|| error::NOTHING.error())?;
        let leaf = found.der.ok_or_else(|| error::NOTHING.error())?;
        let mut chain = vec![leaf];
        chain.extend(self.pki.chain(HOUSE, found.authority).await?);
        Ok(chain)
    }
}

/// Asks the holders of the names, right before the certificate is made, so that no answer of theirs is old. The first no
/// ends it, and so does the time that all of them have together.
async fn ask_holders(
    prober: &dyn Prober,
    account: &str,
    parts: &[Authorization],
    until: Instant,
) -> Result<()> {
    let answers: Vec<Boxed<'_, Result<()>>> = parts
        .iter()
        .map(|part| -> Boxed<'_, Result<()>> { Box::pin(ask_holder(prober, account, part, until)) })
        .collect();
    stream::iter(answers).buffer_unordered(CAA_AT_ONCE).try_collect().await
}

async fn ask_holder(prober: &dyn Prober, account: &str, part: &Authorization, until: Instant) -> Result<()> {
    let (Identifier::Dns(name), Some(method)) = (&part.ordered.identifier, part.challenge) else {
        return Ok(());
    };
    let question = CaaQuestion { name, wildcard: part.ordered.wildcard, account, method };
    let late =
        |_| Err(CaaFault { detail: "looking up the CAA records took too long".to_owned(), retry: true });
    let answer = timeout_at(until, prober.permits(question)).await.unwrap_or_else(late);
    answer.map_err(|fault| {
        let refused = error::CAA.at(part.ordered.text()).with("name", part.ordered.value());
        let reason = fault.detail.trim_end_matches('.').to_owned();
        let refused = refused.with("reason", reason);
        if fault.retry { refused.retry_after(CAA_AGAIN_SECONDS) } else { refused }
    })
}

/// What an order asks of the authority.
fn asked_for(account: &Account, order: &Order, der: &[u8]) -> Asked {
    let mut names = WantedNames::default();
    for ordered in &order.names {
        match &ordered.identifier {
            Identifier::Dns(_) => names.dns.push(ordered.value()),
            Identifier::Ip(_) => names.ip.push(ordered.value()),
        }
    }
    Asked {
        profile: order.profile.as_str().to_owned(),
        names,
        csr: Some(pem::encode(Label::CertificateRequest, der)),
        until: order.not_after,
        environment: Some(account.environment.clone()),
        source: "acme".to_owned(),
        ..Asked::default()
    }
}

/// Binds an order to the certificate that is planned for it, in the same transaction.
fn claim(order: &Order, digest: [u8; 32]) -> InPlan {
    let (id, account, replaces) = (order.id, order.account, order.replaces.clone());
    Arc::new(move |tx, certificate| {
        // The account may have been closed since it was let in, and proofs given back since they were looked at.
        still_open(tx, account)?;
        // Several orders may name the same certificate; the first one replaces it.
        if let Some(replaces) = &replaces {
            repo::touch_account(tx, HOUSE, account)?;
            if repo::is_replaced(tx, HOUSE, replaces)? {
                return Err(error::REPLACED.error());
            }
        }
        let parts = repo::authorizations_of(tx, HOUSE, id)?;
        if parts.is_empty() || !parts.iter().all(|part| part.counts(certificate.planned_at)) {
            return Err(error::NOT_READY.error().with("state", OrderStatus::Invalid.name()));
        }
        if repo::claim_order(tx, HOUSE, id, certificate.id, &digest)? {
            Ok(())
        } else {
            Err(error::CLAIMED.error().retry_after(1))
        }
    })
}

/// What tests need to stand where a crash would leave a house. Only in builds with debug assertions.
#[cfg(debug_assertions)]
impl Acme {
    /// Plans the certificate of an order as finalizing would, and dies before the key signs it.
    ///
    /// # Errors
    /// As finalizing.
    pub async fn plan_only_for_test(&self, call: &Call, kid: &str, order: &str, csr: &[u8]) -> Result<()> {
        let environment = self.directory(None).await?.environment;
        let account = self.account_at(&environment, kid).await?;
        let placed = self.order(&account, order).await?;
        let (asked, claim) = (asked_for(&account, &placed.order, csr), claim(&placed.order, sha256(csr)));
        self.pki.plan_along_for_test(call, HOUSE, &asked, Some(claim)).await.map(drop)
    }
}

/// Every fault of a request is the request's, also one of its names.
fn refused_csr(fault: CsrFault) -> base::Error {
    match &fault {
        CsrFault::Name(name) => error::CSR_NAMES.at("csr").with("reason", name),
        _ => refused_request(fault),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use base::{Id, Time};

    use super::*;
    use crate::acme::{
        model::{AuthorizationState, Ordered},
        prober::{ChallengeKind, ProbeFault},
    };

    /// A world in which nobody ever answers.
    #[derive(Default)]
    struct Silent(Mutex<Vec<String>>);

    impl Prober for Silent {
        fn probe(
            &self,
            _: ChallengeKind,
            _: &Identifier,
            _: &str,
            _: &str,
        ) -> Boxed<'_, std::result::Result<(), ProbeFault>> {
            Box::pin(std::future::pending())
        }

        fn permits(&self, question: CaaQuestion<'_>) -> Boxed<'_, std::result::Result<(), CaaFault>> {
            self.0.lock().unwrap().push(question.name.base().to_owned());
            Box::pin(std::future::pending())
        }
    }

    fn proved(name: &str) -> Authorization {
        Authorization {
            id: Id::NIL,
            handle: String::new(),
            account: Id::NIL,
            ordered: Ordered::parse(&format!("dns:{name}")).unwrap(),
            token: String::new(),
            state: AuthorizationState::Valid,
            challenge: Some(ChallengeKind::Dns01),
            error: None,
            attempts: 1,
            validated_at: None,
            expires_at: Time::from_seconds(60),
        }
    }

    #[tokio::test]
    async fn a_hundred_silent_holders_have_one_time_together_and_few_are_asked_at_once() {
        let parts: Vec<Authorization> = (0..100).map(|n| proved(&format!("a{n}.test"))).collect();
        let world = Silent::default();
        let until = Instant::now() + Duration::from_millis(20);
        let refused = ask_holders(&world, "", &parts, until).await.unwrap_err();
        assert!(refused.is(&error::CAA));
        assert_eq!(refused.retry_after_seconds(), Some(CAA_AGAIN_SECONDS));
        assert_eq!(world.0.lock().unwrap().len(), CAA_AT_ONCE);
    }
}
