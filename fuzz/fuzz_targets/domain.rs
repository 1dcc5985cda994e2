//! Any bytes as a domain's document: refused, or written so that it is read again as the same domain.
//! Seeds: `crates/conf/tests/corpus-domain`.
#![no_main]
#![forbid(unsafe_code)]

use conf::domain::{Domain, FormatOptions, Host, ParseOptions};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let host = Host { arch: "x86_64", emulator: "/emulator", random: &|bytes| bytes.fill(7) };
    let Ok(first) = Domain::parse(bytes, ParseOptions::default(), &host) else { return };
    let written = first.domain.format(FormatOptions::Inactive);
    // Some of libvirt's own results are refused by libvirt; what is taken again must be stable.
    if let Ok(second) = Domain::parse(written.as_bytes(), ParseOptions::default(), &host) {
        let again = second.domain.format(FormatOptions::Inactive);
        if let Ok(third) = Domain::parse(again.as_bytes(), ParseOptions::default(), &host) {
            assert_eq!(third.domain.format(FormatOptions::Inactive), again);
        }
    }
});
