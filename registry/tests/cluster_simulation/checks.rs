//! What has to be so: at any time, and in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::users::{Truth, User};
use super::{LIMIT, MAX_LAG, World};
use crate::node::{Node, TIMEOUT};
use crate::rules;

/// Within how much time the sessions end that a change of a binding is about.
const EXCLUDED: Duration = Duration::from_secs(60);
/// How much longer time stands still after a break.
const SETTLE: Duration = Duration::from_secs(5);

impl World {
    /// What has to be so at any time.
    pub(super) fn check(&mut self) {
        for number in 0..self.users.len() {
            self.check_shown(number);
            self.check_agreement(number);
            self.check_admitted(number);
        }
        for (number, node) in self.nodes.iter().enumerate() {
            let Some(node) = node else { continue };
            let [eager, _] = &node.subscribers;
            assert!(eager.is_whole);
            assert_eq!(
                eager.view,
                node.all_listed(),
                "seed {}, {:.2?}: pushed by registry {number}, and known there",
                self.seed,
                self.now
            );
        }
        self.bindings.check(self.seed);
    }

    fn check_shown(&self, number: usize) {
        let user = &self.users[number];
        for (number, node) in self.nodes.iter().enumerate() {
            let Some(node) = node else { continue };
            let found = node.state(user.seat, self.now);
            let is_right = match user.truth {
                _ if !self.knows(number, node, user) => true,
                Truth::Online => found == Some(user.state),
                Truth::Offline => found.is_none(),
                // The registry of a device that has died may have died with it.
                Truth::Silent if user.is_device() => found.is_none() || !self.is_over(node, user),
                Truth::Silent => true,
            };
            assert!(
                is_right,
                "seed {}, {:.2?}: registry {number} shows {found:?}: {user:?}",
                self.seed, self.now
            );
        }
    }

    /// Whether the time of a device that fell silent is over for a registry.
    fn is_over(&self, node: &Node, user: &User) -> bool {
        let has_heard = node.deaf_until + SETTLE + LIMIT <= self.now;
        has_heard && user.since + TIMEOUT + MAX_LAG + LIMIT <= self.now
    }

    fn check_agreement(&mut self, number: usize) {
        let user = &self.users[number];
        let heard = self
            .nodes
            .iter()
            .flatten()
            .filter(|node| node.is_connected(self.now) && node.deaf_until + LIMIT <= self.now);
        let mut shown: Vec<_> = heard
            .filter_map(|node| node.state(user.seat, self.now))
            .collect();
        shown.dedup();
        if shown.len() < 2 {
            self.split.remove(&user.seat);
            return;
        }
        let split = *self.split.entry(user.seat).or_insert(self.now);
        // Who moves again splits what was about to agree.
        let since = split.max(user.since);
        assert!(
            self.now - since <= LIMIT,
            "seed {}, {:.2?}: {:?} is shown as {shown:?} since {since:.2?}",
            self.seed,
            self.now,
            user.seat
        );
    }

    /// Nobody stays whose device is none of the name's any more.
    fn check_admitted(&mut self, number: usize) {
        let user = &mut self.users[number];
        let Some(certificate) = user.certificate.filter(|_| user.truth == Truth::Online) else {
            return;
        };
        let stored = self.bindings.read(user.seat.name);
        if stored.is_some_and(|stored| rules::admits(&stored.binding, &certificate)) {
            user.excluded = None;
            return;
        }
        let since = *user.excluded.get_or_insert(self.now);
        let home = self.nodes[user.home.0].as_ref().unwrap();
        let could_know = since.max(home.deaf_until).max(home.mute_until);
        assert!(
            could_know + EXCLUDED > self.now,
            "seed {}, {:.2?}: still there: {user:?}",
            self.seed,
            self.now
        );
    }

    /// Whether a registry has to know the truth about a user by now.
    fn knows(&self, number: usize, node: &Node, user: &User) -> bool {
        let is_home = user.home.0 == number;
        if let Some(cut) = self.cut_since[number] {
            // From memory: what was so for a while, and did not change since. Who came to
            // another registry a moment before was last seen here.
            let is_old = user.since + LIMIT < cut && user.home.1 + TIMEOUT / 2 < cut;
            let is_known = is_home && user.since > cut && user.truth != Truth::Silent;
            return is_old && user.truth == Truth::Online || is_known;
        }
        let has_heard = node.deaf_until + LIMIT <= self.now;
        let is_told = user.secret_until + LIMIT <= self.now;
        // They may have been gone for the others while only their home, cut off, received their
        // hellos.
        has_heard && is_told && user.since + LIMIT <= self.now
    }

    /// What has to be so when nothing has happened for a while.
    pub(super) fn check_quiet(&mut self) {
        let is_online = |user: &&User| user.truth == Truth::Online;
        let online = || self.users.iter().filter(is_online);
        let truth: BTreeMap<_, _> = online().map(|user| (user.seat, user.state)).collect();
        for user in online().filter(|user| user.is_device()) {
            let stored = self.bindings.read(user.seat.name).unwrap();
            let certificate = user.certificate.unwrap();
            assert!(rules::admits(&stored.binding, &certificate), "{user:?}");
            assert_eq!(user.state.serial, stored.binding.serial, "{user:?}");
        }
        let names: BTreeSet<_> = self.users.iter().map(|user| user.seat.name).collect();
        let mut shown_to_version_1 = Vec::new();
        for (number, node) in self.nodes.iter_mut().flatten().enumerate() {
            let state = |user: &User| Some((user.seat, node.state(user.seat, self.now)?));
            let shown: BTreeMap<_, _> = self.users.iter().filter_map(state).collect();
            assert_eq!(shown, truth, "seed {}: registry {number}", self.seed);
            let found = names.iter().map(|name| node.find(*name, self.now));
            shown_to_version_1.push(found.collect::<Vec<_>>());
            node.publish(self.now, self.now, true);
            let [_, lazy] = &node.subscribers;
            self.troubles.lags += lazy.snapshots - 1;
            for subscriber in &node.subscribers {
                assert!(subscriber.is_whole);
                let view = &subscriber.view;
                assert_eq!(*view, truth, "seed {}: pushed by {number}", self.seed);
            }
        }
        shown_to_version_1.dedup();
        assert_eq!(shown_to_version_1.len(), 1, "seed {}", self.seed);
    }
}
