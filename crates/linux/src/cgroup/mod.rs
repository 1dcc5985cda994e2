//! Control groups, whatever hierarchies are mounted: version 1, version 2, or both (cgroups(7)).
//!
//! [`Hierarchies`] is what this machine has; [`Group`] is one container's group in all of them at once:
//!
//! * version 1: `PARTITION/NAME` in each hierarchy holds the controller and the container both;
//! * version 2: `PARTITION/NAME` has the limits and the device program, `PARTITION/NAME/container` the container, which may
//!   divide it further, and `PARTITION/NAME/emulator` the controller: a group that has processes can give nothing to
//!   groups below it. Beside version 1 the group of version 2 has no controllers, and still freezes and kills.
//!
//! The controller makes the group with its own process id in the name, and joins it ([`Group::start`]); the daemon finds it by
//! that id ([`Group::detect`]).

mod devices;
mod error;
mod file;
mod group;
mod hierarchies;
mod life;
mod limits;
mod name;
mod program;
mod scope;
mod stats;

pub use devices::{Access, DeviceKind, DeviceRule};
pub use error::{Error, Result};
pub use group::{Group, Place};
pub use hierarchies::{Controller, Controllers, Hierarchies, Hierarchy, Version};
pub use limits::{BlockDevice, Limits, UNLIMITED};
pub use name::{group_name, machine_name, partition_path, scope_name};
pub use scope::{Machine, systemd_runs};
pub use stats::{BlockUse, CpuTime, Memory};
