//! Any bytes as a network's document, or its port's. Seeds: `crates/conf/tests/corpus-network`.
#![no_main]
#![forbid(unsafe_code)]

#[path = "../checks.rs"]
#[expect(dead_code, reason = "each target runs one of the checks")]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    checks::network(bytes);
});
