//! The process that controllers are copied from, so that no start has to wait for a program to be loaded. It is loaded once,
//! waits for the command line that a controller would have been started with, and for the descriptors that it would have found,
//! and copies itself; the copy is the daemon's child, as any controller, and shows that line as its own.
//!
//! It holds nothing of any container, and no container's process can reach it.

use crate::failure::{Doing, Failure, Result};
use linux::cmdline::CommandLine;
use linux::{descriptor, handover, process};
use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
use std::os::fd::{AsFd, OwnedFd, RawFd};

/// In each copy: the words of a container's command line, the program's name first. None in the end, when the daemon has no
/// need for us any more.
pub fn serve(socket: RawFd) -> Result<Option<Vec<String>>> {
    let mine = descriptor::duplicate(socket).doing(|| format!("descriptor {socket} of the command line"))?;
    descriptor::close(socket);
    // Where that is not to be had the daemon does without us: others find a container's controller by its command line.
    let line = CommandLine::of_this_process().doing(|| "this kernel shows no other command line")?;
    let moves = has_every_processor();
    handover::send(mine.as_fd(), handover::READY, &[]).doing(|| "error telling that we are there")?;
    loop {
        let request = match handover::receive(mine.as_fd()) {
            Ok(None) => return Ok(None),
            Ok(request) => request,
            // More than we can hold: answered like the rest that cannot be, by none.
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => None,
            Err(error) => return Err(error).doing(|| "error waiting for a container"),
        };
        let mut words = request.iter().flat_map(|(message, _)| message.splitn(2, |byte| *byte == 0));
        let number = words.next().and_then(|number| std::str::from_utf8(number).ok()?.parse::<u64>().ok()).unwrap_or(0);
        let message = words.next().unwrap_or_default().to_vec();
        let tell = |pid: i32| {
            let answer = [&number.to_ne_bytes()[..], &pid.to_ne_bytes()].concat();
            handover::send(mine.as_fd(), &answer, &[])
        };
        // It is the daemon's to wait for, and to say why none can be made.
        let pid = match request.map(|(_, descriptors)| Ok((descriptors, process::clone_for_parent()?))).transpose() {
            Ok(Some((descriptors, None))) => {
                // So does who has made us, if it lives on. The daemon may have heard it, and be done with both of us.
                _ = tell(rustix::process::getpid().as_raw_nonzero().get());
                drop(mine);
                return become_controller(&message, descriptors, line, moves).map(Some);
            }
            Ok(Some((_, Some(child)))) => child.pid.as_raw_nonzero().get(),
            Ok(None) | Err::<_, std::io::Error>(_) => 0,
        };
        tell(pid).doing(|| "error telling of a controller")?;
    }
}

/// Whether we may run on each that there is: then to set which these are takes nothing away.
fn has_every_processor() -> bool {
    let online = std::fs::read_to_string("/sys/devices/system/cpu/online").unwrap_or_default();
    let count = |range: &str| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Some(last.parse::<u32>().ok()?.checked_sub(first.parse().ok()?)? + 1)
    };
    let there: Option<u32> = online.trim_end().split(',').map(count).sum();
    sched_getaffinity(None).is_ok_and(|ours| Some(ours.count()) == there)
}

/// To another processor than the daemon's, which makes things ready for us meanwhile. Left to itself the kernel of a virtual
/// machine, to which idle processors look busy, may keep us there, one waiting for the other.
fn leave(processor: usize) {
    if sched_getcpu() != processor {
        return;
    }
    // The kernel keeps what is set, for us and for the container: in the end every processor that there may ever be.
    let mut all = CpuSet::new();
    (0..CpuSet::MAX_CPU).for_each(|number| all.set(number));
    let mut others = all;
    others.unset(processor);
    if sched_setaffinity(None, &others).is_ok() {
        _ = sched_setaffinity(None, &all);
    }
}

fn become_controller(message: &[u8], descriptors: Vec<OwnedFd>, line: CommandLine, moves: bool) -> Result<Vec<String>> {
    let mut words = message.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
    if let Some(processor) = words.next().and_then(|number| number.parse().ok()).filter(|_| moves) {
        leave(processor);
    }
    let numbers = words.next().unwrap_or_default();
    let numbers: Vec<RawFd> = numbers.split(',').map_while(|number| number.parse().ok()).collect();
    if numbers.len() != descriptors.len() {
        return Err(Failure::new(format!("{} descriptors for {} numbers", descriptors.len(), numbers.len())));
    }
    place(descriptors, &numbers).doing(|| "Unable to place a descriptor")?;
    let words: Vec<String> = words.collect();
    line.show(&words).doing(|| "Unable to show a command line")?;
    rustix::process::setsid().map_err(Into::into).doing(|| "Unable to become a session leader")?;
    Ok(words)
}

/// Each under its number. They are moved out of the way first, for they may have each other's numbers.
fn place(descriptors: Vec<OwnedFd>, numbers: &[RawFd]) -> std::io::Result<()> {
    let above = numbers.iter().max().map_or(0, |highest| highest.saturating_add(1));
    let moved = descriptors.into_iter().map(|one| descriptor::duplicate_above(one.as_fd(), above));
    let moved: Vec<OwnedFd> = moved.collect::<std::io::Result<_>>()?;
    moved.iter().zip(numbers).try_for_each(|(one, number)| descriptor::place(one.as_fd(), *number))
}
