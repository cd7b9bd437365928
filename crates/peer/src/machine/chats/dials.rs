//! When which device is dialled: as soon as it is online, if one's own key is the smaller of the
//! two, otherwise after 2 s, so that two do not dial each other at once.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use p2pchat_model::Username;
use p2pchat_protocol::v2::registry::Endpoint;
use p2pchat_protocol::v2::{DeviceId, DeviceKey};

use super::super::directory::Directory;

/// How long the device with the greater key waits for the other one to dial.
const COURTESY: Duration = Duration::from_secs(2);
/// The first and the longest time before a device is dialled again.
const BACKOFF: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(60)];
/// How many devices are dialled at a time: a handshake takes both sides a millisecond.
const MAX_AT_ONCE: usize = 32;
/// How many people's devices are remembered.
const MAX_PEOPLE: usize = 10_000;

/// The devices that there is to be a session with.
#[derive(Debug, Default)]
pub(super) struct Dials {
    own: Option<DeviceKey>,
    /// The devices of people, as the registry vouches for them.
    devices: BTreeMap<Username, Vec<DeviceKey>>,
    dials: BTreeMap<DeviceKey, Dial>,
    connected: BTreeSet<DeviceKey>,
    /// Who is online, or who is in the conversations, has changed.
    pub(super) is_stale: bool,
}

#[derive(Debug, Clone, Copy)]
struct Dial {
    endpoint: Endpoint,
    state: State,
    /// How often it was not reached since it has come.
    failures: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Due(Duration),
    Dialling,
}

impl Dials {
    /// A session at the registry has begun, with this device.
    pub(super) fn begin(&mut self, own: DeviceKey) {
        self.own = Some(own);
        self.is_stale = true;
    }

    pub(super) fn learn(&mut self, name: Username, devices: Vec<DeviceKey>) {
        if self.devices.len() < MAX_PEOPLE || self.devices.contains_key(&name) {
            self.is_stale |= self.devices.insert(name, devices.clone()) != Some(devices);
        }
    }

    /// Sets whose devices are to be dialled. The names of which one is online that is not known.
    pub(super) fn want(
        &mut self,
        now: Duration,
        directory: &Directory,
        names: &BTreeSet<Username>,
    ) -> Vec<Username> {
        let mut unknown = Vec::new();
        let mut online = BTreeMap::new();
        for name in names {
            for (id, endpoint) in directory.devices_of(*name) {
                match self.device(*name, id) {
                    Some(device) if Some(device) == self.own => {}
                    Some(device) => drop(online.insert(device, endpoint)),
                    None => unknown.push(*name),
                }
            }
        }
        self.dials.retain(|device, _| online.contains_key(device));
        for (device, endpoint) in online {
            let is_same = |dial: &Dial| dial.endpoint == endpoint;
            if !self.dials.get(&device).is_some_and(is_same) {
                let state = State::Due(now + self.courtesy(device));
                let dial = Dial {
                    endpoint,
                    state,
                    failures: 0,
                };
                self.dials.insert(device, dial);
            }
        }
        unknown.dedup();
        unknown
    }

    fn device(&self, name: Username, id: DeviceId) -> Option<DeviceKey> {
        let devices = self.devices.get(&name)?;
        devices.iter().find(|device| device.id() == id).copied()
    }

    fn courtesy(&self, device: DeviceKey) -> Duration {
        if self.own < Some(device) {
            Duration::ZERO
        } else {
            COURTESY
        }
    }

    fn dialling(&self) -> usize {
        let dials = self.dials.values();
        dials.filter(|dial| dial.state == State::Dialling).count()
    }

    /// The devices to dial now.
    pub(super) fn due(&mut self, now: Duration) -> Vec<(SocketAddr, DeviceKey)> {
        let room = MAX_AT_ONCE.saturating_sub(self.dialling());
        let connected = &self.connected;
        let due = self.dials.iter_mut().filter(|(device, dial)| {
            !connected.contains(device) && matches!(dial.state, State::Due(at) if at <= now)
        });
        let dial = |(device, dial): (&DeviceKey, &mut Dial)| {
            dial.state = State::Dialling;
            let Endpoint { address, port } = dial.endpoint;
            ((address.ip(), port).into(), *device)
        };
        due.take(room).map(dial).collect()
    }

    pub(super) fn connected(&mut self, device: DeviceKey) {
        self.connected.insert(device);
        if let Some(dial) = self.dials.get_mut(&device) {
            dial.failures = 0;
            dial.state = State::Due(Duration::ZERO);
        }
    }

    pub(super) fn disconnected(&mut self, now: Duration, device: DeviceKey) {
        self.connected.remove(&device);
        self.retry(now, device);
    }

    pub(super) fn not_reached(&mut self, now: Duration, device: DeviceKey) {
        self.retry(now, device);
    }

    fn retry(&mut self, now: Duration, device: DeviceKey) {
        let courtesy = self.courtesy(device);
        if let Some(dial) = self.dials.get_mut(&device) {
            let backoff = BACKOFF[0].saturating_mul(2_u32.saturating_pow(dial.failures));
            dial.failures += 1;
            dial.state = State::Due(now + backoff.min(BACKOFF[1]) + courtesy);
        }
    }

    /// When the next is due. While as many are dialled as can be, one of them ends first.
    pub(super) fn deadline(&self) -> Option<Duration> {
        if self.dialling() >= MAX_AT_ONCE {
            return None;
        }
        let waiting = self.dials.iter();
        let waiting = waiting.filter(|(device, _)| !self.connected.contains(device));
        let due = waiting.filter_map(|(_, dial)| match dial.state {
            State::Due(at) => Some(at),
            State::Dialling => None,
        });
        due.min()
    }
}
