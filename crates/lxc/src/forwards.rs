//! `<virtlxc:forward>`: ports of the host that lead into the container.

use crate::driver::Driver;
use api::{Error, ErrorDomain, Result};
use conf::domain::{ActualKind, Domain, Forward, ForwardProtocol, Interface, InterfaceSource};
use network::PortForward;
use std::net::IpAddr;

impl Driver {
    /// Sets up what the document asks for; the interfaces are plugged in.
    pub(crate) fn forward_ports(&self, live: &Domain) -> Result<()> {
        if live.extension.forwards.is_empty() {
            return Ok(());
        }
        let forwards = live.extension.forwards.iter().map(rule).collect::<Result<Vec<_>>>()?;
        let plugged = |interface: &Interface| match (&interface.source, interface.port_id, &interface.actual) {
            (InterfaceSource::Network { network, .. }, Some(port), Some(actual))
                if actual.kind == ActualKind::Network =>
            {
                let address = interface.ips.iter().find_map(|ip| match ip.address {
                    IpAddr::V4(v4) => Some(v4),
                    IpAddr::V6(_) => None,
                });
                Some((network.clone(), port, address))
            }
            _ => None,
        };
        let Some((network, port, address)) = live.interfaces.iter().find_map(plugged) else {
            return Err(Error::config_unsupported(
                ErrorDomain::Lxc,
                "ports can be forwarded to an interface on a virtual network only, and the domain has none",
            ));
        };
        self.networks.forward_ports(&network, &port, address, &forwards)?;
        Ok(())
    }
}

fn rule(forward: &Forward) -> Result<PortForward> {
    let host_address = match forward.host_address {
        None => None,
        Some(IpAddr::V4(v4)) => Some(v4),
        Some(IpAddr::V6(v6)) => {
            let words = format!("ports of the IPv6 address {v6} cannot be forwarded");
            return Err(Error::config_unsupported(ErrorDomain::Lxc, words));
        }
    };
    let protocol = match forward.protocol {
        ForwardProtocol::Tcp => "tcp",
        ForwardProtocol::Udp => "udp",
    };
    Ok(PortForward { protocol, host_address, host_port: forward.host_port, port: forward.port })
}
