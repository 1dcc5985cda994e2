//! Calls of our own program that do something inside a container.

use crate::call::{Call, no_flags};
use crate::domains::domain;
use api::{Code, Error, ErrorDomain, Result};
use rpc::error::rpc_error;
use rpc::server::{Reply, Then};
use rpc::virtlxc::{BARE, DomainRunArgs, OWNERS, Task};

/// Runs a command or copies files; the stream carries `rpc::records`.
pub fn run(call: &Call, args: DomainRunArgs) -> Result<Reply> {
    let function = "virtlxcDomainRun";
    no_flags(args.flags, function, ErrorDomain::Lxc)?;
    check(&args.task)?;
    let task = rpc::xdr::encode::<Task>(&args.task).map_err(|error| rpc_error(error.to_string()))?;
    let stream = call.daemon.domains()?.run_inside(&*domain(call, &args.dom)?, &task)?;
    Ok(Reply { then: Then::Stream(stream), ..call.reply::<()>(())? })
}

/// What could be refused later only by a process that has no better words.
fn check(task: &Task) -> Result<()> {
    let refuse = |words: String| Err(Error::new(ErrorDomain::Lxc, Code::InvalidArg, words));
    let (path, flags, known) = match task {
        Task::Execute(command) => {
            if command.words.first().is_none_or(|word| word.0.is_empty()) {
                return refuse("no command is given".into());
            }
            let is_variable = |variable: &rpc::Str| variable.0.iter().position(|byte| *byte == b'=') > Some(0);
            return match command.environment.iter().find(|variable| !is_variable(variable)) {
                Some(bad) => refuse(format!("'{}' is no variable: NAME=VALUE is", bad.to_string_lossy())),
                None => Ok(()),
            };
        }
        Task::Send(sending) => (&sending.path, sending.flags, BARE),
        Task::Receive(receiving) => (&receiving.path, receiving.flags, BARE | OWNERS),
    };
    if !path.0.starts_with(b"/") {
        return refuse(format!("path '{}' in the container must begin with '/'", path.to_string_lossy()));
    }
    match flags & !known {
        0 => Ok(()),
        unknown => Err(Error::unsupported_flags(ErrorDomain::Lxc, "virtlxcDomainRun", unknown)),
    }
}
