//! The figures of the certificate authority: certificates that are planned, signed and logged, and OCSP answers.

use std::sync::Arc;

use base::{Call, Id, Result, id::kind::Tenant};
use keys::{Algorithm, OfflineKey};
use pki::{Asked, CeremonyOrder, Grade, RootSignatures, WantedNames};
use proof::x509::{
    Certificate, GeneralName,
    ocsp::{CertId, IdHash, OcspRequest},
    pem::{self, Label},
};
use tokio::task::JoinSet;

use super::Watch;
use crate::rooms::Rooms;

/// Requests in hand at once.
const IN_FLIGHT: usize = 64;
/// Certificates that are issued.
const CERTIFICATES: usize = 10_000;
/// OCSP requests of each kind.
const QUESTIONS: usize = 50_000;
/// Signatures of the raw rate.
const SIGNATURES: usize = 50_000;
/// A signed answer is longer, an error is five bytes.
const SIGNED_BYTES_MIN: usize = 100;
/// The house's own authority.
const HOUSE: Id<Tenant> = Id::NIL;

/// Makes a hierarchy, issues from it and asks it.
///
/// # Errors
/// The house's.
pub(super) async fn measure(rooms: &Rooms, call: &Call) -> Result<()> {
    let issuing = hierarchy(rooms, call, "dev").await?;
    raw()?;
    let requests = requests()?;
    let watch = Watch::start();
    let commits = rooms.house.db.figures().commits;
    let certificates = issue(rooms, call, &requests).await?;
    let commits = rooms.house.db.figures().commits - commits;
    let note = format!(
        "certificates planned, linted, signed, logged; {IN_FLIGHT} in flight, {commits} commits, durable (fsync) before each answer"
    );
    watch.print("pki-issue", CERTIFICATES, &note);

    let issuer = Certificate::parse(&issuing).map_err(|e| base::error::INTERNAL.because(e))?;
    let key = issuer.key().map_err(|e| base::error::INTERNAL.because(e))?;
    let ids: Vec<CertId> = certificates
        .iter()
        .map(|serial| {
            CertId::new(IdHash::Sha1, &issuer.subject, &key, *serial)
                .map_err(|e| base::error::INTERNAL.because(e))
        })
        .collect::<Result<_>>()?;
    for (name, nonce, note) in [
        (
            "pki-ocsp-signed",
            Some(vec![7; 16]),
            "answers signed on demand, each to a nonce; nothing is written",
        ),
        ("pki-ocsp-ready", None, "answers signed before, found in memory; nothing is written"),
    ] {
        let questions: Vec<Vec<u8>> = ids
            .iter()
            .take(if nonce.is_some() { ids.len() } else { IN_FLIGHT })
            .map(|id| OcspRequest { ids: vec![id.clone()], nonce: nonce.clone() }.write())
            .collect();
        ask(rooms, &questions, questions.len()).await?;
        let watch = Watch::start();
        ask(rooms, &questions, QUESTIONS).await?;
        watch.print(name, QUESTIONS, note);
    }
    super::acme::measure(rooms).await
}

/// Signatures with next to nothing around them, on one thread: what nothing that signs once for each can go beyond.
fn raw() -> Result<()> {
    let key = pki::local_key()?;
    pki::request_der(&key, &[])?;
    let watch = Watch::start();
    for _ in 0..SIGNATURES {
        pki::request_der(&key, &[])?;
    }
    watch.print(
        "pki-sign-raw",
        SIGNATURES,
        "requests of 160 bytes, one P-256 signature each, one thread; nothing is written",
    );
    Ok(())
}

/// A hierarchy whose root is forgotten again; the issuing authority's certificate.
pub(super) async fn hierarchy(rooms: &Rooms, call: &Call, environment: &str) -> Result<Vec<u8>> {
    let root = OfflineKey::generate(Algorithm::P384, &*rooms.house.chance)?;
    let order = CeremonyOrder {
        environment: environment.to_owned(),
        permitted_dns: vec!["bench.test".to_owned()],
        ..CeremonyOrder::default()
    };
    let planned = rooms.pki.plan_ceremony(call, HOUSE, order, &pki::root_spki(root.public())?).await?;
    let signed = |bytes: &[u8]| root.sign(bytes).map(|signature| signature.x509());
    let signatures = RootSignatures {
        root: signed(&planned.root_tbs)?,
        issuing: signed(&planned.issuing_tbs)?,
        crl: signed(&planned.crl_tbs)?,
        shares: Vec::new(),
    };
    let id = planned.id.ok_or_else(|| base::error::INTERNAL.error())?;
    Ok(rooms.pki.finish_ceremony(call, HOUSE, id, signatures).await?.issuing)
}

/// Requests by keys of their own, made before anything is measured.
fn requests() -> Result<Arc<Vec<String>>> {
    let requests: Result<Vec<String>> = (0..CERTIFICATES)
        .map(|number| {
            let name = proof::x509::DnsName::parse(&format!("s{number}.bench.test"))
                .map_err(|e| base::error::INTERNAL.because(e))?;
            let key = pki::local_key()?;
            let der = pki::request_der(&key, &[GeneralName::Dns(name)])?;
            Ok(pem::encode(Label::CertificateRequest, &der))
        })
        .collect();
    requests.map(Arc::new)
}

/// Issues a certificate for each request; their numbers.
async fn issue(rooms: &Rooms, call: &Call, requests: &Arc<Vec<String>>) -> Result<Vec<proof::x509::Serial>> {
    let mut callers = JoinSet::new();
    for first in 0..IN_FLIGHT {
        let (pki, call, requests) = (rooms.pki.clone(), call.clone(), Arc::clone(requests));
        callers.spawn(async move {
            let mut serials = Vec::new();
            for csr in requests.iter().skip(first).step_by(IN_FLIGHT) {
                let asked = Asked {
                    profile: "server".to_owned(),
                    names: WantedNames::default(),
                    csr: Some(csr.clone()),
                    source: "cli".to_owned(),
                    ..Asked::default()
                };
                serials.push(pki.issue(&call, HOUSE, Grade::Admin, asked).await?.certificate.serial);
            }
            Ok::<_, base::Error>(serials)
        });
    }
    let mut all = Vec::with_capacity(CERTIFICATES);
    while let Some(ended) = callers.join_next().await {
        all.extend(ended.map_err(|e| base::error::INTERNAL.because(e))??);
    }
    Ok(all)
}

/// Asks so many times, one question after the other and then from the first again.
///
/// # Errors
/// `INTERNAL_ERROR` for an answer that is only an error.
async fn ask(rooms: &Rooms, questions: &[Vec<u8>], count: usize) -> Result<()> {
    for question in questions.iter().cycle().take(count) {
        if rooms.pki.answer(question).await.bytes.len() < SIGNED_BYTES_MIN {
            return Err(base::error::INTERNAL.error());
        }
    }
    Ok(())
}
