//! What has no place in a document: elements, attributes, text and values that the tables do not know.
//! Each is named with its line and path, what would be taken there, and where it would belong.

use super::normalise::{canonical, holds};
use super::table::{Item, Occurs, Shape, Table, Type};
use crate::xml::{Kind, Node};

/// One thing that is not known at its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// The whole sentence.
    pub text: String,
    /// A known attribute or element with a wrong value, rather than something unknown.
    pub value: bool,
    /// The element right below the root that it is in, or is.
    pub within: String,
    /// It is right below the root itself.
    pub at_top: bool,
}

impl Complaint {
    /// About something at `node`, or new in it.
    pub fn new(node: Node, what: &str, value: bool) -> Complaint {
        let parents = std::iter::successors(Some(node), |node| node.parent()).collect::<Vec<_>>();
        let below = parents.iter().rev().nth(1);
        let within = below.map_or("text", |below| if below.is_element() { below.name() } else { "text" });
        Complaint {
            text: format!("line {}: {}{what}", node.line(), node.path()),
            value,
            within: within.to_string(),
            at_top: parents.len() <= 2,
        }
    }
}

/// Namespaces whose elements are their owners' business: libvirt drops or keeps them by other rules.
fn foreign(node: Node) -> bool {
    node.namespace().is_some()
}

/// Looks through `node` and everything in it. At most `most` complaints are collected.
pub(crate) fn check(table: &Table, shape: &Shape, node: Node, most: usize) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let mut waiting = vec![(shape, node)];
    while let Some((shape, node)) = waiting.pop() {
        if complaints.len() >= most {
            break;
        }
        let mut known = Known::default();
        gather(table, &shape.items, node, &mut known);
        if known.anything {
            continue;
        }
        attributes(node, &known, &mut complaints, most);
        text(node, &known, &mut complaints);
        let mut inside = Vec::new();
        let mut seen = Vec::new();
        for child in node.children() {
            match child.kind() {
                Kind::Element if foreign(child) => {}
                Kind::Element => match known.children.iter().find(|(name, ..)| *name == child.name()) {
                    Some((name, occurs, shape)) => {
                        if *occurs != Occurs::Each && seen.contains(name) && complaints.len() < most {
                            let what = ": is there already, and may be there once";
                            complaints.push(Complaint { at_top: false, ..Complaint::new(child, what, false) });
                        }
                        if *occurs != Occurs::Each && !seen.contains(name) {
                            seen.push(*name);
                        }
                        inside.push((*shape, child));
                    }
                    None if complaints.len() >= most => {}
                    None => complaints.push(unknown_element(table, node, child, &known)),
                },
                Kind::Text | Kind::Cdata if complaints.len() >= most => {}
                Kind::Text | Kind::Cdata if known.text.is_none() && !child.content().trim().is_empty() => {
                    let text: String = child.content().trim().chars().take(40).collect();
                    let mut complaint = Complaint::new(node, "", false);
                    let (line, path) = (child.line(), node.path());
                    complaint.text = format!("line {line}: {path}: text '{text}' has no place here");
                    if node.parent().is_none() {
                        complaint.within = "text".to_string();
                        complaint.at_top = true;
                    }
                    complaints.push(complaint);
                }
                _ => {}
            }
        }
        waiting.extend(inside.into_iter().rev());
    }
    complaints.truncate(most);
    complaints
}

#[derive(Default)]
struct Known<'a> {
    attrs: Vec<(&'static str, &'a super::Rule)>,
    children: Vec<(&'static str, Occurs, &'a Shape)>,
    text: Option<&'a super::Rule>,
    /// The element may hold whatever it likes.
    anything: bool,
}

fn gather<'a>(table: &'a Table, items: &'a [Item], node: Node, known: &mut Known<'a>) {
    for item in items {
        match item {
            Item::Attr("*", _) => known.anything = true,
            Item::Attr(name, rule) => {
                known.attrs.push((name, rule));
                if matches!(rule.kind, Type::Kib) {
                    known.attrs.push(("unit", &UNIT));
                }
            }
            Item::Text(rule) => {
                known.text = Some(rule);
                if matches!(rule.kind, Type::Kib) {
                    known.attrs.push(("unit", &UNIT));
                }
            }
            Item::Child { name, occurs, shape } => known.children.push((name, *occurs, table.inner(shape))),
            Item::Include(name) => {
                if let Some(shape) = table.shape(name) {
                    gather(table, &shape.items, node, known);
                }
            }
            Item::When { attr, values, negated, items } => {
                let default = known.attrs.iter().find(|(name, _)| name == attr).and_then(|(_, rule)| rule.default);
                if holds(node.attr(attr).or(default), values) != *negated {
                    gather(table, items, node, known);
                }
            }
        }
    }
}

static UNIT: super::Rule = super::Rule {
    kind: Type::Text,
    required: false,
    default: None,
    dropped: Vec::new(),
    lenient: false,
    message: None,
    missing: None,
};

fn attributes(node: Node, known: &Known, complaints: &mut Vec<Complaint>, most: usize) {
    for attr in node.attrs().filter(|attr| attr.namespace.is_none()) {
        if complaints.len() >= most {
            return;
        }
        let Some((_, rule)) = known.attrs.iter().find(|(name, _)| *name == attr.name) else {
            let names: Vec<&str> = known.attrs.iter().map(|(name, _)| *name).collect();
            let what =
                format!(": attribute '{}' is not known here; {}", attr.name, among("allowed", &names, attr.name));
            complaints.push(Complaint::new(node, &what, false));
            continue;
        };
        if let Some(allowed) = wrong(node, attr.value, rule) {
            let what = format!(": value '{}' of attribute '{}' is not known; {allowed}", attr.value, attr.name);
            complaints.push(Complaint::new(node, &what, true));
        }
    }
}

/// The content of an element that holds nothing but text.
fn text(node: Node, known: &Known, complaints: &mut Vec<Complaint>) {
    let Some(rule) = known.text.filter(|rule| !matches!(rule.kind, Type::Text)) else { return };
    let text = node.text();
    if let Some(allowed) = wrong(node, &text, rule).filter(|_| !text.is_empty()) {
        let text: String = text.chars().take(40).collect();
        complaints.push(Complaint::new(node, &format!(": '{text}' is not known; {allowed}"), true));
    }
}

/// What would be allowed, where the value is not.
fn wrong(node: Node, value: &str, rule: &super::Rule) -> Option<String> {
    if rule.dropped.contains(&value) || canonical(node, value, rule).is_ok() {
        return None;
    }
    Some(match &rule.kind {
        Type::Words(words) => among("allowed", words, value),
        Type::Integer { .. } => "an integer is expected".to_string(),
        Type::Uuid => "a UUID is expected".to_string(),
        Type::Bitmap => "a list of numbers such as '0-3,^2' is expected".to_string(),
        Type::Kib => "a number with a unit such as KiB or MiB is expected".to_string(),
        _ => "a non-negative integer is expected".to_string(),
    })
}

fn unknown_element(table: &Table, parent: Node, child: Node, known: &Known) -> Complaint {
    let names: Vec<&str> = known.children.iter().map(|(name, ..)| *name).collect();
    let belongs = match table.homes(child.name()) {
        homes if homes.is_empty() => String::new(),
        homes => format!("; <{}> belongs in {}", child.name(), homes.join(" or ")),
    };
    let allowed = among("allowed", &names, child.name());
    let mut complaint = Complaint::new(child, "", false);
    let place = parent.path();
    let line = child.line();
    complaint.text = format!("line {line}: {place}: element <{}> is not known here; {allowed}{belongs}", child.name());
    complaint
}

/// The names, or the one that was probably meant.
fn among(what: &str, names: &[&str], given: &str) -> String {
    if let Some(meant) = names.iter().find(|name| near(name, given)) {
        return format!("'{meant}' may be meant");
    }
    match names.is_empty() {
        true => format!("nothing is {what}"),
        false => format!("{what}: {}", names.join(", ")),
    }
}

/// Equal but for case, or but for one letter.
fn near(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.to_lowercase().chars().collect(), b.to_lowercase().chars().collect());
    let (short, long) = if a.len() <= b.len() { (&a, &b) } else { (&b, &a) };
    if long.len() > 64 || long.len() - short.len() > 1 {
        return false;
    }
    let same_front = short.iter().zip(long).take_while(|(x, y)| x == y).count();
    let same_back = short.iter().rev().zip(long.iter().rev()).take_while(|(x, y)| x == y).count();
    short.len() > 2 && same_front + same_back + 1 >= long.len() || a == b
}
