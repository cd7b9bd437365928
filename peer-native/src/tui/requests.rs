//! The list of chat requests: the one that waits for the user's answer, and those that wait
//! for the answers of others.
//!
//! It opens by a key and never by itself, so that nothing typed for the conversation answers
//! a request.

use p2pchat_model::wording::{self, label};
use p2pchat_model::{Command, ConversationId, IncomingRequest, Timestamp};
use ratatui::text::{Line as Row, Span};

use super::overlay::{Content, RenderContext};
use crate::shown::Shown;
use crate::wrap::{one_line, rows};

/// An answer to a chat request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Accept,
    /// Leaves the current chat first.
    LeaveAndAccept,
    Decline,
    /// Declines the request too.
    Block,
}

impl Answer {
    /// The answers that there are, in the order of the list.
    pub(super) fn all(shown: Shown<'_>) -> &'static [Self] {
        match (&shown.view.incoming, shown.conversation().is_alone()) {
            (None, _) => &[],
            (Some(_), true) => &[Self::Accept, Self::Decline, Self::Block],
            (Some(_), false) => &[
                Self::Accept,
                Self::LeaveAndAccept,
                Self::Decline,
                Self::Block,
            ],
        }
    }

    /// The key that gives it.
    pub(super) fn letter(self) -> char {
        match self {
            Self::Accept => 'a',
            Self::LeaveAndAccept => 'l',
            Self::Decline => 'd',
            Self::Block => 'b',
        }
    }

    /// The commands that give it. `current` is the conversation that is left.
    pub(super) fn commands(
        self,
        request: &IncomingRequest,
        current: ConversationId,
    ) -> Vec<Command> {
        let (conversation, from) = (request.conversation, request.from.address);
        let accept = Command::Accept { conversation, from };
        let leave = Command::Leave {
            conversation: current,
        };
        match self {
            Self::Accept => vec![accept],
            Self::LeaveAndAccept => vec![leave, accept],
            Self::Decline => vec![Command::Reject { conversation, from }],
            Self::Block => vec![Command::Block {
                who: request.from.to_block(),
            }],
        }
    }

    fn words(self, request: &IncomingRequest, shown: Shown<'_>) -> String {
        let from = one_line(request.from.title());
        match self {
            Self::Accept if !shown.conversation().is_alone() => wording::let_in(from),
            Self::Accept if request.members.is_empty() => label::ACCEPT.to_owned(),
            Self::Accept => label::JOIN.to_owned(),
            Self::LeaveAndAccept => wording::leave_the_others(from),
            Self::Decline => label::DECLINE.to_owned(),
            Self::Block => label::BLOCK_ASK.to_owned(),
        }
    }
}

impl RenderContext<'_> {
    /// The list; `is_asking` while the question before a block waits for its answer.
    pub(super) fn requests(&self, columns: usize, now: Timestamp, is_asking: bool) -> Content {
        let mut content = Content::new(" Requests ");
        match &self.view().incoming {
            Some(request) => self.incoming(request, columns, now, is_asking, &mut content),
            None => content
                .rows
                .push(self.remark("no request waits for your answer")),
        }
        if !self.view().outgoing.is_empty() {
            content.rows.push(Row::default());
            content.rows.push(self.heading("Asked by you"));
        }
        for request in &self.view().outgoing {
            let seconds = now.seconds_until(request.expires);
            let to = one_line(&request.to.to_string());
            content
                .rows
                .extend(self.pair(&to, &format!("{seconds} s"), columns));
        }
        content
    }

    fn incoming(
        &self,
        request: &IncomingRequest,
        columns: usize,
        now: Timestamp,
        is_asking: bool,
        content: &mut Content,
    ) {
        let (view, theme, from) = (self.view(), self.theme, &request.from);
        let out = &mut content.rows;
        let title = rows(&wording::asks(from.title(), request, view), columns).into_iter();
        out.extend(title.map(|row| Row::from(Span::styled(row, theme.strong()))));
        let lookalike = from.name.and_then(|name| view.lookalike_of(name));
        let lookalike = lookalike.map(wording::looks_like);
        let unconfirmed = from.check.warning();
        let unconfirmed = unconfirmed.map(|warning| format!("{}: {warning}", from.address));
        let warnings = unconfirmed.into_iter();
        for row in warnings
            .chain(lookalike)
            .flat_map(|text| rows(&text, columns))
        {
            out.push(Row::from(Span::styled(row, theme.warning())));
        }
        let seen = wording::who_meets(request, view).into_iter();
        out.extend(seen.flat_map(|text| rows(&text, columns)).map(Row::from));
        out.push(Row::default());
        if is_asking {
            let question = wording::block_question(from.title());
            let question = rows(&question, columns).into_iter();
            out.extend(question.map(|row| Row::from(Span::styled(row, theme.warning()))));
            out.push(self.key("Enter", label::BLOCK));
            out.push(self.key("Esc", label::CANCEL));
            return;
        }
        for answer in Answer::all(self.shown) {
            let start = out.len();
            out.push(self.key(
                &answer.letter().to_string(),
                &answer.words(request, self.shown),
            ));
            content.items.push(start..out.len());
        }
        let seconds = now.seconds_until(request.expires);
        out.push(self.remark(&format!("{seconds} s left to answer")));
    }

    fn key(&self, key: &str, does: &str) -> Row<'static> {
        Row::from(vec![
            Span::styled(format!("{key:>5}  "), self.theme.title()),
            Span::raw(does.to_owned()),
        ])
    }
}
