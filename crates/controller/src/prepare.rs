//! What is made on the machine's side before the container is cloned, for it needs the machine's own powers: detached mounts
//! of what the document names, `/dev` with its nodes, the container's terminals. Nothing of it is visible to anybody yet.

use crate::failure::{Doing, Failure, Result};
use crate::image::{self, ImageDevice};
use crate::plan::{ImageDisk, Kind, Mount, Node, Plan, What};
use linux::beneath;
use linux::cgroup::DeviceRule;
use linux::idmap;
use linux::mount::Detached;
use linux::pty::Pty;
use rustix::fs::{FileType, Mode};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

pub struct Prepared {
    pub root: Detached,
    /// One for each of the plan's mounts; none where the container makes it itself.
    pub mounts: Vec<Option<Detached>>,
    /// The container's terminals, one for each console.
    pub terminals: Vec<Pty>,
    /// Devices of the disks that are images.
    pub images: Vec<ImageDevice>,
}

/// The machine's ids of the container's root.
#[derive(Debug, Clone, Copy)]
struct Owner {
    uid: u32,
    gid: u32,
}

/// `state` is a folder of the machine that is root's.
pub fn prepare(plan: &Plan, consoles: usize, state: &Path) -> Result<Prepared> {
    let owner = match plan.users.is_empty() {
        true => None,
        false => Some(Owner {
            uid: idmap::outside(&plan.users, 0).unwrap_or(0),
            gid: idmap::outside(&plan.groups, 0).unwrap_or(0),
        }),
    };
    let root = folder_or_image(&plan.root, state)?
        .ok_or_else(|| Failure::unsupported("the container's root must be a folder, a block device or an image"))?;
    let mut terminals = Vec::new();
    let attach = |disk: &ImageDisk| image::attach(&disk.file, disk.format.as_deref(), disk.read_only, state);
    let images: Vec<ImageDevice> = plan.image_disks.iter().map(attach).collect::<Result<_>>()?;
    let mut mounts = Vec::new();
    for mount in &plan.mounts {
        mounts.push(match &mount.what {
            What::Folder(_) | What::Block(_) | What::Image { .. } => folder_or_image(mount, state)?,
            What::Ram(size) => Some(memory(("tmpfs", "1777"), *size, mount.attributes, owner)?),
            What::Devices => Some(devices(plan, &images, mount, owner)?),
            What::Terminals => {
                let devpts = devpts(plan, mount)?;
                own(devpts.as_fd(), Path::new("."), owner)?;
                own(devpts.as_fd(), Path::new("ptmx"), owner)?;
                for _ in 0..consoles {
                    let terminal = Pty::new(devpts.as_fd()).doing(|| "Unable to open a terminal of the container")?;
                    if let Some(owner) = owner {
                        let gid = idmap::outside(&plan.groups, TERMINALS_GROUP).unwrap_or(owner.gid);
                        let name = terminal.number.to_string();
                        own(devpts.as_fd(), Path::new(&name), Some(Owner { gid, ..owner }))?;
                    }
                    terminals.push(terminal);
                }
                Some(devpts)
            }
            What::Inside { .. } | What::Kernel(_) | What::Console(_) | What::ControlGroups | What::Nothing => None,
        });
    }
    Ok(Prepared { root, mounts, terminals, images })
}

impl Prepared {
    /// What may be used beside the plan's own devices.
    pub fn device_rules(&self) -> impl Iterator<Item = DeviceRule> {
        self.images.iter().map(|image| DeviceRule::block(image.major, image.minor))
    }

    /// Maps owners of files by the container's ids: of what the document says so about, and else of folders and images whose
    /// root belongs to nobody in the container. Lines for the log tell where a file system cannot.
    pub fn map_owners(&self, plan: &Plan, namespace: BorrowedFd) -> Vec<String> {
        let all = std::iter::once((&plan.root, Some(&self.root)));
        let all = all.chain(plan.mounts.iter().zip(self.mounts.iter().map(Option::as_ref)));
        let mut notes = Vec::new();
        for (planned, detached) in all {
            let (What::Folder(_) | What::Block(_) | What::Image { .. }, Some(detached)) = (&planned.what, detached)
            else {
                continue;
            };
            if !planned.maps_ids.unwrap_or_else(|| !belongs_to_container(plan, detached)) {
                continue;
            }
            if let Err(error) = detached.map_ids(namespace) {
                notes.push(format!(
                    "{planned}: its files keep the machine's owners, for they cannot be mapped: {error}"
                ));
            }
        }
        notes
    }
}

/// Who prepared it gave it to the container's ids already.
fn belongs_to_container(plan: &Plan, detached: &Detached) -> bool {
    let owner = rustix::fs::fstat(detached).map(|found| found.st_uid);
    let among = |range: &linux::idmap::Range, uid: u32| uid >= range.outside && uid - range.outside < range.count;
    owner.is_ok_and(|uid| uid != 0 && plan.users.iter().any(|range| among(range, uid)))
}

fn folder_or_image(mount: &Mount, state: &Path) -> Result<Option<Detached>> {
    let detached = match &mount.what {
        What::Folder(path) => {
            let shown = path.display();
            let found = beneath::host(path).doing(|| format!("Failed to access '{shown}'"))?;
            let copy = Detached::copy_of(found.as_fd(), true).doing(|| format!("Failed to bind mount '{shown}'"))?;
            copy.make_private().doing(|| format!("Failed to make the mount of '{shown}' private"))?;
            copy
        }
        What::Block(path) => image::mount_device(path, mount.attributes)?,
        What::Image { file, format } => image::mount_file(file, format.as_deref(), mount.attributes, state)?,
        _ => return Ok(None),
    };
    Ok(Some(detached))
}

fn memory((name, mode): (&str, &str), kib: u64, attributes: u64, owner: Option<Owner>) -> Result<Detached> {
    let (size, uid, gid) = (format!("{kib}k"), owner.map_or(0, |owner| owner.uid), owner.map_or(0, |owner| owner.gid));
    let (uid, gid) = (uid.to_string(), gid.to_string());
    let options =
        [("source", Some(name)), ("mode", Some(mode)), ("size", Some(&size)), ("uid", Some(&uid)), ("gid", Some(&gid))];
    Detached::filesystem("tmpfs", &options, attributes).doing(|| format!("Failed to mount {kib} KiB of memory"))
}

fn devices(plan: &Plan, images: &[ImageDevice], mount: &Mount, owner: Option<Owner>) -> Result<Detached> {
    let dev = memory(("devfs", "755"), 64, mount.attributes, owner)?;
    for node in &plan.nodes {
        make_node(dev.as_fd(), node, owner)?;
    }
    for (disk, image) in plan.image_disks.iter().zip(images) {
        let (kind, major, minor) = (Kind::Block, image.major, image.minor);
        make_node(dev.as_fd(), &Node { path: disk.name.clone().into(), kind, major, minor, mode: 0o700 }, owner)?;
    }
    for (name, target) in &plan.links {
        rustix::fs::symlinkat(*target, &dev, *name)
            .map_err(Into::into)
            .doing(|| format!("Failed to make the link /dev/{name}"))?;
        own(dev.as_fd(), Path::new(name), owner)?;
    }
    Ok(dev)
}

fn make_node(dev: BorrowedFd, node: &Node, owner: Option<Owner>) -> Result<()> {
    let shown = || format!("Failed to make device /dev/{}", node.path.display());
    if let Some(parent) = node.path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        beneath::find_or_make(dev, parent, beneath::Kind::Folder, owner.map(|owner| (owner.uid, owner.gid)))
            .doing(shown)?;
    }
    let kind = match node.kind {
        Kind::Character => FileType::CharacterDevice,
        Kind::Block => FileType::BlockDevice,
    };
    let mode = Mode::from_raw_mode(node.mode);
    match rustix::fs::mknodat(dev, &node.path, kind, mode, rustix::fs::makedev(node.major, node.minor)) {
        // A document may name a customary device once more.
        Ok(()) | Err(rustix::io::Errno::EXIST) => {}
        Err(error) => return Err(error.into()).doing(shown),
    }
    // Whatever the mask for new files is.
    rustix::fs::chmodat(dev, &node.path, mode, rustix::fs::AtFlags::empty()).map_err(Into::into).doing(shown)?;
    own(dev, &node.path, owner)
}

/// The customary group of terminals, `tty`.
const TERMINALS_GROUP: u32 = 5;

fn devpts(plan: &Plan, mount: &Mount) -> Result<Detached> {
    let group =
        if plan.groups.is_empty() { Some(TERMINALS_GROUP) } else { idmap::outside(&plan.groups, TERMINALS_GROUP) };
    let group = group.map(|group| group.to_string());
    let mut options = vec![("ptmxmode", Some("0666")), ("mode", Some("0620"))];
    if let Some(group) = &group {
        options.push(("gid", Some(group)));
    }
    Detached::filesystem("devpts", &options, mount.attributes).doing(|| "Failed to mount devpts")
}

fn own(folder: BorrowedFd, name: &Path, owner: Option<Owner>) -> Result<()> {
    match owner {
        None => Ok(()),
        Some(Owner { uid, gid }) => {
            beneath::own(folder, name, uid, gid).doing(|| format!("Failed to give {} to the container", name.display()))
        }
    }
}
