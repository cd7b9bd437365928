//! The list of chat requests: those that wait for the user's answer, and those that wait for the
//! answers of others.
//!
//! It opens by a key and never by itself, so that nothing typed for the conversation answers
//! a request.

use p2pchat_model::wording::{self, chat, label};
use p2pchat_model::{
    Chat, ChatKind, Command, Conversation, ConversationId, IncomingRequest, Named, PeerAddr,
    Security, Standing, Target, Timestamp, View,
};
use ratatui::text::{Line as Row, Span};

use super::overlay::{Content, RenderContext};
use crate::chats;
use crate::wrap::{one_line, rows};

/// A request that waits for the user's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// To be in an encrypted conversation. It waits as long as it takes.
    Chat(ConversationId),
    /// For the open chat, from this address.
    Open(PeerAddr),
}

/// An answer to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Accept,
    /// Leaves the current chat first.
    LeaveAndAccept,
    Decline,
    /// Declines the request too.
    Block,
}

/// An answer of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) which: Which,
    pub(super) answer: Answer,
}

/// The requests in the order of the list.
pub(super) fn waiting(view: &View) -> Vec<Which> {
    let chats = chats::asked(view).map(|(id, _)| Which::Chat(id));
    let open = view.incoming.as_ref();
    chats
        .chain(open.map(|request| Which::Open(request.from.address)))
        .collect()
}

/// All answers that there are, in the order of the list.
pub(super) fn choices(view: &View) -> Vec<Choice> {
    let mut out = Vec::new();
    for which in waiting(view) {
        let answers: &[Answer] = match which {
            Which::Open(_) if !view.open().is_alone() => &[
                Answer::Accept,
                Answer::LeaveAndAccept,
                Answer::Decline,
                Answer::Block,
            ],
            Which::Open(_) | Which::Chat(_) => &[Answer::Accept, Answer::Decline, Answer::Block],
        };
        out.extend(answers.iter().map(|&answer| Choice { which, answer }));
    }
    out
}

/// The conversation of a request, what it is, and who asks.
fn asked(id: ConversationId, view: &View) -> Option<(&Conversation, &Chat, Named)> {
    let conversation = view.conversation(id)?;
    let chat = conversation.chat.as_ref()?;
    match chat.standing {
        Standing::Asked(by) => Some((conversation, chat, by)),
        Standing::In | Standing::Out => None,
    }
}

impl Answer {
    /// The key that gives it.
    pub(super) fn letter(self) -> char {
        match self {
            Self::Accept => 'a',
            Self::LeaveAndAccept => 'l',
            Self::Decline => 'd',
            Self::Block => 'b',
        }
    }
}

impl Choice {
    /// The commands that give the answer; none if the request is gone.
    pub(super) fn commands(self, view: &View) -> Vec<Command> {
        match self.which {
            Which::Chat(id) => asked(id, view)
                .map(|(_, _, by)| self.for_chat(id, by))
                .unwrap_or_default(),
            Which::Open(from) => {
                let request = view.incoming.as_ref();
                let request = request.filter(|request| request.from.address == from);
                request
                    .map(|request| self.for_open(request))
                    .unwrap_or_default()
            }
        }
    }

    fn for_chat(self, conversation: ConversationId, by: Named) -> Vec<Command> {
        let decline = Command::Decline { conversation };
        match (self.answer, by.name) {
            (Answer::Accept | Answer::LeaveAndAccept, _) => vec![Command::Join { conversation }],
            (Answer::Block, Some(name)) => {
                let who = Target::Name(name);
                vec![decline, Command::Block { who }]
            }
            (Answer::Decline | Answer::Block, _) => vec![decline],
        }
    }

    fn for_open(self, request: &IncomingRequest) -> Vec<Command> {
        let (conversation, from) = (request.conversation, request.from.address);
        let accept = Command::Accept { conversation, from };
        match self.answer {
            Answer::Accept => vec![accept],
            Answer::LeaveAndAccept => vec![Command::Leave { conversation }, accept],
            Answer::Decline => vec![Command::Reject { conversation, from }],
            Answer::Block => vec![Command::Block {
                who: request.from.to_block(),
            }],
        }
    }

    fn words(self, view: &View) -> String {
        match (self.answer, self.which) {
            (Answer::Decline, _) => label::DECLINE.to_owned(),
            (Answer::Block, _) => label::BLOCK_ASK.to_owned(),
            (_, Which::Chat(id)) => {
                let kind = asked(id, view).map(|(_, chat, _)| chat.kind);
                let is_group = kind == Some(ChatKind::Group);
                if is_group { label::JOIN } else { label::ACCEPT }.to_owned()
            }
            (answer, Which::Open(_)) => {
                let request = view.incoming.as_ref();
                let from = request.map_or_else(String::new, |it| one_line(it.from.title()));
                let comes_alone = request.is_none_or(|it| it.members.is_empty());
                match answer {
                    Answer::LeaveAndAccept => wording::leave_the_others(from),
                    _ if !view.open().is_alone() => wording::let_in(from),
                    _ if comes_alone => label::ACCEPT.to_owned(),
                    _ => label::JOIN.to_owned(),
                }
            }
        }
    }
}

impl RenderContext<'_> {
    /// The list; `asking` is the block whose question waits for an answer, and the letters of
    /// the `active` request count.
    pub(super) fn requests(
        &self,
        columns: usize,
        now: Timestamp,
        asking: Option<Choice>,
        active: Option<Which>,
    ) -> Content {
        let mut content = Content::new(" Requests ");
        let waiting = waiting(self.view());
        if waiting.is_empty() {
            content
                .rows
                .push(self.remark("no request waits for your answer"));
        }
        for which in waiting {
            if asking.is_some_and(|choice| choice.which != which) {
                continue;
            }
            if !content.rows.is_empty() {
                content.rows.push(Row::default());
            }
            match which {
                Which::Chat(id) => self.chat_request(id, columns, &mut content),
                Which::Open(_) => self.open_request(columns, &mut content),
            }
            if asking.is_some() {
                self.block_question(which, columns, &mut content);
                return content;
            }
            self.answers(which, active == Some(which), &mut content);
            if let (Which::Open(_), Some(request)) = (which, &self.view().incoming) {
                let seconds = now.seconds_until(request.expires);
                let left = self.remark(&format!("{seconds} s left to answer"));
                content.rows.push(left);
            }
        }
        self.outgoing(columns, now, &mut content);
        content
    }

    fn outgoing(&self, columns: usize, now: Timestamp, content: &mut Content) {
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
    }

    fn chat_request(&self, id: ConversationId, columns: usize, content: &mut Content) {
        let Some((_, chat, by)) = asked(id, self.view()) else {
            return;
        };
        let out = &mut content.rows;
        let title = rows(&chat::asks(by, chat), columns).into_iter();
        out.extend(title.map(|row| Row::from(Span::styled(row, self.theme.strong()))));
        if let Some(other) = by.name.and_then(|name| self.view().lookalike_of(name)) {
            for row in rows(&wording::looks_like(other), columns) {
                out.push(Row::from(Span::styled(row, self.theme.warning())));
            }
        }
        if chat.kind == ChatKind::Group {
            out.extend(rows(chat::sees(chat), columns).into_iter().map(Row::from));
        }
        out.push(Row::default());
    }

    fn open_request(&self, columns: usize, content: &mut Content) {
        let (view, theme) = (self.view(), self.theme);
        let Some(request) = &view.incoming else {
            return;
        };
        let from = &request.from;
        let out = &mut content.rows;
        let title = rows(&wording::asks(from.title(), request, view), columns).into_iter();
        out.extend(title.map(|row| Row::from(Span::styled(row, theme.strong()))));
        if matches!(view.security, Security::Encrypted { .. }) {
            let which = format!("{} · {}", chat::OPEN_CHAT, label::NOT_ENCRYPTED);
            out.push(Row::from(Span::styled(which, theme.warning())));
        }
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
    }

    fn block_question(&self, which: Which, columns: usize, content: &mut Content) {
        let view = self.view();
        let who = match which {
            Which::Chat(id) => asked(id, view).map(|(_, _, by)| by.to_string()),
            Which::Open(_) => {
                let request = view.incoming.as_ref();
                request.map(|request| request.from.title().to_owned())
            }
        };
        let question = wording::block_question(who.unwrap_or_default());
        let question = rows(&question, columns).into_iter();
        let out = &mut content.rows;
        out.extend(question.map(|row| Row::from(Span::styled(row, self.theme.warning()))));
        out.push(self.key("Enter", label::BLOCK));
        out.push(self.key("Esc", label::CANCEL));
    }

    fn answers(&self, which: Which, is_active: bool, content: &mut Content) {
        let choices = choices(self.view()).into_iter();
        for choice in choices.filter(|choice| choice.which == which) {
            let letter = choice.answer.letter().to_string();
            let letter = if is_active { letter.as_str() } else { "" };
            let start = content.rows.len();
            content
                .rows
                .push(self.key(letter, &choice.words(self.view())));
            content.items.push(start..content.rows.len());
        }
    }

    /// A key, and what it does.
    pub(super) fn key(&self, key: &str, does: &str) -> Row<'static> {
        Row::from(vec![
            Span::styled(format!("{key:>5}  "), self.theme.title()),
            Span::raw(does.to_owned()),
        ])
    }
}
