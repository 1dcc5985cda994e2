//! Every message of the recorded conversations decodes and encodes to the same bytes; the table is sound.

use super::*;
use crate::message::{Header, Type};
use crate::xdr::{XdrError, decode, encode};

const RECORDED: &str = include_str!("../../tests/data/messages.txt");

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
}

#[test]
fn recorded_messages_survive_decoding_and_encoding() {
    let mut count = 0;
    let mut conversation = "";
    for line in RECORDED.lines() {
        if let Some(name) = line.strip_prefix("# ") {
            conversation = name;
            continue;
        }
        let frame = bytes(&line[2..]);
        assert_eq!(frame.len(), u32::from_be_bytes(frame[..4].try_into().unwrap()) as usize, "{conversation}");
        let header = Header::decode(&frame[4..28]).unwrap_or_else(|| panic!("{conversation}: {line}"));
        assert_eq!(header.encode()[..], frame[4..28], "{conversation}");
        let mut payload = &frame[28..];
        if matches!(header.kind, Type::CallWithFds | Type::ReplyWithFds) {
            payload = &payload[4..];
        }
        if matches!(header.kind, Type::Stream | Type::StreamHole) {
            continue;
        }
        let again = message_again(&header, payload).unwrap_or_else(|| panic!("{conversation}: unknown {header:?}"));
        assert_eq!(again.as_deref(), Ok(payload), "{conversation}: {header:?}");
        count += 1;
    }
    assert!(count > 800, "{count} messages");
}

#[test]
fn every_cut_of_a_message_is_an_error_or_a_shorter_message_and_never_a_panic() {
    for line in RECORDED.lines().filter(|line| !line.starts_with('#')).step_by(7) {
        let frame = bytes(&line[2..]);
        let Some(header) = Header::decode(&frame[4..28]) else { continue };
        for end in (28..frame.len()).rev().take(200) {
            message_again(&header, &frame[28..end]);
            let mut spoilt = frame[28..].to_vec();
            spoilt[end - 28] ^= 0xff;
            message_again(&header, &spoilt);
        }
    }
}

#[test]
fn procedures_are_numbered_without_a_gap() {
    let tables = [
        remote::PROCEDURES,
        lxc::PROCEDURES,
        qemu::PROCEDURES,
        admin::PROCEDURES,
        monitor::PROCEDURES,
        virtlxc::PROCEDURES,
    ];
    for table in tables {
        for (at, info) in table.iter().enumerate() {
            assert_eq!(info.number, at as i32 + 1, "{}", info.name);
        }
    }
    assert_eq!(remote::Procedure::DomainGetInfo.info().name, "DOMAIN_GET_INFO");
    assert_eq!(remote::Procedure::DomainDestroy.info().read_only, ReadOnly::Refused);
}

#[test]
fn typed_parameters_refuse_an_unknown_type() {
    let value = remote::TypedParam { field: "x".into(), value: remote::TypedParamValue::Ullong(7) };
    let mut wire = encode::<remote::TypedParam>(&value).unwrap();
    assert_eq!(decode::<remote::TypedParam>(&wire), Ok(value));
    wire[11] = 9;
    assert_eq!(decode::<remote::TypedParam>(&wire), Err(XdrError::Unknown(9)));
}
