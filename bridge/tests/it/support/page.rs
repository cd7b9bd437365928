//! A page: it connects, shows the secret, keeps a view and sends calls.

use std::net::SocketAddr;
use std::sync::Arc;

use futures::{SinkExt, StreamExt};
use hyper_tungstenite::tungstenite::handshake::client::generate_key;
use hyper_tungstenite::tungstenite::http::Request;
use hyper_tungstenite::tungstenite::{Error, Message};
use p2pchat_model::{Call, CallId, Command, Event, Line, Update, View};
use tokio::net::TcpStream;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::within;

/// A connection attempt of a page, with its headers.
pub(crate) struct Visit {
    address: SocketAddr,
    path: String,
    headers: Vec<(&'static str, String)>,
}

impl Visit {
    /// The attempt of the bridge's own page.
    pub(crate) fn new(address: SocketAddr) -> Self {
        let headers = vec![
            ("host", address.to_string()),
            ("origin", format!("http://{address}")),
            ("sec-websocket-protocol", "p2pchat.v2".to_owned()),
        ];
        Self {
            address,
            path: "/ws".to_owned(),
            headers,
        }
    }

    pub(crate) fn path(mut self, path: &str) -> Self {
        self.path = path.to_owned();
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self
    }

    pub(crate) fn with(self, name: &'static str, value: impl Into<String>) -> Self {
        let mut visit = self.without(name);
        visit.headers.push((name, value.into()));
        visit
    }

    /// Connects; `Err` is the status if the bridge refuses.
    pub(crate) async fn connect(self) -> Result<Page, u16> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        self.connect_by(stream).await
    }

    /// The same over an open connection.
    pub(crate) async fn connect_by(self, stream: TcpStream) -> Result<Page, u16> {
        // The client wants the host in the URI, beside the header.
        let mut request = Request::builder()
            .uri(format!("ws://{}{}", self.address, self.path))
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", generate_key());
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let request = request.body(()).unwrap();
        match within("an answer", client_async(request, stream)).await {
            Ok((stream, _)) => Ok(Page {
                stream,
                view: View::default(),
            }),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }
}

/// A page, or a script.
pub(crate) struct Page {
    pub(crate) stream: WebSocketStream<TcpStream>,
    pub(crate) view: View,
}

impl Page {
    /// Shows the secret, as a front end without an id.
    pub(crate) async fn greet(&mut self, secret: &str) {
        self.send_text(&format!("{{\"secret\":\"{secret}\",\"version\":2}}"))
            .await;
    }

    /// The same with an id.
    pub(crate) async fn greet_as(&mut self, front_end: &str, secret: &str) {
        let greeting =
            format!("{{\"secret\":\"{secret}\",\"front_end\":\"{front_end}\",\"version\":2}}");
        self.send_text(&greeting).await;
    }

    /// Reads the view, which is the first update.
    pub(crate) async fn begin(&mut self) {
        let first = self.update().await;
        let Event::View(snapshot) = &*first.event else {
            panic!("{first:?}");
        };
        assert_eq!((snapshot.version, snapshot.missed), (2, 0));
    }

    /// Sends a command without an id.
    pub(crate) async fn send(&mut self, command: &Command) {
        let call = Call::new(command.clone());
        self.send_text(&serde_json::to_string(&call).unwrap()).await;
    }

    /// Sends a call, and reads until it is closed; returns its answers.
    pub(crate) async fn call(
        &mut self,
        id: impl Into<CallId>,
        command: &Command,
    ) -> Vec<Arc<Event>> {
        let call = Call::with_id(id, command.clone());
        self.send_text(&serde_json::to_string(&call).unwrap()).await;
        let mut answers = Vec::new();
        loop {
            let Update { re, event } = within("the last answer", self.update()).await;
            if re == call.id {
                answers.push(Arc::clone(&event));
                if matches!(*event, Event::Done | Event::Failed(_)) {
                    return answers;
                }
            }
        }
    }

    /// Sends a call as it is written in the documents.
    pub(crate) async fn send_text(&mut self, text: &str) {
        self.stream.send(Message::text(text)).await.unwrap();
    }

    /// The next text, or how the socket was closed.
    pub(crate) async fn text(&mut self) -> Result<String, (u16, String)> {
        loop {
            match within("a frame", self.stream.next()).await {
                Some(Ok(Message::Text(text))) => return Ok(text.to_string()),
                Some(Ok(Message::Close(Some(frame)))) => {
                    return Err((frame.code.into(), frame.reason.to_string()));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => return Err((0, format!("{other:?}"))),
            }
        }
    }

    /// The next update, applied to the view.
    pub(crate) async fn update(&mut self) -> Update {
        let text = self.text().await.unwrap();
        let update = Update::from_json(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        self.view.apply(&update.event);
        update
    }

    /// The event of the next update.
    pub(crate) async fn event(&mut self) -> Arc<Event> {
        self.update().await.event
    }

    /// Reads events until one matches.
    pub(crate) async fn until<T>(
        &mut self,
        what: &str,
        mut is: impl FnMut(&Event) -> Option<T>,
    ) -> T {
        within(what, async {
            loop {
                let event = self.event().await;
                if let Some(found) = is(&event) {
                    return found;
                }
            }
        })
        .await
    }

    /// Reads events until the view matches.
    pub(crate) async fn until_view(&mut self, what: &str, is: impl Fn(&View) -> bool) {
        within(what, async {
            while !is(&self.view) {
                self.event().await;
            }
        })
        .await;
    }

    /// The texts in the view, in the order of their ids.
    pub(crate) fn texts(&self) -> Vec<String> {
        let messages = self.view.open().lines.iter().filter_map(|line| match line {
            Line::Message(message) => Some(message),
            Line::Post(_) | Line::Notice { .. } => None,
        });
        let mut messages: Vec<_> = messages.collect();
        messages.sort_by_key(|message| message.id);
        let texts = messages.into_iter().map(|message| message.text.clone());
        texts.collect()
    }
}

/// The code and the reason with which the bridge closed a socket. Frames before are skipped.
pub(crate) async fn closed(page: &mut Page) -> (u16, String) {
    within("the end", async {
        loop {
            if let Err(closed) = page.text().await {
                return closed;
            }
        }
    })
    .await
}
