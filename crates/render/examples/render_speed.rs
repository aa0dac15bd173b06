//! Measures the costs of a page on one core, in CPU time, in the lines that `cargo xtask bench` reads:
//! `cargo run --release -p render --example render_speed`.
//!
//! CPU time is read from `/proc/self/stat` in ticks of 10 ms, so each figure is the mean of many runs.

use render::{Attachment, Language, Links, PdfMeta, diploma, pdf, png};

const ROUNDS: u32 = 200;

fn cpu_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) * 10.0
}

/// Measures in CPU time and prints one line of the protocol of `bench/README.md`.
fn measure(name: &str, note: &str, mut work: impl FnMut() -> usize) {
    let bytes = work();
    let (started, before) = (std::time::Instant::now(), cpu_ms());
    for _ in 0..ROUNDS {
        std::hint::black_box(work());
    }
    let rounds = f64::from(ROUNDS);
    println!(
        "bench: name={name} rate={:.1} cpu_us={:.1} items={ROUNDS} note=\"{note}, {bytes} bytes; nothing is stored\"",
        rounds / started.elapsed().as_secs_f64(),
        (cpu_ms() - before) * 1e3 / rounds
    );
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bytes = include_bytes!("../tests/diploma.json");
    let data: serde_json::Value = serde_json::from_slice(bytes)?;
    let links = Links { verify: "https://selo.example/v/3fq8rk2mz7t0v5x1c9d4b6n8wa" };
    let template = diploma()?;
    let page = template.fill(&data, &links)?;
    let meta = PdfMeta {
        title: "Diploma",
        author: "Universidade do Atlântico",
        language: Language::Portuguese,
        credential_id: "urn:uuid:6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
        created: 1_784_073_600,
        attachment: Some(Attachment { name: "credential.json", media_type: "application/json", bytes }),
    };
    measure("template", "a template read again", || {
        render::Template::parse(template.bytes(), &render::NoAssets).map_or(0, |t| t.bytes().len())
    });
    measure("layout", "all boxes laid out, their count in", || {
        template.fill(&data, &links).map_or(0, |page| page.texts().count())
    });
    measure("pdf", "a one-page diploma", || pdf(&page, &meta).map_or(0, |pdf| pdf.len()));
    measure("png", "842 px", || png(&page, 842).map_or(0, |png| png.len()));
    measure("png-large", "1,684 px", || png(&page, 1_684).map_or(0, |png| png.len()));
    Ok(())
}
