//! The address of the bridge, and the secret that it asks for.

use p2pchat_model::{CONTRACT_VERSION, FrontEndId};

/// A bridge's WebSocket and secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `ws://…/ws`.
    pub url: String,
    /// 64 hexadecimal digits.
    pub secret: String,
}

/// Leaves out the secret.
impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl Endpoint {
    /// How many digits a secret has: 256 bits.
    pub const SECRET_LEN: usize = 64;

    /// The endpoint of a page with this protocol (`http:`), host (`127.0.0.1:7878`) and
    /// fragment (`#` and the secret). `None` if the fragment is not a secret.
    ///
    /// The secret stays in the fragment: no request carries it, a reload and a bookmark
    /// keep it, and nothing else has to be stored.
    #[must_use]
    pub fn of_page(protocol: &str, host: &str, fragment: &str) -> Option<Self> {
        let secret = fragment.trim_start_matches('#').trim();
        let is_secret =
            secret.len() == Self::SECRET_LEN && secret.bytes().all(|b| b.is_ascii_hexdigit());
        let scheme = if protocol == "https:" { "wss" } else { "ws" };
        is_secret.then(|| Self {
            url: format!("{scheme}://{host}/ws"),
            secret: secret.to_ascii_lowercase(),
        })
    }

    /// The first frame that the page sends, as this front end.
    #[must_use]
    pub fn greeting(&self, front_end: &FrontEndId) -> String {
        let (secret, front_end) = (&self.secret, front_end.as_str());
        format!(r#"{{"secret":"{secret}","front_end":"{front_end}","version":{CONTRACT_VERSION}}}"#)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fragment_is_the_secret_and_nothing_shorter_is() {
        let secret = "0123456789abcdefABCDEF0123456789".repeat(2);
        let of = |fragment: &str| Endpoint::of_page("http:", "127.0.0.1:7878", fragment);
        let endpoint = of(&format!("#{secret}")).unwrap();
        assert_eq!(endpoint.url, "ws://127.0.0.1:7878/ws");
        assert_eq!(endpoint.secret, secret.to_lowercase());
        let greeting = endpoint.greeting(&FrontEndId::new("page-1").unwrap());
        assert!(greeting.starts_with(r#"{"secret":"0123"#));
        assert!(greeting.ends_with(r#"","front_end":"page-1","version":2}"#));
        assert!(!format!("{endpoint:?}").contains("0123"));
        assert_eq!(of("#"), None);
        assert_eq!(of("#1234"), None);
        assert_eq!(of(&format!("#{}", "g".repeat(64))), None);
        assert_eq!(of(&format!("#\"{}", "1".repeat(63))), None);
    }
}
