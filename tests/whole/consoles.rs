//! Consoles: bytes both ways, a second client, output nobody reads, the terminal's restoration.

use rpc::client::{Connection, OpenOptions, Stream};
use rpc::remote::*;
use rustix::process::Signal;
use std::path::Path;
use std::process::Command;
use tests::daemon::{Daemon, file, virsh};
use tests::documents::domain;
use tests::image;
use tests::program::{PATIENCE, ended_within, eventually, kill, ours};
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
    running("stty raw -echo; echo ready; exec cat");
    let mut terminal = console(&[]);
    terminal.expect("\nready\n", PATIENCE).unwrap();
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
    first.prompt(PATIENCE).unwrap();
    first.type_in("echo first-$((1+1))\r").unwrap();
    first.expect("\nfirst-2", PATIENCE).unwrap();
    let mut second = console(&["--safe"]);
    second.expect("Active console session exists for this domain", PATIENCE).unwrap();
    assert_eq!(second.wait(PATIENCE), Some(1));
    let mut third = console(&["--force"]);
    third.prompt(PATIENCE).unwrap();
    third.type_in("echo third-$((1+1))\r").unwrap();
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

/// A client at the container's shell, its terminal raw.
fn connected() -> Terminal {
    let mut terminal = console(&[]);
    terminal.prompt(PATIENCE).unwrap();
    assert!(!terminal.is_cooked().unwrap(), "the terminal is not raw");
    terminal
}

#[track_caller]
fn is_restored(terminal: &Terminal) {
    assert!(ended_within(terminal.pid(), PATIENCE), "virsh stays");
    assert!(terminal.is_cooked().unwrap(), "the terminal is not restored");
}

#[test]
fn the_terminal_is_restored_whatever_happens() {
    sandbox::require();
    let daemon = Daemon::start();
    running("exec /bin/sh");
    for signal in [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT] {
        let terminal = connected();
        kill(terminal.pid(), signal);
        is_restored(&terminal);
        // The container and its console are not harmed.
        assert_eq!(virsh(&["domstate", "box"]).ok().trim(), "running");
    }
    // The container's own end.
    let mut terminal = connected();
    terminal.type_in("exit\r").unwrap();
    is_restored(&terminal);

    // A daemon that does not answer any more, and one that is gone.
    eventually("the end is noticed", PATIENCE, || {
        (virsh(&["domstate", "box"]).ok().trim() == "shut off").then_some(())
    });
    virsh(&["start", "box"]).ok();
    for leave in [Leave::Key, Leave::Signal] {
        let mut terminal = connected();
        kill(daemon.pid(), Signal::STOP);
        match leave {
            Leave::Key => terminal.type_in("\u{1d}").unwrap(),
            Leave::Signal => kill(terminal.pid(), Signal::TERM),
        }
        eventually("the terminal is restored", PATIENCE, || terminal.is_cooked().unwrap().then_some(()));
        kill(daemon.pid(), Signal::CONT);
        is_restored(&terminal);
    }
    let terminal = connected();
    daemon.kill();
    is_restored(&terminal);
}

enum Leave {
    Key,
    Signal,
}

/// What a shell at the console is told about its size.
fn size(terminal: &mut Terminal) -> String {
    terminal.type_in("echo size $(stty size) over\r").unwrap();
    terminal.expect("\nsize ", PATIENCE).unwrap();
    terminal.expect(" over\n", PATIENCE).unwrap().trim_end_matches(" over\n").to_string()
}

#[test]
fn its_window_is_that_of_the_terminal() {
    sandbox::require();
    let _daemon = Daemon::start();
    // A shell below PID 1 with a terminal to control, so that what runs in it hears of the window.
    running("setsid -c /bin/sh");
    let mut terminal = connected();
    eventually("the console has the terminal's size", PATIENCE, || (size(&mut terminal) == "24 80").then_some(()));
    let told = "trap 'echo window \\$(stty size) over; exit' WINCH; echo trap is set; while :; do sleep 0.1; done";
    terminal.type_in(&format!("sh -c \"{told}\"\r")).unwrap();
    terminal.expect("\ntrap is set\n", PATIENCE).unwrap();
    terminal.resize(50, 132).unwrap();
    terminal.expect("window 50 132 over\n", PATIENCE).unwrap();
    assert_eq!(size(&mut terminal), "50 132");
    // The next client may have another.
    terminal.type_in("\u{1d}").unwrap();
    is_restored(&terminal);
    let mut terminal = connected();
    eventually("the console has the new terminal's size", PATIENCE, || (size(&mut terminal) == "24 80").then_some(()));
}

#[test]
fn output_that_nobody_reads_does_not_stop_the_container() {
    sandbox::require();
    let _daemon = Daemon::start();
    running(
        "for i in $(seq 20000); do echo a line of sixty-four letters, so that the terminal overflows soon; done; touch /over; exec sleep 1000",
    );
    eventually("everything is printed", PATIENCE, || Path::new(ROOT).join("over").exists().then_some(()));
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

/// Prints so many numbered lines, then waits for a line of input.
const NUMBERED: &str = "i=0; while [ $i -lt 9000 ]; do echo \"line $i of the container\"; i=$((i+1)); done; touch /over; \
                        while read line; do echo \"got $line\"; done";

fn everything_is_printed() {
    eventually("everything is printed", PATIENCE, || Path::new(ROOT).join("over").exists().then_some(()));
}

#[test]
fn a_client_first_sees_the_last_of_the_output() {
    sandbox::require();
    let daemon = Daemon::start();
    running(NUMBERED);
    everything_is_printed();
    let last = "line 8999 of the container\n";
    // Printed is not yet read by who keeps it: that is so when a client has seen it.
    let mut reader = console(&[]);
    reader.expect(last, PATIENCE).unwrap();
    reader.type_in("\u{1d}").unwrap();
    assert_eq!(reader.wait(PATIENCE), Some(0));
    let mut first = console(&[]);
    let seen = first.expect(last, PATIENCE).unwrap();
    assert!((60_000..66_000).contains(&seen.len()), "{} bytes", seen.len());
    let from = seen.find("\nline ").map(|at| &seen[at + 1..]).unwrap();
    for pair in from.lines().collect::<Vec<_>>().windows(2) {
        let number = |line: &str| line.split(' ').nth(1).and_then(|number| number.parse::<u32>().ok());
        assert_eq!(number(pair[0]).map(|one| one + 1), number(pair[1]), "{pair:?}");
    }
    first.type_in("hello\r").unwrap();
    first.expect("got hello\n", PATIENCE).unwrap();
    first.type_in("\u{1d}").unwrap();
    assert_eq!(first.wait(PATIENCE), Some(0));

    // The controller has it, so the end of the daemon does not matter.
    daemon.kill();
    let _daemon = Daemon::start();
    let mut second = console(&[]);
    let seen = second.expect("got hello\n", PATIENCE).unwrap();
    assert!(seen.contains(last) && seen.len() > 60_000, "{} bytes", seen.len());
    second.type_in("again\r").unwrap();
    second.expect("got again\n", PATIENCE).unwrap();
}

#[test]
fn one_of_several_is_opened_by_its_name() {
    sandbox::require();
    let _daemon = Daemon::start();
    image::busybox(Path::new(ROOT), "echo on the second >/dev/tty2; echo on the first; exec sleep 1000").unwrap();
    let document = domain("box", ROOT, &["/init"], "<console type='pty'/>");
    virsh(&["define", &file("box.xml", &document)]).ok();
    virsh(&["start", "box"]).ok();
    let mut second = console(&["console1"]);
    second.expect("on the second", PATIENCE).unwrap();
    let mut first = console(&["console0"]);
    let seen = first.expect("on the first", PATIENCE).unwrap();
    assert!(!seen.contains("on the second"), "{seen}");
    let mut none = console(&["console7"]);
    none.expect("cannot find console device 'console7'", PATIENCE).unwrap();
}

#[test]
fn output_goes_to_the_documents_log_file_too() {
    sandbox::require();
    let _daemon = Daemon::start();
    let log = Path::new("/var/log/box-console.log");
    let define = |console: &str| {
        let document = domain("box", ROOT, &["/init"], "").replace("<console type='pty'/>", console);
        virsh(&["define", &file("box.xml", &document)])
    };
    image::busybox(Path::new(ROOT), "echo printed by the container; exec sleep 1000").unwrap();
    for (append, times) in [("on", 1), ("on", 2), ("off", 1)] {
        define(&format!("<console type='pty'><log file='{}' append='{append}'/></console>", log.display())).ok();
        virsh(&["start", "box"]).ok();
        let seen = || std::fs::read_to_string(log).unwrap_or_default();
        eventually("the log has it", PATIENCE, || {
            (seen().matches("printed by the container").count() == times).then_some(())
        });
        virsh(&["destroy", "box"]).ok();
        virsh(&["undefine", "box"]).ok();
    }
    for (path, words) in [("/dev/null", "it is not an ordinary file"), ("here.log", "must be an absolute path")] {
        define(&format!("<console type='pty'><log file='{path}'/></console>")).ok();
        let complaint = virsh(&["start", "box"]).failure();
        assert!(complaint.contains(words), "{complaint}");
        virsh(&["undefine", "box"]).ok();
    }
}

/// The daemon's share of memory that is its own, in KiB.
fn memory_of(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn a_client_that_stalls_holds_up_nobody_else() {
    sandbox::require();
    let daemon = Daemon::start();
    // It prints without end, and keeps count of what it has been able to print.
    running("while :; do cat /bin/busybox; echo x >> /count; done");
    let before = memory_of(daemon.pid());
    let script = "import libvirt, os, sys, time\n\
                  c = libvirt.open('lxc:///')\n\
                  d = c.lookupByName('box')\n\
                  s = c.newStream(0)\n\
                  d.openConsole(None, s, 0)\n\
                  print('open', flush=True)\n\
                  os.kill(os.getpid(), 19)\n";
    let mut stalled =
        Command::new("/usr/bin/python3").args(["-c", script]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let state = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", stalled.id())).unwrap_or_default();
        stat.rsplit(") ").next().unwrap_or_default().starts_with('T')
    };
    eventually("the client has stopped", PATIENCE, || state().then_some(()));
    let count = || std::fs::metadata(Path::new(ROOT).join("count")).map(|file| file.len()).unwrap_or(0);
    // Held: over some calls of others, which are answered, nothing more is printed.
    eventually("the container is held", PATIENCE, || {
        let printed = count();
        for _ in 0..20 {
            assert_eq!(virsh(&["domstate", "box"]).ok().trim(), "running");
        }
        (count() == printed).then_some(())
    });
    let after = memory_of(daemon.pid());
    assert!(after < before + 8192, "the daemon had {before} KiB and has {after} KiB");
    // Without the client it goes on.
    let printed = count();
    _ = stalled.kill();
    _ = stalled.wait();
    eventually("the container goes on", PATIENCE, || (count() > printed).then_some(()));
}

/// The console of the domain `box`, as a program has it.
fn stream(connection: &Connection, flags: u32) -> Stream {
    let args = DomainLookupByNameArgs { name: "box".into() };
    let found: DomainLookupByNameRet = connection.call(Procedure::DomainLookupByName, &args).unwrap();
    let args = DomainOpenConsoleArgs { dom: found.dom, dev_name: None, flags };
    connection.open_stream::<_, ()>(Procedure::DomainOpenConsole, &args).unwrap().1
}

fn connection() -> Connection {
    Connection::open(Some("lxc:///"), OpenOptions::default()).unwrap()
}

#[test]
fn a_flood_arrives_whole_and_in_order_and_the_log_has_it_too() {
    sandbox::require();
    let _daemon = Daemon::start();
    let log = Path::new("/var/log/box-flood.log");
    image::busybox(Path::new(ROOT), "stty -onlcr -echo; read go; seq 200000; echo over; exec sleep 1000").unwrap();
    let console = format!("<console type='pty'><log file='{}'/></console>", log.display());
    let document = domain("box", ROOT, &["/init"], "").replace("<console type='pty'/>", &console);
    virsh(&["define", &file("box.xml", &document)]).ok();
    virsh(&["start", "box"]).ok();
    let connection = connection();
    let stream = stream(&connection, 0);
    stream.send(b"go\r").unwrap();
    let printed: String = (1..=200_000).map(|number| format!("{number}\n")).chain(["over\n".to_string()]).collect();
    let mut seen = Vec::new();
    while !seen.ends_with(b"over\n") {
        let data = stream.recv().unwrap();
        assert!(!data.is_empty(), "it ends after {} bytes", seen.len());
        seen.extend(data);
    }
    // The word may be shown before the terminal is told not to.
    let shown = seen.strip_prefix(b"go\r\n").unwrap_or(&seen);
    assert!(shown == printed.as_bytes(), "{} bytes of {}", shown.len(), printed.len());
    eventually("the log has all", PATIENCE, || {
        std::fs::read(log).is_ok_and(|log| log.ends_with(printed.as_bytes())).then_some(())
    });
}

/// Reads so much of numbers that are counted up, a line each: none may be missing.
fn counts(stream: &Stream, length: usize) {
    let mut seen = Vec::new();
    while seen.len() < length {
        let data = stream.recv().unwrap();
        assert!(!data.is_empty(), "it ends after {} bytes", seen.len());
        seen.extend(data);
    }
    let text = String::from_utf8(seen).unwrap();
    // The first line and the last may be cut.
    let lines: Vec<&str> = text.split("\r\n").collect();
    let numbers: Vec<u64> = lines[1..lines.len() - 1].iter().map(|line| line.parse().unwrap()).collect();
    let gap = numbers.windows(2).find(|pair| pair[0] + 1 != pair[1]);
    assert_eq!(gap, None, "of {} numbers", numbers.len());
}

#[test]
fn a_flooded_console_changes_hands() {
    sandbox::require();
    let daemon = Daemon::start();
    running("exec seq 100000000");
    let (one, other) = (connection(), connection());
    let first = stream(&one, 0);
    counts(&first, 1 << 20);
    // VIR_DOMAIN_CONSOLE_FORCE.
    let second = stream(&other, 1);
    counts(&second, 1 << 20);
    while first.recv().is_ok_and(|data| !data.is_empty()) {}
    drop((first, one));
    daemon.kill();
    while second.recv().is_ok_and(|data| !data.is_empty()) {}
    let _daemon = Daemon::start();
    counts(&stream(&connection(), 0), 1 << 20);
}
