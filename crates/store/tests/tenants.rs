//! Tenants: what one tenant's closure can see and change, also when its statement forgets the tenant.

mod common;

use common::{House, TRIAL, count, on_each_engine, put, run, uuid};
use store::{Engine, check, error, schema, sql, values};

#[test]
fn a_tenant_sees_its_own_rows_even_when_the_query_forgets_the_tenant() {
    on_each_engine(|house| async move {
        for tenant in [1, 2] {
            house
                .db
                .tenant(uuid(tenant))
                .write("trial.put", move |tx| put(tx, uuid(tenant), uuid(tenant), "x"))
                .await
                .unwrap();
        }
        let forgetful = house
            .db
            .tenant(uuid(1))
            .read("trial.forgetful", |rx| {
                rx.all(sql!("-- trial.forgetful\nselect tenant from trial_thing"), &values![], |row| {
                    row.get::<uuid::Uuid>(0)
                })
            })
            .await;
        match house.db.engine() {
            Engine::Postgres => assert_eq!(forgetful.unwrap(), [uuid(1)]),
            // SQLite has no row-level security; debug builds refuse the statement instead.
            Engine::Sqlite => assert!(forgetful.unwrap_err().is(&error::STORE_OTHER_TENANT)),
        }
        let all = house
            .db
            .read("trial.forgetful", |rx| {
                rx.all(
                    sql!("-- trial.all\nselect tenant from trial_thing order by tenant"),
                    &values![],
                    |row| row.get::<uuid::Uuid>(0),
                )
            })
            .await;
        assert_eq!(all.unwrap(), [uuid(1), uuid(2)], "the system sees every tenant");
    });
}

#[test]
fn a_tenant_can_neither_write_into_another_nor_change_it() {
    let Some(house) = House::postgres(TRIAL) else {
        eprintln!("SELO_TEST_POSTGRES is not set: this test of row-level security did not run");
        return;
    };
    run(async {
        house.db.write("trial.put", |tx| put(tx, uuid(2), uuid(2), "theirs")).await.unwrap();
        let one = house.db.tenant(uuid(1));
        let intruding = one.write("trial.put", |tx| put(tx, uuid(2), uuid(3), "mine")).await;
        assert!(intruding.unwrap_err().is(&error::STORE_OTHER_TENANT));
        let changed = one
            .write("trial.rename", |tx| {
                tx.execute(sql!("-- trial.rename\nupdate trial_thing set name = 'changed'"), &values![])
            })
            .await;
        assert_eq!(changed.unwrap(), 0, "there is nothing that it can see");
        let unset = house.db.tenant(uuid(9)).read("trial.count", |rx| count(rx, uuid(2))).await;
        assert_eq!(unset.unwrap(), 0);
        // The same connections serve other tenants and the system afterwards.
        assert_eq!(house.db.read("trial.count", |rx| count(rx, uuid(2))).await.unwrap(), 1);
        house.db.close().await;
    });
}

#[test]
fn a_role_that_row_level_security_does_not_bind_is_refused() {
    let (Some(house), Some(url)) = (House::postgres(TRIAL), common::postgres_url()) else {
        eprintln!("SELO_TEST_POSTGRES is not set: this test of roles did not run");
        return;
    };
    let store::Place::Postgres { system, .. } = &house.settings.place else { unreachable!() };
    let settings = store::Settings::postgres(base::Secret::new(url), system.clone(), None);
    assert!(store::Db::open(&settings, None).err().expect("refused").is(&error::STORE_SETTINGS));
    run(house.db.close());
}

#[test]
fn every_statement_prepares_on_both_engines_and_the_twins_are_equal() {
    let sqlite = House::sqlite(TRIAL);
    let postgres = House::postgres(TRIAL);
    run(async {
        let ours = check::statements(&sqlite.db).await.unwrap();
        assert!(ours.iter().any(|prepared| prepared.sql.name() == "store.lease.claim"));
        assert_eq!(check::refused(&ours), Vec::<String>::new());
        let Some(postgres) = &postgres else {
            eprintln!("SELO_TEST_POSTGRES is not set: statements and schemas were not compared");
            return;
        };
        let theirs = check::statements(&postgres.db).await.unwrap();
        assert_eq!(check::refused(&theirs), Vec::<String>::new());
        assert_eq!(check::differences(&ours, &theirs), Vec::<String>::new());
        let (one, other) =
            (schema::read(&sqlite.db).await.unwrap(), schema::read(&postgres.db).await.unwrap());
        assert_eq!(one.tables.len(), 3);
        assert_eq!(schema::differences(&one, &other), Vec::<String>::new());
        assert!(one.text().contains("    unique(tenant, name)\n"), "{}", one.text());
        postgres.db.close().await;
        sqlite.db.close().await;
    });
}

#[test]
fn twins_that_differ_are_told_apart() {
    const CHANGED: &[store::Migration] = &[store::Migration {
        room: "trial",
        name: "0001_start",
        sqlite: "create table trial_thing (tenant blob not null, id blob not null, name integer, primary key (tenant, id)) strict",
        postgres: "",
    }];
    let (one, other) = (House::sqlite(TRIAL), House::sqlite(CHANGED));
    run(async {
        let found = schema::differences(
            &schema::read(&one.db).await.unwrap(),
            &schema::read(&other.db).await.unwrap(),
        );
        assert!(found.contains(&"table trial_fact is on one engine only".to_owned()), "{found:?}");
        assert!(found.contains(&"column trial_thing.name is text and integer".to_owned()), "{found:?}");
        assert!(
            found.contains(&"column trial_thing.name may be null on one engine only".to_owned()),
            "{found:?}"
        );
        assert!(found.contains(&"column trial_thing.at is on one engine only".to_owned()), "{found:?}");
    });
}

#[test]
fn a_table_without_tenant_must_be_listed_with_its_reason() {
    on_each_engine(|house| async move {
        let own = store::migrate::TABLES_WITHOUT_TENANT;
        let found = check::tenancy(&house.db, own).await.unwrap();
        assert_eq!(found, ["trial_fact: tenant is not the first column of the primary key"]);
        let found =
            check::tenancy(&house.db, &[("gone", "was there once"), ("store_migration", " ")]).await.unwrap();
        assert!(found.contains(&"gone is listed and does not exist".to_owned()), "{found:?}");
        assert!(found.contains(&"store_migration is listed without a reason".to_owned()), "{found:?}");
        assert!(
            found.contains(&"store_lease has no column tenant and is not listed with a reason".to_owned()),
            "{found:?}"
        );
    });
}
