//! `virNetMessageError` and `api::Error`, each as the other.

use crate::Str;
use crate::virnet::MessageError;
use api::{Code, Error, ErrorDomain, Level};

/// Longer texts are cut: four of them must fit a message, and libvirt drops a connection whose error does not.
const TEXT_MAX: usize = 65_536;

pub fn to_wire(error: &Error) -> MessageError {
    let text = |text: &str| Str(text.as_bytes().get(..text.len().min(TEXT_MAX)).unwrap_or_default().to_vec());
    MessageError {
        code: error.code as i32,
        domain: error.domain as i32,
        message: Some(text(&error.message)),
        level: error.level as i32,
        dom: None,
        str1: error.str1.as_deref().map(text),
        str2: error.str2.as_deref().map(text),
        str3: error.str3.as_deref().map(text),
        int1: error.int1,
        int2: error.int2,
        net: None,
    }
}

/// A number that this side does not know becomes an internal error with the peer's own text.
pub fn from_wire(wire: MessageError) -> Error {
    let text = |text: Option<Str>| text.map(|text| text.to_string_lossy());
    let code = Code::from_number(wire.code).unwrap_or(Code::InternalError);
    Error {
        code,
        domain: ErrorDomain::from_number(wire.domain).unwrap_or(ErrorDomain::None),
        level: match wire.level {
            0 => Level::None,
            1 => Level::Warning,
            _ => Level::Error,
        },
        message: text(wire.message).unwrap_or_else(|| code.formats().0.to_string()),
        str1: text(wire.str1),
        str2: text(wire.str2),
        str3: text(wire.str3),
        int1: wire.int1,
        int2: wire.int2,
    }
}

/// An error of the RPC layer itself.
pub fn rpc_error(detail: impl Into<String>) -> Error {
    Error::new(ErrorDomain::Rpc, Code::Rpc, detail)
}
