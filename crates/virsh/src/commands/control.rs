//! Ways to act on a domain that machines have and containers, as a rule, have not: each asks the driver.

use super::listing::parameters;
use crate::arguments::Arguments;
use crate::failure::{Context, Done, Failure};
use crate::lookup;
use crate::shell::Shell;
use crate::table::*;
use crate::typed::{self, STRING_OKAY};
use api::Code;
use rpc::client::{Connection, OpenOptions};
use rpc::remote::*;

pub const COMMANDS: &[Command] = &[
    Command::new(
        "dom-fd-associate",
        "give a domain a descriptor under a name",
        &[
            DOMAIN,
            text("name", "its name").required(),
            text("pass-fds", "pass fds").required(),
            flag("seclabel-writable", "seclabel writable"),
            flag("seclabel-restore", "seclabel restore"),
        ],
        associate,
    ),
    Command::new(
        "domdirtyrate-calc",
        "measure how fast a domain changes its memory",
        &[DOMAIN, number("seconds", "for so many seconds"), text("mode", "mode")],
        dirty_rate,
    ),
    Command::new(
        "domjobabort",
        "stop what is being done with a domain",
        &[DOMAIN, flag("postcopy", "postcopy")],
        abort_job,
    ),
    Command::new(
        "domjobinfo",
        "what is being done with a domain",
        &[
            DOMAIN,
            flag("completed", "what was done last"),
            flag("keep-completed", "and will be told again"),
            flag("anystats", "changes nothing: jobs that failed are shown without it"),
            flag("rawstats", "changes nothing: figures have the daemon's names without it"),
        ],
        job_info,
    ),
    Command::new("domlaunchsecinfo", "what protects a domain's start", &[DOMAIN], launch_info),
    Command::new(
        "domsetlaunchsecstate",
        "give a domain the secret of its protected start",
        &[
            DOMAIN,
            text("secrethdr", "secrethdr"),
            text("secret", "the secret's UUID"),
            number("set-address", "set address"),
        ],
        launch_state,
    ),
    Command::new(
        "dompmsuspend",
        "put a domain to sleep",
        &[DOMAIN, text("target", "what it becomes").required(), number("duration", "for so many seconds")],
        suspend,
    ),
    Command::new("dompmwakeup", "wake a domain from its sleep", &[DOMAIN], wake),
    Command::new("inject-nmi", "send a domain an interrupt that it cannot mask", &[DOMAIN], inject_nmi),
    Command::new(
        "migrate",
        "move a domain to another host",
        &[DOMAIN, text("desturi", "the host to move to, as a URI").required()],
        migrate,
    ),
    Command::new(
        "migrate-setmaxdowntime",
        "how long a move may stop a domain",
        &[DOMAIN, number("downtime", "downtime").required()],
        set_downtime,
    ),
    Command::new("migrate-getmaxdowntime", "how long a move may stop a domain, shown", &[DOMAIN], get_downtime),
    Command::new(
        "migrate-compcache",
        "show or change the cache of a move",
        &[DOMAIN, number("size", "the new size, in KiB or with a unit")],
        cache,
    ),
    Command::new(
        "migrate-setspeed",
        "how fast a move may be",
        &[DOMAIN, number("bandwidth", "MiB a second at most").required(), flag("postcopy", "postcopy")],
        set_speed,
    ),
    Command::new(
        "migrate-getspeed",
        "how fast a move may be, shown",
        &[DOMAIN, flag("postcopy", "postcopy")],
        get_speed,
    ),
    Command::new("migrate-postcopy", "let a moving domain run at its new host at once", &[DOMAIN], post_copy),
    Command::new(
        "perf",
        "show or change a domain's performance counters",
        &[DOMAIN, text("enable", "turn it on"), text("disable", "turn it off"), CONFIG, LIVE, CURRENT],
        perf,
    ),
    Command::new(
        "send-key",
        "press keys of a domain",
        &[
            DOMAIN,
            text("codeset", "how the keys are named").by_name(),
            number("holdtime", "milliseconds for which they are held").by_name(),
            words("keycode", "the keys, by name or number").required(),
        ],
        send_key,
    ),
    Command::new(
        "set-lifecycle-action",
        "change what follows a domain's end",
        &[DOMAIN, text("type", "its kind").required(), text("action", "action").required(), CONFIG, LIVE, CURRENT],
        lifecycle,
    ),
    Command::new("update-memory-device", "change a memory device", &[DOMAIN, CONFIG, LIVE, CURRENT], memory_device),
];

pub const MONITOR_COMMANDS: &[Command] =
    &[Command::new("domcontrol", "the state of the way a domain is controlled", &[DOMAIN], control_info)];

fn inject_nmi(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    Ok(shell.act(Procedure::DomainInjectNmi, &DomainInjectNmiArgs { dom, flags: 0 })?)
}

fn associate(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let fds = super::life::passed_fds(arguments, "Failed to associate a descriptor".to_string())?;
    let flags = arguments.bits(&[("seclabel-restore", 1), ("seclabel-writable", 2)]);
    let args = DomainFdAssociateArgs { dom, name: arguments.need("name")?.into(), flags };
    let ((), _) = shell.connection()?.call_with_fds(Procedure::DomainFdAssociate, &args, fds)?;
    Ok(())
}

fn dirty_rate(shell: &mut Shell, arguments: &Arguments) -> Done {
    let seconds = arguments.number("seconds")?.unwrap_or(1);
    let modes = ["page-sampling", "dirty-bitmap", "dirty-ring"];
    let flags = match arguments.text("mode")? {
        None => 0,
        Some(mode) => {
            let at = modes.iter().position(|known| *known == mode);
            1 << at.ok_or_else(|| Failure::new(format!("Unknown calculation mode '{mode}'")))?
        }
    };
    let dom = lookup::domain(shell, arguments)?;
    shell.act(Procedure::DomainStartDirtyRateCalc, &DomainStartDirtyRateCalcArgs { dom, seconds, flags })?;
    shell.done(format!("Start to calculate domain's memory dirty rate successfully.(calculation: {seconds} s)"))
}

fn abort_job(shell: &mut Shell, arguments: &Arguments) -> Done {
    let flags = arguments.bits(&[("postcopy", 1)]);
    let dom = lookup::domain(shell, arguments)?;
    match flags {
        0 => shell.act(Procedure::DomainAbortJob, &DomainAbortJobArgs { dom })?,
        _ => shell.act(Procedure::DomainAbortJobFlags, &DomainAbortJobFlagsArgs { dom, flags })?,
    }
    Ok(())
}

fn job_info(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let flags = arguments.bits(&[("completed", 1), ("keep-completed", 2)]);
    let asked = DomainGetJobStatsArgs { dom: dom.clone(), flags };
    let (kind, params) = match shell.call(Procedure::DomainGetJobStats, &asked) {
        Ok(DomainGetJobStatsRet { r#type, params }) => (r#type, params),
        Err(error) if error.code == Code::NoSupport && (flags != 0 || arguments.has("rawstats")) => {
            return Err(error).context("Optional flags or --rawstats are not supported by the daemon");
        }
        Err(error) if error.code == Code::NoSupport => {
            let got: DomainGetJobInfoRet = shell.call(Procedure::DomainGetJobInfo, &DomainGetJobInfoArgs { dom })?;
            let elapsed = vec![typed::ullong("time_elapsed", got.time_elapsed)];
            (got.r#type, elapsed)
        }
        Err(error) => return Err(error.into()),
    };
    let kinds = ["None", "Bounded", "Unbounded", "Completed", "Failed", "Cancelled"];
    let kind = usize::try_from(kind).ok().and_then(|at| kinds.get(at)).copied().unwrap_or("Unknown");
    if !shell.json {
        shell.print(&format!("{:<17} {kind:<12}\n", "Job type:"));
    }
    if kind != "None" || shell.json {
        parameters(shell, &params, |name, value| format!("{:<17} {value}\n", format!("{name}:")));
    }
    Ok(())
}

fn launch_info(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let got: DomainGetLaunchSecurityInfoRet = shell
        .call(Procedure::DomainGetLaunchSecurityInfo, &DomainGetLaunchSecurityInfoArgs { dom, flags: STRING_OKAY })
        .context("Unable to get launch security parameters")?;
    parameters(shell, &got.params, |name, value| format!("{name:<15}: {value}\n"));
    Ok(())
}

fn launch_state(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let (Some(header), Some(secret)) = (arguments.text("secrethdr")?, arguments.text("secret")?) else {
        return Err(Failure::new("Both secret and the secret header are required"));
    };
    let mut params = vec![
        typed::string("sev-secret-header", &lookup::file(header)?),
        typed::string("sev-secret", &lookup::file(secret)?),
    ];
    if let Some(address) = arguments.number("set-address")? {
        params.push(typed::ullong("sev-secret-set-address", address));
    }
    shell.act(Procedure::DomainSetLaunchSecurityState, &DomainSetLaunchSecurityStateArgs { dom, params, flags: 0 })?;
    Ok(())
}

fn suspend(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let name = dom.name.to_string_lossy();
    let target = sleep_target(arguments)?;
    let duration = arguments.number("duration")?.unwrap_or(0);
    shell
        .act(Procedure::DomainPmSuspendForDuration, &DomainPmSuspendForDurationArgs { dom, target, duration, flags: 0 })
        .context(format!("Domain '{name}' could not be suspended"))?;
    shell.done(format!("Domain '{name}' successfully suspended"))
}

/// `virNodeSuspendTarget`.
pub fn sleep_target(arguments: &Arguments) -> Result<u32, Failure> {
    let target = arguments.need("target")?;
    let at = ["mem", "disk", "hybrid"].iter().position(|known| *known == target);
    at.map(|at| at as u32).ok_or_else(|| Failure::new("Invalid target"))
}

fn wake(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let name = dom.name.to_string_lossy();
    shell
        .act(Procedure::DomainPmWakeup, &DomainPmWakeupArgs { dom, flags: 0 })
        .context(format!("Domain '{name}' could not be woken up"))?;
    shell.done(format!("Domain '{name}' successfully woken up"))
}

/// Containers cannot be moved while they run: the other host is reached, as libvirt's virsh does, and the driver asked.
fn migrate(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let other = Connection::open(Some(arguments.need("desturi")?), OpenOptions::default())?;
    let args = DomainMigrateBegin3ParamsArgs { dom, params: Vec::new(), flags: 0 };
    let outcome = shell.act(Procedure::DomainMigrateBegin3Params, &args);
    // The other host is told nothing before this one agrees.
    _ = other.close();
    outcome?;
    Err(Failure::new("Operation not supported: this virsh moves no domains between hosts"))
}

fn set_downtime(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let downtime: u64 = arguments.need_number("downtime")?;
    if downtime == 0 {
        return Err(Failure::new("migrate: Invalid downtime"));
    }
    Ok(shell
        .act(Procedure::DomainMigrateSetMaxDowntime, &DomainMigrateSetMaxDowntimeArgs { dom, downtime, flags: 0 })?)
}

fn get_downtime(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let DomainMigrateGetMaxDowntimeRet { downtime } =
        shell.call(Procedure::DomainMigrateGetMaxDowntime, &DomainMigrateGetMaxDowntimeArgs { dom, flags: 0 })?;
    shell.value("downtime", &downtime.to_string())
}

fn cache(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    if let Some(cache_size) = arguments.size("size", 1)? {
        let args = DomainMigrateSetCompressionCacheArgs { dom: dom.clone(), cache_size, flags: 0 };
        shell.act(Procedure::DomainMigrateSetCompressionCache, &args)?;
    }
    let DomainMigrateGetCompressionCacheRet { cache_size } = shell
        .call(Procedure::DomainMigrateGetCompressionCache, &DomainMigrateGetCompressionCacheArgs { dom, flags: 0 })?;
    let (value, unit) = crate::report::pretty_capacity(cache_size);
    shell.print(&format!("Compression cache: {value:.3} {unit}"));
    Ok(())
}

fn set_speed(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let bandwidth = arguments.need_number("bandwidth")?;
    let flags = arguments.bits(&[("postcopy", 1)]);
    Ok(shell.act(Procedure::DomainMigrateSetMaxSpeed, &DomainMigrateSetMaxSpeedArgs { dom, bandwidth, flags })?)
}

fn get_speed(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let flags = arguments.bits(&[("postcopy", 1)]);
    let DomainMigrateGetMaxSpeedRet { bandwidth } =
        shell.call(Procedure::DomainMigrateGetMaxSpeed, &DomainMigrateGetMaxSpeedArgs { dom, flags })?;
    shell.value("bandwidth", &bandwidth.to_string())
}

fn post_copy(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    Ok(shell.act(Procedure::DomainMigrateStartPostCopy, &DomainMigrateStartPostCopyArgs { dom, flags: 0 })?)
}

fn perf(shell: &mut Shell, arguments: &Arguments) -> Done {
    let flags = arguments.impact()?.flags();
    let dom = lookup::domain(shell, arguments)?;
    let mut params = Vec::new();
    for (option, truth) in [("enable", 1), ("disable", 0)] {
        for event in arguments.text(option)?.into_iter().flat_map(|list| list.split(',')) {
            params.push(typed::param(event, TypedParamValue::Boolean(truth)));
        }
    }
    if !params.is_empty() {
        return shell
            .act(Procedure::DomainSetPerfEvents, &DomainSetPerfEventsArgs { dom, params, flags })
            .context("Unable to enable/disable perf events");
    }
    let got: DomainGetPerfEventsRet = shell
        .call(Procedure::DomainGetPerfEvents, &DomainGetPerfEventsArgs { dom, flags })
        .context("Unable to get perf events")?;
    parameters(shell, &got.params, |name, value| {
        format!("{name:<15}: {}\n", if value == "yes" { "enabled" } else { "disabled" })
    });
    Ok(())
}

/// Names of keys in the order of their codes in Linux, from 1 on; a blank place has none here.
const KEYS: &str = "ESC 1 2 3 4 5 6 7 8 9 0 MINUS EQUAL BACKSPACE TAB Q W E R T Y U I O P LEFTBRACE RIGHTBRACE ENTER \
    LEFTCTRL A S D F G H J K L SEMICOLON APOSTROPHE GRAVE LEFTSHIFT BACKSLASH Z X C V B N M COMMA DOT SLASH RIGHTSHIFT \
    KPASTERISK LEFTALT SPACE CAPSLOCK F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 NUMLOCK SCROLLLOCK KP7 KP8 KP9 KPMINUS KP4 KP5 KP6 \
    KPPLUS KP1 KP2 KP3 KP0 KPDOT - - 102ND F11 F12";
const LATER_KEYS: &[(&str, u32)] = &[
    ("RIGHTCTRL", 97),
    ("SYSRQ", 99),
    ("RIGHTALT", 100),
    ("HOME", 102),
    ("UP", 103),
    ("PAGEUP", 104),
    ("LEFT", 105),
    ("RIGHT", 106),
    ("END", 107),
    ("DOWN", 108),
    ("PAGEDOWN", 109),
    ("INSERT", 110),
    ("DELETE", 111),
];

fn key_code(name: &str) -> Option<u32> {
    if let Some(digits) = name.strip_prefix("0x") {
        return u32::from_str_radix(digits, 16).ok();
    }
    if let Ok(number) = name.parse() {
        return Some(number);
    }
    let key = name.strip_prefix("KEY_")?;
    let at = KEYS.split_whitespace().position(|known| known == key && key != "-");
    let later = LATER_KEYS.iter().find(|(known, _)| *known == key).map(|(_, code)| *code);
    at.and_then(|at| u32::try_from(at + 1).ok()).or(later)
}

fn send_key(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let sets = ["linux", "xt", "atset1", "atset2", "atset3", "os_x", "xt_kbd", "usb", "win32", "qnum"];
    let codeset = match arguments.text("codeset")? {
        None => 0,
        Some(name) => {
            let at = sets.iter().position(|known| *known == name || (*known == "qnum" && name == "rfb"));
            at.ok_or_else(|| Failure::new(format!("unknown codeset: '{name}'")))? as u32
        }
    };
    let holdtime = arguments.number("holdtime")?.unwrap_or(0);
    let mut keycodes = Vec::new();
    for name in arguments.words("keycode") {
        keycodes.push(key_code(name).ok_or_else(|| Failure::new(format!("invalid keycode: '{name}'")))?);
    }
    Ok(shell.act(Procedure::DomainSendKey, &DomainSendKeyArgs { dom, codeset, holdtime, keycodes, flags: 0 })?)
}

fn lifecycle(shell: &mut Shell, arguments: &Arguments) -> Done {
    let flags = arguments.impact()?.flags();
    let kind = arguments.need("type")?;
    let at = ["poweroff", "reboot", "crash"].iter().position(|known| *known == kind);
    let r#type = at.ok_or_else(|| Failure::new(format!("Invalid lifecycle type '{kind}'.")))? as u32;
    let action = arguments.need("action")?;
    let actions = ["destroy", "restart", "rename-restart", "preserve", "coredump-destroy", "coredump-restart"];
    let at = actions.iter().position(|known| *known == action);
    let action = at.ok_or_else(|| Failure::new(format!("Invalid lifecycle action '{action}'.")))? as u32;
    let dom = lookup::domain(shell, arguments)?;
    shell
        .act(Procedure::DomainSetLifecycleAction, &DomainSetLifecycleActionArgs { dom, r#type, action, flags })
        .context("Unable to change lifecycle action.")
}

fn memory_device(shell: &mut Shell, arguments: &Arguments) -> Done {
    arguments.impact()?;
    let dom = lookup::domain(shell, arguments)?;
    let xml = lookup::domain_xml(shell, &dom, 0)?;
    let document = crate::document::parse(&xml)?;
    match crate::document::devices(&document, "memory").next() {
        None => Err(Failure::new("no memory device found")),
        Some(_) => Err(Failure::new("memory devices are changed with update-device")),
    }
}

fn control_info(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let got: DomainGetControlInfoRet =
        shell.call(Procedure::DomainGetControlInfo, &DomainGetControlInfoArgs { dom, flags: 0 })?;
    let states = ["ok", "background job", "occupied", "error"];
    let state = states.get(got.state as usize).copied().unwrap_or("error");
    match got.state {
        1 | 2 => shell.value("state", &format!("{state} ({:.3}s)", got.state_time as f64 / 1000.0)),
        _ => shell.value("state", state),
    }
}

#[cfg(test)]
mod tests {
    use super::key_code;

    #[test]
    fn keys_by_name_and_number() {
        let table = [
            ("KEY_A", Some(30)),
            ("KEY_ESC", Some(1)),
            ("KEY_F12", Some(88)),
            ("KEY_DELETE", Some(111)),
            ("0x1e", Some(30)),
            ("37", Some(37)),
            ("x", None),
            ("KEY_-", None),
        ];
        for (name, code) in table {
            assert_eq!(key_code(name), code, "{name}");
        }
    }
}
