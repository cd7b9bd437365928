//! HTTP listener for monitoring: `/healthz`, `/readyz` and `/metrics`.
//!
//! It is separate from the ports of the protocol, answers from memory, and changes nothing.
//! Each request has a connection of its own, with one deadline for all of it.
//!
//! A loopback address can be reached by any page in a browser of this machine whose name
//! server says that its name is 127.0.0.1 (DNS rebinding). The page's name is in `Host` then,
//! and such a request is refused.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::http::uri::Authority;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How many connections there may be at a time; more wait until one has ended. One or two
/// monitoring systems ask every few seconds.
pub const MAX_CONNECTIONS: usize = 16;
/// How long a connection may last, from its first byte to its last.
pub const CONNECTION_TIMEOUT: Duration = Duration::from_secs(5);
/// How much of a request's head is read.
const MAX_HEAD: usize = 8 * 1024;
/// How many header lines it may have.
const MAX_HEADERS: usize = 64;
/// The pause after accepting failed, which has causes that need time.
const PAUSE: Duration = Duration::from_secs(1);
/// The answer to a request for another host.
const OTHER_HOST: &str = "wrong Host header: use an IP address or localhost\n";
/// The content type of everything but the metrics.
const PLAIN: &str = "text/plain; charset=utf-8";
/// The content type of the metrics.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the listener exposes. Both are answered at once, from memory.
pub trait Monitored: Send + Sync + 'static {
    /// Whether a login can be served; if not, why, in words for the operator.
    ///
    /// # Errors
    /// The reason.
    fn readiness(&self) -> Result<(), String>;

    /// All metrics, as OpenMetrics text.
    fn exposition(&self) -> String;
}

/// Answers until told to stop.
pub async fn run<W: Monitored>(listener: TcpListener, monitored: Arc<W>, stop: CancellationToken) {
    let local = listener.local_addr();
    let is_loopback = local.is_ok_and(|address| address.ip().is_loopback());
    let mut connections = JoinSet::new();
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let accepting = async {
        loop {
            let slot = Arc::clone(&slots).acquire_owned().await;
            let slot = slot.expect("the semaphore is never closed");
            match listener.accept().await {
                Ok((stream, _)) => {
                    let monitored = Arc::clone(&monitored);
                    connections.spawn(async move {
                        serve(stream, is_loopback, monitored).await;
                        drop(slot);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a monitoring connection; next try in {PAUSE:?}");
                    sleep(PAUSE).await;
                }
            }
            while connections.try_join_next().is_some() {}
        }
    };
    stop.run_until_cancelled(accepting).await;
    connections.shutdown().await;
}

async fn serve<W: Monitored>(stream: TcpStream, is_loopback: bool, monitored: Arc<W>) {
    let service = service_fn(|request: Request<_>| {
        let answer = if is_loopback && !is_of_this_machine(request.headers()) {
            page(StatusCode::MISDIRECTED_REQUEST, PLAIN, OTHER_HOST)
        } else {
            answer(&request, monitored.as_ref())
        };
        async move { Ok::<_, Infallible>(answer) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(CONNECTION_TIMEOUT)
        .keep_alive(false)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    match timeout(CONNECTION_TIMEOUT, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a monitoring connection failed"),
        Err(_) => tracing::debug!("a monitoring connection took too long"),
    }
}

/// Whether no `Host` is named, as a browser always does, or an IP address or `localhost`,
/// which no name server can give to another machine.
fn is_of_this_machine(headers: &HeaderMap) -> bool {
    headers.get_all(header::HOST).iter().all(|host| {
        let host = host.to_str().ok();
        let authority = host.and_then(|host| host.parse::<Authority>().ok());
        authority.is_some_and(|authority| {
            let name = authority.host();
            let literal = name.trim_start_matches('[').trim_end_matches(']');
            literal.parse::<IpAddr>().is_ok() || name.eq_ignore_ascii_case("localhost")
        })
    })
}

fn answer<B>(request: &Request<B>, monitored: &impl Monitored) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refusal = page(StatusCode::METHOD_NOT_ALLOWED, PLAIN, "GET and HEAD only\n");
        let allowed = HeaderValue::from_static("GET, HEAD");
        refusal.headers_mut().insert(header::ALLOW, allowed);
        return refusal;
    }
    match request.uri().path() {
        "/healthz" => page(StatusCode::OK, PLAIN, "ok\n"),
        "/readyz" => match monitored.readiness() {
            Ok(()) => page(StatusCode::OK, PLAIN, "ready\n"),
            Err(reason) => page(
                StatusCode::SERVICE_UNAVAILABLE,
                PLAIN,
                format!("not ready: {reason}\n"),
            ),
        },
        "/metrics" => page(StatusCode::OK, OPEN_METRICS, monitored.exposition()),
        _ => page(
            StatusCode::NOT_FOUND,
            PLAIN,
            "there are /healthz, /readyz and /metrics\n",
        ),
    }
}

fn page(status: StatusCode, mime: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut page = Response::new(Full::new(body.into()));
    *page.status_mut() = status;
    for (name, value) in [
        (header::CONTENT_TYPE, mime),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        page.headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    page
}
