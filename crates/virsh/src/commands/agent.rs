//! What is asked of somebody inside the domain: file systems, users, the clock; and of qemu, for what is not a container.

use crate::arguments::Arguments;
use crate::failure::{Context, Done, Failure};
use crate::lookup;
use crate::report;
use crate::shell::Shell;
use crate::table::*;
use rpc::qemu;
use rpc::remote::*;

pub const COMMANDS: &[Command] = &[
    Command::new(
        "domfsfreeze",
        "hold still a domain's file systems",
        &[DOMAIN, words("mountpoint", "where it is mounted")],
        freeze,
    ),
    Command::new(
        "domfsthaw",
        "let a domain's file systems go on",
        &[DOMAIN, words("mountpoint", "where it is mounted")],
        thaw,
    ),
    Command::new("domfsinfo", "a domain's mounted file systems", &[DOMAIN], file_systems),
    Command::new(
        "domfstrim",
        "give back what a domain's file systems do not use",
        &[DOMAIN, number("minimum", "only pieces at least so large"), text("mountpoint", "where it is mounted")],
        trim,
    ),
    Command::new(
        "guestinfo",
        "what a domain knows of itself",
        &[
            DOMAIN,
            flag("user", "the user inside"),
            flag("os", "os"),
            flag("timezone", "timezone"),
            flag("hostname", "hostname"),
            flag("filesystem", "filesystem"),
            flag("disk", "the disk"),
            flag("interface", "the interface's name or MAC address"),
        ],
        guest_info,
    ),
    Command::new(
        "guest-agent-timeout",
        "how long to wait for the agent inside",
        &[DOMAIN, number("timeout", "wait so many seconds at most")],
        timeout,
    ),
    Command::new(
        "get-user-sshkeys",
        "the ssh keys of a user inside",
        &[DOMAIN, text("user", "the user inside").required()],
        get_keys,
    ),
    Command::new(
        "set-user-sshkeys",
        "change the ssh keys of a user inside",
        &[
            DOMAIN,
            text("user", "the user inside").required(),
            text("file", "the file").of(Values::Files),
            flag("reset", "reset"),
            flag("remove", "remove"),
        ],
        set_keys,
    ),
    Command::new(
        "set-user-password",
        "change the password of a user inside",
        &[
            DOMAIN,
            text("user", "the user inside").required(),
            text("password", "the new password").required(),
            flag("encrypted", "it is encrypted already"),
        ],
        password,
    ),
    Command::new(
        "qemu-agent-command",
        "send a command to the agent inside",
        &[
            DOMAIN,
            number("timeout", "wait so many seconds at most").by_name(),
            flag("async", "do not wait for the end"),
            flag("block", "block"),
            words("cmd", "the command").required(),
        ],
        agent_command,
    ),
    Command::new(
        "qemu-attach",
        "take over a running qemu",
        &[text("pid", "number of the process").required()],
        qemu_attach,
    ),
    Command::new(
        "qemu-monitor-command",
        "send a command to qemu's monitor",
        &[DOMAIN, flag("hmp", "hmp"), words("cmd", "the command").required()],
        monitor_command,
    ),
    Command::new(
        "qemu-monitor-event",
        "wait for events of qemu's monitor",
        &[
            text("domain", "the domain's name, id or UUID"),
            text("event", "of this kind"),
            flag("loop", "go on until the time is over or an interrupt"),
            number("timeout", "wait so many seconds at most"),
            flag("timestamp", "begin each line with the time"),
        ],
        monitor_event,
    ),
];

pub const MONITOR_COMMANDS: &[Command] = &[Command::new(
    "domtime",
    "show or change a domain's clock",
    &[DOMAIN, flag("now", "now"), flag("pretty", "in a form for people"), flag("sync", "sync"), number("time", "time")],
    time,
)];

fn mountpoints(arguments: &Arguments) -> Vec<rpc::Str> {
    arguments.words("mountpoint").into_iter().map(Into::into).collect()
}

fn freeze(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let args = DomainFsfreezeArgs { dom, mountpoints: mountpoints(arguments), flags: 0 };
    let DomainFsfreezeRet { filesystems } =
        shell.call(Procedure::DomainFsfreeze, &args).context("Unable to freeze filesystems")?;
    shell.done(format!("Froze {filesystems} filesystem(s)"))
}

fn thaw(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let args = DomainFsthawArgs { dom, mountpoints: mountpoints(arguments), flags: 0 };
    let DomainFsthawRet { filesystems } =
        shell.call(Procedure::DomainFsthaw, &args).context("Unable to thaw filesystems")?;
    shell.done(format!("Thawed {filesystems} filesystem(s)"))
}

fn file_systems(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let got: DomainGetFsinfoRet = shell
        .call(Procedure::DomainGetFsinfo, &DomainGetFsinfoArgs { dom, flags: 0 })
        .context("Unable to get filesystem information")?;
    if got.info.is_empty() && !shell.json {
        return shell.done("No filesystems are mounted in the domain".to_string());
    }
    let row = |info: &DomainFsinfo| {
        let targets: Vec<String> = info.dev_aliases.iter().map(|alias| alias.to_string_lossy()).collect();
        vec![
            info.mountpoint.to_string_lossy(),
            info.name.to_string_lossy(),
            info.fstype.to_string_lossy(),
            targets.join(","),
        ]
    };
    let rows: Vec<Vec<String>> = got.info.iter().map(row).collect();
    shell.table(&["Mountpoint", "Name", "Type", "Target"], &rows)
}

fn trim(shell: &mut Shell, arguments: &Arguments) -> Done {
    let minimum = arguments.size("minimum", 1)?.unwrap_or(0);
    let dom = lookup::domain(shell, arguments)?;
    let mount_point = arguments.text("mountpoint")?.map(Into::into);
    shell
        .act(Procedure::DomainFstrim, &DomainFstrimArgs { dom, mount_point, minimum, flags: 0 })
        .context("Unable to invoke fstrim")
}

fn guest_info(shell: &mut Shell, arguments: &Arguments) -> Done {
    let types = arguments.bits(&[
        ("user", 1),
        ("os", 2),
        ("timezone", 4),
        ("hostname", 8),
        ("filesystem", 16),
        ("disk", 32),
        ("interface", 64),
    ]);
    let dom = lookup::domain(shell, arguments)?;
    let got: DomainGetGuestInfoRet =
        shell.call(Procedure::DomainGetGuestInfo, &DomainGetGuestInfoArgs { dom, types, flags: 0 })?;
    super::listing::parameters(shell, &got.params, |name, value| format!("{name:<20}: {value}\n"));
    Ok(())
}

fn timeout(shell: &mut Shell, arguments: &Arguments) -> Done {
    // -2 is to wait for ever, -1 the daemon's own patience.
    let timeout = arguments.number("timeout")?.unwrap_or(-2);
    let dom = lookup::domain(shell, arguments)?;
    Ok(shell
        .act(Procedure::DomainAgentSetResponseTimeout, &DomainAgentSetResponseTimeoutArgs { dom, timeout, flags: 0 })?)
}

fn get_keys(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let user = arguments.need("user")?.into();
    let got: DomainAuthorizedSshKeysGetRet =
        shell.call(Procedure::DomainAuthorizedSshKeysGet, &DomainAuthorizedSshKeysGetArgs { dom, user, flags: 0 })?;
    shell.print(&got.keys.iter().map(|key| format!("{key}\n")).collect::<String>());
    Ok(())
}

fn set_keys(shell: &mut Shell, arguments: &Arguments) -> Done {
    arguments.exclusive("reset", "remove")?;
    let dom = lookup::domain(shell, arguments)?;
    let user = arguments.need("user")?.into();
    let keys = match arguments.text("file")? {
        Some(path) => lookup::file(path)?.lines().filter(|line| !line.is_empty()).map(Into::into).collect(),
        None if arguments.has("reset") => Vec::new(),
        None => return Err(Failure::new("Option --file is required")),
    };
    let flags = if arguments.has("reset") { 0 } else { 1 + u32::from(arguments.has("remove")) };
    let args = DomainAuthorizedSshKeysSetArgs { dom, user, keys, flags };
    Ok(shell.act(Procedure::DomainAuthorizedSshKeysSet, &args)?)
}

fn password(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let user = arguments.need("user")?;
    let args = DomainSetUserPasswordArgs {
        dom,
        user: Some(user.into()),
        password: Some(arguments.need("password")?.into()),
        flags: arguments.bits(&[("encrypted", 1)]),
    };
    let name = args.dom.name.clone();
    shell.act(Procedure::DomainSetUserPassword, &args)?;
    shell.done(format!("Password set successfully for {user} in {name}"))
}

fn agent_command(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let timeout = match arguments.number("timeout")? {
        Some(seconds) if seconds > 0 => seconds,
        Some(_) => return Err(Failure::new("timeout number has to be a positive number")),
        None if arguments.has("async") => 0,
        None if arguments.has("block") => -2,
        None => -1,
    };
    let cmd = arguments.words("cmd").join(" ").into();
    let args = qemu::DomainAgentCommandArgs { dom, cmd, timeout, flags: 0 };
    let got: qemu::DomainAgentCommandRet = shell.call(qemu::Procedure::DomainAgentCommand, &args)?;
    shell.print(&got.result.map_or_else(String::new, |result| format!("{result}\n")));
    Ok(())
}

fn qemu_attach(shell: &mut Shell, arguments: &Arguments) -> Done {
    let pid_value = arguments.need_number("pid")?;
    let failed = format!("Failed to attach to pid {pid_value}");
    let args = qemu::DomainAttachArgs { pid_value, flags: 0 };
    let got: qemu::DomainAttachRet = shell.call(qemu::Procedure::DomainAttach, &args).context(failed)?;
    shell.done(format!("Domain '{}' attached to pid {pid_value}", got.dom.name))
}

fn monitor_command(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let words = arguments.words("cmd").join(" ");
    let hmp = arguments.has("hmp");
    // A bare name is put into the form that the monitor speaks.
    let cmd = if hmp || words.trim_start().starts_with('{') { words } else { format!("{{\"execute\":\"{words}\"}}") };
    let args = qemu::DomainMonitorCommandArgs { dom, cmd: cmd.into(), flags: u32::from(hmp) };
    let got: qemu::DomainMonitorCommandRet = shell.call(qemu::Procedure::DomainMonitorCommand, &args)?;
    shell.print(&format!("{}\n", got.result));
    Ok(())
}

fn monitor_event(shell: &mut Shell, arguments: &Arguments) -> Done {
    let deadline = super::events::deadline(arguments)?;
    let dom = match arguments.text("domain")? {
        Some(_) => Some(lookup::domain(shell, arguments)?),
        None => None,
    };
    let event = arguments.text("event")?.map(Into::into);
    let args = qemu::ConnectDomainMonitorEventRegisterArgs { dom, event, flags: 0 };
    shell.act(qemu::Procedure::ConnectDomainMonitorEventRegister, &args)?;
    super::events::wait(shell, arguments, deadline, super::events::monitor_line)
}

fn time(shell: &mut Shell, arguments: &Arguments) -> Done {
    for (one, other) in [("time", "now"), ("time", "sync"), ("now", "sync")] {
        arguments.exclusive(one, other)?;
    }
    let given: Option<i64> = arguments.number("time")?;
    let dom = lookup::domain(shell, arguments)?;
    let sync = arguments.has("sync");
    if arguments.has("now") || sync || given.is_some() {
        let now = jiff::Timestamp::now().as_second();
        let args = DomainSetTimeArgs {
            dom,
            seconds: given.unwrap_or(if sync { 0 } else { now }),
            nseconds: 0,
            flags: u32::from(sync),
        };
        return Ok(shell.act(Procedure::DomainSetTime, &args)?);
    }
    let got: DomainGetTimeRet = shell.call(Procedure::DomainGetTime, &DomainGetTimeArgs { dom, flags: 0 })?;
    let shown = match jiff::Timestamp::from_second(got.seconds).ok().filter(|_| arguments.has("pretty")) {
        Some(time) => time.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        None => got.seconds.to_string(),
    };
    match shell.json {
        true => shell.print_json(&report::pairs_json([("time", shown.as_str())].into_iter())),
        false => shell.print(&format!("Time: {shown}\n")),
    }
    Ok(())
}
