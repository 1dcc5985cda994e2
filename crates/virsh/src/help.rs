//! `help` and `--help`, written from the table of commands.

use crate::arguments::type_name;
use crate::commands::FAMILIES;
use crate::table::{Command, Family, Kind, Opt};

/// The libvirt whose commands, messages and protocol these are.
pub const VERSION: &str = "9.0.0";

/// All commands, by group.
pub fn overview() -> String {
    let groups: String = FAMILIES.iter().map(|family| group(family) + "\n").collect();
    format!("Grouped commands:\n\n{groups}")
}

pub fn group(family: &Family) -> String {
    let mut out = format!(" {} (help keyword '{}'):\n", family.group.title, family.group.keyword);
    for command in family.iter() {
        out += &format!("    {:<30} {}\n", command.name, command.about);
    }
    out
}

pub fn find_group(name: &str) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| family.group.keyword == name || family.group.title == name)
}

pub fn command(command: &Command) -> String {
    let mut out = format!("  NAME\n    {} - {}\n\n  SYNOPSIS\n    {}", command.name, command.about, command.name);
    for option in command.options {
        out += " ";
        out += &synopsis(option);
    }
    out += "\n";
    if !command.more.is_empty() {
        out += "\n  DESCRIPTION\n";
        for line in command.more.lines() {
            out += &format!("    {line}\n");
        }
    }
    if !command.options.is_empty() {
        out += "\n  OPTIONS\n";
        for option in command.options {
            out += &format!("    {:<15}  {}\n", title(option), option.help);
        }
    }
    out + "\n"
}

/// An option as the synopsis has it.
fn synopsis(option: &Opt) -> String {
    let (name, kind) = (option.name, type_name(option.kind));
    match (option.kind, option.required && !option.by_name) {
        (Kind::Flag, _) => format!("[--{name}]"),
        (Kind::Words, true) => format!("{{[--{name}] <{kind}>}}..."),
        (Kind::Words, false) => format!("[[--{name}] <{kind}>]..."),
        (_, true) => format!("<{name}>"),
        (_, false) if option.required => format!("--{name} <{kind}>"),
        (_, false) => format!("[--{name} <{kind}>]"),
    }
}

/// An option as the list has it.
fn title(option: &Opt) -> String {
    let (name, kind) = (option.name, type_name(option.kind));
    match (option.kind, option.required && !option.by_name) {
        (Kind::Flag, _) => format!("--{name}"),
        (Kind::Words, _) | (_, true) => format!("[--{name}] <{kind}>"),
        _ => format!("--{name} <{kind}>"),
    }
}

/// `virsh --help`.
pub fn program() -> String {
    let mut out = String::from(
        "
virsh [options]... [<command_string>]
virsh [options]... <command> [args...]

  options:
    -c | --connect=URI      the daemon and driver to use (default lxc:///)
    -d | --debug=NUM        accepted for libvirt's sake, 0 to 4
    -e | --escape <char>    what leaves a console, as ^] or one character
    -h | --help             this text
    -k | --keepalive-interval=NUM
                            seconds between questions whether the daemon lives, 0 for none
    -K | --keepalive-count=NUM
                            so many of them may stay unanswered
    -l | --log=FILE         append errors to a file
    -o | --output=FORM      text or json
    -q | --quiet            results only, without headers and confirmations
    -r | --readonly         ask for nothing that changes anything
    -t | --timing           say how long each command took
    -v                      short version
    -V                      long version
         --version[=TYPE]   version, TYPE is short or long (default short)
  commands (non interactive mode):

",
    );
    for family in FAMILIES {
        out += &group(family).replacen("'):\n", "')\n", 1);
        out += "\n";
    }
    out += "\n  (specify help <group> for details about the commands in the group)\n";
    out += "\n  (specify help <command> for details about the command)\n\n";
    out
}

pub fn long_version() -> String {
    format!(
        "Virsh command line tool of virtlxc {}, with the commands of libvirt {VERSION}\n\n\
         Compiled with support for:\n Drivers: LXC\n Networks: client of any daemon\n",
        env!("CARGO_PKG_VERSION")
    )
}
