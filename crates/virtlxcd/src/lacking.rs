//! Calls that the driver has not: libvirt's public functions look at some arguments before they ask any driver, so that a
//! call without them is refused for that, and only a complete one as not supported.

use crate::call::Call;
use crate::daemon::domain_of;
use api::{Error, Result};
use rpc::remote::*;
use rpc::server::Reply;
use rpc::xdr::Codec;

const NULL: &str = "not be NULL";
const ZERO: &str = "not be zero";
const POSITIVE: &str = "be greater than zero";

#[rustfmt::skip]
pub fn answer(call: &Call, procedure: Procedure) -> Result<Reply> {
    use Procedure as P;
    match procedure {
        P::DomainGetVcpus => needs(call, procedure, "info", NULL, |a: &DomainGetVcpusArgs| a.maxinfo != 0),
        P::DomainPinVcpu => needs(call, procedure, "cpumap", NULL, |a: &DomainPinVcpuArgs| !a.cpumap.is_empty()),
        P::DomainPinVcpuFlags => needs(call, procedure, "cpumap", NULL, |a: &DomainPinVcpuFlagsArgs| !a.cpumap.is_empty()),
        P::DomainPinEmulator => needs(call, procedure, "cpumap", NULL, |a: &DomainPinEmulatorArgs| !a.cpumap.is_empty()),
        P::DomainPinIothread => needs(call, procedure, "cpumap", NULL, |a: &DomainPinIothreadArgs| !a.cpumap.is_empty()),
        P::DomainGetEmulatorPinInfo => needs(call, procedure, "cpumap", NULL, |a: &DomainGetEmulatorPinInfoArgs| a.maplen != 0),
        P::DomainGetVcpuPinInfo => needs(call, procedure, "ncpumaps", POSITIVE, |a: &DomainGetVcpuPinInfoArgs| a.ncpumaps > 0),
        P::DomainSetVcpus => needs(call, procedure, "nvcpus", ZERO, |a: &DomainSetVcpusArgs| a.nvcpus != 0),
        P::DomainSetVcpusFlags => needs(call, procedure, "nvcpus", ZERO, |a: &DomainSetVcpusFlagsArgs| a.nvcpus != 0),
        P::DomainSendKey => needs(call, procedure, "keycodes", NULL, |a: &DomainSendKeyArgs| !a.keycodes.is_empty()),
        P::DomainSetBlockIoTune => needs(call, procedure, "nparams", POSITIVE, |a: &DomainSetBlockIoTuneArgs| !a.params.is_empty()),
        P::DomainSetNumaParameters => needs(call, procedure, "params", NULL, |a: &DomainSetNumaParametersArgs| !a.params.is_empty()),
        P::DomainSetInterfaceParameters => needs(call, procedure, "params", NULL, |a: &DomainSetInterfaceParametersArgs| !a.params.is_empty()),
        P::DomainSetPerfEvents => needs(call, procedure, "params", NULL, |a: &DomainSetPerfEventsArgs| !a.params.is_empty()),
        P::DomainSetIothreadParams => needs(call, procedure, "params", NULL, |a: &DomainSetIothreadParamsArgs| !a.params.is_empty()),
        P::DomainSetLaunchSecurityState => needs(call, procedure, "params", NULL, |a: &DomainSetLaunchSecurityStateArgs| !a.params.is_empty()),
        P::DomainDelIothread => needs(call, procedure, "iothread_id", ZERO, |a: &DomainDelIothreadArgs| a.iothread_id != 0),
        P::DomainSetUserPassword => needs(call, procedure, "user", NULL, |a: &DomainSetUserPasswordArgs| a.user.is_some()),
        P::ConnectBaselineCpu => needs(call, procedure, "xmlCPUs", NULL, |a: &ConnectBaselineCpuArgs| !a.xml_cpus.is_empty()),
        P::ConnectBaselineHypervisorCpu => needs(call, procedure, "xmlCPUs", NULL, |a: &ConnectBaselineHypervisorCpuArgs| !a.xml_cpus.is_empty()),
        // Its descriptors come beside the arguments.
        P::DomainFdAssociate => needs(call, procedure, "nfds", ZERO, |_: &DomainFdAssociateArgs| !call.message.fds.is_empty()),
        other => call.not_supported(other.info()),
    }
}

fn needs<A: Codec<Value = A>>(
    call: &Call,
    procedure: Procedure,
    argument: &str,
    must: &str,
    given: impl FnOnce(&A) -> bool,
) -> Result<Reply> {
    let info = procedure.info();
    call.special(|call, args: A| {
        if given(&args) {
            return call.not_supported(info);
        }
        let words = format!("{argument} in {} must {must}", info.api);
        Err(Error::argument(domain_of(info.domain), info.api, argument, words))
    })
}
