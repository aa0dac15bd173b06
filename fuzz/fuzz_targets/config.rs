//! Configuration files: what is accepted is printed, and reads back as the same; what is refused names every place.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use base::config::{Config, Setting, SettingKind};
use base::{Lang, Result};

/// One setting of each kind.
const SETTINGS: &[Setting] = &[
    Setting::new("http.public_listen", SettingKind::Text, "127.0.0.1:8080", "Where.", "Onde."),
    Setting::new(
        "http.workers",
        SettingKind::Integer { min: -1, max: 64, unit: "threads" },
        "2",
        "How many.",
        "Quantos.",
    ),
    Setting::new(
        "http.timeout",
        SettingKind::Duration { min: Duration::from_secs(1), max: Duration::from_secs(864_000) },
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

static FILE: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("selo-fuzz-config-{}.toml", std::process::id())));

fn seeds() -> Vec<Vec<u8>> {
    fuzz::texts(&[
        "[http]\nworkers = 3\ntimeout = \"1m30s\"\norigins = [\"https://a.example\", \"b\"]\n",
        "http = { public_listen = '''\na''', workers = 0x1f }\nlog.format = \"json\"\nlog.colour = true\n",
        "# é\n[keys]\npassphrase = \"hunter2\"\n[home]\nblobs = \"\\u00e9/\\\"b\\\"\"\n",
        "[http]\npublic_lisen = 1\n[[http.x]]\na.b.c = 1979-05-27T07:32:00Z\n[http]\n= =\n",
    ])
}

fn load(text: &[u8]) -> Result<Config> {
    std::fs::write(&*FILE, text).expect("the temporary folder can be written to");
    Config::load(&[SETTINGS], Some(&FILE), std::iter::empty(), &[])
}

fn check(bytes: &[u8]) {
    match load(bytes) {
        Ok(config) => {
            let printed = config.print(true, Some(Lang::En));
            let again = load(printed.as_bytes()).expect("what is printed is accepted");
            assert_eq!(again.print(false, None), config.print(false, None));
        }
        Err(error) => {
            for lang in [Lang::En, Lang::Pt] {
                assert!(!error.cause(lang).is_empty());
                assert!(error.details().iter().all(|detail| !detail.message(lang).is_empty()));
            }
            let placed = error.details().iter().all(|detail| !detail.field.is_empty());
            assert!(placed && (error.field().is_some() || !error.details().is_empty()));
        }
    }
}

fuzz::target!(seeds, check);
