//! One of the people: what they do next, and what they were answered.

use anyhow::Result;
use p2pchat_model::{
    CallId, Chat, Command, ConversationId, Event, MessageId, Standing, Update, Username,
};
use p2pchat_testkit::Person;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::Chats;
use super::ledger::{Ledger, SaidId};

/// How often one leaves at most: of one person 64 joins count.
const MAX_LEAVES: usize = 40;
const EMOJI: [&str; 4] = ["👍", "❤️", "😀", ""];

/// See the module.
#[derive(Debug)]
pub(super) struct Talker {
    pub(super) person: Person,
    /// Calls that are not answered.
    open: Vec<Open>,
    /// Those that were made to a program that is gone, and are made again, by a page.
    again: Vec<Open>,
    /// How often they have left.
    leaves: usize,
}

#[derive(Debug, Clone)]
struct Open {
    id: CallId,
    command: Command,
    what: What,
}

#[derive(Debug, Clone, Copy)]
enum What {
    Say(SaidId),
    /// With the number of the edit.
    Edit(SaidId, u32),
    Other,
}

impl Talker {
    pub(super) fn new(person: Person) -> Self {
        Self {
            person,
            open: Vec::new(),
            again: Vec::new(),
            leaves: 0,
        }
    }

    /// What they wait for.
    pub(super) fn waits_for(&self) -> Vec<&'static str> {
        let waits = self.open.iter().chain(&self.again);
        waits.map(|open| open.command.name()).collect()
    }

    /// Takes an update.
    pub(super) fn hear(&mut self, update: &Update, ledger: &mut Ledger) {
        if let Event::Post(post) | Event::PostChanged(post) = &*update.event {
            ledger.shown(post);
        }
        let Some(re) = &update.re else { return };
        let Some(at) = self.open.iter().position(|open| open.id == *re) else {
            return;
        };
        let what = self.open[at].what;
        match (&*update.event, what) {
            (Event::Said { message, .. }, What::Say(said)) => ledger.answered(said, *message),
            (Event::Done, What::Edit(said, number)) => ledger.edited(said, number),
            (Event::Failed(failure), _) => {
                let name = self.open[at].command.name();
                ledger.failed(name, failure.code);
            }
            _ => {}
        }
        if update.event.closes_call() {
            self.open.remove(at);
        }
    }

    /// Ends their program. A page makes its calls again at the next one.
    pub(super) async fn kill(&mut self, ledger: &mut Ledger) -> Result<()> {
        for update in self.person.kill().await? {
            self.hear(&update, ledger);
        }
        let open = std::mem::take(&mut self.open);
        ledger.open_at_kill(open.len());
        if self.person.has_page() {
            self.again.extend(open);
        }
        Ok(())
    }

    fn chat(&self, id: ConversationId) -> Option<&Chat> {
        let view = &self.person.view;
        view.account?;
        view.conversation(id)?.chat.as_ref()
    }

    fn is_in(&self, id: ConversationId) -> bool {
        let chat = self.chat(id);
        chat.is_some_and(|chat| chat.standing == Standing::In)
    }

    /// Whether they own the second group.
    fn is_owner(&self, chats: &Chats) -> bool {
        !chats.others.contains(&self.person.name)
    }

    /// Whether they are signed in, and in the groups.
    pub(super) fn is_back(&self, chats: &Chats) -> bool {
        self.is_in(chats.team) && self.is_in(chats.club)
    }

    /// Whether they see all the others in the club.
    pub(super) fn sees_all_in(&self, chats: &Chats) -> bool {
        let Some(chat) = self.chat(chats.club) else {
            return false;
        };
        let members = chat.members.iter().filter(|member| !member.asked);
        members.count() == chats.others.len()
    }

    async fn ask(&mut self, command: Command, what: What) -> Result<()> {
        let id = self.person.ask(&command).await?;
        self.open.push(Open { id, command, what });
        Ok(())
    }

    /// Makes calls again, asks others back to the club, or accepts to be back.
    pub(super) async fn come_back(&mut self, chats: &Chats, ledger: &mut Ledger) -> Result<()> {
        let club = chats.club;
        if self.chat(chats.team).is_none() || self.chat(club).is_none() {
            return Ok(());
        }
        for open in std::mem::take(&mut self.again) {
            ledger.repeated();
            self.person.ask_as(open.id.clone(), &open.command).await?;
            self.open.push(open);
        }
        let waits = |name| self.open.iter().any(|open| open.command.name() == name);
        let command = match self.chat(club).map(|chat| (chat.standing, &chat.members)) {
            Some((Standing::Asked(_), _)) if !waits("join") => Command::Join { conversation: club },
            Some((Standing::In, members)) if self.is_owner(chats) && !waits("add") => {
                let is_there = |name: &Username| {
                    let mut members = members.iter();
                    members.any(|member| member.who.name == Some(*name))
                };
                let others = chats.others.iter().copied();
                let gone: Vec<Username> = others.filter(|name| !is_there(name)).collect();
                if gone.is_empty() {
                    return Ok(());
                }
                Command::Add {
                    conversation: club,
                    members: gone,
                    sees_all: true,
                }
            }
            _ => return Ok(()),
        };
        self.ask(command, What::Other).await
    }

    /// Does something, if they can.
    pub(super) async fn act(
        &mut self,
        chats: &Chats,
        ledger: &mut Ledger,
        random: &mut ChaCha8Rng,
    ) -> Result<()> {
        self.come_back(chats, ledger).await?;
        let ids = [chats.team, chats.club, chats.two];
        let conversation = ids[random.random_range(0..ids.len())];
        if !self.is_in(conversation) {
            return Ok(());
        }
        let me = self.person.name;
        match random.random_range(0..20) {
            0..10 => {
                let (said, text) = ledger.say(me, conversation);
                let command = Command::say(conversation, text);
                self.ask(command, What::Say(said)).await
            }
            10..13 => match ledger.edit(me, conversation, random) {
                Some((said, message, number, text)) => {
                    let command = Command::Edit {
                        conversation,
                        message,
                        text,
                    };
                    self.ask(command, What::Edit(said, number)).await
                }
                None => Ok(()),
            },
            13..16 => match self.newest(conversation) {
                Some(message) => {
                    let emoji = EMOJI[random.random_range(0..EMOJI.len())].to_owned();
                    let command = Command::React {
                        conversation,
                        message,
                        emoji,
                    };
                    self.ask(command, What::Other).await
                }
                None => Ok(()),
            },
            16..18 if self.chat(chats.team).is_some_and(|chat| chat.owner) => {
                let name = format!("Team {}", random.random_range(0..100)).parse()?;
                let conversation = chats.team;
                let command = Command::Rename { conversation, name };
                self.ask(command, What::Other).await
            }
            16..18 => Ok(()),
            _ if self.is_owner(chats) || !self.is_in(chats.club) => Ok(()),
            _ if self.leaves >= MAX_LEAVES => Ok(()),
            _ => {
                self.leaves += 1;
                let conversation = chats.club;
                self.ask(Command::Leave { conversation }, What::Other).await
            }
        }
    }

    fn newest(&self, id: ConversationId) -> Option<MessageId> {
        self.person.view.conversation(id)?.newest_message()
    }
}
