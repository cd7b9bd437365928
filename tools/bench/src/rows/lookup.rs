//! A request on an open session of version 2: a lookup, which is one look into the store.

use anyhow::Result;
use p2pchat_protocol::v2::ToRegistry;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Context;
use super::search::compare;
use crate::load::{Exchange, Load, source};
use crate::row::{Row, rate_and_p99};
use crate::secured::{Client, bytes, device, registry, secured};
use crate::servers::{Bare, name};

/// How many sessions ask at a time.
const SESSIONS: [usize; 3] = [1, 50, 1000];

/// Against a bare TLS server that sends as many bytes back.
///
/// # Errors
/// If a server does not start, or fails.
pub(super) async fn lookup(context: &Context) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for sessions in SESSIONS {
        let registry = registry(context, sessions).await?;
        let lookup = ToRegistry::Lookup(name(0));
        let mut ours = Vec::new();
        let mut answer = 0;
        for number in 0..sessions {
            let mut client = Client::sign_in(source(number), registry.tcp, number).await?;
            client.stream.write_all(&bytes(&lookup)).await?;
            client.stream.flush().await?;
            (_, answer) = client.next().await?;
            ours.push(client.stream);
        }
        let exchange = Exchange {
            request: bytes(&lookup),
            answer,
        };
        let request = exchange.request.len().to_string();
        let sizes = [
            "--greeting",
            "1",
            "--request",
            &request,
            "--length",
            &answer.to_string(),
        ];
        let bare = Bare::start(&[&["tls-answer"], &sizes[..]].concat()).await?;
        let mut limit = Vec::new();
        for number in 0..sessions {
            let mut stream = secured(source(number), bare.address, &device(number)).await?;
            stream.read_u8().await?;
            limit.push(stream);
        }
        let (mut ours, mut limit) = (Load::of(ours), Load::of(limit));
        let pair = compare(context, &mut ours, &exchange, &mut limit, &exchange).await?;
        let what = match sessions {
            1 => "lookup, 1 session".to_owned(),
            many => format!("lookup, {many} sessions"),
        };
        rows.extend(rate_and_p99(&what, "a bare TLS echo", pair, [0.9, 1.25]));
    }
    Ok(rows)
}
