//! The store on real files.

mod asked;
mod files;
mod killed;
mod reading;
mod round_trip;
mod world;
