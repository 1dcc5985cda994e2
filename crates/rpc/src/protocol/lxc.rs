// Written by `cargo xtask codegen` from protocol/remote-protocol.json; do not edit.

use super::table::{messages, procedures};

messages! {
    DomainOpenNamespaceArgs {
        dom: super::remote::NonnullDomain,
        flags: u32,
    }
}

procedures! {
    0x00068000 version 1 {
        DomainOpenNamespace = 1 "DOMAIN_OPEN_NAMESPACE" Call Low (Refused) ["domain:open_namespace"] "virDomainLxcOpenNamespace" 0 (DomainOpenNamespaceArgs) -> (());
    }
}
