//! IP addresses as the C library reads and writes them: `1.2.3` and `01.2.3.4` are addresses, `::1.2.3.4` is written so.

use std::net::{IpAddr, Ipv4Addr};

pub(crate) fn parse(text: &str) -> Option<IpAddr> {
    match text.contains(':') {
        true => text.parse().ok().map(IpAddr::V6),
        false => inet_aton(text).map(IpAddr::V4),
    }
}

/// One to four numbers of any base; the last fills what is left of the address.
fn inet_aton(text: &str) -> Option<Ipv4Addr> {
    let plain = |part: &&str| part.starts_with(|c: char| c.is_ascii_digit());
    let parts: Vec<u32> = text
        .split('.')
        .take(5)
        .map(|part| Some(part).filter(plain).and_then(|p| crate::number::u32_of(p, 0)))
        .collect::<Option<_>>()?;
    let (last, front) = parts.split_last().filter(|(_, front)| front.len() < 4)?;
    let room = 32 - 8 * front.len() as u32;
    if front.iter().any(|byte| *byte > 255) || u64::from(*last) >= 1 << room {
        return None;
    }
    let front = front.iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
    Some(Ipv4Addr::from_bits((front << room) as u32 | last))
}

pub(crate) fn text(address: IpAddr) -> String {
    match address {
        IpAddr::V6(v6) if v6.segments()[..6] == [0; 6] && v6.segments()[6] != 0 => {
            format!("::{}", Ipv4Addr::from_bits(v6.to_bits() as u32))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_the_c_library() {
        for (given, expect) in [
            ("1.2.3.4", "1.2.3.4"),
            ("01.2.3.010", "1.2.3.8"),
            ("1.2.3", "1.2.0.3"),
            ("16909060", "1.2.3.4"),
            ("FE80::0:1", "fe80::1"),
            ("::1.2.3.4", "::1.2.3.4"),
            ("::1", "::1"),
            ("::ffff:1.2.3.4", "::ffff:1.2.3.4"),
            ("300.1.1.1", "refused"),
            ("1.2.3.4.5", "refused"),
            ("1..3", "refused"),
            ("+1.2.3.4", "refused"),
            ("", "refused"),
            ("localhost", "refused"),
        ] {
            assert_eq!(parse(given).map_or("refused".to_string(), text), expect, "{given}");
        }
    }
}
