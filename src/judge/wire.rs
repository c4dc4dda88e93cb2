//! `--packets` and `--pcap`: what went over the wire in a case, between the steps of judge's peers.
//!
//! judge is in a network of its own, so that every packet there is its own or the program's. The kernel stamps each packet,
//! and a step has the time at which it began: the packets from then on, until the next step, stand below it.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{self, Write};
use std::rc::Rc;

use super::crossed::CrossedPacket;
use super::steps::Way;
use crate::addr::Address;
use crate::os::capture::NoCapture;
use crate::packets::cause::CauseFinder;
use crate::packets::comments::CommentedFrames;
use crate::packets::pcapng;
use crate::packets::reader::CaptureReader;
use crate::packets::words::PacketWriter;
use crate::packets::{Packet, PacketBody};

/// So much memory the packets of a case may take: a case may send 64 MiB, or make a thousand connections.
pub const MOST_BYTES_OF_A_CASE: usize = 4 << 20;

/// Whether the packets are in the ladders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireShows {
    /// They are.
    Packets,
    /// They are not: they only go to a file.
    StepsAlone,
}

/// The capture of all cases.
#[derive(Debug)]
pub struct JudgeWire {
    reader: CaptureReader,
    shows: WireShows,
    pcap: Option<PcapFile>,
    /// How many packets are neither in a ladder nor in the file.
    missing: Cell<u64>,
}

#[derive(Debug)]
struct PcapFile {
    file: RefCell<io::Result<File>>,
    left_out: Cell<u64>,
}

/// How many packets are missing, over all cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MissingPackets {
    /// In ladders and file: they came faster than they could be read.
    pub everywhere: u64,
    /// In the file alone: a case had more of them than there was room for.
    pub in_file: u64,
}

impl JudgeWire {
    /// Begins to capture. This process is in a network of its own. All packets are written to the file, which is empty.
    ///
    /// # Errors
    /// This process may not look at the packets.
    pub fn begin(shows: WireShows, pcap: Option<File>) -> Result<Rc<Self>, NoCapture> {
        let reader = CaptureReader::begin(MOST_BYTES_OF_A_CASE)?;
        let pcap = pcap.map(|mut file| {
            let begun = file.write_all(&pcapng::beginning()).map(|()| file);
            PcapFile { file: RefCell::new(begun), left_out: Cell::default() }
        });
        Ok(Rc::new(Self { reader, shows, pcap, missing: Cell::default() }))
    }

    /// Whether the packets are in the ladders.
    pub const fn shows(&self) -> WireShows {
        self.shows
    }

    /// Writes what came after the last case. Returns how many packets are missing.
    ///
    /// # Errors
    /// The file could not be written.
    pub fn end(&self) -> io::Result<MissingPackets> {
        let mut kept = CommentedFrames::default();
        let arrived = self.reader.take_arrived();
        arrived.frames.into_iter().for_each(|frame| kept.add(frame));
        self.count_missing(arrived.left_out);
        let Some(pcap) = &self.pcap else {
            return Ok(MissingPackets { everywhere: self.missing.get(), in_file: 0 });
        };
        pcap.write(&mut kept);
        let in_file = pcap.left_out.get();
        let written = pcap.file.replace(Err(io::ErrorKind::NotConnected.into()));
        written.map(|_| MissingPackets { everywhere: self.missing.get(), in_file })
    }

    fn count_missing(&self, left_out: u64) -> u64 {
        let missing = left_out + u64::from(self.reader.dropped());
        self.missing.set(self.missing.get() + missing);
        missing
    }
}

impl PcapFile {
    /// Appends frames; after a failure, nothing more.
    fn write(&self, kept: &mut CommentedFrames) {
        let mut file = self.file.borrow_mut();
        let blocks = kept.take_blocks();
        if let Ok(open) = &mut *file
            && let Err(error) = open.write_all(&blocks)
        {
            *file = Err(error);
        }
    }
}

/// The capture of one case.
#[derive(Debug)]
pub struct CaseWire {
    of: Rc<JudgeWire>,
    /// Where the program listens.
    program: Option<u16>,
    /// Where judge listens, for the program to connect to.
    judge: Vec<u16>,
    finder: CauseFinder,
    writer: PacketWriter,
    kept: CommentedFrames,
    left_out: u64,
    /// How many packets found no room before they could be looked at.
    missing: u64,
}

impl CaseWire {
    /// Begins a case about a program that listens at this address.
    pub fn begin(of: &Rc<JudgeWire>, case: &str, address: &Address) -> Self {
        let program = address.port().filter(|port| *port > 0);
        let mut wire = Self {
            of: of.clone(),
            program,
            judge: Vec::new(),
            finder: CauseFinder::default(),
            writer: PacketWriter::default(),
            kept: CommentedFrames::default(),
            left_out: 0,
            missing: 0,
        };
        // What is still on its way belongs to the case before.
        let arrived = of.reader.take_arrived();
        of.count_missing(arrived.left_out);
        arrived.frames.into_iter().for_each(|frame| wire.kept.add(frame));
        wire.kept.comment(format!("case: {case}"));
        wire
    }

    /// Whether the packets are in the ladder.
    pub fn shows(&self) -> WireShows {
        self.of.shows
    }

    /// judge listens there.
    pub fn listens_at(&mut self, address: &str) {
        self.judge.extend(address.rsplit(':').next().and_then(|port| port.parse::<u16>().ok()));
    }

    /// The packets before a step that began at this moment, and those since.
    pub fn step(&mut self, begun_ns: u64, step: &str) -> [Vec<CrossedPacket>; 2] {
        let arrived = self.of.reader.take_arrived();
        self.missing += self.of.count_missing(arrived.left_out);
        let mut comment = Some(step.to_string());
        for frame in arrived.frames {
            if frame.time_ns >= begun_ns {
                comment.take().into_iter().for_each(|comment| self.comment(comment));
            }
            if self.has_room() {
                self.kept.add(frame.clone());
            } else {
                self.left_out += 1;
            }
            self.finder.take(frame);
        }
        comment.into_iter().for_each(|comment| self.comment(comment));
        let mut found = self.finder.rest();
        let since = found.split_off(found.partition_point(|found| found.packet.time_ns < begun_ns));
        if self.shows() == WireShows::StepsAlone {
            return [Vec::new(), Vec::new()];
        }
        [found, since]
            .map(|found| found.into_iter().map(|found| self.crossed(found.packet)).collect())
    }

    /// Ends the case: the packets since the last step, and how many are missing.
    pub fn end(mut self) -> (Vec<CrossedPacket>, u64) {
        let [rest, _] = self.step(u64::MAX, "the case is over");
        if let Some(pcap) = &self.of.pcap {
            if self.left_out > 0 {
                let room = MOST_BYTES_OF_A_CASE >> 20;
                self.kept.comment(format!(
                    "{} packets of this case are left out here: it has room for {room} MiB",
                    self.left_out
                ));
            }
            pcap.left_out.set(pcap.left_out.get() + self.left_out);
            pcap.write(&mut self.kept);
        }
        (rest, self.missing)
    }

    fn comment(&mut self, comment: String) {
        if self.has_room() {
            self.kept.comment(comment);
        }
    }

    /// Whether the next packet is kept for the file.
    fn has_room(&self) -> bool {
        self.of.pcap.is_some() && self.kept.bytes_in_memory() < MOST_BYTES_OF_A_CASE
    }

    fn crossed(&mut self, packet: Packet) -> CrossedPacket {
        let way = self.way(&packet);
        let gist = match way {
            Way::Beside => self.writer.line(&packet),
            Way::Out | Way::In => self.writer.gist(&packet),
        };
        CrossedPacket { way, gist, packet }
    }

    /// The direction of a packet. A program may also have connections that judge has no part in.
    fn way(&self, packet: &Packet) -> Way {
        let is_programs = |port: u16| self.program == Some(port);
        let is_judges = |port: u16| self.judge.contains(&port);
        match &packet.body {
            PacketBody::Tcp(segment) => {
                let server = if segment.by_client { packet.to } else { packet.from }.port();
                match segment.by_client {
                    true if is_programs(server) => Way::Out,
                    false if is_programs(server) => Way::In,
                    true if is_judges(server) => Way::In,
                    false if is_judges(server) => Way::Out,
                    _ => Way::Beside,
                }
            }
            PacketBody::Udp { .. } if is_programs(packet.to.port()) => Way::Out,
            PacketBody::Udp { .. } if is_programs(packet.from.port()) => Way::In,
            // It goes back to the sender.
            PacketBody::Icmp { about: Some([_, to]), .. } if is_programs(to.port()) => Way::In,
            PacketBody::Icmp { about: Some([sender, _]), .. } if is_programs(sender.port()) => {
                Way::Out
            }
            PacketBody::Udp { .. } | PacketBody::Icmp { .. } => Way::Beside,
        }
    }
}
