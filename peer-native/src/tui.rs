//! The full screen: the sign-in form, then the chat.
//!
//! [`App`] is the state and knows neither terminal nor network; [`run`] gives it keys and
//! events, and shows it.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use crossterm::event::{Event as Input, EventStream, KeyEventKind};
use futures::{FutureExt, StreamExt};
use p2pchat_peer::Handle;
use p2pchat_settings::Signals;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::clock::Clock;
use crate::exit::Exit;
use crate::feed::{Feed, Update};
use crate::options::Settings;

mod app;
mod bars;
mod bursts;
mod conversation;
mod draw;
mod editor;
mod input_line;
mod keys;
mod overlay;
mod requests;
mod screen;
mod scroll;
mod side;
mod sign_in;
mod sign_in_draw;
#[cfg(test)]
mod tests;
mod theme;

pub use app::{Act, App, Look};
pub use theme::{Colours, Theme};

use bursts::{Bursts, Typed};
use screen::Screen;

/// How often countdowns are drawn.
const TICK: Duration = Duration::from_millis(250);
/// How many events are applied before the screen is drawn again: a flood of them must not be
/// drawn one by one, and must not delay keys.
const BATCH: usize = 256;

/// Runs until the user quits or a signal comes. The terminal is restored in any case.
///
/// # Errors
/// If the terminal cannot be used, or the peer stops by itself.
pub async fn run(handle: Handle, settings: &Settings, mut signals: Signals) -> Result<Exit> {
    let (feed, view) = Feed::start(handle.clone()).await?;
    let look = Look {
        theme: Theme::from_environment(),
        clock: Clock::system(),
        bell: settings.options.bell,
    };
    let mut app = App::new(view, look, settings.options.user);
    let first = settings.login.clone().map(|login| app.log_in(login));
    let mut front = Front {
        handle,
        feed,
        app,
        bursts: Bursts::default(),
        screen: Screen::enter(settings.options.mouse).context("cannot use this terminal")?,
        exit: None,
    };
    front.act(first).await?;
    let mut keys = EventStream::new();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut changed = true;
    loop {
        if let Some(exit) = front.exit {
            return Ok(exit);
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
            update = front.feed.next() => front.update(update?).await?,
            input = keys.next() => match input {
                Some(input) => front.inputs(input?, &mut keys).await?,
                None => bail!("the terminal is gone"),
            },
            () = sleep_until(front.bursts.due().unwrap_or_else(Instant::now)),
                if front.bursts.due().is_some() => front.release().await?,
            _ = ticks.tick() => changed = front.app.tick(Clock::now()),
        }
    }
}

struct Front {
    handle: Handle,
    feed: Feed,
    app: App,
    bursts: Bursts,
    screen: Screen,
    /// The exit code, once the program is to end.
    exit: Option<Exit>,
}

impl Front {
    /// Handles an input and those that are there by now: only together do they tell a paste
    /// from keys.
    async fn inputs(&mut self, first: Input, keys: &mut EventStream) -> Result<()> {
        let mut inputs = vec![first];
        while inputs.len() < BATCH
            && let Some(Some(next)) = keys.next().now_or_never()
        {
            inputs.push(next?);
        }
        for typed in self.bursts.add(inputs, Instant::now()) {
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
            Input::Key(_) if quick && self.app.takes_letters_one_by_one() => None,
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

    /// Applies this update and those that have come by now.
    async fn update(&mut self, first: Update) -> Result<()> {
        self.apply(first).await?;
        for _ in 1..BATCH {
            match self.feed.next().now_or_never() {
                Some(update) => self.apply(update?).await?,
                None => break,
            }
        }
        Ok(())
    }

    async fn apply(&mut self, update: Update) -> Result<()> {
        match update {
            Update::Event(event) => {
                let act = self.app.apply(&event, Clock::now());
                self.act(act).await
            }
            Update::Snapshot { view, .. } => {
                self.app.replace_view(*view);
                Ok(())
            }
        }
    }

    async fn act(&mut self, act: Option<Act>) -> Result<()> {
        match act {
            None => {}
            Some(Act::Send(command)) => {
                self.handle
                    .send(command)
                    .await
                    .context("the peer has stopped")?;
            }
            Some(Act::SendAll(commands)) => {
                for command in commands {
                    let sent = self.handle.send(command).await;
                    sent.context("the peer has stopped")?;
                }
            }
            Some(Act::Redraw) => self.screen.clear()?,
            Some(Act::Quit) => self.exit = Some(Exit::Done),
        }
        Ok(())
    }
}
