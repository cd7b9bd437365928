//! What the tests, the soak and the benchmarks share: a MongoDB, the built programs as
//! processes, a client of each of their interfaces (both versions of the registry's wire
//! protocol, the peers' JSON contract), and attackers in the middle.
//!
//! **Invariant**: nothing here depends on the crate of a program. It is the built programs
//! that are started, and the protocol and the model that are spoken.

mod address;
#[cfg(feature = "secure")]
mod attacker;
#[cfg(feature = "websocket")]
mod bridge;
mod json;
mod mongod;
mod namespace;
#[cfg(feature = "websocket")]
mod peer;
#[cfg(feature = "websocket")]
mod person;
mod process;
mod programs;
mod proxy;
mod registry;
#[cfg(feature = "websocket")]
mod screen;
#[cfg(feature = "secure")]
mod secure;
mod session;
mod wait;

pub use address::{free_ports, own_address};
#[cfg(feature = "secure")]
pub use attacker::{Attack, Attacker};
pub use json::JsonLines;
#[cfg(feature = "mongodb")]
pub use mongod::ReplicaSet;
pub use mongod::{MongoDb, Mongod, has_mongod, mongod_program};
pub use namespace::{Namespace, tool, tool_command};
#[cfg(feature = "websocket")]
pub use peer::Peer;
#[cfg(feature = "websocket")]
pub use person::Person;
pub use process::{memory, open_files, own_memory, peak_memory};
pub use programs::Programs;
pub use proxy::{Cable, Proxy};
pub use registry::{Registry, RegistryAt};
#[cfg(feature = "websocket")]
pub use screen::{SETTLED, Screen, Seat, Shown, agree};
#[cfg(feature = "secure")]
pub use secure::{Device, SecureSession};
pub use session::{Hellos, Session};
pub use wait::{SOON, skip, wait_blocking, wait_for};
