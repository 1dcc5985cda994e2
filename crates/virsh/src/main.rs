//! `virsh`: the command line of libvirt, for containers. It speaks libvirt's protocol to whatever daemon serves the
//! connection, and behaves as libvirt's own virsh does: names, options, output, exit codes.
#![forbid(unsafe_code)]

mod arguments;
mod commands;
mod complete;
mod connect;
mod document;
mod dropped;
mod editing;
mod failure;
mod help;
mod inside;
mod interactive;
mod lookup;
mod report;
mod settings;
mod shell;
mod signals;
mod table;
mod terminal;
mod typed;
mod words;

use settings::Request;
use shell::Shell;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    if let Some(code) = commands::enter::enter_if_asked(&arguments) {
        return code;
    }
    match run(&arguments) {
        Ok(status) => ExitCode::from(status),
        Err(failure) => {
            for line in failure.lines() {
                eprintln!("error: {line}");
            }
            ExitCode::FAILURE
        }
    }
}

/// The exit status.
fn run(arguments: &[String]) -> Result<u8, failure::Failure> {
    let (settings, request, warnings) = settings::parse(arguments)?;
    for warning in warnings {
        eprintln!("error: {warning}");
    }
    let explicit = settings.uri.is_some();
    let mut shell = Shell::new(settings)?;
    // A connection that is asked for by name must succeed, whatever the commands; others wait until they are needed.
    let first = match &request {
        Request::Words(words) => Some(words.first().map(String::as_str)),
        Request::Line(line) => Some(line.split_whitespace().next()),
        _ => None,
    };
    if let (true, Some(name)) = (explicit, first) {
        if let Err(failure) = shell.connect() {
            shell.complain(&failure);
            return Ok(name.and_then(table::find).and_then(|command| command.failure).unwrap_or(1));
        }
    }
    match request {
        Request::Help => shell.print(&help::program()),
        Request::Version { long: false } => shell.print(&format!("{}\n", help::VERSION)),
        Request::Version { long: true } => shell.print(&help::long_version()),
        Request::Words(words) => {
            let good = shell.run(&words);
            return Ok(shell.status(good));
        }
        Request::Line(line) => {
            if line.is_empty() {
                return Ok(1);
            }
            let line = words::split(&line).map_err(|malformed| failure::Failure::new(malformed.text()))?;
            let good = shell.run_line(&line);
            return Ok(shell.status(good));
        }
        Request::Interactive => {
            if explicit {
                shell.connect()?;
            }
            return interactive::run(shell).map(|good| u8::from(!good));
        }
    }
    Ok(0)
}
