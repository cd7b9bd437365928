//! Version 2: connections by version, handshakes, and answered requests: [`Sessions`].

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// The versions of the protocol, by the first byte of a connection.
const VERSIONS: [&str; 2] = ["1", "2"];
/// The label `type` of each request.
const TYPES: [&str; 10] = [
    "sign_up",
    "sign_in",
    "subscribe",
    "lookup",
    "set_status",
    "set_display_name",
    "change_password",
    "allow_version_1",
    "sign_out",
    "ping",
];

/// How a handshake ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandshakeResult {
    /// The connection is encrypted.
    Ok,
    /// The client does not speak this protocol, or is gone.
    Failed,
    /// It took too long.
    Timeout,
    /// It was not begun: too many have.
    Limited,
}

impl HandshakeResult {
    const ALL: [Self; 4] = [Self::Ok, Self::Failed, Self::Timeout, Self::Limited];

    fn label(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Timeout => "timeout",
            Self::Limited => "limited",
        }
    }
}

type Label = [(&'static str, &'static str); 1];

/// Type and result of an answered request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    r#type: &'static str,
    result: &'static str,
}

/// Counters of version 2.
#[derive(Debug)]
pub struct Sessions {
    connections: Family<Label, Counter>,
    handshakes: Family<Label, Counter>,
    requests: Family<Answered, Counter>,
}

impl Default for Sessions {
    fn default() -> Self {
        let sessions = Self {
            connections: Family::default(),
            handshakes: Family::default(),
            requests: Family::default(),
        };
        // Exposed from the start, at 0.
        for version in VERSIONS {
            drop(sessions.connections.get_or_create(&[("version", version)]));
        }
        for result in HandshakeResult::ALL {
            drop(
                sessions
                    .handshakes
                    .get_or_create(&[("result", result.label())]),
            );
        }
        for r#type in TYPES {
            for result in ["done", "refused"] {
                drop(
                    sessions
                        .requests
                        .get_or_create(&Answered { r#type, result }),
                );
            }
        }
        sessions
    }
}

impl Sessions {
    /// Counts a connection by the version that it speaks.
    pub fn connection(&self, is_version_2: bool) {
        let version = VERSIONS[usize::from(is_version_2)];
        self.connections
            .get_or_create(&[("version", version)])
            .inc();
    }

    /// Counts a handshake.
    pub fn handshake(&self, result: HandshakeResult) {
        let labels = [("result", result.label())];
        self.handshakes.get_or_create(&labels).inc();
    }

    /// Counts an answered request.
    pub fn answered(&self, r#type: &'static str, is_refused: bool) {
        let result = if is_refused { "refused" } else { "done" };
        self.requests
            .get_or_create(&Answered { r#type, result })
            .inc();
    }

    /// Exposes the counters.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "connections",
            "Connections that sent something, by the version of the protocol",
            self.connections.clone(),
        );
        registry.register(
            "handshakes",
            "Handshakes of encrypted connections, by their result",
            self.handshakes.clone(),
        );
        registry.register(
            "session_requests",
            "Requests of encrypted sessions, by type and result",
            self.requests.clone(),
        );
    }
}
