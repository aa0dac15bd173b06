//! What the agent knows about a certificate between two looks, a small JSON file for each.
//!
//! The certificate itself is read from its generation; a file that is lost costs a look, never a certificate.
//! Never here: a key.

use std::path::{Path, PathBuf};

use base::{Lang, Result, Time};
use serde::{Deserialize, Serialize};

use crate::{
    error, files,
    plan::{Life, Window},
};

const FILE_BYTES_MAX: u64 = 64 * 1024;
const FILE_MODE: u32 = 0o644;

/// What is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct State {
    /// The generation in service.
    pub generation: Option<u64>,
    /// The one before it.
    pub before: Option<u64>,
    /// Serial number of the certificate in service.
    pub serial: Option<String>,
    /// From and until when it holds.
    pub life: Option<Life>,
    /// When it is to be renewed.
    pub planned: Option<Time>,
    /// What the authority suggests.
    pub window: Option<Window>,
    /// When the authority is asked again for a window.
    pub ask_window: Option<Time>,
    /// Failures in a row.
    pub failures: u32,
    /// Not before then is renewal tried again.
    pub retry: Option<Time>,
    /// The last renewal that worked.
    pub renewed: Option<Time>,
    /// Whether the files are new and the service was not told with success.
    pub untold: bool,
    /// Whether the service shows the installed certificate, when it was looked at.
    pub served: Option<bool>,
    /// When it was looked at.
    pub looked: Option<Time>,
    /// What is wrong: a code and a sentence.
    pub trouble: Option<Trouble>,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trouble {
    /// The stable code.
    pub code: String,
    /// What happened, in English.
    pub message: String,
    /// The same in Portuguese; nothing in a file from before it was kept.
    #[serde(default)]
    pub message_pt: String,
}

impl Trouble {
    /// Of an error.
    pub fn of(failure: &base::Error) -> Self {
        Self {
            code: failure.code().name.to_owned(),
            message: failure.cause(Lang::En).into_owned(),
            message_pt: failure.cause(Lang::Pt).into_owned(),
        }
    }

    /// What happened, in a language.
    pub fn told(&self, lang: Lang) -> &str {
        match lang {
            Lang::Pt if !self.message_pt.is_empty() => &self.message_pt,
            _ => &self.message,
        }
    }
}

fn place(state: &Path, name: &str) -> PathBuf {
    state.join(name).join("state.json")
}

/// Reads what is known; nothing when there is no file, or one that cannot be read.
pub fn load(state: &Path, name: &str) -> State {
    let file = place(state, name);
    let Ok(bytes) = files::read(&file, FILE_BYTES_MAX) else { return State::default() };
    serde_json::from_slice(&bytes).unwrap_or_else(|failed| {
        tracing::warn!(file = %file.display(), %failed, "the state cannot be read and is begun anew");
        State::default()
    })
}

/// Keeps what is known.
///
/// # Errors
/// `AGENT_STATE_BROKEN`.
pub fn save(folder: &Path, name: &str, state: &State) -> Result<()> {
    let file = place(folder, name);
    let broken = |reason: String| error::STATE.error().with("file", file.display()).with("reason", reason);
    let mut bytes = serde_json::to_vec_pretty(state).map_err(|e| broken(e.to_string()))?;
    bytes.push(b'\n');
    files::replace(&file, &bytes, FILE_MODE, FILE_MODE).map_err(|e| broken(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_comes_back_and_what_is_broken_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("web")).unwrap();
        assert_eq!(load(folder.path(), "web"), State::default());
        let at = |seconds| Time::from_seconds(seconds);
        let state = State {
            generation: Some(3),
            life: Some(Life { not_before: at(0), not_after: at(90) }),
            window: Some(Window { start: at(50), end: at(60), chosen: at(55) }),
            served: Some(false),
            trouble: Some(Trouble::of(&error::RELOAD.error().with("reason", "x"))),
            ..State::default()
        };
        save(folder.path(), "web", &state).unwrap();
        assert_eq!(load(folder.path(), "web"), state);
        let trouble = state.trouble.unwrap();
        assert_ne!(trouble.told(Lang::En), trouble.told(Lang::Pt));
        // A file from before there was a second language.
        let older = r#"{"trouble": {"code": "AGENT_RELOAD_FAILED", "message": "It was not told."}}"#;
        std::fs::write(folder.path().join("web/state.json"), older).unwrap();
        assert_eq!(load(folder.path(), "web").trouble.unwrap().told(Lang::Pt), "It was not told.");
        std::fs::write(folder.path().join("web/state.json"), "{").unwrap();
        assert_eq!(load(folder.path(), "web"), State::default());
    }
}
