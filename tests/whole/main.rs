//! Whole programs on the real kernel, each test in a sandbox of its own: `cargo xtask test whole`.
#![forbid(unsafe_code)]
