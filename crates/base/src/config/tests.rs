//! What the configuration accepts, refuses and says about it.

use super::*;

const SETTINGS: &[Setting] = &[
    Setting::new("http.public_listen", SettingKind::Text, "127.0.0.1:8080", "Where.", "Onde."),
    Setting::new(
        "http.workers",
        SettingKind::Integer { min: 1, max: 64, unit: "threads" },
        "2",
        "How many.",
        "Quantos.",
    ),
    Setting::new(
        "http.timeout",
        SettingKind::Duration { min: Duration::from_secs(1), max: Duration::from_secs(300) },
        "30s",
        "How long.",
        "Quanto tempo.",
    ),
    Setting::new("http.origins", SettingKind::List, "", "Who.", "Quem."),
    Setting::new("log.format", SettingKind::Enum(&["auto", "json", "human"]), "auto", "Form.", "Forma."),
    Setting::new("log.colour", SettingKind::Bool, "false", "Colour.", "Cor."),
    Setting::new("home.blobs", SettingKind::Path, "", "Folder.", "Pasta."),
    Setting::secret("keys.passphrase", "", "Passphrase.", "Frase."),
];

fn load(toml: Option<&str>, env: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<Config> {
    let folder = Folder::new();
    let file = toml.map(|text| folder.write("selo.toml", text));
    let pairs = |list: &[(&str, &str)]| {
        list.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<Vec<_>>()
    };
    Config::load(&[SETTINGS], file.as_deref(), pairs(env).into_iter(), &pairs(flags))
}

/// A folder of its own that goes away again.
struct Folder(PathBuf);
impl Folder {
    fn new() -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("selo-config-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}
impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn problems(result: Result<Config>) -> Vec<(String, &'static str)> {
    let Err(error) = result else { panic!("it was accepted") };
    error.details().iter().map(|detail| (detail.field.clone(), detail.code.name)).collect()
}

#[test]
fn each_layer_overrules_the_one_below_and_is_named_as_origin() {
    let toml = "[http]\nworkers = 3\ntimeout = \"1m30s\"\norigins = [\"https://a.example\"]\n";
    let config =
        load(Some(toml), &[("SELO_HTTP_WORKERS", "4"), ("PATH", "/bin")], &[("log.format", "json")]).unwrap();
    assert_eq!(config.text("http.public_listen"), "127.0.0.1:8080");
    assert_eq!(config.integer("http.workers"), 4);
    assert_eq!(config.duration("http.timeout"), Duration::from_secs(90));
    assert_eq!(config.list("http.origins"), ["https://a.example"]);
    assert_eq!(config.text("log.format"), "json");
    let origin = |key| config.origin(key).unwrap().to_string();
    assert_eq!(origin("http.public_listen"), "default");
    assert!(origin("http.timeout").ends_with("selo.toml:3:1"), "{}", origin("http.timeout"));
    assert_eq!(origin("http.workers"), "SELO_HTTP_WORKERS");
    assert_eq!(origin("log.format"), "--set log.format");
}

#[test]
fn every_problem_is_reported_at_once_with_its_place() {
    let toml = "[http]\npublic_lisen = \"x\"\nworkers = 65\ntimeout = 30\n[log]\nformat = \"xml\"\ncolour = \"yes\"\n";
    let found = problems(load(
        Some(toml),
        &[("SELO_HTTP_WORKER", "2"), ("SELO_HTTP_TIMEOUT", "1 fortnight")],
        &[("keys.passphrase", "hunter2"), ("quite.else", "1")],
    ));
    let place = |end: &str| found.iter().find(|(field, _)| field.ends_with(end)).map(|(_, code)| *code);
    assert_eq!(place("selo.toml:2:1"), Some("CONFIG_MISSPELT_KEY"));
    assert_eq!(place("selo.toml:3:1"), Some("CONFIG_OUT_OF_RANGE"));
    assert_eq!(place("selo.toml:4:1"), Some("CONFIG_WRONG_KIND"));
    assert_eq!(place("selo.toml:6:1"), Some("CONFIG_NOT_A_CHOICE"));
    assert_eq!(place("selo.toml:7:1"), Some("CONFIG_WRONG_KIND"));
    assert_eq!(place("SELO_HTTP_WORKER"), Some("CONFIG_MISSPELT_KEY"));
    assert_eq!(place("SELO_HTTP_TIMEOUT"), Some("CONFIG_WRONG_KIND"));
    assert_eq!(place("--set keys.passphrase"), Some("CONFIG_SECRET_IN_FLAG"));
    assert_eq!(place("--set quite.else"), Some("CONFIG_UNKNOWN_KEY"));
    assert_eq!(found.len(), 9);
}

#[test]
fn a_misspelt_key_gets_the_nearest_one_as_a_suggestion() {
    let error = load(None, &[], &[("http.publik_listen", "x")]).unwrap_err();
    let detail = error.details().first().unwrap();
    assert!(detail.message(Lang::En).ends_with("Did you mean http.public_listen?"));
    assert!(detail.message(Lang::Pt).ends_with("Queria dizer http.public_listen?"));
    assert_eq!(
        nearest("SELO_HTTP_WORKRS", ["SELO_HTTP_WORKERS", "SELO_LOG_FORMAT"].into_iter()),
        Some("SELO_HTTP_WORKERS")
    );
    assert_eq!(nearest("banana", ["http.workers"].into_iter()), None);
}

#[test]
fn a_range_is_told_with_its_unit() {
    let error = load(None, &[("SELO_HTTP_WORKERS", "0")], &[]).unwrap_err();
    let message = error.details().first().unwrap().message(Lang::En);
    assert!(message.contains("from 1 threads to 64 threads"), "{message}");
}

#[test]
fn broken_toml_names_line_and_column() {
    let found = problems(load(Some("[http]\nworkers = = 3\n"), &[], &[]));
    assert!(
        found.iter().any(|(field, code)| field.contains("selo.toml:2:") && *code == "CONFIG_SYNTAX"),
        "{found:?}"
    );
}

#[test]
fn a_missing_file_is_an_error_and_no_silent_default() {
    let error = Config::load(&[SETTINGS], Some(Path::new("/nowhere/selo.toml")), std::iter::empty(), &[])
        .unwrap_err();
    assert!(error.is(&CONFIG_FILE_UNREADABLE));
}

#[test]
fn secrets_are_fetched_from_files_and_credentials_and_never_printed() {
    let folder = Folder::new();
    folder.write("pass", "correct horse\n");
    let toml = folder.write("selo.toml", "keys.passphrase = \"file:pass\"\n");
    let config = Config::load(&[SETTINGS], Some(&toml), std::iter::empty(), &[]).unwrap();
    assert_eq!(config.secret("keys.passphrase").unwrap().unwrap().expose(), "correct horse");
    assert!(config.print(true, None).contains("keys.passphrase = \"(secret)\""));
    assert!(!format!("{config:?}").contains("horse"));
    assert_eq!(config.text("keys.passphrase"), "", "a secret has its own getter");

    let env = [("CREDENTIALS_DIRECTORY", folder.0.to_str().unwrap()), ("SELO_KEYS_PASSPHRASE", "cred:pass")];
    let config = load(None, &env, &[]).unwrap();
    assert_eq!(config.secret("keys.passphrase").unwrap().unwrap().expose(), "correct horse");

    let config = load(None, &[("SELO_KEYS_PASSPHRASE", "cred:../pass")], &[]).unwrap();
    assert!(config.secret("keys.passphrase").unwrap_err().is(&CONFIG_WRONG_KIND));
    let config = load(None, &[], &[("keys.passphrase", "file:/nowhere/pass")]).unwrap();
    assert!(config.secret("keys.passphrase").unwrap_err().is(&CONFIG_SECRET_UNREADABLE));
    assert!(load(None, &[], &[]).unwrap().secret("keys.passphrase").unwrap().is_none());
}

#[test]
fn relative_paths_of_a_file_count_from_its_folder() {
    let folder = Folder::new();
    let toml = folder.write("selo.toml", "[home]\nblobs = \"blobs\"\n");
    let config = Config::load(&[SETTINGS], Some(&toml), std::iter::empty(), &[]).unwrap();
    assert_eq!(config.path("home.blobs").unwrap(), folder.0.join("blobs"));
    assert_eq!(load(None, &[], &[]).unwrap().path("home.blobs"), None);
}

#[test]
fn what_is_printed_reads_back_as_the_same_configuration() {
    let config =
        load(None, &[], &[("http.timeout", "90s"), ("http.origins", "https://a.example, https://b.example")])
            .unwrap();
    let again = load(Some(&config.print(true, Some(Lang::En))), &[], &[]).unwrap();
    assert_eq!(again.print(false, None), config.print(false, None));
    assert!(again.print(false, None).contains("http.timeout = \"1m30s\""));
}

#[test]
fn variables_of_tests_and_of_the_home_are_no_settings() {
    assert!(
        load(None, &[("SELO_HOME", "/x"), ("SELO_TEST_POSTGRES", "y"), ("SELO_VECTORS", "z")], &[]).is_ok()
    );
}

#[test]
fn the_schema_mirrors_the_table() {
    let schema = json_schema(&[SETTINGS]);
    let workers = &schema["properties"]["http"]["properties"]["workers"];
    assert_eq!(workers["maximum"], 64);
    assert_eq!(workers["default"], 2);
    assert_eq!(workers["x-environment"], "SELO_HTTP_WORKERS");
    assert_eq!(schema["properties"]["http"]["additionalProperties"], false);
    assert_eq!(schema["properties"]["keys"]["properties"]["passphrase"]["x-secret"], true);
}

#[test]
fn two_rooms_cannot_declare_one_key_and_a_default_keeps_its_own_rule() {
    assert!(Config::defaults(&[SETTINGS, SETTINGS]).unwrap_err().is(&CONFIG_TABLE_BROKEN));
    const BROKEN: &[Setting] = &[Setting::new("a.b", SettingKind::Bool, "maybe", "", "")];
    assert!(Config::defaults(&[BROKEN]).unwrap_err().is(&CONFIG_TABLE_BROKEN));
}
