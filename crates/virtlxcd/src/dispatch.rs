//! The table: each procedure and the handler that answers it. What is not here gets libvirt's answer for calls that a
//! driver lacks.

use crate::call::Call;
use crate::{connect, node};
use api::{Error, ErrorDomain, Result};
use rpc::remote::Procedure;
use rpc::server::Reply;
use rpc::{lxc, remote};

#[rustfmt::skip]
pub fn remote_program(call: &Call, procedure: Procedure) -> Result<Reply> {
    use Procedure as P;
    match procedure {
        // Before the connection is open.
        P::AuthList => call.early(connect::auth_list),
        P::AuthPolkit | P::AuthSaslInit | P::AuthSaslStart | P::AuthSaslStep => call.early(connect::no_authentication),
        P::ConnectOpen => call.early(connect::open),
        P::ConnectSupportsFeature => call.early(connect::supports_feature),

        // The connection.
        P::ConnectClose => call.special(connect::close),
        P::ConnectGetType => call.typed(connect::kind),
        P::ConnectGetVersion => call.typed(connect::version),
        P::ConnectGetLibVersion => call.typed(connect::lib_version),
        P::ConnectGetHostname => call.typed(connect::hostname),
        P::ConnectGetUri => call.typed(connect::uri),
        P::ConnectGetSysinfo => call.typed(connect::sysinfo),
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
        P::NodeGetFreePages => call.typed(node::free_pages),
        P::NodeGetSecurityModel => call.typed(node::security_model),

        // libvirt's one exception: it answers well, and says -1 in the result.
        P::DomainGetSecurityLabelList => call.typed(|_, _: remote::DomainGetSecurityLabelListArgs| {
            Ok(remote::DomainGetSecurityLabelListRet { labels: Vec::new(), ret: -1 })
        }),
        other => call.not_supported(other.info()),
    }
}

pub fn lxc_program(call: &Call, procedure: Option<lxc::Procedure>) -> Result<Reply> {
    match procedure {
        Some(lxc::Procedure::DomainOpenNamespace) => call.not_supported(lxc::Procedure::DomainOpenNamespace.info()),
        None => Err(Error::internal(ErrorDomain::Rpc, "unknown procedure")),
    }
}
