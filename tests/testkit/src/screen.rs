//! What people see of their encrypted conversations, to be compared.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use futures::future::select_all;
use p2pchat_model::{
    ChatKind, Command, ConversationId, Event, Line, MessageId, Named, Post, PostState, Standing,
    Timestamp,
};
use tokio::time::{Instant, timeout_at};

use crate::Person;

/// How long it may take until all see the same. Devices that were not reached are dialled again
/// after up to a minute.
pub const SETTLED: Duration = Duration::from_secs(150);

/// How long it has to be silent until what came is looked at.
const SILENCE: Duration = Duration::from_millis(100);

/// A conversation as someone sees it; the same for all who are in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Screen {
    /// The name of a group, or the two people.
    pub title: String,
    /// Who is in it or asked, the one who looks included.
    pub people: BTreeMap<String, Seat>,
    /// All messages in their order, as pages have them.
    pub posts: Vec<Shown>,
    /// Messages that events have put on the screen, and that no page has, or that has them
    /// otherwise: there must be none when nothing happens any more.
    /// Each with what a page has instead.
    pub astray: Vec<(Shown, Option<Shown>)>,
}

/// What a person is to a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seat {
    /// Whether they have yet to accept.
    pub asked: bool,
    /// Whether they are an owner.
    pub owner: bool,
}

/// A message as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its identifier.
    pub id: MessageId,
    /// When it was written.
    pub at: Timestamp,
    /// Who wrote it.
    pub from: String,
    /// Whether there is a text to show.
    pub state: PostState,
    /// The text.
    pub text: String,
    /// When the text was changed last.
    pub edited: Option<Timestamp>,
    /// What it replies to: its id, who wrote it, and its text.
    pub reply: Option<(MessageId, String, String)>,
    /// Each emoji with those who reacted by it.
    pub reactions: Vec<(String, Vec<String>)>,
}

impl Screen {
    /// The texts of all messages.
    #[must_use]
    pub fn texts(&self) -> Vec<&str> {
        self.posts.iter().map(|post| post.text.as_str()).collect()
    }

    /// The messages with exactly this text.
    #[must_use]
    pub fn count(&self, text: &str) -> usize {
        self.posts.iter().filter(|post| post.text == text).count()
    }

    /// How two differ first; `None` if they are the same.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<String> {
        if self.title != other.title {
            return Some(format!("{:?} and {:?}", self.title, other.title));
        }
        if let Some(astray) = self.astray.first().or(other.astray.first()) {
            return Some(format!("shown, and otherwise on a page: {astray:?}"));
        }
        if self.people != other.people {
            return Some(format!("{:?} and {:?}", self.people, other.people));
        }
        let lengths = (self.posts.len(), other.posts.len());
        let mut pairs = self.posts.iter().zip(&other.posts);
        if let Some((one, two)) = pairs.find(|(one, two)| one != two) {
            return Some(format!("of {lengths:?} messages: {one:?} and {two:?}"));
        }
        let shorter = lengths.0.min(lengths.1);
        let more = [&self.posts[shorter..], &other.posts[shorter..]];
        (lengths.0 != lengths.1).then(|| format!("of {lengths:?} messages: {more:?}"))
    }
}

impl Person {
    /// What they see of a conversation that they are in: `None` if they are not. All pages of it.
    ///
    /// # Errors
    /// If a page cannot be read, or what the events told differs from it.
    pub async fn screen(&mut self, id: ConversationId) -> Result<Option<Screen>> {
        let posts = self.posts(id).await?;
        let me = self.name.to_string();
        let Some(known) = self.view.conversation(id) else {
            return Ok(None);
        };
        let Some(chat) = known.chat.as_ref().filter(|it| it.standing == Standing::In) else {
            return Ok(None);
        };
        let astray = astray(&known.lines, &posts)?;
        let owner = chat.owner;
        let mut people = BTreeMap::from([(
            me,
            Seat {
                asked: false,
                owner,
            },
        )]);
        for member in &chat.members {
            let (asked, owner) = (member.asked, member.owner);
            let doubled = people.insert(name(&member.who), Seat { asked, owner });
            ensure!(doubled.is_none(), "{:?} is there twice", member.who);
        }
        let title = match chat.kind {
            ChatKind::Group => chat.name.to_string(),
            ChatKind::Direct => people.keys().cloned().collect::<Vec<_>>().join(" and "),
        };
        let posts = posts.iter().map(shown).collect();
        let screen = Screen {
            title,
            people,
            posts,
            astray,
        };
        Ok(Some(screen))
    }

    /// All messages of a conversation, oldest first, by its pages.
    async fn posts(&mut self, conversation: ConversationId) -> Result<Vec<Post>> {
        let mut all: Vec<Post> = Vec::new();
        if self.view.conversation(conversation).is_none() {
            return Ok(all);
        }
        loop {
            let before = all.first().map(|post| post.id);
            let history = Command::History {
                conversation,
                before,
            };
            let mut answers = self.call(&history).await?.into_iter();
            let page = answers.find_map(|event| match event {
                Event::Posts { posts, more, .. } => Some((posts, more)),
                _ => None,
            });
            let Some((mut posts, more)) = page else {
                bail!("history is answered without a page");
            };
            ensure!(!more || !posts.is_empty(), "an empty page, and more");
            posts.append(&mut all);
            all = posts;
            if !more {
                break;
            }
        }
        let is_sorted = all.is_sorted_by(|one, two| one.id < two.id);
        ensure!(is_sorted, "the pages are not in the order of their ids");
        Ok(all)
    }
}

/// What events have put on the screen, and no page has so. What was said while the pages were read
/// may not be in them yet.
fn astray(lines: &[Line], posts: &[Post]) -> Result<Vec<(Shown, Option<Shown>)>> {
    let lines = lines.iter().filter_map(|line| match line {
        Line::Post(post) => Some(&**post),
        _ => None,
    });
    let lines: Vec<&Post> = lines.collect();
    let is_sorted = lines.is_sorted_by(|one, two| one.id < two.id);
    ensure!(is_sorted, "the lines are not in the order of their ids");
    let last = posts.last().map(|post| post.id);
    let old = lines.into_iter().filter(|line| Some(line.id) <= last);
    let pairs = old.map(|line| {
        let at = posts.binary_search_by_key(&line.id, |post| post.id);
        (shown(line), at.ok().map(|at| shown(&posts[at])))
    });
    Ok(pairs
        .filter(|(line, page)| Some(line) != page.as_ref())
        .collect())
}

/// Waits until all of these people are in these conversations and see the same of each, and it is
/// as wanted.
///
/// # Errors
/// If that is not so within [`SETTLED`]: says how it differs.
pub async fn agree(
    people: &mut [&mut Person],
    conversations: &[ConversationId],
    what: &str,
    mut is_wanted: impl FnMut(ConversationId, &Screen) -> bool,
) -> Result<BTreeMap<ConversationId, Screen>> {
    let deadline = Instant::now() + SETTLED;
    loop {
        let found = compare(people, conversations, &mut is_wanted).await?;
        let difference = match found {
            Ok(screens) => return Ok(screens),
            Err(difference) => difference,
        };
        if !wait_for_news(people, deadline).await? {
            bail!("{what}: not within {SETTLED:?}: {difference}");
        }
    }
}

async fn compare(
    people: &mut [&mut Person],
    conversations: &[ConversationId],
    is_wanted: &mut impl FnMut(ConversationId, &Screen) -> bool,
) -> Result<Result<BTreeMap<ConversationId, Screen>, String>> {
    let mut screens = BTreeMap::new();
    for id in conversations {
        let mut first: Option<(String, Screen)> = None;
        for person in &mut *people {
            let name = person.name.to_string();
            let Some(screen) = person.screen(*id).await? else {
                return Ok(Err(format!("{name} is not in {id}")));
            };
            match &first {
                None => first = Some((name, screen)),
                Some((one, of_one)) => {
                    if let Some(difference) = of_one.difference(&screen) {
                        return Ok(Err(format!("{one} and {name} differ: {difference}")));
                    }
                }
            }
        }
        let Some((_, screen)) = first else {
            bail!("nobody is asked");
        };
        if !is_wanted(*id, &screen) {
            return Ok(Err(format!(
                "all see the same, which is not it: {screen:?}"
            )));
        }
        screens.insert(*id, screen);
    }
    Ok(Ok(screens))
}

/// Waits until something came for one of these people, and then it was silent for a moment. False
/// when nothing has come until then.
async fn wait_for_news(people: &mut [&mut Person], until: Instant) -> Result<bool> {
    let mut limit = until;
    let mut has_come = false;
    loop {
        let next = people.iter_mut().map(|person| Box::pin(person.next()));
        match timeout_at(limit, select_all(next)).await {
            Ok((update, ..)) => drop(update?),
            Err(_) => return Ok(has_come),
        }
        has_come = true;
        limit = until.min(Instant::now() + SILENCE);
    }
}

fn shown(post: &Post) -> Shown {
    let reply = post.reply.as_ref();
    let reactions = post.reactions.iter().map(|reaction| {
        let mut by: Vec<String> = reaction.by.iter().map(name).collect();
        by.sort();
        (reaction.emoji.clone(), by)
    });
    Shown {
        id: post.id,
        at: post.at,
        from: name(&post.from),
        state: post.state,
        text: post.text.clone(),
        edited: post.edited,
        reply: reply.map(|quote| (quote.id, name(&quote.from), quote.text.clone())),
        reactions: reactions.collect(),
    }
}

fn name(who: &Named) -> String {
    let name = who.name.map(|name| name.to_string());
    name.unwrap_or_else(|| format!("{:?}", who.key))
}
