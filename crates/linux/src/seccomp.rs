//! A filter of system calls (seccomp(2)): a list of those that are refused, for each of the machine's ways to make them.

use std::io;

/// A refused call: its number in this machine's own interface, in that of i386 programs, and what it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    pub native: u32,
    pub i386: Option<u32>,
    pub errno: u16,
}

/// The call of that name. None for one that is not in the table below.
pub fn refused(name: &str, errno: u16) -> Option<Refused> {
    let (_, native, i386) = CALLS.iter().find(|(known, ..)| *known == name)?;
    Some(Refused { native: *native as u32, i386: Some(*i386), errno })
}

/// Name, native number, i386's (arch/x86/entry/syscalls/syscall_32.tbl).
const CALLS: [(&str, libc::c_long, u32); 27] = [
    ("add_key", libc::SYS_add_key, 286),
    ("bpf", libc::SYS_bpf, 357),
    ("delete_module", libc::SYS_delete_module, 129),
    ("finit_module", libc::SYS_finit_module, 350),
    ("init_module", libc::SYS_init_module, 128),
    ("io_uring_enter", libc::SYS_io_uring_enter, 426),
    ("io_uring_register", libc::SYS_io_uring_register, 427),
    ("io_uring_setup", libc::SYS_io_uring_setup, 425),
    #[cfg(target_arch = "x86_64")]
    ("ioperm", libc::SYS_ioperm, 101),
    #[cfg(not(target_arch = "x86_64"))]
    ("ioperm", NONE, 101),
    #[cfg(target_arch = "x86_64")]
    ("iopl", libc::SYS_iopl, 110),
    #[cfg(not(target_arch = "x86_64"))]
    ("iopl", NONE, 110),
    ("kexec_file_load", libc::SYS_kexec_file_load, NOT_THERE),
    ("kexec_load", libc::SYS_kexec_load, 283),
    ("keyctl", libc::SYS_keyctl, 288),
    ("lookup_dcookie", libc::SYS_lookup_dcookie, 253),
    ("open_by_handle_at", libc::SYS_open_by_handle_at, 342),
    ("perf_event_open", libc::SYS_perf_event_open, 336),
    ("quotactl", libc::SYS_quotactl, 131),
    ("quotactl_fd", 443, 443),
    ("request_key", libc::SYS_request_key, 287),
    ("settimeofday", libc::SYS_settimeofday, 79),
    ("clock_settime", libc::SYS_clock_settime, 264),
    ("swapoff", libc::SYS_swapoff, 115),
    ("swapon", libc::SYS_swapon, 87),
    ("syslog", libc::SYS_syslog, 103),
    ("userfaultfd", libc::SYS_userfaultfd, 374),
    #[cfg(target_arch = "x86_64")]
    ("uselib", libc::SYS_uselib, 86),
    #[cfg(not(target_arch = "x86_64"))]
    ("uselib", NONE, 86),
    ("vm86", NONE, 166),
];

/// No program has a call of this number.
const NOT_THERE: u32 = 0xffff;
const NONE: libc::c_long = NOT_THERE as libc::c_long;

const ARCH_X86_64: u32 = 0xc000_003e;
const ARCH_I386: u32 = 0x4000_0003;
/// Where the numbers of the x32 interface begin.
const X32: u32 = 0x4000_0000;
/// Offsets in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;

/// One step of the filter's program (the kernel's `struct sock_filter`).
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    code: u16,
    if_true: u8,
    if_false: u8,
    value: u32,
}

const LOAD: u16 = 0x20;
const JUMP: u16 = 0x05;
const IF_EQUAL: u16 = 0x15;
const IF_AT_LEAST: u16 = 0x35;
const RETURN: u16 = 0x06;

const ALLOW: u32 = 0x7fff_0000;
const REFUSE: u32 = 0x0005_0000;

fn step(code: u16, if_true: u8, if_false: u8, value: u32) -> Step {
    Step { code, if_true, if_false, value }
}

/// A program that refuses the calls, and every call of an interface whose numbers are not known here, as x32.
pub fn program(refused: &[Refused]) -> Vec<Step> {
    let no_such_call = step(RETURN, 0, 0, REFUSE | libc::ENOSYS as u32);
    let section = |numbers: Vec<(u32, u16)>, with_x32: bool| {
        let mut steps = vec![step(LOAD, 0, 0, NUMBER)];
        if with_x32 {
            steps.extend([step(IF_AT_LEAST, 0, 1, X32), no_such_call]);
        }
        for (number, errno) in numbers {
            steps.extend([step(IF_EQUAL, 0, 1, number), step(RETURN, 0, 0, REFUSE | u32::from(errno))]);
        }
        steps.push(step(RETURN, 0, 0, ALLOW));
        steps
    };
    let native = section(refused.iter().map(|call| (call.native, call.errno)).collect(), cfg!(target_arch = "x86_64"));
    let mut steps = Vec::new();
    if cfg!(target_arch = "x86_64") {
        let i386 = section(refused.iter().filter_map(|call| Some((call.i386?, call.errno))).collect(), false);
        steps.push(step(LOAD, 0, 0, ARCHITECTURE));
        for (architecture, section) in [(ARCH_X86_64, native), (ARCH_I386, i386)] {
            // The distance may be more than a condition can jump.
            steps.extend([step(IF_EQUAL, 1, 0, architecture), step(JUMP, 0, 0, section.len() as u32)]);
            steps.extend(section);
        }
        steps.push(no_such_call);
    } else {
        steps.extend(native);
    }
    steps
}

/// The filter is in force for this process and all it starts, for good. It needs CAP_SYS_ADMIN in the user namespace.
pub fn install(program: &[Step]) -> io::Result<()> {
    #[repr(C)]
    struct Program {
        length: libc::c_ushort,
        steps: *const Step,
    }
    const SET_MODE_FILTER: libc::c_uint = 1;
    let length = program.len().try_into().map_err(|_| io::ErrorKind::InvalidInput)?;
    let program = Program { length, steps: program.as_ptr() };
    // SAFETY: the structure is the kernel's sock_fprog: a length and that many steps, which outlive the call; the kernel
    // copies and checks them.
    match unsafe { libc::syscall(libc::SYS_seccomp, SET_MODE_FILTER, 0, &raw const program) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel would make of it.
    fn answer(program: &[Step], architecture: u32, number: u32) -> u32 {
        let (mut at, mut value) = (0, 0);
        loop {
            let step = program[at];
            at += 1;
            match step.code {
                LOAD => value = if step.value == NUMBER { number } else { architecture },
                JUMP => at += step.value as usize,
                IF_EQUAL => at += usize::from(if value == step.value { step.if_true } else { step.if_false }),
                IF_AT_LEAST => at += usize::from(if value >= step.value { step.if_true } else { step.if_false }),
                RETURN => return step.value,
                other => panic!("{other}"),
            }
        }
    }

    #[test]
    fn each_interface_has_its_numbers() {
        let many: Vec<Refused> = CALLS.iter().map(|(name, ..)| refused(name, 1).unwrap()).collect();
        let program = program(&many);
        let (refuse, no_such_call) = (REFUSE | 1, REFUSE | libc::ENOSYS as u32);
        if cfg!(target_arch = "x86_64") {
            for (architecture, number, expected) in [
                (ARCH_X86_64, libc::SYS_kexec_load as u32, refuse),
                (ARCH_X86_64, libc::SYS_read as u32, ALLOW),
                (ARCH_X86_64, X32 | 1, no_such_call),
                (ARCH_I386, 283, refuse),
                (ARCH_I386, 3, ALLOW),
                // i386's number of one is another call's in x86_64.
                (ARCH_X86_64, 283, ALLOW),
                (0xc000_00b7, 0, no_such_call),
            ] {
                assert_eq!(answer(&program, architecture, number), expected, "{architecture:x} {number}");
            }
        }
        assert_eq!(refused("read", 1), None);
    }
}
