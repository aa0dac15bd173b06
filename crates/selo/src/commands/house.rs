//! `selo init`, `serve`, `doctor`, `config`, `admin link`, `tenant`: the house itself.

use std::sync::Arc;

use base::{
    Call, Clock, Result, SystemChance, SystemClock,
    config::{Config, json_schema},
};
use http_kit::Pair;
use serde_json::{Value, json};

use super::{Exit, Voice, text};
use crate::{
    cli::Cli,
    door::Door,
    home::{Home, Letter, public_url},
    rooms::{self, Rooms},
    settings,
};

/// `selo init`: folders, key ring, tables, logs, the administrator and a one-time link.
///
/// # Errors
/// `HOME_EXISTS`, `PUBLIC_URL_INVALID`, `HOME_FILE`; the store's.
pub async fn init(voice: Voice, cli: &Cli, config: &Config, url: &str) -> Result<Exit> {
    let home = Home::at(&cli.home);
    let made = make(&home, cli, config, url).await?;
    if made.passphrase_made {
        voice.note(voice.lang.pick(
            "No passphrase was given, so one was made and kept in the home. Whoever can read the home can read everything; for production give --passphrase-file.",
            "Não foi dada frase-passe, por isso foi criada uma e guardada na casa. Quem puder ler a casa pode ler tudo; em produção indique --passphrase-file.",
        ));
    }
    let value = json!({
        "home": home.folder().display().to_string(), "publicUrl": made.public_url,
        "entry": made.link, "passphraseMade": made.passphrase_made,
    });
    voice.say(&value, || {
        format!(
            "{} {}\n{}: selo --home {} serve\n{}: {}\n",
            voice.lang.pick("A new house stands in", "Há uma casa nova em"),
            home.folder().display(),
            voice.lang.pick("serve it", "servi-la"),
            home.folder().display(),
            voice.lang.pick(
                "the administrator's one-time link, for 15 minutes",
                "a ligação única do administrador, durante 15 minutos"
            ),
            made.link,
        )
    });
    Ok(Exit::Done)
}

/// A house that was just made.
pub struct Made {
    /// Its public address.
    pub public_url: String,
    /// The administrator's one-time link.
    pub link: String,
    /// Whether the passphrase was made and kept in the home.
    pub passphrase_made: bool,
}

/// Makes a house. The letter is written last: until then there is no house, and a second try begins anew.
///
/// # Errors
/// As [`init`].
pub async fn make(home: &Home, cli: &Cli, config: &Config, url: &str) -> Result<Made> {
    let url = public_url(url)?;
    let settings = settings::store(config, home)?;
    home.make()?;
    let _lock =
        home.lock()?.ok_or_else(|| crate::error::HOME_BUSY.error().with("home", home.folder().display()))?;
    clear_attempt(home)?;
    let (passphrase, passphrase_made) =
        home.first_passphrase(cli.passphrase_file.as_deref(), &SystemChance)?;
    let key_file =
        keys::create_file(&home.key_file(), passphrase.expose(), SystemClock.now(), &SystemChance)?;
    let copy = settings.clone();
    blocking(move || store::migrate(&copy, &rooms::migrations()).map(drop)).await?;
    let rooms = open(home, config, key_file, &url).await?;
    let call = rooms.house.system("init");
    let host = url.split_once("://").map_or(url.as_str(), |(_, host)| host);
    rooms.audit.open(&call, host).await?;
    rooms.identity.create_administrator(&call, "administrator").await?;
    let link = entry_link(&rooms, config, &call).await?;
    crate::tasks::settle(&rooms).await?;
    rooms.house.db.close().await;
    home.seal(&Letter { format: 1, public_url: url.clone() })?;
    Ok(Made { public_url: url, link, passphrase_made })
}

/// Takes away what an `init` left that did not come to its end; only where no letter was ever written.
fn clear_attempt(home: &Home) -> Result<()> {
    let broken = |e: std::io::Error| {
        let reason = e.kind();
        crate::error::HOME_FILE
            .error()
            .with("file", home.folder().display())
            .with("reason", reason)
            .because(e)
    };
    for file in [home.key_file(), home.passphrase_file()] {
        if file.exists() {
            std::fs::remove_file(&file).map_err(broken)?;
        }
    }
    for folder in
        [home.database().parent().map(std::path::Path::to_path_buf), Some(home.blobs())].into_iter().flatten()
    {
        for entry in std::fs::read_dir(&folder).map_err(broken)? {
            let path = entry.map_err(broken)?.path();
            if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) }
                .map_err(broken)?;
        }
    }
    Ok(())
}

/// The address of the administrator's one-time entry; the token rides behind `#`, so no server's log sees it.
async fn entry_link(rooms: &Rooms, config: &Config, call: &Call) -> Result<String> {
    let token = rooms.identity.once(call).await?;
    Ok(format!("{}/enter#{}", admin_url(config), token.expose()))
}

/// The address of the admin zone's listener for a browser on this machine: browsers take cookies of a `localhost`
/// without TLS as secure.
pub fn admin_url(config: &Config) -> String {
    let listen = config.text("http.admin_listen");
    let port = listen.rsplit_once(':').map_or(listen, |(_, port)| port);
    match Pair::of_admin(config) {
        Pair::Own => format!("https://{}:{port}", config.text("http.admin_name")),
        _ => format!("http://localhost:{port}"),
    }
}

/// Opens the rooms of a house whose key file is open.
///
/// # Errors
/// `KEYS_TOKEN_SETTING`; the store's.
pub async fn open(home: &Home, config: &Config, key_file: keys::KeyFile, url: &str) -> Result<Rooms> {
    let (store, home, url) = (settings::store(config, home)?, home.clone(), url.to_owned());
    let config = config.clone();
    let metrics = base::telemetry::Metrics::new();
    let token = keys::TokenSettings::from_config(&config)?
        .map(|settings| keys::Token::new(settings, Arc::new(SystemClock), &metrics));
    let keys = keys::Keys::new(key_file, token);
    // A thread of its own: opening connects, and waits for the connection.
    blocking(move || {
        let (clock, chance) = (Arc::new(SystemClock), Arc::new(SystemChance));
        Rooms::open(&home, &config, &store, keys, &url, clock, chance, metrics)
    })
    .await
}

/// Opens the house of a home that this process has locked: letter, passphrase, migrations, rooms.
///
/// # Errors
/// `HOME_NOT_FOUND`, `HOME_NEWER`, `KEYS_WRONG_PASSPHRASE`; the store's.
pub async fn open_home(home: &Home, cli: &Cli, config: &Config) -> Result<Rooms> {
    let letter = home.letter()?;
    let passphrase = home.passphrase(cli.passphrase_file.as_deref())?;
    let file = home.key_file();
    let key_file = blocking(move || keys::KeyFile::open(&file, passphrase.expose())).await?;
    let settings = settings::store(config, home)?;
    blocking(move || store::migrate(&settings, &rooms::migrations()).map(drop)).await?;
    open(home, config, key_file, &letter.public_url).await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|e| base::error::INTERNAL.because(e))?
}

/// `selo admin link`
///
/// # Errors
/// The house's.
pub async fn link(voice: Voice, door: &Door, config: &Config) -> Result<Exit> {
    let made = door.post("/api/v1/admin/link", &json!({})).await?.data()?;
    let link = format!("{}/enter#{}", admin_url(config), text(&made, "/token"));
    voice.say(&json!({"entry": link}), || link.clone());
    Ok(Exit::Done)
}

/// `selo tenant create`
///
/// # Errors
/// `TENANT_NAME_INVALID`; the house's.
pub async fn create_tenant(voice: Voice, door: &Door, name: &str) -> Result<Exit> {
    let tenant = door.post("/api/v1/tenants", &json!({"name": name})).await?.data()?;
    voice.say(&tenant, || {
        format!("{}  {}\n{}", text(&tenant, "/id"), text(&tenant, "/name"), text(&tenant, "/did"))
    });
    Ok(Exit::Done)
}

/// `selo tenant list`
///
/// # Errors
/// The house's.
pub async fn tenants(voice: Voice, door: &Door) -> Result<Exit> {
    let page = door.get("/api/v1/tenants?limit=200").await?.data()?;
    voice.say(&page, || {
        let items = page.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
        items.iter().map(|tenant| format!("{}  {}\n", text(tenant, "/id"), text(tenant, "/name"))).collect()
    });
    Ok(Exit::Done)
}

/// `selo keys rotate`
///
/// # Errors
/// `KEYS_ROTATION_DID_KEY`; the house's.
pub async fn rotate(voice: Voice, door: &Door, tenant: Option<&str>) -> Result<Exit> {
    let also = tenant.map_or_else(String::new, |tenant| format!("?tenant={tenant}"));
    let made = door.post(&format!("/api/v1/keys/rotate{also}"), &json!({})).await?.data()?;
    voice.say(&made, || text(&made, "/key").to_owned());
    Ok(Exit::Done)
}

/// `selo config print`
pub fn print(voice: Voice, config: &Config, origin: bool) -> Exit {
    let entries: Vec<Value> = config
        .entries()
        .into_iter()
        .map(|entry| json!({"key": entry.key, "value": entry.value, "origin": entry.origin.to_string()}))
        .collect();
    voice.say(&json!({"settings": entries}), || config.print(origin, Some(voice.lang)));
    Exit::Done
}

/// `selo config check`: whoever gets here has a configuration that loads.
pub fn check(voice: Voice) -> Exit {
    voice.say(&json!({"ok": true}), || {
        voice.lang.pick("The configuration is good.", "A configuração está bem.").to_owned()
    });
    Exit::Done
}

/// `selo config schema`
pub fn schema(voice: Voice) -> Exit {
    let schema = json_schema(&rooms::settings_table());
    voice.say(&schema, || format!("{schema:#}"));
    Exit::Done
}

/// A finding of the doctor.
struct Finding {
    name: &'static str,
    good: bool,
    told: String,
}

/// `selo doctor`: looks and says, changes nothing.
///
/// # Errors
/// Those of a home that is not there at all.
pub async fn doctor(
    voice: Voice,
    cli: &Cli,
    config: &Config,
    home: &Home,
    door: Option<&Door>,
) -> Result<Exit> {
    use std::os::unix::fs::PermissionsExt;
    let pick = |en: &'static str, pt: &'static str| voice.lang.pick(en, pt);
    let mut findings = Vec::new();
    let mut note = |name: &'static str, good: bool, told: String| findings.push(Finding { name, good, told });
    let letter = home.letter()?;
    note("letter", true, letter.public_url.clone());
    for (name, path) in [("home", home.folder().to_path_buf()), ("keys", home.key_file())] {
        match std::fs::metadata(&path) {
            Ok(found) => {
                let mode = found.permissions().mode() & 0o077;
                note(name, mode == 0, format!("{} {:o}", path.display(), found.permissions().mode() & 0o777));
            }
            Err(failed) => note(name, false, format!("{} {}", path.display(), failed.kind())),
        }
    }
    let own = home.passphrase_file();
    note(
        "passphrase",
        true,
        if own.exists() {
            pick("kept in the home: not for production", "guardada na casa: não para produção").to_owned()
        } else {
            pick("not in the home", "fora da casa").to_owned()
        },
    );
    let opened = match home.passphrase(cli.passphrase_file.as_deref()) {
        Ok(passphrase) => {
            let file = home.key_file();
            blocking(move || keys::KeyFile::open(&file, passphrase.expose())).await.map(drop)
        }
        Err(failure) => Err(failure),
    };
    note(
        "key ring",
        opened.is_ok(),
        opened.err().map_or_else(|| pick("opens", "abre").to_owned(), |e| e.cause(voice.lang).into_owned()),
    );
    let store = settings::store(config, home)?;
    let known = blocking(move || store::migrate::check(&store, &rooms::migrations())).await;
    note(
        "tables",
        known.is_ok(),
        known.err().map_or_else(
            || pick("of this version", "desta versão").to_owned(),
            |e| e.cause(voice.lang).into_owned(),
        ),
    );
    if let Some(door) = door {
        let reports = door.post("/api/v1/log/verify", &json!({})).await?.data()?;
        for log in reports.get("logs").and_then(Value::as_array).into_iter().flatten() {
            let good = log.get("ok") == Some(&Value::Bool(true));
            let leaves = pick("leaves", "folhas");
            note("log", good, format!("{}: {} {leaves} {}", text(log, "/log"), log["size"], log["problems"]));
        }
    }
    let good = findings.iter().all(|finding| finding.good);
    let list: Vec<Value> =
        findings.iter().map(|f| json!({"check": f.name, "ok": f.good, "found": f.told})).collect();
    voice.say(&json!({"ok": good, "checks": list}), || {
        findings
            .iter()
            .map(|f| format!("{} {}: {}\n", if f.good { "✓" } else { "✗" }, f.name, f.told))
            .collect()
    });
    Ok(if good { Exit::Done } else { Exit::No })
}
