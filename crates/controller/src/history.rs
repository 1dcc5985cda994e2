//! The last of what a console's guest has printed, and how much of it is still to be sent.

use std::collections::VecDeque;

/// So much is kept. It takes memory as output comes.
pub const KEPT: usize = 64 << 10;
/// A line that begins this far on is waited for where output is cut.
const LONGEST_LINE: usize = 512;

#[derive(Default)]
pub struct History {
    bytes: VecDeque<u8>,
    /// The last so many of them are not sent yet.
    unsent: usize,
    /// Older output is gone.
    is_cut: bool,
}

impl History {
    /// What can be added without the loss of anything that is not sent.
    pub fn room(&self) -> usize {
        KEPT - self.unsent
    }

    pub fn push(&mut self, new: &[u8]) {
        let new = new.get(new.len().saturating_sub(KEPT)..).unwrap_or_default();
        let excess = (self.bytes.len() + new.len()).saturating_sub(KEPT);
        self.bytes.drain(..excess);
        self.is_cut |= excess > 0;
        self.bytes.extend(new);
        self.unsent = (self.unsent + new.len()).min(KEPT);
    }

    /// What comes next, as far as it lies in one piece.
    pub fn unsent(&self) -> &[u8] {
        let from = self.bytes.len() - self.unsent;
        let (front, back) = self.bytes.as_slices();
        match front.get(from..) {
            Some(piece) if !piece.is_empty() => piece,
            _ => back.get(from.saturating_sub(front.len())..).unwrap_or_default(),
        }
    }

    pub fn sent(&mut self, count: usize) {
        self.unsent = self.unsent.saturating_sub(count);
    }

    /// Gives up the older half of what is not sent, up to the end of a line where there is one, so that nobody sees half of
    /// an escape sequence.
    pub fn forget_half(&mut self) {
        let half = self.unsent.div_ceil(2);
        let from = self.bytes.len() - self.unsent + half;
        self.sent(half + self.to_next_line(from));
    }

    /// Everything that is kept is to be sent once more, from the beginning of a line on. What asks the terminal for an answer
    /// is left out: nobody waits for that any more, and it would arrive as if it were typed.
    pub fn replay(&mut self) {
        let start = if self.is_cut { self.to_next_line(0) } else { 0 };
        self.bytes.drain(..start);
        let kept = without_questions(self.bytes.make_contiguous());
        self.bytes = kept.into();
        self.unsent = self.bytes.len();
    }

    fn to_next_line(&self, from: usize) -> usize {
        let line = self.bytes.iter().skip(from).take(LONGEST_LINE).position(|byte| *byte == b'\n');
        line.map_or(0, |at| at + 1)
    }
}

const ESCAPE: u8 = 0x1b;
const ENQUIRY: u8 = 0x05;

/// Without enquiries and without control sequences that a terminal answers: reports of status (`n`), of what it is (`c`) and
/// of its window (`t`).
fn without_questions(bytes: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, behind)) = rest.split_first() {
        let length = match (*first, behind.first()) {
            (ENQUIRY, _) => 1,
            (ESCAPE, Some(b'[')) => question(behind.get(1..).unwrap_or_default()).map_or(0, |length| length + 2),
            (ESCAPE, Some(b'Z')) => 2,
            _ => 0,
        };
        if length == 0 {
            kept.push(*first);
        }
        rest = rest.get(length.max(1)..).unwrap_or_default();
    }
    kept
}

/// The length of what is behind `ESC [` where that is a question: parameters and intermediate bytes, then the final one.
fn question(bytes: &[u8]) -> Option<usize> {
    let last = bytes.iter().position(|byte| !(0x20..0x40).contains(byte))?;
    matches!(bytes.get(last), Some(b'n' | b'c' | b't')).then_some(last + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_unsent(history: &mut History) -> Vec<u8> {
        let mut all = Vec::new();
        while !history.unsent().is_empty() {
            let piece = history.unsent().to_vec();
            history.sent(piece.len());
            all.extend(piece);
        }
        all
    }

    #[test]
    fn the_last_of_it_is_kept_and_can_be_sent_again() {
        let mut history = History::default();
        let mut whole = Vec::new();
        for number in 0..20_000 {
            let line = format!("line {number}\n");
            history.push(line.as_bytes());
            whole.extend_from_slice(line.as_bytes());
            if number % 3 == 0 {
                all_unsent(&mut history);
            }
        }
        history.replay();
        let seen = all_unsent(&mut history);
        assert!(whole.ends_with(&seen) && seen.starts_with(b"line ") && seen.len() > KEPT - 20, "{}", seen.len());
        assert!(history.bytes.capacity() <= KEPT, "{}", history.bytes.capacity());
        assert_eq!((history.room(), all_unsent(&mut history).len()), (KEPT, 0));
    }

    #[test]
    fn what_is_not_sent_is_given_up_by_lines() {
        let mut history = History::default();
        let lines: Vec<u8> = (0..KEPT / 16).flat_map(|n| format!("{n:0>15}\n").into_bytes()).collect();
        history.push(&lines[..KEPT]);
        assert_eq!(history.room(), 0);
        history.forget_half();
        let left = all_unsent(&mut history);
        assert!(lines.ends_with(&left) && left.len().is_multiple_of(16) && left.len() < KEPT / 2 + 1, "{}", left.len());
        assert!(left.len() + 16 >= KEPT / 2);
        history.push(b"x");
        assert_eq!(all_unsent(&mut history), b"x");
    }

    #[test]
    fn questions_to_a_terminal_are_not_asked_again() {
        let mut history = History::default();
        history.push(b"\x1b[1;31mred\x1b[0m\x1b[6n\x1b[?1;2c\x1b[c\x05\x1bZ\x1b[18t\x1b[2J# \x1b[6");
        history.replay();
        assert_eq!(all_unsent(&mut history), b"\x1b[1;31mred\x1b[0m\x1b[2J# \x1b[6");
    }
}
