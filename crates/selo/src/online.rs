//! `--online`: asking an address on the network for a status list or a key document.

use proof::verify::{Answer, Want};

/// Asks once.
pub async fn fetch(_want: &Want) -> Answer {
    Answer::Unreachable
}
