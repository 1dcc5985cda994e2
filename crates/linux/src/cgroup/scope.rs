//! Where systemd runs, it owns the hierarchies: it makes the container's group, a scope, when machined is told of the machine
//! (systemd's "The New Control Group Interfaces" and org.freedesktop.machine1(5)).

use super::file;
use super::group::{Part, Place};
use super::{Group, Hierarchies, Result, name};
use crate::dbus::{Body, Connection, Failure, Method, SYSTEM_BUS, Variant};
use std::path::Path;

/// What machined shows of a container beside its name and place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Machine {
    pub uuid: [u8; 16],
    /// Numbers of the network interfaces of the machine that lead into it.
    pub interfaces: Vec<i32>,
}

/// Whether systemd is this machine's first process, as sd_booted(3) finds out: then groups are its to make.
pub fn systemd_runs() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

/// Tells machined of this process, the controller, as the machine's leader; true where there is a scope of it then.
/// The lines for the log say why not, where systemd does run.
fn registered(place: &Place, machine: &Machine, notes: &mut Vec<String>) -> bool {
    if !systemd_runs() {
        return false;
    }
    let method = Method {
        destination: "org.freedesktop.machine1",
        path: "/org/freedesktop/machine1",
        interface: "org.freedesktop.machine1.Manager",
        member: "CreateMachineWithNetwork",
    };
    let call = || {
        let arguments = Body::default()
            .text(&name::machine_name(place.id, &place.domain))
            .bytes(&machine.uuid)
            .text("libvirt-lxc")
            .text("container")
            .u32(place.id.unsigned_abs())
            .text("")
            .i32s(&machine.interfaces)
            .properties(&[
                ("Slice", Variant::Text(&name::slice_name(&place.partition))),
                ("After", Variant::Texts(&["libvirtd.service", "virtlxcd.service"])),
                ("Before", Variant::Texts(&["virt-guest-shutdown.target"])),
                ("Delegate", Variant::Boolean(true)),
            ]);
        Connection::open(Path::new(SYSTEM_BUS))?.call(&method, &arguments)
    };
    match call() {
        Ok(()) => true,
        Err(failure) => {
            let hint = match &failure {
                Failure::Refused { name, .. } if name.ends_with(".ServiceUnknown") => {
                    " (Debian's package systemd-container has machined)"
                }
                _ => "",
            };
            notes.push(format!("no systemd scope, own groups instead: {failure}{hint}"));
            false
        }
    }
}

impl Group {
    /// Makes the group for this process, the controller, by systemd where that runs, which puts the process into it; else as
    /// [`Group::create`] does. Beside it the lines for the log. On an error nothing is left of it.
    pub fn start(
        hierarchies: &Hierarchies,
        proc: &Path,
        place: &Place,
        machine: &Machine,
    ) -> Result<(Group, Vec<String>)> {
        let mut notes = Vec::new();
        if registered(place, machine, &mut notes) {
            let group = Group::adopt(hierarchies, proc, place, &mut notes)?;
            return Ok((group, notes));
        }
        let (group, more) = Group::create(hierarchies, place)?;
        notes.extend(more);
        Ok((group, notes))
    }

    /// The scope that this process was put into, completed in the hierarchies that systemd leaves alone.
    fn adopt(hierarchies: &Hierarchies, proc: &Path, place: &Place, notes: &mut Vec<String>) -> Result<Group> {
        notes.extend(hierarchies.require()?);
        let scope = name::scope_name(&name::machine_name(place.id, &place.domain));
        let placed = hierarchies.placement(proc, place.id)?;
        let own = |path: &str| path.rsplit('/').next() == Some(scope.as_str());
        let Some((_, path)) = placed.iter().find(|(_, path)| own(path)) else {
            notes.push(format!("systemd made no scope '{scope}': own groups instead"));
            let (group, more) = Group::create(hierarchies, place)?;
            notes.extend(more);
            return Ok(group);
        };
        let mut group = Group { parts: Vec::new() };
        for hierarchy in &hierarchies.all {
            // Without the part of the path that this mount does not show.
            let Some(folder) = hierarchy.folder(path) else { continue };
            let part = Part::at(hierarchy, folder);
            let made = placed.iter().any(|(placed, at)| *placed == hierarchy && own(at)) || part.make_all()?;
            if made {
                group.parts.push(part);
            }
        }
        // The controller first: a group that has processes gives nothing to those below it.
        for part in &group.parts {
            part.make_children()?;
        }
        group.join()?;
        for part in &mut group.parts {
            part.fill(notes)?;
        }
        Ok(group)
    }
}

impl Part {
    /// The folder with those above it, in a hierarchy that systemd has nothing in; true.
    fn make_all(&self) -> Result<bool> {
        let below = self.folder.strip_prefix(&self.mounted_at).unwrap_or(&self.folder);
        let mut folder = self.mounted_at.clone();
        for part in below.components() {
            folder.push(part);
            if !file::folder_exists(&folder) {
                file::create_folder(&folder)?;
                self.inherit(&folder)?;
            }
        }
        Ok(true)
    }
}
