//! The command `ready`, for health checks where nothing else is that could ask: the image of
//! the registry has no shell.

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use p2pchat_settings::streams::Output;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::http::MAX_READY;
use crate::options::Options;

/// The most time for all of it. The answer comes from memory.
const DEADLINE: Duration = Duration::from_secs(2);

/// Asks the registry that serves `options.metrics` whether it can serve a login, and prints its
/// answer.
///
/// # Errors
/// If it cannot, does not answer within 2 seconds, or the options do not say where it is; in
/// words for the operator.
pub async fn ask(options: &Options, out: &mut impl Write) -> Result<()> {
    let at = options.metrics.context(
        "where is the registry? Set --metrics to what it was started with; before `ready`, or \
         as P2PCHAT_METRICS",
    )?;
    let (status, answer) = timeout(DEADLINE, get(at))
        .await
        .with_context(|| format!("{at} does not answer"))?
        .with_context(|| format!("cannot ask {at}"))?;
    ensure!(status == StatusCode::OK, "{}", answer.trim_end());
    match Output::of(out.write_all(answer.as_bytes()))? {
        Output::Written | Output::Closed => Ok(()),
    }
}

async fn get(at: SocketAddr) -> Result<(StatusCode, String)> {
    let stream = TcpStream::connect(at).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get("/readyz").header(header::HOST, at.to_string());
    let asked = sender.send_request(request.body(Empty::<Bytes>::new())?);
    let answer = async {
        let answer = asked.await?;
        let status = answer.status();
        let body = http_body_util::Limited::new(answer.into_body(), MAX_READY);
        let body = body.collect().await.map_err(anyhow::Error::from_boxed)?;
        Ok((status, String::from_utf8_lossy(&body.to_bytes()).into_owned()))
    };
    tokio::pin!(answer);
    // The connection does the reading and the writing, and may end before its answer is read.
    tokio::select! {
        answer = &mut answer => answer,
        _ = connection => answer.await,
    }
}
