//! The elements of a document once more, each with Debian's libvirtd and with our daemon: what the probe sees in one and not in
//! the other stands in `tests/recorded/elements.txt`, and docs/differences.md says why.

use crate::container::{before_devices, in_os, root};
use crate::guest::namespace;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use tests::daemon::{Daemon, Libvirtd, debian_virsh, file};
use tests::documents::domain;
use tests::program::{PATIENCE, eventually, shell};
use tests::sandbox;

const ROOT: &str = "/opt/box";
const RECORDED: &str = include_str!("../recorded/elements.txt");

/// Each element, and the document with it.
fn cases() -> Vec<(&'static str, String)> {
    let box_with = |more: &str| domain("box", ROOT, &["/probe", "/seen"], more);
    let plain = || box_with("");
    let features = |inside: &str| before_devices(plain(), &format!("<features>{inside}</features>"));
    let capabilities =
        |policy: &str, inside: &str| features(&format!("<capabilities policy='{policy}'>{inside}</capabilities>"));
    let folder = |source: &str, more: &str| {
        box_with(&format!(
            "<filesystem type='mount'><source dir='{source}'/><target dir='/mnt/made/it'/>{more}</filesystem>"
        ))
    };
    let of_kind = |kind: &str, inside: &str| {
        box_with(&format!("<filesystem type='{kind}'>{inside}<target dir='/mnt/it'/></filesystem>"))
    };
    let lent = |kind: &str, inside: &str| {
        box_with(&format!("<hostdev mode='capabilities' type='{kind}'><source>{inside}</source></hostdev>"))
    };
    let mapped = |document: String| {
        let map = "<idmap><uid start='0' target='100000' count='65536'/><gid start='0' target='200000' count='65536'/></idmap>";
        before_devices(document, map)
    };
    vec![
        ("plain", plain()),
        (
            "arguments, environment, folder",
            in_os(
                plain(),
                "<initarg>b c</initarg><initenv name='FOO'>bar</initenv><initdir>/etc</initdir><cmdline>k=v</cmdline>",
            ),
        ),
        ("init's user and group", in_os(plain(), "<inituser>1000</inituser><initgroup>1000</initgroup>")),
        ("a network of its own", features("<privnet/>")),
        ("capabilities: mknod", capabilities("default", "<mknod state='on'/>")),
        ("capabilities: all", capabilities("allow", "")),
        ("capabilities: all but one", capabilities("allow", "<sys_time state='off'/>")),
        (
            "capabilities: few",
            capabilities("deny", "<chown state='on'/><dac_override state='on'/><sys_admin state='on'/>"),
        ),
        ("ids of its own", mapped(plain())),
        ("ids of its own and a folder", mapped(folder("/opt/data", ""))),
        ("a folder", folder("/opt/data", "")),
        ("a folder, read-only", folder("/opt/data", "<readonly/>")),
        ("a file", of_kind("mount", "<source dir='/opt/data/file'/>").replace("/mnt/it", "/etc/passwd")),
        ("memory", of_kind("ram", "<source usage='10' units='MiB'/>")),
        ("a folder of its own elsewhere", of_kind("bind", "<source dir='/etc'/>")),
        ("an image", of_kind("file", "<driver type='loop' format='raw'/><source file='/opt/compared.img'/>")),
        ("a character device", lent("misc", "<char>/dev/fuse</char>")),
        ("a block device", lent("storage", "<block>/dev/compared</block>")),
        ("a disk", box_with("<disk type='block'><source dev='/dev/compared'/><target dev='sda'/></disk>")),
        ("a link of the machine", lent("net", "<interface>lent0</interface>")),
        (
            "several consoles",
            box_with("<console type='pty'/><console type='pty'><target type='lxc' port='2'/></console>"),
        ),
        ("clocks", before_devices(plain(), "<clock offset='localtime'><timer name='rtc' present='yes'/></clock>")),
        ("memory's limits", before_devices(plain(), "<memtune><hard_limit unit='KiB'>40960</hard_limit></memtune>")),
        ("processors", plain().replace("<os>", "<vcpu cpuset='0'>1</vcpu><os>")),
        ("a 32-bit system", plain().replace("<type>", "<type arch='i686'>")),
    ]
}

/// What the probe sees in it, without what is chance; or why it does not start.
fn seen(document: &str) -> Vec<String> {
    let out = Path::new(ROOT).join("seen");
    _ = fs::remove_file(&out);
    // What may have been left there by the one before.
    shell(
        "rm -rf /opt/box/mnt /opt/box/.oldroot; mkdir -m 777 /opt/box/mnt; ip link show lent0 || ip link add lent0 type veth peer name lent1",
    );
    // The user's own id, as it is the same each time.
    let document = document.replace("</name>", "</name><uuid>c1146dcc-d5f7-4e80-99e9-c4aebaf3a6b4</uuid>");
    let started = debian_virsh(&["create", &file("box.xml", &document)]);
    if started.code != 0 {
        let complaint =
            started.err.lines().filter(|line| !line.contains("Failed to create domain")).collect::<Vec<_>>();
        return vec![format!("refused {}", complaint.join(" ").trim_start_matches("error: "))];
    }
    let found = eventually("the probe has written, or is gone", PATIENCE, || match fs::read_to_string(&out) {
        Ok(text) => Some(Some(text)),
        Err(_) => (debian_virsh(&["domstate", "box"]).out.trim() != "running").then_some(None),
    });
    _ = debian_virsh(&["destroy", "box"]);
    eventually("it is gone", PATIENCE, || (debian_virsh(&["domstate", "box"]).code != 0).then_some(()));
    match found {
        Some(text) => text.lines().filter_map(essence).collect(),
        None => vec!["ends at once".into()],
    }
}

/// None for what differs from one start to the next.
fn essence(line: &str) -> Option<String> {
    let words: Vec<&str> = line.split(' ').collect();
    Some(match words.as_slice() {
        ["namespace", kind, name] => {
            let whose = if *name == namespace(std::process::id(), kind) { "the machine's" } else { "its own" };
            format!("namespace {kind} {whose}")
        }
        // Which hierarchies there are is the machine's affair; the last of the options is the controller.
        ["mount", _, path, "cgroup", options, ..] if path.starts_with("/sys/fs/cgroup/") => {
            let kept: Vec<&str> =
                options.split(',').filter(|option| !path.ends_with(option) && !is_chance(option)).collect();
            format!("mount /sys/fs/cgroup/CONTROLLER cgroup {}", kept.join(","))
        }
        // Where it is mounted from is a name without meaning.
        ["mount", _, path, kind, options, ..] => {
            let of_the_machine = |option: &str| *kind == "devtmpfs" && option.starts_with("size=");
            let kept: Vec<&str> =
                options.split(',').filter(|option| !is_chance(option) && !of_the_machine(option)).collect();
            format!("mount {path} {kind} {}", kept.join(","))
        }
        // Each has its own name for it.
        ["cgroup", ..] | ["memory", ..] => return None,
        ["root", "seen" | "seen.new"] => return None,
        // What the daemon's own starter has left.
        ["limit" | "SigIgn", ..] => return None,
        _ => line.to_string(),
    })
}

fn is_refused(seen: &[String]) -> bool {
    seen.iter().all(|line| line.starts_with("refused ") || line == "ends at once")
}

fn is_chance(option: &str) -> bool {
    let name = option.split('=').next().unwrap_or_default();
    [
        "release_agent",
        "inode64",
        "lowerdir",
        "upperdir",
        "workdir",
        "fd",
        "user_id",
        "group_id",
        "nr_inodes",
        "xino",
        "uuid",
    ]
    .contains(&name)
}

#[test]
fn elements_with_debians_daemon_and_ours() {
    sandbox::require();
    root();
    shell("chmod 777 /opt/box; mkdir -p /opt/data; echo of the machine > /opt/data/file; mknod /dev/compared b 7 250; [ -e /dev/rtc0 ] || mknod /dev/rtc0 c 10 250; truncate -s 8M /opt/compared.img && mkfs.ext4 -q /opt/compared.img").ok();
    let theirs: Vec<Vec<String>> = {
        let _daemon = Libvirtd::start();
        cases().iter().map(|(_, document)| seen(document)).collect()
    };
    let _daemon = Daemon::start();
    let mut report = String::new();
    let mut known: Vec<String> = Vec::new();
    for ((name, document), theirs) in cases().iter().zip(theirs) {
        let ours = seen(document);
        let only = |mark: &str, these: &[String], those: &[String]| {
            let mut lines: Vec<String> =
                these.iter().filter(|line| !those.contains(line)).map(|line| format!("{mark} {line}")).collect();
            // Several hierarchies look alike.
            lines.dedup();
            lines
        };
        let different = match (is_refused(&theirs), is_refused(&ours)) {
            (false, true) => only("+", &ours, &theirs),
            (true, false) => [only("-", &theirs, &ours), vec!["+ runs".to_string()]].concat(),
            _ => [only("-", &theirs, &ours), only("+", &ours, &theirs)].concat(),
        };
        _ = writeln!(report, "{name}");
        // What every container has otherwise is told of the first alone.
        for line in different.iter().filter(|line| !known.contains(line)) {
            _ = writeln!(report, "{line}");
        }
        if known.is_empty() {
            known = different;
        }
    }
    assert!(report == RECORDED, "now:\n{report}");
}
