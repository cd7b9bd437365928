//! Checks of how calls are answered.

use std::time::Duration;

use p2pchat_peer::machine::{Input, Output};

use super::super::book::{Closed, answer};
use super::{Asked, Book, Scene, Verdict, ensure};

/// How long a call may be open: until a registry that does not answer is given up, and the
/// connection before that.
const LIMIT: Duration = Duration::from_secs(60);

/// A call is closed by one answer, and nothing carries its id after that.
pub(super) fn calls_are_closed_once(scene: &Scene<'_>, output: &Output) -> Verdict {
    let Some((asker, _)) = answer(output) else {
        return Ok(());
    };
    ensure(scene.book.open.contains_key(asker), || {
        format!("{:?} is answered and is not open", asker.id)
    })
}

/// A call that is made again is not carried out again: if it is closed, it is closed in the
/// same way; if not, it will be.
pub(super) fn repeated_calls_get_the_first_answer(scene: &Scene<'_>) -> Verdict {
    let Some((asker, earlier)) = scene.repeated else {
        return Ok(());
    };
    let closed = scene.outputs.iter().filter_map(answer);
    let closed = closed.filter(|(whose, _)| *whose == asker);
    let closed: Vec<Closed> = closed.filter_map(|(_, closed)| closed).collect();
    ensure(closed.iter().eq(earlier), || {
        format!(
            "{:?} was closed by {earlier:?}, now by {closed:?}",
            asker.id
        )
    })
}

/// Every call is closed.
pub(crate) fn calls_are_closed_in_time(now: Duration, book: &Book) -> Verdict {
    book.open.iter().try_for_each(|(asker, since)| {
        ensure(now <= *since + LIMIT, || {
            format!("{:?} is open since {since:?}", asker.id)
        })
    })
}

/// What a front end asks for.
pub(super) fn asked<'a>(scene: &Scene<'a>) -> Option<&'a Asked> {
    match scene.input {
        Some(Input::Command(asked)) => Some(asked),
        _ => None,
    }
}
