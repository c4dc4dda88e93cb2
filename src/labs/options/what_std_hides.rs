//! What do `std::net`, `socket2` and `nix` do that I did not ask for?
//!
//! std does a lot: it ignores SIGPIPE before main, makes its descriptors close-on-exec, sets SO_REUSEADDR, listens with
//! a backlog of 128, sends with MSG_NOSIGNAL, and retries accept after a signal. socket2 only adds close-on-exec. nix
//! does what C does, but drops some results. The libraries' calls run on threads, which are not traced; the lab then
//! queries the state that they leave behind.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::sys::socket as of_nix;

use crate::labs::peers::{Alarm, Peer, joined, spawn};
use crate::labs::run::{LabResult, Run, Stop};
use crate::labs::scene::{client_of, listener, set_nonblocking, tcp_pair};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "what-std-hides",
    claim: "std adds options, flags and retries; socket2 adds a flag; nix drops results.",
    question: "What do std::net, socket2 and nix do that I did not ask for?",
    explanation: "std chooses what suits most programs: no SIGPIPE, close-on-exec everywhere, SO_REUSEADDR and a \
        backlog of 128 on every TcpListener, an accept that retries after signals. socket2 only sets close-on-exec; \
        its send does not kill the program only because std ignores SIGPIPE. nix adds nothing to the C calls, but \
        drops some results: its accept returns no peer's address, and its FdSet panics at FD_SETSIZE, where C overruns \
        and ours returns an error. If you know the calls, you can tell what a library does for you.",
    elsewhere: "On macOS std passes no MSG_NOSIGNAL: std and socket2 set SO_NOSIGPIPE on the sockets that they make, but \
        not on others. They set close-on-exec in a second call after accept: a fork in between leaks the descriptor.",
    sources: &[
        "library/std/src/sys/net of Rust",
        "library/std/src/sys/pal/unix of Rust (reset_sigpipe, sanitize_standard_fds)",
        "nix, sys::socket::accept (no address) and sys::select (assert_fd_valid)",
        "socket2, Socket::new and Socket::new_raw",
        "signal(7)",
    ],
    related: &["sigpipe-or-not", "eintr-despite-sa-restart", "time-wait-bind", "close-is-refcount"],
    words: &["SIGPIPE", "FD_CLOEXEC", "SO_REUSEADDR", "MSG_NOSIGNAL", "EINTR", "SO_NOSIGPIPE"],
    minutes: 5,
    predictions: &[
        &BEFORE_MAIN,
        &STD_CLOEXEC,
        &SOCKET2_CLOEXEC,
        &NIX_CLOEXEC,
        &STD_REUSEADDR,
        &SOCKET2_REUSEADDR,
        &STD_BACKLOG,
        &STD_SEND,
        &SOCKET2_SEND,
        &OUR_ACCEPT,
        &STD_ACCEPT,
        &STD_ACCEPTED,
        &SOCKET2_ACCEPT,
        &STD_READ,
        &STD_READ_EXACT,
    ],
    spoiled_by: "getsockopt:ENOPROTOOPT@1",
    run,
    ..Lab::ORDINARY
};

const BEFORE_MAIN: Prediction = Prediction {
    asks: "This is a Rust program that has not changed SIGPIPE. What is the signal's action?",
    choices: &["SIG_DFL", "SIG_IGN"],
    expect: Expect::on_linux(Expected::Is("SIG_IGN")),
};

const CLOEXEC: &[&str] = &["0", "FD_CLOEXEC"];

const STD_CLOEXEC: Prediction = Prediction {
    asks: "Which flags does the descriptor of std's TcpListener have?",
    choices: CLOEXEC,
    expect: Expect::on_linux(Expected::Is("FD_CLOEXEC")),
};

const SOCKET2_CLOEXEC: Prediction = Prediction {
    asks: "And that of socket2's Socket::new?",
    choices: CLOEXEC,
    expect: Expect::on_linux(Expected::Is("FD_CLOEXEC")),
};

const NIX_CLOEXEC: Prediction = Prediction {
    asks: "And that of nix's socket?",
    choices: CLOEXEC,
    expect: Expect::on_linux(Expected::Is("0")),
};

const STD_REUSEADDR: Prediction = Prediction {
    asks: "What is SO_REUSEADDR on std's listener?",
    choices: &["0", "1"],
    expect: Expect::on_linux(Expected::Is("1")),
};

const SOCKET2_REUSEADDR: Prediction = Prediction {
    asks: "And on socket2's?",
    choices: &["0", "1"],
    expect: Expect::on_linux(Expected::Is("0")),
};

const STD_BACKLOG: Prediction = Prediction {
    asks: "std's bind takes no backlog. Which backlog did it pass to listen?",
    choices: &["5", "128", "4096"],
    expect: Expect::on_linux(Expected::Is("128")),
};

/// A read of the self-pipe gives 1 if the signal came.
const CAME: &[&str] = &["1", "EAGAIN"];

const STD_SEND: Prediction = Prediction {
    asks: "Now SIGPIPE has a handler. std writes after SHUT_WR and gets EPIPE. Did SIGPIPE come? (1: yes)",
    choices: CAME,
    expect: Expect::on_linux(Expected::Is("EAGAIN")),
};

const SOCKET2_SEND: Prediction = Prediction {
    asks: "socket2 does the same. Did SIGPIPE come?",
    choices: CAME,
    expect: Expect::on_linux(Expected::Is("1")),
};

const OUR_ACCEPT: Prediction = Prediction {
    asks: "A signal comes while the bare accept waits. What does accept give?",
    choices: &["success", "EINTR"],
    expect: Expect::on_linux(Expected::Is("EINTR")),
};

const STD_ACCEPT: Prediction = Prediction {
    asks: "Signals come while std's accept waits, then a client connects. What does it give?",
    choices: &["success", "EINTR"],
    expect: Expect::on_linux(Expected::Is("success")),
};

const STD_ACCEPTED: Prediction = Prediction {
    asks: "Which flags does the accepted descriptor have?",
    choices: CLOEXEC,
    expect: Expect::on_linux(Expected::Is("FD_CLOEXEC")),
};

const SOCKET2_ACCEPT: Prediction = Prediction {
    asks: "Signals come while socket2's accept waits. What does it give?",
    choices: &["success", "EINTR"],
    expect: Expect::on_linux(Expected::Is("EINTR")),
};

const STD_READ: Prediction = Prediction {
    asks: "Signals come while std's read waits, then a byte arrives. What does it give?",
    choices: &["success", "EINTR"],
    expect: Expect::on_linux(Expected::Is("EINTR")),
};

const STD_READ_EXACT: Prediction = Prediction {
    asks: "And std's read_exact?",
    choices: &["success", "EINTR"],
    expect: Expect::on_linux(Expected::Is("success")),
};

fn run(lab: &mut Run<'_>) -> LabResult {
    lab.part("Before main");
    lab.say("Rust's runtime has already made calls: it polled descriptors 0 to 2, to open /dev/null for one that is closed, and set SIGPIPE to be ignored. strace shows these calls; our trace does not.");
    let mut found = SigAction::new(Handler::Default);
    lab.predict(&BEFORE_MAIN);
    sigaction(SIGPIPE, None, Some(&mut found))?;
    lab.observe(match found.handler {
        Handler::Default => "SIG_DFL",
        Handler::Ignore => "SIG_IGN",
        _ => "a handler",
    });

    lab.part("Three listeners");
    listeners(lab)?;

    lab.part("Writing after shutdown");
    lab.say("First a pipe, and handlers that write into it: that makes a signal visible.");
    let [pipe, write_end] = pipe()?;
    set_nonblocking(&pipe)?;
    set_nonblocking(&write_end)?;
    drop(self_pipe(Some(write_end)));
    writes(lab, &pipe)?;
    sigaction(SIGPIPE, Some(&found), None)?;

    lab.part("Signals while they wait");
    // Without SA_RESTART, because otherwise the kernel itself would restart these calls.
    sigaction(SIGUSR1, Some(&SigAction::new(Handler::SelfPipe)), None)?;
    waits(lab, &pipe)?;
    sigaction(SIGUSR1, Some(&SigAction::new(Handler::Ignore)), None)?;
    drop(self_pipe(None)); // the end that the handlers wrote to
    Ok(())
}

fn listeners(lab: &mut Run<'_>) -> LabResult {
    lab.say("A thread makes a listener at 127.0.0.1 with each library, in the simplest way that the library offers.");
    let [by_std, by_socket2, by_nix] = joined(spawn(|| {
        Ok::<_, io::Error>(
            [std_listener()?.into(), socket2_listener()?.into(), nix_listener()?]
                .map(|fd: OwnedFd| Fd::from(fd)),
        )
    }))?;
    lab.predict(&STD_CLOEXEC);
    lab.observe(fcntl_getfd(&by_std).map(|flags| flags.to_string()));
    lab.predict(&SOCKET2_CLOEXEC);
    lab.observe(fcntl_getfd(&by_socket2).map(|flags| flags.to_string()));
    lab.predict(&NIX_CLOEXEC);
    lab.observe(fcntl_getfd(&by_nix).map(|flags| flags.to_string()));
    lab.predict(&STD_REUSEADDR);
    lab.observe(getsockopt(&by_std, SOL_SOCKET, SO_REUSEADDR));
    lab.predict(&SOCKET2_REUSEADDR);
    lab.observe(getsockopt(&by_socket2, SOL_SOCKET, SO_REUSEADDR));
    lab.say("The backlog that ss shows as the listener's Send-Q, and getsockopt in TCP_INFO: a thread asks for it.");
    lab.predict(&STD_BACKLOG);
    let number = by_std.number();
    let told = joined(spawn(move || Ok::<_, Errno>(socket_state(number))))?;
    let backlog = told.and_then(|told| told.waiting).map(|(_, most)| most.to_string());
    lab.observe(backlog.unwrap_or("not told".to_string()));
    Ok(())
}

fn std_listener() -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
}

fn socket2_listener() -> io::Result<socket2::Socket> {
    let l = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
    l.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    l.listen(5)?;
    Ok(l)
}

fn nix_listener() -> io::Result<OwnedFd> {
    let l = of_nix::socket(
        of_nix::AddressFamily::Inet,
        of_nix::SockType::Stream,
        of_nix::SockFlag::empty(),
        None,
    )?;
    of_nix::bind(l.as_raw_fd(), &of_nix::SockaddrIn::new(127, 0, 0, 1, 0))?;
    of_nix::listen(&l, of_nix::Backlog::new(5)?)?;
    Ok(l)
}

fn writes(lab: &mut Run<'_>, pipe: &Fd) -> LabResult {
    let mut signal = [0; 8];
    sigaction(SIGPIPE, Some(&SigAction::new(Handler::SelfPipe)), None)?;
    let (ours, _peer) = tcp_pair()?;
    shutdown(&ours, SHUT_WR)?;
    lab.predict(&STD_SEND);
    let ours = Peer::with(ours, |stream| is_broken(stream.write(b"x"))).done()?;
    lab.observe(read(pipe, &mut signal));
    lab.predict(&SOCKET2_SEND);
    let ours = socket2::Socket::from(OwnedFd::from(ours));
    joined(spawn(move || is_broken(ours.send(b"x"))))?;
    lab.observe(read(pipe, &mut signal));
    Ok(())
}

/// That the write fails is known; whether it kills the process is the question.
fn is_broken(written: io::Result<usize>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(io::Error::other("the write succeeded")),
    }
}

fn waits(lab: &mut Run<'_>, pipe: &Fd) -> LabResult {
    let (l, _) = listener()?;
    lab.predict(&OUR_ACCEPT);
    let alarm = Alarm::every(PERIOD, SIGUSR1);
    let accepted = accept(&l);
    drop(alarm);
    lab.observe(accepted.map(drop));
    lab.say(
        "From now on this thread blocks SIGUSR1, so that the kernel delivers it to the thread that waits.",
    );
    sigprocmask(&SignalSet::empty().with(SIGUSR1))?;

    let (l, address) = listener()?;
    let l = TcpListener::from(OwnedFd::from(l));
    lab.predict(&STD_ACCEPT);
    let accepted = under_signals(pipe, move || l.accept(), || client_of(&address).map(drop))?;
    lab.observe(errno_of(&accepted));
    let (accepted, _) = accepted?;
    let accepted = Fd::from(OwnedFd::from(accepted));
    lab.predict(&STD_ACCEPTED);
    lab.observe(fcntl_getfd(&accepted).map(|flags| flags.to_string()));
    lab.say("accept4 set the flag in the same call, where the system has accept4.");

    let (l, address) = listener()?;
    let l = socket2::Socket::from(OwnedFd::from(l));
    lab.predict(&SOCKET2_ACCEPT);
    let accepted = under_signals(pipe, move || l.accept(), || client_of(&address).map(drop))?;
    lab.observe(errno_of(&accepted));

    let (ours, peer) = tcp_pair()?;
    let mut ours = TcpStream::from(OwnedFd::from(ours));
    let one_byte = || send(&peer, b"x", MSG_NOSIGNAL).map(drop);
    lab.predict(&STD_READ);
    let received = under_signals(pipe, move || ours.read(&mut [0; 1]), one_byte)?;
    lab.observe(errno_of(&received));

    let (ours, peer) = tcp_pair()?;
    let mut ours = TcpStream::from(OwnedFd::from(ours));
    let one_byte = || send(&peer, b"x", MSG_NOSIGNAL).map(drop);
    lab.predict(&STD_READ_EXACT);
    let received = under_signals(pipe, move || ours.read_exact(&mut [0; 1]), one_byte)?;
    lab.observe(errno_of(&received));
    Ok(())
}

const PERIOD: Duration = Duration::from_millis(10);
/// The first of them might come before the call that is to be interrupted has begun to wait.
const SIGNALS: usize = 5;

/// Lets a thread wait while signals come, then ends its wait if it still waits, and returns its
/// result.
fn under_signals<T: Send + 'static>(
    pipe: &Fd,
    waits: impl FnOnce() -> io::Result<T> + Send + 'static,
    end: impl FnOnce() -> Result<()>,
) -> std::result::Result<io::Result<T>, Stop> {
    let waiting = spawn(move || {
        // It inherited the signal mask of the lab's thread, which blocks SIGUSR1 and others. The alarm stays
        // with that thread.
        sigprocmask(&SignalSet::empty().with(SIGALRM))?;
        Ok::<_, Errno>(waits())
    });
    let alarm = Alarm::every(PERIOD, SIGUSR1);
    let mut came = 0;
    let began = Instant::now();
    while came < SIGNALS && !waiting.is_finished() && began.elapsed() < PERIOD * 200 {
        if wait_a_moment(pipe)? {
            came += read(pipe, &mut [0; SIGNALS])?;
        }
    }
    drop(alarm);
    if !waiting.is_finished() {
        end()?;
    }
    joined(waiting)
}

/// Whether a signal has come.
fn wait_a_moment(pipe: &Fd) -> Result<bool> {
    Ok(poll(&mut [PollFd::new(pipe.as_fd(), POLLIN)], 50)? == 1)
}

/// The errno's name in C, which std has translated.
fn errno_of<T>(got: &io::Result<T>) -> Result<()> {
    match got {
        Ok(_) => Ok(()),
        Err(error) => Err(Errno::from_number(error.raw_os_error().unwrap_or(0))),
    }
}
