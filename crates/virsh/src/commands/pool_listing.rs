//! Storage pools told of: one at length, many in a table.

use super::events;
use super::pools::chosen;
use crate::arguments::Arguments;
use crate::failure::{Context, Done, Failure};
use crate::report::pretty_capacity;
use crate::shell::Shell;
use api::Uuid;
use rpc::remote::*;

const STATES: &[&str] = &["inactive", "building", "running", "degraded", "inaccessible"];

fn info_of(shell: &Shell, pool: &NonnullStoragePool) -> api::Result<StoragePoolGetInfoRet> {
    shell.call(Procedure::StoragePoolGetInfo, &StoragePoolGetInfoArgs { pool: pool.clone() })
}

fn is_autostarted(shell: &Shell, pool: &NonnullStoragePool) -> String {
    let args = StoragePoolGetAutostartArgs { pool: pool.clone() };
    match shell.call(Procedure::StoragePoolGetAutostart, &args) {
        Ok(StoragePoolGetAutostartRet { autostart: 0 }) => "no".to_string(),
        Ok(_) => "yes".to_string(),
        Err(_) => "no autostart".to_string(),
    }
}

fn is_persistent(shell: &Shell, pool: &NonnullStoragePool) -> String {
    let args = StoragePoolIsPersistentArgs { pool: pool.clone() };
    match shell.call(Procedure::StoragePoolIsPersistent, &args) {
        Ok(StoragePoolIsPersistentRet { persistent: 0 }) => "no".to_string(),
        Ok(_) => "yes".to_string(),
        Err(_) => "unknown".to_string(),
    }
}

fn size(bytes: u64, exact: bool) -> String {
    if exact {
        return bytes.to_string();
    }
    let (value, unit) = pretty_capacity(bytes);
    format!("{value:.2} {unit}")
}

pub fn info(shell: &mut Shell, arguments: &Arguments) -> Done {
    let exact = arguments.has("bytes");
    let pool = chosen(shell, arguments)?;
    let mut pairs = vec![("Name:", pool.name.to_string_lossy()), ("UUID:", Uuid(pool.uuid).to_string())];
    let info = info_of(shell, &pool)?;
    pairs.push(("State:", events::index(STATES, info.state.into()).to_string()));
    pairs.push(("Persistent:", is_persistent(shell, &pool)));
    pairs.push(("Autostart:", is_autostarted(shell, &pool)));
    if matches!(info.state, 2 | 3) {
        pairs.push(("Capacity:", size(info.capacity, exact)));
        pairs.push(("Allocation:", size(info.allocation, exact)));
        pairs.push(("Available:", size(info.available, exact)));
    }
    shell.pairs(16, &pairs)
}

/// Types of storage pools, in the order of their bits, which begin at the sixth.
const TYPES: &[&str] = &[
    "dir",
    "fs",
    "netfs",
    "logical",
    "disk",
    "iscsi",
    "scsi",
    "mpath",
    "rbd",
    "sheepdog",
    "gluster",
    "zfs",
    "vstorage",
    "iscsi-direct",
];

pub fn list(shell: &mut Shell, arguments: &Arguments) -> Done {
    let mut flags = match (arguments.has("all"), arguments.has("inactive")) {
        (true, _) => 3,
        (false, true) => 1,
        (false, false) => 2,
    };
    flags |= arguments.bits(&[("persistent", 4), ("transient", 8), ("autostart", 16), ("no-autostart", 32)]);
    for name in arguments.text("type")?.into_iter().flat_map(|names| names.split(',')) {
        let at = TYPES.iter().position(|known| *known == name);
        flags |= 1 << (6 + at.ok_or_else(|| Failure::new(format!("Invalid pool type '{name}'")))?);
    }
    let args = ConnectListAllStoragePoolsArgs { need_results: 1, flags };
    let mut listed: ConnectListAllStoragePoolsRet =
        shell.call(Procedure::ConnectListAllStoragePools, &args).context("Failed to list pools")?;
    listed.pools.sort_by_key(|pool| pool.name.to_string_lossy());
    if (arguments.has("name") || arguments.has("uuid")) && !shell.json {
        let line = |pool: &NonnullStoragePool| match arguments.has("uuid") {
            true => format!("{}\n", Uuid(pool.uuid)),
            false => format!("{}\n", pool.name),
        };
        shell.print(&listed.pools.iter().map(line).collect::<String>());
        return Ok(());
    }
    let details = arguments.has("details");
    let mut rows = Vec::new();
    for pool in &listed.pools {
        let args = StoragePoolIsActiveArgs { pool: pool.clone() };
        let active = shell
            .call(Procedure::StoragePoolIsActive, &args)
            .is_ok_and(|StoragePoolIsActiveRet { active }| active != 0);
        let mut row = vec![pool.name.to_string_lossy()];
        if details {
            let info = info_of(shell, pool)?;
            row.push(events::index(STATES, info.state.into()).to_string());
            row.push(is_autostarted(shell, pool));
            row.push(is_persistent(shell, pool));
            let sizes = [info.capacity, info.allocation, info.available];
            row.extend(sizes.map(|bytes| if active { size(bytes, false) } else { "-".to_string() }));
        } else {
            row.push(if active { "active" } else { "inactive" }.to_string());
            row.push(is_autostarted(shell, pool));
        }
        rows.push(row);
    }
    match details {
        true => {
            shell.table(&["Name", "State", "Autostart", "Persistent", "Capacity", "Allocation", "Available"], &rows)
        }
        false => shell.table(&["Name", "State", "Autostart"], &rows),
    }
}
