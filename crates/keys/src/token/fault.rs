//! What a token's answer means: mended by another login, or told as it is.

use cryptoki::{
    context::Function,
    error::{Error as Device, RvError},
};

use crate::error;

/// After so many seconds it is worth trying again.
pub(super) const RETRY_AFTER_SECONDS: u32 = 5;

/// Why an operation on the token did not succeed.
#[derive(Debug)]
pub(super) enum Fault {
    /// The way to the token is lost, or may be; opening it anew may mend it. Holds what is told if it does not.
    Lost(base::Error),
    /// The operation failed in the middle; its session is not used again.
    Broken(base::Error),
    /// A clear answer; the session is good.
    Told(base::Error),
}

impl Fault {
    /// What is told to the caller.
    pub(super) fn into_error(self) -> base::Error {
        match self {
            Self::Lost(error) | Self::Broken(error) | Self::Told(error) => error,
        }
    }
}

impl From<base::Error> for Fault {
    fn from(error: base::Error) -> Self {
        Self::Told(error)
    }
}

impl From<Device> for Fault {
    fn from(answer: Device) -> Self {
        match answer {
            Device::Pkcs11(rv, _) if is_lost(rv) => Self::Lost(away(answer)),
            Device::Pkcs11(..) => Self::Broken(away(answer)),
            _ => Self::Broken(base::error::INTERNAL.because(answer)),
        }
    }
}

/// The token is away for now.
pub(super) fn away(source: impl std::error::Error + Send + Sync + 'static) -> base::Error {
    error::TOKEN_AWAY.because(source).retry_after(RETRY_AFTER_SECONDS)
}

/// Whether opening the token anew may mend it. The first five are what the standard foresees for a token that was
/// restarted or pulled out; the others are what libraries answer in the same situation: SoftHSM forgets the handles of
/// private objects when it is logged out, a library that was restarted behind our back gives the number of a dead session
/// to a new one, and many say no more than that something failed.
const fn is_lost(rv: RvError) -> bool {
    matches!(
        rv,
        RvError::SessionHandleInvalid
            | RvError::UserNotLoggedIn
            | RvError::DeviceRemoved
            | RvError::TokenNotPresent
            | RvError::DeviceError
            | RvError::SessionClosed
            | RvError::TokenNotRecognized
            | RvError::SlotIdInvalid
            | RvError::ObjectHandleInvalid
            | RvError::KeyHandleInvalid
            | RvError::CryptokiNotInitialized
            | RvError::OperationActive
            | RvError::OperationNotInitialized
            | RvError::FunctionFailed
            | RvError::GeneralError
    )
}

/// Whether a login was refused because of the PIN, so that another try would count against the token's limit.
pub(super) const fn is_pin_refused(answer: &Device) -> bool {
    matches!(
        answer,
        Device::Pkcs11(
            RvError::PinIncorrect
                | RvError::PinInvalid
                | RvError::PinLenRange
                | RvError::PinExpired
                | RvError::PinLocked
                | RvError::UserPinNotInitialized,
            Function::Login
        )
    )
}
