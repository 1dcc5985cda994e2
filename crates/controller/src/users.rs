//! Who runs the container's init, by the container's own passwd(5) and group(5). They are read as text: a name service
//! of the guest is never asked, for its libraries would run with our powers.

use crate::failure::{Doing, Failure, Result};
use rustix::fs::OFlags;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;

/// The ids of init.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ids {
    pub uid: u32,
    pub gid: u32,
    pub groups: Vec<u32>,
}

/// More than any sensible file has.
const LONGEST_FILE: u64 = 4 << 20;

/// The ids for the document's names or numbers; called inside the container's root.
pub fn look_up(user: Option<&str>, group: Option<&str>) -> Result<Ids> {
    if user.is_none() && group.is_none() {
        return Ok(Ids::default());
    }
    find(user, group, || read("/etc/passwd"), || read("/etc/group"))
}

/// The name and the home of a user, where the container has them.
pub fn name_and_home(uid: u32) -> Option<(String, String)> {
    name_and_home_in(&read("/etc/passwd").ok()?, uid)
}

fn name_and_home_in(passwd: &str, uid: u32) -> Option<(String, String)> {
    let uid = uid.to_string();
    let mut lines = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let line = lines.find(|line| line.get(2) == Some(&uid.as_str()))?;
    match line.as_slice() {
        [name, _, _, _, _, home, ..] if home.starts_with('/') => Some((name.to_string(), home.to_string())),
        _ => None,
    }
}

fn read(path: &str) -> Result<String> {
    let mut bytes = Vec::new();
    // A guest may have put there what would keep us waiting.
    let nonblocking = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
    let file = match std::fs::File::options().read(true).custom_flags(nonblocking).open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(String::new()),
        file => file.doing(|| format!("Unable to open {path}"))?,
    };
    let kind = file.metadata().doing(|| format!("Unable to look at {path}"))?;
    if !kind.is_file() {
        return Err(Failure::new(format!("{path} in the container is not a file")));
    }
    file.take(LONGEST_FILE).read_to_end(&mut bytes).doing(|| format!("Unable to read {path}"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn find(
    user: Option<&str>,
    group: Option<&str>,
    passwd: impl Fn() -> Result<String>,
    groups: impl Fn() -> Result<String>,
) -> Result<Ids> {
    let mut ids = Ids::default();
    if let Some(user) = user {
        let text = passwd()?;
        let entry = |field: usize, value: &str| {
            text.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|line| line.get(field) == Some(&value))
        };
        // A name of digits alone is a name first.
        let named = if user.starts_with('+') { None } else { entry(0, user) };
        let found = match (named, number(user)) {
            (Some(line), _) => line,
            (None, Some(uid)) => {
                ids.uid = uid;
                entry(2, &uid.to_string()).unwrap_or_default()
            }
            (None, None) => return Err(Failure::new(format!("User {user} doesn't exist"))),
        };
        if let [name, _, uid, gid, ..] = found.as_slice() {
            ids.uid = uid.parse().map_err(|_| Failure::new(format!("User {user} has no number but '{uid}'")))?;
            ids.gid = gid.parse().map_err(|_| Failure::new(format!("User {user} has no group number but '{gid}'")))?;
            let text = groups()?;
            let also = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
            let also =
                also.filter(|line| line.get(3).is_some_and(|list| list.split(',').any(|member| member == *name)));
            ids.groups = also.filter_map(|line| line.get(2)?.parse().ok()).collect();
        }
    }
    if let Some(group) = group {
        let text = groups()?;
        let mut lines = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
        let named = if group.starts_with('+') { None } else { lines.find(|line| line.first() == Some(&group)) };
        let named = named.and_then(|line| line.get(2)?.parse().ok());
        ids.gid =
            named.or_else(|| number(group)).ok_or_else(|| Failure::new(format!("Group {group} doesn't exist")))?;
    }
    if !ids.groups.contains(&ids.gid) {
        ids.groups.insert(0, ids.gid);
    }
    Ok(ids)
}

/// `1000` or `+1000`.
fn number(text: &str) -> Option<u32> {
    text.strip_prefix('+').unwrap_or(text).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\ntester:x:1000:1000::/:/bin/sh\n7:x:70:70::/:/bin/sh\n";
    const GROUP: &str = "root:x:0:\ntester:x:1000:\naudio:x:29:someone,tester\n";

    #[track_caller]
    fn check(user: Option<&str>, group: Option<&str>, expected: std::result::Result<(u32, u32, &[u32]), &str>) {
        let found = find(user, group, || Ok(PASSWD.into()), || Ok(GROUP.into()));
        let found = found.map_err(|failure| failure.to_string());
        let expected = expected.map(|(uid, gid, groups)| Ids { uid, gid, groups: groups.to_vec() });
        assert_eq!(found, expected.map_err(str::to_string));
    }

    #[test]
    fn homes_are_found() {
        assert_eq!(name_and_home_in(PASSWD, 0), Some(("root".into(), "/root".into())));
        assert_eq!(name_and_home_in(PASSWD, 1000), Some(("tester".into(), "/".into())));
        assert_eq!(name_and_home_in(PASSWD, 5), None);
        assert_eq!(name_and_home_in("x:x:5:5::relative:/bin/sh", 5), None);
    }

    #[test]
    fn names_and_numbers_are_found() {
        check(Some("tester"), None, Ok((1000, 1000, &[1000, 29])));
        check(Some("tester"), Some("audio"), Ok((1000, 29, &[29])));
        check(Some("1000"), None, Ok((1000, 1000, &[1000, 29])));
        check(Some("7"), None, Ok((70, 70, &[70])));
        check(Some("+7"), None, Ok((7, 0, &[0])));
        check(Some("4242"), Some("+4343"), Ok((4242, 4343, &[4343])));
        check(None, Some("tester"), Ok((0, 1000, &[1000])));
        check(Some("ghost"), None, Err("User ghost doesn't exist"));
        check(None, Some("ghost"), Err("Group ghost doesn't exist"));
    }
}
