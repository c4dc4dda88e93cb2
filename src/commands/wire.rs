//! `--packets` and `--pcap`: this process and its children get a network of their own, and every packet in it is captured.
//!
//! A thread reads the packets as they come, so that a burst does not overflow the kernel's buffer. Each packet is in the buffer
//! before the call that sent it returns, so that after a call all packets until then can be asked for.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::thread;
use std::time::Duration;

use baresock::cli::{Common, TraceForm};
use baresock::os::output::Patient;
use baresock::os::own_network::{UserNumbers, enter_own_network};
use baresock::packets::Packet;
use baresock::packets::cause::{AroundCall, CauseFinder, FoundPacket, LatestEnd};
use baresock::packets::comments::CommentedFrames;
use baresock::packets::pcapng;
use baresock::packets::reader::CaptureReader;
use baresock::trace::Event;

use super::failure::Failure;
use super::messages::say;
use super::result_file::ResultFile;

/// Moves this process into a network of its own. It must have no second thread yet.
pub(crate) fn enter_network(numbers: UserNumbers) -> Result<(), Failure> {
    enter_own_network(numbers)
        .map_err(|why| Failure::new(format_args!("--packets and --pcap need {why}")))
}

/// A capture of this process's network.
#[derive(Debug)]
pub(crate) struct WireTap {
    reader: CaptureReader,
    clock: FrameClock,
    finder: CauseFinder,
    /// For a file; `None`: there will be none.
    pcap: Option<CommentedFrames>,
    /// How many packets came faster than they were asked for.
    left_out: u64,
}

/// The clock of the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FrameClock {
    /// That of our own trace.
    OfTrace,
    /// The time since 1970, which strace writes.
    Since1970,
}

impl WireTap {
    /// Begins to capture, in the network that [`enter_network`] has made.
    pub(crate) fn begin() -> Result<Self, Failure> {
        Self::with(FrameClock::OfTrace, usize::MAX, Some(CommentedFrames::default()))
    }

    /// The same for the calls in a log of strace, however long the program runs: nothing is kept for a file.
    pub(crate) fn begin_beside_strace() -> Result<Self, Failure> {
        const MOST_BYTES: usize = 32 << 20;
        Self::with(FrameClock::Since1970, MOST_BYTES, None)
    }

    fn with(
        clock: FrameClock,
        most_bytes: usize,
        pcap: Option<CommentedFrames>,
    ) -> Result<Self, Failure> {
        let reader = CaptureReader::begin(most_bytes).map_err(Failure::new)?;
        Ok(Self { reader, clock, finder: CauseFinder::default(), pcap, left_out: 0 })
    }

    /// A call has returned, whose line is this: its packets, and those before them.
    pub(crate) fn call(&mut self, event: &Event<'_>, line: &str) -> AroundCall {
        self.take_frames();
        let around = self.finder.call(event);
        self.keep(&around.before);
        if let Some(pcap) = &mut self.pcap {
            pcap.comment(line.to_string());
        }
        self.keep(&around.from_first);
        around
    }

    /// The packets that a call in a log of strace caused.
    pub(crate) fn claim(&mut self, event: &Event<'_>, latest: LatestEnd) -> Vec<FoundPacket> {
        self.take_frames();
        self.finder.claim(event, latest)
    }

    /// The packets until this moment that no call has claimed.
    pub(crate) fn take_until(&mut self, time_ns: u64) -> Vec<FoundPacket> {
        self.take_frames();
        let found = self.finder.take_until(time_ns);
        self.keep(&found);
        found
    }

    /// The packets after the last call, until the wire is quiet: a process that has ended leaves connections to the kernel,
    /// which ends them.
    pub(crate) fn rest(&mut self) -> Vec<FoundPacket> {
        const QUIET: Duration = Duration::from_millis(50);
        const MOST_TURNS: usize = 10;
        let mut rest = Vec::new();
        for _ in 0..MOST_TURNS {
            thread::sleep(QUIET);
            self.take_frames();
            let came = self.finder.rest();
            if came.is_empty() {
                break;
            }
            rest.extend(came);
        }
        self.keep(&rest);
        rest
    }

    fn keep(&mut self, found: &[FoundPacket]) {
        if let Some(pcap) = &mut self.pcap {
            found.iter().for_each(|found| pcap.add(found.frame.clone()));
        }
    }

    fn take_frames(&mut self) {
        let arrived = self.reader.take_arrived();
        self.left_out += arrived.left_out;
        for mut frame in arrived.frames {
            if self.clock == FrameClock::Since1970 {
                frame.time_ns = frame.since_1970_ns;
            }
            self.finder.take(frame);
        }
    }

    /// Says what the capture lacks, if anything.
    pub(crate) fn say_what_is_missing(&self) {
        let dropped = u64::from(self.reader.dropped()) + self.left_out;
        if dropped > 0 {
            say(format_args!(
                "{dropped} packets are missing: they came faster than this machine could read them"
            ));
        }
    }

    /// Writes everything so far for Wireshark, with the calls as comments.
    pub(crate) fn write_pcap(&mut self, file: ResultFile) -> Result<(), Failure> {
        let blocks = self.pcap.as_mut().map_or(Vec::new(), CommentedFrames::take_blocks);
        file.write(&[pcapng::beginning(), blocks].concat())
    }
}

/// Adds the packets to a trace in JSON: behind the calls in the file, or on standard error, where the calls are.
pub(crate) fn add_to_trace(packets: &[Packet], common: &Common) -> Result<(), Failure> {
    if common.trace != Some(TraceForm::Json) {
        return Ok(());
    }
    let lines: String = packets.iter().map(|packet| packet.to_json() + "\n").collect();
    let Some(path) = &common.trace_to else {
        // A closed pipe is not a failure.
        let _ = Patient(io::stderr()).write_all(lines.as_bytes());
        return Ok(());
    };
    let failed =
        |error: io::Error| Failure::from_std(path.display().to_string().escape_debug(), &error);
    let mut file = OpenOptions::new().append(true).open(path).map_err(failed)?;
    file.write_all(lines.as_bytes()).map_err(failed)
}
