//! Loop devices (loop(4)): a file shown as a block device, gone by itself when the last user lets go of it.

use rustix::fs::{Mode, OFlags};
use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// An open loop device. The kernel detaches the file when this and all mounts of the device are gone.
#[derive(Debug)]
pub struct LoopDevice {
    pub file: OwnedFd,
    /// Its node, in the folder that was given.
    pub node: PathBuf,
}

/// What failed, with its path.
#[derive(Debug)]
pub struct Failure {
    pub what: &'static str,
    pub path: PathBuf,
    pub error: io::Error,
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        write!(out, "{} {}: {}", self.what, self.path.display(), self.error)
    }
}

impl std::error::Error for Failure {}

const CONTROL_GET_FREE: libc::c_ulong = 0x4c82;
const CONFIGURE: libc::c_ulong = 0x4c0a;
const READ_ONLY: u32 = 1;
const AUTOCLEAR: u32 = 4;

/// Others look for a free device too, and take the one that was free when we looked.
const TRIES: usize = 64;

/// Attaches a file, from its first byte, to a free loop device; `dev` is the folder of device nodes, `/dev`.
///
/// A node that is missing though the kernel has the device (no devtmpfs) is an error that names it.
pub fn attach(dev: &Path, image: &Path, read_only: bool) -> Result<LoopDevice, Failure> {
    let failed = |what, path: &Path, error| Failure { what, path: path.to_path_buf(), error };
    let access = if read_only { OFlags::RDONLY } else { OFlags::RDWR };
    let backing = rustix::fs::open(image, access | OFlags::CLOEXEC | OFlags::NONBLOCK, Mode::empty())
        .map_err(|error| failed("cannot open image", image, error.into()))?;
    if !File::from(backing.try_clone().map_err(|error| failed("cannot open image", image, error))?)
        .metadata()
        .is_ok_and(|found| found.is_file())
    {
        let error = io::Error::new(io::ErrorKind::InvalidInput, "not a regular file");
        return Err(failed("cannot use image", image, error));
    }
    let control_path = dev.join("loop-control");
    let control = rustix::fs::open(&control_path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
        .map_err(|error| failed("cannot open", &control_path, error.into()))?;
    for _ in 0..TRIES {
        let number = free(control.as_fd())
            .map_err(|error| failed("cannot get a free loop device from", &control_path, error))?;
        let node = dev.join(format!("loop{number}"));
        let file = rustix::fs::open(&node, access | OFlags::CLOEXEC, Mode::empty())
            .map_err(|error| failed("cannot open loop device", &node, error.into()))?;
        match configure(file.as_fd(), backing.as_fd(), image, read_only) {
            Ok(()) => return Ok(LoopDevice { file, node }),
            Err(error) if error.raw_os_error() == Some(libc::EBUSY) => {}
            Err(error) => return Err(failed("cannot attach to a loop device image", image, error)),
        }
    }
    let error = io::Error::from_raw_os_error(libc::EBUSY);
    Err(failed("every loop device was taken by others; cannot attach image", image, error))
}

/// Makes a device where none is free.
fn free(control: BorrowedFd) -> io::Result<u32> {
    // SAFETY: the request takes no argument.
    let number = unsafe { libc::ioctl(control.as_raw_fd(), CONTROL_GET_FREE) };
    u32::try_from(number).map_err(|_| io::Error::last_os_error())
}

/// `struct loop_info64`
#[repr(C)]
#[derive(Clone, Copy)]
struct Information {
    device: u64,
    inode: u64,
    rdevice: u64,
    offset: u64,
    size_limit: u64,
    number: u32,
    encryption: u32,
    key_size: u32,
    flags: u32,
    file_name: [u8; 64],
    crypt_name: [u8; 64],
    key: [u8; 32],
    init: [u64; 2],
}

/// `struct loop_config`
#[repr(C)]
struct Configuration {
    backing: u32,
    block_size: u32,
    information: Information,
    reserved: [u64; 8],
}

const _: () = assert!(size_of::<Information>() == 232 && size_of::<Configuration>() == 304);

fn configure(device: BorrowedFd, backing: BorrowedFd, image: &Path, read_only: bool) -> io::Result<()> {
    let mut file_name = [0; 64];
    // For people who list the devices; cut where it is longer, with the closing zero kept.
    for (place, byte) in file_name.iter_mut().take(63).zip(image.as_os_str().as_encoded_bytes()) {
        *place = *byte;
    }
    let configuration = Configuration {
        backing: backing.as_raw_fd() as u32,
        block_size: 0,
        information: Information {
            device: 0,
            inode: 0,
            rdevice: 0,
            offset: 0,
            size_limit: 0,
            number: 0,
            encryption: 0,
            key_size: 0,
            flags: AUTOCLEAR | if read_only { READ_ONLY } else { 0 },
            file_name,
            crypt_name: [0; 64],
            key: [0; 32],
            init: [0; 2],
        },
        reserved: [0; 8],
    };
    // SAFETY: the request reads a structure of this layout (its sizes are checked above), which is live for the call.
    match unsafe { libc::ioctl(device.as_raw_fd(), CONFIGURE, &raw const configuration) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn failures_name_the_path() {
        let folder = std::env::temp_dir();
        let error = attach(Path::new("/dev"), Path::new("/no/such.img"), true).unwrap_err().to_string();
        assert!(error.starts_with("cannot open image /no/such.img: No such file"), "{error}");
        let error = attach(Path::new("/dev"), &folder, true).unwrap_err().to_string();
        assert!(error.contains(&format!("{}: not a regular file", folder.display())), "{error}");
        let image = folder.join(format!("virtlxc-loop-{}", std::process::id()));
        std::fs::write(&image, b"x").unwrap();
        let error = attach(Path::new("/no/dev"), &image, true).unwrap_err().to_string();
        assert!(error.starts_with("cannot open /no/dev/loop-control: No such file"), "{error}");
        std::fs::remove_file(image).unwrap();
    }

    /// Where this process may have loop devices at all.
    #[test]
    fn a_file_becomes_a_device() {
        let image = std::env::temp_dir().join(format!("virtlxc-loop-image-{}", std::process::id()));
        std::fs::write(&image, [b'v'; 1 << 16]).unwrap();
        let attached = attach(Path::new("/dev"), &image, true);
        std::fs::remove_file(&image).unwrap();
        let Ok(device) = attached else { return };
        let mut file = File::open(&device.node).unwrap();
        let mut start = [0; 512];
        file.read_exact(&mut start).unwrap();
        assert_eq!(start, [b'v'; 512]);
        let written = std::fs::OpenOptions::new().write(true).open(&device.node).and_then(|mut file| file.write(b"x"));
        assert!(written.is_err(), "writable though read-only");
    }
}
