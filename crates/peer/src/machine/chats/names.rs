//! Which key is whose: as the registry vouches for it, or as it is pinned.

use std::collections::{BTreeMap, BTreeSet};

use p2pchat_model::{Chat, ChatChange, Event, Named, Post, Standing, Username};
use p2pchat_protocol::v2::PersonKey;

use super::super::keys::Keyring;

/// How many keys may wait to be looked up: those of the largest groups.
const MAX_WANTED: usize = 10_000;

/// See the module.
#[derive(Debug, Default)]
pub(in super::super) struct Names {
    by_key: BTreeMap<PersonKey, Username>,
    /// Keys without a name that the registry was not asked for yet.
    wanted: BTreeSet<PersonKey>,
    /// Those that it was asked for. It is asked again in the next session.
    asked: BTreeSet<PersonKey>,
}

impl Names {
    /// Takes over all that is pinned at this registry.
    pub(super) fn learn_all(&mut self, keys: &Keyring) {
        *self = Self::default();
        self.by_key.extend(keys.former());
        for name in keys.pinned_names() {
            self.learn(keys, name);
        }
    }

    /// Takes over what is pinned for a name. Whether it is news.
    pub(super) fn learn(&mut self, keys: &Keyring, name: Username) -> bool {
        let mut is_new = false;
        for key in keys.keys_of(name) {
            self.wanted.remove(&key);
            is_new |= self.by_key.insert(key, name) != Some(name);
        }
        is_new
    }

    /// The next key to look up.
    pub(in super::super) fn pop_wanted(&mut self) -> Option<PersonKey> {
        let key = self.wanted.pop_first()?;
        self.asked.insert(key);
        Some(key)
    }

    fn put(&mut self, who: &mut Named) {
        who.name = self.by_key.get(&who.key).copied();
        let is_known = who.name.is_some() || who.you || self.asked.contains(&who.key);
        if !is_known && self.wanted.len() + self.asked.len() < MAX_WANTED {
            self.wanted.insert(who.key);
        }
    }

    /// Gives all people in an event their names, but for those in changes of a membership.
    pub(super) fn put_into(&mut self, event: &mut Event, keys: &Keyring) {
        match event {
            Event::Chat { chat, .. } => self.put_into_chat(chat, keys),
            Event::Post(post) | Event::PostChanged(post) => self.put_into_post(post),
            Event::Posts { posts, .. } | Event::PostsFrom { posts, .. } => {
                posts.iter_mut().for_each(|post| self.put_into_post(post));
            }
            Event::Typing { who, .. } | Event::ReadBy { who, .. } => self.put(who),
            _ => {}
        }
    }

    pub(super) fn put_into_chat(&mut self, chat: &mut Chat, keys: &Keyring) {
        if let Standing::Asked(by) = &mut chat.standing {
            self.put(by);
        }
        for member in &mut chat.members {
            self.put(&mut member.who);
            let who = member.who;
            member.trust = who.name.and_then(|name| keys.trust_in(name, &who.key));
        }
        // Those without a name come last.
        let order = |named: &Named| (named.name.is_none(), named.name, named.key);
        chat.members.sort_by_key(|member| order(&member.who));
    }

    /// Gives the people in a change their names. Whether there is one whose name may still come.
    pub(super) fn put_into_change(&mut self, change: &mut ChatChange) -> bool {
        let mut people = people_in(change);
        people.iter_mut().for_each(|who| self.put(who));
        let may_come = |key| self.wanted.contains(key) || self.asked.contains(key);
        let mut unnamed = people.iter().filter(|who| who.name.is_none());
        unnamed.any(|who| may_come(&who.key))
    }

    pub(super) fn put_into_post(&mut self, post: &mut Post) {
        self.put(&mut post.from);
        if let Some(reply) = &mut post.reply {
            self.put(&mut reply.from);
        }
        let reactions = post.reactions.iter_mut();
        for who in reactions.flat_map(|reaction| &mut reaction.by) {
            self.put(who);
        }
        for receipt in post.receipts.iter_mut().flatten() {
            self.put(&mut receipt.to);
        }
    }
}

fn people_in(change: &mut ChatChange) -> Vec<&mut Named> {
    match change {
        ChatChange::Asked { who, by } | ChatChange::Removed { who, by } => {
            [who].into_iter().chain(by).collect()
        }
        ChatChange::AskedMore { by, .. } => by.iter_mut().collect(),
        ChatChange::Joined(who)
        | ChatChange::Declined(who)
        | ChatChange::Left(who)
        | ChatChange::Owner(who)
        | ChatChange::Resigned(who)
        | ChatChange::LogEnded(who) => vec![who],
        ChatChange::Renamed(_) => Vec::new(),
    }
}
