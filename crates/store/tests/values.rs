//! Values: every type that goes in comes out again, on both engines, and nothing is converted silently.

mod common;

use base::{Id, Time, id::kind};
use common::{on_each_engine, uuid};
use serde_json::json;
use store::{error, sql, values};
use uuid::Uuid;

#[test]
fn every_type_comes_out_as_it_went_in() {
    on_each_engine(|house| async move {
        let note = json!({"nome": "João Ćosić", "list": [1, null, true], "deep": {"a": "\u{1F393}"}});
        let times = ["1969-12-31T23:59:59.999999Z", "2026-11-24T00:00:00Z", "9999-12-30T21:59:59.999999Z"];
        for (number, time) in times.into_iter().enumerate() {
            let (note, at) = (note.clone(), Time::parse(time).unwrap());
            let amount = [i64::MIN, 0, i64::MAX][number];
            let id = Id::<kind::Credential>::from_uuid(uuid(number as u128 + 1));
            let payload = vec![0u8, 1, 254, 255];
            let found = house
                .db
                .write("trial.round", move |tx| {
                    tx.execute(
                        sql!(
                            "-- trial.round
                            insert into trial_thing (tenant, id, name, note, payload, at, amount, flag)
                            values ($1, $2, $3, $4, $5, $6, $7, $8)"
                        ),
                        &values![uuid(1), id, time, &note, &payload, at, amount, number == 1],
                    )?;
                    tx.one(
                        sql!(
                            "-- trial.back
                            select name, note, payload, at, amount, flag, id, tenant
                            from trial_thing where tenant = $1 and id = $2"
                        ),
                        &values![uuid(1), id],
                        |row| {
                            Ok((
                                row.get::<String>(0)?,
                                row.get::<serde_json::Value>(1)?,
                                row.get::<[u8; 4]>(2)?,
                                row.get::<Time>(3)?,
                                row.get::<i64>(4)?,
                                row.get::<bool>(5)?,
                                row.get::<Id<kind::Credential>>(6)?,
                                row.get::<Option<Uuid>>(7)?,
                            ))
                        },
                    )
                })
                .await
                .unwrap();
            let note = json!({"nome": "João Ćosić", "list": [1, null, true], "deep": {"a": "\u{1F393}"}});
            assert_eq!(
                found,
                (time.to_owned(), note, [0, 1, 254, 255], at, amount, number == 1, id, Some(uuid(1)))
            );
        }
    });
}

#[test]
fn nulls_of_every_type_come_out_as_none() {
    on_each_engine(|house| async move {
        let found = house
            .db
            .write("trial.nulls", |tx| {
                tx.execute(
                    sql!(
                        "-- trial.nulls
                        insert into trial_thing (tenant, id, name, note, payload, at, amount, flag)
                        values ($1, $2, 'empty', $3, $4, $5, $6, $7)"
                    ),
                    &values![
                        uuid(1),
                        uuid(1),
                        None::<serde_json::Value>,
                        None::<Vec<u8>>,
                        None::<Time>,
                        None::<i64>,
                        None::<bool>
                    ],
                )?;
                tx.one(
                    sql!("-- trial.nulls_back\nselect note, payload, at, amount, flag from trial_thing where tenant = $1"),
                    &values![uuid(1)],
                    |row| {
                        Ok((
                            row.get::<Option<serde_json::Value>>(0)?,
                            row.get::<Option<Vec<u8>>>(1)?,
                            row.get::<Option<Time>>(2)?,
                            row.get::<Option<i64>>(3)?,
                            row.get::<Option<bool>>(4)?,
                        ))
                    },
                )
            })
            .await
            .unwrap();
        assert_eq!(found, (None, None, None, None, None));
    });
}

#[test]
fn a_cell_of_another_type_is_an_error_that_names_its_column() {
    on_each_engine(|house| async move {
        let outcome = house
            .db
            .read("trial.wrong", |rx| {
                rx.one(sql!("-- trial.wrong\nselect 'text' as a"), &values![], |row| row.get::<i64>(0))
            })
            .await;
        let error = outcome.unwrap_err();
        assert!(error.is(&error::STORE_TYPE), "{error:?}");
        assert_eq!(error.cause(base::Lang::En), "Column 0 holds text, not a whole number (i64).");
    });
}

#[test]
fn placeholders_go_by_their_number_and_must_all_be_given() {
    on_each_engine(|house| async move {
        let swapped = house
            .db
            .read("trial.swapped", |rx| {
                rx.one(
                    sql!("-- trial.swapped\nselect cast($2 as text), cast($1 as text), cast($2 as text)"),
                    &values!["one", "two"],
                    |row| Ok((row.get::<String>(0)?, row.get::<String>(1)?, row.get::<String>(2)?)),
                )
            })
            .await
            .unwrap();
        assert_eq!(swapped, ("two".to_owned(), "one".to_owned(), "two".to_owned()));
        for given in [values![].to_vec(), values!["one", "two"].to_vec()] {
            let outcome = house
                .db
                .read("trial.count", move |rx| {
                    rx.one(sql!("-- trial.single\nselect cast($1 as text)"), &given, |row| {
                        row.get::<String>(0)
                    })
                })
                .await;
            assert!(outcome.unwrap_err().is(&error::STORE_STATEMENT));
        }
    });
}

#[test]
fn one_refuses_none_and_several() {
    on_each_engine(|house| async move {
        let none = house
            .db
            .read("trial.none", |rx| {
                rx.one(sql!("-- trial.none\nselect 1 where 1 = 0"), &values![], |row| row.get::<i64>(0))
            })
            .await;
        assert!(none.unwrap_err().is(&error::STORE_ROW_MISSING));
        let several = house
            .db
            .read("trial.several", |rx| {
                rx.one(sql!("-- trial.several\nselect 1 union all select 2"), &values![], |row| {
                    row.get::<i64>(0)
                })
            })
            .await;
        assert!(several.unwrap_err().is(&error::STORE_ROWS_SURPLUS));
    });
}

#[test]
fn a_time_that_would_not_sort_is_refused() {
    on_each_engine(|house| async move {
        let outcome = house
            .db
            .write("trial.time", |tx| {
                tx.execute(
                    sql!("-- trial.time\ninsert into trial_thing (tenant, id, name, at) values ($1, $1, 'late', $2)"),
                    &values![uuid(1), Time::from_micros(i64::MAX)],
                )
            })
            .await;
        assert!(outcome.unwrap_err().is(&error::STORE_STATEMENT));
    });
}
