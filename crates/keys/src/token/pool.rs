//! The sessions of a token: opened when needed, logged in once, opened anew when the token was lost.
//!
//! Login belongs to the token, not to a session: whoever finds no link opens one, under the lock, and everybody else
//! uses it. A link dies with the library's initialisation it was made in; its sessions are then not closed, since their
//! numbers may already mean others. A PIN that was refused is never given again.
//! Never here: an await; a second try of a PIN; a signature in software.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base::{Clock, Id, Result, Time, id::kind::SigningKey};
use cryptoki::{
    context::Function,
    error::{Error as Device, RvError},
    object::{Attribute, AttributeType, ObjectClass, ObjectHandle},
    session::{Session, SessionState, UserType},
    slot::{Limit, Slot, TokenInfo},
    types::AuthPin,
};
use proof::crypto::sha256;

use super::{
    fault::{Fault, is_pin_refused},
    figures::Figures,
    key::TokenKey,
    library::{Inside, Library, Use},
    settings::{TokenSettings, read_pin},
};
use crate::error;

/// A link that nobody used for so long is opened anew rather than trusted: middleboxes and tokens drop idle sessions,
/// and not all of them say so.
pub(super) const IDLE_MAX: Duration = Duration::from_secs(600);

pub(super) struct Pool {
    settings: TokenSettings,
    clock: Arc<dyn Clock>,
    figures: Figures,
    /// Loaded when it is needed first.
    library: Mutex<Option<Arc<Use>>>,
    /// Held for a moment to take a session, and as long as a login takes by whoever opens the link.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    link: Option<Link>,
    /// The hash of the PIN that the token refused.
    refused: Option<[u8; 32]>,
    /// Whether a link was ever there.
    opened: bool,
}

/// A login and the sessions under it.
struct Link {
    initialisation: u64,
    slot: Slot,
    /// Sessions that nobody uses at present.
    idle: Vec<Session>,
    /// How many there are, those in use included.
    open: usize,
    /// Where private keys are, as far as they were looked for.
    keys: HashMap<Id<SigningKey>, ObjectHandle>,
    used_at: Time,
}

/// A session in use.
pub(super) struct Hand<'a> {
    pool: &'a Pool,
    inside: &'a Inside<'a>,
    slot: Slot,
    /// The session.
    pub(super) session: &'a Session,
}

impl Pool {
    pub(super) fn new(settings: TokenSettings, clock: Arc<dyn Clock>, figures: Figures) -> Self {
        Self { settings, clock, figures, library: Mutex::default(), state: Mutex::default() }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` with a session. When the token turns out to be lost it is opened anew and `work` runs once more, from
    /// its beginning; what the first run had made is dropped.
    pub(super) fn run<T>(&self, work: impl Fn(&Hand<'_>) -> Result<T, Fault>) -> Result<T> {
        let done = self.library().and_then(|library| {
            if let Some(stale) = self.idle_too_long() {
                library.restart(stale)?;
            }
            let (saw, done) = self.attempt(&library, &work);
            let Err(Fault::Lost(reason)) = done else { return done };
            tracing::warn!(%reason, "the token is opened anew");
            library.restart(saw)?;
            self.attempt(&library, &work).1
        });
        done.map_err(|fault| {
            let error = fault.into_error();
            self.figures.failures.with(&[error.code().name]).increment();
            error
        })
    }

    fn library(&self) -> Result<Arc<Use>, Fault> {
        let mut library = self.library.lock().unwrap_or_else(PoisonError::into_inner);
        match &*library {
            Some(library) => Ok(Arc::clone(library)),
            None => Ok(Arc::clone(library.insert(Arc::new(Library::load(&self.settings.library)?)))),
        }
    }

    /// Logs out by closing what is open, and gives the library back. Whoever uses the pool again opens it again.
    pub(super) fn close_all(&self) {
        let link = self.state().link.take();
        let library = self.library.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(library) = library else { return };
        if let Some(link) = link
            && let Some(_inside) = library.enter_again(link.initialisation)
        {
            for session in link.idle {
                let _ = session.close();
            }
        }
        self.figures.sessions.set(0.0);
    }

    /// The initialisation of a link that nobody used for [`IDLE_MAX`].
    fn idle_too_long(&self) -> Option<u64> {
        let state = self.state();
        let link = state.link.as_ref()?;
        (self.clock.now().since(link.used_at) > IDLE_MAX).then_some(link.initialisation)
    }

    /// One try; also tells in which initialisation it was made.
    fn attempt<T>(
        &self,
        library: &Library,
        work: &impl Fn(&Hand<'_>) -> Result<T, Fault>,
    ) -> (u64, Result<T, Fault>) {
        let inside = match library.enter() {
            Ok(inside) => inside,
            // Nothing to restart: entering has just tried.
            Err(fault) => return (0, Err(Fault::Told(fault.into_error()))),
        };
        let (slot, session) = match self.take(&inside) {
            Ok(taken) => taken,
            Err(fault) => return (inside.initialisation(), Err(fault)),
        };
        let done = work(&Hand { pool: self, inside: &inside, slot, session: &session });
        match &done {
            Ok(_) | Err(Fault::Told(_)) => self.give_back(&inside, session),
            Err(Fault::Broken(_)) => self.close(&inside, session),
            // The restart that follows makes an end of it.
            Err(Fault::Lost(_)) => {}
        }
        (inside.initialisation(), done)
    }

    /// A session of the present link, which is opened when there is none.
    fn take(&self, inside: &Inside<'_>) -> Result<(Slot, Session), Fault> {
        let mut state = self.state();
        if state.link.as_ref().is_none_or(|link| link.initialisation != inside.initialisation()) {
            self.figures.sessions.set(0.0);
            state.link = None;
            let link = self.open(inside, &mut state.refused)?;
            if std::mem::replace(&mut state.opened, true) {
                self.figures.relogins.increment();
            }
            state.link = Some(link);
        }
        let Some(link) = &mut state.link else {
            return Err(base::error::INTERNAL.error().into());
        };
        link.used_at = self.clock.now();
        let session = match link.idle.pop() {
            Some(session) => session,
            None => {
                let session = inside.context.open_rw_session_no_drop(link.slot)?;
                link.open += 1;
                session
            }
        };
        self.figures.sessions.set(count(link.open));
        Ok((link.slot, session))
    }

    fn give_back(&self, inside: &Inside<'_>, session: Session) {
        if let Some(link) = self.present(&mut self.state(), inside) {
            link.idle.push(session);
            link.used_at = self.clock.now();
        }
    }

    fn close(&self, inside: &Inside<'_>, session: Session) {
        if let Some(link) = self.present(&mut self.state(), inside) {
            link.open = link.open.saturating_sub(1);
            self.figures.sessions.set(count(link.open));
            // A session that does not even close is the token's to forget.
            let _ = session.close();
        }
    }

    fn present<'s>(&self, state: &'s mut State, inside: &Inside<'_>) -> Option<&'s mut Link> {
        state.link.as_mut().filter(|link| link.initialisation == inside.initialisation())
    }

    /// Finds the token and logs in.
    fn open(&self, inside: &Inside<'_>, refused: &mut Option<[u8; 32]>) -> Result<Link, Fault> {
        let (slot, token) = self.find_token(inside)?;
        for limit in [token.max_session_count(), token.max_rw_session_count()] {
            if let Limit::Max(most) = limit
                && most < self.settings.sessions as u64
            {
                return Err(error::TOKEN_SESSIONS.at("keys.token.sessions").with("limit", most).into());
            }
        }
        let session = inside.context.open_rw_session_no_drop(slot)?;
        if token.login_required()
            && let Err(fault) = self.log_in(&session, &token, refused)
        {
            let _ = session.close();
            return Err(fault);
        }
        Ok(Link {
            initialisation: inside.initialisation(),
            slot,
            idle: vec![session],
            open: 1,
            keys: HashMap::new(),
            used_at: self.clock.now(),
        })
    }

    fn find_token(&self, inside: &Inside<'_>) -> Result<(Slot, TokenInfo), Fault> {
        for slot in inside.context.get_slots_with_token()? {
            // A slot that cannot be asked is somebody else's trouble, unless ours is then not found.
            let Ok(token) = inside.context.get_token_info(slot) else { continue };
            if token.label().trim_end() == self.settings.label {
                return Ok((slot, token));
            }
        }
        let missing = error::TOKEN_MISSING.error().with("label", &self.settings.label);
        Err(Fault::Lost(missing.retry_after(super::fault::RETRY_AFTER_SECONDS)))
    }

    /// Gives the PIN, unless it is the one that was refused, or the last try before the token locks itself.
    fn log_in(
        &self,
        session: &Session,
        token: &TokenInfo,
        refused: &mut Option<[u8; 32]>,
    ) -> Result<(), Fault> {
        let told = || error::TOKEN_PIN.error().with("label", &self.settings.label);
        let pin = read_pin(&self.settings.pin_file)?;
        let digest = sha256(pin.expose().as_bytes());
        if *refused == Some(digest) || token.user_pin_locked() || token.user_pin_final_try() {
            return Err(told().into());
        }
        match session.login(UserType::User, Some(&AuthPin::from(pin.expose().as_str()))) {
            Ok(()) | Err(Device::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {
                *refused = None;
                Ok(())
            }
            Err(answer) if is_pin_refused(&answer) => {
                *refused = Some(digest);
                tracing::error!(reason = %answer, "the token refused the PIN; it is not tried again");
                Err(told().because(answer).into())
            }
            Err(answer) => Err(answer.into()),
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.close_all();
    }
}

impl Hand<'_> {
    /// The figures of the token.
    pub(super) fn figures(&self) -> &Figures {
        &self.pool.figures
    }

    /// Where a private key is. It is looked for once in the life of a link, and compared with what the house knows.
    pub(super) fn private(&self, key: &TokenKey) -> Result<ObjectHandle, Fault> {
        let known = self
            .pool
            .present(&mut self.pool.state(), self.inside)
            .and_then(|link| link.keys.get(&key.id).copied());
        match known {
            Some(handle) => Ok(handle),
            None => self.look_up(key),
        }
    }

    /// Looks for a private key and compares the public one beside it.
    pub(super) fn look_up(&self, key: &TokenKey) -> Result<ObjectHandle, Fault> {
        let mismatch = || Fault::Told(error::TOKEN_KEY_MISMATCH.error().with("key", key.id));
        let found = self.find(key.id, ObjectClass::PRIVATE_KEY)?;
        let [handle] = found[..] else {
            if !found.is_empty() {
                return Err(mismatch());
            }
            // A token that is gone, or logged us out, may answer that it holds nothing. Only one that is there and
            // knows us has lost the key.
            let token = self.inside.context.get_token_info(self.slot)?;
            let state = self.session.get_session_info()?.session_state();
            if token.login_required() && state != SessionState::RwUser {
                return Err(Device::Pkcs11(RvError::UserNotLoggedIn, Function::FindObjects).into());
            }
            return Err(error::TOKEN_KEY_MISSING.error().with("key", key.id).into());
        };
        for public in self.find(key.id, ObjectClass::PUBLIC_KEY)? {
            if self.point(public)?.and_then(|point| key.algorithm.public(&point).ok()) != Some(key.public) {
                return Err(mismatch());
            }
        }
        if let Some(link) = self.pool.present(&mut self.pool.state(), self.inside) {
            link.keys.insert(key.id, handle);
        }
        Ok(handle)
    }

    /// The objects of a key, by class.
    pub(super) fn find(&self, id: Id<SigningKey>, class: ObjectClass) -> Result<Vec<ObjectHandle>, Fault> {
        let [id, label] = names(id);
        Ok(self.session.find_objects(&[Attribute::Class(class), id, label])?)
    }

    /// The point of a public key in SEC 1 form. The standard wraps it into an OCTET STRING; some libraries do not.
    pub(super) fn point(&self, public: ObjectHandle) -> Result<Option<Vec<u8>>, Fault> {
        let attributes = self.session.get_attributes(public, &[AttributeType::EcPoint])?;
        Ok(attributes.into_iter().find_map(|attribute| match attribute {
            Attribute::EcPoint(bytes) => Some(unwrap_point(bytes)),
            _ => None,
        }))
    }
}

/// `CKA_ID` and `CKA_LABEL` of a key: the bytes and the text of its id.
pub(super) fn names(id: Id<SigningKey>) -> [Attribute; 2] {
    [Attribute::Id(id.uuid().as_bytes().to_vec()), Attribute::Label(id.to_string().into_bytes())]
}

/// The content of an OCTET STRING with a short length that fits; otherwise the bytes as they are.
fn unwrap_point(bytes: Vec<u8>) -> Vec<u8> {
    match bytes.as_slice() {
        [0x04, length, content @ ..] if usize::from(*length) == content.len() && *length < 0x80 => {
            content.to_vec()
        }
        _ => bytes,
    }
}

#[expect(clippy::cast_precision_loss, reason = "there are at most 64 sessions")]
const fn count(open: usize) -> f64 {
    open as f64
}

#[cfg(test)]
mod tests {
    use super::unwrap_point;

    #[test]
    fn a_point_is_read_wrapped_and_bare() {
        for length in [65_u8, 97] {
            let bare: Vec<u8> = std::iter::once(4).chain((1..length).map(|byte| byte ^ 0x55)).collect();
            assert_eq!(unwrap_point(bare.clone()), bare);
            assert_eq!(unwrap_point([&[4, length][..], &bare].concat()), bare);
        }
    }
}
