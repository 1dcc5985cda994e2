//! What has no place in a document: elements, attributes, text and values that the tables do not know.
//! Each is named with its line and path, what would be taken there, and where it would belong.

use super::normalise::{canonical, holds};
use super::table::{Item, Shape, Table, Type};
use crate::xml::{Kind, Node};

/// One thing that is not known at its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// The whole sentence.
    pub text: String,
    /// A known attribute with a wrong value, rather than something unknown.
    pub value: bool,
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
        attributes(node, &known, &mut complaints);
        let mut inside = Vec::new();
        for child in node.children() {
            match child.kind() {
                Kind::Element if foreign(child) => {}
                Kind::Element => match known.children.iter().find(|(name, _)| *name == child.name()) {
                    Some((_, shape)) => inside.push((*shape, child)),
                    None => complaints.push(unknown_element(table, node, child, &known)),
                },
                Kind::Text | Kind::Cdata if !known.text && !child.content().trim().is_empty() => {
                    let text: String = child.content().trim().chars().take(40).collect();
                    complaints.push(Complaint {
                        text: format!("line {}: {}: text '{text}' has no place here", child.line(), node.path()),
                        value: false,
                    });
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
    children: Vec<(&'static str, &'a Shape)>,
    text: bool,
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
                known.text = true;
                if matches!(rule.kind, Type::Kib) {
                    known.attrs.push(("unit", &UNIT));
                }
            }
            Item::Child { name, shape, .. } => known.children.push((name, table.inner(shape))),
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

static UNIT: super::Rule =
    super::Rule { kind: Type::Text, required: false, default: None, dropped: Vec::new(), message: None, missing: None };

fn attributes(node: Node, known: &Known, complaints: &mut Vec<Complaint>) {
    for attr in node.attrs().filter(|attr| attr.namespace.is_none()) {
        let Some((_, rule)) = known.attrs.iter().find(|(name, _)| *name == attr.name) else {
            let names: Vec<&str> = known.attrs.iter().map(|(name, _)| *name).collect();
            let text = format!(
                "line {}: {}: attribute '{}' is not known here; {}",
                node.line(),
                node.path(),
                attr.name,
                among("allowed", &names, attr.name)
            );
            complaints.push(Complaint { text, value: false });
            continue;
        };
        if !rule.dropped.contains(&attr.value) && canonical(node, attr.value, rule).is_err() {
            let allowed = match &rule.kind {
                Type::Words(words) => among("allowed", words, attr.value),
                Type::Integer => "an integer is expected".to_string(),
                Type::Uuid => "a UUID is expected".to_string(),
                Type::Bitmap => "a list of numbers such as '0-3,^2' is expected".to_string(),
                _ => "a non-negative integer is expected".to_string(),
            };
            let text = format!(
                "line {}: {}: value '{}' of attribute '{}' is not known; {allowed}",
                node.line(),
                node.path(),
                attr.value,
                attr.name
            );
            complaints.push(Complaint { text, value: true });
        }
    }
}

fn unknown_element(table: &Table, parent: Node, child: Node, known: &Known) -> Complaint {
    let names: Vec<&str> = known.children.iter().map(|(name, _)| *name).collect();
    let belongs = match super::table::DOMAIN.homes(child.name()) {
        homes if homes.is_empty() || !std::ptr::eq(table, &*super::table::DOMAIN) => String::new(),
        homes => format!("; <{}> belongs in {}", child.name(), homes.join(" or ")),
    };
    let text = format!(
        "line {}: {}: element <{}> is not known here; {}{belongs}",
        child.line(),
        parent.path(),
        child.name(),
        among("allowed", &names, child.name())
    );
    Complaint { text, value: false }
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
