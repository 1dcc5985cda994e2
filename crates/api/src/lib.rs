//! What libvirt puts in its public headers: errors, ids, states, events, typed parameters, folders.
//! Pure data; nothing here does I/O.
#![forbid(unsafe_code)]

mod codes;
mod error;
mod event;
mod paths;
pub mod settings;
mod stamp;
mod state;
mod typed;
mod uuid;

pub use codes::{Code, Domain as ErrorDomain};
pub use error::{Error, Level, Result, errno_text};
pub use event::{DomainRef, Event, LifecycleEvent, NetworkEvent, NodeDeviceEvent};
pub use paths::Paths;
pub use stamp::stamp;
pub use state::{DomainState, StateReason};
pub use typed::{TypedParam, TypedValue};
pub use uuid::Uuid;
