//! Tours of what others have written for libvirt, each with our daemon in the place of libvirt's: bindings, installers,
//! exporters, the bus service, the administrator's client. The packages are Debian's; `.ci/run` installs them.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;
use tests::daemon::{DEBIAN_VIRSH, Daemon, debian_virsh, file};
use tests::documents::{domain, interface};
use tests::program::{self, Outcome, eventually};
use tests::{image, sandbox};

/// A tour of many calls on a machine that may be busy.
const TOUR: Duration = Duration::from_secs(240);
const ROOT: &str = "/opt/box";

/// The daemon, a root to start, and the definition of `box` with these devices.
fn prepare(init: &str, devices: &str) -> (Daemon, String) {
    sandbox::require();
    image::busybox(Path::new(ROOT), init).unwrap();
    (Daemon::start(), file("box.xml", &domain("box", ROOT, &["/init"], devices)))
}

fn needed(program: &str, package: &str) {
    assert!(Path::new(program).exists(), "{program} is missing: Debian's package {package} is needed");
}

#[track_caller]
fn tour(program: &str, arguments: &[&str], stages: &[&str]) {
    let mut command = Command::new(program);
    command.args(arguments).env("LIBVIRT_DEFAULT_URI", "lxc:///").env("LC_ALL", "C.UTF-8");
    let said = program::finish(command, b"", TOUR);
    assert_eq!((said.code, said.out.lines().collect::<Vec<_>>()), (0, stages.to_vec()), "{said}");
}

#[test]
fn python() {
    let (_daemon, document) = prepare("exec sleep 100000", "");
    let program = file("client.py", concat!(include_str!("event_loop.py"), include_str!("tours/client.py")));
    let stages =
        ["connection", "network", "definition", "running", "refused", "devices", "inside", "descriptors", "over"];
    tour("/usr/bin/python3", &[&program, &document], &stages);
}

#[test]
fn perl() {
    needed("/usr/share/doc/libsys-virt-perl", "libsys-virt-perl");
    let (_daemon, document) = prepare("exec /bin/sh", "");
    let program = file("client.pl", include_str!("tours/client.pl"));
    tour("/usr/bin/perl", &[&program, &document], &["connection", "running", "console", "devices", "over"]);
}

#[test]
fn libvirt_dbus() {
    let service = "/usr/sbin/libvirt-dbus";
    if !Path::new(service).exists() {
        // The package wants libvirt's own daemon set up: `.ci/run` unpacks the program alone, others need not have it.
        println!("skipped: {service} is missing; `.ci/run` tells how it is unpacked");
        return;
    }
    needed("/usr/bin/dbus-run-session", "dbus-daemon");
    let (_daemon, document) = prepare("exec sleep 100000", "");
    let program = file("bus.py", include_str!("tours/bus.py"));
    let arguments = ["--", "/usr/bin/python3", &program, service, &document];
    tour("/usr/bin/dbus-run-session", &arguments, &["connection", "running", "over"]);
}

/// One of virtinst's programs.
#[track_caller]
fn virtinst(program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(format!("/usr/bin/{program}"));
    command.args(arguments).env("LIBVIRT_DEFAULT_URI", "lxc:///").env("LC_ALL", "C.UTF-8").env("HOME", "/root");
    program::finish(command, b"", TOUR).ok()
}

#[test]
fn virt_install_and_its_kin() {
    needed("/usr/bin/virt-install", "virtinst");
    let (_daemon, _) = prepare("exec sleep 100000", "");
    let root = format!("{ROOT},/");
    let common = ["--memory", "128", "--init", "/init", "--filesystem", &root];

    let written =
        virtinst("virt-install", &[&["--name", "dry", "--network", "none", "--print-xml"], &common[..]].concat());
    assert!(written.contains("<privnet/>") && debian_virsh(&["list", "--all", "--name"]).ok().trim().is_empty());
    debian_virsh(&["define", "--validate", &file("dry.xml", &written)]).ok();
    debian_virsh(&["undefine", "dry"]).ok();

    let more = ["--container", "--name", "web", "--vcpus", "1", "--network", "network=default", "--noautoconsole"];
    let said = virtinst("virt-install", &[&more, &common[..]].concat());
    assert!(said.contains("Domain creation completed."), "{said}");
    assert_eq!(debian_virsh(&["domstate", "web"]).ok().trim(), "running");

    virtinst("virt-xml", &["web", "--edit", "--memory", "256,maxmemory=256", "--define"]);
    virtinst("virt-xml", &["web", "--edit", "--metadata", "title=Hello"]);
    virtinst("virt-xml", &["web", "--add-device", "--filesystem", "/srv,/srv", "--define"]);
    let said = virtinst("virt-xml", &["web", "--add-device", "--network", "network=default", "--update"]);
    assert!(said.contains("Device hotplug successful."), "{said}");
    assert_eq!(debian_virsh(&["domiflist", "web"]).ok().matches("vnet").count(), 2);
    let changed = virtinst("virt-xml", &["web", "--edit", "--vcpus", "2", "--print-diff"]);
    assert!(changed.contains("+  <vcpu placement=\"static\">2</vcpu>"), "{changed}");
    let kept = debian_virsh(&["dumpxml", "--inactive", "web"]).ok();
    for part in ["<title>Hello</title>", "<memory unit='KiB'>262144</memory>", "<target dir='/srv'/>"] {
        assert!(kept.contains(part), "{part} is not in {kept}");
    }

    debian_virsh(&["destroy", "web"]).ok();
    let said = virtinst("virt-clone", &["--original", "web", "--name", "copy", "--auto-clone"]);
    assert!(said.contains("Clone 'copy' created successfully."), "{said}");
    virtinst("virt-xml", &["copy", "--remove-device", "--filesystem", "target.dir=/srv"]);
    let copy = debian_virsh(&["dumpxml", "copy"]).ok();
    assert!(!copy.contains("/srv") && copy.contains("<memory unit='KiB'>262144</memory>"), "{copy}");
    let macs = |text: &str| text.lines().filter(|line| line.contains("<mac ")).map(str::to_string).collect::<Vec<_>>();
    assert_eq!(macs(&copy).len(), 2);
    assert!(macs(&copy).iter().all(|mac| !kept.contains(mac.as_str())), "{copy}");
    debian_virsh(&["start", "copy"]).ok();
}

/// A program in the background, killed at the end.
struct Background(Child);

impl Background {
    fn start(command: &mut Command) -> Background {
        Background(command.spawn().unwrap())
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// The body of a page of plain text.
fn page(address: &str, path: &str) -> Option<String> {
    let mut socket = TcpStream::connect(address).ok()?;
    write!(socket, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").ok()?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).ok()?;
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_string())
}

#[test]
fn prometheus_libvirt_exporter() {
    let exporter = "/usr/bin/prometheus-libvirt-exporter";
    needed(exporter, "prometheus-libvirt-exporter");
    let (_daemon, document) = prepare("exec sleep 100000", &interface("default"));
    debian_virsh(&["create", &document]).ok();
    let address = "127.0.0.1:9177";
    let mut command = Command::new(exporter);
    let _exporter = Background::start(command.args(["--libvirt.uri", "lxc:///", "--web.listen-address", address]));
    let figures = eventually("the exporter answers", TOUR, || page(address, "/metrics"));
    let figure = |name: &str| {
        let line =
            figures.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name} in {figures}"));
        line.rsplit(' ').next().and_then(|number| number.parse::<f64>().ok()).unwrap()
    };
    assert_eq!(
        (figure("libvirt_up"), figure("libvirt_domains_number"), figure("libvirt_domain_state_code")),
        (1.0, 1.0, 1.0)
    );
    assert_eq!(figure("libvirt_domain_info_virtual_cpus"), 1.0);
    for some in ["info_maximum_memory_bytes", "info_memory_usage_bytes", "info_cpu_time_seconds_total"] {
        assert!(figure(&format!("libvirt_domain_{some}")) > 0.0, "{some}");
    }
    for counted in ["receive_bytes", "receive_packets", "transmit_bytes", "transmit_drops"] {
        assert!(figure(&format!("libvirt_domain_interface_stats_{counted}_total")) >= 0.0);
    }
    assert!(figures.contains("source_bridge=\"virbr0\",target_device=\"vnet0\""), "{figures}");
}

#[test]
fn collectd() {
    let collectd = "/usr/sbin/collectd";
    needed(collectd, "collectd-core");
    let (_daemon, document) = prepare("exec sleep 100000", &interface("default"));
    debian_virsh(&["create", &document]).ok();
    let config = file("collectd.conf", include_str!("tours/collectd.conf"));
    let mut command = Command::new(collectd);
    let _collectd = Background::start(command.args(["-f", "-C", &config]));
    let log = || fs::read_to_string("/tmp/collectd.log").unwrap_or_default();
    for kind in [
        "domain_state",
        "if_octets-vnet0",
        "if_packets-vnet0",
        "if_errors-vnet0",
        "if_dropped-vnet0",
        "memory-total",
        "memory-rss",
        "memory-actual_balloon",
        "virt_cpu_total",
    ] {
        // A line with the names, then one a second; a day may end meanwhile.
        let written = || {
            let all = fs::read_dir("/tmp/collected/box/virt").ok()?.flatten();
            let mut days = all.filter(|one| one.file_name().to_string_lossy().starts_with(&format!("{kind}-2")));
            days.any(|one| fs::read_to_string(one.path()).is_ok_and(|text| text.lines().count() > 1)).then_some(())
        };
        eventually(&format!("collectd writes {kind}; its log: {}", log()), TOUR, written);
    }
    debian_virsh(&["destroy", "box"]).ok();
}

fn virt_admin(arguments: &[&str]) -> Outcome {
    program::run("/usr/bin/virt-admin", &[&["-c", "virtlxcd:///system"], arguments].concat())
}

/// What follows the label on its line.
fn labelled(text: &str, label: &str) -> String {
    let line = text.lines().find(|line| line.split(':').next().is_some_and(|name| name.trim() == label));
    let line = line.unwrap_or_else(|| panic!("no '{label}' in {text}"));
    line.split_once(':').unwrap().1.trim().to_string()
}

/// Between them, these commands make all 19 calls of the administrator's protocol.
#[test]
fn virt_admin_client() {
    let (_daemon, _) = prepare("exec sleep 100000", "");
    assert_eq!(virt_admin(&["uri"]).ok().trim(), "virtlxcd:///system");
    assert!(virt_admin(&["version"]).ok().contains("Running against daemon: 9.0.0"));
    let servers = virt_admin(&["srv-list"]).ok();
    assert!(servers.contains("admin") && servers.contains("virtlxcd"), "{servers}");
    assert_eq!(virt_admin(&["client-list", "none"]).failure(), "error: Server not found: No server named 'none'\n");

    virt_admin(&["srv-threadpool-set", "virtlxcd", "--min-workers", "3", "--max-workers", "21"]).ok();
    virt_admin(&["srv-threadpool-set", "virtlxcd", "--priority-workers", "4"]).ok();
    let workers = virt_admin(&["srv-threadpool-info", "virtlxcd"]).ok();
    let workers = ["minWorkers", "maxWorkers", "prioWorkers", "jobQueueDepth"].map(|name| labelled(&workers, name));
    assert_eq!(workers, ["3", "21", "4", "0"]);
    let said = virt_admin(&["srv-threadpool-set", "virtlxcd", "--min-workers", "50"]).failure();
    assert!(said.ends_with("error: invalid argument: minWorkers cannot be larger than maxWorkers\n"), "{said}");

    virt_admin(&["srv-clients-set", "virtlxcd", "--max-clients", "400", "--max-unauth-clients", "30"]).ok();
    let limits = virt_admin(&["srv-clients-info", "virtlxcd"]).ok();
    let limits = ["nclients_max", "nclients_unauth_max", "nclients_unauth"].map(|name| labelled(&limits, name));
    assert_eq!(limits, ["400", "30", "0"]);
    let said = virt_admin(&["srv-clients-set", "virtlxcd", "--max-clients", "10"]).failure();
    assert!(
        said.contains("The overall maximum number of clients waiting for authentication must not be less"),
        "{said}"
    );

    let mut listener = Command::new(DEBIAN_VIRSH);
    let mut listener =
        Background::start(listener.args(["-c", "lxc:///", "event", "--all", "--loop", "--timeout", "600"]));
    let id = eventually("the client is listed", TOUR, || {
        let listed = virt_admin(&["client-list", "virtlxcd"]).ok();
        let row = listed.lines().find(|line| line.contains("unix"))?;
        row.split_whitespace().next().map(str::to_string)
    });
    let about = virt_admin(&["client-info", "virtlxcd", &id]).ok();
    let about = ["readonly", "unix_user_name", "unix_process_id"].map(|name| labelled(&about, name));
    assert_eq!(about, ["no", "root", &listener.0.id().to_string()]);
    virt_admin(&["client-disconnect", "virtlxcd", &id]).ok();
    assert!(program::ended_within(listener.0.id(), TOUR), "the client is still connected");
    _ = listener.0.wait();
    let said = virt_admin(&["client-info", "virtlxcd", &id]).failure();
    assert_eq!(said, format!("error: Client not found: No client with matching ID '{id}'\n"));

    virt_admin(&["daemon-log-filters", "1:rpc 3:lxc"]).ok();
    assert_eq!(labelled(&virt_admin(&["daemon-log-filters"]).ok(), "Logging filters"), "1:rpc 3:lxc");
    virt_admin(&["daemon-log-outputs", "1:file:/tmp/another.log"]).ok();
    assert_eq!(labelled(&virt_admin(&["daemon-log-outputs"]).ok(), "Logging outputs"), "1:file:/tmp/another.log");
    let said = virt_admin(&["daemon-log-outputs", "bogus"]).failure();
    assert!(said.contains("Malformed format for log output 'bogus'"), "{said}");
    virt_admin(&["daemon-timeout", "--timeout", "600"]).ok();
    virt_admin(&["daemon-timeout", "--timeout", "0"]).ok();
    let said = virt_admin(&["server-update-tls", "virtlxcd"]).failure();
    assert!(said.contains("no tls service found, unable to update tls files"), "{said}");
    assert!(virt_admin(&["srv-list"]).ok().contains("virtlxcd"));
}
