//! What runs whole programs.
#![forbid(unsafe_code)]
