//! The figures of the authority: counters of what was done, gauges of what will end.

use std::sync::{Arc, Mutex, PoisonError};

use base::{
    Result, Time,
    telemetry::{Counters, Metrics, Sample, SampleKind},
};
use proof::x509::{Profile, crl::Reason};

use super::Pki;
use crate::{
    model::{AuthorityKind, AuthorityState, reason_name},
    repo,
};

/// Certificates whose end is shown, those that end first.
const SHOWN_MAX: u32 = 50;

pub(super) struct Figures {
    issued: Counters,
    refused: Counters,
    revoked: Counters,
    answers: Counters,
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
            looked_up,
        }
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

impl Pki {
    /// Looks up what the gauges show. A loop of the house does this now and then, so that nobody's question for figures
    /// costs a question to the store.
    ///
    /// # Errors
    /// The store's.
    pub async fn look_up_figures(&self) -> Result<()> {
        let now = self.house.now();
        let (next, authorities, overdue) = self
            .house
            .db
            .read("pki.figures", move |rx| {
                let authorities = repo::every_authority(rx)?
                    .into_iter()
                    .map(|one| Ok((repo::next_update(rx, one.tenant, one.id)?, one)))
                    .collect::<Result<Vec<_>>>()?;
                Ok((repo::next_to_end(rx, now, SHOWN_MAX)?, authorities, repo::count_overdue(rx, now)?))
            })
            .await?;
        let gauge = |name, help, labels: Vec<(&'static str, String)>, value: f64| Sample {
            name,
            help,
            kind: SampleKind::Gauge,
            labels,
            value,
        };
        let seconds = |time: Time| time.seconds() as f64;
        let mut samples = Vec::new();
        let mut before: Vec<(String, String)> = Vec::new();
        for (profile, service, not_after) in next {
            // Several certificates of one service are one series: the one that ends first.
            let key = (profile.clone(), service.clone());
            if before.contains(&key) {
                continue;
            }
            before.push(key);
            samples.push(gauge(
                "selo_cert_not_after_seconds",
                "When certificates end, those that end first, in seconds since 1970.",
                vec![("profile", profile), ("service", service)],
                seconds(not_after),
            ));
        }
        for (profile, count) in overdue {
            samples.push(gauge(
                "selo_cert_renewal_overdue",
                "Certificates in force past two thirds of their life that none follows.",
                vec![("profile", profile)],
                count as f64,
            ));
        }
        for (next_update, authority) in authorities {
            let labels =
                vec![("issuer", authority.name.clone()), ("environment", authority.environment.clone())];
            if let Some(next_update) = next_update {
                let (name, help) = match authority.kind {
                    AuthorityKind::Root => (
                        "selo_root_crl_next_update_seconds",
                        "When the revocation list of a root runs out, in seconds since 1970.",
                    ),
                    AuthorityKind::Issuing => (
                        "selo_crl_next_update_seconds",
                        "When the first of an authority's signed lists runs out, in seconds since 1970.",
                    ),
                };
                samples.push(gauge(name, help, labels.clone(), seconds(next_update)));
            }
            // Two thirds of an authority's life are over: its successor should be asked for.
            let third = authority.not_after.since(authority.not_before) / 3;
            if authority.state == AuthorityState::Active {
                let overdue = now >= authority.not_before.plus(third * 2);
                samples.push(gauge(
                    "selo_ca_renewal_overdue",
                    "Whether an authority that issues is past two thirds of its life.",
                    labels.clone(),
                    f64::from(u8::from(overdue)),
                ));
            }
            samples.push(gauge(
                "selo_ca_not_after_seconds",
                "When authorities end, in seconds since 1970.",
                labels,
                seconds(authority.not_after),
            ));
        }
        *self.figures.looked_up.lock().unwrap_or_else(PoisonError::into_inner) = samples;
        Ok(())
    }
}
