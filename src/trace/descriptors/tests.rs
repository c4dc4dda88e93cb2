use std::borrow::Cow;

use super::*;
use crate::names::*;
use crate::trace::arg::{Message, Value};
use crate::trace::event::Callee;
use crate::values::{ControlMessage, Linger};

const fn fd(number: i32) -> Arg<'static> {
    Arg::Fd(FdNumber::new(number))
}

fn at(port: u16) -> Address {
    Address::v4([127, 0, 0, 1].into(), port)
}

/// A table that gets calls that were never made.
#[derive(Default)]
struct ToldTable(DescriptorTable);

impl ToldTable {
    fn of<const N: usize>(
        &mut self,
        name: &'static str,
        args: [Arg<'static>; N],
        outcome: Outcome,
    ) {
        let mut event = Event::new(Callee::of(name));
        event.args.extend(args);
        event.outcome = outcome;
        self.0.learn(&event);
    }

    fn ok<const N: usize>(&mut self, name: &'static str, args: [Arg<'static>; N], value: i64) {
        self.of(name, args, Outcome::Value(value));
    }

    fn file(&self, number: i32) -> OpenFile {
        self.0.known(FdNumber::new(number)).unwrap_or_default()
    }

    /// Two connections, at 5 and 6.
    fn with_two_connections() -> Self {
        let mut told = Self::default();
        for (number, port) in [(5, 1005), (6, 1006)] {
            told.ok("socket", [Arg::Type(SOCK_STREAM)], number.into());
            told.ok("connect", [fd(number), Arg::Address(Cow::Owned(at(port)))], 0);
        }
        told
    }

    fn sends(&mut self, number: i32, bytes: i64) {
        self.ok("send", [fd(number), Arg::Pointer(1), Arg::Int(bytes)], bytes);
    }

    fn message(&mut self, name: &'static str, number: i32, passed: &[i32]) {
        let data = passed.iter().flat_map(|number| number.to_ne_bytes()).collect();
        let message = Message {
            name: Err(0),
            name_len: (0, 0),
            buffers: vec![((&b"x"[..]).into(), 1)],
            control: vec![ControlMessage { level: SOL_SOCKET, kind: SCM_RIGHTS.bits(), data }],
            control_len: 0,
            flags: MsgFlags::NONE,
        };
        self.ok(name, [fd(number), Arg::Message(Box::new(message))], 1);
    }

    /// Asserts that both numbers lead to the same file.
    #[track_caller]
    fn assert_same(&mut self, one: i32, other: i32) {
        let [one, other] = [one, other].map(|number| self.file(number));
        assert!(one.id > 0 && one == other, "{one:?}\n{other:?}");
    }
}

#[test]
fn every_kind_of_copy_leads_to_the_same_file() {
    let named = |command: FcntlCommand| Arg::Named(command.named());
    type Copies = fn(&mut ToldTable);
    let kinds: [Copies; 6] = [
        |told| told.ok("dup", [fd(6)], 9),
        |told| told.ok("dup2", [fd(6), fd(9)], 9),
        |told| told.ok("dup3", [fd(6), fd(9), Arg::Word("O_CLOEXEC".into())], 9),
        |told| told.ok("fcntl", [fd(6), Arg::Named(F_DUPFD.named()), Arg::Int(9)], 9),
        |told| told.ok("fcntl", [fd(6), Arg::Named(F_DUPFD_CLOEXEC.named()), Arg::Int(9)], 9),
        |told| {
            let pair = [20, 21].map(FdNumber::new);
            told.ok("socketpair", [Arg::Type(SOCK_STREAM), Arg::Fds(pair)], 0);
            told.message("sendmsg", 20, &[6]);
            told.message("recvmsg", 21, &[9]);
        },
    ];
    for copies in kinds {
        let mut told = ToldTable::with_two_connections();
        copies(&mut told);
        told.assert_same(6, 9);
        // What is done through one number is known for the other.
        told.sends(9, 7);
        told.ok("fcntl", [fd(9), named(F_SETFL), Arg::OpenFlags(O_NONBLOCK)], 0);
        let file = told.file(6);
        assert_eq!((file.bytes_out, file.nonblocking, file.copies), (7, Some(true), 1));
        assert_eq!(file.peer, Some(at(1006)));
        // The first close closes a number, the last one the file.
        told.ok("close", [fd(6)], 0);
        assert_eq!((told.file(6).id, told.file(9).copies), (0, 0));
        assert_eq!(told.0.connection(FdNumber::new(9)).unwrap().bytes_out, 7);
    }
}

#[test]
fn ends_that_were_passed_into_each_other_are_given_back() {
    let mut told = ToldTable::default();
    for (one, other) in [(20, 21), (22, 23)] {
        let pair = [one, other].map(FdNumber::new);
        told.ok("socketpair", [Arg::Type(SOCK_STREAM), Arg::Fds(pair)], 0);
    }
    let ends = [20, 21, 22, 23].map(|number| Rc::downgrade(&told.0.numbers[&number].file));
    // An end into its own queue, and two into each other's.
    told.message("sendmsg", 20, &[21]);
    told.message("sendmsg", 20, &[23]);
    told.message("sendmsg", 22, &[21]);
    // The first queue keeps its end as long as it is there itself.
    told.ok("close", [fd(23)], 0);
    assert_eq!(ends.each_ref().map(|end| end.strong_count()), [1, 1, 1, 1]);
    for number in [20, 21, 22] {
        told.ok("close", [fd(number)], 0);
    }
    assert_eq!(ends.map(|end| end.strong_count()), [0; 4]);
}

#[test]
fn close_range_closes_what_is_open_in_it_unless_it_only_marks() {
    let mut told = ToldTable::with_two_connections();
    let call = |first, last, flags: &'static str| {
        let mut event = Event::new(Callee::of("close_range"));
        event.args.extend([Arg::Int(first), Arg::Int(last), Arg::Word(flags.into())]);
        event.outcome = Outcome::Value(0);
        event
    };
    let all = i64::from(u32::MAX);
    let closed = |told: &ToldTable, event| {
        told.0.all_closed_by(event).into_iter().map(FdNumber::get).collect::<Vec<_>>()
    };
    let marks = call(6, all, "CLOSE_RANGE_CLOEXEC");
    assert_eq!(closed(&told, &marks), [0; 0]);
    told.0.learn(&marks);
    assert_eq!(told.file(6).peer, Some(at(1006)), "marked, and open until exec");
    let mut after_exec = told.0.fork();
    after_exec.exec();
    assert!(after_exec.get(FdNumber::new(5)).is_some());
    assert!(after_exec.get(FdNumber::new(6)).is_none());
    let nothing = call(6, 5, "0");
    assert_eq!(closed(&told, &nothing), [0; 0], "no range");
    let closes = call(5, all, "0");
    assert_eq!(closed(&told, &closes), [5, 6]);
    told.0.learn(&closes);
    assert_eq!(closed(&told, &closes), [0; 0]);
}

#[test]
fn dup2_closes_what_was_at_its_number() {
    let mut told = ToldTable::with_two_connections();
    let old = told.file(5).id;
    let mut event = Event::new(Callee::of("dup2"));
    event.args.extend([fd(6), fd(5)]);
    event.outcome = Outcome::Value(5);
    assert_eq!(told.0.closed_by(&event), Some(FdNumber::new(5)));
    told.0.learn(&event);
    told.assert_same(5, 6);
    assert_ne!(told.file(5).id, old);
    assert_eq!(told.0.connection(FdNumber::new(5)).unwrap().peer, Some(at(1006)));
    // Copied onto itself, a descriptor stays as it is.
    told.ok("dup2", [fd(6), fd(6)], 6);
    assert_eq!(told.file(6).copies, 1);
}

#[test]
fn a_child_shares_the_files_and_not_the_numbers() {
    let mut parent = ToldTable::with_two_connections();
    let mut child = ToldTable(parent.0.fork());
    child.sends(5, 3);
    child.ok("ioctl", [fd(5), Arg::Request(FIONBIO), Arg::Value(Value::Int(1))], 0);
    let file = parent.file(5);
    assert_eq!((file.bytes_out, file.nonblocking, file.copies), (3, Some(true), 1));
    child.ok("close", [fd(5)], 0);
    assert_eq!((parent.file(5).copies, child.file(5).id), (0, 0));
    // Files that each creates afterwards have numbers of their own.
    parent.ok("socket", [Arg::Type(SOCK_STREAM)], 7);
    child.ok("socket", [Arg::Type(SOCK_STREAM)], 7);
    assert_ne!(parent.file(7).id, child.file(7).id);
}

#[test]
fn exec_leaves_what_is_not_closed_on_exec() {
    let mut told = ToldTable::with_two_connections();
    told.ok("fcntl", [fd(5), Arg::Named(F_SETFD.named()), Arg::Named(FD_CLOEXEC.named())], 0);
    told.ok("fcntl", [fd(6), Arg::Named(F_DUPFD_CLOEXEC.named()), Arg::Int(0)], 8);
    told.ok("dup", [fd(8)], 9);
    told.0.exec();
    let is_open = |number: &i32| told.file(*number).id > 0;
    let open: Vec<_> = [5, 6, 8, 9].into_iter().filter(is_open).collect();
    assert_eq!(open, [6, 9], "the flag belongs to the number, and a copy does not have it");
}

#[test]
fn a_descriptor_whose_creation_was_not_seen_is_inherited() {
    let mut told = ToldTable::default();
    told.sends(1, 5);
    let file = told.file(1);
    assert_eq!((file.kind, file.bytes_out), (DescriptorKind::Unknown, 5));
    told.message("recvmsg", 3, &[12]);
    assert_eq!(told.file(12).kind, DescriptorKind::Unknown);
    // Passed to an end that this process does not receive from, it may stay open elsewhere.
    told.message("sendmsg", 3, &[1]);
    assert!(told.file(1).passed && !told.file(12).passed);
}

#[test]
fn the_calls_show_the_life_of_a_descriptor() {
    let mut told = ToldTable::default();
    told.ok("socket", [Arg::Type(SOCK_STREAM)], 3);
    told.ok("bind", [fd(3), Arg::Address(Cow::Owned(at(80)))], 0);
    told.ok("listen", [fd(3), Arg::Int(5)], 0);
    told.ok("accept", [fd(3), Arg::Address(Cow::Owned(at(1000)))], 4);
    let file = told.file(4);
    assert_eq!(
        (told.file(3).kind, file.kind),
        (DescriptorKind::Listener, DescriptorKind::Connection)
    );
    assert_eq!((file.local, file.peer, file.connection), (Some(at(80)), Some(at(1000)), Some(1)));
    told.ok("recv", [fd(4), Arg::Pointer(1), Arg::Int(10), Arg::Named(MSG_PEEK.named())], 10);
    told.ok("recv", [fd(4), Arg::Pointer(1), Arg::Int(10), Arg::Named(MsgFlags::NONE.named())], 10);
    told.ok("recv", [fd(4), Arg::Pointer(1), Arg::Int(10)], 0);
    told.ok("shutdown", [fd(4), Arg::Named(SHUT_WR.named())], 0);
    told.of("send", [fd(4)], Outcome::Error(Errno::EPIPE));
    let file = told.file(4);
    assert_eq!(
        (file.bytes_in, file.peer_finished, file.finished, file.broken),
        (10, true, true, false)
    );
    let linger = Value::Linger(Linger { l_onoff: 1, l_linger: 0 });
    let name = Arg::OptionName(SOL_SOCKET, SO_LINGER.number());
    told.ok("setsockopt", [fd(4), Arg::Named(SOL_SOCKET.named()), name, Arg::Value(linger)], 0);
    told.of("recv", [fd(4)], Outcome::Error(Errno::ECONNRESET));
    assert!(told.file(4).abrupt && told.file(4).broken);
    // After an error of close nothing is open, except after EBADF, which was never open.
    told.of("close", [fd(4)], Outcome::Error(Errno::EBADF));
    assert_eq!(told.file(4).kind, DescriptorKind::Connection);
    told.of("close", [fd(4)], Outcome::Error(Errno::EIO));
    assert_eq!(told.file(4).id, 0);
    told.ok("close_range", [Arg::Int(3), Arg::Int(i64::from(u32::MAX)), Arg::Int(0)], 0);
    assert_eq!(told.file(3).id, 0);
}
