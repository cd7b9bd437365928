//! When the online list is made anew, and how.
//!
//! Making it costs time for each user on it, and it is old with the next login: whoever
//! asks again and again while users come and go could keep the registry busy with it. So
//! the list of many users may be a little old, and the list of few never is.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use p2pchat_protocol::OnlineUser;

use super::{OnlineList, Presence, SHARDS};

/// Up to so many users the list is never old. It is made in less than 0.2 ms, and logins,
/// each of which is a hash, change it some 75 times a second.
pub(super) const FEW: usize = 1000;
/// How old the list of more may be, for each user on it. Making it takes some 0.2 µs a
/// user: a fifth of one core at the most, whoever asks how often. At 100,000 users that
/// is 0.1 s, and their clients ask for the list once a minute.
pub(super) const AGE_PER_USER: Duration = Duration::from_micros(1);

impl Presence {
    /// The online list, by name, if the one that there is may still be given out. Users
    /// whose time ran out are on it until [`Presence::sweep`] comes by their shard.
    #[must_use]
    pub fn recent_list(&self, now: Duration) -> Option<Arc<OnlineList>> {
        let list = self.list.load_full();
        (self.is_current(&list) || is_young(&list, now)).then_some(list)
    }

    /// The online list that there is, however old.
    #[must_use]
    pub fn latest_list(&self) -> Arc<OnlineList> {
        self.list.load_full()
    }

    /// Makes the online list anew. To be called by one at a time, and, unless
    /// [`Presence::is_listed_fast`], where nobody waits for the thread.
    pub fn renew_list(&self, now: Duration) -> Arc<OnlineList> {
        let list = Arc::new(self.list_anew(now));
        self.list.store(Arc::clone(&list));
        list
    }

    /// Whether so few are online that the list is made in no time.
    #[must_use]
    pub fn is_listed_fast(&self) -> bool {
        self.count() <= FEW
    }

    fn is_current(&self, list: &OnlineList) -> bool {
        list.version() == self.version.load(Ordering::Acquire)
    }

    /// The version is read first: a change during the listing makes the list old at
    /// once, and never passes unnoticed.
    fn list_anew(&self, now: Duration) -> OnlineList {
        let version = self.version.load(Ordering::Acquire);
        let mut users = Vec::with_capacity(self.list.load().users());
        for index in 0..SHARDS {
            let shard = self.read(index);
            users.extend(shard.iter().filter_map(|(&name, entry)| {
                let address = entry.address?;
                Some(OnlineUser { name, address })
            }));
        }
        OnlineList::new(version, now, users)
    }
}

fn is_young(list: &OnlineList, now: Duration) -> bool {
    let users = u32::try_from(list.users()).unwrap_or(u32::MAX);
    list.users() > FEW && now.saturating_sub(list.made()) < AGE_PER_USER.saturating_mul(users)
}
