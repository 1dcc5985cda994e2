//! Where a disk's content comes from: hosts, keys, reservations, backing files. Kept as libvirt keeps it; a container is
//! given files and block devices only.

use super::*;
use crate::number;
use crate::refuse;

pub(super) fn refine(source: &mut Element, kind: &str, device: &str) -> Result<()> {
    match kind {
        "network" => network(source, device)?,
        "nvme" => nvme(source)?,
        "vhostuser" => socket(source)?,
        _ => {}
    }
    let protocol = source.attr("protocol").unwrap_or_default().to_string();
    source.children.retain(|child| match child.name.as_str() {
        "reconnect" => kind == "vhostuser",
        "address" => kind == "nvme",
        "ssl" => ["https", "ftps"].contains(&protocol.as_str()),
        "cookies" => ["http", "https"].contains(&protocol.as_str()),
        _ => true,
    });
    for child in &mut source.children {
        match child.name.as_str() {
            "encryption" => encryption(child)?,
            "slices" => slices(child)?,
            "auth" => authentication(child, &protocol)?,
            "reservations" => reservations(child, device)?,
            _ => {}
        }
    }
    source.children.retain(|child| child.name != "slices" || !child.is_bare());
    if source.child("seclabel").is_some() {
        let labels = character::labels(Some(source))?;
        let at = source.children.iter().position(|child| child.name == "seclabel").unwrap_or(0);
        source.remove("seclabel");
        source.children.splice(at..at, labels);
    }
    Ok(())
}

/// The port that is meant where a host has none.
fn usual_port(protocol: &str) -> Option<u32> {
    Some(match protocol {
        "nbd" => 10_809,
        "sheepdog" => 7_000,
        "gluster" => 24_007,
        "iscsi" => 3_260,
        "http" => 80,
        "https" => 443,
        "ftp" => 21,
        "ftps" => 990,
        "tftp" => 69,
        "ssh" => 22,
        "vxhs" => 9_999,
        _ => return None,
    })
}

fn network(source: &mut Element, device: &str) -> Result<()> {
    let protocol = source.attr("protocol").unwrap_or_default().to_string();
    match source.attr("name").map(str::to_string) {
        None if protocol == "nbd" => {}
        None => return Err(refuse::xml("missing name for disk source")),
        Some(name) if ["rbd", "gluster"].contains(&protocol.as_str()) && name.find('/').is_none_or(|at| at == 0) => {
            return Err(refuse::xml(format!("can't split path '{name}' into pool name and image name")));
        }
        Some(name) if protocol == "iscsi" && !name.contains('/') => source.set("name", format!("{name}/0")),
        Some(_) => {}
    }
    for child in &mut source.children {
        let sized = match child.name.as_str() {
            "host" => {
                host(child, &protocol)?;
                continue;
            }
            "readahead" => "size",
            "timeout" => "seconds",
            _ => continue,
        };
        match child.attr(sized).map(|text| number::u64_of(text, 10)) {
            Some(None) => return Err(refuse::xml("invalid readahead size or timeout")),
            Some(Some(0)) => child.unset(sized),
            _ => {}
        }
    }
    let hollow = |child: &Element| ["readahead", "timeout", "identity"].contains(&child.name.as_str());
    source.children.retain(|child| !(hollow(child) && child.is_bare()));
    match device == "lun" && protocol != "iscsi" {
        true => Err(refuse::unsupported(format!("disk device='lun' is not supported for protocol='{protocol}'"))),
        false => Ok(()),
    }
}

fn host(host: &mut Element, protocol: &str) -> Result<()> {
    let transport = host.attr("transport").unwrap_or("tcp").to_string();
    let part = |name: &str| host.attr(name).map(str::to_string);
    let (name, port, socket) = (part("name"), part("port"), part("socket"));
    let mut kept = Element::new("host");
    match transport.as_str() {
        "unix" => {
            let socket = socket.ok_or_else(|| refuse::xml("missing socket for unix transport"))?;
            *host = kept.with("transport", "unix").with("socket", socket);
            return Ok(());
        }
        "tcp" | "rdma" => {}
        other => return Err(refuse::unsupported(format!("unknown protocol transport type '{other}'"))),
    }
    if socket.is_some() {
        let given = part("transport").unwrap_or("(null)".to_string());
        return Err(refuse::xml(format!("transport '{given}' does not support socket attribute")));
    }
    kept.set("name", name.ok_or_else(|| refuse::xml("missing name for host"))?);
    let bad = |port: &str| refuse::argument(format!("failed to parse port number '{port}'"));
    let port = match &port {
        Some(port) => Some(number::u32_of(port, 10).filter(|port| *port <= 0xffff).ok_or_else(|| bad(port))?),
        None => usual_port(protocol).filter(|_| transport == "tcp"),
    };
    if let Some(port) = port {
        kept.set("port", port);
    }
    if transport == "rdma" {
        kept.set("transport", transport);
    }
    *host = kept;
    Ok(())
}

/// A password that the protocol can use.
pub(super) fn authentication(auth: &mut Element, protocol: &str) -> Result<()> {
    hostdev::authentication(auth)?;
    let kind = auth.child("secret").and_then(|secret| secret.attr("type")).unwrap_or_default();
    let fits = match protocol {
        "rbd" => kind == "ceph",
        "iscsi" => kind == "iscsi",
        _ => true,
    };
    match fits {
        true => Ok(()),
        false => Err(refuse::unsupported(format!("invalid secret type '{kind}'"))),
    }
}

pub(super) fn encryption(encryption: &mut Element) -> Result<()> {
    let format = encryption.attr("format").ok_or_else(|| refuse::xml("unknown volume encryption format"))?;
    if !["default", "qcow", "luks", "luks2", "luksany"].contains(&format) {
        return Err(refuse::unsupported(format!("unknown volume encryption format type {format}")));
    }
    if let Some(cipher) = encryption.child("cipher") {
        for name in ["name", "size"] {
            cipher.attr(name).ok_or_else(|| refuse::missing_attribute("cipher", name))?;
        }
        return Err(refuse::unsupported("supplying <cipher> for domain disk definition is unnecessary"));
    }
    for secret in encryption.children.iter_mut().filter(|child| child.name == "secret") {
        let kind = secret.attr("type").ok_or_else(|| refuse::xml("unknown volume encryption secret type"))?;
        if kind != "passphrase" {
            return Err(refuse::unsupported(format!("unknown volume encryption secret type {kind}")));
        }
        if let Some(uuid) = secret.attr("uuid") {
            let uuid = Uuid::parse(uuid).ok_or_else(|| refuse::xml(format!("invalid secret uuid '{uuid}'")))?;
            secret.set("uuid", uuid);
        }
    }
    Ok(())
}

/// Only slices of the storage are known.
fn slices(slices: &mut Element) -> Result<()> {
    slices.children.retain(|slice| slice.attr("type") == Some("storage"));
    slices.children.truncate(1);
    let number = |slice: &Element, name: &str| slice.attr(name).and_then(|text| number::u64_of(text, 10));
    match slices.children.iter().all(|slice| number(slice, "offset").is_some() && number(slice, "size").is_some()) {
        true => Ok(()),
        false => Err(refuse::xml("missing offset or size attribute of slice")),
    }
}

fn reservations(reservations: &Element, device: &str) -> Result<()> {
    let managed = reservations.attr("managed") == Some("yes");
    if !managed && reservations.child("source").is_none_or(|source| source.attr("type").is_none()) {
        return Err(refuse::xml("missing connection type for <reservations/>"));
    }
    match device {
        "lun" => Ok(()),
        _ => Err(refuse::unsupported("<reservations/> allowed only for lun devices")),
    }
}

fn nvme(source: &mut Element) -> Result<()> {
    for name in ["type", "namespace"] {
        source.attr(name).ok_or_else(|| refuse::xml(format!("missing '{name}' attribute to disk source")))?;
    }
    if source.attr("namespace").and_then(|text| number::u64_of(text, 10)) == Some(0) {
        return Err(refuse::unsupported("NVMe namespace can't be zero"));
    }
    if source.attr("managed").is_none() {
        source.attrs.insert(1, ("managed".to_string(), "yes".to_string()));
    }
    match source.child("address") {
        Some(address) => address::pci_limits(address),
        None => Err(refuse::xml("NVMe disk source is missing address")),
    }
}

fn socket(source: &Element) -> Result<()> {
    for name in ["type", "path"] {
        let missing = || refuse::xml(format!("missing '{name}' attribute for vhostuser disk source"));
        source.attr(name).ok_or_else(missing)?;
    }
    match source.attr("type") {
        Some("unix") => Ok(()),
        _ => Err(refuse::xml("invalid 'type' attribute for vhostuser disk source")),
    }
}

/// What the content is an overlay of, down to the last; one without type says that there is none.
pub(super) fn backing(mut store: &mut Element) -> Result<()> {
    const KINDS: [&str; 7] = ["file", "block", "dir", "network", "volume", "nvme", "vhostuser"];
    loop {
        let Some(kind) = store.attr("type").map(str::to_string) else {
            store.children.clear();
            return Ok(());
        };
        if !KINDS.contains(&kind.as_str()) {
            return Err(refuse::xml(format!("unknown storage source type '{kind}'")));
        }
        let format = store.child("format").and_then(|format| format.attr("type"));
        let format = format.ok_or_else(|| refuse::xml("missing disk backing store format"))?;
        if !crate::shape::DOMAIN.attribute_words("diskDriver", "type").contains(&format) {
            return Err(refuse::xml(format!("unknown storage source format '{format}'")));
        }
        let none = || refuse::xml("missing disk backing store source");
        refine(store.child_mut("source").ok_or_else(none)?, &kind, "disk")?;
        match store.child_mut("backingStore") {
            Some(next) => store = next,
            None => return Ok(()),
        }
    }
}

/// What is checked of a whole disk, when its bus is known.
pub(super) fn checked(disk: &Element) -> Result<()> {
    let target = disk.child("target");
    let bus = target.and_then(|target| target.attr("bus")).unwrap_or_default();
    let virtio = bus == "virtio";
    if let Some(model) = disk.attr("model").filter(|_| !virtio) {
        return Err(refuse::unsupported(format!("disk model '{model}' not supported for bus '{bus}'")));
    }
    if target.is_some_and(|target| target.attr("removable").is_some()) && bus != "usb" {
        return Err(refuse::xml("removable is only valid for usb disks"));
    }
    let driver = disk.child("driver");
    for name in ["ioeventfd", "event_idx"] {
        if driver.is_some_and(|driver| driver.attr(name).is_some()) && !virtio {
            return Err(refuse::unsupported(format!("disk {name} mode supported only for virtio bus")));
        }
    }
    graphics::virtio_options(disk, virtio)?;
    if disk.attr("type") == Some("vhostuser") {
        if !virtio {
            return Err(refuse::unsupported("vhostuser disk supports only virtio bus"));
        }
        if disk.attr("snapshot") != Some("no") {
            return Err(refuse::unsupported("only snapshot=no is supported with vhostuser disk"));
        }
        let set = |name: &str| driver.is_some_and(|driver| driver.attr(name).is_some()) || disk.child(name).is_some();
        if let Some(name) = ["cache", "readonly"].iter().find(|name| set(name)) {
            return Err(refuse::unsupported(format!("{name} is not supported with vhostuser disk")));
        }
    }
    Ok(())
}
