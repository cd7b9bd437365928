//! Which requests are answered at all, by what their headers say. Everything here is
//! without a socket.
//!
//! A page of somebody else can make the user's browser send requests to a loopback port,
//! but the browser then names that page in `Origin`, or, where a name server was made to
//! say that the page's own name is 127.0.0.1, the name in `Host`. Both have to be ours.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use hyper::header::{AUTHORIZATION, HOST, HeaderMap, HeaderName, ORIGIN};
use hyper::http::uri::Authority;
use hyper::{Request, StatusCode};
use thiserror::Error;

use crate::secret::Secret;

/// Why a request is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// It does not say in one way for which host it is.
    #[error("The request needs one Host header.")]
    NoHost,
    /// It is for another host: DNS rebinding, or a proxy that does not pass the port on.
    #[error(
        "This is not the host that the request is for. Use the URL that p2pchat-bridge printed."
    )]
    OtherHost,
    /// Another page made it.
    #[error("Pages from elsewhere are not let in.")]
    OtherOrigin,
    /// A script has not shown the secret.
    #[error(
        "Scripts need the header Authorization: Bearer SECRET; the secret is what follows the # in the URL."
    )]
    NoSecret,
    /// It wants something to be changed.
    #[error("Only GET and HEAD are possible.")]
    Method,
    /// There is no such page.
    #[error("There is no such page.")]
    NoPage,
    /// It came to the WebSocket as HTTP.
    #[error("This is the place of a WebSocket.")]
    NoUpgrade,
    /// It wants a WebSocket in a way that there is none.
    #[error("This is no request for a WebSocket of version 13.")]
    BadUpgrade,
}

impl Refusal {
    /// The status that says so.
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

/// What there is still to ask of somebody who wants a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// He is a page: his first frame has to be the secret.
    SecretFirst,
    /// He is a script that has shown the secret already.
    Authorized,
}

/// Knows who may ask.
#[derive(Debug)]
pub struct Gate {
    port: u16,
    /// Whether others than this machine can reach the port, by its addresses.
    exposed: bool,
    origins: Vec<String>,
}

impl Gate {
    /// The gate of a bridge that listens here. Pages from `origins` are let in besides
    /// our own.
    #[must_use]
    pub fn new(listen: SocketAddr, origins: Vec<String>) -> Self {
        Self {
            port: listen.port(),
            exposed: !listen.ip().is_loopback(),
            origins,
        }
    }

    /// Checks for whom and from where the request is; gives the checked `Host`.
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

    /// What somebody who wants a WebSocket has shown already.
    ///
    /// # Errors
    /// If it is not enough, or wrong.
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

    fn is_ours(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else {
            return false;
        };
        if host.contains('@') || authority.port_u16().unwrap_or(80) != self.port {
            return false;
        }
        let name = authority.host();
        let literal = name.trim_start_matches('[').trim_end_matches(']');
        let ip = match name.starts_with('[') {
            true => literal.parse::<Ipv6Addr>().map(IpAddr::V6),
            false => name.parse::<Ipv4Addr>().map(IpAddr::V4),
        };
        match ip {
            // A name server has no say in an address, so where others may come at all,
            // all of our addresses will do.
            Ok(ip) => ip.is_loopback() || self.exposed,
            Err(_) => name == "localhost",
        }
    }

    fn may_come_from(&self, origin: &str, host: &str) -> bool {
        origin.strip_prefix("http://") == Some(host)
            || self.origins.iter().any(|allowed| allowed == origin)
    }
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

/// Checks the origin of a page: a scheme, a host, perhaps a port, and nothing more.
///
/// # Errors
/// In words, if it is something else.
pub fn parse_origin(text: &str) -> Result<String, String> {
    let complain = || "give the origin of a page, like http://127.0.0.1:8080".to_owned();
    let host = text
        .strip_prefix("http://")
        .or_else(|| text.strip_prefix("https://"))
        .ok_or_else(complain)?;
    let authority = host.parse::<Authority>().map_err(|_| complain())?;
    match authority.host().is_empty() || host.contains('@') {
        true => Err(complain()),
        false => Ok(text.to_ascii_lowercase()),
    }
}

#[cfg(test)]
mod tests;
