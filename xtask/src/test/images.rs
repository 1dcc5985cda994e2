//! Debian roots for tests, made once with debootstrap and kept in cargo's target folder.
//!
//! The packages come from Debian's mirror, so that part runs on the machine's network; unpacking and configuring runs
//! their scripts, so that part runs in the sandbox.

use crate::{Result, run, sandbox};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// Of the Debian that the tests compare with.
const SUITE: &str = "bookworm";
const MIRROR: &str = "http://deb.debian.org/debian";
/// systemd boots with it, and a container on a network can say what it sees.
const PACKAGES: &str = "systemd-sysv,dbus,iproute2,iputils-ping,isc-dhcp-client,ifupdown,kmod,udev";

/// Where the images are.
pub fn folder() -> Result<PathBuf> {
    Ok(run::target()?.join("images"))
}

/// A tar file of a Debian with systemd.
pub fn debian_root() -> Result<PathBuf> {
    let image = folder()?.join("debian.tar");
    if !image.exists() {
        make(&image, PACKAGES)?;
    }
    Ok(image)
}

fn make(image: &std::path::Path, packages: &str) -> Result<()> {
    if !std::path::Path::new("/usr/sbin/debootstrap").exists() {
        return Err("a Debian root is made with debootstrap: please install the package of that name".into());
    }
    let folder = folder()?;
    fs::create_dir_all(&folder).map_err(|error| format!("creating {}: {error}", folder.display()))?;
    let downloaded = image.with_extension("packages.tgz");
    let include = format!("--include={packages}");
    let scratch = folder.join("scratch");
    println!("Fetching the packages of a small Debian ...");
    run::run(
        Command::new("debootstrap")
            .args(["--variant=minbase", &include, "--make-tarball"])
            .arg(&downloaded)
            .arg(SUITE)
            .arg(&scratch)
            .arg(MIRROR)
            .stdout(std::process::Stdio::null()),
    )?;
    println!("Unpacking them in a sandbox ...");
    let new = image.with_extension("new");
    let script = format!(
        "set -e; mkdir /debian; mount -t tmpfs -o mode=755 debian /debian; \
         debootstrap --variant=minbase {include} --unpack-tarball {} {SUITE} /debian {MIRROR} >/dev/null; \
         rm -rf /debian/var/cache/apt/archives/*.deb /debian/var/lib/apt/lists/*; \
         tar -C /debian -cf {} .",
        downloaded.display(),
        new.display()
    );
    let options = sandbox::Options { writable: vec![folder.clone()], ..Default::default() };
    let code = sandbox::run_inside(&options, &["sh".into(), "-c".into(), script])?;
    _ = fs::remove_dir_all(&scratch);
    if code != 0 {
        return Err(format!("making {} failed with status {code}", image.display()));
    }
    _ = fs::remove_file(&downloaded);
    fs::rename(&new, image).map_err(|error| format!("renaming {}: {error}", new.display()))
}
