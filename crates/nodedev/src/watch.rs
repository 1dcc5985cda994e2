//! Devices that come, change and go. When one is gone, /sys has nothing more of it, so the names of those that are there are
//! kept while somebody listens.

use crate::Machine;
use api::{Event, NodeDeviceEvent};
use linux::netlink::{Teller, Uevent, Uevents};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;

pub struct Watch {
    machine: Machine,
    events: Uevents,
    known: Known,
}

/// Names by the folder in /sys.
type Known = BTreeMap<PathBuf, String>;

impl Watch {
    /// Hears of everything from now on.
    pub fn start(machine: &Machine) -> io::Result<Watch> {
        // udevd tells once its rules have run and what it found out can be read; without it, the kernel does.
        let teller = if machine.udev.join("control").exists() { Teller::Udevd } else { Teller::Kernel };
        let events = Uevents::hear(teller)?;
        Ok(Watch { machine: machine.clone(), events, known: known(machine) })
    }

    /// What has happened since the last time.
    pub fn changes(&mut self) -> Vec<Event> {
        let mut changes = Vec::new();
        loop {
            match self.events.next() {
                Ok(Some(event)) => changes.extend(hear(&self.machine, &mut self.known, &event)),
                Ok(None) => return changes,
                // Messages were lost, or the socket is of no more use: what there is tells the rest.
                Err(_) => {
                    changes.extend(compare(&mut self.known, known(&self.machine)));
                    return changes;
                }
            }
        }
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.events.as_fd()
    }
}

fn known(machine: &Machine) -> Known {
    machine.list().into_iter().map(|device| (device.folder, device.name)).collect()
}

fn told(name: String, event: NodeDeviceEvent) -> Event {
    Event::NodeDevice { name, event }
}

/// Takes one message into account.
fn hear(machine: &Machine, known: &mut Known, event: &Uevent) -> Vec<Event> {
    let Ok(sys) = fs::canonicalize(&machine.sys) else { return Vec::new() };
    let folder = |property: &str| event.get(property).map(|path| sys.join(path.trim_start_matches('/')));
    let Some(now) = folder("DEVPATH") else { return Vec::new() };
    let mut gone = |folder: Option<PathBuf>| folder.and_then(|folder| known.remove(&folder));
    let before = match event.get("ACTION").map(String::as_str) {
        Some("add" | "change") => None,
        Some("move") => gone(folder("DEVPATH_OLD")),
        Some("remove") => {
            return gone(Some(now)).map(|name| told(name, NodeDeviceEvent::Deleted)).into_iter().collect();
        }
        _ => return Vec::new(),
    };
    let mut changes: Vec<Event> = before.map(|name| told(name, NodeDeviceEvent::Deleted)).into_iter().collect();
    let Some(device) = machine.at(&now) else { return changes };
    match known.insert(device.folder, device.name.clone()) {
        Some(name) if name == device.name => changes.push(told(name, NodeDeviceEvent::Updated)),
        before => {
            changes.extend(before.map(|name| told(name, NodeDeviceEvent::Deleted)));
            changes.push(told(device.name, NodeDeviceEvent::Created));
        }
    }
    changes
}

fn compare(known: &mut Known, now: Known) -> Vec<Event> {
    let before = std::mem::replace(known, now);
    let missing = |from: &Known, in_there: &Known, event| {
        let names = from.iter().filter(|(folder, name)| in_there.get(*folder) != Some(*name));
        names.map(|(_, name)| told(name.clone(), event)).collect::<Vec<_>>()
    };
    let mut changes = missing(&before, known, NodeDeviceEvent::Deleted);
    changes.extend(missing(known, &before, NodeDeviceEvent::Created));
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::{Paths, Uuid};
    use std::os::unix::fs::symlink;
    use std::path::Path;

    /// A network device in a made up /sys.
    fn add(root: &Path, name: &str, address: &str) {
        let folder = root.join("sys/devices/virtual/net").join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::create_dir_all(root.join("sys/class/net")).unwrap();
        symlink(root.join("sys/class/net"), folder.join("subsystem")).unwrap();
        symlink(&folder, root.join("sys/class/net").join(name)).unwrap();
        fs::write(folder.join("uevent"), format!("INTERFACE={name}\n")).unwrap();
        fs::write(folder.join("address"), format!("{address}\n")).unwrap();
    }

    fn remove(root: &Path, name: &str) {
        fs::remove_dir_all(root.join("sys/devices/virtual/net").join(name)).unwrap();
        fs::remove_file(root.join("sys/class/net").join(name)).unwrap();
    }

    #[test]
    fn what_messages_mean() {
        use NodeDeviceEvent::{Created, Deleted, Updated};
        let root = std::env::temp_dir().join(format!("virtlxc-watch-{}", std::process::id()));
        add(&root, "a", "02:00:00:00:00:01");
        let paths = Paths { sys: root.join("sys"), udev: root.clone(), ..Paths::system() };
        let machine = Machine::new(&paths, Uuid([0; 16]));
        let mut names = known(&machine);
        let mut heard = |action: &str, name: &str, old: Option<&str>| {
            let path = |name: &str| format!("/devices/virtual/net/{name}");
            let mut event = Uevent::from([("ACTION".into(), action.into()), ("DEVPATH".into(), path(name))]);
            event.extend(old.map(|old| ("DEVPATH_OLD".to_string(), path(old))));
            hear(&machine, &mut names, &event)
        };
        let a = || "net_a_02_00_00_00_00_01".to_string();
        let b = || "net_b_02_00_00_00_00_02".to_string();
        let c = || "net_c_02_00_00_00_00_02".to_string();
        assert_eq!(heard("change", "a", None), [told(a(), Updated)]);
        add(&root, "b", "02:00:00:00:00:02");
        assert_eq!(heard("add", "b", None), [told(b(), Created)]);
        assert_eq!(heard("bind", "b", None), []);
        remove(&root, "b");
        add(&root, "c", "02:00:00:00:00:02");
        assert_eq!(heard("move", "c", Some("b")), [told(b(), Deleted), told(c(), Created)]);
        // Another address, and so another name.
        fs::write(root.join("sys/class/net/a/address"), "02:00:00:00:00:03\n").unwrap();
        let changed = "net_a_02_00_00_00_00_03".to_string();
        assert_eq!(heard("change", "a", None), [told(a(), Deleted), told(changed.clone(), Created)]);
        // Told of what is gone again already.
        assert_eq!(heard("add", "gone", None), []);
        assert_eq!(heard("remove", "gone", None), []);
        remove(&root, "c");
        assert_eq!(heard("remove", "c", None), [told(c(), Deleted)]);

        // Messages were lost.
        remove(&root, "a");
        add(&root, "b", "02:00:00:00:00:02");
        assert_eq!(compare(&mut names, known(&machine)), [told(changed, Deleted), told(b(), Created)]);
        fs::remove_dir_all(root).unwrap();
    }
}
