//! My SYN gets no answer. When does the kernel send it again?
//!
//! Books say after 1, 3 and 7 seconds, because the wait doubles each time. Since Linux 6.5 the first waits do not
//! double: it is after 1, 2, 3, 4 and 5 seconds, and only then after 7 and 11. So a server whose queue was full for a
//! moment, or a network that lost two packets, costs a client two seconds instead of three. (The lab takes seven
//! seconds, because these are whole seconds.)

use std::thread;
use std::time::{Duration, Instant};

use crate::addr::Address;
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
    explanation: "The time-out for an answer begins with one second and doubles each time: so the books, and Linux before 6.5, where a \
        SYN goes out again after 1, 3, 7, 15, 31 and 63 s. Since 6.5 the first four of these waits stay at a second \
        (net.ipv4.tcp_syn_linear_timeouts, 4): 1, 2, 3, 4, 5, then 7, 11, 19, … A client with a limit of three seconds has three \
        chances and not one. When to give up is for the program to say; the kernel takes two minutes.",
    elsewhere: "FreeBSD and macOS have waits of their own; NetBSD sends it again after six seconds.",
    sources: &[
        "tcp(7), tcp_syn_retries",
        "Linux, Documentation/networking/ip-sysctl.rst: tcp_syn_linear_timeouts",
        "Linux 6.5, net/ipv4/tcp_timer.c: tcp_retransmit_timer",
        "RFC 6298, 2 and 5.5",
    ],
    related: &["pending-and-eintr", "backlog-n-plus-1", "silent-death"],
    words: &["SYN_SENT", "ETIMEDOUT", "connect"],
    minutes: 3,
    descriptors: 200,
    predictions: &[&BOOK, &LINEAR],
    spoiled_by: "connect:ECONNREFUSED@3",
    run,
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
            "a network of its own, with settings of its own, is not to be had here: {errno}"
        ))
    })?;
    let l = socket(AF_INET, SOCK_STREAM, Protocol::default())?;
    bind(&l, &loopback(0))?;
    listen(&l, 0)?;
    let address = getsockname(&l)?;
    lab.say("Clients come until the queue of a listener is full. The SYN of the next one is dropped, each time it is sent.");
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

    lab.part("As it is now");
    if set_linear_syn_timeouts(4).is_ok() {
        lab.say("It is 4 again, as by default.");
    } else {
        lab.say("This kernel cannot do otherwise: the same once more.");
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
        let sent_again = thread::spawn(move || retransmissions(number)).join().ok().flatten();
        if began.elapsed() < LATEST {
            return Ok(sent_again.map_or("not told".to_string(), |times| times.to_string()));
        }
        lab.say("That was too late: the next one may have gone out. Once more.");
    }
    Err(Stop::skipped("this machine is too busy to look at a given moment"))
}
