//! The table: each procedure and the handler that answers it. What is not here gets libvirt's answer for calls that a
//! driver lacks.

use crate::call::Call;
use crate::{
    beside, connect, documents, domains, domains_devices as devices, domains_inside as inside, domains_life as life,
    domains_stats as stats, domains_tuning as tuning, interfaces, lacking, networks, networks_ports, node, nodedevices,
};
use api::{Error, ErrorDomain, Result};
use rpc::remote::Procedure;
use rpc::server::Reply;
use rpc::{lxc, remote, virtlxc};

#[rustfmt::skip]
pub fn remote_program(call: &Call, procedure: Procedure) -> Result<Reply> {
    use Procedure as P;
    match procedure {
        // Before the connection is open.
        P::AuthList => call.early(connect::auth_list),
        P::AuthPolkit | P::AuthSaslInit | P::AuthSaslStart | P::AuthSaslStep => call.early(connect::no_authentication),
        P::ConnectOpen => call.early(connect::open),
        P::ConnectSupportsFeature => call.early(connect::supports_feature),
        P::ConnectClose => Ok(connect::close()),

        // The connection.
        P::ConnectGetType => call.typed(connect::kind),
        P::ConnectGetVersion => call.typed(connect::version),
        P::ConnectGetLibVersion => call.typed(connect::lib_version),
        P::ConnectGetHostname => call.typed(connect::hostname),
        P::ConnectGetUri => call.typed(connect::uri),
        P::ConnectGetSysinfo => call.typed(connect::sysinfo),
        P::ConnectGetCapabilities => call.typed(documents::capabilities),
        P::ConnectGetDomainCapabilities => call.typed(documents::domain_capabilities),
        P::ConnectDomainXmlFromNative => call.typed(documents::from_native),
        P::ConnectDomainXmlToNative => call.typed(documents::to_native),
        P::ConnectIsSecure => call.typed(connect::is_secure),
        P::ConnectRegisterCloseCallback => call.typed(connect::close_callback),
        P::ConnectUnregisterCloseCallback => call.typed(connect::close_callback),
        P::ConnectSetIdentity => call.typed(connect::set_identity),

        // Events.
        P::ConnectDomainEventRegister => call.typed(connect::event_register),
        P::ConnectDomainEventDeregister => call.typed(connect::event_deregister),
        P::ConnectDomainEventRegisterAny => call.typed(connect::event_register_any),
        P::ConnectDomainEventDeregisterAny => call.typed(connect::event_deregister_any),
        P::ConnectDomainEventCallbackRegisterAny => call.typed(connect::event_callback_register),
        P::ConnectDomainEventCallbackDeregisterAny => call.typed(connect::event_callback_deregister),
        P::ConnectNetworkEventRegisterAny => call.typed(connect::network_event_register),
        P::ConnectNetworkEventDeregisterAny => call.typed(connect::network_event_deregister),

        // The machine.
        P::NodeGetInfo => call.typed(node::info),
        P::NodeGetCpuStats => call.typed(node::cpu_stats),
        P::NodeGetCpuMap => call.typed(node::cpu_map),
        P::NodeGetMemoryStats => call.typed(node::memory_stats),
        P::NodeGetMemoryParameters => call.typed(node::memory_parameters),
        P::NodeSetMemoryParameters => call.typed(node::set_memory_parameters),
        P::NodeGetFreeMemory => call.typed(node::free_memory),
        P::NodeGetCellsFreeMemory => call.typed(node::cells_free_memory),
        P::NodeAllocPages => call.typed(node::alloc_pages),
        P::NodeSuspendForDuration => call.typed(node::suspend),
        P::NodeGetFreePages => call.typed(node::free_pages),
        P::NodeGetSecurityModel => call.typed(node::security_model),

        P::ConnectListInterfaces => call.typed(interfaces::list_active),
        P::ConnectNumOfInterfaces => call.typed(interfaces::count_active),
        P::ConnectListDefinedInterfaces => call.typed(interfaces::list_inactive),
        P::ConnectNumOfDefinedInterfaces => call.typed(interfaces::count_inactive),
        P::ConnectListAllInterfaces => call.typed(interfaces::list_all),
        P::InterfaceLookupByName => call.typed(interfaces::lookup_by_name),
        P::InterfaceLookupByMacString => call.typed(interfaces::lookup_by_mac),
        P::InterfaceIsActive => call.typed(interfaces::is_active),
        P::InterfaceGetXmlDesc => call.typed(interfaces::xml),

        P::NodeNumOfDevices => call.typed(nodedevices::count),
        P::NodeListDevices => call.typed(nodedevices::names),
        P::ConnectListAllNodeDevices => call.typed(nodedevices::list_all),
        P::NodeDeviceLookupByName => call.typed(nodedevices::lookup_by_name),
        P::NodeDeviceLookupScsiHostByWwn => call.typed(nodedevices::lookup_scsi_host),
        P::NodeDeviceGetXmlDesc => call.typed(nodedevices::xml),
        P::NodeDeviceGetParent => call.typed(nodedevices::parent),
        P::NodeDeviceNumOfCaps => call.typed(nodedevices::count_capabilities),
        P::NodeDeviceListCaps => call.typed(nodedevices::capabilities),
        P::NodeDeviceIsActive => call.typed(nodedevices::is_active),
        P::NodeDeviceIsPersistent => call.typed(nodedevices::is_persistent),
        P::NodeDeviceGetAutostart => call.typed(nodedevices::autostart),
        P::NodeDeviceSetAutostart => call.typed(nodedevices::set_autostart),
        P::NodeDeviceCreateXml => call.typed(nodedevices::create_xml),
        P::NodeDeviceDefineXml => call.typed(nodedevices::define_xml),
        P::NodeDeviceCreate => call.typed(nodedevices::create),
        P::NodeDeviceDestroy => call.typed(nodedevices::destroy),
        P::NodeDeviceUndefine => call.typed(nodedevices::undefine),
        P::ConnectNodeDeviceEventRegisterAny => call.typed(nodedevices::event_register),
        P::ConnectNodeDeviceEventDeregisterAny => call.typed(nodedevices::event_deregister),

        // Domains: found, listed, defined, described.
        P::DomainLookupById => call.typed(domains::lookup_by_id),
        P::DomainLookupByUuid => call.typed(domains::lookup_by_uuid),
        P::DomainLookupByName => call.typed(domains::lookup_by_name),
        P::ConnectListDomains => call.typed(domains::list_ids),
        P::ConnectNumOfDomains => call.typed(domains::count_active),
        P::ConnectListDefinedDomains => call.typed(domains::list_defined),
        P::ConnectNumOfDefinedDomains => call.typed(domains::count_defined),
        P::ConnectListAllDomains => call.typed(domains::list_all),
        P::DomainDefineXml => call.typed(domains::define),
        P::DomainDefineXmlFlags => call.typed(domains::define_flags),
        P::DomainRename => call.typed(domains::rename),
        P::DomainUndefine => call.typed(domains::undefine),
        P::DomainUndefineFlags => call.typed(domains::undefine_flags),
        P::DomainGetXmlDesc => call.typed(domains::xml),
        P::DomainGetOsType => call.typed(domains::os_type),
        P::DomainGetInfo => call.typed(domains::info),
        P::DomainGetState => call.typed(domains::state),
        P::DomainIsActive => call.typed(domains::is_active),
        P::DomainIsPersistent => call.typed(domains::is_persistent),
        P::DomainIsUpdated => call.typed(domains::is_updated),
        P::DomainGetMaxMemory => call.typed(domains::max_memory),
        P::DomainHasManagedSaveImage => call.typed(domains::has_managed_save),
        P::DomainGetAutostart => call.typed(domains::autostart),
        P::DomainSetAutostart => call.typed(domains::set_autostart),
        P::DomainGetSecurityLabel => call.typed(domains::security_label),

        // Domains: started, stopped, steered.
        P::DomainCreateXml => call.typed(life::create_xml),
        P::DomainCreateXmlWithFiles => call.typed(life::create_xml_with_files),
        P::DomainCreate => call.typed(life::create),
        P::DomainCreateWithFlags => call.typed(life::create_with_flags),
        P::DomainCreateWithFiles => call.typed(life::create_with_files),
        P::DomainDestroy => call.typed(life::destroy),
        P::DomainDestroyFlags => call.typed(life::destroy_flags),
        P::DomainShutdown => call.typed(life::shutdown),
        P::DomainShutdownFlags => call.typed(life::shutdown_flags),
        P::DomainReboot => call.typed(life::reboot),
        P::DomainSuspend => call.typed(life::suspend),
        P::DomainResume => call.typed(life::resume),
        P::DomainOpenConsole => call.special(life::open_console),

        // Networks.
        P::ConnectListAllNetworks => call.typed(networks::list_all),
        P::ConnectListNetworks => call.typed(networks::list_active),
        P::ConnectListDefinedNetworks => call.typed(networks::list_defined),
        P::ConnectNumOfNetworks => call.typed(networks::count_active),
        P::ConnectNumOfDefinedNetworks => call.typed(networks::count_defined),
        P::NetworkLookupByName => call.typed(networks::lookup_by_name),
        P::NetworkLookupByUuid => call.typed(networks::lookup_by_uuid),
        P::NetworkDefineXml => call.typed(networks::define),
        P::NetworkDefineXmlFlags => call.typed(networks::define_flags),
        P::NetworkCreateXml => call.typed(networks::create_xml),
        P::NetworkCreateXmlFlags => call.typed(networks::create_xml_flags),
        P::NetworkCreate => call.typed(networks::create),
        P::NetworkDestroy => call.typed(networks::destroy),
        P::NetworkUndefine => call.typed(networks::undefine),
        P::NetworkUpdate => call.typed(networks::update),
        P::NetworkGetXmlDesc => call.typed(networks::xml_desc),
        P::NetworkGetBridgeName => call.typed(networks::bridge_name),
        P::NetworkGetAutostart => call.typed(networks::get_autostart),
        P::NetworkSetAutostart => call.typed(networks::set_autostart),
        P::NetworkIsActive => call.typed(networks::is_active),
        P::NetworkIsPersistent => call.typed(networks::is_persistent),
        P::NetworkGetDhcpLeases => call.typed(networks::dhcp_leases),
        P::NetworkListAllPorts => call.typed(networks_ports::list_all),
        P::NetworkPortLookupByUuid => call.typed(networks_ports::lookup_by_uuid),
        P::NetworkPortCreateXml => call.typed(networks_ports::create_xml),
        P::NetworkPortGetXmlDesc => call.typed(networks_ports::xml_desc),
        P::NetworkPortDelete => call.typed(networks_ports::delete),
        P::NetworkPortGetParameters => call.typed(networks_ports::get_parameters),
        P::NetworkPortSetParameters => call.typed(networks_ports::set_parameters),

        // Domains: limits and metadata.
        P::DomainSetMemory => call.typed(tuning::set_memory),
        P::DomainSetMaxMemory => call.typed(tuning::set_max_memory),
        P::DomainSetMemoryFlags => call.typed(tuning::set_memory_flags),
        P::DomainGetMemoryParameters => call.typed(tuning::memory_parameters),
        P::DomainSetMemoryParameters => call.typed(tuning::set_memory_parameters),
        P::DomainGetBlkioParameters => call.typed(tuning::block_parameters),
        P::DomainSetBlkioParameters => call.typed(tuning::set_block_parameters),
        P::DomainGetSchedulerType => call.typed(tuning::scheduler_type),
        P::DomainGetSchedulerParameters => call.typed(tuning::scheduler_parameters),
        P::DomainGetSchedulerParametersFlags => call.typed(tuning::scheduler_parameters_flags),
        P::DomainSetSchedulerParameters => call.typed(tuning::set_scheduler_parameters),
        P::DomainSetSchedulerParametersFlags => call.typed(tuning::set_scheduler_parameters_flags),
        P::DomainGetMetadata => call.typed(tuning::metadata),
        P::DomainSetMetadata => call.typed(tuning::set_metadata),

        // Domains: devices.
        P::DomainAttachDevice => call.typed(devices::attach),
        P::DomainAttachDeviceFlags => call.typed(devices::attach_flags),
        P::DomainDetachDevice => call.typed(devices::detach),
        P::DomainDetachDeviceFlags => call.typed(devices::detach_flags),
        P::DomainUpdateDeviceFlags => call.typed(devices::update_flags),

        // Domains: what they have used, where they can be reached.
        P::DomainGetCpuStats => call.typed(stats::cpu_stats),
        P::DomainMemoryStats => call.typed(stats::memory_stats),
        P::DomainInterfaceStats => call.typed(stats::interface_stats),
        P::DomainBlockStats => call.typed(stats::block_stats),
        P::DomainBlockStatsFlags => call.typed(stats::block_stats_flags),
        P::ConnectGetAllDomainStats => call.typed(stats::all_stats),
        P::DomainInterfaceAddresses => call.typed(stats::addresses),
        P::DomainGetHostname => call.typed(stats::hostname),
        P::DomainGetFsinfo => call.typed(inside::file_systems),
        P::DomainGetGuestInfo => call.typed(inside::guest_info),
        P::DomainGetTime => call.typed(inside::time),
        P::DomainSendProcessSignal => call.typed(stats::send_signal),

        // libvirt's one exception: it answers well, and says -1 in the result.
        P::DomainGetSecurityLabelList => call.typed(|_, _: remote::DomainGetSecurityLabelListArgs| {
            Ok(remote::DomainGetSecurityLabelListRet { labels: Vec::new(), ret: -1 })
        }),

        // Storage pools, secrets, network filters.
        other if matches!(other.info().domain, 18 | 30 | 33) => beside::answer(call, other),
        other => lacking::answer(call, other),
    }
}

pub fn lxc_program(call: &Call, procedure: Option<lxc::Procedure>) -> Result<Reply> {
    match procedure {
        Some(lxc::Procedure::DomainOpenNamespace) => call.special(stats::open_namespace),
        None => Err(Error::internal(ErrorDomain::Rpc, "unknown procedure")),
    }
}

/// Our own program: see `crates/rpc/src/protocol/virtlxc.rs`.
pub fn own_program(call: &Call, procedure: virtlxc::Procedure) -> Result<Reply> {
    use virtlxc::Procedure as P;
    match procedure {
        P::ConnectGetVersion => call.typed(connect::own_version),
        P::DomainRun => call.special(inside::run),
    }
}
