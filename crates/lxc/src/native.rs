//! Other formats of a container's configuration, and which controller documents name by default.

use crate::driver::Driver;
use api::Result;
use conf::domain::{Domain, FormatOptions, ParseOptions};
use conf::native;

impl Driver {
    /// The path that is filled in where a document names no emulator.
    pub fn default_emulator(&self) -> &str {
        self.emulator.default_path()
    }

    /// A document from a configuration in another format.
    pub fn from_native(&self, format: &str, configuration: &str) -> Result<String> {
        if format != native::LXC_TOOLS {
            return Err(native::unknown_format(format));
        }
        let parsed = self.with_host(|host| native::from_lxc_tools(configuration, host))?;
        warn(format, &parsed.warnings);
        Ok(parsed.domain.format(FormatOptions::Inactive))
    }

    /// A document's configuration in another format. The domain need not exist.
    pub fn to_native(&self, format: &str, document: &[u8]) -> Result<String> {
        let write = match format {
            native::LXC_TOOLS => native::to_lxc_tools,
            native::OCI => native::to_oci,
            _ => return Err(native::unknown_format(format)),
        };
        // The document may be that of a running domain, whose interfaces say what bridge they are on.
        let how = ParseOptions { validate: false, live: true };
        let parsed = self.with_host(|host| Domain::parse(document, how, host))?;
        let written = write(&parsed.domain);
        warn(format, &written.warnings);
        Ok(written.text)
    }
}

fn warn(format: &str, warnings: &[String]) {
    for warning in warnings {
        tracing::warn!("conversion, {format}: {warning}");
    }
}
