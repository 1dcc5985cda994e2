//! Messages of netlink as bytes: a header, a fixed part, attributes; and attributes out of an answer.

use std::io;

/// One request in the making.
pub(super) struct Request {
    bytes: Vec<u8>,
}

const HEADER: usize = 16;

impl Request {
    pub fn new(kind: u16, flags: i32, fixed: &[u8]) -> Request {
        let mut bytes = Vec::with_capacity(256);
        bytes.extend(0u32.to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(((libc::NLM_F_REQUEST | flags) as u16).to_ne_bytes());
        bytes.extend([0; 8]);
        bytes.extend(fixed);
        let mut request = Request { bytes };
        request.pad();
        request
    }

    pub fn attr(&mut self, kind: u16, value: &[u8]) {
        self.bytes.extend((value.len() as u16 + 4).to_ne_bytes());
        self.bytes.extend(kind.to_ne_bytes());
        self.bytes.extend(value);
        self.pad();
    }

    pub fn number(&mut self, kind: u16, value: u32) {
        self.attr(kind, &value.to_ne_bytes());
    }

    /// A text with its final NUL.
    pub fn text(&mut self, kind: u16, value: &str) {
        self.attr(kind, &[value.as_bytes(), &[0]].concat());
    }

    /// Attributes within an attribute, after `fixed` bytes of its own.
    pub fn nest(&mut self, kind: u16, fixed: &[u8], inside: impl FnOnce(&mut Request)) {
        let start = self.bytes.len();
        self.attr(kind, fixed);
        inside(self);
        let length = (self.bytes.len() - start) as u16;
        self.bytes[start..start + 2].copy_from_slice(&length.to_ne_bytes());
    }

    pub fn finish(mut self, sequence: u32) -> Vec<u8> {
        let length = self.bytes.len() as u32;
        self.bytes[..4].copy_from_slice(&length.to_ne_bytes());
        self.bytes[8..12].copy_from_slice(&sequence.to_ne_bytes());
        self.bytes
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

/// One message of an answer.
pub(super) struct Answer<'a> {
    pub kind: u16,
    pub sequence: u32,
    pub body: &'a [u8],
}

/// The first message of `bytes` and what follows it.
pub(super) fn split(bytes: &[u8]) -> io::Result<Option<(Answer<'_>, &[u8])>> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let broken = || io::Error::new(io::ErrorKind::InvalidData, "a message of netlink is cut off");
    let (length, kind, sequence) = match (u32_at(bytes, 0), u16_at(bytes, 4), u32_at(bytes, 8)) {
        (Some(length), Some(kind), Some(sequence)) => (length as usize, kind, sequence),
        _ => return Err(broken()),
    };
    let body = bytes.get(HEADER..length).ok_or_else(broken)?;
    let rest = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    Ok(Some((Answer { kind, sequence, body }, rest)))
}

/// The attributes in `bytes`: kind without its flags, value.
pub(super) fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let length = u16_at(bytes, 0)? as usize;
        let kind = u16_at(bytes, 2)? & 0x3fff;
        let value = bytes.get(4..length)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_ne_bytes)
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes)
}

/// A text up to its NUL.
pub(super) fn text(value: &[u8]) -> String {
    let end = value.iter().position(|b| *b == 0).unwrap_or(value.len());
    String::from_utf8_lossy(&value[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_back() {
        let mut request = Request::new(16, 0, &[7; 16]);
        request.text(3, "eth0");
        request.nest(18, &[], |inside| inside.number(1, 42));
        let bytes = request.finish(5);
        let (answer, rest) = split(&bytes).unwrap().unwrap();
        assert!(rest.is_empty());
        assert_eq!((answer.kind, answer.sequence), (16, 5));
        let found: Vec<_> = attributes(&answer.body[16..]).collect();
        assert_eq!(found[0], (3, &b"eth0\0"[..]));
        assert_eq!(attributes(found[1].1).next(), Some((1, &42u32.to_ne_bytes()[..])));
    }

    #[test]
    fn a_cut_message_is_an_error() {
        assert!(split(&[200, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).is_err());
        assert!(split(&[1, 2, 3]).is_err());
        assert_eq!(attributes(&[9, 0, 1, 0]).count(), 0);
    }
}
