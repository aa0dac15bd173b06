//! `cargo xtask tidy`: the promises of DESIGN and house.toml that a program can keep, as a list of named checks.
//!
//! Reads files, compiles nothing, takes well under a second. Banned calls are clippy's (`clippy.toml`). Each check gives
//! the places that break it, as `file:line what is wrong`; an empty list is a promise kept.

use crate::cargo_toml::{Document, strings};
use crate::counts::Counts;
use crate::run::Report;
use crate::{Outcome, Trouble, place, tidy_text};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Everything that the checks look at, read once.
#[derive(Debug)]
pub struct House {
    pub plan: Document,
    pub workspace: Document,
    /// By package name.
    pub crates: BTreeMap<String, Room>,
    /// Files under version control that are text, by path from the root.
    pub files: BTreeMap<String, String>,
}

/// One crate under `crates/`.
#[derive(Debug)]
pub struct Room {
    /// From the root, like `crates/http`.
    pub folder: String,
    pub manifest: Document,
}

/// A named promise.
pub struct Check {
    pub name: &'static str,
    pub broken: fn(&House) -> Vec<String>,
}

/// All of them.
const CHECKS: [Check; 14] = [
    Check { name: "every crate stands on a floor and has its imports written down", broken: planned },
    Check { name: "imports follow house.toml", broken: imports },
    Check { name: "imports go downwards only", broken: downwards },
    Check { name: "imports form no circle", broken: circles },
    Check { name: "every workspace dependency says what it is for", broken: purposes },
    Check { name: "every crate has a README.md and begins with //!", broken: tidy_text::heads },
    Check { name: "no file is too long", broken: tidy_text::long_files },
    Check { name: "nothing is left to be done later", broken: tidy_text::postponed },
    Check { name: "no test is ignored", broken: tidy_text::ignored_tests },
    Check { name: "no unsafe", broken: tidy_text::unsafe_code },
    Check { name: "SQL stands in repo.rs", broken: tidy_text::stray_sql },
    Check { name: "every migration has its twin", broken: tidy_text::lonely_migrations },
    Check { name: "no pictures of feelings", broken: tidy_text::pictures },
    Check { name: "no machine's paths and no registry's host", broken: tidy_text::traces },
];

/// `cargo xtask tidy`.
pub fn command(words: &[String]) -> Outcome {
    if !words.is_empty() {
        return Err(Trouble::wrong_use("cargo xtask tidy"));
    }
    let report = report()?;
    report.shown.iter().for_each(|line| println!("{line}"));
    println!("{} passed, {} failed", report.counts.passed, report.counts.failed);
    Ok(report.counts.failed == 0)
}

/// Runs every check.
pub fn report() -> Result<Report, Trouble> {
    let house = read(&place::root())?;
    let mut counts = Counts::default();
    let mut shown = Vec::new();
    for check in CHECKS {
        let broken = (check.broken)(&house);
        if broken.is_empty() {
            counts.passed += 1;
            continue;
        }
        counts.failed += 1;
        shown.push(format!("{}:", check.name));
        shown.extend(broken.into_iter().map(|line| format!("  {line}")));
    }
    Ok(Report { counts, note: "promises".to_owned(), shown })
}

fn read(root: &Path) -> Result<House, Trouble> {
    let mut crates = BTreeMap::new();
    for folder in folders(&root.join("crates")) {
        let manifest = folder.join("Cargo.toml");
        if !manifest.is_file() {
            continue;
        }
        let manifest = Document::read(&manifest)?;
        let name = manifest.section("package").find(|entry| entry.key == "name");
        let Some(name) = name.and_then(|entry| strings(&entry.value).into_iter().next()) else {
            return Err(Trouble::new(format!("{} names no package", place::short(&folder))));
        };
        crates.insert(name, Room { folder: place::short(&folder), manifest });
    }
    let mut files = BTreeMap::new();
    for file in tidy_text::tracked(root)? {
        // what is no text (fonts, pictures) is not ours to read
        if let Ok(text) = std::fs::read_to_string(root.join(&file)) {
            files.insert(file, text);
        }
    }
    let plan = Document::read(&root.join("house.toml"))?;
    Ok(House { plan, workspace: Document::read(&root.join("Cargo.toml"))?, crates, files })
}

fn folders(parent: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

impl House {
    /// The floor of a crate, counted from the ground.
    fn floor(&self, name: &str) -> Option<usize> {
        self.plan.section("floors").position(|floor| strings(&floor.value).iter().any(|one| one == name))
    }

    /// What a crate may import, floors spelled out.
    fn allowed(&self, name: &str) -> Option<Vec<String>> {
        let entry = self.plan.section("imports").find(|entry| entry.key == name)?;
        let words = strings(&entry.value).into_iter().flat_map(|word| {
            let floor = self.plan.section("floors").find(|floor| floor.key == word);
            floor.map_or_else(|| vec![word.clone()], |floor| strings(&floor.value))
        });
        Some(words.filter(|word| word != name).collect())
    }

    /// Our own crates among a crate's dependencies, with the line that names each.
    fn imports(&self, room: &Room) -> Vec<(String, usize)> {
        let ours = |name: &String| self.floor(name).is_some() || self.crates.contains_key(name);
        room.manifest.dependencies().into_iter().filter(|(name, _)| ours(name)).collect()
    }
}

fn planned(house: &House) -> Vec<String> {
    let names =
        house.crates.iter().filter(|(name, _)| house.floor(name).is_none() || house.allowed(name).is_none());
    names.map(|(name, room)| format!("{}: `{name}` is missing in house.toml", room.folder)).collect()
}

fn imports(house: &House) -> Vec<String> {
    let mut broken = Vec::new();
    for (name, room) in &house.crates {
        let allowed = house.allowed(name).unwrap_or_default();
        for (import, line) in house.imports(room) {
            if !allowed.contains(&import) {
                broken.push(format!("{}/Cargo.toml:{line} `{name}` may not import `{import}`", room.folder));
            }
        }
    }
    broken
}

fn downwards(house: &House) -> Vec<String> {
    let mut broken = Vec::new();
    for (name, room) in &house.crates {
        for (import, line) in house.imports(room) {
            if house.floor(&import) > house.floor(name) {
                broken.push(format!("{}/Cargo.toml:{line} `{import}` stands above `{name}`", room.folder));
            }
        }
    }
    broken
}

fn circles(house: &House) -> Vec<String> {
    let names = house.crates.iter().filter(|(name, _)| reaches(house, name, name));
    names.map(|(name, room)| format!("{}: `{name}` imports itself in the end", room.folder)).collect()
}

fn reaches(house: &House, from: &str, goal: &str) -> bool {
    let mut open = vec![from.to_owned()];
    let mut seen: Vec<String> = Vec::new();
    while let Some(name) = open.pop() {
        let Some(room) = house.crates.get(&name) else { continue };
        for (import, _) in house.imports(room) {
            if import == goal {
                return true;
            }
            if !seen.contains(&import) {
                seen.push(import.clone());
                open.push(import);
            }
        }
    }
    false
}

fn purposes(house: &House) -> Vec<String> {
    let entries = house.workspace.section("workspace.dependencies").filter(|entry| !entry.explained);
    entries
        .map(|entry| format!("Cargo.toml:{} `{}` has no comment above it", entry.line, entry.key))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Check, House, Room, downwards, imports, planned, purposes, reaches};
    use crate::cargo_toml::Document;
    use std::collections::BTreeMap;

    const PLAN: &str = "\
[floors]
ground = [\"base\", \"proof\"]
people = [\"credential\", \"verify\"]
[imports]
base = []
proof = []
credential = [\"ground\"]
verify = [\"ground\"]
";

    fn house(crates: &[(&str, &str)]) -> House {
        let room = |name: &str, uses: &str| Room {
            folder: format!("crates/{name}"),
            manifest: Document::parse(&format!("[dependencies]\n{uses}")),
        };
        House {
            plan: Document::parse(PLAN),
            workspace: Document::parse("[workspace.dependencies]\n# a: letters\na = \"1\"\n\nb = \"2\"\n"),
            crates: crates.iter().map(|(name, uses)| ((*name).to_owned(), room(name, uses))).collect(),
            files: BTreeMap::new(),
        }
    }

    #[test]
    fn verify_may_not_import_credential() {
        let house = house(&[("verify", "base.workspace = true\ncredential.workspace = true\nserde = \"1\"")]);
        assert_eq!(imports(&house), ["crates/verify/Cargo.toml:3 `verify` may not import `credential`"]);
    }

    #[test]
    fn the_ground_does_not_import_a_room() {
        let house = house(&[("base", "credential = { path = \"../credential\" }"), ("credential", "")]);
        assert_eq!(downwards(&house).len(), 1);
        assert_eq!(imports(&house).len(), 1);
    }

    #[test]
    fn a_crate_that_is_not_in_the_plan_is_named() {
        assert_eq!(planned(&house(&[("cellar", "")])), ["crates/cellar: `cellar` is missing in house.toml"]);
    }

    #[test]
    fn a_circle_is_found_however_long_it_is() {
        let house = house(&[("base", "proof.workspace = true"), ("proof", "base.workspace = true")]);
        assert!(reaches(&house, "base", "base"));
    }

    #[test]
    fn a_dependency_without_a_purpose_is_named() {
        assert_eq!(purposes(&house(&[])), ["Cargo.toml:5 `b` has no comment above it"]);
    }

    #[test]
    fn no_two_checks_have_one_name() {
        let mut names: Vec<&str> = super::CHECKS.iter().map(|check: &Check| check.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), super::CHECKS.len());
    }
}
