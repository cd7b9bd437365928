//! One WebSocket with its handlers. Closed when dropped.

use gloo_events::EventListener;
use wasm_bindgen::JsCast;
use web_sys::{CloseEvent, MessageEvent, WebSocket};

use super::SUBPROTOCOL;

/// An event of a socket.
pub(super) enum SocketEvent {
    /// It is open.
    Open,
    /// A text frame came.
    Text(String),
    /// It closed, with this code.
    Closed(u16),
}

/// One WebSocket.
pub(super) struct Socket {
    socket: WebSocket,
    _listeners: [EventListener; 3],
}

impl Socket {
    /// Begins to connect. `None` if the browser does not even try.
    ///
    /// `bare` names the subprotocol in the address: `trunk serve`, the proxy while one works on
    /// this page, does not answer to the header.
    pub(super) fn open(
        url: &str,
        bare: bool,
        on: impl Fn(SocketEvent) + Clone + 'static,
    ) -> Option<Self> {
        let socket = if bare {
            WebSocket::new(&format!("{url}?protocol={SUBPROTOCOL}"))
        } else {
            WebSocket::new_with_str(url, SUBPROTOCOL)
        };
        let socket = socket.ok()?;
        let opened = on.clone();
        let received = on.clone();
        let listeners = [
            EventListener::new(&socket, "open", move |_| opened(SocketEvent::Open)),
            EventListener::new(&socket, "message", move |event| {
                let event = event.unchecked_ref::<MessageEvent>();
                if let Some(text) = event.data().as_string() {
                    received(SocketEvent::Text(text));
                }
            }),
            EventListener::new(&socket, "close", move |event| {
                on(SocketEvent::Closed(
                    event.unchecked_ref::<CloseEvent>().code(),
                ));
            }),
        ];
        Some(Self {
            socket,
            _listeners: listeners,
        })
    }

    /// Sends a text frame, if the socket is open.
    pub(super) fn send(&self, text: &str) {
        if self.socket.ready_state() == WebSocket::OPEN {
            // Fails only while connecting, which was just ruled out.
            let _ = self.socket.send_with_str(text);
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Fails only for wrong codes, and this gives none.
        let _ = self.socket.close();
    }
}
