//! Commands that name people: they wait until the registry has told the keys.

use std::time::Duration;

use p2pchat_model::{ConversationId, Problem, Username};
use p2pchat_protocol::v2::{DisplayName, PersonKey};

use super::super::chats_io::Order;
use super::super::context::{Context, Refusal};
use super::super::io::Asker;
use super::super::keys::Keyring;
use super::{Answers, Chats, MAX_WAITING, fail};

/// How long a command waits for the keys of people: the registry answers within that, or does not.
const KEYS_LIMIT: Duration = Duration::from_secs(10);
/// The most people who can be asked at once: as many as a group can have.
const MAX_PEOPLE: usize = 256;

/// A command that becomes an order when the keys of some people are known.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) command: &'static str,
    pub(super) asker: Option<Asker>,
    names: Vec<Username>,
    what: What,
    pub(super) until: Duration,
    /// Whether the registry was asked for the keys.
    is_asked: bool,
    /// Who has none, and why.
    missing: Vec<(Username, Problem)>,
}

#[derive(Debug)]
pub(super) enum What {
    Direct,
    Group(DisplayName),
    Add(ConversationId, bool),
}

impl Chats {
    /// Waits for the keys of people.
    pub(super) fn wish(
        &mut self,
        cx: &mut Context,
        command: &'static str,
        mut names: Vec<Username>,
        what: What,
    ) -> Result<(), Refusal> {
        // Each is asked for, and named in an error, once.
        names.sort_unstable();
        names.dedup();
        if names.len() > MAX_PEOPLE {
            return Err(Problem::ChatFull.into());
        }
        if self.wishes.len() >= MAX_WAITING {
            return Err(Problem::TooMuch.into());
        }
        self.wishes.push(Wish {
            command,
            asker: cx.defer(),
            names,
            what,
            until: cx.now.elapsed + KEYS_LIMIT,
            is_asked: false,
            missing: Vec::new(),
        });
        Ok(())
    }

    /// Turns the commands into orders whose people are all known, and fails those that have waited
    /// for too long. The names to look up.
    pub(in super::super) fn grant(&mut self, cx: &mut Context, keys: &Keyring) -> Vec<Username> {
        let mut unknown = Vec::new();
        for mut wish in std::mem::take(&mut self.wishes) {
            match people(&wish.names, keys) {
                Ok(people) => self.granted(cx, wish, people),
                Err(None) if wish.is_answered(keys) => {
                    fail(cx, wish.asker, wish.command, no_keys(&wish.missing));
                }
                Err(None) if wish.until > cx.now.elapsed => {
                    if !std::mem::replace(&mut wish.is_asked, true) {
                        let names = wish.names.iter();
                        unknown.extend(names.filter(|name| keys.person(**name).is_none()));
                    }
                    self.wishes.push(wish);
                }
                Err(problem) => {
                    let refusal = match problem {
                        None if !wish.missing.is_empty() => no_keys(&wish.missing),
                        problem => problem.unwrap_or(Problem::RegistryUnreachable).into(),
                    };
                    fail(cx, wish.asker, wish.command, refusal);
                }
            }
        }
        unknown
    }

    fn granted(&mut self, cx: &mut Context, wish: Wish, people: Vec<PersonKey>) {
        let order = match (wish.what, people.as_slice()) {
            (What::Direct, [person]) => Order::Direct(*person),
            (What::Direct, _) => return,
            (What::Group(name), _) => Order::Group { name, people },
            (What::Add(conversation, sees_all), _) => Order::Add {
                conversation,
                people,
                sees_all,
            },
        };
        let before = cx.defer();
        cx.answer_to(wish.asker);
        if let Err(refusal) = self.order(cx, wish.command, order, Answers::Nothing) {
            cx.fail(wish.command, refusal);
        }
        cx.answer_to(before);
    }

    /// The registry has no key for a name: the commands that name this person fail, once it has
    /// answered for everybody they name.
    pub(in super::super) fn has_no_key(&mut self, name: Username, is_legacy: bool) {
        let problem = if is_legacy {
            Problem::OlderProgram
        } else {
            Problem::NoKey
        };
        for wish in &mut self.wishes {
            if wish.names.contains(&name) && !wish.is_missing(name) {
                wish.missing.push((name, problem));
            }
        }
    }
}

impl Wish {
    fn is_missing(&self, name: Username) -> bool {
        self.missing.iter().any(|(missing, _)| *missing == name)
    }

    /// Whether some have no key, and the registry has told those of all others.
    fn is_answered(&self, keys: &Keyring) -> bool {
        let is_told = |name: &Username| self.is_missing(*name) || keys.person(*name).is_some();
        !self.missing.is_empty() && self.names.iter().all(is_told)
    }
}

/// Why nothing is done with people who have no key: each is named.
fn no_keys(missing: &[(Username, Problem)]) -> Refusal {
    let of = |problem: Problem| {
        let names = missing.iter().filter(|(_, why)| *why == problem);
        let names: Vec<&str> = names.map(|(name, _)| name.as_str()).collect();
        (!names.is_empty()).then(|| format!("{}: {}", problem.words(), names.join(", ")))
    };
    let reasons = [Problem::NoKey, Problem::OlderProgram].map(of);
    let words: Vec<String> = reasons.into_iter().flatten().collect();
    // That of the words that come first.
    let is_unknown = missing.iter().any(|(_, why)| *why == Problem::NoKey);
    let problem = if is_unknown {
        Problem::NoKey
    } else {
        Problem::OlderProgram
    };
    Refusal::new(problem, words.join("; "))
}

/// The keys of people; `Err(None)` while one is not known yet.
fn people(names: &[Username], keys: &Keyring) -> Result<Vec<PersonKey>, Option<Problem>> {
    let own = keys.certificate().person;
    let key = |name: &Username| match keys.person(*name) {
        None => Err(None),
        Some(Err(problem)) => Err(Some(problem)),
        Some(Ok(person)) if person == own => Err(Some(Problem::Oneself)),
        Some(Ok(person)) => Ok(person),
    };
    names.iter().map(key).collect()
}
