//! Checks of one output, before it is entered into the books.

use std::time::Duration;

use p2pchat_model::{Command, Event};
use p2pchat_peer::machine::{Asked, Input, Output};
use p2pchat_protocol::{ChatAnswer, Kind};

use super::{Scene, Verdict, ensure};

/// Texts and members of a chat go to no peer that the user has not let in. (A chat request
/// carries the members, to the peer that the user chose.)
pub(super) fn only_the_accepted_are_told_anything(scene: &Scene<'_>, output: &Output) -> Verdict {
    let (Output::Text { to, .. } | Output::Notify { to, .. }) = output else {
        return Ok(());
    };
    ensure(scene.book.accepted.holds(*to), || {
        format!("{to} is told something and was never let in")
    })
}

/// A hello of a user who is not logged in would keep a dead session alive.
pub(super) fn hellos_come_from_the_logged_in(scene: &Scene<'_>, output: &Output) -> Verdict {
    let Output::Hello(hello) = output else {
        return Ok(());
    };
    ensure(scene.book.account == Some(hello.username), || {
        format!(
            "a hello of {}, logged in is {:?}",
            hello.username, scene.book.account
        )
    })
}

/// A request without a connection would be lost.
pub(super) fn the_registry_is_asked_while_it_is_there(
    scene: &Scene<'_>,
    output: &Output,
) -> Verdict {
    ensure(
        !matches!(output, Output::Ask(_)) || scene.book.link_up,
        || "the registry is asked and there is no connection".to_owned(),
    )
}

/// Logins are the dearest that a registry does: a machine asks for one at a time by
/// itself. A user who logs out and in again while one is under way asks for another.
pub(super) fn one_login_at_a_time(scene: &Scene<'_>, output: &Output) -> Verdict {
    let by_hand = matches!(scene.input, Some(Input::Command(_)));
    let asks = matches!(output, Output::Ask(request) if request.kind() == Kind::Login);
    let under_way = scene.book.asked.contains(&Kind::Login);
    ensure(by_hand || !asks || !under_way, || {
        "a login while another is under way".to_owned()
    })
}

/// The least time between two logins that a machine asks for because it is not in
/// the list.
const LOGIN_PAUSE: Duration = Duration::from_secs(4);

/// A registry that does not list who has logged in is not asked for one login after the
/// other as fast as it answers. (A connection that breaks has a pause of its own.)
pub(super) fn logins_keep_a_distance(scene: &Scene<'_>, output: &Output) -> Verdict {
    let asks = matches!(output, Output::Ask(request) if request.kind() == Kind::Login);
    let by_list = matches!(scene.input, Some(Input::Response(_) | Input::Timer));
    let again = scene.book.account.is_some();
    let last = scene.book.last_login;
    let distant = last.is_none_or(|last| last + LOGIN_PAUSE <= scene.now);
    ensure(distant || !(asks && by_list && again), || {
        format!("logs in again, and did at {last:?}")
    })
}

/// An answer goes to a connection that waits for one, so each request has one at most.
pub(super) fn answers_go_to_who_waits(scene: &Scene<'_>, output: &Output) -> Verdict {
    let Output::Answer { conn, .. } = output else {
        return Ok(());
    };
    ensure(scene.book.unanswered.contains(conn), || {
        format!("an answer on connection {}, where nobody waits", conn.0)
    })
}

/// How much later than its limit a request may be accepted: a late timer.
const SLACK: Duration = Duration::from_secs(1);

/// No peer gets in except by the user's own command, given in time: after that, the
/// requester's own machine has shown "did not answer". The command may be the user's own
/// request to that peer, and one who is in the chat needs none.
pub(super) fn only_the_user_accepts(scene: &Scene<'_>, output: &Output) -> Verdict {
    let Output::Answer {
        conn,
        answer: ChatAnswer::Accepted,
    } = output
    else {
        return Ok(());
    };
    let asker = scene.book.accepted.request(*conn).map(|(from, _)| *from);
    let is_wanted =
        |asker| scene.book.outgoing.contains_key(&asker) || scene.book.members.contains(&asker);
    if matches!(scene.input, Some(Input::Contact { .. })) && asker.is_some_and(is_wanted) {
        return Ok(());
    }
    let said = match scene.input {
        Some(Input::Command(Asked {
            command: Command::Accept { from, .. },
            ..
        })) => Some(*from),
        // A request to a user who asks for the same; by name, once the registry found them.
        Some(
            Input::Command(Asked {
                command: Command::Request { .. },
                ..
            })
            | Input::Response(_),
        ) => scene.book.incoming.map(|(from, _)| from),
        _ => None,
    };
    ensure(said.is_some() && said == asker, || {
        format!("the request of {asker:?} is accepted, the user said {said:?}")
    })?;
    let until = scene.book.asked_at + scene.request_limit + SLACK;
    ensure(scene.now <= until, || {
        format!("the request of {asker:?} is accepted after its time, {until:?}")
    })
}

/// Whether an output is this event.
pub(super) fn is_event(output: &Output, which: impl Fn(&Event) -> bool) -> bool {
    matches!(output, Output::Event { event, .. } if which(event))
}
