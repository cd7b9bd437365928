//! Floods of logins and registrations from one address: many connections that ask again
//! as soon as they are answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use p2pchat_protocol::Request;
use p2pchat_testkit::Session;
use tokio::runtime::Runtime;
use tokio::time::sleep;

use super::attack::Progress;
use super::hold::FLOODER;
use super::residents::Residents;
use super::scene::{Target, attacker_account, probe_account};

/// The pause before a connection that was lost is made again.
const PAUSE: Duration = Duration::from_millis(200);

/// Wrong passwords for everybody who is there, the one who is measured included.
pub(super) fn guesses(
    runtime: &Runtime,
    count: usize,
    target: Target,
    progress: &Arc<Progress>,
) -> usize {
    let next = AtomicUsize::new(0);
    flood(runtime, count, target, progress, move || {
        let n = next.fetch_add(1, Ordering::Relaxed);
        let username = match n % 2 {
            0 => probe_account().0,
            _ => Residents::name(n % target.users.max(1)),
        };
        let password = "guess".parse().expect("a password");
        Request::Login { username, password }
    })
}

/// The right password, for the attacker's own account.
pub(super) fn logins(
    runtime: &Runtime,
    count: usize,
    target: Target,
    progress: &Arc<Progress>,
) -> usize {
    flood(runtime, count, target, progress, || {
        let (username, password) = attacker_account();
        Request::Login { username, password }
    })
}

/// One new name after the other.
pub(super) fn registrations(
    runtime: &Runtime,
    count: usize,
    target: Target,
    progress: &Arc<Progress>,
) -> usize {
    let next = AtomicUsize::new(0);
    flood(runtime, count, target, progress, move || {
        let n = next.fetch_add(1, Ordering::Relaxed);
        let username = format!("f{n}").parse().expect("a short word is a name");
        let password = "secret".parse().expect("a password");
        Request::Register { username, password }
    })
}

/// So many connections, each of which asks what `request` says as soon as it is answered.
fn flood(
    runtime: &Runtime,
    count: usize,
    target: Target,
    progress: &Arc<Progress>,
    request: impl Fn() -> Request + Send + Sync + 'static,
) -> usize {
    let request = Arc::new(request);
    for _ in 0..count {
        let (request, progress) = (Arc::clone(&request), Arc::clone(progress));
        runtime.spawn(async move {
            let mut has_risen = false;
            loop {
                if let Ok(mut session) = Session::connect(FLOODER, target.tcp).await {
                    if !has_risen {
                        progress.rise();
                        has_risen = true;
                    }
                    while session.ask(&request()).await.is_ok() {
                        progress.did();
                    }
                    progress.lost();
                }
                sleep(PAUSE).await;
            }
        });
    }
    count
}
