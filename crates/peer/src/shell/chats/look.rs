//! What is to be looked at, and what is told of it. All that is told of conversations is read
//! here, one after the other, so nothing is told that is older than what was told before.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;

use p2pchat_conversation::message::Place;
use p2pchat_conversation::replica::{Replica, Role};
use p2pchat_model::{
    Chat, ChatChange, DatedChange, Event, MessageId, Post, Problem, Timestamp, Username,
};
use p2pchat_protocol::v2::PersonKey;
use p2pchat_protocol::v2::conversation::talk::{Talk, TalkEntry};
use p2pchat_protocol::v2::conversation::{Clock, ConversationId as Id, EntryId, JoinId};

use super::batch::{About, Batch, Limits, RosterState, Told};
use super::changes::History;
use super::orders::{Answer, Refused, Result as OrderResult};
use super::shown::{Shown, conversation_id};
use crate::conversations::{
    Failed, Handle, Page, Post as StoredPost, Store, StoreError, View, Visible,
};
use crate::machine::{Ordered, Part, SendId};
use crate::shell::clock::wall;

/// The messages of a page, and the most that are found.
const PAGE: usize = 100;
/// The most replies that are told again when what they quote is different.
const MAX_REPLIES: usize = PAGE;
/// How many conversations are told in one turn of the node, and how many entries are read.
const AT_ONCE: usize = 50;
/// Of how many messages, the newest of those that were, it is told when they were delivered: more
/// than front ends show at first. The others are right when they are read again.
const RECENT: usize = 200;
/// How many messages that do not count any more are taken away, the newest, and how many that they
/// had changed: more than front ends show. The others are right when they are read again.
const MAX_GONE: usize = 10_000;

/// What was found of a conversation.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) id: Id,
    /// Its state.
    pub(super) chat: Option<Chat>,
    /// What its roster leads to, if that was looked at.
    pub(super) counted: Option<RosterState>,
    /// Whether it is told from the beginning, whatever was told before.
    pub(super) is_whole: bool,
    /// What has changed of its membership.
    pub(super) changes: Vec<DatedChange>,
    /// Messages, and what the user has done.
    pub(super) events: Vec<Event>,
    /// Entries that are ahead of the time.
    pub(super) ahead: Vec<EntryId>,
    /// How far others have read, if it is told from the beginning.
    pub(super) read_by: Vec<(PersonKey, MessageId)>,
}

/// All that was found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) found: Vec<Found>,
    pub(super) answers: Vec<(SendId, OrderResult)>,
}

/// Reads what a batch asks for. `told` are the states of its conversations that were told last.
pub(super) async fn look(
    handle: Handle,
    batch: Batch,
    told: Told,
    account: Option<Username>,
) -> Findings {
    let mut findings = Findings::default();
    let found = if batch.all {
        look_at_all(&handle, account).await
    } else {
        look_at_each(&handle, batch.conversations, told, account).await
    };
    match found {
        Ok(found) => findings.found = found,
        // Who asks for something is told.
        Err(error) => tracing::warn!(%error, "conversations cannot be read"),
    }
    for (id, answer) in batch.answers {
        let result = match answer {
            Answer::Ready(result) => result,
            Answer::Page(conversation, part) => {
                let read = move |view: &View<'_>| page(view, &conversation, part);
                flat(handle.read(read).await)
            }
            Answer::Find { conversation, text } => {
                let read = move |view: &View<'_>| find(view, conversation, &text);
                flat(handle.read(read).await)
            }
        };
        findings.answers.push((id, result));
    }
    findings
}

fn flat(read: Result<OrderResult, Failed>) -> OrderResult {
    read.unwrap_or_else(|error| Err(Refused::from(error).into()))
}

async fn look_at_all(handle: &Handle, account: Option<Username>) -> Result<Vec<Found>, Failed> {
    let ids = |view: &View<'_>| -> Vec<Id> {
        let conversations = view.sync.conversations();
        conversations.map(Replica::id).collect()
    };
    let ids = handle.read(ids).await?;
    let mut found = Vec::new();
    for part in ids.chunks(AT_ONCE) {
        let part = part.to_vec();
        let read = move |view: &View<'_>| {
            let shown = part.iter().filter_map(|id| Shown::new(view, id));
            let whole = shown.map(|shown| whole(view.store, &shown, account));
            whole.collect::<Result<Vec<_>, _>>()
        };
        found.extend(handle.read(read).await??);
    }
    // A front end that begins shows the first that it is told of.
    found.sort_by_key(|found| Reverse(rank(found)));
    Ok(found)
}

/// Where a conversation stands in a list, by its newest message, as front ends have it
/// ([`Conversation::rank`](p2pchat_model::Conversation::rank)); its id decides within a millisecond.
fn rank(found: &Found) -> (bool, Timestamp, Option<MessageId>) {
    let newest = found.events.iter().find_map(|event| match event {
        Event::Posts { posts, .. } => posts.last(),
        _ => None,
    });
    let chat = found.chat.as_ref();
    let since = chat.and_then(|chat| chat.since).unwrap_or(Timestamp(0));
    let is_pinned = chat.is_some_and(|chat| chat.pinned);
    let at = newest.map_or(since, |post| post.at);
    (is_pinned, at, newest.map(|post| post.id))
}

/// A conversation from the beginning: its newest message, and what the user has done with it.
fn whole(store: &Store, shown: &Shown<'_>, account: Option<Username>) -> Result<Found, StoreError> {
    let id = shown.id();
    let page = store.page(&id, None, 1, &shown.visible)?;
    let history = History::of(shown);
    let mut events = vec![Event::Posts {
        conversation: conversation_id(&id),
        before: None,
        posts: posts(shown, &page.posts)?,
        changes: history.within(&times(&page, None)),
        more: page.more,
    }];
    marks(store, &id, true, true, &mut events)?;
    let read_by = store.read_by(&id)?.into_iter();
    events.retain(|event| !matches!(event, Event::Draft { text, .. } if text.is_empty()));
    Ok(Found {
        id,
        chat: Some(shown.chat(account)?),
        counted: Some(counted(shown, &history)),
        is_whole: true,
        changes: Vec::new(),
        events,
        ahead: Vec::new(),
        read_by: read_by
            .map(|(who, place)| (who, Store::id_of(&place)))
            .collect(),
    })
}

fn counted(shown: &Shown<'_>, history: &History<'_>) -> RosterState {
    RosterState {
        limits: shown.visible.limits.clone(),
        changes: history.entries().collect(),
    }
}

/// The times that the messages of a page before a place have between them, up to the next page.
fn times(page: &Page, before: Option<&Place>) -> Range<Clock> {
    let oldest = page.posts.first().filter(|_| page.more);
    let from = oldest.map_or(Clock::ZERO, |post| post.entry.place.clock);
    from..before.map_or(Clock::MAX, |place| place.clock)
}

fn posts(shown: &Shown<'_>, posts: &[StoredPost]) -> Result<Vec<Post>, StoreError> {
    posts.iter().map(|post| shown.post(post)).collect()
}

/// How far the user has read, and what they have typed.
fn marks(
    store: &Store,
    id: &Id,
    read: bool,
    draft: bool,
    events: &mut Vec<Event>,
) -> Result<(), StoreError> {
    let settings = store.settings(id)?.unwrap_or_default();
    let conversation = conversation_id(id);
    if let Some(place) = settings.read.filter(|_| read) {
        let message = Store::id_of(&place);
        events.push(Event::Read {
            conversation,
            message,
        });
    }
    if draft {
        let text = settings.draft;
        events.push(Event::Draft { conversation, text });
    }
    Ok(())
}

async fn look_at_each(
    handle: &Handle,
    conversations: BTreeMap<Id, About>,
    mut told: Told,
    account: Option<Username>,
) -> Result<Vec<Found>, Failed> {
    let mut all = Vec::new();
    for (id, mut about) in conversations {
        let entries = std::mem::take(&mut about.entries).into_iter();
        let entries: Vec<_> = entries.map(|(_, entry)| entry).collect();
        let (old, counted) = (told.chats.remove(&id), told.counted.remove(&id));
        let old = (old, counted.unwrap_or_default());
        let mut parts = entries.chunks(AT_ONCE).map(<[EntryId]>::to_vec);
        // Mostly there are few, and the thread of the node is woken once.
        let first = parts.next().unwrap_or_default();
        let read = move |view: &View<'_>| {
            let Some(found) = look_at(view, &id, &about, &old, account)? else {
                return Ok(None);
            };
            let posts = look_at_entries(view, &id, &first)?;
            Ok::<_, StoreError>(Some((found, posts)))
        };
        let Some((mut found, mut read)) = handle.read(read).await?? else {
            continue;
        };
        let mut seen = BTreeMap::new();
        loop {
            let (posts, ahead) = read;
            for (is_new, post) in posts {
                tell_post(is_new, post, &mut seen, &mut found.events);
            }
            found.ahead.extend(ahead);
            let Some(part) = parts.next() else { break };
            let next = move |view: &View<'_>| look_at_entries(view, &id, &part);
            read = handle.read(next).await??;
        }
        all.push(found);
    }
    Ok(all)
}

/// Each message is told once, as it was read last: as a new one if any of its entries began it.
fn tell_post(
    is_new: bool,
    post: Post,
    seen: &mut BTreeMap<MessageId, usize>,
    events: &mut Vec<Event>,
) {
    let at = *seen.entry(post.id).or_insert(events.len());
    let was_new = matches!(events.get(at), Some(Event::Post(_)));
    let post = Box::new(post);
    let event = if is_new || was_new {
        Event::Post(post)
    } else {
        Event::PostChanged(post)
    };
    match events.get_mut(at) {
        Some(told) => *told = event,
        None => events.push(event),
    }
}

fn look_at(
    view: &View<'_>,
    id: &Id,
    about: &About,
    (old, old_counted): &(Option<Chat>, RosterState),
    account: Option<Username>,
) -> Result<Option<Found>, StoreError> {
    let Some(shown) = Shown::new(view, id) else {
        return Ok(None);
    };
    let mut found = Found {
        id: *id,
        chat: None,
        counted: None,
        is_whole: false,
        changes: Vec::new(),
        events: Vec::new(),
        ahead: Vec::new(),
        read_by: Vec::new(),
    };
    if about.chat {
        let chat = shown.chat(account)?;
        if about.roster {
            let history = History::of(&shown);
            found.changes = history.since(&old_counted.changes, old.as_ref(), &chat);
            let gone = uncounted(view, &shown, &old_counted.limits)?;
            found.events.extend(gone);
            if shown.is_alone() || old.as_ref().is_some_and(is_alone) {
                // Messages may wait for others now.
                found
                    .events
                    .extend(delivered(view, &shown, &own_logs(&shown))?);
            }
            found.counted = Some(counted(&shown, &history));
        }
        found.chat = Some(chat);
    }
    for join in &about.ended {
        let logs = &shown.replica.membership().logs;
        let who = logs.get(join).map(|log| shown.named(log.person));
        let ended = who.map(|who| DatedChange {
            at: wall(),
            change: ChatChange::LogEnded(who),
        });
        found.changes.extend(ended);
    }
    for entry in &about.lost {
        found.events.extend(withdrawn(view, &shown, entry)?);
    }
    marks(view.store, id, about.read, about.draft, &mut found.events)?;
    if !about.delivered.is_empty() {
        found
            .events
            .extend(delivered(view, &shown, &about.delivered)?);
    }
    Ok(Some(found))
}

/// What does not count any more of logs that a removal has cut: messages are gone, and those that
/// were changed are as before.
fn uncounted(view: &View<'_>, shown: &Shown<'_>, old: &Limits) -> Result<Vec<Event>, StoreError> {
    let (id, now) = (shown.id(), &shown.visible.limits);
    let limit = |join: &JoinId| now.get(join).copied().unwrap_or_default();
    let cut = old.iter().filter(|(join, before)| limit(join) < **before);
    let cut: Limits = cut.map(|(join, before)| (*join, *before)).collect();
    if cut.is_empty() {
        return Ok(Vec::new());
    }
    let before = Visible {
        limits: cut.clone(),
        ..shown.visible.clone()
    };
    let mut messages = Vec::new();
    view.store.walk_back(&id, None, None, &before, |entry| {
        let counts = entry.place.position < limit(&entry.join);
        messages.extend((!counts).then(|| entry.message_id()));
        messages.len() < MAX_GONE
    })?;
    let mut events = Vec::new();
    if !messages.is_empty() {
        let conversation = conversation_id(&id);
        events.push(Event::PostsGone {
            conversation,
            messages,
        });
    }
    for join in cut.keys() {
        for message in view.store.changed_from(&id, join, limit(join), MAX_GONE)? {
            if let Some(post) = view.store.post(&id, &message, &shown.visible)? {
                events.push(Event::PostChanged(Box::new(shown.post(&post)?)));
            }
        }
    }
    Ok(events)
}

/// A message that an entry began is not kept; one that it changed is as it was before.
fn withdrawn(
    view: &View<'_>,
    shown: &Shown<'_>,
    entry: &TalkEntry,
) -> Result<Option<Event>, StoreError> {
    let header = entry.header;
    let body = entry.body.as_deref();
    let changed = match body.and_then(|body| Talk::decode(header.kind, body).ok()) {
        Some(Talk::Edit { of, .. } | Talk::Erase { of } | Talk::Reaction { to: of, .. }) => {
            view.store.post(&shown.id(), &of, &shown.visible)?
        }
        _ => shown.lost(entry),
    };
    let post = changed.map(|post| shown.post(&post)).transpose()?;
    Ok(post.map(|post| Event::PostChanged(Box::new(post))))
}

/// Messages, each with whether it is new, and entries that are ahead of the time.
type Looked = (Vec<(bool, Post)>, Vec<EntryId>);

/// The messages that entries begin or change. Replies to them are changed too: they quote them.
fn look_at_entries(view: &View<'_>, id: &Id, entries: &[EntryId]) -> Result<Looked, StoreError> {
    let mut looked = Looked::default();
    let Some(shown) = Shown::new(view, id) else {
        return Ok(looked);
    };
    for entry in entries {
        if let Some((post, begins)) = view.store.post_of(id, entry, &shown.visible)? {
            looked.0.push((begins, shown.post(&post)?));
        } else if view.store.is_ahead(id, entry, &shown.visible)? {
            looked.1.push(*entry);
        }
        for reply in view.store.replies_to(id, entry, MAX_REPLIES)? {
            if let Some(post) = view.store.post(id, &reply, &shown.visible)? {
                looked.0.push((false, shown.post(&post)?));
            }
        }
    }
    Ok(looked)
}

fn is_alone(chat: &Chat) -> bool {
    let mut members = chat.members.iter();
    members.all(|member| member.asked || member.declined)
}

/// All that this user has written.
fn own_logs(shown: &Shown<'_>) -> Vec<(JoinId, Range<u64>)> {
    let logs = shown.replica.membership().logs.iter();
    let own = logs.filter(|(_, log)| log.person == shown.replica.person());
    own.map(|(join, _)| (*join, 0..u64::MAX)).collect()
}

/// The recent own messages that were delivered.
fn delivered(
    view: &View<'_>,
    shown: &Shown<'_>,
    delivered: &[(JoinId, Range<u64>)],
) -> Result<Vec<Event>, StoreError> {
    let (id, visible) = (shown.id(), &shown.visible);
    // What several members have got mostly overlaps.
    let mut within: BTreeMap<JoinId, Range<u64>> = BTreeMap::new();
    for (join, range) in delivered {
        let all = within.entry(*join).or_insert_with(|| range.clone());
        *all = all.start.min(range.start)..all.end.max(range.end);
    }
    let mut own = Vec::new();
    for (join, all) in &within {
        own.extend(view.store.begun_in(&id, join, all, RECENT, visible)?);
    }
    own.retain(|entry| {
        let has = |(join, range): &(JoinId, Range<u64>)| {
            *join == entry.join && range.contains(&entry.place.position)
        };
        delivered.iter().any(has)
    });
    own.sort_unstable_by_key(|entry| entry.place);
    let changed = own.into_iter().map(|entry| {
        let post = view.store.with_naming(&id, entry, visible)?;
        Ok(Event::PostChanged(Box::new(shown.post(&post)?)))
    });
    changed.collect()
}

fn page(view: &View<'_>, id: &Id, part: Part) -> OrderResult {
    let Some(shown) = Shown::new(view, id) else {
        return Err(Refused::of(Problem::NoSuchConversation).into());
    };
    let read = || {
        let (page, times) = match part {
            Part::Before(before) => {
                let before = before.map(Store::place_of);
                let page = view.store.page(id, before, PAGE, &shown.visible)?;
                let times = times(&page, before.as_ref());
                (page, times)
            }
            Part::From(from) => {
                let from = Store::place_of(from);
                let page = view.store.page_from(id, &from, PAGE, &shown.visible)?;
                let newest = page.posts.last().filter(|_| page.more);
                let until = newest.map_or(Clock::MAX, |post| post.entry.place.clock);
                (page, from.clock..until)
            }
        };
        Ok(Ordered::Page {
            posts: posts(&shown, &page.posts)?,
            changes: History::of(&shown).within(&times),
            more: page.more,
        })
    };
    read().map_err(|error: StoreError| Refused::from(error).into())
}

fn find(view: &View<'_>, only: Option<Id>, text: &str) -> OrderResult {
    let ids = match only {
        Some(id) => vec![id],
        None => (view.sync.conversations().map(Replica::id)).collect(),
    };
    let shown = ids.iter().filter_map(|id| Shown::new(view, id));
    let shown: BTreeMap<Id, Shown<'_>> = shown.map(|shown| (shown.id(), shown)).collect();
    if only.is_some() && shown.is_empty() {
        return Err(Refused::of(Problem::NoSuchConversation).into());
    }
    let within = shown.iter().map(|(id, shown)| (*id, shown.visible.clone()));
    let read = || {
        let found = view.store.find(&within.collect(), text, PAGE)?;
        let posts = found
            .iter()
            .filter_map(|(id, post)| Some(shown.get(id)?.post(post)));
        posts.collect::<Result<Vec<_>, _>>()
    };
    let posts = read().map_err(|error: StoreError| Refused::from(error))?;
    Ok(Ordered::Found(posts))
}

/// The members of a conversation that this person is in, and how far the user has read: for one
/// who has just connected.
pub(super) fn read_marks(view: &View<'_>, person: &PersonKey) -> Vec<(Id, Place)> {
    let is_in = |role| matches!(role, Role::Member(_));
    let shared = view
        .sync
        .conversations()
        .filter(|replica| is_in(replica.own_role()) && is_in(replica.role(person)));
    let marks = shared.filter_map(|replica| {
        let settings = view.store.settings(&replica.id()).ok()??;
        Some((replica.id(), settings.read?))
    });
    marks.collect()
}
