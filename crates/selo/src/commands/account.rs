//! `selo account …`: accounts of partners' programs.

use base::Result;
use serde_json::{Value, json};

use super::{Exit, Voice, segment, text};
use crate::{cli::AccountCommand, door::Door};

/// Runs `selo account …`.
///
/// # Errors
/// The house's.
pub async fn run(voice: Voice, door: &Door, command: &AccountCommand) -> Result<Exit> {
    match command {
        AccountCommand::New { name, permissions, allow_ip, tenant } => {
            let body = json!({"name": name, "permissions": permissions, "networks": allow_ip});
            let made = door.post(&path("", tenant.as_deref()), &body).await?.data()?;
            voice.say(&made, || line(&made));
        }
        AccountCommand::List { tenant } => {
            let all = door.get(&path("", tenant.as_deref())).await?.data()?;
            voice.say(&all, || items(&all).map(line).collect());
        }
        AccountCommand::Close { account, tenant } => {
            let id = find(door, account, tenant.as_deref()).await?;
            let closed = door.delete(&path(&format!("/{}", segment(&id)), tenant.as_deref())).await?;
            closed.data()?;
            voice.say(&json!({"closed": id}), || id.clone());
        }
    }
    Ok(Exit::Done)
}

/// The id of an account that somebody named, or gave by id.
///
/// # Errors
/// `ACCOUNT_NOT_FOUND`; the house's.
pub(super) async fn find(door: &Door, named: &str, tenant: Option<&str>) -> Result<String> {
    let all = door.get(&path("", tenant)).await?.data()?;
    items(&all)
        .find(|one| text(one, "/name") == named || text(one, "/id") == named)
        .map(|one| text(one, "/id").to_owned())
        .ok_or_else(|| identity::error::ACCOUNT_NOT_FOUND.error())
}

/// Lets an account enter with a certificate.
///
/// # Errors
/// The house's.
pub(super) async fn bind(door: &Door, account: &str, tenant: Option<&str>, certificate: &str) -> Result<()> {
    let path = path(&format!("/{}/certificates", segment(account)), tenant);
    door.post(&path, &json!({"certificate": certificate})).await?.data().map(drop)
}

fn path(rest: &str, tenant: Option<&str>) -> String {
    let also = tenant.map_or_else(String::new, |tenant| format!("?tenant={}", segment(tenant)));
    format!("/api/v1/accounts{rest}{also}")
}

fn items(page: &Value) -> impl Iterator<Item = &Value> {
    page.get("items").and_then(Value::as_array).into_iter().flatten()
}

fn line(account: &Value) -> String {
    let words = |name: &str| {
        let list = account.get(name).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(Value::as_str).collect::<Vec<_>>().join(",")
    };
    let closed = text(account, "/closedAt");
    format!(
        "{}  {:<24}  {}  {}  {closed}\n",
        text(account, "/id"),
        text(account, "/name"),
        words("permissions"),
        words("networks")
    )
}
