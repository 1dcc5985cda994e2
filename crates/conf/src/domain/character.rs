//! Consoles and the other character devices: reading.

use super::parse::Context;
use super::*;
use crate::number;
use crate::refuse;
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
    let mut kept = source(node, context, &kind)?;
    kept.extend(storage::info(node, context)?);
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
    let mut kept = Vec::new();
    match kind {
        "file" | "dev" | "pipe" => {
            let path = one(0)?.and_then(|s| s.attr("path")).ok_or_else(|| missing("path"))?;
            let mut source = Element::new("source").with("path", path);
            if kind == "file" {
                copy(one(0)?, &mut source, &["append"]);
            }
            source.children.extend(labels(one(0)?));
            kept.push(source);
        }
        "unix" => {
            let path = one(0)?.and_then(|s| s.attr("path"));
            let mode = mode(one(0)?)?;
            match path {
                Some(path) => {
                    let mut source = Element::new("source").with("mode", mode).with("path", path);
                    source.children.extend(reconnect(one(0)?));
                    source.children.extend(labels(one(0)?));
                    kept.push(source);
                }
                None if node.name() == "channel" => {}
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
            source.children.extend(reconnect(found));
            kept.push(source);
            kept.push(Element::new("protocol").with("type", protocol(&parts)?));
        }
        "udp" => kept.extend(datagram(&sources)?),
        "spiceport" => {
            let channel = one(0)?.and_then(|s| s.attr("channel")).ok_or_else(|| missing("channel"))?;
            kept.push(Element::new("source").with("channel", channel));
        }
        "nmdm" => {
            let master = one(0)?.and_then(|s| s.attr("master"));
            let slave = one(0)?.and_then(|s| s.attr("slave"));
            let both = || refuse::internal("Should define both master and slave path attributes for nmdm device");
            let (master, slave) = master.zip(slave).ok_or_else(both)?;
            kept.push(Element::new("source").with("master", master).with("slave", slave));
        }
        "dbus" => {
            let channel = one(0)?.and_then(|s| s.attr("channel")).ok_or_else(|| missing("channel"))?;
            kept.push(Element::new("source").with("channel", channel));
        }
        "qemu-vdagent" => {
            let mut source = Element::new("source");
            for name in ["clipboard", "mouse"] {
                source.children.extend(one(0)?.and_then(|s| s.child(name)).filter(|c| !c.is_bare()).cloned());
            }
            kept.extend(Some(source).filter(|s| !s.is_bare()));
        }
        "pty" | "vc" => {
            one(0)?;
        }
        _ => {}
    }
    if let Some(log) = parts.iter().find(|p| p.name == "log") {
        kept.extend(log.attr("file").map(|_| log.clone()));
    }
    Ok(kept)
}

fn copy(from: Option<&Element>, to: &mut Element, names: &[&str]) {
    for name in names {
        if let Some(value) = from.and_then(|f| f.attr(name)) {
            to.set(name, value);
        }
    }
}

fn labels(source: Option<&Element>) -> Vec<Element> {
    source.map(|s| s.children.iter().filter(|c| c.name == "seclabel").cloned().collect()).unwrap_or_default()
}

fn reconnect(source: Option<&Element>) -> Option<Element> {
    source.and_then(|s| s.child("reconnect")).filter(|r| !r.is_bare()).cloned()
}

fn mode(source: Option<&Element>) -> Result<&str> {
    match source.and_then(|s| s.attr("mode")) {
        None => Ok("connect"),
        Some(mode @ ("connect" | "bind")) => Ok(mode),
        Some(other) => Err(refuse::bad_attribute("source", "mode", other, "")),
    }
}

fn protocol(parts: &[Element]) -> Result<String> {
    let kind = parts.iter().find(|p| p.name == "protocol").and_then(|p| p.attr("type")).unwrap_or("raw");
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
