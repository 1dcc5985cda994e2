//! Any bytes as a message and, by its header, as arguments, event or result of each procedure of each program: refused, or
//! decoded within the bounds of the protocol and encoded to what means the same.
//! Seeds: the recorded messages of `crates/rpc/tests/data/messages.txt`.
#![no_main]
#![forbid(unsafe_code)]

use libfuzzer_sys::fuzz_target;
use rpc::message::{HEADER, Header};
use rpc::protocol::message_again;

fuzz_target!(|bytes: &[u8]| {
    let Some((header, payload)) = bytes.split_at_checked(HEADER) else { return };
    let Some(header) = Header::decode(header) else { return };
    assert_eq!(Header::decode(&header.encode()), Some(header));
    let Some(Ok(first)) = message_again(&header, payload) else { return };
    // Values cannot be compared, since a number that is none is not equal to itself; their bytes can.
    assert_eq!(message_again(&header, &first), Some(Ok(first.clone())));
});
