//! Devices of a running container: interfaces moved into its network namespace, nodes made in its `/dev`, rules of its device
//! control group. What fails half-way is undone.

use crate::affect::Running;
use crate::audit::Resource;
use crate::controller::cgroup_error;
use crate::driver::Driver;
use crate::files::system;
use crate::guarded::within_patience;
use crate::hotplug::unsupported;
use crate::interfaces::{Plugged, netlink};
use crate::object::not_running;
use crate::usb;
use api::{Error, ErrorDomain, Result};
use conf::domain::{Device, Disk, Domain, Filesystem, Hostdev, HostdevSource, Interface, InterfaceSource};
use conf::element::Element;
use linux::beneath;
use linux::cgroup::{DeviceKind, DeviceRule};
use linux::netlink::Netns;
use rustix::fs::{AtFlags, FileType, Gid, Mode, Uid, chownat, makedev, mknodat, unlinkat};
use rustix::io::Errno;
use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// A device node to be made in the container.
struct Node {
    /// Where, as the container sees it.
    path: PathBuf,
    kind: DeviceKind,
    major: u32,
    minor: u32,
}

impl Driver {
    /// What the device is called, for events.
    pub(crate) fn attach_live(&self, domain: &mut Domain, running: &Running, mut device: Device) -> Result<String> {
        let found = match &mut device {
            Device::Hostdev(Hostdev { source: HostdevSource::Usb(usb), .. }) => usb::find(&self.paths.sys, usb),
            _ => Ok(()),
        };
        let about = device.clone();
        let attached = found.and_then(|()| self.attach_to(domain, running, device));
        self.audit_device(domain, "attach", &about, attached.is_ok());
        attached
    }

    fn attach_to(&self, domain: &mut Domain, running: &Running, device: Device) -> Result<String> {
        match device {
            Device::Interface(interface) => self.attach_interface(domain, running, *interface),
            Device::Disk(disk) => {
                if domain.disks.iter().any(|one| one.target() == disk.target()) {
                    return Err(failed(format!("target {} already exists", disk.target())));
                }
                self.add_node(domain, running, &disk_node(&disk)?)?;
                let name = name_of_disk(&disk);
                domain.disks.push(disk);
                Ok(name)
            }
            Device::Hostdev(hostdev) => {
                let node = hostdev_node(&hostdev)?;
                if domain.find_hostdev(&hostdev).is_some() {
                    return Err(failed("host device already exists"));
                }
                self.add_node(domain, running, &node)?;
                let name = name_of_hostdev(&hostdev, &node);
                domain.hostdevs.push(hostdev);
                Ok(name)
            }
            Device::Filesystem(filesystem) => {
                if domain.filesystems.iter().any(|one| one.target == filesystem.target) {
                    return Err(failed(format!("target {} already exists", filesystem.target)));
                }
                let name = name_of_filesystem(&filesystem);
                self.mount(domain, running, &filesystem)?;
                domain.filesystems.push(filesystem);
                Ok(name)
            }
            other => Err(unsupported(format!("device type '{}' cannot be attached", class(&other)))),
        }
    }

    /// What the device was called, for events.
    pub(crate) fn detach_live(&self, domain: &mut Domain, running: &Running, device: &Device) -> Result<String> {
        let about = of_document(domain, device);
        let detached = self.detach_from(domain, running, device);
        self.audit_device(domain, "detach", about.as_ref().unwrap_or(device), detached.is_ok());
        detached
    }

    pub(crate) fn audit_device(&self, domain: &Domain, reason: &str, device: &Device, success: bool) {
        let mac;
        let resource = match device {
            Device::Disk(disk) => disk.source_path().map(Resource::Disk),
            Device::Hostdev(hostdev) => Some(Resource::Hostdev(&hostdev.source)),
            Device::Interface(interface) => {
                mac = interface.mac.to_string();
                Some(Resource::Interface(&mac))
            }
            Device::Filesystem(filesystem) => crate::audit::source(&filesystem.source).map(Resource::Filesystem),
            Device::Console(_) | Device::Other(_) => None,
        };
        if let Some(resource) = resource {
            self.audit_change(domain, reason, &resource, success);
        }
    }

    fn detach_from(&self, domain: &mut Domain, running: &Running, device: &Device) -> Result<String> {
        match device {
            Device::Interface(interface) => self.detach_interface(domain, interface),
            Device::Disk(disk) => {
                let at = domain.disks.iter().position(|one| one.target() == disk.target());
                let at = at.ok_or_else(|| failed(format!("disk {} not found", disk.target())))?;
                let node = domain.disks.get(at).map(disk_node).transpose()?;
                self.remove_node(running, node)?;
                Ok(name_of_disk(&domain.disks.remove(at)))
            }
            Device::Hostdev(hostdev) => {
                let missing = match &hostdev.source {
                    HostdevSource::Storage { block: path } | HostdevSource::Misc { char: path } => {
                        format!("hostdev {path} not found")
                    }
                    HostdevSource::Usb(_) => "usb device not found".to_string(),
                    _ => return hostdev_node(hostdev).map(|_| String::new()),
                };
                let at = domain.find_hostdev(hostdev);
                let at = at.ok_or_else(|| failed(missing))?;
                let node = domain.hostdevs.get(at).map(hostdev_node).transpose()?;
                let name = node.as_ref().zip(domain.hostdevs.get(at)).map(|(node, dev)| name_of_hostdev(dev, node));
                self.remove_node(running, node)?;
                domain.hostdevs.remove(at);
                Ok(name.unwrap_or_default())
            }
            Device::Filesystem(filesystem) => {
                let at = domain.filesystems.iter().position(|one| one.target == filesystem.target);
                let missing = || failed(format!("filesystem with target {} not found", filesystem.target));
                let found = at.and_then(|at| domain.filesystems.get(at)).ok_or_else(missing)?;
                let name = name_of_filesystem(found);
                self.unmount(running, found)?;
                domain.filesystems.retain(|one| one.target != filesystem.target);
                Ok(name)
            }
            other => Err(unsupported(format!("device type '{}' cannot be detached", class(other)))),
        }
    }

    fn attach_interface(&self, domain: &mut Domain, running: &Running, mut interface: Interface) -> Result<String> {
        if matches!(interface.source, InterfaceSource::Other { .. }) {
            return Err(unsupported("Network device type is not supported"));
        }
        let init = running.init.as_ref().ok_or_else(not_running)?.pid;
        let mut netlink = netlink()?;
        let mut plugged = Plugged::default();
        let attached =
            self.plug(&mut netlink, &mut interface, (&domain.name, &domain.uuid), &mut plugged).and_then(|()| {
                plugged.inner.iter().try_for_each(|inner| {
                    let words = || format!("Unable to move interface {inner} into the container");
                    netlink
                        .move_to(inner, Netns::Pid(init), interface.guest_dev.as_deref())
                        .map_err(|e| Error::system(ErrorDomain::None, &e, words()))
                })
            });
        match attached {
            Ok(()) => {
                let name = name_of_interface(&interface);
                domain.interfaces.push(interface);
                Ok(name)
            }
            Err(error) => {
                self.unplug_all(&plugged);
                Err(error)
            }
        }
    }

    fn detach_interface(&self, domain: &mut Domain, wanted: &Interface) -> Result<String> {
        let at = domain.find_interface(wanted)?;
        let Some(interface) = domain.interfaces.get(at) else { return Ok(String::new()) };
        let direct = matches!(interface.source, InterfaceSource::Direct { .. })
            || interface.actual.as_ref().is_some_and(|actual| actual.direct.is_some());
        let Some(link) = interface.target_dev.clone().filter(|_| !direct) else {
            return Err(unsupported("Only bridged veth devices can be detached"));
        };
        match netlink()?.delete(&link) {
            Err(e) if e.raw_os_error() != Some(Errno::NODEV.raw_os_error()) => {
                return Err(Error::system(ErrorDomain::None, &e, format!("Unable to remove interface {link}")));
            }
            // The container may have removed its end, and ours with it.
            _ => {}
        }
        let interface = domain.interfaces.remove(at);
        self.release_port(&interface);
        Ok(name_of_interface(&interface))
    }

    /// Makes the node, then allows its use.
    fn add_node(&self, domain: &Domain, running: &Running, node: &Node) -> Result<()> {
        let owner = owner_of(domain);
        let words = |what: &str| format!("Unable to {what} device {} in the container", node.path.display());
        let kind = match node.kind {
            DeviceKind::Block => FileType::BlockDevice,
            DeviceKind::Character => FileType::CharacterDevice,
        };
        let (root, path, number) = (self.root_of(running)?, node.path.clone(), makedev(node.major, node.minor));
        let made = within_patience(move || {
            let (folder, name) = folder_of(&root, &path, Some(owner))?;
            mknodat(&folder, &name, kind, Mode::from_raw_mode(0o700), number)?;
            let Some((uid, gid)) = owner else { return Ok(()) };
            let ids = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
            chownat(&folder, &name, ids.0, ids.1, AtFlags::SYMLINK_NOFOLLOW).map_err(|errno| {
                _ = unlinkat(&folder, &name, AtFlags::empty());
                errno.into()
            })
        });
        made.map_err(|e| system(&e, words("create")))?;
        let allowed = running.group().and_then(|group| group.allow_device(&node.rule()).map_err(cgroup_error));
        if allowed.is_err() {
            let (root, path) = (self.root_of(running)?, node.path.clone());
            _ = within_patience(move || remove(&root, &path));
        }
        allowed
    }

    fn remove_node(&self, running: &Running, node: Option<Node>) -> Result<()> {
        let Some(node) = node else { return Ok(()) };
        let (root, path) = (self.root_of(running)?, node.path.clone());
        within_patience(move || remove(&root, &path))
            .map_err(|e| system(&e, format!("Unable to remove device {}", node.path.display())))?;
        running.group()?.deny_device(&node.rule()).map_err(cgroup_error)
    }

    fn root_of(&self, running: &Running) -> Result<OwnedFd> {
        let init = running.init.as_ref().ok_or_else(not_running)?;
        init.root(&self.paths.proc).map_err(|e| system(&e, "Unable to access the container's root".into()))
    }
}

/// The domain's own device, of which what is to be detached tells only so much as is needed to find it.
fn of_document(domain: &Domain, wanted: &Device) -> Option<Device> {
    match wanted {
        Device::Disk(disk) => domain.disks.iter().find(|one| one.target() == disk.target()).cloned().map(Device::Disk),
        Device::Hostdev(hostdev) => {
            domain.find_hostdev(hostdev).and_then(|at| domain.hostdevs.get(at)).cloned().map(Device::Hostdev)
        }
        Device::Filesystem(filesystem) => {
            domain.filesystems.iter().find(|one| one.target == filesystem.target).cloned().map(Device::Filesystem)
        }
        Device::Interface(_) | Device::Console(_) | Device::Other(_) => None,
    }
}

/// The container may have moved or removed it itself.
fn remove(root: &OwnedFd, path: &Path) -> io::Result<()> {
    let Ok((folder, name)) = folder_of(root, path, None) else { return Ok(()) };
    match unlinkat(&folder, &name, AtFlags::empty()) {
        Err(Errno::NOENT) => Ok(()),
        removed => Ok(removed?),
    }
}

/// The folder of a path in the container, resolved so that no link of the container's leads out, and the last name.
/// `make`: missing folders are made, with that owner.
fn folder_of(root: &OwnedFd, path: &Path, make: Option<Option<(u32, u32)>>) -> io::Result<(OwnedFd, OsString)> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let folder = match make {
        Some(owner) => beneath::find_or_make(root.as_fd(), parent, beneath::Kind::Folder, owner)?,
        None => beneath::find(root.as_fd(), parent)?,
    };
    Ok((folder, name.to_os_string()))
}

impl Node {
    fn rule(&self) -> DeviceRule {
        match self.kind {
            DeviceKind::Block => DeviceRule::block(self.major, self.minor),
            DeviceKind::Character => DeviceRule::character(self.major, self.minor),
        }
    }

    /// For a device of the host: its numbers, as a node of this path.
    fn of(source: &str, path: PathBuf, kind: DeviceKind, otherwise: impl FnOnce() -> Error) -> Result<Node> {
        let stat = rustix::fs::stat(source).map_err(|e| system(&e.into(), format!("Unable to access {source}")))?;
        let wanted = match kind {
            DeviceKind::Block => FileType::BlockDevice,
            DeviceKind::Character => FileType::CharacterDevice,
        };
        if FileType::from_raw_mode(stat.st_mode) != wanted {
            return Err(otherwise());
        }
        let (major, minor) = (rustix::fs::major(stat.st_rdev), rustix::fs::minor(stat.st_rdev));
        Ok(Node { path, kind, major, minor })
    }
}

fn disk_node(disk: &Disk) -> Result<Node> {
    let source = disk.source_path().filter(|_| disk.kind() == "block");
    let source = source.ok_or_else(|| unsupported("Can't setup disk for non-block device"))?;
    let path = Path::new("/dev").join(disk.target());
    Node::of(source, path, DeviceKind::Block, || unsupported(format!("Disk source {source} must be a block device")))
}

fn hostdev_node(hostdev: &Hostdev) -> Result<Node> {
    match &hostdev.source {
        HostdevSource::Storage { block } => Node::of(block, block.into(), DeviceKind::Block, || {
            unsupported(format!("Hostdev source {block} must be a block device"))
        }),
        HostdevSource::Misc { char } => Node::of(char, char.into(), DeviceKind::Character, || {
            unsupported(format!("Hostdev source {char} must be a character device"))
        }),
        HostdevSource::Usb(usb) => {
            let path = format!("/dev/bus/usb/{:03}/{:03}", usb.bus, usb.device);
            Node::of(&path, (&path).into(), DeviceKind::Character, || {
                unsupported(format!("USB source {path} was not a character device"))
            })
        }
        HostdevSource::Net { .. } => Err(unsupported("Unsupported host device type net")),
        HostdevSource::Other(element) => {
            let kind = element.attr("type").unwrap_or("pci");
            Err(unsupported(format!("Unsupported host device type {kind}")))
        }
    }
}

/// The machine's ids of the container's root, where they are others.
pub(crate) fn owner_of(domain: &Domain) -> Option<(u32, u32)> {
    let root = |map: &[conf::domain::IdMapEntry]| map.iter().find(|entry| entry.start == 0).map(|entry| entry.target);
    root(&domain.idmap.uids).zip(root(&domain.idmap.gids))
}

fn alias(parts: &[Element]) -> Option<String> {
    let alias = parts.iter().find(|part| part.name == "alias")?;
    alias.attr("name").map(str::to_string)
}

/// Devices of containers have no alias, unless the document gives one. Then events say what the device is known by.
fn name_of_disk(disk: &Disk) -> String {
    alias(&disk.element.children).unwrap_or_else(|| disk.target().to_string())
}

fn name_of_hostdev(hostdev: &Hostdev, node: &Node) -> String {
    alias(&hostdev.kept).unwrap_or_else(|| node.path.display().to_string())
}

fn name_of_filesystem(filesystem: &Filesystem) -> String {
    alias(&filesystem.kept).unwrap_or_else(|| filesystem.target.clone())
}

fn name_of_interface(interface: &Interface) -> String {
    interface.alias.clone().or_else(|| interface.target_dev.clone()).unwrap_or_else(|| interface.mac.to_string())
}

/// libvirt's name for a device's class.
fn class(device: &Device) -> &str {
    match device {
        Device::Disk(_) => "disk",
        Device::Filesystem(_) => "filesystem",
        Device::Interface(_) => "interface",
        Device::Console(_) => "chr",
        Device::Hostdev(_) => "hostdev",
        Device::Other(element) => match element.name.as_str() {
            "serial" | "parallel" | "channel" => "chr",
            name => name,
        },
    }
}

pub(crate) fn failed(words: impl Into<String>) -> Error {
    Error::operation_failed(ErrorDomain::Lxc, words)
}
