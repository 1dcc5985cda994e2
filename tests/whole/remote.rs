//! `lxc+ssh://`: clients run a command on the machine where the daemon is, which carries their bytes to its socket. In place of
//! ssh(1) is a script that runs that command here, in the way ssh does: its words joined, by a shell.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use tests::daemon::{DEBIAN_VIRSH, Daemon, file};
use tests::documents::domain;
use tests::image;
use tests::program::{self, Outcome, PATIENCE, eventually, finish, ours};
use tests::sandbox;

const SSH: &str = "/tmp/ssh";
/// How the far side finds the socket: libvirt's helper, and netcat.
const WAYS: [&str; 2] = ["native", "netcat"];

fn prepare() -> Daemon {
    sandbox::require();
    let script = "#!/bin/sh\n# Its options, the machine's name, the command.\necho \"$*\" >> /tmp/asked\n\
                  while :; do\ncase $1 in\n-p|-l|-i|-o|-e) shift 2 ;;\n--) shift; break ;;\n-*) shift ;;\n*) break ;;\n\
                  esac\ndone\ntest \"$1\" = far || exit 255\nshift\nexec sh -c \"$*\"\n";
    fs::write(SSH, script).unwrap();
    fs::set_permissions(SSH, fs::Permissions::from_mode(0o755)).unwrap();
    let daemon = Daemon::start();
    image::busybox(Path::new("/opt/box"), "exec sleep 100000").unwrap();
    daemon
}

fn uri(way: &str) -> String {
    format!("lxc+ssh://root@far:2222/system?command={SSH}&proxy={way}")
}

fn by(program: &Path, way: &str, arguments: &[&str]) -> Outcome {
    program::run(program, &[&["-c", &uri(way)], arguments].concat())
}

#[test]
fn both_clients_reach_the_daemon() {
    let _daemon = prepare();
    let document = file("box.xml", &domain("box", "/opt/box", &["/init"], ""));
    for client in [Path::new(DEBIAN_VIRSH), &ours("virsh")] {
        for way in WAYS {
            let virsh = |arguments: &[&str]| by(client, way, arguments).ok();
            virsh(&["define", &document]);
            virsh(&["start", "box"]);
            assert_eq!(virsh(&["domstate", "box"]).trim(), "running");
            assert!(virsh(&["uri"]).starts_with(&format!("lxc+ssh://root@far:2222/system?command={SSH}")));
            virsh(&["destroy", "box"]);
            virsh(&["undefine", "box"]);
            // The other socket.
            let said = by(client, way, &["-r", "define", &document]).failure();
            assert!(said.contains("operation forbidden: read only access prevents virDomainDefine"), "{way}: {said}");
        }
    }
    let asked = fs::read_to_string("/tmp/asked").unwrap();
    assert!(asked.lines().all(|line| line.contains("-p 2222") && line.contains("-l root")), "{asked}");
    let said = program::run(ours("virsh"), &["-c", &format!("lxc+ssh://other/?command={SSH}"), "list"]).failure();
    assert!(said.contains("error: failed to connect to the hypervisor"), "{said}");
}

#[test]
fn commands_and_files_go_through() {
    let _daemon = prepare();
    let virsh = ours("virsh");
    for (turn, way) in WAYS.into_iter().enumerate() {
        let name = format!("box{turn}");
        by(&virsh, way, &["create", &file("box.xml", &domain(&name, "/opt/box", &["/init"], ""))]).ok();
        let mut command = Command::new(&virsh);
        command.args(["-c", &uri(way), "exec", &name, "--", "sh", "-c", "cat; echo aside >&2; exit 7"]);
        let outcome = finish(command, b"through and through\n", PATIENCE);
        let seen = (outcome.code, outcome.out.as_str(), outcome.err.as_str());
        assert_eq!(seen, (7, "through and through\n", "aside\n"), "{way}");

        // More than all buffers on the way hold.
        let content: Vec<u8> = (0..3_000_000u32).map(|number| (number % 251) as u8).collect();
        fs::write("/tmp/there", &content).unwrap();
        by(&virsh, way, &["cp", "/tmp/there", &format!("{name}:/there{turn}")]).ok();
        by(&virsh, way, &["cp", &format!("{name}:/there{turn}"), "/tmp/back"]).ok();
        assert!(fs::read("/tmp/back").unwrap() == content, "{way}: what came back is not what went");
        fs::remove_file("/tmp/back").unwrap();

        // It ends with its client, however that ends.
        let mut command = Command::new(&virsh);
        command.args(["-c", &uri(way), "exec", &name, "--", "sh", "-c", "echo $$; exec sleep 4321"]);
        let mut client = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let sleeps = || !program::shell("pgrep -f '^sleep 4321'").out.is_empty();
        eventually("it runs inside", PATIENCE, || sleeps().then_some(()));
        client.kill().unwrap();
        client.wait().unwrap();
        eventually("it has ended", PATIENCE, || (!sleeps()).then_some(()));
        by(&virsh, way, &["destroy", &name]).ok();
    }
}
