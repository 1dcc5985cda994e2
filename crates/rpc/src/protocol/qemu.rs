// Written by `cargo xtask codegen` from protocol/remote-protocol.json; do not edit.

use super::table::{messages, procedures};
use crate::xdr::Str;

messages! {
    ConnectDomainMonitorEventDeregisterArgs {
        callback_id: i32,
    }
    ConnectDomainMonitorEventRegisterArgs {
        dom: Option<super::remote::NonnullDomain>,
        event: Option<Str>,
        flags: u32,
    }
    ConnectDomainMonitorEventRegisterRet {
        callback_id: i32,
    }
    DomainAgentCommandArgs {
        dom: super::remote::NonnullDomain,
        cmd: Str,
        timeout: i32,
        flags: u32,
    }
    DomainAgentCommandRet {
        result: Option<Str>,
    }
    DomainAttachArgs {
        pid_value: u32,
        flags: u32,
    }
    DomainAttachRet {
        dom: super::remote::NonnullDomain,
    }
    DomainMonitorCommandArgs {
        dom: super::remote::NonnullDomain,
        cmd: Str,
        flags: u32,
    }
    DomainMonitorCommandRet {
        result: Str,
    }
    DomainMonitorCommandWithFilesArgs {
        dom: super::remote::NonnullDomain,
        cmd: Str,
        flags: u32,
    }
    DomainMonitorCommandWithFilesRet {
        result: Str,
    }
    DomainMonitorEventMsg {
        callback_id: i32,
        dom: super::remote::NonnullDomain,
        event: Str,
        seconds: i64,
        micros: u32,
        details: Option<Str>,
    }
}

procedures! {
    0x20008087 version 1 {
        DomainMonitorCommand = 1 "DOMAIN_MONITOR_COMMAND" Call Low (Refused) ["domain:write"] "virDomainQemuMonitorCommand" 0 (DomainMonitorCommandArgs) -> (DomainMonitorCommandRet);
        DomainAttach = 2 "DOMAIN_ATTACH" Call Low (Refused) ["domain:start", "domain:write"] "virDomainQemuAttach" 0 (DomainAttachArgs) -> (DomainAttachRet);
        DomainAgentCommand = 3 "DOMAIN_AGENT_COMMAND" Call Low (Refused) ["domain:write"] "virDomainQemuAgentCommand" 0 (DomainAgentCommandArgs) -> (DomainAgentCommandRet);
        ConnectDomainMonitorEventRegister = 4 "CONNECT_DOMAIN_MONITOR_EVENT_REGISTER" Call High (Refused) ["connect:search_domains", "connect:write"] "virConnectDomainQemuMonitorEventRegister" 0 (ConnectDomainMonitorEventRegisterArgs) -> (ConnectDomainMonitorEventRegisterRet);
        ConnectDomainMonitorEventDeregister = 5 "CONNECT_DOMAIN_MONITOR_EVENT_DEREGISTER" Call High (Refused) ["connect:write"] "virConnectDomainQemuMonitorEventDeregister" 0 (ConnectDomainMonitorEventDeregisterArgs) -> (());
        DomainMonitorEvent = 6 "DOMAIN_MONITOR_EVENT" Event Low (Allowed) [] "" 0 (DomainMonitorEventMsg) -> (());
        DomainMonitorCommandWithFiles = 7 "DOMAIN_MONITOR_COMMAND_WITH_FILES" Call Low (Refused) ["domain:write"] "virDomainQemuMonitorCommandWithFiles" 0 (DomainMonitorCommandWithFilesArgs) -> (DomainMonitorCommandWithFilesRet);
    }
}
