//! What a service shows: one handshake with it, and the certificate that came.
//!
//! Never here: data sent to the service beyond the handshake and PostgreSQL's request for one.

use std::{net::IpAddr, time::Duration};

use http_kit::{handshake, outgoing};
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, lookup_host},
    time::timeout,
};

use crate::config::{Probe, Protocol};

/// One look, whole.
const LOOK: Duration = Duration::from_secs(10);
/// PostgreSQL's request for TLS: length 8, code 80877103.
const POSTGRES_TLS: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// The certificate that a service shows, DER.
///
/// # Errors
/// Why none came.
pub async fn look(probe: &Probe, name: &str) -> Result<Vec<u8>, String> {
    timeout(LOOK, ask(probe, name)).await.unwrap_or_else(|_| Err("it took too long".to_owned()))
}

async fn ask(probe: &Probe, name: &str) -> Result<Vec<u8>, String> {
    let machines: Vec<_> = lookup_host((probe.host.as_str(), probe.port))
        .await
        .map_err(|_| "its name is not known".to_owned())?
        .collect();
    let mut stream = outgoing::connect(&machines, LOOK / 2).await.ok_or("nobody answers")?;
    if probe.protocol == Protocol::Postgres {
        ask_postgres(&mut stream).await?;
    }
    let name = match name.parse::<IpAddr>() {
        Ok(address) => ServerName::from(address),
        Err(_) => ServerName::try_from(name.to_owned()).map_err(|_| format!("{name} is no name for TLS"))?,
    };
    handshake::shown(stream, name).await
}

async fn ask_postgres(stream: &mut TcpStream) -> Result<(), String> {
    let broken = |_| "it broke off".to_owned();
    stream.write_all(&POSTGRES_TLS).await.map_err(broken)?;
    match stream.read_u8().await.map_err(broken)? {
        b'S' => Ok(()),
        b'N' => Err("it has TLS switched off".to_owned()),
        _ => Err("it is no PostgreSQL".to_owned()),
    }
}
