//! The figures of a large inventory: searches among a million certificates, and the lists of a million revoked ones.

use std::time::{Duration, Instant};

use base::{Call, Id, Result, Time};
use pki::{Authority, AuthorityKind, Search};

use super::{Watch, cpu_seconds, pki::hierarchy};
use crate::rooms::Rooms;

/// Certificates in the inventory, and certificates that are revoked.
const CERTIFICATES: u64 = 1_000_000;
/// Searches of each kind, each for something else.
const SEARCHES: usize = 200;
/// A page as the browser asks for it.
const PAGE: u32 = 50;
/// How deep somebody pages.
const DEEP: usize = 1_000;
const DAY: Duration = Duration::from_secs(86_400);

/// Fills a house and searches it; fills an authority with revoked certificates and signs its lists.
///
/// # Errors
/// The house's.
pub(super) async fn measure(rooms: &Rooms, call: &Call) -> Result<()> {
    let full = authority(rooms, call, "full").await?;
    let watch = Watch::start();
    rooms.pki.fill_for_bench(&full, CERTIFICATES).await?;
    watch.print(
        "inventory-fill",
        usize::try_from(CERTIFICATES).unwrap_or(0),
        "certificates put into the tables",
    );
    let now = rooms.house.now();
    for (name, search) in searches(now) {
        searched(rooms, name, search).await?;
    }
    paged(rooms).await?;
    for (name, what) in [("inventory-overview", "overviews"), ("inventory-figures", "rounds of figures")] {
        let mut took = Vec::new();
        let cpu = cpu_seconds();
        for _ in 0..10 {
            let began = Instant::now();
            if name == "inventory-overview" {
                rooms.pki.overview(Id::NIL).await?;
            } else {
                rooms.pki.look_up_figures().await?;
            }
            took.push(began.elapsed());
        }
        print(name, &mut took, cpu, what);
    }
    lists(rooms, call).await
}

async fn authority(rooms: &Rooms, call: &Call, environment: &str) -> Result<Authority> {
    hierarchy(rooms, call, environment).await?;
    let all = rooms.pki.authorities(Id::NIL).await?;
    all.into_iter()
        .find(|one| one.environment == environment && one.kind == AuthorityKind::Issuing)
        .ok_or_else(|| base::error::INTERNAL.error())
}

type Wanted = Box<dyn Fn(usize) -> Search>;

/// What people search for; each search of a kind is for another thing.
fn searches(now: Time) -> Vec<(&'static str, Wanted)> {
    let of = |search: fn(usize, Time) -> Search| -> Wanted { Box::new(move |number| search(number, now)) };
    vec![
        (
            "inventory-name",
            of(|number, _| Search { name: Some(format!("s{:05}", number * 117)), ..Search::default() }),
        ),
        (
            "inventory-name-wide",
            of(|number, _| Search { name: Some(format!("s{}", number % 3)), ..Search::default() }),
        ),
        (
            "inventory-suffix",
            of(|number, _| Search { suffix: Some(format!("d{number:03}.bench.test")), ..Search::default() }),
        ),
        (
            "inventory-suffix-wide",
            of(|_, _| Search { suffix: Some("bench.test".to_owned()), ..Search::default() }),
        ),
        (
            "inventory-owner",
            of(|number, _| Search { owner: Some(format!("team-{:04}", number * 7)), ..Search::default() }),
        ),
        (
            "inventory-state-end",
            of(|number, now| Search {
                state: Some("issued".to_owned()),
                expires_after: Some(now),
                expires_before: Some(now.plus(DAY * u32::try_from(1 + number % 30).unwrap_or(1))),
                ..Search::default()
            }),
        ),
        (
            "inventory-profile",
            of(|number, _| Search {
                profile: Some(["server", "client", "svid"][number % 3].to_owned()),
                ..Search::default()
            }),
        ),
        ("inventory-revoked", of(|_, _| Search { state: Some("revoked".to_owned()), ..Search::default() })),
    ]
}

async fn searched(rooms: &Rooms, name: &str, search: Wanted) -> Result<()> {
    let mut took = Vec::with_capacity(SEARCHES);
    let mut found = 0;
    let cpu = cpu_seconds();
    for number in 0..SEARCHES {
        let began = Instant::now();
        found += rooms.pki.page(Id::NIL, search(number), PAGE, None).await?.items.len();
        took.push(began.elapsed());
    }
    if found == 0 {
        return Err(base::error::INTERNAL.error());
    }
    print(name, &mut took, cpu, &format!("searches among {CERTIFICATES} certificates, {found} found"));
    Ok(())
}

/// The last of a thousand pages and those before it cost what the first did.
async fn paged(rooms: &Rooms) -> Result<()> {
    let mut took = Vec::new();
    let mut token: Option<String> = None;
    let mut cpu = cpu_seconds();
    for page in 0..DEEP {
        if page == DEEP - SEARCHES {
            took.clear();
            cpu = cpu_seconds();
        }
        let began = Instant::now();
        let found = rooms.pki.page(Id::NIL, Search::default(), PAGE, token.as_deref()).await?;
        took.push(began.elapsed());
        token = found.next_page_token;
    }
    print("inventory-page", &mut took, cpu, &format!("pages before page {DEEP}, by keyset"));
    Ok(())
}

/// Every list of an authority with a million revoked certificates, read out of the table and signed.
async fn lists(rooms: &Rooms, call: &Call) -> Result<()> {
    let revoked = authority(rooms, call, "revoked").await?;
    rooms.pki.fill_revoked_for_bench(&revoked, CERTIFICATES).await?;
    let (began, cpu) = (Instant::now(), cpu_seconds());
    let mut bytes = 0;
    for shard in 0..revoked.shards {
        let list = rooms.pki.list(&revoked.handle, Some(shard)).await?;
        bytes += list.map_or(0, |list| list.der.len());
    }
    let note =
        format!("time for {} lists of {CERTIFICATES} revoked, {} MB", revoked.shards, bytes / 1_000_000);
    print("inventory-lists", &mut [began.elapsed()], cpu, &note);
    Ok(())
}

/// One line of the protocol with the 95th percentile.
fn print(name: &str, took: &mut [Duration], cpu_before: f64, note: &str) {
    took.sort_unstable();
    let items = took.len();
    let p95 = took.get((items * 95).div_ceil(100).saturating_sub(1)).copied().unwrap_or_default();
    let (count, whole) = (items as f64, took.iter().sum::<Duration>().as_secs_f64());
    println!(
        "bench: name={name} rate={:.0} cpu_us={:.2} items={items} p95_us={} note=\"{items} {note}\"",
        count / whole,
        (cpu_seconds() - cpu_before) * 1e6 / count,
        p95.as_micros()
    );
}
