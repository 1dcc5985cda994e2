//! A domain's or network's UUID. The reader is as lenient as libvirt's: dashes anywhere between bytes, or none.

use std::fmt;

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uuid(pub [u8; 16]);

impl Uuid {
    /// A version 4 UUID from 16 random bytes.
    pub fn from_random(mut bytes: [u8; 16]) -> Uuid {
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Uuid(bytes)
    }

    /// Reads 32 hexadecimal digits, dashes allowed between any two bytes and white space around the whole.
    pub fn parse(text: &str) -> Option<Uuid> {
        let mut bytes = [0u8; 16];
        let mut digits = text.trim_matches(|c: char| c.is_ascii_whitespace()).bytes().peekable();
        for byte in &mut bytes {
            while digits.next_if(|b| matches!(b, b'-' | b' ')).is_some() {}
            let high = (digits.next()? as char).to_digit(16)?;
            let low = (digits.next()? as char).to_digit(16)?;
            *byte = (high << 4 | low) as u8;
        }
        digits.next().is_none().then_some(Uuid(bytes))
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, byte) in self.0.iter().enumerate() {
            if matches!(i, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_libvirt_reads_and_writes_it_canonically() {
        let canonical = "4ea4f5b6-5b5b-4b1c-9d1e-9d0f1a2b3c4d";
        for text in [canonical, "4EA4F5B65B5B4B1C9D1E9D0F1A2B3C4D", " 4ea4f5b6-5b5b4b1c-9d1e-9d0f1a2b3c4d\n"] {
            assert_eq!(Uuid::parse(text).map(|u| u.to_string()).as_deref(), Some(canonical), "{text}");
        }
        for text in ["", "4ea4f5b6", "4ea4f5b6-5b5b-4b1c-9d1e-9d0f1a2b3c4d0", "xea4f5b6-5b5b-4b1c-9d1e-9d0f1a2b3c4d"] {
            assert_eq!(Uuid::parse(text), None, "{text}");
        }
    }
}
