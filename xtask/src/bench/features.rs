//! What each feature adds to a start: the same container with it and without, in turn, so that a machine's moods meet both.
//! Of each the fastest of all starts counts, for whatever else a machine does makes one only slower.

use super::daemons::Client;
use super::{ROOT, SLEEP};
use crate::Result;
use ::tests::daemon::Daemon;
use ::tests::documents::{domain, interface};
use rustix::mount::{UnmountFlags, mount_bind, unmount};
use serde_json::{Value, json};
use std::process::Command;
use std::time::Duration;

/// A container beside the plain one.
struct Variant {
    /// What it has, or does without.
    name: &'static str,
    document: String,
    /// The feature is what a plain one has and this one does without.
    without: bool,
    /// Without a device for file systems in user space, so without the container's view.
    hides_fuse: bool,
}

/// Image of a file system, and a root on one that maps owners.
const IMAGE: &str = "/opt/bench.img";
const MAPPED: &str = "/opt/bench-mapped";

pub fn measure(runs: usize) -> Result<Value> {
    let prepare = format!(
        "truncate -s 8M {IMAGE} && mkfs.ext4 -q {IMAGE} && mkdir -p {MAPPED} && mount -t tmpfs mapped {MAPPED} && cp -a \
         {ROOT}/. {MAPPED}/"
    );
    crate::run::run(Command::new("sh").args(["-c", &prepare]))?;
    let _daemon = Daemon::start();
    let client = Client::open()?;
    client.start_network();
    let variants = variants();
    let mut domains = Vec::new();
    for (number, variant) in variants.iter().enumerate() {
        let document = variant.document.replace("<name>bench</name>", &format!("<name>bench-{number}</name>"));
        domains.push(client.define(&document).map_err(|error| format!("{}: {error}", variant.name))?);
    }
    let mut times = vec![Vec::new(); variants.len()];
    for round in 0..=runs {
        for ((variant, dom), times) in variants.iter().zip(&domains).zip(&mut times) {
            if variant.hides_fuse {
                mount_bind("/dev/null", "/dev/fuse").map_err(|error| format!("hiding /dev/fuse: {error}"))?;
            }
            let took = client.start(dom).map_err(|error| format!("{}: {error}", variant.name));
            if variant.hides_fuse {
                unmount("/dev/fuse", UnmountFlags::DETACH).map_err(|error| format!("showing /dev/fuse: {error}"))?;
            }
            client.destroy(dom)?;
            // The first fills caches.
            if round > 0 {
                times.push(took?);
            }
        }
    }
    let least: Vec<f64> = times.iter().map(|times| least(times)).collect();
    let plain = least.first().copied().unwrap_or_default();
    let line = |(variant, start): (&Variant, &f64)| {
        let cost = if variant.without { plain - start } else { start - plain };
        json!({ "name": variant.name, "start": start, "cost": (cost * 100.0).round() / 100.0 })
    };
    let features: Vec<Value> = variants.iter().zip(&least).skip(1).map(line).collect();
    Ok(json!({ "unit": "ms", "runs": runs, "plain": plain, "features": features }))
}

pub fn shown(result: &Value) -> String {
    let mut text = format!("{:<44}{:>8}\n", "a plain start, the fastest, in ms", result["plain"]);
    for feature in result["features"].as_array().into_iter().flatten() {
        let name = feature["name"].as_str().unwrap_or_default();
        text += &format!("{name:<44}{:>8}\n", format!("{:+.2}", feature["cost"].as_f64().unwrap_or_default()));
    }
    text
}

fn variants() -> Vec<Variant> {
    let plain = || domain("bench", ROOT, &SLEEP, "");
    let with = |name, document| Variant { name, document, without: false, hides_fuse: false };
    let devices = |name, more: &str| with(name, domain("bench", ROOT, &SLEEP, more));
    let before = |name, more: &str| with(name, plain().replace("<devices>", &format!("{more}<devices>")));
    let own =
        |more: &str| format!("<virtlxc:container xmlns:virtlxc='urn:virtlxc:domain:1.0'>{more}</virtlxc:container>");
    let without = |name, more: &str| Variant { without: true, ..before(name, &own(more)) };
    let filesystem = |name, kind: &str, source: &str| {
        devices(name, &format!("<filesystem type='{kind}'><source {source}/><target dir='/mnt'/></filesystem>"))
    };
    let map =
        "<idmap><uid start='0' target='100000' count='65536'/><gid start='0' target='100000' count='65536'/></idmap>";
    vec![
        with("plain", plain()),
        without("filter of system calls", "<virtlxc:isolation seccomp='off'/>"),
        without("masked paths", "<virtlxc:isolation masked-paths='off'/>"),
        Variant { without: true, hides_fuse: true, ..with("view of memory, processors and time", plain()) },
        Variant {
            document: before("", map).document.replace(ROOT, MAPPED),
            ..with("ids of its own, and a mapped root", String::new())
        },
        filesystem("file system: a folder", "mount", "dir='/opt'"),
        filesystem("file system: memory", "ram", "usage='1' units='MiB'"),
        filesystem("file system: bind", "bind", "dir='/etc'"),
        filesystem("file system: an image", "file", &format!("file='{IMAGE}'")),
        before("network of its own, with nothing in it", "<features><privnet/></features>"),
        devices("interface on a network", &interface("default")),
        devices(
            "device of the machine",
            "<hostdev mode='capabilities' type='misc'><source><char>/dev/zero</char></source></hostdev>",
        ),
        devices("two more consoles", "<console type='pty'/><console type='pty'/>"),
        before(
            "limits of memory and processors",
            "<memtune><soft_limit unit='MiB'>32</soft_limit></memtune><vcpu cpuset='0'>1</vcpu>",
        ),
        before(
            "a limit of processes, rlimits, a sysctl",
            &own(
                "<virtlxc:rlimit name='nofile' soft='100' hard='200'/><virtlxc:sysctl name='kernel.shmmni' value='77'/><virtlxc:pids max='50'/>",
            ),
        ),
    ]
}

/// In milliseconds.
fn least(times: &[Duration]) -> f64 {
    super::summary(times)["min"].as_f64().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_feature_costs() {
        let result = json!({ "plain": 5.0, "features": [{ "name": "ids", "start": 5.5, "cost": 0.5 }] });
        let table = shown(&result);
        let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().rev().take(1).collect()).collect();
        assert_eq!(lines, [["5.0"], ["+0.50"]]);
        let names: std::collections::HashSet<&str> = variants().iter().map(|variant| variant.name).collect();
        assert_eq!(names.len(), variants().len());
    }
}
