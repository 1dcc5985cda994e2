//! A network that ended leaves its containers unplugged; when it starts again they are plugged in again.

use crate::driver::Driver;
use crate::interfaces::{netlink, owner};
use conf::domain::{Domain, Interface, InterfaceSource};
use linux::netlink::Socket;

impl Driver {
    /// The network has just started.
    pub fn plug_again(&self, network: &str) {
        let running: Vec<_> = self
            .all()
            .iter()
            .filter_map(|object| object.lock().live.as_ref().map(|live| live.domain.clone()))
            .collect();
        let on_it = |interface: &&Interface| matches!(&interface.source, InterfaceSource::Network { network: name, .. } if name == network);
        let mut socket = None;
        for domain in running.iter().filter(|domain| domain.interfaces.iter().any(|interface| on_it(&interface))) {
            for interface in domain.interfaces.iter().filter(on_it) {
                if socket.is_none() {
                    match netlink() {
                        Ok(made) => socket = Some(made),
                        Err(error) => return tracing::error!("{error}"),
                    }
                }
                let Some(socket) = &mut socket else { return };
                if let Err(error) = self.plug_one_again(socket, domain, interface, network) {
                    tracing::error!("domain '{}': not plugged into network '{network}' again: {error}", domain.name);
                }
            }
            if let Err(error) = self.forward_ports(domain) {
                tracing::error!("domain '{}': {error}", domain.name);
            }
        }
    }

    fn plug_one_again(
        &self,
        socket: &mut Socket,
        domain: &Domain,
        interface: &Interface,
        network: &str,
    ) -> Result<(), String> {
        let Some(port) = &interface.port_id else { return Ok(()) };
        let owner = owner((&domain.name, &domain.uuid), interface);
        let link = self.networks.claim_port(network, port, &owner).map_err(|e| e.message)?;
        let (Some(bridge), Some(name)) = (link.bridge(), &interface.target_dev) else { return Ok(()) };
        socket.set_master(name, Some(bridge)).map_err(|e| format!("{name} on {bridge}: {e}"))?;
        if link.isolated {
            socket.set_isolated(name, true).map_err(|e| format!("{name} isolated: {e}"))?;
        }
        tracing::info!("domain '{}': {name} is plugged into network '{network}' again", domain.name);
        Ok(())
    }
}
