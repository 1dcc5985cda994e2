// Written by `cargo xtask codegen` from protocol/remote-protocol.json; do not edit.

use super::table::procedures;

procedures! {
    0x6b656570 version 1 {
        Ping = 1 "PING" Event Low (Allowed) [] "" 0 (()) -> (());
        Pong = 2 "PONG" Event Low (Allowed) [] "" 0 (()) -> (());
    }
}
