//! Signals, the flags of `sigaction`, and the actions for a signal.

use super::entries;

entries! { SIGNALS {
    SIGHUP {
        means: "The session has lost its terminal; it ends the process unless handled.",
        when: "Closing a window in which a server runs.",
        advice: "Daemons read their configuration again on it, by custom. It has nothing to do with POLLHUP.",
    }
    SIGINT {
        means: "Control-C. It ends the process unless handled, and goes to the whole foreground group.",
        when: "Stopping a server by hand.",
        advice: "Write a byte into a pipe that the loop watches, and shut down gracefully.",
        lab: "signal-race",
    }
    SIGQUIT {
        means: "Control-\\: end, and leave a core dump.",
        when: "A program that ignores SIGINT.",
        advice: "Leave it at its default, as a way out.",
    }
    SIGKILL {
        means: "The process cannot catch it; the kernel closes all its descriptors.",
        when: "kill -9, or the kernel out of memory.",
        advice: "Peers see an ordinary FIN, or RST if bytes were unread. sigaction gives EINVAL.",
    }
    SIGUSR1 {
        means: "It has no fixed meaning; it ends the process unless handled.",
        when: "Uses of your own: print statistics, reopen the log.",
        advice: "Install the handler early.",
    }
    SIGUSR2 {
        means: "A second signal for your own use; it also ends the process unless handled.",
        when: "If SIGUSR1 is already used.",
        advice: "Two commands are the limit; for more, use a socket.",
    }
    SIGPIPE {
        means: "Comes with EPIPE and by default kills the process without a message.",
        when: "\"My server dies when a client disconnects.\"",
        advice: "MSG_NOSIGNAL with each send, or ignore the signal for the whole process.",
        systems: "Rust programs ignore it from the start, C programs do not. gVisor's send never raises it (ran).",
        lab: "sigpipe-or-not",
    }
    SIGALRM {
        means: "The time set with alarm or setitimer has passed.",
        when: "Old programs that give a blocking call a time limit.",
        advice: "Use the timeout of select or poll: an alarm may come just before the call.",
        lab: "signal-race",
    }
    SIGTERM {
        means: "What kill sends, and init at shutdown; it ends the process unless handled.",
        when: "Services that are stopped or restarted.",
        advice: "Stop accepting, send all pending bytes, close, exit (a graceful shutdown).",
    }
    SIGCHLD {
        means: "A child has ended, so wait would return. Ignored unless handled.",
        when: "Servers that fork for each client: EINTR in accept, and zombies unless the server waits.",
        advice: "In the handler, wait in a loop without blocking: several ends may come as one signal.",
        lab: "eintr-despite-sa-restart",
    }
    SIGCONT {
        means: "It continues a stopped process, whether or not the process handles it.",
        when: "fg and bg in a shell.",
        advice: "Draw the screen again, and check the clock: a handler makes select and poll fail with EINTR. On Linux a recv with SO_RCVTIMEO may fail with EINTR even without a handler.",
        lab: "stopped-while-waiting",
    }
    SIGSTOP {
        means: "The process is stopped until SIGCONT. Its kernel still acknowledges bytes for it.",
        when: "A stopped peer: connect and send still succeed, until buffers are full.",
        advice: "Good for experiments: kill -STOP the server, and watch the client.",
        lab: "send-is-a-copy",
    }
    SIGXFSZ {
        means: "A write would make a file longer than ulimit -f allows. It ends the process unless it is handled or ignored.",
        when: "A log or a trace that has reached the limit of its user's shell.",
        advice: "Ignore the signal: the write then fails with EFBIG, and the program can say so.",
    }
    SIGURG {
        means: "An urgent byte has arrived on a socket that has an owner. Ignored by default.",
        when: "After F_SETOWN; otherwise never.",
        advice: "Then recv with MSG_OOB.",
        lab: "oob-one-byte",
    }
    SIGIO {
        means: "Some descriptor with O_ASYNC can be read or written. It ends the process unless handled (Linux).",
        when: "Signal-driven input and output.",
        advice: "It does not say which descriptor: ask select or poll.",
    }
    SIGWINCH {
        means: "The window was resized. Ignored unless handled.",
        when: "A surprising EINTR in programs on a terminal that handle it.",
        advice: "Treat EINTR as ordinary.",
    }
} }

entries! { SIGACTION_FLAGS {
    SA_ONSTACK {
        means: "A handler that can run even when the ordinary stack is exhausted.",
        when: "The Rust runtime's own handlers in the trace of a program.",
        advice: "Needs sigaltstack first.",
    }
    SA_RESTART {
        means: "The kernel restarts recv, send, accept and connect after the handler; it never restarts select and poll.",
        when: "Programs that do not want EINTR everywhere.",
        advice: "Handle EINTR all the same.",
        systems: "On Linux a socket with SO_RCVTIMEO is not restarted either (signal(7)). On the BSDs and macOS connect never is: it says \
            EINTR and goes on by itself.",
        lab: "eintr-despite-sa-restart",
    }
    SA_NODEFER {
        means: "The signal is not blocked while its handler runs, so the handler can be interrupted by itself.",
        when: "Rarely wanted.",
        advice: "Leave it out, unless the handler is reentrant.",
    }
    SA_RESETHAND {
        means: "The first delivery resets the action to SIG_DFL.",
        when: "\"A second Control-C ends at once.\"",
        advice: "Remember the default action: usually it ends the process.",
    }
    SA_SIGINFO {
        means: "The handler takes three arguments, with the sender of the signal and its reason.",
        when: "Which child? Which fault address?",
        advice: "Set sa_sigaction instead of sa_handler.",
    }
    SA_NOCLDSTOP {
        means: "For SIGCHLD: only ends count, not stops.",
        when: "Servers that fork.",
        advice: "Give it, unless the program is a shell.",
    }
    SA_NOCLDWAIT {
        means: "For SIGCHLD: no zombies, and no exit status either.",
        when: "Servers that do not care how a child ended.",
        advice: "wait then fails with ECHILD.",
    }
} }

entries! { DISPOSITIONS {
    SIG_DFL {
        gist: "the system's default action",
        means: "For most signals: end the process. For SIGCHLD, SIGURG and SIGWINCH: nothing.",
        when: "In sigaction, and in every program that was just started.",
        advice: "exec resets handlers to this, but keeps SIG_IGN.",
    }
    SIG_IGN {
        gist: "the signal is discarded",
        means: "No handler runs and no call is interrupted.",
        when: "SIGPIPE in servers: then only EPIPE reports it.",
        advice: "Children inherit it through exec: restore the default before starting other programs. The inetd of inetutils \
            (2.4, 2.6) and socat with EXEC and nofork (1.7.4.4) do not (ran): a shell loop of echo goes on after its client \
            has left, which SIGPIPE ends elsewhere.",
        lab: "what-std-hides",
    }
    SIG_SETMASK {
        gist: "block exactly these signals",
        means: "sigprocmask replaces the thread's mask by the set; a signal in it stays pending.",
        when: "Blocking a signal everywhere except inside pselect or ppoll.",
        advice: "Keep the old set and put it back.",
        lab: "signal-race",
    }
} }
