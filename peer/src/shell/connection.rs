//! One connection that somebody else made: read, report, answer, close.

use std::io;
use std::time::Duration;

use p2pchat_model::PeerAddr;
use p2pchat_protocol::{Contact, ContactDecoder, ContactError, Message, MessageError};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::inbound::{Inbound, Report};
use super::net;
use crate::machine::Input;

/// How long a packet may take to arrive: a text, or a request or notify as a whole.
const PACKET_DEADLINE: Duration = Duration::from_secs(10);
/// How long nothing has to come for a chat_list to be at its end, as a requester keeps
/// the connection open.
const QUIET: Duration = Duration::from_millis(250);
/// How long a text waits for the machine's word. It never takes that long.
const TAKEN_LIMIT: Duration = Duration::from_secs(30);
/// How long the other side may take to close after this one did.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);

/// Why a connection was dropped.
#[derive(Debug, Error)]
pub(super) enum Dropped {
    #[error("the packet did not come in time")]
    Late,
    #[error("the connection broke: {0}")]
    Broken(#[from] io::Error),
    #[error(transparent)]
    Contact(#[from] ContactError),
    #[error(transparent)]
    Message(#[from] MessageError),
}

/// Takes a text. The sender learns by the way of closing whether it was taken, so until
/// it is, whatever ends this connection resets it.
pub(super) async fn text(
    mut stream: TcpStream,
    from: PeerAddr,
    inbound: &Inbound,
) -> Result<(), Dropped> {
    net::reset_on_close(&stream);
    let message = read_text(&mut stream).await?;
    let (taken, word) = oneshot::channel();
    let report = Report::Text {
        conn: inbound.conn_id(),
        from,
        message,
        taken,
    };
    // If nobody takes reports any more, the word does not come.
    let _ = inbound.reports.send(report).await;
    if let Ok(Ok(true)) = timeout(TAKEN_LIMIT, word).await {
        net::close_in_order(stream, CLOSE_PATIENCE).await;
    }
    Ok(())
}

/// Takes a chat request, and answers it; or a notify.
pub(super) async fn contact(
    mut stream: TcpStream,
    from: PeerAddr,
    inbound: &Inbound,
) -> Result<(), Dropped> {
    let contact = read_contact(&mut stream).await?;
    let conn = inbound.conn_id();
    if matches!(contact, Contact::Notify { .. }) {
        let input = Input::Contact {
            conn,
            from,
            contact,
        };
        let _ = inbound.reports.send(Report::Input(input)).await;
        net::close_in_order(stream, CLOSE_PATIENCE).await;
        return Ok(());
    }
    let (answer, word) = oneshot::channel();
    let report = Report::Request {
        conn,
        from,
        contact,
        answer,
    };
    let _ = inbound.reports.send(report).await;
    let answer = tokio::select! {
        word = timeout(inbound.answer_limit, word) => word.ok().and_then(Result::ok),
        () = broken(&mut stream) => None,
    };
    match answer {
        Some(answer) => {
            net::write(&mut stream, &answer.encode()).await?;
            net::close_in_order(stream, CLOSE_PATIENCE).await;
        }
        None => {
            let lost = Report::Input(Input::ContactLost { conn });
            let _ = inbound.reports.send(lost).await;
        }
    }
    Ok(())
}

/// Reads one text: exactly as many bytes as it has.
async fn read_text(stream: &mut (impl AsyncRead + Unpin)) -> Result<Message, Dropped> {
    let mut packet = [0; Message::LEN];
    timeout(PACKET_DEADLINE, stream.read_exact(&mut packet))
        .await
        .map_err(|_| Dropped::Late)??;
    Ok(Message::decode(&packet)?)
}

/// Reads one request or notify, up to where the stream ends or goes quiet.
async fn read_contact(stream: &mut (impl AsyncRead + Unpin)) -> Result<Contact, Dropped> {
    timeout(PACKET_DEADLINE, read_contact_patiently(stream))
        .await
        .map_err(|_| Dropped::Late)?
}

async fn read_contact_patiently(stream: &mut (impl AsyncRead + Unpin)) -> Result<Contact, Dropped> {
    let mut decoder = ContactDecoder::default();
    let mut buffer = [0; 2048];
    loop {
        let read = stream.read(&mut buffer);
        let bytes = match decoder.has_head() {
            true => match timeout(QUIET, read).await {
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
mod tests {
    use p2pchat_model::Username;
    use p2pchat_protocol::{ChatList, ChatText};
    use tokio::io::{AsyncWriteExt, duplex};
    use tokio::time::{Instant, sleep};

    use super::*;

    fn request(members: &[&str]) -> (Contact, Vec<u8>) {
        let contact = Contact::Request {
            from: Username::new("ann").unwrap(),
            members: members
                .iter()
                .map(|text| text.parse().unwrap())
                .collect::<ChatList>(),
        };
        let mut bytes = Vec::new();
        contact.encode(&mut bytes);
        (contact, bytes)
    }

    fn message() -> Message {
        let text = ChatText::new("hello").unwrap();
        Message::new(Username::new("ann").unwrap(), text)
    }

    #[tokio::test(start_paused = true)]
    async fn a_contact_list_may_come_in_any_segments() {
        let (contact, bytes) = request(&["127.0.0.2", "10.0.0.255"]);
        let (mut far, mut near) = duplex(64);
        let sender = tokio::spawn(async move {
            for byte in bytes {
                far.write_all(&[byte]).await.unwrap();
                sleep(QUIET / 2).await;
            }
            far
        });
        assert_eq!(read_contact(&mut near).await.unwrap(), contact);
        drop(sender.await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn a_contact_ends_where_the_stream_ends() {
        let (contact, bytes) = request(&["127.0.0.2"]);
        let (mut far, mut near) = duplex(64);
        far.write_all(&bytes).await.unwrap();
        drop(far);
        let began = Instant::now();
        assert_eq!(read_contact(&mut near).await.unwrap(), contact);
        assert_eq!(began.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_contact_that_drips_is_dropped_at_its_deadline() {
        let (_, bytes) = request(&["127.0.0.2"; 1]);
        let (mut far, mut near) = duplex(64);
        let dripping = tokio::spawn(async move {
            far.write_all(&bytes).await.unwrap();
            while far.write_all(b"\n").await.is_ok() {
                sleep(QUIET / 2).await;
            }
        });
        let began = Instant::now();
        assert!(matches!(read_contact(&mut near).await, Err(Dropped::Late)));
        assert_eq!(began.elapsed(), PACKET_DEADLINE);
        dripping.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_never_ends_is_dropped_at_its_deadline() {
        let (mut far, mut near) = duplex(64);
        far.write_all(&[0; 10]).await.unwrap();
        let began = Instant::now();
        assert!(matches!(read_contact(&mut near).await, Err(Dropped::Late)));
        assert_eq!(began.elapsed(), PACKET_DEADLINE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_text_may_come_in_any_segments_but_in_time() {
        let (mut far, mut near) = duplex(8);
        let sender = tokio::spawn(async move {
            for byte in message().encode() {
                far.write_all(&[byte]).await.unwrap();
            }
            far
        });
        assert_eq!(read_text(&mut near).await.unwrap(), message());

        let mut far = sender.await.unwrap();
        far.write_all(b"half a message").await.unwrap_err();
        let (mut far, mut near) = duplex(64);
        far.write_all(b"half a message").await.unwrap();
        let began = Instant::now();
        assert!(matches!(read_text(&mut near).await, Err(Dropped::Late)));
        assert_eq!(began.elapsed(), PACKET_DEADLINE);
    }

    #[tokio::test]
    async fn malformed_bytes_drop_the_connection() {
        let (mut far, mut near) = duplex(256);
        far.write_all(&[9; 26]).await.unwrap();
        assert!(matches!(
            read_contact(&mut near).await,
            Err(Dropped::Contact(_))
        ));

        let (mut far, mut near) = duplex(256);
        far.write_all(&[0xff; Message::LEN]).await.unwrap();
        assert!(matches!(
            read_text(&mut near).await,
            Err(Dropped::Message(_))
        ));
    }
}
