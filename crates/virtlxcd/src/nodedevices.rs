//! Calls about the machine's devices. They are shown, and nothing is done to them: libvirt's driver takes none away from the
//! machine for a container either, and what it can make (virtual ports of Fibre Channel, mediated devices) is for machines.

use crate::call::{Call, known_flags, list_room_of, no_flags};
use crate::events::{self, Kind as EventKind};
use api::{Code, Error, ErrorDomain, Result};
use conf::nodedev::Kind;
use conf::xml::{Document, Source};
use nodedev::Device;
use rpc::Str;
use rpc::remote::*;

/// Bits of `virConnectListAllNodeDeviceFlags` above those of the kinds, of which libvirt 9.0.0 has 22.
const INACTIVE: u32 = 1 << 30;
const ACTIVE: u32 = 1 << 31;
const KINDS: u32 = (1 << 22) - 1;

/// `REMOTE_NODE_DEVICE_LIST_MAX`, and the same for what one device is.
const MOST: usize = 65_536;

fn found(call: &Call, name: &Str) -> Result<Device> {
    let name = name.to_string_lossy();
    call.daemon.devices.find(&name).ok_or_else(|| no_device(format!("no node device with matching name '{name}'")))
}

fn no_device(words: String) -> Error {
    Error::new(ErrorDomain::Nodedev, Code::NoNodeDevice, words)
}

fn handle(device: &Device) -> NonnullNodeDevice {
    NonnullNodeDevice { name: device.name.as_str().into() }
}

/// The devices that are, or are besides, of one of the kinds with these names; all where there is no name.
fn named(call: &Call, capability: Option<&Str>) -> Vec<Device> {
    let machine = &call.daemon.devices;
    let mut devices = machine.list();
    if let Some(wanted) = capability.map(Str::to_string_lossy) {
        devices.retain(|device| machine.kinds(device).iter().any(|kind| kind.name() == wanted));
    }
    devices
}

pub fn count(call: &Call, args: NodeNumOfDevicesArgs) -> Result<NodeNumOfDevicesRet> {
    no_flags(args.flags, "nodeNumOfDevices", ErrorDomain::Nodedev)?;
    Ok(NodeNumOfDevicesRet { num: named(call, args.cap.as_ref()).len() as i32 })
}

pub fn names(call: &Call, args: NodeListDevicesArgs) -> Result<NodeListDevicesRet> {
    let room = list_room_of("maxnames", args.maxnames, "REMOTE_NODE_DEVICE_LIST_MAX", MOST)?;
    no_flags(args.flags, "nodeListDevices", ErrorDomain::Nodedev)?;
    let devices = named(call, args.cap.as_ref());
    Ok(NodeListDevicesRet { names: devices.iter().take(room).map(|device| device.name.as_str().into()).collect() })
}

pub fn list_all(call: &Call, args: ConnectListAllNodeDevicesArgs) -> Result<ConnectListAllNodeDevicesRet> {
    known_flags(args.flags, KINDS | INACTIVE | ACTIVE, "nodeConnectListAllNodeDevices", ErrorDomain::Nodedev)?;
    let machine = &call.daemon.devices;
    let kinds = args.flags & KINDS;
    let of_kind = |device: &Device| kinds == 0 || machine.kinds(device).iter().any(|kind| kind.flag() & kinds != 0);
    // What is there is active.
    let devices = match args.flags & (INACTIVE | ACTIVE) {
        INACTIVE => Vec::new(),
        _ => machine.list().into_iter().filter(of_kind).collect(),
    };
    let handles = devices.iter().filter(|_| args.need_results != 0).map(handle).collect();
    Ok(ConnectListAllNodeDevicesRet { devices: handles, ret: devices.len() as u32 })
}

pub fn lookup_by_name(call: &Call, args: NodeDeviceLookupByNameArgs) -> Result<NodeDeviceLookupByNameRet> {
    Ok(NodeDeviceLookupByNameRet { dev: handle(&found(call, &args.name)?) })
}

pub fn lookup_scsi_host(
    call: &Call,
    args: NodeDeviceLookupScsiHostByWwnArgs,
) -> Result<NodeDeviceLookupScsiHostByWwnRet> {
    no_flags(args.flags, "nodeDeviceLookupSCSIHostByWWN", ErrorDomain::Nodedev)?;
    let (node, port) = (args.wwnn.to_string_lossy(), args.wwpn.to_string_lossy());
    let host = call.daemon.devices.scsi_host_of(&node, &port);
    let missing = || no_device(format!("no SCSI host with WWNN '{node}' and WWPN '{port}'"));
    Ok(NodeDeviceLookupScsiHostByWwnRet { dev: handle(&host.ok_or_else(missing)?) })
}

pub fn xml(call: &Call, args: NodeDeviceGetXmlDescArgs) -> Result<NodeDeviceGetXmlDescRet> {
    no_flags(args.flags, "nodeDeviceGetXMLDesc", ErrorDomain::Nodedev)?;
    let device = found(call, &args.name)?;
    let document = call.daemon.devices.describe(&device);
    let missing = || no_device(format!("node device '{}' went away", device.name));
    Ok(NodeDeviceGetXmlDescRet { xml: document.ok_or_else(missing)?.format().into() })
}

pub fn parent(call: &Call, args: NodeDeviceGetParentArgs) -> Result<NodeDeviceGetParentRet> {
    let device = found(call, &args.name)?;
    Ok(NodeDeviceGetParentRet { parent_name: call.daemon.devices.parent(&device).map(Str::from) })
}

pub fn count_capabilities(call: &Call, args: NodeDeviceNumOfCapsArgs) -> Result<NodeDeviceNumOfCapsRet> {
    let device = found(call, &args.name)?;
    Ok(NodeDeviceNumOfCapsRet { num: call.daemon.devices.kinds(&device).len() as i32 })
}

pub fn capabilities(call: &Call, args: NodeDeviceListCapsArgs) -> Result<NodeDeviceListCapsRet> {
    let room = list_room_of("maxnames", args.maxnames, "REMOTE_NODE_DEVICE_CAPS_LIST_MAX", MOST)?;
    let device = found(call, &args.name)?;
    let kinds = call.daemon.devices.kinds(&device);
    Ok(NodeDeviceListCapsRet { names: kinds.iter().take(room).map(|kind| kind.name().into()).collect() })
}

pub fn is_active(call: &Call, args: NodeDeviceIsActiveArgs) -> Result<NodeDeviceIsActiveRet> {
    found(call, &args.name)?;
    Ok(NodeDeviceIsActiveRet { active: 1 })
}

/// The machine itself stays; anything else may be pulled out.
fn stays(call: &Call, name: &Str) -> Result<i32> {
    Ok((found(call, name)?.kind == Kind::System).into())
}

pub fn is_persistent(call: &Call, args: NodeDeviceIsPersistentArgs) -> Result<NodeDeviceIsPersistentRet> {
    Ok(NodeDeviceIsPersistentRet { persistent: stays(call, &args.name)? })
}

pub fn autostart(call: &Call, args: NodeDeviceGetAutostartArgs) -> Result<NodeDeviceGetAutostartRet> {
    Ok(NodeDeviceGetAutostartRet { autostart: stays(call, &args.name)? })
}

pub fn set_autostart(call: &Call, args: NodeDeviceSetAutostartArgs) -> Result<()> {
    found(call, &args.name)?;
    Err(Error::new(ErrorDomain::Nodedev, Code::OperationUnsupported, "Unsupported device type"))
}

pub fn create_xml(_: &Call, args: NodeDeviceCreateXmlArgs) -> Result<NodeDeviceCreateXmlRet> {
    known_flags(args.flags, 1, "nodeDeviceCreateXML", ErrorDomain::Nodedev)?;
    Err(cannot_make(&args.xml_desc, "virNodeDeviceCreateXML"))
}

pub fn define_xml(_: &Call, args: NodeDeviceDefineXmlArgs) -> Result<NodeDeviceDefineXmlRet> {
    known_flags(args.flags, 1, "nodeDeviceDefineXML", ErrorDomain::Nodedev)?;
    Err(cannot_make(&args.xml_desc, "virNodeDeviceDefineXML"))
}

/// Why no device comes of this document.
fn cannot_make(xml: &Str, function: &str) -> Error {
    let source = Source { name: "(node_device_definition)", domain: ErrorDomain::Nodedev };
    let document = match Document::parse(&xml.0, source) {
        Ok(document) => document,
        Err(error) => return error,
    };
    let root = document.root();
    if root.name() != "device" {
        let words = format!("expecting root element of 'device', not '{}'", root.name());
        return Error::xml(ErrorDomain::Xml, words);
    }
    match root.child("capability").and_then(|capability| capability.attr("type")) {
        None => Error::internal(ErrorDomain::Nodedev, "no device capabilities for 'new device'"),
        Some("scsi_host" | "mdev") => Error::no_support(ErrorDomain::Nodedev, function),
        Some(_) => unsupported_type(),
    }
}

fn unsupported_type() -> Error {
    Error::config_unsupported(ErrorDomain::Nodedev, "Unsupported device type")
}

pub fn destroy(call: &Call, args: NodeDeviceDestroyArgs) -> Result<()> {
    match found(call, &args.name)?.kind {
        Kind::ScsiHost => Err(Error::no_support(ErrorDomain::Nodedev, "virNodeDeviceDestroy")),
        _ => Err(unsupported_type()),
    }
}

pub fn undefine(call: &Call, args: NodeDeviceUndefineArgs) -> Result<()> {
    no_flags(args.flags, "nodeDeviceUndefine", ErrorDomain::Nodedev)?;
    match found(call, &args.name)? {
        device if device.kind == Kind::System => Err(unsupported_type()),
        device => {
            let words = format!("Node device '{}' is not defined", device.name);
            Err(Error::operation_invalid(ErrorDomain::Nodedev, words))
        }
    }
}

pub fn create(call: &Call, args: NodeDeviceCreateArgs) -> Result<()> {
    no_flags(args.flags, "nodeDeviceCreate", ErrorDomain::Nodedev)?;
    found(call, &args.name)?;
    Err(Error::operation_invalid(ErrorDomain::Nodedev, "Device is already active"))
}

pub fn event_register(
    call: &Call,
    args: ConnectNodeDeviceEventRegisterAnyArgs,
) -> Result<ConnectNodeDeviceEventRegisterAnyRet> {
    let name = args.dev.map(|device| device.name.to_string_lossy());
    let ids = &call.daemon.callback_ids;
    let session = &call.client.session;
    let callback_id = events::register_node_device(ids, &mut session.state().registrations, args.event_id, name)?;
    if let Err(error) = call.daemon.device_events()?.listen() {
        events::deregister(&mut session.state().registrations, EventKind::NodeDevice, callback_id)?;
        return Err(error);
    }
    Ok(ConnectNodeDeviceEventRegisterAnyRet { callback_id })
}

pub fn event_deregister(call: &Call, args: ConnectNodeDeviceEventDeregisterAnyArgs) -> Result<()> {
    events::deregister(&mut call.client.session.state().registrations, EventKind::NodeDevice, args.callback_id)?;
    call.daemon.device_events()?.leave();
    Ok(())
}
