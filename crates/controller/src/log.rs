//! Lines on standard error, which the daemon has directed to the domain's log, in the form that libvirt's tools expect.

use api::stamp;
use std::fmt::Display;
use std::io::Write;
use std::time::SystemTime;

pub fn error(message: impl Display) {
    line("error", message);
}

pub fn info(message: impl Display) {
    line("info", message);
}

fn line(level: &str, message: impl Display) {
    let pid = std::process::id();
    let text = format!("{}: {pid}: {level} : {message}\n", stamp(SystemTime::now()));
    // There is no other place to complain.
    _ = std::io::stderr().write_all(text.as_bytes());
}
