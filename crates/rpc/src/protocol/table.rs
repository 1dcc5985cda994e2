//! The forms in which the generated modules write the protocol down: `messages!` for structures, `unions!` and
//! `numbers!` for choices, `procedures!` for the calls of a program with what is known about each.

/// Who may use a procedure on a read-only connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadOnly {
    Allowed,
    Refused,
    /// Refused when these bits are set in the call's `flags` (in its `source`, for interface addresses).
    RefusedWith(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    Low,
    /// Priority workers may take it too.
    High,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Call,
    /// Sent by the daemon unasked.
    Event,
}

/// What is known about one procedure.
#[derive(Debug, Clone, Copy)]
pub struct ProcedureInfo {
    pub number: i32,
    pub name: &'static str,
    pub kind: Kind,
    pub priority: Priority,
    pub read_only: ReadOnly,
    /// `object:permission` of libvirt's access control, `!flag` or `?flag` behind it where it depends on flags.
    pub acl: &'static [&'static str],
    /// The public function, as error messages name it; empty where there is none.
    pub api: &'static str,
    /// The error domain of that function's family, as a number.
    pub domain: i32,
}

macro_rules! messages {
    ($($name:ident { $($field:ident: $codec:ty,)* })*) => {$(
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $(pub $field: $crate::xdr::Value<$codec>,)*
        }

        impl $crate::xdr::Codec for $name {
            type Value = $name;
            fn encode(value: &$name, out: &mut Vec<u8>) -> Result<(), $crate::xdr::XdrError> {
                $(<$codec as $crate::xdr::Codec>::encode(&value.$field, out)?;)*
                Ok(())
            }
            fn decode(input: &mut $crate::xdr::Input<'_>) -> Result<$name, $crate::xdr::XdrError> {
                Ok($name { $($field: <$codec as $crate::xdr::Codec>::decode(input)?,)* })
            }
        }
    )*};
}

macro_rules! unions {
    ($($name:ident { $($arm:ident = $number:literal: $codec:ty,)* })*) => {$(
        #[derive(Debug, Clone, PartialEq)]
        pub enum $name {
            $($arm($crate::xdr::Value<$codec>),)*
        }

        impl $crate::xdr::Codec for $name {
            type Value = $name;
            fn encode(value: &$name, out: &mut Vec<u8>) -> Result<(), $crate::xdr::XdrError> {
                match value {
                    $($name::$arm(value) => {
                        <i32 as $crate::xdr::Codec>::encode(&$number, out)?;
                        <$codec as $crate::xdr::Codec>::encode(value, out)
                    })*
                }
            }
            fn decode(input: &mut $crate::xdr::Input<'_>) -> Result<$name, $crate::xdr::XdrError> {
                match <i32 as $crate::xdr::Codec>::decode(input)? {
                    $($number => Ok($name::$arm(<$codec as $crate::xdr::Codec>::decode(input)?)),)*
                    other => Err($crate::xdr::XdrError::Unknown(other)),
                }
            }
        }
    )*};
}

macro_rules! numbers {
    ($($name:ident { $($variant:ident = $number:literal,)* })*) => {$(
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($variant = $number,)*
        }

        impl $name {
            pub fn from_number(number: i32) -> Option<$name> {
                match number {
                    $($number => Some($name::$variant),)*
                    _ => None,
                }
            }

            pub fn number(self) -> i32 {
                self as i32
            }
        }

        impl $crate::xdr::Codec for $name {
            type Value = $name;
            fn encode(value: &$name, out: &mut Vec<u8>) -> Result<(), $crate::xdr::XdrError> {
                <i32 as $crate::xdr::Codec>::encode(&value.number(), out)
            }
            fn decode(input: &mut $crate::xdr::Input<'_>) -> Result<$name, $crate::xdr::XdrError> {
                let number = <i32 as $crate::xdr::Codec>::decode(input)?;
                $name::from_number(number).ok_or($crate::xdr::XdrError::Unknown(number))
            }
        }
    )*};
}

/// One line a procedure: variant = number, wire name, kind, priority, read-only rule, access, public function, its
/// error domain, arguments (for an event: its payload) and result.
macro_rules! procedures {
    ($program:literal version $version:literal { $(
        $variant:ident = $number:literal $name:literal $kind:ident $priority:ident ($read_only:expr)
            [$($acl:literal),*] $api:literal $domain:literal ($args:ty) -> ($ret:ty);
    )* }) => {
        /// The program's number in message headers.
        pub const PROGRAM: u32 = $program;
        pub const VERSION: u32 = $version;

        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Procedure {
            $($variant = $number,)*
        }

        impl Procedure {
            pub fn from_number(number: i32) -> Option<Procedure> {
                match number {
                    $($number => Some(Procedure::$variant),)*
                    _ => None,
                }
            }

            pub fn number(self) -> i32 {
                self as i32
            }

            pub fn info(self) -> &'static $crate::protocol::ProcedureInfo {
                // Procedures are numbered from 1 without a gap; a test holds that against the table.
                &PROCEDURES[self as usize - 1]
            }
        }

        impl $crate::protocol::ProgramProcedure for Procedure {
            const PROGRAM: u32 = PROGRAM;
            const VERSION: u32 = VERSION;
            fn number(self) -> i32 {
                self as i32
            }
        }

        /// Every procedure, in the order of their numbers.
        pub static PROCEDURES: &[$crate::protocol::ProcedureInfo] = &[$(
            $crate::protocol::ProcedureInfo {
                number: $number,
                name: $name,
                kind: $crate::protocol::Kind::$kind,
                priority: $crate::protocol::Priority::$priority,
                read_only: {
                    #[allow(unused_imports, reason = "a program may need only some of the rules")]
                    use $crate::protocol::ReadOnly::{Allowed, Refused, RefusedWith};
                    $read_only
                },
                acl: &[$($acl),*],
                api: $api,
                domain: $domain,
            },
        )*];

        /// Decodes a payload (arguments and events, or a result) and encodes it again.
        #[cfg(any(test, feature = "again"))]
        pub fn again(procedure: Procedure, result: bool, payload: &[u8]) -> Result<Vec<u8>, $crate::xdr::XdrError> {
            match (procedure, result) {
                $(
                    (Procedure::$variant, false) => $crate::protocol::again::<$args>(payload),
                    (Procedure::$variant, true) => $crate::protocol::again::<$ret>(payload),
                )*
            }
        }
    };
}

pub(crate) use {messages, numbers, procedures, unions};
