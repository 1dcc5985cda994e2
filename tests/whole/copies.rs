//! `virsh cp`: both ways the same tree, whole or not at all, and no path of a guest's leads to the machine.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tests::daemon::{Daemon, file, virsh};
use tests::documents::domain;
use tests::image;
use tests::program::{self, PATIENCE, ended_within, eventually, ours};
use tests::sandbox;

const ROOT: &str = "/opt/box";

fn running() {
    image::busybox(Path::new(ROOT), "exec sleep 100000").unwrap();
    virsh(&["define", &file("box.xml", &domain("box", ROOT, &["/init"], ""))]).ok();
    virsh(&["start", "box"]).ok();
}

fn inside(path: &str) -> PathBuf {
    Path::new(ROOT).join(path.trim_start_matches('/'))
}

fn names(folder: impl AsRef<Path>) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn tree(at: &str) {
    fs::create_dir_all(format!("{at}/sub/deep")).unwrap();
    fs::write(format!("{at}/sub/deep/file"), vec![3; 700_000]).unwrap();
    fs::write(format!("{at}/script"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(format!("{at}/script"), fs::Permissions::from_mode(0o4750)).unwrap();
    symlink("/etc/shadow", format!("{at}/link")).unwrap();
    program::shell(&format!("touch -d '2001-02-03 04:05:06 UTC' {at}/script; mkfifo {at}/pipe")).ok();
}

#[test]
fn a_tree_goes_in_and_comes_out() {
    sandbox::require();
    let _daemon = Daemon::start();
    running();
    tree("/tmp/tree");
    let said = virsh(&["cp", "/tmp/tree", "box:/srv"]);
    assert_eq!(said.err, "warning: '/tmp/tree/pipe' is neither file, folder nor link: left out\n");
    said.ok();
    virsh(&["cp", "/tmp/tree", "box:/tmp"]).ok();
    virsh(&["cp", "box:/srv", "/tmp/back"]).ok();
    fs::create_dir("/tmp/into").unwrap();
    virsh(&["cp", "box:/srv", "/tmp/into"]).ok();
    for copy in [inside("srv"), inside("tmp/tree"), "/tmp/back".into(), "/tmp/into/srv".into()] {
        assert_eq!(names(&copy), ["link", "script", "sub"], "{copy:?}");
        assert_eq!(fs::read(copy.join("sub/deep/file")).unwrap(), vec![3; 700_000]);
        assert_eq!(fs::read_link(copy.join("link")).unwrap(), Path::new("/etc/shadow"));
        let script = fs::metadata(copy.join("script")).unwrap();
        assert_eq!((script.mode() & 0o7777, script.mtime()), (0o750, 981_173_106), "{copy:?}");
    }
    // One file, to a new name, over an old one, and by the standard streams.
    virsh(&["cp", "/tmp/tree/sub/deep/file", "box:/tmp/one"]).ok();
    virsh(&["cp", "/tmp/tree/script", "box:/tmp/one"]).ok();
    assert_eq!(virsh(&["cp", "box:/tmp/one", "-"]).ok(), "#!/bin/sh\n");
    let mut command = Command::new(ours("virsh"));
    command.args(["cp", "-", "box:/tmp/two"]);
    program::finish(command, &vec![9; 2_000_000], PATIENCE).ok();
    assert_eq!(fs::read(inside("tmp/two")).unwrap(), vec![9; 2_000_000]);
    assert!(!names(inside("tmp")).iter().any(|name| name.starts_with(".virtlxc")), "{:?}", names(inside("tmp")));
}

#[test]
fn what_cannot_be_is_said_and_changes_nothing() {
    sandbox::require();
    let _daemon = Daemon::start();
    running();
    fs::write("/tmp/file", "x").unwrap();
    fs::create_dir("/tmp/folder").unwrap();
    fs::write(inside("tmp/kept"), "old").unwrap();
    program::shell("mkfifo /tmp/pipe").ok();
    let table: [(&[&str], &str); 12] = [
        (&["cp", "/tmp/file", "box:/dev/null"], "error: '/dev/null': is there, and neither file, folder nor link\n"),
        (&["cp", "box:/tmp/kept", "/tmp/pipe"], "error: '/tmp/pipe': is there, and neither file, folder nor link\n"),
        (&["cp", "box:/no", "/tmp/x"], "error: '/no': No such file or directory\n"),
        (&["cp", "/tmp/no", "box:/tmp"], "error: Failed to open file '/tmp/no': No such file or directory\n"),
        (&["cp", "/tmp/file", "box:/no/x"], "error: '/no': No such file or directory\n"),
        (&["cp", "/tmp/file", "box:/tmp/kept/"], "error: '/tmp/kept/': Not a directory\n"),
        (&["cp", "/tmp/folder", "box:/tmp/kept"], "error: '/tmp/kept': File exists\n"),
        (&["cp", "box:/tmp/kept", "/no/x"], "error: '/no': No such file or directory\n"),
        (&["cp", "box:/tmp", "-"], "error: '/tmp': is not a plain file\n"),
        (&["cp", "/tmp/file", "/tmp/y"], "error: one side must be in a container: DOMAIN:PATH\n"),
        (&["cp", "/tmp/file", "box:tmp"], "error: invalid argument: path 'tmp' in the container must begin with '/'\n"),
        (
            &["-r", "cp", "box:/tmp/kept", "-"],
            "error: operation forbidden: read only access prevents virtlxcDomainRun\n",
        ),
    ];
    for (line, err) in table {
        let said = virsh(line);
        assert_eq!((said.code, said.err.as_str()), (1, err), "{said}");
    }
    assert_eq!(names(inside("tmp")), ["kept"]);
    assert_eq!(fs::read_to_string(inside("tmp/kept")).unwrap(), "old");
    // A file system without room.
    let small = "mount -t tmpfs -o size=64k small /mnt";
    virsh(&["exec", "box", "--", "sh", "-c", small]).ok();
    fs::write("/tmp/big", vec![1; 1_000_000]).unwrap();
    let said = virsh(&["cp", "/tmp/big", "box:/mnt/big"]);
    assert!(said.failure().contains("'/mnt/big': No space left on device"));
    assert_eq!(virsh(&["exec", "box", "--", "ls", "-A", "/mnt"]).ok(), "");
}

#[test]
fn owners_are_kept_by_their_numbers_inside() {
    sandbox::require();
    let _daemon = Daemon::start();
    image::busybox(Path::new(ROOT), "exec sleep 100000").unwrap();
    fs::create_dir_all("/opt/mapped").unwrap();
    // Owned on disk by whom the map names: what is seen there is what the machine sees.
    program::shell("mount -t tmpfs -o mode=755 mapped /opt/mapped && cp -a /opt/box/. /opt/mapped/").ok();
    let map =
        "<idmap><uid start='0' target='100000' count='1000'/><gid start='0' target='100000' count='1000'/></idmap>";
    let document = domain("box", "/opt/mapped", &["/init"], "").replace("<devices>", &format!("{map}<devices>"));
    virsh(&["define", &file("box.xml", &document)]).ok();
    virsh(&["start", "box"]).ok();
    fs::write("/tmp/file", "x").unwrap();
    program::shell("chown 5:6 /tmp/file; chmod 4755 /tmp/file").ok();
    let seen = |name: &str| virsh(&["exec", "box", "--", "stat", "-c", "%u:%g %a", name]).ok();
    virsh(&["cp", "/tmp/file", "box:/tmp/plain"]).ok();
    assert_eq!(seen("/tmp/plain"), "0:0 755\n");
    virsh(&["cp", "--owners", "/tmp/file", "box:/tmp/owned"]).ok();
    assert_eq!(seen("/tmp/owned"), "5:6 4755\n");
    virsh(&["cp", "--owners", "box:/tmp/owned", "/tmp/back"]).ok();
    let back = fs::metadata("/tmp/back").unwrap();
    assert_eq!((back.uid(), back.gid(), back.mode() & 0o7777), (5, 6, 0o4755));
    virsh(&["cp", "box:/tmp/owned", "/tmp/mine"]).ok();
    let mine = fs::metadata("/tmp/mine").unwrap();
    assert_eq!((mine.uid(), mine.gid(), mine.mode() & 0o7777), (0, 0, 0o755));
    // One that the container does not know is its root, and that is said.
    program::shell("chown 5000:5000 /tmp/file").ok();
    let said = virsh(&["cp", "--owners", "/tmp/file", "box:/tmp/unknown"]);
    assert!(said.err.starts_with("warning: cannot keep owner 5000:5000 of '/tmp/unknown':"), "{said}");
    assert_eq!(seen("/tmp/unknown"), "0:0 755\n");
}

#[test]
fn no_link_of_a_guest_leads_to_the_machine() {
    sandbox::require();
    let _daemon = Daemon::start();
    running();
    fs::create_dir("/tmp/machine").unwrap();
    fs::write("/tmp/machine/secret", "the machine's").unwrap();
    fs::write("/tmp/file", "new").unwrap();
    symlink("/tmp/machine", inside("tmp/way")).unwrap();
    symlink("/tmp/machine/secret", inside("tmp/secret")).unwrap();
    symlink("../../../../../../tmp/machine", inside("tmp/up")).unwrap();
    symlink(Path::new("/proc/1/root").join("tmp/machine"), inside("tmp/proc")).unwrap();
    for way in ["way", "up", "proc"] {
        virsh(&["cp", "/tmp/file", &format!("box:/tmp/{way}/file")]).failure();
        virsh(&["cp", "/tmp/file", &format!("box:/tmp/{way}")]).ok();
        assert_eq!(fs::read_to_string(inside(&format!("tmp/{way}"))).unwrap(), "new", "a link is replaced");
    }
    assert!(virsh(&["cp", "box:/tmp/secret", "-"]).failure().contains("No such file or directory"));
    assert_eq!(names("/tmp/machine"), ["secret"]);
    // What comes out is a link, and what is behind it on the machine is left alone.
    fs::create_dir(inside("tmp/tree")).unwrap();
    symlink("/tmp/machine", inside("tmp/tree/way")).unwrap();
    virsh(&["cp", "box:/tmp/tree", "/tmp/out"]).ok();
    assert_eq!(fs::read_link("/tmp/out/way").unwrap(), Path::new("/tmp/machine"));
    fs::remove_file(inside("tmp/tree/way")).unwrap();
    fs::create_dir(inside("tmp/tree/way")).unwrap();
    fs::write(inside("tmp/tree/way/evil"), "x").unwrap();
    virsh(&["cp", "box:/tmp/tree/way", "/tmp/out"]).failure();
    assert_eq!(names("/tmp/machine"), ["secret"]);
}

#[test]
fn a_copy_that_is_broken_off_leaves_nothing() {
    sandbox::require();
    let _daemon = Daemon::start();
    running();
    for signal in [rustix::process::Signal::KILL, rustix::process::Signal::TERM] {
        let mut command = Command::new(ours("virsh"));
        command.args(["cp", "-", "box:/tmp/endless"]).stdin(fs::File::open("/dev/zero").unwrap());
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        eventually("it is under way", PATIENCE, || {
            let begun = |name: &String| fs::metadata(inside("tmp").join(name)).is_ok_and(|found| found.len() > 100_000);
            names(inside("tmp")).iter().any(begun).then_some(())
        });
        program::kill(child.id(), signal);
        assert!(ended_within(child.id(), PATIENCE));
        child.wait().unwrap();
        eventually("nothing is left of it", PATIENCE, || names(inside("tmp")).is_empty().then_some(()));
    }
    // The same on this side.
    fs::create_dir("/tmp/here").unwrap();
    let much = "dd if=/dev/zero of=/tmp/much bs=1M count=0 seek=100000";
    virsh(&["exec", "box", "--", "sh", "-c", much]).ok();
    let mut command = Command::new(ours("virsh"));
    let mut child = command.args(["cp", "box:/tmp/much", "/tmp/here/much"]).stdout(Stdio::null()).spawn().unwrap();
    eventually("it is under way", PATIENCE, || names("/tmp/here").first().map(drop));
    program::kill(child.id(), rustix::process::Signal::TERM);
    assert!(ended_within(child.id(), PATIENCE));
    child.wait().unwrap();
    assert_eq!(names("/tmp/here"), [""; 0]);
}

#[test]
fn an_input_that_says_nothing_keeps_nobody() {
    sandbox::require();
    let _daemon = Daemon::start();
    running();
    let start = |target: &str| {
        let mut command = Command::new(ours("virsh"));
        command.args(["cp", "-", target]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let mut child = start("box:/tmp/silent");
    let input = child.stdin.take();
    eventually("it is under way", PATIENCE, || names(inside("tmp")).first().map(drop));
    program::kill(child.id(), rustix::process::Signal::TERM);
    assert!(ended_within(child.id(), PATIENCE), "a signal does not end it");
    assert_eq!(child.wait().unwrap().code(), None);
    eventually("nothing is left of it", PATIENCE, || names(inside("tmp")).is_empty().then_some(()));
    drop(input);
    // What the other side refuses is over as well.
    let mut child = start("box:/no/file");
    let input = child.stdin.take();
    assert!(ended_within(child.id(), PATIENCE), "the other side's failure does not end it");
    let said = child.wait_with_output().unwrap();
    assert_eq!(said.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&said.stderr), "error: '/no': No such file or directory\n");
    drop(input);
    // An output that nobody takes.
    virsh(&["exec", "box", "--", "dd", "if=/dev/zero", "of=/tmp/much", "bs=1M", "count=0", "seek=1000"]).ok();
    let mut command = Command::new(ours("virsh"));
    command.args(["cp", "box:/tmp/much", "-"]).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut output = child.stdout.take().unwrap();
    output.read_exact(&mut [0]).unwrap();
    program::kill(child.id(), rustix::process::Signal::TERM);
    assert!(ended_within(child.id(), PATIENCE), "a signal does not end it");
    child.wait().unwrap();
}
