//! Calls about the connection itself: opening, names, versions, features, events.

use crate::call::{Call, no_flags};
use crate::daemon::{Driver, Opened};
use crate::events::{self, Kind};
use api::{Code, Error, ErrorDomain, Result};
use rpc::Str;
use rpc::remote::*;
use rpc::server::{Reply, Then};

/// The libvirt whose interface this is.
const LIBVIRT_VERSION: u64 = 9_000_000;

pub fn auth_list(_: &Call, _: ()) -> Result<AuthListRet> {
    Ok(AuthListRet { types: vec![AuthType::None] })
}

pub fn no_authentication(_: &Call, _: ()) -> Result<()> {
    Err(Error::new(ErrorDomain::Rpc, Code::AuthFailed, "authentication failed"))
}

pub fn open(call: &Call, args: ConnectOpenArgs) -> Result<()> {
    let Some(name) = args.name else {
        return Err(Error::internal(ErrorDomain::Rpc, "connection not open"));
    };
    let mut state = call.client.session.state();
    if state.opened.is_some() {
        return Err(Error::internal(ErrorDomain::Rpc, "connection already open"));
    }
    let read_only = call.client.peer.read_only || args.flags & 1 != 0;
    let (uri, driver) = accepted_uri(&name.to_string_lossy())?;
    state.opened = Some(Opened { uri, driver, read_only });
    Ok(())
}

/// The URI as `CONNECT_GET_URI` says it, and the driver that it names; an error where there is no such driver here.
fn accepted_uri(name: &str) -> Result<(String, Driver)> {
    if name.is_empty() {
        return Ok(("lxc:///system".to_string(), Driver::Lxc));
    }
    let foreign = || Error::new(ErrorDomain::None, Code::NoConnect, name);
    let (scheme, rest) = name.split_once(':').ok_or_else(foreign)?;
    let (driver, domain) = match scheme {
        "lxc" => (Driver::Lxc, ErrorDomain::Lxc),
        "network" => (Driver::Network, ErrorDomain::Network),
        _ => return Err(foreign()),
    };
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    let accepted: &[&str] = if driver == Driver::Lxc { &["", "/", "/system"] } else { &["/system"] };
    if accepted.contains(&path) {
        return Ok((format!("{scheme}://{rest}"), driver));
    }
    if !path.is_empty() && !path.starts_with('/') {
        return Err(foreign());
    }
    let words = match driver {
        Driver::Lxc => format!("Unexpected LXC URI path '{path}', try lxc:///system"),
        Driver::Network => format!("unexpected network URI path '{path}', try network:///system"),
    };
    Err(Error::internal(domain, words))
}

pub fn close() -> Reply {
    Reply { then: Then::Close, ..Reply::default() }
}

pub fn supports_feature(call: &Call, args: ConnectSupportsFeatureArgs) -> Result<ConnectSupportsFeatureRet> {
    /// Descriptors, strings in parameters, keepalive, event callbacks, close callbacks, the order of network updates.
    const SUPPORTED: &[i32] = &[8, 9, 10, 14, 15, 16];
    const KEEPALIVE: i32 = 10;
    if args.feature == KEEPALIVE {
        call.client.want_keepalive();
    } else {
        call.read_only()?;
    }
    Ok(ConnectSupportsFeatureRet { supported: i32::from(SUPPORTED.contains(&args.feature)) })
}

pub fn kind(call: &Call, _: ()) -> Result<ConnectGetTypeRet> {
    let driver = call.client.session.state().opened.as_ref().map(|opened| opened.driver);
    let name = if driver == Some(Driver::Network) { "network" } else { "LXC" };
    Ok(ConnectGetTypeRet { r#type: Str::from(name) })
}

pub fn version(call: &Call, _: ()) -> Result<ConnectGetVersionRet> {
    Ok(ConnectGetVersionRet { hv_ver: call.daemon.host.kernel_version() })
}

pub fn lib_version(_: &Call, _: ()) -> Result<ConnectGetLibVersionRet> {
    Ok(ConnectGetLibVersionRet { lib_ver: LIBVIRT_VERSION })
}

/// Of this daemon, not of the libvirt whose interface it has.
pub fn own_version(_: &Call, _: ()) -> Result<rpc::virtlxc::ConnectGetVersionRet> {
    Ok(rpc::virtlxc::ConnectGetVersionRet { version: env!("CARGO_PKG_VERSION").into() })
}

pub fn hostname(call: &Call, _: ()) -> Result<ConnectGetHostnameRet> {
    Ok(ConnectGetHostnameRet { hostname: call.daemon.host.hostname().into() })
}

pub fn uri(call: &Call, _: ()) -> Result<ConnectGetUriRet> {
    let state = call.client.session.state();
    let uri = state.opened.as_ref().map(|opened| Str::from(&opened.uri));
    uri.map(|uri| ConnectGetUriRet { uri }).ok_or_else(|| Error::internal(ErrorDomain::Rpc, "connection not open"))
}

pub fn is_secure(_: &Call, _: ()) -> Result<ConnectIsSecureRet> {
    // A local socket: nobody else can listen.
    Ok(ConnectIsSecureRet { secure: 1 })
}

pub fn sysinfo(_: &Call, args: ConnectGetSysinfoArgs) -> Result<ConnectGetSysinfoRet> {
    no_flags(args.flags, "lxcConnectGetSysinfo", ErrorDomain::Lxc)?;
    Err(Error::config_unsupported(ErrorDomain::Lxc, "Host SMBIOS information is not available"))
}

/// The connection never closes of the daemon's own will: nothing would ever be called.
pub fn close_callback(_: &Call, _: ()) -> Result<()> {
    Ok(())
}

/// From a proxy, about the client behind it. Access depends on the socket alone here.
pub fn set_identity(_: &Call, args: ConnectSetIdentityArgs) -> Result<()> {
    no_flags(args.flags, "virConnectSetIdentity", ErrorDomain::None)
}

pub fn event_register(call: &Call, _: ()) -> Result<ConnectDomainEventRegisterRet> {
    let mut state = call.client.session.state();
    events::register_legacy(&call.daemon.callback_ids, &mut state.registrations, 0)?;
    Ok(ConnectDomainEventRegisterRet { cb_registered: 0 })
}

pub fn event_deregister(call: &Call, _: ()) -> Result<ConnectDomainEventDeregisterRet> {
    events::deregister_legacy(&mut call.client.session.state().registrations, 0)?;
    Ok(ConnectDomainEventDeregisterRet { cb_registered: 0 })
}

pub fn event_register_any(call: &Call, args: ConnectDomainEventRegisterAnyArgs) -> Result<()> {
    let mut state = call.client.session.state();
    events::register_legacy(&call.daemon.callback_ids, &mut state.registrations, args.event_id)
}

pub fn event_deregister_any(call: &Call, args: ConnectDomainEventDeregisterAnyArgs) -> Result<()> {
    events::deregister_legacy(&mut call.client.session.state().registrations, args.event_id)
}

pub fn event_callback_register(
    call: &Call,
    args: ConnectDomainEventCallbackRegisterAnyArgs,
) -> Result<ConnectDomainEventCallbackRegisterAnyRet> {
    let mut state = call.client.session.state();
    let ids = &call.daemon.callback_ids;
    let callback_id = events::register_domain(ids, &mut state.registrations, args.event_id, args.dom)?;
    Ok(ConnectDomainEventCallbackRegisterAnyRet { callback_id })
}

pub fn event_callback_deregister(call: &Call, args: ConnectDomainEventCallbackDeregisterAnyArgs) -> Result<()> {
    events::deregister(&mut call.client.session.state().registrations, Kind::Domain, args.callback_id)
}

pub fn network_event_register(
    call: &Call,
    args: ConnectNetworkEventRegisterAnyArgs,
) -> Result<ConnectNetworkEventRegisterAnyRet> {
    let mut state = call.client.session.state();
    let ids = &call.daemon.callback_ids;
    let callback_id = events::register_network(ids, &mut state.registrations, args.event_id, args.net)?;
    Ok(ConnectNetworkEventRegisterAnyRet { callback_id })
}

pub fn network_event_deregister(call: &Call, args: ConnectNetworkEventDeregisterAnyArgs) -> Result<()> {
    events::deregister(&mut call.client.session.state().registrations, Kind::Network, args.callback_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_as_recorded() {
        for (name, answer, driver) in [
            ("", "lxc:///system", Driver::Lxc),
            ("lxc:///", "lxc:///", Driver::Lxc),
            ("lxc:", "lxc://", Driver::Lxc),
            ("network:///system", "network:///system", Driver::Network),
        ] {
            assert_eq!(accepted_uri(name), Ok((answer.to_string(), driver)), "{name}");
        }
        let bogus = accepted_uri("lxc:///session").unwrap_err();
        assert_eq!(bogus.message, "internal error: Unexpected LXC URI path '/session', try lxc:///system");
        assert_eq!((bogus.code, bogus.domain), (Code::InternalError, ErrorDomain::Lxc));
        for name in ["qemu:///system", "LXC:///", "lxc+unix:///", "lxc://host/"] {
            let foreign = accepted_uri(name).unwrap_err();
            assert_eq!(foreign.message, format!("no connection driver available for {name}"));
        }
    }
}
