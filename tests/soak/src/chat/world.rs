//! The state of the run: it knows all users, keeps the ledger and gives the orders.

use std::time::{Duration, Instant};

use anyhow::Result;
use p2pchat_model::{Command, ConversationId, Event, IncomingRequest, Line, MessageId, Notice};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::driver::{News, What};
use super::faults::{Fault, Faults};
use super::groups::Plan;
use super::ledger::{Ledger, User};
use super::measure::Measured;
use super::people::People;
use super::schedule::Schedule;
use super::site::Site;
use super::tally::Tally;
use super::words::compose;

/// How often due events are checked.
const TICK: Duration = Duration::from_millis(20);
/// How often groups are compared with the plan.
const LOOK: Duration = Duration::from_millis(250);
/// How often memory is measured.
const SAMPLE: Duration = Duration::from_secs(10);
/// The share of wanted requests that are rejected all the same.
const REJECTS: f64 = 0.05;
/// To leave the chat.
const LEAVE: Command = Command::Leave {
    conversation: ConversationId::OPEN,
};
/// The greatest id that there may be.
const LAST_ID: MessageId = MessageId::new((1 << 53) - 1);

/// Everything that is going on.
pub(super) struct World {
    pub(super) random: ChaCha8Rng,
    pub(super) people: People,
    pub(super) plan: Plan,
    pub(super) ledger: Ledger,
    pub(super) tally: Tally,
    pub(super) site: Site,
    pub(super) measured: Measured,
    /// What went wrong with programs that were not killed.
    pub(super) problems: Vec<String>,
    pub(super) news: mpsc::Receiver<News>,
    /// Whose history is being read, and from where on back.
    pub(super) auditing: Vec<Option<MessageId>>,
    pub(super) next_look: Instant,
    pub(super) next_sample: Instant,
}

/// What is going on for a while.
#[derive(Default)]
pub(super) struct Activity {
    /// Users send texts.
    pub(super) talk: Option<Schedule>,
    /// Texts that are worth several packets, and several texts at once, too.
    pub(super) at_length: bool,
    /// Members of a planned group ask each other.
    pub(super) gather: bool,
    pub(super) harm: Option<Faults>,
}

impl World {
    /// Goes on for so long, or until all is `done`. Whether it was.
    pub(super) async fn go_on(
        &mut self,
        limit: Duration,
        activity: &mut Activity,
        done: impl Fn(&Self) -> bool,
    ) -> Result<bool> {
        let end = Instant::now() + limit;
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut news = Vec::new();
        while Instant::now() < end {
            tokio::select! {
                _ = self.news.recv_many(&mut news, 256) => {
                    news.drain(..).for_each(|news| self.take(&news));
                }
                _ = ticks.tick() => {
                    self.tick(activity).await?;
                    if self.looks() && done(self) {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }

    /// Whether it is time to check all users again.
    fn looks(&mut self) -> bool {
        let now = Instant::now();
        let due = self.next_look <= now;
        if due {
            self.next_look = now + LOOK;
        }
        due
    }

    async fn tick(&mut self, activity: &mut Activity) -> Result<()> {
        let now = Instant::now();
        self.site.look().await?;
        let cuts = self.site.cuts();
        self.tally.add_many("connections between peers cut", cuts);
        if let Some(talk) = &mut activity.talk
            && talk.is_due(now, &mut self.random)
        {
            self.let_one_talk(activity.at_length);
        }
        if let Some(harm) = &mut activity.harm {
            let faults = harm.inject(&mut self.people, &mut self.tally, &mut self.random);
            faults.into_iter().for_each(|fault| self.inject(fault));
        }
        if activity.gather && self.next_look <= now {
            self.gather(now);
        }
        if self.next_sample <= now {
            self.next_sample = now + SAMPLE;
            self.measured.sample(&self.people, self.site.registry());
        }
        Ok(())
    }

    /// Sends the due requests, and dissolves groups that have grown together.
    fn gather(&mut self, now: Instant) {
        for (asker, asked) in self.plan.requests(&self.people, now) {
            self.people.request(asker, asked, now);
            self.tally.add("requests");
        }
        if let Some(user) = self.plan.mixed_up(&self.people, now) {
            self.tally.add("groups that had grown together");
            let group: Vec<User> = self.plan.others(user).chain([user]).collect();
            for user in self.people.able(&group).collect::<Vec<_>>() {
                self.people.0[user].ask(LEAVE);
            }
        }
    }

    fn inject(&mut self, fault: Fault) {
        match fault {
            Fault::Registry(pause) => {
                if self.site.kill_registry(pause) {
                    self.tally.add("registry killed");
                }
            }
            Fault::Line(user, cut) => {
                if self.site.proxy.cut(self.people.0[user].address.ip(), cut) {
                    self.tally
                        .add(format!("lines to the registry cut ({cut:?})"));
                }
            }
            Fault::Connections(of, after) => self.site.cut_connections(of, after),
            Fault::Leave(user) => self.leave(user),
        }
    }

    /// A user leaves, to be asked again, by the same group or by another one.
    fn leave(&mut self, user: User) {
        // An answer on its way could bring together what is not to be.
        if !self.people.is_unasked(user) || self.people.0[user].view.open().members.is_empty() {
            return;
        }
        self.people.0[user].ask(LEAVE);
        self.tally.add("chats left");
        let to = self.random.random_range(0..self.plan.groups().len());
        if self.random.random_bool(0.5) && self.plan.transfer(user, to) {
            self.tally.add("chats left for another group");
        }
    }

    fn let_one_talk(&mut self, at_length: bool) {
        let user = self.random.random_range(0..self.people.0.len());
        if !self.people.is_able(user) || self.people.0[user].view.open().members.is_empty() {
            return;
        }
        let texts = if at_length && self.random.random_bool(0.05) {
            self.random.random_range(3..=8)
        } else {
            1
        };
        for _ in 0..texts {
            let marks = match self.random.random_range(0..100) {
                0 if at_length => self.random.random_range(40..=150),
                1..15 if at_length => self.random.random_range(3..=12),
                _ => self.random.random_range(1..=2),
            };
            self.say(user, marks);
        }
    }

    /// Makes a user send a text; its number.
    pub(super) fn say(&mut self, user: User, marks: u16) -> u32 {
        let person = &mut self.people.0[user];
        let number = person.said;
        person.said += 1;
        let text = compose(&mut self.random, person.name, number, marks);
        self.ledger.told_to_say(user, number, marks);
        person.ask(Command::Say {
            conversation: ConversationId::OPEN,
            text,
            reply_to: None,
        });
        number
    }

    /// Starts reading a user's history from its end to its beginning.
    pub(super) fn audit(&mut self, user: User) {
        self.audit_before(user, LAST_ID);
    }

    fn audit_before(&mut self, user: User, before: MessageId) {
        self.auditing[user] = Some(before);
        let before = Some(before);
        self.people.0[user].ask(Command::History {
            conversation: ConversationId::OPEN,
            before,
        });
    }

    fn take(&mut self, news: &News) {
        match &news.what {
            What::Event(event) => self.event(news.user, event, news.at),
            What::View(view) => {
                let lines = view.open().lines.iter().filter_map(|line| match line {
                    Line::Message(message) => Some(message),
                    Line::Post(_) | Line::Notice { .. } => None,
                });
                for line in lines {
                    self.ledger.record(news.user, line);
                }
            }
            What::Ended(Some(problem)) => self.problems.push(problem.clone()),
            What::Started(_) => {
                let next = self.people.0[news.user].said;
                self.ledger.restarted(news.user, next);
            }
            What::Ended(None) | What::Back => {}
        }
        self.people.0[news.user].take(news);
    }

    fn event(&mut self, user: User, event: &Event, at: Instant) {
        match event {
            Event::Message(line) => {
                let is_member = self.people.0[user].view.is_member(line.from.address);
                if !line.is_own() && !is_member {
                    self.ledger.errors.from_strangers += 1;
                }
                self.ledger.shown(user, line, at);
            }
            Event::Delivered {
                message, delivery, ..
            } => self.ledger.delivered(user, *message, delivery),
            Event::History {
                before,
                messages,
                more,
                ..
            } => {
                self.ledger.page(user, messages, *more, *before);
                if let (Some(_), Some(first), true) =
                    (self.auditing[user].take(), messages.first(), *more)
                {
                    self.audit_before(user, first.id);
                }
            }
            Event::RequestReceived(request) => self.answer(user, request),
            Event::Notice {
                what: Notice::HistoryBroken,
                ..
            } => self.problems.push(format!("{user} has a broken history")),
            _ => self.count(event),
        }
    }

    fn answer(&mut self, user: User, request: &IncomingRequest) {
        let (conversation, from) = (request.conversation, request.from.address);
        let is_ours = self.ledger.user_at(from);
        let is_wanted = is_ours.is_some_and(|other| self.plan.are_together(user, other));
        let command = if is_wanted && !self.random.random_bool(REJECTS) {
            Command::Accept { conversation, from }
        } else {
            Command::Reject { conversation, from }
        };
        self.people.0[user].ask(command);
    }

    fn count(&mut self, event: &Event) {
        let what = match event {
            Event::RequestAnswered { refusal: None, .. } => "requests accepted".to_owned(),
            Event::RequestAnswered {
                refusal: Some(refusal),
                ..
            } => format!("requests not accepted ({refusal:?})"),
            Event::MemberLeft { reason, .. } => format!("members lost ({reason:?})"),
            Event::Failed(failure) => {
                format!("commands refused ({}: {:?})", failure.command, failure.code)
            }
            Event::LoggedOut { problem, .. } => format!("logged out ({problem:?})"),
            _ => return,
        };
        self.tally.add(what);
    }
}
