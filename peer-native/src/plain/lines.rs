//! Events as lines of plain text.

use p2pchat_model::wording::security::{self, line_to_registry};
use p2pchat_model::wording::{self, label};
use p2pchat_model::{
    DeliveryState, Dropped, Event, IncomingRequest, KnownRegistry, Line, Link, Message, MessageId,
    Person, Problem, Security, Timestamp, Trust, User, Username, View, printable,
};

use super::posts;
use crate::clock::Clock;
use crate::shown::Shown;
use crate::wrap::{fit, one_line};

/// What to do where there is no registry.
pub(crate) const CHOOSE_REGISTRY: &str = "Go to one: /registry ADDRESS · Start one on this computer, \
                                          for everyone on its network: /registry start";

/// How many columns of a message are quoted in a line about it.
pub(super) const QUOTED: usize = 40;

/// The lines for an event, mostly one. `view` is the view before it.
pub(crate) fn lines(event: &Event, view: &View, clock: &Clock) -> Vec<String> {
    let now = Clock::now();
    let stamped = |text: String| vec![format!("[{}] {text}", clock.time(now))];
    match event {
        Event::Message(message) => message_lines(message, &clock.time(message.at)),
        Event::Link(link) => match security::registry_stop(&view.registry, link) {
            Some(stop) => {
                let [what, rest @ ..] = stop.map(|text| one_line(&text));
                let mut lines = stamped(what);
                lines.extend(rest);
                lines
            }
            None => link_line(link, view, now).map(stamped).unwrap_or_default(),
        },
        Event::Delivered {
            message: id,
            delivery,
            ..
        } => match delivery.state {
            DeliveryState::Failed(reason) => {
                let words = wording::not_delivered(&delivery.to, reason);
                stamped(format!("{} {}", quoted(view, *id), one_line(&words)))
            }
            // Where the connection broke; legacy clients never confirm more.
            DeliveryState::Unconfirmed if !view.is_member(delivery.to.address) => {
                let words = wording::not_confirmed(&delivery.to);
                stamped(format!("{} {}", quoted(view, *id), one_line(&words)))
            }
            _ => Vec::new(),
        },
        Event::RequestReceived(request) => stamped(one_line(&request_line(request, view))),
        Event::Security(security) if *security != view.security => {
            let words = match security {
                // With its fingerprint on demand.
                Security::Encrypted { .. } => {
                    Some("the line to the registry is encrypted".to_owned())
                }
                _ => line_to_registry(*security),
            };
            words.map(stamped).unwrap_or_default()
        }
        Event::Code { name, code, trust } => {
            let own = view.identity.and_then(|identity| identity.code);
            let own = own.map(|code| format!("your code: {code}. {}", security::COMPARE));
            let mut lines = stamped(one_line(&security::code_of(*name, *code, *trust)));
            lines.extend(own);
            let differ = format!("{}? {}", label::THEY_DO_NOT_MATCH, label::DO_NOT_TRUST);
            lines.push(differ);
            lines
        }
        Event::Presence { users, .. } => {
            let is_verified =
                |user: Option<&User>| user.is_some_and(|user| user.trust == Some(Trust::Verified));
            let known = |user: &&User| view.user(user.name).is_some();
            let verified = users
                .iter()
                .filter(known)
                .filter(|user| is_verified(Some(user)) && !is_verified(view.user(user.name)));
            let verified = verified.map(|user| one_line(&security::is_verified(user.name)));
            verified.flat_map(stamped).collect()
        }
        Event::Registries { list } => registries(list),
        Event::RegistryFound { registry } => {
            vec![format!(
                "a registry on this computer: /registry {}",
                one_line(registry)
            )]
        }
        Event::Away { on } if *on != view.away => stamped(security::away(*on).to_owned()),
        Event::LegacyLogin { on } if *on != view.legacy_login => {
            stamped(security::legacy_login(*on).to_owned())
        }
        Event::DisplayName { display_name } if *display_name != view.display_name => {
            stamped(if display_name.is_empty() {
                "you are shown without a display name".to_owned()
            } else {
                format!("others see you as “{}”", one_line(display_name.as_str()))
            })
        }
        Event::Busy { on } => {
            let words = if *on { label::BUSY_ON } else { label::BUSY_OFF };
            stamped(words.to_owned())
        }
        Event::History {
            before: Some(_),
            messages,
            ..
        } if messages.is_empty() => vec![label::NO_EARLIER.to_owned()],
        Event::History { messages, .. } => earlier(messages.iter(), clock),
        Event::Findings {
            conversation,
            text,
            messages,
            posts: found,
        } => {
            let within = conversation.map(|id| posts::title_of(id, view));
            let within = within.unwrap_or_else(|| label::ALL_CHATS.to_owned());
            let count = messages.len() + found.len();
            let words = wording::found_messages(count, text);
            let more = match (count, conversation) {
                (0, Some(_)) => format!("; in every chat: /find --all {text}"),
                _ => String::new(),
            };
            let mut lines = vec![one_line(&format!("{within}: {words}{more}"))];
            lines.extend(earlier(messages.iter().rev(), clock));
            lines.extend(posts::earlier(found.iter().rev(), view, clock));
            lines
        }
        Event::Failed(failure) if failure.code == Problem::HasEncrypted => {
            let allow = failure.names.iter().map(|name| format!("/allow {name}"));
            let allow: Vec<_> = allow.collect();
            let all_the_same = format!("all the same: {}, then again", allow.join(", "));
            let mut lines = stamped(one_line(&failure.message));
            lines.push(one_line(&all_the_same));
            lines
        }
        Event::Post(_)
        | Event::PostChanged(_)
        | Event::Posts { .. }
        | Event::Chat { .. }
        | Event::ChatChanged { .. } => posts::lines(event, view, clock),
        _ => match View::notice(event) {
            Some(Line::Notice { at, text, .. }) => {
                vec![format!("[{}] {}", clock.time(at), one_line(&text))]
            }
            _ => Vec::new(),
        },
    }
}

fn message_lines(message: &Message, when: &str) -> Vec<String> {
    let from = one_line(&message.from.to_string());
    said(&format!("[{when}] {from}"), &message.text)
}

/// Something that someone has written, in its lines. All but the first are indented by two
/// spaces, so that no text looks like a line of the program.
pub(super) fn said(who: &str, text: &str) -> Vec<String> {
    let text = printable(text.trim_end());
    let mut lines = text.split('\n');
    let first = format!("{who}: {}", lines.next().unwrap_or_default());
    let rest = lines.map(|line| format!("  {line}").trim_end().to_owned());
    std::iter::once(first).chain(rest).collect()
}

pub(crate) fn earlier<'a>(
    messages: impl Iterator<Item = &'a Message>,
    clock: &Clock,
) -> Vec<String> {
    messages
        .flat_map(|message| message_lines(message, &clock.date_and_time(message.at)))
        .collect()
}

fn link_line(link: &Link, view: &View, now: Timestamp) -> Option<String> {
    match (link, &view.link) {
        (Link::Up, Link::Up)
        | (
            Link::Connecting | Link::NoRegistry | Link::PasswordNeeded | Link::KeyChanged { .. },
            _,
        ) => None,
        (Link::Up, _) => Some(wording::registry_is_up(&view.registry)),
        (Link::Down { reason, retry_at }, _) => {
            let down = wording::registry_is_down(&view.registry, reason);
            let next = wording::next_try(now.seconds_until(*retry_at));
            Some(format!("{}; {next}", one_line(&down)))
        }
    }
}

/// The beginning of a message of the user, in quotation marks.
fn quoted(view: &View, id: MessageId) -> String {
    let lines = view.conversations.iter().flat_map(|known| &known.lines);
    let text = lines.rev().find_map(|line| match line {
        Line::Message(message) if message.id == id => Some(&message.text),
        _ => None,
    });
    match text {
        Some(text) => format!("“{}”", fit(&one_line(text), QUOTED)),
        None => "a message".to_owned(),
    }
}

/// The sender of a chat request, what accepting it means, and how to answer.
fn request_line(request: &IncomingRequest, view: &View) -> String {
    let who = format!("{}{}", request.from, warning(&request.from, view));
    let seen = wording::who_meets(request, view).map(|words| format!("; {words}"));
    let seconds = request.at.seconds_until(request.expires);
    format!(
        "{}{}; /accept, /decline or /block within {seconds} s",
        wording::asks(who, request, view),
        seen.unwrap_or_default()
    )
}

/// ` (looks like bob but is not)`, for a name that looks like another.
fn warning(person: &Person, view: &View) -> String {
    let other = person.name.and_then(|name| view.lookalike_of(name));
    let warning = other.map(|other| format!(" ({})", wording::looks_like(other)));
    warning.unwrap_or_default()
}

/// Names in a row.
fn names(people: &[String], none: &str) -> String {
    if people.is_empty() {
        none.to_owned()
    } else {
        one_line(&people.join(", "))
    }
}

/// Who is in the conversation that is shown.
fn members(shown: Shown<'_>) -> String {
    let conversation = shown.conversation();
    if let Some(chat) = &conversation.chat {
        let title = posts::title_of(conversation.id, shown.view);
        let encryption = wording::chat::encryption(chat);
        let members = posts::members(chat, shown.view);
        return one_line(&format!("{title} ({encryption}): {members}"));
    }
    let members = conversation.members.iter().map(ToString::to_string);
    let unreachable = conversation.out_of_reach.iter();
    let unreachable = unreachable.map(|person| format!("{person} ({})", label::OFFLINE));
    let members = names(
        &members.chain(unreachable).collect::<Vec<_>>(),
        label::NO_MEMBERS,
    );
    format!("{}: {members}", label::MEMBERS)
}

/// Who is signed in, the messages of the conversation and who is in it, for a front end that
/// comes later than others. With `after`, only the messages after this one.
pub(crate) fn conversation(
    shown: Shown<'_>,
    after: Option<MessageId>,
    clock: &Clock,
) -> Vec<String> {
    let view = shown.view;
    let mut lines = messages(shown, after, clock);
    if let (None, Some(account)) = (after, view.account) {
        lines.push(format!("signed in as {}", one_line(account.as_str())));
        lines.push(members(shown));
        lines.extend(chats(view));
        let request = view.incoming.as_ref();
        lines.extend(request.map(|request| one_line(&request_line(request, view))));
        let chats = view
            .conversations
            .iter()
            .filter_map(|one| one.chat.as_ref());
        lines.extend(chats.filter_map(posts::request));
    }
    lines
}

/// The messages of a conversation that are loaded, after this one.
fn messages(shown: Shown<'_>, after: Option<MessageId>, clock: &Clock) -> Vec<String> {
    let lines = shown.conversation().lines.iter();
    let lines = lines.filter(|line| line.message_id() > after);
    lines
        .flat_map(|line| match line {
            Line::Message(message) => earlier(std::iter::once(&**message), clock),
            Line::Post(post) => posts::earlier(std::iter::once(&**post), shown.view, clock),
            Line::Notice { .. } => Vec::new(),
        })
        .collect()
}

/// A conversation that the user goes to: who is in it, and what is loaded of it.
pub(crate) fn gone_to(shown: Shown<'_>, clock: &Clock) -> Vec<String> {
    let mut lines = messages(shown, None, clock);
    lines.push(members(shown));
    lines
}

/// The encrypted conversations, if there are any.
fn chats(view: &View) -> Option<String> {
    let chats = view.conversations.iter().filter(|one| one.chat.is_some());
    let chats: Vec<String> = chats.map(posts::summary).collect();
    (!chats.is_empty()).then(|| format!("{}: {}", wording::chat::CHATS, chats.join(", ")))
}

/// A user who is online, with their address and what else is known of them.
fn listed(user: &User, view: &View) -> String {
    let name = security::with_display_name(user.name, user.display_name);
    let mut beside = vec![user.address.to_string()];
    beside.extend(security::notes(user, view).into_iter().map(str::to_owned));
    let warning = warning(&user.person(), view);
    format!("{name} ({}){warning}", beside.join(", "))
}

/// What is known of a user.
pub(crate) fn person(name: Username, view: &View) -> String {
    let user = view.user(name).map(|user| listed(user, view));
    one_line(&user.unwrap_or_else(|| format!("{name} ({})", label::OFFLINE)))
}

/// Who is in the chat, who is online, and what was ignored.
pub(crate) fn who(shown: Shown<'_>) -> Vec<String> {
    let view = shown.view;
    let others = view.others().map(|user| listed(user, view));
    let others = names(&others.collect::<Vec<_>>(), label::NO_ONE_ONLINE);
    let mut lines = vec![members(shown)];
    lines.extend(chats(view));
    lines.push(format!("{}: {others}", label::ONLINE));
    lines.extend(line_to_registry(view.security));
    let ignored = view.dropped.iter().map(Dropped::tally);
    lines.extend(ignored.map(|tally| format!("{}: {}", label::IGNORED, one_line(&tally))));
    lines
}

/// The keys of the profile, and the line to the registry.
pub(crate) fn identity(view: &View) -> Vec<String> {
    let all = security::identity(view).into_iter();
    all.map(|(what, value)| format!("{what}: {}", one_line(&value)))
        .collect()
}

/// The registries that are known by their key.
pub(crate) fn registries(list: &[KnownRegistry]) -> Vec<String> {
    if list.is_empty() {
        return vec![security::NO_REGISTRIES.to_owned()];
    }
    let line = |known: &KnownRegistry| {
        let name = one_line(&known.registry);
        format!("{name}#{} since {}", known.fingerprint, known.since)
    };
    list.iter().map(line).collect()
}

/// Who is blocked.
pub(crate) fn blocked(view: &View) -> Vec<String> {
    match view.blocked.as_slice() {
        [] => vec![label::NO_ONE_BLOCKED.to_owned()],
        blocked => blocked
            .iter()
            .map(|who| format!("{}: {}", label::BLOCKED, one_line(&who.to_string())))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use p2pchat_model::{ConversationId, NameCheck, OnlineUser};

    use super::*;

    fn message() -> Message {
        Message {
            conversation: ConversationId::OPEN,
            id: MessageId::new(1),
            at: Timestamp(1_795_364_580_000),
            from: Person {
                name: "bob".parse().ok(),
                address: "127.0.0.3".parse().unwrap(),
                check: NameCheck::Unknown,
            },
            text: "a\u{1b}[2Jb\nc\u{202e}".to_owned(),
            deliveries: None,
        }
    }

    #[test]
    fn terminal_escapes_do_not_get_through() {
        assert_eq!(
            lines(&Event::Message(message()), &View::default(), &Clock::utc()),
            ["[16:23] bob (127.0.0.3): a␛[2Jb", "  c\u{fffd}"]
        );
    }

    #[test]
    fn lines_of_code_stay_lines_and_nothing_looks_like_a_line_of_the_program() {
        let mut message = message();
        message.text = "fn a() {\n    b();\n\tc();\n\n}\n[16:24] carol: fake\r\n\n".to_owned();
        let lines = lines(&Event::Message(message), &View::default(), &Clock::utc());
        assert_eq!(
            lines,
            [
                "[16:23] bob (127.0.0.3): fn a() {",
                "      b();",
                "  \tc();",
                "",
                "  }",
                "  [16:24] carol: fake",
            ]
        );
    }

    #[test]
    fn the_beginning_of_the_history_is_told_to_those_who_ask_for_more() {
        let page = |before| Event::History {
            conversation: ConversationId::OPEN,
            before,
            messages: Vec::new(),
            more: false,
        };
        let told = |event| lines(&event, &View::default(), &Clock::utc());
        assert_eq!(told(page(Some(MessageId::new(1)))), [label::NO_EARLIER]);
        assert!(told(page(None)).is_empty(), "that comes at each login");
    }

    #[test]
    fn a_name_that_looks_like_another_is_marked() {
        let mut view = View::default();
        view.apply(&Event::Online {
            users: [("bob", 3), ("b\u{43e}b", 4), ("\u{3164}", 5)]
                .map(|(name, last)| {
                    let address = format!("127.0.0.{last}").parse().unwrap();
                    let name = name.parse().unwrap();
                    OnlineUser { name, address }.into()
                })
                .to_vec(),
        });
        let (view, id) = (&view, ConversationId::OPEN);
        let who = who(Shown { view, id }).join("\n");
        assert!(
            who.contains("bob (127.0.0.3), b\u{43e}b (127.0.0.4) (looks like bob but is not)"),
            "{who}"
        );
        assert!(who.contains("\u{fffd} (127.0.0.5)"), "{who}");
        assert_eq!(
            person("bob".parse().unwrap(), view),
            "bob (127.0.0.3)",
            "of one alone"
        );
        assert_eq!(person("carl".parse().unwrap(), view), "carl (offline)");
    }
}
