//! Every SQL text of the ACME server, by what it is about. All rows stand under the house's tenant.

mod accounts;
mod authorizations;
mod orders;

pub(crate) use accounts::*;
pub(crate) use authorizations::*;
pub(crate) use orders::*;

use base::Result;

fn broken() -> base::Error {
    base::error::INTERNAL.error()
}

fn list(text: Option<String>) -> Result<Option<Vec<String>>> {
    text.map(|text| serde_json::from_str(&text).map_err(|e| base::error::INTERNAL.because(e))).transpose()
}

fn written(list: Option<&Vec<String>>) -> Result<Option<String>> {
    list.map(|list| serde_json::to_string(list).map_err(|e| base::error::INTERNAL.because(e))).transpose()
}
