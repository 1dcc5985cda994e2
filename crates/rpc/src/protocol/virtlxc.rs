//! Our own program, beside libvirt's: what users of containers need and libvirt's protocol has no procedure for.
//!
//! Written by hand, since there is no table of libvirt's to generate it from. Its number is `vlxc` in ASCII, outside all that
//! libvirt uses; a daemon that does not have it answers `Cannot find program`, as any of libvirt's does. Procedures are only
//! ever added at the end; one that must change gets a new number.

use super::table::{messages, procedures};
use crate::xdr::Str;

messages! {
    ConnectGetVersionRet {
        version: Str,
    }
}

procedures! {
    0x766c7863 version 1 {
        ConnectGetVersion = 1 "CONNECT_GET_VERSION" Call High (Allowed) ["connect:getattr"] "virtlxcConnectGetVersion" 0 (()) -> (ConnectGetVersionRet);
    }
}
