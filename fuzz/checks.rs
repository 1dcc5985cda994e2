//! What must hold for any bytes: they are refused, or what is written of them is stable when it is read again. The targets
//! of the fuzzer and an ordinary test of `conf` share these.

use api::Uuid;
use conf::domain::{Device, Domain, FormatOptions, Host, ParseOptions};
use conf::network::{Command, Facts, Network, Port, Section};
use conf::status::DomainStatus;

/// How many of the checks took the bytes.
type Taken = usize;

const HOST: Host = Host { arch: "x86_64", emulator: "/emulator", random: &|bytes| bytes.fill(7) };

/// A network with something in each section that can be changed.
const NETWORK: &[u8] = b"<network><name>n</name><forward mode='nat'><interface dev='e0'/></forward><bridge name='b'/>\
    <dns><txt name='a' value='b'/><host ip='10.0.0.1'><hostname>h</hostname></host><srv service='s' protocol='tcp'/></dns>\
    <ip address='192.168.150.1' prefix='24'><dhcp><range start='192.168.150.3' end='192.168.150.9'/>\
    <host mac='00:16:3e:00:00:01' name='x' ip='192.168.150.20'/></dhcp></ip>\
    <ip family='ipv6' address='fd00::1' prefix='64'><dhcp><host id='0:1' name='z' ip='fd00::5'/></dhcp></ip>\
    <portgroup name='a' default='yes'/></network>";

/// A domain with devices of the classes that can be attached.
const DOMAIN: &[u8] = b"<domain type='lxc'><name>d</name><memory>65536</memory><os><type>exe</type><init>/i</init></os><devices>\
    <filesystem type='mount'><source dir='/a'/><target dir='/'/></filesystem>\
    <disk type='block'><source dev='/dev/loop0'/><target dev='sda'/></disk>\
    <interface type='network'><mac address='00:16:3e:00:00:01'/><source network='default'/></interface><console type='pty'/>\
    <hostdev mode='capabilities' type='misc'><source><char>/dev/fuse</char></source></hostdev></devices></domain>";

/// Some of libvirt's own results are refused by libvirt; what is taken again must be stable.
fn stable(bytes: &[u8], rewritten: impl Fn(&[u8]) -> Option<String>) -> Taken {
    let Some(first) = rewritten(bytes) else { return 0 };
    if let Some(second) = rewritten(first.as_bytes())
        && let Some(third) = rewritten(second.as_bytes())
    {
        assert_eq!(third, second);
    }
    1
}

fn domain_again(xml: &[u8]) -> Option<String> {
    let parsed = Domain::parse(xml, ParseOptions::default(), &HOST).ok()?;
    Some(parsed.domain.format(FormatOptions::Inactive))
}

fn network_again(xml: &[u8]) -> Option<String> {
    Some(read_network(xml)?.format())
}

fn read_network(xml: &[u8]) -> Option<Network> {
    let facts = Facts { new_uuid: Uuid([7; 16]), is_virtual_function: &|_| true };
    Network::parse(xml, false, &facts).ok()
}

/// A domain's document.
pub fn domain(bytes: &[u8]) -> Taken {
    stable(bytes, domain_again)
}

/// A network's document, or its port's.
pub fn network(bytes: &[u8]) -> Taken {
    stable(bytes, network_again) + stable(bytes, |xml| Some(Port::parse(xml, false).ok()?.format()))
}

/// A change: the first two bytes say of what and how, the rest is the document.
pub fn snippet(bytes: &[u8]) -> Taken {
    let Some(([what, how], xml)) = bytes.split_first_chunk() else { return 0 };
    match Section::from_number(u32::from(what % 16)) {
        Some(section) => {
            let command = Command::from_number(u32::from(how % 4 + 1));
            let (Some(network), Some(command), Ok(xml)) = (read_network(NETWORK), command, std::str::from_utf8(xml))
            else {
                return 0;
            };
            let Ok(changed) = network.updated(command, section, i32::from(how / 4 % 4) - 1, xml) else { return 0 };
            stable(changed.format().as_bytes(), network_again)
        }
        None => {
            let Ok(device) = Device::parse_wanted(xml, ParseOptions::default(), &HOST) else { return 0 };
            let Ok(parsed) = Domain::parse(DOMAIN, ParseOptions::default(), &HOST) else { return 0 };
            let mut domain = parsed.domain;
            let changed = match how % 3 {
                0 => domain.attach(device),
                1 => domain.detach(&device),
                _ => domain.update(device),
            };
            if changed.is_err() {
                return 0;
            }
            stable(domain.format(FormatOptions::Inactive).as_bytes(), domain_again)
        }
    }
}

/// The file of a running domain, or of a running network.
pub fn status(bytes: &[u8]) -> Taken {
    let domain = |xml: &[u8]| Some(DomainStatus::parse(xml, &HOST).ok()?.format());
    let network = |xml: &[u8]| Some(Network::parse_status(xml, "file").ok()?.format_status());
    stable(bytes, domain) + stable(bytes, network)
}
