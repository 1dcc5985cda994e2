//! Configurations of LXC: recorded ones (`NAME.conf` with what libvirt 9.0.0 makes of it, `NAME.xml` or `NAME.err`),
//! the way back, and OCI.

use conf::domain::{Domain, FormatOptions, Host, ParseOptions, Parsed};
use conf::native::{from_lxc_tools, to_lxc_tools, to_oci};
use std::path::Path;
use std::{fs, io};

/// Where we differ on purpose; `docs/differences.md` has the reasons.
const DIFFERENT: [(&str, &str, &str); 3] = [
    // A network of its own without anything in it is not the host's network.
    ("07-empty-net", "<features>\n", "<features>\n    <privnet/>\n"),
    // LXC's first number is the id in the container, and libvirt's `start` is too.
    ("12-idmap", "start='100000' target='0'", "start='0' target='100000'"),
    ("27-v3-rootdir", "dir:/srv", "/srv"),
];

/// The words for an error without words.
const WORDLESS: &str = "error: An error occurred, but the cause is unknown";

fn host() -> Host<'static> {
    Host { arch: "x86_64", emulator: "/usr/lib/libvirt/libvirt_lxc", random: &|bytes| bytes.fill(7) }
}

fn read(text: &str) -> Result<Parsed, String> {
    from_lxc_tools(text, &host()).map_err(|error| error.message)
}

fn xml(text: &str) -> Result<String, String> {
    read(text).map(|parsed| parsed.domain.format(FormatOptions::Inactive))
}

fn without_uuid(text: &str) -> String {
    text.lines().filter(|line| !line.contains("<uuid>")).map(|line| line.to_string() + "\n").collect()
}

#[test]
fn recorded() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lxc-native");
    let mut cases = 0;
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "conf") {
            continue;
        }
        cases += 1;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().to_string();
        let found = xml(&fs::read_to_string(&path)?);
        if let Ok(mut expected) = fs::read_to_string(path.with_extension("xml")) {
            for (_, theirs, ours) in DIFFERENT.iter().filter(|(case, ..)| *case == name) {
                assert!(expected.contains(theirs), "{name} is no difference any more");
                expected = expected.replace(theirs, ours);
            }
            let found = without_uuid(&found.unwrap_or_else(|error| panic!("{name}: {error}")));
            assert_eq!(found.trim_end(), without_uuid(&expected).trim_end(), "{name}");
        } else if let Ok(expected) = fs::read_to_string(path.with_extension("err")) {
            let expected = expected.lines().next().unwrap_or_default().to_string();
            match (&found, name.as_str()) {
                // An address without a prefix is what LXC takes.
                (Ok(_), "23-two-veth") => {}
                (Ok(found), _) => panic!("{name} is taken: {found}"),
                (Err(error), _) => {
                    assert!(expected == WORDLESS || expected == format!("error: {error}"), "{name}: {error}")
                }
            }
        } else {
            // Libvirt's daemon ended over a gateway "auto". One of them maps users without groups, besides.
            let groups = "unsupported configuration: uid and gid should be mapped both";
            assert!(found.is_ok() || name == "20-v3-keys" && found == Err(groups.to_string()), "{name}: {found:?}");
        }
    }
    assert_eq!(cases, 28);
    Ok(())
}

const BEGINNING: &str = "lxc.utsname = c\nlxc.rootfs = /srv/c\n";

/// What is behind the beginning that every configuration needs.
fn check(text: &str, expected: Result<&str, &str>) {
    let found = xml(&format!("{BEGINNING}{text}"));
    match (&found, expected) {
        (Ok(found), Ok(part)) => assert!(found.contains(part), "{text}\n{part}\nis not in\n{found}"),
        (Err(found), Err(error)) => assert_eq!(found, error, "{text}"),
        _ => panic!("{text}: {found:?}"),
    }
}

#[test]
fn values() {
    check("lxc.cgroup.memory.limit_in_bytes = 5K\n", Ok("<memory unit='KiB'>5</memory>"));
    check("lxc.cgroup.memory.soft_limit_in_bytes = 1g\n", Ok("<soft_limit unit='KiB'>1048576</soft_limit>"));
    check("lxc.cgroup2.memory.max = 1G\nlxc.cgroup2.memory.swap.max = 1G", Ok("<swap_hard_limit unit='KiB'>2097152<"));
    check("lxc.cgroup2.cpu.max = 5000 50000", Ok("<period>50000</period>\n    <quota>5000</quota>"));
    check("lxc.cgroup2.io.max = 8:0 rbps=1000 wiops=20", Ok("<write_iops_sec>20</write_iops_sec>\n"));
    check("lxc.cgroup2.pids.max = 100", Ok("pids max='100'"));
    check("lxc.init.cmd = /bin/foo bar\n", Ok("<init>/bin/foo</init>\n    <initarg>bar</initarg>"));
    check("lxc.environment = A=b\n", Ok("<initenv name='A'>b</initenv>"));
    check(
        "lxc.cap.drop = CAP_SYS_ADMIN\nlxc.cap.drop = mknod",
        Ok("<mknod state='off'/>\n      <sys_admin state='off'/>"),
    );
    check("lxc.cap.keep = chown kill", Ok("<capabilities policy='deny'>\n      <chown state='on'/>"));
    check("   lxc.tty = 1   ", Ok("<target type='lxc' port='0'/>"));
    check("lxc.hook.pre-start = /bin/x", Ok("<privnet/>"));
    check("lxc.idmap = b 0 100000 65536", Ok("<gid start='0' target='100000' count='65536'/>"));
    check("lxc.prlimit.nofile = 1024:unlimited", Ok("rlimit name='nofile' soft='1024' hard='unlimited'"));
}

#[test]
fn mounts() {
    let bind = "<filesystem type='mount' accessmode='passthrough'>\n      <source dir='/dev/dri'/>";
    check("lxc.mount.entry = /dev/dri dev/dri none bind,optional,create=dir 0 0", Ok(bind));
    check("lxc.mount.entry = tmpfs t tmpfs nodev 0 0", Err("internal error: missing tmpfs size, set the size option"));
    check("lxc.mount.entry = tmpfs t tmpfs size=50% 0 0", Err("internal error: can't convert relative size: '50%'"));
    check("lxc.mount.entry = tmpfs t tmpfs size=8X 0 0", Err("internal error: failed to convert size: '8X'"));
    let few = "internal error: invalid lxc.mount.entry: '/a b': source, target, type and options are needed";
    check("lxc.mount.entry = /a b", Err(few));
}

#[test]
fn networks() {
    let net = |more: &str| format!("lxc.net.0.type = veth\nlxc.net.0.link = br0\nlxc.net.0.{more}\n");
    check(&net("ipv4.address = 10.0.0.1/24 10.0.0.255"), Ok("<ip address='10.0.0.1' family='ipv4' prefix='24'/>"));
    check(&net("ipv4.gateway = auto"), Ok("<source bridge='br0'/>"));
    check(&net("mtu = 1400"), Ok("<mtu size='1400'/>"));
    let words = "internal error: invalid address '10.0.0.1/33': it is ADDRESS/PREFIX";
    check(&net("ipv4.address = 10.0.0.1/33"), Err(words));
    let words = "internal error: invalid gateway 'x': it is an address, 'auto' or 'dev'";
    check(&net("ipv4.gateway = x"), Err(words));
    check("lxc.network.type = phys", Err("unsupported configuration: Missing 'link' attribute for NIC"));
    let two = "lxc.network.type = veth\nlxc.network.link = br0\nlxc.network.type = veth\nlxc.network.link = br1";
    check(two, Ok("<source bridge='br1'/>"));
    check("lxc.network.type = empty", Ok("<privnet/>"));
}

#[test]
fn refusals() {
    check("foo bar", Err("configuration file syntax error: memory conf:3: expecting an assignment"));
    check("9foo = bar", Err("configuration file syntax error: memory conf:3: expecting a name"));
    check("<domain>", Err("configuration file syntax error: memory conf:3: expecting a name"));
    check("lxc.tty = x", Err("internal error: failed to parse int: 'x'"));
    check("lxc.tty = 4000000000", Err("internal error: lxc.tty: 4000000000 terminals are more than 256"));
    check("lxc.cgroup.cpu.shares = x", Err("internal error: failed to parse integer: 'x'"));
    check("lxc.cgroup.cpuset.cpus = x", Err("invalid argument: Failed to parse bitmap 'x'"));
    check("lxc.id_map = u 0", Err("internal error: invalid lxc.id_map: 'u 0'"));
    check("lxc.utsname = a/b", Err("XML error: name a/b cannot contain '/'"));
    let device = "internal error: invalid lxc.cgroup.blkio.device_weight value: '8:0'";
    check("lxc.cgroup.blkio.device_weight = 8:0", Err(device));
}

#[test]
fn what_has_no_place_is_named() -> Result<(), String> {
    let found = read(&format!("{BEGINNING}lxc.include = /x\nlxc.net.0.type = veth\nlxc.net.0.ipv4.gateway = auto\n"))?;
    let expected = [
        "line 3: 'lxc.include' has no counterpart: left out",
        "line 5: gateway 'auto' depends on the host: name its address in a <route>",
    ];
    assert_eq!(found.warnings, expected);
    Ok(())
}

/// All that both formats can say.
const RICH: &str = "\
lxc.uts.name = rich
lxc.arch = i686
lxc.init.cmd = /sbin/init --quiet
lxc.init.cwd = /var
lxc.init.uid = 0
lxc.environment = A=b c
lxc.tty.max = 2
lxc.idmap = u 0 100000 65536
lxc.idmap = g 0 100000 65536
lxc.cap.drop = mac_admin sys_module
lxc.rootfs.path = dir:/srv/c
lxc.rootfs.options = ro
lxc.mount.entry = /host data none ro,rbind,create=dir 0 0
lxc.mount.entry = tmpfs run tmpfs size=8192k,create=dir 0 0
lxc.net.0.type = veth
lxc.net.0.link = br0
lxc.net.0.flags = up
lxc.net.0.hwaddr = 02:00:15:8f:05:c1
lxc.net.0.name = eth7
lxc.net.0.mtu = 1400
lxc.net.0.ipv4.address = 192.168.122.2/24
lxc.net.0.ipv4.gateway = 192.168.122.1
lxc.net.1.type = phys
lxc.net.1.link = eth1
lxc.cgroup.memory.limit_in_bytes = 1073741824
lxc.cgroup2.memory.max = 1073741824
lxc.cgroup.memory.memsw.limit_in_bytes = 2147483648
lxc.cgroup2.memory.swap.max = 1073741824
lxc.cgroup.cpu.shares = 1024
lxc.cgroup2.cpu.weight = 1024
lxc.cgroup.cpuset.cpus = 1-3,5
lxc.cgroup2.cpuset.cpus = 1-3,5
lxc.cgroup.blkio.throttle.read_bps_device = 8:0 1000
lxc.cgroup2.io.max = 8:0 rbps=1000
lxc.cgroup.pids.max = 50
lxc.cgroup2.pids.max = 50
lxc.sysctl.net.ipv4.ip_forward = 1
";

#[test]
fn there_and_back() -> Result<(), String> {
    let first = read(RICH)?;
    assert_eq!(first.warnings, Vec::<String>::new());
    let written = to_lxc_tools(&first.domain);
    assert_eq!(written.warnings, Vec::<String>::new());
    assert_eq!(written.text, RICH);
    Ok(())
}

#[test]
fn what_lxc_has_no_word_for() -> Result<(), String> {
    let document = "<domain type='lxc'><name>a</name><memory>1024</memory><os><type>exe</type><init>/a b</init>\
        <inituser>joe</inituser></os><devices><interface type='network'><source network='default'/></interface>\
        <filesystem type='bind'><source dir='/x'/><target dir='/y'/></filesystem></devices></domain>";
    let parsed = Domain::parse(document.as_bytes(), ParseOptions::default(), &host()).map_err(|e| e.message)?;
    let written = to_lxc_tools(&parsed.domain);
    assert!(written.text.contains("lxc.cap.drop = audit_control mac_admin mknod sys_module sys_time\n"));
    let expected = [
        "arguments of init with blanks in them: LXC will take them for several",
        "lxc.init.uid: 'joe' is a name, LXC takes a number: left out",
        "file system of type 'bind' at /y: left out",
        "network 'default': name its bridge in lxc.net.0.link",
    ];
    assert_eq!(written.warnings, expected);
    Ok(())
}

#[test]
fn oci() -> Result<(), String> {
    let written = to_oci(&read(RICH)?.domain);
    let config: serde_json::Value = serde_json::from_str(&written.text).map_err(|error| error.to_string())?;
    let at = |pointer: &str| config.pointer(pointer).map_or_else(|| "missing".to_string(), ToString::to_string);
    for (pointer, expected) in [
        ("/ociVersion", "\"1.0.2\""),
        ("/process/args", r#"["/sbin/init","--quiet"]"#),
        ("/process/cwd", "\"/var\""),
        (concat!("/root", "/path"), "\"/srv/c\""),
        (concat!("/root", "/readonly"), "true"),
        ("/hostname", "\"rich\""),
        ("/mounts/7/source", "\"/host\""),
        ("/mounts/8/options", r#"["size=8192k"]"#),
        ("/linux/uidMappings/0/hostID", "100000"),
        ("/linux/resources/memory/limit", "1073741824"),
        ("/linux/resources/cpu/cpus", "\"1-3,5\""),
        ("/linux/resources/pids/limit", "50"),
        ("/linux/resources/blockIO/throttleReadBpsDevice/0/rate", "1000"),
        ("/linux/sysctl/net.ipv4.ip_forward", "\"1\""),
    ] {
        assert_eq!(at(pointer), expected, "{pointer}");
    }
    let names = at("/process/capabilities/bounding");
    assert!(names.contains("CAP_CHOWN") && !names.contains("CAP_SYS_MODULE"), "{names}");
    let expected = ["a host device is left out", "interface 02:00:15:8f:05:c1 (bridge): left out"];
    assert_eq!(written.warnings, expected);
    Ok(())
}
