//! The WebSocket to the bridge. One hook, [`use_bridge`], keeps it open.

mod backoff;
mod driver;
mod endpoint;
mod socket;

use std::rc::Rc;

use p2pchat_model::{Command, Event, View};
use yew::prelude::*;

pub use backoff::{Loss, Next, Refusal, close, next};
pub use endpoint::Endpoint;

/// The WebSocket subprotocol: both sides must name the same.
pub const SUBPROTOCOL: &str = "p2pchat.v1";

/// What the bridge sends.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame {
    /// The view: the first frame of each connection.
    View(Box<View>),
    /// An event since then.
    Event(Box<Event>),
}

/// The state of the connection to the bridge.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Connection {
    /// It is being made.
    #[default]
    Connecting,
    /// It is open, and the view has come.
    Live,
    /// It broke, or could not be made.
    Waiting {
        /// When the next attempt is due, in milliseconds since 1970.
        until: f64,
        /// Why.
        why: Loss,
    },
    /// The bridge refuses the page. There is no further attempt.
    Refused(Refusal),
}

/// What a page does with its bridge.
#[derive(Clone, PartialEq)]
pub struct Bridge {
    /// Sends a command; it is dropped unless the connection is [`Connection::Live`].
    pub send: Callback<Command>,
    /// Connects again at once.
    pub retry: Callback<()>,
}

/// Keeps a connection to the bridge at `endpoint`, and reports its frames and its state.
/// Another endpoint makes another connection; unmounting closes it.
#[hook]
pub fn use_bridge(
    endpoint: Option<Endpoint>,
    on_frame: Callback<Frame>,
    on_connection: Callback<Connection>,
) -> Bridge {
    let driver = use_mut_ref(|| None::<Rc<driver::Driver>>);
    {
        let driver = driver.clone();
        use_effect_with(endpoint, move |endpoint| {
            match endpoint {
                Some(endpoint) => {
                    let begun = driver::Driver::begin(endpoint.clone(), on_frame, on_connection);
                    *driver.borrow_mut() = Some(begun);
                }
                None => on_connection.emit(Connection::Refused(Refusal::NoSecret)),
            }
            move || {
                if let Some(driver) = driver.borrow_mut().take() {
                    driver.end();
                }
            }
        });
    }
    let send = {
        let driver = driver.clone();
        use_callback((), move |command: Command, ()| {
            if let Some(driver) = driver.borrow().as_ref() {
                driver.send(&command);
            }
        })
    };
    let retry = use_callback((), move |(), ()| {
        if let Some(driver) = driver.borrow().clone() {
            driver.connect();
        }
    });
    Bridge { send, retry }
}
