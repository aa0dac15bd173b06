//! `selo pki revoke --all-of | --key | --file`: many certificates, batch by batch, until none is left.

use std::path::Path;

use base::Result;
use serde_json::{Value, json};

use super::{Exit, Voice, read};
use crate::door::Door;

const LIST_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Names of one batch.
const BATCH_NAMES: usize = 500;

/// Which certificates are meant.
#[derive(Clone, Copy)]
pub(super) struct Selection<'a> {
    pub(super) all_of: Option<&'a str>,
    pub(super) key: Option<&'a str>,
    pub(super) file: Option<&'a Path>,
    pub(super) preview: bool,
}

/// What all batches did together.
#[derive(Default)]
struct Sum {
    matched: u64,
    revoked: u64,
    unknown: Vec<Value>,
}

pub(super) async fn revoke(
    voice: Voice,
    door: &Door,
    selection: Selection<'_>,
    reason: &str,
    invalid_since: Option<&str>,
) -> Result<Exit> {
    let mut body = json!({"reason": reason, "preview": selection.preview});
    if let (Some(members), Some(since)) = (body.as_object_mut(), invalid_since) {
        members.insert("invalidSince".to_owned(), json!(since));
    }
    let with = |name: &str, value: Value| {
        let mut body = body.clone();
        body.as_object_mut().map(|members| members.insert(name.to_owned(), value));
        body
    };
    let mut sum = Sum::default();
    match (selection.all_of, selection.key, selection.file) {
        (Some(authority), _, _) => {
            batches(voice, door, &with("authority", json!(authority)), &mut sum).await?
        }
        (_, Some(key), _) => batches(voice, door, &with("spkiSha256", json!(key)), &mut sum).await?,
        (_, _, Some(file)) => {
            let names = names_of(file)?;
            for some in names.chunks(BATCH_NAMES) {
                batches(voice, door, &with("certificates", json!(some)), &mut sum).await?;
            }
        }
        _ => {}
    }
    let complete = sum.unknown.is_empty();
    let value = json!({
        "preview": selection.preview, "matched": sum.matched, "revoked": sum.revoked, "unknown": sum.unknown,
    });
    voice.say(&value, || {
        let mut lines = match selection.preview {
            true => format!("{} {}\n", sum.matched, voice.lang.pick("would be revoked", "seriam revogados")),
            false => format!("{} {}\n", sum.revoked, voice.lang.pick("revoked", "revogados")),
        };
        for name in &sum.unknown {
            let word = voice.lang.pick("is no certificate here", "não é um certificado daqui");
            lines.push_str(&format!("{} {word}\n", name.as_str().unwrap_or_default()));
        }
        lines
    });
    Ok(if complete { Exit::Done } else { Exit::No })
}

/// Sends one order again and again until nothing that it means is left.
async fn batches(voice: Voice, door: &Door, body: &Value, sum: &mut Sum) -> Result<()> {
    let mut first = true;
    loop {
        let done = door.post("/api/v1/pki/revocations", body).await?.data()?;
        let number = |name: &str| done.get(name).and_then(Value::as_u64).unwrap_or_default();
        if first {
            sum.matched += number("matched");
            sum.unknown.extend(done.get("unknown").and_then(Value::as_array).cloned().unwrap_or_default());
        }
        first = false;
        sum.revoked += number("revoked");
        let preview = body.get("preview") == Some(&Value::Bool(true));
        if preview || number("left") == 0 {
            return Ok(());
        }
        voice.note(&format!("{} …", sum.revoked));
    }
}

/// The names of a file: one in each line, without what stands behind a `#`.
fn names_of(file: &Path) -> Result<Vec<String>> {
    let bytes = read(file, LIST_BYTES_MAX)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    Ok(lines.filter(|line| !line.is_empty()).map(str::to_owned).collect())
}
