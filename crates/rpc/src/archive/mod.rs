//! A tree of files as bytes: what `virsh cp` sends to a container and gets from it.
//!
//! Entries come one after another, folders before what is in them, each with its own name alone: there is no path in an archive,
//! so none can lead anywhere. Whoever unpacks makes each name in the folder that it holds open, and follows no link below the
//! place that its user named. An end mark tells a complete archive from one whose sender died.

mod pack;
mod unpack;

pub use pack::{pack, send_file, send_pieces};
pub use unpack::{Keep, receive_pieces, unpack};

use crate::xdr::{self, Codec, Str};
use std::io::{self, Read, Write};

/// Folders inside folders, in one archive.
const DEPTH_MAX: usize = 256;
/// The longest entry without its data: names and what links lead to are at most PATH_MAX each.
const ENTRY_MAX: usize = 16 << 10;

/// Of bytes without a length of their own.
const PIECE: usize = 32 << 10;

/// What is known of a file, folder or link beside its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    pub name: Str,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// Seconds since 1970.
    pub modified: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    /// Its bytes follow, exactly so many.
    File(Meta, u64),
    /// What is in it follows, up to [`Entry::Up`].
    Folder(Meta),
    Link(Meta, Str),
    Up,
    End,
}

fn write_entry(to: &mut dyn Write, entry: &Entry) -> io::Result<()> {
    let encoded = encode(entry).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error.to_string()))?;
    to.write_all(&(encoded.len() as u32).to_be_bytes())?;
    to.write_all(&encoded)
}

fn encode(entry: &Entry) -> Result<Vec<u8>, xdr::XdrError> {
    let mut out = Vec::new();
    let (kind, meta) = match entry {
        Entry::File(meta, _) => (1, Some(meta)),
        Entry::Folder(meta) => (2, Some(meta)),
        Entry::Link(meta, _) => (3, Some(meta)),
        Entry::Up => (4, None),
        Entry::End => (5, None),
    };
    u32::encode(&kind, &mut out)?;
    if let Some(meta) = meta {
        Str::encode(&meta.name, &mut out)?;
        [meta.mode, meta.uid, meta.gid].iter().try_for_each(|number| u32::encode(number, &mut out))?;
        i64::encode(&meta.modified, &mut out)?;
    }
    match entry {
        Entry::File(_, size) => u64::encode(size, &mut out)?,
        Entry::Link(_, target) => Str::encode(target, &mut out)?,
        _ => {}
    }
    Ok(out)
}

fn read_entry(from: &mut dyn Read) -> io::Result<Entry> {
    let broken = || io::Error::new(io::ErrorKind::InvalidData, "the archive is damaged");
    let mut length = [0; 4];
    from.read_exact(&mut length).map_err(cut_short)?;
    let length = u32::from_be_bytes(length) as usize;
    if length > ENTRY_MAX {
        return Err(broken());
    }
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes).map_err(cut_short)?;
    decode(&bytes).ok().flatten().ok_or_else(broken)
}

fn decode(bytes: &[u8]) -> Result<Option<Entry>, xdr::XdrError> {
    let mut input = xdr::Input::new(bytes);
    let kind = u32::decode(&mut input)?;
    let entry = match kind {
        1..=3 => {
            let name = Str::decode(&mut input)?;
            let (mode, uid, gid) = (u32::decode(&mut input)?, u32::decode(&mut input)?, u32::decode(&mut input)?);
            let meta = Meta { name, mode, uid, gid, modified: i64::decode(&mut input)? };
            if !is_name(&meta.name.0) {
                return Ok(None);
            }
            match kind {
                1 => Entry::File(meta, u64::decode(&mut input)?),
                2 => Entry::Folder(meta),
                _ => Entry::Link(meta, Str::decode(&mut input)?),
            }
        }
        4 => Entry::Up,
        5 => Entry::End,
        _ => return Ok(None),
    };
    Ok(Some(entry).filter(|_| input.rest().is_empty()))
}

/// A name of something in a folder, and nothing else.
fn is_name(bytes: &[u8]) -> bool {
    !matches!(bytes, b"" | b"." | b"..") && !bytes.contains(&b'/') && !bytes.contains(&0)
}

fn cut_short(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => io::Error::new(error.kind(), "the other side ended before all was sent"),
        _ => error,
    }
}

/// Says of which file an error is.
fn about(path: &std::path::Path, error: impl Into<io::Error>) -> io::Error {
    let error: io::Error = error.into();
    let text = error.to_string();
    let text = text.rfind(" (os error ").and_then(|at| text.get(..at)).unwrap_or(&text);
    io::Error::new(error.kind(), format!("'{}': {text}", path.display()))
}

#[cfg(test)]
mod tests;
