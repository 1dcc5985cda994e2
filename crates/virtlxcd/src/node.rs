//! Calls about the machine.

use crate::call::{Call, known_flags, no_flags};
use crate::convert::{answer_params, typed_param_to_wire};
use api::{Code, Error, ErrorDomain, Result, TypedParam, TypedValue};
use rpc::remote::*;

/// `VIR_NODE_CPU_STATS_ALL_CPUS` and `VIR_NODE_MEMORY_STATS_ALL_CELLS`.
const ALL: i32 = -1;

pub fn info(call: &Call, _: ()) -> Result<NodeGetInfoRet> {
    let info = call.daemon.host.node_info()?;
    let mut model = [0; 32];
    // The last byte stays zero: clients read a C string.
    for (place, byte) in model.iter_mut().take(31).zip(info.model.bytes()) {
        *place = byte;
    }
    Ok(NodeGetInfoRet {
        model,
        memory: info.memory_kib,
        cpus: info.cpus,
        mhz: info.mhz,
        nodes: info.nodes,
        sockets: info.sockets,
        cores: info.cores,
        threads: info.threads,
    })
}

pub fn cpu_stats(call: &Call, args: NodeGetCpuStatsArgs) -> Result<NodeGetCpuStatsRet> {
    no_flags(args.flags, "virHostCPUGetStats", ErrorDomain::None)?;
    let cpu = match args.cpu_num {
        ALL => None,
        number => Some(u32::try_from(number).map_err(|_| invalid_cpu())?),
    };
    // How many there are is told of processors that are not there, too.
    if args.nparams == 0 {
        return Ok(NodeGetCpuStatsRet { params: Vec::new(), nparams: 4 });
    }
    let times = call.daemon.host.cpu_times(cpu)?.ok_or_else(invalid_cpu)?;
    let stats = [("kernel", times.kernel), ("user", times.user), ("idle", times.idle), ("iowait", times.iowait)];
    check_room(args.nparams, stats.len(), "virHostCPUGetStatsLinux")?;
    let stats = stats.map(|(field, value)| NodeGetCpuStats { field: field.into(), value });
    let (params, nparams) = answer_params(args.nparams, stats.into());
    Ok(NodeGetCpuStatsRet { params, nparams })
}

fn invalid_cpu() -> Error {
    let function = "virHostCPUGetStatsLinux";
    Error::argument(ErrorDomain::None, function, "cpuNum", format!("Invalid cpuNum in {function}"))
}

fn check_room(asked: i32, available: usize, function: &str) -> Result<()> {
    if asked == 0 || asked == available as i32 {
        return Ok(());
    }
    let words = format!("nparams in {function} must be equal to {available}");
    Err(Error::argument(ErrorDomain::None, function, "nparams", words))
}

pub fn memory_stats(call: &Call, args: NodeGetMemoryStatsArgs) -> Result<NodeGetMemoryStatsRet> {
    no_flags(args.flags, "virHostMemGetStats", ErrorDomain::None)?;
    let host = &call.daemon.host;
    let cell = match args.cell_num {
        ALL => None,
        number => Some(u32::try_from(number).ok().filter(|cell| host.cells().contains(cell)).ok_or_else(|| {
            let function = "virHostMemGetStats";
            let last = host.cells().last().copied().unwrap_or(0);
            let words = format!("cellNum in {function} must be less than or equal to {last}");
            Error::argument(ErrorDomain::None, function, "cellNum", words)
        })?),
    };
    let memory = host.memory(cell.and_then(|cell| host.numa_node(cell)))?;
    let mut stats = vec![("total", memory.total), ("free", memory.free)];
    if cell.is_none() {
        stats.extend([("buffers", memory.buffers), ("cached", memory.cached)]);
    }
    check_room(args.nparams, stats.len(), "virHostMemGetStatsLinux")?;
    let stats = stats.into_iter().map(|(field, value)| NodeGetMemoryStats { field: field.into(), value }).collect();
    let (params, nparams) = answer_params(args.nparams, stats);
    Ok(NodeGetMemoryStatsRet { params, nparams })
}

pub fn free_memory(call: &Call, _: ()) -> Result<NodeGetFreeMemoryRet> {
    Ok(NodeGetFreeMemoryRet { free_mem: call.daemon.host.memory(None)?.free * 1024 })
}

pub fn cells_free_memory(call: &Call, args: NodeGetCellsFreeMemoryArgs) -> Result<NodeGetCellsFreeMemoryRet> {
    let host = &call.daemon.host;
    let cells = cells_from(&host.cells(), args.start_cell, args.maxcells.max(0) as u32)?;
    let free = cells.iter().map(|cell| host.memory(host.numa_node(*cell)).map(|memory| memory.free * 1024));
    Ok(NodeGetCellsFreeMemoryRet { cells: free.collect::<Result<_>>()? })
}

fn cells_from(cells: &[u32], start: i32, count: u32) -> Result<Vec<u32>> {
    let last = cells.last().copied().unwrap_or(0);
    let start = u32::try_from(start)
        .ok()
        .filter(|start| *start <= last)
        .ok_or_else(|| Error::internal(ErrorDomain::None, format!("start cell {start} out of range (0-{last})")))?;
    Ok(cells.iter().copied().filter(|cell| *cell >= start).take(count as usize).collect())
}

/// Both calls about pages need to be told of which sizes.
fn some_sizes(sizes: &[u32], function: &str) -> Result<()> {
    let words = || format!("npages in {function} must not be zero");
    if sizes.is_empty() { Err(Error::argument(ErrorDomain::Domain, function, "npages", words())) } else { Ok(()) }
}

pub fn free_pages(call: &Call, args: NodeGetFreePagesArgs) -> Result<NodeGetFreePagesRet> {
    some_sizes(&args.pages, "virNodeGetFreePages")?;
    no_flags(args.flags, "lxcNodeGetFreePages", ErrorDomain::Lxc)?;
    if args.pages.len().saturating_mul(args.cell_count as usize) > 1024 {
        return Err(Error::internal(ErrorDomain::Rpc, "the result would be too large: more than 1024 counts"));
    }
    let host = &call.daemon.host;
    let mut counts = Vec::new();
    for cell in cells_or_all(&host.cells(), args.start_cell, args.cell_count)? {
        for size in &args.pages {
            counts.push(host.free_pages(cell, *size)?);
        }
    }
    Ok(NodeGetFreePagesRet { counts })
}

/// -1 as the first cell is the whole machine; the cells follow it.
fn cells_or_all(cells: &[u32], start: i32, count: u32) -> Result<Vec<Option<u32>>> {
    if start != ALL {
        return Ok(cells_from(cells, start, count)?.into_iter().map(Some).collect());
    }
    let following = cells.iter().copied().map(Some);
    Ok(std::iter::once(None).chain(following).take(count as usize).collect())
}

pub fn cpu_map(call: &Call, args: NodeGetCpuMapArgs) -> Result<NodeGetCpuMapRet> {
    no_flags(args.flags, "virHostCPUGetMap", ErrorDomain::None)?;
    let online = call.daemon.host.online_cpus()?;
    let present = call.daemon.host.present_cpus()?.last().map_or(1, |last| last + 1);
    let mut cpumap = vec![0u8; if args.need_map != 0 { present.div_ceil(8) as usize } else { 0 }];
    for cpu in &online {
        if let Some(byte) = cpumap.get_mut(*cpu as usize / 8) {
            *byte |= 1 << (cpu % 8);
        }
    }
    let count = if args.need_online != 0 { online.len() as u32 } else { 0 };
    Ok(NodeGetCpuMapRet { cpumap, online: count, ret: present as i32 })
}

/// What the kernel's same-page merging can be told and asked: name in /sys, name in libvirt, whether it is 32 bits wide.
const PAGE_SHARING: &[(&str, &str, bool)] = &[
    ("pages_to_scan", "shm_pages_to_scan", true),
    ("sleep_millisecs", "shm_sleep_millisecs", true),
    ("pages_shared", "shm_pages_shared", false),
    ("pages_sharing", "shm_pages_sharing", false),
    ("pages_unshared", "shm_pages_unshared", false),
    ("pages_volatile", "shm_pages_volatile", false),
    ("full_scans", "shm_full_scans", false),
    ("merge_across_nodes", "shm_merge_across_nodes", true),
];

/// `VIR_TYPED_PARAM_STRING_OKAY`: every client in use can read strings.
const STRINGS_OKAY: u32 = 4;

pub fn memory_parameters(call: &Call, args: NodeGetMemoryParametersArgs) -> Result<NodeGetMemoryParametersRet> {
    known_flags(args.flags, STRINGS_OKAY, "virHostMemGetParameters", ErrorDomain::None)?;
    let available = PAGE_SHARING.iter().filter_map(|(file, name, narrow)| {
        let value = call.daemon.host.page_sharing(file)?;
        let value = if *narrow { TypedValue::UInt(value as u32) } else { TypedValue::ULLong(value) };
        Some(typed_param_to_wire(&TypedParam::new(*name, value)))
    });
    let (params, nparams) = answer_params(args.nparams, available.collect());
    Ok(NodeGetMemoryParametersRet { params, nparams })
}

pub fn set_memory_parameters(call: &Call, args: NodeSetMemoryParametersArgs) -> Result<()> {
    if args.params.is_empty() {
        let function = "virNodeSetMemoryParameters";
        let words = format!("params in {function} must not be NULL");
        return Err(Error::argument(ErrorDomain::Domain, function, "params", words));
    }
    no_flags(args.flags, "virHostMemSetParameters", ErrorDomain::None)?;
    let mut writes = Vec::new();
    for param in args.params {
        let name = param.field.to_string_lossy();
        let settable = ["shm_pages_to_scan", "shm_sleep_millisecs", "shm_merge_across_nodes"].contains(&name.as_str());
        let file = PAGE_SHARING.iter().find(|(_, known, _)| settable && *known == name).map(|(file, _, _)| *file);
        let (Some(file), TypedParamValue::Uint(value)) = (file, param.value) else {
            let words = format!("parameter '{name}' not supported");
            return Err(Error::new(ErrorDomain::None, Code::ArgumentUnsupported, words));
        };
        writes.push((file, value));
    }
    writes.into_iter().try_for_each(|(file, value)| call.daemon.host.set_page_sharing(file, u64::from(value)))
}

pub fn security_model(call: &Call, _: ()) -> Result<NodeGetSecurityModelRet> {
    let model = call.daemon.domains()?.security_model();
    Ok(NodeGetSecurityModelRet { model: c_string(model), doi: c_string("0") })
}

/// With its NUL, as these fields travel.
pub fn c_string(text: &str) -> Vec<u8> {
    text.bytes().chain([0]).collect()
}

/// A container's host does not sleep at its client's will.
pub fn suspend(_: &Call, args: NodeSuspendForDurationArgs) -> Result<()> {
    no_flags(args.flags, "virNodeSuspend", ErrorDomain::None)?;
    let words = match args.target {
        0 => "Suspend-to-RAM",
        1 => "Suspend-to-Disk",
        2 => "Hybrid-Suspend",
        _ => return Err(Error::new(ErrorDomain::None, Code::InvalidArg, "Invalid suspend target")),
    };
    Err(Error::new(ErrorDomain::None, Code::ArgumentUnsupported, words))
}

pub fn alloc_pages(call: &Call, args: NodeAllocPagesArgs) -> Result<NodeAllocPagesRet> {
    /// `VIR_NODE_ALLOC_PAGES_SET`: the pool becomes so large, else so much larger.
    const SET: u32 = 1;
    some_sizes(&args.page_sizes, "virNodeAllocPages")?;
    known_flags(args.flags, SET, "lxcNodeAllocPages", ErrorDomain::Lxc)?;
    let host = &call.daemon.host;
    let mut changed = 0;
    for cell in cells_or_all(&host.cells(), args.start_cell, args.cell_count)? {
        for (size, count) in args.page_sizes.iter().zip(&args.page_counts) {
            host.allocate_pages(cell, *size, *count, args.flags & SET == 0)?;
            changed += 1;
        }
    }
    Ok(NodeAllocPagesRet { ret: changed })
}
