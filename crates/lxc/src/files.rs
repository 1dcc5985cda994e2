//! The driver's files: folders, definitions that survive a power cut, status files that need not.

use crate::driver::shown;
use api::{Error, ErrorDomain, Paths, Result};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Behind the name of a file that is being written.
const UNFINISHED: &str = "new";

pub fn make_folders(paths: &Paths) -> Result<()> {
    for (folder, mode) in [
        (paths.domains(), 0o700),
        (paths.domains().join("autostart"), 0o700),
        (paths.domain_state(), 0o755),
        (paths.domain_logs(), 0o700),
    ] {
        let made = DirBuilder::new().recursive(true).mode(mode).create(&folder);
        made.map_err(|e| system(&e, format!("cannot create folder '{}'", shown(&folder))))?;
    }
    Ok(())
}

/// Replaces a file so that after a power cut it is either the old or the new one, and the new one once this returns.
pub fn write_durably(path: &Path, content: &str) -> Result<()> {
    write(path, content, true)
}

/// Replaces a file so that no reader sees half of it. A power cut may lose it.
pub fn write_at_once(path: &Path, content: &str) -> Result<()> {
    write(path, content, false)
}

fn write(path: &Path, content: &str, durably: bool) -> Result<()> {
    let unfinished = unfinished(path);
    let opened = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished);
    let mut file = opened.map_err(|e| system(&e, format!("Failed to create file '{}'", shown(&unfinished))))?;
    let written = (|| {
        file.write_all(content.as_bytes())?;
        if durably {
            file.sync_all()?;
        }
        fs::rename(&unfinished, path)?;
        if durably {
            sync_folder(path)?;
        }
        Ok(())
    })();
    written.map_err(|e| {
        _ = fs::remove_file(&unfinished);
        system(&e, format!("cannot write '{}'", shown(path)))
    })
}

/// A process id, as files in the folder of state have it.
pub fn write_pid(path: &Path, pid: i32) -> Result<()> {
    fs::write(path, pid.to_string()).map_err(|e| system(&e, format!("cannot write '{}'", shown(path))))
}

/// Removes a file; it being gone already is as good.
pub fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(system(&e, format!("cannot remove '{}'", shown(path)))),
        _ => Ok(()),
    }
}

/// The same, and gone for good once this returns.
pub fn remove_durably(path: &Path) -> Result<()> {
    remove(path)?;
    sync_folder(path).map_err(|e| system(&e, format!("cannot write the folder of '{}'", shown(path))))
}

/// Makes a symbolic link, in place of one that is there.
pub fn link(target: &Path, link: &Path) -> Result<()> {
    remove(link)?;
    std::os::unix::fs::symlink(target, link)
        .and_then(|()| sync_folder(link))
        .map_err(|e| system(&e, format!("Failed to create symlink '{} to '{}'", shown(link), shown(target))))
}

fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(".");
    name.push(UNFINISHED);
    name.into()
}

/// Every `NAME.xml` of a folder with its content, in the order of names. What cannot be read is logged and left out; files
/// that were not finished are removed.
pub fn read_documents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) => {
            tracing::error!("cannot read folder '{}': {e}", shown(folder));
            return Vec::new();
        }
    };
    let mut found = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.to_string_lossy();
        if name.ends_with(&format!(".xml.{UNFINISHED}")) {
            _ = fs::remove_file(&path);
        } else if name.ends_with(".xml") {
            match fs::read(&path) {
                Ok(content) => found.push((path, content)),
                Err(e) => tracing::error!("cannot read '{}': {e}", shown(&path)),
            }
        }
    }
    found.sort();
    found
}

pub(crate) fn system(error: &io::Error, context: String) -> Error {
    Error::system(ErrorDomain::Lxc, error, context)
}

/// The command of the comment in a domain's file: by its UUID where the name would need quoting in a shell.
pub fn edit_command(name: &str, uuid: &api::Uuid) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./+@%,:".contains(c);
    match !name.is_empty() && name.chars().all(plain) {
        true => format!("edit {name}"),
        false => format!("edit {uuid}"),
    }
}
