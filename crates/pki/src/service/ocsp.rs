//! OCSP: what is known of a number, signed by a responder that the authority delegated (RFC 6960 §4.2.2.2).
//!
//! An answer is kept in memory and given again while the table says the same and the answer is young; while nothing was
//! committed not even the table is asked. A nonce, or more than one number, is answered anew.
//! Never here: an answer of the authority's own key, a signed error.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base::{Id, Result, Time, id::kind::SigningKey};
use keys::{Algorithm, Purpose, Succession};
use proof::{
    crypto::{SignatureAlgorithm, SubjectKey},
    x509::{
        Name, Serial,
        crl::Reason,
        ocsp::{
            CertId, OcspError, OcspRequest, ResponderId, ResponseDraft, Single, Status, assemble_response,
        },
    },
};
use store::lease;

use super::{Pki, issue::ForResponder, parsed};
use crate::{
    error,
    model::{Authority, AuthorityId, AuthorityKind, AuthorityState, State, TenantId, moment},
    repo,
};

/// An answer may be used so long, and is signed again at half of it.
const VALIDITY: Duration = Duration::from_secs(24 * 3_600);
/// A responder's certificate is renewed at this age; it lasts seven days.
const RENEW_AT: Duration = Duration::from_secs(4 * 24 * 3_600);
/// Whoever makes a responder's certificate and dies is replaced after this time.
const LEASE: Duration = Duration::from_secs(30);
/// Answers that are kept in memory.
const ANSWERS_MAX: usize = 100_000;

/// An answer, as it goes out.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The response.
    pub bytes: Arc<Vec<u8>>,
    /// When it was signed and until when it may be kept; none for errors and answers to a nonce.
    pub cache: Option<(Time, Time)>,
}

/// An authority that answers are given for.
struct Known {
    tenant: TenantId,
    id: AuthorityId,
    subject: Name,
    key: SubjectKey,
    not_after: Time,
    /// Since when its root has withdrawn it, and with it whatever it signed.
    revoked_at: Option<Time>,
}

/// A responder's certificate, ready to answer.
struct Responder {
    key: Id<SigningKey>,
    algorithm: SignatureAlgorithm,
    id: ResponderId,
    der: Vec<u8>,
    not_before: Time,
    not_after: Time,
}

struct Answer {
    /// How many commits there had been when the table was asked.
    mark: Option<u64>,
    status: Status,
    produced_at: Time,
    next_update: Time,
    responder: ResponderId,
    bytes: Arc<Vec<u8>>,
}

type Authorities = (Option<u64>, Arc<Vec<Known>>);

/// What this process remembers. The table is the truth.
#[derive(Default)]
pub(super) struct Answers {
    authorities: Mutex<Option<Authorities>>,
    responders: Mutex<HashMap<AuthorityId, Arc<Responder>>>,
    kept: Mutex<HashMap<CertId, Answer>>,
    /// One maker of responders' certificates in this process.
    making: tokio::sync::Mutex<()>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pki {
    /// Answers an OCSP request. There is always an answer: an error is five unsigned bytes.
    pub async fn answer(&self, request: &[u8]) -> Reply {
        let refused = |error: OcspError, word: &str| {
            self.figures.answered(word, "error");
            Reply { bytes: Arc::new(error.response().to_vec()), cache: None }
        };
        let Ok(request) = OcspRequest::parse(request) else {
            return refused(OcspError::MalformedRequest, "malformed_request");
        };
        match self.answer_to(&request).await {
            Ok(Some(reply)) => reply,
            Ok(None) => refused(OcspError::Unauthorized, "unauthorized"),
            Err(failure) => {
                tracing::warn!(
                    code = failure.code().name,
                    "an OCSP request could not be answered: {failure:?}"
                );
                refused(OcspError::TryLater, "try_later")
            }
        }
    }

    /// Nothing when the issuer is none of ours, or the request asks of several.
    async fn answer_to(&self, request: &OcspRequest) -> Result<Option<Reply>> {
        let mark = self.house.db.commits();
        let now = self.house.now();
        let alone = match (request.ids.as_slice(), &request.nonce) {
            ([one], None) => Some(one),
            _ => None,
        };
        if let Some(reply) =
            alone.filter(|_| mark.is_some()).and_then(|id| self.kept(id, now, |kept| kept.mark == mark))
        {
            return Ok(Some(reply));
        }
        let authorities = self.known(mark).await?;
        let Some(authority) = request.ids.first().and_then(|id| issuer_of(&authorities, id)) else {
            return Ok(None);
        };
        // For an authority that has ended nobody can speak any more.
        if now >= authority.not_after {
            return Ok(None);
        }
        if !request.ids.iter().all(|id| is_issuer_of(authority, id)) {
            return Ok(None);
        }
        let statuses = self.statuses(authority, request.ids.iter().map(|id| id.serial).collect()).await?;
        if let (Some(id), [status]) = (alone, statuses.as_slice())
            && let Some(reply) = self.kept(id, now, |kept| kept.status == *status)
        {
            if let Some(kept) = lock(&self.answers.kept).get_mut(id) {
                kept.mark = mark;
            }
            return Ok(Some(reply));
        }
        self.signed(authority, request, &statuses, alone.map(|id| (id, mark))).await.map(Some)
    }

    /// The answer in memory, when it is young, of the responder that answers now, and `holds`.
    fn kept(&self, id: &CertId, now: Time, holds: impl FnOnce(&Answer) -> bool) -> Option<Reply> {
        let kept = lock(&self.answers.kept);
        let answer = kept.get(id)?;
        let young = now >= answer.produced_at && now.since(answer.produced_at) < VALIDITY / 2;
        let current = lock(&self.answers.responders)
            .values()
            .any(|one| one.id == answer.responder && now.since(one.not_before) < RENEW_AT);
        if !(young && current && now < answer.next_update && holds(answer)) {
            return None;
        }
        self.figures.answered(word(answer.status), "presigned");
        let cache = Some((answer.produced_at, answer.next_update));
        Some(Reply { bytes: Arc::clone(&answer.bytes), cache })
    }

    /// The issuing authorities, read again after each commit.
    async fn known(&self, mark: Option<u64>) -> Result<Arc<Vec<Known>>> {
        if let Some((at, known)) = lock(&self.answers.authorities).as_ref()
            && mark.is_some()
            && *at == mark
        {
            return Ok(Arc::clone(known));
        }
        let all = self
            .house
            .db
            .read("pki.every_authority", |rx| {
                let issuing =
                    repo::every_authority(rx)?.into_iter().filter(|one| one.kind == AuthorityKind::Issuing);
                issuing
                    .map(|one| {
                        let revoked_at = match one.state {
                            AuthorityState::Revoked => {
                                repo::by_id(rx, one.tenant, one.certificate)?.and_then(|own| own.revoked_at)
                            }
                            AuthorityState::Active | AuthorityState::Retired => None,
                        };
                        Ok((one, revoked_at))
                    })
                    .collect::<Result<Vec<_>>>()
            })
            .await?;
        let mut known = Vec::new();
        for (one, revoked_at) in all {
            let certificate = parsed(&one.der)?;
            let key = certificate.key().map_err(|e| base::error::INTERNAL.because(e))?;
            known.push(Known {
                tenant: one.tenant,
                id: one.id,
                subject: certificate.subject.clone(),
                key,
                not_after: one.not_after,
                revoked_at,
            });
        }
        let known = Arc::new(known);
        *lock(&self.answers.authorities) = Some((mark, Arc::clone(&known)));
        Ok(known)
    }

    async fn statuses(&self, authority: &Known, serials: Vec<Serial>) -> Result<Vec<Status>> {
        let (tenant, id) = (authority.tenant, authority.id);
        let withdrawn = authority.revoked_at.map(moment).transpose()?;
        self.house
            .db
            .tenant(tenant.uuid())
            .read("pki.standing", move |rx| {
                serials
                    .iter()
                    .map(|serial| {
                        Ok(match repo::standing(rx, tenant, id, serial)? {
                            // RFC 6960 §2.7: who knows that an authority is not to be trusted says so of what it signed.
                            Some((State::Issued, _, _)) => match withdrawn {
                                Some(at) => Status::Revoked { at, reason: Reason::CaCompromise },
                                None => Status::Good,
                            },
                            Some((State::Revoked | State::Abandoned, Some(at), reason)) => Status::Revoked {
                                at: moment(at)?,
                                reason: reason.unwrap_or(Reason::Unspecified),
                            },
                            _ => Status::Unknown,
                        })
                    })
                    .collect()
            })
            .await
    }

    /// Signs an answer; one to a single number without nonce is kept.
    async fn signed(
        &self,
        authority: &Known,
        request: &OcspRequest,
        statuses: &[Status],
        keep: Option<(&CertId, Option<u64>)>,
    ) -> Result<Reply> {
        let responder = self.responder(authority).await?;
        let now = self.house.now().whole_second();
        let next_update = now.plus(VALIDITY).min(responder.not_after);
        let (this_update, until) = (moment(now)?, moment(next_update)?);
        let answers = request.ids.iter().zip(statuses);
        let singles: Vec<Single> = answers
            .map(|(id, status)| Single { id: id.clone(), status: *status, this_update, next_update: until })
            .collect();
        let draft = ResponseDraft {
            responder: responder.id,
            produced_at: this_update,
            responder_ends: moment(responder.not_after)?,
            singles: &singles,
            nonce: request.nonce.as_deref(),
        };
        let tbs = draft.tbs().map_err(|e| base::error::INTERNAL.because(e))?;
        let signature = self
            .keys
            .sign(&self.house, authority.tenant, responder.key, vec![tbs.clone()])
            .await?
            .pop()
            .ok_or_else(|| keys::error::SIGN.error().with("key", responder.key))?;
        let bytes = Arc::new(assemble_response(&tbs, responder.algorithm, &signature.x509(), &responder.der));
        for status in statuses {
            self.figures.answered(word(*status), "on_demand");
        }
        let Some(((id, mark), status)) = keep.zip(statuses.first()) else {
            return Ok(Reply { bytes, cache: None });
        };
        // Numbers that were never given are not kept: a stranger could fill the memory with them.
        if *status != Status::Unknown {
            let mut kept = lock(&self.answers.kept);
            if kept.len() >= ANSWERS_MAX {
                kept.clear();
            }
            let answer = Answer {
                mark,
                status: *status,
                produced_at: now,
                next_update,
                responder: responder.id,
                bytes: Arc::clone(&bytes),
            };
            kept.insert(id.clone(), answer);
        }
        Ok(Reply { bytes, cache: Some((now, next_update)) })
    }

    /// The responder that answers for an authority now; made when there is none or the one there is grows old.
    async fn responder(&self, authority: &Known) -> Result<Arc<Responder>> {
        let now = self.house.now();
        let young = |one: &Responder| now.since(one.not_before) < RENEW_AT && now < one.not_after;
        if let Some(known) = lock(&self.answers.responders).get(&authority.id).filter(|one| young(one)) {
            return Ok(Arc::clone(known));
        }
        let _making = self.answers.making.lock().await;
        if let Some(stored) = self.stored_responder(authority).await?.filter(|one| young(one)) {
            return Ok(self.remember(authority.id, stored));
        }
        self.renew_responder(authority).await?;
        // Whoever holds the lease may be another process: until it is done the old one answers.
        match self.stored_responder(authority).await?.filter(|one| now < one.not_after) {
            Some(stored) => Ok(self.remember(authority.id, stored)),
            None => Err(error::RESPONDER.error().retry_after(1)),
        }
    }

    fn remember(&self, authority: AuthorityId, responder: Responder) -> Arc<Responder> {
        let responder = Arc::new(responder);
        lock(&self.answers.responders).insert(authority, Arc::clone(&responder));
        responder
    }

    async fn stored_responder(&self, authority: &Known) -> Result<Option<Responder>> {
        let (tenant, id) = (authority.tenant, authority.id);
        let row = self
            .house
            .db
            .tenant(tenant.uuid())
            .read("pki.responder", move |rx| repo::responder(rx, tenant, id))
            .await?;
        let Some(row) = row else { return Ok(None) };
        let key = parsed(&row.der)?.key().map_err(|e| base::error::INTERNAL.because(e))?;
        Ok(Some(Responder {
            key: row.key,
            algorithm: key.issuing_algorithm(),
            id: ResponderId::of(&key).map_err(|e| base::error::INTERNAL.because(e))?,
            der: row.der,
            not_before: row.not_before,
            not_after: row.not_after,
        }))
    }

    /// Makes a new responder's key and certificate, under a lease; the key before it is retired.
    async fn renew_responder(&self, known: &Known) -> Result<()> {
        let (tenant, id, now) = (known.tenant, known.id, self.house.now());
        let (name, holder) = (format!("pki.responder.{id}"), self.holder.to_string());
        let held = self
            .house
            .db
            .write("pki.responder_claim", move |tx| lease::claim(tx, &name, &holder, now, LEASE))
            .await?;
        let Some(held) = held else { return Ok(()) };
        let (authority, before) = self
            .house
            .db
            .tenant(tenant.uuid())
            .read("pki.responder_before", move |rx| {
                Ok((repo::authority_by_id(rx, tenant, id)?, repo::responder(rx, tenant, id)?))
            })
            .await?;
        let authority: Authority = authority.ok_or_else(|| error::AUTHORITY_NONE.error())?;
        let key = self.keys.prepare_signing(tenant, Purpose::OcspResponder, Algorithm::P256, &self.house)?;
        let succession = before.map_or(Succession::Beside, |before| Succession::After(before.key));
        let call = self.house.system("pki.renew_responder");
        let made = self.issue_responder(&call, &authority, ForResponder { key, succession }).await;
        self.house.db.write("pki.responder_release", move |tx| lease::release(tx, &held, now)).await?;
        made.map(drop)
    }

    /// Looks after every responder that is in use, so that no question waits for a certificate.
    ///
    /// # Errors
    /// The store's; the key ring's.
    pub async fn renew_responders(&self) -> Result<()> {
        for known in self.known(self.house.db.commits()).await?.iter() {
            let (tenant, id, now) = (known.tenant, known.id, self.house.now());
            let in_use = now < known.not_after
                && self
                    .house
                    .db
                    .tenant(tenant.uuid())
                    .read("pki.has_living", move |rx| repo::has_living(rx, tenant, id, now))
                    .await?;
            if in_use && self.stored_responder(known).await?.is_some() {
                self.responder(known).await?;
            }
        }
        Ok(())
    }
}

fn is_issuer_of(authority: &Known, id: &CertId) -> bool {
    CertId::new(id.hash, &authority.subject, &authority.key, id.serial)
        .is_ok_and(|ours| ours.has_issuer_of(id))
}

fn issuer_of<'a>(authorities: &'a [Known], id: &CertId) -> Option<&'a Known> {
    authorities.iter().find(|one| is_issuer_of(one, id))
}

const fn word(status: Status) -> &'static str {
    match status {
        Status::Good => "good",
        Status::Revoked { .. } => "revoked",
        Status::Unknown => "unknown",
    }
}
