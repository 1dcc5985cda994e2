//! Status files of running domains that libvirt 9.0.0 wrote, and what it showed of the same domains: each is read and
//! written again unchanged, and shows the same.

use conf::domain::{FormatOptions, Host};
use conf::status::DomainStatus;
use std::fs;
use std::path::Path;

#[test]
fn files_of_running_domains() {
    let host = Host { arch: "x86_64", emulator: "/usr/lib/libvirt/libvirt_lxc", random: &|bytes| bytes.fill(7) };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/status");
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in fs::read_dir(&folder).expect("the folder can be read").filter_map(Result::ok) {
        let name = entry.file_name().into_string().expect("a plain name");
        let Some(case) = name.strip_suffix(".status.xml") else { continue };
        count += 1;
        let text = fs::read_to_string(entry.path()).expect("readable");
        let document = &text[text.find("<domstatus").expect("a status")..];
        let status = match DomainStatus::parse(text.as_bytes(), &host) {
            Ok(status) => status,
            Err(error) => {
                wrong.push(format!("{case}: {}", error.message));
                continue;
            }
        };
        let beside = |kind: &str| fs::read_to_string(folder.join(format!("{case}.{kind}.xml"))).ok();
        for (kind, expected, found) in [
            ("status", Some(document.to_string()), status.format()),
            ("live", beside("live"), status.domain.format(FormatOptions::Live)),
            ("migratable", beside("migratable"), status.domain.format(FormatOptions::Migratable)),
        ] {
            if let Some(expected) = expected.filter(|expected| expected.trim_end() != found.trim_end()) {
                wrong.push(format!("{case}: {kind}: expected\n{expected}found\n{found}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count} differ\n{}", wrong.len(), wrong.join("\n"));
}
