//! What a registry may use, and how much it puts up with: [`Limits`].
//!
//! The figures are for a machine with two cores. Each has a flag, an environment variable
//! and a place in the file of options ([`crate::cli`]).

use std::num::{NonZeroU32, NonZeroUsize};
use std::thread;
use std::time::Duration;

/// What a registry may use, and how much it puts up with.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How many connections there may be at a time. When all places are taken, one that
    /// has nobody logged in gives up its place; if there is none, the new one is closed.
    pub max_connections: NonZeroUsize,
    /// How many of them may come from one address. Further ones are closed at once.
    pub connections_per_address: NonZeroUsize,
    /// How long a connection may take to its first request.
    pub first_request_timeout: Duration,
    /// How long a request may take from its first byte to its last.
    pub request_timeout: Duration,
    /// How long a client may take to read a response.
    pub response_timeout: Duration,
    /// How many bytes of responses the system holds for a client that does not read.
    pub send_buffer: NonZeroU32,
    /// How many threads hash passwords, each with 19 MiB of memory.
    pub hash_workers: NonZeroUsize,
    /// How many passwords may wait for them, of users who were logged in at the same
    /// address before, and as many of all others. When as many wait, Login is answered 49
    /// and Register 50, those from the address with the most waiting first.
    pub hash_queue: NonZeroUsize,
    /// How many accounts may be made, or asked for under a name that is taken, in a row
    /// from one address before Register is answered 50.
    pub registrations: NonZeroU32,
    /// How long it then takes until one more may be made.
    pub registration_interval: Duration,
    /// How long whoever asks for too much waits for the answer that says so.
    pub slow_answer: Duration,
    /// How many failed logins are put up with: see [`Guessing`].
    pub guessing: Guessing,
}

/// How many failed logins are put up with, by whom and about whom. Each pair of fields is
/// a number in a row and the time until one more; a login beyond it is answered 49.
#[derive(Debug, Clone, Copy)]
pub struct Guessing {
    /// Of one address, whichever names it tries. As many in a row, with the interval of the
    /// name and counted apart from all others, of a name at an address where it was logged
    /// in before.
    pub failed_logins: NonZeroU32,
    /// See `failed_logins`.
    pub failed_login_interval: Duration,
    /// Of one name, from all addresses where it was not logged in before.
    pub failed_logins_by_name: NonZeroU32,
    /// See `failed_logins_by_name`.
    pub failed_login_by_name_interval: Duration,
    /// Of one name from one address while those of the name are used up, so that nobody
    /// can use them up for somebody else.
    pub failed_logins_spare: NonZeroU32,
    /// See `failed_logins_spare`.
    pub failed_login_spare_interval: Duration,
}

impl Limits {
    /// Connections: each takes some 2 KiB of the registry, its buffers in the system
    /// ([`Limits::send_buffer`]) while it does not read, and one file descriptor.
    pub const MAX_CONNECTIONS: NonZeroUsize = NonZeroUsize::new(10_000).expect("not zero");
    /// A user has one, for a moment two. Hundreds, because behind one address there may be
    /// a terminal server or a NAT with everybody of an office; a twentieth of all, so that
    /// it takes many addresses to fill a registry.
    pub const CONNECTIONS_PER_ADDRESS: NonZeroUsize = NonZeroUsize::new(500).expect("not zero");
    /// Clients of 2017 connect first and then ask their user for a name.
    pub const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
    /// 27 bytes, on the worst of lines.
    pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
    /// The list of 2,000 users has 60 KB.
    pub const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);
    /// The list of 2,000 users in one piece. Left alone, Linux lets this grow to 4 MiB for
    /// each connection.
    pub const SEND_BUFFER: NonZeroU32 = NonZeroU32::new(64 * 1024).expect("not zero");
    /// Hashing threads: two do some 75 hashes a second, and leave the other cores alone.
    pub const MAX_HASH_WORKERS: usize = 2;
    /// Waiting passwords: about 3 seconds of work for two threads.
    pub const HASH_QUEUE: NonZeroUsize = NonZeroUsize::new(256).expect("not zero");
    /// Accounts in a row: a classroom, or an office behind one address, on its first day.
    pub const REGISTRATIONS: NonZeroU32 = NonZeroU32::new(100).expect("not zero");
    /// One a minute is 1,440 a day: too slow to fill a disk or to take all good names.
    pub const REGISTRATION_INTERVAL: Duration = Duration::from_secs(60);
    /// A flood of what is not done anyway is one request a second for each connection.
    pub const SLOW_ANSWER: Duration = Duration::from_secs(1);
}

impl Default for Limits {
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let workers = NonZeroUsize::new(cores.min(Self::MAX_HASH_WORKERS));
        Self {
            max_connections: Self::MAX_CONNECTIONS,
            connections_per_address: Self::CONNECTIONS_PER_ADDRESS,
            first_request_timeout: Self::FIRST_REQUEST_TIMEOUT,
            request_timeout: Self::REQUEST_TIMEOUT,
            response_timeout: Self::RESPONSE_TIMEOUT,
            send_buffer: Self::SEND_BUFFER,
            hash_workers: workers.unwrap_or(NonZeroUsize::MIN),
            hash_queue: Self::HASH_QUEUE,
            registrations: Self::REGISTRATIONS,
            registration_interval: Self::REGISTRATION_INTERVAL,
            slow_answer: Self::SLOW_ANSWER,
            guessing: Guessing::default(),
        }
    }
}

impl Guessing {
    /// More than anybody mistypes, even of a few users at one address.
    pub const FAILED_LOGINS: NonZeroU32 = NonZeroU32::new(10).expect("not zero");
    /// One guess in 2 seconds is 43,000 a day, for all names together.
    pub const FAILED_LOGIN_INTERVAL: Duration = Duration::from_secs(2);
    /// More than one address has: who mistypes from his own does not use up his name's.
    pub const FAILED_LOGINS_BY_NAME: NonZeroU32 = NonZeroU32::new(20).expect("not zero");
    /// One guess in 30 seconds is 2,880 a day, from all addresses together: hopeless
    /// against a fair password.
    pub const FAILED_LOGIN_BY_NAME_INTERVAL: Duration = Duration::from_secs(30);
    /// Enough to get a password right that one knows.
    pub const FAILED_LOGINS_SPARE: NonZeroU32 = NonZeroU32::new(3).expect("not zero");
    /// 72 guesses a day from each address.
    pub const FAILED_LOGIN_SPARE_INTERVAL: Duration = Duration::from_secs(20 * 60);
}

impl Default for Guessing {
    fn default() -> Self {
        Self {
            failed_logins: Self::FAILED_LOGINS,
            failed_login_interval: Self::FAILED_LOGIN_INTERVAL,
            failed_logins_by_name: Self::FAILED_LOGINS_BY_NAME,
            failed_login_by_name_interval: Self::FAILED_LOGIN_BY_NAME_INTERVAL,
            failed_logins_spare: Self::FAILED_LOGINS_SPARE,
            failed_login_spare_interval: Self::FAILED_LOGIN_SPARE_INTERVAL,
        }
    }
}
