//! Reading and writing documents. The reader is our own, because documents must be taken and refused as
//! libxml2 does it: undeclared prefixes are let through, blank text between elements is dropped, and the
//! words of a refusal are libxml2's. What comes from outside is bounded: size, depth, nodes, attributes, entities.
//! The writer has libvirt's layout: two spaces, attributes in single quotes.

mod encoding;
mod prolog;
mod read;
mod refusal;
mod text;
mod tree;
mod write;

pub use read::{Limits, Source};
pub use tree::{Attr, Document, Kind, Node};
pub use write::{Writer, escape};
