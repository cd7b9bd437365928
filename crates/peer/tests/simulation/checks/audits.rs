//! Checks of what has to have happened by now, whether or not anything did.

use std::time::Duration;

use super::super::world::World;
use super::calls::calls_are_closed_in_time;
use super::{Book, Verdict, ensure};

/// A deadline may be noticed this late: a late timer, and a second between two audits.
const SLACK: Duration = Duration::from_secs(2);
/// How much longer than the limit a request that was sent may wait: the connection (5 s)
/// and the answer given in the last moment (5 s).
const ANSWER: Duration = Duration::from_secs(11);
/// How long a process may take to see what happened while it stood still.
const WAKING: Duration = Duration::from_secs(1);
/// Three hellos may be lost in a row.
const HELLO: Duration = Duration::from_secs(15);
/// More than so many timers in a second are a storm.
const TIMERS: usize = 100;
/// How long until a user is in the list again, once nothing is in the way: a connection
/// that goes nowhere is noticed (60 s), the longest pause between two tries (30 s), the
/// connection (5 s) and the login; or another peer's presence by the same name ends
/// (60 s) and the list is looked at again (30 s). With connections that fail by rng, a
/// few times that.
const LISTED: Duration = Duration::from_secs(100);

/// No request waits longer than it may: that of another for the user no longer than the
/// limit, the user's own for as long as it takes to learn the answer.
pub(crate) fn requests_end_in_time(now: Duration, limit: Duration, book: &Book) -> Verdict {
    if let Some((from, since)) = book.incoming {
        ensure(now <= since + limit + SLACK, || {
            format!("the request of {from} waits since {since:?}")
        })?;
    }
    book.outgoing.iter().try_for_each(|(to, since)| {
        ensure(now <= *since + limit + ANSWER + SLACK, || {
            format!("the request to {to} waits since {since:?}")
        })
    })
}

/// "On its way" does not stay: what cannot be delivered fails.
pub(crate) fn deliveries_end_in_time(now: Duration, book: &Book) -> Verdict {
    book.sending.iter().try_for_each(|((id, to), (_, until))| {
        ensure(now <= *until, || {
            format!("text {} to {to} is on its way for too long", id.number())
        })
    })
}

/// A user who is logged in sends a hello at least every 15 s, whether or not the connection
/// to the registry is up.
pub(crate) fn hellos_keep_coming(now: Duration, book: &Book) -> Verdict {
    if book.account.is_none() {
        return Ok(());
    }
    let last = book.last_hello.unwrap_or_default().max(book.account_since);
    ensure(now <= last + HELLO + SLACK, || {
        format!("no hello since {last:?}")
    })
}

/// A machine that wants its timer all the time keeps a computer awake.
pub(crate) fn timers_are_few(book: &Book) -> Verdict {
    ensure(book.timers.1 <= TIMERS, || {
        format!("{} timers in second {}", book.timers.1, book.timers.0)
    })
}

/// When the registry is up and hears them, a user who is logged in is in its list
/// within a bounded time, whatever happened before.
pub(crate) fn the_logged_in_are_listed(now: Duration, loss: f64, book: &Book) -> Verdict {
    let patience = LISTED * if loss > 0.0 { 3 } else { 1 };
    let Some(since) = book.listable_since else {
        return Ok(());
    };
    ensure(now <= since + patience, || {
        format!("not in the registry's list since {since:?}")
    })
}

/// How long a withdrawn request may still be shown: two slow packets.
const WITHDRAWN: Duration = Duration::from_secs(7);

/// The other side sees at once that a request was withdrawn, and cannot accept what nobody
/// asks any more.
pub(crate) fn withdrawn_requests_are_gone(now: Duration, book: &Book) -> Verdict {
    let Some(since) = book.withdrawn_since else {
        return Ok(());
    };
    ensure(now <= since + WITHDRAWN + SLACK, || {
        format!("a request is shown that was withdrawn at {since:?}")
    })
}

impl World {
    /// Looks at every peer.
    pub(crate) fn audit(&mut self) {
        let (now, limit, loss) = (self.now(), self.mix.request_limit, self.weather.loss);
        for seat in 0..self.peers.len() {
            self.note_listing(seat);
            self.note_withdrawal(seat);
            let peer = &self.peers[seat];
            let Some(running) = peer.running() else {
                continue;
            };
            if running.nap.is_some() || now < running.awake_since + WAKING {
                continue;
            }
            let (book, name) = (&running.book, peer.name);
            let verdicts = [
                (
                    "requests_end_in_time",
                    requests_end_in_time(now, limit, book),
                ),
                ("deliveries_end_in_time", deliveries_end_in_time(now, book)),
                (
                    "withdrawn_requests_are_gone",
                    withdrawn_requests_are_gone(now, book),
                ),
                (
                    "calls_are_closed_in_time",
                    calls_are_closed_in_time(now, book),
                ),
                ("hellos_keep_coming", hellos_keep_coming(now, book)),
                ("timers_are_few", timers_are_few(book)),
                (
                    "the_logged_in_are_listed",
                    the_logged_in_are_listed(now, loss, book),
                ),
                (
                    "what_is_held_is_bounded",
                    self.what_is_held_is_bounded(running),
                ),
            ];
            for (check, verdict) in verdicts {
                if let Err(words) = verdict {
                    return self.fail(check, &format!("{name}: {words}"));
                }
            }
        }
    }

    /// Notes since when a request is shown that its sender does not make any more.
    fn note_withdrawal(&mut self, seat: usize) {
        let now = self.now();
        let address = self.seats[seat];
        let asker = self.peers[seat]
            .running()
            .and_then(|running| running.book.incoming)
            .and_then(|(from, _)| self.seat_of(from));
        let asks = |seat: usize| {
            let running = self.peers[seat].running();
            running.is_some_and(|running| running.book.outgoing.contains_key(&address))
        };
        // Where packets are lost, so may be the end of a connection.
        let is_withdrawn = self.mix.resets_arrive() && asker.is_some_and(|seat| !asks(seat));
        if let Some(running) = self.peers[seat].running_mut() {
            let book = &mut running.book;
            book.withdrawn_since = is_withdrawn.then(|| book.withdrawn_since.unwrap_or(now));
        }
    }

    /// Notes since when a peer could have been in the registry's list, if it is not.
    fn note_listing(&mut self, seat: usize) {
        let now = self.now();
        let (name, address) = (self.peers[seat].name, self.peers[seat].address);
        let listed = self.registry.find(now, name) == Some(address);
        // Who is online elsewhere by the same name is left alone.
        let has_guest = self.peers.iter().any(|peer| {
            let account = peer.running().and_then(|running| running.book.account);
            account == Some(name) && peer.address != address
        });
        let heard = self.registry.is_well() && !self.is_cut_off(seat);
        if let Some(running) = self.peers[seat].running_mut() {
            let book = &mut running.book;
            let could = heard
                && running.nap.is_none()
                && !listed
                && !has_guest
                && book.account == Some(name);
            book.listable_since = could.then(|| book.listable_since.unwrap_or(now));
        }
    }
}
