//! Calls about what domains may use and have used: memory, processor time, disks, interfaces.

use crate::call::Call;
use crate::convert::{answer_params, typed_param_from_wire, typed_param_to_wire};
use crate::domain::on;
use api::{ErrorDomain, Result, TypedParam};
use rpc::remote;
use rpc::remote::*;

fn to_wire(params: Vec<TypedParam>) -> Vec<remote::TypedParam> {
    params.iter().map(typed_param_to_wire).collect()
}

fn from_wire(params: Vec<remote::TypedParam>) -> Vec<TypedParam> {
    params.into_iter().map(typed_param_from_wire).collect()
}

// Memory.

pub fn max_memory(call: &Call, args: DomainGetMaxMemoryArgs) -> Result<DomainGetMaxMemoryRet> {
    Ok(DomainGetMaxMemoryRet { memory: on(&args.dom, |uuid| call.lxc().max_memory(uuid))? })
}

pub fn set_max_memory(call: &Call, args: DomainSetMaxMemoryArgs) -> Result<()> {
    on(&args.dom, |uuid| call.lxc().set_max_memory(uuid, args.memory))
}

pub fn set_memory(call: &Call, args: DomainSetMemoryArgs) -> Result<()> {
    /// `VIR_DOMAIN_AFFECT_LIVE`: what the call without flags means.
    const LIVE: u32 = 1;
    on(&args.dom, |uuid| call.lxc().set_memory(uuid, args.memory, LIVE))
}

pub fn set_memory_flags(call: &Call, args: DomainSetMemoryFlagsArgs) -> Result<()> {
    on(&args.dom, |uuid| call.lxc().set_memory(uuid, args.memory, args.flags))
}

pub fn memory_parameters(call: &Call, args: DomainGetMemoryParametersArgs) -> Result<DomainGetMemoryParametersRet> {
    let available = on(&args.dom, |uuid| call.lxc().memory_parameters(uuid, args.flags))?;
    let (params, nparams) = answer_params(args.nparams, to_wire(available));
    Ok(DomainGetMemoryParametersRet { params, nparams })
}

pub fn set_memory_parameters(call: &Call, args: DomainSetMemoryParametersArgs) -> Result<()> {
    let params = from_wire(args.params);
    on(&args.dom, |uuid| call.lxc().set_memory_parameters(uuid, &params, args.flags))
}

pub fn memory_stats(call: &Call, args: DomainMemoryStatsArgs) -> Result<DomainMemoryStatsRet> {
    let stats = on(&args.dom, |uuid| call.lxc().memory_stats(uuid, args.flags))?;
    let stats = stats.into_iter().take(args.max_stats as usize).map(|(tag, val)| DomainMemoryStat { tag, val });
    Ok(DomainMemoryStatsRet { stats: stats.collect() })
}

// Disks.

pub fn blkio_parameters(call: &Call, args: DomainGetBlkioParametersArgs) -> Result<DomainGetBlkioParametersRet> {
    let available = on(&args.dom, |uuid| call.lxc().blkio_parameters(uuid, args.flags))?;
    let (params, nparams) = answer_params(args.nparams, to_wire(available));
    Ok(DomainGetBlkioParametersRet { params, nparams })
}

pub fn set_blkio_parameters(call: &Call, args: DomainSetBlkioParametersArgs) -> Result<()> {
    let params = from_wire(args.params);
    on(&args.dom, |uuid| call.lxc().set_blkio_parameters(uuid, &params, args.flags))
}

pub fn block_stats(call: &Call, args: DomainBlockStatsArgs) -> Result<DomainBlockStatsRet> {
    let stats = on(&args.dom, |uuid| call.lxc().block_stats(uuid, &args.path.to_string_lossy()))?;
    let [rd_req, rd_bytes, wr_req, wr_bytes, errs] = stats;
    Ok(DomainBlockStatsRet { rd_req, rd_bytes, wr_req, wr_bytes, errs })
}

pub fn block_stats_flags(call: &Call, args: DomainBlockStatsFlagsArgs) -> Result<DomainBlockStatsFlagsRet> {
    let path = args.path.to_string_lossy();
    let available = on(&args.dom, |uuid| call.lxc().block_stats_flags(uuid, &path, args.flags))?;
    let (params, nparams) = answer_params(args.nparams, to_wire(available));
    Ok(DomainBlockStatsFlagsRet { params, nparams })
}

// Interfaces.

pub fn interface_stats(call: &Call, args: DomainInterfaceStatsArgs) -> Result<DomainInterfaceStatsRet> {
    let stats = on(&args.dom, |uuid| call.lxc().interface_stats(uuid, &args.device.to_string_lossy()))?;
    let [rx_bytes, rx_packets, rx_errs, rx_drop, tx_bytes, tx_packets, tx_errs, tx_drop] = stats;
    Ok(DomainInterfaceStatsRet { rx_bytes, rx_packets, rx_errs, rx_drop, tx_bytes, tx_packets, tx_errs, tx_drop })
}

// Processors.

pub fn scheduler_type(call: &Call, args: DomainGetSchedulerTypeArgs) -> Result<DomainGetSchedulerTypeRet> {
    let (kind, nparams) = on(&args.dom, |uuid| call.lxc().scheduler_type(uuid))?;
    Ok(DomainGetSchedulerTypeRet { r#type: kind.into(), nparams })
}

pub fn scheduler_parameters(
    call: &Call,
    args: DomainGetSchedulerParametersArgs,
) -> Result<DomainGetSchedulerParametersRet> {
    let available = on(&args.dom, |uuid| call.lxc().scheduler_parameters(uuid, 0))?;
    let room = args.nparams.max(0) as usize;
    Ok(DomainGetSchedulerParametersRet { params: to_wire(available).into_iter().take(room).collect() })
}

pub fn scheduler_parameters_flags(
    call: &Call,
    args: DomainGetSchedulerParametersFlagsArgs,
) -> Result<DomainGetSchedulerParametersFlagsRet> {
    let available = on(&args.dom, |uuid| call.lxc().scheduler_parameters(uuid, args.flags))?;
    let room = args.nparams.max(0) as usize;
    Ok(DomainGetSchedulerParametersFlagsRet { params: to_wire(available).into_iter().take(room).collect() })
}

pub fn set_scheduler_parameters(call: &Call, args: DomainSetSchedulerParametersArgs) -> Result<()> {
    let params = from_wire(args.params);
    on(&args.dom, |uuid| call.lxc().set_scheduler_parameters(uuid, &params, 0))
}

pub fn set_scheduler_parameters_flags(call: &Call, args: DomainSetSchedulerParametersFlagsArgs) -> Result<()> {
    let params = from_wire(args.params);
    on(&args.dom, |uuid| call.lxc().set_scheduler_parameters(uuid, &params, args.flags))
}

/// libvirt's question in three forms: how many processors (room for nothing), how many values for each (room for one
/// processor and no value), and the values themselves.
pub fn cpu_stats(call: &Call, args: DomainGetCpuStatsArgs) -> Result<DomainGetCpuStatsRet> {
    /// What the wire's list of values holds.
    const VALUES: usize = 2048;
    let cpus = on(&args.dom, |uuid| call.lxc().cpu_stats(uuid, args.start_cpu, args.ncpus, args.flags))?;
    if args.ncpus == 0 {
        return Ok(DomainGetCpuStatsRet { params: Vec::new(), nparams: cpus.len() as i32 });
    }
    let each = cpus.first().map_or(0, Vec::len);
    if args.nparams == 0 {
        return Ok(DomainGetCpuStatsRet { params: Vec::new(), nparams: each as i32 });
    }
    let room = each.min(args.nparams as usize);
    if room.saturating_mul(cpus.len()) > VALUES {
        return Err(api::Error::internal(ErrorDomain::Rpc, format!("the result would hold more than {VALUES} values")));
    }
    let params = cpus.into_iter().flat_map(|values| values.into_iter().take(room)).collect();
    Ok(DomainGetCpuStatsRet { params: to_wire(params), nparams: room as i32 })
}

/// Statistics of many domains in one answer; none named: all that `flags` choose.
pub fn all_stats(call: &Call, args: ConnectGetAllDomainStatsArgs) -> Result<ConnectGetAllDomainStatsRet> {
    let chosen: Vec<api::Uuid> = args.doms.iter().map(|dom| api::Uuid(dom.uuid)).collect();
    let records = call.lxc().all_stats(&chosen, args.stats, args.flags)?;
    let ret_stats = records
        .into_iter()
        .map(|(domain, params)| DomainStatsRecord { dom: crate::convert::domain(&domain), params: to_wire(params) })
        .collect();
    Ok(ConnectGetAllDomainStatsRet { ret_stats })
}
