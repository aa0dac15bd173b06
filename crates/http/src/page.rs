//! The shell of every server-rendered page and the pieces that pages are made of.
//!
//! One style sheet under a hashed name, system fonts, light and dark, paper. A room writes what it has to say with
//! [`outcome_banner`], [`card`], [`field_list`], [`check_list`] and [`button_link`], and puts it into [`shell`].
//! All text is escaped by construction. Never here: a script, an inline style, anything from another host.

use std::sync::LazyLock;

use axum::http::HeaderMap;
use base::{Error, Lang};
use maud::{DOCTYPE, Markup, PreEscaped, Render, html};

use crate::{Assets, Public, ZoneRouter};

const CSS: &str = include_str!("../assets/selo.css");
const MARK: &str = include_str!("../assets/mark.svg");
/// The longest title, in characters; browsers show fewer.
const TITLE_CHARS_MAX: usize = 120;
/// From this length on, in characters, a banner's word is a sentence and set smaller.
const WORD_CHARS_MAX: usize = 24;

static CSS_NAME: LazyLock<String> = LazyLock::new(|| hashed("selo", CSS, "css"));
static MARK_NAME: LazyLock<String> = LazyLock::new(|| hashed("mark", MARK, "svg"));
/// The mark inside a page: the style sheet colours it there, so its own style is left out (no inline style is allowed).
static MARK_INLINE: LazyLock<String> = LazyLock::new(|| {
    let (front, rest) = MARK.split_once("<style>").unwrap_or((MARK, ""));
    let rest = rest.split_once("</style>").map_or(rest, |(_, rest)| rest);
    format!("{front}{rest}")
});

/// `NAME-HASH.ext`: eight capitals and digits of the content's SHA-256, by which [`Assets`] knows that it never changes.
fn hashed(name: &str, content: &str, extension: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, content.as_bytes());
    let hash: String = digest.as_ref().iter().take(4).map(|byte| format!("{byte:02X}")).collect();
    format!("{name}-{hash}.{extension}")
}

/// The files that pages need: `/assets/selo-….css`, `/assets/mark-….svg`.
pub fn routes() -> ZoneRouter<Public> {
    let file = |name: &str, content: &'static str| (format!("assets/{name}"), content.as_bytes().to_vec());
    Assets::new([file(&CSS_NAME, CSS), file(&MARK_NAME, MARK)]).below("/assets/")
}

/// The style sheet's address.
pub fn style_sheet() -> String {
    format!("/assets/{}", *CSS_NAME)
}

/// What a page says at first sight. Green is for "valid, and by an issuer we know" alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Accepted, but look closer.
    Caution,
    /// A clear no.
    Bad,
    /// Nothing was decided, or nothing is there.
    Neutral,
}

impl Tone {
    /// The class of the style sheet.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Caution => "warn",
            Self::Bad => "bad",
            Self::Neutral => "wait",
        }
    }

    const fn colour(self) -> &'static str {
        match self {
            Self::Good => "tone-good",
            Self::Caution => "tone-warn",
            Self::Bad => "tone-bad",
            Self::Neutral => "tone-wait",
        }
    }
}

/// A sign, drawn in the colour around it. It never stands without words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sign {
    /// A tick.
    Tick,
    /// An exclamation mark.
    Mark,
    /// A cross.
    Cross,
    /// A question mark.
    Question,
    /// Two bars.
    Pause,
    /// A clock.
    Clock,
    /// A line.
    Dash,
    /// A pen and its line.
    Pen,
    /// A shield.
    Shield,
}

impl Sign {
    const fn path(self) -> &'static str {
        match self {
            Self::Tick => "M14.5 24.8l6.6 6.6L34 17.6",
            Self::Mark => "M24 13.5v13.2M24 34.2v.3",
            Self::Cross => "M16.5 16.5l15 15M31.5 16.5l-15 15",
            Self::Question => "M18.2 19.4a5.9 5.9 0 1 1 8.3 5.4c-1.7.8-2.5 1.8-2.5 3.7v.5M24 35v.3",
            Self::Pause => "M19.5 16v16M28.5 16v16",
            Self::Clock => "M24 14v10.4l6.4 4",
            Self::Dash => "M15.5 24h17",
            Self::Pen => {
                "M15 33l1.3-5.6L28.6 15a2.6 2.6 0 0 1 3.7 0l.7.7a2.6 2.6 0 0 1 0 3.7L20.6 31.7zM26 33.5h8"
            }
            Self::Shield => "M24 12.5l9.5 3.6v7.2c0 6-4 10.2-9.5 12.2-5.5-2-9.5-6.2-9.5-12.2v-7.2z",
        }
    }
}

impl Render for Sign {
    fn render(&self) -> Markup {
        html! {
            svg.sign viewBox="0 0 48 48" aria-hidden="true" focusable="false" fill="none" stroke="currentColor" stroke-linecap="round" stroke-linejoin="round" {
                circle cx="24" cy="24" r="21.5" stroke-width="2.4" {}
                path d=(self.path()) stroke-width="3.6" {}
            }
        }
    }
}

/// A whole page. `path` is its own address without the language, so that the switch keeps the place.
pub fn shell(title: &str, lang: Lang, path: &str, body: &Markup) -> Markup {
    let other = lang.pick(Lang::Pt, Lang::En);
    let joint = if path.contains('?') { '&' } else { '?' };
    let switch = html! {
        a href=(format!("{path}{joint}lang={}", other.tag())) lang=(other.tag()) hreflang=(other.tag()) rel="nofollow" {
            (own_name(other))
        }
    };
    frame(title, lang, &switch, body)
}

/// A whole page that answers a form: the switch sends `text` to `action` again, since an address alone would lose it.
pub fn shell_of_answer(title: &str, lang: Lang, action: &str, text: &str, body: &Markup) -> Markup {
    let other = lang.pick(Lang::Pt, Lang::En);
    let switch = html! {
        form method="post" action=(format!("{action}?lang={}", other.tag())) enctype="multipart/form-data" {
            input type="hidden" name="text" value=(text);
            button type="submit" lang=(other.tag()) { (own_name(other)) }
        }
    };
    frame(title, lang, &switch, body)
}

fn own_name(lang: Lang) -> &'static str {
    lang.pick("English", "Português")
}

fn frame(title: &str, lang: Lang, switch: &Markup, body: &Markup) -> Markup {
    let title: String = title.chars().take(TITLE_CHARS_MAX).collect();
    html! {
        (DOCTYPE)
        html lang=(lang.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Selo" }
                link rel="stylesheet" href=(style_sheet());
                link rel="icon" href=(format!("/assets/{}", *MARK_NAME)) type="image/svg+xml";
            }
            body {
                a.skip href="#main" { (lang.pick("Skip to the content", "Saltar para o conteúdo")) }
                header.top {
                    a.brand href=(format!("/?lang={}", lang.tag())) { (PreEscaped(&*MARK_INLINE)) span { "Selo" } }
                    nav.language aria-label=(lang.pick("Language", "Língua")) { (switch) }
                }
                main id="main" tabindex="-1" { (body) }
                footer.bottom { div {
                    p { (lang.pick(
                        "Checked by public standards. What you hand in is not kept.",
                        "Verificado segundo normas públicas. O que entrega não é guardado.",
                    )) }
                    p { a href=(format!("/?lang={}", lang.tag())) { (lang.pick("Check a document", "Verificar um documento")) } }
                } }
            }
        }
    }
}

/// The answer in one word, large and calm, with what it means. `when` says when it was found out; empty for nothing.
pub fn outcome_banner(tone: Tone, sign: Sign, word: &str, sentence: &Markup, when: &str) -> Markup {
    let long = if word.chars().count() > WORD_CHARS_MAX { " long" } else { "" };
    html! {
        section class=(format!("outcome {}{long}", tone.class())) aria-labelledby="outcome" {
            (sign)
            div {
                h1 id="outcome" { (word) }
                p { (sentence) }
                @if !when.is_empty() { p.when { (when) } }
            }
        }
    }
}

/// A part of the page under its heading.
pub fn card(heading: &str, body: &Markup) -> Markup {
    html! { section.card { h2 { (heading) } (body) } }
}

/// A part of the page that may be passed over.
pub fn quiet_card(heading: &str, body: &Markup) -> Markup {
    html! { section class="card quiet" { h2 { (heading) } (body) } }
}

/// A line of a list of fields.
#[derive(Debug, Clone)]
pub struct FieldLine {
    /// What it is.
    pub label: String,
    /// What it says.
    pub value: String,
    /// A second, smaller line; empty for none.
    pub note: String,
    /// One of the few that everybody looks for first.
    pub strong: bool,
}

impl FieldLine {
    /// A plain line.
    pub fn new(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self { label: label.into(), value: value.into(), note: String::new(), strong: false }
    }
}

/// Fields and their values; each value finds its own direction, so that Arabic and Hebrew names stand right.
pub fn field_list(fields: &[FieldLine]) -> Markup {
    html! {
        dl.fields { @for field in fields {
            div class=[field.strong.then_some("strong")] {
                dt { (field.label) }
                dd dir="auto" { (field.value) @if !field.note.is_empty() { small { (field.note) } } }
            }
        } }
    }
}

/// A line of a list of checks.
#[derive(Debug, Clone)]
pub struct CheckLine {
    /// The colour.
    pub tone: Tone,
    /// The sign.
    pub sign: Sign,
    /// What was looked at: "Signature".
    pub subject: String,
    /// What came out, in a word: "passed".
    pub verdict: String,
    /// Why, in a sentence.
    pub reason: String,
    /// What to do; empty for nothing.
    pub remedy: String,
    /// The stable code and the place, for whoever reports it; empty for none.
    pub code: String,
}

/// Checks with what came out, why, and what to do.
pub fn check_list(checks: &[CheckLine]) -> Markup {
    html! {
        ul.checks { @for check in checks {
            li {
                span class=(check.tone.colour()) { (check.sign) }
                div {
                    h3 { (check.subject) " " em { "· " (check.verdict) } }
                    p { (check.reason) }
                    @if !check.remedy.is_empty() { p.remedy { (check.remedy) } }
                    @if !check.code.is_empty() { p.where { code { (check.code) } } }
                }
            }
        } }
    }
}

/// A link that looks like a button. The first of several is the main one.
pub fn button_link(href: &str, text: &str, main: bool) -> Markup {
    html! { a class=(if main { "button" } else { "button second" }) href=(href) { (text) } }
}

/// A day in words from RFC 3339 text or `YYYY-MM-DD`: "24 November 2026". Midnight is left out, any other time is
/// given in UTC as it stands. What is no such text comes back unchanged.
pub fn date(text: &str, lang: Lang) -> String {
    const EN: [&str; 12] = [
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
    const PT: [&str; 12] = [
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
    let parts = || {
        let digits =
            |range| text.get(range).filter(|part: &&str| part.bytes().all(|byte| byte.is_ascii_digit()));
        let (year, month, day) = (digits(0..4)?, digits(5..7)?, digits(8..10)?);
        let dashes = text.get(4..5) == Some("-") && text.get(7..8) == Some("-");
        let month = month.parse::<usize>().ok()?.checked_sub(1)?;
        let month = lang.pick(EN, PT).get(month).copied()?;
        let day = day.parse::<u8>().ok().filter(|day| (1..=31).contains(day))?;
        let written = match lang {
            Lang::En => format!("{day} {month} {year}"),
            Lang::Pt => format!("{day} de {month} de {year}"),
        };
        let time = match (text.get(10..11), digits(11..13), digits(14..16)) {
            (None, ..) => None,
            (Some("T" | "t" | " "), Some(hour), Some(minute)) => Some((hour, minute)),
            _ => return None,
        };
        let rest = text.get(19..).unwrap_or_default();
        let utc = rest.ends_with(['Z', 'z']) || rest.ends_with("+00:00");
        match (dashes, time) {
            (false, _) => None,
            (true, None | Some(("00", "00"))) => Some(written),
            (true, Some((hour, minute))) if utc => Some(format!("{written}, {hour}:{minute} UTC")),
            (true, Some((hour, minute))) => Some(format!("{written}, {hour}:{minute}")),
        }
    };
    parts().unwrap_or_else(|| text.to_owned())
}

/// An error as a page, for browsers of the public zone. Equal for everything that is not there.
pub fn error_page(error: &Error, lang: Lang, request_id: &str) -> String {
    let tone = if error.kind().status() >= 500 { Tone::Caution } else { Tone::Neutral };
    let sign = if tone == Tone::Caution { Sign::Mark } else { Sign::Question };
    let cause = error.cause(lang);
    let first = format!("/?lang={}", lang.tag());
    let body = html! {
        (outcome_banner(tone, sign, &cause, &html! { (error.remedy(lang)) }, ""))
        @if !error.details().is_empty() {
            (card(lang.pick("In detail", "Em pormenor"), &html! {
                ul.plain { @for detail in error.details().iter().take(20) { li { (detail.message(lang)) } } }
            }))
        }
        div.actions { (button_link(&first, lang.pick("Check a document", "Verificar um documento"), true)) }
        p.quiet {
            (lang.pick("If you ask for help, give this number: ", "Se pedir ajuda, indique este número: "))
            code { (request_id) }
        }
    };
    shell(&cause, lang, "/", &body).into_string()
}

/// The language that a request's headers ask for, for pages outside the door.
pub fn lang_of(headers: &HeaderMap) -> Lang {
    let header = headers.get(axum::http::header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    header.and_then(Lang::negotiate).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_out_in_both_languages_and_other_text_is_left_alone() {
        assert_eq!(date("2026-11-24T00:00:00Z", Lang::En), "24 November 2026");
        assert_eq!(date("2026-03-01", Lang::Pt), "1 de março de 2026");
        assert_eq!(date("2026-11-24T14:05:09Z", Lang::Pt), "24 de novembro de 2026, 14:05 UTC");
        for text in [
            "",
            "2026",
            "2026-13-01",
            "2026-00-10",
            "2026-01-41",
            "vinte e quatro",
            "2026-01-01x",
            "açúcar-é-doce",
        ] {
            assert_eq!(date(text, Lang::En), text);
        }
    }

    #[test]
    fn the_switch_keeps_the_place_and_names_the_other_language_in_its_own_words() {
        let english = shell("x", Lang::En, "/v/abc", &html! {}).into_string();
        assert!(english.contains("href=\"/v/abc?lang=pt\"") && english.contains("Português"));
        let portuguese = shell("x", Lang::Pt, "/v/abc?a=b", &html! {}).into_string();
        assert!(portuguese.contains("href=\"/v/abc?a=b&amp;lang=en\"") && portuguese.contains("English"));
    }

    #[test]
    fn a_page_has_no_script_no_inline_style_and_nothing_from_elsewhere() {
        let error = error_page(&crate::NOT_FOUND.error(), Lang::En, "req_x");
        for page in [error, shell("<script>", Lang::En, "/", &html! { (Sign::Tick) }).into_string()] {
            assert!(!page.contains("<script") && !page.contains(" style=") && !page.contains("<style"));
            assert!(
                !page.replace("http://www.w3.org/2000/svg", "").contains("http"),
                "an address of another host"
            );
        }
        assert!(!CSS.contains("url(") && !CSS.contains("@import"));
    }

    #[test]
    fn files_have_names_that_browsers_may_keep_for_ever() {
        assert!(CSS_NAME.starts_with("selo-") && CSS_NAME.len() == "selo-01234567.css".len());
        let answer =
            Assets::new([(CSS_NAME.clone(), CSS.as_bytes().to_vec())]).answer(&CSS_NAME, &HeaderMap::new());
        let kept = answer.unwrap().headers()["cache-control"].to_str().unwrap().to_owned();
        assert!(kept.contains("immutable"), "{kept}");
    }
}
