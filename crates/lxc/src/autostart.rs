//! Starting, once after each boot, the domains that are marked for it.

use crate::driver::{Driver, shown};
use crate::object::DomainObject;
use crate::start::StartOptions;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;
use std::time::Duration;

impl Driver {
    /// Starts them in their order, one after the other, on a worker.
    pub(crate) fn autostart_all(self: &Arc<Self>) {
        let marked: Vec<Arc<DomainObject>> =
            self.all().into_iter().filter(|object| object.autostart() && !object.is_active()).collect();
        if !self.is_first_since_boot() || marked.is_empty() {
            return;
        }
        let driver = Arc::clone(self);
        self.later(move || driver.start_in_order(marked));
    }

    fn start_in_order(self: &Arc<Self>, mut marked: Vec<Arc<DomainObject>>) {
        let settings = |object: &DomainObject| object.lock().definition.extension.autostart;
        marked.sort_by_key(|object| settings(object).map_or(0, |autostart| autostart.order));
        for object in marked {
            if let Err(error) = self.start(&object, StartOptions::default()) {
                tracing::error!("Failed to autostart domain '{}': {error}", object.name);
            }
            let delay = settings(&object).map_or(0, |autostart| autostart.delay);
            if delay > 0 {
                std::thread::sleep(Duration::from_secs(u64::from(delay)));
            }
        }
    }

    /// The folder of state is empty after a boot; the marker is made by who comes first.
    fn is_first_since_boot(&self) -> bool {
        let marker = self.paths.domain_state().join("autostarted");
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&marker) {
            Ok(_) => true,
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => false,
            Err(e) => {
                tracing::error!("cannot create '{}': {e}", shown(&marker));
                false
            }
        }
    }
}
