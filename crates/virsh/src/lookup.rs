//! Finding what a command is about: a domain by id, UUID or name, a network by UUID or name.

use crate::arguments::Arguments;
use crate::failure::{Context, Failure};
use crate::shell::Shell;
use api::{Code, Result, Uuid};
use rpc::remote::*;

/// The length of a UUID as it is written.
const UUID_TEXT: usize = 36;

/// By which of its marks a domain may be named.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum By {
    Anything,
    /// For `domid` and `domname`, which translate one mark into another.
    NameOrUuid,
    IdOrUuid,
    NameOrId,
}

/// The domain that the option `domain` names.
pub fn domain(shell: &Shell, arguments: &Arguments) -> std::result::Result<NonnullDomain, Failure> {
    domain_named(shell, arguments.need("domain")?, By::Anything)
}

pub fn domain_named(shell: &Shell, name: &str, by: By) -> std::result::Result<NonnullDomain, Failure> {
    if by != By::NameOrUuid {
        if let Ok(id) = name.parse::<i32>() {
            if id >= 0 {
                if let Some(domain) = found(shell.call(Procedure::DomainLookupById, &DomainLookupByIdArgs { id }))? {
                    let DomainLookupByIdRet { dom } = domain;
                    return Ok(dom);
                }
            }
        }
    }
    if by != By::NameOrId && name.len() == UUID_TEXT {
        if let Some(uuid) = Uuid::parse(name) {
            let args = DomainLookupByUuidArgs { uuid: uuid.0 };
            if let Some(domain) = found(shell.call(Procedure::DomainLookupByUuid, &args))? {
                let DomainLookupByUuidRet { dom } = domain;
                return Ok(dom);
            }
        }
    }
    if by != By::IdOrUuid {
        let args = DomainLookupByNameArgs { name: name.into() };
        if let Some(domain) = found(shell.call(Procedure::DomainLookupByName, &args))? {
            let DomainLookupByNameRet { dom } = domain;
            return Ok(dom);
        }
    }
    Err(Failure::new(format!("failed to get domain '{name}'")))
}

/// None where the daemon knows no such domain; other failures stay failures.
fn found<T>(outcome: Result<T>) -> Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.code, Code::NoDomain | Code::NoNetwork | Code::InvalidArg) => Ok(None),
        Err(error) => Err(error),
    }
}

pub fn network(shell: &Shell, arguments: &Arguments) -> std::result::Result<NonnullNetwork, Failure> {
    network_named(shell, arguments.need("network")?)
}

pub fn network_named(shell: &Shell, name: &str) -> std::result::Result<NonnullNetwork, Failure> {
    if name.len() == UUID_TEXT {
        if let Some(net) = Uuid::parse(name).and_then(|uuid| network_by_uuid(shell, uuid).ok()) {
            return Ok(net);
        }
    }
    network_by_name(shell, name).context(format!("failed to get network '{name}'"))
}

pub fn network_by_name(shell: &Shell, name: &str) -> Result<NonnullNetwork> {
    let args = NetworkLookupByNameArgs { name: name.into() };
    shell.call(Procedure::NetworkLookupByName, &args).map(|NetworkLookupByNameRet { net }| net)
}

pub fn network_by_uuid(shell: &Shell, uuid: Uuid) -> Result<NonnullNetwork> {
    let args = NetworkLookupByUuidArgs { uuid: uuid.0 };
    shell.call(Procedure::NetworkLookupByUuid, &args).map(|NetworkLookupByUuidRet { net }| net)
}

pub fn is_active(shell: &Shell, dom: &NonnullDomain) -> Result<bool> {
    let args = DomainIsActiveArgs { dom: dom.clone() };
    shell.call(Procedure::DomainIsActive, &args).map(|DomainIsActiveRet { active }| active != 0)
}

pub fn domain_xml(shell: &Shell, dom: &NonnullDomain, flags: u32) -> Result<String> {
    let args = DomainGetXmlDescArgs { dom: dom.clone(), flags };
    shell.call(Procedure::DomainGetXmlDesc, &args).map(|DomainGetXmlDescRet { xml }| xml.to_string_lossy())
}

pub fn network_xml(shell: &Shell, net: &NonnullNetwork, flags: u32) -> Result<String> {
    let args = NetworkGetXmlDescArgs { net: net.clone(), flags };
    shell.call(Procedure::NetworkGetXmlDesc, &args).map(|NetworkGetXmlDescRet { xml }| xml.to_string_lossy())
}

/// The content of a file that a command names.
pub fn file(path: &str) -> std::result::Result<String, Failure> {
    let bytes = std::fs::read(path).map_err(|error| Failure::file("open", path, &error))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
