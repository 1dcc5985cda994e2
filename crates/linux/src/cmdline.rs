//! What a process shows as its command line, `/proc/PID/cmdline`, changed while it runs (PR_SET_MM_MAP of prctl(2), which kernels
//! with CONFIG_CHECKPOINT_RESTORE have).

use std::io;

/// `struct prctl_mm_map`: where the parts of a process's memory are.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
struct Map {
    start_code: u64,
    end_code: u64,
    start_data: u64,
    end_data: u64,
    start_brk: u64,
    brk: u64,
    start_stack: u64,
    arg_start: u64,
    arg_end: u64,
    env_start: u64,
    env_end: u64,
    auxv: u64,
    auxv_size: u32,
    exe_fd: u32,
}

/// The right to show another command line, found to be there.
#[derive(Debug)]
pub struct CommandLine(Map);

impl CommandLine {
    /// An error where this kernel cannot change it, or where there is another thread, which might move the end of the heap.
    pub fn of_this_process() -> io::Result<CommandLine> {
        if crate::process::threads()? != 1 {
            return Err(io::Error::other("a process of several threads keeps its command line"));
        }
        let stat = std::fs::read_to_string("/proc/self/stat")?;
        let unknown = || io::Error::new(io::ErrorKind::InvalidData, "/proc/self/stat is not as in proc_pid_stat(5)");
        // From the third field on; the second, in parentheses, may hold anything.
        let fields: Vec<u64> = stat
            .rsplit_once(')')
            .map(|(_, rest)| rest.split_whitespace().map(|field| field.parse().unwrap_or(0)).collect())
            .ok_or_else(unknown)?;
        let field = |number: usize| fields.get(number - 3).copied().ok_or_else(unknown);
        let line = CommandLine(Map {
            start_code: field(26)?,
            end_code: field(27)?,
            start_data: field(45)?,
            end_data: field(46)?,
            start_brk: field(47)?,
            brk: 0,
            start_stack: field(28)?,
            arg_start: field(48)?,
            arg_end: field(49)?,
            env_start: field(50)?,
            env_end: field(51)?,
            auxv: 0,
            auxv_size: 0,
            exe_fd: u32::MAX,
        });
        line.set()?;
        Ok(line)
    }

    /// Shows these words. Their memory is never given back.
    pub fn show(self, words: &[String]) -> io::Result<()> {
        let line: Vec<u8> = words.iter().flat_map(|word| word.bytes().chain([0])).collect();
        let shown = Vec::leak(line).as_ptr_range();
        CommandLine(Map { arg_start: shown.start as u64, arg_end: shown.end as u64, ..self.0 }).set()
    }

    fn set(&self) -> io::Result<()> {
        let mut map = self.0;
        // SAFETY: with no increment it only tells where the heap ends.
        map.brk = unsafe { libc::sbrk(0) } as u64;
        // SAFETY: the map is as large as said, and there is one thread. What it says of code, data, heap and stack is what the kernel has itself told, the
        // end of the heap just now, so that these stay as they are; the other places are only read from, for who looks at the
        // process, and stay mapped: they are the kernel's own or leaked.
        match unsafe { libc::prctl(libc::PR_SET_MM, libc::PR_SET_MM_MAP, &raw const map, size_of::<Map>(), 0) } {
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    }
}
