//! What the coverage-guided fuzzer has found worth keeping (`fuzz/*.corpus`), and what once took it too long: each is read,
//! written and read again as the fuzzer does it.

use std::time::{Duration, Instant};

#[path = "../../../fuzz/checks.rs"]
mod checks;
#[path = "../../../fuzz/corpus.rs"]
mod corpus;

/// At least so many inputs, and so many that are taken.
fn check(bytes: &[u8], check: fn(&[u8]) -> usize, inputs_at_least: usize, taken_at_least: usize) {
    let (mut taken, inputs) = (0, corpus::inputs(bytes));
    for input in &inputs {
        let start = Instant::now();
        taken += check(input);
        assert!(start.elapsed() < Duration::from_secs(60), "{}", String::from_utf8_lossy(input));
    }
    let count = inputs.len();
    assert!(count > inputs_at_least && taken > taken_at_least, "{count} inputs, {taken} taken");
}

#[test]
fn domains() {
    check(include_bytes!("../../../fuzz/domain.corpus"), checks::domain, 1_000, 100);
}

#[test]
fn networks() {
    check(include_bytes!("../../../fuzz/network.corpus"), checks::network, 300, 50);
}

#[test]
fn changes_of_networks_and_of_devices() {
    check(include_bytes!("../../../fuzz/snippet.corpus"), checks::snippet, 200, 10);
}

#[test]
fn files_of_what_runs() {
    check(include_bytes!("../../../fuzz/status.corpus"), checks::status, 150, 10);
}
