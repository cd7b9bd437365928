//! Where things are in the conversation: the only part that measures and scrolls.

use p2pchat_model::Line;
use web_sys::{Element, HtmlElement};
use yew::NodeRef;

use crate::browser::element;
use crate::logic::rows::{Key, Row};
use crate::logic::window::{Heights, OVERSCAN, Place, Span, place_at, span};

/// How far from the end, in CSS pixels, still counts as at the end.
const END_SLACK: f64 = 24.0;
/// How many renders in a row may follow from measuring, should heights never agree.
const MOST_ROUNDS: u32 = 6;

/// The elements that are measured and moved.
#[derive(Clone, Default, PartialEq)]
pub(super) struct Nodes {
    /// What scrolls.
    pub(super) scroller: NodeRef,
    /// An empty box as high as the rows before those that are drawn.
    pub(super) above: NodeRef,
    /// The rows that are drawn.
    pub(super) list: NodeRef,
    /// An empty box as high as the rows behind.
    pub(super) below: NodeRef,
}

impl Nodes {
    fn get(&self) -> Option<(HtmlElement, Element)> {
        Some((self.scroller.cast()?, self.list.cast()?))
    }
}

/// Where things are.
#[derive(Default)]
pub(super) struct Layout {
    /// Where the user is.
    pub(super) place: Place,
    /// The height of what is in sight, in CSS pixels.
    pub(super) in_sight: f64,
    /// What was drawn last.
    pub(super) drawn: Span,
    known: Heights,
    /// The scroll position when it was last looked at.
    top: f64,
    rounds: u32,
    /// Where this put the scroll position: the browser tells of it later, as of the user's.
    put_at: Option<i32>,
}

impl Layout {
    /// The height of each row, as far as is known.
    pub(super) fn heights(&mut self, rows: &[Row], lines: &[Line]) -> Vec<f64> {
        self.known.tidy(rows);
        self.known.of(rows, |index| match &lines[index] {
            Line::Message(message) => message.text.len(),
            Line::Notice { text, .. } => text.len(),
        })
    }

    /// Where the user is, given all rows; if his row went away, where he was.
    pub(super) fn place_in(&mut self, rows: &[Row], heights: &[f64]) -> Place {
        if let Place::At { key, .. } = self.place
            && !rows.iter().any(|row| row.key == key)
        {
            self.place = place_at(self.top, rows, heights);
        }
        self.place
    }

    /// After a render: measures what was drawn, and scrolls to the place. Says whether
    /// another render is needed.
    pub(super) fn settle(&mut self, nodes: &Nodes, rows: &[Row]) -> bool {
        let Some((scroller, list)) = nodes.get() else {
            return false;
        };
        for (node, height) in [
            (&nodes.above, self.drawn.above),
            (&nodes.below, self.drawn.below),
        ] {
            if let Some(spacer) = node.cast::<HtmlElement>() {
                element::set_px(&spacer, "height", height);
            }
        }
        let in_sight = f64::from(scroller.client_height());
        let mut news = (in_sight - self.in_sight).abs() > 0.5;
        self.in_sight = in_sight;
        self.known.set_width(f64::from(list.client_width()));
        let drawn = rows
            .get(self.drawn.first..self.drawn.end)
            .unwrap_or_default();
        for (row, (key, element)) in drawn.iter().zip(element::rows(&list)) {
            if key == row.key.to_string() {
                news |= self
                    .known
                    .measure(row.key, element.get_bounding_client_rect().height());
            }
        }
        self.scroll_to_place(&scroller, &list);
        self.rounds = if news { self.rounds + 1 } else { 0 };
        news && self.rounds <= MOST_ROUNDS
    }

    fn scroll_to_place(&mut self, scroller: &HtmlElement, list: &Element) {
        let now = scroller.scroll_top();
        let wanted = match self.place {
            Place::End => scroller.scroll_height() - scroller.client_height(),
            Place::At { key, offset } => {
                let key = key.to_string();
                let top = scroller.get_bounding_client_rect().top();
                let Some((_, row)) = element::rows(list).find(|(found, _)| *found == key) else {
                    return;
                };
                let off = row.get_bounding_client_rect().top() - top - offset;
                #[expect(clippy::cast_possible_truncation, reason = "some pixels")]
                let off = off.round() as i32;
                now + off
            }
        };
        if now != wanted {
            scroller.set_scroll_top(wanted);
            self.put_at = Some(scroller.scroll_top());
            self.top = f64::from(scroller.scroll_top());
        }
    }

    /// After a scroll: where is the user now? Says whether other rows have to be drawn.
    pub(super) fn scrolled(&mut self, nodes: &Nodes, rows: &[Row], heights: &[f64]) -> bool {
        let Some((scroller, list)) = nodes.get() else {
            return false;
        };
        if self.put_at == Some(scroller.scroll_top()) {
            return false;
        }
        self.put_at = None;
        let top = f64::from(scroller.scroll_top());
        self.top = top;
        let left = f64::from(scroller.scroll_height() - scroller.client_height()) - top;
        self.place = if left <= END_SLACK && self.drawn.end == rows.len() {
            Place::End
        } else {
            self.first_in_sight(&scroller, &list, rows)
                .unwrap_or_else(|| place_at(top, rows, heights))
        };
        let wanted = span(heights, top, self.in_sight);
        // Drawn rows reach far beyond what is in sight: follow in steps, not in pixels.
        (wanted.above - self.drawn.above).abs() > OVERSCAN / 3.0
            || (wanted.below - self.drawn.below).abs() > OVERSCAN / 3.0
            || (wanted.first == 0) != (self.drawn.first == 0)
    }

    fn first_in_sight(&self, scroller: &Element, list: &Element, rows: &[Row]) -> Option<Place> {
        let seen = scroller.get_bounding_client_rect();
        let drawn = rows.get(self.drawn.first..self.drawn.end)?;
        drawn
            .iter()
            .zip(element::rows(list))
            .find_map(|(row, (key, element))| {
                let place = element.get_bounding_client_rect();
                let in_sight = place.bottom() > seen.top() && place.top() < seen.bottom();
                // The mark can go away, which would lose the place.
                let holds = row.key != Key::New && key == row.key.to_string();
                (in_sight && holds).then(|| Place::At {
                    key: row.key,
                    offset: place.top() - seen.top(),
                })
            })
    }
}
