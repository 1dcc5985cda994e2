//! The promise that what runs here is not the machine itself.

use std::path::Path;

/// Set by the sandbox, together with the file.
pub const VARIABLE: &str = "VIRTLXC_SANDBOX";
pub const MARKER: &str = "/run/virtlxc-sandbox";

pub fn entered() -> bool {
    std::env::var(VARIABLE).is_ok_and(|value| value == "1") && Path::new(MARKER).exists()
}

/// Ends the test at once on a bare machine: a container may share the root, and daemons own system paths.
pub fn require() {
    assert!(
        entered(),
        "this test starts containers: run it with `cargo xtask test whole`, which makes a sandbox for it"
    );
}
