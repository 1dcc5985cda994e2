//! Typed parameters (`virTypedParameter`): named values of tuning and statistics calls.

#[derive(Debug, Clone, PartialEq)]
pub struct TypedParam {
    /// At most 80 bytes on the wire.
    pub field: String,
    pub value: TypedValue,
}

#[derive(Debug, Clone, PartialEq)]
pub enum TypedValue {
    Int(i32),
    UInt(u32),
    LLong(i64),
    ULLong(u64),
    Double(f64),
    Boolean(bool),
    String(String),
}

impl TypedParam {
    pub fn new(field: impl Into<String>, value: TypedValue) -> TypedParam {
        TypedParam { field: field.into(), value }
    }
}
