//! File descriptors: each connection takes one, and the system gives a program so many.

use std::num::NonZeroUsize;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// How many are kept for everything that is no connection: the store, MongoDB's
/// connections, the runtime.
const SPARE: u64 = 64;

/// Raises the limit to what the system lets us have, and returns it; `None` if there is
/// none.
#[must_use]
pub fn raise_limit() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(error) => {
            tracing::debug!(%error, "the limit of file descriptors stays");
            limit.current
        }
    }
}

/// How many connections fit under a limit of file descriptors: those that were asked for,
/// or fewer, so that the store can still open its files.
#[must_use]
pub fn connections_that_fit(asked: NonZeroUsize, limit: Option<u64>) -> NonZeroUsize {
    let Some(limit) = limit else { return asked };
    let room = usize::try_from(limit.saturating_sub(SPARE)).unwrap_or(usize::MAX);
    asked.min(NonZeroUsize::new(room).unwrap_or(NonZeroUsize::MIN))
}

/// Tells the operator how many connections there can be.
pub fn report(asked: NonZeroUsize, fit: NonZeroUsize) {
    match fit < asked {
        true => tracing::warn!(
            "there are file descriptors for {fit} connections only, not for the {asked} of \
             --max-connections; raise their limit (ulimit -n, LimitNOFILE=)"
        ),
        false => tracing::info!("up to {fit} connections"),
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

    #[test]
    fn the_limit_is_raised_as_far_as_it_goes() {
        let limit = raise_limit();
        assert_eq!(getrlimit(Resource::Nofile).current, limit);
        assert_eq!(getrlimit(Resource::Nofile).maximum, limit);
    }
}
