//! The machines at work: fed, looked at, and obeyed.

use std::time::Duration;

use p2pchat_model::{
    BlockChange, Call, Command, Event, FrontEndId, Link, MessageId, Problem, View,
};
use p2pchat_peer::machine::{Asked, Config, Input, Machine, Output, ToJournal};

use super::book::{Book, Closed, answer};
use super::network::{Caller, Packet, Reply};
use super::sabotage::Sabotage;
use super::schedule::{Process, SimEvent};
use super::trace::{copy_of, input_words, output_words};
use super::troubles::Trouble;
use super::world::World;

impl World {
    /// The latest that a timer fires after its time, as on a busy machine.
    const LATENESS: Duration = Duration::from_millis(20);
    /// More outputs from one input than this is a machine that does not end.
    const MAX_OUTPUTS: usize = 10_000;

    /// Starts the program of a seat, with a new front end.
    pub(crate) fn start(&mut self, seat: usize) {
        self.peers[seat].front = View::default();
        self.peers[seat].unanswered.clear();
        self.begin(seat, None);
    }

    /// Another process goes on with what the front end has seen, which makes the calls again
    /// that it has no answer to.
    pub(crate) fn take_over(&mut self, seat: usize) {
        if self.peers[seat].is_up() {
            return;
        }
        self.troubles.note(Trouble::Takeover);
        let view = self.peers[seat].resumed_view();
        self.peers[seat].front = view.clone();
        self.begin(seat, Some(&view));
        let process = self.peers[seat].process();
        for asked in self.peers[seat].unanswered.clone().into_values() {
            if let Command::Say { text, .. } = &asked.command {
                self.ledger.said_again(text, process);
            }
            if self.is_running(process) {
                self.feed(process, Input::Command(asked));
            }
        }
        self.plan_return(seat);
    }

    fn begin(&mut self, seat: usize, resume: Option<&View>) {
        let origin = self.rng.secs(10_000, 100_000);
        let config = Config {
            address: self.peers[seat].address,
            registry: "registry".to_owned(),
            message_port: [1010, 5859][self.rng.below(2)],
            request_limit: self.mix.request_limit,
            seed: self.rng.number(0, u64::MAX),
            keys: None,
        };
        let now = self.now();
        let name = self.peers[seat].name;
        let verb = resume.map_or("starts", |_| "takes over");
        self.trace.note(now, || format!("{name} {verb}"));
        let blocks = self.peers[seat].blocks.clone();
        let calls = match self.mix.sabotage {
            Some(Sabotage::ForgetCalls) => Vec::new(),
            _ => self.peers[seat].calls.clone(),
        };
        let last = match self.mix.sabotage {
            Some(Sabotage::ForgetNumbers) => MessageId::new(0),
            _ => self.ledger.last_number(seat),
        };
        let book = match resume {
            None => Book::default(),
            Some(view) => Book::resume(self.peers[seat].take_ended(), view, now),
        };
        self.peers[seat].begin(origin, book, |clocks| {
            let now = clocks.at(now);
            let machine = match resume {
                None => Machine::new(config, now),
                Some(view) => Machine::resume(config, now, view),
            };
            machine
                .with_blocks(blocks)
                .with_last_message(last)
                .with_calls(calls)
        });
        let process = self.peers[seat].process();
        self.drain(process, None);
    }

    pub(crate) fn is_running(&self, process: Process) -> bool {
        self.peers[process.seat].is_process(process)
    }

    /// The front end of a seat makes a call, with an id of its own.
    pub(crate) fn command(&mut self, seat: usize, command: Command) {
        self.calls += 1;
        let front_end = FrontEndId::new("front-end").expect("it is an id");
        let asked = Asked::by(front_end, Call::with_id(self.calls, command));
        self.call_of(seat, asked);
    }

    /// The front end of a seat makes its last call once more, as if it had no answer.
    pub(crate) fn command_again(&mut self, seat: usize) {
        if let Some(asked) = self.peers[seat].last_call.clone() {
            self.call_of(seat, asked);
        }
    }

    fn call_of(&mut self, seat: usize, asked: Asked) {
        if self.peers[seat].is_up() {
            let process = self.peers[seat].process();
            if !asked.command.is_repeatable() {
                self.peers[seat].last_call = Some(asked.clone());
            }
            let asker = asked.asker.clone().expect("it is that of the front end");
            self.peers[seat].unanswered.insert(asker, asked.clone());
            self.feed(process, Input::Command(asked));
        }
    }

    /// Hands an input to a machine, checks what it makes of it, and carries that out.
    pub(crate) fn feed(&mut self, process: Process, input: Input) {
        if self.violation.is_some() {
            return;
        }
        let now = self.now();
        let name = self.peers[process.seat].name;
        self.trace
            .note(now, || format!("{name} < {}", input_words(&input)));
        let copy = copy_of(&input);
        let running = self.peers[process.seat]
            .running_mut()
            .expect("only what runs is fed");
        running.machine.handle(running.clocks.at(now), input);
        self.drain(process, Some(&copy));
    }

    fn drain(&mut self, process: Process, input: Option<&Input>) {
        let now = self.now();
        let name = self.peers[process.seat].name;
        let running = self.peers[process.seat]
            .running_mut()
            .expect("it has just been fed");
        let mut outputs = Vec::new();
        while let Some(output) = running.machine.output() {
            outputs.push(output);
            if outputs.len() > Self::MAX_OUTPUTS {
                return self.fail(
                    "outputs_are_bounded",
                    &format!("{name} has no end of outputs"),
                );
            }
        }
        self.tamper(process, &mut outputs);
        for output in &outputs {
            self.trace
                .note(now, || format!("{name} > {}", output_words(output)));
        }
        let deadline = self.deadline(process);
        self.examine(process, input, &outputs, deadline);
        self.carry_out_all(process, outputs);
        self.plan_timer(process);
    }

    /// When the machine wants its timer, by the world's clock.
    fn deadline(&self, process: Process) -> Option<Duration> {
        let running = self.peers[process.seat].running()?;
        let deadline = running.machine.deadline()?;
        Some(deadline.saturating_sub(running.clocks.origin))
    }

    pub(crate) fn plan_timer(&mut self, process: Process) {
        if !self.is_running(process) {
            return;
        }
        let deadline = self.deadline(process);
        let late = self.rng.between(Duration::ZERO, Self::LATENESS);
        let now = self.now();
        let Some(running) = self.peers[process.seat].running_mut() else {
            return;
        };
        if let Some(at) = deadline
            && running.planned != deadline
        {
            running.planned = deadline;
            self.schedule
                .after(at.saturating_sub(now) + late, SimEvent::Timer(process));
        }
    }

    /// The time has come that was planned for a timer; the deadline may have moved.
    pub(crate) fn timer(&mut self, process: Process) {
        if !self.is_running(process) {
            return;
        }
        if let Some(wait) = self.is_reached_in(process) {
            return self.schedule.after(wait, SimEvent::Timer(process));
        }
        let due = self
            .deadline(process)
            .is_some_and(|deadline| deadline <= self.now());
        if let Some(running) = self.peers[process.seat].running_mut()
            && due
        {
            running.planned = None;
            self.feed(process, Input::Timer);
        }
    }

    /// Does what a machine wants done.
    pub(crate) fn carry_out(&mut self, process: Process, output: Output) {
        let seat = process.seat;
        if let Some((asker, Some(closed))) = answer(&output) {
            let asked = self.peers[seat].unanswered.remove(asker);
            self.is_acknowledged(process, asked, &closed);
        }
        match output {
            Output::ConnectRegistry => self.connect_registry(process),
            Output::DisconnectRegistry => self.disconnect_registry(process),
            Output::ConnectEncrypted { .. }
            | Output::Send(_)
            | Output::Work { .. }
            | Output::Chats(_)
            | Output::UseRegistry { .. }
            | Output::StartRegistry { .. }
            | Output::Journal(ToJournal::Keep { .. }) => unreachable!("it has no keys"),
            Output::Ask(request) => self.ask(process, request),
            Output::Hello(hello) => self.send_hello(process, hello),
            Output::Request {
                id,
                to,
                contact,
                limit,
            } => self.call(
                Caller::Machine(process, id),
                to,
                Packet::Request(contact, limit),
            ),
            Output::Notify {
                id,
                to,
                contact,
                patience,
            } => self.call(
                Caller::Machine(process, id),
                to,
                Packet::Notify(contact, patience),
            ),
            Output::Text {
                id,
                to,
                message,
                patience,
            } => self.call(
                Caller::Machine(process, id),
                to,
                Packet::Text(message, patience),
            ),
            Output::CancelRequest { id } => self.call_is_withdrawn(process, id),
            Output::Answer { conn, answer } => self.call_answered(conn, Reply::Answer(answer)),
            Output::TakeText { conn } => self.call_answered(conn, Reply::Received),
            Output::RefuseText { conn } => self.call_answered(conn, Reply::Refused),
            Output::Event { event, said_by, .. } => {
                self.is_written(process, &event, said_by);
                if self.mix.has_takeovers() {
                    self.peers[seat].front.apply(&event);
                }
                self.user_sees(seat, &event);
            }
            Output::Journal(ToJournal::KeepBlock {
                account, change, ..
            }) => self.keep_block(seat, account, change),
            Output::Journal(
                ToJournal::Recall { .. } | ToJournal::Find { .. } | ToJournal::Repeat { .. },
            ) => {}
        }
    }

    /// A front end is told that its call is done: what it said is in the history.
    fn is_acknowledged(&mut self, process: Process, asked: Option<Asked>, closed: &Closed) {
        if let Some(Command::Say { text, .. }) = asked.map(|asked| asked.command)
            && *closed == Closed::Done
            && !self.ledger.is_named(&text)
        {
            let name = self.peers[process.seat].name;
            self.fail(
                "a_call_leads_to_one_message",
                &format!("{name}: {text:?} is done and not in the history"),
            );
        }
    }

    /// What a user does when they see this.
    pub(crate) fn user_sees(&mut self, seat: usize, event: &Event) {
        match event {
            Event::Registered { .. } => self.peers[seat].registered = true,
            Event::Failed(failure) if failure.code == Problem::NameTaken => {
                self.peers[seat].registered = true;
            }
            Event::RequestReceived(request) => {
                self.plan_answer(seat, request.from.address);
            }
            Event::MemberJoined { .. } => self.plan_greeting(seat),
            Event::LoggedOut { .. } | Event::Link(Link::PasswordNeeded) => self.plan_return(seat),
            Event::ChatLeft { .. }
            | Event::Blocks {
                change: Some(BlockChange::Blocked(_)),
                ..
            } => self.plan_undo(seat),
            _ => {}
        }
    }
}
