//! Why a command failed: the lines that go to standard error behind `error: `, or none where libvirt's virsh says nothing.

use api::Error;
use std::io;

pub type Done = Result<(), Failure>;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Failure {
    lines: Vec<String>,
}

impl Failure {
    pub fn new(text: impl Into<String>) -> Failure {
        Failure { lines: vec![text.into()] }
    }

    pub fn several(lines: Vec<String>) -> Failure {
        Failure { lines }
    }

    /// The exit status alone tells.
    pub fn silent() -> Failure {
        Failure::default()
    }

    /// A file could not be used.
    pub fn file(what: &str, path: &str, error: &io::Error) -> Failure {
        Failure::new(format!("Failed to {what} file '{path}': {}", words(error)))
    }

    pub fn lines(&self) -> &[String] {
        &self.lines
    }
}

/// An I/O error in the C library's words.
pub fn words(error: &io::Error) -> String {
    let text = error.to_string();
    match text.rfind(" (os error ") {
        Some(at) => text.get(..at).unwrap_or_default().to_string(),
        None => text,
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        // Where in a document the fault is: our daemon says so beside libvirt's words.
        let place = error.str3.filter(|place| place.starts_with("at /"));
        Failure { lines: std::iter::once(error.message).chain(place).collect() }
    }
}

/// Says before an error what was being done.
pub trait Context<T> {
    fn context(self, what: impl Into<String>) -> Result<T, Failure>;

    /// Says only that, and not the error itself.
    fn or_say(self, what: impl Into<String>) -> Result<T, Failure>;
}

impl<T, E: Into<Failure>> Context<T> for Result<T, E> {
    fn context(self, what: impl Into<String>) -> Result<T, Failure> {
        self.map_err(|error| {
            let mut failure = error.into();
            failure.lines.insert(0, what.into());
            failure
        })
    }

    fn or_say(self, what: impl Into<String>) -> Result<T, Failure> {
        self.map_err(|_| Failure::new(what))
    }
}
