//! `selo pki …`: the certificate authority, from the command line.
//!
//! Keys of services and the key of a root are made in this process. The house never sees them.

mod eab;
mod many;
pub mod roots;

use std::{
    io::Write as _,
    net::IpAddr,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use base::{Result, SystemChance};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use keys::{Algorithm, OfflineKey};
use pki::{CeremonyOrder, LocalKey};
use proof::{
    crypto::SignatureAlgorithm,
    x509::{
        DnsName, Email, GeneralName, Uri, assemble,
        pem::{self, Label},
    },
};
use serde_json::{Value, json};

use super::{Exit, Voice, account, agreed, read, segment, text, write};
use crate::{
    cli::{PkiCommand, PkiFilter, PkiInit, PkiIssue, PkiList, PkiWanted},
    door::Door,
    error,
};

const CEREMONY_BYTES_MAX: u64 = 64 * 1024;
const CSR_BYTES_MAX: u64 = 64 * 1024;
const DAY_SECONDS: u64 = 86_400;
/// Items of one page of a list.
const PAGE_ITEMS: usize = 200;
/// What [`write_issued`] writes.
const ISSUED_FILES: [&str; 3] = ["cert.pem", "chain.pem", "cert.tlog-proof"];

/// Runs `selo pki …`.
///
/// # Errors
/// The house's; those of files.
pub async fn run(voice: Voice, door: &Door, command: &PkiCommand) -> Result<Exit> {
    match command {
        PkiCommand::Init(order) => init(voice, door, order).await,
        PkiCommand::Issue(order) => issue(voice, door, order).await,
        PkiCommand::Explain(wanted) => explain(voice, door, wanted).await,
        PkiCommand::Revoke { serial: Some(serial), reason, invalid_since, .. } => {
            revoke(voice, door, serial, reason, invalid_since.as_deref()).await
        }
        PkiCommand::Revoke { serial: None, all_of, key, file, preview, reason, invalid_since } => {
            let selection = many::Selection {
                all_of: all_of.as_deref(),
                key: key.as_deref(),
                file: file.as_deref(),
                preview: *preview,
            };
            many::revoke(voice, door, selection, reason, invalid_since.as_deref()).await
        }
        PkiCommand::Authorities => roots::authorities(voice, door).await,
        PkiCommand::Rotate(order) => roots::rotate(voice, door, order).await,
        PkiCommand::RevokeAuthority(order) => roots::revoke_authority(voice, door, order).await,
        PkiCommand::Root(order) => roots::run(voice, door, order).await,
        // Done before a house opens, so it never comes through this door.
        PkiCommand::Replay { .. } => Ok(Exit::Undecided),
        PkiCommand::List(order) => list(voice, door, order).await,
        PkiCommand::Show { serial, out } => show(voice, door, serial, out.as_deref()).await,
        PkiCommand::Crl { out } => lists(voice, door, out).await,
        PkiCommand::Eab(order) => eab::run(voice, door, order).await,
        PkiCommand::Export { filter, format, out } => export(voice, door, filter, format, out).await,
    }
}

// ---- files

pub(super) fn folder(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path)
        .map_err(|e| error::OUTPUT.error().with("file", path.display()).with("reason", e.kind()).because(e))
}

/// Refuses a folder that holds one of these already: a key or a share that is written over is lost.
fn must_be_free(out: &Path, names: &[&str]) -> Result<()> {
    match names.iter().map(|name| out.join(name)).find(|file| file.exists()) {
        None => Ok(()),
        Some(file) => {
            let reason = std::io::ErrorKind::AlreadyExists;
            Err(error::OUTPUT.error().with("file", file.display()).with("reason", reason))
        }
    }
}

/// Writes a new file that its owner alone may read.
fn write_private(file: &Path, text: &str) -> Result<()> {
    let broken = |e: std::io::Error| {
        error::OUTPUT.error().with("file", file.display()).with("reason", e.kind()).because(e)
    };
    let mut open =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).map_err(broken)?;
    open.write_all(text.as_bytes()).and_then(|()| open.sync_all()).map_err(broken)
}

fn encoded(answer: &Value, pointer: &str) -> Result<Vec<u8>> {
    STANDARD.decode(text(answer, pointer)).map_err(|e| base::error::INTERNAL.because(e))
}

// ---- the ceremony

/// Reads the order of a ceremony: TOML whose words are written with underscores.
fn order_of(file: &Path) -> Result<CeremonyOrder> {
    let wrong =
        |reason: String| error::CEREMONY_FILE.error().with("file", file.display()).with("reason", reason);
    let bytes = read(file, CEREMONY_BYTES_MAX)?;
    let written = String::from_utf8(bytes).map_err(|_| wrong("it is no UTF-8".to_owned()))?;
    let table: toml::Table = written.parse().map_err(|e: toml::de::Error| wrong(e.message().to_owned()))?;
    let mut members = serde_json::Map::new();
    for (key, value) in table {
        let value = serde_json::to_value(value).map_err(|e| wrong(e.to_string()))?;
        members.insert(in_camel_case(&key), value);
    }
    serde_json::from_value(Value::Object(members)).map_err(|e| wrong(e.to_string()))
}

fn in_camel_case(word: &str) -> String {
    let mut parts = word.split('_');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut letters = part.chars();
        out.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        out.push_str(letters.as_str());
    }
    out
}

/// The order when there is no file: a local hierarchy that may also name the house's own host.
fn local_order(public_url: &str) -> CeremonyOrder {
    let mut order = CeremonyOrder::default();
    let authority = public_url.split_once("://").map_or(public_url, |(_, rest)| rest);
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match host.parse::<IpAddr>() {
        Ok(address) => order.permitted_ip.push(address.to_string()),
        Err(_) if order.permitted_dns.iter().any(|suffix| suffix == host) => {}
        Err(_) => order.permitted_dns.push(host.to_owned()),
    }
    order.service_names = vec![host.to_owned()];
    order
}

async fn init(voice: Voice, door: &Door, asked: &PkiInit) -> Result<Exit> {
    let mut order = match &asked.ceremony {
        Some(file) => order_of(file)?,
        None => local_order(door.public_url()),
    };
    order.dry_run |= asked.dry_run;
    order.successor |= asked.successor;
    let out = asked.out.as_path();
    if order.dry_run {
        begin(out)?;
        return rehearsed(voice, out, &Planned::ask(door, &order).await?.signed);
    }
    let value = hold(door, &order, out).await?;
    voice.say(&value, || {
        format!(
            "{}: {}\n{}\n",
            voice.lang.pick("The hierarchy stands; everything is in", "A hierarquia existe; está tudo em"),
            out.display(),
            voice.lang.pick(
                "Give each share-N.txt to another person and delete it here. The root's key is nowhere else.",
                "Entregue cada share-N.txt a uma pessoa diferente e apague-o aqui. A chave da raiz não está em mais lado nenhum."
            )
        )
    });
    Ok(Exit::Done)
}

/// A folder for a hierarchy, with nothing of one in it.
fn begin(out: &Path) -> Result<()> {
    folder(out)?;
    must_be_free(out, &["root.pem", "intermediate.pem", "share-1.txt", "transcript.json", "server"])
}

/// What the house planned, under the signatures of a root whose key is in this process alone.
struct Planned {
    root: OfflineKey,
    id: String,
    /// Root, issuing authority, list of the root: what was signed, and the signature as X.509 has it.
    signed: [(Vec<u8>, Vec<u8>); 3],
}

impl Planned {
    async fn ask(door: &Door, order: &CeremonyOrder) -> Result<Self> {
        let root = OfflineKey::generate(Algorithm::P384, &SystemChance)?;
        let spki = STANDARD.encode(pki::root_spki(root.public())?);
        let planned =
            door.post("/api/v1/pki/init", &json!({"order": order, "rootPublicKey": spki})).await?.data()?;
        let sign = |pointer: &str| -> Result<(Vec<u8>, Vec<u8>)> {
            let tbs = encoded(&planned, pointer)?;
            let signature = root.sign(&tbs)?.x509();
            Ok((tbs, signature))
        };
        let signed = [sign("/root")?, sign("/issuing")?, sign("/crl")?];
        Ok(Self { id: text(&planned, "/id").to_owned(), signed, root })
    }
}

/// Holds a ceremony: certificates, shares, transcript and the first certificate lie in the folder afterwards.
///
/// # Errors
/// The house's; those of files.
pub(super) async fn hold(door: &Door, order: &CeremonyOrder, out: &Path) -> Result<Value> {
    begin(out)?;
    let Planned { root, id, signed } = Planned::ask(door, order).await?;
    // The shares are on disk before anything counts: a hierarchy whose root nobody can bring back would be worse than
    // none.
    let shares = root.split(order.threshold, order.shares, &SystemChance)?;
    drop(root);
    for (number, share) in shares.iter().enumerate() {
        let written = share.to_text();
        write_private(&out.join(format!("share-{}.txt", number + 1)), &format!("{}\n", written.expose()))?;
    }
    let fingerprints: Vec<String> = shares.iter().map(keys::shamir::Share::fingerprint).collect();
    drop(shares);
    let [of_root, of_issuing, of_crl] = signed.map(|(_, signature)| STANDARD.encode(signature));
    let body =
        json!({"root": of_root, "issuing": of_issuing, "crl": of_crl, "shareFingerprints": fingerprints});
    let made = door.post(&format!("/api/v1/pki/init/{}/finish", segment(&id)), &body).await?.data()?;
    let (root_pem, issuing_pem) = (text(&made, "/root"), text(&made, "/issuing"));
    write(&out.join("root.pem"), root_pem.as_bytes())?;
    write(&out.join("intermediate.pem"), issuing_pem.as_bytes())?;
    write(&out.join("chain.pem"), format!("{issuing_pem}{root_pem}").as_bytes())?;
    write(&out.join("root.crl.pem"), text(&made, "/crl").as_bytes())?;
    let transcript = made.get("transcript").cloned().unwrap_or_default();
    write(&out.join("transcript.json"), format!("{transcript:#}\n").as_bytes())?;
    let first = first_certificate(door, order, out).await?;
    Ok(json!({
        "out": out.display().to_string(), "environment": order.environment, "threshold": order.threshold,
        "shares": order.shares, "transcript": text(&transcript, "/sha256"), "server": first,
    }))
}

/// Writes what a dry run made, so that it can be looked at.
fn rehearsed(voice: Voice, out: &Path, signed: &[(Vec<u8>, Vec<u8>); 3]) -> Result<Exit> {
    let algorithm = SignatureAlgorithm::EcdsaSha384;
    let labels = [Label::Certificate, Label::Certificate, Label::Crl];
    for ((name, label), (tbs, signature)) in
        ["root.pem", "intermediate.pem", "root.crl.pem"].into_iter().zip(labels).zip(signed)
    {
        write(&out.join(name), pem::encode(label, &assemble(tbs, algorithm, signature)).as_bytes())?;
    }
    voice.say(&json!({"dryRun": true, "out": out.display().to_string()}), || {
        voice
            .lang
            .pick(
                "A rehearsal: nothing was kept, and the root's key is gone.",
                "Um ensaio: nada foi guardado, e a chave da raiz já não existe.",
            )
            .to_owned()
    });
    Ok(Exit::Done)
}

async fn first_certificate(door: &Door, order: &CeremonyOrder, out: &Path) -> Result<Value> {
    if order.service_names.is_empty() {
        return Ok(Value::Null);
    }
    let is_address = |name: &&String| name.parse::<IpAddr>().is_ok();
    let wanted = PkiWanted {
        profile: "service".to_owned(),
        dns: order.service_names.iter().filter(|name| !is_address(name)).cloned().collect(),
        ip: order.service_names.iter().filter(is_address).cloned().collect(),
        environment: Some(order.environment.clone()),
        ..PkiWanted::default()
    };
    issue_into(door, &wanted, &out.join("server")).await
}

// ---- certificates

/// The names that are asked for, as the request carries them. The house reads them again; what is no name here is its
/// to refuse, so that the refusal is recorded.
fn names_of(wanted: &PkiWanted) -> Vec<GeneralName> {
    let dns = wanted.dns.iter().filter_map(|name| DnsName::parse(name).ok().map(GeneralName::Dns));
    let ip = wanted.ip.iter().filter_map(|name| name.parse().ok().map(GeneralName::Ip));
    let uri = wanted.uri.iter().filter_map(|name| Uri::parse(name).ok().map(GeneralName::Uri));
    let email = wanted.email.iter().filter_map(|name| Email::parse(name).ok().map(GeneralName::Email));
    dns.chain(ip).chain(uri).chain(email).collect()
}

/// What is sent to the house, and the key that was made here for it.
pub(super) fn body_of(wanted: &PkiWanted) -> Result<(Value, Option<LocalKey>)> {
    let (csr, key) = match &wanted.csr {
        Some(file) => {
            let csr = read(file, CSR_BYTES_MAX)?;
            (String::from_utf8_lossy(&csr).into_owned(), None)
        }
        None => {
            let key = pki::local_key()?;
            let der = pki::request_der(&key, &names_of(wanted))?;
            (pem::encode(Label::CertificateRequest, &der), Some(key))
        }
    };
    let mut body = json!({
        "profile": wanted.profile, "dns": wanted.dns, "ip": wanted.ip, "uri": wanted.uri, "email": wanted.email,
        "csr": csr, "owner": wanted.owner,
    });
    if let Some(members) = body.as_object_mut() {
        let given = [
            ("commonName", wanted.common_name.clone().map(Value::from)),
            ("lifetimeSeconds", wanted.days.map(|days| Value::from(days.saturating_mul(DAY_SECONDS)))),
            ("environment", wanted.environment.clone().map(Value::from)),
        ];
        members.extend(given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    }
    Ok((body, key))
}

/// Issues a certificate into a folder; what the house says of it, with the files.
pub(super) async fn issue_into(door: &Door, wanted: &PkiWanted, out: &Path) -> Result<Value> {
    let (body, key) = body_of(wanted)?;
    folder(out)?;
    let mut names = ISSUED_FILES.to_vec();
    names.extend(key.as_ref().map(|_| "key.pem"));
    must_be_free(out, &names)?;
    let mut issued = door.post("/api/v1/pki/certificates", &body).await?.data()?;
    if let Some(key) = &key {
        write_private(&out.join("key.pem"), key.pem.expose())?;
    }
    write_issued(door, &issued, out).await?;
    name_files(&mut issued, out, &names);
    Ok(issued)
}

/// Writes a certificate that was issued, its chain and its proof.
async fn write_issued(door: &Door, issued: &Value, out: &Path) -> Result<()> {
    let id = segment(text(issued, "/id"));
    write(&out.join("cert.pem"), text(issued, "/certificate").as_bytes())?;
    write(&out.join("chain.pem"), text(issued, "/chain").as_bytes())?;
    let proof = door.get_when_ready(&format!("/api/v1/pki/certificates/{id}/proof")).await?;
    write(&out.join("cert.tlog-proof"), &proof)
}

/// Says in an answer which files were written.
fn name_files(answer: &mut Value, out: &Path, names: &[&str]) {
    if let Some(members) = answer.as_object_mut() {
        let files: Vec<String> = names.iter().map(|name| out.join(name).display().to_string()).collect();
        members.insert("files".to_owned(), json!(files));
    }
}

async fn issue(voice: Voice, door: &Door, order: &PkiIssue) -> Result<Exit> {
    // Whoever is not there is found out before a certificate is made for them.
    let account = match &order.account {
        None => None,
        Some(named) => Some(account::find(door, named, order.tenant.as_deref()).await?),
    };
    let mut issued = issue_into(door, &order.wanted, &order.out).await?;
    if let Some(account) = account {
        account::bind(door, &account, order.tenant.as_deref(), text(&issued, "/id")).await?;
        if let Some(members) = issued.as_object_mut() {
            members.insert("account".to_owned(), json!(account));
        }
    }
    voice.say(&issued, || {
        format!(
            "{}  {}  {} {}\n{}",
            text(&issued, "/serial"),
            text(&issued, "/subject"),
            voice.lang.pick("until", "até"),
            text(&issued, "/notAfter"),
            order.out.display()
        )
    });
    Ok(Exit::Done)
}

async fn explain(voice: Voice, door: &Door, wanted: &PkiWanted) -> Result<Exit> {
    let (body, _) = body_of(wanted)?;
    let found = door.post("/api/v1/pki/explain", &body).await?.data()?;
    let allowed = found.get("allowed") == Some(&Value::Bool(true));
    voice.say(&found, || {
        let mut out = match allowed {
            true => format!(
                "✓ {} {} {}\n",
                text(&found, "/authority"),
                voice.lang.pick("would sign, until", "assinaria, até"),
                text(&found, "/notAfter")
            ),
            false => format!("✗ {}\n", voice.lang.pick("it would be refused", "seria recusado")),
        };
        for reason in found.get("reasons").and_then(Value::as_array).into_iter().flatten() {
            out.push_str(&format!(
                "  {}: {}\n    → {}\n",
                text(reason, "/code"),
                text(reason, "/message"),
                text(reason, "/remedy")
            ));
        }
        out
    });
    Ok(if allowed { Exit::Done } else { Exit::No })
}

async fn revoke(
    voice: Voice,
    door: &Door,
    serial: &str,
    reason: &str,
    invalid_since: Option<&str>,
) -> Result<Exit> {
    let path = format!("/api/v1/pki/certificates/{}/revoke", segment(serial));
    let mut body = json!({"reason": reason});
    if let (Some(members), Some(since)) = (body.as_object_mut(), invalid_since) {
        members.insert("invalidSince".to_owned(), json!(since));
    }
    let revoked = door.post(&path, &body).await?.data()?;
    voice.say(&revoked, || lines(&revoked));
    Ok(Exit::Done)
}

/// One line for each certificate of an answer.
fn lines(page: &Value) -> String {
    let items = page.get("items").and_then(Value::as_array).into_iter().flatten();
    items
        .map(|one| {
            format!(
                "{}  {:<9}  {:<14}  {}  {}\n",
                text(one, "/serial"),
                text(one, "/state"),
                text(one, "/profile"),
                text(one, "/notAfter"),
                text(one, "/subject")
            )
        })
        .collect()
}

/// Every page of a list as one.
async fn every_page(door: &Door, path: &str) -> Result<Value> {
    let mut items = Vec::new();
    let mut token = String::new();
    loop {
        let page = door.get(&format!("{path}{token}")).await?.data()?;
        items.extend(page.get("items").and_then(Value::as_array).cloned().unwrap_or_default());
        match text(&page, "/nextPageToken") {
            "" => return Ok(json!({"items": items})),
            next => token = format!("&pageToken={}", segment(next)),
        }
    }
}

/// A filter behind the other words of a query: `&name=…` for each part that was given.
fn query(filter: &PkiFilter) -> String {
    let parts = [
        ("name", &filter.name),
        ("suffix", &filter.suffix),
        ("state", &filter.state),
        ("profile", &filter.profile),
        ("owner", &filter.owner),
        ("expiresBefore", &filter.expires_before),
        ("expiresAfter", &filter.expires_after),
    ];
    let given = parts.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
    given.map(|(name, value)| format!("&{name}={}", segment(value))).collect()
}

async fn list(voice: Voice, door: &Door, order: &PkiList) -> Result<Exit> {
    let path = if order.overdue { "/api/v1/pki/overdue" } else { "/api/v1/pki/certificates" };
    let all = every_page(door, &format!("{path}?limit={PAGE_ITEMS}{}", query(&order.filter))).await?;
    voice.say(&all, || lines(&all));
    Ok(Exit::Done)
}

async fn show(voice: Voice, door: &Door, serial: &str, out: Option<&Path>) -> Result<Exit> {
    let mut found = door.get(&format!("/api/v1/pki/certificates/{}", segment(serial))).await?.data()?;
    if let Some(out) = out {
        folder(out)?;
        must_be_free(out, &ISSUED_FILES)?;
        write_issued(door, &found, out).await?;
        name_files(&mut found, out, &ISSUED_FILES);
    }
    voice.say(&found, || {
        let mut out = String::new();
        for (name, value) in found.as_object().into_iter().flatten().filter(|(name, _)| *name != "chain") {
            let written = match value {
                Value::Null => continue,
                Value::String(written) => written.clone(),
                other => other.to_string(),
            };
            out.push_str(&format!("{name}: {written}\n"));
        }
        out
    });
    Ok(Exit::Done)
}

// ---- lists and inventory

/// Writes every list as DER, and all of them as PEM in one file, as `openssl verify -CRLfile` wants them.
async fn lists(voice: Voice, door: &Door, out: &Path) -> Result<Exit> {
    folder(out)?;
    let authorities = door.get("/api/v1/pki/authorities").await?.data()?;
    let mut files: Vec<PathBuf> = Vec::new();
    let mut all = String::new();
    for one in authorities.get("items").and_then(Value::as_array).into_iter().flatten() {
        let handle = text(one, "/handle");
        let shards = one.get("shards").and_then(Value::as_u64).unwrap_or_default();
        let addresses: Vec<(String, String)> = match text(one, "/kind") {
            "root" => vec![(format!("/crl/{handle}.crl"), format!("{handle}.crl"))],
            _ => (0..shards)
                .map(|shard| (format!("/crl/{handle}/{shard}.crl"), format!("{handle}-{shard}.crl")))
                .collect(),
        };
        for (address, name) in addresses {
            let answer = door.get(&address).await?;
            if answer.status != 200 {
                return Err(answer.refusal());
            }
            all.push_str(&pem::encode(Label::Crl, &answer.body));
            write(&out.join(&name), &answer.body)?;
            files.push(out.join(name));
        }
    }
    write(&out.join("crls.pem"), all.as_bytes())?;
    files.push(out.join("crls.pem"));
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    voice.say(&json!({"files": names}), || names.join("\n"));
    Ok(Exit::Done)
}

async fn export(voice: Voice, door: &Door, filter: &PkiFilter, format: &str, out: &Path) -> Result<Exit> {
    let answer = door.get(&format!("/api/v1/pki/export?format={}{}", segment(format), query(filter))).await?;
    if answer.status != 200 {
        return Err(answer.refusal());
    }
    write(out, &answer.body)?;
    voice.say(&json!({"file": out.display().to_string(), "bytes": answer.body.len()}), || {
        format!("{} ({} bytes)", out.display(), answer.body.len())
    });
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_local_order_names_the_host_of_the_house() {
        let order = local_order("https://selo.example:8443");
        assert_eq!(order.service_names, ["selo.example"]);
        assert!(order.permitted_dns.contains(&"selo.example".to_owned()));
        assert_eq!(
            local_order("http://localhost:8080").permitted_dns,
            CeremonyOrder::default().permitted_dns
        );
        let numbered = local_order("http://[2001:db8::1]:80");
        assert_eq!(numbered.service_names, ["2001:db8::1"]);
        assert!(numbered.permitted_ip.contains(&"2001:db8::1".to_owned()));
    }

    #[test]
    fn a_filter_asks_for_what_was_given_and_a_value_stays_inside_its_word() {
        assert_eq!(query(&PkiFilter::default()), "");
        let filter = PkiFilter {
            owner: Some("ana&state=revoked".to_owned()),
            expires_after: Some("2026-07-31T10:00:00+01:00".to_owned()),
            ..PkiFilter::default()
        };
        let asked = "&owner=ana%26state%3Drevoked&expiresAfter=2026-07-31T10%3A00%3A00%2B01%3A00";
        assert_eq!(query(&filter), asked);
    }

    #[test]
    fn words_of_a_file_become_words_of_the_interface() {
        assert_eq!(in_camel_case("permitted_dns"), "permittedDns");
        assert_eq!(in_camel_case("dry_run"), "dryRun");
        assert_eq!(in_camel_case("environment"), "environment");
    }
}
