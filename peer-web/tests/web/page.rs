//! The whole page.

use std::cell::Cell;

use p2pchat_web::App;
use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{Fake, Mounted, SECRET, SIGNED_OUT, VIEW, js, mount, wait_for};

pub(crate) async fn page(view: &str) -> (Mounted<App>, Fake) {
    js(&format!("history.replaceState(null, '', '#{SECRET}')"));
    let fake = Fake::install();
    let mounted = mount::<App>(());
    fake.welcome(view).await;
    (mounted, fake)
}

fn said(id: u64, own: bool, text: &str) -> String {
    let (name, address) = if own { ("alice", 20) } else { ("bob", 21) };
    let deliveries = if own { "[]" } else { "null" };
    format!(
        r#"{{"event":"message","conversation":"open","id":{id},"at":{},"from":{{"name":"{name}","address":"192.168.1.{address}","check":"confirmed"}},"text":"{text}","deliveries":{deliveries}}}"#,
        1_795_348_800_000 + id * 1000
    )
}

#[wasm_bindgen_test]
async fn a_page_without_the_secret_says_so() {
    js("history.replaceState(null, '', '#')");
    let fake = Fake::install();
    let mounted = mount::<App>(());
    mounted.wait_text("Open the whole address").await;
    assert_eq!(fake.count(), 0);
}

#[wasm_bindgen_test]
async fn signing_in_sends_the_form_and_shows_what_is_wrong_beside_the_field() {
    let (mounted, fake) = page(SIGNED_OUT).await;
    mounted.type_into("#sign-in-name", "alice").await;
    mounted.type_into("#sign-in-password", "wrong").await;
    // What was typed is in the form a moment later.
    let submit = mounted.wait("button[type=submit]").await;
    wait_for("the command", || {
        submit.click();
        fake.commands().len() == 1
    })
    .await;
    assert_eq!(
        fake.commands()[0],
        r#"{"command":"login","name":"alice","password":"wrong"}"#
    );
    fake.answer("login", r#"{"event":"failed","at":1,"command":"login","code":"wrong_credentials","message":"name or password is wrong","advice":""}"#);
    mounted.wait_text("Name or password is wrong.").await;
    let field = mounted.wait("#sign-in-password").await;
    assert_eq!(field.get_attribute("aria-invalid").as_deref(), Some("true"));
    fake.say(r#"{"event":"logged_in","at":2,"name":"alice"}"#);
    mounted.wait("#composer").await;
}

#[wasm_bindgen_test]
async fn a_name_that_does_not_fit_is_not_sent() {
    let (mounted, fake) = page(SIGNED_OUT).await;
    // Six letters of two bytes.
    mounted.type_into("#sign-in-name", "çççççç").await;
    mounted.type_into("#sign-in-password", "p").await;
    mounted.wait_text("too long").await;
    mounted.wait("button[type=submit]").await.click();
    mounted.wait("#sign-in-name-note:not(:empty)").await;
    assert_eq!(fake.commands().len(), 0);
}

#[wasm_bindgen_test]
async fn a_new_password_is_typed_twice_and_a_weak_one_is_told() {
    let (mounted, fake) = page(SIGNED_OUT).await;
    mounted
        .wait(".tabs button[aria-pressed=false]")
        .await
        .click();
    mounted.wait("#sign-in-again").await;
    mounted.type_into("#sign-in-name", "alice").await;
    mounted.type_into("#sign-in-password", "x").await;
    mounted.wait_text("Easy to guess").await;
    mounted.type_into("#sign-in-again", "y").await;
    mounted.wait_text("The two passwords differ.").await;
    mounted.wait("button[type=submit]").await.click();
    assert_eq!(fake.commands().len(), 0);
    mounted.type_into("#sign-in-again", "x").await;
    wait_for("no error", || !mounted.text().contains("differ")).await;
    mounted.wait("button[type=submit]").await.click();
    wait_for("the command", || fake.commands().len() == 1).await;
    assert_eq!(
        fake.commands()[0],
        r#"{"command":"register","name":"alice","password":"x","display_name":""}"#
    );
}

#[wasm_bindgen_test]
async fn a_text_is_sent_and_shown_and_the_draft_is_gone() {
    let (mounted, fake) = page(VIEW).await;
    mounted.type_into("#composer", "hello").await;
    wait_for("the draft", || {
        js("sessionStorage['p2pchat.draft.alice']")
            .as_string()
            .as_deref()
            == Some("hello")
    })
    .await;
    wait_for("the button", || {
        !mounted.find(".send").unwrap().has_attribute("disabled")
    })
    .await;
    mounted.wait(".send").await.click();
    wait_for("the command", || fake.commands().len() == 1).await;
    assert_eq!(
        fake.commands()[0],
        r#"{"command":"say","conversation":"open","text":"hello"}"#
    );
    assert!(js("sessionStorage['p2pchat.draft.alice']").is_undefined());
    fake.answer("say", &said(1, true, "hello"));
    mounted.wait(".message.own").await;
}

impl Mounted<App> {
    async fn press_enter(&self) {
        let init = web_sys::KeyboardEventInit::new();
        init.set_key("Enter");
        init.set_bubbles(true);
        init.set_cancelable(true);
        let event = web_sys::KeyboardEvent::new_with_keyboard_event_init_dict("keydown", &init);
        self.wait("#composer")
            .await
            .dispatch_event(&event.unwrap())
            .unwrap();
    }

    fn composed(&self) -> String {
        let field = self.find("#composer").unwrap();
        let field: web_sys::HtmlTextAreaElement = field.dyn_into().unwrap();
        field.value()
    }

    /// Why a text was not sent, as it is shown and announced.
    fn problem(&self) -> String {
        let line = self.find(".composer-note [aria-live=polite]");
        line.and_then(|line| line.text_content())
            .unwrap_or_default()
    }

    async fn wait_problem(&self, words: &str) {
        wait_for(words, || self.problem().contains(words)).await;
    }
}

#[wasm_bindgen_test]
async fn a_text_that_cannot_be_sent_stays_in_the_field_and_it_is_said_why() {
    let alone = VIEW.replace(
        r#"[{"address":"192.168.1.21","name":"bob","check":"confirmed"}],"out"#,
        r#"[],"out"#,
    );
    for by_button in [false, true] {
        let (mounted, fake) = page(&alone).await;
        mounted.type_into("#composer", "hello").await;
        mounted.wait(".send:enabled").await;
        if by_button {
            mounted.wait(".send:enabled").await.click();
        } else {
            mounted.press_enter().await;
        }
        mounted.wait_problem("No chat yet").await;
        fake.drop(1006);
        mounted.wait_problem("Not connected to your bridge").await;
        assert_eq!(mounted.composed(), "hello");
        wait_for("another connection", || fake.count() == 2).await;
        fake.welcome(VIEW).await;
        wait_for("no problem", || mounted.problem().is_empty()).await;
        mounted.press_enter().await;
        wait_for("the command", || fake.commands().len() == 1).await;
        assert_eq!(
            fake.commands()[0],
            r#"{"command":"say","conversation":"open","text":"hello"}"#
        );
        wait_for("an empty field", || mounted.composed().is_empty()).await;
    }
}

#[wasm_bindgen_test]
async fn a_text_that_the_bridge_would_not_take_is_refused_in_the_page() {
    let (mounted, fake) = page(VIEW).await;
    mounted.type_into("#composer", &"x".repeat(70_000)).await;
    mounted.wait_problem("too long").await;
    mounted.press_enter().await;
    assert_eq!(mounted.composed().len(), 70_000);
    assert_eq!(fake.commands().len(), 0);
}

#[wasm_bindgen_test]
async fn a_text_whose_answer_was_lost_with_the_connection_is_sent_again_by_its_id() {
    let (mounted, fake) = page(VIEW).await;
    mounted.type_into("#composer", "hello").await;
    mounted.wait(".send:enabled").await;
    mounted.press_enter().await;
    wait_for("an empty field", || mounted.composed().is_empty()).await;
    let call = fake.last("say").unwrap();
    mounted.type_into("#composer", "and more").await;
    mounted.wait(".send:enabled").await;
    fake.drop(1006);
    mounted.wait_text("Your bridge has not answered yet.").await;
    wait_for("another connection", || fake.count() == 2).await;
    assert_eq!(mounted.composed(), "and more");
    fake.welcome(VIEW).await;
    wait_for("the text", || fake.last("say") == Some(call.clone())).await;
    // The tab keeps it until then.
    let kept = || {
        js("sessionStorage['p2pchat.sent.alice'] ?? ''")
            .as_string()
            .unwrap()
    };
    assert!(kept().contains("hello"));
    fake.answer("say", r#"{"event":"done"}"#);
    wait_for("nothing kept", || kept().is_empty()).await;
    assert_eq!(mounted.composed(), "and more");
}

#[wasm_bindgen_test]
async fn a_text_that_was_refused_is_back_in_the_field() {
    let (mounted, fake) = page(VIEW).await;
    mounted.type_into("#composer", "hello").await;
    mounted.wait(".send:enabled").await;
    mounted.press_enter().await;
    wait_for("an empty field", || mounted.composed().is_empty()).await;
    let failure = r#"{"event":"failed","at":1795348800000,"command":"say","code":"nobody_there","message":"no chat yet","advice":""}"#;
    // What another call led to says nothing of this one.
    fake.say(&failure.replacen('{', r#"{"re":999,"#, 1));
    fake.say(&said(1, false, "hi"));
    mounted.wait_text("hi").await;
    assert_eq!(mounted.composed(), "");
    fake.answer("say", &failure.replace("800000", "809000"));
    wait_for("the text", || mounted.composed() == "hello").await;
    mounted.wait_problem("No chat yet").await;
}

#[wasm_bindgen_test]
async fn what_is_typed_is_shared_once_typing_pauses_and_what_others_type_is_taken() {
    let (mounted, fake) = page(VIEW).await;
    let draft =
        |text: &str| format!(r#"{{"event":"draft","conversation":"open","text":"{text}"}}"#);
    mounted.wait("#composer").await;
    fake.say(&draft("from the terminal"));
    wait_for("the draft", || mounted.composed() == "from the terminal").await;
    assert_eq!(fake.last("draft"), None, "they have it");
    mounted.type_into("#composer", "mine").await;
    fake.say(&draft("theirs"));
    wait_for("my draft", || {
        fake.last("draft")
            .is_some_and(|call| call.contains(r#""text":"mine""#))
    })
    .await;
    assert_eq!(mounted.composed(), "mine", "they do not type over it");
    assert_eq!(js("sessionStorage['p2pchat.draft.alice']"), "mine");
    fake.answer("draft", r#"{"event":"done"}"#);
    wait_for("nothing kept", || {
        js("sessionStorage['p2pchat.draft.alice']").is_undefined()
    })
    .await;
    mounted.press_enter().await;
    wait_for("no draft", || {
        fake.last("draft")
            .is_some_and(|call| call.contains(r#""text":"""#))
    })
    .await;
}

#[wasm_bindgen_test]
async fn what_is_read_here_is_told_and_what_is_read_elsewhere_is_not_unread() {
    let (mounted, fake) = page(VIEW).await;
    js("document.hasFocus = () => true; window.dispatchEvent(new Event('focus'))");
    fake.say(&said(1, false, "one"));
    wait_for("the mark", || {
        fake.last("read")
            .is_some_and(|call| call.ends_with(r#""message":1}"#))
    })
    .await;
    js("document.hasFocus = () => false; window.dispatchEvent(new Event('blur'))");
    mounted.wait("#composer").await;
    let last = Cell::new(1);
    wait_for("something unread", || {
        last.set(last.get() + 1);
        fake.say(&said(last.get(), false, "more"));
        js("document.title.startsWith('(')").is_truthy()
    })
    .await;
    let last = last.get();
    fake.say(&format!(
        r#"{{"event":"read","conversation":"open","message":{last}}}"#
    ));
    wait_for("the title", || js("document.title") == "alice · p2pchat").await;
    js("delete document.hasFocus");
}

#[wasm_bindgen_test]
async fn a_session_that_needs_its_password_again_keeps_the_chat_in_sight() {
    let (mounted, fake) = page(VIEW).await;
    fake.say(&said(1, false, "still here"));
    fake.say(r#"{"event":"link","state":"password_needed"}"#);
    mounted.wait_text("Sign in again").await;
    mounted.wait_text("still here").await;
    mounted.type_into("#again-password", "secret").await;
    let submit = mounted.wait("form.banner button").await;
    wait_for("the command", || {
        submit.click();
        !fake.commands().is_empty()
    })
    .await;
    assert_eq!(
        fake.commands(),
        [r#"{"command":"login","name":"alice","password":"secret"}"#]
    );
    fake.answer("login", r#"{"event":"failed","at":1,"command":"login","code":"wrong_credentials","message":"name or password is wrong","advice":""}"#);
    mounted.wait_text("Name or password is wrong.").await;
    fake.say(r#"{"event":"link","state":"up"}"#);
    wait_for("no form", || mounted.find("form.banner").is_none()).await;
}

/// Alerts for a page that is out of sight, on in the settings.
async fn alerted_page() -> (Mounted<App>, Fake) {
    js("Object.defineProperty(document, 'hidden', { value: true, configurable: true })");
    js(&format!("history.replaceState(null, '', '#{SECRET}')"));
    let fake = Fake::install();
    js("localStorage['p2pchat.notify'] = localStorage['p2pchat.sound'] = 'on'");
    let mounted = mount::<App>(());
    fake.welcome(VIEW).await;
    (mounted, fake)
}

#[wasm_bindgen_test]
async fn a_browser_without_notifications_shows_messages_all_the_same() {
    let (mounted, fake) = alerted_page().await;
    js("window.realNotification = window.Notification; delete window.Notification");
    fake.say(&said(1, false, "still here"));
    mounted.wait_text("still here").await;
    js("window.Notification = window.realNotification; delete document.hidden");
}

#[wasm_bindgen_test]
async fn all_sounds_come_from_one_audio_context() {
    js("window.contexts = 0;
        window.AudioContext = class extends window.AudioContext {
            constructor() { super(); window.contexts += 1; }
        }");
    let (mounted, fake) = alerted_page().await;
    for id in 1..=10 {
        fake.say(&said(id, false, "listen"));
    }
    fake.say(&said(11, false, "the last one"));
    mounted.wait_text("the last one").await;
    let contexts = js("window.contexts").as_f64().unwrap();
    js("delete document.hidden");
    // The test before this one may have made it.
    assert!(contexts <= 1.0, "{contexts}");
}

#[wasm_bindgen_test]
async fn a_request_is_shown_and_answered_by_its_address() {
    let alone = VIEW.replace(
        r#"[{"address":"192.168.1.21","name":"bob","check":"confirmed"}],"out"#,
        r#"[],"out"#,
    );
    let (mounted, fake) = page(&alone).await;
    fake.say(r#"{"event":"request_received","conversation":"open","at":1,"from":{"name":"dave","address":"192.168.1.23","check":"unknown"},"members":[{"address":"192.168.1.24","name":"erin","check":"confirmed"}],"expires":9999999999999}"#);
    mounted
        .wait_text("dave invites you to a chat with erin")
        .await;
    assert!(mounted.text().contains("192.168.1.23"));
    mounted
        .wait(".chat-pane .incoming .primary:enabled")
        .await
        .click();
    wait_for("the command", || fake.commands().len() == 1).await;
    assert_eq!(
        fake.commands()[0],
        r#"{"command":"accept","conversation":"open","from":"192.168.1.23"}"#
    );
}

const ASKS_TO_JOIN: &str = r#"{"event":"request_received","conversation":"open","at":1,"from":{"name":"uma","address":"192.168.1.23","check":"confirmed"},"members":[],"expires":9999999999999}"#;

#[wasm_bindgen_test]
async fn who_asks_to_join_a_chat_can_be_let_in_or_be_met_alone() {
    let (mounted, fake) = page(VIEW).await;
    fake.say(ASKS_TO_JOIN);
    mounted.wait_text("uma asks to join your open chat").await;
    mounted
        .wait_text("bob will see uma, and uma will see bob.")
        .await;
    assert!(
        !mounted
            .find(".incoming")
            .unwrap()
            .text_content()
            .unwrap()
            .contains("192.168")
    );
    let buttons = ".chat-pane .incoming-buttons button";
    mounted
        .wait(&format!("{buttons}:nth-child(3):enabled"))
        .await
        .click();
    wait_for("the commands", || fake.commands().len() == 2).await;
    assert_eq!(
        fake.commands(),
        [
            r#"{"command":"leave","conversation":"open"}"#,
            r#"{"command":"accept","conversation":"open","from":"192.168.1.23"}"#
        ]
    );
}

#[wasm_bindgen_test]
async fn no_key_and_no_click_that_was_under_way_answers_a_request() {
    let (mounted, fake) = page(VIEW).await;
    mounted.wait("#composer").await.focus().unwrap();
    fake.say(ASKS_TO_JOIN);
    mounted.wait(".chat-pane .incoming .primary").await.click();
    assert_eq!(js("document.activeElement.id"), "composer");
    for key in ["a", "r", "b", "å", "Enter", "Escape", "y"] {
        for modifier in ["altKey", "ctrlKey", "shiftKey"] {
            js(&format!(
                "for (const code of ['KeyA', 'KeyR', 'KeyB'])
                    document.activeElement.dispatchEvent(new KeyboardEvent('keydown',
                        {{ key: '{key}', code, {modifier}: true, bubbles: true }}))"
            ));
        }
    }
    assert_eq!(fake.commands().len(), 0);
    mounted.wait(".chat-pane .incoming .primary:enabled").await;
    assert_eq!(js("document.activeElement.id"), "composer");
}

#[wasm_bindgen_test]
async fn a_request_that_was_sent_can_be_cancelled_and_one_that_was_missed_asked_back() {
    let (mounted, fake) = page(VIEW).await;
    fake.say(r#"{"event":"request_sent","conversation":"open","at":1,"to":{"address":"192.168.1.22","name":"carol","check":"confirmed"},"expires":9999999999999}"#);
    mounted.wait_text("aiting for carol to accept").await;
    mounted.wait(".chat-pane .request-row button").await.click();
    wait_for("the command", || fake.commands().len() == 1).await;
    assert_eq!(
        fake.commands()[0],
        r#"{"command":"cancel","conversation":"open","to":"192.168.1.22"}"#
    );
    fake.say(r#"{"event":"request_answered","conversation":"open","at":2,"to":{"address":"192.168.1.22","name":"carol","check":"confirmed"},"refusal":"cancelled"}"#);
    wait_for("no request", || mounted.find(".request-row").is_none()).await;

    fake.say(r#"{"event":"request_missed","conversation":"open","at":3,"from":{"name":"dave","address":"192.168.1.24","check":"confirmed"}}"#);
    mounted.wait(".chat-pane .request-row").await;
    mounted.wait_text("You missed a request from dave.").await;
    mounted.wait(".chat-pane .request-row button").await.click();
    wait_for("the command", || fake.commands().len() == 2).await;
    assert_eq!(
        fake.commands()[1],
        r#"{"command":"request","conversation":"open","to":{"address":"192.168.1.24"}}"#
    );
}

#[wasm_bindgen_test]
async fn a_person_is_blocked_from_a_menu_after_a_question_and_unblocked_too() {
    let (mounted, fake) = page(VIEW).await;
    fake.say(r#"{"event":"request_received","conversation":"open","at":1,"from":{"name":"bob","address":"192.168.1.23","check":"differs"},"members":[],"expires":9999999999999}"#);
    let menus = [
        ".chat-pane .incoming .more:enabled",
        ".message .more",
        ".people .more[aria-label='Actions for carol']",
    ];
    fake.say(&said(1, false, "hello"));
    for menu in menus {
        mounted.wait(menu).await.click();
        mounted.wait("[role=menuitem]").await.click();
        mounted.wait(".question .button:first-child").await.click();
        wait_for("no question", || mounted.find(".question").is_none()).await;
    }
    assert_eq!(fake.commands().len(), 0, "all were cancelled");
    for menu in menus {
        mounted.wait(menu).await.click();
        mounted.wait("[role=menuitem]").await.click();
        mounted.wait(".question .danger").await.click();
        wait_for("no question", || mounted.find(".question").is_none()).await;
    }
    wait_for("the commands", || fake.commands().len() == 3).await;
    // A name that is only said could be another's: the address is blocked.
    assert_eq!(
        fake.commands(),
        [
            r#"{"command":"block","who":{"address":"192.168.1.23"}}"#,
            r#"{"command":"block","who":{"name":"bob"}}"#,
            r#"{"command":"block","who":{"name":"carol"}}"#
        ]
    );
    let now = js("Date.now()").as_f64().unwrap();
    fake.say(&format!(r#"{{"event":"blocks","at":{now},"list":[{{"name":"carol"}}],"change":{{"blocked":{{"name":"carol"}}}}}}"#));
    mounted.wait_text("carol is blocked").await;
    mounted.wait(".undo-bar button").await.click();
    wait_for("the command", || fake.commands().len() == 4).await;
    assert_eq!(fake.commands()[3], r#"{"command":"undo"}"#);
    mounted
        .wait(".blocked .more[aria-label='Actions for carol']")
        .await
        .click();
    mounted.wait("[role=menuitem]").await.click();
    mounted.wait(".question .danger").await.click();
    wait_for("the command", || fake.commands().len() == 5).await;
    assert_eq!(
        fake.commands()[4],
        r#"{"command":"unblock","who":{"name":"carol"}}"#
    );
}

#[wasm_bindgen_test]
async fn what_was_dropped_is_counted_and_a_name_that_passes_for_another_is_marked() {
    let (mounted, fake) = page(VIEW).await;
    fake.say(r#"{"event":"dropped","at":1,"name":"mallory","address":"192.168.1.66","tried":"request","why":"blocked","count":12}"#);
    mounted
        .wait_text("mallory (192.168.1.66): 12 chat requests, blocked")
        .await;
    let online = r#"{"event":"online","users":[{"name":"bob","address":"192.168.1.21","display_name":"","status":"available","open_chat":true,"legacy":true,"trust":null},{"name":"b\u043eb","address":"192.168.1.66","display_name":"","status":"available","open_chat":true,"legacy":true,"trust":null}]}"#;
    fake.say(online);
    mounted.wait_text("looks like bob").await;
    assert_eq!(
        mounted
            .root
            .query_selector_all(".tag.bad")
            .unwrap()
            .length(),
        1
    );
}

#[wasm_bindgen_test]
async fn of_three_thousand_messages_a_few_are_in_the_page() {
    let (mounted, fake) = page(VIEW).await;
    // Without the style sheet the list has no height of its own; give it one.
    js(
        "const style = document.createElement('style'); style.textContent = '.scroller { height: 600px; overflow-y: auto; overflow-anchor: none }'; document.head.append(style)",
    );
    for id in 1..=3000 {
        fake.say(&said(id, false, "text"));
    }
    fake.say(&said(3001, false, "the last one"));
    mounted.wait_text("the last one").await;
    let drawn = mounted
        .root
        .query_selector_all(".message")
        .unwrap()
        .length();
    assert!((1..300).contains(&drawn), "{drawn}");
}

#[wasm_bindgen_test]
async fn a_bridge_that_goes_away_is_told_in_plain_words() {
    let (mounted, fake) = page(VIEW).await;
    mounted.wait("#composer").await;
    fake.drop(1006);
    mounted
        .wait_text("p2pchat has stopped on this computer")
        .await;
    wait_for("another connection", || fake.count() >= 2).await;
    fake.open();
    fake.drop(4001);
    mounted.wait_text("not the key of your bridge").await;
}
