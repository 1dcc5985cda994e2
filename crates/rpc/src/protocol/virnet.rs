// Written by `cargo xtask codegen` from protocol/remote-protocol.json; do not edit.

use super::table::{messages, numbers};
use crate::xdr::{Fixed, Str};

numbers! {
    MessageStatus {
        Ok = 0,
        Error = 1,
        Continue = 2,
    }
    MessageType {
        Call = 0,
        Reply = 1,
        Message = 2,
        Stream = 3,
        CallWithFds = 4,
        ReplyWithFds = 5,
        StreamHole = 6,
    }
}

messages! {
    MessageError {
        code: i32,
        domain: i32,
        message: Option<Str>,
        level: i32,
        dom: Option<MessageNonnullDomain>,
        str1: Option<Str>,
        str2: Option<Str>,
        str3: Option<Str>,
        int1: i32,
        int2: i32,
        net: Option<MessageNonnullNetwork>,
    }
    MessageHeader {
        prog: u32,
        vers: u32,
        proc: i32,
        r#type: MessageType,
        serial: u32,
        status: MessageStatus,
    }
    MessageNonnullDomain {
        name: Str,
        uuid: Fixed<16>,
        id: i32,
    }
    MessageNonnullNetwork {
        name: Str,
        uuid: Fixed<16>,
    }
    StreamHole {
        length: i64,
        flags: u32,
    }
}
