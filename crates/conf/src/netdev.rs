//! What interfaces of domains, networks and their ports have in common: virtual ports, VLANs, limits.

use crate::element::Element;
use crate::number;
use crate::refuse::{self, Place, bare_unsupported, bare_xml};
use crate::xml::{Node, Writer};
use api::{Code, Error, ErrorDomain, Result, Uuid};

fn detail(message: impl Into<String>) -> Error {
    Error::new(ErrorDomain::None, Code::XmlDetail, message)
}

/// Parameters in the order in which they are written.
const PARAMETERS: [&str; 6] = ["managerid", "typeid", "typeidversion", "instanceid", "interfaceid", "profileid"];

/// `<virtualport>`. With `generate` ids that are missing are made; where a type is needed too, all that it needs must be
/// there.
pub(crate) fn virtual_port(node: Node, type_needed: bool, generate: Option<&dyn Fn() -> Uuid>) -> Result<Element> {
    let port = node.attr("type");
    let (needed, allowed): (&[&str], &[&str]) = match port {
        None if !type_needed => (&[], &PARAMETERS),
        None => return Err(bare_xml("missing required virtualport type")),
        Some("802.1Qbg") => (&["managerid", "typeid", "typeidversion"], &PARAMETERS[..4]),
        Some("802.1Qbh") => (&["profileid"], &PARAMETERS[5..]),
        Some("openvswitch") => (&[], &PARAMETERS[4..]),
        Some("midonet") => (&["interfaceid"], &PARAMETERS[4..]),
        Some(other) => return Err(bare_unsupported(format!("unknown virtualport type {other}"))),
    };
    let mut parameters = Element::new("parameters");
    let given = node.child("parameters");
    for name in PARAMETERS {
        let text = given.and_then(|p| p.attr(name));
        let Some(text) = text.filter(|text| name != "profileid" || !text.is_empty()) else { continue };
        let number = |most: u32| match number::u32_wrapping(text, 0) {
            None => Err(bare_xml(format!("cannot parse value of {name} parameter"))),
            Some(number) if number > most => {
                let of = if name == "typeid" { "for" } else { "of" };
                Err(bare_xml(format!("value {of} {name} out of range")))
            }
            Some(number) => Ok(number.to_string()),
        };
        let value = match name {
            "managerid" | "typeidversion" => number(0xff)?,
            "typeid" => number(0xff_ffff)?,
            "profileid" if text.len() >= 40 => return Err(bare_xml("profileid parameter too long")),
            "profileid" => text.to_string(),
            _ => match Uuid::parse(text) {
                Some(uuid) => uuid.to_string(),
                None => return Err(bare_xml(format!("cannot parse {name} parameter as a uuid"))),
            },
        };
        parameters.set(name, value);
    }
    if let Some(port) = port {
        if let Some(missing) =
            needed.iter().find(|name| type_needed && generate.is_some() && parameters.attr(name).is_none())
        {
            let message = format!("missing {missing} in <virtualport type='{port}'>");
            return Err(Error::xml(ErrorDomain::Net, message));
        }
        let generated = match port {
            "802.1Qbg" => Some("instanceid"),
            "openvswitch" => Some("interfaceid"),
            _ => None,
        };
        if let Some((name, uuid)) = generated.zip(generate).filter(|(name, _)| parameters.attr(name).is_none()) {
            parameters.set(name, uuid());
        }
        if let Some((extra, _)) = parameters.attrs.iter().find(|(name, _)| !allowed.contains(&name.as_str())) {
            let message = format!("extra {extra} unsupported in <virtualport type='{port}'>");
            return Err(Error::xml(ErrorDomain::Net, message));
        }
    }
    if port == Some("midonet") {
        parameters.unset("profileid");
    }
    if let Some(uuid) = generate.filter(|_| port.is_none()) {
        // Either may be needed by what the network turns out to be.
        for name in ["instanceid", "interfaceid"] {
            if parameters.attr(name).is_none() {
                parameters.set(name, uuid());
            }
        }
    }
    parameters.attrs.sort_by_key(|(name, _)| PARAMETERS.iter().position(|p| p == name));
    let mut element = Element::new("virtualport");
    if let Some(port) = port {
        element.set("type", port);
    }
    if !parameters.is_bare() {
        element.children.push(parameters);
    }
    Ok(element)
}

pub(crate) fn vlan(node: Node) -> Result<Element> {
    let mut native: Option<(u32, &str)> = None;
    let mut tags = Vec::new();
    for tag in node.all("tag") {
        refuse::required(tag, "id").at(tag)?;
        let text = tag.attr("id").unwrap_or_default();
        let bad = || refuse::bad_attribute("tag", "id", text, " Expected non-negative integer value");
        let id = number::u32_of(text, 10).ok_or_else(bad).at(tag)?;
        if id > 4095 {
            return Err(bare_xml(format!("vlan tag id {id} too large (maximum 4095)"))).at(tag);
        }
        match tag.attr("nativeMode") {
            None => {}
            Some(mode @ ("tagged" | "untagged")) if native.is_none() => native = Some((id, mode)),
            Some("tagged" | "untagged") => return Err(bare_xml("duplicate native vlan setting")).at(tag),
            Some(mode) => return Err(refuse::bad_attribute("tag", "nativeMode", mode, "")).at(tag),
        }
        tags.push(id);
    }
    if tags.is_empty() {
        return Err(bare_xml("missing tag id - each <vlan> must have at least one <tag id='n'/> subelement"));
    }
    let mut trunk = tags.len() > 1;
    match node.attr("trunk").filter(|text| !text.is_empty()) {
        None => {}
        Some(text) if text.eq_ignore_ascii_case("yes") => trunk = true,
        Some(text) if trunk => {
            return Err(bare_xml(format!(
                "invalid \"trunk='{text}'\" in <vlan> - trunk='yes' is required for more than one vlan tag"
            )));
        }
        Some(_) if native.is_some() => {
            return Err(bare_xml(
                "invalid configuration in <vlan> - \"trunk='no'\" is not allowed with a native vlan id",
            ));
        }
        Some(text) if text.eq_ignore_ascii_case("no") => {}
        Some(other) => return Err(bare_xml(format!("invalid \"trunk='{other}'\" in <vlan> - must be yes or no"))),
    }
    // Of a tag that is there twice, each is the native one.
    let written = tags.into_iter().map(|id| match native.filter(|(native, _)| *native == id) {
        Some((_, mode)) => Element::new("tag").with("id", id).with("nativeMode", mode),
        None => Element::new("tag").with("id", id),
    });
    let mut element = Element { children: written.collect(), ..Element::new("vlan") };
    if trunk {
        element.set("trunk", "yes");
    }
    Ok(element)
}

/// Limits of both directions, as seen from the one that is limited.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bandwidth {
    pub inbound: Option<Rate>,
    pub outbound: Option<Rate>,
}

/// KiB per second and KiB; 0: unset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rate {
    pub average: u64,
    pub peak: u64,
    pub floor: u64,
    pub burst: u64,
}

/// `None`: neither direction is named.
pub(crate) fn bandwidth(node: Node) -> Result<Option<Bandwidth>> {
    if node.attr("classID").is_some() {
        return Err(detail("classID attribute not supported on <bandwidth> in this usage context"));
    }
    rates(node)
}

/// The same for the port of a network, which has a class.
pub(crate) fn bandwidth_with_class(node: Node) -> Result<(Option<Bandwidth>, Option<u32>)> {
    let class = |text| number::u32_of(text, 10).ok_or_else(|| detail(format!("Unable to parse class id '{text}'")));
    let class = node.attr("classID").map(class).transpose()?;
    Ok((rates(node)?, class))
}

fn rates(node: Node) -> Result<Option<Bandwidth>> {
    let mut rates = [None, None];
    for (rate, name) in rates.iter_mut().zip(["inbound", "outbound"]) {
        let mut all = node.all(name);
        let Some(first) = all.next() else { continue };
        if all.next().is_some() {
            return Err(detail(format!("Only one child <{name}> element allowed")));
        }
        *rate = self::rate(first).at(first)?;
    }
    let [inbound, outbound] = rates;
    let named = node.child("inbound").or(node.child("outbound")).is_some();
    Ok(named.then_some(Bandwidth { inbound, outbound }))
}

/// `None`: no limit in it.
fn rate(node: Node) -> Result<Option<Rate>> {
    let number = |name: &str| match node.attr(name) {
        None => Ok(None),
        Some(text) => match number::u64_of(text, 10) {
            Some(number) => Ok(Some(number)),
            None => Err(bare_unsupported(format!("could not convert bandwidth {name} value '{text}'"))),
        },
    };
    let average = number("average")?;
    let peak = node.attr("peak");
    let burst = node.attr("burst");
    if average.is_none() && node.attr("floor").is_none() {
        return Err(detail("Missing mandatory average or floor attributes"));
    }
    if (peak.is_some() || burst.is_some()) && average.is_none() {
        return Err(bare_unsupported("'peak' and 'burst' require 'average' attribute"));
    }
    let rate = Rate {
        average: average.unwrap_or(0),
        peak: number("peak")?.unwrap_or(0),
        burst: number("burst")?.unwrap_or(0),
        floor: number("floor")?.unwrap_or(0),
    };
    if rate.floor > 0 && node.name() == "outbound" {
        return Err(bare_unsupported("'floor' attribute allowed only in <inbound> element"));
    }
    Ok(Some(rate).filter(|rate| rate.average != 0 || rate.floor != 0))
}

impl Bandwidth {
    pub(crate) fn write(&self, w: &mut Writer, class: Option<u32>) {
        w.open("bandwidth");
        w.attr_opt("classID", class.filter(|class| *class != 0));
        for (name, rate) in [("inbound", self.inbound), ("outbound", self.outbound)] {
            let Some(rate) = rate else { continue };
            w.open(name);
            for (name, number) in
                [("average", rate.average), ("peak", rate.peak), ("floor", rate.floor), ("burst", rate.burst)]
            {
                w.attr_opt(name, Some(number).filter(|number| *number != 0));
            }
            w.close();
        }
        w.close_apart();
    }
}
