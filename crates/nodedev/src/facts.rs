//! What is known of one device: its properties as the kernel tells them in `uevent`, those that udevd has added in its
//! database (`data/b8:0` of its folder, one letter and a colon before each line), and attributes, a file each.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

#[derive(Debug, Clone, Default)]
pub struct Facts {
    properties: BTreeMap<String, String>,
    /// Names below /dev that udevd has given it, sorted.
    pub links: Vec<String>,
}

impl Facts {
    pub fn read(folder: &Path, subsystem: &str, udev: &Path) -> Facts {
        let mut facts = Facts::default();
        for line in text(&folder.join("uevent")).unwrap_or_default().lines() {
            facts.add(line);
        }
        let known = udev.join("data").join(facts.key(folder, subsystem));
        for line in text(&known).unwrap_or_default().lines() {
            match line.split_once(':') {
                Some(("E", property)) => facts.add(property),
                Some(("S", link)) => facts.links.push(link.to_string()),
                _ => {}
            }
        }
        facts.links.sort();
        facts
    }

    pub fn get(&self, property: &str) -> Option<&str> {
        self.properties.get(property).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub fn has(&self, property: &str) -> bool {
        self.get(property) == Some("1")
    }

    /// The device's file.
    pub fn node(&self) -> Option<String> {
        self.get("DEVNAME").map(dev_path)
    }

    fn add(&mut self, property: &str) {
        if let Some((name, value)) = property.split_once('=') {
            self.properties.insert(name.to_string(), value.to_string());
        }
    }

    /// What udevd's database calls the device.
    fn key(&self, folder: &Path, subsystem: &str) -> String {
        match (self.get("MAJOR"), self.get("MINOR"), self.get("IFINDEX")) {
            (Some(major), Some(minor), _) => {
                format!("{}{major}:{minor}", if subsystem == "block" { 'b' } else { 'c' })
            }
            (_, _, Some(index)) => format!("n{index}"),
            _ => format!("+{subsystem}:{}", super::file_name(folder)),
        }
    }
}

pub fn dev_path(name: &str) -> String {
    if name.starts_with('/') { name.to_string() } else { format!("/dev/{name}") }
}

fn text(path: &Path) -> Option<String> {
    fs::read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// An attribute without the white space around it; None where it is not there or has nothing.
pub fn attribute(folder: &Path, name: &str) -> Option<String> {
    let text = text(&folder.join(name))?;
    Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_string)
}

pub fn number<N: std::str::FromStr>(folder: &Path, name: &str) -> Option<N> {
    attribute(folder, name)?.parse().ok()
}

/// A number in hexadecimal digits, with or without `0x`.
pub fn hexadecimal(folder: &Path, name: &str) -> Option<u32> {
    let text = attribute(folder, name)?;
    u32::from_str_radix(text.strip_prefix("0x").unwrap_or(&text), 16).ok()
}

/// The names in a folder, sorted; none where there is no such folder.
pub fn entries(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}
