//! The daemon's life: settings, lock, drivers, sockets, loop, orderly end.

use crate::background;
use crate::config::Config;
use crate::daemon::{Daemon, Hypervisor};
use crate::log::{self, Outputs};
use crate::options::Options;
use crate::pidfile;
use crate::sockets::{self, Purpose};
use api::Paths;
use rpc::server::{EventFlags, Listening, Loop, Server, Source, Token};
use rustix::process::Signal;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Running calls have so long to end when the daemon is told to.
const PATIENCE: Duration = Duration::from_secs(10);

/// The error is a sentence for the person at the terminal.
pub fn run(options: &Options) -> Result<(), String> {
    let paths = options.root.as_deref().map_or_else(Paths::system, Paths::under);
    let settings = Settings {
        path: options.config.clone().unwrap_or_else(|| paths.etc.join("virtlxcd.conf")),
        named: options.config.is_some(),
        verbose: options.verbose,
    };
    let config = settings.read()?;
    log::start(settings.log_level(&config), Outputs::parse(&config.log_outputs)?);
    background::detach();
    let signals = linux::signal::into_pipe(&[Signal::TERM, Signal::INT, Signal::QUIT, Signal::HUP].map(Signal::as_raw))
        .map_err(|e| format!("cannot receive signals: {e}"))?;

    let pid_file = options.pid_file.clone().unwrap_or_else(|| paths.pid_dir().join("virtlxcd.pid"));
    let _pid = pidfile::acquire(&pid_file)?;
    let _driver = pidfile::acquire(&paths.domain_state().join("driver.pid"))?;

    let said = |e: api::Error| e.message;
    let event_loop = Arc::new(Loop::new().map_err(said)?);
    let daemon = Daemon::new(paths.clone());
    let service = Hypervisor { daemon: Arc::clone(&daemon) };
    let server = Server::new("rpc-worker", Arc::clone(&event_loop), service, config.workers, config.limits);
    daemon.set_server(&server);

    // The drivers are ready before the first client is accepted.
    let sockets = sockets::open(&paths, &config).map_err(said)?;
    for socket in sockets.iter().filter(|socket| socket.purpose != Purpose::Admin) {
        let copy = socket.socket.try_clone().map_err(|e| format!("cannot use a socket: {e}"))?;
        let read_only = socket.purpose == Purpose::ReadOnly;
        server.listen(Listening { socket: copy, read_only }).map_err(said)?;
    }
    let signals = SignalSource { event_loop: Arc::clone(&event_loop), signals, settings };
    let signals = Arc::new(signals);
    event_loop.add(event_loop.token(), &signals.signals, EventFlags::IN, Arc::clone(&signals) as _).map_err(said)?;
    if let Some(seconds) = options.timeout {
        IdleEnd::start(&event_loop, &daemon, Duration::from_secs(seconds));
    }
    tracing::info!("virtlxcd {} is ready", env!("CARGO_PKG_VERSION"));
    background::ready();
    if let Err(e) = sd_notify::notify(&[sd_notify::NotifyState::Ready]) {
        tracing::debug!("systemd was not told: {e}");
    }

    let ended = event_loop.run().map_err(said);
    tracing::info!("ending");
    _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    // Gone before the last reply: who connects from now on starts the next daemon.
    drop(sockets);
    server.finish(PATIENCE);
    ended
}

struct Settings {
    path: PathBuf,
    named: bool,
    verbose: bool,
}

impl Settings {
    fn read(&self) -> Result<Config, String> {
        Config::read(&self.path, self.named)
    }

    fn log_level(&self, config: &Config) -> u32 {
        let level = config.log_level.unwrap_or(3);
        if self.verbose { level.min(2) } else { level }
    }
}

/// Signals, as bytes in a pipe.
struct SignalSource {
    event_loop: Arc<Loop>,
    signals: OwnedFd,
    settings: Settings,
}

impl Source for SignalSource {
    fn ready(self: Arc<Self>, _: EventFlags) {
        let mut bytes = [0; 16];
        let Ok(count) = rustix::io::read(&self.signals, &mut bytes) else { return };
        for signal in bytes.iter().take(count) {
            if i32::from(*signal) == Signal::HUP.as_raw() {
                self.reload();
            } else {
                tracing::info!("received signal {signal}");
                self.event_loop.stop();
            }
        }
    }
}

impl SignalSource {
    /// Logging follows the file's new content; the other settings hold until the next start.
    fn reload(&self) {
        let reread = self.settings.read().and_then(|config| Ok((Outputs::parse(&config.log_outputs)?, config)));
        match reread {
            Ok((outputs, config)) => {
                log::change(self.settings.log_level(&config), outputs);
                tracing::info!("settings read again from '{}'", self.settings.path.display());
            }
            Err(why) => tracing::error!("the settings stay as they were: {why}"),
        }
    }
}

/// Ends the loop when nobody has needed the daemon for a while.
struct IdleEnd {
    event_loop: Arc<Loop>,
    daemon: Arc<Daemon>,
    token: Token,
    timeout: Duration,
    /// Since when there is neither client nor running domain, as far as seen.
    idle_since: Mutex<Instant>,
}

impl IdleEnd {
    fn start(event_loop: &Arc<Loop>, daemon: &Arc<Daemon>, timeout: Duration) {
        let token = event_loop.token();
        let idle = Arc::new(IdleEnd {
            event_loop: Arc::clone(event_loop),
            daemon: Arc::clone(daemon),
            token,
            timeout,
            idle_since: Mutex::new(Instant::now()),
        });
        event_loop.add_timer_source(token, idle);
        event_loop.set_timer(token, Instant::now() + timeout);
    }
}

impl Source for IdleEnd {
    fn ready(self: Arc<Self>, _: EventFlags) {}

    fn timer(self: Arc<Self>) {
        let now = Instant::now();
        let mut idle_since = self.idle_since.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if self.daemon.clients.load(Ordering::Acquire) > 0 {
            *idle_since = now;
        }
        let due = *idle_since + self.timeout;
        if now >= due {
            tracing::info!("nobody has needed the daemon for {} seconds", self.timeout.as_secs());
            self.event_loop.stop();
        } else {
            self.event_loop.set_timer(self.token, due);
        }
    }
}
