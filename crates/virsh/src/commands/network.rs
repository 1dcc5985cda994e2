//! Virtual networks: their lives, documents, leases and ports.

use super::describe::print_document;
use crate::arguments::Arguments;
use crate::dropped;
use crate::editing::{self, Edit};
use crate::failure::{Context, Done, Failure};
use crate::lookup;
use crate::shell::Shell;
use crate::table::*;
use api::Uuid;
use rpc::remote::*;

const XML_INACTIVE: u32 = 1;
const VALIDATE_FLAG: u32 = 1;
/// `virDrvFeature`: the daemon takes command and section of an update in the order in which they are named.
const FEATURE_UPDATE_ORDER: i32 = 16;
const LEASE_IPV6: i32 = 1;

const VALIDATE: Opt = flag("validate", "hold the document against the schema");
const XPATH: Opt = text("xpath", "only the parts that this XPath expression finds").by_name();
const WRAP: Opt = flag("wrap", "put the parts found into one element");
const PORT: Opt = need("port", "the port's UUID");

pub const COMMANDS: &[Command] = &[
    Command::new(
        "net-autostart",
        "have a network started with the daemon, or not",
        &[network(PERSISTENT_ONLY), flag("disable", "not any more")],
        autostart,
    ),
    Command::new("net-create", "start a network from a document that is not kept", &[FILE, VALIDATE], create),
    Command::new("net-define", "keep a network's document, without starting it", &[FILE, VALIDATE], define),
    Command::new("net-destroy", "stop a network", &[network(ACTIVE_NETWORKS)], destroy),
    Command::new(
        "net-dhcp-leases",
        "the addresses that a network has given out",
        &[network(ACTIVE_NETWORKS), text("mac", "only to this MAC address")],
        leases,
    ),
    Command::new(
        "net-dumpxml",
        "a network's document",
        &[NETWORK, flag("inactive", "as it will be started next, not as it runs"), XPATH, WRAP],
        dumpxml,
    ),
    Command::new("net-edit", "change a network's document in an editor", &[network(PERSISTENT_ONLY)], edit),
    Command::new("net-info", "the essentials of a network", &[NETWORK], info),
    Command::new(
        "net-list",
        "the networks there are",
        &[
            flag("inactive", "those that are not started"),
            flag("all", "started or not"),
            flag("persistent", "those with a kept document"),
            flag("transient", "those without a kept document"),
            flag("autostart", "those started with the daemon"),
            flag("no-autostart", "those not started with the daemon"),
            flag("uuid", "their UUIDs only"),
            flag("name", "their names only"),
            flag("table", "a table, as without any of these"),
        ],
        list,
    ),
    Command::new("net-name", "a network's name", &[need("network", "the network's UUID")], name),
    Command::new("net-start", "start a defined network", &[network(INACTIVE_NETWORKS)], start),
    Command::new("net-undefine", "forget a network's document", &[network(PERSISTENT_ONLY)], undefine),
    Command::new(
        "net-update",
        "change a part of a network",
        &[
            NETWORK,
            need("command", "what to do: add-first, add-last (add), delete or modify").of(Values::OneOf(UPDATES)),
            need("section", "with which part").of(Values::OneOf(SECTIONS)),
            need("xml", "the element, or a file with it").of(Values::Files),
            number("parent-index", "which of several parents it belongs to"),
            CONFIG,
            LIVE,
            CURRENT,
        ],
        update,
    ),
    Command::new(
        "net-uuid",
        "a network's UUID",
        &[need("network", "the network's name").of(Values::Networks(0))],
        uuid,
    ),
    Command::new(
        "net-port-list",
        "the ports of a network",
        &[network(ACTIVE_NETWORKS), flag("uuid", "their UUIDs only"), flag("table", "a table, as without --uuid")],
        port_list,
    ),
    Command::new(
        "net-port-create",
        "add a port to a network",
        &[network(ACTIVE_NETWORKS), FILE, VALIDATE],
        port_create,
    ),
    Command::new("net-port-dumpxml", "a port's document", &[network(ACTIVE_NETWORKS), PORT, XPATH, WRAP], port_dumpxml),
    Command::new("net-port-delete", "take a port away from a network", &[network(ACTIVE_NETWORKS), PORT], port_delete),
];

/// `virNetworkUpdateCommand` from 1 on, by the names that stand for them.
const UPDATES: &[&str] = &["modify", "delete", "add-last", "add-first", "add"];
/// `virNetworkUpdateSection` from 1 on.
const SECTIONS: &[&str] = &[
    "bridge",
    "domain",
    "ip",
    "ip-dhcp-host",
    "ip-dhcp-range",
    "forward",
    "forward-interface",
    "forward-pf",
    "portgroup",
    "dns-host",
    "dns-txt",
    "dns-srv",
];

fn define(shell: &mut Shell, arguments: &Arguments) -> Done {
    let path = arguments.need("file")?;
    let document = lookup::file(path)?;
    let xml = document.as_str().into();
    let defined = match arguments.has("validate") {
        true => shell
            .call(Procedure::NetworkDefineXmlFlags, &NetworkDefineXmlFlagsArgs { xml, flags: VALIDATE_FLAG })
            .map(|NetworkDefineXmlFlagsRet { net }| net),
        false => shell
            .call(Procedure::NetworkDefineXml, &NetworkDefineXmlArgs { xml })
            .map(|NetworkDefineXmlRet { net }| net),
    };
    let net = defined.context(format!("Failed to define network from {path}"))?;
    shell.done(format!("Network {} defined from {path}", net.name))?;
    dropped::of_network(shell, &document);
    Ok(())
}

fn create(shell: &mut Shell, arguments: &Arguments) -> Done {
    let path = arguments.need("file")?;
    let document = lookup::file(path)?;
    let xml = document.as_str().into();
    let created = match arguments.has("validate") {
        true => shell
            .call(Procedure::NetworkCreateXmlFlags, &NetworkCreateXmlFlagsArgs { xml, flags: VALIDATE_FLAG })
            .map(|NetworkCreateXmlFlagsRet { net }| net),
        false => shell
            .call(Procedure::NetworkCreateXml, &NetworkCreateXmlArgs { xml })
            .map(|NetworkCreateXmlRet { net }| net),
    };
    let net = created.context(format!("Failed to create network from {path}"))?;
    shell.done(format!("Network {} created from {path}", net.name))?;
    dropped::of_network(shell, &document);
    Ok(())
}

fn start(shell: &mut Shell, arguments: &Arguments) -> Done {
    let net = lookup::network(shell, arguments)?;
    let name = arguments.need("network")?;
    shell
        .call::<_, _, ()>(Procedure::NetworkCreate, &NetworkCreateArgs { net })
        .context(format!("Failed to start network {name}"))?;
    shell.done(format!("Network {name} started"))
}

fn destroy(shell: &mut Shell, arguments: &Arguments) -> Done {
    let net = lookup::network(shell, arguments)?;
    let name = arguments.need("network")?;
    shell
        .call::<_, _, ()>(Procedure::NetworkDestroy, &NetworkDestroyArgs { net })
        .context(format!("Failed to destroy network {name}"))?;
    shell.done(format!("Network {name} destroyed"))
}

fn undefine(shell: &mut Shell, arguments: &Arguments) -> Done {
    let net = lookup::network(shell, arguments)?;
    let name = arguments.need("network")?;
    shell
        .call::<_, _, ()>(Procedure::NetworkUndefine, &NetworkUndefineArgs { net })
        .context(format!("Failed to undefine network {name}"))?;
    shell.done(format!("Network {name} has been undefined"))
}

fn autostart(shell: &mut Shell, arguments: &Arguments) -> Done {
    let net = lookup::network(shell, arguments)?;
    let name = arguments.need("network")?;
    let (autostart, verb) = if arguments.has("disable") { (0, "unmark") } else { (1, "mark") };
    shell
        .call::<_, _, ()>(Procedure::NetworkSetAutostart, &NetworkSetAutostartArgs { net, autostart })
        .context(format!("failed to {verb} network {name} as autostarted"))?;
    shell.done(format!("Network {name} {verb}ed as autostarted"))
}

fn dumpxml(shell: &mut Shell, arguments: &Arguments) -> Done {
    let net = lookup::network(shell, arguments)?;
    let flags = if arguments.has("inactive") { XML_INACTIVE } else { 0 };
    print_document(shell, arguments, &lookup::network_xml(shell, &net, flags)?)
}

fn edit(shell: &mut Shell, arguments: &Arguments) -> Done {
    let net = lookup::network(shell, arguments)?;
    let fetch = |shell: &Shell| Ok(lookup::network_xml(shell, &net, XML_INACTIVE)?);
    let put = |shell: &Shell, xml: &str, _: bool| {
        let defined: NetworkDefineXmlRet =
            shell.call(Procedure::NetworkDefineXml, &NetworkDefineXmlArgs { xml: xml.into() })?;
        dropped::of_network(shell, xml);
        Ok(format!("Network {}", defined.net.name))
    };
    let title = format!("Network {}", net.name);
    editing::edit(shell, &Edit { title, fetch: &fetch, put: &put, can_skip_validation: false })
}

fn is_active(shell: &Shell, net: &NonnullNetwork) -> api::Result<bool> {
    shell
        .call(Procedure::NetworkIsActive, &NetworkIsActiveArgs { net: net.clone() })
        .map(|NetworkIsActiveRet { active }| active != 0)
}

fn is_persistent(shell: &Shell, net: &NonnullNetwork) -> api::Result<bool> {
    shell
        .call(Procedure::NetworkIsPersistent, &NetworkIsPersistentArgs { net: net.clone() })
        .map(|NetworkIsPersistentRet { persistent }| persistent != 0)
}

fn is_autostarted(shell: &Shell, net: &NonnullNetwork) -> api::Result<bool> {
    shell
        .call(Procedure::NetworkGetAutostart, &NetworkGetAutostartArgs { net: net.clone() })
        .map(|NetworkGetAutostartRet { autostart }| autostart != 0)
}

fn yes_no(truth: bool) -> String {
    if truth { "yes" } else { "no" }.to_string()
}

fn info(shell: &mut Shell, arguments: &Arguments) -> Done {
    let net = lookup::network(shell, arguments)?;
    let unknown = |_| "unknown".to_string();
    let mut pairs = vec![
        ("Name:", net.name.to_string_lossy()),
        ("UUID:", Uuid(net.uuid).to_string()),
        ("Active:", is_active(shell, &net).map_or_else(unknown, yes_no)),
        ("Persistent:", is_persistent(shell, &net).map_or_else(unknown, yes_no)),
        ("Autostart:", is_autostarted(shell, &net).map_or_else(|_| "no autostart".to_string(), yes_no)),
    ];
    let bridge = shell.call(Procedure::NetworkGetBridgeName, &NetworkGetBridgeNameArgs { net });
    if let Ok(NetworkGetBridgeNameRet { name }) = bridge {
        pairs.push(("Bridge:", name.to_string_lossy()));
    }
    shell.pairs(16, &pairs)
}

fn list(shell: &mut Shell, arguments: &Arguments) -> Done {
    if ["table", "name", "uuid"].iter().filter(|name| arguments.has(name)).count() > 1 {
        return Err(Failure::new("Only one argument from --table, --name and --uuid may be specified."));
    }
    let mut flags = match (arguments.has("all"), arguments.has("inactive")) {
        (true, _) => ACTIVE_NETWORKS | INACTIVE_NETWORKS,
        (false, true) => INACTIVE_NETWORKS,
        (false, false) => ACTIVE_NETWORKS,
    };
    let filters = [("persistent", 1 << 2), ("transient", 1 << 3), ("autostart", 1 << 4), ("no-autostart", 1 << 5)];
    flags |= filters.iter().filter(|(name, _)| arguments.has(name)).map(|(_, bit)| bit).sum::<u32>();
    let args = ConnectListAllNetworksArgs { need_results: 1, flags };
    let listed: ConnectListAllNetworksRet =
        shell.call(Procedure::ConnectListAllNetworks, &args).context("Failed to list networks")?;
    let mut nets = listed.nets;
    nets.sort_by_key(|net| net.name.to_string_lossy());
    if !shell.json && (arguments.has("name") || arguments.has("uuid")) {
        let line = |net: &NonnullNetwork| match arguments.has("name") {
            true => format!("{}\n", net.name),
            false => format!("{}\n", Uuid(net.uuid)),
        };
        shell.print(&nets.iter().map(line).collect::<String>());
        return Ok(());
    }
    let mut headers = vec!["Name", "State", "Autostart", "Persistent"];
    if shell.json {
        headers.push("UUID");
    }
    let mut rows = Vec::new();
    for net in &nets {
        let autostart = is_autostarted(shell, net).map_or_else(|_| "no autostart".to_string(), yes_no);
        let persistent = is_persistent(shell, net).map_or_else(|_| "?".to_string(), yes_no);
        let state = if is_active(shell, net).unwrap_or(false) { "active" } else { "inactive" };
        let mut row = vec![net.name.to_string_lossy(), state.to_string(), autostart, persistent];
        if shell.json {
            row.push(Uuid(net.uuid).to_string());
        }
        rows.push(row);
    }
    shell.table(&headers, &rows)
}

fn name(shell: &mut Shell, arguments: &Arguments) -> Done {
    let given = arguments.need("network")?;
    let failed = || Failure::new(format!("failed to get network '{given}'"));
    let uuid = Uuid::parse(given).ok_or_else(failed)?;
    let net = lookup::network_by_uuid(shell, uuid).context(format!("failed to get network '{given}'"))?;
    shell.value("name", &net.name.to_string_lossy())
}

fn uuid(shell: &mut Shell, arguments: &Arguments) -> Done {
    let given = arguments.need("network")?;
    let net = lookup::network_by_name(shell, given).context(format!("failed to get network '{given}'"))?;
    shell.value("uuid", &Uuid(net.uuid).to_string())
}

fn leases(shell: &mut Shell, arguments: &Arguments) -> Done {
    let mac = arguments.text("mac")?.map(Into::into);
    let net = lookup::network(shell, arguments)?;
    let name = arguments.need("network")?;
    let args = NetworkGetDhcpLeasesArgs { net, mac, need_results: 1, flags: 0 };
    let mut given: NetworkGetDhcpLeasesRet =
        shell.call(Procedure::NetworkGetDhcpLeases, &args).context(format!("Failed to get leases info for {name}"))?;
    given.leases.sort_by_key(|lease| (lease.expirytime, lease.ipaddr.to_string_lossy()));
    let text = |text: &Option<rpc::Str>| text.as_ref().map_or_else(|| "-".to_string(), |text| text.to_string_lossy());
    let rows: Vec<Vec<String>> = given
        .leases
        .iter()
        .map(|lease| {
            let protocol = if lease.r#type == LEASE_IPV6 { "ipv6" } else { "ipv4" };
            vec![
                local_time(lease.expirytime),
                text(&lease.mac),
                protocol.to_string(),
                format!("{}/{}", lease.ipaddr, lease.prefix),
                text(&lease.hostname),
                text(&lease.clientid),
            ]
        })
        .collect();
    shell.table(&["Expiry Time", "MAC address", "Protocol", "IP address", "Hostname", "Client ID or DUID"], &rows)
}

/// Seconds since 1970 as the date and time that the person's clock shows.
pub fn local_time(seconds: i64) -> String {
    match jiff::Timestamp::from_second(seconds) {
        Ok(time) => time.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => seconds.to_string(),
    }
}

fn update(shell: &mut Shell, arguments: &Arguments) -> Done {
    let net = lookup::network(shell, arguments)?;
    let name = net.name.to_string_lossy();
    let word = arguments.need("command")?;
    let command = UPDATES
        .iter()
        .position(|known| *known == word)
        .map(|at| if word == "add" { 3 } else { at as u32 + 1 })
        .ok_or_else(|| Failure::new(format!("unrecognized command name '{word}'")))?;
    let word = arguments.need("section")?;
    let section = SECTIONS
        .iter()
        .position(|known| *known == word)
        .map(|at| at as u32 + 1)
        .ok_or_else(|| Failure::new(format!("unrecognized section name '{word}'")))?;
    let xml = arguments.need("xml")?;
    let xml = if xml.starts_with('<') { xml.to_string() } else { lookup::file(xml)? };
    let changed = (section, xml.clone());
    let impact = arguments.impact()?;
    let parent_index = arguments.number("parent-index")?.unwrap_or(-1);
    let (command, section) = match update_order_is_right(shell) {
        true => (command, section),
        false => (section, command),
    };
    let args = NetworkUpdateArgs { net, command, section, parent_index, xml: xml.into(), flags: impact.flags() };
    shell.call::<_, _, ()>(Procedure::NetworkUpdate, &args).context(format!("Failed to update network {name}"))?;
    let words = match (impact.config, impact.live) {
        (true, true) => format!("Updated network {name} persistent config and live state"),
        (true, false) => format!("Updated network {name} persistent config"),
        (false, true) => format!("Updated network {name} live state"),
        (false, false) => match is_active(shell, &args.net)? {
            true => format!("Updated network {name} live state"),
            false => format!("Updated network {name} persistent config"),
        },
    };
    match shell.json {
        true => shell.done(words)?,
        // Without an end of the line, as libvirt's: that of the whole command follows.
        false => shell.print(&words),
    }
    dropped::of_update(shell, changed.0, &changed.1);
    Ok(())
}

/// Old daemons took the two in the other order; newer ones say that they do not.
fn update_order_is_right(shell: &Shell) -> bool {
    let args = ConnectSupportsFeatureArgs { feature: FEATURE_UPDATE_ORDER };
    shell
        .call(Procedure::ConnectSupportsFeature, &args)
        .is_ok_and(|ConnectSupportsFeatureRet { supported }| supported != 0)
}

fn port_list(shell: &mut Shell, arguments: &Arguments) -> Done {
    if arguments.has("uuid") && arguments.has("table") {
        return Err(Failure::new("Only one argument from --table and --uuid may be specified."));
    }
    let network = lookup::network(shell, arguments)?;
    let args = NetworkListAllPortsArgs { network, need_results: 1, flags: 0 };
    let listed: NetworkListAllPortsRet = shell.call(Procedure::NetworkListAllPorts, &args)?;
    let mut uuids: Vec<String> = listed.ports.iter().map(|port| Uuid(port.uuid).to_string()).collect();
    uuids.sort();
    if arguments.has("uuid") && !shell.json {
        shell.print(&uuids.iter().map(|uuid| format!("{uuid}\n")).collect::<String>());
        return Ok(());
    }
    let rows: Vec<Vec<String>> = uuids.into_iter().map(|uuid| vec![uuid]).collect();
    shell.table(&["UUID"], &rows)
}

fn port_create(shell: &mut Shell, arguments: &Arguments) -> Done {
    let network = lookup::network(shell, arguments)?;
    let path = arguments.need("file")?;
    let xml = lookup::file(path)?.into();
    // The bit for validation is behind one that asks for a port of a running domain to be taken back.
    let flags = if arguments.has("validate") { 2 } else { 0 };
    let args = NetworkPortCreateXmlArgs { network, xml, flags };
    let created: NetworkPortCreateXmlRet =
        shell.call(Procedure::NetworkPortCreateXml, &args).context(format!("Failed to create network from {path}"))?;
    shell.done(format!("Network port {} created from {path}", Uuid(created.port.uuid)))
}

fn port(shell: &Shell, arguments: &Arguments) -> Result<NonnullNetworkPort, Failure> {
    let network = lookup::network(shell, arguments)?;
    let given = arguments.need("port")?;
    let failed = format!("failed to get network port '{given}'");
    let uuid = Uuid::parse(given).ok_or_else(|| Failure::new(&failed))?;
    let args = NetworkPortLookupByUuidArgs { network, uuid: uuid.0 };
    shell.call(Procedure::NetworkPortLookupByUuid, &args).map(|NetworkPortLookupByUuidRet { port }| port).or_say(failed)
}

fn port_dumpxml(shell: &mut Shell, arguments: &Arguments) -> Done {
    let port = port(shell, arguments)?;
    let shown: NetworkPortGetXmlDescRet =
        shell.call(Procedure::NetworkPortGetXmlDesc, &NetworkPortGetXmlDescArgs { port, flags: 0 })?;
    print_document(shell, arguments, &shown.xml.to_string_lossy())
}

fn port_delete(shell: &mut Shell, arguments: &Arguments) -> Done {
    let port = port(shell, arguments)?;
    let uuid = Uuid(port.uuid);
    shell
        .call::<_, _, ()>(Procedure::NetworkPortDelete, &NetworkPortDeleteArgs { port, flags: 0 })
        .context(format!("Failed to delete network port {uuid}"))?;
    shell.done(format!("Network port {uuid} deleted"))
}
