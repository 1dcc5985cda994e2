//! The daemon's life: settings, lock, drivers, sockets, loop, orderly end.

use crate::admin::{Admin, Unauthenticated, most_unauthenticated};
use crate::background;
use crate::daemon::{Daemon, Hypervisor};
use crate::daemon_hook::{self, Turn};
use crate::host::machine_uuid;
use crate::idle::IdleEnd;
use crate::log::{self, Filters, Outputs};
use crate::options::Options;
use crate::pidfile;
use crate::reload::{Files, Reload};
use crate::sockets::{self, Purpose};
use api::{Paths, errno_text};
use rpc::server::{Control, EventFlags, Listening, Loop, Server, Source};
use rustix::process::Signal;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

/// Running calls have so long to end when the daemon is told to.
const PATIENCE: Duration = Duration::from_secs(10);

/// The error is a sentence for the person at the terminal.
pub fn run(options: &Options) -> Result<(), String> {
    if options.root.is_none() && !rustix::process::geteuid().is_root() {
        return Err(
            "only root can run it, as containers need namespaces, mounts and devices; with --root DIR anybody can \
                    keep definitions there"
                .to_string(),
        );
    }
    background::detach();
    serve(options).inspect_err(|why| log::last_words(why))
}

fn serve(options: &Options) -> Result<(), String> {
    let paths = options.root.as_deref().map_or_else(Paths::system, Paths::under);
    let files = Files {
        daemon: options.config.clone().unwrap_or_else(|| paths.etc.join("virtlxcd.conf")),
        named: options.config.is_some(),
        driver: paths.etc.join("lxc.conf"),
        verbose: options.verbose,
    };
    let settings = files.read()?;
    let config = &settings.daemon;
    let outputs = Outputs::parse(&config.log_outputs).map_err(|why| settings.wrong("log_outputs", why))?;
    log::start(files.log_level(config), outputs, Filters::parse(&config.log_filters)?);
    raise_descriptor_limit();
    let signals = linux::signal::into_pipe(&[Signal::TERM, Signal::INT, Signal::QUIT, Signal::HUP].map(Signal::as_raw))
        .map_err(|e| format!("cannot receive signals: {}", errno_text(&e)))?;

    let pid_file = options.pid_file.clone().unwrap_or_else(|| paths.pid_dir().join("virtlxcd.pid"));
    let _pid = pidfile::acquire(&pid_file)?;
    let _driver = pidfile::acquire(&paths.domain_state().join("driver.pid"))?;
    let _networks = pidfile::acquire(&paths.network_state().join("driver.pid"))?;

    let said = |e: api::Error| e.message;
    let event_loop = Arc::new(Loop::new().map_err(said)?);
    let from_machine = || machine_uuid(&paths.sys, Path::new("/etc/machine-id"), config.host_uuid_source);
    let host_uuid = config.host_uuid.unwrap_or_else(from_machine);
    let daemon = Daemon::new(paths.clone(), host_uuid);
    let service = Hypervisor { daemon: Arc::clone(&daemon) };
    let server = Server::new("rpc-worker", Arc::clone(&event_loop), service, config.workers, config.limits);
    daemon.set_server(&server);

    let needed = Box::new({
        let daemon = Arc::clone(&daemon);
        move || daemon.is_needed()
    });
    let idle = IdleEnd::new(&event_loop, needed, options.timeout.map(Duration::from_secs));
    daemon.set_idle(&idle);
    let servers = Arc::new(OnceLock::new());
    let unauthenticated = Arc::new(Unauthenticated::new(most_unauthenticated(config)));
    let service = Admin { servers: Arc::clone(&servers), idle, unauthenticated: Arc::clone(&unauthenticated) };
    let admin =
        Server::new("admin-worker", Arc::clone(&event_loop), service, config.admin_workers, config.admin_limits);
    _ = servers.set(vec![("admin", Arc::clone(&admin) as Arc<dyn Control>), ("virtlxcd", Arc::clone(&server) as _)]);

    // Before anything is started that would stay: who connects meanwhile waits.
    let sockets = Arc::new(sockets::open(&paths, config).map_err(said)?);
    daemon_hook::call(&paths, Turn::Start);
    // The drivers are ready before the first client is accepted.
    let security = settings.driver.clone();
    daemon.start_drivers(&event_loop, config.audit, security, config.copy_controllers).map_err(said)?;
    for (purpose, socket) in sockets.copies().map_err(said)? {
        let listening = Listening { socket, read_only: purpose == Purpose::ReadOnly };
        match purpose {
            Purpose::Admin => admin.listen(listening),
            Purpose::ReadWrite | Purpose::ReadOnly => server.listen(listening),
        }
        .map_err(said)?;
    }
    let reload = Arc::new(Reload {
        files,
        daemon,
        hypervisor: Arc::clone(&server) as _,
        admin: Arc::clone(&admin) as _,
        unauthenticated,
        sockets: Arc::clone(&sockets),
        held: Mutex::new(settings),
    });
    let signals = SignalSource { event_loop: Arc::clone(&event_loop), signals, reload, paths: paths.clone() };
    let signals = Arc::new(signals);
    event_loop.add(event_loop.token(), &signals.signals, EventFlags::IN, Arc::clone(&signals) as _).map_err(said)?;
    tracing::info!("virtlxcd {} is ready", env!("CARGO_PKG_VERSION"));
    background::ready();
    if let Err(e) = sd_notify::notify(&[sd_notify::NotifyState::Ready]) {
        tracing::debug!("systemd was not told: {e}");
    }

    let ended = event_loop.run().map_err(said);
    tracing::info!("ending");
    _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    // Gone before the last reply: who connects from now on starts the next daemon.
    sockets.close();
    admin.finish(Duration::ZERO);
    server.finish(PATIENCE);
    daemon_hook::call(&paths, Turn::Shutdown);
    ended
}

/// Each client and each running container needs descriptors: as many as the system allows.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if let Err(errno) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }) {
        tracing::warn!("cannot raise the limit of open files: {errno}");
    }
}

/// Signals, as bytes in a pipe.
struct SignalSource {
    event_loop: Arc<Loop>,
    signals: OwnedFd,
    reload: Arc<Reload>,
    paths: Paths,
}

impl Source for SignalSource {
    fn ready(self: Arc<Self>, _: EventFlags) {
        let mut bytes = [0; 16];
        let Ok(count) = rustix::io::read(&self.signals, &mut bytes) else { return };
        for signal in bytes.iter().take(count) {
            if i32::from(*signal) == Signal::HUP.as_raw() {
                let (reload, paths) = (Arc::clone(&self.reload), self.paths.clone());
                // The loop waits for no file and no script.
                let reading = std::thread::Builder::new().name("reload".into()).spawn(move || {
                    reload.reload();
                    daemon_hook::call(&paths, Turn::Reload);
                });
                if let Err(e) = reading {
                    tracing::error!("the settings stay as they were: no thread to read them: {}", errno_text(&e));
                }
            } else {
                tracing::info!("received signal {signal}");
                self.event_loop.stop();
            }
        }
    }
}
