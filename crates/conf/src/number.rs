//! Numbers as the C library and libvirt read them: leading blanks and a sign are taken, anything behind the number is not.

use crate::refuse;
use api::Result;

/// The sign and size of a number that fills `text`; base 0 takes `0x` and `0` prefixes as C does.
fn magnitude(text: &str, base: u32) -> Option<(bool, u64)> {
    let text = text.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '\u{b}');
    let (negative, text) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (digits, radix) = match (base, hexadecimal) {
        (0 | 16, Some(digits)) => (digits, 16),
        (0, None) if text.len() > 1 && text.starts_with('0') => (&text[1..], 8),
        (0, None) => (text, 10),
        (base, _) => (text, base),
    };
    let plain = !digits.is_empty() && digits.bytes().all(|b| char::from(b).is_digit(radix));
    plain.then(|| u64::from_str_radix(digits, radix).ok())?.map(|size| (negative, size))
}

/// 64 bits, unsigned; no minus sign.
pub(crate) fn u64_of(text: &str, base: u32) -> Option<u64> {
    magnitude(text, base).filter(|(negative, _)| !negative).map(|(_, size)| size)
}

/// 64 bits, unsigned; a negative number wraps around.
pub(crate) fn u64_wrapping(text: &str, base: u32) -> Option<u64> {
    magnitude(text, base).map(|(negative, size)| if negative { size.wrapping_neg() } else { size })
}

/// 32 bits, unsigned; no minus sign.
pub(crate) fn u32_of(text: &str, base: u32) -> Option<u32> {
    u64_of(text, base).and_then(|n| n.try_into().ok())
}

/// 32 bits, unsigned; a negative number wraps around.
pub(crate) fn u32_wrapping(text: &str, base: u32) -> Option<u32> {
    let (negative, size) = magnitude(text, base)?;
    let size = u32::try_from(size).ok()?;
    Some(if negative { size.wrapping_neg() } else { size })
}

pub(crate) fn i64_of(text: &str, base: u32) -> Option<i64> {
    let (negative, size) = magnitude(text, base)?;
    let signed = if negative { -i128::from(size) } else { i128::from(size) };
    signed.try_into().ok()
}

pub(crate) fn i32_of(text: &str, base: u32) -> Option<i32> {
    i64_of(text, base).and_then(|n| n.try_into().ok())
}

/// `value` of `unit` in bytes; where `unit` is empty, of `default` bytes.
pub(crate) fn scale(value: u64, unit: &str, default: u64, most: u64) -> Result<u64> {
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" => default,
        "b" | "byte" | "bytes" => 1,
        lower => {
            let (first, rest) = lower.split_at(lower.chars().next().map_or(0, char::len_utf8));
            let base: u64 = match rest {
                "" | "ib" => 1024,
                "b" => 1000,
                _ => return Err(refuse::unknown_suffix(unit)),
            };
            match "kmgtpe".find(first) {
                Some(power) => base.pow(power as u32 + 1),
                None => return Err(refuse::unknown_suffix(unit)),
            }
        }
    };
    match value.checked_mul(factor).filter(|bytes| *bytes <= most) {
        Some(bytes) => Ok(bytes),
        None => Err(refuse::overflow(format!("value too large: {value}{unit}"))),
    }
}

/// What memory may be at most, in bytes.
pub(crate) const MOST_MEMORY: u64 = i64::MAX as u64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_c_reads_them() {
        for (text, base, expect) in [
            ("12", 10, Some(12)),
            (" +12", 10, Some(12)),
            ("12 ", 10, None),
            ("-1", 10, Some(u64::MAX)),
            ("0x1f", 0, Some(31)),
            ("0x1f", 16, Some(31)),
            ("010", 0, Some(8)),
            ("010", 10, Some(10)),
            ("0x1f", 10, None),
            ("", 10, None),
            ("-", 10, None),
            ("18446744073709551616", 10, None),
        ] {
            assert_eq!(u64_wrapping(text, base), expect, "{text}");
        }
        assert_eq!((u64_of("-1", 10), u32_wrapping("-1", 10), i32_of("-5", 10)), (None, Some(u32::MAX), Some(-5)));
        assert_eq!((u32_of("4294967296", 10), i64_of("-9223372036854775808", 10)), (None, Some(i64::MIN)));
    }

    #[test]
    fn units() {
        for (value, unit, expect) in [
            (1, "", Ok(1024)),
            (3, "bytes", Ok(3)),
            (1, "KB", Ok(1000)),
            (2, "MiB", Ok(2 << 20)),
            (1, "e", Ok(1 << 60)),
            (16, "EiB", Err("numerical overflow: value too large: 16EiB")),
            (1, "parsec", Err("invalid argument: unknown suffix 'parsec'")),
            (1, "zb", Err("invalid argument: unknown suffix 'zb'")),
        ] {
            let found = scale(value, unit, 1024, MOST_MEMORY).map_err(|e| e.message);
            assert_eq!(found, expect.map_err(str::to_string), "{value} {unit}");
        }
    }
}
