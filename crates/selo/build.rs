//! Looks whether the web front end is there. It never builds it: that is npm's work, and the order of the two builds
//! is the caller's.

use std::{env, path::Path};

#[expect(clippy::disallowed_methods, reason = "a build script is told everything by its environment")]
fn main() {
    let root = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let index = Path::new(&root).join("../../web/dist/index.html");
    println!("cargo::rustc-check-cfg=cfg(web_missing)");
    println!("cargo::rerun-if-changed=../../web/dist/index.html");
    println!("cargo::rerun-if-changed=../../web/dist");
    if index.is_file() {
        return;
    }
    println!("cargo::rustc-cfg=web_missing");
    if env::var("PROFILE").as_deref() == Ok("release") {
        println!(
            "cargo::error=The web front end is not built. Build it first: npm ci && npm run build in web/ (cargo xtask demo does both)."
        );
    }
}
