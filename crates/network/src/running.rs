//! From a definition to a running network, and back.

use crate::files::{self, Files};
use crate::{bandwidth, bridge, dnsmasq, firewall};
use api::{Error, ErrorDomain, Result};
use conf::Mac;
use conf::network::Network;
use std::net::Ipv4Addr;
use std::path::Path;

/// Starts what the network consists of; undoes all of it if a step fails.
pub fn start(network: &Network, files: &Files, proc: &Path) -> Result<()> {
    if network.forward.pf.is_some() {
        return Err(Error::config_unsupported(
            ErrorDomain::Network,
            format!("network '{}' takes its devices from a PCI function, which is not supported", network.name),
        ));
    }
    if let Some(zone) = &network.bridge.zone {
        let words = format!("zone {zone} requested for network {} but firewalld is not active", network.name);
        return Err(Error::internal(ErrorDomain::Network, words));
    }
    if network.forward.mode.owns_bridge() {
        let mut socket = bridge::socket()?;
        bridge::refuse_subnet_in_use(&mut socket, network)?;
        let name = bridge::create(&mut socket, network)?;
        let mut steps = || -> Result<()> {
            bridge::set_ipv6(network, &name, proc)?;
            firewall::load(network)?;
            bridge::configure(&mut socket, network, &name)?;
            bridge::enable_forwarding(network, proc)?;
            dnsmasq::start(network, &[], files)?;
            match &network.bandwidth {
                Some(limits) => bandwidth::limit(&mut socket, &name, limits),
                None => Ok(()),
            }
        };
        steps().inspect_err(|_| stop(network, files, proc))?;
    }
    save(network, files).inspect_err(|_| stop(network, files, proc))
}

/// Takes everything away. It goes on whatever fails.
pub fn stop(network: &Network, files: &Files, proc: &Path) {
    files::remove_file(&files.status(&network.name));
    if !network.forward.mode.owns_bridge() {
        return;
    }
    dnsmasq::stop(&network.name, files, proc);
    if let Some(name) = network.bridge.name.as_deref() {
        match bridge::socket() {
            Ok(mut socket) => bridge::delete(&mut socket, name),
            Err(e) => tracing::warn!("{}", e.message),
        }
    }
    if let (Some(name), Some(limits)) = (&network.bridge.name, &network.bandwidth) {
        bandwidth::forget(name, limits);
    }
    if let Err(e) = firewall::remove(network) {
        tracing::warn!("{}", e.message);
    }
}

/// The file that says that the network runs, and how.
pub fn save(network: &Network, files: &Files) -> Result<()> {
    files::make_folder(files.run())?;
    let text = conf::file::with_header(&edit_command(&network.name), &network.format_status());
    files::write(&files.status(&network.name), &text, 0o600)
}

/// After a restart of the daemon: rules and dnsmasq are there again. `false` where the bridge is gone.
pub fn reattach(network: &Network, reserved: &[(Mac, Ipv4Addr)], files: &Files, proc: &Path) -> bool {
    if !network.forward.mode.owns_bridge() {
        return true;
    }
    let name = network.bridge.name.as_deref().unwrap_or_default();
    if !bridge::socket().is_ok_and(|mut socket| bridge::exists(&mut socket, name)) {
        return false;
    }
    if let Err(e) = firewall::load(network) {
        tracing::error!("{}", e.message);
    }
    if dnsmasq::is_needed(network)
        && dnsmasq::running(&network.name, files, proc).is_none()
        && let Err(e) = dnsmasq::start(network, reserved, files)
    {
        tracing::error!("network '{}': {}", network.name, e.message);
    }
    true
}

/// What the comment in a network's files names; two hyphens in a row would end the comment.
pub fn edit_command(network: &str) -> String {
    format!("net-edit {}", network.replace("--", "- -"))
}
