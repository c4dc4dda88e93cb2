//! A capture as a file for Wireshark: pcapng, with the calls as comments on their packets.
//!
//! The file is a row of blocks. Each begins with its type and its length, and ends with the length again, so that a reader
//! can go through it in both directions; everything is filled up to whole words of 32 bits. A section header says in which
//! byte order all numbers are (this writer takes the least significant byte first), an interface description says what the
//! frames are, and each frame has an enhanced packet block. Options are a code, a length and a value.
//! (draft-ietf-opsawg-pcapng)

use std::borrow::Cow;

use crate::os::capture::Frame;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
/// By this number a reader recognises the byte order.
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
/// Of a section whose length is not said.
const UNKNOWN_LENGTH: u64 = u64::MAX;
const LINKTYPE_ETHERNET: u16 = 1;
const NO_LIMIT: u32 = 0;

const END_OF_OPTIONS: u16 = 0;
const COMMENT: u16 = 1;
const APPLICATION: u16 = 4;
const INTERFACE_NAME: u16 = 2;
/// Times are in units of 10 to the power of minus this.
const TIME_RESOLUTION: u16 = 9;
const NANOSECONDS: u8 = 9;

/// The blocks before the first packet.
pub fn beginning() -> Vec<u8> {
    let mut section = BYTE_ORDER_MAGIC.to_le_bytes().to_vec();
    // Version 1.0.
    section.extend([1, 0, 0, 0]);
    section.extend(UNKNOWN_LENGTH.to_le_bytes());
    let application = concat!("baresock ", env!("CARGO_PKG_VERSION"));
    section.extend(options(&[(APPLICATION, application.as_bytes())]));
    let mut interface = LINKTYPE_ETHERNET.to_le_bytes().to_vec();
    interface.extend([0, 0]);
    interface.extend(NO_LIMIT.to_le_bytes());
    interface.extend(options(&[(INTERFACE_NAME, b"lo"), (TIME_RESOLUTION, &[NANOSECONDS])]));
    let mut blocks = block(SECTION_HEADER, &section);
    blocks.extend(block(INTERFACE_DESCRIPTION, &interface));
    blocks
}

/// The block of a frame, with comments.
pub fn packet(frame: &Frame, comments: &[String]) -> Vec<u8> {
    const INTERFACE: u32 = 0;
    let high = (frame.since_1970_ns >> 32) as u32;
    let low = frame.since_1970_ns as u32;
    let kept = frame.bytes.len() as u32;
    let mut body = Vec::new();
    for field in [INTERFACE, high, low, kept, frame.len] {
        body.extend(field.to_le_bytes());
    }
    body.extend(&frame.bytes);
    fill_up(&mut body);
    let comments: Vec<_> = comments.iter().map(|text| cut(text)).collect();
    let comments: Vec<_> = comments.iter().map(|text| (COMMENT, text.as_bytes())).collect();
    body.extend(options(&comments));
    block(ENHANCED_PACKET, &body)
}

/// A text as an option can have it: its length has 16 bits, and it must stay UTF-8. What is cut ends as strace ends it.
fn cut(text: &str) -> Cow<'_, str> {
    const MOST: usize = u16::MAX as usize;
    const CUT: &str = "...";
    if text.len() <= MOST {
        return text.into();
    }
    let end = (0..=MOST - CUT.len()).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}{CUT}", &text[..end]).into()
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    /// The type and the two lengths.
    const AROUND: usize = 12;
    let length = ((body.len() + AROUND) as u32).to_le_bytes();
    let mut block = kind.to_le_bytes().to_vec();
    block.extend(length);
    block.extend(body);
    block.extend(length);
    block
}

fn options(options: &[(u16, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (code, value) in options {
        bytes.extend(code.to_le_bytes());
        bytes.extend((value.len() as u16).to_le_bytes());
        bytes.extend(*value);
        fill_up(&mut bytes);
    }
    if !options.is_empty() {
        bytes.extend(END_OF_OPTIONS.to_le_bytes());
        bytes.extend([0, 0]);
    }
    bytes
}

fn fill_up(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_that_is_too_long_ends_in_dots_and_stays_text() {
        assert_eq!(cut("send(3, …) = 1"), "send(3, …) = 1");
        assert_eq!(cut(&"x".repeat(65_535)), "x".repeat(65_535));
        for text in ["x".repeat(70_000), "…".repeat(30_000), format!("x{}", "…".repeat(30_000))]
        {
            let cut = cut(&text);
            assert!(cut.len() > 65_530 && cut.len() <= 65_535, "{}", cut.len());
            assert!(text.starts_with(cut.strip_suffix("...").unwrap()));
        }
    }

    #[test]
    fn every_block_says_its_length_at_both_ends() {
        let frame = Frame { since_1970_ns: 1 << 60, time_ns: 0, len: 70, bytes: vec![7; 61] };
        let mut file = beginning();
        file.extend(packet(&frame, &["connect(…) = 0".into(), String::new()]));
        file.extend(packet(&frame, &[]));
        let mut at = 0;
        let mut kinds = Vec::new();
        let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
        while at < file.len() {
            let length = word(at + 4) as usize;
            assert_eq!(length % 4, 0);
            assert_eq!(word(at + length - 4) as usize, length);
            kinds.push(word(at));
            at += length;
        }
        assert_eq!(at, file.len());
        assert_eq!(
            kinds,
            [SECTION_HEADER, INTERFACE_DESCRIPTION, ENHANCED_PACKET, ENHANCED_PACKET]
        );
    }
}
