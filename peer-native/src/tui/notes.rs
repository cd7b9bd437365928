//! The rows above the field: what the text in it is, what keeps it from being sent, and the
//! question that waits for an answer.

use p2pchat_model::wording::{self, chat};
use p2pchat_model::{ChatKind, Member, Standing, Trust};
use ratatui::style::Style;
use ratatui::text::{Line as Row, Span};

use super::app::App;
use super::compose::Composing;
use super::select::PALETTE;
use crate::wrap::{fit, one_line, rows, width};

impl App {
    /// The rows, each at most so wide.
    pub(super) fn notes(&self, columns: usize) -> Vec<Row<'static>> {
        let mut out = Vec::new();
        self.note_request(columns, &mut out);
        self.note_keys(columns, &mut out);
        self.note_composing(columns, &mut out);
        self.note_emoji(columns, &mut out);
        self.note_question(columns, &mut out);
        out
    }

    /// What the user was asked, or whose answer they wait for.
    fn note_request(&self, columns: usize, out: &mut Vec<Row<'static>>) {
        let Some(chat) = &self.conversation().chat else {
            return;
        };
        let theme = self.look.theme;
        match (chat.standing, chat.members.first()) {
            (Standing::Asked(by), _) => {
                let sees = if chat.kind == ChatKind::Group {
                    chat::sees(chat)
                } else {
                    ""
                };
                let words = format!("{}. {sees}", chat::asks(by, chat));
                push(&words, columns, theme.strong(), out);
                push("/join · /decline · F3", columns, theme.accent(), out);
            }
            (Standing::In, Some(other)) if other.asked && chat.kind == ChatKind::Direct => {
                let words = wording::waiting_for(other.who);
                push(&words, columns, theme.dim(), out);
            }
            (Standing::In, _) if let Some(who) = chat.declined() => {
                push(&chat::has_declined(who), columns, theme.dim(), out);
            }
            _ => {}
        }
    }

    /// Members whose key is another one than before.
    fn note_keys(&self, columns: usize, out: &mut Vec<Row<'static>>) {
        let conversation = self.conversation();
        let Some(known) = &conversation.chat else {
            return;
        };
        let held = chat::held_back(&conversation.lines, known);
        for member in &known.members {
            if let Some(words) = chat::key_changed(member, known) {
                let how = how_to_go_on(member, known.kind);
                let words = [Some(words), held.clone(), how].into_iter().flatten();
                let how = words.collect::<Vec<_>>().join(" ");
                push(&how, columns, self.look.theme.warning(), out);
            }
        }
    }

    fn note_composing(&self, columns: usize, out: &mut Vec<Row<'static>>) {
        let quoted = |id| {
            let post = self.post(id)?;
            Some(format!("{}: {}", post.from, chat::text(post).trim_start()))
        };
        let words = match &self.composing {
            Composing::Message => return,
            Composing::Reply(message) => {
                format!("reply to {}", quoted(*message).unwrap_or_default())
            }
            Composing::Edit { message, .. } => {
                let text = self
                    .post(*message)
                    .map_or("", |post| post.text.trim_start());
                format!("edit: {text}")
            }
        };
        out.push(self.with_key(&words, "Esc cancels", columns));
    }

    fn note_emoji(&self, columns: usize, out: &mut Vec<Row<'static>>) {
        let emoji = self.selecting.as_ref().and_then(|it| it.emoji.as_ref());
        let Some(emoji) = emoji else { return };
        let palette = PALETTE.iter().enumerate();
        let palette: Vec<_> = palette
            .map(|(at, emoji)| format!("{} {emoji}", at + 1))
            .collect();
        let words = if emoji.is_empty() {
            format!("react: {}  or type one", palette.join("  "))
        } else {
            format!("react: {emoji}  Enter")
        };
        out.push(self.with_key(&words, "Esc cancels", columns));
    }

    fn note_question(&self, columns: usize, out: &mut Vec<Row<'static>>) {
        let Some(question) = self.question else {
            return;
        };
        let (words, yes) = question.words(self);
        push(&words, columns, self.look.theme.warning(), out);
        let yes = format!("Enter: {yes}");
        out.push(self.with_key(&yes, "any other key cancels", columns));
    }

    /// Words, and a key at the right.
    fn with_key(&self, words: &str, key: &str, columns: usize) -> Row<'static> {
        let theme = self.look.theme;
        let room = columns.saturating_sub(width(key) + 4);
        let words = fit(&one_line(words), room);
        let gap = room - width(&words) + 2;
        Row::from(vec![
            Span::raw(" "),
            Span::styled(words, theme.accent()),
            Span::raw(" ".repeat(gap)),
            Span::styled(key.to_owned(), theme.dim()),
        ])
    }
}

/// How codes are compared with a member, and what can be done without that.
fn how_to_go_on(member: &Member, kind: ChatKind) -> Option<String> {
    let name = member.who.name?;
    let compare = format!("/code {name} compares codes");
    Some(match (member.trust?, kind) {
        (Trust::Former, ChatKind::Direct) => format!("/chat {name} opens it."),
        (Trust::New | Trust::Verified, _) => return None,
        (Trust::Former, ChatKind::Group) => {
            format!("/add {name} --all also shows them what was written before.")
        }
        (_, ChatKind::Group) => format!("{compare}."),
        (Trust::Changed, _) => format!("{compare}, /anyway sends to the new one."),
        (Trust::ChangedAfterVerified, _) => format!("{compare}, /anyway accepts the new one."),
    })
}

fn push(text: &str, columns: usize, style: Style, out: &mut Vec<Row<'static>>) {
    for row in rows(text.trim_end(), columns.saturating_sub(2)) {
        out.push(Row::from(vec![Span::raw(" "), Span::styled(row, style)]));
    }
}
