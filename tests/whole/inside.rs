//! `virsh exec`: a command is held by what holds init, its streams, signals and status come through, and neither it nor its client
//! can leave anything behind.

mod hostile;

use crate::guest::{Guest, namespace};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tests::daemon::{Daemon, Libvirtd, debian_virsh, file, virsh};
use tests::documents::domain;
use tests::image;
use tests::program::{self, Outcome, PATIENCE, ended_within, eventually, ours};
use tests::sandbox;
use tests::terminal::Terminal;

const ROOT: &str = "/opt/box";

fn running() {
    image::busybox(Path::new(ROOT), "exec sleep 100000").unwrap();
    let users = "root:x:0:0:root:/root:/bin/sh\nbob:x:1000:1000::/tmp:/bin/sh\n";
    fs::write(format!("{ROOT}/etc/passwd"), users).unwrap();
    fs::write(format!("{ROOT}/etc/group"), "root:x:0:\nbob:x:1000:\naudio:x:29:bob\n").unwrap();
    virsh(&["define", &file("box.xml", &domain("box", ROOT, &["/init"], ""))]).ok();
    virsh(&["start", "box"]).ok();
}

fn exec(options: &[&str], line: &str) -> Outcome {
    virsh(&[&["exec", "box"], options, &["--", "sh", "-c", line]].concat())
}

/// The processes between clients and the container.
fn helpers() -> Vec<String> {
    let found = program::shell("pgrep -x virtlxc-inside").out;
    found.lines().map(str::to_string).collect()
}

fn nothing_is_left() {
    eventually("the process between client and container has ended", PATIENCE, || helpers().is_empty().then_some(()));
}

#[test]
fn a_command_has_what_init_has_and_no_more() {
    sandbox::require();
    let _daemon = Daemon::start();
    running();
    let guest = Guest::of("box");
    let held =
        "grep -E '^(Cap|NoNewPrivs|Seccomp|Speculation)' /proc/PID/status; cat /proc/PID/cgroup /proc/PID/limits";
    let own = exec(&[], &held.replace("PID", "$$")).ok();
    assert_eq!(own, exec(&[], &held.replace("PID", "1")).ok());
    assert!(own.contains("Seccomp:\t2"), "{own}");
    for kind in ["mnt", "pid", "net", "ipc", "uts", "cgroup", "user"] {
        let own = exec(&[], &format!("readlink /proc/self/ns/{kind}")).ok();
        // The number alone: the kernel's name for a namespace of pids has more.
        assert_eq!(own.trim(), namespace(guest.init, kind));
    }
    // Nothing of the machine's is open in it.
    let open = exec(&[], "cd /proc/$$/fd; for fd in *; do readlink $fd; done; true").ok();
    assert_eq!(open.lines().filter(|line| line.starts_with("pipe:")).count(), 3, "{open}");
    assert_eq!(open.lines().count(), 3, "{open}");
    assert_eq!(
        exec(&[], "set -- $(cat /proc/$$/stat); [ $1 = $6 ] && echo leads its session").ok(),
        "leads its session\n"
    );
}

#[test]
fn user_folder_environment_and_status() {
    sandbox::require();
    let _daemon = Daemon::start();
    running();
    assert_eq!(exec(&[], "id -u; id -g; pwd; echo $HOME").ok(), "0\n0\n/\n/root\n");
    let as_bob = ["--user", "bob", "--cwd", "/tmp", "--env", "A=b c", "--env", "EMPTY="];
    let said = exec(&as_bob, "id -u; id -G; pwd; echo $HOME $USER \"$A\" ${EMPTY-unset}; echo mine > /dev/stderr");
    assert_eq!((said.out.as_str(), said.err.as_str()), ("1000\n1000 29\n/tmp\n/tmp bob b c\n", "mine\n"));
    assert_eq!(exec(&["--env", "TERM=vt52"], "echo $TERM").ok(), "vt52\n");
    assert_eq!(exec(&[], "echo ${TERM-unset}").ok(), "unset\n");
    assert_eq!(exec(&["--user", "1000:audio"], "id -u; id -g").ok(), "1000\n29\n");
    assert_eq!(exec(&[], "grep ^CapEff /proc/self/status").ok().len(), "CapEff:\t0000000000000000\n".len());
    assert_eq!(exec(&["--user", "bob"], "grep ^CapEff /proc/self/status").ok(), "CapEff:\t0000000000000000\n");
    let table: [(&[&str], i32, &str); 11] = [
        (&["exec", "box"], 125, "error: command 'exec' requires <cmd> option\n"),
        (
            &["-c", "lxc+unix:///?socket=/no", "exec", "box", "--", "id"],
            125,
            "error: failed to connect to the hypervisor\nerror: Failed to connect socket to '/no': No such file or directory\n",
        ),
        (&["exec", "box", "--", "sh", "-c", "exit 7"], 7, ""),
        (&["exec", "box", "--", "sh", "-c", "kill -9 $$"], 137, ""),
        (&["exec", "box", "--", "nosuch"], 127, "error: cannot execute 'nosuch': No such file or directory\n"),
        (&["exec", "box", "--", "/etc/passwd"], 126, "error: cannot execute '/etc/passwd': Permission denied\n"),
        (&["exec", "box", "--user", "ghost", "--", "id"], 125, "error: User ghost doesn't exist\n"),
        (
            &["exec", "box", "--cwd", "/no", "--", "id"],
            125,
            "error: Unable to change to the directory '/no': No such file or directory\n",
        ),
        (&["exec", "box", "--env", "X", "--", "id"], 125, "error: --env 'X' is no variable: NAME=VALUE is\n"),
        (&["exec", "ghost", "--", "id"], 125, "error: failed to get domain 'ghost'\n"),
        (
            &["-r", "exec", "box", "--", "id"],
            125,
            "error: operation forbidden: read only access prevents virtlxcDomainRun\n",
        ),
    ];
    for (line, code, err) in table {
        let said = virsh(line);
        assert_eq!((said.code, said.err.as_str(), said.out.as_str()), (code, err, ""), "{said}");
    }
    virsh(&["suspend", "box"]).ok();
    assert!(exec(&[], "true").failure().contains("domain is paused"));
    virsh(&["resume", "box"]).ok();
    // A command that is running when the container ends is told so.
    let mut waiting = start(&["--", "sh", "-c", "echo begun; exec sleep 1000"], Stdio::piped());
    wait_for(&mut waiting, "begun");
    virsh(&["destroy", "box"]).ok();
    assert_eq!(waiting.wait().unwrap().code(), Some(137));
    assert!(exec(&[], "true").failure().contains("domain is not running"));
    nothing_is_left();
}

fn start(words: &[&str], input: Stdio) -> Child {
    let mut command = Command::new(ours("virsh"));
    command.args(["exec", "box"]).args(words).stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Reads the command's output up to a line.
fn wait_for(child: &mut Child, line: &str) {
    use std::io::{BufRead, BufReader};
    let output = child.stdout.take().unwrap();
    let mut reader = BufReader::new(output);
    let mut found = String::new();
    while found.trim() != line {
        found.clear();
        assert!(reader.read_line(&mut found).unwrap() > 0, "it ended before it said '{line}'");
    }
    child.stdout = Some(reader.into_inner());
}

#[test]
fn much_data_goes_both_ways_and_the_end_of_input_is_one() {
    sandbox::require();
    let _daemon = Daemon::start();
    running();
    let data: Vec<u8> = (0..20_000_000u32).map(|number| (number % 251) as u8).collect();
    fs::write("/tmp/data", &data).unwrap();
    program::shell(&format!("{} exec box -- cat < /tmp/data | cmp - /tmp/data", ours("virsh").display())).ok();
    let mut command = Command::new(ours("virsh"));
    command.args(["exec", "box", "--", "sh", "-c", "wc -c; echo after"]);
    assert_eq!(program::finish(command, &data[..1_000_000], PATIENCE).ok(), "1000000\nafter\n");
    // One that reads nothing holds up nobody, and its end is seen.
    program::shell(&format!("{} exec box -- true < /tmp/data", ours("virsh").display())).ok();
    // What a command leaves running does not keep its client.
    assert_eq!(exec(&[], "sleep 1000 & echo over").ok(), "over\n");
    nothing_is_left();
}

#[test]
fn signals_reach_a_command_that_does_not_read() {
    sandbox::require();
    let _daemon = Daemon::start();
    running();
    for (signal, kind) in [(rustix::process::Signal::INT, "INT"), (rustix::process::Signal::TERM, "TERM")] {
        let line = format!("trap 'echo told; exit 5' {kind}; echo begun; while :; do sleep 0.05; done");
        let mut child = start(&["--", "sh", "-c", &line], fs::File::open("/dev/zero").unwrap().into());
        wait_for(&mut child, "begun");
        program::kill(child.id(), signal);
        wait_for(&mut child, "told");
        assert_eq!(child.wait().unwrap().code(), Some(5));
    }
    nothing_is_left();
}

#[test]
fn a_terminal_is_the_containers_own() {
    sandbox::require();
    let _daemon = Daemon::start();
    running();
    let mut command = Command::new(ours("virsh"));
    let mut terminal =
        Terminal::start(command.args(["exec", "box", "--tty", "--", "sh"]).env("TERM", "vt100")).unwrap();
    terminal.prompt(PATIENCE).unwrap();
    terminal.type_in("stty size; tty; echo kind-$TERM\r").unwrap();
    terminal.expect("\n24 80\n/dev/pts/", PATIENCE).unwrap();
    terminal.expect("kind-vt100", PATIENCE).unwrap();
    terminal.resize(50, 132).unwrap();
    let wide = "until [ \"$(stty size)\" = '50 132' ]; do sleep 0.05; done; echo wi''de\r";
    terminal.type_in(wide).unwrap();
    terminal.expect("\nwide\n", PATIENCE).unwrap();
    // An interrupt is for what runs in the foreground, not for virsh.
    terminal.type_in("sleep 1000\r").unwrap();
    // Beside init.
    eventually("it sleeps", PATIENCE, || (program::shell("pgrep -cx sleep").out.trim() == "2").then_some(()));
    terminal.type_in("\u{3}").unwrap();
    terminal.type_in("echo ba''ck; exit 3\r").unwrap();
    terminal.expect("\nback\n", PATIENCE).unwrap();
    assert_eq!(terminal.wait(PATIENCE), Some(3));
    assert!(terminal.is_cooked().unwrap(), "the terminal is not restored");
    nothing_is_left();
}

#[test]
fn a_client_that_is_killed_takes_its_command_along() {
    sandbox::require();
    let _daemon = Daemon::start();
    running();
    let stubborn = "trap '' HUP INT TERM QUIT; echo begun; while :; do sleep 0.05; done";
    for options in [&[][..], &["--tty"]] {
        let mut child = start(&[options, &["--", "sh", "-c", stubborn]].concat(), Stdio::piped());
        wait_for(&mut child, "begun");
        assert_eq!(helpers().len(), 1);
        child.kill().unwrap();
        child.wait().unwrap();
        nothing_is_left();
        eventually("the command has gone too", PATIENCE, || {
            let left = exec(&[], "ps | grep -v grep | grep -c 'trap .. HUP'").out;
            (left.trim() == "0").then_some(())
        });
        nothing_is_left();
    }
    // A polite one is told, and may put things in order.
    let polite = "trap 'touch /tmp/told; exit' HUP; echo begun; while :; do sleep 0.05; done";
    let mut child = start(&["--", "sh", "-c", polite], Stdio::piped());
    wait_for(&mut child, "begun");
    child.kill().unwrap();
    child.wait().unwrap();
    eventually("the command was told", PATIENCE, || Path::new(ROOT).join("tmp/told").exists().then_some(()));
    nothing_is_left();
}

#[test]
fn the_daemons_end_is_the_clients_end() {
    sandbox::require();
    let daemon = Daemon::start();
    running();
    let mut child = start(&["--", "sh", "-c", "echo begun; exec sleep 1000"], Stdio::piped());
    wait_for(&mut child, "begun");
    daemon.kill();
    assert!(ended_within(child.id(), PATIENCE), "virsh waits on");
    assert_eq!(child.wait().unwrap().code(), Some(125));
    nothing_is_left();
    // The container has not noticed.
    let _daemon = Daemon::start();
    assert_eq!(exec(&[], "echo still here").ok(), "still here\n");
}

#[test]
fn many_at_once() {
    sandbox::require();
    let daemon = Daemon::start();
    running();
    exec(&[], "true").ok();
    let open = || fs::read_dir(format!("/proc/{}/fd", daemon.pid())).unwrap().count();
    let before = open();
    let line = "seq 1 20000; echo error-$0 >&2; exit $(($0 % 100))";
    let children: Vec<Child> =
        (0..40).map(|number| start(&["--", "sh", "-c", line, &number.to_string()], Stdio::null())).collect();
    let lines: String = (1..=20000).map(|number| format!("{number}\n")).collect();
    for (number, child) in children.into_iter().enumerate() {
        let outcome = child.wait_with_output().unwrap();
        assert_eq!(outcome.status.code(), Some(number as i32 % 100));
        assert!(String::from_utf8_lossy(&outcome.stdout) == lines, "output of {number} differs");
        assert_eq!(String::from_utf8_lossy(&outcome.stderr), format!("error-{number}\n"));
    }
    nothing_is_left();
    eventually("the daemon has closed what it opened", PATIENCE, || (open() <= before).then_some(()));
}

#[test]
fn with_ids_of_its_own() {
    sandbox::require();
    let _daemon = Daemon::start();
    mapped();
    let guest = Guest::of("box");
    assert_eq!(exec(&[], "id -u; cat /proc/self/uid_map | tr -s ' '").ok(), "0\n 0 100000 65536\n");
    assert_eq!(exec(&[], "readlink /proc/self/ns/user").ok().trim(), namespace(guest.init, "user"));
    assert_eq!(exec(&["--user", "1000"], "id -u; echo out > /dev/stdout").ok(), "1000\nout\n");
    let mut child = start(&["--user", "1000", "--", "sh", "-c", "echo begun; exec sleep 77777"], Stdio::piped());
    wait_for(&mut child, "begun");
    // Its shell has said so before it became that.
    eventually("it sleeps", PATIENCE, || (program::shell("pgrep -fx 'sleep 77777'").code == 0).then_some(()));
    assert_eq!(program::shell("ps -o uid= -p $(pgrep -fx 'sleep 77777')").ok().trim(), "101000");
    child.kill().unwrap();
    child.wait().unwrap();
    nothing_is_left();
}

/// A container that maps ids, on a file system that can.
fn mapped() {
    image::busybox(Path::new(ROOT), "exec sleep 100000").unwrap();
    let map =
        "<idmap><uid start='0' target='100000' count='65536'/><gid start='0' target='200000' count='65536'/></idmap>";
    fs::create_dir_all("/opt/mapped").unwrap();
    program::shell("mount -t tmpfs -o mode=755 mapped /opt/mapped && cp -a /opt/box/. /opt/mapped/").ok();
    let document = domain("box", "/opt/mapped", &["/init"], "").replace("<devices>", &format!("{map}<devices>"));
    virsh(&["define", &file("box.xml", &document)]).ok();
    virsh(&["start", "box"]).ok();
}

#[test]
fn a_container_that_has_divided_its_group_takes_a_command_beside_its_init() {
    sandbox::require();
    let _daemon = Daemon::start();
    mapped();
    let divide = "for at in /sys/fs/cgroup /sys/fs/cgroup/unified; do [ -e $at/cgroup.procs ] || continue; \
                  mkdir $at/own; for pid in $(cat $at/cgroup.procs); do echo $pid > $at/own/cgroup.procs; done; \
                  for one in $(cat $at/cgroup.controllers); do echo +$one > $at/cgroup.subtree_control; done; done; true";
    exec(&[], divide);
    assert_eq!(exec(&[], "cat /proc/self/cgroup").ok(), exec(&[], "cat /proc/1/cgroup").ok());
}

#[test]
fn output_that_nobody_takes_ends_the_command() {
    sandbox::require();
    let _daemon = Daemon::start();
    running();
    let virsh = ours("virsh").display().to_string();
    let piped = format!("{{ {virsh} exec box -- yes; echo $? > /tmp/status; }} | head -n 1");
    assert_eq!(program::shell(&piped).ok(), "y\n");
    eventually("virsh ends", PATIENCE, || (fs::read_to_string("/tmp/status").ok()? == "141\n").then_some(()));
    let said = program::shell(&format!("{virsh} exec box -- yes > /dev/full"));
    assert_eq!(said.code, 125, "{said}");
    assert!(said.err.contains("No space left on device"), "{said}");
    nothing_is_left();
}

#[test]
fn the_last_command_of_a_line_counts() {
    sandbox::require();
    let _daemon = Daemon::start();
    running();
    for (line, status) in [
        ("exec box -- true; nosuch", 1),
        ("exec box -- true; dominfo", 1),
        ("exec box -- true; exec box", 125),
        ("exec box -- true; exec ghost -- true", 125),
        ("exec box -- false; echo", 0),
    ] {
        assert_eq!(virsh(&[line]).code, status, "{line}");
    }
}

#[test]
fn libvirts_daemon_is_said_to_have_no_such_thing() {
    sandbox::require();
    let _daemon = Libvirtd::start();
    image::busybox(Path::new(ROOT), "exec sleep 1000").unwrap();
    debian_virsh(&["define", &file("box.xml", &domain("box", ROOT, &["/init"], ""))]).ok();
    let said = virsh(&["exec", "box", "--", "true"]);
    assert_eq!(said.code, 125, "{said}");
    assert!(said.err.contains("is not virtlxcd: it knows no commands inside containers"), "{said}");
}

#[test]
fn a_word_of_input_is_answered_while_more_may_come() {
    sandbox::require();
    let _daemon = Daemon::start();
    running();
    let mut child = start(&["--", "sh", "-c", "while read -r word; do echo got-$word; done; echo end"], Stdio::piped());
    let mut input = child.stdin.take().unwrap();
    for word in ["one", "two"] {
        writeln!(input, "{word}").unwrap();
        wait_for(&mut child, &format!("got-{word}"));
    }
    drop(input);
    wait_for(&mut child, "end");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
