//! A person: their profile, and the program that runs in it now and then.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use p2pchat_model::{
    Call, CallId, Command, Conversation, ConversationId, Event, FrontEndId, MessageId, Notice,
    PersonKey, Standing, Update, Username, View,
};
use rustix::process::Signal;
use tokio::time::{Instant, timeout, timeout_at};

use crate::peer::new_front_end;
use crate::{Peer, Programs, RegistryAt, SOON, own_address};

/// The password of everybody.
const PASSWORD: &str = "correct horse battery";

/// See the module. Their program is killed on drop.
#[derive(Debug)]
pub struct Person {
    /// The name of their account.
    pub name: Username,
    /// Their home folder, with the profile in it.
    pub home: PathBuf,
    /// The address that their program listens at.
    pub address: Ipv4Addr,
    /// What their front end shows, by the events that it was sent; that of the last one while none
    /// runs.
    pub view: View,
    /// What they were told since their program was started last.
    pub notices: Vec<Notice>,
    programs: Programs,
    registry: RegistryAt,
    /// Of a page, which the bridge serves; it stays while bridges come and go.
    page: Option<FrontEndId>,
    /// The id of the last call, of whichever program: those of a page have to differ.
    last_id: u64,
    peer: Option<Peer>,
}

impl Person {
    /// Someone with a home folder of their name in `homes`, made if it is not there, whose program
    /// is `p2pchat --json`. It does not run.
    ///
    /// # Errors
    /// If the folder cannot be made.
    pub fn new(
        programs: &Programs,
        homes: &Path,
        name: &str,
        registry: impl Into<RegistryAt>,
    ) -> Result<Self> {
        let home = homes.join(name);
        std::fs::create_dir_all(&home)?;
        Ok(Self {
            name: name.parse()?,
            home,
            address: own_address(),
            view: View::default(),
            notices: Vec::new(),
            programs: programs.clone(),
            registry: registry.into(),
            page: None,
            last_id: 0,
            peer: None,
        })
    }

    /// The same with a page, whose calls can be made again after its bridge was killed.
    ///
    /// # Errors
    /// If the page gets no id.
    pub fn with_page(self) -> Result<Self> {
        let page = Some(new_front_end()?);
        Ok(Self { page, ..self })
    }

    /// Whether they have a page.
    #[must_use]
    pub fn has_page(&self) -> bool {
        self.page.is_some()
    }

    /// Whether their program runs.
    #[must_use]
    pub fn is_here(&self) -> bool {
        self.peer.is_some()
    }

    /// The folder of their profile.
    #[must_use]
    pub fn profile(&self) -> PathBuf {
        self.home.join(".local/share/p2pchat")
    }

    /// Starts their program, and waits for its view. It signs in by itself if they have an account.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn start(&mut self) -> Result<()> {
        let (programs, home, registry) = (&self.programs, &self.home, self.registry.clone());
        self.notices.clear();
        let mut peer = match &self.page {
            None => Peer::start(programs, home, registry, self.address, &[])?,
            Some(page) => {
                let peer = Peer::start_bridge(programs, home, registry, self.address);
                let mut peer = peer.await?.with_front_end(page);
                peer.open_page().await?;
                peer
            }
        };
        let is_view = |event: &Event| match event {
            Event::View(snapshot) => Some(snapshot.view.clone()),
            _ => None,
        };
        self.view = peer.event_with("view", SOON, is_view).await?;
        self.peer = Some(peer);
        Ok(())
    }

    /// Starts their program, and waits until they are signed in.
    ///
    /// # Errors
    /// If they are not.
    pub async fn come(&mut self) -> Result<()> {
        self.start().await?;
        self.until("that they are signed in", |view| view.account)
            .await?;
        Ok(())
    }

    /// Starts their program, and signs them up.
    ///
    /// # Errors
    /// If the registry does not let them.
    pub async fn sign_up(&mut self) -> Result<()> {
        self.start().await?;
        let password = PASSWORD.parse()?;
        self.call(&Command::register(self.name, password)).await?;
        self.until("that they are signed in", |view| view.account)
            .await?;
        Ok(())
    }

    /// Signs them in again after they have signed out.
    ///
    /// # Errors
    /// If the registry does not let them.
    pub async fn sign_in(&mut self) -> Result<()> {
        let password = PASSWORD.parse()?;
        self.call(&Command::login(self.name, password)).await?;
        self.until("that they are signed in", |view| view.account)
            .await?;
        Ok(())
    }

    /// Signs them out.
    ///
    /// # Errors
    /// If they are not signed in.
    pub async fn sign_out(&mut self) -> Result<()> {
        self.call(&Command::Logout).await?;
        Ok(())
    }

    /// Ends their program by SIGKILL, and returns the events that nobody had read.
    ///
    /// # Errors
    /// If none runs.
    pub async fn kill(&mut self) -> Result<Vec<Update>> {
        let peer = self.peer.take().context("no program runs")?;
        let updates = peer.kill_and_read().await?;
        for update in &updates {
            self.take(update);
        }
        Ok(updates)
    }

    /// Ends their program by SIGTERM, and waits until it has ended. Nobody is signed out by that.
    ///
    /// # Errors
    /// If none runs.
    pub async fn stop(&mut self) -> Result<()> {
        let mut peer = self.peer.take().context("no program runs")?;
        peer.signal(Signal::TERM)?;
        let ends = async { while let Ok(Some(_)) = peer.update().await {} };
        timeout(SOON, ends)
            .await
            .context("the program does not end")?;
        peer.kill().await
    }

    /// Carries out a command, and returns its answers.
    ///
    /// # Errors
    /// If it fails, or there is no answer.
    pub async fn call(&mut self, command: &Command) -> Result<Vec<Event>> {
        let id = self.ask(command).await?;
        let what = format!("answer to {}", command.name());
        let deadline = Instant::now() + SOON;
        let mut answers = Vec::new();
        while let Ok(update) = timeout_at(deadline, self.next()).await {
            let update = update?;
            if update.re.as_ref() != Some(&id) {
                continue;
            }
            match &*update.event {
                Event::Done => return Ok(answers),
                Event::Failed(failure) => {
                    bail!("{}: {}: {}", self.name, command.name(), failure.message)
                }
                event => answers.push(event.clone()),
            }
        }
        bail!("{}: no {what} within {SOON:?} but {answers:?}", self.name)
    }

    /// Sends a command, and does not wait for its answer.
    ///
    /// # Errors
    /// If the program has ended or does not read.
    pub async fn ask(&mut self, command: &Command) -> Result<CallId> {
        self.last_id += 1;
        let id = CallId::from(self.last_id);
        self.ask_as(id.clone(), command).await?;
        Ok(id)
    }

    /// Sends a command with this id.
    ///
    /// # Errors
    /// The same.
    pub async fn ask_as(&mut self, id: CallId, command: &Command) -> Result<()> {
        let call = Call::with_id(id, command.clone());
        self.peer()?.send(&call).await
    }

    fn peer(&mut self) -> Result<&mut Peer> {
        let name = self.name;
        let peer = self.peer.as_mut();
        peer.with_context(|| format!("{name} has no program that runs"))
    }

    /// The next update, after which the view is as it says. Cancel safe.
    ///
    /// # Errors
    /// If the program has ended.
    pub async fn next(&mut self) -> Result<Update> {
        let name = self.name;
        let update = self.peer()?.update().await?;
        let update = update.with_context(|| format!("the program of {name} has ended"))?;
        self.take(&update);
        Ok(update)
    }

    fn take(&mut self, update: &Update) {
        let event = &*update.event;
        // What was asked for is compared with the view, and no part of it.
        if update.re.is_none() || !matches!(event, Event::Posts { .. }) {
            self.view.apply(event);
        }
        if let Event::Notice { what, .. } = event {
            self.notices.push(*what);
        }
    }

    /// Waits until the view has something.
    ///
    /// # Errors
    /// If it does not within [`SOON`].
    pub async fn until<T>(
        &mut self,
        what: &str,
        mut found: impl FnMut(&View) -> Option<T>,
    ) -> Result<T> {
        let deadline = Instant::now() + SOON;
        loop {
            if let Some(found) = found(&self.view) {
                return Ok(found);
            }
            match timeout_at(deadline, self.next()).await {
                Ok(update) => drop(update?),
                Err(_) => bail!("{}: no {what} within {SOON:?}", self.name),
            }
        }
    }

    /// Waits until a conversation is so.
    ///
    /// # Errors
    /// If it is not within [`SOON`].
    pub async fn until_chat(
        &mut self,
        id: ConversationId,
        what: &str,
        mut is_so: impl FnMut(&Conversation) -> bool,
    ) -> Result<()> {
        let is_so = |view: &View| {
            let known = view.conversation(id)?;
            is_so(known).then_some(())
        };
        self.until(what, is_so).await
    }

    /// Begins or finds the conversation with someone.
    ///
    /// # Errors
    /// If the command fails.
    pub async fn chat(&mut self, with: Username) -> Result<ConversationId> {
        let answers = self.call(&Command::Chat { with }).await?;
        opened(&answers)
    }

    /// Begins a group.
    ///
    /// # Errors
    /// If the command fails.
    pub async fn group(&mut self, name: &str, members: &[Username]) -> Result<ConversationId> {
        let group = Command::Group {
            name: name.parse()?,
            members: members.to_vec(),
        };
        let answers = self.call(&group).await?;
        opened(&answers)
    }

    /// Waits until they are asked to be in a conversation, and joins.
    ///
    /// # Errors
    /// If they are not asked.
    pub async fn join(&mut self, conversation: ConversationId) -> Result<()> {
        let is_asked = |known: &Conversation| {
            let chat = known.chat.as_ref();
            chat.is_some_and(|chat| matches!(chat.standing, Standing::Asked(_)))
        };
        self.until_chat(conversation, "request", is_asked).await?;
        self.call(&Command::Join { conversation }).await?;
        Ok(())
    }

    /// The key of another member of a group.
    ///
    /// # Errors
    /// If they do not see such a member.
    pub fn key_of(&self, group: ConversationId, name: Username) -> Result<PersonKey> {
        let known = self.view.conversation(group);
        let chat = known.and_then(|known| known.chat.as_ref());
        let mut members = chat.iter().flat_map(|chat| &chat.members);
        let member = members.find(|member| member.who.name == Some(name));
        Ok(member.context("no such member")?.who.key)
    }

    /// Says something, once they see the conversation.
    ///
    /// # Errors
    /// If the command fails.
    pub async fn say(&mut self, conversation: ConversationId, text: &str) -> Result<MessageId> {
        self.until_chat(conversation, "conversation", |_| true)
            .await?;
        let answers = self.call(&Command::say(conversation, text)).await?;
        said(&answers)
    }
}

fn opened(answers: &[Event]) -> Result<ConversationId> {
    let opened = answers.iter().find_map(|event| match event {
        Event::Opened { conversation } => Some(*conversation),
        _ => None,
    });
    opened.with_context(|| format!("nothing was opened: {answers:?}"))
}

fn said(answers: &[Event]) -> Result<MessageId> {
    let said = answers.iter().find_map(|event| match event {
        Event::Said { message, .. } => Some(*message),
        _ => None,
    });
    said.with_context(|| format!("nothing was said: {answers:?}"))
}
