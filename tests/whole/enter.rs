//! `lxc-enter-namespace`: as libvirt's, in the container's groups, with its statuses; and with no capability that init has not.

use std::fs;
use std::path::Path;
use tests::daemon::{Daemon, file, virsh};
use tests::documents::domain;
use tests::image;
use tests::program::{self, Outcome};
use tests::sandbox;

fn running(root: &str, before_devices: &str) {
    image::busybox(Path::new("/opt/box"), "exec sleep 100000").unwrap();
    if root != "/opt/box" {
        // A file system that maps owners.
        fs::create_dir_all(root).unwrap();
        program::shell(&format!("mount -t tmpfs -o mode=755 mapped {root} && cp -a /opt/box/. {root}/")).ok();
    }
    let document = domain("box", root, &["/init"], "").replace("<devices>", &format!("{before_devices}<devices>"));
    virsh(&["define", &file("box.xml", &document)]).ok();
    virsh(&["start", "box"]).ok();
}

fn enter(words: &[&str]) -> Outcome {
    virsh(&[&["-q", "lxc-enter-namespace", "box", "--"], words].concat())
}

#[test]
fn a_command_is_in_the_containers_groups_with_its_capabilities() {
    sandbox::require();
    let _daemon = Daemon::start();
    running(
        "/opt/box",
        "<features><capabilities policy='deny'><chown state='on'/><kill state='on'/></capabilities></features>",
    );
    assert_eq!(enter(&["/bin/cat", "/proc/self/cgroup"]).ok(), enter(&["/bin/cat", "/proc/1/cgroup"]).ok());
    let bounding = |pid: &str| enter(&["/bin/grep", "^CapBnd", &format!("/proc/{pid}/status")]).ok();
    assert_eq!(bounding("self"), bounding("1"));
    assert_eq!(bounding("1"), "CapBnd:\t0000000000000021\n");
    let open = enter(&["/bin/sh", "-c", "cd /proc/$$/fd; for fd in *; do readlink $fd; done; true"]).ok();
    assert!(open.contains("pipe:") && !open.contains(":[40265"), "a namespace is open: {open}");
    let table: [(&[&str], &str); 4] = [
        (&["/bin/sh", "-c", "exit 7"], "exit status 7"),
        (&["/bin/nosuch"], "exit status 127"),
        (&["ls"], "exit status 127"),
        (&["/etc"], "exit status 126"),
    ];
    for (words, reason) in table {
        let said = enter(words);
        assert_eq!(said.code, 1, "{said}");
        let complaint = said.err.trim();
        assert!(
            complaint.starts_with("error: internal error: Child process (")
                && complaint.ends_with(&format!(") unexpected {reason}")),
            "{said}"
        );
    }
}

#[test]
fn with_ids_of_its_own_it_is_the_containers_root() {
    sandbox::require();
    let _daemon = Daemon::start();
    let map =
        "<idmap><uid start='0' target='100000' count='65536'/><gid start='0' target='100000' count='65536'/></idmap>";
    running("/opt/mapped", map);
    assert_eq!(enter(&["/bin/sh", "-c", "id -u; id -g; > /tmp/made"]).ok(), "0\n0\n");
    let ids = enter(&["/bin/grep", "-E", "^(Uid|Groups)", "/proc/self/status"]).ok();
    assert_eq!(ids, "Uid:\t0\t0\t0\t0\nGroups:\t \n");
    assert_eq!(enter(&["/bin/stat", "-c", "%u:%g", "/tmp/made"]).ok(), "0:0\n");
}
