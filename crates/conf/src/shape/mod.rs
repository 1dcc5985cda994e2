//! What may stand in a document, as tables: `domain.txt` names every element, attribute and value of
//! `<domain type='lxc'>` in the order in which they are written. From it parts that are only kept are checked and
//! normalised (`normalise`), and whole documents are searched for what has no place in them (`check`).
//!
//! The table's language, by indentation:
//!
//! ```text
//! name                 a shape, at the margin; below it, in order:
//!   @attribute TYPE    TYPE: text (or nothing), uint, uint0 (any base), uint+ (not 0), int, intx (any base), int0,
//!                      int0x (not below 0), ull, hexN (any base, written with N digits), xhexN (the same, but always
//!                      read as hexadecimal), yesno, onoff, uuid, kib, bitmap, {one|of|these}
//!                      !: required; =x: filled in; ~x: x is dropped; ?: a wrong one counts as none;
//!                      missing KIND message: required, and what is said if it is not there;
//!                      else KIND message: what is said of a wrong one
//!   text TYPE          content
//!   child              first of its name; child*: each; child-: not if nothing is left in it
//!   child = name       of that shape
//!   &name              everything in that shape
//!   when @a x y        what follows, deeper, only if the attribute has one of these values (none named: if present)
//!   unless @a x y      the opposite
//! ```

mod check;
mod normalise;
mod table;

pub(crate) use check::{Complaint, check};
pub(crate) use normalise::normalise;
pub(crate) use table::{DOMAIN, Rule};
