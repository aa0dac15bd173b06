//! The checks of `tidy` that read the text of files: heads, lengths, SQL, migrations, traces of a machine.
//!
//! Words that the checks look for are put together from halves here, so that this file does not find itself.

use crate::tidy::House;
use crate::{Trouble, place, process};
use std::path::Path;

/// Text files larger than this are data, not ours to read line by line.
const LONGEST_TEXT: usize = 2 * 1024 * 1024;

/// Files of the project: those that git tracks or would track; without git, everything but build folders.
pub fn tracked(root: &Path) -> Result<Vec<String>, Trouble> {
    let mut git = place::command("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard"]);
    if let Ok(listed) = process::output(&mut git) {
        return Ok(listed.lines().filter(|file| root.join(file).is_file()).map(str::to_owned).collect());
    }
    let mut files = Vec::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(folder) = open.pop() {
        let entries = std::fs::read_dir(&folder)
            .map_err(|error| Trouble::new(format!("cannot read {}: {error}", folder.display())))?;
        for entry in entries.flatten() {
            let name = entry.file_name();
            if [".git", "target", "node_modules", "dist"].iter().any(|skipped| name == *skipped) {
                continue;
            }
            match entry.path() {
                path if path.is_dir() => open.push(path),
                path => files.push(place::short(&path)),
            }
        }
    }
    Ok(files)
}

/// Files we wrote, by how their name ends.
fn ours<'a>(house: &'a House, endings: &'a [&str]) -> impl Iterator<Item = (&'a str, &'a str)> {
    let vendored = house.plan.list("vendored", "folders");
    house
        .files
        .iter()
        .filter(move |(file, _)| !vendored.iter().any(|folder| file.starts_with(folder.as_str())))
        .filter(|(file, text)| endings.iter().any(|end| file.ends_with(end)) && text.len() <= LONGEST_TEXT)
        .map(|(file, text)| (file.as_str(), text.as_str()))
}

/// Lines of our files that hold one of some words.
fn lines_with(house: &House, endings: &[&str], holds: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for (file, text) in ours(house, endings) {
        for (number, line) in text.lines().enumerate().filter(|(_, line)| holds(line)) {
            let shown: String = line.trim().chars().take(100).collect();
            found.push(format!("{file}:{} {shown}", number + 1));
        }
    }
    found
}

/// Every crate has a README.md and its first file begins with what it is for.
pub fn heads(house: &House) -> Vec<String> {
    let mut broken = Vec::new();
    let rooms = house.crates.values().map(|room| room.folder.as_str()).chain(["fuzz", "xtask"]);
    for folder in rooms {
        if !house.files.contains_key(&format!("{folder}/README.md")) {
            broken.push(format!("{folder} has no README.md"));
        }
    }
    let sources = ours(house, &[".rs"]).filter(|(file, _)| file.contains("/src/"));
    for (file, _) in sources.filter(|(_, text)| !text.starts_with("//!")) {
        broken.push(format!("{file}:1 does not begin with //! and what it is for"));
    }
    broken
}

/// No source file above the length of house.toml, but those listed; and no listing that is not needed.
pub fn long_files(house: &House) -> Vec<String> {
    let longest = house.plan.section("files").find(|entry| entry.key == "longest");
    let longest: usize = longest.and_then(|entry| entry.value.parse().ok()).unwrap_or_default();
    let listed =
        |file: &str| house.plan.section("long").any(|entry| entry.key == file && entry.value.len() > 2);
    let endings = [".rs", ".ts", ".tsx", ".mjs", ".css", ".sql"];
    let mut broken = Vec::new();
    for (file, text) in ours(house, &endings).filter(|(file, _)| !file.contains("/generated/")) {
        let length = text.lines().count();
        if length > longest && !listed(file) {
            broken.push(format!(
                "{file} has {length} lines; split it, or list it in house.toml with the reason"
            ));
        }
    }
    for entry in house.plan.section("long") {
        let length = house.files.get(&entry.key).map_or(0, |text| text.lines().count());
        if length <= longest {
            broken.push(format!("house.toml:{} {} is not too long any more", entry.line, entry.key));
        }
    }
    broken
}

/// No marks of unfinished work.
pub fn postponed(house: &House) -> Vec<String> {
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:"), concat!("to", "do!(")];
    let endings = [".rs", ".ts", ".tsx", ".mjs", ".md", ".toml", ".sql", ".css", ".html"];
    lines_with(house, &endings, |line| {
        let mut words =
            line.split(|sign: char| !(sign.is_alphanumeric() || sign == ':' || sign == '!' || sign == '('));
        words.any(|word| marks.iter().any(|mark| word.starts_with(mark)))
    })
}

/// A test that does not run is no test.
pub fn ignored_tests(house: &House) -> Vec<String> {
    let mark = concat!("#[ign", "ore");
    lines_with(house, &[".rs"], |line| line.trim_start().starts_with(mark))
}

/// No unsafe code, but in the files that house.toml expects.
pub fn unsafe_code(house: &House) -> Vec<String> {
    let expected = house.plan.list("unsafe", "files");
    let marks = [
        concat!("uns", "afe {"),
        concat!("uns", "afe fn"),
        concat!("uns", "afe impl"),
        concat!("uns", "afe extern"),
    ];
    let found = lines_with(house, &[".rs"], |line| {
        let code = line.trim_start();
        !code.starts_with("//") && marks.iter().any(|mark| code.contains(mark))
    });
    found.into_iter().filter(|line| !expected.iter().any(|file| line.starts_with(file.as_str()))).collect()
}

/// SQL stands in the repo.rs of a room; the machinery of the ground keeps it where it is used; tests may ask.
pub fn stray_sql(house: &House) -> Vec<String> {
    let call = concat!("sq", "l!(");
    let ground = house.plan.list("sql", "ground");
    let places = house.crates.iter().filter(|(name, _)| ground.contains(name)).map(|(_, room)| &room.folder);
    let listed = house.plan.list("sql", "files");
    let free: Vec<String> = places.map(|folder| format!("{folder}/")).collect();
    lines_with(house, &[".rs"], |line| line.contains(call) && !line.trim_start().starts_with("//"))
        .into_iter()
        .filter(|line| {
            let file = line.split(':').next().unwrap_or_default();
            let repo = file.ends_with("/repo.rs") || file.contains("/repo/");
            !repo
                && !file.contains("/tests/")
                && !listed.iter().any(|one| one == file)
                && !free.iter().any(|folder| file.starts_with(folder.as_str()))
        })
        .collect()
}

/// A migration stands in `migrations/sqlite` and `migrations/postgres` under one name.
pub fn lonely_migrations(house: &House) -> Vec<String> {
    let (sqlite, postgres) = ("/migrations/sqlite/", "/migrations/postgres/");
    let mut broken = Vec::new();
    for file in house.files.keys().filter(|file| file.ends_with(".sql")) {
        for (here, there) in [(sqlite, postgres), (postgres, sqlite)] {
            let twin = file.replace(here, there);
            if file.contains(here) && !house.files.contains_key(&twin) {
                broken.push(format!("{file} has no twin {twin}"));
            }
        }
    }
    broken
}

/// Words are enough. Tests may need such signs as input, so they are free.
pub fn pictures(house: &House) -> Vec<String> {
    let endings = [".rs", ".md", ".ts", ".tsx", ".mjs", ".css", ".toml"];
    let found = lines_with(house, &endings, |line| line.chars().any(is_picture));
    found.into_iter().filter(|line| !line.contains("/tests/")).collect()
}

fn is_picture(sign: char) -> bool {
    matches!(u32::from(sign), 0x1F000..=0x1FAFF | 0x2705 | 0x274C | 0x2728 | 0x26A0)
}

/// What would tell where the project was made or where its packages came from.
pub fn traces(house: &House) -> Vec<String> {
    let marks = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/u"),
        concat!("registry.npm", "js.org"),
        concat!("registry.y", "arnpkg"),
        concat!("static.crates", ".io"),
        concat!("index.crates", ".io"),
        concat!("deb.deb", "ian.org"),
        concat!("\"resol", "ved\": \"http"),
    ];
    lines_with(house, &[""], |line| marks.iter().any(|mark| line.contains(mark)))
}

#[cfg(test)]
mod tests {
    use super::{
        House, ignored_tests, lonely_migrations, long_files, postponed, stray_sql, traces, unsafe_code,
    };
    use crate::cargo_toml::Document;
    use crate::tidy::Room;
    use std::collections::BTreeMap;

    fn house(files: &[(&str, &str)]) -> House {
        let plan = "[sql]\nground = [\"store\"]\n[files]\nlongest = 3\n[long]\n\"a/src/known.rs\" = \"one algorithm\"\n";
        let room = |name: &str| Room { folder: format!("crates/{name}"), manifest: Document::default() };
        House {
            plan: Document::parse(plan),
            workspace: Document::default(),
            crates: BTreeMap::from([
                ("store".to_owned(), room("store")),
                ("identity".to_owned(), room("identity")),
            ]),
            files: files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect(),
        }
    }

    #[test]
    fn sql_outside_of_repo_is_found() {
        let text = concat!("let a = sq", "l!(\"select 1\");");
        let house = house(&[
            ("crates/identity/src/service.rs", text),
            ("crates/identity/src/repo.rs", text),
            ("crates/identity/tests/rows.rs", text),
            ("crates/store/src/lease.rs", text),
        ]);
        let found = stray_sql(&house);
        assert_eq!(found.len(), 1);
        assert!(found.iter().all(|line| line.starts_with("crates/identity/src/service.rs:1 ")));
    }

    #[test]
    fn a_migration_on_one_engine_only_is_found() {
        let house = house(&[
            ("crates/a/migrations/sqlite/0001_a.sql", ""),
            ("crates/a/migrations/postgres/0001_a.sql", ""),
            ("crates/a/migrations/postgres/0002_b.sql", ""),
        ]);
        assert_eq!(lonely_migrations(&house).len(), 1);
    }

    #[test]
    fn a_long_file_needs_a_reason_and_a_reason_needs_a_long_file() {
        assert_eq!(
            long_files(&house(&[("a/src/b.rs", "1\n2\n3\n4\n"), ("a/src/known.rs", "1\n2\n3\n4\n")])).len(),
            1
        );
        assert_eq!(long_files(&house(&[("a/src/known.rs", "1\n")])).len(), 1);
    }

    #[test]
    fn unfinished_work_is_found_but_not_words_that_hold_the_mark() {
        let marked = concat!("// TO", "DO: later");
        assert_eq!(postponed(&house(&[("a/src/b.rs", marked)])).len(), 1);
        assert!(postponed(&house(&[("a/src/b.rs", concat!("let METO", "DOS = 1;"))])).is_empty());
    }

    #[test]
    fn unsafe_blocks_and_ignored_tests_are_found() {
        let text = concat!("#[ign", "ore]\nfn a() { uns", "afe { b() } }\n// never uns", "afe { }\n");
        let house = house(&[("a/src/b.rs", text)]);
        assert_eq!(unsafe_code(&house).len(), 1);
        assert_eq!(ignored_tests(&house).len(), 1);
    }

    #[test]
    fn a_path_of_somebodys_machine_is_found() {
        assert_eq!(traces(&house(&[("a/README.md", concat!("see /ro", "ot/notes"))])).len(), 1);
    }
}
