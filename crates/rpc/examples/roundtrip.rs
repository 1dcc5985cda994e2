//! Measures one call to a daemon and back: `cargo run --release -p rpc --example roundtrip -- lxc:///`.
#![forbid(unsafe_code)]

use rpc::client::{Connection, OpenOptions};
use rpc::remote::{ConnectGetTypeRet, Procedure};
use std::time::Instant;

const CALLS: usize = 10_000;

fn main() -> api::Result<()> {
    let uri = std::env::args().nth(1);
    let connection = Connection::open(uri.as_deref(), OpenOptions::default())?;
    let mut times = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let begun = Instant::now();
        connection.call::<_, ConnectGetTypeRet>(Procedure::ConnectGetType, &())?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    let at = |percent: usize| times.get(CALLS * percent / 100).copied().unwrap_or_default();
    println!("{CALLS} calls: half within {:?}, 99 of 100 within {:?}", at(50), at(99));
    connection.close()
}
