//! What a definition gets that its document leaves open, and how it must differ from the other networks.

use super::{ForwardMode, Network};
use crate::Mac;
use api::{Error, ErrorDomain, Result};

/// Bridges are numbered up to this.
const LARGEST_NUMBER: u32 = 256;

impl Network {
    /// Gives the network's own bridge a name and an address. `taken` tells whether a link or another network
    /// has a name already.
    pub fn complete(&mut self, new_mac: Mac, taken: &dyn Fn(&str) -> bool) -> Result<()> {
        if !self.forward.mode.owns_bridge() {
            return Ok(());
        }
        let template = match self.bridge.name.as_deref() {
            None => Some("virbr%d"),
            Some(name) if name.contains("%d") && name.find("%d") == name.rfind('%') => Some(name),
            // There can be one number in it.
            Some(name) if name.contains("%d") => Some("virbr%d"),
            Some(_) => None,
        };
        if let Some(template) = template {
            let free = (0..=LARGEST_NUMBER).map(|n| template.replacen("%d", &n.to_string(), 1)).find(|n| !taken(n));
            let words = || format!("Bridge generation exceeded max id {LARGEST_NUMBER}");
            self.bridge.name = Some(free.ok_or_else(|| Error::internal(ErrorDomain::Network, words()))?);
        }
        self.mac = self.mac.or(Some(new_mac));
        Ok(())
    }

    /// Refuses a bridge that one of `others` has.
    pub fn refuse_shared_bridge<'a>(&self, mut others: impl Iterator<Item = &'a Network>) -> Result<()> {
        let Some(bridge) = self.bridge.name.as_deref().filter(|name| !name.contains("%d")) else { return Ok(()) };
        if !self.forward.mode.owns_bridge() {
            return Ok(());
        }
        match others.any(|other| other.name != self.name && other.bridge.name.as_deref() == Some(bridge)) {
            true => Err(Error::internal(ErrorDomain::Network, format!("bridge name '{bridge}' already in use."))),
            false => Ok(()),
        }
    }

    /// Refuses a name or UUID that belongs to one of `others` together with another UUID or name.
    pub fn refuse_shared_name<'a>(&self, others: impl Iterator<Item = &'a Network>) -> Result<()> {
        let mut found = None;
        for other in others {
            let words = match (other.uuid == self.uuid, other.name == self.name) {
                (true, false) => format!("network '{}' is already defined with uuid {}", other.name, other.uuid),
                (false, true) => format!("network '{}' already exists with uuid {}", other.name, other.uuid),
                _ => continue,
            };
            // What has the same UUID counts first.
            if found.is_none() || other.uuid == self.uuid {
                found = Some(words);
            }
        }
        found.map_or(Ok(()), |words| Err(Error::operation_failed(ErrorDomain::Network, words)))
    }

    /// What a running network shows beyond its definition.
    pub fn with_live_defaults(&self) -> Network {
        let mut live = self.clone();
        if live.forward.mode == ForwardMode::Nat && live.forward.nat.port == (0, 0) {
            live.forward.nat.port = (1024, 65535);
        }
        live
    }
}
