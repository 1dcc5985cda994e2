//! A network card's hardware address. Read as leniently as libvirt does, written in lower case with two digits a byte.

use std::fmt;

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// An address of the range that libvirt's LXC driver generates from, `52:54:00`.
    pub fn generated(random: [u8; 3]) -> Mac {
        Mac([0x52, 0x54, 0x00, random[0], random[1], random[2]])
    }

    /// Six hexadecimal numbers of one or two digits, separated by colons. What follows behind a blank is passed over, as
    /// libvirt does.
    pub fn parse(text: &str) -> Option<Mac> {
        let mut bytes = [0u8; 6];
        let mut parts = text.split(|c: char| c <= ' ').next()?.split(':');
        for byte in &mut bytes {
            let part = parts.next().filter(|p| matches!(p.len(), 1 | 2) && p.bytes().all(|b| b.is_ascii_hexdigit()))?;
            *byte = u8::from_str_radix(part, 16).ok()?;
        }
        parts.next().is_none().then_some(Mac(bytes))
    }

    pub fn is_multicast(&self) -> bool {
        self.0[0] & 1 != 0
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_short_and_upper_case_bytes() {
        assert_eq!(Mac::parse("0:16:3E:1:02:ff").map(|m| m.to_string()).as_deref(), Some("00:16:3e:01:02:ff"));
        assert_eq!(Mac::parse("00:16:3e:1:2:3 x").map(|m| m.to_string()).as_deref(), Some("00:16:3e:01:02:03"));
        for text in [
            "",
            "zz",
            " 00:16:3e:01:02:03",
            "00:16:3e:01:02",
            "00:16:3e:01:02:03:04",
            "000:16:3e:01:02:03",
            "+1:16:3e:01:02:03",
        ] {
            assert_eq!(Mac::parse(text), None, "{text}");
        }
    }
}
