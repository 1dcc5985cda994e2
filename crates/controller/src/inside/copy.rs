//! Files out of a container and into it, by a process in it: whatever its paths and links say, they end at its root.

use super::report::Refused;
use rpc::archive::{self, Keep};
use rpc::virtlxc::{BARE, OWNERS, Receiving, Sending};
use std::convert::Infallible;
use std::ffi::OsStr;
use std::io::{self, BufReader, BufWriter, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Runs a copy to its end. What goes wrong is written to standard error, for the client.
pub fn run(channel: &mut Option<OwnedFd>, work: impl FnOnce() -> io::Result<()>) -> Result<Infallible, Refused> {
    // The other side waits for the end of the channel, which is the begin of the task.
    drop(channel.take());
    match work() {
        Ok(()) => linux::process::exit_at_once(0),
        Err(error) => {
            _ = writeln!(io::stderr(), "{error}");
            linux::process::exit_at_once(1)
        }
    }
}

fn path(path: &rpc::Str) -> &Path {
    Path::new(OsStr::from_bytes(&path.0))
}

pub fn send(what: &Sending) -> io::Result<()> {
    let mut to = BufWriter::with_capacity(64 << 10, io::stdout());
    if what.flags & BARE != 0 {
        archive::send_file(path(&what.path), &mut to)?;
    } else {
        let mut pass_over = |path: &Path| {
            _ = writeln!(io::stderr(), "'{}' is neither file, folder nor link: left out", path.display());
        };
        archive::pack(path(&what.path), &mut to, &mut pass_over)?;
    }
    to.flush()
}

pub fn receive(what: &Receiving) -> io::Result<()> {
    let mut from = BufReader::with_capacity(64 << 10, io::stdin());
    if what.flags & BARE != 0 {
        return archive::receive_pieces(path(&what.path), &what.name.0, &mut from);
    }
    let keep = Keep { owners: what.flags & OWNERS != 0 };
    let mut remark = |text: String| _ = writeln!(io::stderr(), "cannot keep {text}");
    archive::unpack(path(&what.path), &what.name.0, keep, &mut from, &mut remark)
}
