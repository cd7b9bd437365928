//! `--plain`: one line per event, for pipes and screen readers.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use anyhow::{Context, Result};
use futures::FutureExt;
use p2pchat_model::wording::{self, first, label};
use p2pchat_model::{
    Command, ConversationId, Event, Failure, Link, Passphrase, Problem, Security, Undo, Update,
    Username,
};
use p2pchat_settings::Signals;
use p2pchat_settings::streams::{Output, complain};
use tokio::time::{Instant, sleep_until};

pub(crate) use self::console::ask_password;
use self::console::{Ask, Console, Given};
use self::held::Held;
use crate::NAME;
use crate::app::{Joined, after_quitting, password_needed};
use crate::chats::led_into;
use crate::client::{Client, For, PATIENCE};
use crate::clock::Clock;
use crate::commands::{self, COMMANDS, CommandError, Entry, Typed};
use crate::exit::Exit;
use crate::login::is_needed;
use crate::options::{AutoLogin, Settings};
use crate::shown::Shown;
use crate::stdin;

mod chats;
mod console;
mod held;
pub(crate) mod lines;
mod pace;
mod passwords;
pub(crate) mod posts;
mod terminal;

/// How long a second Ctrl-C quits the program.
const QUIT_ASKED: Duration = Duration::from_secs(3);
/// How a password is given while a line is being typed.
const ENTER: &str = "press Enter to type your password";
/// How often the peer is told that lines are typed.
const ACTIVE_EVERY: Duration = Duration::from_secs(60);
/// How many updates are printed before anything else is looked at.
const BATCH: usize = 64;

/// Runs until the user quits, the input has ended, or a signal comes.
///
/// # Errors
/// If the peer stops by itself, or the terminal cannot be read.
pub async fn run(joined: &mut Joined, settings: &Settings, mut signals: Signals) -> Result<Exit> {
    let mut front = Front {
        client: Client::new(joined),
        current: ConversationId::OPEN,
        console: Console::new()?,
        clock: Clock::system(),
        stage: Stage::Chat,
        held: Held::default(),
        refill: String::new(),
        away: None,
        asks_again: false,
        typed: VecDeque::new(),
        printed: BTreeSet::new(),
        quit_asked: None,
        told_active: None,
        ends_at: None,
        exit: None,
    };
    let Joined { updates, login, .. } = joined;
    front.start(settings.options.user, login.take()).await?;
    loop {
        if let Some(exit) = front.exit {
            return Ok(exit);
        }
        if front.ends_at.is_some() && front.client.is_settled() {
            return Ok(Exit::Done);
        }
        let (deadline, held) = (front.ends_at, front.held.due());
        tokio::select! {
            stop = signals.next() => return Ok(stop.into()),
            update = updates.next() => {
                front.update(update?).await?;
                for _ in 1..BATCH {
                    match updates.next().now_or_never() {
                        Some(update) => front.update(update?).await?,
                        None => break,
                    }
                }
                front.mark_read().await?;
            }
            given = front.console.next(), if front.takes_input() => front.given(given).await?,
            () = sleep_until(held.unwrap_or_else(Instant::now)), if held.is_some() => {
                front.look_at_held().await?;
            }
            () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                return Ok(Exit::Done);
            }
        }
    }
}

/// What the next input is.
enum Stage {
    Chat,
    Name {
        register: bool,
    },
    Password {
        register: bool,
        name: Username,
    },
    /// The password of a new account, a second time.
    Again {
        name: Username,
        password: Passphrase,
    },
    /// The name that others see beside that of a new account.
    DisplayName {
        name: Username,
        password: Passphrase,
    },
    /// The password that is to be changed.
    Old,
    /// The one that it shall be.
    New {
        old: Passphrase,
    },
    /// That one a second time.
    NewAgain {
        old: Passphrase,
        new: Passphrase,
    },
}

struct Front {
    client: Client,
    /// The conversation in which a line is sent. Only the user changes it: what is typed for one
    /// must not go to another.
    current: ConversationId,
    console: Console,
    clock: Clock,
    stage: Stage,
    /// Lines that may be a paste.
    held: Held,
    /// A line with an error, to be corrected.
    refill: String,
    /// Why the registry cannot be reached, as it was printed.
    away: Option<String>,
    /// The password is to be asked for again after the line that is being typed.
    asks_again: bool,
    /// What was typed here, until it is a message of an encrypted conversation: it is on the
    /// terminal already.
    typed: VecDeque<(ConversationId, String)>,
    /// The conversations with messages that are on the terminal and may not be marked as read.
    printed: BTreeSet<ConversationId>,
    /// When the user was asked whether to quit.
    quit_asked: Option<Instant>,
    /// When the peer was told that the user is there.
    told_active: Option<Instant>,
    /// The deadline for the end, once the input has ended.
    ends_at: Option<Instant>,
    /// The exit code, once the program is to end.
    exit: Option<Exit>,
}

impl Front {
    async fn start(&mut self, user: Option<Username>, login: Option<AutoLogin>) -> Result<()> {
        if self.client.view.link == Link::NoRegistry {
            self.print(first::NEEDS_REGISTRY);
            self.print(lines::CHOOSE_REGISTRY);
        } else if let Some(address) = self.client.view.address {
            let registry = &self.client.view.registry;
            let text = format!("your address is {address}, the registry is {registry}");
            self.print(&text);
        }
        if let Some(warning) = wording::security::not_saved(&self.client.view) {
            self.print(warning);
        }
        if self.exit.is_some() {
            return Ok(());
        }
        self.print(self.client.view.security.lead());
        self.show_conversation();
        if login.is_none() {
            // The question follows at once.
            self.look_at_link("with your password");
        }
        match (user, login) {
            (_, Some(login)) => self.client.log_in(login).await?,
            _ if self.client.view.account.is_some() => {}
            _ if self.client.view.link == Link::NoRegistry => {}
            (Some(name), None) if self.console.is_terminal() => {
                self.stage = Stage::Password {
                    register: false,
                    name,
                };
            }
            (_, None) => self.print(&format!(
                "{}: /login · {}: /register · /help",
                label::SIGN_IN,
                label::CREATE_ACCOUNT
            )),
        }
        self.ask();
        self.mark_read().await
    }

    fn shown(&self) -> Shown<'_> {
        Shown {
            view: &self.client.view,
            id: self.current,
        }
    }

    /// Says that the registry needs the password again, and asks for it when the line is
    /// entered that is being typed.
    fn look_at_link(&mut self, how: &str) {
        let is_needed = self.client.view.link == Link::PasswordNeeded;
        if is_needed && !self.asks_again {
            let how = if self.console.is_terminal() {
                how
            } else {
                "use --user and --password-file"
            };
            let (what, why) = password_needed();
            self.print(&format!("{what} ({how}): {why}"));
        }
        self.asks_again = is_needed;
    }

    fn takes_input(&self) -> bool {
        let may_type = !self.client.is_logging_in() || self.console.is_terminal();
        self.ends_at.is_none() && may_type && self.client.has_room()
    }

    fn print(&mut self, line: &str) {
        self.exit = match self.console.print(line) {
            Ok(Output::Written) => return,
            Ok(Output::Closed) => Some(Exit::Done),
            Err(error) => {
                complain(NAME, error);
                Some(Exit::Failed)
            }
        };
    }

    fn ask(&mut self) {
        if let (Stage::Chat, Some(name)) = (&self.stage, self.client.view.account)
            && self.refill.is_empty()
            // What follows in a paste is no password.
            && self.held.is_empty()
            && self.console.is_terminal()
            && std::mem::take(&mut self.asks_again)
        {
            self.stage = Stage::Password {
                register: false,
                name,
            };
        }
        self.know();
        self.console.ask(match &self.stage {
            Stage::Chat => {
                let prompt = chats::prompt(self.shown());
                Ask::Chat(prompt, std::mem::take(&mut self.refill))
            }
            Stage::Name { .. } => Ask::Line(format!("{}: ", label::NAME)),
            Stage::Password {
                name,
                register: false,
            } if self.client.view.security != Security::NotEncrypted => {
                let optional = "Enter if this computer signs you in";
                Ask::Password(format!("{} of {name} ({optional}): ", label::PASSWORD))
            }
            Stage::Password { name, .. } => {
                Ask::Password(format!("{} of {name}: ", label::PASSWORD))
            }
            Stage::Again { .. } | Stage::NewAgain { .. } => {
                Ask::Password(format!("{}: ", label::PASSWORD_AGAIN))
            }
            Stage::DisplayName { .. } => Ask::Line("Display name (Enter for none): ".to_owned()),
            Stage::Old => Ask::Password("Password now: ".to_owned()),
            Stage::New { .. } => Ask::Password("New password: ".to_owned()),
        });
    }

    /// Gives completion the current names.
    fn know(&self) {
        self.console.know(self.shown());
    }

    async fn given(&mut self, given: Given) -> Result<()> {
        self.note_active().await?;
        let quit_asked = self.quit_asked.take();
        match (given, std::mem::replace(&mut self.stage, Stage::Chat)) {
            (Given::Interrupted, Stage::Chat) => self.interrupted(quit_asked),
            (Given::End, Stage::Chat) if self.console.is_terminal() => {
                self.exit = Some(Exit::Done);
            }
            (Given::End, Stage::Chat) => self.ends_at = Some(Instant::now() + PATIENCE),
            // The end of a question is not the end of the program.
            (Given::End | Given::Interrupted, _) => {}
            (Given::Bad(error), _) => self.print(&error.to_string()),
            (Given::Failed(error), _) => return Err(error).context(stdin::UNREADABLE),
            (Given::Password(text), Stage::Password { register, name }) => {
                self.password(register, name, &text).await?;
            }
            (Given::Password(text), Stage::Again { name, password }) => {
                self.again(name, password, &text);
            }
            (Given::Password(text), Stage::Old) => match self.passphrase(&text) {
                Some(old) => self.stage = Stage::New { old },
                None => self.stage = Stage::Chat,
            },
            (Given::Password(text), Stage::New { old }) => {
                if let Some(new) = self.new_password(&text) {
                    self.stage = Stage::NewAgain { old, new };
                }
            }
            (Given::Password(text), Stage::NewAgain { old, new }) => {
                if new.expose() == text.as_str() {
                    let command = Command::ChangePassword { old, new };
                    self.client.send(For::User, command).await?;
                } else {
                    self.print(label::PASSWORDS_DIFFER);
                    self.stage = Stage::New { old };
                }
            }
            (Given::Line(text) | Given::Burst(text), Stage::DisplayName { name, password }) => {
                self.display_name(name, password, text.trim()).await?;
            }
            (Given::Line(name) | Given::Burst(name), Stage::Name { register })
                if !name.starts_with('/') =>
            {
                self.name_given(register, name.trim());
            }
            (Given::Burst(line), _) => self.burst(&line).await?,
            (Given::Line(line), _) => {
                self.enter_line_before().await?;
                let line = self.held.take() + &line;
                if let Err(error) = self.line(&line).await? {
                    self.print(&error.to_string());
                    self.refill = line;
                }
            }
            (Given::Password(_), _) => {}
        }
        // Without a further question: it would stay on the terminal, and the editor would set
        // the terminal while it is restored.
        if self.exit.is_none() {
            self.ask();
        }
        Ok(())
    }

    /// Quits at the second Ctrl-C; the first one may have been meant for something else.
    fn interrupted(&mut self, asked: Option<Instant>) {
        if !self.held.is_empty() {
            self.held.take();
            self.print("the pasted lines are dropped");
        } else if asked.is_some_and(|at| at.elapsed() < QUIT_ASKED) {
            self.exit = Some(Exit::Done);
        } else {
            self.quit_asked = Some(Instant::now());
            let then = after_quitting(&self.client.view);
            self.print(&format!("Press Ctrl-C again to quit; {then}"));
        }
    }

    /// A line that came too fast for fingers. One that only leads to a question does no harm,
    /// and the question has to come before the next line.
    async fn burst(&mut self, line: &str) -> Result<()> {
        self.enter_line_before().await?;
        let typed = commands::parse(line, self.shown());
        let is_signed_out = self.client.view.account.is_none();
        let asks = is_signed_out && matches!(typed, Ok(Typed::SignIn { .. }));
        if self.held.is_empty() && asks {
            return self.enter(line).await;
        }
        self.held.add(line, Instant::now());
        Ok(())
    }

    /// Enters the line that was held back, if the one that has come is another one.
    async fn enter_line_before(&mut self) -> Result<()> {
        match self.held.next(self.console.line_follows()) {
            Some(line) => self.enter(&line).await,
            None => Ok(()),
        }
    }

    /// Enters the line that was held back, if it came alone.
    async fn look_at_held(&mut self) -> Result<()> {
        match self.held.look(self.console.more_follows()) {
            Ok(line) => self.enter(&line).await,
            Err(count) => {
                let lines = if count == 1 { "line" } else { "lines" };
                self.print(&format!(
                    "{count} {lines} came at once, like a paste, and wait: \
                     Enter sends all as one message, Ctrl-C drops them"
                ));
                Ok(())
            }
        }
    }

    async fn enter(&mut self, line: &str) -> Result<()> {
        if let Err(error) = self.line(line).await? {
            self.print(&error.to_string());
        }
        Ok(())
    }

    /// Does what a line asks for. The inner error is the user's.
    async fn line(&mut self, line: &str) -> Result<Result<(), CommandError>> {
        let typed = match commands::parse(line, self.shown()) {
            Ok(typed) => typed,
            Err(error) => return Ok(Err(error)),
        };
        match typed {
            Typed::Nothing => {}
            Typed::Command(command) => {
                self.note_typed(&command);
                let into = led_into(&command).filter(|into| *into != self.current);
                if let Some(words) = commands::what_is_set(&command) {
                    self.print(&words);
                }
                self.client.send(For::User, command).await?;
                if let Some(conversation) = into {
                    self.go(conversation);
                }
            }
            Typed::Commands(commands) => {
                for command in commands {
                    self.client.send(For::User, command).await?;
                }
            }
            Typed::Go(conversation) => self.go(conversation),
            Typed::Status => self.print(&wording::security::shown_as(&self.client.view)),
            Typed::Identity => {
                for line in lines::identity(&self.client.view) {
                    self.print(&line);
                }
            }
            Typed::Password if !self.console.is_terminal() => {
                self.print("a pipe cannot give a password: change it at a terminal");
            }
            Typed::Password => self.stage = Stage::Old,
            Typed::SignIn { .. } if !self.console.is_terminal() => {
                self.print("a pipe cannot give a password: use --user and --password-file");
            }
            Typed::SignIn { .. } if !is_needed(&self.client.view) => {
                self.print(&format!("{}: /logout", Problem::AlreadyLoggedIn.words()));
            }
            Typed::SignIn { register, name } => {
                self.stage = match self.client.view.account.or(name) {
                    Some(name) => Stage::Password { register, name },
                    None => Stage::Name { register },
                };
            }
            Typed::Help => {
                let possible = |entry: &&Entry| entry.is_possible(&self.client.view);
                let possible: Vec<_> = COMMANDS.iter().filter(possible).collect();
                for entry in possible {
                    self.print(&format!("{:24} {}", entry.usage(), entry.help));
                }
            }
            Typed::Who(Some(name)) => self.print(&lines::person(name, &self.client.view)),
            Typed::Who(None) => {
                for line in lines::who(self.shown()) {
                    self.print(&line);
                }
                // The list may be half a minute old; the answer to this is not.
                if self.client.view.account.is_some() {
                    self.client.send(For::User, Command::Refresh).await?;
                }
            }
            Typed::Blocked => {
                for line in lines::blocked(&self.client.view) {
                    self.print(&line);
                }
            }
            Typed::Invite => {
                let invitation = first::invitation(&self.client.view);
                self.print(
                    &invitation.unwrap_or_else(|| Problem::RegistryUnreachable.words().to_owned()),
                );
            }
            Typed::Quit => self.exit = Some(Exit::Done),
        }
        Ok(Ok(()))
    }

    /// Tells the peer that the user is there, at most once a minute.
    async fn note_active(&mut self) -> Result<()> {
        let is_due = self
            .told_active
            .is_none_or(|at| at.elapsed() >= ACTIVE_EVERY);
        if !is_due || self.client.view.account.is_none() || !self.console.is_terminal() {
            return Ok(());
        }
        self.told_active = Some(Instant::now());
        self.client.send(For::Itself, Command::Active).await
    }

    async fn update(&mut self, update: Update) -> Result<()> {
        let answers = self.client.answered_by(&update);
        let event = &*update.event;
        match event {
            Event::View(snapshot) => {
                if snapshot.missed > 0 {
                    self.print(&format!("{} events were missed", snapshot.missed));
                }
                let known = self.client.view.conversations.iter();
                let newest = known.map(|known| (known.id, known.newest_message()));
                let newest = newest.collect();
                let failed = self.client.apply(event, answers).await?;
                debug_assert_eq!(failed, None, "it is no answer");
                self.show_new(&newest);
                self.look_at_link(ENTER);
                self.know();
                Ok(())
            }
            // The user did not ask for it.
            Event::Failed(_) if answers == Some(For::Itself) => Ok(()),
            _ => self.event(event, answers).await,
        }
    }

    /// Whether an event is worth a line: not that the account of `--register` exists, which
    /// is then signed in to, nor that it is signed in already, nor what is on the terminal already, because it was typed there.
    fn is_news(&mut self, event: &Event, answers: Option<For>) -> bool {
        match event {
            Event::Link(link) => is_new_state(&mut self.away, link),
            Event::Failed(failure) => {
                let is_signed_in =
                    matches!(failure.code, Problem::NameTaken | Problem::AlreadyLoggedIn);
                !is_signed_in || answers != Some(For::Login)
            }
            _ if self.shown().has(event) => false,
            // The newest message of each conversation, after a login: what is unread is counted.
            Event::Posts { before: None, .. } => answers.is_some(),
            Event::Message(message) if message.is_own() => {
                answers.is_none() || !self.console.shows_typed()
            }
            _ => true,
        }
    }

    async fn event(&mut self, event: &Event, answers: Option<For>) -> Result<()> {
        if self.is_news(event, answers) {
            let view = &self.client.view;
            let lines = match event {
                Event::Post(post) if chats::take_typed(&mut self.typed, post) => {
                    posts::waiting(post, view).into_iter().collect()
                }
                _ => lines::lines(event, view, &self.clock),
            };
            for line in lines {
                self.print(&line);
            }
        }
        let undo = self.client.view.undo;
        let failed = self.client.apply(event, answers).await?;
        match event {
            Event::Opened { conversation } => self.go(*conversation),
            Event::Registry { .. } if self.client.view.account.is_none() => {
                // The question follows at once.
                self.print(&format!(
                    "{}: /login · {}: /register",
                    label::SIGN_IN,
                    label::CREATE_ACCOUNT
                ));
            }
            Event::Message(_) | Event::Post(_) | Event::History { .. } => {
                self.note_printed(event.conversation().unwrap_or(self.current));
            }
            _ => {}
        }
        if matches!(event, Event::Link(_)) {
            self.look_at_link(ENTER);
        }
        if self.client.view.undo.is_some() && self.client.view.undo != undo {
            self.print(&format!(
                "/undo within {} s takes it back",
                Undo::LIMIT.as_secs()
            ));
        }
        self.know();
        let is_other = |failure: &Failure| failure.code == Problem::AlreadyLoggedIn;
        match failed {
            Some(reason) if !self.console.is_terminal() => {
                complain(NAME, format_args!("login failed: {reason}"));
                self.exit = Some(Exit::Login);
            }
            // As another account: what has failed is no line of its own.
            Some(reason) if matches!(event, Event::Failed(failure) if is_other(failure)) => {
                self.print(&reason);
            }
            _ => {}
        }
        Ok(())
    }
}

/// Whether the connection to the registry is worth a line: not that it is away for the same
/// reason as before, however often it is tried.
fn is_new_state(away: &mut Option<String>, link: &Link) -> bool {
    match link {
        Link::Connecting | Link::NoRegistry => {}
        Link::Up | Link::PasswordNeeded | Link::KeyChanged { .. } => *away = None,
        Link::Down { reason, .. } => return away.replace(reason.clone()).as_ref() != Some(reason),
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_told_once_for_each_reason() {
        let down = |reason: &str| Link::Down {
            reason: reason.to_owned(),
            retry_at: p2pchat_model::Timestamp(0),
        };
        let mut away = None;
        for (link, told) in [
            (down("closed"), true),
            (Link::Connecting, true),
            (down("no answer"), true),
            (Link::Connecting, true),
            (down("no answer"), false),
            (Link::Up, true),
            (down("no answer"), true),
        ] {
            assert_eq!(is_new_state(&mut away, &link), told, "{link:?}");
        }
    }
}
