//! Devices and top elements, each in an otherwise plain document, and what libvirt 9.0.0 makes of it: the lines that it
//! adds to the document, or the error. `domain_snippets.txt` has them between empty lines; `T:` marks a top element.

use conf::domain::{Domain, FormatOptions, Host, ParseOptions};

/// Lines of a plain document, which say nothing of the snippet.
const PLAIN: &[&str] = &[
    "<domain type='lxc'>",
    "  <name>p</name>",
    "  <uuid>27dcb07d-ab18-563a-841e-caa95fa3ae44</uuid>",
    "  <memory unit='KiB'>65536</memory>",
    "  <currentMemory unit='KiB'>65536</currentMemory>",
    "  <vcpu placement='static'>1</vcpu>",
    "  <os>",
    "    <type arch='x86_64'>exe</type>",
    "    <init>/bin/sh</init>",
    "  </os>",
    "  <clock offset='utc'/>",
    "  <on_poweroff>destroy</on_poweroff>",
    "  <on_reboot>restart</on_reboot>",
    "  <on_crash>destroy</on_crash>",
    "  <devices>",
    "    <emulator>/usr/lib/libvirt/libvirt_lxc</emulator>",
    "  </devices>",
    "</domain>",
];

fn made_of(snippet: &str) -> String {
    let (top, device) = match snippet.strip_prefix("T:") {
        Some(top) => (top, ""),
        None => ("", snippet),
    };
    let document = format!(
        "<domain type='lxc'>\n<name>p</name>\n<uuid>27dcb07d-ab18-563a-841e-caa95fa3ae44</uuid>\n\
         <memory unit='KiB'>65536</memory>{top}\n<os><type>exe</type><init>/bin/sh</init></os>\n\
         <devices>\n{device}\n</devices>\n</domain>\n"
    );
    let host =
        Host { arch: "x86_64", emulator: "/usr/lib/libvirt/libvirt_lxc", random: &|bytes: &mut [u8]| bytes.fill(7) };
    match Domain::parse(document.as_bytes(), ParseOptions::default(), &host) {
        Ok(parsed) => {
            let written = parsed.domain.without_secrets().format(FormatOptions::Inactive);
            written.lines().filter(|line| !PLAIN.contains(line)).collect::<Vec<_>>().join("\n")
        }
        Err(error) => format!("error: {}", error.message),
    }
}

#[test]
fn every_snippet() {
    let mut differing = 0;
    let mut all = 0;
    for record in include_str!("domain_snippets.txt").split("\n\n").filter(|record| !record.trim().is_empty()) {
        let (snippet, expected) = record.split_once('\n').unwrap_or((record, ""));
        let found = made_of(snippet);
        all += 1;
        if found.trim_end() != expected.trim_end() {
            eprintln!("---- {snippet}\nexpected\n{expected}\nfound\n{found}");
            differing += 1;
        }
    }
    assert!(all > 1_000, "{all} snippets");
    assert_eq!(differing, 0, "of {all} differ");
}
