//! Calls that answer with documents about no domain in particular: capabilities, and other formats of configurations.

use crate::call::{Call, no_flags};
use api::{Code, Error, ErrorDomain, Result};
use conf::capabilities::{DomainCapabilities, guest_architectures};
use rpc::Str;
use rpc::remote::*;

pub fn capabilities(call: &Call, _: ()) -> Result<ConnectGetCapabilitiesRet> {
    let domains = call.daemon.domains()?;
    let found = call.daemon.host.capabilities(domains.default_emulator(), domains.security_model())?;
    Ok(ConnectGetCapabilitiesRet { capabilities: found.format().into() })
}

pub fn domain_capabilities(
    call: &Call,
    args: ConnectGetDomainCapabilitiesArgs,
) -> Result<ConnectGetDomainCapabilitiesRet> {
    no_flags(args.flags, "virConnectGetDomainCapabilities", ErrorDomain::Lxc)?;
    let refused = |words: String| Err(Error::new(ErrorDomain::Lxc, Code::InvalidArg, words));
    let text = |given: &Option<Str>| given.as_ref().map(|text| text.to_string_lossy().to_string());
    let host = &call.daemon.host;
    if let Some(kind) = text(&args.virttype).filter(|kind| kind != "lxc") {
        return refused(format!("domain type '{kind}' is not supported, only 'lxc' is"));
    }
    if let Some(machine) = text(&args.machine) {
        return refused(format!("machine type '{machine}' is not supported: containers have none"));
    }
    let own = host.architecture();
    let arch = text(&args.arch).unwrap_or_else(|| own.clone());
    if !guest_architectures(&own).iter().any(|(known, _)| *known == arch) {
        return refused(format!("architecture '{arch}' is not supported on a host of architecture '{own}'"));
    }
    let emulator = match text(&args.emulatorbin) {
        None => call.daemon.domains()?.default_emulator().to_string(),
        Some(path) => path,
    };
    let capabilities = DomainCapabilities { emulator, arch, most_vcpus: MOST_VCPUS };
    Ok(ConnectGetDomainCapabilitiesRet { capabilities: capabilities.format().into() })
}

/// What a document's `<vcpu>` may say; a container has the processors that its cpuset names.
const MOST_VCPUS: u32 = 16_384;

pub fn from_native(call: &Call, args: ConnectDomainXmlFromNativeArgs) -> Result<ConnectDomainXmlFromNativeRet> {
    no_flags(args.flags, "lxcConnectDomainXMLFromNative", ErrorDomain::Lxc)?;
    let (format, configuration) = (args.native_format.to_string_lossy(), args.native_config.to_string_lossy());
    Ok(ConnectDomainXmlFromNativeRet {
        domain_xml: call.daemon.domains()?.from_native(&format, &configuration)?.into(),
    })
}

pub fn to_native(call: &Call, args: ConnectDomainXmlToNativeArgs) -> Result<ConnectDomainXmlToNativeRet> {
    no_flags(args.flags, "lxcConnectDomainXMLToNative", ErrorDomain::Lxc)?;
    let written = call.daemon.domains()?.to_native(&args.native_format.to_string_lossy(), &args.domain_xml.0)?;
    Ok(ConnectDomainXmlToNativeRet { native_config: written.into() })
}
