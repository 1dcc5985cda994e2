//! The kernel in our words: the only crate with `unsafe` code.

pub mod descriptor;
pub mod signal;
pub mod spawn;
