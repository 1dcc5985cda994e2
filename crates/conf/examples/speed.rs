//! How long a document of many devices takes to be read, checked, completed and written: `speed [DEVICES]`.
#![forbid(unsafe_code)]

use conf::domain::{Domain, FormatOptions, Host, ParseOptions};
use std::time::Instant;

fn main() -> Result<(), api::Error> {
    let count: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1_000);
    let devices: String = (0..count)
        .map(|at| match at % 4 {
            0 => format!("<interface type='network'><mac address='52:54:00:00:{:02x}:{:02x}'/><source network='default'/></interface>", at / 256 % 256, at % 256),
            1 => format!("<filesystem type='mount'><source dir='/srv/{at}'/><target dir='/mnt/{at}'/><readonly/></filesystem>"),
            2 => format!("<hostdev mode='capabilities' type='misc'><source><char>/dev/c{at}</char></source></hostdev>"),
            _ => "<console type='pty'/>".to_string(),
        })
        .collect();
    let document = format!(
        "<domain type='lxc'><name>many</name><memory>65536</memory><os><type>exe</type><init>/bin/sh</init></os>\
         <devices>{devices}</devices></domain>"
    );
    let host = Host { arch: "x86_64", emulator: "/usr/libexec/libvirt_lxc", random: &|bytes| bytes.fill(1) };
    for _ in 0..5 {
        let start = Instant::now();
        let parsed = Domain::parse(document.as_bytes(), ParseOptions::default(), &host)?;
        let read = start.elapsed();
        let written = parsed.domain.format(FormatOptions::Inactive).len();
        println!("{count} devices: read {read:?}, read and written {:?}, {written} bytes", start.elapsed());
    }
    Ok(())
}
