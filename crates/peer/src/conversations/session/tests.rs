//! Sessions over a connection in memory, by a clock that goes on when nothing else does.

use std::time::Duration;

use p2pchat_protocol::v2::conversation::talk::{Header, TalkEntry};
use p2pchat_protocol::v2::conversation::{Clock, ConversationId, EntryId};
use p2pchat_protocol::v2::peer::{ALPN, MAX_PIECE, Want};
use p2pchat_protocol::v2::{Certificate, Signature};
use p2pchat_secure::{Acceptor, Connector, Expected, Identity};
use tokio::io::{AsyncReadExt, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::outbound::{MAX_QUEUED, MAX_UNREAD};
use super::*;

type Pipe = Secured<DuplexStream>;

const OF: ConversationId = ConversationId([7; 32]);

/// Two ends of an encrypted connection that holds some bytes.
async fn pipes(identities: [&Identity; 2], holds: usize) -> [Pipe; 2] {
    let (one, other) = duplex(holds);
    let [client, server] = identities;
    let expected = Expected::Key(server.device().public());
    let connector = Connector::new(client.device(), ALPN);
    let acceptor = Acceptor::new(server.device(), ALPN);
    let (client, server) = tokio::join!(connector.connect(one, expected), acceptor.accept(other));
    [client.unwrap(), server.unwrap()]
}

fn hello(identity: &Identity) -> Hello {
    Hello {
        certificate: identity.certificate(),
        time: 1,
    }
}

/// A session, and what a node has of it.
struct Session {
    outbound: Outbound,
    inputs: mpsc::Receiver<Inbound>,
    ended: JoinHandle<SessionError>,
}

impl Session {
    async fn new(pipe: Pipe, identity: &Identity) -> Self {
        let (line, _) = meet(pipe, hello(identity)).await.unwrap();
        let outbound = Outbound::default();
        let (tell, inputs) = mpsc::channel(1);
        let of_task = outbound.clone();
        let run = async move { line.run(SessionId(1), &of_task, &tell).await };
        Self {
            outbound,
            inputs,
            ended: tokio::spawn(run),
        }
    }

    fn send(&self, what: What) {
        self.outbound.send(&about(what)).unwrap();
    }

    /// Deals with the next frame that comes: answers wants by pieces. Tells which it was.
    async fn serve(&mut self) -> Option<What> {
        let inbound = self.inputs.recv().await?;
        let what = match inbound.what {
            Told::Frame {
                frame: ToPeer::About(About { what, .. }),
                ..
            } => what,
            Told::Talk(mut talk) => talk.pop().unwrap().what,
            _ => panic!("neither a second hello nor what nobody stores comes"),
        };
        if matches!(what, What::Want(_)) {
            self.send(piece());
        }
        drop(inbound.done);
        Some(what)
    }
}

fn about(what: What) -> ToPeer {
    let conversation = OF;
    ToPeer::About(About { conversation, what })
}

/// As much as answers one want.
fn piece() -> What {
    let body_len = u32::try_from(MAX_PIECE / 3).unwrap();
    let body = vec![9; MAX_PIECE / 3].into_boxed_slice();
    let join = EntryId([1; 32]);
    let header = Header {
        conversation: OF,
        join,
        position: 0,
        previous: EntryId([0; 32]),
        clock: Clock::from_millis(1),
        kind: 1,
        body_len,
        body_hash: sha256(&body),
    };
    let entry = TalkEntry {
        id: header.id(sha256),
        header,
        signature: Signature([0; 64]),
        body: Some(body),
    };
    let next = |at: &TalkEntry| {
        let mut entry = at.clone();
        entry.header.position += 1;
        entry.header.previous = at.id;
        entry.id = entry.header.id(sha256);
        entry
    };
    let second = next(&entry);
    let stretch = vec![entry, second];
    What::Talk { join, stretch }
}

fn bytes(frame: &ToPeer) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame.encode(&mut bytes);
    bytes
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_is_not_read_from_and_gets_all_when_they_do() {
    let (one, other) = (Identity::ephemeral(), Identity::ephemeral());
    let [pipe, attacker] = pipes([&one, &other], 64 * 1024).await;
    let (session, met) = tokio::join!(Session::new(pipe, &one), meet(attacker, hello(&other)));
    let (mut session, (mut attacker, _)) = (session, met.unwrap());

    let wants = 4 * MAX_WAITING;
    let mut served = 0;
    let want = bytes(&about(What::Want(Want::Newest)));
    let write = async {
        for _ in 0..wants {
            attacker.writer.stream.write_all(&want).await.unwrap();
        }
        attacker.writer.stream.flush().await.unwrap();
    };
    let serve = async {
        // Nothing happens for as long as this only when all wait.
        while timeout(Duration::from_secs(5), session.serve())
            .await
            .is_ok()
        {
            served += 1;
        }
    };
    tokio::join!(write, serve);
    let queued = session.outbound.queued();
    assert!(queued <= MAX_UNREAD + 2 * MAX_PIECE, "{queued} bytes wait");
    assert!(served < MAX_WAITING, "{served} wants were looked at");

    let mut came = 0;
    let read = async {
        while came < wants {
            let frame = attacker.reader.next(MAX_TO_PEER).await.unwrap();
            let (read, _) = decode(&frame).unwrap().unwrap();
            came += usize::from(matches!(read, ToPeer::About(_)));
        }
    };
    let serve = async {
        while served < wants {
            session.serve().await.unwrap();
            served += 1;
        }
    };
    tokio::join!(read, serve);
    assert!(!session.ended.is_finished());
}

#[tokio::test(start_paused = true)]
async fn two_who_ask_for_as_much_as_they_may_do_not_wait_for_each_other() {
    let (one, other) = (Identity::ephemeral(), Identity::ephemeral());
    let [pipe, end] = pipes([&one, &other], 1024).await;
    let (mut one, mut other) = tokio::join!(Session::new(pipe, &one), Session::new(end, &other));
    for session in [&one, &other] {
        for _ in 0..MAX_OPEN {
            session.send(What::Want(Want::Newest));
        }
    }
    let mut left = [MAX_OPEN; 2];
    let begun = Instant::now();
    while left != [0, 0] {
        let (at, what) = tokio::select! {
            what = one.serve() => (0, what.unwrap()),
            what = other.serve() => (1, what.unwrap()),
        };
        left[at] -= usize::from(matches!(what, What::Talk { .. }));
    }
    assert!(begun.elapsed() < PING_INTERVAL, "nobody had to wait");
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_pinged_and_then_gone() {
    let (one, other) = (Identity::ephemeral(), Identity::ephemeral());
    let [pipe, silent] = pipes([&one, &other], 64 * 1024).await;
    let (session, met) = tokio::join!(Session::new(pipe, &one), meet(silent, hello(&other)));
    let (session, (mut silent, _)) = (session, met.unwrap());
    let begun = Instant::now();
    for pings in 1..3 {
        let frame = silent.reader.next(MAX_TO_PEER).await.unwrap();
        assert_eq!(decode(&frame).unwrap(), Some((ToPeer::Ping, 0)));
        assert_eq!(begun.elapsed().as_secs(), pings * PING_INTERVAL.as_secs());
    }
    let ended = session.ended.await.unwrap();
    assert!(matches!(ended, SessionError::Silent), "{ended}");
    assert_eq!(begun.elapsed().as_secs(), SILENCE.as_secs());
}

#[tokio::test(start_paused = true)]
async fn two_who_say_nothing_keep_their_session() {
    let (one, other) = (Identity::ephemeral(), Identity::ephemeral());
    let [pipe, end] = pipes([&one, &other], 64 * 1024).await;
    let (one, mut other) = tokio::join!(Session::new(pipe, &one), Session::new(end, &other));
    tokio::time::sleep(10 * SILENCE).await;
    one.send(What::Done);
    assert_eq!(other.serve().await, Some(What::Done));
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_owed_too_much_takes_no_more() {
    let outbound = Outbound::default();
    let mut frames = 0;
    while outbound.send(&about(piece())).is_ok() {
        frames += 1;
        assert!(frames <= MAX_QUEUED / (MAX_PIECE / 3), "there is a bound");
    }
    assert!(outbound.queued() > MAX_QUEUED);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_closed_says_bye_and_sends_nothing_that_waited() {
    let (one, other) = (Identity::ephemeral(), Identity::ephemeral());
    let [pipe, reader] = pipes([&one, &other], 64 * 1024).await;
    let (session, met) = tokio::join!(Session::new(pipe, &one), meet(reader, hello(&other)));
    let (mut reader, _) = met.unwrap();
    session.send(What::Done);
    session.outbound.close(Bye::TooMany);
    session.send(What::Done);
    let frame = reader.reader.next(MAX_TO_PEER).await.unwrap();
    let bye = ToPeer::Bye(Bye::TooMany);
    assert_eq!(decode(&frame).unwrap(), Some((bye, 0)));
    assert!(matches!(session.ended.await, Ok(SessionError::Closed)));
}

#[tokio::test(start_paused = true)]
async fn a_session_whose_other_side_does_not_read_ends_when_it_is_closed() {
    let (one, other) = (Identity::ephemeral(), Identity::ephemeral());
    let [pipe, silent] = pipes([&one, &other], 1024).await;
    let (session, met) = tokio::join!(Session::new(pipe, &one), meet(silent, hello(&other)));
    let _silent = met.unwrap();
    session.send(piece());
    // Until the writer waits for the other side.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(session.outbound.queued(), 0, "it is being written");
    let begun = Instant::now();
    session.outbound.close(Bye::Leaving);
    assert!(matches!(session.ended.await, Ok(SessionError::Closed)));
    assert!(begun.elapsed() <= GOODBYE);
}

#[tokio::test(start_paused = true)]
async fn a_hello_has_to_be_of_the_key_of_the_connection() {
    let (one, other) = (Identity::ephemeral(), Identity::ephemeral());
    let stranger = Identity::ephemeral().certificate();
    let forged = Certificate {
        person: stranger.person,
        ..other.certificate()
    };
    for certificate in [stranger, one.certificate(), forged] {
        let [pipe, mut liar] = pipes([&one, &other], 64 * 1024).await;
        let lie = Hello {
            certificate,
            time: 1,
        };
        let lies = async {
            liar.write_all(&bytes(&ToPeer::Hello(lie))).await.unwrap();
            liar.flush().await.unwrap();
            let mut heard = Vec::new();
            liar.read_to_end(&mut heard).await.unwrap();
            heard
        };
        let (met, heard) = tokio::join!(meet(pipe, hello(&one)), lies);
        assert!(matches!(met, Err(SessionError::Certificate)));
        assert!(heard.ends_with(&bytes(&ToPeer::Bye(Bye::Malformed))));
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_frame_is_a_hello_and_short() {
    let (one, other) = (Identity::ephemeral(), Identity::ephemeral());
    let long = [&[0, 0, 4, 1, 1][..], &[0; 1025]].concat();
    for first in [bytes(&ToPeer::Ping), bytes(&about(What::Done)), long] {
        let [pipe, mut liar] = pipes([&one, &other], 64 * 1024).await;
        let lies = async {
            liar.write_all(&first).await.unwrap();
            liar.flush().await.unwrap();
        };
        let (met, ()) = tokio::join!(meet(pipe, hello(&one)), lies);
        assert!(matches!(met, Err(SessionError::Malformed)));
    }
}
