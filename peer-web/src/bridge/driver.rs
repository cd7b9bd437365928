//! The connection to the bridge: opened, authenticated, opened again when it is lost.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use gloo_timers::callback::Timeout;
use p2pchat_model::{CONTRACT_VERSION, Call, Event, FrontEndId, Update};
use yew::Callback;

use super::backoff::{Loss, Next, Refusal, next};
use super::endpoint::Endpoint;
use super::socket::{Socket, SocketEvent};
use super::{Connection, json};
use crate::browser::page;

/// How long the bridge may take to send the view, in milliseconds.
const VIEW_TIMEOUT: u32 = 10_000;

/// The connection to the bridge.
pub(super) struct Driver {
    endpoint: Endpoint,
    /// Who the page is, however often it connects: its calls have ids of their own.
    front_end: FrontEndId,
    on_update: Callback<Update>,
    on_connection: Callback<Connection>,
    socket: RefCell<Option<Socket>>,
    timer: RefCell<Option<Timeout>>,
    /// Which socket this is: events of an earlier one are ignored.
    generation: Cell<u32>,
    live: Cell<bool>,
    failures: Cell<u32>,
}

impl Driver {
    /// Connects for the first time.
    pub(super) fn begin(
        endpoint: Endpoint,
        on_update: Callback<Update>,
        on_connection: Callback<Connection>,
    ) -> Rc<Self> {
        let driver = Rc::new(Self {
            endpoint,
            front_end: FrontEndId::random(page::random()),
            on_update,
            on_connection,
            socket: RefCell::default(),
            timer: RefCell::default(),
            generation: Cell::default(),
            live: Cell::default(),
            failures: Cell::default(),
        });
        driver.connect();
        driver
    }

    /// Closes the connection for good.
    pub(super) fn end(&self) {
        self.generation.set(self.generation.get() + 1);
        self.timer.take();
        self.socket.take();
    }

    /// Sends a call, if the connection is live.
    pub(super) fn send(&self, call: &Call) {
        if let (true, Some(socket)) = (self.live.get(), self.socket.borrow().as_ref())
            && let Ok(text) = serde_json::to_string(call)
        {
            socket.send(&text);
        }
    }

    /// Connects now.
    pub(super) fn connect(self: &Rc<Self>) {
        self.end();
        self.live.set(false);
        self.on_connection.emit(Connection::Connecting);
        let generation = self.generation.get();
        let weak = Rc::downgrade(self);
        let bare = cfg!(debug_assertions) && self.failures.get() % 2 == 1;
        let socket = Socket::open(&self.endpoint.url, bare, move |event| {
            if let Some(driver) = current(&weak, generation) {
                driver.handle(event);
            }
        });
        match socket {
            Some(socket) => {
                self.socket.replace(Some(socket));
                self.after(VIEW_TIMEOUT, |driver| driver.closed(0));
            }
            None => self.closed(0),
        }
    }

    fn handle(self: &Rc<Self>, event: SocketEvent) {
        match event {
            SocketEvent::Open => {
                if let Some(socket) = self.socket.borrow().as_ref() {
                    socket.send(&self.endpoint.greeting(&self.front_end));
                }
            }
            SocketEvent::Text(text) if self.live.get() => {
                // An event of a later version is ignored, as the contract has it.
                if let Some(update) = json::read(&text) {
                    self.on_update.emit(update);
                }
            }
            SocketEvent::Text(text) => self.first_frame(&text),
            SocketEvent::Closed(code) => self.closed(code),
        }
    }

    fn first_frame(&self, text: &str) {
        self.timer.take();
        match json::read(text) {
            Some(update) if is_view(&update.event) => {
                self.live.set(true);
                self.failures.set(0);
                self.on_update.emit(update);
                self.on_connection.emit(Connection::Live);
            }
            _ => {
                self.end();
                self.on_connection
                    .emit(Connection::Refused(Refusal::OtherVersion));
            }
        }
    }

    fn closed(self: &Rc<Self>, code: u16) {
        self.end();
        self.live.set(false);
        match next(code, self.failures.get(), js_sys::Math::random()) {
            Next::Stop(refusal) => self.on_connection.emit(Connection::Refused(refusal)),
            Next::Retry(wait) => {
                self.failures.set(self.failures.get() + 1);
                let until = js_sys::Date::now() + wait;
                let why = Loss::of(code);
                self.on_connection.emit(Connection::Waiting { until, why });
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "some seconds"
                )]
                self.after(wait as u32, Self::connect);
            }
        }
    }

    fn after(self: &Rc<Self>, wait: u32, then: impl FnOnce(&Rc<Self>) + 'static) {
        let generation = self.generation.get();
        let weak = Rc::downgrade(self);
        let timer = Timeout::new(wait, move || {
            if let Some(driver) = current(&weak, generation) {
                then(&driver);
            }
        });
        self.timer.replace(Some(timer));
    }
}

fn is_view(event: &Event) -> bool {
    matches!(event, Event::View(snapshot) if snapshot.version == CONTRACT_VERSION)
}

fn current(weak: &Weak<Driver>, generation: u32) -> Option<Rc<Driver>> {
    weak.upgrade()
        .filter(|driver| driver.generation.get() == generation)
}
