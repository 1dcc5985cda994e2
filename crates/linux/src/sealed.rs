//! Files in memory that nobody can change any more (memfd_create(2), F_ADD_SEALS): a program that is executed from such a copy
//! cannot be overwritten by whoever gets hold of its `/proc/PID/exe`.

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

/// A copy of a program, to be executed through `/proc/self/fd/NUMBER`.
pub fn program(path: &Path) -> io::Result<OwnedFd> {
    let mut source = File::open(path)?;
    // Where memory is not executable unless that is asked for; kernels before 6.3 do not know the flag.
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let memory = match memfd_create(c"virtlxc", flags | MemfdFlags::EXEC) {
        Err(Errno::INVAL) => memfd_create(c"virtlxc", flags)?,
        memory => memory?,
    };
    let mut copy = File::from(memory);
    io::copy(&mut source, &mut copy)?;
    seal(copy)
}

/// These bytes, to be read from the start.
pub fn bytes(content: &[u8]) -> io::Result<OwnedFd> {
    let mut file = File::from(memfd_create(c"virtlxc", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?);
    file.write_all(content)?;
    file.rewind()?;
    seal(file)
}

fn seal(file: File) -> io::Result<OwnedFd> {
    fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    Ok(file.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::fd::AsRawFd;

    #[test]
    fn what_is_sealed_can_be_read_and_run_but_not_written() {
        let sealed = bytes(b"content").unwrap();
        assert_eq!(rustix::io::write(&sealed, b"x"), Err(Errno::PERM));
        let mut read = String::new();
        File::from(sealed).read_to_string(&mut read).unwrap();
        assert_eq!(read, "content");

        let program = program(Path::new("/bin/true")).unwrap();
        let path = format!("/proc/self/fd/{}", program.as_raw_fd());
        assert!(std::process::Command::new(&path).status().unwrap().success());
        assert!(File::options().append(true).open(&path).and_then(|mut file| file.write_all(b"x")).is_err());
    }
}
