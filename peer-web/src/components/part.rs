//! Any component that is no more than a hook: its life is compiled once for all of them, which is
//! a quarter of a KB each in what is downloaded.

use std::any::Any;
use std::fmt::Display;
use std::rc::Rc;

use yew::functional::{Hook, HookContext};
use yew::prelude::*;

/// Draws a component: a hook that returns what is seen, and the properties that it gets.
#[macro_export]
macro_rules! part {
    ($hook:path) => {
        $crate::components::part::part((), &"", |(), context| {
            yew::functional::Hook::run($hook(), context)
        })
    };
    ($hook:path, $props:expr) => {
        $crate::part!($hook, $props, "")
    };
    // What has another key is drawn from the beginning.
    ($hook:path, (), $key:expr) => {
        $crate::components::part::part((), &$key, |(), context| {
            yew::functional::Hook::run($hook(), context)
        })
    };
    ($hook:path, $props:expr, $key:expr) => {
        $crate::components::part::part($props, &$key, |props, context| {
            yew::functional::Hook::run($hook(props), context)
        })
    };
}

/// Something that is drawn by a hook.
trait Draw {
    fn draw(&self, context: &mut HookContext) -> Html;

    /// Whether another one looks the same.
    fn is(&self, other: &dyn Any) -> bool;

    fn any(&self) -> &dyn Any;
}

struct Of<P> {
    props: P,
    run: fn(&P, &mut HookContext) -> Html,
}

impl<P: PartialEq + 'static> Draw for Of<P> {
    fn draw(&self, context: &mut HookContext) -> Html {
        (self.run)(&self.props, context)
    }

    fn is(&self, other: &dyn Any) -> bool {
        let other = other.downcast_ref::<Self>();
        other.is_some_and(|other| other.props == self.props)
    }

    fn any(&self) -> &dyn Any {
        self
    }
}

#[derive(Properties, Clone)]
struct Props {
    of: Rc<dyn Draw>,
}

impl PartialEq for Props {
    fn eq(&self, other: &Self) -> bool {
        self.of.is(other.of.any())
    }
}

struct Drawing(Rc<dyn Draw>);

impl Hook for Drawing {
    type Output = Html;

    fn run(self, context: &mut HookContext) -> Html {
        self.0.draw(context)
    }
}

fn use_drawing(of: &Rc<dyn Draw>) -> Drawing {
    Drawing(of.clone())
}

#[component]
fn Part(props: &Props) -> Html {
    use_drawing(&props.of)
}

/// For [`part!`].
pub fn part<P: PartialEq + 'static>(
    props: P,
    key: &dyn Display,
    run: fn(&P, &mut HookContext) -> Html,
) -> Html {
    // What is drawn by another hook is never taken for this one.
    let key = format!("{} {key}", run as usize);
    draw(key, Rc::new(Of { props, run }))
}

fn draw(key: String, of: Rc<dyn Draw>) -> Html {
    html! { <Part {key} {of} /> }
}
