//! Checks of all that comes of one input, before any of it is entered into the books.

use std::collections::BTreeSet;
use std::time::Duration;

use p2pchat_model::{
    BlockChange, Command, Event, JoinedBy, LeaveReason, Outcome, PeerAddr, RequestFailure, Target,
    View,
};
use p2pchat_peer::machine::{Input, Output, ToJournal};
use p2pchat_protocol::Contact;

use super::outputs::is_event;
use super::{Asked, Book, Scene, Verdict, ensure};

/// More outputs than this for each peer there is are too many for one input.
const OUTPUTS_A_PEER: usize = 12;
/// How long after an undo was possible what waited for it may still wait: a late timer.
const SLACK: Duration = Duration::from_secs(1);

/// The sender learns from how its connection ends whether its text was taken: so each
/// ends in the one way or the other, at once, or once the user cannot undo any more what makes
/// the sender a stranger.
pub(super) fn every_text_is_taken_or_refused(scene: &Scene<'_>) -> Verdict {
    let arrived = match scene.input {
        Some(Input::Text { conn, .. }) => Some(*conn),
        _ => None,
    };
    let mut waiting: BTreeSet<_> = scene.book.kept.iter().copied().chain(arrived).collect();
    for output in scene.outputs {
        let (Output::TakeText { conn } | Output::RefuseText { conn }) = output else {
            continue;
        };
        ensure(waiting.remove(conn), || {
            format!("on connection {} no text waits", conn.0)
        })?;
    }
    if let Some(Input::Text { conn, from, .. }) = scene.input {
        let may_be_kept = scene.book.left.contains(from) || scene.book.former.contains(from);
        ensure(may_be_kept || !waiting.contains(conn), || {
            format!("a text of the stranger {from} waits")
        })?;
    }
    // A timer may be late.
    let may_wait = scene.now <= scene.book.undo_until + SLACK;
    ensure(waiting.is_empty() || may_wait, || {
        format!("texts wait on connections {waiting:?}")
    })
}

/// A text of a member is shown and taken; one of a peer that was no member since the user
/// last left is neither.
pub(super) fn members_are_heard_and_strangers_are_not(scene: &Scene<'_>) -> Verdict {
    let Some(Input::Text { from, message, .. }) = scene.input else {
        return Ok(());
    };
    let text = message.text.as_str();
    let shows = |event: &Event| matches!(event, Event::Message(message) if message.text == text);
    let shown = scene.events().filter(|event| shows(event)).count();
    let taken = scene
        .outputs
        .iter()
        .any(|output| matches!(output, Output::TakeText { .. }));
    ensure(shown == usize::from(taken), || {
        format!("a text is shown {shown} times, taken: {taken}")
    })?;
    let book = scene.book;
    // A member that claims a name that the user blocked is not heard.
    let may_speak = !book.blocked.contains(&Target::Name(message.from));
    ensure(taken || !may_speak || !book.members.contains(from), || {
        format!("a text of the member {from} is refused")
    })?;
    let known = book.members.contains(from) || book.former.contains(from);
    ensure(!taken || known, || {
        format!("a text of the stranger {from} is taken")
    })
}

/// A chat request is answered at once or is the one that the user sees.
pub(super) fn every_request_waits_or_is_answered(scene: &Scene<'_>) -> Verdict {
    let Some(Input::Contact {
        conn,
        from,
        contact: Contact::Request { .. },
    }) = scene.input
    else {
        return Ok(());
    };
    let answered = scene
        .outputs
        .iter()
        .any(|output| matches!(output, Output::Answer { conn: known, .. } if known == conn));
    let shown = scene.outputs.iter().any(|output| {
        is_event(
            output,
            |event| matches!(event, Event::RequestReceived(request) if request.from.address == *from),
        )
    });
    ensure(answered != shown, || {
        format!("a request of {from}: answered {answered}, shown {shown}")
    })
}

/// What a user asks for happens or is said to have failed, at once where nobody else is
/// needed for it.
pub(super) fn every_command_has_an_answer(scene: &Scene<'_>) -> Verdict {
    let Some(Asked { command, .. }) = super::calls::asked(scene) else {
        return Ok(());
    };
    let failed = scene
        .events()
        .any(|event| matches!(event, Event::Failed(failure) if failure.command == command.name()));
    let done = scene.events().any(|event| match command {
        Command::Say { text, .. } => {
            matches!(event, Event::Message(message) if message.is_own() && message.text == *text)
        }
        Command::Accept { from, .. } => is_closed(event, *from, Outcome::Accepted),
        Command::Reject { from, .. } => is_closed(event, *from, Outcome::Rejected),
        Command::Cancel { to: asked, .. } => matches!(event,
            Event::RequestAnswered { to, refusal: Some(RequestFailure::Cancelled), .. }
                if to.address == *asked),
        Command::Undo => matches!(
            event,
            Event::MemberJoined {
                by: JoinedBy::Back,
                ..
            } | Event::MemberLeft {
                reason: LeaveReason::Unreachable,
                ..
            } | Event::Blocks {
                change: Some(BlockChange::Unblocked(_)),
                ..
            }
        ),
        Command::Leave { .. } => matches!(event, Event::ChatLeft { .. }),
        Command::Logout => matches!(event, Event::LoggedOut { .. }),
        Command::Read { .. } => matches!(event, Event::Read { .. }),
        Command::Draft { .. } => matches!(event, Event::Draft { .. }),
        Command::Busy { on } => *event == Event::Busy { on: *on },
        Command::Block { .. } | Command::Unblock { .. } => matches!(event, Event::Blocks { .. }),
        _ => false,
    }) || scene.outputs.iter().any(|output| match command {
        Command::History { .. } => matches!(output, Output::Journal(ToJournal::Recall { .. })),
        Command::Find { .. } => matches!(output, Output::Journal(ToJournal::Find { .. })),
        // It led to a message of a process that has ended.
        Command::Say { .. } => matches!(output, Output::Journal(ToJournal::Repeat { .. })),
        _ => false,
    });
    let needs_others = matches!(
        command,
        Command::Register { .. }
            | Command::Login { .. }
            | Command::Refresh
            | Command::Search { .. }
            | Command::Request { .. }
    );
    ensure(failed != done || needs_others, || {
        format!("{} failed: {failed}, done: {done}", command.name())
    })
}

fn is_closed(event: &Event, by: PeerAddr, as_what: Outcome) -> bool {
    matches!(event, Event::RequestClosed { from, outcome, .. }
        if from.address == by && *outcome == as_what)
}

/// One packet from outside must not make a machine send a thousand.
pub(super) fn outputs_are_few(scene: &Scene<'_>) -> Verdict {
    let named = match scene.input {
        Some(Input::Contact { contact, .. }) => contact.members().len(),
        _ => 0,
    };
    let book = scene.book;
    let known = book.members.len() + book.former.len() + book.left.len() + book.kept.len();
    let bound = OUTPUTS_A_PEER * (scene.seats.len() + known + named + 4);
    ensure(scene.outputs.len() <= bound, || {
        format!("{} outputs from one input", scene.outputs.len())
    })
}

/// Each request whose connection waits is the one that the user is asked about: none is
/// forgotten when it runs out or the user logs out.
pub(super) fn who_waits_is_shown(book: &Book) -> Verdict {
    let shown = usize::from(book.incoming.is_some());
    ensure(book.unanswered.len() == shown, || {
        format!("connections {:?} wait, shown: {shown}", book.unanswered)
    })
}

/// A front end that draws the view shows what the events say, neither more nor less.
pub(super) fn the_view_is_what_the_events_say(view: &View, book: &Book) -> Verdict {
    let mut members: Vec<PeerAddr> = view
        .open()
        .members
        .iter()
        .map(|member| member.address)
        .collect();
    members.sort();
    ensure(members.iter().eq(&book.members), || {
        format!("the view has {members:?}, told were {:?}", book.members)
    })?;
    ensure(view.account == book.account, || {
        format!(
            "the view has {:?}, told was {:?}",
            view.account, book.account
        )
    })?;
    let incoming = view.incoming.as_ref().map(|request| request.from.address);
    ensure(incoming == book.incoming.map(|(from, _)| from), || {
        format!("the view has a request of {incoming:?}")
    })?;
    let mut outgoing: Vec<PeerAddr> = view.outgoing.iter().map(|one| one.to.address).collect();
    outgoing.sort();
    ensure(outgoing.iter().eq(book.outgoing.keys()), || {
        format!("the view has requests to {outgoing:?}")
    })
}
