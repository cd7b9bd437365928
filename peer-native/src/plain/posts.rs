//! Events of encrypted conversations as lines of plain text.

use p2pchat_model::wording::chat::{self, title};
use p2pchat_model::wording::label;
use p2pchat_model::{
    Chat, Conversation, ConversationId, Event, Line, MessageId, Named, Post, PostState, Standing,
    View,
};

use super::lines::{QUOTED, said};
use crate::clock::Clock;
use crate::wrap::{fit, one_line};

/// The lines for an event of an encrypted conversation; `view` is the view before it.
pub(super) fn lines(event: &Event, view: &View, clock: &Clock) -> Vec<String> {
    let now = clock.time(Clock::now());
    match event {
        Event::Post(post) => {
            let when = match post.came {
                Some(_) => clock.date_and_time(post.at),
                None => clock.time(post.at),
            };
            if view.has_blocked(&post.from) {
                let title = title_of(post.conversation, view);
                return vec![format!("[{when}] {title} / ({})", chat::FOLDED)];
            }
            let mut lines = post_lines(post, view, &when);
            lines.extend(waiting(post, view));
            lines
        }
        Event::PostChanged(post) if view.has_blocked(&post.from) => Vec::new(),
        Event::PostChanged(post) => match known(post.conversation, post.id, view) {
            Some(before) => changes(before, post, view, &now),
            None => Vec::new(),
        },
        Event::Posts {
            before: Some(_),
            posts,
            changes,
            ..
        } if posts.is_empty() && changes.is_empty() => vec![label::NO_EARLIER.to_owned()],
        Event::Posts {
            conversation,
            posts,
            changes,
            ..
        } => {
            let title = title_of(*conversation, view);
            let date = |at| clock.date_and_time(at);
            let posts = posts
                .iter()
                .map(|post| (post.at, post_lines(post, view, &date(post.at))));
            let changes = changes.iter().map(|changed| {
                let line = notice(&title, &date(changed.at), &Line::from(changed));
                (changed.at, line.into_iter().collect())
            });
            let mut all: Vec<(_, Vec<String>)> = posts.chain(changes).collect();
            all.sort_by_key(|(at, _)| *at);
            all.into_iter().flat_map(|(_, lines)| lines).collect()
        }
        Event::Chat { conversation, chat } => {
            let known = view.conversation(*conversation);
            let known = known.and_then(|known| known.chat.as_ref());
            let is_known = known.is_some_and(|known| known.standing == chat.standing);
            let request = request(chat).filter(|_| !is_known);
            request
                .map(|request| format!("[{now}] {request}"))
                .into_iter()
                .collect()
        }
        Event::ChatChanged {
            conversation, at, ..
        } => {
            let is_today = clock.day(*at) == clock.day(Clock::now());
            let when = if is_today {
                clock.time(*at)
            } else {
                clock.date_and_time(*at)
            };
            let line = View::notice(event);
            let line = line.and_then(|line| notice(&title_of(*conversation, view), &when, &line));
            line.into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// What has happened in a conversation.
fn notice(title: &str, when: &str, line: &Line) -> Option<String> {
    match line {
        Line::Notice { text, .. } => Some(format!("[{when}] {title} / {}", one_line(text))),
        Line::Message(_) | Line::Post(_) => None,
    }
}

/// A request to be in a conversation, and how to answer it.
pub(super) fn request(chat: &Chat) -> Option<String> {
    let Standing::Asked(by) = chat.standing else {
        return None;
    };
    let (asks, sees) = (chat::asks(by, chat), chat::sees(chat));
    Some(one_line(&format!("{asks}. {sees} /join or /decline")))
}

/// Messages with their dates, as they are now.
pub(crate) fn earlier<'a>(
    posts: impl Iterator<Item = &'a Post>,
    view: &View,
    clock: &Clock,
) -> Vec<String> {
    posts
        .flat_map(|post| post_lines(post, view, &clock.date_and_time(post.at)))
        .collect()
}

/// `[12:53] Release team / carol > bob: fine`, for a reply to bob. All lines of a text but the
/// first are indented by two spaces, so that no text looks like a line of the program.
fn post_lines(post: &Post, view: &View, when: &str) -> Vec<String> {
    let title = title_of(post.conversation, view);
    let to = post
        .reply
        .as_ref()
        .map(|reply| format!(" > {}", reply.from));
    let edited = post.edited.map(|_| format!(" ({})", chat::EDITED));
    let from = format!(
        "{}{}{}",
        post.from,
        to.unwrap_or_default(),
        edited.unwrap_or_default()
    );
    said(
        &format!("[{when}] {title} / {}", one_line(&from)),
        &text(post),
    )
}

/// The text of a message, or what stands in its place, in brackets.
fn text(post: &Post) -> String {
    match post.state {
        PostState::Shown => post.text.clone(),
        PostState::Deleted | PostState::NotKept | PostState::NeedsNewer => {
            format!("({})", chat::text(post))
        }
    }
}

/// Those who have to come before they get a message of the user: it is on its way to the others.
pub(super) fn waiting(post: &Post, view: &View) -> Option<String> {
    let chat = view.conversation(post.conversation)?.chat.as_ref();
    if let Some(held) = chat.and_then(|chat| chat::not_sent(post, chat)) {
        return Some(format!("  [{}; /anyway]", one_line(&held)));
    }
    let is_away = |who: &Named| who.name.is_none_or(|name| view.user(name).is_none());
    let away: Vec<Named> = post.waits_for().filter(is_away).collect();
    let names = one_line(&chat::names(away.into_iter()));
    (!names.is_empty()).then(|| format!("  [waiting for {names}]"))
}

/// What is different in a message.
fn changes(before: &Post, now: &Post, view: &View, when: &str) -> Vec<String> {
    let title = title_of(now.conversation, view);
    let line = |who: Named, what: String| {
        let who = one_line(&who.to_string());
        format!("[{when}] {title} / {who} {what}")
    };
    let quoted = format!("“{}”", fit(&one_line(&before.text), QUOTED));
    let mut lines = match (before.state, now.state) {
        (PostState::Shown, PostState::Deleted) => {
            vec![line(now.from, format!("deleted {quoted}"))]
        }
        (PostState::Shown, PostState::Shown) if before.text != now.text => {
            said(&line(now.from, format!("({})", chat::EDITED)), &now.text)
        }
        (_, PostState::Shown) if before.state != PostState::Shown => post_lines(now, view, when),
        _ => Vec::new(),
    };
    for reaction in &now.reactions {
        let earlier = before.reactions.iter();
        let earlier = earlier.filter(|known| known.emoji == reaction.emoji);
        let earlier: Vec<Named> = earlier.flat_map(|known| known.by.clone()).collect();
        let is_new = |who: &&Named| !earlier.iter().any(|known| known.key == who.key);
        let emoji = one_line(&reaction.emoji);
        let new = reaction.by.iter().filter(is_new);
        lines.extend(new.map(|who| line(*who, format!("reacted {emoji} to {quoted}"))));
    }
    lines
}

fn known(conversation: ConversationId, id: MessageId, view: &View) -> Option<&Post> {
    let mut lines = view.conversation(conversation)?.lines.iter().rev();
    lines.find_map(|line| match line {
        Line::Post(post) if post.id == id => Some(&**post),
        _ => None,
    })
}

/// The name of a conversation, without what stands between it and who has written.
pub(super) fn title_of(conversation: ConversationId, view: &View) -> String {
    match view.conversation(conversation) {
        Some(conversation) => one_line(&title(conversation)).replace(" / ", "/"),
        None => conversation.to_string(),
    }
}

/// Who is in an encrypted conversation.
pub(super) fn members(chat: &Chat, view: &View) -> String {
    let names = chat.members.iter().map(|member| {
        let is_online = member
            .who
            .name
            .is_some_and(|name| view.user(name).is_some());
        let state = match is_online {
            _ if member.asked => Some(label::ASKED),
            _ if member.declined => Some(label::DECLINED),
            false => Some(label::OFFLINE),
            true => None,
        };
        let state = state.map(|state| format!(" ({state})"));
        one_line(&format!("{}{}", member.who, state.unwrap_or_default()))
    });
    names.collect::<Vec<_>>().join(", ")
}

/// `Release team (3 unread)`.
pub(super) fn summary(conversation: &Conversation) -> String {
    let title = one_line(&title(conversation));
    let is_asked = conversation
        .chat
        .as_ref()
        .is_some_and(|chat| matches!(chat.standing, Standing::Asked(_)));
    match conversation.unread() {
        _ if is_asked => format!("{title} (request)"),
        0 => title,
        unread => format!("{title} ({unread} unread)"),
    }
}

#[cfg(test)]
pub(super) mod tests;
