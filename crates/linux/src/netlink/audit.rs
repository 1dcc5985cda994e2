//! Records for the machine's audit log (auditd(8), linux/audit.h). The kernel adds who sent them.

use super::Socket;
use super::message::Request;
use std::io;

/// What a record is about, by libaudit's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditRecord {
    /// A machine starts or stops.
    VirtControl = 2500,
    /// A machine gets or loses something.
    VirtResource = 2501,
    /// What a machine is known by.
    VirtMachineId = 2502,
}

/// To the kernel's audit; only who is in the machine's first process and user namespaces is heard.
pub struct Audit(Socket);

impl Audit {
    /// An error where the kernel has no audit.
    pub fn open() -> io::Result<Audit> {
        Socket::to(Some(rustix::net::netlink::AUDIT)).map(Audit)
    }

    /// One line of `name=value` words.
    pub fn record(&mut self, record: AuditRecord, text: &str) -> io::Result<()> {
        let bytes = [text.as_bytes(), &[0]].concat();
        self.0.act(Request::new(record as u16, libc::NLM_F_ACK, &bytes))
    }
}

/// A value that somebody else chose, as audit's readers take it: in quotes, or in hexadecimal digits where it has what would
/// end it.
pub fn audit_value(text: &str) -> String {
    let plain = |byte: u8| (0x21..0x7f).contains(&byte) && byte != b'"';
    match text.bytes().all(plain) {
        true => format!("\"{text}\""),
        false => text.bytes().map(|byte| format!("{byte:02X}")).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_cannot_pretend_to_be_words() {
        assert_eq!(audit_value("box"), "\"box\"");
        assert_eq!(audit_value("a\" res=success"), "6122207265733D73756363657373");
        assert_eq!(audit_value("ä"), "C3A4");
    }
}
