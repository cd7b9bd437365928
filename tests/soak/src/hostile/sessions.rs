//! Sessions that are broken, or never begin.

use anyhow::{Result, ensure};
use p2pchat_protocol::v2::peer::{Bye, MAX_FIRST, MAX_TO_PEER, ToPeer};
use p2pchat_testkit::Device;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::attacks::Ground;
use super::line::Line;
use super::member::forged;

/// How many connections are left open at each, half a frame sent or none.
const OPEN: usize = 24;

fn head(length: usize, kind: u8) -> Vec<u8> {
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    let mut head = length.to_be_bytes().to_vec();
    head.push(kind);
    head
}

pub(super) async fn frames(ground: &mut Ground) -> Result<()> {
    let device = &ground.device;
    let mut open = Vec::new();
    for target in ground.targets {
        let mut line = Line::connect(device, target.at).await?;
        line.write(&head(MAX_FIRST + 1, 1)).await?;
        is_ended(line).await?;
        let malformed = [head(1, 24), vec![0xff]].concat();
        let huge = [MAX_TO_PEER + 1, usize::MAX].map(|length| head(length, 17));
        for bytes in huge.into_iter().chain([malformed, head(0, 99)]) {
            let mut line = Line::meet(device, target.at).await?;
            line.write(&bytes).await?;
            is_ended(line).await?;
        }
        for number in 0..OPEN {
            // Of devices that are the attacker's own, and of nobody's.
            let device = match number % 3 {
                0 => device.further(),
                1 => Device::of_new_person(),
                _ => {
                    open.push(Line::connect(&device.further(), target.at).await?);
                    continue;
                }
            };
            let mut line = Line::meet(&device, target.at).await?;
            line.write(&head(MAX_TO_PEER, 17)).await?;
            // Half of it, or less where the session is one too many.
            line.try_write(&vec![0; MAX_TO_PEER / 2]).await;
            open.push(line);
        }
        not_tls(target.at.0).await?;
    }
    Ok(())
}

async fn not_tls(at: std::net::SocketAddr) -> Result<()> {
    use tokio::io::AsyncWriteExt;
    let mut stream = TcpStream::connect(at).await?;
    // It begins as TLS does.
    let mut bytes = vec![7; 4096];
    bytes[0] = 22;
    stream.write_all(&bytes).await?;
    let mut answer = Vec::new();
    // A reset or an end, and at most an alert before it.
    let _ = timeout(p2pchat_testkit::SOON, stream.read_to_end(&mut answer)).await?;
    ensure!(answer.len() < 64, "what is not TLS is answered {answer:?}");
    Ok(())
}

/// Of another device, and one that its person did not sign.
pub(super) async fn certificates(ground: &mut Ground) -> Result<()> {
    let device = &ground.device;
    let other = device.further().certificate();
    for target in ground.targets {
        for certificate in [other, forged(device.certificate())] {
            let mut line = Line::connect(device, target.at).await?;
            line.hello(certificate).await?;
            is_ended(line).await?;
        }
    }
    Ok(())
}

async fn is_ended(line: Line) -> Result<()> {
    let last = line.last().await?;
    let is_told = matches!(last, Some(ToPeer::Bye(Bye::Malformed)));
    ensure!(is_told, "the session ends with {last:?}");
    Ok(())
}
