//! Proofs: everything Selo signs and everything it checks, as pure functions over bytes.
//!
//! No IO, no clock, no randomness, no async: what is needed comes in with the call, so the same code runs in the
//! server, on the command line and (compiled to WebAssembly) in a stranger's browser.
//! Never here: a socket, a database, a panic on outside input, an unbounded loop.

// documents
pub mod canon;
pub mod credential;
pub mod crypto;
pub mod did;
pub mod integrity;
pub mod json;
pub mod ld;
pub mod status;
pub mod verify;

// evidence and carriers
pub mod bake;
pub mod checkpoint;
pub mod merkle;
pub mod note;
pub mod pdf;
pub mod picture;
pub mod qr;
pub mod tile;
pub mod tlog_proof;

// certificates and ACME
pub mod jws;
pub mod x509;
