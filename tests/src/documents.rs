//! Documents of domains and networks.

/// The first example of libvirt's documentation: a shell on the machine's own root.
pub const VM1: &str = include_str!("../../docs/examples/vm1.xml");
/// The second: an init of its own, on a root of its own in `/opt/vm-1-root`.
pub const VM1_PRIVATE_ROOT: &str = include_str!("../../docs/examples/vm1-private-root.xml");
/// The root that the second names.
pub const PRIVATE_ROOT: &str = "/opt/vm-1-root";

/// A domain with a console, its root in the folder and this init with arguments; `more` goes among the devices.
pub fn domain(name: &str, root: &str, init: &[&str], more: &str) -> String {
    let (init, arguments) = init.split_first().unwrap_or((&"/bin/sh", &[]));
    let arguments: String =
        arguments.iter().map(|argument| format!("<initarg>{}</initarg>", escape(argument))).collect();
    format!(
        "<domain type='lxc'><name>{name}</name><memory unit='KiB'>65536</memory>\
         <os><type>exe</type><init>{init}</init>{arguments}</os>\
         <devices><filesystem type='mount'><source dir='{root}'/><target dir='/'/></filesystem>\
         {more}<console type='pty'/></devices></domain>"
    )
}

/// For a domain that is to run out of its memory: where the machine has swap, it gets none of that.
pub fn without_swap(document: String) -> String {
    let has_swap = std::fs::read_to_string("/proc/swaps").is_ok_and(|table| table.lines().count() > 1);
    let memory = "<memtune><hard_limit unit='KiB'>65536</hard_limit><swap_hard_limit unit='KiB'>65536</swap_hard_limit></memtune>";
    if has_swap { document.replace("<os>", &format!("{memory}<os>")) } else { document }
}

/// An interface on a virtual network.
pub fn interface(network: &str) -> String {
    format!("<interface type='network'><source network='{network}'/></interface>")
}

pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\'', "&apos;")
}
