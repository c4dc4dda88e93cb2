//! Reads a capture beside the calls: a thread empties the kernel's buffer before a burst of packets overflows it.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::os::capture::{Capture, Frame, NoCapture};

/// A capture of this process's network, and the thread that reads it.
#[derive(Debug)]
pub struct CaptureReader {
    shared: Arc<SharedCapture>,
    thread: Option<JoinHandle<()>>,
}

/// What has arrived since it was last asked for.
#[derive(Debug, Default)]
pub struct ArrivedFrames {
    /// The frames, in order.
    pub frames: Vec<Frame>,
    /// How many more there were, for which there was no room.
    pub left_out: u64,
    bytes: usize,
}

#[derive(Debug)]
struct SharedCapture {
    capture: Capture,
    most_bytes: usize,
    arrived: Mutex<ArrivedFrames>,
    is_over: AtomicBool,
}

impl SharedCapture {
    /// Reads what has arrived. One reader at a time: the frames stay in their order.
    fn read(&self) -> MutexGuard<'_, ArrivedFrames> {
        let mut arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
        self.capture.read_arrived(|frame| arrived.add(frame, self.most_bytes));
        arrived
    }
}

impl ArrivedFrames {
    fn add(&mut self, frame: Frame, most_bytes: usize) {
        self.bytes += frame.bytes_in_memory();
        match self.bytes <= most_bytes {
            true => self.frames.push(frame),
            false => self.left_out += 1,
        }
    }
}

impl CaptureReader {
    /// Begins to capture. This process may look at the packets of its network. Between two calls of
    /// [`take_arrived`](Self::take_arrived), frames take at most so many bytes of memory.
    ///
    /// # Errors
    /// This process may not look at them.
    pub fn begin(most_bytes: usize) -> Result<Self, NoCapture> {
        /// The thread ends within this time after the capture has been dropped.
        const TURN_MS: i32 = 50;
        let capture = Capture::of_loopback()?;
        let arrived = Mutex::default();
        let is_over = AtomicBool::default();
        let shared = Arc::new(SharedCapture { capture, most_bytes, arrived, is_over });
        let reader = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            while !reader.is_over.load(Ordering::Relaxed) {
                reader.capture.wait(TURN_MS);
                drop(reader.read());
            }
        });
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Takes what has arrived. What this process has sent before is among it.
    pub fn take_arrived(&self) -> ArrivedFrames {
        mem::take(&mut *self.shared.read())
    }

    /// How many frames found no room in the kernel's buffer since this was last asked.
    pub fn dropped(&self) -> u32 {
        self.shared.capture.dropped()
    }
}

impl Drop for CaptureReader {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        // A thread that has panicked reads no more either.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
