//! Other formats of a container's configuration: `lxc-tools`, read and written (lxc.container.conf(5), keys of format 2
//! and 3), and `oci`, written (the OCI runtime specification).

mod configuration;
mod device;
mod limits;
mod oci;
mod read;
mod write;

use crate::domain::Domain;
use api::{Code, Error, ErrorDomain};

pub use oci::to_oci;
pub use read::from_lxc_tools;
pub use write::to_lxc_tools;

/// The names by which clients ask for a format.
pub const LXC_TOOLS: &str = "lxc-tools";
pub const OCI: &str = "oci";

/// A configuration in another format, and what has no place in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub text: String,
    /// One line each.
    pub warnings: Vec<String>,
}

/// A format that there is not.
pub fn unknown_format(format: &str) -> Error {
    Error::new(ErrorDomain::Lxc, Code::InvalidArg, format!("unsupported config type {format}"))
}

fn refused(message: impl Into<String>) -> Error {
    Error::internal(ErrorDomain::Lxc, message)
}

/// Capabilities that a container does without unless its document gives them.
const DROPPED_BY_DEFAULT: [&str; 5] = ["audit_control", "mac_admin", "mknod", "sys_module", "sys_time"];

/// What a domain leaves its container of capabilities, as the two lists that other formats know.
enum Capabilities {
    AllBut(Vec<&'static str>),
    Only(Vec<&'static str>),
}

fn capabilities(domain: &Domain) -> Capabilities {
    use crate::domain::CapabilityPolicy as Policy;
    let named = |state: bool| domain.features.capabilities.iter().filter(move |(_, on)| *on == state);
    match domain.features.capability_policy {
        Policy::Deny => Capabilities::Only(named(true).map(|(capability, _)| capability.word()).collect()),
        Policy::Allow => Capabilities::AllBut(named(false).map(|(capability, _)| capability.word()).collect()),
        Policy::Default => {
            let mut dropped: Vec<&str> = named(false).map(|(capability, _)| capability.word()).collect();
            let kept: Vec<&str> = named(true).map(|(capability, _)| capability.word()).collect();
            dropped.extend(DROPPED_BY_DEFAULT.into_iter().filter(|name| !kept.contains(name)));
            dropped.sort_unstable();
            dropped.dedup();
            Capabilities::AllBut(dropped)
        }
    }
}
