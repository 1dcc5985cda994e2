//! The pieces that whole-program tests, the demonstration and the measurements are made of: programs run with a time limit,
//! a terminal to type into, small roots for containers, the documents, daemons.
#![forbid(unsafe_code)]

pub mod daemon;
pub mod documents;
pub mod image;
pub mod program;
pub mod sandbox;
pub mod terminal;
