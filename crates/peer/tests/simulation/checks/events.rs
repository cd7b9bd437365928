//! Checks of one event, before it is entered into the books.

use std::collections::BTreeSet;

use p2pchat_model::{
    Command, DeliveryState, DropReason, Dropped, Event, LeaveReason, NameCheck, PeerAddr, Target,
    User, View,
};

use p2pchat_peer::machine::{Asked, Input};

use super::{Scene, Verdict, ensure};

/// A chat is among users who let each other in: each member that joins was in an accepted
/// request or was told of by a member, and none joins twice.
pub(super) fn only_the_accepted_join(scene: &Scene<'_>, event: &Event) -> Verdict {
    let Event::MemberJoined { member, .. } = event else {
        return Ok(());
    };
    let who = member.address;
    ensure(who != scene.address, || "joined its own chat".to_owned())?;
    ensure(scene.book.accepted.holds(who), || {
        format!("{who} joined and was never let in")
    })?;
    ensure(!scene.book.members.contains(&who), || {
        format!("{who} joined and was in already")
    })
}

/// An event that takes away what is not there would make two front ends differ.
pub(super) fn only_members_leave(scene: &Scene<'_>, event: &Event) -> Verdict {
    match event {
        Event::MemberLeft { member, reason, .. } => {
            let address = member.address;
            // A member that is unreachable leaves a second time when it is given up.
            let is_given_up =
                *reason != LeaveReason::Unreachable && out_of_reach(scene).contains(&address);
            // One that was unreachable before a leave or block is so after its undo.
            let undoes = matches!(
                scene.input,
                Some(Input::Command(Asked {
                    command: Command::Undo | Command::Unblock { .. },
                    ..
                }))
            );
            let is_back_so = undoes && *reason == LeaveReason::Unreachable;
            let may_leave = scene.book.members.contains(&address) || is_given_up || is_back_so;
            ensure(may_leave, || format!("{address} left and was not in"))
        }
        Event::ChatLeft { .. } => ensure(!scene.view.open().is_alone(), || {
            "left a chat that there was not".to_owned()
        }),
        _ => Ok(()),
    }
}

/// No user is shown a text of a peer that they have not let in: at this moment the sender
/// is a member by the events, and was let in by what reached the machine.
pub(super) fn only_members_are_shown(scene: &Scene<'_>, event: &Event) -> Verdict {
    let Event::Message(message) = event else {
        return Ok(());
    };
    let from = message.from.address;
    if message.is_own() {
        return ensure(from == scene.address, || {
            format!("the user's own text is shown as that of {from}")
        });
    }
    ensure(scene.book.members.contains(&from), || {
        format!("a text of {from} is shown, who is no member")
    })?;
    ensure(scene.book.accepted.holds(from), || {
        format!("a text of {from} is shown, who was never let in")
    })
}

/// A name in a packet is shown as confirmed only where the registry's list, as the user
/// sees it, has it at that address; and as wrong where it has something else.
pub(super) fn names_prove_nothing(scene: &Scene<'_>, event: &Event) -> Verdict {
    let speaker = match event {
        Event::Message(message) => message.from,
        Event::RequestReceived(request) => request.from,
        _ => return Ok(()),
    };
    let (name, address) = (speaker.name, speaker.address);
    let online = &scene.view.online;
    let is_listed = |user: &User| (Some(user.name), user.address) == (name, address);
    let check = if online.iter().any(is_listed) {
        NameCheck::Confirmed
    } else if online
        .iter()
        .any(|user| Some(user.name) == name || user.address == address)
    {
        NameCheck::Differs
    } else {
        NameCheck::Unknown
    };
    ensure(speaker.check == check, || {
        format!(
            "{name:?} at {address} is shown as {:?}, not {check:?}",
            speaker.check
        )
    })
}

/// Who is waited for, as the user sees it.
fn out_of_reach(scene: &Scene<'_>) -> BTreeSet<PeerAddr> {
    let away = scene.view.open().out_of_reach.iter();
    away.map(|person| person.address).collect()
}

/// A text goes to all members, or where there are none to all unreachable ones; the user
/// sees the recipients.
pub(super) fn own_texts_go_to_every_member(scene: &Scene<'_>, event: &Event) -> Verdict {
    let Event::Message(message) = event else {
        return Ok(());
    };
    let Some(deliveries) = &message.deliveries else {
        return Ok(());
    };
    let to: Vec<PeerAddr> = deliveries.iter().map(|one| one.to.address).collect();
    let expected = if scene.book.members.is_empty() {
        out_of_reach(scene)
    } else {
        scene.book.members.clone()
    };
    ensure(to.iter().eq(&expected), || {
        format!("a text goes to {to:?}, and not to {expected:?}")
    })
}

/// "Sent" is a promise: no member misses a text whose sender was told that it was sent.
/// All parts of it were shown at that member, in order, each once. What happens at an
/// outsider's is not checked.
pub(super) fn sent_means_shown(scene: &Scene<'_>, event: &Event) -> Verdict {
    let Event::Delivered {
        message: id,
        delivery,
        ..
    } = event
    else {
        return Ok(());
    };
    let to = delivery.to.address;
    let Some(seat) = scene.seat_of(to) else {
        return Ok(());
    };
    let shown =
        delivery.state != DeliveryState::Sent || scene.ledger.is_shown(scene.process, *id, seat);
    ensure(shown, || {
        format!(
            "text {} counts as sent to {to}, who was not shown it",
            id.number()
        )
    })
}

/// The state of a delivery is final: a user who saw "failed" must not wonder. One who was
/// out of reach when the text was said, and is tried all the same, has one state too.
pub(super) fn deliveries_end_once(scene: &Scene<'_>, event: &Event) -> Verdict {
    let Event::Delivered {
        message: id,
        delivery,
        ..
    } = event
    else {
        return Ok(());
    };
    let key = (*id, delivery.to.address);
    let known = scene.book.sending.contains_key(&key);
    ensure(known || !scene.book.listed.contains(&key), || {
        format!(
            "text {} to {} ends as {:?} and was not on its way",
            id.number(),
            delivery.to.address,
            delivery.state
        )
    })
}

/// History is ordered by number, also when the wall clock goes back.
pub(super) fn messages_are_numbered_upwards(scene: &Scene<'_>, event: &Event) -> Verdict {
    let Event::Message(message) = event else {
        return Ok(());
    };
    let id = message.id;
    ensure(
        scene.book.last_message < id && id.number() < 1 << 53,
        || {
            format!(
                "number {} after {}",
                id.number(),
                scene.book.last_message.number()
            )
        },
    )
}

/// The user answers one request at a time, and each is closed once.
pub(super) fn one_request_waits_at_a_time(scene: &Scene<'_>, event: &Event) -> Verdict {
    let waits = scene.book.incoming.map(|(from, _)| from);
    match event {
        Event::RequestReceived(request) => ensure(waits.is_none(), || {
            format!(
                "a request of {} beside that of {waits:?}",
                request.from.address
            )
        }),
        Event::RequestClosed { from, .. } => ensure(waits == Some(from.address), || {
            format!(
                "a request of {} is closed, there waits {waits:?}",
                from.address
            )
        }),
        _ => Ok(()),
    }
}

/// Each request that was sent has one answer.
pub(super) fn requests_are_answered_once(scene: &Scene<'_>, event: &Event) -> Verdict {
    let waits = |to: &PeerAddr| scene.book.outgoing.contains_key(to);
    match event {
        Event::RequestSent(request) => {
            let to = request.to.address;
            ensure(!waits(&to), || format!("{to} is asked twice"))
        }
        Event::RequestAnswered { to, .. } => ensure(waits(&to.address), || {
            format!("{} answers and was not asked", to.address)
        }),
        _ => Ok(()),
    }
}

/// A flood of strangers does not become a flood of notices, and no member is a stranger.
pub(super) fn strangers_are_told_of_at_powers_of_ten(scene: &Scene<'_>, event: &Event) -> Verdict {
    let Event::Dropped(dropped) = event else {
        return Ok(());
    };
    // Other counts come when the user asks, and are no line of the conversation.
    ensure(
        dropped.is_milestone() || View::notice(event).is_none(),
        || format!("a notice between the powers of ten: {dropped:?}"),
    )?;
    let Dropped {
        address: Some(address),
        why: DropReason::Stranger,
        ..
    } = dropped
    else {
        return Ok(());
    };
    // What is told when the user asks was counted before it became a member.
    let is_member = dropped.is_milestone() && scene.book.members.contains(address);
    ensure(!is_member, || {
        format!("the member {address} counts as a stranger")
    })
}

/// Nothing comes of what a blocked peer does: blocked by the name that it claims, by any
/// that it has in the online list, or by its address.
pub(super) fn the_blocked_are_not_heard(scene: &Scene<'_>, event: &Event) -> Verdict {
    let (name, address) = match event {
        Event::Message(message) if !message.is_own() => (message.from.name, message.from.address),
        Event::RequestReceived(request) => (request.from.name, request.from.address),
        Event::MemberJoined { member, .. } => (None, member.address),
        _ => return Ok(()),
    };
    let listed = scene.view.online.iter();
    let listed = listed.filter(|user| user.address == address);
    let names = name.into_iter().chain(listed.map(|user| user.name));
    let blocked = names
        .map(Target::Name)
        .chain([Target::Address(address)])
        .find(|target| scene.book.blocked.contains(target));
    ensure(blocked.is_none(), || {
        format!("{blocked:?} is blocked, and at {address} is heard")
    })
}
