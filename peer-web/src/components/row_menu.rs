//! A menu of what can be done with a person, a message or a chat.

use p2pchat_model::printable;
use p2pchat_model::wording::label;
use web_sys::{Element, HtmlElement};
use yew::prelude::*;

use crate::browser::effect::use_effect_on;
use crate::browser::hooks::{toggle, use_focus_kept, use_menu_keys, use_popup};
use crate::browser::{element, keys, page};
use crate::part;

use super::icon::{Glyph, icon};

/// The rows that menus belong to: Shift F10 in one opens its menu.
const ROW: &str = "li, article";
/// The room between the button and the menu, and around it, in CSS pixels.
const GAP: f64 = 6.0;

/// Something that can be done.
#[derive(Debug, Clone, PartialEq)]
pub struct MenuItem {
    /// In a word or two; with dots at the end if a question follows.
    pub label: AttrValue,
    /// What is asked before it is done, for what is felt by others.
    pub question: Option<Question>,
    /// Does it.
    pub onpick: Callback<()>,
    /// Whether several of its kind stand beside each other.
    pub is_small: bool,
}

impl MenuItem {
    /// Something that is done at once.
    pub fn new(label: impl Into<AttrValue>, onpick: Callback<()>) -> Self {
        Self {
            label: label.into(),
            question: None,
            onpick,
            is_small: false,
        }
    }

    /// The same as one of several that stand beside each other.
    #[must_use]
    pub fn small(self) -> Self {
        Self {
            is_small: true,
            ..self
        }
    }

    /// The same after a question, with the word on the button that does it.
    #[must_use]
    pub fn asks(self, words: impl Into<AttrValue>, yes: &'static str) -> Self {
        let words = words.into();
        let question = Some(Question { words, yes });
        Self { question, ..self }
    }

    /// Something that is only told.
    #[must_use]
    pub fn tells(self, words: impl Into<AttrValue>) -> Self {
        self.asks(words, "")
    }
}

/// What is asked before something is done.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The question.
    pub words: AttrValue,
    /// The word on the button that does it; empty if there is nothing to do.
    pub yes: &'static str,
}

#[derive(PartialEq)]
struct Props {
    about: AttrValue,
    items: Vec<MenuItem>,
    disabled: bool,
    tab_stop: bool,
}

/// The menu of a row: `about` is who or what it is about, for the name of the button (`Actions for
/// bob`), and `items` what can be done; without any there is no menu. `disabled` is whether nothing
/// can be done now. `tab_stop` is whether Tab leads to the button: not in a list where arrows lead
/// from row to row.
pub fn row_menu(
    about: impl Into<AttrValue>,
    items: Vec<MenuItem>,
    disabled: bool,
    tab_stop: bool,
) -> Html {
    let about = about.into();
    let props = Props {
        about,
        items,
        disabled,
        tab_stop,
    };
    part!(use_row_menu, props)
}

/// The button that opens the menu, and the menu; Shift F10 anywhere in its row opens it too.
/// The menu turns into the question of the item that was picked, if it has one.
#[hook]
fn use_row_menu(props: &Props) -> Html {
    let node = use_node_ref();
    let panel = use_node_ref();
    let open = use_popup(&node);
    let asks = use_state_eq(|| None::<usize>);
    use_row_key(&node, &open);
    use_focus_kept(&node);
    use_place(&node, &panel, (*open, *asks));
    {
        let asks = asks.setter();
        use_effect_on(*open, move |_| asks.set(None));
    }
    if props.items.is_empty() {
        return html! {};
    }
    let name = printable(&format!("Actions for {}", props.about)).into_owned();
    let question = asks.and_then(|at| Some((props.items.get(at)?, at)));
    let content = match question {
        Some((item, _)) if *open => ask(item, &open),
        _ if *open => html! {
            <div role="menu" aria-label={name.clone()} onkeydown={|event: KeyboardEvent| on_menu_key(&event)}>
                { for props.items.iter().enumerate().map(|(at, item)| entry(at, item, &open, &asks)) }
            </div>
        },
        _ => html! {},
    };
    html! {
        <span class="menu" ref={node}>
            <button type="button" class="icon-button more" aria-haspopup="menu" aria-expanded={open.to_string()}
                aria-label={name.clone()} title={name} disabled={props.disabled} onclick={toggle(&open)}
                tabindex={(!props.tab_stop).then_some("-1")}>{ icon(Glyph::More) }</button>
            if *open {
                // In the top layer, where no pane cuts it off.
                <div class="menu-panel row-panel" popover="manual" ref={panel}>{ content }</div>
            }
        </span>
    }
}

fn entry(
    at: usize,
    item: &MenuItem,
    open: &UseStateHandle<bool>,
    asks: &UseStateHandle<Option<usize>>,
) -> Html {
    let onclick = match item.question {
        Some(_) => {
            let asks = asks.setter();
            Callback::from(move |_: MouseEvent| asks.set(Some(at)))
        }
        None => done(item, open),
    };
    html! {
        <button key={at} type="button" role="menuitem" class={classes!("menu-item", item.is_small.then_some("small"))} {onclick}>{ printable(&item.label).into_owned() }</button>
    }
}

/// The question. The focus is on the button that does nothing.
fn ask(item: &MenuItem, open: &UseStateHandle<bool>) -> Html {
    let Some(question) = &item.question else {
        return html! {};
    };
    let oncancel = {
        let open = open.setter();
        move |_: MouseEvent| open.set(false)
    };
    html! {
        <div role="alertdialog" class="question" aria-labelledby="row-question">
            <p id="row-question">{ printable(&question.words).into_owned() }</p>
            <div class="question-buttons">
                <button type="button" class="button small" onclick={oncancel}>
                    { if question.yes.is_empty() { "Close" } else { label::CANCEL } }
                </button>
                if !question.yes.is_empty() {
                    <button type="button" class="button small danger" onclick={done(item, open)}>{ question.yes }</button>
                }
            </div>
        </div>
    }
}

fn done(item: &MenuItem, open: &UseStateHandle<bool>) -> Callback<MouseEvent> {
    let (open, onpick) = (open.setter(), item.onpick.clone());
    Callback::from(move |_| {
        open.set(false);
        onpick.emit(());
    })
}

/// Moves the focus from item to item by the keys of menus.
fn on_menu_key(event: &KeyboardEvent) {
    // Not the event's current target: yew listens at the root of the page.
    let item = event.target_dyn_into::<Element>();
    let menu = item.and_then(|item| item.closest("[role=menu]").ok().flatten());
    let Some(menu) = menu else {
        return;
    };
    let count = menu.child_element_count();
    let focused = page::focused();
    let at = (0..count).find(|at| {
        let child = menu.children().item(*at);
        child.as_ref() == focused.as_ref().map(AsRef::as_ref)
    });
    let at = at.unwrap_or(0);
    let to = match keys::pressed(event).as_deref() {
        Some("ArrowDown" | "ArrowRight") => (at + 1) % count,
        Some("ArrowUp" | "ArrowLeft") => (at + count - 1) % count,
        Some("Home") => 0,
        Some("End") => count - 1,
        _ => return,
    };
    event.prevent_default();
    // The keys of the list that the menu is in are others.
    event.stop_propagation();
    if let Some(item) = menu.children().item(to) {
        element::focus(&item);
    }
}

/// Shift F10, or the menu key, in the row opens the menu.
#[hook]
fn use_row_key(node: &NodeRef, open: &UseStateHandle<bool>) {
    let open = open.setter();
    let row = {
        let node = node.clone();
        move || node.cast::<Element>()?.closest(ROW).ok()?
    };
    use_menu_keys(row, Callback::from(move |()| open.set(true)));
}

/// Puts the menu beside its button and the focus into it.
#[hook]
fn use_place(node: &NodeRef, panel: &NodeRef, shown: (bool, Option<usize>)) {
    let (node, panel) = (node.clone(), panel.clone());
    use_effect_on(shown, move |(open, _)| {
        let (true, Some(menu), Some(panel)) = (
            *open,
            node.cast::<HtmlElement>(),
            panel.cast::<HtmlElement>(),
        ) else {
            return;
        };
        // Fails where there are no popovers, and when it is shown already.
        let _ = panel.show_popover();
        place(&menu, &panel);
        if let Ok(Some(first)) = panel.query_selector("button") {
            element::focus(&first);
        }
    });
}

/// Below the button, or above it where there is no room below; within the window.
fn place(menu: &HtmlElement, panel: &HtmlElement) {
    let (width, height) = page::size();
    let button = menu.get_bounding_client_rect();
    let own = panel.get_bounding_client_rect();
    let below = button.bottom() + GAP;
    let above = button.top() - GAP - own.height();
    let fits = below + own.height() + GAP <= height;
    let top = if fits || above < GAP { below } else { above };
    let most = (width - own.width() - GAP).max(GAP);
    let left = (button.right() - own.width()).min(most).max(GAP);
    element::set_px(panel, "left", left);
    element::set_px(
        panel,
        "top",
        top.min((height - own.height() - GAP).max(GAP)),
    );
}
