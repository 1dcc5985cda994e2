//! What a document says in vain: told to who wrote it, since the daemon leaves it out and only its log says so.
//! On standard error, behind what was done, so that scripts find nothing new.

use crate::shell::Shell;
use conf::domain::{Domain, Host, ParseOptions};
use conf::native;
use conf::network::Section;

/// Of a domain's document, or a device's. What other drivers know is not ours to judge.
pub fn of_domain(shell: &Shell, xml: &str) {
    if is_ours(shell) {
        tell(shell, &conf::domain::dropped(xml.as_bytes()));
    }
}

pub fn of_network(shell: &Shell, xml: &str) {
    if is_ours(shell) {
        tell(shell, &conf::network::dropped(xml.as_bytes()));
    }
}

/// Of the change of a section.
pub fn of_update(shell: &Shell, section: u32, xml: &str) {
    if let Some(section) = Section::from_number(section).filter(|_| is_ours(shell)) {
        tell(shell, &conf::network::dropped_from_update(section, xml.as_bytes()));
    }
}

/// Keys of an LXC configuration that a document cannot say.
pub fn of_configuration(shell: &Shell, format: &str, text: &str) {
    if format == native::LXC_TOOLS {
        if let Ok(parsed) = native::from_lxc_tools(text, &NOBODY) {
            tell(shell, &parsed.warnings);
        }
    }
}

/// What of a document the other format cannot say.
pub fn of_conversion(shell: &Shell, format: &str, xml: &str) {
    let write = match format {
        native::LXC_TOOLS => native::to_lxc_tools,
        native::OCI => native::to_oci,
        _ => return,
    };
    if let Ok(parsed) = Domain::parse(xml.as_bytes(), ParseOptions { validate: false, live: true }, &NOBODY) {
        tell(shell, &write(&parsed.domain).warnings);
    }
}

/// Only warnings are asked for: nothing that is filled in matters.
const NOBODY: Host<'static> = Host { arch: "", emulator: "", random: &|bytes| bytes.fill(0) };

fn is_ours(shell: &Shell) -> bool {
    // `lxc:///`, `lxc+ssh://host/`
    matches!(shell.uri.split(['+', ':']).next(), Some("lxc" | ""))
}

fn tell(shell: &Shell, warnings: &[String]) {
    warnings.iter().for_each(|warning| shell.caution(warning));
}
