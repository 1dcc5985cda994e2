//! Calls that attach, detach and change devices.

use crate::call::{Call, known_flags};
use crate::domains::domain;
use api::{ErrorDomain, Result};
use lxc::{CONFIG, LIVE};
use rpc::remote::*;

pub fn attach(call: &Call, args: DomainAttachDeviceArgs) -> Result<()> {
    call.daemon.domains()?.attach_device(&domain(call, &args.dom)?, &args.xml.0, LIVE)
}

pub fn attach_flags(call: &Call, args: DomainAttachDeviceFlagsArgs) -> Result<()> {
    known_flags(args.flags, LIVE | CONFIG, "lxcDomainAttachDeviceFlags", ErrorDomain::Lxc)?;
    call.daemon.domains()?.attach_device(&domain(call, &args.dom)?, &args.xml.0, args.flags)
}

pub fn detach(call: &Call, args: DomainDetachDeviceArgs) -> Result<()> {
    call.daemon.domains()?.detach_device(&domain(call, &args.dom)?, &args.xml.0, LIVE)
}

pub fn detach_flags(call: &Call, args: DomainDetachDeviceFlagsArgs) -> Result<()> {
    known_flags(args.flags, LIVE | CONFIG, "lxcDomainDetachDeviceFlags", ErrorDomain::Lxc)?;
    call.daemon.domains()?.detach_device(&domain(call, &args.dom)?, &args.xml.0, args.flags)
}

pub fn update_flags(call: &Call, args: DomainUpdateDeviceFlagsArgs) -> Result<()> {
    known_flags(args.flags, LIVE | CONFIG, "lxcDomainUpdateDeviceFlags", ErrorDomain::Lxc)?;
    call.daemon.domains()?.update_device(&domain(call, &args.dom)?, &args.xml.0, args.flags)
}
