//! Waiting for events of domains and networks, and telling of them as they come.

use crate::arguments::Arguments;
use crate::failure::{Done, Failure, words};
use crate::lookup;
use crate::shell::Shell;
use crate::signals::Signals;
use crate::table::*;
use crate::typed;
use api::Uuid;
use rpc::client::Connection;
use rpc::message::Message;
use rpc::remote::{self, *};
use rpc::xdr::Codec;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use serde_json::json;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The kinds of events of domains, at the places of their numbers in `virDomainEventID`.
const KINDS: &[&str] = &[
    "lifecycle",
    "reboot",
    "rtc-change",
    "watchdog",
    "io-error",
    "graphics",
    "io-error-reason",
    "control-error",
    "block-job",
    "disk-change",
    "tray-change",
    "pm-wakeup",
    "pm-suspend",
    "balloon-change",
    "pm-suspend-disk",
    "device-removed",
    "block-job-2",
    "tunable",
    "agent-lifecycle",
    "device-added",
    "migration-iteration",
    "job-completed",
    "device-removal-failed",
    "metadata-change",
    "block-threshold",
    "memory-failure",
    "memory-device-size-change",
];

const LOOP: Opt = flag("loop", "go on until the time is over or an interrupt");
const TIMEOUT: Opt = number("timeout", "wait so many seconds at most");
const LIST: Opt = flag("list", "list the kinds of events");
const TIMESTAMP: Opt = flag("timestamp", "begin each line with the time");

pub const COMMANDS: &[Command] = &[Command::new(
    "event",
    "wait for events of domains",
    &[
        text("domain", "of this domain alone").of(Values::Domains(0)),
        text("event", "of this kind").of(Values::OneOf(KINDS)),
        flag("all", "of every kind"),
        LOOP,
        TIMEOUT,
        LIST,
        TIMESTAMP,
    ],
    event,
)];

pub const NETWORK_COMMANDS: &[Command] = &[Command::new(
    "net-event",
    "wait for events of networks",
    &[
        text("network", "of this network alone").of(Values::Networks(0)),
        text("event", "of this kind").of(Values::OneOf(&["lifecycle"])),
        LOOP,
        TIMEOUT,
        LIST,
        TIMESTAMP,
    ],
    net_event,
)];

fn event(shell: &mut Shell, arguments: &Arguments) -> Done {
    if arguments.has("list") {
        list(shell, KINDS);
        return Ok(());
    }
    arguments.exclusive("all", "event")?;
    let wanted: Vec<usize> = match arguments.text("event")? {
        Some(name) => {
            let at = KINDS.iter().position(|kind| *kind == name);
            vec![at.ok_or_else(|| Failure::new(format!("unknown event type {name}")))?]
        }
        None if arguments.has("all") => (0..KINDS.len()).collect(),
        None => return Err(Failure::new("one of --list, --all, or --event <type> is required")),
    };
    let deadline = deadline(arguments)?;
    let dom = match arguments.text("domain")? {
        Some(_) => Some(lookup::domain(shell, arguments)?),
        None => None,
    };
    let mut registered = Vec::new();
    for event_id in wanted.iter().filter_map(|kind| i32::try_from(*kind).ok()) {
        let args = ConnectDomainEventCallbackRegisterAnyArgs { event_id, dom: dom.clone() };
        let outcome: api::Result<ConnectDomainEventCallbackRegisterAnyRet> =
            shell.call(Procedure::ConnectDomainEventCallbackRegisterAny, &args);
        match outcome {
            Ok(ret) => registered.push(ret.callback_id),
            // An older daemon knows fewer kinds; of all kinds those that it knows are meant.
            Err(_) if arguments.has("all") => {}
            Err(error) => return Err(error.into()),
        }
    }
    let outcome = wait(shell, arguments, deadline, |message| domain_line(message, &wanted));
    for callback_id in registered {
        let args = ConnectDomainEventCallbackDeregisterAnyArgs { callback_id };
        // A daemon that is gone has forgotten it already.
        _ = shell.call::<_, _, ()>(Procedure::ConnectDomainEventCallbackDeregisterAny, &args);
    }
    outcome
}

fn net_event(shell: &mut Shell, arguments: &Arguments) -> Done {
    let Some((event_id, deadline)) = asked(shell, arguments, &["lifecycle"])? else { return Ok(()) };
    let net = match arguments.text("network")? {
        Some(_) => Some(lookup::network(shell, arguments)?),
        None => None,
    };
    let args = ConnectNetworkEventRegisterAnyArgs { event_id, net };
    let ConnectNetworkEventRegisterAnyRet { callback_id } =
        shell.call(Procedure::ConnectNetworkEventRegisterAny, &args)?;
    let outcome = wait(shell, arguments, deadline, network_line);
    let args = ConnectNetworkEventDeregisterAnyArgs { callback_id };
    _ = shell.call::<_, _, ()>(Procedure::ConnectNetworkEventDeregisterAny, &args);
    outcome
}

pub fn deadline(arguments: &Arguments) -> Result<Option<Instant>, Failure> {
    let Some(seconds) = arguments.number::<u32>("timeout")? else { return Ok(None) };
    if seconds == 0 {
        return Err(Failure::new("Numeric value '0' for <timeout> option is malformed or out of range"));
    }
    Ok(Some(Instant::now() + Duration::from_secs(seconds.into())))
}

/// What an event is about, of which kind it is, and the rest of its line.
pub struct Told {
    about: About,
    kind: &'static str,
    detail: String,
}

enum About {
    Domain(NonnullDomain),
    Network(NonnullNetwork),
    Other { object: &'static str, name: String },
}

/// An event of something that has a name alone.
pub fn named(object: &'static str, name: &rpc::Str, kind: &'static str, detail: &str) -> Told {
    Told { about: About::Other { object, name: name.to_string_lossy() }, kind, detail: detail.to_string() }
}

fn list(shell: &Shell, kinds: &[&str]) {
    match shell.json {
        true => shell.print_json(&kinds.iter().map(|kind| json!({ "event": kind })).collect()),
        false => shell.print(&kinds.iter().map(|kind| format!("{kind}\n")).collect::<String>()),
    }
}

/// The kind of events that the options ask for, and until when; None where they ask for the list, which is then printed.
pub fn asked(shell: &Shell, arguments: &Arguments, kinds: &[&str]) -> Result<Option<(i32, Option<Instant>)>, Failure> {
    if arguments.has("list") {
        list(shell, kinds);
        return Ok(None);
    }
    let name = arguments.text("event")?.ok_or_else(|| Failure::new("either --list or --event <type> is required"))?;
    let kind = kinds.iter().position(|kind| *kind == name).and_then(|at| i32::try_from(at).ok());
    let kind = kind.ok_or_else(|| Failure::new(format!("unknown event type {name}")))?;
    Ok(Some((kind, deadline(arguments)?)))
}

/// Prints events until there is a reason to stop; fails where none came.
pub fn wait(
    shell: &mut Shell,
    arguments: &Arguments,
    deadline: Option<Instant>,
    tell: impl Fn(&Message) -> Option<Told>,
) -> Done {
    let connection = shell.connection()?.clone();
    let interrupt = Interrupt::watch(&connection)
        .map_err(|error| Failure::new(format!("signals cannot be watched: {}", words(&error))))?;
    let mut count = 0;
    let why = loop {
        if interrupt.came() {
            break "event loop interrupted\n";
        }
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            break "event loop timed out\n";
        }
        let Some(message) = connection.next_event(left)? else { continue };
        if let Some(told) = tell(&message) {
            show(shell, arguments, &told);
            count += 1;
            if !arguments.has("loop") {
                break "";
            }
        }
    };
    if !shell.json {
        shell.print(&format!("{why}events received: {count}\n"));
    }
    if count > 0 { Ok(()) } else { Err(Failure::silent()) }
}

/// Wakes the connection when an interrupt, or another wish to end, comes.
struct Interrupt {
    came: Arc<AtomicBool>,
    /// The watching thread ends when this is dropped.
    _watched: UnixStream,
}

impl Interrupt {
    fn watch(connection: &Connection) -> io::Result<Interrupt> {
        let mut signals = Signals::of_the_end()?;
        let (watched, end) = UnixStream::pair()?;
        let came = Arc::new(AtomicBool::new(false));
        let (tell, connection) = (Arc::clone(&came), connection.clone());
        thread::Builder::new().name("interrupt".into()).spawn(move || {
            let over = {
                let fds: Vec<BorrowedFd<'_>> = signals.fds().chain([end.as_fd()]).collect();
                let mut ready: Vec<PollFd<'_>> = fds.iter().map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
                while matches!(poll(&mut ready, None), Err(Errno::INTR)) {}
                ready.last().is_none_or(|end| !end.revents().is_empty())
            };
            if !over && signals.take().is_some() {
                tell.store(true, Ordering::Release);
                connection.wake();
            }
        })?;
        Ok(Interrupt { came, _watched: watched })
    }

    fn came(&self) -> bool {
        self.came.load(Ordering::Acquire)
    }
}

fn show(shell: &Shell, arguments: &Arguments, told: &Told) {
    let now = jiff::Timestamp::now();
    if shell.json {
        let (object, name, uuid) = match &told.about {
            About::Domain(domain) => ("domain", domain.name.to_string_lossy(), Uuid(domain.uuid).to_string()),
            About::Network(net) => ("network", net.name.to_string_lossy(), Uuid(net.uuid).to_string()),
            About::Other { object, name } => (*object, name.clone(), String::new()),
        };
        // One object a line, so that a reader need not wait for the end.
        let line = json!({
            "event": told.kind, object: name, "uuid": uuid, "detail": told.detail, "time": now.to_string(),
        });
        shell.print(&format!("{line}\n"));
        return;
    }
    let time = match arguments.has("timestamp") {
        true => now.strftime("%Y-%m-%d %H:%M:%S.%3f+0000: ").to_string(),
        false => String::new(),
    };
    let (object, name) = match &told.about {
        About::Domain(domain) => ("domain", format!("'{}'", domain.name)),
        About::Network(net) => ("network", net.name.to_string_lossy()),
        About::Other { object, name } => (*object, name.clone()),
    };
    let detail = if told.detail.is_empty() { String::new() } else { format!(": {}", told.detail) };
    shell.print(&format!("{time}event '{}' for {object} {name}{detail}\n", told.kind));
}

fn decode<C: Codec>(message: &Message) -> Option<C::Value> {
    message.decode::<C>().ok()
}

fn network_line(message: &Message) -> Option<Told> {
    if message.header.program != remote::PROGRAM
        || Procedure::from_number(message.header.procedure) != Some(Procedure::NetworkEventLifecycle)
    {
        return None;
    }
    let told = decode::<NetworkEventLifecycleMsg>(message)?;
    let word = index(&["Defined", "Undefined", "Started", "Stopped"], told.event);
    Some(Told { about: About::Network(told.net), kind: "lifecycle", detail: word.to_string() })
}

/// Any event that a qemu monitor sends on.
pub fn monitor_line(message: &Message) -> Option<Told> {
    use rpc::qemu;
    let event = qemu::Procedure::DomainMonitorEvent as i32;
    if message.header.program != qemu::PROGRAM || message.header.procedure != event {
        return None;
    }
    let told = decode::<qemu::DomainMonitorEventMsg>(message)?;
    let detail = format!("{} at {}.{:06}", told.event, told.seconds, told.micros);
    Some(Told { about: About::Domain(told.dom), kind: "monitor", detail })
}

pub fn index<'w>(words: &[&'w str], at: i32) -> &'w str {
    usize::try_from(at).ok().and_then(|at| words.get(at)).copied().unwrap_or("unknown")
}

/// Names of events and their details, as in `virDomainEventType` and the enums behind it.
fn lifecycle_words(event: i32, detail: i32) -> (&'static str, &'static str) {
    let name = index(
        &["Defined", "Undefined", "Started", "Suspended", "Resumed", "Stopped", "Shutdown", "PMSuspended", "Crashed"],
        event,
    );
    let details: &[&'static str] = match event {
        0 => &["Added", "Updated", "Renamed", "Snapshot"],
        1 => &["Removed", "Renamed"],
        2 => &["Booted", "Migrated", "Restored", "Snapshot", "Event wakeup"],
        3 => &[
            "Paused",
            "Migrated",
            "I/O Error",
            "Watchdog",
            "Restored",
            "Snapshot",
            "API error",
            "Post-copy",
            "Post-copy Error",
        ],
        4 => &["Unpaused", "Migrated", "Snapshot", "Post-copy", "Post-copy Error"],
        5 => &["Shutdown", "Destroyed", "Crashed", "Migrated", "Saved", "Failed", "Snapshot"],
        6 => &["Finished after guest request", "Finished after host request"],
        7 => &["Memory", "Disk"],
        8 => &["Panicked", "Crashloaded"],
        _ => &[],
    };
    (name, index(details, detail))
}

fn domain_line(message: &Message, wanted: &[usize]) -> Option<Told> {
    if message.header.program != remote::PROGRAM {
        return None;
    }
    let (kind, dom, detail) = domain_event(message)?;
    let kind = *KINDS.get(kind).filter(|_| wanted.contains(&kind))?;
    Some(Told { about: About::Domain(dom), kind, detail })
}

/// The kind's number, the domain and the words of an event.
fn domain_event(message: &Message) -> Option<(usize, NonnullDomain, String)> {
    use Procedure as P;
    let plain = String::new;
    Some(match Procedure::from_number(message.header.procedure)? {
        P::DomainEventCallbackLifecycle => {
            let DomainEventLifecycleMsg { dom, event, detail } =
                decode::<DomainEventCallbackLifecycleMsg>(message)?.msg;
            let (event, detail) = lifecycle_words(event, detail);
            (0, dom, format!("{event} {detail}"))
        }
        P::DomainEventCallbackReboot => (1, decode::<DomainEventCallbackRebootMsg>(message)?.msg.dom, plain()),
        P::DomainEventCallbackRtcChange => {
            let told = decode::<DomainEventCallbackRtcChangeMsg>(message)?.msg;
            (2, told.dom, told.offset.to_string())
        }
        P::DomainEventCallbackWatchdog => {
            let told = decode::<DomainEventCallbackWatchdogMsg>(message)?.msg;
            let actions = ["none", "pause", "reset", "poweroff", "shutdown", "debug", "inject-nmi"];
            (3, told.dom, index(&actions, told.action).to_string())
        }
        P::DomainEventCallbackControlError => {
            (7, decode::<DomainEventCallbackControlErrorMsg>(message)?.msg.dom, plain())
        }
        P::DomainEventCallbackDiskChange => {
            let told = decode::<DomainEventCallbackDiskChangeMsg>(message)?.msg;
            let path = |path: Option<rpc::Str>| path.map_or_else(String::new, |path| path.to_string_lossy());
            let reason = index(&["changed", "dropped"], told.reason);
            (
                9,
                told.dom,
                format!("disk {} {reason}: {} -> {}", told.dev_alias, path(told.old_src_path), path(told.new_src_path)),
            )
        }
        P::DomainEventCallbackPmwakeup => (11, decode::<DomainEventCallbackPmwakeupMsg>(message)?.msg.dom, plain()),
        P::DomainEventCallbackPmsuspend => (12, decode::<DomainEventCallbackPmsuspendMsg>(message)?.msg.dom, plain()),
        P::DomainEventCallbackBalloonChange => {
            let told = decode::<DomainEventCallbackBalloonChangeMsg>(message)?.msg;
            (13, told.dom, format!("{}KiB", told.actual))
        }
        P::DomainEventCallbackPmsuspendDisk => {
            (14, decode::<DomainEventCallbackPmsuspendDiskMsg>(message)?.msg.dom, plain())
        }
        P::DomainEventCallbackDeviceRemoved => {
            let told = decode::<DomainEventCallbackDeviceRemovedMsg>(message)?.msg;
            (15, told.dom, told.dev_alias.to_string_lossy())
        }
        P::DomainEventCallbackTunable => {
            let told = decode::<DomainEventCallbackTunableMsg>(message)?;
            let line = |param: &TypedParam| format!("\n\t{}: {}", param.field, typed::show(&param.value));
            (17, told.dom, told.params.iter().map(line).collect())
        }
        P::DomainEventCallbackDeviceAdded => {
            let told = decode::<DomainEventCallbackDeviceAddedMsg>(message)?;
            (19, told.dom, told.dev_alias.to_string_lossy())
        }
        P::DomainEventCallbackDeviceRemovalFailed => {
            let told = decode::<DomainEventCallbackDeviceRemovalFailedMsg>(message)?;
            (22, told.dom, told.dev_alias.to_string_lossy())
        }
        P::DomainEventCallbackMetadataChange => {
            let told = decode::<DomainEventCallbackMetadataChangeMsg>(message)?;
            let uri = told.nsuri.map_or_else(|| "<null>".to_string(), |uri| uri.to_string_lossy());
            (23, told.dom, format!("type {}, uri {uri}", index(&["description", "title", "element"], told.r#type)))
        }
        P::DomainEventMemoryFailure => {
            let told = decode::<DomainEventMemoryFailureMsg>(message)?;
            let recipient = index(&["hypervisor", "guest"], told.recipient);
            let action = index(&["ignore", "inject", "fatal", "reset"], told.action);
            (25, told.dom, format!("recipient: {recipient}\naction: {action}"))
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_lifecycles() {
        let table = [
            ((0, 0), "Defined Added"),
            ((5, 1), "Stopped Destroyed"),
            ((2, 0), "Started Booted"),
            ((9, 9), "unknown unknown"),
        ];
        for ((event, detail), expected) in table {
            let (event, detail) = lifecycle_words(event, detail);
            assert_eq!(format!("{event} {detail}"), expected);
        }
    }
}
