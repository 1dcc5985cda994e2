//! `cargo xtask sandbox -- COMMAND`: a throw-away copy of this machine for one command.
//!
//! Own mount, PID, network, IPC, UTS and cgroup namespaces; the root is an overlay whose writes vanish; `/run`
//! and `/tmp` are empty. When the command ends, all that it started is killed and its cgroups are removed.
//! The way there has these stages of this program:
//!
//! 1. `command` makes the cgroups, starts the janitor and stage 2, and waits;
//! 2. `janitor` removes the cgroups once stage 1 is gone, however it went (it waits for the end of a pipe);
//! 3. `enter` joins the cgroups and becomes unshare(1), since a Rust program cannot make namespaces without
//!    `unsafe`;
//! 4. `settle`, PID 1 of the new namespaces, goes to the top of the sandbox's cgroups and takes a namespace of those too;
//! 5. `inside`, the same process, builds the root, runs the command and reaps whatever it leaves.

mod cgroups;
mod root;

use crate::{Result, run};
pub use cgroups::{Layout, hierarchies};
use rustix::process::{Signal, WaitOptions};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tests::sandbox::VARIABLE;

/// What a sandbox is to be like.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The cgroup hierarchies to show inside; all that the machine has by default.
    pub layout: Layout,
    /// Folders of the machine that are written through.
    pub writable: Vec<PathBuf>,
}

pub fn command(arguments: &[String]) -> Result<u8> {
    let (options, command) = parse(arguments)?;
    run_inside(&options, command)
}

/// Runs the command in a sandbox of its own and gives its exit status.
pub fn run_inside(options: &Options, command: &[String]) -> Result<u8> {
    if !rustix::process::geteuid().is_root() {
        return Err("a sandbox needs root: mounts and namespaces are made for it".into());
    }
    // Files and groups inside are for all users there, whatever who runs this keeps from others elsewhere.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    let base = PathBuf::from(format!("/var/tmp/virtlxc-sandbox.{}", std::process::id()));
    std::fs::create_dir(&base).map_err(|error| format!("creating {}: {error}", base.display()))?;
    let mut janitor = run::ourselves()?
        .arg("sandbox-janitor")
        .arg(&base)
        .stdin(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|error| format!("starting the janitor: {error}"))?;
    let outcome = cgroups::create(&name_of(&base)).and_then(|()| {
        let mut stage = run::ourselves()?;
        stage.arg("sandbox-enter").arg(&base).arg(options.layout.name());
        stage.arg(options.writable.len().to_string()).args(&options.writable).args(command);
        run::status(&mut stage)
    });
    drop(janitor.stdin.take());
    janitor.wait().map_err(|error| format!("waiting for the janitor: {error}"))?;
    outcome
}

/// Waits until the sandbox's first stage is gone, then removes what is left of it on the machine.
pub fn janitor(arguments: &[String]) -> Result<u8> {
    let base = PathBuf::from(arguments.first().ok_or("the janitor was told no folder")?);
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).map_err(|error| format!("waiting: {error}"))?;
    cgroups::remove(&name_of(&base))?;
    for dir in [base.join(root::UPPER), base.join(root::ROOT), base] {
        match std::fs::remove_dir(&dir) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(format!("removing {}: {error}", dir.display()));
            }
            _ => {}
        }
    }
    Ok(0)
}

/// Joins the cgroups and becomes unshare(1), which dies with its parent and takes all processes inside along.
pub fn enter(arguments: &[String]) -> Result<u8> {
    let base = Path::new(arguments.first().ok_or("sandbox-enter was told no folder")?);
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|error| format!("asking to die with the parent: {error}"))?;
    cgroups::join(&name_of(base))?;
    let program = run::program()?;
    let error = Command::new("unshare")
        .args(["--mount", "--pid", "--net", "--ipc", "--uts"])
        .args(["--fork", "--kill-child", "--propagation", "private", "--"])
        .arg(program)
        .arg("sandbox-settle")
        .args(arguments)
        .exec();
    Err(format!("cannot run unshare (package util-linux): {error}"))
}

/// PID 1 of the sandbox, in its cgroups, becomes unshare(1) once more: the view of cgroups begins where it now is.
pub fn settle(arguments: &[String]) -> Result<u8> {
    let base = Path::new(arguments.first().ok_or("sandbox-settle was told no folder")?);
    cgroups::settle(&name_of(base))?;
    let program = run::program()?;
    let error =
        Command::new("unshare").args(["--cgroup", "--"]).arg(program).arg("sandbox-inside").args(arguments).exec();
    Err(format!("cannot run unshare (package util-linux): {error}"))
}

/// PID 1 of the sandbox: builds the root, runs the command, reaps.
pub fn inside(arguments: &[String]) -> Result<u8> {
    let [base, layout, writable, rest @ ..] = arguments else {
        return Err("sandbox-inside was told too little".into());
    };
    let count: usize = writable.parse().map_err(|_| "sandbox-inside: a number of folders is needed".to_string())?;
    let (writable, command) = rest.split_at_checked(count).ok_or("sandbox-inside: a folder is missing")?;
    let Some((program, arguments)) = command.split_first() else {
        return Err("no command was given".into());
    };
    let here = std::env::current_dir().map_err(|error| format!("the current folder: {error}"))?;
    root::enter(Path::new(base), Layout::named(layout)?, writable)?;
    let mut command = Command::new(program);
    command.args(arguments).env(VARIABLE, "1");
    command.current_dir(if here.is_dir() { here } else { "/".into() });
    let child = command.spawn().map_err(|error| format!("cannot run {program}: {error}"))?;
    loop {
        let ended = rustix::process::wait(WaitOptions::empty()).map_err(|error| format!("waiting: {error}"))?;
        let Some((pid, status)) = ended else { continue };
        if pid.as_raw_nonzero().get().unsigned_abs() == child.id() {
            let code = status.exit_status().or_else(|| status.terminating_signal().map(|signal| 128 + signal));
            return Ok(u8::try_from(code.unwrap_or(255)).unwrap_or(255));
        }
    }
}

fn parse(arguments: &[String]) -> Result<(Options, &[String])> {
    let mut options = Options::default();
    let mut rest = arguments;
    loop {
        match rest {
            [option, value, after @ ..] if option == "--layout" => {
                options.layout = Layout::named(value)?;
                rest = after;
            }
            [option, value, after @ ..] if option == "--writable" => {
                options.writable.push(PathBuf::from(value));
                rest = after;
            }
            [option, command @ ..] if option == "--" && !command.is_empty() => return Ok((options, command)),
            _ => return Err("expected [--layout v1|v2|mixed] [--writable DIR]... -- COMMAND...".into()),
        }
    }
}

fn name_of(base: &Path) -> String {
    base.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
