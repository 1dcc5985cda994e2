//! The inputs of a corpus (`*.corpus`).

/// Each input behind its length on a line of its own.
pub fn inputs(mut rest: &[u8]) -> Vec<&[u8]> {
    let mut inputs = Vec::new();
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let length: usize = std::str::from_utf8(&rest[..end]).ok().and_then(|n| n.parse().ok()).expect("a length");
        inputs.push(&rest[end + 1..end + 1 + length]);
        rest = &rest[end + 2 + length..];
    }
    inputs
}
