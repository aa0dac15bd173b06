//! Checks for everybody: a file, a text, a link or a QR code in, an answer with its reasons out.
//!
//! It judges only the bytes it is given. What it needs to find it asks of the port [`Documents`], which the roof plugs
//! in; it never sees the issuer's tables, so that a check is independent of the issuer is proven by the crate graph.
//! Never here: an import of `credential`, a page that needs a script, a green answer for what could not be decided.

mod cache;
pub mod error;
mod http;
mod pages;
mod port;
mod service;
mod words;

pub use http::{contract, program_routes, public_routes};
pub use pages::error_page;
pub use port::{Document, Documents, Standing};
pub use service::{Options, Shown, Verifier};
