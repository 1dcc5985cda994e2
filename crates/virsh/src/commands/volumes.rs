//! Volumes of storage pools, where the daemon has a driver for them.

use super::describe::print_document;
use super::{events, pools};
use crate::arguments::{Arguments, scaled};
use crate::document::{self, escaped, quoted};
use crate::failure::{Context, Done, Failure};
use crate::lookup;
use crate::report::pretty_capacity;
use crate::shell::Shell;
use crate::table::*;
use api::Uuid;
use rpc::remote::*;
use std::fs::File;
use std::io::{Read, Write};

const KINDS: &[&str] = &["file", "block", "dir", "network", "netdir", "ploop"];
/// So much of a file goes into one packet.
const PIECE: usize = 262_120;

pub const COMMANDS: &[Command] = &[
    Command::new(
        "vol-clone",
        "copy a volume",
        &[
            text("vol", "the volume's name, key or path").required(),
            text("newname", "name of the new one").required(),
            text("pool", "the storage pool's name or UUID"),
        ],
        clone,
    ),
    Command::new(
        "vol-create-as",
        "make a volume from its essentials",
        &[
            text("pool", "the storage pool's name or UUID").required(),
            text("name", "its name").required(),
            text("capacity", "its size, in bytes or with a unit").required(),
            text("allocation", "allocation"),
            text("format", "form of the data"),
            text("backing-vol", "backing vol"),
            text("backing-vol-format", "backing vol format"),
        ],
        create_as,
    ),
    Command::new(
        "vol-create",
        "make a volume from a document",
        &[
            text("pool", "the storage pool's name or UUID").required(),
            FILE,
            flag("validate", "hold the document against the schema"),
        ],
        create,
    ),
    Command::new(
        "vol-create-from",
        "make a volume with the content of another",
        &[
            text("pool", "the storage pool's name or UUID").required(),
            FILE,
            text("vol", "the volume's name, key or path").required(),
            text("inputpool", "inputpool"),
            flag("validate", "hold the document against the schema"),
        ],
        create_from,
    ),
    Command::new(
        "vol-delete",
        "delete a volume",
        &[text("vol", "the volume's name, key or path").required(), text("pool", "the storage pool's name or UUID")],
        delete,
    ),
    Command::new(
        "vol-download",
        "copy a volume to a file",
        &[
            text("vol", "the volume's name, key or path").required(),
            text("file", "the file").required().of(Values::Files),
            text("pool", "the storage pool's name or UUID"),
        ],
        download,
    ),
    Command::new(
        "vol-dumpxml",
        "a volume's document",
        &[
            text("vol", "the volume's name, key or path").required(),
            text("pool", "the storage pool's name or UUID"),
            text("xpath", "only the parts that this XPath expression finds").by_name(),
            flag("wrap", "put the parts found into one element"),
        ],
        document,
    ),
    Command::new(
        "vol-info",
        "the essentials of a volume",
        &[
            text("vol", "the volume's name, key or path").required(),
            text("pool", "the storage pool's name or UUID"),
            flag("bytes", "sizes in bytes"),
            flag("physical", "physical"),
        ],
        info,
    ),
    Command::new(
        "vol-key",
        "a volume's key",
        &[text("vol", "the volume's name, key or path").required(), text("pool", "the storage pool's name or UUID")],
        key,
    ),
    Command::new(
        "vol-list",
        "a storage pool's volumes",
        &[text("pool", "the storage pool's name or UUID").required(), flag("details", "with more details")],
        list,
    ),
    Command::new("vol-name", "a volume's name", &[text("vol", "the volume's name, key or path").required()], name),
    Command::new(
        "vol-path",
        "a volume's path",
        &[text("vol", "the volume's name, key or path").required(), text("pool", "the storage pool's name or UUID")],
        path,
    ),
    Command::new(
        "vol-pool",
        "the storage pool of a volume",
        &[text("vol", "the volume's name, key or path").required(), flag("uuid", "uuid")],
        pool,
    ),
    Command::new(
        "vol-resize",
        "change a volume's size",
        &[
            text("vol", "the volume's name, key or path").required(),
            text("capacity", "its size, in bytes or with a unit").required(),
            text("pool", "the storage pool's name or UUID"),
        ],
        resize,
    ),
    Command::new(
        "vol-upload",
        "copy a file into a volume",
        &[
            text("vol", "the volume's name, key or path").required(),
            text("file", "the file").required().of(Values::Files),
            text("pool", "the storage pool's name or UUID"),
        ],
        upload,
    ),
    Command::new(
        "vol-wipe",
        "overwrite a volume",
        &[text("vol", "the volume's name, key or path").required(), text("pool", "the storage pool's name or UUID")],
        wipe,
    ),
];

fn in_pool(shell: &Shell, pool: NonnullStoragePool, name: &str) -> api::Result<NonnullStorageVol> {
    shell
        .call(Procedure::StorageVolLookupByName, &StorageVolLookupByNameArgs { pool, name: name.into() })
        .map(|StorageVolLookupByNameRet { vol }| vol)
}

/// A volume by name in a pool, or by key or path anywhere.
fn find(shell: &Shell, name: &str, pool: Option<&str>, may_name_pool: bool) -> Result<NonnullStorageVol, Failure> {
    if let Some(pool) = pool {
        let pool = pools::find(shell, pool)?;
        if let Ok(vol) = in_pool(shell, pool, name) {
            return Ok(vol);
        }
    }
    let by_key = shell.call(Procedure::StorageVolLookupByKey, &StorageVolLookupByKeyArgs { key: name.into() });
    if let Ok(StorageVolLookupByKeyRet { vol }) = by_key {
        return Ok(vol);
    }
    let hint = if pool.is_none() && may_name_pool { ", specifying --pool might help" } else { "" };
    shell
        .call(Procedure::StorageVolLookupByPath, &StorageVolLookupByPathArgs { path: name.into() })
        .map(|StorageVolLookupByPathRet { vol }| vol)
        .context(format!("failed to get vol '{name}'{hint}"))
}

fn chosen(shell: &Shell, arguments: &Arguments) -> Result<NonnullStorageVol, Failure> {
    find(shell, arguments.need("vol")?, arguments.text("pool")?, true)
}

fn bytes(text: &str) -> Result<u64, Failure> {
    scaled(text, 1).ok_or_else(|| Failure::new(format!("Malformed size {text}")))
}

fn make(shell: &Shell, pool: NonnullStoragePool, xml: String, flags: u32) -> api::Result<NonnullStorageVol> {
    let args = StorageVolCreateXmlArgs { pool, xml: xml.into(), flags };
    shell.call(Procedure::StorageVolCreateXml, &args).map(|StorageVolCreateXmlRet { vol }| vol)
}

fn create(shell: &mut Shell, arguments: &Arguments) -> Done {
    let pool = pools::chosen(shell, arguments)?;
    let path = arguments.need("file")?;
    let flags = arguments.bits(&[("validate", 4)]);
    let vol = make(shell, pool, lookup::file(path)?, flags).context(format!("Failed to create vol from {path}"))?;
    shell.done(format!("Vol {} created from {path}", vol.name))
}

fn create_as(shell: &mut Shell, arguments: &Arguments) -> Done {
    let pool = pools::chosen(shell, arguments)?;
    let name = arguments.need("name")?;
    let mut xml = format!("<volume>\n  <name>{}</name>\n", escaped(name, false));
    xml += &format!("  <capacity>{}</capacity>\n", bytes(arguments.need("capacity")?)?);
    if let Some(allocation) = arguments.text("allocation")? {
        xml += &format!("  <allocation>{}</allocation>\n", bytes(allocation)?);
    }
    if let Some(format) = arguments.text("format")? {
        xml += &format!("  <target>\n    <format type='{}'/>\n  </target>\n", quoted(format));
    }
    if let Some(backing) = arguments.text("backing-vol")? {
        let vol = match in_pool(shell, pool.clone(), backing) {
            Ok(vol) => vol,
            Err(_) => find(shell, backing, None, false)?,
        };
        let path = path_of(shell, vol)?;
        let format = arguments
            .text("backing-vol-format")?
            .map_or_else(String::new, |format| format!("    <format type='{}'/>\n", quoted(format)));
        xml += &format!("  <backingStore>\n    <path>{}</path>\n{format}  </backingStore>\n", escaped(&path, false));
    }
    xml += "</volume>\n";
    make(shell, pool, xml, 0).context(format!("Failed to create vol {name}"))?;
    shell.done(format!("Vol {name} created"))
}

fn copy_of(
    shell: &Shell,
    pool: NonnullStoragePool,
    xml: String,
    from: NonnullStorageVol,
    flags: u32,
) -> api::Result<NonnullStorageVol> {
    let args = StorageVolCreateXmlFromArgs { pool, xml: xml.into(), clonevol: from, flags };
    shell.call(Procedure::StorageVolCreateXmlFrom, &args).map(|StorageVolCreateXmlFromRet { vol }| vol)
}

fn create_from(shell: &mut Shell, arguments: &Arguments) -> Done {
    let pool = pools::chosen(shell, arguments)?;
    let path = arguments.need("file")?;
    let from = find(shell, arguments.need("vol")?, arguments.text("inputpool")?, true)?;
    let inner = arguments.need("vol")?;
    let made = copy_of(shell, pool, lookup::file(path)?, from, arguments.bits(&[("validate", 4)]))
        .context(format!("Failed to create vol from {path}"))?;
    shell.done(format!("Vol {} created from input vol {inner}", made.name))
}

fn clone(shell: &mut Shell, arguments: &Arguments) -> Done {
    let vol = chosen(shell, arguments)?;
    let pool = pool_of(shell, vol.clone()).context("failed to get parent pool")?;
    let name = arguments.need("newname")?;
    let xml = xml_of(shell, &vol)?;
    let parsed = document::parse(&xml)?;
    let old = document::child(parsed.root_element(), "name").map(document::verbatim).unwrap_or_default();
    let whole = document::verbatim(parsed.root_element());
    let renamed = whole.replacen(&old, &format!("<name>{}</name>", escaped(name, false)), 1);
    let from = vol.name.to_string_lossy();
    copy_of(shell, pool, renamed, vol, 0).context(format!("Failed to clone vol from {from}"))?;
    shell.done(format!("Vol {name} cloned from {from}"))
}

fn delete(shell: &mut Shell, arguments: &Arguments) -> Done {
    let vol = chosen(shell, arguments)?;
    let name = arguments.need("vol")?;
    shell
        .act(Procedure::StorageVolDelete, &StorageVolDeleteArgs { vol, flags: 0 })
        .context(format!("Failed to delete vol {name}"))?;
    shell.done(format!("Vol {name} deleted"))
}

fn wipe(shell: &mut Shell, arguments: &Arguments) -> Done {
    let vol = chosen(shell, arguments)?;
    let name = arguments.need("vol")?;
    shell
        .act(Procedure::StorageVolWipe, &StorageVolWipeArgs { vol, flags: 0 })
        .context(format!("Failed to wipe vol {name}"))?;
    shell.done(format!("Vol {name} wiped"))
}

fn resize(shell: &mut Shell, arguments: &Arguments) -> Done {
    let vol = chosen(shell, arguments)?;
    let text = arguments.need("capacity")?;
    let capacity = bytes(text)?;
    let name = arguments.need("vol")?;
    shell
        .act(Procedure::StorageVolResize, &StorageVolResizeArgs { vol, capacity, flags: 0 })
        .context(format!("Failed to change size of volume '{name}' to {text}"))?;
    shell.done(format!("Size of volume '{name}' successfully changed to {text}"))
}

fn download(shell: &mut Shell, arguments: &Arguments) -> Done {
    let vol = chosen(shell, arguments)?;
    let path = arguments.need("file")?;
    let failed = |error: std::io::Error| Failure::file("create", path, &error);
    let mut file = File::create(path).map_err(failed)?;
    let args = StorageVolDownloadArgs { vol, offset: 0, length: 0, flags: 0 };
    let ((), stream) = shell.open_stream(Procedure::StorageVolDownload, &args)?;
    loop {
        let data = stream.recv()?;
        if data.is_empty() {
            return Ok(stream.finish()?);
        }
        file.write_all(&data).map_err(failed)?;
    }
}

fn upload(shell: &mut Shell, arguments: &Arguments) -> Done {
    let vol = chosen(shell, arguments)?;
    let path = arguments.need("file")?;
    let failed = |error: std::io::Error| Failure::file("open", path, &error);
    let mut file = File::open(path).map_err(failed)?;
    let args = StorageVolUploadArgs { vol, offset: 0, length: 0, flags: 0 };
    let ((), stream) = shell.open_stream(Procedure::StorageVolUpload, &args)?;
    let mut piece = vec![0; PIECE];
    loop {
        let count = file.read(&mut piece).map_err(failed)?;
        if count == 0 {
            return Ok(stream.finish()?);
        }
        stream.send(piece.get(..count).unwrap_or_default())?;
    }
}

fn xml_of(shell: &Shell, vol: &NonnullStorageVol) -> Result<String, Failure> {
    let args = StorageVolGetXmlDescArgs { vol: vol.clone(), flags: 0 };
    let got: StorageVolGetXmlDescRet = shell.call(Procedure::StorageVolGetXmlDesc, &args)?;
    Ok(got.xml.to_string_lossy())
}

fn document(shell: &mut Shell, arguments: &Arguments) -> Done {
    let vol = chosen(shell, arguments)?;
    print_document(shell, arguments, &xml_of(shell, &vol)?)
}

fn path_of(shell: &Shell, vol: NonnullStorageVol) -> api::Result<String> {
    shell
        .call(Procedure::StorageVolGetPath, &StorageVolGetPathArgs { vol })
        .map(|StorageVolGetPathRet { name }| name.to_string_lossy())
}

fn pool_of(shell: &Shell, vol: NonnullStorageVol) -> api::Result<NonnullStoragePool> {
    shell
        .call(Procedure::StoragePoolLookupByVolume, &StoragePoolLookupByVolumeArgs { vol })
        .map(|StoragePoolLookupByVolumeRet { pool }| pool)
}

fn size(bytes: u64, exact: bool) -> String {
    if exact {
        return format!("{bytes} bytes");
    }
    let (value, unit) = pretty_capacity(bytes);
    format!("{value:.2} {unit}")
}

fn info(shell: &mut Shell, arguments: &Arguments) -> Done {
    let exact = arguments.has("bytes");
    let physical = arguments.has("physical");
    let vol = chosen(shell, arguments)?;
    let name = vol.name.to_string_lossy();
    let args = StorageVolGetInfoFlagsArgs { vol, flags: u32::from(physical) };
    let got: StorageVolGetInfoFlagsRet = shell.call(Procedure::StorageVolGetInfoFlags, &args)?;
    shell.pairs(
        16,
        &[
            ("Name:", name),
            ("Type:", events::index(KINDS, got.r#type.into()).to_string()),
            ("Capacity:", size(got.capacity, exact)),
            (if physical { "Physical:" } else { "Allocation:" }, size(got.allocation, exact)),
        ],
    )
}

fn key(shell: &mut Shell, arguments: &Arguments) -> Done {
    let vol = chosen(shell, arguments)?;
    shell.value("key", &vol.key.to_string_lossy())
}

fn name(shell: &mut Shell, arguments: &Arguments) -> Done {
    let vol = find(shell, arguments.need("vol")?, None, false)?;
    shell.value("name", &vol.name.to_string_lossy())
}

fn path(shell: &mut Shell, arguments: &Arguments) -> Done {
    let vol = chosen(shell, arguments)?;
    shell.value("path", &path_of(shell, vol)?)
}

fn pool(shell: &mut Shell, arguments: &Arguments) -> Done {
    let vol = find(shell, arguments.need("vol")?, None, false)?;
    let pool = pool_of(shell, vol).context("failed to get parent pool")?;
    match arguments.has("uuid") {
        true => shell.value("pool", &Uuid(pool.uuid).to_string()),
        false => shell.value("pool", &pool.name.to_string_lossy()),
    }
}

fn list(shell: &mut Shell, arguments: &Arguments) -> Done {
    let pool = pools::chosen(shell, arguments)?;
    let args = StoragePoolListAllVolumesArgs { pool, need_results: 1, flags: 0 };
    let mut listed: StoragePoolListAllVolumesRet =
        shell.call(Procedure::StoragePoolListAllVolumes, &args).context("Failed to list volumes")?;
    listed.vols.sort_by_key(|vol| vol.name.to_string_lossy());
    let mut rows = Vec::new();
    for vol in &listed.vols {
        let mut row = vec![vol.name.to_string_lossy(), path_of(shell, vol.clone()).unwrap_or_else(|_| "-".to_string())];
        if arguments.has("details") {
            let args = StorageVolGetInfoArgs { vol: vol.clone() };
            let got: StorageVolGetInfoRet = shell.call(Procedure::StorageVolGetInfo, &args)?;
            row.push(events::index(KINDS, got.r#type.into()).to_string());
            row.push(size(got.capacity, false));
            row.push(size(got.allocation, false));
        }
        rows.push(row);
    }
    match arguments.has("details") {
        true => shell.table(&["Name", "Path", "Type", "Capacity", "Allocation"], &rows),
        false => shell.table(&["Name", "Path"], &rows),
    }
}
