//! The encrypted conversations of the profile: opened with its keys, and again when it has become
//! a device of another person.

use std::path::PathBuf;
use std::time::Duration;

use p2pchat_secure::Identity;
use tokio::sync::{mpsc, watch};

use super::chats::{Chats, ChatsOptions};
use super::copied::Place;
use super::error::StartError;
use super::system;
use crate::Options;
use crate::conversations::Incoming;
use crate::machine::{FromChats, ToChats};

/// How much of what they tell may wait for the machine; more waits there.
const MAX_TOLD: usize = 256;
/// Their file, in the folder of the profile.
const FILE: &str = "conversations.db";

/// See the module.
#[derive(Debug)]
pub(super) struct OwnChats {
    /// The folder of the profile, if it has one.
    folder: Option<PathBuf>,
    /// For how long messages are kept.
    keep: Option<Duration>,
    /// The folder for states, outside of the profile.
    states: Option<PathBuf>,
    place: Option<Place>,
    /// `None` between one identity and the next.
    chats: Option<Chats>,
    to: mpsc::Sender<FromChats>,
    told: mpsc::Receiver<FromChats>,
    /// Where the listener hands over connections of version 2.
    incoming: watch::Sender<Option<Incoming>>,
}

impl OwnChats {
    pub(super) async fn open(options: &Options, identity: &Identity) -> Result<Self, StartError> {
        let (to, told) = mpsc::channel(MAX_TOLD);
        let mut opened = Self {
            folder: options.folder.clone(),
            keep: options.keep,
            states: options.states.clone(),
            place: None,
            chats: None,
            to,
            told,
            incoming: watch::Sender::new(None),
        };
        opened.reopen(identity).await?;
        Ok(opened)
    }

    /// Closes them, and opens them with these keys.
    pub(super) async fn reopen(&mut self, identity: &Identity) -> Result<(), StartError> {
        self.stop().await;
        let place = match (&self.folder, identity.device_file()) {
            (Some(folder), Some(key)) => Some(
                Place::of(folder, &key, self.states.as_deref())
                    .map_err(system("look at the device key"))?,
            ),
            _ => None,
        };
        let is_copy = place.as_ref().map(Place::is_copied).transpose();
        let is_copy = is_copy.map_err(system("read the mark of the profile"))?;
        let store = self.folder.as_ref().map(|folder| folder.join(FILE));
        let options = ChatsOptions {
            identity: identity.clone(),
            store: store.clone(),
            is_copy: is_copy.unwrap_or_default(),
            keep: self.keep,
        };
        let chats = Chats::start(options, self.to.clone()).await;
        let chats = chats.map_err(|reason| StartError::Chats {
            path: store.unwrap_or_default(),
            reason,
        })?;
        if let Some(place) = &place {
            place
                .mark()
                .map_err(system("write the mark of the profile"))?;
        }
        self.place = place;
        self.incoming.send_replace(Some(chats.acceptor()));
        self.chats = Some(chats);
        Ok(())
    }

    pub(super) fn tell(&self, what: ToChats) {
        if let Some(chats) = &self.chats {
            chats.tell(what);
        }
    }

    /// What they tell. Cancel-safe.
    pub(super) async fn told(&mut self) -> Option<FromChats> {
        self.told.recv().await
    }

    pub(super) fn incoming(&self) -> watch::Receiver<Option<Incoming>> {
        self.incoming.subscribe()
    }

    /// Says goodbye to all sessions and closes the store.
    pub(super) async fn stop(&mut self) {
        self.incoming.send_replace(None);
        let Some(chats) = self.chats.take() else {
            return;
        };
        // What it tells meanwhile is read, so that it does not wait for that.
        let mut stopping = std::pin::pin!(chats.stop());
        loop {
            tokio::select! {
                () = &mut stopping => break,
                Some(_) = self.told.recv() => {}
            }
        }
        if let Some(Err(error)) = self.place.take().map(|place| place.mark()) {
            tracing::debug!(%error, "the mark of the profile cannot be written");
        }
    }
}
