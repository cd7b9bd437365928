//! Limit of file descriptors: each connection takes one.

use std::num::NonZeroUsize;

use p2pchat_platform::process::raise_file_limit;

/// How many descriptors are kept for everything else: the store, MongoDB's connections, the
/// runtime.
const SPARE: u64 = 64;

/// Raises the limit as far as the system allows, and returns it; `None` if there is none.
#[must_use]
pub fn raise_limit() -> Option<u64> {
    raise_file_limit()
        .inspect_err(|error| tracing::debug!(%error, "the limit of file descriptors is unknown"))
        .ok()
        .flatten()
}

/// How many connections fit under a limit of file descriptors: `asked`, or fewer, so that the
/// store can still open its files.
#[must_use]
pub fn connections_that_fit(asked: NonZeroUsize, limit: Option<u64>) -> NonZeroUsize {
    let Some(limit) = limit else { return asked };
    let room = usize::try_from(limit.saturating_sub(SPARE)).unwrap_or(usize::MAX);
    asked.min(NonZeroUsize::new(room).unwrap_or(NonZeroUsize::MIN))
}

/// Logs how many connections there can be.
pub fn report(asked: NonZeroUsize, fit: NonZeroUsize) {
    if fit < asked {
        tracing::warn!(
            "there are file descriptors for {fit} connections only, not for the {asked} of \
             --max-connections; raise their limit (ulimit -n, LimitNOFILE=)"
        );
    } else {
        tracing::info!("up to {fit} connections");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(asked: usize, limit: Option<u64>) -> usize {
        connections_that_fit(NonZeroUsize::new(asked).unwrap(), limit).get()
    }

    #[test]
    fn no_more_connections_than_there_are_file_descriptors() {
        assert_eq!(fit(10_000, None), 10_000);
        assert_eq!(fit(10_000, Some(20_000)), 10_000);
        assert_eq!(fit(10_000, Some(1_024)), 960);
        assert_eq!(fit(10_000, Some(10)), 1);
    }
}
