//! What acts inside a container: signals to its processes, commands in its namespaces.

use crate::arguments::Arguments;
use crate::failure::{Done, Failure, words as error_words};
use crate::lookup;
use crate::shell::Shell;
use crate::table::*;
use rpc::remote::{DomainSendProcessSignalArgs, Procedure};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use std::env;
use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{self, ExitCode};

/// The word by which this program calls itself to enter namespaces: only a process of one thread can.
const ENTER: &str = "--enter-namespaces";

pub const COMMANDS: &[Command] = &[
    Command::new(
        "lxc-enter-namespace",
        "run a command inside a container",
        &[
            domain(ACTIVE),
            flag("noseclabel", "without the container's security label"),
            words("cmd", "the command and its arguments").required(),
        ],
        enter,
    )
    .more("The command has this virsh's environment and standard streams. Its failure is virsh's."),
    Command::new(
        "send-process-signal",
        "send a signal to a process of a domain",
        &[
            domain(ACTIVE),
            need("pid", "the process, by its number inside"),
            need("signame", "the signal, by name or number"),
        ],
        send_signal,
    ),
];

fn enter(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let args = rpc::lxc::DomainOpenNamespaceArgs { dom, flags: 0 };
    let ((), fds): ((), Vec<OwnedFd>) =
        shell.connection()?.call_with_fds(rpc::lxc::Procedure::DomainOpenNamespace, &args, Vec::new())?;
    let failed = |error: std::io::Error| Failure::new(format!("cannot run a command: {}", error_words(&error)));
    let program = sealed_copy().map_err(failed)?;
    // By their names in our own folder: nothing is inherited, neither there nor by the command.
    let paths: Vec<String> = fds.iter().map(|fd| format!("/proc/{}/fd/{}", process::id(), fd.as_raw_fd())).collect();
    let mut child = process::Command::new(format!("/proc/self/fd/{}", program.as_raw_fd()))
        .arg(ENTER)
        .arg(paths.join(","))
        .args(arguments.words("cmd"))
        .spawn()
        .map_err(failed)?;
    let pid = child.id();
    let status = child.wait().map_err(failed)?;
    match (status.code(), status.signal()) {
        (Some(0), _) => Ok(()),
        (Some(code), _) => {
            Err(Failure::new(format!("internal error: Child process ({pid}) unexpected exit status {code}")))
        }
        (None, signal) => Err(Failure::new(format!(
            "internal error: Child process ({pid}) unexpected fatal signal {}",
            signal.unwrap_or(0)
        ))),
    }
}

/// This program in memory that nobody can write to any more. A process in the container's namespaces is at the guest's
/// mercy, who may open its `/proc/PID/exe`, or have made the command a link to `/proc/self/exe`: what they reach that way must
/// not be a file of the machine.
fn sealed_copy() -> std::io::Result<File> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // Later kernels want to be told that it is a program, earlier ones do not know the word.
    let copy = memfd_create("virsh", flags | MemfdFlags::EXEC).or_else(|_| memfd_create("virsh", flags))?;
    let mut copy = File::from(copy);
    std::io::copy(&mut File::open("/proc/self/exe")?, &mut copy)?;
    fcntl_add_seals(&copy, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    // A program is not executed while somebody may write to it.
    File::open(format!("/proc/self/fd/{}", copy.as_raw_fd()))
}

/// The other half of `lxc-enter-namespace`, in a process of its own.
pub fn enter_if_asked(arguments: &[String]) -> Option<ExitCode> {
    let [word, paths, program, rest @ ..] = arguments else { return None };
    if word != ENTER {
        return None;
    }
    Some(match enter_and_run(paths, program, rest) {
        Ok(code) => ExitCode::from(code),
        Err(text) => {
            eprintln!("error: {text}");
            ExitCode::from(125)
        }
    })
}

fn enter_and_run(paths: &str, program: &str, arguments: &[String]) -> Result<u8, String> {
    use rustix::thread::move_into_link_name_space;
    use std::os::fd::AsFd;
    let mut namespaces = Vec::new();
    for path in paths.split(',').filter(|path| !path.is_empty()) {
        let file = File::open(path).map_err(|error| format!("namespace {path}: {}", error_words(&error)))?;
        let name = std::fs::read_link(path).map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        namespaces.push((name, file));
    }
    // The user namespace gives the right to the others where there is one; the mount namespace takes /proc away.
    namespaces.sort_by_key(|(name, _)| (!name.starts_with("user:"), name.starts_with("mnt:")));
    for (name, file) in &namespaces {
        let entered = move_into_link_name_space(file.as_fd(), None);
        // Where the container shares a user namespace with us, there is nothing to enter.
        if let Err(errno) = entered.or_else(|errno| if name.starts_with("user:") { Ok(()) } else { Err(errno) }) {
            return Err(format!("cannot enter the namespace {name}: {}", error_words(&errno.into())));
        }
    }
    drop(namespaces);
    let folder = if env::set_current_dir("/").is_ok() { "/" } else { "." };
    let status = process::Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .status()
        .map_err(|error| format!("cannot execute '{program}': {}", error_words(&error)))?;
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    Ok(u8::try_from(code).unwrap_or(u8::MAX))
}

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
