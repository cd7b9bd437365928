//! Calls and their answers: who gets what, and that nothing is done twice.

use std::sync::Arc;

use p2pchat_model::{CallId, Command, Event, Failure, Problem, Update};

use crate::support::{Bridge, Page};

const BUSY: Command = Command::Busy { on: true };

async fn page_of(bridge: &Bridge, front_end: &str) -> Page {
    let mut page = bridge.visit().connect().await.unwrap();
    page.greet_as(front_end, bridge.secret.expose()).await;
    page.begin().await;
    page
}

/// The next update that is about the busy switch, or closes a call.
async fn next(page: &mut Page) -> (Option<CallId>, Arc<Event>) {
    loop {
        let Update { re, event } = page.update().await;
        if matches!(*event, Event::Busy { .. } | Event::Done | Event::Failed(_)) {
            return (re, event);
        }
    }
}

fn failure(event: &Event) -> &Failure {
    match event {
        Event::Failed(failure) => failure,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_a_call_causes_carries_its_id_for_the_page_that_made_it_alone() {
    let bridge = Bridge::start().await;
    let (mut one, mut other) = (bridge.page().await, bridge.page().await);
    for id in ["7", "\"seven\""] {
        let call = format!("{{\"command\":\"busy\",\"id\":{id},\"on\":true}}");
        one.send_text(&call).await;
        let id: Option<CallId> = Some(serde_json::from_str(id).unwrap());
        let (re, event) = next(&mut one).await;
        assert_eq!((re, &*event), (id.clone(), &Event::Busy { on: true }));
        let (re, event) = next(&mut one).await;
        assert_eq!((re, &*event), (id, &Event::Done));
        let (re, event) = next(&mut other).await;
        assert_eq!((re, &*event), (None, &Event::Busy { on: true }));
    }
}

#[tokio::test]
async fn a_failure_goes_to_the_page_that_asked_with_its_id() {
    let bridge = Bridge::start().await;
    let (mut one, mut other) = (bridge.page().await, bridge.page().await);
    let answers = one.call(1, &Command::Undo).await;
    let failure = match &answers[..] {
        [only] => failure(only),
        more => panic!("{more:?}"),
    };
    assert_eq!(failure.code, Problem::NotLoggedIn);
    assert_eq!(failure.command, "undo");
    one.send(&BUSY).await;
    let (re, event) = next(&mut other).await;
    assert_eq!((re, &*event), (None, &Event::Busy { on: true }));
}

#[tokio::test]
async fn a_frame_that_is_no_call_is_answered_with_the_id_that_it_has() {
    let bridge = Bridge::start().await;
    let mut page = bridge.page().await;
    for (frame, re) in [
        ("{\"command\":\"shout\",\"id\":5}", Some(5)),
        ("{\"command\":\"busy\",\"id\":6}", Some(6)),
        ("{\"command\":\"undo\",\"id\":7,\"more\":1}", Some(7)),
        ("{\"command\":\"undo\",\"id\":-1}", None),
        ("{\"undo\":{}}", None),
    ] {
        page.send_text(frame).await;
        let (id, event) = next(&mut page).await;
        assert_eq!(id, re.map(CallId::Number), "{frame}");
        let failure = failure(&event);
        assert_eq!(failure.code, Problem::BadCommand, "{frame}");
        assert!(!failure.advice.is_empty(), "{frame}");
    }
}

#[tokio::test]
async fn a_call_that_failed_leaves_its_id_free() {
    let bridge = Bridge::start().await;
    let mut page = page_of(&bridge, "tab").await;
    for command in [Command::Undo, Command::Undo, Command::Logout] {
        let answers = page.call(1, &command).await;
        assert_eq!(answers.len(), 1);
        let failure = failure(&answers[0]);
        assert_eq!(failure.command, command.name());
        assert_eq!(failure.code, Problem::NotLoggedIn);
    }
}
