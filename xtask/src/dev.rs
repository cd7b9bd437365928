//! `cargo xtask dev`: a registry, a bridge, a friend, and the page with live reload.
