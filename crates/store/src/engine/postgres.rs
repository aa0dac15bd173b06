//! PostgreSQL through the synchronous `postgres` crate: connecting with limits, running statements, naming faults.
//!
//! A connection belongs to one thread. Statements are prepared once per connection, by the address of their text.
//! Never here: the `DETAIL` of a server's message, which quotes values.

use std::{collections::HashMap, time::Duration};

use base::{Error, Result, Secret};
use postgres::{Client, error::SqlState, fallible_iterator::FallibleIterator, types::ToSql};

use crate::{
    engine::{Engine, Shape},
    error::{
        Fault, RETRY_AFTER_SECONDS, STORE_CONFLICT, STORE_CONSTRAINT, STORE_DISK_FULL, STORE_IO,
        STORE_OTHER_TENANT, STORE_SETTINGS, STORE_STATEMENT, STORE_TIMEOUT, STORE_UNAVAILABLE, STORE_UNIQUE,
    },
    row::Row,
    settings::LOCK_TIMEOUT,
    sql::Sql,
    tls::Address,
    value::Value,
};

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the network may be silent while we wait for a reply before the line counts as broken.
const SILENCE_MAX: Duration = Duration::from_secs(10);
/// The oldest server that is supported.
const SERVER_VERSION_MIN: i32 = 150_000;

/// One connection, on one thread.
pub(crate) struct Connection {
    client: Client,
    /// By the address of the registered text.
    statements: HashMap<usize, postgres::Statement>,
}

impl Connection {
    /// Connects; `statement_timeout` zero means no limit (migrations).
    pub(crate) fn open(url: &Secret<String>, name: &str, statement_timeout: Duration) -> Result<Self> {
        let mut address = Address::read(url)?;
        address
            .config
            .application_name(name)
            .connect_timeout(CONNECT_TIMEOUT)
            .keepalives(true)
            .keepalives_idle(SILENCE_MAX)
            .tcp_user_timeout(SILENCE_MAX);
        let mut client = address.connect()?;
        let limits = format!(
            "set statement_timeout = {}; set lock_timeout = {}; set idle_in_transaction_session_timeout = {};
             set timezone = 'UTC'; set search_path = public; set synchronous_commit = on",
            statement_timeout.as_millis(),
            LOCK_TIMEOUT.as_millis(),
            statement_timeout.as_millis().saturating_mul(2)
        );
        client.batch_execute(&limits).map_err(|error| fault(&error, "connect"))?;
        Ok(Self { client, statements: HashMap::new() })
    }

    pub(crate) fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Refuses a server that is too old and a role that row-level security does not bind.
    pub(crate) fn check_server(&mut self, may_see_all: bool) -> Result<()> {
        let row = self
            .client
            .query_one(
                "select current_setting('server_version_num')::int, rolsuper or rolbypassrls, current_user::text
                 from pg_roles where rolname = current_user",
                &[],
            )
            .map_err(|error| fault(&error, "connect"))?;
        let version: i32 = row.get(0);
        if version < SERVER_VERSION_MIN {
            return Err(STORE_SETTINGS.error().with("reason", "PostgreSQL 15 or later is needed"));
        }
        let unbound: bool = row.get(1);
        if unbound && !may_see_all {
            let role: String = row.get(2);
            let reason = format!("role {role} is a superuser or bypasses row-level security");
            return Err(STORE_SETTINGS.error().with("reason", reason));
        }
        Ok(())
    }

    /// Runs one of the workers' own short texts.
    pub(crate) fn control(&mut self, text: &str) -> Result<()> {
        self.client.batch_execute(text).map_err(|error| fault(&error, "transaction"))
    }

    pub(crate) fn execute(&mut self, sql: &'static Sql, values: &[Value]) -> Result<u64> {
        let statement = self.prepared(sql, values.len())?;
        let parameters: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
        self.client.execute(&statement, &parameters).map_err(|error| fault(&error, sql.name()))
    }

    pub(crate) fn each(
        &mut self,
        sql: &'static Sql,
        values: &[Value],
        each: &mut dyn FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<Result<()>> {
        let statement = self.prepared(sql, values.len())?;
        let mut rows =
            self.client.query_raw(&statement, values).map_err(|error| fault(&error, sql.name()))?;
        while let Some(row) = rows.next().map_err(|error| fault(&error, sql.name()))? {
            if let Err(refused) = each(&Row::Postgres(&row)) {
                return Ok(Err(refused));
            }
        }
        Ok(Ok(()))
    }

    fn prepared(&mut self, sql: &'static Sql, given: usize) -> Result<postgres::Statement> {
        let key = std::ptr::from_ref(sql).addr();
        let statement = match self.statements.get(&key) {
            Some(statement) => statement.clone(),
            None => {
                let made = self.client.prepare(sql.text).map_err(|error| fault(&error, sql.name()))?;
                self.statements.insert(key, made.clone());
                made
            }
        };
        if statement.params().len() != given {
            return Err(STORE_STATEMENT.error().with("statement", sql.name()).because(Fault {
                engine: Engine::Postgres,
                code: "parameters".to_owned(),
                message: format!(
                    "{given} values were given, the text has {} placeholders",
                    statement.params().len()
                ),
                statement: sql.name().to_owned(),
            }));
        }
        Ok(statement)
    }

    /// Prepares a statement and tells its shape.
    pub(crate) fn shape(&mut self, sql: &'static Sql) -> Result<Shape> {
        let statement = self.client.prepare(sql.text).map_err(|error| fault(&error, sql.name()))?;
        Ok(Shape {
            parameters: statement.params().len(),
            columns: statement.columns().iter().map(|column| column.name().to_owned()).collect(),
        })
    }
}

/// A driver's error as one of the house's.
pub(crate) fn fault(error: &postgres::Error, statement: &str) -> Error {
    let (code, state, message) = match error.as_db_error() {
        Some(said) => (named(said.code()), said.code().code().to_owned(), said.message().to_owned()),
        None => match refused_value(error) {
            Some(message) => (&STORE_STATEMENT, "value".to_owned(), message),
            None => (&STORE_UNAVAILABLE, "line".to_owned(), error.to_string()),
        },
    };
    let fault = Fault { engine: Engine::Postgres, code: state, message, statement: statement.to_owned() };
    let answer = code.because(fault);
    if code.name == STORE_STATEMENT.name {
        return answer.with("statement", statement);
    }
    if code.kind.retryable() { answer.retry_after(RETRY_AFTER_SECONDS) } else { answer }
}

/// What was wrong with a bound value, when the error is of that kind and not of the line.
fn refused_value(error: &postgres::Error) -> Option<String> {
    let text = error.to_string();
    let ours =
        text.starts_with("error serializing parameter") || text.starts_with("error deserializing column");
    ours.then(|| match std::error::Error::source(error) {
        Some(source) => format!("{text}: {source}"),
        None => text,
    })
}

fn named(state: &SqlState) -> &'static base::Code {
    match *state {
        SqlState::UNIQUE_VIOLATION => return &STORE_UNIQUE,
        SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED => return &STORE_CONFLICT,
        SqlState::QUERY_CANCELED | SqlState::LOCK_NOT_AVAILABLE => return &STORE_TIMEOUT,
        SqlState::DISK_FULL => return &STORE_DISK_FULL,
        SqlState::IO_ERROR => return &STORE_IO,
        SqlState::INSUFFICIENT_PRIVILEGE => return &STORE_OTHER_TENANT,
        _ => {}
    }
    match state.code().get(..2) {
        // Connection exceptions, operator intervention, too little of something (connections, memory).
        Some("08" | "57" | "53") => &STORE_UNAVAILABLE,
        Some("23") => &STORE_CONSTRAINT,
        Some("25") if state.code() == "25P03" => &STORE_TIMEOUT,
        _ => &STORE_STATEMENT,
    }
}

/// Whether the same transaction may succeed when it is run again at once.
pub(crate) fn is_conflict(error: &Error) -> bool {
    error.is(&STORE_CONFLICT)
}
