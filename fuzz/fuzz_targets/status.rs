//! Any bytes as the file of a running domain or network. Seeds: `crates/conf/tests/status`.
#![no_main]
#![forbid(unsafe_code)]

#[path = "../checks.rs"]
#[expect(dead_code, reason = "each target runs one of the checks")]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    checks::status(bytes);
});
