//! System information, performance events, keys and protected memory of machines: kept, with libvirt's rules.

use super::parse::Context;
use super::*;
use crate::refuse::{self, Place};
use crate::xml::Node;

/// Entries of the parts of `<sysinfo type='smbios'>`, in the order in which they are written.
const ENTRIES: [(&str, &[&str]); 4] = [
    ("bios", &["vendor", "version", "date", "release"]),
    ("system", &["manufacturer", "product", "version", "serial", "uuid", "sku", "family"]),
    ("baseBoard", &["manufacturer", "product", "version", "serial", "asset", "location"]),
    ("chassis", &["manufacturer", "version", "serial", "asset", "sku"]),
];

pub(super) fn sysinfo(node: Node, context: &Context, uuid: &Uuid) -> Result<Element> {
    let mut element = context.keep(node, "sysinfo")?;
    for strings in element.children.iter_mut().filter(|part| part.name == "oemStrings") {
        for entry in &mut strings.children {
            entry.text.get_or_insert_default();
        }
    }
    for part in &mut element.children {
        let Some((name, order)) = ENTRIES.iter().find(|(name, _)| *name == part.name) else { continue };
        let place = |entry: &Element| order.iter().position(|name| Some(*name) == entry.attr("name"));
        // The first of each name counts, be it empty.
        part.children.sort_by_key(place);
        part.children.dedup_by_key(|entry| place(entry));
        part.children.retain(|entry| place(entry).is_some() && entry.text.is_some());
        let value = |wanted: &str| {
            let entry = part.children.iter().find(|entry| entry.attr("name") == Some(wanted));
            entry.and_then(|entry| entry.text.as_deref())
        };
        if let Some(date) = value("date").filter(|_| *name == "bios") {
            if !is_date(date) {
                return Err(refuse::detail("Invalid BIOS 'date' format"));
            }
        }
        if let Some(text) = value("uuid").filter(|_| *name == "system") {
            match Uuid::parse(text) {
                None => return Err(refuse::detail("malformed <sysinfo> uuid element")),
                Some(found) if found != *uuid => {
                    return Err(refuse::detail("UUID mismatch between <uuid> and <sysinfo>"));
                }
                Some(_) => {}
            }
        }
    }
    element.children.retain(|part| !part.is_bare());
    Ok(element)
}

/// Month, day and year, as SMBIOS has them: `12/31/99`, `12/31/1999`.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('/').collect();
    let number = |at: usize| parts.get(at).and_then(|part| part.parse::<u32>().ok()).unwrap_or(0);
    let year = parts.get(2).map_or(0, |year| year.len());
    parts.len() == 3 && (1..=12).contains(&number(0)) && (1..=31).contains(&number(1)) && matches!(year, 2 | 4)
}

/// Events in the order of the table.
pub(super) fn perf(root: Node, context: &Context) -> Result<Option<Element>> {
    let Some(node) = root.child("perf") else { return Ok(None) };
    let mut perf = context.keep(node, "perf")?;
    for (at, event) in perf.children.iter().enumerate() {
        if perf.children[..at].iter().any(|other| other.attr("name") == event.attr("name")) {
            let name = event.attr("name").unwrap_or_default();
            return Err(refuse::xml(format!("perf event '{name}' was already specified"))).at(node);
        }
    }
    let order = crate::shape::DOMAIN.words("perf", "event", "name");
    perf.children.sort_by_key(|event| order.iter().position(|name| Some(*name) == event.attr("name")));
    Ok(Some(perf).filter(|perf| !perf.is_bare()))
}

pub(super) fn keywrap(root: Node, context: &Context) -> Result<Option<Element>> {
    let Some(node) = root.child("keywrap") else { return Ok(None) };
    let mut keywrap = context.keep(node, "keywrap")?;
    for (at, cipher) in keywrap.children.iter().enumerate() {
        if keywrap.children[..at].iter().any(|other| other.attr("name") == cipher.attr("name")) {
            let name = cipher.attr("name").unwrap_or_default();
            let message = format!("A domain definition can have no more than one cipher node with name {name}");
            return Err(refuse::internal(message)).at(node);
        }
    }
    keywrap.children.sort_by_key(|cipher| cipher.attr("name") != Some("aes"));
    Ok(Some(keywrap).filter(|keywrap| !keywrap.is_bare()))
}

pub(super) fn launch_security(root: Node, context: &Context) -> Result<Option<Element>> {
    let Some(node) = root.child("launchSecurity") else { return Ok(None) };
    let mut element = context.keep(node, "launchSecurity")?;
    if element.attr("type") == Some("sev") {
        let policy = element.child_mut("policy");
        let number = policy.as_ref().and_then(|p| p.text.as_deref()).and_then(|t| crate::number::u32_of(t, 16));
        match policy.zip(number) {
            Some((policy, number)) => policy.text = Some(format!("0x{number:04x}")),
            None => return Err(refuse::xml("failed to get launch security policy")).at(node),
        }
    }
    Ok(Some(element))
}
