//! Calls that find, list, define and describe domains.

use crate::call::{Call, known_flags, list_room, no_flags};
use crate::convert;
use api::{ErrorDomain, Result};
use lxc::{DomainObject, ListFilter, XmlForm};
use rpc::remote::*;
use std::sync::Arc;

/// The domain of a client's handle.
pub fn domain(call: &Call, dom: &NonnullDomain) -> Result<Arc<DomainObject>> {
    call.daemon.domains()?.domain(&api::Uuid(dom.uuid), &dom.name.to_string_lossy())
}

pub fn handle(object: &DomainObject) -> NonnullDomain {
    convert::domain(&object.reference())
}

pub fn lookup_by_id(call: &Call, args: DomainLookupByIdArgs) -> Result<DomainLookupByIdRet> {
    Ok(DomainLookupByIdRet { dom: handle(&*call.daemon.domains()?.lookup_by_id(args.id)?) })
}

pub fn lookup_by_uuid(call: &Call, args: DomainLookupByUuidArgs) -> Result<DomainLookupByUuidRet> {
    Ok(DomainLookupByUuidRet { dom: handle(&*call.daemon.domains()?.lookup_by_uuid(&api::Uuid(args.uuid))?) })
}

pub fn lookup_by_name(call: &Call, args: DomainLookupByNameArgs) -> Result<DomainLookupByNameRet> {
    Ok(DomainLookupByNameRet { dom: handle(&*call.daemon.domains()?.lookup_by_name(&args.name.to_string_lossy())?) })
}

pub fn list_ids(call: &Call, args: ConnectListDomainsArgs) -> Result<ConnectListDomainsRet> {
    let room = list_room("maxids", args.maxids, "REMOTE_DOMAIN_LIST_MAX")?;
    let active = call.daemon.domains()?.list(ListFilter(ListFilter::ACTIVE));
    Ok(ConnectListDomainsRet { ids: active.iter().map(|object| object.reference().id).take(room).collect() })
}

pub fn count_active(call: &Call, _: ()) -> Result<ConnectNumOfDomainsRet> {
    Ok(ConnectNumOfDomainsRet { num: call.daemon.domains()?.list(ListFilter(ListFilter::ACTIVE)).len() as i32 })
}

pub fn list_defined(call: &Call, args: ConnectListDefinedDomainsArgs) -> Result<ConnectListDefinedDomainsRet> {
    let room = list_room("maxnames", args.maxnames, "REMOTE_DOMAIN_LIST_MAX")?;
    let inactive = call.daemon.domains()?.list(ListFilter(ListFilter::INACTIVE));
    Ok(ConnectListDefinedDomainsRet {
        names: inactive.iter().map(|object| object.name.as_str().into()).take(room).collect(),
    })
}

pub fn count_defined(call: &Call, _: ()) -> Result<ConnectNumOfDefinedDomainsRet> {
    let inactive = call.daemon.domains()?.list(ListFilter(ListFilter::INACTIVE));
    Ok(ConnectNumOfDefinedDomainsRet { num: inactive.len() as i32 })
}

pub fn list_all(call: &Call, args: ConnectListAllDomainsArgs) -> Result<ConnectListAllDomainsRet> {
    known_flags(args.flags, ListFilter::KNOWN, "lxcConnectListAllDomains", ErrorDomain::Lxc)?;
    let found = call.daemon.domains()?.list(ListFilter(args.flags));
    let domains = if args.need_results != 0 { found.iter().map(|object| handle(object)).collect() } else { Vec::new() };
    Ok(ConnectListAllDomainsRet { domains, ret: found.len() as u32 })
}

pub fn define(call: &Call, args: DomainDefineXmlArgs) -> Result<DomainDefineXmlRet> {
    Ok(DomainDefineXmlRet { dom: handle(&*call.daemon.domains()?.define(&args.xml.0, false)?) })
}

pub fn define_flags(call: &Call, args: DomainDefineXmlFlagsArgs) -> Result<DomainDefineXmlFlagsRet> {
    /// `VIR_DOMAIN_DEFINE_VALIDATE`
    const VALIDATE: u32 = 1;
    known_flags(args.flags, VALIDATE, "lxcDomainDefineXMLFlags", ErrorDomain::Lxc)?;
    let validate = args.flags & VALIDATE != 0;
    Ok(DomainDefineXmlFlagsRet { dom: handle(&*call.daemon.domains()?.define(&args.xml.0, validate)?) })
}

pub fn undefine(call: &Call, args: DomainUndefineArgs) -> Result<()> {
    call.daemon.domains()?.undefine(&domain(call, &args.dom)?)
}

pub fn undefine_flags(call: &Call, args: DomainUndefineFlagsArgs) -> Result<()> {
    no_flags(args.flags, "lxcDomainUndefineFlags", ErrorDomain::Lxc)?;
    call.daemon.domains()?.undefine(&domain(call, &args.dom)?)
}

/// What libvirt's own driver has not.
pub fn rename(call: &Call, args: DomainRenameArgs) -> Result<DomainRenameRet> {
    no_flags(args.flags, "lxcDomainRename", ErrorDomain::Lxc)?;
    let name = args.new_name.map(|name| name.to_string_lossy()).unwrap_or_default();
    call.daemon.domains()?.rename(&domain(call, &args.dom)?, &name)?;
    Ok(DomainRenameRet { retcode: 0 })
}

pub fn xml(call: &Call, args: DomainGetXmlDescArgs) -> Result<DomainGetXmlDescRet> {
    /// `VIR_DOMAIN_XML_SECURE`: with passwords.
    const SECURE: u32 = 1;
    const INACTIVE: u32 = 2;
    const MIGRATABLE: u32 = 8;
    if args.flags & (SECURE | MIGRATABLE) != 0 {
        call.refuse_read_only("virDomainGetXMLDesc with secure flag")?;
    }
    known_flags(args.flags, SECURE | INACTIVE | MIGRATABLE, "lxcDomainGetXMLDesc", ErrorDomain::Lxc)?;
    let set = |flag: u32| args.flags & flag != 0;
    let form = XmlForm { inactive: set(INACTIVE), migratable: set(MIGRATABLE), secure: set(SECURE) };
    Ok(DomainGetXmlDescRet { xml: call.daemon.domains()?.xml(&*domain(call, &args.dom)?, form).into() })
}

pub fn os_type(call: &Call, args: DomainGetOsTypeArgs) -> Result<DomainGetOsTypeRet> {
    domain(call, &args.dom)?;
    Ok(DomainGetOsTypeRet { r#type: "exe".into() })
}

pub fn info(call: &Call, args: DomainGetInfoArgs) -> Result<DomainGetInfoRet> {
    let info = call.daemon.domains()?.info(&*domain(call, &args.dom)?)?;
    Ok(DomainGetInfoRet {
        state: info.state as u8,
        max_mem: info.maximum_memory,
        memory: info.memory,
        nr_virt_cpu: info.cpus,
        cpu_time: info.cpu_time,
    })
}

pub fn state(call: &Call, args: DomainGetStateArgs) -> Result<DomainGetStateRet> {
    no_flags(args.flags, "lxcDomainGetState", ErrorDomain::Lxc)?;
    let (state, reason) = domain(call, &args.dom)?.state();
    Ok(DomainGetStateRet { state: state as i32, reason: reason.0 })
}

pub fn is_active(call: &Call, args: DomainIsActiveArgs) -> Result<DomainIsActiveRet> {
    Ok(DomainIsActiveRet { active: i32::from(domain(call, &args.dom)?.is_active()) })
}

pub fn is_persistent(call: &Call, args: DomainIsPersistentArgs) -> Result<DomainIsPersistentRet> {
    Ok(DomainIsPersistentRet { persistent: i32::from(domain(call, &args.dom)?.is_persistent()) })
}

/// Whether its definition changed since it was read: recorded is that it never has.
pub fn is_updated(call: &Call, args: DomainIsUpdatedArgs) -> Result<DomainIsUpdatedRet> {
    domain(call, &args.dom)?;
    Ok(DomainIsUpdatedRet { updated: 0 })
}

pub fn max_memory(call: &Call, args: DomainGetMaxMemoryArgs) -> Result<DomainGetMaxMemoryRet> {
    Ok(DomainGetMaxMemoryRet { memory: call.daemon.domains()?.maximum_memory(&*domain(call, &args.dom)?) })
}

pub fn has_managed_save(call: &Call, args: DomainHasManagedSaveImageArgs) -> Result<DomainHasManagedSaveImageRet> {
    no_flags(args.flags, "lxcDomainHasManagedSaveImage", ErrorDomain::Lxc)?;
    domain(call, &args.dom)?;
    Ok(DomainHasManagedSaveImageRet { result: 0 })
}

pub fn autostart(call: &Call, args: DomainGetAutostartArgs) -> Result<DomainGetAutostartRet> {
    Ok(DomainGetAutostartRet { autostart: i32::from(domain(call, &args.dom)?.autostart()) })
}

pub fn set_autostart(call: &Call, args: DomainSetAutostartArgs) -> Result<()> {
    call.daemon.domains()?.set_autostart(&domain(call, &args.dom)?, args.autostart != 0)
}

/// Without a security module there is no label.
pub fn security_label(call: &Call, args: DomainGetSecurityLabelArgs) -> Result<DomainGetSecurityLabelRet> {
    let domain = domain(call, &args.dom)?;
    let found = call.daemon.domains()?.security_label(&domain)?;
    let (label, enforced) = found.unwrap_or_default();
    Ok(DomainGetSecurityLabelRet { label: crate::node::c_string(&label), enforcing: i32::from(enforced) })
}
