//! `cargo xtask build`: the three programs as they are meant to run, side by side in `target/release`.
//!
//! The controller is static and aborts on panic: a start then loads no library and asks no name service, and
//! each container pays for one small process. It has a target folder of its own, since its flags differ.

use crate::{Result, run};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

pub const PROGRAMS: [&str; 3] = ["virtlxcd", "libvirt_lxc", "virsh"];

pub fn command(arguments: &[String]) -> Result<u8> {
    if let Some(argument) = arguments.first() {
        return Err(format!("build takes no argument, '{argument}' was given"));
    }
    build()?;
    for program in PROGRAMS {
        println!("{}", run::programs()?.join(program).display());
    }
    Ok(0)
}

/// Builds all three; what is fresh already costs a fraction of a second.
pub fn build() -> Result<()> {
    run::run(run::cargo()?.args(["build", "--quiet", "--release", "-p", "virtlxcd", "-p", "virsh"]))?;
    for program in ["virtlxcd", "virsh"] {
        make_everybodys(&run::programs()?.join(program))?;
    }
    build_static("controller", "libvirt_lxc")
}

/// The program that tests have as a container's init.
pub fn build_probe() -> Result<()> {
    build_static("tests", "probe")
}

fn build_static(package: &str, program: &str) -> Result<()> {
    let host = host_triple()?;
    let mut cargo = run::cargo()?;
    cargo.args(["build", "--quiet", "--profile", "controller", "-p", package, "--bin", program, "--target", &host]);
    // Relative relocations packed: the loader, which works at each start, reads a fiftieth of their size.
    cargo.env("RUSTFLAGS", "-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs");
    run::run(&mut cargo)?;
    let built = run::target()?.join(&host).join("controller").join(program);
    replace(&built, &run::programs()?.join(program))
}

/// Puts a copy in the place of a program that may be running: under a new name first, then renamed.
fn replace(from: &Path, to: &Path) -> Result<()> {
    let new = to.with_extension("new");
    std::fs::copy(from, &new).map_err(|error| format!("copying {} to {}: {error}", from.display(), new.display()))?;
    make_everybodys(&new)?;
    std::fs::rename(&new, to).map_err(|error| format!("renaming {} to {}: {error}", new.display(), to.display()))
}

/// Lets all users run a program, whatever the caller keeps from them otherwise.
fn make_everybodys(program: &Path) -> Result<()> {
    let permissions = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(program, permissions).map_err(|error| format!("{}: {error}", program.display()))
}

fn host_triple() -> Result<String> {
    let version = run::output(std::process::Command::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_string).ok_or_else(|| "rustc -vV names no host".to_string())
}
