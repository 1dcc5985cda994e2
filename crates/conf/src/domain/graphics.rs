//! What a machine shows and plays: graphics, video, sound. A container has none of it; it is kept as libvirt does.

use super::*;
use crate::number;
use crate::refuse;

/// Where graphics listen, which ports are chosen for them, and what of their attributes that leaves.
pub(super) fn graphics(element: &mut Element) -> Result<()> {
    let kind = element.attr("type").unwrap_or_default().to_string();
    if element.child("gl").is_some_and(|gl| gl.attr("enable").is_none() && kind != "egl-headless") {
        return Err(refuse::missing_attribute("gl", "enable"));
    }
    match kind.as_str() {
        "vnc" | "rdp" | "spice" => {}
        "dbus" if element.attr("p2p").is_some() && element.attr("address").is_some() => {
            return Err(refuse::xml("D-Bus p2p with an address is not supported"));
        }
        _ => return Ok(()),
    }
    if let Some(time) = element.attr("passwdValidTo").filter(|time| !is_time(time)) {
        let message = format!("cannot parse password validity time '{time}', expect YYYY-MM-DDTHH:MM:SS");
        return Err(refuse::internal(message));
    }
    listens(element, &kind)?;
    match kind.as_str() {
        "spice" => spice_ports(element),
        "rdp" => rdp_ports(element)?,
        _ => vnc_ports(element)?,
    }
    element.unset("listen");
    element.unset("socket");
    let first = element.child("listen").cloned().unwrap_or_default();
    let shown = match first.attr("type") {
        Some("address") => first.attr("address").map(|address| ("listen", address)),
        Some("socket") if kind == "vnc" => first.attr("socket").map(|socket| ("socket", socket)),
        _ => None,
    };
    if let Some((name, value)) = shown {
        element.set(name, value);
    }
    if matches!(first.attr("type"), Some("none" | "socket")) {
        element.attrs.retain(|(name, _)| !["port", "tlsPort", "autoport", "websocket"].contains(&name.as_str()));
    }
    const ORDER: [&str; 18] = [
        "type",
        "socket",
        "port",
        "tlsPort",
        "autoport",
        "replaceUser",
        "multiUser",
        "websocket",
        "listen",
        "keymap",
        "defaultMode",
        "sharePolicy",
        "powerControl",
        "passwd",
        "passwdValidTo",
        "connected",
        "p2p",
        "address",
    ];
    element.attrs.sort_by_key(|(name, _)| ORDER.iter().position(|n| n == name));
    channels(element);
    let all = element.children.iter();
    let audio: Vec<Element> = all.filter(|c| c.name == "audio" && !c.is_bare()).cloned().collect();
    element.remove("audio");
    element.children.extend(audio);
    Ok(())
}

/// `2030-01-01T00:00:00`
fn is_time(text: &str) -> bool {
    let form = "dddd-dd-ddTdd:dd:dd";
    text.len() == form.len()
        && text.bytes().zip(form.bytes()).all(|(b, f)| if f == b'd' { b.is_ascii_digit() } else { b == f })
}

/// Where there is no element `listen`, the attributes say it.
fn listens(element: &mut Element, kind: &str) -> Result<()> {
    let attribute = |name: &str| element.attr(name).filter(|text| !text.is_empty()).map(str::to_string);
    let (address, socket) = (attribute("listen"), attribute("socket"));
    if let Some(socket) = &socket {
        let first = element.children.iter_mut().find(|child| child.name == "listen");
        if let Some(listen) = first.filter(|listen| listen.attr("type") != Some("socket")) {
            *listen = Element::new("listen").with("type", "socket").with("socket", socket);
        }
    }
    let mut first = true;
    for listen in element.children.iter_mut().filter(|child| child.name == "listen") {
        one_listen(listen, kind)?;
        if std::mem::take(&mut first) {
            let place = listen.attr("type").unwrap_or_default().to_string();
            match place.as_str() {
                "address" => agree(listen, "address", "listen", address.as_deref())?,
                "socket" => agree(listen, "socket", "socket", socket.as_deref())?,
                _ => {}
            }
        }
    }
    if first {
        let listen = match (&socket, &address) {
            (Some(socket), _) => Element::new("listen").with("type", "socket").with("socket", socket),
            (None, Some(address)) => Element::new("listen").with("type", "address").with("address", address),
            (None, None) => Element::new("listen").with("type", "address"),
        };
        element.children.insert(0, listen);
    }
    Ok(())
}

fn one_listen(listen: &mut Element, kind: &str) -> Result<()> {
    let place = listen.attr("type").unwrap_or_default().to_string();
    if kind == "rdp" && ["none", "socket"].contains(&place.as_str()) {
        let message = format!("listen type '{place}' is not available for graphics type '{kind}'");
        return Err(refuse::unsupported(message));
    }
    listen.attrs.retain(|(_, value)| !value.is_empty());
    if place == "network" {
        listen.unset("address");
        if listen.attr("network").is_none() {
            return Err(refuse::xml("'network' attribute is required for listen type 'network'"));
        }
    } else if listen.attr("network").is_some() {
        return Err(refuse::xml("'network' attribute is valid only for listen type 'network'"));
    }
    Ok(())
}

/// The attribute of the whole and that of the first element `listen`.
fn agree(listen: &mut Element, name: &str, outer: &str, given: Option<&str>) -> Result<()> {
    match (listen.attr(name), given) {
        (Some(inner), Some(given)) if inner != given => Err(refuse::unsupported(format!(
            "graphics '{outer}' attribute '{given}' must match '{name}' attribute of first listen element (found '{inner}')"
        ))),
        (None, Some(given)) => {
            listen.set(name, given);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn port(element: &Element, kind: &str) -> Result<Option<i32>> {
    let Some(text) = element.attr("port") else { return Ok(None) };
    let bad = || refuse::internal(format!("cannot parse {kind} port {text}"));
    number::i32_of(text, 10).map(Some).ok_or_else(bad)
}

/// A port that is chosen is written as -1.
fn vnc_ports(element: &mut Element) -> Result<()> {
    let given = port(element, "vnc")?;
    let chosen = match element.attr("autoport") {
        Some(word) => word == "yes",
        None => given.is_none_or(|port| port == -1),
    };
    element.unset("port");
    match given.unwrap_or(0) {
        _ if chosen => element.set("port", "-1"),
        0 => {}
        port => element.set("port", port),
    }
    element.set("autoport", if chosen { "yes" } else { "no" });
    Ok(())
}

fn rdp_ports(element: &mut Element) -> Result<()> {
    let given = port(element, "rdp")?.filter(|port| *port != -1);
    let chosen = given.is_none() || element.attr("autoport") == Some("yes");
    element.unset("port");
    element.unset("autoport");
    match given.unwrap_or(0) {
        _ if chosen => element.set("port", "0"),
        0 => {}
        port => element.set("port", port),
    }
    if chosen {
        element.set("autoport", "yes");
    }
    Ok(())
}

/// Without a port and without one being chosen it listens nowhere.
fn spice_ports(element: &mut Element) {
    let both = element.attr("port") == Some("-1") && element.attr("tlsPort") == Some("-1");
    let chosen = both || element.attr("autoport") == Some("yes");
    if chosen {
        element.unset("port");
        element.unset("tlsPort");
    }
    element.set("autoport", if chosen { "yes" } else { "no" });
    let nowhere = !chosen && element.attr("port").is_none() && element.attr("tlsPort").is_none();
    if let Some(listen) = element.child_mut("listen").filter(|l| nowhere && l.attr("type") == Some("address")) {
        listen.attrs = vec![("type".to_string(), "none".to_string())];
    }
}

/// One of each name, in their order; `any` is what is so anyway.
fn channels(element: &mut Element) {
    const NAMES: [&str; 8] = ["main", "display", "inputs", "cursor", "playback", "record", "smartcard", "usbredir"];
    let at = element.children.iter().position(|child| child.name == "channel");
    let given: Vec<Element> = element.children.iter().filter(|child| child.name == "channel").cloned().collect();
    element.remove("channel");
    let last = |name: &&str| given.iter().rev().find(|channel| channel.attr("name") == Some(*name)).cloned();
    let kept: Vec<Element> = NAMES.iter().filter_map(last).filter(|c| c.attr("mode") != Some("any")).collect();
    if let Some(at) = at {
        element.children.splice(at..at, kept);
    }
}

pub(super) fn video(element: &mut Element) -> Result<()> {
    let undecided = || refuse::internal("missing video model and cannot determine default");
    let model = element.child_mut("model").ok_or_else(undecided)?;
    let kind = model.attr("type").filter(|kind| *kind != "default").ok_or_else(undecided)?.to_string();
    if kind == "none" {
        model.attrs.retain(|(name, _)| name == "type");
        model.children.clear();
        element.children.retain(|child| child.name == "model");
        return Ok(());
    }
    if kind != "qxl" {
        if let Some(name) = ["ram", "vram64", "vgamem"].iter().find(|name| model.attr(name).is_some()) {
            return Err(refuse::unsupported(format!("{name} attribute only supported for video type qxl")));
        }
    }
    let default = match kind.as_str() {
        "vga" | "cirrus" | "vmvga" | "bochs" => Some("16384"),
        "xen" => Some("4096"),
        "qxl" => Some("65536"),
        _ => None,
    };
    for name in ["ram", "vram"] {
        let given = model.attr(name).and_then(|text| text.parse::<u32>().ok()).filter(|size| *size != 0);
        model.unset(name);
        let default = default.filter(|_| name == "vram" || kind == "qxl").map(str::to_string);
        if let Some(size) = given.map(|size| u64::from(size).next_power_of_two().to_string()).or(default) {
            model.set(name, size);
        }
    }
    if model.attr("heads").is_none() {
        model.set("heads", "1");
    }
    model.attrs.retain(|(name, value)| !(["vram64", "vgamem", "heads"].contains(&name.as_str()) && value == "0"));
    const ORDER: [&str; 7] = ["type", "ram", "vram", "vram64", "vgamem", "heads", "primary"];
    model.attrs.sort_by_key(|(name, _)| ORDER.iter().position(|n| n == name));
    Ok(())
}

/// What is checked when all is read. `heads` is 1 where the document says nothing.
pub(super) fn accelerated(element: &Element) -> Result<()> {
    let Some(model) = element.child("model") else { return Ok(()) };
    let driver = element.child("driver").and_then(|driver| driver.attr("name"));
    let virtio = model.attr("type") == Some("virtio");
    if driver == Some("vhostuser") && !virtio {
        return Err(refuse::unsupported("'vhostuser' driver is only supported with 'virtio' device"));
    }
    if let Some(acceleration) = model.child("acceleration") {
        if acceleration.is_bare() {
            return Err(refuse::unsupported("missing values for acceleration"));
        }
        if acceleration.attr("rendernode").is_some() && driver != Some("vhostuser") {
            return Err(refuse::unsupported("unsupported rendernode accel attribute without 'vhostuser'"));
        }
    }
    if let Some(resolution) = model.child("resolution") {
        if resolution.attrs.iter().any(|(_, value)| value == "0") {
            return Err(refuse::unsupported("video resolution values must be greater than 0"));
        }
    }
    virtio_options(element, virtio)
}

/// Options of the driver that only devices of the kind virtio have.
pub(super) fn virtio_options(element: &Element, virtio: bool) -> Result<()> {
    let Some(driver) = element.child("driver").filter(|_| !virtio) else { return Ok(()) };
    match ["iommu", "ats", "packed", "page_per_vq"].iter().find(|name| driver.attr(name).is_some()) {
        Some(name) => Err(refuse::unsupported(format!("{name} driver option is only supported for virtio devices"))),
        None => Ok(()),
    }
}

pub(super) fn audio(element: &mut Element, before: &[Element]) -> Result<()> {
    if let Some(policy) = element.attr("dspPolicy").filter(|policy| policy.starts_with('-')) {
        return Err(refuse::xml(format!("cannot parse 'dspPolicy' value '{policy}'")));
    }
    for side in element.children.iter_mut() {
        let fixed = side.attr("fixedSettings") == Some("yes");
        if fixed && side.attr("mixingEngine") != Some("yes") {
            return Err(refuse::unsupported("fixed audio settings requires mixing engine"));
        }
        match side.child("settings") {
            Some(_) if !fixed => {
                return Err(refuse::unsupported("audio settings specified without fixed settings flag"));
            }
            None if fixed => side.children.push(Element::new("settings")),
            _ => {}
        }
    }
    let id = element.attr("id").unwrap_or_default();
    match before.iter().any(|other| other.name == "audio" && other.attr("id") == Some(id)) {
        true => Err(refuse::xml(format!("audio ID {id} is used multiple times"))),
        false => Ok(()),
    }
}
