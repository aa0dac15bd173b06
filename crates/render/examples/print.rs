//! Prints a credential with a built-in template, to look at it:
//! `cargo run -p render --example print -- diploma crates/render/tests/diploma.json out`
//! writes `out.png` (842 px), `out@2x.png`, `out.pdf` and `out.svg`.
//!
//! A third file name is needed; the link in the QR code is an example.

use render::{Attachment, Language, Links, PdfMeta, badge, diploma, pdf, png, svg};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [template, credential, out] = arguments.as_slice() else {
        return Err("usage: print diploma|badge CREDENTIAL.json OUT".into());
    };
    let template = match template.as_str() {
        "badge" => badge()?,
        _ => diploma()?,
    };
    let bytes = std::fs::read(credential)?;
    let data: serde_json::Value = serde_json::from_slice(&bytes)?;
    let links = Links { verify: "https://selo.example/v/3fq8rk2mz7t0v5x1c9d4b6n8wa" };
    let page = template.fill(&data, &links)?;
    let text = |pointer: &str| data.pointer(pointer).and_then(|value| value.as_str()).unwrap_or("");
    let meta = PdfMeta {
        title: text("/name"),
        author: text("/issuer/name"),
        language: Language::Portuguese,
        credential_id: text("/id"),
        created: 1_784_073_600,
        attachment: Some(Attachment {
            name: "credential.json",
            media_type: "application/json",
            bytes: &bytes,
        }),
    };
    std::fs::write(format!("{out}.png"), png(&page, 842)?)?;
    std::fs::write(format!("{out}@2x.png"), png(&page, 1_684)?)?;
    std::fs::write(format!("{out}.pdf"), pdf(&page, &meta)?)?;
    std::fs::write(format!("{out}.svg"), svg(&page))?;
    for text in page.texts() {
        let points = text.size as f64 / render::TICKS_PER_POINT as f64;
        println!("{:>14} {points:>6.2} pt  {} line(s)  {}", text.box_id, text.lines.len(), text.text);
    }
    Ok(())
}
