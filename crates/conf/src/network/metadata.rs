//! `<metadata>`: other people's elements, kept and written as libxml2 does.

use crate::xml::{Kind, Node, escape};

/// The elements inside, each on lines of its own; those without a namespace, and all but the first of one namespace,
/// are dropped. `None` where nothing is left.
pub(super) fn metadata(node: Node) -> Option<String> {
    let mut seen: Vec<&str> = Vec::new();
    let mut out = String::new();
    for element in node.elements() {
        let Some(namespace) = element.namespace() else { continue };
        if seen.contains(&namespace) {
            continue;
        }
        seen.push(namespace);
        write(element, 0, &inherited(element), &mut out);
    }
    Some(out).filter(|out| !out.is_empty())
}

/// Namespaces that an element uses and that its parents declare: they are declared on it instead.
fn inherited<'a>(element: Node<'a>) -> Vec<(&'a str, &'a str)> {
    let declared = element.declarations().any(|(prefix, _)| prefix == element.prefix());
    match element.namespace() {
        Some(uri) if !declared => vec![(element.prefix(), uri)],
        _ => Vec::new(),
    }
}

fn write(element: Node, depth: usize, more: &[(&str, &str)], out: &mut String) {
    let name = |prefix: &str, name: &str| match prefix {
        "" => name.to_string(),
        prefix => format!("{prefix}:{name}"),
    };
    let tag = name(element.prefix(), element.name());
    let margin = "  ".repeat(depth);
    out.push_str(&format!("{margin}<{tag}"));
    for (prefix, uri) in element.declarations().chain(more.iter().copied()) {
        let declared = if prefix.is_empty() { "xmlns".to_string() } else { format!("xmlns:{prefix}") };
        out.push_str(&format!(" {declared}=\"{}\"", escape(uri)));
    }
    for attr in element.attrs() {
        out.push_str(&format!(" {}=\"{}\"", name(attr.prefix, attr.name), escape(attr.value).replace("&apos;", "'")));
    }
    let mixed = element.children().any(|child| matches!(child.kind(), Kind::Text | Kind::Cdata));
    if element.children().next().is_none() {
        out.push_str("/>");
    } else if mixed {
        let text = escape(&element.text()).replace("&apos;", "'").replace("&quot;", "\"");
        out.push_str(&format!(">{text}</{tag}>"));
    } else {
        out.push_str(">\n");
        for child in element.elements() {
            write(child, depth + 1, &[], out);
        }
        out.push_str(&format!("{margin}</{tag}>"));
    }
    out.push('\n');
}
