//! Torture: the Nth store call of a verb fails, for every N; the state is before or after, nothing between.
#![cfg(feature = "fault-injection")]

mod common;

use common::{count, count_facts, on_each_engine, put, uuid};
use store::error;

#[test]
fn whichever_call_fails_the_verb_is_done_whole_or_not_at_all() {
    on_each_engine(|house| async move {
        let mut done = 0;
        for nth in 1..=10u64 {
            house.db.faults().fail_nth(nth);
            let id = uuid(u128::from(nth));
            let outcome = house.db.write("trial.put", move |tx| put(tx, uuid(1), id, &nth.to_string())).await;
            let calls = house.db.faults().calls();
            house.db.faults().disarm();
            match outcome {
                Ok(()) => {
                    // Read, write, fact, commit.
                    assert_eq!(calls, 4);
                    assert!(nth > 4, "call {nth} did not fail");
                    done += 1;
                }
                Err(error) => assert!(nth <= 4 && error.is(&error::STORE_FAULT_INJECTED), "{nth}: {error:?}"),
            }
            assert_eq!(house.db.read("trial.count", |rx| count(rx, uuid(1))).await.unwrap(), done);
            assert_eq!(house.db.read("trial.facts", |rx| count_facts(rx, uuid(1))).await.unwrap(), done);
        }
        assert_eq!(done, 6);
    });
}
