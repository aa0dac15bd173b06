//! `selo pki root …`, `rotate`, `revoke-authority`: what a house asks of its offline root, and what comes back.
//!
//! Showing and signing need no house: whoever holds the shares does it on a machine without a network. The root's key
//! stands in this process's memory for as long as it signs.

use std::path::Path;

use base::Result;
use keys::{OfflineKey, shamir::Share};
use pki::{CheckedRequest, EXCHANGE_BYTES_MAX, RootRequest};
use serde_json::{Value, json};

use super::{Exit, Voice, agreed, folder, must_be_free, read, segment, text, write};
use crate::{
    cli::{AskRoot, RevokeAuthority, RootCommand, RootSign},
    door::Door,
    error,
};

const SHARE_BYTES_MAX: u64 = 4 * 1024;
/// Items of one page of requests.
const PAGE_ITEMS: usize = 200;

/// The commands that need no house; nothing for the others.
///
/// # Errors
/// `PKI_EXCHANGE_UNREADABLE`, `PKI_ROOT_WOULD_NOT_SIGN`, `PKI_ROOT_KEY_OTHER`, `NOT_AGREED`; those of shares and files.
pub fn offline(voice: Voice, command: &RootCommand) -> Option<Result<Exit>> {
    match command {
        RootCommand::Show { request } => Some(show(voice, request)),
        RootCommand::Sign(order) | RootCommand::SignIntermediate(order) => Some(sign(voice, order)),
        _ => None,
    }
}

/// The commands that speak to the house.
///
/// # Errors
/// The house's; those of files.
pub(super) async fn run(voice: Voice, door: &Door, command: &RootCommand) -> Result<Exit> {
    match command {
        RootCommand::RequestCrl { root, ask: order } => {
            ask(voice, door, order, json!({"list": true, "root": root})).await
        }
        RootCommand::Accept { response, out } => accept(voice, door, response, out.as_deref()).await,
        RootCommand::Requests => requests(voice, door).await,
        RootCommand::Abandon { id } => abandon(voice, door, id).await,
        RootCommand::Show { .. } | RootCommand::Sign(_) | RootCommand::SignIntermediate(_) => {
            offline(voice, command).unwrap_or(Ok(Exit::Done))
        }
    }
}

/// `selo pki rotate`
pub(super) async fn rotate(voice: Voice, door: &Door, order: &AskRoot) -> Result<Exit> {
    ask(voice, door, order, json!({"issuing": true})).await
}

/// `selo pki revoke-authority`
pub(super) async fn revoke_authority(voice: Voice, door: &Door, order: &RevokeAuthority) -> Result<Exit> {
    let revoke = json!([{"authority": order.authority, "reason": order.reason}]);
    ask(voice, door, &order.ask, json!({"revoke": revoke, "issuing": order.replace})).await
}

async fn ask(voice: Voice, door: &Door, order: &AskRoot, mut body: Value) -> Result<Exit> {
    if order.out.exists() {
        let reason = std::io::ErrorKind::AlreadyExists;
        return Err(error::OUTPUT.error().with("file", order.out.display()).with("reason", reason));
    }
    if let Some(members) = body.as_object_mut() {
        members.insert("reason".to_owned(), json!(order.because));
        members.insert("environment".to_owned(), json!(order.environment));
        members.insert("keys".to_owned(), json!(order.keys));
    }
    let planned = door.post("/api/v1/pki/root-requests", &body).await?.data()?;
    let file = planned.get("file").cloned().unwrap_or_default();
    write(&order.out, format!("{file:#}\n").as_bytes())?;
    voice.say(&planned, || {
        format!(
            "{}  {}\n{}: selo pki root sign {} --share FILE --share FILE --out FILE\n",
            text(&planned, "/id"),
            order.out.display(),
            voice.lang.pick("then, where the shares are", "depois, onde estão as partes"),
            order.out.display()
        )
    });
    Ok(Exit::Done)
}

// ---- without a house

fn checked(file: &Path) -> Result<CheckedRequest> {
    RootRequest::read(&read(file, EXCHANGE_BYTES_MAX)?)
}

/// What a request asks, as one value and as lines.
fn told(voice: Voice, request: &CheckedRequest) -> Result<(Value, String)> {
    let (root, key) = request.root()?;
    let parts = request.told()?;
    let file = &request.request;
    let pick = |en: &'static str, pt: &'static str| voice.lang.pick(en, pt);
    let mut lines = format!(
        "{}: {root}\n  SHA-256 {} {key}\n{}: {}\n{}: {}\n{}: {}\n",
        pick("root", "raiz"),
        pick("of its public key", "da sua chave pública"),
        pick("environment", "ambiente"),
        printable(&file.environment),
        pick("planned", "planeado"),
        file.planned_at,
        pick("why", "porquê"),
        printable(&file.reason),
    );
    for part in &parts {
        lines.push_str(match part.kind {
            pki::PartKind::Issuing => pick(
                "\nit signs the certificate of an issuing authority\n",
                "\nassina o certificado de uma autoridade emissora\n",
            ),
            pki::PartKind::Crl => {
                pick("\nit signs its next revocation list\n", "\nassina a sua próxima lista de revogação\n")
            }
        });
        for (name, value) in &part.says {
            lines.push_str(&format!("  {name}: {}\n", printable(value)));
        }
        lines.push_str(&format!("  SHA-256: {}\n", part.sha256));
    }
    let value = json!({
        "request": printable(&file.id), "environment": file.environment, "reason": file.reason,
        "plannedAt": file.planned_at, "root": root, "rootPublicKeySha256": key,
        "parts": parts.iter().map(|part| {
            let says: Vec<Value> = part.says.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
            json!({"kind": part.kind, "sha256": part.sha256, "says": says})
        }).collect::<Vec<_>>(),
    });
    Ok((value, lines))
}

/// A text of the file without what a terminal would obey.
fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

fn show(voice: Voice, file: &Path) -> Result<Exit> {
    let (value, lines) = told(voice, &checked(file)?)?;
    voice.say(&value, || lines);
    Ok(Exit::Done)
}

fn sign(voice: Voice, order: &RootSign) -> Result<Exit> {
    let request = checked(&order.request)?;
    if order.out.exists() {
        let reason = std::io::ErrorKind::AlreadyExists;
        return Err(error::OUTPUT.error().with("file", order.out.display()).with("reason", reason));
    }
    let (_, lines) = told(voice, &request)?;
    voice.note(&lines);
    if !order.yes && !agreed(voice, voice.lang.pick("Sign this?", "Assinar isto?"))? {
        return Err(error::NOT_AGREED.error());
    }
    let response = {
        let shares = order.shares.iter().map(|file| share(file)).collect::<Result<Vec<_>>>()?;
        let key = OfflineKey::from_shares(&shares)?;
        request.sign(&key)?
    };
    let written = serde_json::to_string_pretty(&response).map_err(|e| base::error::INTERNAL.because(e))?;
    write(&order.out, format!("{written}\n").as_bytes())?;
    let value = json!({"request": response.id, "response": order.out.display().to_string()});
    voice.say(&value, || {
        format!(
            "{}: {}\n{}: selo pki root accept {}",
            voice.lang.pick(
                "Signed; the key is forgotten. The answer",
                "Assinado; a chave foi esquecida. A resposta"
            ),
            order.out.display(),
            voice.lang.pick("then, at the house", "depois, na casa"),
            order.out.display()
        )
    });
    Ok(Exit::Done)
}

fn share(file: &Path) -> Result<Share> {
    let bytes = base::Secret::new(read(file, SHARE_BYTES_MAX)?);
    let written = std::str::from_utf8(bytes.expose()).map_err(|_| keys::error::SHARE.error())?;
    Share::from_text(written.trim())
}

// ---- at the house

async fn accept(voice: Voice, door: &Door, file: &Path, out: Option<&Path>) -> Result<Exit> {
    let bytes = read(file, EXCHANGE_BYTES_MAX)?;
    if let Some(out) = out {
        folder(out)?;
        must_be_free(out, &["intermediate.pem", "chain.pem", "root.crl.pem"])?;
    }
    let made = door.send("/api/v1/pki/root-requests/accept", "application/json", bytes).await?.data()?;
    if let Some(out) = out {
        let issuing = text(&made, "/issuing/certificate");
        if !issuing.is_empty() {
            let root = root_of(door, &made).await?;
            write(&out.join("intermediate.pem"), issuing.as_bytes())?;
            write(&out.join("chain.pem"), format!("{issuing}{root}").as_bytes())?;
        }
        if !text(&made, "/crl").is_empty() {
            write(&out.join("root.crl.pem"), text(&made, "/crl").as_bytes())?;
        }
    }
    voice.say(&made, || {
        let mut lines = String::new();
        let pick = |en: &'static str, pt: &'static str| voice.lang.pick(en, pt);
        if !text(&made, "/issuing/id").is_empty() {
            let (id, name) = (text(&made, "/issuing/id"), text(&made, "/issuing/name"));
            lines.push_str(&format!(
                "{id}  {name}  {}\n",
                pick("issues from now on", "emite a partir de agora")
            ));
        }
        for (list, word) in
            [("retired", pick("retired", "retirada")), ("revoked", pick("revoked", "revogada"))]
        {
            for id in made.get(list).and_then(Value::as_array).into_iter().flatten() {
                lines.push_str(&format!("{}  {word}\n", id.as_str().unwrap_or_default()));
            }
        }
        if !text(&made, "/crl").is_empty() {
            lines.push_str(pick("the root's new list is served", "a nova lista da raiz está publicada"));
        }
        lines
    });
    Ok(Exit::Done)
}

async fn root_of(door: &Door, made: &Value) -> Result<String> {
    let all = door.get("/api/v1/pki/authorities").await?.data()?;
    let parent = text(made, "/issuing/parent");
    let items = all.get("items").and_then(Value::as_array).into_iter().flatten();
    let found = items.into_iter().find(|one| text(one, "/id") == parent);
    Ok(found.map(|one| text(one, "/certificate").to_owned()).unwrap_or_default())
}

async fn requests(voice: Voice, door: &Door) -> Result<Exit> {
    let page = door.get(&format!("/api/v1/pki/root-requests?limit={PAGE_ITEMS}")).await?.data()?;
    voice.say(&page, || {
        let items = page.get("items").and_then(Value::as_array).into_iter().flatten();
        items
            .map(|one| {
                format!(
                    "{}  {:<9}  {}  {}  {}\n",
                    text(one, "/id"),
                    text(one, "/state"),
                    text(one, "/plannedAt"),
                    text(one, "/environment"),
                    text(one, "/reason")
                )
            })
            .collect()
    });
    Ok(Exit::Done)
}

async fn abandon(voice: Voice, door: &Door, id: &str) -> Result<Exit> {
    let path = format!("/api/v1/pki/root-requests/{}/abandon", segment(id));
    let ended = door.post(&path, &json!({})).await?.data()?;
    voice.say(&ended, || format!("{}  {}", text(&ended, "/id"), text(&ended, "/state")));
    Ok(Exit::Done)
}

/// `selo pki authorities`
pub(super) async fn authorities(voice: Voice, door: &Door) -> Result<Exit> {
    let all = door.get("/api/v1/pki/authorities").await?.data()?;
    voice.say(&all, || {
        let items = all.get("items").and_then(Value::as_array).into_iter().flatten();
        items
            .map(|one| {
                format!(
                    "{}  {:<8}  {:<7}  {}  {}  {}\n",
                    text(one, "/id"),
                    text(one, "/environment"),
                    text(one, "/kind"),
                    text(one, "/state"),
                    text(one, "/notAfter"),
                    text(one, "/name")
                )
            })
            .collect()
    });
    Ok(Exit::Done)
}
