//! `<metadata>`: kept as it is and written as the XML library would, so that its owners find it unchanged.

use super::{Metadata, MetadataEntry};
use crate::xml::{Attr, Document, Kind, Node, Source};
use api::{ErrorDomain, Result};
use std::fmt::Write;

impl Metadata {
    pub(crate) fn from_node(node: Node) -> Metadata {
        let mut metadata = Metadata::default();
        let mut used = Vec::new();
        // What is declared further out is declared here again if it is used inside.
        let own: Vec<&str> = node.declarations().map(|(prefix, _)| prefix).collect();
        let kept: Vec<Node> = entries(node).collect();
        for entry in &kept {
            undeclared(*entry, &mut vec![own.clone()], &mut used);
        }
        for (prefix, uri) in node.declarations().chain(used) {
            declare(&mut metadata.attributes, prefix, uri);
        }
        node.attrs().for_each(|attr| attribute(&mut metadata.attributes, attr));
        for entry in kept {
            let mut xml = String::new();
            element(entry, &mut xml, None);
            metadata.entries.push(MetadataEntry { uri: entry.namespace().unwrap_or_default().to_string(), xml });
        }
        metadata
    }

    /// The element of the namespace, in a document of its own.
    pub fn get(&self, uri: &str) -> Option<String> {
        let entry = self.entries.iter().find(|entry| entry.uri == uri)?;
        let wrapped = format!("<metadata{}>{}</metadata>", self.attributes, entry.xml);
        let document = parse(&wrapped).ok()?;
        let node = document.root().elements().next()?;
        let mut used = Vec::new();
        undeclared(node, &mut vec![Vec::new()], &mut used);
        // Its own namespace is what was asked for: it is not told, unless something inside is in it too.
        let own = Some(uri).filter(|uri| !is_used_inside(node, uri));
        used.retain(|(_, uri)| Some(*uri) != own);
        let mut xml = String::new();
        let form = RootForm { more: &used, bare: true, hidden: own };
        declaring(node, &form, &mut xml, Some(0));
        Some(xml)
    }

    /// Puts an element in place of what the namespace has; without one, takes that away.
    /// `xml` needs no declaration of `uri`: it gets one, with the prefix `key`.
    pub fn set(&mut self, uri: &str, key: &str, xml: Option<&str>) -> Result<()> {
        let entry = xml.map(|xml| adopted(uri, key, xml)).transpose()?;
        self.entries.retain(|entry| entry.uri != uri);
        self.entries.extend(entry.map(|xml| MetadataEntry { uri: uri.to_string(), xml }));
        Ok(())
    }

    /// With `level` steps of indentation before it.
    pub(crate) fn write(&self, level: usize) -> String {
        let entries: String = self.entries.iter().map(|entry| entry.xml.as_str()).collect();
        let wrapped = format!("<metadata{}>{entries}</metadata>", self.attributes);
        let mut out = String::new();
        match parse(&wrapped) {
            Ok(document) => element(document.root(), &mut out, Some(level)),
            Err(_) => out.push_str(&wrapped),
        }
        out
    }
}

fn parse(xml: &str) -> Result<Document> {
    Document::parse(xml.as_bytes(), Source { name: "(metadata_xml)", domain: ErrorDomain::Domain })
}

/// `xml` with its root moved into the namespace.
fn adopted(uri: &str, key: &str, xml: &str) -> Result<String> {
    let document = parse(xml)?;
    let root = document.root();
    let mut out = String::new();
    if root.namespace() == Some(uri) {
        element(root, &mut out, None);
        return Ok(out);
    }
    let _ = write!(out, "<{key}:{}", root.name());
    declare(&mut out, key, uri);
    root.declarations().for_each(|(prefix, uri)| declare(&mut out, prefix, uri));
    root.attrs().for_each(|attr| attribute(&mut out, attr));
    out.push('>');
    root.children().for_each(|child| node(child, &mut out, None));
    let _ = write!(out, "</{key}:{}>", root.name());
    Ok(out)
}

/// The first element of each namespace.
fn entries(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    let mut seen = std::collections::HashSet::new();
    node.elements().filter(move |child| child.namespace().is_some_and(|uri| seen.insert(uri)))
}

/// Collects declarations that `node` uses and that are made outside of it.
fn undeclared<'a>(node: Node<'a>, scopes: &mut Vec<Vec<&'a str>>, used: &mut Vec<(&'a str, &'a str)>) {
    scopes.push(node.declarations().map(|(prefix, _)| prefix).collect());
    let names = node.namespace().map(|uri| (node.prefix(), uri));
    let attributes = node.attrs().filter_map(|attr| attr.namespace.map(|uri| (attr.prefix, uri)));
    for (prefix, uri) in names.into_iter().chain(attributes) {
        let known = scopes.iter().any(|scope| scope.contains(&prefix)) || prefix == "xml";
        if !known && !used.contains(&(prefix, uri)) {
            used.push((prefix, uri));
        }
    }
    node.elements().for_each(|child| undeclared(child, scopes, used));
    scopes.pop();
}

fn declare(out: &mut String, prefix: &str, uri: &str) {
    out.push_str(" xmlns");
    if !prefix.is_empty() {
        let _ = write!(out, ":{prefix}");
    }
    out.push_str("=\"");
    escape(uri, true, out);
    out.push('"');
}

fn attribute(out: &mut String, attr: Attr) {
    out.push(' ');
    if !attr.prefix.is_empty() {
        let _ = write!(out, "{}:", attr.prefix);
    }
    let _ = write!(out, "{}=\"", attr.name);
    escape(attr.value, true, out);
    out.push('"');
}

fn escape(text: &str, attribute: bool, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#13;"),
            '"' if attribute => out.push_str("&quot;"),
            '\n' if attribute => out.push_str("&#10;"),
            '\t' if attribute => out.push_str("&#9;"),
            c => out.push(c),
        }
    }
}

/// `level`: how deep, where lines are broken and indented; inside of text they are not.
fn element(node: Node, out: &mut String, level: Option<usize>) {
    declaring(node, &RootForm::default(), out, level);
}

/// How the outermost element differs from what it is in the document.
#[derive(Default)]
struct RootForm<'a> {
    /// Namespaces declared further out.
    more: &'a [(&'a str, &'a str)],
    /// Without its prefix.
    bare: bool,
    /// A namespace whose declaration is left out.
    hidden: Option<&'a str>,
}

/// Whether an element or attribute within is in the namespace.
fn is_used_inside(node: Node, uri: &str) -> bool {
    node.attrs().any(|attr| attr.namespace == Some(uri))
        || node.elements().any(|child| child.namespace() == Some(uri) || is_used_inside(child, uri))
}

fn declaring(from: Node, form: &RootForm, out: &mut String, level: Option<usize>) {
    let name = match from.prefix() {
        prefix if prefix.is_empty() || form.bare => from.name().to_string(),
        prefix => format!("{prefix}:{}", from.name()),
    };
    let _ = write!(out, "<{name}");
    let declared = from.declarations().chain(form.more.iter().copied());
    for (prefix, uri) in declared.filter(|(_, uri)| Some(*uri) != form.hidden) {
        declare(out, prefix, uri);
    }
    from.attrs().for_each(|attr| attribute(out, attr));
    if from.children().next().is_none() {
        out.push_str("/>");
        return;
    }
    out.push('>');
    let mixed = from.children().any(|child| matches!(child.kind(), Kind::Text | Kind::Cdata));
    let level = level.filter(|_| !mixed);
    let line = |out: &mut String, level: usize| {
        out.push('\n');
        (0..level).for_each(|_| out.push_str("  "));
    };
    for child in from.children() {
        if let Some(level) = level {
            line(out, level + 1);
        }
        node(child, out, level.map(|level| level + 1));
    }
    if let Some(level) = level {
        line(out, level);
    }
    let _ = write!(out, "</{name}>");
}

fn node(node: Node, out: &mut String, level: Option<usize>) {
    match node.kind() {
        Kind::Element => element(node, out, level),
        Kind::Text => escape(node.content(), false, out),
        Kind::Cdata => {
            let _ = write!(out, "<![CDATA[{}]]>", node.content());
        }
        Kind::Comment => {
            let _ = write!(out, "<!--{}-->", node.content());
        }
        Kind::Instruction => {
            let _ = write!(out, "<?{}?>", node.content());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_replaced_and_taken_away() {
        let document = parse("<d xmlns:a='urn:a'><metadata><a:x><b/></a:x></metadata></d>").expect("well-formed");
        let mut metadata = document.root().child("metadata").map(Metadata::from_node).expect("metadata");
        assert_eq!(metadata.get("urn:a").as_deref(), Some("<x>\n  <b/>\n</x>"));
        metadata.set("urn:c", "c", Some("<y z='1'>t</y>")).expect("set");
        assert_eq!(metadata.get("urn:c").as_deref(), Some("<y z=\"1\">t</y>"));
        metadata.set("urn:d", "d", Some("<d:y xmlns:d='urn:d'><d:z/></d:y>")).expect("set");
        assert_eq!(metadata.get("urn:d").as_deref(), Some("<y xmlns:d=\"urn:d\">\n  <d:z/>\n</y>"));
        metadata.set("urn:a", "a", None).expect("taken away");
        assert_eq!(metadata.get("urn:a"), None);
    }
}
