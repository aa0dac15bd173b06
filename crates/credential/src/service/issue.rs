//! Issuing: prepare, plan, sign, finish; for one row or for a chunk of hundreds, by the same steps.
//!
//! `prepare` takes places, finds people and computes the exact bytes; `plan` makes them durable in one transaction;
//! the key signs with no transaction open; `finish` saves the result and records one fact for each credential. What a
//! crash leaves between plan and finish is finished by [`Credentials::finish_stale`].

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use base::{
    Call, Error, Id, Result,
    id::kind::{Job, Person},
};
use events::{Fact, Record};
use keys::{Blind, Keys, NewPerson, PersonKey, Purpose, Signature, SigningKeyInfo};
use proof::{
    integrity::{self, Prepared, ProofOptions, Skeleton},
    status::Entry,
};
use serde_json::{Value, json};
use store::Tx;

use super::{CredentialId, Credentials, TenantId};
use crate::{
    document::{self, Parts},
    error, facts,
    list::Place,
    model::{Credential, State},
    repo,
    rules::{self, Order},
    template::{Template, drawing_error},
};

/// Another verb may make the same person at the same moment; so often we look again.
const RACES_MAX: u32 = 4;
const STALE_AT_ONCE: u32 = 200;
/// Every so many documents the fast path is compared with the full one.
const SKELETON_CHECK_EVERY: usize = 1_000;

/// A credential that was issued.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The row.
    pub credential: Credential,
    /// The signed document.
    pub document: Arc<Value>,
}

/// A row to be issued.
#[derive(Clone)]
pub(crate) struct Wanted {
    pub(crate) order: Order,
    /// The job and line it came from.
    pub(crate) job: Option<(Id<Job>, u32)>,
    /// The person, when the row has one already.
    pub(crate) person: Option<Id<Person>>,
}

/// A person who does not exist yet.
pub(crate) struct Newcomer {
    key: NewPerson,
    identifier: Option<(Blind, Vec<u8>)>,
}

/// A credential before it is planned: everything that the transaction will write.
struct Draft {
    credential: Credential,
    person: Someone,
    document: Arc<Value>,
    prepared: Prepared,
}

/// A row's person: the key, and what is to be stored when the person is new.
pub(crate) type Someone = (PersonKey, Option<Arc<Newcomer>>);

/// Makes the people who are new, each once.
pub(crate) fn insert_newcomers<'a>(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    keys: &Keys,
    people: impl Iterator<Item = &'a Someone>,
    now: base::Time,
) -> Result<()> {
    let mut made: BTreeSet<Id<Person>> = BTreeSet::new();
    for (key, newcomer) in people {
        let Some(newcomer) = newcomer else { continue };
        if !made.insert(key.person()) {
            continue;
        }
        let identifier =
            newcomer.identifier.as_ref().map(|(blind, sealed)| (blind.current.as_slice(), sealed.as_slice()));
        if !identity::insert_person(tx, tenant, key.person(), "email", identifier, now)? {
            return Err(error::RACE.error().retry_after(1));
        }
        keys.install_person(tx, &newcomer.key)?;
    }
    Ok(())
}

/// The plan as it is sealed: the document and the proof it will get.
#[derive(serde::Serialize, serde::Deserialize)]
struct Plan {
    document: Value,
    proof: Value,
    hash: String,
}

impl Credentials {
    /// Issues one credential from the cells of a row.
    ///
    /// # Errors
    /// `TEMPLATE_NOT_FOUND`, `VALIDATION_ERROR` with the cells, `RENDER_IMPOSSIBLE`, `CREDENTIAL_DOCUMENT`; the store's.
    pub async fn issue(
        &self,
        call: &Call,
        tenant: TenantId,
        template: &str,
        cells: &BTreeMap<String, String>,
    ) -> Result<Issued> {
        let template = Template::find(template)?;
        let order = rules::order(template, cells)?;
        let wanted = vec![Wanted { order, job: None, person: None }];
        let mut outcomes = self.issue_all(call, tenant, template, wanted).await?;
        outcomes.pop().unwrap_or_else(|| Err(base::error::INTERNAL.error()))
    }

    /// Issues a chunk of rows; each gets its own outcome, in the order of the rows. An error of the whole is one of
    /// the store or the key ring, and then nothing of the chunk is lost: what was planned is finished later.
    pub(crate) async fn issue_all(
        &self,
        call: &Call,
        tenant: TenantId,
        template: &'static Template,
        wanted: Vec<Wanted>,
    ) -> Result<Vec<Result<Issued>>> {
        // A task of its own: a client that goes away must not cancel between plan and finish.
        let (this, call) = (self.clone(), call.for_tenant(tenant));
        let work = async move {
            let mut races = 0;
            loop {
                let outcome = this.issue_once(&call, tenant, template, wanted.clone()).await;
                match outcome {
                    Err(failure) if failure.is(&error::RACE) && races < RACES_MAX => races += 1,
                    other => return other,
                }
            }
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "finishes by itself; what a stop cuts off is finished at the next start"
        )]
        tokio::spawn(work).await.map_err(|e| base::error::INTERNAL.because(e))?
    }

    async fn issue_once(
        &self,
        call: &Call,
        tenant: TenantId,
        template: &'static Template,
        wanted: Vec<Wanted>,
    ) -> Result<Vec<Result<Issued>>> {
        let issuer = self.identity.tenant(tenant).await?;
        let keys = self.keys.clone();
        let key = self
            .house
            .db
            .tenant(tenant.uuid())
            .read("credential.active_key", move |rx| keys.active(rx, tenant, Purpose::Assertion))
            .await?;
        let places = self.lists.take(tenant, wanted.len()).await?;
        let who: Vec<_> = wanted.iter().map(|row| (row.person, row.order.email.clone())).collect();
        let people = self.people(tenant, &who).await?;
        let this = self.clone();
        let signing = key.clone();
        let drafts: Vec<Result<Draft>> = tokio::task::spawn_blocking(move || {
            this.drafts(&issuer, &signing, template, wanted, places, people)
        })
        .await
        .map_err(|e| base::error::INTERNAL.because(e))?;
        let mut failures: Vec<Option<Error>> = Vec::with_capacity(drafts.len());
        let mut good = Vec::with_capacity(drafts.len());
        for draft in drafts {
            match draft {
                Ok(draft) => {
                    failures.push(None);
                    good.push(draft);
                }
                Err(failure) => failures.push(Some(failure)),
            }
        }
        let good = Arc::new(good);
        if !good.is_empty() {
            self.plan(tenant, &good).await?;
        }
        let messages = good.iter().map(|draft| draft.prepared.hash_data.to_vec()).collect();
        let signatures = self.keys.sign(&self.house, tenant, key.id, messages).await?;
        let mut issued = self.finish(call, tenant, &good, &signatures).await?.into_iter();
        Ok(failures
            .into_iter()
            .map(|failure| match failure {
                Some(failure) => Err(failure),
                None => issued.next().ok_or_else(|| base::error::INTERNAL.error()),
            })
            .collect())
    }

    /// The people of the rows, found by their blind index or made new; rows with one address share one person.
    pub(crate) async fn people(
        &self,
        tenant: TenantId,
        wanted: &[(Option<Id<Person>>, Option<String>)],
    ) -> Result<Vec<Someone>> {
        let lookups: Vec<(Option<Id<Person>>, Option<Blind>)> = wanted
            .iter()
            .map(|(person, email)| {
                (*person, email.as_ref().map(|address| self.keys.blind(tenant, "email", address)))
            })
            .collect();
        let keys = self.keys.clone();
        let copies = lookups.clone();
        let known: Vec<Option<PersonKey>> = self
            .house
            .db
            .tenant(tenant.uuid())
            .read("credential.people", move |rx| {
                copies
                    .iter()
                    .map(|(person, blind)| {
                        let found = match (person, blind) {
                            (Some(person), _) => Some(*person),
                            (None, Some(blind)) => identity::persons_by_index(rx, tenant, "email", blind)?,
                            (None, None) => None,
                        };
                        found.map(|person| keys.person(rx, tenant, person)).transpose()
                    })
                    .collect()
            })
            .await?;
        let mut made: BTreeMap<Vec<u8>, (PersonKey, Arc<Newcomer>)> = BTreeMap::new();
        let mut people = Vec::with_capacity(wanted.len());
        for (((_, email), (_, blind)), known) in wanted.iter().zip(lookups).zip(known) {
            if let Some(key) = known {
                people.push((key, None));
                continue;
            }
            if let Some((key, newcomer)) = blind.as_ref().and_then(|blind| made.get(&blind.current)) {
                people.push((key.clone(), Some(Arc::clone(newcomer))));
                continue;
            }
            let id = self.house.id();
            let new = self.keys.prepare_person(tenant, id, &self.house)?;
            let key = new.key.clone();
            let identifier = match (&blind, email) {
                (Some(blind), Some(address)) => {
                    let sealed = key.seal(
                        "identity_person",
                        "identifier_sealed",
                        id,
                        address.as_bytes(),
                        &*self.house.chance,
                    )?;
                    Some((blind.clone(), sealed))
                }
                _ => None,
            };
            let newcomer = Arc::new(Newcomer { key: new, identifier });
            if let Some(blind) = blind {
                made.insert(blind.current, (key.clone(), Arc::clone(&newcomer)));
            }
            people.push((key, Some(newcomer)));
        }
        Ok(people)
    }

    fn drafts(
        &self,
        issuer: &identity::Tenant,
        key: &SigningKeyInfo,
        template: &'static Template,
        wanted: Vec<Wanted>,
        places: Vec<Place>,
        people: Vec<Someone>,
    ) -> Vec<Result<Draft>> {
        let mut fast = Fast::default();
        wanted
            .into_iter()
            .zip(places)
            .zip(people)
            .map(|((row, place), person)| self.draft(issuer, key, template, row, place, person, &mut fast))
            .collect()
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one draft, each from another step")]
    fn draft(
        &self,
        issuer: &identity::Tenant,
        key: &SigningKeyInfo,
        template: &'static Template,
        row: Wanted,
        place: Place,
        person: Someone,
        fast: &mut Fast,
    ) -> Result<Draft> {
        let now = self.house.now().whole_second();
        let id: CredentialId = self.house.id();
        let status = Entry {
            list: self.lists.address(&place.handle),
            index: u64::from(place.index),
            purpose: "revocation".to_owned(),
            index_was_number: false,
        };
        let parts =
            Parts { tenant: issuer, public_url: &self.public_url, template, order: &row.order, status };
        let document = document::build(&parts, &*self.house.chance)?;
        let handle = self.house.chance.handle();
        // Laid out once before anything is planned: a name that does not fit or has no glyph fails here, not on paper.
        let verify = self.page_url(&handle);
        template
            .drawing()?
            .fill(&document, &render::Links { verify: &verify })
            .map_err(|wrong| drawing_error(&wrong))?;
        let options = ProofOptions::assertion(document::verification_method(&issuer.did, key), now.rfc3339());
        let prepared = fast.prepare(&document, &options)?;
        let mut credential = Credential {
            tenant: issuer.id,
            id,
            person: person.0.person(),
            template: template.name.to_owned(),
            template_digest: template.digest()?,
            state: State::Planned,
            list: place.list,
            index: place.index,
            key: key.id,
            handle,
            recipient_handle: self.house.chance.handle(),
            plan_sealed: None,
            body_sealed: None,
            reason_sealed: None,
            job: row.job,
            issued_at: None,
            status_at: None,
            erased_at: None,
        };
        let plan = Plan {
            document: document.clone(),
            proof: prepared.proof.clone(),
            hash: proof::crypto::hex(&prepared.hash_data),
        };
        let plain = serde_json::to_vec(&plan).map_err(|e| base::error::INTERNAL.because(e))?;
        credential.plan_sealed =
            Some(person.0.seal("credential_credential", "plan_sealed", id, &plain, &*self.house.chance)?);
        Ok(Draft { credential, person, document: Arc::new(document), prepared })
    }

    async fn plan(&self, tenant: TenantId, drafts: &Arc<Vec<Draft>>) -> Result<()> {
        let (drafts, keys, now) = (Arc::clone(drafts), self.keys.clone(), self.house.now());
        self.house
            .db
            .tenant(tenant.uuid())
            .write("credential.plan", move |tx| {
                insert_newcomers(tx, tenant, &keys, drafts.iter().map(|draft| &draft.person), now)?;
                drafts.iter().try_for_each(|draft| repo::insert_planned(tx, &draft.credential, now))
            })
            .await
    }

    async fn finish(
        &self,
        call: &Call,
        tenant: TenantId,
        drafts: &Arc<Vec<Draft>>,
        signatures: &[Signature],
    ) -> Result<Vec<Issued>> {
        let now = self.house.now();
        let mut issued = Vec::with_capacity(drafts.len());
        let mut facts = Vec::with_capacity(drafts.len());
        for (draft, signature) in drafts.iter().zip(signatures) {
            let signed = integrity::finish(&draft.document, draft.prepared.clone(), signature.bytes());
            let (credential, fact) = self.signed(&draft.credential, &draft.person.0, &signed, now)?;
            facts.push(fact);
            issued.push(Issued { credential, document: Arc::new(signed) });
        }
        self.save_finished(call, tenant, issued.iter().map(|one| one.credential.clone()).collect(), facts)
            .await?;
        Ok(issued)
    }

    /// The credential with its signed body sealed, and the fact that it was issued.
    fn signed(
        &self,
        credential: &Credential,
        key: &PersonKey,
        signed: &Value,
        now: base::Time,
    ) -> Result<(Credential, Fact)> {
        let bytes = serde_json::to_vec(signed).map_err(|e| base::error::INTERNAL.because(e))?;
        let chance = &*self.house.chance;
        let body = key.seal("credential_credential", "body_sealed", credential.id, &bytes, chance)?;
        let payload = json!({
            "credential": credential.id,
            "template": credential.template,
            "templateDigest": proof::crypto::hex(&credential.template_digest),
            "key": credential.key,
            "job": credential.job.map(|(job, _)| job.to_string()),
        });
        let sealed = json!({"sha256": proof::crypto::hex(&proof::crypto::sha256(&bytes))}).to_string();
        let fact = Fact::new(&facts::CREDENTIAL_ISSUED, self.house.id(), now, credential.id, payload)
            .of(credential.tenant);
        let part = key.part(fact.id, sealed.as_bytes(), chance)?;
        let finished = Credential {
            state: State::Issued,
            body_sealed: Some(body),
            plan_sealed: None,
            issued_at: Some(now),
            ..credential.clone()
        };
        Ok((finished, fact.sealing(part)))
    }

    async fn save_finished(
        &self,
        call: &Call,
        tenant: TenantId,
        finished: Vec<Credential>,
        facts: Vec<Fact>,
    ) -> Result<()> {
        let (call, now) = (call.for_tenant(tenant), self.house.now());
        self.house
            .db
            .tenant(tenant.uuid())
            .write("credential.finish", move |tx| {
                for (credential, fact) in finished.iter().zip(&facts) {
                    let body = credential.body_sealed.as_deref().unwrap_or_default();
                    let at = credential.issued_at.unwrap_or(now);
                    if repo::finish(tx, tenant, credential.id, body, at)? {
                        tx.record(&call, fact)?;
                    }
                }
                Ok(())
            })
            .await
    }

    /// Finishes what a crash left planned, and gives up what cannot be finished. Returns how many.
    ///
    /// # Errors
    /// The store's; the key ring's.
    pub async fn finish_stale(&self, older_than: Duration) -> Result<u64> {
        let before = self.house.now().minus(older_than);
        let stale = self
            .house
            .db
            .read("credential.stale", move |rx| repo::stale_plans(rx, before, STALE_AT_ONCE))
            .await?;
        let call = self.house.system("credential.finish_stale");
        let mut settled = 0;
        for credential in stale {
            self.settle(&call, credential).await?;
            settled += 1;
        }
        Ok(settled)
    }

    async fn settle(&self, call: &Call, credential: Credential) -> Result<()> {
        let tenant = credential.tenant;
        let (keys, person) = (self.keys.clone(), credential.person);
        let key = self
            .house
            .db
            .tenant(tenant.uuid())
            .read("credential.person", move |rx| super::living(keys.person(rx, tenant, person)))
            .await?;
        let plan = match (&key, &credential.plan_sealed) {
            (Some(key), Some(sealed)) => {
                let plain = key.open("credential_credential", "plan_sealed", credential.id, sealed)?;
                serde_json::from_slice::<Plan>(&plain).ok()
            }
            _ => None,
        };
        let (Some(key), Some(plan)) = (key, plan) else { return self.abandon(call, credential).await };
        let Some(hash_data) = unhex(&plan.hash) else { return self.abandon(call, credential).await };
        let signature = self
            .keys
            .sign(&self.house, tenant, credential.key, vec![hash_data.to_vec()])
            .await?
            .pop()
            .ok_or_else(|| keys::error::SIGN.error().with("key", credential.key))?;
        let signed =
            integrity::finish(&plan.document, Prepared { hash_data, proof: plan.proof }, signature.bytes());
        let (finished, fact) = self.signed(&credential, &key, &signed, self.house.now())?;
        self.save_finished(call, tenant, vec![finished], vec![fact]).await
    }

    async fn abandon(&self, call: &Call, credential: Credential) -> Result<()> {
        let (tenant, id, now) = (credential.tenant, credential.id, self.house.now());
        let fact =
            Fact::new(&facts::CREDENTIAL_ABANDONED, self.house.id(), now, id, json!({"credential": id}))
                .of(tenant);
        let call = call.for_tenant(tenant);
        self.house
            .db
            .tenant(tenant.uuid())
            .write("credential.abandon", move |tx| {
                if repo::abandon(tx, tenant, id, now)? {
                    tx.record(&call, &fact)?;
                }
                Ok(())
            })
            .await
    }
}

fn unhex(text: &str) -> Option<[u8; 64]> {
    let bytes: Vec<u8> = text
        .as_bytes()
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok()))
        .collect::<Option<_>>()?;
    bytes.try_into().ok()
}

/// The fast path of a chunk: the expansion of a template's documents is compiled once for each shape that occurs, and
/// compared with the full path now and then. A difference stops the run: better no diploma than one nobody can check.
#[derive(Default)]
struct Fast {
    skeletons: Vec<Skeleton>,
    prepared: usize,
}

/// Shapes that a chunk may have before we stop compiling: with or without grade, field and address make eight.
const SHAPES_MAX: usize = 8;

impl Fast {
    fn prepare(&mut self, document: &Value, options: &ProofOptions) -> Result<Prepared> {
        let refused =
            |problem: integrity::Problem| error::DOCUMENT.error().with("reason", &problem).because(problem);
        self.prepared += 1;
        let known = self.skeletons.iter().find_map(|skeleton| skeleton.prepare(document, options));
        if let Some(prepared) = known {
            if self.prepared.is_multiple_of(SKELETON_CHECK_EVERY) {
                let full = integrity::prepare(document, options).map_err(refused)?;
                if full.hash_data != prepared.hash_data {
                    return Err(base::error::INTERNAL.error());
                }
            }
            return Ok(prepared);
        }
        let full = integrity::prepare(document, options).map_err(refused)?;
        // One document alone is not worth compiling for.
        if self.prepared > 1
            && self.skeletons.len() < SHAPES_MAX
            && let Ok(skeleton) = Skeleton::compile(document, options)
            && skeleton.prepare(document, options).is_some_and(|fast| fast.hash_data == full.hash_data)
        {
            self.skeletons.push(skeleton);
        }
        Ok(full)
    }
}

/// What tests need to stand where a crash would leave a house. Only in builds with debug assertions.
#[cfg(debug_assertions)]
impl Credentials {
    /// Puts an issued credential back to where it was before it was finished.
    ///
    /// # Errors
    /// The store's.
    pub async fn forget_finish_for_test(&self, id: CredentialId) -> Result<()> {
        let keys = self.keys.clone();
        let house = self.house.clone();
        self.house
            .db
            .write("credential.test", move |tx| {
                let Some(credential) = repo::by_id_anywhere(tx, id)? else { return Ok(()) };
                let key = keys.person(tx, credential.tenant, credential.person)?;
                let Some(body) = super::open_body(&key, &credential)? else { return Ok(()) };
                let mut document = super::parse(&body)?;
                let mut proof =
                    document.as_object_mut().and_then(|members| members.remove("proof")).unwrap_or_default();
                let value = proof.as_object_mut().and_then(|members| members.remove("proofValue"));
                drop(value);
                let method = proof["verificationMethod"].as_str().unwrap_or_default().to_owned();
                let created = proof["created"].as_str().unwrap_or_default().to_owned();
                let prepared = integrity::prepare(&document, &ProofOptions::assertion(method, created))
                    .map_err(|e| base::error::INTERNAL.because(e))?;
                let plan =
                    Plan { document, proof: prepared.proof, hash: proof::crypto::hex(&prepared.hash_data) };
                let plain = serde_json::to_vec(&plan).map_err(|e| base::error::INTERNAL.because(e))?;
                let sealed = key.seal("credential_credential", "plan_sealed", id, &plain, &*house.chance)?;
                repo::unfinish(tx, &credential, &sealed)
            })
            .await
    }
}
