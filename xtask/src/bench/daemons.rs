//! Starts and ends over one connection: our daemon, and Debian's.

use super::{ROOT, SLEEP, summary};
use crate::Result;
use rpc::Str;
use rpc::client::{Connection, OpenOptions, Stream};
use rpc::remote::*;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use tests::daemon::{Daemon, Libvirtd};
use tests::documents::{domain, interface};

/// Where both daemons keep the process ids of their controllers.
const STATE: &str = "/run/libvirt/lxc";

pub fn ours(runs: usize) -> Result<Value> {
    let _daemon = Daemon::start();
    measure("virtlxc", runs)
}

/// None where it is not installed.
pub fn libvirt(runs: usize) -> Result<Option<Value>> {
    if !has_libvirt() {
        return Ok(None);
    }
    let _daemon = libvirtd();
    measure("libvirt", runs).map(Some)
}

pub fn has_libvirt() -> bool {
    ["/usr/sbin/libvirtd", "/usr/lib/libvirt/libvirt_lxc"].iter().all(|program| Path::new(program).exists())
}

/// In the place of ours, whose sockets have the same names.
pub fn libvirtd() -> Libvirtd {
    for file in ["libvirt-sock", "virtlxcd-sock", "libvirt-sock-ro", "virtlxcd-sock-ro"] {
        _ = fs::remove_file(Path::new("/run/libvirt").join(file));
    }
    Libvirtd::start()
}

fn measure(name: &str, runs: usize) -> Result<Value> {
    let client = Client::open()?;
    client.start_network();
    let plain = client.define(&domain("bench", ROOT, &SLEEP, ""))?;
    let connected = client.define(&domain("bench-net", ROOT, &SLEEP, &interface("default")))?;
    let (start, destroy, memory) = client.lives(&plain, runs)?;
    let (start_net, destroy_net, _) = client.lives(&connected, runs)?;
    client.undefine(&plain)?;
    client.undefine(&connected)?;
    Ok(json!({
        "name": name,
        "start": summary(&start),
        "start_net": summary(&start_net),
        "destroy": summary(&destroy),
        "destroy_net": summary(&destroy_net),
        "controller_kib": memory,
    }))
}

pub struct Client(Connection);

impl Client {
    pub fn open() -> Result<Client> {
        let connection = Connection::open(Some("lxc:///"), OpenOptions::default());
        connection.map(Client).map_err(|error| format!("connecting: {error}"))
    }

    pub fn define(&self, document: &str) -> Result<NonnullDomain> {
        let args = DomainDefineXmlArgs { xml: Str::from(document) };
        let answer: api::Result<DomainDefineXmlRet> = self.0.call(Procedure::DomainDefineXml, &args);
        answer.map(|answer| answer.dom).map_err(|error| format!("defining a domain: {error}"))
    }

    pub fn undefine(&self, dom: &NonnullDomain) -> Result<()> {
        let args = DomainUndefineArgs { dom: dom.clone() };
        self.0.call(Procedure::DomainUndefine, &args).map_err(|error| format!("undefining a domain: {error}"))
    }

    pub fn start(&self, dom: &NonnullDomain) -> Result<Duration> {
        let args = DomainCreateArgs { dom: dom.clone() };
        let begun = Instant::now();
        let answer: api::Result<()> = self.0.call(Procedure::DomainCreate, &args);
        let took = begun.elapsed();
        answer.map(|()| took).map_err(|error| format!("starting a domain: {error}"))
    }

    pub fn destroy(&self, dom: &NonnullDomain) -> Result<Duration> {
        let args = DomainDestroyArgs { dom: dom.clone() };
        let begun = Instant::now();
        let answer: api::Result<()> = self.0.call(Procedure::DomainDestroy, &args);
        let took = begun.elapsed();
        answer.map(|()| took).map_err(|error| format!("destroying a domain: {error}"))
    }

    /// All domains, and how long the answer took.
    pub fn list(&self) -> Result<(usize, Duration)> {
        let args = ConnectListAllDomainsArgs { need_results: 1, flags: 0 };
        let begun = Instant::now();
        let answer: api::Result<ConnectListAllDomainsRet> = self.0.call(Procedure::ConnectListAllDomains, &args);
        let took = begun.elapsed();
        answer.map(|all| (all.domains.len(), took)).map_err(|error| format!("listing the domains: {error}"))
    }

    /// The statistics of all domains; none where the daemon has no such call.
    pub fn statistics(&self) -> Option<Duration> {
        let args = ConnectGetAllDomainStatsArgs { doms: Vec::new(), stats: 0, flags: 0 };
        let begun = Instant::now();
        let answer: api::Result<ConnectGetAllDomainStatsRet> = self.0.call(Procedure::ConnectGetAllDomainStats, &args);
        answer.is_ok().then(|| begun.elapsed())
    }

    /// What the first console of a running domain prints.
    pub fn console(&self, dom: &NonnullDomain) -> Result<Stream> {
        let args = DomainOpenConsoleArgs { dom: dom.clone(), dev_name: None, flags: 0 };
        let opened: api::Result<((), Stream)> = self.0.open_stream(Procedure::DomainOpenConsole, &args);
        opened.map(|(_, stream)| stream).map_err(|error| format!("opening a console: {error}"))
    }

    /// The network may be up already.
    pub fn start_network(&self) {
        let args = NetworkLookupByNameArgs { name: Str::from("default") };
        let found: api::Result<NetworkLookupByNameRet> = self.0.call(Procedure::NetworkLookupByName, &args);
        if let Ok(NetworkLookupByNameRet { net }) = found {
            let _: api::Result<()> = self.0.call(Procedure::NetworkCreate, &NetworkCreateArgs { net });
        }
    }

    /// Starts and ends of one domain, and the memory of its controller.
    fn lives(&self, dom: &NonnullDomain, runs: usize) -> Result<(Vec<Duration>, Vec<Duration>, Value)> {
        let (mut starts, mut ends, mut memory) = (Vec::new(), Vec::new(), Value::Null);
        for _ in 0..runs {
            starts.push(self.start(dom)?);
            memory = controller_memory(&dom.name.to_string_lossy());
            ends.push(self.destroy(dom)?);
        }
        Ok((starts, ends, memory))
    }
}

/// What all threads of a process have had of a processor, which a busy machine hardly changes.
pub fn processor_time(pid: &str) -> Duration {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let times = threads.filter_map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(times.sum())
}

/// Of the domain's controller, in KiB.
pub fn controller_memory(domain: &str) -> Value {
    memory_of(&controller(domain))
}

/// The process id of a domain's controller.
pub fn controller(domain: &str) -> String {
    let pid = fs::read_to_string(Path::new(STATE).join(format!("{domain}.pid"))).unwrap_or_default();
    pid.trim().to_string()
}

pub fn memory_of(pid: &str) -> Value {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let value = |name: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    json!({ "rss": value("VmRSS:"), "anonymous": value("RssAnon:"), "threads": value("Threads:") })
}
