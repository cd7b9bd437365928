//! What every part of the machine needs: the time, random numbers, ids, and the outputs.

use std::collections::VecDeque;
use std::time::Duration;

use p2pchat_model::{
    CallId, Command, DropKind, DropReason, Event, Failure, FrontEndId, Message, MessageId, Notice,
    PeerAddr, Problem, Timestamp, Username,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::calls::{Answer, Calls, Earlier};
use super::drops::DropCounters;
use super::io::{Asker, Config, Now, Output, SaidBy, SendId, ToJournal, Usage};

/// The surroundings of the sub-machines, lent to each while it handles an input.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) config: Config,
    /// The time of the input that is being handled.
    pub(super) now: Now,
    pub(super) rng: ChaCha8Rng,
    outputs: VecDeque<Output>,
    calls: Calls,
    /// Whose call is being answered: what happens now happens because of it.
    asker: Option<Asker>,
    drops: DropCounters,
    last_send: u64,
    last_message: MessageId,
    unconfirmed_name: bool,
    new_members: Vec<PeerAddr>,
}

impl Context {
    pub(super) fn new(config: Config, now: Now) -> Self {
        Self {
            now,
            rng: ChaCha8Rng::seed_from_u64(config.seed),
            outputs: VecDeque::new(),
            calls: Calls::default(),
            asker: None,
            drops: DropCounters::default(),
            last_send: 0,
            last_message: MessageId::new(0),
            unconfirmed_name: false,
            new_members: Vec::new(),
            config,
        }
    }

    pub(super) fn push(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(super) fn next_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Tells the user, as an answer to the call that is being answered, if there is one.
    pub(super) fn emit(&mut self, event: Event) {
        let re = self.asker.clone();
        if let Event::MemberJoined { member, .. } = &event {
            self.new_members.push(member.address);
        }
        self.push(Output::Event {
            event,
            re,
            said_by: None,
        });
    }

    /// Tells the user of a message of their own. The call that led to it is kept with it.
    pub(super) fn say(&mut self, message: Message) {
        let re = self.asker.clone();
        if let Some(key) = self.key() {
            self.calls.close(&key, Answer::Said(message.id));
        }
        let said_by = self.said_by();
        self.push(Output::Event {
            event: Event::Message(message),
            re,
            said_by,
        });
    }

    /// Answers the call that is being answered, and in the same way when it is repeated.
    pub(super) fn answer(&mut self, event: Event) {
        if let Some(key) = self.key() {
            self.calls
                .close(&key, Answer::With(Box::new(event.clone())));
        }
        self.emit(event);
    }

    /// The call that is being answered, to be kept with the message that it leads to.
    pub(super) fn said_by(&self) -> Option<SaidBy> {
        let key = self.key()?;
        let fingerprint = self.calls.fingerprint(&key)?;
        let (front_end, id) = key;
        Some(SaidBy {
            front_end,
            id,
            fingerprint,
        })
    }

    /// Whose call is being answered.
    pub(super) fn asker(&self) -> Option<&Asker> {
        self.asker.as_ref()
    }

    /// Answers this call from now on, or none.
    pub(super) fn answer_to(&mut self, asker: Option<Asker>) {
        self.asker = asker;
    }

    /// Leaves the call that is being answered open, to be answered later by
    /// [`Context::answer_to`].
    pub(super) fn defer(&mut self) -> Option<Asker> {
        self.asker.take()
    }

    /// The call that is being answered, if it has an id.
    fn key(&self) -> Option<(FrontEndId, CallId)> {
        let asker = self.asker.as_ref()?;
        Some((asker.front_end.clone(), asker.id.clone()?))
    }

    /// Takes note of the call that is being answered. Whether to carry it out: one that is
    /// known is not, and gets its first answer again.
    pub(super) fn begin_call(&mut self, account: Option<Username>, command: &Command) -> bool {
        let Some(key) = self.key() else {
            return true;
        };
        match self.calls.begin(&key, command) {
            Earlier::None => return true,
            Earlier::Pending => {}
            Earlier::Answered(Answer::Done) => self.emit(Event::Done),
            Earlier::Answered(Answer::With(event)) => {
                self.emit(*event);
                self.emit(Event::Done);
            }
            Earlier::Answered(Answer::Said(message)) => {
                if let Some(re) = self.asker.clone() {
                    self.push(Output::Journal(ToJournal::Repeat {
                        re,
                        account,
                        message,
                    }));
                }
            }
            Earlier::OtherCommand => {
                let failure = Failure::new(self.now.wall, command.name(), Problem::IdUsed);
                self.emit(Event::Failed(failure));
            }
        }
        self.asker = None;
        false
    }

    /// Restores a call that led to a message in an earlier session.
    pub(super) fn restore_call(&mut self, by: SaidBy, message: MessageId) {
        self.calls.restore(by, message);
    }

    /// Closes the call that is being answered: it is carried out.
    pub(super) fn done(&mut self) {
        if let Some(key) = self.key() {
            self.calls.close(&key, Answer::Done);
            self.emit(Event::Done);
        }
        self.asker = None;
    }

    pub(super) fn notice(&mut self, notice: Notice) {
        let at = self.now.wall;
        self.emit(Event::Notice { at, what: notice });
    }

    /// Closes the call that is being answered: it failed.
    pub(super) fn fail(&mut self, command: &str, refusal: Refusal) {
        let Refusal {
            problem,
            message,
            names,
        } = refusal;
        let failure = Failure::new(self.now.wall, command, problem).with_message(message);
        let failure = Failure { names, ..failure };
        if let Some(key) = self.key() {
            self.calls.forget(&key);
        }
        self.emit(Event::Failed(failure));
        self.asker = None;
    }

    /// Counts one dropped packet, and tells the user at powers of ten.
    pub(super) fn count_drop(
        &mut self,
        from: PeerAddr,
        name: Option<Username>,
        kind: DropKind,
        reason: DropReason,
    ) {
        self.count_drops(Some(from), name, kind, reason, 1);
    }

    /// The same for several; `from` is `None` for addresses that were not counted one by one.
    pub(super) fn count_drops(
        &mut self,
        from: Option<PeerAddr>,
        name: Option<Username>,
        kind: DropKind,
        reason: DropReason,
        more: u64,
    ) {
        let at = self.now.wall;
        if let Some(dropped) = self.drops.count(at, from, name, kind, reason, more) {
            self.emit(Event::Dropped(dropped));
        }
    }

    /// Tells the user each drop count that has grown since the user was last told.
    pub(super) fn report_drops(&mut self) {
        for dropped in self.drops.report() {
            self.emit(Event::Dropped(dropped));
        }
    }

    pub(super) fn call_usage(&self) -> Usage {
        self.calls.usage()
    }

    pub(super) fn drop_usage(&self) -> Usage {
        self.drops.usage()
    }

    pub(super) fn next_send(&mut self) -> SendId {
        self.last_send += 1;
        SendId(self.last_send)
    }

    /// The newest message.
    pub(super) fn last_message(&self) -> MessageId {
        self.last_message
    }

    /// Makes message ids continue after this one.
    pub(super) fn skip_messages(&mut self, last: MessageId) {
        self.last_message = self.last_message.max(last);
    }

    /// Microseconds of the wall clock; one more than the last id where the clock stands
    /// still or went back.
    pub(super) fn next_message(&mut self) -> MessageId {
        let by_clock = MessageId::new(self.now.wall.0.saturating_mul(1000));
        self.last_message = by_clock.max(MessageId::new(self.last_message.number() + 1));
        self.last_message
    }

    /// The wall-clock time after this wait.
    pub(super) fn wall_in(&self, wait: Duration) -> Timestamp {
        self.now.wall.after(wait)
    }

    /// Notes that the user was shown a name that the online list does not confirm, or no
    /// name: the list has to be refreshed soon.
    pub(super) fn note_unconfirmed_name(&mut self) {
        self.unconfirmed_name = true;
    }

    /// The members that the user was told of since the last time.
    pub(super) fn take_new_members(&mut self) -> Vec<PeerAddr> {
        std::mem::take(&mut self.new_members)
    }

    /// Whether [`Context::note_unconfirmed_name`] was called since the last time.
    pub(super) fn take_unconfirmed_name(&mut self) -> bool {
        std::mem::take(&mut self.unconfirmed_name)
    }
}

/// Why a command is not carried out.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) problem: Problem,
    pub(super) message: String,
    /// The users that it is about.
    pub(super) names: Vec<Username>,
}

impl Refusal {
    pub(super) fn new(problem: Problem, message: String) -> Self {
        let names = Vec::new();
        Self {
            problem,
            message,
            names,
        }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::new(problem, problem.words().to_owned())
    }
}
