//! A container's init that writes what it sees to the file named by its first argument, and then waits for its end. Each line
//! is a word and what it found; `cargo xtask test` builds it static.
#![forbid(unsafe_code)]

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let mut report = String::new();
    ids(&mut report);
    namespaces(&mut report);
    lines(&mut report, "mount", "/proc/self/mounts");
    lines(&mut report, "cgroup", "/proc/self/cgroup");
    lines(&mut report, "uid_map", "/proc/self/uid_map");
    lines(&mut report, "gid_map", "/proc/self/gid_map");
    lines(&mut report, "limit", "/proc/self/limits");
    descriptors(&mut report);
    devices(&mut report, Path::new("/dev"));
    surroundings(&mut report, &arguments);
    attempts(&mut report);
    if let Some(path) = arguments.get(1) {
        // Whole or not at all: somebody waits for the file.
        let new = format!("{path}.new");
        if let Err(error) = fs::write(&new, &report).and_then(|()| fs::rename(&new, path)) {
            println!("{path}: {error}");
        }
    }
    print!("{report}");
    loop {
        std::thread::park();
    }
}

/// What can fail says so in its line.
fn line(report: &mut String, word: &str, found: std::io::Result<impl std::fmt::Display>) {
    // Writing to a string does not fail.
    _ = match found {
        Ok(value) => writeln!(report, "{word} {value}"),
        Err(error) => writeln!(report, "{word} error: {error}"),
    };
}

fn lines(report: &mut String, word: &str, path: &str) {
    match fs::read_to_string(path) {
        Ok(text) => text.lines().for_each(|found| {
            let words: Vec<&str> = found.split_whitespace().collect();
            line(report, word, Ok(words.join(" ")));
        }),
        Err(error) => line(report, word, Err::<&str, _>(error)),
    }
}

fn ids(report: &mut String) {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    for name in ["Uid", "Gid", "Groups", "NSpid", "CapInh", "CapPrm", "CapEff", "CapBnd", "Seccomp", "SigBlk", "SigIgn"]
    {
        let found = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let words: Vec<&str> = found.unwrap_or("none").split_whitespace().collect();
        line(report, name, Ok(words.join(" ")));
    }
}

fn namespaces(report: &mut String) {
    for kind in ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"] {
        let link = fs::read_link(format!("/proc/self/ns/{kind}"));
        line(report, "namespace", link.map(|link| format!("{kind} {}", link.display())));
    }
}

fn descriptors(report: &mut String) {
    let Ok(folder) = fs::read_dir("/proc/self/fd") else { return };
    let mut all: Vec<String> = folder
        .flatten()
        // The folder itself is open meanwhile, and gone when its link is read.
        .filter_map(|entry| Some((entry.file_name().into_string().ok()?, fs::read_link(entry.path()).ok()?)))
        .filter(|(_, link)| !link.to_string_lossy().ends_with("/fd"))
        .map(|(number, link)| format!("{number} {}", link.display()))
        .collect();
    all.sort();
    all.into_iter().for_each(|found| line(report, "fd", Ok(found)));
}

fn devices(report: &mut String, folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let Ok(found) = fs::symlink_metadata(&path) else { continue };
        let kind = found.file_type();
        let number = || {
            format!(
                "{}:{} {:04o}",
                rustix::fs::major(found.rdev()),
                rustix::fs::minor(found.rdev()),
                found.mode() & 0o7777
            )
        };
        let shown = if kind.is_char_device() {
            format!("c {}", number())
        } else if kind.is_block_device() {
            format!("b {}", number())
        } else if kind.is_symlink() {
            format!("-> {}", fs::read_link(&path).unwrap_or_default().display())
        } else if kind.is_dir() {
            "folder".to_string()
        } else {
            "file".to_string()
        };
        line(report, "device", Ok(format!("{} {shown} {}:{}", path.display(), found.uid(), found.gid())));
        if kind.is_dir() {
            devices(report, &path);
        }
    }
}

fn surroundings(report: &mut String, arguments: &[String]) {
    for argument in arguments {
        line(report, "argument", Ok(argument));
    }
    for (name, value) in std::env::vars() {
        line(report, "variable", Ok(format!("{name}={value}")));
    }
    line(report, "folder", std::env::current_dir().map(|folder| folder.display().to_string()));
    let system = rustix::system::uname();
    line(report, "hostname", Ok(system.nodename().to_string_lossy()));
    line(report, "machine", Ok(system.machine().to_string_lossy()));
    let meminfo = fs::read_to_string("/proc/meminfo").map(|text| text.lines().next().unwrap_or_default().to_string());
    line(report, "memory", meminfo);
    for path in ["/proc/sys/net/ipv4/ip_forward", "/proc/sys/kernel/shmmni"] {
        line(report, "sysctl", fs::read_to_string(path).map(|text| format!("{path} {}", text.trim())));
    }
    let mut names: Vec<_> =
        fs::read_dir("/sys/class/net").into_iter().flatten().flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    names.iter().for_each(|name| line(report, "link", Ok(name.to_string_lossy())));
    let mut root: Vec<_> = fs::read_dir("/").into_iter().flatten().flatten().map(|entry| entry.file_name()).collect();
    root.sort();
    root.iter().for_each(|name| line(report, "root", Ok(name.to_string_lossy())));
}

/// What a hostile guest would try; `may` where it succeeds.
fn attempts(report: &mut String) {
    let write = |path: &str, text: &str| {
        use std::io::Write as _;
        fs::OpenOptions::new().write(true).open(path).and_then(|mut file| file.write_all(text.as_bytes()))
    };
    let node = || {
        let path = "/tmp-probe-node";
        let kind = rustix::fs::FileType::BlockDevice;
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, path, kind, mode, rustix::fs::makedev(8, 0))?;
        let opened = fs::File::open(path).map(drop);
        fs::remove_file(path)?;
        opened
    };
    for (what, result) in [
        ("write /proc/sys/kernel/panic", write("/proc/sys/kernel/panic", "0")),
        ("write /proc/sysrq-trigger", write("/proc/sysrq-trigger", "h")),
        (
            "read /proc/kcore",
            fs::File::open("/proc/kcore").and_then(|mut file| std::io::Read::read_exact(&mut file, &mut [0; 4])),
        ),
        ("write /sys/kernel/uevent_helper", write("/sys/kernel/uevent_helper", "/x")),
        ("open a disk by a new node", node()),
        (
            "set the clock",
            rustix::time::clock_settime(
                rustix::time::ClockId::Realtime,
                rustix::time::clock_gettime(rustix::time::ClockId::Realtime),
            )
            .map_err(Into::into),
        ),
        ("raise the memory limit", write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "-1")),
        ("allow all devices", write("/sys/fs/cgroup/devices/devices.allow", "a")),
        ("write release_agent", write("/sys/fs/cgroup/memory/release_agent", "/x")),
    ] {
        match result {
            Ok(()) => line(report, "may", Ok(what)),
            Err(_) => line(report, "may-not", Ok(what)),
        }
    }
}
