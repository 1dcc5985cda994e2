//! Our own elements, in the namespace `urn:virtlxc:domain:1.0`: read, checked, written. `data/virtlxc-domain.rng` is
//! their schema.

use super::*;
use crate::number;
use crate::refuse::{self, Place};
use crate::shape::Complaint;
use crate::xml::{Kind, Node, Writer};
use std::net::IpAddr;

pub(crate) const NAMESPACE: &str = "urn:virtlxc:domain:1.0";

fn ours(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    node.elements().filter(|child| child.namespace() == Some(NAMESPACE))
}

fn needed<'a>(node: Node<'a>, name: &str) -> Result<&'a str> {
    node.attr(name).filter(|text| !text.is_empty()).ok_or_else(|| refuse::missing_attribute(&named(node), name))
}

fn named(node: Node) -> String {
    format!("virtlxc:{}", node.name())
}

fn wrong(node: Node, name: &str, expected: &str) -> api::Error {
    let value = node.attr(name).unwrap_or_default();
    refuse::bad_attribute(&named(node), name, value, &format!(" Expected {expected}"))
}

fn switch(node: Node, name: &str) -> Result<Option<bool>> {
    match node.attr(name) {
        None => Ok(None),
        Some(text) => refuse::on_off(text).map(Some).ok_or_else(|| wrong(node, name, "'on' or 'off'")).at(node),
    }
}

fn unsigned(node: Node, name: &str, most: u64) -> Result<Option<u64>> {
    match node.attr(name) {
        None => Ok(None),
        Some(text) => {
            let number = number::u64_of(text, 10).filter(|number| *number <= most);
            number.map(Some).ok_or_else(|| wrong(node, name, &format!("a number up to {most}"))).at(node)
        }
    }
}

/// `unlimited` or a number.
fn limit(node: Node, name: &str) -> Result<Option<u64>> {
    match needed(node, name).at(node)? {
        "unlimited" => Ok(None),
        text => match number::u64_of(text, 10) {
            Some(number) => Ok(Some(number)),
            None => Err(wrong(node, name, "a number or 'unlimited'")).at(node),
        },
    }
}

/// Names of getrlimit(2), without `RLIMIT_`, in lower case.
const RLIMITS: [&str; 16] = [
    "as",
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

/// `<virtlxc:container>` below the root.
pub(super) fn extension(root: Node) -> Result<Extension> {
    let mut extension = Extension::default();
    for node in ours(root).filter(|n| n.name() == "container").flat_map(ours) {
        match node.name() {
            "idmap" => {
                let count = unsigned(node, "count", u64::from(u32::MAX))?.unwrap_or(65_536);
                if count == 0 {
                    return Err(wrong(node, "count", "at least 1")).at(node);
                }
                extension.automatic_idmap = Some(count as u32);
            }
            "isolation" => {
                extension.seccomp = switch(node, "seccomp")?;
                extension.masked_paths = switch(node, "masked-paths")?;
            }
            "rlimit" => {
                let name = needed(node, "name").at(node)?.to_string();
                if !RLIMITS.contains(&name.as_str()) {
                    return Err(wrong(node, "name", &format!("one of {}", RLIMITS.join(", ")))).at(node);
                }
                let (soft, hard) = (limit(node, "soft")?, limit(node, "hard")?);
                if soft.unwrap_or(u64::MAX) > hard.unwrap_or(u64::MAX) {
                    return Err(wrong(node, "soft", "no more than 'hard'")).at(node);
                }
                extension.rlimits.push(Rlimit { name, soft, hard });
            }
            "sysctl" => {
                let name = needed(node, "name").at(node)?;
                let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'/');
                if !name.bytes().all(plain) || name.contains("..") || name.starts_with(['/', '.']) {
                    return Err(wrong(node, "name", "a name as sysctl(8) takes it")).at(node);
                }
                let value = node.attr("value").ok_or_else(|| refuse::missing_attribute(&named(node), "value"));
                extension.sysctls.push((name.to_string(), value.at(node)?.to_string()));
            }
            "pids" => extension.pids_limit = unsigned(node, "max", u64::MAX)?,
            "autostart" => {
                let number = |name| unsigned(node, name, 86_400).map(|n| n.unwrap_or(0) as u32);
                extension.autostart = Some(Autostart { order: number("order")?, delay: number("delay")? });
            }
            "forward" => extension.forwards.push(forward(node).at(node)?),
            _ => {}
        }
    }
    Ok(extension)
}

fn forward(node: Node) -> Result<Forward> {
    let protocol = node.attr("protocol").unwrap_or("tcp");
    let protocol = ForwardProtocol::from_word(protocol).ok_or_else(|| wrong(node, "protocol", "'tcp' or 'udp'"))?;
    let host_address = match node.attr("address") {
        None => None,
        Some(text) => Some(text.parse::<IpAddr>().map_err(|_| wrong(node, "address", "an IP address"))?),
    };
    let port = |name: &str| -> Result<u16> {
        let number = number::u32_of(needed(node, name)?, 10).filter(|port| (1..=65_535).contains(port));
        number.map(|port| port as u16).ok_or_else(|| wrong(node, name, "a port"))
    };
    Ok(Forward { protocol, host_address, host_port: port("host-port")?, port: port("port")? })
}

/// `<virtlxc:mount>` in a file system.
pub(super) fn mount_options(node: Node) -> Result<Option<MountOptions>> {
    let Some(mount) = ours(node).find(|n| n.name() == "mount") else { return Ok(None) };
    let options = mount.attr("options").filter(|text| !text.is_empty()).map(str::to_string);
    let found = MountOptions { options, idmap: switch(mount, "idmap")? };
    Ok(Some(found).filter(|found| *found != MountOptions::default()))
}

/// What is in our elements and not known, or there again where it may be once. At most `most` are told.
pub(super) fn check(root: Node, most: usize) -> Vec<Complaint> {
    const IN_DOMAIN: &[Known] = &[("container", false, &[])];
    const IN_CONTAINER: &[Known] = &[
        ("idmap", true, &["count"]),
        ("isolation", true, &["seccomp", "masked-paths"]),
        ("rlimit", false, &["name", "soft", "hard"]),
        ("sysctl", false, &["name", "value"]),
        ("pids", true, &["max"]),
        ("autostart", true, &["order", "delay"]),
        ("forward", false, &["protocol", "address", "host-port", "port"]),
    ];
    const IN_FILESYSTEM: &[Known] = &[("mount", true, &["options", "idmap"])];
    let mut complaints = Vec::new();
    let containers = || ours(root).filter(|n| n.name() == "container");
    known_once(ours(root), IN_DOMAIN, &mut complaints, most);
    known_once(containers().flat_map(Node::elements), IN_CONTAINER, &mut complaints, most);
    let filesystems = || root.find("devices").into_iter().flat_map(|devices| devices.all("filesystem"));
    filesystems().for_each(|one| known_once(ours(one), IN_FILESYSTEM, &mut complaints, most));
    let leaves = containers().flat_map(Node::elements).chain(filesystems().flat_map(ours));
    nothing_inside(leaves, &mut complaints, most);
    complaints
}

/// An element's name, whether it may be there once, its attributes.
type Known = (&'static str, bool, &'static [&'static str]);

fn known_once<'a>(
    nodes: impl Iterator<Item = Node<'a>>,
    known: &[Known],
    complaints: &mut Vec<Complaint>,
    most: usize,
) {
    let mut seen = Vec::new();
    for node in nodes {
        // To find out where a node is takes as long as it has neighbours: no complaint is made that is not told.
        if complaints.len() >= most {
            return;
        }
        if node.namespace() != Some(NAMESPACE) {
            let what = ": has to be in the namespace of its parent (prefix 'virtlxc')";
            complaints.push(Complaint::new(node, what, false));
            continue;
        }
        let Some((name, once, attributes)) = known.iter().find(|(name, ..)| *name == node.name()) else {
            let names: Vec<&str> = known.iter().map(|(name, ..)| *name).collect();
            complaints.push(Complaint::new(node, &format!(": not known; allowed: {}", names.join(", ")), false));
            continue;
        };
        if *once && seen.contains(name) {
            complaints.push(Complaint::new(node, ": is there already, and may be there once", false));
        } else if *once {
            seen.push(*name);
        }
        let room = most.saturating_sub(complaints.len());
        for attr in node.attrs().filter(|attr| !attributes.contains(&attr.name)).take(room) {
            let allowed = if attributes.is_empty() { "nothing" } else { &attributes.join(", ") };
            let what = format!(": attribute '{}' is not known here; allowed: {allowed}", attr.name);
            complaints.push(Complaint::new(node, &what, false));
        }
    }
}

/// Our elements say all with their attributes.
fn nothing_inside<'a>(nodes: impl Iterator<Item = Node<'a>>, complaints: &mut Vec<Complaint>, most: usize) {
    for child in nodes.flat_map(Node::children) {
        if complaints.len() >= most {
            return;
        }
        if child.is_element() {
            complaints.push(Complaint::new(child, ": not known; nothing is allowed here", false));
        } else if matches!(child.kind(), Kind::Text | Kind::Cdata) && !child.content().trim().is_empty() {
            let parent = child.parent().unwrap_or(child);
            complaints.push(Complaint::new(parent, ": text has no place here", false));
        }
    }
}

impl Domain {
    /// Whether the document needs our namespace.
    pub(super) fn is_extended(&self) -> bool {
        self.extension != Extension::default() || self.filesystems.iter().any(|f| f.mount.is_some())
    }
}

impl Extension {
    pub(super) fn write(&self, w: &mut Writer) {
        let word = |on: bool| if on { "on" } else { "off" };
        if *self == Extension::default() {
            return;
        }
        w.open("virtlxc:container");
        if let Some(count) = self.automatic_idmap {
            w.open("virtlxc:idmap");
            w.attr("count", count);
            w.close();
        }
        if self.seccomp.is_some() || self.masked_paths.is_some() {
            w.open("virtlxc:isolation");
            w.attr_opt("seccomp", self.seccomp.map(word));
            w.attr_opt("masked-paths", self.masked_paths.map(word));
            w.close();
        }
        for rlimit in &self.rlimits {
            let number = |limit: Option<u64>| limit.map_or("unlimited".to_string(), |n| n.to_string());
            w.open("virtlxc:rlimit");
            w.attr("name", &rlimit.name);
            w.attr("soft", number(rlimit.soft));
            w.attr("hard", number(rlimit.hard));
            w.close();
        }
        for (name, value) in &self.sysctls {
            w.open("virtlxc:sysctl");
            w.attr("name", name);
            w.attr("value", value);
            w.close();
        }
        if let Some(max) = self.pids_limit {
            w.open("virtlxc:pids");
            w.attr("max", max);
            w.close();
        }
        if let Some(autostart) = self.autostart {
            w.open("virtlxc:autostart");
            w.attr("order", autostart.order);
            w.attr("delay", autostart.delay);
            w.close();
        }
        for forward in &self.forwards {
            w.open("virtlxc:forward");
            w.attr("protocol", forward.protocol);
            w.attr_opt("address", forward.host_address);
            w.attr("host-port", forward.host_port);
            w.attr("port", forward.port);
            w.close();
        }
        w.close();
    }
}

impl MountOptions {
    pub(super) fn write(&self, w: &mut Writer) {
        w.open("virtlxc:mount");
        w.attr_opt("options", self.options.as_ref());
        w.attr_opt("idmap", self.idmap.map(|on| if on { "on" } else { "off" }));
        w.close();
    }
}
