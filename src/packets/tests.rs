//! Calls and frames made by hand: which packet hangs at which call, also where a real run rarely comes.

use super::cause::{AroundCall, CauseFinder, FoundPacket, LatestEnd};
use super::{PacketBody, Segment, SegmentNote};
use crate::addr::Address;
use crate::os::capture::Frame;
use crate::trace::event::Outcome;
use crate::trace::{Arg, Event, Function};
use crate::values::FdNumber;

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const PSH: u8 = 0x08;
const ACK: u8 = 0x10;

const CLIENT: u16 = 40_000;
const SERVER: u16 = 7_007;

/// A segment on loopback; its numbers begin with 0 at the SYN.
#[derive(Clone, Copy)]
struct Sent {
    at: u64,
    from: u16,
    flags: u8,
    seq: u32,
    ack: u32,
    len: u16,
    window: u16,
}

const fn sent(at: u64, from: u16, flags: u8, seq: u32, ack: u32, len: u16) -> Sent {
    Sent { at, from, flags, seq, ack, len, window: 1000 }
}

impl Sent {
    fn frame(self) -> Frame {
        let to = if self.from == CLIENT { SERVER } else { CLIENT };
        let mut bytes = vec![0; 12];
        bytes.extend([0x08, 0x00, 0x45, 0]);
        bytes.extend((40 + self.len).to_be_bytes());
        bytes.extend([0, 0, 0x40, 0, 64, 6, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]);
        bytes.extend(self.from.to_be_bytes());
        bytes.extend(to.to_be_bytes());
        // Real connections begin anywhere, also where the numbers begin again.
        bytes.extend(self.seq.wrapping_sub(2).to_be_bytes());
        bytes.extend(self.ack.wrapping_sub(2).to_be_bytes());
        bytes.extend([0x50, self.flags]);
        bytes.extend(self.window.to_be_bytes());
        bytes.extend([0; 4]);
        bytes.resize(bytes.len() + usize::from(self.len), b'x');
        let len = bytes.len() as u32;
        Frame { since_1970_ns: self.at, time_ns: self.at, len, bytes }
    }
}

fn call(function: Function, args: &[Arg<'static>], times: [u64; 2], value: i64) -> Event<'static> {
    let mut event = Event::new(function.into());
    event.args.extend(args.iter().cloned());
    [event.begin_ns, event.end_ns] = times;
    event.outcome = Outcome::Value(value);
    event
}

fn fd(number: i32) -> Arg<'static> {
    Arg::Fd(FdNumber::new(number))
}

fn at(port: u16) -> Arg<'static> {
    Arg::Address(std::borrow::Cow::Owned(Address::v4([127, 0, 0, 1].into(), port)))
}

/// A finder that has seen a connection begin: the client is 4, the server 5.
fn connected() -> CauseFinder {
    let mut finder = CauseFinder::default();
    for sent in [
        sent(10, CLIENT, SYN, 0, 0, 0),
        sent(11, SERVER, SYN | ACK, 0, 1, 0),
        sent(12, CLIENT, ACK, 1, 1, 0),
    ] {
        finder.take(sent.frame());
    }
    let around = finder.call(&call(Function::CONNECT, &[fd(4), at(SERVER)], [5, 15], 0));
    assert_eq!((around.before.len(), caused(&around)), (0, vec![10, 11, 12]));
    let around = finder.call(&call(Function::ACCEPT, &[fd(3), at(CLIENT)], [16, 20], 5));
    assert_eq!(around.before.len() + around.from_first.len(), 0);
    finder
}

/// The times of the packets that a call caused.
fn caused(around: &AroundCall) -> Vec<u64> {
    let of_call = around.from_first.iter().filter(|found| found.packet.cause.is_some());
    of_call.map(|found| found.packet.time_ns).collect()
}

fn segment(found: &FoundPacket) -> &Segment {
    match &found.packet.body {
        PacketBody::Tcp(segment) => segment,
        other => panic!("{other:?}"),
    }
}

/// What the next call causes of these segments.
fn caused_by(finder: &mut CauseFinder, event: &Event<'_>, segments: &[Sent]) -> Vec<u64> {
    segments.iter().for_each(|sent| finder.take(sent.frame()));
    caused(&finder.call(event))
}

#[test]
fn bytes_and_their_acknowledgement_hang_at_send() {
    let mut finder = connected();
    let send = call(Function::SEND, &[fd(4)], [100, 110], 6);
    let data = sent(101, CLIENT, PSH | ACK, 1, 1, 6);
    let ack = sent(102, SERVER, ACK, 1, 7, 0);
    assert_eq!(caused_by(&mut finder, &send, &[data, ack]), [101, 102]);
}

#[test]
fn an_acknowledgement_that_comes_later_has_no_cause() {
    let mut finder = connected();
    let send = call(Function::SEND, &[fd(4)], [100, 110], 6);
    assert_eq!(caused_by(&mut finder, &send, &[sent(101, CLIENT, PSH | ACK, 1, 1, 6)]), [101]);
    // The other end waits meanwhile; a timer sends it.
    let recv = call(Function::RECV, &[fd(4)], [120, 400], 1);
    let late = [sent(200, SERVER, ACK, 1, 7, 0), sent(300, SERVER, PSH | ACK, 1, 7, 1)];
    late.iter().for_each(|sent| finder.take(sent.frame()));
    let around = finder.call(&recv);
    assert_eq!((around.before.len(), around.from_first.len()), (2, 0));
}

#[test]
fn a_call_that_waits_causes_nothing_that_others_send() {
    let mut finder = connected();
    // Another thread sends on the client's end while recv waits on the server's; the kernel acknowledges as it arrives.
    let recv = call(Function::RECV, &[fd(5)], [100, 200], 6);
    let data = sent(150, CLIENT, PSH | ACK, 1, 1, 6);
    let ack = sent(151, SERVER, ACK, 1, 7, 0);
    assert_eq!(caused_by(&mut finder, &recv, &[data, ack]), [0; 0]);
}

#[test]
fn a_window_update_hangs_at_the_receive_that_made_room_and_so_do_bytes_that_waited_for_it() {
    let mut finder = connected();
    let send = call(Function::SEND, &[fd(4)], [100, 110], 2000);
    let full = Sent { window: 0, ..sent(102, SERVER, ACK, 1, 1001, 0) };
    let data = sent(101, CLIENT, PSH | ACK, 1, 1, 1000);
    assert_eq!(caused_by(&mut finder, &send, &[data, full]), [101, 102]);
    let recv = call(Function::RECV, &[fd(5)], [200, 210], 1000);
    let update = sent(205, SERVER, ACK, 1, 1001, 0);
    let waited = sent(206, CLIENT, PSH | ACK, 1001, 1, 1000);
    [update, waited].iter().for_each(|sent| finder.take(sent.frame()));
    let around = finder.call(&recv);
    assert_eq!(caused(&around), [205, 206]);
    assert_eq!(segment(&around.from_first[0]).notes, [SegmentNote::WindowUpdate]);
}

#[test]
fn what_a_timer_sends_has_no_cause_whatever_call_is_under_way() {
    let mut finder = connected();
    let send = call(Function::SEND, &[fd(4)], [100, 110], 6);
    let data = sent(101, CLIENT, PSH | ACK, 1, 1, 6);
    assert_eq!(caused_by(&mut finder, &send, &[data]), [101]);
    let next = call(Function::SEND, &[fd(4)], [300, 320], 6);
    let again = Sent { at: 305, ..data };
    let more = sent(310, CLIENT, PSH | ACK, 7, 1, 6);
    [again, more].iter().for_each(|sent| finder.take(sent.frame()));
    let around = finder.call(&next);
    assert_eq!((around.before.len(), caused(&around)), (1, vec![310]));
    assert_eq!(segment(&around.before[0]).notes, [SegmentNote::Retransmission]);
}

#[test]
fn a_call_that_strace_let_begin_late_has_what_it_sent_and_not_what_the_other_end_released() {
    let send = call(Function::SEND, &[fd(4)], [100, 110], 6);
    let latest = LatestEnd { usual_ns: 112, delayed_ns: 190 };
    let claimed = |segments: &[Sent]| -> Vec<u64> {
        let mut finder = connected();
        segments.iter().for_each(|sent| finder.take(sent.frame()));
        finder.claim(&send, latest).iter().map(|found| found.packet.time_ns).collect()
    };
    let data = |at| sent(at, CLIENT, PSH | ACK, 1, 1, 6);
    let ack = |at| sent(at, SERVER, ACK, 1, 7, 0);
    assert_eq!(claimed(&[data(160), ack(162), ack(185)]), [160, 162]);
    assert_eq!(claimed(&[data(105), ack(106), ack(160)]), [105, 106]);
    assert_eq!(claimed(&[sent(150, SERVER, ACK, 1, 1, 0), data(151)]), [0; 0]);
    assert_eq!(claimed(&[data(191)]), [0; 0]);
}

#[test]
fn a_reset_hangs_at_the_call_that_provoked_it() {
    let mut finder = connected();
    let close = call(Function::CLOSE, &[fd(4)], [100, 110], 0);
    assert_eq!(caused_by(&mut finder, &close, &[sent(101, CLIENT, FIN | ACK, 1, 1, 0)]), [101]);
    let send = call(Function::SEND, &[fd(5)], [200, 210], 6);
    let data = sent(201, SERVER, PSH | ACK, 1, 2, 6);
    let reset = sent(202, CLIENT, RST, 2, 0, 0);
    assert_eq!(caused_by(&mut finder, &send, &[data, reset]), [201, 202]);
    // And one that comes while a call only waits hangs at none.
    let mut finder = connected();
    let recv = call(Function::RECV, &[fd(5)], [100, 200], 0);
    assert_eq!(caused_by(&mut finder, &recv, &[sent(150, CLIENT, RST | ACK, 1, 1, 0)]), [0; 0]);
}

#[test]
fn the_same_ports_may_belong_to_a_second_connection() {
    let mut finder = connected();
    let close = call(Function::CLOSE, &[fd(4)], [100, 110], 0);
    assert_eq!(caused_by(&mut finder, &close, &[sent(101, CLIENT, RST | ACK, 1, 1, 0)]), [101]);
    let again = call(Function::CONNECT, &[fd(6), at(SERVER)], [200, 210], 0);
    let syn = sent(201, CLIENT, SYN, 5000, 0, 0);
    finder.take(syn.frame());
    let around = finder.call(&again);
    assert_eq!(caused(&around), [201]);
    assert_eq!(
        (segment(&around.from_first[0]).connection, segment(&around.from_first[0]).seq),
        (2, 0)
    );
}

#[test]
fn a_connection_from_before_the_capture_is_left_out() {
    let mut finder = CauseFinder::default();
    finder.take(sent(10, CLIENT, PSH | ACK, 100, 100, 5).frame());
    assert_eq!(finder.rest().len(), 0);
}
