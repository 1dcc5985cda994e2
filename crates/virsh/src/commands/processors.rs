//! Processors as models and documents, what domains can have here, and the host's pages and sleep.

use crate::arguments::Arguments;
use crate::document;
use crate::failure::{Context, Done, Failure};
use crate::lookup;
use crate::shell::Shell;
use crate::table::*;
use rpc::remote::*;

pub const COMMANDS: &[Command] = &[
    Command::new(
        "allocpages",
        "change how many large pages the host keeps",
        &[
            number("pagesize", "of this size, in KiB or with a unit").required(),
            number("pagecount", "so many pages").required(),
            number("cellno", "of this NUMA cell"),
            flag("add", "add to what there is"),
            flag("all", "all of them"),
        ],
        allocate,
    ),
    Command::new(
        "cpu-baseline",
        "the processor that several have in common",
        &[
            text("file", "the file").required().of(Values::Files),
            flag("features", "show the features in full"),
            flag("migratable", "leave out what cannot move"),
        ],
        baseline,
    ),
    Command::new(
        "cpu-compare",
        "hold a processor against the host's",
        &[
            text("file", "the file").required().of(Values::Files),
            flag("error", "fail where they do not match"),
            flag("validate", "hold the document against the schema"),
        ],
        compare,
    ),
    Command::new("cpu-models", "names of processors", &[text("arch", "the architecture").required()], models),
    Command::new(
        "domcapabilities",
        "what a domain can have here",
        &[
            text("virttype", "the kind of domain"),
            text("emulatorbin", "emulatorbin"),
            text("arch", "the architecture"),
            text("machine", "the kind of machine"),
        ],
        domain_capabilities,
    ),
    Command::new(
        "hypervisor-cpu-baseline",
        "the processor that several have in common under a hypervisor",
        &[
            text("file", "the file").of(Values::Files),
            text("virttype", "the kind of domain"),
            text("emulator", "the emulator's path"),
            text("arch", "the architecture"),
            text("machine", "the kind of machine"),
            flag("features", "show the features in full"),
            flag("migratable", "leave out what cannot move"),
        ],
        hypervisor_baseline,
    ),
    Command::new(
        "hypervisor-cpu-compare",
        "hold a processor against a hypervisor's",
        &[
            text("file", "the file").required().of(Values::Files),
            text("virttype", "the kind of domain"),
            text("emulator", "the emulator's path"),
            text("arch", "the architecture"),
            text("machine", "the kind of machine"),
            flag("error", "fail where they do not match"),
            flag("validate", "hold the document against the schema"),
        ],
        hypervisor_compare,
    ),
    Command::new(
        "nodesuspend",
        "put the host to sleep for a while",
        &[text("target", "what it becomes").required(), number("duration", "for so many seconds").required()],
        suspend,
    ),
];

/// The `<cpu>` elements in a file: bare ones, or those of domains and capabilities.
fn cpus(path: &str) -> Result<Vec<String>, Failure> {
    let nothing = || {
        Failure::new(format!(
            "File '{path}' does not contain any <cpu> element or valid domain XML, host capabilities XML, or domain \
             capabilities XML"
        ))
    };
    // A list of bare elements is no document: one is put around them.
    let text = lookup::file(path)?;
    let body = match text.trim_start().strip_prefix("<?").and_then(|rest| rest.split_once("?>")) {
        Some((_, rest)) => rest,
        None => text.as_str(),
    };
    let whole = format!("<container>{body}</container>");
    let parsed = document::parse(&whole).map_err(|_| nothing())?;
    let paths = "/container/cpu | /container/domain/cpu | /container/capabilities/host/cpu | \
                 /container/domainCapabilities/cpu/mode[@name='host-model'] | /container/container/cpu";
    let found = document::select(&parsed, paths)?;
    let elements: Vec<String> = found
        .iter()
        .filter_map(|found| match found {
            document::Found::Node(cpu) => Some(document::verbatim(*cpu)),
            document::Found::Attribute { .. } => None,
        })
        .collect();
    if elements.is_empty() { Err(nothing()) } else { Ok(elements) }
}

fn flags(arguments: &Arguments) -> u32 {
    arguments.bits(&[("features", 1), ("migratable", 2)])
}

fn baseline(shell: &mut Shell, arguments: &Arguments) -> Done {
    let xml_cpus = cpus(arguments.need("file")?)?.into_iter().map(Into::into).collect();
    let args = ConnectBaselineCpuArgs { xml_cpus, flags: flags(arguments) };
    let got: ConnectBaselineCpuRet = shell.call(Procedure::ConnectBaselineCpu, &args)?;
    shell.print(&got.cpu.to_string_lossy());
    Ok(())
}

fn hypervisor_baseline(shell: &mut Shell, arguments: &Arguments) -> Done {
    let path = arguments.text("file")?.ok_or_else(|| Failure::new("Either --file or --model must be provided"))?;
    let args = ConnectBaselineHypervisorCpuArgs {
        emulator: arguments.text("emulator")?.map(Into::into),
        arch: arguments.text("arch")?.map(Into::into),
        machine: arguments.text("machine")?.map(Into::into),
        virttype: arguments.text("virttype")?.map(Into::into),
        xml_cpus: cpus(path)?.into_iter().map(Into::into).collect(),
        flags: flags(arguments),
    };
    let got: ConnectBaselineHypervisorCpuRet = shell.call(Procedure::ConnectBaselineHypervisorCpu, &args)?;
    shell.print(&got.cpu.to_string_lossy());
    Ok(())
}

fn verdict(shell: &Shell, path: &str, result: i32, host: &str) -> Done {
    match result {
        1 => shell.done(format!("CPU described in {path} is identical to {host} CPU")),
        2 => shell.done(format!("{} CPU is a superset of CPU described in {path}", capital(host))),
        0 => {
            shell.done(format!("CPU described in {path} is incompatible with {host} CPU"))?;
            Err(Failure::silent())
        }
        _ => Err(Failure::new(format!("Failed to compare {host} CPU with {path}"))),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn one_cpu(path: &str) -> Result<rpc::Str, Failure> {
    Ok(cpus(path)?.swap_remove(0).into())
}

fn compare(shell: &mut Shell, arguments: &Arguments) -> Done {
    let path = arguments.need("file")?;
    let args = ConnectCompareCpuArgs { xml: one_cpu(path)?, flags: arguments.bits(&[("error", 1), ("validate", 2)]) };
    let ConnectCompareCpuRet { result } =
        shell.call(Procedure::ConnectCompareCpu, &args).context(format!("Failed to compare host CPU with {path}"))?;
    verdict(shell, path, result, "host")
}

fn hypervisor_compare(shell: &mut Shell, arguments: &Arguments) -> Done {
    let path = arguments.need("file")?;
    let args = ConnectCompareHypervisorCpuArgs {
        emulator: arguments.text("emulator")?.map(Into::into),
        arch: arguments.text("arch")?.map(Into::into),
        machine: arguments.text("machine")?.map(Into::into),
        virttype: arguments.text("virttype")?.map(Into::into),
        xml_cpu: one_cpu(path)?,
        flags: arguments.bits(&[("error", 1), ("validate", 2)]),
    };
    let host = "the CPU provided by hypervisor on the host";
    let ConnectCompareHypervisorCpuRet { result } = shell
        .call(Procedure::ConnectCompareHypervisorCpu, &args)
        .context(format!("Failed to compare hypervisor CPU with {path}"))?;
    verdict(shell, path, result, host)
}

fn models(shell: &mut Shell, arguments: &Arguments) -> Done {
    let args = ConnectGetCpuModelNamesArgs { arch: arguments.need("arch")?.into(), need_results: 1, flags: 0 };
    let got: ConnectGetCpuModelNamesRet =
        shell.call(Procedure::ConnectGetCpuModelNames, &args).context("failed to get CPU model names")?;
    if got.models.is_empty() {
        return shell.done("all CPU models are accepted".to_string());
    }
    shell.print(&got.models.iter().map(|model| format!("{model}\n")).collect::<String>());
    Ok(())
}

fn domain_capabilities(shell: &mut Shell, arguments: &Arguments) -> Done {
    let args = ConnectGetDomainCapabilitiesArgs {
        emulatorbin: arguments.text("emulatorbin")?.map(Into::into),
        arch: arguments.text("arch")?.map(Into::into),
        machine: arguments.text("machine")?.map(Into::into),
        virttype: arguments.text("virttype")?.map(Into::into),
        flags: 0,
    };
    let got: ConnectGetDomainCapabilitiesRet =
        shell.call(Procedure::ConnectGetDomainCapabilities, &args).context("failed to get emulator capabilities")?;
    super::describe::print_document(shell, arguments, &got.capabilities.to_string_lossy())
}

fn allocate(shell: &mut Shell, arguments: &Arguments) -> Done {
    const ADD: u32 = 0;
    const SET: u32 = 1;
    arguments.exclusive("all", "cellno")?;
    let size = arguments.size("pagesize", 1024)?.unwrap_or(0) / 1024;
    let size = u32::try_from(size).map_err(|_| Failure::new("page size is too large"))?;
    let count = arguments.need_number("pagecount")?;
    let flags = if arguments.has("add") { ADD } else { SET };
    // Without a cell, the host has its way.
    let start_cell = arguments.number("cellno")?.unwrap_or(-1);
    let args =
        NodeAllocPagesArgs { page_sizes: vec![size], page_counts: vec![count], start_cell, cell_count: 1, flags };
    Ok(shell.act(Procedure::NodeAllocPages, &args)?)
}

fn suspend(shell: &mut Shell, arguments: &Arguments) -> Done {
    let target = super::control::sleep_target(arguments)?;
    let duration: i64 = arguments.need_number("duration")?;
    let duration = u64::try_from(duration).map_err(|_| Failure::new("Invalid duration"))?;
    shell
        .act(Procedure::NodeSuspendForDuration, &NodeSuspendForDurationArgs { target, duration, flags: 0 })
        .context("The host was not suspended")
}
