//! Storage pools, where the daemon has a driver for them.

use super::describe::print_document;
use super::events;
use super::pool_listing::{info, list};
use crate::arguments::Arguments;
use crate::document::{escaped, quoted};
use crate::editing::{self, Edit};
use crate::failure::{Context, Done, Failure};
use crate::lookup;
use crate::shell::Shell;
use crate::table::*;
use api::Uuid;
use rpc::remote::*;

const INACTIVE_XML: u32 = 1;
/// What a start may build first.
const BUILD_BITS: &[(&str, u32)] = &[("build", 1), ("overwrite", 2), ("no-overwrite", 4)];

pub const COMMANDS: &[Command] = &[
    Command::new(
        "find-storage-pool-sources-as",
        "look for what a storage pool could be made of",
        &[
            text("type", "its kind").required(),
            text("host", "host"),
            text("port", "port"),
            text("initiator", "initiator"),
        ],
        sources_as,
    ),
    Command::new(
        "find-storage-pool-sources",
        "look for what a storage pool could be made of, as a document says",
        &[text("type", "its kind").required()],
        sources,
    ),
    Command::new(
        "pool-autostart",
        "have a storage pool started with the daemon, or not",
        &[text("pool", "the storage pool's name or UUID").required(), flag("disable", "turn it off")],
        autostart,
    ),
    Command::new(
        "pool-build",
        "prepare a storage pool's place",
        &[
            text("pool", "the storage pool's name or UUID").required(),
            flag("no-overwrite", "only where nothing is yet"),
            flag("overwrite", "whatever is there"),
        ],
        build,
    ),
    Command::new(
        "pool-create-as",
        "start a storage pool from its essentials",
        &[
            text("name", "its name").required(),
            text("type", "its kind").required(),
            flag("print-xml", "only show the document"),
            text("source-host", "source host"),
            text("source-path", "source path"),
            text("source-dev", "source dev"),
            text("source-name", "source name"),
            text("target", "what it becomes"),
            text("source-format", "source format"),
            text("auth-type", "auth type"),
            text("auth-username", "auth username"),
            text("secret-usage", "secret usage"),
            text("secret-uuid", "secret uuid"),
            text("adapter-name", "adapter name"),
            text("adapter-wwnn", "adapter wwnn"),
            text("adapter-wwpn", "adapter wwpn"),
            text("adapter-parent", "adapter parent"),
            text("adapter-parent-wwnn", "adapter parent wwnn"),
            text("adapter-parent-wwpn", "adapter parent wwpn"),
            text("adapter-parent-fabric-wwn", "adapter parent fabric wwn"),
            text("source-protocol-ver", "source protocol ver"),
            text("source-initiator", "source initiator"),
            flag("build", "build"),
            flag("no-overwrite", "only where nothing is yet"),
            flag("overwrite", "whatever is there"),
        ],
        create_as,
    ),
    Command::new(
        "pool-create",
        "start a storage pool from a document that is not kept",
        &[
            FILE,
            flag("build", "build"),
            flag("no-overwrite", "only where nothing is yet"),
            flag("overwrite", "whatever is there"),
        ],
        create,
    ),
    Command::new(
        "pool-define-as",
        "keep a storage pool's document, made from its essentials",
        &[
            text("name", "its name").required(),
            text("type", "its kind").required(),
            flag("print-xml", "only show the document"),
            text("source-host", "source host"),
            text("source-path", "source path"),
            text("source-dev", "source dev"),
            text("source-name", "source name"),
            text("target", "what it becomes"),
            text("source-format", "source format"),
            text("auth-type", "auth type"),
            text("auth-username", "auth username"),
            text("secret-usage", "secret usage"),
            text("secret-uuid", "secret uuid"),
            text("adapter-name", "adapter name"),
            text("adapter-wwnn", "adapter wwnn"),
            text("adapter-wwpn", "adapter wwpn"),
            text("adapter-parent", "adapter parent"),
            text("adapter-parent-wwnn", "adapter parent wwnn"),
            text("adapter-parent-wwpn", "adapter parent wwpn"),
            text("adapter-parent-fabric-wwn", "adapter parent fabric wwn"),
            text("source-protocol-ver", "source protocol ver"),
            text("source-initiator", "source initiator"),
        ],
        define_as,
    ),
    Command::new(
        "pool-define",
        "keep a storage pool's document",
        &[FILE, flag("validate", "hold the document against the schema")],
        define,
    ),
    Command::new(
        "pool-delete",
        "delete a storage pool's place",
        &[text("pool", "the storage pool's name or UUID").required()],
        delete,
    ),
    Command::new(
        "pool-destroy",
        "stop a storage pool",
        &[text("pool", "the storage pool's name or UUID").required()],
        destroy,
    ),
    Command::new(
        "pool-dumpxml",
        "a storage pool's document",
        &[
            text("pool", "the storage pool's name or UUID").required(),
            flag("inactive", "also those that do not run"),
            text("xpath", "only the parts that this XPath expression finds").by_name(),
            flag("wrap", "put the parts found into one element"),
        ],
        document,
    ),
    Command::new(
        "pool-edit",
        "change a storage pool's document in an editor",
        &[text("pool", "the storage pool's name or UUID").required()],
        edit,
    ),
    Command::new(
        "pool-info",
        "the essentials of a storage pool",
        &[text("pool", "the storage pool's name or UUID").required(), flag("bytes", "sizes in bytes")],
        info,
    ),
    Command::new(
        "pool-list",
        "the storage pools there are",
        &[
            flag("inactive", "also those that do not run"),
            flag("all", "all of them"),
            flag("transient", "those without a kept document"),
            flag("persistent", "those with a kept document"),
            flag("autostart", "those started with the daemon"),
            flag("no-autostart", "those not started with the daemon"),
            text("type", "those of these types, between commas"),
            flag("details", "with more details"),
            flag("uuid", "uuid"),
            flag("name", "its name"),
        ],
        list,
    ),
    Command::new(
        "pool-name",
        "a storage pool's name",
        &[text("pool", "the storage pool's name or UUID").required()],
        name,
    ),
    Command::new(
        "pool-refresh",
        "look again for a storage pool's volumes",
        &[text("pool", "the storage pool's name or UUID").required()],
        refresh,
    ),
    Command::new(
        "pool-start",
        "start a defined storage pool",
        &[
            text("pool", "the storage pool's name or UUID").required(),
            flag("build", "build"),
            flag("no-overwrite", "only where nothing is yet"),
            flag("overwrite", "whatever is there"),
        ],
        start,
    ),
    Command::new(
        "pool-undefine",
        "forget a storage pool's document",
        &[text("pool", "the storage pool's name or UUID").required()],
        undefine,
    ),
    Command::new(
        "pool-uuid",
        "a storage pool's UUID",
        &[text("pool", "the storage pool's name or UUID").required()],
        uuid,
    ),
    Command::new(
        "pool-event",
        "wait for events of storage pools",
        &[
            text("pool", "the storage pool's name or UUID"),
            text("event", "of this kind"),
            flag("loop", "go on until the time is over or an interrupt"),
            number("timeout", "wait so many seconds at most"),
            flag("list", "list the kinds of events"),
            flag("timestamp", "begin each line with the time"),
        ],
        event,
    ),
    Command::new("pool-capabilities", "what kinds of storage pools there can be", &[], capabilities),
];

pub fn by_name(shell: &Shell, name: &str) -> api::Result<NonnullStoragePool> {
    shell
        .call(Procedure::StoragePoolLookupByName, &StoragePoolLookupByNameArgs { name: name.into() })
        .map(|StoragePoolLookupByNameRet { pool }| pool)
}

fn by_uuid(shell: &Shell, uuid: Uuid) -> api::Result<NonnullStoragePool> {
    shell
        .call(Procedure::StoragePoolLookupByUuid, &StoragePoolLookupByUuidArgs { uuid: uuid.0 })
        .map(|StoragePoolLookupByUuidRet { pool }| pool)
}

pub fn find(shell: &Shell, name: &str) -> Result<NonnullStoragePool, Failure> {
    if name.len() == 36 {
        if let Some(pool) = Uuid::parse(name).and_then(|uuid| by_uuid(shell, uuid).ok()) {
            return Ok(pool);
        }
    }
    by_name(shell, name).context(format!("failed to get pool '{name}'"))
}

pub fn chosen(shell: &Shell, arguments: &Arguments) -> Result<NonnullStoragePool, Failure> {
    find(shell, arguments.need("pool")?)
}

fn discover(shell: &Shell, kind: &str, source: Option<String>) -> Done {
    let args = ConnectFindStoragePoolSourcesArgs { r#type: kind.into(), src_spec: source.map(Into::into), flags: 0 };
    let got: ConnectFindStoragePoolSourcesRet = shell
        .call(Procedure::ConnectFindStoragePoolSources, &args)
        .context(format!("Failed to find any {kind} pool sources"))?;
    shell.print(&got.xml.to_string_lossy());
    Ok(())
}

fn sources_as(shell: &mut Shell, arguments: &Arguments) -> Done {
    let source = match arguments.text("host")? {
        None => None,
        Some(host) => {
            let port = arguments.text("port")?.map_or_else(String::new, |port| format!(" port='{}'", quoted(port)));
            let mut xml = format!("<source>\n  <host name='{}'{port}/>\n", quoted(host));
            if let Some(initiator) = arguments.text("initiator")? {
                xml += &format!("  <initiator>\n    <iqn name='{}'/>\n  </initiator>\n", quoted(initiator));
            }
            Some(xml + "</source>\n")
        }
    };
    discover(shell, arguments.need("type")?, source)
}

fn sources(shell: &mut Shell, arguments: &Arguments) -> Done {
    let source = arguments.text("srcSpec")?.map(lookup::file).transpose()?;
    discover(shell, arguments.need("type")?, source)
}

fn autostart(shell: &mut Shell, arguments: &Arguments) -> Done {
    let pool = chosen(shell, arguments)?;
    let name = pool.name.to_string_lossy();
    let (autostart, verb) = if arguments.has("disable") { (0, "unmark") } else { (1, "mark") };
    shell
        .act(Procedure::StoragePoolSetAutostart, &StoragePoolSetAutostartArgs { pool, autostart })
        .context(format!("failed to {verb} pool {name} as autostarted"))?;
    shell.done(format!("Pool {name} {verb}ed as autostarted"))
}

fn build(shell: &mut Shell, arguments: &Arguments) -> Done {
    arguments.exclusive("overwrite", "no-overwrite")?;
    let pool = chosen(shell, arguments)?;
    let name = pool.name.to_string_lossy();
    let flags = arguments.bits(&[("no-overwrite", 4), ("overwrite", 8)]);
    shell
        .act(Procedure::StoragePoolBuild, &StoragePoolBuildArgs { pool, flags })
        .context(format!("Failed to build pool {name}"))?;
    shell.done(format!("Pool {name} built"))
}

fn create(shell: &mut Shell, arguments: &Arguments) -> Done {
    arguments.exclusive("overwrite", "no-overwrite")?;
    let path = arguments.need("file")?;
    let args = StoragePoolCreateXmlArgs { xml: lookup::file(path)?.into(), flags: arguments.bits(BUILD_BITS) };
    let made: StoragePoolCreateXmlRet =
        shell.call(Procedure::StoragePoolCreateXml, &args).context(format!("Failed to create pool from {path}"))?;
    shell.done(format!("Pool {} created from {path}", made.pool.name))
}

fn define(shell: &mut Shell, arguments: &Arguments) -> Done {
    let path = arguments.need("file")?;
    let args = StoragePoolDefineXmlArgs { xml: lookup::file(path)?.into(), flags: arguments.bits(&[("validate", 1)]) };
    let made: StoragePoolDefineXmlRet =
        shell.call(Procedure::StoragePoolDefineXml, &args).context(format!("Failed to define pool from {path}"))?;
    shell.done(format!("Pool {} defined from {path}", made.pool.name))
}

/// The document that the options of `pool-create-as` and `pool-define-as` describe.
fn composed(arguments: &Arguments) -> Result<String, Failure> {
    let text = |name| -> Result<Option<String>, Failure> { Ok(arguments.text(name)?.map(quoted)) };
    let mut xml = format!("<pool type='{}'>\n", quoted(arguments.need("type")?));
    xml += &format!("  <name>{}</name>\n", escaped(arguments.need("name")?, false));
    let mut source = String::new();
    if let Some(host) = text("source-host")? {
        source += &format!("    <host name='{host}'/>\n");
    }
    if let Some(path) = text("source-path")? {
        source += &format!("    <dir path='{path}'/>\n");
    }
    if let Some(device) = text("source-dev")? {
        source += &format!("    <device path='{device}'/>\n");
    }
    if let Some(initiator) = text("source-initiator")? {
        source += &format!("    <initiator>\n      <iqn name='{initiator}'/>\n    </initiator>\n");
    }
    if let Some(adapter) = text("adapter-name")? {
        source += &format!("    <adapter type='scsi_host' name='{adapter}'/>\n");
    }
    if let (Some(kind), Some(user)) = (text("auth-type")?, text("auth-username")?) {
        let secret = match (text("secret-usage")?, text("secret-uuid")?) {
            (Some(usage), _) => format!("      <secret usage='{usage}'/>\n"),
            (None, Some(uuid)) => format!("      <secret uuid='{uuid}'/>\n"),
            (None, None) => return Err(Failure::new("auth-type needs --secret-usage or --secret-uuid")),
        };
        source += &format!("    <auth type='{kind}' username='{user}'>\n{secret}    </auth>\n");
    }
    if let Some(name) = arguments.text("source-name")? {
        source += &format!("    <name>{}</name>\n", escaped(name, false));
    }
    if let Some(format) = text("source-format")? {
        source += &format!("    <format type='{format}'/>\n");
    }
    if let Some(version) = text("source-protocol-ver")? {
        source += &format!("    <protocol ver='{version}'/>\n");
    }
    if !source.is_empty() {
        xml += &format!("  <source>\n{source}  </source>\n");
    }
    if let Some(target) = arguments.text("target")? {
        xml += &format!("  <target>\n    <path>{}</path>\n  </target>\n", escaped(target, false));
    }
    Ok(xml + "</pool>\n")
}

fn create_as(shell: &mut Shell, arguments: &Arguments) -> Done {
    let xml = composed(arguments)?;
    if arguments.has("print-xml") {
        shell.print(&xml);
        return Ok(());
    }
    let name = arguments.need("name")?;
    let args = StoragePoolCreateXmlArgs { xml: xml.into(), flags: arguments.bits(BUILD_BITS) };
    shell.act(Procedure::StoragePoolCreateXml, &args).context(format!("Failed to create pool {name}"))?;
    shell.done(format!("Pool {name} created"))
}

fn define_as(shell: &mut Shell, arguments: &Arguments) -> Done {
    let xml = composed(arguments)?;
    if arguments.has("print-xml") {
        shell.print(&xml);
        return Ok(());
    }
    let name = arguments.need("name")?;
    let args = StoragePoolDefineXmlArgs { xml: xml.into(), flags: 0 };
    shell.act(Procedure::StoragePoolDefineXml, &args).context(format!("Failed to define pool {name}"))?;
    shell.done(format!("Pool {name} defined"))
}

fn delete(shell: &mut Shell, arguments: &Arguments) -> Done {
    let pool = chosen(shell, arguments)?;
    let name = pool.name.to_string_lossy();
    shell
        .act(Procedure::StoragePoolDelete, &StoragePoolDeleteArgs { pool, flags: 0 })
        .context(format!("Failed to delete pool {name}"))?;
    shell.done(format!("Pool {name} deleted"))
}

fn destroy(shell: &mut Shell, arguments: &Arguments) -> Done {
    let pool = chosen(shell, arguments)?;
    let name = pool.name.to_string_lossy();
    shell
        .act(Procedure::StoragePoolDestroy, &StoragePoolDestroyArgs { pool })
        .context(format!("Failed to destroy pool {name}"))?;
    shell.done(format!("Pool {name} destroyed"))
}

fn refresh(shell: &mut Shell, arguments: &Arguments) -> Done {
    let pool = chosen(shell, arguments)?;
    let name = pool.name.to_string_lossy();
    shell
        .act(Procedure::StoragePoolRefresh, &StoragePoolRefreshArgs { pool, flags: 0 })
        .context(format!("Failed to refresh pool {name}"))?;
    shell.done(format!("Pool {name} refreshed"))
}

fn start(shell: &mut Shell, arguments: &Arguments) -> Done {
    arguments.exclusive("overwrite", "no-overwrite")?;
    let pool = chosen(shell, arguments)?;
    let name = pool.name.to_string_lossy();
    let flags = arguments.bits(BUILD_BITS);
    shell
        .act(Procedure::StoragePoolCreate, &StoragePoolCreateArgs { pool, flags })
        .context(format!("Failed to start pool {name}"))?;
    shell.done(format!("Pool {name} started"))
}

fn undefine(shell: &mut Shell, arguments: &Arguments) -> Done {
    let pool = chosen(shell, arguments)?;
    let name = pool.name.to_string_lossy();
    shell
        .act(Procedure::StoragePoolUndefine, &StoragePoolUndefineArgs { pool })
        .context(format!("Failed to undefine pool {name}"))?;
    shell.done(format!("Pool {name} has been undefined"))
}

fn xml_of(shell: &Shell, pool: &NonnullStoragePool, flags: u32) -> Result<String, Failure> {
    let args = StoragePoolGetXmlDescArgs { pool: pool.clone(), flags };
    let got: StoragePoolGetXmlDescRet = shell.call(Procedure::StoragePoolGetXmlDesc, &args)?;
    Ok(got.xml.to_string_lossy())
}

fn document(shell: &mut Shell, arguments: &Arguments) -> Done {
    let pool = chosen(shell, arguments)?;
    let xml = xml_of(shell, &pool, arguments.bits(&[("inactive", INACTIVE_XML)]))?;
    print_document(shell, arguments, &xml)
}

fn edit(shell: &mut Shell, arguments: &Arguments) -> Done {
    let pool = chosen(shell, arguments)?;
    let fetch = |shell: &Shell| xml_of(shell, &pool, INACTIVE_XML);
    let put = |shell: &Shell, xml: &str, _: bool| {
        let args = StoragePoolDefineXmlArgs { xml: xml.into(), flags: 0 };
        let kept: StoragePoolDefineXmlRet = shell.call(Procedure::StoragePoolDefineXml, &args)?;
        Ok(format!("Pool {}", kept.pool.name))
    };
    let title = format!("Pool {}", pool.name);
    editing::edit(shell, &Edit { title, fetch: &fetch, put: &put, can_skip_validation: false })
}

fn name(shell: &mut Shell, arguments: &Arguments) -> Done {
    let given = arguments.need("pool")?;
    let failed = format!("failed to get pool '{given}'");
    let uuid = Uuid::parse(given).ok_or_else(|| Failure::new(&failed))?;
    shell.value("name", &by_uuid(shell, uuid).context(failed)?.name.to_string_lossy())
}

fn uuid(shell: &mut Shell, arguments: &Arguments) -> Done {
    let given = arguments.need("pool")?;
    let pool = by_name(shell, given).context(format!("failed to get pool '{given}'"))?;
    shell.value("uuid", &Uuid(pool.uuid).to_string())
}

fn capabilities(shell: &mut Shell, _: &Arguments) -> Done {
    let got: ConnectGetStoragePoolCapabilitiesRet = shell
        .call(Procedure::ConnectGetStoragePoolCapabilities, &ConnectGetStoragePoolCapabilitiesArgs { flags: 0 })
        .context("failed to get storage pool capabilities")?;
    shell.document(&got.capabilities.to_string_lossy())
}

fn event(shell: &mut Shell, arguments: &Arguments) -> Done {
    let Some((event_id, deadline)) = events::asked(shell, arguments, &["lifecycle", "refresh"])? else { return Ok(()) };
    let pool = arguments.text("pool")?.map(|name| find(shell, name)).transpose()?;
    let args = ConnectStoragePoolEventRegisterAnyArgs { event_id, pool };
    let ConnectStoragePoolEventRegisterAnyRet { callback_id } =
        shell.call(Procedure::ConnectStoragePoolEventRegisterAny, &args)?;
    let outcome = events::wait(shell, arguments, deadline, |message| {
        let tell = |name: &rpc::Str, kind, detail: &str| events::named("storage pool", name, kind, detail);
        match Procedure::from_number(message.header.procedure)? {
            Procedure::StoragePoolEventLifecycle => {
                let told = message.decode::<StoragePoolEventLifecycleMsg>().ok()?;
                let words = ["Defined", "Undefined", "Started", "Stopped", "Created", "Deleted"];
                Some(tell(&told.pool.name, "lifecycle", events::index(&words, told.event)))
            }
            Procedure::StoragePoolEventRefresh => {
                let told = message.decode::<StoragePoolEventRefreshMsg>().ok()?;
                Some(tell(&told.pool.name, "refresh", ""))
            }
            _ => None,
        }
    });
    _ = shell.act(
        Procedure::ConnectStoragePoolEventDeregisterAny,
        &ConnectStoragePoolEventDeregisterAnyArgs { callback_id },
    );
    outcome
}
