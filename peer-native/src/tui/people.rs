//! Boxes with people: who is in the conversation and who is online, and who is blocked.

use p2pchat_model::wording::{self, label};
use ratatui::text::Line as Row;

use super::overlay::{Content, RenderContext};
use crate::wrap::{one_line, rows};

impl RenderContext<'_> {
    pub(super) fn who(&self, columns: usize) -> Content {
        let mut content = Content::new(" People ");
        let out = &mut content.rows;
        out.push(self.heading(label::MEMBERS));
        for member in &self.shown.conversation().members {
            let name = one_line(member.title());
            let mut beside = member.address.to_string();
            if let Some(other) = member.name.and_then(|name| self.view().lookalike_of(name)) {
                beside += &format!("  {}", one_line(&wording::looks_like(other)));
            }
            out.extend(self.pair(&name, &beside, columns));
        }
        for person in &self.shown.conversation().out_of_reach {
            out.extend(self.pair(&one_line(&person.to_string()), label::OFFLINE, columns));
        }
        if self.shown.conversation().is_alone() {
            out.push(self.remark(label::NO_MEMBERS));
        }
        out.extend([Row::default(), self.heading(label::ONLINE)]);
        for user in self.view().others() {
            let mut beside = user.address.to_string();
            for note in wording::security::notes(user, self.view()) {
                beside += &format!(", {note}");
            }
            if !user.display_name.is_empty() {
                beside += &format!("  “{}”", one_line(user.display_name.as_str()));
            }
            if let Some(other) = self.view().lookalike_of(user.name) {
                beside += &format!("  {}", one_line(&wording::looks_like(other)));
            }
            out.extend(self.pair(&one_line(user.title()), &beside, columns));
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
