//! The web front end, embedded in the binary under hashed names.

use http_kit::{Admin, ZoneRouter};

#[cfg(not(web_missing))]
#[derive(rust_embed::Embed)]
#[folder = "../../web/dist"]
struct Dist;

/// The web app at `/` of the admin zone.
#[cfg(not(web_missing))]
pub fn routes() -> ZoneRouter<Admin> {
    let files = Dist::iter()
        .filter_map(|name| Dist::get(&name).map(|file| (name.into_owned(), file.data.into_owned())));
    http_kit::Assets::new(files).app("index.html")
}

/// A debug build without the web front end says so in one sentence.
#[cfg(web_missing)]
pub fn routes() -> ZoneRouter<Admin> {
    use axum::routing::get;
    ZoneRouter::new().page(
        "/",
        http_kit::Rules::free(),
        get(|| async {
            "This build has no web front end: run npm ci && npm run build in web/ and build again.\n"
        }),
    )
}
