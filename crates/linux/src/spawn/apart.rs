//! A thread with a table of descriptors of its own, nearly empty, that starts programs for a process with thousands of them:
//! what the kernel copies for a child, and closes at its exec(3), is the table of the thread that asks.

use super::Order;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};

struct Request {
    order: Order,
    /// Numbers of the process, open until the answer is there, and the child's.
    descriptors: Vec<(RawFd, RawFd)>,
    /// Above all of the child's.
    above: RawFd,
    answer: Sender<io::Result<Pid>>,
}

/// The thread, from the first request on; it is never needed where descriptors are few.
static THREAD: Mutex<Option<Sender<Request>>> = Mutex::new(None);

/// As [`super::launch`], with numbers of descriptors that the process has, and until exec(3); by this thread where there can be
/// no other.
pub(super) fn execute(order: Order, descriptors: Vec<(RawFd, RawFd)>, above: RawFd) -> io::Result<Pid> {
    let (answer, answered) = channel();
    {
        let mut thread = THREAD.lock().unwrap_or_else(PoisonError::into_inner);
        if thread.is_none() {
            *thread = start().ok();
        }
        let Some(sender) = &*thread else { return execute_here(order, descriptors) };
        sender.send(Request { order, descriptors, above, answer }).map_err(|_| ended())?;
    }
    answered.recv().map_err(|_| ended())?
}

fn execute_here(order: Order, descriptors: Vec<(RawFd, RawFd)>) -> io::Result<Pid> {
    let (spawned, loading) = super::launch(order, descriptors)?;
    loading.finish()?;
    Ok(spawned.pid)
}

fn ended() -> io::Error {
    io::Error::other("the thread that starts programs has ended")
}

/// The thread writes no log, for the number of the log's file means nothing in its table.
fn start() -> io::Result<Sender<Request>> {
    let (sender, requests) = channel::<Request>();
    let (ready, is_ready) = channel();
    let run = move || {
        let process =
            crate::process::unshare_descriptors().and_then(|()| Ok(pidfd_open(getpid(), PidfdFlags::empty())?));
        let process = match process {
            Ok(process) => process,
            Err(error) => {
                _ = ready.send(Err(error));
                return;
            }
        };
        _ = ready.send(Ok(()));
        for request in requests {
            let sender = request.answer.clone();
            _ = sender.send(answer(&process, request));
        }
    };
    std::thread::Builder::new().name("spawner".into()).spawn(run)?;
    is_ready.recv().map_err(|_| ended())??;
    Ok(sender)
}

fn answer(process: &OwnedFd, request: Request) -> io::Result<Pid> {
    let fetched = request.descriptors.iter().map(|(from, number)| {
        let fetched = pidfd_getfd(process, *from, PidfdGetfdFlags::empty())?;
        Ok((crate::descriptor::duplicate_above(fetched.as_fd(), request.above)?, *number))
    });
    let copies = fetched.collect::<io::Result<Vec<_>>>()?;
    let numbers: Vec<_> = copies.iter().map(|(from, number)| (from.as_raw_fd(), *number)).collect();
    execute_here(request.order, numbers)
}
