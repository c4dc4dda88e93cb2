//! An ordinary message costs no allocation, and an idle connection holds no buffer.

// The configuration allows this in tests only, and does not count a function as a test if it is not marked as one.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use baresock::addr::Address;
use baresock::conn::Ends;
use baresock::event_loop::{EventLoop, Limits};
use baresock::poller::Via;
use baresock::services::Echo;
use baresock::sys::{self, AF_UNIX, Fd, MSG_NOSIGNAL, MsgFlags, O_NONBLOCK, Protocol};
use baresock::sys::{SO_SNDBUF, SOCK_STREAM, SOL_SOCKET};

/// A loop that echoes, and the other ends of its connections.
fn connected(via: Via, connections: usize) -> (EventLoop, Vec<Fd>) {
    let mut event_loop = EventLoop::new(via, Limits::default());
    let service = event_loop.add_service(Box::new(Echo));
    let peers = (0..connections).map(|_| {
        let [ours, theirs] = sys::socketpair(AF_UNIX, SOCK_STREAM, Protocol::default()).unwrap();
        sys::setsockopt(&ours, SOL_SOCKET, SO_SNDBUF, &4096).unwrap();
        sys::fcntl_setfl(&ours, sys::fcntl_getfl(&ours).unwrap() | O_NONBLOCK).unwrap();
        event_loop.add_connection(Ends::Socket(ours), &Address::unix("peer"), service, None);
        theirs
    });
    let peers = peers.collect();
    // The service is told of its connections.
    event_loop.turn().unwrap();
    (event_loop, peers)
}

fn exchange(event_loop: &mut EventLoop, peer: &Fd) {
    let mut buf = [0; 64];
    sys::send(peer, &[7; 64], MSG_NOSIGNAL).unwrap();
    event_loop.turn().unwrap();
    assert_eq!(sys::recv(peer, &mut buf, MsgFlags::NONE), Ok(64));
}

#[test]
fn an_ordinary_message_costs_no_allocation() {
    for via in [Via::Select, Via::Poll] {
        let (mut event_loop, peers) = connected(via, 50);
        // The first turns make room for question and evidence; it is kept.
        exchange(&mut event_loop, &peers[0]);
        exchange(&mut event_loop, &peers[1]);
        let counted = allocation_counter::measure(|| {
            for peer in peers.iter().cycle().take(1000) {
                exchange(&mut event_loop, peer);
            }
        });
        assert_eq!(counted.count_total, 0, "over {via}");
    }
}

#[test]
fn the_memory_of_sent_bytes_is_freed() {
    for via in [Via::Select, Via::Poll] {
        let (mut event_loop, peers) = connected(via, 1);
        let mut buf = vec![0; 1 << 20];
        let counted = allocation_counter::measure(|| {
            sys::send(&peers[0], &[7; 65_536], MSG_NOSIGNAL).unwrap();
            event_loop.turn().unwrap();
            let (_, conn) = event_loop.client(&Address::unix("peer")).unwrap();
            assert!(conn.owed() > 0, "the send was not short");
            let mut returned = 0;
            while returned < 65_536 {
                returned += sys::recv(&peers[0], &mut buf, MsgFlags::NONE).unwrap();
                while event_loop.ready_within(Duration::ZERO).unwrap() {
                    event_loop.turn().unwrap();
                }
            }
        });
        let kept = counted.bytes_current;
        assert!(kept < 4096, "{kept} bytes are kept by an idle connection, over {via}");
    }
}
