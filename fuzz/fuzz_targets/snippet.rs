//! Any bytes as a change of a network or of a domain's devices. Seeds: `fuzz/snippet.corpus`.
#![no_main]
#![forbid(unsafe_code)]

#[path = "../checks.rs"]
#[expect(dead_code, reason = "each target runs one of the checks")]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    checks::snippet(bytes);
});
