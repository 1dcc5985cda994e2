//! A parsed document, and `Node`: a handle to one place in it that is copied freely.

use super::read::Limits;
use crate::refuse;
use api::Result;
use std::borrow::Cow;
use std::collections::HashSet;

/// A piece of the document: of the input itself, or of the side buffer where references were resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub start: u32,
    pub end: u32,
    pub resolved: bool,
}

/// A name's parts; `prefix` is empty where there is none or where it was never declared
/// (then `local` holds the whole name, colon included, as in libxml2).
#[derive(Debug, Clone, Copy)]
pub(super) struct Name {
    pub prefix: Span,
    pub local: Span,
    /// Index into the namespaces, 0: none.
    pub namespace: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Element,
    Text,
    Cdata,
    Comment,
    Instruction,
}

pub(super) const NONE: u32 = u32::MAX;

#[derive(Debug, Clone)]
pub(super) struct NodeData {
    pub kind: Kind,
    pub name: Name,
    /// Text, comment or instruction content; for an element the source of its start tag.
    pub content: Span,
    pub line: u32,
    pub parent: u32,
    pub first_child: u32,
    pub last_child: u32,
    pub next: u32,
    /// Range in the attributes.
    pub attrs: (u32, u32),
    /// Range in the namespace declarations made here.
    pub declared: (u32, u32),
}

#[derive(Debug, Clone)]
pub(super) struct AttrData {
    pub name: Name,
    pub value: Span,
}

#[derive(Debug, Clone)]
pub(super) struct Declared {
    pub prefix: Span,
    pub uri: Span,
}

/// A whole document. Element 0 is the root.
#[derive(Debug, Clone, Default)]
pub struct Document {
    pub(super) input: String,
    pub(super) resolved: String,
    pub(super) nodes: Vec<NodeData>,
    pub(super) attrs: Vec<AttrData>,
    pub(super) declared: Vec<Declared>,
    /// URIs; the first stands for none.
    pub(super) namespaces: Vec<Span>,
}

impl Document {
    pub fn root(&self) -> Node<'_> {
        Node { document: self, index: 0 }
    }

    /// Moves what later elements of these names below the root hold into the first of the name. An XPath that begins at the
    /// root, as libvirt's do for them, finds the same.
    pub(crate) fn join(&mut self, names: &[&str]) -> Result<()> {
        for name in names {
            let mut all = self.root().all(name).map(|node| node.index);
            let Some(first) = all.next() else { continue };
            let later: Vec<u32> = all.collect();
            self.join_attrs(first, &later, name)?;
            for node in later {
                let (child, last) = (self.nodes[node as usize].first_child, self.nodes[node as usize].last_child);
                if child == NONE {
                    continue;
                }
                let mut moved = child;
                while moved != NONE {
                    self.nodes[moved as usize].parent = first;
                    moved = self.nodes[moved as usize].next;
                }
                match self.nodes[first as usize].last_child {
                    NONE => self.nodes[first as usize].first_child = child,
                    before => self.nodes[before as usize].next = child,
                }
                self.nodes[first as usize].last_child = last;
                (self.nodes[node as usize].first_child, self.nodes[node as usize].last_child) = (NONE, NONE);
            }
        }
        Ok(())
    }

    /// Attributes that `into` has not, of the first element that has them. No more than one element may have.
    fn join_attrs(&mut self, into: u32, from: &[u32], element: &str) -> Result<()> {
        let most = Limits::DEFAULT.attributes_of_one_element;
        let of = |node: u32| {
            let (start, end) = self.nodes[node as usize].attrs;
            &self.attrs[start as usize..end as usize]
        };
        let mut known = HashSet::new();
        let mut new = |attr: &&AttrData| known.insert((attr.name.namespace, self.span(attr.name.local)));
        let mut attrs: Vec<AttrData> = of(into).iter().filter(&mut new).cloned().collect();
        let own = attrs.len();
        for attr in from.iter().flat_map(|node| of(*node)).filter(new) {
            if attrs.len() >= most {
                return Err(refuse::xml(format!("more than {most} attributes in all <{element}> elements together")));
            }
            attrs.push(attr.clone());
        }
        if attrs.len() > own {
            let start = self.attrs.len() as u32;
            self.attrs.extend(attrs);
            self.nodes[into as usize].attrs = (start, self.attrs.len() as u32);
        }
        Ok(())
    }

    pub(super) fn span(&self, span: Span) -> &str {
        let from = if span.resolved { &self.resolved } else { &self.input };
        from.get(span.start as usize..span.end as usize).unwrap_or_default()
    }
}

/// One node of a document.
#[derive(Debug, Clone, Copy)]
pub struct Node<'a> {
    document: &'a Document,
    index: u32,
}

impl PartialEq for Node<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.document, other.document) && self.index == other.index
    }
}

/// One attribute of an element; namespace declarations are not among them.
#[derive(Debug, Clone, Copy)]
pub struct Attr<'a> {
    pub prefix: &'a str,
    pub name: &'a str,
    pub namespace: Option<&'a str>,
    pub value: &'a str,
}

impl<'a> Node<'a> {
    fn data(self) -> &'a NodeData {
        &self.document.nodes[self.index as usize]
    }

    fn at(self, index: u32) -> Option<Node<'a>> {
        (index != NONE).then_some(Node { index, ..self })
    }

    pub fn kind(self) -> Kind {
        self.data().kind
    }

    pub fn is_element(self) -> bool {
        self.kind() == Kind::Element
    }

    /// The name without its prefix.
    pub fn name(self) -> &'a str {
        self.document.span(self.data().name.local)
    }

    pub fn prefix(self) -> &'a str {
        self.document.span(self.data().name.prefix)
    }

    pub fn namespace(self) -> Option<&'a str> {
        self.uri(self.data().name.namespace)
    }

    fn uri(self, namespace: u32) -> Option<&'a str> {
        (namespace != 0).then(|| self.document.namespaces.get(namespace as usize).map(|s| self.document.span(*s)))?
    }

    pub fn attrs(self) -> impl Iterator<Item = Attr<'a>> {
        let (from, to) = self.data().attrs;
        self.document.attrs[from as usize..to as usize].iter().map(move |a| Attr {
            prefix: self.document.span(a.name.prefix),
            name: self.document.span(a.name.local),
            namespace: self.uri(a.name.namespace),
            value: self.document.span(a.value),
        })
    }

    /// The attribute `name` that is in no namespace.
    pub fn attr(self, name: &str) -> Option<&'a str> {
        let (from, to) = self.data().attrs;
        let found = self.document.attrs[from as usize..to as usize]
            .iter()
            .find(|a| a.name.namespace == 0 && self.document.span(a.name.local) == name)?;
        Some(self.document.span(found.value))
    }

    /// Namespace declarations of this element: (prefix or "", URI).
    pub fn declarations(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let (from, to) = self.data().declared;
        self.document.declared[from as usize..to as usize]
            .iter()
            .map(move |d| (self.document.span(d.prefix), self.document.span(d.uri)))
    }

    pub fn parent(self) -> Option<Node<'a>> {
        self.at(self.data().parent)
    }

    /// Everything inside, text and comments too.
    pub fn children(self) -> impl Iterator<Item = Node<'a>> {
        std::iter::successors(self.at(self.data().first_child), |n| n.at(n.data().next))
    }

    /// The elements inside, of whatever namespace.
    pub fn elements(self) -> impl Iterator<Item = Node<'a>> {
        self.children().filter(|n| n.is_element())
    }

    /// The elements `name` inside that are in no namespace.
    pub fn all(self, name: &str) -> impl Iterator<Item = Node<'a>> {
        self.elements().filter(move |n| n.data().name.namespace == 0 && n.name() == name)
    }

    /// The first element `name` inside that is in no namespace.
    pub fn child(self, name: &str) -> Option<Node<'a>> {
        self.elements().find(|n| n.data().name.namespace == 0 && n.name() == name)
    }

    /// The first element at `path` (`"a/b"`), each step being tried in turn as XPath does.
    pub fn find(self, path: &str) -> Option<Node<'a>> {
        match path.split_once('/') {
            None => self.child(path),
            Some((first, rest)) => {
                self.elements().filter(|n| n.data().name.namespace == 0 && n.name() == first).find_map(|n| n.find(rest))
            }
        }
    }

    /// Content of a text, comment or instruction node as it stands.
    pub fn content(self) -> &'a str {
        if self.is_element() { "" } else { self.document.span(self.data().content) }
    }

    /// All text inside, from every depth (XPath's `string()`).
    pub fn text(self) -> Cow<'a, str> {
        if matches!(self.kind(), Kind::Text | Kind::Cdata) {
            return Cow::Borrowed(self.content());
        }
        let mut found: Cow<'a, str> = Cow::Borrowed("");
        let mut stack = vec![self.at(self.data().first_child)];
        while let Some(top) = stack.last_mut() {
            let Some(node) = *top else {
                stack.pop();
                continue;
            };
            *top = node.at(node.data().next);
            match node.kind() {
                Kind::Text | Kind::Cdata if found.is_empty() => found = Cow::Borrowed(node.content()),
                Kind::Text | Kind::Cdata => found.to_mut().push_str(node.content()),
                Kind::Element => stack.push(node.at(node.data().first_child)),
                Kind::Comment | Kind::Instruction => {}
            }
        }
        found
    }

    /// Line of the start tag, from 1.
    pub fn line(self) -> u32 {
        self.data().line
    }

    /// Where it is: `/domain/devices/interface[2]`; counted where there are several of one name.
    pub fn path(self) -> String {
        let mut steps = Vec::new();
        let mut node = Some(self);
        while let Some(n) = node {
            node = n.parent();
            let name =
                if n.prefix().is_empty() { n.name().to_string() } else { format!("{}:{}", n.prefix(), n.name()) };
            let alike = |o: &Node| o.name() == n.name() && o.namespace() == n.namespace();
            let position = node.and_then(|p| p.elements().filter(alike).position(|o| o == n)).unwrap_or(0);
            let several = node.is_some_and(|p| p.elements().filter(alike).nth(1).is_some());
            steps.push(if several { format!("{name}[{}]", position + 1) } else { name });
        }
        steps.reverse();
        format!("/{}", steps.join("/"))
    }
}
