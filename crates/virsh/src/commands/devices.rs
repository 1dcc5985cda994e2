//! Devices of a domain: added, changed and taken away, by their documents or by their essentials.

use super::device_documents::{disk_document, interface_document};
use crate::arguments::{AFFECT_CONFIG, AFFECT_LIVE, Arguments};
use crate::document;
use crate::dropped;
use crate::failure::{Context, Done, Failure};
use crate::lookup;
use crate::shell::Shell;
use crate::table::*;
use roxmltree::Node;
use rpc::remote::*;

const XML_INACTIVE: u32 = 2;
const UPDATE_FORCE: u32 = 4;
const PRINT_XML: Opt = flag("print-xml", "only show the document of the device");
const INTERFACE: Opt =
    need("interface", "the interface, by the host's device or its MAC address").of(Values::Interfaces);

pub const COMMANDS: &[Command] = &[
    Command::new(
        "attach-device",
        "add a device, described by a document",
        &[DOMAIN, FILE, PERSISTENT, CONFIG, LIVE, CURRENT],
        attach_device,
    ),
    Command::new(
        "attach-disk",
        "add a disk",
        &[
            DOMAIN,
            need("source", "device or file behind it").may_be_empty(),
            need("target", "its name in the domain, as sda"),
            text("targetbus", "bus that it is on"),
            text("driver", "what serves it"),
            text("subdriver", "format of the file"),
            text("iothread", "thread that serves it"),
            text("cache", "how it is cached"),
            text("io", "how it is read and written"),
            text("type", "disk, cdrom, floppy or lun"),
            text("mode", "readonly or shareable").of(Values::OneOf(&["readonly", "shareable"])),
            text("sourcetype", "block, file or network").of(Values::OneOf(&["block", "file", "network"])),
            text("serial", "its serial number"),
            text("wwn", "its world-wide name"),
            text("alias", "a name of its own for the device"),
            flag("rawio", "let raw commands through"),
            text("address", "where it is on its bus"),
            flag("multifunction", "with several functions at its address"),
            PRINT_XML,
            text("source-protocol", "protocol of a source on the network"),
            text("source-host-name", "host of a source on the network"),
            text("source-host-transport", "transport to that host"),
            text("source-host-socket", "socket of that host"),
            PERSISTENT,
            CONFIG,
            LIVE,
            CURRENT,
        ],
        attach_disk,
    ),
    Command::new(
        "attach-interface",
        "add an interface",
        &[
            DOMAIN,
            need("type", "kind of interface: network, bridge, direct or hostdev")
                .of(Values::OneOf(&["network", "bridge", "direct", "hostdev"])),
            need("source", "the network, bridge or device behind it"),
            text("target", "name of the host's end"),
            text("mac", "its MAC address"),
            text("script", "program that connects it"),
            text("model", "its model"),
            text("alias", "a name of its own for the device"),
            text("inbound", "limits to the domain, as average,peak,burst,floor"),
            text("outbound", "limits from the domain, as average,peak,burst"),
            PERSISTENT,
            CONFIG,
            LIVE,
            CURRENT,
            PRINT_XML,
            flag("managed", "have the host's device taken and given back"),
            text("source-mode", "how a direct interface is connected"),
        ],
        attach_interface,
    ),
    Command::new(
        "change-media",
        "change what is in a domain's CD or floppy drive",
        &[
            DOMAIN,
            need("path", "the drive, by its target or source").of(Values::Interfaces),
            text("source", "the new medium"),
            flag("eject", "take the medium out"),
            flag("insert", "put a medium in"),
            flag("update", "put another medium in"),
            CURRENT,
            LIVE,
            CONFIG,
            flag("force", "even if it is locked"),
            PRINT_XML,
            flag("block", "the source is a device"),
        ],
        change_media,
    ),
    Command::new(
        "detach-device",
        "take a device away, described by a document",
        &[DOMAIN, FILE, PERSISTENT, CONFIG, LIVE, CURRENT],
        detach_device,
    ),
    Command::new(
        "detach-device-alias",
        "take a device away, by its alias",
        &[DOMAIN, need("alias", "the device's alias"), CONFIG, LIVE, CURRENT],
        detach_alias,
    ),
    Command::new(
        "detach-disk",
        "take a disk away",
        &[
            DOMAIN,
            need("target", "its name in the domain, or its source").of(Values::Interfaces),
            PERSISTENT,
            CONFIG,
            LIVE,
            CURRENT,
            PRINT_XML,
        ],
        detach_disk,
    ),
    Command::new(
        "detach-interface",
        "take an interface away",
        &[
            DOMAIN,
            need("type", "kind of interface"),
            text("mac", "its MAC address"),
            PERSISTENT,
            CONFIG,
            LIVE,
            CURRENT,
            PRINT_XML,
        ],
        detach_interface,
    ),
    Command::new(
        "domif-setlink",
        "plug an interface in or out",
        &[DOMAIN, INTERFACE, need("state", "up or down").of(Values::OneOf(&["up", "down"])), CONFIG, PRINT_XML],
        set_link,
    ),
    Command::new(
        "update-device",
        "change a device, described by a document",
        &[DOMAIN, FILE, PERSISTENT, CONFIG, LIVE, CURRENT, flag("force", "even if it is in use")],
        update_device,
    ),
];

pub const MONITOR_COMMANDS: &[Command] = &[Command::new(
    "domif-getlink",
    "whether an interface is plugged in",
    &[DOMAIN, INTERFACE, flag("config", "as it will be started next")],
    get_link,
)];

/// What the options change; None where none says so.
fn affected(shell: &Shell, arguments: &Arguments, dom: &NonnullDomain) -> Result<Option<u32>, Failure> {
    arguments.exclusive("persistent", "current")?;
    let impact = arguments.impact()?;
    let mut flags = impact.flags();
    if arguments.has("persistent") {
        flags |= AFFECT_CONFIG;
        if lookup::is_active(shell, dom)? {
            flags |= AFFECT_LIVE;
        }
    }
    Ok((flags != 0 || impact.current).then_some(flags))
}

fn attach(shell: &Shell, dom: NonnullDomain, xml: &str, flags: Option<u32>) -> api::Result<()> {
    let xml = xml.into();
    match flags {
        Some(flags) => shell.call(Procedure::DomainAttachDeviceFlags, &DomainAttachDeviceFlagsArgs { dom, xml, flags }),
        None => shell.call(Procedure::DomainAttachDevice, &DomainAttachDeviceArgs { dom, xml }),
    }
}

fn detach(shell: &Shell, dom: NonnullDomain, xml: &str, flags: Option<u32>) -> api::Result<()> {
    let xml = xml.into();
    match flags {
        Some(flags) => shell.call(Procedure::DomainDetachDeviceFlags, &DomainDetachDeviceFlagsArgs { dom, xml, flags }),
        None => shell.call(Procedure::DomainDetachDevice, &DomainDetachDeviceArgs { dom, xml }),
    }
}

fn update(shell: &Shell, dom: NonnullDomain, xml: &str, flags: u32) -> api::Result<()> {
    shell.call(Procedure::DomainUpdateDeviceFlags, &DomainUpdateDeviceFlagsArgs { dom, xml: xml.into(), flags })
}

fn attach_device(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let flags = affected(shell, arguments, &dom)?;
    let path = arguments.need("file")?;
    let xml = lookup::file(path)?;
    attach(shell, dom, &xml, flags).context(format!("Failed to attach device from {path}"))?;
    shell.done("Device attached successfully".to_string())?;
    dropped::of_domain(shell, &xml);
    Ok(())
}

fn detach_device(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let flags = affected(shell, arguments, &dom)?;
    let path = arguments.need("file")?;
    let xml = lookup::file(path)?;
    detach(shell, dom, &xml, flags).context(format!("Failed to detach device from {path}"))?;
    shell.done("Device detached successfully".to_string())
}

fn update_device(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let mut flags = affected(shell, arguments, &dom)?.unwrap_or(0);
    let path = arguments.need("file")?;
    let xml = lookup::file(path)?;
    if arguments.has("force") {
        flags |= UPDATE_FORCE;
    }
    update(shell, dom, &xml, flags).context(format!("Failed to update device from {path}"))?;
    shell.done("Device updated successfully".to_string())?;
    dropped::of_domain(shell, &xml);
    Ok(())
}

fn detach_alias(shell: &mut Shell, arguments: &Arguments) -> Done {
    let flags = arguments.impact()?.flags();
    let dom = lookup::domain(shell, arguments)?;
    let alias = arguments.need("alias")?;
    shell
        .call::<_, _, ()>(
            Procedure::DomainDetachDeviceAlias,
            &DomainDetachDeviceAliasArgs { dom, alias: alias.into(), flags },
        )
        .context(format!("Failed to detach device with alias {alias}"))?;
    shell.done("Device detach request sent successfully".to_string())
}

fn attach_disk(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let flags = affected(shell, arguments, &dom)?;
    let xml = disk_document(arguments)?;
    if arguments.has("print-xml") {
        shell.print(&xml);
        return Ok(());
    }
    attach(shell, dom, &xml, flags).context("Failed to attach disk")?;
    shell.done("Disk attached successfully".to_string())
}

fn attach_interface(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let flags = affected(shell, arguments, &dom)?;
    let xml = interface_document(arguments)?;
    if arguments.has("print-xml") {
        shell.print(&xml);
        return Ok(());
    }
    attach(shell, dom, &xml, flags).context("Failed to attach interface")?;
    shell.done("Interface attached successfully".to_string())
}

/// The documents to look for a device in, each with the flags to change it by.
fn documents(shell: &Shell, dom: &NonnullDomain, flags: Option<u32>) -> Result<Vec<(String, Option<u32>)>, Failure> {
    let bits = flags.unwrap_or(0);
    let mut found = Vec::new();
    if bits & AFFECT_CONFIG != 0 {
        found.push((lookup::domain_xml(shell, dom, XML_INACTIVE)?, Some(AFFECT_CONFIG)));
    }
    if bits & AFFECT_LIVE != 0 {
        found.push((lookup::domain_xml(shell, dom, 0)?, Some(AFFECT_LIVE)));
    }
    if found.is_empty() {
        found.push((lookup::domain_xml(shell, dom, 0)?, flags));
    }
    Ok(found)
}

fn detach_interface(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let flags = affected(shell, arguments, &dom)?;
    let kind = arguments.need("type")?;
    let mac = arguments.text("mac")?;
    let failed = |text: String| Failure::several(vec![text, "Failed to detach interface".to_string()]);
    for (xml, flags) in documents(shell, &dom, flags)? {
        let document = document::parse(&xml)?;
        let mut all = document::devices(&document, "interface").filter(|i| i.attribute("type") == Some(kind));
        let of_kind: Vec<Node<'_, '_>> = all.by_ref().collect();
        let (Some(first), count) = (of_kind.first(), of_kind.len()) else {
            return Err(failed(format!("No interface found whose type is {kind}")));
        };
        let found = match mac {
            None if count > 1 => {
                return Err(failed(format!(
                    "Domain has {count} interfaces. Please specify which one to detach using --mac"
                )));
            }
            None => *first,
            Some(mac) => {
                let has = |interface: &&Node<'_, '_>| {
                    document::child_attribute(**interface, "mac", "address").is_some_and(|own| same_mac(own, mac))
                };
                let matching: Vec<&Node<'_, '_>> = of_kind.iter().filter(has).collect();
                match matching.as_slice() {
                    [] => return Err(failed(format!("No interface with MAC address {mac} was found"))),
                    [one] => **one,
                    _ => {
                        return Err(failed(format!(
                            "Domain has multiple interfaces matching MAC address {mac}. You must use detach-device and \
                             specify the device pci address to remove it."
                        )));
                    }
                }
            }
        };
        let device = document::verbatim(found);
        if arguments.has("print-xml") {
            shell.print(&device);
            return Ok(());
        }
        detach(shell, dom.clone(), &device, flags).context("Failed to detach interface")?;
    }
    shell.done("Interface detached successfully".to_string())
}

fn same_mac(one: &str, other: &str) -> bool {
    let digits = |text: &str| -> Option<Vec<u8>> {
        text.split([':', '-']).map(|pair| u8::from_str_radix(pair, 16).ok()).collect()
    };
    one.eq_ignore_ascii_case(other) || (digits(one).is_some() && digits(one) == digits(other))
}

/// The disk of that target or source in a document.
fn find_disk<'a>(document: &'a roxmltree::Document<'a>, wanted: &str) -> Result<Node<'a, 'a>, Failure> {
    let disks: Vec<Node<'a, 'a>> = document::devices(document, "disk").collect();
    if disks.is_empty() {
        return Err(Failure::new("Failed to get disk information"));
    }
    let is = |disk: &&Node<'a, 'a>| {
        let source = document::child(**disk, "source");
        let source = ["file", "dev", "dir", "name"].iter().find_map(|name| source.and_then(|s| s.attribute(*name)));
        document::child_attribute(**disk, "target", "dev") == Some(wanted) || source == Some(wanted)
    };
    disks
        .iter()
        .find(is)
        .copied()
        .ok_or_else(|| Failure::new(format!("No disk found whose source path or target is {wanted}")))
}

fn detach_disk(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let flags = affected(shell, arguments, &dom)?;
    let target = arguments.need("target")?;
    let only_config = flags == Some(AFFECT_CONFIG);
    let xml = lookup::domain_xml(shell, &dom, if only_config { XML_INACTIVE } else { 0 })?;
    let document = document::parse(&xml)?;
    let disk = document::verbatim(find_disk(&document, target)?);
    if arguments.has("print-xml") {
        shell.print(&disk);
        return Ok(());
    }
    detach(shell, dom, &disk, flags).context("Failed to detach disk")?;
    shell.done("Disk detached successfully".to_string())
}

fn change_media(shell: &mut Shell, arguments: &Arguments) -> Done {
    for (one, other) in [("eject", "insert"), ("eject", "update"), ("insert", "update"), ("eject", "block")] {
        arguments.exclusive(one, other)?;
    }
    let source = arguments.text("source")?;
    let eject = arguments.has("eject");
    if !eject && source.is_none() {
        return Err(Failure::new("Missing source to insert or update with; --eject takes the medium out"));
    }
    let mut flags = arguments.impact()?.flags();
    if arguments.has("force") {
        flags |= UPDATE_FORCE;
    }
    let dom = lookup::domain(shell, arguments)?;
    let only_config = flags & 3 == AFFECT_CONFIG;
    let xml = lookup::domain_xml(shell, &dom, if only_config { XML_INACTIVE } else { 0 })?;
    let document = document::parse(&xml)?;
    let path = arguments.need("path")?;
    let disk = find_disk(&document, path)?;
    let whole = document::verbatim(disk);
    let old = document::child(disk, "source").map(document::verbatim);
    let new = match source.filter(|_| !eject) {
        None => String::new(),
        Some(source) => {
            let attribute =
                if arguments.has("block") || disk.attribute("type") == Some("block") { "dev" } else { "file" };
            format!("<source {attribute}=\"{}\"/>", document::escaped(source, true))
        }
    };
    let changed = match old {
        Some(old) => whole.replacen(&old, &new, 1),
        None => whole.replacen("<target", &format!("{new}<target"), 1),
    };
    if arguments.has("print-xml") {
        shell.print(&changed);
        return Ok(());
    }
    let (verb, done) = if eject {
        ("eject", "ejected")
    } else if arguments.has("insert") {
        ("insert", "inserted")
    } else {
        ("update", "updated")
    };
    update(shell, dom, &changed, flags).context(format!("Failed to complete action {verb} on media"))?;
    shell.done(format!("Successfully {done} media."))
}

/// The interface of that MAC address or host device.
fn find_interface<'a>(document: &'a roxmltree::Document<'a>, wanted: &str) -> Option<Node<'a, 'a>> {
    document::devices(document, "interface").find(|interface| {
        document::child_attribute(*interface, "mac", "address").is_some_and(|own| same_mac(own, wanted))
            || document::child_attribute(*interface, "target", "dev") == Some(wanted)
    })
}

/// What an interface was looked for by.
fn mark(wanted: &str) -> &'static str {
    let is_mac = wanted.split(':').count() == 6 && wanted.split(':').all(|pair| u8::from_str_radix(pair, 16).is_ok());
    if is_mac { "mac" } else { "dev" }
}

fn get_link(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let wanted = arguments.need("interface")?;
    let xml = lookup::domain_xml(shell, &dom, if arguments.has("config") { XML_INACTIVE } else { 0 })?;
    let document = document::parse(&xml)?;
    let interface = find_interface(&document, wanted)
        .ok_or_else(|| Failure::new(format!("Interface ({}: {wanted}) not found.", mark(wanted))))?;
    let state = document::child_attribute(interface, "link", "state").unwrap_or("up");
    match shell.json {
        true => shell.value("state", state),
        false => {
            shell.print(&format!("{wanted} {state}"));
            Ok(())
        }
    }
}

fn set_link(shell: &mut Shell, arguments: &Arguments) -> Done {
    let state = arguments.need("state")?;
    if !matches!(state, "up" | "down") {
        return Err(Failure::new(format!("invalid link state '{state}'")));
    }
    let dom = lookup::domain(shell, arguments)?;
    let wanted = arguments.need("interface")?;
    let config = arguments.has("config") || !lookup::is_active(shell, &dom)?;
    let xml = lookup::domain_xml(shell, &dom, if config { XML_INACTIVE } else { 0 })?;
    let document = document::parse(&xml)?;
    let interface =
        find_interface(&document, wanted).ok_or_else(|| Failure::new(format!("interface '{wanted}' not found")))?;
    let whole = document::verbatim(interface);
    let link = format!("<link state=\"{state}\"/>");
    let changed = match document::child(interface, "link").map(document::verbatim) {
        Some(old) => whole.replacen(&old, &link, 1),
        None => whole.replacen("</interface>", &format!("{link}</interface>"), 1),
    };
    if arguments.has("print-xml") {
        shell.print(&changed);
        return Ok(());
    }
    let flags = if config { AFFECT_CONFIG } else { AFFECT_LIVE };
    update(shell, dom, &changed, flags).context("Failed to update interface link state")?;
    shell.done("Device updated successfully".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_an_interface_is_meant() {
        assert!(same_mac("52:54:0:aa:00:01", "52:54:00:AA:00:01"));
        assert_eq!(mark("vnet0"), "dev");
    }
}
