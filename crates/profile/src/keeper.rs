//! The keeper of a profile: a task that runs the peer or is attached to the process that does,
//! and takes over when that one ends.

use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::time::Duration;

use p2pchat_model::{Call, Command, Event, FrontEndId, Link, Problem, View};
use p2pchat_peer::{Peer, PeerFailed, StartError};
use p2pchat_platform::files::private_folder;
use p2pchat_platform::lock::Lock;
use p2pchat_platform::process::is_stopped;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::now;
use crate::connection::{Gone, Incoming, Outgoing};
use crate::error::{Ended, OpenError};
use crate::hub::{Claim, Hub};
use crate::lock::{self, Heir};
use crate::owner::{Entry, Owner, OwnerSilent, Silence};
use crate::place::{Place, Visitor};
use crate::profile::{Login, Options};

/// How long an owner may take to answer: it may be opening a long history.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// How often it is looked at meanwhile, whether it is stopped.
const LOOK: Duration = Duration::from_millis(250);
/// The pause between two attempts to get the lock or to attach.
const PAUSE: Duration = Duration::from_millis(20);
/// The pause after an attempt to take over that failed.
const LONG_PAUSE: Duration = Duration::from_secs(1);
/// How long those who were attached to an owner that has ended have the lock for themselves: they
/// know the state of the peer, and a process that starts does not.
const HEIRS_LIMIT: Duration = Duration::from_secs(3);
/// How long a killed owner's ports may be in use still.
const PORTS_LIMIT: Duration = Duration::from_secs(2);
/// How long a process that does not take over waits for another that does.
const SUCCESSOR_LIMIT: Duration = Duration::from_secs(3);
/// The pause after a login that failed, for another reason than a wrong password.
const LOGIN_PAUSE: Duration = Duration::from_secs(5);
/// How long an owner that ends waits whether those who could take over end too.
const GRACE: Duration = Duration::from_millis(250);
/// How long calls that were sent have to be passed on before the profile is closed.
const DRAIN_LIMIT: Duration = Duration::from_secs(1);

/// See the module.
pub(crate) struct Keeper {
    options: Options,
    /// The profile's folder, by its canonical path; `None` where no other process shares it.
    folder: Option<PathBuf>,
    visitor: Visitor,
    role: Role,
    place: watch::Sender<Place>,
    closing: CancellationToken,
    relays: TaskTracker,
}

/// What this process is in the profile.
enum Role {
    Owner(Box<Running>),
    Attached(Box<Attached>),
}

/// The peer in this process.
struct Running {
    peer: Peer,
    watcher: Option<(Outgoing, Incoming)>,
    /// What others attach to.
    hub: Option<Hub>,
}

/// The peer in another process.
struct Attached {
    entry: Arc<Entry>,
    watcher: (Outgoing, Incoming),
    /// The view, for the case that this process takes over.
    view: View,
    /// Tells other processes that it would.
    _heir: Option<Heir>,
}

/// Why an attempt to attach has failed.
enum NotAttached {
    Silent(OwnerSilent),
    Refused(String),
}

impl From<NotAttached> for OpenError {
    fn from(why: NotAttached) -> Self {
        match why {
            NotAttached::Silent(silent) => Self::Silent(silent),
            NotAttached::Refused(words) => Self::Refused(words),
        }
    }
}

impl Keeper {
    /// Starts the peer, or attaches to the process that runs it.
    pub(crate) async fn open(
        options: Options,
        closing: CancellationToken,
        relays: TaskTracker,
    ) -> Result<Self, OpenError> {
        let visitor = Visitor {
            front_end: FrontEndId::random(rand::random()),
            program: options.program,
            takes_over: options.takes_over,
        };
        let folder = options.folder.as_deref().map(make_folder).transpose()?;
        let role = match &folder {
            Some(folder) => open_shared(folder, &options, &visitor).await?,
            None => {
                let peer = Box::pin(Peer::start(options.peer.clone(), None)).await?;
                Role::Owner(Box::new(Running::new(peer, None, &visitor).await))
            }
        };
        let place = watch::Sender::new(role.place());
        Ok(Self {
            options,
            folder,
            visitor,
            role,
            place,
            closing,
            relays,
        })
    }

    /// Where the peer is, from now on.
    pub(crate) fn place(&self) -> watch::Receiver<Place> {
        self.place.subscribe()
    }

    /// Runs until the profile is closed or cannot go on.
    pub(crate) async fn run(mut self) {
        let closing = self.closing.clone();
        let ended = loop {
            self.place.send_replace(self.role.place());
            let login = self.options.login.as_ref();
            let lost = closing.run_until_cancelled(self.role.watch(login)).await;
            self.role = match (lost, self.role) {
                (None, role) => {
                    let running = match role {
                        Role::Owner(running) => Some(running),
                        Role::Attached(attached) => {
                            // The owner must not count on this process any more.
                            drop(attached);
                            None
                        }
                    };
                    // A front end that does not read is not waited for.
                    self.relays.close();
                    let _ = timeout(DRAIN_LIMIT, self.relays.wait()).await;
                    break match running {
                        Some(running) => running.close().await,
                        None => Ended::Closed,
                    };
                }
                (Some(()), Role::Owner(running)) => break running.close().await,
                (Some(()), Role::Attached(attached)) => {
                    self.place.send_replace(Place::Between(None));
                    let next = Next {
                        options: &self.options,
                        folder: self.folder.as_deref(),
                        visitor: &self.visitor,
                        place: &self.place,
                        gone: &attached.entry,
                        view: &attached.view,
                    };
                    match closing.run_until_cancelled(next.role()).await {
                        Some(Ok(role)) => role,
                        Some(Err(ended)) => break ended,
                        None => break Ended::Closed,
                    }
                }
            };
        };
        self.place.send_replace(Place::Ended(ended));
    }
}

impl Role {
    fn place(&self) -> Place {
        match self {
            Self::Owner(running) => Place::Here(running.peer.handle()),
            Self::Attached(attached) => Place::There(Arc::clone(&attached.entry)),
        }
    }

    /// Reads updates until there are no more. Logs in where the registry needs the password.
    async fn watch(&mut self, login: Option<&Login>) {
        let (watcher, mut view) = match self {
            Self::Owner(running) => (running.watcher.as_mut(), None),
            Self::Attached(attached) => {
                let Attached { watcher, view, .. } = &mut **attached;
                (Some(watcher), Some(view))
            }
        };
        let Some((outgoing, incoming)) = watcher else {
            return;
        };
        let is_needed = |event: &Event| match event {
            Event::Link(link) => *link == Link::PasswordNeeded,
            Event::View(snapshot) => snapshot.view.link == Link::PasswordNeeded,
            _ => false,
        };
        // The view of one who attached came before.
        let mut needed = view
            .as_ref()
            .is_some_and(|view| view.link == Link::PasswordNeeded);
        let mut retry_at = None;
        loop {
            if let Some(Login { name, password }) = login.filter(|_| needed) {
                let (name, password) = (*name, password.clone());
                let call = Call::new(Command::login(name, password));
                if outgoing.send(call).await.is_err() {
                    return;
                }
            }
            let update = tokio::select! {
                update = incoming.next() => update,
                () = sleep_until(retry_at.unwrap_or_else(Instant::now)), if retry_at.is_some() => {
                    (needed, retry_at) = (true, None);
                    continue;
                }
            };
            let Ok(update) = update else {
                return;
            };
            if let Some(view) = &mut view {
                view.apply(&update.event);
            }
            needed = is_needed(&update.event);
            match &*update.event {
                // Without a login none was tried here.
                Event::Failed(failure) if login.is_some() => {
                    let why = &failure.message;
                    tracing::warn!(why, "cannot log in again");
                    // All but a wrong password may pass.
                    if failure.code != Problem::WrongCredentials {
                        retry_at = Some(Instant::now() + LOGIN_PAUSE);
                    }
                }
                Event::LoggedIn { .. } | Event::LoggedOut { .. } => retry_at = None,
                _ => {}
            }
        }
    }
}

impl Running {
    async fn new(peer: Peer, hub: Option<Hub>, visitor: &Visitor) -> Self {
        let place = Place::Here(peer.handle());
        Self {
            // If the peer has stopped already, that is found out when it is watched.
            watcher: visitor.visit(&place).await.ok(),
            peer,
            hub,
        }
    }

    /// Ends, in order: hands over to another process that is attached; without one, logs out.
    async fn close(self) -> Ended {
        drop(self.watcher);
        let Some(hub) = self.hub else {
            return ended(self.peer.stop().await);
        };
        hub.close();
        if hub.has_successor() {
            // It may be about to end too, as when the system stops them all.
            sleep(GRACE).await;
        }
        let hands_over = hub.has_successor();
        let stopped = if hands_over {
            self.peer.hand_over().await
        } else {
            self.peer.stop().await
        };
        hub.end(hands_over).await;
        ended(stopped)
    }
}

fn ended(stopped: Result<(), PeerFailed>) -> Ended {
    stopped.map_or_else(Ended::Peer, |()| Ended::Closed)
}

/// Makes a profile's folder, for its user only, and returns its canonical path.
fn make_folder(path: &Path) -> Result<PathBuf, OpenError> {
    let made = private_folder().create(path);
    let canonical = made.and_then(|()| path.canonicalize());
    canonical.map_err(|reason| OpenError::Folder {
        path: path.to_owned(),
        reason,
    })
}

async fn open_shared(
    folder: &Path,
    options: &Options,
    visitor: &Visitor,
) -> Result<Role, OpenError> {
    let start = Instant::now();
    loop {
        let taken = lock::try_take(folder).map_err(OpenError::locking(folder))?;
        if let Some(lock) = taken {
            // Where the last owner has ended in order, no one goes on with their peer.
            let was_left = lock::named_in(folder).is_some();
            if was_left && Heir::is_there(folder) && start.elapsed() < HEIRS_LIMIT {
                drop(lock);
                sleep(PAUSE).await;
                continue;
            }
            let peer = options.peer.clone();
            return start_peer(folder, lock, peer, None, visitor).await;
        }
        match attach(folder, visitor).await {
            Ok(role) => return Ok(role),
            // It may be about to listen, or about to end.
            Err(NotAttached::Silent(silent))
                if silent.why == Silence::Absent && start.elapsed() < ANSWER_LIMIT =>
            {
                sleep(PAUSE).await;
            }
            Err(why) => return Err(why.into()),
        }
    }
}

/// Starts the peer in this process, which holds the lock.
async fn start_peer(
    folder: &Path,
    lock: Lock,
    options: p2pchat_peer::Options,
    resume: Option<&View>,
    visitor: &Visitor,
) -> Result<Role, OpenError> {
    let owner = Owner {
        program: visitor.program.to_owned(),
        process: process::id(),
    };
    // Those who connect from now on wait for the peer.
    let claim = Claim::make(lock, folder, owner, options.clone())?;
    match peer(&options, resume).await {
        Ok(peer) => {
            let hub = Hub::start(claim, peer.handle());
            let running = Running::new(peer, Some(hub), visitor).await;
            Ok(Role::Owner(Box::new(running)))
        }
        Err(error) => {
            claim.end(resume.is_some());
            Err(error)
        }
    }
}

/// Starts a peer. One that follows another waits a moment for its ports.
async fn peer(options: &p2pchat_peer::Options, resume: Option<&View>) -> Result<Peer, OpenError> {
    let begun = Instant::now();
    loop {
        match Box::pin(Peer::start(options.clone(), resume.cloned())).await {
            Err(StartError::PortInUse { .. })
                if resume.is_some() && begun.elapsed() < PORTS_LIMIT =>
            {
                sleep(PAUSE).await;
            }
            started => return Ok(started?),
        }
    }
}

/// Attaches to the process that holds the lock.
async fn attach(folder: &Path, visitor: &Visitor) -> Result<Role, NotAttached> {
    let Some(entry) = lock::named_in(folder) else {
        let silent = OwnerSilent::new(None, Silence::Absent);
        return Err(NotAttached::Silent(silent));
    };
    let silent = |why| NotAttached::Silent(OwnerSilent::new(Some(entry.clone()), why));
    let failed = |gone| match gone {
        Gone::Lost => silent(Silence::Absent),
        Gone::Refused(words) => NotAttached::Refused(words),
    };
    let begun = Instant::now();
    let Ok(attached) = timeout(ANSWER_LIMIT, visitor.attach(&entry)).await else {
        return Err(silent(Silence::Busy));
    };
    let (outgoing, mut incoming) = attached.map_err(failed)?;
    let view = loop {
        match timeout(LOOK, incoming.next()).await {
            Ok(Ok(update)) => {
                if let Event::View(snapshot) = &*update.event {
                    break snapshot.view.clone();
                }
            }
            Ok(Err(gone)) => return Err(failed(gone)),
            Err(_) if is_stopped(entry.owner.process) || begun.elapsed() > ANSWER_LIMIT => {
                return Err(silent(Silence::Busy));
            }
            Err(_) => {}
        }
    };
    Ok(Role::Attached(Box::new(Attached {
        watcher: (outgoing, incoming),
        entry: Arc::new(entry),
        view,
        _heir: visitor.takes_over.then(|| Heir::mark(folder)).flatten(),
    })))
}

/// The search for the next owner, after the one that this process was attached to has ended.
struct Next<'a> {
    options: &'a Options,
    folder: Option<&'a Path>,
    visitor: &'a Visitor,
    place: &'a watch::Sender<Place>,
    gone: &'a Entry,
    view: &'a View,
}

impl Next<'_> {
    /// The next role of this process.
    async fn role(&self) -> Result<Role, Ended> {
        let Some(folder) = self.folder else {
            return Err(Ended::Closed);
        };
        let begun = Instant::now();
        loop {
            let trouble = if self.options.takes_over {
                match self.take_over(folder).await {
                    Ok(Some(role)) => return Ok(role),
                    Ok(None) => None,
                    Err(error) => Some(error.to_string()),
                }
            } else if begun.elapsed() > SUCCESSOR_LIMIT {
                return Err(Ended::OwnerGone(self.gone.owner.clone()));
            } else {
                None
            };
            let trouble = match attach(folder, self.visitor).await {
                Ok(role) => return Ok(role),
                Err(NotAttached::Refused(words)) => return Err(Ended::Refused(words)),
                Err(NotAttached::Silent(silent)) if silent.why != Silence::Absent => {
                    trouble.or_else(|| Some(silent.to_string()))
                }
                Err(NotAttached::Silent(_)) => trouble,
            };
            match trouble {
                Some(reason) => self.report(reason).await,
                None => sleep(PAUSE).await,
            }
        }
    }

    /// Takes the lock and starts the peer with the view of the last one; `None` if another
    /// process has the lock.
    async fn take_over(&self, folder: &Path) -> Result<Option<Role>, OpenError> {
        let Some(lock) = lock::try_take(folder).map_err(OpenError::locking(folder))? else {
            return Ok(None);
        };
        tracing::info!(owner = %self.gone.owner, "takes over");
        let options = p2pchat_peer::Options {
            // Where the members of its chats know it to be.
            address: self.view.address.or(self.gone.peer.address),
            // Another may have been chosen since.
            registry: self.view.registry.clone(),
            ..self.gone.peer.clone()
        };
        let role = start_peer(folder, lock, options, Some(self.view), self.visitor).await?;
        Ok(Some(role))
    }

    /// Tells the front ends what goes wrong, and waits.
    async fn report(&self, reason: String) {
        tracing::warn!(reason, "cannot take over");
        let reason = format!(
            "{} has ended, and this program could not go on: {reason}",
            self.gone.owner
        );
        let retry_at = now().after(LONG_PAUSE);
        let link = Link::Down { reason, retry_at };
        self.place.send_replace(Place::Between(Some(link)));
        sleep(LONG_PAUSE).await;
    }
}
