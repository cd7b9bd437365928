//! What must always hold, looked at after every step of every machine.
//!
//! `events` and `outputs` are about what comes out of a machine, one by one; `steps`
//! about all that comes of one input; `audits` about what has to have happened by now.

use std::time::Duration;

use p2pchat_model::{Event, PeerAddr, View};
use p2pchat_peer::machine::{Asked, Asker, Input, Output};

use super::book::{Book, Closed};
use super::ledger::Ledger;
use super::schedule::Process;
use super::world::World;

pub(crate) mod audits;
pub(crate) mod bounds;
mod calls;
mod events;
mod outputs;
mod steps;

/// Whether a check passes, or what is wrong.
pub(crate) type Verdict = Result<(), String>;

/// What a check has to go by: what was known before.
pub(crate) struct Scene<'a> {
    pub(crate) process: Process,
    pub(crate) address: PeerAddr,
    pub(crate) book: &'a Book,
    /// What the user saw before.
    pub(crate) view: &'a View,
    pub(crate) ledger: &'a Ledger,
    /// The addresses of the seats.
    pub(crate) seats: &'a [PeerAddr],
    /// What the machine was fed; `None` when it has just started, or for a call that is
    /// repeated, and so is not carried out again.
    pub(crate) input: Option<&'a Input>,
    /// The call that is repeated, and how it was closed, if it was.
    pub(crate) repeated: Option<(&'a Asker, Option<&'a Closed>)>,
    /// All that came of it.
    pub(crate) outputs: &'a [Output],
    pub(crate) now: Duration,
    /// How long a chat request waits for the user.
    pub(crate) request_limit: Duration,
}

impl Scene<'_> {
    fn seat_of(&self, address: PeerAddr) -> Option<usize> {
        self.seats.iter().position(|seat| *seat == address)
    }

    fn events(&self) -> impl Iterator<Item = &Event> {
        self.outputs.iter().filter_map(|output| match output {
            Output::Event { event, .. } => Some(event),
            _ => None,
        })
    }
}

/// Passes, or says what is wrong.
fn ensure(holds: bool, words: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(words()) }
}

/// A check by its name, so that what fails can be looked up.
type Named<F> = (&'static str, F);
type OfEvent = fn(&Scene<'_>, &Event) -> Verdict;
type OfOutput = fn(&Scene<'_>, &Output) -> Verdict;
type OfStep = fn(&Scene<'_>) -> Verdict;

macro_rules! named {
    ($($module:ident :: $check:ident),* $(,)?) => {
        &[$((stringify!($check), $module::$check)),*]
    };
}

const EVENTS: &[Named<OfEvent>] = named![
    events::only_the_accepted_join,
    events::only_members_leave,
    events::only_members_are_shown,
    events::names_prove_nothing,
    events::own_texts_go_to_every_member,
    events::sent_means_shown,
    events::deliveries_end_once,
    events::messages_are_numbered_upwards,
    events::one_request_waits_at_a_time,
    events::requests_are_answered_once,
    events::the_blocked_are_not_heard,
    events::strangers_are_told_of_at_powers_of_ten,
];

const OUTPUTS: &[Named<OfOutput>] = named![
    outputs::only_the_accepted_are_told_anything,
    outputs::hellos_come_from_the_logged_in,
    outputs::the_registry_is_asked_while_it_is_there,
    outputs::one_login_at_a_time,
    outputs::logins_keep_a_distance,
    outputs::answers_go_to_who_waits,
    outputs::only_the_user_accepts,
    calls::calls_are_closed_once,
];

const STEPS: &[Named<OfStep>] = named![
    steps::every_text_is_taken_or_refused,
    steps::members_are_heard_and_strangers_are_not,
    steps::every_request_waits_or_is_answered,
    steps::every_command_has_an_answer,
    steps::outputs_are_few,
    calls::repeated_calls_get_the_first_answer,
];

impl World {
    /// Looks at all that came of an input, and keeps the books.
    pub(crate) fn examine(
        &mut self,
        process: Process,
        input: Option<&Input>,
        outputs: &[Output],
        deadline: Option<Duration>,
    ) {
        let now = self.now();
        let seats = std::mem::take(&mut self.seats);
        let found = self.examine_step(now, &seats, process, input, outputs);
        self.seats = seats;
        let name = self.peers[process.seat].name;
        if let Err((check, words)) = found {
            return self.fail(check, &format!("{name}: {words}"));
        }
        if matches!(input, Some(Input::Timer)) {
            let at = deadline.unwrap_or(Duration::MAX);
            if at <= now {
                let words = format!("{name}: after its timer at {now:?} it wants it at {at:?}");
                self.fail("timers_are_set_for_later", &words);
            }
        }
    }

    fn examine_step(
        &mut self,
        now: Duration,
        seats: &[PeerAddr],
        process: Process,
        input: Option<&Input>,
        outputs: &[Output],
    ) -> Result<(), (&'static str, String)> {
        let request_limit = self.mix.request_limit;
        let peer = &mut self.peers[process.seat];
        let address = peer.address;
        let running = peer.running_mut().expect("it has just been fed");
        let view = &mut running.view;
        let book = &mut running.book;
        let repeated = input.and_then(|input| book.repeated(input));
        let input = input.filter(|_| repeated.is_none());
        if let Some(input) = input {
            book.accepted.learn_input(now, input);
        }
        for output in outputs {
            book.accepted.learn_output(now, output);
        }
        macro_rules! scene {
            () => {
                Scene {
                    process,
                    address,
                    book: &*book,
                    view: &*view,
                    ledger: &self.ledger,
                    seats,
                    input,
                    repeated: repeated
                        .as_ref()
                        .map(|(asker, closed)| (asker, closed.as_ref())),
                    outputs,
                    now,
                    request_limit,
                }
            };
        }
        run(STEPS, |check| check(&scene!()))?;
        if let Some(input) = input {
            book.note_input(now, input);
        }
        if let Some((asker, Some(_))) = &repeated {
            book.open.insert(asker.clone(), now);
        }
        for output in outputs {
            run(OUTPUTS, |check| check(&scene!(), output))?;
            if let Output::Event { event, .. } = output {
                run(EVENTS, |check| check(&scene!(), event))?;
                view.apply(event);
            }
            book.note_output(now, output);
        }
        steps::who_waits_is_shown(book).map_err(|words| ("who_waits_is_shown", words))?;
        steps::the_view_is_what_the_events_say(view, book)
            .map_err(|words| ("the_view_is_what_the_events_say", words))
    }
}

fn run<F: Copy>(
    checks: &[Named<F>],
    look: impl Fn(F) -> Verdict,
) -> Result<(), (&'static str, String)> {
    checks
        .iter()
        .try_for_each(|&(name, check)| look(check).map_err(|words| (name, words)))
}
