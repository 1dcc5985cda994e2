//! What `virsh define` and `dumpxml --inactive` would make of documents: `define [--validate] FILE…`.
//! Each result lies beside its file, in `FILE.ours`: the document, or `error: ` and the message.
#![forbid(unsafe_code)]

use conf::domain::{Domain, FormatOptions, Host, ParseOptions};

fn main() -> std::io::Result<()> {
    let random = |bytes: &mut [u8]| bytes.fill(7);
    let host = Host { arch: "x86_64", emulator: "/usr/lib/libvirt/libvirt_lxc", random: &random };
    let validate = std::env::args().any(|argument| argument == "--validate");
    for file in std::env::args().skip(1).filter(|argument| argument != "--validate") {
        let parsed = Domain::parse(&std::fs::read(&file)?, ParseOptions { validate, live: false }, &host);
        let result = match parsed {
            Ok(parsed) => {
                parsed.warnings.iter().for_each(|warning| eprintln!("{file}: {warning}"));
                parsed.domain.without_secrets().format(FormatOptions::Inactive)
            }
            Err(error) => format!("error: {}\n", error.message),
        };
        std::fs::write(format!("{file}.ours"), result)?;
    }
    Ok(())
}
