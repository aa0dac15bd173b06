//! Every SQL text of the authority, by what it is about.

mod authorities;
mod certificates;
mod fill;
mod inventory;
mod lists;
mod overview;
mod roots;

use base::Result;
use proof::x509::Serial;
use store::Row;

pub(crate) use authorities::*;
pub(crate) use certificates::*;
pub(crate) use fill::insert_whole;
pub(crate) use inventory::{Along, Bounds, Filter, end_of, page};
pub(crate) use lists::*;
pub(crate) use overview::*;
pub(crate) use roots::*;

fn broken() -> base::Error {
    base::error::INTERNAL.error()
}

fn serial(row: &Row<'_>, column: usize) -> Result<Serial> {
    let content: Vec<u8> = row.get(column)?;
    Serial::from_content(&content).ok_or_else(broken)
}
