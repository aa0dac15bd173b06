//! The layers: a TOML file with places, the environment, flags, and where secrets are kept.
//!
//! The only place of the house that reads environment variables. A file or a secret is read up to a limit.
//! Never here: a judgement of values (that is `schema`).

use std::{
    collections::BTreeMap,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use toml::de::{DeTable, DeValue};

use super::{
    CONFIG_FILE_UNREADABLE, CONFIG_SECRET_IN_FLAG, CONFIG_SECRET_UNREADABLE, CONFIG_SYNTAX,
    CONFIG_WRONG_KIND, FILE_BYTES_MAX, Held, Origin, SECRET_BYTES_MAX, Setting, Value, resolve,
    schema::{Table, from_text, from_toml},
};
use crate::{
    error::{Error, Result},
    secret::Secret,
};

type Values = BTreeMap<&'static str, Held>;

/// Variables that begin with `SELO_` and are no settings: they choose the home and the file, or belong to tests.
const RESERVED: [&str; 3] = ["SELO_HOME", "SELO_CONFIG", "SELO_VECTORS"];

pub(super) fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name) || name.starts_with("SELO_TEST_")
}

/// Every variable of the process whose name and value are text.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// One variable of the process, e.g. `SELO_HOME`; none when it is not set, empty or no text.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the seam through which the house reads its environment"
)]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Reads the file up to its limit.
pub(super) fn read(path: &Path) -> Result<String> {
    let refuse = |reason: String| {
        CONFIG_FILE_UNREADABLE
            .error()
            .with("file", path.display())
            .with("reason", reason)
            .at(path.display().to_string())
    };
    let mut text = String::new();
    let file = File::open(path).map_err(|error| refuse(error.to_string()))?;
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(|error| refuse(error.to_string()))?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(refuse(format!("> {FILE_BYTES_MAX} bytes")));
    }
    Ok(text)
}

pub(super) fn from_file(
    table: &Table,
    path: &Path,
    text: &str,
    values: &mut Values,
    problems: &mut Vec<Error>,
) {
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let place = place(path, text, error.span().map_or(0, |span| span.start));
        problems.push(CONFIG_SYNTAX.error().with("reason", error.message()).at(place.to_string()));
    }
    if errors.is_empty() {
        walk(table, path, text, "", document.get_ref(), values, problems);
    }
}

/// Goes down the tables; TOML's own parser bounds their depth.
fn walk(
    table: &Table,
    path: &Path,
    text: &str,
    prefix: &str,
    found: &DeTable<'_>,
    values: &mut Values,
    problems: &mut Vec<Error>,
) {
    for (name, value) in found {
        let key = if prefix.is_empty() {
            name.get_ref().to_string()
        } else {
            format!("{prefix}.{}", name.get_ref())
        };
        let origin = place(path, text, name.span().start);
        let setting = table.find(&key);
        match (setting, value.get_ref()) {
            (None, DeValue::Table(inner)) => walk(table, path, text, &key, inner, values, problems),
            (None, _) => problems.push(table.unknown(&key).at(origin.to_string())),
            (Some(setting), value) => keep(setting, from_toml(setting, value), origin, values, problems),
        }
    }
}

pub(super) fn from_variable(
    table: &Table,
    name: &str,
    text: &str,
    values: &mut Values,
    problems: &mut Vec<Error>,
) {
    let Some(setting) = table.by_variable(name) else {
        problems.push(table.unknown_variable(name).at(name));
        return;
    };
    keep(setting, from_text(setting, text), Origin::Environment(name.to_owned()), values, problems);
}

pub(super) fn from_flag(
    table: &Table,
    key: &str,
    text: &str,
    values: &mut Values,
    problems: &mut Vec<Error>,
) {
    let origin = Origin::Flag(key.to_owned());
    let Some(setting) = table.find(key) else {
        problems.push(table.unknown(key).at(origin.to_string()));
        return;
    };
    if setting.secret && !text.is_empty() && !text.starts_with("file:") && !text.starts_with("cred:") {
        problems.push(CONFIG_SECRET_IN_FLAG.error().with("key", key).at(origin.to_string()));
        return;
    }
    keep(setting, from_text(setting, text), origin, values, problems);
}

fn keep(
    setting: &'static Setting,
    value: Result<Value>,
    origin: Origin,
    values: &mut Values,
    problems: &mut Vec<Error>,
) {
    match value {
        Ok(value) => {
            values.insert(setting.key, Held { setting, value, origin });
        }
        Err(error) => problems.push(error.at(origin.to_string())),
    }
}

fn place(path: &Path, text: &str, offset: usize) -> Origin {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Origin::File { path: path.to_owned(), line, column }
}

/// Fetches a secret from where it is kept.
pub(super) fn secret(
    key: &str,
    text: &str,
    origin: &Origin,
    credentials_directory: Option<&Path>,
) -> Result<Secret<String>> {
    let path = if let Some(path) = text.strip_prefix("file:") {
        resolve(origin, path)
    } else if let Some(name) = text.strip_prefix("cred:") {
        credential(key, text, name, credentials_directory)?
    } else {
        return Ok(Secret::new(text.to_owned()));
    };
    let refuse = |reason: String| {
        CONFIG_SECRET_UNREADABLE
            .error()
            .with("key", key)
            .with("place", path.display())
            .with("reason", reason)
            .at(key)
    };
    let mut content = String::new();
    let file = File::open(&path).map_err(|error| refuse(error.to_string()))?;
    file.take(SECRET_BYTES_MAX + 1)
        .read_to_string(&mut content)
        .map_err(|error| refuse(error.to_string()))?;
    let content = Secret::new(content);
    if content.expose().len() as u64 > SECRET_BYTES_MAX {
        return Err(refuse(format!("> {SECRET_BYTES_MAX} bytes")));
    }
    let line = content.expose();
    let line = line.strip_suffix('\n').unwrap_or(line);
    Ok(Secret::new(line.strip_suffix('\r').unwrap_or(line).to_owned()))
}

/// The file of a systemd credential: a plain name in `$CREDENTIALS_DIRECTORY` (systemd.exec(5), "LoadCredential=").
fn credential(key: &str, text: &str, name: &str, directory: Option<&Path>) -> Result<PathBuf> {
    let refuse = |reason: &str| {
        CONFIG_SECRET_UNREADABLE.error().with("key", key).with("place", text).with("reason", reason).at(key)
    };
    if name.is_empty() || name.contains('/') || name == "." || name == ".." {
        return Err(CONFIG_WRONG_KIND.error().with("key", key).with("expected", "cred:NAME").at(key));
    }
    directory.map(|directory| directory.join(name)).ok_or_else(|| refuse("$CREDENTIALS_DIRECTORY"))
}
