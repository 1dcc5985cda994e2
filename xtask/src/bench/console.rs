//! How fast a container's output comes through its console to a client, beside a terminal of the kernel's alone with a thread
//! that writes and one that reads: one that sleeps for each piece, as programs do, and one that does nothing but look for more.

use super::ROOT;
use super::daemons::{Client, controller, processor_time};
use crate::Result;
use ::tests::daemon::Daemon;
use ::tests::documents::domain;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use serde_json::{Value, json};
use std::io::Write;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

/// So long each time.
const TIME: Duration = Duration::from_secs(2);

pub fn measure(runs: usize) -> Result<Value> {
    let daemon = Daemon::start();
    let client = Client::open()?;
    let flood = ["/bin/sh", "-c", "while :; do dd if=/dev/zero bs=65536 count=1000000 2>/dev/null; done"];
    let dom = client.define(&domain("bench", ROOT, &flood, ""))?;
    let (mut alone, mut awake, mut through) = (Vec::new(), Vec::new(), Vec::new());
    let (mut of_daemon, mut of_controller) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        for (rates, reader) in [(&mut alone, Reader::Sleeps), (&mut awake, Reader::Looks)] {
            rates.push(terminal(reader).map_err(|error| format!("a terminal: {error}"))?);
        }
        client.start(&dom)?;
        let stream = client.console(&dom)?;
        let programs = [daemon.pid().to_string(), controller("bench")];
        let before = programs.each_ref().map(|pid| processor_time(pid));
        let begun = Instant::now();
        let mut bytes = 0;
        while begun.elapsed() < TIME {
            bytes += stream.recv().map_err(|error| format!("reading the console: {error}"))?.len();
        }
        through.push(bytes as f64 / begun.elapsed().as_secs_f64() / 1e6);
        let used = programs.each_ref().map(|pid| processor_time(pid));
        let per_megabyte = |at: usize| (used[at] - before[at]).as_secs_f64() * 1000.0 / (bytes as f64 / 1e6);
        of_daemon.push(per_megabyte(0));
        of_controller.push(per_megabyte(1));
        drop(stream);
        client.destroy(&dom)?;
    }
    let rounded = |value: f64| (value * 100.0).round() / 100.0;
    let most = |rates: &[f64]| rounded(rates.iter().copied().fold(0.0, f64::max));
    let least = |times: &[f64]| rounded(times.iter().copied().fold(f64::INFINITY, f64::min));
    Ok(json!({
        "unit": "MB/s, the best of all runs; and milliseconds of a processor for each MB",
        "runs": runs,
        "terminal_alone": most(&alone),
        "terminal_alone_reader_awake": most(&awake),
        "console": most(&through),
        "daemon_on_processor": least(&of_daemon),
        "controller_on_processor": least(&of_controller),
    }))
}

/// What the reader of a terminal does when there is nothing to be read.
#[derive(Clone, Copy)]
enum Reader {
    Sleeps,
    Looks,
}

/// The kernel's part in MB/s: bytes written to a terminal as it is when new, and read at its other end.
fn terminal(reader: Reader) -> std::io::Result<f64> {
    let devpts = linux::beneath::host(Path::new("/dev/pts"))?;
    let pty = linux::pty::Pty::new(devpts.as_fd())?;
    let slave = std::fs::File::from(pty.slave);
    let ends = Instant::now() + TIME;
    let writer = std::thread::spawn(move || {
        let zeros = [0; 65_536];
        // Until the other end is closed.
        while (&slave).write_all(&zeros).is_ok() {}
    });
    let (begun, mut bytes, mut buffer) = (Instant::now(), 0, [0; 65_536]);
    while Instant::now() < ends {
        if matches!(reader, Reader::Looks) && rustix::io::ioctl_fionread(&pty.master)? == 0 {
            std::hint::spin_loop();
            continue;
        }
        match rustix::io::read(&pty.master, &mut buffer) {
            Ok(count) => bytes += count,
            Err(Errno::AGAIN) => _ = poll(&mut [PollFd::new(&pty.master, PollFlags::IN)], None)?,
            Err(errno) => return Err(errno.into()),
        }
    }
    let rate = bytes as f64 / begun.elapsed().as_secs_f64() / 1e6;
    drop(pty.master);
    _ = writer.join();
    Ok(rate)
}
