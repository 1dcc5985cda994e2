//! Many clients that do what they like at once, well-behaved or not, while domains start and stop: every call of those that
//! wait for an answer is answered, and when all have left nothing of them is left.
//!
//! A short run by default; `VIRTLXC_STRESS_SECONDS` makes it as long as one wants.

use crate::leftovers::Leftovers;
use rpc::Str;
use rpc::client::{Connection, OpenOptions};
use rpc::message::{Header, Outgoing};
use rpc::remote::*;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use tests::daemon::{Daemon, file, virsh};
use tests::documents::{domain, interface};
use tests::image;
use tests::program::eventually;
use tests::sandbox;

const CLIENTS: u64 = 50;
const DOMAINS: u64 = 6;
const ROOT: &str = "/opt/box";
const SOCKET: &str = "/run/libvirt/virtlxcd-sock";
/// An answer may take as long as the longest wait for a domain that others change, and some.
const ANSWER: Duration = Duration::from_secs(60);

/// Numbers that are not random and look like it (Marsaglia's xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

#[derive(Default)]
struct Tally {
    over: AtomicBool,
    calls: AtomicU64,
    refusals: AtomicU64,
    rude: AtomicU64,
    starts: AtomicU64,
    /// The longest wait for an answer, and to what.
    slowest: Mutex<(Duration, &'static str)>,
    /// The longest time that a thread that does nothing but sleep for a moment has slept: what the machine itself stands still.
    stood_still: Mutex<Duration>,
    info: Mutex<Vec<Duration>>,
}

impl Tally {
    fn goes_on(&self) -> bool {
        !self.over.load(Ordering::Relaxed)
    }

    fn count<T>(&self, what: &'static str, answer: &api::Result<T>, took: Duration) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.refusals.fetch_add(u64::from(answer.is_err()), Ordering::Relaxed);
        let mut slowest = self.slowest.lock().unwrap();
        *slowest = (took, what).max(*slowest);
    }

    fn watch_the_machine(&self) {
        const MOMENT: Duration = Duration::from_millis(10);
        while self.goes_on() {
            let begun = Instant::now();
            thread::sleep(MOMENT);
            let late = begun.elapsed().saturating_sub(MOMENT);
            let mut longest = self.stood_still.lock().unwrap();
            *longest = late.max(*longest);
        }
    }
}

fn lookup(connection: &Connection, number: u64) -> api::Result<NonnullDomain> {
    let args = DomainLookupByNameArgs { name: Str::from(format!("box{number}").as_str()) };
    connection.call(Procedure::DomainLookupByName, &args).map(|answer: DomainLookupByNameRet| answer.dom)
}

/// One call that may be refused, but is answered.
fn any_call(connection: &Connection, numbers: &mut Numbers, tally: &Tally) {
    let begun = Instant::now();
    let Ok(dom) = lookup(connection, numbers.below(DOMAINS)) else { return };
    tally.count::<()>("lookup", &Ok(()), begun.elapsed());
    let begun = Instant::now();
    let (what, answer): (_, api::Result<()>) = match numbers.below(10) {
        0 | 1 => {
            let started = connection.call(Procedure::DomainCreate, &DomainCreateArgs { dom });
            tally.starts.fetch_add(u64::from(started.is_ok()), Ordering::Relaxed);
            ("start", started)
        }
        2 => ("destroy", connection.call(Procedure::DomainDestroy, &DomainDestroyArgs { dom })),
        3 => ("suspend", connection.call(Procedure::DomainSuspend, &DomainSuspendArgs { dom })),
        4 => ("resume", connection.call(Procedure::DomainResume, &DomainResumeArgs { dom })),
        5 => {
            let args = DomainGetXmlDescArgs { dom, flags: 0 };
            ("dumpxml", connection.call(Procedure::DomainGetXmlDesc, &args).map(|_: DomainGetXmlDescRet| ()))
        }
        6 => {
            let args = ConnectGetAllDomainStatsArgs { doms: Vec::new(), stats: 0, flags: 0 };
            let call = connection.call(Procedure::ConnectGetAllDomainStats, &args);
            ("domstats", call.map(|_: ConnectGetAllDomainStatsRet| ()))
        }
        7 => {
            let args = ConnectListAllDomainsArgs { need_results: 1, flags: 0 };
            let call = connection.call(Procedure::ConnectListAllDomains, &args);
            ("list", call.map(|_: ConnectListAllDomainsRet| ()))
        }
        8 => {
            let args = DomainSetMemoryFlagsArgs { dom, memory: 32_768 + numbers.below(32_768), flags: 0 };
            ("setmem", connection.call(Procedure::DomainSetMemoryFlags, &args))
        }
        _ => {
            let args = ConnectDomainEventCallbackRegisterAnyArgs { event_id: 0, dom: None };
            let procedure = Procedure::ConnectDomainEventCallbackRegisterAny;
            let call = connection.call(procedure, &args);
            ("event", call.map(|_: ConnectDomainEventCallbackRegisterAnyRet| ()))
        }
    };
    tally.count(what, &answer, begun.elapsed());
}

fn polite(numbers: &mut Numbers, tally: &Tally) {
    let Ok(connection) = Connection::open(Some("lxc:///"), OpenOptions::default()) else { return };
    for _ in 0..numbers.below(30) {
        if !tally.goes_on() {
            break;
        }
        any_call(&connection, numbers, tally);
    }
}

/// A call as bytes: one that needs no open connection is refused, and that is an answer too.
fn a_call(serial: u32) -> Vec<u8> {
    let header = Header::call(Procedure::ConnectOpen, serial);
    let args = ConnectOpenArgs { name: Some(Str::from("lxc:///")), flags: 0 };
    Outgoing::new::<ConnectOpenArgs>(&header, &args).unwrap().bytes.to_vec()
}

fn rude(numbers: &mut Numbers, tally: &Tally) {
    let Ok(mut socket) = UnixStream::connect(SOCKET) else { return };
    tally.rude.fetch_add(1, Ordering::Relaxed);
    match numbers.below(4) {
        // Half a message, and gone.
        0 => {
            let call = a_call(1);
            let length = numbers.below(call.len() as u64) as usize;
            _ = socket.write_all(&call[..length]);
        }
        // Many calls, and none of the answers is read.
        1 => {
            _ = socket.set_nonblocking(true);
            let list = ConnectListAllDomainsArgs { need_results: 1, flags: 0 };
            _ = socket.write_all(&a_call(1));
            for serial in 2..200 {
                let header = Header::call(Procedure::ConnectListAllDomains, serial);
                let call = Outgoing::new::<ConnectListAllDomainsArgs>(&header, &list).unwrap();
                if socket.write_all(&call.bytes).is_err() {
                    break;
                }
            }
            thread::sleep(Duration::from_millis(numbers.below(200)));
        }
        // Nonsense: the connection ends.
        2 => {
            let nonsense: Vec<u8> = (0..64).map(|_| numbers.below(256) as u8).collect();
            _ = socket.write_all(&[&[0xff; 4][..], &nonsense].concat());
            _ = socket.set_read_timeout(Some(ANSWER));
            // The end of the connection, or its reset, and not a wait.
            let read = socket.read(&mut [0; 64]);
            let waited = read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
            assert!(!waited, "a connection with nonsense stays open");
        }
        // Byte by byte, to the end, and an answer.
        _ => {
            for byte in a_call(1) {
                if socket.write_all(&[byte]).is_err() {
                    return;
                }
            }
            _ = socket.set_read_timeout(Some(ANSWER));
            let mut length = [0; 4];
            socket.read_exact(&mut length).expect("a call that came in pieces is not answered");
        }
    }
}

/// The kind of client is drawn anew each time.
fn client(seed: u64, tally: &Tally) {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15 ^ (seed << 17 | seed));
    while tally.goes_on() {
        match numbers.below(4) {
            0 => rude(&mut numbers, tally),
            _ => polite(&mut numbers, tally),
        }
    }
}

fn descriptors(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).map(Iterator::count).unwrap_or(0)
}

fn anonymous_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn clients_that_do_what_they_like_leave_nothing() {
    sandbox::require();
    let seconds = std::env::var("VIRTLXC_STRESS_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(8);
    let daemon = Daemon::start();
    image::busybox(Path::new(ROOT), "exec sleep 100000").unwrap();
    for number in 0..DOMAINS {
        let more = if number % 2 == 0 { interface("default") } else { String::new() };
        virsh(&["define", &file("box.xml", &domain(&format!("box{number}"), ROOT, &["/init"], &more))]).ok();
    }
    // Once each, so that what is made for the first time only is there.
    for number in 0..DOMAINS {
        virsh(&["start", &format!("box{number}")]).ok();
        virsh(&["destroy", &format!("box{number}")]).ok();
    }
    let before = Leftovers::now();
    let held = descriptors(daemon.pid());

    let tally = Arc::new(Tally::default());
    let clients: Vec<_> = (1..=CLIENTS)
        .map(|seed| {
            let tally = Arc::clone(&tally);
            thread::spawn(move || client(seed, &tally))
        })
        .collect();
    let observer = {
        let tally = Arc::clone(&tally);
        thread::spawn(move || {
            let connection = Connection::open(Some("lxc:///"), OpenOptions::default()).unwrap();
            let dom = lookup(&connection, 0).unwrap();
            while tally.goes_on() {
                let begun = Instant::now();
                let args = DomainGetInfoArgs { dom: dom.clone() };
                let _: DomainGetInfoRet = connection.call(Procedure::DomainGetInfo, &args).unwrap();
                tally.info.lock().unwrap().push(begun.elapsed());
                thread::sleep(Duration::from_millis(10));
            }
        })
    };
    let watcher = {
        let tally = Arc::clone(&tally);
        thread::spawn(move || tally.watch_the_machine())
    };
    thread::sleep(Duration::from_secs(seconds));
    tally.over.store(true, Ordering::Relaxed);
    let deadline = Instant::now() + ANSWER;
    for client in clients.into_iter().chain([observer, watcher]) {
        while !client.is_finished() {
            assert!(Instant::now() < deadline, "a call is not answered");
            thread::sleep(Duration::from_millis(20));
        }
        client.join().unwrap();
    }

    assert!(daemon.is_alive());
    let mut info = std::mem::take(&mut *tally.info.lock().unwrap());
    info.sort();
    let at = |share: usize| info[(info.len() - 1) * share / 100].as_micros();
    println!(
        "{} calls ({} refused), {} rude clients, {} starts; slowest answer {:?}; dominfo of {}: median {} us, 95% {} us, \
         most {} us; the machine itself stood still for {:?} at most; daemon {} KiB",
        tally.calls.load(Ordering::Relaxed),
        tally.refusals.load(Ordering::Relaxed),
        tally.rude.load(Ordering::Relaxed),
        tally.starts.load(Ordering::Relaxed),
        tally.slowest.lock().unwrap(),
        info.len(),
        at(50),
        at(95),
        at(100),
        tally.stood_still.lock().unwrap(),
        anonymous_kib(daemon.pid())
    );
    for number in 0..DOMAINS {
        let name = format!("box{number}");
        if virsh(&["domstate", &name]).ok().trim() != "shut off" {
            virsh(&["destroy", &name]).ok();
        }
    }
    eventually("all descriptors are closed", ANSWER, || (descriptors(daemon.pid()) <= held + 4).then_some(()));
    before.assert_none_since();
    let memory = anonymous_kib(daemon.pid());
    assert!(memory < 64 << 10, "the daemon has {memory} KiB");
}
