//! What a document asks of its container, and what the probe then sees as its init.

use crate::guest::Guest;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::process::Command;
use tests::daemon::{Daemon, file, virsh};
use tests::documents::domain;
use tests::image;
use tests::program::{self, PATIENCE, eventually, ours, shell};
use tests::sandbox;

const ROOT: &str = "/opt/box";

/// What the probe has written.
pub struct Seen(pub Vec<String>);

impl Seen {
    /// All that is behind this word.
    pub fn all(&self, word: &str) -> Vec<&str> {
        self.0.iter().filter_map(|line| line.strip_prefix(word)?.strip_prefix(' ')).collect()
    }

    #[track_caller]
    pub fn one(&self, word: &str) -> &str {
        let all = self.all(word);
        assert_eq!(all.len(), 1, "'{word}' in {:#?}", self.0);
        all[0]
    }

    /// The options of what is mounted last at the path, the kind of file system before them.
    #[track_caller]
    pub fn mount(&self, path: &str) -> String {
        let found = self.all("mount").into_iter().map(|line| line.split(' ').collect::<Vec<_>>());
        let found = found.filter(|fields| fields[1] == path).last();
        let found = found.unwrap_or_else(|| panic!("nothing is mounted on {path}: {:#?}", self.all("mount")));
        format!("{} {}", found[2], found[3])
    }
}

pub fn root() {
    image::busybox(Path::new(ROOT), "exec sleep 1000").unwrap();
    fs::copy(ours("probe"), Path::new(ROOT).join("probe")).unwrap();
}

/// Starts the domain `box` with the probe as its init, changed by `edit`; its devices have `more`.
#[track_caller]
pub fn seen(more: &str, edit: impl Fn(String) -> String) -> Seen {
    let out = Path::new(ROOT).join("seen");
    _ = fs::remove_file(&out);
    let document = edit(domain("box", ROOT, &["/probe", "/seen"], more));
    virsh(&["define", &file("box.xml", &document)]).ok();
    virsh(&["start", "box"]).ok();
    let text = eventually("the probe has written", PATIENCE, || fs::read_to_string(&out).ok());
    Seen(text.lines().map(str::to_string).collect())
}

/// Ends it again.
pub fn gone() {
    virsh(&["destroy", "box"]).ok();
    virsh(&["undefine", "box"]).ok();
}

pub fn before_devices(document: String, more: &str) -> String {
    document.replace("<devices>", &format!("{more}<devices>"))
}

pub fn in_os(document: String, more: &str) -> String {
    document.replace("</os>", &format!("{more}</os>"))
}

pub fn ours_too(document: String, more: &str) -> String {
    before_devices(
        document,
        &format!("<virtlxc:container xmlns:virtlxc='urn:virtlxc:domain:1.0'>{more}</virtlxc:container>"),
    )
}

#[test]
fn a_plain_one_is_confined() {
    sandbox::require();
    let _daemon = Daemon::start();
    root();
    let seen = seen("", |document| document);
    assert_eq!(seen.one("NSpid"), "1");
    assert_eq!((seen.one("Uid"), seen.one("Groups")), ("0 0 0 0", ""));
    assert_eq!((seen.one("SigBlk"), seen.one("Seccomp")), ("0000000000000000", "2"));
    // That of broken pipes the probe's own runtime ignores; whatever the daemon's starter did, no other.
    assert_eq!(seen.one("SigIgn"), "0000000000001000");
    let descriptors: Vec<&str> = seen.all("fd").into_iter().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(descriptors, ["0", "1", "2"]);
    assert_eq!(seen.one("folder"), "/");
    assert_eq!(seen.one("hostname"), "box");
    assert_eq!(seen.one("memory").split_whitespace().nth(1), Some("65536"));
    assert_eq!(seen.mount("/proc"), "proc rw,nosuid,nodev,noexec,relatime");
    assert_eq!(seen.mount("/proc/sys"), "proc ro,nosuid,nodev,noexec,relatime");
    assert_eq!(seen.mount("/sys"), "sysfs ro,nosuid,nodev,noexec,relatime");
    assert!(seen.all("device").contains(&"/dev/null c 1:3 0666 0:0"));
    assert!(seen.all("device").contains(&"/dev/console c 136:0 0620 0:5"));
    // Nothing that a guest might try succeeds.
    assert_eq!(seen.all("may"), Vec::<&str>::new());
    // No litter, and the view of the machine's root is gone.
    assert!(!seen.all("root").iter().any(|name| name.contains("oldroot")));
    assert!(seen.all("mount").iter().all(|line| !line.contains("/opt")), "{:#?}", seen.all("mount"));
    gone();
    let left: Vec<_> = fs::read_dir(ROOT).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with('.')), "{left:?}");
}

#[test]
fn file_systems_of_every_kind() {
    sandbox::require();
    let _daemon = Daemon::start();
    root();
    fs::create_dir_all("/opt/data/below").unwrap();
    fs::write("/opt/data/file", "of the machine").unwrap();
    // A mount below the folder comes with it.
    let mount = |arguments: &[&str]| {
        program::finish(
            {
                let mut c = Command::new("mount");
                c.args(arguments);
                c
            },
            b"",
            PATIENCE,
        )
        .ok()
    };
    mount(&["-t", "tmpfs", "below", "/opt/data/below"]);
    fs::write("/opt/data/below/deep", "deep").unwrap();
    fs::write("/opt/plain-disk.img", "").unwrap();
    fs::OpenOptions::new().write(true).open("/opt/plain-disk.img").unwrap().set_len(8 << 20).unwrap();
    let mut make = Command::new("mkfs.ext4");
    make.args(["-q", "/opt/plain-disk.img"]);
    program::finish(make, b"", PATIENCE).ok();
    let more = "\
        <filesystem type='mount'><source dir='/opt/data'/><target dir='/mnt/made/data'/></filesystem>\
        <filesystem type='mount'><source dir='/opt/data/file'/><target dir='/mnt/file'/><readonly/></filesystem>\
        <filesystem type='ram'><source usage='10' units='MiB'/><target dir='/mnt/ram'/></filesystem>\
        <filesystem type='bind'><source dir='/etc'/><target dir='/mnt/etc'/></filesystem>\
        <filesystem type='file'><source file='/opt/plain-disk.img'/><target dir='/mnt/image'/><readonly/></filesystem>";
    let seen = seen(more, |document| document);
    assert!(seen.mount("/mnt/file").contains(" ro,"), "{}", seen.mount("/mnt/file"));
    assert!(
        seen.mount("/mnt/ram").starts_with("tmpfs rw,nosuid,nodev,relatime,size=10240k"),
        "{}",
        seen.mount("/mnt/ram")
    );
    assert!(seen.mount("/mnt/image").starts_with("ext4 ro,"), "{}", seen.mount("/mnt/image"));
    assert!(seen.mount("/mnt/made/data/below").starts_with("tmpfs "));
    let guest = crate::guest::Guest::of("box");
    assert_eq!(
        guest.shell("cat /mnt/made/data/below/deep /mnt/file; ls /mnt/etc/passwd /mnt/image").ok(),
        "deepof the machine/mnt/etc/passwd\n\n/mnt/image:\nlost+found\n"
    );
    // A later mount of the machine's does not appear inside, nor the other way round.
    mount(&["-t", "tmpfs", "later", "/opt/data/below"]);
    assert_eq!(guest.shell("ls /mnt/made/data/below").ok(), "deep\n");
    gone();
    // The kernel lets go of it when the last mount of the container is gone for good, which nobody waits for. In other sandboxes
    // there are other images.
    eventually("the image is let go of", PATIENCE, || {
        let mut loops = fs::read_dir("/sys/block").unwrap().flatten();
        let is_ours = |path: String| path.trim_end().ends_with("/plain-disk.img");
        let used = loops.any(|entry| fs::read_to_string(entry.path().join("loop/backing_file")).is_ok_and(is_ours));
        (!used).then_some(())
    });
}

#[test]
fn a_read_only_root() {
    sandbox::require();
    let _daemon = Daemon::start();
    root();
    fs::create_dir_all("/opt/out").unwrap();
    let out = Path::new("/opt/out/seen");
    let more = "<filesystem type='mount'><source dir='/opt/out'/><target dir='/tmp'/></filesystem>";
    let document = domain("box", ROOT, &["/probe", "/tmp/seen"], more);
    let document = document.replacen("<target dir='/'/>", "<target dir='/'/><readonly/>", 1);
    virsh(&["define", &file("box.xml", &document)]).ok();
    virsh(&["start", "box"]).ok();
    let text = eventually("the probe has written", PATIENCE, || fs::read_to_string(out).ok());
    let seen = Seen(text.lines().map(str::to_string).collect());
    assert!(seen.mount("/").contains(" ro,"), "{}", seen.mount("/"));
    assert!(!seen.mount("/tmp").contains(" ro,"), "{}", seen.mount("/tmp"));
    gone();
}

#[test]
fn init_and_its_surroundings() {
    sandbox::require();
    let _daemon = Daemon::start();
    root();
    fs::write("/opt/box/etc/passwd", "root:x:0:0::/:/bin/sh\ntester:x:1000:1000::/:/bin/sh\n").unwrap();
    fs::write("/opt/box/etc/group", "root:x:0:\ntester:x:1000:\naudio:x:29:tester\n").unwrap();
    program::shell("chmod 777 /opt/box").ok();
    let seen = seen("", |document| {
        let document =
            document.replace("</init>", "</init><initarg>/seen</initarg>").replacen("<initarg>/seen</initarg>", "", 1);
        in_os(
            document,
            "<initarg>b &amp; c</initarg><initenv name='FOO'>b a r</initenv><initenv name='PATH'>/x</initenv>\
             <initdir>/etc</initdir><inituser>tester</inituser><cmdline>k=v q</cmdline>",
        )
    });
    assert_eq!(seen.all("argument"), ["/probe", "/seen", "b & c"]);
    assert_eq!((seen.one("Uid"), seen.one("Groups")), ("1000 1000 1000 1000", "29 1000"));
    assert_eq!(seen.one("CapPrm"), "0000000000000000");
    assert_eq!(seen.one("folder"), "/etc");
    assert!(seen.all("device").contains(&"/dev/console c 136:0 0620 1000:5"), "{:#?}", seen.all("device"));
    for variable in ["FOO=b a r", "PATH=/x", "LIBVIRT_LXC_CMDLINE=k=v q", "container=lxc-libvirt"] {
        assert!(seen.all("variable").contains(&variable), "{variable}: {:#?}", seen.all("variable"));
    }
    gone();
}

#[test]
fn capabilities_by_policy_and_name() {
    sandbox::require();
    let _daemon = Daemon::start();
    root();
    let own = u64::from_str_radix(
        fs::read_to_string("/proc/self/status")
            .unwrap()
            .lines()
            .find_map(|line| line.strip_prefix("CapBnd:\t"))
            .unwrap(),
        16,
    )
    .unwrap();
    let table = [
        ("default", "", 0x1fd_b5fe_ffff),
        ("default", "<mknod state='on'/>", 0x1fd_bdfe_ffff),
        ("default", "<sys_admin state='off'/>", 0x1fd_b5de_ffff),
        ("allow", "", 0x1ff_ffff_ffff),
        ("deny", "<chown state='on'/><sys_admin state='on'/><dac_override state='on'/>", 0x20_0003),
    ];
    for (policy, named, expected) in table {
        let features = format!("<features><capabilities policy='{policy}'>{named}</capabilities></features>");
        let seen = seen("", |document| before_devices(document, &features));
        assert_eq!(seen.one("CapBnd"), format!("{:016x}", expected & own), "{features}");
        assert_eq!(seen.one("CapEff"), seen.one("CapBnd"), "{features}");
        gone();
    }
}

#[test]
fn ids_of_its_own_on_an_unchanged_root() {
    sandbox::require();
    let _daemon = Daemon::start();
    root();
    let map =
        "<idmap><uid start='0' target='100000' count='65536'/><gid start='0' target='200000' count='65536'/></idmap>";
    // A file system that maps owners: the sandbox's own root cannot, nor memory before Linux 6.3.
    program::shell(
        "truncate -s 64M /opt/mapped.img && mkfs.ext4 -q /opt/mapped.img && mkdir /opt/mapped \
         && mount -o loop /opt/mapped.img /opt/mapped && cp -a /opt/box/. /opt/mapped/",
    )
    .ok();
    let document = domain("box", "/opt/mapped", &["/probe", "/seen"], "");
    virsh(&["define", &file("box.xml", &before_devices(document, map))]).ok();
    virsh(&["start", "box"]).ok();
    let out = Path::new("/opt/mapped/seen");
    let text = eventually("the probe has written", PATIENCE, || fs::read_to_string(out).ok());
    let seen = Seen(text.lines().map(str::to_string).collect());
    assert_eq!((seen.one("uid_map"), seen.one("gid_map")), ("0 100000 65536", "0 200000 65536"));
    assert_eq!(seen.one("Uid"), "0 0 0 0");
    assert!(seen.all("device").contains(&"/dev/null c 1:3 0666 0:0"), "{:#?}", seen.all("device"));
    assert!(seen.all("device").contains(&"/dev/console c 136:0 0620 0:5"), "{:#?}", seen.all("device"));
    assert_eq!(seen.all("may"), Vec::<&str>::new());
    // What it writes belongs on disk to whom its root is there.
    assert_eq!((fs::metadata(out).unwrap().uid(), fs::metadata(out).unwrap().gid()), (0, 0));
    let guest = crate::guest::Guest::of("box");
    assert!(guest.proc("status").contains("\nUid:\t100000\t"));
    gone();
}

#[test]
fn devices_limits_and_settings() {
    sandbox::require();
    let _daemon = Daemon::start();
    root();
    let more = "<hostdev mode='capabilities' type='misc'><source><char>/dev/fuse</char></source></hostdev>";
    let seen = seen(more, |document| {
        ours_too(
            document.replace("<devices>", "<features><privnet/></features><devices>"),
            "<virtlxc:rlimit name='nofile' soft='100' hard='200'/>\
             <virtlxc:sysctl name='net.ipv4.ip_forward' value='1'/><virtlxc:sysctl name='kernel.shmmni' value='77'/>",
        )
    });
    assert!(seen.all("device").contains(&"/dev/fuse c 10:229 0700 0:0"), "{:#?}", seen.all("device"));
    assert!(seen.all("limit").contains(&"Max open files 100 200 files"), "{:#?}", seen.all("limit"));
    assert_eq!(seen.all("sysctl"), ["/proc/sys/net/ipv4/ip_forward 1", "/proc/sys/kernel/shmmni 77"]);
    // Some modules of the kernel give each network one of theirs.
    let links: Vec<&str> = seen.all("link");
    let given = ["tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "sit0", "ip6tnl0", "ip6gre0"];
    assert!(links.contains(&"lo") && links.iter().all(|link| *link == "lo" || given.contains(link)), "{links:?}");
    gone();
}

#[test]
fn disks_clocks_and_old_machines() {
    sandbox::require();
    let _daemon = Daemon::start();
    root();
    sandbox::own_devices();
    // Nodes with numbers of which no driver knows: they are given, whatever they are.
    program::shell(
        "mknod /dev/whole b 7 250; for name in rtc0 hpet; do rm -f /dev/$name; mknod /dev/$name c 10 250; done",
    )
    .ok();
    program::shell("truncate -s 1M /opt/whole.img").ok();
    let more = "<disk type='block'><source dev='/dev/whole'/><target dev='sda'/></disk>\
        <disk type='file'><driver name='loop' type='raw'/><source file='/opt/whole.img'/><target dev='sdb'/></disk>\
        <hostdev mode='capabilities' type='storage'><source><block>/dev/whole</block></source></hostdev>\
        <console type='pty'/>";
    let clocks =
        "<clock offset='localtime'><timer name='rtc' present='yes'/><timer name='hpet' present='yes'/></clock>";
    let seen = seen(more, |document| before_devices(document.replace("<type>", "<type arch='i686'>"), clocks));
    let devices = seen.all("device");
    for device in [
        "/dev/sda b 7:250 0700 0:0",
        "/dev/whole b 7:250 0700 0:0",
        "/dev/rtc c 10:250 0644 0:0",
        "/dev/hpet c 10:250 0644 0:0",
    ] {
        assert!(devices.contains(&device), "{device}: {devices:#?}");
    }
    let image = devices.iter().find(|device| device.starts_with("/dev/sdb b 7:")).unwrap();
    let number = image.split([' ', ':']).nth(3).unwrap();
    let backing = fs::read_to_string(format!("/sys/block/loop{number}/loop/backing_file")).unwrap();
    assert_eq!(backing.trim(), "/opt/whole.img");
    assert!(devices.iter().any(|device| device.starts_with("/dev/tty2 c 136:1 ")), "{devices:#?}");
    assert_eq!(seen.one("machine"), "i686");
    gone();
}

#[test]
fn isolation_can_be_turned_off() {
    sandbox::require();
    let _daemon = Daemon::start();
    root();
    let off = "<virtlxc:isolation seccomp='off' masked-paths='off'/>";
    let seen = seen("", |document| ours_too(document, off));
    assert_eq!(seen.one("Seccomp"), "0");
    assert!(!seen.all("mount").iter().any(|line| line.contains(" /proc/sysrq-trigger ")));
    gone();
}

#[test]
fn links_in_a_hostile_root_lead_nowhere() {
    sandbox::require();
    let _daemon = Daemon::start();
    let outside = Path::new("/opt/outside");
    for (what, link) in [
        ("proc", "/opt/outside"),
        ("dev", "../../outside"),
        ("sys", "../../../../opt/outside"),
        ("mnt", "/../opt/outside"),
    ] {
        root();
        fs::create_dir_all(outside).unwrap();
        let path = Path::new(ROOT).join(what);
        fs::remove_dir(&path).unwrap();
        symlink(link, &path).unwrap();
        let more = "<filesystem type='ram'><source usage='1' units='MiB'/><target dir='/mnt/made'/></filesystem>";
        virsh(&["define", &file("box.xml", &domain("box", ROOT, &["/init"], more))]).ok();
        // It may fail, or run with what its root is; the machine's folder is not touched.
        let _ = virsh(&["start", "box"]);
        assert_eq!(fs::read_dir(outside).unwrap().count(), 0, "{what}");
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        assert!(!mounts.contains("/opt/outside"), "{what}: {mounts}");
        let _ = virsh(&["destroy", "box"]);
        virsh(&["undefine", "box"]).ok();
        fs::remove_dir_all(ROOT).unwrap();
    }
}

/// Where the root of the daemon is a mount on the machine's shared tree, and not the topmost one of all.
#[test]
fn a_daemon_in_a_chroot_shows_nothing_of_the_machine_beyond_it() {
    sandbox::require();
    shell("mkdir /jail && mount --rbind / /jail && mount --make-rprivate /jail && mount --make-rshared /").ok();
    let mounts = || fs::read_to_string("/proc/self/mountinfo").unwrap();
    let before = mounts();
    let _daemon = Daemon::start_by(&["chroot", "/jail"], Path::new(""), &[], true);
    image::busybox(Path::new(ROOT), "exec sleep 1000").unwrap();
    virsh(&["define", &file("box.xml", &domain("box", ROOT, &["/init"], ""))]).ok();
    virsh(&["start", "box"]).ok();
    let init = Guest::of("box").init.to_string();
    assert_eq!(mounts(), before);
    // Whoever enters the namespace is at its own root, and finds the container's there and nothing beneath.
    let inside = |arguments: &[&str]| program::run("nsenter", &[&["--target", &init, "--mount"], arguments].concat());
    let listed = inside(&["/bin/ls", "/"]).ok();
    assert!(listed.lines().any(|name| name == "init") && !listed.contains("jail"), "{listed}");
    let own = fs::read_to_string(format!("/proc/{init}/mountinfo")).unwrap();
    assert!(!own.contains("jail"), "{own}");
    inside(&["/bin/umount", "-l", "/"]).ok();
    assert_ne!(inside(&["/bin/ls", "/"]).code, 0, "there is something beneath the container's root");
    assert_eq!(mounts(), before);
    virsh(&["destroy", "box"]).ok();
    assert_eq!(mounts(), before);
}
