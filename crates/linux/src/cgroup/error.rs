//! Why something about control groups could not be done.

use std::fmt;
use std::io;
use std::path::Path;

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug)]
pub enum Error {
    /// The kernel refused: what was tried, on which file, and its reason.
    System { doing: String, source: io::Error },
    /// This machine has not what was asked for; the whole text.
    Unsupported(String),
}

impl Error {
    pub(super) fn creating(path: &Path, source: io::Error) -> Error {
        Error::System { doing: format!("Failed to create cgroup '{}'", path.display()), source }
    }

    pub(super) fn reading(path: &Path, source: io::Error) -> Error {
        Error::System { doing: format!("Unable to read from '{}'", path.display()), source }
    }

    pub(super) fn writing(path: &Path, value: &str, source: io::Error) -> Error {
        Error::System { doing: format!("Unable to write '{value}' to '{}'", path.display()), source }
    }

    pub(super) fn removing(path: &Path, source: io::Error) -> Error {
        Error::System { doing: format!("Unable to remove cgroup '{}'", path.display()), source }
    }

    /// The kernel's reason, where there is one.
    pub fn io(&self) -> Option<&io::Error> {
        match self {
            Error::System { source, .. } => Some(source),
            Error::Unsupported(_) => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::System { doing, source } => {
                let reason = source.to_string();
                // Without Rust's ` (os error N)`.
                let reason = match (source.raw_os_error(), reason.rfind(" (os error ")) {
                    (Some(_), Some(at)) => &reason[..at],
                    _ => &reason,
                };
                write!(f, "{doing}: {reason}")
            }
            Error::Unsupported(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::System { source, .. } => Some(source),
            Error::Unsupported(_) => None,
        }
    }
}
