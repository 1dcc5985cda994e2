//! Namespaces that a container shares with something else: `<lxc:namespace>`, opened for the controller.

use crate::driver::Driver;
use crate::files::system;
use api::{Error, ErrorDomain, Result};
use conf::domain::{Domain, Share, ShareSource};
use std::fs::File;
use std::os::fd::OwnedFd;

/// A namespace for the controller, and the option that says so.
pub struct Shared {
    pub option: &'static str,
    pub namespace: OwnedFd,
}

pub fn open(driver: &Driver, definition: &Domain) -> Result<Vec<Shared>> {
    let shares = &definition.shares;
    [
        ("--share-net", "net", &shares.sharenet),
        ("--share-ipc", "ipc", &shares.shareipc),
        ("--share-uts", "uts", &shares.shareuts),
    ]
    .into_iter()
    .filter_map(|(option, kind, share)| Some((option, kind, share.as_ref()?)))
    .map(|(option, kind, share)| Ok(Shared { option, namespace: namespace(driver, kind, share)? }))
    .collect()
}

fn namespace(driver: &Driver, kind: &str, share: &Share) -> Result<OwnedFd> {
    let value = &share.value;
    let of_process = |pid: i32| driver.paths.proc.join(pid.to_string()).join("ns").join(kind);
    let (path, words) = match share.source {
        ShareSource::Name => {
            let other = driver.lookup_by_name(value)?;
            let init = other.lock().live.as_ref().and_then(|live| live.init.as_ref().map(|(pid, _)| *pid));
            let init =
                init.ok_or_else(|| Error::operation_invalid(ErrorDomain::Lxc, "Init pid is not yet available"))?;
            (of_process(init), format!("failed to open ns share{kind}"))
        }
        ShareSource::Pid => {
            let pid = value.parse().map_err(|_| Error::internal(ErrorDomain::Lxc, format!("Invalid PID {value}")))?;
            (of_process(pid), format!("failed to open ns share{kind}"))
        }
        ShareSource::Netns => {
            if kind != "net" {
                let words = "'netns' namespace source can only be used with sharenet";
                return Err(Error::config_unsupported(ErrorDomain::Lxc, words));
            }
            if value.contains('/') || value == ".." {
                return Err(Error::config_unsupported(ErrorDomain::Lxc, format!("invalid netns name '{value}'")));
            }
            (std::path::Path::new("/var/run/netns").join(value), format!("failed to open netns {value}"))
        }
    };
    File::open(&path).map(OwnedFd::from).map_err(|e| system(&e, words))
}
