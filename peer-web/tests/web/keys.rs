//! Keys, statuses, and the line to the registry.

use p2pchat_web::App;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::page::page;
use crate::support::{Fake, Mounted, SIGNED_OUT, VIEW, js, wait_for};

const ENCRYPTED: &str = r#"{"state":"encrypted","fingerprint":"ABCD-EFGH-IJKL-MNOP-QRST-UVWX-YZ"}"#;
const SEEN: &str = "2345-2345-2345-2345-2345-2345-23";

async fn wait_command(fake: &Fake, wanted: &str) {
    wait_for(wanted, || {
        fake.commands().last().map(String::as_str) == Some(wanted)
    })
    .await;
}

/// Presses a button once it is enabled.
async fn press(mounted: &Mounted<App>, selector: &str) {
    mounted.wait(&format!("{selector}:enabled")).await.click();
}

async fn pick(mounted: &Mounted<App>, about: &str, item: &str) {
    press(mounted, &format!("[aria-label='Actions for {about}']")).await;
    mounted.wait("[role=menuitem]").await;
    js(&format!(
        "[...document.querySelectorAll('[role=menuitem]')].find((one) => one.textContent === '{item}').click()"
    ));
}

#[wasm_bindgen_test]
async fn a_name_alone_signs_in_and_the_password_is_asked_for_where_it_is_needed() {
    let (mounted, fake) = page(SIGNED_OUT).await;
    mounted.type_into("#sign-in-name", "alice").await;
    mounted.wait_text("Leave it empty").await;
    press(&mounted, "button[type=submit]").await;
    wait_command(
        &fake,
        r#"{"command":"login","name":"alice","password":null}"#,
    )
    .await;
    fake.answer("login", r#"{"event":"failed","at":1,"command":"login","code":"password_needed","message":"the password is needed here","advice":"x"}"#);
    mounted.wait_text("The password is needed here.").await;
    press(&mounted, "button[type=submit]").await;
    assert_eq!(fake.commands().len(), 1);
    mounted.type_into("#sign-in-name", "bob").await;
    press(&mounted, "button[type=submit]").await;
    let other = r#"{"command":"login","name":"bob","password":null}"#;
    wait_command(&fake, other).await;
    fake.answer("login", r#"{"event":"failed","at":1,"command":"login","code":"password_needed","message":"the password is needed here","advice":"x"}"#);
    mounted.type_into("#sign-in-name", "alice").await;
    mounted.type_into("#sign-in-password", "p").await;
    press(&mounted, "button[type=submit]").await;
    wait_command(
        &fake,
        r#"{"command":"login","name":"alice","password":"p"}"#,
    )
    .await;
}

#[wasm_bindgen_test]
async fn a_registry_of_version_1_is_loudly_not_encrypted_and_takes_short_passwords_only() {
    let legacy = SIGNED_OUT.replace(ENCRYPTED, r#"{"state":"not_encrypted"}"#);
    let (mounted, fake) = page(&legacy).await;
    mounted.wait(".lead .not-encrypted").await;
    mounted
        .wait_text("Messages and your password are not encrypted")
        .await;
    assert!(mounted.find(".import").is_none(), "there are no keys");
    mounted.type_into("#sign-in-name", "alice").await;
    press(&mounted, "button[type=submit]").await;
    mounted.wait_text("A password is needed").await;
    mounted
        .type_into("#sign-in-password", "sixteen letters!")
        .await;
    mounted.wait_text("too long by 1").await;
    press(&mounted, "button[type=submit]").await;
    assert_eq!(fake.commands().len(), 0);
}

#[wasm_bindgen_test]
async fn the_line_to_the_registry_tells_its_key() {
    for view in [SIGNED_OUT, VIEW] {
        let (mounted, _fake) = page(view).await;
        assert!(!mounted.text().contains("ABCD-EFGH"));
        press(&mounted, ".security button").await;
        mounted.wait_text("ABCD-EFGH-IJKL-MNOP-QRST-UVWX-YZ").await;
    }
}

#[wasm_bindgen_test]
async fn the_first_contact_is_one_line_before_one_is_signed_in() {
    let (mounted, fake) = page(SIGNED_OUT).await;
    let field = mounted.wait("#sign-in-name").await;
    mounted.type_into("#sign-in-name", "ali").await;
    fake.say(r#"{"event":"notice","at":1,"what":"registry_pinned","fingerprint":"2345-2345-2345-2345-2345-2345-23"}"#);
    fake.say(r#"{"event":"notice","at":2,"what":"registry_pinned","fingerprint":"ABCD-EFGH-IJKL-MNOP-QRST-UVWX-YZ"}"#);
    mounted.wait_text("First contact with this registry").await;
    assert!(!mounted.text().contains(SEEN), "that is another one's");
    let same = mounted.find("#sign-in-name") == Some(field);
    assert!(same, "what is being typed goes into the same field");
}

#[wasm_bindgen_test]
async fn keys_that_are_not_saved_are_told_of_before_an_account_is_bound_to_them() {
    let unsaved = SIGNED_OUT.replace(r#""saved":true"#, r#""saved":false"#);
    let (mounted, fake) = page(&unsaved).await;
    mounted
        .wait_text("start again with --profile ./FOLDER")
        .await;
    let security = r#"{"event":"security","state":"not_encrypted"}"#;
    fake.say(security);
    let warning = ".sign-in .notice-box";
    wait_for("no warning", || mounted.find(warning).is_none()).await;
    let (mounted, _fake) = page(SIGNED_OUT).await;
    mounted.wait("#sign-in-name").await;
    assert!(mounted.find(warning).is_none(), "they are saved");
}

#[wasm_bindgen_test]
async fn a_new_key_of_the_registry_is_trusted_once_its_fingerprint_was_typed() {
    for view in [SIGNED_OUT, VIEW] {
        let changed = format!(
            r#""link":{{"state":"key_changed","pinned":"ABCD-EFGH-IJKL-MNOP-QRST-UVWX-YZ","seen":"{SEEN}"}}"#
        );
        let (mounted, fake) = page(&view.replace(r#""link":{"state":"up"}"#, &changed)).await;
        let stop = ".registry-changed button[type=submit]";
        mounted.wait_text(SEEN).await;
        assert!(mounted.text().contains("ABCD-EFGH-IJKL-MNOP-QRST-UVWX-YZ"));
        let is_signed_out = view == SIGNED_OUT;
        assert!(is_signed_out || mounted.text().contains("Not signed in"));
        mounted.wait_text("192.168.1.10 has another key").await;
        assert!(mounted.find("#sign-in-name").is_none(), "nothing is sent");
        assert!(!mounted.text().contains("Available"), "no one sees them");
        mounted.wait(&format!("{stop}:disabled")).await;
        let field = "#registry-fingerprint";
        mounted
            .type_into(field, "ABCD-EFGH-IJKL-MNOP-QRST-UVWX-YZ")
            .await;
        mounted.wait_text("do not trust it").await;
        mounted.wait(&format!("{stop}:disabled")).await;
        let told = "chat.example#234523452345 23452345234523";
        mounted.type_into(field, told).await;
        press(&mounted, stop).await;
        let trust = format!(r#"{{"command":"trust_registry","fingerprint":"{SEEN}"}}"#);
        wait_command(&fake, &trust).await;
    }
}

#[wasm_bindgen_test]
async fn the_status_is_chosen_and_is_what_the_peer_says() {
    let (mounted, fake) = page(VIEW).await;
    mounted.wait(".status-choice select:enabled").await;
    let shown = || js("document.querySelector('.status-choice select').value").as_string();
    let choose = |at: u32| {
        js(&format!(
            "{{ const select = document.querySelector('.status-choice select'); select.selectedIndex = {at};
            select.dispatchEvent(new Event('change', {{ bubbles: true }})); }}"
        ));
    };
    assert_eq!(shown().as_deref(), Some("Available"));
    choose(1);
    wait_command(&fake, r#"{"command":"busy","on":true}"#).await;
    fake.say(r#"{"event":"busy","on":true}"#);
    mounted.wait(".status-choice.busy").await;
    choose(2);
    wait_command(&fake, r#"{"command":"away","on":true}"#).await;
    assert!(
        fake.commands()
            .contains(&r#"{"command":"busy","on":false}"#.to_owned())
    );
    fake.say(r#"{"event":"busy","on":false}"#);
    // By itself too, after some idle time.
    fake.say(r#"{"event":"away","on":true}"#);
    mounted.wait(".status-choice.away").await;
    wait_for("the choice", || shown().as_deref() == Some("Away")).await;
}

#[wasm_bindgen_test]
async fn what_is_known_of_others_stands_below_their_names() {
    let (mounted, fake) = page(VIEW).await;
    mounted.wait_text("older program").await;
    fake.say(r#"{"event":"presence","users":[{"name":"zoe","address":"192.168.1.30","display_name":"Zoë van der Berg","status":"busy","open_chat":true,"legacy":false,"trust":"changed_after_verified"}],"gone":["carol"]}"#);
    mounted.wait_text("Zoë van der Berg").await;
    for words in ["Do not disturb", "not the verified code"] {
        mounted.wait_text(words).await;
    }
    assert!(!mounted.text().contains("carol"));
    mounted.type_into("#people-search", "berg").await;
    wait_for("the one found", || {
        !mounted
            .find(".people")
            .unwrap()
            .inner_text()
            .contains("Ask bob")
            && mounted.text().contains("zoe")
    })
    .await;
}

#[wasm_bindgen_test]
async fn two_people_compare_codes() {
    let (mounted, fake) = page(VIEW).await;
    pick(&mounted, "bob", "Compare codes").await;
    mounted.wait("dialog[open]").await;
    wait_command(&fake, r#"{"command":"code","name":"bob"}"#).await;
    fake.answer(
        "code",
        r#"{"event":"code","name":"bob","code":"9999 8888 7777 6666 5555","trust":"new"}"#,
    );
    mounted.wait_text("9999 8888 7777 6666 5555").await;
    assert!(
        mounted.text().contains("1111 2222 3333 4444 5555"),
        "the own one"
    );
    press(&mounted, "dialog .button.danger").await;
    mounted.wait_text("posing as them").await;
    press(&mounted, "dialog .button.primary").await;
    wait_command(
        &fake,
        r#"{"command":"trust","name":"bob","code":"9999 8888 7777 6666 5555","verified":true}"#,
    )
    .await;
    fake.answer("trust", r#"{"event":"done"}"#);
    wait_for("no dialog", || mounted.find("dialog").is_none()).await;

    pick(&mounted, "bob", "Compare codes").await;
    mounted.wait("dialog[open]").await;
    fake.answer(
        "code",
        r#"{"event":"code","name":"bob","code":"9999 8888 7777 6666 5555","trust":"verified"}"#,
    );
    mounted.wait_text("No longer trust").await;
    // With an older program there is nothing to compare.
    press(&mounted, "dialog .icon-button").await;
    press(&mounted, "[aria-label='Actions for carol']").await;
    mounted.wait("[role=menuitem]").await;
    assert!(!mounted.text().contains("Compare codes"));
}

#[wasm_bindgen_test]
async fn the_account_is_set_and_its_key_exported() {
    let (mounted, fake) = page(VIEW).await;
    open_account(&mounted).await;
    mounted.type_into("#display-name", " Alice Liddell ").await;
    submit_of(&mounted, "display-name").await;
    wait_command(
        &fake,
        r#"{"command":"display_name","display_name":"Alice Liddell"}"#,
    )
    .await;
    fake.answer("display_name", r#"{"event":"done"}"#);
    mounted.wait_text("Others see it now.").await;

    mounted.type_into("#export-password", "for the file").await;
    mounted
        .type_into("#export-password-again", "for the file")
        .await;
    submit_of(&mounted, "export-password").await;
    wait_command(
        &fake,
        r#"{"command":"export_identity","password":"for the file"}"#,
    )
    .await;
    fake.answer(
        "export_identity",
        r#"{"event":"exported","identity":"key 1+/="}"#,
    );
    let link = mounted.wait("a[download]").await;
    assert_eq!(
        link.get_attribute("href").as_deref(),
        Some("data:text/plain,key%201%2B%2F%3D")
    );

    mounted.type_into("#import-text", "key 2").await;
    mounted.type_into("#import-password", "its own").await;
    submit_of(&mounted, "import-text").await;
    wait_command(
        &fake,
        r#"{"command":"import_identity","identity":"key 2","password":"its own"}"#,
    )
    .await;
    fake.answer("import_identity", r#"{"event":"failed","at":1,"command":"import_identity","code":"identity_in_use","message":"the key is in use","advice":"use a new profile"}"#);
    mounted
        .wait_text("The key is in use. Use a new profile.")
        .await;

    fake.answer("registries", r#"{"event":"registries","list":[{"registry":"chat.example","fingerprint":"ABCD-EFGH-IJKL-MNOP-QRST-UVWX-YZ","since":"2026-11-28","trusted":false}]}"#);
    press(&mounted, "[aria-label='Forget chat.example']").await;
    wait_command(
        &fake,
        r#"{"command":"forget_registry","registry":"chat.example"}"#,
    )
    .await;
    fake.answer("forget_registry", r#"{"event":"done"}"#);
    wait_command(&fake, r#"{"command":"registries"}"#).await;
    // What was exported is a secret: it goes with the sheet.
    press(&mounted, "dialog .icon-button").await;
    wait_for("no link", || mounted.find("a[download]").is_none()).await;
}

/// Sends the form that has this field, once it can be sent.
async fn submit_of(mounted: &Mounted<App>, field: &str) {
    let button = format!("form:has(#{field}) button[type=submit]");
    press(mounted, &button).await;
}

/// Opens the sheet of the account.
async fn open_account(mounted: &Mounted<App>) {
    press(mounted, "[aria-label=Settings]").await;
    mounted.wait("#menu .menu-item").await.click();
    mounted.wait("dialog[open]").await;
    js("document.querySelectorAll('dialog details').forEach((part) => { part.open = true; })");
}

#[wasm_bindgen_test]
async fn the_password_is_changed_once_the_new_one_is_there_twice() {
    let (mounted, fake) = page(VIEW).await;
    open_account(&mounted).await;
    let button = "form:has(#new-password) button[type=submit]";
    let can_be_sent = || {
        let button = mounted.find(button);
        button.is_some_and(|button| !button.has_attribute("disabled"))
    };
    mounted.type_into("#old-password", "the old one").await;
    mounted.type_into("#new-password", "of 15 letters!!").await;
    assert!(!can_be_sent(), "it is there once");
    mounted
        .type_into("#new-password-again", "of 15 letters??")
        .await;
    mounted.wait_text("The two passwords differ").await;
    assert!(!can_be_sent(), "they differ");
    assert!(!mounted.text().contains("Older programs take only 15"));
    for field in ["#new-password", "#new-password-again"] {
        mounted.type_into(field, "of sixteen chars").await;
    }
    mounted
        .wait_text("Older programs take only 15 letters")
        .await;
    mounted.type_into("#old-password", "").await;
    assert!(!can_be_sent(), "the old one is needed");
    mounted.type_into("#old-password", "the old one").await;
    press(&mounted, button).await;
    let command = r#"{"command":"change_password","old":"the old one","new":"of sixteen chars"}"#;
    wait_command(&fake, command).await;
    mounted.wait(&format!("{button}:disabled")).await;

    fake.answer("change_password", r#"{"event":"failed","at":1,"command":"change_password","code":"wrong_password","message":"the old password is wrong","advice":"type the password that the account has now"}"#);
    mounted.wait_text("The old password is wrong.").await;
    press(&mounted, button).await;
    wait_for("a second try", || {
        let sent = fake.commands();
        sent.iter().filter(|sent| *sent == command).count() == 2
    })
    .await;
    fake.answer("change_password", r#"{"event":"done"}"#);
    mounted.wait_text("Your password is changed.").await;
    assert!(!mounted.text().contains("The old password is wrong"));
}

#[wasm_bindgen_test]
async fn older_programs_are_let_in_by_a_switch_that_shows_what_the_peer_says() {
    let (mounted, fake) = page(VIEW).await;
    open_account(&mounted).await;
    let state = || {
        let switch = mounted.find("dialog .switch").unwrap();
        switch.get_attribute("aria-checked").unwrap()
    };
    mounted.wait_text("Allow older programs").await;
    for on in [true, false] {
        assert_eq!(state(), (!on).to_string());
        press(&mounted, "dialog .switch").await;
        let command = format!(r#"{{"command":"legacy_login","on":{on}}}"#);
        wait_command(&fake, &command).await;
        assert_eq!(state(), (!on).to_string(), "the peer has not said it");
        fake.answer(
            "legacy_login",
            &format!(r#"{{"event":"legacy_login","on":{on}}}"#),
        );
        fake.answer("legacy_login", r#"{"event":"done"}"#);
        wait_for("the switch", || state() == on.to_string()).await;
    }
    fake.drop(1006);
    mounted.wait("dialog .switch:disabled").await;
}

#[wasm_bindgen_test]
async fn a_file_with_an_exported_key_is_read() {
    let (mounted, fake) = page(SIGNED_OUT).await;
    press(&mounted, ".sign-in .import").await;
    mounted.wait("#import-file").await;
    js(
        "{ const files = new DataTransfer(); files.items.add(new File(['key 3\\n'], 'key.txt'));
        const input = document.querySelector('#import-file'); input.files = files.files;
        input.dispatchEvent(new Event('change', { bubbles: true })); }",
    );
    mounted.type_into("#import-password", "p").await;
    submit_of(&mounted, "import-file").await;
    wait_command(
        &fake,
        r#"{"command":"import_identity","identity":"key 3","password":"p"}"#,
    )
    .await;
    fake.answer("import_identity", r#"{"event":"done"}"#);
    mounted.wait_text("This computer signs in as you now").await;
}

#[wasm_bindgen_test]
async fn the_peer_is_told_that_the_user_is_there_and_not_with_each_key() {
    let (mounted, fake) = page(VIEW).await;
    mounted.wait("#composer").await;
    let told = || {
        js("window.sockets.at(-1).sent.filter((frame) => frame.includes('\"active\"')).length")
            .as_f64()
    };
    assert_eq!(told(), Some(0.0));
    for _ in 0..3 {
        js("window.dispatchEvent(new KeyboardEvent('keydown', { key: 'a' }))");
    }
    wait_for("a sign", || told() == Some(1.0)).await;
    fake.answer("active", r#"{"event":"done"}"#);
    js("window.dispatchEvent(new KeyboardEvent('keydown', { key: 'b' }))");
    mounted.wait("#composer").await;
    assert_eq!(told(), Some(1.0));
}
