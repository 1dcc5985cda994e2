//! The host: what it is, what it has left, what its driver can do.

use super::listing::{characters, parameters};
use crate::arguments::Arguments;
use crate::document;
use crate::failure::{Context, Done, Failure};
use crate::help::VERSION;
use crate::report;
use crate::shell::Shell;
use crate::table::*;
use crate::typed;
use rpc::remote::*;
use serde_json::{Value, json};
use std::time::Duration;

const ALL: i32 = -1;

pub const COMMANDS: &[Command] = &[
    Command::new("capabilities", "what the host and its driver can do", &[], capabilities),
    Command::new(
        "freecell",
        "free memory, by NUMA cell",
        &[number("cellno", "of this cell"), flag("all", "of each cell")],
        freecell,
    ),
    Command::new(
        "freepages",
        "free memory pages, by NUMA cell",
        &[
            number("cellno", "of this cell"),
            text("pagesize", "of this size, in KiB or with a unit"),
            flag("all", "of each cell and size"),
        ],
        freepages,
    ),
    Command::new("hostname", "the host's name", &[], hostname),
    Command::new("maxvcpus", "how many processors a domain may have", &[text("type", "kind of domain")], maxvcpus),
    Command::new(
        "node-memory-tune",
        "show or change how the host merges equal memory",
        &[
            number("shm-pages-to-scan", "pages in one go"),
            number("shm-sleep-millisecs", "pause between two goes"),
            number("shm-merge-across-nodes", "0 keeps to each NUMA cell, 1 does not"),
        ],
        memory_tune,
    ),
    Command::new("nodecpumap", "which of the host's processors are on", &[flag("pretty", "as ranges")], cpu_map),
    Command::new(
        "nodecpustats",
        "what the host's processors have spent their time with",
        &[number("cpu", "this processor alone"), flag("percent", "over the next second, in per cent")],
        cpu_stats,
    ),
    Command::new("nodeinfo", "the host's processors and memory", &[], nodeinfo),
    Command::new("nodememstats", "the host's memory", &[number("cell", "of this NUMA cell")], memory_stats),
    Command::new("nodesevinfo", "the host's memory encryption", &[], sev_info),
    Command::new("sysinfo", "the host's SMBIOS tables", &[], sysinfo),
    Command::new("uri", "this connection's URI", &[], uri),
    Command::new("version", "versions of everything involved", &[flag("daemon", "and of the daemon")], version),
];

fn capabilities(shell: &mut Shell, _: &Arguments) -> Done {
    let args = ();
    let shown: ConnectGetCapabilitiesRet =
        shell.call(Procedure::ConnectGetCapabilities, &args).context("failed to get capabilities")?;
    shell.document(&shown.capabilities.to_string_lossy())
}

fn hostname(shell: &mut Shell, _: &Arguments) -> Done {
    let shown: ConnectGetHostnameRet =
        shell.call(Procedure::ConnectGetHostname, &()).context("failed to get hostname")?;
    shell.value("hostname", &shown.hostname.to_string_lossy())
}

fn uri(shell: &mut Shell, _: &Arguments) -> Done {
    shell.value("uri", &shell.uri.clone())
}

fn sysinfo(shell: &mut Shell, _: &Arguments) -> Done {
    let shown: ConnectGetSysinfoRet = shell
        .call(Procedure::ConnectGetSysinfo, &ConnectGetSysinfoArgs { flags: 0 })
        .context("failed to get sysinfo")?;
    shell.print(&shown.sysinfo.to_string_lossy());
    Ok(())
}

/// A version as one number, as libvirt has it.
fn dotted(number: u64) -> String {
    format!("{}.{}.{}", number / 1_000_000, number / 1000 % 1000, number % 1000)
}

fn version(shell: &mut Shell, arguments: &Arguments) -> Done {
    let kind: ConnectGetTypeRet =
        shell.call(Procedure::ConnectGetType, &()).context("failed to get hypervisor type")?;
    let kind = kind.r#type.to_string_lossy();
    let hypervisor: ConnectGetVersionRet =
        shell.call(Procedure::ConnectGetVersion, &()).context("failed to get the hypervisor version")?;
    let mut pairs = vec![
        ("Compiled against library: ", format!("libvirt {VERSION}")),
        ("Using library: ", format!("libvirt {VERSION}")),
        ("Using API: ", format!("{kind} {VERSION}")),
        ("Running hypervisor: ", format!("{kind} {}", dotted(hypervisor.hv_ver))),
    ];
    if hypervisor.hv_ver == 0 {
        shell.warn(&format!("Cannot extract running {kind} hypervisor version"));
        pairs.pop();
    }
    if arguments.has("daemon") {
        let daemon: ConnectGetLibVersionRet =
            shell.call(Procedure::ConnectGetLibVersion, &()).context("failed to get the daemon version")?;
        pairs.push(("Running against daemon: ", dotted(daemon.lib_ver)));
    }
    shell.pairs(0, &pairs)
}

fn nodeinfo(shell: &mut Shell, _: &Arguments) -> Done {
    let info: NodeGetInfoRet = shell.call(Procedure::NodeGetInfo, &()).context("failed to get node information")?;
    let pairs = [
        ("CPU model:", characters(&info.model)),
        ("CPU(s):", info.cpus.to_string()),
        ("CPU frequency:", format!("{} MHz", info.mhz)),
        ("CPU socket(s):", info.sockets.to_string()),
        ("Core(s) per socket:", info.cores.to_string()),
        ("Thread(s) per core:", info.threads.to_string()),
        ("NUMA cell(s):", info.nodes.to_string()),
        ("Memory size:", format!("{} KiB", info.memory)),
    ];
    shell.pairs(21, &pairs)
}

/// As the domain capabilities say, or, where a daemon has none, as it answers when asked for the number alone.
fn maxvcpus(shell: &mut Shell, arguments: &Arguments) -> Done {
    let kind = arguments.text("type")?;
    let args = ConnectGetDomainCapabilitiesArgs {
        emulatorbin: None,
        arch: None,
        machine: None,
        virttype: kind.map(Into::into),
        flags: 0,
    };
    let known: api::Result<ConnectGetDomainCapabilitiesRet> =
        shell.call(Procedure::ConnectGetDomainCapabilities, &args);
    if let Ok(known) = known {
        let xml = known.capabilities.to_string_lossy();
        let document = document::parse(&xml)?;
        if let Some(maximum) = document::child_attribute(document.root_element(), "vcpu", "max") {
            return shell.value("maximum", maximum);
        }
    }
    let args = ConnectGetMaxVcpusArgs { r#type: kind.map(Into::into) };
    let shown: ConnectGetMaxVcpusRet = shell.call(Procedure::ConnectGetMaxVcpus, &args)?;
    shell.value("maximum", &shown.max_vcpus.to_string())
}

/// The NUMA cells that the capabilities list, each with its number and its sizes of pages in KiB.
fn cells(shell: &Shell) -> Result<Vec<(i32, Vec<u32>)>, Failure> {
    let shown: ConnectGetCapabilitiesRet =
        shell.call(Procedure::ConnectGetCapabilities, &()).context("unable to get node capabilities")?;
    let xml = shown.capabilities.to_string_lossy();
    let document = document::parse(&xml)?;
    let cells = document::select(&document, "/capabilities/host/topology/cells/cell")?;
    Ok(cells
        .iter()
        .filter_map(|cell| match cell {
            document::Found::Node(cell) => {
                let sizes = cell.children().filter(|child| child.has_tag_name("pages"));
                let sizes = sizes.filter_map(|pages| pages.attribute("size")?.parse().ok()).collect();
                Some((cell.attribute("id")?.parse().ok()?, sizes))
            }
            document::Found::Attribute { .. } => None,
        })
        .collect())
}

fn free_in(shell: &Shell, cell: i32) -> api::Result<u64> {
    let args = NodeGetCellsFreeMemoryArgs { start_cell: cell, maxcells: 1 };
    shell
        .call(Procedure::NodeGetCellsFreeMemory, &args)
        .map(|NodeGetCellsFreeMemoryRet { cells }| cells.first().copied().unwrap_or(0) / 1024)
}

fn freecell(shell: &mut Shell, arguments: &Arguments) -> Done {
    arguments.exclusive("all", "cellno")?;
    if arguments.has("all") {
        let mut total = 0;
        let mut out = String::new();
        let mut values = Vec::new();
        for (cell, _) in cells(shell)? {
            let free =
                free_in(shell, cell).context(format!("failed to get free memory for NUMA node number: {cell}"))?;
            out += &format!("{cell:5}: {free:10} KiB\n");
            values.push(json!({ "cell": cell, "free_kib": free }));
            total += free;
        }
        out += &format!("{}\n{:>5}: {total:10} KiB\n", "-".repeat(20), "Total");
        match shell.json {
            true => shell.print_json(&values.into()),
            false => shell.print(&out),
        }
        return Ok(());
    }
    if let Some(cell) = arguments.number::<i32>("cellno")? {
        let free = free_in(shell, cell)?;
        return shell.pairs(0, &[(&format!("{cell}: "), format!("{free} KiB"))]);
    }
    let free: NodeGetFreeMemoryRet = shell.call(Procedure::NodeGetFreeMemory, &())?;
    shell.pairs(0, &[("Total: ", format!("{} KiB", free.free_mem / 1024))])
}

/// Size and count.
fn free_pages(shell: &Shell, cell: i32, sizes: &[u32]) -> api::Result<Vec<(u32, u64)>> {
    let args = NodeGetFreePagesArgs { pages: sizes.to_vec(), start_cell: cell, cell_count: 1, flags: 0 };
    let free: NodeGetFreePagesRet = shell.call(Procedure::NodeGetFreePages, &args)?;
    Ok(sizes.iter().copied().zip(free.counts).collect())
}

fn page_lines(pages: &[(u32, u64)]) -> String {
    pages.iter().map(|(size, count)| format!("{size}KiB: {count}\n")).collect()
}

fn page_values(cell: i32, pages: &[(u32, u64)]) -> Vec<Value> {
    pages.iter().map(|(size, count)| json!({ "cell": cell, "page_kib": size, "free": count })).collect()
}

fn freepages(shell: &mut Shell, arguments: &Arguments) -> Done {
    arguments.exclusive("all", "cellno")?;
    if arguments.has("all") {
        let mut out = String::new();
        let mut values = Vec::new();
        for (cell, mut sizes) in cells(shell)? {
            sizes.sort_unstable();
            let pages = free_pages(shell, cell, &sizes)?;
            out += &format!("Node {cell}:\n{}\n", page_lines(&pages));
            values.extend(page_values(cell, &pages));
        }
        match shell.json {
            true => shell.print_json(&values.into()),
            false => shell.print(&out),
        }
        return Ok(());
    }
    let cell = arguments.number::<i32>("cellno")?.ok_or_else(|| Failure::new("missing cellno argument"))?;
    if cell < ALL {
        return Err(Failure::new("cell number must be non-negative integer or -1"));
    }
    let size = arguments.size("pagesize", 1024)?.ok_or_else(|| Failure::new("missing pagesize argument"))?;
    let size = u32::try_from(size / 1024).map_err(|_| Failure::new("page size is too large"))?;
    let pages = free_pages(shell, cell, &[size])?;
    match shell.json {
        true => shell.print_json(&page_values(cell, &pages).into()),
        false => shell.print(&page_lines(&pages)),
    }
    Ok(())
}

fn memory_tune(shell: &mut Shell, arguments: &Arguments) -> Done {
    let mut params = Vec::new();
    for (option, field) in [
        ("shm-pages-to-scan", "shm_pages_to_scan"),
        ("shm-sleep-millisecs", "shm_sleep_millisecs"),
        ("shm-merge-across-nodes", "shm_merge_across_nodes"),
    ] {
        if let Some(value) = arguments.number(option)? {
            params.push(typed::param(field, TypedParamValue::Uint(value)));
        }
    }
    if !params.is_empty() {
        return shell
            .call(Procedure::NodeSetMemoryParameters, &NodeSetMemoryParametersArgs { params, flags: 0 })
            .context("Unable to change memory parameters");
    }
    let ask = |nparams| NodeGetMemoryParametersArgs { nparams, flags: typed::STRING_OKAY };
    let count: NodeGetMemoryParametersRet =
        shell.call(Procedure::NodeGetMemoryParameters, &ask(0)).context("Unable to get number of memory parameters")?;
    if count.nparams == 0 {
        return Ok(());
    }
    let shown: NodeGetMemoryParametersRet = shell
        .call(Procedure::NodeGetMemoryParameters, &ask(count.nparams))
        .context("Unable to get memory parameters")?;
    if !shell.json {
        shell.print("Shared memory:\n");
    }
    parameters(shell, &shown.params, |name, value| format!("\t{name:<15} {value}\n"));
    Ok(())
}

/// A bitmap of processors, one character each.
fn map_letters(map: &[u8], count: usize) -> String {
    (0..count).map(|at| if map.get(at / 8).is_some_and(|byte| byte >> (at % 8) & 1 != 0) { 'y' } else { '-' }).collect()
}

/// A bitmap of processors as `0-3,5`.
pub fn map_ranges(map: &[u8], count: usize) -> String {
    let on: Vec<usize> =
        (0..count).filter(|at| map.get(at / 8).is_some_and(|byte| byte >> (at % 8) & 1 != 0)).collect();
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for at in on {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == at => *last = at,
            _ => ranges.push((at, at)),
        }
    }
    let show =
        |(first, last): &(usize, usize)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    ranges.iter().map(show).collect::<Vec<_>>().join(",")
}

fn cpu_map(shell: &mut Shell, arguments: &Arguments) -> Done {
    let args = NodeGetCpuMapArgs { need_map: 1, need_online: 1, flags: 0 };
    let map: NodeGetCpuMapRet = shell.call(Procedure::NodeGetCpuMap, &args).context("Unable to get cpu map")?;
    let count = usize::try_from(map.ret).unwrap_or(0);
    let shown = match arguments.has("pretty") {
        true => map_ranges(&map.cpumap, count),
        false => map_letters(&map.cpumap, count),
    };
    shell.pairs(
        16,
        &[("CPUs present:", count.to_string()), ("CPUs online:", map.online.to_string()), ("CPU map:", shown)],
    )
}

type Times = Vec<(String, u64)>;

fn cpu_times(shell: &Shell, cpu_num: i32) -> Result<Times, Failure> {
    let ask = |nparams| NodeGetCpuStatsArgs { cpu_num, nparams, flags: 0 };
    let count: NodeGetCpuStatsRet =
        shell.call(Procedure::NodeGetCpuStats, &ask(0)).context("Unable to get number of cpu stats").or_else(
            // The original names the failed step differently for a processor that is not there.
            |failure| {
                if cpu_num == ALL {
                    Err(failure)
                } else {
                    shell.call(Procedure::NodeGetCpuStats, &ask(0)).context("Unable to get node cpu stats")
                }
            },
        )?;
    let stats: NodeGetCpuStatsRet =
        shell.call(Procedure::NodeGetCpuStats, &ask(count.nparams)).context("Unable to get node cpu stats")?;
    Ok(stats.params.into_iter().map(|stat| (stat.field.to_string_lossy(), stat.value)).collect())
}

fn time(times: &Times, name: &str) -> Option<u64> {
    // The wire calls the system's share the kernel's.
    let name = if name == "system" { "kernel" } else { name };
    times.iter().find(|(field, _)| field == name).map(|(_, value)| *value)
}

fn cpu_stats(shell: &mut Shell, arguments: &Arguments) -> Done {
    let cpu = arguments.number("cpu")?.unwrap_or(ALL);
    let before = cpu_times(shell, cpu)?;
    if !arguments.has("percent") {
        let shown = ["user", "system", "idle", "iowait", "intr"]
            .iter()
            .filter_map(|name| Some((format!("{name}:"), format!("{:>20}", time(&before, name)?))));
        let shown: Vec<(String, String)> = shown.collect();
        if shell.json {
            shell.print_json(&report::pairs_json(shown.iter().map(|(name, value)| (name.as_str(), value.trim()))));
            return Ok(());
        }
        let pairs: Vec<(&str, String)> = shown.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        return shell.pairs(16, &pairs);
    }
    if let Some(usage) = time(&before, "utilization") {
        return shell.pairs(16, &[("usage:", format!("{usage:5.1}%")), ("idle:", format!("{:5.1}%", 100 - usage))]);
    }
    std::thread::sleep(Duration::from_secs(1));
    let after = cpu_times(shell, cpu)?;
    let spent = |name| time(&after, name).unwrap_or(0).saturating_sub(time(&before, name).unwrap_or(0)) as f64;
    let (user, system, idle, iowait) = (spent("user"), spent("system"), spent("idle"), spent("iowait"));
    let total = (user + system + idle + iowait).max(1.0);
    let percent = |part: f64| format!("{:5.1}%", part / total * 100.0);
    shell.pairs(
        16,
        &[
            ("usage:", percent(user + system)),
            ("user:", percent(user)),
            ("system:", percent(system)),
            ("idle:", percent(idle)),
            ("iowait:", percent(iowait)),
        ],
    )
}

fn memory_stats(shell: &mut Shell, arguments: &Arguments) -> Done {
    let cell_num = arguments.number("cell")?.unwrap_or(ALL);
    let ask = |nparams| NodeGetMemoryStatsArgs { nparams, cell_num, flags: 0 };
    let count: NodeGetMemoryStatsRet =
        shell.call(Procedure::NodeGetMemoryStats, &ask(0)).context("Unable to get number of memory stats")?;
    let stats: NodeGetMemoryStatsRet =
        shell.call(Procedure::NodeGetMemoryStats, &ask(count.nparams)).context("Unable to get memory stats")?;
    if shell.json {
        let shown: Vec<(String, String)> =
            stats.params.iter().map(|stat| (stat.field.to_string_lossy(), format!("{} KiB", stat.value))).collect();
        shell.print_json(&report::pairs_json(shown.iter().map(|(name, value)| (name.as_str(), value.as_str()))));
        return Ok(());
    }
    let line = |stat: &NodeGetMemoryStats| format!("{:<7}: {:>20} KiB\n", stat.field.to_string_lossy(), stat.value);
    shell.print(&stats.params.iter().map(line).collect::<String>());
    Ok(())
}

fn sev_info(shell: &mut Shell, _: &Arguments) -> Done {
    let args = NodeGetSevInfoArgs { nparams: 0, flags: typed::STRING_OKAY };
    let shown: NodeGetSevInfoRet =
        shell.call(Procedure::NodeGetSevInfo, &args).context("Unable to get host SEV information")?;
    parameters(shell, &shown.params, |name, value| format!("{name:<18}: {value}\n"));
    Ok(())
}
