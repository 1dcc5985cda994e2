//! Definitions: made, changed, kept in files, undefined; and what is loaded from there.

use crate::driver::{Driver, autostart_link, definition_file, shown};
use crate::files;
use crate::list::Domains;
use crate::object::DomainObject;
use api::{Error, ErrorDomain, LifecycleEvent, Result};
use conf::domain::{Domain, FormatOptions, ParseOptions};
use std::sync::Arc;

/// Details of `VIR_DOMAIN_EVENT_DEFINED`.
const ADDED: i32 = 0;
const UPDATED: i32 = 1;
/// Detail of `VIR_DOMAIN_EVENT_UNDEFINED`.
const REMOVED: i32 = 0;

impl Driver {
    /// Defines a domain, or gives one that is known a new definition. `validate`: unknown things are refused.
    pub fn define(&self, xml: &[u8], validate: bool) -> Result<Arc<DomainObject>> {
        let definition = Arc::new(self.parse(xml, validate)?);
        definition.idmap.check()?;
        let object = self.place(&definition, true)?;
        let _job = object.begin("define")?;
        let mut state = object.lock();
        let known = state.persistent;
        let saved = self.save(&definition);
        if saved.is_err() && !known && state.live.is_none() {
            drop(state);
            self.forget(&object);
            return saved.map(|()| object);
        }
        saved?;
        state.definition = definition;
        state.persistent = true;
        let reference = object.reference_in(&state);
        drop(state);
        self.lifecycle(reference, LifecycleEvent::Defined, if known { UPDATED } else { ADDED });
        Ok(object)
    }

    /// Forgets a definition. A domain that runs goes on as a transient one.
    pub fn undefine(&self, object: &Arc<DomainObject>) -> Result<()> {
        let _job = object.begin("undefine")?;
        if !object.is_persistent() {
            return Err(Error::operation_invalid(ErrorDomain::Lxc, "Cannot undefine transient domain"));
        }
        files::remove(&autostart_link(&self.paths, &object.name))?;
        files::remove_durably(&self.file(object))?;
        let reference = object.reference();
        let active = {
            let mut state = object.lock();
            state.persistent = false;
            state.autostart = false;
            state.live.is_some()
        };
        if !active {
            self.forget(object);
        }
        self.lifecycle(reference, LifecycleEvent::Undefined, REMOVED);
        Ok(())
    }

    /// Reads a client's document. What it says in vain goes to the log.
    pub(crate) fn parse(&self, xml: &[u8], validate: bool) -> Result<Domain> {
        let how = ParseOptions { validate, ..ParseOptions::default() };
        let parsed = self.with_host(|host| Domain::parse(xml, how, host))?;
        for warning in &parsed.warnings {
            tracing::warn!("domain '{}': {warning}", parsed.domain.name);
        }
        Ok(parsed.domain)
    }

    /// The domain that this definition is for: the known one, or a new one that has its place now.
    /// `redefine`: one that is known may stay, whatever it does; else it must not run.
    pub(crate) fn place(&self, definition: &Arc<Domain>, redefine: bool) -> Result<Arc<DomainObject>> {
        let mut domains = self.domains();
        match known(&domains, definition)? {
            Some(object) if redefine || object.lock().live.is_none() => Ok(object),
            Some(object) => Err(Error::operation_invalid(
                ErrorDomain::Domain,
                format!("domain '{}' is already active", object.name),
            )),
            None => {
                let object = DomainObject::new(Arc::clone(definition), false);
                domains.insert(&object);
                Ok(object)
            }
        }
    }

    /// Writes a definition to its file.
    pub(crate) fn save(&self, definition: &Domain) -> Result<()> {
        let xml = definition.format(FormatOptions::Inactive);
        let content = conf::file::with_header(&files::edit_command(&definition.name, &definition.uuid), &xml);
        files::write_durably(&definition_file(&self.paths, &definition.name), &content)
    }

    pub(crate) fn load_definitions(&self) -> Result<()> {
        for (path, content) in files::read_documents(&self.paths.domains()) {
            let parsed = self.with_host(|host| Domain::parse(&content, ParseOptions::default(), host));
            let definition = match parsed {
                Ok(parsed) => Arc::new(parsed.domain),
                Err(error) => {
                    let name = path.file_stem().unwrap_or_default().to_string_lossy();
                    tracing::error!("Failed to load config for domain '{name}' from '{}': {error}", shown(&path));
                    continue;
                }
            };
            let object = match self.place(&definition, true) {
                Ok(object) => object,
                Err(error) => {
                    tracing::error!("the definition in '{}' is left out: {error}", shown(&path));
                    continue;
                }
            };
            let mut state = object.lock();
            state.autostart = autostart_link(&self.paths, &object.name).symlink_metadata().is_ok();
            state.definition = definition;
            state.persistent = true;
        }
        Ok(())
    }

    pub fn set_autostart(&self, object: &Arc<DomainObject>, on: bool) -> Result<()> {
        let _job = object.begin("autostart")?;
        let (persistent, before) = {
            let state = object.lock();
            (state.persistent, state.autostart)
        };
        if !persistent {
            return Err(Error::operation_invalid(ErrorDomain::Lxc, "Cannot set autostart for transient domain"));
        }
        if on == before {
            return Ok(());
        }
        let link = autostart_link(&self.paths, &object.name);
        match on {
            true => files::link(&self.file(object), &link)?,
            false => files::remove_durably(&link)?,
        }
        object.lock().autostart = on;
        Ok(())
    }
}

/// The domain with the definition's UUID and name; an error where only one of the two is its own.
fn known(domains: &Domains, definition: &Domain) -> Result<Option<Arc<DomainObject>>> {
    let uuid = &definition.uuid;
    if let Some(object) = domains.by_uuid(uuid) {
        if object.name == definition.name {
            return Ok(Some(Arc::clone(object)));
        }
        let words = format!("domain '{}' is already defined with uuid {uuid}", object.name);
        return Err(Error::operation_failed(ErrorDomain::Domain, words));
    }
    match domains.by_name(&definition.name) {
        Some(object) => {
            let words = format!("domain '{}' already exists with uuid {}", object.name, object.uuid);
            Err(Error::operation_failed(ErrorDomain::Domain, words))
        }
        None => Ok(None),
    }
}
