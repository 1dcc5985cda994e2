//! One call on the system's message bus and its answer (the D-Bus specification): enough to register a container with
//! systemd. Blocking, little-endian, over the unix socket, authenticated by our user id.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// Where the system's bus listens, unless the administrator moved it.
pub const SYSTEM_BUS: &str = "/run/dbus/system_bus_socket";

/// The bus itself does not wait longer for an answer.
const PATIENCE: Duration = Duration::from_secs(25);
/// More than any answer that we ask for; a longer one is not read.
const LONGEST_MESSAGE: usize = 1 << 20;

const METHOD_CALL: u8 = 1;
const METHOD_RETURN: u8 = 2;
const ERROR: u8 = 3;

/// Fields of a message's header, by their code.
const PATH: u8 = 1;
const INTERFACE: u8 = 2;
const MEMBER: u8 = 3;
const ERROR_NAME: u8 = 4;
const REPLY_SERIAL: u8 = 5;
const DESTINATION: u8 = 6;
const SIGNATURE: u8 = 8;

/// Whom to call.
pub struct Method<'a> {
    pub destination: &'a str,
    pub path: &'a str,
    pub interface: &'a str,
    pub member: &'a str,
}

/// Why a call had no result.
#[derive(Debug)]
pub enum Failure {
    /// No bus, or no answer.
    Bus(io::Error),
    /// The called one, or the bus in its place, said no: the error's name and its text.
    Refused { name: String, text: String },
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Bus(error) => write!(f, "the system bus does not answer: {error}"),
            Failure::Refused { name, text } => write!(f, "{text} ({name})"),
        }
    }
}

impl std::error::Error for Failure {}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Bus(error)
    }
}

pub struct Connection {
    stream: UnixStream,
    serial: u32,
}

impl Connection {
    pub fn open(socket: &Path) -> Result<Connection, Failure> {
        let mut stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let uid = rustix::process::geteuid().as_raw().to_string();
        let uid: String = uid.bytes().map(|digit| format!("{digit:02x}")).collect();
        stream.write_all(format!("\0AUTH EXTERNAL {uid}\r\n").as_bytes())?;
        let answer = line(&mut stream)?;
        if !answer.starts_with("OK ") {
            return Err(io::Error::other(format!("authentication was answered with '{answer}'")).into());
        }
        stream.write_all(b"BEGIN\r\n")?;
        let mut connection = Connection { stream, serial: 0 };
        let hello = Method {
            destination: "org.freedesktop.DBus",
            path: "/org/freedesktop/DBus",
            interface: "org.freedesktop.DBus",
            member: "Hello",
        };
        connection.call(&hello, &Body::default())?;
        Ok(connection)
    }

    /// Calls and waits. The result's own content is not looked at.
    pub fn call(&mut self, method: &Method, arguments: &Body) -> Result<(), Failure> {
        self.serial += 1;
        self.stream.write_all(&message(method, arguments, self.serial))?;
        loop {
            let reply = Reply::read(&mut self.stream)?;
            if reply.to != Some(self.serial) {
                continue;
            }
            match reply.kind {
                METHOD_RETURN => return Ok(()),
                ERROR => return Err(Failure::Refused { name: reply.error.unwrap_or_default(), text: reply.text }),
                _ => {}
            }
        }
    }
}

/// Up to `\r\n`, byte by byte, for what follows is no line.
fn line(stream: &mut UnixStream) -> io::Result<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        bytes.extend(byte);
        if bytes.len() > 1024 {
            return Err(io::Error::other("the bus answers with something else than a line"));
        }
    }
    Ok(String::from_utf8_lossy(&bytes).trim_end().to_string())
}

/// The arguments of a call: values and their types.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Body {
    signature: String,
    bytes: Vec<u8>,
}

/// A value that says its own type.
pub enum Variant<'a> {
    Text(&'a str),
    Texts(&'a [&'a str]),
    Boolean(bool),
    Number(u64),
}

impl Body {
    pub fn text(mut self, text: &str) -> Body {
        self.signature += "s";
        put_text(&mut self.bytes, text);
        self
    }

    pub fn bytes(mut self, bytes: &[u8]) -> Body {
        self.signature += "ay";
        put_u32(&mut self.bytes, length(bytes.len()));
        self.bytes.extend(bytes);
        self
    }

    pub fn u32(mut self, number: u32) -> Body {
        self.signature += "u";
        put_u32(&mut self.bytes, number);
        self
    }

    pub fn i32s(mut self, numbers: &[i32]) -> Body {
        self.signature += "ai";
        put_u32(&mut self.bytes, length(numbers.len() * 4));
        self.bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        self
    }

    /// An array of pairs of a name and a value.
    pub fn properties(mut self, properties: &[(&str, Variant)]) -> Body {
        self.signature += "a(sv)";
        put_array(&mut self.bytes, 8, |bytes| {
            for (name, value) in properties {
                align(bytes, 8);
                put_text(bytes, name);
                put_variant(bytes, value);
            }
        });
        self
    }
}

fn put_variant(bytes: &mut Vec<u8>, value: &Variant) {
    match value {
        Variant::Text(text) => {
            put_signature(bytes, "s");
            put_text(bytes, text);
        }
        Variant::Texts(texts) => {
            put_signature(bytes, "as");
            put_array(bytes, 4, |bytes| texts.iter().for_each(|text| put_text(bytes, text)));
        }
        Variant::Boolean(value) => {
            put_signature(bytes, "b");
            put_u32(bytes, u32::from(*value));
        }
        Variant::Number(number) => {
            put_signature(bytes, "t");
            align(bytes, 8);
            bytes.extend(number.to_le_bytes());
        }
    }
}

/// The length counts neither itself nor the padding before the first element.
fn put_array(bytes: &mut Vec<u8>, alignment: usize, fill: impl FnOnce(&mut Vec<u8>)) {
    put_u32(bytes, 0);
    let counted = bytes.len() - 4;
    align(bytes, alignment);
    let begin = bytes.len();
    fill(bytes);
    let count = length(bytes.len() - begin).to_le_bytes();
    bytes.splice(counted..counted + 4, count);
}

fn align(bytes: &mut Vec<u8>, to: usize) {
    bytes.resize(bytes.len().next_multiple_of(to), 0);
}

fn put_u32(bytes: &mut Vec<u8>, number: u32) {
    align(bytes, 4);
    bytes.extend(number.to_le_bytes());
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put_u32(bytes, length(text.len()));
    bytes.extend(text.as_bytes());
    bytes.push(0);
}

fn put_signature(bytes: &mut Vec<u8>, signature: &str) {
    bytes.push(u8::try_from(signature.len()).unwrap_or(0));
    bytes.extend(signature.as_bytes());
    bytes.push(0);
}

fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn message(method: &Method, arguments: &Body, serial: u32) -> Vec<u8> {
    let mut bytes = vec![b'l', METHOD_CALL, 0, 1];
    put_u32(&mut bytes, length(arguments.bytes.len()));
    put_u32(&mut bytes, serial);
    let fields = [
        (PATH, "o", method.path),
        (INTERFACE, "s", method.interface),
        (MEMBER, "s", method.member),
        (DESTINATION, "s", method.destination),
        (SIGNATURE, "g", arguments.signature.as_str()),
    ];
    put_array(&mut bytes, 8, |bytes| {
        for (code, kind, value) in fields.into_iter().filter(|(code, _, value)| *code != SIGNATURE || !value.is_empty())
        {
            align(bytes, 8);
            bytes.push(code);
            put_signature(bytes, kind);
            match code {
                SIGNATURE => put_signature(bytes, value),
                _ => put_text(bytes, value),
            }
        }
    });
    align(&mut bytes, 8);
    bytes.extend(&arguments.bytes);
    bytes
}

/// What came, as far as it matters.
struct Reply {
    kind: u8,
    to: Option<u32>,
    error: Option<String>,
    /// The body's first value where it is a text, as of an error.
    text: String,
}

impl Reply {
    fn read(from: &mut impl Read) -> io::Result<Reply> {
        let mut start = [0; 16];
        from.read_exact(&mut start)?;
        if start[0] != b'l' {
            // The bus passes on what the sender wrote; systemd and the bus write in this machine's order.
            return Err(io::Error::other("a message of the other byte order"));
        }
        let number = |at: usize| u32::from_le_bytes([start[at], start[at + 1], start[at + 2], start[at + 3]]) as usize;
        let (body, fields) = (number(4), number(12));
        let padded = fields.next_multiple_of(8);
        if body.saturating_add(padded) > LONGEST_MESSAGE {
            return Err(io::Error::other("a message of the bus is too long"));
        }
        let mut rest = vec![0; padded + body];
        from.read_exact(&mut rest)?;
        let (header, body) = rest.split_at(padded);
        let mut reply = Reply { kind: start[1], to: None, error: None, text: String::new() };
        reply.fields(header.get(..fields).unwrap_or_default());
        reply.text = Reader { bytes: body, at: 0 }.text().unwrap_or_default();
        Ok(reply)
    }

    /// Fields up to one of a type that none of ours has.
    fn fields(&mut self, bytes: &[u8]) {
        let mut reader = Reader { bytes, at: 0 };
        while reader.at < bytes.len() {
            reader.at = reader.at.next_multiple_of(8);
            let (Some(code), Some(kind)) = (reader.byte(), reader.signature()) else { return };
            match kind.as_str() {
                "u" => {
                    let number = reader.u32();
                    if code == REPLY_SERIAL {
                        self.to = number;
                    }
                }
                "s" | "o" => {
                    let text = reader.text();
                    if code == ERROR_NAME {
                        self.error = text;
                    }
                }
                "g" => _ = reader.signature(),
                _ => return,
            }
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        self.at += 1;
        self.bytes.get(self.at - 1).copied()
    }

    fn u32(&mut self) -> Option<u32> {
        let at = self.at.next_multiple_of(4);
        self.at = at + 4;
        Some(u32::from_le_bytes(self.bytes.get(at..at + 4)?.try_into().ok()?))
    }

    fn text(&mut self) -> Option<String> {
        let length = self.u32()? as usize;
        self.ended(length)
    }

    fn signature(&mut self) -> Option<String> {
        let length = usize::from(self.byte()?);
        self.ended(length)
    }

    /// So many bytes, and a zero behind them.
    fn ended(&mut self, length: usize) -> Option<String> {
        let text = self.bytes.get(self.at..self.at.checked_add(length)?)?;
        self.at += length + 1;
        Some(String::from_utf8_lossy(text).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METHOD: Method = Method { destination: "a.b", path: "/a", interface: "a.b", member: "Do" };

    #[test]
    fn a_call_is_aligned() {
        let body = Body::default().text("x").bytes(&[1, 2, 3]).u32(7);
        assert_eq!((body.signature.as_str(), body.bytes.len()), ("sayu", 20));
        let bytes = message(&METHOD, &body, 5);
        assert_eq!(bytes[..4], [b'l', 1, 0, 1]);
        assert_eq!(bytes[4..12], [20, 0, 0, 0, 5, 0, 0, 0]);
        assert_eq!((bytes.len() - 20) % 8, 0);
        assert!(bytes.ends_with(&[7, 0, 0, 0]));
    }

    #[test]
    fn properties_are_counted_without_their_padding() {
        let body = Body::default().properties(&[("A", Variant::Boolean(true)), ("B", Variant::Text("c"))]);
        assert_eq!(body.signature, "a(sv)");
        // "A": 4+1+1, its type 1+1+1, padding 3, the value 4; padding to 16; "B": 6, 3, 3, 4+1+1.
        assert_eq!(body.bytes[..8], [34, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(body.bytes.len(), 8 + 34);
    }

    #[test]
    fn answers_are_read_whatever_comes() {
        let mut error = message(&METHOD, &Body::default().text("no"), 9);
        error[1] = ERROR;
        let reply = Reply::read(&mut error.as_slice()).unwrap();
        assert_eq!((reply.kind, reply.to, reply.text.as_str()), (ERROR, None, "no"));
        for cut in 0..error.len() {
            _ = Reply::read(&mut &error[..cut]);
            let mut broken = error.clone();
            broken[cut] = 0xff;
            _ = Reply::read(&mut broken.as_slice());
        }
    }
}
