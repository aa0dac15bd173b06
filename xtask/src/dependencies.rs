//! What we stand on: nothing banned, and licences that allow what we do (`house.toml`, `[dependencies]`).
//!
//! The house and the fuzz workspace are looked at apart: the second is linked with an engine that is never shipped.

use crate::run::Report;
use crate::{Trouble, cargo_toml, licences, place, process};

/// The house: everything that is built, for tests too.
pub fn house() -> Result<Report, Trouble> {
    let words = ["--workspace", "--edges", "normal,build,dev", "--locked"];
    judge(&words, &[])
}

/// The fuzz workspace, whose engine has a licence of its own (`house.toml`, `[fuzz]`).
pub fn fuzz() -> Result<Report, Trouble> {
    let plan = cargo_toml::Document::read(&place::root().join("house.toml"))?;
    judge(&["--manifest-path", "fuzz/Cargo.toml", "--edges", "normal,build"], &plan.list("fuzz", "licences"))
}

fn judge(words: &[&str], also: &[String]) -> Result<Report, Trouble> {
    let plan = cargo_toml::Document::read(&place::root().join("house.toml"))?;
    let banned = plan.list("dependencies", "banned");
    let mut allowed = plan.list("dependencies", "licences");
    allowed.extend_from_slice(also);
    let mut tree = place::cargo();
    tree.arg("tree").args(words).args(["--prefix", "none", "--format", "{p}|{l}"]);
    let tree = process::output(&mut tree)?;
    let mut packages: Vec<&str> =
        tree.lines().map(|line| line.trim_end_matches(" (*)")).filter(|line| !line.is_empty()).collect();
    packages.sort_unstable();
    packages.dedup();
    let mut wrong = Vec::new();
    for package in &packages {
        let (name, licence) = package.split_once('|').unwrap_or((package, ""));
        let short = name.split(' ').next().unwrap_or(name);
        if banned.iter().any(|word| word == short) {
            wrong.push(format!("{name} is banned (house.toml, [dependencies]): see who brings it with `cargo tree -i {short}`"));
        }
        if !licences::is_allowed(licence, &allowed) {
            wrong.push(format!("{name}: the licence `{licence}` is not in house.toml"));
        }
    }
    if wrong.is_empty() {
        return Ok(Report::held(format!("{} packages, none of {}", packages.len(), banned.join(", "))));
    }
    Ok(Report::broke(wrong))
}
