//! `<bandwidth>` of a link that belongs to a domain or network: what goes in is shaped by a queueing discipline,
//! what comes out is dropped beyond its rate by a rule of nftables.

use crate::{firewall, program};
use api::{Error, ErrorDomain, Result};
use conf::{Bandwidth, Rate};
use linux::netlink::{Limit, Socket};

/// libvirt counts rates in thousands of bytes a second, bursts in 1024 bytes.
const KILOBYTE: u64 = 1000;
const KIBIBYTE: u64 = 1024;

/// Limits traffic of the link, in place of earlier limits. `inbound` is what the host sends into it.
pub fn limit(socket: &mut Socket, link: &str, bandwidth: &Bandwidth) -> Result<()> {
    if let Some(rate) = bandwidth.inbound.filter(|rate| rate.average > 0) {
        let limit = Limit {
            rate: rate.average.saturating_mul(KILOBYTE),
            peak: Some(rate.peak).filter(|peak| *peak > rate.average).map(|peak| peak.saturating_mul(KILOBYTE)),
            burst: Some(rate.burst)
                .filter(|burst| *burst > 0)
                .map(|burst| u32::try_from(burst.saturating_mul(KIBIBYTE)).unwrap_or(u32::MAX)),
        };
        socket.limit_sending(link, &limit).map_err(|e| {
            Error::system(ErrorDomain::Network, &e, format!("Unable to set network bandwidth on {link}"))
        })?;
    }
    match bandwidth.outbound.filter(|rate| rate.average > 0) {
        Some(rate) => program::run("nft", "nftables", &["-f", "-"], &script(link, rate)?)
            .map_err(|e| e.explain(format!(" (the bandwidth of {link})"))),
        None => Ok(()),
    }
}

/// Takes the rule away that `limit` made; what is on the link itself goes with the link.
pub fn forget(link: &str, bandwidth: &Bandwidth) {
    if bandwidth.outbound.is_none_or(|rate| rate.average == 0) {
        return;
    }
    let table = table(link);
    let removed =
        program::run("nft", "nftables", &["-f", "-"], &format!("table netdev {table}\ndelete table netdev {table}\n"));
    if let Err(e) = removed {
        tracing::warn!("{}", e.message);
    }
}

fn table(link: &str) -> String {
    firewall::table_name(link)
}

fn script(link: &str, rate: Rate) -> Result<String> {
    let (table, device) = (table(link), firewall::quoted(link)?);
    // Without a burst given, a tenth of a second's worth may come at once.
    let burst = if rate.burst > 0 { rate.burst } else { (rate.average / 10).max(64) };
    let (average, burst) = (rate.average.saturating_mul(KILOBYTE), burst.saturating_mul(KIBIBYTE));
    Ok(format!(
        "table netdev {table}
delete table netdev {table}
table netdev {table} {{
	chain outbound {{
		type filter hook ingress device {device} priority filter;
		limit rate over {average} bytes/second burst {burst} bytes drop
	}}
}}
"
    ))
}
