//! A set of CPUs or NUMA nodes as documents have it: `0-3,^2,8`.

use std::fmt;
use std::ops::RangeInclusive;

/// Libvirt's bitmaps end here.
const MOST: u32 = 16384;

/// Ranges, first and last, in order and with gaps between them: what a set costs is what its text costs, not how many are in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CpuSet(Vec<(u32, u32)>);

impl CpuSet {
    pub fn from_numbers(numbers: impl IntoIterator<Item = u32>) -> CpuSet {
        CpuSet::from_ranges(numbers.into_iter().map(|number| (number, number)).collect())
    }

    fn from_ranges(mut ranges: Vec<(u32, u32)>) -> CpuSet {
        ranges.sort_unstable();
        let mut joined: Vec<(u32, u32)> = Vec::new();
        for (first, last) in ranges {
            match joined.last_mut() {
                Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
                _ => joined.push((first, last)),
            }
        }
        CpuSet(joined)
    }

    /// Numbers, ranges and, behind `^`, what to take out again of what stands before it. Blanks around each part.
    pub fn parse(text: &str) -> Option<CpuSet> {
        let mut bits = Bits::default();
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
                bits.remove(number(out)?);
                continue;
            }
            let (first, last) = match part.split_once('-') {
                Some((first, last)) => {
                    (number(first.trim_end_matches(blanks))?, number(last.trim_start_matches(blanks))?)
                }
                None => (number(part)?, number(part)?),
            };
            if first > last {
                return None;
            }
            bits.fill(first, last);
        }
        Some(CpuSet(bits.ranges()))
    }

    /// Those below `end`.
    pub fn below(&self, end: u32) -> CpuSet {
        let kept = self.0.iter().take_while(|(first, _)| *first < end);
        CpuSet(kept.map(|(first, last)| (*first, (*last).min(end - 1))).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every number that a set can hold, which is as good as no restriction.
    pub fn is_everything(&self) -> bool {
        self.0 == [(0, MOST - 1)]
    }

    pub fn contains(&self, number: u32) -> bool {
        self.holds((number, number))
    }

    /// All of `other` is in it.
    pub fn covers(&self, other: &CpuSet) -> bool {
        other.0.iter().all(|range| self.holds(*range))
    }

    fn holds(&self, (first, last): (u32, u32)) -> bool {
        let behind = self.0.partition_point(|range| range.0 <= first);
        behind > 0 && last <= self.0[behind - 1].1
    }

    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.0.iter().flat_map(|(first, last)| *first..=*last)
    }

    /// First and last of each run.
    pub fn ranges(&self) -> impl Iterator<Item = RangeInclusive<u32>> {
        self.0.iter().map(|(first, last)| *first..=*last)
    }

    pub fn highest(&self) -> Option<u32> {
        self.0.last().map(|(_, last)| *last)
    }
}

impl fmt::Display for CpuSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (first, last)) in self.0.iter().enumerate() {
            let separator = if at == 0 { "" } else { "," };
            match last == first {
                true => write!(f, "{separator}{first}")?,
                false => write!(f, "{separator}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

/// A bit for each number that a text may name.
struct Bits([u64; MOST as usize / 64]);

impl Default for Bits {
    fn default() -> Bits {
        Bits([0; MOST as usize / 64])
    }
}

impl Bits {
    fn remove(&mut self, number: u32) {
        self.0[number as usize / 64] &= !(1 << (number % 64));
    }

    fn fill(&mut self, first: u32, last: u32) {
        for at in first / 64..=last / 64 {
            let from = if at == first / 64 { first % 64 } else { 0 };
            let to = if at == last / 64 { last % 64 } else { 63 };
            self.0[at as usize] |= (u64::MAX << from) & (u64::MAX >> (63 - to));
        }
    }

    fn ranges(&self) -> Vec<(u32, u32)> {
        let mut ranges = Vec::new();
        let mut at = 0;
        while let Some(first) = self.next(at, true) {
            let end = self.next(first, false).unwrap_or(MOST);
            ranges.push((first, end - 1));
            at = end;
        }
        ranges
    }

    /// The first number from `from` on that is in, or is not.
    fn next(&self, from: u32, is_in: bool) -> Option<u32> {
        let mut mask = u64::MAX << (from % 64);
        for (at, word) in self.0.iter().enumerate().skip(from as usize / 64) {
            let found = if is_in { *word } else { !*word } & mask;
            if found != 0 {
                return Some(at as u32 * 64 + found.trailing_zeros());
            }
            mask = u64::MAX;
        }
        None
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
            ("16383", "16383"),
            ("60-130,^63,^128", "60-62,64-127,129-130"),
            ("0-63,64-127", "0-127"),
            ("0-16383,^16383,^0", "1-16382"),
        ] {
            let found = CpuSet::parse(text).map_or("refused".to_string(), |s| s.to_string());
            assert_eq!(found, expect, "{text}");
        }
        assert!(CpuSet::parse("0-16383").is_some_and(|s| s.is_everything()));
    }

    #[test]
    fn parts_of_sets() {
        let set = CpuSet::from_numbers([5, 3, 4, 9, 4]);
        assert_eq!((set.to_string(), set.highest()), ("3-5,9".to_string(), Some(9)));
        assert_eq!(set.iter().collect::<Vec<_>>(), [3, 4, 5, 9]);
        assert!(set.contains(5) && !set.contains(6) && !set.contains(2) && !CpuSet::default().contains(0));
        for (end, expect) in [(0, ""), (3, ""), (4, "3"), (9, "3-5"), (10, "3-5,9"), (20, "3-5,9")] {
            assert_eq!(set.below(end).to_string(), expect, "below {end}");
        }
        for (other, expect) in [("3-4,9", true), ("3-5", true), ("5-9", false), ("9-10", false), ("^0", true)] {
            assert_eq!(CpuSet::parse(other).map(|other| set.covers(&other)), Some(expect), "{other}");
        }
    }
}
