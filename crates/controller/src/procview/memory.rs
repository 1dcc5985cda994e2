//! `/proc/meminfo` and `/proc/swaps` (proc_meminfo(5), proc_swaps(5)).

use linux::cgroup::Memory;

/// What is known of the container's memory, in bytes.
pub struct Facts {
    pub limit: u64,
    /// Memory and swap together.
    pub with_swap: u64,
    /// Whether a controller counts its memory; else all of it counts as free.
    pub counted: bool,
    pub used: Memory,
}

/// The machine's lines, those that are known of the container with its own values.
pub fn meminfo(host: &str, facts: &Facts) -> String {
    let of_host = |name: &str| value(host, name);
    let kib = |bytes: u64| bytes / 1024;
    let total = kib(facts.limit).min(of_host("MemTotal"));
    let used = &facts.used;
    // Without a limit of its own it shares what the machine has left.
    let limited = facts.counted && total < of_host("MemTotal");
    let most = |name| if limited { total } else { of_host(name).min(total) };
    let free = total.saturating_sub(kib(used.used)).min(most("MemFree"));
    let files = kib(used.active_file + used.inactive_file + used.slab_reclaimable);
    let available = if limited { free + files } else { u64::MAX }.min(most("MemAvailable"));
    let (swap_total, swap_free) = swap(facts, of_host("SwapTotal"), of_host("SwapFree"));
    let mut text = String::with_capacity(host.len());
    for line in host.lines() {
        let Some((name, _)) = line.split_once(':') else { continue };
        let own = match name {
            "MemTotal" => total,
            "MemFree" => free,
            "MemAvailable" => available,
            "Cached" => kib(used.cache),
            "Active" => kib(used.active_anonymous + used.active_file),
            "Inactive" => kib(used.inactive_anonymous + used.inactive_file),
            "Active(anon)" => kib(used.active_anonymous),
            "Inactive(anon)" => kib(used.inactive_anonymous),
            "Active(file)" => kib(used.active_file),
            "Inactive(file)" => kib(used.inactive_file),
            "Unevictable" => kib(used.unevictable),
            "SwapTotal" => swap_total,
            "SwapFree" => swap_free,
            "AnonPages" => kib(used.anonymous),
            "Shmem" => kib(used.shared),
            "Slab" | "SReclaimable" => kib(used.slab_reclaimable),
            "Buffers" | "SwapCached" | "SUnreclaim" | "KReclaimable" => 0,
            _ => {
                text += line;
                text.push('\n');
                continue;
            }
        };
        text += &format!("{:<15}{own:>9} kB\n", format!("{name}:"));
    }
    text
}

/// All of the swap that it may use, as one device.
pub fn swaps(host: &str, facts: &Facts) -> String {
    let mut lines = host.lines();
    let header = lines.next().unwrap_or("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority");
    let (mut size, mut used) = (0u64, 0u64);
    for line in lines {
        let mut numbers = line.split_whitespace().skip(2).map(|word| word.parse().unwrap_or(0));
        size += numbers.next().unwrap_or(0);
        used += numbers.next().unwrap_or(0);
    }
    let (total, free) = swap(facts, size, size.saturating_sub(used));
    match total {
        0 => format!("{header}\n"),
        _ => format!("{header}\n{:<40}virtual\t\t{total}\t\t{}\t\t0\n", "none", total - free),
    }
}

/// Total and free, in KiB, never more than the machine has.
fn swap(facts: &Facts, host_total: u64, host_free: u64) -> (u64, u64) {
    let allowed = facts.with_swap.saturating_sub(facts.limit) / 1024;
    let total = allowed.min(host_total);
    (total, total.saturating_sub(facts.used.swap / 1024).min(host_free))
}

/// The number of a line `NAME:   N kB`.
fn value(text: &str, name: &str) -> u64 {
    let mut found = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    found.next().and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use linux::cgroup::UNLIMITED;

    const HOST: &str = "\
MemTotal:       24684092 kB
MemFree:        24310984 kB
MemAvailable:   24339656 kB
Buffers:            2564 kB
Cached:           206804 kB
Active:            27380 kB
SwapTotal:          4096 kB
SwapFree:           1024 kB
Slab:              87920 kB
KernelStack:        1496 kB
HugePages_Total:       0
DirectMap1G:    25165824 kB
";

    fn facts() -> Facts {
        let used = Memory {
            used: 700 << 10,
            cache: 200 << 10,
            active_file: 100 << 10,
            inactive_file: 50 << 10,
            active_anonymous: 300 << 10,
            swap: 100 << 10,
            ..Memory::default()
        };
        Facts { limit: 256 << 20, with_swap: UNLIMITED, counted: true, used }
    }

    #[test]
    fn the_limit_is_all_there_is() {
        assert_eq!(
            meminfo(HOST, &facts()),
            "\
MemTotal:         262144 kB
MemFree:          261444 kB
MemAvailable:     261594 kB
Buffers:               0 kB
Cached:              200 kB
Active:              400 kB
SwapTotal:          4096 kB
SwapFree:           1024 kB
Slab:                  0 kB
KernelStack:        1496 kB
HugePages_Total:       0
DirectMap1G:    25165824 kB
"
        );
    }

    #[test]
    fn no_limit_is_the_machine() {
        let text = meminfo(HOST, &Facts { limit: UNLIMITED, ..facts() });
        assert!(
            text.starts_with("MemTotal:       24684092 kB\nMemFree:        24310984 kB\nMemAvailable:   24339656 kB\n"),
            "{text}"
        );
    }

    #[test]
    fn more_used_than_allowed_is_nothing_free() {
        let mut facts = facts();
        facts.used.used = 300 << 20;
        assert!(meminfo(HOST, &facts).contains("MemFree:               0 kB\n"));
    }

    #[test]
    fn swap_is_what_is_allowed_beyond_memory() {
        let host = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/dev/a  partition\t4096\t\t1024\t\t-2\n";
        let limited = Facts { with_swap: (256 << 20) + (1 << 20), ..facts() };
        let text = swaps(host, &limited);
        assert_eq!(
            text.lines().nth(1).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).as_deref(),
            Some("none virtual 1024 100 0")
        );
        let none = Facts { with_swap: 256 << 20, ..facts() };
        assert_eq!(swaps(host, &none).lines().count(), 1);
        assert_eq!(swaps("", &facts()).lines().count(), 1);
    }
}
