//! Calls that change limits and metadata, live or for the next start, and ask for them.

use crate::call::{Call, known_flags};
use crate::convert::{answer_params, typed_param_from_wire, typed_param_to_wire};
use crate::domains::domain;
use api::{Error, ErrorDomain, Result};
use lxc::{CONFIG, LIVE, MAXIMUM};
use rpc::remote::*;

/// `VIR_TYPED_PARAM_STRING_OKAY`: every client in use can read strings.
const STRINGS_OKAY: u32 = 4;
const IMPACT: u32 = LIVE | CONFIG;

pub fn set_memory(call: &Call, args: DomainSetMemoryArgs) -> Result<()> {
    positive(args.memory, "virDomainSetMemory")?;
    call.daemon.domains()?.set_memory(&domain(call, &args.dom)?, args.memory, LIVE)
}

pub fn set_max_memory(call: &Call, args: DomainSetMaxMemoryArgs) -> Result<()> {
    positive(args.memory, "virDomainSetMaxMemory")?;
    call.daemon.domains()?.set_memory(&domain(call, &args.dom)?, args.memory, MAXIMUM)
}

pub fn set_memory_flags(call: &Call, args: DomainSetMemoryFlagsArgs) -> Result<()> {
    positive(args.memory, "virDomainSetMemoryFlags")?;
    known_flags(args.flags, IMPACT | MAXIMUM, "lxcDomainSetMemoryFlags", ErrorDomain::Lxc)?;
    call.daemon.domains()?.set_memory(&domain(call, &args.dom)?, args.memory, args.flags)
}

fn positive(memory: u64, function: &str) -> Result<()> {
    match memory {
        0 => {
            let words = format!("memory in {function} must not be zero");
            Err(Error::argument(ErrorDomain::Domain, function, "memory", words))
        }
        _ => Ok(()),
    }
}

pub fn memory_parameters(call: &Call, args: DomainGetMemoryParametersArgs) -> Result<DomainGetMemoryParametersRet> {
    known_flags(args.flags, IMPACT | STRINGS_OKAY, "lxcDomainGetMemoryParameters", ErrorDomain::Lxc)?;
    let found = call.daemon.domains()?.memory_parameters(&*domain(call, &args.dom)?, args.flags & IMPACT)?;
    let (params, nparams) = answer_params(args.nparams, found.iter().map(typed_param_to_wire).collect());
    Ok(DomainGetMemoryParametersRet { params, nparams })
}

pub fn set_memory_parameters(call: &Call, args: DomainSetMemoryParametersArgs) -> Result<()> {
    let params = given(args.params, "virDomainSetMemoryParameters")?;
    known_flags(args.flags, IMPACT, "lxcDomainSetMemoryParameters", ErrorDomain::Lxc)?;
    call.daemon.domains()?.set_memory_parameters(&domain(call, &args.dom)?, &params, args.flags)
}

pub fn block_parameters(call: &Call, args: DomainGetBlkioParametersArgs) -> Result<DomainGetBlkioParametersRet> {
    known_flags(args.flags, IMPACT | STRINGS_OKAY, "lxcDomainGetBlkioParameters", ErrorDomain::Lxc)?;
    let object = domain(call, &args.dom)?;
    // How many there are is told about a domain that does not run, too.
    if args.nparams == 0 {
        return Ok(DomainGetBlkioParametersRet { params: Vec::new(), nparams: lxc::BLOCK_PARAMETERS.len() as i32 });
    }
    let found = call.daemon.domains()?.block_parameters(&object, args.flags & IMPACT)?;
    let (params, nparams) = answer_params(args.nparams, found.iter().map(typed_param_to_wire).collect());
    Ok(DomainGetBlkioParametersRet { params, nparams })
}

pub fn set_block_parameters(call: &Call, args: DomainSetBlkioParametersArgs) -> Result<()> {
    let params = given(args.params, "virDomainSetBlkioParameters")?;
    known_flags(args.flags, IMPACT, "lxcDomainSetBlkioParameters", ErrorDomain::Lxc)?;
    call.daemon.domains()?.set_block_parameters(&domain(call, &args.dom)?, &params, args.flags)
}

pub fn scheduler_type(call: &Call, args: DomainGetSchedulerTypeArgs) -> Result<DomainGetSchedulerTypeRet> {
    domain(call, &args.dom)?;
    Ok(DomainGetSchedulerTypeRet { r#type: "posix".into(), nparams: 3 })
}

pub fn scheduler_parameters(
    call: &Call,
    args: DomainGetSchedulerParametersArgs,
) -> Result<DomainGetSchedulerParametersRet> {
    room_for_some(args.nparams, "virDomainGetSchedulerParameters")?;
    Ok(DomainGetSchedulerParametersRet { params: scheduler(call, &args.dom, args.nparams, 0)? })
}

pub fn scheduler_parameters_flags(
    call: &Call,
    args: DomainGetSchedulerParametersFlagsArgs,
) -> Result<DomainGetSchedulerParametersFlagsRet> {
    room_for_some(args.nparams, "virDomainGetSchedulerParametersFlags")?;
    known_flags(args.flags, IMPACT | STRINGS_OKAY, "lxcDomainGetSchedulerParametersFlags", ErrorDomain::Lxc)?;
    let params = scheduler(call, &args.dom, args.nparams, args.flags & IMPACT)?;
    Ok(DomainGetSchedulerParametersFlagsRet { params })
}

/// How many there are is told by the scheduler's type: here room for none is a mistake.
fn room_for_some(count: i32, function: &str) -> Result<()> {
    if count == 0 { Err(null_params(function)) } else { Ok(()) }
}

fn null_params(function: &str) -> Error {
    Error::argument(ErrorDomain::Domain, function, "params", format!("params in {function} must not be NULL"))
}

fn scheduler(call: &Call, dom: &NonnullDomain, room: i32, flags: u32) -> Result<Vec<TypedParam>> {
    let found = call.daemon.domains()?.scheduler_parameters(&*domain(call, dom)?, flags)?;
    Ok(found.iter().map(typed_param_to_wire).take(usize::try_from(room).unwrap_or(0)).collect())
}

pub fn set_scheduler_parameters(call: &Call, args: DomainSetSchedulerParametersArgs) -> Result<()> {
    let params = given(args.params, "virDomainSetSchedulerParameters")?;
    call.daemon.domains()?.set_scheduler_parameters(&domain(call, &args.dom)?, &params, 0)
}

pub fn set_scheduler_parameters_flags(call: &Call, args: DomainSetSchedulerParametersFlagsArgs) -> Result<()> {
    let params = given(args.params, "virDomainSetSchedulerParametersFlags")?;
    known_flags(args.flags, IMPACT, "lxcDomainSetSchedulerParametersFlags", ErrorDomain::Lxc)?;
    call.daemon.domains()?.set_scheduler_parameters(&domain(call, &args.dom)?, &params, args.flags)
}

/// The parameters of a call that needs at least one.
fn given(params: Vec<TypedParam>, function: &str) -> Result<Vec<api::TypedParam>> {
    if params.is_empty() {
        return Err(null_params(function));
    }
    Ok(params.into_iter().map(typed_param_from_wire).collect())
}

pub fn metadata(call: &Call, args: DomainGetMetadataArgs) -> Result<DomainGetMetadataRet> {
    known_flags(args.flags, IMPACT, "virDomainObjGetMetadata", ErrorDomain::Domain)?;
    let uri = args.uri.map(|uri| uri.to_string_lossy());
    let object = domain(call, &args.dom)?;
    let metadata = call.daemon.domains()?.metadata(&object, args.r#type, uri.as_deref(), args.flags)?;
    Ok(DomainGetMetadataRet { metadata: metadata.into() })
}

pub fn set_metadata(call: &Call, args: DomainSetMetadataArgs) -> Result<()> {
    known_flags(args.flags, IMPACT, "lxcDomainSetMetadata", ErrorDomain::Lxc)?;
    let [text, key, uri] = [args.metadata, args.key, args.uri].map(|text| text.map(|text| text.to_string_lossy()));
    let function = "virDomainSetMetadata";
    let refused = |argument: &str, words: String| Err(Error::argument(ErrorDomain::Domain, function, argument, words));
    match args.r#type {
        1 if text.as_deref().is_some_and(|title| title.contains('\n')) => {
            return refused("metadata", "metadata title can't contain newlines".into());
        }
        0 | 1 if uri.is_some() => return refused("uri", format!("uri in {function} must be NULL")),
        0 | 1 if key.is_some() => return refused("key", format!("key in {function} must be NULL")),
        2 if uri.is_none() => return refused("uri", format!("uri in {function} must not be NULL")),
        2 if text.is_some() && key.is_none() => return refused("key", format!("key in {function} must not be NULL")),
        _ => {}
    }
    let object = domain(call, &args.dom)?;
    let domains = call.daemon.domains()?;
    domains.set_metadata(&object, args.r#type, text.as_deref(), key.as_deref(), uri.as_deref(), args.flags)
}
