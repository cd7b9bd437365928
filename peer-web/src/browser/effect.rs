//! Effects, compiled once: those of yew are compiled again for each use, which is half a KB.

use std::rc::Rc;

use yew::prelude::*;

/// What undoes an effect, if anything does.
type Undo = Option<Box<dyn FnOnce()>>;

/// What an effect returns: nothing, or what undoes it.
pub trait Ends {
    /// What undoes it.
    fn undo(self) -> Undo;
}

impl Ends for () {
    fn undo(self) -> Undo {
        None
    }
}

impl<F: FnOnce() + 'static> Ends for F {
    fn undo(self) -> Undo {
        Some(Box::new(self))
    }
}

/// What an effect depends on, of any type.
trait Cause {
    /// Whether another one is the same.
    fn is(&self, other: &dyn std::any::Any) -> bool;

    fn any(&self) -> &dyn std::any::Any;
}

impl<T: PartialEq + 'static> Cause for T {
    fn is(&self, other: &dyn std::any::Any) -> bool {
        other.downcast_ref() == Some(self)
    }

    fn any(&self) -> &dyn std::any::Any {
        self
    }
}

struct Causes(Rc<dyn Cause>);

impl PartialEq for Causes {
    fn eq(&self, other: &Self) -> bool {
        self.0.is(other.0.any())
    }
}

/// Runs an effect after the component is rendered for the first time, and again when what it
/// depends on has changed. The same as `use_effect_with` of yew.
#[hook]
pub fn use_effect_on<T, E, F>(causes: T, run: F)
where
    T: PartialEq + 'static,
    E: Ends,
    F: FnOnce(&T) -> E + 'static,
{
    let causes = Rc::new(causes);
    let own = causes.clone();
    use_boxed(Causes(causes), Box::new(move || run(&own).undo()));
}

#[hook]
fn use_boxed(causes: Causes, run: Box<dyn FnOnce() -> Undo>) {
    use_effect_with(causes, move |_| {
        let undo = run();
        move || {
            if let Some(undo) = undo {
                undo();
            }
        }
    });
}

/// A callback that stays the same.
#[hook]
pub fn use_stable<IN: 'static, F: Fn(IN) + 'static>(run: F) -> Callback<IN> {
    let kept = use_mut_ref(|| Callback::from(run));
    let kept = kept.borrow();
    kept.clone()
}
