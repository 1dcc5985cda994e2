//! An administrator's scripts, run one after another for their verdict: bounded in time and in what is kept of their words.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// So much of what a script says is kept.
const MOST_WORDS: usize = 4096;

/// The scripts of this name: the file in the folder, then those in the folder `NAME.d` by their names; only what can be
/// executed.
pub fn scripts(folder: &Path, name: &str) -> Vec<PathBuf> {
    let more = std::fs::read_dir(folder.join(format!("{name}.d"))).into_iter().flatten().flatten();
    let mut more: Vec<PathBuf> = more.map(|entry| entry.path()).collect();
    more.sort_unstable();
    let executable =
        |path: &PathBuf| path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0);
    std::iter::once(folder.join(name)).chain(more).filter(executable).collect()
}

/// Runs every one with the same arguments and input, also behind one that fails; the last failure is the answer.
pub fn run_all(scripts: &[PathBuf], arguments: &[&str], input: &[u8], patience: Duration) -> Result<(), Failure> {
    let mut verdict = Ok(());
    for script in scripts {
        if let Err(failure) = run(script, arguments, input, patience) {
            verdict = Err(failure);
        }
    }
    verdict
}

/// Why a script's verdict is bad.
#[derive(Debug)]
pub struct Failure {
    /// With its environment, as one could type it.
    command: String,
    why: Why,
    said: String,
}

#[derive(Debug)]
enum Why {
    NotRun(io::Error),
    Ended(ExitStatus),
    TooLong(Duration),
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        let Failure { command, why, said } = self;
        match why {
            Why::NotRun(error) => return write!(out, "cannot run {command}: {error}"),
            Why::Ended(status) => match (status.code(), status.signal()) {
                (Some(code), _) => write!(out, "Child process ({command}) unexpected exit status {code}")?,
                (None, signal) => {
                    write!(out, "Child process ({command}) unexpected fatal signal {}", signal.unwrap_or(0))?;
                }
            },
            Why::TooLong(patience) => {
                write!(out, "Child process ({command}) killed: no end after {} s", patience.as_secs())?;
            }
        }
        match said.trim_end() {
            "" => Ok(()),
            said => write!(out, ": {said}"),
        }
    }
}

impl std::error::Error for Failure {}

/// Of our environment, a script gets these.
const PASSED: [&str; 5] = ["PATH", "HOME", "USER", "LOGNAME", "TMPDIR"];

/// Runs one; so many of its words as are kept are the failure's.
pub fn run(script: &Path, arguments: &[&str], input: &[u8], patience: Duration) -> Result<(), Failure> {
    let passed = PASSED.iter().filter_map(|name| Some((*name, std::env::var_os(name)?)));
    let environment: Vec<(&str, OsString)> = std::iter::once(("LC_ALL", "C".into())).chain(passed).collect();
    let failure = |why, said: &[u8]| {
        let mut command = String::new();
        for (name, value) in &environment {
            command += &format!("{name}={} ", value.to_string_lossy());
        }
        command += &script.to_string_lossy();
        arguments.iter().for_each(|argument| command += &format!(" {argument}"));
        Failure { command, why, said: String::from_utf8_lossy(said).into_owned() }
    };
    let mut command = Command::new(script);
    command.args(arguments).env_clear().envs(environment.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    // A group of its own, so that all of it can be ended.
    let mut child = command.process_group(0).spawn().map_err(|error| failure(Why::NotRun(error), b""))?;
    let mut said = Vec::new();
    let ended = attend(&mut child, input, &mut said, Instant::now() + patience);
    if !matches!(ended, Ok(true)) {
        if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
            // It may have ended by itself just now.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
    match (child.wait(), ended) {
        (_, Ok(false)) => Err(failure(Why::TooLong(patience), &said)),
        (_, Err(error)) | (Err(error), _) => Err(failure(Why::NotRun(error), &said)),
        (Ok(status), _) if status.success() => Ok(()),
        (Ok(status), _) => Err(failure(Why::Ended(status), &said)),
    }
}

/// Feeds and hears the script until it ends, or until the time is over (then the answer is false). What it has left
/// behind may keep the pipes open: only its own end counts.
fn attend(child: &mut Child, input: &[u8], said: &mut Vec<u8>, until: Instant) -> io::Result<bool> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidInput)?;
    let end: OwnedFd = pidfd_open(pid, PidfdFlags::empty())?;
    let mut stdin = child.stdin.take();
    let mut stderr = child.stderr.take();
    if let Some(pipe) = &stdin {
        nonblocking(pipe.as_fd())?;
    }
    if let Some(pipe) = &stderr {
        nonblocking(pipe.as_fd())?;
    }
    let mut rest = input;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        let mut watched = vec![PollFd::new(&end, PollFlags::IN)];
        watched.extend(stdin.iter().map(|pipe| PollFd::new(pipe, PollFlags::OUT)));
        watched.extend(stderr.iter().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        let timeout = Timespec::try_from(left).map_err(|_| io::ErrorKind::InvalidInput)?;
        match poll(&mut watched, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let over = watched.first().is_some_and(|end| !end.revents().is_empty());
        drop(watched);
        if let Some(pipe) = &mut stdin {
            match pipe.write(rest) {
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // It need not read its input.
                Err(_) => rest = &[],
            }
        }
        if rest.is_empty() {
            stdin = None;
        }
        if let Some(pipe) = &mut stderr {
            if !hear(pipe, said) {
                stderr = None;
            }
        }
        if over {
            return Ok(true);
        }
    }
}

fn nonblocking(pipe: BorrowedFd) -> io::Result<()> {
    Ok(fcntl_setfl(pipe, fcntl_getfl(pipe)? | OFlags::NONBLOCK)?)
}

/// Takes what there is. Whether more may come.
fn hear(pipe: &mut impl Read, said: &mut Vec<u8>) -> bool {
    let mut piece = [0; 1024];
    loop {
        match pipe.read(&mut piece) {
            Ok(0) => return false,
            Ok(count) => {
                let room = MOST_WORDS.saturating_sub(said.len());
                said.extend(piece.iter().take(count.min(room)));
            }
            Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let path = std::env::temp_dir().join(format!("virtlxc-script-{name}-{}", std::process::id()));
            std::fs::create_dir_all(path.join("lxc.d")).unwrap();
            Folder(path)
        }

        fn script(&self, name: &str, body: &str, mode: u32) -> PathBuf {
            let path = self.0.join(name);
            std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            path
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    const LONG: Duration = Duration::from_secs(50);

    fn verdict(script: &Path, input: &[u8], patience: Duration) -> String {
        match run_all(&[script.to_path_buf()], &["a", "begin"], input, patience) {
            Ok(()) => "good".to_string(),
            Err(failure) => failure.to_string(),
        }
    }

    #[test]
    fn found_by_name_in_order() {
        let folder = Folder::new("found");
        for (name, mode) in [("lxc", 0o755), ("lxc.d/20b", 0o755), ("lxc.d/10a", 0o700), ("lxc.d/not", 0o644)] {
            folder.script(name, "", mode);
        }
        let found: Vec<String> = scripts(&folder.0, "lxc")
            .iter()
            .map(|p| p.strip_prefix(&folder.0).unwrap().display().to_string())
            .collect();
        assert_eq!(found, ["lxc", "lxc.d/10a", "lxc.d/20b"]);
        assert!(scripts(&folder.0, "network").is_empty());
    }

    #[test]
    fn verdicts() {
        let folder = Folder::new("verdicts");
        let good = folder.script("good", "[ \"$*\" = 'a begin' ] && [ $(wc -c) = 200000 ] && [ $LC_ALL = C ]", 0o755);
        assert_eq!(verdict(&good, &[b'x'; 200_000], LONG), "good");
        let deaf = folder.script("deaf", "exec true", 0o755);
        assert_eq!(verdict(&deaf, &[b'x'; 200_000], LONG), "good");
        let bad = folder.script("bad", "echo no way >&2; exit 3", 0o755);
        let words = verdict(&bad, b"", LONG);
        assert!(words.starts_with("Child process (LC_ALL=C PATH="), "{words}");
        assert!(words.ends_with("/bad a begin) unexpected exit status 3: no way"), "{words}");
        let killed = folder.script("killed", "kill -9 $$", 0o755);
        assert!(verdict(&killed, b"", LONG).ends_with("/killed a begin) unexpected fatal signal 9"));
        let absent = folder.0.join("absent");
        assert!(verdict(&absent, b"", LONG).starts_with("cannot run LC_ALL=C "));
        let talker = folder.script("talker", "yes | head -c 1000000 >&2; exit 1", 0o755);
        assert!(verdict(&talker, b"", LONG).len() < MOST_WORDS + 2000);
    }

    #[test]
    fn all_are_run_and_the_last_failure_counts() {
        let folder = Folder::new("all");
        let mark = folder.0.join("mark");
        let first = folder.script("1", "echo one >&2; exit 1", 0o755);
        let second = folder.script("2", &format!("touch {}", mark.display()), 0o755);
        let words = run_all(&[first, second], &[], b"", LONG).unwrap_err().to_string();
        assert!(words.ends_with("/1) unexpected exit status 1: one"), "{words}");
        assert!(mark.exists());
    }

    #[test]
    fn neither_sleepers_nor_what_they_leave_hold_us_up() {
        let folder = Folder::new("sleepers");
        let started = Instant::now();
        let sleeper = folder.script("sleeper", "sleep 100 & sleep 100", 0o755);
        assert!(verdict(&sleeper, b"", Duration::from_millis(300)).ends_with("a begin) killed: no end after 0 s"));
        // A daemon that it started holds its pipes.
        let parent = folder.script("parent", "sleep 100 & echo $! > ${0%/*}/left; exit 0", 0o755);
        assert_eq!(verdict(&parent, b"", LONG), "good");
        assert!(started.elapsed() < Duration::from_secs(60));
        let left = std::fs::read_to_string(folder.0.join("left")).unwrap();
        assert!(std::process::Command::new("kill").arg(left.trim()).status().unwrap().success());
    }
}
