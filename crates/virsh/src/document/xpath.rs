//! The part of XPath 1.0 that finds something in a domain's document: steps by name, `*`, `@`, `.`, `..`, `//`, `text()`,
//! `|`, and predicates made of positions, paths, comparisons with a literal, `and`, `or`, `not()`, `contains()` and
//! `starts-with()`.

use super::Found;
use crate::failure::Failure;
use roxmltree::{Document, Node};

pub fn select<'a>(document: &'a Document<'a>, path: &str) -> Result<Vec<Found<'a>>, Failure> {
    let invalid = || Failure::new(format!("XPath error : Invalid expression '{path}'"));
    let mut parser = Parser { rest: path };
    let union = parser.union().ok_or_else(invalid)?;
    parser.blanks();
    if !parser.rest.is_empty() {
        return Err(invalid());
    }
    let mut found: Vec<Found<'a>> = Vec::new();
    for path in &union {
        for part in path.from(Found::Node(document.root())) {
            if !found.contains(&part) {
                found.push(part);
            }
        }
    }
    found.sort_by_key(place);
    Ok(found)
}

/// Where a part stands in the document.
fn place(found: &Found<'_>) -> (usize, usize) {
    match found {
        Found::Node(node) => (node.range().start, 0),
        Found::Attribute { of, name, .. } => {
            (of.range().start, 1 + of.attributes().position(|attribute| attribute.name() == *name).unwrap_or(0))
        }
    }
}

#[derive(Debug)]
struct Path {
    absolute: bool,
    steps: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    /// `//` before it.
    deep: bool,
    test: Test,
    predicates: Vec<Predicate>,
}

#[derive(Debug)]
enum Test {
    Element(Option<String>),
    Attribute(Option<String>),
    Text,
    Anything,
    Itself,
    Parent,
}

#[derive(Debug)]
enum Predicate {
    Position(usize),
    Last,
    Or(Box<Predicate>, Box<Predicate>),
    And(Box<Predicate>, Box<Predicate>),
    Not(Box<Predicate>),
    Exists(Path),
    Equals(Operand, Operand),
    Differs(Operand, Operand),
    Contains(Operand, Operand),
    StartsWith(Operand, Operand),
}

#[derive(Debug)]
enum Operand {
    Path(Path),
    Literal(String),
}

impl Path {
    fn from<'a>(&self, start: Found<'a>) -> Vec<Found<'a>> {
        let start = match (self.absolute, start) {
            (true, Found::Node(node) | Found::Attribute { of: node, .. }) => Found::Node(node.document().root()),
            (false, start) => start,
        };
        self.steps.iter().fold(vec![start], |reached, step| {
            let mut next: Vec<Found<'a>> = Vec::new();
            for part in reached {
                for found in step.from(part) {
                    if !next.contains(&found) {
                        next.push(found);
                    }
                }
            }
            next
        })
    }
}

impl Step {
    fn from<'a>(&self, start: Found<'a>) -> Vec<Found<'a>> {
        let Found::Node(start) = start else {
            return match (&self.test, start) {
                (Test::Itself, attribute) => vec![attribute],
                (Test::Parent, Found::Attribute { of, .. }) => vec![Found::Node(of)],
                _ => Vec::new(),
            };
        };
        let bases: Vec<Node<'a, 'a>> = match self.deep {
            true => start.descendants().filter(|node| node.is_element() || node.is_root()).collect(),
            false => vec![start],
        };
        bases.into_iter().flat_map(|base| self.narrowed(self.reached(base))).collect()
    }

    fn reached<'a>(&self, base: Node<'a, 'a>) -> Vec<Found<'a>> {
        let named = |wanted: &Option<String>, name: &str| wanted.as_deref().is_none_or(|wanted| wanted == name);
        match &self.test {
            Test::Itself => vec![Found::Node(base)],
            Test::Parent => base.parent().map(Found::Node).into_iter().collect(),
            Test::Anything => base.children().map(Found::Node).collect(),
            Test::Text => base.children().filter(Node::is_text).map(Found::Node).collect(),
            Test::Element(name) => base
                .children()
                .filter(|child| child.is_element() && named(name, child.tag_name().name()))
                .map(Found::Node)
                .collect(),
            Test::Attribute(name) => base
                .attributes()
                .filter(|attribute| named(name, attribute.name()))
                .map(|attribute| Found::Attribute { of: base, name: attribute.name(), value: attribute.value() })
                .collect(),
        }
    }

    fn narrowed<'a>(&self, mut found: Vec<Found<'a>>) -> Vec<Found<'a>> {
        for predicate in &self.predicates {
            let count = found.len();
            let mut position = 0;
            found.retain(|part| {
                position += 1;
                predicate.holds(*part, position, count)
            });
        }
        found
    }
}

impl Predicate {
    fn holds(&self, part: Found<'_>, position: usize, count: usize) -> bool {
        let both = |one: &Operand, other: &Operand, test: &dyn Fn(&str, &str) -> bool| {
            let others = other.values(part);
            one.values(part).iter().any(|one| others.iter().any(|other| test(one, other)))
        };
        match self {
            Predicate::Position(wanted) => position == *wanted,
            Predicate::Last => position == count,
            Predicate::Or(one, other) => one.holds(part, position, count) || other.holds(part, position, count),
            Predicate::And(one, other) => one.holds(part, position, count) && other.holds(part, position, count),
            Predicate::Not(inner) => !inner.holds(part, position, count),
            Predicate::Exists(path) => !path.from(part).is_empty(),
            Predicate::Equals(one, other) => both(one, other, &|one, other| one == other),
            Predicate::Differs(one, other) => both(one, other, &|one, other| one != other),
            Predicate::Contains(one, other) => both(one, other, &|one, other| one.contains(other)),
            Predicate::StartsWith(one, other) => both(one, other, &|one, other| one.starts_with(other)),
        }
    }
}

impl Operand {
    fn values(&self, part: Found<'_>) -> Vec<String> {
        match self {
            Operand::Literal(text) => vec![text.clone()],
            Operand::Path(path) => path.from(part).iter().map(Found::text).collect(),
        }
    }
}

struct Parser<'t> {
    rest: &'t str,
}

impl<'t> Parser<'t> {
    fn blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, token: &str) -> bool {
        self.blanks();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn union(&mut self) -> Option<Vec<Path>> {
        let mut paths = vec![self.path()?];
        while self.eat("|") {
            paths.push(self.path()?);
        }
        Some(paths)
    }

    fn path(&mut self) -> Option<Path> {
        let mut path = Path { absolute: false, steps: Vec::new() };
        let mut deep = self.eat("//");
        path.absolute = deep || self.eat("/");
        if path.absolute && !deep && !self.rest.starts_with(|c: char| c.is_alphabetic() || "*@._".contains(c)) {
            return Some(path);
        }
        loop {
            path.steps.push(self.step(deep)?);
            deep = self.eat("//");
            if !deep && !self.eat("/") {
                return Some(path);
            }
        }
    }

    fn step(&mut self, deep: bool) -> Option<Step> {
        let test = if self.eat("..") {
            Test::Parent
        } else if self.eat(".") {
            Test::Itself
        } else if self.eat("@*") {
            Test::Attribute(None)
        } else if self.eat("@") {
            Test::Attribute(Some(self.name()?))
        } else if self.eat("*") {
            Test::Element(None)
        } else {
            match self.name()? {
                name if self.eat("()") => match name.as_str() {
                    "text" => Test::Text,
                    "node" => Test::Anything,
                    _ => return None,
                },
                name => Test::Element(Some(name)),
            }
        };
        let mut predicates = Vec::new();
        while self.eat("[") {
            predicates.push(self.either()?);
            self.eat("]").then_some(())?;
        }
        Some(Step { deep, test, predicates })
    }

    /// A name; its prefix is dropped, since documents of domains choose their own.
    fn name(&mut self) -> Option<String> {
        self.blanks();
        let inner = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        let first = self.rest.chars().next()?;
        if !(first.is_alphabetic() || first == '_') {
            return None;
        }
        let end = self.rest.find(|c| !inner(c)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        match self.rest.strip_prefix(':') {
            Some(rest) if rest.starts_with(char::is_alphabetic) => {
                self.rest = rest;
                self.name()
            }
            _ => Some(name.to_string()),
        }
    }

    fn either(&mut self) -> Option<Predicate> {
        let mut left = self.both()?;
        while self.eat("or ") {
            left = Predicate::Or(Box::new(left), Box::new(self.both()?));
        }
        Some(left)
    }

    fn both(&mut self) -> Option<Predicate> {
        let mut left = self.single()?;
        while self.eat("and ") {
            left = Predicate::And(Box::new(left), Box::new(self.single()?));
        }
        Some(left)
    }

    fn single(&mut self) -> Option<Predicate> {
        self.blanks();
        if self.eat("not(") {
            let inner = self.either()?;
            return self.eat(")").then(|| Predicate::Not(Box::new(inner)));
        }
        if self.eat("last()") {
            return Some(Predicate::Last);
        }
        if self.eat("contains(") {
            return self.two().map(|(one, other)| Predicate::Contains(one, other));
        }
        if self.eat("starts-with(") {
            return self.two().map(|(one, other)| Predicate::StartsWith(one, other));
        }
        if self.eat("(") {
            let inner = self.either()?;
            return self.eat(")").then_some(inner);
        }
        self.eat("position()=");
        let digits = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        if digits > 0 {
            let (number, rest) = self.rest.split_at(digits);
            self.rest = rest;
            return number.parse().ok().map(Predicate::Position);
        }
        let left = self.operand()?;
        if self.eat("!=") {
            return Some(Predicate::Differs(left, self.operand()?));
        }
        if self.eat("=") {
            return Some(Predicate::Equals(left, self.operand()?));
        }
        match left {
            Operand::Path(path) => Some(Predicate::Exists(path)),
            Operand::Literal(_) => None,
        }
    }

    fn two(&mut self) -> Option<(Operand, Operand)> {
        let one = self.operand()?;
        self.eat(",").then_some(())?;
        let other = self.operand()?;
        self.eat(")").then_some((one, other))
    }

    fn operand(&mut self) -> Option<Operand> {
        self.blanks();
        for quote in ['\'', '"'] {
            if let Some(rest) = self.rest.strip_prefix(quote) {
                let (text, rest) = rest.split_once(quote)?;
                self.rest = rest;
                return Some(Operand::Literal(text.to_string()));
            }
        }
        let digits = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        if digits > 0 {
            let (number, rest) = self.rest.split_at(digits);
            self.rest = rest;
            return Some(Operand::Literal(number.to_string()));
        }
        self.path().map(Operand::Path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions() {
        let text = "<d><i n='a'><m v='1'/></i><i n='b'><m v='2'/></i><x><i/></x></d>";
        let document = Document::parse(text).unwrap();
        let table = [
            ("/d/i", 2),
            ("//i", 3),
            ("/d/*", 3),
            ("//m/@v", 2),
            ("//i[@n='b']/m/@v", 1),
            ("//i[m/@v=2]", 1),
            ("//i[2]", 1),
            ("/d/i[last()]/@n", 1),
            ("//i[not(m)]", 1),
            ("//i[@n and m]", 2),
            ("//i[@n='a' or @n='b']", 2),
            ("//m/..", 2),
            ("/d/i[contains(@n,'a')] | /d/x", 2),
            ("/", 1),
        ];
        for (path, count) in table {
            assert_eq!(select(&document, path).unwrap().len(), count, "{path}");
        }
        for path in ["///", "//i[", "a b", "", "//i[]", "count(//i)"] {
            assert!(select(&document, path).is_err(), "{path}");
        }
    }
}
