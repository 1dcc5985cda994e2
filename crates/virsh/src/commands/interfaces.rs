//! The host's own interfaces, where the daemon has a driver for them.

use super::describe::print_document;
use crate::arguments::Arguments;
use crate::document;
use crate::editing::{self, Edit};
use crate::failure::{Context, Done, Failure};
use crate::lookup;
use crate::shell::Shell;
use crate::table::*;
use rpc::remote::*;

const INACTIVE_XML: u32 = 1;

pub const COMMANDS: &[Command] = &[
    Command::new("iface-begin", "remember the host's interfaces before a change", &[], begin),
    Command::new(
        "iface-bridge",
        "put an interface of the host into a new bridge",
        &[text("interface", "the interface's name or MAC address").required(), text("bridge", "bridge").required()],
        bridge,
    ),
    Command::new("iface-commit", "keep the changes since iface-begin", &[], commit),
    Command::new(
        "iface-define",
        "keep the document of an interface of the host",
        &[FILE, flag("validate", "hold the document against the schema")],
        define,
    ),
    Command::new(
        "iface-destroy",
        "turn an interface of the host off",
        &[text("interface", "the interface's name or MAC address").required()],
        destroy,
    ),
    Command::new(
        "iface-dumpxml",
        "the document of an interface of the host",
        &[
            text("interface", "the interface's name or MAC address").required(),
            flag("inactive", "also those that do not run"),
            text("xpath", "only the parts that this XPath expression finds").by_name(),
            flag("wrap", "put the parts found into one element"),
        ],
        document,
    ),
    Command::new(
        "iface-edit",
        "change such a document in an editor",
        &[text("interface", "the interface's name or MAC address").required()],
        edit,
    ),
    Command::new(
        "iface-list",
        "the host's interfaces",
        &[flag("inactive", "also those that do not run"), flag("all", "all of them")],
        list,
    ),
    Command::new(
        "iface-mac",
        "the MAC address of an interface of the host",
        &[text("interface", "the interface's name or MAC address").required()],
        mac,
    ),
    Command::new(
        "iface-name",
        "the name of an interface of the host",
        &[text("interface", "the interface's name or MAC address").required()],
        name,
    ),
    Command::new("iface-rollback", "undo the changes since iface-begin", &[], rollback),
    Command::new(
        "iface-start",
        "turn an interface of the host on",
        &[text("interface", "the interface's name or MAC address").required()],
        start,
    ),
    Command::new(
        "iface-unbridge",
        "take an interface out of its bridge again",
        &[text("bridge", "bridge").required()],
        unbridge,
    ),
    Command::new(
        "iface-undefine",
        "forget the document of an interface of the host",
        &[text("interface", "the interface's name or MAC address").required()],
        undefine,
    ),
];

fn looks_like_mac(text: &str) -> bool {
    text.split(':').count() == 6 && text.split(':').all(|pair| u8::from_str_radix(pair, 16).is_ok())
}

fn by_name(shell: &Shell, name: &str) -> api::Result<NonnullInterface> {
    shell
        .call(Procedure::InterfaceLookupByName, &InterfaceLookupByNameArgs { name: name.into() })
        .map(|InterfaceLookupByNameRet { iface }| iface)
}

fn by_mac(shell: &Shell, mac: &str) -> api::Result<NonnullInterface> {
    shell
        .call(Procedure::InterfaceLookupByMacString, &InterfaceLookupByMacStringArgs { mac: mac.into() })
        .map(|InterfaceLookupByMacStringRet { iface }| iface)
}

fn find(shell: &Shell, name: &str) -> Result<NonnullInterface, Failure> {
    let found = if looks_like_mac(name) { by_mac(shell, name) } else { by_name(shell, name) };
    found.context(format!("failed to get interface '{name}'"))
}

fn chosen(shell: &Shell, arguments: &Arguments) -> Result<NonnullInterface, Failure> {
    find(shell, arguments.need("interface")?)
}

fn xml_of(shell: &Shell, iface: &NonnullInterface, flags: u32) -> Result<String, Failure> {
    let args = InterfaceGetXmlDescArgs { iface: iface.clone(), flags };
    let got: InterfaceGetXmlDescRet = shell.call(Procedure::InterfaceGetXmlDesc, &args)?;
    Ok(got.xml.to_string_lossy())
}

fn begin(shell: &mut Shell, _: &Arguments) -> Done {
    shell
        .act(Procedure::InterfaceChangeBegin, &InterfaceChangeBeginArgs { flags: 0 })
        .context("Failed to begin network config change transaction")?;
    shell.done("Network config change transaction started".to_string())
}

fn commit(shell: &mut Shell, _: &Arguments) -> Done {
    shell
        .act(Procedure::InterfaceChangeCommit, &InterfaceChangeCommitArgs { flags: 0 })
        .context("Failed to commit network config change transaction")?;
    shell.done("Network config change transaction committed".to_string())
}

fn rollback(shell: &mut Shell, _: &Arguments) -> Done {
    shell
        .act(Procedure::InterfaceChangeRollback, &InterfaceChangeRollbackArgs { flags: 0 })
        .context("Failed to rollback network config change transaction")?;
    shell.done("Network config change transaction rolled back".to_string())
}

fn define(shell: &mut Shell, arguments: &Arguments) -> Done {
    let path = arguments.need("file")?;
    let args = InterfaceDefineXmlArgs { xml: lookup::file(path)?.into(), flags: arguments.bits(&[("validate", 1)]) };
    let defined: InterfaceDefineXmlRet =
        shell.call(Procedure::InterfaceDefineXml, &args).context(format!("Failed to define interface from {path}"))?;
    shell.done(format!("Interface {} defined from {path}", defined.iface.name))
}

fn destroy(shell: &mut Shell, arguments: &Arguments) -> Done {
    let iface = chosen(shell, arguments)?;
    let name = iface.name.to_string_lossy();
    shell
        .act(Procedure::InterfaceDestroy, &InterfaceDestroyArgs { iface, flags: 0 })
        .context(format!("Failed to destroy interface {name}"))?;
    shell.done(format!("Interface {name} destroyed"))
}

fn start(shell: &mut Shell, arguments: &Arguments) -> Done {
    let iface = chosen(shell, arguments)?;
    let name = iface.name.to_string_lossy();
    shell
        .act(Procedure::InterfaceCreate, &InterfaceCreateArgs { iface, flags: 0 })
        .context(format!("Failed to start interface {name}"))?;
    shell.done(format!("Interface {name} started"))
}

fn undefine(shell: &mut Shell, arguments: &Arguments) -> Done {
    let iface = chosen(shell, arguments)?;
    let name = iface.name.to_string_lossy();
    shell
        .act(Procedure::InterfaceUndefine, &InterfaceUndefineArgs { iface })
        .context(format!("Failed to undefine interface {name}"))?;
    shell.done(format!("Interface {name} undefined"))
}

fn document(shell: &mut Shell, arguments: &Arguments) -> Done {
    let iface = chosen(shell, arguments)?;
    let xml = xml_of(shell, &iface, arguments.bits(&[("inactive", INACTIVE_XML)]))?;
    print_document(shell, arguments, &xml)
}

fn edit(shell: &mut Shell, arguments: &Arguments) -> Done {
    let iface = chosen(shell, arguments)?;
    let fetch = |shell: &Shell| xml_of(shell, &iface, INACTIVE_XML);
    let put = |shell: &Shell, xml: &str, _: bool| {
        let args = InterfaceDefineXmlArgs { xml: xml.into(), flags: 0 };
        let defined: InterfaceDefineXmlRet = shell.call(Procedure::InterfaceDefineXml, &args)?;
        Ok(format!("Interface {}", defined.iface.name))
    };
    let title = format!("Interface {}", iface.name);
    editing::edit(shell, &Edit { title, fetch: &fetch, put: &put, can_skip_validation: false })
}

fn list(shell: &mut Shell, arguments: &Arguments) -> Done {
    // Inactive ones are 1, active ones 2.
    let flags = match (arguments.has("all"), arguments.has("inactive")) {
        (true, _) => 3,
        (false, true) => 1,
        (false, false) => 2,
    };
    let args = ConnectListAllInterfacesArgs { need_results: 1, flags };
    let mut listed: ConnectListAllInterfacesRet =
        shell.call(Procedure::ConnectListAllInterfaces, &args).context("Failed to list interfaces")?;
    listed.ifaces.sort_by_key(|iface| iface.name.to_string_lossy());
    let mut rows = Vec::new();
    for iface in &listed.ifaces {
        let asked = InterfaceIsActiveArgs { iface: iface.clone() };
        let active =
            shell.call(Procedure::InterfaceIsActive, &asked).is_ok_and(|InterfaceIsActiveRet { active }| active != 0);
        let state = if active { "active" } else { "inactive" };
        rows.push(vec![iface.name.to_string_lossy(), state.to_string(), iface.mac.to_string_lossy()]);
    }
    shell.table(&["Name", "State", "MAC Address"], &rows)
}

fn mac(shell: &mut Shell, arguments: &Arguments) -> Done {
    let name = arguments.need("interface")?;
    let iface = by_name(shell, name).context(format!("failed to get interface '{name}'"))?;
    shell.value("mac", &iface.mac.to_string_lossy())
}

fn name(shell: &mut Shell, arguments: &Arguments) -> Done {
    let mac = arguments.need("interface")?;
    let failed = format!("failed to get interface '{mac}'");
    if !looks_like_mac(mac) {
        return Err(Failure::new(failed));
    }
    shell.value("name", &by_mac(shell, mac).context(failed)?.name.to_string_lossy())
}

fn redefine(shell: &Shell, xml: String) -> api::Result<NonnullInterface> {
    shell
        .call(Procedure::InterfaceDefineXml, &InterfaceDefineXmlArgs { xml: xml.into(), flags: 0 })
        .map(|InterfaceDefineXmlRet { iface }| iface)
}

fn bridge(shell: &mut Shell, arguments: &Arguments) -> Done {
    let inner = chosen(shell, arguments)?;
    let bridge = arguments.need("bridge")?;
    if by_name(shell, bridge).is_ok() {
        return Err(Failure::new(format!("Network device {bridge} already exists")));
    }
    let xml = xml_of(shell, &inner, INACTIVE_XML)?;
    let parsed = document::parse(&xml)?;
    let root = parsed.root_element();
    let parts = |inside: bool| -> String {
        let link = |name: &str| matches!(name, "mac" | "vlan" | "bond" | "link");
        let children = root.children().filter(|child| child.is_element() && link(child.tag_name().name()) == inside);
        children.map(|child| format!("  {}\n", document::verbatim(child))).collect()
    };
    let xml = format!(
        "<interface type='bridge' name='{}'>\n{}  <bridge stp='on'>\n    <interface type='{}' name='{}'>\n{}    \
         </interface>\n  </bridge>\n</interface>\n",
        document::quoted(bridge),
        parts(false),
        document::quoted(root.attribute("type").unwrap_or("ethernet")),
        document::quoted(&inner.name.to_string_lossy()),
        parts(true),
    );
    let made = redefine(shell, xml).context(format!("Failed to define new bridge interface {bridge}"))?;
    shell.done(format!("Created bridge {bridge} with attached device {}", inner.name))?;
    shell
        .act(Procedure::InterfaceCreate, &InterfaceCreateArgs { iface: made, flags: 0 })
        .context(format!("Failed to start bridge interface {bridge}"))?;
    shell.done(format!("Bridge interface {bridge} started"))
}

fn unbridge(shell: &mut Shell, arguments: &Arguments) -> Done {
    let name = arguments.need("bridge")?;
    let bridge = by_name(shell, name).context(format!("failed to get interface '{name}'"))?;
    let xml = xml_of(shell, &bridge, INACTIVE_XML)?;
    let parsed = document::parse(&xml)?;
    let inner = document::child(parsed.root_element(), "bridge")
        .and_then(|bridge| document::child(bridge, "interface"))
        .ok_or_else(|| Failure::new(format!("No interface attached to bridge {name}")))?;
    let alone = document::verbatim(inner);
    let inner_name = inner.attribute("name").unwrap_or_default().to_string();
    shell
        .act(Procedure::InterfaceDestroy, &InterfaceDestroyArgs { iface: bridge.clone(), flags: 0 })
        .context(format!("Failed to destroy bridge interface {name}"))?;
    shell
        .act(Procedure::InterfaceUndefine, &InterfaceUndefineArgs { iface: bridge })
        .context(format!("Failed to undefine bridge interface {name}"))?;
    let made = redefine(shell, alone).context(format!("Failed to define new interface {inner_name}"))?;
    shell.done(format!("Device {inner_name} un-attached from bridge {name}"))?;
    shell
        .act(Procedure::InterfaceCreate, &InterfaceCreateArgs { iface: made, flags: 0 })
        .context(format!("Failed to start interface {inner_name}"))?;
    shell.done(format!("Interface {inner_name} started"))
}
