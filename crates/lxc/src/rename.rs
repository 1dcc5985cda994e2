//! A new name for a domain: files, autostart and definition follow it.

use crate::driver::{Driver, autostart_link, definition_file};
use crate::files;
use crate::object::DomainObject;
use api::{Code, Error, ErrorDomain, LifecycleEvent, Result};
use conf::domain::FormatOptions;
use std::sync::Arc;

/// Details of `VIR_DOMAIN_EVENT_UNDEFINED` and `VIR_DOMAIN_EVENT_DEFINED`.
const RENAMED_AWAY: i32 = 1;
const RENAMED: i32 = 2;

impl Driver {
    /// The domain must be persistent and not run.
    pub fn rename(&self, object: &Arc<DomainObject>, name: &str) -> Result<()> {
        let _job = object.begin("rename")?;
        let invalid = |words: &str| Err(Error::operation_invalid(ErrorDomain::Lxc, words));
        let (mut definition, autostart) = {
            let state = object.lock();
            if state.live.is_some() {
                return invalid("cannot rename active domain");
            }
            if !state.persistent {
                return invalid("cannot rename a transient domain");
            }
            ((*state.definition).clone(), state.autostart)
        };
        if name == object.name {
            let words = "Can't rename domain to itself";
            return Err(Error::new(ErrorDomain::Lxc, Code::InvalidArg, words));
        }
        definition.name = name.to_string();
        // A name that no document could have is no name.
        let xml = definition.format(FormatOptions::Inactive);
        let definition = Arc::new(self.parse(xml.as_bytes(), false)?);
        let renamed = DomainObject::new(Arc::clone(&definition), true);
        renamed.lock().autostart = autostart;
        {
            let mut domains = self.domains();
            if domains.by_name(name).is_some() {
                let words = format!("domain with name '{name}' already exists");
                return Err(Error::operation_invalid(ErrorDomain::Lxc, words));
            }
            // From here on the name is taken, before anything is written under it.
            self.save(&definition)?;
            domains.remove(object);
            domains.insert(&renamed);
        }
        object.lock().gone = true;
        files::remove(&autostart_link(&self.paths, &object.name))?;
        if autostart {
            files::link(&definition_file(&self.paths, name), &autostart_link(&self.paths, name))?;
        }
        files::remove_durably(&self.file(object))?;
        self.lifecycle(object.reference(), LifecycleEvent::Undefined, RENAMED_AWAY);
        self.lifecycle(renamed.reference(), LifecycleEvent::Defined, RENAMED);
        Ok(())
    }
}
