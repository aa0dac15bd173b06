//! Many at once: a table is received row by row, sealed, and issued by a job in chunks.
//!
//! A row has a person from the moment it is stored, and is sealed under that person's key. The job looks only at rows
//! that wait, and a row's credential is planned under its line, so a job that is killed anywhere and goes on issues
//! each row once.

use std::{collections::BTreeMap, future::Future, pin::Pin, sync::Arc, time::Duration};

use base::{
    Call, Error, Id, Lang, Page, PageToken, Result,
    id::kind::{self, Job},
};
use events::{
    Fact, Record,
    jobs::{self, Work},
};
use keys::PersonKey;
use serde_json::{Value, json};

use super::{CredentialId, Credentials, TenantId, issue::Wanted};
use crate::{
    error, facts,
    repo::{self, TableRow},
    rules::{self, Order},
    table::{Table, escape_cell},
    template::Template,
};

/// The kind of the job.
pub const BULK: &str = "credential.bulk";
/// Rows of one chunk: so many are planned and finished in one transaction each.
const CHUNK_ROWS: u32 = 500;
/// A table is given so long.
const DEADLINE: Duration = Duration::from_secs(24 * 3_600);
/// An upload that did not come to its end is cleared away after this time.
const BROKEN_AFTER: Duration = Duration::from_secs(3_600);

/// A row that waits: itself, its person's key, and what was planned under its line.
type Waiting = (TableRow, Option<PersonKey>, Option<(CredentialId, String)>);

/// How a row ended.
#[derive(Debug, Clone)]
pub struct RowOutcome {
    /// Its line in the table.
    pub line: u32,
    /// `waiting`, `issued`, `failed`.
    pub outcome: String,
    /// The credential.
    pub credential: Option<CredentialId>,
    /// The error's code.
    pub code: Option<String>,
    /// The column.
    pub field: Option<String>,
    /// What is wrong and what to do, in the reader's language; nothing once the person is forgotten.
    pub message: Option<(String, String)>,
    /// The cells, for the table of failed rows; nothing once the person is forgotten.
    pub cells: Option<Vec<String>>,
}

impl Credentials {
    /// Receives a table and makes the job that issues it.
    ///
    /// # Errors
    /// What concerns the whole file (see `Table::read`); the store's.
    pub async fn receive(
        &self,
        call: &Call,
        tenant: TenantId,
        template: &str,
        bytes: Vec<u8>,
    ) -> Result<jobs::Job> {
        let template = Template::find(template)?;
        let table = tokio::task::spawn_blocking(move || Table::read(&bytes, template))
            .await
            .map_err(|e| base::error::INTERNAL.because(e))??;
        self.identity.tenant(tenant).await?;
        let db = self.house.db.tenant(tenant.uuid());
        let (id, now): (Id<Job>, _) = (self.house.id(), self.house.now());
        let columns = json!(table.columns).to_string();
        db.write("credential.batch_begin", move |tx| {
            repo::insert_batch(tx, tenant, id, template.name, &columns, now)
        })
        .await?;
        for chunk in table.rows.chunks(CHUNK_ROWS as usize) {
            let orders: Vec<(u32, Vec<String>, Result<Order>)> = chunk
                .iter()
                .map(|line| {
                    let order = match &line.wrong {
                        Some(wrong) => Err(wrong.clone()),
                        None => rules::order(template, &table.named(line)),
                    };
                    (line.line, line.cells.clone(), order)
                })
                .collect();
            self.store_rows(tenant, id, orders).await?;
        }
        let rows = table.rows.len() as u64;
        let payload = json!({"job": id, "template": template.name, "rows": rows});
        let fact = Fact::new(&facts::BATCH_RECEIVED, self.house.id(), now, id, payload).of(tenant);
        let job = jobs::NewJob {
            tenant,
            id,
            kind: BULK,
            input: json!({"template": template.name}),
            total: rows,
            now,
            deadline: now.plus(DEADLINE),
        };
        let call = call.for_tenant(tenant);
        db.write("credential.batch_complete", move |tx| {
            repo::complete_batch(tx, tenant, id)?;
            jobs::enqueue(tx, &job)?;
            tx.record(&call, &fact)
        })
        .await?;
        self.job(tenant, id).await
    }

    async fn store_rows(
        &self,
        tenant: TenantId,
        job: Id<Job>,
        orders: Vec<(u32, Vec<String>, Result<Order>)>,
    ) -> Result<()> {
        loop {
            let who: Vec<_> = orders
                .iter()
                .map(|(_, _, order)| (None, order.as_ref().ok().and_then(|order| order.email.clone())))
                .collect();
            let people = self.people(tenant, &who).await?;
            let mut rows = Vec::with_capacity(orders.len());
            for ((line, cells, order), (key, _)) in orders.iter().zip(&people) {
                rows.push(self.sealed_row(job, *line, cells, order.as_ref().err(), key)?);
            }
            let (rows, keys, now) = (Arc::new(rows), self.keys.clone(), self.house.now());
            let people = Arc::new(people);
            let stored = self
                .house
                .db
                .tenant(tenant.uuid())
                .write("credential.batch_rows", move |tx| {
                    super::issue::insert_newcomers(tx, tenant, &keys, people.iter(), now)?;
                    rows.iter().try_for_each(|row| repo::insert_row(tx, tenant, job, row))
                })
                .await;
            match stored {
                Err(failure) if failure.is(&error::RACE) => {}
                other => return other,
            }
        }
    }

    fn sealed_row(
        &self,
        job: Id<Job>,
        line: u32,
        cells: &[String],
        wrong: Option<&Error>,
        key: &PersonKey,
    ) -> Result<TableRow> {
        let plain = json!(cells).to_string();
        let chance = &*self.house.chance;
        let mut row = TableRow {
            line,
            person: key.person(),
            row_sealed: Some(key.seal(
                "credential_row",
                "row_sealed",
                row_id(job, line),
                plain.as_bytes(),
                chance,
            )?),
            outcome: "waiting".to_owned(),
            credential: None,
            error_code: None,
            error_field: None,
            error_sealed: None,
        };
        if let Some(wrong) = wrong {
            self.fail(&mut row, job, wrong, key)?;
        }
        Ok(row)
    }

    fn fail(&self, row: &mut TableRow, job: Id<Job>, wrong: &Error, key: &PersonKey) -> Result<()> {
        let told = told(wrong);
        let plain = json!({"en": told.english, "pt": told.portuguese}).to_string();
        row.outcome = "failed".to_owned();
        row.error_code = Some(told.code);
        row.error_field = told.field;
        row.error_sealed = Some(key.seal(
            "credential_row",
            "error_sealed",
            row_id(job, row.line),
            plain.as_bytes(),
            &*self.house.chance,
        )?);
        Ok(())
    }

    /// Issues the rows of a job that still wait.
    async fn run_bulk(&self, job: &jobs::Job) -> Result<()> {
        let (tenant, id) = (job.tenant, job.id);
        let template = Template::find(job.input.get("template").and_then(Value::as_str).unwrap_or_default())?;
        let mut call = self.house.system(BULK).for_tenant(tenant);
        call.actor = base::Actor::system(&id.to_string());
        loop {
            let keys = self.keys.clone();
            let waiting = self
                .house
                .db
                .tenant(tenant.uuid())
                .read("credential.batch_next", move |rx| {
                    let rows = repo::rows(rx, tenant, id, "waiting", 0, CHUNK_ROWS)?;
                    let columns =
                        repo::batch(rx, tenant, id)?.map(|(_, columns)| columns).unwrap_or_default();
                    let mut out = Vec::with_capacity(rows.len());
                    for row in rows {
                        let key = super::living(keys.person(rx, tenant, row.person))?;
                        let planned = repo::by_job_line(rx, tenant, id, row.line)?;
                        out.push((row, key, planned));
                    }
                    Ok((columns, out))
                })
                .await?;
            let (columns, waiting) = waiting;
            if waiting.is_empty() {
                return Ok(());
            }
            let columns: Vec<String> =
                serde_json::from_str(&columns).map_err(|e| base::error::INTERNAL.because(e))?;
            let ended = self.issue_chunk(&call, job, template, &columns, waiting).await?;
            let (copy, now) = (job.clone(), self.house.now());
            self.house
                .db
                .tenant(tenant.uuid())
                .write("credential.batch_step", move |tx| {
                    ended.iter().try_for_each(|row| repo::end_row(tx, tenant, id, row))?;
                    let (done, failed) = repo::row_counts(tx, tenant, id)?;
                    jobs::progress(tx, &copy, done, failed, now)
                })
                .await?;
        }
    }

    async fn issue_chunk(
        &self,
        call: &Call,
        job: &jobs::Job,
        template: &'static Template,
        columns: &[String],
        waiting: Vec<Waiting>,
    ) -> Result<Vec<TableRow>> {
        let mut ended = Vec::with_capacity(waiting.len());
        let mut wanted = Vec::new();
        let mut rows = Vec::new();
        let mut unfinished = false;
        for (mut row, key, planned) in waiting {
            match (planned, key) {
                (Some((credential, state)), _) if state != "planned" => {
                    row.outcome = "issued".to_owned();
                    row.credential = Some(credential);
                    ended.push(row);
                }
                // Left by a crash between plan and finish: it is finished first, and the row ends in the next chunk.
                (Some(_), _) => unfinished = true,
                (None, None) => {
                    row.outcome = "failed".to_owned();
                    row.error_code = Some(keys::error::PERSON_FORGOTTEN.name.to_owned());
                    ended.push(row);
                }
                (None, Some(key)) => match self.order_of(job.id, &row, template, columns, &key) {
                    Ok(order) => {
                        wanted.push(Wanted {
                            order,
                            job: Some((job.id, row.line)),
                            person: Some(row.person),
                        });
                        rows.push((row, key));
                    }
                    Err(wrong) => {
                        self.fail(&mut row, job.id, &wrong, &key)?;
                        ended.push(row);
                    }
                },
            }
        }
        if unfinished {
            self.finish_stale(Duration::ZERO).await?;
        }
        if wanted.is_empty() {
            return Ok(ended);
        }
        let outcomes = self.issue_all(call, job.tenant, template, wanted).await?;
        for ((mut row, key), outcome) in rows.into_iter().zip(outcomes) {
            match outcome {
                Ok(issued) => {
                    row.outcome = "issued".to_owned();
                    row.credential = Some(issued.credential.id);
                }
                Err(wrong) if wrong.kind().retryable() => return Err(wrong),
                Err(wrong) => self.fail(&mut row, job.id, &wrong, &key)?,
            }
            ended.push(row);
        }
        Ok(ended)
    }

    fn order_of(
        &self,
        job: Id<Job>,
        row: &TableRow,
        template: &Template,
        columns: &[String],
        key: &PersonKey,
    ) -> Result<Order> {
        let sealed = row.row_sealed.as_deref().unwrap_or_default();
        let plain = key.open("credential_row", "row_sealed", row_id(job, row.line), sealed)?;
        let cells: Vec<String> =
            serde_json::from_slice(&plain).map_err(|e| base::error::INTERNAL.because(e))?;
        let named: BTreeMap<String, String> = columns.iter().cloned().zip(cells).collect();
        rules::order(template, &named)
    }

    /// A page of a table's rows, in the order of their lines.
    ///
    /// # Errors
    /// `PAGE_TOKEN_INVALID`, `JOB_NOT_FOUND`; the store's.
    pub async fn rows(
        &self,
        tenant: TenantId,
        job: Id<Job>,
        outcome: &str,
        lang: Lang,
        limit: u32,
        token: Option<&str>,
    ) -> Result<Page<RowOutcome>> {
        let after = match token {
            None => 0,
            Some(text) => PageToken::decode(text, 1)?
                .0
                .first()
                .and_then(|line| line.parse().ok())
                .ok_or_else(|| base::error::PAGE_TOKEN.at("pageToken"))?,
        };
        self.job(tenant, job).await?;
        let (keys, outcome) = (self.keys.clone(), outcome.to_owned());
        let rows = self
            .house
            .db
            .tenant(tenant.uuid())
            .read("credential.batch_page", move |rx| {
                let rows = repo::rows(rx, tenant, job, &outcome, after, limit + 1)?;
                rows.into_iter()
                    .map(|row| {
                        let key = super::living(keys.person(rx, tenant, row.person))?;
                        outcome_of(job, row, key.as_ref(), lang)
                    })
                    .collect::<Result<Vec<_>>>()
            })
            .await?;
        Ok(Page::cut(rows, limit, |row| PageToken(vec![row.line.to_string()])))
    }

    /// The failed rows as a table: the original columns, and what is wrong with each row. Mend it and send it again.
    ///
    /// # Errors
    /// `JOB_NOT_FOUND`; the store's.
    pub async fn failed_table(&self, tenant: TenantId, job: Id<Job>, lang: Lang) -> Result<Vec<u8>> {
        let columns = self
            .house
            .db
            .tenant(tenant.uuid())
            .read("credential.batch", move |rx| repo::batch(rx, tenant, job))
            .await?
            .map(|(_, columns)| columns)
            .ok_or_else(|| events::error::JOB_UNKNOWN.error())?;
        let columns: Vec<String> =
            serde_json::from_str(&columns).map_err(|e| base::error::INTERNAL.because(e))?;
        let fault = |e: csv::Error| base::error::INTERNAL.because(e);
        let mut writer = csv::Writer::from_writer(Vec::new());
        let head = columns.iter().map(String::as_str).chain(["error_code", "error_message"]);
        writer.write_record(head).map_err(fault)?;
        let mut token: Option<String> = None;
        loop {
            let page =
                self.rows(tenant, job, "failed", lang, base::page::PAGE_ITEMS_MAX, token.as_deref()).await?;
            for row in page.items {
                let mut cells = row.cells.unwrap_or_default();
                cells.resize(columns.len(), String::new());
                let (cause, remedy) = row.message.unwrap_or_default();
                let told = [row.code.unwrap_or_default(), format!("{cause} {remedy}")];
                let record: Vec<String> = cells.iter().chain(&told).map(|cell| escape_cell(cell)).collect();
                writer.write_record(&record).map_err(fault)?;
            }
            token = page.next_page_token;
            if token.is_none() {
                break;
            }
        }
        writer.into_inner().map_err(|e| base::error::INTERNAL.because(e.into_error()))
    }

    /// Clears away uploads that never came to their end.
    ///
    /// # Errors
    /// The store's.
    pub async fn clear_broken(&self) -> Result<u64> {
        let before = self.house.now().minus(BROKEN_AFTER);
        let broken = self
            .house
            .db
            .read("credential.broken_batches", move |rx| repo::broken_batches(rx, before))
            .await?;
        let count = broken.len() as u64;
        for (tenant, job) in broken {
            self.house
                .db
                .tenant(tenant.uuid())
                .write("credential.clear_broken", move |tx| repo::delete_batch(tx, tenant, job))
                .await?;
        }
        Ok(count)
    }
}

/// What tests need to stand where a crash would leave a house. Only in builds with debug assertions.
#[cfg(debug_assertions)]
impl Credentials {
    /// Plans the first half of a job's rows under their lines, and finishes none of them.
    ///
    /// # Errors
    /// The store's.
    pub async fn plan_half_for_test(&self, job: Id<Job>) -> Result<()> {
        let tenant = self.identity.meant_tenant(None).await?.id;
        let job = self.job(tenant, job).await?;
        let template = Template::find("diploma")?;
        let keys = self.keys.clone();
        let id = job.id;
        let (columns, rows) = self
            .house
            .db
            .read("credential.test", move |rx| {
                let columns = repo::batch(rx, tenant, id)?.map(|(_, columns)| columns).unwrap_or_default();
                let rows = repo::rows(rx, tenant, id, "waiting", 0, CHUNK_ROWS)?;
                let half = rows.len() / 2;
                let keyed =
                    rows.into_iter().take(half).map(|row| Ok((keys.person(rx, tenant, row.person)?, row)));
                Ok((columns, keyed.collect::<Result<Vec<_>>>()?))
            })
            .await?;
        let columns: Vec<String> =
            serde_json::from_str(&columns).map_err(|e| base::error::INTERNAL.because(e))?;
        let mut wanted = Vec::new();
        for (key, row) in &rows {
            let order = self.order_of(id, row, template, &columns, key)?;
            wanted.push(Wanted { order, job: Some((id, row.line)), person: Some(row.person) });
        }
        let call = self.house.system("test").for_tenant(tenant);
        for outcome in self.issue_all(&call, tenant, template, wanted).await? {
            self.forget_finish_for_test(outcome?.credential.id).await?;
        }
        Ok(())
    }
}

/// A row's place in associated data: the job's id with the line in its last bits.
fn row_id(job: Id<Job>, line: u32) -> Id<kind::Credential> {
    Id::from_uuid(uuid::Uuid::from_u128(job.uuid().as_u128() ^ u128::from(line)))
}

struct Told {
    code: String,
    field: Option<String>,
    english: [String; 2],
    portuguese: [String; 2],
}

/// An error as it is kept with a row: the first wrong cell gives code and column, all of them the sentences.
fn told(wrong: &Error) -> Told {
    let sentences = |lang: Lang| match wrong.details() {
        [] => [wrong.cause(lang).into_owned(), wrong.remedy(lang).into_owned()],
        details => {
            let all: Vec<[String; 2]> = details.iter().map(|detail| detail.sentences(lang)).collect();
            [0, 1].map(|part| all.iter().map(|told| told[part].as_str()).collect::<Vec<_>>().join(" "))
        }
    };
    let first = wrong.details().first();
    Told {
        code: first.map_or(wrong.code().name, |detail| detail.code.name).to_owned(),
        field: first.map(|detail| detail.field.clone()).or_else(|| wrong.field().map(str::to_owned)),
        english: sentences(Lang::En),
        portuguese: sentences(Lang::Pt),
    }
}

fn outcome_of(job: Id<Job>, row: TableRow, key: Option<&PersonKey>, lang: Lang) -> Result<RowOutcome> {
    let open = |column: &str, sealed: &Option<Vec<u8>>| -> Result<Option<Vec<u8>>> {
        match (key, sealed) {
            (Some(key), Some(sealed)) => {
                key.open("credential_row", column, row_id(job, row.line), sealed).map(Some)
            }
            _ => Ok(None),
        }
    };
    let cells = open("row_sealed", &row.row_sealed)?;
    let told = open("error_sealed", &row.error_sealed)?;
    let message = told.and_then(|plain| serde_json::from_slice::<Value>(&plain).ok()).and_then(|told| {
        let pair = told.get(lang.tag())?.as_array()?;
        let text =
            |position: usize| pair.get(position).and_then(Value::as_str).unwrap_or_default().to_owned();
        Some((text(0), text(1)))
    });
    Ok(RowOutcome {
        line: row.line,
        outcome: row.outcome,
        credential: row.credential,
        code: row.error_code,
        field: row.error_field,
        message,
        cells: cells.and_then(|plain| serde_json::from_slice(&plain).ok()),
    })
}

/// The job's work, as the runner knows it.
pub struct BulkWork(pub Credentials);

impl Work for BulkWork {
    fn kind(&self) -> &'static str {
        BULK
    }

    fn run<'a>(&'a self, job: &'a jobs::Job) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>> {
        Box::pin(self.0.run_bulk(job))
    }
}
