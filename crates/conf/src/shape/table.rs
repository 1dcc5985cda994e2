//! The tables themselves. Of their text only what is needed is read, when it is first needed: a container's controller, of
//! which there are many, needs little.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

/// Everything below `<domain>`.
pub(crate) static DOMAIN: LazyLock<Table> = LazyLock::new(|| Table::read(include_str!("domain.txt")));

#[derive(Debug, Default)]
pub(crate) struct Table {
    shapes: HashMap<&'static str, Unread>,
}

/// A shape as its text, until somebody asks for it.
#[derive(Debug, Default)]
struct Unread {
    text: &'static str,
    shape: OnceLock<Shape>,
}

impl Unread {
    fn get(&self) -> &Shape {
        self.shape.get_or_init(|| {
            let lines = self.text.lines().filter(|line| counts(line));
            let mut lines = lines.map(|line| ((line.len() - line.trim_start().len()) / 2, line.trim())).peekable();
            Shape { items: items(&mut lines, 1) }
        })
    }
}

/// Neither a remark nor empty.
fn counts(line: &str) -> bool {
    !line.trim_start().starts_with('#') && !line.trim().is_empty()
}

#[derive(Debug, Default)]
pub(crate) struct Shape {
    pub items: Vec<Item>,
}

#[derive(Debug)]
pub(crate) enum Item {
    Attr(&'static str, Rule),
    Text(Rule),
    Child { name: &'static str, occurs: Occurs, shape: Inner },
    Include(&'static str),
    When { attr: &'static str, values: Vec<&'static str>, negated: bool, items: Vec<Item> },
}

#[derive(Debug)]
pub(crate) enum Inner {
    Own(Shape),
    Named(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occurs {
    First,
    Each,
    /// The first, unless nothing is left in it.
    Filled,
}

/// What a value may be.
#[derive(Debug, Default)]
pub(crate) struct Rule {
    pub kind: Type,
    pub required: bool,
    pub default: Option<&'static str>,
    pub dropped: Vec<&'static str>,
    /// A wrong value counts as none.
    pub lenient: bool,
    /// Kind of error and message (`%s`: the value) in place of the usual, for a wrong value.
    pub message: Option<(&'static str, &'static str)>,
    /// The same for a value that must be there and is not.
    pub missing: Option<(&'static str, &'static str)>,
}

#[derive(Debug, Default)]
pub(crate) enum Type {
    #[default]
    Text,
    Unsigned {
        base: u32,
        zero: bool,
    },
    Long,
    Integer {
        negative: bool,
        base: u32,
    },
    /// With at least so many digits.
    Hex {
        digits: usize,
        base: u32,
    },
    Uuid,
    /// A size whose sibling `@unit` is rewritten to KiB.
    Kib,
    Bitmap,
    Words(Vec<&'static str>),
}

impl Table {
    pub fn shape(&self, name: &str) -> Option<&Shape> {
        self.shapes.get(name).map(Unread::get)
    }

    pub fn inner<'a>(&'a self, inner: &'a Inner) -> &'a Shape {
        match inner {
            Inner::Own(shape) => shape,
            Inner::Named(name) => self.shapes[name].get(),
        }
    }

    /// A table's text is part of the program: what is wrong with it shows in the first test.
    fn read(text: &'static str) -> Table {
        let mut table = Table::default();
        let mut rest = text;
        let mut open: Option<(&'static str, &'static str)> = None;
        // A shape's text goes from behind its name to the next line without indentation.
        while !rest.is_empty() {
            let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
            if counts(line) && !line.starts_with(' ') {
                table.close(open.take(), rest);
                open = Some((line.trim(), after));
            }
            rest = after;
        }
        table.close(open, rest);
        table
    }

    /// `rest` is what follows the shape that was begun.
    fn close(&mut self, begun: Option<(&'static str, &'static str)>, rest: &str) {
        if let Some((name, from)) = begun {
            let text = &from[..from.len() - rest.len()];
            self.shapes.insert(name, Unread { text, shape: OnceLock::new() });
        }
    }
}

/// The items at `depth`, up to the first line that is less deep.
fn items(lines: &mut std::iter::Peekable<impl Iterator<Item = (usize, &'static str)>>, depth: usize) -> Vec<Item> {
    let mut found = Vec::new();
    while let Some((_, line)) = lines.next_if(|(at, _)| *at >= depth) {
        let inside = |lines: &mut _| items(lines, depth + 1);
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        found.push(match first {
            "text" => Item::Text(rule(rest)),
            "when" | "unless" => {
                let mut words = rest.split_whitespace();
                let attr = words.next().unwrap_or_default().trim_start_matches('@');
                Item::When { attr, values: words.collect(), negated: first == "unless", items: inside(lines) }
            }
            _ if first.starts_with('@') => Item::Attr(&first[1..], rule(rest)),
            _ if first.starts_with('&') => Item::Include(&first[1..]),
            _ => {
                let occurs = match first.as_bytes().last() {
                    Some(b'*') => Occurs::Each,
                    Some(b'-') => Occurs::Filled,
                    _ => Occurs::First,
                };
                let name = if occurs == Occurs::First { first } else { &first[..first.len() - 1] };
                let shape = match rest.strip_prefix("= ") {
                    Some(named) => Inner::Named(named),
                    None => Inner::Own(Shape { items: inside(lines) }),
                };
                Item::Child { name, occurs, shape }
            }
        });
    }
    found
}

fn rule(text: &'static str) -> Rule {
    let (types, message) = match text.split_once("else ") {
        Some((types, message)) => (types, message.split_once(' ')),
        None => (text, None),
    };
    let (types, missing) = match types.split_once("missing ") {
        Some((types, message)) => (types, message.trim_end().split_once(' ')),
        None => (types, None),
    };
    let mut rule = Rule { message, missing, ..Rule::default() };
    rule.required = missing.is_some();
    for word in types.split_whitespace() {
        match word {
            "!" => rule.required = true,
            "?" => rule.lenient = true,
            "text" => rule.kind = Type::Text,
            "uint" => rule.kind = Type::Unsigned { base: 10, zero: true },
            "uint0" => rule.kind = Type::Unsigned { base: 0, zero: true },
            "uint+" => rule.kind = Type::Unsigned { base: 10, zero: false },
            "ull" => rule.kind = Type::Long,
            "int" => rule.kind = Type::Integer { negative: true, base: 10 },
            "intx" => rule.kind = Type::Integer { negative: true, base: 0 },
            "int0" => rule.kind = Type::Integer { negative: false, base: 10 },
            "int0x" => rule.kind = Type::Integer { negative: false, base: 0 },
            "uuid" => rule.kind = Type::Uuid,
            "kib" => rule.kind = Type::Kib,
            "bitmap" => rule.kind = Type::Bitmap,
            "yesno" => rule.kind = Type::Words(vec!["yes", "no"]),
            "onoff" => rule.kind = Type::Words(vec!["on", "off"]),
            _ if word.starts_with('=') => rule.default = Some(&word[1..]),
            _ if word.starts_with('~') => rule.dropped.push(&word[1..]),
            _ if word.starts_with("hex") => {
                rule.kind = Type::Hex { digits: word[3..].parse().unwrap_or(1), base: 0 };
            }
            _ if word.starts_with("xhex") => {
                rule.kind = Type::Hex { digits: word[4..].parse().unwrap_or(1), base: 16 };
            }
            _ if word.starts_with('{') => {
                rule.kind = Type::Words(word.trim_matches(['{', '}']).split('|').collect());
            }
            _ => debug_assert!(false, "'{word}' in the table is no type"),
        }
    }
    rule
}

impl Table {
    /// Elements in which an element `name` has its place, for who put it elsewhere: at most three.
    pub fn homes(&self, name: &str) -> Vec<String> {
        ["domain", "devices", "os", "features", "clock", "cputune", "interface", "filesystem"]
            .into_iter()
            .filter(|home| self.shape(home).is_some_and(|shape| self.holds(&shape.items, name)))
            .map(|home| format!("<{home}>"))
            .take(3)
            .collect()
    }

    fn holds(&self, items: &[Item], name: &str) -> bool {
        items.iter().any(|item| match item {
            Item::Child { name: child, .. } => *child == name,
            Item::Include(shape) => self.shape(shape).is_some_and(|shape| self.holds(&shape.items, name)),
            Item::When { items, .. } => self.holds(items, name),
            Item::Attr(..) | Item::Text(_) => false,
        })
    }
}

impl Table {
    /// The shape of the element `name` in another.
    pub fn child<'a>(&'a self, shape: &'a Shape, name: &str) -> Option<&'a Shape> {
        shape.items.iter().find_map(|item| match item {
            Item::Child { name: child, shape, .. } if *child == name => Some(self.inner(shape)),
            _ => None,
        })
    }
}

impl Table {
    /// Names of a shape's children, in order.
    pub fn names<'a>(&'a self, shape: &'a Shape) -> Vec<&'static str> {
        fn collect(items: &[Item], names: &mut Vec<&'static str>) {
            for item in items {
                match item {
                    Item::Child { name, .. } => names.push(name),
                    Item::When { items, .. } => collect(items, names),
                    Item::Attr(..) | Item::Text(_) | Item::Include(_) => {}
                }
            }
        }
        let mut names = Vec::new();
        collect(&shape.items, &mut names);
        names
    }

    /// Words that the attribute of a child of a shape may have.
    pub fn words(&self, shape: &str, child: &str, attribute: &str) -> &[&'static str] {
        let child = self.shape(shape).and_then(|shape| self.child(shape, child));
        child.map_or(&[], |child| words_in(child, attribute))
    }

    /// Words that the attribute of a shape may have.
    pub fn attribute_words(&self, shape: &str, attribute: &str) -> &[&'static str] {
        self.shape(shape).map_or(&[], |shape| words_in(shape, attribute))
    }
}

fn words_in<'a>(shape: &'a Shape, attribute: &str) -> &'a [&'static str] {
    let rule = shape.items.iter().find_map(|item| match item {
        Item::Attr(name, rule) if *name == attribute => Some(rule),
        _ => None,
    });
    match rule.map(|rule| &rule.kind) {
        Some(Type::Words(words)) => words,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(items: &[Item], found: &mut Vec<&'static str>) {
        for item in items {
            match item {
                Item::Include(name) | Item::Child { shape: Inner::Named(name), .. } => {
                    found.extend(DOMAIN.shape(name).is_none().then_some(*name));
                }
                Item::Child { shape: Inner::Own(shape), .. } => missing(&shape.items, found),
                Item::When { items, .. } => missing(items, found),
                Item::Attr(..) | Item::Text(_) => {}
            }
        }
    }

    #[test]
    fn every_shape_that_is_named_is_there() {
        let mut found = Vec::new();
        DOMAIN.shapes.values().for_each(|shape| missing(&shape.get().items, &mut found));
        assert!(DOMAIN.shapes.len() > 20);
        assert_eq!(found, Vec::<&str>::new());
    }
}
