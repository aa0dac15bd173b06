//! The probe http-01 (RFC 8555 §8.3): a page under the name holds the key authorization.
//!
//! It begins with plain http. A redirect may lead elsewhere, over http or https on their own ports, and is judged anew in
//! every respect; whose certificate a page shows does not matter, because the first step was not protected either.
//! Never here: a user name, another scheme, another port, more of a body than a key authorization can be.

use std::{net::IpAddr, sync::Arc};

use http_kit::outgoing::{self, GetFault, Got};
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;
use url::Url;

use super::{
    Host, Reach,
    fault::{self, Outcome},
};
use crate::acme::{
    Identifier,
    ProbeFaultKind::{Connection, RejectedIdentifier, Tls, Unauthorized},
};

/// Times that an answer may send the probe elsewhere.
const REDIRECTS_MAX: usize = 10;
/// A token, a dot, a thumbprint, and room for white space behind them.
const BODY_BYTES_MAX: usize = 1024;

pub(super) async fn probe(
    reach: &Reach,
    identifier: &Identifier,
    token: &str,
    key_authorization: &str,
) -> Outcome<()> {
    let host = match identifier {
        Identifier::Dns(name) => name.base().to_owned(),
        Identifier::Ip(IpAddr::V4(address)) => address.to_string(),
        // As an address on the web writes it, which is not always the form of RFC 5952.
        Identifier::Ip(IpAddr::V6(address)) => url::Host::<&str>::Ipv6(*address).to_string(),
    };
    let first = format!("http://{host}:{}/.well-known/acme-challenge/{token}", reach.http_port);
    let mut place = outgoing::read(&first).map_err(|reason| {
        fault::lasting(RejectedIdentifier, format!("no page can stand under {identifier}: {reason}"))
    })?;
    for _ in 0..=REDIRECTS_MAX {
        let got = ask(reach, &place).await?;
        let Some(location) = got.elsewhere() else { return judge(&got, key_authorization) };
        place = next(reach, &place, location)?;
    }
    Err(fault::wrong(format!("the page is behind more than {REDIRECTS_MAX} redirects")))
}

/// Where a redirect leads, when it leads where a probe may go.
fn next(reach: &Reach, place: &Url, location: &str) -> Outcome<Url> {
    let refused = |reason| fault::lasting(Unauthorized, format!("a redirect is not followed: {reason}"));
    let next = outgoing::follow(place, location).map_err(refused)?;
    let own = if next.scheme() == "https" { [443, reach.tls_port] } else { [80, reach.http_port] };
    if next.port_or_known_default().is_some_and(|port| own.contains(&port)) {
        Ok(next)
    } else {
        Err(refused("it leads to another port"))
    }
}

async fn ask(reach: &Reach, place: &Url) -> Outcome<Got> {
    let rejected = || fault::lasting(RejectedIdentifier, "the page has no host");
    let host = match place.host().ok_or_else(rejected)? {
        url::Host::Domain(name) => Host::Name(name),
        url::Host::Ipv4(address) => Host::Address(address.into()),
        url::Host::Ipv6(address) => Host::Address(address.into()),
    };
    let stream = reach.connect(&host, place.port_or_known_default().ok_or_else(rejected)?).await?;
    let got = if place.scheme() == "https" {
        let name = match host {
            Host::Name(name) => ServerName::try_from(name.to_owned()).map_err(|_| rejected())?,
            Host::Address(address) => ServerName::from(address),
        };
        let tls = TlsConnector::from(Arc::clone(&reach.pages)).connect(name, stream).await;
        let stream =
            tls.map_err(|_| fault::passing(Tls, format!("{host} does not speak TLS with the probe")))?;
        outgoing::get(stream, place, "*/*", BODY_BYTES_MAX).await
    } else {
        outgoing::get(stream, place, "*/*", BODY_BYTES_MAX).await
    };
    got.map_err(|fault| match fault {
        GetFault::Large => fault::wrong(format!("the page is larger than {BODY_BYTES_MAX} bytes")),
        GetFault::Packed => fault::wrong("the page is packed although nobody asked for that"),
        GetFault::Address => rejected(),
        GetFault::Broken => fault::passing(Connection, format!("{host} broke off, or does not speak HTTP")),
    })
}

/// Judges the page; white space behind the key authorization is tolerated.
fn judge(got: &Got, key_authorization: &str) -> Outcome<()> {
    let status = got.status.as_u16();
    if status != 200 {
        let mut fault = fault::wrong(format!("the page was answered with the status {status}"));
        fault.retry = status == 404 || status == 429 || status >= 500;
        return Err(fault);
    }
    if got.body.trim_ascii_end() == key_authorization.as_bytes() {
        Ok(())
    } else {
        Err(fault::wrong("the page does not hold the key authorization of this challenge"))
    }
}
