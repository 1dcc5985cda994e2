//! The container's own view of memory, processors and time, in place of the machine's files under `/proc` and `/sys`.
//!
//! Texts are made from the machine's file and from what the container's group has used: [`memory`], [`processors`] and
//! [`time`] are pure functions from text to text, so each is seen through without a container. This module gathers what
//! they need, and serves the texts by FUSE from the controller's poll loop. Nothing is done until somebody reads.
//!
//! Numbers of processors stay the machine's own, here as in sched_getaffinity(2) and under `/sys`; a quota of time shows as
//! that many of them, rounded up, as programs size their pools by what they count.

mod memory;
mod processors;
mod time;

use linux::cgroup::{Controller, Group, UNLIMITED};
use linux::fuse::Server;
use linux::mount::Detached;
use std::fs;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The files of the folder that is mounted, each with the path where a container expects it.
pub const FILES: [(&str, &str); 7] = [
    ("meminfo", "/proc/meminfo"),
    ("cpuinfo", "/proc/cpuinfo"),
    ("stat", "/proc/stat"),
    ("uptime", "/proc/uptime"),
    ("loadavg", "/proc/loadavg"),
    ("swaps", "/proc/swaps"),
    ("online", "/sys/devices/system/cpu/online"),
];

const NAMES: [&str; 7] = [FILES[0].0, FILES[1].0, FILES[2].0, FILES[3].0, FILES[4].0, FILES[5].0, FILES[6].0];

pub struct ProcView {
    server: Server,
    source: Source,
}

impl ProcView {
    /// The view of a container whose limits are those of the group, or, where there is none, `memory` in bytes.
    /// The folder that comes with it holds the files; from when it is attached on, [`ProcView::ready`] has to be called.
    pub fn new(proc: &Path, sys: &Path, group: Group, memory: u64) -> io::Result<(ProcView, Detached)> {
        let (server, folder) = Server::new(&NAMES)?;
        let source = Source {
            proc: proc.to_path_buf(),
            sys: sys.to_path_buf(),
            group,
            memory,
            begun: Instant::now(),
            load: time::Load::default(),
        };
        let mut view = ProcView { server, source };
        // The kernel's greeting is there already. Answered now, it keeps nobody waiting when the files are attached.
        view.ready()?;
        Ok((view, folder))
    }

    /// Readable when the container reads.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.server.fd()
    }

    /// Answers what was asked meanwhile; false when the container has let go of the files for ever. An error is no reason
    /// to end: the container only loses the files.
    pub fn ready(&mut self) -> io::Result<bool> {
        let source = &mut self.source;
        self.server.ready(&mut |file| source.text(file))
    }
}

/// Where the texts come from.
struct Source {
    proc: PathBuf,
    sys: PathBuf,
    group: Group,
    /// The domain's memory, where no controller limits it.
    memory: u64,
    begun: Instant,
    load: time::Load,
}

impl Source {
    fn text(&mut self, file: usize) -> io::Result<Vec<u8>> {
        let host = || self.host_file(file);
        let text = match NAMES.get(file).copied().unwrap_or_default() {
            "meminfo" => memory::meminfo(&host()?, &self.memory_facts()),
            "swaps" => memory::swaps(&host()?, &self.memory_facts()),
            "cpuinfo" => processors::cpuinfo(&host()?, &self.processors()?),
            "online" => processors::list(&self.processors()?),
            "stat" => {
                let shown = self.processors()?;
                let times = processors::Times {
                    each: self.group.cpu_time_of_each().ok().flatten(),
                    total: self.group.cpu_time().map_err(io::Error::other)?,
                    since: self.begun.elapsed(),
                };
                let tasks = self.tasks();
                processors::stat(&host()?, &shown, &times, tasks)
            }
            "uptime" => {
                let used = Duration::from_nanos(self.group.cpu_total().map_err(io::Error::other)?);
                time::uptime(self.begun.elapsed(), used, self.processors()?.len())
            }
            "loadavg" => {
                let used = Duration::from_nanos(self.group.cpu_total().map_err(io::Error::other)?);
                self.load.update(self.begun.elapsed(), used);
                time::loadavg(&self.load, self.tasks())
            }
            _ => return Err(io::ErrorKind::NotFound.into()),
        };
        Ok(text.into_bytes())
    }

    fn host_file(&self, file: usize) -> io::Result<String> {
        let Some((_, path)) = FILES.get(file) else { return Ok(String::new()) };
        let path = match path.strip_prefix("/proc/") {
            Some(name) => self.proc.join(name),
            None => self.sys.join(path.trim_start_matches("/sys/")),
        };
        fs::read_to_string(path)
    }

    fn memory_facts(&self) -> memory::Facts {
        let used = self.group.memory().unwrap_or_default();
        let limit = self.group.memory_limit().unwrap_or(self.memory);
        let with_swap = self.group.memory_and_swap().unwrap_or(UNLIMITED);
        memory::Facts { limit, with_swap, counted: self.group.has(Controller::Memory), used }
    }

    /// The numbers of the processors that it may use, as many as its quota has time for.
    fn processors(&self) -> io::Result<Vec<u32>> {
        let online = fs::read_to_string(self.sys.join("devices/system/cpu/online"))?;
        let online = processors::parse_list(&online);
        let allowed = self.group.cpus().map(|list| processors::parse_list(&list)).unwrap_or_default();
        let quota = self.group.cpu_bandwidth().ok();
        Ok(processors::shown(&online, &allowed, quota))
    }

    /// The number of its processes.
    fn tasks(&self) -> u64 {
        self.group.task_count().unwrap_or_else(|_| self.group.processes().map_or(1, |all| all.len() as u64))
    }
}
