//! Documents as the daemon sends them: parts found by XPath, and written out again as libvirt's virsh does.

mod xpath;

use crate::failure::Failure;
use roxmltree::{Document, Node, ParsingOptions};
pub use xpath::select;

/// A part of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found<'a> {
    Node(Node<'a, 'a>),
    Attribute { of: Node<'a, 'a>, name: &'a str, value: &'a str },
}

impl Found<'_> {
    /// The text in it.
    pub fn text(&self) -> String {
        match self {
            Found::Attribute { value, .. } => (*value).to_string(),
            Found::Node(node) => node.descendants().filter(Node::is_text).filter_map(|text| text.text()).collect(),
        }
    }
}

/// A document without a document type: entities are not for documents of domains.
pub fn parse(text: &str) -> Result<Document<'_>, Failure> {
    let options = ParsingOptions { allow_dtd: false, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).map_err(|error| Failure::new(format!("XML error: {error}")))
}

/// The child element of this name.
pub fn child<'a>(node: Node<'a, 'a>, name: &str) -> Option<Node<'a, 'a>> {
    node.children().find(|child| child.has_tag_name(name))
}

/// The attribute of the child element of this name.
pub fn child_attribute<'a>(node: Node<'a, 'a>, name: &str, attribute: &str) -> Option<&'a str> {
    child(node, name)?.attribute(attribute)
}

/// Elements at `/domain/devices/NAME`.
pub fn devices<'a>(document: &'a Document<'a>, name: &'a str) -> impl Iterator<Item = Node<'a, 'a>> {
    let all = child(document.root_element(), "devices");
    all.into_iter().flat_map(|all| all.children()).filter(move |device| device.has_tag_name(name))
}

/// The value of `--xpath`: each part found on lines of its own, or all in one `<nodes>`.
pub fn filtered(xml: &str, path: &str, wrap: bool) -> Result<String, Failure> {
    let document = parse(xml)?;
    let found = select(&document, path)?;
    let mut out = String::new();
    if wrap {
        out += if found.is_empty() { "<nodes/>\n" } else { "<nodes>\n" };
    }
    for part in &found {
        match part {
            Found::Node(node) => write(*node, usize::from(wrap), true, &mut out),
            Found::Attribute { name, value, .. } => out += &format!(" {name}=\"{}\"", escaped(value, true)),
        }
        out += "\n";
    }
    if wrap && !found.is_empty() {
        out += "</nodes>\n";
    }
    Ok(out)
}

/// An element with its inner white space as it is, as libvirt's virsh cuts devices out of a document.
pub fn verbatim(node: Node<'_, '_>) -> String {
    let mut out = String::new();
    write(node, 0, false, &mut out);
    out
}

/// Writes as libxml2 does: double quotes, two blanks a level, blank text dropped, mixed content left alone; without
/// `indent`, all text stays.
fn write(node: Node<'_, '_>, level: usize, indent: bool, out: &mut String) {
    if node.is_root() {
        return write(node.document().root_element(), level, indent, out);
    }
    if indent {
        out.push_str(&"  ".repeat(level));
    }
    if node.is_comment() {
        *out += &format!("<!--{}-->", node.text().unwrap_or_default());
        return;
    }
    if !node.is_element() {
        *out += &escaped(node.text().unwrap_or_default(), false);
        return;
    }
    let name = qualified(node, node.tag_name().namespace(), node.tag_name().name(), false);
    *out += &format!("<{name}");
    for declared in node.namespaces().filter(|declared| is_declared_here(node, declared)) {
        let uri = escaped(declared.uri(), true);
        match declared.name() {
            Some(prefix) => *out += &format!(" xmlns:{prefix}=\"{uri}\""),
            None => *out += &format!(" xmlns=\"{uri}\""),
        }
    }
    for attribute in node.attributes() {
        let name = qualified(node, attribute.namespace(), attribute.name(), true);
        *out += &format!(" {name}=\"{}\"", escaped(attribute.value(), true));
    }
    let blank = |child: &Node<'_, '_>| child.is_text() && child.text().is_none_or(|text| text.trim().is_empty());
    let mixed = node.children().any(|child| child.is_text() && !blank(&child));
    let keep = mixed || !indent;
    let children: Vec<Node<'_, '_>> = node.children().filter(|child| keep || !blank(child)).collect();
    if children.is_empty() {
        *out += "/>";
        return;
    }
    *out += ">";
    for child in children {
        if indent && !mixed {
            *out += "\n";
        }
        write(child, level + 1, indent && !mixed, out);
    }
    if indent && !mixed {
        *out += "\n";
        out.push_str(&"  ".repeat(level));
    }
    *out += &format!("</{name}>");
}

fn is_declared_here(node: Node<'_, '_>, declared: &roxmltree::Namespace<'_>) -> bool {
    if declared.name() == Some("xml") {
        return false;
    }
    let above = node
        .parent_element()
        .and_then(|parent| parent.namespaces().find(|outer| outer.name() == declared.name()).map(|outer| outer.uri()));
    // A part that is written alone brings along what it needs.
    above != Some(declared.uri())
}

fn qualified(node: Node<'_, '_>, namespace: Option<&str>, name: &str, attribute: bool) -> String {
    let Some(uri) = namespace else { return name.to_string() };
    if !attribute && node.default_namespace() == Some(uri) {
        return name.to_string();
    }
    match node.lookup_prefix(uri) {
        Some(prefix) => format!("{prefix}:{name}"),
        None => name.to_string(),
    }
}

/// For text, or for an attribute in double quotes.
pub fn escaped(text: &str, attribute: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' if attribute => out += "&quot;",
            '\n' if attribute => out += "&#10;",
            '\t' if attribute => out += "&#9;",
            '\r' => out += "&#13;",
            c => out.push(c),
        }
    }
    out
}

/// For an attribute in single quotes, as libvirt writes documents.
pub fn quoted(text: &str) -> String {
    escaped(text, true).replace('\'', "&apos;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOMAIN: &str = "<domain type='lxc'>\n  <name>a&amp;b</name>\n  <metadata>\n    <foo:x xmlns:foo=\"urn:foo\" a='1'>\n      <foo:y/>\n    </foo:x>\n  </metadata>\n  <devices>\n    <console type='pty'>\n      <source path='/dev/pts/1'/>\n    </console>\n    <console type='tty'/>\n  </devices>\n</domain>\n";

    #[test]
    fn parts_are_written_as_recorded() {
        let table = [
            ("//name", "<name>a&amp;b</name>\n"),
            ("/domain/name/text()", "a&amp;b\n"),
            ("//source/@path", " path=\"/dev/pts/1\"\n"),
            ("//nosuch", ""),
            (
                "//metadata",
                "<metadata>\n  <foo:x xmlns:foo=\"urn:foo\" a=\"1\">\n    <foo:y/>\n  </foo:x>\n</metadata>\n",
            ),
            (
                "//console[@type='tty'] | //console[1]/source",
                "<console type=\"tty\"/>\n<source path=\"/dev/pts/1\"/>\n",
            ),
        ];
        for (path, expected) in table {
            let mut lines: Vec<String> = filtered(DOMAIN, path, false).unwrap().lines().map(str::to_string).collect();
            let mut expected: Vec<String> = expected.lines().map(str::to_string).collect();
            if path.contains('|') {
                lines.sort();
                expected.sort();
            }
            assert_eq!(lines, expected, "{path}");
        }
        let wrapped = filtered(DOMAIN, "//console[source]", true).unwrap();
        assert_eq!(
            wrapped,
            "<nodes>\n  <console type=\"pty\">\n    <source path=\"/dev/pts/1\"/>\n  </console>\n</nodes>\n"
        );
    }
}
