//! Frames for a file, with what led to them as comments: a call is a comment of the first packet after it began.

use std::mem;

use super::pcapng;
use crate::os::capture::Frame;

/// Frames with their comments.
#[derive(Debug, Default)]
pub struct CommentedFrames {
    frames: Vec<(Frame, Vec<String>)>,
    /// Those that no frame has yet.
    comments: Vec<String>,
    bytes: usize,
}

impl CommentedFrames {
    /// Adds a comment to the next frame.
    pub fn comment(&mut self, comment: String) {
        self.bytes += size_of::<String>() + comment.len();
        self.comments.push(comment);
    }

    /// Adds a frame, with the comments since the one before.
    pub fn add(&mut self, frame: Frame) {
        self.bytes += frame.bytes_in_memory();
        self.frames.push((frame, mem::take(&mut self.comments)));
    }

    /// How much memory they take.
    pub const fn bytes_in_memory(&self) -> usize {
        self.bytes
    }

    /// Takes them, as blocks of a file for Wireshark, in the order of time. Comments after the last frame belong to it.
    pub fn take_blocks(&mut self) -> Vec<u8> {
        if let Some((_, last)) = self.frames.last_mut() {
            last.append(&mut self.comments);
        }
        self.bytes = self.comments.iter().map(|comment| size_of::<String>() + comment.len()).sum();
        let mut frames = mem::take(&mut self.frames);
        frames.sort_by_key(|(frame, _)| frame.time_ns);
        frames.iter().flat_map(|(frame, comments)| pcapng::packet(frame, comments)).collect()
    }
}
