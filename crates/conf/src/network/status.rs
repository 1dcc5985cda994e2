//! The file of a running network.

use super::format::Connections;
use super::read::{internal, xml_error};
use super::{Network, validate};
use crate::xml::{Document, Source, Writer};
use api::{ErrorDomain, Result, Uuid};

impl Network {
    /// What the file of a running network holds.
    pub fn format_status(&self) -> String {
        let mut w = Writer::new();
        w.open("networkstatus");
        // Classes and guarantees of traffic control: those that every bridge has from the start.
        w.open("class_id");
        w.attr("bitmap", "0-2");
        w.close();
        w.open("floor");
        w.attr("sum", 0);
        w.close();
        self.write(&mut w, &Connections::default());
        w.close();
        w.finish().trim_end().to_string()
    }

    /// Reads what `format_status` or an older libvirt wrote: there the document may stand alone.
    pub fn parse_status(xml: &[u8], file: &str) -> Result<Network> {
        let source = Source { name: file, domain: ErrorDomain::Network };
        let document = Document::parse(xml, source)?;
        let root = document.root();
        let node = match root.name() {
            "network" => Some(root),
            "networkstatus" => root.child("network"),
            other => return xml_error(format!("unexpected root element <{other}>, expecting <networkstatus>")),
        };
        let Some(node) = node.filter(|node| node.child("uuid").is_some()) else {
            return internal(format!("no network, or one without its uuid, in '{file}'"));
        };
        let network = Network::from_node(node, Uuid([0; 16]))?;
        validate::routes_reachable(&network)?;
        Ok(network)
    }
}
