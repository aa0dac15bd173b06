//! Verbs: what a closure may rely on, whoever else is in its group and however it ends.

mod common;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use base::Error;
use common::{Fact, House, TRIAL, count, count_facts, on_each_engine, put, run, uuid};
use store::{error, sql, values};

#[test]
fn sixty_four_callers_share_commits() {
    let house = House::sqlite(TRIAL);
    run(async {
        let before = house.db.figures();
        let mut callers = tokio::task::JoinSet::new();
        for caller in 0..64u128 {
            let db = house.db.clone();
            callers.spawn(async move {
                for turn in 0..20u128 {
                    let id = uuid(caller << 32 | turn);
                    let name = format!("{caller}/{turn}");
                    db.write("trial.put", move |tx| put(tx, uuid(1), id, &name)).await?;
                }
                Ok::<_, Error>(())
            });
        }
        while let Some(ended) = callers.join_next().await {
            ended.expect("no panic").expect("every verb succeeds");
        }
        let after = house.db.figures();
        assert_eq!(after.writes - before.writes, 1_280);
        let commits = after.commits - before.commits;
        assert!(commits * 10 <= 1_280, "{commits} commits for 1280 verbs");
        assert_eq!(house.db.read("trial.count", |rx| count(rx, uuid(1))).await.unwrap(), 1_280);
        assert_eq!(house.db.read("trial.facts", |rx| count_facts(rx, uuid(1))).await.unwrap(), 1_280);
        house.db.close().await;
    });
}

#[test]
fn a_failing_closure_leaves_nothing_and_does_not_hurt_its_neighbours() {
    on_each_engine(|house| async move {
        let mut callers = tokio::task::JoinSet::new();
        for number in 0..60u128 {
            let db = house.db.clone();
            callers.spawn(async move {
                let outcome = db
                    .write("trial.put", move |tx| {
                        put(tx, uuid(1), uuid(number + 1), &number.to_string())?;
                        if number % 3 == 0 { Err(base::error::VALIDATION.error()) } else { Ok(()) }
                    })
                    .await;
                assert_eq!(outcome.is_err(), number % 3 == 0);
            });
        }
        while let Some(ended) = callers.join_next().await {
            ended.expect("no panic");
        }
        assert_eq!(house.db.read("trial.count", |rx| count(rx, uuid(1))).await.unwrap(), 40);
        assert_eq!(house.db.read("trial.facts", |rx| count_facts(rx, uuid(1))).await.unwrap(), 40);
    });
}

#[test]
fn a_panic_inside_a_closure_undoes_that_closure_alone() {
    on_each_engine(|house| async move {
        let mut callers = tokio::task::JoinSet::new();
        for number in 0..20u128 {
            let db = house.db.clone();
            callers.spawn(async move {
                db.write("trial.put", move |tx| {
                    put(tx, uuid(1), uuid(number + 1), &number.to_string())?;
                    assert!(number != 7, "the seventh is unlucky (this panic is part of the test)");
                    Ok(())
                })
                .await
            });
        }
        let mut panics = 0;
        while let Some(ended) = callers.join_next().await {
            if let Err(error) = ended.expect("the caller does not panic") {
                assert!(error.is(&error::STORE_PANIC), "{error:?}");
                panics += 1;
            }
        }
        assert_eq!(panics, 1);
        assert_eq!(house.db.read("trial.count", |rx| count(rx, uuid(1))).await.unwrap(), 19);
    });
}

#[test]
fn a_failed_statement_fails_the_closure_even_if_it_goes_on() {
    on_each_engine(|house| async move {
        house.db.write("trial.put", |tx| put(tx, uuid(1), uuid(1), "one")).await.unwrap();
        let outcome = house
            .db
            .write("trial.put", |tx| {
                let first = put(tx, uuid(1), uuid(1), "one");
                assert!(store::is_unique_violation(&first.unwrap_err()));
                drop(put(tx, uuid(1), uuid(2), "two"));
                Ok(())
            })
            .await;
        assert!(outcome.unwrap_err().is(&error::STORE_UNIQUE));
        assert_eq!(house.db.read("trial.count", |rx| count(rx, uuid(1))).await.unwrap(), 1);
    });
}

#[test]
fn a_caller_that_goes_away_undoes_nothing() {
    on_each_engine(|house| async move {
        let (begun, mut begins) = tokio::sync::mpsc::channel(1);
        let db = house.db.clone();
        let mut caller = tokio::task::JoinSet::new();
        caller.spawn(async move {
            db.write("trial.slow", move |tx| {
                assert!(begun.try_send(()).is_ok());
                std::thread::sleep(Duration::from_millis(100));
                put(tx, uuid(1), uuid(1), "slow")
            })
            .await
        });
        begins.recv().await.expect("the closure began");
        caller.abort_all();
        assert!(caller.join_next().await.expect("one caller").expect_err("it went away").is_cancelled());
        // Behind it in the same queue, so it is done when this is.
        house.db.write("trial.next", |tx| put(tx, uuid(1), uuid(2), "next")).await.unwrap();
        let patience = Instant::now() + Duration::from_secs(5);
        while house.db.read("trial.count", |rx| count(rx, uuid(1))).await.unwrap() < 2 {
            assert!(Instant::now() < patience, "the abandoned verb never arrived");
            tokio::task::yield_now().await;
        }
    });
}

/// Counts to fifty million inside one statement, which takes longer than the test's limit on either engine.
const LONG: &str = "a statement that runs long";

#[test]
fn a_statement_that_takes_too_long_is_stopped_and_its_neighbours_are_kept() {
    let house = House::sqlite_with(TRIAL, |settings| settings.verb_timeout = Duration::from_millis(200));
    run(async {
        let mut callers = tokio::task::JoinSet::new();
        for number in 0..10u128 {
            let db = house.db.clone();
            callers.spawn(async move {
                let outcome = db
                    .write("trial.put", move |tx| {
                        put(tx, uuid(1), uuid(number + 1), &number.to_string())?;
                        if number == 5 {
                            // A write that is interrupted ends SQLite's whole transaction.
                            tx.execute(
                                sql!(
                                    "-- trial.long\nwith recursive n (i) as (select 1 union all select i + 1 from n where i < 50000000)
                                    insert into trial_thing (tenant, id, name) select $1, $2, count(*) || $3 from n"
                                ),
                                &values![uuid(1), uuid(1_000), LONG],
                            )?;
                        }
                        Ok(())
                    })
                    .await;
                (number, outcome)
            });
        }
        while let Some(ended) = callers.join_next().await {
            let (number, outcome) = ended.expect("no panic");
            match outcome {
                Ok(()) => assert_ne!(number, 5),
                Err(error) => assert!(number == 5 && error.is(&error::STORE_TIMEOUT), "{number}: {error:?}"),
            }
        }
        assert_eq!(house.db.read("trial.count", |rx| count(rx, uuid(1))).await.unwrap(), 9);
        house.db.close().await;
    });
}

#[test]
fn a_closure_that_dawdles_is_undone() {
    let house = House::sqlite_with(TRIAL, |settings| settings.verb_timeout = Duration::from_millis(50));
    run(async {
        let outcome = house
            .db
            .write("trial.dawdle", |tx| {
                put(tx, uuid(1), uuid(1), "late")?;
                std::thread::sleep(Duration::from_millis(80));
                Ok(())
            })
            .await;
        assert!(outcome.unwrap_err().is(&error::STORE_TIMEOUT));
        assert_eq!(house.db.read("trial.count", |rx| count(rx, uuid(1))).await.unwrap(), 0);
        house.db.close().await;
    });
}

#[test]
fn a_fact_that_cannot_be_recorded_fails_its_own_verb_only() {
    on_each_engine(|house| async move {
        house.db.write("trial.put", |tx| put(tx, uuid(1), uuid(7), "first")).await.unwrap();
        let mut callers = tokio::task::JoinSet::new();
        for number in 10..30u128 {
            let db = house.db.clone();
            callers.spawn(async move {
                let outcome = db
                    .write("trial.put", move |tx| {
                        put(tx, uuid(1), uuid(number), &number.to_string())?;
                        if number == 15 {
                            // The same id as a fact that is there already.
                            tx.stage(Box::new(Fact {
                                id: uuid(7),
                                tenant: uuid(1),
                                body: "twice".to_owned(),
                            }));
                        }
                        Ok(())
                    })
                    .await;
                (number, outcome)
            });
        }
        while let Some(ended) = callers.join_next().await {
            let (number, outcome) = ended.expect("no panic");
            assert_eq!(outcome.is_err(), number == 15, "{number}: {outcome:?}");
        }
        assert_eq!(house.db.read("trial.count", |rx| count(rx, uuid(1))).await.unwrap(), 20);
        assert_eq!(house.db.read("trial.facts", |rx| count_facts(rx, uuid(1))).await.unwrap(), 20);
    });
}

#[test]
fn the_hook_is_told_after_a_commit_with_something_staged_and_only_then() {
    on_each_engine(|house| async move {
        house.db.write("trial.nothing", |_| Ok(())).await.unwrap();
        assert_eq!(house.facts.told.load(SeqCst), 0);
        house.db.write("trial.put", |tx| put(tx, uuid(1), uuid(1), "one")).await.unwrap();
        house.db.close().await;
        assert_eq!(house.facts.told.load(SeqCst), 1);
    });
}

#[test]
fn a_closed_store_finishes_what_is_queued_and_refuses_the_rest() {
    on_each_engine(|house| async move {
        let ran = Arc::new(AtomicU32::new(0));
        let mut callers = tokio::task::JoinSet::new();
        for number in 1..=20u128 {
            let (db, ran) = (house.db.clone(), Arc::clone(&ran));
            callers.spawn(async move {
                db.write("trial.put", move |tx| {
                    ran.fetch_add(1, SeqCst);
                    put(tx, uuid(1), uuid(number), &number.to_string())
                })
                .await
            });
        }
        while let Some(ended) = callers.join_next().await {
            ended.expect("no panic").expect("queued before the closing");
        }
        house.db.close().await;
        assert!(ran.load(SeqCst) >= 20);
        let late = house.db.write("trial.put", |tx| put(tx, uuid(1), uuid(99), "late")).await;
        assert!(late.unwrap_err().is(&error::STORE_CLOSED));
    });
}

#[test]
fn a_reader_cannot_write() {
    on_each_engine(|house| async move {
        let outcome = house
            .db
            .read("trial.sneak", |rx| {
                rx.optional(
                    sql!("-- trial.sneak\ninsert into trial_fact (id, tenant, body) values ($1, $1, $2) returning id"),
                    &values![uuid(1), "sneaked"],
                    |row| row.get::<uuid::Uuid>(0),
                )
            })
            .await;
        assert!(outcome.is_err());
        assert_eq!(house.db.read("trial.facts", |rx| count_facts(rx, uuid(1))).await.unwrap(), 0);
    });
}
