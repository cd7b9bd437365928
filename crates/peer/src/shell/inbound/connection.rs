//! One inbound connection: read a packet, report it, answer, close.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use p2pchat_model::{DropReason, PeerAddr};
use p2pchat_protocol::v2::FIRST_BYTE;
use p2pchat_protocol::{ChatAnswer, Contact, ContactDecoder, ContactError, Message, MessageError};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};

use super::open::{Progress, Stage, Turn};
use super::packet_rate::PacketRate;
use crate::conversations::Incoming;
use crate::machine::{ConnId, Input};
use crate::shell::net;

/// Deadlines of what arrives.
#[derive(Debug, Clone, Copy)]
struct Deadlines {
    /// For a packet: a text, or a whole request or notify. Longer than senders wait for a
    /// sign that it was taken: it is theirs to give up, since they tell their user.
    packet: Duration,
    /// The silence that ends a packet of no more bytes than a segment has, since a requester
    /// keeps the connection open: it came in one, and no part of it can be late.
    quiet: Duration,
    /// The silence that ends a longer one. A lost segment is sent again after 200 ms, after
    /// 400 ms more if that is lost too, and so on.
    long_quiet: Duration,
}

const DEADLINES: Deadlines = Deadlines {
    packet: Duration::from_secs(40),
    quiet: Duration::from_millis(250),
    long_quiet: Duration::from_secs(2),
};
/// How long a text waits for the machine's decision. It never takes that long.
const TAKEN_LIMIT: Duration = Duration::from_secs(30);
/// How long the other side may take to close after this one did.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);

/// A report of a connection's task to the driver.
#[derive(Debug)]
pub(crate) enum Report {
    /// An input of the machine, passed on as it is.
    Input(Input),
    /// A chat request, and where its answer goes.
    Request {
        conn: ConnId,
        from: PeerAddr,
        contact: Contact,
        answer: oneshot::Sender<ChatAnswer>,
    },
    /// A text, and where to acknowledge it; dropped if it is not taken.
    Text {
        conn: ConnId,
        from: PeerAddr,
        message: Message,
        taken: oneshot::Sender<()>,
    },
}

/// Why a connection was dropped.
#[derive(Debug, Error)]
pub(super) enum ConnectionError {
    #[error("the packet did not come in time")]
    Late,
    #[error("the connection broke: {0}")]
    Broken(#[from] io::Error),
    #[error("the connection broke after a whole packet: {0}")]
    Withdrawn(io::Error),
    #[error(transparent)]
    Contact(#[from] ContactError),
    #[error(transparent)]
    Message(#[from] MessageError),
}

impl ConnectionError {
    /// The reason as the user is told it. `None` for a request whose sender withdrew it.
    pub(super) fn drop_reason(&self) -> Option<DropReason> {
        match self {
            Self::Withdrawn(_) => None,
            Self::Late | Self::Broken(_) => Some(DropReason::Silent),
            Self::Contact(ContactError::Short(_)) => Some(DropReason::Silent),
            Self::Contact(_) | Self::Message(_) => Some(DropReason::Malformed),
        }
    }
}

/// An inbound connection, as its task knows it.
#[derive(Debug)]
pub(super) struct InboundConnection {
    pub(super) id: ConnId,
    /// The address that it comes from.
    pub(super) from: PeerAddr,
    /// How far it is, for the choice of the one that is evicted.
    pub(super) progress: Progress,
    /// Its turn among those of its address, until its packet has been reported.
    pub(super) turn: Option<Turn>,
    /// The rate limit of its listener.
    pub(super) rate: Arc<Mutex<PacketRate>>,
    pub(super) reports: mpsc::Sender<Report>,
    /// How long a chat request may wait for its answer.
    pub(super) answer_limit: Duration,
}

impl InboundConnection {
    /// Waits for the turn of a packet that has arrived: after those that its address sent
    /// earlier, and no faster than an address may send.
    async fn wait_for_turn(&mut self) {
        if let Some(turn) = &mut self.turn {
            turn.wait_for_earlier_from_same_address().await;
        }
        let wait = {
            let mut rate = self.rate.lock().unwrap_or_else(PoisonError::into_inner);
            rate.wait(self.from.ip(), Instant::now())
        };
        if !wait.is_zero() {
            sleep(wait).await;
        }
        self.progress.set(Stage::Pending);
    }

    /// Reports the packet. Fails silently if the driver has ended, and then so does this task.
    async fn report(&mut self, report: Report) {
        let _ = self.reports.send(report).await;
        self.turn = None;
    }
}

/// Takes a text. The sender learns from how the connection is closed whether it was taken, so
/// until it is, whatever ends this connection resets it.
pub(super) async fn text(
    mut stream: TcpStream,
    mut connection: InboundConnection,
) -> Result<(), ConnectionError> {
    net::reset_on_close(&stream);
    let message = read_text(&mut stream, DEADLINES).await?;
    connection.wait_for_turn().await;
    // What was read before a reset can still be read after it, but its sender knows that it
    // did not arrive, and may send it again.
    if let Some(error) = stream.take_error()? {
        return Err(error.into());
    }
    let (taken, decision) = oneshot::channel();
    let report = Report::Text {
        conn: connection.id,
        from: connection.from,
        message,
        taken,
    };
    connection.report(report).await;
    let decision = timeout(TAKEN_LIMIT, decision).await;
    connection.progress.set(Stage::Closing);
    if let Ok(Ok(())) = decision {
        net::close_in_order(stream, CLOSE_PATIENCE).await;
    }
    Ok(())
}

/// Takes a chat request, and answers it; or a notify. A connection of version 2 is handed over, if
/// there is who takes it.
pub(super) async fn contact(
    mut stream: TcpStream,
    mut connection: InboundConnection,
    incoming: Option<&Incoming>,
) -> Result<(), ConnectionError> {
    let mut deadlines = DEADLINES;
    if let Some(incoming) = incoming {
        let begun = Instant::now();
        if peek(&stream, deadlines).await? == Some(FIRST_BYTE) {
            incoming.accept(stream);
            return Ok(());
        }
        deadlines.packet = deadlines.packet.saturating_sub(begun.elapsed());
    }
    let contact = read_contact(&mut stream, deadlines).await?;
    connection.wait_for_turn().await;
    let (from, conn) = (connection.from, connection.id);
    if matches!(contact, Contact::Notify { .. }) {
        let input = Input::Contact {
            conn,
            from,
            contact,
        };
        connection.report(Report::Input(input)).await;
        connection.progress.set(Stage::Closing);
        net::close_in_order(stream, CLOSE_PATIENCE).await;
        return Ok(());
    }
    let (answer, answered) = oneshot::channel();
    let report = Report::Request {
        conn,
        from,
        contact,
        answer,
    };
    connection.report(report).await;
    let answer = tokio::select! {
        answer = timeout(connection.answer_limit, answered) => answer.ok().and_then(Result::ok),
        () = broken(&mut stream) => None,
    };
    match answer {
        Some(answer) => {
            let written = net::write(&mut stream, &answer.encode()).await;
            written.map_err(ConnectionError::Withdrawn)?;
            connection.progress.set(Stage::Closing);
            net::close_in_order(stream, CLOSE_PATIENCE).await;
        }
        None => {
            let lost = Input::ContactLost { conn };
            connection.report(Report::Input(lost)).await;
        }
    }
    Ok(())
}

/// Waits for the first byte, which stays where it is. `None` if there will be none.
async fn peek(stream: &TcpStream, deadlines: Deadlines) -> Result<Option<u8>, ConnectionError> {
    let mut first = [0];
    let peeked = timeout(deadlines.packet, stream.peek(&mut first)).await;
    let bytes = peeked.map_err(|_| ConnectionError::Late)??;
    Ok((bytes > 0).then_some(first[0]))
}

/// Reads one text: exactly as many bytes as it has.
async fn read_text(
    stream: &mut (impl AsyncRead + Unpin),
    deadlines: Deadlines,
) -> Result<Message, ConnectionError> {
    let mut packet = [0; Message::LEN];
    timeout(deadlines.packet, stream.read_exact(&mut packet))
        .await
        .map_err(|_| ConnectionError::Late)??;
    Ok(Message::decode(&packet)?)
}

/// Reads one request or notify, up to where the stream ends or goes quiet.
async fn read_contact(
    stream: &mut (impl AsyncRead + Unpin),
    deadlines: Deadlines,
) -> Result<Contact, ConnectionError> {
    let contact = read_contact_until_quiet(stream, deadlines);
    timeout(deadlines.packet, contact)
        .await
        .map_err(|_| ConnectionError::Late)?
}

async fn read_contact_until_quiet(
    stream: &mut (impl AsyncRead + Unpin),
    deadlines: Deadlines,
) -> Result<Contact, ConnectionError> {
    let mut decoder = ContactDecoder::default();
    let mut buffer = [0; 2048];
    loop {
        let read = stream.read(&mut buffer);
        let bytes = match decoder.may_end() {
            Some(bytes) => {
                let is_short = bytes <= net::SMALLEST_SEGMENT;
                let quiet = if is_short {
                    deadlines.quiet
                } else {
                    deadlines.long_quiet
                };
                let read = timeout(quiet, read).await.unwrap_or(Ok(0));
                read.map_err(ConnectionError::Withdrawn)?
            }
            None => read.await?,
        };
        if bytes == 0 {
            return Ok(decoder.finish()?);
        }
        decoder.push(&buffer[..bytes])?;
    }
}

/// Ends when the connection breaks. The other side may close its half, which does not break
/// the connection, and what it still sends does not matter.
async fn broken(stream: &mut (impl AsyncRead + Unpin)) {
    let mut buffer = [0; 512];
    loop {
        match stream.read(&mut buffer).await {
            Ok(0) => std::future::pending().await,
            Ok(_) => {}
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests;
