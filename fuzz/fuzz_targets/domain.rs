//! Any bytes as a domain's document. Seeds: `crates/conf/tests/corpus-domain`.
#![no_main]
#![forbid(unsafe_code)]

#[path = "../checks.rs"]
#[expect(dead_code, reason = "each target runs one of the checks")]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    checks::domain(bytes);
});
