//! The column on the left: members, users that were asked, others who are online.

use std::collections::HashSet;

use p2pchat_model::wording::{label, security};
use p2pchat_model::{PeerAddr, Person, Status, Timestamp, Trust, User, View};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line as Row, Span};
use ratatui::widgets::{Block, Borders, Paragraph};

use super::theme::Theme;
use crate::shown::Shown;
use crate::wrap::{fit, one_line, width};

/// Narrower screens have no side column.
pub(super) const SCREEN_WITH_SIDE: u16 = 60;
/// From this many columns on, there is room beside the names: for the names that users have
/// chosen, and for addresses that have no name.
const SCREEN_WITH_ADDRESSES: u16 = 110;
/// Minimum width of the side column with addresses.
const WITH_ADDRESSES: usize = 30;

/// Heading of the users who are online and not in the chat.
const ALSO_ONLINE: &str = "Also online";

/// Width of the side column on a screen of this many columns; 0 for none.
pub(super) fn columns(screen: u16) -> u16 {
    match screen {
        ..SCREEN_WITH_SIDE => 0,
        SCREEN_WITH_ADDRESSES.. => 34,
        _ => 20,
    }
}

/// Draws the side column.
pub(super) fn draw(
    frame: &mut Frame<'_>,
    area: Rect,
    shown: Shown<'_>,
    theme: Theme,
    now: Timestamp,
) {
    let block = Block::new()
        .borders(Borders::RIGHT)
        .border_style(theme.dim());
    let inner = block.inner(area);
    let list = List {
        theme,
        columns: usize::from(inner.width),
    };
    let rows = list.rows(shown, now, usize::from(inner.height));
    frame.render_widget(block, area);
    frame.render_widget(Paragraph::new(rows), inner);
}

fn is_lookalike(person: &Person, view: &View) -> bool {
    let other = person.name.and_then(|name| view.lookalike_of(name));
    other.is_some()
}

struct List {
    theme: Theme,
    columns: usize,
}

impl List {
    fn rows(&self, shown: Shown<'_>, now: Timestamp, height: usize) -> Vec<Row<'static>> {
        let mut members = self.members(shown);
        let mut others = self.others(shown, now);
        let members_count = shown.conversation().members.len();
        let others_count = others.len();
        if members.is_empty() {
            members.push(self.remark(label::NO_MEMBERS));
        }
        if others.is_empty() {
            others.push(self.remark(label::NO_ONE_ONLINE));
        }
        // Three rows are headings and space. Neither list takes more than half while the
        // other needs the rest.
        let room = height.saturating_sub(3).max(2);
        let left_by_members = room.saturating_sub(members.len());
        let for_others = others.len().min(left_by_members.max(room / 2));
        self.cut(&mut members, room.saturating_sub(for_others).max(1));
        self.cut(&mut others, for_others.max(1));
        let mut out = vec![self.heading(label::MEMBERS, members_count)];
        out.append(&mut members);
        out.extend([Row::default(), self.heading(ALSO_ONLINE, others_count)]);
        out.append(&mut others);
        out
    }

    fn members(&self, shown: Shown<'_>) -> Vec<Row<'static>> {
        let conversation = shown.conversation();
        let members = conversation.members.iter().map(|member| {
            let mark = if is_lookalike(member, shown.view) {
                Span::styled("≈", self.theme.warning())
            } else {
                Span::styled("●", self.theme.good())
            };
            let listed = member.name.and_then(|name| shown.view.user(name));
            let listed = listed.filter(|user| user.address == member.address);
            match listed {
                Some(user) => self.user(mark, user, shown.view),
                None => self.entry(mark, member.title(), &self.address(member.address)),
            }
        });
        let away = conversation.out_of_reach.iter().map(|person| {
            let mark = Span::styled("✗", self.theme.dim());
            self.entry(mark, &person.to_string(), label::OFFLINE)
        });
        members.chain(away).collect()
    }

    /// Users that were asked, then those online who were not and are not in the chat.
    fn others(&self, shown: Shown<'_>, now: Timestamp) -> Vec<Row<'static>> {
        let view = shown.view;
        let asked = view.outgoing.iter().map(|request| {
            let mark = Span::styled("◌", self.theme.warning());
            let seconds = now.seconds_until(request.expires);
            self.entry(mark, &request.to.to_string(), &format!("{seconds} s"))
        });
        let members = shown.conversation().members.iter();
        let asked_people = view.outgoing.iter().map(|request| &request.to);
        let above: HashSet<PeerAddr> = members
            .chain(asked_people)
            .map(|person| person.address)
            .collect();
        let online = view.others().filter(|user| !above.contains(&user.address));
        let online = online.map(|user| {
            let mark = if is_lookalike(&user.person(), view) {
                Span::styled("≈", self.theme.warning())
            } else {
                Span::styled("○", self.theme.dim())
            };
            self.user(mark, user, view)
        });
        asked.chain(online).collect()
    }

    /// A user with what others see of them: the mark of their key behind the name; on the right
    /// their status, or else the name that they have chosen.
    fn user(&self, mark: Span<'static>, user: &User, view: &View) -> Row<'static> {
        let trust = user.trust.map_or("", Trust::mark);
        let name = format!("{} {trust}", user.title());
        let wide = self.columns >= WITH_ADDRESSES;
        let status = match user.status {
            Status::Available if security::is_legacy(user, view) && wide => security::OLDER_PROGRAM,
            Status::Available if security::is_legacy(user, view) => "older",
            Status::Available => user.display_name.as_str(),
            Status::Busy => "busy",
            Status::Away => "away",
        };
        let beside = if wide && user.status != Status::Available && !user.display_name.is_empty() {
            format!("{} · {status}", user.display_name)
        } else {
            status.to_owned()
        };
        let room = self.columns.saturating_sub(5 + width(name.trim_end()));
        self.entry(mark, name.trim_end(), &fit(&one_line(&beside), room))
    }

    fn heading(&self, text: &str, count: usize) -> Row<'static> {
        Row::from(vec![
            Span::styled(format!(" {text}"), self.theme.strong()),
            Span::styled(format!("  {count}"), self.theme.dim()),
        ])
    }

    fn remark(&self, text: &str) -> Row<'static> {
        Row::from(Span::styled(format!("   {text}"), self.theme.dim()))
    }

    /// An address, where the column is wide enough.
    fn address(&self, address: PeerAddr) -> String {
        if self.columns >= WITH_ADDRESSES {
            address.to_string()
        } else {
            String::new()
        }
    }

    /// A mark, a name, and a note on the right where there is room for it.
    fn entry(&self, mark: Span<'static>, name: &str, beside: &str) -> Row<'static> {
        let room = self.columns.saturating_sub(4);
        let name = fit(&one_line(name), room);
        let gap = room.saturating_sub(width(&name) + width(beside));
        let mut row = Row::from(vec![
            Span::raw(" "),
            mark,
            Span::raw(" "),
            Span::raw(name.clone()),
        ]);
        if gap > 0 && beside != name {
            row.push_span(Span::styled(
                format!("{}{beside}", " ".repeat(gap)),
                self.theme.dim(),
            ));
        }
        row
    }

    fn cut(&self, rows: &mut Vec<Row<'static>>, room: usize) {
        if rows.len() > room {
            let more = rows.len() + 1 - room;
            rows.truncate(room - 1);
            rows.push(self.remark(&format!("{more} more: /who")));
        }
    }
}
