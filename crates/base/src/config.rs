//! Configuration: one table of settings, filled from layers: defaults < TOML file < `SELO_*` variables < flags.
//!
//! Each room declares its settings as data ([`Setting`]); the same data gives the check, the printed list with
//! origins and the JSON Schema. A key that nobody declared is refused with a suggestion, and everything that is
//! wrong is reported at once, each with its place (file:line:column, the variable, the flag).
//! Never here: a setting without a default, or one that is not in the table. A secret's value is never printed.

mod schema;
mod source;

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    error::{Error, Result},
    lang::Lang,
    secret::Secret,
};

pub use schema::{json_schema, nearest};
pub use source::{environment, variable};

/// The largest configuration file that is read.
pub const FILE_BYTES_MAX: u64 = 1 << 20;
/// The largest secret that `file:` or `cred:` may point to.
pub const SECRET_BYTES_MAX: u64 = 64 << 10;

crate::codes! {
    /// Several settings are wrong; `details` says which.
    CONFIG_INVALID = "CONFIG_INVALID", Invalid,
        en "The configuration cannot be used: {count} problem(s)." => "Mend the places that are named; `selo config check` looks again.",
        pt "A configuração não pode ser usada: {count} problema(s)." => "Corrija os locais indicados; `selo config check` volta a verificar.";
    /// A key that no room declared, and nothing like it exists.
    CONFIG_UNKNOWN_KEY = "CONFIG_UNKNOWN_KEY", Invalid,
        en "There is no setting {key}." => "`selo config print` lists every setting.",
        pt "Não existe a opção {key}." => "`selo config print` mostra todas as opções.";
    /// A key that no room declared, close to one that exists.
    CONFIG_MISSPELT_KEY = "CONFIG_MISSPELT_KEY", Invalid,
        en "There is no setting {key}." => "Did you mean {suggestion}?",
        pt "Não existe a opção {key}." => "Queria dizer {suggestion}?";
    /// A value of another kind.
    CONFIG_WRONG_KIND = "CONFIG_WRONG_KIND", Invalid,
        en "The value of {key} is of another kind." => "Write it like this: {expected}",
        pt "O valor de {key} é de outro tipo." => "Escreva-o assim: {expected}";
    /// A number or time outside of its range.
    CONFIG_OUT_OF_RANGE = "CONFIG_OUT_OF_RANGE", Invalid,
        en "{key} is out of range." => "Choose a value from {min} to {max}.",
        pt "{key} está fora dos limites." => "Escolha um valor de {min} a {max}.";
    /// A word that is not on the list.
    CONFIG_NOT_A_CHOICE = "CONFIG_NOT_A_CHOICE", Invalid,
        en "{key} does not know this word." => "Choose one of: {choices}.",
        pt "{key} não conhece esta palavra." => "Escolha uma de: {choices}.";
    /// The file cannot be opened, is too large or no text.
    CONFIG_FILE_UNREADABLE = "CONFIG_FILE_UNREADABLE", Invalid,
        en "The configuration file {file} cannot be read ({reason})." => "Check that it exists, is text of at most 1 MiB and that this user may read it.",
        pt "O ficheiro de configuração {file} não pode ser lido ({reason})." => "Verifique se existe, se é texto com 1 MiB no máximo e se este utilizador o pode ler.";
    /// The file is no TOML.
    CONFIG_SYNTAX = "CONFIG_SYNTAX", Invalid,
        en "This is not TOML: {reason}." => "Mend the line that is named.",
        pt "Isto não é TOML: {reason}." => "Corrija a linha indicada.";
    /// A secret among the arguments of a command, where every user of the machine can read it.
    CONFIG_SECRET_IN_FLAG = "CONFIG_SECRET_IN_FLAG", Invalid,
        en "{key} is a secret, and other users can read the arguments of a command." => "Use file:PATH, cred:NAME or the environment.",
        pt "{key} é um segredo, e outros utilizadores podem ler os argumentos de um comando." => "Use file:CAMINHO, cred:NOME ou o ambiente.";
    /// A secret's file cannot be read.
    CONFIG_SECRET_UNREADABLE = "CONFIG_SECRET_UNREADABLE", Invalid,
        en "The secret {key} cannot be read from {place} ({reason})." => "Check that the file exists, has at most 64 KiB and that this user may read it.",
        pt "O segredo {key} não pode ser lido de {place} ({reason})." => "Verifique se o ficheiro existe, se tem 64 KiB no máximo e se este utilizador o pode ler.";
    /// Two rooms declare the same key, or keys that meet in one variable; or a default breaks its own rule.
    CONFIG_TABLE_BROKEN = "CONFIG_TABLE_BROKEN", Internal,
        en "The table of settings contradicts itself at {key}." => "This is a fault of the program; please report it.",
        pt "A tabela de opções contradiz-se em {key}." => "É uma falha do programa; por favor comunique-a.";
}

/// What a setting takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SettingKind {
    /// Any text, at most 4,096 bytes.
    Text,
    /// `true` or `false`.
    Bool,
    /// A whole number; `unit` is the symbol behind it in texts (`"bytes"`, `"requests/s"`, or empty).
    Integer {
        /// The smallest value.
        min: i64,
        /// The largest value.
        max: i64,
        /// What is counted.
        unit: &'static str,
    },
    /// A length of time: numbers with `ms`, `s`, `m`, `h` or `d`, e.g. `1h30m`.
    Duration {
        /// The shortest.
        min: Duration,
        /// The longest.
        max: Duration,
    },
    /// A path; relative ones in a file count from the file's own folder. May be empty for "none".
    Path,
    /// One of these words.
    Enum(&'static [&'static str]),
    /// Several texts: an array in TOML, separated by commas elsewhere. At most 256.
    List,
}

/// One setting, as its room declares it.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Dotted, lower case: `http.public_listen`.
    pub key: &'static str,
    /// What it takes.
    pub kind: SettingKind,
    /// The value when nobody says anything, written as in a variable.
    pub default: &'static str,
    /// Whether its value must never be printed.
    pub secret: bool,
    /// One line of documentation in English.
    pub doc_en: &'static str,
    /// The same in Portuguese.
    pub doc_pt: &'static str,
}

impl Setting {
    /// A setting of a kind; `doc` is English, then Portuguese.
    pub const fn new(
        key: &'static str,
        kind: SettingKind,
        default: &'static str,
        doc_en: &'static str,
        doc_pt: &'static str,
    ) -> Self {
        Self { key, kind, default, secret: false, doc_en, doc_pt }
    }

    /// A secret text: `file:PATH`, `cred:NAME` (systemd credential) or the value itself.
    pub const fn secret(
        key: &'static str,
        default: &'static str,
        doc_en: &'static str,
        doc_pt: &'static str,
    ) -> Self {
        Self { key, kind: SettingKind::Text, default, secret: true, doc_en, doc_pt }
    }

    /// The variable that sets it: `SELO_`, the key in upper case, dots as underscores.
    pub fn variable(&self) -> String {
        format!("SELO_{}", self.key.to_ascii_uppercase().replace('.', "_"))
    }

    /// Its line of documentation.
    pub fn doc(&self, lang: Lang) -> &'static str {
        lang.pick(self.doc_en, self.doc_pt)
    }
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// A place in the file, counted from 1; columns count characters.
    File {
        /// The file as it was named.
        path: PathBuf,
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// A variable, by name.
    Environment(String),
    /// A flag, by key.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Self::Environment(name) => f.write_str(name),
            Self::Flag(key) => write!(f, "--set {key}"),
        }
    }
}

/// A value as it was checked; durations in whole milliseconds.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Text(String),
    Bool(bool),
    Integer(i64),
    Duration(Duration),
    List(Vec<String>),
}

#[derive(Debug, Clone)]
struct Held {
    setting: &'static Setting,
    value: Value,
    origin: Origin,
}

/// One line of the printed configuration.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Entry {
    /// The key.
    pub key: &'static str,
    /// The value as it would be written in a variable; `(secret)` for secrets that are set.
    pub value: String,
    /// Where it came from.
    pub origin: String,
}

/// The checked configuration; cheap to read, never changes.
#[derive(Clone)]
pub struct Config {
    values: BTreeMap<&'static str, Held>,
    credentials_directory: Option<PathBuf>,
}

impl Config {
    /// Reads and checks every layer.
    ///
    /// `environment` may hold every variable of the process ([`environment`] gives them); only `SELO_*` and systemd's
    /// `CREDENTIALS_DIRECTORY` are looked at. `flags` are pairs of key and value (`--set KEY=VALUE`).
    ///
    /// # Errors
    /// `CONFIG_INVALID` with one detail per problem, each at its place; `CONFIG_FILE_UNREADABLE`; `CONFIG_TABLE_BROKEN`.
    pub fn load(
        schema: &[&'static [Setting]],
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
        flags: &[(String, String)],
    ) -> Result<Self> {
        let table = schema::Table::of(schema)?;
        let mut problems = Vec::new();
        let mut values = table.defaults()?;
        if let Some(path) = file {
            let text = source::read(path)?;
            source::from_file(&table, path, &text, &mut values, &mut problems);
        }
        let mut credentials_directory = None;
        for (name, value) in environment {
            if name == "CREDENTIALS_DIRECTORY" {
                credentials_directory = Some(PathBuf::from(value));
            } else if name.starts_with("SELO_") && !source::is_reserved(&name) {
                source::from_variable(&table, &name, &value, &mut values, &mut problems);
            }
        }
        for (key, value) in flags {
            source::from_flag(&table, key, value, &mut values, &mut problems);
        }
        if problems.is_empty() {
            return Ok(Self { values, credentials_directory });
        }
        let whole = CONFIG_INVALID.error().with("count", problems.len());
        Err(problems.into_iter().fold(whole, Error::detail))
    }

    /// The defaults alone, for tests and for commands that need no file.
    ///
    /// # Errors
    /// `CONFIG_TABLE_BROKEN`.
    pub fn defaults(schema: &[&'static [Setting]]) -> Result<Self> {
        Self::load(schema, None, std::iter::empty(), &[])
    }

    fn held(&self, key: &str) -> Option<&Held> {
        let held = self.values.get(key);
        debug_assert!(held.is_some(), "{key} is in no room's SETTINGS");
        held
    }

    /// A text, a word of an enum, or the text of a path. Empty when the key is not in the table (a debug build stops).
    pub fn text(&self, key: &str) -> &str {
        match self.held(key) {
            Some(Held { value: Value::Text(text), setting, .. }) if !setting.secret => text,
            _ => "",
        }
    }

    /// A switch.
    pub fn bool(&self, key: &str) -> bool {
        matches!(self.held(key), Some(Held { value: Value::Bool(true), .. }))
    }

    /// A whole number, already within its range.
    pub fn integer(&self, key: &str) -> i64 {
        match self.held(key) {
            Some(Held { value: Value::Integer(number), .. }) => *number,
            _ => 0,
        }
    }

    /// A whole number that counts something in memory; negative ones give 0.
    pub fn size(&self, key: &str) -> usize {
        usize::try_from(self.integer(key)).unwrap_or(0)
    }

    /// A length of time, already within its range.
    pub fn duration(&self, key: &str) -> Duration {
        match self.held(key) {
            Some(Held { value: Value::Duration(duration), .. }) => *duration,
            _ => Duration::ZERO,
        }
    }

    /// A path, or none when it is empty. Relative paths of a file count from the file's folder.
    pub fn path(&self, key: &str) -> Option<PathBuf> {
        let held = self.held(key)?;
        let Value::Text(text) = &held.value else { return None };
        if text.is_empty() {
            return None;
        }
        Some(resolve(&held.origin, text))
    }

    /// Several texts.
    pub fn list(&self, key: &str) -> &[String] {
        match self.held(key) {
            Some(Held { value: Value::List(items), .. }) => items,
            _ => &[],
        }
    }

    /// A secret, read now from where it is kept; none when it is not set. One line break at the end is dropped.
    ///
    /// # Errors
    /// `CONFIG_SECRET_UNREADABLE`, naming the place, never the value.
    pub fn secret(&self, key: &str) -> Result<Option<Secret<String>>> {
        let Some(held) = self.held(key) else { return Ok(None) };
        let Value::Text(text) = &held.value else { return Ok(None) };
        if text.is_empty() {
            return Ok(None);
        }
        source::secret(key, text, &held.origin, self.credentials_directory.as_deref()).map(Some)
    }

    /// Where a value came from; none for a key that is not in the table.
    pub fn origin(&self, key: &str) -> Option<&Origin> {
        self.values.get(key).map(|held| &held.origin)
    }

    /// Every setting with value and origin, sorted by key; secrets hidden.
    pub fn entries(&self) -> Vec<Entry> {
        self.values
            .values()
            .map(|held| Entry { key: held.setting.key, value: shown(held), origin: held.origin.to_string() })
            .collect()
    }

    /// The configuration as text, a line per setting, with its documentation when `lang` is given.
    pub fn print(&self, with_origin: bool, lang: Option<Lang>) -> String {
        let mut out = String::new();
        for held in self.values.values() {
            if let Some(lang) = lang {
                out.push_str(&format!("# {}\n", held.setting.doc(lang)));
            }
            out.push_str(&format!("{} = {}", held.setting.key, toml_text(held)));
            if with_origin {
                out.push_str(&format!("  # {}", held.origin));
            }
            out.push('\n');
        }
        out
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.print(true, None))
    }
}

fn resolve(origin: &Origin, text: &str) -> PathBuf {
    match origin {
        Origin::File { path, .. } => path.parent().unwrap_or(Path::new("")).join(text),
        _ => PathBuf::from(text),
    }
}

fn shown(held: &Held) -> String {
    match &held.value {
        Value::Text(text) if held.setting.secret && !text.is_empty() => "(secret)".to_owned(),
        Value::Text(text) => text.clone(),
        Value::Bool(flag) => flag.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Duration(duration) => schema::duration_text(*duration),
        Value::List(items) => items.join(","),
    }
}

fn toml_text(held: &Held) -> String {
    match &held.value {
        Value::Bool(_) | Value::Integer(_) => shown(held),
        Value::List(items) => toml::Value::from(items.clone()).to_string(),
        Value::Text(_) | Value::Duration(_) => toml::Value::from(shown(held)).to_string(),
    }
}

#[cfg(test)]
mod tests;
