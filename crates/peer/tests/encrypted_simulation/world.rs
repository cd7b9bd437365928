//! Time, lines that break, faults, and the checks.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use p2pchat_model::{Command, Event, Link, Timestamp};
use p2pchat_peer::KnownFile;
use p2pchat_peer::machine::{Input, Now, Output, ToJournal, Work, WorkResult};
use p2pchat_protocol::v2::{FromRegistry, ToRegistry};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::registry::{Line, Registry};
use crate::user::User;

/// Users, and persons: some have two devices.
const USERS: u8 = 5;
const PERSONS: u8 = 3;
/// How long faults happen, and how long it may take until all is well again.
const FAULTS: Duration = Duration::from_secs(600);
const CALM: Duration = Duration::from_secs(300);

/// What is made wrong, for a check to notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sabotage {
    LoseDeltas,
    SendPasswordTwice,
    ForgetPins,
    ConnectAgain,
    ListTwice,
}

/// What is on its way, in the order of time.
#[derive(Debug)]
enum Parcel {
    Up(Line),
    ToRegistry(Line, ToRegistry),
    FromRegistry(Line, FromRegistry),
    /// The machine at the end of a line, or the registry, notices that it is broken.
    LostByUser(Line),
    LostByRegistry(Line),
    OtherKey(usize),
    Refused(usize),
    WorkDone(usize, p2pchat_peer::machine::SendId, Work),
}

/// See the module.
pub(crate) struct World {
    rng: ChaCha8Rng,
    now: Duration,
    registry: Registry,
    users: Vec<User>,
    parcels: BTreeMap<(Duration, u64), Parcel>,
    posted: u64,
    /// When the last parcel of a line arrives, each way: they come in order.
    last: BTreeMap<(Line, bool), Duration>,
    owners: BTreeMap<Line, usize>,
    broken: BTreeSet<Line>,
    lines: Line,
    keys: u8,
    is_refusing: bool,
    sabotage: Option<Sabotage>,
    pub(crate) faults: BTreeMap<&'static str, usize>,
}

impl World {
    pub(crate) fn new(seed: u64, sabotage: Option<Sabotage>) -> Self {
        let mut world = Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            now: Duration::from_secs(1),
            registry: Registry::new(),
            users: Vec::new(),
            parcels: BTreeMap::new(),
            posted: 0,
            last: BTreeMap::new(),
            owners: BTreeMap::new(),
            broken: BTreeSet::new(),
            lines: 0,
            keys: 0,
            is_refusing: false,
            sabotage,
            faults: BTreeMap::new(),
        };
        let now = world.time();
        world.users = (0..USERS)
            .map(|number| User::new(number, number % PERSONS, now))
            .collect();
        world
    }

    fn time(&self) -> Now {
        let millis = u64::try_from(self.now.as_millis()).unwrap();
        Now {
            elapsed: self.now,
            wall: Timestamp(1_790_000_000_000 + millis),
        }
    }

    pub(crate) fn run(&mut self) -> Result<(), String> {
        for at in 0..self.users.len() {
            self.pump(at)?;
            let user = &mut self.users[at];
            user.given += 1;
            let command = Command::register(user.name, user.password());
            self.input(at, Input::Command(User::call(command)))?;
        }
        let end = self.now + FAULTS;
        while self.now < end {
            let pause = Duration::from_millis(self.rng.random_range(50..20_000));
            self.advance(pause)?;
            self.fault()?;
        }
        self.is_refusing = false;
        for at in 0..self.users.len() {
            let name = self.users[at].name;
            self.registry.admit_devices(name);
        }
        let end = self.now + CALM;
        while self.now < end {
            self.advance(Duration::from_secs(20))?;
            for at in 0..self.users.len() {
                self.help(at)?;
            }
        }
        self.advance(Duration::from_secs(30))?;
        self.check_lists()
    }

    /// What a user does who sees that they are not signed in, or have to decide.
    fn help(&mut self, at: usize) -> Result<(), String> {
        let user = &mut self.users[at];
        let command = match user.view.link {
            Link::KeyChanged { seen, .. } => {
                user.is_stopped = false;
                Command::TrustRegistry { fingerprint: seen }
            }
            Link::Up if user.view.account.is_none() => {
                user.given += 1;
                let (name, password) = (user.name, user.password());
                if self.registry.has_account(name) {
                    Command::login(name, password)
                } else {
                    Command::register(name, password)
                }
            }
            _ => return Ok(()),
        };
        self.input(at, Input::Command(User::call(command)))
    }

    fn fault(&mut self) -> Result<(), String> {
        let at = self.rng.random_range(0..self.users.len());
        let fault = match self.rng.random_range(0..16) {
            0..=3 => {
                if let Some(line) = self.users[at].line {
                    self.break_line(line);
                }
                "a line breaks"
            }
            4 => {
                self.drop_line(at);
                let now = self.time();
                self.users[at].restart(now);
                self.pump(at)?;
                "a process is killed"
            }
            5 => {
                self.drop_line(at);
                let now = self.time();
                self.users[at].take_over(now);
                self.pump(at)?;
                "a process is taken over"
            }
            6 => {
                let user = &self.users[at];
                let device = user.certificate.device.id();
                self.registry.forget_devices(user.name, device);
                self.send_out()?;
                "a device is forgotten"
            }
            7 => {
                self.registry.reset_key(self.users[at].name);
                self.send_out()?;
                "a key is reset"
            }
            8 => {
                self.keys += 1;
                for line in self.registry.change_key(self.keys) {
                    self.break_line(line);
                }
                "the registry has another key"
            }
            9 => {
                self.is_refusing = !self.is_refusing;
                "the registry refuses connections"
            }
            10..=12 => {
                let command = match self.rng.random_range(0..5) {
                    0 => Command::Logout,
                    1 => Command::Busy { on: true },
                    2 => Command::Busy { on: false },
                    3 => Command::Away {
                        on: self.rng.random_bool(0.5),
                    },
                    _ => Command::DisplayName {
                        display_name: "Some Name".parse().unwrap(),
                    },
                };
                self.input(at, Input::Command(User::call(command)))?;
                "a user does something"
            }
            _ => {
                self.help(at)?;
                "a user signs in"
            }
        };
        *self.faults.entry(fault).or_default() += 1;
        Ok(())
    }

    /// Both ends notice later that a line is broken, each at its own time.
    fn break_line(&mut self, line: Line) {
        if self.broken.insert(line) {
            let after = |rng: &mut ChaCha8Rng| Duration::from_millis(rng.random_range(0..40_000));
            let at = self.now + after(&mut self.rng);
            self.post(at, Parcel::LostByUser(line));
            let at = self.now + after(&mut self.rng);
            self.post(at, Parcel::LostByRegistry(line));
        }
    }

    /// The user's end is gone at once.
    fn drop_line(&mut self, at: usize) {
        if let Some(line) = self.users[at].line.take() {
            self.owners.remove(&line);
            let at = self.now + Duration::from_millis(self.rng.random_range(0..1000));
            self.post(at, Parcel::LostByRegistry(line));
        }
    }

    fn post(&mut self, at: Duration, parcel: Parcel) {
        self.posted += 1;
        self.parcels.insert((at, self.posted), parcel);
    }

    /// Sends over a line, in order.
    fn send(&mut self, line: Line, is_up: bool, parcel: Parcel) {
        let at = self.now + Duration::from_millis(self.rng.random_range(1..300));
        let last = self.last.entry((line, is_up)).or_default();
        *last = at.max(*last);
        let at = *last;
        self.post(at, parcel);
    }

    fn send_out(&mut self) -> Result<(), String> {
        for (line, frame) in std::mem::take(&mut self.registry.out) {
            let is_lost = matches!(frame, FromRegistry::Delta(_))
                && self.sabotage == Some(Sabotage::LoseDeltas);
            if !is_lost {
                self.send(line, false, Parcel::FromRegistry(line, frame));
            }
        }
        Ok(())
    }

    fn advance(&mut self, by: Duration) -> Result<(), String> {
        let end = self.now + by;
        loop {
            let parcel = self.parcels.first_key_value().map(|((at, _), _)| *at);
            let users = self.users.iter().enumerate();
            let timer = users.filter_map(|(at, user)| Some((user.machine.deadline()?, at)));
            let timer = timer.min();
            match (parcel, timer) {
                (Some(at), timer) if at <= end && timer.is_none_or(|(due, _)| at <= due) => {
                    self.now = self.now.max(at);
                    let (_, parcel) = self.parcels.pop_first().unwrap();
                    self.deliver(parcel)?;
                }
                (_, Some((due, at))) if due <= end => {
                    self.now = self.now.max(due);
                    self.input(at, Input::Timer)?;
                }
                _ => break,
            }
        }
        self.now = end;
        Ok(())
    }

    fn deliver(&mut self, parcel: Parcel) -> Result<(), String> {
        match parcel {
            Parcel::Up(line) => {
                let Some(&at) = self.owners.get(&line) else {
                    return Ok(());
                };
                self.registry.accept(line, self.users[at].address);
                let fingerprint = self.registry.key;
                self.input(
                    at,
                    Input::Welcome {
                        fingerprint,
                        time: 0,
                    },
                )?;
            }
            Parcel::ToRegistry(line, _) | Parcel::FromRegistry(line, _)
                if self.broken.contains(&line) => {}
            Parcel::ToRegistry(line, request) => {
                self.registry.handle(line, request);
                self.send_out()?;
            }
            Parcel::FromRegistry(line, frame) => {
                if let Some(&at) = self.owners.get(&line) {
                    self.input(at, Input::Frame(frame))?;
                }
            }
            Parcel::LostByUser(line) => {
                if let Some(at) = self.owners.remove(&line) {
                    self.users[at].line = None;
                    let reason = "the line broke".to_owned();
                    self.input(at, Input::RegistryDown { reason })?;
                }
            }
            Parcel::LostByRegistry(line) => {
                self.broken.insert(line);
                self.registry.lose(line);
                self.send_out()?;
            }
            Parcel::OtherKey(at) => {
                self.users[at].is_stopped = true;
                let seen = self.registry.key;
                self.input(at, Input::OtherKey { seen })?;
                if self.sabotage == Some(Sabotage::ConnectAgain) {
                    let expected = Some(seen);
                    self.carry_out(at, Output::ConnectEncrypted { expected })?;
                }
            }
            Parcel::Refused(at) => {
                let reason = "nothing answers".to_owned();
                self.input(at, Input::RegistryDown { reason })?;
            }
            Parcel::WorkDone(at, id, work) => {
                let result = match work {
                    Work::Code(person) => {
                        let code = format!("{:020}", person.0.0[0]).parse().unwrap();
                        WorkResult::Code(code)
                    }
                    _ => WorkResult::Failed,
                };
                self.input(at, Input::WorkDone { id, result })?;
            }
        }
        Ok(())
    }

    fn input(&mut self, at: usize, input: Input) -> Result<(), String> {
        let now = self.time();
        self.users[at].machine.handle(now, input);
        self.pump(at)
    }

    fn pump(&mut self, at: usize) -> Result<(), String> {
        let mut outputs = VecDeque::new();
        while let Some(output) = self.users[at].machine.output() {
            outputs.push_back(output);
        }
        for output in outputs {
            self.carry_out(at, output)?;
        }
        for usage in self.users[at].machine.usage() {
            if usage.count > usage.limit {
                return Err(format!("too much: {usage:?}"));
            }
        }
        Ok(())
    }

    fn carry_out(&mut self, at: usize, output: Output) -> Result<(), String> {
        match output {
            Output::ConnectEncrypted { expected } => {
                if self.users[at].is_stopped {
                    return Err(format!("user {at} connects after another key was seen"));
                }
                self.drop_line(at);
                let soon = self.now + Duration::from_millis(self.rng.random_range(1..500));
                if self.is_refusing {
                    self.post(soon, Parcel::Refused(at));
                } else if expected.is_some_and(|expected| expected != self.registry.key) {
                    self.post(soon, Parcel::OtherKey(at));
                } else {
                    self.lines += 1;
                    self.owners.insert(self.lines, at);
                    self.users[at].line = Some(self.lines);
                    self.send(self.lines, false, Parcel::Up(self.lines));
                }
            }
            Output::DisconnectRegistry => self.drop_line(at),
            Output::Send(request) => self.check_and_send(at, request)?,
            Output::Work { id, work } => {
                let soon = self.now + Duration::from_millis(100);
                self.post(soon, Parcel::WorkDone(at, id, work));
            }
            Output::Chats(_) => {}
            Output::Journal(ToJournal::Keep { .. })
                if self.sabotage == Some(Sabotage::ForgetPins) => {}
            Output::Journal(ToJournal::Keep { file, text }) => {
                self.users[at].disk.insert(file, text);
            }
            Output::Event { event, .. } => self.check_event(at, &event)?,
            Output::ConnectRegistry | Output::Ask(_) | Output::Hello(_) => {
                return Err("version 1 is spoken".to_owned());
            }
            _ => {}
        }
        Ok(())
    }

    fn check_and_send(&mut self, at: usize, request: ToRegistry) -> Result<(), String> {
        let user = &mut self.users[at];
        let line = user.line.ok_or("a request without a line")?;
        let has_password = match &request {
            ToRegistry::SignUp(_) => true,
            ToRegistry::SignIn(sign_in) => sign_in.password.is_some(),
            _ => false,
        };
        if has_password {
            user.sent += 1;
            if self.sabotage == Some(Sabotage::SendPasswordTwice) {
                user.sent += 1;
            }
            if user.sent > user.given {
                return Err(format!(
                    "user {at} sends a password more often than it was given"
                ));
            }
            let pins = user.disk.get(&KnownFile::Registries);
            let key = self.registry.key.to_string();
            if !self.broken.contains(&line) && !pins.is_some_and(|pins| pins.contains(&key)) {
                return Err("a password goes to a key that is not pinned".to_owned());
            }
        }
        self.send(line, true, Parcel::ToRegistry(line, request));
        Ok(())
    }

    fn check_event(&mut self, at: usize, event: &Event) -> Result<(), String> {
        let user = &mut self.users[at];
        match event {
            Event::Online { .. } => {
                let again = user.has_list || self.sabotage == Some(Sabotage::ListTwice);
                if again {
                    return Err(format!("user {at} gets the whole list again"));
                }
                user.has_list = true;
            }
            Event::LoggedOut { .. } => user.has_list = false,
            Event::Link(Link::PasswordNeeded) => {
                return Err("a password is needed where there is a key".to_owned());
            }
            _ => {}
        }
        user.view.apply(event);
        Ok(())
    }

    fn check_lists(&self) -> Result<(), String> {
        let list = self.registry.list();
        for (at, user) in self.users.iter().enumerate() {
            if user.view.link != Link::Up || user.view.account != Some(user.name) {
                let (link, account) = (&user.view.link, user.view.account);
                return Err(format!("user {at} is not signed in: {link:?}, {account:?}"));
            }
            let seen = user.view.online.iter();
            let seen: BTreeMap<_, _> = seen.map(|seen| (seen.name, seen)).collect();
            let is_same = seen.len() == list.len()
                && list.iter().all(|(name, (addresses, status))| {
                    seen.get(name).is_some_and(|seen| {
                        addresses.contains(&seen.address) && seen.status == *status
                    })
                });
            if !is_same {
                return Err(format!(
                    "user {at} sees another list: {seen:?}, not {list:?}"
                ));
            }
            let device = Some(user.certificate.device.id());
            let mut online = self.registry.online.keys();
            if !online.any(|seat| seat.name == user.name && seat.device == device) {
                return Err(format!("user {at} believes to be online"));
            }
        }
        Ok(())
    }
}
