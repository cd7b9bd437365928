//! Peers and a registry that speak version 2: over real TLS, with the files of a profile.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

#[path = "shell_support/net.rs"]
#[allow(dead_code, reason = "some of it is for other tests")]
mod net;

use std::path::Path;

use p2pchat_model::{Command, Event, Link, Passphrase, Problem, Security, Trust, View};
use p2pchat_peer::Options;
use p2pchat_protocol::v2::Status;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use net::{FrontEnd, Registry, User, name, own_address};

fn password() -> Passphrase {
    Passphrase::new("a password that version 1 cannot have").unwrap()
}

/// The options of a user with a profile's folder.
fn options(registry: &Registry, folder: &Path) -> Options {
    Options {
        folder: Some(folder.to_owned()),
        allow_plaintext: false,
        ..registry.options()
    }
}

fn is_logged_in(view: &View) -> bool {
    view.account.is_some() && !view.online.is_empty()
}

/// Waits for a call to fail.
async fn fails(user: &mut FrontEnd, problem: Problem) {
    let failed = user.hear("a failure", |event| match event {
        Event::Failed(failure) => Some(failure.code),
        _ => None,
    });
    assert_eq!(failed.await, problem);
}

async fn sign_up(registry: &Registry, folder: &Path, who: &str) -> User {
    let mut user = User::start(options(registry, folder)).await;
    user.send(Command::register(name(who), password())).await;
    user.see("the session", is_logged_in).await;
    user
}

#[tokio::test]
async fn a_user_signs_up_and_the_key_signs_in_from_then_on() {
    let registry = Registry::start().await;
    let folder = tempfile::tempdir().unwrap();
    let mut user = sign_up(&registry, folder.path(), "ann").await;
    user.see("an encrypted line", |view| {
        matches!(view.security, Security::Encrypted { .. }) && view.link == Link::Up
    })
    .await;
    let first = user.view.identity.unwrap();
    user.peer.stop().await.unwrap();
    // By itself, and without a password.
    let mut again = User::start(options(&registry, folder.path())).await;
    again.see("the session", is_logged_in).await;
    assert_eq!(again.view.account, Some(name("ann")));
    assert_eq!(again.view.identity.unwrap().person, first.person);
    // Until the user signs out.
    again.send(Command::Logout).await;
    again.see("the end", |view| view.account.is_none()).await;
    again.peer.stop().await.unwrap();
    let kept = std::fs::read_to_string(folder.path().join("account")).unwrap();
    assert!(!kept.contains("ann"), "{kept}");
    let pins = std::fs::read_to_string(folder.path().join("known_registries")).unwrap();
    assert!(pins.contains("127.0.0.1:"), "{pins}");
}

#[tokio::test]
async fn presence_is_pushed() {
    let registry = Registry::start().await;
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut ann = sign_up(&registry, folders[0].path(), "ann").await;
    let mut bob = sign_up(&registry, folders[1].path(), "bob").await;
    ann.see("bob", |view| view.user(name("bob")).is_some())
        .await;
    bob.see("ann", |view| view.user(name("ann")).is_some())
        .await;
    bob.send(Command::Busy { on: true }).await;
    let is = |status| {
        move |view: &View| {
            view.user(name("bob"))
                .is_some_and(|bob| bob.status == status)
        }
    };
    ann.see("a busy bob", is(Status::Busy)).await;
    bob.send(Command::Busy { on: false }).await;
    bob.send(Command::Away { on: true }).await;
    ann.see("bob away", is(Status::Away)).await;
    let display_name = "Bob B.".parse().unwrap();
    bob.send(Command::DisplayName { display_name }).await;
    ann.see("bob's display name", |view| {
        view.user(name("bob"))
            .is_some_and(|bob| bob.display_name == display_name)
    })
    .await;
    bob.peer.stop().await.unwrap();
    ann.see("bob gone", |view| view.user(name("bob")).is_none())
        .await;
}

#[tokio::test]
async fn codes_are_compared_and_keys_trusted() {
    let registry = Registry::start().await;
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut ann = sign_up(&registry, folders[0].path(), "ann").await;
    let mut bob = sign_up(&registry, folders[1].path(), "bob").await;
    bob.see("bob's own code", |view| {
        view.identity
            .is_some_and(|identity| identity.code.is_some())
    })
    .await;
    let code = bob.view.identity.unwrap().code.unwrap();
    let bob = name("bob");
    ann.send(Command::Code { name: bob }).await;
    let shown = ann.hear("the code", |event| {
        matches!(event, Event::Code { .. }).then(|| event.clone())
    });
    let shown = shown.await;
    let trust = Trust::New;
    let name = bob;
    assert_eq!(shown, Event::Code { name, code, trust });
    let trust = |code| Command::Trust {
        name,
        code,
        verified: true,
    };
    ann.send(trust("00000000000000000000".parse().unwrap()))
        .await;
    fails(&mut ann, Problem::WrongCode).await;
    ann.send(trust(code)).await;
    ann.see("the trust", |view| {
        view.user(bob)
            .is_some_and(|bob| bob.trust == Some(Trust::Verified))
    })
    .await;
    let kept = std::fs::read_to_string(folders[0].path().join("known_people")).unwrap();
    assert!(kept.contains("verified - bob"), "{kept}");
}

#[tokio::test]
async fn an_exported_identity_is_imported_in_another_profile() {
    let registry = Registry::start().await;
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut ann = sign_up(&registry, folders[0].path(), "ann").await;
    let secret = Passphrase::new("for the file").unwrap();
    ann.send(Command::ExportIdentity {
        password: secret.clone(),
    })
    .await;
    let exported = ann.hear("the export", |event| match event {
        Event::Exported { identity } => Some(identity.clone()),
        _ => None,
    });
    let identity = exported.await;
    let mut second = User::start(options(&registry, folders[1].path())).await;
    let import = |password: &Passphrase| Command::ImportIdentity {
        identity: identity.clone(),
        password: password.clone(),
    };
    second.send(import(&password())).await;
    fails(&mut second, Problem::BadIdentity).await;
    second.send(import(&secret)).await;
    let person = ann.view.identity.unwrap().person;
    second
        .see("the person", |view| {
            view.identity
                .is_some_and(|identity| identity.person == person)
        })
        .await;
    // The person is bound: no password is needed.
    let login = Command::Login {
        name: name("ann"),
        password: None,
    };
    second.send(login).await;
    second.see("the session", is_logged_in).await;
    assert_eq!(second.view.online.len(), 1, "one user on two devices");
    second.send(import(&secret)).await;
    fails(&mut second, Problem::IdentityInUse).await;
}

#[tokio::test]
async fn a_registry_with_another_key_is_a_stop_until_the_user_trusts_it() {
    let (first, second) = (Registry::start().await, Registry::start().await);
    let folder = tempfile::tempdir().unwrap();
    let user = sign_up(&first, folder.path(), "ann").await;
    user.peer.stop().await.unwrap();
    // The same name leads to another registry.
    let pins = folder.path().join("known_registries");
    let moved = std::fs::read_to_string(&pins).unwrap();
    let [from, to] = [&first, &second].map(|registry| registry.options().registry);
    std::fs::write(&pins, moved.replace(&from, &to)).unwrap();
    let mut user = User::start(Options {
        // Of no use: the registry is pinned.
        allow_plaintext: true,
        ..options(&second, folder.path())
    })
    .await;
    user.see("the stop", |view| {
        matches!(view.link, Link::KeyChanged { .. })
    })
    .await;
    let Link::KeyChanged { pinned, seen } = user.view.link.clone() else {
        panic!("{:?}", user.view.link);
    };
    assert_ne!(pinned, seen);
    user.send(Command::login(name("ann"), password())).await;
    fails(&mut user, Problem::RegistryKeyChanged).await;
    user.send(Command::TrustRegistry {
        fingerprint: pinned,
    })
    .await;
    fails(&mut user, Problem::NoSuchRegistry).await;
    user.send(Command::TrustRegistry { fingerprint: seen })
        .await;
    user.see("the link", |view| view.link == Link::Up).await;
    let kept = std::fs::read_to_string(&pins).unwrap();
    assert!(kept.contains(&seen.to_string()), "{kept}");
}

#[tokio::test]
async fn a_fingerprint_in_the_name_is_expected_at_the_first_contact() {
    let registry = Registry::start().await;
    let key = "ABCD-EFGH-IJKL-MNOP-QRST-UVWX-YZ";
    let named = |key: &str| Options {
        registry: format!("{}#{key}", registry.options().registry),
        allow_plaintext: true,
        ..registry.options()
    };
    let mut user = User::start(named(key)).await;
    user.see("the stop", |view| {
        matches!(view.link, Link::KeyChanged { .. })
    })
    .await;
    let Link::KeyChanged { seen, .. } = user.view.link else {
        panic!("{:?}", user.view.link);
    };
    let mut user = User::start(named(&seen.to_string())).await;
    user.see("an encrypted line", |view| {
        view.security == Security::Encrypted { fingerprint: seen }
    })
    .await;
}

/// A server that answers the first bytes of a client with these, or closes the connection. What
/// the client has sent to it.
async fn impostor(
    answer: Option<&'static [u8]>,
) -> (Options, tokio::sync::mpsc::Receiver<Vec<u8>>) {
    let at = own_address();
    let listener = TcpListener::bind((at.ip(), 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, received) = tokio::sync::mpsc::channel(16);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = vec![0; 4096];
            let read = stream.read(&mut bytes).await.unwrap_or_default();
            bytes.truncate(read);
            if let Some(answer) = answer {
                let _ = stream.write_all(answer).await;
                // All that comes after the answer.
                let _ = tokio::time::timeout(
                    std::time::Duration::from_millis(300),
                    stream.read_to_end(&mut bytes),
                )
                .await;
            }
            let _ = sender.send(bytes).await;
        }
    });
    let options = Options {
        registry: format!("{}:{port}", at.ip()),
        address: Some(own_address()),
        ..Options::default()
    };
    (options, received)
}

#[tokio::test]
async fn who_answers_version_1_or_cuts_the_handshake_gets_no_password() {
    // "Logged in", as version 1 has it.
    for (answer, words) in [
        (Some(&[4, 0, 0, 0, 15][..]), "does not answer encrypted"),
        (None, "cut before it was encrypted"),
    ] {
        let (options, mut received) = impostor(answer).await;
        let mut user = User::start(options).await;
        let password = Passphrase::new("open sesame").unwrap();
        user.send(Command::login(name("ann"), password)).await;
        fails(&mut user, Problem::RegistryUnreachable).await;
        user.see("why", |view| {
            matches!(&view.link, Link::Down { reason, .. }
                if reason.contains(words) && reason.contains("--allow-plaintext"))
        })
        .await;
        let sent = received.recv().await.unwrap();
        assert_eq!(sent[0], 22, "a TLS record");
        let has_password = sent.windows(11).any(|part| part == b"open sesame");
        assert!(!has_password);
        assert_eq!(user.view.security, Security::Unknown);
    }
}

#[tokio::test]
async fn who_is_allowed_plain_text_and_not_pinned_gets_no_22() {
    let (options, mut received) = impostor(Some(&[4, 0, 0, 0, 0])).await;
    let mut user = User::start(Options {
        allow_plaintext: true,
        ..options
    })
    .await;
    let password = Passphrase::new("secret").unwrap();
    user.send(Command::login(name("ann"), password)).await;
    let sent = received.recv().await.unwrap();
    assert!(sent[0] <= 5, "a packet of version 1");
    user.see("a line that is not encrypted", |view| {
        view.security == Security::NotEncrypted
    })
    .await;
}

#[tokio::test]
async fn what_needs_encryption_says_so_where_there_is_none() {
    let registry = Registry::start().await;
    let mut user = registry.user("ann").await;
    user.send(Command::Away { on: true }).await;
    fails(&mut user, Problem::NotEncrypted).await;
    user.send(Command::Code { name: name("ann") }).await;
    fails(&mut user, Problem::NotEncrypted).await;
}
