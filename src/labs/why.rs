//! The questions that people ask most, and the labs that answer them.

/// A question, and the names of labs.
pub type Question = (&'static str, &'static [&'static str]);

/// The most frequent questions.
pub const QUESTIONS: &[Question] = &[
    ("Why did recv give half a message, or two?", &["no-message-boundaries", "header-splits"]),
    ("Why does select work only once?", &["select-eats-its-sets"]),
    ("Address already in use: REUSEADDR or REUSEPORT?", &["time-wait-bind", "reuseport-and-self"]),
    ("Why does my server die when a client disconnects?", &["write-after-fin", "sigpipe-or-not"]),
    ("Why does send return less than I gave it?", &["partial-send", "send-is-a-copy"]),
    ("Why does select use 100 % of the processor?", &["always-ready"]),
    ("POLLHUP, POLLRDHUP, or recv giving 0?", &["readiness-matrix"]),
    ("close or shutdown?", &["half-close", "close-is-refcount"]),
    ("Why does close() not wake my recv?", &["close-under-wait"]),
    ("Is my connect done?", &["nb-connect-ok", "nb-connect-refused"]),
    ("What is exceptfds for?", &["exceptfds-is-not-errors", "oob-one-byte"]),
    ("What is \"filedescriptor out of range in select()\"?", &["fdsetsize-overflow"]),
    ("Connection refused, on UDP?", &["udp-refused-later"]),
    ("Where do the 40 ms come from?", &["nagle-40ms"]),
    ("Why can other machines not reach my server?", &["wildcard-vs-loopback"]),
    ("Why do my timeouts last longer after Control-Z?", &["stopped-while-waiting"]),
    ("Why does recv with no room in its buffer wait?", &["recv-of-nothing"]),
    (
        "poll has reported POLLIN. Why does recv wait?",
        &["readable-but-recv-blocks", "readiness-is-a-hint"],
    ),
    ("Where is the descriptor that I sent?", &["fd-vanishes", "fd-passing"]),
    (
        "The peer has closed. Why do my sends succeed?",
        &["write-after-fin", "multipath-hides-close"],
    ),
    ("connect says EAGAIN. What do I wait for?", &["connect-says-eagain"]),
    ("How soon does connect try again?", &["syn-sent-again", "pending-and-eintr"]),
    (
        "EINTR, and no signal handler of mine?",
        &["eintr-without-handler", "eintr-despite-sa-restart"],
    ),
    (
        "Why does MSG_WAITALL give less than I asked for?",
        &["peek-waitall-trunc", "eintr-without-handler"],
    ),
    ("Is MSG_DONTWAIT as good as O_NONBLOCK?", &["nonblock-is-shared"]),
    (
        "splice returned 0. Why is the rest missing?",
        &["urgent-byte-stops-splice", "zero-is-three-things"],
    ),
    ("Why does an old program fail on a new kernel?", &["old-options"]),
];
