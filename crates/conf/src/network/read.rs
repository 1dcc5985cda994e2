//! Small pieces of reading that all parts of a network's document share.

use crate::number;
use crate::refuse;
use crate::xml::Node;
use api::{Code, Error, ErrorDomain, Result};

pub(super) fn xml_error<T>(words: impl Into<String>) -> Result<T> {
    Err(Error::xml(ErrorDomain::Network, words))
}

pub(super) fn unsupported<T>(words: impl Into<String>) -> Result<T> {
    Err(Error::config_unsupported(ErrorDomain::Network, words))
}

pub(super) fn internal<T>(words: impl Into<String>) -> Result<T> {
    Err(Error::internal(ErrorDomain::Network, words))
}

/// A fault in a record: the words stand alone.
pub(super) fn detail<T>(words: impl Into<String>) -> Result<T> {
    Err(Error::new(ErrorDomain::Network, Code::XmlDetail, words))
}

/// An attribute; an empty one counts as none.
pub(super) fn filled(node: Node, name: &str) -> Option<String> {
    node.attr(name).filter(|value| !value.is_empty()).map(str::to_string)
}

/// An attribute, which may be empty.
pub(super) fn owned(node: Node, name: &str) -> Option<String> {
    node.attr(name).map(str::to_string)
}

/// `yes` or `no`.
pub(super) fn yes_no(node: Node, name: &str) -> Result<Option<bool>> {
    one_of(node, name, &[("yes", true), ("no", false)])
}

pub(super) fn one_of<T: Copy>(node: Node, name: &str, table: &[(&str, T)]) -> Result<Option<T>> {
    let Some(text) = node.attr(name) else { return Ok(None) };
    match table.iter().find(|(word, _)| *word == text) {
        Some((_, value)) => Ok(Some(*value)),
        None => Err(refuse::bad_attribute(node.name(), name, text, "")),
    }
}

/// A number of 32 bits as `strtoul` reads it, with libvirt's wrap of negative ones; `Err` where it is none.
pub(super) fn unsigned(text: &str) -> std::result::Result<u32, ()> {
    number::u32_wrapping(text, 10).ok_or(())
}

/// A number that must not be negative.
pub(super) fn unsigned_long(node: Node, name: &str) -> Result<Option<u64>> {
    let Some(text) = node.attr(name) else { return Ok(None) };
    match number::u64_of(text, 0) {
        Some(value) => Ok(Some(value)),
        None => Err(refuse::bad_attribute(node.name(), name, text, " Expected non-negative integer value")),
    }
}
