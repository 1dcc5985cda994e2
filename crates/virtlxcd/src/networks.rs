//! Calls about networks.

use crate::call::{Call, known_flags, list_room, no_flags};
use crate::convert;
use api::{Code, Error, ErrorDomain, Result, Uuid};
use conf::network::{Command, Section};
use network::{Handle, Networks, UPDATE_CONFIG, UPDATE_LIVE};
use rpc::Str;
use rpc::remote::*;
use std::sync::Arc;

/// `virConnectListAllNetworksFlags`: pairs, of which one that has both or none set filters nothing.
const INACTIVE: u32 = 1;
const ACTIVE: u32 = 2;
const PERSISTENT: u32 = 4;
const TRANSIENT: u32 = 8;
const AUTOSTART: u32 = 16;
const NO_AUTOSTART: u32 = 32;

const VALIDATE: u32 = 1;
const XML_INACTIVE: u32 = 1;

pub(crate) fn networks<'a>(call: &Call<'a>) -> Result<&'a Arc<Networks>> {
    call.daemon.networks()
}

/// The network that a client names: by its UUID, whatever name it remembers.
pub(crate) fn find(call: &Call, net: &NonnullNetwork) -> Result<Arc<Handle>> {
    let uuid = Uuid(net.uuid);
    let unknown = |_| network::no_network_uuid(&uuid, Some(&net.name.to_string_lossy()));
    networks(call)?.by_uuid(&uuid).map_err(unknown)
}

fn named(handle: &Handle) -> NonnullNetwork {
    convert::network(&handle.name, &handle.uuid)
}

fn matches(handle: &Handle, flags: u32) -> bool {
    let state = handle.state();
    let pair = |yes: u32, no: u32, is: bool| flags & (yes | no) == 0 || flags & (if is { yes } else { no }) != 0;
    state.current().is_some()
        && pair(ACTIVE, INACTIVE, state.live.is_some())
        && pair(PERSISTENT, TRANSIENT, state.config.is_some())
        && pair(AUTOSTART, NO_AUTOSTART, state.autostart)
}

fn listed(call: &Call, flags: u32) -> Result<Vec<Arc<Handle>>> {
    let mut all = networks(call)?.all();
    all.retain(|handle| matches(handle, flags));
    Ok(all)
}

pub fn list_all(call: &Call, args: ConnectListAllNetworksArgs) -> Result<ConnectListAllNetworksRet> {
    let known = INACTIVE | ACTIVE | PERSISTENT | TRANSIENT | AUTOSTART | NO_AUTOSTART;
    known_flags(args.flags, known, "networkConnectListAllNetworks", ErrorDomain::Network)?;
    let found = listed(call, args.flags)?;
    let nets = if args.need_results != 0 { found.iter().map(|handle| named(handle)).collect() } else { Vec::new() };
    Ok(ConnectListAllNetworksRet { nets, ret: found.len() as u32 })
}

fn names(call: &Call, flags: u32, room: usize) -> Result<Vec<Str>> {
    Ok(listed(call, flags)?.iter().take(room).map(|handle| Str::from(&handle.name)).collect())
}

pub fn list_active(call: &Call, args: ConnectListNetworksArgs) -> Result<ConnectListNetworksRet> {
    let room = list_room("maxnames", args.maxnames, "REMOTE_NETWORK_LIST_MAX")?;
    Ok(ConnectListNetworksRet { names: names(call, ACTIVE, room)? })
}

pub fn list_defined(call: &Call, args: ConnectListDefinedNetworksArgs) -> Result<ConnectListDefinedNetworksRet> {
    let room = list_room("maxnames", args.maxnames, "REMOTE_NETWORK_LIST_MAX")?;
    Ok(ConnectListDefinedNetworksRet { names: names(call, INACTIVE, room)? })
}

pub fn count_active(call: &Call, _: ()) -> Result<ConnectNumOfNetworksRet> {
    Ok(ConnectNumOfNetworksRet { num: listed(call, ACTIVE)?.len() as i32 })
}

pub fn count_defined(call: &Call, _: ()) -> Result<ConnectNumOfDefinedNetworksRet> {
    Ok(ConnectNumOfDefinedNetworksRet { num: listed(call, INACTIVE)?.len() as i32 })
}

pub fn lookup_by_name(call: &Call, args: NetworkLookupByNameArgs) -> Result<NetworkLookupByNameRet> {
    let handle = networks(call)?.by_name(&args.name.to_string_lossy())?;
    Ok(NetworkLookupByNameRet { net: named(&handle) })
}

pub fn lookup_by_uuid(call: &Call, args: NetworkLookupByUuidArgs) -> Result<NetworkLookupByUuidRet> {
    let handle = networks(call)?.by_uuid(&Uuid(args.uuid))?;
    Ok(NetworkLookupByUuidRet { net: named(&handle) })
}

pub fn define(call: &Call, args: NetworkDefineXmlArgs) -> Result<NetworkDefineXmlRet> {
    let handle = networks(call)?.define(&args.xml.to_string_lossy(), false)?;
    Ok(NetworkDefineXmlRet { net: named(&handle) })
}

pub fn define_flags(call: &Call, args: NetworkDefineXmlFlagsArgs) -> Result<NetworkDefineXmlFlagsRet> {
    known_flags(args.flags, VALIDATE, "networkDefineXMLFlags", ErrorDomain::Network)?;
    let handle = networks(call)?.define(&args.xml.to_string_lossy(), args.flags & VALIDATE != 0)?;
    Ok(NetworkDefineXmlFlagsRet { net: named(&handle) })
}

pub fn create_xml(call: &Call, args: NetworkCreateXmlArgs) -> Result<NetworkCreateXmlRet> {
    let handle = networks(call)?.create(&args.xml.to_string_lossy(), false)?;
    Ok(NetworkCreateXmlRet { net: named(&handle) })
}

pub fn create_xml_flags(call: &Call, args: NetworkCreateXmlFlagsArgs) -> Result<NetworkCreateXmlFlagsRet> {
    known_flags(args.flags, VALIDATE, "networkCreateXMLFlags", ErrorDomain::Network)?;
    let handle = networks(call)?.create(&args.xml.to_string_lossy(), args.flags & VALIDATE != 0)?;
    Ok(NetworkCreateXmlFlagsRet { net: named(&handle) })
}

pub fn create(call: &Call, args: NetworkCreateArgs) -> Result<()> {
    networks(call)?.start(&*find(call, &args.net)?)
}

pub fn destroy(call: &Call, args: NetworkDestroyArgs) -> Result<()> {
    networks(call)?.destroy(&find(call, &args.net)?)
}

pub fn undefine(call: &Call, args: NetworkUndefineArgs) -> Result<()> {
    networks(call)?.undefine(&find(call, &args.net)?)
}

pub fn xml_desc(call: &Call, args: NetworkGetXmlDescArgs) -> Result<NetworkGetXmlDescRet> {
    known_flags(args.flags, XML_INACTIVE, "networkGetXMLDesc", ErrorDomain::Network)?;
    let xml = networks(call)?.xml(&*find(call, &args.net)?, args.flags & XML_INACTIVE != 0)?;
    Ok(NetworkGetXmlDescRet { xml: xml.into() })
}

pub fn bridge_name(call: &Call, args: NetworkGetBridgeNameArgs) -> Result<NetworkGetBridgeNameRet> {
    let name = networks(call)?.bridge_name(&*find(call, &args.net)?)?;
    Ok(NetworkGetBridgeNameRet { name: name.into() })
}

pub fn get_autostart(call: &Call, args: NetworkGetAutostartArgs) -> Result<NetworkGetAutostartRet> {
    let handle = find(call, &args.net)?;
    let autostart = i32::from(handle.state().autostart);
    Ok(NetworkGetAutostartRet { autostart })
}

pub fn set_autostart(call: &Call, args: NetworkSetAutostartArgs) -> Result<()> {
    networks(call)?.set_autostart(&*find(call, &args.net)?, args.autostart != 0)
}

pub fn is_active(call: &Call, args: NetworkIsActiveArgs) -> Result<NetworkIsActiveRet> {
    let handle = find(call, &args.net)?;
    let active = i32::from(handle.state().live.is_some());
    Ok(NetworkIsActiveRet { active })
}

pub fn is_persistent(call: &Call, args: NetworkIsPersistentArgs) -> Result<NetworkIsPersistentRet> {
    let handle = find(call, &args.net)?;
    let persistent = i32::from(handle.state().config.is_some());
    Ok(NetworkIsPersistentRet { persistent })
}

pub fn update(call: &Call, args: NetworkUpdateArgs) -> Result<()> {
    known_flags(args.flags, UPDATE_LIVE | UPDATE_CONFIG, "networkUpdate", ErrorDomain::Network)?;
    let handle = find(call, &args.net)?;
    let unsupported = |words: &str| Error::new(ErrorDomain::Network, Code::OperationUnsupported, words);
    let Some(section) = Section::from_number(args.section) else {
        return Err(unsupported("can't update unrecognized section of network"));
    };
    let Some(command) = Command::from_number(args.command) else {
        return Err(unsupported(&format!("unrecognized network update command code {}", args.command)));
    };
    let change = (command, section, args.parent_index);
    networks(call)?.update(&handle, change, &args.xml.to_string_lossy(), args.flags)
}

pub fn dhcp_leases(call: &Call, args: NetworkGetDhcpLeasesArgs) -> Result<NetworkGetDhcpLeasesRet> {
    no_flags(args.flags, "networkGetDHCPLeases", ErrorDomain::Network)?;
    let mac = args.mac.map(|mac| mac.to_string_lossy());
    let found = networks(call)?.leases(&*find(call, &args.net)?, mac.as_deref())?;
    let ret = found.len() as u32;
    let leases = if args.need_results != 0 { found.into_iter().map(lease).collect() } else { Vec::new() };
    Ok(NetworkGetDhcpLeasesRet { leases, ret })
}

fn lease(lease: network::Lease) -> NetworkDhcpLease {
    let text = |value: Option<String>| value.map(Str::from);
    NetworkDhcpLease {
        iface: lease.link.into(),
        expirytime: lease.expires,
        r#type: i32::from(lease.address.is_ipv6()),
        mac: text(lease.mac),
        iaid: text(lease.iaid),
        ipaddr: lease.address.to_string().into(),
        prefix: u32::from(lease.prefix),
        hostname: text(lease.hostname),
        clientid: text(lease.client_id),
    }
}
