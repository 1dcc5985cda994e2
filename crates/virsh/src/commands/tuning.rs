//! Limits and shares of a domain: memory, block devices, processors.

use super::listing::parameters;
use crate::arguments::{self, Arguments};
use crate::failure::{Context, Done, Failure};
use crate::lookup;
use crate::shell::Shell;
use crate::table::*;
use crate::typed::{self, STRING_OKAY};
use rpc::remote::*;

/// libvirt's number for a memory limit that is none, in KiB.
const UNLIMITED: u64 = 9_007_199_254_740_991;
const MEMORY_MAXIMUM: u32 = 4;

pub const COMMANDS: &[Command] = &[
    Command::new(
        "blkiotune",
        "show or change a domain's shares of block devices",
        &[
            DOMAIN,
            number("weight", "its share of all devices"),
            text("device-weights", "shares of devices, as /dev/a,weight,/dev/b,weight"),
            text("device-read-iops-sec", "reads a second, as /dev/a,number"),
            text("device-write-iops-sec", "writes a second, as /dev/a,number"),
            text("device-read-bytes-sec", "bytes read a second, as /dev/a,number"),
            text("device-write-bytes-sec", "bytes written a second, as /dev/a,number"),
            CONFIG,
            LIVE,
            CURRENT,
        ],
        blkiotune,
    ),
    Command::new(
        "memtune",
        "show or change a domain's memory limits",
        &[
            DOMAIN,
            number("hard-limit", "memory at most, in KiB or with a unit; -1 for no limit"),
            number("soft-limit", "memory it is pushed back to when the host runs short"),
            number("swap-hard-limit", "memory and swap at most"),
            number("min-guarantee", "memory that it can count on"),
            CONFIG,
            LIVE,
            CURRENT,
        ],
        memtune,
    ),
    Command::new(
        "numatune",
        "show or change where a domain's memory comes from",
        &[
            DOMAIN,
            text("mode", "how strictly: strict, preferred, interleave, restrictive").of(Values::OneOf(NUMA_MODES)),
            text("nodeset", "from which NUMA cells"),
            CONFIG,
            LIVE,
            CURRENT,
        ],
        numatune,
    ),
    Command::new(
        "schedinfo",
        "show or change how a domain shares the processors",
        &[
            DOMAIN,
            number("weight", "the parameter weight").by_name(),
            number("cap", "the parameter cap").by_name(),
            CURRENT,
            CONFIG,
            LIVE,
            words("set", "parameter=value"),
        ],
        schedinfo,
    ),
    Command::new(
        "setmaxmem",
        "change how much memory a domain may have",
        &[DOMAIN, number("size", "the new maximum, in KiB or with a unit").required(), CONFIG, LIVE, CURRENT],
        setmaxmem,
    ),
    Command::new(
        "setmem",
        "change how much memory a domain has",
        &[DOMAIN, number("size", "the new size, in KiB or with a unit").required(), CONFIG, LIVE, CURRENT],
        setmem,
    ),
];

const NUMA_MODES: &[&str] = &["strict", "preferred", "interleave", "restrictive"];

/// A size option in KiB, rounded up.
fn kib(arguments: &Arguments, name: &str) -> Result<u64, Failure> {
    let bytes = arguments.size(name, 1024)?;
    bytes.map(|bytes| bytes.div_ceil(1024)).ok_or_else(|| Failure::new(format!("--{name} is required")))
}

fn setmem(shell: &mut Shell, arguments: &Arguments) -> Done {
    let impact = arguments.impact()?;
    let dom = lookup::domain(shell, arguments)?;
    let memory = kib(arguments, "size")?;
    // Without an option, the running one is meant.
    let flags = impact.explicit().unwrap_or(arguments::AFFECT_LIVE);
    Ok(shell.call::<_, _, ()>(Procedure::DomainSetMemoryFlags, &DomainSetMemoryFlagsArgs { dom, memory, flags })?)
}

fn setmaxmem(shell: &mut Shell, arguments: &Arguments) -> Done {
    let flags = arguments.impact()?.flags() | MEMORY_MAXIMUM;
    let dom = lookup::domain(shell, arguments)?;
    let memory = kib(arguments, "size")?;
    shell
        .call::<_, _, ()>(Procedure::DomainSetMemoryFlags, &DomainSetMemoryFlagsArgs { dom, memory, flags })
        .context("Unable to change MaxMemorySize")
}

fn memtune(shell: &mut Shell, arguments: &Arguments) -> Done {
    let flags = arguments.impact()?.flags();
    let dom = lookup::domain(shell, arguments)?;
    let mut params = Vec::new();
    for (option, field) in [
        ("hard-limit", "hard_limit"),
        ("soft-limit", "soft_limit"),
        ("swap-hard-limit", "swap_hard_limit"),
        ("min-guarantee", "min_guarantee"),
    ] {
        let Some(text) = arguments.text(option)? else { continue };
        let value = match text.trim_start() {
            "-1" => Some(UNLIMITED),
            text => arguments::scaled(text, 1024).map(|bytes| bytes.div_ceil(1024)),
        };
        let value = value.ok_or_else(|| Failure::new(format!("Unable to parse integer parameter {option}")))?;
        params.push(typed::ullong(field, value.min(UNLIMITED)));
    }
    if !params.is_empty() {
        return shell
            .call(Procedure::DomainSetMemoryParameters, &DomainSetMemoryParametersArgs { dom, params, flags })
            .context("Unable to change memory parameters");
    }
    let ask = |nparams| DomainGetMemoryParametersArgs { dom: dom.clone(), nparams, flags: flags | STRING_OKAY };
    let count: DomainGetMemoryParametersRet = shell
        .call(Procedure::DomainGetMemoryParameters, &ask(0))
        .context("Unable to get number of memory parameters")?;
    if count.nparams == 0 {
        return Ok(());
    }
    let got: DomainGetMemoryParametersRet = shell
        .call(Procedure::DomainGetMemoryParameters, &ask(count.nparams))
        .context("Unable to get memory parameters")?;
    let unlimited = UNLIMITED.to_string();
    parameters(shell, &got.params, |name, value| {
        format!("{name:<15}: {}\n", if value == unlimited { "unlimited" } else { value })
    });
    Ok(())
}

fn blkiotune(shell: &mut Shell, arguments: &Arguments) -> Done {
    let flags = arguments.impact()?.flags();
    let dom = lookup::domain(shell, arguments)?;
    let mut params = Vec::new();
    if let Some(weight) = arguments.number::<u32>("weight")? {
        if weight == 0 {
            return Err(Failure::new("Invalid value of 0 for I/O weight"));
        }
        params.push(typed::param("weight", TypedParamValue::Uint(weight)));
    }
    for (option, field) in [
        ("device-weights", "device_weight"),
        ("device-read-iops-sec", "device_read_iops_sec"),
        ("device-write-iops-sec", "device_write_iops_sec"),
        ("device-read-bytes-sec", "device_read_bytes_sec"),
        ("device-write-bytes-sec", "device_write_bytes_sec"),
    ] {
        if let Some(text) = arguments.text(option)? {
            params.push(typed::string(field, text));
        }
    }
    if !params.is_empty() {
        return shell
            .call(Procedure::DomainSetBlkioParameters, &DomainSetBlkioParametersArgs { dom, params, flags })
            .context("Unable to change blkio parameters");
    }
    let ask = |nparams| DomainGetBlkioParametersArgs { dom: dom.clone(), nparams, flags: flags | STRING_OKAY };
    let count: DomainGetBlkioParametersRet =
        shell.call(Procedure::DomainGetBlkioParameters, &ask(0)).context("Unable to get number of blkio parameters")?;
    if count.nparams == 0 {
        return Ok(());
    }
    let got: DomainGetBlkioParametersRet = shell
        .call(Procedure::DomainGetBlkioParameters, &ask(count.nparams))
        .context("Unable to get blkio parameters")?;
    parameters(shell, &got.params, |name, value| format!("{name:<15}: {value}\n"));
    Ok(())
}

fn numatune(shell: &mut Shell, arguments: &Arguments) -> Done {
    let flags = arguments.impact()?.flags();
    let dom = lookup::domain(shell, arguments)?;
    let mut params = Vec::new();
    if let Some(nodeset) = arguments.text("nodeset")? {
        params.push(typed::string("numa_nodeset", nodeset));
    }
    if let Some(mode) = arguments.text("mode")? {
        let at = NUMA_MODES.iter().position(|known| *known == mode).map(|at| at as i32);
        let at = at.or_else(|| mode.parse().ok()).ok_or_else(|| Failure::new(format!("Invalid mode: {mode}")))?;
        params.push(typed::param("numa_mode", TypedParamValue::Int(at)));
    }
    if !params.is_empty() {
        return shell
            .call(Procedure::DomainSetNumaParameters, &DomainSetNumaParametersArgs { dom, params, flags })
            .context("Unable to change numa parameters");
    }
    let ask = |nparams| DomainGetNumaParametersArgs { dom: dom.clone(), nparams, flags: flags | STRING_OKAY };
    let count: DomainGetNumaParametersRet =
        shell.call(Procedure::DomainGetNumaParameters, &ask(0)).context("Unable to get number of memory parameters")?;
    let got: DomainGetNumaParametersRet =
        shell.call(Procedure::DomainGetNumaParameters, &ask(count.nparams)).context("Unable to get numa parameters")?;
    parameters(shell, &got.params, |name, value| {
        let mode = value.parse::<usize>().ok().filter(|_| name == "numa_mode").and_then(|at| NUMA_MODES.get(at));
        format!("{name:<15}: {}\n", mode.copied().unwrap_or(value))
    });
    Ok(())
}

fn scheduler_parameters(
    shell: &Shell,
    dom: &NonnullDomain,
    nparams: i32,
    flags: Option<u32>,
) -> api::Result<Vec<TypedParam>> {
    let dom = dom.clone();
    match flags {
        None => shell
            .call(Procedure::DomainGetSchedulerParameters, &DomainGetSchedulerParametersArgs { dom, nparams })
            .map(|DomainGetSchedulerParametersRet { params }| params),
        Some(flags) => shell
            .call(
                Procedure::DomainGetSchedulerParametersFlags,
                &DomainGetSchedulerParametersFlagsArgs { dom, nparams, flags: flags | STRING_OKAY },
            )
            .map(|DomainGetSchedulerParametersFlagsRet { params }| params),
    }
}

fn schedinfo(shell: &mut Shell, arguments: &Arguments) -> Done {
    let explicit = arguments.impact()?.explicit();
    let both = explicit == Some(arguments::AFFECT_LIVE | arguments::AFFECT_CONFIG);
    // Of both, the running one is shown.
    let shown = if both { Some(arguments::AFFECT_LIVE) } else { explicit };
    let dom = lookup::domain(shell, arguments)?;
    let kind: DomainGetSchedulerTypeRet =
        shell.call(Procedure::DomainGetSchedulerType, &DomainGetSchedulerTypeArgs { dom: dom.clone() })?;
    if !shell.json {
        shell.print(&format!("{:<15}: {}\n", "Scheduler", kind.r#type));
    }
    if kind.nparams == 0 {
        return Ok(());
    }
    let mut wanted: Vec<(String, String)> = Vec::new();
    for option in ["weight", "cap"] {
        if let Some(value) = arguments.number::<u32>(option)? {
            wanted.push((option.to_string(), value.to_string()));
        }
    }
    for pair in arguments.words("set") {
        let (name, value) =
            pair.split_once('=').ok_or_else(|| Failure::new("Invalid syntax for --set, expecting name=value"))?;
        wanted.push((name.to_string(), value.to_string()));
    }
    if both && wanted.is_empty() {
        return Err(Failure::new("cannot query both live and config at once"));
    }
    let mut params = scheduler_parameters(shell, &dom, kind.nparams, shown)?;
    if !wanted.is_empty() {
        let mut changed = Vec::new();
        for (name, value) in wanted {
            let like =
                typed::find(&params, &name).ok_or_else(|| Failure::new(format!("invalid scheduler option: {name}")))?;
            let value = typed::parse_like(like, &value).ok_or_else(|| {
                let kind = typed::kind(like);
                Failure::new(format!("invalid argument: Invalid value for field '{name}': expected {kind}"))
            })?;
            changed.push(typed::param(&name, value));
        }
        match explicit {
            None => {
                let args = DomainSetSchedulerParametersArgs { dom: dom.clone(), params: changed };
                shell.call::<_, _, ()>(Procedure::DomainSetSchedulerParameters, &args)?;
            }
            Some(flags) => {
                let args = DomainSetSchedulerParametersFlagsArgs { dom: dom.clone(), params: changed, flags };
                shell.call::<_, _, ()>(Procedure::DomainSetSchedulerParametersFlags, &args)?;
            }
        }
        params = scheduler_parameters(shell, &dom, kind.nparams, shown)?;
    }
    parameters(shell, &params, |name, value| format!("{name:<15}: {value}\n"));
    Ok(())
}
