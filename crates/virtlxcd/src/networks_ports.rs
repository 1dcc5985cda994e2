//! Calls about the ports of networks.

use crate::call::{Call, known_flags, no_flags};
use crate::convert::{self, answer_params};
use crate::networks::{find, networks};
use api::{Error, ErrorDomain, Result, TypedParam, TypedValue, Uuid};
use conf::Bandwidth;
use network::Handle;
use rpc::remote::*;
use std::sync::Arc;

/// `virNetworkPortCreateFlags`: the port is there already, after a restart; and the document is to be validated.
const RECLAIM: u32 = 1;
const VALIDATE: u32 = 2;
/// `virTypedParameterFlags`: the client knows parameters that are texts.
const STRINGS_OKAY: u32 = 4;

fn named(handle: &Handle, uuid: &Uuid) -> NonnullNetworkPort {
    NonnullNetworkPort { net: convert::network(&handle.name, &handle.uuid), uuid: uuid.0 }
}

/// The network and port that a client names.
fn found(call: &Call, port: &NonnullNetworkPort) -> Result<(Arc<Handle>, Uuid)> {
    let handle = find(call, &port.net)?;
    let uuid = Uuid(port.uuid);
    let there = handle.state().ports.contains_key(&uuid);
    if there { Ok((handle, uuid)) } else { Err(network::no_port(&uuid)) }
}

pub fn list_all(call: &Call, args: NetworkListAllPortsArgs) -> Result<NetworkListAllPortsRet> {
    no_flags(args.flags, "networkListAllPorts", ErrorDomain::Network)?;
    let handle = find(call, &args.network)?;
    let ids = networks(call)?.port_ids(&handle)?;
    let ports = if args.need_results != 0 { ids.iter().map(|uuid| named(&handle, uuid)).collect() } else { Vec::new() };
    Ok(NetworkListAllPortsRet { ports, ret: ids.len() as u32 })
}

pub fn lookup_by_uuid(call: &Call, args: NetworkPortLookupByUuidArgs) -> Result<NetworkPortLookupByUuidRet> {
    let port = NonnullNetworkPort { net: args.network, uuid: args.uuid };
    let (handle, uuid) = found(call, &port)?;
    Ok(NetworkPortLookupByUuidRet { port: named(&handle, &uuid) })
}

pub fn create_xml(call: &Call, args: NetworkPortCreateXmlArgs) -> Result<NetworkPortCreateXmlRet> {
    known_flags(args.flags, RECLAIM | VALIDATE, "networkPortCreateXML", ErrorDomain::Network)?;
    let handle = find(call, &args.network)?;
    let xml = args.xml.to_string_lossy();
    let uuid = networks(call)?.create_port(&handle, &xml, args.flags & VALIDATE != 0)?;
    Ok(NetworkPortCreateXmlRet { port: named(&handle, &uuid) })
}

pub fn xml_desc(call: &Call, args: NetworkPortGetXmlDescArgs) -> Result<NetworkPortGetXmlDescRet> {
    no_flags(args.flags, "networkPortGetXMLDesc", ErrorDomain::Network)?;
    let (handle, uuid) = found(call, &args.port)?;
    Ok(NetworkPortGetXmlDescRet { xml: networks(call)?.port_xml(&handle, &uuid)?.into() })
}

pub fn delete(call: &Call, args: NetworkPortDeleteArgs) -> Result<()> {
    no_flags(args.flags, "networkPortDelete", ErrorDomain::Network)?;
    let (handle, uuid) = found(call, &args.port)?;
    networks(call)?.delete_port(&handle, &uuid)
}

pub fn get_parameters(call: &Call, args: NetworkPortGetParametersArgs) -> Result<NetworkPortGetParametersRet> {
    known_flags(args.flags, STRINGS_OKAY, "networkPortGetParameters", ErrorDomain::Network)?;
    let (handle, uuid) = found(call, &args.port)?;
    let bandwidth = handle.state().ports.get(&uuid).and_then(|port| port.bandwidth.clone());
    let available = parameters(&bandwidth.unwrap_or_default());
    let (params, nparams) = answer_params(args.nparams, available);
    let params = params.iter().map(convert::typed_param_to_wire).collect();
    Ok(NetworkPortGetParametersRet { params, nparams })
}

fn parameters(bandwidth: &Bandwidth) -> Vec<TypedParam> {
    let mut found = Vec::new();
    let mut add = |field: &str, value: u64| {
        let value = TypedValue::UInt(u32::try_from(value).unwrap_or(u32::MAX));
        found.push(TypedParam { field: field.to_string(), value });
    };
    if let Some(rate) = bandwidth.inbound {
        add("inbound.average", rate.average);
        add("inbound.peak", rate.peak);
        add("inbound.floor", rate.floor);
        add("inbound.burst", rate.burst);
    }
    if let Some(rate) = bandwidth.outbound {
        add("outbound.average", rate.average);
        add("outbound.peak", rate.peak);
        add("outbound.burst", rate.burst);
    }
    found
}

pub fn set_parameters(call: &Call, args: NetworkPortSetParametersArgs) -> Result<()> {
    known_flags(args.flags, STRINGS_OKAY, "networkPortSetParameters", ErrorDomain::Network)?;
    let (handle, _) = found(call, &args.port)?;
    let words = format!("limits of a port of network '{}' are set by 'virsh domiftune' on its domain", handle.name);
    Err(Error::config_unsupported(ErrorDomain::Network, words))
}
