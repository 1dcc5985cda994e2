//! A part of a document that is kept, checked and normalised without having a type of its own.

use crate::xml::Writer;

/// Elements that have an end tag of their own, empty or not.
const APART: [&str; 6] = ["hostdev", "hyperv", "kvm", "nvram", "redirdev", "xen"];

/// An element with its attributes in the order they are written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Element {
    pub name: String,
    pub attrs: Vec<(String, String)>,
    pub text: Option<String>,
    pub children: Vec<Element>,
}

impl Element {
    pub fn new(name: impl Into<String>) -> Element {
        Element { name: name.into(), ..Element::default() }
    }

    pub fn with(mut self, name: &str, value: impl ToString) -> Element {
        self.attrs.push((name.to_string(), value.to_string()));
        self
    }

    pub fn containing(mut self, child: Element) -> Element {
        self.children.push(child);
        self
    }

    pub fn attr(&self, name: &str) -> Option<&str> {
        self.attrs.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub fn set(&mut self, name: &str, value: impl ToString) {
        match self.attrs.iter_mut().find(|(n, _)| n == name) {
            Some((_, old)) => *old = value.to_string(),
            None => self.attrs.push((name.to_string(), value.to_string())),
        }
    }

    pub fn unset(&mut self, name: &str) {
        self.attrs.retain(|(n, _)| n != name);
    }

    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|c| c.name == name)
    }

    pub fn child_mut(&mut self, name: &str) -> Option<&mut Element> {
        self.children.iter_mut().find(|c| c.name == name)
    }

    /// The element at `path` (`"source/address"`).
    pub fn find(&self, path: &str) -> Option<&Element> {
        path.split('/').try_fold(self, |at, step| at.child(step))
    }

    pub fn remove(&mut self, name: &str) {
        self.children.retain(|c| c.name != name);
    }

    /// Whether there is an element of that name anywhere in it.
    pub fn has_within(&self, name: &str) -> bool {
        let mut waiting = vec![self];
        while let Some(element) = waiting.pop() {
            if element.child(name).is_some() {
                return true;
            }
            waiting.extend(&element.children);
        }
        false
    }

    /// Removes all of that name, wherever they are in it.
    pub fn remove_within(&mut self, name: &str) {
        let mut waiting = vec![self];
        while let Some(element) = waiting.pop() {
            element.remove(name);
            waiting.extend(&mut element.children);
        }
    }

    /// Neither attributes nor content.
    pub fn is_bare(&self) -> bool {
        self.attrs.is_empty() && self.children.is_empty() && self.text.is_none()
    }

    pub fn write(&self, w: &mut Writer) {
        w.open(self.name.clone());
        for (name, value) in &self.attrs {
            w.attr(name, value);
        }
        match &self.text {
            Some(text) => w.close_with(text),
            None => {
                self.children.iter().for_each(|child| child.write(w));
                let apart = match self.name.as_str() {
                    "backend" => self.attr("model") == Some("egd"),
                    "encryption" => self.attr("format").is_some(),
                    name => APART.contains(&name),
                };
                match apart {
                    true => w.close_apart(),
                    false => w.close(),
                }
            }
        }
    }
}
