//! Looks whether the web front end is there. It never builds it: that is npm's work, and the order of the two builds
//! is the caller's.

use std::{env, path::Path};

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
    let allowed = env::var_os("SELO_BUILD_WITHOUT_WEB").is_some();
    if env::var("PROFILE").as_deref() == Ok("release") && !allowed {
        println!("cargo::error=The web front end is not built. Build it first: npm ci && npm run build in web/ (cargo xtask demo does both).");
    }
}
