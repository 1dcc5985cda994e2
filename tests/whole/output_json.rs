//! `--output json`, asked of every command of our virsh that lists or answers something; `output_json.py` has them all.

use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tests::daemon::{Daemon, file, virsh};
use tests::documents::{domain, interface};
use tests::program::{self, ours};
use tests::{image, sandbox};

/// Some hundred and fifty commands, each asked in two ways.
const PATIENCE: Duration = Duration::from_secs(180);

#[test]
fn every_question_is_answered_in_json() {
    sandbox::require();
    let _daemon = Daemon::start();
    image::busybox(Path::new("/opt/box"), "exec sleep 100000").unwrap();
    let document = domain("box", "/opt/box", &["/init"], &interface("default")).replace(
        "<os>",
        "<metadata><m:x xmlns:m='http://example.org/m'/></metadata><description>a box</description><os>",
    );
    virsh(&["define", &file("box.xml", &document)]).ok();
    virsh(&["start", "box"]).ok();
    let mut python = Command::new("/usr/bin/python3");
    python.arg(file("output_json.py", include_str!("output_json.py"))).arg(ours("virsh")).arg("box");
    let outcome = program::finish(python, b"", PATIENCE);
    assert_eq!(outcome.code, 0, "{outcome}");
    println!("{}", outcome.out.trim_end());
}
