//! The level of an emulated machine: Debian with its own kernel, systemd and cgroup v2 only, where most machines of today are;
//! then without systemd, so that the controllers of cgroup v1 are free to be mounted as a user would.
//!
//! The machine boots from an image that is never written to. What it is to run comes as a tar file on a second disk; what it
//! has to say comes out of its second serial port, the kernel's words out of the first.

use super::images::{self, Machine};
use crate::packages::{self, QEMU};
use crate::{Result, build, run};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tests::program;

/// Without a processor's help each instruction costs some ten.
const PATIENCE: Duration = Duration::from_secs(1500);
/// Set by who knows that the machine at hand cannot emulate another.
const SKIP: &str = "VIRTLXC_SKIP_QEMU";

pub fn run(filters: &[String]) -> Result<String> {
    if std::env::var_os(SKIP).is_some() {
        println!("!! {SKIP} is set: NOTHING IS TESTED on a machine with cgroup v2 only");
        return Ok("SKIPPED, as the environment says".into());
    }
    packages::ensure(&[QEMU])?;
    build::build()?;
    build::build_probe()?;
    let machine = images::machine()?;
    let folder = images::folder()?.join(format!("qemu.{}", std::process::id()));
    fs::create_dir_all(&folder).map_err(|error| format!("creating {}: {error}", folder.display()))?;
    let both = || {
        let payload = payload(&folder, filters)?;
        let boots = [First::Systemd, First::Job];
        let once = |first| boot(&machine, &folder, &payload, first);
        // An emulated machine has stood still, once in some twenty boots and without a trace of why. It counts when it does so
        // twice in a row; what it said is shown either way.
        let twice = |first| {
            once(first).or_else(|why| {
                println!("!! the machine is booted once more: {why}");
                once(first)
            })
        };
        let each: Vec<String> = boots.into_iter().map(twice).collect::<Result<_>>()?;
        Ok::<_, String>(each.concat())
    };
    let outcome = both();
    _ = fs::remove_dir_all(&folder);
    let said = outcome?;
    print!("{said}");
    let failed: Vec<&str> =
        said.lines().filter(|line| line.starts_with("test ") && line.ends_with(" FAILED")).collect();
    match (failed.len(), said.lines().any(|line| line.starts_with("test result: "))) {
        (0, true) => Ok("Debian's kernel: systemd with cgroup v2 only, and cgroup v1 without systemd".into()),
        (0, false) => Err("the machine did not come to the end of its tests".into()),
        (count, _) => Err(format!("{count} tests failed")),
    }
}

/// A tar file of the programs, the tests and the script that the machine runs.
fn payload(folder: &Path, filters: &[String]) -> Result<PathBuf> {
    let inside = folder.join("payload");
    let copy = |from: &Path, name: &str| {
        let to = inside.join(name);
        fs::copy(from, &to)
            .map(drop)
            .map_err(|error| format!("copying {} to {}: {error}", from.display(), to.display()))
    };
    fs::create_dir_all(inside.join("programs")).map_err(|error| format!("creating {}: {error}", inside.display()))?;
    for name in build::PROGRAMS.into_iter().chain(["probe"]) {
        copy(&run::programs()?.join(name), &format!("programs/{name}"))?;
    }
    copy(&super::whole::built()?, "whole")?;
    copy(&run::program()?, "xtask")?;
    copy(&run::top()?.join("xtask/src/test/qemu.sh"), "script")?;
    fs::write(inside.join("filters"), filters.iter().map(|filter| format!("{filter}\n")).collect::<String>())
        .map_err(|error| format!("writing the filters: {error}"))?;
    run::run(Command::new("cp").arg("-r").arg(run::top()?.join("data")).arg(&inside))?;
    let tar = folder.join("payload.tar");
    run::run(Command::new("tar").arg("-C").arg(&inside).arg("-cf").arg(&tar).arg("."))?;
    Ok(tar)
}

/// The first program of the machine.
#[derive(Debug, Clone, Copy)]
enum First {
    /// Which starts the one thing that the boot is for (systemd-run-generator(8)).
    Systemd,
    /// That thing itself.
    Job,
}

/// Boots the machine, which runs the script and turns itself off; what the script said.
fn boot(machine: &Machine, folder: &Path, payload: &Path, first: First) -> Result<String> {
    let (boot, said) = (folder.join(format!("boot.{first:?}")), folder.join(format!("said.{first:?}")));
    let words = match first {
        First::Systemd => {
            "audit=1 systemd.show_status=no systemd.journald.forward_to_console=no systemd.run=/sbin/job \
             systemd.run_success_action=poweroff systemd.run_failure_action=poweroff"
        }
        First::Job => "init=/sbin/job",
    };
    // On a busy machine the emulated timer is late for the kernel's check of it.
    let words = format!("root=/dev/vda rw console=ttyS0 panic=-1 quiet no_timer_check {words}");
    let drive = |file: &Path, more: &str| format!("file={},format=raw,if=virtio{more}", file.display());
    let mut qemu = Command::new("qemu-system-x86_64");
    qemu.args([
        "-machine",
        "q35",
        "-accel",
        "tcg,thread=multi",
        "-cpu",
        "max",
        "-smp",
        "2",
        "-m",
        "1536",
        "-no-reboot",
    ]);
    qemu.args(["-display", "none", "-monitor", "none", "-nic", "none"]);
    qemu.arg("-kernel").arg(&machine.kernel).arg("-initrd").arg(&machine.initrd).args(["-append", &words]);
    qemu.args(["-drive", &drive(&machine.disk, ",snapshot=on"), "-drive", &drive(payload, ",readonly=on")]);
    qemu.arg("-serial").arg(format!("file:{}", boot.display())).arg("-serial").arg(format!("file:{}", said.display()));
    let outcome = program::observe(qemu, b"", PATIENCE)?;
    let text = |file: &Path| String::from_utf8_lossy(&fs::read(file).unwrap_or_default()).replace('\r', "");
    let said = text(&said);
    if outcome.code == 0 && said.contains("test result: ") {
        return Ok(said);
    }
    let late = if outcome.late { format!("killed after {} s\n", PATIENCE.as_secs()) } else { String::new() };
    Err(format!("the machine failed\n{late}{}\n{said}\n{}{}", text(&boot), outcome.out, outcome.err))
}
