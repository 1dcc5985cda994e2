//! Snapshots, checkpoints and backups of domains.

use super::describe::print_document;
use crate::arguments::Arguments;
use crate::document::escaped;
use crate::editing::{self, Edit};
use crate::failure::{Context, Done, Failure};
use crate::lookup;
use crate::shell::Shell;
use crate::table::*;
use api::Code;
use rpc::remote::*;

const REDEFINE: u32 = 1;
const SECURE: u32 = 1;

pub const COMMANDS: &[Command] = &[
    Command::new(
        "snapshot-create",
        "make a snapshot from a document",
        &[
            DOMAIN,
            text("xmlfile", "xmlfile"),
            flag("redefine", "redefine"),
            flag("current", "current"),
            flag("no-metadata", "no metadata"),
            flag("halt", "halt"),
            flag("disk-only", "disk only"),
            flag("reuse-external", "reuse external"),
            flag("quiesce", "quiesce"),
            flag("atomic", "atomic"),
            flag("live", "live"),
            flag("validate", "hold the document against the schema"),
        ],
        create,
    ),
    Command::new(
        "snapshot-create-as",
        "make a snapshot from its essentials",
        &[
            DOMAIN,
            text("name", "its name"),
            text("description", "description"),
            flag("print-xml", "only show the document"),
            flag("no-metadata", "no metadata"),
            flag("halt", "halt"),
            flag("disk-only", "disk only"),
            flag("reuse-external", "reuse external"),
            flag("quiesce", "quiesce"),
            flag("atomic", "atomic"),
            flag("live", "live"),
            flag("validate", "hold the document against the schema"),
        ],
        create_as,
    ),
    Command::new(
        "snapshot-current",
        "show or choose the current snapshot",
        &[
            DOMAIN,
            flag("name", "its name"),
            flag("security-info", "security info"),
            text("snapshotname", "the snapshot's name"),
        ],
        current,
    ),
    Command::new(
        "snapshot-delete",
        "delete a snapshot",
        &[
            DOMAIN,
            text("snapshotname", "the snapshot's name"),
            flag("current", "current"),
            flag("children", "children"),
            flag("children-only", "children only"),
            flag("metadata", "metadata"),
        ],
        delete,
    ),
    Command::new(
        "snapshot-dumpxml",
        "a snapshot's document",
        &[
            DOMAIN,
            text("snapshotname", "the snapshot's name").required(),
            flag("security-info", "security info"),
            text("xpath", "only the parts that this XPath expression finds").by_name(),
            flag("wrap", "put the parts found into one element"),
        ],
        document,
    ),
    Command::new(
        "snapshot-edit",
        "change a snapshot's document in an editor",
        &[
            DOMAIN,
            text("snapshotname", "the snapshot's name"),
            flag("current", "current"),
            flag("rename", "rename"),
            flag("clone", "clone"),
        ],
        edit,
    ),
    Command::new(
        "snapshot-info",
        "the essentials of a snapshot",
        &[DOMAIN, text("snapshotname", "the snapshot's name"), flag("current", "current")],
        info,
    ),
    Command::new("snapshot-list", "a domain's snapshots", &[DOMAIN, flag("name", "its name")], list),
    Command::new(
        "snapshot-parent",
        "the snapshot that another is based on",
        &[DOMAIN, text("snapshotname", "the snapshot's name"), flag("current", "current")],
        parent,
    ),
    Command::new(
        "snapshot-revert",
        "go back to a snapshot",
        &[
            DOMAIN,
            text("snapshotname", "the snapshot's name"),
            flag("current", "current"),
            flag("running", "go on running afterwards"),
            flag("paused", "stay paused afterwards"),
            flag("force", "force"),
            flag("reset-nvram", "reset nvram"),
        ],
        revert,
    ),
];

pub const CHECKPOINT_COMMANDS: &[Command] = &[
    Command::new(
        "checkpoint-create",
        "make a checkpoint from a document",
        &[
            DOMAIN,
            text("xmlfile", "xmlfile"),
            flag("redefine", "redefine"),
            flag("redefine-validate", "redefine validate"),
            flag("quiesce", "quiesce"),
        ],
        checkpoint_create,
    ),
    Command::new(
        "checkpoint-create-as",
        "make a checkpoint from its essentials",
        &[
            DOMAIN,
            text("name", "its name"),
            text("description", "description"),
            flag("print-xml", "only show the document"),
            flag("quiesce", "quiesce"),
        ],
        checkpoint_create_as,
    ),
    Command::new(
        "checkpoint-delete",
        "delete a checkpoint",
        &[
            DOMAIN,
            text("checkpointname", "the checkpoint's name"),
            flag("children", "children"),
            flag("children-only", "children only"),
            flag("metadata", "metadata"),
        ],
        checkpoint_delete,
    ),
    Command::new(
        "checkpoint-dumpxml",
        "a checkpoint's document",
        &[
            DOMAIN,
            text("checkpointname", "the checkpoint's name"),
            flag("security-info", "security info"),
            flag("no-domain", "no domain"),
            flag("size", "the new size, in KiB or with a unit"),
            text("xpath", "only the parts that this XPath expression finds").by_name(),
            flag("wrap", "put the parts found into one element"),
        ],
        checkpoint_document,
    ),
    Command::new(
        "checkpoint-edit",
        "change a checkpoint's document in an editor",
        &[DOMAIN, text("checkpointname", "the checkpoint's name")],
        checkpoint_edit,
    ),
    Command::new(
        "checkpoint-info",
        "the essentials of a checkpoint",
        &[DOMAIN, text("checkpointname", "the checkpoint's name")],
        checkpoint_info,
    ),
    Command::new("checkpoint-list", "a domain's checkpoints", &[DOMAIN, flag("name", "its name")], checkpoint_list),
    Command::new(
        "checkpoint-parent",
        "the checkpoint that another is based on",
        &[DOMAIN, text("checkpointname", "the checkpoint's name")],
        checkpoint_parent,
    ),
];

pub const BACKUP_COMMANDS: &[Command] = &[
    Command::new(
        "backup-begin",
        "begin to back up a running domain's disks",
        &[
            DOMAIN,
            text("backupxml", "backupxml"),
            text("checkpointxml", "checkpointxml"),
            flag("reuse-external", "reuse external"),
        ],
        backup_begin,
    ),
    Command::new(
        "backup-dumpxml",
        "the document of the backup under way",
        &[
            DOMAIN,
            text("xpath", "only the parts that this XPath expression finds").by_name(),
            flag("wrap", "put the parts found into one element"),
        ],
        backup_document,
    ),
];

const CREATE_BITS: &[(&str, u32)] = &[
    ("redefine", REDEFINE),
    ("current", 2),
    ("no-metadata", 4),
    ("halt", 8),
    ("disk-only", 16),
    ("reuse-external", 32),
    ("quiesce", 64),
    ("atomic", 128),
    ("live", 256),
    ("validate", 512),
];

fn make(shell: &Shell, dom: NonnullDomain, xml: String, flags: u32, from: &str) -> Done {
    let args = DomainSnapshotCreateXmlArgs { dom, xml_desc: xml.into(), flags };
    let made: DomainSnapshotCreateXmlRet = shell.call(Procedure::DomainSnapshotCreateXml, &args)?;
    shell.done(format!("Domain snapshot {} created{from}", made.snap.name))
}

fn create(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let flags = arguments.bits(CREATE_BITS);
    match arguments.text("xmlfile")? {
        None => make(shell, dom, "<domainsnapshot/>".to_string(), flags, ""),
        Some(path) => make(shell, dom, lookup::file(path)?, flags, &format!(" from '{path}'")),
    }
}

/// A document of that root with name and description.
fn named(root: &str, arguments: &Arguments) -> Result<String, Failure> {
    let mut xml = format!("<{root}>\n");
    for (option, element) in [("name", "name"), ("description", "description")] {
        if let Some(text) = arguments.text(option)? {
            xml += &format!("  <{element}>{}</{element}>\n", escaped(text, false));
        }
    }
    Ok(xml + &format!("</{root}>\n"))
}

fn create_as(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let xml = named("domainsnapshot", arguments)?;
    if arguments.has("print-xml") {
        shell.print(&xml);
        return Ok(());
    }
    make(shell, dom, xml, arguments.bits(CREATE_BITS), "")
}

fn find(shell: &Shell, dom: NonnullDomain, name: &str) -> api::Result<NonnullDomainSnapshot> {
    let args = DomainSnapshotLookupByNameArgs { dom, name: name.into(), flags: 0 };
    shell.call(Procedure::DomainSnapshotLookupByName, &args).map(|DomainSnapshotLookupByNameRet { snap }| snap)
}

fn find_current(shell: &Shell, dom: NonnullDomain) -> api::Result<NonnullDomainSnapshot> {
    shell
        .call(Procedure::DomainSnapshotCurrent, &DomainSnapshotCurrentArgs { dom, flags: 0 })
        .map(|DomainSnapshotCurrentRet { snap }| snap)
}

/// The snapshot that the options name.
fn chosen(shell: &Shell, arguments: &Arguments) -> Result<NonnullDomainSnapshot, Failure> {
    let dom = lookup::domain(shell, arguments)?;
    match arguments.text("snapshotname")? {
        Some(name) => Ok(find(shell, dom, name)?),
        None if arguments.has("current") => Ok(find_current(shell, dom)?),
        None => Err(Failure::new("--snapshotname or --current is required")),
    }
}

fn snapshot_xml(shell: &Shell, snap: &NonnullDomainSnapshot, flags: u32) -> Result<String, Failure> {
    let args = DomainSnapshotGetXmlDescArgs { snap: snap.clone(), flags };
    let got: DomainSnapshotGetXmlDescRet = shell.call(Procedure::DomainSnapshotGetXmlDesc, &args)?;
    Ok(got.xml.to_string_lossy())
}

fn current(shell: &mut Shell, arguments: &Arguments) -> Done {
    arguments.exclusive("name", "snapshotname")?;
    let dom = lookup::domain(shell, arguments)?;
    if let Some(name) = arguments.text("snapshotname")? {
        let snap = find(shell, dom.clone(), name)?;
        let xml_desc = snapshot_xml(shell, &snap, SECURE)?.into();
        let args = DomainSnapshotCreateXmlArgs { dom, xml_desc, flags: REDEFINE | 2 };
        shell.act(Procedure::DomainSnapshotCreateXml, &args)?;
        return shell.done(format!("Snapshot {name} set as current"));
    }
    let asked = DomainHasCurrentSnapshotArgs { dom: dom.clone(), flags: 0 };
    let DomainHasCurrentSnapshotRet { result } = shell.call(Procedure::DomainHasCurrentSnapshot, &asked)?;
    if result == 0 {
        return Err(Failure::new(format!("domain '{}' has no current snapshot", dom.name)));
    }
    let snap = find_current(shell, dom)?;
    if arguments.has("name") {
        return shell.value("name", &snap.name.to_string_lossy());
    }
    let xml = snapshot_xml(shell, &snap, arguments.bits(&[("security-info", SECURE)]))?;
    shell.print(&xml);
    Ok(())
}

fn delete(shell: &mut Shell, arguments: &Arguments) -> Done {
    let snap = chosen(shell, arguments)?;
    let name = snap.name.to_string_lossy();
    let flags = arguments.bits(&[("children", 1), ("metadata", 2), ("children-only", 4)]);
    shell
        .act(Procedure::DomainSnapshotDelete, &DomainSnapshotDeleteArgs { snap, flags })
        .context(format!("Failed to delete snapshot {name}"))?;
    match arguments.has("children-only") {
        true => shell.done(format!("Domain snapshot {name} children deleted")),
        false => shell.done(format!("Domain snapshot {name} deleted")),
    }
}

fn document(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let snap = find(shell, dom, arguments.need("snapshotname")?)?;
    let xml = snapshot_xml(shell, &snap, arguments.bits(&[("security-info", SECURE)]))?;
    print_document(shell, arguments, &xml)
}

fn edit(shell: &mut Shell, arguments: &Arguments) -> Done {
    let snap = chosen(shell, arguments)?;
    let name = snap.name.to_string_lossy();
    let flags = REDEFINE | arguments.bits(&[("current", 2)]);
    let fetch = |shell: &Shell| snapshot_xml(shell, &snap, SECURE);
    let put = |shell: &Shell, xml: &str, _: bool| {
        let args = DomainSnapshotCreateXmlArgs { dom: snap.dom.clone(), xml_desc: xml.into(), flags };
        let made: DomainSnapshotCreateXmlRet = shell.call(Procedure::DomainSnapshotCreateXml, &args)?;
        Ok(format!("Snapshot {}", made.snap.name))
    };
    let title = format!("Snapshot {name}");
    editing::edit(shell, &Edit { title, fetch: &fetch, put: &put, can_skip_validation: false })
}

fn info(shell: &mut Shell, arguments: &Arguments) -> Done {
    let snap = chosen(shell, arguments)?;
    let asked = DomainSnapshotIsCurrentArgs { snap: snap.clone(), flags: 0 };
    let DomainSnapshotIsCurrentRet { current } = shell.call(Procedure::DomainSnapshotIsCurrent, &asked)?;
    let xml = snapshot_xml(shell, &snap, 0)?;
    let parsed = crate::document::parse(&xml)?;
    let text = |path: &str| -> Option<String> {
        crate::document::select(&parsed, path).ok()?.first().map(crate::document::Found::text)
    };
    shell.pairs(
        16,
        &[
            ("Name:", snap.name.to_string_lossy()),
            ("Domain:", snap.dom.name.to_string_lossy()),
            ("Current:", if current > 0 { "yes" } else { "no" }.to_string()),
            ("State:", text("/domainsnapshot/state").unwrap_or_else(|| "-".into())),
            ("Parent:", text("/domainsnapshot/parent/name").unwrap_or_else(|| "-".into())),
        ],
    )
}

fn list(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let args = DomainListAllSnapshotsArgs { dom: dom.clone(), need_results: 1, flags: 0 };
    let snapshots = match shell.call(Procedure::DomainListAllSnapshots, &args) {
        Ok(DomainListAllSnapshotsRet { snapshots, .. }) => snapshots,
        // The older way to ask has the driver's own refusal.
        Err(error) if error.code == Code::NoSupport => {
            shell.act(Procedure::DomainSnapshotNum, &DomainSnapshotNumArgs { dom, flags: 0 })?;
            return Err(error.into());
        }
        Err(error) => return Err(error.into()),
    };
    if arguments.has("name") && !shell.json {
        shell.print(&snapshots.iter().map(|snap| format!("{}\n", snap.name)).collect::<String>());
        return Ok(());
    }
    let mut rows = Vec::new();
    for snap in &snapshots {
        let xml = snapshot_xml(shell, snap, 0)?;
        let parsed = crate::document::parse(&xml)?;
        let text = |name| crate::document::child(parsed.root_element(), name).and_then(|node| node.text());
        let time = text("creationTime").and_then(|time| time.parse().ok()).map(super::network::local_time);
        rows.push(vec![
            snap.name.to_string_lossy(),
            time.unwrap_or_else(|| "-".into()),
            text("state").unwrap_or("-").to_string(),
        ]);
    }
    shell.table(&["Name", "Creation Time", "State"], &rows)
}

fn parent(shell: &mut Shell, arguments: &Arguments) -> Done {
    let snap = chosen(shell, arguments)?;
    let args = DomainSnapshotGetParentArgs { snap, flags: 0 };
    let got: DomainSnapshotGetParentRet = shell.call(Procedure::DomainSnapshotGetParent, &args)?;
    shell.value("parent", &got.snap.name.to_string_lossy())
}

fn revert(shell: &mut Shell, arguments: &Arguments) -> Done {
    let snap = chosen(shell, arguments)?;
    let flags = arguments.bits(&[("running", 1), ("paused", 2), ("force", 4), ("reset-nvram", 8)]);
    let name = snap.name.to_string_lossy();
    shell.act(Procedure::DomainRevertToSnapshot, &DomainRevertToSnapshotArgs { snap, flags })?;
    shell.done(format!("Domain snapshot {name} reverted"))
}

fn make_checkpoint(shell: &Shell, dom: NonnullDomain, xml: String, flags: u32, from: &str) -> Done {
    let args = DomainCheckpointCreateXmlArgs { dom, xml_desc: xml.into(), flags };
    let made: DomainCheckpointCreateXmlRet = shell.call(Procedure::DomainCheckpointCreateXml, &args)?;
    shell.done(format!("Domain checkpoint {} created{from}", made.checkpoint.name))
}

const CHECKPOINT_BITS: &[(&str, u32)] = &[("redefine", REDEFINE), ("quiesce", 2), ("redefine-validate", 4)];

fn checkpoint_create(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let flags = arguments.bits(CHECKPOINT_BITS);
    match arguments.text("xmlfile")? {
        None => make_checkpoint(shell, dom, "<domaincheckpoint/>".to_string(), flags, ""),
        Some(path) => make_checkpoint(shell, dom, lookup::file(path)?, flags, &format!(" from '{path}'")),
    }
}

fn checkpoint_create_as(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let xml = named("domaincheckpoint", arguments)?;
    if arguments.has("print-xml") {
        shell.print(&xml);
        return Ok(());
    }
    make_checkpoint(shell, dom, xml, arguments.bits(CHECKPOINT_BITS), "")
}

fn checkpoint(shell: &Shell, arguments: &Arguments) -> Result<NonnullDomainCheckpoint, Failure> {
    let dom = lookup::domain(shell, arguments)?;
    let name = arguments.text("checkpointname")?.ok_or_else(|| Failure::new("--checkpointname is required"))?.into();
    let args = DomainCheckpointLookupByNameArgs { dom, name, flags: 0 };
    let got: DomainCheckpointLookupByNameRet = shell.call(Procedure::DomainCheckpointLookupByName, &args)?;
    Ok(got.checkpoint)
}

fn checkpoint_xml(shell: &Shell, checkpoint: &NonnullDomainCheckpoint, flags: u32) -> Result<String, Failure> {
    let args = DomainCheckpointGetXmlDescArgs { checkpoint: checkpoint.clone(), flags };
    let got: DomainCheckpointGetXmlDescRet = shell.call(Procedure::DomainCheckpointGetXmlDesc, &args)?;
    Ok(got.xml.to_string_lossy())
}

fn checkpoint_delete(shell: &mut Shell, arguments: &Arguments) -> Done {
    let checkpoint = checkpoint(shell, arguments)?;
    let name = checkpoint.name.to_string_lossy();
    let flags = arguments.bits(&[("children", 1), ("metadata", 2), ("children-only", 4)]);
    shell
        .act(Procedure::DomainCheckpointDelete, &DomainCheckpointDeleteArgs { checkpoint, flags })
        .context(format!("Failed to delete checkpoint {name}"))?;
    shell.done(format!("Domain checkpoint {name} deleted"))
}

fn checkpoint_document(shell: &mut Shell, arguments: &Arguments) -> Done {
    let checkpoint = checkpoint(shell, arguments)?;
    let flags = arguments.bits(&[("security-info", SECURE), ("no-domain", 2), ("size", 4)]);
    print_document(shell, arguments, &checkpoint_xml(shell, &checkpoint, flags)?)
}

fn checkpoint_edit(shell: &mut Shell, arguments: &Arguments) -> Done {
    let checkpoint = checkpoint(shell, arguments)?;
    let fetch = |shell: &Shell| checkpoint_xml(shell, &checkpoint, SECURE);
    let put = |shell: &Shell, xml: &str, _: bool| {
        let dom = checkpoint.dom.clone();
        let args = DomainCheckpointCreateXmlArgs { dom, xml_desc: xml.into(), flags: REDEFINE };
        let made: DomainCheckpointCreateXmlRet = shell.call(Procedure::DomainCheckpointCreateXml, &args)?;
        Ok(format!("Checkpoint {}", made.checkpoint.name))
    };
    let title = format!("Checkpoint {}", checkpoint.name);
    editing::edit(shell, &Edit { title, fetch: &fetch, put: &put, can_skip_validation: false })
}

fn checkpoint_parent_of(shell: &Shell, checkpoint: NonnullDomainCheckpoint) -> api::Result<Option<String>> {
    let args = DomainCheckpointGetParentArgs { checkpoint, flags: 0 };
    match shell.call(Procedure::DomainCheckpointGetParent, &args) {
        Ok(DomainCheckpointGetParentRet { parent }) => Ok(Some(parent.name.to_string_lossy())),
        Err(error) if error.code == Code::NoDomainCheckpoint => Ok(None),
        Err(error) => Err(error),
    }
}

fn checkpoint_info(shell: &mut Shell, arguments: &Arguments) -> Done {
    let checkpoint = checkpoint(shell, arguments)?;
    let parent = checkpoint_parent_of(shell, checkpoint.clone())?;
    shell.pairs(
        16,
        &[
            ("Name:", checkpoint.name.to_string_lossy()),
            ("Domain:", checkpoint.dom.name.to_string_lossy()),
            ("Parent:", parent.unwrap_or_else(|| "-".into())),
        ],
    )
}

fn checkpoint_parent(shell: &mut Shell, arguments: &Arguments) -> Done {
    let checkpoint = checkpoint(shell, arguments)?;
    let name = checkpoint.name.to_string_lossy();
    match checkpoint_parent_of(shell, checkpoint)? {
        Some(parent) => shell.value("parent", &parent),
        None => Err(Failure::new(format!("checkpoint '{name}' has no parent"))),
    }
}

fn checkpoint_list(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let args = DomainListAllCheckpointsArgs { dom, need_results: 1, flags: 0 };
    let listed: DomainListAllCheckpointsRet =
        shell.call(Procedure::DomainListAllCheckpoints, &args).context("unexpected problem querying checkpoints")?;
    let rows: Vec<Vec<String>> =
        listed.checkpoints.iter().map(|checkpoint| vec![checkpoint.name.to_string_lossy()]).collect();
    if arguments.has("name") && !shell.json {
        shell.print(&rows.iter().flatten().map(|name| format!("{name}\n")).collect::<String>());
        return Ok(());
    }
    shell.table(&["Name"], &rows)
}

fn backup_begin(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let backup_xml = match arguments.text("backupxml")? {
        Some(path) => lookup::file(path)?,
        None => "<domainbackup/>".to_string(),
    };
    let checkpoint_xml = arguments.text("checkpointxml")?.map(lookup::file).transpose()?.map(Into::into);
    let flags = arguments.bits(&[("reuse-external", 1)]);
    let args = DomainBackupBeginArgs { dom, backup_xml: backup_xml.into(), checkpoint_xml, flags };
    shell.act(Procedure::DomainBackupBegin, &args)?;
    shell.done("Backup started".to_string())
}

fn backup_document(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let got: DomainBackupGetXmlDescRet =
        shell.call(Procedure::DomainBackupGetXmlDesc, &DomainBackupGetXmlDescArgs { dom, flags: 0 })?;
    print_document(shell, arguments, &got.xml.to_string_lossy())
}
