//! Any text as a configuration of LXC: refused, or a domain that can be written in every format.
//! Seeds: `crates/conf/tests/lxc-native`.
#![no_main]
#![forbid(unsafe_code)]

use conf::domain::Host;
use conf::native::{from_lxc_tools, to_lxc_tools, to_oci};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let host = Host { arch: "x86_64", emulator: "/emulator", random: &|bytes| bytes.fill(7) };
    if let Ok(parsed) = from_lxc_tools(text, &host) {
        to_lxc_tools(&parsed.domain);
        to_oci(&parsed.domain);
    }
});
