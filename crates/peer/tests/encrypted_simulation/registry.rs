//! A registry of version 2 as small as can be.

use std::collections::{BTreeMap, BTreeSet};

use p2pchat_model::Username;
use p2pchat_protocol::PeerAddr;
use p2pchat_protocol::v2::{
    Binding, DeviceId, DisplayName, Endpoint, Fingerprint, FromRegistry, Goodbye, Passphrase,
    PersonKey, Refusal, Seat, SeatState, SeatUpdate, SignIn, SignedIn, Status, ToRegistry,
};

/// A connection; each has a number of its own.
pub(crate) type Line = u64;

#[derive(Debug, Default)]
struct Account {
    password: Option<Passphrase>,
    person: Option<PersonKey>,
    serial: u64,
    display_name: DisplayName,
    forgotten: BTreeSet<DeviceId>,
}

/// An account and its name.
type Entry<'a> = (&'a Username, &'a Account);

#[derive(Debug)]
struct Session {
    address: PeerAddr,
    seat: Option<Seat>,
    is_subscribed: bool,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Registry {
    pub(crate) key: Fingerprint,
    accounts: BTreeMap<Username, Account>,
    sessions: BTreeMap<Line, Session>,
    pub(crate) online: BTreeMap<Seat, SeatState>,
    /// What is to be sent.
    pub(crate) out: Vec<(Line, FromRegistry)>,
}

impl Registry {
    pub(crate) fn new() -> Self {
        Self {
            key: key(0),
            accounts: BTreeMap::new(),
            sessions: BTreeMap::new(),
            online: BTreeMap::new(),
            out: Vec::new(),
        }
    }

    pub(crate) fn has_account(&self, name: Username) -> bool {
        self.accounts.contains_key(&name)
    }

    pub(crate) fn accept(&mut self, line: Line, address: PeerAddr) {
        let session = Session {
            address,
            seat: None,
            is_subscribed: false,
        };
        self.sessions.insert(line, session);
    }

    /// The connection is closed, or was silent for too long.
    pub(crate) fn lose(&mut self, line: Line) {
        if let Some(Session {
            seat: Some(seat), ..
        }) = self.sessions.remove(&line)
        {
            self.set(seat, None);
        }
    }

    /// An operator removes the devices of an account.
    pub(crate) fn forget_devices(&mut self, name: Username, device: DeviceId) {
        let Some(account) = self.accounts.get_mut(&name) else {
            return;
        };
        account.forgotten.insert(device);
        account.serial += 1;
        let device = Some(device);
        self.end_sessions(|seat| *seat == Seat { name, device });
    }

    /// An operator lets a device in again.
    pub(crate) fn admit_devices(&mut self, name: Username) {
        if let Some(account) = self.accounts.get_mut(&name) {
            account.forgotten.clear();
        }
    }

    /// An operator resets the key of an account.
    pub(crate) fn reset_key(&mut self, name: Username) {
        let Some(account) = self.accounts.get_mut(&name) else {
            return;
        };
        account.person = None;
        account.serial += 1;
        self.end_sessions(|seat| seat.name == name);
    }

    fn end_sessions(&mut self, which: impl Fn(&Seat) -> bool) {
        let ended = self.sessions.iter();
        let ended = ended.filter(|(_, session)| session.seat.as_ref().is_some_and(&which));
        let ended: Vec<Line> = ended.map(|(line, _)| *line).collect();
        for line in ended {
            self.say_goodbye(line, Goodbye::AccessChanged);
        }
    }

    fn say_goodbye(&mut self, line: Line, why: Goodbye) {
        self.out.push((line, FromRegistry::Goodbye(why)));
        self.lose(line);
    }

    /// All connections break, and the key is another one.
    pub(crate) fn change_key(&mut self, number: u8) -> Vec<Line> {
        self.key = key(number);
        let lines: Vec<Line> = self.sessions.keys().copied().collect();
        lines.iter().for_each(|line| self.lose(*line));
        self.out.clear();
        lines
    }

    pub(crate) fn handle(&mut self, line: Line, request: ToRegistry) {
        if self.sessions.contains_key(&line) {
            let answer = self.answer(line, request);
            self.out.push((line, answer.0));
            self.out.extend(answer.1.map(|snapshot| (line, snapshot)));
        }
    }

    fn answer(&mut self, line: Line, request: ToRegistry) -> (FromRegistry, Option<FromRegistry>) {
        let session = self.sessions.get_mut(&line).unwrap();
        let seat = session.seat;
        let refused = |why| (FromRegistry::Refused(why), None);
        let done = (FromRegistry::Done, None);
        match request {
            ToRegistry::SignUp(sign_up) => {
                let account = self.accounts.entry(sign_up.name).or_default();
                if account.password.is_some() {
                    return refused(Refusal::NameTaken);
                }
                account.password = Some(sign_up.password);
                account.person = Some(sign_up.certificate.person);
                account.serial += 1;
                account.display_name = sign_up.display_name;
                done
            }
            ToRegistry::SignIn(sign_in) => match self.sign_in(line, &sign_in) {
                Ok(signed_in) => (FromRegistry::SignedIn(signed_in), None),
                Err(why) => refused(why),
            },
            ToRegistry::Ping => (FromRegistry::Pong, None),
            ToRegistry::Lookup(name) => (self.look_up(|(at, _)| *at == &name), None),
            ToRegistry::LookupKey(person) => {
                let is_of_person = |(_, account): &Entry<'_>| account.person == Some(person);
                (self.look_up(is_of_person), None)
            }
            request => {
                let Some(seat) = seat else {
                    return refused(Refusal::NotSignedIn);
                };
                match request {
                    ToRegistry::Subscribe => {
                        session.is_subscribed = true;
                        let users = self.online.iter();
                        let users = users.map(|(seat, state)| (*seat, Some(*state)));
                        let snapshot = FromRegistry::Snapshot {
                            users: users.collect(),
                            begins: true,
                            ends: true,
                        };
                        (FromRegistry::Done, Some(snapshot))
                    }
                    ToRegistry::SetStatus(status) => {
                        let state = self.online[&seat];
                        self.set(seat, Some(SeatState { status, ..state }));
                        done
                    }
                    ToRegistry::SetDisplayName(display_name) => {
                        let account = self.accounts.get_mut(&seat.name).unwrap();
                        account.display_name = display_name;
                        account.serial += 1;
                        let serial = account.serial;
                        let of_name = |at: &&Seat| at.name == seat.name;
                        let seats: Vec<Seat> =
                            self.online.keys().filter(of_name).copied().collect();
                        for at in seats {
                            let state = SeatState {
                                display_name: Some(display_name),
                                serial,
                                ..self.online[&at]
                            };
                            self.set(at, Some(state));
                        }
                        done
                    }
                    ToRegistry::SignOut => {
                        session.seat = None;
                        session.is_subscribed = false;
                        self.set(seat, None);
                        done
                    }
                    _ => done,
                }
            }
        }
    }

    /// The binding of the first account that it is for.
    fn look_up(&self, is_asked_for: impl Fn(&Entry<'_>) -> bool) -> FromRegistry {
        match self.accounts.iter().find(is_asked_for) {
            Some((name, account)) if account.serial > 0 => FromRegistry::Found(Binding {
                name: *name,
                serial: account.serial,
                person: account.person,
                display_name: account.display_name,
                devices: Vec::new(),
            }),
            _ => FromRegistry::Refused(Refusal::NotFound),
        }
    }

    fn sign_in(&mut self, line: Line, sign_in: &SignIn) -> Result<SignedIn, Refusal> {
        let account = self.accounts.get_mut(&sign_in.name);
        let account = account.ok_or(Refusal::WrongCredentials)?;
        let device = sign_in.certificate.device.id();
        match account.person {
            Some(person) if person != sign_in.certificate.person => {
                return Err(Refusal::OtherPerson);
            }
            Some(_) if account.forgotten.contains(&device) => {
                return Err(Refusal::DeviceForgotten);
            }
            Some(_) => {}
            None if sign_in.password.is_none() => return Err(Refusal::PasswordNeeded),
            None if sign_in.password != account.password => {
                return Err(Refusal::WrongCredentials);
            }
            None => {
                account.person = Some(sign_in.certificate.person);
                account.serial += 1;
            }
        }
        let (serial, display_name) = (account.serial, account.display_name);
        let seat = Seat {
            name: sign_in.name,
            device: Some(device),
        };
        let session = self.sessions.get_mut(&line).unwrap();
        if session.seat.is_some() {
            return Err(Refusal::AlreadySignedIn);
        }
        let address = session.address;
        let state = SeatState {
            endpoint: Endpoint {
                address,
                port: sign_in.port,
            },
            version_1: sign_in.version_1,
            status: sign_in.status,
            serial,
            display_name: Some(display_name),
        };
        let before = self.sessions.iter();
        let before = before.filter(|(_, session)| session.seat == Some(seat));
        let before: Vec<Line> = before.map(|(line, _)| *line).collect();
        for replaced in before {
            self.say_goodbye(replaced, Goodbye::Replaced);
        }
        self.sessions.get_mut(&line).unwrap().seat = Some(seat);
        self.set(seat, Some(state));
        Ok(SignedIn {
            serial,
            display_name,
            address,
            allows_version_1: false,
        })
    }

    fn set(&mut self, seat: Seat, state: Option<SeatState>) {
        match state {
            Some(state) => drop(self.online.insert(seat, state)),
            None => drop(self.online.remove(&seat)),
        }
        let update: SeatUpdate = (seat, state);
        let subscribers = self.sessions.iter();
        let subscribers = subscribers.filter(|(_, session)| session.is_subscribed);
        let deltas = subscribers.map(|(line, _)| (*line, FromRegistry::Delta(vec![update])));
        self.out.extend(deltas);
    }

    /// Who is online: where, and with which status.
    pub(crate) fn list(&self) -> BTreeMap<Username, (Vec<PeerAddr>, Status)> {
        let mut list = BTreeMap::new();
        for (seat, state) in &self.online {
            let (addresses, status) = list.entry(seat.name).or_insert((Vec::new(), state.status));
            addresses.push(state.endpoint.address);
            *status = state.status.min(*status);
        }
        list
    }
}

pub(crate) fn key(number: u8) -> Fingerprint {
    let letter = char::from(b'A' + number % 26);
    letter.to_string().repeat(Fingerprint::LEN).parse().unwrap()
}
