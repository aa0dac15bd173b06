//! Migrations: once each, in order, and never over what a newer program wrote.

mod common;

use common::{House, TRIAL, postgres_url, run};
use store::{Migration, Settings, error, migrate};

const NEXT: Migration = Migration {
    room: "trial",
    name: "0002_more",
    sqlite: "create table trial_more (tenant blob not null, id blob not null, primary key (tenant, id)) strict, without rowid",
    postgres: "create table trial_more (tenant uuid not null, id uuid not null, primary key (tenant, id))",
};

const BROKEN: Migration = Migration {
    room: "trial",
    name: "0003_broken",
    sqlite: "create table trial_half (id blob not null primary key) strict; create table oops (",
    postgres: "create table trial_half (id uuid not null primary key); create table oops (",
};

fn on_each(test: impl Fn(&Settings)) {
    let houses = [Some(House::sqlite(TRIAL)), House::postgres(TRIAL)];
    if postgres_url().is_none() {
        eprintln!("SELO_TEST_POSTGRES is not set: the PostgreSQL half of this test did not run");
    }
    for house in houses.into_iter().flatten() {
        run(house.db.close());
        test(&house.settings);
    }
}

#[test]
fn a_second_run_changes_nothing_and_a_new_migration_is_applied_once() {
    on_each(|settings| {
        let again = migrate(settings, TRIAL).unwrap();
        assert_eq!((again.now.len(), again.before), (0, 2));
        store::migrate::check(settings, TRIAL).expect("nothing is missing");
        let more = [TRIAL[0], NEXT];
        assert!(store::migrate::check(settings, &more).unwrap_err().is(&error::STORE_OLDER));
        assert_eq!(migrate(settings, &more).unwrap().now, ["trial/0002_more"]);
        assert_eq!(migrate(settings, &more).unwrap().now.len(), 0);
    });
}

#[test]
fn what_a_newer_program_wrote_is_refused() {
    on_each(|settings| {
        migrate(settings, &[TRIAL[0], NEXT]).unwrap();
        let refused = migrate(settings, TRIAL).unwrap_err();
        assert!(refused.is(&error::STORE_NEWER));
        assert_eq!(
            refused.cause(base::Lang::En),
            "The data was written by a newer version: migration trial/0002_more is not known here."
        );
        assert!(store::migrate::check(settings, TRIAL).unwrap_err().is(&error::STORE_NEWER));
    });
}

#[test]
fn a_migration_that_was_edited_after_it_was_applied_is_refused() {
    on_each(|settings| {
        let edited = Migration {
            sqlite: "create table trial_x (id integer) strict",
            postgres: "select 1",
            ..TRIAL[0]
        };
        assert!(migrate(settings, &[edited]).unwrap_err().is(&error::STORE_MIGRATION_CHANGED));
    });
}

#[test]
fn a_migration_that_fails_half_way_leaves_nothing() {
    on_each(|settings| {
        let all = [TRIAL[0], NEXT, BROKEN];
        assert!(migrate(settings, &all).unwrap_err().is(&error::STORE_STATEMENT));
        let mended = Migration {
            sqlite: "create table trial_half (id blob not null primary key) strict",
            postgres: "create table trial_half (id uuid not null primary key)",
            ..BROKEN
        };
        assert_eq!(migrate(settings, &[TRIAL[0], NEXT, mended]).unwrap().now, ["trial/0003_broken"]);
    });
}

#[test]
fn migrations_out_of_order_are_refused() {
    on_each(|settings| {
        assert!(migrate(settings, &[NEXT, TRIAL[0]]).unwrap_err().is(&error::STORE_SETTINGS));
    });
}
