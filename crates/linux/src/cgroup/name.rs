//! How libvirt names a container's group, which tools that read groups rely on.

/// The machine's name, `lxc-ID-NAME`: only letters, digits, dots and dashes of the domain's name remain, no two dots or
/// dashes in a row and none at an end, at most 64 bytes in all. `id` is the controller's process id.
pub fn machine_name(id: i32, domain: &str) -> String {
    let mut machine = format!("lxc-{id}-");
    let mut separator = true;
    for letter in domain.chars() {
        if machine.len() >= LONGEST_MACHINE_NAME {
            break;
        }
        match letter {
            '.' | '-' => {
                if !separator {
                    machine.push(letter);
                }
                separator = true;
            }
            _ if letter.is_ascii_alphanumeric() => {
                machine.push(letter);
                separator = false;
            }
            _ => {}
        }
    }
    machine.truncate(machine.trim_end_matches(['.', '-']).len());
    machine
}

const LONGEST_MACHINE_NAME: usize = 64;

/// The group's folder, below its partition, where no systemd gives it a scope.
pub fn group_name(machine: &str) -> String {
    escaped(&format!("{machine}.libvirt-lxc"))
}

/// The scope that systemd's machined makes for the machine; it writes a dash within a name as `\x2d`.
pub fn scope_name(machine: &str) -> String {
    format!("machine-{}.scope", machine.replace('-', "\\x2d"))
}

/// The slice that systemd has for a partition: `/machine/a` is `machine-a.slice`.
pub fn slice_name(partition: &str) -> String {
    let parts: Vec<String> =
        partition.split('/').filter(|part| !part.is_empty()).map(|part| part.replace('-', "\\x2d")).collect();
    match parts.is_empty() {
        true => "-.slice".into(),
        false => format!("{}.slice", parts.join("-")),
    }
}

/// A partition's folder: every part of its name that has no suffix gets `.partition`, but for the three customary top ones.
pub fn partition_path(partition: &str) -> String {
    let parts = partition.split('/').filter(|part| !part.is_empty()).enumerate().map(|(depth, part)| {
        let customary = depth == 0 && matches!(part, "machine" | "system" | "user");
        match customary || part.contains('.') {
            true => escaped(part),
            false => escaped(&format!("{part}.partition")),
        }
    });
    parts.fold(String::new(), |path, part| path + "/" + &part)
}

/// A name that the kernel uses for a file of its own, or could, gets an underscore before it.
fn escaped(name: &str) -> String {
    const KERNEL: [&str; 3] = ["tasks", "notify_on_release", "release_agent"];
    const PREFIXES: [&str; 13] = [
        "cgroup.",
        "cpu.",
        "cpuacct.",
        "cpuset.",
        "memory.",
        "devices.",
        "freezer.",
        "blkio.",
        "net_cls.",
        "perf_event.",
        "io.",
        "pids.",
        "hugetlb.",
    ];
    let taken = name.starts_with(['_', '.'])
        || KERNEL.contains(&name)
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    if taken { format!("_{name}") } else { name.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_named_for_its_domain() {
        for (domain, expect) in [
            ("vm1", "lxc-7-vm1"),
            ("a b_c", "lxc-7-abc"),
            ("a--b..c-", "lxc-7-a-b.c"),
            (".-x", "lxc-7-x"),
            ("ünicode", "lxc-7-nicode"),
            ("_", "lxc-7"),
        ] {
            assert_eq!(machine_name(7, domain), expect, "{domain}");
        }
        assert_eq!(machine_name(7, &"x".repeat(100)).len(), 64);
    }

    #[test]
    fn groups_and_partitions() {
        assert_eq!(group_name("lxc-7-vm1"), "lxc-7-vm1.libvirt-lxc");
        for (partition, slice) in [("/machine", "machine.slice"), ("/a/b-c", "a-b\\x2dc.slice"), ("/", "-.slice")] {
            assert_eq!(slice_name(partition), slice);
        }
        assert_eq!(scope_name("lxc-7-vm1"), "machine-lxc\\x2d7\\x2dvm1.scope");
        for (partition, expect) in [
            ("/machine", "/machine"),
            ("/machine/eng", "/machine/eng.partition"),
            ("/eng/a.slice/", "/eng.partition/a.slice"),
            ("/cpu.x/tasks.y/_z", "/_cpu.x/tasks.y/__z.partition"),
            ("/", ""),
        ] {
            assert_eq!(partition_path(partition), expect, "{partition}");
        }
    }
}
