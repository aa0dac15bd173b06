//! Tokens: `{{/json/pointer|format:argument|…}}` inside the text of a box.
//!
//! A token takes one value out of the unsigned credential and writes it as text; it is never
//! markup and never a program. Formats work from left to right. Language and calendar come from
//! the template and the value, never from the machine, so a page of ten years ago comes out the
//! same today. An unknown format is an error of the template, a missing value one of the data.

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use crate::{Language, Links, RenderError, error::Problem, limits::BOX_TEXT_CHARS_MAX};

const POINTER_BYTES_MAX: usize = 256;
const FORMATS_MAX: usize = 8;
const MONTHS_PORTUGUESE: [&str; 12] = [
    "janeiro",
    "fevereiro",
    "março",
    "abril",
    "maio",
    "junho",
    "julho",
    "agosto",
    "setembro",
    "outubro",
    "novembro",
    "dezembro",
];
const MONTHS_ENGLISH: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// Words inside a Portuguese name or title that stay small.
const SMALL_WORDS: [&str; 9] = ["a", "o", "e", "de", "da", "do", "das", "dos", "em"];

/// The text of a box, with its tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Token(Token),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    pointer: String,
    formats: Vec<Format>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Format {
    Upper,
    Lower,
    Title,
    Date(DateStyle, Language),
    Number(usize),
    Default(String),
    Join(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DateStyle {
    Long,
    Short,
    Iso,
}

/// Runs of white space become one space, none remains at the ends. No-break spaces are kept.
pub(crate) fn collapse(text: &str) -> String {
    let white =
        |c: char| c.is_ascii_whitespace() || matches!(c, '\u{b}' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let mut out = String::with_capacity(text.len());
    for word in text.split(white).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

impl Content {
    /// Reads the text of a box. `text` is already collapsed.
    pub fn parse(box_id: &str, text: &str) -> Result<Self, RenderError> {
        let refuse = |token: &str, reason| {
            RenderError::from(Problem::TemplateToken {
                box_id: box_id.to_owned(),
                token: token.chars().take(80).collect(),
                reason,
            })
        };
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            if before.contains("}}") {
                return Err(refuse(before, "}} without {{"));
            }
            if !before.is_empty() {
                parts.push(Part::Literal(before.to_owned()));
            }
            let (inside, next) = after.split_once("}}").ok_or_else(|| refuse(after, "{{ without }}"))?;
            let token = Token::parse(inside).map_err(|reason| refuse(inside, reason))?;
            parts.push(Part::Token(token));
            rest = next;
        }
        if rest.contains("}}") {
            return Err(refuse(rest, "}} without {{"));
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    /// The fields that the text shows, in order.
    pub fn pointers(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Token(token) => Some(token.pointer.as_str()),
            Part::Literal(_) => None,
        })
    }

    /// The text with its values, in Unicode normal form C.
    pub fn fill(
        &self,
        box_id: &str,
        language: Language,
        data: &Value,
        links: &Links<'_>,
    ) -> Result<String, RenderError> {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Token(token) => {
                    text.push_str(&token.value(box_id, language, data, links)?);
                }
            }
            // The bound holds before normalisation too, so that no value is walked without it.
            if text.len() > BOX_TEXT_CHARS_MAX * 8 {
                break;
            }
        }
        let normal: String = collapse(&text).nfc().collect();
        let characters = normal.chars().count();
        if characters > BOX_TEXT_CHARS_MAX {
            return Err(Problem::TextTooLong { box_id: box_id.to_owned(), characters }.into());
        }
        Ok(normal)
    }
}

impl Token {
    fn parse(inside: &str) -> Result<Self, &'static str> {
        let mut pieces = inside.split('|');
        let pointer = pieces.next().unwrap_or_default().trim();
        let odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '{' | '}');
        if !pointer.starts_with('/') || pointer.len() > POINTER_BYTES_MAX || pointer.contains(odd) {
            return Err("it must begin with a JSON pointer such as /issuer/name");
        }
        if pointer.starts_with("/qr/") && pointer != "/qr/verify" {
            return Err("the only link of version 1 is /qr/verify");
        }
        let formats: Vec<Format> = pieces.map(Format::parse).collect::<Result<_, _>>()?;
        if formats.len() > FORMATS_MAX {
            return Err("too many formats");
        }
        Ok(Self { pointer: pointer.to_owned(), formats })
    }

    fn value(
        &self,
        box_id: &str,
        language: Language,
        data: &Value,
        links: &Links<'_>,
    ) -> Result<String, RenderError> {
        let wrong = |expected| {
            RenderError::from(Problem::FieldFormat {
                box_id: box_id.to_owned(),
                pointer: self.pointer.clone(),
                expected,
            })
        };
        let found = match self.pointer.as_str() {
            "/qr/verify" => Some(links.verify.to_owned()),
            pointer => match data.pointer(pointer) {
                None | Some(Value::Null) => None,
                Some(Value::Array(items)) => {
                    let separator = self.formats.iter().find_map(|format| match format {
                        Format::Join(separator) => Some(separator.as_str()),
                        _ => None,
                    });
                    let separator = separator.ok_or_else(|| wrong("one value, or |join: for a list"))?;
                    let texts: Option<Vec<String>> = items.iter().map(scalar).collect();
                    Some(texts.ok_or_else(|| wrong("a list of texts or numbers"))?.join(separator))
                }
                Some(one) => Some(scalar(one).ok_or_else(|| wrong("a text or a number"))?),
            },
        };
        let mut value = found.map(|text| collapse(&text)).filter(|text| !text.is_empty());
        for format in &self.formats {
            value = match (value, format) {
                (None, Format::Default(text)) => Some(text.clone()),
                (None, _) => None,
                (Some(text), format) => Some(format.apply(&text, language).map_err(wrong)?),
            };
        }
        value.ok_or_else(|| {
            Problem::FieldMissing { box_id: box_id.to_owned(), pointer: self.pointer.clone() }.into()
        })
    }
}

impl Format {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let (name, argument) = match text.split_once(':') {
            Some((name, argument)) => (name.trim(), Some(argument)),
            None => (text.trim(), None),
        };
        match (name, argument) {
            ("upper", None) => Ok(Self::Upper),
            ("lower", None) => Ok(Self::Lower),
            ("title", None) => Ok(Self::Title),
            ("date", Some(argument)) => {
                let (style, language) = argument.split_once(':').unwrap_or((argument, ""));
                let style = match style.trim() {
                    "long" => DateStyle::Long,
                    "short" => DateStyle::Short,
                    "iso" => DateStyle::Iso,
                    _ => return Err("a date is long, short or iso"),
                };
                let language = match (language.trim(), style) {
                    ("pt", _) => Language::Portuguese,
                    ("en", _) | ("", DateStyle::Iso) => Language::English,
                    _ => return Err("a date ends in :pt or :en"),
                };
                Ok(Self::Date(style, language))
            }
            ("number", Some(argument)) => match argument.trim().parse::<usize>() {
                Ok(decimals) if decimals <= 6 => Ok(Self::Number(decimals)),
                _ => Err("a number has 0 to 6 decimals"),
            },
            ("default", Some(argument)) => Ok(Self::Default(collapse(argument))),
            ("join", Some(argument)) => Ok(Self::Join(argument.to_owned())),
            _ => Err("unknown format, or its argument is missing or too much"),
        }
    }

    fn apply(&self, text: &str, language: Language) -> Result<String, &'static str> {
        match self {
            Self::Upper => Ok(text.to_uppercase().chars().map(plain_greek_capital).collect()),
            Self::Lower => Ok(text.to_lowercase()),
            Self::Title => Ok(title(text, language)),
            Self::Date(style, language) => date(text, *style, *language).ok_or("a date such as 2026-11-24"),
            Self::Number(decimals) => number(text, *decimals, language).ok_or("a decimal number"),
            Self::Default(_) | Self::Join(_) => Ok(text.to_owned()),
        }
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Greek capitals carry no tonos.
fn plain_greek_capital(capital: char) -> char {
    match capital {
        'Ά' => 'Α',
        'Έ' => 'Ε',
        'Ή' => 'Η',
        'Ί' => 'Ι',
        'Ό' => 'Ο',
        'Ύ' => 'Υ',
        'Ώ' => 'Ω',
        other => other,
    }
}

/// Every word with a capital; in Portuguese the small words stay small, except the first.
fn title(text: &str, language: Language) -> String {
    let mut words = Vec::new();
    for (index, word) in text.split(' ').enumerate() {
        let lower = word.to_lowercase();
        let small = language == Language::Portuguese && SMALL_WORDS.contains(&lower.as_str());
        words.push(if small && index > 0 {
            lower
        } else {
            let parts: Vec<String> = lower.split('-').map(capital).collect();
            parts.join("-")
        });
    }
    words.join(" ")
}

fn capital(word: &str) -> String {
    let mut characters = word.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}

/// Writes the calendar day of `2026-11-24` or `2026-11-24T…` as it stands there, in its own zone.
fn date(text: &str, style: DateStyle, language: Language) -> Option<String> {
    let day_text = text.split_once(['T', 't', ' ']).map_or(text, |(day, _)| day);
    let mut parts = day_text.splitn(3, '-');
    let mut next = |length: usize| {
        let part = parts.next()?;
        let digits = part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse::<usize>().ok()).flatten()
    };
    let (year, month, day) = (next(4)?, next(2)?, next(2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    if !(1..=days).contains(&day) {
        return None;
    }
    let english = MONTHS_ENGLISH.get(month.checked_sub(1)?)?;
    let portuguese = MONTHS_PORTUGUESE.get(month.checked_sub(1)?)?;
    Some(match (style, language) {
        (DateStyle::Long, Language::Portuguese) => format!("{day} de {portuguese} de {year:04}"),
        (DateStyle::Long, Language::English) => format!("{day} {english} {year:04}"),
        (DateStyle::Short, Language::Portuguese) => format!("{day:02}/{month:02}/{year:04}"),
        (DateStyle::Short, Language::English) => {
            let month: String = english.chars().take(3).collect();
            format!("{day} {month} {year:04}")
        }
        (DateStyle::Iso, _) => format!("{year:04}-{month:02}-{day:02}"),
    })
}

/// Rounds a decimal number, halves away from zero, without floats. Decimal comma in Portuguese.
fn number(text: &str, decimals: usize, language: Language) -> Option<String> {
    const DIGITS_MAX: usize = 15;
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once(['.', ',']).unwrap_or((digits, "0"));
    let plain =
        |part: &str| (1..=DIGITS_MAX).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || !plain(fraction) {
        return None;
    }
    let kept: String = fraction.chars().chain("000000".chars()).take(decimals).collect();
    let next = fraction.as_bytes().get(decimals).copied().unwrap_or(b'0');
    let mut units: u64 = format!("{whole}{kept}").parse().ok()?;
    units += u64::from(next >= b'5');
    let sign = if negative && units > 0 { "-" } else { "" };
    let padded = format!("{units:0width$}", width = decimals + 1);
    let (front, back) = padded.split_at_checked(padded.len() - decimals)?;
    let point = match language {
        Language::Portuguese => ',',
        Language::English => '.',
    };
    Some(if decimals == 0 { format!("{sign}{front}") } else { format!("{sign}{front}{point}{back}") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn written(text: &str, data: &Value) -> Result<String, RenderError> {
        let links = Links { verify: "https://selo.example/v/1" };
        Content::parse("box", text)?.fill("box", Language::Portuguese, data, &links)
    }

    #[test]
    fn tokens_become_text() {
        let data = json!({
            "name": "MARIA DA CONCEIÇÃO D'EÇA-QUEIRÓS", "day": "2026-02-01T23:59:59-03:00",
            "grade": "17.45", "n": 3, "list": ["a", "b", 2], "empty": " ", "nothing": null,
            "decomposed": "Jose\u{301}", "greek": "Πανεπιστήμιο",
        });
        for (token, expected) in [
            ("{{/name|title}}", "Maria da Conceição D'eça-Queirós"),
            ("{{/name|lower|upper}}", "MARIA DA CONCEIÇÃO D'EÇA-QUEIRÓS"),
            ("Em {{/day|date:long:pt}}.", "Em 1 de fevereiro de 2026."),
            ("{{/day|date:long:en}}", "1 February 2026"),
            ("{{/day|date:short:pt}} {{/day|date:short:en}}", "01/02/2026 1 Feb 2026"),
            ("{{/day|date:iso}}", "2026-02-01"),
            ("{{/grade|number:1}} {{/grade|number:0}} {{/n|number:2}}", "17,5 17 3,00"),
            ("{{/list|join:, }}", "a, b, 2"),
            ("{{/none|default:—}}{{/empty|default:x}}{{/nothing|upper|default:y|upper}}", "—xY"),
            ("{{/decomposed}}", "José"),
            ("{{/greek|upper}}", "ΠΑΝΕΠΙΣΤΗΜΙΟ"),
            ("{{/qr/verify}}", "https://selo.example/v/1"),
            ("  a \n b  ", "a b"),
        ] {
            assert_eq!(written(token, &data).unwrap(), expected, "{token}");
        }
    }

    #[test]
    fn wrong_tokens_are_errors_of_the_template() {
        for token in [
            "{{name}}",
            "{{/a",
            "/a}}",
            "{{/a|shout}}",
            "{{/a|date:long}}",
            "{{/a|date:old:pt}}",
            "{{/a|number:7}}",
            "{{/a|upper:x}}",
            "{{/qr/offer}}",
            "{{/a b}}",
            "{{/a|mask:2}}",
            "{{/a|truncate:3}}",
        ] {
            let error = written(token, &json!({})).unwrap_err();
            assert_eq!(error.code(), "RENDER_TEMPLATE_TOKEN", "{token}");
        }
    }

    #[test]
    fn missing_and_wrong_values_name_box_and_field() {
        let data = json!({"flag": true, "map": {}, "list": [1], "day": "2026-02-30", "x": "abc"});
        for (token, code) in [
            ("{{/none}}", "RENDER_FIELD_MISSING"),
            ("{{/flag}}", "RENDER_FIELD_FORMAT"),
            ("{{/map}}", "RENDER_FIELD_FORMAT"),
            ("{{/list}}", "RENDER_FIELD_FORMAT"),
            ("{{/day|date:iso}}", "RENDER_FIELD_FORMAT"),
            ("{{/x|number:1}}", "RENDER_FIELD_FORMAT"),
        ] {
            let error = written(token, &data).unwrap_err();
            assert_eq!((error.code(), error.box_id()), (code, Some("box")), "{token}");
            assert!(error.field().is_some(), "{token}");
        }
    }

    #[test]
    fn a_text_without_end_is_refused() {
        let error = written("{{/t}}", &json!({"t": "a".repeat(2_001)})).unwrap_err();
        assert_eq!(error.code(), "RENDER_TEXT_TOO_LONG");
    }

    #[test]
    fn numbers_round_without_floats() {
        for (text, decimals, expected) in [
            ("0.5", 0, "1"),
            ("-0.4", 0, "0"),
            ("9.995", 2, "10.00"),
            ("0.05", 1, "0.1"),
            ("123456789012345", 1, "123456789012345.0"),
        ] {
            assert_eq!(number(text, decimals, Language::English).unwrap(), expected, "{text}");
        }
        assert_eq!(number("1e5", 0, Language::English), None);
    }
}
