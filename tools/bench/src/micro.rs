//! Small pieces of work whose instructions are counted: the codecs and the state machine.
//!
//! Each is prepared first, and only then counted, in `measured`. They use no random
//! numbers, so the same program counts the same.

mod codecs;
mod machine;

use clap::ValueEnum;

/// A piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Work {
    /// Encode a request and decode it
    Request,
    /// Encode a response of a fixed length and decode it
    Response,
    /// Encode an online list of 1,000 users
    OnlineEncode,
    /// Decode it, in pieces as they come from a socket
    OnlineDecode,
    /// Encode a notify with a chat_list of 100 and decode it
    Contact,
    /// Encode a text and decode it
    Text,
    /// Split a text of 16 KB into packets
    Split,
    /// Encode a Hello and decode it
    Hello,
    /// A machine: say a text to a group of 100
    Say,
    /// A machine: the delivery status of each of the 100 comes in
    Delivered,
    /// A machine: a text of a member comes in
    TextReceived,
    /// A machine: a notify with a list of 100 comes in
    Notify,
    /// A machine: an online list of 1,000 comes in
    Online,
}

/// How often each is done: the first time is dearer than the others, and what a user waits
/// for is mostly one of the others.
const TIMES: usize = 100;

/// Does a piece of work, the counted part of it in `measured`.
pub fn run(work: Work) {
    match work {
        Work::Request => codecs::request(),
        Work::Response => codecs::response(),
        Work::OnlineEncode => codecs::online_encode(),
        Work::OnlineDecode => codecs::online_decode(),
        Work::Contact => codecs::contact(),
        Work::Text => codecs::text(),
        Work::Split => codecs::split(),
        Work::Hello => codecs::hello(),
        Work::Say => machine::say(),
        Work::Delivered => machine::delivered(),
        Work::TextReceived => machine::text_received(),
        Work::Notify => machine::notify(),
        Work::Online => machine::online(),
    }
}

/// Counts the instructions of all this, again and again.
fn repeated<T>(mut work: impl FnMut() -> T) {
    for _ in 0..TIMES {
        measured(&mut work);
    }
}

/// Where instructions are counted: valgrind knows it by its name.
#[inline(never)]
fn measured<T>(mut work: impl FnMut() -> T) -> T {
    std::hint::black_box(work())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_of_work_can_be_done() {
        Work::value_variants().iter().copied().for_each(run);
    }
}
