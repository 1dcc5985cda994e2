//! Limits changed while a domain runs, or for its next start: memory, processors, disks.

use crate::affect::Running;
use crate::controller::cgroup_error;
use crate::driver::Driver;
use crate::object::DomainObject;
use api::{Code, Error, ErrorDomain, Event, Result, TypedParam, TypedValue};
use conf::domain::{BlkioDevice, Domain, MemTune};
use linux::cgroup::{BlockDevice, Group, UNLIMITED};
use rustix::fs::FileType;
use rustix::io::Errno;
use std::cell::Cell;
use std::sync::Arc;

/// `VIR_DOMAIN_MEM_MAXIMUM`
pub const MAXIMUM: u32 = 4;

/// `VIR_DOMAIN_MEMORY_PARAM_UNLIMITED`, in KiB.
const NO_LIMIT: u64 = 9_007_199_254_740_991;

const SHARES: std::ops::RangeInclusive<u64> = 2..=262_144;
const PERIOD: std::ops::RangeInclusive<u64> = 1000..=1_000_000;
const QUOTA: std::ops::RangeInclusive<i64> = 1000..=17_592_186_044_415;

impl Driver {
    /// In KiB. With `MAXIMUM` among the flags the most that a domain may have, else what it has.
    pub fn set_memory(&self, object: &Arc<DomainObject>, memory: u64, flags: u32) -> Result<()> {
        let acts = Cell::new(false);
        let change = |domain: &mut Domain, running: Option<&Running>| {
            if flags & MAXIMUM != 0 {
                if running.is_some() {
                    let words = "Cannot resize the max memory on an active domain";
                    return Err(Error::operation_invalid(ErrorDomain::Lxc, words));
                }
                domain.memory.maximum = memory;
                domain.memory.current = domain.memory.current.min(memory);
                return Ok(());
            }
            if memory > domain.memory.maximum {
                let words = "Cannot set memory higher than max memory";
                return Err(Error::new(ErrorDomain::Lxc, Code::InvalidArg, words));
            }
            if let Some(running) = running {
                running.group()?.set_memory(memory.saturating_mul(1024), None).map_err(cgroup_error)?;
                acts.set(true);
            }
            domain.memory.current = memory;
            Ok(())
        };
        self.change_and_tell(object, "set memory", flags, change, || {
            let event = Event::BalloonChange { domain: object.reference(), memory };
            Some(event).filter(|_| acts.get()).into_iter().collect()
        })
    }

    pub fn memory_parameters(&self, object: &DomainObject, flags: u32) -> Result<Vec<TypedParam>> {
        let (domain, running) = Driver::asked(object, flags)?;
        let values = match &running {
            Some(running) => {
                let group = running.group()?;
                let read = |limit: linux::cgroup::Result<u64>| limit.map_or(NO_LIMIT, in_kib);
                [
                    in_kib(group.memory_limit().map_err(cgroup_error)?),
                    read(group.memory_soft()),
                    read(group.memory_and_swap()),
                ]
            }
            None => {
                let tune = &domain.memtune;
                [tune.hard_limit, tune.soft_limit, tune.swap_hard_limit].map(|limit| limit.unwrap_or(NO_LIMIT))
            }
        };
        let names = ["hard_limit", "soft_limit", "swap_hard_limit"];
        Ok(names
            .into_iter()
            .zip(values)
            .map(|(name, value)| TypedParam::new(name, TypedValue::ULLong(value)))
            .collect())
    }

    pub fn set_memory_parameters(&self, object: &Arc<DomainObject>, params: &[TypedParam], flags: u32) -> Result<()> {
        let mut wanted = Vec::new();
        for param in params {
            let name = one_of(param, &["hard_limit", "soft_limit", "swap_hard_limit"])?;
            wanted.push((name, number(param)?));
        }
        self.change(object, "set memory parameters", flags, |domain, running| {
            let mut tune = domain.memtune;
            for (name, value) in &wanted {
                let limit = (*value < NO_LIMIT).then_some(*value);
                match *name {
                    "hard_limit" => tune.hard_limit = limit,
                    "soft_limit" => tune.soft_limit = limit,
                    _ => tune.swap_hard_limit = limit,
                }
            }
            // One that is not set is no limit, and so above every other.
            if tune.swap_hard_limit.is_some_and(|swap| tune.hard_limit.is_none_or(|hard| hard > swap)) {
                let words = "memory hard_limit tunable value must be lower than or equal to swap_hard_limit";
                return Err(Error::new(ErrorDomain::Domain, Code::InvalidArg, words));
            }
            if let Some(running) = running {
                let named = |name: &str| wanted.iter().any(|(wanted, _)| *wanted == name);
                apply_memory(running.group()?, &tune, named)?;
            }
            domain.memtune = tune;
            Ok(())
        })
    }

    pub fn scheduler_parameters(&self, object: &DomainObject, flags: u32) -> Result<Vec<TypedParam>> {
        let (domain, running) = Driver::asked(object, flags)?;
        let (shares, period, quota) = match &running {
            Some(running) => {
                let group = running.group()?;
                let (period, quota) = group.cpu_bandwidth().map_err(cgroup_error)?;
                (group.cpu_shares().map_err(cgroup_error)?, period, quota)
            }
            None => {
                let tune = &domain.cputune;
                (tune.shares.unwrap_or(0), tune.period.unwrap_or(0), tune.quota.unwrap_or(0))
            }
        };
        Ok(vec![
            TypedParam::new("cpu_shares", TypedValue::ULLong(shares)),
            TypedParam::new("vcpu_period", TypedValue::ULLong(period)),
            TypedParam::new("vcpu_quota", TypedValue::LLong(quota)),
        ])
    }

    pub fn set_scheduler_parameters(
        &self,
        object: &Arc<DomainObject>,
        params: &[TypedParam],
        flags: u32,
    ) -> Result<()> {
        let outside = |words: String| Err(Error::new(ErrorDomain::Cgroup, Code::InvalidArg, words));
        let (mut shares, mut period, mut quota) = (None, None, None);
        for param in params {
            match one_of(param, &["cpu_shares", "vcpu_period", "vcpu_quota"])? {
                "cpu_shares" => {
                    let value = number(param)?;
                    if !SHARES.contains(&value) {
                        return outside(format!("shares '{value}' must be in range [2, 262144]"));
                    }
                    shares = Some(value);
                }
                "vcpu_period" => {
                    let value = number(param)?;
                    if !PERIOD.contains(&value) {
                        return outside(format!("cfs_period '{value}' must be in range (1000, 1000000)"));
                    }
                    period = Some(value);
                }
                _ => {
                    let TypedValue::LLong(value) = param.value else { return Err(wrong_type(param, "llong")) };
                    if value >= 0 && !QUOTA.contains(&value) {
                        return outside(format!("cfs_quota '{value}' must be in range (1000, 17592186044415)"));
                    }
                    quota = Some(value);
                }
            }
        }
        let acts = Cell::new(false);
        let change = |domain: &mut Domain, running: Option<&Running>| {
            if let Some(running) = running {
                acts.set(true);
                let group = running.group()?;
                if let Some(shares) = shares {
                    group.set_cpu_shares(shares).map_err(cgroup_error)?;
                }
                if period.is_some() || quota.is_some() {
                    group.set_cpu_bandwidth(period, quota).map_err(cgroup_error)?;
                }
            }
            let tune = &mut domain.cputune;
            tune.shares = shares.or(tune.shares);
            tune.period = period.or(tune.period);
            tune.quota = quota.or(tune.quota);
            Ok(())
        };
        self.change_and_tell(object, "set scheduler parameters", flags, change, || {
            let named = |param: &TypedParam| TypedParam::new(format!("cputune.{}", param.field), param.value.clone());
            let params = params.iter().map(named).collect();
            let event = Event::Tunable { domain: object.reference(), params };
            Some(event).filter(|_| acts.get()).into_iter().collect()
        })
    }

    pub fn block_parameters(&self, object: &DomainObject, flags: u32) -> Result<Vec<TypedParam>> {
        let (domain, running) = Driver::asked(object, flags)?;
        let tune = &domain.blkiotune;
        let weight = match &running {
            Some(running) => running.group()?.block_weight().ok().flatten().unwrap_or(match tune.weight {
                // What the kernel's schedulers count from.
                0 => 100,
                weight => weight,
            }),
            None => tune.weight,
        };
        let mut params = vec![TypedParam::new("weight", TypedValue::UInt(weight))];
        for (name, value) in DEVICE_LIMITS {
            let list: Vec<String> = tune
                .devices
                .iter()
                .filter(|device| value(device) > 0)
                .map(|device| format!("{},{}", device.path, value(device)))
                .collect();
            params.push(TypedParam::new(*name, TypedValue::String(list.join(","))));
        }
        Ok(params)
    }

    pub fn set_block_parameters(&self, object: &Arc<DomainObject>, params: &[TypedParam], flags: u32) -> Result<()> {
        let mut weight = None;
        let mut limits: Vec<(&str, String, u64)> = Vec::new();
        for param in params {
            match one_of(param, BLOCK_PARAMETERS)? {
                "weight" => {
                    let TypedValue::UInt(value) = param.value else { return Err(wrong_type(param, "uint")) };
                    weight = Some(value);
                }
                name => {
                    let TypedValue::String(list) = &param.value else { return Err(wrong_type(param, "string")) };
                    limits.extend(device_list(name, list)?.into_iter().map(|(path, value)| (name, path, value)));
                }
            }
        }
        self.change(object, "set block parameters", flags, |domain, running| {
            if let Some(running) = running {
                apply_block(running, weight, &limits)?;
            }
            let tune = &mut domain.blkiotune;
            tune.weight = weight.unwrap_or(tune.weight);
            for (name, path, value) in &limits {
                let at = tune.devices.iter().position(|device| device.path == *path).unwrap_or_else(|| {
                    tune.devices.push(BlkioDevice { path: path.clone(), ..BlkioDevice::default() });
                    tune.devices.len() - 1
                });
                if let Some(device) = tune.devices.get_mut(at) {
                    set_limit(device, name, *value);
                }
            }
            tune.devices.retain(|device| DEVICE_LIMITS.iter().any(|(_, value)| value(device) > 0));
            Ok(())
        })
    }
}

type DeviceLimit = (&'static str, fn(&BlkioDevice) -> u64);

const DEVICE_LIMITS: &[DeviceLimit] = &[
    ("device_weight", |device| u64::from(device.weight)),
    ("device_read_iops_sec", |device| u64::from(device.read_iops)),
    ("device_write_iops_sec", |device| u64::from(device.write_iops)),
    ("device_read_bytes_sec", |device| device.read_bytes),
    ("device_write_bytes_sec", |device| device.write_bytes),
];

pub const BLOCK_PARAMETERS: &[&str] = &[
    "weight",
    "device_weight",
    "device_read_iops_sec",
    "device_write_iops_sec",
    "device_read_bytes_sec",
    "device_write_bytes_sec",
];

fn set_limit(device: &mut BlkioDevice, name: &str, value: u64) {
    let narrow = u32::try_from(value).unwrap_or(u32::MAX);
    match name {
        "device_weight" => device.weight = narrow,
        "device_read_iops_sec" => device.read_iops = narrow,
        "device_write_iops_sec" => device.write_iops = narrow,
        "device_read_bytes_sec" => device.read_bytes = value,
        _ => device.write_bytes = value,
    }
}

/// `/dev/sda,300,/dev/sdb,400`
fn device_list(name: &str, list: &str) -> Result<Vec<(String, u64)>> {
    let wrong = || {
        let words = format!("unable to parse blkio device '{name}' '{list}'");
        Error::new(ErrorDomain::Lxc, Code::InvalidArg, words)
    };
    if list.is_empty() {
        return Ok(Vec::new());
    }
    let words: Vec<&str> = list.split(',').collect();
    let pairs = words.chunks(2).map(|pair| match pair {
        [path, value] if path.starts_with('/') => {
            let most = if name.ends_with("bytes_sec") { u64::MAX } else { u64::from(u32::MAX) };
            let number = value.trim().parse().ok().filter(|number| *number <= most);
            let wrong = || {
                let words = format!("invalid value '{value}' for parameter '{name}' of device '{path}'");
                Error::new(ErrorDomain::Lxc, Code::InvalidArg, words)
            };
            Ok((path.to_string(), number.ok_or_else(wrong)?))
        }
        _ => Err(wrong()),
    });
    pairs.collect()
}

fn apply_block(running: &Running, weight: Option<u32>, limits: &[(&str, String, u64)]) -> Result<()> {
    let group = running.group()?;
    if let Some(weight) = weight {
        group.set_block_weight(weight).map_err(cgroup_error)?;
    }
    for (name, path, value) in limits {
        let (major, minor) = device_number(path)?;
        let mut device = BlockDevice { major, minor, ..BlockDevice::default() };
        match *name {
            "device_weight" => {
                device.weight = Some(u32::try_from(*value).unwrap_or(u32::MAX));
                group.set_block_device(&device).map_err(|error| {
                    // Only some of the kernel's schedulers have weights; the others say one of these, or nothing.
                    let other = error.io().is_some_and(|e| {
                        ![Errno::OPNOTSUPP, Errno::INVAL].map(|e| Some(e.raw_os_error())).contains(&e.raw_os_error())
                    });
                    if other {
                        return cgroup_error(error);
                    }
                    let words = "blkio device weight is valid only for cfq scheduler";
                    Error::operation_invalid(ErrorDomain::Cgroup, words)
                })?;
                continue;
            }
            "device_read_iops_sec" => device.reads_per_second = Some(*value),
            "device_write_iops_sec" => device.writes_per_second = Some(*value),
            "device_read_bytes_sec" => device.read_bytes_per_second = Some(*value),
            _ => device.write_bytes_per_second = Some(*value),
        }
        group.set_block_device(&device).map_err(cgroup_error)?;
    }
    Ok(())
}

/// Major and minor number of a disk.
pub(crate) fn device_number(path: &str) -> Result<(u32, u32)> {
    let stat = rustix::fs::stat(path)
        .map_err(|e| Error::system(ErrorDomain::Cgroup, &e.into(), format!("Path '{path}' is not accessible")))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::BlockDevice {
        let words = format!("Path '{path}' must be a block device");
        return Err(Error::new(ErrorDomain::Cgroup, Code::SystemError, words));
    }
    Ok((rustix::fs::major(stat.st_rdev), rustix::fs::minor(stat.st_rdev)))
}

/// Those limits that are named are set, in an order in which none is ever above the one that bounds it.
fn apply_memory(group: &Group, tune: &MemTune, named: impl Fn(&str) -> bool) -> Result<()> {
    let bytes = |limit: Option<u64>| limit.map_or(UNLIMITED, |kib| kib.saturating_mul(1024));
    let swap = named("swap_hard_limit").then(|| bytes(tune.swap_hard_limit));
    let set = match (named("hard_limit"), swap) {
        (true, swap) => group.set_memory(bytes(tune.hard_limit), swap),
        (false, Some(swap)) => group.set_memory_and_swap(swap),
        (false, None) => Ok(()),
    };
    set.map_err(cgroup_error)?;
    match named("soft_limit") {
        true => group.set_memory_soft(bytes(tune.soft_limit)).map_err(cgroup_error),
        false => Ok(()),
    }
}

fn in_kib(bytes: u64) -> u64 {
    if bytes >= UNLIMITED { NO_LIMIT } else { bytes / 1024 }
}

/// The parameter's name, where it is one of those known.
fn one_of(param: &TypedParam, known: &'static [&'static str]) -> Result<&'static str> {
    known.iter().find(|name| **name == param.field).copied().ok_or_else(|| {
        let words = format!("parameter '{}' not supported", param.field);
        Error::new(ErrorDomain::None, Code::ArgumentUnsupported, words)
    })
}

fn number(param: &TypedParam) -> Result<u64> {
    match param.value {
        TypedValue::ULLong(value) => Ok(value),
        _ => Err(wrong_type(param, "ullong")),
    }
}

fn wrong_type(param: &TypedParam, wanted: &str) -> Error {
    let given = match param.value {
        TypedValue::Int(_) => "int",
        TypedValue::UInt(_) => "uint",
        TypedValue::LLong(_) => "llong",
        TypedValue::ULLong(_) => "ullong",
        TypedValue::Double(_) => "double",
        TypedValue::Boolean(_) => "boolean",
        TypedValue::String(_) => "string",
    };
    let words = format!("invalid type '{given}' requested for parameter '{}', expected '{wanted}'", param.field);
    Error::new(ErrorDomain::None, Code::InvalidArg, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_devices() {
        for (list, expected) in [
            ("", Some(vec![])),
            ("/dev/sda,300", Some(vec![("/dev/sda".to_string(), 300)])),
            ("/dev/a,1,/dev/b,2", Some(vec![("/dev/a".to_string(), 1), ("/dev/b".to_string(), 2)])),
            ("sda,300", None),
            ("/dev/sda", None),
            ("/dev/sda,x", None),
            ("/dev/sda,1,", None),
            ("/dev/sda,5000000000", None),
        ] {
            assert_eq!(device_list("device_weight", list).ok(), expected, "{list}");
        }
        assert!(device_list("device_read_bytes_sec", "/dev/sda,5000000000").is_ok());
    }
}
