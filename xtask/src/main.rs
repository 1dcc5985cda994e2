//! `cargo xtask COMMAND`: everything around the programs, in one table: building, the sandbox, tests, the demonstration, measurements.
#![forbid(unsafe_code)]

mod bench;
mod build;
mod codegen;
mod demo;
mod packages;
mod run;
mod sandbox;
mod test;
mod tidy;

use std::process::ExitCode;

/// What went wrong, as one sentence for the person at the terminal.
type Result<T> = std::result::Result<T, String>;

struct Command {
    name: &'static str,
    arguments: &'static str,
    about: &'static str,
    /// Answers with the exit status of the program it ran, 0 where it ran none.
    run: fn(&[String]) -> Result<u8>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "bench",
        arguments: "[--runs N] [--alone] [--scale N] [--json FILE]",
        about: "how long starts and ends take, beside the kernel's work alone, libvirt, LXC and runc",
        run: bench::command,
    },
    Command { name: "build", arguments: "", about: "the three programs, in target/release", run: build::command },
    Command {
        name: "codegen",
        arguments: "[--check]",
        about: "the protocol's types and procedures, from their table",
        run: codegen::command,
    },
    Command {
        name: "demo",
        arguments: "[--here]",
        about: "the documentation's two documents the whole way, in the sandbox or on the machine itself",
        run: demo::command,
    },
    Command {
        name: "sandbox",
        arguments: "[--layout v1|v2|mixed] [--writable DIR]... -- COMMAND...",
        about: "run a command in a throw-away copy of this machine",
        run: sandbox::command,
    },
    Command {
        name: "test",
        arguments: "[LEVEL]...",
        about: "the tests, all levels or those named: tidy, unit, whole, qemu; reference only when named",
        run: test::command,
    },
    Command { name: "tidy", arguments: "", about: "check the house rules", run: tidy::command },
];

/// What the commands above start of themselves; not for people.
const STAGES: &[Command] = &[
    Command { name: "bench-inside", arguments: "", about: "", run: bench::inside },
    Command { name: "bench-floor", arguments: "", about: "", run: bench::floor },
    Command { name: "demo-inside", arguments: "", about: "", run: demo::inside },
    Command { name: "limited", arguments: "", about: "", run: test::limited },
    Command { name: "sandbox-janitor", arguments: "", about: "", run: sandbox::janitor },
    Command { name: "sandbox-enter", arguments: "", about: "", run: sandbox::enter },
    Command { name: "sandbox-settle", arguments: "", about: "", run: sandbox::settle },
    Command { name: "sandbox-inside", arguments: "", about: "", run: sandbox::inside },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = arguments.split_first() else {
        print!("{}", usage());
        return ExitCode::from(2);
    };
    let Some(command) = COMMANDS.iter().chain(STAGES).find(|command| command.name == name) else {
        eprint!("xtask: there is no command '{name}'\n\n{}", usage());
        return ExitCode::from(2);
    };
    match (command.run)(rest) {
        Ok(code) => ExitCode::from(code),
        Err(message) => {
            eprintln!("xtask {name}: {message}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> String {
    let mut text = String::from("usage: cargo xtask COMMAND\n\n");
    for command in COMMANDS {
        text += &format!("  {} {}\n      {}\n", command.name, command.arguments, command.about);
    }
    text
}
