//! The WebSocket subprotocol: which version of the contract between page and bridge is
//! spoken.

use hyper::Request;
use hyper::header::{HeaderValue, SEC_WEBSOCKET_PROTOCOL};

/// The version that this bridge speaks.
const VERSION: &str = "p2pchat.v2";

/// The subprotocol of one WebSocket, and the header value to answer it with, if the client
/// asked for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subprotocol {
    /// The version that this bridge speaks.
    Supported(Option<HeaderValue>),
    /// Another version. It is answered all the same: a browser drops a connection whose
    /// subprotocol is not answered, and then the page could not be told why.
    Unsupported(Option<HeaderValue>),
}

impl Subprotocol {
    /// The subprotocol that a request asks for. Where a proxy drops the header, as that of
    /// `trunk serve` does, `/ws?protocol=p2pchat.v2` says the same. A script need not ask
    /// for any.
    pub(crate) fn of<B>(request: &Request<B>, is_script: bool) -> Self {
        let asked = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL).iter();
        let asked: Vec<_> = asked
            .filter_map(|value| value.to_str().ok())
            .flat_map(|list| list.split(','))
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .collect();
        let in_query = request.uri().query().and_then(|query| {
            query
                .split('&')
                .find_map(|part| part.strip_prefix("protocol="))
        });
        let is_supported = match in_query {
            Some(version) => version == VERSION,
            None => asked.contains(&VERSION) || (is_script && asked.is_empty()),
        };
        let answer = asked.iter().find(|name| **name == VERSION);
        let answer = answer
            .or(asked.first())
            .and_then(|name| HeaderValue::from_str(name).ok());
        if is_supported {
            Self::Supported(answer)
        } else {
            Self::Unsupported(answer)
        }
    }

    /// The header value to answer with.
    pub(crate) fn answer(&self) -> Option<&HeaderValue> {
        let (Self::Supported(answer) | Self::Unsupported(answer)) = self;
        answer.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(uri: &str, protocols: &[&'static str], is_script: bool) -> Subprotocol {
        let mut request = Request::builder().uri(uri);
        for protocol in protocols {
            request = request.header(SEC_WEBSOCKET_PROTOCOL, *protocol);
        }
        Subprotocol::of(&request.body(()).unwrap(), is_script)
    }

    fn named(name: &'static str) -> Option<HeaderValue> {
        Some(HeaderValue::from_static(name))
    }

    #[test]
    fn a_page_says_its_version() {
        assert_eq!(
            asked("/ws", &["p2pchat.v2"], false),
            Subprotocol::Supported(named("p2pchat.v2"))
        );
        let several = asked("/ws", &["p2pchat.v1, p2pchat.v2"], false);
        assert_eq!(several, Subprotocol::Supported(named("p2pchat.v2")));
        assert_eq!(
            asked("/ws?protocol=p2pchat.v2", &[], false),
            Subprotocol::Supported(None)
        );
    }

    #[test]
    fn another_version_is_answered_so_that_it_can_be_told() {
        assert_eq!(
            asked("/ws", &["p2pchat.v1"], false),
            Subprotocol::Unsupported(named("p2pchat.v1"))
        );
        assert_eq!(asked("/ws", &[], false), Subprotocol::Unsupported(None));
        assert_eq!(
            asked("/ws?protocol=p2pchat.v1", &[], true),
            Subprotocol::Unsupported(None)
        );
        assert_eq!(
            asked("/ws", &["p2pchat.v1"], true),
            Subprotocol::Unsupported(named("p2pchat.v1"))
        );
    }

    #[test]
    fn a_script_need_not_say_any() {
        assert_eq!(asked("/ws", &[], true), Subprotocol::Supported(None));
    }
}
