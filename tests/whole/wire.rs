//! Clients that break the rules on the socket: the daemon drops them, or answers, and lives.

use crate::leftovers::Leftovers;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use tests::daemon::{Daemon, file, virsh};
use tests::documents::domain;
use tests::image;
use tests::program::{PATIENCE, eventually, ours};
use tests::sandbox;
use tests::terminal::Terminal;

fn connect() -> UnixStream {
    let socket = UnixStream::connect("/run/libvirt/virtlxcd-sock").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// A message's length, then its header's six words: program, version, procedure, type, serial, status.
fn message(length: u32, words: [u32; 6], payload: &[u8]) -> Vec<u8> {
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.extend(words.iter().flat_map(|word| word.to_be_bytes()));
    bytes.extend(payload);
    bytes
}

const REMOTE: u32 = 0x2000_8086;

/// What comes back until the daemon closes; empty where it only closes.
fn answer(bytes: &[u8]) -> Vec<u8> {
    let mut socket = connect();
    socket.write_all(bytes).unwrap();
    socket.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    // A reset is the end too.
    _ = socket.read_to_end(&mut answer);
    answer
}

#[test]
fn messages_that_break_the_rules() {
    sandbox::require();
    let daemon = Daemon::start();
    virsh(&["list", "--name"]).ok();
    let (before, descriptors) = (Leftovers::now(), descriptors(&daemon));
    let table: [(&str, Vec<u8>); 8] = [
        ("nothing at all", Vec::new()),
        ("half a length", vec![0, 0]),
        ("a length too small to count itself", message(2, [0; 6], b"")),
        ("a length beyond every limit", message(u32::MAX, [REMOTE, 1, 1, 0, 0, 0], b"")),
        ("a length beyond the protocol's limit", message(64 << 20, [REMOTE, 1, 1, 0, 0, 0], b"")),
        ("a message that ends early", message(1000, [REMOTE, 1, 1, 0, 0, 0], b"short")),
        ("a program that nobody serves", message(28, [0x1234, 1, 1, 0, 0, 0], b"")),
        ("arguments that are no arguments", message(36, [REMOTE, 1, 1, 0, 0, 0], &[0xff; 8])),
    ];
    for (what, bytes) in table {
        let answered = answer(&bytes);
        assert!(daemon.is_alive(), "{what} ended the daemon");
        assert!(answered.len() < 4096, "{what} is answered with {} bytes", answered.len());
        assert_eq!(virsh(&["list", "--name"]).ok(), "\n", "after {what}");
    }
    before.assert_none_since();
    closed(&daemon, descriptors);
}

/// How many descriptors the daemon has open.
fn descriptors(daemon: &Daemon) -> usize {
    fs::read_dir(format!("/proc/{}/fd", daemon.pid())).unwrap().count()
}

/// What clients have left is closed, if not before the next one comes.
fn closed(daemon: &Daemon, before: usize) {
    eventually("the daemon has closed all it opened", PATIENCE, || (descriptors(daemon) <= before).then_some(()));
}

#[test]
fn an_unknown_procedure_is_answered_as_unsupported() {
    sandbox::require();
    let _daemon = Daemon::start();
    let answered = answer(&message(28, [REMOTE, 1, 60000, 0, 7, 0], b""));
    let text = String::from_utf8_lossy(&answered);
    assert!(text.contains("unknown procedure: 60000"), "{text}");
}

/// Sends one message and reads what answers it.
fn converse(socket: &mut UnixStream, message: &[u8]) -> Vec<u8> {
    socket.write_all(message).unwrap();
    let mut length = [0; 4];
    socket.read_exact(&mut length).unwrap();
    let mut answer = vec![0; u32::from_be_bytes(length) as usize - 4];
    socket.read_exact(&mut answer).unwrap();
    answer
}

#[test]
fn our_own_program_is_beside_libvirts() {
    sandbox::require();
    let _daemon = Daemon::start();
    const OWN: u32 = 0x766c_7863;
    let version = message(28, [OWN, 1, 1, 0, 1, 0], b"");
    let mut socket = connect();
    let table = [
        ("another version", message(28, [OWN, 2, 1, 0, 0, 0], b""), "Cannot find program 1986820195 version 2"),
        ("no such procedure", message(28, [OWN, 1, 60000, 0, 0, 0], b""), "unknown procedure: 60000"),
        ("not open yet", version.clone(), "hypervisor connection not open"),
        ("opening", message(48, [REMOTE, 1, 1, 0, 0, 0], b"\0\0\0\x01\0\0\0\x07lxc:///\0\0\0\0\0"), ""),
        ("open", version, concat!("\0\0\0\x05", env!("CARGO_PKG_VERSION"))),
    ];
    for (what, bytes, expected) in table {
        let answered = converse(&mut socket, &bytes);
        let text = String::from_utf8_lossy(&answered);
        assert!(text.contains(expected), "{what}: {text:?}");
    }
}

#[test]
fn clients_that_vanish_in_mid_stream() {
    sandbox::require();
    let daemon = Daemon::start();
    image::busybox(Path::new("/opt/box"), "exec /bin/sh").unwrap();
    virsh(&["define", &file("box.xml", &domain("box", "/opt/box", &["/init"], ""))]).ok();
    // What the first start leaves is there for all others.
    virsh(&["start", "box"]).ok();
    crate::nursery::nursery(None);
    virsh(&["destroy", "box"]).ok();
    let (before, descriptors) = (Leftovers::now(), descriptors(&daemon));
    virsh(&["start", "box"]).ok();
    for round in 0..10 {
        let mut command = Command::new(ours("virsh"));
        let mut terminal = Terminal::start(command.args(["console", "--force", "box"])).unwrap();
        terminal.prompt(PATIENCE).unwrap();
        terminal.type_in(&format!("while :; do echo round-{round}; done\r")).unwrap();
        terminal.expect(&format!("\nround-{round}\n"), PATIENCE).unwrap();
        // Killed while the container prints as fast as it can.
        drop(terminal);
        assert!(daemon.is_alive());
        assert_eq!(virsh(&["domstate", "box"]).ok().trim(), "running");
        virsh(&["destroy", "box"]).ok();
        virsh(&["start", "box"]).ok();
    }
    virsh(&["destroy", "box"]).ok();
    before.assert_none_since();
    closed(&daemon, descriptors);
}

#[test]
fn many_clients_that_say_nothing() {
    sandbox::require();
    let daemon = Daemon::start();
    let silent: Vec<UnixStream> = (0..15).map(|_| connect()).collect();
    assert_eq!(virsh(&["list", "--name"]).ok(), "\n");
    drop(silent);
    assert!(daemon.is_alive());
}
