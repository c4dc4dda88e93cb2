//! My SYN gets no answer. When does the kernel send it again?
//!
//! Books say after 1, 3 and 7 seconds, because the wait doubles each time. Since Linux 6.5 the first waits do not
//! double: the SYN goes out again after 1, 2, 3, 4, 5 seconds, then after 7 and 11. So a server whose queue was full for a
//! moment, or a network that lost two packets, costs a client two seconds instead of three. (The lab takes seven
//! seconds: it watches two attempts, each for 3.5 s.)

use std::time::{Duration, Instant};

use crate::addr::Address;
use crate::labs::peers::{joined, spawn};
use crate::labs::run::{LabResult, Run, Stop};
use crate::labs::scene::{fill_queue, loopback, set_nonblocking};
use crate::labs::{Expect, Expected, Lab, Prediction};
use crate::os::settings::set_linear_syn_timeouts;
use crate::sys::wild::network::own_network;
use crate::sys::*;

pub(super) const LAB: Lab = Lab {
    name: "syn-sent-again",
    claim: "A SYN without an answer goes out each second at first, not after 1, 3, 7.",
    question: "My SYN gets no answer. When is it sent again?",
    explanation: "In the books, and on Linux before 6.5, the wait for an answer begins with one second and doubles each \
        time: a SYN goes out again after 1, 3, 7, 15, 31 and 63 s. Since 6.5 the wait does not double the first four \
        times (net.ipv4.tcp_syn_linear_timeouts is 4): 1, 2, 3, 4, 5, then 7, 11, 19, … Within three seconds a client \
        now sends three SYNs instead of two. The kernel gives up after two minutes; a program that wants less needs a \
        time limit of its own.",
    elsewhere: "macOS does not double the first waits: a SYN goes out again after 1, 2, 3, 4, 5, then 7 s. FreeBSD had the \
        same steps in 10.4; in 13.1 it doubles the waits, as in the books. NetBSD sends the SYN again after six seconds.",
    sources: &[
        "tcp(7), tcp_syn_retries",
        "Linux, Documentation/networking/ip-sysctl.rst: tcp_syn_linear_timeouts",
        "Linux 6.5, net/ipv4/tcp_timer.c: tcp_retransmit_timer",
        "RFC 6298, 2 and 5.5",
        "macOS (xnu-11417.101.15), bsd/netinet/tcp_timer.c: tcp_syn_backoff",
        "FreeBSD 10.4 and 13.1, sys/netinet/tcp_timer.c: tcp_timer_rexmt",
    ],
    related: &["pending-and-eintr", "backlog-n-plus-1", "silent-death"],
    words: &["SYN_SENT", "ETIMEDOUT", "connect"],
    minutes: 3,
    descriptors: 200,
    predictions: &[&BOOK, &LINEAR],
    spoiled_by: "connect:ECONNREFUSED@3",
    run,
    own_network: true,
    loopback: false,
    ..Lab::ORDINARY
};

const HOW_OFTEN: &[&str] = &["1", "2", "3", "7"];

const BOOK: Prediction = Prediction {
    asks: "All waits double, as in the books. How often was a SYN sent again 3.5 s after connect?",
    choices: HOW_OFTEN,
    expect: Expect::on_linux(Expected::Is("2")),
};

/// Before 6.5 there is no such setting, and both parts behave as in the books.
const LINEAR: Prediction = Prediction {
    asks: "The first four do not, as since Linux 6.5. How often was a SYN sent again after 3.5 s?",
    choices: &["1", "3", "7"],
    expect: Expect::on_linux(Expected::OneOf(&["3", "2"])),
};

const WATCHED_MS: i32 = 3500;
/// A second later the next SYN is sent.
const LATEST: Duration = Duration::from_millis(3900);
const ATTEMPTS: usize = 3;

fn run(lab: &mut Run<'_>) -> LabResult {
    own_network(lab.wild()).map_err(|errno| {
        Stop::skipped(format_args!(
            "the lab needs a network namespace with its own settings, and cannot create one here: {errno}"
        ))
    })?;
    let l = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    bind(&l, &loopback(0))?;
    listen(&l, 0)?;
    let address = getsockname(&l)?;
    lab.say("Clients connect until the queue of a listener is full. The kernel drops every SYN of the next client.");
    let _waiting = fill_queue(&address)?;

    lab.part("As in the books");
    let is_setting = set_linear_syn_timeouts(0).is_ok();
    lab.say(if is_setting {
        "In this network net.ipv4.tcp_syn_linear_timeouts is 0 now. TCP_INFO counts what was sent again; a thread asks for it."
    } else {
        "This kernel has no net.ipv4.tcp_syn_linear_timeouts. TCP_INFO counts what was sent again; a thread asks for it."
    });
    lab.predict(&BOOK);
    let sent_again = syns_sent_again(lab, &address)?;
    lab.observe(sent_again);

    lab.part("As since Linux 6.5");
    if set_linear_syn_timeouts(4).is_ok() {
        lab.say("net.ipv4.tcp_syn_linear_timeouts is 4 again, the default.");
    } else {
        lab.say("This kernel has no such setting, so the waits double here too.");
    }
    lab.predict(&LINEAR);
    let sent_again = syns_sent_again(lab, &address)?;
    lab.observe(sent_again);
    Ok(())
}

/// How often the SYN of a new client was sent again within 3.5 s. If the machine is busy and the check comes too late,
/// it is repeated with another client.
fn syns_sent_again(lab: &mut Run<'_>, address: &Address) -> std::result::Result<String, Stop> {
    for _ in 0..ATTEMPTS {
        let c = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
        set_nonblocking(&c)?;
        let began = Instant::now();
        // EINPROGRESS, which is the point of this lab.
        let _ = connect(&c, address);
        poll(&mut [PollFd::new(c.as_fd(), POLLOUT)], WATCHED_MS)?;
        let number = c.number();
        let sent_again =
            joined(spawn(move || Ok::<_, Errno>(retransmissions(number)))).ok().flatten();
        if began.elapsed() < LATEST {
            return Ok(sent_again.map_or("not told".to_string(), |times| times.to_string()));
        }
        lab.say("The check came too late: the next SYN may have gone out. The lab tries again.");
    }
    Err(Stop::skipped("this machine is too busy to look at a given moment"))
}
