//! The syntax of LXC's configuration: a key, an equals sign and a value to a line.

use api::{Code, Error, ErrorDomain, Result};

pub(super) struct Entry<'a> {
    pub line: usize,
    pub key: &'a str,
    pub value: &'a str,
}

pub(super) fn entries(text: &str) -> Result<Vec<Entry<'_>>> {
    let mut entries = Vec::new();
    for (line, text) in text.lines().enumerate().map(|(at, text)| (at + 1, text.trim())) {
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        // Libvirt has no hyphen, though keys do (lxc.hook.pre-start).
        let in_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let (key, rest) = text.split_at(text.find(|c| !in_key(c)).unwrap_or(text.len()));
        if !key.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Err(syntax(line, "expecting a name"));
        }
        let Some(value) = rest.trim_start().strip_prefix('=') else {
            return Err(syntax(line, "expecting an assignment"));
        };
        entries.push(Entry { line, key, value: unquoted(value.trim()) });
    }
    Ok(entries)
}

fn syntax(line: usize, what: &str) -> Error {
    Error::new(ErrorDomain::Conf, Code::ConfSyntax, format!("memory conf:{line}: {what}"))
}

fn unquoted(value: &str) -> &str {
    let inside = |quote| value.strip_prefix(quote).and_then(|rest: &str| rest.strip_suffix(quote));
    inside('"').or_else(|| inside('\'')).unwrap_or(value)
}
