//! A file with the process id, locked for the life of the process: one daemon for each folder of state.

use api::errno_text;
use rustix::fs::{FlockOperation, fcntl_lock};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

pub struct PidFile {
    path: PathBuf,
    /// Closing it ends the lock.
    _file: File,
}

impl Drop for PidFile {
    fn drop(&mut self) {
        _ = fs::remove_file(&self.path);
    }
}

/// The error says who has the file.
pub fn acquire(path: &Path) -> Result<PidFile, String> {
    let failed = |e: std::io::Error| format!("Failed to acquire pid file '{}': {}", path.display(), errno_text(&e));
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    loop {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o644)
            .open(path)
            .map_err(failed)?;
        if fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            let owner = fs::read_to_string(path).unwrap_or_default();
            return Err(format!(
                "Failed to acquire pid file '{}': another daemon is running (process {})",
                path.display(),
                owner.trim()
            ));
        }
        // The one before us may have removed the file between our opening and our lock.
        if !is_same(&file, path) {
            continue;
        }
        file.set_len(0)
            .and_then(|()| file.write_all(format!("{}\n", std::process::id()).as_bytes()))
            .map_err(failed)?;
        return Ok(PidFile { path: path.to_path_buf(), _file: file });
    }
}

fn is_same(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}
