//! What went wrong, in words that reach the client: what was done, to which path, and the kernel's reason.

use std::fmt::{self, Display};
use std::io;

pub type Result<T> = std::result::Result<T, Failure>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(String);

impl Failure {
    pub fn new(message: impl Into<String>) -> Failure {
        Failure(message.into())
    }

    /// Something that a document asks for and that is not to be had here.
    pub fn unsupported(message: impl Display) -> Failure {
        Failure(format!("unsupported configuration: {message}"))
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Adds what was being done to an error of the kernel.
pub trait Doing<T> {
    fn doing<D: Display>(self, what: impl FnOnce() -> D) -> Result<T>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing<D: Display>(self, what: impl FnOnce() -> D) -> Result<T> {
        self.map_err(|error| {
            let text = error.to_string();
            // Rust adds the number to the kernel's words.
            let text = text.rfind(" (os error ").and_then(|at| text.get(..at)).unwrap_or(&text);
            Failure(format!("{}: {text}", what()))
        })
    }
}

impl From<api::Error> for Failure {
    fn from(error: api::Error) -> Failure {
        Failure(error.message)
    }
}

impl From<linux::cgroup::Error> for Failure {
    fn from(error: linux::cgroup::Error) -> Failure {
        Failure(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_words_come_last() {
        let result: io::Result<()> = Err(io::Error::from_raw_os_error(2));
        assert_eq!(
            result.doing(|| "Failed to access '/x'").unwrap_err().to_string(),
            "Failed to access '/x': No such file or directory"
        );
    }
}
