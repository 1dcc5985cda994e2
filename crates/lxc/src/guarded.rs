//! Work on files of a running container's. Any file system there may be one that the guest serves itself (FUSE, autofs, NFS),
//! and who asks it something waits until it answers, be that never: so the work is left to a thread of its own, and whoever
//! wants it done waits for a while only. A thread that is stuck goes on with the container's end, which nothing here holds up.

use std::io;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

/// An answer takes microseconds.
const PATIENCE: Duration = Duration::from_secs(5);

pub fn within_patience<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    let (done, result) = channel();
    // Nobody may be waiting any more.
    thread::Builder::new().name("guest-files".into()).spawn(move || _ = done.send(work()))?;
    result.recv_timeout(PATIENCE).unwrap_or_else(|_| {
        let words = format!("a file system of the container does not answer within {} s", PATIENCE.as_secs());
        Err(io::Error::new(io::ErrorKind::TimedOut, words))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_and_reasons_come_back() {
        assert_eq!(within_patience(|| Ok(7)).unwrap(), 7);
        let refused = within_patience(|| Err::<(), _>(io::ErrorKind::NotFound.into()));
        assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
