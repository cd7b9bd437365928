//! The first minutes: the choice of a registry, and the invitation of others.

use insta::assert_snapshot;
use p2pchat_model::{Failure, Problem, Security};

use super::*;
use crate::options::AutoLogin;

const KEY: &str = "ALGW-5BBC-YQD7-W3IJ-Q2IP-CEYL-PU";

/// The first start of all.
fn new_here() -> App {
    app(View {
        address: Some(address(1)),
        link: Link::NoRegistry,
        ..View::default()
    })
}

fn use_registry(registry: &str) -> Command {
    let registry = registry.to_owned();
    Command::UseRegistry { registry }
}

fn goes_to(app: &mut App, registry: &str) {
    happen(
        app,
        &Event::Registry {
            registry: registry.to_owned(),
            address: address(2),
            message_port: 5859,
        },
    );
    happen(app, &Event::Link(Link::Connecting));
}

fn down() -> Event {
    Event::Link(Link::Down {
        reason: "nothing answers at 10.0.0.1, port 3131".to_owned(),
        retry_at: after(1),
    })
}

#[test]
fn without_a_registry_the_screen_says_what_is_needed() {
    let mut app = new_here();
    assert_snapshot!("choice_small", screen(&mut app, (80, 24), NOW));
    assert_eq!(press(&mut app, KeyCode::Enter), None);
    let shown = screen(&mut app, (40, 14), NOW);
    assert!(shown.contains("type its address"), "{shown}");
    let start = call(press(&mut app, KeyCode::F(3)));
    assert_eq!(start.command, Command::StartRegistry);
    let shown = screen(&mut app, (80, 24), NOW);
    assert!(shown.contains("Starting a registry"), "{shown}");
    // Nothing else is asked meanwhile.
    assert_eq!(press(&mut app, KeyCode::F(3)), None);
    let registry = format!("10.0.0.2#{KEY}");
    answer(
        &mut app,
        &start,
        Event::RegistryFound {
            registry: registry.clone(),
        },
    );
    let failure = Failure::new(NOW, "start_registry", Problem::RegistryThere);
    answer(&mut app, &start, Event::Failed(failure));
    assert_snapshot!("choice_found_large", screen(&mut app, (100, 30), NOW));
    let choice = call(press(&mut app, KeyCode::Enter));
    assert_eq!(choice.command, use_registry(&registry));
    goes_to(&mut app, &registry);
    answer(&mut app, &choice, Event::Done);
    let shown = screen(&mut app, (80, 24), NOW);
    assert!(shown.contains("Connecting to 10.0.0.2…"), "{shown}");
    happen(&mut app, &Event::Link(Link::Up));
    let shown = screen(&mut app, (80, 24), NOW);
    assert!(shown.contains("[ Create account ]"), "{shown}");
}

#[test]
fn an_invitation_is_pasted_and_a_slip_is_corrected() {
    let mut app = new_here();
    app.paste("Join me on p2pchat: p2pchat --registry 10.0.0.1\n");
    let choice = call(press(&mut app, KeyCode::Enter));
    assert_eq!(choice.command, use_registry("10.0.0.1"));
    goes_to(&mut app, "10.0.0.1");
    answer(&mut app, &choice, Event::Done);
    happen(&mut app, &down());
    assert_snapshot!("choice_unreachable_small", screen(&mut app, (80, 24), NOW));
    press(&mut app, KeyCode::Backspace);
    let choice = call(enter(&mut app, "2"));
    assert_eq!(choice.command, use_registry("10.0.0.2"));
    let failure = Failure::new(NOW, "use_registry", Problem::BadRegistry);
    answer(&mut app, &choice, Event::Failed(failure));
    let shown = screen(&mut app, (80, 24), NOW);
    assert!(shown.contains("this cannot be the registry"), "{shown}");
}

#[test]
fn another_registry_is_a_key_away_from_the_sign_in_form() {
    let mut app = app(View {
        registry: "10.0.0.1".to_owned(),
        ..View::default()
    });
    happen(&mut app, &down());
    press(&mut app, KeyCode::F(2));
    let shown = screen(&mut app, (80, 24), NOW);
    assert!(shown.contains("Cannot reach 10.0.0.1: nothing"), "{shown}");
    press(&mut app, KeyCode::Esc);
    let shown = screen(&mut app, (80, 24), NOW);
    assert!(shown.contains("[ Create account ]"), "{shown}");
    // What another front end has chosen is gone to here too.
    press(&mut app, KeyCode::F(2));
    goes_to(&mut app, "10.0.0.2");
    happen(&mut app, &Event::Link(Link::Up));
    let shown = screen(&mut app, (80, 24), NOW);
    assert!(shown.contains("[ Create account ]"), "{shown}");
}

#[test]
fn an_empty_list_invites_a_colleague() {
    let mut view = View {
        registry: format!("10.0.0.2#{KEY}"),
        link: Link::Up,
        ..View::default()
    };
    view.apply(&Event::Security(Security::Encrypted {
        fingerprint: KEY.parse().unwrap(),
    }));
    let name = "alice".parse().unwrap();
    view.apply(&Event::LoggedIn { at: NOW, name });
    view.apply(&Event::Online {
        users: vec![user("alice", 2)],
    });
    let mut app = app(view);
    assert_snapshot!("invitation_small", screen(&mut app, (80, 24), NOW));
    let invitation = format!("Join me on p2pchat: p2pchat --registry 10.0.0.2#{KEY}");
    assert_eq!(
        press(&mut app, KeyCode::F(6)),
        Some(Act::Copy(invitation.clone()))
    );
    assert_snapshot!("invitation_code_large", screen(&mut app, (100, 30), NOW));
    press(&mut app, KeyCode::Esc);
    assert_eq!(enter(&mut app, "/invite"), Some(Act::Copy(invitation)));
    // A low screen has no room for the code.
    let shown = screen(&mut app, (80, 16), NOW);
    assert!(shown.contains("Join me") && !shown.contains('█'), "{shown}");
}

#[test]
fn nothing_is_said_of_a_sign_in_that_was_not_needed_any_more() {
    let mut app = app(View::default());
    let name = "alice".parse().unwrap();
    let register = call(Some(app.log_in(AutoLogin {
        name,
        password: "secret".parse().unwrap(),
        register: true,
    })));
    happen(&mut app, &Event::LoggedIn { at: NOW, name });
    let before = screen(&mut app, (80, 24), NOW);
    let already = Failure::new(NOW, "register", Problem::AlreadyLoggedIn);
    assert_eq!(answer(&mut app, &register, Event::Failed(already)), None);
    assert_eq!(screen(&mut app, (80, 24), NOW), before);
}

#[test]
fn a_registry_that_is_named_as_it_is_leads_back_to_the_sign_in_form() {
    let mut app = app(View {
        registry: "chat.example".to_owned(),
        link: Link::Up,
        ..View::default()
    });
    let before = screen(&mut app, (80, 24), NOW);
    assert_eq!(press(&mut app, KeyCode::F(2)), None);
    assert_ne!(screen(&mut app, (80, 24), NOW), before);
    let same = call(press(&mut app, KeyCode::Enter));
    assert_eq!(same.command, use_registry("chat.example"));
    assert_eq!(answer(&mut app, &same, Event::Done), None);
    assert_eq!(screen(&mut app, (80, 24), NOW), before);
}
