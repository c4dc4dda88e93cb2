//! A case: what a program is asked, and what its failures usually mean.

use super::bench::Bench;
use super::role::Role;
use super::verdict::{CaseOutcome, Symptom};

/// One case.
#[derive(Clone, Copy, Debug)]
pub struct JudgeCase {
    /// Its name on the command line.
    pub name: &'static str,
    /// Its one question.
    pub question: &'static str,
    /// The roles that it applies to.
    pub of: &'static [Role],
    /// Its points, unless `--points` says otherwise.
    pub points: u32,
    /// After how many seconds without any progress it fails, on an idle machine.
    pub timeout_s: u32,
    /// The lab that explains it.
    pub lab: &'static str,
    /// What it needs.
    pub needs: Needs,
    /// Whether it is about something that Unix-domain sockets do not have.
    pub tcp_only: bool,
    /// Whether the program must still run when the case is over.
    pub leaves_it_running: bool,
    /// What usually causes its failures.
    pub causes: &'static [Cause],
    /// The code of the case.
    pub run: fn(&mut Bench<'_>) -> CaseOutcome,
}

/// What a case needs if judge starts the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: the program of the previous case is used.
    Nothing,
    /// A newly started program.
    Fresh,
    /// A newly started program with this limit on descriptors. A program that is running already cannot be asked.
    Descriptors(u64),
    /// A newly started program with this limit on descriptors; a running program is asked, too.
    ManyDescriptors(u64),
}

/// The usual meaning of a failure.
#[derive(Clone, Copy, Debug)]
pub struct Cause {
    /// The symptom.
    pub when: Symptom,
    /// The usual cause.
    pub because: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

impl JudgeCase {
    /// What most cases have: `..JudgeCase::ORDINARY` at the end of a case's data.
    pub const ORDINARY: Self = Self {
        name: "",
        question: "",
        of: Role::STREAMS,
        points: 1,
        timeout_s: 5,
        lab: "",
        needs: Needs::Nothing,
        tcp_only: false,
        leaves_it_running: true,
        causes: &[],
        run: |_| Ok(()),
    };
}

/// The meaning of symptoms, where the case does not say more.
pub(super) const IN_GENERAL: &[Cause] = &[
    Cause {
        when: Symptom::Died,
        because: "an error of one client was taken for an error of the server: exit, die or perror behind recv, send or accept, \
            or an exception that nothing catches",
        remedy: "close the connection of that client, and go on with the others",
    },
    Cause {
        when: Symptom::Refused,
        because: "the listener was closed, or nothing listens any more",
        remedy: "keep the listener open as long as the program runs, and close the accepted socket only",
    },
    Cause {
        when: Symptom::Silent,
        because: "the program waits for something that does not come: for more bytes, in a call for another client, or with \
            its answer still in a buffer of its own (stdio)",
        remedy: "answer as soon as the request is complete, flush what is buffered, and wait in select or poll only",
    },
    Cause {
        when: Symptom::Ended,
        because: "the connection is closed before everything was sent, or an ordinary short count is taken for the end",
        remedy: "close only when recv has returned 0 and every pending byte was sent",
    },
    Cause {
        when: Symptom::Reset,
        because: "the connection was closed with bytes unread, which sends a reset and throws away what is on its way",
        remedy: "receive until recv returns 0, or shutdown(SHUT_WR) and receive what is left, and then close",
    },
    Cause {
        when: Symptom::Wrong,
        because: "bytes were lost, added or changed: a string function that stops at a zero byte, or the size of the buffer \
            sent instead of the count that recv returned",
        remedy: "use the count that recv returned, and no functions for strings on what comes from a socket",
    },
    Cause {
        when: Symptom::TooMuch,
        because: "more is sent than belongs to the answer: the whole buffer, a terminating zero byte, a long of eight bytes for \
            a number of four, or an answer for each recv instead of for each message",
        remedy: "send exactly the bytes of the answer",
    },
    Cause {
        when: Symptom::HoldsUp,
        because: "the program waits in a blocking call for one client while others have something for it",
        remedy: "make the sockets non-blocking and wait for all of them in select or poll, or give each client a thread",
    },
    Cause {
        when: Symptom::Spins,
        because: "select or poll reports something again and again that nothing is done about: the end of a connection, an \
            error, or room to send where there is nothing to send",
        remedy: "close what has ended, and ask for POLLOUT only while bytes are pending",
    },
    Cause {
        when: Symptom::Grows,
        because: "what was allocated for a connection or an answer is kept",
        remedy: "free it with the connection, and limit what is kept for one peer",
    },
    Cause {
        when: Symptom::Leaks,
        because: "the socket of a client that is gone is never closed, on one of the ways that its connection can end",
        remedy: "close the descriptor wherever a connection ends: after 0, after an error, after a failed send",
    },
    Cause {
        when: Symptom::Stays,
        because: "SIGTERM is ignored or only noted, or the loop takes EINTR for nothing and waits again",
        remedy: "leave the signal its default, or look at the flag that its handler sets after every wait",
    },
    Cause {
        when: Symptom::NotAgain,
        because: "bind fails with EADDRINUSE: connections of the earlier run are in TIME_WAIT, or its socket file is still there",
        remedy: "set SO_REUSEADDR before bind; for a Unix-domain socket remove the old file first",
    },
    Cause {
        when: Symptom::ClaimsSuccess,
        because: "the result of a call was not looked at",
        remedy: "exit with a status other than 0, and say on standard error what failed",
    },
];

/// A program that died of a signal that it caused itself: SIGPIPE, in a server.
pub(super) const BY_SIGPIPE: Cause = Cause {
    when: Symptom::Died,
    because: "it sent to a client that was gone: send then gives EPIPE, and SIGPIPE before that, which ends the process",
    remedy: "pass MSG_NOSIGNAL to send (or ignore SIGPIPE), and close the connection when send gives EPIPE",
};

/// A program that used memory that is not its own.
pub(super) const BY_SIGSEGV: Cause = Cause {
    when: Symptom::Died,
    because: "it wrote or read outside of its memory: beyond a buffer, an array of clients, or an fd_set, which has FD_SETSIZE \
        bits and no check",
    remedy: "check each length and each descriptor against the size of what it is put into; poll has no such limit",
};
