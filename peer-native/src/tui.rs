//! The full screen: the sign-in form, then the chat.
//!
//! [`App`] is the state and knows neither terminal nor network; [`run`] gives it keys and
//! events, and shows it.

use std::io;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use crossterm::event::{self, Event as Input, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use futures::FutureExt;
use p2pchat_model::Update;
use p2pchat_profile::{Calls, Updates};
use p2pchat_settings::{Continued, Signals, signals};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use crate::app::Joined;
use crate::clock::Clock;
use crate::exit::Exit;
use crate::options::Settings;

mod app;
mod bars;
mod bursts;
mod choose;
mod choose_draw;
mod code;
mod compose;
mod conversation;
mod draft;
mod draw;
mod due;
mod editor;
mod events;
mod findings;
mod head;
mod help;
mod info;
mod input_line;
mod invite;
mod keys;
mod keys_shown;
mod members;
mod mentions;
mod notes;
mod opener;
mod overlay;
mod people;
mod place;
mod posts;
mod rail;
mod requests;
mod screen;
mod scroll;
mod select;
mod sign_in;
mod sign_in_draw;
mod switcher;
#[cfg(test)]
mod tests;
mod theme;
mod waiting;

pub use app::{Act, App, Look};
pub use theme::{Colours, Theme};

use bursts::{Bursts, Typed};
use opener::Opener;
use screen::Screen;

/// How often countdowns are drawn.
const TICK: Duration = Duration::from_millis(250);
/// How many events are applied before the screen is drawn again: a flood of them must not be
/// drawn one by one, and must not delay keys.
const BATCH: usize = 256;

/// How many bursts of keys are read ahead.
const AHEAD: usize = 64;
/// How long a stop may take to begin. Where no shell could continue the program, the system
/// does not stop it, and it goes on after this time.
const STOP: Duration = Duration::from_millis(200);

/// Runs until the user quits or a signal comes. The terminal is restored in any case.
///
/// # Errors
/// If the terminal cannot be used, or the peer stops by itself.
pub async fn run(joined: &mut Joined, settings: &Settings, mut signals: Signals) -> Result<Exit> {
    let view = joined.view.clone();
    let look = Look {
        theme: Theme::from_environment(),
        clock: Clock::system(),
        bell: settings.options.bell,
    };
    let keeps_draft = joined.attached.is_some() || settings.peer.history.is_some();
    let mut app = App::new(view, look, settings.options.user, &joined.front_end)
        .keeping_draft(keeps_draft)
        .with_hint(joined.attached.take());
    if let Some(warning) = joined.warning.take() {
        app.warn(warning, Clock::now());
    }
    let first = joined.login.take().map(|login| app.log_in(login));
    let mut front = Front {
        calls: joined.calls.clone(),
        updates: &mut joined.updates,
        app,
        bursts: Bursts::default(),
        screen: Screen::enter(settings.options.mouse).context("cannot use this terminal")?,
        continued: Continued::new()?,
        opener: Opener::new(),
        exit: None,
    };
    front.act(first).await?;
    let mut keys = read_keys();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut changed = true;
    loop {
        if let Some(exit) = front.exit {
            if let Some(call) = front.app.last_call() {
                front.calls.send(call).await?;
            }
            return Ok(exit);
        }
        for call in front.app.due(Clock::now()) {
            front.calls.send(call).await?;
        }
        if Screen::is_lost() {
            bail!("ended by an internal error");
        }
        if changed || front.app.counts_down() {
            front.screen.draw(&mut front.app, Clock::now())?;
        }
        changed = true;
        tokio::select! {
            stop = signals.next() => front.exit = Some(stop.into()),
            update = front.updates.next() => front.update(update?).await?,
            Some(link) = front.opener.failed() => {
                let act = front.app.not_opened(link);
                front.act(Some(act)).await?;
            }
            () = front.continued.next() => front.screen.resume()?,
            burst = keys.recv() => match burst {
                Some(burst) => front.inputs(burst?).await?,
                None => bail!("the terminal is gone"),
            },
            () = sleep_until(front.bursts.due().unwrap_or_else(Instant::now)),
                if front.bursts.due().is_some() => match keys.try_recv() {
                    // What follows came in time, and was only not taken yet.
                    Ok(burst) => front.inputs(burst?).await?,
                    Err(_) => front.release().await?,
                },
            _ = ticks.tick() => changed = front.app.tick(Clock::now()),
        }
    }
}

/// All inputs that were there at once, and when.
type Burst = (Vec<Input>, Instant);

/// Begins to read keys, on a thread of its own: where the terminal is gone, or sends half a
/// key, a read does not return.
fn read_keys() -> mpsc::Receiver<io::Result<Burst>> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    thread::spawn(move || {
        loop {
            let burst = read_burst();
            let last = burst.is_err();
            if sender.blocking_send(burst).is_err() || last {
                break;
            }
        }
    });
    receiver
}

fn read_burst() -> io::Result<Burst> {
    let mut inputs = vec![event::read()?];
    let at = Instant::now();
    while inputs.len() < BATCH && event::poll(Duration::ZERO)? {
        inputs.push(event::read()?);
    }
    Ok((inputs, at))
}

/// Ctrl-Z, which suspends the program.
fn is_suspend(key: KeyEvent) -> bool {
    key.kind == KeyEventKind::Press
        && key.code == KeyCode::Char('z')
        && key.modifiers == KeyModifiers::CONTROL
}

struct Front<'a> {
    calls: Calls,
    updates: &'a mut Updates,
    app: App,
    bursts: Bursts,
    screen: Screen,
    continued: Continued,
    opener: Opener,
    /// The exit code, once the program is to end.
    exit: Option<Exit>,
}

impl Front<'_> {
    /// Handles a burst of inputs: only together do they tell a paste from keys.
    async fn inputs(&mut self, (inputs, at): Burst) -> Result<()> {
        for typed in self.bursts.add(inputs, at) {
            self.input(typed).await?;
        }
        Ok(())
    }

    /// Handles what was held back, for nothing has followed.
    async fn release(&mut self) -> Result<()> {
        match self.bursts.release(Instant::now()) {
            Some(typed) => self.input(typed).await,
            None => Ok(()),
        }
    }

    async fn input(&mut self, Typed { input, quick }: Typed) -> Result<()> {
        let now = Clock::now();
        let act = match input {
            Input::Key(key) if quick && self.app.takes_letters_one_by_one() => {
                self.app.text_key(key, now)
            }
            Input::Key(key) if is_suspend(key) => return self.suspend().await,
            // Terminals that report releases must not type everything twice.
            Input::Key(key) if key.kind != KeyEventKind::Release => self.app.key(key, now),
            Input::Paste(text) => {
                self.app.paste(&text);
                None
            }
            Input::Mouse(mouse) => self.app.mouse(mouse),
            Input::FocusGained => {
                self.app.focus(true);
                None
            }
            Input::FocusLost => {
                self.app.focus(false);
                None
            }
            Input::Key(_) | Input::Resize(..) => None,
        };
        self.act(act).await
    }

    /// Gives the terminal back and stops the program, until the shell continues it.
    async fn suspend(&mut self) -> Result<()> {
        self.screen.leave();
        signals::suspend();
        // It stops now or in a moment.
        let _ = timeout(STOP, self.continued.next()).await;
        Ok(self.screen.resume()?)
    }

    /// Applies this update and those that have come by now.
    async fn update(&mut self, first: Update) -> Result<()> {
        self.apply(first).await?;
        for _ in 1..BATCH {
            match self.updates.next().now_or_never() {
                Some(update) => self.apply(update?).await?,
                None => break,
            }
        }
        Ok(())
    }

    async fn apply(&mut self, update: Update) -> Result<()> {
        let act = self.app.apply(&update, Clock::now());
        self.act(act).await
    }

    async fn act(&mut self, act: Option<Act>) -> Result<()> {
        match act {
            None => {}
            Some(Act::Send(call)) => self.calls.send(call).await?,
            Some(Act::SendAll(calls)) => {
                for call in calls {
                    self.calls.send(call).await?;
                }
            }
            Some(Act::Redraw) => self.screen.clear()?,
            Some(Act::Copy(text)) => self.screen.copy(&text)?,
            Some(Act::Open(link)) => self.opener.open(&link),
            Some(Act::Quit) => self.exit = Some(Exit::Done),
        }
        Ok(())
    }
}
