//! Debian systems for tests, made once with debootstrap and kept in cargo's target folder: a root for containers, and a
//! machine with its own kernel for the emulator.
//!
//! The packages come from the mirror that apt uses, so that part runs on the machine's network; unpacking and configuring
//! runs their scripts, so that part runs in the sandbox.

use crate::{Result, packages, run, sandbox};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Of the Debian that the tests compare with.
const SUITE: &str = "bookworm";

/// What the machine does after its boot, as a job of systemd or as the first program of all.
const JOB: &str = "\
#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mkdir -p /var/job
tar -C /var/job -xf /dev/vdb
cd /var/job
exec sh ./script > /dev/ttyS1 2>&1
";

/// What is made of a set of packages.
struct Image {
    /// Of the files in the folder of images, whose last one says that all are there.
    files: &'static [&'static str],
    packages: &'static str,
    /// Shell, in the sandbox: from the tree in /debian to the files, in the current folder and with `.new` behind their names.
    make: &'static str,
}

/// systemd boots with it, and a container on a network can say what it sees.
const CONTAINER: Image = Image {
    files: &["debian.tar"],
    packages: "systemd-sysv,dbus,iproute2,iputils-ping,isc-dhcp-client,ifupdown,kmod,udev",
    make: "tar -C /debian -cf debian.tar.new .",
};

/// What virtlxcd and the tests of whole programs use, and a kernel made for emulated machines.
const MACHINE: Image = Image {
    files: &["machine.kernel", "machine.initrd", "machine.disk"],
    packages: "linux-image-cloud-amd64,systemd-sysv,dbus,udev,kmod,iproute2,iputils-ping,procps,busybox-static,\
               dnsmasq-base,nftables,util-linux,systemd-container,apparmor,qemu-utils",
    make: "cp /debian/boot/vmlinuz-* machine.kernel.new; cp /debian/boot/initrd.img-* machine.initrd.new; \
           rm /debian/boot/*; cp machine.job /debian/sbin/job; chmod 755 /debian/sbin/job; passwd -R /debian -d root; echo machine > /debian/etc/hostname; \
           mkfs.ext4 -q -d /debian -L root machine.disk.new 3G",
};

/// What the emulator boots.
pub struct Machine {
    pub kernel: PathBuf,
    pub initrd: PathBuf,
    pub disk: PathBuf,
}

/// Where the images are.
pub fn folder() -> Result<PathBuf> {
    Ok(run::target()?.join("images"))
}

/// A tar file of a Debian with systemd.
pub fn debian_root() -> Result<PathBuf> {
    CONTAINER.get()?;
    Ok(folder()?.join("debian.tar"))
}

/// A Debian machine with cgroup v2 only, as Debian's systemd sets it up.
pub fn machine() -> Result<Machine> {
    MACHINE.get()?;
    let folder = folder()?;
    Ok(Machine {
        kernel: folder.join("machine.kernel"),
        initrd: folder.join("machine.initrd"),
        disk: folder.join("machine.disk"),
    })
}

impl Image {
    /// Makes the files unless they are there.
    fn get(&self) -> Result<()> {
        let folder = folder()?;
        // What was made in another way is made anew.
        let made_of = folder.join(format!("{}.recipe", self.files.last().copied().unwrap_or_default()));
        let recipe = [self.packages, self.make, JOB].join("\n");
        let same = fs::read_to_string(&made_of).is_ok_and(|known| known == recipe);
        if same && self.files.iter().all(|file| folder.join(file).exists()) {
            return Ok(());
        }
        self.make_in(&folder)?;
        fs::write(&made_of, recipe).map_err(|error| format!("writing {}: {error}", made_of.display()))
    }

    fn make_in(&self, folder: &Path) -> Result<()> {
        packages::ensure(&[packages::DEBOOTSTRAP, packages::E2FSPROGS])?;
        fs::create_dir_all(folder).map_err(|error| format!("creating {}: {error}", folder.display()))?;
        let job = folder.join("machine.job");
        fs::write(&job, JOB).map_err(|error| format!("writing {}: {error}", job.display()))?;
        let (mirror, include) = (mirror(), format!("--include={}", self.packages));
        let (downloaded, scratch) = (folder.join("packages.tgz"), folder.join("scratch"));
        println!("Fetching the packages of {} {} ...", self.files.join(", "), mirror.as_deref().unwrap_or_default());
        let mut fetch = Command::new("debootstrap");
        fetch.args(["--variant=minbase", &include, "--make-tarball"]).arg(&downloaded).arg(SUITE).arg(&scratch);
        run::run(fetch.args(&mirror).stdout(Stdio::null()))?;
        println!("Unpacking and configuring them in a sandbox ...");
        let script = format!(
            "set -e; cd {folder}; mkdir /debian; mount -t tmpfs -o mode=755,size=3G debian /debian; \
             debootstrap --variant=minbase {include} --unpack-tarball {downloaded} {SUITE} /debian {mirror} > log 2>&1 \
             || {{ tail -n 30 log /debian/debootstrap/debootstrap.log; exit 1; }}; \
             rm -rf /debian/var/cache/apt/archives/*.deb /debian/var/lib/apt/lists/*; {}",
            self.make,
            mirror = mirror.as_deref().unwrap_or_default(),
            folder = folder.display(),
            downloaded = downloaded.display(),
        );
        let options = sandbox::Options { writable: vec![folder.to_path_buf()], ..Default::default() };
        let code = sandbox::run_inside(&options, &["sh".into(), "-c".into(), script])?;
        _ = fs::remove_dir_all(&scratch);
        if code != 0 {
            return Err(format!("making {} failed with status {code}", self.files.join(", ")));
        }
        for file in [&downloaded, &folder.join("log"), &job] {
            _ = fs::remove_file(file);
        }
        self.files.iter().try_for_each(|file| {
            fs::rename(folder.join(format!("{file}.new")), folder.join(file))
                .map_err(|error| format!("renaming {file}: {error}"))
        })
    }
}

/// The mirror that apt is set up with; where it names none, debootstrap has one of its own.
fn mirror() -> Option<String> {
    let mut ask = Command::new("apt-get");
    ask.args(["indextargets", "--format", "$(CREATED_BY) $(RELEASE) $(COMPONENT) $(REPO_URI)"]);
    let targets = run::output(&mut ask).unwrap_or_default();
    mirror_among(&targets).map(str::to_string)
}

/// The first that has the suite's main component.
fn mirror_among(targets: &str) -> Option<&str> {
    let wanted = format!("Packages {SUITE} main ");
    targets.lines().find_map(|line| line.strip_prefix(&wanted)).map(|mirror| mirror.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::mirror_among;

    #[test]
    fn the_mirror_is_apts() {
        let targets = "DEP-11 bookworm main http://a/debian/\nPackages bookworm-security main http://b/\n\
                       Packages bookworm main http://c/debian/\nPackages bookworm contrib http://d/debian/\n";
        assert_eq!(mirror_among(targets), Some("http://c/debian"));
        assert_eq!(mirror_among(""), None);
    }
}
