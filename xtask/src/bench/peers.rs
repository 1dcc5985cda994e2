//! Container managers without a daemon, as Debian has them: each start and each end is a program's run.

use super::{ROOT, SLEEP, summary};
use crate::{Result, run};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// None where LXC is not installed or starts nothing here.
pub fn lxc(runs: usize) -> Result<Option<Value>> {
    if !Path::new("/usr/bin/lxc-start").exists() {
        return Ok(None);
    }
    let folder = Path::new("/var/lib/lxc/bench");
    let config = format!(
        "lxc.uts.name = bench\nlxc.rootfs.path = dir:{ROOT}\nlxc.net.0.type = empty\nlxc.init.cmd = {}\n\
         lxc.mount.auto = proc:mixed sys:ro cgroup:mixed\nlxc.cgroup.memory.limit_in_bytes = 64M\n\
         lxc.apparmor.profile = unconfined\nlxc.pty.max = 16\nlxc.tty.max = 1\n",
        SLEEP.join(" ")
    );
    write(&folder.join("config"), &config)?;
    lives("lxc-start", runs, || words(&["lxc-start", "-n", "bench"]), || words(&["lxc-stop", "-k", "-n", "bench"]))
}

/// None where runc is not installed or starts nothing here.
pub fn runc(runs: usize) -> Result<Option<Value>> {
    if !Path::new("/usr/sbin/runc").exists() {
        return Ok(None);
    }
    let bundle = Path::new("/opt/bench-bundle");
    fs::create_dir_all(bundle).map_err(|error| format!("creating {}: {error}", bundle.display()))?;
    run::run(Command::new("runc").arg("spec").current_dir(bundle))?;
    let file = bundle.join("config.json");
    let text = fs::read_to_string(&file).map_err(|error| format!("reading {}: {error}", file.display()))?;
    let mut config: Value = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
    config["process"]["terminal"] = json!(false);
    config["process"]["args"] = json!(SLEEP);
    config["root"] = json!({ "path": ROOT, "readonly": false });
    write(&file, &config.to_string())?;
    lives(
        "runc",
        runs,
        || words(&["runc", "run", "-d", "-b", "/opt/bench-bundle", "bench"]),
        || words(&["runc", "delete", "-f", "bench"]),
    )
}

fn write(file: &Path, text: &str) -> Result<()> {
    let folder = file.parent().unwrap_or(file);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(file, text))
        .map_err(|error| format!("writing {}: {error}", file.display()))
}

fn words(words: &[&str]) -> Command {
    let mut command = Command::new(words.first().copied().unwrap_or_default());
    command.args(words.iter().skip(1)).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn lives(name: &str, runs: usize, start: impl Fn() -> Command, end: impl Fn() -> Command) -> Result<Option<Value>> {
    let (mut starts, mut ends) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        match (timed(start()), timed(end())) {
            (Ok(start), Ok(end)) => {
                starts.push(start);
                ends.push(end);
            }
            (Err(message), _) | (_, Err(message)) => {
                println!("{name} is left out: {message}");
                return Ok(None);
            }
        }
    }
    Ok(Some(json!({ "name": name, "start": summary(&starts), "destroy": summary(&ends) })))
}

fn timed(mut command: Command) -> Result<Duration> {
    let begun = Instant::now();
    run::run(&mut command)?;
    Ok(begun.elapsed())
}
