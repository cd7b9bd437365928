//! Several front ends of one peer, calls and their answers, and peers that follow each other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use p2pchat_model::{Call, Command, Event, Update, View};
use p2pchat_peer::{Options, Peer};
use tokio::time::timeout;

use crate::net::{FrontEnd, PATIENCE, User};

impl User {
    /// Another front end of the same peer.
    pub(crate) async fn join(&self, id: &str) -> FrontEnd {
        FrontEnd::join(&self.peer.handle(), id).await
    }

    /// Ends without a word. Returns what the front end saw of it.
    pub(crate) async fn kill(self) -> FrontEnd {
        let Self {
            peer,
            mut front_end,
        } = self;
        drop(peer);
        front_end.see_the_end().await;
        front_end
    }

    /// Ends in order, for another process to go on.
    pub(crate) async fn hand_over(self) -> FrontEnd {
        let Self {
            peer,
            mut front_end,
        } = self;
        let ended = timeout(PATIENCE, peer.hand_over()).await;
        ended.unwrap().unwrap();
        front_end.see_the_end().await;
        front_end
    }

    /// Goes on with what a front end saw of a peer that has ended.
    pub(crate) async fn resume(options: Options, view: View) -> Self {
        let give_up = Instant::now() + PATIENCE;
        loop {
            // Its listeners may take a moment to end.
            match Peer::start(options.clone(), Some(view.clone())).await {
                Ok(peer) => return Self::of(peer).await,
                Err(error) => assert!(Instant::now() < give_up, "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl FrontEnd {
    /// Shows all there is until the peer has ended.
    async fn see_the_end(&mut self) {
        let end = timeout(PATIENCE, async {
            while let Ok(update) = self.updates.next().await {
                self.view.apply(&update.event);
            }
        });
        end.await.unwrap();
    }

    /// Makes a call, and waits for its end. Returns all that answers it but [`Event::Done`].
    pub(crate) async fn call(&mut self, id: u64, command: Command) -> Vec<Arc<Event>> {
        self.send(Call::with_id(id, command)).await;
        self.answers(id).await
    }

    /// What answers a call, until it is closed.
    pub(crate) async fn answers(&mut self, id: u64) -> Vec<Arc<Event>> {
        let mut answers = Vec::new();
        let wait = timeout(PATIENCE, async {
            loop {
                let Update { re, event } = self.apply_next().await;
                if re != Some(id.into()) {
                    continue;
                }
                match &*event {
                    Event::Done => break,
                    Event::Failed(_) => {
                        answers.push(event);
                        break;
                    }
                    _ => answers.push(event),
                }
            }
        });
        assert!(wait.await.is_ok(), "call {id} is not closed");
        answers
    }
}
