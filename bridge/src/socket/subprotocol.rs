//! Which version of the contract between page and bridge is spoken.

use hyper::Request;
use hyper::header::{HeaderValue, SEC_WEBSOCKET_PROTOCOL};

/// The one that this bridge speaks.
const VERSION: &str = "p2pchat.v1";

/// What somebody who wants a WebSocket asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// The one that there is, and the subprotocol to answer with, if one was asked for.
    Ours(Option<HeaderValue>),
    /// Another. A browser drops a connection whose subprotocol is not answered, so it is;
    /// then the page can be told.
    Other(Option<HeaderValue>),
}

impl Dialect {
    /// By the subprotocol. Where a proxy between drops it, as that of `trunk serve` does,
    /// `/ws?protocol=p2pchat.v1` says the same. A script need not say any.
    pub(crate) fn asked_for<B>(request: &Request<B>, is_script: bool) -> Self {
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
        let spoken = match in_query {
            Some(version) => version == VERSION,
            None => asked.contains(&VERSION) || (is_script && asked.is_empty()),
        };
        let answer = asked.iter().find(|name| **name == VERSION);
        let answer = answer
            .or(asked.first())
            .and_then(|name| HeaderValue::from_str(name).ok());
        match spoken {
            true => Self::Ours(answer),
            false => Self::Other(answer),
        }
    }

    /// The subprotocol to answer with.
    pub(crate) fn answer(&self) -> Option<&HeaderValue> {
        let (Self::Ours(answer) | Self::Other(answer)) = self;
        answer.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(uri: &str, protocols: &[&'static str], is_script: bool) -> Dialect {
        let mut request = Request::builder().uri(uri);
        for protocol in protocols {
            request = request.header(SEC_WEBSOCKET_PROTOCOL, *protocol);
        }
        Dialect::asked_for(&request.body(()).unwrap(), is_script)
    }

    fn named(name: &'static str) -> Option<HeaderValue> {
        Some(HeaderValue::from_static(name))
    }

    #[test]
    fn a_page_says_its_version() {
        assert_eq!(
            asked("/ws", &["p2pchat.v1"], false),
            Dialect::Ours(named("p2pchat.v1"))
        );
        let several = asked("/ws", &["p2pchat.v2, p2pchat.v1"], false);
        assert_eq!(several, Dialect::Ours(named("p2pchat.v1")));
        assert_eq!(
            asked("/ws?protocol=p2pchat.v1", &[], false),
            Dialect::Ours(None)
        );
    }

    #[test]
    fn another_version_is_answered_so_that_it_can_be_told() {
        assert_eq!(
            asked("/ws", &["p2pchat.v2"], false),
            Dialect::Other(named("p2pchat.v2"))
        );
        assert_eq!(asked("/ws", &[], false), Dialect::Other(None));
        assert_eq!(
            asked("/ws?protocol=p2pchat.v2", &[], true),
            Dialect::Other(None)
        );
        assert_eq!(
            asked("/ws", &["p2pchat.v2"], true),
            Dialect::Other(named("p2pchat.v2"))
        );
    }

    #[test]
    fn a_script_need_not_say_any() {
        assert_eq!(asked("/ws", &[], true), Dialect::Ours(None));
    }
}
