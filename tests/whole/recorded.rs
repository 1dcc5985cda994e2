//! Conversations with libvirt's own virsh and daemon, recorded, and held again: each command with what it printed, said
//! and returned. `tests/recorded/*.txt` holds them in order, since each finds what the ones before it have left.
//!
//! A line begins with what it is: `!` a command that only prepares, `$` one whose behaviour is recorded, `<` its input,
//! `|` a line of its output, `*` a line of its complaints, `=` its status, `~` why our virsh is to differ, `@` why our
//! daemon is to. Who does as recorded in spite of such a mark fails the test, so that no mark outlives its reason. `?` says
//! what the answer waits for: such a command is given again until it answers as it should. Numbers that differ from run to
//! run, as ids, are compared as `#`.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};
use tests::daemon::{DEBIAN_VIRSH, Daemon, Libvirtd};
use tests::program::{self, Outcome, ours};
use tests::{image, sandbox};

const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/recorded");
/// The root folder and the disk image that the recorded documents name.
const PLACE: &str = "/opt/recorded";
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Case {
    line: usize,
    command: String,
    recorded: bool,
    input: String,
    out: String,
    err: String,
    status: i32,
    /// Marks that apply to our client and to our daemon.
    our_virsh_differs: bool,
    our_daemon_differs: bool,
    /// Given again until it answers as it should.
    awaited: bool,
}

impl Case {
    fn is_answered_by(&self, outcome: &Outcome) -> bool {
        !outcome.late
            && outcome.code == self.status
            && essence(&outcome.out) == essence(&self.out)
            && essence(&outcome.err) == essence(&self.err)
    }
}

/// Who answers.
#[derive(Clone, Copy, PartialEq)]
enum Answering {
    OurDaemon,
    DebiansDaemon,
}

fn cases(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let Some((mark, rest)) = line.split_at_checked(1) else { continue };
        if matches!(mark, "$" | "!") {
            let command = rest.trim_start().to_string();
            cases.push(Case { line: at + 1, command, recorded: mark == "$", ..Case::default() });
        }
        let Some(case) = cases.last_mut() else { continue };
        match mark {
            "<" => case.input = rest.replace("\\n", "\n"),
            "|" => _ = writeln!(case.out, "{rest}"),
            "*" => _ = writeln!(case.err, "{rest}"),
            "~" => case.our_virsh_differs = true,
            "@" => case.our_daemon_differs = true,
            "?" => case.awaited = true,
            "=" => case.status = rest.trim().parse().unwrap(),
            _ => {}
        }
    }
    cases
}

/// An interface's counters, as `domifstat` names them.
const COUNTERS: [&str; 8] =
    [" rx_bytes ", " rx_packets ", " rx_errs ", " rx_drop ", " tx_bytes ", " tx_packets ", " tx_errs ", " tx_drop "];

/// Without what differs from one run to the next: long numbers, names of devices, the widths that follow from them, what has
/// passed an interface, where the machine's own announcements come by, how many processors there are.
fn essence(text: &str) -> String {
    let mut out = String::new();
    // What our virsh adds: the place of a fault, and what was dropped.
    let added = |line: &&str| line.starts_with("error: at /") || line.starts_with("warning: line ");
    for line in text.trim_end().lines().filter(|line| !added(line)) {
        // Where the emulator is installed differs from one system to the next.
        let emulator = line.trim_start().strip_prefix("<emulator>").is_some_and(|rest| rest.ends_with("</emulator>"));
        let mut line = if emulator { "<emulator>#</emulator>".to_string() } else { line.to_string() };
        // On a slow machine it is a tenth of a second.
        if line.starts_with("CPU time:") {
            line = "CPU time: #".into();
        }
        if line.strip_prefix("CPU").and_then(|rest| rest.strip_suffix(':')).is_some_and(is_number) {
            line = "CPU#:".into();
        }
        for prefix in ["vnet", "/dev/pts/", "/tmp/virsh", "Child process (", "vnet#_", "rx_drop ", "(min: 0, max: "] {
            if let Some(at) = line.find(prefix) {
                let end = at + prefix.len();
                let tail: String = line[end..].trim_start().trim_start_matches(|c: char| c.is_ascii_digit()).into();
                line = format!("{}#{tail}", &line[..end]);
            }
        }
        if COUNTERS.iter().any(|counter| line.contains(counter)) {
            line.truncate(line.trim_end().trim_end_matches(|c: char| c.is_ascii_digit()).len());
        }
        let mut digits = String::new();
        let flush = |digits: &mut String, out: &mut String| {
            out.push_str(if digits.len() > 2 { "#" } else { digits });
            digits.clear();
        };
        let mut last = ' ';
        for c in line.trim_end().chars() {
            match c {
                '0'..='9' => digits.push(c),
                ' ' | '-' if c == last => {}
                c => {
                    flush(&mut digits, &mut out);
                    out.push(c);
                }
            }
            last = c;
        }
        flush(&mut digits, &mut out);
        out.push('\n');
    }
    // As many as the machine has.
    const PROCESSOR: &str = "CPU#:\n\tcpu_time 0.# seconds\n";
    let several = PROCESSOR.repeat(2);
    while out.contains(&several) {
        out = out.replace(&several, PROCESSOR);
    }
    out
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Puts this virsh first on the path, and what the documents need into place.
fn prepare(virsh: &Path) -> String {
    sandbox::require();
    image::busybox(&Path::new(PLACE).join("root"), "exec /bin/sh").unwrap();
    let image = fs::File::create(Path::new(PLACE).join("img.raw")).unwrap();
    image.set_len(8 << 20).unwrap();
    let bin = Path::new(PLACE).join("bin");
    fs::create_dir_all(&bin).unwrap();
    std::os::unix::fs::symlink(virsh, bin.join("virsh")).unwrap();
    format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default())
}

fn hold(file: &str, virsh: &Path, answering: Answering) {
    let path = prepare(virsh);
    let ours = virsh != Path::new(DEBIAN_VIRSH);
    let text = fs::read_to_string(Path::new(RECORDED).join(file)).unwrap();
    let (mut total, mut matched, mut complaints) = (0, 0, String::new());
    for case in cases(&text) {
        let command = || {
            let mut command = Command::new("sh");
            command.arg("-c").arg(&case.command).current_dir(Path::new(RECORDED).join("files"));
            command.env("PATH", &path).env("LIBVIRT_DEFAULT_URI", "lxc:///").env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
            command
        };
        let marked = (case.our_virsh_differs && ours) || (case.our_daemon_differs && answering == Answering::OurDaemon);
        let deadline = Instant::now() + PATIENCE;
        let (outcome, same) = loop {
            let outcome = program::observe(command(), case.input.as_bytes(), PATIENCE).unwrap();
            let same = case.is_answered_by(&outcome);
            if same != marked || !case.awaited || Instant::now() >= deadline {
                break (outcome, same);
            }
            thread::sleep(Duration::from_millis(100));
        };
        if !case.recorded {
            if outcome.late {
                _ = writeln!(complaints, "{file}:{}: {}\nstill running", case.line, case.command);
            }
            continue;
        }
        total += 1;
        if same != marked && !outcome.late {
            matched += 1;
        } else {
            let why = if same { "as recorded, though it is marked; " } else { "" };
            _ = writeln!(
                complaints,
                "{file}:{}: {}\n{why}recorded, status {}:\n{}{}now, status {}:\n{}{}",
                case.line, case.command, case.status, case.out, case.err, outcome.code, outcome.out, outcome.err
            );
        }
    }
    println!("{file}: {matched} of {total} as expected");
    assert!(complaints.is_empty(), "{complaints}{file}: {matched} of {total} as expected");
}

/// One conversation with each pair of client and daemon. Debian's own pair shows that the record is one of behaviour, not
/// of chance: `cargo xtask test reference`.
macro_rules! conversations {
    ($($name:ident = $file:literal;)*) => {
        mod debians_virsh_with_debians_daemon {$(
            #[test]
            fn $name() {
                let _daemon = super::debians_daemon();
                super::hold($file, std::path::Path::new(super::DEBIAN_VIRSH), super::Answering::DebiansDaemon);
            }
        )*}
        mod our_virsh_with_debians_daemon {$(
            #[test]
            fn $name() {
                let _daemon = super::debians_daemon();
                super::hold($file, &super::ours("virsh"), super::Answering::DebiansDaemon);
            }
        )*}
        mod debians_virsh_with_our_daemon {$(
            #[test]
            fn $name() {
                super::sandbox::require();
                let _daemon = super::our_daemon();
                super::hold($file, std::path::Path::new(super::DEBIAN_VIRSH), super::Answering::OurDaemon);
            }
        )*}
        mod our_virsh_with_our_daemon {$(
            #[test]
            fn $name() {
                super::sandbox::require();
                let _daemon = super::our_daemon();
                super::hold($file, &super::ours("virsh"), super::Answering::OurDaemon);
            }
        )*}
    };
}

conversations! {
    lifecycle = "01-list-lifecycle.txt";
    statistics = "02-info-stats.txt";
    tuning = "03-tune-metadata.txt";
    devices = "04-devices.txt";
    networks = "06-net.txt";
    network_updates = "07-net-update.txt";
    host = "09-nwfilter-host.txt";
    errors = "11-errors-help.txt";
    shells = "13-misc.txt";
    beside = "14-beside.txt";
    wrong_usage = "15-errors.txt";
}

fn debians_daemon() -> Libvirtd {
    sandbox::require();
    let daemon = Libvirtd::start();
    program::run(DEBIAN_VIRSH, &["-c", "lxc:///", "net-start", "default"]);
    daemon
}

fn our_daemon() -> Daemon {
    let daemon = Daemon::start();
    // Ours starts it, and marks it for autostart; in the record it is started by hand.
    program::run(DEBIAN_VIRSH, &["-c", "lxc:///", "net-autostart", "--disable", "default"]);
    daemon
}
