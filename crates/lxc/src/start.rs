//! A container's start, in the order of events, undone in reverse where a step fails.
//!
//! Document -> terminals -> ports and links -> controller -> status file -> control groups -> the controller's sign that it
//! is in them -> our sign that the links are there -> its monitor socket, which names the init -> its sign that the container is
//! complete.

use crate::controller::{self, Command, Controller};
use crate::driver::{Driver, state_file};
use crate::files;
use crate::hooks::Moment;
use crate::interfaces::{self, Plugged, only_child};
use crate::links_home::Away;
use crate::log::DomainLog;
use crate::monitor::Monitor;
use crate::object::{DomainObject, Live};
use crate::{shares, terminals, usb};
use api::{DomainState, Error, ErrorDomain, LifecycleEvent, Result, StateReason};
use conf::domain::{Domain, Filesystem, FilesystemSource, FormatOptions};
use conf::status::DomainStatus;
use linux::cgroup::{Group, Hierarchies, Place};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Detail of `VIR_DOMAIN_EVENT_STARTED`.
const BOOTED: i32 = 0;

/// A controller that is quiet for longer has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where a domain's control groups are, unless its document says otherwise.
pub(crate) const PARTITION: &str = "/machine";

/// How a domain is started.
#[derive(Default)]
pub struct StartOptions {
    /// Descriptors for the container's init.
    pub files: Vec<OwnedFd>,
    /// Destroyed when this client goes.
    pub autodestroy: Option<u64>,
}

impl Driver {
    /// Starts a domain that is defined.
    pub fn start(self: &Arc<Self>, object: &Arc<DomainObject>, options: StartOptions) -> Result<()> {
        let _job = object.begin("start")?;
        let definition = {
            let state = object.lock();
            if state.live.is_some() {
                return Err(Error::operation_invalid(ErrorDomain::Lxc, "Domain is already running"));
            }
            Arc::clone(&state.definition)
        };
        self.run(object, &definition, options)
    }

    /// Starts a domain from a document: a transient one, unless it is defined already.
    pub fn create(self: &Arc<Self>, xml: &[u8], validate: bool, options: StartOptions) -> Result<Arc<DomainObject>> {
        let definition = Arc::new(self.parse(xml, validate)?);
        definition.idmap.check()?;
        let object = self.place(&definition, false)?;
        let _job = object.begin("create")?;
        let persistent = {
            let mut state = object.lock();
            if state.live.is_some() {
                let words = format!("domain '{}' is already active", object.name);
                return Err(Error::operation_invalid(ErrorDomain::Domain, words));
            }
            if !state.persistent {
                state.definition = Arc::clone(&definition);
            }
            state.persistent
        };
        let started = self.run(&object, &definition, options);
        if started.is_err() && !persistent {
            self.forget(&object);
        }
        started.map(|()| object)
    }

    /// Starts the container and says so. The domain's job is the caller's.
    fn run(
        self: &Arc<Self>,
        object: &Arc<DomainObject>,
        definition: &Arc<Domain>,
        options: StartOptions,
    ) -> Result<()> {
        let live = self.bring_up(object, definition, options, "booted").inspect_err(|error| {
            tracing::error!("domain '{}' does not start: {error}", object.name);
            let mut state = object.lock();
            (state.state, state.reason) = (DomainState::Shutoff, StateReason::SHUTOFF_FAILED);
        })?;
        let reference = {
            let mut state = object.lock();
            state.live = Some(live);
            (state.state, state.reason) = (DomainState::Running, StateReason::RUNNING_BOOTED);
            object.reference_in(&state)
        };
        tracing::info!("domain '{}' runs, its controller is process {}", object.name, reference.id);
        self.lifecycle(reference, LifecycleEvent::Started, BOOTED);
        self.watch(object).inspect_err(|_| self.give_up(object))
    }

    /// From now on the container's end is noticed. Before, nobody else could do anything about it.
    pub(crate) fn watch(&self, object: &DomainObject) -> Result<()> {
        let monitor = object.lock().live.as_ref().map(|live| Arc::clone(&live.monitor));
        monitor.map_or(Ok(()), |monitor| monitor.watch())
    }

    /// A container for this definition; on an error nothing is left of it.
    pub(crate) fn bring_up(
        self: &Arc<Self>,
        object: &Arc<DomainObject>,
        definition: &Arc<Domain>,
        options: StartOptions,
        why: &str,
    ) -> Result<Live> {
        let mut attempt = Attempt::default();
        let started = self.attempt(object, definition, options, &mut attempt);
        match &started {
            Ok(live) => {
                let init = live.init.as_ref().map(|(pid, _)| *pid);
                self.audit_start(&live.domain, why, live.id, init, true);
            }
            Err(_) => {
                attempt.undo(self, object);
                self.audit_start(definition, why, -1, None, false);
            }
        }
        started
    }

    fn attempt(
        self: &Arc<Self>,
        object: &Arc<DomainObject>,
        definition: &Arc<Domain>,
        options: StartOptions,
        attempt: &mut Attempt,
    ) -> Result<Live> {
        let mut live = Domain::clone(definition);
        complete(&mut live);
        check(&live)?;
        self.check_labels(&mut live)?;
        for words in usb::find_all(&self.paths.sys, &mut live)? {
            tracing::warn!("domain '{}' starts without a device: {words}", object.name);
        }
        self.choose_ids(object, &mut live)?;
        let emulator = self.emulator.choose(live.emulator.as_deref())?;
        // A script that refuses may have done half its work: it is told of the end like any other.
        attempt.prepared = Some(live.clone());
        self.hook(&live, Moment::Prepare)?;
        let mut log = DomainLog::open(self, &live.name)?;
        self.load_profile(&live)?;
        let terminals = terminals::open(&mut live)?;
        let shared = shares::open(self, &live)?;
        self.plug_all(&mut live, &mut attempt.plugged, emulator.ours)?;

        let mut command = Command::new(&emulator, &live.name, &self.emulator.own_options());
        command.consoles(&terminals);
        command.pass(&options.files);
        command.share(&shared);
        command.links(&attempt.plugged.inner);
        let document = emulator.ours.then(|| self.document(&live)).transpose()?;
        if let Some(document) = &document {
            command.document(document);
        }
        self.hook(&live, Moment::Start)?;
        let mut controller = Controller::start(command, &self.nurseries, &mut log)?;
        attempt.controller = Some((controller.pid(), controller.pidfd()));
        live.id = Some(controller.pid());
        attempt.status_written = true;
        self.write_status(&status(&live, controller.pid(), 0))?;
        files::write_pid(&state_file(&self.paths, &live.name, "pid"), controller.pid())?;
        controller.release();
        if emulator.ours {
            attempt.group = self.make_group(&live, controller.pid(), &mut log).map(Arc::new);
            controller.groups(attempt.group.as_deref());
        }
        controller.loaded()?;
        drop((terminals, options.files, shared, document));

        controller.wait_for_sign(PATIENCE, &log, &live)?;
        let group = match &attempt.group {
            Some(group) => Arc::clone(group),
            None => self.find_group(&live, controller.pid()).map(Arc::new)?,
        };
        attempt.group = Some(Arc::clone(&group));
        self.plug_waiting(&mut live, &mut attempt.plugged, controller.pid())?;
        attempt.away = self.links_away(&live, || only_child(&self.paths.proc, controller.pid()));
        let connect = || Monitor::connect(self, object, &state_file(&self.paths, &live.name, "sock"));
        // Ours listens already, and names its init at once; libvirt's does when the container is complete. Where it has gone,
        // its log says why.
        let early = emulator.ours.then(connect).and_then(Result::ok);
        controller.go_on(&log)?;
        let is_complete = early.is_none();
        let monitor = match early {
            Some(monitor) => monitor,
            None => {
                controller.wait_for_sign(PATIENCE, &log, &live)?;
                connect()?
            }
        };
        let init = monitor.wait_for_init(PATIENCE).map_err(|error| controller.failure(&error.message, &log))?;
        live.interfaces.iter_mut().for_each(|interface| interface.guest_actual = None);
        let init_fd = open_child(&self.paths.proc, init, controller.pid());
        self.write_status(&status(&live, controller.pid(), init))?;
        if !is_complete {
            controller.wait_for_sign(PATIENCE, &log, &live)?;
        }
        self.hook(&live, Moment::Started)?;
        // Mostly there is one, and no worker is to be woken in a start's way.
        if emulator.ours && self.nurseries.lacks(&emulator.program) {
            let driver = Arc::clone(self);
            self.later(move || driver.nurseries.prepare(driver.emulator.own_program()));
        }
        Ok(Live {
            id: controller.pid(),
            controller: controller.pidfd(),
            init: init_fd.map(|fd| (init, Arc::new(fd))),
            origin: Arc::clone(definition),
            domain: Arc::new(live),
            monitor,
            group: Some(group),
            away: attempt.away.take(),
            started: Instant::now(),
            brief: 0,
            autodestroy: options.autodestroy,
        })
    }

    /// The status file's content, as far as it is known before there is a controller.
    fn document(&self, live: &Domain) -> Result<OwnedFd> {
        let document = status(live, 0, 0).format();
        linux::sealed::bytes(document.as_bytes())
            .map_err(|e| files::system(&e, "cannot keep a document in memory".into()))
    }

    /// The group that our own controller will be in: it is loaded meanwhile. Where systemd runs, or this fails, the controller
    /// makes it, and says why that fails.
    fn make_group(&self, live: &Domain, controller: i32, log: &mut DomainLog) -> Option<Group> {
        if linux::cgroup::systemd_runs() {
            return None;
        }
        let hierarchies = Hierarchies::detect(&self.paths.proc).ok()?;
        let (group, notes) = Group::create(&hierarchies, &place(live, controller)).ok()?;
        notes.iter().for_each(|note| log.note(controller, note));
        Some(group)
    }

    /// The group that a controller has made.
    fn find_group(&self, live: &Domain, controller: i32) -> Result<Group> {
        let hierarchies = Hierarchies::detect(&self.paths.proc);
        let group =
            hierarchies.and_then(|hierarchies| Group::detect(&hierarchies, &self.paths.proc, controller, &live.name));
        group.map_err(controller::cgroup_error)
    }

    pub(crate) fn write_status(&self, status: &DomainStatus) -> Result<()> {
        let domain = &status.domain;
        let content = conf::file::with_header(&files::edit_command(&domain.name, &domain.uuid), &status.format());
        files::write_at_once(&state_file(&self.paths, &domain.name, "xml"), &content)
    }

    /// The status file after a change of state or of the live definition.
    pub(crate) fn save_status(&self, object: &DomainObject) -> Result<()> {
        let status = {
            let state = object.lock();
            let live = state.running()?;
            DomainStatus {
                state: state.state,
                reason: state.reason,
                controller_pid: live.id,
                init_pid: live.init.as_ref().map_or(0, |(pid, _)| *pid),
                domain: (*live.domain).clone(),
            }
        };
        self.write_status(&status)
    }
}

/// The group that the controller makes, or would have made.
fn group_to_be(driver: &Driver, live: &Domain, controller: i32) -> Option<Group> {
    let hierarchies = Hierarchies::detect(&driver.paths.proc)
        .inspect_err(|error| tracing::warn!("domain '{}': its control groups stay: {error}", live.name))
        .ok()?;
    Some(Group::named(&hierarchies, &place(live, controller)))
}

fn place(live: &Domain, controller: i32) -> Place {
    Place {
        partition: live.partition.clone().unwrap_or_else(|| PARTITION.into()),
        id: controller,
        domain: live.name.clone(),
    }
}

fn status(live: &Domain, controller_pid: i32, init_pid: i32) -> DomainStatus {
    DomainStatus {
        state: DomainState::Running,
        reason: StateReason::RUNNING_BOOTED,
        controller_pid,
        init_pid,
        domain: live.clone(),
    }
}

/// A descriptor of a process, if it is that parent's child: the number may be another's by now.
pub(crate) fn open_child(proc: &std::path::Path, pid: i32, parent: i32) -> Option<OwnedFd> {
    let fd = pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok()?;
    let stat = std::fs::read_to_string(proc.join(pid.to_string()).join("stat")).ok()?;
    // The command's name, in parentheses, may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    (fields.nth(1)?.parse::<i32>().ok()? == parent).then_some(fd)
}

/// What a live definition has beyond the persistent one before anything is made for it.
fn complete(live: &mut Domain) {
    if live.partition.is_none() {
        live.partition = Some(PARTITION.into());
    }
    if !live.filesystems.iter().any(|filesystem| filesystem.target == "/") {
        live.filesystems.insert(0, Filesystem::new(FilesystemSource::Mount { dir: "/".into() }, "/"));
    }
}

/// What can be said before anything is made.
fn check(live: &Domain) -> Result<()> {
    terminals::check(live)?;
    interfaces::check(live)?;
    let foreign = |hostdev: &&conf::domain::Hostdev| matches!(hostdev.source, conf::domain::HostdevSource::Other(_));
    if let Some(hostdev) = live.hostdevs.iter().find(foreign) {
        let kind = match &hostdev.source {
            conf::domain::HostdevSource::Other(element) => element.attr("type").unwrap_or("pci"),
            _ => "pci",
        };
        return Err(Error::config_unsupported(ErrorDomain::Lxc, format!("Unsupported hostdev type {kind}")));
    }
    Ok(())
}

/// What a start has made so far.
#[derive(Default)]
struct Attempt {
    /// What is started, as scripts were told of it first.
    prepared: Option<Domain>,
    plugged: Plugged,
    status_written: bool,
    controller: Option<(i32, Arc<OwnedFd>)>,
    group: Option<Arc<Group>>,
    away: Option<Away>,
}

impl Attempt {
    fn undo(&self, driver: &Arc<Driver>, object: &DomainObject) {
        if let (Some((pid, controller)), Some(document)) = (&self.controller, &self.prepared) {
            let group = match &self.group {
                Some(group) => Some(Group::clone(group)),
                None => group_to_be(driver, document, *pid),
            };
            if !driver.end_processes(document, None, controller, group.as_ref()) {
                tracing::error!("domain '{}': some processes of a start that failed refuse to die", object.name);
                group.into_iter().for_each(|group| driver.remove_later(document, group));
            }
        }
        if let Some(away) = &self.away {
            away.bring_home(&object.name);
        }
        driver.unplug_all(&self.plugged);
        driver.release_ids(&object.uuid);
        if self.status_written {
            driver.remove_state_files(&object.name);
        }
        if let Some(document) = &self.prepared {
            driver.unload_profile(document);
            driver.hook_after(document, Moment::Stopped);
            driver.hook_after(document, Moment::Release);
        }
    }
}

/// The document that hooks read on their standard input.
pub(crate) fn hook_document(domain: &Domain) -> String {
    domain.format(FormatOptions::Live)
}
