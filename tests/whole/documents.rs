//! The two documents of libvirt's documentation, unchanged, by each client; and what the container sees.

use crate::guest::{Guest, namespace};
use crate::leftovers::Leftovers;
use std::fs;
use std::path::Path;
use std::process::Command;
use tests::daemon::{Daemon, debian_virsh, file, virsh};
use tests::documents::{PRIVATE_ROOT, VM1, VM1_PRIVATE_ROOT, domain, interface, without_swap};
use tests::image;
use tests::program::{self, Outcome, PATIENCE, eventually};
use tests::sandbox;
use tests::terminal::Terminal;

fn both() -> [(&'static str, String); 2] {
    image::busybox(Path::new(PRIVATE_ROOT), "exec /bin/sh").unwrap();
    [("/bin/sh", file("vm1.xml", VM1)), ("/init", file("vm1-private-root.xml", VM1_PRIVATE_ROOT))]
}

/// Every step but the console, with the words that scripts look for.
fn whole_way(client: fn(&[&str]) -> Outcome) {
    sandbox::require();
    let _daemon = Daemon::start();
    // The network is up before the first look, so that it is not taken for something left behind.
    eventually("the network is up", PATIENCE, || client(&["net-list"]).ok().contains("default").then_some(()));
    for (init, document) in both() {
        let before = Leftovers::now();
        assert_eq!(client(&["define", &document]).ok(), format!("Domain 'vm1' defined from {document}\n\n"));
        assert_eq!(client(&["start", "vm1"]).ok(), "Domain 'vm1' started\n\n");
        let list = client(&["list"]).ok();
        let row: Vec<&str> = list.lines().nth(2).unwrap().split_whitespace().collect();
        assert!(matches!(row.as_slice(), [id, "vm1", "running"] if id.parse::<u32>().is_ok()), "{list}");
        let info = client(&["dominfo", "vm1"]).ok();
        for line in ["Name:           vm1", "OS Type:        exe", "State:          running", "Persistent:     yes"] {
            assert!(info.lines().any(|shown| shown == line), "'{line}' is not in\n{info}");
        }
        let xml = client(&["dumpxml", "vm1"]).ok();
        for part in [
            "<domain type='lxc' id='".to_string(),
            format!("<init>{init}</init>"),
            "<emulator>/usr/libexec/libvirt_lxc</emulator>".to_string(),
            "<source network='default'".to_string(),
            "<console type='pty' tty='/dev/pts/".to_string(),
        ] {
            assert!(xml.contains(&part), "'{part}' is not in\n{xml}");
        }
        assert_eq!(client(&["domstate", "vm1"]).ok(), "running\n\n");
        assert_eq!(client(&["destroy", "vm1"]).ok(), "Domain 'vm1' destroyed\n\n");
        assert_eq!(client(&["domstate", "vm1"]).ok(), "shut off\n\n");
        before.assert_none_since();
        assert_eq!(client(&["undefine", "vm1"]).ok(), "Domain 'vm1' has been undefined\n\n");
        assert!(!Path::new("/etc/libvirt/lxc/vm1.xml").exists());
        assert!(client(&["dominfo", "vm1"]).failure().contains("failed to get domain 'vm1'"));
    }
}

#[test]
fn our_virsh_tells_what_is_dropped_and_where_a_fault_is() {
    sandbox::require();
    const UUID: &str = "c1146dcc-d5f7-4e80-99e9-c4aebaf3a6b4";
    let _daemon = Daemon::start();
    let document = |device: &str| {
        format!(
            "<domain type='lxc'>\n<name>told</name><uuid>{UUID}</uuid>\n<memory>65536</memory>\n<os><type>exe</type><init>/bin/sh</init></os>\n\
             <devices>\n{device}\n</devices>\n</domain>\n"
        )
    };
    let misspelt = file("misspelt.xml", &document("<consol type='pty'/>"));
    let told = virsh(&["define", &misspelt]);
    assert_eq!(told.code, 0, "{}", told.err);
    assert!(told.err.contains("warning: line 6: /domain/devices: element <consol> is not known here"), "{}", told.err);
    assert_eq!(virsh(&["-q", "define", &misspelt]).err, "");
    let refused = virsh(&["define", "--validate", &misspelt]).failure();
    assert!(refused.contains("line 6: /domain/devices: element <consol> is not known here"), "{refused}");
    let wrong = file("wrong.xml", &document("<console type='pty'><target type='nosuch'/></console>"));
    let refused = virsh(&["define", &wrong]).failure();
    let words = "error: unsupported configuration: unknown target type 'nosuch' specified for character device\n";
    assert!(refused.contains(&format!("{words}error: at /domain/devices/console, line 6\n")), "{refused}");
}

#[test]
fn debians_virsh_has_no_words_for_what_is_dropped() {
    sandbox::require();
    let _daemon = Daemon::start();
    let document = VM1.replace("</devices>", "<consol type='pty'/></devices>");
    let told = debian_virsh(&["define", &file("dropped.xml", &document)]);
    assert_eq!((told.code, told.err.as_str()), (0, ""));
}

#[test]
fn by_our_virsh() {
    whole_way(virsh);
}

#[test]
fn by_debians_virsh() {
    whole_way(debian_virsh);
}

#[test]
fn by_python() {
    sandbox::require();
    let _daemon = Daemon::start();
    for (_, document) in both() {
        let mut command = Command::new("/usr/bin/python3");
        command.args(["-c", concat!(include_str!("event_loop.py"), include_str!("client.py")), &document]);
        let said = program::finish(command, b"", 3 * PATIENCE).ok();
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(
            lines,
            [
                "defined vm1",
                "started 1",
                "state 1 1",
                "ps of the container alone",
                "events 2 4 5",
                "stopped 5",
                "undefined"
            ],
            "{said}"
        );
    }
}

#[test]
fn each_has_an_address_and_the_gateway_answers() {
    sandbox::require();
    let _daemon = Daemon::start();
    for (_, document) in both() {
        virsh(&["define", &document]).ok();
        virsh(&["start", "vm1"]).ok();
        let guest = Guest::of("vm1");
        // The first one's root is the machine's own, where the script is below the second's.
        let script = format!("[ -e /etc/udhcpc ] && echo /etc/udhcpc || echo {PRIVATE_ROOT}/etc/udhcpc");
        guest
            .shell(&format!("busybox ip link set eth0 up && busybox udhcpc -i eth0 -q -t 50 -T 1 -A 1 -s $({script})"))
            .ok();
        let shown = guest.shell("busybox ip -o -4 addr show dev eth0").ok();
        assert!(shown.contains("inet 192.168.122.") && shown.contains("/24 "), "{shown}");
        guest.shell("busybox ping -c 1 -W 30 192.168.122.1").ok();
        virsh(&["destroy", "vm1"]).ok();
        virsh(&["undefine", "vm1"]).ok();
    }
}

/// `ps -ef` typed on the console lists the container's processes and no other; busybox's shell runs its own `ps` under the
/// shell's command line.
fn console_of(program: &Path, arguments: &[&str]) {
    sandbox::require();
    let _daemon = Daemon::start();
    for (_, document) in both() {
        virsh(&["define", &document]).ok();
        virsh(&["start", "vm1"]).ok();
        let mut command = Command::new(program);
        command.args(arguments).args(["console", "vm1"]);
        let mut terminal = Terminal::start(&mut command).unwrap();
        terminal.expect("Connected to domain 'vm1'\nEscape character is ^]", PATIENCE).unwrap();
        terminal.prompt(PATIENCE).unwrap();
        terminal.type_in("ps -ef; echo over-$((1+1))\r").unwrap();
        let listing = terminal.expect("\nover-2", PATIENCE).unwrap();
        let processes: Vec<&str> = listing.lines().skip_while(|line| !line.contains("PID")).skip(1).collect();
        assert!(processes.len() <= 4 && processes.iter().any(|line| line.contains("ps")), "{listing}");
        terminal.type_in("\u{1d}").unwrap();
        assert_eq!(terminal.wait(PATIENCE), Some(0));
        assert!(terminal.is_cooked().unwrap(), "the terminal is not restored");
        virsh(&["destroy", "vm1"]).ok();
        virsh(&["undefine", "vm1"]).ok();
    }
}

#[test]
fn on_the_console_by_our_virsh() {
    console_of(&program::ours("virsh"), &[]);
}

#[test]
fn on_the_console_by_debians_virsh() {
    console_of(Path::new(tests::daemon::DEBIAN_VIRSH), &["-c", "lxc:///"]);
}

#[test]
fn what_pid_1_finds() {
    sandbox::require();
    let _daemon = Daemon::start();
    image::busybox(Path::new("/opt/box"), "").unwrap();
    // No shell, which would add to the environment.
    let document = file("box.xml", &domain("box", "/opt/box", &["/bin/sleep", "1000"], &interface("default")));
    virsh(&["define", &document]).ok();
    virsh(&["start", "box"]).ok();
    let guest = Guest::of("box");

    let ours = std::process::id();
    for kind in ["mnt", "pid", "net", "ipc", "uts"] {
        assert_ne!(guest.namespace(kind), namespace(ours, kind), "{kind}");
        assert_ne!(guest.namespace(kind), namespace(1, kind), "{kind}");
    }
    let uuid = virsh(&["domuuid", "box"]).ok().trim().to_string();
    assert_eq!(
        guest.environment(),
        [
            "HOME=/".to_string(),
            "LIBVIRT_LXC_NAME=box".to_string(),
            format!("LIBVIRT_LXC_UUID={uuid}"),
            "PATH=/bin:/sbin".to_string(),
            "TERM=linux".to_string(),
            "container=lxc-libvirt".to_string(),
            format!("container_uuid={uuid}"),
        ]
    );
    let devices = guest.shell("cd /dev && ls -1").ok();
    let customary =
        "console fd full null ptmx pts random stderr stdin stdout tty tty1 urandom zero".split(' ').collect::<Vec<_>>();
    assert_eq!(devices.lines().collect::<Vec<_>>(), customary);
    assert_eq!(guest.shell("cat /proc/1/comm").ok(), "sleep\n");
    assert_eq!(guest.shell("hostname").ok(), "box\n");
    // Writing where a container could reach the machine fails: /proc/sys and /sys are read-only.
    assert!(guest.shell("echo 1 > /proc/sys/kernel/panic").failure().contains("Read-only"));
    assert!(guest.shell("mkdir /sys/kernel/x").failure().contains("Read-only"));
    assert!(guest.shell("mknod /tmp/sda b 8 0 && cat /tmp/sda").code != 0);
    // 64 MiB, and what /proc/meminfo says is that, not the machine's.
    let total = guest.shell("grep MemTotal /proc/meminfo").ok();
    assert_eq!(total.split_whitespace().nth(1), Some("65536"), "{total}");
    // Of the machine's own all but sys_module, sys_time, mknod, audit_control and mac_admin.
    let bounding = |status: &str| {
        let set = status.lines().find_map(|line| line.strip_prefix("CapBnd:\t")).unwrap();
        u64::from_str_radix(set, 16).unwrap()
    };
    let own = bounding(&fs::read_to_string("/proc/self/status").unwrap());
    assert_eq!(bounding(&guest.proc("status")), 0x1fd_b5fe_ffff & own);
    virsh(&["destroy", "box"]).ok();
}

#[test]
fn memory_beyond_the_limit_is_refused() {
    sandbox::require();
    let _daemon = Daemon::start();
    let root = Path::new("/opt/box");
    // dd reads one block of 200 MB into memory; 64 are allowed.
    image::busybox(root, "dd if=/dev/zero of=/dev/null bs=200M count=1; echo $? > /status; exec sleep 1000").unwrap();
    virsh(&["define", &file("box.xml", &without_swap(domain("box", "/opt/box", &["/init"], "")))]).ok();
    virsh(&["start", "box"]).ok();
    let status = eventually("dd has ended", PATIENCE, || {
        fs::read_to_string(root.join("status")).ok().filter(|text| !text.is_empty())
    });
    assert_ne!(status, "0\n");
    assert_eq!(virsh(&["domstate", "box"]).ok(), "running\n\n");
    virsh(&["destroy", "box"]).ok();
}
