//! What a process that joins a running container is held by: the same as its init, by the same document.

use super::{Rlimit, capabilities, filter, init, limits};
use crate::failure::{Doing, Result};
use conf::domain::Domain;
use linux::capability::Set;
use linux::idmap::Range;
use linux::process;
use linux::seccomp::Filter;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

#[derive(Debug, PartialEq)]
pub struct Confinement {
    pub capabilities: Set,
    pub inheritable: Set,
    pub no_new_privileges: bool,
    /// The profile of AppArmor.
    pub profile: Option<String>,
    pub filter: Option<Filter>,
    pub rlimits: Vec<Rlimit>,
    pub is_32_bit: bool,
    /// `NAME=value`
    pub environment: Vec<String>,
}

/// Where programs are looked for unless the document or the caller says otherwise.
const SEARCH_PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

pub fn confinement(domain: &Domain) -> Result<Confinement> {
    let (capabilities, inheritable) = capabilities::of(&domain.features, !domain.idmap.uids.is_empty());
    let init = init::of(domain, 0);
    let says_path = domain.os.init_env.iter().any(|(name, _)| name == "PATH");
    let path = |variable: String| match !says_path && variable.starts_with("PATH=") {
        true => SEARCH_PATH.to_string(),
        false => variable,
    };
    Ok(Confinement {
        capabilities,
        inheritable,
        no_new_privileges: false,
        profile: super::profile(domain)?,
        filter: filter::of(domain),
        rlimits: limits::rlimits(domain)?,
        is_32_bit: init.is_32_bit,
        environment: init.environment.into_iter().map(path).collect(),
    })
}

impl Confinement {
    /// What init itself has given up since, or never had.
    pub fn narrow(&mut self, bounding: Set, no_new_privileges: bool) {
        self.capabilities = Set(self.capabilities.0 & bounding.0);
        self.inheritable = Set(self.inheritable.0 & bounding.0);
        self.no_new_privileges |= no_new_privileges;
    }
}

/// Sets the limits of this process.
pub fn set_rlimits(limits: &[Rlimit]) -> Result<()> {
    limits.iter().try_for_each(|limit| {
        let number = process::rlimit_named(&limit.name).unwrap_or(u32::MAX);
        process::set_rlimit(number, limit.soft, limit.hard).doing(|| format!("Unable to set rlimit '{}'", limit.name))
    })
}

/// The document's maps of user and of group ids.
pub fn id_maps(domain: &Domain) -> (Vec<Range>, Vec<Range>) {
    (super::ranges(&domain.idmap.uids), super::ranges(&domain.idmap.gids))
}

/// Where a program of that name may be: at its path, or in the folders of the environment's `PATH`.
pub fn candidates<'a>(program: &'a [u8], environment: &'a [Vec<u8>]) -> impl Iterator<Item = Vec<u8>> + 'a {
    let is_path = program.contains(&b'/');
    let folders = environment.iter().find_map(|variable| variable.strip_prefix(b"PATH=")).unwrap_or_default();
    let searched = folders.split(|byte| *byte == b':').filter(move |_| !is_path && !program.is_empty());
    let searched = searched.filter(|folder| Path::new(std::ffi::OsStr::from_bytes(folder)).is_absolute());
    is_path.then(|| program.to_vec()).into_iter().chain(searched.map(|folder| [folder, b"/", program].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::sample;

    #[test]
    fn nobody_gets_more_than_init_has() {
        let mut domain = sample::domain();
        domain.features.capability_policy = conf::domain::CapabilityPolicy::Default;
        let mut confinement = confinement(&domain).unwrap();
        let planned = crate::plan::plan(&domain, &crate::plan::Given::default()).unwrap();
        assert_eq!(
            (confinement.capabilities, confinement.inheritable, &confinement.filter),
            (planned.capabilities, planned.inheritable, &planned.filter)
        );
        confinement.narrow(Set::ALL.without("chown"), true);
        assert!(!confinement.capabilities.contains("chown") && !confinement.capabilities.contains("mknod"));
        assert!(confinement.no_new_privileges);
    }

    #[test]
    fn programs_are_looked_for_along_the_path() {
        let check = |program: &str, path: &str| {
            let environment = [b"A=b".to_vec(), format!("PATH={path}").into_bytes()];
            let found: Vec<String> = candidates(program.as_bytes(), &environment)
                .map(|candidate| String::from_utf8(candidate).unwrap())
                .collect();
            found.join(" ")
        };
        assert_eq!(check("ls", "/bin:/usr/bin"), "/bin/ls /usr/bin/ls");
        assert_eq!(check("./ls", "/bin"), "./ls");
        assert_eq!(check("/x/ls", "/bin"), "/x/ls");
        // A folder that is none, or that depends on where one is, is not searched.
        assert_eq!(check("ls", ":relative:/bin"), "/bin/ls");
        assert_eq!(check("", "/bin"), "");
    }
}
