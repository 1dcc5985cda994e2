//! Calls about domains: their lists, their lives, their documents, their devices and consoles.

use crate::call::{Call, no_flags};
use crate::convert;
use api::{DomainRef, ErrorDomain, Result, Uuid};
use rpc::Str;
use rpc::remote::*;
use rpc::server::{Reply, Then};

/// `VIR_DOMAIN_START_AUTODESTROY`: the domain ends with the connection that started it.
const AUTODESTROY: u32 = 1 << 1;
const XML_SECURE: u32 = 1 << 0;
const XML_MIGRATABLE: u32 = 1 << 3;
/// `VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT`.
const SOURCE_AGENT: u32 = 1;

// Lists.

pub fn list_all(call: &Call, args: ConnectListAllDomainsArgs) -> Result<ConnectListAllDomainsRet> {
    let domains = call.lxc().list_all(args.flags)?;
    let ret = domains.len() as u32;
    let domains = if args.need_results != 0 { domains.iter().map(convert::domain).collect() } else { Vec::new() };
    Ok(ConnectListAllDomainsRet { domains, ret })
}

pub fn list_active(call: &Call, args: ConnectListDomainsArgs) -> Result<ConnectListDomainsRet> {
    let ids = call.lxc().active_ids();
    Ok(ConnectListDomainsRet { ids: ids.into_iter().take(args.maxids.max(0) as usize).collect() })
}

pub fn count_active(call: &Call, _: ()) -> Result<ConnectNumOfDomainsRet> {
    Ok(ConnectNumOfDomainsRet { num: call.lxc().active_ids().len() as i32 })
}

pub fn list_inactive(call: &Call, args: ConnectListDefinedDomainsArgs) -> Result<ConnectListDefinedDomainsRet> {
    let names = call.lxc().inactive_names();
    Ok(ConnectListDefinedDomainsRet {
        names: names.into_iter().take(args.maxnames.max(0) as usize).map(Str::from).collect(),
    })
}

pub fn count_inactive(call: &Call, _: ()) -> Result<ConnectNumOfDefinedDomainsRet> {
    Ok(ConnectNumOfDefinedDomainsRet { num: call.lxc().inactive_names().len() as i32 })
}

pub fn lookup_by_id(call: &Call, args: DomainLookupByIdArgs) -> Result<DomainLookupByIdRet> {
    Ok(DomainLookupByIdRet { dom: convert::domain(&call.lxc().lookup_by_id(args.id)?) })
}

pub fn lookup_by_uuid(call: &Call, args: DomainLookupByUuidArgs) -> Result<DomainLookupByUuidRet> {
    Ok(DomainLookupByUuidRet { dom: convert::domain(&call.lxc().lookup_by_uuid(&Uuid(args.uuid))?) })
}

pub fn lookup_by_name(call: &Call, args: DomainLookupByNameArgs) -> Result<DomainLookupByNameRet> {
    Ok(DomainLookupByNameRet { dom: convert::domain(&call.lxc().lookup_by_name(&args.name.to_string_lossy())?) })
}

// Definitions.

pub fn define(call: &Call, args: DomainDefineXmlArgs) -> Result<DomainDefineXmlRet> {
    Ok(DomainDefineXmlRet { dom: convert::domain(&call.lxc().define(&args.xml.to_string_lossy(), 0)?) })
}

pub fn define_flags(call: &Call, args: DomainDefineXmlFlagsArgs) -> Result<DomainDefineXmlFlagsRet> {
    let domain = call.lxc().define(&args.xml.to_string_lossy(), args.flags)?;
    Ok(DomainDefineXmlFlagsRet { dom: convert::domain(&domain) })
}

pub fn undefine(call: &Call, args: DomainUndefineArgs) -> Result<()> {
    on(&args.dom, |uuid| call.lxc().undefine(uuid, 0))
}

pub fn undefine_flags(call: &Call, args: DomainUndefineFlagsArgs) -> Result<()> {
    on(&args.dom, |uuid| call.lxc().undefine(uuid, args.flags))
}

pub fn xml(call: &Call, args: DomainGetXmlDescArgs) -> Result<DomainGetXmlDescRet> {
    if args.flags & (XML_SECURE | XML_MIGRATABLE) != 0 {
        call.refuse_read_only("virDomainGetXMLDesc with secure flag")?;
    }
    Ok(DomainGetXmlDescRet { xml: on(&args.dom, |uuid| call.lxc().xml(uuid, args.flags))?.into() })
}

pub fn xml_from_native(call: &Call, args: ConnectDomainXmlFromNativeArgs) -> Result<ConnectDomainXmlFromNativeRet> {
    let (format, config) = (args.native_format.to_string_lossy(), args.native_config.to_string_lossy());
    Ok(ConnectDomainXmlFromNativeRet { domain_xml: call.lxc().xml_from_native(&format, &config, args.flags)?.into() })
}

pub fn metadata(call: &Call, args: DomainGetMetadataArgs) -> Result<DomainGetMetadataRet> {
    let uri = args.uri.map(|uri| uri.to_string_lossy());
    let text = on(&args.dom, |uuid| call.lxc().metadata(uuid, args.r#type, uri.as_deref(), args.flags))?;
    Ok(DomainGetMetadataRet { metadata: text.into() })
}

pub fn set_metadata(call: &Call, args: DomainSetMetadataArgs) -> Result<()> {
    let [text, key, uri] = [args.metadata, args.key, args.uri].map(|part| part.map(|part| part.to_string_lossy()));
    on(&args.dom, |uuid| {
        let (text, key, uri) = (text.as_deref(), key.as_deref(), uri.as_deref());
        call.lxc().set_metadata(uuid, args.r#type, text, key, uri, args.flags)
    })
}

// Lives.

pub fn create_xml(call: &Call, args: DomainCreateXmlArgs) -> Result<DomainCreateXmlRet> {
    let domain = call.lxc().create_xml(&args.xml_desc.to_string_lossy(), args.flags, Vec::new())?;
    note_autodestroy(call, &domain, args.flags);
    Ok(DomainCreateXmlRet { dom: convert::domain(&domain) })
}

pub fn create_xml_with_files(call: &Call, args: DomainCreateXmlWithFilesArgs) -> Result<DomainCreateXmlWithFilesRet> {
    let domain = call.lxc().create_xml(&args.xml_desc.to_string_lossy(), args.flags, call.take_fds())?;
    note_autodestroy(call, &domain, args.flags);
    Ok(DomainCreateXmlWithFilesRet { dom: convert::domain(&domain) })
}

pub fn start(call: &Call, args: DomainCreateArgs) -> Result<()> {
    on(&args.dom, |uuid| call.lxc().start(uuid, 0, Vec::new())).map(drop)
}

pub fn start_flags(call: &Call, args: DomainCreateWithFlagsArgs) -> Result<DomainCreateWithFlagsRet> {
    let domain = on(&args.dom, |uuid| call.lxc().start(uuid, args.flags, Vec::new()))?;
    note_autodestroy(call, &domain, args.flags);
    Ok(DomainCreateWithFlagsRet { dom: convert::domain(&domain) })
}

pub fn start_with_files(call: &Call, args: DomainCreateWithFilesArgs) -> Result<DomainCreateWithFilesRet> {
    let domain = on(&args.dom, |uuid| call.lxc().start(uuid, args.flags, call.take_fds()))?;
    note_autodestroy(call, &domain, args.flags);
    Ok(DomainCreateWithFilesRet { dom: convert::domain(&domain) })
}

fn note_autodestroy(call: &Call, domain: &DomainRef, flags: u32) {
    if flags & AUTODESTROY != 0 {
        call.client.session.state().autodestroy.push(domain.clone());
    }
}

pub fn destroy(call: &Call, args: DomainDestroyArgs) -> Result<()> {
    on(&args.dom, |uuid| call.lxc().destroy(uuid, 0))
}

pub fn destroy_flags(call: &Call, args: DomainDestroyFlagsArgs) -> Result<()> {
    on(&args.dom, |uuid| call.lxc().destroy(uuid, args.flags))
}

pub fn shutdown(call: &Call, args: DomainShutdownArgs) -> Result<()> {
    on(&args.dom, |uuid| call.lxc().shutdown(uuid, 0))
}

pub fn shutdown_flags(call: &Call, args: DomainShutdownFlagsArgs) -> Result<()> {
    on(&args.dom, |uuid| call.lxc().shutdown(uuid, args.flags))
}

pub fn reboot(call: &Call, args: DomainRebootArgs) -> Result<()> {
    on(&args.dom, |uuid| call.lxc().reboot(uuid, args.flags))
}

pub fn suspend(call: &Call, args: DomainSuspendArgs) -> Result<()> {
    on(&args.dom, |uuid| call.lxc().suspend(uuid))
}

pub fn resume(call: &Call, args: DomainResumeArgs) -> Result<()> {
    on(&args.dom, |uuid| call.lxc().resume(uuid))
}

pub fn send_process_signal(call: &Call, args: DomainSendProcessSignalArgs) -> Result<()> {
    on(&args.dom, |uuid| call.lxc().send_process_signal(uuid, args.pid_value, args.signum, args.flags))
}

// What they are.

pub fn info(call: &Call, args: DomainGetInfoArgs) -> Result<DomainGetInfoRet> {
    let info = on(&args.dom, |uuid| call.lxc().info(uuid))?;
    Ok(DomainGetInfoRet {
        state: info.state as u8,
        max_mem: info.max_memory,
        memory: info.memory,
        nr_virt_cpu: info.vcpus,
        cpu_time: info.cpu_time,
    })
}

pub fn state(call: &Call, args: DomainGetStateArgs) -> Result<DomainGetStateRet> {
    let (state, reason) = on(&args.dom, |uuid| call.lxc().state(uuid, args.flags))?;
    Ok(DomainGetStateRet { state: state as i32, reason: reason.0 })
}

pub fn os_type(call: &Call, args: DomainGetOsTypeArgs) -> Result<DomainGetOsTypeRet> {
    Ok(DomainGetOsTypeRet { r#type: on(&args.dom, |uuid| call.lxc().os_type(uuid))?.into() })
}

pub fn is_active(call: &Call, args: DomainIsActiveArgs) -> Result<DomainIsActiveRet> {
    Ok(DomainIsActiveRet { active: on(&args.dom, |uuid| call.lxc().is_active(uuid))?.into() })
}

pub fn is_persistent(call: &Call, args: DomainIsPersistentArgs) -> Result<DomainIsPersistentRet> {
    Ok(DomainIsPersistentRet { persistent: on(&args.dom, |uuid| call.lxc().is_persistent(uuid))?.into() })
}

pub fn is_updated(call: &Call, args: DomainIsUpdatedArgs) -> Result<DomainIsUpdatedRet> {
    Ok(DomainIsUpdatedRet { updated: on(&args.dom, |uuid| call.lxc().is_updated(uuid))?.into() })
}

pub fn autostart(call: &Call, args: DomainGetAutostartArgs) -> Result<DomainGetAutostartRet> {
    Ok(DomainGetAutostartRet { autostart: on(&args.dom, |uuid| call.lxc().autostart(uuid))?.into() })
}

pub fn set_autostart(call: &Call, args: DomainSetAutostartArgs) -> Result<()> {
    on(&args.dom, |uuid| call.lxc().set_autostart(uuid, args.autostart != 0))
}

pub fn has_managed_save(call: &Call, args: DomainHasManagedSaveImageArgs) -> Result<DomainHasManagedSaveImageRet> {
    no_flags(args.flags, "lxcDomainHasManagedSaveImage", ErrorDomain::Lxc)?;
    on(&args.dom, |uuid| call.lxc().lookup_by_uuid(uuid))?;
    Ok(DomainHasManagedSaveImageRet { result: 0 })
}

pub fn hostname(call: &Call, args: DomainGetHostnameArgs) -> Result<DomainGetHostnameRet> {
    Ok(DomainGetHostnameRet { hostname: on(&args.dom, |uuid| call.lxc().hostname(uuid, args.flags))?.into() })
}

pub fn security_label(call: &Call, args: DomainGetSecurityLabelArgs) -> Result<DomainGetSecurityLabelRet> {
    on(&args.dom, |uuid| call.lxc().lookup_by_uuid(uuid))?;
    // No security model labels containers here: an empty label, with its NUL.
    Ok(DomainGetSecurityLabelRet { label: vec![0], enforcing: 0 })
}

pub fn interface_addresses(call: &Call, args: DomainInterfaceAddressesArgs) -> Result<DomainInterfaceAddressesRet> {
    if args.source == SOURCE_AGENT {
        call.refuse_read_only("virDomainInterfaceAddresses with source agent")?;
    }
    let interfaces = on(&args.dom, |uuid| call.lxc().interface_addresses(uuid, args.source, args.flags))?;
    let ifaces = interfaces
        .into_iter()
        .map(|interface| DomainInterface {
            name: interface.name.into(),
            hwaddr: interface.mac.map(Str::from),
            addrs: interface
                .addresses
                .into_iter()
                .map(|(address, prefix)| DomainIpAddr {
                    r#type: i32::from(address.is_ipv6()),
                    addr: address.to_string().into(),
                    prefix: u32::from(prefix),
                })
                .collect(),
        })
        .collect();
    Ok(DomainInterfaceAddressesRet { ifaces })
}

// Devices.

pub fn console(call: &Call, args: DomainOpenConsoleArgs) -> Result<Reply> {
    let device = args.dev_name.map(|name| name.to_string_lossy());
    let terminal = on(&args.dom, |uuid| call.lxc().console(uuid, device.as_deref(), args.flags))?;
    Ok(Reply { then: Then::Stream(terminal), ..Reply::default() })
}

pub fn namespaces(call: &Call, args: rpc::lxc::DomainOpenNamespaceArgs) -> Result<Reply> {
    let fds = on(&args.dom, |uuid| call.lxc().namespaces(uuid, args.flags))?;
    Ok(Reply { fds, ..Reply::default() })
}

pub fn attach(call: &Call, args: DomainAttachDeviceArgs) -> Result<()> {
    on(&args.dom, |uuid| call.lxc().attach_device(uuid, &args.xml.to_string_lossy(), 0))
}

pub fn attach_flags(call: &Call, args: DomainAttachDeviceFlagsArgs) -> Result<()> {
    on(&args.dom, |uuid| call.lxc().attach_device(uuid, &args.xml.to_string_lossy(), args.flags))
}

pub fn detach(call: &Call, args: DomainDetachDeviceArgs) -> Result<()> {
    on(&args.dom, |uuid| call.lxc().detach_device(uuid, &args.xml.to_string_lossy(), 0))
}

pub fn detach_flags(call: &Call, args: DomainDetachDeviceFlagsArgs) -> Result<()> {
    on(&args.dom, |uuid| call.lxc().detach_device(uuid, &args.xml.to_string_lossy(), args.flags))
}

pub fn update(call: &Call, args: DomainUpdateDeviceFlagsArgs) -> Result<()> {
    on(&args.dom, |uuid| call.lxc().update_device(uuid, &args.xml.to_string_lossy(), args.flags))
}

/// Runs `action` on the domain that a client's handle means: the uuid alone decides. A domain that is gone is named as
/// the client knows it.
pub fn on<T>(dom: &NonnullDomain, action: impl FnOnce(&Uuid) -> Result<T>) -> Result<T> {
    let uuid = Uuid(dom.uuid);
    action(&uuid).map_err(|error| {
        let unnamed = api::Error::no_domain_uuid(&uuid, None);
        if error == unnamed { api::Error::no_domain_uuid(&uuid, Some(&dom.name.to_string_lossy())) } else { error }
    })
}
