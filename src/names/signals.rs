//! The signals that matter for sockets, and the flags of `sigaction`.

use super::constants;

constants! {
    /// A signal.
    one Signal, "" {
        SIGHUP, "the terminal is gone";
        SIGINT, "interrupt, from the keyboard";
        SIGQUIT, "quit, from the keyboard";
        SIGKILL, "end at once, cannot be caught";
        SIGUSR1, "of the user's own meaning";
        SIGUSR2, "of the user's own meaning";
        SIGPIPE, "wrote to a pipe or socket whose reader is gone";
        SIGALRM, "the alarm clock";
        SIGTERM, "please end";
        SIGCHLD, "a child has ended or stopped";
        SIGCONT, "go on";
        SIGSTOP, "stop, cannot be caught";
        SIGXFSZ, "a file would become longer than allowed";
        SIGURG, "urgent data has come";
        SIGIO, "a descriptor is ready";
        SIGWINCH, "the terminal has another size";
    }
}

constants! {
    /// The flags of a signal's action.
    flags SaFlags, "SA_???" {
        SA_ONSTACK, "the handler runs on a stack of its own";
        SA_RESTART, "a call that the signal interrupts is begun again, if possible";
        SA_NODEFER, "the signal may interrupt its own handler";
        SA_RESETHAND, "the handler serves one signal only";
        SA_SIGINFO, "the handler is told more";
        SA_NOCLDSTOP, "no SIGCHLD when a child merely stops";
        SA_NOCLDWAIT, "children that have ended leave nothing to wait for";
    }
}
