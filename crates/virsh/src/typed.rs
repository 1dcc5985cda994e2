//! Typed parameters of the wire, shown and made.

use rpc::remote::{TypedParam, TypedParamValue};
use serde_json::{Value, json};

/// The flag with which a client says that it understands strings among them.
pub const STRING_OKAY: u32 = 4;

pub fn show(value: &TypedParamValue) -> String {
    match value {
        TypedParamValue::Int(number) => number.to_string(),
        TypedParamValue::Uint(number) => number.to_string(),
        TypedParamValue::Llong(number) => number.to_string(),
        TypedParamValue::Ullong(number) => number.to_string(),
        TypedParamValue::Double(number) => format!("{number:.6}"),
        TypedParamValue::Boolean(truth) => if *truth != 0 { "yes" } else { "no" }.to_string(),
        TypedParamValue::String(text) => text.to_string_lossy(),
    }
}

pub fn json(value: &TypedParamValue) -> Value {
    match value {
        TypedParamValue::Int(number) => json!(number),
        TypedParamValue::Uint(number) => json!(number),
        TypedParamValue::Llong(number) => json!(number),
        TypedParamValue::Ullong(number) => json!(number),
        TypedParamValue::Double(number) => json!(number),
        TypedParamValue::Boolean(truth) => json!(*truth != 0),
        TypedParamValue::String(text) => json!(text.to_string_lossy()),
    }
}

pub fn number(value: &TypedParamValue) -> Option<u64> {
    match value {
        TypedParamValue::Int(number) => u64::try_from(*number).ok(),
        TypedParamValue::Uint(number) => Some((*number).into()),
        TypedParamValue::Llong(number) => u64::try_from(*number).ok(),
        TypedParamValue::Ullong(number) => Some(*number),
        _ => None,
    }
}

pub fn find<'a>(params: &'a [TypedParam], name: &str) -> Option<&'a TypedParamValue> {
    params.iter().find(|param| param.field.as_str() == Some(name)).map(|param| &param.value)
}

pub fn param(field: &str, value: TypedParamValue) -> TypedParam {
    TypedParam { field: field.into(), value }
}

pub fn ullong(field: &str, value: u64) -> TypedParam {
    param(field, TypedParamValue::Ullong(value))
}

pub fn string(field: &str, value: &str) -> TypedParam {
    param(field, TypedParamValue::String(value.into()))
}

/// The C type of such a value, as libvirt names it.
pub fn kind(value: &TypedParamValue) -> &'static str {
    match value {
        TypedParamValue::Int(_) => "int",
        TypedParamValue::Uint(_) => "unsigned int",
        TypedParamValue::Llong(_) => "long long",
        TypedParamValue::Ullong(_) => "unsigned long long",
        TypedParamValue::Double(_) => "double",
        TypedParamValue::Boolean(_) => "boolean",
        TypedParamValue::String(_) => "string",
    }
}

/// A value of the same type as `like`, read from text.
pub fn parse_like(like: &TypedParamValue, text: &str) -> Option<TypedParamValue> {
    Some(match like {
        TypedParamValue::Int(_) => TypedParamValue::Int(text.parse().ok()?),
        TypedParamValue::Uint(_) => TypedParamValue::Uint(text.parse().ok()?),
        TypedParamValue::Llong(_) => TypedParamValue::Llong(text.parse().ok()?),
        TypedParamValue::Ullong(_) => TypedParamValue::Ullong(text.parse().ok()?),
        TypedParamValue::Double(_) => TypedParamValue::Double(text.parse().ok()?),
        TypedParamValue::Boolean(_) => TypedParamValue::Boolean(match text {
            "1" | "yes" | "true" => 1,
            "0" | "no" | "false" => 0,
            _ => return None,
        }),
        TypedParamValue::String(_) => TypedParamValue::String(text.into()),
    })
}
