//! What travels in the stream of a task inside a container (`DOMAIN_RUN`): records, each a byte for its kind, its length as
//! four bytes, and so much data.
//!
//! A client sends no more input than it has been given room for, so nothing that the task does not read can hold up a signal
//! behind it. The other direction has the stream's own brake.

use std::fmt;

/// Data of one record; more comes in several.
pub const DATA_MAX: usize = 65_536;
/// The room for input that a client has from the start.
pub const FIRST_ROOM: usize = 256 << 10;

const HEADER: usize = 5;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// To the task's standard input. Empty: there is no more.
    Input(Vec<u8>),
    /// To the task and what it has started, by the kernel's number.
    Signal(u8),
    /// The size of the person's window: rows and columns.
    Window(u16, u16),
    /// So many more bytes of input may be sent.
    Room(u32),
    /// From the task's standard output: with a terminal, all that it prints.
    Output(Vec<u8>),
    /// From its standard error.
    Errors(Vec<u8>),
    /// It could not be started. The status is what a shell would answer: 126 and 127 are about the program itself.
    Failed(u8, String),
    Exited(u8),
    Killed(u8),
}

/// The peer does not keep to the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the other side sent a record that there is not")
    }
}

impl std::error::Error for Malformed {}

impl Record {
    pub fn write(&self, out: &mut Vec<u8>) {
        let number;
        let words;
        let (kind, data): (u8, &[u8]) = match self {
            Record::Input(data) => (1, data),
            Record::Signal(signal) => {
                number = [*signal];
                (2, &number)
            }
            Record::Window(rows, columns) => {
                words = [rows.to_be_bytes(), columns.to_be_bytes()].concat();
                (3, &words)
            }
            Record::Room(count) => {
                words = count.to_be_bytes().to_vec();
                (4, &words)
            }
            Record::Output(data) => (5, data),
            Record::Errors(data) => (6, data),
            Record::Failed(status, text) => {
                let text = text.as_bytes();
                words = [&[*status], text.get(..DATA_MAX - 1).unwrap_or(text)].concat();
                (7, &words)
            }
            Record::Exited(status) => {
                number = [*status];
                (8, &number)
            }
            Record::Killed(signal) => {
                number = [*signal];
                (9, &number)
            }
        };
        out.push(kind);
        out.extend((data.len() as u32).to_be_bytes());
        out.extend(data);
    }

    fn read(kind: u8, data: &[u8]) -> Result<Record, Malformed> {
        Ok(match (kind, data) {
            (1, data) => Record::Input(data.to_vec()),
            (2, [signal]) => Record::Signal(*signal),
            (3, [a, b, c, d]) => Record::Window(u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d])),
            (4, [a, b, c, d]) => Record::Room(u32::from_be_bytes([*a, *b, *c, *d])),
            (5, data) => Record::Output(data.to_vec()),
            (6, data) => Record::Errors(data.to_vec()),
            (7, [status, text @ ..]) => Record::Failed(*status, String::from_utf8_lossy(text).into_owned()),
            (8, [status]) => Record::Exited(*status),
            (9, [signal]) => Record::Killed(*signal),
            _ => return Err(Malformed),
        })
    }
}

/// Puts records together from the stream's pieces.
#[derive(Debug, Default)]
pub struct Reader {
    bytes: Vec<u8>,
    /// So much of them is read.
    start: usize,
}

impl Reader {
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.start);
        self.start = 0;
        self.bytes.extend(bytes);
    }

    /// The next one, where it is complete.
    pub fn take(&mut self) -> Result<Option<Record>, Malformed> {
        let unread = self.bytes.get(self.start..).unwrap_or_default();
        let [kind, a, b, c, d, ..] = unread else { return Ok(None) };
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        if length > DATA_MAX {
            return Err(Malformed);
        }
        let Some(data) = unread.get(HEADER..HEADER + length) else { return Ok(None) };
        let record = Record::read(*kind, data)?;
        self.start += HEADER + length;
        Ok(Some(record))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_survive_in_pieces_of_any_size() {
        let records = [
            Record::Input(b"in".to_vec()),
            Record::Input(Vec::new()),
            Record::Signal(15),
            Record::Window(24, 80),
            Record::Room(65_536),
            Record::Output(vec![0; DATA_MAX]),
            Record::Errors(b"bad".to_vec()),
            Record::Failed(127, "no such program".into()),
            Record::Exited(3),
            Record::Killed(9),
        ];
        let mut bytes = Vec::new();
        records.iter().for_each(|record| record.write(&mut bytes));
        for size in [1, 3, 4096, bytes.len()] {
            let mut reader = Reader::default();
            let mut found = Vec::new();
            for piece in bytes.chunks(size) {
                reader.push(piece);
                while let Some(record) = reader.take().unwrap() {
                    found.push(record);
                }
            }
            assert_eq!(found, records, "{size}");
        }
    }

    #[test]
    fn what_is_no_record_is_refused() {
        for bytes in
            [&[0, 0, 0, 0, 0][..], &[2, 0, 0, 0, 2, 1, 1], &[1, 0, 1, 0, 1], &[7, 0, 0, 0, 0], &[3, 0, 0, 0, 0]]
        {
            let mut reader = Reader::default();
            reader.push(bytes);
            assert_eq!(reader.take(), Err(Malformed), "{bytes:?}");
        }
    }
}
