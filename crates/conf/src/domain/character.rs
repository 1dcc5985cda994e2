//! Consoles and the other character devices: reading.

use super::parse::{Check, Context};
use super::*;
use crate::number;
use crate::refuse::{self, Place};
use crate::xml::Node;

pub(super) fn console(node: Node, context: &Context) -> Result<Console> {
    let element = context.keep(node, "characterTypes")?;
    let kind = element.attr("type").unwrap_or_default().to_string();
    let target = node.child("target");
    let target_kind = target.and_then(|t| t.attr("type")).unwrap_or("none");
    const TARGETS: [&str; 12] =
        ["none", "serial", "xen", "uml", "virtio", "lxc", "openvz", "sclp", "sclplm", "pvh", "xenbus", "sclpconsole"];
    if !TARGETS[..9].contains(&target_kind) {
        let message = format!("unknown target type '{target_kind}' specified for character device");
        return Err(refuse::unsupported(message));
    }
    if let Some(port) = target.and_then(|t| t.attr("port")) {
        number::u32_wrapping(port, 10).ok_or_else(|| refuse::xml(format!("Invalid port number: {port}")))?;
    }
    let mut kept = context.later(Check::Character, source(node, context, &kind).at(node)).unwrap_or_default();
    kept.extend(storage::info(node, context)?.into_iter().filter(|part| part.name != "boot"));
    let mut console = Console {
        kind,
        target_kind: if target_kind == "none" { "lxc" } else { target_kind }.to_string(),
        port: 0,
        tty: None,
        source_path: None,
        alias: None,
        kept,
    };
    if context.live {
        console.tty = node.attr("tty").map(str::to_string);
        console.source_path = node.child("source").and_then(|s| s.attr("path")).map(str::to_string);
        console.alias = node.child("alias").and_then(|a| a.attr("name")).map(str::to_string);
        console.kept.retain(|element| element.name != "alias");
    }
    Ok(console)
}

/// `source`, `protocol` and `log` of a character device of a kind, as they are kept.
pub(super) fn source(node: Node, context: &Context, kind: &str) -> Result<Vec<Element>> {
    let parts = context.keep(node, "characterSource")?.children;
    let sources: Vec<&Element> = parts.iter().filter(|p| p.name == "source").collect();
    let one = |at: usize| -> Result<Option<&Element>> {
        match sources.len() > at + 1 {
            true => Err(refuse::xml("only one source element is allowed for character device")),
            false => Ok(sources.get(at).copied()),
        }
    };
    let missing = |what: &str| refuse::internal(format!("Missing source {what} attribute for char device"));
    let channel = || refuse::unsupported("Missing source channel attribute for char device");
    let mut kept = Vec::new();
    if kind != "udp" {
        one(0)?;
    }
    match kind {
        "file" | "dev" | "pipe" => {
            let path = one(0)?.and_then(|s| s.attr("path")).ok_or_else(|| missing("path"))?;
            let mut source = Element::new("source").with("path", path);
            if kind == "file" {
                copy(one(0)?, &mut source, &["append"]);
            }
            source.children.extend(labels(one(0)?)?);
            kept.push(source);
        }
        "unix" => {
            let path = one(0)?.and_then(|s| s.attr("path"));
            let mode = mode(one(0)?)?;
            match path {
                Some(path) => {
                    let mut source = Element::new("source").with("mode", mode).with("path", path);
                    source.children.extend(reconnect(one(0)?)?);
                    source.children.extend(labels(one(0)?)?);
                    kept.push(source);
                }
                None if node.name() == "channel" && named_channel(node) => {}
                None => return Err(missing("path")),
            }
        }
        "tcp" => {
            let found = one(0)?;
            let mode = mode(found)?;
            let host = found.and_then(|s| s.attr("host")).ok_or_else(|| missing("host"))?;
            let service = found.and_then(|s| s.attr("service")).ok_or_else(|| missing("service"))?;
            let mut source = Element::new("source").with("mode", mode).with("host", host).with("service", service);
            copy(found, &mut source, &["tls"]);
            source.children.extend(reconnect(found)?);
            kept.push(source);
            kept.push(Element::new("protocol").with("type", protocol(&parts)?));
        }
        "udp" => kept.extend(datagram(&sources)?),
        "spiceport" | "dbus" => {
            let channel = one(0)?.and_then(|s| s.attr("channel")).ok_or_else(channel)?;
            kept.push(Element::new("source").with("channel", channel));
        }
        "nmdm" => {
            let part = |name: &str| sources.first().and_then(|source| source.attr(name));
            match (part("master"), part("slave")) {
                (Some(master), Some(slave)) => {
                    kept.push(Element::new("source").with("master", master).with("slave", slave));
                }
                (None, None) => {}
                _ => {
                    let message = "Should define both master and slave path attributes for nmdm device";
                    return Err(refuse::internal(message));
                }
            }
        }
        "qemu-vdagent" => {
            let mut source = Element::new("source");
            for name in ["clipboard", "mouse"] {
                source.children.extend(one(0)?.and_then(|s| s.child(name)).filter(|c| !c.is_bare()).cloned());
            }
            kept.extend(Some(source).filter(|s| !s.is_bare()));
        }
        _ => {}
    }
    let log = only(&parts, "log")?;
    kept.extend(log.filter(|log| log.attr("file").is_some()).cloned());
    Ok(kept)
}

fn only<'a>(parts: &'a [Element], name: &str) -> Result<Option<&'a Element>> {
    let mut all = parts.iter().filter(|part| part.name == name);
    match (all.next(), all.next()) {
        (_, Some(_)) => Err(refuse::xml(format!("only one {name} element is allowed for character device"))),
        (one, None) => Ok(one),
    }
}

fn copy(from: Option<&Element>, to: &mut Element, names: &[&str]) {
    for name in names {
        if let Some(value) = from.and_then(|f| f.attr(name)) {
            to.set(name, value);
        }
    }
}

/// Labels of a source, as they are written: without those that only say that they were left out.
pub(super) fn labels(source: Option<&Element>) -> Result<Vec<Element>> {
    let mut kept: Vec<Element> = Vec::new();
    let mut models = Vec::new();
    for label in source.into_iter().flat_map(|source| &source.children).filter(|child| child.name == "seclabel") {
        let model = label.attr("model").unwrap_or("<null>");
        if label.attr("model").is_some() && models.contains(&model) {
            return Err(refuse::detail(format!("seclabel for model {model} is already provided")));
        }
        models.push(model);
        if label.attr("relabel") == Some("no") && label.child("label").is_some() {
            let message = format!("Cannot specify a label if relabelling is turned off. model={model}");
            return Err(refuse::xml(message));
        }
        if label.attr("labelskip") != Some("yes") && !label.is_bare() {
            let mut label = label.clone();
            if label.child("label").is_some() && label.attr("relabel").is_none() {
                label.set("relabel", "yes");
            }
            kept.push(label);
        }
    }
    Ok(kept)
}

/// The guest's end has a name, by which the host's end can be made up.
fn named_channel(node: Node) -> bool {
    node.child("target").is_some_and(|target| matches!(target.attr("type"), Some("virtio" | "xen")))
}

fn reconnect(source: Option<&Element>) -> Result<Option<Element>> {
    let Some(reconnect) = source.and_then(|s| s.child("reconnect")).filter(|r| !r.is_bare()) else { return Ok(None) };
    if reconnect.attr("enabled") == Some("yes") && reconnect.attr("timeout").is_none() {
        return Err(refuse::missing_attribute("reconnect", "timeout"));
    }
    match source.is_some_and(|source| source.attr("mode") == Some("bind")) {
        true => Err(refuse::internal("chardev reconnect is possible only for connect mode")),
        false => Ok(Some(reconnect.clone())),
    }
}

fn mode(source: Option<&Element>) -> Result<&str> {
    match source.and_then(|s| s.attr("mode")) {
        None => Ok("connect"),
        Some(mode @ ("connect" | "bind")) => Ok(mode),
        Some(other) => Err(refuse::bad_attribute("source", "mode", other, "")),
    }
}

fn protocol(parts: &[Element]) -> Result<String> {
    let kind = only(parts, "protocol")?.and_then(|p| p.attr("type")).unwrap_or("raw");
    match ["raw", "telnet", "telnets", "tls"].contains(&kind) {
        true => Ok(kind.to_string()),
        false => Err(refuse::unsupported(format!("Unknown protocol '{kind}'"))),
    }
}

/// One source to bind, one to connect, of which the latter needs a service.
fn datagram(sources: &[&Element]) -> Result<Vec<Element>> {
    if sources.len() > 2 {
        return Err(refuse::xml("only two source elements are allowed for character device"));
    }
    sources.iter().try_for_each(|source| mode(Some(source)).map(drop))?;
    let of = |mode: &str| sources.iter().find(|s| s.attr("mode").unwrap_or("connect") == mode);
    let missing = || refuse::internal("Missing source service attribute for char device");
    let connect = of("connect").and_then(|s| s.attr("service").map(|service| (s, service))).ok_or_else(missing)?;
    let mut kept = Vec::new();
    if let Some(bind) = of("bind").filter(|s| s.attr("host").is_some() || s.attr("service").is_some()) {
        let mut source = Element::new("source").with("mode", "bind");
        copy(Some(bind), &mut source, &["host", "service"]);
        kept.push(source);
    }
    let mut source = Element::new("source").with("mode", "connect");
    copy(Some(connect.0), &mut source, &["host"]);
    source.set("service", connect.1);
    kept.push(source);
    Ok(kept)
}
