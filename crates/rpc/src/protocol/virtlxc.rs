//! Our own program, beside libvirt's: what users of containers need and libvirt's protocol has no procedure for.
//!
//! Written by hand, since there is no table of libvirt's to generate it from. Its number is `vlxc` in ASCII, outside all that
//! libvirt uses; a daemon that does not have it answers `Cannot find program`, as any of libvirt's does. Procedures are only
//! ever added at the end; one that must change gets a new number.

use super::table::{messages, procedures, unions};
use crate::xdr::{List, Str};

/// Flag of a task that copies: without names, modes and owners.
pub const BARE: u32 = 1;
/// Flag of a task that copies: owners by their numbers, and set-id bits, are kept.
pub const OWNERS: u32 = 2;

unions! {
    // What is to be done inside a container.
    Task {
        Execute = 1: Command,
        Send = 2: Sending,
        Receive = 3: Receiving,
        // The container describes itself: the output is one Sight.
        Look = 4: (),
    }
}

messages! {
    ConnectGetVersionRet {
        version: Str,
    }

    Window {
        rows: u32,
        columns: u32,
    }
    // A program with its arguments, as a user of the container, by the container's own passwd(5); environment: NAME=value.
    Command {
        words: List<Str, 16384>,
        environment: List<Str, 16384>,
        user: Option<Str>,
        group: Option<Str>,
        folder: Option<Str>,
        terminal: Option<Window>,
    }
    // A tree out of the container, as `archive` packs it; with BARE the bytes of one file alone.
    Sending {
        path: Str,
        flags: u32,
    }
    // A tree into it, under this name where the path is a folder; with BARE the bytes of one file alone.
    Receiving {
        path: Str,
        name: Str,
        flags: u32,
    }

    // What a container says of itself. Whoever asks believes it no more than the guest.
    SeenAddress {
        address: Str,
        prefix: u32,
    }
    SeenInterface {
        name: Str,
        mac: Option<Str>,
        addresses: List<SeenAddress, 1024>,
    }
    // Sizes in bytes; 0 where they are not asked for, as of a file system that a process of the guest serves.
    SeenMount {
        source: Str,
        mountpoint: Str,
        kind: Str,
        total: u64,
        used: u64,
    }
    // The release is the text of os-release(5).
    Sight {
        hostname: Str,
        kernel: Str,
        build: Str,
        machine: Str,
        release: Str,
        timezone: Option<Str>,
        interfaces: List<SeenInterface, 1024>,
        mounts: List<SeenMount, 1024>,
    }

    // Opens a stream of `records`.
    DomainRunArgs {
        dom: super::remote::NonnullDomain,
        task: Task,
        flags: u32,
    }
}

procedures! {
    0x766c7863 version 1 {
        ConnectGetVersion = 1 "CONNECT_GET_VERSION" Call High (Allowed) ["connect:getattr"] "virtlxcConnectGetVersion" 0 (()) -> (ConnectGetVersionRet);
        DomainRun = 2 "DOMAIN_RUN" Call Low (Refused) ["domain:open_namespace"] "virtlxcDomainRun" 17 (DomainRunArgs) -> (());
    }
}
