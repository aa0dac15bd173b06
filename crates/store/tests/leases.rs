//! Leases: one holder at a time, and a token by which a sleeper finds out that it lost.

mod common;

use std::time::Duration;

use common::{noon, on_each_engine};
use store::{error, lease};

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_lease_has_one_holder_until_it_runs_out() {
    on_each_engine(|house| async move {
        let claim = |holder: &'static str, after: Duration| {
            let db = house.db.clone();
            async move {
                db.write("lease.claim", move |tx| lease::claim(tx, "job", holder, noon().plus(after), MINUTE))
                    .await
                    .unwrap()
            }
        };
        let first = claim("a", Duration::ZERO).await.expect("free");
        assert_eq!((first.token, first.until), (1, noon().plus(MINUTE)));
        assert_eq!(claim("b", Duration::from_secs(59)).await, None);
        let again = claim("a", Duration::from_secs(30)).await.expect("its own");
        assert_eq!((again.token, again.until), (1, noon().plus(Duration::from_secs(90))));
        let second = claim("b", Duration::from_secs(90)).await.expect("it ran out");
        assert_eq!(second.token, 2);
        assert_eq!(claim("a", Duration::from_secs(100)).await, None);
    });
}

#[test]
fn a_sleeper_that_wakes_after_its_lease_passed_on_is_refused() {
    on_each_engine(|house| async move {
        let db = &house.db;
        let sleeper = db
            .write("lease.claim", |tx| lease::claim(tx, "job", "a", noon(), MINUTE))
            .await
            .unwrap()
            .unwrap();
        let later = noon().plus(2 * MINUTE);
        let next = db
            .write("lease.claim", move |tx| lease::claim(tx, "job", "b", later, MINUTE))
            .await
            .unwrap()
            .unwrap();
        let late = sleeper.clone();
        let work = db.write("lease.work", move |tx| lease::check(tx, &late, noon())).await;
        assert!(work.unwrap_err().is(&error::STORE_LEASE_LOST));
        let renewed = db.write("lease.renew", move |tx| lease::renew(tx, &sleeper, later, MINUTE)).await;
        assert!(renewed.unwrap_err().is(&error::STORE_LEASE_LOST));
        let held = next.clone();
        db.write("lease.work", move |tx| lease::check(tx, &held, later)).await.expect("the holder works");
        // Given back, it is free at once, and the token still grows.
        db.write("lease.release", move |tx| lease::release(tx, &next, later)).await.unwrap();
        let third =
            db.write("lease.claim", move |tx| lease::claim(tx, "job", "a", later, MINUTE)).await.unwrap();
        assert_eq!(third.expect("free").token, 3);
        // So is all that a process held, when it ends.
        db.write("lease.release", move |tx| lease::release_all(tx, "a", later)).await.unwrap();
        let fourth =
            db.write("lease.claim", move |tx| lease::claim(tx, "job", "b", later, MINUTE)).await.unwrap();
        assert_eq!(fourth.expect("free").token, 4);
    });
}

#[test]
fn of_many_that_claim_at_once_one_gets_it() {
    on_each_engine(|house| async move {
        let mut claims = tokio::task::JoinSet::new();
        for number in 0..16 {
            let db = house.db.clone();
            claims.spawn(async move {
                let holder = format!("holder {number}");
                db.write("lease.claim", move |tx| lease::claim(tx, "job", &holder, noon(), MINUTE)).await
            });
        }
        let mut holders = 0;
        while let Some(ended) = claims.join_next().await {
            holders += u32::from(ended.expect("no panic").expect("a conflict is retried").is_some());
        }
        assert_eq!(holders, 1);
    });
}
