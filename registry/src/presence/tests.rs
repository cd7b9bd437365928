//! The rules one by one, and any sequence of events against a plain model.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;

use proptest::prelude::*;

use super::*;

mod devices;

const TIMEOUT: Duration = Duration::from_secs(60);

fn name(text: &str) -> Username {
    Username::new(text).unwrap()
}

fn at(last: u8) -> PeerAddr {
    PeerAddr::new([10, 0, 0, last].into()).unwrap()
}

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The list that a client gets.
fn list(presence: &Presence, now: Duration) -> Arc<OnlineList> {
    presence
        .recent_list(now)
        .unwrap_or_else(|| presence.renew_list(now))
}

fn listed(presence: &Presence) -> String {
    let list = list(presence, s(0));
    String::from_utf8(list.as_bytes()[18..].to_vec()).unwrap()
}

/// Whether a user was online until this logout.
fn is_out(ended: Option<Ended>) -> bool {
    ended.is_some_and(|ended| ended.was_online)
}

#[test]
fn a_user_is_online_from_login_to_logout() {
    let presence = Presence::new(TIMEOUT);
    let session = presence.login(name("bob"), at(1), s(0));
    assert_eq!(presence.find(name("bob"), s(59)), Some(at(1)));
    assert_eq!(presence.find(name("eve"), s(1)), None);
    assert!(is_out(presence.logout(
        name("bob"),
        Some(session),
        at(1),
        s(2)
    )));
    assert_eq!(presence.find(name("bob"), s(3)), None);
    assert!(!is_out(presence.logout(
        name("bob"),
        Some(session),
        at(1),
        s(4)
    )));
}

#[test]
fn a_user_without_hello_leaves() {
    let presence = Presence::new(TIMEOUT);
    presence.login(name("bob"), at(1), s(0));
    presence.login(name("ann"), at(2), s(0));
    assert!(presence.hello(name("bob"), at(1), s(50)));
    assert_eq!(presence.sweep(s(59)).len(), 0);
    assert_eq!(presence.sweep(s(60)).len(), 1);
    assert_eq!(presence.find(name("ann"), s(60)), None);
    assert_eq!(listed(&presence), "bob-10.0.0.1 \t\n ");
    assert_eq!(presence.find(name("bob"), s(109)), Some(at(1)));
    assert_eq!(
        presence.find(name("bob"), s(110)),
        None,
        "gone before the sweep comes by"
    );
    assert!(
        !presence.hello(name("bob"), at(1), s(110)),
        "a late Hello logs nobody in"
    );
}

#[test]
fn a_session_that_ends_in_any_way_is_reported() {
    let presence = Presence::new(TIMEOUT);
    let [bob, ann] = ["bob", "ann"].map(|user| presence.login(name(user), at(1), s(0)));
    let ended = presence.logout(name("bob"), None, at(1), s(60)).unwrap();
    assert_eq!((ended.session, ended.was_online), (bob, false));
    let swept: Vec<Ended> = presence.sweep(s(60));
    let expected = Ended {
        seat: version_1::seat(name("ann")),
        session: ann,
        was_online: false,
    };
    assert_eq!(swept, [expected]);
}

#[test]
fn a_stranger_keeps_nobody_alive_and_throws_nobody_out() {
    let presence = Presence::new(TIMEOUT);
    let earlier = presence.login(name("bob"), at(1), s(0));
    assert!(!presence.hello(name("bob"), at(9), s(30)));
    assert_eq!(presence.find(name("bob"), s(60)), None);
    let session = presence.login(name("bob"), at(1), s(60));
    assert!(!is_out(presence.logout(name("bob"), None, at(9), s(61))));
    assert!(
        !is_out(presence.logout(name("bob"), Some(earlier), at(1), s(61))),
        "it was replaced"
    );
    assert!(
        is_out(presence.logout(name("bob"), Some(session), at(9), s(61))),
        "on its connection"
    );
}

#[test]
fn another_connection_from_the_same_address_may_log_out() {
    let presence = Presence::new(TIMEOUT);
    presence.login(name("bob"), at(1), s(0));
    assert!(is_out(presence.logout(name("bob"), None, at(1), s(1))));
}

#[test]
fn a_later_login_replaces_the_earlier_one() {
    let presence = Presence::new(TIMEOUT);
    let earlier = presence.login(name("bob"), at(1), s(0));
    presence.login(name("bob"), at(2), s(1));
    assert!(!presence.hello(name("bob"), at(1), s(2)));
    assert!(!is_out(presence.logout(
        name("bob"),
        Some(earlier),
        at(1),
        s(3)
    )));
    assert_eq!(presence.find(name("bob"), s(4)), Some(at(2)));
    assert_eq!(presence.count(), 1);
}

#[test]
fn the_list_is_sorted_and_kept_until_something_changes() {
    let presence = Presence::new(TIMEOUT);
    assert_eq!(list(&presence, s(0)).as_bytes()[..2], [4, 46]);
    presence.login(name("b"), at(2), s(0));
    presence.login(name("a-b"), at(1), s(0));
    assert_eq!(listed(&presence), "a-b-10.0.0.1 \t\n b-10.0.0.2 \t\n ");
    let first = list(&presence, s(0));
    assert_eq!(first.users(), 2);
    presence.hello(name("b"), at(2), s(1));
    presence.sweep(s(1));
    assert!(
        Arc::ptr_eq(&first, &list(&presence, s(0))),
        "nothing has changed"
    );
    presence.login(name("b"), at(3), s(2));
    assert!(!Arc::ptr_eq(&first, &list(&presence, s(0))));
}

/// A presence with so many users, and whether one more is on the list at that time.
fn is_on_the_list_of(users: usize, after: Duration) -> bool {
    let presence = Presence::new(TIMEOUT);
    for n in 0..users {
        presence.login(name(&format!("u{n}")), at(1), s(0));
    }
    assert_eq!(list(&presence, s(1)).users(), users);
    presence.login(name("late"), at(2), s(1));
    list(&presence, s(1) + after).users() > users
}

#[test]
fn the_list_of_few_is_never_old_and_that_of_many_for_a_moment_only() {
    assert!(is_on_the_list_of(online_list::FEW, Duration::ZERO));
    let users = online_list::FEW + 1;
    let age = online_list::AGE_PER_USER * u32::try_from(users).unwrap();
    assert!(!is_on_the_list_of(users, Duration::ZERO));
    assert!(!is_on_the_list_of(users, age - Duration::from_nanos(1)));
    assert!(is_on_the_list_of(users, age));
}

#[test]
fn a_sweep_is_done_in_a_fraction_of_the_timeout() {
    for seconds in [1, 5, 60, 3600] {
        let interval = Presence::new(s(seconds)).sweep_interval();
        assert!(interval <= s(seconds) / 10 && interval <= s(1));
    }
}

#[test]
fn a_user_who_asks_after_a_login_is_on_the_list_however_many_log_in_at_a_time() {
    let presence = Presence::new(TIMEOUT);
    thread::scope(|scope| {
        for worker in 0..8_u8 {
            let presence = &presence;
            scope.spawn(move || {
                for round in 0..50 {
                    let me = name(&format!("w{worker}r{round}"));
                    let session = presence.login(me, at(worker + 1), s(0));
                    assert!(listed(presence).contains(&format!("{me}-10.0.0.{} ", worker + 1)));
                    if round % 2 == 0 {
                        assert!(is_out(presence.logout(
                            me,
                            Some(session),
                            at(worker + 1),
                            s(0)
                        )));
                        assert!(!listed(presence).contains(&format!("{me}-")));
                    }
                }
            });
        }
    });
    assert_eq!(list(&presence, s(0)).users(), 8 * 25);
}

/// What may happen, to three users at three addresses.
#[derive(Debug, Clone)]
enum Step {
    Login {
        who: u8,
        from: u8,
    },
    Hello {
        who: u8,
        from: u8,
    },
    /// On the connection that began the `session`-th session, or on a fresh one.
    Logout {
        who: u8,
        from: u8,
        session: Option<usize>,
    },
    Wait {
        seconds: u64,
    },
    Sweep,
    List,
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..3_u8;
    let from = 1..4_u8;
    prop_oneof![
        (who.clone(), from.clone()).prop_map(|(who, from)| Step::Login { who, from }),
        (who.clone(), from.clone()).prop_map(|(who, from)| Step::Hello { who, from }),
        (who, from, proptest::option::of(0..6_usize))
            .prop_map(|(who, from, session)| Step::Logout { who, from, session }),
        (1..40_u64).prop_map(|seconds| Step::Wait { seconds }),
        Just(Step::Sweep),
        Just(Step::List),
    ]
}

/// The same rules, written down as plainly as can be.
#[derive(Default)]
struct Model {
    now: u64,
    /// Who is online: where, in which session, last seen when.
    online: BTreeMap<u8, (u8, usize, u64)>,
    sessions: Vec<(u8, SessionId)>,
}

impl Model {
    fn expire(&mut self) {
        let now = self.now;
        self.online
            .retain(|_, (_, _, seen)| now - *seen < TIMEOUT.as_secs());
    }

    /// Does a step to both and says whether they agree.
    fn step(&mut self, step: &Step, presence: &Presence) -> Result<(), TestCaseError> {
        let now = s(self.now);
        let user = |who: u8| name(&format!("user{who}"));
        match *step {
            Step::Login { who, from } => {
                let id = presence.login(user(who), at(from), now);
                self.online
                    .insert(who, (from, self.sessions.len(), self.now));
                self.sessions.push((who, id));
            }
            Step::Hello { who, from } => {
                let expected =
                    matches!(self.online.get(&who), Some(&(address, ..)) if address == from);
                prop_assert_eq!(presence.hello(user(who), at(from), now), expected);
                if let Some(entry) = self.online.get_mut(&who).filter(|_| expected) {
                    entry.2 = self.now;
                }
            }
            Step::Logout { who, from, session } => {
                let session = session.filter(|&n| self.sessions.get(n).is_some_and(|s| s.0 == who));
                let expected = self.online.get(&who).is_some_and(|&(address, current, _)| {
                    session.map_or(address == from, |session| session == current)
                });
                let id = session.map(|n| self.sessions[n].1);
                prop_assert_eq!(
                    is_out(presence.logout(user(who), id, at(from), now)),
                    expected
                );
                if expected {
                    self.online.remove(&who);
                }
            }
            Step::Wait { seconds } => self.now += seconds,
            Step::Sweep => {
                presence.sweep(now);
                prop_assert_eq!(presence.count(), self.online.len());
            }
            Step::List => {
                presence.sweep(now);
                let expected: String = self
                    .online
                    .iter()
                    .map(|(who, (address, ..))| format!("user{who}-10.0.0.{address} \t\n "))
                    .collect();
                prop_assert_eq!(listed(presence), expected);
            }
        }
        self.expire();
        for who in 0..3 {
            let expected = self.online.get(&who).map(|&(address, ..)| at(address));
            prop_assert_eq!(presence.find(user(who), s(self.now)), expected);
        }
        Ok(())
    }
}

proptest! {
    #[test]
    fn any_sequence_of_events_ends_as_in_the_model(steps in prop::collection::vec(step(), 1..60)) {
        let presence = Presence::new(TIMEOUT);
        let mut model = Model::default();
        for step in &steps {
            model.step(step, &presence)?;
        }
    }
}
