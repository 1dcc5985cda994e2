//! One error type for the whole system: libvirt's error structure, which travels on the wire as it is.
//! How its fields are filled is part of the interface: clients match on `code`, `domain`, `message`, `str1` and `str2`.

use crate::{Code, ErrorDomain, Uuid};
use std::fmt;

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    None = 0,
    Warning = 1,
    Error = 2,
}

/// What went wrong, in the fields that libvirt's clients receive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    pub code: Code,
    pub domain: ErrorDomain,
    pub level: Level,
    /// The whole text, as `virsh` prints it after `error: `.
    pub message: String,
    pub str1: Option<String>,
    pub str2: Option<String>,
    pub str3: Option<String>,
    pub int1: i32,
    pub int2: i32,
}

impl Error {
    /// An ordinary error: the code's own words, then the detail.
    /// An empty detail gives the code's words alone.
    pub fn new(domain: ErrorDomain, code: Code, detail: impl Into<String>) -> Error {
        let detail = detail.into();
        let (bare, with) = code.formats();
        let (format, message, str2) = if detail.is_empty() {
            (bare, bare.to_string(), None)
        } else {
            (with, with.replacen("%s", &detail, 1), Some(detail))
        };
        Error {
            code,
            domain,
            level: Level::Error,
            message,
            str1: Some(format.to_string()),
            str2,
            str3: None,
            int1: -1,
            int2: -1,
        }
    }

    /// A failed system call: `context: strerror(errno)`, code 38, the errno in `int1`.
    pub fn system(domain: ErrorDomain, error: &std::io::Error, context: impl fmt::Display) -> Error {
        let message = format!("{context}: {}", errno_text(error));
        Error {
            code: Code::SystemError,
            domain,
            level: Level::Error,
            str1: Some("%s".to_string()),
            str2: Some(message.clone()),
            str3: None,
            message,
            int1: error.raw_os_error().unwrap_or(-1),
            int2: -1,
        }
    }

    /// An argument of a public call is wrong, an unsupported flag among them: the text stands alone,
    /// `str1` names the function and `str2` the argument.
    pub fn argument(domain: ErrorDomain, function: &str, argument: &str, message: impl Into<String>) -> Error {
        Error {
            code: Code::InvalidArg,
            domain,
            level: Level::Error,
            message: message.into(),
            str1: Some(function.to_string()),
            str2: Some(argument.to_string()),
            str3: None,
            int1: 0,
            int2: 0,
        }
    }

    pub fn unsupported_flags(domain: ErrorDomain, function: &str, flags: u32) -> Error {
        Error::argument(domain, function, "flags", format!("unsupported flags (0x{flags:x}) in function {function}"))
    }

    /// A call that this driver has not; `api` is the public function's name.
    pub fn no_support(domain: ErrorDomain, api: &str) -> Error {
        Error::new(domain, Code::NoSupport, api)
    }

    pub fn internal(domain: ErrorDomain, detail: impl Into<String>) -> Error {
        Error::new(domain, Code::InternalError, detail)
    }

    pub fn operation_invalid(domain: ErrorDomain, detail: impl Into<String>) -> Error {
        Error::new(domain, Code::OperationInvalid, detail)
    }

    pub fn operation_failed(domain: ErrorDomain, detail: impl Into<String>) -> Error {
        Error::new(domain, Code::OperationFailed, detail)
    }

    pub fn config_unsupported(domain: ErrorDomain, detail: impl Into<String>) -> Error {
        Error::new(domain, Code::ConfigUnsupported, detail)
    }

    pub fn xml(domain: ErrorDomain, detail: impl Into<String>) -> Error {
        Error::new(domain, Code::XmlError, detail)
    }

    pub fn no_domain_uuid(uuid: &Uuid, name: Option<&str>) -> Error {
        let detail = match name {
            Some(name) => format!("no domain with matching uuid '{uuid}' ({name})"),
            None => format!("No domain with matching uuid '{uuid}'"),
        };
        Error::new(ErrorDomain::Lxc, Code::NoDomain, detail)
    }

    pub fn no_domain_name(name: &str) -> Error {
        Error::new(ErrorDomain::Lxc, Code::NoDomain, format!("No domain with matching name '{name}'"))
    }

    pub fn no_domain_id(id: i32) -> Error {
        Error::new(ErrorDomain::Lxc, Code::NoDomain, format!("No domain with matching id {id}"))
    }

    /// The same error with more behind libvirt's words; `str2` keeps step with the message.
    pub fn explain(mut self, more: impl fmt::Display) -> Error {
        self.message = format!("{}{more}", self.message);
        if let Some(detail) = &mut self.str2 {
            *detail = format!("{detail}{more}");
        }
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// The C library's words for an errno, without Rust's ` (os error N)`.
pub fn errno_text(error: &std::io::Error) -> String {
    let text = error.to_string();
    match (error.raw_os_error(), text.rfind(" (os error ")) {
        (Some(_), Some(at)) => text[..at].to_string(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_error_carries_format_and_detail() {
        let e = Error::internal(ErrorDomain::Lxc, "it broke");
        assert_eq!(e.message, "internal error: it broke");
        assert_eq!(e.str1.as_deref(), Some("internal error: %s"));
        assert_eq!(e.str2.as_deref(), Some("it broke"));
        assert_eq!((e.int1, e.int2), (-1, -1));
    }

    #[test]
    fn a_system_error_carries_the_errno() {
        let e = Error::system(ErrorDomain::Lxc, &std::io::Error::from_raw_os_error(2), "cannot open '/x'");
        assert_eq!(e.message, "cannot open '/x': No such file or directory");
        assert_eq!((e.code as i32, e.int1), (38, 2));
    }

    #[test]
    fn a_percent_sign_in_the_detail_is_kept() {
        let e = Error::internal(ErrorDomain::Lxc, "100%s");
        assert_eq!(e.message, "internal error: 100%s");
    }
}
