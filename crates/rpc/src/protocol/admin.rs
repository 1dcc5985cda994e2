// Written by `cargo xtask codegen` from protocol/remote-protocol.json; do not edit.

use super::table::{messages, procedures, unions};
use crate::xdr::{List, Str};

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
    ClientCloseArgs {
        clnt: NonnullClient,
        flags: u32,
    }
    ClientGetInfoArgs {
        clnt: NonnullClient,
        flags: u32,
    }
    ClientGetInfoRet {
        params: List<TypedParam, 64>,
    }
    ConnectGetLibVersionRet {
        lib_ver: u64,
    }
    ConnectGetLoggingFiltersArgs {
        flags: u32,
    }
    ConnectGetLoggingFiltersRet {
        filters: Option<Str>,
        nfilters: u32,
    }
    ConnectGetLoggingOutputsArgs {
        flags: u32,
    }
    ConnectGetLoggingOutputsRet {
        outputs: Str,
        noutputs: u32,
    }
    ConnectListServersArgs {
        need_results: u32,
        flags: u32,
    }
    ConnectListServersRet {
        servers: List<NonnullServer, 16384>,
        ret: u32,
    }
    ConnectLookupServerArgs {
        name: Str,
        flags: u32,
    }
    ConnectLookupServerRet {
        srv: NonnullServer,
    }
    ConnectOpenArgs {
        flags: u32,
    }
    ConnectSetDaemonTimeoutArgs {
        timeout: u32,
        flags: u32,
    }
    ConnectSetLoggingFiltersArgs {
        filters: Option<Str>,
        flags: u32,
    }
    ConnectSetLoggingOutputsArgs {
        outputs: Option<Str>,
        flags: u32,
    }
    NonnullClient {
        srv: NonnullServer,
        id: u64,
        timestamp: i64,
        transport: u32,
    }
    NonnullServer {
        name: Str,
    }
    ServerGetClientLimitsArgs {
        srv: NonnullServer,
        flags: u32,
    }
    ServerGetClientLimitsRet {
        params: List<TypedParam, 32>,
    }
    ServerGetThreadpoolParametersArgs {
        srv: NonnullServer,
        flags: u32,
    }
    ServerGetThreadpoolParametersRet {
        params: List<TypedParam, 32>,
    }
    ServerListClientsArgs {
        srv: NonnullServer,
        need_results: u32,
        flags: u32,
    }
    ServerListClientsRet {
        clients: List<NonnullClient, 16384>,
        ret: u32,
    }
    ServerLookupClientArgs {
        srv: NonnullServer,
        id: u64,
        flags: u32,
    }
    ServerLookupClientRet {
        clnt: NonnullClient,
    }
    ServerSetClientLimitsArgs {
        srv: NonnullServer,
        params: List<TypedParam, 32>,
        flags: u32,
    }
    ServerSetThreadpoolParametersArgs {
        srv: NonnullServer,
        params: List<TypedParam, 32>,
        flags: u32,
    }
    ServerUpdateTlsFilesArgs {
        srv: NonnullServer,
        flags: u32,
    }
    TypedParam {
        field: Str,
        value: TypedParamValue,
    }
}

procedures! {
    0x06900690 version 1 {
        ConnectOpen = 1 "CONNECT_OPEN" Call Low (Allowed) [] "" 0 (ConnectOpenArgs) -> (());
        ConnectClose = 2 "CONNECT_CLOSE" Call Low (Allowed) [] "" 0 (()) -> (());
        ConnectGetLibVersion = 3 "CONNECT_GET_LIB_VERSION" Call Low (Allowed) [] "" 0 (()) -> (ConnectGetLibVersionRet);
        ConnectListServers = 4 "CONNECT_LIST_SERVERS" Call Low (Allowed) [] "" 0 (ConnectListServersArgs) -> (ConnectListServersRet);
        ConnectLookupServer = 5 "CONNECT_LOOKUP_SERVER" Call Low (Allowed) [] "" 0 (ConnectLookupServerArgs) -> (ConnectLookupServerRet);
        ServerGetThreadpoolParameters = 6 "SERVER_GET_THREADPOOL_PARAMETERS" Call Low (Allowed) [] "" 0 (ServerGetThreadpoolParametersArgs) -> (ServerGetThreadpoolParametersRet);
        ServerSetThreadpoolParameters = 7 "SERVER_SET_THREADPOOL_PARAMETERS" Call Low (Allowed) [] "" 0 (ServerSetThreadpoolParametersArgs) -> (());
        ServerListClients = 8 "SERVER_LIST_CLIENTS" Call Low (Allowed) [] "" 0 (ServerListClientsArgs) -> (ServerListClientsRet);
        ServerLookupClient = 9 "SERVER_LOOKUP_CLIENT" Call Low (Allowed) [] "" 0 (ServerLookupClientArgs) -> (ServerLookupClientRet);
        ClientGetInfo = 10 "CLIENT_GET_INFO" Call Low (Allowed) [] "" 0 (ClientGetInfoArgs) -> (ClientGetInfoRet);
        ClientClose = 11 "CLIENT_CLOSE" Call Low (Allowed) [] "" 0 (ClientCloseArgs) -> (());
        ServerGetClientLimits = 12 "SERVER_GET_CLIENT_LIMITS" Call Low (Allowed) [] "" 0 (ServerGetClientLimitsArgs) -> (ServerGetClientLimitsRet);
        ServerSetClientLimits = 13 "SERVER_SET_CLIENT_LIMITS" Call Low (Allowed) [] "" 0 (ServerSetClientLimitsArgs) -> (());
        ConnectGetLoggingOutputs = 14 "CONNECT_GET_LOGGING_OUTPUTS" Call Low (Allowed) [] "" 0 (ConnectGetLoggingOutputsArgs) -> (ConnectGetLoggingOutputsRet);
        ConnectGetLoggingFilters = 15 "CONNECT_GET_LOGGING_FILTERS" Call Low (Allowed) [] "" 0 (ConnectGetLoggingFiltersArgs) -> (ConnectGetLoggingFiltersRet);
        ConnectSetLoggingOutputs = 16 "CONNECT_SET_LOGGING_OUTPUTS" Call Low (Allowed) [] "" 0 (ConnectSetLoggingOutputsArgs) -> (());
        ConnectSetLoggingFilters = 17 "CONNECT_SET_LOGGING_FILTERS" Call Low (Allowed) [] "" 0 (ConnectSetLoggingFiltersArgs) -> (());
        ServerUpdateTlsFiles = 18 "SERVER_UPDATE_TLS_FILES" Call Low (Allowed) [] "" 0 (ServerUpdateTlsFilesArgs) -> (());
        ConnectSetDaemonTimeout = 19 "CONNECT_SET_DAEMON_TIMEOUT" Call Low (Allowed) [] "" 0 (ConnectSetDaemonTimeoutArgs) -> (());
    }
}
