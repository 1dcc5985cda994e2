//! What a network interface does in place of the processor: its features by name, as `ethtool -k` lists them.
//! See linux/ethtool.h and the kernel's Documentation/networking/netdev-features.rst.

use rustix::net::{AddressFamily, SocketFlags, SocketType};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::fd::{AsRawFd, BorrowedFd};

const SIOCETHTOOL: libc::c_ulong = 0x8946;
const GET_STRINGS: u32 = 0x1b;
const GET_SET_INFORMATION: u32 = 0x37;
const GET_FEATURES: u32 = 0x3a;
/// The set of strings that names features.
const FEATURES: u32 = 4;
/// `ETH_GSTRING_LEN`, in words.
const NAME: usize = 8;
/// More than any kernel knows; a count above is not one.
const MOST: usize = 1024;

/// The features of `interface` that are on, in the network namespace of the thread. Names are the kernel's:
/// `tx-scatter-gather`, `rx-gro`, …
pub fn active_features(interface: &str) -> io::Result<Vec<String>> {
    let socket: OwnedFd = rustix::net::socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    let ask = |request: &mut [u32]| ask(socket.as_fd(), interface, request);

    // struct ethtool_sset_info: command, padding, mask of sets in 64 bits, and a count for each of them.
    let mask = (1u64 << FEATURES).to_ne_bytes();
    let half = |at: usize| u32::from_ne_bytes([mask[at], mask[at + 1], mask[at + 2], mask[at + 3]]);
    let mut information = [GET_SET_INFORMATION, 0, half(0), half(4), 0];
    ask(&mut information)?;
    let count = information[4] as usize;
    if count > MOST {
        return Err(io::Error::other(format!("{count} features of an interface are too many")));
    }

    // struct ethtool_gstrings: command, set, count, and so many names.
    let mut names = vec![0; 3 + count * NAME];
    names[..3].copy_from_slice(&[GET_STRINGS, FEATURES, count as u32]);
    ask(&mut names)?;

    // struct ethtool_gfeatures: command, number of blocks, and for each what is available, asked for, on, and never changed.
    let blocks = count.div_ceil(32);
    let mut features = vec![0; 2 + blocks * 4];
    features[..2].copy_from_slice(&[GET_FEATURES, blocks as u32]);
    ask(&mut features)?;

    let on = |at: &usize| features.get(2 + at / 32 * 4 + 2).is_some_and(|block| block >> (at % 32) & 1 != 0);
    let name = |at: usize| {
        let words = names.get(3 + at * NAME..3 + (at + 1) * NAME).unwrap_or_default();
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).take_while(|byte| *byte != 0).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    Ok((0..count).filter(on).map(name).collect())
}

/// `request` begins with the command and has room for the whole answer.
fn ask(socket: BorrowedFd, interface: &str, request: &mut [u32]) -> io::Result<()> {
    let mut name = [0; libc::IFNAMSIZ];
    // The last byte stays zero.
    if interface.len() >= name.len() {
        return Err(io::Error::from_raw_os_error(libc::ENODEV));
    }
    for (place, byte) in name.iter_mut().zip(interface.bytes()) {
        *place = byte as libc::c_char;
    }
    let data = request.as_mut_ptr().cast();
    let mut question = libc::ifreq { ifr_name: name, ifr_ifru: libc::__c_anonymous_ifr_ifru { ifru_data: data } };
    // SAFETY: `question` and the memory that it points to are live and not otherwise used during the call. The kernel writes
    // no more than the answer there: one count for the one set asked for, names as many as it counted itself (the number of
    // features is a constant of a running kernel), blocks of features as many as the request says.
    match unsafe { libc::ioctl(socket.as_raw_fd(), SIOCETHTOOL as _, &raw mut question) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_loopback() {
        let features = active_features("lo").unwrap();
        assert!(features.iter().any(|name| name == "tx-scatter-gather"), "{features:?}");
        assert!(features.iter().all(|name| !name.is_empty()), "{features:?}");
    }

    #[test]
    fn of_what_is_not_there() {
        for name in ["", "no-such-link", "a name that is much longer than any link can have"] {
            assert_eq!(active_features(name).unwrap_err().raw_os_error(), Some(libc::ENODEV), "{name}");
        }
    }
}
