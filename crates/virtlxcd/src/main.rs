//! `virtlxcd`: the daemon. Serves libvirt's protocol on its sockets and drives the containers behind it.
#![forbid(unsafe_code)]

mod admin;
mod background;
mod beside;
mod call;
mod config;
mod connect;
mod convert;
mod daemon;
mod daemon_hook;
mod device_events;
mod dispatch;
mod documents;
mod domains;
mod domains_devices;
mod domains_inside;
mod domains_life;
mod domains_stats;
mod domains_tuning;
mod events;
mod host;
mod idle;
mod interfaces;
mod lacking;
mod log;
mod lxc_config;
mod networks;
mod networks_ports;
mod node;
mod nodedevices;
mod options;
mod pidfile;
mod run;
mod sockets;

use options::Parsed;
use std::process::ExitCode;

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
