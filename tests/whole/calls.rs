//! Every call of the protocol, each as a domain's owner, a reader and a stranger would send it: `calls.py` sends them, and
//! holds the answers against those that libvirt's own daemon gave, in `recorded/calls.txt`.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tests::daemon::{Daemon, Libvirtd, file};
use tests::{image, program, sandbox};

/// Some four hundred calls, each asked four times, with a container to be started for many.
const PATIENCE: Duration = Duration::from_secs(300);

fn ask() {
    image::busybox(Path::new("/opt/calls"), "exec sleep 100000").unwrap();
    let recorded = concat!(env!("CARGO_MANIFEST_DIR"), "/recorded/calls.txt");
    let mut python = Command::new("/usr/bin/python3");
    python.arg(file("calls.py", include_str!("calls.py"))).arg(recorded);
    let outcome = program::finish(python, b"", PATIENCE);
    println!("{}", outcome.out.lines().last().unwrap_or_default());
    assert_eq!(outcome.code, 0, "{outcome}");
}

/// The number and name of every call, so that none is missing in the record.
#[test]
fn each_call_is_recorded() {
    let recorded = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/recorded/calls.txt")).unwrap();
    let calls = rpc::remote::PROCEDURES.iter().filter(|call| call.kind == rpc::protocol::Kind::Call);
    for call in calls {
        let line = format!(
            "{} {} {} {} ",
            call.number,
            call.name,
            call.domain,
            if call.api.is_empty() { "-" } else { call.api }
        );
        let found = recorded.lines().any(|one| format!("{one} ").starts_with(&line));
        assert!(found, "{line}is not in the record");
    }
}

#[test]
fn answers_of_our_daemon() {
    sandbox::require();
    let _daemon = Daemon::start();
    ask();
}

#[test]
fn answers_of_debians_daemon() {
    sandbox::require();
    let _daemon = Libvirtd::start();
    ask();
}
