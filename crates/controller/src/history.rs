//! The last of what a console's guest has printed, and how much of it is still to be sent.

/// So much is kept. The kernel gives memory for it as output comes.
pub const KEPT: usize = 64 << 10;
/// A line that begins this far on is waited for where output is cut.
const LONGEST_LINE: usize = 512;

/// A ring that output is read into and sent from, without a copy on the way.
#[derive(Default)]
pub struct History {
    /// Empty before the first output, of length [`KEPT`] from then on.
    ring: Vec<u8>,
    /// Where the next byte goes; what is kept lies before it, around the end of the ring.
    end: usize,
    kept: usize,
    /// The last so many of those kept are not sent yet.
    unsent: usize,
    /// Older output is gone.
    is_cut: bool,
}

impl History {
    /// What can be added without the loss of anything that is not sent.
    pub fn room(&self) -> usize {
        KEPT - self.unsent
    }

    /// Where output goes next, as far as it lies in one piece; the oldest of what is sent gives way to it.
    pub fn space(&mut self) -> &mut [u8] {
        if self.ring.is_empty() {
            self.ring = vec![0; KEPT];
        }
        let until = (self.end + self.room()).min(KEPT);
        self.ring.get_mut(self.end..until).unwrap_or_default()
    }

    /// So many bytes are new in [`History::space`].
    pub fn filled(&mut self, count: usize) {
        let count = count.min(self.room());
        self.end = (self.end + count) % KEPT;
        self.is_cut |= self.kept + count > KEPT;
        self.kept = (self.kept + count).min(KEPT);
        self.unsent += count;
    }

    /// What comes next, in order.
    pub fn unsent(&self) -> [&[u8]; 2] {
        self.last(self.unsent)
    }

    /// The last so many bytes, of those that are kept, in order.
    pub fn last(&self, count: usize) -> [&[u8]; 2] {
        let count = count.min(self.kept);
        match self.end.checked_sub(count) {
            Some(from) => [self.ring.get(from..self.end).unwrap_or_default(), &[]],
            None => {
                let from = self.end + KEPT - count;
                [self.ring.get(from..).unwrap_or_default(), self.ring.get(..self.end).unwrap_or_default()]
            }
        }
    }

    pub fn sent(&mut self, count: usize) {
        self.unsent = self.unsent.saturating_sub(count);
    }

    /// Gives up the older half of what is not sent, up to the end of a line where there is one, so that nobody sees half of
    /// an escape sequence.
    pub fn forget_half(&mut self) {
        let half = self.unsent.div_ceil(2);
        self.sent(half);
        self.sent(to_next_line(self.unsent()));
    }

    /// Everything that is kept is to be sent once more, from the beginning of a line on. What asks the terminal for an answer
    /// is left out: nobody waits for that any more, and it would arrive as if it were typed.
    pub fn replay(&mut self) {
        let whole = self.last(self.kept);
        let start = if self.is_cut { to_next_line(whole) } else { 0 };
        let kept = without_questions(whole.concat().get(start..).unwrap_or_default());
        for (place, byte) in self.ring.iter_mut().zip(&kept) {
            *place = *byte;
        }
        (self.kept, self.unsent, self.end) = (kept.len(), kept.len(), kept.len() % KEPT);
        self.is_cut = false;
    }
}

/// How far it is to the beginning of the next line, if that is not too far.
fn to_next_line(output: [&[u8]; 2]) -> usize {
    let line = output.into_iter().flatten().take(LONGEST_LINE).position(|byte| *byte == b'\n');
    line.map_or(0, |at| at + 1)
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

    fn push(history: &mut History, mut new: &[u8]) {
        while !new.is_empty() {
            let space = history.space();
            let count = space.len().min(new.len());
            assert!(count > 0, "there is no room");
            space[..count].copy_from_slice(&new[..count]);
            history.filled(count);
            new = &new[count..];
        }
    }

    fn all_unsent(history: &mut History) -> Vec<u8> {
        let all = history.unsent().concat();
        history.sent(all.len());
        assert_eq!(history.unsent().concat(), b"");
        all
    }

    #[test]
    fn the_last_of_it_is_kept_and_can_be_sent_again() {
        let mut history = History::default();
        let mut whole = Vec::new();
        for number in 0..20_000 {
            let line = format!("line {number}\n");
            push(&mut history, line.as_bytes());
            whole.extend_from_slice(line.as_bytes());
            if number % 3 == 0 {
                let seen = all_unsent(&mut history);
                assert!(whole.ends_with(&seen) && seen.ends_with(line.as_bytes()));
            }
        }
        for _ in 0..2 {
            history.replay();
            let seen = all_unsent(&mut history);
            assert!(whole.ends_with(&seen) && seen.starts_with(b"line ") && seen.len() > KEPT - 20, "{}", seen.len());
        }
        assert_eq!((history.room(), history.ring.capacity()), (KEPT, KEPT));
        push(&mut history, b"behind it");
        assert_eq!(all_unsent(&mut history), b"behind it");
    }

    #[test]
    fn what_is_not_sent_is_given_up_by_lines() {
        let mut history = History::default();
        let lines: Vec<u8> = (0..KEPT / 16).flat_map(|n| format!("{n:0>15}\n").into_bytes()).collect();
        push(&mut history, &lines[..KEPT]);
        assert!(history.space().is_empty());
        assert_eq!(history.room(), 0);
        history.forget_half();
        let left = all_unsent(&mut history);
        assert!(lines.ends_with(&left) && left.len().is_multiple_of(16) && left.len() < KEPT / 2 + 1, "{}", left.len());
        assert!(left.len() + 16 >= KEPT / 2);
        push(&mut history, b"x");
        assert_eq!(all_unsent(&mut history), b"x");
    }

    #[test]
    fn questions_to_a_terminal_are_not_asked_again() {
        let mut history = History::default();
        push(&mut history, b"\x1b[1;31mred\x1b[0m\x1b[6n\x1b[?1;2c\x1b[c\x05\x1bZ\x1b[18t\x1b[2J# \x1b[6");
        history.replay();
        assert_eq!(all_unsent(&mut history), b"\x1b[1;31mred\x1b[0m\x1b[2J# \x1b[6");
    }
}
