//! Which devices a container may open and make: lines in two files of version 1, a program in version 2.

use super::program::{ANY, Map};
use super::{Controller, Error, Group, Result, Version, file};
use rustix::fs::{Mode, OFlags};
use std::fmt;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceKind {
    Block,
    Character,
}

/// What may be done with a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    pub read: bool,
    pub write: bool,
    pub make: bool,
}

impl Access {
    pub const ALL: Access = Access { read: true, write: true, make: true };

    /// As the kernel's program interface counts them.
    fn bits(self) -> u32 {
        u32::from(self.make) | u32::from(self.read) << 1 | u32::from(self.write) << 2
    }

    fn of(bits: u32) -> Access {
        Access { make: bits & 1 != 0, read: bits & 2 != 0, write: bits & 4 != 0 }
    }
}

/// One device, or all with a major number, or all of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceRule {
    pub kind: DeviceKind,
    /// Every one, where none is given; then every minor as well.
    pub major: Option<u32>,
    pub minor: Option<u32>,
    pub access: Access,
}

impl DeviceRule {
    pub const fn character(major: u32, minor: u32) -> DeviceRule {
        DeviceRule { kind: DeviceKind::Character, major: Some(major), minor: Some(minor), access: Access::ALL }
    }

    pub const fn block(major: u32, minor: u32) -> DeviceRule {
        DeviceRule { kind: DeviceKind::Block, major: Some(major), minor: Some(minor), access: Access::ALL }
    }

    /// What every container gets: null, zero, full, random, urandom, tty, ptmx, fuse and pseudo-terminals.
    pub const CUSTOMARY: [DeviceRule; 9] = [
        DeviceRule::character(1, 3),
        DeviceRule::character(1, 5),
        DeviceRule::character(1, 7),
        DeviceRule::character(1, 8),
        DeviceRule::character(1, 9),
        DeviceRule::character(5, 0),
        DeviceRule::character(5, 2),
        DeviceRule::character(10, 229),
        DeviceRule { kind: DeviceKind::Character, major: Some(136), minor: None, access: Access::ALL },
    ];

    fn key(&self) -> [u32; 3] {
        let kind = match self.kind {
            DeviceKind::Block => 1,
            DeviceKind::Character => 2,
        };
        match self.major {
            None => [kind, ANY, ANY],
            Some(major) => [kind, major, self.minor.unwrap_or(ANY)],
        }
    }

    fn of(key: [u32; 3], access: u32) -> DeviceRule {
        let number = |number| (number != ANY).then_some(number);
        let kind = if key[0] == 1 { DeviceKind::Block } else { DeviceKind::Character };
        DeviceRule { kind, major: number(key[1]), minor: number(key[2]), access: Access::of(access) }
    }
}

/// Version 1's line.
impl fmt::Display for DeviceRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |number: Option<u32>| number.map_or("*".to_string(), |number| number.to_string());
        let kind = if self.kind == DeviceKind::Block { 'b' } else { 'c' };
        let minor = self.major.and(self.minor);
        write!(f, "{kind} {}:{} ", number(self.major), number(minor))?;
        for (letter, set) in [("r", self.access.read), ("w", self.access.write), ("m", self.access.make)] {
            f.write_str(if set { letter } else { "" })?;
        }
        Ok(())
    }
}

impl Group {
    /// From now on these devices and no others.
    pub fn allow_only(&self, rules: &[DeviceRule]) -> Result<()> {
        let part = self.needed(Controller::Devices)?;
        if part.version == Version::One {
            file::write(&part.folder.join("devices.deny"), "a")?;
            return write_rules(&part.folder.join("devices.allow"), rules);
        }
        let doing = |source| failed(&part.folder, source);
        let folder = file::open_readable(&part.folder)?;
        let found = Map::of(folder.as_fd()).map_err(doing)?;
        let attach = found.is_none();
        let map = found.map_or_else(Map::new, Ok).map_err(doing)?;
        // Of a group that had rules before: the new ones first, so that nothing that stays allowed is refused in between.
        let mut wanted: Vec<([u32; 3], u32)> = Vec::new();
        for rule in rules {
            match wanted.iter_mut().find(|(key, _)| *key == rule.key()) {
                Some((_, access)) => *access |= rule.access.bits(),
                None => wanted.push((rule.key(), rule.access.bits())),
            }
        }
        for (key, access) in &wanted {
            map.set(key, *access).map_err(doing)?;
        }
        if attach {
            return map.attach(folder.as_fd()).map_err(doing);
        }
        for key in map.keys().map_err(doing)? {
            if !wanted.iter().any(|(wanted, _)| *wanted == key) {
                map.remove(&key).map_err(doing)?;
            }
        }
        Ok(())
    }

    /// One device more.
    pub fn allow_device(&self, rule: &DeviceRule) -> Result<()> {
        let part = self.needed(Controller::Devices)?;
        if part.version == Version::One {
            return file::write(&part.folder.join("devices.allow"), &rule.to_string());
        }
        self.edit(rule, |map, key, before| map.set(key, before | rule.access.bits()))
    }

    /// One device less.
    pub fn deny_device(&self, rule: &DeviceRule) -> Result<()> {
        let part = self.needed(Controller::Devices)?;
        if part.version == Version::One {
            return file::write(&part.folder.join("devices.deny"), &rule.to_string());
        }
        self.edit(rule, |map, key, before| match before & !rule.access.bits() {
            0 => map.remove(key),
            left => map.set(key, left),
        })
    }

    /// The rules in force, where they are in a program.
    pub fn device_rules(&self) -> Result<Vec<DeviceRule>> {
        let part = self.needed(Controller::Devices)?;
        let doing = |source| failed(&part.folder, source);
        let folder = file::open_readable(&part.folder)?;
        let Some(map) = Map::of(folder.as_fd()).map_err(doing)? else { return Ok(Vec::new()) };
        let keys = map.keys().map_err(doing)?.into_iter();
        keys.map(|key| Ok(DeviceRule::of(key, map.get(&key).map_err(doing)?))).collect()
    }

    /// A group without a program allows everything: there is nothing to edit then.
    fn edit(&self, rule: &DeviceRule, act: impl Fn(&Map, &[u32; 3], u32) -> io::Result<()>) -> Result<()> {
        let part = self.needed(Controller::Devices)?;
        let doing = |source| failed(&part.folder, source);
        let folder = file::open_readable(&part.folder)?;
        let Some(map) = Map::of(folder.as_fd()).map_err(doing)? else { return Ok(()) };
        let before = map.get(&rule.key()).map_err(doing)?;
        act(&map, &rule.key(), before).map_err(doing)
    }
}

/// A line for each write, one open for all.
fn write_rules(path: &Path, rules: &[DeviceRule]) -> Result<()> {
    let file = rustix::fs::open(path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|errno| Error::writing(path, "", errno.into()))?;
    for rule in rules {
        let line = rule.to_string();
        rustix::io::write(&file, line.as_bytes()).map_err(|errno| Error::writing(path, &line, errno.into()))?;
    }
    Ok(())
}

fn failed(folder: &Path, source: io::Error) -> Error {
    Error::System { doing: format!("Unable to set the device rules of '{}'", folder.display()), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_version_1() {
        let lines: Vec<String> = DeviceRule::CUSTOMARY.iter().map(DeviceRule::to_string).collect();
        assert_eq!(lines[0], "c 1:3 rwm");
        assert_eq!(lines[8], "c 136:* rwm");
        let read = Access { read: true, write: false, make: false };
        let all = DeviceRule { kind: DeviceKind::Block, major: None, minor: Some(1), access: read };
        assert_eq!(all.to_string(), "b *:* r");
    }

    #[test]
    fn a_rule_survives_the_map() {
        for rule in DeviceRule::CUSTOMARY {
            assert_eq!(DeviceRule::of(rule.key(), rule.access.bits()), rule);
        }
    }
}
