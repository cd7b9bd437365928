//! The checks on the headers of a request, which decide whether it is answered at all.
//! Nothing here does I/O.
//!
//! Any web page can make the user's browser send requests to a loopback port, but then the
//! browser names that page in `Origin`; or in `Host`, where the name server of the page says
//! that its name is 127.0.0.1 (DNS rebinding). Both have to be ours.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use hyper::header::{AUTHORIZATION, HOST, HeaderMap, HeaderName, ORIGIN};
use hyper::http::uri::Authority;
use hyper::{Request, StatusCode};
use thiserror::Error;

use crate::secret::Secret;

/// Why a request is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// It has no `Host` header, or several, or one that is not text.
    #[error("The request needs one Host header.")]
    NoHost,
    /// It is for another host: DNS rebinding, or a name for this machine.
    #[error(
        "This bridge answers to localhost and to the IP address that it listens on, such as 127.0.0.1, at any port, and to no other name: put one of them into the address bar. From another machine, forward a port: `ssh -L 7878:127.0.0.1:7878 MACHINE`, and open the URL that p2pchat-bridge printed."
    )]
    OtherHost,
    /// A page of another origin sent it.
    #[error("Pages of other origins are not allowed.")]
    OtherOrigin,
    /// A script has not shown the secret.
    #[error(
        "Scripts need the header Authorization: Bearer SECRET; the secret is what follows the # in the URL."
    )]
    NoSecret,
    /// Its method is not GET or HEAD.
    #[error("Only GET and HEAD are allowed.")]
    Method,
    /// There is no such page.
    #[error("There is no such page.")]
    NoPage,
    /// It came to the path of the WebSocket, and asks for none.
    #[error("This path is for a WebSocket.")]
    NoUpgrade,
    /// It asks for a WebSocket in a way that is not supported.
    #[error("This is not a request for a WebSocket of version 13.")]
    BadUpgrade,
}

impl Refusal {
    /// The HTTP status of the refusal.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::NoHost | Self::BadUpgrade => StatusCode::BAD_REQUEST,
            Self::OtherHost => StatusCode::MISDIRECTED_REQUEST,
            Self::OtherOrigin => StatusCode::FORBIDDEN,
            Self::NoSecret => StatusCode::UNAUTHORIZED,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::NoPage => StatusCode::NOT_FOUND,
            Self::NoUpgrade => StatusCode::UPGRADE_REQUIRED,
        }
    }
}

/// What a client that asks for a WebSocket still has to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// A page: its first frame has to be the secret.
    SecretFirst,
    /// A script that has shown the secret already.
    Authorized,
}

/// The hosts and origins that requests are answered for.
#[derive(Debug)]
pub struct Gate {
    /// Whether other machines can reach the port, by the addresses of this one.
    exposed: bool,
    origins: Vec<String>,
}

impl Gate {
    /// The gate of a bridge that listens at this address. Pages from `origins` are let in
    /// besides our own.
    #[must_use]
    pub fn new(listen: SocketAddr, origins: Vec<String>) -> Self {
        Self {
            exposed: !listen.ip().is_loopback(),
            origins,
        }
    }

    /// Checks `Host` and `Origin`; returns the checked `Host`.
    ///
    /// # Errors
    /// If either is not ours.
    pub fn check<B>(&self, request: &Request<B>) -> Result<String, Refusal> {
        let host = only(request.headers(), &HOST)?.ok_or(Refusal::NoHost)?;
        let host = host.to_ascii_lowercase();
        if !self.is_ours(&host) {
            return Err(Refusal::OtherHost);
        }
        // A request to a proxy names the host once more.
        if let Some(named) = request.uri().authority()
            && !named.as_str().eq_ignore_ascii_case(&host)
        {
            return Err(Refusal::OtherHost);
        }
        match only(request.headers(), &ORIGIN).map_err(|_| Refusal::OtherOrigin)? {
            Some(origin) if !self.may_come_from(origin, &host) => Err(Refusal::OtherOrigin),
            _ => Ok(host),
        }
    }

    /// What a client that asks for a WebSocket still has to show.
    ///
    /// # Errors
    /// If it has neither an origin nor the secret, or a wrong secret.
    pub fn entry(&self, headers: &HeaderMap, secret: &Secret) -> Result<Entry, Refusal> {
        match only(headers, &AUTHORIZATION).map_err(|_| Refusal::NoSecret)? {
            Some(shown) => match shown.split_once(' ') {
                Some((scheme, word))
                    if scheme.eq_ignore_ascii_case("bearer") && secret.is(word.trim()) =>
                {
                    Ok(Entry::Authorized)
                }
                _ => Err(Refusal::NoSecret),
            },
            None if headers.contains_key(ORIGIN) => Ok(Entry::SecretFirst),
            None => Err(Refusal::NoSecret),
        }
    }

    /// Whether it is a loopback name. The port may be any: another one may be forwarded to
    /// ours (`ssh -L`). It says nothing about who asks, either: a page from another port of
    /// this machine has that port in its `Origin` too, which then is not the `Host` of a
    /// request to us, and whatever forwards a request has to show the secret.
    fn is_ours(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else {
            return false;
        };
        if host.contains('@') || has_bad_port(&authority) {
            return false;
        }
        let name = authority.host();
        let literal = name.trim_start_matches('[').trim_end_matches(']');
        let ip = if name.starts_with('[') {
            literal.parse::<Ipv6Addr>().map(IpAddr::V6)
        } else {
            name.parse::<Ipv4Addr>().map(IpAddr::V4)
        };
        match ip {
            // DNS rebinding needs a name, so a bridge that is exposed takes any address.
            Ok(ip) => ip.is_loopback() || self.exposed,
            Err(_) => name == "localhost",
        }
    }

    fn may_come_from(&self, origin: &str, host: &str) -> bool {
        origin.strip_prefix("http://") == Some(host)
            || self.origins.iter().any(|allowed| allowed == origin)
    }
}

/// Whether there is a colon and no port behind it.
fn has_bad_port(authority: &Authority) -> bool {
    let port = authority.as_str().strip_prefix(authority.host());
    port.is_none_or(|port| !port.is_empty()) && authority.port_u16().is_none()
}

/// The one value of a header; an error if there are several, or it is not text.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| Refusal::NoHost),
        (Some(_), Some(_)) => Err(Refusal::NoHost),
    }
}

/// A text that is not the origin of a page.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}: give the origin of a page, like http://127.0.0.1:8080")]
pub struct OriginError(String);

impl From<OriginError> for String {
    fn from(error: OriginError) -> Self {
        error.to_string()
    }
}

/// Checks the origin of a page: a scheme, a host, perhaps a port, and nothing more.
///
/// # Errors
/// If it is something else.
pub fn parse_origin(text: &str) -> Result<String, OriginError> {
    let error = || OriginError(text.to_owned());
    let host = text
        .strip_prefix("http://")
        .or_else(|| text.strip_prefix("https://"))
        .ok_or_else(error)?;
    let authority = host.parse::<Authority>().map_err(|_| error())?;
    if authority.host().is_empty() || host.contains('@') {
        return Err(error());
    }
    Ok(text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests;
