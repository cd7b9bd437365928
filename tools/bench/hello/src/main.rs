//! The least yew page that changes: a button that counts.

use yew::prelude::*;

#[component]
fn Hello() -> Html {
    let count = use_state(|| 0_u32);
    let onclick = {
        let count = count.clone();
        Callback::from(move |_| count.set(*count + 1))
    };
    html! { <button {onclick}>{ format!("Hello, world! {}", *count) }</button> }
}

fn main() {
    yew::Renderer::<Hello>::new().render();
}
