//! The disk: what is erased is gone, a full disk fails whole groups and nothing else, blobs stand or do not.

#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::{Path, PathBuf};

use common::{House, TRIAL, count, put, run, uuid};
use store::{Db, Settings, Tx, blob::Blobs, error, sql, values};

/// Files below the folder whose bytes hold a text.
fn holding(folder: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let bytes = std::fs::read(entry.path()).unwrap_or_default();
        if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
            found.push(entry.path());
        }
    }
    found
}

fn put_marked(tx: &mut Tx<'_>, number: u128, marker: &str) -> base::Result<()> {
    tx.execute(
        sql!("-- trial.marked\ninsert into trial_thing (tenant, id, name, payload) values ($1, $2, $3, $4)"),
        &values![uuid(1), uuid(number), format!("{number}"), marker.repeat(3).into_bytes()],
    )
    .map(drop)
}

#[test]
fn what_is_erased_is_in_no_file_after_a_scrub() {
    let house = House::sqlite(TRIAL);
    run(async {
        const MARKER: &str = "Maria-da-Conceicao-MARKER";
        for start in 0..40u128 {
            house
                .db
                .write("trial.many", move |tx| {
                    for number in 0..100u128 {
                        let key = (start * 100 + number).wrapping_mul(7_919) % 4_000 + 1;
                        put_marked(tx, key, if key == 1_234 { MARKER } else { "somebody else " })?;
                    }
                    Ok(())
                })
                .await
                .unwrap();
        }
        assert!(!holding(house.folder.path(), MARKER).is_empty(), "the marker is there to be erased");
        house
            .db
            .write("trial.erase", |tx| {
                tx.execute(
                    sql!("-- trial.erase\ndelete from trial_thing where tenant = $1 and id = $2"),
                    &values![uuid(1), uuid(1_234)],
                )
            })
            .await
            .unwrap();
        house.db.scrub().await.unwrap();
        assert_eq!(holding(house.folder.path(), MARKER), Vec::<PathBuf>::new());
        let wal = house.folder.path().join("house.db-wal");
        assert_eq!(std::fs::metadata(wal).map_or(0, |known| known.len()), 0);
        house.db.close().await;
    });
}

#[test]
fn a_rewrite_leaves_no_stale_copy_of_rows_that_moved() {
    let house = House::sqlite(TRIAL);
    run(async {
        const MARKER: &str = "Afonso-Henriques-MARKER";
        house
            .db
            .write("trial.many", |tx| {
                (0..3_000u128).try_for_each(|n| put_marked(tx, n.wrapping_mul(7_919) % 3_001 + 1, MARKER))
            })
            .await
            .unwrap();
        house
            .db
            .write("trial.erase_all", |tx| {
                tx.execute(
                    sql!("-- trial.erase_all\ndelete from trial_thing where tenant = $1"),
                    &values![uuid(1)],
                )
            })
            .await
            .unwrap();
        house.db.rewrite().await.unwrap();
        assert_eq!(holding(house.folder.path(), MARKER), Vec::<PathBuf>::new());
        house.db.close().await;
    });
}

/// A file system of its own with little room; unmounted at the end.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(mebibytes: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={mebibytes}m"), "tmpfs"])
            .arg(folder.path())
            .status()
            .is_ok_and(|status| status.success());
        if !mounted {
            eprintln!("no tmpfs could be mounted (not root?): this test of a full disk did not run");
        }
        mounted.then_some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(std::process::Command::new("umount").arg("-l").arg(self.0.path()).status());
    }
}

#[test]
fn a_full_disk_fails_the_group_loses_nothing_and_the_reserve_gives_room_to_clean_up() {
    let Some(disk) = SmallDisk::mount(24) else { return };
    let mut settings = Settings::sqlite(disk.0.path().join("house.db"));
    // More than twice what the write-ahead log may hold (4 MiB), as the 64 MiB of a real house are.
    settings.reserve_bytes = 10 << 20;
    store::migrate(&settings, TRIAL).unwrap();
    let db = Db::open(&settings, None).unwrap();
    assert!(disk.0.path().join("reserve").exists());
    run(async {
        let mut kept = 0i64;
        let refused = loop {
            let number = kept as u128 + 1;
            let outcome = db
                .write("trial.large", move |tx| {
                    tx.execute(
                        sql!("-- trial.large\ninsert into trial_thing (tenant, id, name, payload) values ($1, $2, $3, $4)"),
                        &values![uuid(1), uuid(number), number.to_string(), vec![7u8; 50_000]],
                    )
                })
                .await;
            match outcome {
                Ok(_) => kept += 1,
                Err(error) => break error,
            }
            assert!(kept < 1_000, "the disk never got full");
        };
        assert!(refused.is(&error::STORE_DISK_FULL), "{refused:?}");
        assert_eq!(
            db.read("trial.count", |rx| count(rx, uuid(1))).await.unwrap(),
            kept,
            "what was acknowledged is there"
        );
        assert!(!db.poisoned());
        assert!(db.release_reserve().unwrap());
        // In parts: a deletion overwrites what it deletes, and so needs room in the log before it gives any back.
        for number in 1..=10u128 {
            db.write("trial.clean", move |tx| {
                tx.execute(
                    sql!("-- trial.clean\ndelete from trial_thing where tenant = $1 and id = $2"),
                    &values![uuid(1), uuid(number)],
                )
            })
            .await
            .expect("there is room to clean up");
        }
        db.scrub().await.expect("there is room to copy the log");
        let room_again =
            db.write("trial.put", |tx| put(tx, uuid(1), uuid(5_000), "after the cleaning")).await;
        room_again.expect("there is room to go on");
        db.close().await;
    });
}

#[test]
fn the_files_of_a_house_are_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let house = House::sqlite_with(TRIAL, |settings| settings.reserve_bytes = 1 << 20);
    run(async {
        house.db.write("trial.put", |tx| put(tx, uuid(1), uuid(1), "one")).await.unwrap();
        for name in ["house.db", "house.db-wal", "house.db-shm", "reserve"] {
            let mode = std::fs::metadata(house.folder.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        house.db.close().await;
    });
}

#[test]
fn a_damaged_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("house.db");
    std::fs::write(&file, "this is not a database, however long it is, and it never was one ".repeat(100))
        .unwrap();
    assert!(store::migrate(&Settings::sqlite(&file), &[]).unwrap_err().is(&error::STORE_CORRUPT));
}

#[test]
fn a_blob_reads_back_is_replaced_listed_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let blobs = Blobs::folder(&folder.path().join("blobs")).unwrap();
        assert_eq!(blobs.get("log/cred/tile/0/000").await.unwrap(), None);
        blobs.put("log/cred/tile/0/000.p/3", b"one".to_vec()).await.unwrap();
        blobs.put("log/cred/tile/0/000.p/3", b"two".to_vec()).await.unwrap();
        blobs.put("log/audit/x", Vec::new()).await.unwrap();
        assert_eq!(blobs.get("log/cred/tile/0/000.p/3").await.unwrap().as_deref(), Some(&b"two"[..]));
        assert_eq!(blobs.list("").await.unwrap(), ["log/audit/x", "log/cred/tile/0/000.p/3"]);
        assert_eq!(blobs.list("log/cred/").await.unwrap(), ["log/cred/tile/0/000.p/3"]);
        blobs.delete("log/audit/x").await.unwrap();
        blobs.delete("log/audit/x").await.expect("twice is once");
        assert_eq!(blobs.get("log/audit/x").await.unwrap(), None);
    });
}

#[test]
fn a_blob_that_is_too_large_or_leaves_its_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    run(async {
        let blobs = Blobs::folder(folder.path()).unwrap();
        for key in
            ["", "/", "a//b", "../a", "a/../b", ".hidden", "a/.b", "A", "a b", "a\0", "ação", "/a", "a/"]
        {
            assert!(blobs.put(key, *b"x").await.unwrap_err().is(&error::STORE_BLOB_KEY), "{key:?}");
            assert!(blobs.get(key).await.unwrap_err().is(&error::STORE_BLOB_KEY), "{key:?}");
        }
        blobs.put("large", [0; 11]).await.unwrap();
        let small = blobs.limited_to(10);
        assert!(small.put("larger", [0; 11]).await.unwrap_err().is(&error::STORE_BLOB_TOO_LARGE));
        assert!(small.get("large").await.unwrap_err().is(&error::STORE_BLOB_TOO_LARGE));
    });
}
