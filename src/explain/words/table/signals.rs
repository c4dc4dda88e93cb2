//! Signals, the flags of `sigaction`, and what can be done with a signal.

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
        advice: "Write a byte into a pipe that the loop watches, and end in order.",
        lab: "signal-race",
    }
    SIGQUIT {
        means: "Control-\\: end, and leave a core dump.",
        when: "A program that does not heed SIGINT.",
        advice: "Leave it alone, as a way out.",
    }
    SIGKILL {
        means: "The process has no say; its kernel closes all its descriptors.",
        when: "kill -9, or the kernel out of memory.",
        advice: "Peers see an ordinary FIN, or RST if bytes were unread. sigaction says EINVAL.",
    }
    SIGUSR1 {
        means: "Nothing by custom; it ends the process unless handled.",
        when: "Own uses: print statistics, open the log again.",
        advice: "Install the handler early.",
    }
    SIGUSR2 {
        means: "A second signal for one's own use, also deadly by default.",
        when: "Where SIGUSR1 is taken.",
        advice: "Two meanings are the most that fit; then use a socket for commands.",
    }
    SIGPIPE {
        means: "Comes with EPIPE and by default ends the process without a word.",
        when: "\"My server dies when a client leaves.\"",
        advice: "MSG_NOSIGNAL with each send, or ignore the signal for the whole process.",
        systems: "Rust programs ignore it from the start, C programs do not.",
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
        advice: "Stop accepting, send what is owed, close, exit.",
    }
    SIGCHLD {
        means: "wait would now return. Ignored unless handled.",
        when: "Servers that fork for each client: EINTR in accept, and zombies if nobody waits.",
        advice: "In the handler, wait in a loop without blocking: several ends may come as one signal.",
        lab: "eintr-despite-sa-restart",
    }
    SIGCONT {
        means: "A stopped process runs again, whether or not it handles this.",
        when: "fg and bg in a shell.",
        advice: "Draw the screen again, and look at the clock: a handler makes select and poll fail with EINTR. On Linux a recv with SO_RCVTIMEO may say it without a handler.",
        lab: "stopped-while-waiting",
    }
    SIGSTOP {
        means: "The process stands still until SIGCONT. Its kernel goes on acknowledging for it.",
        when: "A stopped peer: connect still works and sends are still taken, until buffers are full.",
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
        advice: "It does not say which one: ask select or poll.",
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
        means: "recv, send, accept and connect go on after the handler as if nothing had been; select and poll never do.",
        when: "Programs that do not want EINTR everywhere.",
        advice: "Handle EINTR all the same.",
        systems: "On Linux a socket with SO_RCVTIMEO is not restarted either (signal(7)). On FreeBSD connect never is: it says EINTR and goes on by \
            itself.",
        lab: "eintr-despite-sa-restart",
    }
    SA_NODEFER {
        means: "The signal is not held back while its handler runs, so it can nest.",
        when: "Rarely wanted.",
        advice: "Leave it out, unless the handler may be entered twice.",
    }
    SA_RESETHAND {
        means: "After the first time SIG_DFL is back.",
        when: "\"A second Control-C ends at once.\"",
        advice: "Mind what the default does: mostly it ends the process.",
    }
    SA_SIGINFO {
        means: "The handler takes three arguments and learns who sent the signal and why.",
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
        advice: "wait then says ECHILD.",
    }
} }

entries! { DISPOSITIONS {
    SIG_DFL {
        gist: "what the system does by itself",
        means: "For most signals: end the process. For SIGCHLD, SIGURG and SIGWINCH: nothing.",
        when: "In sigaction, and in every program that was just started.",
        advice: "exec resets handlers to this, but keeps SIG_IGN.",
    }
    SIG_IGN {
        gist: "the signal is thrown away",
        means: "No handler runs and no call is interrupted.",
        when: "SIGPIPE in servers: then EPIPE alone tells.",
        advice: "Children inherit it through exec: restore the default before starting other programs.",
        lab: "what-std-hides",
    }
    SIG_SETMASK {
        gist: "these signals wait, and no others",
        means: "sigprocmask replaces the thread's mask by the set; a signal in it stays pending.",
        when: "Blocking a signal everywhere except inside pselect or ppoll.",
        advice: "Keep the old set and put it back.",
        lab: "signal-race",
    }
} }
