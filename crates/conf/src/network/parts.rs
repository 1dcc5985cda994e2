//! `<bandwidth>`, `<vlan>` and `<virtualport>` of networks and their groups of ports.

use crate::Bandwidth;
use crate::element::Element;
use crate::netdev;
use crate::refuse;
use crate::xml::Node;
use api::Result;

/// The `<bandwidth>` inside `parent`; nothing is guaranteed to all of a network.
pub(super) fn bandwidth(parent: Node) -> Result<Option<Bandwidth>> {
    let Some(bandwidth) = parent.child("bandwidth").map(netdev::bandwidth).transpose()?.flatten() else {
        return Ok(None);
    };
    if bandwidth.inbound.is_some_and(|rate| rate.floor > 0) {
        return Err(refuse::bare_unsupported("floor attribute is not supported for this config"));
    }
    Ok(Some(bandwidth))
}

pub(super) fn vlan(parent: Node) -> Result<Option<Element>> {
    parent.child("vlan").map(netdev::vlan).transpose()
}

pub(super) fn virtualport(parent: Node, kind_needed: bool) -> Result<Option<Element>> {
    let port = parent.child("virtualport").map(|node| netdev::virtual_port(node, kind_needed, None)).transpose()?;
    Ok(port.filter(|port| !port.is_bare()))
}
