//! The protobuf messages, as in `docs/protocol-2.proto`: unchecked, and known to this crate alone.
//! Those with a password wipe it on drop.

use prost::Message;
use zeroize::Zeroize;

#[derive(Clone, PartialEq, Message)]
pub(super) struct SignUp {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) password: String,
    #[prost(bytes = "vec", tag = "3")]
    pub(super) certificate: Vec<u8>,
    #[prost(string, tag = "4")]
    pub(super) display_name: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SignIn {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) certificate: Vec<u8>,
    #[prost(string, optional, tag = "3")]
    pub(super) password: Option<String>,
    #[prost(uint32, tag = "4")]
    pub(super) port: u32,
    #[prost(bool, tag = "5")]
    pub(super) version_1: bool,
    #[prost(uint32, tag = "6")]
    pub(super) status: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct LookupKey {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) person: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Name {
    #[prost(string, tag = "1")]
    pub(super) name: String,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Number {
    #[prost(uint32, tag = "1")]
    pub(super) number: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ChangePassword {
    #[prost(string, tag = "1")]
    pub(super) old: String,
    #[prost(string, tag = "2")]
    pub(super) new: String,
}

impl Drop for SignUp {
    fn drop(&mut self) {
        self.password.zeroize();
    }
}

impl Drop for SignIn {
    fn drop(&mut self) {
        self.password.zeroize();
    }
}

impl Drop for ChangePassword {
    fn drop(&mut self) {
        self.old.zeroize();
        self.new.zeroize();
    }
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Empty {}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Welcome {
    #[prost(uint64, tag = "1")]
    pub(super) time: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SignedIn {
    #[prost(uint64, tag = "1")]
    pub(super) serial: u64,
    #[prost(string, tag = "2")]
    pub(super) display_name: String,
    #[prost(fixed32, tag = "3")]
    pub(super) address: u32,
    #[prost(bool, tag = "4")]
    pub(super) allows_version_1: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Found {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(uint64, tag = "2")]
    pub(super) serial: u64,
    #[prost(bytes = "vec", tag = "3")]
    pub(super) person: Vec<u8>,
    #[prost(string, tag = "4")]
    pub(super) display_name: String,
    #[prost(bytes = "vec", repeated, tag = "5")]
    pub(super) devices: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct User {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(fixed64, optional, tag = "2")]
    pub(super) device: Option<u64>,
    #[prost(fixed32, tag = "3")]
    pub(super) address: u32,
    #[prost(uint32, tag = "4")]
    pub(super) port: u32,
    #[prost(uint32, tag = "5")]
    pub(super) status: u32,
    #[prost(bool, tag = "6")]
    pub(super) version_1: bool,
    #[prost(uint64, tag = "7")]
    pub(super) serial: u64,
    #[prost(string, optional, tag = "8")]
    pub(super) display_name: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Users {
    #[prost(message, repeated, tag = "1")]
    pub(super) users: Vec<User>,
    #[prost(bool, tag = "2")]
    pub(super) begins: bool,
    #[prost(bool, tag = "3")]
    pub(super) ends: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Hello {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) certificate: Vec<u8>,
    #[prost(uint64, tag = "2")]
    pub(super) time: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct About {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) conversation: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct AboutEntry {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) conversation: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) id: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Have {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) conversation: Vec<u8>,
    #[prost(message, repeated, tag = "2")]
    pub(super) items: Vec<Item>,
    #[prost(bytes = "vec", tag = "3")]
    pub(super) people: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub(super) roster: Vec<u8>,
    #[prost(bytes = "vec", optional, tag = "5")]
    pub(super) digest: Option<Vec<u8>>,
    #[prost(bool, tag = "6")]
    pub(super) asks: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Item {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) join: Vec<u8>,
    #[prost(uint64, tag = "2")]
    pub(super) lowest: u64,
    #[prost(bool, tag = "3")]
    pub(super) has_older: bool,
    #[prost(uint64, tag = "4")]
    pub(super) next: u64,
    #[prost(bytes = "vec", tag = "5")]
    pub(super) newest: Vec<u8>,
    #[prost(fixed64, tag = "6")]
    pub(super) clock: u64,
    #[prost(message, optional, tag = "7")]
    pub(super) end: Option<Ending>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Ending {
    #[prost(uint64, tag = "1")]
    pub(super) position: u64,
    #[prost(bool, tag = "2")]
    pub(super) is_lowest: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct WantRoster {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) conversation: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) held: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct WantLog {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) conversation: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) join: Vec<u8>,
    #[prost(uint64, tag = "3")]
    pub(super) begin: u64,
    #[prost(uint64, tag = "4")]
    pub(super) end: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Entries {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) conversation: Vec<u8>,
    #[prost(message, repeated, tag = "2")]
    pub(super) entries: Vec<Entry>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Entry {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) entry: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Read {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) conversation: Vec<u8>,
    #[prost(fixed64, tag = "2")]
    pub(super) clock: u64,
    #[prost(bytes = "vec", tag = "3")]
    pub(super) device: Vec<u8>,
    #[prost(uint64, tag = "4")]
    pub(super) position: u64,
}

#[cfg(test)]
mod tests;
