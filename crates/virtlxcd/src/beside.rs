//! What libvirt has beside containers and networks: storage pools, secrets, network filters. This daemon keeps none of
//! them, so their lists are empty and whoever names one is told that there is none of that name; nothing can be made.

use crate::call::{Call, known_flags, no_flags};
use crate::events::{self, Kind};
use api::{Code, Error, ErrorDomain, Result, Uuid};
use rpc::Str;
use rpc::remote::*;
use rpc::server::Reply;

/// Where arguments begin with a name, or a UUID, that is all that is read of them.
type OnlyName = StoragePoolLookupByNameArgs;
type OnlyUuid = StoragePoolLookupByUuidArgs;

pub fn answer(call: &Call, procedure: Procedure) -> Result<Reply> {
    use Procedure as P;
    match procedure {
        P::ConnectNumOfStoragePools
        | P::ConnectListStoragePools
        | P::ConnectNumOfDefinedStoragePools
        | P::ConnectListDefinedStoragePools
        | P::ConnectNumOfSecrets
        | P::ConnectListSecrets
        | P::ConnectNumOfNwfilters
        | P::ConnectListNwfilters => none(call),
        P::ConnectListAllStoragePools => call.typed(all_pools),
        P::ConnectListAllSecrets => call.typed(all_secrets),
        P::ConnectListAllNwfilters => call.typed(all_filters),
        P::ConnectListAllNwfilterBindings => call.typed(all_bindings),

        P::StoragePoolLookupByName | P::StoragePoolLookupByVolume => lacks(call, pool_named),
        P::StoragePoolLookupByUuid => lacks(call, |args: OnlyUuid| pool(None, args.uuid)),
        P::StoragePoolLookupByTargetPath => lacks(call, |args: OnlyName| {
            no_pool(format!("no storage pool with matching target path '{}'", args.name.to_string_lossy()))
        }),
        P::StoragePoolCreate
        | P::StoragePoolBuild
        | P::StoragePoolDestroy
        | P::StoragePoolDelete
        | P::StoragePoolUndefine
        | P::StoragePoolRefresh
        | P::StoragePoolGetInfo
        | P::StoragePoolGetXmlDesc
        | P::StoragePoolGetAutostart
        | P::StoragePoolSetAutostart
        | P::StoragePoolIsActive
        | P::StoragePoolIsPersistent
        | P::StoragePoolNumOfVolumes
        | P::StoragePoolListVolumes
        | P::StoragePoolListAllVolumes
        | P::StorageVolCreateXml
        | P::StorageVolCreateXmlFrom
        | P::StorageVolLookupByName => lacks(call, |one: NonnullStoragePool| pool(Some(&one.name), one.uuid)),
        P::StorageVolDelete
        | P::StorageVolGetInfo
        | P::StorageVolGetInfoFlags
        | P::StorageVolGetXmlDesc
        | P::StorageVolGetPath
        | P::StorageVolWipe
        | P::StorageVolWipePattern
        | P::StorageVolResize
        | P::StorageVolUpload
        | P::StorageVolDownload => lacks(call, pool_named),
        P::StorageVolLookupByKey => lacks(call, |args: OnlyName| {
            no_volume(format!("no storage vol with matching key {}", args.name.to_string_lossy()))
        }),
        P::StorageVolLookupByPath => lacks(call, |args: OnlyName| {
            no_volume(format!("no storage vol with matching path '{}'", args.name.to_string_lossy()))
        }),

        P::SecretLookupByUuid | P::SecretGetXmlDesc | P::SecretGetValue | P::SecretUndefine => lacks(call, secret),
        P::SecretLookupByUsage => lacks(call, |args: SecretLookupByUsageArgs| {
            let usage = args.usage_id.to_string_lossy();
            Error::new(ErrorDomain::Secret, Code::NoSecret, format!("no secret with matching usage '{usage}'"))
        }),

        P::NwfilterLookupByName => lacks(call, |args: OnlyName| {
            no_filter(format!("no nwfilter with matching name '{}'", args.name.to_string_lossy()))
        }),
        P::NwfilterLookupByUuid => lacks(call, |args: OnlyUuid| filter(args.uuid)),
        P::NwfilterGetXmlDesc | P::NwfilterUndefine => lacks(call, |one: NonnullNwfilter| filter(one.uuid)),
        P::NwfilterBindingLookupByPortDev | P::NwfilterBindingGetXmlDesc | P::NwfilterBindingDelete => {
            lacks(call, |args: OnlyName| {
                let words = format!("no nwfilter binding for port dev '{}'", args.name.to_string_lossy());
                Error::new(ErrorDomain::Nwfilter, Code::NoNwfilterBinding, words)
            })
        }

        P::ConnectStoragePoolEventRegisterAny => call.typed(pool_events),
        P::ConnectStoragePoolEventDeregisterAny => call.typed(no_pool_events),
        P::ConnectSecretEventRegisterAny => call.typed(secret_events),
        P::ConnectSecretEventDeregisterAny => call.typed(no_secret_events),
        other => call.not_supported(other.info()),
    }
}

/// A count, or a list of names: both are one zero on the wire.
fn none(call: &Call) -> Result<Reply> {
    call.special(|call, (): ()| call.reply(ConnectNumOfStoragePoolsRet { num: 0 }))
}

/// Refused because what it is about does not exist. `A` is where the arguments name that; the rest does not matter.
fn lacks<A: rpc::xdr::Codec<Value = A>>(call: &Call, why: impl FnOnce(A) -> Error) -> Result<Reply> {
    call.special(|_, named: A| Err(why(named)))
}

fn pool_named(args: OnlyName) -> Error {
    no_pool(format!("no storage pool with matching name '{}'", args.name.to_string_lossy()))
}

fn pool(name: Option<&Str>, uuid: [u8; 16]) -> Error {
    let name = name.map(|name| format!(" ({})", name.to_string_lossy())).unwrap_or_default();
    no_pool(format!("no storage pool with matching uuid '{}'{name}", Uuid(uuid)))
}

fn no_pool(words: String) -> Error {
    Error::new(ErrorDomain::Storage, Code::NoStoragePool, words)
}

fn no_volume(words: String) -> Error {
    Error::new(ErrorDomain::Storage, Code::NoStorageVol, words)
}

fn secret(args: OnlyUuid) -> Error {
    let words = format!("no secret with matching uuid '{}'", Uuid(args.uuid));
    Error::new(ErrorDomain::Secret, Code::NoSecret, words)
}

fn filter(uuid: [u8; 16]) -> Error {
    no_filter(format!("no nwfilter with matching uuid '{}'", Uuid(uuid)))
}

fn no_filter(words: String) -> Error {
    Error::new(ErrorDomain::Nwfilter, Code::NoNwfilter, words)
}

fn all_pools(_: &Call, args: ConnectListAllStoragePoolsArgs) -> Result<ConnectListAllStoragePoolsRet> {
    /// By state, autostart and the types that libvirt 9.0.0 has.
    const FILTERS: u32 = (1 << 20) - 1;
    known_flags(args.flags, FILTERS, "storageConnectListAllStoragePools", ErrorDomain::Storage)?;
    Ok(ConnectListAllStoragePoolsRet { pools: Vec::new(), ret: 0 })
}

fn all_secrets(_: &Call, args: ConnectListAllSecretsArgs) -> Result<ConnectListAllSecretsRet> {
    /// Ephemeral or not, private or not.
    const FILTERS: u32 = 0xf;
    known_flags(args.flags, FILTERS, "secretConnectListAllSecrets", ErrorDomain::Secret)?;
    Ok(ConnectListAllSecretsRet { secrets: Vec::new(), ret: 0 })
}

fn all_filters(_: &Call, args: ConnectListAllNwfiltersArgs) -> Result<ConnectListAllNwfiltersRet> {
    no_flags(args.flags, "nwfilterConnectListAllNWFilters", ErrorDomain::Nwfilter)?;
    Ok(ConnectListAllNwfiltersRet { filters: Vec::new(), ret: 0 })
}

fn all_bindings(_: &Call, args: ConnectListAllNwfilterBindingsArgs) -> Result<ConnectListAllNwfilterBindingsRet> {
    no_flags(args.flags, "nwfilterConnectListAllNWFilterBindings", ErrorDomain::Nwfilter)?;
    Ok(ConnectListAllNwfilterBindingsRet { bindings: Vec::new(), ret: 0 })
}

fn pool_events(
    call: &Call,
    args: ConnectStoragePoolEventRegisterAnyArgs,
) -> Result<ConnectStoragePoolEventRegisterAnyRet> {
    let list = &mut call.client.session.state().registrations;
    let callback_id = events::register_beside(&call.daemon.callback_ids, list, Kind::StoragePool, args.event_id)?;
    Ok(ConnectStoragePoolEventRegisterAnyRet { callback_id })
}

fn no_pool_events(call: &Call, args: ConnectStoragePoolEventDeregisterAnyArgs) -> Result<()> {
    events::deregister(&mut call.client.session.state().registrations, Kind::StoragePool, args.callback_id)
}

fn secret_events(call: &Call, args: ConnectSecretEventRegisterAnyArgs) -> Result<ConnectSecretEventRegisterAnyRet> {
    let list = &mut call.client.session.state().registrations;
    let callback_id = events::register_beside(&call.daemon.callback_ids, list, Kind::Secret, args.event_id)?;
    Ok(ConnectSecretEventRegisterAnyRet { callback_id })
}

fn no_secret_events(call: &Call, args: ConnectSecretEventDeregisterAnyArgs) -> Result<()> {
    events::deregister(&mut call.client.session.state().registrations, Kind::Secret, args.callback_id)
}
