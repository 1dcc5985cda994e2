//! The operating system, ids, features, clock and life cycle: reading.

use super::parse::{Check, Context};
use super::*;
use crate::number;
use crate::refuse::{self, Place};
use crate::xml::Node;
use api::{Code, Error, ErrorDomain};

/// Every architecture that libvirt has a name for.
const ARCHITECTURES: [&str; 36] = [
    "alpha",
    "armv6l",
    "armv7l",
    "armv7b",
    "aarch64",
    "cris",
    "i686",
    "ia64",
    "lm32",
    "loongarch64",
    "m68k",
    "microblaze",
    "microblazeel",
    "mips",
    "mipsel",
    "mips64",
    "mips64el",
    "openrisc",
    "parisc",
    "parisc64",
    "ppc",
    "ppc64",
    "ppc64le",
    "ppcemb",
    "riscv32",
    "riscv64",
    "s390",
    "s390x",
    "sh4",
    "sh4eb",
    "sparc",
    "sparc64",
    "unicore32",
    "x86_64",
    "xtensa",
    "xtensaeb",
];

/// Architecture and machine of `<os><type>`, checked against what a container on this host can be.
pub(super) fn kind(root: Node, context: &Context) -> Result<(String, Option<String>)> {
    let node = root.find("os/type");
    let text = node.map(|n| n.text()).unwrap_or_default();
    if text.is_empty() && root.child("bootloader").is_some_and(|bootloader| !bootloader.text().is_empty()) {
        // What a boot loader starts is a machine of Xen.
        let message = format!("could not find capabilities for ostype=xen arch={} domaintype=lxc ", context.host.arch);
        context.later::<()>(Check::Kind, Err(Error::new(ErrorDomain::Capabilities, Code::InvalidArg, message)));
        return Ok((context.host.arch.to_string(), None));
    }
    let node = node.filter(|_| !text.is_empty()).ok_or_else(|| refuse::xml("an os <type> must be specified"))?;
    if !["hvm", "xen", "linux", "exe", "uml", "xenpvh"].contains(&text.as_ref()) {
        return Err(refuse::unsupported(format!("unknown OS type '{text}'"))).at(node);
    }
    let given = node.attr("arch").filter(|arch| !arch.is_empty());
    if let Some(arch) = given.filter(|arch| !ARCHITECTURES.contains(arch)) {
        return Err(refuse::unsupported(format!("Unknown architecture {arch}"))).at(node);
    }
    let hypervisor = root.attr("type").unwrap_or_default();
    let arch = given.unwrap_or(context.host.arch);
    let hypervisor = if hypervisor == "none" { "lxc" } else { hypervisor };
    let runs = arch == context.host.arch || (context.host.arch, arch) == ("x86_64", "i686");
    if text != "exe" || hypervisor != "lxc" || !runs {
        let os = if text == "hvm" { String::new() } else { format!("ostype={text} ") };
        let message = format!("could not find capabilities for {os}arch={arch} domaintype={hypervisor} ");
        let error: Result<()> = Err(Error::new(ErrorDomain::Capabilities, Code::InvalidArg, message));
        context.later(Check::Kind, error.at(node));
    }
    Ok((arch.to_string(), node.attr("machine").filter(|m| !m.is_empty()).map(str::to_string)))
}

/// The text before anything else inside, as libvirt takes it.
fn first_text(node: Node) -> Option<String> {
    let first = node.children().next()?;
    Some(first.content().to_string()).filter(|text| !text.is_empty())
}

pub(super) fn boot(root: Node, context: &Context, arch: String, machine: Option<String>) -> Result<Os> {
    let Some(node) = root.child("os") else { return Ok(Os::default()) };
    let text = |name: &str| node.child(name).map(|n| n.text().into_owned()).filter(|t| !t.is_empty());
    let mut os = Os { arch, machine, ..Os::default() };
    os.init = text("init").unwrap_or_default();
    os.cmdline = text("cmdline");
    os.init_dir = text("initdir");
    os.init_user = text("inituser");
    os.init_group = text("initgroup");
    for child in node.all("initarg") {
        let none = || refuse::xml("No data supplied for <initarg> element");
        os.init_args.push(first_text(child).ok_or_else(none).at(child)?);
    }
    for child in node.all("initenv") {
        let none = || refuse::xml("No name supplied for <initenv> element");
        let name = child.attr("name").ok_or_else(none).at(child)?;
        let none = || refuse::xml(format!("No value supplied for <initenv name='{name}'> element"));
        os.init_env.push((name.to_string(), first_text(child).ok_or_else(none).at(child)?));
    }
    if os.init.is_empty() {
        let error: Result<()> = Err(refuse::xml("init binary must be specified"));
        context.later(Check::Init, error.at(node));
    }
    Ok(os)
}

/// Read behind the devices.
pub(super) fn smbios(root: Node) -> Result<Option<String>> {
    let Some(smbios) = root.find("os/smbios") else { return Ok(None) };
    let mode = smbios.attr("mode").unwrap_or("none");
    match ["none", "emulate", "host", "sysinfo"].contains(&mode) {
        true => Ok(Some(mode.to_string()).filter(|mode| mode != "none")),
        false => Err(refuse::unsupported(format!("unknown smbios mode '{mode}'"))).at(smbios),
    }
}

pub(super) fn idmap(root: Node, context: &Context) -> Result<IdMap> {
    let Some(node) = root.child("idmap") else { return Ok(IdMap::default()) };
    let map = IdMap { uids: id_entries(node, "uid")?, gids: id_entries(node, "gid")? };
    let from_root = |entries: &[IdMapEntry]| entries.first().is_none_or(|entry| entry.start == 0);
    let refuse = |words| context.later::<()>(Check::IdMap, Err(refuse::unsupported(words)).at(node));
    if map.uids.is_empty() != map.gids.is_empty() {
        refuse("uid and gid should be mapped both");
    }
    if !from_root(&map.uids) || !from_root(&map.gids) {
        refuse("You must map the root user of container");
    }
    Ok(map)
}

impl IdMap {
    /// Refuses what the kernel would at the start (user_namespaces(7)). Reading takes it, as libvirt does: what is in a file
    /// already is not lost.
    pub fn check(&self) -> Result<()> {
        check_entries("uid", &self.uids).and_then(|()| check_entries("gid", &self.gids))
    }
}

/// So many ranges the kernel takes in a map.
const RANGES_MAX: usize = 340;

/// A map is written at once, and has to be less than a page.
const MAP_BYTES: usize = 4_096;

fn check_entries(name: &str, entries: &[IdMapEntry]) -> Result<()> {
    if entries.len() > RANGES_MAX {
        let words = format!("<idmap> has {} ranges <{name}>: at most {RANGES_MAX} are possible", entries.len());
        return Err(refuse::unsupported(words));
    }
    let shown = |entry: &IdMapEntry| format!("{} {} {}", entry.start, entry.target, entry.count);
    let bytes: usize = entries.iter().map(|entry| shown(entry).len() + 1).sum();
    if bytes >= MAP_BYTES {
        let words = format!("<idmap>'s ranges <{name}> take {bytes} bytes: fewer than {MAP_BYTES} are possible");
        return Err(refuse::unsupported(words));
    }
    for (number, entry) in entries.iter().enumerate() {
        // The last id is nobody's: it stands for 'no id'.
        let within = |first: u32| u64::from(first) + u64::from(entry.count) <= u64::from(u32::MAX);
        if entry.count == 0 || !within(entry.start) || !within(entry.target) {
            let words = format!("<{name}> '{}' of <idmap> must count from 1 to ids below {}", shown(entry), u32::MAX);
            return Err(refuse::unsupported(words));
        }
        let meets = |a: u32, b: u32, other: &IdMapEntry| {
            u64::from(a) < u64::from(b) + u64::from(other.count) && u64::from(b) < u64::from(a) + u64::from(entry.count)
        };
        let overlaps =
            |other: &&IdMapEntry| meets(entry.start, other.start, other) || meets(entry.target, other.target, other);
        if let Some(other) = entries.iter().skip(number + 1).find(overlaps) {
            let words = format!("<{name}> '{}' and '{}' of <idmap> overlap", shown(entry), shown(other));
            return Err(refuse::unsupported(words));
        }
    }
    Ok(())
}

fn id_entries(node: Node, name: &'static str) -> Result<Vec<IdMapEntry>> {
    let mut entries = Vec::new();
    for child in node.all(name) {
        let number = |attribute| child.attr(attribute).and_then(|text| number::u32_of(text, 10));
        match (number("start"), number("target"), number("count")) {
            (Some(start), Some(target), Some(count)) => entries.push(IdMapEntry { start, target, count }),
            _ => return Err(refuse::xml("invalid idmap start/target/count settings")).at(child),
        }
    }
    entries.sort_by_key(|entry| entry.start);
    Ok(entries)
}

pub(super) fn clock(root: Node, context: &Context) -> Result<Clock> {
    let mut clock = Clock { offset: ClockOffset::Utc { reset: false }, timers: Vec::new() };
    let Some(node) = root.child("clock") else { return Ok(clock) };
    clock.offset = offset(node).at(node)?;
    for child in node.all("timer") {
        clock.timers.push(Timer { element: timer(child, context).at(child)? });
    }
    Ok(clock)
}

fn offset(node: Node) -> Result<ClockOffset> {
    let given = |name: &str| node.attr(name).filter(|text| !text.is_empty());
    let adjustment =
        |text: &str| number::i64_of(text, 10).ok_or_else(|| refuse::xml(format!("unknown clock adjustment '{text}'")));
    let fixed = |local: bool| match given("adjustment") {
        None if local => Ok(ClockOffset::Localtime { reset: false }),
        None => Ok(ClockOffset::Utc { reset: false }),
        Some("reset") if local => Ok(ClockOffset::Localtime { reset: true }),
        Some("reset") => Ok(ClockOffset::Utc { reset: true }),
        Some(text) => {
            let basis = if local { ClockBasis::Localtime } else { ClockBasis::Utc };
            Ok(ClockOffset::Variable { adjustment: adjustment(text)?, basis })
        }
    };
    match given("offset") {
        None | Some("utc") => fixed(false),
        Some("localtime") => fixed(true),
        Some("variable") => {
            let adjustment = given("adjustment").and_then(|text| number::i64_of(text, 10)).unwrap_or(0);
            let basis = match given("basis") {
                None => ClockBasis::Utc,
                Some(word) => ClockBasis::from_word(word)
                    .ok_or_else(|| refuse::unsupported(format!("unknown clock basis '{word}'")))?,
            };
            Ok(ClockOffset::Variable { adjustment, basis })
        }
        Some("timezone") => match given("timezone") {
            Some(zone) => Ok(ClockOffset::Timezone(zone.to_string())),
            None => Err(refuse::internal("missing 'timezone' attribute for clock with offset='timezone'")),
        },
        Some("absolute") => {
            let start = given("start").and_then(|text| number::u64_of(text, 10));
            let missing = "missing 'start' attribute for clock with offset='absolute'";
            start.map(ClockOffset::Absolute).ok_or_else(|| refuse::internal(missing))
        }
        Some(other) => Err(refuse::unsupported(format!("unknown clock offset '{other}'"))),
    }
}

fn timer(node: Node, context: &Context) -> Result<Element> {
    let mut element = context.keep(node, "timer")?;
    context.later(Check::Timer, check_timer(&element).at(node));
    if element.child("catchup").is_some_and(Element::is_bare) {
        element.remove("catchup");
    }
    Ok(element)
}

fn check_timer(element: &Element) -> Result<()> {
    let name = element.attr("name").unwrap_or_default();
    for (attribute, what) in [("frequency", "timer frequency"), ("mode", "timer mode")] {
        if element.attr(attribute).is_some() && name != "tsc" {
            return Err(refuse::unsupported(format!("timer {name} doesn't support setting of {what}")));
        }
    }
    if let Some(catchup) = element.child("catchup") {
        let policy = element.attr("tickpolicy") == Some("catchup");
        if !policy && !catchup.attrs.is_empty() {
            let message = "setting of timer catchup policies is only supported with tickpolicy='catchup'";
            return Err(refuse::xml(message));
        }
    } else if element.attr("track").is_some() && !["platform", "rtc"].contains(&name) {
        return Err(refuse::unsupported(format!("timer {name} doesn't support setting of timer track")));
    }
    Ok(())
}

pub(super) fn life_cycle(root: Node, context: &Context, kept: &mut Vec<Element>) -> Result<[LifecycleAction; 3]> {
    use LifecycleAction::{CoredumpDestroy, CoredumpRestart, Destroy, Restart};
    let mut actions = [Destroy, Restart, Destroy];
    for (action, event) in actions.iter_mut().zip(["poweroff", "reboot", "crash"]) {
        let name = format!("on_{event}");
        let Some(node) = root.child(&name) else { continue };
        let text = node.text();
        if text.is_empty() {
            continue;
        }
        let unknown = || refuse::unsupported(format!("unknown {name} action: {text}"));
        *action = LifecycleAction::from_word(&text).ok_or_else(unknown).at(node)?;
        if event != "crash" && matches!(action, CoredumpDestroy | CoredumpRestart) {
            let message = format!("Lifecycle event '{event}' doesn't support '{text}' action");
            context.later::<()>(Check::LifeCycle, Err(refuse::unsupported(message)).at(node));
        }
    }
    if let Some(node) = root.child("on_lockfailure") {
        let text = node.text();
        match text.as_ref() {
            "" | "default" => {}
            "poweroff" | "restart" | "pause" | "ignore" => {
                kept.push(Element { text: Some(text.into_owned()), ..Element::new("on_lockfailure") });
            }
            _ => return Err(refuse::unsupported(format!("unknown on_lockfailure action: {text}"))).at(node),
        }
    }
    Ok(actions)
}
