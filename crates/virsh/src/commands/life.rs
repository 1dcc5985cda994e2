//! A domain's life: defining, starting, stopping, pausing, undefining.

use super::console;
use crate::arguments::Arguments;
use crate::dropped;
use crate::failure::{Context, Done, Failure};
use crate::lookup;
use crate::shell::Shell;
use crate::table::*;
use api::Code;
use rpc::remote::*;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

const START_PAUSED: u32 = 1;
const START_AUTODESTROY: u32 = 2;
const START_BYPASS_CACHE: u32 = 4;
const START_FORCE_BOOT: u32 = 8;
const START_VALIDATE: u32 = 16;
const START_RESET_NVRAM: u32 = 32;
const DEFINE_VALIDATE: u32 = 1;
const DESTROY_GRACEFUL: u32 = 1;
const UNDEFINE_MANAGED_SAVE: u32 = 1;
const UNDEFINE_SNAPSHOTS: u32 = 2;
const UNDEFINE_CHECKPOINTS: u32 = 16;
/// Bits about non-volatile and TPM memory that change nothing where there is none.
const HARMLESS: u32 = 8 | 32 | 64;

const VALIDATE: Opt = flag("validate", "hold the document against the schema");
const PAUSED: Opt = flag("paused", "leave it paused");
const AUTODESTROY: Opt = flag("autodestroy", "destroy it when this virsh leaves");
const ATTACH: Opt = flag("console", "open its console once it runs");
const PASS_FDS: Opt = text("pass-fds", "descriptors N,M,... of this virsh for its init");
const RESET_NVRAM: Opt = flag("reset-nvram", "start with fresh non-volatile memory");
const MODE: Opt = text("mode", "ways to ask, separated by commas: acpi, agent, initctl, signal, paravirt")
    .of(Values::OneOf(&["acpi", "agent", "initctl", "signal", "paravirt"]));

pub const COMMANDS: &[Command] = &[
    Command::new(
        "autostart",
        "have a domain started with the daemon, or not",
        &[domain(PERSISTENT_ONLY), flag("disable", "not any more")],
        autostart,
    ),
    Command::new(
        "create",
        "start a domain from a document that is not kept",
        &[FILE, ATTACH, PAUSED, AUTODESTROY, PASS_FDS, VALIDATE, RESET_NVRAM],
        create,
    ),
    Command::new("define", "keep a domain's document, without starting it", &[FILE, VALIDATE], define),
    Command::new(
        "destroy",
        "stop a domain at once",
        &[domain(ACTIVE), flag("graceful", "only if its processes end when they are told to")],
        destroy,
    )
    .more("The container's processes are killed. Its document and its files stay."),
    Command::new(
        "domrename",
        "give a stopped domain another name",
        &[domain(INACTIVE), need("new-name", "its new name")],
        rename,
    ),
    Command::new("reboot", "have a domain start over", &[domain(ACTIVE), MODE], reboot),
    Command::new("reset", "start a domain over as a reset button does", &[domain(ACTIVE)], reset),
    Command::new("resume", "let a paused domain go on", &[domain(ACTIVE)], resume),
    Command::new("shutdown", "ask a domain to end by itself", &[domain(ACTIVE), MODE], shutdown),
    Command::new(
        "start",
        "start a defined domain",
        &[
            domain(INACTIVE),
            ATTACH,
            PAUSED,
            AUTODESTROY,
            flag("bypass-cache", "read a saved state past the cache"),
            flag("force-boot", "start afresh even if a state is saved"),
            PASS_FDS,
            RESET_NVRAM,
        ],
        start,
    ),
    Command::new("suspend", "pause a domain: its processes stand still", &[domain(ACTIVE)], suspend),
    Command::new(
        "undefine",
        "forget a domain's document",
        &[
            domain(PERSISTENT_ONLY),
            flag("managed-save", "together with its saved state"),
            text("storage", "together with these volumes, by target or path, separated by commas"),
            flag("remove-all-storage", "together with all its volumes"),
            flag("delete-storage-volume-snapshots", "together with the volumes' snapshots"),
            flag("wipe-storage", "overwrite the volumes first"),
            flag("snapshots-metadata", "together with what is known of its snapshots"),
            flag("checkpoints-metadata", "together with what is known of its checkpoints"),
            flag("nvram", "together with its non-volatile memory"),
            flag("keep-nvram", "but keep its non-volatile memory"),
            flag("tpm", "together with its TPM state"),
            flag("keep-tpm", "but keep its TPM state"),
        ],
        undefine,
    )
    .more("A running domain runs on, and is gone once it stops."),
];

fn define(shell: &mut Shell, arguments: &Arguments) -> Done {
    let path = arguments.need("file")?;
    let document = lookup::file(path)?;
    let xml = document.as_str().into();
    let defined = match arguments.has("validate") {
        true => shell
            .call(Procedure::DomainDefineXmlFlags, &DomainDefineXmlFlagsArgs { xml, flags: DEFINE_VALIDATE })
            .map(|DomainDefineXmlFlagsRet { dom }| dom),
        false => {
            shell.call(Procedure::DomainDefineXml, &DomainDefineXmlArgs { xml }).map(|DomainDefineXmlRet { dom }| dom)
        }
    };
    let domain = defined.context(format!("Failed to define domain from {path}"))?;
    shell.done(format!("Domain '{}' defined from {path}", domain.name))?;
    dropped::of_domain(shell, &document);
    Ok(())
}

fn create(shell: &mut Shell, arguments: &Arguments) -> Done {
    let path = arguments.need("file")?;
    let document = lookup::file(path)?;
    let xml_desc = document.as_str().into();
    let fds = passed_fds(arguments, format!("Failed to create domain from {path}"))?;
    let mut flags = start_flags(arguments);
    if arguments.has("validate") {
        flags |= START_VALIDATE;
    }
    let created = match fds.is_empty() {
        true => shell
            .call(Procedure::DomainCreateXml, &DomainCreateXmlArgs { xml_desc, flags })
            .map(|DomainCreateXmlRet { dom }| dom),
        false => shell
            .connection()?
            .call_with_fds(Procedure::DomainCreateXmlWithFiles, &DomainCreateXmlWithFilesArgs { xml_desc, flags }, fds)
            .map(|(DomainCreateXmlWithFilesRet { dom }, _)| dom),
    };
    let domain = created.context(format!("Failed to create domain from {path}"))?;
    shell.done(format!("Domain '{}' created from {path}", domain.name))?;
    dropped::of_domain(shell, &document);
    attach_if_asked(shell, arguments, &domain)
}

fn start(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    if dom.id != -1 {
        return Err(Failure::new("Domain is already active"));
    }
    let fds = passed_fds(arguments, format!("Failed to start domain '{}'", dom.name))?;
    let mut flags = start_flags(arguments);
    if arguments.has("bypass-cache") {
        flags |= START_BYPASS_CACHE;
    }
    if arguments.has("force-boot") {
        flags |= START_FORCE_BOOT;
    }
    let name = dom.name.to_string_lossy();
    let started = if !fds.is_empty() {
        shell
            .connection()?
            .call_with_fds(Procedure::DomainCreateWithFiles, &DomainCreateWithFilesArgs { dom, flags }, fds)
            .map(|(DomainCreateWithFilesRet { dom }, _)| dom)
    } else if flags & !START_FORCE_BOOT == 0 {
        // A saved state does not exist for containers, so that there is none to ignore.
        create_plain(shell, dom)
    } else {
        shell
            .call(Procedure::DomainCreateWithFlags, &DomainCreateWithFlagsArgs { dom, flags })
            .map(|DomainCreateWithFlagsRet { dom }| dom)
    };
    let domain = started.context(format!("Failed to start domain '{name}'"))?;
    shell.done(format!("Domain '{name}' started"))?;
    attach_if_asked(shell, arguments, &domain)
}

/// The simple call gives back nothing: the domain is looked up again for its new id.
fn create_plain(shell: &Shell, dom: NonnullDomain) -> api::Result<NonnullDomain> {
    let uuid = dom.uuid;
    shell.call::<_, _, ()>(Procedure::DomainCreate, &DomainCreateArgs { dom })?;
    shell.call(Procedure::DomainLookupByUuid, &DomainLookupByUuidArgs { uuid }).map(|DomainLookupByUuidRet { dom }| dom)
}

fn start_flags(arguments: &Arguments) -> u32 {
    let bits = [("paused", START_PAUSED), ("autodestroy", START_AUTODESTROY), ("reset-nvram", START_RESET_NVRAM)];
    bits.iter().filter(|(name, _)| arguments.has(name)).map(|(_, bit)| bit).sum()
}

/// Copies of the descriptors that `--pass-fds` names; `failed` says what fails without one.
pub fn passed_fds(arguments: &Arguments, failed: String) -> Result<Vec<OwnedFd>, Failure> {
    let Some(list) = arguments.text("pass-fds")? else { return Ok(Vec::new()) };
    let number =
        |text: &str| text.parse::<u32>().map_err(|_| Failure::new(format!("Unable to parse FD number '{text}'")));
    let numbers = list.split(',').map(number).collect::<Result<Vec<u32>, Failure>>()?;
    numbers.into_iter().map(passed_fd).collect::<Result<Vec<OwnedFd>, Failure>>().context(failed)
}

fn passed_fd(number: u32) -> Result<OwnedFd, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(format!("Cannot duplicate FD {number}: {}", crate::failure::words(&error)))
    };
    match number {
        0 => copy(std::io::stdin().as_fd()).map_err(failed),
        1 => copy(std::io::stdout().as_fd()).map_err(failed),
        2 => copy(std::io::stderr().as_fd()).map_err(failed),
        // Any other is reached by its name in /proc, which opens files and pipes anew.
        _ => match std::fs::read_link(format!("/proc/self/fd/{number}")) {
            Err(_) => Err(failed(std::io::Error::from_raw_os_error(rustix::io::Errno::BADF.raw_os_error()))),
            Ok(_) => reopen(number).map_err(failed),
        },
    }
}

fn copy(fd: BorrowedFd<'_>) -> std::io::Result<OwnedFd> {
    fd.try_clone_to_owned()
}

/// Takes a descriptor of our own by pidfd_getfd(2), which shares it as dup(2) would.
fn reopen(number: u32) -> std::io::Result<OwnedFd> {
    use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
    let ourselves = pidfd_open(getpid(), PidfdFlags::empty())?;
    let number = i32::try_from(number).map_err(|_| rustix::io::Errno::BADF)?;
    Ok(pidfd_getfd(&ourselves, number, PidfdGetfdFlags::empty())?)
}

fn attach_if_asked(shell: &mut Shell, arguments: &Arguments, domain: &NonnullDomain) -> Done {
    match arguments.has("console") {
        true => console::attach(shell, domain, None, 0),
        false => Ok(()),
    }
}

fn destroy(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let name = arguments.need("domain")?;
    let destroyed: api::Result<()> = match arguments.has("graceful") {
        true => shell.call(Procedure::DomainDestroyFlags, &DomainDestroyFlagsArgs { dom, flags: DESTROY_GRACEFUL }),
        false => shell.call(Procedure::DomainDestroy, &DomainDestroyArgs { dom }),
    };
    destroyed.context(format!("Failed to destroy domain '{name}'"))?;
    shell.done(format!("Domain '{name}' destroyed"))
}

/// The bits of `--mode`. libvirt's two commands differ by a comma in what they say.
fn modes(arguments: &Arguments, comma: &str) -> Result<u32, Failure> {
    let Some(list) = arguments.text("mode")? else { return Ok(0) };
    list.split(',').try_fold(0, |flags, mode| {
        let at = ["acpi", "agent", "initctl", "signal", "paravirt"].iter().position(|known| *known == mode);
        let at = at.ok_or_else(|| {
            Failure::new(format!(
                "Unknown mode {mode} value, expecting 'acpi', 'agent', 'initctl', 'signal'{comma} or 'paravirt'"
            ))
        })?;
        Ok(flags | 1 << at)
    })
}

fn shutdown(shell: &mut Shell, arguments: &Arguments) -> Done {
    let flags = modes(arguments, ",")?;
    let dom = lookup::domain(shell, arguments)?;
    let name = arguments.need("domain")?;
    let asked: api::Result<()> = match flags {
        0 => shell.call(Procedure::DomainShutdown, &DomainShutdownArgs { dom }),
        _ => shell.call(Procedure::DomainShutdownFlags, &DomainShutdownFlagsArgs { dom, flags }),
    };
    asked.context(format!("Failed to shutdown domain '{name}'"))?;
    shell.done(format!("Domain '{name}' is being shutdown"))
}

fn reboot(shell: &mut Shell, arguments: &Arguments) -> Done {
    let flags = modes(arguments, "")?;
    let dom = lookup::domain(shell, arguments)?;
    let name = arguments.need("domain")?;
    shell
        .call::<_, _, ()>(Procedure::DomainReboot, &DomainRebootArgs { dom, flags })
        .context(format!("Failed to reboot domain '{name}'"))?;
    shell.done(format!("Domain '{name}' is being rebooted"))
}

fn reset(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let name = arguments.need("domain")?;
    shell
        .call::<_, _, ()>(Procedure::DomainReset, &DomainResetArgs { dom, flags: 0 })
        .context(format!("Failed to reset domain '{name}'"))?;
    shell.done(format!("Domain '{name}' was reset"))
}

fn suspend(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let name = arguments.need("domain")?;
    shell
        .call::<_, _, ()>(Procedure::DomainSuspend, &DomainSuspendArgs { dom })
        .context(format!("Failed to suspend domain '{name}'"))?;
    shell.done(format!("Domain '{name}' suspended"))
}

fn resume(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let name = arguments.need("domain")?;
    shell
        .call::<_, _, ()>(Procedure::DomainResume, &DomainResumeArgs { dom })
        .context(format!("Failed to resume domain '{name}'"))?;
    shell.done(format!("Domain '{name}' resumed"))
}

fn autostart(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let name = arguments.need("domain")?;
    let (autostart, verb) = if arguments.has("disable") { (0, "unmark") } else { (1, "mark") };
    shell
        .call::<_, _, ()>(Procedure::DomainSetAutostart, &DomainSetAutostartArgs { dom, autostart })
        .context(format!("Failed to {verb} domain '{name}' as autostarted"))?;
    shell.done(format!("Domain '{name}' {verb}ed as autostarted"))
}

fn rename(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let new_name = arguments.need("new-name")?;
    let args = DomainRenameArgs { dom, new_name: Some(new_name.into()), flags: 0 };
    shell.call::<_, _, DomainRenameRet>(Procedure::DomainRename, &args)?;
    shell.done("Domain successfully renamed".to_string())
}

fn undefine(shell: &mut Shell, arguments: &Arguments) -> Done {
    arguments.exclusive("nvram", "keep-nvram")?;
    arguments.exclusive("tpm", "keep-tpm")?;
    arguments.exclusive("storage", "remove-all-storage")?;
    let volumes = arguments.has("storage") || arguments.has("remove-all-storage");
    if arguments.has("delete-storage-volume-snapshots") && !arguments.has("remove-all-storage") {
        let words = "Option --remove-all-storage is required by option --delete-storage-volume-snapshots";
        return Err(Failure::new(words));
    }
    if arguments.has("wipe-storage") && !volumes {
        let words = "'--wipe-storage' requires '--storage <string>' or '--remove-all-storage'";
        return Err(Failure::new(words));
    }
    let dom = lookup::domain(shell, arguments)?;
    let name = arguments.need("domain")?;
    let plain = [("nvram", 4), ("keep-nvram", 8), ("tpm", 32), ("keep-tpm", 64)];
    let mut flags: u32 = plain.iter().filter(|(name, _)| arguments.has(name)).map(|(_, bit)| bit).sum();
    if volumes {
        if lookup::is_active(shell, &dom)? {
            return Err(Failure::new("Storage volume deletion is supported only on stopped domains"));
        }
        return Err(Failure::new("Storage volumes of containers are not managed: remove their folders by hand"));
    }
    // What there is none of need not be removed, and drivers without it refuse the flag.
    if arguments.has("managed-save") && has_saved_state(shell, &dom)? {
        flags |= UNDEFINE_MANAGED_SAVE;
    }
    if arguments.has("snapshots-metadata") && count_of_snapshots(shell, &dom)? > 0 {
        flags |= UNDEFINE_SNAPSHOTS;
    }
    if arguments.has("checkpoints-metadata") && count_of_checkpoints(shell, &dom)? > 0 {
        flags |= UNDEFINE_CHECKPOINTS;
    }
    let args = DomainUndefineFlagsArgs { dom: dom.clone(), flags };
    let undefined = match shell.act(Procedure::DomainUndefineFlags, &args) {
        // A driver that keeps neither kind of memory need not be told what is to become of it.
        Err(error) if error.code == Code::InvalidArg && flags & !HARMLESS == 0 && flags != 0 => {
            shell.act(Procedure::DomainUndefine, &DomainUndefineArgs { dom })
        }
        other => other,
    };
    undefined.context(format!("Failed to undefine domain '{name}'"))?;
    shell.done(format!("Domain '{name}' has been undefined"))
}

fn has_saved_state(shell: &Shell, dom: &NonnullDomain) -> Result<bool, Failure> {
    let args = DomainHasManagedSaveImageArgs { dom: dom.clone(), flags: 0 };
    let saved: DomainHasManagedSaveImageRet = shell.call(Procedure::DomainHasManagedSaveImage, &args)?;
    Ok(saved.result > 0)
}

fn count_of_snapshots(shell: &Shell, dom: &NonnullDomain) -> Result<i32, Failure> {
    let args = DomainSnapshotNumArgs { dom: dom.clone(), flags: 0 };
    match shell.call(Procedure::DomainSnapshotNum, &args) {
        Ok(DomainSnapshotNumRet { num }) => Ok(num),
        Err(error) if error.code == Code::NoSupport => Ok(0),
        Err(error) => Err(error.into()),
    }
}

fn count_of_checkpoints(shell: &Shell, dom: &NonnullDomain) -> Result<usize, Failure> {
    let args = DomainListAllCheckpointsArgs { dom: dom.clone(), need_results: 1, flags: 0 };
    match shell.call(Procedure::DomainListAllCheckpoints, &args) {
        Ok(DomainListAllCheckpointsRet { checkpoints, .. }) => Ok(checkpoints.len()),
        Err(error) if error.code == Code::NoSupport => Ok(0),
        Err(error) => Err(error.into()),
    }
}
