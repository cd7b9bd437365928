//! The WebSocket to the bridge. One hook, [`use_bridge`], keeps it open.

mod backoff;
mod driver;
mod endpoint;
pub mod json;
mod socket;

use std::rc::Rc;

use p2pchat_model::{Call, Update};
use yew::prelude::*;

use crate::browser::effect::{use_effect_on, use_stable};

pub use backoff::{Loss, Next, Refusal, close, next};
pub use endpoint::Endpoint;

/// The WebSocket subprotocol: both sides must name the same.
pub const SUBPROTOCOL: &str = "p2pchat.v2";

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
    /// Sends a call; it is dropped unless the connection is [`Connection::Live`].
    pub send: Callback<Call>,
    /// Connects again at once.
    pub retry: Callback<()>,
}

/// Keeps a connection to the bridge at `endpoint`, and reports its updates and its state. The
/// first update of each connection is the view. Another endpoint makes another connection; unmounting closes it.
#[hook]
pub fn use_bridge(
    endpoint: Option<Endpoint>,
    on_update: Callback<Update>,
    on_connection: Callback<Connection>,
) -> Bridge {
    let driver = use_mut_ref(|| None::<Rc<driver::Driver>>);
    {
        let driver = driver.clone();
        use_effect_on(endpoint, move |endpoint| {
            match endpoint {
                Some(endpoint) => {
                    let begun = driver::Driver::begin(endpoint.clone(), on_update, on_connection);
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
        use_stable(move |call: Call| {
            if let Some(driver) = driver.borrow().as_ref() {
                driver.send(&call);
            }
        })
    };
    let retry = use_stable(move |()| {
        if let Some(driver) = driver.borrow().clone() {
            driver.connect();
        }
    });
    Bridge { send, retry }
}
