//! `<metadata>`: kept as it is and written as the XML library would, so that its owners find it unchanged.

use super::{Metadata, MetadataEntry};
use crate::refuse;
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

    /// The element of the namespace, in a document of its own: what is in the namespace is told without its prefix.
    pub fn get(&self, uri: &str) -> Option<String> {
        let entry = self.entries.iter().find(|entry| entry.uri == uri)?;
        let wrapped = format!("<metadata{}>{}</metadata>", self.attributes, entry.xml);
        let document = parse(&wrapped).ok()?;
        let node = document.root().elements().next()?;
        let mut used = Vec::new();
        undeclared(node, &mut vec![Vec::new()], &mut used);
        // An attribute cannot do without its prefix.
        let told = has_attribute_of(node, uri);
        let hidden = Some((node.prefix(), uri)).filter(|_| !told);
        used.retain(|declared| Some(*declared) != hidden);
        let mut xml = String::new();
        declaring(node, &Form { more: &used, bare: Some(uri), hidden, ..Form::default() }, &mut xml, Some(0));
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

/// `xml` with its root in the namespace, and with it everything inside that is in none.
fn adopted(uri: &str, key: &str, xml: &str) -> Result<String> {
    let document = parse(xml)?;
    let root = document.root();
    let declared = root.declarations().find(|(prefix, _)| *prefix == key);
    if declared.is_some_and(|(_, other)| other != uri) {
        return Err(refuse::internal("failed to create a new XML namespace"));
    }
    let more = [(key, uri)];
    let form = Form {
        more: if declared.is_some() { &[] } else { &more },
        root: (root.namespace() != Some(uri)).then_some(key),
        homeless: Some(key),
        ..Form::default()
    };
    let mut out = String::new();
    declaring(root, &form, &mut out, None);
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
    declaring(node, &Form::default(), out, level);
}

/// How elements differ from what they are in the document.
#[derive(Default, Clone, Copy)]
struct Form<'a> {
    /// Namespaces that the outermost element declares besides its own.
    more: &'a [(&'a str, &'a str)],
    /// The outermost element's prefix.
    root: Option<&'a str>,
    /// The prefix of elements that are in no namespace.
    homeless: Option<&'a str>,
    /// Elements of this namespace are without prefix.
    bare: Option<&'a str>,
    /// A declaration that is left out.
    hidden: Option<(&'a str, &'a str)>,
}

/// Whether an attribute of the element or of one within is in the namespace.
fn has_attribute_of(node: Node, uri: &str) -> bool {
    node.attrs().any(|attr| attr.namespace == Some(uri)) || node.elements().any(|child| has_attribute_of(child, uri))
}

fn declaring(from: Node, form: &Form, out: &mut String, level: Option<usize>) {
    let prefix = match from.namespace() {
        _ if form.root.is_some() => form.root.unwrap_or_default(),
        Some(uri) if form.bare == Some(uri) => "",
        None if from.prefix().is_empty() => form.homeless.unwrap_or_default(),
        _ => from.prefix(),
    };
    let name = match prefix {
        "" => from.name().to_string(),
        prefix => format!("{prefix}:{}", from.name()),
    };
    let _ = write!(out, "<{name}");
    let declared = from.declarations().chain(form.more.iter().copied());
    for (prefix, uri) in declared.filter(|declared| Some(*declared) != form.hidden) {
        declare(out, prefix, uri);
    }
    from.attrs().for_each(|attr| attribute(out, attr));
    let form = &Form { more: &[], root: None, ..*form };
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
        node(child, form, out, level.map(|level| level + 1));
    }
    if let Some(level) = level {
        line(out, level);
    }
    let _ = write!(out, "</{name}>");
}

fn node(node: Node, form: &Form, out: &mut String, level: Option<usize>) {
    match node.kind() {
        Kind::Element => declaring(node, form, out, level),
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
        metadata.set("urn:a", "a", None).expect("taken away");
        assert_eq!(metadata.get("urn:a"), None);
    }

    /// As recorded of libvirt, but where the root has another namespace or the key as its own prefix.
    #[test]
    fn elements_without_namespace_get_the_new_one() {
        let cases = [
            ("<x a='1'><y/></x>", "<foo:x xmlns:foo=\"u\" a=\"1\"><foo:y/></foo:x>", "<x a=\"1\">\n  <y/>\n</x>"),
            (
                "<x><y a='1'><z/></y>t</x>",
                "<foo:x xmlns:foo=\"u\"><foo:y a=\"1\"><foo:z/></foo:y>t</foo:x>",
                "<x><y a=\"1\"><z/></y>t</x>",
            ),
            (
                "<x><y xmlns='o'><z/></y></x>",
                "<foo:x xmlns:foo=\"u\"><y xmlns=\"o\"><z/></y></foo:x>",
                "<x>\n  <y xmlns=\"o\">\n    <z/>\n  </y>\n</x>",
            ),
            (
                "<x xmlns:b='b'><b:y b:k='1'/></x>",
                "<foo:x xmlns:b=\"b\" xmlns:foo=\"u\"><b:y b:k=\"1\"/></foo:x>",
                "<x xmlns:b=\"b\">\n  <b:y b:k=\"1\"/>\n</x>",
            ),
            (
                "<g:x xmlns:g='u'><g:y/></g:x>",
                "<g:x xmlns:g=\"u\" xmlns:foo=\"u\"><g:y/></g:x>",
                "<x xmlns:foo=\"u\">\n  <y/>\n</x>",
            ),
            (
                "<x xmlns='o'><y/></x>",
                "<foo:x xmlns=\"o\" xmlns:foo=\"u\"><y/></foo:x>",
                "<x xmlns=\"o\">\n  <y/>\n</x>",
            ),
            ("<foo:x xmlns:foo='u'><foo:y/></foo:x>", "<foo:x xmlns:foo=\"u\"><foo:y/></foo:x>", "<x>\n  <y/>\n</x>"),
        ];
        for (given, kept, told) in cases {
            let mut metadata = Metadata::default();
            metadata.set("u", "foo", Some(given)).expect(given);
            assert_eq!(metadata.entries[0].xml, kept, "{given}");
            assert_eq!(metadata.get("u").as_deref(), Some(told), "{given}");
        }
        let error = Metadata::default().set("u", "foo", Some("<x xmlns:foo='o'/>")).expect_err("the prefix is taken");
        assert_eq!(error.message, "internal error: failed to create a new XML namespace");
    }
}
