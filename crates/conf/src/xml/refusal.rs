//! How a document that is not well-formed is refused: place and words as libxml2 has them, then the source line
//! and a caret below the spot, as libvirt hands them to its clients.

use super::read::Source;
use api::{Code, Error};

/// What is wrong, the byte where the reader stood, and the one up to which it had looked.
#[derive(Debug)]
pub(super) struct Refusal {
    pub at: usize,
    pub seen: usize,
    pub message: String,
}

impl Refusal {
    pub fn into_error(self, source: Source, input: &[u8]) -> Error {
        let at = self.at.min(input.len());
        let line = 1 + input[..self.seen.clamp(at, input.len())].iter().filter(|b| **b == b'\n').count();
        let (text, caret) = context(input, at);
        let message = format!("{}:{line}: {}\n{text}\n{caret}", source.name, self.message);
        Error::new(source.domain, Code::XmlDetail, message)
    }
}

/// The line around `at`, and a caret under it (tabs kept, so that both line up).
fn context(input: &[u8], at: usize) -> (String, String) {
    if at >= input.len() && input.last().is_none_or(|b| matches!(b, b'\n' | b'\r')) {
        return ("(null)".to_string(), "^".to_string());
    }
    let line_end = |b: &u8| matches!(b, b'\n' | b'\r' | 0);
    let mut cur = at;
    while cur > 0 && input.get(cur).is_some_and(line_end) {
        cur -= 1;
    }
    let start = input[..cur].iter().rposition(line_end).map_or(0, |p| p + 1);
    let end = input[cur..].iter().position(line_end).map_or(input.len(), |p| cur + p);
    // A line may be the whole of a hostile document.
    let shown = |range: &[u8]| String::from_utf8_lossy(&range[..range.len().min(400)]).into_owned();
    // A mark for each byte, as libvirt has it.
    let before = input[start..at.clamp(start, end)].iter().take(400);
    let caret: String = before.map(|b| if *b == b'\t' { '\t' } else { '-' }).chain(['^']).collect();
    (shown(&input[start..end]), caret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_below_the_spot() {
        assert_eq!(context(b"ab\n\tcd<\nx", 6), ("\tcd<".to_string(), "\t--^".to_string()));
        assert_eq!(context(b"ab\n", 3), ("(null)".to_string(), "^".to_string()));
    }
}
