//! The line to PostgreSQL.
//!
//! The line is not encrypted by the store itself: use a local socket, the loopback address, or a tunnel of the
//! operator's. A URL that demands TLS is refused by the driver rather than weakened.

use base::Result;

pub(crate) const fn connector() -> Result<postgres::NoTls> {
    Ok(postgres::NoTls)
}
