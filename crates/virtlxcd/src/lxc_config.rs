//! `lxc.conf`: what libvirt's LXC driver is told in a file of its own. A name or kind of value that it does not know is an error
//! with file and line, as in the daemon's.

use crate::settings_file;
use api::settings::{self, Value, switch, text};
use lxc::SecuritySettings;
use std::path::Path;

/// A file that is not there says nothing.
pub fn read(path: &Path) -> Result<SecuritySettings, String> {
    let text = settings_file::text(path)?.unwrap_or_default();
    parse(&text).map_err(|(line, why)| format!("{}:{line}: {why}", path.display()))
}

fn parse(text: &str) -> Result<SecuritySettings, settings::Failure> {
    let mut security = SecuritySettings::default();
    settings::read(text, |name, value| set(&mut security, name, value))?;
    Ok(security)
}

fn set(security: &mut SecuritySettings, name: &str, value: Value) -> Result<(), String> {
    match name {
        "security_driver" => {
            let driver = text(name, value)?;
            if !["none", "apparmor"].contains(&driver.as_str()) {
                return Err(format!("{name}: '{driver}' is neither \"none\" nor \"apparmor\""));
            }
            security.driver = Some(driver);
        }
        "security_default_confined" => security.default_confined = switch(name, value)?,
        "security_require_confined" => security.require_confined = switch(name, value)?,
        "log_with_libvirtd" => {
            if switch(name, value)? {
                return Err(format!("{name}: 1 is not supported, a controller writes to the log of its domain"));
            }
        }
        _ => return Err(format!("there is no setting '{name}'")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_and_mistakes() {
        let text = "# none\nsecurity_driver = \"none\"\nsecurity_default_confined = 0\nsecurity_require_confined=1\n\
                    log_with_libvirtd = 0\n";
        let wanted = SecuritySettings { driver: Some("none".into()), default_confined: false, require_confined: true };
        assert_eq!(parse(text), Ok(wanted));
        assert_eq!(parse(""), Ok(SecuritySettings::default()));
        for (text, line, part) in [
            ("\nsecurity_drivers = \"none\"", 2, "no setting 'security_drivers'"),
            ("security_driver = 1", 1, "string"),
            ("security_driver = \"selinux\"", 1, "neither"),
            ("security_require_confined = 2", 1, "0 or 1"),
            ("security_default_confined = \"1\"", 1, "0 or 1"),
            ("log_with_libvirtd = 1", 1, "not supported"),
        ] {
            let (at, why) = parse(text).unwrap_err();
            assert!(at == line && why.contains(part), "{text}: {at}: {why}");
        }
    }
}
