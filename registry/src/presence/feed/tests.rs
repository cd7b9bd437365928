//! What subscribers are told, and what they cost.

use p2pchat_protocol::v2::{DeviceId, Endpoint, FrameDecoder, Status};

use super::*;
use crate::presence::version_1;

const ONCE: Duration = Duration::from_secs(1);

/// A presence, its publisher, and its time.
struct Site {
    presence: Presence,
    publisher: Publisher,
    now: Duration,
}

/// What a subscriber knows, as a client would keep it.
#[derive(Debug, Default, PartialEq)]
struct View {
    users: BTreeMap<Seat, SeatState>,
    is_whole: bool,
    snapshots: usize,
    deltas: usize,
    bytes: usize,
}

impl Site {
    fn new() -> Self {
        let presence = Presence::new(Duration::from_secs(60));
        let publisher = Publisher::new(presence.feed());
        let now = Duration::from_secs(100);
        Self {
            presence,
            publisher,
            now,
        }
    }

    /// Lets the publisher do all that is due until `wait` has passed.
    fn wait(&mut self, wait: Duration) {
        let end = self.now + wait;
        while let Some(next) = self.publisher.turn(&self.presence, self.now)
            && next <= end
        {
            self.now = self.now.max(next);
        }
        self.now = end;
        self.publisher.turn(&self.presence, self.now);
    }

    fn sign_in(&self, number: u32) -> Seat {
        self.presence.sign_in(seat(number), state(1), self.now);
        seat(number)
    }

    fn reads(&mut self, subscription: &mut Subscription, view: &mut View) {
        loop {
            while let Some(frames) = subscription.try_next() {
                view.take(&frames);
            }
            self.publisher.turn(&self.presence, self.now);
            match subscription.try_next() {
                Some(frames) => view.take(&frames),
                None => return,
            }
        }
    }

    /// Who is online.
    fn truth(&self) -> BTreeMap<Seat, SeatState> {
        self.presence.all_listed()
    }
}

impl View {
    fn take(&mut self, mut frames: &[u8]) {
        self.bytes += frames.len();
        self.deltas += 1;
        let mut decoder = FrameDecoder::default();
        while let Some(frame) = decoder.next(&mut frames, 64 * 1024).unwrap() {
            match FromRegistry::decode(&frame).unwrap().unwrap() {
                FromRegistry::Snapshot {
                    users,
                    begins,
                    ends,
                } => {
                    self.deltas = 0;
                    if begins {
                        self.users.clear();
                        self.snapshots += 1;
                    }
                    self.is_whole = ends;
                    users.into_iter().for_each(|user| self.change(user));
                }
                FromRegistry::Delta(users) => {
                    assert!(self.is_whole, "a delta within a snapshot");
                    users.into_iter().for_each(|user| self.change(user));
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn change(&mut self, (seat, state): SeatUpdate) {
        let before = match state {
            Some(state) => self.users.insert(seat, state),
            None => self.users.remove(&seat),
        };
        // Left out where it is known.
        if let (Some(before), Some(now)) = (before, self.users.get_mut(&seat))
            && now.display_name.is_none()
            && before.serial == now.serial
        {
            now.display_name = before.display_name;
        }
    }
}

fn seat(number: u32) -> Seat {
    Seat {
        name: format!("u{number}").parse().unwrap(),
        device: Some(DeviceId([1; 8])),
    }
}

fn state(serial: u64) -> SeatState {
    SeatState {
        endpoint: Endpoint {
            address: "10.0.0.1".parse().unwrap(),
            port: 5858,
        },
        version_1: true,
        status: Status::Available,
        serial,
        display_name: Some("Ann B.".parse().unwrap()),
    }
}

#[test]
fn a_subscriber_gets_a_snapshot_and_then_what_changes() {
    let mut site = Site::new();
    site.sign_in(1);
    let (mut ann, mut view) = (site.presence.feed().subscribe(), View::default());
    site.reads(&mut ann, &mut view);
    assert_eq!(view.users, site.truth());
    assert_eq!((view.snapshots, view.is_whole), (1, true));

    site.presence.login(
        "bob".parse().unwrap(),
        "10.0.0.2".parse().unwrap(),
        site.now,
    );
    site.reads(&mut ann, &mut view);
    assert_eq!(view.users.len(), 1, "it is gathered first");
    site.wait(INTERVAL);
    site.reads(&mut ann, &mut view);
    assert_eq!(view.users, site.truth());
    let bob = version_1::seat("bob".parse().unwrap());
    assert_eq!(view.users[&bob].endpoint.port, 5858);

    let (session, now) = (site.presence.session(seat(1)).unwrap(), site.now);
    site.presence.sign_out(seat(1), session, now);
    site.wait(INTERVAL);
    site.reads(&mut ann, &mut view);
    assert_eq!(view.users.len(), 1);
    assert_eq!((view.snapshots, view.deltas), (1, 2));
}

#[test]
fn nobody_online_is_a_snapshot_too() {
    let mut site = Site::new();
    let (mut ann, mut view) = (site.presence.feed().subscribe(), View::default());
    site.reads(&mut ann, &mut view);
    assert_eq!((view.snapshots, view.is_whole), (1, true));
}

#[test]
fn a_hundred_logins_in_a_burst_are_one_delta() {
    let mut site = Site::new();
    let (mut ann, mut view) = (site.presence.feed().subscribe(), View::default());
    site.reads(&mut ann, &mut view);
    for number in 0..100 {
        site.sign_in(number);
        site.wait(Duration::from_millis(2));
    }
    site.wait(INTERVAL);
    site.reads(&mut ann, &mut view);
    assert_eq!(view.users.len(), 100);
    assert_eq!((view.snapshots, view.deltas), (1, 1));
}

#[test]
fn a_change_alone_waits_for_less_but_not_sooner_than_a_quarter_of_a_second_after_the_last() {
    let mut site = Site::new();
    let (mut ann, mut view) = (site.presence.feed().subscribe(), View::default());
    site.reads(&mut ann, &mut view);
    site.sign_in(1);
    site.reads(&mut ann, &mut view);
    site.wait(LONE);
    site.reads(&mut ann, &mut view);
    assert_eq!((view.users.len(), view.deltas), (1, 1));

    site.sign_in(2);
    site.reads(&mut ann, &mut view);
    site.wait(INTERVAL - Duration::from_millis(1));
    site.reads(&mut ann, &mut view);
    assert_eq!((view.users.len(), view.deltas), (1, 1));
    site.wait(Duration::from_millis(1));
    site.reads(&mut ann, &mut view);
    assert_eq!((view.users.len(), view.deltas), (2, 2));
}

#[test]
fn there_are_at_most_four_deltas_a_second() {
    let mut site = Site::new();
    let (mut ann, mut view) = (site.presence.feed().subscribe(), View::default());
    site.reads(&mut ann, &mut view);
    for number in 0..1000 {
        site.sign_in(number);
        site.wait(Duration::from_millis(10));
        site.reads(&mut ann, &mut view);
    }
    assert!((30..=40).contains(&view.deltas), "{}", view.deltas);
}

#[test]
fn who_came_and_went_within_one_delta_is_not_told_of() {
    let mut site = Site::new();
    let (mut ann, mut view) = (site.presence.feed().subscribe(), View::default());
    site.reads(&mut ann, &mut view);
    let seat = site.sign_in(1);
    let session = site.presence.session(seat).unwrap();
    site.presence.sign_out(seat, session, site.now);
    site.wait(ONCE);
    site.reads(&mut ann, &mut view);
    assert_eq!(view.deltas, 0);
}

#[test]
fn a_display_name_is_told_again_only_with_another_serial() {
    let mut site = Site::new();
    let (mut ann, mut view) = (site.presence.feed().subscribe(), View::default());
    site.reads(&mut ann, &mut view);
    let seat = site.sign_in(1);
    site.wait(ONCE);
    site.reads(&mut ann, &mut view);
    let with_name = view.bytes;
    assert_eq!(view.users, site.truth());

    let session = site.presence.session(seat).unwrap();
    let busy = SeatState {
        status: Status::Busy,
        ..state(1)
    };
    assert!(site.presence.update(seat, session, busy, site.now));
    site.wait(ONCE);
    let name = "Ann B.".len();
    let mut without = View { bytes: 0, ..view };
    site.reads(&mut ann, &mut without);
    assert!(without.bytes + name < with_name, "{}", without.bytes);
    assert_eq!(without.users, site.truth());

    let renamed = SeatState {
        display_name: Some("Ann C.".parse().unwrap()),
        ..state(2)
    };
    assert!(site.presence.update(seat, session, renamed, site.now));
    site.wait(ONCE);
    site.reads(&mut ann, &mut without);
    assert_eq!(without.users, site.truth());
}

#[test]
fn a_subscriber_who_reads_nothing_costs_no_memory_and_gets_a_snapshot() {
    let mut site = Site::new();
    let (mut slow, mut view) = (site.presence.feed().subscribe(), View::default());
    site.reads(&mut slow, &mut view);
    for round in 0..20 * RING as u32 {
        site.sign_in(round % 3000);
        site.wait(INTERVAL);
    }
    let state = site.presence.feed().state();
    assert_eq!(state.ring.len(), RING);
    assert!(state.ring_bytes <= RING_BYTES);
    assert_eq!(state.snapshots.len(), 1, "nobody wants another one");
    drop(state);
    site.wait(ONCE);
    view.snapshots = 0;
    site.reads(&mut slow, &mut view);
    assert_eq!((view.snapshots, view.deltas), (1, 0));
    assert_eq!(view.users, site.truth());
}

#[test]
fn a_new_subscriber_gets_no_old_snapshot() {
    let mut site = Site::new();
    site.sign_in(1);
    let _first = site.presence.feed().subscribe();
    site.wait(100 * ONCE);
    let newcomer = |site: &mut Site| {
        let (mut new, mut view) = (site.presence.feed().subscribe(), View::default());
        site.reads(&mut new, &mut view);
        assert_eq!(view.users, site.truth());
        view.deltas
    };
    newcomer(&mut site);
    let snapshots = |site: &Site| site.presence.feed().state().snapshots.len();
    assert_eq!(snapshots(&site), 1, "nothing has changed since");
    for number in 2..5 {
        site.sign_in(number);
        site.wait(ONCE);
    }
    assert_eq!((newcomer(&mut site), snapshots(&site)), (0, 2));
    site.sign_in(5);
    site.wait(ONCE);
    assert_eq!((newcomer(&mut site), snapshots(&site)), (1, 2));
    site.sign_in(6);
    site.wait(FRESH);
    site.sign_in(7);
    site.wait(ONCE);
    assert_eq!((newcomer(&mut site), snapshots(&site)), (0, 3));
}

#[test]
fn large_deltas_are_kept_by_their_bytes() {
    let mut site = Site::new();
    let _slow = site.presence.feed().subscribe();
    site.wait(ONCE);
    for round in 0..8 {
        for number in 0..20_000 {
            let seat = Seat {
                device: Some(DeviceId([round; 8])),
                ..seat(number)
            };
            site.presence.sign_in(seat, state(1), site.now);
        }
        site.wait(ONCE);
        assert!(site.presence.feed().state().ring.len() <= 2);
    }
    assert_eq!(site.presence.feed().state().ring.len(), 1);
}

#[test]
fn a_snapshot_of_many_comes_in_frames_that_all_share() {
    let mut site = Site::new();
    for number in 0..2 * FromRegistry::USERS as u32 + 1 {
        site.sign_in(number);
    }
    let mut all = [(); 3].map(|()| (site.presence.feed().subscribe(), View::default()));
    let mut first = Vec::new();
    for (subscription, view) in &mut all {
        site.wait(ONCE);
        let frames: Vec<_> = std::iter::from_fn(|| {
            let frames = subscription.try_next();
            if frames.is_none() {
                site.publisher.turn(&site.presence, site.now);
                return subscription.try_next();
            }
            frames
        })
        .collect();
        assert_eq!(frames.len(), 3);
        frames.iter().for_each(|frames| view.take(frames));
        assert_eq!(view.users, site.truth());
        first.push(frames[0].clone());
    }
    assert!(first.iter().all(|frames| Arc::ptr_eq(frames, &first[0])));
}

#[test]
fn a_long_snapshot_is_made_again_only_after_five_times_as_long_as_it_takes() {
    let mut site = Site::new();
    let users = 2000;
    for number in 0..users {
        site.sign_in(number);
    }
    let _first = site.presence.feed().subscribe();
    site.wait(Duration::ZERO);
    let made = site.now;
    // The ring is full of other deltas at once, which no presence could do.
    for _ in 0..=RING {
        site.presence.feed().state().push(Arc::from([]));
    }
    let mut second = site.presence.feed().subscribe();
    assert!(second.try_next().is_none());
    let next = site.publisher.turn(&site.presence, site.now);
    assert_eq!(next, Some(made + AGE_PER_SEAT * users));
    assert!(second.try_next().is_none());
    site.wait(AGE_PER_SEAT * users);
    assert!(second.try_next().is_some());
}

#[test]
fn who_reads_a_snapshot_for_long_gets_all_of_it_or_begins_again() {
    let mut site = Site::new();
    for number in 0..3 * FromRegistry::USERS as u32 {
        site.sign_in(number);
    }
    let (mut slow, mut view) = (site.presence.feed().subscribe(), View::default());
    site.wait(ONCE);
    view.take(&slow.try_next().unwrap());
    // As many snapshots as are kept are made for others meanwhile.
    for _ in 0..SNAPSHOTS {
        for round in 0..=RING as u32 {
            site.sign_in(10_000 + round);
            let gone = site.sign_in(10_000 + round);
            let session = site.presence.session(gone).unwrap();
            site.wait(INTERVAL);
            site.presence.sign_out(gone, session, site.now);
            site.wait(INTERVAL);
        }
        let mut other = (site.presence.feed().subscribe(), View::default());
        site.reads(&mut other.0, &mut other.1);
        assert_eq!(other.1.users, site.truth());
    }
    site.reads(&mut slow, &mut view);
    assert_eq!((view.snapshots, view.users), (2, site.truth()));
}

#[test]
fn without_subscribers_nothing_is_marked_or_kept() {
    let mut site = Site::new();
    site.sign_in(1);
    assert!(site.presence.feed().marked().is_empty());
    assert_eq!(site.publisher.turn(&site.presence, site.now), None);

    let (mut ann, mut view) = (site.presence.feed().subscribe(), View::default());
    site.reads(&mut ann, &mut view);
    site.sign_in(2);
    drop(ann);
    site.sign_in(3);
    assert_eq!(site.publisher.turn(&site.presence, site.now), None);
    assert!(site.publisher.shown.is_empty());
    assert!(site.presence.feed().state().snapshots.is_empty());

    // Who comes next, before the publisher has noticed that all had gone.
    let (mut bob, mut view) = (site.presence.feed().subscribe(), View::default());
    site.reads(&mut bob, &mut view);
    drop(bob);
    site.sign_in(4);
    let (mut cem, mut view) = (site.presence.feed().subscribe(), View::default());
    site.reads(&mut cem, &mut view);
    assert_eq!(view.users.len(), 4);
    assert_eq!(view.users, site.truth());
}

#[tokio::test]
async fn a_subscription_that_waits_is_woken() {
    let mut site = Site::new();
    let mut ann = site.presence.feed().subscribe();
    let waiting = tokio::spawn(async move {
        let snapshot = ann.next().await;
        (snapshot, ann.next().await)
    });
    site.presence.feed().work().await;
    site.publisher.turn(&site.presence, site.now);
    site.sign_in(1);
    site.wait(INTERVAL);
    let mut view = View::default();
    let (snapshot, delta) = waiting.await.unwrap();
    view.take(&snapshot);
    view.take(&delta);
    assert_eq!(view.users, site.truth());
}

#[test]
fn what_is_told_is_so_however_many_come_and_go_at_a_time() {
    let mut site = Site::new();
    let now = site.now;
    let presence = Arc::new(std::mem::replace(&mut site.presence, Presence::new(ONCE)));
    let mut publisher = Publisher::new(presence.feed());
    let (mut ann, mut view) = (presence.feed().subscribe(), View::default());
    let workers: Vec<_> = (0..4)
        .map(|worker| {
            let presence = Arc::clone(&presence);
            std::thread::spawn(move || {
                for round in 0..2000 {
                    let seat = seat(worker * 100 + round % 7);
                    let session = presence.sign_in(seat, state(round.into()), now);
                    if round % 3 == 0 {
                        presence.sign_out(seat, session, now);
                    }
                    // One who is the only subscriber now and then.
                    drop(presence.feed().subscribe());
                }
            })
        })
        .collect();
    let mut at = now;
    let mut turn = |ann: &mut Subscription, view: &mut View| {
        at += INTERVAL;
        publisher.turn(&presence, at);
        while let Some(frames) = ann.try_next() {
            view.take(&frames);
        }
    };
    let mut turns = 0;
    while !workers.iter().all(std::thread::JoinHandle::is_finished) {
        turn(&mut ann, &mut view);
        turns += 1;
        if turns % 20 == 0 {
            // All have gone for a moment.
            drop(ann);
            (ann, view) = (presence.feed().subscribe(), View::default());
        }
    }
    workers
        .into_iter()
        .for_each(|worker| worker.join().unwrap());
    for _ in 0..3 {
        turn(&mut ann, &mut view);
    }
    assert!(view.is_whole);
    assert_eq!(view.users, presence.all_listed());
}
