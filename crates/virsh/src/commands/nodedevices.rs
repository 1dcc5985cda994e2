//! Devices of the host, where the daemon has a driver for them.

use super::describe::print_document;
use super::events;
use crate::arguments::Arguments;
use crate::failure::{Context, Done, Failure};
use crate::lookup;
use crate::shell::Shell;
use crate::table::*;
use rpc::remote::*;
use std::collections::BTreeMap;

pub const COMMANDS: &[Command] = &[
    Command::new(
        "nodedev-create",
        "make a device of the host from a document",
        &[FILE, flag("validate", "hold the document against the schema")],
        create,
    ),
    Command::new(
        "nodedev-destroy",
        "take a device of the host down",
        &[text("device", "the device's name").required()],
        destroy,
    ),
    Command::new(
        "nodedev-detach",
        "take a device from the host's own driver",
        &[text("device", "the device's name").required(), text("driver", "driver")],
        detach,
    ),
    Command::new(
        "nodedev-dumpxml",
        "the document of a device of the host",
        &[
            text("device", "the device's name").required(),
            text("xpath", "only the parts that this XPath expression finds").by_name(),
            flag("wrap", "put the parts found into one element"),
        ],
        document,
    ),
    Command::new(
        "nodedev-list",
        "the host's devices",
        &[
            flag("tree", "tree"),
            text("cap", "cap"),
            flag("inactive", "also those that do not run"),
            flag("all", "all of them"),
        ],
        list,
    ),
    Command::new(
        "nodedev-reattach",
        "give a device back to the host's own driver",
        &[text("device", "the device's name").required()],
        reattach,
    ),
    Command::new(
        "nodedev-reset",
        "reset a device of the host",
        &[text("device", "the device's name").required()],
        reset,
    ),
    Command::new(
        "nodedev-event",
        "wait for events of the host's devices",
        &[
            text("device", "the device's name"),
            text("event", "of this kind"),
            flag("loop", "go on until the time is over or an interrupt"),
            number("timeout", "wait so many seconds at most"),
            flag("list", "list the kinds of events"),
            flag("timestamp", "begin each line with the time"),
        ],
        event,
    ),
    Command::new(
        "nodedev-define",
        "keep the document of a device of the host",
        &[FILE, flag("validate", "hold the document against the schema")],
        define,
    ),
    Command::new(
        "nodedev-undefine",
        "forget the document of a device of the host",
        &[text("device", "the device's name").required()],
        undefine,
    ),
    Command::new(
        "nodedev-start",
        "start a defined device of the host",
        &[text("device", "the device's name").required()],
        start,
    ),
    Command::new(
        "nodedev-autostart",
        "have a device of the host started with it, or not",
        &[text("device", "the device's name").required(), flag("disable", "turn it off")],
        autostart,
    ),
    Command::new(
        "nodedev-info",
        "the essentials of a device of the host",
        &[text("device", "the device's name").required()],
        info,
    ),
];

fn find(shell: &Shell, name: &str) -> Result<NonnullNodeDevice, Failure> {
    shell
        .call(Procedure::NodeDeviceLookupByName, &NodeDeviceLookupByNameArgs { name: name.into() })
        .map(|NodeDeviceLookupByNameRet { dev }| dev)
        .context(format!("Could not find matching device '{name}'"))
}

/// The name of the device that the option names, once the daemon knows it.
fn chosen(shell: &Shell, arguments: &Arguments) -> Result<rpc::Str, Failure> {
    Ok(find(shell, arguments.need("device")?)?.name)
}

fn create(shell: &mut Shell, arguments: &Arguments) -> Done {
    let path = arguments.need("file")?;
    let args =
        NodeDeviceCreateXmlArgs { xml_desc: lookup::file(path)?.into(), flags: arguments.bits(&[("validate", 1)]) };
    let made: NodeDeviceCreateXmlRet = shell
        .call(Procedure::NodeDeviceCreateXml, &args)
        .context(format!("Failed to create node device from {path}"))?;
    shell.done(format!("Node device {} created from {path}", made.dev.name))
}

fn define(shell: &mut Shell, arguments: &Arguments) -> Done {
    let path = arguments.need("file")?;
    let args =
        NodeDeviceDefineXmlArgs { xml_desc: lookup::file(path)?.into(), flags: arguments.bits(&[("validate", 1)]) };
    let made: NodeDeviceDefineXmlRet = shell
        .call(Procedure::NodeDeviceDefineXml, &args)
        .context(format!("Failed to define node device from '{path}'"))?;
    shell.done(format!("Node device '{}' defined from '{path}'", made.dev.name))
}

fn destroy(shell: &mut Shell, arguments: &Arguments) -> Done {
    let name = chosen(shell, arguments)?;
    shell
        .act(Procedure::NodeDeviceDestroy, &NodeDeviceDestroyArgs { name: name.clone() })
        .context(format!("Failed to destroy node device '{name}'"))?;
    shell.done(format!("Destroyed node device '{name}'"))
}

fn detach(shell: &mut Shell, arguments: &Arguments) -> Done {
    let name = chosen(shell, arguments)?;
    let detached = match arguments.text("driver")? {
        None => shell.act(Procedure::NodeDeviceDettach, &NodeDeviceDettachArgs { name: name.clone() }),
        Some(driver) => {
            let args = NodeDeviceDetachFlagsArgs { name: name.clone(), driver_name: Some(driver.into()), flags: 0 };
            shell.act(Procedure::NodeDeviceDetachFlags, &args)
        }
    };
    detached.context(format!("Failed to detach device {name}"))?;
    shell.done(format!("Device {name} detached"))
}

fn reattach(shell: &mut Shell, arguments: &Arguments) -> Done {
    let name = chosen(shell, arguments)?;
    shell
        .act(Procedure::NodeDeviceReAttach, &NodeDeviceReAttachArgs { name: name.clone() })
        .context(format!("Failed to re-attach device {name}"))?;
    shell.done(format!("Device {name} re-attached"))
}

fn reset(shell: &mut Shell, arguments: &Arguments) -> Done {
    let name = chosen(shell, arguments)?;
    shell
        .act(Procedure::NodeDeviceReset, &NodeDeviceResetArgs { name: name.clone() })
        .context(format!("Failed to reset device {name}"))?;
    shell.done(format!("Device {name} reset"))
}

fn undefine(shell: &mut Shell, arguments: &Arguments) -> Done {
    let name = chosen(shell, arguments)?;
    shell
        .act(Procedure::NodeDeviceUndefine, &NodeDeviceUndefineArgs { name: name.clone(), flags: 0 })
        .context(format!("Failed to undefine node device '{name}'"))?;
    shell.done(format!("Undefined node device '{name}'"))
}

fn start(shell: &mut Shell, arguments: &Arguments) -> Done {
    let name = chosen(shell, arguments)?;
    shell
        .act(Procedure::NodeDeviceCreate, &NodeDeviceCreateArgs { name: name.clone(), flags: 0 })
        .context(format!("Failed to start device {name}"))?;
    shell.done(format!("Device {name} started"))
}

fn autostart(shell: &mut Shell, arguments: &Arguments) -> Done {
    let name = chosen(shell, arguments)?;
    let (autostart, verb) = if arguments.has("disable") { (0, "unmark") } else { (1, "mark") };
    shell
        .act(Procedure::NodeDeviceSetAutostart, &NodeDeviceSetAutostartArgs { name: name.clone(), autostart })
        .context(format!("failed to {verb} device {name} as autostarted"))?;
    shell.done(format!("Device {name} {verb}ed as autostarted"))
}

fn document(shell: &mut Shell, arguments: &Arguments) -> Done {
    let name = chosen(shell, arguments)?;
    let got: NodeDeviceGetXmlDescRet =
        shell.call(Procedure::NodeDeviceGetXmlDesc, &NodeDeviceGetXmlDescArgs { name, flags: 0 })?;
    print_document(shell, arguments, &got.xml.to_string_lossy())
}

fn info(shell: &mut Shell, arguments: &Arguments) -> Done {
    let name = chosen(shell, arguments)?;
    let yes_no = |truth: i32| if truth != 0 { "yes" } else { "no" }.to_string();
    let NodeDeviceGetParentRet { parent_name } =
        shell.call(Procedure::NodeDeviceGetParent, &NodeDeviceGetParentArgs { name: name.clone() })?;
    let NodeDeviceIsActiveRet { active } =
        shell.call(Procedure::NodeDeviceIsActive, &NodeDeviceIsActiveArgs { name: name.clone() })?;
    let NodeDeviceIsPersistentRet { persistent } =
        shell.call(Procedure::NodeDeviceIsPersistent, &NodeDeviceIsPersistentArgs { name: name.clone() })?;
    let mut pairs = vec![
        ("Name:", name.to_string_lossy()),
        ("Parent:", parent_name.map_or_else(String::new, |parent| parent.to_string_lossy())),
        ("Active:", yes_no(active)),
        ("Persistent:", yes_no(persistent)),
    ];
    let autostart = shell.call(Procedure::NodeDeviceGetAutostart, &NodeDeviceGetAutostartArgs { name });
    if let Ok(NodeDeviceGetAutostartRet { autostart }) = autostart {
        pairs.push(("Autostart:", yes_no(autostart)));
    }
    shell.pairs(16, &pairs)
}

/// Names of `virConnectListAllNodeDeviceFlags`, from bit 0 on.
const CAPABILITIES: &[&str] = &[
    "system",
    "pci",
    "usb_device",
    "usb",
    "net",
    "scsi_host",
    "scsi_target",
    "scsi",
    "storage",
    "fc_host",
    "vports",
    "scsi_generic",
    "drm",
    "mdev_types",
    "mdev",
    "ccw",
    "css",
    "vdpa",
    "ap_card",
    "ap_queue",
    "ap_matrix",
    "vpd",
];
const INACTIVE_DEVICES: u32 = 1 << 30;
const ACTIVE_DEVICES: u32 = 1 << 31;

fn list(shell: &mut Shell, arguments: &Arguments) -> Done {
    let tree = arguments.has("tree");
    let mut flags = 0;
    for name in arguments.text("cap")?.into_iter().flat_map(|list| list.split(',')) {
        let at = CAPABILITIES.iter().position(|known| *known == name);
        flags |= 1 << at.ok_or_else(|| Failure::new("Invalid capability type"))?;
    }
    if tree && (flags != 0 || arguments.has("inactive")) {
        return Err(Failure::new("Option --tree is incompatible with --cap and --inactive"));
    }
    arguments.exclusive("inactive", "all")?;
    if arguments.has("inactive") {
        flags |= INACTIVE_DEVICES;
    } else if !arguments.has("all") {
        flags |= ACTIVE_DEVICES;
    }
    let args = ConnectListAllNodeDevicesArgs { need_results: 1, flags };
    let listed: ConnectListAllNodeDevicesRet =
        shell.call(Procedure::ConnectListAllNodeDevices, &args).context("Failed to list node devices")?;
    let mut names: Vec<String> = listed.devices.iter().map(|device| device.name.to_string_lossy()).collect();
    names.sort();
    if tree {
        return print_tree(shell, names);
    }
    if shell.json {
        return shell.table(&["Name"], &names.into_iter().map(|name| vec![name]).collect::<Vec<_>>());
    }
    shell.print(&names.iter().map(|name| format!("{name}\n")).collect::<String>());
    Ok(())
}

fn print_tree(shell: &Shell, names: Vec<String>) -> Done {
    let mut children: BTreeMap<Option<String>, Vec<String>> = BTreeMap::new();
    for name in names {
        let args = NodeDeviceGetParentArgs { name: name.as_str().into() };
        let NodeDeviceGetParentRet { parent_name } = shell.call(Procedure::NodeDeviceGetParent, &args)?;
        let parent = parent_name.map(|parent| parent.to_string_lossy()).filter(|_| name != "computer");
        children.entry(parent).or_default().push(name);
    }
    if shell.json {
        let row = |parent: &Option<String>, name: &String| vec![name.clone(), parent.clone().unwrap_or_default()];
        let rows: Vec<_> =
            children.iter().flat_map(|(parent, names)| names.iter().map(|name| row(parent, name))).collect();
        return shell.table(&["Name", "Parent"], &rows);
    }
    let mut out = String::new();
    for root in children.get(&None).into_iter().flatten() {
        branch(root, "", false, &children, 0, &mut out);
    }
    shell.print(&out);
    Ok(())
}

/// Deeper than any bus: a daemon that names circles gets no further.
const DEPTH: usize = 32;

fn branch(
    name: &str,
    indent: &str,
    more: bool,
    children: &BTreeMap<Option<String>, Vec<String>>,
    depth: usize,
    out: &mut String,
) {
    let inner = if depth == 0 {
        *out += &format!("{name}\n");
        "  ".to_string()
    } else {
        *out += &format!("{indent}+- {name}\n");
        format!("{indent}{}", if more { "|   " } else { "    " })
    };
    let below = children.get(&Some(name.to_string())).map_or(&[][..], Vec::as_slice);
    if below.is_empty() || depth > DEPTH {
        return;
    }
    *out += &format!("{inner}|\n");
    for (at, child) in below.iter().enumerate() {
        branch(child, &inner, at + 1 < below.len(), children, depth + 1, out);
    }
    // A line of its own sets off what follows, unless the last one below has drawn it already.
    if below.last().is_some_and(|last| !children.contains_key(&Some(last.clone()))) {
        *out += &format!("{inner}  \n");
    }
}

fn event(shell: &mut Shell, arguments: &Arguments) -> Done {
    let Some((event_id, deadline)) = events::asked(shell, arguments, &["lifecycle", "update"])? else { return Ok(()) };
    let dev = arguments.text("device")?.map(|name| find(shell, name)).transpose()?;
    let args = ConnectNodeDeviceEventRegisterAnyArgs { event_id, dev };
    let ConnectNodeDeviceEventRegisterAnyRet { callback_id } =
        shell.call(Procedure::ConnectNodeDeviceEventRegisterAny, &args)?;
    let outcome = events::wait(shell, arguments, deadline, |message| {
        let tell = |name: &rpc::Str, kind, detail: &str| events::named("node device", name, kind, detail);
        match Procedure::from_number(message.header.procedure)? {
            Procedure::NodeDeviceEventLifecycle => {
                let told = message.decode::<NodeDeviceEventLifecycleMsg>().ok()?;
                let words = ["Created", "Deleted", "Defined", "Undefined"];
                Some(tell(&told.dev.name, "lifecycle", events::index(&words, told.event)))
            }
            Procedure::NodeDeviceEventUpdate => {
                let told = message.decode::<NodeDeviceEventUpdateMsg>().ok()?;
                Some(tell(&told.dev.name, "update", ""))
            }
            _ => None,
        }
    });
    _ = shell
        .act(Procedure::ConnectNodeDeviceEventDeregisterAny, &ConnectNodeDeviceEventDeregisterAnyArgs { callback_id });
    outcome
}
