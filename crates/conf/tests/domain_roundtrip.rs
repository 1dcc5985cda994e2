//! Generated documents: what is taken is written, read again as the same domain, and written again as the same text.
//! And any bytes at all: taken or refused, never the end of the program.

use conf::domain::{Device, Domain, FormatOptions, Host, ParseOptions};
use proptest::prelude::*;

fn host() -> Host<'static> {
    Host { arch: "x86_64", emulator: "/usr/libexec/libvirt_lxc", random: &|bytes| bytes.fill(0x42) }
}

/// Text as people write it, and some that they do not.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z/][a-z0-9/._-]{0,12}", "[ -~]{1,12}", "\\PC{1,6}"].prop_map(|text: String| {
        text.replace('&', "&amp;").replace('<', "&lt;").replace('\'', "&apos;").replace('"', "&quot;")
    })
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![Just("0".to_string()), Just("1".to_string()), (0u64..1 << 20).prop_map(|n| n.to_string()), text()]
}

/// One piece of a document; `%t` and `%n` stand for text and number.
fn filled(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    (proptest::sample::select(pieces), text(), text(), number()).prop_map(|(piece, first, second, number)| {
        piece.replacen("%t", &first, 1).replace("%t", &second).replace("%n", &number)
    })
}

const TOP: &[&str] = &[
    "<title>%t</title>",
    "<description>%t</description>",
    "<metadata><a:x xmlns:a='urn:%t'>%t<a:y k='%t'/></a:x></metadata>",
    "<vcpu cpuset='0-3,^1' current='1'>4</vcpu>",
    "<vcpu>%n</vcpu>",
    "<currentMemory unit='b'>%n</currentMemory>",
    "<memtune><hard_limit>%n</hard_limit><swap_hard_limit unit='M'>%n</swap_hard_limit></memtune>",
    "<blkiotune><weight>%n</weight><device><path>%t</path><read_bytes_sec>%n</read_bytes_sec></device></blkiotune>",
    "<cputune><shares>%n</shares><quota>-1</quota><emulatorpin cpuset='%n'/></cputune>",
    "<numatune><memory mode='interleave' nodeset='%n'/></numatune>",
    "<resource><partition>%t</partition></resource>",
    "<idmap><uid start='0' target='%n' count='%n'/><gid start='0' target='%n' count='1'/></idmap>",
    "<features><privnet/><acpi/><capabilities policy='deny'><chown/><mknod state='off'/></capabilities></features>",
    "<features><hyperv><relaxed state='on'/></hyperv><pmu/></features>",
    "<clock offset='variable' adjustment='%n' basis='localtime'><timer name='rtc' present='no'/></clock>",
    "<clock offset='timezone' timezone='%t'/>",
    "<on_crash>coredump-destroy</on_crash>",
    "<cpu><topology sockets='1' cores='2' threads='1'/></cpu>",
    "<seclabel type='dynamic' model='%t'/>",
    "<x:container xmlns:x='urn:virtlxc:domain:1.0'><x:pids max='%n'/><x:sysctl name='net.a' value='%t'/></x:container>",
    "<x:container xmlns:x='urn:virtlxc:domain:1.0'><x:rlimit name='nofile' soft='1' hard='unlimited'/></x:container>",
    "<bogus>%t</bogus>",
];

const DEVICES: &[&str] = &[
    "<filesystem type='mount'><source dir='%t'/><target dir='%t'/><readonly/></filesystem>",
    "<filesystem type='ram'><source usage='%n' units='MiB'/><target dir='%t'/></filesystem>",
    "<filesystem type='file'><driver type='nbd' format='qcow2'/><source file='%t'/><target dir='%t'/></filesystem>",
    "<filesystem><source dir='%t'/><target dir='%t'/><space_hard_limit>%n</space_hard_limit></filesystem>",
    "<filesystem><source dir='%t'/><target dir='%t'/><v:mount xmlns:v='urn:virtlxc:domain:1.0' options='%t'/></filesystem>",
    "<interface type='network'><source network='%t' portgroup='%t'/><guest dev='%t'/><mtu size='%n'/></interface>",
    "<interface type='bridge'><mac address='52:54:00:1:2:3'/><source bridge='%t'/><target dev='%t'/></interface>",
    "<interface type='ethernet'><ip address='10.0.0.%n' prefix='24'/><link state='down'/></interface>",
    "<interface type='direct'><source dev='%t' mode='bridge'/><script path='%t'/></interface>",
    "<interface type='network'><source network='a'/><bandwidth><inbound average='1%n' burst='%n'/></bandwidth></interface>",
    "<interface type='network'><source network='a'/><vlan><tag id='%n'/></vlan><filterref filter='%t'/></interface>",
    "<console type='pty'><log file='%t' append='on'/></console>",
    "<console type='file'><source path='%t'/></console>",
    "<hostdev mode='capabilities' type='misc'><source><char>%t</char></source></hostdev>",
    "<hostdev mode='capabilities' type='storage'><source><block>%t</block></source></hostdev>",
    "<hostdev mode='subsystem' type='usb'><source><vendor id='0x%n'/><product id='0x1'/></source></hostdev>",
    "<disk type='block'><source dev='%t'/><target dev='sda' bus='scsi'/></disk>",
    "<disk type='file'><driver name='nbd' type='raw'/><source file='%t'/><target dev='vdb' bus='virtio'/></disk>",
    "<serial type='tcp'><source host='%t' service='%n'/></serial>",
    "<channel type='unix'><source mode='bind' path='%t'/><target type='virtio' name='%t'/></channel>",
    "<rng model='virtio'><backend model='random'>%t</backend></rng>",
    "<controller type='scsi' index='%n'/>",
    "<watchdog model='ib700'/>",
    "<bogus a='%t'/>",
];

fn document() -> impl Strategy<Value = String> {
    let top = proptest::collection::vec(filled(TOP), 0..5);
    let devices = proptest::collection::vec(filled(DEVICES), 0..6);
    (text(), text(), top, devices).prop_map(|(name, init, top, devices)| {
        format!(
            "<domain type='lxc'>{}<name>{name}</name><memory>65536</memory><os><type>exe</type><init>{init}</init>\
             <initarg>{init}</initarg></os><devices>{}</devices></domain>",
            top.concat(),
            devices.concat()
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn what_is_taken_is_kept(document in document()) {
        let Ok(first) = Domain::parse(document.as_bytes(), ParseOptions::default(), &host()) else { return Ok(()) };
        let written = first.domain.format(FormatOptions::Inactive);
        let again = Domain::parse(written.as_bytes(), ParseOptions::default(), &host());
        let again = again.map_err(|e| TestCaseError::fail(format!("{e}\n{written}")))?;
        prop_assert_eq!(again.domain.format(FormatOptions::Inactive), written);
        prop_assert_eq!(without_chance(again.domain), without_chance(first.domain));
        prop_assert!(again.warnings.is_empty(), "{:?}", again.warnings);
    }

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Domain::parse(&bytes, ParseOptions { validate: true, live: false }, &host());
        let _ = Device::parse(&bytes, ParseOptions::default(), &host());
    }

    #[test]
    fn damaged_documents(document in document(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = document.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = Domain::parse(&bytes, ParseOptions { validate: false, live: true }, &host());
        bytes.truncate(at);
        let _ = Domain::parse(&bytes, ParseOptions::default(), &host());
    }
}

/// A made-up MAC address is written, and then it is given.
fn without_chance(mut domain: Domain) -> Domain {
    domain.interfaces.iter_mut().for_each(|interface| interface.mac_generated = false);
    domain
}
