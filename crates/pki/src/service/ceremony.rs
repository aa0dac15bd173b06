//! The ceremony: the house plans two certificates and a list, the root signs them elsewhere, the house checks and keeps
//! what came of it, and signs the transcript.
//!
//! The root's key is never here: it is made, used, split and forgotten by whoever holds the ceremony.

use base::{
    Call, Error, Id, Result, Time,
    id::kind::{self, Event, SigningKey},
};
use events::{Fact, Record};
use keys::{Algorithm, PreparedKey, Purpose, Succession};
use proof::{
    canon,
    crypto::{SubjectKey, hex, sha256},
    x509::{
        self, Draft, Issuer, Pointers, Profile, Serial, Validity,
        crl::{CrlDraft, Scope},
        lint, pem,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::Tx;

use super::{
    Pki,
    authority::{NewAuthority, created_fact},
    issue::{BACKDATE_S, abandoned_fact, issued_fact},
    parsed, refuse,
};
use crate::{
    error, facts,
    model::{Authority, AuthorityKind, AuthorityState, Certificate, TenantId, moment, time},
    order::CeremonyOrder,
    repo::{self, CeremonyRow, ListRow},
    request::subject_key,
};

const DAY_S: i64 = 86_400;
/// A root's list is good for twelve months.
pub(super) const ROOT_LIST_S: i64 = 365 * DAY_S;
/// Authorities of one environment that issue when a new hierarchy takes their place: a root and one below it.
const SUCCEEDED_MAX: usize = 16;
/// Shares and witnesses of one transcript.
const FINGERPRINTS_MAX: usize = 16;

/// What a root is asked to sign, byte for byte.
#[derive(Debug, Clone)]
pub struct PlannedCeremony {
    /// Names the ceremony when it is finished; none for a dry run, of which nothing is kept.
    pub id: Option<Id<kind::Ceremony>>,
    /// The root's own certificate.
    pub root_tbs: Vec<u8>,
    /// The issuing authority's certificate.
    pub issuing_tbs: Vec<u8>,
    /// The root's revocation list.
    pub crl_tbs: Vec<u8>,
}

/// What a root signed, each as X.509 has it, and the fingerprints of the shares that its key was split into.
#[derive(Debug, Clone)]
pub struct RootSignatures {
    /// Over the root's certificate.
    pub root: Vec<u8>,
    /// Over the issuing authority's certificate.
    pub issuing: Vec<u8>,
    /// Over the revocation list.
    pub crl: Vec<u8>,
    /// Fingerprints of the shares, never the shares.
    pub shares: Vec<String>,
}

/// A hierarchy that stands.
#[derive(Debug, Clone)]
pub struct Held {
    /// The root's certificate.
    pub root: Vec<u8>,
    /// The issuing authority's certificate.
    pub issuing: Vec<u8>,
    /// The root's revocation list.
    pub crl: Vec<u8>,
    /// What happened, as canonical JSON, with the issuing authority's signature over it.
    pub transcript: Value,
}

/// What is kept between plan and finish.
#[derive(Serialize, Deserialize)]
struct Plan {
    order: CeremonyOrder,
    root: NewAuthority,
    issuing: NewAuthority,
    root_spki: String,
}

/// Both certificates, and the list, before they are signed.
struct Drawn {
    root: Certificate,
    issuing: Certificate,
    crl_tbs: Vec<u8>,
    plan: Plan,
}

impl Pki {
    /// Plans a hierarchy below a root's public key (a SubjectPublicKeyInfo). A dry run keeps nothing.
    ///
    /// # Errors
    /// `PKI_CEREMONY_INVALID`, `PKI_ENVIRONMENT_TAKEN`, `PKI_KEY_REFUSED`, `PKI_LINT`; the token's; the store's.
    pub async fn plan_ceremony(
        &self,
        call: &Call,
        tenant: TenantId,
        mut order: CeremonyOrder,
        root_spki: &[u8],
    ) -> Result<PlannedCeremony> {
        order.check()?;
        let all = self.authorities(tenant).await?;
        let before =
            |kind| all.iter().filter(|one| one.kind == kind && one.environment == order.environment).count();
        let (roots, issuing) = (before(AuthorityKind::Root), before(AuthorityKind::Issuing));
        if roots > 0 && order.successor {
            order.number_names(roots, issuing);
        } else if roots > 0 {
            return Err(error::ENVIRONMENT_TAKEN.at("environment").with("environment", &order.environment));
        }
        let root_key =
            SubjectKey::from_spki(root_spki).map_err(|e| error::KEY.at("rootPublicKey").with("reason", e))?;
        if !matches!(root_key, SubjectKey::P384(_) | SubjectKey::P256(_)) {
            return Err(error::KEY.at("rootPublicKey").with("reason", "a root's key is P-384"));
        }
        let (purpose, algorithm) = (Purpose::CaIssuing, Algorithm::P256);
        let prepared = if self.settings.on_token && !order.dry_run {
            self.keys.prepare_on_token(tenant, purpose, algorithm, &self.house).await?
        } else {
            self.keys.prepare_signing(tenant, purpose, algorithm, &self.house)?
        };
        let planned = self.plan_with_key(call, tenant, order, &root_key, prepared.clone()).await;
        if !matches!(&planned, Ok(planned) if planned.id.is_some()) {
            self.keys.discard(prepared).await?;
        }
        planned
    }

    async fn plan_with_key(
        &self,
        call: &Call,
        tenant: TenantId,
        order: CeremonyOrder,
        root_key: &SubjectKey,
        prepared: PreparedKey,
    ) -> Result<PlannedCeremony> {
        let issuing_key = subject_key(&prepared.info.public)?;
        let drawn = self.draw(call, tenant, order, root_key, &issuing_key).await?;
        let mut planned = PlannedCeremony {
            id: None,
            root_tbs: drawn.root.tbs.clone(),
            issuing_tbs: drawn.issuing.tbs.clone(),
            crl_tbs: drawn.crl_tbs.clone(),
        };
        if drawn.plan.order.dry_run {
            return Ok(planned);
        }
        let request = serde_json::to_string(&drawn.plan).map_err(|e| base::error::INTERNAL.because(e))?;
        let ceremony = CeremonyRow {
            tenant,
            id: self.house.id(),
            environment: drawn.plan.order.environment.clone(),
            state: "planned".to_owned(),
            request,
            key: prepared.info.id,
            crl_tbs: drawn.crl_tbs,
            transcript: None,
        };
        planned.id = Some(ceremony.id);
        let (call, keys, house) = (call.for_tenant(tenant), self.keys.clone(), self.house.clone());
        let (root, issuing, now) = (drawn.root, drawn.issuing, self.house.now());
        self.house
            .db
            .tenant(tenant.uuid())
            .write("pki.plan_ceremony", move |tx| {
                repo::insert_planned(tx, &root)?;
                repo::insert_planned(tx, &issuing)?;
                keys.install_signing(tx, &call, &prepared, Succession::Beside, &house)?;
                repo::insert_ceremony(tx, &ceremony, now)
            })
            .await?;
        Ok(planned)
    }

    /// Draws both certificates and the list, and lints copies that throw-away keys signed.
    async fn draw(
        &self,
        call: &Call,
        tenant: TenantId,
        order: CeremonyOrder,
        root_key: &SubjectKey,
        issuing_key: &SubjectKey,
    ) -> Result<Drawn> {
        let names = order.check()?;
        let now = self.house.now();
        let not_before = moment(now)?.after(-BACKDATE_S).ok_or_else(|| error::MOMENT.error())?;
        let lasting = |profile: Profile| {
            Validity::lasting(not_before, profile.shape().lifetime_s_max).ok_or_else(|| error::MOMENT.error())
        };
        let (root_part, issuing_part) = (NewAuthority::new(&self.house), NewAuthority::new(&self.house));
        let none = Pointers::default();
        let at_root = self.below(&root_part.handle)?;
        let mut drafts = Vec::new();
        let issuer = Issuer::root(names.root.clone(), root_key, lasting(Profile::Root)?);
        for (profile, subject, key, pointers, part, constraints, policies) in [
            (Profile::Root, &names.root, root_key, &none, &root_part, None, &[][..]),
            (
                Profile::Issuing,
                &names.issuing,
                issuing_key,
                &at_root,
                &issuing_part,
                Some(&names.constraints),
                &names.policies,
            ),
        ] {
            let serial = Serial::from_random(self.house.chance.bytes());
            let validity = lasting(profile)?;
            let draft = Draft {
                profile,
                serial,
                validity,
                subject,
                names: &[],
                key,
                pointers,
                policies,
                own_usage: None,
                constraints,
                must_staple: false,
            };
            let wrong = |reason: String| error::CEREMONY.error().with("reason", reason);
            let tbs = draft.tbs(&issuer).map_err(|e| wrong(e.to_string()))?;
            let origin = part.origin(tenant, root_part.authority, &call.actor.id, now);
            drafts.push(Certificate::planned(&draft, tbs, origin));
        }
        let [root, issuing] =
            <[Certificate; 2]>::try_from(drafts).map_err(|_| base::error::INTERNAL.error())?;
        let root_copy = self.copy(&root.tbs, issuer.algorithm).await?;
        refuse(&lint::certificate(&root_copy, Profile::Root, None))?;
        refuse(
            &self.lint(&issuing.tbs, issuer.algorithm, Profile::Issuing, Some(&parsed(&root_copy)?)).await?,
        )?;
        let this_update = moment(now)?;
        let crl_tbs = CrlDraft {
            issuer: &issuer,
            number: 1,
            this_update,
            next_update: this_update.after(ROOT_LIST_S).ok_or_else(|| error::MOMENT.error())?,
            scope: Scope::Everything,
            freshest: None,
            delta_base: None,
        }
        .tbs([])
        .map_err(|e| base::error::INTERNAL.because(e))?;
        let plan =
            Plan { order, root: root_part, issuing: issuing_part, root_spki: hex(&root_key.to_spki()) };
        Ok(Drawn { root, issuing, crl_tbs, plan })
    }

    /// Takes what the root signed, checks it against what was planned, and makes the hierarchy.
    ///
    /// # Errors
    /// `PKI_CEREMONY_GONE`, `PKI_SIGNATURE_WRONG`, `PKI_ENVIRONMENT_TAKEN`; the store's; the key ring's.
    pub async fn finish_ceremony(
        &self,
        call: &Call,
        tenant: TenantId,
        id: Id<kind::Ceremony>,
        signed: RootSignatures,
    ) -> Result<Held> {
        let gone = || error::CEREMONY_GONE.error();
        let db = self.house.db.tenant(tenant.uuid());
        let ceremony = db
            .read("pki.ceremony", move |rx| repo::ceremony(rx, tenant, id))
            .await?
            .filter(|ceremony| ceremony.state == "planned")
            .ok_or_else(gone)?;
        let plan: Plan =
            serde_json::from_str(&ceremony.request).map_err(|e| base::error::INTERNAL.because(e))?;
        let (root_id, issuing_id) = (plan.root.certificate, plan.issuing.certificate);
        let rows = db
            .read("pki.ceremony_certificates", move |rx| {
                Ok((repo::by_id(rx, tenant, root_id)?, repo::by_id(rx, tenant, issuing_id)?))
            })
            .await?;
        let (Some(mut root), Some(mut issuing)) = rows else { return Err(gone()) };
        if signed.shares.len() > FINGERPRINTS_MAX || signed.shares.iter().any(|text| text.len() > 128) {
            return Err(error::CEREMONY.at("shares").with("reason", "too many fingerprints, or too long"));
        }
        let crl = check_signatures(&mut root, &mut issuing, &ceremony.crl_tbs, &signed)?;
        let now = self.house.now();
        let authorities = [
            authority(&plan, &root, AuthorityKind::Root, None, 1, now),
            authority(&plan, &issuing, AuthorityKind::Issuing, Some(ceremony.key), self.settings.shards, now),
        ];
        let transcript = transcript(&plan, &ceremony, &root, &issuing, &crl, &signed.shares, now)?;
        let held = Held {
            root: root.der.clone().unwrap_or_default(),
            issuing: issuing.der.clone().unwrap_or_default(),
            crl: crl.clone(),
            transcript: Value::Null,
        };
        let successor = plan.order.successor;
        self.make(call, &ceremony, successor, [root, issuing], authorities.clone(), crl, transcript.clone())
            .await?;
        let signature = self.sign_transcript(call, &ceremony, &transcript).await?;
        let [_, issuing] = authorities;
        let document: Value =
            serde_json::from_str(&transcript).map_err(|e| base::error::INTERNAL.because(e))?;
        let transcript = json!({
            "transcript": document, "sha256": hex(&sha256(transcript.as_bytes())),
            "signature": hex(&signature), "signedBy": hex(&issuing.spki_sha256),
        });
        Ok(Held { transcript, ..held })
    }

    /// One transaction: both certificates and authorities, the lists, the barred keys, a fact for each thing.
    #[expect(clippy::too_many_arguments, reason = "everything that one transaction makes true")]
    async fn make(
        &self,
        call: &Call,
        ceremony: &CeremonyRow,
        successor: bool,
        certificates: [Certificate; 2],
        authorities: [Authority; 2],
        crl: Vec<u8>,
        transcript: String,
    ) -> Result<()> {
        let (call, ceremony, now) = (call.for_tenant(ceremony.tenant), ceremony.clone(), self.house.now());
        let mut facts = Vec::new();
        for (certificate, authority) in certificates.iter().zip(&authorities) {
            let der = certificate.der.as_deref().unwrap_or_default();
            facts.push(issued_fact(certificate, self.house.id(), now, der));
            facts.push(created_fact(authority, self.house.id(), now));
        }
        let events: Vec<Id<Event>> = (0..SUCCEEDED_MAX).map(|_| self.house.id()).collect();
        let parsed_crl = x509::crl::Crl::parse(&crl).map_err(|e| base::error::INTERNAL.because(e))?;
        let next_update = parsed_crl.next_update.map(time);
        let list = ListRow {
            version: 0,
            signed_version: 0,
            number: 1,
            der: Some(crl.clone()),
            this_update: Some(now.whole_second()),
            next_update,
        };
        self.house
            .db
            .tenant(ceremony.tenant.uuid())
            .write("pki.make_hierarchy", move |tx| {
                if !repo::sign_ceremony(tx, &ceremony, &transcript, now)? {
                    return Err(error::CEREMONY_GONE.error());
                }
                if successor {
                    succeed(tx, &call, &ceremony, &authorities, &events, now)?;
                }
                for authority in &authorities {
                    if !repo::insert_authority(tx, authority)? {
                        return Err(error::ENVIRONMENT_TAKEN
                            .at("environment")
                            .with("environment", &ceremony.environment));
                    }
                    repo::bar(tx, ceremony.tenant, &authority.spki_sha256, "authority", now)?;
                    for shard in 0..authority.shards {
                        repo::insert_list(tx, ceremony.tenant, authority.id, shard)?;
                    }
                    if authority.kind == AuthorityKind::Root {
                        repo::take_number(tx, ceremony.tenant, authority.id, 0)?;
                        repo::save_list(tx, ceremony.tenant, authority.id, 0, &list)?;
                    }
                }
                for certificate in &certificates {
                    let der = certificate.der.as_deref().unwrap_or_default();
                    if !repo::finish(tx, ceremony.tenant, certificate.id, der, now)? {
                        return Err(error::CEREMONY_GONE.error());
                    }
                }
                facts.iter().try_for_each(|fact| tx.record(&call, fact))
            })
            .await
    }

    /// Signs a transcript that is kept already, and says that the ceremony was held.
    async fn sign_transcript(
        &self,
        call: &Call,
        ceremony: &CeremonyRow,
        transcript: &str,
    ) -> Result<Vec<u8>> {
        let tenant = ceremony.tenant;
        let message = vec![transcript.as_bytes().to_vec()];
        let signature = self
            .keys
            .sign(&self.house, tenant, ceremony.key, message)
            .await?
            .pop()
            .ok_or_else(|| keys::error::SIGN.error().with("key", ceremony.key))?
            .x509();
        let digest = sha256(transcript.as_bytes());
        let payload = json!({
            "ceremony": ceremony.id, "environment": ceremony.environment, "transcript": hex(&digest),
            "key": ceremony.key,
        });
        let fact = Fact::new(&facts::CEREMONY_HELD, self.house.id(), self.house.now(), ceremony.id, payload)
            .of(tenant)
            .fixing("transcript", digest);
        let (call, copy, bytes) = (call.for_tenant(tenant), ceremony.clone(), signature.clone());
        self.house
            .db
            .tenant(tenant.uuid())
            .write("pki.hold_ceremony", move |tx| {
                if repo::hold_ceremony(tx, &copy, &bytes)? {
                    tx.record(&call, &fact)?;
                }
                Ok(())
            })
            .await?;
        Ok(signature)
    }

    /// Gives up ceremonies that nobody signed, and signs transcripts that a crash left.
    pub(super) async fn settle_ceremonies(&self, planned: Time, signed: Time) -> Result<u64> {
        let open = self
            .house
            .db
            .read("pki.open_ceremonies", move |rx| repo::open_ceremonies(rx, planned, signed))
            .await?;
        let call = self.house.system("pki.settle_ceremonies");
        let count = open.len() as u64;
        for ceremony in open {
            match ceremony.transcript.clone().filter(|_| ceremony.state == "signed") {
                Some(transcript) => drop(self.sign_transcript(&call, &ceremony, &transcript).await?),
                None => self.abandon_ceremony(&call, ceremony).await?,
            }
        }
        Ok(count)
    }

    async fn abandon_ceremony(&self, call: &Call, ceremony: CeremonyRow) -> Result<()> {
        let (tenant, now) = (ceremony.tenant, self.house.now());
        let plan: Plan =
            serde_json::from_str(&ceremony.request).map_err(|e| base::error::INTERNAL.because(e))?;
        let payload = json!({"ceremony": ceremony.id, "environment": ceremony.environment});
        let fact =
            Fact::new(&facts::CEREMONY_ABANDONED, self.house.id(), now, ceremony.id, payload).of(tenant);
        let parts = [plan.root.certificate, plan.issuing.certificate].map(|id| (id, self.house.id()));
        let (call, keys, house, retired) =
            (call.for_tenant(tenant), self.keys.clone(), self.house.clone(), self.house.id());
        self.house
            .db
            .tenant(tenant.uuid())
            .write("pki.abandon_ceremony", move |tx| {
                if !repo::abandon_ceremony(tx, &ceremony)? {
                    return Ok(());
                }
                keys.retire_signing(tx, &call, tenant, ceremony.key, retired, &house)?;
                for (id, event) in parts {
                    let Some(certificate) = repo::by_id(tx, tenant, id)? else { continue };
                    if repo::abandon(tx, tenant, id, now)? {
                        tx.record(&call, &abandoned_fact(&certificate, event, now))?;
                    }
                }
                tx.record(&call, &fact)
            })
            .await
    }
}

/// Retires the hierarchy that the environment has: it issues no more, its root keeps its list, and all of it answers.
fn succeed(
    tx: &mut Tx<'_>,
    call: &Call,
    ceremony: &CeremonyRow,
    [root, issuing]: &[Authority; 2],
    events: &[Id<Event>],
    now: Time,
) -> Result<()> {
    let tenant = ceremony.tenant;
    let mut events = events.iter();
    for before in repo::authorities(tx, tenant)? {
        let (active, retired) = (AuthorityState::Active, AuthorityState::Retired);
        if before.environment != ceremony.environment
            || !repo::move_authority(tx, tenant, before.id, active, retired)?
        {
            continue;
        }
        let successor = if before.kind == AuthorityKind::Root { root.id } else { issuing.id };
        repo::release_root(tx, tenant, before.id)?;
        let event = events.next().ok_or_else(|| base::error::INTERNAL.error())?;
        let payload = json!({"authority": before.id, "successor": successor});
        tx.record(call, &Fact::new(&facts::AUTHORITY_RETIRED, *event, now, before.id, payload).of(tenant))?;
    }
    Ok(())
}

/// Puts plans and signatures together; the list is given back. All three must hold under the root's key.
fn check_signatures(
    root: &mut Certificate,
    issuing: &mut Certificate,
    crl_tbs: &[u8],
    signed: &RootSignatures,
) -> Result<Vec<u8>> {
    let wrong = |field: &str| error::SIGNATURE.at(field);
    let fault = |e| base::error::INTERNAL.because(e);
    // The root's key stands in what it is to sign; its algorithm too.
    let shape = x509::assemble(&root.tbs, proof::crypto::SignatureAlgorithm::EcdsaSha384, &[]);
    let key = x509::Certificate::parse(&shape).map_err(fault)?.key().map_err(|_| wrong("root"))?;
    let algorithm = key.issuing_algorithm();
    for (field, certificate, signature) in
        [("root", &mut *root, &signed.root), ("issuing", &mut *issuing, &signed.issuing)]
    {
        let der = x509::assemble(&certificate.tbs, algorithm, signature);
        x509::Certificate::parse(&der).map_err(|_| wrong(field))?.verify(&key).map_err(|_| wrong(field))?;
        certificate.der = Some(der);
    }
    let crl = x509::assemble(crl_tbs, algorithm, &signed.crl);
    let root_der = root.der.as_deref().unwrap_or_default();
    if lint::refuses(&lint::crl(&crl, &x509::Certificate::parse(root_der).map_err(fault)?)) {
        return Err(wrong("crl"));
    }
    Ok(crl)
}

fn authority(
    plan: &Plan,
    certificate: &Certificate,
    kind: AuthorityKind,
    key: Option<Id<SigningKey>>,
    shards: u16,
    now: Time,
) -> Authority {
    let part = if kind == AuthorityKind::Root { &plan.root } else { &plan.issuing };
    Authority {
        tenant: certificate.tenant,
        id: part.authority,
        environment: plan.order.environment.clone(),
        kind,
        handle: part.handle.clone(),
        name: certificate.subject.clone(),
        certificate: certificate.id,
        der: certificate.der.clone().unwrap_or_default(),
        spki_sha256: certificate.spki_sha256,
        key,
        parent: (kind == AuthorityKind::Issuing).then_some(plan.root.authority),
        state: AuthorityState::Active,
        shards,
        not_before: certificate.not_before,
        not_after: certificate.not_after,
        created_at: now,
    }
}

/// What happened, as canonical JSON: everything public, and nothing of the shares but their fingerprints.
fn transcript(
    plan: &Plan,
    ceremony: &CeremonyRow,
    root: &Certificate,
    issuing: &Certificate,
    crl: &[u8],
    shares: &[String],
    now: Time,
) -> Result<String> {
    let order = &plan.order;
    let of = |certificate: &Certificate| {
        json!({
            "subject": certificate.subject, "serial": certificate.serial.to_string(),
            "spkiSha256": hex(&certificate.spki_sha256), "tbsSha256": hex(&sha256(&certificate.tbs)),
            "notBefore": certificate.not_before, "notAfter": certificate.not_after,
            "certificate": pem::encode(pem::Label::Certificate, certificate.der.as_deref().unwrap_or_default()),
        })
    };
    let document = json!({
        "ceremony": ceremony.id, "date": now, "program": format!("selo {}", env!("CARGO_PKG_VERSION")),
        "environment": order.environment, "organisation": order.organisation, "country": order.country,
        "place": order.place, "operators": order.operators, "witnesses": order.witnesses,
        "permittedDns": order.permitted_dns, "permittedIp": order.permitted_ip,
        "serviceNames": order.service_names, "successor": order.successor,
        "threshold": order.threshold, "shares": order.shares, "shareFingerprints": shares,
        "rootPublicKey": plan.root_spki,
        "root": of(root), "issuing": of(issuing),
        "rootCrl": {"tbsSha256": hex(&sha256(&ceremony.crl_tbs)), "sha256": hex(&sha256(crl))},
    });
    canon::canonicalize(&document)
        .map_err(|e: canon::CanonError| -> Error { base::error::INTERNAL.because(e) })
}
