//! From an element of a document to what libvirt keeps of it: known attributes and children in their order,
//! numbers and words checked and in their canonical form, defaults filled in.

use super::table::{Item, Occurs, Rule, Shape, Table, Type};
use crate::cpuset::CpuSet;
use crate::element::Element;
use crate::number;
use crate::refuse::{self, Place};
use crate::xml::Node;
use api::{Error, Result, Uuid};

pub(crate) fn normalise(table: &Table, shape: &Shape, node: Node) -> Result<Element> {
    let mut element = Element::new(node.name());
    apply(table, &shape.items, node, &mut element).at(node)?;
    Ok(element)
}

fn apply(table: &Table, items: &[Item], node: Node, element: &mut Element) -> Result<()> {
    for item in items {
        match item {
            Item::Attr(name, rule) => {
                if let Some(value) = value(node, name, node.attr(name), rule)? {
                    element.attrs.push((name.to_string(), value));
                    if matches!(rule.kind, Type::Kib) {
                        element.attrs.push(("unit".to_string(), "KiB".to_string()));
                    }
                }
            }
            Item::Text(rule) => {
                let text = node.text();
                let given = Some(text.as_ref()).filter(|text| !text.is_empty());
                element.text = value(node, "", given, rule)?;
                if matches!(rule.kind, Type::Kib) && element.text.is_some() {
                    element.attrs.push(("unit".to_string(), "KiB".to_string()));
                }
            }
            Item::Child { name, occurs, shape } => {
                let children = node.all(name).take(if *occurs == Occurs::Each { usize::MAX } else { 1 });
                for child in children {
                    let child = normalise(table, table.inner(shape), child)?;
                    if *occurs != Occurs::Filled || !child.is_bare() {
                        element.children.push(child);
                    }
                }
            }
            Item::Include(name) => {
                if let Some(shape) = table.shape(name) {
                    apply(table, &shape.items, node, element)?;
                }
            }
            Item::When { attr, values, negated, items } => {
                if holds(element.attr(attr).or(node.attr(attr)), values) != *negated {
                    apply(table, items, node, element)?;
                }
            }
        }
    }
    Ok(())
}

pub(super) fn holds(value: Option<&str>, values: &[&str]) -> bool {
    value.is_some_and(|value| values.is_empty() || values.contains(&value))
}

/// The canonical form of an attribute (or of content, where `name` is empty); `None`: not written.
fn value(node: Node, name: &str, given: Option<&str>, rule: &Rule) -> Result<Option<String>> {
    let Some(given) = given else {
        return match rule.default {
            Some(default) => Ok(Some(default.to_string())),
            None if !rule.required => Ok(None),
            None => Err(match rule.missing {
                Some(message) => said(message, ""),
                None => refuse::missing_attribute(node.name(), name),
            }),
        };
    };
    if rule.dropped.contains(&given) {
        return Ok(None);
    }
    if rule.lenient && canonical(node, given, rule).is_err() {
        return Ok(rule.default.map(str::to_string));
    }
    canonical(node, given, rule)
        .map_err(|expected| match (rule.message, expected) {
            (_, Wrong::Said(error)) => error,
            (Some(message), _) => said(message, given),
            (None, Wrong::Expected(more)) => refuse::bad_attribute(node.name(), name, given, more),
            (None, Wrong::Zero) => refuse::zero_attribute(node.name(), name),
        })
        .map(|value| Some(value).filter(|value| !rule.dropped.contains(&value.as_str())))
}

pub(super) enum Wrong {
    /// What would have been right, as libvirt says it.
    Expected(&'static str),
    Zero,
    Said(Error),
}

pub(super) fn canonical(node: Node, given: &str, rule: &Rule) -> std::result::Result<String, Wrong> {
    const UNSIGNED: Wrong = Wrong::Expected(" Expected non-negative integer value");
    match &rule.kind {
        Type::Text => Ok(given.to_string()),
        Type::Unsigned { base, zero } => match number::u32_of(given, *base).ok_or(UNSIGNED)? {
            0 if !zero => Err(Wrong::Zero),
            number => Ok(number.to_string()),
        },
        Type::Long => number::u64_of(given, 10).map(|n| n.to_string()).ok_or(UNSIGNED),
        Type::Integer { negative, base } => match number::i32_of(given, *base) {
            None => Err(Wrong::Expected(" Expected integer value")),
            Some(number) if number < 0 && !negative => Err(Wrong::Expected(" Expected non-negative value")),
            Some(number) => Ok(number.to_string()),
        },
        Type::Hex { digits, base: 0 } => number::u32_of(given, 0).map(|n| format!("0x{n:0digits$x}")).ok_or(UNSIGNED),
        Type::Hex { digits, base } => number::u64_of(given, *base).map(|n| format!("0x{n:0digits$x}")).ok_or(UNSIGNED),
        Type::Uuid => Uuid::parse(given).map(|u| u.to_string()).ok_or(Wrong::Expected(" Expected UUID")),
        Type::Bitmap => {
            CpuSet::parse(given).map(|s| s.to_string()).ok_or_else(|| Wrong::Said(refuse::bad_bitmap(given)))
        }
        Type::Kib => {
            let unit = node.attr("unit").unwrap_or_default();
            let value = number::u64_of(given, 10).ok_or(UNSIGNED)?;
            let bytes = number::scale(value, unit, 1024, number::MOST_MEMORY).map_err(Wrong::Said)?;
            Ok(bytes.div_ceil(1024).to_string())
        }
        Type::Words(words) if words.contains(&given) => Ok(given.to_string()),
        Type::Words(_) => Err(Wrong::Expected("")),
    }
}

/// An error of the kind and in the words that the table has for it.
fn said((kind, message): (&str, &str), value: &str) -> Error {
    let message = message.replacen("%s", value, 1);
    match kind {
        "xml" => refuse::xml(message),
        "generic" => refuse::generic_xml(message),
        "internal" => refuse::internal(message),
        "detail" => refuse::detail(message),
        "argument" => refuse::argument(message),
        _ => refuse::unsupported(message),
    }
}
