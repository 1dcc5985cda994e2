//! What is done inside a container: the calls of our own program, and those of libvirt's that it asks an agent for.

use crate::call::{Call, no_flags};
use crate::convert::typed_param_to_wire;
use crate::domains::domain;
use api::{Code, Error, ErrorDomain, Result};
use rpc::error::rpc_error;
use rpc::remote::{
    DomainFsinfo, DomainGetFsinfoArgs, DomainGetFsinfoRet, DomainGetGuestInfoArgs, DomainGetGuestInfoRet,
    DomainGetTimeArgs, DomainGetTimeRet,
};
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
        Task::Look(()) => return Ok(()),
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

pub fn file_systems(call: &Call, args: DomainGetFsinfoArgs) -> Result<DomainGetFsinfoRet> {
    no_flags(args.flags, "lxcDomainGetFSInfo", ErrorDomain::Lxc)?;
    let found = call.daemon.domains()?.own_file_systems(&*domain(call, &args.dom)?)?;
    let info = found.into_iter().map(|one| DomainFsinfo {
        mountpoint: one.mountpoint.into(),
        name: one.name.into(),
        fstype: one.kind.into(),
        dev_aliases: one.targets.into_iter().map(Into::into).collect(),
    });
    let info: Vec<DomainFsinfo> = info.take(FILE_SYSTEMS_MAX).collect();
    let ret = info.len() as u32;
    Ok(DomainGetFsinfoRet { info, ret })
}

/// `REMOTE_DOMAIN_FSINFO_MAX`
const FILE_SYSTEMS_MAX: usize = 256;

pub fn guest_info(call: &Call, args: DomainGetGuestInfoArgs) -> Result<DomainGetGuestInfoRet> {
    no_flags(args.flags, "lxcDomainGetGuestInfo", ErrorDomain::Lxc)?;
    match args.types & !lxc::kinds::KNOWN {
        0 => {}
        unknown => {
            let words = format!("unsupported guest information types '{unknown:#x}'");
            return Err(Error::new(ErrorDomain::Lxc, Code::InvalidArg, words));
        }
    }
    let params = call.daemon.domains()?.guest_info(&*domain(call, &args.dom)?, args.types)?;
    Ok(DomainGetGuestInfoRet { params: params.iter().map(typed_param_to_wire).collect() })
}

/// A container has no clock but the machine's.
pub fn time(call: &Call, args: DomainGetTimeArgs) -> Result<DomainGetTimeRet> {
    no_flags(args.flags, "lxcDomainGetTime", ErrorDomain::Lxc)?;
    if !domain(call, &args.dom)?.is_active() {
        return Err(Error::operation_invalid(ErrorDomain::Domain, "domain is not running"));
    }
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Ok(DomainGetTimeRet { seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX), nseconds: since.subsec_nanos() })
}
