//! Ids for a container whose document asks for a range of its own: out of the machine's `/etc/subuid` and `/etc/subgid`
//! (subuid(5)), apart from those of every other container.

use crate::driver::{Driver, lock};
use crate::object::DomainObject;
use api::{Error, ErrorDomain, Result, Uuid};
use conf::domain::{Domain, IdMap, IdMapEntry};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;

/// Whose lines are taken: the first that has any.
const OWNERS: [&[&str]; 2] = [&["virtlxc"], &["root", "0"]];

/// What was chosen for starts under way and for containers that run. Taken before any domain's lock.
#[derive(Default)]
pub(crate) struct ChosenIds(Mutex<HashMap<Uuid, IdMap>>);

/// Ids from `first` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    first: u32,
    count: u32,
}

impl Range {
    fn end(self) -> u64 {
        u64::from(self.first) + u64::from(self.count)
    }
}

impl Driver {
    /// Fills in the map of a document that leaves the choice to us.
    pub(crate) fn choose_ids(&self, object: &DomainObject, live: &mut Domain) -> Result<()> {
        let Some(count) = live.extension.automatic_idmap else { return Ok(()) };
        let mut chosen = lock(&self.ids.0);
        let mut others: Vec<IdMap> =
            chosen.iter().filter(|(uuid, _)| **uuid != object.uuid).map(|(_, map)| map.clone()).collect();
        for other in self.all().iter().filter(|other| other.uuid != object.uuid) {
            let state = other.lock();
            others.extend([state.definition.idmap.clone(), state.current().idmap.clone()]);
        }
        let one = |file: &str, entries: fn(&IdMap) -> &[IdMapEntry]| {
            let path = self.paths.subordinate_ids(file);
            let taken = others.iter().flat_map(entries).map(|entry| Range { first: entry.target, count: entry.count });
            let first =
                choose(&ranges(&path)?, &taken.collect::<Vec<_>>(), count, seed(object.uuid)).ok_or_else(|| {
                    refused(format!("no {count} ids in a row are left of those that '{}' gives", path.display()))
                })?;
            Ok::<_, Error>(vec![IdMapEntry { start: 0, target: first, count }])
        };
        let map = IdMap { uids: one("subuid", |map| &map.uids)?, gids: one("subgid", |map| &map.gids)? };
        live.idmap = map.clone();
        chosen.insert(object.uuid, map);
        Ok(())
    }

    /// The container has ended: others may have them.
    pub(crate) fn release_ids(&self, uuid: &Uuid) {
        lock(&self.ids.0).remove(uuid);
    }
}

fn refused(words: String) -> Error {
    Error::config_unsupported(ErrorDomain::Lxc, words)
}

/// Where to look first, so that a container finds the ids of its last run again while nobody else has them: its files on file
/// systems that cannot map owners are still its own then.
fn seed(uuid: Uuid) -> u64 {
    uuid.0.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

/// What the file gives to containers.
fn ranges(path: &Path) -> Result<Vec<Range>> {
    let text = match std::fs::read_to_string(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            return Err(crate::files::system(&e, format!("cannot read '{}'", path.display())));
        }
        text => text.unwrap_or_default(),
    };
    let found = OWNERS.iter().map(|names| of_owner(&text, names)).find(|ranges| !ranges.is_empty());
    found.ok_or_else(|| {
        refused(format!(
            "no ids for containers: '{path}' has no line for 'virtlxc' or 'root'; one is 'virtlxc:1000000:6553600'",
            path = path.display()
        ))
    })
}

/// Lines `NAME:FIRST:COUNT` of these names; what is no such line is nobody's.
fn of_owner(text: &str, names: &[&str]) -> Vec<Range> {
    let range = |line: &str| {
        let mut fields = line.trim().split(':');
        let (name, first, count) = (fields.next()?, fields.next()?, fields.next()?);
        // The last id of all stands for none.
        let range = Range { first: first.parse().ok()?, count: count.parse().ok()? };
        (names.contains(&name) && range.first != 0 && range.end() <= u64::from(u32::MAX)).then_some(range)
    };
    text.lines().filter_map(range).collect()
}

/// The first id of a place that is free. Places are multiples of `count` from the beginning of each range.
fn choose(available: &[Range], taken: &[Range], count: u32, seed: u64) -> Option<u32> {
    let taken = blocks(taken);
    let size = u64::from(count);
    let places = |range: &Range| u64::from(range.count / count);
    let all: u64 = available.iter().map(places).sum();
    let mut number = seed.checked_rem(all)?;
    let mut unseen = all;
    while unseen > 0 {
        let mut within = number;
        let range = available.iter().find(|range| match within.checked_sub(places(range)) {
            Some(rest) => {
                within = rest;
                false
            }
            None => true,
        })?;
        let first = u64::from(range.first) + within * size;
        let next = taken.partition_point(|block| block.end <= first);
        let Some(met) = taken.get(next).filter(|block| block.start < first + size) else {
            return u32::try_from(first).ok();
        };
        // On to the first place behind what is taken, or to the next range.
        let step = (met.end - first).div_ceil(size).min(places(range) - within).min(unseen);
        unseen -= step;
        number = (number + step) % all;
    }
    None
}

/// The same ids in order, and each once.
fn blocks(ranges: &[Range]) -> Vec<std::ops::Range<u64>> {
    let mut sorted: Vec<_> =
        ranges.iter().filter(|range| range.count > 0).map(|range| u64::from(range.first)..range.end()).collect();
    sorted.sort_unstable_by_key(|block| block.start);
    let mut blocks: Vec<std::ops::Range<u64>> = Vec::new();
    for block in sorted {
        match blocks.last_mut().filter(|last| block.start <= last.end) {
            Some(last) => last.end = last.end.max(block.end),
            None => blocks.push(block),
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_containers() {
        let text = "daniel:100000:65536\nroot:200000:1000\nbad\nroot:x:1\nroot:0:5\n0:300000:10\nroot:4294967290:9\n";
        let found = of_owner(text, OWNERS[1]);
        assert_eq!(found, [Range { first: 200_000, count: 1000 }, Range { first: 300_000, count: 10 }]);
        assert_eq!(of_owner(text, OWNERS[0]), []);
    }

    #[test]
    fn ids_are_apart_and_the_same_as_before_where_they_are_free() {
        let available = [Range { first: 1000, count: 250 }, Range { first: 5000, count: 100 }];
        let mut taken = Vec::new();
        for expected in [5000, 1000, 1100] {
            let first = choose(&available, &taken, 100, 2).unwrap();
            assert_eq!(first, expected);
            taken.push(Range { first, count: 100 });
        }
        assert_eq!(choose(&available, &taken, 100, 2), None);
        taken.remove(0);
        assert_eq!(choose(&available, &taken, 100, 2), Some(5000));
        // Somebody's whose beginning is none of the places.
        assert_eq!(choose(&available, &[Range { first: 1050, count: 100 }], 100, 0), Some(5000));
        assert_eq!(choose(&available, &[], 400, 0), None);
        assert_eq!(choose(&[], &[], 1, 0), None);
        // A range that is all taken is not walked through id by id.
        let all = [Range { first: 1, count: u32::MAX - 1 }];
        assert_eq!(choose(&all, &[Range { first: 1, count: 100 }], 1, 0), Some(101));
    }

    #[test]
    fn what_is_taken_is_not_walked_through() {
        let all = [Range { first: 1, count: u32::MAX - 1 }];
        let started = std::time::Instant::now();
        // Nearly everything, by many, in no order and over each other.
        let most = Range { first: 1000, count: u32::MAX - 2000 };
        for seed in [0, 500, 999, 2_000_000_000, u64::from(u32::MAX) - 500] {
            let first =
                choose(&all, &[most, Range { first: 1, count: 900 }, Range { first: 500, count: 5000 }], 1, seed);
            assert!(first.is_some_and(|first| first > u32::MAX - 1001), "seed {seed}: {first:?}");
        }
        let every_other: Vec<Range> = (1..200_000).rev().map(|i| Range { first: i * 20_000, count: 19_999 }).collect();
        let first = choose(&all, &every_other, 1, 20_000).unwrap();
        assert_eq!(first, 39_999);
        assert_eq!(choose(&all, &all, 1, 77), None);
        assert!(started.elapsed() < std::time::Duration::from_secs(30), "{:?}", started.elapsed());
    }
}
