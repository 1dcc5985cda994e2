//! `virsh`: the command line of libvirt, for containers. It speaks libvirt's protocol to whatever daemon serves the
//! connection, and behaves as libvirt's own virsh does: names, options, output, exit codes.
#![forbid(unsafe_code)]

mod arguments;
mod commands;
mod complete;
mod connect;
mod document;
mod editing;
mod failure;
mod help;
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
    if let Some(code) = commands::guest::enter_if_asked(&arguments) {
        return code;
    }
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            for line in failure.lines() {
                eprintln!("error: {line}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<bool, failure::Failure> {
    let (settings, request, warnings) = settings::parse(arguments)?;
    for warning in warnings {
        eprintln!("error: {warning}");
    }
    let explicit = settings.uri.is_some();
    let mut shell = Shell::new(settings)?;
    match request {
        Request::Help => shell.print(&help::program()),
        Request::Version { long: false } => shell.print(&format!("{}\n", help::VERSION)),
        Request::Version { long: true } => shell.print(&help::long_version()),
        Request::Words(words) => return Ok(shell.run(&words)),
        Request::Line(line) => {
            if line.is_empty() {
                return Ok(false);
            }
            let line = words::split(&line).map_err(|malformed| failure::Failure::new(malformed.text()))?;
            return Ok(shell.run_line(&line));
        }
        Request::Interactive => {
            if explicit {
                shell.connect()?;
            }
            return interactive::run(shell);
        }
    }
    Ok(true)
}
