//! `watch --packets`: the packets between the calls of a program that plays both ends.

use baresock::cli::{self, Common};
use baresock::logs::reader::{LogEvent, LogPlace};
use baresock::os::own_network::UserNumbers;
use baresock::packets::cause::{FoundPacket, LatestEnd};
use baresock::packets::words::PacketWriter;
use baresock::trace::{Event, PacketWords};

use super::super::failure::Failure;
use super::super::read::Taker;
use super::super::wire::{WireTap, enter_network};
use super::held::{HeldItem, HeldLine, HeldLines};

/// The packets of the watched program.
pub(super) struct WatchWire {
    tap: WireTap,
    writer: PacketWriter,
    explains: bool,
    held: HeldLines,
}

impl WatchWire {
    /// Moves this process into a network of its own, which the program inherits, and begins to capture, if packets are
    /// asked for. It must have no second thread yet.
    pub(super) fn begin(watch: &cli::WatchArgs, common: &Common) -> Result<Option<Self>, Failure> {
        if !watch.packets {
            return Ok(None);
        }
        if watch.pid.is_some() {
            return Err(Failure::usage(
                "--packets: a program that runs already is in the machine's network, which watch does not capture; write its \
                 command behind '--'",
            ));
        }
        enter_network(UserNumbers::Kept)?;
        let tap = WireTap::begin_beside_strace()?;
        Ok(Some(Self {
            tap,
            writer: PacketWriter::default(),
            explains: common.explain,
            held: HeldLines::default(),
        }))
    }

    /// Takes the next item of the log, and shows those that it is time for.
    pub(super) fn take(&mut self, told: &LogEvent<'_>, place: &LogPlace<'_>, taker: &mut Taker) {
        self.held.add(told, place);
        let due = self.held.take_due();
        self.show_lines(due, taker);
    }

    /// Nothing more has come for a while: shows everything so far.
    pub(super) fn catch_up(&mut self, taker: &mut Taker) {
        let all = self.held.take_all();
        self.show_lines(all, taker);
    }

    fn show_lines(&mut self, lines: Vec<(HeldLine, LatestEnd)>, taker: &mut Taker) {
        let claim = |(line, latest): (HeldLine, LatestEnd)| {
            let caused = match &line.item {
                HeldItem::Call(event) => self.tap.claim(event, latest),
                _ => Vec::new(),
            };
            (line, caused)
        };
        // First all calls, because a packet may be another call's that comes later here.
        let lines: Vec<_> = lines.into_iter().map(claim).collect();
        for (line, caused) in lines {
            let before = self.tap.take_until(line.moment_ns);
            self.show(before, None, taker);
            taker.take(&line.item.told(), &line.place());
            if let HeldItem::Call(event) = &line.item {
                self.show(caused, Some(event), taker);
            }
        }
    }

    /// Shows packets, of which some were caused by this call, which is the last one that was shown.
    fn show(&mut self, found: Vec<FoundPacket>, call: Option<&Event<'_>>, taker: &mut Taker) {
        for FoundPacket { packet, .. } in found {
            let cause = call.filter(|_| packet.cause.is_some());
            if cause.is_some() && !taker.has_shown() {
                continue;
            }
            let means = self.writer.explain(&packet, cause).filter(|_| self.explains);
            let line = self.writer.line(&packet);
            let is_caused = cause.is_some();
            let json = packet.to_json();
            taker.packet(&PacketWords { line: &line, means, json: &json, is_caused });
        }
    }

    /// The program has ended: shows the last packets, and says what is missing.
    pub(super) fn end(&mut self, taker: &mut Taker) {
        self.catch_up(taker);
        let rest = self.tap.rest();
        self.show(rest, None, taker);
        self.tap.say_what_is_missing();
    }
}
