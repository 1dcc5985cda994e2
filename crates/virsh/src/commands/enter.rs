//! `lxc-enter-namespace`: a command in a container's namespaces, as libvirt has it: on the container's own machine, by descriptors from the
//! daemon, in the container's control groups. Other than libvirt's it gets no capability that init has not.

use crate::arguments::Arguments;
use crate::failure::{Done, Failure, words as error_words};
use crate::lookup;
use crate::shell::Shell;
use crate::table::*;
use rpc::remote::{DomainGetSecurityLabelArgs, DomainGetSecurityLabelRet, NodeGetSecurityModelRet, Procedure};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};
use rustix::thread::{self, CapabilitySet, CapabilitySets};
use std::fs::{self, File};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{self, ExitCode};

/// The word by which this program calls itself to enter namespaces: only a process of one thread can.
const ENTER: &str = "--enter-namespaces";

pub const COMMANDS: &[Command] = &[Command::new(
    "lxc-enter-namespace",
    "run a command inside a container",
    &[
        domain(ACTIVE),
        flag("noseclabel", "without the container's security label"),
        words("cmd", "the command and its arguments").required(),
    ],
    enter,
)
.more(
    "The command is named by its path, and has this virsh's environment and standard streams. Its failure is virsh's. \
         Where the container is on another machine, exec does it.",
)];

fn enter(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let args = rpc::lxc::DomainOpenNamespaceArgs { dom: dom.clone(), flags: 0 };
    let ((), fds): ((), Vec<OwnedFd>) =
        shell.connection()?.call_with_fds(rpc::lxc::Procedure::DomainOpenNamespace, &args, Vec::new())?;
    let label = if arguments.has("noseclabel") { None } else { label(shell, &dom)? };
    let failed = |error: std::io::Error| Failure::new(format!("cannot run a command: {}", error_words(&error)));
    let program = sealed_copy().map_err(failed)?;
    // By their names in our own folder: nothing is inherited, neither there nor by the command.
    let paths: Vec<String> = fds.iter().map(|fd| format!("/proc/{}/fd/{}", process::id(), fd.as_raw_fd())).collect();
    let mut child = process::Command::new(format!("/proc/self/fd/{}", program.as_raw_fd()))
        .args([ENTER, &paths.join(","), &dom.id.to_string(), label.as_deref().unwrap_or_default()])
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

/// The profile that the container's processes are confined by; none where the daemon has no model of security.
fn label(shell: &Shell, dom: &rpc::remote::NonnullDomain) -> Result<Option<String>, Failure> {
    let Ok(NodeGetSecurityModelRet { model, .. }) = shell.call(Procedure::NodeGetSecurityModel, &()) else {
        return Ok(None);
    };
    let model = chars(&model);
    if model.is_empty() || model == "none" {
        return Ok(None);
    }
    let got: DomainGetSecurityLabelRet =
        shell.call(Procedure::DomainGetSecurityLabel, &DomainGetSecurityLabelArgs { dom: dom.clone() })?;
    match (model.as_str(), chars(&got.label)) {
        (_, label) if label.is_empty() || label == "unconfined" => Ok(None),
        ("apparmor", label) => Ok(Some(label)),
        (other, _) => Err(Failure::new(format!(
            "argument unsupported: Security model {other} cannot be entered; --noseclabel goes without it"
        ))),
    }
}

fn chars(bytes: &[u8]) -> String {
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

/// The other half, in a process of its own.
pub fn enter_if_asked(arguments: &[String]) -> Option<ExitCode> {
    let [word, paths, id, label, program, rest @ ..] = arguments else { return None };
    if word != ENTER {
        return None;
    }
    Some(match enter_and_run(paths, id, label, program, rest) {
        Ok(code) => ExitCode::from(code),
        Err(text) => {
            eprintln!("error: {text}");
            ExitCode::from(125)
        }
    })
}

fn enter_and_run(paths: &str, id: &str, label: &str, program: &str, arguments: &[String]) -> Result<u8, String> {
    let mut namespaces = Vec::new();
    for path in paths.split(',').filter(|path| !path.is_empty()) {
        let file = File::open(path).map_err(|error| format!("namespace {path}: {}", error_words(&error)))?;
        let name = fs::read_link(path).map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        namespaces.push((name, file));
    }
    // While /proc is the machine's.
    let init = Init::of(id)?;
    init.join_groups()?;
    if !label.is_empty() {
        fs::write("/proc/self/attr/current", format!("changeprofile {label}"))
            .map_err(|error| format!("cannot take the security label '{label}': {}", error_words(&error)))?;
    }
    // One that is shared with the machine can only be entered from outside the user namespace, so that comes last.
    namespaces.sort_by_key(|(name, _)| (name.starts_with("user:"), name.starts_with("mnt:")));
    let mut has_users = false;
    for (name, file) in &namespaces {
        match thread::move_into_link_name_space(file.as_fd(), None) {
            Ok(()) => has_users |= name.starts_with("user:"),
            // Where the container shares a user namespace with us, there is nothing to enter.
            Err(_) if name.starts_with("user:") => {}
            Err(errno) => return Err(format!("cannot enter the namespace {name}: {}", error_words(&errno.into()))),
        }
    }
    drop(namespaces);
    if has_users {
        become_root()
            .map_err(|errno| format!("cannot become root of the container: {}", error_words(&errno.into())))?;
    }
    init.give_up().map_err(|errno| format!("cannot give up capabilities: {}", error_words(&errno.into())))?;
    _ = std::env::set_current_dir("/");
    // Named by its path: no folder is searched.
    if !program.contains('/') {
        return Ok(NOT_FOUND);
    }
    match process::Command::new(program).args(arguments).status() {
        Ok(status) => {
            let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
            Ok(u8::try_from(code).unwrap_or(u8::MAX))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(NOT_FOUND),
        Err(_) => Ok(CANNOT_BE_EXECUTED),
    }
}

const CANNOT_BE_EXECUTED: u8 = 126;
const NOT_FOUND: u8 = 127;

fn become_root() -> rustix::io::Result<()> {
    thread::set_thread_groups(&[])?;
    thread::set_thread_res_gid(Gid::ROOT, Gid::ROOT, Gid::ROOT)?;
    thread::set_thread_res_uid(Uid::ROOT, Uid::ROOT, Uid::ROOT)
}

/// The container's first process, seen from outside: the only child of the domain's id.
struct Init {
    pid: String,
    bounding: u64,
    no_new_privileges: bool,
}

impl Init {
    fn of(id: &str) -> Result<Init, String> {
        let read = |path: String| fs::read_to_string(&path).map_err(|error| format!("{path}: {}", error_words(&error)));
        let children = read(format!("/proc/{id}/task/{id}/children"))?;
        let pid = children.split_whitespace().next().ok_or_else(|| format!("process {id} has no container"))?;
        let status = read(format!("/proc/{pid}/status"))?;
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let bounding = field("CapBnd:").and_then(|set| u64::from_str_radix(set, 16).ok());
        Ok(Init {
            pid: pid.to_string(),
            bounding: bounding.ok_or_else(|| format!("process {pid} has no bounding set"))?,
            no_new_privileges: field("NoNewPrivs:") == Some("1"),
        })
    }

    /// Goes where it is, in each hierarchy where that is not here already.
    fn join_groups(&self) -> Result<(), String> {
        let read = |path: &str| fs::read_to_string(path).map_err(|error| format!("{path}: {}", error_words(&error)));
        let (theirs, ours) = (read(&format!("/proc/{}/cgroup", self.pid))?, read("/proc/self/cgroup")?);
        let mounts = read("/proc/self/mountinfo")?;
        for line in theirs.lines().filter(|line| !ours.lines().any(|own| own == *line)) {
            let Some(folder) = group_folder(line, &mounts) else { continue };
            let file = folder.join("cgroup.procs");
            fs::write(&file, process::id().to_string()).map_err(|error| {
                format!("cannot join the container's group, {}: {}", file.display(), error_words(&error))
            })?;
        }
        Ok(())
    }

    /// Everything that it cannot have; a program executed from here on gets no more.
    fn give_up(&self) -> rustix::io::Result<()> {
        // Nothing is handed on beside what the bounding set lets a program have.
        thread::clear_ambient_capability_set()?;
        let held = thread::capabilities(None)?;
        thread::set_capabilities(None, CapabilitySets { inheritable: CapabilitySet::empty(), ..held })?;
        for number in (0..64).filter(|number| self.bounding & (1 << number) == 0) {
            match thread::remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(1 << number)) {
                // The kernel has no more.
                Err(Errno::INVAL) => break,
                result => result?,
            }
        }
        match self.no_new_privileges {
            true => thread::set_no_new_privs(true),
            false => Ok(()),
        }
    }
}

/// Where a line of `/proc/PID/cgroup` is mounted: `NUMBER:CONTROLLERS:PATH`.
fn group_folder(line: &str, mounts: &str) -> Option<PathBuf> {
    let mut fields = line.splitn(3, ':');
    let (_, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
    mounts.lines().find_map(|mount| {
        let (place, system) = mount.split_once(" - ")?;
        let place: Vec<&str> = place.split(' ').collect();
        let (root, mounted_at) = (place.get(3)?, place.get(4)?);
        let mut system = system.split(' ');
        let (kind, options) = (system.next()?, system.nth(1)?);
        let is_it = match controllers {
            "" => kind == "cgroup2",
            named => kind == "cgroup" && named.split(',').all(|one| options.split(',').any(|option| option == one)),
        };
        let below = Path::new(path).strip_prefix(root).ok().filter(|_| is_it)?;
        Some(Path::new(mounted_at).join(below))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_found_where_they_are_mounted() {
        let mounts = "31 1 0:9 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
            32 1 0:10 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n\
            33 1 0:11 /part /sys/fs/cgroup/unified rw,nosuid shared:4 - cgroup2 cgroup2 rw\n";
        let check = |line: &str| group_folder(line, mounts).map(|folder| folder.display().to_string());
        assert_eq!(check("4:cpu,cpuacct:/machine/x").as_deref(), Some("/sys/fs/cgroup/cpu,cpuacct/machine/x"));
        assert_eq!(check("1:name=systemd:/y").as_deref(), Some("/sys/fs/cgroup/systemd/y"));
        assert_eq!(check("0::/part/z").as_deref(), Some("/sys/fs/cgroup/unified/z"));
        assert_eq!(check("0::/elsewhere"), None);
        assert_eq!(check("7:memory:/machine/x"), None);
    }
}
