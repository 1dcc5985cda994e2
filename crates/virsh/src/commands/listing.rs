//! `list`, and what a domain is and does at the moment.

use crate::arguments::Arguments;
use crate::failure::{Context, Done, Failure};
use crate::lookup;
use crate::report::printable;
use crate::shell::Shell;
use crate::table::*;
use crate::{report, typed};
use api::{Code, DomainState, Uuid};
use rpc::remote::*;

const METADATA_TITLE: i32 = 1;

pub const COMMANDS: &[Command] = &[
    Command::new("dominfo", "the essentials of a domain", &[DOMAIN], dominfo),
    Command::new("domstate", "what a domain is doing", &[DOMAIN, flag("reason", "and since what")], domstate),
    Command::new(
        "list",
        "the domains there are",
        &[
            flag("inactive", "those that do not run"),
            flag("all", "those that run and those that do not"),
            flag("transient", "those without a kept document"),
            flag("persistent", "those with a kept document"),
            flag("with-snapshot", "those with a snapshot"),
            flag("without-snapshot", "those without a snapshot"),
            flag("with-checkpoint", "those with a checkpoint"),
            flag("without-checkpoint", "those without a checkpoint"),
            flag("state-running", "those that run"),
            flag("state-paused", "those that are paused"),
            flag("state-shutoff", "those that are shut off"),
            flag("state-other", "those in any other state"),
            flag("autostart", "those started with the daemon"),
            flag("no-autostart", "those not started with the daemon"),
            flag("with-managed-save", "those with a saved state"),
            flag("without-managed-save", "those without a saved state"),
            flag("uuid", "their UUIDs only"),
            flag("name", "their names only"),
            flag("id", "their ids only"),
            flag("table", "a table, as without any of these"),
            flag("managed-save", "mark those with a saved state"),
            flag("title", "show their titles"),
        ],
        list,
    )
    .more("Without options: the running ones, by id. Several options narrow the list down."),
];

/// Bits of `virConnectListAllDomainsFlags` by option.
const FILTERS: &[(&str, u32)] = &[
    ("transient", 1 << 3),
    ("persistent", 1 << 2),
    ("with-snapshot", 1 << 12),
    ("without-snapshot", 1 << 13),
    ("with-checkpoint", 1 << 14),
    ("without-checkpoint", 1 << 15),
    ("state-running", 1 << 4),
    ("state-paused", 1 << 5),
    ("state-shutoff", 1 << 6),
    ("state-other", 1 << 7),
    ("autostart", 1 << 10),
    ("no-autostart", 1 << 11),
    ("with-managed-save", 1 << 8),
    ("without-managed-save", 1 << 9),
];

fn list(shell: &mut Shell, arguments: &Arguments) -> Done {
    arguments.exclusive("table", "name")?;
    arguments.exclusive("table", "uuid")?;
    arguments.exclusive("table", "id")?;
    let mut flags = match (arguments.has("all"), arguments.has("inactive")) {
        (true, _) => ACTIVE | INACTIVE,
        (false, true) => INACTIVE,
        (false, false) => ACTIVE,
    };
    for (name, bits) in FILTERS {
        if arguments.has(name) {
            flags |= bits;
        }
    }
    // Asked for by state alone, those of that state are meant, running or not.
    if arguments.has("state-shutoff") {
        flags |= INACTIVE;
    }
    let args = ConnectListAllDomainsArgs { need_results: 1, flags };
    let listed: ConnectListAllDomainsRet =
        shell.call(Procedure::ConnectListAllDomains, &args).context("Failed to list domains")?;
    let mut domains = listed.domains;
    domains.sort_by_key(|domain| {
        let running = domain.id != -1;
        (!running, if running { domain.id } else { 0 }, domain.name.to_string_lossy())
    });
    let bare = ["uuid", "name", "id"].iter().any(|name| arguments.has(name));
    if bare && !shell.json {
        print_bare(shell, arguments, &domains);
        return Ok(());
    }
    let mut headers = vec!["Id", "Name", "State"];
    if arguments.has("title") {
        headers.push("Title");
    }
    if shell.json {
        headers.push("UUID");
    }
    let mut rows = Vec::new();
    for domain in &domains {
        // One that vanished since the list was made is left out.
        let Some(state) = state_of(shell, domain)? else { continue };
        let id = if domain.id == -1 { "-".to_string() } else { domain.id.to_string() };
        let saved = arguments.has("managed-save") && state == DomainState::Shutoff as i32 && is_saved(shell, domain)?;
        let word = if saved { "saved" } else { state_word(state) };
        let mut row = vec![id, domain.name.to_string_lossy(), word.to_string()];
        if arguments.has("title") {
            row.push(title_of(shell, domain)?);
        }
        if shell.json {
            row.push(Uuid(domain.uuid).to_string());
        }
        rows.push(row);
    }
    shell.table(&headers, &rows)
}

fn print_bare(shell: &Shell, arguments: &Arguments, domains: &[NonnullDomain]) {
    let mut out = String::new();
    for domain in domains {
        let mut words = Vec::new();
        if arguments.has("uuid") {
            words.push(Uuid(domain.uuid).to_string());
        }
        if arguments.has("id") {
            if domain.id != -1 {
                words.push(domain.id.to_string());
            } else if !arguments.has("name") && !arguments.has("uuid") {
                continue;
            } else {
                words.push("-".to_string());
            }
        }
        if arguments.has("name") {
            words.push(printable(&domain.name.to_string_lossy()));
        }
        out += &(words.join(" ") + "\n");
    }
    shell.print(&out);
}

fn state_of(shell: &Shell, domain: &NonnullDomain) -> Result<Option<i32>, Failure> {
    match shell.call(Procedure::DomainGetState, &DomainGetStateArgs { dom: domain.clone(), flags: 0 }) {
        Ok(DomainGetStateRet { state, .. }) => Ok(Some(state)),
        Err(error) if error.code == Code::NoDomain => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn is_saved(shell: &Shell, domain: &NonnullDomain) -> Result<bool, Failure> {
    let args = DomainHasManagedSaveImageArgs { dom: domain.clone(), flags: 0 };
    let saved: DomainHasManagedSaveImageRet = shell.call(Procedure::DomainHasManagedSaveImage, &args)?;
    Ok(saved.result > 0)
}

fn title_of(shell: &Shell, domain: &NonnullDomain) -> Result<String, Failure> {
    let args = DomainGetMetadataArgs { dom: domain.clone(), r#type: METADATA_TITLE, uri: None, flags: 0 };
    match shell.call(Procedure::DomainGetMetadata, &args) {
        Ok(DomainGetMetadataRet { metadata }) => Ok(metadata.to_string_lossy()),
        Err(error) if error.code == Code::NoDomainMetadata => Ok(String::new()),
        Err(error) => Err(error.into()),
    }
}

/// The state in words.
pub fn state_word(state: i32) -> &'static str {
    match DomainState::from_number(state) {
        Some(DomainState::Running) => "running",
        Some(DomainState::Blocked) => "idle",
        Some(DomainState::Paused) => "paused",
        Some(DomainState::Shutdown) => "in shutdown",
        Some(DomainState::Shutoff) => "shut off",
        Some(DomainState::Crashed) => "crashed",
        Some(DomainState::PmSuspended) => "pmsuspended",
        Some(DomainState::NoState) | None => "no state",
    }
}

fn domstate(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let state: DomainGetStateRet = shell.call(Procedure::DomainGetState, &DomainGetStateArgs { dom, flags: 0 })?;
    let word = state_word(state.state);
    if !arguments.has("reason") {
        return shell.value("state", word);
    }
    let known = DomainState::from_number(state.state);
    let reason = known.map_or("unknown", |known| api::StateReason(state.reason).text(known));
    match shell.json {
        true => {
            shell.print_json(&report::pairs_json([("state", word), ("reason", reason)].into_iter()));
            Ok(())
        }
        false => shell.value("state", &format!("{word} ({reason})")),
    }
}

fn dominfo(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let with = || dom.clone();
    let running = dom.id != -1;
    let mut pairs: Vec<(&str, String)> = vec![
        ("Id:", if running { dom.id.to_string() } else { "-".to_string() }),
        ("Name:", dom.name.to_string_lossy()),
        ("UUID:", Uuid(dom.uuid).to_string()),
    ];
    if let Ok(DomainGetOsTypeRet { r#type }) =
        shell.call(Procedure::DomainGetOsType, &DomainGetOsTypeArgs { dom: with() })
    {
        pairs.push(("OS Type:", r#type.to_string_lossy()));
    }
    let info: DomainGetInfoRet = shell.call(Procedure::DomainGetInfo, &DomainGetInfoArgs { dom: with() })?;
    pairs.push(("State:", state_word(info.state.into()).to_string()));
    pairs.push(("CPU(s):", info.nr_virt_cpu.to_string()));
    if info.cpu_time != 0 {
        pairs.push(("CPU time:", format!("{:.1}s", info.cpu_time as f64 / 1e9)));
    }
    let unlimited = u64::MAX;
    pairs.push((
        "Max memory:",
        if info.max_mem == unlimited { "no limit".into() } else { format!("{} KiB", info.max_mem) },
    ));
    pairs.push(("Used memory:", format!("{} KiB", info.memory)));
    let yes_no = |truth: bool| if truth { "yes" } else { "no" }.to_string();
    let persistent = shell.call(Procedure::DomainIsPersistent, &DomainIsPersistentArgs { dom: with() });
    pairs.push((
        "Persistent:",
        persistent.map_or("unknown".to_string(), |DomainIsPersistentRet { persistent }| yes_no(persistent != 0)),
    ));
    if let Ok(DomainGetAutostartRet { autostart }) =
        shell.call(Procedure::DomainGetAutostart, &DomainGetAutostartArgs { dom: with() })
    {
        pairs.push(("Autostart:", if autostart != 0 { "enable" } else { "disable" }.to_string()));
    }
    pairs.push(("Managed save:", is_saved(shell, &dom).map_or("unknown".to_string(), yes_no)));
    security(shell, &dom, &mut pairs);
    let messages: api::Result<DomainGetMessagesRet> =
        shell.call(Procedure::DomainGetMessages, &DomainGetMessagesArgs { dom: with(), flags: 0 });
    if let Ok(messages) = messages {
        for (at, message) in messages.msgs.iter().enumerate() {
            pairs.push((if at == 0 { "Messages:" } else { "" }, message.to_string_lossy()));
        }
    }
    shell.pairs(16, &pairs)
}

/// The security model's lines: none where the driver has no model at all.
fn security(shell: &Shell, dom: &NonnullDomain, pairs: &mut Vec<(&str, String)>) {
    let model: api::Result<NodeGetSecurityModelRet> = shell.call(Procedure::NodeGetSecurityModel, &());
    let Ok(model) = model else { return };
    let name = characters(&model.model);
    if name.is_empty() {
        return;
    }
    pairs.push(("Security model:", name));
    pairs.push(("Security DOI:", characters(&model.doi)));
    let label = DomainGetSecurityLabelArgs { dom: dom.clone() };
    let label: api::Result<DomainGetSecurityLabelRet> = shell.call(Procedure::DomainGetSecurityLabel, &label);
    if let Ok(label) = label {
        let text = characters(&label.label);
        if !text.is_empty() {
            let how = if label.enforcing != 0 { "enforcing" } else { "permissive" };
            pairs.push(("Security label:", format!("{text} ({how})")));
        }
    }
}

/// The wire's characters, up to the first zero.
pub fn characters(characters: &[u8]) -> String {
    let bytes: Vec<u8> = characters.iter().copied().take_while(|c| *c != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Names and values of typed parameters, one a line.
pub fn parameters(shell: &Shell, params: &[TypedParam], line: impl Fn(&str, &str) -> String) {
    if shell.json {
        let object = params.iter().map(|param| (param.field.to_string_lossy(), typed::json(&param.value))).collect();
        shell.print_json(&serde_json::Value::Object(object));
        return;
    }
    let clean = |param: &TypedParam| {
        line(&report::printable(&param.field.to_string_lossy()), &report::printable(&typed::show(&param.value)))
    };
    let lines: String = params.iter().map(clean).collect();
    shell.print(&lines);
}
