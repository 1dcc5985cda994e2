//! Processors of a domain: how many, where they run, and the threads beside them.

use super::host::map_ranges;
use crate::arguments::{AFFECT_CONFIG, AFFECT_LIVE, Arguments};
use crate::document;
use crate::failure::{Context, Done, Failure};
use crate::lookup;
use crate::shell::Shell;
use crate::table::*;
use crate::typed;
use api::Code;
use rpc::remote::*;

const XML_INACTIVE: u32 = 2;
const MAXIMUM: u32 = 4;
const GUEST: u32 = 8;
const HOTPLUGGABLE: u32 = 16;

pub const COMMANDS: &[Command] = &[
    Command::new(
        "vcpucount",
        "how many processors a domain has",
        &[
            DOMAIN,
            flag("maximum", "of the maximum"),
            flag("active", "active"),
            flag("live", "live"),
            flag("config", "config"),
            flag("current", "current"),
            flag("guest", "from inside the domain"),
        ],
        count,
    ),
    Command::new(
        "vcpuinfo",
        "a domain's processors, one by one",
        &[DOMAIN, flag("pretty", "in a form for people")],
        info,
    ),
    Command::new(
        "vcpupin",
        "show or change where a domain's processors run",
        &[
            DOMAIN,
            number("vcpu", "the number of the processor"),
            text("cpulist", "processors of the host, as 0-3,^2"),
            CONFIG,
            LIVE,
            CURRENT,
        ],
        pin,
    ),
    Command::new(
        "emulatorpin",
        "show or change where a domain's emulator runs",
        &[DOMAIN, text("cpulist", "processors of the host, as 0-3,^2"), CONFIG, LIVE, CURRENT],
        emulator_pin,
    ),
    Command::new(
        "setvcpus",
        "change how many processors a domain has",
        &[
            DOMAIN,
            number("count", "so many").required(),
            flag("maximum", "of the maximum"),
            CONFIG,
            LIVE,
            CURRENT,
            flag("guest", "from inside the domain"),
            flag("hotpluggable", "so that they can be taken away again"),
        ],
        set_count,
    ),
    Command::new(
        "setvcpu",
        "turn processors of a domain on or off",
        &[
            DOMAIN,
            text("vcpulist", "vcpulist").required(),
            flag("enable", "turn it on"),
            flag("disable", "turn it off"),
            CONFIG,
            LIVE,
            CURRENT,
        ],
        set_one,
    ),
    Command::new(
        "guestvcpus",
        "show or change processors from inside a domain",
        &[
            DOMAIN,
            text("cpulist", "processors of the host, as 0-3,^2"),
            flag("enable", "turn it on"),
            flag("disable", "turn it off"),
        ],
        guest,
    ),
    Command::new("iothreadinfo", "a domain's threads for input and output", &[DOMAIN, CONFIG, LIVE, CURRENT], threads),
    Command::new(
        "iothreadpin",
        "change where such a thread runs",
        &[
            DOMAIN,
            number("iothread", "the thread's number").required(),
            text("cpulist", "processors of the host, as 0-3,^2").required(),
            CONFIG,
            LIVE,
            CURRENT,
        ],
        pin_thread,
    ),
    Command::new(
        "iothreadadd",
        "add such a thread",
        &[DOMAIN, number("id", "the thread's number").required(), CONFIG, LIVE, CURRENT],
        add_thread,
    ),
    Command::new(
        "iothreadset",
        "change such a thread",
        &[
            DOMAIN,
            number("id", "the thread's number").required(),
            number("poll-max-ns", "poll max ns"),
            number("poll-grow", "poll grow"),
            number("poll-shrink", "poll shrink"),
            number("thread-pool-min", "thread pool min"),
            number("thread-pool-max", "thread pool max"),
            CONFIG,
            LIVE,
            CURRENT,
        ],
        set_thread,
    ),
    Command::new(
        "iothreaddel",
        "take such a thread away",
        &[DOMAIN, number("id", "the thread's number").required(), CONFIG, LIVE, CURRENT],
        delete_thread,
    ),
];

/// How many of the host's processors there are.
fn host_cpus(shell: &Shell) -> api::Result<usize> {
    let args = NodeGetCpuMapArgs { need_map: 0, need_online: 0, flags: 0 };
    let map: NodeGetCpuMapRet = shell.call(Procedure::NodeGetCpuMap, &args)?;
    Ok(usize::try_from(map.ret).unwrap_or(0))
}

/// `0-3,^2,5` or `r` for all as a bitmap.
fn bitmap(list: &str, count: usize) -> Result<Vec<u8>, Failure> {
    let invalid = || {
        Failure::several(vec![
            format!("Invalid cpulist '{list}'"),
            format!("invalid argument: Failed to parse bitmap '{list}'"),
        ])
    };
    let mut map = vec![0u8; count.div_ceil(8).max(1)];
    let mut set = |at: usize, on: bool| {
        if let Some(byte) = map.get_mut(at / 8) {
            if on { *byte |= 1 << (at % 8) } else { *byte &= !(1 << (at % 8)) }
        }
    };
    if list == "r" {
        (0..count).for_each(|at| set(at, true));
        return Ok(map);
    }
    for part in list.split(',') {
        let (part, on) = part.strip_prefix('^').map_or((part, true), |part| (part, false));
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let first: usize = first.trim().parse().map_err(|_| invalid())?;
        let last: usize = last.trim().parse().map_err(|_| invalid())?;
        if first > last || last > 65_535 {
            return Err(invalid());
        }
        (first..=last).for_each(|at| set(at, on));
    }
    Ok(map)
}

/// A count of processors, from a driver that does not keep several of them if need be. None: it has no such count now.
fn collect(shell: &Shell, dom: &NonnullDomain, flags: u32, check: bool) -> Result<Option<i32>, Failure> {
    if check {
        let persistent = |shell: &Shell| {
            shell
                .call(Procedure::DomainIsPersistent, &DomainIsPersistentArgs { dom: dom.clone() })
                .map(|DomainIsPersistentRet { persistent }| persistent != 0)
        };
        let there = (flags & AFFECT_LIVE == 0 || lookup::is_active(shell, dom)?)
            && (flags & AFFECT_CONFIG == 0 || persistent(shell)?);
        if !there {
            return Ok(None);
        }
    }
    match shell.call(Procedure::DomainGetVcpusFlags, &DomainGetVcpusFlagsArgs { dom: dom.clone(), flags }) {
        Ok(DomainGetVcpusFlagsRet { num }) => return Ok(Some(num)),
        Err(error) if !matches!(error.code, Code::NoSupport | Code::InvalidArg) => return Err(error.into()),
        Err(_) => {}
    }
    if flags & GUEST != 0 {
        return Err(Failure::new("Failed to retrieve vcpu count from the guest"));
    }
    let live = flags & AFFECT_LIVE != 0 || (flags & AFFECT_CONFIG == 0 && lookup::is_active(shell, dom)?);
    if !live {
        let xml = lookup::domain_xml(shell, dom, XML_INACTIVE)?;
        let document = document::parse(&xml)?;
        let vcpu = document::child(document.root_element(), "vcpu");
        let (text, what) = match flags & MAXIMUM {
            0 => (vcpu.and_then(|vcpu| vcpu.attribute("current")), "current"),
            _ => (vcpu.and_then(|vcpu| vcpu.text()), "maximum"),
        };
        let count = text.and_then(|text| text.trim().parse().ok());
        return count.map(Some).ok_or_else(|| Failure::new(format!("Failed to retrieve {what} vcpu count")));
    }
    if flags & MAXIMUM != 0 {
        let max: DomainGetMaxVcpusRet =
            shell.call(Procedure::DomainGetMaxVcpus, &DomainGetMaxVcpusArgs { dom: dom.clone() })?;
        return Ok(Some(max.num));
    }
    let info: DomainGetInfoRet = shell.call(Procedure::DomainGetInfo, &DomainGetInfoArgs { dom: dom.clone() })?;
    Ok(Some(info.nr_virt_cpu.into()))
}

fn count(shell: &mut Shell, arguments: &Arguments) -> Done {
    arguments.exclusive("live", "config")?;
    arguments.exclusive("maximum", "active")?;
    let all = !["maximum", "active", "live", "config", "current", "guest"].iter().any(|name| arguments.has(name));
    let dom = lookup::domain(shell, arguments)?;
    if !all {
        let mut flags = arguments.bits(&[("live", AFFECT_LIVE), ("config", AFFECT_CONFIG), ("maximum", MAXIMUM)]);
        if arguments.has("guest") {
            flags |= GUEST;
        }
        return match collect(shell, &dom, flags, false)? {
            Some(count) => shell.value("count", &count.to_string()),
            None => Err(Failure::silent()),
        };
    }
    let mut pairs = Vec::new();
    for (when, affected) in [("config", AFFECT_CONFIG), ("live", AFFECT_LIVE)] {
        for (name, maximum) in [("maximum", MAXIMUM), ("current", 0)] {
            if let Some(count) = collect(shell, &dom, maximum | affected, true)? {
                pairs.push((name, when, count));
            }
        }
    }
    pairs.sort_by_key(|(name, _, _)| *name != "maximum");
    if shell.json {
        let object = pairs.iter().map(|(name, when, count)| (format!("{name}_{when}"), (*count).into())).collect();
        shell.print_json(&serde_json::Value::Object(object));
        return Ok(());
    }
    let lines = pairs.iter().map(|(name, when, count)| format!("{name:<12} {when:<12} {count:3}\n"));
    shell.print(&lines.collect::<String>());
    Ok(())
}

fn show_map(map: &[u8], count: usize, pretty: bool) -> String {
    match pretty {
        true => format!("{} (out of {count})", map_ranges(map, count)),
        false => {
            let on = |at: usize| map.get(at / 8).is_some_and(|byte| byte >> (at % 8) & 1 != 0);
            (0..count).map(|at| if on(at) { 'y' } else { '-' }).collect()
        }
    }
}

fn info(shell: &mut Shell, arguments: &Arguments) -> Done {
    let pretty = arguments.has("pretty");
    let dom = lookup::domain(shell, arguments)?;
    let host = host_cpus(shell)?;
    let maplen = i32::try_from(host.div_ceil(8)).unwrap_or(1);
    let basics: DomainGetInfoRet = shell.call(Procedure::DomainGetInfo, &DomainGetInfoArgs { dom: dom.clone() })?;
    let maxinfo = i32::from(basics.nr_virt_cpu);
    if !lookup::is_active(shell, &dom)? {
        let args = DomainGetVcpuPinInfoArgs { dom, ncpumaps: maxinfo, maplen, flags: AFFECT_CONFIG };
        let got: DomainGetVcpuPinInfoRet = shell.call(Procedure::DomainGetVcpuPinInfo, &args)?;
        for (at, map) in got.cpumaps.chunks(usize::try_from(maplen).unwrap_or(1).max(1)).enumerate() {
            vcpu_block(shell, at, "N/A", "N/A", None, &show_map(map, host, pretty));
        }
        return Ok(());
    }
    let got: DomainGetVcpusRet = shell.call(Procedure::DomainGetVcpus, &DomainGetVcpusArgs { dom, maxinfo, maplen })?;
    let maps: Vec<&[u8]> = got.cpumaps.chunks(usize::try_from(maplen).unwrap_or(1).max(1)).collect();
    let states = ["offline", "running", "blocked"];
    for (at, vcpu) in got.info.iter().enumerate() {
        let state = usize::try_from(vcpu.state).ok().and_then(|state| states.get(state)).copied().unwrap_or("no state");
        let map = show_map(maps.get(at).copied().unwrap_or_default(), host, pretty);
        vcpu_block(shell, at, &vcpu.cpu.to_string(), state, Some(vcpu.cpu_time), &map);
    }
    Ok(())
}

fn vcpu_block(shell: &Shell, number: usize, cpu: &str, state: &str, time: Option<u64>, map: &str) {
    let before = if number > 0 { "\n" } else { "" };
    let time = time.map_or_else(|| "N/A".to_string(), |time| format!("{:.1}s", time as f64 / 1e9));
    shell.print(&format!(
        "{before}{:<15} {number}\n{:<15} {cpu}\n{:<15} {state}\n{:<15} {time}\n{:<15} {map}\n",
        "VCPU:", "CPU:", "State:", "CPU time:", "CPU Affinity:"
    ));
}

fn pin(shell: &mut Shell, arguments: &Arguments) -> Done {
    let impact = arguments.impact()?;
    let vcpu: Option<u32> = arguments.number("vcpu")?;
    let host = host_cpus(shell)?;
    let dom = lookup::domain(shell, arguments)?;
    let Some(list) = arguments.text("cpulist")? else {
        return show_pins(shell, dom, vcpu, impact.flags(), host);
    };
    let vcpu = vcpu.ok_or_else(|| Failure::new("vcpupin: Missing vCPU number in pin mode."))?;
    let cpumap = bitmap(list, host)?;
    match impact.explicit() {
        None => shell.act(Procedure::DomainPinVcpu, &DomainPinVcpuArgs { dom, vcpu, cpumap })?,
        Some(flags) => {
            shell.act(Procedure::DomainPinVcpuFlags, &DomainPinVcpuFlagsArgs { dom, vcpu, cpumap, flags })?
        }
    }
    Ok(())
}

fn show_pins(shell: &Shell, dom: NonnullDomain, vcpu: Option<u32>, flags: u32, host: usize) -> Done {
    let ncpumaps = match collect(shell, &dom, flags | MAXIMUM, true) {
        Ok(Some(count)) => count,
        Ok(None) => return Err(Failure::new("cannot get vcpupin for offline domain")),
        Err(failure) => return Err(failure).context("cannot get vcpupin for transient domain"),
    };
    let maplen = i32::try_from(host.div_ceil(8)).unwrap_or(1);
    let args = DomainGetVcpuPinInfoArgs { dom, ncpumaps, maplen, flags };
    // Of a driver that keeps no pins the original says nothing, as if there were none.
    let Ok::<DomainGetVcpuPinInfoRet, _>(got) = shell.call(Procedure::DomainGetVcpuPinInfo, &args) else {
        return Ok(());
    };
    let maps = got.cpumaps.chunks(usize::try_from(maplen).unwrap_or(1).max(1)).enumerate();
    let wanted = |at: usize| vcpu.is_none_or(|vcpu| vcpu as usize == at);
    let rows: Vec<Vec<String>> =
        maps.filter(|(at, _)| wanted(*at)).map(|(at, map)| vec![at.to_string(), map_ranges(map, host)]).collect();
    shell.table(&["VCPU", "CPU Affinity"], &rows)
}

fn emulator_pin(shell: &mut Shell, arguments: &Arguments) -> Done {
    let flags = arguments.impact()?.flags();
    let dom = lookup::domain(shell, arguments)?;
    let host = host_cpus(shell)?;
    if let Some(list) = arguments.text("cpulist")? {
        let cpumap = bitmap(list, host)?;
        return Ok(shell.act(Procedure::DomainPinEmulator, &DomainPinEmulatorArgs { dom, cpumap, flags })?);
    }
    let maplen = i32::try_from(host.div_ceil(8)).unwrap_or(1);
    let args = DomainGetEmulatorPinInfoArgs { dom, maplen, flags };
    let got: DomainGetEmulatorPinInfoRet = shell.call(Procedure::DomainGetEmulatorPinInfo, &args)?;
    if shell.json {
        return shell.value("affinity", &map_ranges(&got.cpumaps, host));
    }
    shell.say(&format!("{:>8}: {}\n{}\n", "emulator", "CPU Affinity", "-".repeat(34)));
    shell.print(&format!("{:>8}: {}\n", "*", map_ranges(&got.cpumaps, host)));
    Ok(())
}

fn set_count(shell: &mut Shell, arguments: &Arguments) -> Done {
    arguments.exclusive("guest", "config")?;
    let impact = arguments.impact()?;
    let mut flags = impact.flags();
    flags |= arguments.bits(&[("guest", GUEST), ("hotpluggable", HOTPLUGGABLE)]);
    if arguments.has("maximum") {
        flags |= MAXIMUM;
        if flags & (AFFECT_CONFIG | AFFECT_LIVE) == 0 {
            flags |= AFFECT_CONFIG;
        }
    }
    let dom = lookup::domain(shell, arguments)?;
    let nvcpus: u32 = arguments.need_number("count")?;
    if nvcpus == 0 {
        return Err(Failure::new("Can't set 0 processors for a VM"));
    }
    match flags == 0 && !impact.current {
        true => shell.act(Procedure::DomainSetVcpus, &DomainSetVcpusArgs { dom, nvcpus })?,
        false => shell.act(Procedure::DomainSetVcpusFlags, &DomainSetVcpusFlagsArgs { dom, nvcpus, flags })?,
    }
    Ok(())
}

/// 1 for `--enable`, 0 for `--disable`.
fn switch(arguments: &Arguments) -> Result<Option<i32>, Failure> {
    arguments.exclusive("enable", "disable")?;
    Ok(if arguments.has("enable") { Some(1) } else { arguments.has("disable").then_some(0) })
}

fn set_one(shell: &mut Shell, arguments: &Arguments) -> Done {
    let flags = arguments.impact()?.flags();
    let state = switch(arguments)?.ok_or_else(|| Failure::new("one of --enable, --disable is required"))?;
    let dom = lookup::domain(shell, arguments)?;
    let args = DomainSetVcpuArgs { dom, cpumap: arguments.need("vcpulist")?.into(), state, flags };
    Ok(shell.act(Procedure::DomainSetVcpu, &args)?)
}

fn guest(shell: &mut Shell, arguments: &Arguments) -> Done {
    let state = switch(arguments)?;
    let list = arguments.text("cpulist")?;
    if list.is_none() && state.is_some() {
        return Err(Failure::new("One of options --enable or --disable requires --cpulist"));
    }
    let dom = lookup::domain(shell, arguments)?;
    match (list, state) {
        (Some(list), Some(state)) => {
            let args = DomainSetGuestVcpusArgs { dom, cpumap: list.into(), state, flags: 0 };
            Ok(shell.act(Procedure::DomainSetGuestVcpus, &args)?)
        }
        (Some(_), None) => Err(Failure::new("One of options --enable or --disable is required by option --cpulist")),
        (None, _) => {
            let got: DomainGetGuestVcpusRet =
                shell.call(Procedure::DomainGetGuestVcpus, &DomainGetGuestVcpusArgs { dom, flags: 0 })?;
            super::listing::parameters(shell, &got.params, |name, value| format!("{name:<15}: {value}\n"));
            Ok(())
        }
    }
}

fn threads(shell: &mut Shell, arguments: &Arguments) -> Done {
    let flags = arguments.impact()?.flags();
    let dom = lookup::domain(shell, arguments)?;
    let host = host_cpus(shell)?;
    let got: DomainGetIothreadInfoRet = shell
        .call(Procedure::DomainGetIothreadInfo, &DomainGetIothreadInfoArgs { dom, flags })
        .context("Unable to get domain IOThreads information")?;
    if got.info.is_empty() {
        return shell.done("No IOThreads found for the domain".to_string());
    }
    let row = |thread: &DomainIothreadInfo| vec![thread.iothread_id.to_string(), map_ranges(&thread.cpumap, host)];
    let rows: Vec<Vec<String>> = got.info.iter().map(row).collect();
    shell.table(&["IOThread ID", "CPU Affinity"], &rows)
}

fn pin_thread(shell: &mut Shell, arguments: &Arguments) -> Done {
    let flags = arguments.impact()?.flags();
    let dom = lookup::domain(shell, arguments)?;
    let iothreads_id = arguments.need_number("iothread")?;
    let cpumap = bitmap(arguments.need("cpulist")?, host_cpus(shell)?)?;
    Ok(shell.act(Procedure::DomainPinIothread, &DomainPinIothreadArgs { dom, iothreads_id, cpumap, flags })?)
}

fn thread_id(arguments: &Arguments) -> Result<u32, Failure> {
    match arguments.need_number("id")? {
        0 => Err(Failure::new("Invalid IOThread id value: '0'")),
        id => Ok(id),
    }
}

fn add_thread(shell: &mut Shell, arguments: &Arguments) -> Done {
    let flags = arguments.impact()?.flags();
    let dom = lookup::domain(shell, arguments)?;
    let iothread_id = thread_id(arguments)?;
    Ok(shell.act(Procedure::DomainAddIothread, &DomainAddIothreadArgs { dom, iothread_id, flags })?)
}

fn delete_thread(shell: &mut Shell, arguments: &Arguments) -> Done {
    let flags = arguments.impact()?.flags();
    let dom = lookup::domain(shell, arguments)?;
    let iothread_id = thread_id(arguments)?;
    Ok(shell.act(Procedure::DomainDelIothread, &DomainDelIothreadArgs { dom, iothread_id, flags })?)
}

fn set_thread(shell: &mut Shell, arguments: &Arguments) -> Done {
    let flags = arguments.impact()?.flags();
    let dom = lookup::domain(shell, arguments)?;
    let iothread_id = thread_id(arguments)?;
    let mut params = Vec::new();
    if let Some(value) = arguments.number("poll-max-ns")? {
        params.push(typed::ullong("poll_max_ns", value));
    }
    for option in ["poll-grow", "poll-shrink"] {
        if let Some(value) = arguments.number(option)? {
            params.push(typed::param(&option.replace('-', "_"), TypedParamValue::Uint(value)));
        }
    }
    for option in ["thread-pool-min", "thread-pool-max"] {
        if let Some(value) = arguments.number(option)? {
            params.push(typed::param(&option.replace('-', "_"), TypedParamValue::Int(value)));
        }
    }
    if params.is_empty() {
        return Err(Failure::new("Not enough arguments passed, nothing to set"));
    }
    let args = DomainSetIothreadParamsArgs { dom, iothread_id, params, flags };
    Ok(shell.act(Procedure::DomainSetIothreadParams, &args)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_processors() {
        assert_eq!(bitmap("0-3,^2", 4).unwrap(), [0b1011]);
        assert_eq!(bitmap("r", 10).unwrap(), [0xff, 0b11]);
        assert_eq!(map_ranges(&[0b1011], 4), "0-1,3");
        assert!(bitmap("x", 4).is_err());
        assert!(bitmap("3-1", 4).is_err());
    }
}
