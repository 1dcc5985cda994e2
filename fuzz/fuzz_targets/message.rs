//! Any bytes as a message and, by its header, as the arguments of calls: refused, or decoded within the bounds of the
//! protocol and encoded to what means the same.
#![no_main]
#![forbid(unsafe_code)]

use libfuzzer_sys::fuzz_target;
use rpc::message::{HEADER, Header};
use rpc::remote::*;
use rpc::xdr::{Codec, decode, encode};

/// What is decoded is encoded to something that means the same: to bytes that come back unchanged. The values themselves
/// cannot be compared, since a number that is none is not equal to itself.
fn check<C: Codec>(bytes: &[u8]) {
    let Ok(value) = decode::<C>(bytes) else { return };
    let first = encode::<C>(&value).ok();
    let second = first.as_ref().and_then(|bytes| decode::<C>(bytes).ok()).and_then(|value| encode::<C>(&value).ok());
    assert!(first.is_some() && first == second);
}

fuzz_target!(|bytes: &[u8]| {
    let Some((header, payload)) = bytes.split_at_checked(HEADER) else { return };
    let Some(header) = Header::decode(header) else { return };
    match header.procedure % 8 {
        0 => check::<ConnectOpenArgs>(payload),
        1 => check::<DomainDefineXmlFlagsArgs>(payload),
        2 => check::<DomainSetMemoryParametersArgs>(payload),
        3 => check::<DomainCreateWithFilesArgs>(payload),
        4 => check::<ConnectListAllDomainsRet>(payload),
        5 => check::<ConnectGetAllDomainStatsRet>(payload),
        6 => check::<NetworkUpdateArgs>(payload),
        _ => check::<DomainMemoryStatsRet>(payload),
    }
});
