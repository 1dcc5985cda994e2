//! `libvirt_lxc`, the controller: one small process for each running container. It builds the container, tells the daemon,
//! then holds its consoles and waits for its end. `run` reads as the order of events.
#![forbid(unsafe_code)]

mod console;
mod console_log;
mod container;
mod failure;
mod handshake;
mod history;
mod image;
mod inside;
mod log;
mod monitor;
mod nursery;
mod options;
mod plan;
mod prepare;
mod procview;
mod run;
mod serve;
mod served;
mod tree;
mod users;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let asked = match options::parse(&arguments) {
        Ok(options::Asked::Nursery(socket)) => match nursery::serve(socket) {
            Ok(Some(words)) => options::parse(words.get(1..).unwrap_or_default()),
            Ok(None) => return ExitCode::SUCCESS,
            Err(failure) => Err(failure.to_string()),
        },
        asked => asked,
    };
    let options = match asked {
        Ok(options) => options,
        Err(message) => {
            eprintln!("libvirt_lxc: error: {message}");
            return ExitCode::FAILURE;
        }
    };
    let ended = match options {
        options::Asked::Run(options) => run::run(options),
        options::Asked::Inside { name, root } => inside::run(&name, root),
        // None becomes one again.
        options::Asked::Nursery(_) => Ok(()),
        options::Asked::Help => {
            print!("{}", options::HELP);
            Ok(())
        }
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            log::error(&failure);
            // The daemon looks for these words and shows what follows them.
            eprintln!("Failure in libvirt_lxc startup: {failure}");
            ExitCode::FAILURE
        }
    }
}
