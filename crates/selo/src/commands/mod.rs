//! What each word of the command line does: say it to the house, and say its answer to the caller.
//!
//! A command holds no rule: whatever it wants done it asks of the same API that a browser uses, through the local door.

pub mod account;
pub mod agent;
pub mod bench;
pub mod demo;
pub mod house;
pub mod issue;
pub mod log;
pub mod pki;
pub mod replay;
pub mod trust;
pub mod verify;

use std::{
    io::{IsTerminal as _, Write},
    time::Duration,
};

use base::{Error, Lang, Result, config::Config};
use serde_json::{Value, json};

use crate::{
    cli::{
        AdminCommand, Cli, Command, ConfigCommand, KeysCommand, LogCommand, PersonCommand, PkiCommand,
        TenantCommand,
    },
    door::Door,
    home::Home,
    rooms, serve,
};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or valid.
    Done,
    /// A clear no.
    No,
    /// What was given cannot be read as what it should be.
    Unreadable,
    /// Could not be decided.
    Undecided,
}

impl Exit {
    /// The exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::No => 1,
            Self::Unreadable => 2,
            Self::Undecided => 4,
        }
    }
}

/// How a command speaks.
#[derive(Debug, Clone, Copy)]
pub struct Voice {
    /// One JSON value on stdout.
    pub json: bool,
    /// The language.
    pub lang: Lang,
}

impl Voice {
    /// Says the result: the JSON value, or the lines for people.
    pub fn say(&self, value: &Value, lines: impl FnOnce() -> String) {
        let text = if self.json { format!("{value}\n") } else { format!("{}\n", lines().trim_end()) };
        // A reader that has gone away is no fault of ours.
        let _ = std::io::stdout().write_all(text.as_bytes());
    }

    /// Says what happens meanwhile, on stderr.
    pub fn note(&self, line: &str) {
        let _ = writeln!(std::io::stderr(), "{line}");
    }

    /// Says an error: on stdout as JSON, and on stderr for people.
    pub fn fail(&self, failure: &Error) {
        let lang = self.lang;
        if self.json {
            let details: Vec<Value> = failure
                .details()
                .iter()
                .map(|detail| json!({"field": detail.field, "code": detail.code.name, "message": detail.message(lang)}))
                .collect();
            let error = json!({
                "code": failure.code().name, "message": failure.cause(lang), "remedy": failure.remedy(lang),
                "field": failure.field(), "details": details,
            });
            let _ = writeln!(std::io::stdout(), "{}", json!({"success": false, "error": error}));
        }
        let place = failure.field().map_or_else(String::new, |field| format!(" [{field}]"));
        let mut text = format!(
            "{}{place}: {}\n  → {}\n",
            failure.code().name,
            failure.cause(lang),
            failure.remedy(lang)
        );
        for detail in failure.details() {
            text.push_str(&format!("  {} [{}]: {}\n", detail.code.name, detail.field, detail.message(lang)));
        }
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
}

/// The text at a pointer of an answer.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// A word of the caller as one segment of a path or one value of a query: whatever it holds stays inside it.
pub(crate) fn segment(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    for byte in word.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Reads a file that the caller named, `-` for standard input, bounded.
pub(crate) fn read(file: &std::path::Path, limit: u64) -> Result<Vec<u8>> {
    use std::io::Read;
    let broken = |e: std::io::Error| {
        crate::error::FILE.error().with("file", file.display()).with("reason", e.kind()).because(e)
    };
    let mut bytes = Vec::new();
    let read = if file.as_os_str() == "-" {
        std::io::stdin().take(limit + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|open| open.take(limit + 1).read_to_end(&mut bytes))
    };
    read.map_err(broken)?;
    if bytes.len() as u64 > limit {
        return Err(crate::error::FILE
            .error()
            .with("file", file.display())
            .with("reason", format!("> {limit} bytes")));
    }
    Ok(bytes)
}

/// Writes a file that the caller named.
pub(crate) fn write(file: &std::path::Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(file, bytes).map_err(|e| {
        crate::error::OUTPUT.error().with("file", file.display()).with("reason", e.kind()).because(e)
    })
}

/// Asks whoever sits there, who agrees with a whole word. Where nobody does, nobody has agreed.
///
/// # Errors
/// `NOT_AGREED` without a terminal.
pub(crate) fn agreed(voice: Voice, question: &str) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Err(crate::error::NOT_AGREED.error());
    }
    let broken = |e: std::io::Error| base::error::INTERNAL.because(e);
    let how = voice.lang.pick("Type yes:", "Escreva sim:");
    std::io::stderr().write_all(format!("{question} {how} ").as_bytes()).map_err(broken)?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(broken)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "yes" | "sim"))
}

/// Runs a command line; the exit code.
pub fn main(cli: &Cli) -> u8 {
    let voice = Voice { json: cli.json, lang: language(cli) };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(failed) => {
            voice.fail(&base::error::INTERNAL.because(failed));
            return 3;
        }
    };
    match runtime.block_on(dispatch(voice, cli)) {
        Ok(exit) => exit.code(),
        Err(failure) => {
            voice.fail(&failure);
            tracing::debug!("{failure:?}");
            failure.kind().exit()
        }
    }
}

/// Says what is wrong with a command line, or prints the help that was asked for; the exit code.
pub fn wrong_use(wrong: &clap::Error) -> u8 {
    // Where nothing more can be printed, nothing more can be done.
    let _ = wrong.print();
    if !wrong.use_stderr() {
        return Exit::Done.code();
    }
    // What was not understood has no `--json` to ask, so the words themselves are looked at.
    if std::env::args_os().any(|word| word == "--json") {
        let reason = wrong.kind().as_str().unwrap_or("unknown words");
        Voice { json: true, lang: spoken(None) }.fail(&crate::error::USAGE.error().with("reason", reason));
    }
    Exit::Unreadable.code()
}

fn language(cli: &Cli) -> Lang {
    spoken(cli.lang.clone())
}

fn spoken(asked: Option<String>) -> Lang {
    let asked = asked.or_else(|| base::config::variable("LANG")).unwrap_or_default();
    Lang::negotiate(&asked.replace('_', "-")).unwrap_or_default()
}

fn configuration(cli: &Cli, home: &Home) -> Result<Config> {
    let file = cli.config.clone().or_else(|| home.config_file());
    let flags: Vec<(String, String)> = cli
        .set
        .iter()
        .map(|pair| {
            pair.split_once('=').map_or((pair.clone(), String::new()), |(k, v)| (k.to_owned(), v.to_owned()))
        })
        .collect();
    Config::load(&rooms::settings_table(), file.as_deref(), base::config::environment(), &flags)
}

async fn dispatch(voice: Voice, cli: &Cli) -> Result<Exit> {
    let home = Home::at(&cli.home);
    // What is done with a root's shares needs neither house nor configuration.
    if let Command::Pki(PkiCommand::Root(order)) = &cli.command
        && let Some(done) = pki::roots::offline(voice, order)
    {
        return done;
    }
    if let Command::Openapi = &cli.command {
        // One form whatever the voice: this is what is committed and compared, byte for byte.
        let _ = writeln!(std::io::stdout(), "{:#}", serve::contract()?);
        return Ok(Exit::Done);
    }
    if let Command::Agent(order) = &cli.command {
        // Beside a service there is no house: --config names the agent's own file.
        return agent::run(voice, cli, order).await;
    }
    let config = configuration(cli, &home)?;
    let quiet = !matches!(cli.command, Command::Serve);
    let filter = if quiet { "error" } else { config.text("telemetry.filter") };
    base::telemetry::init(
        base::telemetry::Format::choose(config.text("telemetry.format")),
        filter,
        std::sync::Arc::new(base::SystemClock),
    )?;
    match &cli.command {
        Command::Openapi | Command::Agent(_) => Ok(Exit::Done),
        Command::Init(order) => house::init(voice, cli, &config, &order.public_url).await,
        Command::Serve => serve::run(voice, cli, &home, &config).await,
        Command::Demo(order) => demo::command(voice, cli, &config, order).await,
        Command::Config(ConfigCommand::Check) => Ok(house::check(voice)),
        Command::Config(ConfigCommand::Print { origin }) => Ok(house::print(voice, &config, *origin)),
        Command::Config(ConfigCommand::Schema) => Ok(house::schema(voice)),
        Command::Verify(order) => {
            if !home.is_made() {
                return verify::run(voice, order, None).await;
            }
            let house = Visit::to(voice, cli, &home, &config).await?;
            let exit = verify::run(voice, order, Some(&house.door)).await;
            house.leave().await?;
            exit
        }
        Command::Log(LogCommand::Verify { proof: Some(file), vkey: Some(vkey) }) => {
            log::verify_proof(voice, file, Some(vkey), None).await
        }
        Command::Doctor => {
            // The doctor only looks: it asks a house that is served, and opens none itself.
            let letter = home.letter()?;
            match home.lock()? {
                None => {
                    let door = Door::socket(&home, letter.public_url, voice.lang);
                    house::doctor(voice, cli, &config, &home, Some(&door)).await
                }
                Some(_lock) => house::doctor(voice, cli, &config, &home, None).await,
            }
        }
        Command::Pki(PkiCommand::Replay { log }) => replay::replay(voice, cli, &home, &config, log).await,
        Command::Bench { what } => bench::run(voice, what).await,
        _ => {
            let house = Visit::to(voice, cli, &home, &config).await?;
            let exit = visit(voice, cli, &config, &house.door).await;
            house.leave().await?;
            exit
        }
    }
}

async fn visit(voice: Voice, cli: &Cli, config: &Config, door: &Door) -> Result<Exit> {
    match &cli.command {
        Command::Issue(order) => issue::run(voice, door, order).await,
        Command::Revoke(order) => issue::change(voice, door, "revoke", order).await,
        Command::Suspend(order) => issue::change(voice, door, "suspend", order).await,
        Command::Reinstate(order) => issue::change(voice, door, "reinstate", order).await,
        Command::Log(LogCommand::Verify { proof: None, .. }) => log::verify_all(voice, door).await,
        Command::Log(LogCommand::Verify { proof: Some(file), vkey }) => {
            log::verify_proof(voice, file, vkey.as_deref(), Some(door)).await
        }
        Command::Log(LogCommand::Prove { id, out }) => log::prove(voice, door, id, out).await,
        Command::Log(LogCommand::Mirror { log: name, out }) => replay::mirror(voice, door, name, out).await,
        Command::Log(LogCommand::Checkpoint { log: name }) => log::checkpoint(voice, door, name).await,
        Command::Person(PersonCommand::Erase { id, tenant }) => {
            issue::erase(voice, door, id, tenant.as_deref()).await
        }
        Command::Tenant(TenantCommand::Create { name }) => house::create_tenant(voice, door, name).await,
        Command::Tenant(TenantCommand::List) => house::tenants(voice, door).await,
        Command::Keys(KeysCommand::Rotate { tenant }) => house::rotate(voice, door, tenant.as_deref()).await,
        Command::Pki(order) => pki::run(voice, door, order).await,
        Command::Account(order) => account::run(voice, door, order).await,
        Command::Trust(order) => trust::run(voice, door, order).await,
        Command::Admin(AdminCommand::Link) => house::link(voice, door, config).await,
        _ => Ok(Exit::Done),
    }
}

/// As long as a command waits for a house that is locked and does not answer yet.
const VISIT_WAIT: Duration = Duration::from_secs(10);
const VISIT_STEP: Duration = Duration::from_millis(50);

/// A visit to the house: over the socket of the process that is the house, or, when nobody is, inside this one.
pub(crate) struct Visit {
    pub(crate) door: Door,
    inside: Option<serve::Inside>,
}

impl Visit {
    pub(crate) async fn to(voice: Voice, cli: &Cli, home: &Home, config: &Config) -> Result<Self> {
        let letter = home.letter()?;
        // A house that is being opened or closed, or another command that is the house for a moment, is waited for.
        let patience = tokio::time::Instant::now() + VISIT_WAIT;
        let lock = loop {
            match home.lock()? {
                Some(lock) => break Some(lock),
                None if tokio::net::UnixStream::connect(home.socket()).await.is_ok() => break None,
                None if tokio::time::Instant::now() > patience => break None,
                None => tokio::time::sleep(VISIT_STEP).await,
            }
        };
        match lock {
            None => Ok(Self { door: Door::socket(home, letter.public_url, voice.lang), inside: None }),
            Some(lock) => {
                let rooms = house::open_home(home, cli, config).await?;
                let inside = serve::Inside::open(rooms, config, lock).await?;
                let door = Door::inside(inside.admin(), home, letter.public_url, voice.lang);
                Ok(Self { door, inside: Some(inside) })
            }
        }
    }

    /// Ends the visit: what this process did as the house is published and closed.
    pub(crate) async fn leave(self) -> Result<()> {
        match self.inside {
            Some(inside) => inside.close().await,
            None => Ok(()),
        }
    }
}
