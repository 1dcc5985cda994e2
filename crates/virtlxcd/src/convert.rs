//! Between the wire's types and those of the drivers.

use api::{DomainRef, TypedParam, TypedValue, Uuid};
use rpc::remote::{self, NonnullDomain, NonnullNetwork, TypedParamValue};

pub fn domain(domain: &DomainRef) -> NonnullDomain {
    NonnullDomain { name: domain.name.as_str().into(), uuid: domain.uuid.0, id: domain.id }
}

pub fn network(name: &str, uuid: &Uuid) -> NonnullNetwork {
    NonnullNetwork { name: name.into(), uuid: uuid.0 }
}

pub fn typed_param_to_wire(param: &TypedParam) -> remote::TypedParam {
    let value = match &param.value {
        TypedValue::Int(v) => TypedParamValue::Int(*v),
        TypedValue::UInt(v) => TypedParamValue::Uint(*v),
        TypedValue::LLong(v) => TypedParamValue::Llong(*v),
        TypedValue::ULLong(v) => TypedParamValue::Ullong(*v),
        TypedValue::Double(v) => TypedParamValue::Double(*v),
        TypedValue::Boolean(v) => TypedParamValue::Boolean(i32::from(*v)),
        TypedValue::String(v) => TypedParamValue::String(v.into()),
    };
    remote::TypedParam { field: param.field.as_str().into(), value }
}

pub fn typed_param_from_wire(param: remote::TypedParam) -> TypedParam {
    let value = match param.value {
        TypedParamValue::Int(v) => TypedValue::Int(v),
        TypedParamValue::Uint(v) => TypedValue::UInt(v),
        TypedParamValue::Llong(v) => TypedValue::LLong(v),
        TypedParamValue::Ullong(v) => TypedValue::ULLong(v),
        TypedParamValue::Double(v) => TypedValue::Double(v),
        TypedParamValue::Boolean(v) => TypedValue::Boolean(v != 0),
        TypedParamValue::String(v) => TypedValue::String(v.to_string_lossy()),
    };
    TypedParam { field: param.field.to_string_lossy(), value }
}

/// `(params, nparams)` of libvirt's question in two steps: asked with room for none, the answer is how many there are.
pub fn answer_params<T>(asked: i32, available: Vec<T>) -> (Vec<T>, i32) {
    match usize::try_from(asked) {
        Ok(0) | Err(_) => (Vec::new(), available.len() as i32),
        Ok(room) => (available.into_iter().take(room).collect(), 0),
    }
}
