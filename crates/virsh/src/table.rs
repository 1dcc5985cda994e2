//! What a command is: its name, options, words for the help, and the function that carries it out. Parsing, help and
//! completion are all made from these rows, which live beside the functions in `commands/`.

use crate::arguments::Arguments;
use crate::failure::Done;
use crate::shell::Shell;

/// A family of commands, with the keyword by which `help` knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    pub keyword: &'static str,
    pub title: &'static str,
}

/// What an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Flag,
    Text,
    Number,
    /// Any number of words.
    Words,
}

/// What may stand for an option's value, for completion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    Unknown,
    /// Domains that match these bits of `virConnectListAllDomainsFlags`; 0 means all.
    Domains(u32),
    /// The same for networks.
    Networks(u32),
    OneOf(&'static [&'static str]),
    /// Interfaces and disks of the domain named before.
    Interfaces,
    Commands,
    Files,
}

#[derive(Debug, Clone, Copy)]
pub struct Opt {
    pub name: &'static str,
    pub kind: Kind,
    pub required: bool,
    /// Only by its name, never by position.
    pub by_name: bool,
    pub may_be_empty: bool,
    pub values: Values,
    pub help: &'static str,
}

const fn opt(name: &'static str, kind: Kind, help: &'static str) -> Opt {
    Opt { name, kind, required: false, by_name: false, may_be_empty: false, values: Values::Unknown, help }
}

pub const fn flag(name: &'static str, help: &'static str) -> Opt {
    opt(name, Kind::Flag, help)
}

pub const fn text(name: &'static str, help: &'static str) -> Opt {
    opt(name, Kind::Text, help)
}

pub const fn number(name: &'static str, help: &'static str) -> Opt {
    opt(name, Kind::Number, help)
}

pub const fn words(name: &'static str, help: &'static str) -> Opt {
    opt(name, Kind::Words, help)
}

/// A required text.
pub const fn need(name: &'static str, help: &'static str) -> Opt {
    text(name, help).required()
}

impl Opt {
    pub const fn required(self) -> Opt {
        Opt { required: true, ..self }
    }

    pub const fn by_name(self) -> Opt {
        Opt { by_name: true, ..self }
    }

    pub const fn may_be_empty(self) -> Opt {
        Opt { may_be_empty: true, ..self }
    }

    pub const fn of(self, values: Values) -> Opt {
        Opt { values, ..self }
    }
}

pub const ACTIVE: u32 = 1;
pub const INACTIVE: u32 = 2;
pub const PERSISTENT_ONLY: u32 = 4;
/// Networks have the first two the other way round.
pub const INACTIVE_NETWORKS: u32 = 1;
pub const ACTIVE_NETWORKS: u32 = 2;

/// The domain that a command is about.
pub const DOMAIN: Opt = domain(0);
pub const NETWORK: Opt = network(0);
pub const FILE: Opt = need("file", "file with the XML document").of(Values::Files);
pub const CONFIG: Opt = flag("config", "change what holds from the next start on");
pub const LIVE: Opt = flag("live", "change the running domain");
pub const CURRENT: Opt = flag("current", "change the domain as it is now, running or not");
pub const PERSISTENT: Opt = flag("persistent", "change the running domain and what holds from the next start on");
pub const OUTPUT: Opt =
    text("output", "form of the output: text or json").by_name().of(Values::OneOf(&["text", "json"]));

pub const fn domain(matching: u32) -> Opt {
    need("domain", "the domain's name, id or UUID").of(Values::Domains(matching))
}

pub const fn network(matching: u32) -> Opt {
    need("network", "the network's name or UUID").of(Values::Networks(matching))
}

pub type Run = fn(&mut Shell, &Arguments) -> Done;

pub struct Command {
    pub name: &'static str,
    /// One line for the lists.
    pub about: &'static str,
    /// More than that, for the command's own help.
    pub more: &'static str,
    pub options: &'static [Opt],
    pub run: Run,
    /// Whether the terminal's user alone has use for it: `cd` and the like.
    pub offline: bool,
    /// The status with which it fails, where that is not 1.
    pub failure: Option<u8>,
}

impl Command {
    pub const fn new(name: &'static str, about: &'static str, options: &'static [Opt], run: Run) -> Command {
        Command { name, about, more: "", options, run, offline: false, failure: None }
    }

    pub const fn more(self, more: &'static str) -> Command {
        Command { more, ..self }
    }

    /// Works without a connection.
    pub const fn offline(self) -> Command {
        Command { offline: true, ..self }
    }

    pub const fn fails_with(self, status: u8) -> Command {
        Command { failure: Some(status), ..self }
    }

    pub fn option(&self, name: &str) -> Option<&'static Opt> {
        self.options.iter().find(|option| option.name == name)
    }
}

/// All rows of a group, from as many files as it has.
pub struct Family {
    pub group: Group,
    pub commands: &'static [&'static [Command]],
}

impl Family {
    pub fn iter(&self) -> impl Iterator<Item = &'static Command> {
        self.commands.iter().flat_map(|rows| rows.iter())
    }
}

pub fn find(name: &str) -> Option<&'static Command> {
    all().find(|command| command.name == name)
}

pub fn all() -> impl Iterator<Item = &'static Command> {
    crate::commands::FAMILIES.iter().flat_map(Family::iter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_what_is_required_comes_first() {
        let mut seen = HashSet::new();
        for command in all() {
            assert!(seen.insert(command.name), "two commands are called {}", command.name);
            let mut names = HashSet::new();
            for option in command.options {
                assert!(names.insert(option.name), "{} has two options --{}", command.name, option.name);
                assert!(!option.help.is_empty(), "{} --{} has no help", command.name, option.name);
            }
            let positional: Vec<&Opt> =
                command.options.iter().filter(|option| option.kind != Kind::Flag && !option.by_name).collect();
            let words = positional.iter().position(|option| option.kind == Kind::Words);
            assert!(words.is_none_or(|at| at + 1 == positional.len()), "{}: words are not last", command.name);
        }
    }
}
