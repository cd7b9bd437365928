//! Boxes with people: who is in the conversation and who is online, and who is blocked.

use p2pchat_model::wording::{self, chat, label};
use p2pchat_model::{Member, Status, Trust, Username};
use ratatui::text::Line as Row;

use super::overlay::{Content, RenderContext};
use crate::chats;
use crate::wrap::{one_line, rows};

impl RenderContext<'_> {
    pub(super) fn who(&self, columns: usize) -> Content {
        let mut content = Content::new(" People ");
        let out = &mut content.rows;
        match &self.shown.conversation().chat {
            Some(chat) => {
                out.push(self.heading(&one_line(&chat::chat_title(chat))));
                for member in &chat.members {
                    let name = one_line(&member.who.to_string());
                    out.extend(self.pair(&name, &self.member_notes(member), columns));
                }
                let owner = if chat.owner { chat::OWNER } else { "" };
                out.extend(self.pair(label::YOU, owner, columns));
            }
            None => self.open_members(columns, out),
        }
        out.extend([Row::default(), self.heading(label::ONLINE)]);
        for user in self.view().others() {
            let mut beside = vec![wording::status(user.status).to_lowercase()];
            let notes = wording::security::notes(user, self.view()).into_iter();
            let status = user.status != Status::Available;
            beside.extend(notes.skip(usize::from(status)).map(str::to_owned));
            if !user.display_name.is_empty() {
                beside.push(format!("“{}”", one_line(user.display_name.as_str())));
            }
            if let Some(other) = self.view().lookalike_of(user.name) {
                let words = one_line(&wording::looks_like(other));
                beside.push(format!("{}: {words}", user.address));
            }
            out.extend(self.pair(&one_line(user.title()), &beside.join(", "), columns));
        }
        if self.view().others().next().is_none() {
            out.push(self.remark(label::NO_ONE_ONLINE));
        }
        if !self.view().dropped.is_empty() {
            out.extend([Row::default(), self.heading(label::IGNORED)]);
        }
        for dropped in &self.view().dropped {
            out.extend(
                rows(&one_line(&dropped.tally()), columns)
                    .into_iter()
                    .map(Row::from),
            );
        }
        content
    }

    /// What is known of a user, their address too.
    pub(super) fn person(&self, name: Username, columns: usize) -> Content {
        let mut content = Content::new(" User ");
        let out = &mut content.rows;
        let pair = |what: &str, value: &str| self.pair(what, &one_line(value), columns);
        out.extend(pair("name", name.as_str()));
        let Some(user) = self.view().user(name) else {
            out.extend(pair("status", label::OFFLINE));
            return content;
        };
        if !user.display_name.is_empty() {
            out.extend(pair("display name", user.display_name.as_str()));
        }
        out.extend(pair("status", &wording::status(user.status).to_lowercase()));
        if wording::security::is_legacy(user, self.view()) {
            out.extend(pair("program", wording::security::OLDER_PROGRAM));
        }
        if let Some(trust) = user.trust {
            let words = format!("{}; /code {name} shows their code", trust.words());
            out.extend(pair("key", &words));
        }
        out.extend(pair("address", &user.address.to_string()));
        if let Some(other) = self.view().lookalike_of(name) {
            out.extend(pair("", &wording::looks_like(other)));
        }
        content
    }

    fn open_members(&self, columns: usize, out: &mut Vec<Row<'static>>) {
        out.push(self.heading(label::MEMBERS));
        let conversation = self.shown.conversation();
        for member in &conversation.members {
            let name = one_line(member.title());
            let mut beside = member.address.to_string();
            if let Some(other) = member.name.and_then(|name| self.view().lookalike_of(name)) {
                beside += &format!("  {}", one_line(&wording::looks_like(other)));
            }
            out.extend(self.pair(&name, &beside, columns));
        }
        for person in &conversation.out_of_reach {
            out.extend(self.pair(&one_line(&person.to_string()), label::OFFLINE, columns));
        }
        if conversation.is_alone() {
            out.push(self.remark(label::NO_MEMBERS));
        }
    }

    /// What is known of a member of an encrypted conversation.
    fn member_notes(&self, member: &Member) -> String {
        let presence = match chats::status(member.who, self.view()) {
            Some(status) => wording::status(status).to_lowercase(),
            None => label::OFFLINE.to_owned(),
        };
        let mut notes = vec![presence];
        notes.extend(member.owner.then(|| chat::OWNER.to_owned()));
        notes.extend(member.asked.then(|| chat::ASKED.to_owned()));
        notes.extend(member.declined.then(|| label::DECLINED.to_owned()));
        let trust = member.trust.filter(|trust| *trust != Trust::New);
        notes.extend(trust.map(|trust| trust.words().to_owned()));
        let like = member
            .who
            .name
            .and_then(|name| self.view().lookalike_of(name));
        notes.extend(like.map(|other| one_line(&wording::looks_like(other))));
        notes.join(", ")
    }

    pub(super) fn blocked(&self, columns: usize) -> Content {
        let mut content = Content::new(&format!(" {} ", label::BLOCKED));
        let blocked = self.view().blocked.iter();
        content
            .rows
            .extend(blocked.map(|who| Row::from(one_line(&who.to_string()))));
        let hint = if content.rows.is_empty() {
            format!("{}: /block NAME|ADDRESS", label::NO_ONE_BLOCKED)
        } else {
            "/unblock NAME|ADDRESS".to_owned()
        };
        let hint = rows(&hint, columns).into_iter();
        content.rows.extend(hint.map(|row| self.remark(&row)));
        content
    }
}
