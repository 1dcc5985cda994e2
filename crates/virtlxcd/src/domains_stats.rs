//! Calls that ask what domains have used and where they can be reached.

use crate::call::{Call, known_flags, no_flags};
use crate::convert::{answer_params, typed_param_to_wire};
use crate::domains::{domain, handle};
use api::{Code, Error, ErrorDomain, Result, TypedParam, TypedValue};
use lxc::{ListFilter, groups};
use rpc::lxc as wire;
use rpc::remote::*;
use rpc::server::Reply;

/// `VIR_TYPED_PARAM_STRING_OKAY`: every client in use can read strings.
const STRINGS_OKAY: u32 = 4;

pub fn cpu_stats(call: &Call, args: DomainGetCpuStatsArgs) -> Result<DomainGetCpuStatsRet> {
    /// `VIR_DOMAIN_CPU_STATS_MAX`: processors that one call may ask for.
    const MAX: u32 = 128;
    known_flags(args.flags, STRINGS_OKAY, "lxcDomainGetCPUStats", ErrorDomain::Lxc)?;
    let function = "virDomainGetCPUStats";
    let refused = |argument: &str, words: String| Err(Error::argument(ErrorDomain::Domain, function, argument, words));
    if args.start_cpu < -1 {
        return refused("start_cpu", format!("start_cpu in {function} must be zero or greater"));
    }
    if args.start_cpu == -1 && args.ncpus != 1 {
        return refused("start_cpu", format!("ncpus in {function} must be 1 where start_cpu is -1"));
    }
    if args.ncpus > MAX {
        return refused("ncpus", format!("ncpus in {function} must be at most {MAX}"));
    }
    let object = domain(call, &args.dom)?;
    let stats = call.daemon.domains()?.cpu_stats(&object, args.nparams, args.start_cpu, args.ncpus)?;
    Ok(DomainGetCpuStatsRet { params: stats.params.iter().map(typed_param_to_wire).collect(), nparams: stats.count })
}

pub fn memory_stats(call: &Call, args: DomainMemoryStatsArgs) -> Result<DomainMemoryStatsRet> {
    if args.max_stats == 0 {
        return Ok(DomainMemoryStatsRet { stats: Vec::new() });
    }
    no_flags(args.flags, "lxcDomainMemoryStats", ErrorDomain::Lxc)?;
    let stats = call.daemon.domains()?.memory_stats(&*domain(call, &args.dom)?)?;
    let stats = stats.into_iter().take(args.max_stats as usize).map(|(tag, val)| DomainMemoryStat { tag, val });
    Ok(DomainMemoryStatsRet { stats: stats.collect() })
}

pub fn interface_stats(call: &Call, args: DomainInterfaceStatsArgs) -> Result<DomainInterfaceStatsRet> {
    let name = args.device.to_string_lossy();
    let counters = call.daemon.domains()?.interface_stats(&*domain(call, &args.dom)?, &name)?;
    Ok(DomainInterfaceStatsRet {
        rx_bytes: counters.rx_bytes,
        rx_packets: counters.rx_packets,
        rx_errs: counters.rx_errors,
        rx_drop: counters.rx_dropped,
        tx_bytes: counters.tx_bytes,
        tx_packets: counters.tx_packets,
        tx_errs: counters.tx_errors,
        tx_drop: counters.tx_dropped,
    })
}

pub fn block_stats(call: &Call, args: DomainBlockStatsArgs) -> Result<DomainBlockStatsRet> {
    let used = call.daemon.domains()?.block_stats(&*domain(call, &args.dom)?, &args.path.to_string_lossy())?;
    Ok(DomainBlockStatsRet {
        rd_req: used.read_requests as i64,
        rd_bytes: used.read_bytes as i64,
        wr_req: used.write_requests as i64,
        wr_bytes: used.written_bytes as i64,
        errs: -1,
    })
}

pub fn block_stats_flags(call: &Call, args: DomainBlockStatsFlagsArgs) -> Result<DomainBlockStatsFlagsRet> {
    known_flags(args.flags, STRINGS_OKAY, "lxcDomainBlockStatsFlags", ErrorDomain::Lxc)?;
    let object = domain(call, &args.dom)?;
    // How many there are is told about a domain that does not run, too.
    if args.nparams == 0 {
        return Ok(DomainBlockStatsFlagsRet { params: Vec::new(), nparams: 4 });
    }
    let used = call.daemon.domains()?.block_stats(&object, &args.path.to_string_lossy())?;
    let all = [
        ("wr_bytes", used.written_bytes),
        ("wr_operations", used.write_requests),
        ("rd_bytes", used.read_bytes),
        ("rd_operations", used.read_requests),
    ];
    let all = all.map(|(name, value)| typed_param_to_wire(&TypedParam::new(name, TypedValue::LLong(value as i64))));
    let (params, nparams) = answer_params(args.nparams, all.into());
    Ok(DomainBlockStatsFlagsRet { params, nparams })
}

/// What libvirt's own driver has not: everything about many domains in one call.
pub fn all_stats(call: &Call, args: ConnectGetAllDomainStatsArgs) -> Result<ConnectGetAllDomainStatsRet> {
    /// Flags of `virConnectGetAllDomainStatsFlags` beside those of a list.
    const NOWAIT: u32 = 1 << 29;
    const BACKING: u32 = 1 << 30;
    const ENFORCE: u32 = 1 << 31;
    let function = "lxcConnectGetAllDomainStats";
    known_flags(args.flags, ListFilter::KNOWN | NOWAIT | BACKING | ENFORCE, function, ErrorDomain::Lxc)?;
    let unknown = args.stats & !groups::KNOWN;
    if unknown != 0 && args.flags & ENFORCE != 0 {
        let words = format!("Stats types bits 0x{unknown:x} are not supported by this daemon");
        return Err(Error::new(ErrorDomain::Lxc, Code::ArgumentUnsupported, words));
    }
    let domains = call.daemon.domains()?;
    let filter = ListFilter(args.flags & ListFilter::KNOWN);
    let objects = match args.doms.is_empty() {
        true => domains.list(filter),
        // Those that are gone meanwhile are left out.
        false => args.doms.iter().filter_map(|dom| domain(call, dom).ok()).filter(|one| one.is_in(filter)).collect(),
    };
    let wanted = if args.stats == 0 { groups::KNOWN } else { args.stats & groups::KNOWN };
    let record = |object: &lxc::DomainObject, params: Vec<TypedParam>| DomainStatsRecord {
        dom: handle(object),
        params: params.iter().map(typed_param_to_wire).collect(),
    };
    Ok(ConnectGetAllDomainStatsRet { ret_stats: domains.bulk_stats(&objects, wanted, record) })
}

pub fn addresses(call: &Call, args: DomainInterfaceAddressesArgs) -> Result<DomainInterfaceAddressesRet> {
    /// `VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT`
    const AGENT: u32 = 1;
    if args.source == AGENT {
        call.refuse_read_only("read only access prevents virDomainInterfaceAddresses")?;
    }
    no_flags(args.flags, "lxcDomainInterfaceAddresses", ErrorDomain::Lxc)?;
    let domains = call.daemon.domains()?;
    let found = match args.source {
        AGENT => domains.own_addresses(&*domain(call, &args.dom)?)?,
        source => domains.addresses(&*domain(call, &args.dom)?, source)?,
    };
    let ifaces = found.into_iter().map(|interface| DomainInterface {
        name: interface.name.into(),
        hwaddr: Some(interface.mac).filter(|mac| !mac.is_empty()).map(Into::into),
        addrs: interface
            .addresses
            .into_iter()
            .map(|(address, prefix)| DomainIpAddr {
                r#type: i32::from(address.is_ipv6()),
                addr: address.to_string().into(),
                prefix: u32::from(prefix),
            })
            .collect(),
    });
    Ok(DomainInterfaceAddressesRet { ifaces: ifaces.collect() })
}

pub fn hostname(call: &Call, args: DomainGetHostnameArgs) -> Result<DomainGetHostnameRet> {
    /// `VIR_DOMAIN_GET_HOSTNAME_LEASE` and `VIR_DOMAIN_GET_HOSTNAME_AGENT`
    const LEASE: u32 = 1;
    const AGENT: u32 = 2;
    known_flags(args.flags, LEASE | AGENT, "lxcDomainGetHostname", ErrorDomain::Lxc)?;
    let (domains, object) = (call.daemon.domains()?, domain(call, &args.dom)?);
    let hostname = match args.flags {
        AGENT => domains.own_hostname(&object)?,
        _ => domains.hostname(&object)?,
    };
    Ok(DomainGetHostnameRet { hostname: hostname.into() })
}

pub fn send_signal(call: &Call, args: DomainSendProcessSignalArgs) -> Result<()> {
    /// `VIR_DOMAIN_PROCESS_SIGNAL_LAST`
    const END: u32 = 65;
    let function = "virDomainSendProcessSignal";
    if args.pid_value == 0 {
        let words = format!("pid_value in {function} must not be zero");
        return Err(Error::argument(ErrorDomain::Domain, function, "pid_value", words));
    }
    no_flags(args.flags, "lxcDomainSendProcessSignal", ErrorDomain::Lxc)?;
    if args.signum >= END {
        let words = format!("signum value {} is out of range", args.signum);
        return Err(Error::new(ErrorDomain::Lxc, Code::InvalidArg, words));
    }
    call.daemon.domains()?.send_signal(&domain(call, &args.dom)?, args.pid_value, args.signum)
}

pub fn open_namespace(call: &Call, args: wire::DomainOpenNamespaceArgs) -> Result<Reply> {
    no_flags(args.flags, "lxcDomainLxcOpenNamespace", ErrorDomain::Lxc)?;
    let fds = call.daemon.domains()?.namespaces(&*domain(call, &args.dom)?)?;
    Ok(Reply { fds, ..call.reply::<()>(())? })
}
