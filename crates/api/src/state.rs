//! A domain's state and why it is in it (`virDomainState` and its reason enums).

macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $number:literal, $text:literal;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($variant = $number,)* }

        impl $name {
            pub fn from_number(number: i32) -> Option<$name> {
                match number { $($number => Some($name::$variant),)* _ => None }
            }

            /// The word in status files.
            pub fn text(self) -> &'static str {
                match self { $($name::$variant => $text,)* }
            }

            pub fn from_text(text: &str) -> Option<$name> {
                match text { $($text => Some($name::$variant),)* _ => None }
            }
        }
    };
}

numbered! {
    /// The states of `virDomainState`; a container is running, paused, shut off or crashed.
    DomainState {
        NoState = 0, "nostate";
        Running = 1, "running";
        Blocked = 2, "blocked";
        Paused = 3, "paused";
        Shutdown = 4, "shutdown";
        Shutoff = 5, "shutoff";
        Crashed = 6, "crashed";
        PmSuspended = 7, "pmsuspended";
    }
}

/// Why a domain is in its state. The number's meaning depends on the state: libvirt has one enum per state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StateReason(pub i32);

impl StateReason {
    pub const UNKNOWN: StateReason = StateReason(0);
    pub const RUNNING_BOOTED: StateReason = StateReason(1);
    pub const RUNNING_UNPAUSED: StateReason = StateReason(5);
    pub const PAUSED_USER: StateReason = StateReason(1);
    pub const SHUTOFF_SHUTDOWN: StateReason = StateReason(1);
    pub const SHUTOFF_DESTROYED: StateReason = StateReason(2);
    pub const SHUTOFF_CRASHED: StateReason = StateReason(3);
    pub const SHUTOFF_FAILED: StateReason = StateReason(6);
    pub const SHUTOFF_DAEMON: StateReason = StateReason(8);

    /// The word in status files for this reason of `state`.
    pub fn text(self, state: DomainState) -> &'static str {
        reasons(state).get(self.0 as usize).copied().unwrap_or("unknown")
    }

    pub fn from_text(state: DomainState, text: &str) -> Option<StateReason> {
        reasons(state).iter().position(|t| *t == text).map(|n| StateReason(n as i32))
    }
}

fn reasons(state: DomainState) -> &'static [&'static str] {
    match state {
        DomainState::Running => &[
            "unknown",
            "booted",
            "migrated",
            "restored",
            "from snapshot",
            "unpaused",
            "migration canceled",
            "save canceled",
            "wakeup",
            "crashed",
            "post-copy",
            "post-copy failed",
        ],
        DomainState::Paused => &[
            "unknown",
            "user",
            "migration",
            "save",
            "dump",
            "ioerror",
            "watchdog",
            "from snapshot",
            "shutdown",
            "snapshot",
            "panicked",
            "starting up",
            "post-copy",
            "post-copy failed",
        ],
        DomainState::Shutdown => &["unknown", "user"],
        DomainState::Shutoff => {
            &["unknown", "shutdown", "destroyed", "crashed", "migrated", "saved", "failed", "from snapshot", "daemon"]
        }
        DomainState::Crashed => &["unknown", "panicked"],
        DomainState::NoState | DomainState::Blocked | DomainState::PmSuspended => &["unknown"],
    }
}
