//! The packets of the tour, below the calls that caused them: those of the server, and those of its clients, whose calls are
//! not shown.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::rc::Rc;

use anstyle::{AnsiColor, Style};
use baresock::cli::Common;
use baresock::os::output::Colors;
use baresock::packets::Packet;
use baresock::packets::cause::FoundPacket;
use baresock::packets::words::PacketWriter;
use baresock::trace::output::{Output, OutputShare};
use baresock::trace::text::{TextLine, TextOptions};
use baresock::trace::wrapping::wrapped;
use baresock::trace::{Event, Sink};
use baresock::view::{RunTeller, SaidKind};

use crate::commands::columns::columns;
use crate::commands::failure::Failure;
use crate::commands::result_file::ResultFile;
use crate::commands::tracing::colors_of;
use crate::commands::wire::WireTap;

const PACKET: Style = AnsiColor::Magenta.on_default();
const MEANING: Style = AnsiColor::Cyan.on_default();

/// What goes over the wire in the tour. All clones share it.
#[derive(Clone)]
pub(super) struct TourWire(Rc<RefCell<TourPackets>>);

struct TourPackets {
    tap: WireTap,
    writer: PacketWriter,
    /// Writes the calls, for the comments in the file for Wireshark.
    calls: TextLine,
    output: Output,
    share: OutputShare,
    colors: Colors,
    shows: Shows,
    /// Tells the view.
    teller: Option<RunTeller>,
    packets: Vec<Packet>,
}

/// Whether the packets are among the lines of the tour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shows {
    Packets,
    /// They are not: they only go to a file.
    CallsAlone,
}

impl fmt::Debug for TourWire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TourWire").finish_non_exhaustive()
    }
}

impl TourWire {
    /// Begins to capture. This process is in a network of its own.
    pub(super) fn begin(
        output: &Output,
        common: &Common,
        shows: Shows,
        teller: Option<RunTeller>,
    ) -> Result<Self, Failure> {
        let colors = colors_of(common.color, &io::stdout());
        let tap = WireTap::begin()?;
        let writer = PacketWriter::default();
        let calls = TextLine::new(TextOptions::default());
        let share = output.writer();
        let output = output.clone();
        let packets = Vec::new();
        let wire =
            TourPackets { tap, writer, calls, output, share, colors, shows, teller, packets };
        Ok(Self(Rc::new(RefCell::new(wire))))
    }

    /// A sink that passes on the calls of one side, with their packets around them.
    pub(super) fn around(&self, shown: Box<dyn Sink>) -> impl Sink + use<> {
        WireSink { wire: self.clone(), shown }
    }

    /// Whether the packets are among the lines of the tour.
    pub(super) fn shows(&self) -> bool {
        self.0.borrow().shows == Shows::Packets
    }

    /// Shows the last packets.
    pub(super) fn end(&self) {
        let mut wire = self.0.borrow_mut();
        let rest = wire.tap.rest();
        wire.show(rest, None);
        wire.tap.say_what_is_missing();
    }

    /// All packets.
    pub(super) fn packets(&self) -> Vec<Packet> {
        self.0.borrow().packets.clone()
    }

    /// Writes them for Wireshark.
    pub(super) fn write_pcap(&self, file: ResultFile) -> Result<(), Failure> {
        self.0.borrow_mut().tap.write_pcap(file)
    }
}

impl TourPackets {
    fn show(&mut self, found: Vec<FoundPacket>, call: Option<&Event<'_>>) {
        if self.shows == Shows::CallsAlone {
            return;
        }
        for found in found {
            let packet = found.packet;
            // What a call caused hangs at it; the rest stands between the calls.
            let cause = call.filter(|_| packet.cause.is_some());
            let indent = if cause.is_some() { 4 } else { 0 };
            let means = self.writer.explain(&packet, cause);
            let line = self.writer.line(&packet);
            self.line(PACKET, indent, &line);
            self.teller.iter().for_each(|teller| teller.say(SaidKind::Packet, &*line));
            let indent = indent + 4;
            for line in wrapped(means.unwrap_or_default(), columns().saturating_sub(indent)) {
                self.line(MEANING, indent, line);
            }
            self.packets.push(packet);
        }
    }

    fn line(&self, style: Style, indent: usize, text: &str) {
        let line = self.colors.paint(style, text);
        self.output.line(self.share, format!("{:indent$}{line}", ""));
    }
}

/// Passes on calls, with the packets before and below them.
struct WireSink {
    wire: TourWire,
    shown: Box<dyn Sink>,
}

impl Sink for WireSink {
    fn begin(&mut self, event: &Event<'_>) {
        self.shown.begin(event);
    }

    fn wait(&mut self, event: &Event<'_>) {
        self.shown.wait(event);
    }

    fn end(&mut self, event: &Event<'_>) {
        let mut wire = self.wire.0.borrow_mut();
        wire.calls.begin(event);
        let line = wire.calls.whole(event).to_string();
        let around = wire.tap.call(event, &line);
        wire.show(around.before, None);
        drop(wire);
        self.shown.end(event);
        self.wire.0.borrow_mut().show(around.from_first, Some(event));
    }

    fn remark(&mut self, text: &str) {
        self.shown.remark(text);
    }

    fn drawing(&mut self, line: &str) {
        self.shown.drawing(line);
    }

    fn intent(&mut self, words: &'static str) {
        self.shown.intent(words);
    }

    fn flush(&mut self) {
        self.shown.flush();
    }

    fn wants_times(&self) -> bool {
        true
    }

    fn wants_connections(&self) -> bool {
        true
    }
}
