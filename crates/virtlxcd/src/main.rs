//! `virtlxcd`: the daemon. Serves libvirt's protocol on its sockets and drives the containers behind it.
#![forbid(unsafe_code)]

use std::io::Write;
use std::process::ExitCode;
use virtlxcd::options::{self, Parsed};
use virtlxcd::{background, run};

fn main() -> ExitCode {
    let outcome = match options::parse(std::env::args_os().skip(1)) {
        Ok(Parsed::Run(options)) if options.daemon && !background::is_child() => background::start(),
        Ok(Parsed::Run(options)) => run::run(&options).map(|()| ExitCode::SUCCESS),
        Ok(Parsed::Say(text)) => {
            let said = std::io::stdout().write_all(text.as_bytes());
            said.map(|()| ExitCode::SUCCESS).map_err(|e| format!("standard output: {}", api::errno_text(&e)))
        }
        Err(why) => Err(why),
    };
    outcome.unwrap_or_else(|why| {
        // Whoever started it may have closed that too.
        _ = writeln!(std::io::stderr(), "virtlxcd: {why}");
        ExitCode::FAILURE
    })
}
