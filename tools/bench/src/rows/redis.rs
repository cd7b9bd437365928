//! Search against Redis: GET of a value as long as an address.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result};
use p2pchat_testkit::wait_for;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use super::Context;
use super::search::{MANY, compare, registry, same_exchange};
use crate::figures::Lacking;
use crate::load::{Exchange, Load, connect};
use crate::row::{Reach, Row, Unit};
use crate::servers::on_its_core;

/// `SET u 127.0.0.1`
const SET: &[u8] = b"*3\r\n$3\r\nSET\r\n$1\r\nu\r\n$9\r\n127.0.0.1\r\n";
/// `GET u`
const GET: &[u8] = b"*2\r\n$3\r\nGET\r\n$1\r\nu\r\n";
/// What it answers.
const VALUE: &[u8] = b"$9\r\n127.0.0.1\r\n";

/// A Redis that writes nothing to disk. Killed on drop.
struct Redis {
    _child: Child,
    address: SocketAddr,
}

impl Redis {
    async fn start(folder: &std::path::Path) -> Result<Self> {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = free.local_addr()?;
        drop(free);
        let mut command = Command::new("redis-server");
        command
            .args(["--bind", "127.0.0.1", "--protected-mode", "no"])
            .args(["--save", "", "--appendonly", "no"])
            .args(["--port", &address.port().to_string()])
            .current_dir(folder)
            .kill_on_drop(true)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let lacking = || Lacking("there is no redis-server on this machine".to_owned());
        let child = on_its_core(|| command.spawn().with_context(lacking))?;
        let mut stream = wait_for("Redis", Duration::from_secs(20), async || {
            connect(Ipv4Addr::LOCALHOST, address).await.ok()
        })
        .await?;
        stream.write_all(SET).await?;
        stream.read_exact(&mut [0; 5]).await?;
        Ok(Self {
            _child: child,
            address,
        })
    }
}

/// With 50 connections, no pipelining.
///
/// # Errors
/// If a server does not start, or fails.
pub(super) async fn redis(context: &Context) -> Result<Vec<Row>> {
    let registry = registry(context, &context.new_store()).await?;
    let redis = Redis::start(context.home()).await?;
    let mut ours = Load::connect(registry.tcp, MANY).await?;
    let mut limit = Load::connect(redis.address, MANY).await?;
    let get = Exchange {
        request: GET.to_vec(),
        answer: VALUE.len(),
    };
    let pair = compare(context, &mut ours, &same_exchange(), &mut limit, &get).await?;
    Ok(vec![Row {
        what: format!("Search, {MANY} connections"),
        against: "Redis, GET".to_owned(),
        unit: Unit::PerSecond,
        ours: pair.ours.rate,
        limit: pair.limit.rate,
        reach: Reach::AtLeast(2.0),
        point: None,
    }])
}
