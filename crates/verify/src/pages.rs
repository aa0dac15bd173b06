//! Pages of checking. They work without scripts, on a phone and on paper, in both languages.
//!
//! Green is shown only for a document that is valid and whose issuer is on the list; what could not be decided never
//! looks like a yes. The issuer's name at the top is the list's, not the document's. Never here: a code without a
//! sentence, a value that was not signed among those that were.

use base::{Error, Lang, Time};
use http_kit::page::{
    self, CheckLine, FieldLine, Sign, Tone, card, check_list, field_list, outcome_banner, quiet_card, shell,
    shell_of_answer,
};
use maud::{Markup, html};
use proof::{
    credential::Field,
    verify::{Check, Code, Outcome, PageLink, Report, Result as Verdict, StatusState},
};

use crate::{
    port::Standing,
    service::{Shown, lang as proof_lang},
    words,
};

/// Signed values shown; further ones are counted.
const FIELDS_SHOWN_MAX: usize = 60;
/// So many of the fields that everybody looks for are written large: who, and what.
const STRONG_FIELDS: usize = 2;
/// Characters of one value shown.
const VALUE_CHARS_MAX: usize = 300;
/// Bytes of all values together, so that a page stays below 50 kB whatever was handed in.
const VALUES_BYTES_MAX: usize = 9_000;
/// Checks shown; further ones are counted.
const CHECKS_SHOWN_MAX: usize = 24;
/// Characters of one sentence, which may repeat a name from the document.
const SENTENCE_CHARS_MAX: usize = 280;
/// A document no longer than this is carried along by the language switch of an uploaded file's page.
const CARRIED_BYTES_MAX: usize = 6_000;

/// The first page: what this is, and the form.
pub(crate) fn landing(lang: Lang, host: &str, problem: Option<&Error>) -> String {
    let body = html! {
        div.hero {
            h1 { (lang.pick("Is this document genuine?", "Este documento é autêntico?")) }
            p.lead { (lang.pick(
                "Hand in a diploma, a badge or a certificate. In a second you know who signed it, whether it was changed, and whether it is still in force.",
                "Entregue um diploma, um distintivo ou um certificado. Num segundo fica a saber quem o assinou, se foi alterado e se continua em vigor.",
            )) }
        }
        div.start {
            section.card aria-label=(lang.pick("Check a document", "Verificar um documento")) {
                @if let Some(problem) = problem {
                    div.notice role="alert" { strong { (problem.cause(lang)) } (problem.remedy(lang)) }
                }
                (form(lang))
            }
            div {
                ul.learn {
                    (learn(Sign::Pen, lang.pick("Who signed it", "Quem o assinou"), lang.pick(
                        "The signature leads to its issuer, and the issuer is looked up on a list of those we know.",
                        "A assinatura conduz ao emissor, e o emissor é procurado na lista dos que conhecemos.",
                    )))
                    (learn(Sign::Shield, lang.pick("Whether it was changed", "Se foi alterado"), lang.pick(
                        "A single altered letter is found. You see every signed value, not only the picture.",
                        "Uma única letra alterada é detetada. Vê todos os valores assinados, e não só a imagem.",
                    )))
                    (learn(Sign::Clock, lang.pick("Whether it is still in force", "Se continua em vigor"), lang.pick(
                        "Issuers can withdraw a document. The answer is the issuer's answer of this moment.",
                        "Os emissores podem retirar um documento. A resposta é a que o emissor dá neste momento.",
                    )))
                }
                p.quiet { (lang.pick(
                    "The document is read in memory and forgotten at once. No account, no cookie, no script.",
                    "O documento é lido em memória e logo esquecido. Sem conta, sem cookies, sem scripts.",
                )) }
                (this_site(host, lang))
            }
        }
    };
    shell(lang.pick("Check a document", "Verificar um documento"), lang, "/", &body).into_string()
}

fn learn(sign: Sign, heading: &str, text: &str) -> Markup {
    html! { li { (sign) div { h2.small { (heading) } p { (text) } } } }
}

fn this_site(host: &str, lang: Lang) -> Markup {
    html! { p.quiet {
        (lang.pick("The address of this site is ", "O endereço deste sítio é "))
        strong { (host) }
        (lang.pick(". If your browser shows another, leave.", ". Se o seu navegador mostrar outro, saia."))
    } }
}

fn form(lang: Lang) -> Markup {
    html! {
        form.check method="post" action=(format!("/verify?lang={}", lang.tag())) enctype="multipart/form-data" {
            div {
                label for="file" { (lang.pick(
                    "Choose the file, or a photo of its QR code",
                    "Escolha o ficheiro, ou uma fotografia do seu código QR",
                )) }
                input id="file" name="file" type="file" aria-describedby="file-hint"
                    accept=".pdf,.png,.jpg,.jpeg,.svg,.json,application/pdf,image/png,image/jpeg,image/svg+xml,application/json";
                p.hint id="file-hint" { (lang.pick(
                    "PDF up to 25 MB; PNG, JPEG, SVG or JSON up to 10 MB. The original file carries the signature; of a photo or a screenshot only the QR code is read.",
                    "PDF até 25 MB; PNG, JPEG, SVG ou JSON até 10 MB. O ficheiro original traz a assinatura; de uma fotografia ou captura de ecrã só se lê o código QR.",
                )) }
            }
            div.or aria-hidden="true" { (lang.pick("or", "ou")) }
            div {
                label for="text" { (lang.pick("Paste its link, or the document as text", "Cole a ligação, ou o documento em texto")) }
                textarea id="text" name="text" spellcheck="false" autocomplete="off" autocapitalize="off" {}
            }
            div { button.main type="submit" { (lang.pick("Check the document", "Verificar o documento")) } }
        }
    }
}

/// What the top of the page says.
struct Headline {
    tone: Tone,
    sign: Sign,
    word: &'static str,
    sentence: Markup,
}

/// The name of the issuer that may stand at the top: the list's.
fn issuer_name(report: &Report) -> Option<&str> {
    report.issuer.as_ref().filter(|issuer| issuer.trusted).and_then(|issuer| issuer.name.as_deref())
}

fn headline(report: &Report, standing: Option<&Standing>, lang: Lang) -> Headline {
    match report.outcome {
        Outcome::Valid if report.trusted() => genuine(report, lang),
        Outcome::Valid => stranger(report, lang),
        Outcome::Unknown => Headline {
            tone: Tone::Neutral,
            sign: Sign::Question,
            word: lang.pick("NOT DECIDED", "POR DECIDIR"),
            sentence: html! {
                (lang.pick(
                    "Do not take this for a yes. ",
                    "Não tome isto por um sim. ",
                ))
                @match &report.link {
                    Some(link) => (leads_to(link, lang)),
                    None => (first_reason(report, Verdict::Unknown, lang)),
                }
            },
        },
        Outcome::Invalid => refused(report, standing, lang),
    }
}

/// Where a picture's code leads, when that is not here: the host stands out, because it is what a forger would change.
fn leads_to(link: &PageLink, lang: Lang) -> Markup {
    html! {
        (lang.pick("The QR code in this picture leads to ", "O código QR desta imagem conduz a "))
        strong { bdi { (link.host()) } }
        (lang.pick(
            ", which is not this site. Only that site can say what the document is worth; it was not asked.",
            ", que não é este sítio. Só esse sítio pode dizer o que vale o documento; não lhe foi perguntado.",
        ))
    }
}

/// The address that a picture's code holds, as text: nobody is sent there.
fn elsewhere(link: &PageLink, lang: Lang) -> Markup {
    let host = FieldLine { strong: true, ..FieldLine::new(lang.pick("Site", "Sítio"), link.host()) };
    let address = FieldLine::new(lang.pick("Address in the code", "Endereço no código"), link.address());
    card(
        lang.pick("Where the code leads", "Aonde conduz o código"),
        &html! {
            p { (lang.pick(
                "Anybody can print a code. Is this the issuer's own site? Compare it letter by letter with an address that you have from the issuer, and only then open it yourself.",
                "Qualquer pessoa pode imprimir um código. É este o sítio do próprio emissor? Compare-o letra a letra com um endereço que tenha do emissor, e só então o abra você mesmo.",
            )) }
            (field_list(&[host, address]))
        },
    )
}

fn genuine(report: &Report, lang: Lang) -> Headline {
    let holder = report.subject.as_ref().and_then(|subject| subject.name.as_deref());
    Headline {
        tone: Tone::Good,
        sign: Sign::Tick,
        word: lang.pick("VALID", "VÁLIDO"),
        sentence: html! {
            (lang.pick("Issued by ", "Emitido por "))
            strong { bdi { (cut(issuer_name(report).unwrap_or_default(), VALUE_CHARS_MAX)) } }
            @if let Some(holder) = holder {
                (lang.pick(" to ", " a ")) strong { bdi { (cut(holder, VALUE_CHARS_MAX)) } }
            }
            (lang.pick(". Nothing was changed since it was signed", ". Nada foi alterado desde que foi assinado"))
            @match report.status.state {
                StatusState::Active => (lang.pick(
                    ", and the issuer has not withdrawn it.", ", e o emissor não o retirou.",
                )),
                _ => (lang.pick(
                    ". Whether it was withdrawn since cannot be seen: the document names no place to ask.",
                    ". Não se pode ver se foi retirado depois: o documento não indica onde perguntar.",
                )),
            }
        },
    }
}

fn stranger(report: &Report, lang: Lang) -> Headline {
    let claimed = report.issuer.as_ref().and_then(|issuer| issuer.claimed_name.as_deref());
    Headline {
        tone: Tone::Caution,
        sign: Sign::Mark,
        word: lang.pick("ISSUER NOT KNOWN", "EMISSOR DESCONHECIDO"),
        sentence: html! {
            (lang.pick(
                "The signature is good: nothing was changed. But whoever signed it is not on our list",
                "A assinatura está certa: nada foi alterado. Mas quem o assinou não consta da nossa lista",
            ))
            @if let Some(claimed) = claimed {
                (lang.pick(", and the name it gives itself, “", ", e o nome que se dá a si próprio, «"))
                bdi { (cut(claimed, VALUE_CHARS_MAX)) }
                (lang.pick("”, can be chosen by anyone", "», pode ser escolhido por qualquer um"))
            }
            (lang.pick(". Find out by other means who it is.", ". Confirme por outra via quem é."))
        },
    }
}

fn refused(report: &Report, standing: Option<&Standing>, lang: Lang) -> Headline {
    let failed = |code: Code| report.check(code).is_some_and(|check| check.result == Verdict::Fail);
    let proven = !report.fields.is_empty();
    let since = standing.and_then(|standing| standing.changed_at).map(|at| page::date(&at.rfc3339(), lang));
    let dated = |[before, plain]: [&'static str; 2]| match &since {
        Some(day) => format!("{before}{day}."),
        None => plain.to_owned(),
    };
    let state = state_of(report, standing);
    let (tone, sign, word, sentence) = match state {
        StatusState::Revoked => (
            Tone::Bad,
            Sign::Cross,
            lang.pick("REVOKED", "REVOGADO"),
            dated(lang.pick(
                ["The issuer withdrew this document on ", "The issuer withdrew this document."],
                ["O emissor retirou este documento em ", "O emissor retirou este documento."],
            )),
        ),
        StatusState::Suspended => (
            Tone::Bad,
            Sign::Pause,
            lang.pick("SUSPENDED", "SUSPENSO"),
            dated(lang.pick(
                ["The issuer paused this document on ", "The issuer paused this document."],
                ["O emissor suspendeu este documento em ", "O emissor suspendeu este documento."],
            )),
        ),
        _ if proven && failed(Code::TimeExpired) => (
            Tone::Bad,
            Sign::Clock,
            lang.pick("EXPIRED", "EXPIRADO"),
            validity(report, Code::TimeExpired, lang),
        ),
        _ if proven && failed(Code::TimeNotYet) => (
            Tone::Bad,
            Sign::Clock,
            lang.pick("NOT YET VALID", "AINDA NÃO VÁLIDO"),
            validity(report, Code::TimeNotYet, lang),
        ),
        _ => (
            Tone::Bad,
            Sign::Cross,
            lang.pick("NOT VALID", "NÃO VÁLIDO"),
            first_reason(report, Verdict::Fail, lang),
        ),
    };
    let remedy = match state {
        StatusState::Revoked => report.check(Code::StatusRevoked),
        StatusState::Suspended => report.check(Code::StatusSuspended),
        _ => report.checks.iter().find(|check| check.result == Verdict::Fail),
    };
    let remedy = remedy.map(|check| check.remedy(proof_lang(lang))).unwrap_or_default();
    Headline { tone, sign, word, sentence: html! { (sentence) " " (remedy) } }
}

/// The status as the house knows it of its own credentials: the one bit of an Open Badge's list means withdrawn, for
/// good or for now.
fn state_of(report: &Report, standing: Option<&Standing>) -> StatusState {
    match report.status.state {
        StatusState::Revoked if standing.is_some_and(|standing| standing.suspended) => StatusState::Suspended,
        other => other,
    }
}

fn validity(report: &Report, code: Code, lang: Lang) -> String {
    report.check(code).map(|check| reason(check, lang)).unwrap_or_default()
}

fn first_reason(report: &Report, verdict: Verdict, lang: Lang) -> String {
    report
        .checks
        .iter()
        .find(|check| check.result == verdict)
        .map(|check| reason(check, lang))
        .unwrap_or_default()
}

/// The sentence of a check, with dates written out.
fn reason(check: &Check, lang: Lang) -> String {
    let dated = matches!(
        check.code,
        Code::TimeNotYet
            | Code::TimeExpired
            | Code::ProofExpired
            | Code::ProofCreatedFuture
            | Code::KeyRevoked
    );
    let sentence = if dated {
        let args: Vec<String> = check.args.iter().map(|arg| page::date(arg, lang)).collect();
        check.code.reason(check.result, &args, proof_lang(lang))
    } else {
        check.reason(proof_lang(lang))
    };
    cut(&sentence, SENTENCE_CHARS_MAX)
}

/// The page of a check. `path` is the page's own address.
pub(crate) fn checked(shown: &Shown, lang: Lang, host: &str, path: &str) -> String {
    let (report, handle, standing, at) = match shown {
        Shown::Erased { at } => return withdrawn(*at, lang, host, path),
        Shown::Checked { report, handle, standing, at } => {
            (report, handle.as_deref(), standing.as_ref(), *at)
        }
    };
    let top = headline(report, standing, lang);
    let when = format!(
        "{}{}.",
        lang.pick("Checked on ", "Verificado em "),
        page::date(&at.whole_second().rfc3339(), lang)
    );
    let body = html! {
        (outcome_banner(top.tone, top.sign, top.word, &top.sentence, &when))
        div.beside {
            @if let Some(handle) = handle.filter(|_| !report.fields.is_empty()) {
                div.first { (picture(handle, report, lang)) }
            }
            div.side {
                @if !report.fields.is_empty() { (fields(&report.fields, lang)) }
                @match &report.link {
                    Some(link) => (elsewhere(link, lang)),
                    None => {
                        (issuer(report, lang))
                        (status(report, standing, handle, lang))
                    }
                }
            }
            div.second {
                (checks(report, lang))
                (not_proven(lang))
                (this_site(host, lang))
            }
        }
        section class="card again" {
            h2 { (lang.pick("Check another document", "Verificar outro documento")) }
            (form(lang))
        }
    };
    let title = match report.subject.as_ref().and_then(|subject| subject.name.as_deref()) {
        Some(name) if !report.fields.is_empty() => format!("{} · {name}", top.word),
        _ => top.word.to_owned(),
    };
    if handle.is_some() {
        return shell(&title, lang, path, &body).into_string();
    }
    // The address of an upload's answer does not hold the document, so the switch carries it along while it is short.
    let text =
        report.credential.as_ref().map(ToString::to_string).filter(|text| text.len() <= CARRIED_BYTES_MAX);
    match text {
        Some(text) => shell_of_answer(&title, lang, "/verify", &text, &body).into_string(),
        None => shell(&title, lang, "/", &body).into_string(),
    }
}

fn withdrawn(at: Time, lang: Lang, host: &str, path: &str) -> String {
    let day = page::date(at.rfc3339().get(..10).unwrap_or_default(), lang);
    let sentence = html! {
        (lang.pick("This page was withdrawn at the holder's request on ", "Esta página foi retirada a pedido do titular em "))
        (day) "."
    };
    let word = lang.pick("WITHDRAWN", "RETIRADO");
    let body = html! {
        (outcome_banner(Tone::Neutral, Sign::Dash, word, &sentence, ""))
        (card(lang.pick("What this means", "O que isto significa"), &html! {
            p { (lang.pick(
                "Nothing about the person is kept here any more. This says nothing against the document: a copy in the holder's own hands can still be checked.",
                "Já não se guarda aqui nada sobre a pessoa. Isto não diz nada contra o documento: uma cópia em posse do próprio titular continua a poder ser verificada.",
            )) }
        }))
        section class="card again" { h2 { (lang.pick("Check the file itself", "Verificar o próprio ficheiro")) } (form(lang)) }
        (this_site(host, lang))
    };
    shell(word, lang, path, &body).into_string()
}

fn picture(handle: &str, report: &Report, lang: Lang) -> Markup {
    let name = report.subject.as_ref().and_then(|subject| subject.name.as_deref()).unwrap_or_default();
    card(
        lang.pick("As it looks", "O seu aspeto"),
        &html! {
            figure.picture {
                img.diploma src=(format!("/v/{handle}/picture.png")) width="842" height="595"
                    alt=(format!("{} {}", lang.pick("The document of", "O documento de"), cut(name, VALUE_CHARS_MAX)));
                figcaption { (lang.pick(
                    "Drawn from the signed values at this moment. A picture that shows something else is not this document.",
                    "Desenhada neste momento a partir dos valores assinados. Uma imagem que mostre outra coisa não é este documento.",
                )) }
            }
        },
    )
}

fn checks(report: &Report, lang: Lang) -> Markup {
    let lines: Vec<CheckLine> =
        report.checks.iter().take(CHECKS_SHOWN_MAX).map(|check| line(check, lang)).collect();
    let more = report.checks.len().saturating_sub(CHECKS_SHOWN_MAX);
    card(
        lang.pick("What was checked", "O que foi verificado"),
        &html! {
            (check_list(&lines))
            @if more > 0 { p.quiet { (more) (lang.pick(" further findings of the same kind are left out.", " outras constatações do mesmo género foram omitidas.")) } }
        },
    )
}

fn line(check: &Check, lang: Lang) -> CheckLine {
    let (tone, sign, verdict) = match check.result {
        Verdict::Pass => (Tone::Good, Sign::Tick, lang.pick("in order", "em ordem")),
        Verdict::Fail => (Tone::Bad, Sign::Cross, lang.pick("not in order", "não está em ordem")),
        Verdict::Warn => (Tone::Caution, Sign::Mark, lang.pick("worth knowing", "convém saber")),
        Verdict::Unknown => (Tone::Neutral, Sign::Question, lang.pick("not decided", "por decidir")),
        Verdict::Skipped => (Tone::Neutral, Sign::Dash, lang.pick("not looked at", "não verificado")),
    };
    let plain = matches!(check.result, Verdict::Pass | Verdict::Skipped);
    let code = match check.field.as_deref() {
        _ if plain => String::new(),
        Some(field) if !field.is_empty() => format!("{} · {}", check.code.name(), cut(field, 120)),
        _ => check.code.name().to_owned(),
    };
    CheckLine {
        tone,
        sign,
        subject: words::family(check.code.family(), lang).to_owned(),
        verdict: verdict.to_owned(),
        reason: reason(check, lang),
        remedy: check.remedy(proof_lang(lang)).to_owned(),
        code,
    }
}

/// Every signed value: the few that people look for, then all others behind a fold.
fn fields(all: &[Field], lang: Lang) -> Markup {
    let mut budget = VALUES_BYTES_MAX;
    let mut shown: Vec<(usize, FieldLine)> = Vec::new();
    for field in all.iter().take(FIELDS_SHOWN_MAX) {
        let value = text(field, lang);
        let Some(left) = budget.checked_sub(value.len() + field.label.len()) else { break };
        budget = left;
        let rank = words::rank(&field.label).unwrap_or(usize::MAX);
        let line = FieldLine::new(cut(&words::field(&field.label, lang), 80), value);
        shown.push((rank, FieldLine { strong: rank < STRONG_FIELDS, ..line }));
    }
    let left_out = all.len() - shown.len();
    shown.sort_by_key(|(rank, _)| *rank);
    // Of values that repeat, such as a degree that is also its own description, the first by rank stands for all.
    let (mut first, mut rest): (Vec<FieldLine>, Vec<FieldLine>) = (Vec::new(), Vec::new());
    for (rank, line) in shown {
        let repeated = first.iter().any(|known| known.value == line.value);
        if rank == usize::MAX || repeated {
            rest.push(FieldLine { strong: false, ..line })
        } else {
            first.push(line)
        }
    }
    card(
        lang.pick("What is signed", "O que está assinado"),
        &html! {
            (field_list(&first))
            @if !rest.is_empty() {
                details open[first.is_empty()] {
                    summary { (lang.pick("Every other signed value", "Todos os outros valores assinados")) " (" (rest.len()) ")" }
                    (field_list(&rest))
                }
            }
            @if left_out > 0 { p.quiet { (left_out) (lang.pick(
                " further signed values stand in the file itself.", " outros valores assinados constam do próprio ficheiro.",
            )) } }
        },
    )
}

fn text(field: &Field, lang: Lang) -> String {
    let plain = match &field.value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Bool(true) => lang.pick("yes", "sim").to_owned(),
        serde_json::Value::Bool(false) => lang.pick("no", "não").to_owned(),
        serde_json::Value::Null => lang.pick("empty", "vazio").to_owned(),
        other => other.to_string(),
    };
    let plain = page::date(words::value(&field.label, &plain, lang), lang);
    cut(&plain, VALUE_CHARS_MAX)
}

fn issuer(report: &Report, lang: Lang) -> Markup {
    let Some(issuer) = &report.issuer else { return html! {} };
    let proven = !report.fields.is_empty();
    let name = issuer_name(report).map(|name| cut(name, VALUE_CHARS_MAX));
    let how = match (&name, proven) {
        (Some(_), _) => lang.pick(
            "This issuer is on the list of issuers that this house knows. The name is the list's, not the document's.",
            "Este emissor consta da lista de emissores que esta casa conhece. O nome é o da lista, não o do documento.",
        ),
        (None, true) => lang.pick(
            "This issuer is on no list that we know. Its name is what it says of itself.",
            "Este emissor não consta de nenhuma lista que conheçamos. O nome é o que ele diz de si próprio.",
        ),
        (None, false) => lang.pick(
            "The signature did not hold, so it is not known who made this document. What it says of its issuer proves nothing.",
            "A assinatura não se confirmou, pelo que não se sabe quem fez este documento. O que ele diz do emissor não prova nada.",
        ),
    };
    let id = cut(&issuer.id, VALUE_CHARS_MAX);
    let nature = match id.as_str() {
        id if id.starts_with("did:web:") || id.starts_with("https://") => lang.pick(
            "an identifier bound to an internet domain",
            "um identificador ligado a um domínio da internet",
        ),
        id if id.starts_with("did:key:") => lang.pick(
            "an identifier that is the issuer's own key",
            "um identificador que é a própria chave do emissor",
        ),
        _ => "",
    };
    let mut lines = Vec::new();
    if let Some(name) = name {
        lines.push(FieldLine {
            strong: true,
            ..FieldLine::new(lang.pick("Name on the list", "Nome na lista"), name)
        });
    } else if let Some(claimed) = &issuer.claimed_name {
        let label = lang.pick("Name it gives itself", "Nome que se dá a si próprio");
        lines.push(FieldLine::new(label, cut(claimed, VALUE_CHARS_MAX)));
    }
    lines.push(FieldLine {
        note: nature.to_owned(),
        ..FieldLine::new(lang.pick("Identifier in the document", "Identificador no documento"), id)
    });
    card(
        lang.pick("Who issued it, and how we know", "Quem o emitiu, e como o sabemos"),
        &html! {
            p { (how) }
            (field_list(&lines))
        },
    )
}

fn status(report: &Report, standing: Option<&Standing>, handle: Option<&str>, lang: Lang) -> Markup {
    let state = match state_of(report, standing) {
        StatusState::Active => lang.pick("Not withdrawn", "Não retirado"),
        StatusState::Revoked => lang.pick("Withdrawn for good", "Retirado definitivamente"),
        StatusState::Suspended => lang.pick("Paused", "Suspenso"),
        StatusState::None => {
            lang.pick("The document names no list to ask", "O documento não indica onde perguntar")
        }
        StatusState::Unknown => lang.pick("Could not be found out", "Não foi possível saber"),
        StatusState::NotChecked => lang
            .pick("Not asked, because it no longer mattered", "Não se perguntou, porque já não era preciso"),
    };
    let mut lines = vec![FieldLine::new(lang.pick("The issuer says", "O emissor diz"), state)];
    if let Some(age) = report.status.age {
        lines.push(FieldLine::new(
            lang.pick("Age of this answer", "Idade desta resposta"),
            spoken_age(age, lang),
        ));
    }
    if let Some(format) = report.format {
        let note = report
            .carrier
            .filter(|_| handle.is_none())
            .map(|carrier| words::carrier(carrier, lang))
            .unwrap_or_default();
        lines.push(FieldLine {
            note: note.to_owned(),
            ..FieldLine::new(lang.pick("Kind of document", "Tipo de documento"), words::format(format, lang))
        });
    }
    card(
        lang.pick("Status and evidence", "Situação e prova"),
        &html! {
            (field_list(&lines))
            @if let Some(handle) = handle.filter(|_| standing.is_some_and(|standing| standing.evidence)) {
                p.further {
                    a href={ "/v/" (handle) "/record.tlog-proof" } rel="nofollow" download {
                        (lang.pick("Proof of its entry in the public log", "Prova do seu registo no livro público"))
                    }
                }
            }
        },
    )
}

/// An age as people say it.
fn spoken_age(seconds: u64, lang: Lang) -> String {
    let unit = |count: u64, one: [&'static str; 2], many: [&'static str; 2]| {
        let [en, pt] = if count == 1 { one } else { many };
        format!("{count} {}", lang.pick(en, pt))
    };
    match seconds {
        0..=59 => lang.pick("just now", "agora mesmo").to_owned(),
        60..=3_599 => unit(seconds / 60, ["minute", "minuto"], ["minutes", "minutos"]),
        3_600..=86_399 => unit(seconds / 3_600, ["hour", "hora"], ["hours", "horas"]),
        _ => unit(seconds / 86_400, ["day", "dia"], ["days", "dias"]),
    }
}

fn not_proven(lang: Lang) -> Markup {
    quiet_card(
        lang.pick("What this does not prove", "O que isto não prova"),
        &html! {
            ul {
                li { (lang.pick(
                    "That whoever shows the document is the person it names. Ask for an identity document.",
                    "Que quem mostra o documento é a pessoa nele indicada. Peça um documento de identificação.",
                )) }
                li { (lang.pick(
                    "That what the issuer states is true; only that the issuer stated it.",
                    "Que aquilo que o emissor declara é verdade; apenas que o emissor o declarou.",
                )) }
                li { (lang.pick(
                    "That it will still be in force tomorrow. Check again when it matters.",
                    "Que amanhã continue em vigor. Verifique de novo quando for importante.",
                )) }
            }
        },
    )
}

fn cut(text: &str, chars_max: usize) -> String {
    let mut kept: String = text.chars().take(chars_max).collect();
    if kept.len() < text.len() {
        kept.push('…');
    }
    kept
}

/// An error as a page, for browsers of the public zone.
#[must_use]
pub fn error_page(error: &Error, lang: Lang, request_id: &str) -> Option<String> {
    Some(page::error_page(error, lang, request_id))
}
