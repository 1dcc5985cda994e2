//! A limit on what leaves a link: the queueing discipline tbf, a bucket of tokens (tc-tbf(8)).

use super::Socket;
use super::message::Request;
use libc::{NLM_F_ACK, NLM_F_CREATE, NLM_F_REPLACE, RTM_DELQDISC, RTM_NEWQDISC};
use std::io;

const TCA_KIND: u16 = 1;
const TCA_OPTIONS: u16 = 2;
const TCA_TBF_PARMS: u16 = 1;
const TCA_TBF_RATE64: u16 = 4;
const TCA_TBF_PRATE64: u16 = 5;
const TCA_TBF_BURST: u16 = 6;
const TCA_TBF_PBURST: u16 = 7;
const TC_H_ROOT: u32 = 0xffff_ffff;
const TC_LINKLAYER_ETHERNET: u8 = 1;

/// The largest packet that a link hands over as one before it is cut up.
const LARGEST_PACKET: u32 = 64 * 1024;

/// In bytes a second, and bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub rate: u64,
    pub peak: Option<u64>,
    /// What may pass at once; enough for the rate to be reached if `None`.
    pub burst: Option<u32>,
}

impl Socket {
    /// Limits what is sent through the link, in place of an earlier limit.
    pub fn limit_sending(&mut self, link: &str, limit: &Limit) -> io::Result<()> {
        let index = self.index(link)?;
        // A timer's tick at the rate, and never less than one packet.
        let least = u32::try_from(limit.rate / 100).unwrap_or(u32::MAX).max(LARGEST_PACKET);
        let burst = limit.burst.unwrap_or(least).max(2048);
        // A tenth of a second may wait.
        let waiting = u32::try_from(limit.rate / 10).unwrap_or(u32::MAX).max(burst.saturating_mul(2));
        let flags = NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
        let mut request = Request::new(RTM_NEWQDISC, flags, &tc_message(index));
        request.text(TCA_KIND, "tbf");
        request.nest(TCA_OPTIONS, &[], |options| {
            let mut parameters = Vec::with_capacity(36);
            parameters.extend(rate(limit.rate));
            parameters.extend(rate(limit.peak.unwrap_or(0)));
            // Bytes that may wait; bucket and packet in the clock's own unit, which the attributes below say in bytes.
            for number in [waiting, 0, 0] {
                parameters.extend(number.to_ne_bytes());
            }
            options.attr(TCA_TBF_PARMS, &parameters);
            options.number(TCA_TBF_BURST, burst);
            options.attr(TCA_TBF_RATE64, &limit.rate.to_ne_bytes());
            if let Some(peak) = limit.peak {
                options.attr(TCA_TBF_PRATE64, &peak.to_ne_bytes());
                options.number(TCA_TBF_PBURST, LARGEST_PACKET);
            }
        });
        self.act(request)
    }

    /// Nothing happens where there is no limit.
    pub fn unlimit_sending(&mut self, link: &str) -> io::Result<()> {
        let index = self.index(link)?;
        let request = Request::new(RTM_DELQDISC, NLM_F_ACK, &tc_message(index));
        match self.act(request) {
            Err(e) if matches!(e.raw_os_error(), Some(libc::ENOENT | libc::EINVAL)) => Ok(()),
            result => result,
        }
    }
}

/// `struct tcmsg` for the root of a link.
fn tc_message(index: u32) -> [u8; 20] {
    let mut bytes = [0; 20];
    bytes[4..8].copy_from_slice(&index.to_ne_bytes());
    bytes[12..16].copy_from_slice(&TC_H_ROOT.to_ne_bytes());
    bytes
}

/// `struct tc_ratespec`
fn rate(bytes_a_second: u64) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[1] = TC_LINKLAYER_ETHERNET;
    bytes[8..].copy_from_slice(&u32::try_from(bytes_a_second).unwrap_or(u32::MAX).to_ne_bytes());
    bytes
}
