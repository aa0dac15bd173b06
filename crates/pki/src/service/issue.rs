//! Issuing: decide, plan, sign, verify, finish; the same way for services and for the house's own responders.
//!
//! What a crash leaves between plan and finish is given up by [`Pki::abandon_stale`], and never signed a second time:
//! ECDSA would give two certificates of one number.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use base::{Call, Error, Id, Kind, Result, Time};
use events::{Fact, Record};
use keys::{PreparedKey, Succession};
use proof::{
    crypto::{SubjectKey, hex},
    x509::{
        self, Attribute, Csr, CsrFault, Draft, DraftFault, ExtendedUsage, GeneralName, Issuer, Name, Oid,
        Pointers, Profile, Serial, Validity,
        lint::Finding,
        pem::{self, Label},
    },
};
use serde_json::json;
use store::Tx;

use super::{Pki, STALE, STALE_CEREMONY, parsed, refuse, revoke::give_up};
use crate::{
    error, facts,
    model::{Authority, Certificate, Origin, State, TenantId, moment},
    repo,
    rules::{self, Grade, WantedNames},
};

/// A certificate is valid from so long before it is made, for clocks that are behind.
pub(crate) const BACKDATE_S: i64 = 60;
const STALE_AT_ONCE: u32 = 200;
/// A clock that runs back further than this issues nothing: equal processes may differ by less.
const CLOCK_BACK_MAX: Duration = Duration::from_secs(5);
/// So many authorities in a row may be replaced while one certificate is being decided.
const CHANGES_MAX: u32 = 3;

/// What somebody asks for.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The profile's name.
    pub profile: String,
    /// The names; those of the request count when there are none.
    pub names: WantedNames,
    /// The common name, where the profile lives by it.
    pub common_name: Option<String>,
    /// A certificate request as PEM.
    pub csr: Option<String>,
    /// A public key as PEM, instead of a request.
    pub public_key: Option<String>,
    /// How long; the profile's longest when nobody says.
    pub lifetime: Option<Duration>,
    /// Until when, instead.
    pub until: Option<Time>,
    /// Who looks after it.
    pub owner: String,
    /// The environment, when there are several.
    pub environment: Option<String>,
    /// `api`, `cli` or `acme`.
    pub source: String,
}

/// A certificate that was issued, with its chain.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The row.
    pub certificate: Certificate,
    /// The certificates above it, without the root.
    pub chain: Vec<Vec<u8>>,
}

/// What would happen.
#[derive(Debug, Clone)]
pub struct Explained {
    /// Every reason against; none means that it would be issued.
    pub reasons: Vec<Error>,
    /// The authority that would sign.
    pub authority: Authority,
    /// From and until when, as far as that could be decided.
    pub validity: Option<(Time, Time)>,
    /// The names.
    pub names: Vec<String>,
    /// What the lint would say.
    pub findings: Vec<Finding>,
}

/// What was asked for, read; no reason against it was looked for yet.
struct Wanted {
    profile: Profile,
    names: Vec<GeneralName>,
    subject: Name,
    key: SubjectKey,
    must_staple: bool,
    owner: String,
}

/// What one certificate will be, before it is planned.
struct Draught {
    certificate: Certificate,
    names: Vec<GeneralName>,
    findings: Vec<Finding>,
}

/// How a plan ended.
enum Ended {
    Issued,
    /// Its key was barred meanwhile.
    Barred,
    /// It was given up meanwhile.
    Gone,
}

/// A responder's key, to be installed with its certificate.
pub(super) struct ForResponder {
    pub(super) key: PreparedKey,
    pub(super) succession: Succession,
}

/// What is written in the transaction that plans a certificate, with its row; an error plans nothing.
pub(crate) type InPlan = Arc<dyn Fn(&mut Tx<'_>, &Certificate) -> Result<()> + Send + Sync>;

impl Pki {
    /// Issues a certificate. A refusal is a fact as well.
    ///
    /// # Errors
    /// The codes of this room that say why not; the store's; the key ring's.
    pub async fn issue(&self, call: &Call, tenant: TenantId, grade: Grade, asked: Asked) -> Result<Issued> {
        self.issue_along(call, tenant, grade, asked, None).await
    }

    /// As [`Pki::issue`], with something of the asker's in the transaction that plans.
    pub(crate) async fn issue_along(
        &self,
        call: &Call,
        tenant: TenantId,
        grade: Grade,
        asked: Asked,
        along: Option<InPlan>,
    ) -> Result<Issued> {
        let profile = Profile::from_name(&asked.profile);
        match self.issue_once(call, tenant, &grade, asked, along).await {
            Err(failure) if is_refusal(&failure) => {
                self.record_refusal(call, tenant, profile, &failure).await?;
                Err(failure)
            }
            other => other,
        }
    }

    /// Issues from the authority that issues now. One that was replaced between the look and the plan has planned nothing,
    /// so the next one is asked.
    async fn issue_once(
        &self,
        call: &Call,
        tenant: TenantId,
        grade: &Grade,
        asked: Asked,
        along: Option<InPlan>,
    ) -> Result<Issued> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.issue_now(call, tenant, grade, &asked, along.clone()).await {
                Err(failure) if failure.is(&error::AUTHORITY_CHANGED) && tries < CHANGES_MAX => {}
                other => return other,
            }
        }
    }

    async fn issue_now(
        &self,
        call: &Call,
        tenant: TenantId,
        grade: &Grade,
        asked: &Asked,
        along: Option<InPlan>,
    ) -> Result<Issued> {
        let began = Instant::now();
        let authority = self.issuing(tenant, asked.environment.as_deref()).await?;
        let wanted = read(asked)?;
        let mut against = rules::objections(&self.settings, grade, wanted.profile, &wanted.names).into_iter();
        if let Some(first) = against.next() {
            return Err(against.fold(first, Error::detail));
        }
        let draught = self.draught(call, &authority, &wanted, asked).await?;
        refuse(&draught.findings)?;
        self.figures.took("decide", began.elapsed());
        let certificate = self.produce(call, &authority, draught, along, None).await?;
        let chain = self.chain(tenant, authority.id).await?;
        Ok(Issued { certificate, chain })
    }

    /// Decides as [`Pki::issue`] does and stores nothing.
    ///
    /// # Errors
    /// `PKI_AUTHORITY_NOT_FOUND`, `PKI_ENVIRONMENT_NEEDED`; the store's.
    pub async fn explain(
        &self,
        call: &Call,
        tenant: TenantId,
        grade: Grade,
        asked: &Asked,
    ) -> Result<Explained> {
        let authority = self.issuing(tenant, asked.environment.as_deref()).await?;
        let mut explained = Explained {
            reasons: Vec::new(),
            authority,
            validity: None,
            names: Vec::new(),
            findings: Vec::new(),
        };
        let wanted = match read(asked) {
            Ok(wanted) => wanted,
            Err(failure) => {
                explained.reasons.push(failure);
                return Ok(explained);
            }
        };
        explained.names = wanted.names.iter().map(ToString::to_string).collect();
        explained.reasons = rules::objections(&self.settings, &grade, wanted.profile, &wanted.names);
        let (house_tenant, spki) = (explained.authority.tenant, wanted.key.spki_sha256());
        let barred = self
            .house
            .db
            .tenant(house_tenant.uuid())
            .read("pki.is_barred", move |rx| repo::is_barred(rx, house_tenant, &spki))
            .await?;
        if barred {
            explained.reasons.push(error::KEY_BARRED.at("csr"));
        }
        match self.draught(call, &explained.authority, &wanted, asked).await {
            Ok(draught) => {
                explained.validity = Some((draught.certificate.not_before, draught.certificate.not_after));
                explained.reasons.extend(refuse(&draught.findings).err());
                explained.findings = draught.findings;
                let (row, now) = (draught.certificate, self.house.now());
                let taken = self
                    .house
                    .db
                    .tenant(house_tenant.uuid())
                    .read("pki.is_anothers_key", move |rx| repo::is_anothers_key(rx, &row, now))
                    .await?;
                explained.reasons.extend(taken.then(|| error::KEY_TAKEN.at("csr")));
            }
            Err(failure) if is_refusal(&failure) => explained.reasons.push(failure),
            Err(failure) => return Err(failure),
        }
        Ok(explained)
    }

    /// The exact bytes that would be signed, and what the lint says of them.
    async fn draught(
        &self,
        call: &Call,
        authority: &Authority,
        wanted: &Wanted,
        asked: &Asked,
    ) -> Result<Draught> {
        let issuing = parsed(&authority.der)?;
        let issuer = Issuer::from_certificate(&issuing).map_err(|e| base::error::INTERNAL.because(e))?;
        let now = self.house.now();
        let not_before = moment(now)?.after(-BACKDATE_S).ok_or_else(|| error::MOMENT.error())?;
        let not_before = not_before.max(issuer.validity.not_before);
        let seconds = match (asked.until, asked.lifetime) {
            // Both ends belong to a validity.
            (Some(until), _) => until.seconds().saturating_sub(not_before.seconds()).saturating_add(1),
            (None, Some(lifetime)) => i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX),
            (None, None) => wanted.profile.shape().lifetime_s_max,
        };
        let validity = Validity::lasting(not_before, seconds)
            .ok_or_else(|| error::LIFETIME.at("lifetimeSeconds").with("reason", "nothing would be left"))?;
        let serial = Serial::from_random(self.house.chance.bytes());
        let shard = serial.shard(authority.shards);
        let pointers = Pointers {
            crl: Some(self.address(&format!("crl/{}/{shard}.crl", authority.handle))?),
            ocsp: Some(self.address("ocsp")?),
            issuer: Some(self.address(&format!("ca/{}.cer", authority.handle))?),
        };
        let asserted = issuing.policies().map_err(|e| base::error::INTERNAL.because(e))?;
        let policy = wanted.profile.policy(&asserted);
        let draft = Draft {
            profile: wanted.profile,
            serial,
            validity,
            subject: &wanted.subject,
            names: &wanted.names,
            key: &wanted.key,
            pointers: &pointers,
            policies: policy.as_slice(),
            own_usage: self.own_usage(wanted.profile)?,
            constraints: None,
            must_staple: wanted.must_staple,
        };
        let tbs = draft.tbs(&issuer).map_err(refused_draft)?;
        let findings = self.lint(&tbs, issuer.algorithm, wanted.profile, Some(&issuing)).await?;
        let origin = Origin {
            tenant: authority.tenant,
            id: self.house.id(),
            authority: authority.id,
            shard,
            owner: wanted.owner.clone(),
            source: asked.source.clone(),
            asked_by: call.actor.id.clone(),
            planned_at: now,
        };
        let certificate = Certificate::planned(&draft, tbs, origin);
        Ok(Draught { certificate, names: wanted.names.clone(), findings })
    }

    /// The organisation's own extended key usage, for the profiles that live by one.
    fn own_usage(&self, profile: Profile) -> Result<Option<Oid>> {
        if profile.shape().extended_usage != ExtendedUsage::Own {
            return Ok(None);
        }
        let below = |arc: Oid| profile.number().and_then(|number| arc.child(number));
        let usage = self.settings.usage_arc.and_then(below);
        usage.map(Some).ok_or_else(|| error::USAGE_ARC.at("profile").with("profile", profile.as_str()))
    }

    /// Plan, sign, verify, finish; in a task of its own, so that a client that goes away cancels nothing half way.
    async fn produce(
        &self,
        call: &Call,
        authority: &Authority,
        draught: Draught,
        along: Option<InPlan>,
        responder: Option<ForResponder>,
    ) -> Result<Certificate> {
        let (this, call, authority) = (self.clone(), call.for_tenant(authority.tenant), authority.clone());
        let work = async move { this.produce_here(&call, &authority, draught, along, responder).await };
        #[expect(
            clippy::disallowed_methods,
            reason = "finishes by itself; what a stop cuts off is given up at the next start"
        )]
        tokio::spawn(work).await.map_err(|e| base::error::INTERNAL.because(e))?
    }

    async fn produce_here(
        &self,
        call: &Call,
        authority: &Authority,
        draught: Draught,
        along: Option<InPlan>,
        responder: Option<ForResponder>,
    ) -> Result<Certificate> {
        let certificate = draught.certificate;
        let began = Instant::now();
        self.plan(&certificate, draught.names, responder.is_some(), along).await?;
        self.figures.took("plan", began.elapsed());
        self.finish(call, authority, certificate, responder).await
    }

    /// Signs what was planned and puts it into force. A plan whose key was barred meanwhile is given up instead: it may
    /// have been signed, so its number counts as revoked.
    async fn finish(
        &self,
        call: &Call,
        authority: &Authority,
        certificate: Certificate,
        responder: Option<ForResponder>,
    ) -> Result<Certificate> {
        let began = Instant::now();
        let der = self.sign(authority, &certificate.tbs).await?;
        self.figures.took("sign", began.elapsed());
        let began = Instant::now();
        let (now, event) = (self.house.now(), self.house.id());
        let issued =
            Certificate { state: State::Issued, der: Some(der.clone()), issued_at: Some(now), ..certificate };
        let (call, keys, house, copy) = (call.clone(), self.keys.clone(), self.house.clone(), issued.clone());
        let ended = self
            .house
            .db
            .tenant(issued.tenant.uuid())
            .write("pki.finish", move |tx| {
                if repo::is_barred(tx, copy.tenant, &copy.spki_sha256)? {
                    give_up(tx, &call, &copy, event, now)?;
                    return Ok(Ended::Barred);
                }
                if !repo::finish(tx, copy.tenant, copy.id, &der, now)? {
                    return Ok(Ended::Gone);
                }
                if let Some(made) = &responder {
                    keys.install_signing(tx, &call, &made.key, made.succession, &house)?;
                    let row = repo::ResponderRow {
                        key: made.key.info.id,
                        der: der.clone(),
                        not_before: copy.not_before,
                        not_after: copy.not_after,
                    };
                    repo::insert_responder(tx, copy.tenant, copy.authority, copy.id, &row)?;
                }
                tx.record(&call, &issued_fact(&copy, event, now, &der))?;
                Ok(Ended::Issued)
            })
            .await?;
        match ended {
            Ended::Issued => {}
            Ended::Barred => return Err(error::KEY_BARRED.at("csr")),
            // Somebody took this process for dead and gave the plan up: its number is revoked, so nobody gets it.
            Ended::Gone => return Err(base::error::INTERNAL.error()),
        }
        self.figures.took("finish", began.elapsed());
        self.figures.issued(issued.profile);
        Ok(issued)
    }

    /// Makes the bytes durable. An authority that was retired or revoked meanwhile plans nothing but its responders.
    async fn plan(
        &self,
        certificate: &Certificate,
        names: Vec<GeneralName>,
        responder: bool,
        along: Option<InPlan>,
    ) -> Result<()> {
        let copy = certificate.clone();
        self.house
            .db
            .tenant(certificate.tenant.uuid())
            .write("pki.plan", move |tx| {
                if repo::is_barred(tx, copy.tenant, &copy.spki_sha256)? {
                    return Err(error::KEY_BARRED.at("csr"));
                }
                if repo::is_anothers_key(tx, &copy, copy.planned_at)? {
                    return Err(error::KEY_TAKEN.at("csr"));
                }
                if let Some(newest) = repo::newest_in_force(tx, copy.tenant)?
                    && newest.since(copy.planned_at) > CLOCK_BACK_MAX
                {
                    return Err(error::CLOCK_BACK
                        .error()
                        .with("now", copy.planned_at)
                        .with("newest", newest));
                }
                if !responder && !repo::is_active(tx, copy.tenant, copy.authority)? {
                    return Err(error::AUTHORITY_CHANGED.error().retry_after(1));
                }
                if let Some(along) = &along {
                    along(tx, &copy)?;
                }
                repo::insert_planned(tx, &copy)?;
                for (position, name) in names.iter().enumerate() {
                    let text = name.text();
                    let reversed = match name {
                        GeneralName::Dns(_) => rules::reversed(&text),
                        _ => String::new(),
                    };
                    repo::insert_name(tx, copy.tenant, copy.id, position, &text, &reversed)?;
                }
                Ok(())
            })
            .await
    }

    /// Signs planned bytes with the authority's key and looks at what came of it.
    async fn sign(&self, authority: &Authority, tbs: &[u8]) -> Result<Vec<u8>> {
        let issuing = parsed(&authority.der)?;
        let key = issuing.key().map_err(|e| base::error::INTERNAL.because(e))?;
        let signature = self.sign_as(authority, tbs).await?;
        let der = x509::assemble(tbs, key.issuing_algorithm(), &signature);
        let made = parsed(&der)?;
        if made.tbs != tbs || made.verify(&key).is_err() {
            return Err(error::SIGNED_WRONG.error());
        }
        Ok(der)
    }

    /// A signature of the authority's key, in the form of X.509.
    pub(super) async fn sign_as(&self, authority: &Authority, message: &[u8]) -> Result<Vec<u8>> {
        let key = authority.key.ok_or_else(|| error::AUTHORITY_NONE.error())?;
        let signed = self.keys.sign(&self.house, authority.tenant, key, vec![message.to_vec()]).await?.pop();
        signed.map(|signature| signature.x509()).ok_or_else(|| keys::error::SIGN.error().with("key", key))
    }

    /// Issues the certificate of an authority's OCSP responder.
    pub(super) async fn issue_responder(
        &self,
        call: &Call,
        authority: &Authority,
        made: ForResponder,
    ) -> Result<Certificate> {
        let issuing = parsed(&authority.der)?;
        let organisation =
            issuing.subject.values(x509::oid::ORGANIZATION).next().unwrap_or_default().to_owned();
        let common = format!("{} OCSP", authority.environment);
        let mut parts = Vec::new();
        if !organisation.is_empty() {
            parts.push((Attribute::Organization, organisation.as_str()));
        }
        parts.push((Attribute::CommonName, common.as_str()));
        let wanted = Wanted {
            profile: Profile::OcspResponder,
            names: Vec::new(),
            subject: Name::new(&parts).map_err(|e| base::error::INTERNAL.because(e))?,
            key: crate::request::subject_key(&made.key.info.public)?,
            must_staple: false,
            owner: String::new(),
        };
        // A responder lasts no longer than its authority.
        let left = authority.not_after.since(self.house.now()).saturating_sub(Duration::from_secs(1));
        let longest = Duration::from_secs(wanted.profile.shape().lifetime_s_max.unsigned_abs());
        let asked =
            Asked { lifetime: Some(longest.min(left)), source: "internal".to_owned(), ..Asked::default() };
        let draught = self.draught(call, authority, &wanted, &asked).await?;
        refuse(&draught.findings)?;
        self.produce(call, authority, draught, None, Some(made)).await
    }

    async fn record_refusal(
        &self,
        call: &Call,
        tenant: TenantId,
        profile: Option<Profile>,
        failure: &Error,
    ) -> Result<()> {
        let code = failure.code().name;
        self.figures.refused(code);
        let payload = json!({"code": code, "profile": profile.map(Profile::as_str)});
        let fact =
            Fact::new(&facts::CERTIFICATE_REFUSED, self.house.id(), self.house.now(), call.request, payload)
                .of(tenant);
        let call = call.for_tenant(tenant);
        self.house.db.write("pki.refuse", move |tx| tx.record(&call, &fact)).await
    }

    /// Gives up what a crash left planned: its numbers count as revoked. Returns how many were settled.
    ///
    /// # Errors
    /// The store's; the key ring's.
    pub async fn abandon_stale(&self, all: bool) -> Result<u64> {
        let now = self.house.now();
        let before = if all { now } else { now.minus(STALE) };
        let stale =
            self.house.db.read("pki.stale", move |rx| repo::stale_plans(rx, before, STALE_AT_ONCE)).await?;
        let call = self.house.system("pki.abandon_stale");
        let mut settled = 0;
        for certificate in stale {
            let (event, call) = (self.house.id(), call.for_tenant(certificate.tenant));
            self.house
                .db
                .tenant(certificate.tenant.uuid())
                .write("pki.abandon", move |tx| give_up(tx, &call, &certificate, event, now))
                .await?;
            settled += 1;
        }
        let planned = if all { now } else { now.minus(STALE_CEREMONY) };
        Ok(settled + self.settle_ceremonies(planned, before).await?)
    }
}

/// A no to the asker; trouble of our own is none.
pub(crate) fn is_refusal(failure: &Error) -> bool {
    failure.is(&error::CLOCK_BACK)
        || matches!(
            failure.kind(),
            Kind::Malformed | Kind::Invalid | Kind::Forbidden | Kind::Conflict | Kind::TooLarge
        )
}

/// Reads what was asked for.
fn read(asked: &Asked) -> Result<Wanted> {
    let profile = Profile::from_name(&asked.profile).ok_or_else(|| {
        let known = Profile::ALL.map(Profile::as_str).join(", ");
        let short: String = asked.profile.chars().filter(|c| !c.is_control()).take(64).collect();
        error::PROFILE_UNKNOWN.at("profile").with("profile", short).with("known", known)
    })?;
    let mut names = rules::read_names(&asked.names)?;
    let (key, must_staple) = match (&asked.csr, &asked.public_key) {
        (Some(csr), None) => {
            let csr = Csr::from_pem(csr.as_bytes()).map_err(refused_request)?;
            if names.is_empty() {
                names = csr.names;
            }
            (csr.key, csr.must_staple)
        }
        (None, Some(key)) => (read_key(key)?, false),
        _ => return Err(error::KEY_NEEDED.at("csr")),
    };
    let common = rules::common_name(profile, asked.common_name.as_deref(), &names);
    let subject = match &common {
        None => Name::empty(),
        Some(common) => Name::new(&[(Attribute::CommonName, common)])
            .map_err(|e| error::NAME.at("commonName").with("name", common).with("reason", e))?,
    };
    Ok(Wanted { profile, names, subject, key, must_staple, owner: rules::owner(&asked.owner)? })
}

fn read_key(text: &str) -> Result<SubjectKey> {
    let refused = |reason: String| error::KEY.at("publicKey").with("reason", reason);
    let der = pem::one(text.as_bytes(), Label::PublicKey).map_err(|e| refused(e.to_string()))?;
    let key = SubjectKey::from_spki(&der).map_err(|e| refused(e.to_string()))?;
    key.judge().map_err(|e| refused(e.to_string()))?;
    Ok(key)
}

pub(crate) fn refused_request(fault: CsrFault) -> Error {
    match &fault {
        CsrFault::Key(refusal) => error::KEY.at("csr").with("reason", refusal),
        CsrFault::Name(name) => error::NAME.at("csr").with("name", "in the request").with("reason", name),
        _ => error::REQUEST.at("csr").with("reason", &fault),
    }
}

fn refused_draft(fault: DraftFault) -> Error {
    match &fault {
        DraftFault::Lifetime(_) | DraftFault::OutsideIssuer => {
            error::LIFETIME.at("lifetimeSeconds").with("reason", &fault)
        }
        DraftFault::Constraint(constraint) => error::CONSTRAINED.at("names").with("reason", constraint),
        DraftFault::Key(_) | DraftFault::IssuerKey => error::KEY.at("csr").with("reason", &fault),
        _ => error::DRAFT.error().with("reason", &fault),
    }
}

/// The fact that a certificate was issued; it fixes the certificate by its hash.
pub(super) fn issued_fact(
    certificate: &Certificate,
    id: Id<base::id::kind::Event>,
    now: Time,
    der: &[u8],
) -> Fact {
    let payload = json!({
        "certificate": certificate.id, "authority": certificate.authority,
        "serial": certificate.serial.to_string(), "profile": certificate.profile.as_str(),
        "spki": hex(&certificate.spki_sha256), "source": certificate.source,
        "notBefore": certificate.not_before, "notAfter": certificate.not_after,
    });
    Fact::new(&facts::CERTIFICATE_ISSUED, id, now, certificate.id, payload)
        .of(certificate.tenant)
        .fixing("x509", proof::crypto::sha256(der))
}

/// The fact that a plan was given up.
pub(super) fn abandoned_fact(certificate: &Certificate, id: Id<base::id::kind::Event>, now: Time) -> Fact {
    let payload = json!({
        "certificate": certificate.id, "authority": certificate.authority,
        "serial": certificate.serial.to_string(), "profile": certificate.profile.as_str(),
        "spki": hex(&certificate.spki_sha256),
        "notBefore": certificate.not_before, "notAfter": certificate.not_after,
    });
    Fact::new(&facts::CERTIFICATE_ABANDONED, id, now, certificate.id, payload).of(certificate.tenant)
}

/// What tests need to stand where a crash would leave a house. Only in builds with debug assertions.
#[cfg(debug_assertions)]
impl Pki {
    /// Plans a certificate as [`Pki::issue`] would, and dies before the key signs it.
    ///
    /// # Errors
    /// As [`Pki::issue`].
    pub async fn plan_only_for_test(
        &self,
        call: &Call,
        tenant: TenantId,
        asked: &Asked,
    ) -> Result<Certificate> {
        self.plan_along_for_test(call, tenant, asked, None).await
    }

    pub(crate) async fn plan_along_for_test(
        &self,
        call: &Call,
        tenant: TenantId,
        asked: &Asked,
        along: Option<InPlan>,
    ) -> Result<Certificate> {
        let authority = self.issuing(tenant, None).await?;
        let wanted = read(asked)?;
        let draught = self.draught(call, &authority, &wanted, asked).await?;
        self.plan(&draught.certificate, draught.names, false, along).await?;
        Ok(draught.certificate)
    }

    /// Goes on with what [`Pki::plan_only_for_test`] planned, as if nothing had died.
    ///
    /// # Errors
    /// As [`Pki::issue`].
    pub async fn finish_for_test(&self, call: &Call, planned: Certificate) -> Result<Certificate> {
        let authority = self.issuing(planned.tenant, None).await?;
        self.finish(&call.for_tenant(planned.tenant), &authority, planned, None).await
    }
}
