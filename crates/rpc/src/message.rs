//! A message: its length word and header (`virNetMessageHeader`), its payload, the descriptors that go with it.

use crate::protocol::ProgramProcedure;
use crate::virnet;
use crate::xdr::{self, Codec, XdrError};
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// The header's bytes, behind the length word.
pub const HEADER: usize = 24;
/// The smallest length word: itself and a header.
pub const LENGTH_MIN: usize = 4 + HEADER;
/// The largest length word: it counts itself.
pub const LENGTH_MAX: usize = 4 + 33_554_432;
/// Descriptors that one message may carry.
pub const FDS_MAX: usize = 32;
/// Stream data that one message should carry: the limit of old clients.
pub const STREAM_DATA_MAX: usize = 262_120;

macro_rules! open_numbers {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $number:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $($variant,)*
            Other(i32),
        }

        impl $name {
            pub fn from_number(number: i32) -> $name {
                match number {
                    $($number => $name::$variant,)*
                    other => $name::Other(other),
                }
            }

            pub fn number(self) -> i32 {
                match self {
                    $($name::$variant => $number,)*
                    $name::Other(number) => number,
                }
            }
        }
    };
}

open_numbers! {
    /// `virNetMessageType`, with whatever else a peer may have written.
    Type {
        Call = 0,
        Reply = 1,
        Message = 2,
        Stream = 3,
        CallWithFds = 4,
        ReplyWithFds = 5,
        StreamHole = 6,
    }
}

open_numbers! {
    /// `virNetMessageStatus`, with whatever else a peer may have written.
    Status {
        Ok = 0,
        Error = 1,
        Continue = 2,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    pub program: u32,
    pub version: u32,
    pub procedure: i32,
    pub kind: Type,
    pub serial: u32,
    pub status: Status,
}

impl Header {
    pub fn call<P: ProgramProcedure>(procedure: P, serial: u32) -> Header {
        Header {
            program: P::PROGRAM,
            version: P::VERSION,
            procedure: procedure.number(),
            kind: Type::Call,
            serial,
            status: Status::Ok,
        }
    }

    /// The header of an event. The remote program's events carry serial 1, keepalive messages 0.
    pub fn event<P: ProgramProcedure>(procedure: P, serial: u32) -> Header {
        Header { kind: Type::Message, ..Header::call(procedure, serial) }
    }

    /// The same conversation with another type and status.
    pub fn answer(self, kind: Type, status: Status) -> Header {
        Header { kind, status, ..self }
    }

    pub fn encode(&self) -> [u8; HEADER] {
        let words = [
            self.program,
            self.version,
            self.procedure as u32,
            self.kind.number() as u32,
            self.serial,
            self.status.number() as u32,
        ];
        let mut out = [0; HEADER];
        for (place, word) in out.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_be_bytes());
        }
        out
    }

    /// What a message of so much payload begins with: its length word and the header.
    pub(crate) fn head(&self, payload: usize) -> [u8; LENGTH_MIN] {
        let mut out = [0; LENGTH_MIN];
        let (length, header) = out.split_at_mut(4);
        length.copy_from_slice(&((LENGTH_MIN + payload) as u32).to_be_bytes());
        header.copy_from_slice(&self.encode());
        out
    }

    /// The header in the first [`HEADER`] bytes, where there are so many.
    pub fn decode(bytes: &[u8]) -> Option<Header> {
        let mut words = bytes.get(..HEADER)?.chunks_exact(4).map(|word| match *word {
            [a, b, c, d] => u32::from_be_bytes([a, b, c, d]),
            _ => 0,
        });
        Some(Header {
            program: words.next()?,
            version: words.next()?,
            procedure: words.next()? as i32,
            kind: Type::from_number(words.next()? as i32),
            serial: words.next()?,
            status: Status::from_number(words.next()? as i32),
        })
    }
}

/// A message as it was received; `payload` begins behind the number of descriptors.
#[derive(Debug)]
pub struct Message {
    pub header: Header,
    frame: Vec<u8>,
    start: usize,
    pub fds: Vec<OwnedFd>,
}

impl Message {
    /// From the bytes behind the length word; `start` is where the payload begins in them.
    pub fn from_frame(header: Header, frame: Vec<u8>, start: usize, fds: Vec<OwnedFd>) -> Message {
        Message { header, frame, start, fds }
    }

    pub fn payload(&self) -> &[u8] {
        self.frame.get(self.start..).unwrap_or_default()
    }

    pub fn decode<C: Codec>(&self) -> Result<C::Value, XdrError> {
        xdr::decode::<C>(self.payload())
    }
}

/// A message ready to be sent: the bytes with their length word, and the descriptors that follow it.
#[derive(Debug, Clone)]
pub struct Outgoing {
    pub bytes: Arc<[u8]>,
    pub fds: Vec<Arc<OwnedFd>>,
}

impl Outgoing {
    /// A message with `payload` as it is.
    pub fn raw(header: &Header, payload: &[u8]) -> Result<Outgoing, XdrError> {
        let length = LENGTH_MIN + payload.len();
        if length > LENGTH_MAX {
            return Err(XdrError::TooLong { length, limit: LENGTH_MAX });
        }
        Ok(frame(header, payload))
    }

    pub fn new<C: Codec>(header: &Header, value: &C::Value) -> Result<Outgoing, XdrError> {
        Outgoing::raw(header, &xdr::encode::<C>(value)?)
    }

    /// A call or reply whose payload begins with the number of descriptors; `header.kind` must say so.
    pub fn with_fds<C: Codec>(header: &Header, value: &C::Value, fds: Vec<OwnedFd>) -> Result<Outgoing, XdrError> {
        Outgoing::raw_with_fds(header, &xdr::encode::<C>(value)?, fds)
    }

    pub fn raw_with_fds(header: &Header, payload: &[u8], fds: Vec<OwnedFd>) -> Result<Outgoing, XdrError> {
        if fds.len() > FDS_MAX {
            return Err(XdrError::TooLong { length: fds.len(), limit: FDS_MAX });
        }
        let payload = [&(fds.len() as u32).to_be_bytes(), payload].concat();
        let fds = fds.into_iter().map(Arc::new).collect();
        Ok(Outgoing { fds, ..Outgoing::raw(header, &payload)? })
    }

    pub fn ping() -> Outgoing {
        keepalive(crate::keepalive::Procedure::Ping)
    }

    pub fn pong() -> Outgoing {
        keepalive(crate::keepalive::Procedure::Pong)
    }

    /// The answer to `header`'s message that says what went wrong. Text too long for the wire is cut.
    pub fn error(header: &Header, kind: Type, error: &api::Error) -> Outgoing {
        let header = header.answer(kind, Status::Error);
        let bytes = xdr::encode::<virnet::MessageError>(&crate::error::to_wire(error)).unwrap_or_default();
        frame(&header, &bytes)
    }
}

fn keepalive(procedure: crate::keepalive::Procedure) -> Outgoing {
    frame(&Header::event(procedure, 0), &[])
}

/// The bytes on the wire; the caller knows that `payload` is within the limits.
fn frame(header: &Header, payload: &[u8]) -> Outgoing {
    Outgoing { bytes: [&header.head(payload.len())[..], payload].concat().into(), fds: Vec::new() }
}
