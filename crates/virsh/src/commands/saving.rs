//! States and memories of domains in files.

use super::describe::print_document;
use crate::arguments::Arguments;
use crate::editing::{self, Edit};
use crate::failure::{Context, Done, Failure};
use crate::lookup;
use crate::shell::Shell;
use crate::table::*;
use rpc::remote::*;
use std::fs::File;
use std::io::Write;

const SECURE: u32 = 1;
const BYPASS_CACHE: u32 = 1;
const RUNNING: u32 = 2;
const PAUSED: u32 = 4;
const RESET_NVRAM: u32 = 8;

pub const COMMANDS: &[Command] = &[
    Command::new(
        "dump",
        "write a domain's memory to a file",
        &[
            DOMAIN,
            text("file", "the file").required().of(Values::Files),
            flag("live", "live"),
            flag("crash", "crash"),
            flag("bypass-cache", "past the cache of the host"),
            flag("reset", "reset"),
            flag("memory-only", "memory only"),
            text("format", "form of the data"),
        ],
        dump,
    ),
    Command::new(
        "managedsave",
        "save a domain's state, to go on from at the next start",
        &[
            DOMAIN,
            flag("bypass-cache", "past the cache of the host"),
            flag("running", "go on running afterwards"),
            flag("paused", "stay paused afterwards"),
        ],
        managed_save,
    ),
    Command::new("managedsave-remove", "forget a saved state", &[DOMAIN], managed_remove),
    Command::new("managedsave-edit", "change a saved state's document in an editor", &[DOMAIN], managed_edit),
    Command::new(
        "managedsave-dumpxml",
        "a saved state's document",
        &[
            DOMAIN,
            flag("security-info", "security info"),
            text("xpath", "only the parts that this XPath expression finds").by_name(),
            flag("wrap", "put the parts found into one element"),
        ],
        managed_document,
    ),
    Command::new(
        "managedsave-define",
        "replace a saved state's document",
        &[
            DOMAIN,
            text("xml", "file with another document").required(),
            flag("running", "go on running afterwards"),
            flag("paused", "stay paused afterwards"),
        ],
        managed_define,
    ),
    Command::new(
        "restore",
        "go on from a state saved in a file",
        &[
            text("file", "the file").required().of(Values::Files),
            flag("bypass-cache", "past the cache of the host"),
            text("xml", "file with another document"),
            flag("running", "go on running afterwards"),
            flag("paused", "stay paused afterwards"),
            flag("reset-nvram", "reset nvram"),
        ],
        restore,
    ),
    Command::new(
        "save",
        "save a domain's state in a file",
        &[
            DOMAIN,
            text("file", "the file").required().of(Values::Files),
            flag("bypass-cache", "past the cache of the host"),
            text("xml", "file with another document"),
            flag("running", "go on running afterwards"),
            flag("paused", "stay paused afterwards"),
        ],
        save,
    ),
    Command::new(
        "save-image-define",
        "replace the document in such a file",
        &[
            FILE,
            text("xml", "file with another document").required(),
            flag("running", "go on running afterwards"),
            flag("paused", "stay paused afterwards"),
        ],
        image_define,
    ),
    Command::new(
        "save-image-dumpxml",
        "the document in such a file",
        &[
            text("file", "the file").required().of(Values::Files),
            flag("security-info", "security info"),
            text("xpath", "only the parts that this XPath expression finds").by_name(),
            flag("wrap", "put the parts found into one element"),
        ],
        image_document,
    ),
    Command::new(
        "save-image-edit",
        "change the document in such a file in an editor",
        &[text("file", "the file").required().of(Values::Files)],
        image_edit,
    ),
    Command::new(
        "screenshot",
        "take a picture of a domain's screen",
        &[DOMAIN, text("file", "the file").of(Values::Files), number("screen", "screen")],
        screenshot,
    ),
];

fn save_flags(arguments: &Arguments) -> Result<u32, Failure> {
    arguments.exclusive("running", "paused")?;
    Ok(arguments.bits(&[
        ("bypass-cache", BYPASS_CACHE),
        ("running", RUNNING),
        ("paused", PAUSED),
        ("reset-nvram", RESET_NVRAM),
    ]))
}

fn dump(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let to = arguments.need("file")?;
    let name = arguments.need("domain")?;
    let failed = format!("Failed to core dump domain '{name}' to {to}");
    let done = format!("Domain '{name}' dumped to {to}");
    let mut flags = arguments.bits(&[("crash", 1), ("live", 2), ("bypass-cache", 4), ("reset", 8)]);
    if arguments.has("memory-only") {
        flags |= 16;
    }
    let formats = ["elf", "kdump-zlib", "kdump-lzo", "kdump-snappy", "win-dmp"];
    let dumpformat = match arguments.text("format")? {
        None => 0,
        Some(format) => {
            let at = formats.iter().position(|known| *known == format);
            at.ok_or_else(|| {
                let known = "'kdump-zlib', 'kdump-lzo', 'kdump-snappy', 'win-dmp' or 'elf'";
                Failure::new(format!("format '{format}' is not supported, expecting {known}"))
            })? as u32
        }
    };
    match dumpformat {
        0 => shell.act(Procedure::DomainCoreDump, &DomainCoreDumpArgs { dom, to: to.into(), flags }),
        _ => {
            let args = DomainCoreDumpWithFormatArgs { dom, to: to.into(), dumpformat, flags };
            shell.act(Procedure::DomainCoreDumpWithFormat, &args)
        }
    }
    .context(failed)?;
    shell.done(done)
}

fn managed_save(shell: &mut Shell, arguments: &Arguments) -> Done {
    let flags = save_flags(arguments)?;
    let dom = lookup::domain(shell, arguments)?;
    let name = arguments.need("domain")?;
    shell
        .act(Procedure::DomainManagedSave, &DomainManagedSaveArgs { dom, flags })
        .context(format!("Failed to save domain '{name}' state"))?;
    shell.done(format!("Domain '{name}' state saved by libvirt"))
}

fn managed_remove(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let name = dom.name.to_string_lossy();
    let asked = DomainHasManagedSaveImageArgs { dom: dom.clone(), flags: 0 };
    let DomainHasManagedSaveImageRet { result } = shell
        .call(Procedure::DomainHasManagedSaveImage, &asked)
        .context("Failed to check for domain managed save image")?;
    if result == 0 {
        shell.say(&format!("Domain '{name}' has no manage save image; removal skipped"));
        return Ok(());
    }
    shell
        .act(Procedure::DomainManagedSaveRemove, &DomainManagedSaveRemoveArgs { dom, flags: 0 })
        .context(format!("Failed to remove managed save image for domain '{name}'"))?;
    shell.say(&format!("Removed managedsave image for domain '{name}'"));
    Ok(())
}

fn managed_xml(shell: &Shell, dom: &NonnullDomain, flags: u32) -> Result<String, Failure> {
    let args = DomainManagedSaveGetXmlDescArgs { dom: dom.clone(), flags };
    let got: DomainManagedSaveGetXmlDescRet = shell.call(Procedure::DomainManagedSaveGetXmlDesc, &args)?;
    Ok(got.xml.to_string_lossy())
}

fn managed_document(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let xml = managed_xml(shell, &dom, arguments.bits(&[("security-info", SECURE)]))?;
    print_document(shell, arguments, &xml)
}

fn managed_define(shell: &mut Shell, arguments: &Arguments) -> Done {
    let flags = save_flags(arguments)?;
    let dom = lookup::domain(shell, arguments)?;
    let name = dom.name.to_string_lossy();
    let dxml = Some(lookup::file(arguments.need("xml")?)?.into());
    shell
        .act(Procedure::DomainManagedSaveDefineXml, &DomainManagedSaveDefineXmlArgs { dom, dxml, flags })
        .context(format!("Failed to update {name} XML configuration"))?;
    shell.done(format!("Managed save state file of domain '{name}' updated."))
}

fn managed_edit(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let title = format!("Managed save image of domain '{}'", dom.name);
    let fetch = |shell: &Shell| managed_xml(shell, &dom, SECURE);
    let put = |shell: &Shell, xml: &str, _: bool| {
        let args = DomainManagedSaveDefineXmlArgs { dom: dom.clone(), dxml: Some(xml.into()), flags: 0 };
        shell.act(Procedure::DomainManagedSaveDefineXml, &args)?;
        Ok(format!("Managed save image of domain '{}'", dom.name))
    };
    editing::edit(shell, &Edit { title, fetch: &fetch, put: &put, can_skip_validation: false })
}

fn save(shell: &mut Shell, arguments: &Arguments) -> Done {
    let flags = save_flags(arguments)?;
    let dom = lookup::domain(shell, arguments)?;
    let name = arguments.need("domain")?;
    let path = arguments.need("file")?;
    let dxml = arguments.text("xml")?.map(lookup::file).transpose()?.map(Into::into);
    let saved = match (flags, &dxml) {
        (0, None) => shell.act(Procedure::DomainSave, &DomainSaveArgs { dom, to: path.into() }),
        _ => shell.act(Procedure::DomainSaveFlags, &DomainSaveFlagsArgs { dom, to: path.into(), dxml, flags }),
    };
    saved.context(format!("Failed to save domain '{name}' to {path}"))?;
    shell.done(format!("Domain '{name}' saved to {path}"))
}

fn restore(shell: &mut Shell, arguments: &Arguments) -> Done {
    let flags = save_flags(arguments)?;
    let path = arguments.need("file")?;
    let dxml = arguments.text("xml")?.map(lookup::file).transpose()?.map(Into::into);
    let restored = match (flags, &dxml) {
        (0, None) => shell.act(Procedure::DomainRestore, &DomainRestoreArgs { from: path.into() }),
        _ => shell.act(Procedure::DomainRestoreFlags, &DomainRestoreFlagsArgs { from: path.into(), dxml, flags }),
    };
    restored.context(format!("Failed to restore domain from {path}"))?;
    shell.done(format!("Domain restored from {path}"))
}

fn image_xml(shell: &Shell, file: &str, flags: u32) -> Result<String, Failure> {
    let args = DomainSaveImageGetXmlDescArgs { file: file.into(), flags };
    let got: DomainSaveImageGetXmlDescRet = shell.call(Procedure::DomainSaveImageGetXmlDesc, &args)?;
    Ok(got.xml.to_string_lossy())
}

fn image_document(shell: &mut Shell, arguments: &Arguments) -> Done {
    let xml = image_xml(shell, arguments.need("file")?, arguments.bits(&[("security-info", SECURE)]))?;
    print_document(shell, arguments, &xml)
}

fn image_define(shell: &mut Shell, arguments: &Arguments) -> Done {
    let flags = save_flags(arguments)?;
    let file = arguments.need("file")?;
    let dxml = lookup::file(arguments.need("xml")?)?.into();
    shell
        .act(Procedure::DomainSaveImageDefineXml, &DomainSaveImageDefineXmlArgs { file: file.into(), dxml, flags })
        .context(format!("Failed to update {file}"))?;
    shell.done(format!("State file {file} updated."))
}

fn image_edit(shell: &mut Shell, arguments: &Arguments) -> Done {
    let file = arguments.need("file")?;
    let fetch = |shell: &Shell| image_xml(shell, file, SECURE);
    let put = |shell: &Shell, xml: &str, _: bool| {
        let args = DomainSaveImageDefineXmlArgs { file: file.into(), dxml: xml.into(), flags: 0 };
        shell.act(Procedure::DomainSaveImageDefineXml, &args)?;
        Ok(format!("Saved image {file}"))
    };
    let title = format!("Saved image {file}");
    editing::edit(shell, &Edit { title, fetch: &fetch, put: &put, can_skip_validation: false })
}

fn screenshot(shell: &mut Shell, arguments: &Arguments) -> Done {
    let dom = lookup::domain(shell, arguments)?;
    let screen = arguments.number("screen")?.unwrap_or(0);
    let name = dom.name.to_string_lossy();
    let (DomainScreenshotRet { mime }, stream) = shell
        .open_stream(Procedure::DomainScreenshot, &DomainScreenshotArgs { dom, screen, flags: 0 })
        .context(format!("could not take a screenshot of {}", arguments.need("domain")?))?;
    let kind = mime.map_or_else(|| "image".to_string(), |mime| mime.to_string_lossy());
    let ending = match kind.as_str() {
        "image/x-portable-pixmap" => "ppm",
        "image/png" => "png",
        _ => "img",
    };
    let path = match arguments.text("file")? {
        Some(path) => path.to_string(),
        None => format!("{name}-{}.{ending}", jiff::Timestamp::now().strftime("%Y-%m-%d-%H:%M:%S")),
    };
    let failed = |error: std::io::Error| Failure::file("create", &path, &error);
    let mut file = File::options().write(true).create_new(true).open(&path).map_err(failed)?;
    loop {
        let data = stream.recv()?;
        if data.is_empty() {
            break;
        }
        file.write_all(&data).map_err(failed)?;
    }
    stream.finish()?;
    shell.done(format!("Screenshot saved to {path}, with type of {kind}"))
}
