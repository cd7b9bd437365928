//! The layout of the conversation: the only part that measures and scrolls.

use p2pchat_model::{Line, MessageId};
use web_sys::{Element, HtmlElement};
use yew::NodeRef;

use crate::browser::{element, page};
use crate::logic::rows::{Key, Rows};
use crate::logic::window::{OVERSCAN, Place, Span, place_at, span, top_of};

/// How far from the end, in CSS pixels, still counts as at the end.
const END_SLACK: f64 = 24.0;
/// How many renders in a row may follow from measuring, in case heights never agree.
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

/// What takes the focus in a row: its links and its menu, not what the menu shows.
const STOPS: &str = "a, button:enabled:not(.menu-panel *)";

/// The conversation has two Tab stops: what scrolls, and one of the links and menus in it.
impl Nodes {
    fn stops(&self) -> Vec<Element> {
        let list = self.list.cast::<Element>();
        list.map(|list| element::all(&list, STOPS))
            .unwrap_or_default()
    }

    /// Leaves one link or menu for Tab: the one that has the focus, else the newest.
    pub(super) fn set_tab_stop(&self) {
        let stops = self.stops();
        let at = focused_of(&stops).or(stops.len().checked_sub(1));
        element::set_tab_stop(&stops, at.and_then(|at| stops.get(at)));
    }

    /// Moves the focus to the next link or menu, or the one before. Returns whether one of them
    /// has the focus.
    pub(super) fn move_focus(&self, forward: bool) -> bool {
        let stops = self.stops();
        let Some(at) = focused_of(&stops) else {
            return false;
        };
        let to = if forward {
            Some(at + 1)
        } else {
            at.checked_sub(1)
        };
        if let Some(stop) = to.and_then(|to| stops.get(to)) {
            element::focus(stop);
            element::set_tab_stop(&stops, Some(stop));
        }
        true
    }

    /// Moves the focus to what scrolls.
    pub(super) fn focus(&self) {
        if let Some(scroller) = self.scroller.cast::<Element>() {
            element::focus(&scroller);
        }
    }
}

fn focused_of(stops: &[Element]) -> Option<usize> {
    let focused = page::focused()?;
    let focused: &Element = focused.as_ref();
    stops.iter().position(|stop| stop == focused)
}

/// The layout of the conversation.
#[derive(Default)]
pub(super) struct Layout {
    /// The place of the user.
    pub(super) place: Place,
    /// The height of what is in sight, in CSS pixels.
    pub(super) in_sight: f64,
    /// Whether a page of history was asked for since the user did anything but drag the bar.
    pub(super) holds: bool,
    /// The message of the jump for which a part was asked.
    pub(super) sought: Option<MessageId>,
    /// What was drawn last, and which rows those were.
    drawn: Span,
    keys: Vec<Key>,
    /// How high the empty boxes above and below are.
    spacers: [Option<f64>; 2],
    /// The scroll position when it was last looked at.
    top: f64,
    rounds: u32,
    /// Where this put the scroll position: the browser reports it later, like the user's.
    put_at: Option<i32>,
}

impl Layout {
    /// Which rows to draw. If the user's row is gone, the place is the scroll position.
    pub(super) fn draw(&mut self, rows: &Rows) -> Span {
        if let Place::At { key, .. } = self.place
            && !rows.iter().rev().any(|row| row.shown.key == key)
        {
            self.place = place_at(self.top, rows);
        }
        self.drawn = self.wanted(rows);
        let drawn = &rows[self.drawn.first..self.drawn.end];
        self.keys.clear();
        self.keys.extend(drawn.iter().map(|row| row.shown.key));
        self.drawn
    }

    fn wanted(&self, rows: &Rows) -> Span {
        let top = top_of(self.place, rows, self.in_sight);
        span(rows, top, self.in_sight)
    }

    /// After a render: measures what was drawn, and scrolls to the place. Returns whether
    /// another render is needed.
    pub(super) fn settle(&mut self, nodes: &Nodes, lines: &[Line], rows: &mut Rows) -> bool {
        let Some((scroller, list)) = nodes.get() else {
            return false;
        };
        let heights = [self.drawn.above, self.drawn.below];
        for (nth, node) in [&nodes.above, &nodes.below].into_iter().enumerate() {
            if self.spacers[nth] != Some(heights[nth])
                && let Some(spacer) = node.cast::<HtmlElement>()
            {
                element::set_px(&spacer, "height", heights[nth]);
                self.spacers[nth] = Some(heights[nth]);
            }
        }
        self.in_sight = f64::from(scroller.client_height());
        rows.set_width(f64::from(list.client_width()), lines);
        self.measure(&list, rows);
        self.scroll_to_place(&scroller, &list);
        let lacks = self.drawn.lacks(&self.wanted(rows));
        self.rounds = if lacks { self.rounds + 1 } else { 0 };
        lacks && self.rounds <= MOST_ROUNDS
    }

    /// Measures the rows that are drawn: those that were not measured yet, and all of them if
    /// the list is not as high as their sum.
    fn measure(&self, list: &Element, rows: &mut Rows) {
        for all in [false, true] {
            let mut sum = 0.0;
            for (nth, key) in self.keys.iter().enumerate() {
                let index = self.drawn.first + nth;
                match rows.get(index) {
                    Some(row) if row.shown.key == *key => {}
                    // Other rows came or went since: they will be drawn, and measured then.
                    _ => return,
                }
                if (all || !rows[index].measured)
                    && let Some(drawn) = element::child(list, nth)
                {
                    rows.measure(index, drawn.get_bounding_client_rect().height());
                }
                sum += rows[index].height;
            }
            if (sum - list.get_bounding_client_rect().height()).abs() < 0.5 {
                return;
            }
        }
    }

    fn scroll_to_place(&mut self, scroller: &HtmlElement, list: &Element) {
        let now = scroller.scroll_top();
        let wanted = match self.place {
            Place::End => scroller.scroll_height() - scroller.client_height(),
            Place::At { key, offset } => {
                let top = scroller.get_bounding_client_rect().top();
                let nth = self.keys.iter().position(|drawn| *drawn == key);
                let Some(row) = nth.and_then(|nth| element::child(list, nth)) else {
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
        }
        // Where less is drawn than before, the browser has put it there.
        self.put_at = Some(scroller.scroll_top());
        self.top = f64::from(scroller.scroll_top());
    }

    /// After a scroll: moves the place. Returns whether other rows have to be drawn.
    pub(super) fn scrolled(&mut self, nodes: &Nodes, rows: &Rows, has_later: bool) -> bool {
        let Some((scroller, list)) = nodes.get() else {
            return false;
        };
        if self.put_at == Some(scroller.scroll_top()) {
            return false;
        }
        self.put_at = None;
        let top = f64::from(scroller.scroll_top());
        self.top = top;
        self.holds &= top < OVERSCAN;
        let left = f64::from(scroller.scroll_height() - scroller.client_height()) - top;
        self.place = if left <= END_SLACK && !has_later {
            Place::End
        } else {
            self.first_in_sight(&scroller, &list)
                .unwrap_or_else(|| place_at(top, rows))
        };
        self.drawn.lacks(&span(rows, top, self.in_sight))
    }

    fn first_in_sight(&self, scroller: &Element, list: &Element) -> Option<Place> {
        let seen = scroller.get_bounding_client_rect();
        self.keys.iter().enumerate().find_map(|(nth, key)| {
            let place = element::child(list, nth)?.get_bounding_client_rect();
            let in_sight = place.bottom() > seen.top() && place.top() < seen.bottom();
            (in_sight && key.stays()).then(|| Place::At {
                key: *key,
                offset: place.top() - seen.top(),
            })
        })
    }
}
