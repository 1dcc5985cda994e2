//! A small domain for tests.

use api::Uuid;
use conf::Mac;
use conf::domain::*;

pub fn domain() -> Domain {
    Domain {
        id: None,
        name: "box".into(),
        uuid: Uuid([7; 16]),
        genid: None,
        title: None,
        description: None,
        metadata: None,
        memory: Memory { maximum: 65_536, current: 65_536, dump_core: None },
        blkiotune: BlkioTune::default(),
        memtune: MemTune::default(),
        vcpu: Vcpu { maximum: 1, current: None, cpuset: None, placement: Placement::Static },
        cputune: CpuTune::default(),
        numatune: None,
        partition: None,
        fibrechannel_appid: None,
        os: Os { arch: "x86_64".into(), init: "/init".into(), ..Os::default() },
        idmap: IdMap::default(),
        features: Features {
            privnet: false,
            capability_policy: CapabilityPolicy::Default,
            capabilities: Vec::new(),
            kept: Vec::new(),
        },
        clock: Clock { offset: ClockOffset::Utc { reset: false }, timers: Vec::new() },
        on_poweroff: LifecycleAction::Destroy,
        on_reboot: LifecycleAction::Restart,
        on_crash: LifecycleAction::Destroy,
        kept: Vec::new(),
        emulator: None,
        disks: Vec::new(),
        filesystems: vec![Filesystem::new(FilesystemSource::Mount { dir: "/opt/box".into() }, "/")],
        interfaces: Vec::new(),
        consoles: vec![Console {
            kind: "pty".into(),
            target_kind: "lxc".into(),
            port: 0,
            tty: None,
            source_path: None,
            alias: None,
            kept: Vec::new(),
        }],
        hostdevs: Vec::new(),
        other_devices: Vec::new(),
        seclabels: Vec::new(),
        shares: LxcNamespace::default(),
        extension: Extension::default(),
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
