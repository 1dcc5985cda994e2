//! The reader: one pass over the bytes into a flat `Document`. It accepts and refuses what libxml2 does
//! (XML 1.0 with namespaces, no validation), within limits, and knows no entities but those whose text stands
//! in the document itself.

use super::encoding::decode;
use super::refusal::Refusal;
use super::tree::{AttrData, Declared, Document, Kind, NONE, Name, NodeData, Span};
use api::{ErrorDomain, Result};

/// Where a document comes from: its name in messages (`(domain_definition)` or a file), and who reports.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    pub name: &'a str,
    pub domain: ErrorDomain,
}

/// What is refused for its mere size.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub bytes: usize,
    /// Elements within elements; libxml2's own figure.
    pub depth: usize,
    pub nodes: usize,
    pub attributes: usize,
    pub attributes_of_one_element: usize,
    /// Each name is looked up among them.
    pub namespaces_in_scope: usize,
    /// Text that references to entities expand to, all together.
    pub expanded: usize,
}

impl Limits {
    /// Far above any real document, far below what would hurt.
    pub const DEFAULT: Limits = Limits {
        bytes: 16 << 20,
        depth: 256,
        nodes: 400_000,
        attributes: 400_000,
        attributes_of_one_element: 1_000,
        namespaces_in_scope: 200,
        expanded: 1 << 20,
    };
}

pub(super) type Step<T> = std::result::Result<T, Refusal>;

impl Document {
    pub fn parse(input: &[u8], source: Source) -> Result<Document> {
        Document::parse_within(input, source, Limits::DEFAULT)
    }

    pub fn parse_within(input: &[u8], source: Source, limits: Limits) -> Result<Document> {
        let refuse = |refusal: Refusal| refusal.into_error(source, input);
        if input.len() > limits.bytes {
            let message = format!("document of {} bytes is too large, {} are allowed", input.len(), limits.bytes);
            return Err(refuse(Refusal { at: 0, seen: 0, message }));
        }
        let text = decode(input).map_err(refuse)?;
        let document = Document { input: text, ..Document::default() };
        let mut reader = Reader {
            document,
            pos: 0,
            line: 1,
            counted: 0,
            limits,
            entities: Vec::new(),
            expanded: 0,
            undeclared_allowed: false,
            scope: Vec::new(),
        };
        match reader.document() {
            Ok(()) => Ok(reader.document),
            Err(refusal) => Err(refusal.into_error(source, reader.document.input.as_bytes())),
        }
    }
}

pub(super) struct Reader {
    pub document: Document,
    pub pos: usize,
    /// Line of `counted`; lines are counted on demand.
    line: u32,
    counted: usize,
    pub limits: Limits,
    /// Entities that the document declares: name, text.
    pub entities: Vec<(String, String)>,
    pub expanded: usize,
    /// An entity that is not known may be declared where nobody looks.
    pub undeclared_allowed: bool,
    /// Namespaces in scope: (prefix, index), innermost last.
    scope: Vec<(Span, u32)>,
}

impl Reader {
    fn document(&mut self) -> Step<()> {
        let nothing = self.span(0, 0);
        self.document.namespaces.push(nothing);
        if self.peek().is_none_or(|b| b == 0) {
            return self.fail("Document is empty");
        }
        if self.at("<?xml") && self.byte(5).is_some_and(is_blank) {
            self.declaration()?;
        }
        self.misc()?;
        if self.at("<!DOCTYPE") {
            self.doctype()?;
            self.misc()?;
        }
        if self.peek() != Some(b'<') {
            return self.fail("Start tag expected, '<' not found");
        }
        self.content()?;
        self.misc()?;
        if self.pos < self.bytes().len() {
            return self.fail("Extra content at the end of the document");
        }
        Ok(())
    }

    /// The root and everything in it.
    fn content(&mut self) -> Step<()> {
        let mut open: Vec<Open> = Vec::new();
        self.start_tag(&mut open)?;
        while let Some(top) = open.last() {
            let parent = top.node;
            match (self.peek(), self.byte(1)) {
                (None, _) => {
                    let (name, line) = (self.raw_name(parent), self.document.nodes[parent as usize].line);
                    return self.fail(format!("Premature end of data in tag {name} line {line}"));
                }
                (Some(b'<'), Some(b'/')) => self.end_tag(&mut open)?,
                (Some(b'<'), Some(b'!')) if self.at("<![CDATA[") => {
                    let start = self.pos + 9;
                    self.pos = start;
                    let end = self.cdata_end()?;
                    let content = self.normalized(start, end);
                    self.node(Kind::Cdata, content, parent)?;
                }
                (Some(b'<'), Some(b'!')) if self.at("<!--") => {
                    let content = self.comment()?;
                    self.node(Kind::Comment, content, parent)?;
                }
                (Some(b'<'), Some(b'?')) => {
                    let content = self.instruction()?;
                    self.node(Kind::Instruction, content, parent)?;
                }
                (Some(b'<'), _) => self.start_tag(&mut open)?,
                _ => self.character_data(parent)?,
            }
        }
        Ok(())
    }

    fn start_tag(&mut self, open: &mut Vec<Open>) -> Step<()> {
        let start = self.pos;
        let line = self.line_here();
        self.pos += 1;
        let Some(name) = self.name() else {
            return self.fail("StartTag: invalid element name");
        };
        if open.len() >= self.limits.depth {
            return self.fail(format!("Excessive depth in document: {} use XML_PARSE_HUGE option", self.limits.depth));
        }
        let parent = open.last().map_or(NONE, |o| o.node);
        let scope = self.scope.len();
        let first_declared = self.document.declared.len() as u32;
        let mut found: Vec<((usize, usize), Span)> = Vec::new();
        let mut first = true;
        loop {
            let blanks = self.blanks();
            match self.peek() {
                Some(b'>' | b'/') | None => break,
                Some(_) if !blanks && !first => return self.fail("attributes construct error"),
                Some(_) => {}
            }
            first = false;
            let Some(attr) = self.name() else { return self.fail("error parsing attribute name") };
            if found.len() >= self.limits.attributes_of_one_element {
                return self.fail(format!("more than {} attributes in one element", found.len()));
            }
            let value = self.attribute_value(attr)?;
            let text = &self.document.input[attr.0..attr.1];
            if text == "xmlns" || text.starts_with("xmlns:") {
                if self.scope.len() >= self.limits.namespaces_in_scope {
                    return self.fail(format!("more than {} namespaces in one place", self.scope.len()));
                }
                let prefix = self.span((attr.0 + 6).min(attr.1), attr.1);
                self.declare(prefix, value);
            } else {
                found.push((attr, value));
            }
        }
        let empty = match (self.peek(), self.byte(1)) {
            (Some(b'>'), _) => false,
            (Some(b'/'), Some(b'>')) => true,
            _ => {
                let name = &self.document.input[name.0..name.1];
                let message = format!("Couldn't find end of Start Tag {name} line {line}");
                return self.fail(message);
            }
        };
        let resolved = self.resolve_name(name, true);
        let first_attr = self.document.attrs.len() as u32;
        self.take_attributes(found)?;
        self.pos += 1 + usize::from(empty);
        let content = self.span(start, self.pos);
        let node = self.node(Kind::Element, content, parent)?;
        let (attrs, declared) = (self.document.attrs.len() as u32, self.document.declared.len() as u32);
        let data = &mut self.document.nodes[node as usize];
        data.line = line;
        data.name = resolved;
        data.attrs = (first_attr, attrs);
        data.declared = (first_declared, declared);
        if empty {
            self.scope.truncate(scope);
        } else {
            open.push(Open { node, name, scope });
        }
        Ok(())
    }

    fn take_attributes(&mut self, found: Vec<((usize, usize), Span)>) -> Step<()> {
        let mut names: Vec<&str> = found.iter().map(|((from, to), _)| &self.document.input[*from..*to]).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|w| w[0] == w[1]) {
            let message = format!("Attribute {} redefined", twice[0]);
            return self.fail(message);
        }
        if self.document.attrs.len() + found.len() > self.limits.attributes {
            return self.fail(format!("more than {} attributes in the document", self.limits.attributes));
        }
        for (name, value) in found {
            let name = self.resolve_name(name, false);
            self.document.attrs.push(AttrData { name, value });
        }
        Ok(())
    }

    fn end_tag(&mut self, open: &mut Vec<Open>) -> Step<()> {
        let Some(top) = open.pop() else { return Ok(()) };
        self.pos += 2;
        let name = self.name().unwrap_or((self.pos, self.pos));
        self.blanks();
        if self.peek() != Some(b'>') {
            return self.fail("expected '>'");
        }
        self.pos += 1;
        let input = &self.document.input;
        let (was, is) = (&input[top.name.0..top.name.1], &input[name.0..name.1]);
        if was != is {
            let is = if is.is_empty() { "unparsable" } else { is };
            let line = self.document.nodes[top.node as usize].line;
            let message = format!("Opening and ending tag mismatch: {was} line {line} and {is}");
            return self.fail(message);
        }
        self.scope.truncate(top.scope);
        Ok(())
    }

    pub(super) fn node(&mut self, kind: Kind, content: Span, parent: u32) -> Step<u32> {
        let index = self.document.nodes.len() as u32;
        if index as usize >= self.limits.nodes {
            return self.fail(format!("more than {} nodes in the document", self.limits.nodes));
        }
        let nothing = self.span(0, 0);
        let line = self.line_here();
        self.document.nodes.push(NodeData {
            kind,
            name: Name { prefix: nothing, local: nothing, namespace: 0 },
            content,
            line,
            parent,
            first_child: NONE,
            last_child: NONE,
            next: NONE,
            attrs: (0, 0),
            declared: (0, 0),
        });
        if parent != NONE {
            let last = self.document.nodes[parent as usize].last_child;
            match last {
                NONE => self.document.nodes[parent as usize].first_child = index,
                last => self.document.nodes[last as usize].next = index,
            }
            self.document.nodes[parent as usize].last_child = index;
        }
        Ok(index)
    }

    fn declare(&mut self, prefix: Span, uri: Span) {
        self.document.declared.push(Declared { prefix, uri });
        let index = if uri.start == uri.end { 0 } else { self.document.namespaces.len() as u32 };
        if index != 0 {
            self.document.namespaces.push(uri);
        }
        self.scope.push((prefix, index));
    }

    fn resolve_name(&self, (from, to): (usize, usize), element: bool) -> Name {
        let whole = &self.document.input[from..to];
        let (prefix, local) = match whole.split_once(':') {
            Some((prefix, local)) if !prefix.is_empty() && !local.is_empty() => {
                (self.span(from, from + prefix.len()), self.span(from + prefix.len() + 1, to))
            }
            None if !element => return Name { prefix: self.span(0, 0), local: self.span(from, to), namespace: 0 },
            _ => (self.span(0, 0), self.span(from, to)),
        };
        let text = self.document.span(prefix);
        let known = self.scope.iter().rev().find(|(p, _)| self.document.span(*p) == text);
        match known {
            Some((_, namespace)) => Name { prefix, local, namespace: *namespace },
            None if text == "xml" => Name { prefix, local, namespace: u32::MAX },
            None => Name { prefix: self.span(0, 0), local: self.span(from, to), namespace: 0 },
        }
    }

    fn raw_name(&self, node: u32) -> String {
        let name = self.document.nodes[node as usize].name;
        let (prefix, local) = (self.document.span(name.prefix), self.document.span(name.local));
        if prefix.is_empty() { local.to_string() } else { format!("{prefix}:{local}") }
    }

    /// The name here, as a range of the input.
    pub(super) fn name(&mut self) -> Option<(usize, usize)> {
        let start = self.pos;
        let rest = &self.bytes()[start..];
        let first = *rest.first()?;
        if !is_name_byte(first) || first.is_ascii_digit() || matches!(first, b'-' | b'.') {
            return None;
        }
        let length = rest.iter().position(|b| !is_name_byte(*b)).unwrap_or(rest.len());
        self.pos += length;
        Some((start, start + length))
    }

    pub(super) fn blanks(&mut self) -> bool {
        let rest = &self.bytes()[self.pos..];
        let length = rest.iter().position(|b| !is_blank(*b)).unwrap_or(rest.len());
        self.pos += length;
        length > 0
    }

    /// Goes past `end`; returns where it began.
    pub(super) fn until(&mut self, end: &str, missing: &str) -> Step<usize> {
        match self.document.input[self.pos..].find(end) {
            Some(length) => {
                let at = self.pos + length;
                self.pos = at + end.len();
                Ok(at)
            }
            None => {
                self.pos = self.bytes().len();
                self.fail(missing)
            }
        }
    }

    fn line_here(&mut self) -> u32 {
        let new = self.bytes()[self.counted..self.pos].iter().filter(|b| **b == b'\n').count();
        self.line += new as u32;
        self.counted = self.pos;
        self.line
    }

    pub(super) fn fail<T>(&self, message: impl Into<String>) -> Step<T> {
        Err(Refusal { at: self.pos, seen: self.pos, message: message.into() })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.document.input.as_bytes()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.byte(0)
    }

    pub(super) fn byte(&self, ahead: usize) -> Option<u8> {
        self.bytes().get(self.pos + ahead).copied()
    }

    pub(super) fn at(&self, text: &str) -> bool {
        self.bytes()[self.pos..].starts_with(text.as_bytes())
    }

    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        Span { start: start as u32, end: end as u32, resolved: false }
    }
}

/// An element whose end tag is still to come.
struct Open {
    node: u32,
    name: (usize, usize),
    /// Namespaces in scope outside it.
    scope: usize,
}

pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Letters, digits, what XML adds to them, and everything beyond ASCII.
pub(super) fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'-' | b'.') || byte >= 0x80
}

pub(super) fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: Source = Source { name: "(test)", domain: ErrorDomain::Domain };

    fn parse(input: &str) -> Document {
        Document::parse(input.as_bytes(), SOURCE).unwrap_or_else(|e| panic!("{input}: {e}"))
    }

    fn refused(input: &str) -> String {
        match Document::parse(input.as_bytes(), SOURCE) {
            Ok(_) => panic!("accepted: {input}"),
            Err(e) => e.message,
        }
    }

    #[test]
    fn names_attributes_and_text() {
        let d = parse("<?xml version='1.0'?><!-- x --><a x='1&amp;2'>\n <b>one <i>two</i> &#x33;</b><b/>\n</a>\n");
        let root = d.root();
        assert_eq!((root.name(), root.attr("x"), root.attr("y")), ("a", Some("1&2"), None));
        assert_eq!(root.children().count(), 2, "blanks between elements are dropped");
        assert_eq!(root.child("b").map(|b| b.text().into_owned()).as_deref(), Some("one two 3"));
        let second = root.elements().nth(1).expect("a second element");
        assert_eq!((second.path().as_str(), second.line()), ("/a/b[2]", 2));
    }

    #[test]
    fn namespaces_and_undeclared_prefixes() {
        let d = parse("<d xmlns:l='urn:l'><l:n l:v='1' v='2'/><u:n/><n/><x xmlns='urn:x'/></d>");
        let mut inside = d.root().elements();
        let first = inside.next().expect("first");
        assert_eq!(
            (first.prefix(), first.name(), first.namespace(), first.attr("v")),
            ("l", "n", Some("urn:l"), Some("2"))
        );
        assert_eq!(inside.next().map(|n| (n.name(), n.namespace())), Some(("u:n", None)));
        assert_eq!(d.root().child("n").map(|n| n.path()).as_deref(), Some("/d/n"));
        assert_eq!(d.root().child("x"), None);
    }

    #[test]
    fn refusals_in_libxml2s_words() {
        assert_eq!(refused(""), "(test):1: Document is empty\n(null)\n^");
        assert_eq!(refused("hello\n"), "(test):1: Start tag expected, '<' not found\nhello\n^");
        assert_eq!(refused("<a>\n <b>1\n"), "(test):3: Premature end of data in tag b line 2\n(null)\n^");
        assert!(refused("<a><b></a>").starts_with("(test):1: Opening and ending tag mismatch: b line 1 and a\n"));
        assert!(refused("<a b='1' b='2'/>").contains("Attribute b redefined"));
        assert!(refused("<a>&nope;</a>").contains("Entity 'nope' not defined"));
    }

    #[test]
    fn entities_of_the_document() {
        let d = parse(
            "<!DOCTYPE a [<!ENTITY b 'x&#233;'><!ENTITY c '&b;-&b;'><!ENTITY b 'y'><!ENTITY e '<i/>'>]><a>&c;&e;</a>",
        );
        assert_eq!(d.root().text(), "x\u{e9}-x\u{e9}");
        let elsewhere = parse("<!DOCTYPE a SYSTEM 'a.dtd'><a>1&unknown;2</a>");
        assert_eq!(elsewhere.root().text(), "12");
    }

    #[test]
    fn declarations() {
        parse("<?xml version = \"1.1\" encoding='UTF-16' standalone='no' ?><a/>");
        let check = |document: &str, expect: &str| assert!(refused(document).contains(expect), "{document}");
        check("<?xml ?><a/>", ":1: Malformed declaration expecting version\n<?xml ?><a/>\n------^");
        check("<?xml version='2.0'?><a/>", "Unsupported version '2.0'");
        check("<?xml version='1.0'encoding='utf-8'?><a/>", "Blank needed here");
        check("<?xml version='1.0' encoding=''?><a/>", "Invalid XML encoding name");
        check("<?xml version='1.0' standalone='x'?><a/>", "standalone accepts only 'yes' or 'no'");
        check("<?xml version='1.0' x='y'?><a/>", "parsing XML declaration: '?>' expected");
        check("<a>b\nc]]></a>", ":2: Sequence ']]>' not allowed in content\n<a>b\n---^");
        check("<a>\u{e9}]]></a>", "\n-----^");
        check("<a>&#1114112;</a>", "character reference out of bounds");
    }

    #[test]
    fn what_would_hurt_is_refused() {
        let deep = "<a>".repeat(10_000);
        assert!(refused(&deep).contains("Excessive depth"));
        let many: String = (0..1_000_000).map(|i| format!(" a{i}='1'")).collect();
        assert!(refused(&format!("<a{many}/>")).contains("attributes"));
        let bomb =
            format!("<!DOCTYPE a [<!ENTITY b '{}'><!ENTITY c '{}'>]><a>&c;</a>", "x".repeat(1_000), "&b;".repeat(10));
        assert!(refused(&bomb).contains("Entity 'c' not defined"));
        let wide = format!("<!DOCTYPE a [<!ENTITY b '{}'>]><a>{}</a>", "x".repeat(100_000), "&b;".repeat(1_000));
        assert!(refused(&wide).contains("entity reference loop"));
        let latin = Document::parse(b"<a>\xe9</a>", SOURCE).expect_err("not UTF-8");
        assert!(latin.message.contains("not proper UTF-8"));
        let large = vec![b' '; 100 << 20];
        assert!(Document::parse(&large, SOURCE).is_err());
    }
}
