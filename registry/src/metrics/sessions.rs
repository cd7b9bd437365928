//! Version 2: connections by version, handshakes, and answered requests: [`Sessions`].

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// The versions of the protocol, by the first byte of a connection.
const VERSIONS: [&str; 2] = ["1", "2"];
/// The label `result` of a request.
const RESULTS: [&str; 2] = ["done", "refused"];
/// The label `type` of each request.
const TYPES: [&str; 11] = [
    "sign_up",
    "sign_in",
    "subscribe",
    "lookup",
    "lookup_key",
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

/// Counters of version 2. Those of each label are kept beside their families: a family has a lock,
/// at which the threads that answer requests would meet.
#[derive(Debug)]
pub struct Sessions {
    connections: Family<Label, Counter>,
    by_version: [Counter; VERSIONS.len()],
    handshakes: Family<Label, Counter>,
    by_result: [Counter; HandshakeResult::ALL.len()],
    requests: Family<Answered, Counter>,
    /// In the order of [`TYPES`].
    by_type: [[Counter; RESULTS.len()]; TYPES.len()],
}

impl Default for Sessions {
    /// All are exposed from the start, at 0.
    fn default() -> Self {
        let connections = Family::<Label, Counter>::default();
        let handshakes = Family::<Label, Counter>::default();
        let requests = Family::<Answered, Counter>::default();
        let version = |version| connections.get_or_create_owned(&[("version", version)]);
        let handshake =
            |result: HandshakeResult| handshakes.get_or_create_owned(&[("result", result.label())]);
        let of_type = |r#type| {
            RESULTS.map(|result| requests.get_or_create_owned(&Answered { r#type, result }))
        };
        Self {
            by_version: VERSIONS.map(version),
            by_result: HandshakeResult::ALL.map(handshake),
            by_type: TYPES.map(of_type),
            connections,
            handshakes,
            requests,
        }
    }
}

impl Sessions {
    /// Counts a connection by the version that it speaks.
    pub fn connection(&self, is_version_2: bool) {
        self.by_version[usize::from(is_version_2)].inc();
    }

    /// Counts a handshake.
    pub fn handshake(&self, result: HandshakeResult) {
        self.by_result[result as usize].inc();
    }

    /// Counts an answered request, by its label in `TYPES`.
    pub fn answered(&self, r#type: &'static str, is_refused: bool) {
        let index = TYPES.iter().position(|known| *known == r#type);
        if let Some(index) = index {
            self.by_type[index][usize::from(is_refused)].inc();
        }
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

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;

    fn samples(sessions: &Sessions) -> Vec<String> {
        let mut registry = Registry::default();
        sessions.register(&mut registry);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        samples.map(str::to_owned).collect()
    }

    #[test]
    fn each_label_is_there_from_the_start() {
        let samples = samples(&Sessions::default());
        assert_eq!(samples.len(), 2 + 4 + 22);
        assert!(
            samples.iter().all(|line| line.ends_with(" 0")),
            "{samples:?}"
        );
    }

    #[test]
    fn each_count_has_its_label() {
        let sessions = Sessions::default();
        for _ in 0..2 {
            sessions.connection(true);
        }
        sessions.connection(false);
        for (times, result) in (1..).zip(HandshakeResult::ALL) {
            (0..times).for_each(|_| sessions.handshake(result));
        }
        sessions.answered("ping", false);
        sessions.answered("sign_up", true);
        let mut counted = samples(&sessions);
        counted.retain(|line| !line.ends_with(" 0"));
        counted.sort();
        let expected = [
            r#"connections_total{version="1"} 1"#,
            r#"connections_total{version="2"} 2"#,
            r#"handshakes_total{result="failed"} 2"#,
            r#"handshakes_total{result="limited"} 4"#,
            r#"handshakes_total{result="ok"} 1"#,
            r#"handshakes_total{result="timeout"} 3"#,
            r#"session_requests_total{type="ping",result="done"} 1"#,
            r#"session_requests_total{type="sign_up",result="refused"} 1"#,
        ];
        assert_eq!(counted, expected);
    }
}
