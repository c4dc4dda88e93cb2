//! A datagram arrives whole or not at all.

use std::net::Ipv6Addr;

use crate::addr::Address;
use crate::judge::datagrams::Sender;
use crate::judge::site::pattern;
use crate::judge::verdict::Symptom;
use crate::judge::{Cause, JudgeCase, Role};

const OF: &[Role] = &[Role::EchoUdp];

pub(super) const ANSWERS: JudgeCase = JudgeCase {
    name: "answers",
    question: "Does a datagram come back?",
    of: OF,
    points: 2,
    lab: "udp-drops-silently",
    causes: &[Cause {
        when: Symptom::Silent,
        because: "nothing is sent back, or not to the address that recvfrom gave with that datagram: to a fixed one, or to that of \
            the first sender",
        remedy: "send each answer to the address that recvfrom gave with that datagram",
    }],
    run: |bench| bench.serves("sender"),
    ..JudgeCase::ORDINARY
};

pub(super) const EVERY_BYTE: JudgeCase = JudgeCase {
    name: "every-byte-value",
    question: "Does a datagram come back with bytes of every value?",
    of: OF,
    lab: "no-message-boundaries",
    run: |bench| {
        let bytes: Vec<u8> = (0..=255).collect();
        Sender::new(bench, "sender")?.expect_echo(&bytes)
    },
    ..JudgeCase::ORDINARY
};

pub(super) const EMPTY: JudgeCase = JudgeCase {
    name: "empty-datagram",
    question: "Does it continue after an empty datagram?",
    of: OF,
    points: 2,
    lab: "zero-is-three-things",
    causes: &[
        Cause {
            when: Symptom::Died,
            because: "recvfrom returned 0, which was taken for the end, as on a connection",
            remedy: "a datagram may be empty: 0 is its length, and nothing has ended",
        },
        Cause {
            when: Symptom::Silent,
            because: "recvfrom returned 0, which was taken for the end, as on a connection",
            remedy: "a datagram may be empty: 0 is its length, and nothing has ended",
        },
        Cause {
            when: Symptom::Refused,
            because: "recvfrom returned 0, which was taken for the end, as on a connection, and the socket was closed",
            remedy: "a datagram may be empty: 0 is its length, and nothing has ended",
        },
    ],
    run: |bench| {
        let sender = Sender::new(bench, "sender")?;
        for _ in 0..3 {
            sender.send(b"")?;
            bench.pause(10);
        }
        // Whether the server answers an empty datagram with an empty one, or not, is its own decision.
        sender.forget();
        bench.serves("another sender")
    },
    ..JudgeCase::ORDINARY
};

pub(super) const LARGEST: JudgeCase = JudgeCase {
    name: "largest-datagram",
    question: "Does the largest datagram come back completely?",
    of: OF,
    points: 2,
    lab: "datagram-truncation",
    causes: &[Cause {
        when: Symptom::Wrong,
        because: "the buffer is smaller than the datagram, and what does not fit is thrown away",
        remedy: "give recvfrom room for 65,535 bytes",
    }],
    run: |bench| {
        // 65,535 without the headers: 8 bytes of UDP, and over IPv4 20 bytes of IP.
        let most = match bench.scene.address {
            Address::V4(_) => 65_507,
            _ => 65_527,
        };
        let is_loopback = match &bench.scene.address {
            Address::V4(at) => at.ip().is_loopback(),
            Address::V6(at) => *at.ip() == Ipv6Addr::LOCALHOST,
            _ => false,
        };
        let size = if is_loopback { most } else { 8192 };
        Sender::new(bench, "sender")?.expect_echo(&pattern(size))
    },
    ..JudgeCase::ORDINARY
};

pub(super) const TWO_SENDERS: JudgeCase = JudgeCase {
    name: "two-senders",
    question: "Does each of two senders get its own datagrams back?",
    of: OF,
    points: 2,
    lab: "udp-connect-filters",
    causes: &[Cause {
        when: Symptom::Silent,
        because: "the answer goes to a fixed address: the socket was connected to the first sender, or the first address was kept",
        remedy: "send each answer to the address that recvfrom gave with that datagram",
    }],
    run: |bench| {
        let (first, second) = (Sender::new(bench, "first")?, Sender::new(bench, "second")?);
        for _ in 0..3 {
            let (one, two) = (bench.token(), bench.token());
            first.expect_echo(one.as_bytes())?;
            second.expect_echo(two.as_bytes())?;
            first.forget();
            second.forget();
        }
        Ok(())
    },
    ..JudgeCase::ORDINARY
};

pub(super) const SENDER_GONE: JudgeCase = JudgeCase {
    name: "sender-gone",
    question: "Does it continue if a sender is gone before the answer arrives?",
    of: OF,
    lab: "udp-refused-later",
    causes: &[Cause {
        when: Symptom::Died,
        because: "an answer to a port that no socket has comes back as ECONNREFUSED from a later call, which was taken for the end",
        remedy: "go on after ECONNREFUSED: it is about a datagram that was sent before",
    }],
    run: |bench| {
        for number in 0..20 {
            Sender::new(bench, &format!("sender {number}"))?.send(b"who reads the answer?\n")?;
        }
        bench.pause(50);
        bench.serves("another sender")
    },
    ..JudgeCase::ORDINARY
};

pub(super) const IDLE: JudgeCase = JudgeCase {
    name: "idle",
    question: "Does it use no processor time while no datagram arrives?",
    of: OF,
    points: 2,
    lab: "always-ready",
    run: |bench| {
        bench.serves("sender")?;
        bench.expect_idle("a datagram was answered, and then none was sent")
    },
    ..JudgeCase::ORDINARY
};
