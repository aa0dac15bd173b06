//! The figures of the authority: counters of what was done, gauges of what will end.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base::{
    Result, Time,
    telemetry::{Counters, Gauges, Histogram, Histograms, Metrics, Sample, SampleKind},
};
use proof::x509::{Profile, crl::Reason};

use super::{
    Pki,
    overview::{ENDING_DAYS, ending},
};
use crate::{
    model::{Authority, AuthorityKind, AuthorityState, reason_name},
    repo,
};

/// Certificates whose end is shown, those that end first.
const SHOWN_MAX: u32 = 50;
/// Plans that were given up are shown for so long.
const ABANDONED_SHOWN: Duration = Duration::from_secs(86_400);
/// Upper ends of the times of one stage, in seconds.
const STAGE_BUCKETS: &[f64] = &[0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0];
/// Upper ends of the times of a list, in seconds.
const LIST_BUCKETS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0];

pub(super) struct Figures {
    issued: Counters,
    refused: Counters,
    revoked: Counters,
    answers: Counters,
    stages: Histograms,
    list_seconds: Histogram,
    list_bytes: Gauges,
    /// What the loop looked up last; shown to whoever asks for figures.
    looked_up: Arc<Mutex<Vec<Sample>>>,
}

impl Figures {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let looked_up: Arc<Mutex<Vec<Sample>>> = Arc::default();
        let shown = Arc::clone(&looked_up);
        metrics.collect(move || shown.lock().unwrap_or_else(PoisonError::into_inner).clone());
        Self {
            issued: metrics.counters(
                "selo_pki_issued_total",
                "Certificates issued, by profile.",
                &["profile"],
            ),
            refused: metrics.counters(
                "selo_pki_refused_total",
                "Certificates refused, by the code of the reason.",
                &["reason"],
            ),
            revoked: metrics.counters(
                "selo_pki_revoked_total",
                "Certificates revoked, by the reason of RFC 5280.",
                &["reason"],
            ),
            answers: metrics.counters(
                "selo_ocsp_responses_total",
                "OCSP answers, by what they say and how they were made.",
                &["status", "mode"],
            ),
            stages: metrics.histograms(
                "selo_pki_issue_seconds",
                "Time of issuing a certificate, by stage: decide, plan, sign, finish.",
                &["stage"],
                STAGE_BUCKETS,
            ),
            list_seconds: metrics.histogram(
                "selo_crl_build_seconds",
                "Time of reading and signing a revocation list.",
                LIST_BUCKETS,
            ),
            list_bytes: metrics.gauges(
                "selo_crl_bytes",
                "Size of the revocation list that this process signed last, by issuer and shard.",
                &["issuer", "shard"],
            ),
            looked_up,
        }
    }

    /// A stage of issuing took so long.
    pub(super) fn took(&self, stage: &str, time: Duration) {
        self.stages.with(&[stage]).observe(time.as_secs_f64());
    }

    pub(super) fn list_signed(&self, issuer: &str, shard: u16, bytes: usize, took: Duration) {
        self.list_seconds.observe(took.as_secs_f64());
        self.list_bytes.with(&[issuer, &shard.to_string()]).set(bytes as f64);
    }

    pub(super) fn issued(&self, profile: Profile) {
        self.issued.with(&[profile.as_str()]).increment();
    }

    pub(super) fn refused(&self, code: &str) {
        self.refused.with(&[code]).increment();
    }

    pub(super) fn revoked(&self, reason: Reason) {
        self.revoked.with(&[reason_name(reason)]).increment();
    }

    pub(super) fn answered(&self, status: &str, mode: &str) {
        self.answers.with(&[status, mode]).increment();
    }
}

/// What the loop looked up of one authority.
struct AuthorityFigures {
    authority: Authority,
    /// When the oldest of its signed lists was signed, and when the first of them runs out.
    lists: (Option<Time>, Option<Time>),
    responder_ends: Option<Time>,
}

/// What the loop looked up.
struct Found {
    /// Profile, subject and end of those that end next.
    next: Vec<(String, String, Time)>,
    authorities: Vec<AuthorityFigures>,
    counts: Vec<repo::CountsRow>,
    overdue: Vec<repo::OverdueRow>,
    abandoned: i64,
}

impl Pki {
    /// Looks up what the gauges show. A loop of the house does this now and then, so that nobody's question for figures
    /// costs a question to the store.
    ///
    /// # Errors
    /// The store's.
    pub async fn look_up_figures(&self) -> Result<()> {
        let now = self.house.now();
        let found = self
            .house
            .db
            .read("pki.figures", move |rx| {
                let all = repo::every_authority(rx)?;
                let mut tenants: Vec<_> = all.iter().map(|one| one.tenant).collect();
                tenants.dedup();
                let (mut counts, mut overdue, mut authorities) = (Vec::new(), Vec::new(), Vec::new());
                for tenant in tenants {
                    counts.extend(repo::counts(rx, tenant, now, ending(now))?);
                    overdue.extend(repo::count_overdue(rx, tenant, now, ending(now))?);
                }
                for authority in all {
                    let (tenant, id) = (authority.tenant, authority.id);
                    let lists = repo::list_times(rx, tenant, id)?;
                    let responder_ends = repo::responder(rx, tenant, id)?.map(|one| one.not_after);
                    authorities.push(AuthorityFigures { authority, lists, responder_ends });
                }
                let next = repo::next_to_end(rx, now, SHOWN_MAX)?;
                let abandoned = repo::abandoned_since(rx, now.minus(ABANDONED_SHOWN))?;
                Ok(Found { next, authorities, counts, overdue, abandoned })
            })
            .await?;
        let samples = samples(&found, now);
        *self.figures.looked_up.lock().unwrap_or_else(PoisonError::into_inner) = samples;
        Ok(())
    }
}

fn gauge(name: &'static str, help: &'static str, labels: Vec<(&'static str, String)>, value: f64) -> Sample {
    Sample { name, help, kind: SampleKind::Gauge, labels, value }
}

fn seconds(time: Time) -> f64 {
    time.seconds() as f64
}

fn samples(found: &Found, now: Time) -> Vec<Sample> {
    let mut samples = Vec::new();
    let mut before: Vec<(&str, &str)> = Vec::new();
    for (profile, service, not_after) in &found.next {
        // Several certificates of one service are one series: the one that ends first.
        if before.contains(&(profile, service)) {
            continue;
        }
        before.push((profile, service));
        samples.push(gauge(
            "selo_cert_not_after_seconds",
            "When certificates end, those that end first, in seconds since 1970.",
            vec![("profile", profile.clone()), ("service", service.clone())],
            seconds(*not_after),
        ));
    }
    samples.extend(days_left(found));
    samples.extend(overdue_by_profile(&found.overdue));
    samples.push(gauge(
        "selo_pki_plans_abandoned_last_day",
        "Plans of the last 24 hours that were given up, so that their numbers count as revoked.",
        Vec::new(),
        found.abandoned as f64,
    ));
    for one in &found.authorities {
        samples.extend(of_authority(one, now));
    }
    samples
}

/// How many certificates have how many days left, and how many of those should have been renewed.
fn days_left(found: &Found) -> Vec<Sample> {
    const ALL: &str = "selo_cert_days_left";
    const LATE: &str = "selo_cert_overdue_days_left";
    let all_help = "Certificates of services in force that end within so many days, cumulative.";
    let late_help =
        "Certificates past two thirds of their life that none follows, ending within so many days.";
    let whole = |name, help, count: i64| gauge(name, help, vec![("le", "+Inf".to_owned())], count as f64);
    let mut samples = vec![
        whole(ALL, all_help, found.counts.iter().map(|row| row.in_force).sum()),
        whole(LATE, late_help, found.overdue.iter().map(|row| row.overdue).sum()),
    ];
    let sum = |rows: &mut dyn Iterator<Item = [i64; 4]>| {
        rows.fold([0_i64; 4], |[a, b, c, d], [e, f, g, h]| [a + e, b + f, c + g, d + h])
    };
    let all = sum(&mut found.counts.iter().map(|row| row.ending));
    let late = sum(&mut found.overdue.iter().map(|row| row.ending));
    for ((days, all), late) in ENDING_DAYS.into_iter().zip(all).zip(late) {
        let label = vec![("le", days.to_string())];
        samples.push(gauge(ALL, all_help, label.clone(), all as f64));
        samples.push(gauge(LATE, late_help, label, late as f64));
    }
    samples
}

fn overdue_by_profile(rows: &[repo::OverdueRow]) -> Vec<Sample> {
    let mut by_profile: Vec<(String, i64)> = Vec::new();
    for row in rows {
        match by_profile.iter_mut().find(|(profile, _)| *profile == row.profile) {
            Some((_, count)) => *count += row.overdue,
            None => by_profile.push((row.profile.clone(), row.overdue)),
        }
    }
    by_profile
        .into_iter()
        .map(|(profile, count)| {
            gauge(
                "selo_cert_renewal_overdue",
                "Certificates in force past two thirds of their life that none follows.",
                vec![("profile", profile)],
                count as f64,
            )
        })
        .collect()
}

fn of_authority(one: &AuthorityFigures, now: Time) -> Vec<Sample> {
    let authority = &one.authority;
    let is_root = authority.kind == AuthorityKind::Root;
    let labels = vec![("issuer", authority.name.clone()), ("environment", authority.environment.clone())];
    let mut samples = vec![
        gauge(
            "selo_ca_not_before_seconds",
            "When authorities began, in seconds since 1970.",
            labels.clone(),
            seconds(authority.not_before),
        ),
        gauge(
            "selo_ca_not_after_seconds",
            "When authorities end, in seconds since 1970.",
            labels.clone(),
            seconds(authority.not_after),
        ),
    ];
    if authority.state == AuthorityState::Active {
        // Two thirds of its life are over: its successor should be asked for.
        let third = authority.not_after.since(authority.not_before) / 3;
        let overdue = now >= authority.not_before.plus(third * 2);
        samples.push(gauge(
            "selo_ca_renewal_overdue",
            "Whether an authority that issues is past two thirds of its life.",
            labels.clone(),
            f64::from(u8::from(overdue)),
        ));
    }
    let (oldest, first_end) = one.lists;
    if let Some(first_end) = first_end {
        let (name, help) = if is_root {
            (
                "selo_root_crl_next_update_seconds",
                "When the revocation list of a root runs out, in seconds since 1970.",
            )
        } else {
            (
                "selo_crl_next_update_seconds",
                "When the first of an authority's signed lists runs out, in seconds since 1970.",
            )
        };
        samples.push(gauge(name, help, labels.clone(), seconds(first_end)));
    }
    // People sign a root's list; its age says nothing.
    if let Some(oldest) = oldest.filter(|_| !is_root) {
        samples.push(gauge(
            "selo_crl_age_seconds",
            "How long ago the oldest of an authority's lists was signed, in seconds.",
            labels.clone(),
            now.since(oldest).as_secs() as f64,
        ));
    }
    if let Some(ends) = one.responder_ends {
        samples.push(gauge(
            "selo_ocsp_responder_not_after_seconds",
            "When the newest certificate of an authority's OCSP responder ends, in seconds since 1970.",
            labels,
            seconds(ends),
        ));
    }
    samples
}
