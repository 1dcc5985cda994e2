//! User and group ids of a user namespace (user_namespaces(7)): which of the machine's ids stand behind its own.

use rustix::process::Pid;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;

/// A range of ids: `count` of them from `inside` on are the machine's from `outside` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    pub inside: u32,
    pub outside: u32,
    pub count: u32,
}

/// Gives the user namespace that a child was cloned into its maps. They are written once, as a whole.
pub fn write(pid: Pid, users: &[Range], groups: &[Range]) -> io::Result<()> {
    let pid = pid.as_raw_nonzero();
    for (file, ranges) in [("uid_map", users), ("gid_map", groups)] {
        let path = format!("/proc/{pid}/{file}");
        fs::write(&path, lines(ranges)).map_err(|error| io::Error::new(error.kind(), format!("{path}: {error}")))?;
    }
    Ok(())
}

/// The namespace of a child, to map the files of a mount by.
pub fn namespace_of(pid: Pid) -> io::Result<OwnedFd> {
    let file = fs::File::open(format!("/proc/{}/ns/user", pid.as_raw_nonzero()))?;
    Ok(file.into())
}

/// The machine's id behind one of the namespace's, where there is one.
pub fn outside(ranges: &[Range], id: u32) -> Option<u32> {
    ranges
        .iter()
        .find(|range| id >= range.inside && id - range.inside < range.count)
        .and_then(|range| range.outside.checked_add(id - range.inside))
}

fn lines(ranges: &[Range]) -> String {
    ranges.iter().map(|range| format!("{} {} {}\n", range.inside, range.outside, range.count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_looked_up_and_written() {
        let ranges =
            [Range { inside: 0, outside: 100_000, count: 1000 }, Range { inside: 1000, outside: 1000, count: 1 }];
        assert_eq!(outside(&ranges, 0), Some(100_000));
        assert_eq!(outside(&ranges, 999), Some(100_999));
        assert_eq!(outside(&ranges, 1000), Some(1000));
        assert_eq!(outside(&ranges, 1001), None);
        assert_eq!(lines(&ranges), "0 100000 1000\n1000 1000 1\n");
    }
}
