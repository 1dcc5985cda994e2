//! A set of CPUs or NUMA nodes as documents have it: `0-3,^2,8`.

use std::fmt;

/// Libvirt's bitmaps end here.
const MOST: u32 = 16384;

/// Sorted numbers without repetition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CpuSet(Vec<u32>);

impl CpuSet {
    pub fn from_numbers(numbers: impl IntoIterator<Item = u32>) -> CpuSet {
        let mut numbers: Vec<u32> = numbers.into_iter().collect();
        numbers.sort_unstable();
        numbers.dedup();
        CpuSet(numbers)
    }

    /// Numbers, ranges and, behind `^`, what to take out again of what stands before it. Blanks around each part.
    pub fn parse(text: &str) -> Option<CpuSet> {
        let mut bits = vec![false; MOST as usize];
        let number =
            |t: &str| t.bytes().all(|b| b.is_ascii_digit()).then(|| t.parse::<u32>().ok())?.filter(|n| *n < MOST);
        let blanks = |c: char| c.is_ascii_whitespace();
        let mut parts = text.split(',').peekable();
        let mut first = true;
        while let Some(part) = parts.next() {
            let part = part.trim_matches(blanks);
            // A comma may end the list.
            if part.is_empty() && !first && parts.peek().is_none() {
                break;
            }
            first = false;
            if let Some(out) = part.strip_prefix('^') {
                *bits.get_mut(number(out)? as usize)? = false;
                continue;
            }
            let (first, last) = match part.split_once('-') {
                Some((first, last)) => {
                    (number(first.trim_end_matches(blanks))?, number(last.trim_start_matches(blanks))?)
                }
                None => (number(part)?, number(part)?),
            };
            bits.get_mut(first as usize..=last as usize).filter(|_| first <= last)?.fill(true);
        }
        Some(CpuSet((0..MOST).filter(|n| bits[*n as usize]).collect()))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every number that a set can hold, which is as good as no restriction.
    pub fn is_everything(&self) -> bool {
        self.0.len() == MOST as usize
    }

    pub fn contains(&self, number: u32) -> bool {
        self.0.binary_search(&number).is_ok()
    }

    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.0.iter().copied()
    }

    pub fn highest(&self) -> Option<u32> {
        self.0.last().copied()
    }
}

impl fmt::Display for CpuSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.as_slice();
        let mut separator = "";
        while let Some(&first) = rest.first() {
            let run = rest.iter().zip(first..).take_while(|(a, b)| **a == *b).count();
            let last = first + run as u32 - 1;
            match last == first {
                true => write!(f, "{separator}{first}")?,
                false => write!(f, "{separator}{first}-{last}")?,
            }
            separator = ",";
            rest = &rest[run..];
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        for (text, expect) in [
            ("0", "0"),
            ("3,1,2", "1-3"),
            ("0-7,^3", "0-2,4-7"),
            (" 0 , 2 - 3", "0,2-3"),
            ("0-3,^0-1", "refused"),
            ("3-1", "refused"),
            ("16384", "refused"),
            ("0,", "0"),
            (",", "refused"),
            ("a", "refused"),
            ("", "refused"),
            ("-1", "refused"),
            ("^0", ""),
        ] {
            let found = CpuSet::parse(text).map_or("refused".to_string(), |s| s.to_string());
            assert_eq!(found, expect, "{text}");
        }
        assert!(CpuSet::parse("0-16383").is_some_and(|s| s.is_everything()));
    }
}
