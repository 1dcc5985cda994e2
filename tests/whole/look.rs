//! What a container says of itself, without an agent in it: names, addresses, file systems; and a guest that says it badly.

use std::fs;
use std::path::Path;
use tests::daemon::{Daemon, debian_virsh, file, virsh};
use tests::documents::domain;
use tests::image;
use tests::sandbox;

const ROOT: &str = "/opt/box";

fn running() {
    image::busybox(Path::new(ROOT), "exec sleep 100000").unwrap();
    fs::write(format!("{ROOT}/etc/os-release"), "ID=tiny\nPRETTY_NAME=\"A tiny system\"\n").unwrap();
    fs::write(format!("{ROOT}/etc/timezone"), "Europe/Paris\n").unwrap();
    let document = domain("box", ROOT, &["/init"], "").replace("<devices>", "<features><privnet/></features><devices>");
    virsh(&["define", &file("box.xml", &document)]).ok();
    virsh(&["start", "box"]).ok();
}

fn inside(line: &str) {
    virsh(&["exec", "box", "--", "sh", "-c", line]).ok();
}

#[test]
fn a_container_answers_without_an_agent() {
    sandbox::require();
    let _daemon = Daemon::start();
    running();
    inside("hostname other; ip addr add 192.0.2.7/28 dev lo; mount -t tmpfs -o size=64k small /mnt");
    // Both clients have it from the daemon.
    for client in [virsh, debian_virsh] {
        assert_eq!(client(&["-q", "domhostname", "box", "--source", "agent"]).ok().trim(), "other");
        let addresses = client(&["-q", "domifaddr", "box", "--source", "agent", "--full"]).ok();
        assert!(addresses.lines().any(|line| line.contains("lo ") && line.ends_with("192.0.2.7/28")), "{addresses}");
        let info = client(&["-q", "guestinfo", "box"]).ok();
        let value = |name: &str| {
            info.lines()
                .find_map(|line| line.split_once(':').filter(|(key, _)| key.trim() == name))
                .map(|(_, value)| value.trim())
        };
        assert_eq!(value("hostname"), Some("other"), "{info}");
        assert_eq!((value("os.id"), value("os.pretty-name")), (Some("tiny"), Some("A tiny system")), "{info}");
        assert_eq!(value("timezone.name"), Some("Europe/Paris"), "{info}");
        assert_eq!(value("if.0.name"), Some("lo"), "{info}");
        assert!(info.contains("/mnt") && info.contains("65536"), "{info}");
        let systems = client(&["-q", "domfsinfo", "box"]).ok();
        let mounted = |at: &str| systems.lines().any(|line| line.split_whitespace().next() == Some(at));
        assert!(mounted("/") && mounted("/mnt") && !mounted("/proc") && !mounted("/dev"), "{systems}");
        assert!(client(&["-q", "domtime", "box"]).ok().starts_with("Time: "));
        assert!(
            client(&["guestinfo", "box", "--user"]).failure().contains("unsupported guest information types '0x1'")
        );
    }
    let json = virsh(&["domfsinfo", "box", "--output", "json"]).ok();
    assert!(json.contains("\"mountpoint\": \"/mnt\""), "{json}");
    virsh(&["destroy", "box"]).ok();
    for line in [
        &["guestinfo", "box"][..],
        &["domfsinfo", "box"],
        &["domtime", "box"],
        &["domhostname", "box", "--source", "agent"],
    ] {
        assert!(virsh(line).failure().contains("domain is not running"), "{line:?}");
    }
}

#[test]
fn a_guest_that_answers_badly_spoils_its_own_answer() {
    sandbox::require();
    let daemon = Daemon::start();
    running();
    // Neither pipes nor devices nor endless files are waited for, and no file is longer than it should be.
    inside(
        "rm /etc/os-release /etc/timezone; mkfifo /etc/os-release; ln -s /dev/zero /etc/timezone; ln -s /etc/shadow /etc/localtime",
    );
    let info = virsh(&["guestinfo", "box"]).ok();
    assert!(info.contains("os.machine") && !info.contains("os.id"), "{info}");
    inside("rm /etc/os-release; (echo ID=long; yes NAME=x | head -c 10000000) > /etc/os-release");
    assert!(virsh(&["guestinfo", "box", "--os"]).ok().contains("long"));
    // Far more file systems than there is room for.
    inside("for i in $(seq 400); do mkdir -p /tmp/$i; mount -t tmpfs x /tmp/$i || exit; done");
    assert_eq!(virsh(&["-q", "domfsinfo", "box"]).ok().lines().filter(|line| line.contains('/')).count(), 256);
    virsh(&["guestinfo", "box"]).ok();
    assert!(daemon.is_alive());
}
