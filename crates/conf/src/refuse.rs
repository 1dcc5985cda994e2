//! Refusals in libvirt's words. Where in the document it is travels beside them (`str3`), so that clients that match
//! the words still do.

use crate::xml::Node;
use api::{Code, Error, ErrorDomain, Result};

pub(crate) fn xml(message: impl Into<String>) -> Error {
    Error::xml(ErrorDomain::Domain, message)
}

/// Of the XML library's helpers rather than of the domain's parser.
pub(crate) fn generic_xml(message: impl Into<String>) -> Error {
    Error::xml(ErrorDomain::Xml, message)
}

pub(crate) fn unsupported(message: impl Into<String>) -> Error {
    Error::config_unsupported(ErrorDomain::Domain, message)
}

pub(crate) fn internal(message: impl Into<String>) -> Error {
    Error::internal(ErrorDomain::Domain, message)
}

/// Of a helper that belongs to no part of libvirt.
pub(crate) fn bare_xml(message: impl Into<String>) -> Error {
    Error::xml(ErrorDomain::None, message)
}

pub(crate) fn bare_unsupported(message: impl Into<String>) -> Error {
    Error::config_unsupported(ErrorDomain::None, message)
}

/// The message alone.
pub(crate) fn detail(message: impl Into<String>) -> Error {
    Error::new(ErrorDomain::Domain, Code::XmlDetail, message)
}

pub(crate) fn argument(message: impl Into<String>) -> Error {
    Error::new(ErrorDomain::None, Code::InvalidArg, message)
}

pub(crate) fn overflow(message: impl Into<String>) -> Error {
    Error::new(ErrorDomain::None, Code::Overflow, message)
}

pub(crate) fn unknown_suffix(unit: &str) -> Error {
    argument(format!("unknown suffix '{unit}'"))
}

pub(crate) fn bad_bitmap(text: &str) -> Error {
    argument(format!("Failed to parse bitmap '{text}'"))
}

pub(crate) fn missing_attribute(element: &str, attribute: &str) -> Error {
    generic_xml(format!("Missing required attribute '{attribute}' in element '{element}'"))
}

/// `more` is empty or what was expected.
pub(crate) fn bad_attribute(element: &str, attribute: &str, value: &str, more: &str) -> Error {
    generic_xml(format!("Invalid value for attribute '{attribute}' in element '{element}': '{value}'.{more}"))
}

pub(crate) fn zero_attribute(element: &str, attribute: &str) -> Error {
    generic_xml(format!("Invalid value for attribute '{attribute}' in element '{element}': Zero is not permitted"))
}

pub(crate) fn bad_name(letter: char) -> Error {
    Error::new(ErrorDomain::Xml, Code::XmlDetail, format!("invalid char in name: {letter}"))
}

pub(crate) fn missing_source(of: &str) -> Error {
    Error::new(ErrorDomain::Domain, Code::NoSource, of)
}

pub(crate) fn missing_target(of: &str) -> Error {
    Error::new(ErrorDomain::Domain, Code::NoTarget, of)
}

/// The same said by a part of libvirt of its own, not by the domain's parser.
pub(crate) fn by(part: ErrorDomain) -> impl Fn(Error) -> Error {
    move |error| match error.domain {
        ErrorDomain::Domain => Error { domain: part, ..error },
        _ => error,
    }
}

/// Says where in the document.
pub(crate) trait Place<T> {
    fn at(self, node: Node) -> Result<T>;
}

impl<T> Place<T> for Result<T> {
    fn at(self, node: Node) -> Result<T> {
        self.map_err(|mut error| {
            error.str3.get_or_insert_with(|| format!("at {}, line {}", node.path(), node.line()));
            error
        })
    }
}

/// An attribute of a fixed set of words, checked as libvirt does.
pub(crate) fn word<T>(node: Node, attribute: &str, from: fn(&str) -> Option<T>) -> Result<Option<T>> {
    match node.attr(attribute) {
        None => Ok(None),
        Some(text) => match from(text) {
            Some(value) => Ok(Some(value)),
            None => Err(bad_attribute(node.name(), attribute, text, "")),
        },
    }
}

pub(crate) fn yes_no(text: &str) -> Option<bool> {
    match text {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

pub(crate) fn on_off(text: &str) -> Option<bool> {
    match text {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

/// An attribute that must be there.
pub(crate) fn required<'a>(node: Node<'a>, attribute: &str) -> Result<&'a str> {
    node.attr(attribute).ok_or_else(|| missing_attribute(node.name(), attribute))
}

/// An unsigned attribute, as libvirt checks it.
pub(crate) fn unsigned(node: Node, attribute: &str, base: u32) -> Result<Option<u32>> {
    let Some(text) = node.attr(attribute) else { return Ok(None) };
    match crate::number::u32_of(text, base) {
        Some(number) => Ok(Some(number)),
        None => Err(bad_attribute(node.name(), attribute, text, " Expected non-negative integer value")),
    }
}
