//! `selo pki eab …`: external keys of the ACME server.

use base::Result;
use serde_json::{Value, json};

use super::{PAGE_ITEMS, every_page};
use crate::{
    cli::{EabCommand, EabNew},
    commands::{Exit, Voice, segment, text},
    door::Door,
};

const PATH: &str = "/api/v1/pki/external-keys";

/// Runs `selo pki eab …`.
///
/// # Errors
/// The house's.
pub(super) async fn run(voice: Voice, door: &Door, command: &EabCommand) -> Result<Exit> {
    match command {
        EabCommand::New(order) => make(voice, door, order).await,
        EabCommand::List => {
            let all = every_page(door, &format!("{PATH}?limit={PAGE_ITEMS}")).await?;
            voice.say(&all, || {
                all.get("items").and_then(Value::as_array).into_iter().flatten().map(line).collect()
            });
            Ok(Exit::Done)
        }
        EabCommand::Revoke { id } => {
            let revoked = door.post(&format!("{PATH}/{}/revoke", segment(id)), &json!({})).await?.data()?;
            voice.say(&revoked, || line(&revoked));
            Ok(Exit::Done)
        }
    }
}

async fn make(voice: Voice, door: &Door, order: &EabNew) -> Result<Exit> {
    let body = json!({
        "environment": order.environment, "profiles": order.profile, "dns": order.dns, "ip": order.ip,
        "uses": order.uses, "days": order.days,
    });
    let made = door.post(PATH, &body).await?.data()?;
    voice.say(&made, || {
        format!(
            "--eab-kid {}\n--eab-hmac-key {}\n{} {}\n",
            text(&made, "/id"),
            text(&made, "/hmacKey"),
            voice.lang.pick("it opens accounts until", "abre contas até"),
            text(&made, "/expiresAt")
        )
    });
    voice.note(voice.lang.pick(
        "The key is not shown again: hand it over by a private way.",
        "A chave não volta a ser mostrada: entregue-a por um meio privado.",
    ));
    Ok(Exit::Done)
}

/// One external key in a list.
fn line(one: &Value) -> String {
    let uses = one.get("usesLeft").and_then(Value::as_i64).unwrap_or_default();
    format!(
        "{}  {:<8}  {}  {}  {uses}\n",
        text(one, "/id"),
        text(one, "/state"),
        text(one, "/environment"),
        text(one, "/expiresAt")
    )
}
