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

#[cfg(test)]
mod tests;
