//! The agent's figures in the text form of Prometheus, for a collector that reads a file.
//!
//! Never here: a listener.

use std::fmt::Write as _;

use base::Time;

use crate::run::Status;

/// The figures of one round.
pub fn text(all: &[Status]) -> String {
    let mut out = String::new();
    let mut family = |name: &str, help: &str, value: &dyn Fn(&Status) -> Option<i64>| {
        let values: Vec<_> = all.iter().filter_map(|status| Some((&status.name, value(status)?))).collect();
        if values.is_empty() {
            return;
        }
        // Writing to a String does not fail.
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge");
        for (certificate, value) in values {
            let _ = writeln!(out, "{name}{{certificate=\"{certificate}\"}} {value}");
        }
    };
    let seconds = |time: Option<Time>| time.map(Time::seconds);
    family("selo_agent_well", "1 when nothing is wrong with the certificate.", &|status| {
        Some(status.is_well().into())
    });
    family("selo_agent_last_renewal_timestamp_seconds", "When it was last renewed.", &|status| {
        seconds(status.state.renewed)
    });
    family("selo_agent_next_renewal_timestamp_seconds", "When it is to be renewed.", &|status| {
        seconds(status.next())
    });
    family("selo_agent_failures", "Failures to renew in a row.", &|status| {
        Some(status.state.failures.into())
    });
    family(
        "selo_agent_served_serial_match",
        "1 when the service shows the installed certificate.",
        &|status| status.state.served.map(i64::from),
    );
    family("selo_cert_not_after_seconds", "When the certificate ends.", &|status| {
        status.state.life.map(|life| life.not_after.seconds())
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        plan::{Life, Mood},
        state::State,
    };

    #[test]
    fn figures_have_a_line_for_each_certificate_that_has_them() {
        let life = Life { not_before: Time::EPOCH, not_after: Time::from_seconds(90) };
        let state =
            State { life: Some(life), served: Some(true), renewed: Some(Time::EPOCH), ..State::default() };
        let well = Status { name: "web".to_owned(), state, mood: Some(Mood::Fine) };
        let none =
            Status { name: "new".to_owned(), state: State { failures: 2, ..State::default() }, mood: None };
        let said = text(&[well, none]);
        for line in [
            "# TYPE selo_cert_not_after_seconds gauge",
            "selo_cert_not_after_seconds{certificate=\"web\"} 90",
            "selo_agent_served_serial_match{certificate=\"web\"} 1",
            "selo_agent_last_renewal_timestamp_seconds{certificate=\"web\"} 0",
            "selo_agent_failures{certificate=\"new\"} 2",
            "selo_agent_well{certificate=\"web\"} 1",
            "selo_agent_well{certificate=\"new\"} 0",
        ] {
            assert!(said.lines().any(|one| one == line), "{line} is not in\n{said}");
        }
        assert!(!said.contains("served_serial_match{certificate=\"new\"}"), "{said}");
        assert_eq!(text(&[]), "");
        // What the shipped alerts name is what an agent shows.
        let alerts = include_str!("../../../deploy/prometheus/selo-agent-alerts.yml");
        let mut named: Vec<&str> =
            alerts.lines().filter_map(|line| line.trim().strip_prefix("expr: ")?.split(' ').next()).collect();
        named.dedup();
        assert_eq!(named, ["selo_agent_well", "selo_agent_served_serial_match"]);
        assert!(named.iter().all(|name| said.contains(&format!("# TYPE {name} gauge"))), "{said}");
    }
}
