//! `selo verify`: checks a file without a house and without a network.
//!
//! Status comes from a snapshot folder, else from the home's own lists, else by address only with `--online`; otherwise
//! it is unknown. Who is trusted comes from the home's tenants and from the list that was given. A picture whose QR code
//! leads to a page of the home is judged by the document behind it; a page of another house is named, never asked.

use std::{collections::BTreeMap, path::Path};

use base::{Clock, Result, SystemClock};
use proof::verify::{
    Answer, Check, Context, Family, Gathered, Lang as ProofLang, Outcome, PDF_BYTES_MAX, PageLink, Report,
    TrustList, TrustedIssuer, Want, verify,
};
use serde_json::Value;

use super::{Exit, Voice, read};
use crate::{cli, door::Door, error};

/// A check may ask for more, and then is run again; so often.
const ROUNDS_MAX: usize = 4;
const TRUST_BYTES_MAX: u64 = 8 * 1024 * 1024;
const SNAPSHOT_FILES_MAX: usize = 10_000;

/// Runs the command. `door` is the home's, when there is a house in it.
///
/// # Errors
/// `FILE_UNREADABLE`, `TRUST_LIST_INVALID`.
pub async fn run(voice: Voice, order: &cli::Verify, door: Option<&Door>) -> Result<Exit> {
    let bytes = read(&order.file, PDF_BYTES_MAX as u64)?;
    let snapshot = order.status_snapshot.as_deref().map(snapshot).transpose()?;
    let trust = trust(order.trust.as_deref(), door).await?;
    let mut report = judge(&bytes, order, &trust, snapshot.as_ref(), door).await;
    if let (Some(link), Some(door)) = (&report.link, door)
        && let Some(document) = behind(link, door).await
    {
        report = judge(&document, order, &trust, snapshot.as_ref(), Some(door)).await;
    }
    let lang = match voice.lang {
        base::Lang::En => ProofLang::En,
        base::Lang::Pt => ProofLang::Pt,
    };
    voice.say(&report.to_json(lang), || lines(&report, lang, voice.lang));
    Ok(match report.outcome {
        Outcome::Valid => Exit::Done,
        // A file in which there is nothing to judge is no judgement.
        Outcome::Invalid if report.checks.iter().any(unreadable) => Exit::Unreadable,
        Outcome::Invalid => Exit::No,
        Outcome::Unknown => Exit::Undecided,
    })
}

async fn judge(
    bytes: &[u8],
    order: &cli::Verify,
    trust: &TrustList,
    snapshot: Option<&BTreeMap<String, Vec<u8>>>,
    door: Option<&Door>,
) -> Report {
    let mut gathered = Gathered::new();
    let mut rounds = 0;
    loop {
        let now = SystemClock.now().seconds();
        let mut context = Context::new(now, &gathered, trust);
        context.require_trust = order.require_trust;
        let report = verify(bytes, &context);
        let missing = gathered.take_missing();
        rounds += 1;
        if missing.is_empty() || rounds > ROUNDS_MAX {
            return report;
        }
        for want in missing {
            let answer = answer(&want, snapshot, door, order.online).await;
            gathered.insert(want, answer);
        }
    }
}

/// The document behind a link of the home's own house.
async fn behind(link: &PageLink, door: &Door) -> Option<Vec<u8>> {
    let handle = link.handle_at(door.public_url())?;
    let answer = door.get(&format!("/v/{handle}/credential.json")).await.ok()?;
    (answer.status == 200).then_some(answer.body)
}

fn unreadable(check: &Check) -> bool {
    check.result == proof::verify::Result::Fail && check.code.family() == Family::Format
}

async fn answer(
    want: &Want,
    snapshot: Option<&BTreeMap<String, Vec<u8>>>,
    door: Option<&Door>,
    online: bool,
) -> Answer {
    let (Want::StatusList(address) | Want::KeyDocument(address)) = want;
    if let Some(lists) = snapshot {
        // A snapshot is what the caller relies on: what is not in it is not asked for elsewhere.
        return match lists.get(address) {
            Some(bytes) => Answer::Found { bytes: bytes.clone(), age: 0 },
            None => Answer::Unreachable,
        };
    }
    if let Some(door) = door
        && let Some(bytes) = own(want, door).await
    {
        return Answer::Found { bytes, age: 0 };
    }
    if online { crate::online::fetch(want).await } else { Answer::Unreachable }
}

/// What the home itself knows: its own status lists and its tenants' key documents.
async fn own(want: &Want, door: &Door) -> Option<Vec<u8>> {
    let path = match want {
        Want::StatusList(address) => {
            let handle = address.strip_prefix(door.public_url())?.strip_prefix("/status/")?;
            format!("/status/{handle}")
        }
        Want::KeyDocument(address) => {
            let url = proof::did::did_web_url(address).ok()?;
            url.strip_prefix(door.public_url())?.to_owned()
        }
    };
    let answer = door.get(&path).await.ok()?;
    (answer.status == 200).then_some(answer.body)
}

/// Status lists of a folder, by the address that each gives as its id.
fn snapshot(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let broken = |e: std::io::Error| {
        error::FILE.error().with("file", folder.display()).with("reason", e.kind()).because(e)
    };
    let mut lists = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(broken)?.take(SNAPSHOT_FILES_MAX) {
        let path = entry.map_err(broken)?.path();
        if !path.is_file() {
            continue;
        }
        let bytes = read(&path, proof::status::LIST_DOCUMENT_BYTES_MAX as u64)?;
        let id = serde_json::from_slice::<Value>(&bytes)
            .ok()
            .and_then(|list| list.get("id")?.as_str().map(str::to_owned));
        if let Some(id) = id {
            lists.insert(id, bytes);
        }
    }
    Ok(lists)
}

async fn trust(file: Option<&Path>, door: Option<&Door>) -> Result<TrustList> {
    let mut issuers = Vec::new();
    if let Some(door) = door {
        let mut token = String::new();
        loop {
            let answer = door.get(&format!("/api/v1/tenants?limit=200{token}")).await?;
            let page = answer.data()?;
            let items = page.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
            issuers.extend(items.iter().map(|tenant| TrustedIssuer {
                id: super::text(tenant, "/did").to_owned(),
                name: super::text(tenant, "/name").to_owned(),
                credential_types: Vec::new(),
            }));
            match page.get("nextPageToken").and_then(Value::as_str) {
                Some(next) => token = format!("&pageToken={next}"),
                None => break,
            }
        }
    }
    if let Some(file) = file {
        let wrong = || error::TRUST_FILE.error().with("file", file.display());
        let list: Value =
            serde_json::from_slice(&read(file, TRUST_BYTES_MAX)?).map_err(|e| wrong().because(e))?;
        for issuer in list.get("issuers").and_then(Value::as_array).ok_or_else(wrong)? {
            let word =
                |name: &str| issuer.get(name).and_then(Value::as_str).map(str::to_owned).ok_or_else(wrong);
            let types = issuer.get("credentialTypes").and_then(Value::as_array).cloned().unwrap_or_default();
            issuers.push(TrustedIssuer {
                id: word("id")?,
                name: word("name")?,
                credential_types: types.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            });
        }
    }
    Ok(TrustList::new(issuers))
}

fn lines(report: &Report, lang: ProofLang, house: base::Lang) -> String {
    let outcome = match report.outcome {
        Outcome::Valid => house.pick("VALID", "VÁLIDO"),
        Outcome::Invalid => house.pick("NOT VALID", "NÃO VÁLIDO"),
        Outcome::Unknown => house.pick("COULD NOT BE DECIDED", "NÃO FOI POSSÍVEL DECIDIR"),
    };
    let mut out = format!("{outcome}\n");
    if let Some(issuer) = &report.issuer {
        let name = issuer.name.as_deref().or(issuer.claimed_name.as_deref()).unwrap_or_default();
        let known =
            if issuer.trusted { "" } else { house.pick(" (not on your list)", " (fora da sua lista)") };
        out.push_str(&format!("{}: {name}{known}\n", house.pick("issuer", "emissor")));
    }
    if let Some(name) = report.subject.as_ref().and_then(|subject| subject.name.as_deref()) {
        out.push_str(&format!("{}: {name}\n", house.pick("holder", "titular")));
    }
    for check in &report.checks {
        let sign = match check.result {
            proof::verify::Result::Pass => "✓",
            proof::verify::Result::Fail => "✗",
            proof::verify::Result::Warn => "!",
            proof::verify::Result::Unknown => "?",
            proof::verify::Result::Skipped => "-",
        };
        out.push_str(&format!("  {sign} {}: {}\n", check.code.name(), check.reason(lang)));
    }
    out
}
