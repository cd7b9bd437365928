//! A place to mount, a WebSocket to play, and waiting without guessing how long.

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Element, HtmlElement};
use yew::AppHandle;
use yew::html::BaseComponent;

pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// The view of a user who is signed in and chats with bob.
pub(crate) const VIEW: &str = r#"{"event":"view","version":2,"missed":0,"view":{"address":"192.168.1.20","message_port":5859,"registry":"192.168.1.10","link":{"state":"up"},"security":{"state":"encrypted","fingerprint":"ABCD-EFGH-IJKL-MNOP-QRST-UVWX-YZ"},"identity":{"device":"AAAA-BBBB-CCCC-DDDD-EEEE-FFFF-GG","person":"HHHH-IIII-JJJJ-KKKK-LLLL-MMMM-NN","code":"1111 2222 3333 4444 5555","saved":true},"account":"alice","display_name":"","legacy_login":false,"busy":false,"away":false,"online":[{"name":"alice","address":"192.168.1.20","display_name":"","status":"available","open_chat":true,"legacy":false,"trust":null},{"name":"bob","address":"192.168.1.21","display_name":"","status":"available","open_chat":true,"legacy":false,"trust":"new"},{"name":"carol","address":"192.168.1.22","display_name":"","status":"available","open_chat":true,"legacy":true,"trust":null}],"incoming":null,"outgoing":[],"conversations":[{"id":"open","members":[{"address":"192.168.1.21","name":"bob","check":"confirmed"}],"out_of_reach":[],"lines":[],"more_history":false,"read":null,"draft":""}],"conversations_of":"alice","blocked":[],"dropped":[],"undo":null}}"#;

/// The view before a user is signed in.
pub(crate) const SIGNED_OUT: &str = r#"{"event":"view","version":2,"missed":0,"view":{"address":"192.168.1.20","message_port":5859,"registry":"192.168.1.10","link":{"state":"up"},"security":{"state":"encrypted","fingerprint":"ABCD-EFGH-IJKL-MNOP-QRST-UVWX-YZ"},"identity":{"device":"AAAA-BBBB-CCCC-DDDD-EEEE-FFFF-GG","person":"HHHH-IIII-JJJJ-KKKK-LLLL-MMMM-NN","code":"1111 2222 3333 4444 5555","saved":true},"account":null,"display_name":"","legacy_login":false,"busy":false,"away":false,"online":[],"incoming":null,"outgoing":[],"conversations":[{"id":"open","members":[],"out_of_reach":[],"lines":[],"more_history":false,"read":null,"draft":""}],"conversations_of":null,"blocked":[],"dropped":[],"undo":null}}"#;

const FAKE: &str = "
    window.sockets = [];
    window.realSocket ??= window.WebSocket;
    window.WebSocket = class extends EventTarget {
        constructor(url, protocol) {
            super();
            Object.assign(this, { url, protocol, readyState: 0, sent: [] });
            window.sockets.push(this);
        }
        send(text) { this.sent.push(text); }
        close() { this.readyState = 3; }
        open() { this.readyState = 1; this.dispatchEvent(new Event('open')); }
        say(text) { this.dispatchEvent(new MessageEvent('message', { data: text })); }
        drop(code) { this.readyState = 3; this.dispatchEvent(new CloseEvent('close', { code })); }
    };
    localStorage.clear();
    sessionStorage.clear();";

/// The last WebSocket that the page has made.
pub(crate) struct Fake;

impl Fake {
    /// From now on the test is what the page connects to.
    pub(crate) fn install() -> Self {
        js(FAKE);
        Self
    }

    pub(crate) fn count(&self) -> u32 {
        js("window.sockets.length").as_f64().unwrap() as u32
    }

    pub(crate) fn open(&self) {
        js("window.sockets.at(-1).open()");
    }

    pub(crate) fn say(&self, frame: &str) {
        js(&format!("window.sockets.at(-1).say({})", quoted(frame)));
    }

    pub(crate) fn drop(&self, code: u16) {
        js(&format!("window.sockets.at(-1).drop({code})"));
    }

    /// What the page has sent over the last WebSocket.
    pub(crate) fn sent(&self) -> Vec<String> {
        let sent: js_sys::Array = js("window.sockets.at(-1)?.sent ?? []").unchecked_into();
        sent.iter().map(|text| text.as_string().unwrap()).collect()
    }

    /// The commands that the page has sent over the last WebSocket, without their ids, and
    /// without what it tells by itself: what is read, what is typed, and that the user is there.
    pub(crate) fn commands(&self) -> Vec<String> {
        let commands: js_sys::Array = js("(window.sockets.at(-1)?.sent ?? []).slice(1)
            .map((frame) => JSON.parse(frame))
            .filter(({ command }) => !['read', 'draft', 'active'].includes(command))
            .map(({ id, ...rest }) => JSON.stringify(rest))")
        .unchecked_into();
        commands
            .iter()
            .map(|text| text.as_string().unwrap())
            .collect()
    }

    /// The last of these commands that the page has sent, as JSON with its id.
    pub(crate) fn last(&self, command: &str) -> Option<String> {
        js(&format!(
            "window.sockets.at(-1).sent.findLast((frame) => JSON.parse(frame).command === '{command}')"
        ))
        .as_string()
    }

    /// Sends an event as the answer to the last of these commands.
    pub(crate) fn answer(&self, command: &str, event: &str) {
        let call = self.last(command).unwrap();
        let id = js(&format!("JSON.parse({}).id", quoted(&call)));
        let re = format!(r#"{{"re":{},"#, id.as_f64().unwrap());
        self.say(&event.replacen('{', &re, 1));
    }

    /// Lets the page in and shows it this.
    pub(crate) async fn welcome(&self, view: &str) {
        wait_for("a connection", || self.count() > 0).await;
        self.open();
        self.say(view);
    }
}

pub(crate) fn js(code: &str) -> JsValue {
    js_sys::eval(code).unwrap()
}

pub(crate) fn quoted(text: &str) -> String {
    js_sys::JSON::stringify(&text.into()).unwrap().into()
}

/// Something mounted, gone with the handle.
pub(crate) struct Mounted<C: BaseComponent> {
    pub(crate) root: Element,
    app: Option<AppHandle<C>>,
}

pub(crate) fn mount<C: BaseComponent>(props: C::Properties) -> Mounted<C> {
    let document = web_sys::window().unwrap().document().unwrap();
    let root = document.create_element("div").unwrap();
    document.body().unwrap().append_child(&root).unwrap();
    let app = yew::Renderer::<C>::with_root_and_props(root.clone(), props).render();
    Mounted {
        root,
        app: Some(app),
    }
}

impl<C: BaseComponent> Mounted<C> {
    pub(crate) fn text(&self) -> String {
        self.root.text_content().unwrap_or_default()
    }

    pub(crate) fn find(&self, selector: &str) -> Option<HtmlElement> {
        self.root
            .query_selector(selector)
            .unwrap()
            .map(JsCast::unchecked_into)
    }

    pub(crate) async fn wait(&self, selector: &str) -> HtmlElement {
        wait_for(selector, || self.find(selector).is_some()).await;
        self.find(selector).unwrap()
    }

    pub(crate) async fn wait_text(&self, text: &str) {
        wait_for(text, || self.text().contains(text)).await;
    }

    /// Types a text into a field, as a browser reports it, and lets the page take it.
    pub(crate) async fn type_into(&self, selector: &str, text: &str) {
        let field = self.wait(selector).await;
        js_sys::Reflect::set(&field, &"value".into(), &text.into()).unwrap();
        let init = web_sys::InputEventInit::new();
        init.set_bubbles(true);
        let event = web_sys::InputEvent::new_with_event_init_dict("input", &init).unwrap();
        field.dispatch_event(&event).unwrap();
        tick(0).await;
    }
}

impl<C: BaseComponent> Drop for Mounted<C> {
    fn drop(&mut self) {
        if let Some(app) = self.app.take() {
            app.destroy();
        }
        self.root.remove();
    }
}

/// Waits up to five seconds for a condition.
pub(crate) async fn wait_for(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..500 {
        if condition() {
            return;
        }
        tick(10).await;
    }
    panic!("waited in vain for {what}");
}

async fn tick(milliseconds: i32) {
    let promise = js_sys::Promise::new(&mut |resolve, _| {
        web_sys::window()
            .unwrap()
            .set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, milliseconds)
            .unwrap();
    });
    JsFuture::from(promise).await.unwrap();
}
