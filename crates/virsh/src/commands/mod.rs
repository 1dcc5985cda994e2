//! The commands, a file for each subject, gathered into the groups that `help` shows.

mod agent;
mod blocks;
mod console;
mod control;
mod copy;
mod describe;
mod device_documents;
mod devices;
pub mod enter;
mod events;
mod exec;
mod filters;
mod guest;
mod host;
mod interfaces;
mod life;
mod listing;
mod network;
mod nodedevices;
mod pool_listing;
mod pools;
mod processors;
mod saving;
mod secrets;
mod session;
mod snapshots;
mod statistics;
mod tuning;
mod vcpus;
mod volumes;

use crate::table::{Command, Family, Group};

/// A group, and the files that its commands are in.
const fn family(keyword: &'static str, title: &'static str, commands: &'static [&'static [Command]]) -> Family {
    Family { group: Group { keyword, title }, commands }
}

pub const FAMILIES: &[Family] = &[
    family(
        "domain",
        "Domain Management",
        &[
            life::COMMANDS,
            describe::COMMANDS,
            console::COMMANDS,
            guest::COMMANDS,
            enter::COMMANDS,
            exec::COMMANDS,
            copy::COMMANDS,
            devices::COMMANDS,
            tuning::COMMANDS,
            statistics::DOMAIN_COMMANDS,
            vcpus::COMMANDS,
            blocks::COMMANDS,
            agent::COMMANDS,
            saving::COMMANDS,
            control::COMMANDS,
        ],
    ),
    family(
        "monitor",
        "Domain Monitoring",
        &[
            listing::COMMANDS,
            statistics::COMMANDS,
            devices::MONITOR_COMMANDS,
            blocks::MONITOR_COMMANDS,
            agent::MONITOR_COMMANDS,
            control::MONITOR_COMMANDS,
        ],
    ),
    family("events", "Domain Events", &[events::COMMANDS]),
    family("host", "Host and Hypervisor", &[host::COMMANDS, processors::COMMANDS]),
    family("checkpoint", "Checkpoint", &[snapshots::CHECKPOINT_COMMANDS]),
    family("interface", "Interface", &[interfaces::COMMANDS]),
    family("filter", "Network Filter", &[filters::COMMANDS]),
    family("network", "Networking", &[network::COMMANDS, events::NETWORK_COMMANDS]),
    family("nodedev", "Node Device", &[nodedevices::COMMANDS]),
    family("secret", "Secret", &[secrets::COMMANDS]),
    family("snapshot", "Snapshot", &[snapshots::COMMANDS]),
    family("backup", "Backup", &[snapshots::BACKUP_COMMANDS]),
    family("pool", "Storage Pool", &[pools::COMMANDS]),
    family("volume", "Storage Volume", &[volumes::COMMANDS]),
    family("virsh", "Virsh itself", &[session::COMMANDS]),
];
