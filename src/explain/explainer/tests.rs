mod ending;

use std::cell::RefCell;
use std::rc::Rc;

use super::*;
use crate::addr::{Address, UnixName};
use crate::names::*;
use crate::sys;
use crate::trace::arg::{Note, SignalAction, SignalHandler, Value};
use crate::trace::descriptors::OpenFile;
use crate::trace::{Arg, Function, Tracer, install, intent};
use crate::values::{FdNumber, Linger, PollRow, TimeVal};

/// A sink that keeps the remarks.
#[derive(Clone, Default)]
struct Heard(Rc<RefCell<Vec<String>>>);

impl Sink for Heard {
    fn end(&mut self, _: &Event<'_>) {}
    fn remark(&mut self, text: &str) {
        self.0.borrow_mut().push(text.to_string());
    }
}

/// An explainer that gets calls which were never made.
struct ToldExplainer {
    explainer: Explainer<Heard>,
    heard: Heard,
}

impl ToldExplainer {
    fn new() -> Self {
        let heard = Heard::default();
        Self { explainer: Explainer::new(heard.clone()), heard }
    }

    /// Passes a call to the explainer, and returns its remarks.
    fn of(
        &mut self,
        function: Function,
        args: &[Arg<'_>],
        outcome: Outcome,
        note: Note<'_>,
    ) -> Vec<String> {
        self.heard.0.borrow_mut().clear();
        let mut event = Event::new(function.into());
        event.args.extend(args.iter().cloned());
        (event.outcome, event.note) = (outcome, note);
        self.explainer.end(&event);
        self.heard.0.borrow().clone()
    }

    fn plain(&mut self, function: Function, args: &[Arg<'_>], outcome: Outcome) -> String {
        self.of(function, args, outcome, Note::None).join("; ")
    }
}

const FD: Arg<'static> = Arg::Fd(FdNumber::new(4));

fn ok(value: i64) -> Outcome {
    Outcome::Value(value)
}

fn err(errno: Errno) -> Outcome {
    Outcome::Error(errno)
}

fn bytes(len: i64) -> [Arg<'static>; 3] {
    [FD, Arg::bytes(b"\x1b[2Jx"), Arg::Int(len)]
}

fn set(numbers: &[i32]) -> Option<Vec<FdNumber>> {
    Some(numbers.iter().map(|number| FdNumber::new(*number)).collect())
}

fn selects(told: &mut ToldExplainer, read: &[i32], write: &[i32], outcome: Outcome) -> String {
    let timeout = TimeVal { tv_sec: 1, tv_usec: 500_000 };
    let args = [
        Arg::Int(8),
        Arg::set(set(read)),
        Arg::set(Some(write).filter(|write| !write.is_empty()).and_then(set)),
        Arg::set(None),
        Arg::TimeVal(Some(timeout)),
    ];
    // The first descriptors asked about are ready, as many as the result says.
    let mut left = if let Outcome::Value(ready) = outcome { ready as usize } else { 0 };
    let mut found = |asked: &[i32]| {
        let taken = asked.len().min(left);
        left -= taken;
        set(&asked[..taken])
    };
    let sets = [found(read), found(write), None];
    told.of(Function::SELECT, &args, outcome, Note::select(sets, None)).join("; ")
}

fn polls(told: &mut ToldExplainer, revents: &[PollEvents], outcome: Outcome) -> String {
    let row = |revents| PollRow { fd: FdNumber::new(4), events: POLLIN, revents };
    let answered = Note::Poll(revents.iter().map(|revents| row(*revents)).collect());
    let args = [Arg::rows(vec![]), Arg::Int(1_000), Arg::Millis(250)];
    told.of(Function::POLL, &args, outcome, answered).join("; ")
}

#[test]
fn a_lesson_leads_to_its_lab_where_there_is_one_and_to_a_word_where_not() {
    let lesson = Function::SEND
        .page()
        .lessons
        .iter()
        .find(|lesson| lesson.see == See::Lab("partial-send"))
        .unwrap();
    let event = Event::new(Function::SEND.into());
    let mut facts = Facts::of(Function::SEND, &event, OpenFile::default());
    assert_eq!(leads_to(lesson, &facts, |name| name == "partial-send"), "lab partial-send");
    assert_eq!(leads_to(lesson, &facts, |_| false), "explain send");
    facts.outcome = Outcome::Error(Errno::EPIPE);
    assert_eq!(leads_to(lesson, &facts, |_| false), "explain EPIPE");
}

#[test]
fn making_has_its_lessons() {
    use Function as F;
    let mut told = ToldExplainer::new();
    let mut told = |function, args: &[Arg<'_>], outcome| told.plain(function, args, outcome);
    let stream = [Arg::Type(SOCK_STREAM)];
    assert_eq!(
        told(F::SOCKET, &stream, ok(4)),
        "4: a socket, without an address or a peer yet (lab names-appear-late)"
    );
    assert!(told(F::SOCKET, &stream, err(Errno::EMFILE)).contains("no descriptor left"));
    let reuse = [FD, Arg::OptionName(SOL_SOCKET, SO_REUSEADDR.number())];
    assert!(told(F::SETSOCKOPT, &reuse, ok(0)).contains("(lab time-wait-bind)"));
    let sndbuf = Arg::OptionName(SOL_SOCKET, SO_SNDBUF.number());
    assert!(
        told(F::SETSOCKOPT, &[FD, sndbuf, Arg::Value(Value::Int(16_384))], ok(0))
            .starts_with("asks for a send buffer of 16,384 bytes")
    );
    let v6only = |value| {
        [FD, Arg::OptionName(SOL_IPV6, IPV6_V6ONLY.number()), Arg::Value(Value::Int(value))]
    };
    assert!(told(F::SETSOCKOPT, &v6only(1), ok(0)).contains("IPv6 only"));
    assert!(told(F::SETSOCKOPT, &v6only(0), ok(0)).contains("IPv4 peers may connect"));
    let linger = Arg::Value(Value::Linger(Linger { l_onoff: 1, l_linger: 0 }));
    assert!(told(F::SETSOCKOPT, &[FD, linger], ok(0)).contains("(lab linger-zero)"));

    let at = |port| Address::v4([127, 0, 0, 1].into(), port);
    let any = told(F::BIND, &[FD, Arg::address(&at(0))], ok(0));
    assert!(any.starts_with("port 0: "), "{any}");
    let known = told(F::BIND, &[FD, Arg::address(&at(7007))], ok(0));
    assert!(known.contains("port 7007"), "{known}");
    let taken = told(F::BIND, &[FD, Arg::address(&at(80))], err(Errno::EADDRINUSE));
    assert!(taken.contains("TIME_WAIT"), "{taken}");
    let path = Address::Unix(UnixName::Path("server".into()));
    let taken = told(F::BIND, &[FD, Arg::address(&path)], err(Errno::EADDRINUSE));
    assert!(taken.contains("a socket's file outlives its server"), "{taken}");
    let denied = told(F::BIND, &[FD, Arg::address(&at(80))], err(Errno::EACCES));
    assert!(denied.contains("1,024"), "{denied}");
    let name = told(F::GETSOCKNAME, &[FD, Arg::address(&at(51_344))], ok(0));
    assert!(name.contains("51344"), "{name}");
    assert!(told(F::LISTEN, &[FD, Arg::Int(4_096)], ok(0)).contains("4,096"));

    let command = |command: FcntlCommand| Arg::Named(command.named());
    assert!(told(F::FCNTL, &[FD, command(F_GETFL)], ok(2)).contains("F_SETFL"));
    let nonblock = [FD, command(F_SETFL), Arg::OpenFlags(O_RDWR | O_NONBLOCK)];
    assert!(told(F::FCNTL, &nonblock, ok(0)).contains("EAGAIN"));
    let cloexec = [FD, command(F_SETFD), Arg::Named(FD_CLOEXEC.named())];
    assert!(told(F::FCNTL, &cloexec, ok(0)).contains("other programs"));
    let pair = [FdNumber::new(7), FdNumber::new(8)];
    let pipe = told(F::PIPE, &[Arg::Fds(pair)], ok(0));
    assert_eq!(pipe, "what is written to 8 comes out of 7 (lab signal-race)");
    let handler = SignalHandler::Function(1);
    let action = SignalAction { handler, mask: vec![], flags: SA_RESTART };
    let handles =
        [Arg::Named(SIGINT.named()), Arg::Action(Some(Box::new(action))), Arg::Action(None)];
    assert!(told(F::SIGACTION, &handles, ok(0)).starts_with("SIGINT "));
}

#[test]
fn connecting_has_its_lessons() {
    use Function as F;
    let mut told = ToldExplainer::new();
    let mut told = |function, args: &[Arg<'_>], outcome| told.plain(function, args, outcome);
    assert!(told(F::CONNECT, &[FD], ok(0)).contains("the handshake is complete"));
    assert!(told(F::CONNECT, &[FD], err(Errno::EINPROGRESS)).contains("SO_ERROR"));
    assert!(told(F::CONNECT, &[FD], err(Errno::ECONNREFUSED)).contains("no server listens"));
    let error = |errno: i32| {
        let option = Arg::OptionName(SOL_SOCKET, SO_ERROR.number());
        [FD, option, Arg::Value(Value::Error(errno))]
    };
    assert!(
        told(F::GETSOCKOPT, &error(0), ok(0))
            .starts_with("no pending error: if connect has finished")
    );
    let refused = error(Errno::ECONNREFUSED.number());
    assert!(told(F::GETSOCKOPT, &refused, ok(0)).starts_with("ECONNREFUSED was pending"));
}

#[test]
fn select_has_its_lessons() {
    let mut told = ToldExplainer::new();
    let first = selects(&mut told, &[7], &[], ok(1));
    assert!(first.starts_with("can 7 be read? nfds 8 "), "{first}");
    assert!(first.contains("7 is ready: ready descriptors stay"), "{first}");
    let second = selects(&mut told, &[3, 7], &[], ok(1));
    assert!(second.starts_with("1 of 2 ready: the other bits are cleared"), "{second}");
    let both = selects(&mut told, &[3, 7], &[5], err(Errno::EINTR));
    assert!(both.starts_with("can 2 descriptors be read? Is there room to send on 5?"), "{both}");
    assert!(both.contains("a signal arrived"), "{both}");
    let room = selects(&mut ToldExplainer::new(), &[], &[5], ok(1));
    assert!(room.starts_with("is there room to send on 5?"), "{room}");
    assert!(room.contains("out: send on 5 would not wait"), "{room}");
    let over = selects(&mut told, &[3], &[], ok(0));
    assert_eq!(over, "nothing ready in 1.5 s: the sets are empty now (lab select-eats-its-sets)");
    assert!(selects(&mut told, &[3], &[], err(Errno::EBADF)).contains("not open"));

    let left = Some(TimeVal { tv_sec: 0, tv_usec: 999_996 });
    let note = Note::Select { sets: [None, None, None], left };
    let rewritten = told.of(Function::SELECT, &[Arg::Int(4)], ok(0), note).join("; ");
    assert!(rewritten.contains("Linux leaves 0.999996 s"), "{rewritten}");
}

#[test]
fn poll_has_its_lessons() {
    let mut told = ToldExplainer::new();
    let first = polls(&mut told, &[POLLIN], ok(1));
    assert!(first.starts_with("1,000 rows of questions"), "{first}");
    assert!(first.contains("1 of 1,000 ready"), "{first}");
    assert!(polls(&mut told, &[POLLOUT], ok(1)).contains("POLLOUT: send on 4 would not wait"));
    let broken = polls(&mut told, &[POLLIN | POLLERR | POLLHUP], ok(1));
    assert!(broken.contains("POLLHUP, unasked: 4"), "{broken}");
    assert!(broken.contains("POLLERR, unasked: the next call on 4"), "{broken}");
    assert!(polls(&mut told, &[POLLNVAL], ok(1)).contains("POLLNVAL: 4 is not open"));
    assert!(polls(&mut told, &[], ok(0)).contains("nothing ready in 0.25 s"));
    assert!(polls(&mut told, &[], err(Errno::EINTR)).contains("a signal arrived"));
    if let Some(rdhup) = PollEvents::CONSTANTS.iter().find(|bit| bit.name == "POLLRDHUP") {
        let finished = PollEvents::from_bits(rdhup.value as i32);
        assert!(polls(&mut told, &[finished], ok(1)).contains("the peer of 4 has finished"));
    }
}

#[test]
fn accept_has_its_lessons() {
    use Function as F;
    let mut told = ToldExplainer::new();
    let mut told = |function, args: &[Arg<'_>], outcome| told.plain(function, args, outcome);
    assert!(told(F::ACCEPT, &[FD], ok(6)).starts_with("6 is a new socket"));
    assert!(told(F::ACCEPT, &[FD], err(Errno::EAGAIN)).contains("(explain EAGAIN)"));
    assert!(told(F::ACCEPT, &[FD], err(Errno::EMFILE)).contains("4 stays ready"));
    assert!(told(F::ACCEPT, &[FD], err(Errno::ECONNABORTED)).contains("(lab accept-after-rst)"));
    let nonblock = SocketFlags::CONSTANTS.iter().find(|flag| flag.name == "SOCK_NONBLOCK");
    if let Some(flag) = nonblock {
        let flags = Arg::Named(SocketFlags::from_bits(flag.value as i32).named());
        assert!(told(F::ACCEPT4, &[FD, flags], ok(6)).contains("saves two calls"));
    }
}

#[test]
fn moving_has_its_lessons() {
    use Function as F;
    let mut told = ToldExplainer::new();
    let mut told = |function, args: &[Arg<'_>], outcome| told.plain(function, args, outcome);
    assert!(told(F::RECV, &bytes(65_536), ok(1)).starts_with("1 byte;"));
    assert!(told(F::RECV, &bytes(65_536), ok(65_536)).starts_with("65,536 bytes, as many"));
    assert!(told(F::RECV, &bytes(65_536), err(Errno::EAGAIN)).contains("only a hint"));
    assert!(told(F::RECV, &bytes(65_536), err(Errno::EINTR)).contains("call again"));
    assert!(told(F::RECV, &bytes(65_536), err(Errno::ECONNRESET)).contains("reset"));
    assert!(told(F::RECV, &bytes(65_536), ok(0)).starts_with("0 is the end"));
    assert!(told(F::RECV, &bytes(0), ok(0)).starts_with("0 of 0 bytes is not the end"));
    assert!(told(F::SEND, &bytes(6), ok(6)).starts_with("6 bytes in the send buffer"));
    assert_eq!(
        told(F::SEND, &bytes(65_536), ok(2_304)),
        "took 2,304 of 65,536 bytes: the send buffer is full (lab partial-send)"
    );
    assert!(told(F::SEND, &bytes(65_536), err(Errno::EAGAIN)).contains("none of 65,536"));
    assert!(told(F::SEND, &bytes(6), err(Errno::EPIPE)).contains("SIGPIPE was raised too"));
    let quietly = [FD, Arg::Int(6), Arg::Named(MSG_NOSIGNAL.named())];
    assert!(told(F::SEND, &quietly, err(Errno::EPIPE)).contains("no SIGPIPE"));
    assert!(told(F::SEND, &bytes(6), err(Errno::ECONNRESET)).contains("these bytes are lost"));
    assert!(told(F::READ, &bytes(9), ok(3)).starts_with("3 bytes: all that had arrived"));
    assert!(told(F::READ, &bytes(9), ok(0)).contains("no more bytes will arrive"));
    assert!(told(F::READ, &bytes(9), err(Errno::EAGAIN)).contains("nothing to read"));
    assert!(told(F::WRITE, &bytes(9), ok(9)).starts_with("9 bytes taken"));
    assert!(told(F::WRITE, &bytes(9), ok(3)).starts_with("took 3 of 9 bytes"));
    assert!(told(F::WRITE, &bytes(9), err(Errno::EAGAIN)).contains("none of 9"));
    let file = |count: i64| {
        let given = 0;
        let returned = Some(count);
        [FD, Arg::Fd(FdNumber::new(5)), Arg::Offset { given, returned }, Arg::Int(count)]
    };
    assert!(told(F::SENDFILE, &file(9_000), ok(9_000)).starts_with("9,000 bytes of a file"));
    assert!(told(F::SENDFILE, &file(9_000), ok(300)).starts_with("took 300 of 9,000"));
    assert!(told(F::SENDFILE, &file(9_000), ok(0)).starts_with("0: the file ends here"));
    assert!(told(F::SENDFILE, &file(9_000), err(Errno::EAGAIN)).contains("none of 9,000"));
    assert!(told(F::SENDFILE, &file(9), err(Errno::EINVAL)).contains("read, then send"));
    assert!(told(F::SENDFILE, &file(9), err(Errno::EPIPE)).contains("SIGPIPE was raised too"));
    let [nothing, into] = [Arg::Pointer(0), Arg::Fd(FdNumber::new(5))];
    let spliced = [FD, nothing.clone(), into, nothing, Arg::Int(64), Arg::Int(0)];
    assert!(told(F::SPLICE, &spliced, ok(2)).starts_with("2 bytes of up to 64"));
    assert!(told(F::SPLICE, &spliced, ok(0)).contains("mark of an urgent byte; recv tells which"));
    assert!(
        told(F::SPLICE, &spliced, err(Errno::EAGAIN)).contains("mark of an urgent byte is next")
    );
    assert!(told(F::SPLICE, &spliced, err(Errno::EINVAL)).contains("must be a pipe"));
    assert!(told(F::SPLICE, &spliced, err(Errno::EPIPE)).contains("SIGPIPE was raised too"));
    let range =
        |flags: &'static str| [Arg::Int(3), Arg::Int(4_294_967_295), Arg::Word(flags.into())];
    let [closed, marked] = [range("0"), range("CLOSE_RANGE_CLOEXEC")];
    assert!(
        told(F::CLOSE_RANGE, &closed, ok(0)).starts_with("what was open in this range is closed")
    );
    assert!(told(F::CLOSE_RANGE, &marked, ok(0)).starts_with("exec will close what is open"));
    assert!(told(F::CLOSE_RANGE, &marked, err(Errno::EINVAL)).contains("above the last"));
}

#[test]
fn datagrams_are_not_told_what_is_true_of_streams() {
    use Function as F;
    let mut told = ToldExplainer::new();
    let mut told = |function, args: &[Arg<'_>], outcome| told.plain(function, args, outcome);
    told(F::SOCKET, &[Arg::Type(SOCK_DGRAM)], ok(4));
    let at = Address::v4([127, 0, 0, 1].into(), 7007);
    assert!(told(F::BIND, &[FD, Arg::address(&at)], ok(0)).contains("datagrams can arrive"));
    assert_eq!(told(F::RECV, &bytes(100), ok(0)), "");
    assert_eq!(told(F::RECV, &bytes(100), ok(7)), "");
    assert!(told(F::RECVFROM, &bytes(100), ok(0)).contains("which is not the end"));
    assert!(told(F::RECVFROM, &bytes(100), ok(7)).starts_with("one datagram of 7 bytes"));
    assert!(told(F::RECVFROM, &bytes(100), ok(100)).contains("what did not fit is lost"));
    assert!(told(F::RECVFROM, &bytes(100), err(Errno::EAGAIN)).contains("queue is empty"));
    assert!(told(F::SENDTO, &bytes(100), ok(100)).contains("arrival is not reported"));
    assert!(told(F::SENDTO, &bytes(7), err(Errno::ECONNREFUSED)).contains("no socket had"));
    assert!(told(F::RECV, &bytes(7), err(Errno::ECONNREFUSED)).contains("no socket had"));
    assert!(told(F::CONNECT, &[FD, Arg::address(&at)], ok(0)).starts_with("nothing is sent: 4 "));
}

#[test]
fn a_lesson_is_told_the_1st_the_10th_the_100th_time() {
    let mut told = ToldExplainer::new();
    let mut remarks = Vec::new();
    for time in 1..=1_000 {
        let said = told.plain(Function::SEND, &bytes(6), ok(6));
        if !said.is_empty() {
            remarks.push((time, said));
        }
    }
    let times: Vec<_> = remarks.iter().map(|(time, _)| *time).collect();
    assert_eq!(times, [1, 10, 100, 1_000]);
    assert!(remarks[0].1.ends_with("(lab send-is-a-copy)"), "{}", remarks[0].1);
    assert!(remarks[3].1.ends_with("(1,000 times by now)"), "{}", remarks[3].1);
}

#[test]
fn an_intent_is_told_by_the_same_rule() {
    let heard = Heard::default();
    let traced = install(Tracer::new(Explainer::new(heard.clone())));
    for _ in 0..99 {
        intent("the rest waits");
    }
    drop(traced);
    assert_eq!(*heard.0.borrow(), ["the rest waits", "the rest waits (10 times by now)"]);
}

#[test]
fn a_thousand_echoes_give_few_lines_and_none_of_their_bytes() {
    let heard = Heard::default();
    let [a, b] = sys::socketpair(AF_UNIX, SOCK_STREAM, Protocol::default()).unwrap();
    let traced = install(Tracer::new(Explainer::new(heard.clone())));
    let hostile = b"\x1b[2J\"); close(3) = 0\n\xff";
    let mut buf = [0; 64];
    for _ in 0..1_000 {
        sys::send(&a, hostile, MSG_NOSIGNAL).unwrap();
        let received = sys::recv(&b, &mut buf, MsgFlags::NONE).unwrap();
        sys::send(&b, &buf[..received], MSG_NOSIGNAL).unwrap();
        sys::recv(&a, &mut buf, MsgFlags::NONE).unwrap();
    }
    drop(traced);
    let heard = heard.0.borrow();
    assert_eq!(heard.len(), 2 * 4, "{heard:?}");
    for remark in heard.iter() {
        assert!(remark.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{remark:?}");
        assert!(!remark.contains("2J"), "{remark}");
    }
}
