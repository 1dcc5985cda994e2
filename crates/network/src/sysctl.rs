//! Settings of the kernel under `/proc/sys`.

use crate::files::failed;
use api::Result;
use std::fs;
use std::io;
use std::path::Path;

/// Does not write what is so already.
pub fn set(proc: &Path, key: &str, value: &str) -> Result<()> {
    let path = proc.join("sys").join(key);
    if fs::read_to_string(&path).is_ok_and(|now| now.trim() == value) {
        return Ok(());
    }
    fs::write(&path, value).map_err(|e| failed(&e, &format!("set to {value}"), &path))
}

/// The same for what a kernel may be built without.
pub fn set_if_there(proc: &Path, key: &str, value: &str) -> Result<()> {
    match fs::exists(proc.join("sys").join(key)) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => set(proc, key, value),
        Ok(true) => set(proc, key, value),
        _ => Ok(()),
    }
}
