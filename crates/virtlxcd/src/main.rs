//! `virtlxcd`: the daemon. Serves libvirt's protocol on its sockets and drives the containers behind it.
#![forbid(unsafe_code)]

use std::process::ExitCode;
use virtlxcd::options::{self, Parsed};
use virtlxcd::{background, run};

fn main() -> ExitCode {
    let options = match options::parse(std::env::args().skip(1)) {
        Ok(Parsed::Run(options)) => options,
        Ok(Parsed::Say(text)) => {
            print!("{text}");
            return ExitCode::SUCCESS;
        }
        Err(why) => {
            eprintln!("virtlxcd: {why}\n\n{}", options::USAGE);
            return ExitCode::FAILURE;
        }
    };
    let outcome = if options.daemon && !background::is_child() { background::start() } else { run::run(&options) };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("virtlxcd: {why}");
            ExitCode::FAILURE
        }
    }
}
