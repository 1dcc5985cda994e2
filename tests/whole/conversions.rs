//! Documents about no domain in particular: capabilities, and other formats of configurations.

use std::fs;
use std::path::Path;
use tests::daemon::{Daemon, debian_virsh, file};
use tests::image;
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
