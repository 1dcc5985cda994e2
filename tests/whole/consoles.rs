//! Consoles: bytes both ways, a second client, output nobody reads, the terminal's restoration.

use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tests::daemon::{Daemon, file, virsh};
use tests::documents::domain;
use tests::image;
use tests::program::{PATIENCE, eventually, ours};
use tests::sandbox;
use tests::terminal::Terminal;

const ROOT: &str = "/opt/box";

fn running(init: &str) {
    image::busybox(Path::new(ROOT), init).unwrap();
    virsh(&["define", &file("box.xml", &domain("box", ROOT, &["/init"], ""))]).ok();
    virsh(&["start", "box"]).ok();
}

fn console(arguments: &[&str]) -> Terminal {
    let mut command = Command::new(ours("virsh"));
    Terminal::start(command.arg("console").arg("box").args(arguments)).unwrap()
}

#[test]
fn what_is_typed_arrives_and_what_is_printed_comes_back() {
    sandbox::require();
    let _daemon = Daemon::start();
    running("stty raw -echo; exec cat");
    let mut terminal = console(&[]);
    terminal.expect("Escape character is ^]", PATIENCE).unwrap();
    let line: String = (0..3000).map(|number| char::from(b'a' + (number % 26) as u8)).collect();
    for _ in 0..20 {
        terminal.type_in(&line).unwrap();
        terminal.expect(&line, PATIENCE).unwrap();
    }
    // What an interrupt is to a terminal is a byte to the container.
    terminal.type_in("\u{3}\u{1a}\u{4}over").unwrap();
    terminal.expect("\u{3}\u{1a}\u{4}over", PATIENCE).unwrap();
    terminal.type_in("\u{1d}").unwrap();
    assert_eq!(terminal.wait(PATIENCE), Some(0));
    assert!(terminal.is_cooked().unwrap(), "the terminal is not restored");
}

#[test]
fn a_second_client_is_refused_unless_it_forces() {
    sandbox::require();
    let _daemon = Daemon::start();
    running("exec /bin/sh");
    let mut first = console(&[]);
    first.expect("Escape character is ^]", PATIENCE).unwrap();
    first.type_in("\recho first-$((1+1))\r").unwrap();
    first.expect("\nfirst-2", PATIENCE).unwrap();
    let mut second = console(&["--safe"]);
    second.expect("Active console session exists for this domain", PATIENCE).unwrap();
    assert_eq!(second.wait(PATIENCE), Some(1));
    let mut third = console(&["--force"]);
    third.expect("Escape character is ^]", PATIENCE).unwrap();
    third.type_in("\recho third-$((1+1))\r").unwrap();
    third.expect("\nthird-2", PATIENCE).unwrap();
    assert!(first.wait(PATIENCE).is_some(), "the first client is not told");
}

#[test]
fn it_closes_with_the_domain() {
    sandbox::require();
    let _daemon = Daemon::start();
    running("exec /bin/sh");
    let mut terminal = console(&[]);
    terminal.expect("Escape character is ^]", PATIENCE).unwrap();
    virsh(&["destroy", "box"]).ok();
    assert!(terminal.wait(PATIENCE).is_some(), "virsh waits on");
    assert!(terminal.is_cooked().unwrap(), "the terminal is not restored");
}

#[test]
fn output_that_nobody_reads_does_not_stop_the_container() {
    sandbox::require();
    let _daemon = Daemon::start();
    running(
        "for i in $(seq 20000); do echo a line of sixty-four letters, so that the terminal overflows soon; done; touch /over; exec sleep 1000",
    );
    eventually("everything is printed", Duration::from_secs(20), || {
        Path::new(ROOT).join("over").exists().then_some(())
    });
}

#[test]
fn without_a_terminal_it_is_refused() {
    sandbox::require();
    let _daemon = Daemon::start();
    running("exec /bin/sh");
    assert!(virsh(&["console", "box"]).failure().contains("Cannot run interactive console without a controlling TTY"));
    virsh(&["destroy", "box"]).ok();
    let mut terminal = console(&[]);
    terminal.expect("The domain is not running", PATIENCE).unwrap();
    assert_eq!(terminal.wait(PATIENCE), Some(1));
}
