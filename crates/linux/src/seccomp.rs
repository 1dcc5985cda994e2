//! The filter of system calls for what runs in a container (seccomp(2)): a list of refusals, made into a program for the
//! kernel's classic BPF machine (Documentation/userspace-api/seccomp_filter.rst).
//!
//! The program is small, since compiling it is what loading costs. It finds a call by halving the range of numbers; most calls
//! do not even ask it, since the kernel remembers numbers that are allowed whatever their arguments.

mod rules;

use crate::capability::Set;
use rules::{Call, RULES, Rule, When};
use std::collections::BTreeMap;
use std::fmt;
use std::io;

/// A program ready to be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter(Vec<Instruction>);

/// `struct sock_filter`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Instruction {
    code: u16,
    when_true: u8,
    when_false: u8,
    k: u32,
}

/// Which kernel the filter is for; each knows the calls of its 32-bit programs too, where it runs such.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Machine {
    X86_64,
    Aarch64,
}

impl Machine {
    /// This one.
    pub const HERE: Machine = if cfg!(target_arch = "aarch64") { Machine::Aarch64 } else { Machine::X86_64 };
}

impl Filter {
    /// Refusals for a container. `granted` are the capabilities that its document gives by name or by the policy "allow",
    /// not those that it merely keeps because nobody took them: each lifts the rules that it is written for. `mapped`:
    /// it has a user namespace of its own.
    ///
    /// A container in which other containers are to run best has a user namespace; without, grant it `sys_admin`.
    pub fn new(machine: Machine, granted: Set, mapped: bool) -> Filter {
        let lifted = |rule: &Rule| {
            mapped && rule.unless_mapped || rule.unless.iter().any(|capability| granted.contains(capability))
        };
        let rules: Vec<&Rule> = RULES.iter().filter(|rule| !lifted(rule)).collect();
        let mut program = Program::default();
        // Calls of an architecture without a table: none of them.
        let none = program.refuse(libc::ENOSYS);
        match machine {
            Machine::X86_64 => {
                let table = program.table(&rules, |call| call.2);
                let foreign = program.load(NUMBER, table);
                let foreign = program.jump(JUMP_EQUAL, ARCH_I386, foreign, none);
                let table = program.table(&rules, |call| call.1);
                // x32 is 64-bit code with numbers of its own: hardly a kernel has it, and nothing needs it.
                let table = program.jump(JUMP_AT_LEAST, X32_BIT, none, table);
                let native = program.load(NUMBER, table);
                program.jump(JUMP_EQUAL, ARCH_X86_64, native, foreign)
            }
            Machine::Aarch64 => {
                let table = program.table(&rules, |call| call.3);
                let native = program.load(NUMBER, table);
                program.jump(JUMP_EQUAL, ARCH_AARCH64, native, none)
            }
        };
        program.push(LOAD, ARCHITECTURE);
        program.finish()
    }

    /// Puts this thread, and all that comes of it, under the filter; for good.
    ///
    /// The kernel asks for `sys_admin` in the caller's user namespace, so call this before capabilities are given up, as
    /// late as that allows. The filter refuses nothing that setting up ids, capabilities or the program needs.
    pub fn load(&self) -> io::Result<()> {
        let length = u16::try_from(self.0.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        // The kernel reads the instructions alone; the structure wants a pointer to mutable ones.
        let program = libc::sock_fprog { len: length, filter: self.0.as_ptr().cast_mut().cast() };
        // SAFETY: `Instruction` is laid out as the kernel's structure (checked below), `length` of them are live for the
        // call, and the kernel writes to none.
        let result = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program) };
        match result {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

const _: () = assert!(size_of::<Instruction>() == size_of::<libc::sock_filter>());

/// One instruction a line, with jumps by line number.
impl fmt::Display for Filter {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        for (at, &Instruction { code, when_true, when_false, k }) in self.0.iter().enumerate() {
            let to = |distance: u32| at + 1 + distance as usize;
            let (yes, no) = (to(when_true.into()), to(when_false.into()));
            match code {
                LOAD => writeln!(out, "{at}: load {k}")?,
                RETURN if k == ALLOW => writeln!(out, "{at}: allow")?,
                RETURN => writeln!(out, "{at}: refuse {}", k & 0xffff)?,
                JUMP => writeln!(out, "{at}: to {}", to(k))?,
                JUMP_EQUAL => writeln!(out, "{at}: == {k:#x} ? {yes} : {no}")?,
                JUMP_AT_LEAST => writeln!(out, "{at}: >= {k:#x} ? {yes} : {no}")?,
                _ => writeln!(out, "{at}: & {k:#x} ? {yes} : {no}")?,
            }
        }
        Ok(())
    }
}

const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const JUMP: u16 = (libc::BPF_JMP | libc::BPF_JA) as u16;
const JUMP_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const JUMP_AT_LEAST: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
const JUMP_ANY_BIT: u16 = (libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;

/// Where things are in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
/// The lower half of an argument, on a machine that puts it first, as all of ours do.
const fn argument(number: u32) -> u32 {
    16 + 8 * number
}

/// linux/audit.h
const ARCH_X86_64: u32 = 0xc000_003e;
const ARCH_I386: u32 = 0x4000_0003;
const ARCH_AARCH64: u32 = 0xc000_00b7;

/// `__X32_SYSCALL_BIT`: numbers from here on are not of x86-64 proper.
const X32_BIT: u32 = 0x4000_0000;

/// A program in the making, its last instruction first: jumps lead forward, so where they lead is always known.
#[derive(Default)]
struct Program {
    backwards: Vec<Instruction>,
    /// What was returned somewhere already, and where.
    returns: BTreeMap<u32, Label>,
}

/// How many instructions there are from this one to the end, itself among them.
type Label = usize;

impl Program {
    fn finish(mut self) -> Filter {
        self.backwards.reverse();
        Filter(self.backwards)
    }

    fn push(&mut self, code: u16, k: u32) -> Label {
        self.backwards.push(Instruction { code, when_true: 0, when_false: 0, k });
        self.backwards.len()
    }

    /// Loads a word of the call, and goes on at the label.
    fn load(&mut self, offset: u32, next: Label) -> Label {
        if next != self.backwards.len() {
            self.push(JUMP, (self.backwards.len() - next) as u32);
        }
        self.push(LOAD, offset)
    }

    fn jump(&mut self, code: u16, k: u32, when_true: Label, when_false: Label) -> Label {
        let (when_true, when_false) = (self.near(when_true), self.near(when_false));
        let distance = |label| u8::try_from(self.backwards.len() - label).unwrap_or(u8::MAX);
        let (when_true, when_false) = (distance(when_true), distance(when_false));
        self.backwards.push(Instruction { code, when_true, when_false, k });
        self.backwards.len()
    }

    /// The label, or a jump to it where a condition's own jump may not reach.
    fn near(&mut self, label: Label) -> Label {
        match self.backwards.len() - label {
            0..250 => label,
            distance => self.push(JUMP, distance as u32),
        }
    }

    fn answer(&mut self, value: u32) -> Label {
        match self.returns.get(&value) {
            Some(label) => *label,
            None => {
                let label = self.push(RETURN, value);
                self.returns.insert(value, label);
                label
            }
        }
    }

    fn refuse(&mut self, errno: i32) -> Label {
        self.answer(libc::SECCOMP_RET_ERRNO | errno as u32)
    }

    /// Answers the loaded number, as calls have it on one architecture.
    fn table(&mut self, rules: &[&Rule], number: fn(&Call) -> i32) -> Label {
        let mut refusals: BTreeMap<u32, Label> = BTreeMap::new();
        let allow = self.answer(ALLOW);
        for rule in rules.iter().rev() {
            for number in rule.calls.iter().filter_map(|call| u32::try_from(number(call)).ok()) {
                let otherwise = refusals.get(&number).copied().unwrap_or(allow);
                let label = self.refusal(rule, otherwise);
                refusals.insert(number, label);
            }
        }
        let refusals: Vec<(u32, Label)> = refusals.into_iter().collect();
        self.search(&refusals, allow)
    }

    /// Refuses where the rule's condition holds, and goes on at the other label where it does not.
    fn refusal(&mut self, rule: &Rule, otherwise: Label) -> Label {
        let refuse = self.refuse(rule.errno);
        match rule.when {
            When::Always => refuse,
            When::Equals(which, values) => {
                let tests =
                    values.iter().rev().fold(otherwise, |next, value| self.jump(JUMP_EQUAL, *value, refuse, next));
                self.load(argument(which), tests)
            }
            When::BothEqual(first, third) => {
                let test = self.jump(JUMP_EQUAL, third, refuse, otherwise);
                let inner = self.load(argument(2), test);
                let test = self.jump(JUMP_EQUAL, first, inner, otherwise);
                self.load(argument(0), test)
            }
            When::AnyBit(which, bits) => {
                let test = self.jump(JUMP_ANY_BIT, bits, refuse, otherwise);
                self.load(argument(which), test)
            }
        }
    }

    /// Goes where the loaded number is to go: the numbers halved until a few are left, and those one by one.
    fn search(&mut self, refusals: &[(u32, Label)], allow: Label) -> Label {
        match refusals {
            few if few.len() <= 4 => {
                few.iter().rev().fold(allow, |next, (number, label)| self.jump(JUMP_EQUAL, *number, *label, next))
            }
            _ => {
                let (low, high) = refusals.split_at(refusals.len() / 2);
                let middle = high.first().map_or(0, |(number, _)| *number);
                let high = self.search(high, allow);
                let low = self.search(low, allow);
                self.jump(JUMP_AT_LEAST, middle, high, low)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel gives a filter to look at.
    struct Made {
        architecture: u32,
        number: u32,
        arguments: [u64; 3],
    }

    /// The kernel's machine, as far as our programs use it. The errno, or 0; and the steps taken.
    fn run(filter: &Filter, call: &Made) -> (u32, usize) {
        let (mut at, mut loaded) = (0, 0);
        for step in 1.. {
            let Instruction { code, when_true, when_false, k } = filter.0[at];
            at += 1;
            let holds = match code {
                LOAD => {
                    loaded = match k {
                        NUMBER => call.number,
                        ARCHITECTURE => call.architecture,
                        _ => {
                            assert!(k >= 16 && k % 8 == 0, "an odd load");
                            call.arguments[(k as usize - 16) / 8] as u32
                        }
                    };
                    continue;
                }
                RETURN if k == ALLOW => return (0, step),
                RETURN => {
                    assert_eq!(k & 0xffff_0000, libc::SECCOMP_RET_ERRNO);
                    return (k & 0xffff, step);
                }
                JUMP => {
                    at += k as usize;
                    continue;
                }
                JUMP_EQUAL => loaded == k,
                JUMP_AT_LEAST => loaded >= k,
                JUMP_ANY_BIT => loaded & k != 0,
                _ => panic!("an unknown instruction {code:#x}"),
            };
            at += usize::from(if holds { when_true } else { when_false });
        }
        unreachable!()
    }

    type Numbers = fn(&Call) -> i32;

    const ARCHITECTURES: [(Machine, u32, Numbers); 3] = [
        (Machine::X86_64, ARCH_X86_64, |call| call.1),
        (Machine::X86_64, ARCH_I386, |call| call.2),
        (Machine::Aarch64, ARCH_AARCH64, |call| call.3),
    ];

    fn find(name: &str) -> &'static Call {
        RULES.iter().flat_map(|rule| rule.calls).find(|call| call.0 == name).unwrap()
    }

    fn check(granted: &[&str], name: &str, arguments: [u64; 3], errno: i32) {
        let granted = granted.iter().fold(Set::default(), |set, name| set.with(name));
        for (machine, architecture, number) in ARCHITECTURES {
            let Ok(number) = u32::try_from(number(find(name))) else { continue };
            let verdict = run(&Filter::new(machine, granted, false), &Made { architecture, number, arguments }).0;
            assert_eq!(verdict, errno as u32, "{name}{arguments:x?} with {granted:?} on {architecture:#x}");
        }
    }

    #[test]
    fn verdicts() {
        let none = [0; 3];
        check(&[], "kexec_load", none, libc::EPERM);
        check(&["sys_boot", "sys_admin"], "kexec_load", none, libc::EPERM);
        check(&[], "init_module", none, libc::EPERM);
        check(&["sys_module"], "init_module", none, 0);
        check(&["sys_module"], "finit_module", none, 0);
        check(&["sys_module"], "open_by_handle_at", none, libc::EPERM);
        check(&["dac_read_search"], "open_by_handle_at", none, 0);
        check(&[], "keyctl", none, libc::ENOSYS);
        check(&["sys_admin"], "keyctl", none, 0);
        let mapped = Filter::new(Machine::X86_64, Set::default(), true);
        let keyctl = Made { architecture: ARCH_X86_64, number: find("keyctl").1 as u32, arguments: none };
        assert_eq!(run(&mapped, &keyctl).0, 0);
        check(&["bpf"], "bpf", none, 0);
        check(&[], "stime", none, libc::EPERM);
        check(&[], "vm86", none, libc::ENOSYS);
        check(&[], "umount2", [0, 2, 0], 0);
        check(&[], "umount2", [0, 3, 0], libc::EACCES);
    }

    #[test]
    fn verdicts_on_ioctl() {
        check(&[], "ioctl", [0, 0x5401, 0], 0);
        check(&[], "ioctl", [0, 0x5412, 0], libc::EPERM);
        check(&[], "ioctl", [0, 0x541c, 0], libc::EPERM);
        check(&[], "ioctl", [0, 0xc004_5877, 0], libc::EPERM);
        check(&[], "ioctl", [0, 0x8004_587d, 0], libc::EPERM);
        // The kernel cuts the request to 32 bits, and so must we.
        check(&[], "ioctl", [0, 0x1_0000_5412, 0], libc::EPERM);
        check(&[], "ioctl", [0x5412, 0, 0x5412], 0);
    }

    #[test]
    fn verdicts_on_socket() {
        let netlink = libc::AF_NETLINK as u64;
        check(&[], "socket", [libc::AF_INET as u64, 1, 0], 0);
        check(&[], "socket", [libc::AF_VSOCK as u64, 1, 0], libc::EAFNOSUPPORT);
        check(&[], "socket", [libc::AF_ALG as u64, 5, 0], libc::EAFNOSUPPORT);
        check(&[], "socket", [netlink, 3, 0], 0);
        check(&[], "socket", [netlink, 3, 9], libc::EAFNOSUPPORT);
        check(&[], "socket", [libc::AF_INET as u64, 3, 9], 0);
        check(&["audit_control"], "socket", [netlink, 3, 9], 0);
        check(&["audit_control"], "socket", [libc::AF_VSOCK as u64, 3, 9], libc::EAFNOSUPPORT);
    }

    #[test]
    fn every_call_not_named_is_allowed() {
        for (machine, architecture, own) in ARCHITECTURES {
            let filter = Filter::new(machine, Set::default(), false);
            let named: Vec<i32> = RULES.iter().flat_map(|rule| rule.calls).map(own).collect();
            for number in (0..1000).filter(|number| !named.contains(&(*number as i32))) {
                let (errno, steps) = run(&filter, &Made { architecture, number, arguments: [u64::MAX; 3] });
                assert_eq!(errno, 0, "call {number} on {architecture:#x}");
                assert!(steps <= 16, "{steps} steps for call {number}");
            }
        }
    }

    #[test]
    fn every_call_named_is_refused_or_looked_at() {
        for (machine, architecture, number) in ARCHITECTURES {
            let filter = Filter::new(machine, Set::default(), false);
            for rule in RULES {
                for call in rule.calls {
                    let Ok(number) = u32::try_from(number(call)) else { continue };
                    let (errno, _) = run(&filter, &Made { architecture, number, arguments: [0; 3] });
                    let expected = if matches!(rule.when, When::Always) { rule.errno as u32 } else { 0 };
                    assert_eq!(errno, expected, "{} on {architecture:#x}", call.0);
                }
            }
        }
    }

    #[test]
    fn other_architectures_and_x32_have_no_calls() {
        let filter = Filter::new(Machine::X86_64, Set::ALL, false);
        for (architecture, number) in [(ARCH_X86_64, X32_BIT), (ARCH_X86_64, X32_BIT | 528), (ARCH_AARCH64, 29)] {
            let verdict = run(&filter, &Made { architecture, number, arguments: [0; 3] }).0;
            assert_eq!(verdict, libc::ENOSYS as u32);
        }
        // The mark that no call was made, left by ptrace.
        let _ = run(&filter, &Made { architecture: ARCH_X86_64, number: u32::MAX, arguments: [0; 3] });
    }

    #[test]
    fn the_program_in_words() {
        let all = Filter::new(Machine::Aarch64, Set::ALL, false).to_string();
        let expected = "0: load 4\n1: == 0xc00000b7 ? 2 : ";
        assert!(all.starts_with(expected), "{all}");
        assert!(all.ends_with(&format!("refuse {}\n", libc::ENOSYS)), "{all}");
        assert!(Filter::new(Machine::X86_64, Set::default(), false).0.len() < 200);
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn numbers_are_those_of_the_system_headers() {
        let known = [
            ("kexec_load", libc::SYS_kexec_load),
            ("finit_module", libc::SYS_finit_module),
            ("open_by_handle_at", libc::SYS_open_by_handle_at),
            ("keyctl", libc::SYS_keyctl),
            ("bpf", libc::SYS_bpf),
            ("ioctl", libc::SYS_ioctl),
            ("socket", libc::SYS_socket),
            ("umount2", libc::SYS_umount2),
            ("syslog", libc::SYS_syslog),
        ];
        for (name, number) in known {
            assert_eq!(i64::from(find(name).1), number, "{name}");
        }
    }

    /// A thread has a filter of its own, so the test's others go on without.
    #[test]
    fn the_kernel_takes_it() {
        let tried = std::thread::spawn(|| {
            match Filter::new(Machine::HERE, Set::default(), false).load() {
                Ok(()) => {}
                // Without privilege there is nothing to see.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return None,
                Err(error) => panic!("{error}"),
            }
            // SAFETY: both calls take numbers, and the second is refused.
            let (plain, refused) = unsafe { (libc::getppid(), libc::syscall(libc::SYS_keyctl, 0, -3, 0)) };
            assert!(plain > 0 && refused == -1);
            io::Error::last_os_error().raw_os_error()
        });
        assert!(matches!(tried.join().unwrap(), None | Some(libc::ENOSYS)));
    }
}
