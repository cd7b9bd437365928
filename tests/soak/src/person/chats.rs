//! What a user does in encrypted conversations, and sees of them.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use p2pchat_model::{Chat, Command, ConversationId, Event, Line, Post, Standing, Username, View};
use p2pchat_testkit::SOON;

use super::Person;

impl Person {
    /// Begins a group with these people, who are asked.
    pub(crate) async fn begins_group(
        &self,
        name: &str,
        members: &[&str],
    ) -> Result<ConversationId> {
        let names = members.iter().map(|name| name.parse::<Username>());
        let members = names.collect::<Result<_, _>>()?;
        let name = name.parse()?;
        self.opens(Command::Group { name, members }).await
    }

    /// Begins the direct conversation with another user, who is asked.
    pub(crate) async fn begins_chat(&self, with: &str) -> Result<ConversationId> {
        let with = with.parse()?;
        self.opens(Command::Chat { with }).await
    }

    async fn opens(&self, command: Command) -> Result<ConversationId> {
        let since = Instant::now();
        self.ask(command).await?;
        let opened = |event: &Event| match event {
            Event::Opened { conversation } => Some(*conversation),
            _ => None,
        };
        Ok(self.sees(since, "new conversation", SOON, opened).await?.1)
    }

    /// Accepts to be in a conversation, once they are asked.
    pub(crate) async fn joins(&self, conversation: ConversationId) -> Result<()> {
        let is_asked = |chat: &Chat| matches!(chat.standing, Standing::Asked(_));
        self.finds(conversation, "request", SOON, is_asked).await?;
        self.ask(Command::Join { conversation }).await?;
        let is_in = |chat: &Chat| chat.standing == Standing::In;
        self.finds(conversation, "membership", SOON, is_in).await
    }

    /// Waits until a conversation is as `wanted`.
    pub(crate) async fn finds(
        &self,
        conversation: ConversationId,
        what: &str,
        limit: Duration,
        wanted: impl Fn(&Chat) -> bool,
    ) -> Result<()> {
        let find = |seen: &[(Instant, Event)]| {
            let mut newest_first = seen.iter().rev();
            let chat = newest_first.find_map(|(_, event)| match event {
                Event::Chat {
                    conversation: of,
                    chat,
                } if *of == conversation => Some((**chat).clone()),
                Event::View(snapshot) => {
                    let conversations = &snapshot.view.conversations;
                    let found = conversations.iter().find(|one| one.id == conversation)?;
                    found.chat.clone()
                }
                _ => None,
            })?;
            wanted(&chat).then_some(())
        };
        let what = format!("{what} of {}", &conversation.as_str()[..8]);
        let found = self.record.find_in_all(&what, limit, find).await;
        found.with_context(|| format!("at {}'s", self.name))
    }

    /// Waits until so many people are in a conversation, with this person.
    pub(crate) async fn counts_members(
        &self,
        conversation: ConversationId,
        count: usize,
    ) -> Result<()> {
        let is_so = |chat: &Chat| {
            let others = chat.members.iter().filter(|member| !member.asked);
            chat.standing == Standing::In && others.count() + 1 == count
        };
        let what = format!("{count} members");
        self.finds(conversation, &what, SOON, is_so).await
    }

    /// Sends a text.
    pub(crate) async fn writes(&self, conversation: ConversationId, text: &str) -> Result<Instant> {
        let now = Instant::now();
        self.ask(Command::say(conversation, text)).await?;
        Ok(now)
    }

    /// Waits until this text of another person is shown, and says how long after `since` that was.
    pub(crate) async fn gets(
        &self,
        conversation: ConversationId,
        text: &str,
        since: Instant,
        limit: Duration,
    ) -> Result<Duration> {
        let what = format!("text {text:?}");
        let is_it =
            |post: &Post| post.conversation == conversation && !post.is_own() && post.text == text;
        let gets = |event: &Event| posts(event).any(is_it).then_some(());
        Ok(self.sees(since, &what, limit, gets).await?.0)
    }

    /// Waits until an own text has reached all but those of these names.
    pub(crate) async fn waits_for(
        &self,
        text: &str,
        names: &[&str],
        since: Instant,
        limit: Duration,
    ) -> Result<Duration> {
        let what = format!("own text {text:?} that waits for {names:?}");
        let waits = |event: &Event| {
            let mut posts = posts(event);
            posts.find_map(|post| {
                let waiting: Vec<_> = post.waits_for().filter_map(|named| named.name).collect();
                let mut waiting: Vec<_> = waiting.iter().map(Username::as_str).collect();
                waiting.sort_unstable();
                (post.is_own() && post.text == text && waiting == names).then_some(())
            })
        };
        Ok(self.sees(since, &what, limit, waits).await?.0)
    }

    /// Waits until an own text waits for nobody any more, however long ago that was.
    pub(crate) async fn is_delivered(&self, text: &str, limit: Duration) -> Result<()> {
        let is_delivered =
            |post: &Post| post.is_own() && post.text == text && post.waits_for().next().is_none();
        let find = |seen: &[(Instant, Event)]| {
            let mut events = seen.iter().map(|(_, event)| event);
            events
                .any(|event| posts(event).any(is_delivered))
                .then_some(())
        };
        let what = format!("own text {text:?} that waits for nobody");
        let found = self.record.find_in_all(&what, limit, find).await;
        found.with_context(|| format!("at {}'s", self.name))
    }

    /// Waits until a text is there, also if it came before.
    pub(crate) async fn finds_text(
        &self,
        conversation: ConversationId,
        text: &str,
        limit: Duration,
    ) -> Result<()> {
        let is_it = |line: &Line| match line {
            Line::Post(post) => post.text == text,
            Line::Notice { .. } | Line::Message(_) => false,
        };
        let is_in_event = |event: &Event| match event {
            Event::View(snapshot) => {
                let found = snapshot.view.conversation(conversation);
                found.is_some_and(|found| found.lines.iter().any(is_it))
            }
            event => {
                posts(event).any(|post| post.conversation == conversation && post.text == text)
            }
        };
        let find = |seen: &[(Instant, Event)]| {
            seen.iter()
                .any(|(_, event)| is_in_event(event))
                .then_some(())
        };
        let what = format!("text {text:?}");
        let found = self.record.find_in_all(&what, limit, find).await;
        found.with_context(|| format!("at {}'s", self.name))
    }

    /// All texts of a conversation as they are shown now, in their order: those of the view, and
    /// the page before them.
    pub(crate) async fn reads_all(&self, conversation: ConversationId) -> Result<Vec<String>> {
        let since = Instant::now();
        let before = None;
        self.ask(Command::History {
            conversation,
            before,
        })
        .await?;
        let page = |event: &Event| match event {
            Event::Posts {
                conversation: of,
                posts,
                ..
            } if *of == conversation => Some(posts.iter().map(|post| post.text.clone()).collect()),
            _ => None,
        };
        Ok(self.sees(since, "page of messages", SOON, page).await?.1)
    }

    /// The texts of a conversation in the order in which a front end that follows shows them.
    pub(crate) fn shown(&self, conversation: ConversationId) -> Vec<String> {
        let mut view = View::default();
        self.record.all(|event| {
            view.apply(event);
            None::<()>
        });
        let mut conversations = view.conversations.iter();
        let found = conversations.find(|found| found.id == conversation);
        let lines = found.into_iter().flat_map(|found| found.lines.iter());
        let texts = lines.filter_map(|line| match line {
            Line::Post(post) => Some(post.text.clone()),
            Line::Notice { .. } | Line::Message(_) => None,
        });
        texts.collect()
    }
}

/// The messages of encrypted conversations that an event brings.
pub(crate) fn posts(event: &Event) -> impl Iterator<Item = &Post> {
    let (one, many): (Option<&Post>, &[Post]) = match event {
        Event::Post(post) | Event::PostChanged(post) => (Some(post), &[]),
        Event::Posts { posts, .. } => (None, posts),
        _ => (None, &[]),
    };
    one.into_iter().chain(many)
}
