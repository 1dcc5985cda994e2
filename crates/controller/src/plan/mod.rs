//! What a container will be, computed from its document before anything is done: the plan is a value, and its parts can be
//! shown as text.

mod capabilities;
mod confinement;
mod devices;
mod filter;
mod init;
mod limits;
mod mounts;
mod network;

pub use confinement::{Confinement, candidates, confinement, id_maps, set_rlimits};
pub use devices::{ImageDisk, Kind, Node};
pub use init::{Init, with_terminals};
pub use limits::Rlimit;
pub use mounts::{Mount, What};
pub use network::{Address, Interface};

use crate::failure::{Failure, Result};
use conf::domain::{Console, Domain, HostdevSource, IdMapEntry};
use linux::capability::Set;
use linux::cgroup::{DeviceRule, Limits, Machine, Place};
use linux::idmap::Range;
use linux::process::namespace;
use linux::seccomp::Filter;
use std::path::PathBuf;

/// What the daemon's command line says beyond the document.
#[derive(Debug, Default, Clone, Copy)]
pub struct Given<'a> {
    pub controller: i32,
    pub veths: &'a [String],
    pub shares_net: bool,
    pub shares_ipc: bool,
    pub shares_uts: bool,
    /// How many descriptors go to init.
    pub passed: usize,
}

#[derive(Debug, PartialEq)]
pub struct Plan {
    pub name: String,
    /// Kinds of namespaces of its own, for clone3(2).
    pub namespaces: u64,
    pub users: Vec<Range>,
    pub groups: Vec<Range>,
    pub place: Place,
    pub machine: Machine,
    pub limits: Limits,
    pub root: Mount,
    /// The machine's own root is the container's.
    pub root_is_shared: bool,
    /// In the order they are attached.
    pub mounts: Vec<Mount>,
    /// In `/dev`.
    pub nodes: Vec<Node>,
    /// Images that are block devices in `/dev`.
    pub image_disks: Vec<ImageDisk>,
    /// In `/dev`: name and where it leads.
    pub links: Vec<(&'static str, &'static str)>,
    /// The devices that may be used.
    pub device_rules: Vec<DeviceRule>,
    pub rlimits: Vec<Rlimit>,
    /// Path below `/proc/sys` and value.
    pub sysctls: Vec<(PathBuf, String)>,
    /// Capabilities that init and its children can have.
    pub capabilities: Set,
    /// Those that survive an exec without being root.
    pub inheritable: Set,
    /// The profile of AppArmor that init is confined by.
    pub profile: Option<String>,
    /// System calls that are refused.
    pub filter: Option<Filter>,
    pub init: Init,
    pub interfaces: Vec<Interface>,
    /// Links of the machine that move into the container under their own names.
    pub moved_links: Vec<Interface>,
    /// A network namespace of its own.
    pub private_network: bool,
    pub sets_hostname: bool,
    /// What of the document is not obeyed, for the log.
    pub notes: Vec<String>,
    /// For each console, the file that its output goes to as well.
    pub console_logs: Vec<Option<LogFile>>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct LogFile {
    pub path: PathBuf,
    /// What is in it stays.
    pub append: bool,
}

pub fn plan(domain: &Domain, given: &Given) -> Result<Plan> {
    refuse_what_cannot_be(domain)?;
    let private_network = !given.shares_net && has_private_network(domain);
    if given.shares_net && (!domain.interfaces.is_empty() || domain.features.privnet) {
        return Err(Failure::new("Config asks for inherit net namespace as well as private network interfaces"));
    }
    let (users, groups) = (ranges(&domain.idmap.uids), ranges(&domain.idmap.gids));
    let mut namespaces = namespace::MOUNT | namespace::PID;
    for (kind, own) in [
        (namespace::UTS, !given.shares_uts),
        (namespace::IPC, !given.shares_ipc),
        (namespace::NETWORK, private_network),
        (namespace::USER, !users.is_empty()),
    ] {
        namespaces |= if own { kind } else { 0 };
    }
    let (capabilities, inheritable) = capabilities::of(&domain.features, !users.is_empty());
    let root = mounts::root(domain)?;
    let nodes = devices::nodes(domain)?;
    Ok(Plan {
        name: domain.name.clone(),
        namespaces,
        place: Place {
            partition: domain.partition.clone().unwrap_or_else(|| "/machine".into()),
            id: given.controller,
            domain: domain.name.clone(),
        },
        machine: Machine { uuid: domain.uuid.0, interfaces: Vec::new() },
        limits: limits::of(domain)?,
        root_is_shared: root.what == What::Folder(PathBuf::from("/")),
        mounts: mounts::of(domain, private_network, !users.is_empty())?,
        root,
        links: devices::LINKS.to_vec(),
        device_rules: devices::rules(&nodes, capabilities),
        nodes,
        capabilities,
        inheritable,
        profile: profile(domain)?,
        filter: filter::of(domain),
        image_disks: devices::image_disks(domain)?,
        rlimits: limits::rlimits(domain)?,
        console_logs: domain.consoles.iter().map(log_file).collect(),
        sysctls: limits::sysctls(domain)?,
        init: init::of(domain, given.passed),
        interfaces: network::interfaces(domain, given.veths)?,
        moved_links: network::moved(domain)?,
        users,
        groups,
        private_network,
        sets_hostname: !given.shares_uts,
        notes: mounts::not_obeyed(domain),
    })
}

fn log_file(console: &Console) -> Option<LogFile> {
    let log = console.log()?;
    Some(LogFile { path: log.attr("file")?.into(), append: log.attr("append") == Some("on") })
}

/// Interfaces need a network namespace of their own, and a document can ask for one without any.
fn has_private_network(domain: &Domain) -> bool {
    let moves = |source: &HostdevSource| matches!(source, HostdevSource::Net { .. });
    domain.features.privnet
        || !domain.interfaces.is_empty()
        || domain.hostdevs.iter().any(|hostdev| moves(&hostdev.source))
}

fn ranges(entries: &[IdMapEntry]) -> Vec<Range> {
    let range = |entry: &IdMapEntry| Range { inside: entry.start, outside: entry.target, count: entry.count };
    entries.iter().map(range).collect()
}

/// Our daemon takes profiles that are named; libvirt's has made one, and says so in the same place.
fn profile(domain: &Domain) -> Result<Option<String>> {
    for label in &domain.seclabels {
        match (label.model.as_str(), &label.label) {
            ("" | "none", _) | (_, None) => {}
            ("apparmor", Some(profile)) => return Ok(Some(profile.clone())),
            (model, Some(_)) => {
                return Err(Failure::unsupported(format!("Security driver model '{model}' is not available")));
            }
        }
    }
    Ok(None)
}

fn refuse_what_cannot_be(domain: &Domain) -> Result<()> {
    if domain.consoles.is_empty() {
        return Err(Failure::unsupported("At least one PTY console is required"));
    }
    if domain.idmap.uids.is_empty() != domain.idmap.gids.is_empty() {
        return Err(Failure::unsupported("<idmap> needs <uid> as well as <gid>"));
    }
    let maps_root = |entries: &[IdMapEntry]| entries.is_empty() || entries.iter().any(|entry| entry.start == 0);
    if !maps_root(&domain.idmap.uids) || !maps_root(&domain.idmap.gids) {
        return Err(Failure::unsupported("<idmap> must map id 0, the container's root"));
    }
    Ok(())
}

#[cfg(test)]
mod sample;
