//! The doors of the ceremony: plan a hierarchy, take in what its root signed.

use axum::extract::State;
use base::{Result, id::kind};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http_kit::{Admin, Caller, ErrorReply, Failure, Json, PathId, Reply, Rules, ZoneRouter};
use proof::x509::pem;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::{Doors, tenant_of};
use crate::{order::CeremonyOrder, service::RootSignatures};

pub(super) fn routes_of() -> ZoneRouter<Admin, Doors> {
    let once = Rules::write().not_idempotent();
    ZoneRouter::new().routes_with(once, routes!(init)).routes_with(once, routes!(finish))
}

fn base64_field(field: &'static str, text: &str) -> Result<Vec<u8>> {
    STANDARD
        .decode(text)
        .map_err(|_| http_kit::error::FIELD_WRONG.at(format!("/{field}")).with("expected", "base64"))
}

/// A hierarchy that is to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewHierarchy {
    /// What the ceremony is to make.
    order: CeremonyOrder,
    /// The root's public key: SubjectPublicKeyInfo, DER, base64.
    root_public_key: String,
}

/// What the root is to sign, byte for byte.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ToSign {
    /// `cer_…`; absent in a dry run, of which nothing is kept.
    id: Option<String>,
    /// The root's own certificate: TBS, base64.
    root: String,
    /// The issuing authority's certificate: TBS, base64.
    issuing: String,
    /// The root's revocation list: TBS, base64.
    crl: String,
}

/// Plan a hierarchy: the exact bytes that its root is to sign. Nothing is issued yet.
#[utoipa::path(post, path = "/api/v1/pki/init", tag = "pki", request_body = NewHierarchy,
    responses((status = 201, body = inline(Reply<ToSign>)), (status = 409, body = ErrorReply), (status = 422, body = ErrorReply)))]
async fn init(
    State(doors): State<Doors>,
    caller: Caller,
    Json(body): Json<NewHierarchy>,
) -> Result<Reply<ToSign>, Failure> {
    caller.may("pki.init")?;
    let root = base64_field("rootPublicKey", &body.root_public_key)?;
    let planned = doors.pki.plan_ceremony(&caller.call, tenant_of(&caller), body.order, &root).await?;
    Ok(Reply::created(ToSign {
        id: planned.id.map(|id| id.to_string()),
        root: STANDARD.encode(planned.root_tbs),
        issuing: STANDARD.encode(planned.issuing_tbs),
        crl: STANDARD.encode(planned.crl_tbs),
    }))
}

/// What the root signed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SignedHierarchy {
    /// Over the root's certificate: base64, in the form of X.509.
    root: String,
    /// Over the issuing authority's certificate.
    issuing: String,
    /// Over the revocation list.
    crl: String,
    /// Fingerprints of the shares that the root's key was split into; never the shares.
    #[serde(default)]
    share_fingerprints: Vec<String>,
}

/// A hierarchy that stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct HierarchyBody {
    /// The root's certificate, PEM.
    root: String,
    /// The issuing authority's certificate, PEM.
    issuing: String,
    /// The root's revocation list, PEM.
    crl: String,
    /// What happened, with the issuing authority's signature.
    #[schema(value_type = Object)]
    transcript: Value,
}

/// Finish a hierarchy with what its root signed.
#[utoipa::path(post, path = "/api/v1/pki/init/{id}/finish", tag = "pki", request_body = SignedHierarchy,
    params(("id" = String, Path, description = "`cer_…`")),
    responses((status = 201, body = inline(Reply<HierarchyBody>)), (status = 409, body = ErrorReply), (status = 422, body = ErrorReply)))]
async fn finish(
    State(doors): State<Doors>,
    caller: Caller,
    PathId(id): PathId<kind::Ceremony>,
    Json(body): Json<SignedHierarchy>,
) -> Result<Reply<HierarchyBody>, Failure> {
    caller.may("pki.init")?;
    let signed = RootSignatures {
        root: base64_field("root", &body.root)?,
        issuing: base64_field("issuing", &body.issuing)?,
        crl: base64_field("crl", &body.crl)?,
        shares: body.share_fingerprints,
    };
    let held = doors.pki.finish_ceremony(&caller.call, tenant_of(&caller), id, signed).await?;
    Ok(Reply::created(HierarchyBody {
        root: pem::encode(pem::Label::Certificate, &held.root),
        issuing: pem::encode(pem::Label::Certificate, &held.issuing),
        crl: pem::encode(pem::Label::Crl, &held.crl),
        transcript: held.transcript,
    }))
}
