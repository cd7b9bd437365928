//! Encrypted conversations, made of what the bridge sends.

use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::page::page;
use crate::support::{Fake, Mounted, VIEW, js, wait_for};
use p2pchat_web::App;

/// The id of the conversation with bob.
pub(crate) fn direct() -> String {
    "d".repeat(64)
}

fn group() -> String {
    "e".repeat(64)
}

fn asked() -> String {
    "f".repeat(64)
}

fn bob() -> String {
    format!(r#"{{"key":"{}","name":"bob","you":false}}"#, "b".repeat(64))
}

fn you() -> String {
    format!(
        r#"{{"key":"{}","name":"alice","you":true}}"#,
        "a".repeat(64)
    )
}

/// A change of the membership.
pub(crate) const CHANGE: &str =
    r#"{"event":"chat_changed","conversation":"ID","at":1,"change":{"renamed":"Lunch"}}"#;

fn chat(kind: &str, name: &str, standing: &str, trust: &str) -> String {
    let member = format!(
        r#"{{"who":{},"asked":false,"declined":false,"owner":true,"trust":"{trust}","typing":false,"read":null}}"#,
        bob()
    );
    format!(
        r#"{{"kind":"{kind}","name":"{name}","standing":{standing},"owner":true,"members":[{member}],"since":null,"unread":0,"mentions":0,"alerts":"all","pinned":false,"archived":false}}"#
    )
}

fn conversation(id: &str, chat: &str, lines: &str) -> String {
    format!(
        r#"{{"id":"{id}","members":[],"out_of_reach":[],"lines":[{lines}],"more_history":false,"read":null,"draft":"","chat":{chat}}}"#
    )
}

/// The id of a message.
fn id(nth: u64) -> String {
    format!("{nth:016x}{:032x}", 1)
}

/// A message of the conversation with bob.
fn post_line(nth: u64, own: bool, text: &str) -> String {
    let (from, receipts) = if own {
        let receipts = format!(r#"[{{"to":{},"delivered":false}}]"#, bob());
        (you(), receipts)
    } else {
        (bob(), "null".to_owned())
    };
    format!(
        r#""conversation":"{}","id":"{}","at":{},"came":null,"from":{from},"state":"shown","text":"{text}","edited":null,"reply":null,"reactions":[],"receipts":{receipts}}}"#,
        direct(),
        id(nth),
        1_795_348_800_000 + nth * 1000,
    )
}

/// The same as an event.
pub(crate) fn post(nth: u64, own: bool, text: &str) -> String {
    format!(r#"{{"event":"post",{}"#, post_line(nth, own, text))
}

/// Bob comes online, or goes.
fn presence(online: bool) -> String {
    let user = r#"{"name":"bob","address":"192.168.1.21","display_name":"","status":"available","open_chat":false,"legacy":false,"trust":"new"}"#;
    let (users, gone) = if online { (user, "") } else { ("", r#""bob""#) };
    format!(r#"{{"event":"presence","users":[{users}],"gone":[{gone}]}}"#)
}

/// The view of alice, who has a conversation with bob and a group, and was asked into another.
pub(crate) fn view() -> String {
    view_with("new")
}

fn view_with(trust: &str) -> String {
    let line = format!(r#"{{"kind":"post",{}"#, post_line(1, false, "the first"));
    let standing = format!(r#"{{"asked":{}}}"#, bob());
    let conversations = [
        conversation(&direct(), &chat("direct", "", r#""in""#, trust), &line),
        conversation(
            &group(),
            &chat("group", "Release team", r#""in""#, "new"),
            "",
        ),
        conversation(&asked(), &chat("group", "Lunch", &standing, "new"), ""),
    ];
    let nobody = r#""members":[{"address":"192.168.1.21","name":"bob","check":"confirmed"}]"#;
    let view = VIEW.replacen(nobody, r#""members":[]"#, 1);
    view.replacen(
        r#""draft":""}]"#,
        &format!(r#""draft":""}},{}]"#, conversations.join(",")),
        1,
    )
}

/// A click on the row of a conversation.
async fn open(mounted: &Mounted<App>, title: &str) {
    let find = || {
        let rows = mounted.root.query_selector_all(".chat-row b").unwrap();
        let mut rows = (0..rows.length()).filter_map(|at| rows.item(at));
        rows.find(|row| row.text_content().as_deref() == Some(title))
    };
    wait_for(title, || find().is_some()).await;
    let row: web_sys::HtmlElement = find().unwrap().unchecked_into();
    row.click();
    mounted.wait(".chat-row[aria-current]").await;
}

async fn says(mounted: &Mounted<App>, fake: &Fake, text: &str) -> String {
    let before = fake.commands().len();
    mounted.type_into("#composer", text).await;
    mounted.wait(".send:enabled").await.click();
    let is_last = || {
        fake.commands()
            .last()
            .is_some_and(|last| last.contains(text))
    };
    wait_for("the command", || {
        fake.commands().len() > before && is_last()
    })
    .await;
    fake.commands().pop().unwrap()
}

#[wasm_bindgen_test]
async fn the_newest_conversation_is_shown_and_another_one_by_a_click() {
    let (mounted, fake) = page(&view()).await;
    mounted.wait_text("the first").await;
    mounted.wait_text("Encrypted").await;
    assert!(mounted.find(".chat-head .not-encrypted").is_none());
    let said = says(&mounted, &fake, "to bob").await;
    assert_eq!(
        said,
        format!(
            r#"{{"command":"say","conversation":"{}","text":"to bob"}}"#,
            direct()
        )
    );
    open(&mounted, "Release team").await;
    mounted.wait_text("2 of 2 online").await;
    let said = says(&mounted, &fake, "to all").await;
    assert!(said.contains(&group()), "{said}");
    js("history.back()");
    wait_for("the other one", || {
        mounted.find(".message").is_some() && mounted.text().contains("the first")
    })
    .await;
}

#[wasm_bindgen_test]
async fn what_is_new_in_archived_chats_is_counted() {
    let kept = chat("group", "Release team", r#""in""#, "new");
    let archived = kept.replace(r#""archived":false"#, r#""archived":true"#);
    let archived = archived.replace(r#""unread":0"#, r#""unread":3"#);
    let (mounted, _fake) = page(&view().replacen(&kept, &archived, 1)).await;
    let badge = mounted.wait("#archived-title .badge").await;
    assert_eq!(badge.text_content().as_deref(), Some("3 new"));
}

#[wasm_bindgen_test]
async fn a_draft_stays_with_its_conversation() {
    let (mounted, _fake) = page(&view()).await;
    mounted.type_into("#composer", "for bob").await;
    open(&mounted, "Release team").await;
    let value = || {
        let field = mounted.find("#composer");
        let field = field.map(JsCast::unchecked_into::<web_sys::HtmlTextAreaElement>);
        field.map(|field| field.value()).unwrap_or_default()
    };
    wait_for("an empty field", || value().is_empty()).await;
    mounted.type_into("#composer", "for all").await;
    open(&mounted, "bob").await;
    wait_for("the draft", || value() == "for bob").await;
    open(&mounted, "Release team").await;
    wait_for("the draft", || value() == "for all").await;
}

#[wasm_bindgen_test]
async fn a_message_is_answered_changed_and_called_back() {
    let (mounted, fake) = page(&view()).await;
    let pick = async |of: &str, words: &str| {
        mounted.wait(&format!("{of} .more")).await.click();
        mounted.wait("[role=menuitem]").await;
        let items = mounted.root.query_selector_all("[role=menuitem]").unwrap();
        let item = (0..items.length())
            .filter_map(|at| items.item(at))
            .find(|item| item.text_content().as_deref() == Some(words))
            .unwrap();
        item.unchecked_into::<web_sys::HtmlElement>().click();
        wait_for("no menu", || mounted.find("[role=menuitem]").is_none()).await;
    };
    let body = ".message:not(.own) .message-body";
    mounted.wait(body).await;
    pick(body, "👍").await;
    wait_for("the command", || {
        fake.commands()
            .last()
            .is_some_and(|last| last.contains("react"))
    })
    .await;
    pick(body, "Reply").await;
    mounted.wait(".about").await;
    let said = says(&mounted, &fake, "an answer").await;
    assert!(
        said.ends_with(&format!(r#""text":"an answer","reply_to":"{}"}}"#, id(1))),
        "{said}"
    );
    wait_for("no reply", || mounted.find(".about").is_none()).await;

    fake.say(&post(2, true, "with a mistake"));
    mounted.wait_text("with a mistake").await;
    pick(".message.own .message-body", "Edit").await;
    mounted.wait(".about").await;
    let said = says(&mounted, &fake, "without").await;
    let expected = format!(r#""message":"{}","text":"without"}}"#, id(2));
    assert!(
        said.starts_with(r#"{"command":"edit""#) && said.ends_with(&expected),
        "{said}"
    );
    pick(".message.own .message-body", "Call back").await;
    wait_for("the command", || {
        fake.commands()
            .last()
            .is_some_and(|last| last.contains("delete"))
    })
    .await;
}

#[wasm_bindgen_test]
async fn below_a_message_it_says_who_is_missing() {
    const WAITS: &str = "Will be delivered when you and bob are both here";
    let (mounted, fake) = page(&view()).await;
    mounted.wait_text("the first").await;
    fake.say(&presence(true));
    fake.say(&post(2, true, "are you there?"));
    mounted.wait_text("are you there?").await;
    assert!(!mounted.text().contains(WAITS), "it is on its way");
    fake.say(&presence(false));
    mounted.wait_text(WAITS).await;
    fake.say(&presence(true));
    wait_for("bob is back", || !mounted.text().contains(WAITS)).await;
}

#[wasm_bindgen_test]
async fn a_request_takes_the_place_of_the_field_and_is_answered_without_a_clock() {
    let (mounted, fake) = page(&view()).await;
    mounted.wait_text("1 request").await;
    open(&mounted, "Lunch").await;
    mounted.wait_text("You see what was written before.").await;
    assert!(mounted.find("#composer").is_none());
    mounted.wait(".incoming .primary:enabled").await.click();
    wait_for("the command", || !fake.commands().is_empty()).await;
    let expected = format!(r#"{{"command":"join","conversation":"{}"}}"#, asked());
    assert_eq!(fake.commands().pop(), Some(expected));
}

#[wasm_bindgen_test]
async fn nothing_is_sent_to_a_key_that_is_not_the_one_that_was_compared() {
    let accepted = |fake: &Fake, although: bool| {
        let id = direct();
        let wanted = format!(
            r#"{{"command":"accept_key","conversation":"{id}","although_verified":{although}}}"#
        );
        fake.commands().contains(&wanted)
    };
    let (mounted, fake) = page(&view_with("changed_after_verified")).await;
    mounted.wait_text("Sending stopped").await;
    assert!(mounted.find("#composer").is_none());
    mounted.wait(".stops .button:last-child").await.click();
    mounted.wait_text("without comparing it?").await;
    assert!(fake.commands().is_empty(), "it is asked before");
    mounted.wait(".stops .button.danger").await.click();
    wait_for("the command", || accepted(&fake, true)).await;

    let (mounted, fake) = page(&view_with("changed")).await;
    mounted.wait_text("bob has a new code").await;
    mounted.wait("#composer").await;
    fake.say(&post(2, true, "held back"));
    mounted.wait_text("Not sent: bob's key changed").await;
    mounted
        .wait_text("Your waiting message has not been sent.")
        .await;
    mounted.wait(".warns .button:last-child").await.click();
    wait_for("the command", || accepted(&fake, false)).await;
}

#[wasm_bindgen_test]
async fn a_chat_under_an_earlier_key_and_the_one_in_its_place_lead_to_each_other() {
    let (mounted, fake) = page(&view_with("former")).await;
    mounted.wait_text("bob has another code now").await;
    assert!(mounted.find("#composer").is_none());
    mounted.wait(".composer-out .button").await.click();
    let asks = || fake.last("accept_key");
    wait_for("going on again, as there is no new chat", || {
        asks().is_some()
    })
    .await;
    let new = "9".repeat(64);
    let is_in = chat("direct", "", r#""in""#, "new");
    fake.say(&format!(
        r#"{{"event":"chat","conversation":"{new}","chat":{is_in}}}"#
    ));
    fake.say(&post(2, false, "from my new computer").replace(&direct(), &new));
    let opened = format!(r#"{{"event":"opened","conversation":"{new}"}}"#);
    fake.answer("accept_key", &opened);
    mounted.wait_text("from my new computer").await;
    mounted.wait("#composer").await;
    wait_for("the history", || fake.last("history").is_some()).await;
    fake.answer("history", &format!(
        r#"{{"event":"posts","conversation":"{new}","before":"{}","posts":[],"changes":[],"more":false}}"#,
        id(2)
    ));
    mounted.wait(".lines-top .button").await.click();
    mounted.wait_text("the first").await;
    mounted.wait(".composer-out .button").await.click();
    mounted.wait("#composer").await;
}

#[wasm_bindgen_test]
async fn someone_encrypted_is_in_the_open_chat_only_after_a_question() {
    let (mounted, fake) = page(VIEW).await;
    mounted.wait(".people .ask:enabled").await.click();
    wait_for("the request", || fake.last("request").is_some()).await;
    fake.answer("request", r#"{"event":"failed","at":1,"command":"request","code":"has_encrypted","message":"carol has an encrypted p2pchat.","advice":"agree","names":["carol"]}"#);
    mounted.wait_text("carol has an encrypted p2pchat.").await;
    mounted.wait(".warns .button:last-child").await.click();
    wait_for("both commands", || fake.commands().len() == 3).await;
    let commands = fake.commands();
    assert_eq!(commands[1], r#"{"command":"allow_open","names":["carol"]}"#);
    assert_eq!(commands[2], commands[0]);
    wait_for("no question", || mounted.find(".warns").is_none()).await;
}

#[wasm_bindgen_test]
async fn a_click_on_a_person_begins_a_chat_and_it_is_shown() {
    let (mounted, fake) = page(VIEW).await;
    mounted.wait(".people .row-main").await.click();
    wait_for("the command", || !fake.commands().is_empty()).await;
    assert_eq!(fake.commands(), [r#"{"command":"chat","with":"bob"}"#]);
    // What is typed before it is there does not go to the chat that is still shown.
    let is_disabled = || mounted.find("#composer:disabled").is_some();
    wait_for("a field that takes nothing", is_disabled).await;
    mounted.find("#composer").unwrap().focus().unwrap();
    let is_elsewhere = || js("document.activeElement.id") != "composer";
    wait_for("a focus elsewhere", is_elsewhere).await;
    let chat = chat("direct", "", r#""in""#, "new");
    fake.say(&format!(
        r#"{{"event":"chat","conversation":"{}","chat":{chat}}}"#,
        direct()
    ));
    fake.answer(
        "chat",
        &format!(r#"{{"event":"opened","conversation":"{}"}}"#, direct()),
    );
    mounted.wait(".chat-row[aria-current]").await;
    let has_focus = || js("document.activeElement.id") == "composer";
    wait_for("the field of the new chat", has_focus).await;
    fake.answer("chat", r#"{"event":"done"}"#);
    fake.say(&post(3, false, "hello"));
    mounted.wait(".message").await;
}

#[wasm_bindgen_test]
async fn of_a_thousand_conversations_a_few_are_in_the_page() {
    let many: Vec<String> = (0..1000)
        .map(|nth| {
            let chat = chat("group", &format!("group {nth}"), r#""in""#, "new");
            conversation(&format!("{nth:064x}"), &chat, "")
        })
        .collect();
    let view = VIEW.replacen(
        r#""draft":""}]"#,
        &format!(r#""draft":""}},{}]"#, many.join(",")),
        1,
    );
    // Without the style sheet the rail has no height of its own; give it one.
    js(
        "const style = document.createElement('style'); style.textContent = '.people-scroll { height: 600px; overflow-y: auto }'; document.head.append(style)",
    );
    let (mounted, _fake) = page(&view).await;
    mounted.wait_text("group 1").await;
    let drawn = || {
        mounted
            .root
            .query_selector_all(".chat-row")
            .unwrap()
            .length()
    };
    wait_for("a few rows", || (1..100).contains(&drawn())).await;
}
