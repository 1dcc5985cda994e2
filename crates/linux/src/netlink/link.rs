//! Links: veth pairs, bridges, macvlan, and changes to what is there.

use super::Socket;
use super::message::{Request, attributes, text, u32_at};
use libc::{NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, RTM_DELLINK, RTM_GETLINK, RTM_NEWLINK};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

const VETH_INFO_PEER: u16 = 1;
const IFLA_MACVLAN_MODE: u16 = 1;
const IFLA_BR_FORWARD_DELAY: u16 = 1;
const IFLA_BR_STP_STATE: u16 = 5;
const IFLA_BR_VLAN_FILTERING: u16 = 7;
const IFLA_BRPORT_ISOLATED: u16 = 33;
const IFLA_PERM_ADDRESS: u16 = 54;

/// The longest name of a link, in bytes.
pub const LONGEST_NAME: usize = libc::IFNAMSIZ - 1;

/// Another network namespace: an open file of it, or a process in it.
#[derive(Debug, Clone, Copy)]
pub enum Netns<'a> {
    Fd(BorrowedFd<'a>),
    Pid(i32),
}

/// Two links that are each other's cable.
#[derive(Debug, Clone, Default)]
pub struct Veth<'a> {
    /// The end that stays here. `vnet%d` takes the first number that is free.
    pub name: &'a str,
    pub mac: Option<[u8; 6]>,
    pub mtu: Option<u32>,
    /// The bridge (by index) that this end becomes a port of.
    pub master: Option<u32>,
    /// This end is up at once.
    pub up: bool,
    pub peer_name: &'a str,
    pub peer_mac: Option<[u8; 6]>,
    /// Where the other end is made; here if `None`.
    pub peer_netns: Option<Netns<'a>>,
}

#[derive(Debug, Clone, Default)]
pub struct Bridge<'a> {
    pub name: &'a str,
    pub mac: Option<[u8; 6]>,
    pub mtu: Option<u32>,
    pub stp: bool,
    /// Seconds until a new port forwards.
    pub delay: u32,
    pub vlan_filtering: bool,
}

/// How the links on one lower device see each other and the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MacvlanMode {
    Private = 1,
    Vepa = 2,
    Bridge = 4,
    Passthrough = 8,
}

#[derive(Debug, Clone)]
pub struct Macvlan<'a> {
    pub name: &'a str,
    /// The lower device, by index.
    pub lower: u32,
    pub mode: MacvlanMode,
    pub mac: Option<[u8; 6]>,
    pub mtu: Option<u32>,
    /// Where it is made; here if `None`.
    pub netns: Option<Netns<'a>>,
}

/// What is to be different about a link. All in one request.
#[derive(Debug, Clone, Default)]
pub struct Change<'a> {
    pub up: Option<bool>,
    /// The bridge's index; 0 takes the link off its bridge.
    pub master: Option<u32>,
    pub mac: Option<[u8; 6]>,
    pub mtu: Option<u32>,
    /// A link that is up cannot be renamed.
    pub name: Option<&'a str>,
    pub netns: Option<Netns<'a>>,
}

/// A link as the kernel shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Link {
    pub index: u32,
    pub name: String,
    pub mac: Option<[u8; 6]>,
    /// Burnt into hardware: nobody can set it.
    pub permanent_mac: Option<[u8; 6]>,
    pub mtu: u32,
    /// Administratively up.
    pub up: bool,
    /// Up, and the cable's other end too.
    pub running: bool,
    pub loopback: bool,
    pub master: Option<u32>,
    /// `bridge`, `veth`, `macvlan`, …; empty for hardware.
    pub kind: String,
}

impl Socket {
    /// Both ends by one request: the peer is made in its namespace with its final name and address.
    pub fn create_veth(&mut self, veth: &Veth) -> io::Result<()> {
        let mut request = new_link(veth.up);
        let change = Change { mac: veth.mac, mtu: veth.mtu, master: veth.master, ..Change::default() };
        name_and_change(&mut request, Some(veth.name), &change);
        let peer = Change { mac: veth.peer_mac, mtu: veth.mtu, netns: veth.peer_netns, ..Change::default() };
        kind(&mut request, "veth", |data| {
            data.nest(VETH_INFO_PEER, &info_message(0, 0, 0), |inside| {
                name_and_change(inside, Some(veth.peer_name), &peer);
            });
        });
        self.act(request)
    }

    pub fn create_bridge(&mut self, bridge: &Bridge) -> io::Result<()> {
        let mut request = new_link(false);
        let change = Change { mac: bridge.mac, mtu: bridge.mtu, ..Change::default() };
        name_and_change(&mut request, Some(bridge.name), &change);
        kind(&mut request, "bridge", |data| {
            // The kernel counts in hundredths of a second.
            data.number(IFLA_BR_FORWARD_DELAY, bridge.delay.saturating_mul(100));
            data.number(IFLA_BR_STP_STATE, u32::from(bridge.stp));
            if bridge.vlan_filtering {
                data.attr(IFLA_BR_VLAN_FILTERING, &[1]);
            }
        });
        self.act(request)
    }

    pub fn create_macvlan(&mut self, link: &Macvlan) -> io::Result<()> {
        let mut request = new_link(false);
        let change = Change { mac: link.mac, mtu: link.mtu, netns: link.netns, ..Change::default() };
        name_and_change(&mut request, Some(link.name), &change);
        request.number(libc::IFLA_LINK, link.lower);
        kind(&mut request, "macvlan", |data| data.number(IFLA_MACVLAN_MODE, link.mode as u32));
        self.act(request)
    }

    /// Of a veth pair both ends go.
    pub fn delete(&mut self, name: &str) -> io::Result<()> {
        let mut request = Request::new(RTM_DELLINK, NLM_F_ACK, &info_message(0, 0, 0));
        request.text(libc::IFLA_IFNAME, name);
        self.act(request)
    }

    pub fn change(&mut self, name: &str, change: &Change) -> io::Result<()> {
        let index = self.index(name)?;
        let (flags, mask) = match change.up {
            Some(up) => (if up { libc::IFF_UP as u32 } else { 0 }, libc::IFF_UP as u32),
            None => (0, 0),
        };
        let mut request = Request::new(RTM_NEWLINK, NLM_F_ACK, &info_message(index, flags, mask));
        name_and_change(&mut request, change.name, change);
        self.act(request)
    }

    pub fn set_up(&mut self, name: &str, up: bool) -> io::Result<()> {
        self.change(name, &Change { up: Some(up), ..Change::default() })
    }

    /// Makes `name` a port of the bridge `master`, or of none.
    pub fn set_master(&mut self, name: &str, master: Option<&str>) -> io::Result<()> {
        let master = master.map_or(Ok(0), |master| self.index(master))?;
        self.change(name, &Change { master: Some(master), ..Change::default() })
    }

    pub fn rename(&mut self, name: &str, new: &str) -> io::Result<()> {
        self.change(name, &Change { name: Some(new), ..Change::default() })
    }

    pub fn set_mac(&mut self, name: &str, mac: [u8; 6]) -> io::Result<()> {
        self.change(name, &Change { mac: Some(mac), ..Change::default() })
    }

    pub fn set_mtu(&mut self, name: &str, mtu: u32) -> io::Result<()> {
        self.change(name, &Change { mtu: Some(mtu), ..Change::default() })
    }

    /// Into another namespace, under a new name if one is given.
    pub fn move_to(&mut self, name: &str, netns: Netns, new_name: Option<&str>) -> io::Result<()> {
        self.change(name, &Change { netns: Some(netns), name: new_name, ..Change::default() })
    }

    /// Whether a port of a bridge is kept from the bridge's other ports that are so, too.
    pub fn set_isolated(&mut self, name: &str, isolated: bool) -> io::Result<()> {
        let index = self.index(name)?;
        let mut request = Request::new(RTM_NEWLINK, NLM_F_ACK, &info_message(index, 0, 0));
        request.nest(libc::IFLA_LINKINFO, &[], |info| {
            info.text(libc::IFLA_INFO_SLAVE_KIND, "bridge");
            info.nest(libc::IFLA_INFO_SLAVE_DATA, &[], |data| data.attr(IFLA_BRPORT_ISOLATED, &[u8::from(isolated)]));
        });
        self.act(request)
    }

    /// `ENODEV` where there is no such link.
    pub fn link(&mut self, name: &str) -> io::Result<Link> {
        if name.len() > LONGEST_NAME {
            return Err(io::Error::from_raw_os_error(libc::ENODEV));
        }
        let mut request = Request::new(RTM_GETLINK, NLM_F_ACK, &info_message(0, 0, 0));
        request.text(libc::IFLA_IFNAME, name);
        let mut found = None;
        self.exchange(request, |kind, body| {
            if kind == RTM_NEWLINK {
                found = read_link(body);
            }
        })?;
        found.ok_or_else(|| io::Error::from_raw_os_error(libc::ENODEV))
    }

    pub fn index(&mut self, name: &str) -> io::Result<u32> {
        self.link(name).map(|link| link.index)
    }

    pub fn links(&mut self) -> io::Result<Vec<Link>> {
        let request = Request::new(RTM_GETLINK, NLM_F_DUMP, &info_message(0, 0, 0));
        let mut found = Vec::new();
        self.exchange(request, |kind, body| {
            if kind == RTM_NEWLINK {
                found.extend(read_link(body));
            }
        })?;
        Ok(found)
    }
}

/// `struct ifinfomsg`.
fn info_message(index: u32, flags: u32, mask: u32) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[4..8].copy_from_slice(&index.to_ne_bytes());
    bytes[8..12].copy_from_slice(&flags.to_ne_bytes());
    bytes[12..].copy_from_slice(&mask.to_ne_bytes());
    bytes
}

fn new_link(up: bool) -> Request {
    let flags = if up { libc::IFF_UP as u32 } else { 0 };
    Request::new(RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &info_message(0, flags, flags))
}

fn kind(request: &mut Request, name: &str, data: impl FnOnce(&mut Request)) {
    request.nest(libc::IFLA_LINKINFO, &[], |info| {
        info.text(libc::IFLA_INFO_KIND, name);
        info.nest(libc::IFLA_INFO_DATA, &[], data);
    });
}

fn name_and_change(request: &mut Request, name: Option<&str>, change: &Change) {
    if let Some(name) = name {
        request.text(libc::IFLA_IFNAME, name);
    }
    if let Some(mac) = change.mac {
        request.attr(libc::IFLA_ADDRESS, &mac);
    }
    if let Some(mtu) = change.mtu {
        request.number(libc::IFLA_MTU, mtu);
    }
    if let Some(master) = change.master {
        request.number(libc::IFLA_MASTER, master);
    }
    match change.netns {
        Some(Netns::Fd(fd)) => request.number(libc::IFLA_NET_NS_FD, fd.as_raw_fd() as u32),
        Some(Netns::Pid(pid)) => request.number(libc::IFLA_NET_NS_PID, pid as u32),
        None => {}
    }
}

fn read_link(body: &[u8]) -> Option<Link> {
    let flags = u32_at(body, 8)?;
    let mut link = Link {
        index: u32_at(body, 4)?,
        up: flags & libc::IFF_UP as u32 != 0,
        running: flags & libc::IFF_RUNNING as u32 != 0,
        loopback: flags & libc::IFF_LOOPBACK as u32 != 0,
        ..Link::default()
    };
    for (kind, value) in attributes(body.get(16..)?) {
        match kind {
            libc::IFLA_IFNAME => link.name = text(value),
            libc::IFLA_ADDRESS => link.mac = value.try_into().ok(),
            IFLA_PERM_ADDRESS => link.permanent_mac = value.try_into().ok(),
            libc::IFLA_MTU => link.mtu = u32_at(value, 0).unwrap_or(0),
            libc::IFLA_MASTER => link.master = u32_at(value, 0),
            libc::IFLA_LINKINFO => {
                let found = attributes(value).find(|(kind, _)| *kind == libc::IFLA_INFO_KIND);
                link.kind = found.map(|(_, value)| text(value)).unwrap_or_default();
            }
            _ => {}
        }
    }
    Some(link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_is_there() {
        let mut socket = Socket::new().unwrap();
        let link = socket.link("lo").unwrap();
        assert!(link.loopback && link.index > 0);
        assert!(socket.links().unwrap().contains(&link));
        assert_eq!(socket.link("no-such-link").unwrap_err().raw_os_error(), Some(libc::ENODEV));
    }
}
