//! The recipient's page: the diploma, its three downloads, its public page and its status. Server-rendered, no script.

use base::{Lang, Result};
use http_kit::page::shell;
use maud::html;

use crate::{
    http::standing,
    model::State,
    service::{Credentials, Document, parse},
};

/// The page behind `/r/<handle>`.
///
/// # Errors
/// A signed document that does not parse, which is a fault of ours.
pub(crate) async fn recipient(
    credentials: &Credentials,
    handle: &str,
    document: &Document,
    lang: Lang,
) -> Result<String> {
    let body = match document {
        Document::Erased { .. } => html! {
            section.card {
                h1 { (lang.pick("Withdrawn", "Retirado")) }
                p { (lang.pick(
                    "This credential was withdrawn at the holder's request. A copy in the holder's hands still verifies.",
                    "Esta credencial foi retirada a pedido do titular. Uma cópia em posse do titular continua a verificar-se.",
                )) }
            }
        },
        Document::Live { bytes, credential } => {
            let signed = parse(bytes)?;
            let text = |pointer: &str| {
                signed.pointer(pointer).and_then(|v| v.as_str()).unwrap_or_default().to_owned()
            };
            let name = text("/credentialSubject/identifier/0/identityHash");
            let page = credentials.page_url(&credential.handle);
            let file = |file: &str| format!("/r/{handle}/{file}");
            html! {
                section.card {
                    p.eyebrow { (text("/issuer/name")) }
                    h1 dir="auto" { (text("/credentialSubject/achievement/name")) }
                    p.lead dir="auto" { (name) }
                    @if credential.state != State::Issued {
                        p.notice role="status" { (lang.pick("This credential is ", "Esta credencial está: ")) strong { (standing(credential.state, lang)) } }
                    }
                    img.diploma src=(file("picture.png")) width="842" alt=(format!("{} — {name}", text("/name")));
                    nav.actions aria-label=(lang.pick("Downloads", "Transferências")) {
                        a.button href=(file("diploma.pdf")) download { "PDF" }
                        a.button href=(file("diploma.png")) download { "PNG" }
                        a.button href=(file("credential.json")) download { "JSON" }
                    }
                    p { (lang.pick("All three carry the signed credential. Anyone can check them here:", "Os três transportam a credencial assinada. Qualquer pessoa os pode verificar aqui:")) " " a href=(page) { (page) } }
                }
            }
        }
    };
    let title = lang.pick("Your credential", "A sua credencial");
    Ok(shell(title, lang, &format!("/r/{handle}"), &body).into_string())
}
