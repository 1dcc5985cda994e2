//! XDR (RFC 4506) as libvirt uses it: every item in big-endian units of four bytes.
//!
//! A [`Codec`] is how one item travels; its `Value` is what Rust code holds. Decoding trusts no length: each is held
//! against the protocol's limit and against the bytes that are there before anything is allocated.

use std::fmt;

/// How a value travels. Protocol structures are their own codec; [`List`], [`Opaque`] and the like add the limits.
pub trait Codec {
    type Value;
    fn encode(value: &Self::Value, out: &mut Vec<u8>) -> Result<(), XdrError>;
    fn decode(input: &mut Input<'_>) -> Result<Self::Value, XdrError>;
}

/// What a codec's value is in Rust.
pub type Value<C> = <C as Codec>::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum XdrError {
    /// The data ends inside an item.
    Short,
    /// A length beyond the protocol's limit.
    TooLong { length: usize, limit: usize },
    /// A union or enumeration with a number that the protocol does not know.
    Unknown(i32),
}

impl fmt::Display for XdrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            XdrError::Short => f.write_str("the data ends inside an item"),
            XdrError::TooLong { length, limit } => write!(f, "length {length} is over the limit {limit}"),
            XdrError::Unknown(number) => write!(f, "unknown number {number} in a union or enumeration"),
        }
    }
}

impl std::error::Error for XdrError {}

pub fn encode<C: Codec>(value: &C::Value) -> Result<Vec<u8>, XdrError> {
    let mut out = Vec::new();
    C::encode(value, &mut out)?;
    Ok(out)
}

/// Trailing bytes are ignored, as libvirt does on both sides.
pub fn decode<C: Codec>(bytes: &[u8]) -> Result<C::Value, XdrError> {
    C::decode(&mut Input::new(bytes))
}

/// What is left to decode.
pub struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    pub fn new(bytes: &'a [u8]) -> Input<'a> {
        Input { rest: bytes }
    }

    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], XdrError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(XdrError::Short)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], XdrError> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(XdrError::Short)?;
        self.rest = rest;
        Ok(*taken)
    }

    /// `count` packed bytes and their padding, whose content nobody checks.
    fn padded(&mut self, count: usize) -> Result<&'a [u8], XdrError> {
        let taken = self.take(count)?;
        self.take(padding(count))?;
        Ok(taken)
    }

    fn length(&mut self, limit: usize) -> Result<usize, XdrError> {
        let length = u32::decode(self)? as usize;
        if length > limit { Err(XdrError::TooLong { length, limit }) } else { Ok(length) }
    }
}

fn padding(count: usize) -> usize {
    count.wrapping_neg() % 4
}

fn write_padded(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(bytes);
    out.resize(out.len() + padding(bytes.len()), 0);
}

fn write_length(length: usize, limit: usize, out: &mut Vec<u8>) -> Result<(), XdrError> {
    let word = u32::try_from(length).ok().filter(|_| length <= limit).ok_or(XdrError::TooLong { length, limit })?;
    out.extend_from_slice(&word.to_be_bytes());
    Ok(())
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Codec for $number {
            type Value = $number;
            fn encode(value: &$number, out: &mut Vec<u8>) -> Result<(), XdrError> {
                out.extend_from_slice(&value.to_be_bytes());
                Ok(())
            }
            fn decode(input: &mut Input<'_>) -> Result<$number, XdrError> {
                Ok(<$number>::from_be_bytes(input.array()?))
            }
        }
    )*};
}

numbers!(i32, u32, i64, u64, f64);

/// Nothing: the arguments or results of a call that has none.
impl Codec for () {
    type Value = ();
    fn encode(_: &(), _: &mut Vec<u8>) -> Result<(), XdrError> {
        Ok(())
    }
    fn decode(_: &mut Input<'_>) -> Result<(), XdrError> {
        Ok(())
    }
}

/// A `char`, which takes a whole unit, with its sign.
pub enum Char {}

impl Codec for Char {
    type Value = u8;
    fn encode(value: &u8, out: &mut Vec<u8>) -> Result<(), XdrError> {
        i32::encode(&i32::from(*value as i8), out)
    }
    fn decode(input: &mut Input<'_>) -> Result<u8, XdrError> {
        Ok(i32::decode(input)? as u8)
    }
}

/// An `unsigned char`, which takes a whole unit.
pub enum UChar {}

impl Codec for UChar {
    type Value = u8;
    fn encode(value: &u8, out: &mut Vec<u8>) -> Result<(), XdrError> {
        u32::encode(&u32::from(*value), out)
    }
    fn decode(input: &mut Input<'_>) -> Result<u8, XdrError> {
        Ok(u32::decode(input)? as u8)
    }
}

/// An `unsigned short`, which takes a whole unit.
pub enum UShort {}

impl Codec for UShort {
    type Value = u16;
    fn encode(value: &u16, out: &mut Vec<u8>) -> Result<(), XdrError> {
        u32::encode(&u32::from(*value), out)
    }
    fn decode(input: &mut Input<'_>) -> Result<u16, XdrError> {
        Ok(u32::decode(input)? as u16)
    }
}

/// Something that may be absent. Any flag but zero counts as present: one client in the field writes it byte-swapped.
impl<C: Codec> Codec for Option<C> {
    type Value = Option<C::Value>;
    fn encode(value: &Self::Value, out: &mut Vec<u8>) -> Result<(), XdrError> {
        u32::encode(&u32::from(value.is_some()), out)?;
        value.as_ref().map_or(Ok(()), |value| C::encode(value, out))
    }
    fn decode(input: &mut Input<'_>) -> Result<Self::Value, XdrError> {
        if u32::decode(input)? == 0 { Ok(None) } else { C::decode(input).map(Some) }
    }
}

/// At most `MAX` items behind their count.
pub struct List<C, const MAX: usize>(std::marker::PhantomData<C>);

impl<C: Codec, const MAX: usize> Codec for List<C, MAX> {
    type Value = Vec<C::Value>;
    fn encode(value: &Self::Value, out: &mut Vec<u8>) -> Result<(), XdrError> {
        write_length(value.len(), MAX, out)?;
        value.iter().try_for_each(|item| C::encode(item, out))
    }
    fn decode(input: &mut Input<'_>) -> Result<Self::Value, XdrError> {
        let count = input.length(MAX)?;
        // No item is smaller than a unit, and a big list proves itself item by item.
        let mut items = Vec::with_capacity(count.min(input.rest.len() / 4).min(1024));
        for _ in 0..count {
            items.push(C::decode(input)?);
        }
        Ok(items)
    }
}

/// Exactly `N` items.
pub struct Array<C, const N: usize>(std::marker::PhantomData<C>);

impl<C: Codec<Value: Copy + Default>, const N: usize> Codec for Array<C, N> {
    type Value = [C::Value; N];
    fn encode(value: &Self::Value, out: &mut Vec<u8>) -> Result<(), XdrError> {
        value.iter().try_for_each(|item| C::encode(item, out))
    }
    fn decode(input: &mut Input<'_>) -> Result<Self::Value, XdrError> {
        let mut items = [C::Value::default(); N];
        for item in &mut items {
            *item = C::decode(input)?;
        }
        Ok(items)
    }
}

/// At most `MAX` packed bytes.
pub enum Opaque<const MAX: usize> {}

impl<const MAX: usize> Codec for Opaque<MAX> {
    type Value = Vec<u8>;
    fn encode(value: &Vec<u8>, out: &mut Vec<u8>) -> Result<(), XdrError> {
        write_length(value.len(), MAX, out)?;
        write_padded(value, out);
        Ok(())
    }
    fn decode(input: &mut Input<'_>) -> Result<Vec<u8>, XdrError> {
        let count = input.length(MAX)?;
        Ok(input.padded(count)?.to_vec())
    }
}

/// Exactly `N` packed bytes.
pub enum Fixed<const N: usize> {}

impl<const N: usize> Codec for Fixed<N> {
    type Value = [u8; N];
    fn encode(value: &[u8; N], out: &mut Vec<u8>) -> Result<(), XdrError> {
        write_padded(value, out);
        Ok(())
    }
    fn decode(input: &mut Input<'_>) -> Result<[u8; N], XdrError> {
        let bytes = input.array()?;
        input.take(padding(N))?;
        Ok(bytes)
    }
}

/// A string: bytes of no certain encoding, at most [`Str::MAX`] of them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Str(pub Vec<u8>);

impl Str {
    pub const MAX: usize = 4_194_304;

    /// The text, where it is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    pub fn to_string_lossy(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

impl Codec for Str {
    type Value = Str;
    fn encode(value: &Str, out: &mut Vec<u8>) -> Result<(), XdrError> {
        Opaque::<{ Str::MAX }>::encode(&value.0, out)
    }
    fn decode(input: &mut Input<'_>) -> Result<Str, XdrError> {
        let count = input.length(Str::MAX)?;
        let bytes = input.padded(count)?;
        // A C program's string ends at its first NUL.
        Ok(Str(bytes.split(|byte| *byte == 0).next().unwrap_or_default().to_vec()))
    }
}

impl From<&str> for Str {
    fn from(text: &str) -> Str {
        Str(text.as_bytes().to_vec())
    }
}

impl From<String> for Str {
    fn from(text: String) -> Str {
        Str(text.into_bytes())
    }
}

impl From<&String> for Str {
    fn from(text: &String) -> Str {
        Str(text.as_bytes().to_vec())
    }
}

impl fmt::Display for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chars_take_a_unit_each_and_opaque_bytes_are_packed() {
        assert_eq!(encode::<List<Char, 4>>(&vec![b'a', 0xff]), Ok(vec![0, 0, 0, 2, 0, 0, 0, 97, 255, 255, 255, 255]));
        assert_eq!(encode::<Opaque<4>>(&vec![1, 2]), Ok(vec![0, 0, 0, 2, 1, 2, 0, 0]));
        assert_eq!(encode::<Fixed<5>>(&[1, 2, 3, 4, 5]), Ok(vec![1, 2, 3, 4, 5, 0, 0, 0]));
    }

    #[test]
    fn limits_hold_both_ways() {
        let long = XdrError::TooLong { length: 5, limit: 4 };
        assert_eq!(encode::<Opaque<4>>(&vec![0; 5]), Err(long));
        assert_eq!(decode::<Opaque<4>>(&[0, 0, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0]), Err(long));
        assert_eq!(decode::<List<u32, 4>>(&[0, 0, 0, 5]), Err(long));
        assert_eq!(decode::<Str>(&[255, 255, 255, 255]).map_err(|e| matches!(e, XdrError::TooLong { .. })), Err(true));
        assert_eq!(decode::<List<u64, 1_000_000_000>>(&[0, 255, 255, 255, 0, 0]), Err(XdrError::Short));
    }

    #[test]
    fn oddities_of_clients_are_taken() {
        assert_eq!(decode::<Option<u32>>(&[1, 0, 0, 0, 0, 0, 0, 7]), Ok(Some(7)), "a byte-swapped flag");
        assert_eq!(
            decode::<Str>(b"\0\0\0\x05ab\0cd\x01\x02\x03"),
            Ok(Str::from("ab")),
            "a NUL, padding that is not zero"
        );
        assert_eq!(decode::<u32>(&[0, 0, 0, 1, 9, 9, 9, 9]), Ok(1), "bytes behind the end");
    }
}
