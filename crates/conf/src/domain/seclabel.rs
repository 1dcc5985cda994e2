//! Security labels and shared namespaces: reading.

use super::parse::Context;
use super::*;
use crate::refuse::{self, Place};
use crate::xml::Node;
use api::{Error, ErrorDomain};

pub(super) fn seclabels(root: Node, context: &Context) -> Result<Vec<SecLabel>> {
    let nodes: Vec<Node> = root.all("seclabel").collect();
    let mut labels: Vec<SecLabel> = Vec::new();
    for node in &nodes {
        let Some((label, model)) = seclabel(*node, context, nodes.len()).at(*node)? else { continue };
        if labels.iter().any(|other| other.model == model) {
            return Err(refuse::detail(format!("seclabel for model {model} is already provided"))).at(*node);
        }
        labels.push(SecLabel { model, ..label });
    }
    Ok(labels)
}

/// `None`: an element without type, which libvirt drops.
fn seclabel(node: Node, context: &Context, count: usize) -> Result<Option<(SecLabel, String)>> {
    let model = node.attr("model").filter(|model| !model.is_empty());
    let kind = refuse::word(node, "type", SecLabelKind::from_word)?;
    let relabel = refuse::word(node, "relabel", refuse::yes_no)?;
    let Some(kind) = kind else {
        return match model {
            Some(_) => Ok(None),
            None => Err(refuse::xml("missing security model in domain seclabel")),
        };
    };
    // The model 'none' is no model, whatever else is asked for.
    let kind = if model == Some("none") { SecLabelKind::None } else { kind };
    if kind == SecLabelKind::Dynamic && relabel == Some(false) {
        return Err(refuse::unsupported("dynamic label type must use resource relabeling"));
    }
    if kind == SecLabelKind::None && relabel == Some(true) {
        return Err(refuse::unsupported("resource relabeling is not compatible with 'none' label type"));
    }
    let text = |name: &str| node.child(name).map(|n| n.text().into_owned()).filter(|t| !t.is_empty());
    let mut label = SecLabel {
        kind,
        model: String::new(),
        relabel: relabel.unwrap_or(kind != SecLabelKind::None),
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
    let model = match model {
        Some(model) => model.to_string(),
        None if count > 1 => return Err(refuse::xml("missing security model when using multiple labels")),
        None if kind == SecLabelKind::Static => {
            return Err(refuse::xml("missing security model in domain seclabel"));
        }
        None => {
            // Without a security driver on the host there is nothing to generate.
            if label.base_label.is_none() {
                label.kind = SecLabelKind::None;
                label.relabel = false;
            }
            "none".to_string()
        }
    };
    Ok(Some((label, model)))
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
