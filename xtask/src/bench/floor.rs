//! The kernel's work alone: what no container manager gets around, done by one process with nothing else to do.
//!
//! Namespaces, a cgroup in each hierarchy with limits and device rules, a root with `/proc`, `/sys`, `/dev` and its devices
//! and terminals, the cgroups shown inside, a new root, a program. A process of its own does it, for only a process with one
//! thread can be copied.

use super::{ROOT, SLEEP, summary};
use crate::{Result, run};
use linux::process::{Child, clone, namespace};
use rustix::fs::{CWD, FileType, Mode};
use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags};
use rustix::process::{Signal, pidfd_send_signal};
use serde_json::{Value, json};
use std::ffi::CString;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

#[derive(Default)]
pub struct Figures {
    start: Vec<Duration>,
    start_net: Vec<Duration>,
    destroy: Vec<Duration>,
}

impl Figures {
    pub fn add(&mut self, other: Figures) {
        self.start.extend(other.start);
        self.start_net.extend(other.start_net);
        self.destroy.extend(other.destroy);
    }

    pub fn json(&self) -> Value {
        json!({
            "name": "the kernel alone",
            "start": summary(&self.start),
            "start_net": summary(&self.start_net),
            "destroy": summary(&self.destroy),
        })
    }
}

/// Measures in a process of its own.
pub fn measure(runs: usize) -> Result<Figures> {
    let times = |with: &str| -> Result<Vec<Vec<Duration>>> {
        let text = run::output(run::ourselves()?.args(["bench-floor", &runs.to_string(), with]))?;
        let line = |line: &str| {
            line.split_whitespace().filter_map(|word| word.parse().ok()).map(Duration::from_nanos).collect()
        };
        Ok(text.lines().map(line).collect())
    };
    let (plain, net) = (times("without")?, times("net")?);
    let of = |all: &[Vec<Duration>], at: usize| all.get(at).cloned().unwrap_or_default();
    Ok(Figures { start: of(&plain, 0), destroy: of(&plain, 1), start_net: of(&net, 0) })
}

/// The process: a line of times in nanoseconds for the starts, one for the ends.
pub fn command(arguments: &[String]) -> Result<u8> {
    let [runs, with] = arguments else { return Err("bench-floor was told too little".into()) };
    let runs: usize = runs.parse().map_err(|_| "bench-floor: a number is needed".to_string())?;
    let groups = groups()?;
    let (mut starts, mut ends) = (String::new(), String::new());
    for _ in 0..runs {
        let begun = Instant::now();
        let child = start(&groups, with == "net").map_err(|error| format!("the kernel's work: {error}"))?;
        starts += &format!("{} ", begun.elapsed().as_nanos());
        let begun = Instant::now();
        end(&groups, child).map_err(|error| format!("the kernel's work: {error}"))?;
        ends += &format!("{} ", begun.elapsed().as_nanos());
    }
    println!("{starts}\n{ends}");
    Ok(0)
}

/// A folder for the container in each hierarchy that has controllers, and the controller's name.
fn groups() -> Result<Vec<(String, PathBuf)>> {
    let mut groups = Vec::new();
    for hierarchy in crate::sandbox::hierarchies()? {
        let folder = hierarchy.mounted_at.join("floor");
        match hierarchy.controllers {
            Some(name) if name.starts_with("name=") => {}
            Some(name) => groups.push((name, folder)),
            None => {}
        }
    }
    Ok(groups)
}

fn start(groups: &[(String, PathBuf)], net: bool) -> io::Result<Child> {
    let (mut go_on, tell) = pipe()?;
    let (mut running, started) = pipe()?;
    let mut namespaces = namespace::MOUNT | namespace::PID | namespace::UTS | namespace::IPC;
    if net {
        namespaces |= namespace::NETWORK;
    }
    let Some(child) = clone(namespaces, None)? else {
        drop(tell);
        let error = go_on.read_exact(&mut [0]).and_then(|()| build(groups)).err().unwrap_or_else(|| {
            let word = |word: &str| CString::new(word).unwrap_or_default();
            // Close-on-exec, the pipe tells that the program runs.
            linux::process::execute(&word(SLEEP[0]), &SLEEP.map(word), &[])
        });
        _ = (&started).write_all(error.to_string().as_bytes());
        linux::process::exit_at_once(1);
    };
    drop(started);
    for (controllers, folder) in groups {
        fill(controllers, folder, child.pid)?;
    }
    (&tell).write_all(b"g")?;
    let mut words = String::new();
    running.read_to_string(&mut words)?;
    match words.is_empty() {
        true => Ok(child),
        false => Err(io::Error::other(words)),
    }
}

fn pipe() -> io::Result<(fs::File, fs::File)> {
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    Ok((read.into(), write.into()))
}

fn fill(controllers: &str, folder: &Path, pid: rustix::process::Pid) -> io::Result<()> {
    fs::create_dir(folder)?;
    for controller in controllers.split(',') {
        match controller {
            "cpuset" => {
                for name in ["cpuset.cpus", "cpuset.mems"] {
                    let above = folder.parent().unwrap_or(folder);
                    fs::write(folder.join(name), fs::read(above.join(name))?)?;
                }
            }
            "memory" => fs::write(folder.join("memory.limit_in_bytes"), "512000000")?,
            "devices" => {
                fs::write(folder.join("devices.deny"), "a")?;
                let mut allow = fs::OpenOptions::new().write(true).open(folder.join("devices.allow"))?;
                for rule in linux::cgroup::DeviceRule::CUSTOMARY {
                    allow.write_all(rule.to_string().as_bytes())?;
                }
            }
            _ => {}
        }
    }
    fs::write(folder.join("cgroup.procs"), pid.as_raw_nonzero().to_string())
}

/// In the new namespaces.
fn build(groups: &[(String, PathBuf)]) -> io::Result<()> {
    const DEVICES: [(&str, u32, u32); 6] =
        [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];
    let mount = |kind: &str, at: &Path, flags: MountFlags, options: &str| {
        rustix::mount::mount(kind, at, kind, flags, CString::new(options).unwrap_or_default().as_c_str())
    };
    let hardened = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    rustix::mount::mount_change("/", MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC)?;
    let root = Path::new(ROOT);
    rustix::mount::mount_bind_recursive(root, root)?;
    let proc = root.join("proc");
    mount("proc", &proc, hardened, "")?;
    rustix::mount::mount_bind(proc.join("sys"), proc.join("sys"))?;
    rustix::mount::mount_remount(proc.join("sys"), MountFlags::BIND | MountFlags::RDONLY, "")?;
    mount("sysfs", &root.join("sys"), MountFlags::RDONLY, "")?;
    let dev = root.join("dev");
    mount("tmpfs", &dev, MountFlags::empty(), "mode=755,size=64k")?;
    for (name, major, minor) in DEVICES {
        let device = rustix::fs::makedev(major, minor);
        rustix::fs::mknodat(CWD, dev.join(name), FileType::CharacterDevice, Mode::from_raw_mode(0o666), device)?;
    }
    fs::create_dir(dev.join("pts"))?;
    mount("devpts", &dev.join("pts"), MountFlags::empty(), "newinstance,ptmxmode=0666,mode=620")?;
    let shown = root.join("sys/fs/cgroup");
    mount("tmpfs", &shown, MountFlags::empty(), "size=64k")?;
    for (name, folder) in groups {
        fs::create_dir(shown.join(name))?;
        rustix::mount::mount_bind(folder, shown.join(name))?;
    }
    std::env::set_current_dir(root)?;
    rustix::process::pivot_root(".", ".")?;
    rustix::mount::unmount(".", UnmountFlags::DETACH)?;
    std::env::set_current_dir("/")?;
    Ok(rustix::system::sethostname(b"x")?)
}

fn end(groups: &[(String, PathBuf)], child: Child) -> io::Result<()> {
    pidfd_send_signal(&child.pidfd, Signal::KILL)?;
    linux::process::wait(child.pid)?;
    for (_, folder) in groups {
        fs::remove_dir(folder)?;
    }
    Ok(())
}
