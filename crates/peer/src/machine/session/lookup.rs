//! Who is online: the list that is kept fresh, and searches.

use std::time::Duration;

use p2pchat_model::{Event, Notice, OnlineUser, Problem, Target, Username};
use p2pchat_protocol::{Request, Response};

use super::super::{Machine, Refusal};
use super::{LinkState, MAX_ASKED, Question, Then};

/// How old the online list may become, for each user on it: the more there are, the
/// longer the list and the seldomer it is asked for, so that a registry sends each client
/// no more than 3 KB a second on the whole.
const REFRESH_PER_USER: Duration = Duration::from_millis(10);
/// How old it may become where few are online: a colleague who comes in is seen soon.
const SHORTEST_REFRESH: Duration = Duration::from_secs(5);
/// How old it may become where many are online.
const LONGEST_REFRESH: Duration = Duration::from_secs(60);
/// How soon the list is asked for again when a name is in doubt. The pause doubles while
/// each new list leaves one in doubt: a member whom the registry does not know must not
/// make everybody in his group ask it all the time.
const FIRST_DOUBT: Duration = Duration::from_secs(1);
/// How long that pause becomes; by then the list is as fresh as ever.
const LONGEST_DOUBT: Duration = LONGEST_REFRESH;
/// After so many lists in a row the pause grows no more.
const MOST_DOUBTS: u32 = 6;

impl Machine {
    pub(in super::super) fn refresh(&mut self) -> Result<(), Refusal> {
        let name = self.account()?;
        self.check_link()?;
        self.ask_online(name, true);
        self.tell_dropped();
        Ok(())
    }

    fn check_link(&self) -> Result<(), Problem> {
        if self.session.link != LinkState::Up {
            Err(Problem::RegistryUnreachable)
        } else if self.session.asked.len() >= MAX_ASKED {
            Err(Problem::TooMuch)
        } else {
            Ok(())
        }
    }

    /// Asks for the list again soon, because a name is not as the last one has it.
    pub(in super::super) fn doubt_names(&mut self) {
        let pause = (FIRST_DOUBT * 2_u32.pow(self.session.doubts)).min(LONGEST_DOUBT);
        let soon = (self.session.refreshed + pause).max(self.now.elapsed);
        self.session.refresh_at = self.session.refresh_at.min(soon);
        self.session.in_doubt = true;
    }

    pub(in super::super) fn search(&mut self, name: Username) -> Result<(), Refusal> {
        self.ask_where(name, Then::Tell)
    }

    /// Finds somebody who is not in the list, and then asks him for a chat.
    pub(in super::super) fn search_to_request(&mut self, name: Username) -> Result<(), Refusal> {
        self.ask_where(name, Then::Request)
    }

    fn ask_where(&mut self, target: Username, then: Then) -> Result<(), Refusal> {
        let username = self.account()?;
        self.check_link()?;
        self.ask(
            Question::Search { name: target, then },
            Request::Search { username, target },
        );
        Ok(())
    }

    pub(super) fn ask_online(&mut self, username: Username, tell: bool) {
        self.session.refresh_at = self.now.elapsed + self.refresh_interval();
        if tell
            || !self
                .session
                .is_asking(|question| matches!(question, Question::AllOnline { .. }))
        {
            self.ask(
                Question::AllOnline { tell },
                Request::AllOnline { username },
            );
        }
    }

    fn refresh_interval(&self) -> Duration {
        let users = u32::try_from(self.directory.len()).unwrap_or(u32::MAX);
        REFRESH_PER_USER
            .saturating_mul(users)
            .clamp(SHORTEST_REFRESH, LONGEST_REFRESH)
    }

    pub(super) fn search_answered(&mut self, name: Username, then: Then, response: &Response) {
        let address = match response {
            Response::Found(address) => Some(*address),
            Response::NotFound => None,
            _ => return self.fail(then.command(), Problem::RegistryFailed.into()),
        };
        if let Some(address) = address
            && self.directory.learn(name, address)
        {
            self.tell_online();
        }
        match (then, address) {
            (Then::Tell, _) => {
                let at = self.now.wall;
                self.emit(Event::Found { at, name, address });
            }
            (Then::Request, None) => self.fail("request", Problem::NotOnline.into()),
            (Then::Request, Some(address)) => {
                if let Err(refusal) = self.request(Target::Address(address)) {
                    self.fail("request", refusal);
                }
            }
        }
    }

    pub(super) fn online(&mut self, users: &[OnlineUser], tell: bool) {
        let Some(name) = self.session.account() else {
            return;
        };
        self.session.refreshed = self.now.elapsed;
        self.session.doubts = match std::mem::take(&mut self.session.in_doubt) {
            true => (self.session.doubts + 1).min(MOST_DOUBTS),
            false => 0,
        };
        if self.directory.replace(users) || tell {
            self.tell_online();
        }
        let listed = self.directory.address_of(name);
        if listed.is_none() {
            // It has forgotten us: it was restarted, or our hellos did not get through.
            self.login_anew();
        }
        let elsewhere = listed.filter(|address| *address != self.config.address);
        if let Some(address) = elsewhere
            && self.session.elsewhere != elsewhere
        {
            self.notice(Notice::ElsewhereOnline { address });
        }
        self.session.elsewhere = elsewhere;
    }

    fn tell_online(&mut self) {
        let users = self.directory.users();
        self.emit(Event::Online { users });
        self.enforce_blocks();
    }
}
