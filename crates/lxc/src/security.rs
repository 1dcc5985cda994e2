//! Labels of the machine's security module: which can be given to a container, and which one has.

use crate::driver::Driver;
use crate::object::DomainObject;
use api::{Error, ErrorDomain, Result};
use conf::domain::{Domain, SecLabel, SecLabelKind};
use linux::label;
use std::sync::{PoisonError, RwLockReadGuard};

const APPARMOR: &str = "apparmor";

/// What the administrator asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SecuritySettings {
    /// The only module that is used; none: what the machine has.
    pub driver: Option<String>,
    /// A container whose document asks for no label gets one.
    pub default_confined: bool,
    /// No container starts without.
    pub require_confined: bool,
}

impl Driver {
    /// Other settings from the next start of a container on.
    pub fn set_security(&self, settings: SecuritySettings) {
        *self.security.write().unwrap_or_else(PoisonError::into_inner) = settings;
    }

    fn security(&self) -> RwLockReadGuard<'_, SecuritySettings> {
        self.security.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The module that labels containers here, as capabilities and documents name it.
    pub fn security_model(&self) -> &'static str {
        let allowed = self.security().driver.as_deref().is_none_or(|driver| driver == APPARMOR);
        if allowed && label::has_apparmor(&self.paths.sys) { APPARMOR } else { "none" }
    }

    /// What the settings ask for and no document can lift.
    fn check_confinement(&self, live: &Domain) -> Result<()> {
        let wants =
            |label: &SecLabel| !label.model.is_empty() && label.model != "none" && label.kind != SecLabelKind::None;
        if live.seclabels.iter().any(wants) {
            return Ok(());
        }
        let (requires, gives) = {
            let settings = self.security();
            (settings.require_confined, settings.default_confined)
        };
        if requires {
            return Err(refused("Unconfined guests are not allowed on this host".into()));
        }
        if gives && live.seclabels.is_empty() && self.security_model() == APPARMOR {
            return Err(refused(
                "lxc.conf asks for security_default_confined, but profiles of AppArmor are not generated for \
                 containers: name a loaded one in <seclabel type='static' model='apparmor'>"
                    .into(),
            ));
        }
        Ok(())
    }

    /// Refuses what the machine cannot give; nothing is made yet.
    pub(crate) fn check_labels(&self, live: &Domain) -> Result<()> {
        self.check_confinement(live)?;
        let all = live.seclabels.iter().filter(|label| !label.model.is_empty() && label.model != "none");
        for wanted in all.filter(|label| label.kind != SecLabelKind::None) {
            if wanted.model != APPARMOR || self.security_model() != APPARMOR {
                return Err(refused(format!("Security driver model '{}' is not available", wanted.model)));
            }
            let profile = static_label(wanted).ok_or_else(|| {
                refused(
                    "profiles of AppArmor are not generated for containers: load one, and name it in <seclabel \
                     type='static' model='apparmor'>"
                        .into(),
                )
            })?;
            match label::has_apparmor_profile(&self.paths.sys, profile) {
                Ok(true) => {}
                Ok(false) => {
                    return Err(refused(format!("AppArmor profile '{profile}' is not loaded (apparmor_parser(8))")));
                }
                // Without securityfs the kernel says so at the start.
                Err(error) => tracing::debug!("the list of AppArmor profiles: {error}"),
            }
        }
        Ok(())
    }

    /// The label of the container's init and whether it is enforced.
    pub fn security_label(&self, object: &DomainObject) -> Result<Option<(String, bool)>> {
        let init = object.lock().live.as_ref().and_then(|live| live.init.as_ref().map(|(pid, _)| *pid));
        let Some(init) = init.filter(|_| self.security_model() == APPARMOR) else { return Ok(None) };
        match label::apparmor_profile(&self.paths.proc, init) {
            Ok(found) => Ok(Some(found.unwrap_or(("unconfined".into(), false)))),
            Err(error) => Err(crate::files::system(&error, "cannot read the label of the container's init".into())),
        }
    }
}

fn static_label(label: &SecLabel) -> Option<&str> {
    label.label.as_deref().filter(|_| label.kind == SecLabelKind::Static)
}

fn refused(words: String) -> Error {
    Error::config_unsupported(ErrorDomain::Security, words)
}
