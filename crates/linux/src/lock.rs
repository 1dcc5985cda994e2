//! Locks on ranges of files (fcntl_locking(2)) that others hold.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Whether somebody else has locked any byte of that range, in whatever way.
pub fn is_locked(file: BorrowedFd, start: i64, length: i64) -> io::Result<bool> {
    // SAFETY: all zeroes is a valid flock: a lock for reading of the whole file.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = libc::F_WRLCK as libc::c_short;
    lock.l_whence = libc::SEEK_SET as libc::c_short;
    lock.l_start = start;
    lock.l_len = length;
    // SAFETY: the kernel reads and writes one structure, which outlives the call.
    match unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_GETLK, &raw mut lock) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(i32::from(lock.l_type) != libc::F_UNLCK),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    #[test]
    fn somebody_elses_lock_is_seen_where_it_is() {
        let path = std::env::temp_dir().join(format!("virtlxc-lock-{}", std::process::id()));
        let (ours, theirs) = (std::fs::File::create(&path).unwrap(), std::fs::File::open(&path).unwrap());
        std::fs::remove_file(&path).unwrap();
        assert!(!is_locked(ours.as_fd(), 0, 0).unwrap());
        // SAFETY: as above.
        let mut lock: libc::flock = unsafe { std::mem::zeroed() };
        (lock.l_type, lock.l_start, lock.l_len) = (libc::F_RDLCK as libc::c_short, 100, 1);
        // SAFETY: the kernel reads one structure, which outlives the call.
        assert_eq!(unsafe { libc::fcntl(theirs.as_raw_fd(), libc::F_OFD_SETLK, &raw const lock) }, 0);
        assert!(is_locked(ours.as_fd(), 0, 0).unwrap() && is_locked(ours.as_fd(), 100, 100).unwrap());
        assert!(!is_locked(ours.as_fd(), 0, 100).unwrap() && !is_locked(theirs.as_fd(), 0, 0).unwrap());
    }
}
