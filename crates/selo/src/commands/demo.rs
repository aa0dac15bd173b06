//! `selo demo`: a throw-away house with a university and its graduates, from nothing to a diploma that verifies.
//!
//! It does what a user would do, over the same door: make a house, make a tenant, hand a table in, take the
//! credentials home. It makes its own passphrase and says that it is no production.

use std::path::{Path, PathBuf};

use ::pki::CeremonyOrder;
use base::{Result, config::Config};
use http_kit::Listener;
use serde_json::{Value, json};

use super::{Exit, Voice, house, issue, pki, read, segment, text};
use crate::{
    cli::{self, Cli, PkiWanted},
    door::Door,
    error,
    home::Home,
    serve::{self, Inside, Listeners},
};

/// The graduates of the demo.
const ROWS: &[u8] = include_bytes!("../../../../examples/diplomas.csv");
const TABLE_BYTES_MAX: u64 = 200 * 1024 * 1024;
const UNIVERSITY: &str = "Universidade de São Tomé e Príncipe";

/// What the main job gave.
pub struct Done {
    /// Everything, in the form of `selo demo --once --json`.
    pub value: Value,
}

/// Runs the main job in an opened house.
///
/// # Errors
/// The house's.
pub async fn run(
    voice: Voice,
    door: &Door,
    folder: &Path,
    rows: Option<&PathBuf>,
    entry: &str,
) -> Result<Done> {
    let known = door.get("/api/v1/tenants?limit=1").await?.data()?;
    let tenant = match known.pointer("/items/0") {
        Some(tenant) => tenant.clone(),
        None => door.post("/api/v1/tenants", &json!({"name": UNIVERSITY})).await?.data()?,
    };
    let table = match rows {
        Some(file) => read(file, TABLE_BYTES_MAX)?,
        None => ROWS.to_vec(),
    };
    let out = folder.join("diplomas");
    let outcome = issue::table(voice, door, "diploma", table, &out, None).await?;
    // The checkpoint that is told covers every credential of this run: the last one's proof is there before it is read.
    if let Some(last) = outcome.credentials.last() {
        door.get_when_ready(&format!("/api/v1/audit/proof/{}", text(last, "/id"))).await?;
    }
    let checkpoint = door.get_when_ready("/log/cred/checkpoint").await?;
    let checkpoint = String::from_utf8_lossy(&checkpoint).into_owned();
    let mut lines = checkpoint.lines().skip(1);
    let size: u64 = lines.next().and_then(|line| line.parse().ok()).unwrap_or(0);
    let root = lines.next().unwrap_or_default().to_owned();
    let first = outcome.credentials.first().cloned().unwrap_or(Value::Null);
    let credentials: Vec<Value> = outcome
        .credentials
        .iter()
        .map(|one| {
            json!({
                "id": one["id"], "status": one["status"], "json": one["json"], "png": one["png"],
                "pdf": one["pdf"], "page": one["page"], "person": one["person"], "recipient": one["recipient"],
            })
        })
        .collect();
    let failed: Vec<Value> = outcome
        .failed
        .iter()
        .map(|row| {
            json!({
                "line": row["line"], "column": row["error"]["field"], "code": row["error"]["code"],
                "message": row["error"]["message"], "remedy": row["error"]["remedy"],
            })
        })
        .collect();
    let authority = authority(door, &folder.join("authority")).await?;
    let value = json!({
        "tenant": {"id": tenant["id"], "name": tenant["name"], "did": tenant["did"]},
        "credentials": credentials,
        "failedRows": failed,
        "links": {"recipient": first["recipient"], "verify": first["page"], "issuer": entry},
        "log": {"size": size, "root": root},
        "authority": authority,
        "home": folder.display().to_string(),
    });
    for row in &outcome.failed {
        voice.note(&issue::failed_line(row));
    }
    Ok(Done { value })
}

/// The house's certificate authority: a server in force, one that is withdrawn, and a name that is refused, so that its
/// pages have something to tell. A house that has one is left as it is.
async fn authority(door: &Door, folder: &Path) -> Result<Value> {
    let known = door.get("/api/v1/pki/authorities").await?.data()?;
    if known.pointer("/items/0").is_some() {
        return Ok(Value::Null);
    }
    let held = pki::hold(door, &CeremonyOrder::default(), folder).await?;
    let server = |name: &str| PkiWanted {
        profile: "server".to_owned(),
        dns: vec![name.to_owned()],
        owner: "demo".to_owned(),
        ..PkiWanted::default()
    };
    let old = pki::issue_into(door, &server("old.test"), &folder.join("old")).await?;
    let revoke = format!("/api/v1/pki/certificates/{}/revoke", segment(text(&old, "/id")));
    door.post(&revoke, &json!({"reason": "superseded"})).await?.data()?;
    let (abroad, _) = pki::body_of(&server("example.org"))?;
    let refused = door.post("/api/v1/pki/certificates", &abroad).await?.refusal();
    Ok(json!({
        "folder": folder.display().to_string(), "root": folder.join("root.pem").display().to_string(),
        "server": held["server"]["serial"], "revoked": old["serial"], "refused": refused.code().name,
    }))
}

/// What the demo says to people.
pub fn lines(voice: Voice, value: &Value) -> String {
    let en = |en, pt| voice.lang.pick(en, pt);
    let count = value.get("credentials").and_then(Value::as_array).map_or(0, Vec::len);
    let failed = value.get("failedRows").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut out =
        format!("{}: {count} {}\n", text(value, "/tenant/name"), en("diplomas issued", "diplomas emitidos"));
    for row in &failed {
        out.push_str(&format!(
            "{} {} [{}]: {} {}\n",
            en("line", "linha"),
            row["line"],
            text(row, "/column"),
            text(row, "/message"),
            text(row, "/remedy")
        ));
    }
    out.push_str(&format!(
        "\n  {:<12} {}\n  {:<12} {}\n  {:<12} {}\n",
        en("recipient", "titular"),
        text(value, "/links/recipient"),
        en("verify", "verificar"),
        text(value, "/links/verify"),
        en("issuer", "emissor"),
        text(value, "/links/issuer"),
    ));
    if let Some(folder) = value.pointer("/authority/folder").and_then(Value::as_str) {
        out.push_str(&format!("  {:<12} {folder}\n", en("authority", "autoridade")));
    }
    out.push_str(&format!(
        "\n  {}\n",
        en(
            "This is a demonstration: its passphrase lies in its home. Not for production.",
            "Isto é uma demonstração: a frase-passe está na própria casa. Não usar em produção."
        )
    ));
    out
}

/// `selo demo`: makes the house when there is none, runs the main job, and serves it; or ends after `--once`.
///
/// # Errors
/// The house's.
pub async fn command(voice: Voice, cli: &Cli, config: &Config, order: &cli::Demo) -> Result<Exit> {
    let home = Home::at(&cli.home);
    let mut entry = String::new();
    if !home.is_made() {
        let url = format!("http://localhost:{}", port(config.text("http.public_listen")));
        entry = house::make(&home, cli, config, &url).await?.link;
    }
    let lock = home.lock()?.ok_or_else(|| error::HOME_BUSY.error().with("home", home.folder().display()))?;
    let listeners = match order.once {
        true => None,
        false => Some(Listeners {
            public: Listener::bind(config.text("http.public_listen"), "http.public_listen").await?,
            admin: Listener::bind(config.text("http.admin_listen"), "http.admin_listen").await?,
            plain: None,
            partner: None,
        }),
    };
    let rooms = house::open_home(&home, cli, config).await?;
    let inside = Inside::open(rooms, config, lock).await?;
    let door = Door::inside(inside.admin(), &home, inside.rooms.public_url.to_string(), voice.lang);
    if entry.is_empty() {
        let made = door.post("/api/v1/admin/link", &json!({})).await?.data()?;
        entry = format!("{}/enter#{}", house::admin_url(config), text(&made, "/token"));
    }
    let done = run(voice, &door, home.folder(), order.rows.as_ref(), &entry).await?;
    voice.say(&done.value, || lines(voice, &done.value));
    if let Some(listeners) = listeners {
        let stop = inside.stop();
        let serving = serve::listen(&inside, &home, config, listeners)?;
        voice.note(voice.lang.pick("serving; end with Ctrl-C", "a servir; termine com Ctrl-C"));
        serve::until_told(&inside.rooms).await?;
        stop.cancel();
        serving.await;
    }
    inside.close().await?;
    Ok(Exit::Done)
}

fn port(listen: &str) -> &str {
    listen.rsplit_once(':').map_or(listen, |(_, port)| port)
}
