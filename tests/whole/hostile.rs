//! A guest that means harm: what it tries reaches neither the machine nor the daemon, which answers all the while, and its
//! container ends at once when told to.

use crate::container::before_devices;
use crate::guest::Guest;
use crate::leftovers::Leftovers;
use rustix::process::Signal;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};
use tests::daemon::{Daemon, file, virsh};
use tests::documents::{domain, interface};
use tests::image;
use tests::program::{self, PATIENCE, ended_within, eventually, kill, ours, shell};
use tests::sandbox;

const ROOT: &str = "/opt/box";
const MAP: &str =
    "<idmap><uid start='0' target='100000' count='65536'/><gid start='0' target='200000' count='65536'/></idmap>";
/// What a call may take on a machine that has much else to do. What waits for a guest takes longer, each time that it is tried.
const PROMPT: Duration = Duration::from_secs(2);
/// What happens once only may be less lucky: still less than the waits for a guest, which are 15 s and more.
const LENIENT: Duration = Duration::from_secs(10);

/// Starts the domain `box`, whose init runs these lines; its devices have `more`, and before them is `other`.
#[track_caller]
fn running(init: &str, more: &str, other: &str) -> Guest {
    _ = fs::remove_dir_all(ROOT);
    image::busybox(Path::new(ROOT), init).unwrap();
    virsh(&["create", &file("box.xml", &before_devices(domain("box", ROOT, &["/init"], more), other))]).ok();
    Guest::of("box")
}

fn until_there(name: &str) {
    eventually(name, PATIENCE, || Path::new(ROOT).join(name).exists().then_some(()));
}

/// A question is answered at once: on a machine that has much else to do, one time of several.
#[track_caller]
fn answers(arguments: &[&str]) {
    let mut all = Vec::new();
    for _ in 0..5 {
        let begun = Instant::now();
        virsh(arguments).ok();
        all.push(begun.elapsed());
        if begun.elapsed() < PROMPT {
            return;
        }
    }
    panic!("{arguments:?} took {all:?}");
}

/// The daemon answers, and ends the container, both at once.
#[track_caller]
fn answers_and_destroys(daemon: &Daemon, guest: &Guest) {
    answers(&["dominfo", "box"]);
    answers(&["list"]);
    let begun = Instant::now();
    virsh(&["destroy", "box"]).ok();
    assert!(begun.elapsed() < LENIENT, "its end took {:?}", begun.elapsed());
    assert!(daemon.is_alive());
    assert!(ended_within(guest.init, Duration::ZERO), "its init lives");
    assert!(ended_within(guest.controller, Duration::ZERO), "its controller lives");
}

/// Who enters a mount namespace comes to what is mounted last on its very root, whoever is there already.
#[test]
fn beneath_the_root_is_nothing_of_the_machine() {
    sandbox::require();
    let _daemon = Daemon::start();
    for (other, taken_away) in [("", true), (MAP, false)] {
        let guest = running("exec sleep 1000", "", other);
        let entered = |line: &str| {
            let init = guest.init.to_string();
            program::run("nsenter", &["--target", &init, "--mount", "/bin/sh", "-c", line])
        };
        assert_eq!(entered("test -x /init && ! test -e /opt/box").code, 0);
        assert_eq!(entered("umount -l /").code == 0, taken_away, "with '{other}'");
        assert_ne!(entered("test -e /opt/box").code, 0, "with '{other}'");
        assert_eq!(entered("exit 0").code != 0, taken_away, "with '{other}'");
        virsh(&["destroy", "box"]).ok();
    }
}

#[test]
fn what_a_guest_tries_with_mounts_nodes_and_groups() {
    sandbox::require();
    let _daemon = Daemon::start();
    shell("mkdir -p /opt/mapped && mount -t tmpfs -o mode=755 mapped /opt/mapped").ok();
    let without = "<features><capabilities policy='default'><sys_admin state='off'/></capabilities></features>";
    // What root without ids of its own keeps of the machine's own powers is told in docs/security.md.
    for (root, other, all_refused) in [("/opt/mapped", MAP, true), (ROOT, without, true), (ROOT, "", false)] {
        image::busybox(Path::new(root), include_str!("hostile-init.sh")).unwrap();
        let options = || fs::read_to_string("/proc/self/mounts").unwrap().matches("release_agent=").count();
        let before = options();
        virsh(&["create", &file("box.xml", &before_devices(domain("box", root, &["/init"], ""), other))]).ok();
        let guest = Guest::of("box");
        let groups = guest.proc("cgroup");
        let out = Path::new(root).join("seen");
        let seen = eventually("all is tried", PATIENCE, || fs::read_to_string(&out).ok());
        let judged = if all_refused { seen.as_str() } else { seen.split("---").next().unwrap() };
        let may: Vec<&str> = judged.lines().filter(|line| line.starts_with("may ")).collect();
        assert_eq!(may, Vec::<&str>::new(), "with {other}: {seen}");
        assert!(judged.lines().filter(|line| line.starts_with("may-not ")).count() >= 7, "{seen}");
        assert_eq!(guest.proc("cgroup"), groups, "it has left its groups");
        assert_eq!(options(), before);
        virsh(&["destroy", "box"]).ok();
        fs::remove_file(out).unwrap();
        _ = fs::remove_dir_all(ROOT);
    }
}

#[test]
fn links_at_every_path_that_is_touched() {
    sandbox::require();
    let daemon = Daemon::start();
    let outside = Path::new("/opt/outside");
    let map =
        shell("mkdir -p /opt/outside && cd /opt/outside && mkfifo initctl && echo root:x:777:777::/:/bin/sh > passwd");
    map.ok();
    let state =
        || shell("cd /opt/outside && find . -printf '%p %m %U %T@ %s\\n' | sort; grep -c outside /proc/self/mounts");
    let before = state().out;
    // Somebody reads the machine's pipe.
    let pipe = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::NONBLOCK;
    let pipe = rustix::fs::open("/opt/outside/initctl", pipe, rustix::fs::Mode::empty()).unwrap();
    let filesystems = "<filesystem type='ram'><source usage='1' units='MiB'/><target dir='/mnt/made'/></filesystem>\
        <filesystem type='bind'><source dir='/bind'/><target dir='/bound/here'/></filesystem>";
    let user = |document: String| document.replace("</os>", "<inituser>root</inituser></os>");
    let paths = [
        "proc",
        "sys",
        "dev",
        "mnt",
        "bind",
        "bound",
        "etc",
        "etc/passwd",
        "etc/group",
        "etc/machine-id",
        "run",
        "var",
        "var/run",
        "tmp",
        "run/initctl",
        "dev/initctl",
        "etc/.initctl",
        "dev/console",
        "dev/pts",
        "dev/tty1",
        "sys/fs",
    ];
    let mut ran = 0;
    for path in paths {
        for up in ["", "/../..", "../../../../.."] {
            _ = fs::remove_dir_all(ROOT);
            image::busybox(Path::new(ROOT), "trap 'exit 0' TERM; touch /up; while :; do sleep 0.1; done").unwrap();
            fs::create_dir_all(Path::new(ROOT).join("bind")).unwrap();
            let link = Path::new(ROOT).join(path);
            fs::create_dir_all(link.parent().unwrap()).unwrap();
            let name = link.file_name().unwrap().to_string_lossy().into_owned();
            let inside = match name.trim_start_matches('.') {
                "passwd" => "/passwd",
                "initctl" => "/initctl",
                _ => "",
            };
            _ = fs::remove_dir_all(&link);
            _ = fs::remove_file(&link);
            symlink(format!("{up}/opt/outside{inside}"), &link).unwrap();
            let document = user(domain("box", ROOT, &["/init"], filesystems));
            // It may fail, or run with what its own root has there.
            if virsh(&["create", &file("box.xml", &document)]).code == 0 {
                ran += 1;
                let guest = Guest::of("box");
                assert!(!guest.proc("status").contains("\t777\t"), "{path} -> {up}: another's users");
                eventually("it runs", PATIENCE, || {
                    (Path::new(ROOT).join("up").exists() || virsh(&["domid", "box"]).code != 0).then_some(())
                });
                // The word about its end must not reach the machine's pipe.
                _ = virsh(&["shutdown", "box"]);
                _ = virsh(&["destroy", "box"]);
            }
            assert_eq!(state().out, before, "{path} -> {up}");
            assert_eq!(
                rustix::io::read(&pipe, &mut [0; 8]),
                Ok(0),
                "{path} -> {up}: the machine's pipe was written to"
            );
        }
    }
    assert!(ran > paths.len(), "only {ran} ran");
    assert!(daemon.is_alive() && outside.exists());
}

#[test]
fn a_pipe_in_place_of_a_file_is_not_waited_for() {
    sandbox::require();
    let daemon = Daemon::start();
    image::busybox(Path::new(ROOT), "exec sleep 1000").unwrap();
    shell("cd /opt/box/etc && rm passwd && mkfifo passwd").ok();
    let document = domain("box", ROOT, &["/init"], "").replace("</os>", "<inituser>root</inituser></os>");
    let begun = Instant::now();
    let said = virsh(&["create", &file("box.xml", &document)]).failure();
    assert!(said.contains("/etc/passwd in the container is not a file"), "{said}");
    assert!(begun.elapsed() < LENIENT && daemon.is_alive(), "{:?}", begun.elapsed());
}

#[test]
fn programs_of_the_machine_are_out_of_its_reach() {
    sandbox::require();
    let daemon = Daemon::start();
    // On a file system of its own, as programs are.
    shell("mkdir -p /opt/programs && mount -t tmpfs -o mode=755 programs /opt/programs").ok();
    let program = "/opt/programs/virsh";
    fs::copy(ours("virsh"), program).unwrap();
    let all = [Path::new(program).to_path_buf(), ours("virsh"), ours("libvirt_lxc"), ours("virtlxcd")];
    let contents: Vec<Vec<u8>> = all.iter().map(|path| fs::read(path).unwrap()).collect();
    // Writes through whatever program it sees that is not its own, while that runs and afterwards.
    let init = "ln -s /proc/self/exe /bin/link; printf '#!/proc/self/exe\\n' > /bin/script; chmod 755 /bin/script
touch /up
while :; do
    for process in /proc/[0-9]*; do
        program=$(readlink $process/exe) || continue
        case $program in */busybox) continue;; esac
        echo \"$program\" >> /found
        (exec 9< $process/exe; for i in 1 2 3 4 5 6 7 8 9; do (echo harm >> /proc/self/fd/9); done) 2> /dev/null
    done
done";
    let guest = running(init, "", "");
    until_there("up");
    for _ in 0..10 {
        for command in ["/bin/true", "/bin/link", "/bin/script"] {
            let mut entering = Command::new(program);
            entering.args(["lxc-enter-namespace", "box", "--", command]);
            // What a link to itself gives is its own affair.
            _ = tests::program::finish(entering, b"", PATIENCE);
        }
    }
    // Who enters is a copy in memory that cannot be written to, and brings nothing along.
    let mut entering = Command::new(program);
    let line = "ls -l /proc/self/fd; touch /entered; sleep 1000";
    entering
        .args(["lxc-enter-namespace", "box", "--", "/bin/sh", "-c", line])
        .stdout(fs::File::create("/tmp/said").unwrap());
    let mut entering = entering.spawn().unwrap();
    until_there("entered");
    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", entering.id())).unwrap();
    let inside = fs::read_link(format!("/proc/{}/exe", children.trim())).unwrap();
    assert!(inside.to_string_lossy().starts_with("/memfd:virsh"), "{inside:?}");
    let descriptors = fs::read_to_string("/tmp/said").unwrap();
    // Whatever this test was given, it hands on; of virsh there is nothing.
    let kinds = ["user:[", "mnt:[", "pid:[", "net:[", "ipc:[", "uts:[", "memfd", "socket:", "anon_inode"];
    assert!(descriptors.contains("0 -> ") && !kinds.iter().any(|kind| descriptors.contains(kind)), "{descriptors}");
    answers_and_destroys(&daemon, &guest);
    _ = entering.wait();
    // The same by the container's own init.
    for init in ["/bin/link", "/bin/script"] {
        shell("ln -sf /proc/self/exe /opt/box/bin/link").ok();
        _ = virsh(&["create", &file("box.xml", &domain("box", ROOT, &[init], ""))]);
        _ = virsh(&["destroy", "box"]);
    }
    for (path, content) in all.iter().zip(&contents) {
        assert!(fs::read(path).unwrap() == *content, "{} is another", path.display());
    }
}

#[test]
fn as_many_processes_as_it_may_have() {
    sandbox::require();
    let daemon = Daemon::start();
    let pids = "<virtlxc:container xmlns:virtlxc='urn:virtlxc:domain:1.0'><virtlxc:pids max='60'/></virtlxc:container>";
    let init = "bomb() { while :; do sleep 1000 & done; }
while :; do (bomb) 2> /dev/null & sleep 0.02; done";
    let guest = running(&format!("trap '' TERM; ({init}) & while :; do wait; done"), "", pids);
    // On every layout of control groups.
    let count = "grep -lsE '(pids|^0:):.*-box' /proc/[0-9]*/cgroup | wc -l";
    let processes = || shell(count).out.trim().parse().unwrap_or(0);
    eventually("the limit is reached", PATIENCE, || (processes() >= 50).then_some(()));
    // The kernel's own count: who counts them one by one sees some come and go meanwhile.
    let current = || {
        let found = shell("find /sys/fs/cgroup -path '*-box*' -name pids.current -exec cat {} +").ok();
        found.lines().filter_map(|line| line.parse::<u32>().ok()).max().unwrap()
    };
    for _ in 0..20 {
        assert!(current() <= 62, "{}", current());
    }
    answers_and_destroys(&daemon, &guest);
    eventually("none is left", PATIENCE, || (processes() == 0).then_some(()));
}

#[test]
fn a_console_that_is_flooded() {
    sandbox::require();
    let daemon = Daemon::start();
    let init = "for i in 1 2 3; do yes flood > /dev/console & done; touch /up; while :; do sleep 1000; done";
    let guest = running(init, "", "");
    until_there("up");
    // Nobody reads; then somebody does, and leaves.
    virsh(&["dominfo", "box"]).ok();
    let mut command = Command::new(ours("virsh"));
    let mut terminal = tests::terminal::Terminal::start(command.args(["console", "box"])).unwrap();
    terminal.expect("flood\nflood\n", PATIENCE).unwrap();
    terminal.type_in("\u{1d}").unwrap();
    assert_eq!(terminal.wait(PATIENCE), Some(0), "the console cannot be left");
    answers_and_destroys(&daemon, &guest);
}

#[test]
fn readers_of_the_view_that_never_finish() {
    sandbox::require();
    let daemon = Daemon::start();
    // Half-read and held open by many, read without end by some, stopped in the middle by one.
    let init = "hold() {
    exec 3< /proc/meminfo 4< /proc/stat 5< /proc/cpuinfo 6< /proc/uptime 7< /proc/loadavg 8< /proc/swaps 9< /proc/meminfo
    for i in 3 4 5 6 7 8 9; do dd bs=1 count=1 <&$i; done > /dev/null 2>&1
    echo held >> /held; exec sleep 1000
}
i=0; while [ $i -lt 50 ]; do hold & i=$((i+1)); done
for i in 1 2 3 4; do (while :; do cat /proc/cpuinfo /proc/uptime > /dev/null; done) & done
(dd if=/proc/meminfo bs=1 of=/dev/null & kill -STOP $!) 2> /dev/null
touch /up; while :; do sleep 1000; done";
    let guest = running(init, "", "");
    until_there("up");
    let held = || fs::read_to_string("/opt/box/held").unwrap_or_default().lines().count();
    eventually("all are half-read", PATIENCE, || (held() == 50).then_some(()));
    let read = guest.shell("head -n 1 /proc/meminfo").ok();
    assert!(read.contains("65536 kB"), "{read}");
    answers_and_destroys(&daemon, &guest);
}

/// A domain `box` on the machine's own root, for what wants a Python: its init is this script with the argument.
fn python(script: &str, argument: &str) -> String {
    let text = match script {
        "hostile-keys.py" => include_str!("hostile-keys.py"),
        _ => include_str!("hostile-pages.py"),
    };
    fs::create_dir_all("/opt").unwrap();
    fs::write(Path::new("/opt").join(script), text).unwrap();
    domain("box", "/", &["/usr/bin/python3", &format!("/opt/{script}"), argument], "")
}

#[test]
fn pages_of_the_view_that_never_come_to_rest() {
    sandbox::require();
    let daemon = Daemon::start();
    virsh(&["create", &file("box.xml", &python("hostile-pages.py", "/opt/up"))]).ok();
    let guest = Guest::of("box");
    eventually("all want pages", PATIENCE, || Path::new("/opt/up").exists().then_some(()));
    // Who is stopped in the middle of a page is so when he has it.
    eventually("half of them are stopped", PATIENCE, || {
        let states = guest.shell("ps -C python3 -o stat=").ok();
        let stopped = states.lines().filter(|line| line.starts_with('T')).count();
        (stopped >= 14 && states.lines().count() > 28).then_some(())
    });
    for _ in 0..20 {
        let read = guest.shell("head -n 1 /proc/meminfo; cat /proc/uptime > /dev/null").ok();
        assert!(read.contains("65536 kB"), "{read}");
    }
    answers_and_destroys(&daemon, &guest);
}

#[test]
fn keys_without_number() {
    sandbox::require();
    let daemon = Daemon::start();
    let of_root = || {
        let users = fs::read_to_string("/proc/key-users").unwrap();
        let line = users.lines().find(|line| line.trim_start().starts_with("0:")).unwrap().to_string();
        line.split_whitespace().nth(1).unwrap().parse::<u32>().unwrap()
    };
    let before = of_root();
    let unfiltered = "<virtlxc:container xmlns:virtlxc='urn:virtlxc:domain:1.0'><virtlxc:isolation seccomp='off'/>\
        </virtlxc:container>";
    for (other, expected) in [("", "0 keys, then Function not implemented"), (unfiltered, "2000 keys")] {
        _ = fs::remove_file("/opt/said");
        virsh(&["create", &file("box.xml", &before_devices(python("hostile-keys.py", "/opt/said"), other))]).ok();
        let said = eventually("it has tried", PATIENCE, || fs::read_to_string("/opt/said").ok());
        assert!(said.starts_with(expected), "{said}");
        // Others on the machine may make some.
        assert!(!other.is_empty() || of_root() < before + 1000, "{before}, {}", of_root());
        eventually("it has ended", PATIENCE, || (virsh(&["domstate", "box"]).code != 0).then_some(()));
    }
    assert!(daemon.is_alive());
}

#[test]
fn folders_without_end() {
    sandbox::require();
    let daemon = Daemon::start();
    fs::create_dir_all("/opt/lent").unwrap();
    // Very many names where something may be looked for, and a path that is longer than any call takes.
    let init = "mkdir /run; for folder in /run /etc /mnt; do i=0; while [ $i -lt 20000 ]; do : > $folder/f$i; i=$((i+1)); done; done
cd /mnt; i=0; while [ $i -lt 2000 ]; do mkdir deep && cd deep || break; i=$((i+1)); done
touch /up; trap 'touch /asked' TERM; while :; do sleep 0.1; done";
    // The kernel's memory for so many is the container's, until they are written.
    let guest = running(init, "", "<memtune><hard_limit unit='GiB'>1</hard_limit></memtune>");
    eventually("they are made", 4 * PATIENCE, || Path::new("/opt/box/up").exists().then_some(()));
    let begun = Instant::now();
    assert_eq!(virsh(&["exec", "box", "--", "echo", "fine"]).ok(), "fine\n");
    virsh(&["domfsinfo", "box"]).ok();
    let lent =
        file("lent.xml", "<filesystem type='mount'><source dir='/opt/lent'/><target dir='/mnt/new'/></filesystem>");
    virsh(&["attach-device", "box", &lent]).ok();
    virsh(&["detach-device", "box", &lent]).ok();
    virsh(&["shutdown", "box"]).ok();
    until_there("asked");
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    answers_and_destroys(&daemon, &guest);
}

#[test]
fn a_file_system_of_the_guests_that_never_answers() {
    sandbox::require();
    let daemon = Daemon::start();
    let fuse = "<hostdev mode='capabilities' type='misc'><source><char>/dev/fuse</char></source></hostdev>";
    let init = "mkdir -p /run; exec 3<> /dev/fuse
mount -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0,allow_other none /run || exit 1
trap 'touch /asked' TERM; touch /up; while :; do sleep 0.1; done";
    fs::create_dir_all("/opt/lent").unwrap();
    let lent = |name: &str| {
        format!("<filesystem type='mount'><source dir='/opt/lent'/><target dir='/run/{name}'/></filesystem>")
    };
    let guest = running(init, &format!("{fuse}{}", lent("covered")), "");
    until_there("up");
    assert!(guest.proc("mounts").contains(" /run fuse"), "{}", guest.proc("mounts"));
    // Looking for an initctl pipe asks that file system; the signal reaches init all the same.
    virsh(&["shutdown", "box"]).ok();
    until_there("asked");
    assert!(daemon.log().contains("does not answer within"), "nothing was asked");
    // Folders of the machine below it: neither mounted nor taken away, and nobody hangs.
    for (command, name) in [("attach-device", "new"), ("detach-device", "covered")] {
        let failed = virsh(&[command, "box", &file("lent.xml", &lent(name)), "--live"]).failure();
        assert!(failed.contains("does not answer within"), "{command}: {failed}");
    }
    let shown = virsh(&["dumpxml", "box"]).ok();
    assert!(shown.contains("/run/covered") && !shown.contains("/run/new"), "{shown}");
    answers_and_destroys(&daemon, &guest);
    // With its end those who wait for it are let go.
    eventually("no thread waits", PATIENCE, || {
        // A thread may end between the listing and the reading of its name.
        let threads = fs::read_dir(format!("/proc/{}/task", daemon.pid())).unwrap();
        let names = threads.filter_map(|thread| fs::read_to_string(thread.unwrap().path().join("comm")).ok());
        let names: Vec<String> = names.collect();
        (!names.is_empty() && !names.iter().any(|name| name.contains("guest-files"))).then_some(())
    });
}

/// A file system of the machine's that takes every question and answers none, as one over a network that is gone.
fn mute(on: &str) -> Child {
    fs::create_dir_all(on).unwrap();
    let mut server = Command::new("/usr/bin/python3");
    let server = server.args(["-c", include_str!("mute-fuse.py"), on]).spawn().unwrap();
    let mounted = format!(" {on} fuse");
    eventually("it is mounted", PATIENCE, || {
        fs::read_to_string("/proc/self/mounts").unwrap().contains(&mounted).then_some(())
    });
    server
}

/// Whether it is in the kernel for an answer of a file system's server. What the compiler has made one of two functions has the
/// other's name.
fn waits_for_an_answer(pid: u32) -> bool {
    let place = fs::read_to_string(format!("/proc/{pid}/wchan")).unwrap_or_default();
    place.contains("request_wait_answer") || place.contains("fuse")
}

/// A container whose init nothing ends but its file system's server, which comes first, and what there was before the container.
fn hanging() -> (Child, Leftovers, Guest) {
    let server = mute("/opt/mute");
    let before = Leftovers::now();
    let lent = "<filesystem type='mount'><source dir='/opt/mute'/><target dir='/mnt/mute'/></filesystem>";
    let guest = running("touch /up; exec cat /mnt/mute/file", lent, "");
    eventually("it hangs", PATIENCE, || waits_for_an_answer(guest.init).then_some(()));
    (server, before, guest)
}

#[test]
fn who_cannot_be_killed_is_not_given_up() {
    sandbox::require();
    let daemon = Daemon::start();
    let (mut server, before, guest) = hanging();
    // Others do not wait for it; nor is it said to be gone.
    let destroying = std::thread::spawn(|| virsh(&["destroy", "box"]));
    answers(&["list", "--name"]);
    assert_eq!(virsh(&["list", "--name"]).ok(), "box\n\n");
    let said = destroying.join().unwrap().failure();
    assert!(said.contains("Some processes refused to die"), "{said}");
    assert_eq!(virsh(&["domstate", "box"]).ok().trim(), "running");
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(ended_within(guest.init, PATIENCE), "its init lives");
    eventually("the domain is gone", PATIENCE, || (virsh(&["domstate", "box"]).code != 0).then_some(()));
    assert!(daemon.is_alive());
    before.assert_none_since();
}

#[test]
fn what_outlives_its_controller_is_cleared_away_when_it_ends() {
    sandbox::require();
    let daemon = Daemon::start();
    let (mut server, before, guest) = hanging();
    kill(guest.controller, Signal::KILL);
    // Its end is waited for, but not for ever.
    eventually("the domain is gone", 2 * PATIENCE, || (virsh(&["domstate", "box"]).code != 0).then_some(()));
    assert!(!ended_within(guest.init, Duration::ZERO), "its init could be killed after all");
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(ended_within(guest.init, PATIENCE), "its init lives");
    before.assert_none_since();
    assert!(daemon.is_alive());
}

#[test]
fn what_is_lent_and_does_not_answer_is_named() {
    sandbox::require();
    let daemon = Daemon::start();
    let mut server = mute("/opt/mute");
    fs::create_dir_all("/opt/lent").unwrap();
    image::busybox(Path::new(ROOT), "exec sleep 1000").unwrap();
    // What is asked for while the document is planned, and while the container is built.
    for (source, lent) in [
        ("/opt/mute/file", "<source dir='/opt/mute/file'/><target dir='/mnt/lent'/></filesystem>"),
        (
            "/opt/mute",
            "<source dir='/opt/mute'/><target dir='/mnt/lent'/></filesystem><filesystem type='mount'>\
             <source dir='/opt/lent'/><target dir='/mnt/lent/below'/></filesystem>",
        ),
    ] {
        let document = domain("box", ROOT, &["/init"], &format!("<filesystem type='mount'>{lent}"));
        virsh(&["define", &file("box.xml", &document)]).ok();
        let said = virsh(&["start", "box"]).failure();
        let words = format!("'{source}', the source of the file system on /mnt/lent, does not answer");
        assert!(said.contains(&words), "{said}");
        assert_eq!(virsh(&["domstate", "box"]).ok().trim(), "shut off");
        // The question is not asked twice.
        let said = virsh(&["start", "box"]).failure();
        assert!(said.contains(&words.replace("does not", "still does not")), "{said}");
        virsh(&["undefine", "box"]).ok();
    }
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(daemon.is_alive());
}

#[test]
fn a_controller_that_dies_beside_a_container_that_hangs() {
    sandbox::require();
    let daemon = Daemon::start();
    // The root is on a file system that never answers: the container's side waits there for ever.
    let mut server = mute(ROOT);
    let before = Leftovers::now();
    virsh(&["define", &file("box.xml", &domain("box", ROOT, &["/init"], ""))]).ok();
    let starting = std::thread::spawn(|| virsh(&["start", "box"]));
    let child = eventually("the container waits", PATIENCE, || {
        let pid: u32 = fs::read_to_string("/run/libvirt/lxc/box.pid").ok()?.trim().parse().ok()?;
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
        let child: u32 = children.trim().parse().ok()?;
        waits_for_an_answer(child).then_some((pid, child))
    });
    let begun = Instant::now();
    kill(child.0, Signal::KILL);
    let said = starting.join().unwrap().failure();
    // Its end is waited for, but not for long.
    assert!(begun.elapsed() < 3 * LENIENT, "{:?}: {said}", begun.elapsed());
    assert!(virsh(&["list"]).code == 0 && daemon.is_alive());
    assert_eq!(virsh(&["domstate", "box"]).ok().trim(), "shut off");
    // It can only end when that file system does.
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(ended_within(child.1, PATIENCE), "the container's side lives");
    before.assert_none_since();
}

#[test]
fn full_devices_and_links_without_number() {
    sandbox::require();
    let daemon = Daemon::start();
    let init = "i=0; while [ $i -lt 20000 ]; do : > /dev/f$i || break; i=$((i+1)); done
cat /dev/zero > /dev/fill; cat /dev/zero > /dev/shm/fill
i=0; while [ $i -lt 200 ]; do ip link add d$i type bridge; i=$((i+1)); done
touch /up; while :; do sleep 1000; done";
    let own_network = "<features><privnet/></features>";
    let links = || fs::read_dir("/sys/class/net").unwrap().count();
    let before = links();
    let guest = running(&format!("({init}) 2> /dev/null & while :; do sleep 1000; done"), "", own_network);
    until_there("up");
    assert_eq!(links(), before);
    answers_and_destroys(&daemon, &guest);
    // The next one starts as ever.
    let guest = running("exec sleep 1000", &interface("default"), "");
    answers_and_destroys(&daemon, &guest);
}
