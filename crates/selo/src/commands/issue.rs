//! `selo issue`, `revoke`, `suspend`, `reinstate`, `person erase`: verbs on credentials and people.

use std::{io::IsTerminal, path::Path, time::Duration};

use base::Result;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use super::{Exit, Voice, read, segment, text, write};
use crate::{cli, door::Door, error};

const TABLE_BYTES_MAX: u64 = 200 * 1024 * 1024;
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The files of a credential, as they are called in the house and in the folder.
const FILES: [(&str, &str); 3] =
    [("credential.json", "json"), ("diploma.png", "png"), ("diploma.pdf", "pdf")];

/// What came of a table.
pub struct Outcome {
    /// Each credential: id, status, files, pages.
    pub credentials: Vec<Value>,
    /// Each failed row: line, column, code, sentences.
    pub failed: Vec<Value>,
}

/// Hands a table in, waits for its job, and takes the credentials home.
///
/// # Errors
/// What concerns the whole table; the house's; `FILE_UNWRITABLE`.
pub async fn table(
    voice: Voice,
    door: &Door,
    template: &str,
    rows: Vec<u8>,
    out: &Path,
    tenant: Option<&str>,
) -> Result<Outcome> {
    std::fs::create_dir_all(out)
        .map_err(|e| error::OUTPUT.error().with("file", out.display()).with("reason", e.kind()).because(e))?;
    let named = tenant.map_or_else(String::new, |tenant| format!("&tenant={}", segment(tenant)));
    let also = tenant.map_or_else(String::new, |tenant| format!("?tenant={}", segment(tenant)));
    let job = door
        .send(&format!("/api/v1/batches?template={}{named}", segment(template)), "text/csv", rows)
        .await?
        .data()?;
    let id = text(&job, "/id").to_owned();
    let job = wait(voice, door, &id, &also).await?;
    if text(&job, "/state") == "failed" {
        return Err(base::error::Error::told(
            text(&job, "/errorCode"),
            String::new(),
            String::new(),
            std::iter::empty(),
        ));
    }
    let failed: Vec<Value> = rows_of(door, &id, "failed", &named).await?;
    let mut credentials = Vec::new();
    for row in rows_of(door, &id, "issued", &named).await? {
        credentials.push(take_home(door, text(&row, "/credential"), &also, out).await?);
    }
    if !failed.is_empty() {
        let path = format!("/api/v1/jobs/{id}/failed.csv{also}");
        let answer = door.get(&path).await?;
        if answer.status != 200 {
            return Err(answer.refusal());
        }
        write(&out.join("failed.csv"), &answer.body)?;
    }
    Ok(Outcome { credentials, failed })
}

async fn rows_of(door: &Door, job: &str, outcome: &str, named: &str) -> Result<Vec<Value>> {
    let mut rows = Vec::new();
    let mut token = String::new();
    loop {
        let path = format!("/api/v1/jobs/{job}/rows?outcome={outcome}&limit=200{named}{token}");
        let page = door.get(&path).await?.data()?;
        rows.extend(page.get("items").and_then(Value::as_array).cloned().unwrap_or_default());
        match page.get("nextPageToken").and_then(Value::as_str) {
            Some(next) => token = format!("&pageToken={next}"),
            None => return Ok(rows),
        }
    }
}

async fn take_home(door: &Door, id: &str, also: &str, out: &Path) -> Result<Value> {
    let detail = door.get(&format!("/api/v1/credentials/{id}{also}")).await?.data()?;
    let mut taken = json!({
        "id": id, "status": text(&detail, "/status"), "person": text(&detail, "/person"),
        "page": text(&detail, "/pageUrl"), "recipient": text(&detail, "/recipientUrl"),
    });
    for (file, ending) in FILES {
        let answer = door.get(&format!("/api/v1/credentials/{id}/files/{file}{also}")).await?;
        if answer.status != 200 {
            return Err(answer.refusal());
        }
        let path = out.join(format!("{id}.{ending}"));
        write(&path, &answer.body)?;
        if let Some(members) = taken.as_object_mut() {
            members.insert(ending.to_owned(), json!(path.display().to_string()));
        }
    }
    Ok(taken)
}

async fn wait(voice: Voice, door: &Door, id: &str, also: &str) -> Result<Value> {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template("{bar:32} {pos}/{len} {msg}") {
        bar.set_style(style);
    }
    bar.set_message(voice.lang.pick("issuing", "a emitir"));
    loop {
        let job = door.get(&format!("/api/v1/jobs/{id}{also}")).await?.data()?;
        bar.set_length(job.get("total").and_then(Value::as_u64).unwrap_or(0));
        bar.set_position(job.get("done").and_then(Value::as_u64).unwrap_or(0));
        if matches!(text(&job, "/state"), "done" | "failed") {
            bar.finish_and_clear();
            return Ok(job);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// A failed row as a line for people.
pub fn failed_line(row: &Value) -> String {
    let field =
        row.pointer("/error/field").and_then(Value::as_str).map_or_else(String::new, |f| format!(" [{f}]"));
    let sentences = format!("{} {}", text(row, "/error/message"), text(row, "/error/remedy"));
    format!("  line {}{field} {}: {}", row["line"], text(row, "/error/code"), sentences.trim_end())
}

/// `selo issue`
///
/// # Errors
/// As [`table`]; `FILE_UNREADABLE`.
pub async fn run(voice: Voice, door: &Door, order: &cli::Issue) -> Result<Exit> {
    let rows = read(&order.rows, TABLE_BYTES_MAX)?;
    let outcome = table(voice, door, &order.template, rows, &order.out, order.tenant.as_deref()).await?;
    let value = json!({"credentials": outcome.credentials, "failedRows": outcome.failed});
    voice.say(&value, || {
        let mut out = format!(
            "{} {} → {}\n",
            outcome.credentials.len(),
            voice.lang.pick("credentials issued", "credenciais emitidas"),
            order.out.display()
        );
        if !outcome.failed.is_empty() {
            out.push_str(&format!(
                "{} {}:\n",
                outcome.failed.len(),
                voice.lang.pick("rows failed", "linhas falharam")
            ));
            for row in &outcome.failed {
                out.push_str(&failed_line(row));
                out.push('\n');
            }
            out.push_str(&format!("  → {}\n", order.out.join("failed.csv").display()));
        }
        out
    });
    Ok(if outcome.credentials.is_empty() && !outcome.failed.is_empty() { Exit::No } else { Exit::Done })
}

/// `selo revoke|suspend|reinstate`
///
/// # Errors
/// The house's.
pub async fn change(voice: Voice, door: &Door, verb: &str, order: &cli::Change) -> Result<Exit> {
    let also =
        order.tenant.as_deref().map_or_else(String::new, |tenant| format!("?tenant={}", segment(tenant)));
    let path = format!("/api/v1/credentials/{}/{verb}{also}", segment(&order.id));
    let summary = door.post(&path, &json!({"reason": order.reason})).await?.data()?;
    voice.say(&summary, || format!("{}: {}", text(&summary, "/id"), text(&summary, "/status")));
    Ok(Exit::Done)
}

/// `selo person erase`
///
/// # Errors
/// The house's.
pub async fn erase(voice: Voice, door: &Door, id: &str, tenant: Option<&str>) -> Result<Exit> {
    let also = tenant.map_or_else(String::new, |tenant| format!("?tenant={}", segment(tenant)));
    let person = if id.starts_with("cred_") {
        let detail = door.get(&format!("/api/v1/credentials/{}{also}", segment(id))).await?.data()?;
        text(&detail, "/person").to_owned()
    } else {
        id.to_owned()
    };
    let erased =
        door.post(&format!("/api/v1/people/{}/erase{also}", segment(&person)), &json!({})).await?.data()?;
    voice.say(&erased, || {
        format!(
            "{person}: {}",
            voice.lang.pick(
                "forgotten; copies in the person's own hands still verify",
                "esquecida; as cópias em posse da própria pessoa continuam a verificar-se"
            )
        )
    });
    Ok(Exit::Done)
}
