//! How the program ends, for scripts. The numbers are a contract: `--help` lists them.

use std::process::ExitCode;

use p2pchat_settings::Stop;

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// The user quit, the input ended and all was done, or nobody reads the output.
    Done = 0,
    /// It could not start or not go on: an address in use, a file that cannot be opened, input
    /// that cannot be read, output that cannot be written, …
    Failed = 1,
    /// The command line, the environment or the config file is wrong.
    Usage = 2,
    /// No one is signed in, or the login that `--user` and `--password-file` asked for did not
    /// succeed.
    Login = 3,
    /// SIGTERM or SIGHUP ended it before its input did, or its terminal is gone. It stopped in
    /// order. Of a subcommand also SIGINT, before it was done.
    Terminated = 4,
    /// The peer, or the user who was asked for a chat, refused what a subcommand asked for.
    Refused = 5,
    /// The text of `send` is not in the state that was waited for, within the time for that.
    Undelivered = 6,
    /// The program that runs the peer of this profile does not answer.
    Silent = 7,
}

/// The list for `--help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0  done: the user quit, or the input ended and all was done, or nobody reads the output
  1  it could not start or not go on (address in use, input or output that fails, …)
  2  the command line, the environment or the config file is wrong
  3  not signed in, or the login asked for by --user and --password-file did not succeed
  4  a signal or the end of its terminal ended it; it stopped in order
  5  refused: standard error has the code of the problem, then the words
  6  the text was not delivered within the time, or not in the state waited for
  7  the program that runs the peer of this profile does not answer";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<Stop> for Exit {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Interrupt => Self::Done,
            Stop::Terminate | Stop::HangUp => Self::Terminated,
        }
    }
}
