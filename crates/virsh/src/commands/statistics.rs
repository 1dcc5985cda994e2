//! What a domain uses and has used: processors, memory, block devices, interfaces.

use super::listing::parameters;
use crate::arguments::Arguments;
use crate::document;
use crate::failure::{Context, Done, Failure};
use crate::lookup::{self, By};
use crate::report;
use crate::report::printable;
use crate::shell::Shell;
use crate::table::*;
use crate::typed::{self, STRING_OKAY};
use rpc::remote::*;
use serde_json::{Map, Value, json};

const XML_INACTIVE: u32 = 2;
const INTERFACE: Opt =
    need("interface", "the interface, by the host's device or its MAC address").of(Values::Interfaces);
const HUMAN: Opt = flag("human", "in words and units for people");

pub const DOMAIN_COMMANDS: &[Command] = &[
    Command::new(
        "cpu-stats",
        "processor time that a domain has used",
        &[
            DOMAIN,
            flag("total", "the total alone"),
            number("start", "from this processor on"),
            number("count", "of so many processors"),
        ],
        cpu_stats,
    ),
    Command::new(
        "domhostname",
        "a domain's own name for itself",
        &[domain(ACTIVE), text("source", "whom to ask: lease or agent").of(Values::OneOf(&["lease", "agent"]))],
        hostname,
    ),
];

pub const COMMANDS: &[Command] = &[
    Command::new(
        "domblkinfo",
        "sizes of a domain's disk",
        &[DOMAIN, text("device", "the disk").of(Values::Interfaces), HUMAN, flag("all", "of every disk")],
        block_info,
    ),
    Command::new(
        "domblklist",
        "a domain's disks",
        &[DOMAIN, flag("inactive", "as it will be started next"), flag("details", "with their types")],
        block_list,
    ),
    Command::new(
        "domblkstat",
        "what has been read from and written to a domain's disk",
        &[DOMAIN, text("device", "the disk; all together without").may_be_empty(), HUMAN],
        block_stat,
    ),
    Command::new(
        "domifaddr",
        "addresses of a domain's interfaces",
        &[
            domain(ACTIVE),
            text("interface", "of this one alone"),
            flag("full", "repeat the interface's name on each line"),
            text("source", "whom to ask: lease, agent or arp").of(Values::OneOf(SOURCES)),
        ],
        interface_addresses,
    ),
    Command::new(
        "domiflist",
        "a domain's interfaces",
        &[DOMAIN, flag("inactive", "as it will be started next")],
        interface_list,
    ),
    Command::new(
        "domifstat",
        "what has come and gone over a domain's interface",
        &[domain(ACTIVE), INTERFACE],
        interface_stat,
    ),
    Command::new(
        "dommemstat",
        "memory that a domain uses",
        &[domain(ACTIVE), number("period", "have it measured every so many seconds"), CONFIG, LIVE, CURRENT],
        memory_stat,
    ),
    Command::new(
        "domstats",
        "figures of many domains at once",
        &[
            flag("state", "their states"),
            flag("cpu-total", "processor time"),
            flag("balloon", "memory"),
            flag("vcpu", "each processor"),
            flag("interface", "interfaces"),
            flag("block", "disks"),
            flag("perf", "performance counters"),
            flag("iothread", "threads for input and output"),
            flag("memory", "memory bandwidth"),
            flag("dirtyrate", "how fast memory changes"),
            flag("vm", "what the hypervisor alone knows"),
            flag("list-active", "of those that run"),
            flag("list-inactive", "of those that do not"),
            flag("list-persistent", "of those with a kept document"),
            flag("list-transient", "of those without"),
            flag("list-running", "of those in state running"),
            flag("list-paused", "of those that are paused"),
            flag("list-shutoff", "of those that are shut off"),
            flag("list-other", "of those in any other state"),
            flag("raw", "values as they come"),
            flag("enforce", "fail where a group is not supported"),
            flag("backing", "with what is behind each disk"),
            flag("nowait", "only what can be had at once"),
            words("domain", "these domains, by name, id or UUID").of(Values::Domains(0)),
        ],
        domain_stats,
    ),
];

fn cpu_stats(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let total_only = arguments.has("total");
    let by_cpu = !total_only;
    let start: Option<i32> = arguments.number("start")?;
    if start.is_some_and(|start| start < 0) {
        return Err(Failure::new("Invalid value for start CPU"));
    }
    let count: Option<i32> = arguments.number("count")?;
    if count.is_some_and(|count| count < 0) {
        return Err(Failure::new("Invalid value for number of CPUs to show"));
    }
    let show_total = total_only || (start.is_none() && count.is_none());
    let failed = format!("Failed to retrieve CPU statistics for domain '{}'", dom.name);
    let ask = |nparams: i32, start_cpu: i32, ncpus: i32| {
        let args = DomainGetCpuStatsArgs {
            dom: dom.clone(),
            nparams: u32::try_from(nparams).unwrap_or(0),
            start_cpu,
            ncpus: u32::try_from(ncpus).unwrap_or(0),
            flags: STRING_OKAY,
        };
        shell.call::<_, _, DomainGetCpuStatsRet>(Procedure::DomainGetCpuStats, &args).context(&failed)
    };
    let mut object = Map::new();
    let mut out = String::new();
    if by_cpu && (show_total || start.is_some() || count.is_some()) {
        let there = ask(0, 0, 0)?.nparams;
        let first = start.unwrap_or(0);
        if first >= there {
            let range = format!("Start CPU {first} is out of range (min: 0, max: {})", there - 1);
            return Err(Failure::new(range));
        }
        let each = ask(0, 0, 1)?.nparams;
        let last = first + count.unwrap_or(there).min(there - first);
        if each > 0 {
            // The protocol lets a call ask for no more processors than this.
            let mut at = first;
            while at < last {
                let some = (last - at).min(128);
                let got = ask(each, at, some)?;
                for (cpu, params) in got.params.chunks(usize::try_from(each).unwrap_or(1)).enumerate() {
                    let number = at + cpu as i32;
                    out += &format!("CPU{number}:\n");
                    out += &times(params);
                    object.insert(format!("cpu{number}"), params_json(params));
                }
                at += some;
            }
        }
    }
    if show_total {
        let each = ask(0, -1, 1)?.nparams;
        if each == 0 {
            out += "No total stats available\n";
        } else {
            let got = ask(each, -1, 1)?;
            out += "Total:\n";
            out += &times(&got.params);
            object.insert("total".into(), params_json(&got.params));
        }
    }
    match shell.json {
        true => shell.print_json(&Value::Object(object)),
        false => shell.print(&out),
    }
    Ok(())
}

fn params_json(params: &[TypedParam]) -> Value {
    Value::Object(params.iter().map(|param| (param.field.to_string_lossy(), typed::json(&param.value))).collect())
}

/// Nanoseconds as seconds, a line for each.
fn times(params: &[TypedParam]) -> String {
    let line = |param: &TypedParam| {
        let name = param.field.to_string_lossy();
        match typed::number(&param.value).filter(|_| name.ends_with("_time")) {
            Some(time) => format!("\t{name:<12} {:>9}.{:09} seconds\n", time / 1_000_000_000, time % 1_000_000_000),
            None => format!("\t{name:<12} {}\n", typed::show(&param.value)),
        }
    };
    params.iter().map(line).collect()
}

fn hostname(shell: &mut Shell, arguments: &Arguments) -> Done {
    let flags = match arguments.text("source")? {
        None => 0,
        Some("lease") => 1,
        Some("agent") => 2,
        Some(other) => return Err(Failure::new(format!("Unknown data source '{other}'"))),
    };
    let dom = lookup::domain(shell, arguments)?;
    let got: DomainGetHostnameRet = shell
        .call(Procedure::DomainGetHostname, &DomainGetHostnameArgs { dom, flags })
        .context("failed to get hostname")?;
    shell.value("hostname", &got.hostname.to_string_lossy())
}

/// Names of `virDomainMemoryStatTags`.
const MEMORY_TAGS: &[&str] = &[
    "swap_in",
    "swap_out",
    "major_fault",
    "minor_fault",
    "unused",
    "available",
    "actual",
    "rss",
    "usable",
    "last_update",
    "disk_caches",
    "hugetlb_pgalloc",
    "hugetlb_pgfail",
];

fn memory_stat(shell: &mut Shell, arguments: &Arguments) -> Done {
    let flags = arguments.impact()?.flags();
    let period: Option<i32> = arguments.number("period")?;
    if period.is_some_and(|period| period < 0) {
        return Err(Failure::new("Invalid collection period value"));
    }
    let dom = lookup::domain(shell, arguments)?;
    if let Some(period) = period {
        return shell
            .call(Procedure::DomainSetMemoryStatsPeriod, &DomainSetMemoryStatsPeriodArgs { dom, period, flags })
            .context("Unable to change balloon collection period.");
    }
    let failed = format!("Failed to get memory statistics for domain {}", dom.name);
    let args = DomainMemoryStatsArgs { dom, max_stats: MEMORY_TAGS.len() as u32, flags: 0 };
    let got: DomainMemoryStatsRet = shell.call(Procedure::DomainMemoryStats, &args).context(failed)?;
    let pairs: Vec<(&str, String)> = got
        .stats
        .iter()
        .filter_map(|stat| Some((*MEMORY_TAGS.get(usize::try_from(stat.tag).ok()?)?, stat.val.to_string())))
        .collect();
    prefixed(shell, "", &pairs)
}

/// `name value`, behind a prefix that says whose.
fn prefixed(shell: &Shell, prefix: &str, pairs: &[(&str, String)]) -> Done {
    if shell.json {
        return shell.pairs(0, pairs);
    }
    let lines: String = pairs.iter().map(|(name, value)| format!("{prefix}{name} {value}\n")).collect();
    shell.print(&lines);
    Ok(())
}

fn interface_stat(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let device = arguments.need("interface")?;
    let failed = format!("Failed to get interface stats {} {device}", arguments.need("domain")?);
    let args = DomainInterfaceStatsArgs { dom, device: device.into() };
    let got: DomainInterfaceStatsRet = shell.call(Procedure::DomainInterfaceStats, &args).context(failed)?;
    let all = [
        ("rx_bytes", got.rx_bytes),
        ("rx_packets", got.rx_packets),
        ("rx_errs", got.rx_errs),
        ("rx_drop", got.rx_drop),
        ("tx_bytes", got.tx_bytes),
        ("tx_packets", got.tx_packets),
        ("tx_errs", got.tx_errs),
        ("tx_drop", got.tx_drop),
    ];
    // What is not known is -1.
    let known: Vec<(&str, String)> =
        all.iter().filter(|(_, value)| *value >= 0).map(|(name, value)| (*name, value.to_string())).collect();
    prefixed(shell, &format!("{device} "), &known)
}

/// The wire's names of block statistics, as shown, and in words.
const BLOCK_FIELDS: &[(&str, &str, &str)] = &[
    ("rd_operations", "rd_req", "number of read operations:"),
    ("rd_bytes", "rd_bytes", "number of bytes read:"),
    ("wr_operations", "wr_req", "number of write operations:"),
    ("wr_bytes", "wr_bytes", "number of bytes written:"),
    ("errs", "errs", "error count:"),
    ("flush_operations", "flush_operations", "number of flush operations:"),
    ("rd_total_times", "rd_total_times", "total duration of reads (ns):"),
    ("wr_total_times", "wr_total_times", "total duration of writes (ns):"),
    ("flush_total_times", "flush_total_times", "total duration of flushes (ns):"),
];

fn block_stat(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let device = arguments.text("device")?.unwrap_or_default();
    let failed = format!("Failed to get block stats for domain '{}' device '{device}'", arguments.need("domain")?);
    let ask =
        |nparams| DomainBlockStatsFlagsArgs { dom: dom.clone(), path: device.into(), nparams, flags: STRING_OKAY };
    let count: DomainBlockStatsFlagsRet = shell.call(Procedure::DomainBlockStatsFlags, &ask(0)).context(&failed)?;
    let got: DomainBlockStatsFlagsRet =
        shell.call(Procedure::DomainBlockStatsFlags, &ask(count.nparams)).context(&failed)?;
    let values: Vec<(&str, &str, String)> = BLOCK_FIELDS
        .iter()
        .filter_map(|(wire, name, human)| Some((*name, *human, typed::show(typed::find(&got.params, wire)?))))
        .collect();
    if arguments.has("human") && !shell.json {
        let lines: String = values.iter().map(|(_, human, value)| format!(" {human:<31} {value}\n")).collect();
        shell.print(&format!("Device: {device}\n{lines}"));
        return Ok(());
    }
    let pairs: Vec<(&str, String)> = values.into_iter().map(|(name, _, value)| (name, value)).collect();
    prefixed(shell, &format!("{device} "), &pairs)
}

fn block_size(bytes: u64, human: bool) -> String {
    if human {
        let (value, unit) = report::pretty_capacity(bytes);
        format!("{value:.3} {unit}")
    } else {
        bytes.to_string()
    }
}

fn block_info(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let human = arguments.has("human");
    let ask = |path: &str| {
        let args = DomainGetBlockInfoArgs { dom: dom.clone(), path: path.into(), flags: 0 };
        shell.call::<_, _, DomainGetBlockInfoRet>(Procedure::DomainGetBlockInfo, &args)
    };
    if arguments.has("all") {
        let mut rows = Vec::new();
        for disk in disks(&lookup::domain_xml(shell, &dom, 0)?)? {
            let row = match ask(&disk.target) {
                Ok(info) => [info.capacity, info.allocation, info.physical].map(|size| block_size(size, human)),
                Err(_) => ["-".into(), "-".into(), "-".into()],
            };
            rows.push(std::iter::once(disk.target).chain(row).collect());
        }
        return shell.table(&["Target", "Capacity", "Allocation", "Physical"], &rows);
    }
    let device =
        arguments.text("device")?.ok_or_else(|| Failure::new("command 'domblkinfo' requires <device> option"))?;
    let info = ask(device)?;
    let pairs = [("Capacity:", info.capacity), ("Allocation:", info.allocation), ("Physical:", info.physical)];
    shell.pairs(16, &pairs.map(|(name, size)| (name, block_size(size, human))))
}

struct Disk {
    kind: String,
    device: String,
    target: String,
    source: String,
}

fn disks(xml: &str) -> Result<Vec<Disk>, Failure> {
    let document = document::parse(xml)?;
    let found = document::devices(&document, "disk").map(|disk| {
        let source = document::child(disk, "source");
        let attribute = ["file", "dev", "dir", "volume", "name"]
            .iter()
            .find_map(|name| source.and_then(|source| source.attribute(*name)));
        Disk {
            kind: disk.attribute("type").unwrap_or("-").to_string(),
            device: disk.attribute("device").unwrap_or("-").to_string(),
            target: document::child_attribute(disk, "target", "dev").unwrap_or("-").to_string(),
            source: attribute.unwrap_or("-").to_string(),
        }
    });
    Ok(found.collect())
}

fn block_list(shell: &mut Shell, arguments: &Arguments) -> Done {
    let flags = if arguments.has("inactive") { XML_INACTIVE } else { 0 };
    let dom = lookup::domain(shell, arguments)?;
    let disks = disks(&lookup::domain_xml(shell, &dom, flags)?)?;
    if arguments.has("details") || shell.json {
        let rows: Vec<Vec<String>> =
            disks.into_iter().map(|disk| vec![disk.kind, disk.device, disk.target, disk.source]).collect();
        return shell.table(&["Type", "Device", "Target", "Source"], &rows);
    }
    let rows: Vec<Vec<String>> = disks.into_iter().map(|disk| vec![disk.target, disk.source]).collect();
    shell.table(&["Target", "Source"], &rows)
}

fn interface_list(shell: &mut Shell, arguments: &Arguments) -> Done {
    let flags = if arguments.has("inactive") { XML_INACTIVE } else { 0 };
    let dom = lookup::domain(shell, arguments)?;
    let xml = lookup::domain_xml(shell, &dom, flags)?;
    let document = document::parse(&xml)?;
    let row = |interface| {
        let source = document::child(interface, "source");
        let source = ["network", "bridge", "dev", "name", "path"]
            .iter()
            .find_map(|name| source.and_then(|source| source.attribute(*name)));
        [
            document::child_attribute(interface, "target", "dev"),
            interface.attribute("type"),
            source,
            document::child_attribute(interface, "model", "type"),
            document::child_attribute(interface, "mac", "address"),
        ]
        .map(|cell| cell.unwrap_or("-").to_string())
        .to_vec()
    };
    let rows: Vec<Vec<String>> = document::devices(&document, "interface").map(row).collect();
    shell.table(&["Interface", "Type", "Source", "Model", "MAC"], &rows)
}

/// `virDomainInterfaceAddressesSource`.
const SOURCES: &[&str] = &["lease", "agent", "arp"];
const ADDRESS_IPV6: i32 = 1;

fn interface_addresses(shell: &mut Shell, arguments: &Arguments) -> Done {
    let source = match arguments.text("source")? {
        None => 0,
        Some(name) => SOURCES
            .iter()
            .position(|known| *known == name)
            .ok_or_else(|| Failure::new(format!("Unknown data source '{name}'")))?,
    };
    let wanted = arguments.text("interface")?.map(str::to_string);
    let dom = lookup::domain(shell, arguments)?;
    let args = DomainInterfaceAddressesArgs { dom, source: source as u32, flags: 0 };
    let got: DomainInterfaceAddressesRet =
        shell.call(Procedure::DomainInterfaceAddresses, &args).context("Failed to query for interfaces addresses")?;
    let mut rows: Vec<[String; 4]> = Vec::new();
    for interface in &got.ifaces {
        let name = interface.name.to_string_lossy();
        if wanted.as_ref().is_some_and(|wanted| *wanted != name) {
            continue;
        }
        let mac = interface.hwaddr.as_ref().map_or_else(|| "N/A".to_string(), |mac| mac.to_string_lossy());
        if interface.addrs.is_empty() {
            rows.push([name.clone(), mac.clone(), "N/A".into(), "N/A".into()]);
        }
        for (at, address) in interface.addrs.iter().enumerate() {
            let kind = if address.r#type == ADDRESS_IPV6 { "ipv6" } else { "ipv4" };
            let shown = format!("{}/{}", address.addr, address.prefix);
            let first = at == 0 || arguments.has("full") || shell.json;
            let (name, mac) = if first { (name.clone(), mac.clone()) } else { ("-".into(), "-".into()) };
            rows.push([name, mac, kind.into(), shown]);
        }
    }
    if shell.json {
        let rows: Vec<Vec<String>> = rows.into_iter().map(|row| row.to_vec()).collect();
        return shell.table(&["Name", "MAC address", "Protocol", "Address"], &rows);
    }
    shell.say(&format!(" {:<10} {:<20} {:<8}     Address\n{}\n", "Name", "MAC address", "Protocol", "-".repeat(79)));
    let lines =
        rows.iter().map(|[name, mac, kind, address]| format!(" {name:<10} {mac:<17}    {kind:<12} {address}\n"));
    shell.print(&lines.collect::<String>());
    Ok(())
}

const GROUPS: &[&str] =
    &["state", "cpu-total", "balloon", "vcpu", "interface", "block", "perf", "iothread", "memory", "dirtyrate", "vm"];
const STATS_FILTERS: &[(&str, u32)] = &[
    ("list-active", 1),
    ("list-inactive", 2),
    ("list-persistent", 4),
    ("list-transient", 8),
    ("list-running", 16),
    ("list-paused", 32),
    ("list-shutoff", 64),
    ("list-other", 128),
    ("nowait", 1 << 29),
    ("backing", 1 << 30),
    ("enforce", 1 << 31),
];

fn domain_stats(shell: &mut Shell, arguments: &Arguments) -> Done {
    let given = |name: &&str| arguments.has(name);
    let stats = GROUPS.iter().enumerate().filter(|(_, name)| given(name)).map(|(at, _)| 1 << at).sum();
    let flags = STATS_FILTERS.iter().filter(|(name, _)| given(name)).map(|(_, bit)| bit).sum();
    let mut doms = Vec::new();
    for name in arguments.words("domain") {
        doms.push(lookup::domain_named(shell, name, By::Anything)?);
    }
    let args = ConnectGetAllDomainStatsArgs { doms, stats, flags };
    let got: ConnectGetAllDomainStatsRet = shell.call(Procedure::ConnectGetAllDomainStats, &args)?;
    if shell.json {
        let record = |record: &DomainStatsRecord| json!({ "domain": record.dom.name.to_string_lossy(), "stats": params_json(&record.params) });
        shell.print_json(&Value::Array(got.ret_stats.iter().map(record).collect()));
        return Ok(());
    }
    for (at, record) in got.ret_stats.iter().enumerate() {
        if at > 0 {
            shell.print("\n");
        }
        shell.print(&format!("Domain: '{}'\n", printable(&record.dom.name.to_string_lossy())));
        parameters(shell, &record.params, |name, value| format!("  {name}={value}\n"));
    }
    Ok(())
}
