//! Attackers in the middle who want a client to do without encryption, or to believe in another
//! key, get neither a password nor a session. Over the built programs.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::io::ErrorKind;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::PathBuf;
use std::time::Duration;

use p2pchat_model::{Command, Event, Link, Security};
use p2pchat_protocol::v2::FIRST_BYTE;
use p2pchat_secure::{SecretKey, fingerprint};
use p2pchat_testkit::{Attack, Attacker, Peer, Programs, Registry, RegistryAt, SOON, own_address};
use tempfile::TempDir;
use tokio::time::{Instant, timeout};

/// The password that no attacker may read. Version 1 could send it.
const PASSWORD: &str = "correct horse";
/// How many attempts to connect an attack meets: the first, and the one that follows by itself.
const ATTEMPTS: usize = 2;
/// More records of TLS than a connection has in these tests.
const MANY: usize = 1000;

/// How a client knows the registry that it is led away from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// It was never there, and is given the fingerprint.
    Fingerprint,
    /// By its pin.
    Pinned,
    /// By its pin, and it is named with `--allow-plaintext` since.
    PinnedAndPlaintext,
}

/// A client with the home of its user.
struct Client {
    name: &'static str,
    home: PathBuf,
    way: RegistryAt,
    /// What its user does, with the password.
    command: Command,
}

/// A registry with an attacker on the line to it.
struct Scene {
    programs: Programs,
    registry: Registry,
    attacker: Attacker,
    /// Where hellos of version 1 would come.
    hellos: UdpSocket,
    home: TempDir,
}

impl Scene {
    async fn new() -> Self {
        let programs = Programs::find().unwrap();
        let home = tempfile::tempdir().unwrap();
        let store = home.path().join("accounts.sqlite3");
        let registry = Registry::start(&programs, home.path(), store.to_str().unwrap(), &[]);
        let registry = registry.await.unwrap();
        let hellos = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        hellos.set_nonblocking(true).unwrap();
        Self {
            attacker: Attacker::start(registry.tcp).await.unwrap(),
            programs,
            registry,
            hellos,
            home,
        }
    }

    /// The way to the registry that leads by the attacker.
    fn way(&self) -> RegistryAt {
        RegistryAt::from([self.attacker.address, self.hellos.local_addr().unwrap()])
    }

    fn start(&self, client: &Client) -> Peer {
        let (home, way) = (&client.home, client.way.clone());
        Peer::start(&self.programs, home, way, own_address(), &["--no-history"]).unwrap()
    }

    /// A client that knows the registry in this way. No attack has met it yet.
    async fn client(&self, known: Known) -> Client {
        let name = match known {
            Known::Fingerprint => "ann",
            Known::Pinned => "bob",
            Known::PinnedAndPlaintext => "cem",
        };
        let (username, password) = (name.parse().unwrap(), PASSWORD.parse().unwrap());
        let home = self.home.path().join(name);
        std::fs::create_dir(&home).unwrap();
        let mut client = Client {
            name,
            home,
            way: self.way(),
            command: Command::register(username, password),
        };
        if known == Known::Fingerprint {
            client.way = self
                .way()
                .with_fingerprint(self.registry.fingerprint().unwrap());
            return client;
        }
        self.attacker.set(Attack::Listen);
        let mut peer = self.start(&client);
        let password = || PASSWORD.parse().unwrap();
        peer.register(username, password()).await.unwrap();
        peer.kill().await.unwrap();
        client.command = Command::login(username, password());
        if known == Known::PinnedAndPlaintext {
            client.way = self.way().in_plaintext();
        }
        client
    }

    /// Lets clients that know the registry in each way meet attacks, while their users type the
    /// password. In the end nothing stands between, and each gets in.
    async fn meet(&self, attacks: &[Attack]) {
        for known in [Known::Fingerprint, Known::Pinned, Known::PinnedAndPlaintext] {
            let client = self.client(known).await;
            for attack in attacks {
                let what = format!("{known:?}, {attack:?}");
                self.attacker.set(attack.clone());
                let mut peer = self.start(&client);
                peer.ask(&client.command).await.unwrap();
                self.wait_for_attempts(&mut peer, attack, &what).await;
                self.check_spoils(attack, &what);
                peer.kill().await.unwrap();
            }
            self.attacker.set(Attack::Listen);
            let mut peer = self.start(&client);
            peer.ask(&client.command).await.unwrap();
            let what = format!("login of {} at last", client.name);
            peer.event_with(&what, SOON, is_login).await.unwrap();
            self.check_spoils(&Attack::Listen, &what);
            peer.kill().await.unwrap();
        }
    }

    /// Waits until a client has tried as often as it does; it may not believe that the registry has
    /// let it in.
    async fn wait_for_attempts(&self, peer: &mut Peer, attack: &Attack, what: &str) {
        let deadline = Instant::now() + SOON;
        let mut is_up = false;
        loop {
            let tries = self.attacker.read().len();
            if !matches!(attack, Attack::OtherKey(_)) && tries >= ATTEMPTS {
                return;
            }
            assert!(Instant::now() < deadline, "{what}: {tries} tries");
            let Ok(event) = timeout(Duration::from_millis(50), peer.event()).await else {
                continue;
            };
            let event = event.unwrap().expect("the program goes on");
            if let Some(link) = link(&event) {
                is_up = matches!(link, Link::Up | Link::PasswordNeeded);
            }
            // Without a registry the account begins too, but not at the one that is reached.
            let is_in = is_up && matches!(event, Event::LoggedIn { .. });
            assert!(!is_in, "{what}: it is in");
            if let Some(Link::KeyChanged { pinned, seen }) = link(&event)
                && let Attack::OtherKey(key) = attack
            {
                assert_eq!(*pinned, self.registry.fingerprint().unwrap(), "{what}");
                assert_eq!(*seen, fingerprint(&key.public()), "{what}");
                return;
            }
        }
    }

    /// Checks what the attacker could read: the beginnings of TLS, and never the password.
    fn check_spoils(&self, attack: &Attack, what: &str) {
        let read = self.attacker.read();
        assert!(!read.is_empty(), "{what}: no one came by");
        for connection in &read {
            assert_eq!(connection[0], FIRST_BYTE, "{what}");
            let mut parts = connection.windows(PASSWORD.len());
            let has_password = parts.any(|part| part == PASSWORD.as_bytes());
            assert!(!has_password, "{what}: the password is read");
        }
        if matches!(attack, Attack::OtherKey(_)) {
            let decrypted: Vec<_> = read.iter().filter(|read| read.len() > 1).collect();
            assert!(decrypted.is_empty(), "{what}: it said {decrypted:?}");
        }
        let hello = self.hellos.recv(&mut [0; 64]).map_err(|error| error.kind());
        assert_eq!(hello, Err(ErrorKind::WouldBlock), "{what}: a hello");
    }
}

fn is_login(event: &Event) -> Option<()> {
    match event {
        Event::LoggedIn { .. } => Some(()),
        Event::View(snapshot) => snapshot.view.account.map(drop),
        _ => None,
    }
}

fn link(event: &Event) -> Option<&Link> {
    match event {
        Event::Link(link) => Some(link),
        Event::View(snapshot) => Some(&snapshot.view.link),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_answers_by_version_1_gets_neither_password_nor_session() {
    Scene::new().await.meet(&[Attack::Version1]).await;
}

/// At each step: before the hello of the client is carried, within the answer of the registry,
/// before the client has proved its key, and before the first frame of the registry.
#[tokio::test(flavor = "multi_thread")]
async fn who_cuts_the_handshake_at_any_step_gets_neither_password_nor_session() {
    let cut = |from_client, from_registry| Attack::Cut {
        from_client,
        from_registry,
    };
    let scene = Scene::new().await;
    let answered = (0..=3).map(|records| cut(MANY, records));
    let asked = (0..=2).map(|records| cut(records, MANY));
    scene.meet(&answered.chain(asked).collect::<Vec<_>>()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_offers_another_key_gets_neither_password_nor_session() {
    let key = SecretKey::generate();
    Scene::new().await.meet(&[Attack::OtherKey(key)]).await;
}

/// TLS is carried, the client is in, and then the line is cut and version 1 is offered instead.
#[tokio::test(flavor = "multi_thread")]
async fn who_carries_tls_and_then_cuts_gets_neither_password_nor_session() {
    let scene = Scene::new().await;
    for known in [Known::Fingerprint, Known::Pinned, Known::PinnedAndPlaintext] {
        let client = scene.client(known).await;
        scene.attacker.set(Attack::Listen);
        let mut peer = scene.start(&client);
        peer.ask(&client.command).await.unwrap();
        peer.event_with("login", SOON, is_login).await.unwrap();
        let in_session = format!("{known:?}, in session");
        scene.check_spoils(&Attack::Listen, &in_session);
        // The answer to the sign-in is the fifth record of the registry, after the handshake
        // and the welcome.
        let cut = Attack::Cut {
            from_client: MANY,
            from_registry: 4,
        };
        for attack in [cut, Attack::Version1] {
            let what = format!("{known:?}, {attack:?}");
            scene.attacker.set(attack.clone());
            let login = Command::login(client.name.parse().unwrap(), PASSWORD.parse().unwrap());
            peer.ask(&login).await.unwrap();
            scene.wait_for_attempts(&mut peer, &attack, &what).await;
            scene.check_spoils(&attack, &what);
        }
        scene.attacker.set(Attack::Listen);
        peer.event_with("login again", SOON, is_login)
            .await
            .unwrap();
        peer.kill().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_named_with_allow_plaintext_and_not_pinned_gets_no_tls() {
    let scene = Scene::new().await;
    let client = Client {
        way: scene.way().in_plaintext(),
        ..scene.client(Known::Fingerprint).await
    };
    let mut peer = scene.start(&client);
    peer.ask(&client.command).await.unwrap();
    let not_encrypted = |event: &Event| match event {
        Event::Security(Security::NotEncrypted) => Some(()),
        Event::View(snapshot) => (snapshot.view.security == Security::NotEncrypted).then_some(()),
        _ => None,
    };
    peer.event_with("that it is not encrypted", SOON, not_encrypted)
        .await
        .unwrap();
    peer.event_with("login", SOON, is_login).await.unwrap();
    // Once more after the line was cut, when a client that guesses would try something else.
    scene.attacker.set(Attack::Listen);
    peer.event_with("login again", SOON, is_login)
        .await
        .unwrap();
    let read = scene.attacker.read();
    assert!(!read.is_empty(), "no one came by");
    for connection in read {
        assert!(
            connection[0] < FIRST_BYTE,
            "it begins with {}",
            connection[0]
        );
    }
}
