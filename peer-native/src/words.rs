//! Events as lines of plain text.

use p2pchat_model::{
    DeliveryState, Event, IncomingRequest, LeaveReason, Line, Link, Message, MessageId, Person,
    Username, View,
};

use crate::clock::Clock;
use crate::wrap::{fit, one_line};

/// How many columns of a text are quoted where a line names it.
const QUOTED: usize = 40;

/// What a plain front end prints when this happens; mostly one line. `view` is what there
/// was to see before it.
#[must_use]
pub fn lines(event: &Event, view: &View, clock: &Clock) -> Vec<String> {
    let now = Clock::now();
    let stamped = |text: String| vec![format!("[{}] {text}", clock.time(now))];
    match event {
        Event::Message(message) => vec![said(message, &clock.time(message.at))],
        Event::Started { address, .. } => vec![format!("this peer is at {address}")],
        Event::Link(link) => link_words(link, view, now).map(stamped).unwrap_or_default(),
        Event::Delivered { id, delivery } => match delivery.state {
            DeliveryState::Failed(reason) => {
                let text = own_text(view, *id);
                stamped(undelivered(&delivery.to, &text, reason))
            }
            // Where the connection broke; programs of 2017 never say more.
            DeliveryState::Unconfirmed if !view.is_member(delivery.to.address) => {
                let (to, text) = (one_line(&delivery.to.to_string()), own_text(view, *id));
                stamped(format!("{to} may have got {text}, or not"))
            }
            _ => Vec::new(),
        },
        Event::RequestReceived(request) => stamped(one_line(&request_words(request, view))),
        Event::Busy { on: true } => stamped("you are busy: chat requests are turned away".into()),
        Event::Busy { on: false } => stamped("you take chat requests again".into()),
        Event::History { messages, .. } => earlier(messages.iter(), clock),
        Event::Findings { text, messages } => {
            let mut lines = vec![format!(
                "found for “{}”: {}",
                one_line(text),
                messages.len()
            )];
            lines.extend(earlier(messages.iter().rev(), clock));
            lines
        }
        _ => match View::notice(event) {
            Some(Line::Notice { at, text, .. }) => {
                vec![format!("[{}] {}", clock.time(at), one_line(&text))]
            }
            _ => Vec::new(),
        },
    }
}

fn said(message: &Message, when: &str) -> String {
    let from = one_line(&message.from.to_string());
    format!("[{when}] {from}: {}", one_line(&message.text))
}

fn earlier<'a>(messages: impl Iterator<Item = &'a Message>, clock: &Clock) -> Vec<String> {
    messages
        .map(|message| said(message, &clock.date_and_time(message.at)))
        .collect()
}

fn link_words(link: &Link, view: &View, now: p2pchat_model::Timestamp) -> Option<String> {
    match (link, &view.link) {
        (Link::Up, Link::Up) | (Link::Connecting, _) => None,
        (Link::Up, _) => Some(format!("connected to the registry {}", view.registry)),
        (Link::Down { reason, retry_at }, _) => {
            let seconds = now.seconds_until(*retry_at);
            let reason = one_line(reason);
            Some(format!(
                "no connection to the registry {}: {reason}; next try in {seconds} s",
                view.registry
            ))
        }
    }
}

/// How a line names something that the user said.
fn own_text(view: &View, id: MessageId) -> String {
    let said = view.lines.iter().rev().find_map(|line| match line {
        Line::Message(message) if message.id == id => Some(&message.text),
        _ => None,
    });
    match said {
        Some(text) => format!("“{}”", fit(&one_line(text), QUOTED)),
        None => "it".to_owned(),
    }
}

/// Why somebody did not get what the user said, of which `text` is a name.
#[must_use]
pub fn undelivered(to: &Person, text: &str, reason: LeaveReason) -> String {
    let to = one_line(&to.to_string());
    match reason {
        LeaveReason::Unreachable | LeaveReason::GivenUp => {
            format!("{to} did not get {text}: out of reach")
        }
        LeaveReason::Refused => format!("{to} did not get {text}: no longer in the chat"),
        LeaveReason::WeLeft => format!("{to} did not get {text}: you left the chat before"),
        LeaveReason::Blocked => format!("{to} did not get {text}: you blocked them"),
    }
}

/// Who asks for a chat, from where and with whom.
#[must_use]
pub fn request_words(request: &IncomingRequest, view: &View) -> String {
    let seconds = request.at.seconds_until(request.expires);
    let with = company(&request.members);
    let from = request.from;
    let like = looks_like(from.name, view).unwrap_or_default();
    format!(
        "{} at {}{like} asks for a chat{with}; /accept, /reject or /block within {seconds} s",
        from.name, from.address
    )
}

/// ` (looks like bob and is not)`, for a name that passes for another.
#[must_use]
pub fn looks_like(name: Username, view: &View) -> Option<String> {
    let other = view.lookalike_of(name)?;
    Some(format!(" (looks like {other} and is not)"))
}

/// How many names stand in a sentence; whoever asks can name a thousand.
const NAMED: usize = 8;

/// ` together with bob, carol`, or nothing for nobody.
#[must_use]
pub fn company(members: &[Person]) -> String {
    match members {
        [] => String::new(),
        members => {
            let named = members.iter().take(NAMED).map(ToString::to_string);
            let mut names = named.collect::<Vec<_>>().join(", ");
            if let more @ 1.. = members.len().saturating_sub(NAMED) {
                names += &format!(" and {more} more");
            }
            format!(" together with {}", one_line(&names))
        }
    }
}

/// Who is online and who is in the chat.
#[must_use]
pub fn who(view: &View) -> Vec<String> {
    let names = |people: Vec<String>, none: &str| match people.is_empty() {
        true => none.to_owned(),
        false => one_line(&people.join(", ")),
    };
    let members = view.members.iter().map(ToString::to_string).collect();
    let others = view
        .others()
        .map(|user| {
            let like = looks_like(user.name, view).unwrap_or_default();
            format!("{} ({}){like}", user.name, user.address)
        })
        .collect();
    let away = match view.out_of_reach.as_slice() {
        [] => String::new(),
        away => {
            let away = away.iter().map(ToString::to_string).collect();
            format!("; out of reach: {}", names(away, ""))
        }
    };
    let mut lines = vec![
        format!("in the chat with you: {}{away}", names(members, "nobody")),
        format!("online: {}", names(others, "nobody else")),
    ];
    let dropped = view.dropped.iter();
    lines.extend(dropped.map(|dropped| format!("dropped: {}", one_line(&dropped.tally()))));
    lines
}

/// Who is blocked.
#[must_use]
pub fn blocked(view: &View) -> Vec<String> {
    match view.blocked.as_slice() {
        [] => vec!["nobody is blocked".to_owned()],
        blocked => blocked
            .iter()
            .map(|who| format!("blocked: {}", one_line(&who.to_string())))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use p2pchat_model::{MessageId, NameCheck, Speaker, Timestamp};

    use super::*;

    #[test]
    fn what_steers_a_terminal_does_not_get_through() {
        let message = Message {
            id: MessageId(1),
            at: Timestamp(1_795_364_580_000),
            from: Speaker {
                name: "bob".parse().unwrap(),
                address: "127.0.0.3".parse().unwrap(),
                check: NameCheck::Unknown,
            },
            text: "a\u{1b}[2Jb\nc\u{202e}".to_owned(),
            deliveries: None,
        };
        let event = Event::Message(message);
        assert_eq!(
            lines(&event, &View::default(), &Clock::utc()),
            ["[16:23] bob (127.0.0.3): a␛[2Jb c\u{fffd}"]
        );
    }

    #[test]
    fn a_request_with_a_thousand_members_is_a_short_line() {
        let person = |n: u32| Person {
            address: std::net::Ipv4Addr::from(0x0a00_0000 + n)
                .to_string()
                .parse()
                .unwrap(),
            name: None,
        };
        let members: Vec<_> = (1..=1024).map(person).collect();
        let words = company(&members);
        assert!(words.ends_with("10.0.0.8 and 1016 more"), "{words}");
    }

    #[test]
    fn a_name_that_passes_for_another_is_marked() {
        let mut view = View::default();
        view.apply(&Event::Online {
            users: [("bob", 3), ("b\u{43e}b", 4), ("\u{3164}", 5)]
                .map(|(name, last)| p2pchat_model::OnlineUser {
                    name: name.parse().unwrap(),
                    address: format!("127.0.0.{last}").parse().unwrap(),
                })
                .to_vec(),
        });
        let who = who(&view).join("\n");
        assert!(
            who.contains("bob (127.0.0.3), b\u{43e}b (127.0.0.4) (looks like bob and is not)"),
            "{who}"
        );
        assert!(who.contains("\u{fffd} (127.0.0.5)"), "{who}");
    }
}
