//! Completion: command names, then a command's options, then what an option's value may be. The same candidates serve the
//! interactive shell and, by the hidden command `complete`, the completion of bash.

use crate::document;
use crate::lookup::{self, By};
use crate::shell::Shell;
use crate::table::{self, Command, Kind, Opt, Values};
use crate::words;
use rpc::remote::*;

/// Candidates for the last word of a line that is being typed.
pub fn line(shell: &mut Shell, before: &str) -> Vec<String> {
    let Ok(split) = words::split(before) else { return Vec::new() };
    let mut last = split.commands.last().cloned().unwrap_or_default();
    let fresh = before.ends_with([' ', '\t']) || before.is_empty();
    if before.trim_end().ends_with(';') {
        last.clear();
    }
    if fresh || last.is_empty() {
        last.push(String::new());
    }
    candidates(shell, &last)
}

/// Candidates for the last of these words.
pub fn candidates(shell: &mut Shell, words: &[String]) -> Vec<String> {
    let Some((prefix, before)) = words.split_last() else { return Vec::new() };
    let Some((name, arguments)) = before.split_first() else {
        return table::all().map(|command| command.name).filter(starts(prefix)).map(str::to_string).collect();
    };
    let Some(command) = table::find(name) else { return Vec::new() };
    let place = Place::of(command, arguments);
    if let Some(option) = place.waiting {
        return values(shell, option, arguments, command, prefix);
    }
    let mut found = Vec::new();
    if prefix.is_empty() || prefix.starts_with('-') {
        let free = command.options.iter().filter(|option| !place.seen.contains(&option.name));
        let names = free.map(|option| format!("--{}", option.name));
        found.extend(names.filter(|name| name.starts_with(prefix.as_str())));
    }
    if !prefix.is_empty() && !prefix.starts_with('-') {
        if let Some(option) = place.next {
            found.extend(values(shell, option, arguments, command, prefix));
        }
    }
    found
}

fn starts<'a>(prefix: &'a str) -> impl Fn(&&str) -> bool + 'a {
    move |name| name.starts_with(prefix)
}

/// How far the words have got.
struct Place {
    seen: Vec<&'static str>,
    /// The option whose value comes next.
    waiting: Option<&'static Opt>,
    /// The option that the next bare word is for.
    next: Option<&'static Opt>,
}

impl Place {
    fn of(command: &'static Command, arguments: &[String]) -> Place {
        let mut place = Place { seen: Vec::new(), waiting: None, next: None };
        for word in arguments {
            if place.waiting.take().is_some() {
                continue;
            }
            if let Some(named) = word.strip_prefix("--").filter(|named| !named.is_empty()) {
                let (name, value) = named.split_once('=').map_or((named, None), |(name, value)| (name, Some(value)));
                let Some(option) = command.option(name) else { continue };
                place.seen.push(option.name);
                place.waiting = (option.kind != Kind::Flag && value.is_none()).then_some(option);
            } else if let Some(option) = place.free(command) {
                place.seen.push(option.name);
            }
        }
        place.next = place.free(command);
        place
    }

    fn free(&self, command: &'static Command) -> Option<&'static Opt> {
        command.options.iter().find(|option| {
            option.kind != Kind::Flag
                && !option.by_name
                && (option.kind == Kind::Words || !self.seen.contains(&option.name))
        })
    }
}

fn values(shell: &mut Shell, option: &Opt, arguments: &[String], command: &Command, prefix: &str) -> Vec<String> {
    let all: Vec<String> = match option.values {
        Values::Unknown | Values::Files => Vec::new(),
        Values::OneOf(words) => words.iter().map(|word| (*word).to_string()).collect(),
        Values::Commands => table::all().map(|command| command.name.to_string()).collect(),
        Values::Domains(flags) => domains(shell, flags),
        Values::Networks(flags) => networks(shell, flags),
        Values::Interfaces => {
            let named = command.options.iter().position(|option| option.name == "domain");
            let name = named.and_then(|_| arguments.iter().find(|word| !word.starts_with("--")));
            name.map(|name| interfaces(shell, name)).unwrap_or_default()
        }
    };
    all.into_iter().filter(|value| value.starts_with(prefix)).collect()
}

/// Completion never complains: a daemon that cannot be asked offers nothing.
fn domains(shell: &mut Shell, flags: u32) -> Vec<String> {
    if shell.connect().is_err() {
        return Vec::new();
    }
    let args = ConnectListAllDomainsArgs { need_results: 1, flags };
    let listed: api::Result<ConnectListAllDomainsRet> = shell.call(Procedure::ConnectListAllDomains, &args);
    listed.map(|list| list.domains.iter().map(|domain| domain.name.to_string_lossy()).collect()).unwrap_or_default()
}

fn networks(shell: &mut Shell, flags: u32) -> Vec<String> {
    if shell.connect().is_err() {
        return Vec::new();
    }
    let args = ConnectListAllNetworksArgs { need_results: 1, flags };
    let listed: api::Result<ConnectListAllNetworksRet> = shell.call(Procedure::ConnectListAllNetworks, &args);
    listed.map(|list| list.nets.iter().map(|net| net.name.to_string_lossy()).collect()).unwrap_or_default()
}

fn interfaces(shell: &mut Shell, domain: &str) -> Vec<String> {
    let xml = shell.connect().and_then(|()| {
        let domain = lookup::domain_named(shell, domain, By::Anything)?;
        Ok(lookup::domain_xml(shell, &domain, 0)?)
    });
    let Ok(xml) = xml else { return Vec::new() };
    let Ok(document) = document::parse(&xml) else { return Vec::new() };
    let of = |path| document::select(&document, path).unwrap_or_default().iter().map(document::Found::text).collect();
    let mut found: Vec<String> = of("/domain/devices/interface/mac/@address");
    found.extend::<Vec<String>>(of("/domain/devices/interface/target/@dev"));
    found
}
