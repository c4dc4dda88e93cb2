//! `--packets` and `--pcap`: this process and its children get a network of their own, and every packet in it is captured.
//!
//! A thread reads the packets as they come, so that a burst does not overflow the kernel's buffer. Each packet is in the buffer
//! before the call that sent it returns, so that after a call all packets until then can be asked for.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use baresock::cli::{Common, TraceForm};
use baresock::os::capture::{Capture, Frame};
use baresock::os::output::Patient;
use baresock::os::own_network::{UserNumbers, enter_own_network};
use baresock::packets::Packet;
use baresock::packets::cause::{AroundCall, CauseFinder, FoundPacket};
use baresock::packets::pcapng;
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
    shared: Arc<SharedCapture>,
    reader: Option<JoinHandle<()>>,
    finder: CauseFinder,
    pcap: PcapComments,
}

#[derive(Debug)]
struct SharedCapture {
    capture: Capture,
    frames: Mutex<Vec<Frame>>,
    is_over: AtomicBool,
}

impl SharedCapture {
    /// Reads what has arrived. One reader at a time: the frames stay in their order.
    fn read(&self) -> MutexGuard<'_, Vec<Frame>> {
        let mut frames = self.frames.lock().unwrap_or_else(PoisonError::into_inner);
        self.capture.read_arrived(|frame| frames.push(frame));
        frames
    }
}

impl WireTap {
    /// Begins to capture, in the network that [`enter_network`] has made.
    pub(crate) fn begin() -> Result<Self, Failure> {
        /// So long the reader may take to notice that it is no longer needed.
        const TURN_MS: i32 = 50;
        let capture = Capture::of_loopback().map_err(Failure::new)?;
        let frames = Mutex::default();
        let is_over = AtomicBool::default();
        let shared = Arc::new(SharedCapture { capture, frames, is_over });
        let reader = Arc::clone(&shared);
        let reader = thread::spawn(move || {
            while !reader.is_over.load(Ordering::Relaxed) {
                reader.capture.wait(TURN_MS);
                drop(reader.read());
            }
        });
        let finder = CauseFinder::default();
        let pcap = PcapComments::default();
        Ok(Self { shared, reader: Some(reader), finder, pcap })
    }

    /// A call has returned, whose line is this: its packets, and those before them.
    pub(crate) fn call(&mut self, event: &Event<'_>, line: &str) -> AroundCall {
        self.take_frames();
        let around = self.finder.call(event);
        self.pcap.add(&around.before);
        self.pcap.comments.push(line.to_string());
        self.pcap.add(&around.from_first);
        around
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
        self.pcap.add(&rest);
        rest
    }

    fn take_frames(&mut self) {
        let frames = std::mem::take(&mut *self.shared.read());
        frames.into_iter().for_each(|frame| self.finder.take(frame));
    }

    /// Says what the capture lacks, if anything.
    pub(crate) fn say_what_is_missing(&self) {
        let dropped = self.shared.capture.dropped();
        if dropped > 0 {
            say(format_args!(
                "{dropped} packets are missing: they came faster than this machine could read them"
            ));
        }
    }

    /// Writes everything so far for Wireshark, with the calls as comments.
    pub(crate) fn write_pcap(&mut self, file: ResultFile) -> Result<(), Failure> {
        file.write(&self.pcap.contents())
    }
}

impl Drop for WireTap {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        // A reader that has panicked reads no more either.
        let _ = self.reader.take().map(JoinHandle::join);
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

/// The packets for a file. The calls are comments: of the first packet that they caused, or else of the next packet.
#[derive(Debug, Default)]
struct PcapComments {
    packets: Vec<(Frame, Vec<String>)>,
    /// Of calls that no packet has yet.
    comments: Vec<String>,
}

impl PcapComments {
    fn add(&mut self, found: &[FoundPacket]) {
        for found in found {
            let comments = std::mem::take(&mut self.comments);
            self.packets.push((found.frame.clone(), comments));
        }
    }

    /// The file: the packets in the order of time.
    fn contents(&mut self) -> Vec<u8> {
        if let Some((_, last)) = self.packets.last_mut() {
            last.append(&mut self.comments);
        }
        self.packets.sort_by_key(|(frame, _)| frame.time_ns);
        let mut file = pcapng::beginning();
        for (frame, comments) in &self.packets {
            file.extend(pcapng::packet(frame, comments));
        }
        file
    }
}
