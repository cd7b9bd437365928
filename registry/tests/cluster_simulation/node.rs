//! One registry: its presence, and how far it has read.

use std::time::Duration;

use p2pchat_registry::presence::Presence;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

use super::database::Database;

/// How long a user stays online without a Hello.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);
/// How long after a break time stands still for users of others: as in the server.
const SETTLE: Duration = Duration::from_secs(5);

/// A registry that runs.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) presence: Presence,
    /// How much of the log it has read, and where its stream began.
    read: usize,
    began: usize,
    /// Until when its stream is broken.
    pub(crate) deaf_until: Duration,
    /// Until when it cannot write.
    pub(crate) mute_until: Duration,
    settled: Duration,
    is_broken: bool,
    /// Whether the collection that it follows has gone.
    is_dropped: bool,
}

/// How the stream of a registry behaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stream {
    /// How late news are.
    pub(crate) lag: Duration,
    /// Whether what is lost with a long break is read anew, or gone on with.
    pub(crate) forgets: bool,
}

impl Node {
    /// Starts, and reads what is there.
    pub(crate) fn start(database: &Database, now: Duration) -> Self {
        let node = Self {
            presence: Presence::new_shared(TIMEOUT),
            read: database.log.len(),
            began: database.log.len(),
            deaf_until: Duration::ZERO,
            mute_until: Duration::ZERO,
            settled: Duration::ZERO,
            is_broken: false,
            is_dropped: false,
        };
        node.read_since(database, now, now);
        node.presence.heard(now);
        node
    }

    fn read_since(&self, database: &Database, known: Duration, now: Duration) {
        for record in database.since(known) {
            self.presence.learn(record, now);
        }
    }

    /// The collection has gone: the stream tells of that after all that was before.
    pub(crate) fn lose_collection(&mut self, database: &Database, now: Duration) {
        for (_, record) in &database.log[self.read..] {
            self.presence.learn(record, now);
        }
        self.read = database.log.len();
        (self.is_broken, self.is_dropped) = (true, true);
    }

    /// Whether it talks to the database both ways.
    pub(crate) fn is_connected(&self, now: Duration) -> bool {
        self.deaf_until <= now && self.mute_until <= now
    }

    /// Takes what has come by now: some of it twice, and in any order.
    pub(crate) fn listen(
        &mut self,
        database: &Database,
        now: Duration,
        stream: Stream,
        random: &mut impl Rng,
    ) {
        if self.deaf_until > now {
            self.is_broken = true;
            return;
        }
        if std::mem::take(&mut self.is_broken) {
            self.settled = now + SETTLE;
            if std::mem::take(&mut self.is_dropped) || stream.forgets {
                (self.read, self.began) = (database.log.len(), database.log.len());
                self.presence.tell_again();
                self.read_since(database, self.presence.last_heard(), now);
            }
        }
        let there = database.log[self.read..]
            .iter()
            .take_while(|(at, _)| *at + stream.lag <= now)
            .count();
        // Some of what it has read before comes again.
        let from = self.read - random.random_range(0..4).min(self.read - self.began);
        let mut news: Vec<_> = database.log[from..self.read + there].to_vec();
        news.shuffle(random);
        for (_, record) in &news {
            self.presence.learn(record, now);
        }
        self.read += there;
        if now >= self.settled {
            self.presence.heard(now.saturating_sub(stream.lag));
        }
    }

    /// Writes what is due.
    pub(crate) fn tell(&self, database: &mut Database, now: Duration) {
        if self.mute_until > now {
            return;
        }
        for shard in 0..self.presence.shards() {
            for due in self.presence.due(shard, now) {
                let there = database.write(&due, now);
                self.presence.learn(&there, now);
            }
        }
    }

    /// Drops whose time has run out.
    pub(crate) fn sweep(&self, now: Duration) {
        for _ in 0..self.presence.shards() {
            self.presence.sweep(now);
        }
    }
}
