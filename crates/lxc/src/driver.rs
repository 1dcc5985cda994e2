//! The driver: what all its calls share.

use crate::audit::{AuditSettings, Auditor};
use crate::emulator::Emulator;
use crate::files;
use crate::idmap::ChosenIds;
use crate::interfaces::LinkNumbers;
use crate::late::LateGroups;
use crate::list::Domains;
use crate::nursery::Nurseries;
use crate::object::DomainObject;
use crate::security::SecuritySettings;
use api::{DomainRef, Event, LifecycleEvent, Paths, Result};
use conf::domain::Host;
use network::Networks;
use rpc::server::Loop;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, RwLock};

/// Something to be done on a worker thread.
pub type Work = Box<dyn FnOnce() + Send>;

/// What a driver is made from.
pub struct Setup {
    pub paths: Paths,
    pub networks: Arc<Networks>,
    /// Where controllers' monitor sockets are waited for.
    pub event_loop: Arc<Loop>,
    /// Runs work on a thread that may block.
    pub spawn: Box<dyn Fn(Work) + Send + Sync>,
    pub publish: Box<dyn Fn(Event) + Send + Sync>,
    /// The machine's architecture as libvirt names it.
    pub arch: String,
    pub audit: AuditSettings,
    pub security: SecuritySettings,
    /// Controllers are copied from one that is loaded.
    pub copies_controllers: bool,
}

pub struct Driver {
    pub(crate) paths: Paths,
    pub(crate) networks: Arc<Networks>,
    pub(crate) event_loop: Arc<Loop>,
    pub(crate) emulator: Emulator,
    pub(crate) domains: Mutex<Domains>,
    pub(crate) links: LinkNumbers,
    pub(crate) ids: ChosenIds,
    pub(crate) auditor: Auditor,
    pub(crate) security: RwLock<SecuritySettings>,
    pub(crate) nurseries: Nurseries,
    pub(crate) late: LateGroups,
    arch: String,
    spawn: Box<dyn Fn(Work) + Send + Sync>,
    publish: Box<dyn Fn(Event) + Send + Sync>,
}

impl Driver {
    /// Loads what is defined and finds what runs.
    pub fn new(setup: Setup) -> Result<Arc<Driver>> {
        files::make_folders(&setup.paths)?;
        let driver = Arc::new(Driver {
            emulator: Emulator::find(&setup.paths),
            paths: setup.paths,
            networks: setup.networks,
            event_loop: setup.event_loop,
            domains: Mutex::default(),
            links: LinkNumbers::default(),
            ids: ChosenIds::default(),
            auditor: Auditor::new(setup.audit)?,
            security: RwLock::new(setup.security),
            nurseries: Nurseries::new(setup.copies_controllers),
            late: LateGroups::default(),
            arch: setup.arch,
            spawn: setup.spawn,
            publish: setup.publish,
        });
        driver.load_definitions()?;
        driver.reconnect_all();
        Ok(driver)
    }

    /// Controllers are copied from one that is loaded, or each is loaded by itself, from the next start on.
    pub fn set_copies_controllers(&self, copies: bool) {
        self.nurseries.set_wanted(copies);
    }

    /// Starts what is marked for it, once after each boot. Workers must be there.
    pub fn autostart(self: &Arc<Self>) {
        self.autostart_all();
    }

    /// Whether a domain runs, or something is being done with one.
    pub fn is_needed(&self) -> bool {
        self.all().iter().any(|object| {
            let state = object.lock();
            state.live.is_some() || state.job_under_way()
        })
    }

    pub(crate) fn domains(&self) -> MutexGuard<'_, Domains> {
        lock(&self.domains)
    }

    /// Runs `work` on a worker.
    pub(crate) fn later(&self, work: impl FnOnce() + Send + 'static) {
        (self.spawn)(Box::new(work));
    }

    pub(crate) fn publish(&self, event: Event) {
        (self.publish)(event);
    }

    pub(crate) fn lifecycle(&self, domain: DomainRef, event: LifecycleEvent, detail: i32) {
        self.publish(Event::Lifecycle { domain, event, detail });
    }

    /// Calls `use_it` with what parsing a document needs to know.
    pub(crate) fn with_host<T>(&self, use_it: impl FnOnce(&Host) -> T) -> T {
        let host = Host { arch: &self.arch, emulator: self.emulator.default_path(), random: &random };
        use_it(&host)
    }

    pub(crate) fn file(&self, object: &DomainObject) -> std::path::PathBuf {
        definition_file(&self.paths, &object.name)
    }
}

pub(crate) fn definition_file(paths: &Paths, name: &str) -> std::path::PathBuf {
    paths.domains().join(format!("{name}.xml"))
}

pub(crate) fn autostart_link(paths: &Paths, name: &str) -> std::path::PathBuf {
    paths.domains().join("autostart").join(format!("{name}.xml"))
}

/// The domain's file of this kind in the folder of running domains: `xml`, `pid`, `sock`.
pub(crate) fn state_file(paths: &Paths, name: &str, kind: &str) -> std::path::PathBuf {
    paths.domain_state().join(format!("{name}.{kind}"))
}

fn random(bytes: &mut [u8]) {
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match rustix::rand::getrandom(rest, rustix::rand::GetRandomFlags::empty()) {
            Ok(count) => filled += count,
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => {
                tracing::error!("the kernel gives no random bytes: {errno}");
                return;
            }
        }
    }
}

/// A path as messages show it.
pub(crate) fn shown(path: &Path) -> std::path::Display<'_> {
    path.display()
}

/// No lock here guards a state that a panic could leave half-changed: its data is as good as any.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
