//! The program that version 2 asks before a device is opened or made: `BPF_PROG_TYPE_CGROUP_DEVICE` (bpf(2)).
//!
//! The program never changes. Its rules are in a map, from (type, major, minor) to the accesses allowed, so that one device
//! more or less is one element more or less, and whoever has the group finds the map through it.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// Block 1, character 2, as the kernel tells the program.
pub(super) type Key = [u32; 3];

/// In place of a number: every one.
pub(super) const ANY: u32 = u32::MAX;

/// So many rules have room; a bucket each is all they cost unused.
const ROOM: u32 = 256;

const MAP_CREATE: libc::c_long = 0;
const MAP_LOOKUP: libc::c_long = 1;
const MAP_UPDATE: libc::c_long = 2;
const MAP_DELETE: libc::c_long = 3;
const MAP_NEXT_KEY: libc::c_long = 4;
const PROGRAM_LOAD: libc::c_long = 5;
const PROGRAM_ATTACH: libc::c_long = 8;
const PROGRAM_BY_ID: libc::c_long = 13;
const MAP_BY_ID: libc::c_long = 14;
const INFORMATION: libc::c_long = 15;
const PROGRAM_QUERY: libc::c_long = 16;

const TYPE_HASH: u32 = 1;
const NO_PREALLOCATION: u32 = 1;
const TYPE_CGROUP_DEVICE: u32 = 15;
const ATTACH_DEVICE: u32 = 6;
/// Groups below may have programs too; all of them must agree.
const ALLOW_MULTI: u32 = 2;
const NAME: [u8; 16] = *b"virtlxc_devices\0";

/// The rules of a group.
pub(super) struct Map(OwnedFd);

impl Map {
    pub(super) fn new() -> io::Result<Map> {
        #[repr(C)]
        struct Attributes {
            kind: u32,
            key_size: u32,
            value_size: u32,
            room: u32,
            flags: u32,
            inner: u32,
            node: u32,
            name: [u8; 16],
        }
        let mut attributes = Attributes {
            kind: TYPE_HASH,
            key_size: 12,
            value_size: 4,
            room: ROOM,
            flags: NO_PREALLOCATION,
            inner: 0,
            node: 0,
            name: NAME,
        };
        // SAFETY: MAP_CREATE reads the structure, whose layout is the kernel's, and refers to nothing outside it.
        unsafe { descriptor(MAP_CREATE, &mut attributes) }.map(Map)
    }

    /// The map of the program that this library attached to the group; none where there is none.
    pub(super) fn of(group: BorrowedFd) -> io::Result<Option<Map>> {
        for program in attached(group)? {
            let program = by_id(PROGRAM_BY_ID, program)?;
            if let Some(map) = map_of(program.as_fd())? {
                return Ok(Some(Map(by_id(MAP_BY_ID, map)?)));
            }
        }
        Ok(None)
    }

    pub(super) fn get(&self, key: &Key) -> io::Result<u32> {
        let mut value = 0u32;
        match self.element(MAP_LOOKUP, key, (&raw mut value) as u64) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error),
            Ok(()) => Ok(value),
        }
    }

    pub(super) fn set(&self, key: &Key, value: u32) -> io::Result<()> {
        self.element(MAP_UPDATE, key, (&raw const value) as u64)
    }

    pub(super) fn remove(&self, key: &Key) -> io::Result<()> {
        match self.element(MAP_DELETE, key, 0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }

    pub(super) fn keys(&self) -> io::Result<Vec<Key>> {
        let mut keys = Vec::new();
        // No key is this one, so the first answer is the first key.
        let mut last: Key = [ANY; 3];
        loop {
            let mut next: Key = [0; 3];
            match self.element(MAP_NEXT_KEY, &last, (&raw mut next) as u64) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(keys),
                Err(error) => return Err(error),
                Ok(()) => keys.push(next),
            }
            last = next;
            if keys.len() > ROOM as usize {
                return Ok(keys);
            }
        }
    }

    /// `value` is the address of what the command reads or writes: a value, or for MAP_NEXT_KEY a key.
    fn element(&self, command: libc::c_long, key: &Key, value: u64) -> io::Result<()> {
        #[repr(C)]
        struct Attributes {
            map: i32,
            padding: u32,
            key: u64,
            value: u64,
            flags: u64,
        }
        let map = self.0.as_raw_fd();
        let mut attributes = Attributes { map, padding: 0, key: key.as_ptr() as u64, value, flags: 0 };
        // SAFETY: the map's keys are 12 bytes and its values 4; `key` and `value` are live and at least that long in every
        // caller above, and `value` is writable where the command writes it. MAP_DELETE does not look at it.
        unsafe { call(command, &mut attributes) }.map(|_| ())
    }

    /// Loads the program with this map and attaches it to the group.
    pub(super) fn attach(&self, group: BorrowedFd) -> io::Result<()> {
        let program = load(&instructions(self.0.as_raw_fd()))?;
        #[repr(C)]
        struct Attributes {
            group: i32,
            program: i32,
            kind: u32,
            flags: u32,
        }
        let mut attributes = Attributes {
            group: group.as_raw_fd(),
            program: program.as_raw_fd(),
            kind: ATTACH_DEVICE,
            flags: ALLOW_MULTI,
        };
        // SAFETY: PROGRAM_ATTACH reads the structure alone.
        unsafe { call(PROGRAM_ATTACH, &mut attributes) }.map(|_| ())
    }
}

fn load(instructions: &[Instruction]) -> io::Result<OwnedFd> {
    #[repr(C)]
    struct Attributes {
        kind: u32,
        count: u32,
        instructions: u64,
        license: u64,
        log_level: u32,
        log_size: u32,
        log: u64,
        kernel_version: u32,
        flags: u32,
        name: [u8; 16],
    }
    let mut attributes = Attributes {
        kind: TYPE_CGROUP_DEVICE,
        count: u32::try_from(instructions.len()).unwrap_or(0),
        instructions: instructions.as_ptr() as u64,
        license: c"Dual MIT/GPL".as_ptr() as u64,
        log_level: 0,
        log_size: 0,
        log: 0,
        kernel_version: 0,
        flags: 0,
        name: NAME,
    };
    // SAFETY: `instructions` and the license are live for the call, and the count is that of the instructions.
    unsafe { descriptor(PROGRAM_LOAD, &mut attributes) }
}

/// The ids of the device programs of exactly this group.
fn attached(group: BorrowedFd) -> io::Result<Vec<u32>> {
    #[repr(C)]
    struct Attributes {
        group: i32,
        kind: u32,
        query_flags: u32,
        attach_flags: u32,
        ids: u64,
        count: u32,
        padding: u32,
    }
    // More than the kernel lets be attached at once.
    let mut ids = [0u32; 64];
    let mut attributes = Attributes {
        group: group.as_raw_fd(),
        kind: ATTACH_DEVICE,
        query_flags: 0,
        attach_flags: 0,
        ids: ids.as_mut_ptr() as u64,
        count: 64,
        padding: 0,
    };
    // SAFETY: the kernel writes at most `count` ids to `ids`, and the true number to `count`.
    unsafe { call(PROGRAM_QUERY, &mut attributes) }?;
    Ok(ids.into_iter().take(attributes.count as usize).collect())
}

/// The id of the only map of a program of ours.
fn map_of(program: BorrowedFd) -> io::Result<Option<u32>> {
    /// The beginning of the kernel's `struct bpf_prog_info`.
    #[repr(C)]
    struct Information {
        kind: u32,
        id: u32,
        tag: u64,
        lengths: [u32; 2],
        code: [u64; 2],
        load_time: u64,
        uid: u32,
        map_count: u32,
        maps: u64,
        name: [u8; 16],
    }
    #[repr(C)]
    struct Attributes {
        descriptor: i32,
        length: u32,
        information: u64,
    }
    let mut map = 0u32;
    let mut information = Information {
        kind: 0,
        id: 0,
        tag: 0,
        lengths: [0; 2],
        code: [0; 2],
        load_time: 0,
        uid: 0,
        map_count: 1,
        maps: (&raw mut map) as u64,
        name: [0; 16],
    };
    let mut attributes = Attributes {
        descriptor: program.as_raw_fd(),
        length: u32::try_from(size_of::<Information>()).unwrap_or(0),
        information: (&raw mut information) as u64,
    };
    // SAFETY: the kernel writes `length` bytes of information, and at most `map_count`, one, ids to `maps`.
    unsafe { call(INFORMATION, &mut attributes) }?;
    let ours = information.name == NAME && information.map_count == 1;
    Ok(ours.then_some(map))
}

fn by_id(command: libc::c_long, id: u32) -> io::Result<OwnedFd> {
    let mut attributes = [id, 0, 0];
    // SAFETY: both commands read the id and the flags, which are none.
    unsafe { descriptor(command, &mut attributes) }
}

/// Calls bpf(2) for a new descriptor.
///
/// # Safety
/// As for [`call`]; and the command must be one that answers with a new descriptor.
unsafe fn descriptor<T>(command: libc::c_long, attributes: &mut T) -> io::Result<OwnedFd> {
    // SAFETY: the caller's promise.
    let number = unsafe { call(command, attributes) }?;
    // SAFETY: the kernel made the descriptor for this call just now; nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Calls bpf(2).
///
/// # Safety
/// `attributes` must have the layout that the command wants, and the addresses in it must be those of live objects of the
/// sizes that it tells.
unsafe fn call<T>(command: libc::c_long, attributes: &mut T) -> io::Result<libc::c_int> {
    // SAFETY: the caller's promise; the kernel reads and writes no more than the size told here.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, std::ptr::from_mut(attributes), size_of::<T>()) };
    match libc::c_int::try_from(result) {
        Ok(result) if result >= 0 => Ok(result),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The kernel's `struct bpf_insn`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Instruction {
    code: u8,
    /// The target in the low half, the source in the high one.
    registers: u8,
    offset: i16,
    immediate: i32,
}

const fn instruction(code: u8, target: u8, source: u8, offset: i16, immediate: i32) -> Instruction {
    Instruction { code, registers: target | source << 4, offset, immediate }
}

/// Looks up (type, major, minor), then (type, major, any), then (type, any, any); one rule must allow all that is asked.
fn instructions(map: i32) -> Vec<Instruction> {
    // The kernel's documentation of the instruction set (bpf/standardization/instruction-set.rst) has these codes.
    const LOAD_WORD: u8 = 0x61;
    const STORE_WORD: u8 = 0x63;
    const STORE_IMMEDIATE: u8 = 0x62;
    const LOAD_MAP: u8 = 0x18;
    const COPY: u8 = 0xbf;
    const SET: u8 = 0xb7;
    const ADD: u8 = 0x07;
    const AND: u8 = 0x57;
    const AND_REGISTER: u8 = 0x5f;
    const SHIFT_RIGHT: u8 = 0x77;
    const JUMP_IF_EQUAL: u8 = 0x15;
    const JUMP_IF_SAME: u8 = 0x1d;
    const CALL: u8 = 0x85;
    const EXIT: u8 = 0x95;
    const LOOKUP: i32 = 1;
    const MAP_DESCRIPTOR: u8 = 1;
    /// The key lies on the stack: type, major, minor.
    const KEY: i16 = -16;
    const FRAME: u8 = 10;

    let mut code = vec![
        instruction(COPY, 6, 1, 0, 0),
        // The first word has the type below and the accesses above.
        instruction(LOAD_WORD, 7, 6, 0, 0),
        instruction(COPY, 2, 7, 0, 0),
        instruction(AND, 2, 0, 0, 0xffff),
        instruction(STORE_WORD, FRAME, 2, KEY, 0),
        instruction(SHIFT_RIGHT, 7, 0, 0, 16),
        instruction(LOAD_WORD, 2, 6, 4, 0),
        instruction(STORE_WORD, FRAME, 2, KEY + 4, 0),
        instruction(LOAD_WORD, 2, 6, 8, 0),
        instruction(STORE_WORD, FRAME, 2, KEY + 8, 0),
    ];
    let mut to_allow = Vec::new();
    for widened in [None, Some(KEY + 8), Some(KEY + 4)] {
        if let Some(field) = widened {
            code.push(instruction(STORE_IMMEDIATE, FRAME, 0, field, -1));
        }
        code.extend([
            instruction(LOAD_MAP, 1, MAP_DESCRIPTOR, 0, map),
            instruction(0, 0, 0, 0, 0),
            instruction(COPY, 2, FRAME, 0, 0),
            instruction(ADD, 2, 0, 0, i32::from(KEY)),
            instruction(CALL, 0, 0, 0, LOOKUP),
            // No such rule: over the next three.
            instruction(JUMP_IF_EQUAL, 0, 0, 3, 0),
            instruction(LOAD_WORD, 0, 0, 0, 0),
            instruction(AND_REGISTER, 0, 7, 0, 0),
        ]);
        to_allow.push(code.len());
        code.push(instruction(JUMP_IF_SAME, 0, 7, 0, 0));
    }
    code.extend([instruction(SET, 0, 0, 0, 0), instruction(EXIT, 0, 0, 0, 0)]);
    let allow = code.len();
    code.extend([instruction(SET, 0, 0, 0, 1), instruction(EXIT, 0, 0, 0, 0)]);
    for at in to_allow {
        if let (Some(jump), Ok(distance)) = (code.get_mut(at), i16::try_from(allow - at - 1)) {
            jump.offset = distance;
        }
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_jump_lands_on_allow() {
        let code = instructions(3);
        for (at, jump) in code.iter().enumerate().filter(|(_, one)| one.code == 0x1d) {
            let target = at + 1 + usize::try_from(jump.offset).unwrap();
            assert_eq!(code[target], instruction(0xb7, 0, 0, 0, 1));
        }
        assert_eq!(code.iter().filter(|one| one.code == 0x1d).count(), 3);
    }
}
