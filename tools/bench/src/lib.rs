//! How close the built programs are to the limit of the machine.
//!
//! Each measurement has two sides, ours and the limit: what the least program could do,
//! or another one that people trust. Both run in the same minute, in turn (A B A B), on
//! the same core, and the medians are compared. `cargo xtask bench` builds what is needed
//! and prints the table.

pub mod bare;
pub mod browser;
pub mod chain;
pub mod company;
pub mod count;
pub mod counted;
pub mod kept;
pub mod load;
pub mod machine;
pub mod micro;
pub mod pin;
pub mod process;
pub mod row;
pub mod rows;
pub mod run;
pub mod sample;
pub mod secured;
pub mod servers;
pub mod talkers;
