//! Documents about no domain in particular: capabilities, and other formats of configurations.

use std::fs;
use std::path::Path;
use tests::daemon::{Daemon, debian_virsh, file};
use tests::image;
use tests::program;
use tests::sandbox;

const ROOT: &str = "/opt/converted";

#[test]
fn a_configuration_of_lxc_becomes_a_running_container_and_goes_back() {
    sandbox::require();
    let _daemon = Daemon::start();
    image::busybox(Path::new(ROOT), "hostname > /name; exec sleep 1000").unwrap();
    let configuration = format!(
        "lxc.uts.name = converted\nlxc.rootfs.path = dir:{ROOT}\nlxc.init.cmd = /init\nlxc.tty.max = 1\n\
         lxc.net.0.type = empty\nlxc.cgroup2.memory.max = 64M\nlxc.cap.drop = sys_time\n"
    );
    let document = debian_virsh(&["domxml-from-native", "lxc-tools", &file("box.conf", &configuration)]).ok();
    debian_virsh(&["define", &file("box.xml", &document)]).ok();
    debian_virsh(&["start", "converted"]).ok();
    let written = debian_virsh(&["domxml-to-native", "lxc-tools", "--domain", "converted"]).ok();
    for line in configuration.lines() {
        assert!(written.contains(line) || line.contains("memory"), "{line} is not in\n{written}");
    }
    assert!(written.contains("lxc.cgroup2.memory.max = 67108864\n"), "{written}");
    let oci = debian_virsh(&["domxml-to-native", "oci", "--domain", "converted"]).ok();
    assert!(oci.contains("\"ociVersion\": \"1.0.2\""), "{oci}");
    let refused = debian_virsh(&["domxml-from-native", "nosuch", "/tmp/box.conf"]).failure();
    assert!(refused.contains("invalid argument: unsupported config type nosuch"), "{refused}");
}

/// Documents whose bundle is run for real, and lines that their init has to say.
const BUNDLES: [(&str, &str, &[&str]); 3] = [
    (
        "plain",
        "<os><type>exe</type><init>/init</init><initarg>one</initarg><initenv name='A'>b c</initenv></os>\
         <features><capabilities policy='deny'><chown state='on'/></capabilities></features>",
        &["I am plain one", "A=b c", "container=lxc-libvirt", "CapBnd:\t0000000000000001", "0 0 4294967295"],
    ),
    (
        "full",
        "<os><type>exe</type><init>/init</init><initdir>/tmp</initdir></os>\
         <features><privnet/><capabilities policy='deny'><chown state='on'/><setuid state='on'/></capabilities></features>\
         <virtlxc:container><virtlxc:rlimit name='nofile' soft='100' hard='200'/>\
         <virtlxc:sysctl name='net.ipv4.ip_forward' value='0'/></virtlxc:container>",
        &["I am full", "PWD=/tmp", "files 100 200", "forward 0", "data", "read only", "CapBnd:\t0000000000000081"],
    ),
    (
        "mapped",
        "<os><type>exe</type><init>/init</init></os><features><privnet/></features>\
         <idmap><uid start='0' target='100000' count='65536'/><gid start='0' target='100000' count='65536'/></idmap>",
        &["I am mapped", "0 100000 65536"],
    ),
];

#[test]
fn bundles_are_run_by_crun() {
    sandbox::require();
    if !Path::new("/usr/bin/crun").exists() {
        println!("crun is not installed: nothing is tested");
        return;
    }
    let _daemon = Daemon::start();
    let init = "echo I am $(hostname) $*; env; echo files $(ulimit -Sn) $(ulimit -Hn); grep CapBnd /proc/self/status
                echo forward $(cat /proc/sys/net/ipv4/ip_forward); echo $(cat /proc/self/uid_map)
                [ ! -e /mnt/file ] || { cat /mnt/file; echo x 2>/dev/null > /mnt/file || echo read only; }";
    image::busybox(Path::new(ROOT), init).unwrap();
    fs::create_dir_all("/srv/data").unwrap();
    fs::write("/srv/data/file", "data\n").unwrap();
    for (name, parts, lines) in BUNDLES {
        let more = match name {
            "full" => {
                "<filesystem type='mount'><source dir='/srv/data'/><target dir='/mnt'/><readonly/></filesystem>\
                 <filesystem type='ram'><source usage='1024'/><target dir='/tmp'/></filesystem>"
            }
            _ => "",
        };
        let document = format!(
            "<domain type='lxc' xmlns:virtlxc='urn:virtlxc:domain:1.0'><name>{name}</name><memory>65536</memory>{parts}\
             <devices><filesystem type='mount'><source dir='{ROOT}'/><target dir='/'/></filesystem>{more}</devices></domain>"
        );
        debian_virsh(&["define", &file("bundle.xml", &document)]).ok();
        let config = debian_virsh(&["domxml-to-native", "oci", "--domain", name]).ok();
        let bundle = format!("/tmp/bundle-{name}");
        fs::create_dir_all(&bundle).unwrap();
        fs::write(format!("{bundle}/config.json"), config).unwrap();
        // It refuses to work where both versions of cgroups are there.
        let one_version =
            "umount /sys/fs/cgroup/unified 2>/dev/null; exec crun --root /run/crun --cgroup-manager=disabled";
        let run = format!("cd {bundle} && exec unshare --mount sh -c '{one_version} run {name}'");
        let said = program::shell(&run).ok();
        for line in lines {
            assert!(said.lines().any(|one| one.trim_end() == *line), "{name}: '{line}' is not in\n{said}");
        }
    }
}

#[test]
fn capabilities_are_of_this_machine() {
    sandbox::require();
    let _daemon = Daemon::start();
    let found = debian_virsh(&["capabilities"]).ok();
    assert_eq!(found, debian_virsh(&["capabilities"]).ok());
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap().matches("\nprocessor\t:").count() + 1;
    assert_eq!(found.matches("<cpu id='").count(), cpus, "{found}");
    for part in ["<os_type>exe</os_type>", "<arch name='i686'>", "<model>none</model>", "<domain type='lxc'/>"] {
        assert!(found.contains(part) || cfg!(not(target_arch = "x86_64")), "{part} is not in {found}");
    }
    let of_domains = debian_virsh(&["domcapabilities"]).ok();
    assert!(of_domains.contains("<domain>lxc</domain>"), "{of_domains}");
    let refused = debian_virsh(&["domcapabilities", "--virttype", "kvm"]).failure();
    assert!(refused.contains("domain type 'kvm' is not supported"), "{refused}");
}
