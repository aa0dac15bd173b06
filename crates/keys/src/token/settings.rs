//! Where the token is and how it is opened.

use std::path::{Path, PathBuf};

use base::{
    Result, Secret,
    config::{CONFIG_SECRET_UNREADABLE, Config, Setting, SettingKind},
};
use zeroize::Zeroizing;

use crate::error;

/// How many sessions are open at once unless somebody says otherwise. Tokens that allow sixteen are common.
pub const SESSIONS: usize = 8;
/// The most sessions that can be asked for.
pub const SESSIONS_MAX: usize = 64;
/// A longer file holds no PIN.
const PIN_BYTES_MAX: u64 = 256;

/// The settings of this crate.
pub const SETTINGS: &[Setting] = &[
    Setting::new(
        "keys.token.library",
        SettingKind::Path,
        "",
        "PKCS#11 library of the token where signing keys may live, e.g. /usr/lib/softhsm/libsofthsm2.so; empty for none",
        "biblioteca PKCS#11 do dispositivo onde podem viver chaves de assinatura, p. ex. /usr/lib/softhsm/libsofthsm2.so; vazio para nenhum",
    ),
    Setting::new("keys.token.label", SettingKind::Text, "", "label of the token", "etiqueta do dispositivo"),
    Setting::new(
        "keys.token.pin_file",
        SettingKind::Path,
        "",
        "file with the PIN of the token's user",
        "ficheiro com o PIN do utilizador do dispositivo",
    ),
    Setting::new(
        "keys.token.sessions",
        SettingKind::Integer { min: 1, max: 64, unit: "sessions" },
        "8",
        "how many sessions may be open at once; stay below the token's own limit",
        "quantas sessões podem estar abertas ao mesmo tempo; fique abaixo do limite do próprio dispositivo",
    ),
];

/// Where the token is and how it is opened.
#[derive(Debug, Clone)]
pub struct TokenSettings {
    /// The PKCS#11 library.
    pub library: PathBuf,
    /// The token's label.
    pub label: String,
    /// The file with the PIN. It is read whenever somebody logs in, so that a PIN can be changed while the house runs.
    pub pin_file: PathBuf,
    /// How many sessions may be open at once, from 1 to [`SESSIONS_MAX`].
    pub sessions: usize,
}

impl TokenSettings {
    /// What was configured; none when no library is named.
    ///
    /// # Errors
    /// `KEYS_TOKEN_SETTING` naming what is missing beside the library.
    pub fn from_config(config: &Config) -> Result<Option<Self>> {
        let (label, pin_file) = (config.text("keys.token.label"), config.path("keys.token.pin_file"));
        let missing = |key: &'static str| error::TOKEN_SETTING.at(key).with("key", key);
        let Some(library) = config.path("keys.token.library") else {
            // Whoever names a token wants it: going on without would look like a token in use.
            let wanted = !label.is_empty() || pin_file.is_some();
            return if wanted { Err(missing("keys.token.library")) } else { Ok(None) };
        };
        if label.is_empty() {
            return Err(missing("keys.token.label"));
        }
        let pin_file = pin_file.ok_or_else(|| missing("keys.token.pin_file"))?;
        let sessions = config.size("keys.token.sessions").clamp(1, SESSIONS_MAX);
        Ok(Some(Self { library, label: label.to_owned(), pin_file, sessions }))
    }
}

/// Reads the PIN; one line break at the end is dropped.
///
/// # Errors
/// `CONFIG_SECRET_UNREADABLE`, naming the file, never its content.
pub(super) fn read_pin(file: &Path) -> Result<Secret<String>> {
    let unreadable = |reason: String| {
        let error = CONFIG_SECRET_UNREADABLE.error().with("key", "keys.token.pin_file");
        error.with("place", file.display()).with("reason", reason)
    };
    let size = std::fs::metadata(file).map_err(|e| unreadable(e.kind().to_string()))?.len();
    if size > PIN_BYTES_MAX {
        return Err(unreadable("too large".to_owned()));
    }
    let bytes = Zeroizing::new(std::fs::read(file).map_err(|e| unreadable(e.kind().to_string()))?);
    let text = std::str::from_utf8(&bytes).map_err(|_| unreadable("not text".to_owned()))?;
    Ok(Secret::new(text.trim_end_matches(['\n', '\r']).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(values: &[(&str, &str)]) -> Result<Option<TokenSettings>> {
        let flags: Vec<(String, String)> =
            values.iter().map(|(key, value)| (format!("keys.token.{key}"), (*value).to_owned())).collect();
        TokenSettings::from_config(&Config::load(&[SETTINGS], None, std::iter::empty(), &flags).unwrap())
    }

    #[test]
    fn a_token_is_named_whole_or_not_at_all() {
        assert!(settings(&[]).unwrap().is_none());
        let whole = [("library", "/lib/p11.so"), ("label", "selo"), ("pin_file", "/run/pin")];
        let token = settings(&whole).unwrap().unwrap();
        assert_eq!((token.label.as_str(), token.sessions), ("selo", SESSIONS));
        for missing in 0..whole.len() {
            let mut partly = whole.to_vec();
            let (key, _) = partly.remove(missing);
            let refused = settings(&partly).err().unwrap();
            assert!(refused.is(&error::TOKEN_SETTING), "{refused}");
            assert_eq!(refused.field(), Some(format!("keys.token.{key}").as_str()));
        }
    }

    #[test]
    fn a_pin_is_read_without_its_line_break_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pin");
        std::fs::write(&file, "1234 \n").unwrap();
        assert_eq!(read_pin(&file).unwrap().expose(), "1234 ");
        std::fs::write(&file, [0xff; 4]).unwrap();
        assert!(read_pin(&file).err().unwrap().is(&CONFIG_SECRET_UNREADABLE));
        std::fs::write(&file, "7".repeat(300)).unwrap();
        let refused = read_pin(&file).err().unwrap();
        assert!(!format!("{refused:?}").contains("77"), "{refused:?}");
        assert!(read_pin(&folder.path().join("absent")).is_err());
    }
}
