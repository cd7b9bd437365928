//! The peers: at each address a program that runs, or one that has crashed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use p2pchat_model::{Link, MessageId, Passphrase, PeerAddr, Target, Username, View};
use p2pchat_peer::machine::{Asked, Asker, Machine, SaidBy};

use super::book::{Book, Totals};
use super::naps::Nap;
use super::schedule::{Clocks, Process};

/// A user with a program at an address of its own.
pub(crate) struct Peer {
    seat: usize,
    pub(crate) address: PeerAddr,
    pub(crate) name: Username,
    /// Whether the registry has confirmed that the account was created.
    pub(crate) registered: bool,
    /// The user's wall-clock time when the world began.
    wall: u64,
    /// The number of this run of the program, or of the next one.
    run: u32,
    /// What the accounts used here have blocked: the file.
    pub(crate) blocks: BTreeSet<(Username, Target)>,
    /// The calls that led to messages: the file.
    pub(crate) calls: Vec<(SaidBy, MessageId)>,
    /// The last call that changed something.
    pub(crate) last_call: Option<Asked>,
    /// What the front end has seen.
    pub(crate) front: View,
    /// The calls of the front end that it has no answer to.
    pub(crate) unanswered: BTreeMap<Asker, Asked>,
    /// The records of the last process.
    ended: Option<Book>,
    running: Option<Running>,
    /// Whether the host is switched off.
    is_dark: bool,
}

/// A program that runs.
pub(crate) struct Running {
    pub(crate) machine: Machine,
    pub(crate) view: View,
    pub(crate) book: Book,
    pub(crate) clocks: Clocks,
    /// When the machine's deadline is, as far as it is planned.
    pub(crate) planned: Option<Duration>,
    /// The connection to the registry, or the attempt to make one.
    pub(crate) link: Option<usize>,
    /// It stands still.
    pub(crate) nap: Option<Nap>,
    /// Since when it does not.
    pub(crate) awake_since: Duration,
}

impl Peer {
    pub(crate) fn new(seat: usize, wall: u64) -> Self {
        Self {
            seat,
            address: format!("10.0.0.{}", seat + 1).parse().unwrap(),
            name: format!("user{seat}").parse().unwrap(),
            registered: false,
            wall,
            run: 0,
            blocks: BTreeSet::new(),
            calls: Vec::new(),
            last_call: None,
            front: View::default(),
            unanswered: BTreeMap::new(),
            ended: None,
            running: None,
            is_dark: false,
        }
    }

    pub(crate) fn password(&self) -> Passphrase {
        "secret".parse().unwrap()
    }

    pub(crate) fn process(&self) -> Process {
        Process {
            seat: self.seat,
            run: self.run,
        }
    }

    /// Starts the program, with the wall clock as it is: with a new front end, or with that of
    /// the program that has ended, and the records of it.
    pub(crate) fn begin(
        &mut self,
        origin: Duration,
        book: Book,
        begin: impl FnOnce(Clocks) -> Machine,
    ) {
        let clocks = Clocks {
            origin,
            wall: self.wall,
        };
        self.is_dark = false;
        self.running = Some(Running {
            machine: begin(clocks),
            view: self.front.clone(),
            book,
            clocks,
            planned: None,
            link: None,
            nap: None,
            awake_since: Duration::ZERO,
        });
    }

    /// What a process goes on with that is to take over.
    pub(crate) fn resumed_view(&self) -> View {
        let mut view = View {
            link: Link::default(),
            incoming: None,
            outgoing: Vec::new(),
            undo: None,
            dropped: Vec::new(),
            findings: None,
            blocked: self.blocked_by(self.front.account),
            ..self.front.clone()
        };
        view.end_sending();
        view
    }

    fn blocked_by(&self, account: Option<Username>) -> Vec<Target> {
        let own = self.blocks.iter().filter(|(of, _)| Some(*of) == account);
        own.map(|(_, who)| *who).collect()
    }

    /// The records of the process that has ended.
    pub(crate) fn take_ended(&mut self) -> Book {
        self.ended.take().unwrap_or_default()
    }

    pub(crate) fn is_up(&self) -> bool {
        self.running.is_some()
    }

    pub(crate) fn is_process(&self, process: Process) -> bool {
        self.is_up() && self.process() == process
    }

    /// Whether the host is switched off.
    pub(crate) fn is_dark(&self) -> bool {
        self.is_dark
    }

    pub(crate) fn running(&self) -> Option<&Running> {
        self.running.as_ref()
    }

    pub(crate) fn running_mut(&mut self) -> Option<&mut Running> {
        self.running.as_mut()
    }

    /// The process dies, with its host if no caller is to notice. Returns what its user was
    /// told until then.
    pub(crate) fn stop(&mut self, silently: bool) -> Totals {
        self.run += 1;
        self.is_dark = silently;
        self.ended = self.running.take().map(|running| running.book);
        let totals = self.ended.as_ref().map(|book| book.totals);
        totals.unwrap_or_default()
    }

    /// The user's wall-clock time when the world began.
    pub(crate) fn wall(&self) -> u64 {
        self.wall
    }

    /// Sets the wall clock: to what it would have shown when the world began.
    pub(crate) fn set_wall(&mut self, wall: u64) {
        self.wall = wall;
        if let Some(running) = &mut self.running {
            running.clocks.wall = wall;
        }
    }

    pub(crate) fn link(&self) -> Option<usize> {
        self.running.as_ref().and_then(|running| running.link)
    }

    pub(crate) fn set_link(&mut self, link: Option<usize>) {
        if let Some(running) = &mut self.running {
            running.link = link;
        }
    }
}
