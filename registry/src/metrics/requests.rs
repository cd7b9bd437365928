//! How many requests were answered what.

use std::sync::atomic::{AtomicU64, Ordering};

/// What the types of requests are called, by their byte on the wire; the last stands for
/// all that there are not.
const TYPES: [&str; 6] = [
    "register",
    "login",
    "search",
    "logout",
    "all_online",
    "unknown",
];
/// More than the greatest status of the protocol.
const STATUSES: usize = 64;
/// The answers that the protocol has: they are exposed from the start, others once there
/// has been one.
const KNOWN: [(&str, &[usize]); TYPES.len()] = [
    ("register", &[20, 40, 42, 43, 50]),
    ("login", &[21, 41, 49, 50]),
    ("search", &[22, 44]),
    ("logout", &[25, 45]),
    ("all_online", &[24, 46]),
    ("unknown", &[48]),
];

/// Answered requests by type and status: 3 KiB, so that counting is one addition.
#[derive(Debug)]
pub struct Requests([[AtomicU64; STATUSES]; TYPES.len()]);

impl Default for Requests {
    fn default() -> Self {
        Self([const { [const { AtomicU64::new(0) }; STATUSES] }; TYPES.len()])
    }
}

impl Requests {
    /// One more, by the bytes of its response: the first is the type, the second the
    /// status.
    pub fn answered(&self, response: &[u8]) {
        if let [kind, status, ..] = *response {
            let kind = usize::from(kind).min(TYPES.len() - 1);
            let status = usize::from(status).min(STATUSES - 1);
            self.0[kind][status].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Type, status and number, of each answer that there may be or has been.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, usize, u64)> {
        let rows = KNOWN.iter().zip(&self.0);
        rows.flat_map(|(&(kind, known), counters)| {
            let counts = counters.iter().enumerate();
            let counts = counts.map(|(status, count)| (status, count.load(Ordering::Relaxed)));
            counts
                .filter(|(status, count)| *count > 0 || known.contains(status))
                .map(move |(status, count)| (kind, status, count))
        })
    }
}

#[cfg(test)]
mod tests {
    use p2pchat_protocol::{Kind, Response};

    use super::*;

    fn counted(requests: &Requests) -> Vec<(&'static str, usize, u64)> {
        requests.all().filter(|(.., count)| *count > 0).collect()
    }

    #[test]
    fn each_answer_of_the_protocol_is_there_from_the_start() {
        let requests = Requests::default();
        assert_eq!(requests.all().count(), 16);
        for (known, name) in KNOWN.iter().zip(TYPES) {
            assert_eq!(known.0, name);
        }
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
        let expected = [
            ("login", 21, 2),
            ("login", 50, 1),
            ("search", 63, 1),
            ("all_online", 46, 1),
            ("unknown", 48, 1),
        ];
        assert_eq!(counted(&requests), expected);
    }
}
