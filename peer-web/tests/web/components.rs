//! Single components.

use p2pchat_model::{Delivery, DeliveryState, LeaveReason, Person, Username};
use p2pchat_web::components::delivery_list::delivery_list;
use p2pchat_web::components::field::{Field, field};
use p2pchat_web::components::rich_text;
use p2pchat_web::components::row_menu::{MenuItem, row_menu};
use wasm_bindgen_test::wasm_bindgen_test;
use yew::prelude::*;

use crate::support::{Mounted, js, mount, wait_for};

#[derive(Properties, PartialEq)]
struct Drawn {
    html: Html,
}

/// Something that a function draws.
#[component]
fn Draws(props: &Drawn) -> Html {
    props.html.clone()
}

fn rich_text(text: &str) -> Mounted<Draws> {
    let html = rich_text::rich_text(text, Some(Username::new("ann").unwrap()));
    mount::<Draws>(Drawn { html })
}

#[wasm_bindgen_test]
async fn what_others_say_is_only_ever_text() {
    let hostile = "<img src=x onerror=\"alert(1)\"><script>alert(2)</script>\u{1b}[2J\u{202e}";
    let mounted = rich_text(hostile);
    mounted.wait(".text").await;
    assert!(mounted.find("img, script").is_none());
    assert!(
        mounted
            .text()
            .starts_with("<img src=x onerror=\"alert(1)\">")
    );
    assert!(mounted.text().ends_with("␛[2J\u{fffd}"));
}

#[wasm_bindgen_test]
async fn links_open_elsewhere_and_tell_nothing() {
    let mounted = rich_text("see https://example.org/a, not javascript://x");
    let link = mounted.wait("a").await;
    assert_eq!(
        link.get_attribute("href").as_deref(),
        Some("https://example.org/a")
    );
    assert_eq!(link.get_attribute("target").as_deref(), Some("_blank"));
    assert!(
        link.get_attribute("rel")
            .unwrap()
            .contains("noopener noreferrer")
    );
    assert_eq!(mounted.root.query_selector_all("a").unwrap().length(), 1);
}

#[wasm_bindgen_test]
async fn where_the_user_is_mentioned_is_marked() {
    let mounted = rich_text("@anna, is @Ann here? `@ann`");
    let mark = mounted.wait("mark").await;
    assert_eq!(mark.text_content().unwrap(), "@Ann");
    assert_eq!(mounted.root.query_selector_all("mark").unwrap().length(), 1);
    assert!(mounted.text().starts_with("@anna, is @Ann here?"));
}

#[wasm_bindgen_test]
async fn what_is_wrong_with_a_field_belongs_to_it() {
    let html = field(Field {
        id: "f",
        label: "Name",
        value: "çççççç".to_owned(),
        error: Some("This name is too long by 2.".into()),
        hint: Some("A hint.".into()),
        ..Field::default()
    });
    let mounted = mount::<Draws>(Drawn { html });
    let input = mounted.wait("input").await;
    assert_eq!(input.get_attribute("aria-invalid").as_deref(), Some("true"));
    let note = input.get_attribute("aria-describedby").unwrap();
    let note = mounted.find(&format!("#{note}")).unwrap();
    assert_eq!(note.text_content().unwrap(), "This name is too long by 2.");
}

#[wasm_bindgen_test]
async fn arrows_lead_through_a_menu() {
    let item = |label: &'static str| MenuItem::new(label, yew::Callback::noop());
    let items = vec![item("One"), item("Two"), item("Three")];
    let html = row_menu("bob", items, false, true);
    let mounted = mount::<Draws>(Drawn { html });
    mounted.wait(".more").await.click();
    mounted.wait("[role=menuitem]").await;
    let focused = || {
        js("document.activeElement.textContent")
            .as_string()
            .unwrap()
    };
    wait_for("the first item", || focused() == "One").await;
    for (key, item) in [
        ("ArrowDown", "Two"),
        ("End", "Three"),
        ("ArrowDown", "One"),
        ("ArrowUp", "Three"),
        ("Home", "One"),
    ] {
        js(&format!(
            "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {{ key: '{key}', bubbles: true }}))"
        ));
        assert_eq!(focused(), item, "{key}");
    }
}

#[wasm_bindgen_test]
async fn members_without_the_message_are_named() {
    let to = |address: &str, name: &str, state| Delivery {
        to: Person::listed(address.parse().unwrap(), name.parse().ok()),
        state,
    };
    let failed = DeliveryState::Failed(LeaveReason::Unreachable);
    let deliveries = vec![
        to("192.168.1.21", "bob", DeliveryState::Sent),
        to("192.168.1.22", "carol", failed),
    ];
    let html = delivery_list(&deliveries);
    let mounted = mount::<Draws>(Drawn { html });
    mounted.wait_text("not delivered to carol: offline").await;
    assert!(mounted.text().contains("delivered: bob"));
}
