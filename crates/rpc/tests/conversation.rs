//! Client and server of this crate with each other, and with a peer that misbehaves.
#![forbid(unsafe_code)]

use rpc::client::{CloseReason, Connection, Keepalive};
use rpc::message::{Header, LENGTH_MAX, Message, Outgoing, Status, Type};
use rpc::protocol::Priority;
use rpc::remote::{ConnectGetVersionRet, DomainLookupByNameArgs, Procedure};
use rpc::server::{Client, ClientLimits, Listening, Loop, Peer, PoolLimits, Reply, Server, Service, Then};
use rpc::wire::{Received, Receiver};
use rpc::{ProgramProcedure, remote};
use rustix::event::{PollFd, PollFlags, poll};
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc::{self, Receiver as Channel, Sender as ChannelEnd};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Answers a few procedures in ways that the tests need.
struct Fake {
    gate: Mutex<Channel<()>>,
    gone: ChannelEnd<u64>,
    terminal: Mutex<Option<OwnedFd>>,
}

impl Service for Fake {
    type Session = ();

    fn session(&self, _: &Peer) {}

    fn admit(&self, header: &Header) -> api::Result<Priority> {
        match Procedure::from_number(header.procedure) {
            Some(procedure) => Ok(procedure.info().priority),
            None => Err(rpc::error::rpc_error(format!("unknown procedure: {}", header.procedure))),
        }
    }

    fn call(&self, client: &Arc<Client<Fake>>, message: Message) -> api::Result<Reply> {
        let encode = |r: Result<Reply, _>| r.map_err(|_| rpc::error::rpc_error("too long"));
        match Procedure::from_number(message.header.procedure) {
            Some(Procedure::ConnectGetVersion) => {
                encode(Reply::new::<ConnectGetVersionRet>(&ConnectGetVersionRet { hv_ver: 42 }))
            }
            Some(Procedure::ConnectSupportsFeature) => {
                client.want_keepalive();
                let ret = remote::ConnectSupportsFeatureRet { supported: 1 };
                encode(Reply::new::<remote::ConnectSupportsFeatureRet>(&ret))
            }
            Some(Procedure::ConnectClose) => Ok(Reply { then: Then::Close, ..Reply::default() }),
            Some(Procedure::DomainCreate) => {
                _ = self.gate.lock().unwrap().recv();
                Ok(Reply::default())
            }
            Some(Procedure::ConnectGetCapabilities) => Ok(Reply { payload: vec![0; 10 << 20], ..Reply::default() }),
            Some(Procedure::ConnectDomainEventRegister) => {
                client.send(event(4));
                Ok(Reply::default())
            }
            Some(Procedure::ConnectDomainEventDeregister) => {
                (0..10).for_each(|_| client.send(event(1 << 20)));
                Ok(Reply::default())
            }
            Some(Procedure::DomainReset) => panic!("a handler's fault"),
            Some(Procedure::DomainOpenConsole) => {
                let terminal = self.terminal.lock().unwrap().take();
                Ok(Reply { then: terminal.map_or(Then::Nothing, Then::Stream), ..Reply::default() })
            }
            Some(Procedure::ConnectGetHostname) => {
                Ok(Reply { fds: vec![std::fs::File::open("/dev/null").unwrap().into()], ..Reply::default() })
            }
            _ => Err(api::Error::no_support(api::ErrorDomain::Domain, "virSomething")),
        }
    }

    fn gone(&self, client: &Arc<Client<Fake>>) {
        _ = self.gone.send(client.id);
    }

    fn clients_changed(&self, _: usize) {}
}

struct Daemon {
    server: Arc<Server<Fake>>,
    event_loop: Arc<Loop>,
    path: std::path::PathBuf,
    open: ChannelEnd<()>,
    gone: Channel<u64>,
    /// The far side of the console.
    terminal: UnixStream,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Daemon {
    fn start(name: &str, max_clients: usize, keepalive: Option<Keepalive>) -> Daemon {
        let path = std::env::temp_dir().join(format!("rpc-test-{}-{name}", std::process::id()));
        _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).unwrap();
        listener.set_nonblocking(true).unwrap();
        let (open, gate) = mpsc::channel();
        let (gone, all_gone) = mpsc::channel();
        let (terminal, near) = UnixStream::pair().unwrap();
        let fake = Fake { gate: Mutex::new(gate), gone, terminal: Mutex::new(Some(near.into())) };
        let event_loop = Arc::new(Loop::new().unwrap());
        let workers = PoolLimits { min_workers: 1, max_workers: 2, priority_workers: 1 };
        let limits = ClientLimits { max_clients, max_requests: 5, keepalive };
        let server = Server::new("fake", Arc::clone(&event_loop), fake, workers, limits);
        server.listen(Listening { socket: listener.into(), read_only: false }).unwrap();
        let running = Arc::clone(&event_loop);
        let thread = Some(std::thread::spawn(move || running.run().unwrap()));
        Daemon { server, event_loop, path, open, gone: all_gone, terminal, thread }
    }

    fn socket(&self) -> UnixStream {
        UnixStream::connect(&self.path).unwrap()
    }

    fn connection(&self) -> Connection {
        Connection::on_socket(self.socket().into()).unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.event_loop.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
        self.server.finish(Duration::from_secs(5));
        _ = std::fs::remove_file(&self.path);
    }
}

fn event(length: usize) -> Outgoing {
    Outgoing::raw(&Header::event(Procedure::DomainEventLifecycle, 0), &vec![0; length]).unwrap()
}

fn version(connection: &Connection) -> api::Result<u64> {
    connection.call::<_, ConnectGetVersionRet>(Procedure::ConnectGetVersion, &()).map(|ret| ret.hv_ver)
}

fn console(connection: &Connection) -> rpc::client::Stream {
    let dom = remote::NonnullDomain { name: "a".into(), uuid: [0; 16], id: 1 };
    let args = remote::DomainOpenConsoleArgs { dom, dev_name: None, flags: 0 };
    connection.open_stream::<_, ()>(Procedure::DomainOpenConsole, &args).unwrap().1
}

fn next(socket: &UnixStream, receiver: &mut Receiver) -> Option<Message> {
    loop {
        match receiver.receive(socket.as_fd()).ok()? {
            Received::Message(message) => return Some(message),
            Received::Closed => return None,
            Received::WouldBlock => {
                poll(&mut [PollFd::new(socket, PollFlags::IN)], None).unwrap();
            }
        }
    }
}

fn call(procedure: impl ProgramProcedure, serial: u32) -> Vec<u8> {
    Outgoing::raw(&Header::call(procedure, serial), &[]).unwrap().bytes.to_vec()
}

#[test]
fn calls_errors_descriptors_and_goodbye() {
    let daemon = Daemon::start("calls", 10, None);
    let connection = daemon.connection();
    assert_eq!(version(&connection), Ok(42));
    let (_, fds) = connection.call_with_fds::<_, ()>(Procedure::ConnectGetHostname, &(), Vec::new()).unwrap();
    assert_eq!(fds.len(), 1);
    let args = DomainLookupByNameArgs { name: "x".into() };
    let error = connection.call::<_, ()>(Procedure::DomainLookupByName, &args).unwrap_err();
    assert_eq!(error, api::Error::no_support(api::ErrorDomain::Domain, "virSomething"));
    let error = connection.call::<_, ()>(Procedure::DomainReset, &()).unwrap_err();
    assert_eq!(error.code, api::Code::InternalError, "a panic is one call's failure");
    assert_eq!(version(&connection), Ok(42));
    connection.close().unwrap();
    daemon.gone.recv_timeout(Duration::from_secs(60)).unwrap();
}

#[test]
fn many_threads_share_a_connection() {
    let daemon = Daemon::start("threads", 10, None);
    let connection = daemon.connection();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..200).for_each(|_| assert_eq!(version(&connection), Ok(42))));
        }
    });
}

#[test]
fn the_request_window_stops_reading_and_a_reply_opens_it() {
    let daemon = Daemon::start("window", 10, None);
    let mut socket = daemon.socket();
    for serial in 0..6 {
        socket.write_all(&call(Procedure::DomainCreate, serial)).unwrap();
    }
    socket.write_all(&call(Procedure::ConnectGetVersion, 6)).unwrap();
    let other = daemon.connection();
    assert_eq!(version(&other), Ok(42), "a priority worker is left for other clients");
    let mut receiver = Receiver::of_replies();
    // Five are read; the sixth and the version wait until one is answered.
    socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert!(matches!(receiver.receive(socket.as_fd()), Ok(Received::WouldBlock)));
    (0..6).for_each(|_| daemon.open.send(()).unwrap());
    let mut serials: Vec<u32> = (0..7).map(|_| next(&socket, &mut receiver).unwrap().header.serial).collect();
    serials.sort_unstable();
    assert_eq!(serials, [0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_full_house_leaves_the_next_client_in_the_backlog() {
    let daemon = Daemon::start("full", 1, None);
    let first = daemon.connection();
    assert_eq!(version(&first), Ok(42));
    let mut second = daemon.socket();
    second.write_all(&call(Procedure::ConnectGetVersion, 0)).unwrap();
    second.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert!(second.read(&mut [0; 4]).is_err());
    drop(first);
    second.set_read_timeout(None).unwrap();
    assert!(next(&second, &mut Receiver::of_replies()).is_some());
}

#[test]
fn odd_input_gets_libvirts_reaction() {
    let daemon = Daemon::start("odd", 10, None);
    let header = Header::call(Procedure::ConnectGetVersion, 9);
    let frame = |header: &Header| Outgoing::raw(header, &[]).unwrap().bytes.to_vec();
    // Messages that are dropped without a word, then a call that is answered.
    let dropped = [
        Header { kind: Type::Reply, ..header },
        Header { kind: Type::Message, ..header },
        Header { kind: Type::Stream, ..header },
        Header { kind: Type::StreamHole, ..header },
        Header { kind: Type::Other(99), ..header },
    ];
    for odd in dropped {
        let mut socket = daemon.socket();
        socket.write_all(&[frame(&odd), frame(&header)].concat()).unwrap();
        let message = next(&socket, &mut Receiver::of_replies()).unwrap();
        assert_eq!((message.header.serial, message.header.kind, message.header.status), (9, Type::Reply, Status::Ok));
    }
    for procedure in [0, -1, 444] {
        let mut socket = daemon.socket();
        socket.write_all(&frame(&Header { procedure, ..header })).unwrap();
        let message = next(&socket, &mut Receiver::of_replies()).unwrap();
        assert_eq!(message.header.status, Status::Error, "{procedure}");
        let error = rpc::error::from_wire(message.decode::<rpc::virnet::MessageError>().unwrap());
        assert_eq!(error.message, format!("unknown procedure: {procedure}"));
    }
    for length in [0, 27, LENGTH_MAX as u32 + 1] {
        let mut socket = daemon.socket();
        socket.write_all(&length.to_be_bytes()).unwrap();
        assert!(next(&socket, &mut Receiver::of_replies()).is_none(), "{length}");
    }
    let mut half = daemon.socket();
    half.write_all(&frame(&header)[..20]).unwrap();
    drop(half);
    assert_eq!(version(&daemon.connection()), Ok(42), "the server lives");
}

#[test]
fn a_stream_carries_data_both_ways_and_ends_well() {
    let mut daemon = Daemon::start("stream", 10, None);
    let connection = daemon.connection();
    let stream = console(&connection);
    stream.send(b"ls\r").unwrap();
    let mut typed = [0; 3];
    daemon.terminal.read_exact(&mut typed).unwrap();
    assert_eq!(&typed, b"ls\r");
    daemon.terminal.write_all(b"bin dev").unwrap();
    assert_eq!(stream.recv().unwrap(), b"bin dev");
    stream.finish().unwrap();
    assert_eq!(version(&connection), Ok(42));
}

/// More than all buffers on the way hold: packets go at once, in part, or wait, as it comes.
#[test]
fn a_flood_of_a_stream_arrives_whole_and_in_order() {
    let daemon = Daemon::start("flood", 10, None);
    let connection = daemon.connection();
    let stream = console(&connection);
    let written: Vec<u8> = (0..20_000_000u32).map(|number| (number % 251) as u8).collect();
    let all = written.clone();
    let mut terminal = daemon.terminal.try_clone().unwrap();
    let writer = std::thread::spawn(move || terminal.write_all(&all));
    let mut seen = Vec::new();
    while seen.len() < written.len() {
        let data = stream.recv().unwrap();
        assert!(!data.is_empty() && data.len() <= rpc::message::STREAM_DATA_MAX, "{}", data.len());
        seen.extend(data);
    }
    writer.join().unwrap().unwrap();
    assert!(seen == written);
    assert_eq!(version(&connection), Ok(42));
    daemon.terminal.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(stream.recv().unwrap(), b"");
}

/// The first data may be on its way as soon as the reply is: the server must not lose it.
#[test]
fn data_on_the_heels_of_the_reply_arrives() {
    for turn in 0..100 {
        let mut daemon = Daemon::start(&format!("heels-{turn}"), 10, None);
        let connection = daemon.connection();
        let stream = console(&connection);
        stream.send(b"x").unwrap();
        daemon.terminal.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut typed = [0; 1];
        daemon.terminal.read_exact(&mut typed).unwrap();
    }
}

/// What a client left unanswered before its keepalive became a stricter one is not held against it.
#[test]
fn a_stricter_keepalive_begins_anew() {
    use rpc::server::Control;
    let lenient = Keepalive { interval: Duration::from_millis(20), count: 1_000_000 };
    let daemon = Daemon::start("stricter", 10, Some(lenient));
    let mut socket = daemon.socket();
    let mut receiver = Receiver::of_replies();
    socket.write_all(&call(Procedure::ConnectSupportsFeature, 1)).unwrap();
    assert_eq!(next(&socket, &mut receiver).unwrap().header.serial, 1);
    for _ in 0..5 {
        assert_eq!(next(&socket, &mut receiver).unwrap().header.program, rpc::keepalive::PROGRAM);
    }
    let strict = Keepalive { interval: Duration::from_secs(1), count: 1 };
    let begun = Instant::now();
    daemon.server.set_limits(ClientLimits { keepalive: Some(strict), ..daemon.server.limits() });
    while next(&socket, &mut receiver).is_some() {}
    assert!(begun.elapsed() >= strict.interval * 2, "{:?}", begun.elapsed());
}

/// Who asked for signs of life is asked for them by the limits that hold later too.
#[test]
fn limits_reach_clients_that_are_there() {
    use rpc::server::Control;
    let daemon = Daemon::start("later", 10, None);
    let mut socket = daemon.socket();
    let mut receiver = Receiver::of_replies();
    socket.write_all(&call(Procedure::ConnectSupportsFeature, 1)).unwrap();
    assert_eq!(next(&socket, &mut receiver).unwrap().header.serial, 1);
    let keepalive = Some(Keepalive { interval: Duration::from_millis(50), count: 100 });
    daemon.server.set_limits(ClientLimits { keepalive, ..daemon.server.limits() });
    assert_eq!(next(&socket, &mut receiver).unwrap().header.program, rpc::keepalive::PROGRAM);
    // And no more once nobody is to be asked.
    daemon.server.set_limits(ClientLimits { keepalive: None, ..daemon.server.limits() });
    socket.write_all(&call(Procedure::ConnectGetVersion, 2)).unwrap();
    while next(&socket, &mut receiver).unwrap().header.serial != 2 {}
}

/// Each ping is answered, but a client that reads no answers makes the server hold no more than one.
#[test]
fn pings_without_end_fill_nothing() {
    let daemon = Daemon::start("pings", 10, None);
    let mut socket = daemon.socket();
    socket.set_write_timeout(Some(Duration::from_secs(10))).unwrap();
    let pings = Outgoing::ping().bytes.repeat(10_000);
    (0..20).for_each(|_| socket.write_all(&pings).unwrap());
    socket.write_all(&call(Procedure::ConnectGetVersion, 7)).unwrap();
    let mut receiver = Receiver::of_replies();
    let mut pongs = 0;
    while next(&socket, &mut receiver).unwrap().header.program == rpc::keepalive::PROGRAM {
        pongs += 1;
    }
    assert!((1..100_000).contains(&pongs), "{pongs}");
}

/// The answer is queued whole before the event: some of it has arrived.
#[test]
fn a_long_answer_that_waits_to_be_read_costs_no_connection() {
    let daemon = Daemon::start("answers", 10, None);
    let mut socket = daemon.socket();
    socket.write_all(&call(Procedure::ConnectGetCapabilities, 1)).unwrap();
    poll(&mut [PollFd::new(&socket, PollFlags::IN)], None).unwrap();
    socket.write_all(&call(Procedure::ConnectDomainEventRegister, 2)).unwrap();
    let mut receiver = Receiver::of_replies();
    let kinds =
        [(); 3].map(|()| next(&socket, &mut receiver).map(|message| (message.header.kind, message.header.serial)));
    assert_eq!(kinds, [Some((Type::Reply, 1)), Some((Type::Message, 0)), Some((Type::Reply, 2))]);
}

#[test]
fn events_that_nobody_reads_cost_the_connection() {
    let daemon = Daemon::start("unread", 10, None);
    let mut socket = daemon.socket();
    socket.write_all(&call(Procedure::ConnectDomainEventDeregister, 1)).unwrap();
    daemon.gone.recv_timeout(Duration::from_secs(60)).unwrap();
}

#[test]
fn a_serial_used_twice_leaves_no_stream_behind() {
    let mut daemon = Daemon::start("twice", 10, None);
    let (second, near) = UnixStream::pair().unwrap();
    let mut socket = daemon.socket();
    let dom = remote::NonnullDomain { name: "a".into(), uuid: [0; 16], id: 1 };
    let args = remote::DomainOpenConsoleArgs { dom, dev_name: None, flags: 0 };
    let header = Header::call(Procedure::DomainOpenConsole, 3);
    let open = Outgoing::new::<remote::DomainOpenConsoleArgs>(&header, &args).unwrap().bytes;
    let mut receiver = Receiver::of_replies();
    socket.write_all(&open).unwrap();
    assert_eq!(next(&socket, &mut receiver).unwrap().header.kind, Type::Reply);
    *daemon.server.service.terminal.lock().unwrap() = Some(near.into());
    socket.write_all(&open).unwrap();
    assert_eq!(next(&socket, &mut receiver).unwrap().header.kind, Type::Reply);
    for terminal in [&daemon.terminal, &second] {
        terminal.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    }
    assert_eq!(daemon.terminal.read(&mut [0]).unwrap(), 0, "the first terminal is let go");
    drop(socket);
    assert_eq!((&second).read(&mut [0]).unwrap(), 0, "and the second with the client");
}

#[test]
fn the_end_of_the_terminal_is_the_end_of_the_stream() {
    let mut daemon = Daemon::start("eof", 10, None);
    let connection = daemon.connection();
    let stream = console(&connection);
    let (fresh, _) = UnixStream::pair().unwrap();
    let mut terminal = std::mem::replace(&mut daemon.terminal, fresh);
    terminal.write_all(b"bye").unwrap();
    drop(terminal);
    assert_eq!(stream.recv().unwrap(), b"bye");
    assert_eq!(stream.recv().unwrap(), b"");
    stream.finish().unwrap();
}

#[test]
fn much_data_passes_a_slow_reader_whole_and_in_order() {
    let mut daemon = Daemon::start("much", 10, None);
    let connection = daemon.connection();
    let stream = console(&connection);
    let (fresh, _) = UnixStream::pair().unwrap();
    let mut terminal = std::mem::replace(&mut daemon.terminal, fresh);
    const SIZE: usize = 40 << 20;
    let writer = std::thread::spawn(move || {
        let data: Vec<u8> = (0..SIZE).map(|at| (at / 7) as u8).collect();
        terminal.write_all(&data).unwrap();
    });
    let mut at = 0;
    loop {
        let data = stream.recv().unwrap();
        if data.is_empty() {
            break;
        }
        for byte in data {
            assert_eq!(byte, (at / 7) as u8, "at {at}");
            at += 1;
        }
    }
    assert_eq!(at, SIZE);
    writer.join().unwrap();
}

#[test]
fn a_stuck_terminal_stops_neither_leaving_nor_the_server() {
    let daemon = Daemon::start("stuck", 10, None);
    let connection = daemon.connection();
    let stream = console(&connection);
    // Nobody reads the far side: what the socket does not take stays behind.
    stream.send(&vec![b'x'; 900_000]).unwrap();
    stream.finish().unwrap();
    assert_eq!(version(&connection), Ok(42));
}

/// A daemon that takes no more may be waiting for us to read: the reader must not wait for it in turn.
#[test]
fn a_ping_while_a_message_is_stuck_does_not_stop_the_reading() {
    let (near, far) = UnixStream::pair().unwrap();
    let connection = Connection::on_socket(near.into()).unwrap();
    let mut receiver = Receiver::of_calls();
    let opener = connection.clone();
    let opening = std::thread::spawn(move || console(&opener));
    let header = next(&far, &mut receiver).unwrap().header;
    let answer = |kind: Type, status: Status, data: &[u8]| {
        let header = Header { kind, status, ..header };
        (&far).write_all(&Outgoing::raw(&header, data).unwrap().bytes).unwrap();
    };
    answer(Type::Reply, Status::Ok, &[]);
    let stream = Arc::new(opening.join().unwrap());
    let sending = Arc::clone(&stream);
    const SIZE: usize = 8 << 20;
    let sender = std::thread::spawn(move || sending.send(&vec![b'x'; SIZE]).unwrap());
    // Until the socket is full nothing would be stuck.
    while rustix::io::ioctl_fionread(&far).unwrap() < 100_000 {
        std::thread::yield_now();
    }
    std::thread::sleep(Duration::from_millis(200));
    (&far).write_all(&Outgoing::ping().bytes).unwrap();
    answer(Type::Stream, Status::Continue, b"echo");
    let (read, was_read) = mpsc::channel();
    let reading = Arc::clone(&stream);
    std::thread::spawn(move || read.send(reading.recv().unwrap()));
    assert_eq!(was_read.recv_timeout(Duration::from_secs(60)).unwrap(), b"echo");
    let (mut data, mut pongs) = (0, 0);
    while data < SIZE || pongs == 0 {
        let message = next(&far, &mut receiver).unwrap();
        match message.header.kind {
            Type::Stream => data += message.payload().len(),
            _ => pongs += 1,
        }
    }
    sender.join().unwrap();
    drop(far);
    assert!(stream.recv().is_err());
}

#[test]
fn a_client_that_vanishes_in_mid_stream_leaves_nothing() {
    let mut daemon = Daemon::start("vanish", 10, None);
    let connection = daemon.connection();
    let stream = console(&connection);
    daemon.terminal.write_all(&vec![0; 100_000]).unwrap();
    assert!(!stream.recv().unwrap().is_empty());
    std::mem::forget(stream);
    drop(connection);
    assert!(daemon.server.clients().len() <= 1);
}

#[test]
fn a_silent_client_is_pinged_and_then_dropped() {
    let keepalive = Keepalive { interval: Duration::from_millis(300), count: 2 };
    let daemon = Daemon::start("pulse", 10, Some(keepalive));
    let mut socket = daemon.socket();
    let args = remote::ConnectSupportsFeatureArgs { feature: 10 };
    let header = Header::call(Procedure::ConnectSupportsFeature, 0);
    let bytes = Outgoing::new::<remote::ConnectSupportsFeatureArgs>(&header, &args).unwrap().bytes;
    let begun = Instant::now();
    socket.write_all(&bytes).unwrap();
    let mut receiver = Receiver::of_replies();
    assert_eq!(next(&socket, &mut receiver).unwrap().header.kind, Type::Reply);
    for _ in 0..2 {
        assert_eq!(next(&socket, &mut receiver).unwrap().header.program, rpc::keepalive::PROGRAM);
    }
    assert!(next(&socket, &mut receiver).is_none());
    assert!(begun.elapsed() >= keepalive.interval * 3);
    // A client that answers stays, though the machine be so busy that it is late.
    let keepalive = Keepalive { interval: Duration::from_millis(200), count: 20 };
    let daemon = Daemon::start("answered", 10, Some(keepalive));
    let connection = daemon.connection();
    connection.start_keepalive(keepalive).unwrap();
    std::thread::sleep(keepalive.interval * 24);
    assert_eq!(version(&connection), Ok(42));
    assert_eq!(connection.closed(), None);
}

#[test]
fn the_end_of_the_daemon_reaches_every_waiter() {
    let daemon = Daemon::start("end", 10, None);
    let connection = daemon.connection();
    assert_eq!(version(&connection), Ok(42));
    daemon.event_loop.stop();
    daemon.server.finish(Duration::from_secs(60));
    daemon.gone.try_recv().expect("the service hears of the client's end");
    drop(daemon);
    assert!(version(&connection).is_err());
    assert!(connection.next_event(None).is_err());
    assert!(matches!(connection.closed(), Some(CloseReason::Eof | CloseReason::Error)));
}
