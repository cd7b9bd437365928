//! What has to be so: at any time, and in the end.

use super::{LIMIT, TIMEOUT, Truth, User, World};
use crate::node::Node;

impl World {
    /// What has to be so at any time.
    pub(super) fn check(&mut self) {
        for user in &self.users {
            let mut shown = Vec::new();
            for (number, node) in self.nodes.iter().enumerate() {
                let Some(node) = node else { continue };
                let found = node.find(user.name, self.now);
                if self.knows(number, node, user) {
                    let is_right = match user.truth {
                        Truth::Online => found == Some(user.address),
                        Truth::Offline => found.is_none(),
                        Truth::Silent => true,
                    };
                    assert!(
                        is_right,
                        "seed {}, {:.2?}: registry {number} shows {:?} at {found:?}: {user:?}",
                        self.seed, self.now, user.name
                    );
                }
                if node.is_connected(self.now) && node.deaf_until + LIMIT <= self.now {
                    shown.extend(found);
                }
            }
            shown.dedup();
            if shown.len() < 2 {
                self.split.remove(&user.name);
                continue;
            }
            let split = *self.split.entry(user.name).or_insert(self.now);
            // Who moves again splits what was about to agree.
            let since = split.max(user.since);
            assert!(
                self.now - since <= LIMIT,
                "seed {}, {:.2?}: {:?} is at {shown:?} since {since:.2?}",
                self.seed,
                self.now,
                user.name
            );
        }
    }

    /// Whether a registry has to know the truth about a user by now.
    fn knows(&self, number: usize, node: &Node, user: &User) -> bool {
        let is_home = user.home.0 == number;
        if let Some(cut) = self.cut_since[number] {
            // From memory: what was so for a while, and did not change since. Who came to
            // another registry a moment before was last seen here.
            let is_old = user.since + LIMIT < cut && user.home.1 + TIMEOUT / 2 < cut;
            return is_old && user.truth == Truth::Online || is_home && user.since > cut;
        }
        let has_heard = node.deaf_until + LIMIT <= self.now;
        let is_told = user.secret_until + LIMIT <= self.now;
        match user.truth {
            // They may have been gone for the others while only their home, cut off, received their hellos.
            _ if is_home && has_heard => user.since + LIMIT <= self.now && is_told,
            _ => has_heard && is_told && user.since + LIMIT <= self.now,
        }
    }

    /// What has to be so when nothing has happened for a while.
    pub(super) fn check_quiet(&self) {
        let lists: Vec<_> = self
            .nodes
            .iter()
            .flatten()
            .map(|node| {
                let found = |user: &User| node.find(user.name, self.now);
                self.users.iter().map(found).collect::<Vec<_>>()
            })
            .collect();
        let is_online = |user: &User| (user.truth == Truth::Online).then_some(user.address);
        let truth: Vec<_> = self.users.iter().map(is_online).collect();
        for (number, list) in lists.iter().enumerate() {
            assert_eq!(
                *list, truth,
                "seed {}: registry {number} at the end",
                self.seed
            );
        }
    }
}
