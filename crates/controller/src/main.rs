//! `libvirt_lxc`, the controller: one small process for each running container.
#![forbid(unsafe_code)]

mod procview;

fn main() {}
