//! The agent's round: look at each certificate, renew what is due, prove that it is served, and say what is not well.
//!
//! The order of a renewal: new key, order, judge, lay down, publish, reload, look. Whatever fails after the files were
//! published brings the generation before back and tells the service once more.
//! Never here: an end because one certificate fails, a failure that is not said.

use std::{future::Future, sync::Arc, time::Duration};

use base::{Chance, Clock, Result, Time};
use keys::{local_key_on, request_der};
use proof::x509::GeneralName;

use crate::{
    authority::Authority,
    config::{Config, Wanted},
    error, figures, files,
    files::{Set, Shelf},
    judge, notify,
    plan::{self, Life, Mood},
    reload, served,
    state::{self, State, Trouble},
};

/// The longest sleep: so often every certificate is looked at.
const ROUND: Duration = Duration::from_secs(3600);
const SLEEP_MIN: Duration = Duration::from_secs(60);
/// How long a service may take to show what it was told.
const SETTLE: Duration = Duration::from_secs(15);
const SETTLE_STEP: Duration = Duration::from_millis(200);
/// When an authority gives no window, it is asked again after this long.
const ASK_AGAIN: Duration = Duration::from_secs(6 * 3600);

/// The agent.
pub struct Agent {
    config: Config,
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
}

/// How a certificate is doing.
#[derive(Debug, Clone)]
pub struct Status {
    /// Its name in the agent's file.
    pub name: String,
    /// What is known.
    pub state: State,
    /// How near the end is; none without a certificate.
    pub mood: Option<Mood>,
}

impl Status {
    /// Whether nothing is wrong: there is a certificate, renewed in time, and the service shows it.
    pub fn is_well(&self) -> bool {
        self.mood.is_some_and(|mood| mood == Mood::Fine)
            && self.state.trouble.is_none()
            && self.state.served != Some(false)
    }

    /// When it is to be renewed, or tried again.
    pub fn next(&self) -> Option<Time> {
        let state = &self.state;
        state.planned.map(|planned| plan::due(planned, state.window.as_ref(), state.retry)).or(state.retry)
    }
}

impl Agent {
    /// An agent; its folder is made when it is not there.
    ///
    /// # Errors
    /// `AGENT_STATE_BROKEN`.
    pub fn new(config: Config, clock: Arc<dyn Clock>, chance: Arc<dyn Chance>) -> Result<Self> {
        files::folder(&config.state).map_err(|e| broken(&config.state, &e))?;
        Ok(Self { config, clock, chance })
    }

    /// What is known of each certificate; nobody is asked.
    pub fn status(&self) -> Vec<Status> {
        let now = self.clock.now();
        let look = |wanted: &Wanted| {
            let state = state::load(&self.config.state, &wanted.name);
            Status { name: wanted.name.clone(), mood: state.life.map(|life| life.mood(now)), state }
        };
        self.config.certificates.iter().map(look).collect()
    }

    /// One round over all certificates.
    pub async fn round(&self) -> Vec<Status> {
        let mut authority = None;
        let mut all = Vec::new();
        for wanted in &self.config.certificates {
            let mut state = state::load(&self.config.state, &wanted.name);
            if let Err(failure) = self.tend(wanted, &mut state, &mut authority).await {
                state.trouble = Some(Trouble::of(&failure));
                say(wanted, &failure);
            }
            if let Err(failure) = state::save(&self.config.state, &wanted.name, &state) {
                say(wanted, &failure);
                state.trouble = Some(Trouble::of(&failure));
            }
            let now = self.clock.now();
            let mood = state.life.map(|life| life.mood(now));
            warn(wanted, mood, state.life);
            all.push(Status { name: wanted.name.clone(), state, mood });
        }
        if let Some(file) = &self.config.metrics {
            let text = figures::text(&all);
            if let Err(failed) = files::replace(file, text.as_bytes(), 0o644, 0o666) {
                tracing::error!(file = %file.display(), %failed, "the figures cannot be written");
            }
        }
        all
    }

    /// Round after round until `stop` ends.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut ready = false;
        loop {
            let all = tokio::select! { all = self.round() => all, () = &mut stop => break };
            let unwell = all.iter().filter(|status| !status.is_well()).count();
            if !ready {
                notify::say("READY=1");
                ready = true;
            }
            notify::say(&format!("STATUS={} certificates, {unwell} not well", all.len()));
            let sleep = self.sleep(&all);
            tokio::select! { () = tokio::time::sleep(sleep) => {}, () = &mut stop => break }
        }
        notify::say("STOPPING=1");
    }

    /// How long nothing is to be done.
    fn sleep(&self, all: &[Status]) -> Duration {
        let now = self.clock.now();
        let next = all.iter().filter_map(next).min();
        next.map_or(ROUND, |next| next.since(now)).clamp(SLEEP_MIN, ROUND)
    }

    async fn tend(
        &self,
        wanted: &Wanted,
        state: &mut State,
        authority: &mut Option<Authority>,
    ) -> Result<()> {
        let shelf =
            Shelf::open(&self.config.state, &wanted.name).map_err(|e| broken(&self.config.state, &e))?;
        let installed = self.installed(&shelf, wanted, state)?;
        if let Some(installed) = &installed {
            self.ask_window(installed, state, authority).await;
        }
        let now = self.clock.now();
        let other_names =
            installed.as_ref().is_some_and(|read| Ok(&read.names) != wanted.general_names().as_ref());
        let planned = if other_names { now } else { state.planned.unwrap_or(now) };
        if now >= plan::due(planned, state.window.as_ref(), state.retry) {
            return match self.renew(wanted, &shelf, state, installed.as_ref(), authority).await {
                Ok(()) => Ok(()),
                Err(failure) => {
                    state.failures = state.failures.saturating_add(1);
                    let asked =
                        failure.retry_after_seconds().map(|seconds| Duration::from_secs(seconds.into()));
                    let life = state.life;
                    let pause = plan::pause(state.failures, asked, life.as_ref(), now, self.chance.as_ref());
                    state.retry = Some(now.plus(pause));
                    Err(failure)
                }
            };
        }
        let Some(installed) = installed else { return Ok(()) };
        let mut patience = Duration::ZERO;
        if state.untold {
            if let Some(number) = state.generation {
                shelf.publish(number, wanted).map_err(|e| broken(&shelf.generation(number), &e))?;
            }
            reload::reload(wanted).await?;
            patience = SETTLE;
        }
        self.look(wanted, &installed.leaf, state, patience).await?;
        state.untold = false;
        // A renewal that failed stays a trouble until one works.
        if state.retry.is_none() {
            state.trouble = None;
        }
        Ok(())
    }

    /// The certificate in service, and what follows from it when the state does not know it yet.
    fn installed(&self, shelf: &Shelf, wanted: &Wanted, state: &mut State) -> Result<Option<judge::Read>> {
        let Some(number) =
            state.generation.or(shelf.numbers().ok().and_then(|numbers| numbers.last().copied()))
        else {
            return Ok(None);
        };
        let text = match shelf.fullchain(number) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                *state = State::default();
                return Ok(None);
            }
            Err(error) => return Err(broken(&shelf.generation(number), &error)),
        };
        let read = judge::read(&text).map_err(|reason| error::CHAIN.error().with("reason", reason))?;
        if state.serial.as_ref() != Some(&read.serial) {
            // Nothing is known of what the service was told; it is told once more.
            state.generation = Some(number);
            state.untold = true;
            self.take_up(&read, wanted, state);
        }
        Ok(Some(read))
    }

    fn take_up(&self, read: &judge::Read, wanted: &Wanted, state: &mut State) {
        state.serial = Some(read.serial.clone());
        state.life = Some(read.life);
        state.planned = Some(read.life.renewal(wanted.renew_after, self.chance.as_ref()));
        state.window = None;
        state.ask_window = None;
    }

    /// Asks for the window that the authority suggests, when it is time. That it gives none is no trouble.
    async fn ask_window(
        &self,
        installed: &judge::Read,
        state: &mut State,
        authority: &mut Option<Authority>,
    ) {
        let now = self.clock.now();
        let Some(id) = &installed.renewal_id else { return };
        if state.ask_window.is_some_and(|again| now < again) || state.retry.is_some_and(|retry| now < retry) {
            return;
        }
        let asked = match self.authority(authority).await {
            Ok(authority) => authority.window(id, self.chance.as_ref()).await,
            Err(failure) => Err(failure),
        };
        let again = match asked {
            Ok((window, again)) => {
                // The same window keeps the moment that was drawn in it.
                let same = |old: &plan::Window| {
                    window.is_some_and(|new| (new.start, new.end) == (old.start, old.end))
                };
                if !state.window.as_ref().is_some_and(same) {
                    state.window = window;
                }
                again.clamp(plan::PAUSE_MIN, plan::PAUSE_MAX)
            }
            Err(failure) => {
                tracing::debug!(?failure, "no window was suggested");
                ASK_AGAIN
            }
        };
        state.ask_window = Some(now.plus(again));
    }

    async fn authority<'a>(&self, authority: &'a mut Option<Authority>) -> Result<&'a Authority> {
        if authority.is_none() {
            *authority = Some(Authority::open(&self.config.state, &self.config.account).await?);
        }
        authority.as_ref().ok_or_else(|| base::error::INTERNAL.error())
    }

    async fn renew(
        &self,
        wanted: &Wanted,
        shelf: &Shelf,
        state: &mut State,
        installed: Option<&judge::Read>,
        authority: &mut Option<Authority>,
    ) -> Result<()> {
        let names = wanted.general_names().map_err(|reason| error::CHAIN.error().with("reason", reason))?;
        let key = local_key_on(wanted.key)?;
        let request = request_der(&key, &names.iter().cloned().collect::<Vec<GeneralName>>())?;
        let authority = self.authority(authority).await?;
        let replaces = installed
            .filter(|read| read.life.not_after > self.clock.now())
            .and_then(|read| read.renewal_id.as_ref());
        let text = authority.certificate(wanted, &self.config.challenge, &request, replaces).await?;
        let read = judge::judge(text.as_bytes(), &names, &key.public, self.clock.now())
            .map_err(|reason| error::CHAIN.error().with("reason", reason))?;

        let before = state.generation;
        let set = Set { cert: &read.cert_pem(), chain: &read.chain_pem(), key: key.pem.expose() };
        let number = shelf.lay(&set, before).map_err(|e| broken(&self.config.state, &e))?;
        if let Err(failure) = self.put_in_service(wanted, shelf, number, &read, state).await {
            let Some(before) = before else {
                // Nothing to go back to: a service that waits for its first files finds them.
                self.settle(wanted, state, number, None, &read);
                state.untold = true;
                state.retry = None;
                state.trouble = Some(Trouble::of(&failure));
                say(wanted, &failure);
                return Ok(());
            };
            self.go_back(wanted, shelf, number, before).await;
            return Err(failure);
        }
        self.settle(wanted, state, number, before, &read);
        state.untold = false;
        state.trouble = None;
        shelf.prune(number, before).map_err(|e| broken(&self.config.state, &e))?;
        tracing::info!(
            certificate = wanted.name,
            serial = read.serial,
            until = %read.life.not_after,
            "a certificate was renewed and is in service"
        );
        Ok(())
    }

    async fn put_in_service(
        &self,
        wanted: &Wanted,
        shelf: &Shelf,
        number: u64,
        read: &judge::Read,
        state: &mut State,
    ) -> Result<()> {
        shelf.publish(number, wanted).map_err(|e| broken(&shelf.generation(number), &e))?;
        reload::reload(wanted).await?;
        self.look(wanted, &read.leaf, state, SETTLE).await
    }

    fn settle(
        &self,
        wanted: &Wanted,
        state: &mut State,
        number: u64,
        before: Option<u64>,
        read: &judge::Read,
    ) {
        self.take_up(read, wanted, state);
        state.generation = Some(number);
        state.before = before;
        state.failures = 0;
        state.retry = None;
        state.renewed = Some(self.clock.now());
    }

    /// Brings the generation before back into service. That this fails too is said; the next round looks again.
    async fn go_back(&self, wanted: &Wanted, shelf: &Shelf, number: u64, before: u64) {
        let published = shelf.publish(before, wanted).map_err(|e| broken(&shelf.generation(before), &e));
        let outcome = match published {
            Ok(()) => reload::reload(wanted).await,
            Err(failure) => Err(failure),
        };
        if let Err(failure) = outcome {
            say(wanted, &failure);
        }
        if let Err(failed) = shelf.drop_generation(number) {
            tracing::warn!(certificate = wanted.name, %failed, "a generation that was given up stays");
        }
        tracing::error!(certificate = wanted.name, "the certificate before is back in service");
    }

    /// Looks whether the service shows this certificate, for so long.
    async fn look(&self, wanted: &Wanted, leaf: &[u8], state: &mut State, patience: Duration) -> Result<()> {
        let Some(probe) = &wanted.probe else {
            state.served = None;
            return Ok(());
        };
        let name =
            probe.server_name.as_deref().or(wanted.names.first().map(String::as_str)).unwrap_or_default();
        let name = name.strip_prefix("*.").map_or_else(|| name.to_owned(), |rest| format!("any.{rest}"));
        let until = tokio::time::Instant::now() + patience;
        loop {
            let reason = match served::look(probe, &name).await {
                Ok(shown) if shown == leaf => {
                    state.served = Some(true);
                    state.looked = Some(self.clock.now());
                    return Ok(());
                }
                Ok(_) => "it shows another one".to_owned(),
                Err(reason) => reason,
            };
            if tokio::time::Instant::now() >= until {
                state.served = Some(false);
                state.looked = Some(self.clock.now());
                let place = format!("{}:{}", probe.host, probe.port);
                return Err(error::SERVED.error().with("place", place).with("reason", reason));
            }
            tokio::time::sleep(SETTLE_STEP).await;
        }
    }
}

/// When something is to be done about a certificate, as far as it is known; a service that was not told yet is told
/// again soon.
fn next(status: &Status) -> Option<Time> {
    let state = &status.state;
    let tell = state.renewed.filter(|_| state.untold).map(|_| Time::EPOCH);
    [status.next(), state.ask_window, tell].into_iter().flatten().min()
}

fn broken(place: &std::path::Path, failed: &std::io::Error) -> base::Error {
    error::STATE.error().with("file", place.display()).with("reason", failed)
}

fn say(wanted: &Wanted, failure: &base::Error) {
    let code = failure.code().name;
    let message = failure.cause(base::Lang::En);
    tracing::error!(certificate = wanted.name, code, %message, "a certificate is not well");
}

/// Says how near the end is, louder each time.
fn warn(wanted: &Wanted, mood: Option<Mood>, life: Option<Life>) {
    let certificate = &wanted.name;
    let until = life.map(|life| life.not_after.rfc3339()).unwrap_or_default();
    match mood {
        Some(Mood::Fine) => {}
        Some(Mood::Late) => {
            tracing::warn!(certificate, until, "a certificate should have been renewed by now")
        }
        Some(Mood::Soon) => tracing::error!(certificate, until, "a certificate ends within days"),
        Some(Mood::Dire) => tracing::error!(certificate, until, "a certificate ends within hours"),
        Some(Mood::Expired) => tracing::error!(certificate, until, "a certificate has ended"),
        None => tracing::error!(certificate, "there is no certificate yet"),
    }
}
