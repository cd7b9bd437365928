//! Starts the page.

fn main() {
    p2pchat_web::browser::broken::watch();
    yew::Renderer::<p2pchat_web::App>::new().render();
}
