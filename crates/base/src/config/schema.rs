//! The table of settings: who may be set, how a value of each kind is read, and the table as JSON Schema.
//!
//! Values are read from text (variables, flags, defaults) or from TOML; both end in the same check of the range.
//! Never here: reading files or the environment.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Map, Value as Json, json};

use super::{
    CONFIG_MISSPELT_KEY, CONFIG_NOT_A_CHOICE, CONFIG_OUT_OF_RANGE, CONFIG_TABLE_BROKEN, CONFIG_UNKNOWN_KEY,
    CONFIG_WRONG_KIND, Held, Origin, Setting, SettingKind, Value,
};
use crate::error::{Error, Result};

const TEXT_BYTES_MAX: usize = 4_096;
const LIST_ITEMS_MAX: usize = 256;

/// Every declared setting by its key.
pub(super) struct Table(BTreeMap<&'static str, &'static Setting>);

impl Table {
    pub(super) fn of(schema: &[&'static [Setting]]) -> Result<Self> {
        let mut table = BTreeMap::new();
        let mut variables = BTreeMap::new();
        for setting in schema.iter().flat_map(|room| room.iter()) {
            let twice = table.insert(setting.key, setting).is_some();
            if twice || variables.insert(setting.variable(), ()).is_some() {
                return Err(CONFIG_TABLE_BROKEN.error().with("key", setting.key));
            }
        }
        Ok(Self(table))
    }

    pub(super) fn defaults(&self) -> Result<BTreeMap<&'static str, Held>> {
        self.0
            .values()
            .map(|setting| {
                let value = from_text(setting, setting.default)
                    .map_err(|error| CONFIG_TABLE_BROKEN.error().with("key", setting.key).because(error))?;
                Ok((setting.key, Held { setting, value, origin: Origin::Default }))
            })
            .collect()
    }

    pub(super) fn find(&self, key: &str) -> Option<&'static Setting> {
        self.0.get(key).copied()
    }

    pub(super) fn by_variable(&self, name: &str) -> Option<&'static Setting> {
        self.0.values().find(|setting| setting.variable() == name).copied()
    }

    pub(super) fn unknown(&self, key: &str) -> Error {
        refuse(key, nearest(key, self.0.keys().copied()).map(str::to_owned))
    }

    pub(super) fn unknown_variable(&self, name: &str) -> Error {
        let names: Vec<String> = self.0.values().map(|setting| setting.variable()).collect();
        refuse(name, nearest(name, names.iter().map(String::as_str)).map(str::to_owned))
    }
}

fn refuse(key: &str, suggestion: Option<String>) -> Error {
    let key: String = key.chars().take(128).collect();
    match suggestion {
        Some(near) => CONFIG_MISSPELT_KEY.error().with("key", key).with("suggestion", near),
        None => CONFIG_UNKNOWN_KEY.error().with("key", key),
    }
}

/// The candidate that is most like `word`: at most a third of its letters away, and at most four.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > 256 {
        return None;
    }
    let allowed = (word.chars().count() / 3).clamp(1, 4);
    candidates
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// The number of letters to add, drop or change (Levenshtein), in one row of memory.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (slot, y) in row.iter_mut().skip(1).zip(&b) {
            let next = (diagonal + usize::from(x != *y)).min(*slot + 1).min(left + 1);
            diagonal = *slot;
            *slot = next;
            left = next;
        }
    }
    row.last().copied().unwrap_or(0)
}

/// Reads a value as variables, flags and defaults write it.
pub(super) fn from_text(setting: &'static Setting, text: &str) -> Result<Value> {
    let value = match setting.kind {
        SettingKind::Text | SettingKind::Path | SettingKind::Enum(_) => Value::Text(text.to_owned()),
        SettingKind::Bool => match text {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => return Err(wrong_kind(setting)),
        },
        SettingKind::Integer { .. } => {
            Value::Integer(text.trim().replace('_', "").parse().map_err(|_| wrong_kind(setting))?)
        }
        SettingKind::Duration { .. } => {
            Value::Duration(parse_duration(text).ok_or_else(|| wrong_kind(setting))?)
        }
        SettingKind::List => Value::List(
            text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect(),
        ),
    };
    within(setting, value)
}

/// Reads a value as TOML gives it; the kind of TOML value must fit.
pub(super) fn from_toml(setting: &'static Setting, value: &toml::de::DeValue<'_>) -> Result<Value> {
    use toml::de::DeValue;
    let value = match (setting.kind, value) {
        (SettingKind::Bool, DeValue::Boolean(flag)) => Value::Bool(*flag),
        (SettingKind::Integer { .. }, DeValue::Integer(number)) => {
            let digits = number.as_str().replace('_', "");
            Value::Integer(i64::from_str_radix(&digits, number.radix()).map_err(|_| wrong_kind(setting))?)
        }
        (SettingKind::List, DeValue::Array(items)) => {
            let items = items.iter().map(|item| item.get_ref().as_str().map(str::to_owned));
            Value::List(items.collect::<Option<_>>().ok_or_else(|| wrong_kind(setting))?)
        }
        (
            SettingKind::Text | SettingKind::Path | SettingKind::Enum(_) | SettingKind::Duration { .. },
            DeValue::String(text),
        ) => return from_text(setting, text),
        _ => return Err(wrong_kind(setting)),
    };
    within(setting, value)
}

fn within(setting: &'static Setting, value: Value) -> Result<Value> {
    let out_of_range = |min: String, max: String| {
        Err(CONFIG_OUT_OF_RANGE.error().with("key", setting.key).with("min", min).with("max", max))
    };
    match (setting.kind, &value) {
        (SettingKind::Integer { min, max, unit }, Value::Integer(number))
            if *number < min || *number > max =>
        {
            out_of_range(with_unit(min, unit), with_unit(max, unit))
        }
        (SettingKind::Duration { min, max }, Value::Duration(length)) if *length < min || *length > max => {
            out_of_range(duration_text(min), duration_text(max))
        }
        (SettingKind::Enum(words), Value::Text(word)) if !words.contains(&word.as_str()) => {
            Err(CONFIG_NOT_A_CHOICE.error().with("key", setting.key).with("choices", words.join(", ")))
        }
        (_, Value::Text(text)) if text.len() > TEXT_BYTES_MAX => {
            out_of_range("0 bytes".to_owned(), format!("{TEXT_BYTES_MAX} bytes"))
        }
        (_, Value::List(items))
            if items.len() > LIST_ITEMS_MAX || items.iter().any(|item| item.len() > TEXT_BYTES_MAX) =>
        {
            out_of_range("0".to_owned(), LIST_ITEMS_MAX.to_string())
        }
        _ => Ok(value),
    }
}

fn with_unit(number: i64, unit: &str) -> String {
    if unit.is_empty() { number.to_string() } else { format!("{number} {unit}") }
}

fn wrong_kind(setting: &'static Setting) -> Error {
    let expected = match setting.kind {
        SettingKind::Bool => "true | false".to_owned(),
        SettingKind::Integer { .. } => "123".to_owned(),
        SettingKind::Duration { .. } => "\"1h30m\" (ms, s, m, h, d)".to_owned(),
        SettingKind::List => "[\"a\", \"b\"]".to_owned(),
        SettingKind::Text | SettingKind::Path | SettingKind::Enum(_) => "\"text\"".to_owned(),
    };
    CONFIG_WRONG_KIND.error().with("key", setting.key).with("expected", expected)
}

const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Reads `1d2h3m4s5ms`, any part left out; none for anything else or when it does not fit.
fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    let mut millis = 0u64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
        millis = millis.checked_add(number.parse::<u64>().ok()?.checked_mul(*factor)?)?;
        rest = tail;
    }
    Some(Duration::from_millis(millis))
}

/// The shortest text that reads back as the same length of time.
pub(super) fn duration_text(duration: Duration) -> String {
    let mut millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if millis == 0 {
        return "0s".to_owned();
    }
    let mut out = String::new();
    for (unit, factor) in UNITS {
        let count = millis / factor;
        millis %= factor;
        if count > 0 {
            out.push_str(&format!("{count}{unit}"));
        }
    }
    out
}

/// The whole table as JSON Schema (draft 2020-12) of the TOML file; `x-environment` names the variable.
pub fn json_schema(schema: &[&'static [Setting]]) -> Json {
    let mut root = object();
    for setting in schema.iter().flat_map(|room| room.iter()) {
        let mut place = &mut root;
        let mut parts = setting.key.split('.').peekable();
        while let Some(part) = parts.next() {
            let Some(properties) = place.get_mut("properties").and_then(Json::as_object_mut) else { break };
            let leaf = parts.peek().is_none();
            place =
                properties.entry(part).or_insert_with(|| if leaf { leaf_schema(setting) } else { object() });
        }
    }
    if let Some(map) = root.as_object_mut() {
        map.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        map.insert("title".to_owned(), json!("Selo configuration"));
    }
    root
}

fn object() -> Json {
    json!({ "type": "object", "additionalProperties": false, "properties": {} })
}

fn leaf_schema(setting: &Setting) -> Json {
    let mut leaf = match setting.kind {
        SettingKind::Text | SettingKind::Path => json!({ "type": "string", "maxLength": TEXT_BYTES_MAX }),
        SettingKind::Bool => json!({ "type": "boolean" }),
        SettingKind::Integer { min, max, unit } => {
            json!({ "type": "integer", "minimum": min, "maximum": max, "x-unit": unit })
        }
        SettingKind::Duration { min, max } => json!({
            "type": "string", "pattern": "^([0-9]+(ms|s|m|h|d))+$",
            "x-minimum": duration_text(min), "x-maximum": duration_text(max),
        }),
        SettingKind::Enum(words) => json!({ "type": "string", "enum": words }),
        SettingKind::List => {
            json!({ "type": "array", "items": { "type": "string" }, "maxItems": LIST_ITEMS_MAX })
        }
    };
    let default = match setting.kind {
        SettingKind::Bool => json!(setting.default == "true"),
        SettingKind::Integer { .. } => json!(setting.default.replace('_', "").parse::<i64>().unwrap_or(0)),
        SettingKind::List => {
            json!(setting.default.split(',').filter(|item| !item.is_empty()).collect::<Vec<_>>())
        }
        _ => json!(setting.default),
    };
    let empty = &mut Map::new();
    let map = leaf.as_object_mut().unwrap_or(empty);
    map.insert("default".to_owned(), default);
    map.insert("description".to_owned(), json!(setting.doc_en));
    map.insert("x-description-pt".to_owned(), json!(setting.doc_pt));
    map.insert("x-environment".to_owned(), json!(setting.variable()));
    if setting.secret {
        map.insert("x-secret".to_owned(), json!(true));
    }
    leaf
}
