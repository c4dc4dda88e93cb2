//! `sigaction`, `sigprocmask`, `kill`, and a handler that runs between other calls.

use baresock::sys::*;

pub(super) fn drive() {
    actions();
    masks();
    sending();
    self_pipe_in_a_handler();
}

/// SIGUSR1 interrupts calls from now on.
pub(super) fn interrupt_on_usr1(flags: SaFlags) {
    let act = SigAction { flags, ..SigAction::new(Handler::Interrupt) };
    sigaction(SIGUSR1, Some(&act), None).unwrap();
}

fn actions() {
    let mut old = SigAction::new(Handler::Default);
    let masks = [
        SignalSet::empty(),
        SignalSet::empty().with(SIGINT),
        SignalSet::empty().with(SIGUSR1).with(SIGTERM).with(SIGINT).with(SIGIO),
    ];
    let flags = [
        SaFlags::NONE,
        SA_RESTART,
        SA_RESTART | SA_NODEFER,
        SA_RESETHAND | SA_NOCLDSTOP,
        SA_SIGINFO | SA_RESTART,
    ];
    for handler in [Handler::Default, Handler::Ignore, Handler::Interrupt, Handler::SelfPipe] {
        for mask in masks {
            for flags in flags {
                let act = SigAction { handler, mask, flags };
                sigaction(SIGUSR2, Some(&act), Some(&mut old)).unwrap();
            }
        }
    }
    for known in Signal::CONSTANTS {
        let _ = sigaction(Signal::from_bits(known.value as i32), None, Some(&mut old));
    }
    sigaction(SIGUSR2, None, None).unwrap();
    sigaction(SIGUSR2, Some(&SigAction::new(Handler::Default)), None).unwrap();
    let act = SigAction::new(Handler::Interrupt);
    for signal in [SIGKILL, SIGSTOP] {
        assert_eq!(sigaction(signal, Some(&act), None), Err(Errno::EINVAL));
        assert_eq!(sigaction(signal, Some(&act), Some(&mut old)), Err(Errno::EINVAL));
    }
    // Signals without a name here, and numbers that libc keeps to itself or that are no signal.
    for number in [6, 11, 31, 34, 64, 32, 33, 0, -1, 65, 4242] {
        let _ = sigaction(Signal::from_bits(number), None, Some(&mut old));
    }
}

fn masks() {
    let mut every = SignalSet::empty();
    for known in Signal::CONSTANTS {
        every = every.with(Signal::from_bits(known.value as i32));
    }
    let rare = [6, 11, 34, 64].map(Signal::from_bits);
    let with_rare = rare.iter().fold(SignalSet::empty(), |set, signal| set.with(*signal));
    let mut full = SignalSet::empty();
    for number in 1..=64 {
        full = full.with(Signal::from_bits(number));
    }
    let without_one = (1..=64)
        .filter(|number| *number != SIGINT.bits())
        .fold(SignalSet::empty(), |set, number| set.with(Signal::from_bits(number)));
    let before = sigprocmask(&SignalSet::empty()).unwrap();
    for set in [SignalSet::empty().with(SIGUSR2), every, with_rare, without_one, full, before] {
        sigprocmask(&set).unwrap();
    }
}

fn sending() {
    let own = std::process::id();
    kill(own, Signal::from_bits(0)).unwrap();
    assert_eq!(kill(own, Signal::from_bits(4242)), Err(Errno::EINVAL));
    // No process has a number beyond the limit of the kernel, 4,194,304.
    assert_eq!(kill(i32::MAX as u32, SIGUSR1), Err(Errno::ESRCH));
    sigaction(SIGURG, Some(&SigAction::new(Handler::Ignore)), None).unwrap();
    kill(own, SIGURG).unwrap();
    for known in [SIGWINCH, SIGCHLD, SIGCONT] {
        kill(own, known).unwrap();
    }
}

fn self_pipe_in_a_handler() {
    let [out, into] = pipe().unwrap();
    fcntl_setfl(&into, O_NONBLOCK).unwrap();
    drop(self_pipe(Some(into)));
    sigaction(SIGUSR2, Some(&SigAction::new(Handler::SelfPipe)), None).unwrap();
    kill(std::process::id(), SIGUSR2).unwrap();
    let mut buf = [0; 8];
    assert_eq!(read(&out, &mut buf), Ok(1));
    assert_eq!(i32::from(buf[0]), SIGUSR2.bits());
    sigaction(SIGUSR2, Some(&SigAction::new(Handler::Ignore)), None).unwrap();
    drop(self_pipe(None));
}
