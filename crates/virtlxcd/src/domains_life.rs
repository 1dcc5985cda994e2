//! Calls that start, stop and steer domains, and open their consoles.

use crate::call::{Call, known_flags, no_flags};
use crate::domains::{domain, handle};
use api::{Error, ErrorDomain, Result};
use lxc::{INITCTL, SIGNAL, StartOptions, Wish};
use rpc::remote::*;
use rpc::server::{Reply, StreamSession, Then};
use std::os::fd::OwnedFd;
use std::sync::{Arc, PoisonError};

/// `VIR_DOMAIN_START_AUTODESTROY` and `VIR_DOMAIN_START_VALIDATE`.
const AUTODESTROY: u32 = 1 << 1;
const VALIDATE: u32 = 1 << 4;

pub fn create_xml(call: &Call, args: DomainCreateXmlArgs) -> Result<DomainCreateXmlRet> {
    Ok(DomainCreateXmlRet { dom: create_document(call, &args.xml_desc.0, args.flags)? })
}

pub fn create_xml_with_files(call: &Call, args: DomainCreateXmlWithFilesArgs) -> Result<DomainCreateXmlWithFilesRet> {
    Ok(DomainCreateXmlWithFilesRet { dom: create_document(call, &args.xml_desc.0, args.flags)? })
}

fn create_document(call: &Call, xml: &[u8], flags: u32) -> Result<NonnullDomain> {
    known_flags(flags, AUTODESTROY | VALIDATE, "lxcDomainCreateXMLWithFiles", ErrorDomain::Lxc)?;
    let options = start_options(call, flags)?;
    Ok(handle(&*call.daemon.domains()?.create(xml, flags & VALIDATE != 0, options)?))
}

pub fn create(call: &Call, args: DomainCreateArgs) -> Result<()> {
    start(call, &args.dom, 0).map(drop)
}

pub fn create_with_flags(call: &Call, args: DomainCreateWithFlagsArgs) -> Result<DomainCreateWithFlagsRet> {
    Ok(DomainCreateWithFlagsRet { dom: start(call, &args.dom, args.flags)? })
}

pub fn create_with_files(call: &Call, args: DomainCreateWithFilesArgs) -> Result<DomainCreateWithFilesRet> {
    Ok(DomainCreateWithFilesRet { dom: start(call, &args.dom, args.flags)? })
}

fn start(call: &Call, dom: &NonnullDomain, flags: u32) -> Result<NonnullDomain> {
    known_flags(flags, AUTODESTROY, "lxcDomainCreateWithFiles", ErrorDomain::Lxc)?;
    let object = domain(call, dom)?;
    call.daemon.domains()?.start(&object, start_options(call, flags)?)?;
    Ok(handle(&object))
}

fn start_options(call: &Call, flags: u32) -> Result<StartOptions> {
    let copies = call.message.fds.iter().map(OwnedFd::try_clone).collect::<std::io::Result<Vec<_>>>();
    let files = copies.map_err(|e| Error::system(ErrorDomain::Rpc, &e, "cannot use the descriptors of the call"))?;
    Ok(StartOptions { files, autodestroy: (flags & AUTODESTROY != 0).then_some(call.client.id) })
}

pub fn destroy(call: &Call, args: DomainDestroyArgs) -> Result<()> {
    call.daemon.domains()?.destroy(&domain(call, &args.dom)?)
}

pub fn destroy_flags(call: &Call, args: DomainDestroyFlagsArgs) -> Result<()> {
    no_flags(args.flags, "lxcDomainDestroyFlags", ErrorDomain::Lxc)?;
    call.daemon.domains()?.destroy(&domain(call, &args.dom)?)
}

pub fn shutdown(call: &Call, args: DomainShutdownArgs) -> Result<()> {
    call.daemon.domains()?.ask_to_end(&domain(call, &args.dom)?, Wish::Shutdown, 0)
}

pub fn shutdown_flags(call: &Call, args: DomainShutdownFlagsArgs) -> Result<()> {
    known_flags(args.flags, INITCTL | SIGNAL, "lxcDomainShutdownFlags", ErrorDomain::Lxc)?;
    call.daemon.domains()?.ask_to_end(&domain(call, &args.dom)?, Wish::Shutdown, args.flags)
}

pub fn reboot(call: &Call, args: DomainRebootArgs) -> Result<()> {
    known_flags(args.flags, INITCTL | SIGNAL, "lxcDomainReboot", ErrorDomain::Lxc)?;
    call.daemon.domains()?.ask_to_end(&domain(call, &args.dom)?, Wish::Reboot, args.flags)
}

pub fn suspend(call: &Call, args: DomainSuspendArgs) -> Result<()> {
    call.daemon.domains()?.suspend(&domain(call, &args.dom)?)
}

pub fn resume(call: &Call, args: DomainResumeArgs) -> Result<()> {
    call.daemon.domains()?.resume(&domain(call, &args.dom)?)
}

/// One client at a time: two that read one terminal would each get half of what it says.
pub fn open_console(call: &Call, args: DomainOpenConsoleArgs) -> Result<Reply> {
    /// `VIR_DOMAIN_CONSOLE_FORCE` and `VIR_DOMAIN_CONSOLE_SAFE`.
    const FORCE: u32 = 1;
    const SAFE: u32 = 2;
    known_flags(args.flags, FORCE | SAFE, "lxcDomainOpenConsole", ErrorDomain::Lxc)?;
    let name = args.dev_name.map(|name| name.to_string_lossy());
    let driver = call.daemon.domains()?;
    let console = driver.find_console(&*domain(call, &args.dom)?, name.as_deref())?;
    let session = Arc::new(StreamSession::default());
    let before = {
        let mut open = call.daemon.consoles.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, session| session.is_open());
        match open.get(&console.path) {
            Some(_) if args.flags & FORCE == 0 => {
                let words = "Active console session exists for this domain";
                return Err(Error::operation_failed(ErrorDomain::Lxc, words));
            }
            _ => open.insert(console.path.clone(), Arc::clone(&session)),
        }
    };
    if let Some(before) = before {
        before.end(&Error::operation_failed(ErrorDomain::Lxc, "another client has taken the console"));
    }
    match driver.open_console(&console) {
        Ok(stream) => Ok(Reply { then: Then::SharedStream(stream, session), ..call.reply::<()>(())? }),
        Err(error) => {
            // Nobody has it then.
            session.end(&error);
            Err(error)
        }
    }
}
