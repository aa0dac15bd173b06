//! Writes every page to a folder, to look at them: `cargo run -p verify --example pages -- FOLDER [PICTURE.png]`.
//! The files stand alone beside their style sheet, so a browser opens them from the disk.

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../../proof/tests/picture_support/mod.rs"]
mod picture_support;

use std::{error::Error, fs, path::Path};

use base::Time;
use common::*;
use verify::Document;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("usage: pages FOLDER [PICTURE.png]")?;
    let picture = arguments.next().map(fs::read).transpose()?.unwrap_or_default();
    let folder = Path::new(&folder);
    fs::create_dir_all(folder.join("assets"))?;
    fs::write(folder.join("picture.png"), &picture)?;

    let house = House::with_picture(picture);
    let app = house.app();
    let handle = "7k3m9q2w5x8z1c4v6b0n2h5j8g";
    let own = diploma(&house.signer, &Order::default());
    house.put(handle, &own);
    let page = |lang: &str| format!("/v/{handle}?lang={lang}");
    let write = |name: &str, body: &[u8]| -> Result<(), Box<dyn Error>> {
        let text = String::from_utf8(body.to_vec())?;
        let text = text
            .replace(&format!("/v/{handle}/picture.png"), "picture.png")
            .replace("\"/assets/", "\"assets/");
        println!("{name}: {} bytes", body.len());
        Ok(fs::write(folder.join(format!("{name}.html")), text)?)
    };

    for lang in ["en", "pt"] {
        write(&format!("landing-{lang}"), &get(&app, &format!("/?lang={lang}")).await.body)?;
        write(&format!("valid-{lang}"), &get(&app, &page(lang)).await.body)?;
    }
    let first = get(&app, "/").await.text();
    for file in first.split("href=\"").filter(|part| part.starts_with("/assets/")) {
        let name = file.split('"').next().unwrap_or_default();
        fs::write(folder.join(name.trim_start_matches('/')), get(&app, name).await.body)?;
    }
    let stranger = proof::qr::Qr::new(&format!("https://se1o.example/v/{handle}"))?;
    let photo = picture_support::Sheet::of_code(&stranger, 6).to_jpeg(20, true);
    for lang in ["en", "pt"] {
        write(&format!("elsewhere-{lang}"), &upload(&app, lang, &photo).await.body)?;
    }
    house.set("revocation", true);
    write("revoked-pt", &get(&app, &page("pt")).await.body)?;
    house.set("revocation", false);
    let mut plain = diploma(&Signer::new(9), &Order::default());
    if let Some(members) = plain.as_object_mut() {
        members.retain(|name, _| name != "proof" && name != "credentialStatus");
    }
    write("stranger-en", &upload(&app, "en", Signer::new(9).sign(&plain).to_string().as_bytes()).await.body)?;
    let tampered = own.to_string().replace("dezoito", "dezanove");
    write("tampered-en", &upload(&app, "en", tampered.as_bytes()).await.body)?;
    let away = diploma(&house.signer, &Order { list: "https://away.example/status/1", ..Order::default() });
    write("unknown-pt", &upload(&app, "pt", away.to_string().as_bytes()).await.body)?;
    let expired = diploma(&house.signer, &Order { until: Some("2026-11-01T00:00:00Z"), ..Order::default() });
    write("expired-en", &upload(&app, "en", expired.to_string().as_bytes()).await.body)?;
    house
        .documents
        .lock()
        .map_err(|_| "lock")?
        .insert(handle.to_owned(), Document::Erased { at: Time::from_seconds(NOW) });
    write("erased-en", &get(&app, &page("en")).await.body)?;
    write("missing-pt", &get(&app, "/v/none?lang=pt").await.body)?;
    write("nothing-en", &upload(&app, "en", b"").await.body)?;
    Ok(())
}
