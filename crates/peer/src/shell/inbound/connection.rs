//! One connection that somebody else made: read, report, answer, close.

use std::io;
use std::time::Duration;

use p2pchat_model::DropReason;
use p2pchat_protocol::{Contact, ContactDecoder, ContactError, Message, MessageError};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::super::net;
use super::{Line, Report, Stage};
use crate::machine::Input;

/// How long things may take to arrive.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// A packet: a text, or a request or notify as a whole. Longer than senders wait for a
    /// sign of its being taken: it is theirs to give up, as they tell their user.
    packet: Duration,
    /// How long nothing has to come for a chat_list to be at its end, as a requester
    /// keeps the connection open.
    quiet: Duration,
}

const PACE: Pace = Pace {
    packet: Duration::from_secs(40),
    quiet: Duration::from_millis(250),
};
/// How long a text waits for the machine's word. It never takes that long.
const TAKEN_LIMIT: Duration = Duration::from_secs(30);
/// How long the other side may take to close after this one did.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);

/// Why a connection was dropped.
#[derive(Debug, Error)]
pub(in super::super) enum Dropped {
    #[error("the packet did not come in time")]
    Late,
    #[error("the connection broke: {0}")]
    Broken(#[from] io::Error),
    #[error(transparent)]
    Contact(#[from] ContactError),
    #[error(transparent)]
    Message(#[from] MessageError),
}

impl Dropped {
    /// The same for the user.
    pub(super) fn why(&self) -> DropReason {
        match self {
            Self::Late | Self::Broken(_) => DropReason::Silent,
            Self::Contact(ContactError::Short(_)) => DropReason::Silent,
            Self::Contact(_) | Self::Message(_) => DropReason::Malformed,
        }
    }
}

/// Takes a text. The sender learns by the way of closing whether it was taken, so until
/// it is, whatever ends this connection resets it.
pub(super) async fn text(mut stream: TcpStream, mut line: Line) -> Result<(), Dropped> {
    net::reset_on_close(&stream);
    let message = read_text(&mut stream, PACE).await?;
    line.turn().await;
    // What was read before a reset can still be read after it, but its sender has heard
    // that it did not arrive, and may send it again.
    if let Some(error) = stream.take_error()? {
        return Err(error.into());
    }
    let (taken, word) = oneshot::channel();
    line.tell(Report::Text {
        conn: line.inbound.conn_id(),
        from: line.from,
        message,
        taken,
    })
    .await;
    let word = timeout(TAKEN_LIMIT, word).await;
    line.progress.set(Stage::Done);
    if let Ok(Ok(())) = word {
        net::close_in_order(stream, CLOSE_PATIENCE).await;
    }
    Ok(())
}

/// Takes a chat request, and answers it; or a notify.
pub(super) async fn contact(mut stream: TcpStream, mut line: Line) -> Result<(), Dropped> {
    let contact = read_contact(&mut stream, PACE).await?;
    line.turn().await;
    let (from, conn) = (line.from, line.inbound.conn_id());
    if matches!(contact, Contact::Notify { .. }) {
        let input = Input::Contact {
            conn,
            from,
            contact,
        };
        line.tell(Report::Input(input)).await;
        line.progress.set(Stage::Done);
        net::close_in_order(stream, CLOSE_PATIENCE).await;
        return Ok(());
    }
    let (answer, word) = oneshot::channel();
    line.tell(Report::Request {
        conn,
        from,
        contact,
        answer,
    })
    .await;
    let answer = tokio::select! {
        word = timeout(line.inbound.answer_limit, word) => word.ok().and_then(Result::ok),
        () = broken(&mut stream) => None,
    };
    match answer {
        Some(answer) => {
            net::write(&mut stream, &answer.encode()).await?;
            line.progress.set(Stage::Done);
            net::close_in_order(stream, CLOSE_PATIENCE).await;
        }
        None => {
            line.tell(Report::Input(Input::ContactLost { conn })).await;
        }
    }
    Ok(())
}

/// Reads one text: exactly as many bytes as it has.
async fn read_text(stream: &mut (impl AsyncRead + Unpin), pace: Pace) -> Result<Message, Dropped> {
    let mut packet = [0; Message::LEN];
    timeout(pace.packet, stream.read_exact(&mut packet))
        .await
        .map_err(|_| Dropped::Late)??;
    Ok(Message::decode(&packet)?)
}

/// Reads one request or notify, up to where the stream ends or goes quiet.
async fn read_contact(
    stream: &mut (impl AsyncRead + Unpin),
    pace: Pace,
) -> Result<Contact, Dropped> {
    timeout(pace.packet, read_contact_patiently(stream, pace.quiet))
        .await
        .map_err(|_| Dropped::Late)?
}

async fn read_contact_patiently(
    stream: &mut (impl AsyncRead + Unpin),
    quiet: Duration,
) -> Result<Contact, Dropped> {
    let mut decoder = ContactDecoder::default();
    let mut buffer = [0; 2048];
    loop {
        let read = stream.read(&mut buffer);
        let bytes = match decoder.has_head() {
            true => match timeout(quiet, read).await {
                Ok(bytes) => bytes?,
                Err(_) => 0,
            },
            false => read.await?,
        };
        if bytes == 0 {
            return Ok(decoder.finish()?);
        }
        decoder.push(&buffer[..bytes])?;
    }
}

/// Ends when the connection breaks. The other side may close its half, which is no
/// break, and what it still sends does not matter.
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
