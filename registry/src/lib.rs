//! The registry of p2pchat: accounts, and who is online where.
//!
//! | module | what it owns |
//! |---|---|
//! | [`options`] | the options: [`Options`], [`Limits`], [`StoreSpec`] |
//! | `server` | the sockets and the tasks: [`Server`] |
//! | [`presence`] | who is online, without a clock or a socket |
//! | [`cluster`] | the presence that several registries share by one database |
//! | [`password`] | Argon2id, and the threads that compute it |
//! | [`key`] | the key of the registry, and how its fingerprint is shown |
//! | `throttle` | rate limits by source and by name |
//! | [`metrics`] | counters and measurements, and the HTTP listener that exposes them |
//! | [`store`] | accounts: the trait [`Store`], SQLite and MongoDB |
//! | `vital` | tasks and threads whose end ends the server |
//! | [`users`], [`files`] | the operator commands, the limit of file descriptors |
//! | [`service`] | the registry as a service of systemd or launchd |
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use p2pchat_registry::{Options, Server, StoreSpec};
//!
//! let folder = std::env::temp_dir().join("accounts.sqlite3");
//! let server = Server::bind(Options::on_loopback(StoreSpec::Sqlite(folder))).await?;
//! println!("sessions at {}, Hello at {}", server.tcp_addr(), server.udp_addr());
//! let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
//! let running = tokio::spawn(server.run(async { stopped.await.unwrap_or(()) }));
//! stop.send(()).ok();
//! running.await??;
//! # Ok(())
//! # }
//! ```
//!
//! **Invariant:** nothing in here knows of chats, chat lists or messages.

// They panic where standard output or error cannot be written.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod cluster;
pub mod files;
pub mod key;
mod manual;
pub mod metrics;
pub mod options;
pub mod password;
pub mod presence;
mod server;
pub mod service;
pub mod store;
mod throttle;
pub mod users;
mod vital;

pub use options::{Limits, Options, StoreSpec};
// The rules of a sign-in, for the simulation of a cluster.
pub use server::{BindError, PartEnded, Server};
#[doc(hidden)]
pub use server::{Judgement, admits, judge};
pub use store::{Store, StoreError};
