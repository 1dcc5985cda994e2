//! Signals to the processes of a domain.

use crate::arguments::Arguments;
use crate::failure::{Done, Failure};
use crate::lookup;
use crate::shell::Shell;
use crate::table::*;
use rpc::remote::{DomainSendProcessSignalArgs, Procedure};

pub const COMMANDS: &[Command] = &[Command::new(
    "send-process-signal",
    "send a signal to a process of a domain",
    &[
        domain(ACTIVE),
        need("pid", "the process, by its number inside"),
        need("signame", "the signal, by name or number"),
    ],
    send_signal,
)];

/// Signals by their numbers; 0 asks only whether the process is there. The real-time ones follow from 32.
const SIGNALS: &[&str] = &[
    "nop", "hup", "int", "quit", "ill", "trap", "abrt", "bus", "fpe", "kill", "usr1", "segv", "usr2", "pipe", "alrm",
    "term", "stkflt", "chld", "cont", "stop", "tstp", "ttin", "ttou", "urg", "xcpu", "xfsz", "vtalrm", "prof", "winch",
    "poll", "pwr", "sys",
];

fn signal_number(name: &str) -> Option<u32> {
    if let Ok(number) = name.parse() {
        return Some(number);
    }
    let lower = name.to_ascii_lowercase();
    let bare = lower.strip_prefix("sig_").or_else(|| lower.strip_prefix("sig")).unwrap_or(&lower);
    if let Some(number) = bare.strip_prefix("rt").and_then(|number| number.parse::<u32>().ok()) {
        return (number <= 32).then_some(number + 32);
    }
    SIGNALS.iter().position(|known| *known == bare).and_then(|at| u32::try_from(at).ok())
}

fn send_signal(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let pid_value: i64 = arguments.need_number("pid")?;
    let name = arguments.need("signame")?;
    let signum = signal_number(name).ok_or_else(|| Failure::new(format!("malformed signal name: {name}")))?;
    let args = DomainSendProcessSignalArgs { dom, pid_value, signum, flags: 0 };
    Ok(shell.call::<_, _, ()>(Procedure::DomainSendProcessSignal, &args)?)
}

#[cfg(test)]
mod tests {
    use super::signal_number;

    #[test]
    fn signals_by_name_and_number() {
        let table = [
            ("15", Some(15)),
            ("term", Some(15)),
            ("SIGKILL", Some(9)),
            ("sig_int", Some(2)),
            ("rt3", Some(35)),
            ("bogus", None),
        ];
        for (name, number) in table {
            assert_eq!(signal_number(name), number, "{name}");
        }
    }
}
