//! A server of a few read-only files through FUSE (the kernel's fuse.h and Documentation/filesystems/fuse), as small as one can be.
//!
//! One folder, whose files are made up when they are read. There is no thread: the descriptor belongs into a poll loop, and
//! no request is ever waited for. The requests come from the guest by way of the kernel; each is answered or refused, and
//! what a guest makes us remember is bounded.

use crate::mount::{Detached, attribute};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::{SystemTime, UNIX_EPOCH};

/// The kernel wants so much room for a request at least (FUSE_MIN_READ_BUFFER).
const REQUEST: usize = 8192;
/// Of so many open files the text is kept, so that who reads in pieces gets pieces of one text.
const KEPT: usize = 8;
/// Requests answered before others in the poll loop have their turn.
const IN_A_ROW: usize = 32;

const HEADER: usize = 40;
/// The size of the kernel's `struct fuse_entry_out`.
const ENTRY: usize = 128;
/// A flag of the first answer.
const DO_READDIRPLUS: u32 = 1 << 13;
const ROOT: u64 = 1;
const FIRST_FILE: u64 = 2;
/// No text is longer.
const LARGEST: u64 = 1 << 20;
/// Names never change.
const FOREVER: u64 = 1 << 30;

const LOOKUP: u32 = 1;
const FORGET: u32 = 2;
const GETATTR: u32 = 3;
const OPEN: u32 = 14;
const READ: u32 = 15;
const STATFS: u32 = 17;
const RELEASE: u32 = 18;
const INIT: u32 = 26;
const OPENDIR: u32 = 27;
const READDIR: u32 = 28;
const RELEASEDIR: u32 = 29;
const ACCESS: u32 = 34;
const INTERRUPT: u32 = 36;
const DESTROY: u32 = 38;
const BATCH_FORGET: u32 = 42;
const READDIRPLUS: u32 = 44;

/// In what access(2) asks for.
const WRITE: u32 = 2;

/// Reads go to the server each time, whatever size the file seems to have.
const DIRECT_IO: u32 = 1;

/// The serving end.
pub struct Server {
    device: OwnedFd,
    names: &'static [&'static str],
    made_at: u64,
    buffer: Vec<u8>,
    next_handle: u64,
    kept: Vec<(u64, Vec<u8>)>,
}

impl Server {
    /// A server of these files, and its folder, mounted nowhere yet. It answers once [`Server::ready`] is called.
    pub fn new(names: &'static [&'static str]) -> io::Result<(Server, Detached)> {
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let device = rustix::fs::open("/dev/fuse", flags, Mode::empty())?;
        let number = device.as_raw_fd().to_string();
        let options = [
            ("source", Some("libvirt")),
            ("fd", Some(number.as_str())),
            ("rootmode", Some("40000")),
            ("user_id", Some("0")),
            ("group_id", Some("0")),
            // Every user may read, also those of a user namespace; nobody else is asked about, and who may not is told by us.
            ("allow_other", None),
        ];
        let folder = Detached::filesystem("fuse", &options, ATTRIBUTES)?;
        let made_at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let server = Server { device, names, made_at, buffer: vec![0; REQUEST], next_handle: 1, kept: Vec::new() };
        Ok((server, folder))
    }

    /// Readable when there is a request.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.device.as_fd()
    }

    /// Answers what was asked meanwhile. `content` makes the text of the file with this index in `names`.
    /// False when the folder is mounted nowhere any more, and nothing will ever be asked.
    pub fn ready(&mut self, content: &mut dyn FnMut(usize) -> io::Result<Vec<u8>>) -> io::Result<bool> {
        for _ in 0..IN_A_ROW {
            let length = match rustix::io::read(&self.device, self.buffer.as_mut_slice()) {
                Ok(length) => length,
                Err(Errno::AGAIN) => return Ok(true),
                Err(Errno::NODEV) => return Ok(false),
                // Interrupted, or a request that was taken back before we had it.
                Err(Errno::INTR | Errno::NOENT) => continue,
                Err(errno) => return Err(errno.into()),
            };
            let Some(request) = Request::parse(self.buffer.get(..length).unwrap_or_default()) else { continue };
            let unique = request.unique;
            let Some(answer) = self.answer(&request.into_owned(), content) else { continue };
            match rustix::io::write(&self.device, &reply(unique, answer)) {
                // The reader gave up meanwhile.
                Ok(_) | Err(Errno::NOENT | Errno::INVAL) => {}
                Err(Errno::NODEV) => return Ok(false),
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(true)
    }

    /// None for what wants no reply.
    fn answer(
        &mut self,
        request: &OwnedRequest,
        content: &mut dyn FnMut(usize) -> io::Result<Vec<u8>>,
    ) -> Option<Result<Vec<u8>, Errno>> {
        let body = Body(&request.body);
        Some(match request.opcode {
            FORGET | BATCH_FORGET | INTERRUPT => return None,
            INIT => initialised(&body),
            LOOKUP => self.lookup(request.node, &request.body),
            GETATTR => {
                let size = self.size(request.node, body.u32(0), content);
                self.attributes(request.node, size).map(|attributes| {
                    let mut out = Vec::with_capacity(104);
                    // Of a file not to be kept: after a read the kernel takes the file to be as short as the text.
                    put64(&mut out, &[if request.node == ROOT { FOREVER } else { 0 }]);
                    put32(&mut out, &[0, 0]);
                    out.extend(attributes);
                    out
                })
            }
            OPEN => self.open(request.node, &body),
            // access(2): what the modes of the files say, to root as well.
            ACCESS if body.u32(0) & WRITE != 0 => Err(Errno::ACCESS),
            ACCESS => Ok(Vec::new()),
            OPENDIR if request.node == ROOT => Ok(opened(0, 0)),
            OPENDIR => Err(Errno::NOTDIR),
            READ => self.read(request.node, &body, content),
            READDIR => self.read_folder(&body, false),
            READDIRPLUS => self.read_folder(&body, true),
            RELEASE => {
                let handle = body.u64(0);
                self.kept.retain(|(kept, _)| *kept != handle);
                Ok(Vec::new())
            }
            RELEASEDIR | DESTROY => Ok(Vec::new()),
            // Blocks, files: none. Names have up to 255 bytes.
            STATFS => {
                let mut out = Vec::with_capacity(80);
                put64(&mut out, &[0; 5]);
                put32(&mut out, &[4096, 255, 4096, 0, 0, 0, 0, 0, 0, 0]);
                Ok(out)
            }
            _ => Err(Errno::NOSYS),
        })
    }

    /// Who reads does not mind a large size, but sendfile(2), as busybox's cat uses it, reads up to the size and no further; the
    /// kernel asks for it with each opening. Storing something in the kernel's pages from here would do the same, but wait for a
    /// page whose reader waits for us. Only who goes to the end of an open file, to read backwards, needs to know where that is.
    fn size(&self, node: u64, flags: u32, content: &mut dyn FnMut(usize) -> io::Result<Vec<u8>>) -> u64 {
        const OF_AN_OPEN_FILE: u32 = 1;
        match self.index(node) {
            Some(index) if flags & OF_AN_OPEN_FILE != 0 => content(index).map_or(0, |text| text.len() as u64),
            Some(_) => LARGEST,
            None => 0,
        }
    }

    fn lookup(&self, folder: u64, name: &[u8]) -> Result<Vec<u8>, Errno> {
        let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
        if folder != ROOT {
            return Err(Errno::NOTDIR);
        }
        let index = self.names.iter().position(|known| known.as_bytes() == name).ok_or(Errno::NOENT)?;
        self.entry(FIRST_FILE + index as u64)
    }

    /// The kernel's `struct fuse_entry_out`.
    fn entry(&self, node: u64) -> Result<Vec<u8>, Errno> {
        let mut out = Vec::with_capacity(ENTRY);
        put64(&mut out, &[node, 0, FOREVER, 0]);
        put32(&mut out, &[0, 0]);
        out.extend(self.attributes(node, LARGEST)?);
        Ok(out)
    }

    /// The kernel's `struct fuse_attr`.
    fn attributes(&self, node: u64, size: u64) -> Result<Vec<u8>, Errno> {
        const FOLDER: u32 = 0o040_555;
        const FILE: u32 = 0o100_444;
        let (mode, links) = match node {
            ROOT => (FOLDER, 2),
            _ if self.index(node).is_some() => (FILE, 1),
            _ => return Err(Errno::NOENT),
        };
        let mut out = Vec::with_capacity(88);
        put64(&mut out, &[node, size, 0, self.made_at, self.made_at, self.made_at]);
        put32(&mut out, &[0, 0, 0, mode, links, 0, 0, 0, 4096, 0]);
        Ok(out)
    }

    fn index(&self, node: u64) -> Option<usize> {
        let index = usize::try_from(node.checked_sub(FIRST_FILE)?).ok()?;
        (index < self.names.len()).then_some(index)
    }

    fn open(&mut self, node: u64, body: &Body) -> Result<Vec<u8>, Errno> {
        const MODE: u32 = 3;
        if self.index(node).is_none() {
            return Err(Errno::ISDIR);
        }
        if body.u32(0) & MODE != 0 {
            return Err(Errno::ACCESS);
        }
        self.next_handle += 1;
        Ok(opened(self.next_handle, DIRECT_IO))
    }

    fn read(
        &mut self,
        node: u64,
        body: &Body,
        content: &mut dyn FnMut(usize) -> io::Result<Vec<u8>>,
    ) -> Result<Vec<u8>, Errno> {
        let index = self.index(node).ok_or(Errno::ISDIR)?;
        let (handle, offset, size) = (body.u64(0), body.u64(8), body.u32(16) as usize);
        let kept = self.kept.iter().position(|(kept, _)| *kept == handle);
        // From the start there is a new text each time, as from the kernel's own files.
        let text = match kept.filter(|_| offset > 0) {
            Some(at) => self.kept.swap_remove(at).1,
            None => {
                self.kept.retain(|(kept, _)| *kept != handle);
                content(index).map_err(|_| Errno::IO)?
            }
        };
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(text.len());
        let out = text.get(from..(from.saturating_add(size)).min(text.len())).unwrap_or_default().to_vec();
        if self.kept.len() >= KEPT {
            self.kept.remove(0);
        }
        self.kept.push((handle, text));
        Ok(out)
    }

    /// Entries from the offset on, as many as fit; with what a lookup of each would say, where `known`.
    fn read_folder(&self, body: &Body, known: bool) -> Result<Vec<u8>, Errno> {
        const FILE: u32 = 8;
        const FOLDER: u32 = 4;
        let (offset, size) = (body.u64(8), body.u32(16) as usize);
        let files = self.names.iter().zip(FIRST_FILE..).map(|(name, node)| (*name, node, FILE));
        let all = [(".", ROOT, FOLDER), ("..", ROOT, FOLDER)].into_iter().chain(files);
        let mut out = Vec::new();
        for ((name, node, kind), next) in all.zip(1u64..).skip(usize::try_from(offset).unwrap_or(usize::MAX)) {
            let padded = (24 + name.len()).next_multiple_of(8);
            let end = out.len() + padded + if known { ENTRY } else { 0 };
            if end > size {
                break;
            }
            match known {
                // Of the two folders the kernel has all, and wants zeroes.
                true if kind == FOLDER => out.resize(out.len() + ENTRY, 0),
                true => out.extend(self.entry(node)?),
                false => {}
            }
            put64(&mut out, &[node, next]);
            put32(&mut out, &[u32::try_from(name.len()).unwrap_or(0), kind]);
            out.extend(name.as_bytes());
            out.resize(end, 0);
        }
        Ok(out)
    }
}

/// Nothing in there is a program, a device, or gives anybody rights.
const ATTRIBUTES: u64 = attribute::NO_SUID | attribute::NO_DEV | attribute::NO_EXEC;

/// A request as it lies in the buffer.
struct Request<'a> {
    opcode: u32,
    unique: u64,
    node: u64,
    body: &'a [u8],
}

struct OwnedRequest {
    opcode: u32,
    node: u64,
    body: Vec<u8>,
}

impl Request<'_> {
    fn parse(bytes: &[u8]) -> Option<Request<'_>> {
        let header = Body(bytes);
        let body = bytes.get(HEADER..)?;
        Some(Request { opcode: header.u32(4), unique: header.u64(8), node: header.u64(16), body })
    }

    /// Requests are short; the buffer is free again.
    fn into_owned(self) -> OwnedRequest {
        OwnedRequest { opcode: self.opcode, node: self.node, body: self.body.to_vec() }
    }
}

/// Numbers at offsets; 0 where a request is too short.
struct Body<'a>(&'a [u8]);

impl Body<'_> {
    fn u32(&self, at: usize) -> u32 {
        let bytes = self.0.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u32::from_ne_bytes)
    }

    fn u64(&self, at: usize) -> u64 {
        let bytes = self.0.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u64::from_ne_bytes)
    }
}

/// With it the end that somebody orders (fusectl) is told apart from the one when nobody has the files any more.
const ABORT_ERROR: u32 = 1 << 21;

/// Version 7.31 is what we speak. Whoever lists the folder gets to know the files at once, without a lookup of each.
fn initialised(body: &Body) -> Result<Vec<u8>, Errno> {
    if body.u32(0) != 7 {
        return Err(Errno::PROTO);
    }
    let mut out = Vec::with_capacity(64);
    put32(&mut out, &[7, 31, 0, (ABORT_ERROR | DO_READDIRPLUS) & body.u32(12)]);
    // Sixteen requests under way at most, twelve before the kernel holds back.
    out.extend(16u16.to_ne_bytes());
    out.extend(12u16.to_ne_bytes());
    put32(&mut out, &[4096, 1]);
    out.resize(64, 0);
    Ok(out)
}

fn opened(handle: u64, flags: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(16);
    put64(&mut out, &[handle]);
    put32(&mut out, &[flags, 0]);
    out
}

fn reply(unique: u64, answer: Result<Vec<u8>, Errno>) -> Vec<u8> {
    let (error, body) = match answer {
        Ok(body) => (0, body),
        Err(errno) => (-errno.raw_os_error(), Vec::new()),
    };
    let mut out = Vec::with_capacity(16 + body.len());
    put32(&mut out, &[u32::try_from(16 + body.len()).unwrap_or(u32::MAX)]);
    out.extend(error.to_ne_bytes());
    put64(&mut out, &[unique]);
    out.extend(body);
    out
}

fn put32(out: &mut Vec<u8>, numbers: &[u32]) {
    out.extend(numbers.iter().flat_map(|number| number.to_ne_bytes()));
}

fn put64(out: &mut Vec<u8>, numbers: &[u64]) {
    out.extend(numbers.iter().flat_map(|number| number.to_ne_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> Server {
        let device = rustix::fs::open("/dev/null", OFlags::RDWR, Mode::empty()).unwrap();
        Server { device, names: &["meminfo", "stat"], made_at: 5, buffer: Vec::new(), next_handle: 1, kept: Vec::new() }
    }

    fn ask(server: &mut Server, opcode: u32, node: u64, body: &[u8]) -> Option<Result<Vec<u8>, Errno>> {
        let mut count = 0;
        let mut content = |index: usize| {
            count += 1;
            Ok(format!("text {count} of file {index}").into_bytes())
        };
        server.answer(&OwnedRequest { opcode, node, body: body.to_vec() }, &mut content)
    }

    fn read(server: &mut Server, handle: u64, offset: u64, size: u32) -> String {
        let mut body = Vec::new();
        put64(&mut body, &[handle, offset]);
        put32(&mut body, &[size, 0]);
        String::from_utf8(ask(server, READ, 3, &body).unwrap().unwrap()).unwrap()
    }

    #[test]
    fn names_are_found() {
        let mut server = server();
        let found = ask(&mut server, LOOKUP, ROOT, b"stat\0").unwrap().unwrap();
        assert_eq!((Body(&found).u64(0), found.len()), (3, 128));
        assert_eq!(ask(&mut server, LOOKUP, ROOT, b"passwd\0"), Some(Err(Errno::NOENT)));
        assert_eq!(ask(&mut server, LOOKUP, 2, b"stat\0"), Some(Err(Errno::NOTDIR)));
        assert_eq!(ask(&mut server, GETATTR, 9, &[]), Some(Err(Errno::NOENT)));
        assert_eq!(ask(&mut server, GETATTR, 2, &[]).unwrap().unwrap().len(), 104);
    }

    #[test]
    fn a_file_is_large_but_for_who_goes_to_its_end() {
        let mut server = server();
        let mut size = |flags: u32| {
            let answer = ask(&mut server, GETATTR, 2, &flags.to_ne_bytes()).unwrap().unwrap();
            Body(&answer).u64(16 + 8)
        };
        assert_eq!((size(0), size(1)), (LARGEST, "text 1 of file 0".len() as u64));
    }

    #[test]
    fn files_are_opened_for_reading_only() {
        let mut server = server();
        assert_eq!(ask(&mut server, OPEN, 2, &1u32.to_ne_bytes()), Some(Err(Errno::ACCESS)));
        assert_eq!(ask(&mut server, OPEN, ROOT, &[0; 8]), Some(Err(Errno::ISDIR)));
        assert_eq!(ask(&mut server, OPEN, 2, &[0; 8]).unwrap().unwrap().len(), 16);
    }

    #[test]
    fn a_text_is_read_in_pieces_and_anew_from_the_start() {
        let mut server = server();
        assert_eq!(read(&mut server, 7, 0, 6), "text 1");
        assert_eq!(read(&mut server, 7, 6, 100), " of file 1");
        assert_eq!(read(&mut server, 7, 1000, 100), "");
        assert_eq!(read(&mut server, 7, u64::MAX, u32::MAX), "");
        for handle in 0..100 {
            read(&mut server, handle, 0, 1);
        }
        assert!(server.kept.len() <= KEPT);
    }

    #[test]
    fn the_folder_lists_its_files() {
        let server = server();
        let mut body = Vec::new();
        put64(&mut body, &[0, 0]);
        put32(&mut body, &[4096, 0]);
        let all = server.read_folder(&Body(&body), false).unwrap();
        assert_eq!(all.len(), 4 * 32);
        assert!(all.windows(7).any(|window| window == b"meminfo"));
        let known = server.read_folder(&Body(&body), true).unwrap();
        assert_eq!(known.len(), 4 * (ENTRY + 32));
        // The first file's own entry, as a lookup has it.
        assert_eq!(Ok(known[2 * (ENTRY + 32)..][..ENTRY].to_vec()), server.lookup(ROOT, b"meminfo\0"));
        assert_eq!(Body(&known).u64(0), 0);
        body[8] = 3;
        assert_eq!(server.read_folder(&Body(&body), false).unwrap().len(), 32);
    }

    #[test]
    fn odd_requests_are_refused() {
        let mut server = server();
        assert_eq!(ask(&mut server, 4711, ROOT, &[]), Some(Err(Errno::NOSYS)));
        assert_eq!(ask(&mut server, INIT, 0, &[]), Some(Err(Errno::PROTO)));
        assert_eq!(ask(&mut server, FORGET, 2, &[]), None);
        assert!(Request::parse(&[0; 39]).is_none());
        assert_eq!(reply(9, Err(Errno::NOENT)).len(), 16);
    }
}
