//! What the coverage-guided fuzzer has found worth keeping (`fuzz/domain.corpus`), and what once took it too long: each is
//! read, written and read again as in `fuzz/fuzz_targets/domain.rs`.

use conf::domain::{Domain, FormatOptions, Host, ParseOptions};
use std::time::{Duration, Instant};

/// Each input behind its length on a line of its own.
fn inputs(mut rest: &[u8]) -> Vec<&[u8]> {
    let mut inputs = Vec::new();
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let length: usize = std::str::from_utf8(&rest[..end]).ok().and_then(|n| n.parse().ok()).expect("a length");
        inputs.push(&rest[end + 1..end + 1 + length]);
        rest = &rest[end + 2 + length..];
    }
    inputs
}

#[test]
fn every_input_is_refused_or_stable() {
    let host = Host { arch: "x86_64", emulator: "/emulator", random: &|bytes| bytes.fill(7) };
    let parse = |xml: &[u8]| Domain::parse(xml, ParseOptions::default(), &host).map(|parsed| parsed.domain);
    let (mut taken, inputs) = (0, inputs(include_bytes!("../../../fuzz/domain.corpus")));
    for input in &inputs {
        let start = Instant::now();
        if let Ok(first) = parse(input) {
            taken += 1;
            let written = first.format(FormatOptions::Inactive);
            if let Ok(second) = parse(written.as_bytes()) {
                let again = second.format(FormatOptions::Inactive);
                if let Ok(third) = parse(again.as_bytes()) {
                    assert_eq!(third.format(FormatOptions::Inactive), again);
                }
            }
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{}", String::from_utf8_lossy(input));
    }
    assert!(inputs.len() > 1_000 && taken > 100, "{} inputs, {taken} taken", inputs.len());
}
