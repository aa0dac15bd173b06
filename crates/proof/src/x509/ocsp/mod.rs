//! OCSP (RFC 6960, RFC 9654; lightweight profile RFC 5019): requests read, answers built.
//!
//! Never here: what is good or revoked; the status comes in with the call. A signature being made.

mod request;
mod response;

pub use request::{CertId, IdHash, NONCE_BYTES_MAX, OCSP_REQUEST_BYTES_MAX, OcspRequest, REQUESTS_MAX};
pub use response::{
    OCSP_RESPONSE_BYTES_MAX, OcspError, OcspResponse, ResponderId, ResponseDraft, ResponseFault, Single,
    Status, assemble_response,
};
