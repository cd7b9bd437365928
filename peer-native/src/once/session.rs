//! The front end that runs a job: sends its calls, and gives it updates until it ends.

use std::time::Duration;

use anyhow::Result;
use p2pchat_model::{Call, Event, FrontEndId, Notice, Update, View, wording};
use p2pchat_profile::{FrontEnd, Profile};
use p2pchat_settings::streams::complain;
use p2pchat_settings::{Signals, Stop};
use tokio::time::{Instant, sleep_until, timeout};

use super::job::{End, Job, Step, no_answer};
use crate::NAME;
use crate::exit::Exit;

/// How long the last call of a job that has run out of time may take.
const LAST_CALL: Duration = Duration::from_secs(1);

/// A front end of the profile, for a limited time.
pub(super) struct Session {
    front_end: FrontEnd,
    pub(super) view: View,
    /// Whether the view has come.
    has_view: bool,
    signals: Signals,
    ends_at: Instant,
}

/// What comes next.
pub(super) enum Next {
    /// An update. The view is without it.
    Update(Update),
    /// A signal.
    Stop(Stop),
}

/// What a job waits for.
enum Waited {
    Next(Next),
    OutOfTime,
}

impl Session {
    /// Joins. All that it does with a job has to end by this time.
    pub(super) fn start(
        profile: &Profile,
        id: FrontEndId,
        ends_at: Instant,
        signals: Signals,
    ) -> Result<Self> {
        Ok(Self {
            front_end: profile.join(id)?,
            view: View::default(),
            has_view: false,
            signals,
            ends_at,
        })
    }

    /// Waits for the view, the first update.
    pub(super) async fn begin(&mut self) -> Result<End> {
        while !self.has_view {
            match self.wait().await? {
                Waited::Next(Next::Update(update)) => {
                    if let Some(end) = self.apply(&update) {
                        return Ok(end);
                    }
                }
                Waited::Next(Next::Stop(_)) => return Ok(interrupted()),
                Waited::OutOfTime => return Ok(no_answer()),
            }
        }
        Ok(End::DONE)
    }

    /// Updates the view; ends if the peer has become silent.
    fn apply(&mut self, update: &Update) -> Option<End> {
        let was_told = wording::security::not_saved(&self.view).is_some();
        self.view.apply(&update.event);
        if let Some(words) = wording::security::not_saved(&self.view).filter(|_| !was_told) {
            complain(NAME, words);
        }
        match &*update.event {
            Event::View(_) => self.has_view = true,
            Event::Notice {
                what: Notice::PeerStopped { process },
                ..
            } => {
                let words = wording::peer_is_stopped(*process);
                return Some(End::new(Exit::Silent, words));
            }
            _ => {}
        }
        None
    }

    /// The next update or signal, however long it takes.
    pub(super) async fn next(&mut self) -> Result<Next> {
        tokio::select! {
            stop = self.signals.next() => Ok(Next::Stop(stop)),
            update = self.front_end.updates.next() => Ok(Next::Update(update?)),
        }
    }

    /// Runs a job to its end.
    pub(super) async fn run(&mut self, job: &mut impl Job) -> Result<End> {
        let begun = self.begin().await?;
        if begun != End::DONE {
            return Ok(begun);
        }
        let mut pending: Option<Call> = None;
        let mut step = job.start(&self.view);
        loop {
            match step {
                Step::Wait => {}
                Step::End(end) => return Ok(end),
                Step::Call(call) => {
                    pending = Some(call.clone());
                    self.front_end.calls.send(call).await?;
                }
            }
            let update = match self.wait().await? {
                Waited::Next(Next::Update(update)) => update,
                Waited::Next(Next::Stop(_)) => return Ok(interrupted()),
                Waited::OutOfTime => return self.end_late(job).await,
            };
            if let Some(end) = self.apply(&update) {
                return Ok(end);
            }
            if pending
                .as_ref()
                .is_some_and(|call| is_closed(call, &update))
            {
                pending = None;
            }
            // Its answer may be among what was missed; by its id it is done only once.
            if let (Event::View(snapshot), Some(call)) = (&*update.event, &pending)
                && snapshot.missed > 0
            {
                self.front_end.calls.send(call.clone()).await?;
            }
            step = job.on_update(&update, &self.view);
        }
    }

    async fn wait(&mut self) -> Result<Waited> {
        let ends_at = self.ends_at;
        tokio::select! {
            next = self.next() => Ok(Waited::Next(next?)),
            () = sleep_until(ends_at) => Ok(Waited::OutOfTime),
        }
    }

    async fn end_late(&mut self, job: &mut impl Job) -> Result<End> {
        let (call, end) = job.out_of_time(&self.view);
        if let Some(call) = call {
            self.front_end.calls.send(call.clone()).await?;
            let closed = async {
                while let Ok(update) = self.front_end.updates.next().await {
                    if is_closed(&call, &update) {
                        break;
                    }
                }
            };
            // Whether it was is the same to the user.
            let _ = timeout(LAST_CALL, closed).await;
        }
        Ok(end)
    }
}

/// The end by a signal.
fn interrupted() -> End {
    let exit = Exit::Terminated;
    End { exit, words: None }
}

/// Whether an update closes a call.
fn is_closed(call: &Call, update: &Update) -> bool {
    update.re == call.id && update.event.closes_call()
}
