//! `selo agent`: keeps the certificates of services on this machine new.
//!
//! It needs no house and opens none; everything it knows stands in its own file and folder.

use std::sync::Arc;

use agent::{Agent, Config, Status};
use base::{Lang, Result, SystemChance, SystemClock, error::INTERNAL, telemetry};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

use super::{Exit, Voice};
use crate::{
    cli::{self, AgentCommand, Cli},
    error,
};

/// Runs the command.
///
/// # Errors
/// `USAGE_INVALID` without a file, `AGENT_CONFIG_INVALID`, `AGENT_STATE_BROKEN`.
pub async fn run(voice: Voice, cli: &Cli, order: &cli::Agent) -> Result<Exit> {
    let file = cli.config.as_deref();
    let file = file.ok_or_else(|| error::USAGE.error().with("reason", "--config FILE is missing"))?;
    let agent = Agent::new(Config::read(file)?, Arc::new(SystemClock), Arc::new(SystemChance))?;
    if let Some(AgentCommand::Status) = order.what {
        return Ok(report(voice, &agent.status()));
    }
    let format = telemetry::Format::choose("auto");
    telemetry::init(format, "info", Arc::new(SystemClock))?;
    if order.once {
        return Ok(report(voice, &agent.round().await));
    }
    let broken = |e| INTERNAL.because(e);
    let mut terminate = signal(SignalKind::terminate()).map_err(broken)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(broken)?;
    agent
        .run(async {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        })
        .await;
    Ok(Exit::Done)
}

/// Says how each certificate is doing; a clear no when one is not well.
fn report(voice: Voice, all: &[Status]) -> Exit {
    let well = all.iter().all(Status::is_well);
    let certificates: Vec<Value> = all
        .iter()
        .map(|status| {
            let state = &status.state;
            json!({
                "name": status.name, "well": status.is_well(), "mood": status.mood, "serial": state.serial,
                "notAfter": state.life.map(|life| life.not_after), "nextRenewal": status.next(),
                "renewed": state.renewed, "failures": state.failures, "served": state.served,
                "trouble": state.trouble.as_ref().map(|trouble| {
                    json!({"code": trouble.code, "message": trouble.told(voice.lang)})
                }),
            })
        })
        .collect();
    voice.say(&json!({"well": well, "certificates": certificates}), || {
        all.iter().map(|status| line(voice.lang, status)).collect::<Vec<_>>().join("\n")
    });
    if well { Exit::Done } else { Exit::No }
}

fn line(lang: Lang, status: &Status) -> String {
    let state = &status.state;
    let (well, not_well, until, next) = match lang {
        Lang::En => ("well", "NOT WELL", "until", "next renewal"),
        Lang::Pt => ("bem", "NÃO ESTÁ BEM", "até", "próxima renovação"),
    };
    let mut line = format!("{}  {}", status.name, if status.is_well() { well } else { not_well });
    if let Some(life) = state.life {
        line.push_str(&format!("  {until} {}", life.not_after));
    }
    if let Some(time) = status.next() {
        line.push_str(&format!("  {next} {time}"));
    }
    if let Some(trouble) = &state.trouble {
        line.push_str(&format!("\n  {}: {}", trouble.code, trouble.told(lang)));
    }
    line
}
