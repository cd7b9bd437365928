//! Lookups: the online list, which is kept fresh, and searches.

use std::time::Duration;

use p2pchat_model::{Notice, Problem, Username};
use p2pchat_protocol::{Request, Response};

use super::super::context::{Context, Refusal};
use super::super::directory::Directory;
use super::{Effect, LinkState, MAX_PENDING, Query, SearchPurpose, Session};

/// How old the online list may become, for each user on it: the more there are, the
/// longer the list and the less often it is polled, so that a registry sends each client
/// no more than 3 KB a second on average.
const REFRESH_PER_USER: Duration = Duration::from_millis(10);
/// How old it may become where few are online: a colleague who comes in is seen soon.
const SHORTEST_REFRESH: Duration = Duration::from_secs(5);
/// How old it may become where many are online.
const LONGEST_REFRESH: Duration = Duration::from_secs(60);
/// How soon the list is polled again when a name is unconfirmed. The backoff doubles while
/// each new list leaves one unconfirmed: a member that the registry does not know must not
/// make everyone in their group poll it all the time.
const FIRST_UNCONFIRMED_BACKOFF: Duration = Duration::from_secs(1);
/// How long that backoff becomes; by then the list is polled as often as ever.
const LONGEST_UNCONFIRMED_BACKOFF: Duration = LONGEST_REFRESH;
/// After this many lists in a row the backoff grows no more.
const MAX_UNCONFIRMED_LISTS: u32 = 6;

impl Session {
    /// Asks for the online list, by the user's wish.
    pub(crate) fn refresh(
        &mut self,
        cx: &mut Context,
        directory: &Directory,
    ) -> Result<(), Refusal> {
        let name = self.logged_in_account()?;
        self.check_link()?;
        self.ask_online(cx, directory, name, true);
        Ok(())
    }

    fn check_link(&self) -> Result<(), Problem> {
        if self.link != LinkState::Up {
            Err(Problem::RegistryUnreachable)
        } else if self.pending.len() >= MAX_PENDING {
            Err(Problem::TooMuch)
        } else {
            Ok(())
        }
    }

    /// Plans to ask for the list soon, because a name is not as the last one has it.
    pub(crate) fn refresh_soon(&mut self, cx: &Context) {
        let backoff = FIRST_UNCONFIRMED_BACKOFF * 2_u32.pow(self.unconfirmed_lists);
        let soon = self.refreshed + backoff.min(LONGEST_UNCONFIRMED_BACKOFF);
        self.refresh_at = self.refresh_at.min(soon.max(cx.now.elapsed));
        self.unconfirmed_name = true;
    }

    /// Asks the registry where a user is.
    pub(crate) fn search(
        &mut self,
        cx: &mut Context,
        name: Username,
        purpose: SearchPurpose,
    ) -> Result<(), Refusal> {
        let username = self.logged_in_account()?;
        self.check_link()?;
        let target = name;
        let request = Request::Search { username, target };
        let asker = cx.defer();
        let query = Query::Search {
            name,
            purpose,
            asker,
        };
        self.ask(cx, query, request);
        Ok(())
    }

    /// Asks for the online list, unless it is asked for already and not to be announced.
    pub(crate) fn ask_online(
        &mut self,
        cx: &mut Context,
        directory: &Directory,
        username: Username,
        announce: bool,
    ) {
        self.refresh_at = cx.now.elapsed + refresh_interval(directory.len());
        if announce || !self.is_pending(|query| matches!(query, Query::AllOnline { .. })) {
            let request = Request::AllOnline { username };
            let asker = cx.defer();
            self.ask(cx, Query::AllOnline { announce, asker }, request);
        }
    }

    pub(super) fn online_answered(
        &mut self,
        cx: &mut Context,
        announce: bool,
        response: Response,
    ) -> Option<Effect> {
        let users = match response {
            Response::Online(users) => users,
            Response::NobodyOnline => Vec::new(),
            _ => {
                if announce || cx.asker().is_some() {
                    cx.fail("refresh", Problem::RegistryFailed.into());
                }
                return None;
            }
        };
        if self.logged_in_account().is_err() {
            if cx.asker().is_some() {
                cx.fail("refresh", Problem::NotLoggedIn.into());
            }
            return None;
        }
        self.refreshed = cx.now.elapsed;
        self.unconfirmed_lists = if std::mem::take(&mut self.unconfirmed_name) {
            (self.unconfirmed_lists + 1).min(MAX_UNCONFIRMED_LISTS)
        } else {
            0
        };
        Some(Effect::Listed { users, announce })
    }

    /// Compares what a new list says of the user themselves with what is so.
    pub(crate) fn check_own_entry(&mut self, cx: &mut Context, directory: &Directory) {
        let Some(name) = self.account() else {
            return;
        };
        let listed = directory.address_of(name);
        if listed.is_none() {
            // It has forgotten us: it was restarted, or our hellos did not get through.
            self.plan_login(cx);
        }
        let elsewhere = listed.filter(|address| *address != cx.config.address);
        if let Some(address) = elsewhere
            && self.elsewhere != elsewhere
        {
            cx.notice(Notice::ElsewhereOnline { address });
        }
        self.elsewhere = elsewhere;
    }
}

fn refresh_interval(users: usize) -> Duration {
    let users = u32::try_from(users).unwrap_or(u32::MAX);
    REFRESH_PER_USER
        .saturating_mul(users)
        .clamp(SHORTEST_REFRESH, LONGEST_REFRESH)
}

pub(super) fn search_answered(
    cx: &mut Context,
    name: Username,
    purpose: SearchPurpose,
    response: &Response,
) -> Option<Effect> {
    let address = match response {
        Response::Found(address) => Some(*address),
        Response::NotFound => None,
        _ => {
            cx.fail(purpose.command(), Problem::RegistryFailed.into());
            return None;
        }
    };
    Some(Effect::Searched {
        name,
        address,
        purpose,
    })
}
