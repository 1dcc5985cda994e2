// Written by `cargo xtask codegen` from protocol/remote-protocol.json; do not edit.

use super::table::{messages, numbers, procedures, unions};
use crate::xdr::{Array, Char, Fixed, List, Opaque, Str, UChar, UShort};

numbers! {
    AuthType {
        None = 0,
        Sasl = 1,
        Polkit = 2,
    }
}

unions! {
    TypedParamValue {
        Int = 1: i32,
        Uint = 2: u32,
        Llong = 3: i64,
        Ullong = 4: u64,
        Double = 5: f64,
        Boolean = 6: i32,
        String = 7: Str,
    }
}

messages! {
    AuthListRet {
        types: List<AuthType, 20>,
    }
    AuthPolkitRet {
        complete: i32,
    }
    AuthSaslInitRet {
        mechlist: Str,
    }
    AuthSaslStartArgs {
        mech: Str,
        nil: i32,
        data: List<Char, 65536>,
    }
    AuthSaslStartRet {
        complete: i32,
        nil: i32,
        data: List<Char, 65536>,
    }
    AuthSaslStepArgs {
        nil: i32,
        data: List<Char, 65536>,
    }
    AuthSaslStepRet {
        complete: i32,
        nil: i32,
        data: List<Char, 65536>,
    }
    ConnectBaselineCpuArgs {
        xml_cpus: List<Str, 256>,
        flags: u32,
    }
    ConnectBaselineCpuRet {
        cpu: Str,
    }
    ConnectBaselineHypervisorCpuArgs {
        emulator: Option<Str>,
        arch: Option<Str>,
        machine: Option<Str>,
        virttype: Option<Str>,
        xml_cpus: List<Str, 256>,
        flags: u32,
    }
    ConnectBaselineHypervisorCpuRet {
        cpu: Str,
    }
    ConnectCompareCpuArgs {
        xml: Str,
        flags: u32,
    }
    ConnectCompareCpuRet {
        result: i32,
    }
    ConnectCompareHypervisorCpuArgs {
        emulator: Option<Str>,
        arch: Option<Str>,
        machine: Option<Str>,
        virttype: Option<Str>,
        xml_cpu: Str,
        flags: u32,
    }
    ConnectCompareHypervisorCpuRet {
        result: i32,
    }
    ConnectDomainEventCallbackDeregisterAnyArgs {
        callback_id: i32,
    }
    ConnectDomainEventCallbackRegisterAnyArgs {
        event_id: i32,
        dom: Option<NonnullDomain>,
    }
    ConnectDomainEventCallbackRegisterAnyRet {
        callback_id: i32,
    }
    ConnectDomainEventDeregisterAnyArgs {
        event_id: i32,
    }
    ConnectDomainEventDeregisterRet {
        cb_registered: i32,
    }
    ConnectDomainEventRegisterAnyArgs {
        event_id: i32,
    }
    ConnectDomainEventRegisterRet {
        cb_registered: i32,
    }
    ConnectDomainXmlFromNativeArgs {
        native_format: Str,
        native_config: Str,
        flags: u32,
    }
    ConnectDomainXmlFromNativeRet {
        domain_xml: Str,
    }
    ConnectDomainXmlToNativeArgs {
        native_format: Str,
        domain_xml: Str,
        flags: u32,
    }
    ConnectDomainXmlToNativeRet {
        native_config: Str,
    }
    ConnectEventConnectionClosedMsg {
        reason: i32,
    }
    ConnectFindStoragePoolSourcesArgs {
        r#type: Str,
        src_spec: Option<Str>,
        flags: u32,
    }
    ConnectFindStoragePoolSourcesRet {
        xml: Str,
    }
    ConnectGetAllDomainStatsArgs {
        doms: List<NonnullDomain, 16384>,
        stats: u32,
        flags: u32,
    }
    ConnectGetAllDomainStatsRet {
        ret_stats: List<DomainStatsRecord, 16384>,
    }
    ConnectGetCapabilitiesRet {
        capabilities: Str,
    }
    ConnectGetCpuModelNamesArgs {
        arch: Str,
        need_results: i32,
        flags: u32,
    }
    ConnectGetCpuModelNamesRet {
        models: List<Str, 8192>,
        ret: i32,
    }
    ConnectGetDomainCapabilitiesArgs {
        emulatorbin: Option<Str>,
        arch: Option<Str>,
        machine: Option<Str>,
        virttype: Option<Str>,
        flags: u32,
    }
    ConnectGetDomainCapabilitiesRet {
        capabilities: Str,
    }
    ConnectGetHostnameRet {
        hostname: Str,
    }
    ConnectGetLibVersionRet {
        lib_ver: u64,
    }
    ConnectGetMaxVcpusArgs {
        r#type: Option<Str>,
    }
    ConnectGetMaxVcpusRet {
        max_vcpus: i32,
    }
    ConnectGetStoragePoolCapabilitiesArgs {
        flags: u32,
    }
    ConnectGetStoragePoolCapabilitiesRet {
        capabilities: Str,
    }
    ConnectGetSysinfoArgs {
        flags: u32,
    }
    ConnectGetSysinfoRet {
        sysinfo: Str,
    }
    ConnectGetTypeRet {
        r#type: Str,
    }
    ConnectGetUriRet {
        uri: Str,
    }
    ConnectGetVersionRet {
        hv_ver: u64,
    }
    ConnectIsSecureRet {
        secure: i32,
    }
    ConnectListAllDomainsArgs {
        need_results: i32,
        flags: u32,
    }
    ConnectListAllDomainsRet {
        domains: List<NonnullDomain, 16384>,
        ret: u32,
    }
    ConnectListAllInterfacesArgs {
        need_results: i32,
        flags: u32,
    }
    ConnectListAllInterfacesRet {
        ifaces: List<NonnullInterface, 16384>,
        ret: u32,
    }
    ConnectListAllNetworksArgs {
        need_results: i32,
        flags: u32,
    }
    ConnectListAllNetworksRet {
        nets: List<NonnullNetwork, 16384>,
        ret: u32,
    }
    ConnectListAllNodeDevicesArgs {
        need_results: i32,
        flags: u32,
    }
    ConnectListAllNodeDevicesRet {
        devices: List<NonnullNodeDevice, 65536>,
        ret: u32,
    }
    ConnectListAllNwfilterBindingsArgs {
        need_results: i32,
        flags: u32,
    }
    ConnectListAllNwfilterBindingsRet {
        bindings: List<NonnullNwfilterBinding, 16384>,
        ret: u32,
    }
    ConnectListAllNwfiltersArgs {
        need_results: i32,
        flags: u32,
    }
    ConnectListAllNwfiltersRet {
        filters: List<NonnullNwfilter, 16384>,
        ret: u32,
    }
    ConnectListAllSecretsArgs {
        need_results: i32,
        flags: u32,
    }
    ConnectListAllSecretsRet {
        secrets: List<NonnullSecret, 16384>,
        ret: u32,
    }
    ConnectListAllStoragePoolsArgs {
        need_results: i32,
        flags: u32,
    }
    ConnectListAllStoragePoolsRet {
        pools: List<NonnullStoragePool, 16384>,
        ret: u32,
    }
    ConnectListDefinedDomainsArgs {
        maxnames: i32,
    }
    ConnectListDefinedDomainsRet {
        names: List<Str, 16384>,
    }
    ConnectListDefinedInterfacesArgs {
        maxnames: i32,
    }
    ConnectListDefinedInterfacesRet {
        names: List<Str, 16384>,
    }
    ConnectListDefinedNetworksArgs {
        maxnames: i32,
    }
    ConnectListDefinedNetworksRet {
        names: List<Str, 16384>,
    }
    ConnectListDefinedStoragePoolsArgs {
        maxnames: i32,
    }
    ConnectListDefinedStoragePoolsRet {
        names: List<Str, 16384>,
    }
    ConnectListDomainsArgs {
        maxids: i32,
    }
    ConnectListDomainsRet {
        ids: List<i32, 16384>,
    }
    ConnectListInterfacesArgs {
        maxnames: i32,
    }
    ConnectListInterfacesRet {
        names: List<Str, 16384>,
    }
    ConnectListNetworksArgs {
        maxnames: i32,
    }
    ConnectListNetworksRet {
        names: List<Str, 16384>,
    }
    ConnectListNwfiltersArgs {
        maxnames: i32,
    }
    ConnectListNwfiltersRet {
        names: List<Str, 16384>,
    }
    ConnectListSecretsArgs {
        maxuuids: i32,
    }
    ConnectListSecretsRet {
        uuids: List<Str, 16384>,
    }
    ConnectListStoragePoolsArgs {
        maxnames: i32,
    }
    ConnectListStoragePoolsRet {
        names: List<Str, 16384>,
    }
    ConnectNetworkEventDeregisterAnyArgs {
        callback_id: i32,
    }
    ConnectNetworkEventRegisterAnyArgs {
        event_id: i32,
        net: Option<NonnullNetwork>,
    }
    ConnectNetworkEventRegisterAnyRet {
        callback_id: i32,
    }
    ConnectNodeDeviceEventDeregisterAnyArgs {
        callback_id: i32,
    }
    ConnectNodeDeviceEventRegisterAnyArgs {
        event_id: i32,
        dev: Option<NonnullNodeDevice>,
    }
    ConnectNodeDeviceEventRegisterAnyRet {
        callback_id: i32,
    }
    ConnectNumOfDefinedDomainsRet {
        num: i32,
    }
    ConnectNumOfDefinedInterfacesRet {
        num: i32,
    }
    ConnectNumOfDefinedNetworksRet {
        num: i32,
    }
    ConnectNumOfDefinedStoragePoolsRet {
        num: i32,
    }
    ConnectNumOfDomainsRet {
        num: i32,
    }
    ConnectNumOfInterfacesRet {
        num: i32,
    }
    ConnectNumOfNetworksRet {
        num: i32,
    }
    ConnectNumOfNwfiltersRet {
        num: i32,
    }
    ConnectNumOfSecretsRet {
        num: i32,
    }
    ConnectNumOfStoragePoolsRet {
        num: i32,
    }
    ConnectOpenArgs {
        name: Option<Str>,
        flags: u32,
    }
    ConnectSecretEventDeregisterAnyArgs {
        callback_id: i32,
    }
    ConnectSecretEventRegisterAnyArgs {
        event_id: i32,
        secret: Option<NonnullSecret>,
    }
    ConnectSecretEventRegisterAnyRet {
        callback_id: i32,
    }
    ConnectSetIdentityArgs {
        params: List<TypedParam, 20>,
        flags: u32,
    }
    ConnectStoragePoolEventDeregisterAnyArgs {
        callback_id: i32,
    }
    ConnectStoragePoolEventRegisterAnyArgs {
        event_id: i32,
        pool: Option<NonnullStoragePool>,
    }
    ConnectStoragePoolEventRegisterAnyRet {
        callback_id: i32,
    }
    ConnectSupportsFeatureArgs {
        feature: i32,
    }
    ConnectSupportsFeatureRet {
        supported: i32,
    }
    DomainAbortJobArgs {
        dom: NonnullDomain,
    }
    DomainAbortJobFlagsArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainAddIothreadArgs {
        dom: NonnullDomain,
        iothread_id: u32,
        flags: u32,
    }
    DomainAgentSetResponseTimeoutArgs {
        dom: NonnullDomain,
        timeout: i32,
        flags: u32,
    }
    DomainAgentSetResponseTimeoutRet {
        result: i32,
    }
    DomainAttachDeviceArgs {
        dom: NonnullDomain,
        xml: Str,
    }
    DomainAttachDeviceFlagsArgs {
        dom: NonnullDomain,
        xml: Str,
        flags: u32,
    }
    DomainAuthorizedSshKeysGetArgs {
        dom: NonnullDomain,
        user: Str,
        flags: u32,
    }
    DomainAuthorizedSshKeysGetRet {
        keys: List<Str, 2048>,
    }
    DomainAuthorizedSshKeysSetArgs {
        dom: NonnullDomain,
        user: Str,
        keys: List<Str, 2048>,
        flags: u32,
    }
    DomainBackupBeginArgs {
        dom: NonnullDomain,
        backup_xml: Str,
        checkpoint_xml: Option<Str>,
        flags: u32,
    }
    DomainBackupGetXmlDescArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainBackupGetXmlDescRet {
        xml: Str,
    }
    DomainBlockCommitArgs {
        dom: NonnullDomain,
        disk: Str,
        base: Option<Str>,
        top: Option<Str>,
        bandwidth: u64,
        flags: u32,
    }
    DomainBlockCopyArgs {
        dom: NonnullDomain,
        path: Str,
        destxml: Str,
        params: List<TypedParam, 16>,
        flags: u32,
    }
    DomainBlockJobAbortArgs {
        dom: NonnullDomain,
        path: Str,
        flags: u32,
    }
    DomainBlockJobSetSpeedArgs {
        dom: NonnullDomain,
        path: Str,
        bandwidth: u64,
        flags: u32,
    }
    DomainBlockPeekArgs {
        dom: NonnullDomain,
        path: Str,
        offset: u64,
        size: u32,
        flags: u32,
    }
    DomainBlockPeekRet {
        buffer: Opaque<4194304>,
    }
    DomainBlockPullArgs {
        dom: NonnullDomain,
        path: Str,
        bandwidth: u64,
        flags: u32,
    }
    DomainBlockRebaseArgs {
        dom: NonnullDomain,
        path: Str,
        base: Option<Str>,
        bandwidth: u64,
        flags: u32,
    }
    DomainBlockResizeArgs {
        dom: NonnullDomain,
        disk: Str,
        size: u64,
        flags: u32,
    }
    DomainBlockStatsArgs {
        dom: NonnullDomain,
        path: Str,
    }
    DomainBlockStatsFlagsArgs {
        dom: NonnullDomain,
        path: Str,
        nparams: i32,
        flags: u32,
    }
    DomainBlockStatsFlagsRet {
        params: List<TypedParam, 16>,
        nparams: i32,
    }
    DomainBlockStatsRet {
        rd_req: i64,
        rd_bytes: i64,
        wr_req: i64,
        wr_bytes: i64,
        errs: i64,
    }
    DomainCheckpointCreateXmlArgs {
        dom: NonnullDomain,
        xml_desc: Str,
        flags: u32,
    }
    DomainCheckpointCreateXmlRet {
        checkpoint: NonnullDomainCheckpoint,
    }
    DomainCheckpointDeleteArgs {
        checkpoint: NonnullDomainCheckpoint,
        flags: u32,
    }
    DomainCheckpointGetParentArgs {
        checkpoint: NonnullDomainCheckpoint,
        flags: u32,
    }
    DomainCheckpointGetParentRet {
        parent: NonnullDomainCheckpoint,
    }
    DomainCheckpointGetXmlDescArgs {
        checkpoint: NonnullDomainCheckpoint,
        flags: u32,
    }
    DomainCheckpointGetXmlDescRet {
        xml: Str,
    }
    DomainCheckpointListAllChildrenArgs {
        checkpoint: NonnullDomainCheckpoint,
        need_results: i32,
        flags: u32,
    }
    DomainCheckpointListAllChildrenRet {
        checkpoints: List<NonnullDomainCheckpoint, 16384>,
        ret: i32,
    }
    DomainCheckpointLookupByNameArgs {
        dom: NonnullDomain,
        name: Str,
        flags: u32,
    }
    DomainCheckpointLookupByNameRet {
        checkpoint: NonnullDomainCheckpoint,
    }
    DomainCoreDumpArgs {
        dom: NonnullDomain,
        to: Str,
        flags: u32,
    }
    DomainCoreDumpWithFormatArgs {
        dom: NonnullDomain,
        to: Str,
        dumpformat: u32,
        flags: u32,
    }
    DomainCreateArgs {
        dom: NonnullDomain,
    }
    DomainCreateWithFilesArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainCreateWithFilesRet {
        dom: NonnullDomain,
    }
    DomainCreateWithFlagsArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainCreateWithFlagsRet {
        dom: NonnullDomain,
    }
    DomainCreateXmlArgs {
        xml_desc: Str,
        flags: u32,
    }
    DomainCreateXmlRet {
        dom: NonnullDomain,
    }
    DomainCreateXmlWithFilesArgs {
        xml_desc: Str,
        flags: u32,
    }
    DomainCreateXmlWithFilesRet {
        dom: NonnullDomain,
    }
    DomainDefineXmlArgs {
        xml: Str,
    }
    DomainDefineXmlFlagsArgs {
        xml: Str,
        flags: u32,
    }
    DomainDefineXmlFlagsRet {
        dom: NonnullDomain,
    }
    DomainDefineXmlRet {
        dom: NonnullDomain,
    }
    DomainDelIothreadArgs {
        dom: NonnullDomain,
        iothread_id: u32,
        flags: u32,
    }
    DomainDestroyArgs {
        dom: NonnullDomain,
    }
    DomainDestroyFlagsArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainDetachDeviceAliasArgs {
        dom: NonnullDomain,
        alias: Str,
        flags: u32,
    }
    DomainDetachDeviceArgs {
        dom: NonnullDomain,
        xml: Str,
    }
    DomainDetachDeviceFlagsArgs {
        dom: NonnullDomain,
        xml: Str,
        flags: u32,
    }
    DomainDiskError {
        disk: Str,
        error: i32,
    }
    DomainEventBalloonChangeMsg {
        dom: NonnullDomain,
        actual: u64,
    }
    DomainEventBlockJob2Msg {
        callback_id: i32,
        dom: NonnullDomain,
        dst: Str,
        r#type: i32,
        status: i32,
    }
    DomainEventBlockJobMsg {
        dom: NonnullDomain,
        path: Str,
        r#type: i32,
        status: i32,
    }
    DomainEventBlockThresholdMsg {
        callback_id: i32,
        dom: NonnullDomain,
        dev: Str,
        path: Option<Str>,
        threshold: u64,
        excess: u64,
    }
    DomainEventCallbackAgentLifecycleMsg {
        callback_id: i32,
        dom: NonnullDomain,
        state: i32,
        reason: i32,
    }
    DomainEventCallbackBalloonChangeMsg {
        callback_id: i32,
        msg: DomainEventBalloonChangeMsg,
    }
    DomainEventCallbackBlockJobMsg {
        callback_id: i32,
        msg: DomainEventBlockJobMsg,
    }
    DomainEventCallbackControlErrorMsg {
        callback_id: i32,
        msg: DomainEventControlErrorMsg,
    }
    DomainEventCallbackDeviceAddedMsg {
        callback_id: i32,
        dom: NonnullDomain,
        dev_alias: Str,
    }
    DomainEventCallbackDeviceRemovalFailedMsg {
        callback_id: i32,
        dom: NonnullDomain,
        dev_alias: Str,
    }
    DomainEventCallbackDeviceRemovedMsg {
        callback_id: i32,
        msg: DomainEventDeviceRemovedMsg,
    }
    DomainEventCallbackDiskChangeMsg {
        callback_id: i32,
        msg: DomainEventDiskChangeMsg,
    }
    DomainEventCallbackGraphicsMsg {
        callback_id: i32,
        msg: DomainEventGraphicsMsg,
    }
    DomainEventCallbackIoErrorMsg {
        callback_id: i32,
        msg: DomainEventIoErrorMsg,
    }
    DomainEventCallbackIoErrorReasonMsg {
        callback_id: i32,
        msg: DomainEventIoErrorReasonMsg,
    }
    DomainEventCallbackJobCompletedMsg {
        callback_id: i32,
        dom: NonnullDomain,
        params: List<TypedParam, 64>,
    }
    DomainEventCallbackLifecycleMsg {
        callback_id: i32,
        msg: DomainEventLifecycleMsg,
    }
    DomainEventCallbackMetadataChangeMsg {
        callback_id: i32,
        dom: NonnullDomain,
        r#type: i32,
        nsuri: Option<Str>,
    }
    DomainEventCallbackMigrationIterationMsg {
        callback_id: i32,
        dom: NonnullDomain,
        iteration: i32,
    }
    DomainEventCallbackPmsuspendDiskMsg {
        callback_id: i32,
        reason: i32,
        msg: DomainEventPmsuspendDiskMsg,
    }
    DomainEventCallbackPmsuspendMsg {
        callback_id: i32,
        reason: i32,
        msg: DomainEventPmsuspendMsg,
    }
    DomainEventCallbackPmwakeupMsg {
        callback_id: i32,
        reason: i32,
        msg: DomainEventPmwakeupMsg,
    }
    DomainEventCallbackRebootMsg {
        callback_id: i32,
        msg: DomainEventRebootMsg,
    }
    DomainEventCallbackRtcChangeMsg {
        callback_id: i32,
        msg: DomainEventRtcChangeMsg,
    }
    DomainEventCallbackTrayChangeMsg {
        callback_id: i32,
        msg: DomainEventTrayChangeMsg,
    }
    DomainEventCallbackTunableMsg {
        callback_id: i32,
        dom: NonnullDomain,
        params: List<TypedParam, 2048>,
    }
    DomainEventCallbackWatchdogMsg {
        callback_id: i32,
        msg: DomainEventWatchdogMsg,
    }
    DomainEventControlErrorMsg {
        dom: NonnullDomain,
    }
    DomainEventDeviceRemovedMsg {
        dom: NonnullDomain,
        dev_alias: Str,
    }
    DomainEventDiskChangeMsg {
        dom: NonnullDomain,
        old_src_path: Option<Str>,
        new_src_path: Option<Str>,
        dev_alias: Str,
        reason: i32,
    }
    DomainEventGraphicsAddress {
        family: i32,
        node: Str,
        service: Str,
    }
    DomainEventGraphicsIdentity {
        r#type: Str,
        name: Str,
    }
    DomainEventGraphicsMsg {
        dom: NonnullDomain,
        phase: i32,
        local: DomainEventGraphicsAddress,
        remote: DomainEventGraphicsAddress,
        auth_scheme: Str,
        subject: List<DomainEventGraphicsIdentity, 20>,
    }
    DomainEventIoErrorMsg {
        dom: NonnullDomain,
        src_path: Str,
        dev_alias: Str,
        action: i32,
    }
    DomainEventIoErrorReasonMsg {
        dom: NonnullDomain,
        src_path: Str,
        dev_alias: Str,
        action: i32,
        reason: Str,
    }
    DomainEventLifecycleMsg {
        dom: NonnullDomain,
        event: i32,
        detail: i32,
    }
    DomainEventMemoryDeviceSizeChangeMsg {
        callback_id: i32,
        dom: NonnullDomain,
        alias: Str,
        size: u64,
    }
    DomainEventMemoryFailureMsg {
        callback_id: i32,
        dom: NonnullDomain,
        recipient: i32,
        action: i32,
        flags: u32,
    }
    DomainEventPmsuspendDiskMsg {
        dom: NonnullDomain,
    }
    DomainEventPmsuspendMsg {
        dom: NonnullDomain,
    }
    DomainEventPmwakeupMsg {
        dom: NonnullDomain,
    }
    DomainEventRebootMsg {
        dom: NonnullDomain,
    }
    DomainEventRtcChangeMsg {
        dom: NonnullDomain,
        offset: i64,
    }
    DomainEventTrayChangeMsg {
        dom: NonnullDomain,
        dev_alias: Str,
        reason: i32,
    }
    DomainEventWatchdogMsg {
        dom: NonnullDomain,
        action: i32,
    }
    DomainFdAssociateArgs {
        dom: NonnullDomain,
        name: Str,
        flags: u32,
    }
    DomainFsfreezeArgs {
        dom: NonnullDomain,
        mountpoints: List<Str, 256>,
        flags: u32,
    }
    DomainFsfreezeRet {
        filesystems: i32,
    }
    DomainFsinfo {
        mountpoint: Str,
        name: Str,
        fstype: Str,
        dev_aliases: List<Str, 256>,
    }
    DomainFsthawArgs {
        dom: NonnullDomain,
        mountpoints: List<Str, 256>,
        flags: u32,
    }
    DomainFsthawRet {
        filesystems: i32,
    }
    DomainFstrimArgs {
        dom: NonnullDomain,
        mount_point: Option<Str>,
        minimum: u64,
        flags: u32,
    }
    DomainGetAutostartArgs {
        dom: NonnullDomain,
    }
    DomainGetAutostartRet {
        autostart: i32,
    }
    DomainGetBlkioParametersArgs {
        dom: NonnullDomain,
        nparams: i32,
        flags: u32,
    }
    DomainGetBlkioParametersRet {
        params: List<TypedParam, 16>,
        nparams: i32,
    }
    DomainGetBlockInfoArgs {
        dom: NonnullDomain,
        path: Str,
        flags: u32,
    }
    DomainGetBlockInfoRet {
        allocation: u64,
        capacity: u64,
        physical: u64,
    }
    DomainGetBlockIoTuneArgs {
        dom: NonnullDomain,
        disk: Option<Str>,
        nparams: i32,
        flags: u32,
    }
    DomainGetBlockIoTuneRet {
        params: List<TypedParam, 32>,
        nparams: i32,
    }
    DomainGetBlockJobInfoArgs {
        dom: NonnullDomain,
        path: Str,
        flags: u32,
    }
    DomainGetBlockJobInfoRet {
        found: i32,
        r#type: i32,
        bandwidth: u64,
        cur: u64,
        end: u64,
    }
    DomainGetControlInfoArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainGetControlInfoRet {
        state: u32,
        details: u32,
        state_time: u64,
    }
    DomainGetCpuStatsArgs {
        dom: NonnullDomain,
        nparams: u32,
        start_cpu: i32,
        ncpus: u32,
        flags: u32,
    }
    DomainGetCpuStatsRet {
        params: List<TypedParam, 2048>,
        nparams: i32,
    }
    DomainGetDiskErrorsArgs {
        dom: NonnullDomain,
        maxerrors: u32,
        flags: u32,
    }
    DomainGetDiskErrorsRet {
        errors: List<DomainDiskError, 256>,
        nerrors: i32,
    }
    DomainGetEmulatorPinInfoArgs {
        dom: NonnullDomain,
        maplen: i32,
        flags: u32,
    }
    DomainGetEmulatorPinInfoRet {
        cpumaps: Opaque<8388608>,
        ret: i32,
    }
    DomainGetFsinfoArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainGetFsinfoRet {
        info: List<DomainFsinfo, 256>,
        ret: u32,
    }
    DomainGetGuestInfoArgs {
        dom: NonnullDomain,
        types: u32,
        flags: u32,
    }
    DomainGetGuestInfoRet {
        params: List<TypedParam, 2048>,
    }
    DomainGetGuestVcpusArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainGetGuestVcpusRet {
        params: List<TypedParam, 64>,
    }
    DomainGetHostnameArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainGetHostnameRet {
        hostname: Str,
    }
    DomainGetInfoArgs {
        dom: NonnullDomain,
    }
    DomainGetInfoRet {
        state: UChar,
        max_mem: u64,
        memory: u64,
        nr_virt_cpu: UShort,
        cpu_time: u64,
    }
    DomainGetInterfaceParametersArgs {
        dom: NonnullDomain,
        device: Str,
        nparams: i32,
        flags: u32,
    }
    DomainGetInterfaceParametersRet {
        params: List<TypedParam, 16>,
        nparams: i32,
    }
    DomainGetIothreadInfoArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainGetIothreadInfoRet {
        info: List<DomainIothreadInfo, 16384>,
        ret: u32,
    }
    DomainGetJobInfoArgs {
        dom: NonnullDomain,
    }
    DomainGetJobInfoRet {
        r#type: i32,
        time_elapsed: u64,
        time_remaining: u64,
        data_total: u64,
        data_processed: u64,
        data_remaining: u64,
        mem_total: u64,
        mem_processed: u64,
        mem_remaining: u64,
        file_total: u64,
        file_processed: u64,
        file_remaining: u64,
    }
    DomainGetJobStatsArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainGetJobStatsRet {
        r#type: i32,
        params: List<TypedParam, 64>,
    }
    DomainGetLaunchSecurityInfoArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainGetLaunchSecurityInfoRet {
        params: List<TypedParam, 64>,
    }
    DomainGetMaxMemoryArgs {
        dom: NonnullDomain,
    }
    DomainGetMaxMemoryRet {
        memory: u64,
    }
    DomainGetMaxVcpusArgs {
        dom: NonnullDomain,
    }
    DomainGetMaxVcpusRet {
        num: i32,
    }
    DomainGetMemoryParametersArgs {
        dom: NonnullDomain,
        nparams: i32,
        flags: u32,
    }
    DomainGetMemoryParametersRet {
        params: List<TypedParam, 16>,
        nparams: i32,
    }
    DomainGetMessagesArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainGetMessagesRet {
        msgs: List<Str, 2048>,
    }
    DomainGetMetadataArgs {
        dom: NonnullDomain,
        r#type: i32,
        uri: Option<Str>,
        flags: u32,
    }
    DomainGetMetadataRet {
        metadata: Str,
    }
    DomainGetNumaParametersArgs {
        dom: NonnullDomain,
        nparams: i32,
        flags: u32,
    }
    DomainGetNumaParametersRet {
        params: List<TypedParam, 16>,
        nparams: i32,
    }
    DomainGetOsTypeArgs {
        dom: NonnullDomain,
    }
    DomainGetOsTypeRet {
        r#type: Str,
    }
    DomainGetPerfEventsArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainGetPerfEventsRet {
        params: List<TypedParam, 64>,
    }
    DomainGetSchedulerParametersArgs {
        dom: NonnullDomain,
        nparams: i32,
    }
    DomainGetSchedulerParametersFlagsArgs {
        dom: NonnullDomain,
        nparams: i32,
        flags: u32,
    }
    DomainGetSchedulerParametersFlagsRet {
        params: List<TypedParam, 16>,
    }
    DomainGetSchedulerParametersRet {
        params: List<TypedParam, 16>,
    }
    DomainGetSchedulerTypeArgs {
        dom: NonnullDomain,
    }
    DomainGetSchedulerTypeRet {
        r#type: Str,
        nparams: i32,
    }
    DomainGetSecurityLabelArgs {
        dom: NonnullDomain,
    }
    DomainGetSecurityLabelListArgs {
        dom: NonnullDomain,
    }
    DomainGetSecurityLabelListRet {
        labels: List<DomainGetSecurityLabelRet, 64>,
        ret: i32,
    }
    DomainGetSecurityLabelRet {
        label: List<Char, 4097>,
        enforcing: i32,
    }
    DomainGetStateArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainGetStateRet {
        state: i32,
        reason: i32,
    }
    DomainGetTimeArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainGetTimeRet {
        seconds: i64,
        nseconds: u32,
    }
    DomainGetVcpuPinInfoArgs {
        dom: NonnullDomain,
        ncpumaps: i32,
        maplen: i32,
        flags: u32,
    }
    DomainGetVcpuPinInfoRet {
        cpumaps: Opaque<8388608>,
        num: i32,
    }
    DomainGetVcpusArgs {
        dom: NonnullDomain,
        maxinfo: i32,
        maplen: i32,
    }
    DomainGetVcpusFlagsArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainGetVcpusFlagsRet {
        num: i32,
    }
    DomainGetVcpusRet {
        info: List<VcpuInfo, 16384>,
        cpumaps: Opaque<8388608>,
    }
    DomainGetXmlDescArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainGetXmlDescRet {
        xml: Str,
    }
    DomainHasCurrentSnapshotArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainHasCurrentSnapshotRet {
        result: i32,
    }
    DomainHasManagedSaveImageArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainHasManagedSaveImageRet {
        result: i32,
    }
    DomainInjectNmiArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainInterface {
        name: Str,
        hwaddr: Option<Str>,
        addrs: List<DomainIpAddr, 2048>,
    }
    DomainInterfaceAddressesArgs {
        dom: NonnullDomain,
        source: u32,
        flags: u32,
    }
    DomainInterfaceAddressesRet {
        ifaces: List<DomainInterface, 2048>,
    }
    DomainInterfaceStatsArgs {
        dom: NonnullDomain,
        device: Str,
    }
    DomainInterfaceStatsRet {
        rx_bytes: i64,
        rx_packets: i64,
        rx_errs: i64,
        rx_drop: i64,
        tx_bytes: i64,
        tx_packets: i64,
        tx_errs: i64,
        tx_drop: i64,
    }
    DomainIothreadInfo {
        iothread_id: u32,
        cpumap: Opaque<2048>,
    }
    DomainIpAddr {
        r#type: i32,
        addr: Str,
        prefix: u32,
    }
    DomainIsActiveArgs {
        dom: NonnullDomain,
    }
    DomainIsActiveRet {
        active: i32,
    }
    DomainIsPersistentArgs {
        dom: NonnullDomain,
    }
    DomainIsPersistentRet {
        persistent: i32,
    }
    DomainIsUpdatedArgs {
        dom: NonnullDomain,
    }
    DomainIsUpdatedRet {
        updated: i32,
    }
    DomainListAllCheckpointsArgs {
        dom: NonnullDomain,
        need_results: i32,
        flags: u32,
    }
    DomainListAllCheckpointsRet {
        checkpoints: List<NonnullDomainCheckpoint, 16384>,
        ret: i32,
    }
    DomainListAllSnapshotsArgs {
        dom: NonnullDomain,
        need_results: i32,
        flags: u32,
    }
    DomainListAllSnapshotsRet {
        snapshots: List<NonnullDomainSnapshot, 16384>,
        ret: i32,
    }
    DomainLookupByIdArgs {
        id: i32,
    }
    DomainLookupByIdRet {
        dom: NonnullDomain,
    }
    DomainLookupByNameArgs {
        name: Str,
    }
    DomainLookupByNameRet {
        dom: NonnullDomain,
    }
    DomainLookupByUuidArgs {
        uuid: Fixed<16>,
    }
    DomainLookupByUuidRet {
        dom: NonnullDomain,
    }
    DomainManagedSaveArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainManagedSaveDefineXmlArgs {
        dom: NonnullDomain,
        dxml: Option<Str>,
        flags: u32,
    }
    DomainManagedSaveGetXmlDescArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainManagedSaveGetXmlDescRet {
        xml: Str,
    }
    DomainManagedSaveRemoveArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainMemoryPeekArgs {
        dom: NonnullDomain,
        offset: u64,
        size: u32,
        flags: u32,
    }
    DomainMemoryPeekRet {
        buffer: Opaque<4194304>,
    }
    DomainMemoryStat {
        tag: i32,
        val: u64,
    }
    DomainMemoryStatsArgs {
        dom: NonnullDomain,
        max_stats: u32,
        flags: u32,
    }
    DomainMemoryStatsRet {
        stats: List<DomainMemoryStat, 1024>,
    }
    DomainMigrateBegin3Args {
        dom: NonnullDomain,
        xmlin: Option<Str>,
        flags: u64,
        dname: Option<Str>,
        resource: u64,
    }
    DomainMigrateBegin3ParamsArgs {
        dom: NonnullDomain,
        params: List<TypedParam, 64>,
        flags: u32,
    }
    DomainMigrateBegin3ParamsRet {
        cookie_out: Opaque<4194304>,
        xml: Str,
    }
    DomainMigrateBegin3Ret {
        cookie_out: Opaque<4194304>,
        xml: Str,
    }
    DomainMigrateConfirm3Args {
        dom: NonnullDomain,
        cookie_in: Opaque<4194304>,
        flags: u64,
        cancelled: i32,
    }
    DomainMigrateConfirm3ParamsArgs {
        dom: NonnullDomain,
        params: List<TypedParam, 64>,
        cookie_in: Opaque<4194304>,
        flags: u32,
        cancelled: i32,
    }
    DomainMigrateFinish2Args {
        dname: Str,
        cookie: Opaque<4194304>,
        uri: Str,
        flags: u64,
        retcode: i32,
    }
    DomainMigrateFinish2Ret {
        ddom: NonnullDomain,
    }
    DomainMigrateFinish3Args {
        dname: Str,
        cookie_in: Opaque<4194304>,
        dconnuri: Option<Str>,
        uri: Option<Str>,
        flags: u64,
        cancelled: i32,
    }
    DomainMigrateFinish3ParamsArgs {
        params: List<TypedParam, 64>,
        cookie_in: Opaque<4194304>,
        flags: u32,
        cancelled: i32,
    }
    DomainMigrateFinish3ParamsRet {
        dom: NonnullDomain,
        cookie_out: Opaque<4194304>,
    }
    DomainMigrateFinish3Ret {
        dom: NonnullDomain,
        cookie_out: Opaque<4194304>,
    }
    DomainMigrateFinishArgs {
        dname: Str,
        cookie: Opaque<4194304>,
        uri: Str,
        flags: u64,
    }
    DomainMigrateFinishRet {
        ddom: NonnullDomain,
    }
    DomainMigrateGetCompressionCacheArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainMigrateGetCompressionCacheRet {
        cache_size: u64,
    }
    DomainMigrateGetMaxDowntimeArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainMigrateGetMaxDowntimeRet {
        downtime: u64,
    }
    DomainMigrateGetMaxSpeedArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainMigrateGetMaxSpeedRet {
        bandwidth: u64,
    }
    DomainMigratePerform3Args {
        dom: NonnullDomain,
        xmlin: Option<Str>,
        cookie_in: Opaque<4194304>,
        dconnuri: Option<Str>,
        uri: Option<Str>,
        flags: u64,
        dname: Option<Str>,
        resource: u64,
    }
    DomainMigratePerform3ParamsArgs {
        dom: NonnullDomain,
        dconnuri: Option<Str>,
        params: List<TypedParam, 64>,
        cookie_in: Opaque<4194304>,
        flags: u32,
    }
    DomainMigratePerform3ParamsRet {
        cookie_out: Opaque<4194304>,
    }
    DomainMigratePerform3Ret {
        cookie_out: Opaque<4194304>,
    }
    DomainMigratePerformArgs {
        dom: NonnullDomain,
        cookie: Opaque<4194304>,
        uri: Str,
        flags: u64,
        dname: Option<Str>,
        resource: u64,
    }
    DomainMigratePrepare2Args {
        uri_in: Option<Str>,
        flags: u64,
        dname: Option<Str>,
        resource: u64,
        dom_xml: Str,
    }
    DomainMigratePrepare2Ret {
        cookie: Opaque<4194304>,
        uri_out: Option<Str>,
    }
    DomainMigratePrepare3Args {
        cookie_in: Opaque<4194304>,
        uri_in: Option<Str>,
        flags: u64,
        dname: Option<Str>,
        resource: u64,
        dom_xml: Str,
    }
    DomainMigratePrepare3ParamsArgs {
        params: List<TypedParam, 64>,
        cookie_in: Opaque<4194304>,
        flags: u32,
    }
    DomainMigratePrepare3ParamsRet {
        cookie_out: Opaque<4194304>,
        uri_out: Option<Str>,
    }
    DomainMigratePrepare3Ret {
        cookie_out: Opaque<4194304>,
        uri_out: Option<Str>,
    }
    DomainMigratePrepareArgs {
        uri_in: Option<Str>,
        flags: u64,
        dname: Option<Str>,
        resource: u64,
    }
    DomainMigratePrepareRet {
        cookie: Opaque<4194304>,
        uri_out: Option<Str>,
    }
    DomainMigratePrepareTunnel3Args {
        cookie_in: Opaque<4194304>,
        flags: u64,
        dname: Option<Str>,
        resource: u64,
        dom_xml: Str,
    }
    DomainMigratePrepareTunnel3ParamsArgs {
        params: List<TypedParam, 64>,
        cookie_in: Opaque<4194304>,
        flags: u32,
    }
    DomainMigratePrepareTunnel3ParamsRet {
        cookie_out: Opaque<4194304>,
    }
    DomainMigratePrepareTunnel3Ret {
        cookie_out: Opaque<4194304>,
    }
    DomainMigratePrepareTunnelArgs {
        flags: u64,
        dname: Option<Str>,
        resource: u64,
        dom_xml: Str,
    }
    DomainMigrateSetCompressionCacheArgs {
        dom: NonnullDomain,
        cache_size: u64,
        flags: u32,
    }
    DomainMigrateSetMaxDowntimeArgs {
        dom: NonnullDomain,
        downtime: u64,
        flags: u32,
    }
    DomainMigrateSetMaxSpeedArgs {
        dom: NonnullDomain,
        bandwidth: u64,
        flags: u32,
    }
    DomainMigrateStartPostCopyArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainOpenChannelArgs {
        dom: NonnullDomain,
        name: Option<Str>,
        flags: u32,
    }
    DomainOpenConsoleArgs {
        dom: NonnullDomain,
        dev_name: Option<Str>,
        flags: u32,
    }
    DomainOpenGraphicsArgs {
        dom: NonnullDomain,
        idx: u32,
        flags: u32,
    }
    DomainOpenGraphicsFdArgs {
        dom: NonnullDomain,
        idx: u32,
        flags: u32,
    }
    DomainPinEmulatorArgs {
        dom: NonnullDomain,
        cpumap: Opaque<2048>,
        flags: u32,
    }
    DomainPinIothreadArgs {
        dom: NonnullDomain,
        iothreads_id: u32,
        cpumap: Opaque<2048>,
        flags: u32,
    }
    DomainPinVcpuArgs {
        dom: NonnullDomain,
        vcpu: u32,
        cpumap: Opaque<2048>,
    }
    DomainPinVcpuFlagsArgs {
        dom: NonnullDomain,
        vcpu: u32,
        cpumap: Opaque<2048>,
        flags: u32,
    }
    DomainPmSuspendForDurationArgs {
        dom: NonnullDomain,
        target: u32,
        duration: u64,
        flags: u32,
    }
    DomainPmWakeupArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainRebootArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainRenameArgs {
        dom: NonnullDomain,
        new_name: Option<Str>,
        flags: u32,
    }
    DomainRenameRet {
        retcode: i32,
    }
    DomainResetArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainRestoreArgs {
        from: Str,
    }
    DomainRestoreFlagsArgs {
        from: Str,
        dxml: Option<Str>,
        flags: u32,
    }
    DomainRestoreParamsArgs {
        params: List<TypedParam, 64>,
        flags: u32,
    }
    DomainResumeArgs {
        dom: NonnullDomain,
    }
    DomainRevertToSnapshotArgs {
        snap: NonnullDomainSnapshot,
        flags: u32,
    }
    DomainSaveArgs {
        dom: NonnullDomain,
        to: Str,
    }
    DomainSaveFlagsArgs {
        dom: NonnullDomain,
        to: Str,
        dxml: Option<Str>,
        flags: u32,
    }
    DomainSaveImageDefineXmlArgs {
        file: Str,
        dxml: Str,
        flags: u32,
    }
    DomainSaveImageGetXmlDescArgs {
        file: Str,
        flags: u32,
    }
    DomainSaveImageGetXmlDescRet {
        xml: Str,
    }
    DomainSaveParamsArgs {
        dom: NonnullDomain,
        params: List<TypedParam, 64>,
        flags: u32,
    }
    DomainScreenshotArgs {
        dom: NonnullDomain,
        screen: u32,
        flags: u32,
    }
    DomainScreenshotRet {
        mime: Option<Str>,
    }
    DomainSendKeyArgs {
        dom: NonnullDomain,
        codeset: u32,
        holdtime: u32,
        keycodes: List<u32, 16>,
        flags: u32,
    }
    DomainSendProcessSignalArgs {
        dom: NonnullDomain,
        pid_value: i64,
        signum: u32,
        flags: u32,
    }
    DomainSetAutostartArgs {
        dom: NonnullDomain,
        autostart: i32,
    }
    DomainSetBlkioParametersArgs {
        dom: NonnullDomain,
        params: List<TypedParam, 16>,
        flags: u32,
    }
    DomainSetBlockIoTuneArgs {
        dom: NonnullDomain,
        disk: Str,
        params: List<TypedParam, 32>,
        flags: u32,
    }
    DomainSetBlockThresholdArgs {
        dom: NonnullDomain,
        dev: Str,
        threshold: u64,
        flags: u32,
    }
    DomainSetGuestVcpusArgs {
        dom: NonnullDomain,
        cpumap: Str,
        state: i32,
        flags: u32,
    }
    DomainSetInterfaceParametersArgs {
        dom: NonnullDomain,
        device: Str,
        params: List<TypedParam, 16>,
        flags: u32,
    }
    DomainSetIothreadParamsArgs {
        dom: NonnullDomain,
        iothread_id: u32,
        params: List<TypedParam, 64>,
        flags: u32,
    }
    DomainSetLaunchSecurityStateArgs {
        dom: NonnullDomain,
        params: List<TypedParam, 64>,
        flags: u32,
    }
    DomainSetLifecycleActionArgs {
        dom: NonnullDomain,
        r#type: u32,
        action: u32,
        flags: u32,
    }
    DomainSetMaxMemoryArgs {
        dom: NonnullDomain,
        memory: u64,
    }
    DomainSetMemoryArgs {
        dom: NonnullDomain,
        memory: u64,
    }
    DomainSetMemoryFlagsArgs {
        dom: NonnullDomain,
        memory: u64,
        flags: u32,
    }
    DomainSetMemoryParametersArgs {
        dom: NonnullDomain,
        params: List<TypedParam, 16>,
        flags: u32,
    }
    DomainSetMemoryStatsPeriodArgs {
        dom: NonnullDomain,
        period: i32,
        flags: u32,
    }
    DomainSetMetadataArgs {
        dom: NonnullDomain,
        r#type: i32,
        metadata: Option<Str>,
        key: Option<Str>,
        uri: Option<Str>,
        flags: u32,
    }
    DomainSetNumaParametersArgs {
        dom: NonnullDomain,
        params: List<TypedParam, 16>,
        flags: u32,
    }
    DomainSetPerfEventsArgs {
        dom: NonnullDomain,
        params: List<TypedParam, 64>,
        flags: u32,
    }
    DomainSetSchedulerParametersArgs {
        dom: NonnullDomain,
        params: List<TypedParam, 16>,
    }
    DomainSetSchedulerParametersFlagsArgs {
        dom: NonnullDomain,
        params: List<TypedParam, 16>,
        flags: u32,
    }
    DomainSetTimeArgs {
        dom: NonnullDomain,
        seconds: i64,
        nseconds: u32,
        flags: u32,
    }
    DomainSetUserPasswordArgs {
        dom: NonnullDomain,
        user: Option<Str>,
        password: Option<Str>,
        flags: u32,
    }
    DomainSetVcpuArgs {
        dom: NonnullDomain,
        cpumap: Str,
        state: i32,
        flags: u32,
    }
    DomainSetVcpusArgs {
        dom: NonnullDomain,
        nvcpus: u32,
    }
    DomainSetVcpusFlagsArgs {
        dom: NonnullDomain,
        nvcpus: u32,
        flags: u32,
    }
    DomainShutdownArgs {
        dom: NonnullDomain,
    }
    DomainShutdownFlagsArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainSnapshotCreateXmlArgs {
        dom: NonnullDomain,
        xml_desc: Str,
        flags: u32,
    }
    DomainSnapshotCreateXmlRet {
        snap: NonnullDomainSnapshot,
    }
    DomainSnapshotCurrentArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainSnapshotCurrentRet {
        snap: NonnullDomainSnapshot,
    }
    DomainSnapshotDeleteArgs {
        snap: NonnullDomainSnapshot,
        flags: u32,
    }
    DomainSnapshotGetParentArgs {
        snap: NonnullDomainSnapshot,
        flags: u32,
    }
    DomainSnapshotGetParentRet {
        snap: NonnullDomainSnapshot,
    }
    DomainSnapshotGetXmlDescArgs {
        snap: NonnullDomainSnapshot,
        flags: u32,
    }
    DomainSnapshotGetXmlDescRet {
        xml: Str,
    }
    DomainSnapshotHasMetadataArgs {
        snap: NonnullDomainSnapshot,
        flags: u32,
    }
    DomainSnapshotHasMetadataRet {
        metadata: i32,
    }
    DomainSnapshotIsCurrentArgs {
        snap: NonnullDomainSnapshot,
        flags: u32,
    }
    DomainSnapshotIsCurrentRet {
        current: i32,
    }
    DomainSnapshotListAllChildrenArgs {
        snapshot: NonnullDomainSnapshot,
        need_results: i32,
        flags: u32,
    }
    DomainSnapshotListAllChildrenRet {
        snapshots: List<NonnullDomainSnapshot, 16384>,
        ret: i32,
    }
    DomainSnapshotListChildrenNamesArgs {
        snap: NonnullDomainSnapshot,
        maxnames: i32,
        flags: u32,
    }
    DomainSnapshotListChildrenNamesRet {
        names: List<Str, 16384>,
    }
    DomainSnapshotListNamesArgs {
        dom: NonnullDomain,
        maxnames: i32,
        flags: u32,
    }
    DomainSnapshotListNamesRet {
        names: List<Str, 16384>,
    }
    DomainSnapshotLookupByNameArgs {
        dom: NonnullDomain,
        name: Str,
        flags: u32,
    }
    DomainSnapshotLookupByNameRet {
        snap: NonnullDomainSnapshot,
    }
    DomainSnapshotNumArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainSnapshotNumChildrenArgs {
        snap: NonnullDomainSnapshot,
        flags: u32,
    }
    DomainSnapshotNumChildrenRet {
        num: i32,
    }
    DomainSnapshotNumRet {
        num: i32,
    }
    DomainStartDirtyRateCalcArgs {
        dom: NonnullDomain,
        seconds: i32,
        flags: u32,
    }
    DomainStatsRecord {
        dom: NonnullDomain,
        params: List<TypedParam, 262144>,
    }
    DomainSuspendArgs {
        dom: NonnullDomain,
    }
    DomainUndefineArgs {
        dom: NonnullDomain,
    }
    DomainUndefineFlagsArgs {
        dom: NonnullDomain,
        flags: u32,
    }
    DomainUpdateDeviceFlagsArgs {
        dom: NonnullDomain,
        xml: Str,
        flags: u32,
    }
    Error {
        code: i32,
        domain: i32,
        message: Option<Str>,
        level: i32,
        dom: Option<NonnullDomain>,
        str1: Option<Str>,
        str2: Option<Str>,
        str3: Option<Str>,
        int1: i32,
        int2: i32,
        net: Option<NonnullNetwork>,
    }
    InterfaceChangeBeginArgs {
        flags: u32,
    }
    InterfaceChangeCommitArgs {
        flags: u32,
    }
    InterfaceChangeRollbackArgs {
        flags: u32,
    }
    InterfaceCreateArgs {
        iface: NonnullInterface,
        flags: u32,
    }
    InterfaceDefineXmlArgs {
        xml: Str,
        flags: u32,
    }
    InterfaceDefineXmlRet {
        iface: NonnullInterface,
    }
    InterfaceDestroyArgs {
        iface: NonnullInterface,
        flags: u32,
    }
    InterfaceGetXmlDescArgs {
        iface: NonnullInterface,
        flags: u32,
    }
    InterfaceGetXmlDescRet {
        xml: Str,
    }
    InterfaceIsActiveArgs {
        iface: NonnullInterface,
    }
    InterfaceIsActiveRet {
        active: i32,
    }
    InterfaceLookupByMacStringArgs {
        mac: Str,
    }
    InterfaceLookupByMacStringRet {
        iface: NonnullInterface,
    }
    InterfaceLookupByNameArgs {
        name: Str,
    }
    InterfaceLookupByNameRet {
        iface: NonnullInterface,
    }
    InterfaceUndefineArgs {
        iface: NonnullInterface,
    }
    NetworkCreateArgs {
        net: NonnullNetwork,
    }
    NetworkCreateXmlArgs {
        xml: Str,
    }
    NetworkCreateXmlFlagsArgs {
        xml: Str,
        flags: u32,
    }
    NetworkCreateXmlFlagsRet {
        net: NonnullNetwork,
    }
    NetworkCreateXmlRet {
        net: NonnullNetwork,
    }
    NetworkDefineXmlArgs {
        xml: Str,
    }
    NetworkDefineXmlFlagsArgs {
        xml: Str,
        flags: u32,
    }
    NetworkDefineXmlFlagsRet {
        net: NonnullNetwork,
    }
    NetworkDefineXmlRet {
        net: NonnullNetwork,
    }
    NetworkDestroyArgs {
        net: NonnullNetwork,
    }
    NetworkDhcpLease {
        iface: Str,
        expirytime: i64,
        r#type: i32,
        mac: Option<Str>,
        iaid: Option<Str>,
        ipaddr: Str,
        prefix: u32,
        hostname: Option<Str>,
        clientid: Option<Str>,
    }
    NetworkEventLifecycleMsg {
        callback_id: i32,
        net: NonnullNetwork,
        event: i32,
        detail: i32,
    }
    NetworkGetAutostartArgs {
        net: NonnullNetwork,
    }
    NetworkGetAutostartRet {
        autostart: i32,
    }
    NetworkGetBridgeNameArgs {
        net: NonnullNetwork,
    }
    NetworkGetBridgeNameRet {
        name: Str,
    }
    NetworkGetDhcpLeasesArgs {
        net: NonnullNetwork,
        mac: Option<Str>,
        need_results: i32,
        flags: u32,
    }
    NetworkGetDhcpLeasesRet {
        leases: List<NetworkDhcpLease, 65536>,
        ret: u32,
    }
    NetworkGetXmlDescArgs {
        net: NonnullNetwork,
        flags: u32,
    }
    NetworkGetXmlDescRet {
        xml: Str,
    }
    NetworkIsActiveArgs {
        net: NonnullNetwork,
    }
    NetworkIsActiveRet {
        active: i32,
    }
    NetworkIsPersistentArgs {
        net: NonnullNetwork,
    }
    NetworkIsPersistentRet {
        persistent: i32,
    }
    NetworkListAllPortsArgs {
        network: NonnullNetwork,
        need_results: i32,
        flags: u32,
    }
    NetworkListAllPortsRet {
        ports: List<NonnullNetworkPort, 16384>,
        ret: u32,
    }
    NetworkLookupByNameArgs {
        name: Str,
    }
    NetworkLookupByNameRet {
        net: NonnullNetwork,
    }
    NetworkLookupByUuidArgs {
        uuid: Fixed<16>,
    }
    NetworkLookupByUuidRet {
        net: NonnullNetwork,
    }
    NetworkPortCreateXmlArgs {
        network: NonnullNetwork,
        xml: Str,
        flags: u32,
    }
    NetworkPortCreateXmlRet {
        port: NonnullNetworkPort,
    }
    NetworkPortDeleteArgs {
        port: NonnullNetworkPort,
        flags: u32,
    }
    NetworkPortGetParametersArgs {
        port: NonnullNetworkPort,
        nparams: i32,
        flags: u32,
    }
    NetworkPortGetParametersRet {
        params: List<TypedParam, 16>,
        nparams: i32,
    }
    NetworkPortGetXmlDescArgs {
        port: NonnullNetworkPort,
        flags: u32,
    }
    NetworkPortGetXmlDescRet {
        xml: Str,
    }
    NetworkPortLookupByUuidArgs {
        network: NonnullNetwork,
        uuid: Fixed<16>,
    }
    NetworkPortLookupByUuidRet {
        port: NonnullNetworkPort,
    }
    NetworkPortSetParametersArgs {
        port: NonnullNetworkPort,
        params: List<TypedParam, 16>,
        flags: u32,
    }
    NetworkSetAutostartArgs {
        net: NonnullNetwork,
        autostart: i32,
    }
    NetworkUndefineArgs {
        net: NonnullNetwork,
    }
    NetworkUpdateArgs {
        net: NonnullNetwork,
        command: u32,
        section: u32,
        parent_index: i32,
        xml: Str,
        flags: u32,
    }
    NodeAllocPagesArgs {
        page_sizes: List<u32, 1024>,
        page_counts: List<u64, 1024>,
        start_cell: i32,
        cell_count: u32,
        flags: u32,
    }
    NodeAllocPagesRet {
        ret: i32,
    }
    NodeDeviceCreateArgs {
        name: Str,
        flags: u32,
    }
    NodeDeviceCreateXmlArgs {
        xml_desc: Str,
        flags: u32,
    }
    NodeDeviceCreateXmlRet {
        dev: NonnullNodeDevice,
    }
    NodeDeviceDefineXmlArgs {
        xml_desc: Str,
        flags: u32,
    }
    NodeDeviceDefineXmlRet {
        dev: NonnullNodeDevice,
    }
    NodeDeviceDestroyArgs {
        name: Str,
    }
    NodeDeviceDetachFlagsArgs {
        name: Str,
        driver_name: Option<Str>,
        flags: u32,
    }
    NodeDeviceDettachArgs {
        name: Str,
    }
    NodeDeviceEventLifecycleMsg {
        callback_id: i32,
        dev: NonnullNodeDevice,
        event: i32,
        detail: i32,
    }
    NodeDeviceEventUpdateMsg {
        callback_id: i32,
        dev: NonnullNodeDevice,
    }
    NodeDeviceGetAutostartArgs {
        name: Str,
    }
    NodeDeviceGetAutostartRet {
        autostart: i32,
    }
    NodeDeviceGetParentArgs {
        name: Str,
    }
    NodeDeviceGetParentRet {
        parent_name: Option<Str>,
    }
    NodeDeviceGetXmlDescArgs {
        name: Str,
        flags: u32,
    }
    NodeDeviceGetXmlDescRet {
        xml: Str,
    }
    NodeDeviceIsActiveArgs {
        name: Str,
    }
    NodeDeviceIsActiveRet {
        active: i32,
    }
    NodeDeviceIsPersistentArgs {
        name: Str,
    }
    NodeDeviceIsPersistentRet {
        persistent: i32,
    }
    NodeDeviceListCapsArgs {
        name: Str,
        maxnames: i32,
    }
    NodeDeviceListCapsRet {
        names: List<Str, 65536>,
    }
    NodeDeviceLookupByNameArgs {
        name: Str,
    }
    NodeDeviceLookupByNameRet {
        dev: NonnullNodeDevice,
    }
    NodeDeviceLookupScsiHostByWwnArgs {
        wwnn: Str,
        wwpn: Str,
        flags: u32,
    }
    NodeDeviceLookupScsiHostByWwnRet {
        dev: NonnullNodeDevice,
    }
    NodeDeviceNumOfCapsArgs {
        name: Str,
    }
    NodeDeviceNumOfCapsRet {
        num: i32,
    }
    NodeDeviceReAttachArgs {
        name: Str,
    }
    NodeDeviceResetArgs {
        name: Str,
    }
    NodeDeviceSetAutostartArgs {
        name: Str,
        autostart: i32,
    }
    NodeDeviceUndefineArgs {
        name: Str,
        flags: u32,
    }
    NodeGetCellsFreeMemoryArgs {
        start_cell: i32,
        maxcells: i32,
    }
    NodeGetCellsFreeMemoryRet {
        cells: List<u64, 1024>,
    }
    NodeGetCpuMapArgs {
        need_map: i32,
        need_online: i32,
        flags: u32,
    }
    NodeGetCpuMapRet {
        cpumap: Opaque<2048>,
        online: u32,
        ret: i32,
    }
    NodeGetCpuStats {
        field: Str,
        value: u64,
    }
    NodeGetCpuStatsArgs {
        cpu_num: i32,
        nparams: i32,
        flags: u32,
    }
    NodeGetCpuStatsRet {
        params: List<NodeGetCpuStats, 16>,
        nparams: i32,
    }
    NodeGetFreeMemoryRet {
        free_mem: u64,
    }
    NodeGetFreePagesArgs {
        pages: List<u32, 1024>,
        start_cell: i32,
        cell_count: u32,
        flags: u32,
    }
    NodeGetFreePagesRet {
        counts: List<u64, 1024>,
    }
    NodeGetInfoRet {
        model: Array<Char, 32>,
        memory: u64,
        cpus: i32,
        mhz: i32,
        nodes: i32,
        sockets: i32,
        cores: i32,
        threads: i32,
    }
    NodeGetMemoryParametersArgs {
        nparams: i32,
        flags: u32,
    }
    NodeGetMemoryParametersRet {
        params: List<TypedParam, 64>,
        nparams: i32,
    }
    NodeGetMemoryStats {
        field: Str,
        value: u64,
    }
    NodeGetMemoryStatsArgs {
        nparams: i32,
        cell_num: i32,
        flags: u32,
    }
    NodeGetMemoryStatsRet {
        params: List<NodeGetMemoryStats, 16>,
        nparams: i32,
    }
    NodeGetSecurityModelRet {
        model: List<Char, 257>,
        doi: List<Char, 257>,
    }
    NodeGetSevInfoArgs {
        nparams: i32,
        flags: u32,
    }
    NodeGetSevInfoRet {
        params: List<TypedParam, 64>,
        nparams: i32,
    }
    NodeListDevicesArgs {
        cap: Option<Str>,
        maxnames: i32,
        flags: u32,
    }
    NodeListDevicesRet {
        names: List<Str, 65536>,
    }
    NodeNumOfDevicesArgs {
        cap: Option<Str>,
        flags: u32,
    }
    NodeNumOfDevicesRet {
        num: i32,
    }
    NodeSetMemoryParametersArgs {
        params: List<TypedParam, 64>,
        flags: u32,
    }
    NodeSuspendForDurationArgs {
        target: u32,
        duration: u64,
        flags: u32,
    }
    NonnullDomain {
        name: Str,
        uuid: Fixed<16>,
        id: i32,
    }
    NonnullDomainCheckpoint {
        name: Str,
        dom: NonnullDomain,
    }
    NonnullDomainSnapshot {
        name: Str,
        dom: NonnullDomain,
    }
    NonnullInterface {
        name: Str,
        mac: Str,
    }
    NonnullNetwork {
        name: Str,
        uuid: Fixed<16>,
    }
    NonnullNetworkPort {
        net: NonnullNetwork,
        uuid: Fixed<16>,
    }
    NonnullNodeDevice {
        name: Str,
    }
    NonnullNwfilter {
        name: Str,
        uuid: Fixed<16>,
    }
    NonnullNwfilterBinding {
        portdev: Str,
        filtername: Str,
    }
    NonnullSecret {
        uuid: Fixed<16>,
        usage_type: i32,
        usage_id: Str,
    }
    NonnullStoragePool {
        name: Str,
        uuid: Fixed<16>,
    }
    NonnullStorageVol {
        pool: Str,
        name: Str,
        key: Str,
    }
    NwfilterBindingCreateXmlArgs {
        xml: Str,
        flags: u32,
    }
    NwfilterBindingCreateXmlRet {
        nwfilter: NonnullNwfilterBinding,
    }
    NwfilterBindingDeleteArgs {
        nwfilter: NonnullNwfilterBinding,
    }
    NwfilterBindingGetXmlDescArgs {
        nwfilter: NonnullNwfilterBinding,
        flags: u32,
    }
    NwfilterBindingGetXmlDescRet {
        xml: Str,
    }
    NwfilterBindingLookupByPortDevArgs {
        name: Str,
    }
    NwfilterBindingLookupByPortDevRet {
        nwfilter: NonnullNwfilterBinding,
    }
    NwfilterDefineXmlArgs {
        xml: Str,
    }
    NwfilterDefineXmlFlagsArgs {
        xml: Str,
        flags: u32,
    }
    NwfilterDefineXmlFlagsRet {
        nwfilter: NonnullNwfilter,
    }
    NwfilterDefineXmlRet {
        nwfilter: NonnullNwfilter,
    }
    NwfilterGetXmlDescArgs {
        nwfilter: NonnullNwfilter,
        flags: u32,
    }
    NwfilterGetXmlDescRet {
        xml: Str,
    }
    NwfilterLookupByNameArgs {
        name: Str,
    }
    NwfilterLookupByNameRet {
        nwfilter: NonnullNwfilter,
    }
    NwfilterLookupByUuidArgs {
        uuid: Fixed<16>,
    }
    NwfilterLookupByUuidRet {
        nwfilter: NonnullNwfilter,
    }
    NwfilterUndefineArgs {
        nwfilter: NonnullNwfilter,
    }
    SecretDefineXmlArgs {
        xml: Str,
        flags: u32,
    }
    SecretDefineXmlRet {
        secret: NonnullSecret,
    }
    SecretEventLifecycleMsg {
        callback_id: i32,
        secret: NonnullSecret,
        event: i32,
        detail: i32,
    }
    SecretEventValueChangedMsg {
        callback_id: i32,
        secret: NonnullSecret,
    }
    SecretGetValueArgs {
        secret: NonnullSecret,
        flags: u32,
    }
    SecretGetValueRet {
        value: Opaque<65536>,
    }
    SecretGetXmlDescArgs {
        secret: NonnullSecret,
        flags: u32,
    }
    SecretGetXmlDescRet {
        xml: Str,
    }
    SecretLookupByUsageArgs {
        usage_type: i32,
        usage_id: Str,
    }
    SecretLookupByUsageRet {
        secret: NonnullSecret,
    }
    SecretLookupByUuidArgs {
        uuid: Fixed<16>,
    }
    SecretLookupByUuidRet {
        secret: NonnullSecret,
    }
    SecretSetValueArgs {
        secret: NonnullSecret,
        value: Opaque<65536>,
        flags: u32,
    }
    SecretUndefineArgs {
        secret: NonnullSecret,
    }
    StoragePoolBuildArgs {
        pool: NonnullStoragePool,
        flags: u32,
    }
    StoragePoolCreateArgs {
        pool: NonnullStoragePool,
        flags: u32,
    }
    StoragePoolCreateXmlArgs {
        xml: Str,
        flags: u32,
    }
    StoragePoolCreateXmlRet {
        pool: NonnullStoragePool,
    }
    StoragePoolDefineXmlArgs {
        xml: Str,
        flags: u32,
    }
    StoragePoolDefineXmlRet {
        pool: NonnullStoragePool,
    }
    StoragePoolDeleteArgs {
        pool: NonnullStoragePool,
        flags: u32,
    }
    StoragePoolDestroyArgs {
        pool: NonnullStoragePool,
    }
    StoragePoolEventLifecycleMsg {
        callback_id: i32,
        pool: NonnullStoragePool,
        event: i32,
        detail: i32,
    }
    StoragePoolEventRefreshMsg {
        callback_id: i32,
        pool: NonnullStoragePool,
    }
    StoragePoolGetAutostartArgs {
        pool: NonnullStoragePool,
    }
    StoragePoolGetAutostartRet {
        autostart: i32,
    }
    StoragePoolGetInfoArgs {
        pool: NonnullStoragePool,
    }
    StoragePoolGetInfoRet {
        state: UChar,
        capacity: u64,
        allocation: u64,
        available: u64,
    }
    StoragePoolGetXmlDescArgs {
        pool: NonnullStoragePool,
        flags: u32,
    }
    StoragePoolGetXmlDescRet {
        xml: Str,
    }
    StoragePoolIsActiveArgs {
        pool: NonnullStoragePool,
    }
    StoragePoolIsActiveRet {
        active: i32,
    }
    StoragePoolIsPersistentArgs {
        pool: NonnullStoragePool,
    }
    StoragePoolIsPersistentRet {
        persistent: i32,
    }
    StoragePoolListAllVolumesArgs {
        pool: NonnullStoragePool,
        need_results: i32,
        flags: u32,
    }
    StoragePoolListAllVolumesRet {
        vols: List<NonnullStorageVol, 16384>,
        ret: u32,
    }
    StoragePoolListVolumesArgs {
        pool: NonnullStoragePool,
        maxnames: i32,
    }
    StoragePoolListVolumesRet {
        names: List<Str, 16384>,
    }
    StoragePoolLookupByNameArgs {
        name: Str,
    }
    StoragePoolLookupByNameRet {
        pool: NonnullStoragePool,
    }
    StoragePoolLookupByTargetPathArgs {
        path: Str,
    }
    StoragePoolLookupByTargetPathRet {
        pool: NonnullStoragePool,
    }
    StoragePoolLookupByUuidArgs {
        uuid: Fixed<16>,
    }
    StoragePoolLookupByUuidRet {
        pool: NonnullStoragePool,
    }
    StoragePoolLookupByVolumeArgs {
        vol: NonnullStorageVol,
    }
    StoragePoolLookupByVolumeRet {
        pool: NonnullStoragePool,
    }
    StoragePoolNumOfVolumesArgs {
        pool: NonnullStoragePool,
    }
    StoragePoolNumOfVolumesRet {
        num: i32,
    }
    StoragePoolRefreshArgs {
        pool: NonnullStoragePool,
        flags: u32,
    }
    StoragePoolSetAutostartArgs {
        pool: NonnullStoragePool,
        autostart: i32,
    }
    StoragePoolUndefineArgs {
        pool: NonnullStoragePool,
    }
    StorageVolCreateXmlArgs {
        pool: NonnullStoragePool,
        xml: Str,
        flags: u32,
    }
    StorageVolCreateXmlFromArgs {
        pool: NonnullStoragePool,
        xml: Str,
        clonevol: NonnullStorageVol,
        flags: u32,
    }
    StorageVolCreateXmlFromRet {
        vol: NonnullStorageVol,
    }
    StorageVolCreateXmlRet {
        vol: NonnullStorageVol,
    }
    StorageVolDeleteArgs {
        vol: NonnullStorageVol,
        flags: u32,
    }
    StorageVolDownloadArgs {
        vol: NonnullStorageVol,
        offset: u64,
        length: u64,
        flags: u32,
    }
    StorageVolGetInfoArgs {
        vol: NonnullStorageVol,
    }
    StorageVolGetInfoFlagsArgs {
        vol: NonnullStorageVol,
        flags: u32,
    }
    StorageVolGetInfoFlagsRet {
        r#type: Char,
        capacity: u64,
        allocation: u64,
    }
    StorageVolGetInfoRet {
        r#type: Char,
        capacity: u64,
        allocation: u64,
    }
    StorageVolGetPathArgs {
        vol: NonnullStorageVol,
    }
    StorageVolGetPathRet {
        name: Str,
    }
    StorageVolGetXmlDescArgs {
        vol: NonnullStorageVol,
        flags: u32,
    }
    StorageVolGetXmlDescRet {
        xml: Str,
    }
    StorageVolLookupByKeyArgs {
        key: Str,
    }
    StorageVolLookupByKeyRet {
        vol: NonnullStorageVol,
    }
    StorageVolLookupByNameArgs {
        pool: NonnullStoragePool,
        name: Str,
    }
    StorageVolLookupByNameRet {
        vol: NonnullStorageVol,
    }
    StorageVolLookupByPathArgs {
        path: Str,
    }
    StorageVolLookupByPathRet {
        vol: NonnullStorageVol,
    }
    StorageVolResizeArgs {
        vol: NonnullStorageVol,
        capacity: u64,
        flags: u32,
    }
    StorageVolUploadArgs {
        vol: NonnullStorageVol,
        offset: u64,
        length: u64,
        flags: u32,
    }
    StorageVolWipeArgs {
        vol: NonnullStorageVol,
        flags: u32,
    }
    StorageVolWipePatternArgs {
        vol: NonnullStorageVol,
        algorithm: u32,
        flags: u32,
    }
    TypedParam {
        field: Str,
        value: TypedParamValue,
    }
    VcpuInfo {
        number: u32,
        state: i32,
        cpu_time: u64,
        cpu: i32,
    }
}

procedures! {
    0x20008086 version 1 {
        ConnectOpen = 1 "CONNECT_OPEN" Call High (Allowed) ["connect:getattr"] "virConnectOpen" 0 (ConnectOpenArgs) -> (());
        ConnectClose = 2 "CONNECT_CLOSE" Call High (Allowed) [] "virConnectClose" 0 (()) -> (());
        ConnectGetType = 3 "CONNECT_GET_TYPE" Call High (Allowed) ["connect:getattr"] "virConnectGetType" 20 (()) -> (ConnectGetTypeRet);
        ConnectGetVersion = 4 "CONNECT_GET_VERSION" Call High (Allowed) ["connect:getattr"] "virConnectGetVersion" 20 (()) -> (ConnectGetVersionRet);
        ConnectGetMaxVcpus = 5 "CONNECT_GET_MAX_VCPUS" Call High (Allowed) ["connect:read"] "virConnectGetMaxVcpus" 20 (ConnectGetMaxVcpusArgs) -> (ConnectGetMaxVcpusRet);
        NodeGetInfo = 6 "NODE_GET_INFO" Call High (Allowed) ["connect:read"] "virNodeGetInfo" 20 (()) -> (NodeGetInfoRet);
        ConnectGetCapabilities = 7 "CONNECT_GET_CAPABILITIES" Call Low (Allowed) ["connect:read"] "virConnectGetCapabilities" 20 (()) -> (ConnectGetCapabilitiesRet);
        DomainAttachDevice = 8 "DOMAIN_ATTACH_DEVICE" Call Low (Refused) ["domain:write"] "virDomainAttachDevice" 20 (DomainAttachDeviceArgs) -> (());
        DomainCreate = 9 "DOMAIN_CREATE" Call Low (Refused) ["domain:start"] "virDomainCreate" 20 (DomainCreateArgs) -> (());
        DomainCreateXml = 10 "DOMAIN_CREATE_XML" Call Low (Refused) ["domain:write", "domain:start"] "virDomainCreateXML" 20 (DomainCreateXmlArgs) -> (DomainCreateXmlRet);
        DomainDefineXml = 11 "DOMAIN_DEFINE_XML" Call High (Refused) ["domain:write", "domain:save"] "virDomainDefineXML" 20 (DomainDefineXmlArgs) -> (DomainDefineXmlRet);
        DomainDestroy = 12 "DOMAIN_DESTROY" Call High (Refused) ["domain:stop"] "virDomainDestroy" 20 (DomainDestroyArgs) -> (());
        DomainDetachDevice = 13 "DOMAIN_DETACH_DEVICE" Call Low (Refused) ["domain:write"] "virDomainDetachDevice" 20 (DomainDetachDeviceArgs) -> (());
        DomainGetXmlDesc = 14 "DOMAIN_GET_XML_DESC" Call Low (RefusedWith("flags & (VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_MIGRATABLE)")) ["domain:read", "domain:read_secure?VIR_DOMAIN_XML_SECURE", "domain:read_secure?VIR_DOMAIN_XML_MIGRATABLE"] "virDomainGetXMLDesc" 20 (DomainGetXmlDescArgs) -> (DomainGetXmlDescRet);
        DomainGetAutostart = 15 "DOMAIN_GET_AUTOSTART" Call High (Allowed) ["domain:read"] "virDomainGetAutostart" 20 (DomainGetAutostartArgs) -> (DomainGetAutostartRet);
        DomainGetInfo = 16 "DOMAIN_GET_INFO" Call Low (Allowed) ["domain:read"] "virDomainGetInfo" 20 (DomainGetInfoArgs) -> (DomainGetInfoRet);
        DomainGetMaxMemory = 17 "DOMAIN_GET_MAX_MEMORY" Call High (Allowed) ["domain:read"] "virDomainGetMaxMemory" 20 (DomainGetMaxMemoryArgs) -> (DomainGetMaxMemoryRet);
        DomainGetMaxVcpus = 18 "DOMAIN_GET_MAX_VCPUS" Call High (Allowed) ["domain:read"] "virDomainGetMaxVcpus" 20 (DomainGetMaxVcpusArgs) -> (DomainGetMaxVcpusRet);
        DomainGetOsType = 19 "DOMAIN_GET_OS_TYPE" Call High (Allowed) ["domain:read"] "virDomainGetOSType" 20 (DomainGetOsTypeArgs) -> (DomainGetOsTypeRet);
        DomainGetVcpus = 20 "DOMAIN_GET_VCPUS" Call High (Allowed) ["domain:read"] "virDomainGetVcpus" 20 (DomainGetVcpusArgs) -> (DomainGetVcpusRet);
        ConnectListDefinedDomains = 21 "CONNECT_LIST_DEFINED_DOMAINS" Call High (Allowed) ["connect:search_domains"] "virConnectListDefinedDomains" 20 (ConnectListDefinedDomainsArgs) -> (ConnectListDefinedDomainsRet);
        DomainLookupById = 22 "DOMAIN_LOOKUP_BY_ID" Call High (Allowed) ["domain:getattr"] "virDomainLookupByID" 20 (DomainLookupByIdArgs) -> (DomainLookupByIdRet);
        DomainLookupByName = 23 "DOMAIN_LOOKUP_BY_NAME" Call High (Allowed) ["domain:getattr"] "virDomainLookupByName" 20 (DomainLookupByNameArgs) -> (DomainLookupByNameRet);
        DomainLookupByUuid = 24 "DOMAIN_LOOKUP_BY_UUID" Call High (Allowed) ["domain:getattr"] "virDomainLookupByUUID" 20 (DomainLookupByUuidArgs) -> (DomainLookupByUuidRet);
        ConnectNumOfDefinedDomains = 25 "CONNECT_NUM_OF_DEFINED_DOMAINS" Call High (Allowed) ["connect:search_domains"] "virConnectNumOfDefinedDomains" 20 (()) -> (ConnectNumOfDefinedDomainsRet);
        DomainPinVcpu = 26 "DOMAIN_PIN_VCPU" Call Low (Refused) ["domain:write"] "virDomainPinVcpu" 20 (DomainPinVcpuArgs) -> (());
        DomainReboot = 27 "DOMAIN_REBOOT" Call Low (Refused) ["domain:init_control", "domain:write?VIR_DOMAIN_REBOOT_GUEST_AGENT"] "virDomainReboot" 20 (DomainRebootArgs) -> (());
        DomainResume = 28 "DOMAIN_RESUME" Call Low (Refused) ["domain:suspend"] "virDomainResume" 20 (DomainResumeArgs) -> (());
        DomainSetAutostart = 29 "DOMAIN_SET_AUTOSTART" Call High (Refused) ["domain:write"] "virDomainSetAutostart" 20 (DomainSetAutostartArgs) -> (());
        DomainSetMaxMemory = 30 "DOMAIN_SET_MAX_MEMORY" Call High (Refused) ["domain:write"] "virDomainSetMaxMemory" 20 (DomainSetMaxMemoryArgs) -> (());
        DomainSetMemory = 31 "DOMAIN_SET_MEMORY" Call Low (Refused) ["domain:write"] "virDomainSetMemory" 20 (DomainSetMemoryArgs) -> (());
        DomainSetVcpus = 32 "DOMAIN_SET_VCPUS" Call Low (Refused) ["domain:write"] "virDomainSetVcpus" 20 (DomainSetVcpusArgs) -> (());
        DomainShutdown = 33 "DOMAIN_SHUTDOWN" Call Low (Refused) ["domain:init_control"] "virDomainShutdown" 20 (DomainShutdownArgs) -> (());
        DomainSuspend = 34 "DOMAIN_SUSPEND" Call Low (Refused) ["domain:suspend"] "virDomainSuspend" 20 (DomainSuspendArgs) -> (());
        DomainUndefine = 35 "DOMAIN_UNDEFINE" Call High (Refused) ["domain:delete"] "virDomainUndefine" 20 (DomainUndefineArgs) -> (());
        ConnectListDefinedNetworks = 36 "CONNECT_LIST_DEFINED_NETWORKS" Call High (Allowed) ["connect:search_networks"] "virConnectListDefinedNetworks" 19 (ConnectListDefinedNetworksArgs) -> (ConnectListDefinedNetworksRet);
        ConnectListDomains = 37 "CONNECT_LIST_DOMAINS" Call High (Allowed) ["connect:search_domains"] "virConnectListDomains" 20 (ConnectListDomainsArgs) -> (ConnectListDomainsRet);
        ConnectListNetworks = 38 "CONNECT_LIST_NETWORKS" Call High (Allowed) ["connect:search_networks"] "virConnectListNetworks" 19 (ConnectListNetworksArgs) -> (ConnectListNetworksRet);
        NetworkCreate = 39 "NETWORK_CREATE" Call Low (Refused) ["network:start"] "virNetworkCreate" 19 (NetworkCreateArgs) -> (());
        NetworkCreateXml = 40 "NETWORK_CREATE_XML" Call Low (Refused) ["network:write", "network:start"] "virNetworkCreateXML" 19 (NetworkCreateXmlArgs) -> (NetworkCreateXmlRet);
        NetworkDefineXml = 41 "NETWORK_DEFINE_XML" Call High (Refused) ["network:write", "network:save"] "virNetworkDefineXML" 19 (NetworkDefineXmlArgs) -> (NetworkDefineXmlRet);
        NetworkDestroy = 42 "NETWORK_DESTROY" Call High (Refused) ["network:stop"] "virNetworkDestroy" 19 (NetworkDestroyArgs) -> (());
        NetworkGetXmlDesc = 43 "NETWORK_GET_XML_DESC" Call High (Allowed) ["network:read"] "virNetworkGetXMLDesc" 19 (NetworkGetXmlDescArgs) -> (NetworkGetXmlDescRet);
        NetworkGetAutostart = 44 "NETWORK_GET_AUTOSTART" Call High (Allowed) ["network:read"] "virNetworkGetAutostart" 19 (NetworkGetAutostartArgs) -> (NetworkGetAutostartRet);
        NetworkGetBridgeName = 45 "NETWORK_GET_BRIDGE_NAME" Call High (Allowed) ["network:read"] "virNetworkGetBridgeName" 19 (NetworkGetBridgeNameArgs) -> (NetworkGetBridgeNameRet);
        NetworkLookupByName = 46 "NETWORK_LOOKUP_BY_NAME" Call High (Allowed) ["network:getattr"] "virNetworkLookupByName" 19 (NetworkLookupByNameArgs) -> (NetworkLookupByNameRet);
        NetworkLookupByUuid = 47 "NETWORK_LOOKUP_BY_UUID" Call High (Allowed) ["network:getattr"] "virNetworkLookupByUUID" 19 (NetworkLookupByUuidArgs) -> (NetworkLookupByUuidRet);
        NetworkSetAutostart = 48 "NETWORK_SET_AUTOSTART" Call High (Refused) ["network:write"] "virNetworkSetAutostart" 19 (NetworkSetAutostartArgs) -> (());
        NetworkUndefine = 49 "NETWORK_UNDEFINE" Call High (Refused) ["network:delete"] "virNetworkUndefine" 19 (NetworkUndefineArgs) -> (());
        ConnectNumOfDefinedNetworks = 50 "CONNECT_NUM_OF_DEFINED_NETWORKS" Call High (Allowed) ["connect:search_networks"] "virConnectNumOfDefinedNetworks" 19 (()) -> (ConnectNumOfDefinedNetworksRet);
        ConnectNumOfDomains = 51 "CONNECT_NUM_OF_DOMAINS" Call High (Allowed) ["connect:search_domains"] "virConnectNumOfDomains" 20 (()) -> (ConnectNumOfDomainsRet);
        ConnectNumOfNetworks = 52 "CONNECT_NUM_OF_NETWORKS" Call High (Allowed) ["connect:search_networks"] "virConnectNumOfNetworks" 19 (()) -> (ConnectNumOfNetworksRet);
        DomainCoreDump = 53 "DOMAIN_CORE_DUMP" Call Low (Refused) ["domain:core_dump"] "virDomainCoreDump" 20 (DomainCoreDumpArgs) -> (());
        DomainRestore = 54 "DOMAIN_RESTORE" Call Low (Refused) ["domain:start", "domain:write"] "virDomainRestore" 20 (DomainRestoreArgs) -> (());
        DomainSave = 55 "DOMAIN_SAVE" Call Low (Refused) ["domain:hibernate"] "virDomainSave" 20 (DomainSaveArgs) -> (());
        DomainGetSchedulerType = 56 "DOMAIN_GET_SCHEDULER_TYPE" Call Low (Allowed) ["domain:read"] "virDomainGetSchedulerType" 20 (DomainGetSchedulerTypeArgs) -> (DomainGetSchedulerTypeRet);
        DomainGetSchedulerParameters = 57 "DOMAIN_GET_SCHEDULER_PARAMETERS" Call Low (Allowed) ["domain:read"] "virDomainGetSchedulerParameters" 20 (DomainGetSchedulerParametersArgs) -> (DomainGetSchedulerParametersRet);
        DomainSetSchedulerParameters = 58 "DOMAIN_SET_SCHEDULER_PARAMETERS" Call Low (Refused) ["domain:read"] "virDomainSetSchedulerParameters" 20 (DomainSetSchedulerParametersArgs) -> (());
        ConnectGetHostname = 59 "CONNECT_GET_HOSTNAME" Call High (Allowed) ["connect:getattr"] "virConnectGetHostname" 20 (()) -> (ConnectGetHostnameRet);
        ConnectSupportsFeature = 60 "CONNECT_SUPPORTS_FEATURE" Call High (Allowed) ["connect:getattr"] "virConnectSupportsFeature" 20 (ConnectSupportsFeatureArgs) -> (ConnectSupportsFeatureRet);
        DomainMigratePrepare = 61 "DOMAIN_MIGRATE_PREPARE" Call Low (Refused) ["domain:migrate", "domain:start", "domain:write"] "virDomainMigratePrepare" 20 (DomainMigratePrepareArgs) -> (DomainMigratePrepareRet);
        DomainMigratePerform = 62 "DOMAIN_MIGRATE_PERFORM" Call Low (Refused) ["domain:migrate"] "virDomainMigratePerform" 20 (DomainMigratePerformArgs) -> (());
        DomainMigrateFinish = 63 "DOMAIN_MIGRATE_FINISH" Call Low (Refused) ["domain:migrate"] "virDomainMigrateFinish" 20 (DomainMigrateFinishArgs) -> (DomainMigrateFinishRet);
        DomainBlockStats = 64 "DOMAIN_BLOCK_STATS" Call Low (Allowed) ["domain:read"] "virDomainBlockStats" 20 (DomainBlockStatsArgs) -> (DomainBlockStatsRet);
        DomainInterfaceStats = 65 "DOMAIN_INTERFACE_STATS" Call High (Allowed) ["domain:read"] "virDomainInterfaceStats" 20 (DomainInterfaceStatsArgs) -> (DomainInterfaceStatsRet);
        AuthList = 66 "AUTH_LIST" Call High (Allowed) [] "" 0 (()) -> (AuthListRet);
        AuthSaslInit = 67 "AUTH_SASL_INIT" Call High (Allowed) [] "" 0 (()) -> (AuthSaslInitRet);
        AuthSaslStart = 68 "AUTH_SASL_START" Call High (Allowed) [] "" 0 (AuthSaslStartArgs) -> (AuthSaslStartRet);
        AuthSaslStep = 69 "AUTH_SASL_STEP" Call High (Allowed) [] "" 0 (AuthSaslStepArgs) -> (AuthSaslStepRet);
        AuthPolkit = 70 "AUTH_POLKIT" Call High (Allowed) [] "" 0 (()) -> (AuthPolkitRet);
        ConnectNumOfStoragePools = 71 "CONNECT_NUM_OF_STORAGE_POOLS" Call High (Allowed) ["connect:search_storage_pools"] "virConnectNumOfStoragePools" 18 (()) -> (ConnectNumOfStoragePoolsRet);
        ConnectListStoragePools = 72 "CONNECT_LIST_STORAGE_POOLS" Call High (Allowed) ["connect:search_storage_pools"] "virConnectListStoragePools" 18 (ConnectListStoragePoolsArgs) -> (ConnectListStoragePoolsRet);
        ConnectNumOfDefinedStoragePools = 73 "CONNECT_NUM_OF_DEFINED_STORAGE_POOLS" Call High (Allowed) ["connect:search_storage_pools"] "virConnectNumOfDefinedStoragePools" 18 (()) -> (ConnectNumOfDefinedStoragePoolsRet);
        ConnectListDefinedStoragePools = 74 "CONNECT_LIST_DEFINED_STORAGE_POOLS" Call High (Allowed) ["connect:search_storage_pools"] "virConnectListDefinedStoragePools" 18 (ConnectListDefinedStoragePoolsArgs) -> (ConnectListDefinedStoragePoolsRet);
        ConnectFindStoragePoolSources = 75 "CONNECT_FIND_STORAGE_POOL_SOURCES" Call Low (Refused) ["connect:detect_storage_pools"] "virConnectFindStoragePoolSources" 18 (ConnectFindStoragePoolSourcesArgs) -> (ConnectFindStoragePoolSourcesRet);
        StoragePoolCreateXml = 76 "STORAGE_POOL_CREATE_XML" Call Low (Refused) ["storage_pool:start", "storage_pool:write"] "virStoragePoolCreateXML" 18 (StoragePoolCreateXmlArgs) -> (StoragePoolCreateXmlRet);
        StoragePoolDefineXml = 77 "STORAGE_POOL_DEFINE_XML" Call High (Refused) ["storage_pool:write", "storage_pool:save"] "virStoragePoolDefineXML" 18 (StoragePoolDefineXmlArgs) -> (StoragePoolDefineXmlRet);
        StoragePoolCreate = 78 "STORAGE_POOL_CREATE" Call Low (Refused) ["storage_pool:start"] "virStoragePoolCreate" 18 (StoragePoolCreateArgs) -> (());
        StoragePoolBuild = 79 "STORAGE_POOL_BUILD" Call Low (Refused) ["storage_pool:format"] "virStoragePoolBuild" 18 (StoragePoolBuildArgs) -> (());
        StoragePoolDestroy = 80 "STORAGE_POOL_DESTROY" Call High (Refused) ["storage_pool:stop"] "virStoragePoolDestroy" 18 (StoragePoolDestroyArgs) -> (());
        StoragePoolDelete = 81 "STORAGE_POOL_DELETE" Call Low (Refused) ["storage_pool:format"] "virStoragePoolDelete" 18 (StoragePoolDeleteArgs) -> (());
        StoragePoolUndefine = 82 "STORAGE_POOL_UNDEFINE" Call High (Refused) ["storage_pool:delete"] "virStoragePoolUndefine" 18 (StoragePoolUndefineArgs) -> (());
        StoragePoolRefresh = 83 "STORAGE_POOL_REFRESH" Call Low (Refused) ["storage_pool:refresh"] "virStoragePoolRefresh" 18 (StoragePoolRefreshArgs) -> (());
        StoragePoolLookupByName = 84 "STORAGE_POOL_LOOKUP_BY_NAME" Call High (Allowed) ["storage_pool:getattr"] "virStoragePoolLookupByName" 18 (StoragePoolLookupByNameArgs) -> (StoragePoolLookupByNameRet);
        StoragePoolLookupByUuid = 85 "STORAGE_POOL_LOOKUP_BY_UUID" Call High (Allowed) ["storage_pool:getattr"] "virStoragePoolLookupByUUID" 18 (StoragePoolLookupByUuidArgs) -> (StoragePoolLookupByUuidRet);
        StoragePoolLookupByVolume = 86 "STORAGE_POOL_LOOKUP_BY_VOLUME" Call High (Allowed) ["storage_pool:getattr"] "virStoragePoolLookupByVolume" 18 (StoragePoolLookupByVolumeArgs) -> (StoragePoolLookupByVolumeRet);
        StoragePoolGetInfo = 87 "STORAGE_POOL_GET_INFO" Call High (Allowed) ["storage_pool:read"] "virStoragePoolGetInfo" 18 (StoragePoolGetInfoArgs) -> (StoragePoolGetInfoRet);
        StoragePoolGetXmlDesc = 88 "STORAGE_POOL_GET_XML_DESC" Call High (Allowed) ["storage_pool:read"] "virStoragePoolGetXMLDesc" 18 (StoragePoolGetXmlDescArgs) -> (StoragePoolGetXmlDescRet);
        StoragePoolGetAutostart = 89 "STORAGE_POOL_GET_AUTOSTART" Call High (Allowed) ["storage_pool:read"] "virStoragePoolGetAutostart" 18 (StoragePoolGetAutostartArgs) -> (StoragePoolGetAutostartRet);
        StoragePoolSetAutostart = 90 "STORAGE_POOL_SET_AUTOSTART" Call High (Refused) ["storage_pool:write"] "virStoragePoolSetAutostart" 18 (StoragePoolSetAutostartArgs) -> (());
        StoragePoolNumOfVolumes = 91 "STORAGE_POOL_NUM_OF_VOLUMES" Call High (Allowed) ["storage_pool:search_storage_vols"] "virStoragePoolNumOfVolumes" 18 (StoragePoolNumOfVolumesArgs) -> (StoragePoolNumOfVolumesRet);
        StoragePoolListVolumes = 92 "STORAGE_POOL_LIST_VOLUMES" Call High (Allowed) ["storage_pool:search_storage_vols"] "virStoragePoolListVolumes" 18 (StoragePoolListVolumesArgs) -> (StoragePoolListVolumesRet);
        StorageVolCreateXml = 93 "STORAGE_VOL_CREATE_XML" Call Low (Refused) ["storage_vol:create"] "virStorageVolCreateXML" 18 (StorageVolCreateXmlArgs) -> (StorageVolCreateXmlRet);
        StorageVolDelete = 94 "STORAGE_VOL_DELETE" Call Low (Refused) ["storage_vol:delete"] "virStorageVolDelete" 18 (StorageVolDeleteArgs) -> (());
        StorageVolLookupByName = 95 "STORAGE_VOL_LOOKUP_BY_NAME" Call High (Allowed) ["storage_vol:getattr"] "virStorageVolLookupByName" 18 (StorageVolLookupByNameArgs) -> (StorageVolLookupByNameRet);
        StorageVolLookupByKey = 96 "STORAGE_VOL_LOOKUP_BY_KEY" Call High (Allowed) ["storage_vol:getattr"] "virStorageVolLookupByKey" 18 (StorageVolLookupByKeyArgs) -> (StorageVolLookupByKeyRet);
        StorageVolLookupByPath = 97 "STORAGE_VOL_LOOKUP_BY_PATH" Call High (Allowed) ["storage_vol:getattr"] "virStorageVolLookupByPath" 18 (StorageVolLookupByPathArgs) -> (StorageVolLookupByPathRet);
        StorageVolGetInfo = 98 "STORAGE_VOL_GET_INFO" Call High (Allowed) ["storage_vol:read"] "virStorageVolGetInfo" 18 (StorageVolGetInfoArgs) -> (StorageVolGetInfoRet);
        StorageVolGetXmlDesc = 99 "STORAGE_VOL_GET_XML_DESC" Call High (Allowed) ["storage_vol:read"] "virStorageVolGetXMLDesc" 18 (StorageVolGetXmlDescArgs) -> (StorageVolGetXmlDescRet);
        StorageVolGetPath = 100 "STORAGE_VOL_GET_PATH" Call High (Allowed) ["storage_vol:read"] "virStorageVolGetPath" 18 (StorageVolGetPathArgs) -> (StorageVolGetPathRet);
        NodeGetCellsFreeMemory = 101 "NODE_GET_CELLS_FREE_MEMORY" Call High (Allowed) ["connect:read"] "virNodeGetCellsFreeMemory" 20 (NodeGetCellsFreeMemoryArgs) -> (NodeGetCellsFreeMemoryRet);
        NodeGetFreeMemory = 102 "NODE_GET_FREE_MEMORY" Call High (Allowed) ["connect:read"] "virNodeGetFreeMemory" 20 (()) -> (NodeGetFreeMemoryRet);
        DomainBlockPeek = 103 "DOMAIN_BLOCK_PEEK" Call Low (Refused) ["domain:block_read"] "virDomainBlockPeek" 20 (DomainBlockPeekArgs) -> (DomainBlockPeekRet);
        DomainMemoryPeek = 104 "DOMAIN_MEMORY_PEEK" Call Low (Refused) ["domain:mem_read"] "virDomainMemoryPeek" 20 (DomainMemoryPeekArgs) -> (DomainMemoryPeekRet);
        ConnectDomainEventRegister = 105 "CONNECT_DOMAIN_EVENT_REGISTER" Call High (Allowed) ["connect:search_domains"] "virConnectDomainEventRegister" 20 (()) -> (ConnectDomainEventRegisterRet);
        ConnectDomainEventDeregister = 106 "CONNECT_DOMAIN_EVENT_DEREGISTER" Call High (Allowed) ["connect:read"] "virConnectDomainEventDeregister" 20 (()) -> (ConnectDomainEventDeregisterRet);
        DomainEventLifecycle = 107 "DOMAIN_EVENT_LIFECYCLE" Event Low (Allowed) [] "" 0 (DomainEventLifecycleMsg) -> (());
        DomainMigratePrepare2 = 108 "DOMAIN_MIGRATE_PREPARE2" Call Low (Refused) ["domain:migrate", "domain:start", "domain:write"] "virDomainMigratePrepare2" 20 (DomainMigratePrepare2Args) -> (DomainMigratePrepare2Ret);
        DomainMigrateFinish2 = 109 "DOMAIN_MIGRATE_FINISH2" Call Low (Refused) ["domain:migrate"] "virDomainMigrateFinish2" 20 (DomainMigrateFinish2Args) -> (DomainMigrateFinish2Ret);
        ConnectGetUri = 110 "CONNECT_GET_URI" Call High (Allowed) ["connect:getattr"] "virConnectGetURI" 20 (()) -> (ConnectGetUriRet);
        NodeNumOfDevices = 111 "NODE_NUM_OF_DEVICES" Call High (Allowed) ["connect:search_node_devices"] "virNodeNumOfDevices" 22 (NodeNumOfDevicesArgs) -> (NodeNumOfDevicesRet);
        NodeListDevices = 112 "NODE_LIST_DEVICES" Call High (Allowed) ["connect:search_node_devices"] "virNodeListDevices" 22 (NodeListDevicesArgs) -> (NodeListDevicesRet);
        NodeDeviceLookupByName = 113 "NODE_DEVICE_LOOKUP_BY_NAME" Call High (Allowed) ["node_device:getattr"] "virNodeDeviceLookupByName" 22 (NodeDeviceLookupByNameArgs) -> (NodeDeviceLookupByNameRet);
        NodeDeviceGetXmlDesc = 114 "NODE_DEVICE_GET_XML_DESC" Call Low (Allowed) ["node_device:read"] "virNodeDeviceGetXMLDesc" 22 (NodeDeviceGetXmlDescArgs) -> (NodeDeviceGetXmlDescRet);
        NodeDeviceGetParent = 115 "NODE_DEVICE_GET_PARENT" Call High (Allowed) ["node_device:read"] "virNodeDeviceGetParent" 22 (NodeDeviceGetParentArgs) -> (NodeDeviceGetParentRet);
        NodeDeviceNumOfCaps = 116 "NODE_DEVICE_NUM_OF_CAPS" Call High (Allowed) ["node_device:read"] "virNodeDeviceNumOfCaps" 22 (NodeDeviceNumOfCapsArgs) -> (NodeDeviceNumOfCapsRet);
        NodeDeviceListCaps = 117 "NODE_DEVICE_LIST_CAPS" Call High (Allowed) ["node_device:read"] "virNodeDeviceListCaps" 22 (NodeDeviceListCapsArgs) -> (NodeDeviceListCapsRet);
        NodeDeviceDettach = 118 "NODE_DEVICE_DETTACH" Call Low (Refused) ["node_device:detach"] "virNodeDeviceDettach" 22 (NodeDeviceDettachArgs) -> (());
        NodeDeviceReAttach = 119 "NODE_DEVICE_RE_ATTACH" Call Low (Refused) ["node_device:detach"] "virNodeDeviceReAttach" 22 (NodeDeviceReAttachArgs) -> (());
        NodeDeviceReset = 120 "NODE_DEVICE_RESET" Call Low (Refused) ["node_device:detach"] "virNodeDeviceReset" 22 (NodeDeviceResetArgs) -> (());
        DomainGetSecurityLabel = 121 "DOMAIN_GET_SECURITY_LABEL" Call High (Allowed) ["domain:read"] "virDomainGetSecurityLabel" 20 (DomainGetSecurityLabelArgs) -> (DomainGetSecurityLabelRet);
        NodeGetSecurityModel = 122 "NODE_GET_SECURITY_MODEL" Call High (Allowed) ["connect:read"] "virNodeGetSecurityModel" 20 (()) -> (NodeGetSecurityModelRet);
        NodeDeviceCreateXml = 123 "NODE_DEVICE_CREATE_XML" Call Low (Refused) ["node_device:write", "node_device:start"] "virNodeDeviceCreateXML" 22 (NodeDeviceCreateXmlArgs) -> (NodeDeviceCreateXmlRet);
        NodeDeviceDestroy = 124 "NODE_DEVICE_DESTROY" Call High (Refused) ["node_device:stop"] "virNodeDeviceDestroy" 22 (NodeDeviceDestroyArgs) -> (());
        StorageVolCreateXmlFrom = 125 "STORAGE_VOL_CREATE_XML_FROM" Call Low (Refused) ["storage_vol:create"] "virStorageVolCreateXMLFrom" 18 (StorageVolCreateXmlFromArgs) -> (StorageVolCreateXmlFromRet);
        ConnectNumOfInterfaces = 126 "CONNECT_NUM_OF_INTERFACES" Call High (Allowed) ["connect:search_interfaces"] "virConnectNumOfInterfaces" 26 (()) -> (ConnectNumOfInterfacesRet);
        ConnectListInterfaces = 127 "CONNECT_LIST_INTERFACES" Call High (Allowed) ["connect:search_interfaces"] "virConnectListInterfaces" 26 (ConnectListInterfacesArgs) -> (ConnectListInterfacesRet);
        InterfaceLookupByName = 128 "INTERFACE_LOOKUP_BY_NAME" Call High (Allowed) ["interface:getattr"] "virInterfaceLookupByName" 26 (InterfaceLookupByNameArgs) -> (InterfaceLookupByNameRet);
        InterfaceLookupByMacString = 129 "INTERFACE_LOOKUP_BY_MAC_STRING" Call High (Allowed) ["interface:getattr"] "virInterfaceLookupByMACString" 26 (InterfaceLookupByMacStringArgs) -> (InterfaceLookupByMacStringRet);
        InterfaceGetXmlDesc = 130 "INTERFACE_GET_XML_DESC" Call Low (Allowed) ["interface:read"] "virInterfaceGetXMLDesc" 26 (InterfaceGetXmlDescArgs) -> (InterfaceGetXmlDescRet);
        InterfaceDefineXml = 131 "INTERFACE_DEFINE_XML" Call High (Refused) ["interface:write", "interface:save"] "virInterfaceDefineXML" 26 (InterfaceDefineXmlArgs) -> (InterfaceDefineXmlRet);
        InterfaceUndefine = 132 "INTERFACE_UNDEFINE" Call High (Refused) ["interface:delete"] "virInterfaceUndefine" 26 (InterfaceUndefineArgs) -> (());
        InterfaceCreate = 133 "INTERFACE_CREATE" Call Low (Refused) ["interface:start"] "virInterfaceCreate" 26 (InterfaceCreateArgs) -> (());
        InterfaceDestroy = 134 "INTERFACE_DESTROY" Call High (Refused) ["interface:stop"] "virInterfaceDestroy" 26 (InterfaceDestroyArgs) -> (());
        ConnectDomainXmlFromNative = 135 "CONNECT_DOMAIN_XML_FROM_NATIVE" Call Low (Refused) ["connect:write"] "virConnectDomainXMLFromNative" 20 (ConnectDomainXmlFromNativeArgs) -> (ConnectDomainXmlFromNativeRet);
        ConnectDomainXmlToNative = 136 "CONNECT_DOMAIN_XML_TO_NATIVE" Call Low (Refused) ["connect:write"] "virConnectDomainXMLToNative" 20 (ConnectDomainXmlToNativeArgs) -> (ConnectDomainXmlToNativeRet);
        ConnectNumOfDefinedInterfaces = 137 "CONNECT_NUM_OF_DEFINED_INTERFACES" Call High (Allowed) ["connect:search_interfaces"] "virConnectNumOfDefinedInterfaces" 26 (()) -> (ConnectNumOfDefinedInterfacesRet);
        ConnectListDefinedInterfaces = 138 "CONNECT_LIST_DEFINED_INTERFACES" Call High (Allowed) ["connect:search_interfaces"] "virConnectListDefinedInterfaces" 26 (ConnectListDefinedInterfacesArgs) -> (ConnectListDefinedInterfacesRet);
        ConnectNumOfSecrets = 139 "CONNECT_NUM_OF_SECRETS" Call High (Allowed) ["connect:search_secrets"] "virConnectNumOfSecrets" 30 (()) -> (ConnectNumOfSecretsRet);
        ConnectListSecrets = 140 "CONNECT_LIST_SECRETS" Call High (Allowed) ["connect:search_secrets"] "virConnectListSecrets" 30 (ConnectListSecretsArgs) -> (ConnectListSecretsRet);
        SecretLookupByUuid = 141 "SECRET_LOOKUP_BY_UUID" Call High (Allowed) ["secret:getattr"] "virSecretLookupByUUID" 30 (SecretLookupByUuidArgs) -> (SecretLookupByUuidRet);
        SecretDefineXml = 142 "SECRET_DEFINE_XML" Call High (Refused) ["secret:write", "secret:save"] "virSecretDefineXML" 30 (SecretDefineXmlArgs) -> (SecretDefineXmlRet);
        SecretGetXmlDesc = 143 "SECRET_GET_XML_DESC" Call High (Allowed) ["secret:read"] "virSecretGetXMLDesc" 30 (SecretGetXmlDescArgs) -> (SecretGetXmlDescRet);
        SecretSetValue = 144 "SECRET_SET_VALUE" Call High (Refused) ["secret:write"] "virSecretSetValue" 30 (SecretSetValueArgs) -> (());
        SecretGetValue = 145 "SECRET_GET_VALUE" Call High (Refused) ["secret:read_secure"] "virSecretGetValue" 30 (SecretGetValueArgs) -> (SecretGetValueRet);
        SecretUndefine = 146 "SECRET_UNDEFINE" Call High (Refused) ["secret:delete"] "virSecretUndefine" 30 (SecretUndefineArgs) -> (());
        SecretLookupByUsage = 147 "SECRET_LOOKUP_BY_USAGE" Call High (Allowed) ["secret:getattr"] "virSecretLookupByUsage" 30 (SecretLookupByUsageArgs) -> (SecretLookupByUsageRet);
        DomainMigratePrepareTunnel = 148 "DOMAIN_MIGRATE_PREPARE_TUNNEL" Call Low (Refused) ["domain:migrate", "domain:start", "domain:write"] "virDomainMigratePrepareTunnel" 20 (DomainMigratePrepareTunnelArgs) -> (());
        ConnectIsSecure = 149 "CONNECT_IS_SECURE" Call High (Allowed) [] "virConnectIsSecure" 20 (()) -> (ConnectIsSecureRet);
        DomainIsActive = 150 "DOMAIN_IS_ACTIVE" Call High (Allowed) ["domain:read"] "virDomainIsActive" 20 (DomainIsActiveArgs) -> (DomainIsActiveRet);
        DomainIsPersistent = 151 "DOMAIN_IS_PERSISTENT" Call High (Allowed) ["domain:read"] "virDomainIsPersistent" 20 (DomainIsPersistentArgs) -> (DomainIsPersistentRet);
        NetworkIsActive = 152 "NETWORK_IS_ACTIVE" Call High (Allowed) ["network:read"] "virNetworkIsActive" 19 (NetworkIsActiveArgs) -> (NetworkIsActiveRet);
        NetworkIsPersistent = 153 "NETWORK_IS_PERSISTENT" Call High (Allowed) ["network:read"] "virNetworkIsPersistent" 19 (NetworkIsPersistentArgs) -> (NetworkIsPersistentRet);
        StoragePoolIsActive = 154 "STORAGE_POOL_IS_ACTIVE" Call High (Allowed) ["storage_pool:read"] "virStoragePoolIsActive" 18 (StoragePoolIsActiveArgs) -> (StoragePoolIsActiveRet);
        StoragePoolIsPersistent = 155 "STORAGE_POOL_IS_PERSISTENT" Call High (Allowed) ["storage_pool:read"] "virStoragePoolIsPersistent" 18 (StoragePoolIsPersistentArgs) -> (StoragePoolIsPersistentRet);
        InterfaceIsActive = 156 "INTERFACE_IS_ACTIVE" Call High (Allowed) ["interface:read"] "virInterfaceIsActive" 26 (InterfaceIsActiveArgs) -> (InterfaceIsActiveRet);
        ConnectGetLibVersion = 157 "CONNECT_GET_LIB_VERSION" Call High (Allowed) ["connect:getattr"] "virConnectGetLibVersion" 20 (()) -> (ConnectGetLibVersionRet);
        ConnectCompareCpu = 158 "CONNECT_COMPARE_CPU" Call High (Allowed) ["connect:read"] "virConnectCompareCPU" 20 (ConnectCompareCpuArgs) -> (ConnectCompareCpuRet);
        DomainMemoryStats = 159 "DOMAIN_MEMORY_STATS" Call Low (Allowed) ["domain:read"] "virDomainMemoryStats" 20 (DomainMemoryStatsArgs) -> (DomainMemoryStatsRet);
        DomainAttachDeviceFlags = 160 "DOMAIN_ATTACH_DEVICE_FLAGS" Call Low (Refused) ["domain:write", "domain:save?!VIR_DOMAIN_AFFECT_CONFIG|VIR_DOMAIN_AFFECT_LIVE", "domain:save?VIR_DOMAIN_AFFECT_CONFIG"] "virDomainAttachDeviceFlags" 20 (DomainAttachDeviceFlagsArgs) -> (());
        DomainDetachDeviceFlags = 161 "DOMAIN_DETACH_DEVICE_FLAGS" Call Low (Refused) ["domain:write", "domain:save?!VIR_DOMAIN_AFFECT_CONFIG|VIR_DOMAIN_AFFECT_LIVE", "domain:save?VIR_DOMAIN_AFFECT_CONFIG"] "virDomainDetachDeviceFlags" 20 (DomainDetachDeviceFlagsArgs) -> (());
        ConnectBaselineCpu = 162 "CONNECT_BASELINE_CPU" Call Low (Allowed) ["connect:read"] "virConnectBaselineCPU" 20 (ConnectBaselineCpuArgs) -> (ConnectBaselineCpuRet);
        DomainGetJobInfo = 163 "DOMAIN_GET_JOB_INFO" Call Low (Allowed) ["domain:read"] "virDomainGetJobInfo" 20 (DomainGetJobInfoArgs) -> (DomainGetJobInfoRet);
        DomainAbortJob = 164 "DOMAIN_ABORT_JOB" Call Low (Refused) ["domain:write"] "virDomainAbortJob" 20 (DomainAbortJobArgs) -> (());
        StorageVolWipe = 165 "STORAGE_VOL_WIPE" Call Low (Refused) ["storage_vol:format"] "virStorageVolWipe" 18 (StorageVolWipeArgs) -> (());
        DomainMigrateSetMaxDowntime = 166 "DOMAIN_MIGRATE_SET_MAX_DOWNTIME" Call Low (Refused) ["domain:migrate"] "virDomainMigrateSetMaxDowntime" 20 (DomainMigrateSetMaxDowntimeArgs) -> (());
        ConnectDomainEventRegisterAny = 167 "CONNECT_DOMAIN_EVENT_REGISTER_ANY" Call High (Allowed) ["connect:search_domains"] "virConnectDomainEventRegisterAny" 20 (ConnectDomainEventRegisterAnyArgs) -> (());
        ConnectDomainEventDeregisterAny = 168 "CONNECT_DOMAIN_EVENT_DEREGISTER_ANY" Call High (Allowed) ["connect:read"] "virConnectDomainEventDeregisterAny" 20 (ConnectDomainEventDeregisterAnyArgs) -> (());
        DomainEventReboot = 169 "DOMAIN_EVENT_REBOOT" Event Low (Allowed) [] "" 0 (DomainEventRebootMsg) -> (());
        DomainEventRtcChange = 170 "DOMAIN_EVENT_RTC_CHANGE" Event Low (Allowed) [] "" 0 (DomainEventRtcChangeMsg) -> (());
        DomainEventWatchdog = 171 "DOMAIN_EVENT_WATCHDOG" Event Low (Allowed) [] "" 0 (DomainEventWatchdogMsg) -> (());
        DomainEventIoError = 172 "DOMAIN_EVENT_IO_ERROR" Event Low (Allowed) [] "" 0 (DomainEventIoErrorMsg) -> (());
        DomainEventGraphics = 173 "DOMAIN_EVENT_GRAPHICS" Event Low (Allowed) [] "" 0 (DomainEventGraphicsMsg) -> (());
        DomainUpdateDeviceFlags = 174 "DOMAIN_UPDATE_DEVICE_FLAGS" Call Low (Refused) ["domain:write", "domain:save?!VIR_DOMAIN_AFFECT_CONFIG|VIR_DOMAIN_AFFECT_LIVE", "domain:save?VIR_DOMAIN_AFFECT_CONFIG"] "virDomainUpdateDeviceFlags" 20 (DomainUpdateDeviceFlagsArgs) -> (());
        NwfilterLookupByName = 175 "NWFILTER_LOOKUP_BY_NAME" Call High (Allowed) ["nwfilter:getattr"] "virNWFilterLookupByName" 33 (NwfilterLookupByNameArgs) -> (NwfilterLookupByNameRet);
        NwfilterLookupByUuid = 176 "NWFILTER_LOOKUP_BY_UUID" Call High (Allowed) ["nwfilter:getattr"] "virNWFilterLookupByUUID" 33 (NwfilterLookupByUuidArgs) -> (NwfilterLookupByUuidRet);
        NwfilterGetXmlDesc = 177 "NWFILTER_GET_XML_DESC" Call High (Allowed) ["nwfilter:read"] "virNWFilterGetXMLDesc" 33 (NwfilterGetXmlDescArgs) -> (NwfilterGetXmlDescRet);
        ConnectNumOfNwfilters = 178 "CONNECT_NUM_OF_NWFILTERS" Call High (Allowed) ["connect:search_nwfilters"] "virConnectNumOfNWFilters" 33 (()) -> (ConnectNumOfNwfiltersRet);
        ConnectListNwfilters = 179 "CONNECT_LIST_NWFILTERS" Call High (Allowed) ["connect:search_nwfilters"] "virConnectListNWFilters" 33 (ConnectListNwfiltersArgs) -> (ConnectListNwfiltersRet);
        NwfilterDefineXml = 180 "NWFILTER_DEFINE_XML" Call High (Refused) ["nwfilter:write", "nwfilter:save"] "virNWFilterDefineXML" 33 (NwfilterDefineXmlArgs) -> (NwfilterDefineXmlRet);
        NwfilterUndefine = 181 "NWFILTER_UNDEFINE" Call High (Refused) ["nwfilter:delete"] "virNWFilterUndefine" 33 (NwfilterUndefineArgs) -> (());
        DomainManagedSave = 182 "DOMAIN_MANAGED_SAVE" Call Low (Refused) ["domain:hibernate"] "virDomainManagedSave" 20 (DomainManagedSaveArgs) -> (());
        DomainHasManagedSaveImage = 183 "DOMAIN_HAS_MANAGED_SAVE_IMAGE" Call Low (Allowed) ["domain:read"] "virDomainHasManagedSaveImage" 20 (DomainHasManagedSaveImageArgs) -> (DomainHasManagedSaveImageRet);
        DomainManagedSaveRemove = 184 "DOMAIN_MANAGED_SAVE_REMOVE" Call Low (Refused) ["domain:hibernate"] "virDomainManagedSaveRemove" 20 (DomainManagedSaveRemoveArgs) -> (());
        DomainSnapshotCreateXml = 185 "DOMAIN_SNAPSHOT_CREATE_XML" Call Low (Refused) ["domain:snapshot", "domain:fs_freeze?VIR_DOMAIN_SNAPSHOT_CREATE_QUIESCE"] "virDomainSnapshotCreateXML" 35 (DomainSnapshotCreateXmlArgs) -> (DomainSnapshotCreateXmlRet);
        DomainSnapshotGetXmlDesc = 186 "DOMAIN_SNAPSHOT_GET_XML_DESC" Call High (RefusedWith("flags & VIR_DOMAIN_SNAPSHOT_XML_SECURE")) ["domain:read", "domain:read_secure?VIR_DOMAIN_SNAPSHOT_XML_SECURE"] "virDomainSnapshotGetXMLDesc" 35 (DomainSnapshotGetXmlDescArgs) -> (DomainSnapshotGetXmlDescRet);
        DomainSnapshotNum = 187 "DOMAIN_SNAPSHOT_NUM" Call High (Allowed) ["domain:read"] "virDomainSnapshotNum" 35 (DomainSnapshotNumArgs) -> (DomainSnapshotNumRet);
        DomainSnapshotListNames = 188 "DOMAIN_SNAPSHOT_LIST_NAMES" Call High (Allowed) ["domain:read"] "virDomainSnapshotListNames" 35 (DomainSnapshotListNamesArgs) -> (DomainSnapshotListNamesRet);
        DomainSnapshotLookupByName = 189 "DOMAIN_SNAPSHOT_LOOKUP_BY_NAME" Call High (Allowed) ["domain:read"] "virDomainSnapshotLookupByName" 35 (DomainSnapshotLookupByNameArgs) -> (DomainSnapshotLookupByNameRet);
        DomainHasCurrentSnapshot = 190 "DOMAIN_HAS_CURRENT_SNAPSHOT" Call Low (Allowed) ["domain:read"] "virDomainHasCurrentSnapshot" 35 (DomainHasCurrentSnapshotArgs) -> (DomainHasCurrentSnapshotRet);
        DomainSnapshotCurrent = 191 "DOMAIN_SNAPSHOT_CURRENT" Call Low (Allowed) ["domain:read"] "virDomainSnapshotCurrent" 35 (DomainSnapshotCurrentArgs) -> (DomainSnapshotCurrentRet);
        DomainRevertToSnapshot = 192 "DOMAIN_REVERT_TO_SNAPSHOT" Call Low (Refused) ["domain:snapshot"] "virDomainRevertToSnapshot" 35 (DomainRevertToSnapshotArgs) -> (());
        DomainSnapshotDelete = 193 "DOMAIN_SNAPSHOT_DELETE" Call Low (Refused) ["domain:snapshot"] "virDomainSnapshotDelete" 35 (DomainSnapshotDeleteArgs) -> (());
        DomainGetBlockInfo = 194 "DOMAIN_GET_BLOCK_INFO" Call Low (Allowed) ["domain:read"] "virDomainGetBlockInfo" 20 (DomainGetBlockInfoArgs) -> (DomainGetBlockInfoRet);
        DomainEventIoErrorReason = 195 "DOMAIN_EVENT_IO_ERROR_REASON" Event Low (Allowed) [] "" 0 (DomainEventIoErrorReasonMsg) -> (());
        DomainCreateWithFlags = 196 "DOMAIN_CREATE_WITH_FLAGS" Call Low (Refused) ["domain:start"] "virDomainCreateWithFlags" 20 (DomainCreateWithFlagsArgs) -> (DomainCreateWithFlagsRet);
        DomainSetMemoryParameters = 197 "DOMAIN_SET_MEMORY_PARAMETERS" Call Low (Refused) ["domain:write", "domain:save?!VIR_DOMAIN_AFFECT_CONFIG|VIR_DOMAIN_AFFECT_LIVE", "domain:save?VIR_DOMAIN_AFFECT_CONFIG"] "virDomainSetMemoryParameters" 20 (DomainSetMemoryParametersArgs) -> (());
        DomainGetMemoryParameters = 198 "DOMAIN_GET_MEMORY_PARAMETERS" Call Low (Allowed) ["domain:read"] "virDomainGetMemoryParameters" 20 (DomainGetMemoryParametersArgs) -> (DomainGetMemoryParametersRet);
        DomainSetVcpusFlags = 199 "DOMAIN_SET_VCPUS_FLAGS" Call Low (Refused) ["domain:write", "domain:save?!VIR_DOMAIN_AFFECT_CONFIG|VIR_DOMAIN_AFFECT_LIVE", "domain:save?VIR_DOMAIN_AFFECT_CONFIG", "domain:write?VIR_DOMAIN_VCPU_GUEST"] "virDomainSetVcpusFlags" 20 (DomainSetVcpusFlagsArgs) -> (());
        DomainGetVcpusFlags = 200 "DOMAIN_GET_VCPUS_FLAGS" Call Low (RefusedWith("flags & VIR_DOMAIN_VCPU_GUEST")) ["domain:read", "domain:write?VIR_DOMAIN_VCPU_GUEST"] "virDomainGetVcpusFlags" 20 (DomainGetVcpusFlagsArgs) -> (DomainGetVcpusFlagsRet);
        DomainOpenConsole = 201 "DOMAIN_OPEN_CONSOLE" Call Low (Refused) ["domain:open_device"] "virDomainOpenConsole" 20 (DomainOpenConsoleArgs) -> (());
        DomainIsUpdated = 202 "DOMAIN_IS_UPDATED" Call High (Allowed) ["domain:read"] "virDomainIsUpdated" 20 (DomainIsUpdatedArgs) -> (DomainIsUpdatedRet);
        ConnectGetSysinfo = 203 "CONNECT_GET_SYSINFO" Call High (Allowed) ["connect:read"] "virConnectGetSysinfo" 20 (ConnectGetSysinfoArgs) -> (ConnectGetSysinfoRet);
        DomainSetMemoryFlags = 204 "DOMAIN_SET_MEMORY_FLAGS" Call Low (Refused) ["domain:write", "domain:save?!VIR_DOMAIN_AFFECT_CONFIG|VIR_DOMAIN_AFFECT_LIVE", "domain:save?VIR_DOMAIN_AFFECT_CONFIG"] "virDomainSetMemoryFlags" 20 (DomainSetMemoryFlagsArgs) -> (());
        DomainSetBlkioParameters = 205 "DOMAIN_SET_BLKIO_PARAMETERS" Call Low (Refused) ["domain:write", "domain:save?!VIR_DOMAIN_AFFECT_CONFIG|VIR_DOMAIN_AFFECT_LIVE", "domain:save?VIR_DOMAIN_AFFECT_CONFIG"] "virDomainSetBlkioParameters" 20 (DomainSetBlkioParametersArgs) -> (());
        DomainGetBlkioParameters = 206 "DOMAIN_GET_BLKIO_PARAMETERS" Call Low (Allowed) ["domain:read"] "virDomainGetBlkioParameters" 20 (DomainGetBlkioParametersArgs) -> (DomainGetBlkioParametersRet);
        DomainMigrateSetMaxSpeed = 207 "DOMAIN_MIGRATE_SET_MAX_SPEED" Call Low (Refused) ["domain:migrate"] "virDomainMigrateSetMaxSpeed" 20 (DomainMigrateSetMaxSpeedArgs) -> (());
        StorageVolUpload = 208 "STORAGE_VOL_UPLOAD" Call Low (Refused) ["storage_vol:data_write"] "virStorageVolUpload" 18 (StorageVolUploadArgs) -> (());
        StorageVolDownload = 209 "STORAGE_VOL_DOWNLOAD" Call Low (Refused) ["storage_vol:data_read"] "virStorageVolDownload" 18 (StorageVolDownloadArgs) -> (());
        DomainInjectNmi = 210 "DOMAIN_INJECT_NMI" Call Low (Refused) ["domain:inject_nmi"] "virDomainInjectNMI" 20 (DomainInjectNmiArgs) -> (());
        DomainScreenshot = 211 "DOMAIN_SCREENSHOT" Call Low (Refused) ["domain:screenshot"] "virDomainScreenshot" 20 (DomainScreenshotArgs) -> (DomainScreenshotRet);
        DomainGetState = 212 "DOMAIN_GET_STATE" Call High (Allowed) ["domain:read"] "virDomainGetState" 20 (DomainGetStateArgs) -> (DomainGetStateRet);
        DomainMigrateBegin3 = 213 "DOMAIN_MIGRATE_BEGIN3" Call Low (Refused) ["domain:migrate"] "virDomainMigrateBegin3" 20 (DomainMigrateBegin3Args) -> (DomainMigrateBegin3Ret);
        DomainMigratePrepare3 = 214 "DOMAIN_MIGRATE_PREPARE3" Call Low (Refused) ["domain:migrate", "domain:start", "domain:write"] "virDomainMigratePrepare3" 20 (DomainMigratePrepare3Args) -> (DomainMigratePrepare3Ret);
        DomainMigratePrepareTunnel3 = 215 "DOMAIN_MIGRATE_PREPARE_TUNNEL3" Call Low (Refused) ["domain:migrate", "domain:start", "domain:write"] "virDomainMigratePrepareTunnel3" 20 (DomainMigratePrepareTunnel3Args) -> (DomainMigratePrepareTunnel3Ret);
        DomainMigratePerform3 = 216 "DOMAIN_MIGRATE_PERFORM3" Call Low (Refused) ["domain:migrate"] "virDomainMigratePerform3" 20 (DomainMigratePerform3Args) -> (DomainMigratePerform3Ret);
        DomainMigrateFinish3 = 217 "DOMAIN_MIGRATE_FINISH3" Call Low (Refused) ["domain:migrate"] "virDomainMigrateFinish3" 20 (DomainMigrateFinish3Args) -> (DomainMigrateFinish3Ret);
        DomainMigrateConfirm3 = 218 "DOMAIN_MIGRATE_CONFIRM3" Call Low (Refused) ["domain:migrate"] "virDomainMigrateConfirm3" 20 (DomainMigrateConfirm3Args) -> (());
        DomainSetSchedulerParametersFlags = 219 "DOMAIN_SET_SCHEDULER_PARAMETERS_FLAGS" Call Low (Refused) ["domain:write", "domain:save?!VIR_DOMAIN_AFFECT_CONFIG|VIR_DOMAIN_AFFECT_LIVE", "domain:save?VIR_DOMAIN_AFFECT_CONFIG"] "virDomainSetSchedulerParametersFlags" 20 (DomainSetSchedulerParametersFlagsArgs) -> (());
        InterfaceChangeBegin = 220 "INTERFACE_CHANGE_BEGIN" Call Low (Refused) ["connect:interface_transaction"] "virInterfaceChangeBegin" 26 (InterfaceChangeBeginArgs) -> (());
        InterfaceChangeCommit = 221 "INTERFACE_CHANGE_COMMIT" Call Low (Refused) ["connect:interface_transaction"] "virInterfaceChangeCommit" 26 (InterfaceChangeCommitArgs) -> (());
        InterfaceChangeRollback = 222 "INTERFACE_CHANGE_ROLLBACK" Call Low (Refused) ["connect:interface_transaction"] "virInterfaceChangeRollback" 26 (InterfaceChangeRollbackArgs) -> (());
        DomainGetSchedulerParametersFlags = 223 "DOMAIN_GET_SCHEDULER_PARAMETERS_FLAGS" Call Low (Allowed) ["domain:read"] "virDomainGetSchedulerParametersFlags" 20 (DomainGetSchedulerParametersFlagsArgs) -> (DomainGetSchedulerParametersFlagsRet);
        DomainEventControlError = 224 "DOMAIN_EVENT_CONTROL_ERROR" Event Low (Allowed) [] "" 0 (DomainEventControlErrorMsg) -> (());
        DomainPinVcpuFlags = 225 "DOMAIN_PIN_VCPU_FLAGS" Call Low (Refused) ["domain:write", "domain:save?!VIR_DOMAIN_AFFECT_CONFIG|VIR_DOMAIN_AFFECT_LIVE", "domain:save?VIR_DOMAIN_AFFECT_CONFIG"] "virDomainPinVcpuFlags" 20 (DomainPinVcpuFlagsArgs) -> (());
        DomainSendKey = 226 "DOMAIN_SEND_KEY" Call Low (Refused) ["domain:send_input"] "virDomainSendKey" 20 (DomainSendKeyArgs) -> (());
        NodeGetCpuStats = 227 "NODE_GET_CPU_STATS" Call High (Allowed) ["connect:read"] "virNodeGetCPUStats" 20 (NodeGetCpuStatsArgs) -> (NodeGetCpuStatsRet);
        NodeGetMemoryStats = 228 "NODE_GET_MEMORY_STATS" Call High (Allowed) ["connect:read"] "virNodeGetMemoryStats" 20 (NodeGetMemoryStatsArgs) -> (NodeGetMemoryStatsRet);
        DomainGetControlInfo = 229 "DOMAIN_GET_CONTROL_INFO" Call High (Allowed) ["domain:read"] "virDomainGetControlInfo" 20 (DomainGetControlInfoArgs) -> (DomainGetControlInfoRet);
        DomainGetVcpuPinInfo = 230 "DOMAIN_GET_VCPU_PIN_INFO" Call Low (Allowed) ["domain:read"] "virDomainGetVcpuPinInfo" 20 (DomainGetVcpuPinInfoArgs) -> (DomainGetVcpuPinInfoRet);
        DomainUndefineFlags = 231 "DOMAIN_UNDEFINE_FLAGS" Call High (Refused) ["domain:delete"] "virDomainUndefineFlags" 20 (DomainUndefineFlagsArgs) -> (());
        DomainSaveFlags = 232 "DOMAIN_SAVE_FLAGS" Call Low (Refused) ["domain:hibernate"] "virDomainSaveFlags" 20 (DomainSaveFlagsArgs) -> (());
        DomainRestoreFlags = 233 "DOMAIN_RESTORE_FLAGS" Call Low (Refused) ["domain:start", "domain:write"] "virDomainRestoreFlags" 20 (DomainRestoreFlagsArgs) -> (());
        DomainDestroyFlags = 234 "DOMAIN_DESTROY_FLAGS" Call High (Refused) ["domain:stop"] "virDomainDestroyFlags" 20 (DomainDestroyFlagsArgs) -> (());
        DomainSaveImageGetXmlDesc = 235 "DOMAIN_SAVE_IMAGE_GET_XML_DESC" Call High (Refused) ["domain:write"] "virDomainSaveImageGetXMLDesc" 20 (DomainSaveImageGetXmlDescArgs) -> (DomainSaveImageGetXmlDescRet);
        DomainSaveImageDefineXml = 236 "DOMAIN_SAVE_IMAGE_DEFINE_XML" Call High (Refused) ["domain:write", "domain:hibernate"] "virDomainSaveImageDefineXML" 20 (DomainSaveImageDefineXmlArgs) -> (());
        DomainBlockJobAbort = 237 "DOMAIN_BLOCK_JOB_ABORT" Call Low (Refused) ["domain:write"] "virDomainBlockJobAbort" 20 (DomainBlockJobAbortArgs) -> (());
        DomainGetBlockJobInfo = 238 "DOMAIN_GET_BLOCK_JOB_INFO" Call Low (Allowed) ["domain:read"] "virDomainGetBlockJobInfo" 20 (DomainGetBlockJobInfoArgs) -> (DomainGetBlockJobInfoRet);
        DomainBlockJobSetSpeed = 239 "DOMAIN_BLOCK_JOB_SET_SPEED" Call Low (Refused) ["domain:write"] "virDomainBlockJobSetSpeed" 20 (DomainBlockJobSetSpeedArgs) -> (());
        DomainBlockPull = 240 "DOMAIN_BLOCK_PULL" Call Low (Refused) ["domain:block_write"] "virDomainBlockPull" 20 (DomainBlockPullArgs) -> (());
        DomainEventBlockJob = 241 "DOMAIN_EVENT_BLOCK_JOB" Event Low (Allowed) [] "" 0 (DomainEventBlockJobMsg) -> (());
        DomainMigrateGetMaxSpeed = 242 "DOMAIN_MIGRATE_GET_MAX_SPEED" Call Low (Refused) ["domain:migrate"] "virDomainMigrateGetMaxSpeed" 20 (DomainMigrateGetMaxSpeedArgs) -> (DomainMigrateGetMaxSpeedRet);
        DomainBlockStatsFlags = 243 "DOMAIN_BLOCK_STATS_FLAGS" Call Low (Allowed) ["domain:read"] "virDomainBlockStatsFlags" 20 (DomainBlockStatsFlagsArgs) -> (DomainBlockStatsFlagsRet);
        DomainSnapshotGetParent = 244 "DOMAIN_SNAPSHOT_GET_PARENT" Call High (Allowed) ["domain:read"] "virDomainSnapshotGetParent" 35 (DomainSnapshotGetParentArgs) -> (DomainSnapshotGetParentRet);
        DomainReset = 245 "DOMAIN_RESET" Call Low (Refused) ["domain:reset"] "virDomainReset" 20 (DomainResetArgs) -> (());
        DomainSnapshotNumChildren = 246 "DOMAIN_SNAPSHOT_NUM_CHILDREN" Call High (Allowed) ["domain:read"] "virDomainSnapshotNumChildren" 35 (DomainSnapshotNumChildrenArgs) -> (DomainSnapshotNumChildrenRet);
        DomainSnapshotListChildrenNames = 247 "DOMAIN_SNAPSHOT_LIST_CHILDREN_NAMES" Call High (Allowed) ["domain:read"] "virDomainSnapshotListChildrenNames" 35 (DomainSnapshotListChildrenNamesArgs) -> (DomainSnapshotListChildrenNamesRet);
        DomainEventDiskChange = 248 "DOMAIN_EVENT_DISK_CHANGE" Event Low (Allowed) [] "" 0 (DomainEventDiskChangeMsg) -> (());
        DomainOpenGraphics = 249 "DOMAIN_OPEN_GRAPHICS" Call Low (Refused) ["domain:open_graphics"] "virDomainOpenGraphics" 20 (DomainOpenGraphicsArgs) -> (());
        NodeSuspendForDuration = 250 "NODE_SUSPEND_FOR_DURATION" Call Low (Refused) ["connect:pm_control"] "virNodeSuspendForDuration" 20 (NodeSuspendForDurationArgs) -> (());
        DomainBlockResize = 251 "DOMAIN_BLOCK_RESIZE" Call Low (Refused) ["domain:block_write"] "virDomainBlockResize" 20 (DomainBlockResizeArgs) -> (());
        DomainSetBlockIoTune = 252 "DOMAIN_SET_BLOCK_IO_TUNE" Call Low (Refused) ["domain:write", "domain:save?!VIR_DOMAIN_AFFECT_CONFIG|VIR_DOMAIN_AFFECT_LIVE", "domain:save?VIR_DOMAIN_AFFECT_CONFIG"] "virDomainSetBlockIoTune" 20 (DomainSetBlockIoTuneArgs) -> (());
        DomainGetBlockIoTune = 253 "DOMAIN_GET_BLOCK_IO_TUNE" Call Low (Allowed) ["domain:read"] "virDomainGetBlockIoTune" 20 (DomainGetBlockIoTuneArgs) -> (DomainGetBlockIoTuneRet);
        DomainSetNumaParameters = 254 "DOMAIN_SET_NUMA_PARAMETERS" Call Low (Refused) ["domain:write", "domain:save?!VIR_DOMAIN_AFFECT_CONFIG|VIR_DOMAIN_AFFECT_LIVE", "domain:save?VIR_DOMAIN_AFFECT_CONFIG"] "virDomainSetNumaParameters" 20 (DomainSetNumaParametersArgs) -> (());
        DomainGetNumaParameters = 255 "DOMAIN_GET_NUMA_PARAMETERS" Call Low (Allowed) ["domain:read"] "virDomainGetNumaParameters" 20 (DomainGetNumaParametersArgs) -> (DomainGetNumaParametersRet);
        DomainSetInterfaceParameters = 256 "DOMAIN_SET_INTERFACE_PARAMETERS" Call Low (Refused) ["domain:write", "domain:save?!VIR_DOMAIN_AFFECT_CONFIG|VIR_DOMAIN_AFFECT_LIVE", "domain:save?VIR_DOMAIN_AFFECT_CONFIG"] "virDomainSetInterfaceParameters" 20 (DomainSetInterfaceParametersArgs) -> (());
        DomainGetInterfaceParameters = 257 "DOMAIN_GET_INTERFACE_PARAMETERS" Call Low (Allowed) ["domain:read"] "virDomainGetInterfaceParameters" 20 (DomainGetInterfaceParametersArgs) -> (DomainGetInterfaceParametersRet);
        DomainShutdownFlags = 258 "DOMAIN_SHUTDOWN_FLAGS" Call Low (Refused) ["domain:init_control", "domain:write?VIR_DOMAIN_SHUTDOWN_GUEST_AGENT"] "virDomainShutdownFlags" 20 (DomainShutdownFlagsArgs) -> (());
        StorageVolWipePattern = 259 "STORAGE_VOL_WIPE_PATTERN" Call Low (Refused) ["storage_vol:format"] "virStorageVolWipePattern" 18 (StorageVolWipePatternArgs) -> (());
        StorageVolResize = 260 "STORAGE_VOL_RESIZE" Call Low (Refused) ["storage_vol:resize"] "virStorageVolResize" 18 (StorageVolResizeArgs) -> (());
        DomainPmSuspendForDuration = 261 "DOMAIN_PM_SUSPEND_FOR_DURATION" Call Low (Refused) ["domain:pm_control"] "virDomainPMSuspendForDuration" 20 (DomainPmSuspendForDurationArgs) -> (());
        DomainGetCpuStats = 262 "DOMAIN_GET_CPU_STATS" Call Low (Allowed) ["domain:read"] "virDomainGetCPUStats" 20 (DomainGetCpuStatsArgs) -> (DomainGetCpuStatsRet);
        DomainGetDiskErrors = 263 "DOMAIN_GET_DISK_ERRORS" Call Low (Allowed) ["domain:read"] "virDomainGetDiskErrors" 20 (DomainGetDiskErrorsArgs) -> (DomainGetDiskErrorsRet);
        DomainSetMetadata = 264 "DOMAIN_SET_METADATA" Call Low (Refused) ["domain:write", "domain:save?!VIR_DOMAIN_AFFECT_CONFIG|VIR_DOMAIN_AFFECT_LIVE", "domain:save?VIR_DOMAIN_AFFECT_CONFIG"] "virDomainSetMetadata" 20 (DomainSetMetadataArgs) -> (());
        DomainGetMetadata = 265 "DOMAIN_GET_METADATA" Call Low (Allowed) ["domain:read"] "virDomainGetMetadata" 20 (DomainGetMetadataArgs) -> (DomainGetMetadataRet);
        DomainBlockRebase = 266 "DOMAIN_BLOCK_REBASE" Call Low (Refused) ["domain:block_write"] "virDomainBlockRebase" 20 (DomainBlockRebaseArgs) -> (());
        DomainPmWakeup = 267 "DOMAIN_PM_WAKEUP" Call Low (Refused) ["domain:pm_control"] "virDomainPMWakeup" 20 (DomainPmWakeupArgs) -> (());
        DomainEventTrayChange = 268 "DOMAIN_EVENT_TRAY_CHANGE" Event Low (Allowed) [] "" 0 (DomainEventTrayChangeMsg) -> (());
        DomainEventPmwakeup = 269 "DOMAIN_EVENT_PMWAKEUP" Event Low (Allowed) [] "" 0 (DomainEventPmwakeupMsg) -> (());
        DomainEventPmsuspend = 270 "DOMAIN_EVENT_PMSUSPEND" Event Low (Allowed) [] "" 0 (DomainEventPmsuspendMsg) -> (());
        DomainSnapshotIsCurrent = 271 "DOMAIN_SNAPSHOT_IS_CURRENT" Call Low (Allowed) ["domain:read"] "virDomainSnapshotIsCurrent" 35 (DomainSnapshotIsCurrentArgs) -> (DomainSnapshotIsCurrentRet);
        DomainSnapshotHasMetadata = 272 "DOMAIN_SNAPSHOT_HAS_METADATA" Call Low (Allowed) ["domain:read"] "virDomainSnapshotHasMetadata" 35 (DomainSnapshotHasMetadataArgs) -> (DomainSnapshotHasMetadataRet);
        ConnectListAllDomains = 273 "CONNECT_LIST_ALL_DOMAINS" Call High (Allowed) ["connect:search_domains"] "virConnectListAllDomains" 20 (ConnectListAllDomainsArgs) -> (ConnectListAllDomainsRet);
        DomainListAllSnapshots = 274 "DOMAIN_LIST_ALL_SNAPSHOTS" Call High (Allowed) ["domain:read"] "virDomainListAllSnapshots" 35 (DomainListAllSnapshotsArgs) -> (DomainListAllSnapshotsRet);
        DomainSnapshotListAllChildren = 275 "DOMAIN_SNAPSHOT_LIST_ALL_CHILDREN" Call High (Allowed) ["domain:read"] "virDomainSnapshotListAllChildren" 35 (DomainSnapshotListAllChildrenArgs) -> (DomainSnapshotListAllChildrenRet);
        DomainEventBalloonChange = 276 "DOMAIN_EVENT_BALLOON_CHANGE" Event Low (Allowed) [] "" 0 (DomainEventBalloonChangeMsg) -> (());
        DomainGetHostname = 277 "DOMAIN_GET_HOSTNAME" Call Low (Refused) ["domain:write"] "virDomainGetHostname" 20 (DomainGetHostnameArgs) -> (DomainGetHostnameRet);
        DomainGetSecurityLabelList = 278 "DOMAIN_GET_SECURITY_LABEL_LIST" Call High (Allowed) ["domain:read"] "virDomainGetSecurityLabelList" 20 (DomainGetSecurityLabelListArgs) -> (DomainGetSecurityLabelListRet);
        DomainPinEmulator = 279 "DOMAIN_PIN_EMULATOR" Call Low (Refused) ["domain:write", "domain:save?!VIR_DOMAIN_AFFECT_CONFIG|VIR_DOMAIN_AFFECT_LIVE", "domain:save?VIR_DOMAIN_AFFECT_CONFIG"] "virDomainPinEmulator" 20 (DomainPinEmulatorArgs) -> (());
        DomainGetEmulatorPinInfo = 280 "DOMAIN_GET_EMULATOR_PIN_INFO" Call Low (Allowed) ["domain:read"] "virDomainGetEmulatorPinInfo" 20 (DomainGetEmulatorPinInfoArgs) -> (DomainGetEmulatorPinInfoRet);
        ConnectListAllStoragePools = 281 "CONNECT_LIST_ALL_STORAGE_POOLS" Call High (Allowed) ["connect:search_storage_pools"] "virConnectListAllStoragePools" 18 (ConnectListAllStoragePoolsArgs) -> (ConnectListAllStoragePoolsRet);
        StoragePoolListAllVolumes = 282 "STORAGE_POOL_LIST_ALL_VOLUMES" Call High (Allowed) ["storage_pool:search_storage_vols"] "virStoragePoolListAllVolumes" 18 (StoragePoolListAllVolumesArgs) -> (StoragePoolListAllVolumesRet);
        ConnectListAllNetworks = 283 "CONNECT_LIST_ALL_NETWORKS" Call High (Allowed) ["connect:search_networks"] "virConnectListAllNetworks" 19 (ConnectListAllNetworksArgs) -> (ConnectListAllNetworksRet);
        ConnectListAllInterfaces = 284 "CONNECT_LIST_ALL_INTERFACES" Call High (Allowed) ["connect:search_interfaces"] "virConnectListAllInterfaces" 26 (ConnectListAllInterfacesArgs) -> (ConnectListAllInterfacesRet);
        ConnectListAllNodeDevices = 285 "CONNECT_LIST_ALL_NODE_DEVICES" Call High (Allowed) ["connect:search_node_devices"] "virConnectListAllNodeDevices" 22 (ConnectListAllNodeDevicesArgs) -> (ConnectListAllNodeDevicesRet);
        ConnectListAllNwfilters = 286 "CONNECT_LIST_ALL_NWFILTERS" Call High (Allowed) ["connect:search_nwfilters"] "virConnectListAllNWFilters" 33 (ConnectListAllNwfiltersArgs) -> (ConnectListAllNwfiltersRet);
        ConnectListAllSecrets = 287 "CONNECT_LIST_ALL_SECRETS" Call High (Allowed) ["connect:search_secrets"] "virConnectListAllSecrets" 30 (ConnectListAllSecretsArgs) -> (ConnectListAllSecretsRet);
        NodeSetMemoryParameters = 288 "NODE_SET_MEMORY_PARAMETERS" Call Low (Refused) ["connect:write"] "virNodeSetMemoryParameters" 20 (NodeSetMemoryParametersArgs) -> (());
        NodeGetMemoryParameters = 289 "NODE_GET_MEMORY_PARAMETERS" Call Low (Allowed) ["connect:read"] "virNodeGetMemoryParameters" 20 (NodeGetMemoryParametersArgs) -> (NodeGetMemoryParametersRet);
        DomainBlockCommit = 290 "DOMAIN_BLOCK_COMMIT" Call Low (Refused) ["domain:block_write"] "virDomainBlockCommit" 20 (DomainBlockCommitArgs) -> (());
        NetworkUpdate = 291 "NETWORK_UPDATE" Call High (Refused) ["network:write", "network:save?!VIR_NETWORK_UPDATE_AFFECT_CONFIG|VIR_NETWORK_UPDATE_AFFECT_LIVE", "network:save?VIR_NETWORK_UPDATE_AFFECT_CONFIG"] "virNetworkUpdate" 19 (NetworkUpdateArgs) -> (());
        DomainEventPmsuspendDisk = 292 "DOMAIN_EVENT_PMSUSPEND_DISK" Event Low (Allowed) [] "" 0 (DomainEventPmsuspendDiskMsg) -> (());
        NodeGetCpuMap = 293 "NODE_GET_CPU_MAP" Call Low (Allowed) ["connect:read"] "virNodeGetCPUMap" 20 (NodeGetCpuMapArgs) -> (NodeGetCpuMapRet);
        DomainFstrim = 294 "DOMAIN_FSTRIM" Call Low (Refused) ["domain:fs_trim"] "virDomainFSTrim" 20 (DomainFstrimArgs) -> (());
        DomainSendProcessSignal = 295 "DOMAIN_SEND_PROCESS_SIGNAL" Call Low (Refused) ["domain:send_signal"] "virDomainSendProcessSignal" 20 (DomainSendProcessSignalArgs) -> (());
        DomainOpenChannel = 296 "DOMAIN_OPEN_CHANNEL" Call Low (Refused) ["domain:open_device"] "virDomainOpenChannel" 20 (DomainOpenChannelArgs) -> (());
        NodeDeviceLookupScsiHostByWwn = 297 "NODE_DEVICE_LOOKUP_SCSI_HOST_BY_WWN" Call High (Allowed) ["node_device:getattr"] "virNodeDeviceLookupSCSIHostByWWN" 22 (NodeDeviceLookupScsiHostByWwnArgs) -> (NodeDeviceLookupScsiHostByWwnRet);
        DomainGetJobStats = 298 "DOMAIN_GET_JOB_STATS" Call Low (Allowed) ["domain:read"] "virDomainGetJobStats" 20 (DomainGetJobStatsArgs) -> (DomainGetJobStatsRet);
        DomainMigrateGetCompressionCache = 299 "DOMAIN_MIGRATE_GET_COMPRESSION_CACHE" Call Low (Allowed) ["domain:migrate"] "virDomainMigrateGetCompressionCache" 20 (DomainMigrateGetCompressionCacheArgs) -> (DomainMigrateGetCompressionCacheRet);
        DomainMigrateSetCompressionCache = 300 "DOMAIN_MIGRATE_SET_COMPRESSION_CACHE" Call Low (Refused) ["domain:migrate"] "virDomainMigrateSetCompressionCache" 20 (DomainMigrateSetCompressionCacheArgs) -> (());
        NodeDeviceDetachFlags = 301 "NODE_DEVICE_DETACH_FLAGS" Call Low (Refused) ["node_device:detach"] "virNodeDeviceDetachFlags" 22 (NodeDeviceDetachFlagsArgs) -> (());
        DomainMigrateBegin3Params = 302 "DOMAIN_MIGRATE_BEGIN3_PARAMS" Call Low (Refused) ["domain:migrate"] "virDomainMigrateBegin3Params" 20 (DomainMigrateBegin3ParamsArgs) -> (DomainMigrateBegin3ParamsRet);
        DomainMigratePrepare3Params = 303 "DOMAIN_MIGRATE_PREPARE3_PARAMS" Call Low (Refused) ["domain:migrate", "domain:start", "domain:write"] "virDomainMigratePrepare3Params" 20 (DomainMigratePrepare3ParamsArgs) -> (DomainMigratePrepare3ParamsRet);
        DomainMigratePrepareTunnel3Params = 304 "DOMAIN_MIGRATE_PREPARE_TUNNEL3_PARAMS" Call Low (Refused) ["domain:migrate", "domain:start", "domain:write"] "virDomainMigratePrepareTunnel3Params" 20 (DomainMigratePrepareTunnel3ParamsArgs) -> (DomainMigratePrepareTunnel3ParamsRet);
        DomainMigratePerform3Params = 305 "DOMAIN_MIGRATE_PERFORM3_PARAMS" Call Low (Refused) ["domain:migrate"] "virDomainMigratePerform3Params" 20 (DomainMigratePerform3ParamsArgs) -> (DomainMigratePerform3ParamsRet);
        DomainMigrateFinish3Params = 306 "DOMAIN_MIGRATE_FINISH3_PARAMS" Call Low (Refused) ["domain:migrate"] "virDomainMigrateFinish3Params" 20 (DomainMigrateFinish3ParamsArgs) -> (DomainMigrateFinish3ParamsRet);
        DomainMigrateConfirm3Params = 307 "DOMAIN_MIGRATE_CONFIRM3_PARAMS" Call Low (Refused) ["domain:migrate"] "virDomainMigrateConfirm3Params" 20 (DomainMigrateConfirm3ParamsArgs) -> (());
        DomainSetMemoryStatsPeriod = 308 "DOMAIN_SET_MEMORY_STATS_PERIOD" Call Low (Refused) ["domain:write", "domain:save?!VIR_DOMAIN_AFFECT_CONFIG|VIR_DOMAIN_AFFECT_LIVE", "domain:save?VIR_DOMAIN_AFFECT_CONFIG"] "virDomainSetMemoryStatsPeriod" 20 (DomainSetMemoryStatsPeriodArgs) -> (());
        DomainCreateXmlWithFiles = 309 "DOMAIN_CREATE_XML_WITH_FILES" Call Low (Refused) ["domain:write", "domain:start"] "virDomainCreateXMLWithFiles" 20 (DomainCreateXmlWithFilesArgs) -> (DomainCreateXmlWithFilesRet);
        DomainCreateWithFiles = 310 "DOMAIN_CREATE_WITH_FILES" Call Low (Refused) ["domain:start"] "virDomainCreateWithFiles" 20 (DomainCreateWithFilesArgs) -> (DomainCreateWithFilesRet);
        DomainEventDeviceRemoved = 311 "DOMAIN_EVENT_DEVICE_REMOVED" Event Low (Allowed) [] "" 0 (DomainEventDeviceRemovedMsg) -> (());
        ConnectGetCpuModelNames = 312 "CONNECT_GET_CPU_MODEL_NAMES" Call Low (Allowed) ["connect:read"] "virConnectGetCPUModelNames" 20 (ConnectGetCpuModelNamesArgs) -> (ConnectGetCpuModelNamesRet);
        ConnectNetworkEventRegisterAny = 313 "CONNECT_NETWORK_EVENT_REGISTER_ANY" Call High (Allowed) ["connect:search_networks"] "virConnectNetworkEventRegisterAny" 19 (ConnectNetworkEventRegisterAnyArgs) -> (ConnectNetworkEventRegisterAnyRet);
        ConnectNetworkEventDeregisterAny = 314 "CONNECT_NETWORK_EVENT_DEREGISTER_ANY" Call High (Allowed) ["connect:read"] "virConnectNetworkEventDeregisterAny" 19 (ConnectNetworkEventDeregisterAnyArgs) -> (());
        NetworkEventLifecycle = 315 "NETWORK_EVENT_LIFECYCLE" Event Low (Allowed) [] "" 0 (NetworkEventLifecycleMsg) -> (());
        ConnectDomainEventCallbackRegisterAny = 316 "CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY" Call High (Allowed) ["connect:search_domains"] "virConnectDomainEventRegisterAny" 20 (ConnectDomainEventCallbackRegisterAnyArgs) -> (ConnectDomainEventCallbackRegisterAnyRet);
        ConnectDomainEventCallbackDeregisterAny = 317 "CONNECT_DOMAIN_EVENT_CALLBACK_DEREGISTER_ANY" Call High (Allowed) ["connect:read"] "virConnectDomainEventDeregisterAny" 20 (ConnectDomainEventCallbackDeregisterAnyArgs) -> (());
        DomainEventCallbackLifecycle = 318 "DOMAIN_EVENT_CALLBACK_LIFECYCLE" Event Low (Allowed) [] "" 0 (DomainEventCallbackLifecycleMsg) -> (());
        DomainEventCallbackReboot = 319 "DOMAIN_EVENT_CALLBACK_REBOOT" Event Low (Allowed) [] "" 0 (DomainEventCallbackRebootMsg) -> (());
        DomainEventCallbackRtcChange = 320 "DOMAIN_EVENT_CALLBACK_RTC_CHANGE" Event Low (Allowed) [] "" 0 (DomainEventCallbackRtcChangeMsg) -> (());
        DomainEventCallbackWatchdog = 321 "DOMAIN_EVENT_CALLBACK_WATCHDOG" Event Low (Allowed) [] "" 0 (DomainEventCallbackWatchdogMsg) -> (());
        DomainEventCallbackIoError = 322 "DOMAIN_EVENT_CALLBACK_IO_ERROR" Event Low (Allowed) [] "" 0 (DomainEventCallbackIoErrorMsg) -> (());
        DomainEventCallbackGraphics = 323 "DOMAIN_EVENT_CALLBACK_GRAPHICS" Event Low (Allowed) [] "" 0 (DomainEventCallbackGraphicsMsg) -> (());
        DomainEventCallbackIoErrorReason = 324 "DOMAIN_EVENT_CALLBACK_IO_ERROR_REASON" Event Low (Allowed) [] "" 0 (DomainEventCallbackIoErrorReasonMsg) -> (());
        DomainEventCallbackControlError = 325 "DOMAIN_EVENT_CALLBACK_CONTROL_ERROR" Event Low (Allowed) [] "" 0 (DomainEventCallbackControlErrorMsg) -> (());
        DomainEventCallbackBlockJob = 326 "DOMAIN_EVENT_CALLBACK_BLOCK_JOB" Event Low (Allowed) [] "" 0 (DomainEventCallbackBlockJobMsg) -> (());
        DomainEventCallbackDiskChange = 327 "DOMAIN_EVENT_CALLBACK_DISK_CHANGE" Event Low (Allowed) [] "" 0 (DomainEventCallbackDiskChangeMsg) -> (());
        DomainEventCallbackTrayChange = 328 "DOMAIN_EVENT_CALLBACK_TRAY_CHANGE" Event Low (Allowed) [] "" 0 (DomainEventCallbackTrayChangeMsg) -> (());
        DomainEventCallbackPmwakeup = 329 "DOMAIN_EVENT_CALLBACK_PMWAKEUP" Event Low (Allowed) [] "" 0 (DomainEventCallbackPmwakeupMsg) -> (());
        DomainEventCallbackPmsuspend = 330 "DOMAIN_EVENT_CALLBACK_PMSUSPEND" Event Low (Allowed) [] "" 0 (DomainEventCallbackPmsuspendMsg) -> (());
        DomainEventCallbackBalloonChange = 331 "DOMAIN_EVENT_CALLBACK_BALLOON_CHANGE" Event Low (Allowed) [] "" 0 (DomainEventCallbackBalloonChangeMsg) -> (());
        DomainEventCallbackPmsuspendDisk = 332 "DOMAIN_EVENT_CALLBACK_PMSUSPEND_DISK" Event Low (Allowed) [] "" 0 (DomainEventCallbackPmsuspendDiskMsg) -> (());
        DomainEventCallbackDeviceRemoved = 333 "DOMAIN_EVENT_CALLBACK_DEVICE_REMOVED" Event Low (Allowed) [] "" 0 (DomainEventCallbackDeviceRemovedMsg) -> (());
        DomainCoreDumpWithFormat = 334 "DOMAIN_CORE_DUMP_WITH_FORMAT" Call Low (Refused) ["domain:core_dump"] "virDomainCoreDumpWithFormat" 20 (DomainCoreDumpWithFormatArgs) -> (());
        DomainFsfreeze = 335 "DOMAIN_FSFREEZE" Call Low (Refused) ["domain:fs_freeze"] "virDomainFSFreeze" 20 (DomainFsfreezeArgs) -> (DomainFsfreezeRet);
        DomainFsthaw = 336 "DOMAIN_FSTHAW" Call Low (Refused) ["domain:fs_freeze"] "virDomainFSThaw" 20 (DomainFsthawArgs) -> (DomainFsthawRet);
        DomainGetTime = 337 "DOMAIN_GET_TIME" Call Low (Refused) ["domain:write"] "virDomainGetTime" 20 (DomainGetTimeArgs) -> (DomainGetTimeRet);
        DomainSetTime = 338 "DOMAIN_SET_TIME" Call Low (Refused) ["domain:set_time"] "virDomainSetTime" 20 (DomainSetTimeArgs) -> (());
        DomainEventBlockJob2 = 339 "DOMAIN_EVENT_BLOCK_JOB_2" Event Low (Allowed) [] "" 0 (DomainEventBlockJob2Msg) -> (());
        NodeGetFreePages = 340 "NODE_GET_FREE_PAGES" Call High (Allowed) ["connect:read"] "virNodeGetFreePages" 20 (NodeGetFreePagesArgs) -> (NodeGetFreePagesRet);
        NetworkGetDhcpLeases = 341 "NETWORK_GET_DHCP_LEASES" Call Low (Allowed) ["network:read"] "virNetworkGetDHCPLeases" 19 (NetworkGetDhcpLeasesArgs) -> (NetworkGetDhcpLeasesRet);
        ConnectGetDomainCapabilities = 342 "CONNECT_GET_DOMAIN_CAPABILITIES" Call Low (Refused) ["connect:write"] "virConnectGetDomainCapabilities" 20 (ConnectGetDomainCapabilitiesArgs) -> (ConnectGetDomainCapabilitiesRet);
        DomainOpenGraphicsFd = 343 "DOMAIN_OPEN_GRAPHICS_FD" Call Low (Refused) ["domain:open_graphics"] "virDomainOpenGraphicsFD" 20 (DomainOpenGraphicsFdArgs) -> (());
        ConnectGetAllDomainStats = 344 "CONNECT_GET_ALL_DOMAIN_STATS" Call Low (Allowed) ["connect:search_domains"] "virConnectGetAllDomainStats" 20 (ConnectGetAllDomainStatsArgs) -> (ConnectGetAllDomainStatsRet);
        DomainBlockCopy = 345 "DOMAIN_BLOCK_COPY" Call Low (Refused) ["domain:block_write"] "virDomainBlockCopy" 20 (DomainBlockCopyArgs) -> (());
        DomainEventCallbackTunable = 346 "DOMAIN_EVENT_CALLBACK_TUNABLE" Event Low (Allowed) [] "" 0 (DomainEventCallbackTunableMsg) -> (());
        NodeAllocPages = 347 "NODE_ALLOC_PAGES" Call Low (Refused) ["connect:write"] "virNodeAllocPages" 20 (NodeAllocPagesArgs) -> (NodeAllocPagesRet);
        DomainEventCallbackAgentLifecycle = 348 "DOMAIN_EVENT_CALLBACK_AGENT_LIFECYCLE" Event Low (Allowed) [] "" 0 (DomainEventCallbackAgentLifecycleMsg) -> (());
        DomainGetFsinfo = 349 "DOMAIN_GET_FSINFO" Call Low (Refused) ["domain:fs_freeze"] "virDomainGetFSInfo" 20 (DomainGetFsinfoArgs) -> (DomainGetFsinfoRet);
        DomainDefineXmlFlags = 350 "DOMAIN_DEFINE_XML_FLAGS" Call High (Refused) ["domain:write", "domain:save"] "virDomainDefineXMLFlags" 20 (DomainDefineXmlFlagsArgs) -> (DomainDefineXmlFlagsRet);
        DomainGetIothreadInfo = 351 "DOMAIN_GET_IOTHREAD_INFO" Call Low (Allowed) ["domain:read"] "virDomainGetIOThreadInfo" 20 (DomainGetIothreadInfoArgs) -> (DomainGetIothreadInfoRet);
        DomainPinIothread = 352 "DOMAIN_PIN_IOTHREAD" Call Low (Refused) ["domain:write", "domain:save?!VIR_DOMAIN_AFFECT_CONFIG|VIR_DOMAIN_AFFECT_LIVE", "domain:save?VIR_DOMAIN_AFFECT_CONFIG"] "virDomainPinIOThread" 20 (DomainPinIothreadArgs) -> (());
        DomainInterfaceAddresses = 353 "DOMAIN_INTERFACE_ADDRESSES" Call Low (RefusedWith("source == VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT")) ["domain:read", "domain:write?source=VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT"] "virDomainInterfaceAddresses" 20 (DomainInterfaceAddressesArgs) -> (DomainInterfaceAddressesRet);
        DomainEventCallbackDeviceAdded = 354 "DOMAIN_EVENT_CALLBACK_DEVICE_ADDED" Event Low (Allowed) [] "" 0 (DomainEventCallbackDeviceAddedMsg) -> (());
        DomainAddIothread = 355 "DOMAIN_ADD_IOTHREAD" Call Low (Refused) ["domain:write", "domain:save?!VIR_DOMAIN_AFFECT_CONFIG|VIR_DOMAIN_AFFECT_LIVE", "domain:save?VIR_DOMAIN_AFFECT_CONFIG"] "virDomainAddIOThread" 20 (DomainAddIothreadArgs) -> (());
        DomainDelIothread = 356 "DOMAIN_DEL_IOTHREAD" Call Low (Refused) ["domain:write", "domain:save?!VIR_DOMAIN_AFFECT_CONFIG|VIR_DOMAIN_AFFECT_LIVE", "domain:save?VIR_DOMAIN_AFFECT_CONFIG"] "virDomainDelIOThread" 20 (DomainDelIothreadArgs) -> (());
        DomainSetUserPassword = 357 "DOMAIN_SET_USER_PASSWORD" Call Low (Refused) ["domain:set_password"] "virDomainSetUserPassword" 20 (DomainSetUserPasswordArgs) -> (());
        DomainRename = 358 "DOMAIN_RENAME" Call Low (Refused) ["domain:write", "domain:save"] "virDomainRename" 20 (DomainRenameArgs) -> (DomainRenameRet);
        DomainEventCallbackMigrationIteration = 359 "DOMAIN_EVENT_CALLBACK_MIGRATION_ITERATION" Event Low (Allowed) [] "" 0 (DomainEventCallbackMigrationIterationMsg) -> (());
        ConnectRegisterCloseCallback = 360 "CONNECT_REGISTER_CLOSE_CALLBACK" Call High (Allowed) ["connect:getattr"] "virConnectRegisterCloseCallback" 20 (()) -> (());
        ConnectUnregisterCloseCallback = 361 "CONNECT_UNREGISTER_CLOSE_CALLBACK" Call High (Allowed) ["connect:getattr"] "virConnectUnregisterCloseCallback" 20 (()) -> (());
        ConnectEventConnectionClosed = 362 "CONNECT_EVENT_CONNECTION_CLOSED" Event Low (Allowed) [] "" 0 (ConnectEventConnectionClosedMsg) -> (());
        DomainEventCallbackJobCompleted = 363 "DOMAIN_EVENT_CALLBACK_JOB_COMPLETED" Event Low (Allowed) [] "" 0 (DomainEventCallbackJobCompletedMsg) -> (());
        DomainMigrateStartPostCopy = 364 "DOMAIN_MIGRATE_START_POST_COPY" Call Low (Refused) ["domain:migrate"] "virDomainMigrateStartPostCopy" 20 (DomainMigrateStartPostCopyArgs) -> (());
        DomainGetPerfEvents = 365 "DOMAIN_GET_PERF_EVENTS" Call Low (Allowed) ["domain:read"] "virDomainGetPerfEvents" 20 (DomainGetPerfEventsArgs) -> (DomainGetPerfEventsRet);
        DomainSetPerfEvents = 366 "DOMAIN_SET_PERF_EVENTS" Call Low (Refused) ["domain:write"] "virDomainSetPerfEvents" 20 (DomainSetPerfEventsArgs) -> (());
        DomainEventCallbackDeviceRemovalFailed = 367 "DOMAIN_EVENT_CALLBACK_DEVICE_REMOVAL_FAILED" Event Low (Allowed) [] "" 0 (DomainEventCallbackDeviceRemovalFailedMsg) -> (());
        ConnectStoragePoolEventRegisterAny = 368 "CONNECT_STORAGE_POOL_EVENT_REGISTER_ANY" Call High (Allowed) ["connect:search_storage_pools"] "virConnectStoragePoolEventRegisterAny" 18 (ConnectStoragePoolEventRegisterAnyArgs) -> (ConnectStoragePoolEventRegisterAnyRet);
        ConnectStoragePoolEventDeregisterAny = 369 "CONNECT_STORAGE_POOL_EVENT_DEREGISTER_ANY" Call High (Allowed) ["connect:read"] "virConnectStoragePoolEventDeregisterAny" 18 (ConnectStoragePoolEventDeregisterAnyArgs) -> (());
        StoragePoolEventLifecycle = 370 "STORAGE_POOL_EVENT_LIFECYCLE" Event Low (Allowed) [] "" 0 (StoragePoolEventLifecycleMsg) -> (());
        DomainGetGuestVcpus = 371 "DOMAIN_GET_GUEST_VCPUS" Call Low (Refused) ["domain:write"] "virDomainGetGuestVcpus" 20 (DomainGetGuestVcpusArgs) -> (DomainGetGuestVcpusRet);
        DomainSetGuestVcpus = 372 "DOMAIN_SET_GUEST_VCPUS" Call Low (Refused) ["domain:write"] "virDomainSetGuestVcpus" 20 (DomainSetGuestVcpusArgs) -> (());
        StoragePoolEventRefresh = 373 "STORAGE_POOL_EVENT_REFRESH" Event Low (Allowed) [] "" 0 (StoragePoolEventRefreshMsg) -> (());
        ConnectNodeDeviceEventRegisterAny = 374 "CONNECT_NODE_DEVICE_EVENT_REGISTER_ANY" Call High (Allowed) ["connect:search_node_devices"] "virConnectNodeDeviceEventRegisterAny" 22 (ConnectNodeDeviceEventRegisterAnyArgs) -> (ConnectNodeDeviceEventRegisterAnyRet);
        ConnectNodeDeviceEventDeregisterAny = 375 "CONNECT_NODE_DEVICE_EVENT_DEREGISTER_ANY" Call High (Allowed) ["connect:read"] "virConnectNodeDeviceEventDeregisterAny" 22 (ConnectNodeDeviceEventDeregisterAnyArgs) -> (());
        NodeDeviceEventLifecycle = 376 "NODE_DEVICE_EVENT_LIFECYCLE" Event Low (Allowed) [] "" 0 (NodeDeviceEventLifecycleMsg) -> (());
        NodeDeviceEventUpdate = 377 "NODE_DEVICE_EVENT_UPDATE" Event Low (Allowed) [] "" 0 (NodeDeviceEventUpdateMsg) -> (());
        StorageVolGetInfoFlags = 378 "STORAGE_VOL_GET_INFO_FLAGS" Call High (Allowed) ["storage_vol:read"] "virStorageVolGetInfoFlags" 18 (StorageVolGetInfoFlagsArgs) -> (StorageVolGetInfoFlagsRet);
        DomainEventCallbackMetadataChange = 379 "DOMAIN_EVENT_CALLBACK_METADATA_CHANGE" Event Low (Allowed) [] "" 0 (DomainEventCallbackMetadataChangeMsg) -> (());
        ConnectSecretEventRegisterAny = 380 "CONNECT_SECRET_EVENT_REGISTER_ANY" Call High (Allowed) ["connect:search_secrets"] "virConnectSecretEventRegisterAny" 30 (ConnectSecretEventRegisterAnyArgs) -> (ConnectSecretEventRegisterAnyRet);
        ConnectSecretEventDeregisterAny = 381 "CONNECT_SECRET_EVENT_DEREGISTER_ANY" Call High (Allowed) ["connect:read"] "virConnectSecretEventDeregisterAny" 30 (ConnectSecretEventDeregisterAnyArgs) -> (());
        SecretEventLifecycle = 382 "SECRET_EVENT_LIFECYCLE" Event Low (Allowed) [] "" 0 (SecretEventLifecycleMsg) -> (());
        SecretEventValueChanged = 383 "SECRET_EVENT_VALUE_CHANGED" Event Low (Allowed) [] "" 0 (SecretEventValueChangedMsg) -> (());
        DomainSetVcpu = 384 "DOMAIN_SET_VCPU" Call Low (Refused) ["domain:write", "domain:save?!VIR_DOMAIN_AFFECT_CONFIG|VIR_DOMAIN_AFFECT_LIVE", "domain:save?VIR_DOMAIN_AFFECT_CONFIG"] "virDomainSetVcpu" 20 (DomainSetVcpuArgs) -> (());
        DomainEventBlockThreshold = 385 "DOMAIN_EVENT_BLOCK_THRESHOLD" Event Low (Allowed) [] "" 0 (DomainEventBlockThresholdMsg) -> (());
        DomainSetBlockThreshold = 386 "DOMAIN_SET_BLOCK_THRESHOLD" Call Low (Refused) ["domain:write"] "virDomainSetBlockThreshold" 20 (DomainSetBlockThresholdArgs) -> (());
        DomainMigrateGetMaxDowntime = 387 "DOMAIN_MIGRATE_GET_MAX_DOWNTIME" Call Low (Allowed) ["domain:migrate"] "virDomainMigrateGetMaxDowntime" 20 (DomainMigrateGetMaxDowntimeArgs) -> (DomainMigrateGetMaxDowntimeRet);
        DomainManagedSaveGetXmlDesc = 388 "DOMAIN_MANAGED_SAVE_GET_XML_DESC" Call Low (RefusedWith("flags & VIR_DOMAIN_SAVE_IMAGE_XML_SECURE")) ["domain:read", "domain:read_secure?VIR_DOMAIN_SAVE_IMAGE_XML_SECURE"] "virDomainManagedSaveGetXMLDesc" 20 (DomainManagedSaveGetXmlDescArgs) -> (DomainManagedSaveGetXmlDescRet);
        DomainManagedSaveDefineXml = 389 "DOMAIN_MANAGED_SAVE_DEFINE_XML" Call Low (Refused) ["domain:write", "domain:hibernate"] "virDomainManagedSaveDefineXML" 20 (DomainManagedSaveDefineXmlArgs) -> (());
        DomainSetLifecycleAction = 390 "DOMAIN_SET_LIFECYCLE_ACTION" Call Low (Refused) ["domain:write"] "virDomainSetLifecycleAction" 20 (DomainSetLifecycleActionArgs) -> (());
        StoragePoolLookupByTargetPath = 391 "STORAGE_POOL_LOOKUP_BY_TARGET_PATH" Call High (Allowed) ["storage_pool:getattr"] "virStoragePoolLookupByTargetPath" 18 (StoragePoolLookupByTargetPathArgs) -> (StoragePoolLookupByTargetPathRet);
        DomainDetachDeviceAlias = 392 "DOMAIN_DETACH_DEVICE_ALIAS" Call Low (Refused) ["domain:write", "domain:save?!VIR_DOMAIN_AFFECT_CONFIG|VIR_DOMAIN_AFFECT_LIVE", "domain:save?VIR_DOMAIN_AFFECT_CONFIG"] "virDomainDetachDeviceAlias" 20 (DomainDetachDeviceAliasArgs) -> (());
        ConnectCompareHypervisorCpu = 393 "CONNECT_COMPARE_HYPERVISOR_CPU" Call Low (Refused) ["connect:write"] "virConnectCompareHypervisorCPU" 20 (ConnectCompareHypervisorCpuArgs) -> (ConnectCompareHypervisorCpuRet);
        ConnectBaselineHypervisorCpu = 394 "CONNECT_BASELINE_HYPERVISOR_CPU" Call Low (Refused) ["connect:write"] "virConnectBaselineHypervisorCPU" 20 (ConnectBaselineHypervisorCpuArgs) -> (ConnectBaselineHypervisorCpuRet);
        NodeGetSevInfo = 395 "NODE_GET_SEV_INFO" Call Low (Refused) ["connect:read"] "virNodeGetSEVInfo" 20 (NodeGetSevInfoArgs) -> (NodeGetSevInfoRet);
        DomainGetLaunchSecurityInfo = 396 "DOMAIN_GET_LAUNCH_SECURITY_INFO" Call Low (Refused) ["domain:read"] "virDomainGetLaunchSecurityInfo" 20 (DomainGetLaunchSecurityInfoArgs) -> (DomainGetLaunchSecurityInfoRet);
        NwfilterBindingLookupByPortDev = 397 "NWFILTER_BINDING_LOOKUP_BY_PORT_DEV" Call High (Allowed) ["nwfilter_binding:getattr"] "virNWFilterBindingLookupByPortDev" 33 (NwfilterBindingLookupByPortDevArgs) -> (NwfilterBindingLookupByPortDevRet);
        NwfilterBindingGetXmlDesc = 398 "NWFILTER_BINDING_GET_XML_DESC" Call High (Allowed) ["nwfilter_binding:read"] "virNWFilterBindingGetXMLDesc" 33 (NwfilterBindingGetXmlDescArgs) -> (NwfilterBindingGetXmlDescRet);
        NwfilterBindingCreateXml = 399 "NWFILTER_BINDING_CREATE_XML" Call High (Refused) ["nwfilter_binding:create"] "virNWFilterBindingCreateXML" 33 (NwfilterBindingCreateXmlArgs) -> (NwfilterBindingCreateXmlRet);
        NwfilterBindingDelete = 400 "NWFILTER_BINDING_DELETE" Call High (Refused) ["nwfilter_binding:delete"] "virNWFilterBindingDelete" 33 (NwfilterBindingDeleteArgs) -> (());
        ConnectListAllNwfilterBindings = 401 "CONNECT_LIST_ALL_NWFILTER_BINDINGS" Call High (Allowed) ["connect:search_nwfilter_bindings"] "virConnectListAllNWFilterBindings" 33 (ConnectListAllNwfilterBindingsArgs) -> (ConnectListAllNwfilterBindingsRet);
        DomainSetIothreadParams = 402 "DOMAIN_SET_IOTHREAD_PARAMS" Call Low (Refused) ["domain:write", "domain:save?!VIR_DOMAIN_AFFECT_CONFIG|VIR_DOMAIN_AFFECT_LIVE", "domain:save?VIR_DOMAIN_AFFECT_CONFIG"] "virDomainSetIOThreadParams" 20 (DomainSetIothreadParamsArgs) -> (());
        ConnectGetStoragePoolCapabilities = 403 "CONNECT_GET_STORAGE_POOL_CAPABILITIES" Call Low (Allowed) ["connect:read"] "virConnectGetStoragePoolCapabilities" 18 (ConnectGetStoragePoolCapabilitiesArgs) -> (ConnectGetStoragePoolCapabilitiesRet);
        NetworkListAllPorts = 404 "NETWORK_LIST_ALL_PORTS" Call High (Allowed) ["network:search_ports"] "virNetworkListAllPorts" 19 (NetworkListAllPortsArgs) -> (NetworkListAllPortsRet);
        NetworkPortLookupByUuid = 405 "NETWORK_PORT_LOOKUP_BY_UUID" Call High (Allowed) ["network_port:getattr"] "virNetworkPortLookupByUUID" 19 (NetworkPortLookupByUuidArgs) -> (NetworkPortLookupByUuidRet);
        NetworkPortCreateXml = 406 "NETWORK_PORT_CREATE_XML" Call Low (Refused) ["network_port:create"] "virNetworkPortCreateXML" 19 (NetworkPortCreateXmlArgs) -> (NetworkPortCreateXmlRet);
        NetworkPortGetParameters = 407 "NETWORK_PORT_GET_PARAMETERS" Call Low (Allowed) ["network_port:read"] "virNetworkPortGetParameters" 19 (NetworkPortGetParametersArgs) -> (NetworkPortGetParametersRet);
        NetworkPortSetParameters = 408 "NETWORK_PORT_SET_PARAMETERS" Call Low (Refused) ["network_port:write"] "virNetworkPortSetParameters" 19 (NetworkPortSetParametersArgs) -> (());
        NetworkPortGetXmlDesc = 409 "NETWORK_PORT_GET_XML_DESC" Call Low (Allowed) ["network_port:read"] "virNetworkPortGetXMLDesc" 19 (NetworkPortGetXmlDescArgs) -> (NetworkPortGetXmlDescRet);
        NetworkPortDelete = 410 "NETWORK_PORT_DELETE" Call Low (Refused) ["network_port:delete"] "virNetworkPortDelete" 19 (NetworkPortDeleteArgs) -> (());
        DomainCheckpointCreateXml = 411 "DOMAIN_CHECKPOINT_CREATE_XML" Call Low (Refused) ["domain:checkpoint", "domain:fs_freeze?VIR_DOMAIN_CHECKPOINT_CREATE_QUIESCE"] "virDomainCheckpointCreateXML" 69 (DomainCheckpointCreateXmlArgs) -> (DomainCheckpointCreateXmlRet);
        DomainCheckpointGetXmlDesc = 412 "DOMAIN_CHECKPOINT_GET_XML_DESC" Call Low (RefusedWith("flags & VIR_DOMAIN_CHECKPOINT_XML_SECURE")) ["domain:read", "domain:read_secure?VIR_DOMAIN_CHECKPOINT_XML_SECURE"] "virDomainCheckpointGetXMLDesc" 69 (DomainCheckpointGetXmlDescArgs) -> (DomainCheckpointGetXmlDescRet);
        DomainListAllCheckpoints = 413 "DOMAIN_LIST_ALL_CHECKPOINTS" Call High (Allowed) ["domain:read"] "virDomainListAllCheckpoints" 69 (DomainListAllCheckpointsArgs) -> (DomainListAllCheckpointsRet);
        DomainCheckpointListAllChildren = 414 "DOMAIN_CHECKPOINT_LIST_ALL_CHILDREN" Call High (Allowed) ["domain:read"] "virDomainCheckpointListAllChildren" 69 (DomainCheckpointListAllChildrenArgs) -> (DomainCheckpointListAllChildrenRet);
        DomainCheckpointLookupByName = 415 "DOMAIN_CHECKPOINT_LOOKUP_BY_NAME" Call High (Allowed) ["domain:read"] "virDomainCheckpointLookupByName" 69 (DomainCheckpointLookupByNameArgs) -> (DomainCheckpointLookupByNameRet);
        DomainCheckpointGetParent = 416 "DOMAIN_CHECKPOINT_GET_PARENT" Call High (Allowed) ["domain:read"] "virDomainCheckpointGetParent" 69 (DomainCheckpointGetParentArgs) -> (DomainCheckpointGetParentRet);
        DomainCheckpointDelete = 417 "DOMAIN_CHECKPOINT_DELETE" Call Low (Refused) ["domain:checkpoint"] "virDomainCheckpointDelete" 69 (DomainCheckpointDeleteArgs) -> (());
        DomainGetGuestInfo = 418 "DOMAIN_GET_GUEST_INFO" Call Low (Refused) ["domain:write"] "virDomainGetGuestInfo" 20 (DomainGetGuestInfoArgs) -> (DomainGetGuestInfoRet);
        ConnectSetIdentity = 419 "CONNECT_SET_IDENTITY" Call Low (Allowed) ["connect:write"] "virConnectSetIdentity" 20 (ConnectSetIdentityArgs) -> (());
        DomainAgentSetResponseTimeout = 420 "DOMAIN_AGENT_SET_RESPONSE_TIMEOUT" Call Low (Refused) ["domain:write"] "virDomainAgentSetResponseTimeout" 20 (DomainAgentSetResponseTimeoutArgs) -> (DomainAgentSetResponseTimeoutRet);
        DomainBackupBegin = 421 "DOMAIN_BACKUP_BEGIN" Call Low (Refused) ["domain:checkpoint", "domain:block_write"] "virDomainBackupBegin" 20 (DomainBackupBeginArgs) -> (());
        DomainBackupGetXmlDesc = 422 "DOMAIN_BACKUP_GET_XML_DESC" Call High (Allowed) ["domain:read"] "virDomainBackupGetXMLDesc" 20 (DomainBackupGetXmlDescArgs) -> (DomainBackupGetXmlDescRet);
        DomainEventMemoryFailure = 423 "DOMAIN_EVENT_MEMORY_FAILURE" Event Low (Allowed) [] "" 0 (DomainEventMemoryFailureMsg) -> (());
        DomainAuthorizedSshKeysGet = 424 "DOMAIN_AUTHORIZED_SSH_KEYS_GET" Call Low (Refused) ["domain:write"] "virDomainAuthorizedSSHKeysGet" 20 (DomainAuthorizedSshKeysGetArgs) -> (DomainAuthorizedSshKeysGetRet);
        DomainAuthorizedSshKeysSet = 425 "DOMAIN_AUTHORIZED_SSH_KEYS_SET" Call Low (Refused) ["domain:write"] "virDomainAuthorizedSSHKeysSet" 20 (DomainAuthorizedSshKeysSetArgs) -> (());
        DomainGetMessages = 426 "DOMAIN_GET_MESSAGES" Call Low (Allowed) ["domain:read"] "virDomainGetMessages" 20 (DomainGetMessagesArgs) -> (DomainGetMessagesRet);
        DomainStartDirtyRateCalc = 427 "DOMAIN_START_DIRTY_RATE_CALC" Call Low (Refused) ["domain:write"] "virDomainStartDirtyRateCalc" 20 (DomainStartDirtyRateCalcArgs) -> (());
        NodeDeviceDefineXml = 428 "NODE_DEVICE_DEFINE_XML" Call Low (Refused) ["node_device:write"] "virNodeDeviceDefineXML" 22 (NodeDeviceDefineXmlArgs) -> (NodeDeviceDefineXmlRet);
        NodeDeviceUndefine = 429 "NODE_DEVICE_UNDEFINE" Call High (Refused) ["node_device:delete"] "virNodeDeviceUndefine" 22 (NodeDeviceUndefineArgs) -> (());
        NodeDeviceCreate = 430 "NODE_DEVICE_CREATE" Call High (Refused) ["node_device:start"] "virNodeDeviceCreate" 22 (NodeDeviceCreateArgs) -> (());
        NwfilterDefineXmlFlags = 431 "NWFILTER_DEFINE_XML_FLAGS" Call High (Refused) ["nwfilter:write", "nwfilter:save"] "virNWFilterDefineXMLFlags" 33 (NwfilterDefineXmlFlagsArgs) -> (NwfilterDefineXmlFlagsRet);
        NetworkDefineXmlFlags = 432 "NETWORK_DEFINE_XML_FLAGS" Call High (Refused) ["network:write", "network:save"] "virNetworkDefineXMLFlags" 19 (NetworkDefineXmlFlagsArgs) -> (NetworkDefineXmlFlagsRet);
        NodeDeviceGetAutostart = 433 "NODE_DEVICE_GET_AUTOSTART" Call High (Refused) ["node_device:read"] "virNodeDeviceGetAutostart" 22 (NodeDeviceGetAutostartArgs) -> (NodeDeviceGetAutostartRet);
        NodeDeviceSetAutostart = 434 "NODE_DEVICE_SET_AUTOSTART" Call High (Refused) ["node_device:write"] "virNodeDeviceSetAutostart" 22 (NodeDeviceSetAutostartArgs) -> (());
        NodeDeviceIsPersistent = 435 "NODE_DEVICE_IS_PERSISTENT" Call High (Allowed) ["node_device:read"] "virNodeDeviceIsPersistent" 22 (NodeDeviceIsPersistentArgs) -> (NodeDeviceIsPersistentRet);
        NodeDeviceIsActive = 436 "NODE_DEVICE_IS_ACTIVE" Call High (Allowed) ["node_device:read"] "virNodeDeviceIsActive" 22 (NodeDeviceIsActiveArgs) -> (NodeDeviceIsActiveRet);
        NetworkCreateXmlFlags = 437 "NETWORK_CREATE_XML_FLAGS" Call High (Refused) ["network:write", "network:start"] "virNetworkCreateXMLFlags" 19 (NetworkCreateXmlFlagsArgs) -> (NetworkCreateXmlFlagsRet);
        DomainEventMemoryDeviceSizeChange = 438 "DOMAIN_EVENT_MEMORY_DEVICE_SIZE_CHANGE" Event Low (Allowed) [] "" 0 (DomainEventMemoryDeviceSizeChangeMsg) -> (());
        DomainSetLaunchSecurityState = 439 "DOMAIN_SET_LAUNCH_SECURITY_STATE" Call Low (Refused) ["domain:write"] "virDomainSetLaunchSecurityState" 20 (DomainSetLaunchSecurityStateArgs) -> (());
        DomainSaveParams = 440 "DOMAIN_SAVE_PARAMS" Call Low (Refused) ["domain:hibernate"] "virDomainSaveParams" 20 (DomainSaveParamsArgs) -> (());
        DomainRestoreParams = 441 "DOMAIN_RESTORE_PARAMS" Call Low (Refused) ["domain:start", "domain:write"] "virDomainRestoreParams" 20 (DomainRestoreParamsArgs) -> (());
        DomainAbortJobFlags = 442 "DOMAIN_ABORT_JOB_FLAGS" Call Low (Refused) ["domain:write"] "virDomainAbortJobFlags" 20 (DomainAbortJobFlagsArgs) -> (());
        DomainFdAssociate = 443 "DOMAIN_FD_ASSOCIATE" Call Low (Refused) ["domain:write"] "virDomainFDAssociate" 20 (DomainFdAssociateArgs) -> (());
    }
}
