//! Boxes with keys: the code of a user, the keys of the profile, the registries that are known.

use p2pchat_model::Trust;
use p2pchat_model::wording::security;
use ratatui::text::Line as Row;

use super::overlay::{Content, RenderContext};
use crate::wrap::{one_line, rows};

impl RenderContext<'_> {
    /// Two codes, to be compared.
    pub(super) fn code(&self, columns: usize) -> Content {
        let mut content = Content::new(" Compare codes ");
        let Some(compared) = self.compared else {
            return content;
        };
        let out = &mut content.rows;
        let name = one_line(compared.name.as_str());
        let own = self.view().identity.and_then(|identity| identity.code);
        let own = own.map_or_else(|| "one moment…".to_owned(), |code| code.to_string());
        out.extend(self.pair(&name, &compared.code.to_string(), columns));
        out.extend(self.pair("you", &own, columns));
        out.push(Row::default());
        let state = format!("{name}: {}", compared.trust.words());
        out.extend(rows(&state, columns).iter().map(|row| self.heading(row)));
        out.extend(rows(security::COMPARE, columns).into_iter().map(Row::from));
        if compared.trust != Trust::Verified {
            out.push(Row::default());
            out.extend(self.pair("m", security::THEY_MATCH, columns));
        }
        content
    }

    /// The keys of the profile, and the line to the registry.
    pub(super) fn identity(&self, columns: usize) -> Content {
        let mut content = Content::new(" Identity ");
        let view = self.view();
        let out = &mut content.rows;
        for (what, value) in security::identity(view) {
            out.extend(self.pair(what, &value, columns));
        }
        out.push(Row::default());
        for row in rows(security::IDENTITY_HINT, columns) {
            out.push(self.remark(&row));
        }
        content
    }

    /// The registries that are known by their key.
    pub(super) fn known_registries(&self, columns: usize) -> Content {
        let mut content = Content::new(" Registries ");
        let out = &mut content.rows;
        for known in self.registries {
            let beside = format!("{}  since {}", known.fingerprint, known.since);
            out.extend(self.pair(&one_line(&known.registry), &beside, columns));
        }
        if out.is_empty() {
            out.push(self.remark(security::NO_REGISTRIES));
        } else {
            out.push(Row::default());
            out.push(self.remark("/registries forget NAME"));
        }
        content
    }
}
