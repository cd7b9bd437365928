//! Handshakes with sides that are not as they should be. What each of the two sees is a line of a
//! table in `docs/protocol-2.md`; a client that is refused may believe for a moment that it is
//! connected.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod other;

use std::io;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;

use other::{Client, Key, Server, ServerName};
use p2pchat_protocol::v2::Fingerprint;
use p2pchat_secure::{Acceptor, Connector, Expected, HandshakeError, SecretKey, Secured};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::timeout;

const PROTOCOL: &[u8] = b"test/1";
/// The least that TLS gets through: rustls reads nothing while it has something to send, and both
/// sides send at once, a client 6 bytes that only older devices in between want
/// (`ChangeCipherSpec`). With less room than that for them, each waits for the other.
const SMALL: usize = 6;
const ROOM: usize = 16 * 1024;

type Handshake<S> = Result<Secured<S>, HandshakeError>;

/// Both sides are ours.
async fn handshake(
    server: &SecretKey,
    client: &SecretKey,
    expected: Expected,
    of_client: &'static [u8],
    room: usize,
) -> (Handshake<DuplexStream>, Handshake<DuplexStream>) {
    let (here, there) = duplex(room);
    let acceptor = Acceptor::new(server, PROTOCOL);
    let connector = Connector::new(client, of_client);
    tokio::join!(acceptor.accept(there), connector.connect(here, expected))
}

#[tokio::test]
async fn both_sides_know_each_others_keys() {
    let (server, client) = (SecretKey::generate(), SecretKey::generate());
    for (expected, room) in [
        (Expected::Any, SMALL),
        (Expected::Key(server.public()), SMALL + 1),
        (Expected::Fingerprint(fingerprint(&server)), ROOM),
    ] {
        let (accepted, connected) = handshake(&server, &client, expected, PROTOCOL, room).await;
        let (mut accepted, mut connected) = (accepted.unwrap(), connected.unwrap());
        assert_eq!(accepted.peer(), client.public());
        assert_eq!(connected.peer(), server.public());
        let send = async {
            connected.write_all(b"hello").await.unwrap();
            connected.shutdown().await.unwrap();
        };
        let mut read = String::new();
        let (_, received) = tokio::join!(send, accepted.read_to_string(&mut read));
        received.unwrap();
        assert_eq!(read, "hello");
    }
}

fn fingerprint(key: &SecretKey) -> Fingerprint {
    p2pchat_secure::fingerprint(&key.public())
}

#[tokio::test]
async fn a_server_with_another_key_gets_no_further() {
    let (server, client) = (SecretKey::generate(), SecretKey::generate());
    for expected in [
        Expected::Key(client.public()),
        Expected::Fingerprint(fingerprint(&client)),
    ] {
        let (accepted, connected) = handshake(&server, &client, expected, PROTOCOL, ROOM).await;
        refused(accepted, "AccessDenied");
        let Err(HandshakeError::OtherKey(seen)) = connected else {
            panic!("{connected:?}");
        };
        assert_eq!(seen, server.public());
    }
}

#[tokio::test]
async fn another_protocol_is_refused() {
    let (server, client) = (SecretKey::generate(), SecretKey::generate());
    let (accepted, connected) = handshake(&server, &client, Expected::Any, b"other/1", ROOM).await;
    refused(accepted, "protocol");
    refused(connected, "NoApplicationProtocol");
}

/// That a side is refused by TLS, for a reason with this word in it.
fn refused<S>(handshake: Handshake<S>, reason: &str) {
    match handshake {
        Err(HandshakeError::OtherProtocol(error)) => {
            let words = error.to_lowercase().replace(' ', "");
            assert!(words.contains(&reason.to_lowercase()), "{error}");
        }
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("not refused"),
    }
}

/// What our server makes of a client, and what the client reads first, if it gets there.
async fn serve(client: Client) -> (Handshake<DuplexStream>, io::Result<Vec<u8>>) {
    let (here, there) = duplex(ROOM);
    let acceptor = Acceptor::new(&SecretKey::generate(), PROTOCOL);
    let accept = async {
        let mut accepted = acceptor.accept(there).await;
        if let Ok(stream) = &mut accepted {
            stream.write_all(b"welcome").await.unwrap();
            stream.shutdown().await.unwrap();
        }
        accepted
    };
    tokio::join!(accept, client.read(here))
}

fn alert(read: io::Result<Vec<u8>>, alert: &str) {
    let error = read.expect_err("nothing can be read").to_string();
    assert!(error.contains(alert), "{error}");
}

#[tokio::test]
async fn a_client_of_another_implementation_is_served() {
    let (accepted, read) = serve(Client::new(Key::Raw)).await;
    accepted.unwrap();
    assert_eq!(read.unwrap(), b"welcome");
}

#[tokio::test]
async fn a_client_without_a_key_is_refused() {
    for (key, reason, seen) in [
        (
            Key::None,
            "IncorrectCertificateTypeExtension",
            "HandshakeFailure",
        ),
        (
            Key::X509,
            "IncorrectCertificateTypeExtension",
            "HandshakeFailure",
        ),
        (Key::Nothing, "no certificate", "CertificateRequired"),
        (Key::P256, "no certificate", "CertificateRequired"),
    ] {
        let (accepted, read) = serve(Client::new(key)).await;
        refused(accepted, &reason.replace(' ', ""));
        alert(read, seen);
    }
}

#[tokio::test]
async fn a_client_that_shows_a_key_that_is_not_its_own_is_refused() {
    let (accepted, read) = serve(Client::new(Key::Stolen)).await;
    refused(accepted, "BadSignature");
    alert(read, "DecryptError");
    let (accepted, read) = serve(Client::new(Key::ShownP256)).await;
    refused(accepted, "BadEncoding");
    alert(read, "BadCertificate");
    let (accepted, read) = serve(Client::new(Key::Two)).await;
    refused(accepted, "BadEncoding");
    alert(read, "BadCertificate");
}

/// TLS lets it through: only our own look at the protocol refuses it.
#[tokio::test]
async fn a_side_that_names_no_protocol_is_refused() {
    let (accepted, read) = serve(Client::new(Key::Raw).without_protocol()).await;
    refused(accepted, "name");
    read.expect_err("it gets nothing");
    let connected = connect(Server::new(Key::Raw).without_protocol(), Expected::Any).await;
    refused(connected, "name");
}

/// What our client makes of a server.
async fn connect(server: Server, expected: Expected) -> Handshake<DuplexStream> {
    let (here, there) = duplex(ROOM);
    let connector = Connector::new(&SecretKey::generate(), PROTOCOL);
    tokio::select! {
        biased;
        connected = connector.connect(here, expected) => connected,
        () = server.accept(there) => unreachable!("it waits for more"),
    }
}

#[tokio::test]
async fn a_server_without_the_key_that_it_shows_is_refused() {
    connect(Server::new(Key::Raw), Expected::Any).await.unwrap();
    for (key, reason) in [
        (Key::Stolen, "BadSignature"),
        (Key::ShownP256, "BadEncoding"),
        (Key::Two, "BadEncoding"),
        (Key::P256, "HandshakeFailure"),
        (Key::X509, "HandshakeFailure"),
    ] {
        refused(connect(Server::new(key), Expected::Any).await, reason);
    }
}

/// Who resumes is not looked at again.
#[tokio::test]
async fn nothing_is_resumed() {
    let acceptor = Acceptor::new(&SecretKey::generate(), PROTOCOL);
    let client = Client::new(Key::Raw);
    for _ in 0..2 {
        let (here, there) = duplex(ROOM);
        let accept = async {
            let mut stream = acceptor.accept(there).await.unwrap();
            stream.shutdown().await.unwrap();
        };
        let (_, is_full) = tokio::join!(accept, client.is_full(here));
        assert!(is_full);
    }
}

/// Nor is it told to listeners who is called.
#[tokio::test]
async fn a_client_sends_no_name_of_the_server_and_one_protocol() {
    let (here, there) = duplex(ROOM);
    let connector = Connector::new(&SecretKey::generate(), PROTOCOL);
    let (_, hello) = tokio::join!(
        connector.connect(here, Expected::Any),
        ServerName::of_hello(there)
    );
    assert_eq!(hello.name, None);
    assert_eq!(hello.protocols, [PROTOCOL]);
}

/// The answer of a registry that speaks version 1 alone to what it takes for a bad request, and a
/// few others.
#[tokio::test]
async fn an_answer_in_plain_text_is_called_so() {
    let refusal = [&[22, 48][..], b"badrequest\0\0\0\0\0", &[15]].concat();
    for answer in [
        &refusal[..],
        &[5, 0, 0, 0, 15],
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
    ] {
        let (here, mut there) = duplex(ROOM);
        there.write_all(answer).await.unwrap();
        let connector = Connector::new(&SecretKey::generate(), PROTOCOL);
        let connected = connector.connect(here, Expected::Any).await;
        let is_called_so = matches!(connected, Err(HandshakeError::NotEncrypted));
        assert!(is_called_so, "{connected:?}");
    }
}

/// What a client sent first, and what our server makes of it and answers.
async fn answer(sent: &[u8]) -> (HandshakeError, Vec<u8>) {
    let (mut here, there) = duplex(ROOM);
    here.write_all(sent).await.unwrap();
    let acceptor = Acceptor::new(&SecretKey::generate(), PROTOCOL);
    let error = acceptor.accept(there).await.unwrap_err();
    let mut answer = Vec::new();
    here.read_to_end(&mut answer).await.unwrap();
    (error, answer)
}

#[tokio::test]
async fn what_is_no_hello_of_tls_1_3_is_answered_with_an_alert() {
    let garbage = [&[22][..], &[0xff; 40]].concat();
    let (error, alert) = answer(&garbage).await;
    assert!(matches!(error, HandshakeError::NotEncrypted), "{error:?}");
    assert_eq!((alert[0], alert.len()), (21, 7));
    // TLS 1.2: the version, a random number, no session, one cipher, no compression.
    let hello = [&[3, 3][..], &[7; 32], &[0, 0, 2, 0xc0, 0x2b, 1, 0]].concat();
    let length = u8::try_from(hello.len()).unwrap();
    let hello = [&[22, 3, 1, 0, length + 4, 1, 0, 0, length][..], &hello].concat();
    let (error, alert) = answer(&hello).await;
    assert!(
        matches!(error, HandshakeError::OtherProtocol(_)),
        "{error:?}"
    );
    assert_eq!(alert[0], 21);
}

#[tokio::test]
async fn silence_is_for_the_caller_to_end_and_a_cut_ends_at_once() {
    let acceptor = Acceptor::new(&SecretKey::generate(), PROTOCOL);
    let connector = Connector::new(&SecretKey::generate(), PROTOCOL);
    // Everything that can be done by then is done.
    let wait = Duration::ZERO;
    let (mut here, there) = duplex(ROOM);
    here.write_all(&[22, 3, 1]).await.unwrap();
    assert!(timeout(wait, acceptor.accept(there)).await.is_err());
    let (here, _there) = duplex(ROOM);
    let connect = connector.connect(here, Expected::Any);
    assert!(timeout(wait, connect).await.is_err());

    let (mut here, there) = duplex(ROOM);
    here.write_all(&[22, 3, 1]).await.unwrap();
    drop(here);
    let accepted = acceptor.accept(there).await;
    assert!(
        matches!(accepted, Err(HandshakeError::Io(_))),
        "{accepted:?}"
    );
    let (here, there) = duplex(ROOM);
    drop(there);
    let connected = connector.connect(here, Expected::Any).await;
    assert!(
        matches!(connected, Err(HandshakeError::Io(_))),
        "{connected:?}"
    );
}

/// A cut connection is not the end of what the other side sends.
#[tokio::test]
async fn a_cut_is_told_from_an_end() {
    let (server, client) = (SecretKey::generate(), SecretKey::generate());
    let (accepted, connected) = handshake(&server, &client, Expected::Any, PROTOCOL, ROOM).await;
    drop(connected.unwrap());
    let read = accepted.unwrap().read(&mut [0; 8]).await;
    assert_eq!(read.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
}

/// The client of OpenSSL, where there is one: it knows certificates alone.
#[tokio::test]
async fn openssl_is_refused() {
    if Command::new("openssl").arg("version").output().is_err() {
        eprintln!("no openssl: not tried");
        return;
    }
    for (options, reason) in [
        (&["-tls1_3"][..], "IncorrectCertificateTypeExtension"),
        (&["-tls1_2"], "SupportedVersions"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut client = Command::new("openssl")
            .args(["s_client", "-alpn", "test/1", "-connect", &address])
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        listener.set_nonblocking(true).unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let acceptor = Acceptor::new(&SecretKey::generate(), PROTOCOL);
        refused(acceptor.accept(stream).await, reason);
        assert!(!client.wait().unwrap().success());
    }
}
