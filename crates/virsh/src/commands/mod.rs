//! The commands, a file for each subject, gathered into the groups that `help` shows.

mod console;
mod describe;
mod events;
pub mod guest;
mod host;
mod life;
mod listing;
mod network;
mod session;

use crate::table::{Family, Group};

pub const FAMILIES: &[Family] = &[
    Family {
        group: Group { keyword: "domain", title: "Domain Management" },
        commands: &[life::COMMANDS, describe::COMMANDS, console::COMMANDS, guest::COMMANDS],
    },
    Family { group: Group { keyword: "monitor", title: "Domain Monitoring" }, commands: &[listing::COMMANDS] },
    Family { group: Group { keyword: "events", title: "Domain Events" }, commands: &[events::COMMANDS] },
    Family { group: Group { keyword: "host", title: "Host and Hypervisor" }, commands: &[host::COMMANDS] },
    Family {
        group: Group { keyword: "network", title: "Networking" },
        commands: &[network::COMMANDS, events::NETWORK_COMMANDS],
    },
    Family { group: Group { keyword: "virsh", title: "Virsh itself" }, commands: &[session::COMMANDS] },
];
