//! From a document to a domain: the order of the steps is libvirt's, so that of several faults the same one is told.

use super::*;
use crate::refuse::{self, Place};
use crate::shape::{self, Complaint, DOMAIN};
use crate::xml::{Document, Node, Source};
use api::{Code, Error, ErrorDomain};
use std::cell::RefCell;
use std::collections::HashMap;

/// Documents are named so in messages about their syntax.
pub(super) const DEFINITION: Source = Source { name: "(domain_definition)", domain: ErrorDomain::Domain };
/// Complaints about one document that are worth telling.
const MOST_COMPLAINTS: usize = 50;
/// Disks, and devices of each class that a container ignores: no machine has more.
const MOST_IGNORED: usize = 1_024;

/// Sections that libvirt reads as one, however often they stand there.
const SECTIONS: [&str; 12] = [
    "os",
    "clock",
    "features",
    "cputune",
    "blkiotune",
    "memtune",
    "memoryBacking",
    "iothreadids",
    "vcpus",
    "idmap",
    "perf",
    "devices",
];

/// What every step of the parser needs.
pub(super) struct Context<'a> {
    pub host: &'a Host<'a>,
    pub live: bool,
    /// Faults that are told only if there is none in what is read after them.
    later: RefCell<Vec<(Check, Error)>>,
}

/// What libvirt looks at when everything is read, in that order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Check {
    Kind,
    DiskNames,
    Model,
    MemoryDevice,
    Init,
    Memory,
    Timer,
    Consoles,
    MaxMemory,
    Name,
    Disk,
    Interface,
    Machine,
    Character,
    Filesystem,
    DiskTargets,
    Resource,
    Hostdevs,
    LifeCycle,
    HugePages,
    Cpu,
    Blkio,
    Filesystems,
    IdMap,
    NameLine,
}

impl<'a> Context<'a> {
    pub fn new(host: &'a Host<'a>, live: bool) -> Context<'a> {
        Context { host, live, later: RefCell::default() }
    }

    /// Keeps a fault for the end.
    pub fn later<T>(&self, check: Check, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.later.borrow_mut().push((check, error))).ok()
    }

    /// The first of the faults that were kept.
    pub fn verdict(&self) -> Result<()> {
        let mut later = self.later.take();
        later.sort_by_key(|(check, _)| *check);
        later.into_iter().next().map_or(Ok(()), |(_, error)| Err(error))
    }
}

impl Context<'_> {
    pub fn random_uuid(&self) -> Uuid {
        let mut bytes = [0; 16];
        (self.host.random)(&mut bytes);
        Uuid::from_random(bytes)
    }

    pub fn random_mac(&self) -> crate::Mac {
        let mut bytes = [0; 3];
        (self.host.random)(&mut bytes);
        crate::Mac::generated(bytes)
    }

    /// An element that is only kept.
    pub fn keep(&self, node: Node, shape: &str) -> Result<Element> {
        match DOMAIN.shape(shape) {
            Some(shape) => shape::normalise(&DOMAIN, shape, node),
            None => Err(refuse::internal(format!("no table for <{shape}>"))),
        }
    }

    /// The first child `name`, kept.
    pub fn keep_child(&self, node: Node, name: &str) -> Result<Option<Element>> {
        node.child(name).map(|child| self.keep(child, name)).transpose()
    }
}

impl Domain {
    /// Reads, checks and completes a document. Errors carry libvirt's words first, then the place.
    pub fn parse(xml: &[u8], how: ParseOptions, host: &Host) -> Result<Parsed> {
        let mut document = Document::parse(xml, DEFINITION)?;
        let root = document.root();
        if root.name() != "domain" {
            return Err(wrong_root("domain", root));
        }
        let warnings = complaints(root, "domain", how)?;
        document.join(&SECTIONS)?;
        let domain = from_node(document.root(), how, host)?;
        Ok(Parsed { domain, warnings })
    }
}

/// What of a client's document will be dropped: a domain's, or a device's. One line each.
pub fn dropped(xml: &[u8]) -> Vec<String> {
    let Ok(document) = Document::parse(xml, DEFINITION) else { return Vec::new() };
    let root = document.root();
    complaints(root, root.name(), ParseOptions::default()).unwrap_or_default()
}

pub(super) fn wrong_root(expected: &str, root: Node) -> Error {
    refuse::generic_xml(format!("expecting root element of '{expected}', not '{}'", root.name()))
}

/// What has no place in the document: an error where it is to be validated, else warnings.
pub(super) fn complaints(root: Node, shape: &str, how: ParseOptions) -> Result<Vec<String>> {
    if how.live && !how.validate {
        return Ok(Vec::new());
    }
    let Some(shape) = DOMAIN.shape(shape) else { return Ok(Vec::new()) };
    let mut found = shape::check(&DOMAIN, shape, root, MOST_COMPLAINTS);
    found.extend(extension::check(root, MOST_COMPLAINTS - found.len()));
    found.extend(seclabel::check(root, MOST_COMPLAINTS - found.len()));
    if how.validate && !found.is_empty() {
        let words: Vec<&str> = found.iter().map(|complaint| complaint.text.as_str()).collect();
        let message = format!(
            "Unable to validate doc against /usr/share/libvirt/schemas/domain.rng\n{}{}\n",
            schema_words(&found),
            words.join("\n")
        );
        return Err(Error::new(ErrorDomain::Xml, Code::XmlInvalidSchema, message));
    }
    Ok(found.into_iter().filter(|complaint| !complaint.value).map(|complaint| complaint.text).collect())
}

/// What libvirt's schema has to say of a wrong document: only where, right below the root.
fn schema_words(found: &[Complaint]) -> String {
    /// Elements that the schema takes in groups.
    const GROUPED: [&str; 17] = [
        "name",
        "uuid",
        "genid",
        "memory",
        "currentMemory",
        "maxMemory",
        "memoryBacking",
        "memtune",
        "blkiotune",
        "vcpu",
        "cputune",
        "numatune",
        "resource",
        "on_poweroff",
        "on_reboot",
        "on_crash",
        "on_lockfailure",
    ];
    let unknown = found.iter().find(|complaint| complaint.at_top && !complaint.value);
    match unknown.or(found.first()) {
        None => String::new(),
        Some(complaint) if complaint.at_top && !complaint.value && !GROUPED.contains(&complaint.within.as_str()) => {
            format!("Element domain has extra content: {}\n", complaint.within)
        }
        Some(complaint) => {
            let grouped = GROUPED.contains(&complaint.within.as_str());
            let sequence = if grouped { "Invalid sequence in interleave\n" } else { "" };
            let within = &complaint.within;
            format!("Extra element {within} in interleave\n{sequence}Element domain failed to validate content\n")
        }
    }
}

/// A domain from its element, which may stand in a status file.
pub(crate) fn from_node(root: Node, how: ParseOptions, host: &Host) -> Result<Domain> {
    let context = &Context::new(host, how.live);
    let text = |name: &str| root.child(name).map(|n| n.text().into_owned()).filter(|t| !t.is_empty());
    let name = text("name").ok_or_else(|| Error::new(ErrorDomain::Domain, Code::NoName, ""))?;
    let uuid = match text("uuid") {
        None => context.random_uuid(),
        Some(uuid) => Uuid::parse(&uuid).ok_or_else(|| refuse::internal("malformed uuid element"))?,
    };
    let genid = genid(root, context)?;
    hypervisor(root)?;
    let (arch, machine) = os::kind(root, context)?;
    let title = text("title");
    if title.as_ref().is_some_and(|title| title.contains('\n')) {
        return Err(refuse::xml("Domain title can't contain newlines"));
    }
    let description = text("description");
    let seclabels = seclabel::seclabels(root, context)?;
    let memory = tuning::memory(root)?;
    let mut kept = Vec::new();
    let cells = root.find("cpu/numa").map_or(0, |numa| numa.all("cell").count());
    kept.extend(tuning::backing(root, context, cells)?);
    let blkiotune = tuning::blkiotune(root, context)?;
    let memtune = tuning::memtune(root)?;
    let vcpu = tuning::vcpu(root)?;
    kept.extend(tuning::iothreads(root, context)?);
    let cputune = tuning::cputune(root, context, &vcpu, &kept)?;
    let cpu = features::cpu(root, context, &vcpu)?;
    let numatune = tuning::numatune(root, context, &vcpu, cells)?;
    let (partition, fibrechannel_appid) = tuning::resource(root, context)?;
    let features = features::features(root)?;
    let [on_poweroff, on_reboot, on_crash] = os::life_cycle(root, context, &mut kept)?;
    kept.extend(context.keep_child(root, "pm")?.filter(|element| !element.is_bare()));
    kept.extend(system::perf(root, context)?);
    let clock = os::clock(root, context)?;
    let bootloader = text("bootloader").is_some();
    for name in ["bootloader", "bootloader_args"] {
        if let Some(text) = text(name).filter(|_| bootloader) {
            kept.push(Element { text: Some(text), ..Element::new(name) });
        }
    }
    let os = os::boot(root, context, arch, machine)?;
    kept.extend(cpu);
    let metadata = root.child("metadata").map(Metadata::from_node);
    let mut domain = Domain {
        id: root.attr("id").filter(|_| how.live).and_then(|id| id.parse().ok()),
        name,
        genid,
        title,
        description,
        metadata,
        memory,
        blkiotune,
        memtune,
        vcpu,
        cputune,
        numatune,
        partition,
        fibrechannel_appid,
        os,
        features,
        clock,
        on_poweroff,
        on_reboot,
        on_crash,
        kept,
        seclabels,
        ..Domain::plain(uuid)
    };
    devices(root, context, &mut domain)?;
    for node in root.all("sysinfo") {
        domain.kept.push(system::sysinfo(node, context, &uuid).at(node)?);
    }
    domain.os.smbios = os::smbios(root)?;
    domain.kept.extend(system::keywrap(root, context)?);
    domain.kept.extend(system::launch_security(root, context)?);
    domain.idmap = os::idmap(root, context)?;
    domain.shares = seclabel::shares(root)?;
    domain.extension = extension::extension(root)?;
    if domain.extension.automatic_idmap.is_some() && !how.live {
        // What was chosen for an earlier run, in a document that a client had of it.
        domain.idmap = IdMap::default();
    }
    tuning::enough_memory(root, &domain.memory, context);
    complete::complete(&mut domain, context)?;
    context.later(Check::Cpu, tuning::single_vcpus(root));
    context.later(Check::Cpu, tuning::in_range(root));
    check_name(&domain.name, context);
    context.verdict()?;
    Ok(domain)
}

fn hypervisor(root: Node) -> Result<()> {
    const OTHERS: [&str; 14] = [
        "qemu",
        "kqemu",
        "kvm",
        "xen",
        "uml",
        "openvz",
        "test",
        "vmware",
        "hyperv",
        "vbox",
        "phyp",
        "parallels",
        "bhyve",
        "vz",
    ];
    match root.attr("type") {
        None | Some("") => Err(refuse::internal("missing domain type attribute")),
        Some("lxc" | "none") => Ok(()),
        Some(other) if OTHERS.contains(&other) => Ok(()),
        Some(other) => Err(refuse::unsupported(format!("invalid domain type {other}"))),
    }
}

fn genid(root: Node, context: &Context) -> Result<Option<Uuid>> {
    let mut all = root.all("genid");
    let Some(first) = all.next() else { return Ok(None) };
    if all.next().is_some() {
        return Err(refuse::xml("element 'genid' can only appear once"));
    }
    let text = first.text();
    if text.is_empty() {
        return Ok(Some(context.random_uuid()));
    }
    Uuid::parse(&text).map(Some).ok_or_else(|| refuse::internal("malformed genid element")).at(first)
}

fn check_name(name: &str, context: &Context) {
    if name.contains('/') {
        context.later::<()>(Check::Name, Err(refuse::xml(format!("name {name} cannot contain '/'"))));
    }
    if name.contains('\n') {
        context.later::<()>(Check::NameLine, Err(refuse::bad_name('\n')));
    }
}

/// The order in which libvirt reads the classes of devices; those that are not named come last.
const READ_FIRST: [&str; 29] = [
    "disk",
    "controller",
    "lease",
    "filesystem",
    "interface",
    "smartcard",
    "parallel",
    "serial",
    "console",
    "channel",
    "input",
    "graphics",
    "sound",
    "audio",
    "video",
    "hostdev",
    "watchdog",
    "memballoon",
    "rng",
    "tpm",
    "nvram",
    "hub",
    "redirdev",
    "redirfilter",
    "panic",
    "shmem",
    "memory",
    "iommu",
    "vsock",
];

/// Everything below `<devices>`, each class in the document's order.
fn devices(root: Node, context: &Context, domain: &mut Domain) -> Result<()> {
    let Some(devices) = root.child("devices") else { return Ok(()) };
    let emulator = devices.child("emulator").map(|e| e.text().into_owned());
    domain.emulator = emulator.filter(|path| !path.is_empty());
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut nodes: Vec<Node> = devices.elements().filter(|node| node.namespace().is_none()).collect();
    nodes.sort_by_cached_key(|node| READ_FIRST.iter().position(|class| *class == node.name()).unwrap_or(usize::MAX));
    for node in nodes {
        let count = counts.entry(node.name()).or_default();
        *count += 1;
        if *count > MOST_IGNORED && (node.name() == "disk" || OTHER_CLASSES.contains(&node.name())) {
            let message = format!("more than {MOST_IGNORED} devices of the kind '{}'", node.name());
            return Err(refuse::unsupported(message)).at(node);
        }
        match node.name() {
            "disk" => domain.disks.push(disks::disk(node, context).at(node)?),
            "filesystem" => domain.filesystems.push(storage::filesystem(node, context).at(node)?),
            "interface" => domain.interfaces.push(network::interface(node, context).at(node)?),
            "console" => domain.consoles.push(character::console(node, context).at(node)?),
            "hostdev" => {
                let hostdev = hostdev::hostdev(node, context).at(node)?;
                if matches!(hostdev.source, HostdevSource::Usb(_)) && controllers::without_usb(&domain.other_devices) {
                    let words = "Can't add host USB device: USB is disabled in this host";
                    return Err(refuse::unsupported(words)).at(node);
                }
                domain.hostdevs.push(hostdev);
            }
            name if OTHER_CLASSES.contains(&name) => {
                domain.other_devices.extend(ignored::device(node, context, domain.other_devices.as_slice()).at(node)?);
            }
            _ => {}
        }
    }
    Ok(())
}

/// Device classes that a container ignores, in the order in which they are written.
pub(super) const OTHER_CLASSES: [&str; 24] = [
    "controller",
    "lease",
    "smartcard",
    "serial",
    "parallel",
    "channel",
    "input",
    "tpm",
    "graphics",
    "sound",
    "audio",
    "video",
    "redirdev",
    "redirfilter",
    "hub",
    "watchdog",
    "memballoon",
    "rng",
    "nvram",
    "panic",
    "shmem",
    "memory",
    "iommu",
    "vsock",
];
