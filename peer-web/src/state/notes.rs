//! What became of requests, until the user has seen it.

use p2pchat_model::wording::label;
use p2pchat_model::{
    BlockChange, Event, Line, Outcome, PeerAddr, Person, RequestFailure, Target, View,
};

/// How many notes are kept: the user sees all of them.
const MOST: usize = 3;

/// What became of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// Who sent it, or was asked.
    pub who: Person,
    /// In words, as the conversation has them.
    pub words: String,
    /// The word on the button that sends a request to them, if that is what comes next.
    pub ask: Option<&'static str>,
}

/// Updates the notes by an event.
pub(super) fn follow(notes: &mut Vec<Note>, event: &Event) {
    match event {
        Event::RequestMissed { from, .. }
        | Event::RequestClosed {
            from,
            outcome: Outcome::Expired,
            ..
        } => add(notes, event, *from, Some("Ask back")),
        Event::RequestAnswered {
            to,
            refusal: Some(refusal),
            ..
        } => match refusal {
            RequestFailure::Rejected => add(notes, event, *to, None),
            RequestFailure::Busy | RequestFailure::NoAnswer | RequestFailure::Unreachable => {
                add(notes, event, *to, Some(label::ASK_AGAIN));
            }
            // The user did that.
            RequestFailure::Blocked | RequestFailure::Cancelled => {}
        },
        Event::RequestReceived(request) => forget(notes, request.from.address),
        Event::RequestSent(request) => forget(notes, request.to.address),
        Event::MemberJoined { member, .. } => forget(notes, member.address),
        Event::Blocks {
            change: Some(BlockChange::Blocked(who)),
            ..
        } => notes.retain(|note| {
            *who != Target::Address(note.who.address)
                && Some(*who) != note.who.name.map(Target::Name)
        }),
        Event::LoggedOut { .. } => notes.clear(),
        _ => {}
    }
}

/// Forgets what is noted of a user.
pub(super) fn forget(notes: &mut Vec<Note>, address: PeerAddr) {
    notes.retain(|note| note.who.address != address);
}

fn add(notes: &mut Vec<Note>, event: &Event, who: Person, ask: Option<&'static str>) {
    let Some(Line::Notice { text, .. }) = View::notice(event) else {
        return;
    };
    forget(notes, who.address);
    if notes.len() == MOST {
        notes.remove(0);
    }
    notes.push(Note {
        who,
        words: text,
        ask,
    });
}
