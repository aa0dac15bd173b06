//! `selo pki replay`, `selo log mirror`: what the log knows, kept elsewhere and put back.
//!
//! Putting back happens before the house opens: a house that opens may record something, and that would stand where the
//! log has another leaf already.

use std::path::Path;

use base::{Result, config::Config};
use events::Log;
use proof::{
    checkpoint::Checkpoint,
    note,
    tile::{self, TILE_WIDTH, TileKind},
};
use serde_json::{Value, json};
use store::blob::Blobs;

use super::{Exit, Voice, house, segment};
use crate::{cli::Cli, door::Door, error, home::Home};

/// Puts back what a mirror of the log `ca` holds and the house does not.
///
/// # Errors
/// `HOME_BUSY`; `LOG_MIRROR_REFUSED`, `LOG_LEAF_UNREADABLE`; the store's.
pub async fn replay(voice: Voice, cli: &Cli, home: &Home, config: &Config, folder: &Path) -> Result<Exit> {
    home.letter()?;
    let _lock = home.lock()?.ok_or_else(|| error::HOME_BUSY.error().with("home", home.folder().display()))?;
    let mirror = mirror_of(folder)?;
    let rooms = house::open_home(home, cli, config).await?;
    let mut mirror = rooms.audit.mirror(Log::Ca, mirror).await?;
    let mut replay = rooms.pki.replay(rooms.tenants().await?);
    while let Some((from, entries)) = mirror.missing().await? {
        replay.put_back(from, entries).await?;
    }
    let done = replay.done();
    rooms.house.db.close().await;
    let lost = done.authorities_lost.iter();
    let lost = lost.map(|one| json!({"authority": one.authority, "certificate": one.certificate}));
    let lost: Vec<Value> = lost.collect();
    let value = json!({
        "had": mirror.had(), "size": mirror.had() + done.leaves, "checkpoint": mirror.size(),
        "leaves": done.leaves, "issued": done.issued, "revoked": done.revoked, "abandoned": done.abandoned,
        "orphans": done.orphans, "authoritiesLost": lost,
        "externalKeysRevoked": done.external_keys_revoked, "accountsClosed": done.accounts_closed,
        "authorizationsGivenBack": done.authorizations_given_back, "rootListsLost": done.root_lists_lost,
    });
    voice.say(&value, || {
        let pick = |en: &'static str, pt: &'static str| voice.lang.pick(en, pt);
        let mut lines = format!(
            "{} {}, {} {}, {} {}, {} {}\n",
            done.leaves,
            pick("leaves put back", "folhas repostas"),
            done.issued,
            pick("certificates issued", "certificados emitidos"),
            done.revoked,
            pick("revoked", "revogados"),
            done.abandoned,
            pick("given up", "abandonados"),
        );
        for lost in &done.authorities_lost {
            let words = pick(
                "began after the backup, and its key is gone: ask the root for its end: selo pki revoke-authority",
                "começou depois da cópia, e a sua chave perdeu-se: peça à raiz o seu fim: selo pki revoke-authority",
            );
            lines.push_str(&format!("{} {words} {}\n", lost.authority, lost.certificate));
        }
        for (count, words) in [
            (done.external_keys_revoked, pick("external keys revoked", "chaves externas revogadas")),
            (
                done.accounts_closed,
                pick(
                    "ACME accounts closed, also those whose key changed: they are opened anew",
                    "contas ACME fechadas, também as que mudaram de chave: abrem-se de novo",
                ),
            ),
            (done.authorizations_given_back, pick("ACME proofs given back", "provas ACME devolvidas")),
        ] {
            if count > 0 {
                lines.push_str(&format!("{count} {words}\n"));
            }
        }
        if done.orphans > 0 {
            let words = pick("certificates of such authorities", "certificados dessas autoridades");
            lines.push_str(&format!("{} {words}\n", done.orphans));
        }
        for root in &done.root_lists_lost {
            let words = pick(
                "signed a list after the backup, which is lost: ask the root for its list now: selo pki root request-crl",
                "assinou uma lista depois da cópia, que se perdeu: peça já a lista à raiz: selo pki root request-crl",
            );
            lines.push_str(&format!("{root} {words}\n"));
        }
        lines
    });
    // The list that is served now forgets whom the root has withdrawn: that is no good end.
    Ok(if done.root_lists_lost.is_empty() { Exit::Done } else { Exit::No })
}

fn mirror_of(folder: &Path) -> Result<Blobs> {
    if !folder.is_dir() {
        let reason = std::io::ErrorKind::NotFound;
        return Err(error::FILE.error().with("file", folder.display()).with("reason", reason));
    }
    Blobs::folder(folder)
}

/// Keeps a log elsewhere: the newest checkpoint and the entries that are not there yet.
///
/// # Errors
/// The house's; those of files.
pub async fn mirror(voice: Voice, door: &Door, log: &str, out: &Path) -> Result<Exit> {
    let unreadable =
        || audit::error::MIRROR.error().with("log", log).with("reason", "its checkpoint is none");
    let checkpoint = door.get_when_ready(&format!("/log/{}/checkpoint", segment(log))).await?;
    let note = note::Note::parse(&checkpoint).map_err(|e| unreadable().because(e))?;
    let size = Checkpoint::parse(note.text()).map_err(|e| unreadable().because(e))?.size();
    super::pki::folder(out)?;
    let kept = Blobs::folder(out)?;
    let mut written = 0_u64;
    for index in 0..size.div_ceil(TILE_WIDTH) {
        let Some(id) = tile::tile_at(TileKind::Entries, index, size) else { continue };
        if kept.get(&id.path()).await?.is_some() {
            continue;
        }
        let answer = door.get(&format!("/log/{}/{}", segment(log), id.path())).await?;
        if answer.status != 200 {
            return Err(answer.refusal());
        }
        kept.put(&id.path(), answer.body).await?;
        written += 1;
    }
    // The checkpoint last: a mirror that was cut off in between still holds what its own checkpoint speaks of.
    kept.put("checkpoint", checkpoint).await?;
    voice.say(
        &json!({"log": log, "size": size, "written": written, "out": out.display().to_string()}),
        || format!("{log}: {size}  {}", out.display()),
    );
    Ok(Exit::Done)
}
