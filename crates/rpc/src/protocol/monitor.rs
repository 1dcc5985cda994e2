// Written by `cargo xtask codegen` from protocol/remote-protocol.json; do not edit.

use super::table::{messages, numbers, procedures};

numbers! {
    ExitStatus {
        Error = 0,
        Shutdown = 1,
        Reboot = 2,
    }
}

messages! {
    ExitEventMsg {
        status: ExitStatus,
    }
    InitEventMsg {
        initpid: u64,
    }
}

procedures! {
    0x12341234 version 1 {
        ExitEvent = 1 "EXIT_EVENT" Event Low (Allowed) [] "" 0 (ExitEventMsg) -> (());
        InitEvent = 2 "INIT_EVENT" Event Low (Allowed) [] "" 0 (InitEventMsg) -> (());
    }
}
