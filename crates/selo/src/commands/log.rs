//! `selo log …`: the evidence log, from the command line.

use std::path::Path;

use audit::check_proof;
use base::Result;
use proof::{note::VerifierKey, tlog_proof::MAX_PROOF_BYTES};
use serde_json::{Value, json};

use super::{Exit, Voice, read, segment, text, write};
use crate::door::Door;

/// Computes both logs again.
///
/// # Errors
/// The house's.
pub async fn verify_all(voice: Voice, door: &Door) -> Result<Exit> {
    let reports = door.post("/api/v1/log/verify", &json!({})).await?.data()?;
    let logs = reports.get("logs").and_then(Value::as_array).cloned().unwrap_or_default();
    let good = !logs.is_empty() && logs.iter().all(|log| log.get("ok") == Some(&Value::Bool(true)));
    voice.say(&json!({"ok": good, "logs": logs}), || {
        let mut out = String::new();
        for log in &logs {
            let sign = if log.get("ok") == Some(&Value::Bool(true)) { "✓" } else { "✗" };
            out.push_str(&format!(
                "{sign} {}: {} {} {}{}\n",
                text(log, "/log"),
                log["size"],
                voice.lang.pick("leaves, root", "folhas, raiz"),
                text(log, "/root"),
                waiting(voice, log)
            ));
            for problem in log["problems"].as_array().into_iter().flatten() {
                out.push_str(&format!("    {}\n", problem.as_str().unwrap_or_default()));
            }
        }
        out
    });
    Ok(if good { Exit::Done } else { Exit::No })
}

/// What waits for a checkpoint, when something does.
fn waiting(voice: Voice, log: &Value) -> String {
    match log.get("waiting").and_then(Value::as_u64) {
        None | Some(0) => String::new(),
        Some(count) => {
            let words = voice.lang.pick("more wait for a checkpoint", "mais aguardam um ponto de controlo");
            format!(" ({count} {words})")
        }
    }
}

/// Checks one proof file: against a vkey that was given (then without any house), else against the house's keys.
///
/// # Errors
/// `LOG_PROOF_UNREADABLE`; `LOG_PROOF_WRONG`.
pub async fn verify_proof(
    voice: Voice,
    file: &Path,
    vkey: Option<&str>,
    door: Option<&Door>,
) -> Result<Exit> {
    let bytes = read(file, MAX_PROOF_BYTES as u64)?;
    let keys = match (vkey, door) {
        (Some(vkey), _) => vec![parse(vkey)?],
        (None, Some(door)) => {
            let mut keys = Vec::new();
            for log in events::Log::ALL {
                let answer = door.get(&format!("/log/{}/vkey", log.name())).await?;
                let lines = String::from_utf8_lossy(&answer.body).into_owned();
                keys.extend(lines.lines().map(parse).collect::<Result<Vec<_>>>()?);
            }
            keys
        }
        (None, None) => Vec::new(),
    };
    // The origin that the proof names decides which of the keys count.
    let mut refused =
        audit::error::PROOF_WRONG.error().with("reason", "no key of its log is known; give one with --vkey");
    for key in &keys {
        match check_proof(&bytes, key.name(), std::slice::from_ref(key)) {
            Ok(proven) => {
                let entry: Value = serde_json::from_slice(&proven.entry).unwrap_or(Value::Null);
                let value = json!({"ok": true, "origin": proven.origin, "index": proven.index, "size": proven.size, "entry": entry});
                let pick = |en: &'static str, pt: &'static str| voice.lang.pick(en, pt);
                voice.say(&value, || {
                    format!(
                        "✓ {} {} {} {} {} {} {} {}",
                        text(&entry, "/type"),
                        text(&entry, "/id"),
                        pick("stands at", "está em"),
                        proven.index,
                        pick("of", "de"),
                        proven.size,
                        pick("in", "no registo"),
                        proven.origin
                    )
                });
                return Ok(Exit::Done);
            }
            Err(failure) if failure.is(&audit::error::PROOF_UNREADABLE) => return Err(failure),
            Err(failure) => refused = failure,
        }
    }
    Err(refused)
}

fn parse(vkey: &str) -> Result<VerifierKey> {
    VerifierKey::parse(vkey.trim())
        .map_err(|e| audit::error::PROOF_UNREADABLE.at("vkey").with("reason", e.to_string()))
}

/// Writes a proof file.
///
/// # Errors
/// `LOG_RECORD_NOT_FOUND`; `LOG_NOT_MERGED` when no checkpoint comes in time; `FILE_UNWRITABLE`.
pub async fn prove(voice: Voice, door: &Door, id: &str, out: &Path) -> Result<Exit> {
    let proof = door.get_when_ready(&format!("/api/v1/audit/proof/{}", segment(id))).await?;
    write(out, &proof)?;
    voice.say(&json!({"proof": out.display().to_string(), "bytes": proof.len()}), || {
        format!("{} ({} bytes)", out.display(), proof.len())
    });
    Ok(Exit::Done)
}

/// Prints the newest checkpoint.
///
/// # Errors
/// `LOG_NOT_FOUND`, `LOG_NOT_MERGED`.
pub async fn checkpoint(voice: Voice, door: &Door, log: &str) -> Result<Exit> {
    let note = door.get_when_ready(&format!("/log/{}/checkpoint", segment(log))).await?;
    let note = String::from_utf8_lossy(&note).into_owned();
    voice.say(&json!({"log": log, "checkpoint": note}), || note.clone());
    Ok(Exit::Done)
}
