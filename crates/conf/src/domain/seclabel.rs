//! Security labels and shared namespaces: reading.

use super::parse::Context;
use super::*;
use crate::refuse::{self, Place};
use crate::shape::Complaint;
use crate::xml::Node;
use api::{Error, ErrorDomain};
use std::collections::HashSet;

pub(super) fn seclabels(root: Node, context: &Context) -> Result<Vec<SecLabel>> {
    let nodes: Vec<Node> = root.all("seclabel").collect();
    let mut labels: Vec<(Option<String>, SecLabel)> = Vec::new();
    let mut models = HashSet::new();
    for node in &nodes {
        let label = seclabel(*node, context).at(*node)?;
        let model = node.attr("model").map(str::to_string);
        if !models.insert(model.clone()) {
            let message = format!("seclabel for model {} is already provided", model.as_deref().unwrap_or("(null)"));
            return Err(refuse::detail(message)).at(*node);
        }
        labels.extend(label.map(|label| (model, label)));
    }
    if labels.len() > 1 && labels.iter().any(|(model, _)| model.is_none()) {
        return Err(refuse::xml("missing security model when using multiple labels"));
    }
    // A label, or what it is made from, is of some model.
    let own = |node: &Node| node.attr("type") == Some("static") || labels.iter().any(|(_, l)| l.base_label.is_some());
    if let Some(node) = nodes.first().filter(|node| labels.len() == 1 && node.attr("model").is_none() && own(node)) {
        return Err(refuse::xml("missing security model in domain seclabel")).at(*node);
    }
    Ok(labels.into_iter().map(|(_, label)| label).collect())
}

/// `None`: an element without type, which libvirt drops.
fn seclabel(node: Node, context: &Context) -> Result<Option<SecLabel>> {
    let missing = || refuse::xml("missing security model in domain seclabel");
    let model = node.attr("model");
    let kind = refuse::word(node, "type", SecLabelKind::from_word)?;
    let relabel = refuse::word(node, "relabel", refuse::yes_no)?;
    let Some(kind) = kind.or((model == Some("none")).then_some(SecLabelKind::None)) else {
        return model.filter(|model| !model.is_empty()).map(|_| None).ok_or_else(missing);
    };
    if kind == SecLabelKind::Dynamic && relabel == Some(false) {
        return Err(refuse::unsupported("dynamic label type must use resource relabeling"));
    }
    if kind == SecLabelKind::None && relabel == Some(true) {
        return Err(refuse::unsupported("resource relabeling is not compatible with 'none' label type"));
    }
    let text = |name: &str| node.child(name).map(|n| n.text().into_owned()).filter(|t| !t.is_empty());
    let mut label = SecLabel {
        kind,
        model: model.unwrap_or("none").to_string(),
        relabel: relabel.unwrap_or(kind == SecLabelKind::Dynamic),
        label: None,
        image_label: None,
        base_label: None,
    };
    if kind == SecLabelKind::Static || context.live && kind == SecLabelKind::Dynamic {
        label.label = text("label");
        if kind == SecLabelKind::Static && label.label.is_none() {
            return Err(refuse::xml("security label is missing"));
        }
    }
    if context.live && label.relabel {
        label.image_label = text("imagelabel");
    }
    if kind == SecLabelKind::Dynamic {
        label.base_label = text("baselabel");
    }
    // The model 'none' is no model: without a security driver on the host there is nothing to generate.
    if label.model == "none" {
        label.kind = SecLabelKind::None;
        label.relabel = false;
    }
    Ok(Some(label))
}

pub(super) const LXC: &str = "http://libvirt.org/schemas/domain/lxc/1.0";

/// `<lxc:namespace>`: several merge, the last value of each kind wins; the prefix of what is inside does not matter.
pub(super) fn shares(root: Node) -> Result<LxcNamespace> {
    let mut shares = LxcNamespace::default();
    let wrappers = root.elements().filter(|n| n.name() == "namespace" && n.namespace() == Some(LXC));
    for child in wrappers.flat_map(Node::elements) {
        shares.present = true;
        let refused = |message: String| Error::internal(ErrorDomain::Lxc, message);
        let share = match child.name() {
            "sharenet" => &mut shares.sharenet,
            "shareipc" => &mut shares.shareipc,
            "shareuts" => &mut shares.shareuts,
            other => {
                let message = format!("unsupported Namespace feature: {other}");
                return Err(Error::config_unsupported(ErrorDomain::Lxc, message)).at(child);
            }
        };
        let none = || refused("No lxc environment type specified".to_string());
        let kind = child.attr("type").ok_or_else(none).at(child)?;
        if !matches!(kind, "none" | "name" | "pid" | "netns") {
            return Err(refused(format!("Unknown LXC namespace source '{kind}'"))).at(child);
        }
        let value = child.attr("value").ok_or_else(none).at(child)?.to_string();
        *share = ShareSource::from_word(kind).map(|source| Share { source, value });
    }
    Ok(shares)
}

/// What libvirt's schema refuses in `<lxc:namespace>`, and its parser takes: children without the namespace.
/// At most `most` are told.
pub(super) fn check(root: Node, most: usize) -> Vec<Complaint> {
    let wrappers = root.elements().filter(|n| n.name() == "namespace" && n.namespace() == Some(LXC));
    let plain = wrappers.flat_map(Node::elements).filter(|child| child.namespace() != Some(LXC));
    plain
        .take(most)
        .map(|child| Complaint::new(child, ": has to be in the namespace of its parent (prefix 'lxc')", true))
        .collect()
}
