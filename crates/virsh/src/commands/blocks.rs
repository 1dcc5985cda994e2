//! Disks under change: limits, jobs that move their content, sizes; and the limits of interfaces.

use super::listing::parameters;
use crate::arguments::{Arguments, scaled};
use crate::failure::{Context, Done, Failure};
use crate::lookup;
use crate::shell::Shell;
use crate::table::*;
use crate::typed::{self, STRING_OKAY};
use rpc::remote::*;

pub const COMMANDS: &[Command] = &[
    Command::new(
        "blkdeviotune",
        "show or change the limits of a disk",
        &[
            DOMAIN,
            text("device", "the device's name").required(),
            number("total-bytes-sec", "total bytes sec"),
            number("read-bytes-sec", "read bytes sec"),
            number("write-bytes-sec", "write bytes sec"),
            number("total-iops-sec", "total iops sec"),
            number("read-iops-sec", "read iops sec"),
            number("write-iops-sec", "write iops sec"),
            number("total-bytes-sec-max", "total bytes sec max"),
            number("read-bytes-sec-max", "read bytes sec max"),
            number("write-bytes-sec-max", "write bytes sec max"),
            number("total-iops-sec-max", "total iops sec max"),
            number("read-iops-sec-max", "read iops sec max"),
            number("write-iops-sec-max", "write iops sec max"),
            number("size-iops-sec", "size iops sec"),
            text("group-name", "group name"),
            number("total-bytes-sec-max-length", "total bytes sec max length"),
            number("read-bytes-sec-max-length", "read bytes sec max length"),
            number("write-bytes-sec-max-length", "write bytes sec max length"),
            number("total-iops-sec-max-length", "total iops sec max length"),
            number("read-iops-sec-max-length", "read iops sec max length"),
            number("write-iops-sec-max-length", "write iops sec max length"),
            CONFIG,
            LIVE,
            CURRENT,
        ],
        io_tune,
    ),
    Command::new(
        "blockcommit",
        "write changes of a disk down to what they are based on",
        &[
            DOMAIN,
            text("path", "the disk, by its target or path").required(),
            number("bandwidth", "MiB a second at most"),
            text("base", "down to here"),
            flag("shallow", "only the topmost layer"),
            text("top", "from here on"),
        ],
        commit,
    ),
    Command::new(
        "blockcopy",
        "copy a disk while it is in use",
        &[
            DOMAIN,
            text("path", "the disk, by its target or path").required(),
            text("dest", "dest"),
            flag("shallow", "only the topmost layer"),
            flag("reuse-external", "reuse external"),
            text("xml", "file with another document"),
        ],
        copy,
    ),
    Command::new(
        "blockjob",
        "look after what is being done with a disk",
        &[
            DOMAIN,
            text("path", "the disk, by its target or path").required(),
            flag("abort", "abort"),
            flag("async", "do not wait for the end"),
            flag("pivot", "pivot"),
            flag("info", "info"),
            flag("bytes", "sizes in bytes"),
            number("bandwidth", "MiB a second at most"),
        ],
        job,
    ),
    Command::new(
        "blockpull",
        "fetch what a disk is based on into the disk",
        &[
            DOMAIN,
            text("path", "the disk, by its target or path").required(),
            number("bandwidth", "MiB a second at most"),
            text("base", "down to here"),
        ],
        pull,
    ),
    Command::new(
        "blockresize",
        "change a disk's size",
        &[
            DOMAIN,
            text("path", "the disk, by its target or path").required(),
            number("size", "the new size, in KiB or with a unit").required(),
        ],
        resize,
    ),
    Command::new(
        "domblkthreshold",
        "have an event when a disk has grown so far",
        &[DOMAIN, text("dev", "the disk").required(), number("threshold", "so many bytes").required()],
        threshold,
    ),
    Command::new(
        "domiftune",
        "show or change the limits of an interface",
        &[
            DOMAIN,
            text("interface", "the interface's name or MAC address").required(),
            text("inbound", "limits to the domain, as average,peak,burst"),
            text("outbound", "limits from the domain, as average,peak,burst"),
            CONFIG,
            LIVE,
            CURRENT,
        ],
        interface_tune,
    ),
];

pub const MONITOR_COMMANDS: &[Command] =
    &[Command::new("domblkerror", "errors of a domain's disks", &[DOMAIN], errors)];

fn io_tune(shell: &mut Shell, arguments: &Arguments) -> Done {
    let flags = arguments.impact()?.flags();
    let dom = lookup::domain(shell, arguments)?;
    let disk = arguments.need("device")?;
    let mut params = Vec::new();
    for kind in ["bytes", "iops"] {
        for which in ["total", "read", "write"] {
            for end in ["sec", "sec-max", "sec-max-length"] {
                let option = format!("{which}-{kind}-{end}");
                if let Some(text) = arguments.text(&option)? {
                    let value =
                        scaled(text, 1).ok_or_else(|| Failure::new(format!("Unable to parse {option} parameter")))?;
                    params.push(typed::ullong(&option.replace('-', "_"), value));
                }
            }
        }
    }
    if let Some(size) = arguments.number("size-iops-sec")? {
        params.push(typed::ullong("size_iops_sec", size));
    }
    if let Some(group) = arguments.text("group-name")? {
        params.push(typed::string("group_name", group));
    }
    if !params.is_empty() {
        let args = DomainSetBlockIoTuneArgs { dom, disk: disk.into(), params, flags };
        return shell.act(Procedure::DomainSetBlockIoTune, &args).context("Unable to change block I/O throttle");
    }
    let ask = |nparams| DomainGetBlockIoTuneArgs {
        dom: dom.clone(),
        disk: Some(disk.into()),
        nparams,
        flags: flags | STRING_OKAY,
    };
    let count: DomainGetBlockIoTuneRet = shell
        .call(Procedure::DomainGetBlockIoTune, &ask(0))
        .context("Unable to get number of block I/O throttle parameters")?;
    let got: DomainGetBlockIoTuneRet = shell
        .call(Procedure::DomainGetBlockIoTune, &ask(count.nparams))
        .context("Unable to get block I/O throttle parameters")?;
    parameters(shell, &got.params, |name, value| format!("{name:<15}: {value}\n"));
    Ok(())
}

fn interface_tune(shell: &mut Shell, arguments: &Arguments) -> Done {
    let flags = arguments.impact()?.flags();
    let dom = lookup::domain(shell, arguments)?;
    let device = arguments.need("interface")?;
    let mut params = Vec::new();
    for direction in ["inbound", "outbound"] {
        let Some(rates) = arguments.text(direction)? else { continue };
        for (name, rate) in ["average", "peak", "burst", "floor"].iter().zip(rates.split(',')) {
            let rate = if rate.is_empty() { Some(0) } else { scaled(rate, 1024).map(|bytes| bytes / 1024) };
            let rate = rate
                .and_then(|rate| u32::try_from(rate).ok())
                .ok_or_else(|| Failure::new(format!("field '{name}' is malformed")))?;
            params.push(typed::param(&format!("{direction}.{name}"), TypedParamValue::Uint(rate)));
        }
    }
    if !params.is_empty() {
        let args = DomainSetInterfaceParametersArgs { dom, device: device.into(), params, flags };
        return shell.act(Procedure::DomainSetInterfaceParameters, &args).context("Unable to set interface parameters");
    }
    let ask = |nparams| DomainGetInterfaceParametersArgs {
        dom: dom.clone(),
        device: device.into(),
        nparams,
        flags: flags | STRING_OKAY,
    };
    let count: DomainGetInterfaceParametersRet = shell
        .call(Procedure::DomainGetInterfaceParameters, &ask(0))
        .context("Unable to get number of interface parameters")?;
    let got: DomainGetInterfaceParametersRet = shell
        .call(Procedure::DomainGetInterfaceParameters, &ask(count.nparams))
        .context("Unable to get interface parameters")?;
    parameters(shell, &got.params, |name, value| format!("{name:<15}: {value}\n"));
    Ok(())
}

fn commit(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let args = DomainBlockCommitArgs {
        dom,
        disk: arguments.need("path")?.into(),
        base: arguments.text("base")?.map(Into::into),
        top: arguments.text("top")?.map(Into::into),
        bandwidth: arguments.number("bandwidth")?.unwrap_or(0),
        flags: arguments.bits(&[("shallow", 1)]),
    };
    shell.act(Procedure::DomainBlockCommit, &args)?;
    shell.done("Block Commit started".to_string())
}

fn copy(shell: &mut Shell, arguments: &Arguments) -> Done {
    const COPY: u32 = 8;
    let dom = lookup::domain(shell, arguments)?;
    let path = arguments.need("path")?.into();
    match (arguments.text("dest")?, arguments.text("xml")?) {
        (Some(_), Some(_)) => return Err(Failure::new("Options --dest and --xml are mutually exclusive")),
        (None, None) => return Err(Failure::new("need either --dest or --xml")),
        (Some(dest), None) => {
            let flags = COPY | arguments.bits(&[("shallow", 1), ("reuse-external", 2)]);
            let args = DomainBlockRebaseArgs { dom, path, base: Some(dest.into()), bandwidth: 0, flags };
            shell.act(Procedure::DomainBlockRebase, &args)?;
        }
        (None, Some(file)) => {
            let destxml = lookup::file(file)?.into();
            let flags = arguments.bits(&[("shallow", 1), ("reuse-external", 2)]);
            let args = DomainBlockCopyArgs { dom, path, destxml, params: Vec::new(), flags };
            shell.act(Procedure::DomainBlockCopy, &args)?;
        }
    }
    shell.done("Block Copy started".to_string())
}

fn job(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let path: rpc::Str = arguments.need("path")?.into();
    if arguments.has("abort") || arguments.has("pivot") || arguments.has("async") {
        let flags = arguments.bits(&[("async", 1), ("pivot", 2)]);
        return Ok(shell.act(Procedure::DomainBlockJobAbort, &DomainBlockJobAbortArgs { dom, path, flags })?);
    }
    if let Some(bandwidth) = arguments.number("bandwidth")? {
        let flags = arguments.bits(&[("bytes", 1)]);
        let args = DomainBlockJobSetSpeedArgs { dom, path, bandwidth, flags };
        return Ok(shell.act(Procedure::DomainBlockJobSetSpeed, &args)?);
    }
    let args = DomainGetBlockJobInfoArgs { dom, path: path.clone(), flags: 1 };
    let info: DomainGetBlockJobInfoRet = shell.call(Procedure::DomainGetBlockJobInfo, &args)?;
    if info.found == 0 {
        return shell.done(format!("No current block job for {path}"));
    }
    let kinds = ["Unknown job", "Block Pull", "Block Copy", "Block Commit", "Active Block Commit", "Backup"];
    let kind = usize::try_from(info.r#type).ok().and_then(|at| kinds.get(at)).unwrap_or(&"Unknown job");
    let percent = if info.end == 0 { 0.0 } else { info.cur as f64 / info.end as f64 * 100.0 };
    shell.print(&format!("{kind}: [{percent:6.2} %]\n"));
    Ok(())
}

fn pull(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let path = arguments.need("path")?.into();
    let bandwidth = arguments.number("bandwidth")?.unwrap_or(0);
    match arguments.text("base")? {
        None => shell.act(Procedure::DomainBlockPull, &DomainBlockPullArgs { dom, path, bandwidth, flags: 0 })?,
        Some(base) => {
            let args = DomainBlockRebaseArgs { dom, path, base: Some(base.into()), bandwidth, flags: 0 };
            shell.act(Procedure::DomainBlockRebase, &args)?;
        }
    }
    shell.done("Block Pull started".to_string())
}

fn resize(shell: &mut Shell, arguments: &Arguments) -> Done {
    const BYTES: u32 = 1;
    let size = arguments.size("size", 1024)?.unwrap_or(0);
    // A whole number of KiB is told as such: older daemons know nothing else.
    let (size, flags) = if size % 1024 == 0 { (size / 1024, 0) } else { (size, BYTES) };
    let dom = lookup::domain(shell, arguments)?;
    let disk = arguments.need("path")?;
    shell
        .act(Procedure::DomainBlockResize, &DomainBlockResizeArgs { dom, disk: disk.into(), size, flags })
        .context(format!("Failed to resize block device '{disk}'"))?;
    shell.done(format!("Block device '{disk}' is resized"))
}

fn threshold(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let threshold = arguments.size("threshold", 1)?.unwrap_or(0);
    let args = DomainSetBlockThresholdArgs { dom, dev: arguments.need("dev")?.into(), threshold, flags: 0 };
    Ok(shell.act(Procedure::DomainSetBlockThreshold, &args)?)
}

fn errors(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let ask = |maxerrors| DomainGetDiskErrorsArgs { dom: dom.clone(), maxerrors, flags: 0 };
    let count: DomainGetDiskErrorsRet = shell.call(Procedure::DomainGetDiskErrors, &ask(0))?;
    let maxerrors = u32::try_from(count.nerrors).unwrap_or(0);
    let got: DomainGetDiskErrorsRet = match maxerrors {
        0 => count,
        _ => shell.call(Procedure::DomainGetDiskErrors, &ask(maxerrors))?,
    };
    if got.errors.is_empty() {
        return shell.done("No errors found".to_string());
    }
    let words = ["no error", "unspecified error", "no space"];
    let word = |error: i32| usize::try_from(error).ok().and_then(|at| words.get(at)).copied().unwrap_or("unknown");
    let lines = got.errors.iter().map(|error| format!("{}: {}\n", error.disk, word(error.error)));
    shell.print(&lines.collect::<String>());
    Ok(())
}
