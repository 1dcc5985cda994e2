//! Writes elements in libvirt's layout: two spaces a level, attributes in single quotes, `<x/>` for what is empty.

use std::borrow::Cow;
use std::fmt::{self, Display, Write as _};

/// A document in the making. An element is opened, given its attributes, then its content, and closed;
/// one that has no content is closed at once (`<x/>`).
#[derive(Debug, Default)]
pub struct Writer {
    out: String,
    /// Open elements; the start tag of the last is still unfinished while `pending`.
    open: Vec<Cow<'static, str>>,
    pending: bool,
    /// Spaces before everything.
    indent: usize,
}

impl Writer {
    pub fn new() -> Writer {
        Writer::default()
    }

    /// A writer whose lines begin `indent` levels deeper.
    pub fn indented(indent: usize) -> Writer {
        Writer { indent, ..Writer::default() }
    }

    /// Begins an element.
    pub fn open(&mut self, name: impl Into<Cow<'static, str>>) {
        let name = name.into();
        self.finish_tag();
        self.margin(self.open.len());
        self.out.push('<');
        self.out.push_str(&name);
        self.open.push(name);
        self.pending = true;
    }

    /// An attribute of the element opened last, before anything was put into it.
    pub fn attr(&mut self, name: &str, value: impl Display) {
        debug_assert!(self.pending, "attribute '{name}' after content");
        self.out.push(' ');
        self.out.push_str(name);
        self.out.push_str("='");
        self.escaped(value);
        self.out.push('\'');
    }

    pub fn attr_opt(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.attr(name, value);
        }
    }

    /// Ends the element opened last.
    pub fn close(&mut self) {
        let Some(name) = self.open.pop() else { return };
        if self.pending {
            self.out.push_str("/>\n");
            self.pending = false;
        } else {
            self.margin(self.open.len());
            self.end_tag(&name);
        }
    }

    /// Ends the element opened last with a tag of its own, empty as it may be.
    pub fn close_apart(&mut self) {
        self.finish_tag();
        self.close();
    }

    /// Ends the element opened last with `text` as its only content, on one line.
    pub fn close_with(&mut self, text: impl Display) {
        let Some(name) = self.open.pop() else { return };
        self.out.push('>');
        self.pending = false;
        self.escaped(text);
        self.end_tag(&name);
    }

    /// `<name>text</name>`
    pub fn text(&mut self, name: impl Into<Cow<'static, str>>, text: impl Display) {
        self.open(name);
        self.close_with(text);
    }

    pub fn text_opt(&mut self, name: impl Into<Cow<'static, str>>, text: Option<impl Display>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// `<name/>`
    pub fn empty(&mut self, name: impl Into<Cow<'static, str>>) {
        self.open(name);
        self.close();
    }

    /// How many levels deep what is written next is indented.
    pub fn level(&self) -> usize {
        self.indent + self.open.len()
    }

    /// Ready XML whose first line is indented to where we are, and whose other lines are already.
    pub fn ready(&mut self, xml: &str) {
        self.finish_tag();
        self.margin(self.open.len());
        self.out.push_str(xml);
        self.out.push('\n');
    }

    /// The text. What is still open is closed.
    pub fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.out
    }

    fn finish_tag(&mut self) {
        if self.pending {
            self.out.push_str(">\n");
            self.pending = false;
        }
    }

    fn end_tag(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push_str(">\n");
    }

    fn margin(&mut self, depth: usize) {
        for _ in 0..self.indent + depth {
            self.out.push_str("  ");
        }
    }

    fn escaped(&mut self, value: impl Display) {
        let mut sink = Escaping(&mut self.out);
        // A `String` takes all that is written to it.
        let _ = write!(sink, "{value}");
    }
}

struct Escaping<'a>(&'a mut String);

impl fmt::Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut from = 0;
        for (at, byte) in text.bytes().enumerate() {
            let with = match byte {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                b'\'' => "&apos;",
                b'\t' | b'\n' | b'\r' => continue,
                0..0x20 => "",
                _ => continue,
            };
            self.0.push_str(&text[from..at]);
            self.0.push_str(with);
            from = at + 1;
        }
        self.0.push_str(&text[from..]);
        Ok(())
    }
}

/// Text as it stands in an attribute or element. Control characters that XML forbids are left out.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let _ = Escaping(&mut out).write_str(text);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout() {
        let mut w = Writer::new();
        w.open("a");
        w.attr("x", "it's <1>");
        w.empty("b");
        w.text("c", "A & \"B\"\u{1}");
        w.open("d");
        w.close_apart();
        w.close();
        assert_eq!(
            w.finish(),
            "<a x='it&apos;s &lt;1&gt;'>\n  <b/>\n  <c>A &amp; &quot;B&quot;</c>\n  <d>\n  </d>\n</a>\n"
        );
    }

    #[test]
    fn ready_lines_are_indented() {
        let mut w = Writer::indented(1);
        w.open("a");
        let xml = format!("<x>\n{}<y/>\n{}</x>", "  ".repeat(w.level() + 1), "  ".repeat(w.level()));
        w.ready(&xml);
        w.close();
        assert_eq!(w.finish(), "  <a>\n    <x>\n      <y/>\n    </x>\n  </a>\n");
    }
}
