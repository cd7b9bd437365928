//! The command `ready`, for health checks where nothing else is that could ask: the image of
//! the registry has no shell.

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use p2pchat_settings::streams::Output;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::options::Options;

/// The most time for all of it. The answer comes from memory.
const DEADLINE: Duration = Duration::from_secs(2);
/// The most bytes of an answer: some headers and a line.
const MAX_ANSWER: u64 = 4 * 1024;

/// Asks the registry that serves `options.metrics` whether it can serve a login, and prints its
/// answer.
///
/// # Errors
/// If it cannot, does not answer within 2 seconds, or the options do not say where it is; in
/// words for the operator.
pub async fn ask(options: &Options, out: &mut impl Write) -> Result<()> {
    let at = options.metrics.context(
        "which registry? Set --metrics as it was set for the registry, before `ready`, or \
         P2PCHAT_METRICS",
    )?;
    let answer = timeout(DEADLINE, get(at))
        .await
        .with_context(|| format!("{at} does not answer"))?
        .with_context(|| format!("cannot ask {at}"))?;
    let (head, line) = answer.split_once("\r\n\r\n").unwrap_or_default();
    match head.split(' ').nth(1) {
        Some("200") => match Output::of(out.write_all(line.as_bytes()))? {
            Output::Written | Output::Closed => Ok(()),
        },
        Some("503") => bail!("{}", line.trim_end()),
        _ => bail!("{at} is not where a registry has its metrics"),
    }
}

async fn get(at: SocketAddr) -> Result<String> {
    let mut stream = TcpStream::connect(at).await?;
    let request = format!("GET /readyz HTTP/1.0\r\nhost: {at}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
