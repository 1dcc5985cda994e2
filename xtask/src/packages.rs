//! Programs of Debian's packages that a command here runs: what is missing is named, with the reason, then installed.

use crate::{Result, run};
use std::path::Path;
use std::process::Command;

/// A package and what for, with one of its files as the proof that it is there.
pub struct Package {
    pub name: &'static str,
    pub file: &'static str,
    pub why: &'static str,
}

pub const BUSYBOX: Package = Package {
    name: "busybox-static",
    file: "/bin/busybox",
    why: "the programs of the small roots that containers get",
};
pub const DNSMASQ: Package =
    Package { name: "dnsmasq-base", file: "/usr/sbin/dnsmasq", why: "addresses and names on virtual networks" };
pub const NFTABLES: Package =
    Package { name: "nftables", file: "/usr/sbin/nft", why: "the firewall rules of virtual networks" };
pub const IPROUTE: Package = Package { name: "iproute2", file: "/sbin/ip", why: "the sandbox's loopback interface" };
pub const DEBOOTSTRAP: Package =
    Package { name: "debootstrap", file: "/usr/sbin/debootstrap", why: "whole Debian systems for tests" };
pub const E2FSPROGS: Package =
    Package { name: "e2fsprogs", file: "/sbin/mkfs.ext4", why: "the disk of an emulated machine" };
pub const QEMU: Package = Package {
    name: "qemu-system-x86",
    file: "/usr/bin/qemu-system-x86_64",
    why: "a machine with another kernel and other cgroups than this one",
};
pub const PROCPS: Package =
    Package { name: "procps", file: "/bin/ps", why: "ps in a container on the machine's own root" };

/// Installs what is missing, after saying so.
pub fn ensure(packages: &[Package]) -> Result<()> {
    let missing: Vec<&Package> = packages.iter().filter(|package| !Path::new(package.file).exists()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
    if !Path::new("/usr/bin/apt-get").exists() {
        return Err(format!("please install {}: this is not a Debian whose apt-get could do it", names.join(", ")));
    }
    println!("These packages are missing and will now be installed from Debian:");
    for package in &missing {
        println!("  {:<16} {}", package.name, package.why);
    }
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").arg("-q").args(arguments).args(&names);
        run::run(&mut command)
    };
    let install = ["install", "-y", "--no-install-recommends"];
    // A machine that never fetched the lists knows no package; one that has need not fetch them again.
    apt(&install).or_else(|_| run::run(Command::new("apt-get").args(["-q", "update"])).and_then(|()| apt(&install)))
}
