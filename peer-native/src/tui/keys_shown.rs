//! Boxes with keys: the code of a user, the keys of the profile, the registries that are known.

use p2pchat_model::Trust;
use p2pchat_model::wording::{label, security};
use ratatui::text::{Line as Row, Span};

use super::overlay::{Content, RenderContext};
use crate::wrap::{one_line, rows};

/// What the user can say of codes that were compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// The key is trusted from now on: as verified, or without that.
    Trust {
        verified: bool,
    },
    Differ,
}

/// The answers, each with its key and in words.
pub(super) fn answers(trust: Trust) -> impl Iterator<Item = (char, &'static str, Said)> {
    let trusted = trust.answers().iter().map(move |&(words, verified)| {
        let letter = match (verified, trust) {
            (true, _) => 'm',
            (false, Trust::Verified) => 'n',
            (false, _) => 'a',
        };
        (letter, words, Said::Trust { verified })
    });
    trusted.chain([('d', label::THEY_DO_NOT_MATCH, Said::Differ)])
}

impl RenderContext<'_> {
    /// Two codes, to be compared; whether the user has said that they differ.
    pub(super) fn code(&self, differ: bool, columns: usize) -> Content {
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
        out.push(Row::default());
        for (letter, words, _) in answers(compared.trust) {
            out.push(self.key(&letter.to_string(), words));
        }
        if differ {
            out.push(Row::default());
            let words = rows(label::DO_NOT_TRUST, columns).into_iter();
            out.extend(words.map(|row| Row::from(Span::styled(row, self.theme.error()))));
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
