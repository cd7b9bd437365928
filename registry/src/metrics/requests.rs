//! Answered requests, counted by type and status: [`Requests`].

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// The label `type`, by the byte on the wire; the last stands for all unknown types.
const TYPES: [&str; 6] = [
    "register",
    "login",
    "search",
    "logout",
    "all_online",
    "unknown",
];
/// The answers of the protocol, by the byte of the type: exposed from the start, at 0.
const KNOWN: [&[u8]; TYPES.len()] = [
    &[20, 40, 42, 43, 50],
    &[21, 41, 49, 50],
    &[22, 44],
    &[25, 45],
    &[24, 46],
    &[48],
];

/// Type and status of an answered request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    r#type: &'static str,
    status: u8,
}

/// Counters of answered requests.
#[derive(Debug, Clone)]
pub struct Requests {
    all: Family<Labels, Counter>,
    /// Those of [`KNOWN`], by type: the family has a lock, at which the threads that answer
    /// requests would meet.
    known: [Vec<(u8, Counter)>; TYPES.len()],
}

impl Default for Requests {
    fn default() -> Self {
        let all = Family::<Labels, Counter>::default();
        let mut kind = 0;
        let known = KNOWN.map(|statuses| {
            let counter = |&status| (status, all.get_or_create_owned(&labels(kind, status)));
            let counters = statuses.iter().map(counter).collect();
            kind += 1;
            counters
        });
        Self { all, known }
    }
}

impl Requests {
    /// Counts one more, by the bytes of its response: the first is the type, the second the
    /// status.
    pub fn answered(&self, response: &[u8]) {
        let [kind, status, ..] = *response else {
            return;
        };
        let mut known = self.known[type_of(kind)].iter();
        match known.find(|(known, _)| *known == status) {
            Some((_, counter)) => counter.inc(),
            None => self.all.get_or_create(&labels(kind, status)).inc(),
        };
    }

    /// Exposes the counters.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "requests",
            "Requests, by type and by the status of their answers",
            self.all.clone(),
        );
    }
}

fn labels(kind: u8, status: u8) -> Labels {
    Labels {
        r#type: TYPES[type_of(kind)],
        status,
    }
}

/// The place of a type in [`TYPES`].
fn type_of(kind: u8) -> usize {
    usize::from(kind).min(TYPES.len() - 1)
}

#[cfg(test)]
mod tests {
    use p2pchat_protocol::{Kind, Response};
    use prometheus_client::encoding::text::encode;

    use super::*;

    fn samples(requests: &Requests) -> Vec<String> {
        let mut registry = Registry::default();
        requests.register(&mut registry);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        samples.map(str::to_owned).collect()
    }

    #[test]
    fn each_answer_of_the_protocol_is_there_from_the_start() {
        let samples = samples(&Requests::default());
        assert_eq!(samples.len(), 16);
        assert!(
            samples.iter().all(|line| line.ends_with(" 0")),
            "{samples:?}"
        );
    }

    #[test]
    fn an_answer_is_counted_by_type_and_status() {
        let requests = Requests::default();
        let responses = [
            Response::LoggedIn,
            Response::LoggedIn,
            Response::ServerError { kind: Kind::Login },
            Response::NobodyOnline,
            Response::BadRequest { kind: 200 },
        ];
        for response in responses {
            requests.answered(&response.encode_head());
        }
        requests.answered(&[2, 255]);
        requests.answered(&[2]);
        let mut counted = samples(&requests);
        counted.retain(|line| !line.ends_with(" 0"));
        counted.sort();
        let expected = [
            r#"requests_total{type="all_online",status="46"} 1"#,
            r#"requests_total{type="login",status="21"} 2"#,
            r#"requests_total{type="login",status="50"} 1"#,
            r#"requests_total{type="search",status="255"} 1"#,
            r#"requests_total{type="unknown",status="48"} 1"#,
        ];
        assert_eq!(counted, expected);
    }
}
