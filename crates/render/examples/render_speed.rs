//! Measures the three costs of a page on one core, in CPU time, and compares them with their goals:
//! `cargo run --release -p render --example speed`.
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

fn measure(name: &str, goal_ms: f64, mut work: impl FnMut() -> usize) {
    let bytes = work();
    let before = cpu_ms();
    for _ in 0..ROUNDS {
        std::hint::black_box(work());
    }
    let each = (cpu_ms() - before) / f64::from(ROUNDS);
    println!("{name:<34} {each:>8.3} ms CPU   goal {goal_ms:>5.1} ms   {bytes:>8} bytes");
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
    measure("template read again", 50.0, || {
        render::Template::parse(template.bytes(), &render::NoAssets).map_or(0, |t| t.bytes().len())
    });
    measure("layout of all boxes", 1.0, || {
        template.fill(&data, &links).map_or(0, |page| page.texts().count())
    });
    measure("PDF", 10.0, || pdf(&page, &meta).map_or(0, |pdf| pdf.len()));
    measure("PNG, 842 px", 35.0, || png(&page, 842).map_or(0, |png| png.len()));
    measure("PNG, 1,684 px", 140.0, || png(&page, 1_684).map_or(0, |png| png.len()));
    Ok(())
}
