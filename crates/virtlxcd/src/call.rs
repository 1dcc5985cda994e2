//! One call on its way: arguments out of bytes, the checks that come before every handler, results into bytes.

use crate::daemon::{Daemon, Hypervisor, domain_of};
use api::{Code, Error, ErrorDomain, Result};
use rpc::error::rpc_error;
use rpc::message::Message;
use rpc::protocol::{ProcedureInfo, ReadOnly};
use rpc::server::{Client, Reply};
use rpc::xdr::Codec;
use rpc::{lxc, qemu, remote, virtlxc};
use std::sync::Arc;

pub struct Call<'a> {
    pub daemon: &'a Arc<Daemon>,
    pub client: &'a Arc<Client<Hypervisor>>,
    pub message: &'a Message,
}

impl Call<'_> {
    pub fn args<A: Codec<Value = A>>(&self) -> Result<A> {
        self.message.decode::<A>().map_err(|_| rpc_error("Unable to decode message payload"))
    }

    /// What `reply` looks like on the wire.
    pub fn reply<R: Codec<Value = R>>(&self, reply: R) -> Result<Reply> {
        Reply::new::<R>(&reply).map_err(|e| rpc_error(format!("Unable to encode message payload: {e}")))
    }

    /// A call on an open connection: decodes, checks, runs, encodes.
    pub fn typed<A, R>(&self, handler: impl FnOnce(&Self, A) -> Result<R>) -> Result<Reply>
    where
        A: Codec<Value = A>,
        R: Codec<Value = R>,
    {
        let args = self.args::<A>()?;
        self.check()?;
        self.reply(handler(self, args)?)
    }

    /// The same where the reply is more than a value: descriptors, a stream.
    pub fn special<A: Codec<Value = A>>(&self, handler: impl FnOnce(&Self, A) -> Result<Reply>) -> Result<Reply> {
        let args = self.args::<A>()?;
        self.check()?;
        handler(self, args)
    }

    /// A call that may come before `CONNECT_OPEN`.
    pub fn early<A, R>(&self, handler: impl FnOnce(&Self, A) -> Result<R>) -> Result<Reply>
    where
        A: Codec<Value = A>,
        R: Codec<Value = R>,
    {
        self.reply(handler(self, self.args::<A>()?)?)
    }

    /// libvirt's answer to a call that its LXC driver has not.
    pub fn not_supported(&self, info: &ProcedureInfo) -> Result<Reply> {
        self.check()?;
        Err(Error::no_support(domain_of(info.domain), info.api))
    }

    /// The connection is open, and not for reading alone where the call changes something.
    fn check(&self) -> Result<()> {
        let read_only = self.read_only()?;
        match self.info() {
            Some(info) if read_only && info.read_only == ReadOnly::Refused => {
                let words = format!("read only access prevents {}", info.api);
                Err(Error::new(domain_of(info.domain), Code::OperationDenied, words))
            }
            _ => Ok(()),
        }
    }

    fn info(&self) -> Option<&'static ProcedureInfo> {
        let procedure = self.message.header.procedure;
        match self.message.header.program {
            remote::PROGRAM => remote::Procedure::from_number(procedure).map(|p| p.info()),
            lxc::PROGRAM => lxc::Procedure::from_number(procedure).map(|p| p.info()),
            qemu::PROGRAM => qemu::Procedure::from_number(procedure).map(|p| p.info()),
            virtlxc::PROGRAM => virtlxc::Procedure::from_number(procedure).map(|p| p.info()),
            _ => None,
        }
    }

    /// Whether the connection is for reading alone; an error where none is open.
    pub fn read_only(&self) -> Result<bool> {
        let state = self.client.session.state();
        let opened = state.opened.as_ref();
        opened.map(|opened| opened.read_only).ok_or_else(|| Error::internal(ErrorDomain::Rpc, self.not_open()))
    }

    /// In libvirt, other drivers than the hypervisor's say it in other words.
    fn not_open(&self) -> &'static str {
        let of_another = |info: &ProcedureInfo| {
            // These are in the family of node devices, but the hypervisor's driver answers them.
            let detaching =
                ["NODE_DEVICE_DETTACH", "NODE_DEVICE_RE_ATTACH", "NODE_DEVICE_RESET", "NODE_DEVICE_DETACH_FLAGS"];
            matches!(info.domain, 18 | 19 | 22 | 26 | 30 | 33) && !detaching.contains(&info.name)
        };
        if self.info().is_some_and(of_another) { "connection not open" } else { "hypervisor connection not open" }
    }

    /// Refuses what a read-only connection may not ask, for calls where that depends on the arguments.
    pub fn refuse_read_only(&self, what: &str) -> Result<()> {
        match self.read_only()? {
            false => Ok(()),
            true => {
                let domain = self.info().map_or(ErrorDomain::Domain, |info| domain_of(info.domain));
                Err(Error::new(domain, Code::OperationDenied, what))
            }
        }
    }
}

/// No flag is known to `function`.
pub fn no_flags(flags: u32, function: &str, domain: ErrorDomain) -> Result<()> {
    known_flags(flags, 0, function, domain)
}

pub fn known_flags(flags: u32, known: u32, function: &str, domain: ErrorDomain) -> Result<()> {
    match flags & !known {
        0 => Ok(()),
        unknown => Err(Error::unsupported_flags(domain, function, unknown)),
    }
}

/// How many entries a client has room for in the answer to one of the old list calls.
pub fn list_room(argument: &str, asked: i32, limit: &str) -> Result<usize> {
    /// `REMOTE_DOMAIN_LIST_MAX`, and the same for most other lists.
    const MAX: usize = 16_384;
    list_room_of(argument, asked, limit, MAX)
}

pub fn list_room_of(argument: &str, asked: i32, limit: &str, most: usize) -> Result<usize> {
    match usize::try_from(asked) {
        Ok(room) if room <= most => Ok(room),
        Ok(_) => Err(rpc_error(format!("{argument} > {limit}"))),
        Err(_) => Err(rpc_error(format!("{argument} must be non-negative"))),
    }
}
