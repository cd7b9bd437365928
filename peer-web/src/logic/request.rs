//! A chat request in words: who asks, and who will see whom.

use p2pchat_model::wording;
use p2pchat_model::{IncomingRequest, Person, View};

/// Who asks for what.
#[must_use]
pub fn title(request: &IncomingRequest, view: &View) -> String {
    let name = request.from.name;
    let company = company(request, view);
    if !view.is_alone() {
        format!("{name} asks to join your chat")
    } else if company.is_empty() {
        wording::wants_to_chat(name)
    } else {
        format!(
            "{name} invites you to a chat with {}",
            wording::names(&company)
        )
    }
}

/// Who will see whom once the user accepts, if that is more than the two.
#[must_use]
pub fn who_sees_whom(request: &IncomingRequest, view: &View) -> Option<String> {
    let company = company(request, view);
    let own: Vec<Person> = view
        .members
        .iter()
        .chain(&view.out_of_reach)
        .copied()
        .collect();
    let requester = Person {
        address: request.from.address,
        name: Some(request.from.name),
    };
    let theirs: Vec<Person> = [requester].into_iter().chain(company.clone()).collect();
    if own.is_empty() {
        let them = wording::names(&company);
        return (!company.is_empty())
            .then(|| format!("{them} will see you, and you will see them."));
    }
    let (own, theirs) = (wording::names(&own), wording::names(&theirs));
    Some(format!(
        "{own} will see {theirs}, and {theirs} will see them."
    ))
}

/// Who comes with the requester: neither the user nor in the user's chat already.
fn company(request: &IncomingRequest, view: &View) -> Vec<Person> {
    let is_new = |person: &&Person| {
        view.address != Some(person.address)
            && !view.is_member(person.address)
            && person.address != request.from.address
    };
    request.members.iter().filter(is_new).copied().collect()
}

#[cfg(test)]
mod tests {
    use p2pchat_model::{NameCheck, Speaker, Timestamp};

    use super::*;

    fn person(name: &str, last: u8) -> Person {
        Person {
            address: format!("10.0.0.{last}").parse().unwrap(),
            name: name.parse().ok(),
        }
    }

    fn asked(members: Vec<Person>) -> IncomingRequest {
        IncomingRequest {
            at: Timestamp(0),
            from: Speaker {
                name: "uma".parse().unwrap(),
                address: "10.0.0.9".parse().unwrap(),
                check: NameCheck::Confirmed,
            },
            members,
            expires: Timestamp(60_000),
        }
    }

    fn chat(members: Vec<Person>) -> View {
        View {
            address: "10.0.0.1".parse().ok(),
            members,
            ..View::default()
        }
    }

    #[test]
    fn a_request_to_one_who_is_alone_needs_no_more_words() {
        let (request, view) = (asked(vec![]), chat(vec![]));
        assert!(title(&request, &view).starts_with("uma "));
        assert_eq!(who_sees_whom(&request, &view), None);
    }

    #[test]
    fn who_comes_with_the_requester_is_named() {
        let (request, view) = (
            asked(vec![person("bob", 2), person("dave", 3)]),
            chat(vec![]),
        );
        assert_eq!(
            title(&request, &view),
            "uma invites you to a chat with bob and dave"
        );
        assert_eq!(
            who_sees_whom(&request, &view).unwrap(),
            "bob and dave will see you, and you will see them."
        );
    }

    #[test]
    fn who_is_in_the_chat_already_is_named_too() {
        let view = chat(vec![person("carol", 4), person("frank", 5)]);
        let alone = asked(vec![]);
        assert_eq!(title(&alone, &view), "uma asks to join your chat");
        assert_eq!(
            who_sees_whom(&alone, &view).unwrap(),
            "carol and frank will see uma, and uma will see them."
        );
        let both = asked(vec![person("dave", 3), person("carol", 4), person("me", 1)]);
        assert_eq!(
            who_sees_whom(&both, &view).unwrap(),
            "carol and frank will see uma and dave, and uma and dave will see them."
        );
    }
}
