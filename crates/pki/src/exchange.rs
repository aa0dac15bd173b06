//! What a house and its offline root hand each other: a request with the exact bytes to be signed, and a response with
//! what was signed. Both are JSON files that a person carries; neither holds a secret.
//!
//! The side that signs trusts the request in nothing: it reads the bytes themselves, shows what they say, and signs an
//! issuing authority or a revocation list of its own root and nothing else.
//! Never here: the house, its store, its clock; a key of a root that outlives the call.

use base::{Error, Result, Time};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use keys::OfflineKey;
use proof::{
    crypto::{SignatureAlgorithm, SubjectKey, hex, sha256},
    x509::{self, Profile, crl::Crl, lint, oid},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{error, model::time, request::root_spki};

/// The longest file of an exchange.
pub const EXCHANGE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// An issuing authority and a list.
const PARTS_MAX: usize = 2;
/// Entries of a list that are shown one by one.
const SHOWN_ENTRIES_MAX: usize = 100;
const REQUEST_FORMAT: &str = "selo-root-request/1";
const RESPONSE_FORMAT: &str = "selo-root-response/1";

/// What a root signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PartKind {
    /// The certificate of an issuing authority.
    Issuing,
    /// The root's revocation list.
    Crl,
}

/// A request to an offline root, as it stands in its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RootRequest {
    /// `selo-root-request/1`
    pub format: String,
    /// `rreq_…`
    pub id: String,
    /// The environment whose root is asked.
    pub environment: String,
    /// Why, in words.
    pub reason: String,
    /// When the house planned it.
    #[schema(value_type = String, format = DateTime)]
    pub planned_at: Time,
    /// The root's certificate: DER, base64.
    pub root: String,
    /// What is to be signed.
    pub parts: Vec<RequestPart>,
}

/// One thing to be signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequestPart {
    /// What it is.
    pub kind: PartKind,
    /// The exact bytes: base64.
    pub tbs: String,
    /// Their SHA-256, to be compared over another line.
    pub sha256: String,
}

/// What a root answers, as it stands in its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RootResponse {
    /// `selo-root-response/1`
    pub format: String,
    /// The request that is answered: `rreq_…`.
    pub id: String,
    /// What was signed.
    pub parts: Vec<ResponsePart>,
}

/// One thing that was signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResponsePart {
    /// What it is.
    pub kind: PartKind,
    /// The certificate or the list, whole: DER, base64.
    pub signed: String,
}

/// What the bytes of a part say, for people.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    /// What it is.
    pub kind: PartKind,
    /// SHA-256 of the bytes.
    pub sha256: String,
    /// What they say, each with its name.
    pub says: Vec<(&'static str, String)>,
}

/// A request whose bytes were read and found to be what they should be.
#[derive(Debug)]
pub struct CheckedRequest {
    /// The file.
    pub request: RootRequest,
    root: Vec<u8>,
    key: SubjectKey,
    parts: Vec<(PartKind, Vec<u8>)>,
}

fn unreadable(reason: impl ToString) -> Error {
    error::EXCHANGE.error().with("reason", reason.to_string())
}

fn refused(reason: impl ToString) -> Error {
    error::WOULD_NOT_SIGN.error().with("reason", reason.to_string())
}

fn decoded(text: &str) -> Result<Vec<u8>> {
    STANDARD.decode(text).map_err(|_| unreadable("a member is no base64"))
}

/// Bytes to be signed in the shape of what they become, with an empty signature, so that they can be read.
fn shaped(tbs: &[u8], algorithm: SignatureAlgorithm) -> Vec<u8> {
    x509::assemble(tbs, algorithm, &[])
}

impl RootRequest {
    /// A request for these bytes.
    pub(crate) fn new(
        id: String,
        environment: String,
        reason: String,
        planned_at: Time,
        root: &[u8],
        parts: impl IntoIterator<Item = (PartKind, Vec<u8>)>,
    ) -> Self {
        let parts = parts.into_iter().map(|(kind, tbs)| RequestPart {
            kind,
            sha256: hex(&sha256(&tbs)),
            tbs: STANDARD.encode(tbs),
        });
        Self {
            format: REQUEST_FORMAT.to_owned(),
            id,
            environment,
            reason,
            planned_at,
            root: STANDARD.encode(root),
            parts: parts.collect(),
        }
    }

    /// Reads a request from its file and looks at every byte that would be signed.
    ///
    /// # Errors
    /// `PKI_EXCHANGE_UNREADABLE`; `PKI_ROOT_WOULD_NOT_SIGN` for bytes that no root of ours signs.
    pub fn read(file: &[u8]) -> Result<CheckedRequest> {
        let request: Self = serde_json::from_slice(file).map_err(unreadable)?;
        if request.format != REQUEST_FORMAT {
            return Err(unreadable(format!("its format is not {REQUEST_FORMAT}")));
        }
        if request.parts.is_empty() || request.parts.len() > PARTS_MAX {
            return Err(unreadable("it asks for nothing, or for too much"));
        }
        let root = decoded(&request.root)?;
        let certificate = x509::Certificate::parse(&root).map_err(unreadable)?;
        let key = certificate.key().map_err(unreadable)?;
        if !certificate.is_self_issued() || certificate.verify(&key).is_err() {
            return Err(unreadable("the root's certificate is not signed by itself"));
        }
        let mut parts: Vec<(PartKind, Vec<u8>)> = Vec::new();
        for part in &request.parts {
            let tbs = decoded(&part.tbs)?;
            if hex(&sha256(&tbs)) != part.sha256.to_lowercase() {
                return Err(unreadable("a hash does not belong to its bytes"));
            }
            if parts.iter().any(|(kind, _)| *kind == part.kind) {
                return Err(unreadable("one thing is asked for twice"));
            }
            look_at(part.kind, &tbs, &certificate, key.issuing_algorithm())?;
            parts.push((part.kind, tbs));
        }
        Ok(CheckedRequest { request, root, key, parts })
    }
}

/// Refuses what is no issuing authority and no list of this root.
fn look_at(
    kind: PartKind,
    tbs: &[u8],
    root: &x509::Certificate<'_>,
    algorithm: SignatureAlgorithm,
) -> Result<()> {
    let shape = shaped(tbs, algorithm);
    let issuer = match kind {
        PartKind::Issuing => {
            let read = x509::Certificate::parse(&shape).map_err(refused)?;
            let basic = read.basic_constraints().map_err(refused)?;
            if !basic.is_some_and(|basic| basic.ca && basic.path_length == Some(0)) {
                return Err(refused("it is no authority that issues to services alone"));
            }
            let bound = read.extension(oid::NAME_CONSTRAINTS).is_some_and(|extension| extension.critical);
            if !bound || read.name_constraints().map_err(refused)?.is_none_or(|found| found.has_unknown()) {
                return Err(refused(
                    "its name constraints are absent, not critical, or of a kind not known here",
                ));
            }
            read.issuer
        }
        PartKind::Crl => Crl::parse(&shape).map_err(refused)?.issuer,
    };
    if issuer == root.subject { Ok(()) } else { Err(refused("it names another issuer than this root")) }
}

impl CheckedRequest {
    /// The root that is asked: its name and the SHA-256 of its public key.
    ///
    /// # Errors
    /// `PKI_EXCHANGE_UNREADABLE`.
    pub fn root(&self) -> Result<(String, String)> {
        let certificate = x509::Certificate::parse(&self.root).map_err(unreadable)?;
        Ok((certificate.subject.to_string(), hex(&self.key.spki_sha256())))
    }

    /// What the bytes say, part by part.
    ///
    /// # Errors
    /// `PKI_EXCHANGE_UNREADABLE`.
    pub fn told(&self) -> Result<Vec<Told>> {
        let algorithm = self.key.issuing_algorithm();
        self.parts
            .iter()
            .map(|(kind, tbs)| {
                let shape = shaped(tbs, algorithm);
                let says = match kind {
                    PartKind::Issuing => told_of_certificate(&shape)?,
                    PartKind::Crl => told_of_list(&shape)?,
                };
                Ok(Told { kind: *kind, sha256: hex(&sha256(tbs)), says })
            })
            .collect()
    }

    /// Signs every part with the root's key and lints what came of it.
    ///
    /// # Errors
    /// `PKI_ROOT_KEY_OTHER` when the key is not this root's; `PKI_ROOT_WOULD_NOT_SIGN` with the rule that is broken.
    pub fn sign(&self, key: &OfflineKey) -> Result<RootResponse> {
        let root = x509::Certificate::parse(&self.root).map_err(unreadable)?;
        if root_spki(key.public())? != root.spki {
            return Err(error::ROOT_KEY_OTHER.error());
        }
        let mut parts = Vec::new();
        for (kind, tbs) in &self.parts {
            let der = x509::assemble(tbs, self.key.issuing_algorithm(), &key.sign(tbs)?.x509());
            let findings = match kind {
                PartKind::Issuing => lint::certificate(&der, Profile::Issuing, Some(&root)),
                PartKind::Crl => lint::crl(&der, &root),
            };
            if let Some(found) = findings.iter().find(|found| found.severity >= lint::Severity::Error) {
                return Err(refused(format!("{} ({})", found.id, found.detail)));
            }
            parts.push(ResponsePart { kind: *kind, signed: STANDARD.encode(der) });
        }
        Ok(RootResponse { format: RESPONSE_FORMAT.to_owned(), id: self.request.id.clone(), parts })
    }
}

impl RootResponse {
    /// What was signed, by kind.
    ///
    /// # Errors
    /// `PKI_EXCHANGE_UNREADABLE`.
    pub(crate) fn open(&self) -> Result<Vec<(PartKind, Vec<u8>)>> {
        if self.format != RESPONSE_FORMAT || self.parts.len() > PARTS_MAX {
            return Err(unreadable(format!("it is no {RESPONSE_FORMAT}")));
        }
        self.parts.iter().map(|part| Ok((part.kind, decoded(&part.signed)?))).collect()
    }
}

fn told_of_certificate(der: &[u8]) -> Result<Vec<(&'static str, String)>> {
    let read = x509::Certificate::parse(der).map_err(unreadable)?;
    let validity = read.validity().map_err(unreadable)?;
    let key = read.key().map_err(unreadable)?;
    let mut says = vec![
        ("subject", read.subject.to_string()),
        ("issuer", read.issuer.to_string()),
        ("serial", read.serial().map(|serial| serial.to_string()).unwrap_or_default()),
        ("publicKeySha256", hex(&key.spki_sha256())),
        ("notBefore", time(validity.not_before).to_string()),
        ("notAfter", time(validity.not_after).to_string()),
    ];
    let policies = read.policies().map_err(unreadable)?;
    if !policies.is_empty() {
        says.push(("policies", policies.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")));
    }
    let constraints = read.name_constraints().map_err(unreadable)?;
    let (permitted, excluded) =
        constraints.as_ref().map_or((&[][..], &[][..]), |found| (found.permitted(), found.excluded()));
    says.push(("permitted", told_of_permitted(permitted, excluded)));
    if !excluded.is_empty() {
        says.push(("excluded", listed(excluded)));
    }
    Ok(says)
}

fn listed(subtrees: &[x509::Subtree]) -> String {
    subtrees.iter().map(written).collect::<Vec<_>>().join(", ")
}

/// What is permitted. A kind of name that no subtree speaks of is not bound at all, and whoever signs is told so.
fn told_of_permitted(permitted: &[x509::Subtree], excluded: &[x509::Subtree]) -> String {
    use x509::Subtree::{Dns, Email, Ip, Uri};
    let named = |is: fn(&x509::Subtree) -> bool| permitted.iter().any(is);
    let gone = |is: fn(&x509::Subtree) -> bool| excluded.iter().any(is);
    let kinds = [
        ("dns", named(|one| matches!(one, Dns(_))), gone(|one| matches!(one, Dns(all) if all.is_empty()))),
        (
            "ip",
            named(|one| matches!(one, Ip(..))),
            gone(|one| matches!(one, Ip(at, 0) if at.is_ipv4()))
                && gone(|one| matches!(one, Ip(at, 0) if at.is_ipv6())),
        ),
        ("email", named(|one| matches!(one, Email(_))), false),
        ("uri", named(|one| matches!(one, Uri(_))), false),
    ];
    let unnamed = kinds.into_iter().filter(|(_, named, _)| !named).map(|(kind, _, gone)| {
        let words = if gone { "nothing" } else { "everything: no constraints" };
        format!("{kind}: {words}")
    });
    permitted.iter().map(written).chain(unnamed).collect::<Vec<_>>().join(", ")
}

fn written(subtree: &x509::Subtree) -> String {
    match subtree {
        x509::Subtree::Dns(name) => format!("dns:{name}"),
        x509::Subtree::Ip(address, bits) => format!("ip:{address}/{bits}"),
        x509::Subtree::Email(host) => format!("email:{host}"),
        x509::Subtree::Uri(host) => format!("uri:{host}"),
    }
}

fn told_of_list(der: &[u8]) -> Result<Vec<(&'static str, String)>> {
    let read = Crl::parse(der).map_err(unreadable)?;
    let number = read.number().map_err(unreadable)?;
    let mut says = vec![
        ("issuer", read.issuer.to_string()),
        ("number", number.map(|number| number.to_string()).unwrap_or_default()),
        ("thisUpdate", time(read.this_update).to_string()),
        ("nextUpdate", read.next_update.map(|at| time(at).to_string()).unwrap_or_default()),
    ];
    let mut count = 0_usize;
    for entry in read.entries() {
        let entry = entry.map_err(unreadable)?;
        count += 1;
        if count <= SHOWN_ENTRIES_MAX {
            let reason = crate::model::reason_name(entry.reason);
            says.push(("revoked", format!("{} {} {reason}", entry.serial, time(entry.revoked_at))));
        }
    }
    says.push(("entries", count.to_string()));
    Ok(says)
}

#[cfg(test)]
mod tests {
    use base::SystemChance;
    use keys::Algorithm;
    use proof::x509::{
        Attribute, Draft, Issuer, Name, Pointers, Serial, Validity,
        crl::{CrlDraft, Scope},
    };

    use super::*;
    use crate::model::moment;

    /// A root and a request for its list.
    fn request() -> (OfflineKey, RootRequest) {
        let key = OfflineKey::generate(Algorithm::P384, &SystemChance).unwrap();
        let public = SubjectKey::from_spki(&root_spki(key.public()).unwrap()).unwrap();
        let at = Time::parse("2026-08-01T12:00:00Z").unwrap();
        let from = moment(at).unwrap();
        let name = Name::new(&[(Attribute::CommonName, "Root")]).unwrap();
        let issuer = Issuer::root(name.clone(), &public, Validity::lasting(from, 1_000_000).unwrap());
        let draft = Draft {
            profile: Profile::Root,
            serial: Serial::from_random([7; 16]),
            validity: issuer.validity,
            subject: &name,
            names: &[],
            key: &public,
            pointers: &Pointers::default(),
            policies: &[],
            own_usage: None,
            constraints: None,
            must_staple: false,
        };
        let tbs = draft.tbs(&issuer).unwrap();
        let root = x509::assemble(&tbs, issuer.algorithm, &key.sign(&tbs).unwrap().x509());
        let list = CrlDraft {
            issuer: &issuer,
            number: 2,
            this_update: from,
            next_update: from.after(86_400).unwrap(),
            scope: Scope::Everything,
            freshest: None,
            delta_base: None,
        };
        let parts = [(PartKind::Crl, list.tbs([]).unwrap())];
        let words = |word: &str| word.to_owned();
        (key, RootRequest::new(words("rreq_1"), words("dev"), words("yearly"), at, &root, parts))
    }

    #[test]
    fn a_request_is_read_told_and_signed_by_its_own_root_alone() {
        let (key, request) = request();
        let checked = RootRequest::read(&serde_json::to_vec(&request).unwrap()).unwrap();
        let told = checked.told().unwrap();
        assert!(told[0].says.contains(&("number", "2".to_owned())), "{told:?}");
        let response = checked.sign(&key).unwrap();
        let [(PartKind::Crl, der)] = &response.open().unwrap()[..] else { panic!("one list") };
        assert!(Crl::parse(der).unwrap().verify(&checked.key).is_ok());
        let stranger = OfflineKey::generate(Algorithm::P384, &SystemChance).unwrap();
        assert!(checked.sign(&stranger).unwrap_err().is(&error::ROOT_KEY_OTHER));
    }

    #[test]
    fn an_authority_that_may_name_everything_is_not_signed_and_what_is_not_bound_is_told() {
        use x509::{NameConstraints, Subtree};
        let (key, request) = request();
        let root = STANDARD.decode(&request.root).unwrap();
        let root = x509::Certificate::parse(&root).unwrap();
        let issuer = Issuer::from_certificate(&root).unwrap();
        let below = OfflineKey::generate(Algorithm::P256, &SystemChance).unwrap();
        let public = SubjectKey::from_spki(&root_spki(below.public()).unwrap()).unwrap();
        let subject = Name::new(&[(Attribute::CommonName, "Issuing")]).unwrap();
        let policy = x509::Oid::parse("1.3.6.1.4.1.32473.1.5.2").unwrap();
        let asked = |constraints: Option<&NameConstraints>| {
            let draft = Draft {
                profile: Profile::Issuing,
                serial: Serial::from_random([9; 16]),
                validity: Validity::lasting(issuer.validity.not_before, 1_000).unwrap(),
                subject: &subject,
                names: &[],
                key: &public,
                pointers: &Pointers {
                    crl: Some(x509::Uri::parse_http("http://ca.test/crl/r.crl").unwrap()),
                    ocsp: None,
                    issuer: Some(x509::Uri::parse_http("http://ca.test/ca/r.cer").unwrap()),
                },
                policies: std::slice::from_ref(&policy),
                own_usage: None,
                constraints,
                must_staple: false,
            };
            let parts = [(PartKind::Issuing, draft.tbs(&issuer).unwrap())];
            let file =
                RootRequest::new("rreq_2".into(), "dev".into(), String::new(), Time::EPOCH, root.der, parts);
            RootRequest::read(&serde_json::to_vec(&file).unwrap())
        };
        assert!(asked(None).unwrap_err().is(&error::WOULD_NOT_SIGN));
        let bound = NameConstraints::new(vec![Subtree::Dns("internal".into())], Vec::new()).unwrap();
        let checked = asked(Some(&bound)).unwrap();
        let told = checked.told().unwrap();
        let word = |name: &str| told[0].says.iter().find(|(found, _)| *found == name).unwrap().1.clone();
        assert_eq!(word("policies"), "1.3.6.1.4.1.32473.1.5.2");
        let no = "everything: no constraints";
        assert_eq!(word("permitted"), format!("dns:internal, ip: {no}, email: {no}, uri: {no}"));
        let closed = ["0.0.0.0/0", "::/0"].map(|all| {
            let (address, bits) = crate::settings::network(all).unwrap();
            Subtree::Ip(address, bits)
        });
        let closed = NameConstraints::new(bound.permitted().to_vec(), closed.to_vec()).unwrap();
        let told = asked(Some(&closed)).unwrap().told().unwrap();
        assert!(told[0].says.iter().any(|(name, what)| *name == "permitted" && what.contains("ip: nothing")));
        checked.sign(&key).unwrap();
    }

    #[test]
    fn whatever_byte_of_a_request_is_another_what_is_accepted_is_what_its_hash_says() {
        let (_, request) = request();
        let file = serde_json::to_vec(&request).unwrap();
        let original = request.parts[0].tbs.clone();
        for at in 0..file.len() {
            for bit in [1, 4, 32] {
                let mut changed = file.clone();
                changed[at] ^= bit;
                // Words may differ; bytes that would be signed may not.
                if let Ok(read) = RootRequest::read(&changed) {
                    assert_eq!(read.request.parts[0].tbs, original, "byte {at}");
                }
            }
            RootRequest::read(&file[..at]).unwrap_err();
        }
    }
}
