//! File systems and disks: reading.

use super::parse::{Check, Context};
use super::*;
use crate::number;
use crate::refuse::{self, Place};
use crate::xml::Node;

pub(super) fn filesystem(node: Node, context: &Context) -> Result<Filesystem> {
    const KINDS: [&str; 7] = ["mount", "block", "file", "template", "ram", "bind", "volume"];
    let kind = node.attr("type").unwrap_or("mount");
    if !KINDS.contains(&kind) {
        return Err(refuse::bad_attribute("filesystem", "type", kind, ""));
    }
    // An empty word is libvirt's for none.
    let access_mode = match node.attr("accessmode") {
        Some("") => None,
        _ => refuse::word(node, "accessmode", AccessMode::from_word)?,
    };
    let file_mode = mode(node, "fmode")?;
    let directory_mode = mode(node, "dmode")?;
    let names = context.keep(node, "filesystemAttributes")?;
    let space_hard_limit = space(node, "space_hard_limit")?;
    let space_soft_limit = space(node, "space_soft_limit")?;
    let target = node.child("target").and_then(|t| t.attr("dir")).unwrap_or_default().to_string();
    let (driver, options) = match node.child("driver") {
        Some(node) => driver(node).at(node)?,
        None => (None, None),
    };
    let source = source(node, kind, &target)?;
    let virtiofs = driver.as_ref().is_some_and(|d| d.kind == FilesystemDriverKind::Virtiofs);
    let mut kept: Vec<Element> = options.into_iter().collect();
    if let Some(binary) = node.child("binary").filter(|_| virtiofs) {
        kept.extend(Some(context.keep(binary, "virtiofsBinary")?).filter(|b| !b.is_bare()));
    }
    if target.is_empty() {
        context.later::<()>(Check::Filesystem, Err(refuse::missing_target(source_text(&source))).at(node));
    }
    if node.child("boot").is_some() && !virtiofs {
        let error: Result<()> = Err(refuse::unsupported("boot order is only supported for virtiofs"));
        context.later(Check::Filesystem, error.at(node));
    }
    kept.extend(info(node, context)?);
    let socket = matches!(source, FilesystemSource::MountSocket { .. });
    Ok(Filesystem {
        source,
        target,
        read_only: node.child("readonly").is_some(),
        access_mode: access_mode.or((!socket).then_some(AccessMode::Passthrough)),
        driver,
        file_mode,
        directory_mode,
        model: names.attr("model").map(str::to_string),
        multidevs: names.attr("multidevs").map(str::to_string),
        space_hard_limit,
        space_soft_limit,
        mount: extension::mount_options(node)?,
        kept,
    })
}

/// Boot order, address and the like, that many devices have.
pub(super) fn info(node: Node, context: &Context) -> Result<Vec<Element>> {
    let shape = if context.live { "infoLive" } else { "infoBoot" };
    let mut info = context.keep(node, shape)?.children;
    address::info(&mut info)?;
    address::refuse_unassigned(&info)?;
    Ok(info)
}

fn mode(node: Node, name: &str) -> Result<Option<u32>> {
    let mode = refuse::unsigned(node, name, 8)?;
    match mode.filter(|mode| *mode > 0o777) {
        Some(mode) => Err(refuse::xml(format!("invalid {name}: '0{mode:o}'"))),
        None => Ok(mode.filter(|mode| *mode != 0)),
    }
}

fn space(node: Node, name: &str) -> Result<u64> {
    let Some(child) = node.child(name).filter(|child| !child.text().is_empty()) else { return Ok(0) };
    tuning::scaled(child, &child.text(), &format!("./{name}[1]"), 1, u64::MAX).at(child)
}

fn source(node: Node, kind: &str, target: &str) -> Result<FilesystemSource> {
    let child = node.child("source");
    let attr = |name: &str| child.and_then(|c| c.attr(name)).map(str::to_string);
    let given = |name: &str| attr(name).ok_or_else(|| refuse::missing_source(target));
    Ok(match kind {
        "mount" => match attr("socket") {
            Some(socket) => FilesystemSource::MountSocket { socket },
            _ => FilesystemSource::Mount { dir: given("dir")? },
        },
        "block" => FilesystemSource::Block { dev: given("dev")? },
        "file" => FilesystemSource::File { file: given("file")? },
        "template" => FilesystemSource::Template { name: given("name")? },
        "bind" => FilesystemSource::Bind { dir: given("dir")? },
        "ram" => {
            let missing = || refuse::xml("missing 'usage' attribute for RAM filesystem");
            let usage = attr("usage").ok_or_else(missing)?;
            let bad = || refuse::xml(format!("cannot parse usage '{usage}' for RAM filesystem"));
            let value = number::u64_wrapping(&usage, 10).ok_or_else(bad)?;
            let units = attr("units").unwrap_or_default();
            FilesystemSource::Ram { usage: number::scale(value, &units, 1024, u64::MAX)? / 1024 }
        }
        _ => match (attr("pool"), attr("volume")) {
            (Some(pool), Some(volume)) => FilesystemSource::Volume { pool, volume },
            (None, None) => return Err(refuse::missing_source(target)),
            _ => return Err(refuse::xml("'pool' and 'volume' must be specified together for 'pool' type source")),
        },
    })
}

fn source_text(source: &FilesystemSource) -> &str {
    match source {
        FilesystemSource::Mount { dir } | FilesystemSource::Bind { dir } => dir,
        FilesystemSource::MountSocket { socket } => socket,
        FilesystemSource::Block { dev } => dev,
        FilesystemSource::File { file } => file,
        FilesystemSource::Template { name } => name,
        FilesystemSource::Ram { .. } | FilesystemSource::Volume { .. } => "",
    }
}

/// Formats of images that `<driver>` may name.
const FORMATS: [&str; 16] = [
    "raw", "dir", "bochs", "cloop", "dmg", "iso", "vpc", "vdi", "fat", "vhd", "ploop", "cow", "qcow", "qcow2", "qed",
    "vmdk",
];

/// The driver; options for a virtual machine where no driver is named.
fn driver(node: Node) -> Result<(Option<FilesystemDriver>, Option<Element>)> {
    let kind = match node.attr("type") {
        None | Some("default") => None,
        Some(word) => match FilesystemDriverKind::from_word(word) {
            Some(kind) => Some(kind),
            None => return Err(refuse::bad_attribute("driver", "type", word, "")),
        },
    };
    let format = node.attr("format");
    if let Some(format) = format.filter(|format| !FORMATS.contains(format)) {
        return Err(refuse::unsupported(format!("unknown driver format value '{format}'")));
    }
    let write_policy = match node.attr("wrpolicy") {
        None | Some("default") => None,
        Some("immediate") => Some("immediate".to_string()),
        Some(other) => return Err(refuse::bad_attribute("driver", "wrpolicy", other, "")),
    };
    let mut kept = Vec::new();
    if kind == Some(FilesystemDriverKind::Virtiofs) {
        let text = node.attr("queue").unwrap_or("0");
        let bad = || refuse::xml(format!("cannot parse queue size '{text}' for virtiofs"));
        let queue = number::u64_of(text, 10).ok_or_else(bad)?;
        kept.extend(Some(queue).filter(|queue| *queue != 0).map(|queue| ("queue".to_string(), queue.to_string())));
    }
    for name in ["iommu", "ats", "packed", "page_per_vq"] {
        kept.extend(
            refuse::word(node, name, refuse::on_off)?
                .map(|on| (name.to_string(), if on { "on" } else { "off" }.to_string())),
        );
    }
    let Some(kind) = kind else {
        let options = Element { attrs: kept, ..Element::new("driver") };
        return Ok((None, Some(options).filter(|options| !options.is_bare())));
    };
    Ok((Some(FilesystemDriver { kind, format: format.map(str::to_string), write_policy, kept }), None))
}
