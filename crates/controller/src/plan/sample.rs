//! A small domain for tests.

use api::Uuid;
use conf::Mac;
use conf::domain::*;

pub fn domain() -> Domain {
    Domain {
        name: "box".into(),
        os: Os { arch: "x86_64".into(), init: "/init".into(), ..Os::default() },
        filesystems: vec![Filesystem::new(FilesystemSource::Mount { dir: "/opt/box".into() }, "/")],
        consoles: vec![Console {
            kind: "pty".into(),
            target_kind: "lxc".into(),
            port: 0,
            tty: None,
            source_path: None,
            alias: None,
            kept: Vec::new(),
        }],
        ..Domain::plain(Uuid([7; 16]))
    }
}

pub fn interface() -> Interface {
    Interface {
        managed: false,
        mac: Mac([0x52, 0x54, 0, 1, 2, 3]),
        mac_generated: false,
        mac_kept: Vec::new(),
        source: InterfaceSource::Network { network: "default".into(), portgroup: None },
        port_id: None,
        actual: None,
        ips: Vec::new(),
        routes: Vec::new(),
        target_dev: None,
        target_managed: None,
        guest_dev: None,
        guest_actual: None,
        model: None,
        link_up: None,
        mtu: 0,
        script: None,
        trust_guest_rx_filters: None,
        filterref: None,
        bandwidth: None,
        alias: None,
        kept: Vec::new(),
    }
}
