//! PostgreSQL alone: conflicts are run again, a broken line is mended, a commit in doubt is settled.

#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use base::Result;
use common::{House, TRIAL, count, postgres_url, put, run, uuid};
use store::{Rx, error, sql, values};

fn house() -> Option<House> {
    let house = House::postgres_with(TRIAL, |settings| settings.verb_timeout = Duration::from_millis(1_500));
    if house.is_none() {
        eprintln!("SELO_TEST_POSTGRES is not set: this test did not run");
    }
    house
}

/// A connection of the administrator to the house's own database.
fn administrator(house: &House) -> postgres::Client {
    let store::Place::Postgres { system, .. } = &house.settings.place else { unreachable!() };
    let database = system.expose().parse::<postgres::Config>().unwrap().get_dbname().unwrap().to_owned();
    let mut config = postgres_url().unwrap().parse::<postgres::Config>().unwrap();
    config.dbname(&database).connect(postgres::NoTls).unwrap()
}

#[test]
fn two_who_change_the_same_row_both_succeed_one_after_the_other() {
    let Some(house) = house() else { return };
    run(async {
        house.db.write("trial.put", |tx| put(tx, uuid(1), uuid(1), "counter")).await.unwrap();
        let mut callers = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let db = house.db.clone();
            callers.spawn(async move {
                for _ in 0..5 {
                    db.write("trial.increase", |tx| {
                        let amount = tx.one(
                            sql!("-- trial.amount\nselect amount from trial_thing where tenant = $1 and id = $2"),
                            &values![uuid(1), uuid(1)],
                            |row| row.get::<Option<i64>>(0),
                        )?;
                        tx.execute(
                            sql!("-- trial.increase\nupdate trial_thing set amount = $3 where tenant = $1 and id = $2"),
                            &values![uuid(1), uuid(1), amount.unwrap_or(0) + 1],
                        )
                    })
                    .await?;
                }
                Ok::<(), base::Error>(())
            });
        }
        while let Some(ended) = callers.join_next().await {
            ended.unwrap().expect("conflicts are run again");
        }
        let amount = house
            .db
            .read("trial.sum", |rx| {
                rx.one(
                    sql!("-- trial.sum\nselect amount from trial_thing where tenant = $1"),
                    &values![uuid(1)],
                    |row| row.get::<i64>(0),
                )
            })
            .await;
        assert_eq!(amount.unwrap(), 40, "no change was lost");
        assert!(house.db.figures().retries > 0, "there were conflicts to be run again");
        house.db.close().await;
    });
}

#[test]
fn a_line_that_the_server_cut_is_made_again() {
    let Some(house) = house() else { return };
    run(async {
        house.db.write("trial.put", |tx| put(tx, uuid(1), uuid(1), "one")).await.unwrap();
        let mut administrator = tokio::task::block_in_place(|| administrator(&house));
        let cut = tokio::task::block_in_place(|| {
            administrator
                .execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'selo-system' and datname = current_database()", &[])
                .unwrap()
        });
        assert!(cut > 0);
        house.db.write("trial.put", |tx| put(tx, uuid(1), uuid(2), "two")).await.expect("a new line is made");
        assert_eq!(house.db.read("trial.count", |rx| count(rx, uuid(1))).await.unwrap(), 2);
        tokio::task::block_in_place(|| drop(administrator));
        house.db.close().await;
    });
}

fn backend(rx: &mut Rx<'_>) -> Result<i64> {
    rx.one(sql!(postgres: "-- trial.backend\nselect pg_backend_pid()"), &values![], |row| row.get(0))
}

#[test]
fn a_line_that_breaks_inside_a_closure_changes_nothing_and_says_when_to_try_again() {
    let Some(house) = house() else { return };
    let url = postgres_url().unwrap();
    run(async {
        let outcome = house
            .db
            .write("trial.cut", move |tx| {
                put(tx, uuid(1), uuid(1), "one")?;
                let own = i32::try_from(backend(tx)?).unwrap();
                let other = url.clone();
                // A thread of its own: a connection's thread cannot drive another connection.
                std::thread::spawn(move || {
                    let mut client = postgres::Client::connect(&other, postgres::NoTls).unwrap();
                    client.execute("select pg_terminate_backend($1)", &[&own]).unwrap();
                })
                .join()
                .unwrap();
                put(tx, uuid(1), uuid(2), "two")
            })
            .await;
        let error = outcome.unwrap_err();
        assert!(error.is(&error::STORE_UNAVAILABLE), "{error:?}");
        assert!(error.retry_after_seconds().is_some());
        assert_eq!(house.db.read("trial.count", |rx| count(rx, uuid(1))).await.unwrap(), 0);
        house.db.close().await;
    });
}

#[test]
fn a_statement_that_takes_too_long_is_stopped_by_the_server() {
    let Some(house) = house() else { return };
    run(async {
        let ran = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&ran);
        let outcome = house
            .db
            .write("trial.sleep", move |tx| {
                counted.fetch_add(1, SeqCst);
                put(tx, uuid(1), uuid(1), "one")?;
                tx.optional(
                    sql!(postgres: "-- trial.sleep\nselect cast(pg_sleep(30) as text)"),
                    &values![],
                    |_| Ok(()),
                )
            })
            .await;
        assert!(outcome.unwrap_err().is(&error::STORE_TIMEOUT));
        assert_eq!(ran.load(SeqCst), 1);
        assert_eq!(house.db.read("trial.count", |rx| count(rx, uuid(1))).await.unwrap(), 0);
        house.db.close().await;
    });
}

/// What the proxy does with the next commit it sees.
const PASS: u32 = 0;
const CUT_BEFORE: u32 = 1;
const CUT_AFTER: u32 = 2;

/// A proxy before the server that breaks the line at a commit: before the server sees it, or before its reply is seen.
fn proxy(plan: Arc<AtomicU32>) -> u16 {
    use std::{
        io::{Read as _, Write as _},
        net::{Shutdown, TcpListener, TcpStream},
    };
    let config = postgres_url().unwrap().parse::<postgres::Config>().unwrap();
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
            let (mut replies, mut back) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || drop(std::io::copy(&mut replies, &mut back)));
            let plan = Arc::clone(&plan);
            std::thread::spawn(move || {
                let mut buffer = [0; 65_536];
                while let Ok(length @ 1..) = client.read(&mut buffer) {
                    let commits = buffer[..length].windows(7).any(|window| window == b"commit\0");
                    let cut = if commits { plan.swap(PASS, SeqCst) } else { PASS };
                    if cut != PASS {
                        drop(client.shutdown(Shutdown::Both));
                    }
                    if cut == CUT_BEFORE || server.write_all(&buffer[..length]).is_err() {
                        break;
                    }
                }
                drop(server.shutdown(Shutdown::Write));
            });
        }
    });
    own
}

#[test]
fn a_commit_in_doubt_is_settled_by_its_fact_and_the_verb_happens_once() {
    let Some(house) = house() else { return };
    let plan = Arc::new(AtomicU32::new(PASS));
    let port = proxy(Arc::clone(&plan));
    let store::Place::Postgres { application, system, .. } = &house.settings.place else { unreachable!() };
    let through = |url: &base::Secret<String>| {
        let config = url.expose().parse::<postgres::Config>().unwrap();
        let (user, database) = (config.get_user().unwrap(), config.get_dbname().unwrap());
        base::Secret::new(format!("host=127.0.0.1 port={port} user={user} dbname={database}"))
    };
    let mut settings = store::Settings::postgres(through(application), through(system), None);
    settings.system_connections = 1;
    let hook: Arc<dyn store::CommitHook> = Arc::clone(&house.facts) as _;
    let db = store::Db::open(&settings, Some(hook)).unwrap();
    run(async {
        for (number, cut, runs) in [(1u128, CUT_AFTER, 1), (2, CUT_BEFORE, 2), (3, PASS, 1)] {
            for tenant in [1u128, 2] {
                let ran = Arc::new(AtomicU32::new(0));
                let counted = Arc::clone(&ran);
                let id = uuid(tenant * 100 + number);
                plan.store(cut, SeqCst);
                let verb = move |tx: &mut store::Tx<'_>| {
                    counted.fetch_add(1, SeqCst);
                    put(tx, uuid(tenant), id, &number.to_string())?;
                    Ok(id)
                };
                // Once as the system and once as a tenant, who must see its own fact again.
                let answer = match tenant {
                    1 => db.write("trial.put", verb).await,
                    _ => db.tenant(uuid(tenant)).write("trial.put", verb).await,
                };
                assert_eq!(answer.expect("settled"), id);
                let ran = ran.load(SeqCst);
                // A commit that is still on its way when we look may make the verb run once more; it stands once.
                assert!(ran == runs || cut == CUT_AFTER && ran == 2, "{number}: ran {ran} times");
                let there = house.db.read("trial.count", move |rx| count(rx, uuid(tenant))).await;
                assert_eq!(there.unwrap(), i64::try_from(number).unwrap());
            }
        }
        // Without anything staged nothing can be looked for, and the caller is told so.
        plan.store(CUT_AFTER, SeqCst);
        let unknown = db
            .write("trial.bare", |tx| {
                tx.execute(
                    sql!("-- trial.bare\ninsert into trial_thing (tenant, id, name) values ($1, $1, 'bare')"),
                    &values![uuid(9)],
                )
            })
            .await;
        assert!(unknown.unwrap_err().is(&error::STORE_COMMIT_IN_DOUBT));
        db.close().await;
        house.db.close().await;
    });
}
