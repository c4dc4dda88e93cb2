//! `lab NAME --packets`: the packets of a lab among its events.

use baresock::cli::Common;
use baresock::labs::run::LabEvent;
use baresock::labs::{Lab, WirePrediction};
use baresock::os::own_network::UserNumbers;
use baresock::packets::Packet;
use baresock::packets::cause::FoundPacket;
use baresock::packets::words::PacketWriter;
use baresock::trace::Event;

use super::Failure;
use crate::commands::result_file::ResultFile;
use crate::commands::wire::{self, WireTap};

/// Moves this process into a network of its own, which its labs inherit. It must have no second thread yet.
pub(super) fn enter_network(labs: &[&Lab]) -> Result<(), Failure> {
    // The lab is a program of its own, and execve takes from an ordinary user the right to change the network.
    let changes_network = labs.iter().any(|lab| lab.own_network);
    wire::enter_network(if changes_network { UserNumbers::Root } else { UserNumbers::Kept })
}

/// The packets of one lab.
pub(super) struct LabWire {
    tap: WireTap,
    writer: PacketWriter,
    explains: bool,
    /// What the last call caused. It is told after the remarks on the call.
    hanging: Vec<LabEvent>,
    /// The prediction about packets that was asked last, and the packets since the lab began.
    asked: Option<&'static WirePrediction>,
    packets: Vec<Packet>,
}

impl LabWire {
    /// Begins to capture, in the network that [`enter_network`] has made.
    pub(super) fn begin(common: &Common) -> Result<Self, Failure> {
        let writer = PacketWriter::default();
        let explains = common.explain;
        let tap = WireTap::begin()?;
        let hanging = Vec::new();
        Ok(Self { tap, writer, explains, hanging, asked: None, packets: Vec::new() })
    }

    /// Writes the packets for Wireshark.
    pub(super) fn write_pcap(&mut self, file: ResultFile) -> Result<(), Failure> {
        self.tap.write_pcap(file)
    }

    /// What the packets between these moments say to the last prediction about them.
    fn observed(&mut self, since_ns: u64, until_ns: u64) -> Option<LabEvent> {
        let asked = self.asked.take()?;
        let is_between = |packet: &&Packet| (since_ns..=until_ns).contains(&packet.time_ns);
        let observed = asked.fact.observed(self.packets.iter().filter(is_between));
        let agrees = asked.asked.expect.on_this_machine().agrees(&observed);
        Some(LabEvent::Observed { observed, agrees })
    }

    /// A packet as an event.
    fn crossed(&mut self, found: FoundPacket, cause: Option<&Event<'_>>) -> LabEvent {
        let packet = Box::new(found.packet);
        self.packets.push((*packet).clone());
        let means = self.writer.explain(&packet, cause).filter(|_| self.explains);
        let line = self.writer.line(&packet);
        LabEvent::Crossed { line, means: means.map(str::to_string), packet }
    }
}

/// Passes on the events of a lab, with the packets between them if there is a capture.
pub(super) struct HearsPackets<'a, F> {
    pub(super) lab: &'a Lab,
    pub(super) wire: Option<&'a mut LabWire>,
    pub(super) hears: F,
}

impl<F: FnMut(&LabEvent)> HearsPackets<'_, F> {
    pub(super) fn hear(&mut self, event: &LabEvent) {
        let Some(wire) = &mut self.wire else { return (self.hears)(event) };
        let is_about_last_call = matches!(
            event,
            LabEvent::Remarked { .. } | LabEvent::Drawn { .. } | LabEvent::Overdue { .. }
        );
        if !is_about_last_call {
            wire.hanging.drain(..).for_each(|event| (self.hears)(&event));
        }
        let (call, line) = match event {
            LabEvent::Called { call, line } => (call, line),
            LabEvent::Predicted { asks, .. } => {
                let is_it = |one: &&&WirePrediction| one.asked.asks == asks;
                wire.asked = self.lab.on_wire.iter().find(is_it).copied();
                return (self.hears)(event);
            }
            LabEvent::LooksAtWire { since_ns, until_ns } => {
                for found in wire.tap.take_until(*until_ns) {
                    (self.hears)(&wire.crossed(found, None));
                }
                if let Some(observed) = wire.observed(*since_ns, *until_ns) {
                    (self.hears)(&observed);
                }
                return;
            }
            _ => return (self.hears)(event),
        };
        let around = wire.tap.call(call, line);
        for found in around.before {
            (self.hears)(&wire.crossed(found, None));
        }
        (self.hears)(event);
        for found in around.from_first {
            let cause = Some(&**call).filter(|_| found.packet.cause.is_some());
            let crossed = wire.crossed(found, cause);
            wire.hanging.push(crossed);
        }
    }

    /// The lab has ended.
    pub(super) fn end(&mut self) {
        let Some(wire) = &mut self.wire else { return };
        wire.hanging.drain(..).for_each(|event| (self.hears)(&event));
        for found in wire.tap.rest() {
            (self.hears)(&wire.crossed(found, None));
        }
        wire.tap.say_what_is_missing();
    }
}
