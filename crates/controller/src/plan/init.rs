//! The first program of the container, and what it finds.

use conf::domain::Domain;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Init {
    pub path: String,
    /// Behind the program's name.
    pub arguments: Vec<String>,
    /// `NAME=value`, in order. `container_ttys` is not among them: the terminals' names are not known yet.
    pub environment: Vec<String>,
    pub folder: String,
    pub user: Option<String>,
    pub group: Option<String>,
    /// Programs for the 32-bit kind of the machine.
    pub is_32_bit: bool,
}

pub fn of(domain: &Domain, passed: usize) -> Init {
    Init {
        path: domain.os.init.clone(),
        arguments: domain.os.init_args.clone(),
        environment: environment(domain, passed),
        folder: domain.os.init_dir.clone().unwrap_or_else(|| "/".into()),
        user: domain.os.init_user.clone(),
        group: domain.os.init_group.clone(),
        is_32_bit: domain.os.arch == "i686",
    }
}

fn environment(domain: &Domain, passed: usize) -> Vec<String> {
    let mut variables: Vec<(String, String)> = [
        ("PATH", "/bin:/sbin"),
        ("TERM", "linux"),
        ("container", "lxc-libvirt"),
        ("HOME", "/"),
        ("container_uuid", &domain.uuid.to_string()),
        ("LIBVIRT_LXC_UUID", &domain.uuid.to_string()),
        ("LIBVIRT_LXC_NAME", &domain.name),
    ]
    .map(|(name, value)| (name.to_string(), value.to_string()))
    .to_vec();
    if let Some(line) = &domain.os.cmdline {
        variables.push(("LIBVIRT_LXC_CMDLINE".into(), line.clone()));
    }
    if passed > 0 {
        // As sd_listen_fds(3) wants it; init is process 1.
        variables.push(("LISTEN_PID".into(), "1".into()));
        variables.push(("LISTEN_FDS".into(), passed.to_string()));
    }
    for (name, value) in &domain.os.init_env {
        match variables.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => old.clone_from(value),
            None => variables.push((name.clone(), value.clone())),
        }
    }
    variables.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
}

/// With several consoles: the terminals beside the first, for an init that starts a login on each.
pub fn with_terminals(environment: &[String], terminals: &[u32]) -> Vec<String> {
    let mut all = environment.to_vec();
    if let [_, others @ ..] = terminals.get(..).filter(|all| all.len() > 1).unwrap_or_default() {
        let names: Vec<String> = others.iter().map(|number| format!("pts/{number}")).collect();
        let behind = all.iter().position(|variable| variable.starts_with("container_uuid=")).map_or(0, |at| at + 1);
        all.insert(behind, format!("container_ttys={}", names.join(" ")));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::sample;

    #[test]
    fn variables_are_libvirts_and_the_documents_go_before() {
        let mut domain = sample::domain();
        domain.os.cmdline = Some("k=v q".into());
        domain.os.init_env = vec![("FOO".into(), "b a r".into()), ("PATH".into(), "/x".into())];
        let uuid = domain.uuid.to_string();
        let expected = format!(
            "PATH=/x TERM=linux container=lxc-libvirt HOME=/ container_uuid={uuid} container_ttys=pts/1 pts/2 \
             LIBVIRT_LXC_UUID={uuid} LIBVIRT_LXC_NAME=box LIBVIRT_LXC_CMDLINE=k=v q LISTEN_PID=1 LISTEN_FDS=2 FOO=b a r"
        );
        let init = of(&domain, 2);
        assert_eq!(with_terminals(&init.environment, &[0, 1, 2]).join(" "), expected);
        assert_eq!(with_terminals(&init.environment, &[0]), init.environment);
    }
}
