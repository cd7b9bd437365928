//! The registry of p2pchat: accounts, and who is online where.
//!
//! | module | what it owns |
//! |---|---|
//! | [`options`] | the options: [`Options`], [`Limits`], [`StoreSpec`] |
//! | [`server`] | the sockets and the tasks: [`Server`] |
//! | [`presence`] | who is online, without a clock or a socket |
//! | [`cluster`] | what several registries over one database tell each other of that |
//! | [`password`] | Argon2id, and the threads that compute it |
//! | [`throttle`] | failed logins by address and by name |
//! | [`counters`] | what was turned away and why |
//! | [`metrics`] | what is counted and measured, and the HTTP listener that tells it |
//! | [`files`] | how many file descriptors there are |
//! | [`store`] | accounts: the trait [`Store`], SQLite and MongoDB |
//! | [`users`] | the operator commands |
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
//! running.await?;
//! # Ok(())
//! # }
//! ```
//!
//! **Invariant:** nothing in here knows of chats, chat_lists or messages.

pub mod cluster;
pub mod counters;
pub mod files;
pub mod metrics;
pub mod options;
pub mod password;
pub mod presence;
pub mod server;
pub mod source;
pub mod store;
pub mod throttle;
pub mod users;

pub use options::{Limits, Options, StoreSpec};
pub use server::{BindError, Server};
pub use store::{Store, StoreError};
