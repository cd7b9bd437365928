//! The answer to one HTTP request: checks, the files of the web UI, the upgrade to a
//! WebSocket, and the headers that every answer has.

use std::fmt::Write;
use std::sync::Arc;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode, Version};
use tracing::{Instrument, info_span};

use crate::assets::{Asset, Assets};
use crate::gate::{Entry, Refusal};
use crate::shared::Shared;
use crate::slots::Slot;
use crate::socket::{self, Subprotocol};

/// An answer, whole in memory.
pub(crate) type Answer = Response<Full<Bytes>>;

/// The path of the WebSocket.
const SOCKET: &str = "/ws";
/// `Cache-Control` of files whose name changes with their content: kept for a year.
const KEEP: &str = "public, max-age=31536000, immutable";
/// `Cache-Control` of all other files: the browser asks each time, by their tag.
const ASK: &str = "no-cache";
/// The page of a bridge without a web UI.
const NO_UI: &str = include_str!("no-ui.html");

/// Answers a request. `slot` is that of the connection; a WebSocket keeps it.
pub(crate) fn answer(
    mut request: Request<Incoming>,
    shared: &Arc<Shared>,
    slot: &Arc<Slot>,
) -> Answer {
    let host = shared.gate.check(&request);
    let answer = host.clone().and_then(|_| match request.uri().path() {
        _ if !matches!(*request.method(), Method::GET | Method::HEAD) => Err(Refusal::Method),
        SOCKET => upgrade(&mut request, shared, slot),
        path => page(path, request.headers(), &shared.assets),
    });
    let mut answer = answer.unwrap_or_else(|refusal| refuse(refusal, &request));
    protect(answer.headers_mut(), host.ok().as_deref(), &shared.assets);
    answer
}

fn page(path: &str, headers: &HeaderMap, assets: &Assets) -> Result<Answer, Refusal> {
    if let Some(asset) = assets.get(path) {
        return Ok(file(asset, headers));
    }
    match path {
        "/" => Ok(with_type("text/html; charset=utf-8", NO_UI.into())),
        _ => Err(Refusal::NoPage),
    }
}

fn file(asset: &Asset, headers: &HeaderMap) -> Answer {
    let (encoding, form) = asset.form(headers);
    let known = form.is_known(headers);
    let mut answer = if known {
        Response::new(Full::default())
    } else {
        with_type(asset.mime, form.body.clone())
    };
    let mut set = |name, value: &str| {
        let value = HeaderValue::from_str(value).expect("hex digits and fixed words are ASCII");
        answer.headers_mut().insert(name, value);
    };
    set(header::ETAG, &form.etag);
    set(
        header::CACHE_CONTROL,
        if asset.immutable { KEEP } else { ASK },
    );
    if asset.varies() {
        set(header::VARY, "accept-encoding");
    }
    match encoding {
        Some(encoding) if !known => set(header::CONTENT_ENCODING, encoding),
        _ => {}
    }
    if known {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
    }
    answer
}

fn with_type(mime: &'static str, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(mime));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(ASK));
    answer
}

fn refuse(refusal: Refusal, request: &Request<Incoming>) -> Answer {
    tracing::debug!(%refusal, path = request.uri().path(), "refused a request");
    let mut answer = with_type("text/plain; charset=utf-8", format!("{refusal}\n").into());
    *answer.status_mut() = refusal.status();
    let extra = match refusal {
        Refusal::Method => Some((header::ALLOW, "GET, HEAD")),
        Refusal::NoSecret => Some((header::WWW_AUTHENTICATE, "Bearer")),
        Refusal::NoUpgrade => Some((header::UPGRADE, "websocket")),
        _ => None,
    };
    if let Some((name, value)) = extra {
        answer
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    answer
}

fn upgrade(
    request: &mut Request<Incoming>,
    shared: &Arc<Shared>,
    slot: &Arc<Slot>,
) -> Result<Answer, Refusal> {
    if request.method() != Method::GET || !hyper_tungstenite::is_upgrade_request(request) {
        return Err(Refusal::NoUpgrade);
    }
    if request.version() != Version::HTTP_11 {
        return Err(Refusal::BadUpgrade);
    }
    let entry = shared.gate.entry(request.headers(), &shared.secret)?;
    let subprotocol = Subprotocol::of(request, entry == Entry::Authorized);
    let (mut answer, websocket) = hyper_tungstenite::upgrade(&mut *request, Some(socket::config()))
        .map_err(|_| Refusal::BadUpgrade)?;
    if let Some(name) = subprotocol.answer() {
        answer
            .headers_mut()
            .insert(header::SEC_WEBSOCKET_PROTOCOL, name.clone());
    }
    let (shared, slot) = (Arc::clone(shared), Arc::clone(slot));
    let tasks = shared.tasks.clone();
    let serving = async move {
        let socket = socket::serve(websocket, entry, subprotocol, &shared, &slot);
        slot.evicted().run_until_cancelled(socket).await;
    };
    tasks.spawn(serving.instrument(info_span!("ws")));
    Ok(answer)
}

/// Sets the security headers: the page may load from here and talk to here, and no other
/// page may show or use it.
fn protect(headers: &mut HeaderMap, host: Option<&str>, assets: &Assets) {
    let policy =
        HeaderValue::from_str(&policy(host, assets)).expect("a checked host and hashes are ASCII");
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// The content security policy. Some browsers do not count a WebSocket to the page's own
/// host as `'self'`, so the host is named.
fn policy(host: Option<&str>, assets: &Assets) -> String {
    let mut policy = format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{}; style-src 'self'{}; \
         img-src 'self' data:; connect-src 'self'",
        assets.script_hashes(),
        assets.style_hashes(),
    );
    if let Some(host) = host {
        write!(policy, " ws://{host}").expect("a String takes all");
    }
    policy + "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}
