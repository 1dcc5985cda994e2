//! Documents as they lie in files: the comment that warns off editors, then the document.

/// The command that changes the document, as the comment names it: `edit vm1`, `net-edit default`.
pub fn with_header(command: &str, xml: &str) -> String {
    format!(
        "<!--\nWARNING: THIS IS AN AUTO-GENERATED FILE. CHANGES TO IT ARE LIKELY TO BE\n\
         OVERWRITTEN AND LOST. Changes to this xml configuration should be made using:\n  virsh {command}\n\
         or other application using the libvirt API.\n-->\n\n{xml}"
    )
}
